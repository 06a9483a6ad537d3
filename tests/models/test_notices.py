"""What is told, in which words, when, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from models import clock as town_clock
from models.base import db, reading, transaction, writer
from models.clock import StoppedClock
from models.notices import (
    HEARD_AFTER,
    MOMENTS,
    PROMPTS,
    About,
    Debt,
    Delivery,
    Moment,
    Notice,
    NoticeKind,
    TemplateName,
    goes_out_at,
    inbox_of,
    owe,
)
from models.notices.keywords import NOTHING, cut, fit, say_time
from models.notices.outbox import morning_after
from models.notices.sending import LEASE, claim_due, give_up_on_the_dead, put_back, settle
from models.policies import DEFAULTS, Policies, set_policy
from models.regions import Region
from tests.people import Person, Town


def quiet(between: time, and_until: time) -> Policies:
    """The numbers of the house, with these hours of quiet."""
    return replace(DEFAULTS, quiet_from=between, quiet_until=and_until)


def at(hour: int, minute: int = 0, *, day: int = 20) -> datetime:
    """A moment of November on the town's wall."""
    return datetime(2026, 11, day, hour, minute, tzinfo=town_clock.TOWN_ZONE)


# --- quiet hours --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raised", "goes_out"),
    [
        (at(12), at(12)),
        (at(21, 29), at(21, 29)),
        (at(21, 30), at(8, day=21)),
        (at(23, 59), at(8, day=21)),
        (at(0, day=21), at(8, day=21)),
        (at(7, 59, day=21), at(8, day=21)),
        (at(8, day=21), at(8, day=21)),
    ],
)
def test_nobody_is_woken(raised: datetime, goes_out: datetime) -> None:
    assert morning_after(DEFAULTS, raised) == goes_out


@pytest.mark.parametrize(
    ("quiet_from", "quiet_until", "raised", "goes_out"),
    [
        (time(12, 0), time(14, 0), at(13), at(14)),
        (time(12, 0), time(14, 0), at(14), at(14)),
        (time(12, 0), time(12, 0), at(12), at(12)),
        (time(0, 0), time(6, 0), at(0), at(6)),
    ],
)
def test_a_community_may_be_quiet_at_noon_or_never(
    quiet_from: time, quiet_until: time, raised: datetime, goes_out: datetime
) -> None:
    assert morning_after(quiet(quiet_from, quiet_until), raised) == goes_out


@given(st.integers(0, 60 * 24 * 3), st.integers(0, 23), st.integers(0, 23))
def test_what_waits_goes_out_within_a_day_and_never_in_the_quiet(
    minutes: int, quiet_from: int, quiet_until: int
) -> None:
    raised = at(0) + timedelta(minutes=minutes)
    rules = quiet(time(quiet_from), time(quiet_until))
    out = morning_after(rules, raised)
    assert raised <= out < raised + timedelta(days=1)
    assert morning_after(rules, out) == out


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=lambda moment: moment.kind)
def test_whether_a_message_waits_for_the_morning_stands_in_the_catalogue(town: Town, moment: Moment) -> None:
    with reading() as session:
        for place in (town.wutong.id, None):
            goes_out = goes_out_at(session, moment.kind, place, at(3))
            assert goes_out == (at(8) if moment.waits_for_morning else at(3))


# --- words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keyword", "value", "fitted"),
    [
        ("thing1", "摄影入门", "摄影入门"),
        ("thing1", "一" * 21, "一" * 19 + "…"),
        ("thing1", "一" * 20, "一" * 20),
        ("thing2", "", NOTHING),
        ("thing2", "👵🏻", NOTHING),
        ("thing2", "跳舞💃吧", "跳舞吧"),
        ("thing3", "第一行\n第二行\x00", "第一行 第二行"),
        ("phrase4", "报名成功!", "报名成功"),
        ("phrase4", "OK", NOTHING),
        ("phrase4", "一二三四五六", "一二三四五"),
        ("character_string5", "No. 12号", "No.12"),
        ("character_string5", "号", "-"),
        ("number6", "约 12.5 元", "12.5"),
        ("number6", "", "0"),
        ("time2", "2026-12-03T10:00:00+00:00", "2026年12月3日 18:00"),
        ("date2", "2026-12-31T16:00:00+00:00", "2027年1月1日 00:00"),
        ("thing1", "8:00～9:00", "8:00~9:00"),
    ],
)
def test_a_fact_is_fitted_to_its_keyword(keyword: str, value: str, fitted: str) -> None:
    assert fit(keyword, value) == fitted


