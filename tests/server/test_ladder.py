"""The ladder with a driven clock: what must arrive goes down rung by rung, on good days and bad ones, and nothing is told twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from miniprogram_api.sms import ConsoleSms, SmsGateway, SmsOutcome
from miniprogram_api.wechat import SendResult
from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import By, CourseRun, cancel_run, move_session
from models.grants import Answer, record_answers
from models.ladder import Call, CallState, ShortMessage, ShortMessageState
from models.ladder.falling import WAITS_FOR
from models.ladder.sending import LEASE, claim_due, settle
from models.notices import Delivery, Notice, NoticeKind, ShortMessageName, TemplateName, read_notice
from models.policies import set_policy
from models.regions import Region
from models.truth import still_true
from server.jobs import ladder
from server.jobs.delivery import deliver_due
from server.jobs.pushes import owe_what_was_allowed
from tests.carriers import Postman
from tests.people import Person, Town, a_bond, a_resident
from tests.phones import TEMPLATES, Door, told
from tests.sandbox import SEND

REFUSED = SmsOutcome(SendResult.REFUSED, "FailedOperation.PhoneNumberInBlacklist")
LATER = SmsOutcome(SendResult.TRY_LATER, "LimitExceeded.PhoneNumberThirtySecondLimit")
UNKNOWN = SmsOutcome(SendResult.UNKNOWN, reason="ReadTimeout")
NEIGHBOURS_PHONE = "13900000002"


@dataclass
class Evening:
    """A town at work: its door, its people, its carrier, its clock."""

    door: Door
    town: Town
    postman: Postman
    clock: StoppedClock
    promotions: int = 0

    def wait(self, span: timedelta = WAITS_FOR + timedelta(seconds=1)) -> None:
        """Let time go by."""
        self.clock.move_to(town_clock.now() + span)

    def a_promotion(self, person: Person | None = None) -> CourseRun:
        """Somebody moves up because the one before them gives up; WeChat is not allowed to tell them."""
        run = self.town.a_run(capacity=1, title="书法入门" + "续" * self.promotions)
        self.promotions += 1
        self.town.resident.tap(run)
        (person or self.town.neighbour).tap(run)
        self.town.resident.give_up(run)
        return run

    def fall(self) -> None:
        """What WeChat could not tell goes one rung down."""
        deliver()
        self.wait()
        ladder.pass_on(town_clock.now())

    def send(self) -> int:
        """The worker of the short messages, once."""
        return ladder.send_short_messages(town_clock.now())

    def call_list(self, who: str = "clerk") -> list[dict[str, object]]:
        """What somebody of the community finds on the list."""
        found: list[dict[str, object]] = told(self.door.phone(getattr(self.town, who)).get("/staff/calls"))[
            "items"
        ]
        return found


@pytest.fixture
def evening(door: Door, town: Town, clock: StoppedClock) -> Iterator[Evening]:
    postman, before = Postman(), door.app.extensions["sms"]
    door.app.extensions["sms"] = SmsGateway(postman, written=ConsoleSms())
    with door.app.app_context():
        yield Evening(door, town, postman, clock)
    door.app.extensions["sms"] = before


def deliver() -> None:
    while deliver_due(town_clock.now()):
        pass


def messages() -> list[ShortMessage]:
    with reading() as session:
        return list(session.scalars(select(ShortMessage).order_by(ShortMessage.id)))


def the_message() -> ShortMessage:
    (only,) = messages()
    return only


def calls() -> list[Call]:
    with reading() as session:
        return list(session.scalars(select(Call).order_by(Call.id)))


def the_call() -> Call:
    (only,) = calls()
    return only


def promotions(person: Person) -> list[Notice]:
    with reading() as session:
        return list(
            session.scalars(
                select(Notice).where(
                    Notice.account_id == person.account_id,
                    Notice.kind == NoticeKind.REGISTRATION_PROMOTED,
                )
            )
        )


# --- the whole way down -------------------------------------------------------------------------------------------


def test_who_allows_wechat_nothing_is_told_by_short_message_and_when_that_is_refused_by_a_call(
    evening: Evening,
) -> None:
    evening.postman.answers = [REFUSED]
    evening.a_promotion()
    deliver()
    (notice,) = promotions(evening.town.neighbour)
    assert notice.delivery is Delivery.NOT_GRANTED
    assert ladder.pass_on(town_clock.now()) == 0, "a late grant may still bring it back to WeChat"
    evening.wait()
    assert ladder.pass_on(town_clock.now()) == 1
    assert evening.send() == 1
    assert evening.postman.carried == [
        (
            NEIGHBOURS_PHONE,
            ShortMessageName.PROMOTED,
            {"course": "书法入门", "starts": "12月3日18:00"},
        )
    ]
    message = the_message()
    assert (message.state, message.outcome) == (ShortMessageState.REFUSED, REFUSED.code)
    (call,) = evening.call_list()
    assert (call["name"], call["phone"]) == ("刘洋", NEIGHBOURS_PHONE)
    assert call["reason"] == "短信被拒收"
    assert call["title"] == "候补已转正"
    assert str(call["body"]).startswith("书法入门，2026年12月3日 18:00，")
    phone = evening.door.phone(evening.town.grid_worker)
    sent = {"outcome": "not_reached", "attempt": 1, "note": "没人接，晚上再打"}
    assert told(phone.put(f"/staff/calls/{call['key']}/outcome", json=sent))["state"] == "not_reached"
    evening.clock.advance(hours=2)
    sent = {"outcome": "reached", "attempt": 2, "note": "本人已知"}
    answer = told(phone.put(f"/staff/calls/{call['key']}/outcome", json=sent))
    assert (answer["state"], answer["tries"], answer["by_name"]) == ("reached", 2, "网格员小孙")
    assert evening.call_list() == []
    evening.wait(timedelta(days=1))
    assert ladder.pass_on(town_clock.now()) == evening.send() == 0
    assert len(calls()) == len(messages()) == 1


def test_a_short_message_that_was_taken_is_the_end_of_it(evening: Evening) -> None:
    evening.a_promotion()
    evening.fall()
    assert [evening.send(), evening.send()] == [1, 0]
    message = the_message()
    assert (message.state, message.serial, message.attempts) == (ShortMessageState.SENT, "2640:1", 1)
    assert calls() == []
    evening.wait(timedelta(days=2))
    assert ladder.pass_on(town_clock.now()) == evening.send() == 0


def test_a_grant_that_comes_late_keeps_the_news_at_wechat(evening: Evening) -> None:
    evening.a_promotion()
    deliver()
    evening.wait(timedelta(minutes=9))
    evening.door.allow(evening.town.neighbour)
    owe_what_was_allowed(town_clock.now())
    deliver()
    assert promotions(evening.town.neighbour)[0].delivery is Delivery.SENT
    evening.wait()
    assert ladder.pass_on(town_clock.now()) == 0
    assert messages() == []


def test_a_grant_that_comes_after_the_next_rung_has_it_sends_nothing_twice(evening: Evening) -> None:
    evening.a_promotion()
    evening.fall()
    with transaction() as session:  # as if the waiting had begun a moment ago
        session.execute(update(Notice).values(settled_at=town_clock.now()))
    evening.door.allow(evening.town.neighbour)
    owe_what_was_allowed(town_clock.now())
    deliver()
    assert promotions(evening.town.neighbour)[0].delivery is Delivery.NOT_GRANTED
    assert evening.send() == 1


@pytest.mark.parametrize("reads", ["before it falls", "before it is sent", "before somebody calls"])
def test_news_that_was_read_in_the_inbox_goes_no_further(evening: Evening, reads: str) -> None:
    evening.postman.answers = [REFUSED]
    evening.a_promotion()
    deliver()

    (notice,) = promotions(evening.town.neighbour)

    def read() -> None:
        with transaction() as session:
            read_notice(session, evening.town.neighbour.account(session), notice.key)

    if reads == "before it falls":
        read()
    evening.wait()
    ladder.pass_on(town_clock.now())
    if reads == "before it is sent":
        read()
    evening.send()
    if reads == "before somebody calls":
        read()
    ladder.cancel_stale_calls(town_clock.now())
    assert evening.call_list() == []
    assert len(evening.postman.carried) == (1 if reads == "before somebody calls" else 0)


def test_what_need_not_arrive_stays_in_the_inbox(evening: Evening) -> None:
    evening.town.resident.tap(evening.town.a_run())
    evening.fall()
    assert messages() == []


def test_what_may_have_arrived_by_wechat_is_not_told_again(evening: Evening) -> None:
    evening.door.allow(evening.town.neighbour)
    evening.door.sandbox.fault(SEND, http_status=502)
    evening.a_promotion()
    evening.fall()
    assert promotions(evening.town.neighbour)[0].delivery is Delivery.UNKNOWN
    assert messages() == []


def test_what_is_over_the_days_most_at_wechat_still_arrives(evening: Evening) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, evening.town.wutong.id), "messages_a_day", "1")
    for _ in range(2):
        evening.door.allow(evening.town.neighbour)
        evening.a_promotion()
        deliver()
    assert [notice.delivery for notice in promotions(evening.town.neighbour)] == [
        Delivery.SENT,
        Delivery.CAPPED,
    ]
    evening.wait()
    ladder.pass_on(town_clock.now())
    assert evening.send() == 1


def test_what_was_told_with_another_that_was_not_told_falls_with_it(evening: Evening) -> None:
    evening.clock.move_to(datetime(2026, 11, 20, 23, 0, tzinfo=town_clock.TOWN_ZONE))
    for _ in range(2):
        evening.a_promotion()
    evening.clock.move_to(datetime(2026, 11, 21, 8, 0, tzinfo=town_clock.TOWN_ZONE))
    deliver()
    assert sorted(notice.delivery for notice in promotions(evening.town.neighbour)) == [
        Delivery.MERGED,
        Delivery.NOT_GRANTED,
    ]
    evening.wait()
    assert ladder.pass_on(town_clock.now()) == 2
    assert evening.send() == 1
    assert evening.send() == 1
    assert len(evening.postman.carried) == 2


# --- short messages -----------------------------------------------------------------------------------------------


def test_nobody_is_woken_by_a_short_message(evening: Evening) -> None:
    evening.clock.move_to(datetime(2026, 11, 20, 21, 25, tzinfo=town_clock.TOWN_ZONE))
    evening.a_promotion()
    evening.fall()
    assert evening.send() == 0
    evening.clock.move_to(datetime(2026, 11, 21, 7, 59, tzinfo=town_clock.TOWN_ZONE))
    assert evening.send() == 0
    evening.clock.move_to(datetime(2026, 11, 21, 8, 0, tzinfo=town_clock.TOWN_ZONE))
    assert evening.send() == 1


def cancelled_at_night(evening: Evening, *, begins: time) -> None:
    """Somebody's class is cancelled at 22:00 of the evening before, and WeChat may not tell them."""
    run = evening.town.a_run(
        title="太极", starts_at=datetime.combine(date(2026, 11, 21), begins, town_clock.TOWN_ZONE)
    )
    evening.town.neighbour.tap(run)
    evening.clock.move_to(datetime(2026, 11, 20, 22, 0, tzinfo=town_clock.TOWN_ZONE))
    with transaction() as session:
        cancel_run(session, session.get_one(CourseRun, run.id), by=By("老师生病"))
    evening.fall()


