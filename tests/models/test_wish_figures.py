"""Figures of wishes, against what is counted by hand (domain.md §2.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, select

from models import clock as town_clock
from models.base import db, reading, transaction
from models.calendars import DayKind, set_day
from models.clock import TOWN_ZONE, StoppedClock
from models.issue_orders import send_back_order
from models.partners import Partner
from models.policies import set_policy
from models.regions import Region
from models.wishes import (
    Wish,
    WishKind,
    WishWords,
    approve_wish,
    correct_wish,
    reject_wish,
    withdraw_wish,
)
from models.wishes.claims import (
    Claim,
    Done,
    Evidence,
    Level,
    SettledBy,
    confirm_done,
    deliver,
    dispute,
    extend_claim,
    give_back,
    note_contact,
    rate_claim,
    transfer_claim,
)
from models.wishes.clocks import end_of
from models.wishes.figures import (
    FEWEST,
    Figure,
    FigureName,
    WishFigures,
    figures_of_place,
    figures_of_unit,
    hidden_among,
)
from models.wishes.street import IssueOrder
from server.jobs.wishes import turn_wishes
from tests.claims import PROMISE, a_claimer, by_unit, claims, does, fulfilled, under_way
from tests.people import Person, Town, UnitMember
from tests.wishes import CARD, TAP, by_resident, by_staff, hung, now, say, somebody

DAY = date(2026, 11, 20)  # a Friday, at noon
A_MONTH = DAY + timedelta(days=30)
SHOES = WishWords("想要三双运动鞋", WishKind.GOODS, quantity=3, value_yuan=100)
N = FigureName
Shares = Mapping[FigureName, tuple[int, int] | None]


@pytest.fixture
def unit(town: Town) -> UnitMember:
    """Somebody of a unit that is paired with the community."""
    return a_claimer(town.wutong)


def shares(figures: Sequence[Figure]) -> Shares:
    """So many of so many, by the figure; none where it is hidden."""
    return {
        one.name: None if one.counted is None or one.of is None else (one.counted, one.of) for one in figures
    }


def counted(place: Region, first: date = DAY, last: date = A_MONTH) -> WishFigures:
    """The figures of a place."""
    with reading() as session:
        return figures_of_place(session, session.get_one(Region, place.id), first=first, last=last)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small groups are told, so that each case may be counted by itself."""
    monkeypatch.setattr("models.wishes.figures.FEWEST", 0)


def days_later(clock: StoppedClock, days: int, hour: int = 12) -> None:
    """The clock, so many days after the first."""
    on = DAY + timedelta(days=days)
    clock.move_to(datetime(on.year, on.month, on.day, hour, tzinfo=TOWN_ZONE))


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("way", ["said anew after a no", "sent back by the street"])
def test_what_is_hung_again_counts_on_the_day_it_hung_first(
    town: Town, clock: StoppedClock, way: str
) -> None:
    who = somebody(town)
    wish = hung(town, who)
    if way == "said anew after a no":
        days_later(clock, 3)
        say(reject_wish, wish, "请写清楚", by=by_staff(town.clerk))
        say(correct_wish, wish, replace(TAP, words="厨房的水龙头滴水，想请人修"), by=by_resident(who))
        days_later(clock, 5)
        say(approve_wish, wish, CARD, by=by_staff(town.clerk))
    else:
        for days in (15, 30):
            days_later(clock, days)
            turn_wishes(town_clock.now())
        with transaction() as session:
            order = session.scalars(select(IssueOrder)).one()
            send_back_order(session, order, "请社区再公布一次", by=by_staff(town.street_officer))
    last = now(wish).published_at
    assert last is not None
    assert last > end_of(DAY)
    again = town_clock.in_town(last).date()
    assert shares(counted(town.wutong, DAY, DAY).figures)[N.CLAIMED] == (0, 1)
    assert shares(counted(town.wutong, again, again).figures)[N.CLAIMED] == (0, 0)


