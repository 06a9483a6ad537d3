"""Closing rooms that classes and units have: evenings move or are called off by their own verbs, blocks are let go, and those who learn are asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.agreements import Block, ServiceHold, Terms, draft_agreement, move_hold, put_in_force, still_true
from models.availability import Held, Stretch
from models.base import reading, transaction
from models.clock import StoppedClock
from models.coordination.closures import Choice, MoveAnswer, MoveQuestion, Plan, Remedy, look
from models.coordination.holders import holders_of
from models.courses import (
    Attendance,
    AttendanceState,
    CourseRun,
    CourseSession,
    Registration,
    RegistrationState,
    RunState,
    SessionState,
)
from models.errors import Conflict
from models.hours import Hours, OpenOn, write_hours
from models.notices import Notice, NoticeKind
from models.notices.keywords import say_time
from models.occupancy import Occupancy
from models.partners import Partner, PartnerMember, admit, remove_member
from models.reservations import Reservation, move
from models.sites import Site, Venue
from server.jobs import rooms as jobs
from tests.closing import PIPE, closes, effects, plan_of, remedies, says
from tests.people import Person, Town, a_run, a_unit, an_account
from tests.rooms import MONDAY, Centre, a_centre, at, by_staff, now_of, takes, told

NEXT_MONDAY = MONDAY + timedelta(days=7)
OPENS = at(13, on=date(2026, 11, 20)) - timedelta(hours=3)


@pytest.fixture
def centre(town: Town) -> Centre:
    """The centre of the first community."""
    with transaction() as session:
        return a_centre(session, town.wutong)


def a_class(
    town: Town,
    room: Venue,
    *,
    hour: int = 9,
    evenings: int = 1,
    title: str = "合唱",
    teacher: str | None = None,
    capacity: int = 20,
) -> CourseRun:
    """A class in a room, from the Monday after next on, open for registration."""
    with transaction() as session:
        return a_run(
            session,
            town.wutong,
            title=title,
            venue=room,
            starts_at=at(hour, on=MONDAY),
            evenings=evenings,
            capacity=capacity,
            teacher=teacher,
        )


def evening_of(run: CourseRun, number: int = 0) -> CourseSession:
    """One evening of a class, as it is now."""
    with reading() as session:
        meeting = session.get_one(CourseRun, run.id).sessions[number]
        _ = meeting.venue.name
        return meeting


def asked(run: CourseRun) -> Sequence[MoveQuestion]:
    """What those who learn were asked, in their order."""
    with reading() as session:
        return session.scalars(
            select(MoveQuestion)
            .join(Registration, Registration.id == MoveQuestion.registration_id)
            .where(Registration.run_id == run.id)
            .order_by(MoveQuestion.id)
        ).all()


def place_of(who: Person, run: CourseRun) -> Registration:
    """Somebody's place in a class."""
    with reading() as session:
        return session.scalars(
            select(Registration).where(
                Registration.run_id == run.id, Registration.resident_id == who.resident_id
            )
        ).one()


def test_a_class_goes_first_to_the_other_half_and_its_people_hear_of_it(town: Town, centre: Centre) -> None:
    run = a_class(town, centre.left)
    town.resident.tap(run)
    takes(town.neighbour, centre.left, at(14, on=MONDAY), heads=30)
    closure = closes(town, [centre.left], at(8, on=MONDAY), at(20, on=MONDAY))
    assert effects(closure) == [("合唱", Remedy.MOVE), ("个人预约", Remedy.MOVE)]
    assert evening_of(run).starts_at == at(9, on=MONDAY)
    assert evening_of(run).venue_id != centre.left.id
    assert told(town.resident)[-1] == "class_moved"
    (question,) = asked(run)
    assert question.answer is None


def test_a_class_chooses_before_a_person(town: Town, centre: Centre) -> None:
    takes(town.resident, centre.left, at(9, on=MONDAY), heads=30)
    a_class(town, centre.right, capacity=30)
    plan = plan_of([centre.hall], at(8, on=MONDAY), at(12, on=MONDAY))
    assert [one.affected.title for one in plan.items] == ["合唱", "个人预约"]
    assert remedies(plan) == [
        ("合唱", "move", "多功能厅右", at(12, on=MONDAY)),
        ("个人预约", "move", "多功能厅左", at(12, on=MONDAY)),
    ]