def test_who_would_come_before_the_morning_is_told_at_night(evening: Evening) -> None:
    cancelled_at_night(evening, begins=time(7, 30))
    assert evening.send() == 1
    assert evening.postman.phones == [NEIGHBOURS_PHONE]


def test_whom_the_morning_still_tells_in_time_is_let_sleep(evening: Evening) -> None:
    cancelled_at_night(evening, begins=time(8, 30))
    assert evening.send() == 0
    evening.clock.move_to(datetime(2026, 11, 21, 8, 0, tzinfo=town_clock.TOWN_ZONE))
    assert evening.send() == 1


def test_what_went_stale_is_told_by_nobody(evening: Evening) -> None:
    run = evening.a_promotion()
    evening.fall()
    evening.town.neighbour.give_up(run)
    evening.send()
    assert the_message().state is ShortMessageState.STALE
    assert evening.postman.carried == []
    assert calls() == []


def test_what_surely_did_not_go_out_is_tried_again_with_patience_and_then_called_about(
    evening: Evening,
) -> None:
    evening.postman.answers = [LATER] * 100
    evening.a_promotion()
    evening.fall()
    delays: list[timedelta] = []
    for _ in range(ladder.MOST_ATTEMPTS - 1):
        assert evening.send() == 0
        message = the_message()
        assert (message.state, message.outcome) == (ShortMessageState.OWED, LATER.code)
        delays.append(message.due_at - town_clock.now())
        assert evening.send() == 0
        evening.clock.move_to(message.due_at)
    assert evening.send() == 1
    message = the_message()
    assert (message.state, message.attempts) == (ShortMessageState.FAILED, ladder.MOST_ATTEMPTS)
    assert delays == sorted(delays)
    assert (delays[0], delays[-1]) == (ladder.FIRST_DELAY, ladder.LONGEST_DELAY)
    assert sum(delays, timedelta()) < timedelta(hours=1), "a person can be called meanwhile"
    assert len(evening.postman.carried) == ladder.MOST_ATTEMPTS
    assert [call["reason"] for call in evening.call_list()] == ["短信没发出去"]


