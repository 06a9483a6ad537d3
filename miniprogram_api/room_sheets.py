"""Sheets of rooms as files (场地表格): what a clerk prints of a service point.

A POST for the same reason as rosters: what for somebody takes it does not belong into an address. Nothing of the file is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from flask import Response

from miniprogram_api.availability import must_be_in_sight
from miniprogram_api.edge import Door, staff_hat
from miniprogram_api.office import office_places
from miniprogram_api.rates import RateName
from miniprogram_api.room_utilisation import must_be_countable, must_be_past
from miniprogram_api.rosters import answered_with
from miniprogram_api.schemas.room_calendar import state_label_of
from miniprogram_api.schemas.room_sheets import MOST_DAYS_OF_A_CALENDAR, RoomSheetIn
from miniprogram_api.sheets import MIME, Number, Table, named, workbook_of
from models import clock
from models.base import db
from models.coordination.calendar import RoomOfDay, SiteCalendar
from models.coordination.holders import WORDS, Use
from models.coordination.sheets import RoomSheet, RoomSheetKind, take_room_sheet
from models.coordination.utilisation import USES, Usage, Utilisation
from models.errors import Conflict, Fault
from models.reservations import Reservation
from models.sites import site_in

door = Door("room_sheets", description="场地表格")

_FILE = {"type": "string", "format": "binary"}
HOURS, SHARE = "0.0", "0.0%"


@door.post("/staff/sites/<key:key>/sheets", rate=RateName.FILES)
@door.takes(RoomSheetIn)
@door.response(200, _FILE, content_type=MIME)
@door.gives(None, refuses=(409, 422))
def export_room_sheet(sent: dict[str, Any], key: str) -> Response:
    """导出场地安排表、使用率（工作人员）

    An Excel file, ready to print on A4: ``calendar`` has every use of every room in the order of time, with the names of whoever reserved only
    where ``names`` asks for them; ``utilisation`` what ``/staff/room-utilisation`` tells, in hours. Who took it, when, and for what stands in the
    journal and on every page.
    """
    session, kind = db.session(), sent["kind"]
    site = site_in(session, key, within=office_places())
    if kind is RoomSheetKind.CALENDAR:
        must_be_in_sight(sent["first"])
        _must_be_short(sent["days"])
    else:
        must_be_past(sent["first"])
        must_be_countable([site], sent["days"])
    sheet = take_room_sheet(
        session,
        site,
        kind,
        first=sent["first"],
        days=sent["days"],
        with_names=sent["names"],
        purpose=sent["purpose"],
        by=staff_hat(),
    )
    table = table_of(sheet)
    return answered_with(workbook_of(table), MIME, named(f"{table.title}{sheet.first:%Y%m%d}", "xlsx"))


def table_of(sheet: RoomSheet) -> Table:
    """The sheet as a table."""
    if isinstance(sheet.shown, Utilisation):
        return _utilisation(sheet, sheet.shown)
    return _calendar(sheet, sheet.shown)


def _calendar(sheet: RoomSheet, calendar: SiteCalendar) -> Table:
    columns: list[tuple[str, float]] = [
        ("日期", 13),
        ("时间", 14),
        ("场地", 18),
        ("用途", 11),
        ("内容", 30),
        ("团队或单位", 20),
        ("人数", 7),
        ("状态", 11),
    ]
    if sheet.people is not None:
        columns.append(("预约人", 12))
    return Table(
        tab="场地安排",
        title=f"{sheet.site.name} 场地安排",
        about=f"{sheet.site.region.name}　{_days(sheet)}",
        columns=columns,
        lines=[_line(room, use, sheet.people) for room, use in _in_order(calendar)],
        watermark=sheet.watermark,
    )


def _in_order(calendar: SiteCalendar) -> Iterator[tuple[RoomOfDay, Use]]:
    """Every use in the order of time, once: of a hall and its halves where it really is."""
    for rooms in calendar.days:
        here = [
            (room, use) for room in rooms for use in room.uses if use.holder.venue_id in (None, room.venue.id)
        ]
        yield from sorted(here, key=lambda one: (one[1].starts_at, one[0].venue.id))


def _line(room: RoomOfDay, use: Use, people: Mapping[str, Reservation] | None) -> list[str | Number]:
    holder = use.holder
    line: list[str | Number] = [
        _day(room.day.on),
        _hours_of(use, room),
        room.venue.name,
        WORDS[holder.purpose],
        holder.title,
        holder.host or "",
        "" if holder.headcount is None else Number(holder.headcount),
        state_label_of(holder) or "",
    ]
    if people is not None:
        one = people.get(holder.key)
        line.append(one.resident.name or "" if one is not None and one.resident is not None else "")
    return line


def _utilisation(sheet: RoomSheet, found: Utilisation) -> Table:
    (site,) = found.sites
    columns: list[tuple[str, float]] = [
        ("场地", 20),
        ("开放（小时）", 13),
        ("使用（小时）", 13),
        ("使用率", 10),
        *((f"{WORDS[purpose]}（小时）", 13) for purpose in USES),
        ("停用征用（小时）", 13),
        ("开放以外（小时）", 13),
        ("爽约（次）", 10),
        ("使用（次）", 10),
        ("人次", 10),
    ]
    lines = [[room.venue.name, *_numbers(room.usage)] for room in site.rooms]
    return Table(
        tab="使用率",
        title=f"{sheet.site.name} 场地使用率",
        about=f"{sheet.site.region.name}　{_days(sheet)}　算到 {clock.in_town(found.until):%Y-%m-%d %H:%M}",
        columns=columns,
        lines=[*lines, ["合计", *_numbers(site.usage)]],
        watermark=sheet.watermark,
        below="合计按空间计算：一个大厅分成两半的，两半各算一次，大厅不再另算。",
    )


def _numbers(usage: Usage) -> list[str | Number]:
    return [
        _hours(usage.open_minutes),
        _hours(usage.used_minutes),
        "" if usage.rate is None else Number(usage.rate, SHARE),
        *(_hours(one.minutes) for one in usage.by_purpose),
        _hours(usage.closed_minutes),
        _hours(usage.outside_minutes),
        Number(usage.no_shows),
        Number(usage.uses),
        Number(usage.people),
    ]


def _hours(minutes: int) -> Number:
    return Number(round(minutes / 60, 2), HOURS)


def _must_be_short(days: int) -> None:
    if days > MOST_DAYS_OF_A_CALENDAR:
        message = f"安排表一次最多 {MOST_DAYS_OF_A_CALENDAR} 天，请缩短日期"
        raise Conflict("range_too_wide", message, faults=[Fault("days", message)])


def _days(sheet: RoomSheet) -> str:
    last = sheet.first + timedelta(days=sheet.days - 1)
    return _day(sheet.first) if last == sheet.first else f"{_day(sheet.first)}至{_day(last)}"


def _day(on: date) -> str:
    return f"{on.month}月{on.day}日 周{clock.weekday(on)}"


def _hours_of(use: Use, room: RoomOfDay) -> str:
    starts, ends = clock.in_town(use.starts_at), clock.in_town(use.ends_at)
    return f"{starts:%H:%M}–{'24:00' if ends.date() != room.day.on else f'{ends:%H:%M}'}"