def test_a_type_we_do_not_use_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        fit("car_number1", "京A")


@given(st.text(max_size=80))
def test_whatever_people_write_fits(value: str) -> None:
    assert 1 <= len(fit("thing1", value)) <= 20
    assert 1 <= len(fit("phrase1", value)) <= 5


def test_cutting_counts_the_ellipsis() -> None:
    assert cut("一二三四", 3) == "一二…"
    assert cut("一二三", 3) == "一二三"


# what each noun brings of its own; ``page_subject`` and ``learner`` come with every notice
FACTS: dict[About, dict[str, Any]] = {
    About.REGISTRATION: {
        "course": "摄影",
        "starts_at": "2026-12-03T10:00:00+00:00",
        "place": "书画室",
        "remark": "请带毛笔",
        "change": "时间调整",
        "reason": "老师出差",
        "kept": "您的名额保留",
        "outcome": "已中签",
        "expires_at": "2026-11-21T04:00:00+00:00",
        "until": "11月21日12:00",
        "helper": "王（家人代办）",
        "done": "报名",
        "matter": "报名摄影",
        "deed": "报名12月3日18:00的摄影",
        "fetched_at": "2026-12-03T11:30:00+00:00",
        "says_at": "19:30",
        "fetcher": "李（老人）",
        "acted_at": "2026-11-20T04:00:00+00:00",
    },
    About.ATTENDANCE: {
        "course": "摄影",
        "starts_at": "2026-12-03T10:00:00+00:00",
        "result": "缺课",
        "follows": "下次来不了请提前请假",
        "appeal": "七天内可申诉",
        "outcome": "维持原记录",
        "remark": "请点开查看答复，有疑问联系社区",
    },
    About.WISH: {
        "number": "0012",
        "community": "梧桐里",
        "result": "已通过",
        "word": "已经挂上心愿墙，等人认领",
        "helper": "王（家人代办）",
        "matter": "提交微心愿",
        "deed": "提交了0012号微心愿",
        "acted_at": "2026-11-20T04:00:00+00:00",
        "when_at": "2026-12-05T04:00:00+00:00",
        "due_at": "2026-12-05T04:00:00+00:00",
        "hours": 8,
        "late": 2,
    },
    About.CLAIM: {
        "number": "0012",
        "community": "梧桐里",
        "unit": "安澜市第三中学",
        "until": "12月20日",
        "finishes_at": "2026-12-20T15:59:00+00:00",
        "result": "已延期",
        "word": "新的日子和原因请点开查看",
        "when_at": "2026-12-20T15:59:00+00:00",
        "delivered_at": "2026-12-03T10:00:00+00:00",
        "how": "收到了请点确认，没有请告诉社区",
        "matter": "认领已确认，请联系许愿人",
        "due_at": "2026-12-03T10:00:00+00:00",
        "reason": "这位居民已搬走",
        "ended_at": "2026-12-03T10:00:00+00:00",
        "hours": 24,
        "late": 2,
        "wanted": "请催办或另外派单",
    },
    About.MEETING: {
        "title": "四季度联席会议",
        "street": "东街街道",
        "starts_at": "2026-12-03T10:00:00+00:00",
        "place": "街道三楼会议室",
        "number": 3,
        "remark": "请看看有没有能认领的",
    },
    About.PAUSE: {
        "course": "社区课程报名",
        "result": "暂停报名",
        "when_at": "2026-12-03T10:00:00+00:00",
        "says_when": "12月3日 18:00",
        "appeal": "七天内可申诉",
    },
    About.DESK: {"number": 3, "kinds": "消息没送达3件", "as_of": "2026-12-03T10:00:00+00:00"},
    About.CONSENT: {"version": "2027-01", "told_at": "2026-12-03T10:00:00+00:00"},
    About.NEW_CLASS: {
        "course": "摄影",
        "what": "2门课",
        "names": "摄影、书法",
        "matter": "新开2门课：摄影",
        "opens_at": "2026-12-03T10:00:00+00:00",
        "opening": "现在可以报名",
    },
    About.RESERVATION: {
        "room": "舞蹈室",
        "place": "舞蹈室（服务站）",
        "starts_at": "2026-12-03T10:00:00+00:00",
        "ends": "20:00",
        "result": "已预约",
        "reason": "请按时签到，用完签退",
        "code": "246810",
        "expires_at": "2026-11-21T04:00:00+00:00",
        "until": "11月21日12:00",
        "points": 85,
        "taken": 15,
        "follows": "有误可以在七天内申诉",
        "helper": "王（家人代办）",
        "done": "预约场地",
        "matter": "预约场地舞蹈室",
        "deed": "预约场地12月3日18:00的舞蹈室",
        "acted_at": "2026-11-20T04:00:00+00:00",
        "was": "12月3日18:00的舞蹈室",
        "remark": "来不了可以不同意，不扣信用分。",
    },
    About.GROUP: {
        "group": "夕阳红合唱团",
        "result": "已通过",
        "remark": "可以以团队名义预约场地了",
        "decided_at": "2026-12-03T10:00:00+00:00",
    },
    About.PARTNER: {
        "unit": "光影工作室",
        "result": "已通过",
        "decided_at": "2026-11-21T04:00:00+00:00",
        "remark": "可以认领心愿了",
        "last_day": "2026年12月20日",
        "ends_at": "2026-12-20T15:59:00+00:00",
    },
    About.AGREEMENT: {
        "agreement": "舞蹈室换义诊",
        "given": "12月1日90分钟",
        "decided_at": "2026-12-03T10:00:00+00:00",
        "room": "舞蹈室",
        "place": "舞蹈室（服务站）",
        "starts_at": "2026-12-03T10:00:00+00:00",
        "to": "活动室 14:00-16:00",
        "ends": "20:00",
        "until": "19:00",
        "reason": "水管爆裂",
        "hours": 6,
        "unit": "社区医院",
        "as_of": "2026-12-03T10:00:00+00:00",
        "remark": "请尽快安排服务",
    },
    About.CONTENT_CHECK: {"what": "称呼", "decided_at": "2026-12-03T10:00:00+00:00"},
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=lambda moment: moment.kind)
def test_every_moment_speaks_in_whole_sentences(moment: Moment) -> None:
    """Each moment's keywords and words can be filled from the facts its noun brings, and every keyword fits."""
    facts = {**FACTS[moment.about], "page_subject": "k"}
    notice = Notice(kind=moment.kind, facts={**facts, "learner": "王奶奶"})
    values = notice.keyword_values()
    assert set(values) == set(moment.keywords)
    assert NOTHING not in values.values()
    assert notice.body.startswith("王奶奶：")
    assert notice.body.endswith(("。", moment.constants.get("remark", "。"), "请带毛笔"))
    assert "{" not in notice.body + notice.page
    assert notice.title == moment.title
    assert moment.worth > timedelta(0)


