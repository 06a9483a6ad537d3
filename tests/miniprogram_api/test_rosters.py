"""Rosters and sign-in sheets as files: safe to open, ready to print, and nobody takes one without a reason or a role."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from urllib.parse import unquote

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from miniprogram_api.sheets import FORMULA_SIGNS, named
from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import (
    CourseRun,
    QuestionKind,
    QuestionPlan,
    Seating,
    answer_questions,
    ask_questions,
    cancel_session,
    questions_of,
)
from models.courses.changing import By
from models.journal import JournalEntry
from models.policies import set_policy
from models.regions import Region
from models.residents import Resident
from models.staff import Role, RoleGrant, grant
from tests.people import Town, Worker
from tests.phones import Door, Phone, the_problem, told

ROSTER = {"kind": "roster", "purpose": "开课前电话通知"}
SIGN_IN = {"kind": "sign_in", "purpose": "12月3日课堂签到"}


def asked(phone: Phone, run: CourseRun, sent: dict[str, str]) -> TestResponse:
    return phone.post(f"/staff/course-runs/{run.key}/sheets", json=sent)


def page_of(answer: TestResponse) -> Worksheet:
    assert answer.status_code == 200, answer.text
    sheet = openpyxl.load_workbook(BytesIO(answer.data)).worksheets[0]
    assert isinstance(sheet, Worksheet)
    return sheet


def texts(page: Worksheet) -> list[list[str]]:
    return [[str(value or "") for value in row] for row in page.iter_rows(values_only=True)]


def rename(town: Town, name: str) -> None:
    with transaction() as session:
        session.execute(update(Resident).where(Resident.id == town.resident.resident_id).values(name=name))


def test_a_roster_has_everybody_with_a_place_and_how_to_call_them(door: Door, town: Town) -> None:
    run = town.a_run(capacity=1, waitlist_limit=None, title="摄影入门")
    for person in (town.resident, town.neighbour, town.helper):
        person.tap(run)
    town.helper.give_up(run)
    answer = asked(door.phone(town.clerk), run, ROSTER)
    rows = texts(page_of(answer))
    assert rows[0][0] == "摄影入门 名单"
    assert rows[2][:5] == ["序号", "姓名", "手机号", "状态", "报名时间"]
    assert [row[:4] for row in rows[3:5]] == [
        ["1", town.resident.name, "13900000001", "报名成功"],
        ["2", town.neighbour.name, rows[4][2], "候补中"],
    ]
    assert town.helper.name not in str(rows)


def test_a_sign_in_sheet_has_a_box_for_each_evening_and_no_numbers(door: Door, town: Town) -> None:
    run = town.a_run(capacity=1, evenings=3)
    town.resident.tap(run)
    town.neighbour.tap(run)
    with transaction() as session:
        cancel_session(session, session.get_one(CourseRun, run.id).sessions[1], by=By("老师出差"))
    page = page_of(asked(door.phone(town.clerk), run, SIGN_IN))
    rows = texts(page)
    assert rows[2] == ["序号", "姓名", "12月3日\n周四 18:00", "12月17日\n周四 18:00"]
    assert rows[3] == ["1", town.resident.name, "", ""]
    assert town.neighbour.name not in str(rows), "who waits has nothing to sign"
    assert "139" not in str(rows)
    setup = page.page_setup
    assert (setup.orientation, int(setup.paperSize or 0), setup.fitToWidth) == ("landscape", 9, 1)
    assert page.print_title_rows == "$1:$3"


@pytest.mark.parametrize("sent", [ROSTER, SIGN_IN])
def test_companions_are_counted_and_stand_beside_whoever_brings_them(
    door: Door, town: Town, sent: dict[str, str]
) -> None:
    run = town.a_run(seating=Seating(most_companions=2))
    town.resident.tap(run, companions=2)
    town.neighbour.tap(run)
    rows = texts(page_of(asked(door.phone(town.clerk), run, sent)))
    assert rows[1][0].endswith("共 4 人")
    assert [row[1] for row in rows[3:5]] == [f"{town.resident.name}（同行 2 人）", town.neighbour.name]


@pytest.mark.parametrize("sign", sorted(FORMULA_SIGNS - {"\r", "\n", "\t"}))
def test_a_name_is_never_a_formula(door: Door, town: Town, sign: str) -> None:
    run, name = town.a_run(), f'{sign}HYPERLINK("http://x.example","点我")'
    town.resident.tap(run)
    rename(town, name[:40])
    cell = page_of(asked(door.phone(town.clerk), run, ROSTER))["B4"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (name[:40], "s", True)


@pytest.mark.parametrize(
    "place",
    ["B4", "F4", "F3", "A1", "A2"],
    ids=["the name", "an answer", "a question", "the title", "the teacher"],
)
@pytest.mark.parametrize("sign", ["=", "＝", "\t=", "\n=", "-", "@"])
def test_nothing_anybody_typed_is_a_formula(door: Door, town: Town, place: str, sign: str) -> None:
    typed = f"{sign}1+1"
    plain = typed.strip()  # a line of text has no tab and no break in it; what stands in the database may
    run = town.a_run(title=plain, teacher=plain)
    town.resident.tap(run)
    rename(town, typed)
    with transaction() as session:
        mine = session.get_one(CourseRun, run.id)
        ask_questions(session, mine, [QuestionPlan(QuestionKind.TEXT, plain)])
        (question,) = questions_of(session, mine)
        learner = town.resident.resident(session)
        answer_questions(session, mine, learner, {question.key: typed}, by_account_id=None)
    page = page_of(asked(door.phone(town.clerk), run, ROSTER))
    cell = page[place]
    assert plain in str(cell.value)
    assert cell.data_type == "s"
    assert cell.quotePrefix is (str(cell.value)[0] in FORMULA_SIGNS)
    assert not [one for row in page.iter_rows() for one in row if one.data_type == "f"]


def test_a_sign_written_by_its_number_stays_what_was_typed(door: Door, town: Town) -> None:
    """Excel reads ``_x003D_`` as an equals sign, which nobody typed."""
    run = town.a_run()
    town.resident.tap(run)
    rename(town, "_x003D_1+1 _x00_")
    page = page_of(asked(door.phone(town.clerk), run, {**ROSTER, "purpose": "_x000A_"}))
    assert page["B4"].value == "_x005F_x003D_1+1 _x00_"
    assert page.oddFooter is not None
    assert str(page.oddFooter.left.text).endswith("用途：_x000A_"), "and no line break"


@pytest.mark.parametrize("sign", ["\uffff", "\ufffe"])
def test_one_strange_name_keeps_nobody_from_the_list(door: Door, town: Town, sign: str) -> None:
    run = town.a_run()
    town.resident.tap(run)
    town.neighbour.tap(run)
    rename(town, f"{sign}=陈{sign}静")
    page = page_of(asked(door.phone(town.clerk), run, ROSTER))
    assert [row[1] for row in texts(page)[3:5]] == ["=陈静", town.neighbour.name]
    assert page["B4"].quotePrefix is True


def test_a_purpose_full_of_footer_codes_is_printed_as_it_was_typed(door: Door, town: Town) -> None:
    run = town.a_run()
    page = page_of(asked(door.phone(town.clerk), run, {**SIGN_IN, "purpose": "&P" * 30}))
    assert page.oddFooter is not None
    assert str(page.oddFooter.left.text).endswith("用途：" + "&&P" * 30)
    assert page.oddFooter.right.text == "第 &P 页，共 &N 页"


def test_every_page_says_who_took_it_when_and_for_what(door: Door, town: Town) -> None:
    run = town.a_run()
    page = page_of(asked(door.phone(town.clerk), run, {**SIGN_IN, "purpose": "签到 & 点名"}))
    said = f"{town.clerk.name} 2026-11-20 12:00 导出，用途：签到 && 点名"
    assert page.oddFooter is not None
    assert page.oddFooter.left.text == said
    assert texts(page)[-1][0] == said.replace("&&", "&")


def test_the_journal_keeps_who_took_what_for_what(door: Door, town: Town) -> None:
    run = town.a_run()
    town.resident.tap(run)
    asked(door.phone(town.clerk), run, ROSTER)
    with reading() as session:
        entry = session.scalars(select(JournalEntry).where(JournalEntry.act == "roster.exported")).one()
    assert (entry.subject_id, entry.identity, entry.by_account_id) == (
        run.id,
        town.clerk.identity,
        town.clerk.account_id,
    )
    assert entry.details == {"kind": "roster", "purpose": "开课前电话通知", "lines": 1}
    copy = told(door.phone(town.resident).get("/me/copy"))
    assert "导出名单或签到表" in {line["act_label"] for line in copy["oneself"]["journal"]}


@pytest.mark.parametrize("sent", [{"kind": "roster"}, {"kind": "roster", "purpose": " "}])
def test_nothing_is_taken_without_a_purpose(door: Door, town: Town, sent: dict[str, str]) -> None:
    run = town.a_run()
    problem = the_problem(asked(door.phone(town.clerk), run, sent), 422, "invalid")
    assert [fault["field"] for fault in problem["errors"]] == ["purpose"]


def test_no_more_people_leave_at_once_than_the_community_allows(door: Door, town: Town) -> None:
    run, phone = town.a_run(), door.phone(town.clerk)
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "export_lines", "1")
    town.resident.tap(run)
    assert asked(phone, run, ROSTER).status_code == 200
    town.neighbour.tap(run)
    problem = the_problem(asked(phone, run, ROSTER), 409, "export_too_large")
    assert problem["details"] == {"most": 1}


def test_the_file_has_a_chinese_name_and_nobody_on_the_way_keeps_it(door: Door, town: Town) -> None:
    run = town.a_run(title="书法/小课")
    answer = asked(door.phone(town.clerk), run, SIGN_IN)
    assert "filename*=UTF-8''" in answer.headers["Content-Disposition"]
    name = unquote(answer.headers["Content-Disposition"].partition("UTF-8''")[2])
    assert name == "书法小课20261203签到表.xlsx"
    assert answer.headers["Cache-Control"] == "no-store"
    assert named("/\n", "xlsx") == "文件.xlsx"


def test_asked_again_with_the_same_attempt_the_file_is_a_file_again(door: Door, town: Town) -> None:
    run, phone = town.a_run(), door.phone(town.clerk)
    for _ in range(2):
        answer = phone.post(
            f"/staff/course-runs/{run.key}/sheets", json=ROSTER, headers={"Idempotency-Key": "once"}
        )
        assert page_of(answer).title == "名单"


def end_roles(worker: Worker) -> None:
    with transaction() as session:
        session.execute(
            update(RoleGrant)
            .where(RoleGrant.staff_member_id == worker.staff_id)
            .values(ends_at=town_clock.now())
        )


def test_whoever_was_an_administrator_exports_nothing(door: Door, town: Town, clock: StoppedClock) -> None:
    """E30: the phone still holds the token and the hat; the role ended a moment ago."""
    run, phone = town.a_run(), door.phone(town.admin)
    assert asked(phone, run, ROSTER).status_code == 200
    end_roles(town.admin)
    clock.move_to(town_clock.now() + timedelta(seconds=1))
    the_problem(asked(phone, run, ROSTER), 404, "not_found")


def test_a_scope_that_changes_counts_from_the_next_question_on(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    """E31: moved from one community to another with the phone in the hand."""
    here, there = town.a_run(), town.a_run(community=town.wangjiang)
    phone = door.phone(town.clerk)
    the_problem(asked(phone, there, ROSTER), 404, "not_found")
    end_roles(town.clerk)
    clock.move_to(town_clock.now() + timedelta(seconds=1))
    with transaction() as session:
        grant(
            session,
            town.clerk.member(session),
            Role.CLERK,
            session.get_one(Region, town.wangjiang.id),
        )
    assert asked(phone, there, ROSTER).status_code == 200
    the_problem(asked(phone, here, ROSTER), 404, "not_found")


@pytest.mark.parametrize("who", ["grid_worker", "street_officer"])
def test_only_the_office_takes_lists(door: Door, town: Town, who: str) -> None:
    run = town.a_run()
    the_problem(asked(door.phone(getattr(town, who)), run, SIGN_IN), 404, "not_found")
