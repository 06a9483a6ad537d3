"""Matching (对班): which run of the corrected file is which run that stands already.

A run's name for good is community, month, course and ordinal. A clerk who adds a class in front, or deletes one that is over,
shifts the counting of the rows behind it; so a run whose evenings are all the same is recognised by them first, and only what
is left is matched by its ordinal. Otherwise a class added on the 2nd would drag everybody registered for the 9th with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from models import clock
from models.courses import CourseRun, RunPlan, RunState


@dataclass(frozen=True)
class Pair:
    """One run of the file and the run that stands for it already, if one does."""

    place: int  # in the sequence of plans
    plan: RunPlan
    stands: CourseRun | None


def match(plans: Sequence[RunPlan], standing: Sequence[CourseRun]) -> list[Pair]:
    """Pair one course's planned runs of a month with its standing ones, each at most once; in the order of the plans.

    A run that is over is recognised by its evenings alone, and another timetable's run likewise. A plan that pairs with
    nothing takes the next ordinal that is free.
    """
    left = sorted(standing, key=lambda run: run.ordinal)
    found: dict[int, CourseRun] = {}
    for is_same in _TESTS:
        for place, plan in enumerate(plans):
            if place not in found and (run := next((run for run in left if is_same(plan, run)), None)):
                found[place] = run
                left.remove(run)
    taken = {run.ordinal for run in standing}
    pairs = []
    for place, plan in enumerate(plans):
        ordinal = found[place].ordinal if place in found else plan.ordinal
        if place not in found:
            if ordinal in taken:
                ordinal = max(taken) + 1
            taken.add(ordinal)
        pairs.append(Pair(place, replace(plan, ordinal=ordinal), found.get(place)))
    return pairs


def _is_held_at(plan: RunPlan, run: CourseRun) -> bool:
    if run.state is RunState.CANCELLED and not run.is_called_off:
        return False
    return len(plan.evenings) == len(run.sessions) and all(
        any(meeting.stands_for(evening.starts_at, evening.ends_at) for meeting in run.sessions)
        for evening in plan.evenings
    )


def _is_held_there(plan: RunPlan, run: CourseRun) -> bool:
    return _is_held_at(plan, run) and all(
        any(
            meeting.stands_for(evening.starts_at, evening.ends_at) and meeting.is_held_where(evening.venue)
            for meeting in run.sessions
        )
        for evening in plan.evenings
    )


def _may_change_into(plan: RunPlan, run: CourseRun) -> bool:
    return run.timetable == plan.timetable and (run.state is RunState.CANCELLED or run.ends_at > clock.now())


# from the surest to the last resort
_TESTS: tuple[Callable[[RunPlan, CourseRun], bool], ...] = (
    _is_held_there,
    _is_held_at,
    lambda plan, run: (
        _may_change_into(plan, run) and run.state is not RunState.CANCELLED and run.ordinal == plan.ordinal
    ),
    lambda plan, run: _may_change_into(plan, run) and run.state is not RunState.CANCELLED,
    lambda plan, run: _may_change_into(plan, run) and run.ordinal == plan.ordinal,
    _may_change_into,
)