def test_a_carrier_that_is_back_in_time_carries_it(evening: Evening) -> None:
    evening.postman.answers = [LATER, LATER]
    evening.a_promotion()
    evening.fall()
    for _ in range(3):
        evening.send()
        evening.wait(timedelta(minutes=2))
    assert the_message().state is ShortMessageState.SENT
    assert calls() == []


def test_what_may_have_gone_out_is_not_sent_again_but_called_about(evening: Evening) -> None:
    evening.postman.answers = [UNKNOWN]
    evening.a_promotion()
    evening.fall()
    assert evening.send() == 1
    assert (the_message().state, the_message().outcome) == (ShortMessageState.UNKNOWN, "ReadTimeout")
    evening.wait(timedelta(days=1))
    assert evening.send() == 0
    assert len(evening.postman.carried) == 1
    assert the_call().reason is ShortMessageState.UNKNOWN


def test_a_worker_lost_in_the_middle_leaves_a_call_and_sends_nothing_twice(evening: Evening) -> None:
    evening.a_promotion()
    evening.fall()
    with transaction() as session:
        assert len(claim_due(session, worker="killed", most=10, still_true=still_true)) == 1
    assert evening.send() == 0
    evening.wait(LEASE)
    assert ladder.settle_lost(town_clock.now()) == 0
    evening.wait(timedelta(seconds=1))
    assert ladder.settle_lost(town_clock.now()) == 1
    assert (the_message().state, the_message().outcome) == (ShortMessageState.UNKNOWN, "worker_lost")
    assert evening.send() == ladder.settle_lost(town_clock.now()) == 0
    assert evening.postman.carried == []
    assert the_call().state is CallState.OPEN


