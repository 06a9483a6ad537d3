"""Two clerks decide about one thing at once, or its owner leaves meanwhile: one decision counts, with the control."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import reading, transaction
from models.content_checks import (
    RESIDENT_NAME,
    CheckState,
    ContentCheck,
    Decision,
    Finding,
    HeldBecause,
    Subject,
    decide,
    deciding,
    hold_text,
)
from models.departures import close_account, what_closing_means
from models.errors import Conflict
from models.journal import JournalEntry
from models.notices import Notice, NoticeKind
from tests.people import Town, Worker
from tests.races.rush import rush


@pytest.fixture
def check(town: Town) -> ContentCheck:
    """A name that waits for a clerk."""
    with transaction() as session:
        town.resident.resident(session).name = "加我微信"
        subject = Subject(
            field=RESIDENT_NAME,
            key=town.resident.key,
            account_id=town.resident.account_id or 0,
            resident_id=town.resident.resident_id,
        )
        return hold_text(session, subject, "加我微信", Finding(label=10001), HeldBecause.DOUBTFUL)


def say(
    check: ContentCheck, decision: Decision, by: Worker, together: threading.Barrier | None = None
) -> str:
    """Decide, in a transaction of one's own; with a barrier, both have seen that it waits before either goes on."""
    with transaction() as session:
        mine = session.get_one(ContentCheck, check.id)
        if together is not None:
            assert mine.state is CheckState.WAITING
            together.wait(30)
        reason = "请用真名" if decision is Decision.REJECT else None
        return decide(session, mine, decision, by=by.member(session), reason=reason).state.value


def state_of(check: ContentCheck) -> CheckState:
    with reading() as session:
        return session.scalars(select(ContentCheck.state).where(ContentCheck.id == check.id)).one()


def decisions() -> list[str]:
    with reading() as session:
        acts = session.scalars(select(JournalEntry.act).order_by(JournalEntry.id))
        return [act for act in acts if act in {"content_check.approved", "content_check.rejected"}]


def letters() -> int:
    with reading() as session:
        query = select(Notice.id).where(Notice.kind == NoticeKind.CONTENT_REFUSED)
        return len(session.scalars(query).all())


def test_of_two_clerks_who_differ_one_counts_and_the_other_hears_so(
    town: Town, check: ContentCheck, app: Flask, engine_name: str
) -> None:
    # on SQLite writers take turns from their first moment, so nobody can look while another decides
    together = threading.Barrier(2) if engine_name == "postgresql" else None
    deeds = [
        partial(say, check, Decision.APPROVE, town.clerk, together),
        partial(say, check, Decision.REJECT, town.admin, together),
    ]
    answers = rush(app, deeds)
    (counted,) = [answer for answer in answers if isinstance(answer, str)]
    (refused,) = [answer for answer in answers if isinstance(answer, Conflict)]
    assert refused.code == "check_decided"
    assert state_of(check).value == counted
    assert decisions() == [f"content_check.{counted}"]
    assert letters() == (counted == "rejected")


def test_many_clerks_who_agree_decide_once(town: Town, check: ContentCheck, app: Flask) -> None:
    deeds = [partial(say, check, Decision.REJECT, by) for by in (town.clerk, town.admin) * 4]
    assert rush(app, deeds) == ["rejected"] * 8
    assert decisions() == ["content_check.rejected"]
    assert letters() == 1


# on SQLite writers take turns from their first moment: nothing can come between
@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_without_the_lock_both_would_count(
    town: Town, check: ContentCheck, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the lock is what keeps the second from deciding about what it saw before."""

    def as_seen(session: Session, seen: ContentCheck) -> ContentCheck:
        return seen

    monkeypatch.setattr(deciding, "hold_check", as_seen)
    together = threading.Barrier(2)
    deeds = [
        partial(say, check, Decision.APPROVE, town.clerk, together),
        partial(say, check, Decision.REJECT, town.admin, together),
    ]
    assert sorted(map(str, rush(app, deeds))) == ["approved", "rejected"]
    assert sorted(decisions()) == ["content_check.approved", "content_check.rejected"]


def test_nobody_decides_about_somebody_who_leaves_at_that_moment(
    town: Town, check: ContentCheck, app: Flask
) -> None:
    with reading() as session:
        seen = what_closing_means(session, town.resident.account(session)).fingerprint

    def leave() -> str:
        with transaction() as session:
            close_account(session, town.resident.account(session), seen=seen)
        return "left"

    deeds: list[Callable[[], str]] = [partial(say, check, Decision.REJECT, town.clerk), leave]
    decided, gone = rush(app, deeds)
    assert str(gone) == "left"
    assert str(decided) == "rejected" or getattr(decided, "code", "") == "check_not_waiting"
    with reading() as session:
        left = session.scalars(select(ContentCheck).where(ContentCheck.id == check.id)).one()
        assert (left.written, left.subject_key, left.reason, left.fingerprint) == (None,) * 4
