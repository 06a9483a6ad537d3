"""Absences, with mercy: what is noted, what it comes to, who never pays for it, and how it is forgiven."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import By, CourseRun, CourseSession, Registration, cancel_session
from models.courses.attendance import (
    AbsenceAppeal,
    AppealState,
    Attendance,
    AttendanceState,
    BatchVerdict,
    LeaveReason,
    Mark,
    MarkVerdict,
    Recorder,
    Seen,
    appeal,
    ask_leave,
    count_appeals,
    count_unrecorded,
    decide_appeal,
    end_pauses,
    evenings_to_note,
    excuse_all,
    forget_appeals,
    lift_pause,
    mark_sheet,
    misses_of,
    relieve,
    take_batch,
)
from models.courses.pauses import Pause, PauseEnd, paused_until
from models.departures import close_account, what_closing_means
from models.errors import Refusal
from models.notices import Notice, NoticeKind
from models.policies import set_policy
from models.regions import Region
from models.residents import Resident, bonds_over, end_bond
from models.truth import still_true
from server.jobs.attendance import note_absences as note_all
from tests.people import FIRST_EVENING, Person, Town, a_bond

HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)
DESK = Recorder(identity="staff:desk")


@contextmanager
def refused(code: str) -> Iterator[None]:
    """The town says no with this code."""
    with pytest.raises(Refusal) as caught:
        yield
    assert caught.value.code == code


def key_of(town: Town, run: CourseRun, who: Person) -> str:
    return next(one.key for one in town.registrations(run) if one.resident_id == who.resident_id)


def held(
    town: Town, clock: StoppedClock, run: CourseRun, here: Sequence[Person], *, evening: int = 0
) -> None:
    """An evening at which staff ticked who was there, and the hour after it."""
    meeting = run.sessions[evening]
    clock.move_to(meeting.starts_at)
    lines = [Mark(key_of(town, run, who), AttendanceState.PRESENT) for who in here]
    with transaction() as session:
        mark_sheet(session, session.get_one(CourseSession, meeting.id), lines, may_correct=False, by=DESK)
    clock.move_to(meeting.ends_at + HOUR)
    note_all(town_clock.now())


def missed(town: Town, clock: StoppedClock, *who: Person, times: int, first: int = 0) -> list[CourseRun]:
    """So many one-evening classes, one a week, that these people did not come to; the neighbour always does."""
    runs = []
    for n in range(first, first + times):
        run = town.a_run(starts_at=FIRST_EVENING + n * WEEK)
        town.neighbour.tap(run)
        for one in who:
            one.tap(run)
        runs.append(run)
    for run in runs:
        held(town, clock, run, [town.neighbour])
    return runs


def state_of(town: Town, run: CourseRun, who: Person, evening: int = 0) -> str | None:
    with reading() as session:
        row = session.scalar(
            select(Attendance)
            .join(Attendance.registration)
            .where(
                Attendance.session_id == run.sessions[evening].id,
                Attendance.registration.has(resident_id=who.resident_id),
            )
        )
        return row.state.value if row else None


def told(kind: NoticeKind) -> list[Notice]:
    with reading() as session:
        return list(session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id)))


def is_paused(who: Person) -> bool:
    with reading() as session:
        return who.resident_id in paused_until(session, [who.resident_id], town_clock.now())


def misses(who: Person) -> float:
    with reading() as session:
        return misses_of(session, session.get_one(Resident, who.resident_id)).count


def put(place: Region, name: str, value: str) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, place.id), name, value)


def excuses(town: Town, run: CourseRun, who: Person) -> None:
    key = key_of(town, run, who)
    with transaction() as session:
        mark_sheet(
            session,
            session.get_one(CourseSession, run.sessions[0].id),
            [Mark(key, AttendanceState.EXCUSED, "生病住院")],
            may_correct=False,
            by=DESK,
        )


# --- noting -------------------------------------------------------------------------------------------------------


def test_an_hour_after_the_class_whoever_neither_came_nor_had_leave_is_noted_and_told(
    town: Town, clock: StoppedClock
) -> None:
    run = town.a_run(evenings=2)
    for person in (town.resident, town.neighbour, town.guardian):
        person.tap(run)
    with transaction() as session:
        ask_leave(
            session,
            session.get_one(CourseSession, run.sessions[0].id),
            session.get_one(Resident, town.guardian.resident_id),
            reason=LeaveReason.WORK,
            by=Recorder(town.guardian.account_id, "resident"),
        )
    held(town, clock, run, [town.neighbour])
    assert [state_of(town, run, who) for who in (town.resident, town.neighbour, town.guardian)] == [
        "absent",
        "present",
        "leave",
    ]
    (notice,) = told(NoticeKind.ABSENCE_NOTED)
    assert notice.account_id == town.resident.account_id
    assert "申诉" in notice.body
    assert note_all(town_clock.now()) == 0
    assert len(told(NoticeKind.ABSENCE_NOTED)) == 1


def test_before_the_hour_is_over_nothing_is_noted(town: Town, clock: StoppedClock) -> None:
    run = town.a_run()
    town.resident.tap(run)
    clock.move_to(run.sessions[0].ends_at + HOUR - timedelta(seconds=1))
    with reading() as session:
        assert evenings_to_note(session, town_clock.now(), most=10) == []


def test_an_evening_nobody_recorded_counts_for_nobody_and_lies_on_the_desk_for_a_week(
    town: Town, clock: StoppedClock
) -> None:
    run = town.a_run()
    town.resident.tap(run)
    clock.move_to(run.sessions[0].ends_at + HOUR)
    note_all(town_clock.now())
    assert state_of(town, run, town.resident) is None
    with reading() as session:
        assert count_unrecorded(session, town_clock.now()) == {town.wutong.path: 1}
    clock.advance(days=7)
    note_all(town_clock.now())
    assert state_of(town, run, town.resident) is None
    with reading() as session:
        assert count_unrecorded(session, town_clock.now()) == {}


def test_an_evening_that_was_called_off_counts_for_nobody(town: Town, clock: StoppedClock) -> None:
    run = town.a_run(evenings=2)
    town.resident.tap(run)
    with transaction() as session:
        cancel_session(session, session.get_one(CourseSession, run.sessions[0].id), by=By("停电"))
    clock.move_to(run.sessions[0].ends_at + HOUR)
    note_all(town_clock.now())
    with reading() as session:
        assert count_unrecorded(session, town_clock.now()) == {}
        assert not session.scalars(select(Attendance)).all()


def test_whoever_was_given_a_seat_while_the_class_was_on_missed_nothing_of_it(
    town: Town, clock: StoppedClock
) -> None:
    run = town.a_run()
    for person in (town.resident, town.neighbour):
        person.tap(run)
    with transaction() as session:
        later = update(Registration).where(Registration.resident_id == town.resident.resident_id)
        session.execute(later.values(confirmed_at=FIRST_EVENING + timedelta(minutes=1)))
    held(town, clock, run, [town.neighbour])
    assert state_of(town, run, town.resident) is None


def test_a_class_nobody_registered_for_is_not_asked_about(town: Town, clock: StoppedClock) -> None:
    run = town.a_run()
    clock.move_to(run.sessions[0].ends_at + HOUR)
    with reading() as session:
        assert count_unrecorded(session, town_clock.now()) == {}


def test_whoever_is_seen_to_have_come_after_all_was_not_absent_and_is_not_told_so(
    town: Town, clock: StoppedClock
) -> None:
    (run,) = missed(town, clock, town.resident, times=1)
    key = key_of(town, run, town.resident)
    with transaction() as session:
        take_batch(
            session,
            session.get_one(CourseSession, run.sessions[0].id),
            [Seen("pad:1", run.sessions[0].starts_at, registration_key=key)],
            by=DESK,
        )
    assert state_of(town, run, town.resident) == "present"
    assert misses(town.resident) == 0
    with reading() as session:
        assert not still_true(session, told(NoticeKind.ABSENCE_NOTED))


# --- what it comes to ---------------------------------------------------------------------------------------------


def test_three_absences_in_ninety_days_pause_registering_for_thirty(town: Town, clock: StoppedClock) -> None:
    missed(town, clock, town.resident, times=2)
    assert not is_paused(town.resident)
    missed(town, clock, town.resident, times=1, first=2)
    assert is_paused(town.resident)
    (notice,) = told(NoticeKind.REGISTERING_PAUSED)
    assert notice.account_id == town.resident.account_id
    with reading() as session:
        pause = session.scalars(select(Pause)).one()
        assert still_true(session, [notice]) == {notice.id}
    assert pause.until - pause.starts_at == timedelta(days=30)
    assert not is_paused(town.neighbour)


def test_absences_are_forgotten_after_ninety_days(town: Town, clock: StoppedClock) -> None:
    missed(town, clock, town.resident, times=2)
    assert misses(town.resident) == 2
    clock.move_to(FIRST_EVENING + timedelta(days=91))
    assert misses(town.resident) == 1
    clock.advance(days=7)
    assert misses(town.resident) == 0


def test_a_seat_given_up_late_counts_a_half(town: Town, clock: StoppedClock) -> None:
    run = town.a_run()
    town.resident.tap(run)
    clock.move_to(FIRST_EVENING - HOUR)
    town.resident.give_up(run)
    assert misses(town.resident) == 0.5
    missed(town, clock, town.resident, times=2, first=1)
    assert misses(town.resident) == 2.5
    assert not is_paused(town.resident)


def test_two_misses_in_one_run_give_the_seat_up(town: Town, clock: StoppedClock) -> None:
    run = town.a_run(evenings=4, capacity=2)
    town.resident.tap(run)
    town.neighbour.tap(run)
    held(town, clock, run, [town.neighbour], evening=0)
    assert town.states(run) == ["confirmed", "confirmed"]
    held(town, clock, run, [town.neighbour], evening=1)
    registration = town.registrations(run)[0]
    assert (registration.state.value, registration.cancelled_by) == ("cancelled", "absence")
    assert town.now(run).seats_taken == 1
    last = told(NoticeKind.ABSENCE_NOTED)[-1]
    assert "名额" in last.body
    with reading() as session:
        assert last.id in still_true(session, [last])
    held(town, clock, run, [town.neighbour], evening=2)
    assert state_of(town, run, town.resident, evening=2) is None


def test_after_the_last_evening_no_seat_is_taken_back(town: Town, clock: StoppedClock) -> None:
    run = town.a_run(evenings=2)
    for person in (town.resident, town.neighbour):
        person.tap(run)
    for evening in range(2):
        held(town, clock, run, [town.neighbour], evening=evening)
    assert town.states(run) == ["confirmed", "confirmed"]
    assert "名额" not in told(NoticeKind.ABSENCE_NOTED)[-1].body


def test_what_somebody_under_eighteen_missed_counts_for_nobody(town: Town, clock: StoppedClock) -> None:
    missed(town, clock, town.resident, times=2)
    assert misses(town.resident) == 2
    for birth_year, count in ((2009, 0), (2008, 2)):
        with transaction() as session:
            session.get_one(Resident, town.resident.resident_id).birth_year = birth_year
        assert misses(town.resident) == count


def test_children_and_elders_never_pay_for_whoever_registered_them(town: Town, clock: StoppedClock) -> None:
    runs = [
        town.a_run(starts_at=FIRST_EVENING + n * (WEEK + timedelta(hours=2)), evenings=3) for n in range(2)
    ]
    for run in runs:
        town.neighbour.tap(run)
        town.helper.tap(run, for_whom=town.elder)
        town.guardian.tap(run, for_whom=town.child)
    for evening in range(3):
        held(town, clock, runs[0], [town.neighbour], evening=evening)
    assert [state_of(town, runs[0], town.elder, evening=n) for n in range(3)] == ["absent"] * 3
    for person in (town.elder, town.child, town.helper, town.guardian):
        assert (misses(person), is_paused(person)) == (0, False)
    assert town.states(runs[0]) == ["confirmed"] * 3, "nobody's seat is taken for it either"
    assert {notice.account_id for notice in told(NoticeKind.ABSENCE_NOTED)} == {
        town.helper.account_id,
        town.guardian.account_id,
    }
    assert all("不影响报名" in notice.body for notice in told(NoticeKind.ABSENCE_NOTED))


def test_a_community_decides_how_much_mercy(town: Town, clock: StoppedClock) -> None:
    put(town.wutong, "absences_to_pause", "1")
    put(town.wutong, "pause_days", "7")
    missed(town, clock, town.resident, times=1)
    with reading() as session:
        pause = session.scalars(select(Pause)).one()
    assert pause.until - pause.starts_at == timedelta(days=7)


def test_a_community_may_pause_nobody(town: Town, clock: StoppedClock) -> None:
    put(town.wutong, "pause_days", "0")
    missed(town, clock, town.resident, times=3)
    assert not is_paused(town.resident)
    assert told(NoticeKind.REGISTERING_PAUSED) == []


def test_a_pause_ends_by_itself_and_what_it_was_for_is_settled(town: Town, clock: StoppedClock) -> None:
    missed(town, clock, town.resident, times=3)
    clock.advance(days=30)
    assert not is_paused(town.resident)
    with transaction() as session:
        assert end_pauses(session, town_clock.now()) == 1
        assert end_pauses(session, town_clock.now()) == 0
    (notice,) = told(NoticeKind.PAUSE_LIFTED)
    with reading() as session:
        assert still_true(session, [notice]) == {notice.id}
        assert session.scalars(select(Pause.lifted_how)).one() is PauseEnd.TIME
    assert misses(town.resident) == 0


# --- mercy --------------------------------------------------------------------------------------------------------


def test_excusing_one_of_three_lifts_the_pause(town: Town, clock: StoppedClock) -> None:
    runs = missed(town, clock, town.resident, times=3)
    paused = told(NoticeKind.REGISTERING_PAUSED)
    excuses(town, runs[2], town.resident)
    assert not is_paused(town.resident)
    assert len(told(NoticeKind.PAUSE_LIFTED)) == 1
    with reading() as session:
        assert not still_true(session, paused)


def test_a_pause_that_was_excused_settles_nothing_and_the_next_absence_is_the_third_again(
    town: Town, clock: StoppedClock
) -> None:
    runs = missed(town, clock, town.resident, times=3)
    excuses(town, runs[2], town.resident)
    assert (misses(town.resident), is_paused(town.resident)) == (2, False)
    missed(town, clock, town.resident, times=1, first=3)
    assert is_paused(town.resident)
    with reading() as session:
        assert not still_true(session, told(NoticeKind.PAUSE_LIFTED)), "who is paused anew is not told so"


def appeals(run: CourseRun, who: Person, words: str = "那天孩子发烧") -> None:
    with transaction() as session:
        appeal(
            session,
            session.get_one(CourseSession, run.sessions[0].id),
            session.get_one(Resident, who.resident_id),
            words,
            by=Recorder(who.account_id, "resident"),
        )


def decides(grant: bool, by: Recorder = DESK) -> None:
    with transaction() as session:
        found = session.scalars(select(AbsenceAppeal)).one()
        decide_appeal(session, found, grant=grant, answer="情况属实" if grant else "请下次提前请假", by=by)


def test_an_appeal_that_is_granted_excuses_and_lifts(town: Town, clock: StoppedClock) -> None:
    runs = missed(town, clock, town.resident, times=3)
    appeals(runs[2], town.resident)
    appeals(runs[2], town.resident, "那天孩子发烧，在医院")
    with reading() as session:
        assert count_appeals(session, town_clock.now()) == {town.wutong.path: 1}
    with refused("own_content"):
        decides(True, Recorder(town.resident.account_id, "staff:x"))
    decides(True)
    decides(True)
    assert (state_of(town, runs[2], town.resident), is_paused(town.resident)) == ("excused", False)
    with refused("appeal_settled"):
        decides(False)
    with refused("appeal_decided"):
        appeals(runs[2], town.resident)
    with reading() as session:
        assert count_appeals(session, town_clock.now()) == {}


def test_an_appeal_that_is_declined_leaves_it(town: Town, clock: StoppedClock) -> None:
    runs = missed(town, clock, town.resident, times=3)
    appeals(runs[0], town.resident)  # two weeks ago, but the pause that stands on it began just now
    decides(False)
    assert (state_of(town, runs[0], town.resident), is_paused(town.resident)) == ("absent", True)
    clock.advance(days=181)
    with transaction() as session:
        assert forget_appeals(session, town_clock.now()) == 1
        assert session.scalars(select(AbsenceAppeal)).one().words is None


def test_what_somebody_appealed_and_was_answered_goes_with_them(town: Town, clock: StoppedClock) -> None:
    (run,) = missed(town, clock, town.resident, times=1)
    appeals(run, town.resident)
    decides(False)
    with transaction() as session:
        account = town.resident.account(session)
        close_account(session, account, seen=what_closing_means(session, account).fingerprint)
    with reading() as session:
        (made,) = session.scalars(select(AbsenceAppeal))
        assert (made.words, made.answer) == (None, "")


@pytest.mark.parametrize(
    ("grant", "said"), [(True, "已免计。这次不计次数"), (False, "维持原记录。请点开查看答复，有疑问联系社区")]
)
def test_whoever_appealed_is_told_once_what_came_of_it(
    town: Town, clock: StoppedClock, grant: bool, said: str
) -> None:
    (run,) = missed(town, clock, town.resident, times=1)
    appeals(run, town.resident)
    for _ in range(2):
        decides(grant)
    (notice,) = told(NoticeKind.APPEAL_DECIDED)
    assert (notice.account_id, notice.facts["learner"]) == (town.resident.account_id, "")
    assert notice.body.endswith(f"，{said}。")
    assert "请下次提前请假" not in str(notice.facts), "what staff type may name somebody"
    with reading() as session:
        assert still_true(session, [notice]) == {notice.id}


def test_who_appeals_for_somebody_is_told_whose_appeal_it_was(town: Town, clock: StoppedClock) -> None:
    run = town.a_run()
    town.neighbour.tap(run)
    town.helper.tap(run, for_whom=town.elder)
    held(town, clock, run, [town.neighbour])
    with transaction() as session:
        appeal(
            session,
            session.get_one(CourseSession, run.sessions[0].id),
            session.get_one(Resident, town.elder.resident_id),
            "老人住院",
            by=Recorder(town.helper.account_id, "resident"),
        )
    decides(False)
    (notice,) = told(NoticeKind.APPEAL_DECIDED)
    assert (notice.account_id, notice.facts["learner"]) == (town.helper.account_id, "王奶奶")


def test_who_may_act_for_somebody_no_longer_is_not_told_what_came_of_their_appeal(
    town: Town, clock: StoppedClock
) -> None:
    run = town.a_run()
    town.neighbour.tap(run)
    town.helper.tap(run, for_whom=town.elder)
    held(town, clock, run, [town.neighbour])
    with transaction() as session:
        meeting = session.get_one(CourseSession, run.sessions[0].id)
        elder, by = town.elder.resident(session), Recorder(town.helper.account_id, "resident")
        appeal(session, meeting, elder, "老人住院", by=by)
    with transaction() as session:
        (bond,) = bonds_over(session, town.elder.resident(session))
        end_bond(session, bond, by_account_id=None)
    decides(False)
    assert told(NoticeKind.APPEAL_DECIDED) == []


def test_an_absence_excused_after_all_is_not_told_as_upheld(town: Town, clock: StoppedClock) -> None:
    (run,) = missed(town, clock, town.resident, times=1)
    appeals(run, town.resident)
    decides(False)
    excuses(town, run, town.resident)
    with reading() as session:
        assert not still_true(session, told(NoticeKind.APPEAL_DECIDED))


def excuse_everybody_at(town: Town, run: CourseRun) -> None:
    with transaction() as session:
        excuse_all(session, session.get_one(CourseSession, run.sessions[0].id), because="台风停运", by=DESK)


def see_them_after_all(town: Town, run: CourseRun) -> None:
    key = key_of(town, run, town.resident)
    seen = Seen("pad:1", run.sessions[0].starts_at, registration_key=key)
    with transaction() as session:
        take_batch(session, session.get_one(CourseSession, run.sessions[0].id), [seen], by=DESK)


@pytest.mark.parametrize(
    "deed", [excuse_everybody_at, see_them_after_all, lambda town, run: excuses(town, run, town.resident)]
)
def test_whatever_excuses_an_absence_grants_the_appeal_that_waits_about_it(
    town: Town, clock: StoppedClock, deed: Callable[[Town, CourseRun], None]
) -> None:
    (run,) = missed(town, clock, town.resident, times=1)
    appeals(run, town.resident)
    deed(town, run)
    with reading() as session:
        assert count_appeals(session, town_clock.now()) == {}
        assert session.scalars(select(AbsenceAppeal.state)).one() is AppealState.GRANTED
    with refused("appeal_settled"):
        decides(False)
    assert len(told(NoticeKind.APPEAL_DECIDED)) == 1


def test_nobody_decides_about_an_absence_of_their_own_whoever_appealed(
    town: Town, clock: StoppedClock
) -> None:
    run = town.a_run()
    town.neighbour.tap(run)
    with transaction() as session:
        a_bond(session, town.helper, town.resident)
    town.resident.tap(run)
    held(town, clock, run, [town.neighbour])
    with transaction() as session:
        appeal(
            session,
            session.get_one(CourseSession, run.sessions[0].id),
            session.get_one(Resident, town.resident.resident_id),
            "他在",
            by=Recorder(town.helper.account_id, "resident"),
        )
    with refused("own_content"):
        decides(True, Recorder(town.resident.account_id, "staff:x"))


def test_one_appeals_within_seven_days_and_against_an_absence(town: Town, clock: StoppedClock) -> None:
    (run,) = missed(town, clock, town.resident, times=1)
    with refused("nothing_to_appeal"):
        appeals(run, town.neighbour)
    with refused("not_registered"):
        appeals(run, town.outsider)
    clock.advance(days=7)
    with refused("appeal_too_late"):
        appeals(run, town.resident)


def test_a_storm_counts_for_nobody(town: Town, clock: StoppedClock) -> None:
    runs = missed(town, clock, town.resident, town.guardian, times=3)
    assert is_paused(town.resident)
    with transaction() as session:
        people = excuse_all(
            session, session.get_one(CourseSession, runs[1].sessions[0].id), because="台风停运", by=DESK
        )
        assert people == {town.resident.resident_id, town.guardian.resident_id}
        assert relieve(session, people) == 2
    assert not is_paused(town.resident)
    assert not is_paused(town.guardian)


def test_a_storm_counts_for_nobody_also_before_the_hour_is_over(town: Town, clock: StoppedClock) -> None:
    run = town.a_run()
    for person in (town.resident, town.neighbour):
        person.tap(run)
    clock.move_to(run.sessions[0].starts_at)
    here = Mark(key_of(town, run, town.neighbour), AttendanceState.PRESENT)
    with transaction() as session:
        meeting = session.get_one(CourseSession, run.sessions[0].id)
        mark_sheet(session, meeting, [here], may_correct=False, by=DESK)
        assert excuse_all(session, meeting, because="台风停运", by=DESK) == set()
    clock.move_to(run.sessions[0].ends_at + HOUR)
    note_all(town_clock.now())
    assert [state_of(town, run, who) for who in (town.resident, town.neighbour)] == [None, "present"]
    assert told(NoticeKind.ABSENCE_NOTED) == []


@pytest.mark.parametrize("state", [AttendanceState.EXCUSED, AttendanceState.LEAVE])
def test_who_is_excused_on_the_telephone_makes_nobody_else_absent(
    town: Town, clock: StoppedClock, state: AttendanceState
) -> None:
    run = town.a_run()
    for person in (town.resident, town.neighbour):
        person.tap(run)
    clock.move_to(run.sessions[0].starts_at)
    called = Mark(key_of(town, run, town.neighbour), state)
    with transaction() as session:
        meeting = session.get_one(CourseSession, run.sessions[0].id)
        mark_sheet(session, meeting, [called], may_correct=False, by=DESK)
    clock.move_to(run.sessions[0].ends_at + HOUR)
    note_all(town_clock.now())
    assert state_of(town, run, town.resident) is None, "nobody kept a record of this evening"
    with reading() as session:
        assert count_unrecorded(session, town_clock.now()) == {town.wutong.path: 1}


def test_who_lost_the_seat_for_an_absence_is_still_corrected(town: Town, clock: StoppedClock) -> None:
    run = town.a_run(evenings=4)
    town.resident.tap(run)
    town.neighbour.tap(run)
    for evening in range(2):
        held(town, clock, run, [town.neighbour], evening=evening)
    assert town.states(run) == ["cancelled", "confirmed"]
    key = key_of(town, run, town.resident)
    with transaction() as session:
        second = session.get_one(CourseSession, run.sessions[1].id)
        seen = Seen("pad:1", second.starts_at, registration_key=key)
        assert take_batch(session, second, [seen], by=DESK) == [BatchVerdict.ACCEPTED]
        first = session.get_one(CourseSession, run.sessions[0].id)
        excused = [Mark(key, AttendanceState.EXCUSED, "生病住院")]
        assert mark_sheet(session, first, excused, may_correct=False, by=DESK) == [MarkVerdict.RECORDED]
        third = session.get_one(CourseSession, run.sessions[2].id)
    assert misses(town.resident) == 0
    clock.move_to(third.starts_at)
    with transaction() as session:
        third = session.get_one(CourseSession, third.id)
        here = [Mark(key, AttendanceState.PRESENT)]
        assert mark_sheet(session, third, here, may_correct=False, by=DESK) == [
            MarkVerdict.NOT_OF_THIS_SESSION
        ]


def test_who_is_seen_to_have_come_after_all_registers_again(town: Town, clock: StoppedClock) -> None:
    runs = missed(town, clock, town.resident, times=3)
    assert is_paused(town.resident)
    see_them_after_all(town, runs[2])
    assert not is_paused(town.resident)


def test_a_clerk_excuses_after_the_day_but_takes_no_evening_from_who_was_there(
    town: Town, clock: StoppedClock
) -> None:
    (run,) = missed(town, clock, town.resident, times=1)
    clock.advance(days=1)
    excuses(town, run, town.resident)
    with refused("sheet_closed"):
        excuses(town, run, town.neighbour)
    assert state_of(town, run, town.neighbour) == "present"


def test_staff_lift_a_pause(town: Town, clock: StoppedClock) -> None:
    missed(town, clock, town.resident, times=3)
    for _ in range(2):
        with transaction() as session:
            pause = session.scalars(select(Pause)).one()
            lift_pause(
                session, pause, because="情况属实", by_account_id=town.clerk.account_id, identity="staff:x"
            )
    assert not is_paused(town.resident)
    assert len(told(NoticeKind.PAUSE_LIFTED)) == 1
    with reading() as session:
        assert session.scalars(select(AbsenceAppeal)).all() == []
