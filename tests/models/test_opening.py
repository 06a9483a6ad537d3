"""A class too few registered for: it goes on all the same, is called off, or its people move to another run of the course."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import (
    Admission,
    Audience,
    By,
    CourseRun,
    Promotion,
    QuestionKind,
    QuestionPlan,
    RunState,
    Seating,
    admit,
    ask_questions,
    count_in_review,
    count_too_few,
    merge_run,
    open_anyway,
    positions_of,
    publish,
    send_back,
    submit,
    too_few,
)
from models.desk import desk_of
from models.errors import Refusal
from models.journal import JournalEntry
from models.notices import Notice, NoticeKind
from models.policies import set_policy
from models.regions import Region
from models.truth import still_true
from tests.people import FIRST_EVENING, Town, raise_capacity

A_DAY_BEFORE = FIRST_EVENING - timedelta(days=1)
NEXT_WEEK = FIRST_EVENING + timedelta(weeks=1)
BY = By("人数不够")


def waiting(town: Town) -> dict[str, int]:
    """What the desk of 梧桐里 counts now, by the path of its place."""
    with reading() as session:
        return dict(count_too_few(session, town_clock.now()))


def do(run: CourseRun, deed: Callable[[Session, CourseRun], object]) -> None:
    with transaction() as session:
        deed(session, session.get_one(CourseRun, run.id))


def merge(run: CourseRun, into: CourseRun, *, even_so: bool = False) -> int:
    with transaction() as session:
        return merge_run(
            session,
            session.get_one(CourseRun, run.id),
            session.get_one(CourseRun, into.id),
            by=BY,
            even_so=even_so,
        )


def refused(run: CourseRun, into: CourseRun) -> str:
    with pytest.raises(Refusal) as refusal:
        merge(run, into)
    return refusal.value.code


def counters(run: CourseRun, town: Town) -> tuple[int, int]:
    now = town.now(run)
    return now.seats_taken, now.waiting


# --- the decision -------------------------------------------------------------------------------------------------


def test_a_day_before_a_class_with_too_few_waits_for_staff(town: Town, clock: StoppedClock) -> None:
    run = town.a_run()
    for person in town.people(7):
        person.tap(run)
    clock.move_to(A_DAY_BEFORE - timedelta(seconds=1))
    assert waiting(town) == {}
    clock.move_to(A_DAY_BEFORE)
    assert waiting(town) == {town.wutong.path: 1}
    with reading() as session:
        (found,) = too_few(session, town_clock.now(), within=[town.wutong])
        assert (found.run.key, found.minimum) == (run.key, 8)
        assert too_few(session, town_clock.now(), within=[town.wangjiang]) == []
        assert too_few(session, town_clock.now(), within=[]) == []
        piles = {each.pile.name: each.number for each in desk_of(session, town.clerk.member(session))}
    assert piles["too_few"] == 1
    town.resident.tap(run)
    assert waiting(town) == {}
    clock.move_to(FIRST_EVENING)
    assert waiting(town) == {}


def test_nothing_is_to_be_decided_of_a_class_that_begins_now_or_that_nobody_has_seen(
    town: Town, clock: StoppedClock
) -> None:
    begins, unseen = town.a_run(starts_at=FIRST_EVENING), town.a_run(starts_at=FIRST_EVENING, published=False)
    appears_at = FIRST_EVENING - timedelta(hours=2)
    do(unseen, lambda session, it: publish(session, it, at=appears_at))
    town.resident.tap(begins)
    clock.move_to(appears_at - timedelta(seconds=1))
    assert waiting(town) == {town.wutong.path: 1}
    clock.move_to(appears_at)
    assert waiting(town) == {town.wutong.path: 2}
    clock.move_to(FIRST_EVENING)
    assert waiting(town) == {}


def test_how_many_it_takes_is_the_communitys_own_and_never_more_than_there_are_seats(
    town: Town, clock: StoppedClock
) -> None:
    small, _ = town.a_run(capacity=2), town.a_run(starts_at=FIRST_EVENING)
    for person in town.people(2):
        person.tap(small)
    clock.move_to(A_DAY_BEFORE)
    assert waiting(town) == {town.wutong.path: 1}
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "min_to_open", "0")
    assert waiting(town) == {}


def test_a_run_may_say_itself_how_many_it_takes(town: Town, clock: StoppedClock) -> None:
    run = town.a_run()
    town.resident.tap(run)
    do(run, lambda session, it: setattr(it, "min_to_open", 1))
    clock.move_to(A_DAY_BEFORE)
    assert waiting(town) == {}


def test_before_the_draw_nobody_has_a_seat_and_nothing_is_to_be_decided(
    town: Town, clock: StoppedClock
) -> None:
    run = town.a_run()

    def is_drawn_later(session: Session, it: CourseRun) -> None:
        it.admission, it.draws_at = Admission.DRAW, FIRST_EVENING - timedelta(hours=2)

    do(run, is_drawn_later)
    clock.move_to(A_DAY_BEFORE)
    assert waiting(town) == {}
    other = town.a_run(title=run.course.title, starts_at=NEXT_WEEK)
    assert refused(other, run) == "merge_unfit"


def test_a_class_goes_on_all_the_same_and_waits_no_more(town: Town, clock: StoppedClock) -> None:
    run = town.a_run()
    town.resident.tap(run)
    clock.move_to(A_DAY_BEFORE)
    for _ in range(2):
        do(run, lambda session, it: open_anyway(session, it, by=BY))
    assert waiting(town) == {}
    assert town.now(run).state is RunState.PUBLISHED
    with reading() as session:
        entries = session.query(JournalEntry).where(JournalEntry.act == "course_run.opened_anyway").all()
        assert [entry.details for entry in entries] == [{"because": "人数不够", "seats_taken": 1}]


def test_nobody_decides_about_a_class_that_has_begun(town: Town, clock: StoppedClock) -> None:
    run, other = town.a_run(title="摄影"), town.a_run(title="摄影", starts_at=NEXT_WEEK)
    clock.move_to(FIRST_EVENING)
    with pytest.raises(Refusal, match="nothing_to_decide"):
        do(run, lambda session, it: open_anyway(session, it, by=BY))
    assert refused(run, other) == "nothing_to_decide"
    assert refused(other, run) == "merge_unfit"


def test_what_was_handed_in_waits_for_an_administrator(town: Town) -> None:
    run = town.a_run(published=False)

    def in_review() -> Mapping[str, int]:
        with reading() as session:
            return count_in_review(session, town_clock.now())

    assert in_review() == {}
    do(run, submit)
    assert in_review() == {town.wutong.path: 1}
    with reading() as session:
        for who, sees in ((town.admin, True), (town.clerk, False)):
            piles = {each.pile.name for each in desk_of(session, who.member(session))}
            assert ("runs_in_review" in piles) is sees
    do(run, lambda session, it: send_back(session, it, because="名额太少"))
    assert in_review() == {}


# --- two runs into one --------------------------------------------------------------------------------------------


def test_seats_stay_seats_while_there_are_any_and_the_rest_queue_in_order(town: Town) -> None:
    run = town.a_run(title="摄影", capacity=3)
    into = town.a_run(title="摄影", capacity=3, starts_at=NEXT_WEEK)
    there, *people = town.people(5)
    there.tap(into)
    for person in people:
        person.tap(run)
    assert town.states(run) == ["confirmed", "confirmed", "confirmed", "waitlisted"]
    assert merge(run, into) == 4
    assert town.states(run) == ["cancelled"] * 4
    assert town.states(into) == ["confirmed", "confirmed", "confirmed", "waitlisted", "waitlisted"]
    assert [each.resident_id for each in town.registrations(into)] == [
        person.resident_id for person in (there, *people)
    ]
    assert (counters(run, town), counters(into, town)) == ((0, 0), (3, 2))
    assert town.now(run).state is RunState.CANCELLED
    with reading() as session:
        positions = positions_of(session, town.registrations(into))
    assert sorted(positions.values()) == [1, 2]


def test_where_somebody_waits_already_nobody_gets_ahead_of_them(town: Town) -> None:
    run = town.a_run(title="摄影")
    into = town.a_run(title="摄影", capacity=1, starts_at=NEXT_WEEK)
    first, second, newcomer = town.people(3)
    first.tap(into)
    second.tap(into)
    newcomer.tap(run)
    merge(run, into)
    assert town.states(into) == ["confirmed", "waitlisted", "waitlisted"]
    first.give_up(into)
    assert town.states(into) == ["cancelled", "confirmed", "waitlisted"]


def test_who_waited_gets_a_seat_where_the_other_run_has_one(town: Town) -> None:
    """No seat stands idle beside somebody who waits, and everybody is told what became of them."""
    run = town.a_run(title="摄影", capacity=1, waitlist_limit=None)
    into = town.a_run(title="摄影", capacity=3, starts_at=NEXT_WEEK)
    people = town.people(4)
    for person in people:
        person.tap(run)
    assert merge(run, into) == 4
    assert town.states(into) == ["confirmed", "confirmed", "confirmed", "waitlisted"]
    assert counters(into, town) == (3, 1)
    assert town.why(people[1], into) == [("promoted", "merged")]
    kept = dict(zip((person.account_id for person in people), heard_of_merger(), strict=True))
    assert "您的名额保留" in kept[people[0].account_id]
    assert "那边有名额，已经给您" in kept[people[2].account_id]
    assert "您在候补第1位" in kept[people[3].account_id]


def test_where_seats_are_offered_who_waited_is_offered_one(town: Town) -> None:
    run = town.a_run(title="摄影", capacity=1)
    into = town.a_run(title="摄影", starts_at=NEXT_WEEK, seating=Seating(promotion=Promotion.OFFER))
    for person in town.people(2):
        person.tap(run)
    merge(run, into)
    assert town.states(into) == ["confirmed", "offered"]
    assert "请按时确认" in heard_of_merger()[1]


def test_whoever_sits_comes_before_whoever_was_only_offered_a_seat(town: Town) -> None:
    """An offer is not accepted yet; behind it nobody loses the seat they have."""
    run = town.a_run(
        title="摄影", capacity=1, waitlist_limit=None, seating=Seating(promotion=Promotion.OFFER)
    )
    into = town.a_run(title="摄影", capacity=1, waitlist_limit=None, starts_at=NEXT_WEEK)
    leaves, is_offered, sits = town.people(3)
    leaves.tap(run)
    is_offered.tap(run)
    sits.tap(run, directly=True)
    with transaction() as session:
        raise_capacity(session, run, 2)
    leaves.give_up(run)
    assert town.states(run) == ["cancelled", "offered", "confirmed"]
    merge(run, into)
    assert [(each.resident_id, each.state.value) for each in town.registrations(into)] == [
        (sits.resident_id, "confirmed"),
        (is_offered.resident_id, "waitlisted"),
    ]


def test_whoever_applied_comes_along_behind_whoever_waits(town: Town) -> None:
    run = town.a_run(title="摄影", capacity=1, seating=Seating(admission=Admission.REVIEW))
    into = town.a_run(title="摄影", capacity=2, starts_at=NEXT_WEEK)
    applied, waits, sits = town.people(3)
    for person in (applied, waits, sits):
        person.tap(run)
    keys = {each.resident_id: each.key for each in town.registrations(run)}
    for person in (sits, waits):
        do(run, lambda session, it, who=person: admits(session, it, keys[who.resident_id]))  # type: ignore[misc]
    merge(run, into)
    assert [each.resident_id for each in town.registrations(into)] == [
        person.resident_id for person in (sits, waits, applied)
    ]
    assert town.states(into) == ["confirmed", "confirmed", "waitlisted"]


def admits(session: Session, run: CourseRun, key: str) -> None:
    admit(session, run, key, by_account_id=None, identity="town")


def test_whoever_brings_companions_does_not_come_where_nobody_may(town: Town) -> None:
    run = town.a_run(title="摄影", seating=Seating(most_companions=2))
    into = town.a_run(title="摄影", starts_at=NEXT_WEEK, seating=Seating(most_companions=1))
    town.resident.tap(run, companions=2)
    assert refused(run, into) == "merge_unfit"
    town.resident.give_up(run)
    town.resident.tap(run, companions=1)
    assert merge(run, into) == 1
    assert counters(into, town) == (2, 0)


def test_whoever_comes_along_is_asked_what_the_other_run_must_know(town: Town) -> None:
    """They keep their seat; the clerk finds in the journal how many have not answered."""
    run = town.a_run(title="摄影")
    into = town.a_run(title="摄影", starts_at=NEXT_WEEK, published=False)
    size = QuestionPlan(QuestionKind.CHOICE, "围裙尺码", ("小号", "大号"), is_required=True)
    do(into, lambda session, it: ask_questions(session, it, [size]))
    do(into, publish)
    town.resident.tap(run)
    merge(run, into)
    assert town.states(into) == ["confirmed"]
    assert "您的名额保留，请补答报名问题。" in heard_of_merger()[0]
    with reading() as session:
        entry = session.query(JournalEntry).where(JournalEntry.act == "course_run.merged").one()
    assert entry.details is not None
    assert (entry.details["moved"], entry.details["unanswered"]) == (1, 1)


def heard_of_merger() -> list[str]:
    """What people were told of two runs that became one, in the order they came."""
    with reading() as session:
        rows = session.query(Notice).where(Notice.kind == NoticeKind.RUN_MERGED).order_by(Notice.id)
        return [notice.body for notice in rows]


def test_who_has_a_place_there_keeps_it_once(town: Town) -> None:
    run = town.a_run(title="摄影")
    into = town.a_run(title="书法", starts_at=NEXT_WEEK)
    town.resident.tap(run)
    town.resident.tap(into)
    with transaction() as session:  # since then both are called the same
        session.get_one(CourseRun, into.id).course_id = run.course_id
    assert merge(run, into) == 0
    assert (town.states(run), town.states(into)) == (["cancelled"], ["confirmed"])


def test_everybody_who_came_along_is_told_when_where_and_what_became_of_their_place(town: Town) -> None:
    run = town.a_run(title="摄影")
    into = town.a_run(title="摄影", capacity=2, starts_at=NEXT_WEEK)
    town.resident.tap(run)
    town.helper.tap(run, for_whom=town.elder)
    town.neighbour.tap(run)
    merge(run, into)
    with reading() as session:
        notices = session.query(Notice).where(Notice.kind == NoticeKind.RUN_MERGED).order_by(Notice.id).all()
        assert [notice.account_id for notice in notices] == [
            town.resident.account_id,
            town.helper.account_id,
            town.neighbour.account_id,
        ]
        assert "12月10日" in notices[0].body
        assert "您的名额保留" in notices[0].body
        assert notices[1].body.startswith("王奶奶：")
        assert "候补第1位" in notices[2].body
        assert notices[0].keyword_values()["phrase2"] == "并班"
        assert still_true(session, notices) == {notice.id for notice in notices}
    town.resident.give_up(into)
    with reading() as session:
        assert notices[0].id not in still_true(session, notices)


def test_of_a_pair_that_comes_along_both_are_named(town: Town) -> None:
    run = town.a_run(title="家长学校", audience=Audience.PAIR)
    into = town.a_run(title="家长学校", audience=Audience.PAIR, starts_at=NEXT_WEEK)
    town.guardian.tap(run, for_whom=town.child)
    merge(run, into)
    assert [each.paired_with_id for each in town.registrations(into)] == [town.guardian.resident_id]
    (body,) = heard_of_merger()
    assert body.startswith("李小雨、李强：")


def test_whoever_wanted_a_seat_without_being_asked_still_does(town: Town) -> None:
    run = town.a_run(title="摄影", capacity=1)
    into = town.a_run(title="摄影", starts_at=NEXT_WEEK, seating=Seating(promotion=Promotion.OFFER))
    first, second = town.people(2)
    first.tap(run)
    second.tap(run, directly=True)
    merge(run, into)
    assert town.states(into) == ["confirmed", "confirmed"]
    assert [each.by_account_id for each in town.registrations(into)] == [first.account_id, second.account_id]


def test_whoever_has_another_class_then_stands_in_the_way_unless_staff_want_it(town: Town) -> None:
    run, other = town.a_run(title="摄影"), town.a_run(starts_at=NEXT_WEEK)
    into = town.a_run(title="摄影", starts_at=NEXT_WEEK)
    town.resident.tap(run)
    town.resident.tap(other)
    assert refused(run, into) == "learners_clash"
    assert (town.states(run), town.states(into)) == (["confirmed"], [])
    assert merge(run, into, even_so=True) == 1


def test_only_what_is_alike_and_to_come_is_put_together(town: Town) -> None:
    run = town.a_run(title="摄影")
    narrower = town.a_run(title="摄影", starts_at=NEXT_WEEK, min_age=60)
    draft = town.a_run(title="摄影", starts_at=NEXT_WEEK, published=False)
    unseen = town.a_run(title="摄影", starts_at=NEXT_WEEK, published=False)
    do(unseen, lambda session, it: publish(session, it, at=FIRST_EVENING))
    for other in (town.a_run(title="书法", starts_at=NEXT_WEEK), narrower, draft, unseen, run):
        assert refused(run, other) == "merge_unfit"
    assert town.now(run).state is RunState.PUBLISHED


def test_the_room_of_a_run_that_went_into_another_is_free(town: Town) -> None:
    run = town.a_run(title="摄影")
    into = town.a_run(title="摄影", starts_at=NEXT_WEEK)
    merge(run, into)
    with reading() as session:
        venue = session.get_one(CourseRun, run.id).sessions[0].venue
    assert town.a_run(venue=venue).sessions