def test_a_tap_asks_for_three_messages_at_most() -> None:
    assert all(1 <= len(templates) <= 3 for templates in PROMPTS.values())


def test_a_tap_asks_for_what_one_hears_of_after_it() -> None:
    asked = {template for templates in PROMPTS.values() for template in templates}
    assert asked == set(TemplateName), "a template nobody is asked for is never allowed"
    assert {kind for kinds in HEARD_AFTER.values() for kind in kinds} == set(NoticeKind)
    assert MOMENTS[NoticeKind.REGISTRATION_PROMOTED].template in PROMPTS["waitlist"]


def test_a_moment_is_said_as_the_towns_wall_clock_shows_it() -> None:
    """E14."""
    assert say_time(at(9, 5)) == "2026年11月20日 09:05"


# --- the outbox ---------------------------------------------------------------------------------------------------


def owe_one(
    town: Town,
    *,
    subject: str = "subject",
    due_at: datetime | None = None,
    person: Person | None = None,
    kind: NoticeKind = NoticeKind.REGISTRATION_CONFIRMED,
) -> None:
    """Owe the resident (or somebody else) one notice."""
    debt = Debt(
        kind,
        subject_key=subject,
        page_subject="run",
        account_ids=[(person or town.resident).account_id or 0],
        facts={"course": "摄影", "starts_at": at(18).isoformat(), "place": "书画室", "learner": ""},
        due_at=due_at or town_clock.now(),
    )
    with writer(db.engine).begin() as connection:
        owe(connection, [debt])


