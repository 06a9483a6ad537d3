"""Checking in (签到): with the code in the room, by one's own code, on paper, and from a device that had no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import By, CourseRun, CourseSession, Seating, cancel_session, move_session
from models.courses.attendance import (
    Attendance,
    AttendanceState,
    BatchVerdict,
    LeaveReason,
    Mark,
    MarkVerdict,
    RecordedHow,
    Recorder,
    RoomScreen,
    Seen,
    ask_leave,
    check_in,
    check_in_by_scan,
    close_screen,
    code_now,
    excuse_all,
    forget_events,
    how_many_are_here,
    link_token,
    mark_sheet,
    open_screen,
    own_code_of,
    screen_behind,
    sheet_of,
    take_batch,
    take_leave_back,
    tally_of,
)
from models.errors import Refusal
from models.journal import JournalEntry
from models.policies import set_policy
from models.regions import Region
from models.residents import Resident
from tests.people import FIRST_EVENING, Person, Town

MINUTE = timedelta(minutes=1)
WHY = By("老师出差")
DESK = Recorder(identity="staff:desk")


@pytest.fixture
def run(town: Town) -> CourseRun:
    """Two evenings of one class, in which the resident, the elder and the child have a seat, and the neighbour waits."""
    run = town.a_run(capacity=3, evenings=2)
    town.resident.tap(run)
    town.helper.tap(run, for_whom=town.elder)
    town.guardian.tap(run, for_whom=town.child)
    town.neighbour.tap(run)
    return run


def digits_of(run: CourseRun, evening: int = 0) -> str:
    """What the screen shows now; it is opened if it is not."""
    with transaction() as session:
        return code_now(open_screen(session, meeting_of(session, run, evening), by=DESK)).digits


def meeting_of(session: Session, run: CourseRun, evening: int = 0) -> CourseSession:
    """One evening, in this session."""
    return session.get_one(CourseSession, run.sessions[evening].id)


def comes(run: CourseRun, who: Person, digits: str, *, evening: int = 0) -> None:
    """Somebody enters digits for an evening."""
    with transaction() as session:
        check_in(
            session,
            meeting_of(session, run, evening),
            session.get_one(Resident, who.resident_id),
            digits=digits,
            by=Recorder(who.account_id, "resident"),
        )


def scans(run: CourseRun, who: Person, *, evening: int = 0, code: str | None = None) -> None:
    """Staff scan somebody's code, a fresh one unless it is given."""
    with transaction() as session:
        shown = code or own_code_of(session.get_one(Resident, who.resident_id)).code
        check_in_by_scan(session, meeting_of(session, run, evening), shown, by=DESK)


def tells(run: CourseRun, items: Sequence[Seen], *, evening: int = 0) -> list[BatchVerdict]:
    """A device tells what it saw."""
    with transaction() as session:
        return take_batch(session, meeting_of(session, run, evening), items, by=DESK)


def marks(run: CourseRun, *lines: Mark, may_correct: bool = False) -> list[MarkVerdict]:
    """Staff copy a paper list."""
    with transaction() as session:
        return mark_sheet(session, meeting_of(session, run), lines, may_correct=may_correct, by=DESK)


def states(run: CourseRun, evening: int = 0) -> dict[str, str | None]:
    """What the sheet of an evening says, by name."""
    with reading() as session:
        return {
            line.registration.resident.name or "": line.attendance.state.value if line.attendance else None
            for line in sheet_of(session, meeting_of(session, run, evening))
        }


def record(run: CourseRun, who: Person) -> Attendance:
    """What is written of somebody."""
    with reading() as session:
        return session.scalars(
            select(Attendance)
            .join(Attendance.registration)
            .where(Attendance.session_id == run.sessions[0].id)
            .where(Attendance.registration.has(resident_id=who.resident_id))
        ).one()


def key_of(town: Town, run: CourseRun, who: Person) -> str:
    """The key of somebody's registration."""
    return next(one.key for one in town.registrations(run) if one.resident_id == who.resident_id)


