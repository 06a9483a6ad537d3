"""What WeChat told becomes true: the ledger, the last word on a message, what a person took back; one bad event harms no other."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.accounts import Account
from models.base import reading, transaction
from models.clock import StoppedClock
from models.grants import SAME_ANSWER, Answer, GrantReport, MessageGrant, empty, record_answers
from models.notices import Delivery, Notice, TemplateName
from models.notices.outcomes import CLOCKS_DIFFER, STILL_WANTED, TOLD_WITHIN
from models.notices.sending import claim_due
from models.pushes import (
    KEPT_FOR,
    MOST_ATTEMPTS,
    Push,
    PushKind,
    PushState,
    Told,
    media_verdict,
    stuck_pushes,
    take_down,
    use_stamp,
)
from server.jobs import pushes as job
from server.jobs.delivery import deliver_due
from server.jobs.pushes import WAITS_FOR, forget_pushes, owe_what_was_allowed, settle_pushes
from tests.people import Person, Town
from tests.phones import TEMPLATES, Door, told
from tests.sandbox import SEND

RESULT = TemplateName.REGISTRATION_RESULT


def tell(kind: PushKind, openid: str, *, at: datetime | None = None, key: str = "", **facts: Any) -> None:
    """WeChat tells something."""
    if kind in {PushKind.POPUP_ANSWERED, PushKind.TEMPLATE_REFUSED, PushKind.MESSAGE_SETTLED}:
        facts = {"template_id": TEMPLATES[RESULT], **facts}
    with transaction() as session:
        one = Told(
            kind=kind,
            openid=openid,
            at=at or town_clock.now(),
            dedupe_key=key or f"{kind}-{town_clock.now().timestamp()}-{facts}"[:40],
            facts=facts,
            trace_id=facts.pop("trace_id", None),
        )
        take_down(session, [one])


def settle() -> int:
    return settle_pushes(town_clock.now())


def the_push() -> Push:
    with reading() as session:
        return session.scalars(select(Push).order_by(Push.id.desc())).first() or pytest.fail("no push")


def ledger(person: Person) -> MessageGrant:
    with reading() as session:
        return session.scalars(
            select(MessageGrant).where(
                MessageGrant.account_id == person.account_id, MessageGrant.template == RESULT
            )
        ).one()


def answer(person: Person, said: Answer = Answer.ACCEPT) -> None:
    """The phone reports an answer."""
    with transaction() as session:
        record_answers(session, person.account(session), {RESULT.value: said})


def the_notice(person: Person) -> Notice:
    with reading() as session:
        return session.scalars(select(Notice).where(Notice.account_id == person.account_id)).one()


# --- the ledger ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [-SAME_ANSWER.total_seconds(), -1, 0, 1, SAME_ANSWER.total_seconds()])
def test_two_reports_of_one_answer_count_once(working: Door, town: Town, seconds: float) -> None:
    answer(town.resident)
    at = town_clock.now() + timedelta(seconds=seconds)
    tell(PushKind.POPUP_ANSWERED, town.resident.openid, at=at, accepted=True)
    assert settle() == 1
    assert (ledger(town.resident).remaining, ledger(town.resident).accepted) == (1, 1)


def test_reports_too_far_apart_are_two_answers(working: Door, town: Town) -> None:
    answer(town.resident)
    at = town_clock.now() - SAME_ANSWER - timedelta(seconds=1)
    tell(PushKind.POPUP_ANSWERED, town.resident.openid, at=at, accepted=True)
    settle()
    assert ledger(town.resident).remaining == 2


def test_what_a_person_turns_off_is_gone_and_what_they_allow_afterwards_is_not(
    working: Door, town: Town, clock: StoppedClock
) -> None:
    for _ in range(3):
        answer(town.resident)
    clock.advance(minutes=11)
    off = town_clock.now()
    clock.advance(minutes=1)
    tell(PushKind.POPUP_ANSWERED, town.resident.openid, accepted=True)
    settle()
    assert ledger(town.resident).remaining == 4
    tell(PushKind.TEMPLATE_REFUSED, town.resident.openid, at=off)
    settle()
    assert (ledger(town.resident).remaining, ledger(town.resident).turned_off_at) == (1, None)


def test_an_answer_older_than_the_turning_off_earns_nothing_when_it_comes_late(
    working: Door, town: Town, clock: StoppedClock
) -> None:
    earlier = town_clock.now()
    clock.advance(minutes=1)
    tell(PushKind.TEMPLATE_REFUSED, town.resident.openid)
    tell(PushKind.POPUP_ANSWERED, town.resident.openid, at=earlier, accepted=True)
    assert settle() == 2
    grant = ledger(town.resident)
    assert (grant.remaining, grant.accepted, grant.last_answer) == (0, 1, Answer.REJECT)
    assert grant.turned_off_at == town_clock.now()


def test_the_sandbox_and_we_agree_after_a_refusal_in_the_settings(working: Door, town: Town) -> None:
    answer(town.resident)
    tell(PushKind.TEMPLATE_REFUSED, town.resident.openid)
    settle()
    town.resident.tap(town.a_run())
    deliver_due(town_clock.now())
    assert the_notice(town.resident).delivery is Delivery.NOT_GRANTED
    assert working.sandbox.calls(SEND) == 0


@pytest.mark.parametrize(
    ("openid", "template_id", "outcome"),
    [("o-nobody", TEMPLATES[RESULT], "nobody"), ("", TEMPLATES[RESULT], "nobody"), (None, "x", "not_ours")],
)
@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        (PushKind.POPUP_ANSWERED, {"accepted": True}),
        (PushKind.TEMPLATE_REFUSED, {}),
        (PushKind.MESSAGE_SETTLED, {"msgid": "1", "error_code": 0, "error_status": "success"}),
    ],
)
def test_what_concerns_nobody_or_nothing_of_ours_is_done_with(
    working: Door, town: Town, openid: str | None, template_id: str, outcome: str, kind: PushKind, facts: Any
) -> None:
    who = town.resident.openid if openid is None else openid
    tell(kind, who, **{**facts, "template_id": template_id})
    assert settle() == 1
    assert (the_push().outcome, the_push().openid) == (outcome, None)


# --- a message that is allowed a moment later ---------------------------------------------------------------------


def undelivered(working: Door, person: Person, town: Town, *, runs: int = 1) -> None:
    for _ in range(runs):
        person.tap(town.a_run())
    while deliver_due(town_clock.now()):
        pass


def test_a_message_allowed_just_after_it_was_due_is_sent_after_all(
    working: Door, town: Town, clock: StoppedClock
) -> None:
    undelivered(working, town.resident, town)
    clock.advance(seconds=STILL_WANTED.total_seconds())
    assert owe_what_was_allowed(town_clock.now()) == 0
    told(
        working.phone(town.resident).post(
            "/me/message-grants", json={"answers": {TEMPLATES[RESULT]: "accept"}}
        ),
        201,
    )
    working.sandbox.accept(town.resident.openid, TEMPLATES[RESULT])
    assert [owe_what_was_allowed(town_clock.now()) for _ in range(2)] == [1, 0]
    deliver_due(town_clock.now())
    assert the_notice(town.resident).delivery is Delivery.SENT
    assert len(working.sandbox.messages(town.resident.openid)) == 1
    assert ledger(town.resident).remaining == 0


def test_it_is_too_late_after_ten_minutes_and_what_became_untrue_is_not_sent(
    working: Door, town: Town, clock: StoppedClock
) -> None:
    """Ten, as the schedule of ``server/jobs`` says of ``owe_what_was_allowed``."""
    run = town.a_run()
    town.neighbour.tap(run)
    undelivered(working, town.resident, town)
    town.neighbour.give_up(run)
    answer(town.neighbour)
    assert owe_what_was_allowed(town_clock.now()) == 1
    deliver_due(town_clock.now())
    assert the_notice(town.neighbour).delivery is Delivery.STALE
    clock.advance(minutes=10, seconds=1)
    answer(town.resident)
    assert owe_what_was_allowed(town_clock.now()) == 0
    assert the_notice(town.resident).delivery is Delivery.NOT_GRANTED


def test_who_allows_theirs_does_not_stand_behind_those_who_do_not(
    working: Door, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After ten o'clock there are thousands of those who do not."""
    monkeypatch.setattr("server.jobs.pushes.MOST_OWED_AGAIN", 1)
    undelivered(working, town.neighbour, town)
    undelivered(working, town.resident, town)
    answer(town.resident)
    assert owe_what_was_allowed(town_clock.now()) == 1


