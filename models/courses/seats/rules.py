"""Who may have a seat. Each rule says no in its own words; the order is the one a person meets them in."""

from __future__ import annotations

from datetime import datetime

from models import clock
from models.courses.runs import Audience, RunState
from models.courses.seats.asking import Asker, LockedRun, Person
from models.errors import Conflict


def must_be_open(run: LockedRun, now: datetime) -> None:
    if run.state is RunState.CANCELLED:
        raise Conflict("run_cancelled", "这个班已取消，请看看其他课程")
    if now < run.opens_at:
        opens = clock.in_town(run.opens_at)
        raise Conflict(
            "not_open_yet",
            f"报名还没开始，{opens.month}月{opens.day}日 {opens:%H:%M} 开放，请到时再来",
            details={"opens_at": opens.isoformat()},
        )
    if now >= run.closes_at:
        raise Conflict("registration_closed", "报名已经截止，欢迎关注下一期")
    if run.audience is Audience.PAIR:
        raise Conflict("pair_not_open", "这个班需家长和孩子成对报名，请到社区或打电话登记")


def must_be_for(run: LockedRun, learner: Person, asker: Asker) -> None:
    if run.audience is Audience.CHILD and learner is asker.oneself:
        raise Conflict("guardian_needed", "这个班由监护人替孩子报名，请在“家人”里选择孩子")
    if learner.birth_year is None:
        return
    # only the year of birth is asked for, so the age is the one reached in the year the class starts
    age = clock.in_town(run.starts_at).year - learner.birth_year
    if (run.min_age is not None and age < run.min_age) or (run.max_age is not None and age > run.max_age):
        raise Conflict(
            "out_of_age",
            f"这个班面向{_say_ages(run)}的居民，请看看其他课程",
            details={"min_age": run.min_age, "max_age": run.max_age},
        )


def looks_at_age(run: LockedRun) -> bool:
    """Whether the year of birth must be known to say who may come."""
    return run.min_age is not None or run.max_age is not None


def _say_ages(run: LockedRun) -> str:
    if run.max_age is None:
        return f"{run.min_age}周岁以上"
    if run.min_age is None:
        return f"{run.max_age}周岁以下"
    return f"{run.min_age}至{run.max_age}周岁"