@contextmanager
def refused(code: str) -> Iterator[None]:
    """The town says no with this code."""
    with pytest.raises(Refusal) as caught:
        yield
    assert caught.value.code == code


# --- the code in the room -----------------------------------------------------------------------------------------


def test_the_digits_on_the_screen_check_in_who_is_there(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING - 10 * MINUTE)
    comes(run, town.resident, digits_of(run))
    assert states(run) == {"陈静": "present", "王奶奶": None, "李小雨": None}
    assert (record(run, town.resident).how, record(run, town.resident).at) == (
        RecordedHow.ROOM_CODE,
        FIRST_EVENING - 10 * MINUTE,
    )
    comes(run, town.resident, digits_of(run))
    with reading() as session:
        acts = session.scalars(select(JournalEntry.act).where(JournalEntry.act.like("attendance%"))).all()
    assert acts == ["attendance.recorded"]


@pytest.mark.parametrize(
    ("minutes", "state"), [(-30, "present"), (0, "present"), (4, "present"), (5, "late"), (14, "late")]
)
def test_five_minutes_after_the_start_one_is_late(
    town: Town, run: CourseRun, clock: StoppedClock, minutes: int, state: str
) -> None:
    clock.move_to(FIRST_EVENING + minutes * MINUTE)
    comes(run, town.resident, digits_of(run))
    assert states(run)["陈静"] == state


@pytest.mark.parametrize(
    ("minutes", "code"), [(-31, "check_in_not_open"), (15, "check_in_closed"), (24 * 60, "check_in_closed")]
)
def test_before_and_after_its_time_the_code_is_not_taken(
    town: Town, run: CourseRun, clock: StoppedClock, minutes: int, code: str
) -> None:
    clock.move_to(FIRST_EVENING)
    digits_of(run)
    clock.move_to(FIRST_EVENING + minutes * MINUTE)
    with refused(code):
        comes(run, town.resident, "000000")


def test_a_community_may_give_more_time(town: Town, run: CourseRun, clock: StoppedClock) -> None:
    with transaction() as session:
        place = session.get_one(Region, town.wutong.id)
        set_policy(session, place, "check_in_before_minutes", "60")
        set_policy(session, place, "late_after_minutes", "15")
    clock.move_to(FIRST_EVENING - 45 * MINUTE)
    comes(run, town.resident, digits_of(run))
    clock.move_to(FIRST_EVENING + 14 * MINUTE)
    comes(run, town.elder, digits_of(run))
    assert states(run) == {"陈静": "present", "王奶奶": "present", "李小雨": None}


def test_a_code_is_good_for_its_half_minute_and_the_next(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING)
    digits = digits_of(run)
    clock.advance(seconds=59)
    comes(run, town.resident, digits)
    clock.advance(seconds=1)
    with refused("room_code_wrong"):
        comes(run, town.elder, digits)


def test_the_code_of_one_evening_checks_nobody_into_another(town: Town, clock: StoppedClock) -> None:
    mornings = [town.a_run() for _ in range(2)]
    for run in mornings:
        town.resident.tap(run)
    with transaction() as session:  # at once, in two rooms
        later = session.get_one(CourseSession, mornings[1].sessions[0].id)
        move_session(
            session,
            later,
            starts_at=FIRST_EVENING + MINUTE,
            ends_at=FIRST_EVENING + 90 * MINUTE,
            venue=later.venue,
            by=By("老师改时间"),
            even_so=True,
        )
    clock.move_to(FIRST_EVENING)
    first, second = (digits_of(run) for run in mornings)
    if first == second:
        clock.advance(seconds=30)  # one time in a million
        first, second = (digits_of(run) for run in mornings)
    with refused("room_code_wrong"):
        comes(mornings[0], town.resident, second)
    with refused("room_code_wrong"):
        comes(mornings[1], town.resident, first)
    comes(mornings[0], town.resident, first)
    assert states(mornings[1]) == {"陈静": None}


def test_without_a_screen_no_code_is_right(town: Town, run: CourseRun, clock: StoppedClock) -> None:
    clock.move_to(FIRST_EVENING)
    with refused("room_code_wrong"):
        comes(run, town.resident, "000000")


