"""Who wants to hear of new classes hears once a day at the hour, and of a followed course an hour before it opens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import By, Course, CourseRun, cancel_run, publish, unpublish
from models.errors import Conflict, NotFound
from models.follows import (
    MOST_FOLLOWS,
    Digest,
    follow_community,
    follow_course,
    followed_course,
    follows_of,
    tell_next,
    unfollow_community,
    unfollow_course,
)
from models.notices import Notice, NoticeKind
from models.policies import set_policy
from models.regions import Region, RegionKind, plant
from models.truth import still_true
from server.jobs.publishing import tell_of_new_classes, tell_of_openings
from tests.people import OPENS_AT, Person, Town, a_course

NOON = OPENS_AT + timedelta(hours=2)
NEXT_HOUR = NOON + timedelta(hours=21, minutes=1)  # nine o'clock, and the minute it takes
DAY = timedelta(days=1)


def digests_of(who: Person) -> list[Notice]:
    return heard(who, NoticeKind.NEW_CLASSES)


def heard(who: Person, kind: NoticeKind) -> list[Notice]:
    with reading() as session:
        return list(
            session.scalars(
                select(Notice)
                .where(Notice.account_id == who.account_id, Notice.kind == kind)
                .order_by(Notice.id)
            )
        )


def follows(
    who: Person, *, community: Region | None = None, run: CourseRun | None = None, muted: bool = False
) -> None:
    with transaction() as session:
        account = who.account(session)
        if community is not None:
            follow_community(session, account, session.get_one(Region, community.id), muted=muted)
        if run is not None:
            follow_course(session, account, session.get_one(Course, run.course_id))


def tell() -> int:
    return tell_of_new_classes(town_clock.now())


# --- the day's digest ---------------------------------------------------------------------------------------------


def test_at_the_hour_everybody_of_the_community_hears_once_of_all_that_is_new(
    town: Town, clock: StoppedClock
) -> None:
    town.a_run(title="书法", opens_at=NOON + 2 * DAY)
    town.a_run(title="摄影", opens_at=NOON + DAY)
    town.a_run(community=town.wangjiang, title="合唱")
    clock.move_to(NEXT_HOUR - timedelta(seconds=1))
    assert tell() == 0
    clock.move_to(NEXT_HOUR)
    assert tell() == 5  # four of 梧桐里, one of 望江
    (digest,) = digests_of(town.resident)
    assert digest.title == "今天的新课"
    assert digest.body == "新开2门课：摄影、书法。11月21日 12:00 开始报名，点开查看，一键报名。"
    assert digest.page == f"pages/courses/day?region={town.wutong.key}&date=2026-11-21"
    assert digest.keyword_values()["time2"] == "2026年11月21日 12:00"
    assert digests_of(town.outsider)[0].body == "新开1门课：合唱。现在可以报名，点开查看，一键报名。"
    assert tell() == 0
    clock.move_to(NEXT_HOUR + timedelta(hours=3))
    assert tell() == 0


def test_what_is_published_after_the_hour_goes_into_the_next_days(town: Town, clock: StoppedClock) -> None:
    town.a_run(title="书法")
    clock.move_to(NEXT_HOUR)
    tell()
    town.a_run(title="摄影")
    clock.move_to(NEXT_HOUR + timedelta(hours=10))
    assert tell() == 0
    clock.move_to(NEXT_HOUR + DAY)
    assert tell() == 4
    assert [digest.facts["names"] for digest in digests_of(town.resident)] == ["书法", "摄影"]


def test_what_is_scheduled_for_the_hour_is_in_its_digest(town: Town, clock: StoppedClock) -> None:
    run = town.a_run(published=False, title="书法")
    with transaction() as session:
        publish(session, session.get_one(CourseRun, run.id), at=NEXT_HOUR - timedelta(minutes=1))
    clock.move_to(NEXT_HOUR)
    tell()
    assert [digest.facts["names"] for digest in digests_of(town.resident)] == ["书法"]


def test_on_an_empty_day_nobody_is_told_and_nothing_is_written(town: Town, clock: StoppedClock) -> None:
    clock.move_to(NEXT_HOUR)
    assert tell() == 0
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Digest)) == 0


def test_days_without_a_worker_are_told_together(town: Town, clock: StoppedClock) -> None:
    town.a_run(title="书法")
    clock.move_to(NEXT_HOUR)
    tell()
    clock.move_to(NEXT_HOUR + timedelta(hours=1))
    town.a_run(title="摄影")
    clock.move_to(NEXT_HOUR + DAY)
    town.a_run(title="合唱")
    clock.move_to(NEXT_HOUR + 3 * DAY)
    tell()
    assert digests_of(town.resident)[-1].facts["what"] == "2门课"


def test_a_worker_that_comes_late_tells_late(town: Town, clock: StoppedClock) -> None:
    town.a_run(title="书法")
    clock.move_to(NEXT_HOUR + timedelta(hours=6))
    town.a_run(title="摄影")
    assert tell() == 4
    assert digests_of(town.resident)[0].facts["names"] == "书法"


def test_a_community_has_its_own_hour(town: Town, clock: StoppedClock) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "publishing_hour", "18:30")
    town.a_run()
    town.a_run(community=town.wangjiang)
    clock.move_to(NEXT_HOUR)
    assert tell() == 1
    clock.move_to(NEXT_HOUR + timedelta(hours=9, minutes=30))
    assert tell() == 4
    with reading() as session:
        assert set(session.scalars(select(Digest.on))) == {town_clock.today()}


def test_a_person_hears_once_a_day_of_home_and_of_everything_followed(
    town: Town, clock: StoppedClock
) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wangjiang.id), "publishing_hour", "18:30")
        a_course(session, town.wangjiang, title="合唱")
    follows(town.resident, community=town.wangjiang)
    town.a_run(title="书法")
    town.a_run(community=town.wangjiang, title="合唱")
    for hours in (0, 9.5, 24):
        clock.move_to(NEXT_HOUR + timedelta(hours=hours))
        tell()
    assert [digest.facts["names"] for digest in digests_of(town.resident)] == ["书法、合唱"]


def test_whoever_muted_their_community_hears_nothing_and_hears_again_when_they_unmute(
    town: Town, clock: StoppedClock
) -> None:
    follows(town.resident, community=town.wutong, muted=True)
    town.a_run()
    clock.move_to(NEXT_HOUR)
    assert tell() == 3
    assert digests_of(town.resident) == []
    with transaction() as session:
        unfollow_community(session, town.resident.account(session), session.get_one(Region, town.wutong.id))
    town.a_run()
    clock.move_to(NEXT_HOUR + DAY)
    assert tell() == 4


def test_who_follows_a_course_elsewhere_hears_when_it_runs_again(town: Town, clock: StoppedClock) -> None:
    first = town.a_run(community=town.wangjiang, title="合唱")
    follows(town.neighbour, run=first)
    clock.move_to(NEXT_HOUR)
    tell()
    town.a_run(community=town.wangjiang, title="合唱")
    town.a_run(community=town.wangjiang, title="书法")
    clock.move_to(NEXT_HOUR + DAY)
    tell()
    assert [digest.facts["names"] for digest in digests_of(town.neighbour)] == ["合唱", "合唱"]
    assert digests_of(town.resident) == []


def test_who_has_no_home_hears_of_what_they_follow(town: Town, clock: StoppedClock) -> None:
    someone = Person("老张", 0, "", town.partner_member.account_id)
    follows(someone, community=town.wutong)
    town.a_run(title="书法")
    clock.move_to(NEXT_HOUR)
    tell()
    assert [digest.facts["names"] for digest in digests_of(someone)] == ["书法"]


def test_what_was_taken_down_or_is_closed_by_then_is_not_told(town: Town, clock: StoppedClock) -> None:
    gone, off = town.a_run(), town.a_run()
    town.a_run(starts_at=NOON + timedelta(hours=7))
    with transaction() as session:
        unpublish(session, session.get_one(CourseRun, gone.id))
        cancel_run(session, session.get_one(CourseRun, off.id), by=By("停电"))
    clock.move_to(NEXT_HOUR)
    assert tell() == 0


def test_many_people_are_told_in_batches_and_a_worker_that_dies_loses_nothing(
    town: Town, clock: StoppedClock
) -> None:
    people = town.people(7)
    town.a_run()
    clock.move_to(NEXT_HOUR)
    assert tell() == 11
    town.a_run()
    clock.move_to(NEXT_HOUR + DAY)
    with transaction() as session:  # as far as a worker came
        session.execute(update(Digest).values(told_at=None, told_through=people[2].account_id))
    steps = []
    while True:
        with transaction() as session:
            step = tell_next(session, town_clock.now(), most=3)
        if step is None:
            break
        steps.append(step)
    assert sum(steps) == 0, "they were told that day"
    assert max(steps) <= 3
    assert tell() == 11


def test_a_batch_costs_the_same_for_few_and_for_many(
    town: Town, clock: StoppedClock, statements: list[str]
) -> None:
    def cost() -> int:
        clock.move_to(town_clock.now() + DAY)
        town.a_run()
        clock.move_to(town_clock.now() + DAY)
        del statements[:]
        assert tell() > 3
        return len(statements)

    clock.move_to(NEXT_HOUR)
    few = cost()
    for person in town.people(40):
        follows(person, community=town.wangjiang)
    assert cost() == few


def test_what_is_open_to_nobody_any_more_is_not_sent(town: Town, clock: StoppedClock) -> None:
    run = town.a_run()
    clock.move_to(NEXT_HOUR)
    tell()
    digests = digests_of(town.resident)
    assert true_ones(digests) == {digests[0].id}
    with transaction() as session:
        cancel_run(session, session.get_one(CourseRun, run.id), by=By("停电"))
    assert true_ones(digests) == set()


def true_ones(notices: Sequence[Notice]) -> set[int]:
    with reading() as session:
        return still_true(session, notices)


# --- opening soon -------------------------------------------------------------------------------------------------


def test_a_follower_hears_an_hour_before_the_course_opens_once(town: Town, clock: StoppedClock) -> None:
    run = town.a_run(title="书法", opens_at=NOON + timedelta(hours=5))
    follows(town.neighbour, run=run)
    clock.move_to(NOON + timedelta(hours=3, minutes=59))
    assert tell_of_openings(town_clock.now()) == 0
    clock.move_to(NOON + timedelta(hours=4))
    assert [tell_of_openings(town_clock.now()) for _ in range(2)] == [1, 0]
    (soon,) = heard(town.neighbour, NoticeKind.OPENING_SOON)
    assert soon.body == "您关注的书法一小时内开始报名，到时间点开就能报名。"
    assert soon.keyword_values() == {
        "thing1": "书法",
        "time2": "2026年11月20日 17:00",
        "thing4": "到时间点开就能报名",
    }
    assert soon.worth_until == NOON + timedelta(hours=5)
    assert heard(town.resident, NoticeKind.OPENING_SOON) == []


def test_what_opens_at_another_time_by_now_is_not_sent_and_told_anew(town: Town, clock: StoppedClock) -> None:
    run = town.a_run(opens_at=NOON + timedelta(hours=1))
    follows(town.neighbour, run=run)
    tell_of_openings(town_clock.now())
    told = heard(town.neighbour, NoticeKind.OPENING_SOON)
    assert true_ones(told) == {told[0].id}
    with transaction() as session:
        session.get_one(CourseRun, run.id).opens_at = NOON + timedelta(hours=3)
    assert true_ones(told) == set()
    clock.move_to(NOON + timedelta(hours=2))
    assert tell_of_openings(town_clock.now()) == 1


def test_who_unfollowed_meanwhile_is_not_told(town: Town) -> None:
    run = town.a_run(opens_at=NOON + timedelta(hours=1))
    follows(town.neighbour, run=run)
    tell_of_openings(town_clock.now())
    with transaction() as session:
        unfollow_course(session, town.neighbour.account(session), session.get_one(Course, run.course_id))
    assert true_ones(heard(town.neighbour, NoticeKind.OPENING_SOON)) == set()


def test_drafts_open_for_nobody(town: Town) -> None:
    run = town.a_run(published=False, opens_at=NOON + timedelta(hours=1))
    follows(town.neighbour, run=run)
    assert tell_of_openings(town_clock.now()) == 0


# --- following ----------------------------------------------------------------------------------------------------


def test_following_twice_is_once_and_there_is_an_end_to_it(town: Town) -> None:
    for muted in (False, True, False):
        follows(town.resident, community=town.wangjiang, muted=muted)
    with transaction() as session:
        account = town.resident.account(session)
        assert [follow.muted for follow in follows_of(session, account)] == [False]
        for n in range(MOST_FOLLOWS - 1):
            follow_course(session, account, a_course(session, town.wutong, title=f"课{n}"))
        with pytest.raises(Conflict, match="too_many_follows"):
            follow_course(session, account, a_course(session, town.wutong, title="多一门"))


def test_only_communities_and_courses_everybody_saw_are_followed(town: Town) -> None:
    draft, shown = town.a_run(published=False), town.a_run()
    with reading() as session:
        assert followed_course(session, shown.course.key).id == shown.course_id
        with pytest.raises(NotFound):
            followed_course(session, draft.course.key)
    with transaction() as session:
        grid = plant(
            session,
            kind=RegionKind.GRID,
            code="wutong-9",
            name="第九网格",
            parent=session.get_one(Region, town.wutong.id),
        )
        with pytest.raises(NotFound):
            follow_community(session, town.resident.account(session), grid)
