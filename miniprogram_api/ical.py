"""iCalendar (日历文件): evenings and uses of rooms as a phone's calendar reads them (RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from icalendar import Alarm, Calendar, Event, Timezone, TimezoneStandard

from miniprogram_api.schemas.courses import WORDS
from miniprogram_api.schemas.fields import masked_name
from miniprogram_api.schemas.reservations import STATE_LABELS
from models import clock
from models.coordination.feeds import Appointment
from models.coordination.holders import DOING, UNDECIDED
from models.coordination.holders import WORDS as PURPOSES
from models.coordination.room_feeds import RoomAppointment
from models.courses import CourseSession
from models.reservations import NOT_SURE, Reservation
from models.sites import Venue

MIME = "text/calendar"
HOUSE = "jiamenkou"
ZONE = "Asia/Shanghai"
REMINDED_BEFORE = timedelta(hours=2)
ASKED_AGAIN_AFTER = timedelta(hours=4)
LONGEST_ABOUT = 500


@dataclass(frozen=True)
class Entry:
    """What stands in a calendar: ``is_sure`` unless somebody has still to say yes, ``is_public`` where others may see it too."""

    name: str
    sequence: int
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    title: str
    venue: Venue
    about: str = ""
    off: str = ""  # the word for being off; none: it stands
    is_sure: bool = True
    is_public: bool = True
    reminds: bool = True


def calendar_of(appointments: Iterable[Appointment], *, name: str) -> bytes:
    """These as a calendar. Whose something is stands in it masked: calendars are shared, and kept by others."""
    return written(map(_entry, appointments), name=name)


def calendar_of_room(appointments: Iterable[RoomAppointment], venue: Venue, *, name: str) -> bytes:
    """What is in a room as a calendar, as everybody may read it."""
    return written((_of_use(one, venue) for one in appointments), name=name)


def written(entries: Iterable[Entry], *, name: str) -> bytes:
    """A calendar of these entries."""
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
    for entry in entries:
        calendar.add_component(_event(entry))
    return bytes(calendar.to_ical())


def _event(entry: Entry) -> Event:
    event = Event()
    event.add("uid", f"{entry.name}@{HOUSE}")
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.changed_at)
    event.add("dtstart", clock.in_town(entry.starts_at))
    event.add("dtend", clock.in_town(entry.ends_at))
    event.add("summary", f"【{entry.off}】{entry.title}" if entry.off else entry.title)
    event.add("location", _where(entry.venue))
    event.add("description", entry.about[:LONGEST_ABOUT])
    event.add("status", "CANCELLED" if entry.off else "CONFIRMED" if entry.is_sure else "TENTATIVE")
    event.add("class", "PUBLIC" if entry.is_public else "PRIVATE")
    event.add("transp", "TRANSPARENT" if entry.off else "OPAQUE")
    if entry.reminds and not entry.off:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", entry.title)
        alarm.add("trigger", -REMINDED_BEFORE)
        event.add_component(alarm)
    return event


def _entry(appointment: Appointment) -> Entry:
    subject = appointment.subject
    if isinstance(subject, CourseSession):
        return _of_evening(appointment, subject)
    return _of_reservation(appointment, subject)


def _of_evening(appointment: Appointment, meeting: CourseSession) -> Entry:
    run = meeting.run
    lines = [f"{WORDS[run.course.kind]['teacher']}：{run.teacher}"]
    if run.materials:
        lines.append(f"自备：{run.materials}")
    if appointment.is_off and meeting.cancelled_because:
        lines.append(f"取消原因：{meeting.cancelled_because}")
    return Entry(
        appointment.name,
        appointment.sequence,
        run.changed_at or run.published_at or run.opens_at,
        meeting.starts_at,
        meeting.ends_at,
        f"{run.course.title}{_whose(appointment)}",
        meeting.venue,
        about="\n".join(lines),
        off="停课" if appointment.is_off else "",
        is_public=appointment.whose is None,
    )


def _of_reservation(appointment: Appointment, one: Reservation) -> Entry:
    doing = DOING[one.wanted_for]
    lines = [STATE_LABELS[one.state], f"{one.headcount} 人"]
    if appointment.is_off and one.decided_because:
        lines.append(f"原因：{one.decided_because}")
    return Entry(
        appointment.name,
        appointment.sequence,
        one.ended_at or one.reviewed_at or one.offered_at or one.reserved_at,
        one.starts_at,
        one.ends_at,
        f"{one.group.name}·{doing}" if one.group else f"{one.venue.name} {doing}{_whose(appointment)}",
        one.venue,
        about="\n".join(lines),
        off="不能使用" if appointment.is_off else "",
        is_sure=one.state not in NOT_SURE,
        is_public=False,
    )


def _of_use(appointment: RoomAppointment, venue: Venue) -> Entry:
    use = appointment.use
    return Entry(
        appointment.name,
        appointment.sequence,
        use.holder.changed_at or use.starts_at,
        use.starts_at,
        use.ends_at,
        use.holder.said,
        venue,
        about=PURPOSES[use.holder.purpose],
        is_sure=use.holder.state not in UNDECIDED,
        reminds=False,
    )


def _whose(appointment: Appointment) -> str:
    return f"（{masked_name(appointment.whose)}）" if appointment.whose else ""


def _where(venue: Venue) -> str:
    parts = (venue.name, venue.site.name, venue.site.address)
    return "，".join(part for part in parts if part)


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
