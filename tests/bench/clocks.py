"""The cell of clocks (P21): the calendar has changed, and the clocks of very many open threads are wound anew, in time and without growing.

Half of the threads are wishes on the wall, the other half claims on a piece of each; every one of them rings at another time afterwards.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select

from models import clock
from models.base import db, new_key, transaction
from models.bulk import insert_rows
from models.journal import JournalEntry
from models.partners import Partner
from models.policies import set_policy
from models.regions import Region
from models.wishes import Wish
from models.wishes.claims import Claim, ClaimState
from server.jobs.clocks import rewind_clocks
from tests.bench.lists import AT_ONCE
from tests.bench.serving import busy_seconds, cpu_seconds_of, memory_of
from tests.bench.stores import Store
from tests.bench.town import BenchTown, take_statistics
from tests.bench.walls import hang_wishes

A_LOOK_SECONDS = 0.05
A_DAY = timedelta(days=1)


@dataclass
class Rewinding:
    """So many threads wound anew: seconds of the clock, and this process's MiB in the first and in the last quarter of it."""

    threads: int
    seconds: float
    rss_first: float
    rss_last: float
    others_share: float
    faults: list[str] = field(default_factory=list)


def open_threads(town: BenchTown, how_many: int) -> None:
    """Half so many wishes on the wall, with what happened to them, and on each a claim that is under way."""
    half = how_many // 2
    unit_id = hang_wishes(town, half, quantity=2)["unit"]
    with town.app.app_context():
        with transaction() as session:
            unit = session.get_one(Partner, unit_id).id
            wishes = session.scalars(select(Wish.id).order_by(Wish.id)).all()
        with db.engine.execution_options(writes=True).begin() as connection:
            for first in range(0, half, AT_ONCE):
                some = wishes[first : first + AT_ONCE]
                made = insert_rows(connection, Claim, [_claim(wish_id, unit) for wish_id in some], "id").all()
                entries = [
                    _entry(Wish, wish_id, act)
                    for wish_id in some
                    for act in ("wish.made", "wish.approved", "wish.published")
                ]
                entries += [
                    _entry(Claim, row.id, act) for row in made for act in ("claim.made", "claim.agreed")
                ]
                for at in range(0, len(entries), AT_ONCE):
                    insert_rows(connection, JournalEntry, entries[at : at + AT_ONCE], "id")
    take_statistics(town.engine)


def rewind(store: Store, town: BenchTown, threads: int, days: int) -> Rewinding:
    """The community gives other numbers of days, and every clock follows."""
    with town.app.app_context():
        with transaction() as session:
            place = session.get_one(Region, town.community_id)
            top = place.parent or place
            set_policy(session, top, "wish_wall_days", f"{days}")
            set_policy(session, top, "wish_contact_days", f"{days}")
        seen: list[float] = []
        over = threading.Event()

        def look() -> None:
            while not over.wait(A_LOOK_SECONDS):
                seen.append(memory_of(os.getpid()).rss)

        looking = threading.Thread(target=look)
        looking.start()
        began, busy, ours = time.monotonic(), busy_seconds(), _ours(store)
        try:
            changed = rewind_clocks(clock.now())
        finally:
            over.set()
            looking.join()
        seconds = time.monotonic() - began
        others = max(0.0, busy_seconds() - busy - (_ours(store) - ours)) / seconds / (os.cpu_count() or 1)
    quarter = max(1, len(seen) // 4)
    here = memory_of(os.getpid()).rss
    first, last = seen[:quarter] or [here], seen[-quarter:] or [here]
    faults = [] if changed == threads else [f"{changed} of {threads} clocks ring at another time"]
    return Rewinding(threads, seconds, statistics.mean(first), statistics.mean(last), others, faults)


def _claim(wish_id: int, unit_id: int) -> dict[str, object]:
    return {
        "key": new_key(),
        "wish_id": wish_id,
        "partner_id": unit_id,
        "state": ClaimState.IN_PROGRESS,
        "pieces": 1,
        "plan": "周末上门",
        "promise_version": "",
        "promised_on": (clock.today() + 10 * A_DAY).isoformat(),
        "extended_because": "",
        "claimed_at": clock.now(),
        "agreed_at": clock.now(),
        "due_at": clock.now() + 7 * A_DAY,
        "because": "",
    }


def _entry(noun: type[Wish | Claim], row_id: int, act: str) -> dict[str, object]:
    return {
        "at": clock.now(),
        "act": act,
        "subject_kind": noun.__tablename__,
        "subject_id": row_id,
        "identity": "town",
    }


def _ours(store: Store) -> float:
    return time.process_time() + cpu_seconds_of(store.processes())