def claim(worker: str = "worker", most: int = 10) -> list[Notice]:
    """What this worker may send."""
    with transaction() as session:
        return [claimed.notice for claimed in claim_due(session, worker=worker, most=most)]


def now(notice: Notice) -> Notice:
    """The notice as it stands."""
    with reading() as session:
        return session.get_one(Notice, notice.id)


def test_the_same_thing_is_owed_once(town: Town) -> None:
    owe_one(town)
    with pytest.raises(IntegrityError):
        owe_one(town)


def test_owing_nobody_is_fine(town: Town) -> None:
    with writer(db.engine).begin() as connection:
        owe(connection, [])
    assert claim() == []


def test_the_inbox_has_everything_newest_first(town: Town) -> None:
    owe_one(town, subject="first", due_at=at(8, day=21))
    owe_one(town, subject="second")
    with reading() as session:
        mine = session.scalars(inbox_of(town.resident.account(session))).all()
        others = session.scalars(inbox_of(town.neighbour.account(session))).all()
    assert [notice.subject_key for notice in mine] == ["second", "first"]
    assert others == []


def test_what_is_due_is_claimed_once_oldest_first(town: Town) -> None:
    for n, person in enumerate((town.resident, town.neighbour, town.outsider)):
        owe_one(town, subject=f"s{n}", person=person)
    owe_one(town, subject="tomorrow", due_at=at(8, day=21))
    first, rest = claim("one", most=2), claim("two")
    assert [notice.subject_key for notice in first] == ["s0", "s1"]
    assert [notice.subject_key for notice in rest] == ["s2"]
    assert {(n.delivery, n.claimed_by, n.attempts) for n in first} == {(Delivery.SENDING, "one", 1)}
    assert claim("three") == []


def test_one_person_has_one_message_under_way_whoever_sends(town: Town) -> None:
    """WeChat answers 43108 to a second one (wechat.md §4.1)."""
    owe_one(town, subject="first")
    owe_one(town, subject="second")
    (first,) = claim("one")
    assert first.subject_key == "first"
    assert claim("two") == []
    with transaction() as session:
        settle(session, first.id, Delivery.SENT)
    assert [notice.subject_key for notice in claim("two")] == ["second"]


def test_what_waited_for_the_morning_goes_out_as_one_a_kind(town: Town, clock: StoppedClock) -> None:
    clock.move_to(at(22))
    for n in range(3):
        owe_one(town, subject=f"s{n}", kind=NoticeKind.REGISTRATION_PROMOTED, due_at=at(8, day=21))
    owe_one(town, subject="other", kind=NoticeKind.ACTED_FOR_YOU, due_at=at(8, day=21))
    owe_one(
        town,
        subject="by-day",
        person=town.neighbour,
        kind=NoticeKind.REGISTRATION_PROMOTED,
        due_at=at(8, day=21),
    )
    clock.move_to(at(8, day=21))
    with transaction() as session:
        claimed = claim_due(session, worker="early", most=10)
    assert {(c.notice.subject_key, c.others) for c in claimed} == {("s0", 2), ("by-day", 0)}
    with reading() as session:
        mine = session.scalars(inbox_of(town.resident.account(session))).all()
    assert {n.subject_key: n.delivery for n in mine} == {
        "s0": Delivery.SENDING,
        "s1": Delivery.MERGED,
        "s2": Delivery.MERGED,
        "other": Delivery.OWED,
    }
    with transaction() as session:
        for each in claimed:
            settle(session, each.notice.id, Delivery.SENT)
    assert [notice.subject_key for notice in claim()] == ["other"], "another kind goes out by itself"