def test_one_grant_brings_back_one_message(working: Door, town: Town) -> None:
    undelivered(working, town.resident, town, runs=3)
    answer(town.resident)
    assert owe_what_was_allowed(town_clock.now()) == 1


def test_what_wechat_refused_for_want_of_a_grant_comes_back_with_one(working: Door, town: Town) -> None:
    working.sandbox.user(town.resident.openid)
    answer(town.resident)
    undelivered(working, town.resident, town)
    assert the_notice(town.resident).outcome == "43101"
    assert owe_what_was_allowed(town_clock.now()) == 0
    answer(town.resident)
    working.sandbox.accept(town.resident.openid, TEMPLATES[RESULT])
    assert owe_what_was_allowed(town_clock.now()) == 1
    deliver_due(town_clock.now())
    assert the_notice(town.resident).delivery is Delivery.SENT


# --- the last word on a message -----------------------------------------------------------------------------------


def sent(working: Door, person: Person, town: Town) -> Notice:
    answer(person)
    working.sandbox.accept(person.openid, TEMPLATES[RESULT])
    person.tap(town.a_run())
    deliver_due(town_clock.now())
    return the_notice(person)


def last_word(person: Person, msgid: str, *, code: int = 0, at: datetime | None = None) -> None:
    tell(
        PushKind.MESSAGE_SETTLED,
        person.openid,
        at=at,
        msgid=msgid,
        error_code=code,
        error_status="success" if code == 0 else "failed",
    )