def test_a_class_is_not_moved_to_an_hour_at_which_its_teacher_is_elsewhere(
    town: Town, centre: Centre
) -> None:
    a_class(town, centre.hall, title="大合唱", teacher="林老师", capacity=60)
    a_class(town, centre.dance_room, title="民族舞", hour=12, teacher="林老师")
    plan = plan_of([centre.left], at(8, on=MONDAY), at(12, on=MONDAY))
    assert remedies(plan) == [("大合唱", "move", "多功能厅", at(13, 30, on=MONDAY))]


def test_nobody_is_proposed_an_hour_at_which_they_sit_in_a_class(town: Town, centre: Centre) -> None:
    run = a_class(town, centre.dance_room, hour=12)
    town.resident.tap(run)
    takes(town.resident, centre.hall, at(9, on=MONDAY), heads=70)
    plan = plan_of([centre.left], at(8, on=MONDAY), at(12, on=MONDAY))
    assert remedies(plan) == [("个人预约", "move", "多功能厅", at(13, 30, on=MONDAY))]


def test_a_class_goes_to_an_hour_at_which_the_fewest_who_learn_have_another_e7(
    town: Town, centre: Centre
) -> None:
    run = a_class(town, centre.hall, title="大合唱", capacity=60)
    elsewhere = a_class(town, centre.dance_room, title="民族舞", hour=12)
    town.resident.tap(run)
    town.neighbour.tap(run)
    town.resident.tap(elsewhere)
    plan = plan_of([centre.left], at(8, on=MONDAY), at(12, on=MONDAY))
    assert remedies(plan) == [("大合唱", "move", "多功能厅", at(13, 30, on=MONDAY))]
    assert plan.items[0].clashing == 0


def test_where_every_hour_is_somebodys_the_plan_says_how_many_they_are_e7(town: Town, centre: Centre) -> None:
    run = a_class(town, centre.hall, title="大合唱", capacity=60)
    town.resident.tap(run)
    town.neighbour.tap(run)
    town.resident.tap(a_class(town, centre.dance_room, title="民族舞", hour=12))
    town.neighbour.tap(a_class(town, centre.kitchen, title="面点", hour=14))
    with transaction() as session:
        write_hours(session, session.get_one(Site, centre.hall.site_id), [Hours(OpenOn.WORKDAY, 480, 900)])
    plan = plan_of([centre.left], at(8, on=MONDAY), at(12, on=MONDAY))
    assert remedies(plan) == [("大合唱", "move", "多功能厅", at(12, on=MONDAY))]
    assert plan.items[0].clashing == 1
    town.neighbour.give_up(run)
    without = plan_of([centre.left], at(8, on=MONDAY), at(12, on=MONDAY))
    assert remedies(without) == [("大合唱", "move", "多功能厅", at(13, 30, on=MONDAY))]
    assert (without.items[0].clashing, without.fingerprint != plan.fingerprint) == (0, True)


def test_a_chosen_hour_onto_another_class_of_those_who_learn_is_confirmed_first_e7(
    town: Town, centre: Centre
) -> None:
    run = a_class(town, centre.hall, title="大合唱", capacity=60)
    town.resident.tap(run)
    town.resident.tap(a_class(town, centre.dance_room, title="民族舞", hour=12))
    noon = Choice(Remedy.MOVE, starts_at=at(12, on=MONDAY), ends_at=at(13, 30, on=MONDAY))
    with pytest.raises(Conflict) as refused:
        closes(
            town,
            [centre.left],
            at(8, on=MONDAY),
            at(12, on=MONDAY),
            choices={evening_of(run).key: noon},
        )
    assert (refused.value.code, refused.value.details) == ("learners_clash", {"learners": 1})
    assert [one.field for one in refused.value.faults] == ["choices.0.starts_at"]
    assert evening_of(run).starts_at == at(9, on=MONDAY)
    closes(
        town,
        [centre.left],
        at(8, on=MONDAY),
        at(12, on=MONDAY),
        choices={evening_of(run).key: replace(noon, even_so=True)},
    )
    assert evening_of(run).starts_at == at(12, on=MONDAY)
    assert [one.answer for one in asked(run)] == [None]