def test_two_who_share_a_phone_have_one_message_under_way_whoever_sends(evening: Evening) -> None:
    with transaction() as session:
        evening.town.outsider.resident(session).take_phone(NEIGHBOURS_PHONE, verified=False)
    for person in (evening.town.neighbour, evening.town.outsider):
        evening.a_promotion(person)
    evening.fall()

    def claim(most: int) -> list[ShortMessage]:
        with transaction() as session:
            return claim_due(session, worker="another", most=most, still_true=still_true)

    (first,) = claim(1)
    assert claim(10) == []
    with transaction() as session:
        settle(session, first.id, ShortMessageState.SENT)
    assert evening.send() == 1
    assert evening.postman.phones == [NEIGHBOURS_PHONE]


def test_an_outcome_that_comes_after_the_lease_changes_nothing(evening: Evening) -> None:
    evening.a_promotion()
    evening.fall()

    def outlast_the_lease(phone: str) -> None:
        evening.wait(LEASE + timedelta(seconds=1))
        with evening.door.app.app_context():
            assert ladder.settle_lost(town_clock.now()) == 1

    evening.postman.before = outlast_the_lease
    evening.send()
    assert the_message().state is ShortMessageState.UNKNOWN
    assert len(calls()) == 1


def test_a_phone_has_its_days_most_and_the_rest_is_called_about(evening: Evening) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, evening.town.wutong.id), "short_messages_a_day", "2")
    for _ in range(3):
        evening.a_promotion()
    evening.fall()
    assert [evening.send() for _ in range(4)] == [1, 1, 0, 0]
    assert [message.state for message in messages()] == [
        ShortMessageState.SENT,
        ShortMessageState.SENT,
        ShortMessageState.CAPPED,
    ]
    assert [call["reason"] for call in evening.call_list()] == ["当天短信已满"]
    evening.clock.move_to(datetime(2026, 11, 21, 9, 0, tzinfo=town_clock.TOWN_ZONE))
    evening.a_promotion()
    evening.fall()
    assert evening.send() == 1, "a new day"


