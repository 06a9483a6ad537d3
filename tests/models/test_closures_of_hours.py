"""调休 and other opening hours: what people come to while nobody opens the door is found, and moved, called off or kept."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.calendars import DayKind, set_day
from models.coordination.closures import Choice, ClosureKind, Remedy
from models.desk import desk_of
from models.hours import Hours, OpenOn, write_hours
from models.occupancy import Occupancy
from models.reservations import ReservationState
from models.sites import Site
from server.jobs import rooms as jobs
from tests.closing import closes, effects, plan_of, question_about, remedies
from tests.people import Town, a_run
from tests.rooms import MONDAY, SUNDAY, Centre, a_centre, at, now_of, state_of, takes


@pytest.fixture
def centre(town: Town) -> Centre:
    """The centre of the first community."""
    with transaction() as session:
        return a_centre(session, town.wutong)


def opens_in_the_morning_only(centre: Centre) -> None:
    """The site's hours become 08:30 to 12:00 on working days, as ever at weekends."""
    with transaction() as session:
        site = session.get_one(Site, centre.left.site_id)
        write_hours(
            session,
            site,
            [Hours(OpenOn.WORKDAY, 510, 720), Hours(OpenOn.WEEKEND, 510, 1260)],
        )


def test_what_lies_outside_the_new_hours_is_found_and_nothing_else(town: Town, centre: Centre) -> None:
    takes(town.resident, centre.left, at(9, on=MONDAY), heads=30)
    takes(town.neighbour, centre.left, at(14, on=MONDAY), heads=30)
    opens_in_the_morning_only(centre)
    plan = plan_of([centre.hall], at(8, on=SUNDAY), at(22, on=MONDAY), ClosureKind.HOURS)
    assert remedies(plan) == [("个人预约", "move", "多功能厅右", at(10, on=MONDAY))]


def test_a_workday_that_becomes_a_holiday_shuts_its_classes_out(town: Town, centre: Centre) -> None:
    with transaction() as session:
        a_run(session, town.wutong, venue=centre.left, starts_at=at(9, on=MONDAY), title="合唱")
        set_day(session, MONDAY, DayKind.HOLIDAY, name="放假")
    plan = plan_of([centre.left], at(8, on=SUNDAY), at(22, on=MONDAY), ClosureKind.HOURS)
    assert remedies(plan) == [("合唱", "call_off", None, None)]


def test_such_a_closure_holds_nothing_and_may_leave_things_as_they_are(town: Town, centre: Centre) -> None:
    moved = takes(town.resident, centre.left, at(14, on=MONDAY), heads=30)
    kept = takes(town.neighbour, centre.right, at(16, on=MONDAY), heads=30)
    opens_in_the_morning_only(centre)
    closure = closes(
        town,
        [centre.hall],
        at(8, on=SUNDAY),
        at(22, on=MONDAY),
        kind=ClosureKind.HOURS,
        choices={kept.key: Choice(Remedy.KEEP)},
    )
    assert effects(closure) == [("个人预约", Remedy.MOVE), ("个人预约", Remedy.KEEP)]
    assert now_of(moved).starts_at < at(12, on=MONDAY)
    assert question_about(moved).answer is None
    assert state_of(kept) is ReservationState.APPROVED
    with reading() as session:
        held = session.scalars(select(Occupancy).where(Occupancy.holder_key == closure.key)).all()
        assert held == []


def test_the_communitys_own_plans_are_its_own_to_know(town: Town, centre: Centre) -> None:
    takes(None, centre.left, at(20, on=MONDAY), heads=30, about="支部会议")
    opens_in_the_morning_only(centre)
    plan = plan_of([centre.left], at(8, on=SUNDAY), at(22, on=MONDAY), ClosureKind.HOURS)
    assert plan.items == []


def on_the_desk(town: Town) -> int:
    """How many things outside the hours lie on the clerk's desk."""
    with reading() as session:
        piles = desk_of(session, town.clerk.member(session))
        return next(one.number for one in piles if one.pile.name == "outside_hours")


def test_the_desk_says_how_many_there_are_until_staff_decided(town: Town, centre: Centre) -> None:
    takes(town.resident, centre.left, at(14, on=MONDAY), heads=30)
    kept = takes(town.neighbour, centre.right, at(16, on=MONDAY), heads=30)
    assert jobs.count_outside_hours(town_clock.now()) == 0
    opens_in_the_morning_only(centre)
    assert jobs.count_outside_hours(town_clock.now()) == 1
    assert jobs.count_outside_hours(town_clock.now()) == 0
    assert on_the_desk(town) == 2
    closes(
        town,
        [centre.hall],
        at(8, on=SUNDAY),
        at(22, on=MONDAY),
        kind=ClosureKind.HOURS,
        choices={kept.key: Choice(Remedy.KEEP)},
    )
    assert on_the_desk(town) == 0
    assert jobs.count_outside_hours(town_clock.now()) == 0  # what was kept is not asked about again