def test_what_waited_goes_out_as_one_however_much_of_others_lies_between(
    town: Town, clock: StoppedClock
) -> None:
    clock.move_to(at(22))
    morning = at(8, day=21)
    owe_one(town, subject="first", kind=NoticeKind.REGISTRATION_PROMOTED, due_at=morning)
    for n, person in enumerate(town.people(20)):
        owe_one(town, subject=f"s{n}", person=person, kind=NoticeKind.REGISTRATION_PROMOTED, due_at=morning)
    owe_one(town, subject="last", kind=NoticeKind.REGISTRATION_PROMOTED, due_at=morning)
    clock.move_to(morning)
    with transaction() as session:
        (claimed,) = claim_due(session, worker="early", most=1)
    assert (claimed.notice.subject_key, claimed.others) == ("first", 1)


def test_a_person_gets_so_many_ordinary_messages_a_day_and_any_number_of_urgent_ones(
    town: Town, clock: StoppedClock
) -> None:
    """At most five by default, fewer where the community says so (domain.md §6)."""
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "messages_a_day", "2")
    owe_one(town, subject="urgent")
    for n in range(3):
        owe_one(town, subject=f"s{n}", kind=NoticeKind.REGISTRATION_PROMOTED)
    owe_one(town, subject="urgent-too")
    for _ in range(5):
        for notice in claim():
            with transaction() as session:
                settle(session, notice.id, Delivery.SENT)
    with reading() as session:
        mine = session.scalars(inbox_of(town.resident.account(session))).all()
    assert {n.subject_key: n.delivery for n in mine} == {
        "s0": Delivery.SENT,
        "s1": Delivery.SENT,
        "s2": Delivery.CAPPED,
        "urgent": Delivery.SENT,
        "urgent-too": Delivery.SENT,
    }
    clock.advance(days=1)
    owe_one(town, subject="next-day", kind=NoticeKind.REGISTRATION_PROMOTED)
    assert [notice.subject_key for notice in claim()] == ["next-day"]


def test_an_outcome_is_written_once(town: Town) -> None:
    owe_one(town)
    (notice,) = claim()
    with transaction() as session:
        settle(session, notice.id, Delivery.SENT, outcome="0")
        settle(session, notice.id, Delivery.REFUSED, outcome="43101")
        put_back(session, notice.id, due_at=town_clock.now(), outcome="too late")
    after = now(notice)
    assert (after.delivery, after.outcome, after.settled_at) == (Delivery.SENT, "0", town_clock.now())
    assert claim() == []


def test_a_long_outcome_is_cut(town: Town) -> None:
    owe_one(town)
    (notice,) = claim()
    with transaction() as session:
        settle(session, notice.id, Delivery.REFUSED, outcome="x" * 500)
    assert now(notice).outcome == "x" * 80


def test_what_surely_did_not_arrive_goes_out_again_later(town: Town, clock: town_clock.StoppedClock) -> None:
    owe_one(town)
    (notice,) = claim()
    with transaction() as session:
        put_back(session, notice.id, due_at=town_clock.now() + timedelta(minutes=5), outcome="-1")
    assert claim() == []
    clock.advance(minutes=5)
    (again,) = claim("another")
    assert (again.id, again.attempts, again.claimed_by) == (notice.id, 2, "another")


