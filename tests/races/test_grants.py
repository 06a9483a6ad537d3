"""Both reports of one answer at once, and two workers at one push: an answer counts once, a deed is done once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select

from models import clock
from models.base import reading, transaction
from models.errors import Busy
from models.grants import Answer, GrantReport, MessageGrant, ReportSource, record_answers
from models.notices import TemplateName
from models.pushes import Push, PushKind, PushState, Told, take_down
from server.jobs.pushes import settle_pushes
from tests.people import Town
from tests.phones import TEMPLATES, Door, door, doors, sandbox

__all__ = ["door", "doors", "sandbox"]

RESULT = TemplateName.REGISTRATION_RESULT
ROUNDS = 8


def at_once(door: Door, *deeds: Callable[[], object]) -> None:
    """Do these at the same moment, each in a context of its own; who is told to come back does."""
    together = threading.Barrier(len(deeds))

    def do(deed: Callable[[], object]) -> None:
        with door.app.app_context():
            together.wait()
            for _ in range(20):
                try:
                    deed()
                except Busy:
                    continue
                return

    threads = [threading.Thread(target=do, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def remaining(town: Town) -> list[int]:
    with reading() as session:
        query = select(MessageGrant.remaining).where(MessageGrant.account_id == town.resident.account_id)
        return list(session.scalars(query))


@pytest.mark.parametrize("first", list(ReportSource))
def test_both_reports_of_one_answer_at_once_count_once(door: Door, town: Town, first: ReportSource) -> None:
    def report(source: ReportSource) -> None:
        with transaction() as session:
            account = town.resident.account(session)
            record_answers(session, account, {RESULT.value: Answer.ACCEPT}, source=source)

    second = next(source for source in ReportSource if source is not first)
    for _ in range(ROUNDS):
        at_once(door, lambda: report(first), lambda: report(second))
    assert remaining(town) == [ROUNDS]
    with reading() as session:
        assert [row.matched for row in session.scalars(select(GrantReport))].count(True) == ROUNDS


def test_two_workers_do_one_thing_once(door: Door, town: Town) -> None:
    with reading() as session:
        openid = town.resident.account(session).openid
    with transaction() as session:
        told = [
            Told(
                kind=PushKind.POPUP_ANSWERED,
                openid=openid,
                at=clock.now(),
                dedupe_key=f"event-{number}",
                facts={"template_id": TEMPLATES[RESULT], "accepted": True},
            )
            for number in range(ROUNDS)
        ]
        take_down(session, told)
    at_once(door, *[lambda: settle_pushes(clock.now())] * 3)
    assert remaining(town) == [ROUNDS]
    with reading() as session:
        assert {push.state for push in session.scalars(select(Push))} == {PushState.SETTLED}


def test_one_push_told_twice_at_once_is_one_row(door: Door, town: Town) -> None:
    def tell() -> None:
        with transaction() as session:
            one = Told(kind=PushKind.UNKNOWN, openid="o-x", at=clock.now(), dedupe_key="same")
            take_down(session, [one])

    at_once(door, *[tell] * 4)
    with reading() as session:
        assert len(session.scalars(select(Push)).all()) == 1
