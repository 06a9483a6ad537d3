"""Login and phone-number codes (wechat.md §2, §5)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from models import clock
from server.wechat_sandbox import Options
from tests.sandbox import JSCODE2SESSION, PHONE_NUMBER, SandboxTown, open_sandbox

MORNING = datetime(2026, 12, 3, 1, 0, tzinfo=UTC)


def exchange(town: SandboxTown, code: str, **changed: str) -> dict[str, Any]:
    query = {
        "appid": town.appid,
        "secret": town.secret,
        "js_code": code,
        "grant_type": "authorization_code",
        **changed,
    }
    return town.get(JSCODE2SESSION, **query)


def phone_number(town: SandboxTown, code: str, **more: str) -> dict[str, Any]:
    return town.post(PHONE_NUMBER, {"code": code, **more}, access_token=town.token())


def test_a_code_tells_who_logs_in(sandbox: SandboxTown) -> None:
    answer = exchange(sandbox, sandbox.login_code("openid-wang"))
    assert answer["openid"] == "openid-wang"
    assert len(base64.b64decode(answer["session_key"])) == 16
    assert "unionid" not in answer
    assert "errcode" not in answer


def test_a_code_is_good_once(sandbox: SandboxTown) -> None:
    code = sandbox.login_code("openid-wang")
    exchange(sandbox, code)
    again = exchange(sandbox, code)
    assert again["errcode"] == 40163
    assert ", rid: " in again["errmsg"]


def test_an_unknown_code_is_refused(sandbox: SandboxTown) -> None:
    answer = exchange(sandbox, "0" * 32)
    assert answer["errcode"] == 40029
    assert answer["errmsg"].startswith("invalid code, rid: ")


def test_a_code_lives_five_minutes(sandbox: SandboxTown) -> None:
    with clock.stopped_at(MORNING) as hand:
        young, old = sandbox.login_code("openid-wang"), sandbox.login_code("openid-wang")
        hand.advance(seconds=299)
        assert exchange(sandbox, young)["openid"] == "openid-wang"
        hand.advance(seconds=1)
        assert exchange(sandbox, old)["errcode"] == 40029
        assert exchange(sandbox, old)["errcode"] == 40163, "a failed exchange burns the code"


def test_a_code_of_another_mini_program_is_refused(sandbox: SandboxTown) -> None:
    assert exchange(sandbox, sandbox.login_code("openid-wang", appid="wxother00001"))["errcode"] == 40029


def test_a_flagged_person_is_not_let_in(sandbox: SandboxTown) -> None:
    sandbox.user("openid-shady", flagged=True)
    assert exchange(sandbox, sandbox.login_code("openid-shady"))["errcode"] == 40226


def test_the_hundred_and_first_login_of_a_minute_is_too_frequent() -> None:
    with open_sandbox(options=Options(logins_a_minute=3)) as town, clock.stopped_at(MORNING) as hand:
        for _ in range(3):
            assert "openid" in exchange(town, town.login_code("openid-wang"))
        assert exchange(town, town.login_code("openid-wang"))["errcode"] == 45011
        assert "openid" in exchange(town, town.login_code("openid-neighbour"))
        hand.advance(seconds=60)
        assert "openid" in exchange(town, town.login_code("openid-wang"))


def test_login_names_what_is_missing_or_wrong(sandbox: SandboxTown) -> None:
    code = sandbox.login_code("openid-wang")
    assert exchange(sandbox, code, appid="")["errcode"] == 41002
    assert exchange(sandbox, code, secret="")["errcode"] == 41004
    assert exchange(sandbox, code, appid="wxwrong0001")["errcode"] == 40013
    assert exchange(sandbox, code, secret="wrong")["errcode"] == 40125
    assert exchange(sandbox, code, grant_type="password")["errcode"] == 40002
    assert exchange(sandbox, "")["errcode"] == 41008
    assert exchange(sandbox, code)["openid"] == "openid-wang", "none of these reached the code"


def test_login_ignores_a_stray_access_token(sandbox: SandboxTown) -> None:
    assert exchange(sandbox, sandbox.login_code("openid-wang"), access_token="nonsense")["openid"]


def test_the_session_key_rotates_but_not_in_quick_succession(sandbox: SandboxTown) -> None:
    with clock.stopped_at(MORNING) as hand:
        first = exchange(sandbox, sandbox.login_code("openid-wang"))["session_key"]
        assert exchange(sandbox, sandbox.login_code("openid-wang"))["session_key"] == first
        hand.advance(minutes=10)
        assert exchange(sandbox, sandbox.login_code("openid-wang"))["session_key"] != first


def test_a_bound_account_gives_a_unionid() -> None:
    with open_sandbox(options=Options(unionid=True)) as town:
        first = exchange(town, town.login_code("openid-wang"))["unionid"]
        assert exchange(town, town.login_code("openid-wang"))["unionid"] == first
        assert exchange(town, town.login_code("openid-other"))["unionid"] != first


def test_a_unionid_can_appear_later(sandbox: SandboxTown) -> None:
    assert "unionid" not in exchange(sandbox, sandbox.login_code("openid-wang"))
    sandbox.user("openid-wang", unionid="union-wang-1")
    assert exchange(sandbox, sandbox.login_code("openid-wang"))["unionid"] == "union-wang-1"


def test_a_phone_code_gives_the_number(sandbox: SandboxTown) -> None:
    answer = phone_number(sandbox, sandbox.phone_code("openid-wang", "13800138000"), openid="openid-wang")
    assert answer["errcode"] == 0
    card = answer["phone_info"]
    assert (card["phoneNumber"], card["purePhoneNumber"], card["countryCode"]) == (
        "13800138000",
        "13800138000",
        "86",
    )
    assert card["watermark"]["appid"] == sandbox.appid


def test_a_foreign_number_carries_its_country(sandbox: SandboxTown) -> None:
    card = phone_number(sandbox, sandbox.phone_code("openid-wang", "+85261234567"))["phone_info"]
    assert (card["purePhoneNumber"], card["countryCode"]) == ("61234567", "852")


def test_a_used_an_old_and_an_unknown_phone_code_are_told_alike(sandbox: SandboxTown) -> None:
    with clock.stopped_at(MORNING) as hand:
        used = sandbox.phone_code("openid-wang", "13800138000")
        phone_number(sandbox, used)
        old = sandbox.phone_code("openid-wang", "13800138000")
        again = phone_number(sandbox, used)
        assert again["errcode"] == 40029
        assert " hint: [" in again["errmsg"]
        assert " rid: " in again["errmsg"]
        hand.advance(minutes=5)
        assert phone_number(sandbox, old)["errcode"] == 40029
        assert phone_number(sandbox, "f" * 64)["errcode"] == 40029


def test_login_and_phone_codes_are_not_interchangeable(sandbox: SandboxTown) -> None:
    assert phone_number(sandbox, sandbox.login_code("openid-wang"))["errcode"] == 40029
    assert exchange(sandbox, sandbox.phone_code("openid-wang", "13800138000"))["errcode"] == 40029


def test_a_phone_code_binds_only_its_own_person(sandbox: SandboxTown) -> None:
    code = sandbox.phone_code("openid-wang", "13800138000")
    assert phone_number(sandbox, code, openid="openid-thief")["errcode"] == 40003


def test_a_phone_code_of_another_mini_program_is_told_so(sandbox: SandboxTown) -> None:
    code = sandbox.phone_code("openid-wang", "13800138000", appid="wxother00001")
    assert phone_number(sandbox, code)["errcode"] == 40013


def test_the_phone_number_needs_a_token_and_a_post(sandbox: SandboxTown) -> None:
    code = sandbox.phone_code("openid-wang", "13800138000")
    assert sandbox.post(PHONE_NUMBER, {"code": code})["errcode"] == 41001
    assert sandbox.get(PHONE_NUMBER, access_token=sandbox.token())["errcode"] == 43002