def test_the_number_is_the_one_the_person_has_when_it_is_sent(evening: Evening) -> None:
    evening.a_promotion()
    evening.fall()
    with transaction() as session:
        evening.town.neighbour.resident(session).take_phone("13712345678", verified=False)
    evening.send()
    assert evening.postman.phones == ["13712345678"]


@pytest.mark.parametrize("phone", [None, "057188888888"])
def test_without_a_mobile_somebody_calls_at_once(evening: Evening, phone: str | None) -> None:
    evening.a_promotion()
    with transaction() as session:
        neighbour = evening.town.neighbour.resident(session)
        if phone is None:
            neighbour.forget_phone()
        else:
            neighbour.take_phone(phone, verified=False)
    evening.fall()
    evening.send()
    assert evening.postman.carried == []
    (call,) = evening.call_list()
    assert (call["phone"], call["reason"]) == (phone, "没有可以发短信的手机号")


def test_a_number_that_is_somebody_elses_gets_no_more_news_of_this_person(evening: Evening) -> None:
    evening.postman.answers = [REFUSED]
    evening.a_promotion()
    evening.fall()
    evening.send()
    (call,) = evening.call_list()
    phone = evening.door.phone(evening.town.clerk)
    told(phone.put(f"/staff/calls/{call['key']}/outcome", json={"outcome": "wrong_number", "attempt": 1}))
    evening.a_promotion()
    evening.fall()
    evening.send()
    assert len(evening.postman.carried) == 1
    assert [message.outcome for message in messages()][1] == "wrong_number"
    with transaction() as session:
        evening.town.neighbour.resident(session).take_phone("13712345678", verified=True)
    evening.a_promotion()
    evening.fall()
    evening.send()
    assert evening.postman.phones[1:] == ["13712345678"], "a new number is used"


def test_where_nobody_carries_short_messages_people_are_called(evening: Evening) -> None:
    evening.door.app.extensions["sms"] = SmsGateway(None, written=ConsoleSms())
    evening.a_promotion()
    evening.fall()
    evening.send()
    assert (the_message().state, the_message().outcome) == (ShortMessageState.REFUSED, "no carrier")
    assert len(evening.call_list()) == 1


def test_one_message_that_cannot_be_written_does_not_hold_up_the_others(evening: Evening) -> None:
    evening.a_promotion()
    evening.a_promotion(evening.town.guardian)
    evening.fall()
    broken = messages()[0]
    with transaction() as session:
        session.execute(
            update(ShortMessage)
            .where(ShortMessage.id == broken.id)
            .values(facts={"page_subject": "x", "course": "y"})
        )
    assert evening.send() == 2
    assert [message.state for message in messages()] == [ShortMessageState.FAILED, ShortMessageState.SENT]


def test_what_became_of_a_message_is_written_down_when_the_database_is_back(
    evening: Evening, hang_up_on_outcomes: Callable[[str], list[str]]
) -> None:
    evening.a_promotion()
    evening.fall()
    lost = hang_up_on_outcomes("short_messages")
    assert evening.send() == 1
    assert len(lost) == 1
    assert (the_message().state, the_message().serial) == (ShortMessageState.SENT, "2640:1")
    assert len(evening.postman.carried) == 1


