"""What somebody holds elsewhere decides what they may still take, and every no is kept for them to look up (domain.md §2.1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.base import db, reading, transaction, writer
from models.courses import (
    Admission,
    By,
    Course,
    CourseKind,
    CourseRun,
    Promotion,
    Receipt,
    Registration,
    RegistrationState,
    Seating,
    Standing,
    Tap,
    decide,
    move_session,
    open_course,
)
from models.courses.pauses import Pause
from models.courses.seats.completing import complete_places
from models.errors import Refusal
from models.policies import set_policy
from models.regions import Region, RegionKind, plant
from tests.people import FIRST_EVENING, OPENS_AT, Person, Town, a_resident

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
ENDS = FIRST_EVENING + timedelta(minutes=90)
NEIGHBOURS = Seating(home_first_hours=24, street_first_hours=48)


def refusal_of(deed: Callable[[], object]) -> Refusal:
    """The refusal a deed ends in."""
    with pytest.raises(Refusal) as caught:
        deed()
    return caught.value


def all_at_once(*taps: Tap) -> list[Standing | Refusal | None]:
    """Decide taps in one batch and commit, refusals and all."""
    with writer(db.engine).begin() as connection:
        return decide(connection, taps)


def codes(*taps: Tap) -> list[str]:
    """What each tap of a batch comes to."""
    return [
        answer.code if isinstance(answer, Refusal) else answer.state.value if answer else "given up"
        for answer in all_at_once(*taps)
    ]


def an_activity(town: Town, **how: datetime) -> CourseRun:
    """Something that is held once and is no course."""
    with transaction() as session:
        course = open_course(
            session,
            session.get_one(Region, town.wutong.id),
            title="重阳茶话会",
            category="活动",
            kind=CourseKind.ACTIVITY,
        )
        title = course.title
    return town.a_run(title=title, category="活动", **how)  # type: ignore[arg-type]


def complete(run: CourseRun, person: Person) -> None:
    """Somebody completed a run."""
    with transaction() as session:
        row = session.scalars(
            select(Registration).where(
                Registration.run_id == run.id, Registration.resident_id == person.resident_id
            )
        ).one()
        stored = session.get_one(CourseRun, run.id).lock()
        assert complete_places(session, stored, [row.id], by_account_id=None, identity="town") == [row.id]


# --- one class of a course ----------------------------------------------------------------------------------------


def test_nobody_holds_two_places_in_one_course(town: Town) -> None:
    first, second = town.a_run(title="国画"), town.a_run(title="国画")
    town.resident.tap(first)
    refusal = refusal_of(lambda: town.resident.tap(second))
    assert (refusal.code, refusal.details) == ("same_course", {"course": "国画"})
    assert "国画" in refusal.message
    town.resident.give_up(first)
    assert town.resident.tap(second).state is RegistrationState.CONFIRMED


def test_waiting_for_one_class_is_a_place_in_its_course_too(town: Town) -> None:
    first, second = town.a_run(title="国画", capacity=1), town.a_run(title="国画")
    town.neighbour.tap(first)
    town.resident.tap(first)
    assert refusal_of(lambda: town.resident.tap(second)).code == "same_course"


def test_who_completed_a_course_may_take_it_again(town: Town, clock: town_clock.StoppedClock) -> None:
    first = town.a_run(title="国画")
    second = town.a_run(title="国画", starts_at=FIRST_EVENING + 30 * DAY)
    town.resident.tap(first)
    clock.move_to(first.ends_at)
    complete(first, town.resident)
    assert town.resident.tap(second).state is RegistrationState.CONFIRMED


# --- one class at a time ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts_at", "clashes"),
    [
        (FIRST_EVENING, True),
        (ENDS - timedelta(seconds=1), True),
        (FIRST_EVENING - timedelta(minutes=90) + timedelta(seconds=1), True),
        (ENDS, False),
        (FIRST_EVENING - timedelta(minutes=90), False),
    ],
)
def test_nobody_has_two_classes_at_one_time(town: Town, starts_at: datetime, clashes: bool) -> None:
    one = town.a_run(title="国画", starts_at=FIRST_EVENING)
    other = town.a_run(starts_at=starts_at)
    town.resident.tap(one)
    if not clashes:
        assert town.resident.tap(other).state is RegistrationState.CONFIRMED
        return
    refusal = refusal_of(lambda: town.resident.tap(other))
    assert (refusal.code, refusal.details) == ("time_clash", {"course": "国画"})


def test_any_evening_of_a_class_counts(town: Town) -> None:
    weekly = town.a_run(starts_at=FIRST_EVENING, evenings=3)
    later = town.a_run(starts_at=FIRST_EVENING + 14 * DAY + HOUR)
    town.resident.tap(weekly)
    assert refusal_of(lambda: town.resident.tap(later)).code == "time_clash"


def test_a_child_has_classes_of_its_own(town: Town) -> None:
    """The guardian's class at the same time is no clash of the child's; the child's own is."""
    guardians, childs, third = (town.a_run(starts_at=FIRST_EVENING) for _ in range(3))
    town.guardian.tap(guardians)
    town.guardian.tap(childs, for_whom=town.child)
    assert refusal_of(lambda: town.guardian.tap(third, for_whom=town.child)).code == "time_clash"
    assert refusal_of(lambda: town.guardian.tap(third)).code == "time_clash"