def test_who_waits_for_a_seat_or_never_asked_for_one_is_not_checked_in(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING)
    digits = digits_of(run)
    with refused("no_seat"):
        comes(run, town.neighbour, digits)
    with refused("not_registered"):
        comes(run, town.outsider, digits)
    with refused("no_seat"):
        scans(run, town.neighbour)
    with refused("not_registered"):
        scans(run, town.outsider)


def test_a_link_that_was_taken_back_or_forged_leads_nowhere_and_its_code_ends_with_it(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING)
    digits = digits_of(run)
    with transaction() as session:
        screen = open_screen(session, meeting_of(session, run), by=DESK)
        token = link_token(screen)
    with reading() as session:
        assert screen_behind(session, token).id == screen.id
        for forged in (token[:-1] + ("0" if token[-1] != "0" else "1"), "a" * 48, ""):
            with refused("screen_unknown"):
                screen_behind(session, forged)
    with transaction() as session:
        close_screen(session, meeting_of(session, run), by=DESK)
        close_screen(session, meeting_of(session, run), by=DESK)
    with reading() as session, refused("screen_unknown"):
        screen_behind(session, token)
    with refused("room_code_wrong"):
        comes(run, town.resident, digits)
    again = digits_of(run)
    comes(run, town.resident, again)
    with reading() as session:
        assert len(session.scalars(select(RoomScreen)).all()) == 2


def test_the_screen_is_one_however_often_it_is_opened_and_ends_after_the_class(
    run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING)
    assert digits_of(run) == digits_of(run)
    with transaction() as session:
        token = link_token(open_screen(session, meeting_of(session, run), by=DESK))
    clock.move_to(FIRST_EVENING + timedelta(hours=4))
    with reading() as session, refused("screen_unknown"):
        screen_behind(session, token)
    with refused("session_over"):
        digits_of(run)


# --- one's own code -----------------------------------------------------------------------------------------------


def test_staff_scan_a_code_and_it_says_whose_it_is(town: Town, run: CourseRun, clock: StoppedClock) -> None:
    clock.move_to(FIRST_EVENING + 20 * MINUTE)
    scans(run, town.elder)
    scans(run, town.elder)
    assert states(run)["王奶奶"] == "late"
    assert record(run, town.elder).how is RecordedHow.STAFF_SCAN
    clock.move_to(FIRST_EVENING + 90 * MINUTE)
    with refused("session_over"):
        scans(run, town.resident)


def test_a_code_that_is_too_old_or_not_ours_checks_nobody_in(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING)
    with reading() as session:
        code = own_code_of(session.get_one(Resident, town.resident.resident_id)).code
    named, _, signature = code.rpartition(".")
    key, _, until = named.partition(".")
    for wrong in (
        f"{named}.{'0' * 20}",
        f"{key}.{int(until) + 600}.{signature}",
        f"{town.elder.key}.{until}.{signature}",
        "nonsense",
    ):
        with refused("own_code_invalid"):
            scans(run, town.resident, code=wrong)
    clock.advance(minutes=8)
    with refused("own_code_invalid"):
        scans(run, town.resident, code=code)


def test_one_code_scanned_in_another_room_does_not_count_there(town: Town, clock: StoppedClock) -> None:
    theirs, other = town.a_run(), town.a_run(starts_at=FIRST_EVENING)
    town.resident.tap(theirs)
    clock.move_to(FIRST_EVENING)
    with refused("not_registered"):
        scans(other, town.resident)
    scans(theirs, town.resident)
    assert states(theirs) == {"陈静": "present"}


# --- paper --------------------------------------------------------------------------------------------------------


