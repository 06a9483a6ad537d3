"""Joint meetings (联席会议): planned, moved and called off; what is on the agenda; and who hears of it when (domain.md §6, M24; E25)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.desk import desk_of
from models.errors import Conflict, NotFound
from models.issue_orders import (
    MeetingPlan,
    call_off_meeting,
    change_meeting,
    count_quarters_without_meeting,
    meeting_within,
    meetings_still_true,
    meetings_within,
    owe_meeting_notices,
    put_on_agenda,
    send_back_order,
)
from models.notices import Notice, NoticeKind
from models.partners import Pairing, Partner, end_pairing, lift_suspension, suspend_unit
from models.regions import Region
from models.wishes.street import IssueOrder, JointMeeting
from tests.claims import a_claimer, a_member
from tests.people import Town, UnitMember, Worker
from tests.streets import a_department, about, agenda, assigns, converted, decides, meets
from tests.wishes import by_staff, somebody, told

PLACE = "街道三楼会议室"


@pytest.fixture
def unit(town: Town) -> UnitMember:
    """Somebody of a unit that is paired with a community of the street."""
    return a_claimer(town.wutong)


def a_moment(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=town_clock.TOWN_ZONE)


def tells(moment: datetime | None = None) -> int:
    with transaction() as session:
        return owe_meeting_notices(session, moment or town_clock.now())


def heard(who: UnitMember) -> list[str]:
    return [words for kind, words in told(who) if kind == "meeting_ahead"]


def moved(meeting: JointMeeting, by: Worker, *, days: int = 0, place: str = PLACE) -> None:
    about(
        meeting,
        change_meeting,
        MeetingPlan(meeting.title, meeting.starts_at + timedelta(days=days), place),
        by=by,
    )


def still_true() -> int:
    with reading() as session:
        notices = session.scalars(select(Notice).where(Notice.kind == NoticeKind.MEETING_AHEAD)).all()
        return len(meetings_still_true(session, notices))


# --- planning -----------------------------------------------------------------------------------------------------


def test_a_meeting_is_about_everything_that_waits_where_nothing_is_named(town: Town) -> None:
    first, second, given = (converted(town, somebody(town)) for _ in range(3))
    assigns(town, given, a_department(town.east_street))
    assert agenda(meets(town)) == [first.number, second.number]


def test_a_meeting_is_about_what_is_named(town: Town) -> None:
    converted(town, somebody(town))
    second = converted(town, somebody(town))
    meeting = meets(town, orders=[second])
    assert agenda(meeting) == [2]
    assert agenda(meets(town, town_clock.now() + timedelta(days=20), orders=[])) == []


def test_an_item_is_on_one_agenda_at_a_time(town: Town) -> None:
    converted(town, somebody(town))
    early = meets(town)
    late = meets(town, town_clock.now() + timedelta(days=20))
    assert (agenda(early), agenda(late)) == ([], [1])


def test_planning_the_same_twice_is_one_meeting(town: Town) -> None:
    assert meets(town).id == meets(town).id


@pytest.mark.parametrize("minutes", [0, -1])
def test_a_meeting_is_to_come(town: Town, minutes: int) -> None:
    with pytest.raises(Conflict) as no:
        meets(town, town_clock.now() + timedelta(minutes=minutes))
    assert (no.value.code, no.value.faults[0].field) == ("meeting_unfit", "starts_at")


def test_a_meeting_is_changed_and_its_agenda_with_it(town: Town) -> None:
    orders = [converted(town, somebody(town)) for _ in range(3)]
    meeting = meets(town, orders=orders[:2])
    officer = town.street_officer
    plan = MeetingPlan("大工委会议", meeting.starts_at, "二楼")
    with transaction() as session:
        row = session.get_one(JointMeeting, meeting.id)
        rows = [session.get_one(IssueOrder, one.id) for one in orders[1:]]
        for _ in range(2):  # the same twice changes nothing
            change_meeting(
                session, row, plan, rows, by_account_id=officer.account_id, identity=officer.identity
            )
        assert (row.title, row.place, row.changes) == ("大工委会议", "二楼", 1)
    assert agenda(meeting) == [2, 3]


@pytest.mark.parametrize("how", ["held", "called off"])
def test_a_meeting_that_is_over_is_not_changed(town: Town, clock: StoppedClock, how: str) -> None:
    meeting = meets(town)
    if how == "held":
        clock.advance(days=10)
    else:
        about(meeting, call_off_meeting, "领导出差", by=town.street_officer)
    with pytest.raises(Conflict) as no:
        moved(meeting, town.street_officer, days=5)
    assert no.value.code == "meeting_over"


def test_what_was_on_the_agenda_of_a_meeting_that_is_called_off_waits_as_before(town: Town) -> None:
    converted(town, somebody(town))
    meeting = meets(town)
    for _ in range(2):
        about(meeting, call_off_meeting, "领导出差", by=town.street_officer)
    assert agenda(meeting) == []
    assert agenda(meets(town)) == [1]


def test_a_meeting_that_was_held_is_not_called_off(town: Town, clock: StoppedClock) -> None:
    meeting = meets(town)
    clock.advance(days=10)
    with pytest.raises(Conflict) as no:
        about(meeting, call_off_meeting, "领导出差", by=town.street_officer)
    assert no.value.code == "meeting_over"


def test_only_what_waits_is_put_on_an_agenda(town: Town) -> None:
    order = converted(town, somebody(town))
    meeting = meets(town, orders=[])
    decides(send_back_order, order, "请社区再看", by=by_staff(town.street_officer))
    with transaction() as session:
        row = session.get_one(JointMeeting, meeting.id)
        put_on_agenda(session, row, [session.get_one(IssueOrder, order.id)])
    assert agenda(meeting) == []


def test_the_meetings_of_a_street_are_seen_by_that_street_alone(town: Town) -> None:
    first = meets(town)
    second = meets(town, town_clock.now() + timedelta(days=20))
    with reading() as session:
        east, west = (session.get_one(Region, one.id) for one in (town.east_street, town.west_street))
        found = meetings_within(session, [east], before_id=None, most=10)
        assert [one.id for one in found] == [second.id, first.id]
        assert [one.id for one in meetings_within(session, [east], before_id=second.id, most=10)] == [
            first.id
        ]
        assert meetings_within(session, [west], before_id=None, most=10) == []
        assert meetings_within(session, [], before_id=None, most=10) == []
        assert meeting_within(session, first.key, within=[east]).id == first.id
        with pytest.raises(NotFound):
            meeting_within(session, first.key, within=[west])


# --- telling ------------------------------------------------------------------------------------------------------


def test_units_hear_of_a_meeting_a_week_and_a_day_before_once_each(
    town: Town, unit: UnitMember, clock: StoppedClock
) -> None:
    """M24, with how many items wait at that moment."""
    converted(town, somebody(town))
    meets(town)  # in ten days
    assert tells() == 0
    clock.advance(days=3, seconds=-1)
    assert tells() == 0
    clock.advance(seconds=1)
    assert (tells(), tells()) == (1, 0)
    converted(town, somebody(town))
    clock.advance(days=6, seconds=-1)
    assert tells() == 0
    clock.advance(seconds=1)
    assert (tells(), tells()) == (1, 0)
    when = "2026年11月30日 12:00"
    assert heard(unit) == [
        f"东街街道四季度联席会议，{when}，{PLACE}，待认领{number}件。请看看有没有能认领的。"
        for number in (1, 2)
    ]
    clock.advance(days=1)
    assert tells() == 0


def test_of_a_meeting_that_is_planned_late_units_hear_at_once_and_a_day_before(
    town: Town, unit: UnitMember, clock: StoppedClock
) -> None:
    meets(town, town_clock.now() + timedelta(days=3))
    assert tells() == 1
    clock.advance(days=2)
    assert tells() == 1
    meets(town, town_clock.now() + timedelta(hours=5), title="紧急会议")
    assert (tells(), tells()) == (1, 0)
    assert len(heard(unit)) == 3


def test_of_a_meeting_that_was_moved_units_hear_again(
    town: Town, unit: UnitMember, clock: StoppedClock
) -> None:
    meeting = meets(town)
    clock.advance(days=3)
    assert tells() == 1
    moved(meeting, town.street_officer, days=-1, place="社区一楼")
    assert "社区一楼" in heard(unit)[-1]
    assert heard(unit)[-1].endswith("会议改期，请按新的时间参加。")
    assert still_true() == 1  # what was said first is so no longer
    assert tells() == 0
    clock.advance(days=5)
    assert (tells(), tells()) == (1, 0)
    assert len(heard(unit)) == 3


def test_of_a_meeting_that_is_moved_far_away_who_was_told_hears_before_the_old_day(
    town: Town, unit: UnitMember, clock: StoppedClock
) -> None:
    meeting = meets(town)
    clock.advance(days=3)
    assert tells() == 1
    newcomer = a_claimer(town.wutong)
    moved(meeting, town.street_officer, days=20)
    assert (len(heard(unit)), heard(newcomer)) == (2, [])
    assert "2026年12月20日" in heard(unit)[-1]
    moved(meeting, town.street_officer, days=20)  # the same twice
    assert (len(heard(unit)), tells()) == (2, 0)
    clock.advance(days=20)
    assert tells() == 2  # seven days before the new day, as everybody else
    assert still_true() == 3


def test_that_a_meeting_is_held_elsewhere_is_told_another_title_is_not(
    town: Town, unit: UnitMember, clock: StoppedClock
) -> None:
    meeting = meets(town)
    moved(meeting, town.street_officer, place="社区二楼")
    clock.advance(days=3)
    assert tells() == 1
    about(
        meeting,
        change_meeting,
        MeetingPlan("大工委会议", meeting.starts_at, "社区二楼"),
        by=town.street_officer,
    )
    assert (tells(), len(heard(unit))) == (0, 1)
    moved(meeting, town.street_officer, place="社区一楼")
    assert heard(unit)[-1].endswith("会议换了地点，时间不变。")
    assert (tells(), len(heard(unit)), still_true()) == (0, 2, 1)


def test_of_a_meeting_that_is_called_off_nobody_hears_but_those_who_were_told_that_it_is(
    town: Town, unit: UnitMember, clock: StoppedClock
) -> None:
    silent = meets(town, town_clock.now() + timedelta(days=9), title="第一次")
    loud = meets(town)
    about(silent, call_off_meeting, "领导出差", by=town.street_officer)
    clock.advance(days=3)
    assert tells() == 1
    about(loud, call_off_meeting, "领导出差", by=town.street_officer)
    assert tells() == 0
    assert [words.rpartition("。")[0].rpartition("。")[2] for words in heard(unit)] == [
        "请看看有没有能认领的",
        "会议取消，改期另行通知",
    ]
    assert still_true() == 1


def test_the_active_units_of_a_street_are_called_and_nobody_else(
    town: Town, unit: UnitMember, clock: StoppedClock
) -> None:
    colleague = a_member(unit)
    department, above = a_department(town.east_street), a_claimer(town.district)
    elsewhere, gone, apart = a_claimer(town.wangjiang), a_claimer(town.wutong), a_claimer(town.wutong)
    nobody = {"by_account_id": None, "identity": "town"}
    with transaction() as session:
        suspend_unit(session, session.get_one(Partner, gone.partner_id), "年检", **nobody)  # type: ignore[arg-type]
        theirs = session.scalars(select(Pairing).where(Pairing.partner_id == apart.partner_id)).all()
        for pairing in theirs:
            end_pairing(session, pairing, "搬走了", **nobody)  # type: ignore[arg-type]
    meets(town)
    clock.advance(days=3)
    assert tells() == 4
    for who in (unit, colleague, department, above):
        assert len(heard(who)) == 1
    for who in (elsewhere, gone, apart):
        assert heard(who) == []
    with transaction() as session:
        lift_suspension(session, session.get_one(Partner, gone.partner_id), **nobody)  # type: ignore[arg-type]
    assert tells() == 1  # who may come again hears of it, too


# --- a quarter without a meeting ----------------------------------------------------------------------------------


def test_a_quarter_with_no_meeting_lies_on_the_streets_desk_while_items_wait(
    town: Town, clock: StoppedClock
) -> None:
    """E25."""

    def pile() -> int:
        with reading() as session:
            return next(
                one.number
                for one in desk_of(session, town.street_officer.member(session))
                if one.pile.name == "quarters_without_meeting"
            )

    assert pile() == 0
    order = converted(town, somebody(town))
    assert pile() == 1
    meeting = meets(town)
    assert pile() == 0
    about(meeting, call_off_meeting, "领导出差", by=town.street_officer)
    assert pile() == 1
    meets(town, datetime(2027, 1, 4, 9, tzinfo=town_clock.TOWN_ZONE))
    assert pile() == 1  # that is another quarter
    decides(send_back_order, order, "请社区再看", by=by_staff(town.street_officer))
    assert pile() == 0


@pytest.mark.parametrize(
    ("moment", "meets_in"),
    [
        (a_moment(2026, 12, 31, 23, 59), a_moment(2026, 10, 1)),
        (a_moment(2027, 1, 1), a_moment(2027, 3, 31, 23, 59)),
    ],
)
def test_a_quarter_is_that_of_the_town(town: Town, moment: datetime, meets_in: datetime) -> None:
    """E14, E25: from its first midnight to its last."""
    converted(town, somebody(town))
    with transaction() as session:
        street = session.get_one(Region, town.east_street.id)
        session.add(
            JointMeeting(
                region=street,
                title="联席会议",
                place=PLACE,
                starts_at=meets_in,
            )
        )
    with reading() as session:
        assert session.scalar(select(func.count(JointMeeting.id))) == 1
        assert count_quarters_without_meeting(session, moment) == {}
        other = moment + timedelta(days=92)
        assert count_quarters_without_meeting(session, other) == {town.east_street.path: 1}
