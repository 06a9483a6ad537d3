"""The timetable of our four communities (课程表), and messy ones for the tests.

``town_drafts`` is what ``night-school-timetable-2026-12.xlsx`` beside this file holds; run this module to write it anew:
``python -m tests.data.make_timetable``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

COMMITTED = Path(__file__).with_name("night-school-timetable-2026-12.xlsx")

HEADERS = (
    *("序号", "课程名称", "类别", "授课老师", "上课日期", "开始时间", "结束时间"),
    *("场地", "名额", "报名开始时间", "报名对象", "自备材料", "备注"),
)
Row = dict[str, object]

FOUR = "四次课为一个班次，报一次名全程有效"
PAIR = "家长和孩子成对报名"


@dataclass
class Draft:
    """A sheet as a clerk would lay it out: title merged on top, header, rows, whatever stands below."""

    name: str
    rows: list[Row]
    title: str | None = None
    headers: Sequence[str] = HEADERS
    below: list[list[object]] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)  # ranges such as B3:B6
    hidden_rows: list[int] = field(default_factory=list)
    hidden: bool = False


def lesson(course: str = "口才与表达", on: object = date(2026, 12, 2), **changes: object) -> Row:
    """A sound row, with some of its cells changed."""
    row: Row = {
        "课程名称": course,
        "类别": "职业发展",
        "授课老师": "庞老师",
        "上课日期": datetime.combine(on, time()) if type(on) is date else on,
        "开始时间": time(18, 0),
        "结束时间": time(19, 0),
        "场地": "百姓议事厅",
        "名额": 20,
        "报名开始时间": datetime.combine(date(2026, 11, 25), time(10, 0)),
        "报名对象": "不限",
        "自备材料": None,
        "备注": None,
    }
    unknown = set(changes) - {*row, "序号", "星期"}
    if unknown:
        raise KeyError(f"no such columns: {unknown}")
    return {**row, **changes}


def one_sheet(*rows: Row, name: str = "梧桐里社区", **changes: object) -> Draft:
    """A December sheet of these rows."""
    draft = Draft(name=name, rows=list(rows), title=f"{name}“社区夜校”课程安排表（2026年12月）")
    for attribute, value in changes.items():
        setattr(draft, attribute, value)
    return draft


def write_workbook(path: Path, drafts: Sequence[Draft]) -> Path:
    """Write the sheets to an .xlsx file. Text that looks like a formula becomes one only when it starts with ``=``."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for draft in drafts:
        _write_sheet(book.create_sheet(draft.name), draft)
    book.save(path)
    return path


