"""iCalendar (日历文件): evenings as a phone's calendar reads them (RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from icalendar import Alarm, Calendar, Event, Timezone, TimezoneStandard

from miniprogram_api.schemas.courses import WORDS
from miniprogram_api.schemas.fields import masked_name
from models import clock
from models.courses import Appointment

MIME = "text/calendar"
HOUSE = "jiamenkou"
ZONE = "Asia/Shanghai"
REMINDED_BEFORE = timedelta(hours=2)
ASKED_AGAIN_AFTER = timedelta(hours=4)
LONGEST_ABOUT = 500


def calendar_of(appointments: Iterable[Appointment], *, name: str) -> bytes:
    """These evenings as a calendar. Whose an evening is stands in it masked: calendars are shared, and kept by others."""
    calendar = Calendar()
    calendar.add("prodid", f"-//{HOUSE}//ZH")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("x-wr-timezone", ZONE)
    calendar.add("refresh-interval", ASKED_AGAIN_AFTER, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", ASKED_AGAIN_AFTER)
    calendar.add_component(_zone())
    for appointment in appointments:
        calendar.add_component(_event(appointment))
    return bytes(calendar.to_ical())


def _event(appointment: Appointment) -> Event:
    meeting, run = appointment.meeting, appointment.meeting.run
    whose = f"（{masked_name(appointment.learner)}）" if appointment.learner else ""
    off = "【停课】" if appointment.is_off else ""
    event = Event()
    event.add("uid", f"{appointment.name}@{HOUSE}")
    event.add("sequence", appointment.sequence)
    event.add("dtstamp", run.changed_at or run.published_at or run.opens_at)
    event.add("dtstart", clock.in_town(meeting.starts_at))
    event.add("dtend", clock.in_town(meeting.ends_at))
    event.add("summary", f"{off}{run.course.title}{whose}")
    event.add("location", _where(appointment))
    event.add("description", _about(appointment))
    event.add("status", "CANCELLED" if appointment.is_off else "CONFIRMED")
    event.add("class", "PRIVATE" if appointment.learner else "PUBLIC")
    event.add("transp", "TRANSPARENT" if appointment.is_off else "OPAQUE")
    if not appointment.is_off:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", f"{run.course.title}{whose}")
        alarm.add("trigger", -REMINDED_BEFORE)
        event.add_component(alarm)
    return event


def _where(appointment: Appointment) -> str:
    venue = appointment.meeting.venue
    parts = (venue.name, venue.site.name, venue.site.address)
    return "，".join(part for part in parts if part)


def _about(appointment: Appointment) -> str:
    run = appointment.meeting.run
    lines = [f"{WORDS[run.course.kind]['teacher']}：{run.teacher}"]
    if run.materials:
        lines.append(f"自备：{run.materials}")
    if appointment.is_off and appointment.meeting.cancelled_because:
        lines.append(f"取消原因：{appointment.meeting.cancelled_because}")
    return "\n".join(lines)[:LONGEST_ABOUT]


def _zone() -> Timezone:
    """The town's clock, which has known no summer time since 1991."""
    zone, standard = Timezone(), TimezoneStandard()
    zone.add("tzid", ZONE)
    standard.add("dtstart", datetime(1991, 9, 15, 1, 0))  # noqa: DTZ001 - a zone's own beginning has none
    standard.add("tzoffsetfrom", timedelta(hours=8))
    standard.add("tzoffsetto", timedelta(hours=8))
    standard.add("tzname", "CST")
    zone.add_component(standard)
    return zone