@pytest.mark.parametrize("code", [0, 20010])
def test_wechats_last_word_confirms_a_message_or_marks_it(working: Door, town: Town, code: int) -> None:
    msgid = sent(working, town.resident, town).outcome or ""
    last_word(town.resident, msgid or "3600000000000000001", code=code)
    assert settle() == 1
    notice = the_notice(town.resident)
    if code == 0:
        assert (notice.delivery, notice.arrived_at) == (Delivery.SENT, town_clock.now())
    else:
        assert (notice.delivery, notice.outcome, notice.arrived_at) == (
            Delivery.FAILED,
            "sent_event 20010",
            None,
        )


def test_a_last_word_for_somebody_else_marks_nothing(working: Door, town: Town) -> None:
    msgid = sent(working, town.resident, town).outcome or "1"
    last_word(town.neighbour, msgid, code=1)
    settle()
    assert the_notice(town.resident).delivery is Delivery.SENT
    assert the_push().outcome == "not_ours"


def test_a_last_word_that_comes_before_our_own_waits_for_it(
    working: Door, town: Town, clock: StoppedClock
) -> None:
    answer(town.resident)
    town.resident.tap(town.a_run())
    with transaction() as session:
        claim_due(session, worker="slow", most=1)
    last_word(town.resident, "77")
    for _ in range(3):
        assert settle() == 0
        clock.advance(seconds=6)
    assert (the_push().state, the_push().attempts) == (PushState.OWED, 0)
    with transaction() as session:
        notice = session.scalars(select(Notice)).one()
        notice.delivery, notice.outcome = Delivery.SENT, "77"
    assert settle() == 1
    assert the_notice(town.resident).arrived_at is not None


def test_a_last_word_does_not_wait_for_ever(working: Door, town: Town, clock: StoppedClock) -> None:
    answer(town.resident)
    town.resident.tap(town.a_run())
    with transaction() as session:
        claim_due(session, worker="lost", most=1)
    last_word(town.resident, "77")
    clock.advance(seconds=WAITS_FOR.total_seconds())
    assert settle() == 1
    assert the_push().outcome == "not_yet"


