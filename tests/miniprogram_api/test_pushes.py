"""What WeChat tells comes in over real HTTP, in every shape it has, once however often it is told; what it did not sign does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import structlog
from flask import Flask
from sqlalchemy import select

from miniprogram_api.pushes import PushSecrets
from miniprogram_api.wechat.push import MAX_AGE, MAX_BYTES
from models import clock as town_clock
from models.base import reading
from models.clock import StoppedClock
from models.grants import MessageGrant
from models.notices import TemplateName
from models.pushes import Push, PushKind, PushStamp, PushState
from server.jobs.pushes import settle_pushes
from server.wechat_sandbox.envelope import signature
from tests.people import Person, Town
from tests.phones import TEMPLATES, Door, the_problem, told
from tests.sandbox import AES_KEY, APPID, PUSH_TOKEN, Listener
from tests.serving import listening, server_of

RESULT = TEMPLATES[TemplateName.REGISTRATION_RESULT]
REMINDER = TEMPLATES[TemplateName.CLASS_REMINDER]
SHAPES = [(mode, shape) for mode in ("plain", "secure") for shape in ("json", "xml")]


@dataclass
class Line:
    """The application's push address on a real port, and the sandbox at the other end."""

    door: Door
    url: str

    def agree(self, mode: str = "secure", shape: str = "json") -> None:
        """Both sides take this mode; the sandbox checks the address as the console does."""
        key = AES_KEY if mode == "secure" else None
        self.door.app.extensions["push_secrets"] = PushSecrets(PUSH_TOKEN, key, APPID)
        self.door.sandbox.push_to(Listener(self.url), mode=mode, format=shape)

    def raw(self, **what: Any) -> Any:
        """One push of any body, as an attacker may send it."""
        return self.door.sandbox.control("POST", "raw-push", what)

    def settle(self) -> int:
        """One run of the job."""
        with self.door.app.app_context():
            return settle_pushes(town_clock.now())


@pytest.fixture
def line(door: Door, town: Town) -> Iterator[Line]:
    with listening(server_of(door.app)) as address:
        yield Line(door, f"{address}/wechat/push")
    door.app.extensions["push_secrets"] = None


def pushes() -> list[Push]:
    with reading() as session:
        return list(session.scalars(select(Push).order_by(Push.id)))


def left(person: Person) -> dict[str, int]:
    with reading() as session:
        rows = session.execute(
            select(MessageGrant.template, MessageGrant.remaining).where(
                MessageGrant.account_id == person.account_id
            )
        )
        return {row.template: row.remaining for row in rows}


def popup(openid: str, *, template: str = RESULT, answer: str = "accept", seconds: int = 0) -> str:
    return json.dumps(
        {
            "ToUserName": "gh_1",
            "FromUserName": openid,
            "CreateTime": int(town_clock.now().timestamp()) + seconds,
            "MsgType": "event",
            "Event": "subscribe_msg_popup_event",
            "List": {"TemplateId": template, "SubscribeStatusString": answer, "PopupScene": 0},
        }
    )


# --- believed -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "shape"), SHAPES)
@pytest.mark.parametrize("templates", [(RESULT,), (RESULT, REMINDER)], ids=["one", "several"])
def test_an_answer_is_heard_in_every_shape_and_counted_once_with_the_phones_own_report(
    line: Line, town: Town, mode: str, shape: str, templates: tuple[str, ...]
) -> None:
    line.agree(mode, shape)
    line.door.sandbox.accept(town.resident.openid, *templates)
    (push,) = line.door.sandbox.pushes()
    assert [(attempt["status"], attempt["answer"]) for attempt in push["attempts"]] == [(200, "success")]
    assert left(town.resident) == {}, "first the answer, then the work"
    assert line.settle() == len(templates)
    phone = line.door.phone(town.resident)
    told(phone.post("/me/message-grants", json={"answers": dict.fromkeys(templates, "accept")}), 201)
    assert set(left(town.resident).values()) == {1}
    assert len(left(town.resident)) == len(templates)
    assert {(one.kind, one.state, one.openid) for one in pushes()} == {
        (PushKind.POPUP_ANSWERED, PushState.SETTLED, None)
    }
    assert line.settle() == 0