@pytest.mark.usefixtures("told")
def test_a_month_counted_by_hand(town: Town, unit: UnitMember, clock: StoppedClock) -> None:
    another, people = a_claimer(town.wutong), [somebody(town) for _ in range(9)]
    hangs, once, again, sent_on, quarrel, late, gone, whole, parts = (
        hung(town, who, SHOES if number >= 7 else replace(SHOES, quantity=1))
        for number, who in enumerate(people)
    )
    # brought on the day it was agreed to, and confirmed three days later: what counts is the day it was brought
    quick = under_way(town, unit, once)
    does(deliver, quick, Done(Evidence.TAP), by=by_unit(unit))
    # given back, and taken on by another, who was there within two days
    given = under_way(town, unit, again)
    does(give_back, given, "做不了", by=by_unit(unit))
    # handed to another unit: the first has nothing more to do with it
    handed = under_way(town, unit, sent_on)
    with transaction() as session:
        to = session.get_one(Partner, another.partner_id)
        transfer_claim(session, session.get_one(Claim, handed.id), to, "换个单位", by=by_staff(town.clerk))
    disputed = under_way(town, unit, quarrel)
    does(deliver, disputed, Done(Evidence.TAP), by=by_unit(unit))
    overdue = under_way(town, unit, late)
    # the wish is taken back: nobody's fault, and counted nowhere
    under_way(town, unit, gone)
    say(withdraw_wish, gone, by=by_resident(people[6]))
    all_three = under_way(town, unit, whole, pieces=3)
    two_of_three = under_way(town, unit, parts, pieces=2)

    days_later(clock, 2)
    second = under_way(town, another, again)
    does(deliver, second, Done(Evidence.TAP), by=by_unit(another))
    does(confirm_done, second, SettledBy.RESIDENT, by=by_resident(people[2]))
    does(note_contact, two_of_three, by=by_unit(unit))
    days_later(clock, 3)
    does(confirm_done, quick, SettledBy.RESIDENT, by=by_resident(people[1]))
    does(rate_claim, quick, Level.FAIR, "", SettledBy.RESIDENT, by=by_resident(people[1]))
    does(rate_claim, second, Level.UNHAPPY, "", SettledBy.RESIDENT, by=by_resident(people[2]))
    does(dispute, disputed, SettledBy.RESIDENT, "不合脚", by=by_resident(people[4]))
    does(deliver, disputed, Done(Evidence.TAP, "换了一双"), by=by_unit(unit))
    does(confirm_done, disputed, SettledBy.RESIDENT, by=by_resident(people[4]))
    does(deliver, all_three, Done(Evidence.TAP), by=by_unit(unit))
    does(confirm_done, all_three, SettledBy.RESIDENT, by=by_resident(people[7]))
    days_later(clock, 8)  # the seven days for a first word are over
    does(note_contact, overdue, by=by_unit(unit))
    days_later(clock, 12)  # the promised day was 30 November
    does(deliver, overdue, Done(Evidence.TAP), by=by_unit(unit))
    does(confirm_done, overdue, SettledBy.RESIDENT, by=by_resident(people[5]))

    found = shares(counted(town.wutong).figures)
    # published: nine. In hands the community agreed to, whole: once, again, quarrel, late, whole. Not: hangs, sent_on (its second unit has not
    # accepted), gone, parts (two of three)
    assert found[N.CLAIMED] == (5, 9)
    assert found[N.FULFILLED] == (5, 9)
    # due on 30 November: quick, given, second, disputed, overdue, all_three, two_of_three; handed and the one taken back are nowhere
    assert found[N.CLOSED] == (5, 7)
    assert found[N.CLOSED_SAME_DAY] == (2, 7)  # quick, second
    assert found[N.CLOSED_IN_TWO_DAYS] == (2, 7)
    assert found[N.CLOSED_IN_THREE_DAYS] == (4, 7)  # and disputed, at last, and all_three
    assert found[N.CLOSED_IN_TIME] == (4, 7)  # overdue was brought on 2 December
    # accepted: the same seven. No first word in time: given, and overdue's on the eighth day
    assert found[N.ANSWERED] == (5, 7)
    assert found[N.SATISFIED] == (1, 2)
    kinds = {one.kind: shares(one.figures) for one in counted(town.wutong).kinds}
    assert kinds[WishKind.GOODS] == found
    assert set(kinds[WishKind.SERVICE].values()) == {(0, 0)}

    with reading() as session:
        own = figures_of_unit(session, session.get_one(Partner, another.partner_id), first=DAY, last=A_MONTH)
    assert shares(own.figures) == {
        N.CLOSED: (1, 1),
        N.CLOSED_SAME_DAY: (1, 1),
        N.CLOSED_IN_TWO_DAYS: (1, 1),
        N.CLOSED_IN_THREE_DAYS: (1, 1),
        N.CLOSED_IN_TIME: (1, 1),
        N.ANSWERED: (1, 1),
        N.SATISFIED: (0, 1),
    }
    with reading() as session:
        assert session.get_one(Wish, hangs.id).parts_taken == 0