def test_a_carrier_that_breaks_over_one_message_carries_the_others(evening: Evening) -> None:
    def break_over_the_neighbour(phone: str) -> None:
        if phone == NEIGHBOURS_PHONE:
            raise RuntimeError("a fault of the carrier's own")

    evening.a_promotion()
    evening.a_promotion(evening.town.guardian)
    evening.fall()
    evening.postman.before = break_over_the_neighbour
    assert evening.send() == 2
    assert [(message.state, message.outcome) for message in messages()] == [
        (ShortMessageState.UNKNOWN, "RuntimeError"),
        (ShortMessageState.SENT, "Ok"),
    ]
    assert len(evening.call_list()) == 1, "nobody knows, so somebody calls"


def test_a_slow_carrier_gets_no_more_than_it_can_take_before_the_lease_is_over(
    evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "CONNECTIONS", 1)
    evening.a_promotion()
    evening.a_promotion(evening.town.guardian)
    evening.fall()
    evening.postman.before = lambda phone: evening.wait(LEASE / 2)
    assert evening.send() == 1
    assert [(message.state, message.outcome) for message in messages()] == [
        (ShortMessageState.SENT, "Ok"),
        (ShortMessageState.OWED, "too_slow"),
    ]


# --- calls --------------------------------------------------------------------------------------------------------


def test_a_call_whose_news_went_stale_leaves_the_list(evening: Evening) -> None:
    evening.postman.answers = [REFUSED]
    run = evening.a_promotion()
    evening.fall()
    evening.send()
    assert ladder.cancel_stale_calls(town_clock.now()) == 0
    evening.town.neighbour.give_up(run)
    assert ladder.cancel_stale_calls(town_clock.now()) == 1
    assert ladder.cancel_stale_calls(town_clock.now()) == 0
    assert the_call().state is CallState.CANCELLED
    assert evening.call_list() == []


def test_a_call_that_came_up_at_night_waits_for_the_morning(evening: Evening) -> None:
    evening.clock.move_to(datetime(2026, 11, 20, 21, 18, tzinfo=town_clock.TOWN_ZONE))
    evening.postman.answers = [UNKNOWN]
    evening.a_promotion()
    evening.fall()
    evening.postman.before = lambda phone: evening.wait(timedelta(minutes=1, seconds=50))
    evening.send()
    assert the_call().due_at == datetime(2026, 11, 21, 8, 0, tzinfo=town_clock.TOWN_ZONE)


def test_a_call_that_would_come_too_late_in_the_morning_is_made_while_it_helps(evening: Evening) -> None:
    evening.postman.answers = [REFUSED]
    cancelled_at_night(evening, begins=time(7, 30))
    evening.send()
    assert the_call().due_at == town_clock.now()
    (listed,) = evening.call_list()
    told_so = {"outcome": "not_reached", "attempt": 1}
    phone = evening.door.phone(evening.town.clerk)
    told(phone.put(f"/staff/calls/{listed['key']}/outcome", json=told_so))
    assert the_call().due_at == town_clock.now() + timedelta(hours=2), "there is no morning to wait for"
    ladder.cancel_stale_calls(town_clock.now())
    assert the_call().state is CallState.NOT_REACHED


# --- acted for you ------------------------------------------------------------------------------------------------


def test_an_elder_with_a_number_and_no_wechat_hears_by_short_message_who_did_what(evening: Evening) -> None:
    with transaction() as session:
        evening.town.elder.resident(session).take_phone("13612345678", verified=False)
    run = evening.town.a_run(title="太极")
    evening.town.helper.tap(run, for_whom=evening.town.elder)
    assert evening.send() == 1
    assert evening.postman.carried == [
        (
            "13612345678",
            ShortMessageName.ACTED_FOR_YOU,
            {"helper": "王（家人代办）", "deed": "报名12月3日18:00的太极"},
        )
    ]


