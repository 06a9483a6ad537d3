"""Content checks: a verdict, or a person has to look; never an error for the resident."""

from __future__ import annotations

from typing import Any

import pytest

from miniprogram_api.wechat import Scene, Suggest, TextVerdict, WeChatGateway
from miniprogram_api.wechat.pause import MOST_IN_VAIN, Pause
from tests.miniprogram_api.wechat.test_login import nobody_home
from tests.sandbox import CHECK_MEDIA, CHECK_TEXT, STABLE_TOKEN, SandboxTown

WANG = "openid-wang"
PICTURE = "http://127.0.0.1:9/picture.png"


def check(gateway: WeChatGateway, text: str = "邻居您好", **more: Any) -> TextVerdict:
    return gateway.check_text(text, openid=WANG, scene=Scene.FORUM, **more)


def test_text_gets_wechats_verdict(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    sandbox.login_code(WANG)
    fine = check(gateway)
    assert (fine.suggest, fine.label, fine.needs_a_person) == (Suggest.PASS, 100, False)
    assert fine.trace_id
    risky = check(gateway, "赌博平台")
    assert (risky.suggest, risky.label) == (Suggest.RISKY, 20006)
    doubtful = check(gateway, nickname="加我微信")
    assert (doubtful.suggest, doubtful.needs_a_person, doubtful.reason) == (Suggest.REVIEW, True, "")


def test_nothing_written_needs_no_check(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    assert check(gateway, " \n").suggest is Suggest.PASS
    assert sandbox.calls(CHECK_TEXT) == 0


def test_a_text_too_long_for_wechat_is_for_a_person(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    verdict = check(gateway, "长" * 2501)
    assert (verdict.suggest, "longer" in verdict.reason) == (Suggest.REVIEW, True)
    assert sandbox.calls(CHECK_TEXT) == 0


def test_who_was_away_for_two_hours_is_for_a_person(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    sandbox.user(WANG)
    verdict = check(gateway)
    assert verdict.suggest is Suggest.REVIEW
    assert verdict.reason == "needs a person: not in the mini-program for two hours"
    assert verdict.errcode == 61010


@pytest.mark.parametrize(
    ("path", "day"),
    [
        (CHECK_TEXT, {"errcode": -1}),
        (CHECK_TEXT, {"errcode": 45009}),
        (CHECK_TEXT, {"errcode": 44991}),
        (CHECK_TEXT, {"errcode": 48001}),
        (CHECK_TEXT, {"errcode": 40003}),
        (CHECK_TEXT, {"errcode": 99999}),
        (CHECK_TEXT, {"errcode": 40001, "times": None}),
        (CHECK_TEXT, {"latency_ms": 900}),
        (CHECK_TEXT, {"http_status": 502}),
        (CHECK_TEXT, {"reset_before": True}),
        (CHECK_TEXT, {"reset_after_processing": True}),
        (STABLE_TOKEN, {"http_status": 500}),
        (STABLE_TOKEN, {"errcode": 40164}),
    ],
)
def test_a_bad_day_at_wechat_sends_text_and_pictures_to_a_person(
    sandbox: SandboxTown, gateway: WeChatGateway, path: str, day: dict[str, Any]
) -> None:
    sandbox.login_code(WANG)
    sandbox.fault(path, **day)
    verdict = check(gateway)
    assert verdict.needs_a_person
    assert verdict.reason.startswith("needs a person: ")
    assert WANG not in repr(verdict)
    sandbox.clear_faults()
    sandbox.fault(CHECK_MEDIA if path == CHECK_TEXT else path, **day)
    image = gateway.check_image(PICTURE, openid=WANG, scene=Scene.COMMENT)
    assert image.trace_id is None or path == STABLE_TOKEN
    assert image.needs_a_person == (image.trace_id is None)


def test_nobody_at_wechats_address_is_for_a_person(sandbox: SandboxTown) -> None:
    assert check(nobody_home(sandbox)).needs_a_person
    assert nobody_home(sandbox).check_image(PICTURE, openid=WANG, scene=Scene.FORUM).needs_a_person


def test_a_picture_gets_a_trace_id_under_which_the_verdict_will_come(
    sandbox: SandboxTown, gateway: WeChatGateway
) -> None:
    sandbox.login_code(WANG)
    sandbox.control("POST", "media-delay", {"delay_ms": 600_000})
    handed = gateway.check_image(PICTURE, openid=WANG, scene=Scene.COMMENT)
    assert handed.trace_id in sandbox.account.checks.pending
    assert not handed.needs_a_person
    again = gateway.check_image(PICTURE, openid=WANG, scene=Scene.COMMENT)
    assert (again.trace_id, again.reason) == (None, "needs a person: the same picture is being checked")


# --- a bad day is not made worse ----------------------------------------------------------------------------------


@pytest.mark.parametrize("day", [{"errcode": -1}, {"errcode": 45009}, {"latency_ms": 900}])
def test_after_some_questions_in_vain_nobody_waits_for_an_answer_any_more(
    sandbox: SandboxTown, gateway: WeChatGateway, day: dict[str, Any]
) -> None:
    sandbox.login_code(WANG)
    sandbox.fault(CHECK_TEXT, times=None, **day)
    assert all(check(gateway).needs_a_person for _ in range(MOST_IN_VAIN + 5))
    assert sandbox.calls(CHECK_TEXT) == MOST_IN_VAIN
    assert gateway.check_image(PICTURE, openid=WANG, scene=Scene.FORUM).needs_a_person
    assert sandbox.calls(CHECK_MEDIA) == 0


def test_a_no_to_one_person_is_no_bad_day(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    sandbox.user(WANG)
    assert all(check(gateway).errcode == 61010 for _ in range(MOST_IN_VAIN + 1))
    sandbox.login_code(WANG)
    assert check(gateway).suggest is Suggest.PASS


def paused_after(*answered: bool, seconds: float = 60) -> bool:
    pause = Pause(seconds)
    for one in answered:
        pause.learn(answered=one)
    return pause.is_on


def test_a_good_answer_ends_the_count_and_a_pause_ends_by_itself() -> None:
    in_vain = [False] * MOST_IN_VAIN
    assert paused_after(*in_vain)
    assert not paused_after(*in_vain[1:], True, False)
    assert not paused_after(*in_vain, seconds=0)
