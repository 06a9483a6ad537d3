"""Credit codes: every one that may be is taken, and whatever is written wrong in one place is seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.credit_codes import DIGITS_ONLY, LENGTH, SIGNS, as_written, check_sign, fault_in

GIVEN_OUT = ["91350100M000100Y43", "91440300708461136T", "91110108551385082Q"]


@st.composite
def codes(draw: st.DrawFn) -> str:
    """A code as a register might give it out."""
    seventeen = "".join(
        draw(st.sampled_from("0123456789" if place in DIGITS_ONLY else SIGNS)) for place in range(LENGTH - 1)
    )
    return seventeen + check_sign(seventeen)


@pytest.mark.parametrize("code", GIVEN_OUT)
def test_codes_that_were_given_out_are_codes(code: str) -> None:
    assert fault_in(code) is None


@given(codes())
def test_whatever_a_register_gives_out_is_a_code_however_it_is_typed(code: str) -> None:
    assert fault_in(code) is None
    loosely = f" {code[:9].lower()} {code[9:]}-"
    full_width = "".join(chr(ord(sign) + 0xFEE0) for sign in code)
    assert as_written(loosely) == as_written(full_width) == code


@given(codes(), st.integers(0, LENGTH - 1), st.sampled_from(SIGNS))
def test_one_sign_written_wrong_is_seen_wherever_it_stands(code: str, place: int, sign: str) -> None:
    wrong = code[:place] + sign + code[place + 1 :]
    assert (fault_in(wrong) is None) == (wrong == code)


@given(codes(), st.integers(0, LENGTH - 3))
def test_two_neighbours_that_changed_places_are_seen(code: str, place: int) -> None:
    wrong = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert (fault_in(wrong) is None) == (wrong == code)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("91350100M000100Y4", "统一社会信用代码是 18 位，现在填了 17 位"),
        ("", "统一社会信用代码是 18 位，现在填了 0 位"),
        ("9135O100M000100Y43", "第 5 位不能是“O”，是不是“0”"),
        ("91350100M0001I0Y43", "第 14 位不能是“I”，是不是“1”"),
        ("91350100M000100Y4*", "第 18 位不能是“*”，只有数字和大写字母"),
        ("91A50100M000100Y43", "第 3 位不能是“A”，第 3 到 8 位都是数字"),
        ("91350100M000100Y44", "第 18 位校验码和前面的对不上，请对照证照逐位核对"),
    ],
)
def test_a_fault_says_where_it_is(code: str, says: str) -> None:
    assert fault_in(code) == says


@given(st.text(max_size=24))
def test_nothing_that_people_type_is_a_reason_to_fall_over(text: str) -> None:
    code = as_written(text)
    assert fault_in(code) is not None or (len(code) == LENGTH and set(code) <= set(SIGNS))
