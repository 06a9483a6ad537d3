"""Remarks (备注) and audiences (报名对象): what the clerk's sentences mean for the run.

What is not understood is never guessed: it is a fault that lists the forms that are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from server.timetable.cells import COUNTING, Unreadable, number_in, plain
from server.timetable.faults import shown

OLDEST = 120
MOST_SESSIONS_IN_A_RUN = 60

AUDIENCE_ADVICE = (
    "能写的有：不限、18周岁以上、60周岁以上、18-60周岁、15周岁以下、7-15周岁，监护人报名、家长和孩子成对报名"
)
RUN_ADVICE = "请写成“四次课为一个班次”；各自单独报名的课，不用写班次"
HELD_ADVICE = "请写成“留20%名额给电话和现场登记”"

_COUNT = f"(?P<count>\\d{{1,4}}|[{COUNTING}]{{1,4}})"
_ONE_RUN = re.compile(
    rf"{_COUNT}\s*[次节堂]课?程?\s*(?:为|算|是|作为|组成|合为)?\s*(?:同?一|1)\s*个?班次?"
    rf"|班次?[^,;。]{{0,4}}共\s*{_COUNT.replace('count', 'total')}\s*[次节堂]"
)
_COUNTED_RUN = re.compile(rf"[\d{COUNTING}]\s*[次节堂].*班|班次.*[\d{COUNTING}]\s*[次节堂]")
_HELD = re.compile(r"(?:预?留|保留)\s*(?:出)?\s*(\d{1,3}(?:\.\d{1,2})?)\s*%")
_HELD_SOMEHOW = re.compile(r"(?:预留|保留|留出?\s*[\d一二两三四五六七八九十]).{0,8}(?:名额|位|电话|现场)")

_AGE = r"(?:周岁|岁)"
_ANYONE = re.compile(r"不限(?:年龄)?|无限制|全体居民|所有居民|居民均可")
_FROM = re.compile(rf"(?:年?满)?(\d{{1,3}}){_AGE}[及(含)]*以上")
_UP_TO = re.compile(rf"(?:未满)?(\d{{1,3}}){_AGE}[及(含)]*以下")
_BETWEEN = re.compile(rf"(\d{{1,3}}){_AGE}?(?:-+|[—–―‒−]+|~|〜|至|到)(\d{{1,3}}){_AGE}")
_BY_GUARDIAN = re.compile(r"(?:须|需|应)?由?(?:监护人|家长)(?:代为|代)?报名")
_PAIR = re.compile(r"(?:家长|父母)(?:和|与|、|带)(?:孩子|子女|儿童)(?:一起|成对|结对)报名|(?:亲子)?成对报名")


@dataclass(frozen=True)
class Audience:
    """Who a run is for. Ages are full years, both ends included; None means no bound."""

    min_age: int | None = None
    max_age: int | None = None
    for_child: bool = False  # a guardian registers the child
    pair: bool = False  # one grown-up and one child on one seat


def read_audience(value: object) -> Audience:
    """Who may register, from the 报名对象 cell. Raises ``Unreadable`` with the forms that are understood."""
    seen = plain(value)
    text = seen.replace(" ", "")
    parts = [part for part in re.split(r"[,;、。]", text) if part]
    ages: tuple[int | None, int | None] = (None, None)
    for_child = pair = False
    said_ages = False
    for part in parts:
        if _BY_GUARDIAN.fullmatch(part):
            for_child = True
        elif _PAIR.fullmatch(part):
            pair = True
        elif not said_ages:
            ages, said_ages = _ages_in(part, seen=seen), True
        else:
            raise _unclear(seen)
    if not parts or (for_child and pair):
        raise _unclear(seen)
    return Audience(min_age=ages[0], max_age=ages[1], for_child=for_child, pair=pair)


def sessions_said(remark: str) -> int | None:
    """How many sessions the remark says make one run (班次); None when it says nothing of the kind."""
    text = plain(remark)
    found = _ONE_RUN.search(text)
    if found is None:
        if _COUNTED_RUN.search(text):
            raise Unreadable(f"看不懂“{shown(text)}”里的班次", RUN_ADVICE)
        return None
    said = number_in(found["count"] or found["total"])
    if said is None or not 1 <= said <= MOST_SESSIONS_IN_A_RUN:
        raise Unreadable(f"“{shown(found[0])}”的次数不对", RUN_ADVICE)
    return said


def mentions_run(remark: str) -> bool:
    """Whether the remark speaks of a 班次 at all."""
    return "班次" in remark


def held_share(remark: str) -> float | None:
    """The share of seats kept for telephone and counter (0.2 for 留20%名额); None when none is."""
    text = plain(remark)
    found = _HELD.search(text)
    if found is None:
        if _HELD_SOMEHOW.search(text):
            raise Unreadable(f"看不懂“{shown(text)}”里留出的名额", HELD_ADVICE)
        return None
    share = float(found[1])
    if not 0 < share < 100:
        raise Unreadable(f"“{shown(found[0])}”要在 0 和 100 之间", HELD_ADVICE)
    return round(share / 100, 4)


def _ages_in(text: str, *, seen: str) -> tuple[int | None, int | None]:
    ages: tuple[int | None, int | None]
    if _ANYONE.fullmatch(text):
        return None, None
    if found := _FROM.fullmatch(text):
        ages = int(found[1]), None
    elif found := _UP_TO.fullmatch(text):
        ages = None, int(found[1]) - text.startswith("未满")
    elif found := _BETWEEN.fullmatch(text):
        ages = int(found[1]), int(found[2])
    else:
        raise _unclear(seen)
    low, high = ages
    if max(low or 0, high or 0) > OLDEST or (high is not None and (low or 0) > high):
        raise Unreadable(f"“{shown(seen)}”的年龄不对", "请先写小的年龄，再写大的，例如 18-60周岁")
    return ages


def _unclear(seen: str) -> Unreadable:
    return Unreadable(f"看不懂报名对象“{shown(seen)}”", AUDIENCE_ADVICE)
