"""Clocks (时限): what a wish waits for, on whose desk it lies and until when, told by what happened to it and by nothing else (domain.md §2.3).

Pure: the same thread, calendar and numbers give the same clock whenever it is asked. What offices must do runs in working time and stands still on
holidays (E26); what people and units promised runs by the day. Where somebody else must answer first, the clock of the community stands still, and the thread
says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeAlias

from models import clock
from models.calendars import Calendar
from models.policies import Policies
from models.working_time import due_after

_WARNED_HOURS = (24, 4)  # before a unit's time is over (domain.md §6, M18)


class Desk(StrEnum):
    """Who is to do the next thing."""

    COMMUNITY = "community"  # 社区
    WALL = "wall"  # 心愿墙，等单位认领
    UNIT = "unit"  # 认领单位、承办部门
    STREET = "street"  # 街道
    WISHER = "wisher"  # 许愿人


class Awaited(StrEnum):
    """What is waited for."""

    REVIEW = "review"  # 社区审核
    MORE = "more"  # 许愿人补充
    SHOWING = "showing"  # 轮次公布
    TAKING = "taking"  # 有人认领
    DECISION = "decision"  # 街道研究交办
    AGREEMENT = "agreement"  # 社区确认认领
    ACCEPTANCE = "acceptance"  # 单位接单
    CONTACT = "contact"  # 第一次联系
    FULFILMENT = "fulfilment"  # 完成
    CONFIRMATION = "confirmation"  # 许愿人确认
    RATING = "rating"  # 许愿人评价
    CARE = "care"  # 社区回访差评
    MENDING = "mending"  # 社区整改差评


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: the act as the journal names it, when, and the day it speaks of."""

    act: str
    at: datetime
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """What is waited for, of whom, when it rings (none: it stands still), when they are reminded before, and pressed after (催办)."""

    awaited: Awaited
    desk: Desk
    due_at: datetime | None
    remind_at: Sequence[datetime] = ()
    press_at: Sequence[datetime] = ()

    def next_after(self, now: datetime, *, standing: datetime | None = None) -> datetime | None:
        """The next moment at which somebody is reminded or pressed, one that is ``standing`` included; none: nobody any more."""
        moments = (*self.remind_at, *self.press_at)
        return min((moment for moment in moments if moment > now or moment == standing), default=None)

    def times_pressed(self, by: datetime) -> int:
        """How often they were to be pressed up to a moment, that moment included."""
        return sum(moment <= by for moment in self.press_at)


_Winds: TypeAlias = Callable[[Event, Calendar, Policies], Clock | None]


def clock_of_claim(thread: Sequence[Event], calendar: Calendar, policy: Policies) -> Clock | None:
    """The clock that runs for a claim after all this happened, oldest first; none once nothing is waited for."""
    return _wound_by(thread, _AFTER, calendar, policy)


def clock_of_wish(thread: Sequence[Event], calendar: Calendar, policy: Policies) -> Clock | None:
    """The clock that runs for a wish itself after all this happened, oldest first; none while units are about every piece of it, and once it is over."""
    return _wound_by(thread, _AFTER_WISH, calendar, policy)


def clock_of_care(
    rated_at: datetime, called_at: datetime | None, calendar: Calendar, policy: Policies
) -> Clock:
    """The clock that runs while who was unhappy is not called yet, and once they are, until it is put right; the street hears after the last morning."""
    if called_at is None:
        awaited, due = Awaited.CARE, due_after(calendar, rated_at, policy.wish_care_call_days)
    else:
        awaited, due = Awaited.MENDING, rated_at + timedelta(days=policy.wish_care_mend_days)
    pressed = _mornings_after(due, calendar, policy, policy.wish_press_days + 1)
    return Clock(awaited, Desk.COMMUNITY, due, press_at=pressed)


def end_of(day: date) -> datetime:
    """The moment at which a day of the town is over."""
    return datetime.combine(day + timedelta(days=1), time(), clock.TOWN_ZONE)


def _wound_by(
    thread: Sequence[Event], winds: Mapping[str, _Winds], calendar: Calendar, policy: Policies
) -> Clock | None:
    for event in reversed(thread):
        if event.act in winds:
            return winds[event.act](event, calendar, policy)
    return None


def _review(event: Event, calendar: Calendar, policy: Policies) -> Clock:
    due = due_after(calendar, event.at, policy.wish_review_days)
    reminded = due_after(calendar, event.at, policy.wish_review_remind_days)
    return Clock(Awaited.REVIEW, Desk.COMMUNITY, due, [reminded] if reminded < due else [])


def _more(event: Event, calendar: Calendar, policy: Policies) -> Clock:
    return Clock(Awaited.MORE, Desk.WISHER, None)


def _showing(event: Event, calendar: Calendar, policy: Policies) -> Clock:
    return Clock(Awaited.SHOWING, Desk.COMMUNITY, None)


