"""Screening (脱敏 · 拦截): what in a text tells too much about somebody, and what may not be asked for.

Found are phone numbers, identity numbers, bank cards and addresses, which are offered for masking before anybody else reads a text; and what no wish
may be about: money in any form, medicine, alcohol, food that was opened (domain.md §2.3, §0.7). Nothing here decides: it says where what stands.
Digits are found however they are written: 138 0000 0000, 138-0000-0000, １３８….
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Pattern(StrEnum):
    """What was found."""

    PHONE = "phone"  # 电话号码
    IDENTITY_NUMBER = "identity_number"  # 身份证号
    BANK_CARD = "bank_card"  # 银行卡号
    ADDRESS = "address"  # 门牌地址
    ACCOUNT = "account"  # 微信号、QQ号
    MONEY = "money"  # 要钱
    FORBIDDEN = "forbidden"  # 药品、烟酒、二手食品


PRIVATE = frozenset(
    {Pattern.PHONE, Pattern.IDENTITY_NUMBER, Pattern.BANK_CARD, Pattern.ADDRESS, Pattern.ACCOUNT}
)
PATTERN_WORDS = {
    Pattern.PHONE: "电话号码",
    Pattern.IDENTITY_NUMBER: "身份证号",
    Pattern.BANK_CARD: "银行卡号",
    Pattern.ADDRESS: "门牌地址",
    Pattern.ACCOUNT: "微信号或QQ号",
    Pattern.MONEY: "现金、转账或收款码",
    Pattern.FORBIDDEN: "药品、烟酒或散装食品",
}
MASK = "＊"  # as wide as what it stands for, so that a masked text reads as the text

_BETWEEN = r"[\s\-—–_.·]?"  # what people write between digits
_MOBILE = re.compile(rf"(?<!\d)(?:\+?86{_BETWEEN})?1[3-9](?:{_BETWEEN}\d){{9}}(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)0\d{2,3}[\s\-—–]?\d{7,8}(?!\d)")
_IDENTITY = re.compile(rf"(?<!\d)\d(?:{_BETWEEN}\d){{16}}{_BETWEEN}[\dXx](?!\d)")
_CARD = re.compile(rf"(?<!\d)\d(?:{_BETWEEN}\d){{15,18}}(?!\d)")
# what is called one is one, also with a digit too few or one that is wrong: whoever copies a number by hand errs
_CALLED = re.compile(
    rf"(?:(?P<identity>身份证|证件)|卡号|账号|账户|帐号)(?:号码?)?\s*(?:是|为|[:：])?\s*(?P<digits>\d(?:{_BETWEEN}[\dXx]){{13,18}})(?![\dXx])"
)
_DOORPLATE = re.compile(
    r"[一二三四五六七八九十百\d]{1,4}\s*(?:号楼|栋|幢|座|单元|门牌|室|弄)"
    r"(?:\s*[一二三四五六七八九十百\d]{1,4}\s*(?:号楼|栋|幢|座|单元|层|楼|室|户|号)?)*"
    r"|[\u4e00-\u9fff]{2,8}(?:路|街|巷|弄|里|苑)\s*\d{1,4}\s*号(?:\s*[一二三四五六七八九十百\d]{1,4}\s*(?:号楼|栋|幢|座|单元|层|楼|室|户|号)?)*"
)
_ACCOUNT = re.compile(
    r"(?:微信号?|wechat|wx|vx|qq号?)\s*(?:是|为|[:：])?\s*[a-z\d][a-z\d_\-]{4,19}", re.IGNORECASE
)
_MONEY = re.compile(
    r"现金|转账|打钱|汇款|红包|收款码|付款码|二维码收款|银行卡|支付宝|微信支付|捐款|借钱|还债|房租|学费|生活费|购物卡|充值卡|储值卡"
    r"|(?:给|要|求|资助|补助|帮助?)[^，。；\n]{0,6}\d+\s*(?:元|块钱|万)(?!\s*(?:以内|以下|左右|上下|的|一))"
)
_FORBIDDEN = re.compile(
    # somebody to fetch it is a service there is (零距离帮办代办, domain.md §1.2); the medicine itself is none
    r"处方药|(?<!代[购买取])药品|药片|胰岛素|抗生素|安眠药|香烟|烟酒|白酒|啤酒|黄酒|红酒|剩饭|剩菜|二手食品|散装食品|过期食品"
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643
_CHECKS = "10X98765432"


@dataclass(frozen=True, order=True)
class Passage:
    """Where in a text something was found: from one character to another, the last not included."""

    begins: int
    ends: int
    pattern: Pattern


def passages(text: str) -> list[Passage]:
    """Everything that was found, in the order of the text; of two that overlap, the one that says more."""
    plain = _as_wide(text)
    found: list[Passage] = []
    for one in _all(plain):
        if not any(one.begins < other.ends and other.begins < one.ends for other in found):
            found.append(one)
    return sorted(found)


def masked(text: str, found: Sequence[Passage] | None = None) -> str:
    """The text with every private passage covered, as long as it was; what may not be asked for stays, for somebody has to read it."""
    written = list(text)
    for one in passages(text) if found is None else found:
        if one.pattern in PRIVATE:
            written[one.begins : one.ends] = MASK * (one.ends - one.begins)
    return "".join(written)


def names(text: str, name: str | None) -> bool:
    """Whether a text that everybody may read is somebody's name, or has it in it, also with spaces and dots between."""
    plain = "".join(character for character in _as_wide(text) if character.isalnum())
    return name is not None and (plain == name or (len(name) > 1 and name in plain))


def said(found: Sequence[Passage]) -> str:
    """What was found in words: 电话号码、门牌地址."""
    return "、".join(dict.fromkeys(PATTERN_WORDS[one.pattern] for one in found))


def _all(plain: str) -> Iterator[Passage]:
    """What says most first: an identity number is also digits enough for a card."""
    for match in _IDENTITY.finditer(plain):
        if _is_identity(_digits(match[0])):
            yield Passage(*match.span(), Pattern.IDENTITY_NUMBER)
    for match in _CARD.finditer(plain):
        if _is_card(_digits(match[0])):
            yield Passage(*match.span(), Pattern.BANK_CARD)
    for match in _CALLED.finditer(plain):
        called = Pattern.IDENTITY_NUMBER if match["identity"] else Pattern.BANK_CARD
        yield Passage(*match.span("digits"), called)
    for expression, pattern in (
        (_MOBILE, Pattern.PHONE),
        (_LANDLINE, Pattern.PHONE),
        (_ACCOUNT, Pattern.ACCOUNT),
        (_DOORPLATE, Pattern.ADDRESS),
        (_MONEY, Pattern.MONEY),
        (_FORBIDDEN, Pattern.FORBIDDEN),
    ):
        for match in expression.finditer(plain):
            yield Passage(*match.span(), pattern)


def _as_wide(text: str) -> str:
    """The text with digits and letters as everybody writes them, character for character."""
    return "".join(
        plain
        if character.isalnum() and len(plain := unicodedata.normalize("NFKC", character)) == 1
        else character
        for character in text
    )


def _digits(written: str) -> str:
    return "".join(character for character in written if character.isdigit() or character in "Xx").upper()


def _is_identity(digits: str) -> bool:
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=False))
    return digits[17] == _CHECKS[total % 11]


def _is_card(digits: str) -> bool:
    """Luhn's check, which every bank card passes, and one in ten other numbers."""
    if "X" in digits:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
