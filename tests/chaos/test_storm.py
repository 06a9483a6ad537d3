"""Five hundred residents, twenty seats, and a bad day: exact without and with kill -9, on both databases.

What is compared is everything: every answer anybody got with the rows, the counters, the numbers, the journal, the notices
(``tests.bench.exactness``).
"""

from __future__ import annotations

import os
import signal

import pytest

from tests.bench.serving import is_there, until
from tests.chaos.conftest import RESIDENTS, Place, state_of

pytestmark = pytest.mark.long

SEATS = 20


def test_five_hundred_on_twenty_seats_leave_twenty_confirmed_and_the_rest_in_order(place: Place) -> None:
    faults, outcome = place.storm()
    assert faults == []
    assert outcome.broken == 0
    assert {answer.status for answer in outcome.answers} == {200}
    told = {answer.body: state_of(answer) for answer in outcome.answers}
    assert len(told) == RESIDENTS
    assert sum(state == "confirmed" for state in told.values()) == SEATS


def test_a_killed_web_worker_costs_nobody_their_place(place: Place) -> None:
    killed: list[int] = []
    place.storm_and(lambda: killed.append(place.server.kill_a_worker()))
    place.server.until_ready()
    assert not set(killed) & set(place.server.workers)


def test_both_workers_killed_at_the_first_answer_and_everybody_still_gets_one(place: Place) -> None:
    def strike() -> None:
        for pid in place.server.workers:
            os.kill(pid, signal.SIGKILL)

    place.storm_and(strike, at=0.002)


def test_a_killed_master_leaves_no_orphan_and_the_next_one_no_gap(place: Place) -> None:
    orphans: list[int] = []

    def strike() -> None:
        orphans.extend(place.server.kill_the_master())
        until(lambda: not any(map(is_there, orphans)), within=15, what="the orphaned workers end")
        place.server.start()

    # the orphans answer who is on the line before they end, so perhaps nobody notices
    faults, _ = place.storm(strike=strike)
    assert faults == []
    assert len(orphans) == 2


def test_a_lost_machine_forgets_nothing_it_has_told(place: Place) -> None:
    def strike() -> None:
        place.server.kill_everything()
        place.server.start()

    place.storm_and(strike)
