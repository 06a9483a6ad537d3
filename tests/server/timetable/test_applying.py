"""A clerk's sheet becomes the town's classes: all of it or none, the same file twice changes nothing, a corrected one corrects."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

from flask import Flask
from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.calendars import DayKind, set_day
from models.courses import (
    Audience,
    By,
    CourseRun,
    CourseSession,
    RunState,
    cancel_run,
    cancel_session,
    hold_seats,
    move_session,
)
from models.journal import JournalEntry
from models.occupancy import Occupancy
from models.policies import set_policy
from models.regions import Region
from models.sites import Venue
from server.timetable import Report, import_timetable
from tests.data.make_timetable import PAIR, lesson, one_sheet, write_workbook
from tests.people import Town
from tests.server.timetable.desk import (
    PAINT,
    TALK,
    Desk,
    counts,
    december,
    every_row,
    lines,
    on,
    warned,
    weekly,
)

# --- what a sheet becomes -----------------------------------------------------------------------------------------


def test_rows_of_one_run_become_one_published_run_with_its_evenings(desk: Desk) -> None:
    report = desk.must_import(*weekly("公文写作", 1, 8, 15, 22, 自备材料="笔记本"), PAINT)
    assert counts(report) == (2, 0, 0, 0)
    assert report.summary == "导入完成：新增 2 个班，修改 0 个，撤下 0 个，没有变化 0 个"
    run = desk.run("公文写作")
    assert run.state is RunState.PUBLISHED
    assert (run.month, run.ordinal, run.timetable, run.materials) == ("2026-12", 1, "社区夜校", "笔记本")
    assert desk.evenings("公文写作") == [f"12-{day} 18:00 百姓议事厅" for day in ("01", "08", "15", "22")]
    with reading() as session:
        assert len(session.scalars(select(Occupancy)).all()) == 5


def test_the_audience_becomes_an_age_rule_or_a_guardian(desk: Desk) -> None:
    desk.must_import({**TALK, "报名对象": "18-60周岁"}, {**PAINT, "报名对象": "7-15周岁，监护人报名"})
    talk, paint = desk.run("口才与表达"), desk.run("团扇绘画")
    assert (talk.audience, talk.min_age, talk.max_age) == (Audience.EVERYONE, 18, 60)
    assert (paint.audience, paint.min_age, paint.max_age) == (Audience.CHILD, 7, 15)


def test_a_run_for_pairs_is_shown_like_any_other(desk: Desk) -> None:
    report = desk.must_import({**TALK, "报名对象": PAIR})
    talk = desk.run("口才与表达")
    assert (talk.state, talk.audience) == (RunState.PUBLISHED, Audience.PAIR)
    assert warned(report) == []
    desk.must_import(TALK)
    assert desk.run("口才与表达").audience is Audience.EVERYONE
    desk.must_import({**TALK, "报名对象": PAIR})
    assert desk.run("口才与表达").state is RunState.PUBLISHED


def test_seats_the_file_keeps_for_the_counter_are_held_from_the_first_moment(desk: Desk) -> None:
    report = desk.must_import({**TALK, "备注": "留20%名额给电话和现场登记"})
    assert warned(report) == []
    talk = desk.run("口才与表达")
    assert (talk.seats_held, talk.seats_left, talk.note) == (4, 16, "留20%名额给电话和现场登记")


def test_a_file_gives_the_counter_no_seats_back_that_it_used_and_says_so(desk: Desk) -> None:
    kept = {**TALK, "备注": "留20%名额给电话和现场登记"}
    desk.must_import(kept)
    talk = desk.run("口才与表达").id
    with transaction() as session:
        hold_seats(session, session.get_one(CourseRun, talk), 3)
    assert warned(desk.must_import(kept)) == []
    (line,) = warned(desk.must_import({**kept, "自备材料": "水杯"}))
    assert "留 4 个名额；这个班已经建好，现在预留 3 个" in line
    assert desk.run("口才与表达").seats_held == 3


def test_what_was_told_of_a_run_is_not_told_again_until_the_run_changes(desk: Desk) -> None:
    too_many = {**TALK, "名额": 30}
    first = warned(desk.must_import(too_many, {**PAINT, "报名对象": PAIR}))
    assert len(first) == 1
    assert warned(desk.must_import(too_many, {**PAINT, "报名对象": PAIR})) == []
    changed = warned(desk.must_import({**too_many, "自备材料": "水杯"}, {**PAINT, "报名对象": PAIR}))
    assert changed == [line for line in first if "第3行" in line]


def test_a_day_off_is_named_each_time_for_the_calendar_may_have_changed(desk: Desk) -> None:
    new_year = {**TALK, "上课日期": "2027-01-01"}
    first = warned(desk.must_import(new_year))
    assert any("2027" in line for line in first)
    assert [line for line in warned(desk.must_import(new_year)) if "2027" in line] == [
        line for line in first if "2027" in line and "第3行" in line
    ]


def test_a_day_the_town_itself_has_off_is_named(desk: Desk) -> None:
    with transaction() as session:
        set_day(session, date(2026, 12, 2), DayKind.HOLIDAY, name="社区停电检修")
    (line,) = warned(desk.must_import(TALK, PAINT))
    assert "第3行" in line
    assert "2026-12-02（周三）是法定节假日" in line


def test_a_class_bigger_than_its_room_is_a_warning(desk: Desk) -> None:
    report = desk.must_import({**TALK, "名额": 30})
    assert [line for line in warned(report) if "只坐得下 24 人" in line]


def test_a_room_is_found_however_wide_its_name_is_written(desk: Desk) -> None:
    desk.must_import({**TALK, "场地": " 多功能厅 Ａ "})
    assert desk.evenings("口才与表达") == ["12-02 18:00 多功能厅A"]


# --- the same again, and corrected --------------------------------------------------------------------------------


def test_the_same_file_twice_changes_nothing(desk: Desk, clock: town_clock.StoppedClock) -> None:
    rows = [
        *weekly("公文写作", 1, 8, 15),
        PAINT,
        {**TALK, "报名对象": PAIR},
        lesson("插花", date(2026, 12, 4)),
    ]
    desk.must_import(*rows)
    before = every_row()
    clock.advance(hours=3)
    report = desk.must_import(*rows)
    assert counts(report) == (0, 0, 0, 4)
    assert every_row() == before


def test_a_corrected_file_corrects_what_changed_and_only_that(desk: Desk) -> None:
    desk.must_import(TALK, PAINT)
    paint = desk.run("团扇绘画")
    report = desk.must_import(
        {**TALK, "授课老师": "马老师", "上课日期": on(4), "场地": "舞蹈室", "名额": 24}, PAINT
    )
    assert counts(report) == (0, 1, 0, 1)
    talk = desk.run("口才与表达")
    assert (talk.teacher, talk.capacity, talk.waitlist_limit) == ("马老师", 24, 24)
    assert desk.evenings("口才与表达") == ["12-04 18:00 舞蹈室"]
    assert talk.closes_at == talk.starts_at == talk.sessions[0].starts_at
    assert desk.run("团扇绘画").key == paint.key
    (line,) = report.revised
    assert "名额由“20”改为“24”" in line.line


def test_a_row_taken_out_withdraws_its_run_and_frees_the_room(desk: Desk) -> None:
    desk.must_import(TALK, PAINT)
    report = desk.must_import({**PAINT, "上课日期": on(2), "场地": "百姓议事厅"})
    assert counts(report) == (0, 1, 1, 0)
    assert desk.run("口才与表达").state is RunState.CANCELLED
    assert desk.evenings("团扇绘画") == ["12-02 18:00 百姓议事厅"]


def test_an_empty_sheet_beside_a_good_one_withdraws_nothing_of_its_community(desk: Desk) -> None:
    there = one_sheet({**PAINT, "场地": "电脑教室"}, name="望江社区")
    desk.must_import(there, one_sheet(TALK))
    report = desk.must_import(one_sheet(name="望江社区"), one_sheet(TALK))
    assert counts(report) == (0, 0, 0, 1)
    assert desk.run("团扇绘画").state is RunState.PUBLISHED


def test_a_draft_nobody_saw_leaves_nothing_when_its_row_goes(desk: Desk, town: Town) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "courses_reviewed", "1")
    desk.must_import(TALK, PAINT)
    desk.must_import(PAINT)
    assert list(desk.runs("口才与表达")) == []


def test_a_row_put_back_lets_its_run_stand_again(desk: Desk) -> None:
    desk.must_import(TALK, PAINT)
    key = desk.run("口才与表达").key
    desk.must_import(PAINT)
    desk.must_import(TALK, PAINT)
    run = desk.run("口才与表达")
    assert (run.key, run.state) == (key, RunState.PUBLISHED)
    assert desk.evenings("口才与表达") == ["12-02 18:00 百姓议事厅"]


def test_two_runs_may_swap_their_rooms_in_one_file(desk: Desk) -> None:
    one, other = TALK, {**PAINT, "上课日期": on(2)}
    desk.must_import(one, other)
    desk.must_import({**one, "场地": "书画室"}, {**other, "场地": "百姓议事厅"})
    assert desk.evenings("口才与表达") == ["12-02 18:00 书画室"]
    assert desk.evenings("团扇绘画") == ["12-02 18:00 百姓议事厅"]


def test_two_runs_of_one_teacher_may_swap_their_evenings_in_one_file(desk: Desk) -> None:
    one, other = TALK, {**PAINT, "授课老师": "庞老师"}
    desk.must_import(one, other)
    desk.must_import({**one, "上课日期": on(3)}, {**other, "上课日期": on(2)})
    assert desk.evenings("口才与表达") == ["12-03 18:00 百姓议事厅"]
    assert desk.evenings("团扇绘画") == ["12-02 18:00 书画室"]


def test_a_class_added_in_front_leaves_the_learners_of_the_others_alone(desk: Desk, town: Town) -> None:
    desk.must_import(TALK)
    desk.register("口才与表达", [town.resident])
    report = desk.must_import({**TALK, "上课日期": on(1)}, TALK)
    assert counts(report) == (1, 0, 0, 1)
    held, added = desk.runs("口才与表达")
    assert (held.seats_taken, f"{town_clock.in_town(held.starts_at):%d}", held.ordinal) == (1, "02", 1)
    assert (added.seats_taken, f"{town_clock.in_town(added.starts_at):%d}", added.ordinal) == (0, "01", 2)


def test_a_second_timetable_of_the_month_leaves_the_first_alone(desk: Desk) -> None:
    desk.must_import(TALK)
    day_school = one_sheet(PAINT, title="梧桐里社区“日间课堂”课程安排表（2026年12月）")
    report = desk.must_import(day_school)
    assert counts(report) == (1, 0, 0, 0)
    assert desk.run("口才与表达").state is RunState.PUBLISHED


def test_a_renamed_timetable_says_what_it_left_under_the_old_name(desk: Desk) -> None:
    desk.must_import(TALK, PAINT)
    report = desk.must_import(one_sheet(TALK, title="梧桐里社区市民夜校课程表（2026年12月）"))
    assert counts(report) == (0, 1, 0, 0)
    assert any("“社区夜校”改成了“市民夜校”" in line for line in warned(report))


def test_a_category_follows_the_latest_sheet(desk: Desk) -> None:
    desk.must_import(TALK)
    report = desk.must_import({**TALK, "类别": "生活美学"})
    assert [line.detail for line in report.revised] == ["类别由“职业发展”改为“生活美学”"]
    assert counts(desk.must_import({**TALK, "类别": "生活美学"})) == (0, 0, 0, 1)


# --- classes that are over ----------------------------------------------------------------------------------------


def test_runs_that_are_over_stay_as_they_are_when_the_month_is_imported_again(
    desk: Desk, town: Town, clock: town_clock.StoppedClock
) -> None:
    desk.must_import(TALK, PAINT)
    desk.register("口才与表达", [town.resident])
    clock.move_to(december(3, 12))
    report = desk.must_import(TALK, {**PAINT, "名额": 18})
    assert counts(report) == (0, 1, 0, 1)
    without = desk.must_import({**PAINT, "名额": 18})
    assert counts(without) == (0, 0, 0, 1)
    assert any("已经上完的 1 个班不在这张表里（“口才与表达”）" in line for line in warned(without))
    assert desk.run("口才与表达").seats_taken == 1


def test_a_run_that_is_over_cannot_be_new_or_changed(desk: Desk, clock: town_clock.StoppedClock) -> None:
    desk.must_import(TALK, PAINT)
    clock.move_to(december(3, 12))
    (line,) = lines(desk.imports({**TALK, "名额": 18}, PAINT))
    assert "都已经上过了" in line
    (line,) = lines(desk.imports(TALK, PAINT, lesson("插花", date(2026, 12, 1), 场地="舞蹈室")))
    assert "都已经上过了" in line


def test_a_class_over_and_deleted_does_not_pull_the_next_one_back(
    desk: Desk, town: Town, clock: town_clock.StoppedClock
) -> None:
    later = {**TALK, "上课日期": on(9)}
    desk.must_import(TALK, later)
    first = desk.runs("口才与表达")[0]
    town.resident.tap(first)
    clock.move_to(december(5, 12))
    report = desk.must_import(later, {**TALK, "上课日期": on(16)})
    assert counts(report) == (1, 0, 0, 1)
    assert [run.ordinal for run in desk.runs("口才与表达")] == [1, 2, 3]


def test_of_two_imports_at_once_the_second_sees_what_the_first_did(desk: Desk, app: Flask) -> None:
    path = write_workbook(desk.folder / "both.xlsx", [one_sheet(TALK, PAINT, *weekly("公文写作", 1, 8, 15))])
    start = threading.Barrier(4)

    def one_clerk() -> Report:
        with app.app_context():
            start.wait(10)
            return import_timetable(path)

    with ThreadPoolExecutor(4) as clerks:
        reports = [clerk.result(30) for clerk in [clerks.submit(one_clerk) for _ in range(4)]]
    assert [line for report in reports for line in lines(report)] == []
    assert sorted(counts(report) for report in reports) == [(0, 0, 0, 3)] * 3 + [(3, 0, 0, 0)]


def test_every_change_leaves_one_journal_entry(desk: Desk) -> None:
    desk.must_import(TALK, PAINT)
    desk.must_import({**TALK, "名额": 24})
    with reading() as session:
        acts = session.scalars(
            select(JournalEntry.act)
            .where(JournalEntry.act.startswith("course_run"))
            .order_by(JournalEntry.id)
        ).all()
    assert sorted(acts) == sorted(
        ["course_run.planned", "course_run.published"] * 2 + ["course_run.withdrawn", "course_run.revised"]
    )


# --- what staff decided since -------------------------------------------------------------------------------------

WHY = By("老师出差")


def test_an_evening_staff_moved_stays_where_it_is_when_the_old_file_comes_again(
    desk: Desk, town: Town
) -> None:
    desk.must_import(TALK, PAINT)
    run = desk.register("口才与表达", [town.resident])
    day, room = timedelta(days=4), desk.run("团扇绘画").sessions[0].venue_id
    with transaction() as session:
        meeting = session.get_one(CourseSession, run.sessions[0].id)
        move_session(
            session,
            meeting,
            starts_at=meeting.starts_at + day,
            ends_at=meeting.ends_at + day + timedelta(minutes=30),
            venue=session.get_one(Venue, room),
            by=WHY,
            even_so=True,
        )
    moved = desk.evenings("口才与表达")
    assert moved == ["12-06 18:00 书画室"]
    assert counts(desk.must_import(TALK, PAINT)) == (0, 0, 0, 2)
    assert counts(desk.must_import({**TALK, "自备材料": "笔记本"}, PAINT)) == (0, 1, 0, 1)
    assert desk.evenings("口才与表达") == moved
    assert desk.run("口才与表达").starts_at == run.starts_at + day


def test_an_evening_staff_called_off_stays_off_when_the_old_file_comes_again(desk: Desk, town: Town) -> None:
    two = weekly("公文写作", 1, 8)
    desk.must_import(*two)
    run = desk.run("公文写作")
    assert len(run.sessions) == 2
    with transaction() as session:
        cancel_session(session, session.get_one(CourseSession, run.sessions[0].id), by=WHY)
    assert counts(desk.must_import(*two)) == (0, 0, 0, 1)
    assert [one.state.value for one in desk.run("公文写作").sessions] == ["cancelled", "planned"]


def test_a_file_that_keeps_only_what_staff_called_off_is_refused_with_what_to_do(
    desk: Desk, town: Town
) -> None:
    two = weekly("公文写作", 1, 8)
    desk.must_import(*two, PAINT)
    run = desk.run("公文写作")
    with transaction() as session:
        cancel_session(session, session.get_one(CourseSession, run.sessions[0].id), by=WHY)
    before = every_row()
    only_the_first = {**two[0], "备注": ""}
    (fault,) = lines(desk.imports(only_the_first, PAINT))
    assert "只剩已经停掉的课" in fault
    assert "第3行 E列“上课日期”" in fault
    assert every_row() == before


def test_where_courses_are_reviewed_an_import_is_handed_in(desk: Desk, town: Town) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "courses_reviewed", "1")
    report = desk.must_import(TALK)
    assert desk.run("口才与表达").state is RunState.IN_REVIEW
    assert next(report.lines()).endswith("已送审，等管理员发布")


def test_a_class_staff_called_off_is_not_brought_back_by_the_old_file(desk: Desk, town: Town) -> None:
    desk.must_import(TALK, PAINT)
    run = desk.register("口才与表达", [town.resident])
    with transaction() as session:
        cancel_run(session, session.get_one(CourseRun, run.id), by=WHY)
    assert counts(desk.must_import(TALK, PAINT)) == (0, 0, 0, 2)
    assert desk.run("口才与表达").state is RunState.CANCELLED
