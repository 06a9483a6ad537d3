"""The demo town's classes: a timetable a clerk could have written, with dates relative to the first start.

They are held at hours the real night school leaves free (never 18:00-19:00), under a timetable's name of their own (邻里课堂), so
that importing the community's December sheet touches none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from models import clock

TIMETABLE = "邻里课堂"
FILE_NAME = "demo-timetable.xlsx"

HEADERS = (
    *("序号", "课程名称", "类别", "授课老师", "上课日期", "开始时间", "结束时间"),
    *("场地", "名额", "报名开始时间", "报名对象", "自备材料", "备注"),
)

MORNING = (time(9, 30), time(11, 0))
AFTERNOON = (time(14, 30), time(16, 0))
AFTER_SCHOOL = (time(16, 30), time(17, 30))
EVENING = (time(19, 15), time(20, 15))

IN_TEN_MINUTES = timedelta(minutes=10)
OPEN_ALREADY = -1  # since yesterday, 10:00
COUNTS = "〇一两三四"


@dataclass(frozen=True)
class Class:
    """One run: on which days from the first start on, at which hours; when registration opens, in days or right away."""

    course: str
    category: str
    teacher: str
    days: tuple[int, ...]
    hours: tuple[time, time]
    room: str
    seats: int
    opens: int | timedelta = OPEN_ALREADY
    audience: str = "不限"
    materials: str = ""
    registered: int = 0  # neighbours who have tapped already
    scheduled: bool = False  # seen from its community's next hour of publishing on


CLASSES: Mapping[str, Sequence[Class]] = {
    "梧桐里社区": (
        Class(
            "水彩小课", "文化艺术", "何老师", (5,), AFTERNOON, "书画室", 6, materials="水彩笔", registered=10
        ),
        Class("八段锦晨练", "健康运动", "社区卫生服务中心", (2, 9, 16), MORNING, "舞蹈室", 25, registered=8),
        Class("家常面点", "生活美学", "老年大学", (3,), EVENING, "手工教室", 12, opens=IN_TEN_MINUTES),
        Class("家庭收纳", "生活美学", "唐老师", (8,), EVENING, "百姓议事厅", 20, opens=1),
        Class(
            *("家长学校", "亲子青少年", "社区社工", (6,), EVENING, "百姓议事厅", 15),
            audience="家长和孩子成对报名",
        ),
    ),
    "同心社区": (
        Class(
            *("手机拍照", "银龄课堂", "志愿者团队", (4,), AFTERNOON, "长者学堂", 30),
            audience="60周岁以上",
            materials="智能手机",
            registered=2,
        ),
        Class(
            "书法小课", "文化艺术", "罗老师", (6, 13), EVENING, "书画室", 16, materials="毛笔", registered=4
        ),
        Class(
            *("剪纸窗花", "文化艺术", "民间艺术协会", (9,), AFTERNOON, "书画室", 16),
            opens=2,
            materials="剪刀",
            scheduled=True,
        ),
        Class("棋友会", "文化艺术", "居民达人", (10,), AFTERNOON, "棋牌室", 16, opens=3),
    ),
    "望江社区": (
        Class(
            *("AI做海报", "职业发展", "职业学院", (3,), EVENING, "电脑教室", 24),
            audience="18周岁以上",
            registered=5,
        ),
        Class(
            "四季插花", "生活美学", "花艺协会", (7,), AFTERNOON, "多功能厅B", 20, opens=2, materials="花剪"
        ),
        Class("晨间瑜伽", "健康运动", "宋老师", (5, 12), MORNING, "舞蹈室", 25, audience="18-60周岁"),
    ),
    "红枫社区": (
        Class(
            *("四点半课堂", "亲子青少年", "志愿者团队", (4,), AFTER_SCHOOL, "儿童之家", 20),
            audience="7-12周岁，监护人报名",
        ),
        Class("民歌合唱", "文化艺术", "文艺志愿者协会", (9,), EVENING, "音乐室", 12, registered=3),
        Class("反诈小剧场", "银龄课堂", "派出所警务室", (11,), AFTERNOON, "多功能教室", 40, opens=4),
    ),
}


def write_timetable(path: Path, *, now: datetime) -> Path:
    """Write the classes as an .xlsx file a clerk could open, counted from this moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    today = clock.in_town(now).date()
    book = Workbook()
    book.remove(book.worksheets[0])
    for community, classes in CLASSES.items():
        first = today + timedelta(days=min(day for one in classes for day in one.days))
        title = f"{community}“{TIMETABLE}”课程安排表（{first.year}年{first.month}月）"
        rows = [row for one in classes for row in _rows(one, today=today, now=now)]
        _write_sheet(book.create_sheet(community), title, rows)
    book.save(path)
    return path


def _rows(one: Class, *, today: date, now: datetime) -> list[list[object]]:
    starts, ends = one.hours
    note = f"{COUNTS[len(one.days)]}次课为一个班次" if len(one.days) > 1 else None
    opens = f"{_opens_at(one, today=today, now=now):%Y-%m-%d %H:%M}"
    return [
        [
            *(one.course, one.category, one.teacher),
            datetime.combine(today + timedelta(days=day), time()),
            *(starts, ends, one.room, one.seats, opens, one.audience, one.materials or None, note),
        ]
        for day in one.days
    ]


def _opens_at(one: Class, *, today: date, now: datetime) -> datetime:
    if isinstance(one.opens, timedelta):
        return clock.in_town(now + one.opens)
    return datetime.combine(today + timedelta(days=one.opens), time(10), tzinfo=clock.TOWN_ZONE)


def _write_sheet(sheet: Worksheet, title: str, rows: Sequence[Sequence[object]]) -> None:
    sheet.cell(1, 1, title).font = Font(bold=True, size=14)
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(HEADERS))
    for column, header in enumerate(HEADERS, start=1):
        sheet.cell(2, column, header).alignment = Alignment(horizontal="center")
        sheet.column_dimensions[get_column_letter(column)].width = 16
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate((number, *row), start=1):
            cell = sheet.cell(number + 2, column)
            cell.value = value  # type: ignore[assignment]
            if isinstance(value, datetime):
                cell.number_format = "yyyy-mm-dd"
            elif isinstance(value, time):
                cell.number_format = "hh:mm"