@pytest.mark.parametrize("weather", [{"duplicate": True}, {"drop_first_answer": True, "retry_ms": 10}])
@pytest.mark.parametrize("mode", ["plain", "secure"])
def test_what_is_told_again_is_answered_again_and_done_once(
    line: Line, town: Town, mode: str, weather: dict[str, Any]
) -> None:
    line.agree(mode)
    line.door.sandbox.weather(**weather)
    line.door.sandbox.accept(town.resident.openid, RESULT)
    (push,) = line.door.sandbox.pushes()
    assert len(push["attempts"]) == 2
    assert push["state"] == "delivered"
    assert line.settle() == 1
    assert left(town.resident) == {"registration_result": 1}


@pytest.mark.parametrize("numbers", ["number", "string"])
def test_numbers_may_come_as_text(line: Line, town: Town, numbers: str) -> None:
    line.agree()
    line.door.sandbox.weather(numbers=numbers)
    line.door.sandbox.accept(town.resident.openid, RESULT)
    line.door.sandbox.pushes()
    assert line.settle() == 1
    assert left(town.resident) == {"registration_result": 1}


def test_answers_that_come_in_the_wrong_order_count_the_same(
    line: Line, town: Town, clock: StoppedClock
) -> None:
    line.agree()
    line.door.sandbox.weather(out_of_order=True)
    for _ in range(3):
        line.door.sandbox.accept(town.resident.openid, RESULT)
        clock.advance(seconds=2)
    line.door.sandbox.reject(town.resident.openid, RESULT)
    line.door.sandbox.control("POST", "pushes/release")
    assert {push["state"] for push in line.door.sandbox.pushes()} == {"delivered"}
    line.settle()
    assert left(town.resident) == {"registration_result": 3}


def test_the_address_is_proved_with_the_echo_and_nothing_else(line: Line) -> None:
    line.agree("plain")
    stamp = str(int(town_clock.now().timestamp()))
    query = {
        "timestamp": stamp,
        "nonce": "7",
        "signature": signature(PUSH_TOKEN, stamp, "7"),
        "echostr": "<b>12</b>",
    }
    answer = requests.get(line.url, params=query, timeout=5)
    assert (answer.status_code, answer.text) == (200, "<b>12</b>")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    forged = line.door.app.test_client().get("/wechat/push", query_string={**query, "signature": "0" * 40})
    the_problem(forged, 403, "push_forged")


# --- not believed -------------------------------------------------------------------------------------------------


def nothing_came_of_it(line: Line) -> bool:
    with reading() as session:
        stamps = session.scalars(select(PushStamp)).all()
    return line.settle() == 0 and not pushes() and not stamps


@pytest.mark.parametrize("mode", ["plain", "secure"])
@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({"signature": "wrong"}, "push_forged"),
        ({"signature": "none"}, "push_forged"),
        ({"body": "{"}, "push_unreadable"),
        ({"body": "<xml><a></xml>"}, "push_unreadable"),
        ({"body": '<!DOCTYPE x [<!ENTITY a "b">]><xml><MsgType>&a;</MsgType></xml>'}, "push_unreadable"),
        ({"body": "[]"}, "push_unreadable"),
        ({"body": ""}, "push_unreadable"),
        ({"body": "x" * (MAX_BYTES + 1)}, "push_too_large"),
    ],
)
def test_what_is_forged_or_garbage_is_refused_and_nothing_is_written(
    line: Line, town: Town, mode: str, what: dict[str, Any], code: str
) -> None:
    line.agree(mode)
    heard = line.raw(**{"body": popup(town.resident.openid), **what})
    assert heard["status"] == 403
    assert json.loads(heard["answer"])["code"] == code
    assert nothing_came_of_it(line)


@pytest.mark.parametrize("mode", ["plain", "secure"])
def test_a_push_in_the_other_mode_is_refused(line: Line, town: Town, mode: str) -> None:
    line.agree("secure")
    if mode == "secure":
        line.door.app.extensions["push_secrets"] = PushSecrets(PUSH_TOKEN, None, APPID)
    heard = line.raw(body=popup(town.resident.openid), sealed=mode == "secure")
    assert heard["status"] == 403
    assert nothing_came_of_it(line)