def test_a_class_chosen_for_another_day_is_looked_at_on_that_day_e7(town: Town, centre: Centre) -> None:
    run = a_class(town, centre.hall, title="大合唱", capacity=60)
    town.resident.tap(run)
    other = a_class(town, centre.dance_room, title="民族舞", hour=12, evenings=2)
    town.resident.tap(other)
    next_week = evening_of(other, 1)
    onto = Choice(Remedy.MOVE, starts_at=next_week.starts_at, ends_at=next_week.ends_at)
    with pytest.raises(Conflict, match="1 人次"):
        closes(
            town,
            [centre.left],
            at(8, on=MONDAY),
            at(12, on=MONDAY),
            choices={evening_of(run).key: onto},
        )


def test_nobodys_room_is_put_onto_a_class_of_theirs_whatever_staff_confirm_e7(
    town: Town, centre: Centre
) -> None:
    town.resident.tap(a_class(town, centre.dance_room, hour=14))
    theirs = takes(town.resident, centre.reading_room, at(9, on=MONDAY))
    onto = Choice(
        Remedy.MOVE,
        venue=centre.left,
        starts_at=at(14, 30, on=MONDAY),
        ends_at=at(16, 30, on=MONDAY),
        even_so=True,
    )
    with pytest.raises(Conflict) as refused:
        closes(
            town,
            [centre.reading_room],
            at(8, on=MONDAY),
            at(12, on=MONDAY),
            choices={theirs.key: onto},
        )
    assert refused.value.code == "learners_clash"
    with pytest.raises(Conflict) as by_the_verb, transaction() as session:
        move(
            session,
            session.get_one(Reservation, theirs.id),
            session.get_one(Venue, centre.left.id),
            Stretch(at(14, 30, on=MONDAY), at(16, 30, on=MONDAY)),
            because=PIPE,
            by=by_staff(town.clerk),
        )
    assert by_the_verb.value.code == "own_clash"


def test_who_has_a_room_and_a_class_in_the_same_closure_gets_them_at_two_hours_e7(
    town: Town, centre: Centre
) -> None:
    run = a_class(town, centre.hall, title="大合唱", hour=8, capacity=60)
    town.resident.tap(run)
    takes(town.resident, centre.hall, at(10, on=MONDAY), heads=70)
    plan = plan_of([centre.left], at(8, on=MONDAY), at(12, on=MONDAY))
    first, second = plan.items
    assert first.stretch is not None
    assert second.stretch is not None
    assert not first.stretch.overlaps(second.stretch)
    closes(town, [centre.left], at(8, on=MONDAY), at(12, on=MONDAY))


def test_a_class_of_one_evening_that_fits_nowhere_is_cancelled(town: Town, centre: Centre) -> None:
    run = a_class(town, centre.hall, capacity=60)
    town.resident.tap(run)
    closes(town, [centre.left], at(8, on=MONDAY), at(21, on=MONDAY))
    with reading() as session:
        gone = session.get_one(CourseRun, run.id)
        assert (gone.state, gone.cancelled_because) == (RunState.CANCELLED, PIPE)
    assert told(town.resident)[-1] == "run_cancelled"


def test_of_a_class_of_several_evenings_one_is_called_off(town: Town, centre: Centre) -> None:
    run = a_class(town, centre.hall, evenings=3, capacity=60)
    town.resident.tap(run)
    closes(town, [centre.left], at(8, on=NEXT_MONDAY), at(21, on=NEXT_MONDAY))
    states = [evening_of(run, number).state for number in range(3)]
    assert states == [SessionState.PLANNED, SessionState.CANCELLED, SessionState.PLANNED]
    assert told(town.resident)[-1] == "class_called_off"


def test_both_evenings_of_a_short_class_may_go_at_once(town: Town, centre: Centre) -> None:
    run = a_class(town, centre.hall, evenings=2, capacity=60)
    closes(town, [centre.left], at(8, on=MONDAY), at(21, on=NEXT_MONDAY))
    with reading() as session:
        assert session.get_one(CourseRun, run.id).state is RunState.CANCELLED


