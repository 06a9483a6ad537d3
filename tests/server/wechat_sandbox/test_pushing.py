"""Pushes (wechat.md §4.5, §8): signed, sealed, three attempts, and every bad day on order."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import xmltodict  # type: ignore[import-untyped]
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature

from server.wechat_sandbox import Options
from server.wechat_sandbox.templates import registration_result, seat_offer
from tests.sandbox import (
    AES_KEY,
    APPID,
    PUSH_TOKEN,
    Delivered,
    Listener,
    SandboxTown,
    open_listener,
    open_sandbox,
)
from tests.server.wechat_sandbox.test_messages import WANG, send


def refused(town: SandboxTown, path: str, body: dict[str, Any]) -> tuple[int, str, str]:
    answer = town.http.post(f"{town.base_url}/_sandbox/{path}", json=body, timeout=10)
    error = answer.json()["error"]
    return answer.status_code, error["field"], error["message"]


def unsealed(delivered: Delivered, outer: dict[str, Any]) -> str:
    """What wechatpy reads of a sealed push, the signature checked by it too."""
    query = delivered.query
    crypto = WeChatCrypto(PUSH_TOKEN, AES_KEY, APPID)
    return str(crypto.decrypt_message(outer, query["msg_signature"], query["timestamp"], query["nonce"]))


def test_an_answered_popup_is_pushed_one_entry_as_an_object_several_as_an_array(
    sandbox: SandboxTown, listener: Listener
) -> None:
    sandbox.push_to(listener)
    sandbox.accept(WANG, registration_result.id)
    body = {"openid": WANG, "accept": [registration_result.id], "reject": [seat_offer.id]}
    sandbox.control("POST", "subscriptions", body)
    assert [push["state"] for push in sandbox.pushes(WANG)] == ["delivered", "delivered"]
    one, several = (each.fields for each in listener.delivered)
    assert (one["Event"], one["FromUserName"]) == ("subscribe_msg_popup_event", WANG)
    assert one["ToUserName"].startswith("gh_")
    assert one["List"] == {
        "TemplateId": registration_result.id,
        "SubscribeStatusString": "accept",
        "PopupScene": 0,
    }
    assert [entry["SubscribeStatusString"] for entry in several["List"]] == ["accept", "reject"]
    query = listener.delivered[0].query
    check_signature(PUSH_TOKEN, query["signature"], query["timestamp"], query["nonce"])
    assert listener.delivered[0].content_type == "application/json"


def test_numbers_come_as_strings_when_ordered(sandbox: SandboxTown, listener: Listener) -> None:
    sandbox.push_to(listener)
    sandbox.weather(numbers="string")
    sandbox.accept(WANG, registration_result.id)
    sandbox.pushes()
    (delivered,) = listener.delivered
    assert delivered.fields["CreateTime"].isdecimal()
    assert delivered.fields["List"]["PopupScene"] == "0"


def test_xml_nests_the_entries_under_the_events_own_name(sandbox: SandboxTown, listener: Listener) -> None:
    sandbox.push_to(listener, format="xml")
    body = {"openid": WANG, "accept": [registration_result.id], "reject": [seat_offer.id]}
    sandbox.control("POST", "subscriptions", body)
    sandbox.pushes()
    (delivered,) = listener.delivered
    fields = xmltodict.parse(delivered.body)["xml"]
    assert "List" not in fields
    entries = fields["SubscribeMsgPopupEvent"]["List"]
    assert [entry["TemplateId"] for entry in entries] == [registration_result.id, seat_offer.id]
    assert delivered.content_type == "text/xml"


@pytest.mark.parametrize("shape", ["json", "xml"])
def test_a_sealed_push_opens_with_the_library_the_product_uses(
    sandbox: SandboxTown, listener: Listener, shape: str
) -> None:
    sandbox.push_to(listener, mode="secure", format=shape)
    sandbox.accept(WANG, registration_result.id)
    sandbox.pushes()
    (delivered,) = listener.delivered
    assert (delivered.query["openid"], delivered.query["encrypt_type"]) == (WANG, "aes")
    outer = delivered.fields if shape == "json" else xmltodict.parse(delivered.body)["xml"]
    assert set(outer) == {"ToUserName", "Encrypt"}
    assert registration_result.id in unsealed(delivered, outer)


def test_refusing_in_the_manager_takes_back_what_was_allowed(
    sandbox: SandboxTown, listener: Listener
) -> None:
    sandbox.push_to(listener)
    sandbox.accept(WANG, registration_result.id)
    answer = sandbox.control(
        "POST", "subscription-settings", {"openid": WANG, "reject": [registration_result.id]}
    )
    assert answer["quota"] == {}
    assert send(sandbox)["errcode"] == 43101
    events = [push["event"] for push in sandbox.pushes(WANG)]
    assert events == ["subscribe_msg_popup_event", "subscribe_msg_change_event"]
    assert listener.delivered[1].fields["List"]["SubscribeStatusString"] == "reject"


def test_every_accepted_send_is_settled_by_a_push(sandbox: SandboxTown, listener: Listener) -> None:
    sandbox.accept(WANG, registration_result.id)
    sandbox.accept(WANG, registration_result.id)
    sandbox.push_to(listener)
    failure = {"error_code": 1, "error_status": "user is offline for long", "openid": WANG}
    sandbox.control("POST", "sent-results", failure)
    assert [send(sandbox)["errcode"] for _ in range(3)] == [0, 0, 43101]
    assert len(sandbox.messages(WANG)) == 1, "a message that failed afterwards does not lie in the phone"
    sandbox.pushes()
    lost, arrived = (each.fields["List"] for each in listener.delivered)
    assert (lost["ErrorCode"], lost["ErrorStatus"]) == (1, "user is offline for long")
    assert (arrived["ErrorCode"], arrived["ErrorStatus"]) == (0, "success")
    assert str(arrived["MsgID"]) == sandbox.messages(WANG)[0]["msgid"]


def test_a_benchmark_may_go_without_the_push_after_every_send(
    sandbox: SandboxTown, listener: Listener
) -> None:
    sandbox.accept(WANG, registration_result.id)
    sandbox.push_to(listener)
    sandbox.weather(sent_events=False)
    assert send(sandbox)["errcode"] == 0
    assert sandbox.pushes() == []


@pytest.mark.parametrize(
    ("event", "revoke_info"),
    [
        ("user_authorization_revoke", 8),
        ("user_authorization_cancellation", None),
        ("user_info_modified", None),
    ],
)
def test_what_becomes_of_an_authorization_names_the_person_in_openid(
    sandbox: SandboxTown, listener: Listener, event: str, revoke_info: int | None
) -> None:
    sandbox.push_to(listener)
    order = {"openid": WANG, "event": event} | ({"revoke_info": revoke_info} if revoke_info else {})
    sandbox.control("POST", "authorization-events", order)
    (push,) = sandbox.pushes(WANG)
    fields = listener.delivered[0].fields
    assert (push["event"], fields["Event"], fields["OpenID"]) == (event, event, WANG)
    assert fields["FromUserName"] != WANG
    assert fields.get("RevokeInfo") == (str(revoke_info) if revoke_info else None)


def test_three_attempts_are_made_and_then_no_more(sandbox: SandboxTown, listener: Listener) -> None:
    sandbox.push_to(listener)
    sandbox.weather(retry_ms=1)
    listener.answers = [(500, 0), (200, 0)]
    sandbox.accept(WANG, registration_result.id)
    (push,) = sandbox.pushes()
    assert [attempt["status"] for attempt in push["attempts"]] == [500, 200]
    listener.answers = [(500, 0)] * 5
    sandbox.accept(WANG, registration_result.id)
    push = sandbox.pushes()[1]
    assert (push["state"], len(push["attempts"])) == ("given_up", 3)
    bodies = {each.body for each in listener.delivered[2:]}
    assert len(bodies) == 1, "a repeat tells the same"


def test_an_answer_may_come_after_wechats_patience(
    sandbox: SandboxTown, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.wechat_sandbox.posting.PATIENCE_SECONDS", 0.5)
    sandbox.push_to(listener)
    listener.answers = [(200, 1.2)]
    sandbox.accept(WANG, registration_result.id)
    (push,) = sandbox.pushes()
    assert [attempt["status"] for attempt in push["attempts"]] == [None, 200]
    assert "no answer within" in push["attempts"][0]["trouble"]


def test_an_answer_can_get_lost_and_a_push_come_twice_on_purpose(
    sandbox: SandboxTown, listener: Listener
) -> None:
    sandbox.push_to(listener)
    sandbox.weather(drop_first_answer=True, duplicate=True, retry_ms=1)
    sandbox.accept(WANG, registration_result.id)
    (push,) = sandbox.pushes()
    assert len(listener.delivered) == 3
    assert [attempt["duplicate"] for attempt in push["attempts"]] == [False, False, True]
    assert push["attempts"][0]["trouble"]


def test_pushes_of_one_person_keep_their_order_unless_ordered_otherwise(
    sandbox: SandboxTown, listener: Listener
) -> None:
    sandbox.push_to(listener)
    for upside_down in (False, True):
        sandbox.weather(out_of_order=upside_down)
        listener.delivered.clear()
        sandbox.accept(WANG, registration_result.id)
        sandbox.reject(WANG, registration_result.id)
        sandbox.pushes()
        seen = [each.fields["List"]["SubscribeStatusString"] for each in listener.delivered]
        assert seen == (["reject", "accept"] if upside_down else ["accept", "reject"])


def test_who_was_overtaken_goes_right_after(sandbox: SandboxTown, listener: Listener) -> None:
    sandbox.push_to(listener)
    sandbox.weather(out_of_order=True)
    began = time.monotonic()
    sandbox.accept(WANG, registration_result.id)
    sandbox.reject(WANG, registration_result.id)
    sandbox.pushes()
    assert time.monotonic() - began < 1.5
    sandbox.accept(WANG, registration_result.id)
    assert len(sandbox.pushes()) == 3, "nobody came to overtake, and it went all the same"


def test_a_delayed_push_can_be_released(sandbox: SandboxTown, listener: Listener) -> None:
    sandbox.push_to(listener)
    sandbox.weather(delay_ms=600_000)
    sandbox.accept(WANG, registration_result.id)
    time.sleep(0.1)
    assert listener.delivered == []
    sandbox.control("POST", "pushes/release")
    assert [push["state"] for push in sandbox.pushes()] == ["delivered"]


def test_without_an_address_nothing_is_pushed(sandbox: SandboxTown, listener: Listener) -> None:
    sandbox.push_to(listener)
    sandbox.control("DELETE", "push-target")
    sandbox.accept(WANG, registration_result.id)
    assert sandbox.pushes() == []


def test_the_address_and_what_had_not_arrived_outlive_the_sandbox(tmp_path: Path, listener: Listener) -> None:
    kept = tmp_path / "sandbox.json"
    with open_sandbox(state_file=kept) as town:
        town.push_to(listener)
        town.weather(delay_ms=600_000)
        town.accept(WANG, registration_result.id)
        deadline = time.monotonic() + 10
        while not (kept.exists() and "subscribe_msg_popup_event" in kept.read_text()):
            assert time.monotonic() < deadline, "the state was never written"
            time.sleep(0.05)
    with open_sandbox(state_file=kept) as again:
        assert [push["state"] for push in again.pushes(WANG)] == ["delivered"]
    assert listener.delivered[0].fields["List"]["TemplateId"] == registration_result.id


def test_one_deaf_address_does_not_hold_up_other_people() -> None:
    with open_sandbox(options=Options(push_lines=8)) as town, open_listener() as listener:
        town.push_to(listener)
        listener.answers = [(200, 3.0)]
        town.accept("openid-slow-1", registration_result.id)
        time.sleep(0.2)
        town.accept("openid-quick-2", registration_result.id)
        began = time.monotonic()
        while len(listener.delivered) < 2:
            assert time.monotonic() - began < 2.5
            time.sleep(0.01)
