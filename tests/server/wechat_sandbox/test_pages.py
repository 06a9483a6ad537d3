"""What a person sees on the sandbox's pages."""

from __future__ import annotations

import re

from server.wechat_sandbox.templates import registration_result, seat_offer
from tests.sandbox import Listener, SandboxTown
from tests.server.wechat_sandbox.test_messages import REGISTERED, WANG, send


def page(town: SandboxTown, path: str) -> str:
    answer = town.http.get(town.base_url + path, timeout=5)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return answer.text


def test_an_empty_town_says_how_a_phone_comes_to_be(sandbox: SandboxTown) -> None:
    assert "还没有手机" in page(sandbox, "/")


def test_the_first_page_lists_the_phones_and_their_newest_message(sandbox: SandboxTown) -> None:
    sandbox.accept(WANG, registration_result.id)
    send(sandbox)
    sandbox.login_code("openid-li")
    shown = page(sandbox, "/")
    assert f'href="/phones/{WANG}"' in shown
    assert "报名结果通知" in shown
    assert "openid-li" in shown


def test_a_phone_shows_its_notifications_as_a_person_sees_them(sandbox: SandboxTown) -> None:
    sandbox.accept(WANG, registration_result.id)
    send(sandbox, page="pages/runs/run?id=1")
    for path in (f"/phones/{WANG}", f"/phones/{WANG}/cards"):
        shown = page(sandbox, path)
        for seen in ("课程名称", "八段锦入门", "报名成功", "进入小程序查看", "pages/runs/run?id=1"):
            assert seen in shown


def test_what_a_message_says_is_never_markup(sandbox: SandboxTown) -> None:
    sandbox.accept(WANG, registration_result.id)
    send(sandbox, {**REGISTERED, "thing1": "<b>x</b>"}, page="<script>alert(1)</script>")
    shown = page(sandbox, f"/phones/{WANG}")
    assert "<b>x" not in shown
    assert "<script>alert" not in shown
    assert "&lt;b&gt;x" in shown


def test_pages_run_no_foreign_script(sandbox: SandboxTown) -> None:
    sandbox.login_code(WANG)
    answer = sandbox.http.get(f"{sandbox.base_url}/phones/{WANG}", timeout=5)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_popup_form_allows_and_refuses(sandbox: SandboxTown) -> None:
    sandbox.login_code(WANG)
    url = f"{sandbox.base_url}/phones/{WANG}/subscriptions"
    ticked = {"template_id": [registration_result.id, seat_offer.id, "unknown"]}
    shown = sandbox.http.post(url, data={**ticked, "answer": "accept"}, timeout=5)
    assert shown.status_code == 200
    assert "还可收 1 条" in shown.text
    assert send(sandbox)["errcode"] == 0
    refused = sandbox.http.post(url, data={**ticked, "answer": "reject"}, timeout=5)
    assert "上次：拒绝" in refused.text


def test_the_phone_page_gives_a_login_code(sandbox: SandboxTown) -> None:
    sandbox.login_code(WANG)
    shown = sandbox.http.post(f"{sandbox.base_url}/phones/{WANG}/login-code", timeout=5).text
    code = re.search(r'class="code">([0-9a-f]{32})<', shown)
    assert code is not None
    assert code[1] in sandbox.account.codes.login


def test_an_unknown_phone_is_not_found(sandbox: SandboxTown) -> None:
    assert sandbox.http.get(f"{sandbox.base_url}/phones/openid-nobody", timeout=5).status_code == 404


def test_the_phone_page_refuses_templates_and_takes_authorizations_back(
    sandbox: SandboxTown, listener: Listener
) -> None:
    sandbox.push_to(listener)
    sandbox.accept(WANG, registration_result.id)
    url = f"{sandbox.base_url}/phones/{WANG}"
    shown = sandbox.http.post(f"{url}/settings", data={"template_id": [registration_result.id]}, timeout=5)
    assert "上次：拒绝" in shown.text
    assert send(sandbox)["errcode"] == 43101
    for change in ("revoke_phone", "cancel"):
        done = sandbox.http.post(f"{url}/authorization", data={"change": change}, timeout=5)
        assert (done.status_code, "授权管理" in done.text) == (200, True)
    assert sandbox.http.post(f"{url}/authorization", data={"change": "x"}, timeout=5).status_code == 400
    assert [push["event"] for push in sandbox.pushes(WANG)][-2:] == [
        "user_authorization_revoke",
        "user_authorization_cancellation",
    ]
    assert listener.delivered[-2].fields["RevokeInfo"] == "8"


def test_the_phone_page_says_when_nobody_hears_of_it(sandbox: SandboxTown) -> None:
    sandbox.login_code(WANG)
    assert "还没有配置消息推送" in page(sandbox, f"/phones/{WANG}")
