"""Several workers on one outbox: one person has one message under way, whoever claims at the same moment.

The control takes out the second look the claim has at the accounts it locked. PostgreSQL's statement sees the rows as they were when it
began, so a worker that claimed and committed meanwhile goes unseen. On SQLite claims take turns, and there is nothing to take out.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select

from models import clock
from models.base import reading, transaction
from models.notices import Debt, Delivery, Notice, NoticeKind, owe, sending
from models.notices.sending import Ending, claim_due, settle_all
from tests.people import Person, Town
from tests.races.rush import rush

WORKERS = 6
PEOPLE = 60
ROUNDS = 12
LONGEST_SECONDS = 30


def owe_each(people: Collection[Person], how_many: int) -> None:
    """So many notices to each of them."""
    facts = {"course": "摄影", "starts_at": "2026-12-03T18:00:00+08:00", "place": "书画室", "learner": ""}
    account_ids = [person.account_id or 0 for person in people]
    with transaction() as session:
        debts = [
            Debt(NoticeKind.REGISTRATION_CONFIRMED, f"subject-{n}", "run", account_ids, facts, clock.now())
            for n in range(how_many)
        ]
        owe(session.connection(), debts)


def claim_and_settle(worker: str, *, until_seen: bool) -> int:
    """Empty the outbox as a worker does, or go on until somebody has two under way; how many were seen to have two."""
    deadline = time.monotonic() + LONGEST_SECONDS
    seen = 0
    while time.monotonic() < deadline and not (seen and until_seen):
        with transaction() as session:
            mine = [claimed.notice.id for claimed in claim_due(session, worker=worker, most=15)]
        with reading() as session:
            under_way = session.scalars(
                select(Notice.account_id).where(Notice.delivery == Delivery.SENDING)
            ).all()
            left = session.scalar(select(Notice.id).where(Notice.delivery == Delivery.OWED).limit(1))
        seen += sum(messages > 1 for messages in Counter(under_way).values())
        if not mine and left is None:
            break
        with transaction() as session:
            settle_all(session, [Ending(notice_id, Delivery.SENT) for notice_id in mine])
    return seen


def test_one_person_has_one_message_under_way_however_many_workers_claim(big_town: Town, app: Flask) -> None:
    owe_each(big_town.crowd[:PEOPLE], ROUNDS)
    workers = [partial(claim_and_settle, f"worker-{n}", until_seen=False) for n in range(WORKERS)]
    assert rush(app, workers) == [0] * WORKERS
    with reading() as session:
        assert set(session.scalars(select(Notice.delivery))) == {Delivery.SENT}


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_without_the_second_look_somebody_has_two_under_way(
    big_town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control."""
    monkeypatch.setattr(sending, "_in_hand_of", lambda *_: set())
    owe_each(big_town.crowd[:PEOPLE], ROUNDS * 4)
    workers = [partial(claim_and_settle, f"worker-{n}", until_seen=True) for n in range(WORKERS)]
    assert sum(seen for seen in rush(app, workers) if isinstance(seen, int)) > 0