def test_an_activity_takes_time_too(town: Town) -> None:
    class_, activity = town.a_run(starts_at=FIRST_EVENING), an_activity(town, starts_at=FIRST_EVENING)
    town.resident.tap(class_)
    assert refusal_of(lambda: town.resident.tap(activity)).code == "time_clash"
    town.neighbour.tap(activity)
    assert refusal_of(lambda: town.neighbour.tap(class_)).code == "time_clash"


def test_a_class_that_was_moved_onto_another_keeps_its_people_and_clashes_for_who_comes_after(
    town: Town,
) -> None:
    """E7: staff moved it even so; who has both keeps both, nobody else gets both."""
    stays, moves = town.a_run(starts_at=FIRST_EVENING), town.a_run(starts_at=FIRST_EVENING + DAY)
    before = [town.resident.tap(stays), town.resident.tap(moves)]
    town.neighbour.tap(stays)
    with transaction() as session:
        meeting = session.get_one(CourseRun, moves.id).sessions[0]
        move_session(
            session,
            meeting,
            starts_at=FIRST_EVENING,
            ends_at=ENDS,
            venue=meeting.venue,
            by=By("教室停电"),
            even_so=True,
        )
    assert [town.resident.tap(stays), town.resident.tap(moves)] == before
    assert refusal_of(lambda: town.neighbour.tap(moves)).code == "time_clash"
    onto_the_old_time = town.a_run(starts_at=FIRST_EVENING + DAY)
    assert town.resident.tap(onto_the_old_time).state is RegistrationState.CONFIRMED


def test_an_offer_of_a_class_that_was_moved_onto_another_is_not_accepted(town: Town) -> None:
    stays = town.a_run(starts_at=FIRST_EVENING)
    moves = town.a_run(starts_at=FIRST_EVENING + DAY, capacity=1, seating=Seating(promotion=Promotion.OFFER))
    town.resident.tap(stays)
    town.neighbour.tap(moves)
    town.resident.tap(moves)
    town.neighbour.give_up(moves)
    with transaction() as session:
        meeting = session.get_one(CourseRun, moves.id).sessions[0]
        move_session(
            session,
            meeting,
            starts_at=FIRST_EVENING,
            ends_at=ENDS,
            venue=meeting.venue,
            by=By("教室停电"),
            even_so=True,
        )
    assert refusal_of(lambda: town.resident.accept(moves)).code == "time_clash"
    town.resident.give_up(stays)
    assert town.resident.accept(moves).state is RegistrationState.CONFIRMED


# --- so many courses a term ---------------------------------------------------------------------------------------


def test_nobody_takes_more_than_two_courses_a_term(town: Town) -> None:
    town.is_as_strict_as_others()
    first, second, third = town.a_run(title="国画"), town.a_run(title="合唱"), town.a_run()
    town.resident.tap(first)
    town.resident.tap(second)
    refusal = refusal_of(lambda: town.resident.tap(third))
    assert (refusal.code, refusal.details) == ("too_many_runs", {"most": 2, "courses": ["国画", "合唱"]})
    assert "国画" in refusal.message
    assert town.neighbour.tap(third).state is RegistrationState.CONFIRMED
    town.resident.give_up(first)
    assert town.resident.tap(third).state is RegistrationState.CONFIRMED


