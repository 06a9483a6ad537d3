"""Clocks wound anew: the calendar or a number changes, and what is due is due when it would have been had it always been so (E26)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event, select, update

from models import clock as town_clock
from models.base import db, reading, transaction
from models.calendars import DayKind, set_day
from models.clock import TOWN_ZONE, StoppedClock
from models.policies import set_policy
from models.regions import Region
from models.wishes import Wish, approve_wish, reject_wish
from models.wishes.claims import (
    Claim,
    Level,
    Rating,
    SettledBy,
    dispute,
    rate_claim,
)
from models.wishes.rewinding import rewind, running_threads
from server.jobs import clocks
from server.jobs.clocks import rewind_clocks, rewind_clocks_within
from tests.claims import a_claimer, claim_now, claims, delivered, does, fulfilled, under_way
from tests.people import Town
from tests.wishes import CARD, by_resident, by_staff, hung, now, say, somebody, wishes

MONDAY = date(2026, 11, 23)


def at(day: int, hour: int = 12) -> datetime:
    """A moment of November."""
    return datetime(2026, 11, day, hour, tzinfo=TOWN_ZONE)


def announce(day: date, kind: DayKind = DayKind.HOLIDAY) -> None:
    """The town says late what a day is."""
    with transaction() as session:
        set_day(session, day, kind)


def decide(place: Region, name: str, value: str) -> None:
    """A place has another number from now on."""
    with transaction() as session:
        set_policy(session, session.get_one(Region, place.id), name, value)


def kept() -> dict[tuple[str, int], tuple[datetime | None, datetime | None]]:
    """What is kept of every clock."""
    with reading() as session:
        found = {
            (noun.__tablename__, row_id): (due_at, remind_at)
            for noun in (Wish, Claim)
            for row_id, due_at, remind_at in session.execute(select(noun.id, noun.due_at, noun.remind_at))
        }
        cared = session.execute(select(Rating.id, Rating.care_due_at, Rating.care_remind_at))
        return found | {("ratings", row_id): (due_at, remind_at) for row_id, due_at, remind_at in cared}


@contextmanager
def counted() -> Iterator[list[str]]:
    """Every statement meanwhile."""
    asked: list[str] = []

    def keep(*executed: object) -> None:
        asked.append(str(executed[2]))

    event.listen(db.engine, "before_cursor_execute", keep)
    try:
        yield asked
    finally:
        event.remove(db.engine, "before_cursor_execute", keep)


def test_a_holiday_announced_late_moves_what_offices_must_do_and_nothing_else(town: Town) -> None:
    """E26: what runs in working time stands still on the holiday; what was promised by the day does not."""
    waiting = wishes(somebody(town))
    unit = a_claimer(town.wutong)
    asked, promised = (
        claims(unit, hung(town, somebody(town))),
        under_way(town, unit, hung(town, somebody(town))),
    )
    assert (now(waiting).due_at, claim_now(asked).due_at) == (at(24), at(23))
    before = claim_now(promised).due_at
    announce(MONDAY)
    assert rewind_clocks(town_clock.now()) == 2
    assert (now(waiting).due_at, claim_now(asked).due_at) == (at(25), at(24))
    assert claim_now(promised).due_at == before
    assert now(waiting).remind_at == at(24)
    announce(MONDAY, DayKind.WORKDAY)
    rewind_clocks(town_clock.now())
    assert (now(waiting).due_at, claim_now(asked).due_at) == (at(24), at(23))


def test_a_number_of_a_community_moves_its_own_clocks_alone(town: Town) -> None:
    here = hung(town, somebody(town))
    there = wishes(town.outsider)
    say(approve_wish, there, CARD, by=by_staff(town.clerk))
    elsewhere = now(there).due_at
    decide(town.wutong, "wish_wall_days", "20")
    assert rewind_clocks_within(town.wutong) == 1
    assert now(here).due_at == at(20) + timedelta(days=20)
    assert now(there).due_at == elsewhere
    assert rewind_clocks(town_clock.now()) == 0


def test_every_clock_is_as_it_would_be_had_the_rules_always_been_so(town: Town, clock: StoppedClock) -> None:
    """Each branch of a claim's and a wish's way, rewound, against the same way gone after the rules had changed."""

    def a_way() -> None:
        unit, another = a_claimer(town.wutong), a_claimer(town.wutong)
        wishes(somebody(town))
        claims(unit, hung(town, somebody(town)))
        under_way(town, unit, hung(town, somebody(town)))
        delivered(town, unit, hung(town, somebody(town)))
        whose = somebody(town)
        disputed = delivered(town, unit, hung(town, whose))
        does(dispute, disputed, SettledBy.RESIDENT, "没有修好", by=by_resident(whose))
        fulfilled(town, another, hung(town, whose), whose)
        unhappy = fulfilled(town, another, hung(town, somebody(town)), whose)
        does(rate_claim, unhappy, Level.UNHAPPY, "", SettledBy.RESIDENT, by=by_resident(whose))

    a_way()
    announce(MONDAY)
    for name, value in (
        ("wish_wall_days", "9"),
        ("wish_contact_days", "3"),
        ("wish_claim_days", "2"),
        ("wish_visit_days", "20"),
        ("wish_remind_days", "2"),
        ("wish_care_mend_days", "40"),
        ("wish_care_call_days", "3"),
    ):
        decide(town.wutong, name, value)
    old = kept()
    rewind_clocks(town_clock.now())
    rewound = kept()
    a_way()  # at the same moment, by the new rules
    fresh = {row: times for row, times in kept().items() if row not in rewound}
    ways = [
        sorted((noun, times[0] or at(1), times[1] or at(1)) for (noun, _), times in some.items())
        for some in (rewound, fresh)
    ]
    assert ways[0] == ways[1]
    assert sum(old[row] != rewound[row] for row in old) == 7


def test_a_reminder_that_was_to_go_out_by_now_still_does(town: Town, clock: StoppedClock) -> None:
    claim = delivered(town, a_claimer(town.wutong), hung(town, somebody(town)))
    clock.advance(days=3, minutes=1)
    due = claim_now(claim).remind_at
    assert due is not None
    assert due < town_clock.now()
    assert rewind_clocks(town_clock.now()) == 0
    assert claim_now(claim).remind_at == due


def test_what_is_over_has_no_clock(town: Town) -> None:
    over = wishes(somebody(town))
    say(reject_wish, over, "不合适", by=by_staff(town.clerk))
    with transaction() as session:
        session.execute(update(Wish).values(due_at=None, remind_at=None))
    announce(MONDAY)
    assert rewind_clocks(town_clock.now()) == 0
    assert now(over).due_at is None


def test_batches_miss_none_and_take_as_few_statements_for_many(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(7):
        wishes(somebody(town))
    announce(MONDAY)
    monkeypatch.setattr(clocks, "A_BATCH", 3)
    assert rewind_clocks(town_clock.now()) == 7
    monkeypatch.undo()
    with reading() as session:
        ids = running_threads(session, Wish, within=None, after_id=0, most=10)
    costs = []
    for some in (ids[:1], ids):
        with counted() as asked, transaction() as session:
            rewind(session, Wish, some)
        costs.append(len(asked))
    assert costs[0] == costs[1]


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # SQLite takes turns
def test_what_somebody_holds_is_not_waited_for_and_not_forgotten(town: Town) -> None:
    held, free = wishes(somebody(town)), wishes(somebody(town))
    announce(MONDAY)
    with db.engine.connect() as other, other.begin():
        other.execute(select(Wish.id).where(Wish.id == held.id).with_for_update())
        with transaction() as session:
            rewound = rewind(session, Wish, [held.id, free.id])
    assert (rewound.changed, list(rewound.held)) == (1, [held.id])
    assert rewind_clocks(town_clock.now()) == 1
