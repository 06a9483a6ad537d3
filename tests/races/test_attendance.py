"""Two devices at one moment, and an evening that moves or is called off meanwhile: one row a person and evening, and nobody checked into nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from models.base import Base, reading, transaction
from models.clock import StoppedClock
from models.courses import Audience, By, CourseRun, CourseSession, cancel_session, move_session
from models.courses.attendance import (
    AbsenceAppeal,
    AppealState,
    Attendance,
    AttendanceState,
    BatchVerdict,
    CheckInEvent,
    Mark,
    NamedAdult,
    PickUp,
    Recorder,
    Relation,
    RoomScreen,
    Seen,
    appeal,
    check_in,
    check_in_by_scan,
    code_now,
    decide_appeal,
    excuse_all,
    mark_sheet,
    name_adults,
    note_absences,
    open_screen,
    own_code_of,
    sign_out,
    take_batch,
)
from models.courses.pauses import Pause
from models.errors import Refusal
from models.notices import Notice, NoticeKind
from models.policies import set_policy
from models.regions import Region
from models.residents import Resident
from tests.people import FIRST_EVENING, Person, Town
from tests.races.rush import rush

DESK = Recorder(identity="staff:desk")
WHY = By("老师出差")


@pytest.fixture
def run(town: Town, clock: StoppedClock) -> CourseRun:
    """Two evenings, the first of which begins in ten minutes, with the resident and the neighbour in it."""
    run = town.a_run(evenings=2)
    town.resident.tap(run)
    town.neighbour.tap(run)
    clock.move_to(FIRST_EVENING - timedelta(minutes=10))
    return run


def meeting_id(run: CourseRun) -> int:
    return run.sessions[0].id


def digits_of(run: CourseRun) -> str:
    with transaction() as session:
        return code_now(open_screen(session, session.get_one(CourseSession, meeting_id(run)), by=DESK)).digits


def code_of(who: Person) -> str:
    with reading() as session:
        return own_code_of(session.get_one(Resident, who.resident_id)).code


def comes(run: CourseRun, who: Person, digits: str) -> None:
    with transaction() as session:
        check_in(
            session,
            session.get_one(CourseSession, meeting_id(run)),
            session.get_one(Resident, who.resident_id),
            digits=digits,
            by=Recorder(who.account_id, "resident"),
        )


def scans(run: CourseRun, code: str) -> None:
    with transaction() as session:
        check_in_by_scan(session, session.get_one(CourseSession, meeting_id(run)), code, by=DESK)


def tells(run: CourseRun, items: list[Seen]) -> list[BatchVerdict]:
    with transaction() as session:
        return take_batch(session, session.get_one(CourseSession, meeting_id(run)), items, by=DESK)


def how_many(table: type[Base]) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_two_devices_scan_one_code_at_once_while_its_owner_types_the_digits(
    town: Town, app: Flask, run: CourseRun
) -> None:
    code, digits = code_of(town.resident), digits_of(run)
    deeds: list[Callable[[], object]] = [partial(scans, run, code)] * 4
    deeds += [partial(comes, run, town.resident, digits)] * 4
    assert rush(app, deeds) == [None] * 8
    assert how_many(Attendance) == 1


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # writers take turns on SQLite anyway
def test_without_the_lock_the_row_of_a_person_and_an_evening_is_still_one(
    town: Town, app: Flask, run: CourseRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_of(town.resident)
    with monkeypatch.context() as patch:
        for module in ("own_codes", "rooms"):
            patch.setattr(f"models.courses.attendance.{module}.hold", lambda *given: None)
        answers = rush(app, [partial(scans, run, code)] * 16, threads=16)
    assert all(answer is None or isinstance(answer, IntegrityError) for answer in answers)
    assert how_many(Attendance) == 1


def test_one_batch_told_by_two_devices_at_once_counts_once(town: Town, app: Flask, run: CourseRun) -> None:
    keys = [one.key for one in town.registrations(run)]
    items = [Seen(f"pad:{n}", FIRST_EVENING - timedelta(minutes=11), None, key) for n, key in enumerate(keys)]
    answers = rush(app, [partial(tells, run, items), partial(tells, run, items[::-1])] * 3)
    assert answers == [[BatchVerdict.ACCEPTED] * 2] * 6
    assert (how_many(Attendance), how_many(CheckInEvent)) == (2, 2)


def test_two_who_open_the_screen_at_once_open_one(town: Town, app: Flask, run: CourseRun) -> None:
    assert len({*rush(app, [partial(digits_of, run)] * 6)}) == 1
    assert how_many(RoomScreen) == 1


def move(run: CourseRun) -> int:
    with transaction() as session:
        meeting = session.get_one(CourseSession, meeting_id(run))
        later = timedelta(days=1)
        return move_session(
            session,
            meeting,
            starts_at=meeting.starts_at + later,
            ends_at=meeting.ends_at + later,
            venue=meeting.venue,
            by=WHY,
        )


def call_off(run: CourseRun) -> int:
    with transaction() as session:
        return cancel_session(session, session.get_one(CourseSession, meeting_id(run)), by=WHY)


@pytest.mark.parametrize(("change", "code"), [(move, "check_in_not_open"), (call_off, "session_not_held")])
def test_nobody_is_checked_in_to_an_evening_that_moved_or_is_off(
    town: Town, app: Flask, run: CourseRun, change: Callable[[CourseRun], int], code: str
) -> None:
    digits = digits_of(run)
    deeds: list[Callable[[], object]] = [
        partial(comes, run, town.resident, digits),
        partial(change, run),
        partial(comes, run, town.neighbour, digits),
    ]
    answers = rush(app, deeds)
    assert answers[1] == 2
    assert {answer.code for answer in answers if isinstance(answer, Refusal)} <= {code}
    assert how_many(Attendance) == 0


def test_two_classes_that_end_at_one_moment_pause_once_and_are_noted_once(
    town: Town, app: Flask, clock: StoppedClock
) -> None:
    runs = [town.a_run(capacity=2) for _ in range(4)]
    for run in runs:
        town.resident.tap(run)
    with transaction() as session:  # all of them at one moment, as staff may decide
        for run in runs[1:]:
            meeting = session.get_one(CourseSession, meeting_id(run))
            move_session(
                session,
                meeting,
                starts_at=FIRST_EVENING,
                ends_at=FIRST_EVENING + timedelta(minutes=90),
                venue=meeting.venue,
                by=By("老师改时间"),
                even_so=True,
            )
    clock.move_to(FIRST_EVENING)
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "absences_to_pause", "1")
    for run in runs:
        (line,) = town.registrations(run)
        with transaction() as session:
            meeting = session.get_one(CourseSession, meeting_id(run))
            absent = [Mark(line.key, AttendanceState.ABSENT)]
            mark_sheet(session, meeting, absent, may_correct=False, by=DESK)
    clock.advance(hours=3)

    def note(run: CourseRun) -> int:
        with transaction() as session:
            return note_absences(session, meeting_id(run))

    answers = rush(app, [partial(note, run) for run in runs for _ in range(3)])
    assert sorted(map(str, answers)) == ["0"] * 8 + ["1"] * 4
    assert how_many(Pause) == 1
    with reading() as session:
        kinds = Counter(session.scalars(select(Notice.kind)))
    assert (kinds[NoticeKind.ABSENCE_NOTED], kinds[NoticeKind.REGISTERING_PAUSED]) == (4, 1)


def test_the_hour_after_a_class_and_an_amnesty_at_one_moment_leave_nobody_absent(
    town: Town, app: Flask, run: CourseRun, clock: StoppedClock
) -> None:
    first, _ = town.registrations(run)
    with transaction() as session:
        meeting = session.get_one(CourseSession, meeting_id(run))
        here = [Mark(first.key, AttendanceState.PRESENT)]
        mark_sheet(session, meeting, here, may_correct=False, by=DESK)
    clock.advance(hours=3)

    def note() -> int:
        with transaction() as session:
            return note_absences(session, meeting_id(run))

    def forgive() -> int:
        with transaction() as session:
            meeting = session.get_one(CourseSession, meeting_id(run))
            return len(excuse_all(session, meeting, because="台风", by=DESK))

    rush(app, [note, forgive, note, forgive])
    with reading() as session:
        states = session.scalars(select(Attendance.state).order_by(Attendance.registration_id)).all()
    assert states in (
        [AttendanceState.PRESENT],
        [AttendanceState.PRESENT, AttendanceState.EXCUSED],
    )


def test_an_appeal_declined_while_the_storm_is_forgiven_has_one_answer(
    town: Town, app: Flask, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING)
    line = town.registrations(run)[0]
    with transaction() as session:
        meeting = session.get_one(CourseSession, meeting_id(run))
        mark_sheet(session, meeting, [Mark(line.key, AttendanceState.ABSENT)], may_correct=False, by=DESK)
        appeal(session, meeting, session.get_one(Resident, town.resident.resident_id), "我在", by=Recorder())

    def decline() -> None:
        with transaction() as session:
            found = session.scalars(select(AbsenceAppeal)).one()
            decide_appeal(session, found, grant=False, answer="好", by=DESK)

    def forgive() -> None:
        with transaction() as session:
            meeting = session.get_one(CourseSession, meeting_id(run))
            excuse_all(session, meeting, because="台风", by=DESK)

    answers = rush(app, [decline, forgive] * 3)
    assert {answer.code for answer in answers if isinstance(answer, Refusal)} <= {"appeal_settled"}
    with reading() as session:
        found = session.scalars(select(AbsenceAppeal)).one()
        (notice,) = session.scalars(select(Notice).where(Notice.kind == NoticeKind.APPEAL_DECIDED))
        assert session.scalars(select(Attendance.state)).one() is AttendanceState.EXCUSED
    assert notice.facts["excused"] is (found.state is AppealState.GRANTED)


def test_two_who_sign_one_child_out_at_once_do_it_once_and_the_guardian_hears_once(
    town: Town, app: Flask, clock: StoppedClock
) -> None:
    run = town.a_run(audience=Audience.CHILD, starts_at=FIRST_EVENING + timedelta(days=3))
    town.guardian.tap(run, for_whom=town.child)
    (line,) = town.registrations(run)
    clock.move_to(run.starts_at)
    with transaction() as session:
        child = session.get_one(Resident, town.child.resident_id)
        named = [NamedAdult("李建国", "13700000001", Relation.GRANDPARENT)]
        mine, by = session.get_one(CourseRun, run.id), Recorder(town.guardian.account_id, "resident")
        (grandpa,) = (adult.key for adult in name_adults(session, mine, child, named, by=by))
        meeting = session.get_one(CourseSession, meeting_id(run))
        here = [Mark(line.key, AttendanceState.PRESENT)]
        mark_sheet(session, meeting, here, may_correct=False, by=DESK)

    def fetch(who: str) -> None:
        with transaction() as session:
            meeting = session.get_one(CourseSession, meeting_id(run))
            sign_out(session, meeting, line.key, who, by=DESK)

    assert rush(app, [partial(fetch, grandpa)] * 6) == [None] * 6
    with reading() as session:
        told = session.scalars(select(Notice).where(Notice.kind == NoticeKind.CHILD_FETCHED)).all()
    assert (how_many(PickUp), len(told)) == (1, 1)


def test_two_clerks_decide_one_appeal_and_one_word_stands(
    town: Town, app: Flask, run: CourseRun, clock: StoppedClock
) -> None:
    clock.move_to(FIRST_EVENING)
    line = town.registrations(run)[0]
    with transaction() as session:
        meeting = session.get_one(CourseSession, meeting_id(run))
        mark_sheet(session, meeting, [Mark(line.key, AttendanceState.ABSENT)], may_correct=False, by=DESK)
        appeal(session, meeting, session.get_one(Resident, town.resident.resident_id), "我在", by=Recorder())

    def decide(grant: bool) -> None:
        with transaction() as session:
            found = session.scalars(select(AbsenceAppeal)).one()
            decide_appeal(session, found, grant=grant, answer="好", by=DESK)

    answers = rush(app, [partial(decide, n % 2 == 0) for n in range(6)])
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert len(refused) == 3
    assert {refusal.code for refusal in refused} == {"appeal_settled"}
    with reading() as session:
        state = session.scalars(select(AbsenceAppeal)).one().state
        row = session.scalars(select(Attendance)).one().state
    assert (row is AttendanceState.EXCUSED) is (state is AppealState.GRANTED)