def test_the_limit_holds_within_one_batch(town: Town) -> None:
    town.is_as_strict_as_others()
    runs = [town.a_run() for _ in range(3)]
    taps = [town.resident.wants(run) for run in runs]
    assert codes(*taps) == ["confirmed", "confirmed", "too_many_runs"]


def test_the_community_says_how_many(town: Town) -> None:
    town.is_as_strict_as_others()
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "runs_a_term", "1")
    town.resident.tap(town.a_run())
    refusal = refusal_of(lambda: town.resident.tap(town.a_run()))
    assert (refusal.code, refusal.details["most"]) == ("too_many_runs", 1)


@pytest.mark.parametrize(
    ("earlier", "later", "same_term"),
    [
        ("2027-01-31T18:30", "2027-02-01T18:30", False),
        ("2026-12-31T18:30", "2027-01-04T18:30", True),
        ("2027-07-31T18:30", "2027-08-02T18:30", False),
        ("2028-02-29T18:30", "2028-07-31T18:30", True),
        ("2028-01-31T18:30", "2028-02-29T18:30", False),
        ("2027-01-31T23:50", "2027-02-01T01:30", False),  # one day still in London
    ],
)
def test_a_term_ends_with_january_and_with_july(
    town: Town, earlier: str, later: str, same_term: bool
) -> None:
    """E16: by the town's calendar, over the year's end and on the 29th of February too."""
    town.is_as_strict_as_others()
    then, afterwards = (datetime.fromisoformat(f"{moment}+08:00") for moment in (earlier, later))
    starts = (then - 3 * HOUR, then, afterwards)
    first, second, third = (town.a_run(starts_at=moment) for moment in starts)
    town.resident.tap(first)
    town.resident.tap(second)
    if same_term:
        assert refusal_of(lambda: town.resident.tap(third)).code == "too_many_runs"
    else:
        assert town.resident.tap(third).state is RegistrationState.CONFIRMED


def test_an_activity_is_always_welcome_and_counts_for_nothing(town: Town) -> None:
    town.is_as_strict_as_others()
    activity, *courses = (an_activity(town), town.a_run(), town.a_run())
    for run in courses:
        town.resident.tap(run)
    assert town.resident.tap(activity).state is RegistrationState.CONFIRMED
    town.neighbour.tap(activity)
    for run in courses:
        assert town.neighbour.tap(run).state is RegistrationState.CONFIRMED


