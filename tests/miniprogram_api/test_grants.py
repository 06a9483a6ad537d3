"""Asking for messages honestly, and writing down the answer once."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from models import clock as town_clock
from models.base import transaction
from models.clock import StoppedClock
from models.grants import ASKED_AGAIN_AFTER, Answer, record_answers, turn_off
from models.kept_answers import KEPT_FOR, forget_old_answers
from models.notices import TemplateName
from tests.people import Town
from tests.phones import TEMPLATES, Door, Phone, the_problem, told

RESULT = TEMPLATES[TemplateName.REGISTRATION_RESULT]
REMINDER = TEMPLATES[TemplateName.CLASS_REMINDER]


def say(phone: Phone, answers: dict[str, Any], *, attempt: str | None = None) -> Any:
    headers = {} if attempt is None else {"Idempotency-Key": attempt}
    return phone.post("/me/message-grants", json={"answers": answers}, headers=headers)


def left(phone: Phone) -> int:
    """How many of the registration's messages are allowed: a refusal counts nothing and tells the ledger."""
    (line,) = told(say(phone, {RESULT: "reject"}), 201)["items"]
    return int(line["remaining"])


@pytest.mark.parametrize(
    ("moment", "names"),
    [
        ("registration", ["registration_result", "class_reminder", "class_change"]),
        ("waitlist", ["registration_result", "class_reminder", "class_change"]),
        ("consent", ["account_notice"]),
        ("staff_desk", ["staff_desk"]),
    ],
)
def test_at_each_tap_at_most_three_templates_are_asked_for(
    door: Door, town: Town, moment: str, names: list[str]
) -> None:
    prompts = told(door.phone().get(f"/message-grants/prompts?moment={moment}"))
    assert prompts["moment"] == moment
    assert [item["template"] for item in prompts["items"]] == names
    assert [item["template_id"] for item in prompts["items"]] == [TEMPLATES[TemplateName(n)] for n in names]


@pytest.mark.parametrize("query", ["", "?moment=", "?moment=x", "?moment=registration&moment=waitlist"])
def test_a_tap_nobody_knows_is_refused(door: Door, town: Town, query: str) -> None:
    found = the_problem(door.phone().get(f"/message-grants/prompts{query}"), 422, "invalid")
    assert [fault["field"] for fault in found["errors"]] == ["moment"]


def test_accepting_earns_one_message_each_time_and_refusing_none(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    told(say(phone, {RESULT: "accept", REMINDER: "reject"}), 201)
    answer = told(say(phone, {RESULT: "accept", REMINDER: "ban"}), 201)
    assert answer["items"] == [
        {"template": "class_reminder", "remaining": 0},
        {"template": "registration_result", "remaining": 2},
    ]
    assert left(door.phone(town.neighbour)) == 0


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "answers"),
        ({"answers": {}}, "answers"),
        ({"answers": []}, "answers"),
        ({"answers": None}, "answers"),
        ({"answers": {RESULT: "yes"}}, f"answers.{RESULT}.value"),
        ({"answers": {RESULT: ["accept"]}}, f"answers.{RESULT}.value"),
        ({"answers": {RESULT: None}}, f"answers.{RESULT}.value"),
        ({"answers": {"": "accept"}}, "answers..key"),
        ({"answers": {"\ud800": "accept"}}, "answers.?.key"),
        ({"answers": {"x" * 65: "accept"}}, f"answers.{'x' * 65}.key"),
        ({"answers": {"not-our-template": "accept"}}, "answers.not-our-template"),
        ({"answers": {str(n): "accept" for n in range(6)}}, "answers"),
        ({"answers": {RESULT: "accept"}, "openid": "x"}, "openid"),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(
    door: Door, town: Town, sent: dict[str, Any], field: str
) -> None:
    answer = door.phone(town.resident).post(
        "/me/message-grants", data=json.dumps(sent), content_type="application/json"
    )
    found = the_problem(answer, 422, "invalid")
    assert [fault["field"] for fault in found["errors"]] == [field]