@pytest.mark.usefixtures("told")
def test_what_is_not_due_yet_is_not_counted_and_a_longer_wait_is(
    town: Town, unit: UnitMember, clock: StoppedClock
) -> None:
    who = somebody(town)
    claim = under_way(town, unit, hung(town, who))
    found = shares(counted(town.wutong).figures)
    assert (found[N.CLOSED], found[N.ANSWERED]) == ((0, 0), (0, 0))
    does(note_contact, claim, by=by_unit(unit))
    does(extend_claim, claim, date(2026, 12, 10), "等配件", by=by_unit(unit))
    days_later(clock, 11)  # 1 December, past the first promise
    found = shares(counted(town.wutong).figures)
    assert (found[N.CLOSED], found[N.ANSWERED]) == ((0, 0), (1, 1))
    days_later(clock, 21)  # 11 December
    assert shares(counted(town.wutong).figures)[N.CLOSED] == (0, 1)
    assert shares(counted(town.wutong, DAY, date(2026, 12, 9)).figures)[N.CLOSED] == (0, 0)
    assert shares(counted(town.wutong, date(2026, 12, 10)).figures)[N.CLOSED] == (0, 1)
    assert shares(counted(town.wutong, date(2026, 12, 10)).figures)[N.ANSWERED] == (0, 0)


@pytest.mark.usefixtures("told")
def test_holidays_stop_no_promise(town: Town, unit: UnitMember, clock: StoppedClock) -> None:
    """What units promised runs by the day: three days are three days, whatever the calendar says of them."""
    with transaction() as session:
        for day in (21, 22, 23):
            set_day(session, date(2026, 11, day), DayKind.HOLIDAY)
    who = somebody(town)
    claim = under_way(town, unit, hung(town, who))
    days_later(clock, 3, 23)
    does(deliver, claim, Done(Evidence.TAP), by=by_unit(unit))
    does(confirm_done, claim, SettledBy.RESIDENT, by=by_resident(who))
    days_later(clock, 20)
    found = shares(counted(town.wutong).figures)
    assert (found[N.CLOSED_IN_TWO_DAYS], found[N.CLOSED_IN_THREE_DAYS]) == ((0, 1), (1, 1))


@pytest.mark.usefixtures("told")
def test_a_day_of_the_town_ends_at_its_midnight(town: Town, unit: UnitMember, clock: StoppedClock) -> None:
    """E14: the server counts in UTC, the town does not."""
    days_later(clock, 0, 23)
    late = hung(town, somebody(town))
    assert shares(counted(town.wutong, DAY, DAY).figures)[N.CLAIMED] == (0, 1)
    days_later(clock, 1, 0)
    early = hung(town, somebody(town))
    assert late.id != early.id
    assert shares(counted(town.wutong, DAY, DAY).figures)[N.CLAIMED] == (0, 1)
    tomorrow = DAY + timedelta(days=1)
    assert shares(counted(town.wutong, tomorrow, tomorrow).figures)[N.CLAIMED] == (0, 1)


@pytest.mark.usefixtures("told")
def test_the_limit_of_a_first_word_is_the_communitys(
    town: Town, unit: UnitMember, clock: StoppedClock
) -> None:
    claim = under_way(town, unit, hung(town, somebody(town)))
    days_later(clock, 4)
    does(note_contact, claim, by=by_unit(unit))
    assert shares(counted(town.wutong).figures)[N.ANSWERED] == (1, 1)
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "wish_contact_days", "3")
    assert shares(counted(town.wutong).figures)[N.ANSWERED] == (0, 1)