@pytest.mark.parametrize("code", [0, 1])
def test_a_message_nobody_knew_about_is_known_after_the_last_word(
    working: Door, town: Town, code: int
) -> None:
    answer(town.resident)
    working.sandbox.accept(town.resident.openid, TEMPLATES[RESULT])
    working.sandbox.fault(SEND, reset_after_processing=True)
    town.resident.tap(town.a_run())
    deliver_due(town_clock.now())
    assert the_notice(town.resident).delivery is Delivery.UNKNOWN
    last_word(town.resident, "3600000000000000001", code=code)
    settle()
    assert the_notice(town.resident).delivery is (Delivery.FAILED if code else Delivery.SENT)
    assert working.sandbox.calls(SEND) == 1


@pytest.mark.parametrize(
    ("later", "becomes"),
    [
        (-CLOCKS_DIFFER - timedelta(seconds=1), Delivery.UNKNOWN),
        (-CLOCKS_DIFFER, Delivery.SENT),
        (TOLD_WITHIN, Delivery.SENT),
        (TOLD_WITHIN + timedelta(seconds=1), Delivery.UNKNOWN),
        (timedelta(days=3), Delivery.UNKNOWN),
    ],
)
def test_a_last_word_without_a_name_is_about_a_message_of_about_then(
    working: Door, town: Town, later: timedelta, becomes: Delivery
) -> None:
    town.resident.tap(town.a_run())
    with transaction() as session:
        notice = session.scalars(select(Notice)).one()
        notice.delivery, notice.claimed_at = Delivery.UNKNOWN, town_clock.now()
    last_word(town.resident, "77", at=town_clock.now() + later)
    assert settle() == 1
    assert the_notice(town.resident).delivery is becomes


def test_where_two_may_be_meant_none_is_marked(working: Door, town: Town) -> None:
    for _ in range(2):
        answer(town.resident)
        town.resident.tap(town.a_run())
    with transaction() as session:
        for notice in session.scalars(select(Notice)):
            notice.delivery, notice.claimed_at = Delivery.UNKNOWN, town_clock.now()
    last_word(town.resident, "1")
    settle()
    with reading() as session:
        assert {notice.delivery for notice in session.scalars(select(Notice))} == {Delivery.UNKNOWN}
    assert the_push().outcome == "not_ours"


# --- what a person took back --------------------------------------------------------------------------------------


def test_a_withdrawn_phone_number_is_forgotten(working: Door, town: Town) -> None:
    tell(PushKind.AUTHORIZATION_REVOKED, town.resident.openid, code=8)
    assert settle() == 1
    with reading() as session:
        resident = town.resident.resident(session)
        assert (resident.phone, resident.name) == (None, "陈静")


@pytest.mark.parametrize(
    ("kind", "facts"), [(PushKind.PROFILE_MODIFIED, {}), (PushKind.AUTHORIZATION_REVOKED, {"code": 19})]
)
def test_a_name_wechat_cleaned_or_a_person_took_back_is_forgotten(
    working: Door, town: Town, kind: PushKind, facts: dict[str, Any]
) -> None:
    tell(kind, town.resident.openid, **facts)
    assert settle() == 1
    with reading() as session:
        assert town.resident.resident(session).name is None


def test_who_closes_their_wechat_account_leaves_with_everything_the_ledger_kept(
    working: Door, town: Town
) -> None:
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    answer(town.resident)
    openid = town.resident.openid
    for key in ("first", "again"):
        tell(PushKind.AUTHORIZATION_CANCELLED, openid, key=key)
    tell(PushKind.POPUP_ANSWERED, openid, accepted=True)
    assert settle() == 3
    with reading() as session:
        assert session.get_one(Account, town.resident.account_id).closed_at is not None
        assert session.scalars(select(GrantReport)).all() == []
        assert session.scalars(select(MessageGrant)).all() == []
        assert openid not in repr([vars(push) for push in session.scalars(select(Push))])
    assert town.states(run) == ["cancelled"]


