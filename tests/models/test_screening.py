"""What a text tells too much of, and what may not be asked for, however it is written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.screening import MASK, PRIVATE, Pattern, masked, passages, said

AN_IDENTITY = "11010519491231002X"  # the example of GB 11643 itself
A_CARD = "4111 1111 1111 1111"  # everybody's test card


def found(text: str) -> list[Pattern]:
    return [one.pattern for one in passages(text)]


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("打我电话19900000001", Pattern.PHONE),
        ("打我电话 199 0000 0001 谢谢", Pattern.PHONE),
        ("电话199-0000-0001", Pattern.PHONE),
        ("电话１９９００００００００１", None),  # a digit too many is no phone
        ("电话１９９０００００００１", Pattern.PHONE),
        ("座机 0990-1234567", Pattern.PHONE),
        ("+8619900000001", Pattern.PHONE),
        (f"身份证{AN_IDENTITY}", Pattern.IDENTITY_NUMBER),
        ("编号110105194912310021", None),  # the check digit says no
        ("身份证110105194912310021", Pattern.IDENTITY_NUMBER),  # but they say it is one
        ("身份证号码：110105 19491231 002", Pattern.IDENTITY_NUMBER),
        ("证件号是110105491231002", Pattern.IDENTITY_NUMBER),  # as they were before 1999
        ("卡号4111 1111 1111 1112", Pattern.BANK_CARD),
        ("身份证复印件2份", None),
        (f"卡号{A_CARD}", Pattern.BANK_CARD),
        ("住在3栋2单元501室", Pattern.ADDRESS),
        ("住十二号楼", Pattern.ADDRESS),
        ("书香路18号", Pattern.ADDRESS),
        ("加我微信 abc_12345", Pattern.ACCOUNT),
        ("我的qq：12345678", Pattern.ACCOUNT),
        ("想要一点现金", Pattern.MONEY),
        ("求资助500元", Pattern.MONEY),
        ("把收款码发给我", Pattern.MONEY),
        ("想要两瓶白酒", Pattern.FORBIDDEN),
        ("想要一盒药品", Pattern.FORBIDDEN),
        ("想请人代购药品", None),  # who fetches it is asked for, not the medicine
        ("想要一个电饭煲，300元以内的", None),
        ("想要200元左右的鞋", None),
        ("想学一首歌，2026年国庆唱", None),
        ("想要一副老花镜，200度", None),
        ("孩子上3年级，想要一套百科书", None),
        ("想请人修12个灯泡", None),
    ],
)
def test_what_is_found(text: str, pattern: Pattern | None) -> None:
    assert found(text) == ([] if pattern is None else [pattern])


def test_an_identity_number_is_not_also_a_phone_or_a_card() -> None:
    assert found(f"{AN_IDENTITY} 和 {A_CARD}") == [Pattern.IDENTITY_NUMBER, Pattern.BANK_CARD]


def test_what_is_private_is_covered_and_the_rest_reads_on() -> None:
    text = "想修水龙头，住3栋501室，电话19900000001"
    assert masked(text) == f"想修水龙头，住{MASK * 6}，电话{MASK * 11}"
    assert said(passages(text)) == "门牌地址、电话号码"


def test_what_may_not_be_asked_for_is_not_covered() -> None:
    assert masked("想要现金") == "想要现金"


@settings(deadline=None)  # a busy machine
@given(st.text())
def test_a_masked_text_is_as_long_and_tells_nothing_private(text: str) -> None:
    covered = masked(text)
    assert len(covered) == len(text)
    assert not [one for one in passages(covered) if one.pattern in PRIVATE]


@settings(deadline=None)  # a busy machine
@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["", " ", "-", "·"]))
def test_no_mobile_number_gets_through(number: str, between: str) -> None:
    written = f"电话是{number[:3]}{between}{number[3:7]}{between}{number[7:]}，谢谢"
    assert number[-4:] not in masked(written)