def _taking(event: Event, calendar: Calendar, policy: Policies) -> Clock:
    return Clock(Awaited.TAKING, Desk.WALL, event.at + timedelta(days=policy.wish_wall_days))


def _decision(event: Event, calendar: Calendar, policy: Policies) -> Clock:
    """The street has working days, meeting or no meeting (E25)."""
    due = due_after(calendar, event.at, policy.wish_street_days)
    pressed = _mornings_after(due, calendar, policy, policy.wish_press_days)
    return Clock(Awaited.DECISION, Desk.STREET, due, press_at=pressed)


def _agreement(event: Event, calendar: Calendar, policy: Policies) -> Clock:
    due = due_after(calendar, event.at, policy.wish_claim_days)
    return Clock(Awaited.AGREEMENT, Desk.COMMUNITY, due)


def _acceptance(event: Event, calendar: Calendar, policy: Policies) -> Clock:
    return _of_unit(Awaited.ACCEPTANCE, due_after(calendar, event.at, policy.wish_accept_days))


def _contact(event: Event, calendar: Calendar, policy: Policies) -> Clock:
    return _of_unit(Awaited.CONTACT, event.at + timedelta(days=policy.wish_contact_days))


def _fulfilment(event: Event, calendar: Calendar, policy: Policies) -> Clock:
    return _promised(end_of(event.until) if event.until else None, calendar, policy)


def _mending(event: Event, calendar: Calendar, policy: Policies) -> Clock:
    """What was not done is mended within the days a bad rating has, or by the day that was promised, whichever is later."""
    mended = event.at + timedelta(days=policy.wish_care_mend_days)
    return _promised(max(mended, end_of(event.until)) if event.until else mended, calendar, policy)


def _confirmation(event: Event, calendar: Calendar, policy: Policies) -> Clock:
    asked_again = (policy.wish_remind_days, policy.wish_confirm_days)
    return Clock(
        Awaited.CONFIRMATION,
        Desk.WISHER,
        event.at + timedelta(days=policy.wish_visit_days),
        [event.at + timedelta(days=days) for days in asked_again if days < policy.wish_visit_days],
    )


def _rating(event: Event, calendar: Calendar, policy: Policies) -> Clock:
    asked = event.at + timedelta(days=policy.wish_remind_days)
    return Clock(Awaited.RATING, Desk.WISHER, None, [asked])


def _promised(due: datetime | None, calendar: Calendar, policy: Policies) -> Clock:
    """What a unit promised is not taken from it when the day is over: it is pressed, and after the last time the street hears."""
    pressed = _mornings_after(due, calendar, policy, policy.wish_press_days + 1) if due else []
    return _of_unit(Awaited.FULFILMENT, due, pressed)


def _of_unit(awaited: Awaited, due: datetime | None, press_at: Sequence[datetime] = ()) -> Clock:
    warned = [due - timedelta(hours=hours) for hours in _WARNED_HOURS] if due else []
    return Clock(awaited, Desk.UNIT, due, warned, press_at)


def _mornings_after(due: datetime, calendar: Calendar, policy: Policies, how_many: int) -> list[datetime]:
    """The hour at which who is late is pressed, on so many of the next working days."""
    mornings: list[datetime] = []
    day = clock.in_town(due).date()
    while len(mornings) < how_many:
        morning = datetime.combine(day, policy.wish_press_hour, clock.TOWN_ZONE)
        if morning > due and calendar.kind_of(day).is_work:
            mornings.append(morning)
        day += timedelta(days=1)
    return mornings


def _nothing(event: Event, calendar: Calendar, policy: Policies) -> None:
    return None


_AFTER_WISH: Mapping[str, _Winds] = {
    "wish.made": _review,
    "wish.corrected": _review,
    "wish.sent_back": _review,
    "wish.more_asked": _more,
    "wish.approved": _showing,
    "wish.published": _taking,
    "wish.hung_again": _taking,
    "wish.freed": _taking,
    "wish.taken": _nothing,
    "wish.escalated": _decision,
    "wish.converted": _decision,
    "wish.with_the_street": _decision,
    "wish.cannot_be_fulfilled": _nothing,
    "wish.fulfilled": _nothing,
    "wish.rejected": _nothing,
    "wish.withdrawn": _nothing,
}
_AFTER: Mapping[str, _Winds] = {
    "claim.made": _agreement,
    "claim.dispatched": _acceptance,
    "claim.agreed": _contact,
    "claim.assigned": _contact,
    "claim.accepted": _contact,
    "claim.contacted": _fulfilment,
    "claim.extended": _fulfilment,
    "claim.delivered": _confirmation,
    "claim.disputed": _mending,
    "claim.fulfilled": _rating,
    "claim.rated": _nothing,
    "claim.ended": _nothing,
}
