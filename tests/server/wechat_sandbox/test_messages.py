"""Sending subscribe messages (wechat.md §4)."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from models import clock
from server.wechat_sandbox import Options
from server.wechat_sandbox.templates import DEFAULT_TEMPLATES, registration_result, seat_offer
from tests.sandbox import SEND, TEMPLATES, SandboxTown, open_sandbox

WANG = "openid-wang"
REGISTERED = {
    "thing1": "八段锦入门",
    "time2": "2026年12月3日 19:00",
    "thing3": "幸福里社区二楼",
    "phrase4": "报名成功",
    "thing5": "请提前十分钟到",
}


def send(
    town: SandboxTown,
    values: Mapping[str, str] | None = None,
    *,
    openid: str = WANG,
    template_id: str = registration_result.id,
    **more: Any,
) -> dict[str, Any]:
    wrapped = {key: {"value": value} for key, value in (REGISTERED if values is None else values).items()}
    body = {"touser": openid, "template_id": template_id, "data": wrapped, **more}
    return town.post(SEND, body, access_token=town.token())


def test_an_accepted_template_brings_one_message(sandbox: SandboxTown) -> None:
    sandbox.accept(WANG, registration_result.id)
    with clock.stopped_at(datetime(2026, 12, 1, 2, 0, tzinfo=UTC)):
        assert send(sandbox, page="pages/runs/run?id=1", miniprogram_state="trial")["errcode"] == 0
    (message,) = sandbox.messages(WANG)
    assert message["title"] == "报名结果通知"
    assert message["values"] == REGISTERED
    assert message["lines"][0] == {"label": "课程名称", "value": "八段锦入门"}
    assert message["page"] == "pages/runs/run?id=1"
    assert message["miniprogram_state"] == "trial"
    assert message["sent_at"] == "2026-12-01T10:00:00+08:00"
    refused = send(sandbox)
    assert refused["errcode"] == 43101
    assert refused["errmsg"].startswith("user refuse to accept the msg rid: ")


def test_accepts_add_up_one_send_each(sandbox: SandboxTown) -> None:
    for _ in range(3):
        sandbox.accept(WANG, registration_result.id)
    sandbox.reject(WANG, registration_result.id)
    assert [send(sandbox)["errcode"] for _ in range(4)] == [0, 0, 0, 43101]


def test_an_accept_counts_for_its_own_template_and_person_only(sandbox: SandboxTown) -> None:
    sandbox.accept(WANG, seat_offer.id)
    sandbox.accept("openid-li", registration_result.id)
    assert send(sandbox)["errcode"] == 43101


def test_a_long_term_subscription_is_not_used_up(sandbox: SandboxTown) -> None:
    long_term = "L" * 43
    content = "事项:{{thing1.DATA}}"
    sandbox.control(
        "POST", "templates", {"id": long_term, "title": "办事进度", "content": content, "type": 3}
    )
    sandbox.accept(WANG, long_term)
    for _ in range(3):
        assert send(sandbox, {"thing1": "已受理"}, template_id=long_term)["errcode"] == 0
    sandbox.reject(WANG, long_term)
    assert send(sandbox, {"thing1": "已受理"}, template_id=long_term)["errcode"] == 43101


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("thing1", "二十一个字二十一个字二十一个字二十一个字二"),
        ("time2", "明天晚上"),
        ("phrase4", "报名成功啦啦"),
        ("thing5", "两\n行"),
    ],
)
def test_an_unfit_value_is_refused_naming_its_field(sandbox: SandboxTown, field: str, value: str) -> None:
    sandbox.accept(WANG, registration_result.id)
    answer = send(sandbox, {**REGISTERED, field: value})
    assert answer["errcode"] == 47003
    assert f"data.{field}.value invalid" in answer["errmsg"]
    assert send(sandbox)["errcode"] == 0, "a refused send spends no permission"


def test_an_empty_or_missing_value_is_refused_as_empty(sandbox: SandboxTown) -> None:
    sandbox.accept(WANG, registration_result.id)
    short = {key: value for key, value in REGISTERED.items() if key != "time2"}
    for values in (short, {**REGISTERED, "time2": ""}, {**REGISTERED, "time2": " "}):
        answer = send(sandbox, values)
        assert (answer["errcode"], "data.time2.value is empty" in answer["errmsg"]) == (47003, True)


def test_a_bare_string_or_a_stranger_among_the_values_is_refused(sandbox: SandboxTown) -> None:
    sandbox.accept(WANG, registration_result.id)
    body = {"touser": WANG, "template_id": registration_result.id, "data": REGISTERED}
    bare = sandbox.post(SEND, body, access_token=sandbox.token())
    assert (bare["errcode"], "data.thing1.value invalid" in bare["errmsg"]) == (47003, True)
    extra = send(sandbox, {**REGISTERED, "thing9": "多出来的"})
    assert (extra["errcode"], "data.thing9.value" in extra["errmsg"]) == (47003, True)


def test_data_state_and_language_are_checked(sandbox: SandboxTown) -> None:
    sandbox.accept(WANG, registration_result.id)
    assert send(sandbox, data="x")["errcode"] == 47003
    assert send(sandbox, miniprogram_state="beta")["errcode"] == 47003
    assert send(sandbox, lang="fr_FR")["errcode"] == 47003
    assert send(sandbox, page=7)["errcode"] == 47003
    assert send(sandbox, page="pages/\ud800")["errcode"] == 47003
    assert send(sandbox, lang="zh_TW")["errcode"] == 0


def test_an_unknown_person_or_template_is_refused(sandbox: SandboxTown) -> None:
    assert send(sandbox, openid="openid-nobody")["errcode"] == 40003
    assert send(sandbox, openid="")["errcode"] == 40003
    sandbox.accept(WANG, registration_result.id)
    assert send(sandbox, template_id="x" * 43)["errcode"] == 40037


def test_a_banned_template_is_refused(sandbox: SandboxTown) -> None:
    sandbox.accept(WANG, registration_result.id)
    sandbox.control("POST", "templates", {"id": registration_result.id, "banned": True})
    assert send(sandbox)["errcode"] == 43107
    sandbox.control("POST", "templates", {"id": registration_result.id, "banned": False})
    assert send(sandbox)["errcode"] == 0


def test_sensitive_words_are_refused(sandbox: SandboxTown) -> None:
    sandbox.accept(WANG, registration_result.id)
    assert send(sandbox, {**REGISTERED, "thing5": "可代开发票"})["errcode"] == 45168


def test_a_page_that_is_not_released_is_refused_where_pages_are_known() -> None:
    with open_sandbox(options=Options(pages=frozenset({"pages/runs/run"}))) as town:
        town.accept(WANG, registration_result.id)
        assert send(town, page="pages/gone/gone?id=1")["errcode"] == 41030
        assert send(town, page="pages/runs/run?id=1")["errcode"] == 0


def test_an_enum_keyword_takes_its_listed_values(sandbox: SandboxTown) -> None:
    made = "E" * 43
    template = {"id": made, "title": "方式通知", "content": "方式:{{enum_string1.DATA}}"}
    sandbox.control("POST", "templates", {**template, "choices": {"enum_string1": ["线下", "线上"]}})
    sandbox.accept(WANG, made)
    assert send(sandbox, {"enum_string1": "空中"}, template_id=made)["errcode"] == 47003
    assert send(sandbox, {"enum_string1": "线上"}, template_id=made)["errcode"] == 0


def test_two_sends_to_one_person_at_once_are_too_many(sandbox: SandboxTown) -> None:
    sandbox.accept(WANG, registration_result.id)
    sandbox.accept(WANG, registration_result.id)
    sandbox.accept("openid-li", registration_result.id)
    sandbox.fault(SEND, latency_ms=800, openid=WANG)
    sandbox.token()
    slow: list[int] = []
    with open_second_line(sandbox) as other:
        thread = threading.Thread(target=lambda: slow.append(send(other)["errcode"]))
        thread.start()
        time.sleep(0.3)
        assert send(sandbox)["errcode"] == 43108
        assert send(sandbox, openid="openid-li")["errcode"] == 0
        thread.join()
    assert slow == [0]
    assert send(sandbox)["errcode"] == 0
    assert sandbox.overlaps() == {WANG: 1}


def test_a_message_id_comes_always_never_or_sometimes() -> None:
    seen = {}
    for gives in ("always", "never", "sometimes"):
        with open_sandbox(options=Options(msgid=gives)) as town:
            town.accept(WANG, registration_result.id)
            town.accept(WANG, registration_result.id)
            seen[gives] = {"msgid" in send(town), "msgid" in send(town)}
    assert seen == {"always": {True}, "never": {False}, "sometimes": {True, False}}


def test_send_needs_a_post_with_json_in_it(sandbox: SandboxTown) -> None:
    token = sandbox.token()
    url = f"{sandbox.base_url}{SEND}?access_token={token}"
    assert sandbox.get(SEND, access_token=token)["errcode"] == 43002
    assert sandbox.http.post(url, data=b"", timeout=5).json()["errcode"] == 44002
    assert sandbox.http.post(url, data=b"{", timeout=5).json()["errcode"] == 47001
    assert sandbox.http.post(url, data=b"[]", timeout=5).json()["errcode"] == 47001


def test_the_account_lists_its_templates_with_content_to_parse(sandbox: SandboxTown) -> None:
    listed = sandbox.get(TEMPLATES, access_token=sandbox.token())
    assert listed["errcode"] == 0
    assert [card["priTmplId"] for card in listed["data"]] == [each.id for each in DEFAULT_TEMPLATES]
    first = listed["data"][0]
    assert first["title"] == "报名结果通知"
    assert first["type"] == 2
    assert first["content"].startswith("课程名称:{{thing1.DATA}}\n开课时间:{{time2.DATA}}\n")
    assert first["example"].splitlines()[3] == "报名结果:报名成功"
    assert sandbox.post(TEMPLATES, {}, access_token=sandbox.token())["errcode"] == 404


def open_second_line(town: SandboxTown) -> closing[SandboxTown]:
    """A second connection: a requests session is not for two threads at once."""
    return closing(SandboxTown(town.base_url, town.account))
