"""Columns (列): which column of a sheet is which, by the names clerks give them, in any order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from openpyxl.utils import get_column_letter

from server.timetable.cells import as_seen, plain


class Field(StrEnum):
    """What a column of the timetable says; the value is the name our own template gives it."""

    NUMBER = "序号"
    COURSE = "课程名称"
    CATEGORY = "类别"
    TEACHER = "授课老师"
    DATE = "上课日期"
    WEEKDAY = "星期"
    STARTS = "开始时间"
    ENDS = "结束时间"
    ROOM = "场地"
    CAPACITY = "名额"
    OPENS = "报名开始时间"
    AUDIENCE = "报名对象"
    MATERIALS = "自备材料"
    NOTE = "备注"


ALIASES: Mapping[Field, str] = {
    Field.NUMBER: "序号 编号 序 号 no no.",
    Field.COURSE: "课程名称 课程 课程名 课名 课程题目 课程内容 课程主题 班名",
    Field.CATEGORY: "类别 课程类别 分类 课程分类 类型 课程类型",
    Field.TEACHER: "授课老师 老师 教师 授课教师 任课老师 任课教师 授课人 讲师 主讲 主讲人 主讲老师 授课单位 师资",
    Field.DATE: "上课日期 日期 授课日期 开课日期 课程日期",
    Field.WEEKDAY: "星期 周几 星期几",
    Field.STARTS: "开始时间 上课时间 时间 授课时间 开课时间 起始时间 课程时间 时段 上课时段",
    Field.ENDS: "结束时间 下课时间 终止时间 课程结束时间",
    Field.ROOM: "场地 地点 教室 上课地点 授课地点 上课教室 场所 上课场地 活动室 活动地点",
    Field.CAPACITY: "名额 人数 招生人数 招生名额 课程名额 限额 人数上限 容量 招收人数 限招人数",
    Field.OPENS: "报名开始时间 报名时间 报名开始 报名开放时间 开放报名时间 开始报名时间 报名起始时间",
    Field.AUDIENCE: "报名对象 对象 招生对象 参加对象 面向对象 适合人群 报名条件 年龄要求",
    Field.MATERIALS: "自备材料 材料 自带材料 自备物品 自带物品 自备用品 自备",
    Field.NOTE: "备注 说明 备注说明 注意事项 其他说明",
}
REQUIRED = (
    Field.COURSE,
    Field.CATEGORY,
    Field.TEACHER,
    Field.DATE,
    Field.STARTS,
    Field.ROOM,
    Field.CAPACITY,
    Field.OPENS,
    Field.AUDIENCE,
)

_FIELD_BY_NAME = {name: kind for kind, names in ALIASES.items() for name in names.split()}
_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|[*:\s]")


@dataclass(frozen=True)
class Column:
    """One column: where it stands and what the clerk calls it. ``field`` is None for a column we do not know."""

    index: int
    header: str
    field: Field | None

    @property
    def letter(self) -> str:
        """The column's letter, as the sheet shows it."""
        return get_column_letter(self.index)


def field_named(header: object) -> Field | None:
    """What a header means: 场地, 名额（人） and 授课老师* are all known; None when it is not."""
    return _FIELD_BY_NAME.get(bare_header(header))


def bare_header(header: object) -> str:
    """A header made easy to compare: half-width, without asides, stars and white space."""
    return _ASIDE.sub("", plain(header)).lower()


def columns_in(cells: Mapping[int, object]) -> tuple[Column, ...]:
    """The columns a header row names, from its cells by column number."""
    return tuple(Column(index, as_seen(cells[index]), field_named(cells[index])) for index in sorted(cells))