def test_a_push_for_another_mini_program_is_refused(line: Line, town: Town) -> None:
    line.agree("secure")
    heard = line.raw(body=popup(town.resident.openid), appid="wx0000000000000000")
    assert json.loads(heard["answer"])["code"] == "push_not_ours"
    assert nothing_came_of_it(line)


@pytest.mark.parametrize("mode", ["plain", "secure"])
def test_a_push_kept_for_later_is_refused_when_it_is_stale(
    line: Line, town: Town, clock: StoppedClock, mode: str
) -> None:
    line.agree(mode)
    line.door.app.extensions["push_secrets"] = None
    line.door.sandbox.weather(retry_ms=5)
    line.door.sandbox.accept(town.resident.openid, RESULT)
    (push,) = line.door.sandbox.pushes()
    assert {attempt["status"] for attempt in push["attempts"]} == {404}
    stamp = str(int(town_clock.now().timestamp()))
    line.agree("plain")
    clock.advance(seconds=MAX_AGE.total_seconds() + 1)
    sent = line.door.app.test_client().post(
        "/wechat/push",
        query_string={"timestamp": stamp, "nonce": "7", "signature": signature(PUSH_TOKEN, stamp, "7")},
        data=popup(town.resident.openid),
        content_type="application/json",
    )
    the_problem(sent, 403, "push_stale")
    assert nothing_came_of_it(line)


def test_a_plain_signature_signs_no_second_thing(line: Line, town: Town) -> None:
    """In plain mode it does not cover the body: whoever saw one push could send others."""
    line.agree("plain")
    stamp = str(int(town_clock.now().timestamp()))
    query = {"timestamp": stamp, "nonce": "7", "signature": signature(PUSH_TOKEN, stamp, "7")}
    client = line.door.app.test_client()

    def send(body: str) -> Any:
        return client.post("/wechat/push", query_string=query, data=body, content_type="application/json")

    first = popup(town.resident.openid)
    assert [send(first).get_data() for _ in range(3)] == [b"success"] * 3
    the_problem(send(popup(town.resident.openid, seconds=1)), 403, "push_replayed")
    the_problem(send(popup(town.neighbour.openid)), 403, "push_replayed")
    assert len(pushes()) == 1
    line.settle()
    assert left(town.resident) == {"registration_result": 1}


def test_where_nothing_is_agreed_on_there_is_no_such_address(door: Door, town: Town) -> None:
    client = door.app.test_client()
    the_problem(client.get("/wechat/push"), 404, "not_found")
    the_problem(client.post("/wechat/push", data=b"x"), 404, "not_found")


def test_more_than_any_push_is_not_even_read(line: Line) -> None:
    line.agree()
    the_problem(line.door.app.test_client().post("/wechat/push", data=b"x" * (2 << 20)), 413, "too_large")


def test_nothing_private_is_logged(line: Line, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    line.agree()
    openid = town.resident.openid
    with structlog.testing.capture_logs() as logged:
        line.door.sandbox.accept(openid, RESULT)
        line.door.sandbox.pushes()
        line.raw(body=popup(openid), signature="wrong")
        line.settle()
    assert openid not in repr(logged)
    assert PUSH_TOKEN not in repr(logged)
    assert openid not in repr(pushes())


def test_an_event_we_have_no_use_for_is_kept_as_it_was_seen(line: Line, app: Flask) -> None:
    line.agree("plain")
    body = {
        "ToUserName": "gh_1",
        "FromUserName": "o-stranger",
        "CreateTime": str(int(town_clock.now().timestamp())),
        "MsgType": "event",
        "Event": "weapp_audit_success",
    }
    assert line.raw(body=json.dumps(body)) == {"status": 200, "answer": "success"}
    assert line.settle() == 1
    (push,) = pushes()
    assert (push.kind, push.facts, push.outcome) == (
        PushKind.UNKNOWN,
        {"name": "weapp_audit_success"},
        "kept",
    )
