"""Credit codes (统一社会信用代码): the eighteen signs that name a unit in China, and what may be wrong with them (GB 32100-2015).

The first sign says who registered the unit and the second what it is, six digits where, nine signs who, and the last is a check digit
that fits the seventeen before it. Five letters that look like others are in none of them.
"""

from __future__ import annotations

import unicodedata

SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # their order is their value
LENGTH = 18
DIGITS_ONLY = range(2, 8)  # where the unit is registered, as the numbers of districts
WEIGHTS = tuple(pow(3, place, len(SIGNS)) for place in range(LENGTH - 1))
_LOOKS_LIKE = {"I": "1", "O": "0", "S": "5", "Z": "2", "V": "U"}


def as_written(text: str) -> str:
    """The code as its papers show it: capital letters, plain digits, no gaps."""
    return "".join(unicodedata.normalize("NFKC", text).upper().split()).replace("-", "")


def check_sign(seventeen: str) -> str:
    """The last sign that fits the seventeen before it."""
    value = sum(weight * SIGNS.index(sign) for weight, sign in zip(WEIGHTS, seventeen, strict=True))
    return SIGNS[-value % len(SIGNS)]


def fault_in(code: str) -> str | None:
    """What is wrong with a code ``as_written``, in a sentence that says where if one can tell; nothing when it may be one."""
    if len(code) != LENGTH:
        return f"统一社会信用代码是 {LENGTH} 位，现在填了 {len(code)} 位"
    for place, sign in enumerate(code):
        if sign not in SIGNS:
            meant = _LOOKS_LIKE.get(sign)
            return f"第 {place + 1} 位不能是“{sign}”" + (
                f"，是不是“{meant}”" if meant else "，只有数字和大写字母"
            )
        if place in DIGITS_ONLY and not sign.isdigit():
            return f"第 {place + 1} 位不能是“{sign}”，第 3 到 8 位都是数字"
    if code[-1] != check_sign(code[:-1]):
        return f"第 {LENGTH} 位校验码和前面的对不上，请对照证照逐位核对"
    return None
