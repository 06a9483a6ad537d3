"""Somebody moves (E9): what they hold stays theirs, the next move waits, and the journal keeps where they lived."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.counter import move_at_counter
from models.courses import CourseRun
from models.errors import Conflict
from models.journal import JournalEntry
from models.policies import set_policy
from models.regions import Region
from models.residents import Profile, introduce
from tests.people import Person, Town


def moves(person: Person, home: Region) -> None:
    with transaction() as session:
        introduce(session, person.account(session), Profile(home_community=session.get_one(Region, home.id)))


def home_of(person: Person) -> int | None:
    with reading() as session:
        return person.resident(session).home_region_id


def journeys(person: Person) -> list[tuple[str, object]]:
    with reading() as session:
        rows = session.scalars(
            select(JournalEntry).where(
                JournalEntry.act == "resident.moved", JournalEntry.subject_id == person.resident_id
            )
        )
        return [(row.identity, row.details) for row in rows]


def test_e9_who_moves_mid_term_keeps_seats_and_places_in_queues(town: Town) -> None:
    seat, queue = town.a_run(), town.a_run(capacity=1)
    town.resident.tap(seat)
    town.neighbour.tap(queue)
    town.resident.tap(queue)
    moves(town.resident, town.wangjiang)
    assert home_of(town.resident) == town.wangjiang.id
    assert town.states(seat) == ["confirmed"]
    assert town.states(queue) == ["confirmed", "waitlisted"]
    town.neighbour.give_up(queue)
    assert town.states(queue) == ["cancelled", "confirmed"]


def test_e9_the_journal_keeps_where_somebody_lived(town: Town) -> None:
    moves(town.resident, town.wangjiang)
    assert journeys(town.resident) == [("resident", {"from": town.wutong.key, "to": town.wangjiang.key})]


def test_e9_the_next_move_waits_thirty_days(town: Town, clock: StoppedClock) -> None:
    moves(town.resident, town.wangjiang)
    moves(town.resident, town.wangjiang)  # the form sent again is no move
    with pytest.raises(Conflict) as no:
        moves(town.resident, town.wutong)
    assert no.value.code == "home_kept"
    assert no.value.details == {"until": "2026-12-20T12:00:00+08:00"}
    assert "12月20日" in no.value.message
    clock.move_to(town_clock.now() + timedelta(days=30))
    moves(town.resident, town.wutong)
    assert home_of(town.resident) == town.wutong.id
    assert len(journeys(town.resident)) == 2


def test_how_long_one_waits_is_the_places_own_number(town: Town) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wangjiang.id), "home_kept_days", "0")
    moves(town.resident, town.wangjiang)
    moves(town.resident, town.wutong)
    assert home_of(town.resident) == town.wutong.id


def test_the_counter_moves_who_has_no_wechat_and_nobody_else(town: Town) -> None:
    with transaction() as session:
        clerk, home = town.clerk.member(session), session.get_one(Region, town.wangjiang.id)
        move_at_counter(session, town.elder.resident(session), home, by=clerk)
        with pytest.raises(Conflict) as no:
            move_at_counter(session, town.resident.resident(session), home, by=clerk)
    assert no.value.code == "moves_themselves"
    assert home_of(town.elder) == town.wangjiang.id
    assert journeys(town.elder)[0][0] == town.clerk.identity


def test_e9_neighbours_first_looks_at_where_one_lives_at_the_tap(town: Town) -> None:
    run = town.a_run(community=town.wangjiang)
    with transaction() as session:
        session.get_one(CourseRun, run.id).home_first_hours = 24
    with pytest.raises(Conflict) as no:
        town.resident.tap(run)
    assert no.value.code == "neighbours_first"
    moves(town.resident, town.wangjiang)
    town.resident.tap(run)
    assert town.states(run) == ["confirmed"]
