"""Saying (说明): what a run is, in the words people read, wherever it is said: on a page, in a message, to a clerk who corrects it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from models.courses.runs import Admission, Audience

ADMISSIONS: Mapping[Admission, str] = {
    Admission.FIRST_COME: "先到先得",
    Admission.DRAW: "抽签",
    Admission.REVIEW: "审核录取",
}
_AUDIENCES: Mapping[Audience, str] = {
    Audience.EVERYONE: "不限",
    Audience.CHILD: "监护人替孩子报名",
    Audience.PAIR: "家长和孩子成对报名",
}


class ForSome(Protocol):
    """Whatever says who may come: a run, or the plan of one."""

    @property
    def audience(self) -> Audience: ...
    @property
    def min_age(self) -> int | None: ...
    @property
    def max_age(self) -> int | None: ...


def say_audience(rule: ForSome) -> str:
    """Who may come: 7-15周岁，监护人替孩子报名."""
    low, high = rule.min_age, rule.max_age
    if low is None and high is None:
        return _AUDIENCES[rule.audience]
    ages = f"{low}-{high}周岁" if low is not None and high is not None else f"{low}周岁以上"
    if low is None:
        ages = f"{high}周岁以下"
    return ages if rule.audience is Audience.EVERYONE else f"{ages}，{_AUDIENCES[rule.audience]}"


def say_how_many(*, courses: int, activities: int) -> str:
    """What is new: 2门课、1项活动."""
    said = {f"{courses}门课": courses, f"{activities}项活动": activities}
    return "、".join(words for words, is_so in said.items() if is_so)
