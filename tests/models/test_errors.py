"""How the town says no: a code for programs, a sentence for people."""

from __future__ import annotations

import pytest

from models.errors import (
    Busy,
    Conflict,
    Fault,
    Forbidden,
    Invalid,
    NotFound,
    Refusal,
    Unauthenticated,
    Unavailable,
)


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (NotFound(), "not_found"),
        (NotFound("没有", code="no_bond"), "no_bond"),
        (Forbidden("grant_beyond_scope", "您只能在自己管理的范围内授权"), "grant_beyond_scope"),
        (Conflict("room_taken", "这个时间已被占用"), "room_taken"),
        (Invalid([Fault("name", "请填写姓名")]), "invalid"),
        (Unauthenticated(), "login_needed"),
        (Busy(), "busy"),
        (Unavailable("wechat_down", "微信暂时没有回应"), "wechat_down"),
    ],
)
def test_every_refusal_has_a_code_and_a_sentence(refusal: Refusal, code: str) -> None:
    assert refusal.code == code
    assert any("\u4e00" <= character <= "\u9fff" for character in refusal.message)
    assert str(refusal) == f"{code}: {refusal.message}"


def test_details_are_the_refusals_own() -> None:
    details = {"waiting": 3}
    refusal = Conflict("waitlist_full", "已满", details=details)
    details["waiting"] = 4
    assert refusal.details == {"waiting": 3}


def test_every_wrong_field_is_named_at_once() -> None:
    refusal = Invalid([Fault("name", "请填写姓名"), Fault("phone", "请填写手机号", "missing")])
    assert [(fault.field, fault.code) for fault in refusal.faults] == [
        ("name", "invalid"),
        ("phone", "missing"),
    ]


def test_busy_says_when_to_come_back() -> None:
    assert Busy(retry_after=3).retry_after == 3