def test_fewer_than_five_are_not_told(town: Town, unit: UnitMember) -> None:
    for number in range(1, FEWEST + 1):
        hung(town, somebody(town))
        claimed = shares(counted(town.wutong).figures)[N.CLAIMED]
        assert claimed == (None if number < FEWEST else (0, FEWEST))


def test_no_community_of_a_street_is_worked_out_from_the_others(town: Town) -> None:
    """Six here, two there, eight in all: to tell the six would tell the two."""
    for _ in range(6):
        hung(town, somebody(town))
    for number in (1, 2):
        made = hung(town, somebody(town))
        with transaction() as session:
            moved = session.get_one(Wish, made.id)
            moved.region_id, moved.number = town.wangjiang.id, number
    found = counted(town.district)
    assert shares(found.figures)[N.CLAIMED] == (0, 8)
    by_name = {one.region.id: shares(one.figures)[N.CLAIMED] for one in found.communities}
    assert (by_name[town.wutong.id], by_name[town.wangjiang.id]) == (None, None)
    assert shares(counted(town.wutong).figures)[N.CLAIMED] == (0, 6)  # who works there alone sees them anyway
    for one in found.figures:
        assert one.rate is None or 0 <= one.rate <= 1


def test_two_answers_of_overlapping_periods_tell_the_difference(town: Town, clock: StoppedClock) -> None:
    """What is not held, and said not to be: each answer hides its own small groups alone."""
    for _ in range(FEWEST):
        hung(town, somebody(town))
    days_later(clock, 1)
    hung(town, somebody(town))
    tomorrow = DAY + timedelta(days=1)
    assert shares(counted(town.wutong, tomorrow, tomorrow).figures)[N.CLAIMED] is None
    assert shares(counted(town.wutong, DAY, DAY).figures)[N.CLAIMED] == (0, FEWEST)
    assert shares(counted(town.wutong, DAY, tomorrow).figures)[N.CLAIMED] == (0, FEWEST + 1)


@given(st.dictionaries(st.integers(0, 30), st.integers(0, 12), max_size=8))
def test_what_is_hidden_is_two_groups_of_five_or_more_together(sizes: dict[int, int]) -> None:
    hidden = hidden_among(sizes)
    told_groups = {group: size for group, size in sizes.items() if group not in hidden}
    assert all(size == 0 or size >= FEWEST for size in told_groups.values())
    somebody_is = {group: size for group, size in sizes.items() if size}
    if hidden and len(somebody_is) > 1 and sum(sizes.values()) >= FEWEST:
        assert len(hidden) >= 2
        assert sum(sizes[group] for group in hidden if isinstance(group, int)) >= FEWEST
    if all(size == 0 or size >= FEWEST for size in sizes.values()):
        assert not hidden


def test_as_few_statements_for_many_as_for_one(town: Town, unit: UnitMember, clock: StoppedClock) -> None:
    costs = []
    for more in (1, 6):
        for _ in range(more):
            who = somebody(town)
            fulfilled(town, unit, hung(town, who), who)
        asked: list[str] = []

        def keep(*executed: object, asked: list[str] = asked) -> None:
            asked.append(str(executed[2]))

        event.listen(db.engine, "before_cursor_execute", keep)
        try:
            counted(town.district)
        finally:
            event.remove(db.engine, "before_cursor_execute", keep)
        costs.append(len(asked))
    assert costs[0] == costs[1] <= 8


def test_nobody_who_leaves_changes_what_was_counted(town: Town, unit: UnitMember) -> None:
    who: Person = somebody(town)
    for _ in range(FEWEST):
        fulfilled(town, unit, hung(town, somebody(town)), who)
    assert claims(unit, hung(town, who), PROMISE).id
    before = shares(counted(town.wutong).figures)
    with transaction() as session:
        for wish in session.query(Wish):
            wish.resident_id, wish.words = None, None
    assert shares(counted(town.wutong).figures) == before
    assert town_clock.today() == DAY
