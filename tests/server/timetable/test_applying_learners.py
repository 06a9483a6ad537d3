"""A corrected sheet and the people who are in its classes already: nobody is hurt, nobody is forgotten."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from models.courses import (
    RegistrationState,
)
from tests.data.make_timetable import PAIR, Row
from tests.people import Town
from tests.server.timetable.desk import (
    PAINT,
    TALK,
    Desk,
    column_of,
    counts,
    every_row,
    lines,
    on,
    weekly,
)


@pytest.mark.parametrize(
    ("changes", "header", "said"),
    [
        ({"上课日期": on(4)}, "上课日期", "另写成一个班"),
        ({"场地": "舞蹈室"}, "上课日期", "另写成一个班"),
        ({"结束时间": time(19, 30)}, "上课日期", "另写成一个班"),
        ({"名额": 1}, "名额", "请写 2 或更多"),
        ({"报名对象": "60周岁以上"}, "报名对象", "不能再收窄"),
        ({"报名对象": "7-15周岁，监护人报名"}, "报名对象", "不能再收窄"),
        ({"报名对象": PAIR}, "报名对象", "不能再收窄"),
    ],
)
def test_a_change_that_hurts_learners_is_refused_and_nothing_changes(
    desk: Desk, town: Town, changes: Row, header: str, said: str
) -> None:
    desk.must_import(TALK, PAINT)
    desk.register("口才与表达", [town.resident, town.neighbour])
    before = every_row()
    report = desk.imports({**TALK, **changes}, {**PAINT, "名额": 15})
    (line,) = lines(report)
    assert f"「梧桐里社区」第3行 {column_of(header)}列“{header}”" in line
    assert "已有 2 人报名" in line
    assert said in line
    assert every_row() == before


def test_a_run_with_learners_is_not_withdrawn(desk: Desk, town: Town) -> None:
    desk.must_import(TALK, PAINT)
    desk.register("口才与表达", [town.resident])
    before = every_row()
    (line,) = lines(desk.imports(PAINT))
    assert line.startswith("「梧桐里社区」：“口才与表达”（12月2日 18:00）不在这张表里，可是已有 1 人报名")
    assert "加回来" in line
    assert every_row() == before


def test_what_hurts_nobody_applies_with_learners_in_the_run(desk: Desk, town: Town) -> None:
    desk.must_import({**TALK, "报名对象": "18-60周岁"})
    desk.register("口才与表达", [town.resident])
    harmless = {
        "授课老师": "马老师",
        "自备材料": "水杯",
        "备注": "请早到",
        "名额": 24,
        "报名开始时间": datetime.combine(date(2026, 11, 19), time(9, 0)),
        "报名对象": "不限",
    }
    report = desk.must_import({**TALK, **harmless})
    assert counts(report) == (0, 1, 0, 0)
    run = desk.run("口才与表达")
    assert (run.teacher, run.materials, run.note, run.capacity, run.min_age) == (
        "马老师",
        "水杯",
        "请早到",
        24,
        None,
    )


def test_more_seats_go_to_the_first_in_line(desk: Desk, town: Town) -> None:
    people = town.people(4)
    desk.must_import({**TALK, "名额": 2})
    desk.register("口才与表达", people)
    desk.must_import({**TALK, "名额": 3})
    run = desk.run("口才与表达")
    assert (run.capacity, run.seats_taken, run.waiting, run.waitlist_limit) == (3, 3, 1, 3)
    assert town.states(run) == ["confirmed"] * 3 + [RegistrationState.WAITLISTED.value]


def test_an_evening_added_at_the_end_applies_and_one_in_between_is_another_run(
    desk: Desk, town: Town
) -> None:
    desk.must_import(*weekly("公文写作", 2, 9))
    desk.register("公文写作", [town.resident])
    desk.must_import(*weekly("公文写作", 2, 9, 17))
    assert len(desk.evenings("公文写作")) == 3
    (line,) = lines(desk.imports(*weekly("公文写作", 2, 9, 16, 17)))
    assert "已有 1 人报名" in line
    assert "另写成一个班" in line


def test_an_evening_at_the_end_that_a_learner_is_busy_on_is_refused(desk: Desk, town: Town) -> None:
    other = {**PAINT, "上课日期": on(16)}
    desk.must_import(*weekly("公文写作", 2, 9), other)
    desk.register("公文写作", [town.resident, town.neighbour])
    desk.register("团扇绘画", [town.resident])
    (line,) = lines(desk.imports(*weekly("公文写作", 2, 9, 16), other))
    assert "其中 1 人已报名的其他课撞了时间" in line
