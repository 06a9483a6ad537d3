"""Who was shown how to use a room: written down, taken back, told in the copy, and gone with the person."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from models.base import reading, transaction
from models.copies import copy_for
from models.counter import Card, ConsentGiver, enter_resident, people_scope
from models.departures import close_account, what_closing_means
from models.errors import Conflict
from models.inductions import (
    Induction,
    hand_over_inductions,
    inductions_kept_of,
    inductions_of,
    is_inducted,
    record_induction,
    take_induction_back,
)
from models.journal import JournalEntry
from models.profiles import withdraw_from_all
from models.regions import Region
from models.residents import Resident
from models.sites import Venue
from tests.people import Person, Town, a_venue

A_DAY = date(2026, 11, 18)


@pytest.fixture
def studio(town: Town) -> Venue:
    """A room one is shown before one reserves it."""
    with transaction() as session:
        return a_venue(session, town.wutong, name="自媒体工作室")


def show(studio: Venue, who: Person, on: date = A_DAY) -> None:
    with transaction() as session:
        record_induction(session, session.get_one(Venue, studio.id), who.resident(session), done_on=on)


def take_back(studio: Venue, who: Person) -> None:
    with transaction() as session:
        take_induction_back(session, session.get_one(Venue, studio.id), who.resident(session))


def was_shown(studio: Venue, who: Person) -> bool:
    with reading() as session:
        return is_inducted(session, session.get_one(Venue, studio.id), who.resident(session))


def written(who: Person) -> list[tuple[date, bool]]:
    """Every day somebody was shown a room, and whether that still counts."""
    with reading() as session:
        return [
            (one.done_on, one.taken_back_at is None) for one in inductions_kept_of(session, [who.resident_id])
        ]


def test_who_was_shown_a_room_may_use_it_until_that_is_taken_back(town: Town, studio: Venue) -> None:
    assert not was_shown(studio, town.resident)
    show(studio, town.resident)
    assert was_shown(studio, town.resident)
    assert not was_shown(studio, town.neighbour)
    for _ in range(2):
        take_back(studio, town.resident)
    assert not was_shown(studio, town.resident)
    with reading() as session:
        assert inductions_of(session, [town.resident.resident_id]) == []
    show(studio, town.resident, date(2026, 11, 20))
    assert written(town.resident) == [(A_DAY, False), (date(2026, 11, 20), True)]


def test_a_day_told_again_is_the_day_told_last(town: Town, studio: Venue) -> None:
    for on in (A_DAY, A_DAY, date(2026, 11, 19)):
        show(studio, town.resident, on)
    assert written(town.resident) == [(date(2026, 11, 19), True)]
    with reading() as session:
        query = select(JournalEntry.details, JournalEntry.for_resident_id).order_by(JournalEntry.id)
        entries = session.execute(query.where(JournalEntry.act == "induction.recorded")).all()
    assert [entry.details["done_on"] for entry in entries] == ["2026-11-18", "2026-11-19"]
    assert {entry.for_resident_id for entry in entries} == {town.resident.resident_id}


def test_nobody_was_shown_anything_tomorrow(town: Town, studio: Venue) -> None:
    show(studio, town.resident, date(2026, 11, 20))
    with pytest.raises(Conflict) as caught:
        show(studio, town.resident, date(2026, 11, 21))
    assert caught.value.code == "induction_ahead"


def test_nothing_is_written_of_who_took_their_consent_back(town: Town, studio: Venue) -> None:
    with transaction() as session:
        withdraw_from_all(session, town.resident.account(session))
    with pytest.raises(Conflict) as caught:
        show(studio, town.resident)
    assert caught.value.code == "ward_withdrew"
    assert written(town.resident) == []


def test_it_stands_in_the_copy_with_who_wrote_it(town: Town, studio: Venue) -> None:
    show(studio, town.resident)
    with reading() as session:
        pages = copy_for(session, town.resident.account(session)).oneself
    assert pages is not None
    assert [(one.venue.name, one.done_on) for one in pages.inductions] == [("自媒体工作室", A_DAY)]
    assert "induction.recorded" in [line.entry.act for line in pages.journal]


def test_nothing_of_it_stays_when_the_person_leaves(town: Town, studio: Venue) -> None:
    show(studio, town.resident)
    take_back(studio, town.resident)
    show(studio, town.resident)
    show(studio, town.neighbour)
    with transaction() as session:
        account = town.resident.account(session)
        close_account(session, account, seen=what_closing_means(session, account).fingerprint)
    with reading() as session:
        assert session.scalars(select(Induction.resident_id)).all() == [town.neighbour.resident_id]


def test_of_two_entries_of_one_person_each_room_stays_once(town: Town, studio: Venue) -> None:
    with transaction() as session:
        clerk = town.clerk.member(session)
        other_room = a_venue(session, town.wutong, name="烘焙教室")
        card = Card("孙奶奶", 1941, session.get_one(Region, town.wutong.id), None)
        elder = enter_resident(
            session,
            card,
            scope=people_scope(session, clerk),
            consent_version="2026-11",
            given_by=ConsentGiver.ONESELF,
            by=clerk,
        )
        here = session.get_one(Venue, studio.id)
        record_induction(session, here, elder, done_on=A_DAY)
        oneself = session.get_one(Resident, town.resident.resident_id)
        record_induction(session, here, oneself, done_on=A_DAY)
        record_induction(session, other_room, oneself, done_on=A_DAY)
        hand_over_inductions(session, oneself, elder)
        count = select(func.count()).select_from(Induction).where(Induction.resident_id == oneself.id)
        assert session.scalar(count) == 1
