"""Who may have a seat. Each rule says no in its own words; the order is the one a person meets them in."""

from __future__ import annotations

from datetime import datetime

from models import clock
from models.courses.runs import Audience, RunState
from models.courses.seats.asking import Asker, LockedRun, Person
from models.errors import Conflict
from models.profiles import must_be_known, must_be_known_at_counter
from models.residents import BondKind, guards_a_child, is_minor


def must_be_open(run: LockedRun, now: datetime) -> None:
    if run.state is RunState.CANCELLED:
        raise Conflict("run_cancelled", "已经取消了，请看看其他课程或活动")
    if now < run.opens_at:
        opens = clock.in_town(run.opens_at)
        raise Conflict(
            "not_open_yet",
            f"报名还没开始，{opens.month}月{opens.day}日 {opens:%H:%M} 开放，请到时再来",
            details={"opens_at": opens.isoformat()},
        )
    if run.takes_applications and run.draws_at is not None and now >= run.draws_at:
        raise Conflict("being_drawn", "申请已经截止，正在抽签，请稍后看结果；还有名额会接着开放报名")
    if now >= run.closes_at:
        raise Conflict("registration_closed", "报名已经截止，欢迎关注下一期")


def must_be_told(asker: Asker, *, at_what_age: bool) -> Person:
    """The one it is for, once everything is told that must be: by who taps, or of whom staff act for. Raises why not."""
    if asker.counter is not None:
        return must_be_known_at_counter(
            asker.learner,
            has_agreed=asker.consented,
            withdrew=asker.ward_withdrew,
            at_what_age=at_what_age,
        )
    return must_be_known(
        asker.oneself,
        asker.learner,
        has_agreed=asker.consented,
        ward_withdrew=asker.ward_withdrew,
        at_what_age=at_what_age,
    )


def must_be_old_enough(asker: Asker) -> None:
    """Somebody below fourteen registers through a guardian only, and below eighteen by themselves once a guardian agreed (E8).

    What they agreed to alone is no agreement at the counter either.
    """
    if asker.counter is not None and not asker.guardian_agreed:
        raise Conflict("guardian_consent_needed", "未满18周岁，请由监护人签字同意")
    oneself = asker.oneself
    if oneself is None or asker.learner is not oneself or not is_minor(oneself.birth_year):
        return
    if guards_a_child(BondKind.GUARDIAN, oneself.birth_year):
        raise Conflict("guardian_acts", "未满14周岁，请由监护人在自己的手机上替您报名")
    if not asker.guardian_agreed:
        raise Conflict("guardian_consent_needed", "未满18周岁，请先请监护人添加您，或到社区签字同意")


def must_be_for(run: LockedRun, learner: Person, asker: Asker) -> None:
    if run.audience is Audience.CHILD and learner is asker.oneself:
        raise Conflict("guardian_needed", "由监护人替孩子报名，请在“家人”里选择孩子")
    if run.audience is Audience.PAIR:
        _must_be_a_pair(learner, asker)
    if learner.birth_year is None:
        return
    # only the year of birth is asked for, so the age is the one reached in the year the class starts
    age = clock.in_town(run.starts_at).year - learner.birth_year
    if (run.min_age is not None and age < run.min_age) or (run.max_age is not None and age > run.max_age):
        raise Conflict(
            "out_of_age",
            f"面向{_say_ages(run)}的居民，请看看其他课程或活动",
            details={"min_age": run.min_age, "max_age": run.max_age},
        )


def _must_be_a_pair(child: Person, asker: Asker) -> None:
    """One adult and one child have one seat together: the guardian who taps for the child, or whom staff name beside it."""
    adult = asker.adult_along
    is_theirs = asker.counter is not None or asker.bond is BondKind.GUARDIAN
    if adult is None or not is_theirs or is_minor(adult.birth_year) or not is_minor(child.birth_year):
        raise Conflict("pair_needed", "由一位家长带一个孩子一起来，请在“家人”里选择孩子报名")


def must_be_few(run: LockedRun, companions: int) -> None:
    if companions > run.most_companions:
        raise Conflict(
            "too_many_companions",
            f"每人最多带 {run.most_companions} 位同行人" if run.most_companions else "不能带同行人",
            details={"most": run.most_companions},
        )


def looks_at_age(run: LockedRun) -> bool:
    """Whether the year of birth must be known to say who may come."""
    has_ages = run.min_age is not None or run.max_age is not None
    return has_ages or run.audience is Audience.PAIR


def _say_ages(run: LockedRun) -> str:
    if run.max_age is None:
        return f"{run.min_age}周岁以上"
    if run.min_age is None:
        return f"{run.max_age}周岁以下"
    return f"{run.min_age}至{run.max_age}周岁"