# --- pictures, trouble, age ---------------------------------------------------------------------------------------


def test_the_verdict_on_a_picture_is_kept_under_its_trace_id(working: Door, town: Town) -> None:
    tell(
        PushKind.MEDIA_CHECKED,
        town.resident.openid,
        trace_id="t-1",
        suggest="risky",
        label=20002,
        errcode=0,
    )
    settle()
    with reading() as session:
        verdict = media_verdict(session, "t-1")
        assert verdict is not None
        assert verdict.facts == {"suggest": "risky", "label": 20002, "errcode": 0}
        assert media_verdict(session, "t-2") is None


def test_one_bad_event_holds_up_no_other_and_is_kept_for_people_to_see(
    working: Door, town: Town, clock: StoppedClock
) -> None:
    tell(PushKind.POPUP_ANSWERED, town.neighbour.openid, key="bad")
    tell(PushKind.POPUP_ANSWERED, town.resident.openid, key="good", accepted=True)
    assert settle() == 1
    assert ledger(town.resident).remaining == 1
    for attempts in range(1, MOST_ATTEMPTS):
        with reading() as session:
            bad = session.scalars(select(Push).where(Push.dedupe_key == "bad")).one()
        assert (bad.state, bad.attempts, bad.trouble) == (PushState.OWED, attempts, "KeyError")
        assert settle() == 0
        clock.move_to(bad.due_at)
        settle()
    with reading() as session:
        (stuck,) = stuck_pushes(session)
    assert (stuck.attempts, stuck.trouble) == (MOST_ATTEMPTS, "KeyError")
    clock.advance(days=1)
    assert settle() == 0


def test_a_worker_that_stops_half_way_has_done_nothing(
    working: Door, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row and the deed are one transaction; what is killed between them leaves neither."""

    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    tell(PushKind.POPUP_ANSWERED, town.resident.openid, accepted=True)
    with monkeypatch.context() as patch:
        patch.setattr(job, "settle_push", killed)
        with pytest.raises(Killed):
            settle()
    with reading() as session:
        assert session.scalars(select(MessageGrant)).all() == []
    assert settle() == 1
    assert ledger(town.resident).remaining == 1


def test_what_is_old_is_forgotten_and_what_is_owed_is_not(
    working: Door, town: Town, clock: StoppedClock
) -> None:
    tell(PushKind.POPUP_ANSWERED, town.resident.openid, key="done", accepted=True)
    settle()
    tell(PushKind.POPUP_ANSWERED, town.resident.openid, key="owed", accepted=True)
    with transaction() as session:
        assert use_stamp(session, "stamp", told="this")
        assert not use_stamp(session, "stamp", told="that")
    clock.advance(seconds=KEPT_FOR.total_seconds() + 1)
    assert forget_pushes(town_clock.now()) == 3  # a push, a stamp, a report
    assert forget_pushes(town_clock.now()) == 0
    with reading() as session:
        assert session.scalars(select(Push.dedupe_key)).all() == ["owed"]


@pytest.mark.parametrize(
    ("older", "left"), [(timedelta(minutes=5), 0), (timedelta(seconds=1), 0), (timedelta(), 1)]
)
def test_wechat_saying_nothing_is_left_outlives_an_older_answer_and_none_of_the_same_second(
    working: Door, town: Town, clock: StoppedClock, older: timedelta, left: int
) -> None:
    """WeChat tells whole seconds; ours is a moment within one."""
    answer(town.resident)
    clock.advance(minutes=20)
    second = town_clock.now()
    clock.advance(milliseconds=400)
    with transaction() as session:
        empty(session, account_id=town.resident.account_id or 0, template=RESULT)
    tell(PushKind.POPUP_ANSWERED, town.resident.openid, at=second - older, accepted=True)
    settle()
    assert (ledger(town.resident).remaining, ledger(town.resident).accepted) == (left, 2)