def town_drafts() -> list[Draft]:
    """December 2026 in four communities: 38 rows, 22 runs, two of them for pairs."""
    wutong = [
        *_weekly(
            "公文写作入门",
            "职业发展",
            "刘老师",
            "11-30 12-07 12-14 12-21",
            "多功能厅A",
            20,
            "11-25",
            FOUR,
            自备材料="笔记本",
        ),
        _once("口才与表达", "职业发展", "庞老师", "12-02", "百姓议事厅", 20, "11-27"),
        _once(
            "团扇绘画",
            "文化艺术",
            "非遗传承人孙老师",
            "12-03",
            "书画室",
            20,
            "11-28",
            "材料现场发放",
            自备材料="围裙",
        ),
        _once(
            "日常美妆",
            "生活美学",
            "周老师",
            "12-09",
            "手工教室",
            16,
            "12-04",
            报名对象="18周岁以上",
            自备材料="自带常用化妆品",
        ),
        _once("心理减压", "职业发展", "心理咨询机构", "12-10", "心理沙龙室", 12, "12-05"),
        _once(
            "非遗香包制作", "文化艺术", "非遗传承人孙老师", "12-16", "手工教室", 20, "12-11", "材料现场发放"
        ),
        *_weekly(
            "民族舞",
            "文化艺术",
            "文艺志愿者协会",
            "12-01 12-08 12-15 12-22",
            "舞蹈室",
            25,
            "11-26",
            FOUR,
            报名对象="18-60周岁",
            自备材料="舞蹈鞋",
        ),
    ]
    tongxin = [
        *_weekly(
            "手机课堂",
            "银龄课堂",
            "志愿者团队",
            "12-01 12-08 12-15",
            "长者学堂",
            30,
            "11-26",
            "三次课为一个班次；留20%名额给电话和现场登记",
            报名对象="60周岁以上",
            自备材料="智能手机",
        ),
        _once("反诈课", "银龄课堂", "派出所警务室", "12-03", "长者学堂", 30, "11-28"),
        *_weekly(
            "手工编织",
            "文化艺术",
            "居民达人",
            "12-02 12-09",
            "手工教室",
            20,
            "11-27",
            "两次课为一个班次",
            自备材料="毛线、钩针",
        ),
        _once("剪纸", "文化艺术", "文艺志愿者协会", "12-10", "书画室", 20, "12-05", 自备材料="剪刀"),
        _once(
            "面点制作",
            "生活美学",
            "老年大学",
            "12-17",
            "面点教室",
            12,
            "12-12",
            "名额少，报名后不来请提前取消",
            自备材料="围裙",
        ),
    ]
    wangjiang = [
        *_weekly(
            "短视频剪辑",
            "职业发展",
            "职业学院",
            "12-01 12-04 12-08 12-11",
            "电脑教室",
            24,
            "11-26",
            "四次课为一个班次",
            报名对象="18-45周岁",
        ),
        _once("AI办公技能", "职业发展", "职业学院", "12-02", "电脑教室", 24, "11-27"),
        _once("咖啡体验", "生活美学", "社区公益合伙人", "12-03", "共享厨房", 8, "11-28"),
        _once("手机摄影", "生活美学", "影像工作室", "12-09", "多功能厅", 40, "12-04", "含外拍，下雨改室内"),
        *_weekly(
            "瑜伽",
            "健康运动",
            "周老师",
            "12-10 12-17",
            "舞蹈室",
            25,
            "12-05",
            "两次课为一个班次",
            报名对象="18-60周岁",
            自备材料="瑜伽垫",
        ),
    ]
    morning = {"开始时间": time(10, 0), "结束时间": time(11, 30)}
    hongfeng = [
        _once(
            "家长学校：青春期情绪",
            "亲子青少年",
            "心理咨询机构",
            "12-05",
            "多功能教室",
            15,
            "11-30",
            "周六 10:00-11:30，一个名额为一位家长加一个孩子",
            报名对象=PAIR,
            **morning,
        ),
        _once(
            "亲子阅读",
            "亲子青少年",
            "图书馆志愿者",
            "12-12",
            "图书阅览室",
            15,
            "12-07",
            "周六上午",
            报名对象=PAIR,
            **morning,
        ),
        *_weekly(
            "八段锦",
            "健康运动",
            "社区卫生服务中心",
            "12-02 12-09 12-16",
            "健身房",
            15,
            "11-27",
            "三次课为一个班次",
        ),
        *_weekly(
            "古筝入门", "文化艺术", "文艺志愿者协会", "12-03 12-10", "音乐室", 12, "11-28", "两次课为一个班次"
        ),
        _once(
            "普法课堂：防校园欺凌",
            "亲子青少年",
            "区司法所",
            "12-12",
            "青少年活动室",
            30,
            "12-07",
            "周六下午 14:30-15:30",
            报名对象="7-15周岁，监护人报名",
            开始时间=time(14, 30),
            结束时间=time(15, 30),
        ),
    ]
    town: Mapping[str, list[Row]] = {
        "梧桐里社区": wutong,
        "同心社区": tongxin,
        "望江社区": wangjiang,
        "红枫社区": hongfeng,
    }
    return [
        one_sheet(*({"序号": number, **row} for number, row in enumerate(rows, start=1)), name=name)
        for name, rows in town.items()
    ]


def _write_sheet(sheet: Worksheet, draft: Draft) -> None:
    top = 1
    if draft.title is not None:
        sheet.cell(1, 1, draft.title).font = Font(bold=True, size=14)
        sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(draft.headers))
        top = 2
    for column, header in enumerate(draft.headers, start=1):
        sheet.cell(top, column, header).alignment = Alignment(horizontal="center")
        sheet.column_dimensions[get_column_letter(column)].width = 16
    rows = [[row.get(header) for header in draft.headers] for row in draft.rows]
    for number, cells in enumerate([*rows, *draft.below], start=top + 1):
        for column, value in enumerate(cells, start=1):
            _write(sheet.cell(number, column), value)
    for block in draft.merged:
        sheet.merge_cells(block)
    for number in draft.hidden_rows:
        sheet.row_dimensions[number].hidden = True
    if draft.hidden:
        sheet.sheet_state = "hidden"


def _write(cell: Cell | object, value: object) -> None:
    if not isinstance(cell, Cell):
        raise TypeError("a merged cell holds nothing of its own")
    cell.value = value  # type: ignore[assignment]
    if isinstance(value, datetime):
        cell.number_format = "yyyy-mm-dd" if value.time() == time() else "yyyy-mm-dd hh:mm"
    elif isinstance(value, time):
        cell.number_format = "hh:mm"


def _day(written: str) -> date:
    return date.fromisoformat(f"2026-{written}")


def _once(
    course: str,
    category: str,
    teacher: str,
    on: str,
    room: str,
    seats: int,
    opens: str,
    note: str | None = None,
    **changes: object,
) -> Row:
    opens_at = datetime.combine(_day(opens), time(10, 0))
    row = lesson(
        course,
        _day(on),
        类别=category,
        授课老师=teacher,
        场地=room,
        名额=seats,
        报名开始时间=opens_at,
        备注=note,
    )
    return {**row, **changes}


def _weekly(
    course: str,
    category: str,
    teacher: str,
    days: str,
    room: str,
    seats: int,
    opens: str,
    note: str,
    **changes: object,
) -> list[Row]:
    return [
        _once(course, category, teacher, day, room, seats, opens, note, **changes) for day in days.split()
    ]


if __name__ == "__main__":
    write_workbook(COMMITTED, town_drafts())
