"""What a clerk prints of rooms: every use once, in order; no person unless wanted by name; and nothing that is a formula."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from urllib.parse import unquote

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from models.base import reading, transaction
from models.clock import StoppedClock
from models.journal import JournalEntry
from models.occupancy import Purpose, occupy
from models.policies import set_policy
from models.regions import Region
from models.residents import Resident
from models.sites import Site, Venue
from tests.people import Town, Worker
from tests.phones import Door, the_problem
from tests.rooms import MONDAY, SATURDAY, SUNDAY, Centre, a_group, at, takes

CALENDAR = {"kind": "calendar", "first": str(SATURDAY), "days": 2, "purpose": "贴在大厅"}
USAGE = {**CALENDAR, "kind": "utilisation"}


def site_of(room: Venue) -> str:
    with reading() as session:
        return session.get_one(Site, room.site_id).key


def taken(
    door: Door, town: Town, centre: Centre, sent: dict[str, Any], *, by: Worker | None = None
) -> TestResponse:
    return door.phone(by or town.clerk).post(f"/staff/sites/{site_of(centre.left)}/sheets", json=sent)


def page_of(answer: TestResponse) -> Worksheet:
    assert answer.status_code == 200, answer.text
    sheet = openpyxl.load_workbook(BytesIO(answer.data)).worksheets[0]
    assert isinstance(sheet, Worksheet)
    return sheet


def rows(answer: TestResponse) -> list[list[Any]]:
    return [list(row) for row in page_of(answer).iter_rows(values_only=True)]


def test_the_calendar_has_every_use_once_in_the_order_of_time(door: Door, town: Town, centre: Centre) -> None:
    town.a_run(title="书法", venue=centre.reading_room, starts_at=at(9, on=SUNDAY))
    group = a_group(town, town.neighbour)
    takes(town.neighbour, centre.left, at(14), group=group)
    takes(town.resident, centre.hall, at(9), heads=30)
    takes(None, centre.kitchen, at(9), about="志愿者培训")
    answer = taken(door, town, centre, CALENDAR)
    assert "场地安排20261121.xlsx" in unquote(answer.headers["Content-Disposition"])
    found = rows(answer)
    with reading() as session:
        name = session.get_one(Site, centre.left.site_id).name
    assert found[0][0] == f"{name} 场地安排"
    assert found[1][0] == f"{town.wutong.name}　11月21日 周六至11月22日 周日"
    assert found[2] == ["日期", "时间", "场地", "用途", "内容", "团队或单位", "人数", "状态"]
    assert found[3:7] == [
        ["11月21日 周六", "09:00–11:00", "多功能厅", "预约", "阅读自习", None, 30, "已预约"],
        ["11月21日 周六", "09:00–11:00", "厨房", "预约", "志愿者培训", "社区", 5, "已预约"],
        ["11月21日 周六", "14:00–16:00", "多功能厅左", "预约", "阅读自习", group.name, 5, "已预约"],
        ["11月22日 周日", "09:00–10:30", "阅览室", "上课", "书法", None, 0, "已发布"],
    ]
    assert found[7][0].endswith("导出，用途：贴在大厅")
    assert len(found) == 8
    for person in (town.resident, town.neighbour):
        assert person.name not in str(found)


def test_whoever_wants_names_gets_them_and_each_can_read_that_somebody_looked(
    door: Door, town: Town, centre: Centre
) -> None:
    takes(town.resident, centre.left, at(9))
    takes(None, centre.right, at(9), about="志愿者培训")
    found = rows(taken(door, town, centre, {**CALENDAR, "names": True, "purpose": "前台接待"}))
    assert [row[8] for row in found[2:5]] == ["预约人", town.resident.name, None]
    with reading() as session:
        entries = session.scalars(
            select(JournalEntry)
            .where(JournalEntry.act.in_(["reservation.looked_at", "site.sheet_exported"]))
            .order_by(JournalEntry.id)
        ).all()
        assert [(one.act, one.for_resident_id) for one in entries] == [
            ("reservation.looked_at", town.resident.resident_id),
            ("site.sheet_exported", None),
        ]
        assert entries[1].details == {
            "kind": "calendar",
            "purpose": "前台接待",
            "first": "2026-11-21",
            "days": 2,
            "people": 1,
        }


def test_no_more_people_leave_the_house_at_once_than_the_community_lets(
    door: Door, town: Town, centre: Centre
) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "export_lines", "1")
    takes(town.resident, centre.left, at(9))
    takes(town.neighbour, centre.right, at(9))
    named = {**CALENDAR, "names": True}
    the_problem(taken(door, town, centre, named), 409, "export_too_large")
    with reading() as session:
        assert (
            session.scalars(select(JournalEntry).where(JournalEntry.act == "reservation.looked_at")).all()
            == []
        )
    assert taken(door, town, centre, CALENDAR).status_code == 200


def test_what_people_are_called_is_never_a_formula(door: Door, town: Town, centre: Centre) -> None:
    with transaction() as session:
        session.execute(update(Resident).where(Resident.id == town.resident.resident_id).values(name="=1+1"))
    takes(town.resident, centre.left, at(9))
    takes(None, centre.right, at(9), about='=HYPERLINK("http://x.example")')
    page = page_of(taken(door, town, centre, {**CALENDAR, "names": True}))
    for cell in (page["I4"], page["E5"]):
        assert (cell.data_type, cell.quotePrefix) == ("s", True)
        assert str(cell.value).startswith("=")


def test_the_days_that_are_closed_stand_in_every_room(door: Door, town: Town, centre: Centre) -> None:
    with transaction() as session:
        occupy(
            session,
            session.get_one(Venue, centre.hall.id),
            starts_at=at(12),
            ends_at=at(0, on=SUNDAY),
            purpose=Purpose.CLOSURE,
            holder_key="a-closure-of-it",
        )
    found = rows(taken(door, town, centre, CALENDAR))
    assert [(row[1], row[2], row[3]) for row in found[3:6]] == [
        ("12:00–24:00", room, "停用") for room in ("多功能厅", "多功能厅左", "多功能厅右")
    ]


def test_how_much_rooms_were_used_is_reckoned_with_numbers(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    takes(None, centre.left, at(9), about="志愿者培训", heads=12)
    clock.move_to(at(0, on=MONDAY))
    page = page_of(taken(door, town, centre, USAGE))
    found: list[list[Any]] = [list(row) for row in page.iter_rows(values_only=True)]
    assert found[2][:4] == ["场地", "开放（小时）", "使用（小时）", "使用率"]
    by_name = {row[0]: row[1:] for row in found[3:11]}
    assert by_name["多功能厅左"] == [25, 2, 0.08, 0, 2, 0, 0, 0, 0, 1, 12]
    assert by_name["多功能厅"][:3] == [25, 1, 0.04]
    assert by_name["合计"] == [150, 2, 0.0133, 0, 2, 0, 0, 0, 0, 1, 12]
    assert (page["D4"].number_format, page["B4"].number_format) == ("0.0%", "0.0")
    assert found[11][0].startswith("合计按空间计算")


def test_a_sheet_is_of_ones_own_places_and_of_so_many_days(door: Door, town: Town, centre: Centre) -> None:
    for sent, field in (
        ({**CALENDAR, "days": 93}, "days"),
        ({**CALENDAR, "first": "2028-01-01"}, "first"),
        ({**USAGE, "first": "2026-11-23"}, "first"),
    ):
        answer = taken(door, town, centre, sent)
        assert answer.status_code == 409
        assert (answer.json or {})["errors"][0]["field"] == field
    for sent in ({**CALENDAR, "days": 0}, {**CALENDAR, "purpose": " "}, {**USAGE, "days": 401}):
        the_problem(taken(door, town, centre, sent), 422, "invalid")
    assert taken(door, town, centre, {**USAGE, "first": "2025-11-20", "days": 366}).status_code == 200
    the_problem(taken(door, town, centre, CALENDAR, by=town.grid_worker), 404, "not_found")
