"""A month (一个月) at a centre, played through as people live it: over the API, by the clock, with the worker at work.

Four weeks with Mid-Autumn, National Day and two weekend days that are worked. Whenever the worker has done its work, no two have one
floor, every minute of the calendar is somebody's who still has it, and nobody waits beside an empty room.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from models import clock as town_clock
from models.base import transaction
from models.clock import StoppedClock
from models.notices import NoticeKind
from models.policies import set_policy
from models.regions import Region
from tests.conftest import House
from tests.month import closing, opening, weeks
from tests.month.opening import CHOIR, COUNCIL, DANCE, MEETING, PAINTING, RIGHT, SALON, SERVED, TABLE
from tests.month.playing import Month
from tests.people import Town, a_resident, an_account, build_town
from tests.phones import Door
from tests.playing import Deed, at, hear

Kind = NoticeKind
pytestmark = pytest.mark.long

OF_A_MONTH = frozenset(  # M4, M7 to M10 and M32 of the catalogue, and a group's answer
    {
        *(Kind.ROOM_RESERVED, Kind.ROOM_REFUSED, Kind.ROOM_OFFERED, Kind.ROOM_WAIT_OVER, Kind.ROOM_SOON),
        *(Kind.CREDIT_TAKEN, Kind.CREDIT_APPEAL_DECIDED, Kind.RESERVING_RESUMED),
        *(Kind.ROOM_MOVED, Kind.ROOM_CALLED_OFF, Kind.ROOM_CUT_SHORT, Kind.CLASS_MOVED),
        *(Kind.GROUP_DECIDED, Kind.SERVICE_BEHIND, Kind.SERVICE_DECLINED, Kind.SERVICE_CALLED_OFF),
    }
)
OFFICE = ("clerk", "admin")


STORY: Sequence[Deed[Month]] = (
    # --- the first week
    Deed(at(9, 14, 8, 30), opening.the_centre_opens),
    Deed(at(9, 14, 9), opening.classes_have_their_rooms),
    Deed(at(9, 14, 10), opening.learners_register),
    Deed(at(9, 14, 10), opening.the_choir_is_a_group, hear("09-14", Kind.GROUP_DECIDED, CHOIR, "leader")),
    Deed(
        at(9, 14, 11),
        opening.the_choir_sings_every_week,
        hear("09-14", Kind.ROOM_RESERVED, RIGHT, "leader", "leader", "leader"),
    ),
    Deed(at(9, 14, 12), opening.a_unit_has_a_room_for_service),
    Deed(
        at(9, 14, 14),
        opening.neighbours_tap,
        [
            *hear("09-14", Kind.ROOM_RESERVED, MEETING, "resident"),
            *hear("09-14", Kind.ROOM_RESERVED, TABLE, "careless"),
        ],
    ),
    Deed(at(9, 14, 15), opening.a_helper_takes_a_room_for_an_elder),
    Deed(at(9, 14, 16), opening.the_elder_is_called),
    Deed(
        at(9, 14, 20, 30),
        opening.the_meeting_is_given_up_in_the_evening,
        [
            *hear("09-14", Kind.ROOM_OFFERED, MEETING, "neighbour"),
            *hear("09-15", Kind.ROOM_WAIT_OVER, MEETING, "neighbour"),
            *hear("09-15", Kind.ROOM_OFFERED, MEETING, "guardian"),
        ],
    ),
    Deed(
        at(9, 15, 10),
        weeks.the_second_in_line_accepts,
        [
            *hear("09-15", Kind.ROOM_RESERVED, MEETING, "guardian"),
            *hear("09-16", Kind.ROOM_SOON, MEETING, "guardian"),
        ],
    ),
    Deed(at(9, 15, 17, 30), weeks.the_unit_serves),
    Deed(
        at(9, 15, 19, 20),
        weeks.nobody_comes_to_the_table,
        [
            *hear("09-15", Kind.ROOM_SOON, TABLE, "careless"),
            *hear("09-15", Kind.CREDIT_TAKEN, TABLE, "careless"),
            *hear("09-15", Kind.ROOM_OFFERED, TABLE, "resident"),
            *hear("09-15", Kind.ROOM_RESERVED, TABLE, "resident"),
            *hear("09-15", Kind.ROOM_SOON, TABLE, "resident"),
        ],
    ),
    Deed(at(9, 15, 19, 35), weeks.who_waited_plays),
    Deed(at(9, 15, 20, 30), weeks.who_waited_has_played),
    Deed(at(9, 16, 8, 50), weeks.the_meeting_begins),
    Deed(
        at(9, 16, 9, 40),
        weeks.the_meeting_ends_early,
        hear("09-16", Kind.ROOM_OFFERED, MEETING, "deputy"),
    ),
    Deed(
        at(9, 16, 9, 45),
        weeks.who_waited_for_later_hours_has_them,
        [
            *hear("09-16", Kind.ROOM_RESERVED, MEETING, "deputy"),
            *hear("09-16", Kind.ROOM_SOON, MEETING, "deputy"),
        ],
    ),
    Deed(at(9, 16, 10), weeks.the_readers_are_there),
    Deed(at(9, 16, 12), weeks.the_readers_leave),
    Deed(at(9, 16, 13, 50), weeks.the_choir_sings, hear("09-16", Kind.ROOM_SOON, RIGHT, "leader")),
    Deed(at(9, 16, 15, 50), weeks.the_choir_has_sung),
    Deed(
        at(9, 17, 10),
        weeks.two_projectors_are_lent,
        [
            *hear("09-17", Kind.ROOM_RESERVED, MEETING, "neighbour"),
            *hear("09-17", Kind.ROOM_RESERVED, TABLE, "careless"),
            *hear("09-18", Kind.ROOM_SOON, TABLE, "careless"),
            *hear("09-18", Kind.CREDIT_TAKEN, TABLE, "careless"),
        ],
    ),
    Deed(
        at(9, 18, 9, 5),
        weeks.the_elder_is_let_in_by_staff,
        hear("09-18", Kind.ROOM_SOON, PAINTING, "helper"),
    ),
    Deed(at(9, 18, 10, 50), weeks.the_elder_leaves),
    Deed(
        at(9, 18, 13),
        weeks.a_showing_is_given_up_late,
        [
            *hear("09-18", Kind.ROOM_SOON, MEETING, "neighbour", "guardian"),
            *hear("09-18", Kind.CREDIT_TAKEN, MEETING, "neighbour"),
            *hear("09-18", Kind.ROOM_RESERVED, MEETING, "guardian"),
        ],
    ),
    Deed(at(9, 18, 13, 55), weeks.the_showing_begins),
    Deed(at(9, 18, 16), weeks.the_showing_is_over),
    Deed(
        at(9, 19, 15),
        weeks.three_ask_for_a_review,
        [
            *hear("09-19", Kind.ROOM_REFUSED, DANCE, "resident"),
            *hear("09-19", Kind.ROOM_RESERVED, COUNCIL, "deputy"),
            *hear("09-21", Kind.ROOM_SOON, COUNCIL, "deputy"),
            *hear("09-21", Kind.ROOM_REFUSED, DANCE, "helper"),
        ],
    ),
    Deed(at(9, 19, 16), weeks.what_the_community_had_itself_is_over),
    Deed(at(9, 20, 10), weeks.a_sunday_is_worked),
    # --- the second
    Deed(at(9, 21, 9), weeks.the_choir_has_another_leader),
    Deed(
        at(9, 21, 10),
        weeks.the_table_is_taken_a_third_time,
        [
            *hear("09-21", Kind.ROOM_RESERVED, TABLE, "careless"),
            *hear("09-22", Kind.ROOM_SOON, TABLE, "careless"),
            *hear("09-22", Kind.CREDIT_TAKEN, TABLE, "careless"),
        ],
    ),
    Deed(at(9, 21, 19), weeks.the_council_meets),
    Deed(
        at(9, 21, 21, 40),
        weeks.the_council_was_not_signed_out_of,
        hear(
            "09-22", Kind.CREDIT_TAKEN, COUNCIL, "deputy"
        ),  # at half past nine in the evening: in the morning
    ),
    Deed(at(9, 22, 20), weeks.three_empty_rooms_pause_reserving),
    Deed(
        at(9, 23, 8),
        weeks.somebody_plans_for_the_end_of_the_month,
        hear("09-23", Kind.ROOM_RESERVED, MEETING, "leaver"),
    ),
    Deed(
        at(9, 23, 10),
        weeks.the_appeal_is_granted,
        [
            *hear("09-23", Kind.CREDIT_APPEAL_DECIDED, TABLE, "careless"),
            *hear("09-23", Kind.ROOM_RESERVED, TABLE, "careless"),
            *hear("09-24", Kind.ROOM_SOON, TABLE, "careless"),
        ],
    ),
    Deed(at(9, 24, 9), weeks.the_table_is_used),
    Deed(
        at(9, 24, 11),
        weeks.the_net_is_torn,
        [
            *hear("09-24", Kind.CREDIT_TAKEN, TABLE, "careless"),
            *hear("10-04", Kind.RESERVING_RESUMED, TABLE, "careless"),
        ],
    ),
    Deed(at(9, 24, 12), weeks.holidays_have_hours_of_their_own),
    Deed(at(9, 24, 14), weeks.staff_reserve_for_the_elder),
    Deed(
        at(9, 24, 15),
        closing.four_plan_for_tuesday,
        hear("09-24", Kind.ROOM_RESERVED, MEETING, "helper", "resident", "guardian", "neighbour"),
    ),
    Deed(
        at(9, 25, 10),
        weeks.somebody_leaves_the_town,
        hear("09-25", Kind.ROOM_OFFERED, MEETING, "neighbour"),
    ),
    Deed(
        at(9, 25, 11),
        weeks.who_waited_for_the_leaver_accepts,
        [
            *hear("09-25", Kind.ROOM_RESERVED, MEETING, "neighbour"),
            *hear("09-30", Kind.ROOM_SOON, MEETING, "neighbour"),
            *hear("09-27", Kind.SERVICE_BEHIND, SERVED, "unit", *OFFICE),
        ],
    ),
    Deed(
        at(9, 27, 14),
        closing.two_rooms_are_closed_for_a_day,
        [
            *hear("09-27", Kind.ROOM_MOVED, TABLE, "helper", "guardian", "neighbour"),
            *hear("09-27", Kind.ROOM_MOVED, PAINTING, "resident"),
            *hear("09-27", Kind.SERVICE_CALLED_OFF, SALON, "unit"),
        ],
    ),
    Deed(
        at(9, 27, 15),
        closing.one_says_yes_and_one_says_no,
        hear("09-27", Kind.ROOM_CALLED_OFF, TABLE, "guardian"),
    ),
    # --- the third
    Deed(at(9, 28, 9), weeks.the_unit_makes_good),
    Deed(at(9, 28, 10), weeks.the_elder_writes),
    Deed(at(9, 28, 12), weeks.the_elder_has_written),
    Deed(
        at(9, 28, 14, 5),
        closing.silence_keeps_the_hour_and_nothing_else,
        hear("09-28", Kind.ROOM_CALLED_OFF, PAINTING, "resident"),
    ),
    Deed(
        at(9, 29, 9),
        closing.readers_read_at_the_table,
        hear("09-29", Kind.ROOM_SOON, TABLE, "helper", "neighbour"),
    ),
    Deed(at(9, 29, 11), closing.readers_have_read),
    Deed(
        at(9, 29, 18),
        weeks.the_unit_serves_again,
        [
            *hear("09-29", Kind.SERVICE_DECLINED, SERVED, "unit"),
            *hear("10-10", Kind.SERVICE_BEHIND, SERVED, "unit", *OFFICE),
        ],
    ),
    Deed(at(9, 29, 19), closing.tea_is_had_at_the_table),
    Deed(at(9, 29, 21), closing.tea_is_over),
    Deed(at(9, 30, 9), weeks.the_end_of_the_month_is_planned),
    Deed(at(9, 30, 10, 30), weeks.the_end_of_the_month_was_planned),
    Deed(at(9, 30, 14), weeks.the_choir_shows_its_code, hear("09-30", Kind.ROOM_SOON, RIGHT, "deputy")),
    Deed(at(9, 30, 16), weeks.the_choir_goes_home),
    Deed(
        at(10, 4, 12),
        closing.what_was_lost_is_made_good,
        [
            *hear("10-04", Kind.ROOM_RESERVED, MEETING, "guardian", "guardian", "guardian"),
            *hear("10-04", Kind.ROOM_RESERVED, RIGHT, "leader"),
        ],
    ),
    # --- the fourth
    Deed(
        at(10, 5, 10),
        closing.two_plan_for_sunday,
        hear("10-05", Kind.ROOM_RESERVED, TABLE, "deputy", "resident"),
    ),
    Deed(
        at(10, 7, 15),
        weeks.the_choir_stays_away,
        [
            *hear("10-07", Kind.ROOM_SOON, RIGHT, "deputy"),
            *hear("10-07", Kind.CREDIT_TAKEN, RIGHT, "deputy"),
        ],
    ),
    Deed(at(10, 8, 9), closing.made_good_begins, hear("10-08", Kind.ROOM_SOON, MEETING, "guardian")),
    Deed(at(10, 8, 11), closing.made_good_is_over),
    Deed(
        at(10, 8, 12),
        closing.the_hall_is_taken_for_a_public_need,
        [
            *hear("10-08", Kind.CLASS_MOVED, "太极", "resident", "neighbour"),
            *hear("10-08", Kind.ROOM_MOVED, TABLE, "leader"),
        ],
    ),
    Deed(at(10, 8, 13), closing.two_who_learn_answer),
    Deed(at(10, 8, 15), closing.the_rest_of_what_was_made_good_is_given_up),
    Deed(
        at(10, 10, 14),
        closing.the_leader_rehearses_at_the_table,
        hear("10-10", Kind.ROOM_SOON, TABLE, "leader"),
    ),
    Deed(at(10, 10, 16), closing.the_leader_has_rehearsed),
    Deed(at(10, 11, 9, 30), closing.sunday_begins, hear("10-11", Kind.ROOM_SOON, TABLE, "deputy")),
    Deed(
        at(10, 11, 10),
        closing.it_rains_in,
        [
            *hear("10-11", Kind.ROOM_CUT_SHORT, TABLE, "deputy"),
            *hear("10-11", Kind.ROOM_MOVED, SALON, "resident"),
        ],
    ),
    Deed(at(10, 11, 11), closing.staff_answer_for_who_phoned),
    Deed(
        at(10, 11, 12),
        closing.the_roof_is_mended,
        hear("10-11", Kind.ROOM_OFFERED, TABLE, "helper"),
    ),
    Deed(
        at(10, 11, 12, 30),
        closing.who_waited_for_the_table_accepts,
        hear("10-11", Kind.ROOM_RESERVED, TABLE, "helper"),
    ),
    Deed(
        at(10, 11, 14),
        closing.sunday_afternoon_begins,
        hear("10-11", Kind.ROOM_SOON, SALON, "resident"),
    ),
    Deed(at(10, 11, 15, 30), closing.sunday_afternoon_is_over),
    Deed(at(10, 11, 19), closing.sunday_evening_begins, hear("10-11", Kind.ROOM_SOON, TABLE, "helper")),
    Deed(at(10, 11, 20, 30), closing.sunday_evening_is_over),
)


@pytest.fixture
def clock() -> Iterator[StoppedClock]:
    """The clock, stopped at noon of the Sunday before."""
    with town_clock.stopped_at(at(9, 13, 12)) as hand:
        yield hand


@pytest.fixture
def town(house: House, clock: StoppedClock) -> Iterator[Town]:
    """The standing cast, two months before the other tests meet them."""
    with house.app.app_context():
        yield build_town()


@pytest.fixture
def month(door: Door, town: Town, clock: StoppedClock) -> Month:
    """The town before the month, everybody allowed everything."""
    names = {"leader": "何韵", "deputy": "吴歌", "careless": "马虎", "leaver": "钱程"}
    with transaction() as session:
        wutong = session.get_one(Region, town.wutong.id)
        set_policy(session, wutong, "credit_pause_days", "10")
        guests = {
            part: a_resident(session, wutong, name=name, phone=f"1390000010{place}")
            for place, (part, name) in enumerate(names.items())
        }
        account, login_key = an_account(session)
        unit_account = account.id
    played = Month(
        door, town, clock, guests, unit_account=unit_account, unit_login=login_key, kinds=OF_A_MONTH
    )
    played.everybody_allows_everything()
    return played


def test_a_month_at_a_centre_loses_no_minute_and_everybody_hears_what_concerns_them(month: Month) -> None:
    month.play(STORY)
    month.pass_until(at(10, 11, 22))
    expected = sorted(heard for deed in STORY for heard in deed.heard)
    assert sorted([*month.heard(OF_A_MONTH), *month.told_before]) == expected
    assert {heard.kind for heard in expected} == OF_A_MONTH
    month.nothing_is_owed_twice_or_dead()
    month.every_open_minute_is_free_or_held()
    month.the_minutes_used_are_those_people_were_there()
