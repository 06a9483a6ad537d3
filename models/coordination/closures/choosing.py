"""Choosing (另外安排): what staff want to become of single things instead of what was proposed, and whether it can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from models import clock
from models.availability import Stretch, stretch_of_day
from models.coordination.closures.clashing import TheirClasses
from models.coordination.closures.planning import FARTHEST, Plan
from models.coordination.closures.proposing import Proposal
from models.coordination.closures.rows import ClosureKind, Remedy
from models.coordination.closures.seeing import Affected
from models.courses import CourseSession
from models.errors import Conflict, Fault
from models.reservations import Reservation
from models.sites import Venue


@dataclass(frozen=True)
class Choice:
    """What staff want to become of one thing instead of what was proposed; what is not said of a place stays as it is.

    ``even_so``: though some who learn have another class then.
    """

    remedy: Remedy
    venue: Venue | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    even_so: bool = False


def chosen(session: Session, plan: Plan, choices: Mapping[str, Choice]) -> list[Proposal]:
    """The plan as staff want it.

    Raises Conflict ``choices_unfit`` naming each choice that cannot be, and ``learners_clash`` each hour at which some who learn have another
    class, unless it is chosen ``even_so``; how many they are is told, never who.
    """
    known = {one.affected.key: one for one in plan.items}
    keeps = plan.wanted.kind is ClosureKind.HOURS
    faults: list[Fault] = []
    wanted = dict(known)
    for place, (key, choice) in enumerate(choices.items()):
        fault = _fault_of(choice, known.get(key), keeps=keeps)
        if fault is not None:
            faults.append(Fault(f"choices.{place}.{fault[0]}", fault[1]))
            continue
        affected = known[key].affected
        if choice.remedy is not Remedy.MOVE:
            wanted[key] = Proposal(affected, choice.remedy)
            continue
        wanted[key] = Proposal(
            affected,
            Remedy.MOVE,
            choice.venue or affected.venue,
            _where_to(affected, choice),
        )
    if faults:
        raise Conflict("choices_unfit", "有的安排不能这样处理，请按提示改", faults=faults)
    items = list(wanted.values())
    _must_not_clash(session, items, choices)
    return items


def _must_not_clash(session: Session, items: Sequence[Proposal], choices: Mapping[str, Choice]) -> None:
    """Nobody is put onto a class of their own unseen (E7)."""
    if not any(one.remedy is Remedy.MOVE for one in choices.values()):
        return
    moved = {one.affected.key: (one.affected, one.stretch) for one in items if one.stretch is not None}
    classes = TheirClasses(
        session, [one.affected for one in items], also=[stretch for _, stretch in moved.values()]
    )
    for affected, stretch in moved.values():
        if isinstance(affected.thing, CourseSession):
            classes.goes(affected.thing, stretch)
    hindered, learners = list[Fault](), 0
    for place, (key, choice) in enumerate(choices.items()):
        if key not in moved:
            continue
        people = _who_clash(classes, *moved[key], even_so=choice.even_so)
        learners += people
        if people:
            where = f"choices.{place}.starts_at"
            hindered.append(Fault(where, f"这个时间有 {people} 人要上别的课，请换一个时间"))
    if hindered:
        raise Conflict(
            "learners_clash",
            f"改到的时间，有 {learners} 人次要上别的课。请换一个时间；一定要改课的，请确认“仍然改期”，系统会逐个询问",
            details={"learners": learners},
            faults=hindered,
        )


def _who_clash(classes: TheirClasses, affected: Affected, stretch: Stretch, *, even_so: bool) -> int:
    thing = affected.thing
    if isinstance(thing, CourseSession):
        return 0 if even_so else classes.clashing(thing, stretch)
    moves = isinstance(thing, Reservation) and stretch != affected.stretch
    return int(moves and isinstance(thing, Reservation) and classes.hinders(thing, stretch))


def _fault_of(choice: Choice, proposal: Proposal | None, *, keeps: bool) -> tuple[str, str] | None:
    """The field of a choice that cannot be, and why."""
    if proposal is None:
        return "thing", "不在受影响的安排里"
    affected = proposal.affected
    if affected.in_use or choice.remedy is Remedy.END_NOW:
        return "remedy", "正在使用的只能提前结束"
    if choice.remedy is Remedy.KEEP and not keeps:
        return "remedy", "停用和征用的场地不能照旧使用"
    if choice.remedy is not Remedy.MOVE:
        return None
    if affected.only_waits:
        return "remedy", "这一项只能取消"
    return _fault_of_time(_where_to(affected, choice))


def _fault_of_time(stretch: Stretch) -> tuple[str, str] | None:
    if stretch.ends_at <= stretch.starts_at:
        return "ends_at", "结束时间要晚于开始时间"
    now, on = clock.now(), clock.in_town(stretch.starts_at).date()
    if stretch.starts_at <= now:
        return "starts_at", "请选以后的时间"
    if stretch.starts_at > now + FARTHEST:
        return "starts_at", "请选一年以内的时间"
    return None if stretch_of_day(on).contains(stretch) else ("ends_at", "不能跨过半夜，请选同一天的时间")


def _where_to(affected: Affected, choice: Choice) -> Stretch:
    was = affected.stretch
    return Stretch(choice.starts_at or was.starts_at, choice.ends_at or was.ends_at)