def test_a_course_that_was_completed_or_is_over_no_longer_counts(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    town.is_as_strict_as_others()
    first, second = town.a_run(), town.a_run()
    late = [town.a_run(starts_at=FIRST_EVENING + days * DAY) for days in (20, 30)]
    town.resident.tap(first)
    town.resident.tap(second)
    clock.move_to(second.ends_at)
    complete(first, town.resident)
    assert [town.resident.tap(run).state.value for run in late] == ["confirmed", "confirmed"]


def test_who_takes_as_many_as_they_may_can_wait_and_chooses_when_their_turn_comes(town: Town) -> None:
    """Promoted at the limit they are offered the seat, and accept it once they gave one up."""
    town.is_as_strict_as_others()
    mine = [town.a_run(), town.a_run()]
    wanted = town.a_run(capacity=1)
    for run in mine:
        town.resident.tap(run)
    town.neighbour.tap(wanted)
    assert town.resident.tap(wanted).state is RegistrationState.WAITLISTED
    town.neighbour.give_up(wanted)
    assert town.states(wanted) == ["cancelled", "offered"]
    assert codes(town.resident.accepting(wanted)) == ["too_many_runs"]
    assert town.why(town.resident, wanted) == [("offered", "given_up"), ("refused", "too_many_runs")]
    town.resident.give_up(mine[0])
    assert town.resident.accept(wanted).state is RegistrationState.CONFIRMED


def test_an_offer_counts_as_a_course(town: Town) -> None:
    """Else whoever lets offers stand would take more than their neighbours."""
    town.is_as_strict_as_others()
    offered = town.a_run(capacity=1, seating=Seating(promotion=Promotion.OFFER))
    town.neighbour.tap(offered)
    town.resident.tap(offered)
    town.resident.tap(town.a_run())
    town.neighbour.give_up(offered)
    assert refusal_of(lambda: town.resident.tap(town.a_run())).code == "too_many_runs"


# --- so many queues -----------------------------------------------------------------------------------------------


def test_nobody_waits_in_more_than_three_queues(town: Town) -> None:
    town.is_as_strict_as_others()
    full = [town.a_run(capacity=1) for _ in range(4)]
    for run, seated in zip(full, town.people(4), strict=True):
        seated.tap(run)
    for run in full[:3]:
        assert town.resident.tap(run).state is RegistrationState.WAITLISTED
    refusal = refusal_of(lambda: town.resident.tap(full[3]))
    assert (refusal.code, refusal.details["most"], len(refusal.details["courses"])) == (
        "too_many_waits",
        3,
        3,
    )
    assert town.resident.tap(town.a_run()).state is RegistrationState.CONFIRMED, "a seat is no queue"
    town.resident.give_up(full[0])
    assert town.resident.tap(full[3]).state is RegistrationState.WAITLISTED


@pytest.mark.parametrize("admission", [Admission.DRAW, Admission.REVIEW])
def test_applying_is_waiting(town: Town, admission: Admission) -> None:
    town.is_as_strict_as_others()
    draws_at = FIRST_EVENING - DAY if admission is Admission.DRAW else None
    seating = Seating(admission=admission, draws_at=draws_at)
    runs = [town.a_run(seating=seating) for _ in range(4)]
    assert codes(*(town.resident.wants(run) for run in runs)) == ["applied"] * 3 + ["too_many_waits"]


# --- neighbours first ---------------------------------------------------------------------------------------------


@pytest.fixture
def next_door(town: Town) -> Person:
    """Somebody of another community in the same street, whose code begins like 梧桐里's."""
    with transaction() as session:
        street = session.get_one(Region, town.east_street.id)
        community = plant(
            session, kind=RegionKind.COMMUNITY, code="wutong2", name="梧桐二村社区", parent=street
        )
        return a_resident(session, community, name="隔壁小周")


def test_first_the_community_then_the_street_then_everybody(
    town: Town, clock: town_clock.StoppedClock, next_door: Person
) -> None:
    run = town.a_run(seating=NEIGHBOURS)
    assert town.resident.tap(run).state is RegistrationState.CONFIRMED
    of_street, of_all = (refusal_of(lambda who=who: who.tap(run)) for who in (next_door, town.outsider))  # type: ignore[misc]
    assert (of_street.code, of_street.details) == (
        "neighbours_first",
        {"opens_at": "2026-11-21T10:00:00+08:00"},
    )
    assert (of_all.code, of_all.details) == ("neighbours_first", {"opens_at": "2026-11-23T10:00:00+08:00"})
    assert "本社区" in of_all.message
    clock.move_to(OPENS_AT + DAY - timedelta(microseconds=1))
    assert refusal_of(lambda: next_door.tap(run)).code == "neighbours_first"
    clock.move_to(OPENS_AT + DAY)
    assert next_door.tap(run).state is RegistrationState.CONFIRMED
    still = refusal_of(lambda: town.outsider.tap(run))
    assert still.details == of_all.details
    assert "本街道" in still.message
    clock.move_to(OPENS_AT + 3 * DAY)
    assert town.outsider.tap(run).state is RegistrationState.CONFIRMED


def test_it_is_the_learners_home_that_counts(town: Town) -> None:
    run = town.a_run(community=town.wangjiang, seating=NEIGHBOURS)
    assert refusal_of(lambda: town.helper.tap(run, for_whom=town.elder)).code == "neighbours_first"
    run_here = town.a_run(seating=NEIGHBOURS)
    assert town.helper.tap(run_here, for_whom=town.elder).state is RegistrationState.CONFIRMED


# --- what comes before, and pauses --------------------------------------------------------------------------------


def test_the_course_before_must_be_completed(town: Town, clock: town_clock.StoppedClock) -> None:
    first = town.a_run(title="国画一阶")
    with reading() as session:
        before = session.scalars(select(Course).where(Course.title == "国画一阶")).one()
    after = town.a_run(
        title="国画二阶", starts_at=FIRST_EVENING + 30 * DAY, seating=Seating(after_course=before)
    )
    for person in (town.resident, town.neighbour):
        person.tap(first)
    assert refusal_of(lambda: town.resident.tap(after)).code == "course_needed"
    clock.move_to(first.ends_at)
    complete(first, town.resident)
    assert town.resident.tap(after).state is RegistrationState.CONFIRMED
    assert refusal_of(lambda: town.neighbour.tap(after)).code == "course_needed"


def test_who_is_paused_registers_for_nothing_new_and_keeps_what_they_have(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    has, wants = town.a_run(), town.a_run()
    before = town.resident.tap(has)
    until = town_clock.now() + 2 * DAY
    with transaction() as session:
        session.add(Pause(resident_id=town.resident.resident_id, until=until))
    assert refusal_of(lambda: town.resident.tap(wants)).code == "paused"
    assert town.resident.tap(has) == before
    clock.move_to(until)
    assert town.resident.tap(wants).state is RegistrationState.CONFIRMED


# --- receipts -----------------------------------------------------------------------------------------------------


def test_every_no_is_kept_and_the_same_no_once(town: Town, clock: town_clock.StoppedClock) -> None:
    town.is_as_strict_as_others()
    runs = [town.a_run() for _ in range(3)]
    codes(*(town.resident.wants(run) for run in runs))
    clock.advance(hours=1)
    again = town_clock.now()
    codes(town.resident.wants(runs[2]), town.resident.wants(runs[2]))
    assert town.why(town.resident, runs[2]) == [("refused", "too_many_runs")]
    with reading() as session:
        (receipt,) = session.scalars(select(Receipt)).all()
    assert receipt.at == again
    assert receipt.facts is not None
    assert receipt.facts["most"] == 2
    assert "每人每学期" in receipt.says


def test_each_no_is_kept_under_its_own_name(town: Town, clock: town_clock.StoppedClock) -> None:
    same, clash = town.a_run(title="国画", starts_at=FIRST_EVENING), town.a_run(starts_at=FIRST_EVENING)
    again = town.a_run(title="国画", starts_at=FIRST_EVENING + 9 * DAY)
    neighbours = town.a_run(seating=NEIGHBOURS, community=town.wangjiang)
    town.a_run(title="初阶")
    with reading() as session:
        course = session.scalars(select(Course).where(Course.title == "初阶")).one()
    needs = town.a_run(seating=Seating(after_course=course))
    town.resident.tap(same)
    for run, code in (
        (again, "same_course"),
        (clash, "time_clash"),
        (neighbours, "neighbours_first"),
        (needs, "course_needed"),
    ):
        assert codes(town.resident.wants(run)) == [code]
        assert town.why(town.resident, run) == [("refused", code)]
        assert town.why(town.neighbour, run) == []


def test_why_a_ward_got_no_seat_is_the_wards(town: Town) -> None:
    run = town.a_run(seating=NEIGHBOURS, community=town.wangjiang)
    codes(town.helper.wants(run, for_whom=town.elder))
    assert town.why(town.elder, run) == [("refused", "neighbours_first")]
    assert town.why(town.helper, run) == []


def test_a_no_that_names_many_long_titles_is_kept_as_far_as_it_fits(town: Town) -> None:
    town.is_as_strict_as_others()
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "runs_a_term", "6")
    titles = [f"{n}{'长' * 58}" for n in range(6)]
    for title in titles:
        town.resident.tap(town.a_run(title=title))
    (refusal,) = all_at_once(town.resident.wants(town.a_run()))
    assert isinstance(refusal, Refusal)
    assert all(title in refusal.message for title in titles)
    with reading() as session:
        (receipt,) = session.scalars(select(Receipt)).all()
    assert len(receipt.says) == 300
    assert receipt.says.endswith("…")
    assert receipt.facts == {"most": 6, "courses": titles}