def test_what_is_tried_again_later_holds_back_what_came_after_it(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    """A person hears of things in the order they were owed in; other people do not wait with them."""
    for subject in ("first", "second"):
        owe_one(town, subject=subject)
        owe_one(town, subject=f"next-{subject}", person=town.neighbour)
    first, neighbours = claim()
    with transaction() as session:
        put_back(session, first.id, due_at=town_clock.now() + timedelta(minutes=5), outcome="-1")
        settle(session, neighbours.id, Delivery.SENT)
    (others,) = claim()
    assert others.subject_key == "next-second"
    clock.advance(minutes=5)
    (again,) = claim()
    assert (again.subject_key, again.attempts) == ("first", 2)
    with transaction() as session:
        settle(session, again.id, Delivery.SENT)
    assert [notice.subject_key for notice in claim()] == ["second"]


def test_news_since_the_last_try_is_reason_to_try_again_at_once_and_goes_out_behind(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    """Nobody waits an hour for the answer to their tap because WeChat was out of order in the morning."""
    owe_one(town, subject="first")
    (first,) = claim()
    with transaction() as session:
        put_back(session, first.id, due_at=town_clock.now() + timedelta(hours=1), outcome="-1")
    clock.advance(minutes=1)
    owe_one(town, subject="second")
    (again,) = claim()
    assert (again.subject_key, again.attempts) == ("first", 2)
    with transaction() as session:
        put_back(session, first.id, due_at=town_clock.now() + timedelta(hours=1), outcome="-1")
    assert claim() == []  # once, not every second
    clock.advance(hours=1)
    for subject in ("first", "second"):
        (notice,) = claim()
        assert notice.subject_key == subject
        with transaction() as session:
            settle(session, notice.id, Delivery.SENT)


def test_what_waits_for_its_next_try_does_not_go_out_once_its_news_is_old(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    owe_one(town, subject="first")
    (first,) = claim()
    with transaction() as session:
        put_back(session, first.id, due_at=town_clock.now() + timedelta(days=3), outcome="-1")
    clock.advance(days=2, hours=1)
    owe_one(town, subject="second")
    assert [notice.subject_key for notice in claim()] == ["second"]
    assert now(first).delivery is Delivery.STALE


def test_what_a_dead_worker_held_is_unknown_and_never_sent_again(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    owe_one(town)
    (notice,) = claim()
    clock.advance(seconds=LEASE.total_seconds())
    with transaction() as session:
        assert give_up_on_the_dead(session) == 0
    clock.advance(seconds=1)
    with transaction() as session:
        assert give_up_on_the_dead(session) == 1
        assert give_up_on_the_dead(session) == 0
        settle(session, notice.id, Delivery.SENT)
    assert (now(notice).delivery, now(notice).outcome) == (Delivery.UNKNOWN, "worker_lost")
    assert claim() == []


def test_a_worker_that_died_before_its_commit_claimed_nothing(town: Town) -> None:
    owe_one(town)
    with reading() as session:
        before = session.scalars(select(Notice)).one()

    class PowerCut(BaseException):
        pass

    with pytest.raises(PowerCut):
        claim_and_die(PowerCut())
    assert now(before).delivery is Delivery.OWED
    assert len(claim()) == 1


def claim_and_die(death: BaseException) -> None:
    """Claim, and never reach the commit."""
    with transaction() as session:
        assert claim_due(session, worker="doomed", most=1)
        raise death


# --- news that is old ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NoticeKind)
def test_news_goes_out_as_long_as_it_is_worth_sending_and_stays_in_the_inbox_afterwards(
    town: Town, clock: StoppedClock, kind: NoticeKind
) -> None:
    raised = town_clock.now()
    owe_one(town, kind=kind, subject="in time")
    (in_time,) = claim()
    put_back_now(in_time)
    clock.move_to(in_time.worth_until - timedelta(seconds=1))
    (again,) = claim()
    put_back_now(again)
    clock.move_to(in_time.worth_until)
    assert claim() == []
    late = now(in_time)
    assert (late.delivery, late.outcome, late.settled_at) == (Delivery.STALE, "too_late", town_clock.now())
    assert raised < late.worth_until <= raised + MOMENTS[kind].worth
    with reading() as session:
        assert session.scalars(inbox_of(town.resident.account(session))).one().id == late.id


def put_back_now(notice: Notice) -> None:
    with transaction() as session:
        put_back(session, notice.id, due_at=town_clock.now(), outcome="-1")


def test_a_reminder_is_worth_nothing_once_the_class_has_begun(town: Town, clock: StoppedClock) -> None:
    clock.move_to(at(17, 30))  # half an hour before
    owe_one(town, kind=NoticeKind.CLASS_SOON)
    clock.move_to(at(17, 59))
    (reminder,) = claim()
    assert reminder.worth_until == at(18)
    put_back_now(reminder)
    clock.move_to(at(18))
    assert claim() == []
    assert now(reminder).delivery is Delivery.STALE


def test_what_is_too_late_is_told_with_nothing_and_hides_nothing(town: Town, clock: StoppedClock) -> None:
    owe_one(town, subject="old", due_at=at(8, day=21))
    clock.advance(days=2)
    owe_one(town, subject="new")
    (told,) = claim()
    assert told.subject_key == "new"
    with reading() as session:
        old = session.scalars(select(Notice).where(Notice.subject_key == "old")).one()
    assert old.delivery is Delivery.STALE
