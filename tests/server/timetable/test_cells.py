"""Names, seats, audiences and remarks."""

from __future__ import annotations

import pytest

from server.timetable.cells import Uncalculated, Unreadable, read_capacity, read_text
from server.timetable.remarks import Audience, held_share, read_audience, sessions_said
from server.timetable.teachers import is_one_place_only, people_named


@pytest.mark.parametrize("written", [20, 20.0, "20", "20人", "20 名", "２０", "２０人", "限20人", "20个"])
def test_twenty_seats_are_read_however_they_are_written(written: object) -> None:
    assert read_capacity(written) == 20


@pytest.mark.parametrize(
    "written",
    [
        0,
        -3,
        2.5,
        2001,
        "20-30人",
        "若干",
        "二十",
        True,
        "0",
        "2.5",
        float("nan"),
        10**400,
        Uncalculated("=SUM(A1)"),
    ],
)
def test_seats_that_are_no_number_of_people_are_refused(written: object) -> None:
    with pytest.raises(Unreadable):
        read_capacity(written)


def test_names_are_trimmed_and_their_white_space_folded() -> None:
    assert read_text("  日常\n 美妆\u3000入门\u200b ", most=60) == "日常 美妆 入门"
    assert read_text("日常_x000D_美妆", most=60) == "日常 美妆"
    assert read_text(2048.0, most=60) == "2048"
    assert read_text(None, most=60) == ""


def test_control_characters_and_endless_names_are_refused() -> None:
    with pytest.raises(Unreadable, match="控制字符"):
        read_text("日常_x0000_美妆", most=60)
    with pytest.raises(Unreadable, match="61 个字"):
        read_text("课" * 61, most=60)
    assert read_text("课" * 60, most=60) == "课" * 60


def test_text_that_looks_like_a_formula_is_just_text() -> None:
    assert read_text("=cmd|' /C calc'!A0", most=60) == "=cmd|' /C calc'!A0"


def test_a_formula_without_a_value_asks_for_the_value() -> None:
    with pytest.raises(Unreadable) as refused:
        read_text(Uncalculated("=B3&B4"), most=60)
    assert "粘贴为数值" in refused.value.advice


@pytest.mark.parametrize(
    ("written", "audience"),
    [
        ("不限", Audience()),
        ("不限年龄", Audience()),
        ("18周岁以上", Audience(min_age=18)),
        ("年满18周岁以上", Audience(min_age=18)),
        ("60 周岁及以上", Audience(min_age=60)),
        ("18-60周岁", Audience(min_age=18, max_age=60)),
        ("18—60岁", Audience(min_age=18, max_age=60)),
        ("１８～６０周岁", Audience(min_age=18, max_age=60)),
        ("18岁至60岁", Audience(min_age=18, max_age=60)),
        ("15周岁以下", Audience(max_age=15)),
        ("7-15周岁，监护人报名", Audience(min_age=7, max_age=15, for_child=True)),
        ("7-15周岁;由家长代报名", Audience(min_age=7, max_age=15, for_child=True)),
        ("家长和孩子成对报名", Audience(pair=True)),
        ("6-12周岁，家长和孩子成对报名", Audience(min_age=6, max_age=12, pair=True)),
    ],
)
def test_an_audience_is_understood(written: str, audience: Audience) -> None:
    assert read_audience(written) == audience


@pytest.mark.parametrize(
    "written",
    [
        "女性",
        "女性，18周岁以上",
        "老年人",
        "60-18周岁",
        "18-200周岁",
        "18",
        "，",
        "18-60周岁，60周岁以上",
        18,
        True,
    ],
)
def test_an_audience_nobody_understands_lists_the_forms_that_are(written: object) -> None:
    with pytest.raises(Unreadable) as refused:
        read_audience(written)
    assert "18-60周岁" in refused.value.advice


@pytest.mark.parametrize(
    ("remark", "said"),
    [
        ("四次课为一个班次，报一次名全程有效", 4),
        ("三次课为一个班次；留20%名额给电话和现场登记", 3),
        ("两次课为一个班次", 2),
        ("4次课为一个班次", 4),
        ("４次课为1个班次", 4),
        ("每 12 节课为一个班次", 12),
        ("十二次课为一个班", 12),
        ("本班次共四次课", 4),
        ("材料现场发放", None),
        ("周六 10:00-11:30，一个名额为一位家长加一个孩子", None),
        ("名额少，报名后不来请提前取消", None),
        ("", None),
    ],
)
def test_a_remark_says_how_many_sessions_make_one_run(remark: str, said: int | None) -> None:
    assert sessions_said(remark) == said


@pytest.mark.parametrize("remark", ["0次课为一个班次", "班次分四次上", "九十九次课为一个班次"])
def test_a_count_nobody_can_follow_is_refused(remark: str) -> None:
    with pytest.raises(Unreadable):
        sessions_said(remark)


def test_seats_kept_for_telephone_and_counter_are_a_share() -> None:
    assert held_share("三次课为一个班次；留20%名额给电话和现场登记") == 0.2
    assert held_share("预留 １２.５％ 名额") == 0.125
    assert held_share("留作业一次") is None
    for remark in ("留100%名额", "留五个名额给电话登记", "预留名额给现场"):
        with pytest.raises(Unreadable):
            held_share(remark)


@pytest.mark.parametrize(
    "teacher", ["周老师", "非遗传承人孙老师", "马教练", "王师傅", "陈医生", "周老师、刘老师"]
)
def test_a_person_can_be_in_one_place_only(teacher: str) -> None:
    assert is_one_place_only(teacher)
    assert people_named(teacher)


@pytest.mark.parametrize(
    "teacher", ["文艺志愿者协会", "居民达人", "社区公益合伙人", "志愿者团队", "老年大学", "图书馆志愿者"]
)
def test_an_organisation_can_teach_in_two_places(teacher: str) -> None:
    assert not is_one_place_only(teacher)
    assert people_named(teacher) == ()