def test_a_paper_list_is_copied_line_by_line(town: Town, run: CourseRun, clock: StoppedClock) -> None:
    clock.move_to(FIRST_EVENING + 5 * timedelta(hours=1))
    lines = [
        Mark(key_of(town, run, town.resident), AttendanceState.PRESENT),
        Mark(key_of(town, run, town.elder), AttendanceState.ABSENT),
        Mark(key_of(town, run, town.neighbour), AttendanceState.PRESENT),  # waits for a seat
        Mark("a" * 16, AttendanceState.PRESENT),
        Mark(key_of(town, run, town.child), AttendanceState.LATE),
    ]
    assert [verdict.value for verdict in marks(run, *lines)] == [
        "recorded",
        "recorded",
        "not_of_this_session",
        "not_of_this_session",
        "recorded",
    ]
    assert states(run) == {"陈静": "present", "王奶奶": "absent", "李小雨": "late"}
    assert set(marks(run, *lines[:2])) == {MarkVerdict.UNCHANGED}


def test_a_registration_of_another_class_is_no_line_of_this_one(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    other = town.a_run()
    town.outsider.tap(other)
    clock.move_to(FIRST_EVENING)
    assert marks(run, Mark(key_of(town, other, town.outsider), AttendanceState.PRESENT)) == [
        MarkVerdict.NOT_OF_THIS_SESSION
    ]
    assert states(other) == {"赵敏": None}


def test_after_the_day_only_an_administrator_corrects_and_says_why(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    """E14: the day is the town's, not the server's."""
    key = key_of(town, run, town.resident)
    clock.move_to(FIRST_EVENING)
    marks(run, Mark(key, AttendanceState.ABSENT))
    clock.move_to(datetime(2026, 12, 4, 0, 0, tzinfo=town_clock.TOWN_ZONE))
    with refused("sheet_closed"):
        marks(run, Mark(key, AttendanceState.PRESENT, "他在，漏记了"))
    assert marks(run, Mark(key, AttendanceState.PRESENT), may_correct=True) == [MarkVerdict.BECAUSE_NEEDED]
    assert marks(run, Mark(key, AttendanceState.PRESENT, "他在，漏记了"), may_correct=True) == [
        MarkVerdict.RECORDED
    ]
    assert states(run)["陈静"] == "present"
    with reading() as session:
        entry = session.scalars(select(JournalEntry).where(JournalEntry.act == "attendance.changed")).one()
    assert entry.details is not None
    assert (entry.details["was"], entry.details["state"]) == ("absent", "present")
    assert "because" not in entry.details, "the journal is never struck, and words may name somebody"
    assert record(run, town.resident).because == "他在，漏记了"


def test_nobody_writes_down_what_is_yet_to_come(town: Town, run: CourseRun, clock: StoppedClock) -> None:
    clock.move_to(FIRST_EVENING - 31 * MINUTE)
    with refused("check_in_not_open"):
        marks(run, Mark(key_of(town, run, town.resident), AttendanceState.PRESENT))


def test_what_staff_wrote_by_hand_stays_when_a_code_comes_after_it(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING)
    marks(run, Mark(key_of(town, run, town.resident), AttendanceState.ABSENT))
    comes(run, town.resident, digits_of(run))
    assert states(run)["陈静"] == "absent"


# --- without a network --------------------------------------------------------------------------------------------


def seen(event: str, who: str, minutes: int = 0) -> Seen:
    """A line of the roster that was ticked."""
    return Seen(event, FIRST_EVENING + minutes * MINUTE, registration_key=who)


def test_a_batch_is_judged_by_when_it_was_seen_item_by_item(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    other = town.a_run()
    town.outsider.tap(other)
    clock.move_to(FIRST_EVENING - 5 * MINUTE)
    with reading() as session:
        code = own_code_of(session.get_one(Resident, town.child.resident_id)).code
    clock.move_to(FIRST_EVENING + timedelta(days=1))
    items = [
        seen("1", key_of(town, run, town.resident), -10),
        seen("2", key_of(town, run, town.elder), 20),
        Seen("3", FIRST_EVENING - 4 * MINUTE, code=code),
        Seen("4", FIRST_EVENING + 20 * MINUTE, code=code),  # the code was too old by then
        seen("5", key_of(town, other, town.outsider)),
        seen("6", key_of(town, run, town.neighbour)),
        seen("7", key_of(town, run, town.resident), -31),
        seen("8", key_of(town, run, town.resident), 90),
        seen("9", key_of(town, run, town.resident), -5),
    ]
    assert [verdict.value for verdict in tells(run, items)] == [
        "accepted",
        "accepted",
        "accepted",
        "unknown",
        "not_of_this_session",
        "not_of_this_session",
        "out_of_window",
        "out_of_window",
        "already",
    ]
    assert states(run) == {"陈静": "present", "王奶奶": "late", "李小雨": "present"}


def test_a_batch_told_again_changes_nothing_and_is_answered_the_same(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING + timedelta(hours=3))
    items = [seen("1", key_of(town, run, town.resident), 10), seen("2", "a" * 16)]
    first = tells(run, items)
    was = record(run, town.resident).at
    assert tells(run, items[::-1]) == first[::-1]
    changed = [
        seen("1", key_of(town, run, town.resident), -10),
        seen("3", key_of(town, run, town.resident), 20),
    ]
    assert tells(run, changed) == [first[0], BatchVerdict.ALREADY]
    assert states(run) == {"陈静": "late", "王奶奶": None, "李小雨": None}
    assert record(run, town.resident).at == was


def test_two_devices_that_count_alike_lose_nobody(town: Town, run: CourseRun, clock: StoppedClock) -> None:
    clock.move_to(FIRST_EVENING + timedelta(hours=3))
    assert tells(run, [seen("1", key_of(town, run, town.resident))]) == [BatchVerdict.ACCEPTED]
    assert tells(run, [seen("1", key_of(town, run, town.elder))]) == [BatchVerdict.EVENT_TAKEN]
    assert states(run)["王奶奶"] is None
    assert tells(run, [seen("elder-1", key_of(town, run, town.elder))]) == [BatchVerdict.ACCEPTED]
    assert tells(run, [seen("1", key_of(town, run, town.resident))]) == [BatchVerdict.ACCEPTED]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_in_whatever_order_it_is_told_the_first_moment_counts(
    town: Town, run: CourseRun, clock: StoppedClock, order: tuple[int, ...]
) -> None:
    clock.move_to(FIRST_EVENING + timedelta(hours=3))
    items = [seen(str(n), key_of(town, run, town.resident), minutes) for n, minutes in enumerate((20, -5, 7))]
    for place in order:
        tells(run, [items[place]])
    assert states(run)["陈静"] == "present"
    assert record(run, town.resident).at == FIRST_EVENING - 5 * MINUTE


def test_a_code_was_seen_by_no_device_before_it_was_made(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    """Else whoever came late could be told of as having been there in time. A device's clock may differ by two minutes."""
    clock.move_to(FIRST_EVENING + 10 * MINUTE)
    with reading() as session:
        code = own_code_of(session.get_one(Resident, town.resident.resident_id)).code
    clock.advance(hours=2)
    earlier = [Seen(str(minutes), FIRST_EVENING + minutes * MINUTE, code=code) for minutes in (7, 17, 8)]
    assert [verdict.value for verdict in tells(run, earlier)] == ["unknown", "unknown", "accepted"]


def test_a_device_is_heard_for_a_week_and_what_comes_later_is_a_correction(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    items = [seen("1", key_of(town, run, town.resident))]
    clock.move_to(FIRST_EVENING + 90 * MINUTE + timedelta(days=7))
    with refused("session_over"):
        tells(run, items)
    clock.advance(seconds=-1)
    assert tells(run, items) == [BatchVerdict.ACCEPTED]


def test_a_device_whose_clock_runs_ahead_is_not_believed(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    """E36: only the server's clock decides."""
    clock.move_to(FIRST_EVENING)
    assert tells(run, [seen("1", key_of(town, run, town.resident), 30)]) == [BatchVerdict.OUT_OF_WINDOW]


def test_the_names_of_what_was_told_are_kept_for_ninety_days(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING)
    tells(run, [seen("1", key_of(town, run, town.resident))])
    clock.advance(days=89)
    with transaction() as session:
        assert forget_events(session, town_clock.now()) == 0
    clock.advance(days=2)
    with transaction() as session:
        assert forget_events(session, town_clock.now()) == 1


# --- leave --------------------------------------------------------------------------------------------------------


def asks_leave(run: CourseRun, who: Person, reason: LeaveReason | None = None) -> None:
    """Somebody says beforehand that they do not come."""
    with transaction() as session:
        ask_leave(
            session,
            meeting_of(session, run),
            session.get_one(Resident, who.resident_id),
            reason=reason,
            by=Recorder(who.account_id, "resident"),
        )


def comes_after_all(run: CourseRun, who: Person) -> None:
    """Somebody takes their leave back."""
    with transaction() as session:
        take_leave_back(
            session,
            meeting_of(session, run),
            session.get_one(Resident, who.resident_id),
            by=Recorder(who.account_id, "resident"),
        )


def test_whoever_cannot_come_says_so_until_two_hours_before(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING - 121 * MINUTE)
    asks_leave(run, town.resident, LeaveReason.UNWELL)
    asks_leave(run, town.resident, LeaveReason.UNWELL)
    assert states(run)["陈静"] == "leave"
    assert record(run, town.resident).reason is LeaveReason.UNWELL
    clock.advance(minutes=1)
    with refused("leave_too_late"):
        asks_leave(run, town.elder)
    with refused("leave_too_late"):
        comes_after_all(run, town.resident)


def test_nobody_is_missing_before_the_class_begins(town: Town, run: CourseRun, clock: StoppedClock) -> None:
    line = Mark(key_of(town, run, town.resident), AttendanceState.ABSENT)
    clock.move_to(FIRST_EVENING - timedelta(seconds=1))
    assert marks(run, line) == [MarkVerdict.NOT_BEGUN]
    assert states(run)["陈静"] is None
    clock.move_to(FIRST_EVENING)
    assert marks(run, line) == [MarkVerdict.RECORDED]


def test_leave_can_be_taken_back_and_nothing_is_left_of_it(town: Town, run: CourseRun) -> None:
    asks_leave(run, town.resident)
    comes_after_all(run, town.resident)
    comes_after_all(run, town.resident)
    assert states(run)["陈静"] is None


def test_whoever_comes_all_the_same_is_there(town: Town, run: CourseRun, clock: StoppedClock) -> None:
    asks_leave(run, town.resident)
    clock.move_to(FIRST_EVENING)
    comes(run, town.resident, digits_of(run))
    assert (states(run)["陈静"], record(run, town.resident).reason) == ("present", None)


def test_leave_is_for_who_has_a_seat(town: Town, run: CourseRun) -> None:
    with refused("no_seat"):
        asks_leave(run, town.neighbour)
    with refused("not_registered"):
        asks_leave(run, town.outsider)


def test_leave_is_no_way_around_what_is_written_already(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "leave_before_hours", "0")
    clock.move_to(FIRST_EVENING - 20 * MINUTE)
    comes(run, town.resident, digits_of(run))
    with refused("already_recorded"):
        asks_leave(run, town.resident)
    marks(run, Mark(key_of(town, run, town.elder), AttendanceState.LEAVE))
    comes_after_all(run, town.elder)
    assert states(run) == {"陈静": "present", "王奶奶": "leave", "李小雨": None}, "what staff wrote stays"


def test_who_has_a_seat_again_is_seen_in_it_and_not_in_the_one_given_up(
    town: Town, clock: StoppedClock
) -> None:
    run = town.a_run()
    town.resident.tap(run)
    asks_leave(run, town.resident)
    town.resident.give_up(run)
    town.resident.tap(run)
    clock.move_to(FIRST_EVENING)
    with reading() as session:
        code = own_code_of(session.get_one(Resident, town.resident.resident_id)).code
    assert tells(run, [Seen("1", FIRST_EVENING, code=code)]) == [BatchVerdict.ACCEPTED]
    with reading() as session:
        lines = sheet_of(session, meeting_of(session, run))
    assert [(line.registration.state.value, line.state and line.state.value) for line in lines] == [
        ("cancelled", "leave"),
        ("confirmed", "present"),
    ]


def test_leave_stays_when_the_evening_moves(town: Town, run: CourseRun) -> None:
    asks_leave(run, town.resident)
    with transaction() as session:
        meeting = meeting_of(session, run)
        later = timedelta(days=1)
        move_session(
            session,
            meeting,
            starts_at=meeting.starts_at + later,
            ends_at=meeting.ends_at + later,
            venue=meeting.venue,
            by=WHY,
        )
    assert states(run)["陈静"] == "leave"


# --- an evening that changes --------------------------------------------------------------------------------------


def test_whoever_had_checked_in_to_an_evening_that_moves_checks_in_again(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING - 10 * MINUTE)
    comes(run, town.resident, digits_of(run))
    with transaction() as session:
        meeting = meeting_of(session, run)
        move_session(
            session,
            meeting,
            starts_at=FIRST_EVENING + timedelta(days=1),
            ends_at=FIRST_EVENING + timedelta(days=1, minutes=90),
            venue=meeting.venue,
            by=WHY,
        )
    assert states(run)["陈静"] is None
    with refused("check_in_not_open"):
        comes(run, town.resident, digits_of(run))
    clock.advance(days=1)
    comes(run, town.resident, digits_of(run))
    assert states(run)["陈静"] == "present"


def test_what_staff_wrote_of_an_evening_that_moves_is_written_anew(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING - 10 * MINUTE)
    said = {
        town.resident: AttendanceState.PRESENT,
        town.elder: AttendanceState.LATE,
        town.child: AttendanceState.LEAVE,
    }
    marks(run, *(Mark(key_of(town, run, who), state) for who, state in said.items()))
    with transaction() as session:
        excuse_all(session, meeting_of(session, run), because="停电", by=DESK)
    with transaction() as session:
        meeting = meeting_of(session, run)
        later = timedelta(days=1)
        move_session(
            session,
            meeting,
            starts_at=meeting.starts_at + later,
            ends_at=meeting.ends_at + later,
            venue=meeting.venue,
            by=WHY,
        )
    assert states(run) == {"陈静": None, "王奶奶": None, "李小雨": "leave"}
    with reading() as session:
        assert meeting_of(session, run).absences_noted_at is None, "the other evening is noted in its turn"


def test_nobody_checks_in_to_an_evening_that_is_off(town: Town, run: CourseRun, clock: StoppedClock) -> None:
    clock.move_to(FIRST_EVENING - 10 * MINUTE)
    digits = digits_of(run)
    comes(run, town.resident, digits)
    with transaction() as session:
        cancel_session(session, meeting_of(session, run), by=WHY)
    with refused("session_not_held"):
        comes(run, town.elder, digits)
    with refused("session_not_held"):
        scans(run, town.elder)
    with refused("session_not_held"):
        tells(run, [seen("1", key_of(town, run, town.elder))])
    with refused("session_not_held"):
        marks(run, Mark(key_of(town, run, town.elder), AttendanceState.PRESENT))
    with reading() as session:
        assert how_many_are_here(session, meeting_of(session, run)) == 0


# --- what is counted ----------------------------------------------------------------------------------------------


def test_who_brings_companions_is_here_with_all_of_them(town: Town, clock: StoppedClock) -> None:
    run = town.a_run(seating=Seating(most_companions=2))
    town.resident.tap(run, companions=2)
    clock.move_to(run.starts_at)
    comes(run, town.resident, digits_of(run))
    with reading() as session:
        assert how_many_are_here(session, meeting_of(session, run)) == 3


def test_a_run_is_counted_by_the_evenings_that_are_over(
    town: Town, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING)
    comes(run, town.resident, digits_of(run))
    with reading() as session:
        assert (how_many_are_here(session, meeting_of(session, run)), tally_of(session, run).held) == (1, 0)
    clock.move_to(FIRST_EVENING + timedelta(weeks=1, hours=2))
    with reading() as session:
        counted = tally_of(session, run)
    theirs = counted.of(town.registrations(run)[0].id)
    assert (counted.held, counted.recorded) == (2, 1)
    assert (theirs.came, theirs.time_there) == (1, 90 * MINUTE)
    assert counted.of(town.registrations(run)[1].id).came == 0