def test_one_wrong_template_among_good_ones_counts_nothing(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    the_problem(say(phone, {RESULT: "accept", "not-our-template": "accept"}), 422, "invalid")
    assert left(phone) == 0


# --- the same attempt ---------------------------------------------------------------------------------------------


def test_an_attempt_sent_again_counts_once_and_gets_the_same_answer(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    first = say(phone, {RESULT: "accept"}, attempt="a-1")
    for _ in range(2):
        again = say(phone, {RESULT: "accept"}, attempt="a-1")
        assert (again.status_code, again.data) == (201, first.data)
    assert left(phone) == 1


def test_another_attempt_counts_again(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    for attempt in ("a-1", "a-2"):
        told(say(phone, {RESULT: "accept"}, attempt=attempt), 201)
    assert left(phone) == 2


def test_an_attempts_name_used_for_something_else_is_refused(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    told(say(phone, {RESULT: "accept"}, attempt="a-1"), 201)
    the_problem(say(phone, {REMINDER: "accept"}, attempt="a-1"), 409, "idempotency_key_reused")
    other = phone.post("/me/phone", json={"phone": "13812345678"}, headers={"Idempotency-Key": "a-1"})
    the_problem(other, 409, "idempotency_key_reused")


def test_an_attempt_in_one_hat_is_not_answered_in_another(door: Door, town: Town) -> None:
    phone = door.phone(town.clerk)
    told(say(phone, {RESULT: "accept"}, attempt="a-1"), 201)
    at_home = phone.wearing("resident")
    the_problem(say(at_home, {RESULT: "accept"}, attempt="a-1"), 409, "idempotency_key_reused")


def test_two_people_may_choose_the_same_name_for_their_attempts(door: Door, town: Town) -> None:
    for who in (town.resident, town.neighbour):
        told(say(door.phone(who), {RESULT: "accept"}, attempt="a-1"), 201)
        assert left(door.phone(who)) == 1


def test_a_refused_attempt_may_be_sent_again_put_right(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    the_problem(say(phone, {"not-our-template": "accept"}, attempt="a-1"), 422, "invalid")
    told(say(phone, {RESULT: "accept"}, attempt="a-1"), 201)


@pytest.mark.parametrize("attempt", ["", "x" * 65, "a b", "é", "a\tb", "编号"])
def test_a_malformed_name_of_an_attempt_is_refused(door: Door, town: Town, attempt: str) -> None:
    phone = door.phone(town.resident)
    found = the_problem(
        phone.post(
            "/me/message-grants",
            json={"answers": {RESULT: "accept"}},
            environ_overrides={"HTTP_IDEMPOTENCY_KEY": attempt.encode().decode("latin-1")},
        ),
        422,
        "invalid",
    )
    assert [fault["field"] for fault in found["errors"]] == ["Idempotency-Key"]
    assert left(phone) == 0


def test_after_a_day_the_name_of_an_attempt_is_free_again(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    phone = door.phone(town.resident)
    told(say(phone, {RESULT: "accept"}, attempt="a-1"), 201)
    clock.advance(seconds=KEPT_FOR.total_seconds())
    told(say(phone, {REMINDER: "accept"}, attempt="a-1"), 201)
    told(say(phone, {REMINDER: "accept"}, attempt="a-1"), 201)
    # also where WeChat is asked and the first look cannot write
    told(phone.post("/me/phone", json={"phone": "13812345678"}, headers={"Idempotency-Key": "p"}))
    clock.advance(seconds=KEPT_FOR.total_seconds())
    told(phone.post("/me/phone", json={"phone": "13812345679"}, headers={"Idempotency-Key": "p"}))
    with transaction() as session:
        assert forget_old_answers(session) == 1


def test_two_equal_attempts_at_once_count_once(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    together = threading.Barrier(4)
    answers: list[Any] = []

    def send() -> None:
        mine = Phone(door.app.test_client(), phone.token)
        together.wait()
        answers.append(say(mine, {RESULT: "accept"}, attempt="a-1"))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.get_data() for answer in answers}) == 1
    assert left(phone) == 1
    told(say(phone, {RESULT: "accept"}, attempt="a-1"), 201)
    assert left(phone) == 1


def test_the_ledger_also_counts_what_other_doors_report(door: Door, town: Town) -> None:
    with transaction() as session:
        answers: dict[str, Answer] = {TemplateName.REGISTRATION_RESULT: Answer.ACCEPT}
        record_answers(session, town.resident.account(session), answers)
    assert left(door.phone(town.resident)) == 1


# --- what is worth asking for -------------------------------------------------------------------------------------


def asked_of(phone: Phone, moment: str = "registration") -> dict[str, Any]:
    items = told(phone.get(f"/message-grants/prompts?moment={moment}"))["items"]
    return {item["template"]: item.get("remaining") for item in items}


def test_who_is_known_hears_how_many_are_left(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    told(say(phone, {RESULT: "accept"}), 201)
    assert asked_of(phone) == {"registration_result": 1, "class_reminder": 0, "class_change": 0}
    assert asked_of(door.phone()) == dict.fromkeys(("registration_result", "class_reminder", "class_change"))


def test_what_was_banned_or_turned_off_is_not_asked_for_until_a_month_later(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    phone = door.phone(town.resident)
    told(say(phone, {REMINDER: "ban", RESULT: "reject"}), 201)
    with transaction() as session:
        turn_off(session, town.resident.account(session), TemplateName.CLASS_CHANGE, at=town_clock.now())
    assert set(asked_of(phone)) == {"registration_result"}, "a refusal at the tap is for that tap"
    assert len(asked_of(door.phone(town.neighbour))) == 3
    clock.advance(seconds=ASKED_AGAIN_AFTER.total_seconds())
    assert len(asked_of(phone)) == 3


def test_who_allows_again_what_they_had_turned_off_is_asked_again(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    phone = door.phone(town.resident)
    with transaction() as session:
        turn_off(
            session, town.resident.account(session), TemplateName.REGISTRATION_RESULT, at=town_clock.now()
        )
    assert "registration_result" not in asked_of(phone)
    clock.advance(minutes=1)
    told(say(phone, {RESULT: "accept"}), 201)
    assert asked_of(phone)["registration_result"] == 1


@pytest.mark.parametrize("token", ["", "x", "aaaaaaaaaaaaaaaa.forged"])
def test_a_login_that_does_not_stand_is_nobodys(door: Door, town: Town, token: str) -> None:
    assert set(asked_of(Phone(door.app.test_client(), token)).values()) == {None}