def test_an_elder_without_a_number_is_called_or_called_on(evening: Evening) -> None:
    evening.town.helper.tap(evening.town.a_run(title="太极"), for_whom=evening.town.elder)
    evening.send()
    (call,) = evening.call_list("grid_worker")
    assert (call["name"], call["phone"]) == ("王奶奶", None)
    assert str(call["body"]).startswith("王（家人代办）已替您报名：太极，2026年12月3日 18:00，")


def test_an_elder_with_wechat_hears_of_it_there(evening: Evening) -> None:
    with transaction() as session:
        elder = a_resident(session, evening.town.wutong, name="欧阳奶奶", birth_year=1950)
        a_bond(session, evening.town.helper, elder)
        answers: dict[str, Answer] = {TemplateName.ACTED_FOR_YOU: Answer.ACCEPT}
        record_answers(session, elder.account(session), answers)
        openid = elder.account(session).openid
    evening.door.sandbox.accept(openid, TEMPLATES[TemplateName.ACTED_FOR_YOU])
    evening.town.helper.tap(evening.town.a_run(title="太极"), for_whom=elder)
    deliver()
    (message,) = evening.door.sandbox.messages(openid)
    assert message["title"] == "代办确认通知"
    assert message["values"] == {
        "thing1": "报名太极",
        "time2": "2026年11月20日 12:00",
        "thing3": "王（家人代办）",
    }
    evening.wait()
    assert ladder.pass_on(town_clock.now()) == 0


# --- a class that changes -----------------------------------------------------------------------------------------


def a_moved_class(evening: Evening) -> CourseRun:
    """A class somebody has a seat in is held a day later; WeChat is not allowed to tell them."""
    run = evening.town.a_run(title="书法入门")
    evening.town.neighbour.tap(run)
    with transaction() as session:
        meeting = session.get_one(CourseRun, run.id).sessions[0]
        move_session(
            session,
            meeting,
            starts_at=meeting.starts_at + timedelta(days=1),
            ends_at=meeting.ends_at + timedelta(days=1),
            venue=meeting.venue,
            by=By("老师出差"),
        )
    return run


def test_a_change_reaches_by_short_message_with_a_link_to_the_class(evening: Evening) -> None:
    a_moved_class(evening)
    evening.fall()
    assert evening.send() == 1
    ((phone, name, values),) = evening.postman.carried
    assert (phone, name) == (NEIGHBOURS_PHONE, ShortMessageName.CLASS_CHANGED)
    assert {slot: values[slot] for slot in ("course", "starts")} == {
        "course": "书法入门",
        "starts": "12月4日18:00",
    }
    assert values["link"].startswith("http")


def test_while_wechat_gives_no_link_the_short_message_waits_for_it(evening: Evening) -> None:
    a_moved_class(evening)
    evening.fall()
    evening.door.sandbox.fault("/wxa/generate_urllink", errcode=-1, times=1)
    assert evening.send() == 0
    assert (the_message().state, the_message().outcome) == (ShortMessageState.OWED, "no_link")
    evening.wait(timedelta(minutes=1))
    assert evening.send() == 1
    assert the_message().state is ShortMessageState.SENT


def test_a_link_that_cannot_be_looked_up_leaves_the_message_for_later(
    evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(run_key: str) -> str:
        raise OperationalError("SELECT", None, ConnectionError("the server went away"))

    a_moved_class(evening)
    evening.fall()
    monkeypatch.setattr(ladder, "url_link_for", away)
    assert evening.send() == 0
    assert (the_message().state, the_message().outcome) == (ShortMessageState.OWED, "no_link")


def test_a_class_called_off_is_said_in_a_short_message(evening: Evening) -> None:
    run = evening.town.a_run(title="书法入门")
    evening.town.neighbour.tap(run)
    with transaction() as session:
        cancel_run(session, session.get_one(CourseRun, run.id), by=By("老师出差"))
    evening.fall()
    assert evening.send() == 1
    ((_, name, values),) = evening.postman.carried
    assert (name, values) == (
        ShortMessageName.CLASS_CANCELLED,
        {"course": "书法入门", "starts": "12月3日18:00"},
    )
