"""Working time (工作时限): deadlines in working days, which stand still on holidays and run on a worked Saturday (domain.md §7, E26).

A working day is a whole day of the town's calendar, from midnight to midnight; what comes in on a day off begins with the next working day. Pure: the
same moment, number and calendar give the same deadline, whenever it is asked.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from models import clock
from models.calendars import Calendar

A_DAY = timedelta(days=1)


def due_after(calendar: Calendar, moment: datetime, working_days: float) -> datetime:
    """The moment at which so many working days have gone by; on working days alone the same time of a later day."""
    left = A_DAY * working_days
    at = clock.in_town(moment)
    while True:
        midnight = _midnight_after(at)
        if calendar.kind_of(at.date()).is_work:
            if left <= midnight - at:
                return (at + left).astimezone(moment.tzinfo)
            left -= midnight - at
        at = midnight


def working_days_between(calendar: Calendar, begins: datetime, ends: datetime) -> float:
    """How many working days lie between two moments, parts of one included; none if the second is not later."""
    at, last, gone = clock.in_town(begins), clock.in_town(ends), timedelta()
    while at < last:
        until = min(_midnight_after(at), last)
        if calendar.kind_of(at.date()).is_work:
            gone += until - at
        at = until
    return gone / A_DAY


def _midnight_after(at: datetime) -> datetime:
    return datetime.combine(at.date() + A_DAY, time(), clock.TOWN_ZONE)