def test_yes_keeps_a_seat_and_no_excuses_from_one_of_several_evenings(town: Town, centre: Centre) -> None:
    run = a_class(town, centre.left, evenings=2)
    for person in (town.resident, town.neighbour):
        person.tap(run)
    closes(town, [centre.left], at(8, on=MONDAY), at(20, on=MONDAY))
    first, second = asked(run)
    assert says(town.resident, first, yes=True) is MoveAnswer.ACCEPTED
    assert says(town.neighbour, second, yes=False) is MoveAnswer.DECLINED
    assert place_of(town.neighbour, run).state is RegistrationState.CONFIRMED
    with reading() as session:
        (row,) = session.scalars(select(Attendance)).all()
    assert (row.registration_id, row.state) == (
        place_of(town.neighbour, run).id,
        AttendanceState.EXCUSED,
    )


def test_no_to_the_only_evening_gives_the_seat_to_who_waits_and_is_not_late(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    run = a_class(town, centre.left, capacity=1)
    town.resident.tap(run)
    town.neighbour.tap(run)
    clock.move_to(at(20, on=MONDAY - timedelta(days=1)))  # cancelling would be late
    closes(town, [centre.left], at(8, on=MONDAY), at(20, on=MONDAY))
    (question,) = asked(run)
    says(town.resident, question, yes=False)
    gone = place_of(town.resident, run)
    assert (gone.state, gone.cancelled_late) == (RegistrationState.CANCELLED, False)
    assert place_of(town.neighbour, run).state is RegistrationState.CONFIRMED


def test_silence_keeps_a_seat(town: Town, centre: Centre, clock: StoppedClock) -> None:
    run = a_class(town, centre.left)
    town.resident.tap(run)
    closes(
        town,
        [centre.left],
        at(8, on=MONDAY),
        at(20, on=MONDAY),
    )
    clock.move_to(asked(run)[0].answer_by)
    assert jobs.settle_room_questions(town_clock.now()) == 1
    assert asked(run)[0].answer is MoveAnswer.SILENT
    assert place_of(town.resident, run).state is RegistrationState.CONFIRMED


def test_a_class_in_the_room_ends_now_in_an_emergency_and_nobody_is_missed(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    run = a_class(town, centre.left)
    town.resident.tap(run)
    clock.move_to(at(9, 30, on=MONDAY))
    closes(town, [centre.left], None, at(20, on=MONDAY), emergency_because="漏电")
    over = evening_of(run)
    assert (over.state, over.ends_at) == (SessionState.PLANNED, at(9, 30, on=MONDAY))
    assert over.absences_noted_at is not None
    with reading() as session:
        held = session.scalars(select(Occupancy).where(Occupancy.holder_key == over.key)).one()
        assert held.ends_at == at(9, 30, on=MONDAY)


def test_a_clock_that_goes_on_while_it_is_decided_leaves_no_overlap(
    town: Town, centre: Centre, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = a_class(town, centre.left)
    clock.move_to(at(9, 30, on=MONDAY))
    seen = plan_of([centre.left], None, at(20, on=MONDAY)).fingerprint

    def looking(*given: Any) -> Plan:
        plan = look(*given)
        clock.move_to(town_clock.now() + timedelta(seconds=3))
        return plan

    monkeypatch.setattr("models.coordination.closures.deciding.look", looking)
    closure = closes(town, [centre.left], None, at(20, on=MONDAY), fingerprint=seen, emergency_because="漏电")
    assert evening_of(run).ends_at == closure.starts_at == at(9, 30, on=MONDAY) + timedelta(seconds=3)


def a_block(town: Town, room: Venue) -> tuple[str, int]:
    """A unit has a room on two Monday mornings; what its agreement is called, and the account of its member."""
    with transaction() as session:
        unit = a_unit(session, town.wutong)
        account, _ = an_account(session)
        admit(session, session.get_one(Partner, unit.id), account)
        terms = Terms(MONDAY, MONDAY + timedelta(days=13), [Block(0, 540, 660)], "义诊", 8)
        agreement = draft_agreement(
            session, unit, session.get_one(Venue, room.id), terms, by_account_id=None, identity="town"
        )
        put_in_force(session, agreement, by_account_id=None, identity="town")
        return agreement.title, account.id


def the_notice(kind: NoticeKind) -> Notice:
    with reading() as session:
        return session.scalars(select(Notice).where(Notice.kind == kind)).one()


def still_so() -> list[NoticeKind]:
    """What of all that is owed to units says the truth."""
    with reading() as session:
        notices = session.scalars(select(Notice).order_by(Notice.id)).all()
        true = still_true(session, notices)
        return [one.kind for one in notices if one.id in true]


def leaves(account_id: int) -> None:
    """Somebody acts for their unit no longer."""
    with transaction() as session:
        member = session.scalars(select(PartnerMember).where(PartnerMember.account_id == account_id)).one()
        remove_member(session, member, by_account_id=None, identity="staff:x")


def test_a_block_of_a_unit_that_fits_nowhere_is_let_go_and_its_people_are_told(
    town: Town, centre: Centre
) -> None:
    title, account_id = a_block(town, centre.left)
    plan = plan_of([centre.hall], at(8, on=MONDAY), at(21, on=MONDAY))
    assert [(one.affected.title, one.remedy) for one in plan.items] == [(title, Remedy.CALL_OFF)]
    closes(town, [centre.hall], at(8, on=MONDAY), at(21, on=MONDAY))
    with reading() as session:
        left = session.scalars(select(ServiceHold).order_by(ServiceHold.starts_at)).all()
        assert [one.starts_at for one in left] == [at(9, on=NEXT_MONDAY)]
    notice = the_notice(NoticeKind.SERVICE_CALLED_OFF)
    assert (notice.account_id, notice.facts["reason"]) == (account_id, PIPE)


def test_a_block_of_a_unit_goes_to_another_room_that_is_as_large_and_its_people_are_told(
    town: Town, centre: Centre
) -> None:
    title, account_id = a_block(town, centre.left)
    plan = plan_of([centre.left], at(8, on=MONDAY), at(21, on=MONDAY))
    assert remedies(plan) == [(title, "move", "多功能厅右", at(9, on=MONDAY))]
    closes(town, [centre.left], at(8, on=MONDAY), at(21, on=MONDAY))
    with reading() as session:
        first, second = session.scalars(select(ServiceHold).order_by(ServiceHold.starts_at)).all()
        assert (first.venue.name, second.venue.name) == ("多功能厅右", "多功能厅左")
        (held,) = session.scalars(select(Occupancy).where(Occupancy.holder_key == first.key)).all()
        assert [held.space_id] == [space.id for space in first.venue.spaces]
        there = Held(held.starts_at, held.ends_at, held.purpose, first.key)
        assert holders_of(session, [there])[first.key].venue_id == centre.right.id
    notice = the_notice(NoticeKind.SERVICE_MOVED)
    assert (notice.account_id, notice.facts["room"], notice.facts["to"]) == (
        account_id,
        "多功能厅左",
        "多功能厅右 09:00-11:00",
    )
    # the next closure finds it where it is now, and may bring it home
    back = closes(town, [centre.right], at(8, on=MONDAY), at(12, on=MONDAY))
    assert effects(back) == [(title, Remedy.MOVE)]


def test_a_unit_that_is_in_the_room_hears_that_an_emergency_ends_it(
    town: Town, centre: Centre, clock: StoppedClock
) -> None:
    _, account_id = a_block(town, centre.left)
    clock.move_to(at(9, 30, on=MONDAY))
    closes(town, [centre.left], None, at(20, on=MONDAY), emergency_because="漏电")
    notice = the_notice(NoticeKind.SERVICE_CUT_SHORT)
    assert (notice.account_id, notice.due_at) == (account_id, at(9, 30, on=MONDAY))
    assert notice.body == (
        f"很抱歉，{notice.facts['place']}，{say_time(at(9, on=MONDAY))}开始的使用到09:30为止。"
        f"原因：{PIPE}。请收拾好随身物品，承诺的服务不变。"
    )
    assert still_so() == [NoticeKind.SERVICE_CUT_SHORT]
    leaves(account_id)
    assert still_so() == []


@pytest.mark.parametrize("then", ["moved again", "called off", "the unit left"])
def test_where_a_block_was_moved_to_is_not_said_once_it_is_so_no_longer(
    town: Town, centre: Centre, then: str
) -> None:
    _, account_id = a_block(town, centre.left)
    closes(town, [centre.left], at(8, on=MONDAY), at(21, on=MONDAY))
    assert still_so() == [NoticeKind.SERVICE_MOVED]
    if then == "the unit left":
        leaves(account_id)
        assert still_so() == []
        return
    with reading() as session:
        key = session.scalars(select(ServiceHold.key).order_by(ServiceHold.starts_at)).first() or ""
    elsewhere = Choice(
        Remedy.MOVE, venue=centre.dance_room, starts_at=at(9, on=MONDAY), ends_at=at(11, on=MONDAY)
    )
    choice = elsewhere if then == "moved again" else Choice(Remedy.CALL_OFF)
    closes(town, [centre.right], at(8, on=MONDAY), at(12, on=MONDAY), choices={key: choice})
    kind = NoticeKind.SERVICE_MOVED if then == "moved again" else NoticeKind.SERVICE_CALLED_OFF
    with reading() as session:
        (last,) = session.scalars(select(Notice).order_by(Notice.id.desc()).limit(1)).all()
        assert last.kind is kind
        assert still_true(session, session.scalars(select(Notice)).all()) == {last.id}


def test_a_block_that_is_moved_back_and_there_again_is_told_each_time(town: Town, centre: Centre) -> None:
    a_block(town, centre.left)
    with reading() as session:
        key = session.scalars(select(ServiceHold.key).order_by(ServiceHold.starts_at)).first() or ""
    for room in (centre.right, centre.left, centre.right):
        with transaction() as session:
            block = session.scalars(select(ServiceHold).where(ServiceHold.key == key)).one()
            there = session.get_one(Venue, room.id)
            move_hold(
                session,
                block,
                there,
                block.starts_at,
                block.ends_at,
                PIPE,
                by_account_id=None,
                identity="town",
            )
    with reading() as session:
        notices = session.scalars(select(Notice).order_by(Notice.id)).all()
        assert [one.facts["to"].partition(" ")[0] for one in notices] == [
            "多功能厅右",
            "多功能厅左",
            "多功能厅右",
        ]
        assert notices[-1].id in still_true(session, notices)
        assert notices[1].id not in still_true(session, notices)


def test_staff_may_give_a_block_another_hour_of_a_free_room(town: Town, centre: Centre) -> None:
    a_block(town, centre.left)
    with reading() as session:
        key = session.scalars(select(ServiceHold.key).order_by(ServiceHold.starts_at)).first() or ""
    afternoon = Choice(
        Remedy.MOVE, venue=centre.right, starts_at=at(14, on=MONDAY), ends_at=at(16, on=MONDAY)
    )
    takes(town.resident, centre.right, at(15, on=MONDAY))
    with pytest.raises(Conflict) as refused:
        closes(town, [centre.left], at(8, on=MONDAY), at(12, on=MONDAY), choices={key: afternoon})
    assert refused.value.code == "room_taken"
    free = replace(afternoon, starts_at=at(12, on=MONDAY), ends_at=at(14, on=MONDAY))
    closes(town, [centre.left], at(8, on=MONDAY), at(12, on=MONDAY), choices={key: free})
    with reading() as session:
        first = session.scalars(select(ServiceHold).order_by(ServiceHold.starts_at)).first()
        assert first is not None
        assert (first.starts_at, first.venue.name) == (at(12, on=MONDAY), "多功能厅右")


def test_a_class_that_was_moved_again_is_asked_about_anew(town: Town, centre: Centre) -> None:
    run = a_class(town, centre.left, capacity=30)
    town.resident.tap(run)
    closes(town, [centre.left], at(8, on=MONDAY), at(20, on=MONDAY))
    closes(
        town,
        [centre.right],
        at(8, on=MONDAY),
        at(20, on=MONDAY),
        choices={evening_of(run).key: Choice(Remedy.MOVE, venue=centre.dance_room)},
    )
    assert [one.answer for one in asked(run)] == [MoveAnswer.MOOT, None]


def test_the_communitys_own_use_moves_without_a_question(town: Town, centre: Centre) -> None:
    own = takes(None, centre.left, at(9, on=MONDAY), heads=30, about="换届选举")
    closes(town, [centre.left], at(8, on=MONDAY), at(20, on=MONDAY))
    assert now_of(own).venue_id == centre.right.id
    with reading() as session:
        assert session.scalars(select(MoveQuestion)).all() == []
