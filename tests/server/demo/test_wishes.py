"""The demo town's sixty wishes: every state and every way there, come about by what people do on a clock that goes on, on both databases."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models import clock as town_clock
from models.base import reading, transaction
from models.journal import JournalEntry
from models.notices import Notice
from models.residents import Resident
from models.wishes import Wish, WishPhoto, WishSource, WishState
from models.wishes.claims import (
    Claim,
    ClaimState,
    EndedBecause,
    Evidence,
    Fulfilment,
    Level,
    Rating,
    SettledBy,
)
from models.wishes.clocks import _AFTER, _AFTER_WISH
from models.wishes.rewinding import rewind, running_threads
from models.wishes.rows import OPEN
from models.wishes.street import IssueOrder, IssueSource, JointMeeting, OrderState
from server.demo.wishes.book import SIXTY
from tests.server.demo.conftest import NOVEMBER_20

LATE = {"检修洗衣机", "教用电脑", "咨询遗嘱", "检修电视机"}
WHERE_THEY_STAND = {
    WishState.SUBMITTED: 3,
    WishState.NEED_INFO: 1,
    WishState.APPROVED: 1,
    WishState.PUBLISHED: 17,
    WishState.CLAIMED: 15,
    WishState.ESCALATED: 3,
    WishState.CONVERTED: 2,
    WishState.FULFILLED: 12,
    WishState.CANNOT_FULFIL: 1,
    WishState.REJECTED: 2,
    WishState.WITHDRAWN: 3,
}


@pytest.fixture
def session(demo: Path) -> Session:
    """The town, for reading."""
    with reading() as session:
        return session


def title_of(wish: Wish) -> str:
    """What a wish is called in the book; one nobody has read yet by what was said."""
    (wished,) = [one for one in SIXTY if (wish.words or "").startswith(one.words.words)]
    return wished.title


def test_there_are_sixty_in_every_state(session: Session) -> None:
    """domain.md §5: every branch, three escalated, two converted, one disputed, four overdue."""
    wishes = session.scalars(select(Wish)).all()
    assert Counter(wish.state for wish in wishes) == WHERE_THEY_STAND
    assert len(wishes) == len(SIXTY) == 60
    assert set(WHERE_THEY_STAND) == set(WishState)
    assert {wish.source for wish in wishes} == set(WishSource)
    assert {wish.turn for wish in wishes if wish.state is WishState.PUBLISHED} == {1, 2}
    (partly,) = [wish for wish in wishes if wish.state is WishState.PUBLISHED and wish.parts_taken]
    assert (partly.title, partly.parts_taken, partly.quantity) == ("三副老花镜", 2, 3)
    disputed = session.scalars(
        select(Claim).where(
            Claim.state == ClaimState.IN_PROGRESS, Claim.fulfilments.any(Fulfilment.is_done.is_(False))
        )
    ).all()
    assert [claim.wish.title for claim in disputed] == ["修卫生间龙头"]
    late = session.scalars(
        select(Wish)
        .outerjoin(Claim, Claim.wish_id == Wish.id)
        .where(Wish.state.in_(OPEN), or_(Wish.due_at <= town_clock.now(), Claim.due_at <= town_clock.now()))
        .distinct()
    )
    assert {title_of(wish) for wish in late} == LATE


def test_they_came_there_on_every_way_there_is(session: Session) -> None:
    def all_of(column: object) -> set[object]:
        return set(session.scalars(select(column)))  # type: ignore[call-overload]  # any column

    assert all_of(Claim.state) == set(ClaimState)
    assert all_of(Claim.ended_because) - {None} == set(EndedBecause)
    assert all_of(Fulfilment.evidence) == set(Evidence)
    assert all_of(Fulfilment.settled_by) - {None} == set(SettledBy)
    assert all_of(Rating.level) == set(Level)
    assert all_of(IssueOrder.state) == set(OrderState)
    assert all_of(IssueOrder.source) == set(IssueSource)
    (mended,) = session.scalars(select(Rating).where(Rating.mended_at.is_not(None)))
    assert (mended.level, mended.again_level) == (Level.UNHAPPY, Level.HAPPY)
    (cared_for,) = session.scalars(select(Rating).where(Rating.care_due_at.is_not(None)))
    assert cared_for.level == Level.VERY_UNHAPPY
    (meeting,) = session.scalars(select(JointMeeting))
    assert meeting.starts_at > town_clock.now()
    on_the_agenda = session.scalars(select(IssueOrder).where(IssueOrder.meeting_id == meeting.id))
    assert [order.title for order in on_the_agenda] == ["坡道加装扶手"]


def test_what_was_brought_can_be_looked_at(demo: Path, session: Session) -> None:
    (photo,) = session.scalars(select(WishPhoto))
    assert photo.claim_id is not None
    for name in (photo.file, photo.thumbnail):
        with Image.open(demo / "wish-photos" / f"{name}.jpg") as picture:
            assert picture.format == "JPEG"


def test_whatever_winds_a_clock_has_happened(session: Session) -> None:
    happened = set(session.scalars(select(JournalEntry.act)))
    assert (set(_AFTER_WISH) | set(_AFTER)) - happened == set()


def test_it_all_happened_in_its_time(session: Session) -> None:
    """Each wish was made on its day, and its thread goes on from there; nothing is yet to come."""
    entries = session.execute(
        select(JournalEntry.subject_id, JournalEntry.at)
        .where(JournalEntry.subject_kind == "wishes")
        .order_by(JournalEntry.id)
    ).all()
    assert max(at for _, at in entries) == NOVEMBER_20
    for wish in session.scalars(select(Wish)):
        own = [at for subject_id, at in entries if subject_id == wish.id]
        assert own == sorted(own)
        (wished,) = [one for one in SIXTY if one.title == title_of(wish)]
        ago = town_clock.in_town(NOVEMBER_20).date() - town_clock.in_town(own[0]).date()
        assert ago == timedelta(days=wished.days_ago), wished.title


def test_no_clock_says_anything_else_when_it_is_wound_anew(demo: Path) -> None:
    with transaction() as session:
        for of in (Wish, Claim, Rating):
            ids = running_threads(session, of, within=None, after_id=0, most=1000)
            assert ids
            assert (rewind(session, of, ids).changed, of) == (0, of)


def test_an_outsider_reads_nothing_that_is_not_public(demo: Path, context: Flask) -> None:
    outsider = context.test_client()
    with reading() as session:
        wishes = session.scalars(select(Wish)).all()
        names = {name for name in session.scalars(select(Resident.name)) if name}
        hang = {wish.key for wish in wishes if wish.state is WishState.PUBLISHED}
        private = names | {
            text
            for wish in wishes
            for text in (wish.words, wish.address, wish.hardship)
            if text and text not in (wish.title, wish.public_words)
        }
    read, after = "", ""
    while True:
        page = outsider.get(f"/api/v1/wishes?limit=20{after}").get_json()
        read += str(page)
        if page["next"] is None:
            break
        after = f"&cursor={page['next']}"
    for wish in wishes:
        one = outsider.get(f"/api/v1/wishes/{wish.key}")
        assert (one.status_code == 200) == (wish.key in hang), (wish.title, one.status_code)
        read += one.text
    assert all(key in read for key in hang)
    assert not [text for text in private if text in read]
    assert "19900000" not in read


def test_what_was_told_long_ago_was_read_and_nobody_is_called_about_it(session: Session) -> None:
    yesterday = NOVEMBER_20 - timedelta(days=1)
    old = session.scalar(
        select(func.count()).select_from(Notice).where(Notice.due_at < yesterday, Notice.read_at.is_(None))
    )
    assert old == 0
