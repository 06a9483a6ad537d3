"""What an operator reads at a terminal: Chinese, one thing a line, exit 1 and one line on stderr when it is no."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.calendars import Calendar, DayKind
from models.courses import CourseRun
from models.journal import JournalEntry
from models.policies import policies_at
from models.regions import Region, RegionKind, plant
from models.staff import StaffMember, accept_invitation, hire
from models.wishes import Wish, WishState
from server.settings import Mode
from tests.conftest import NOON, House
from tests.data.make_timetable import COMMITTED, lesson, one_sheet, write_workbook
from tests.people import an_account

Runs = Callable[..., Result]
HOME = Path(__file__).parents[3]


@pytest.fixture
def flask(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """``flask …`` on an empty town with a data directory of its own, at noon on 20 November 2026."""
    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], data_dir=tmp_path))
    with town_clock.stopped_at(NOON):
        yield lambda *args: app.test_cli_runner().invoke(args=list(args))


@pytest.fixture
def demo(flask: Runs, house: House) -> Runs:
    """The same on the demo town, without its files."""

    def build() -> None:
        assert flask("town", "load-demo").exit_code == 0

    with house.app.app_context():
        house.town("demo of the command", build)
    return flask


@pytest.fixture
def office(flask: Runs, app: Flask) -> Runs:
    """The same on a district with one community and somebody who works there."""
    with app.app_context(), transaction() as session:
        district = plant(session, kind=RegionKind.DISTRICT, code="990101", name="澄湖区")
        plant(session, kind=RegionKind.COMMUNITY, code="990101001001", name="梧桐里社区", parent=district)
        hire(session, "管理员·梧桐里")
    return flask


def refused(result: Result) -> str:
    """The one line a refused command says."""
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


# --- timetable ----------------------------------------------------------------------------------------------------


def test_the_real_timetable_is_imported(demo: Runs) -> None:
    result = demo("timetable", "import", str(COMMITTED))
    lines = result.stdout.splitlines()
    assert (result.exit_code, result.stderr) == (0, "")
    assert lines[-1] == "导入完成：新增 22 个班，修改 0 个，撤下 0 个，没有变化 0 个"
    assert sum(line.startswith("新增 ") for line in lines) == 22
    assert len(set(lines)) == len(lines)
    again = demo("timetable", "import", str(COMMITTED)).stdout.splitlines()
    assert again[-1] == "导入完成：新增 0 个班，修改 0 个，撤下 0 个，没有变化 22 个"


def test_one_community_of_the_file(demo: Runs) -> None:
    result = demo("timetable", "import", str(COMMITTED), "--community", "同心")
    assert result.stdout.splitlines()[-1].startswith("导入完成：新增 5 个班")


def test_a_rehearsal_writes_nothing(demo: Runs, app: Flask) -> None:
    with app.app_context(), reading() as session:
        before = len(session.scalars(select(CourseRun)).all())
    result = demo("timetable", "import", str(COMMITTED), "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("试导入，没有写入。正式导入会新增 22 个班")
    with app.app_context(), reading() as session:
        assert len(session.scalars(select(CourseRun)).all()) == before


def test_faults_are_lines_with_their_cell_then_a_summary_and_exit_one(demo: Runs, tmp_path: Path) -> None:
    rows = [lesson("口才", date(2026, 12, 2), 场地="书法室"), lesson("绘画", date(2026, 12, 3), 名额="许多")]
    file = write_workbook(tmp_path / "faulty.xlsx", [one_sheet(*rows)])
    result = demo("timetable", "import", str(file))
    first, second, summary = result.stdout.splitlines()
    assert result.exit_code == 1
    assert first.startswith("「梧桐里社区」第3行 H列“场地”：梧桐里社区没有叫“书法室”的场地。是不是“书画室”？")
    assert second.startswith("「梧桐里社区」第4行 I列“名额”")
    assert summary == "有 2 处要改，这个文件没有导入，什么都没有变"


def test_a_file_that_is_none_is_refused_in_one_line(demo: Runs, tmp_path: Path) -> None:
    assert "打不开这个文件" in refused(demo("timetable", "import", str(tmp_path / "nothing.xlsx")))
    assert "打不开这个文件" in refused(demo("timetable", "import", str(tmp_path)))
    (tmp_path / "letter.xlsx").write_text("亲爱的居民")
    assert "不是 .xlsx 文件" in refused(demo("timetable", "import", str(tmp_path / "letter.xlsx")))


def test_chinese_reaches_a_pipe_in_a_bare_environment(tmp_path: Path) -> None:
    bare = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path),
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    }

    def flask(*command: str) -> subprocess.CompletedProcess[bytes]:
        line = [sys.executable, "-m", "flask", *command]
        return subprocess.run(line, env=bare, cwd=HOME, capture_output=True, check=False)

    unmigrated = flask("staff", "list")
    assert (unmigrated.returncode, unmigrated.stdout) == (1, b"")
    assert "还没有升级到最新" in unmigrated.stderr.decode()
    assert "Traceback" not in unmigrated.stderr.decode()
    missing = flask("timetable", "import", "没有.xlsx")
    assert missing.returncode == 1
    assert "数据库" in missing.stderr.decode()


# --- staff --------------------------------------------------------------------------------------------------------


def test_the_first_administrator_comes_in_by_command(office: Runs, app: Flask) -> None:
    assert office("staff", "add", "王主任").stdout.startswith("已登记 王主任，key ")
    assert (
        office("staff", "grant", "王主任", "admin", "梧桐里").stdout
        == "已授予 王主任：社区管理员（梧桐里社区）\n"
    )
    assert office("staff", "grant", "王主任", "社区管理员", "990101001001").stdout.startswith("早已授予")
    invited = office("staff", "invite", "王主任").stdout
    code = invited.partition("邀请码：")[2].partition("（")[0]
    with app.app_context(), transaction() as session:
        account, _ = an_account(session)
        assert accept_invitation(session, account, code).name == "王主任"
    listed = office("staff", "list").stdout
    assert "王主任" in listed
    assert "已绑定微信  社区管理员（梧桐里社区）" in listed
    assert code not in listed


def test_nobody_works_here_yet(flask: Runs) -> None:
    assert flask("staff", "list").stdout == "还没有工作人员，请用 flask staff add 登记\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("staff", "add", " "), "姓名要有 1 到 40 个字"),
        (("staff", "add", "很" * 41), "姓名要有 1 到 40 个字"),
        (("staff", "add", "王\x07"), "姓名要有 1 到 40 个字"),
        (("staff", "grant", "无名氏", "admin", "梧桐里"), "没有叫“无名氏”的工作人员"),
        (
            ("staff", "grant", "管理员·梧桐里", "皇帝", "梧桐里"),
            "没有“皇帝”这个角色，可以写：admin（社区管理员）",
        ),
        (("staff", "grant", "管理员·梧桐里", "admin", "火星"), "没有叫“火星”的地方"),
        (("staff", "invite", "无名氏"), "没有叫“无名氏”的工作人员"),
        (("policy", "set", "梧桐里", "waitlist_share", "很多"), "请填0 到 1000 之间的数"),
        (("policy", "set", "梧桐里", "luck", "1"), "没有“luck”这条规则，可选：waitlist_share"),
        (("policy", "set", "火星", "waitlist_share", "1"), "没有叫“火星”的地方"),
        (("policy", "list", "火星"), "没有叫“火星”的地方"),
        (("calendar", "add", "春节", "holiday"), "看不懂日期“春节”"),
        (("calendar", "add", "2027-02-06", "好日子"), "没有“好日子”这种日子，可以写：workday（工作日）"),
        (("calendar", "add", "2027-02-06", "holiday", "节" * 41), "名称要有 1 到 40 个字"),
    ],
)
def test_bad_input_is_refused_in_one_chinese_line(office: Runs, command: tuple[str, ...], said: str) -> None:
    assert said in refused(office(*command))


def test_two_of_one_name_are_told_apart_by_their_keys(office: Runs, app: Flask) -> None:
    office("staff", "add", "小李")
    office("staff", "add", "小李")
    with app.app_context(), reading() as session:
        first, second = session.scalars(
            select(StaffMember.key).where(StaffMember.name == "小李").order_by(StaffMember.id)
        )
    line = refused(office("staff", "invite", "小李"))
    assert line == f"叫“小李”的有 2 人，请改用 key：{first}、{second}"
    assert office("staff", "invite", first).exit_code == 0


def test_two_places_of_one_name_are_told_apart_by_their_codes(office: Runs, app: Flask) -> None:
    with app.app_context(), transaction() as session:
        district = session.scalars(select(Region).where(Region.kind == RegionKind.DISTRICT)).one()
        plant(session, kind=RegionKind.STREET, code="990101003", name="梧桐里街道", parent=district)
    line = refused(office("policy", "set", "梧桐里", "waitlist_share", "0.5"))
    assert "梧桐里社区 990101001001" in line
    assert "梧桐里街道 990101003" in line
    assert office("policy", "set", "梧桐里社区", "waitlist_share", "0.5").exit_code == 0


# --- policies and calendar ----------------------------------------------------------------------------------------


def test_a_policy_set_for_a_street_holds_in_its_communities(demo: Runs, app: Flask) -> None:
    assert demo("policy", "set", "书香街道", "waitlist_share", "0.5").exit_code == 0
    listed = demo("policy", "list", "梧桐里").stdout
    assert "waitlist_share = 0.5（书香街道）" in listed
    assert "quiet_from = 21:30（默认）" in listed
    assert "waitlist_share = 1.0（默认）" in demo("policy", "list", "望江").stdout
    assert "书香街道：waitlist_share = 0.5" in demo("policy", "list").stdout
    with app.app_context(), reading() as session:
        community = session.scalars(select(Region).where(Region.name == "梧桐里社区")).one()
        assert policies_at(session, community.id).waitlist_share == 0.5
        assert "policy.set" in session.scalars(select(JournalEntry.act)).all()


def test_deadlines_follow_a_day_off_and_a_number_of_the_place(demo: Runs, app: Flask) -> None:
    def due() -> Sequence[datetime | None]:
        with app.app_context(), reading() as session:
            waiting = select(Wish.due_at).where(Wish.state == WishState.SUBMITTED).order_by(Wish.id)
            return session.scalars(waiting).all()

    before = due()
    assert before
    days_off = [f"2026-11-{day}" for day in range(21, 31)]
    said = [demo("calendar", "add", day, "holiday").stdout for day in days_off]
    assert any("个心愿、认领的期限已按新规定重新计算" in line for line in said)
    days_off_begin = datetime(2026, 11, 21, tzinfo=town_clock.TOWN_ZONE)
    moved = [was != now for was, now in zip(before, due(), strict=True)]
    still_ahead = [was is not None and was > days_off_begin for was in before]
    assert moved == still_ahead  # the others were due before the first day off
    assert any(moved)
    after = due()
    assert "重新计算" in demo("policy", "set", "梧桐里", "wish_review_days", "3").stdout
    assert due() != after
    assert "重新计算" not in demo("policy", "set", "梧桐里", "waitlist_share", "0.5").stdout
    assert "期限都没有变" in demo("wishes", "rewind-clocks").stdout


def test_a_day_is_set_and_set_again(office: Runs, app: Flask) -> None:
    assert (
        office("calendar", "add", "2027-02-06", "holiday", "春节").stdout
        == "2027-02-06 是法定节假日（春节）\n"
    )
    assert office("calendar", "add", "2027-02-06", "调休上班").stdout == "2027-02-06 是调休上班\n"
    with app.app_context(), reading() as session:
        assert Calendar.in_force(session).kind_of(date(2027, 2, 6)) is DayKind.ADJUSTED_WORKDAY


# --- the demo town ------------------------------------------------------------------------------------------------


def test_the_demo_town_is_loaded_once(flask: Runs) -> None:
    assert refused(flask("town", "people")) == "还没有演示小城，请先运行 flask town load-demo"
    assert flask("town", "load-demo").stdout.startswith("演示小城已装好")
    assert flask("town", "load-demo").stdout == "演示小城早已装好，什么都没有变\n"
    assert "居民：居民A01  openid demo-resident  key " in flask("town", "people").stdout


def test_the_demo_town_is_not_loaded_into_a_town_of_somebody_elses(office: Runs) -> None:
    line = refused(office("town", "load-demo"))
    assert "已经有自己的区域（澄湖区）" in line
    assert "安澜市" not in office("places", "list").stdout


def test_the_demo_town_is_not_for_production(
    flask: Runs, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    production = replace(app.extensions["settings"], mode=Mode.PRODUCTION)
    monkeypatch.setitem(app.extensions, "settings", production)
    assert "只能装在演示环境里" in refused(flask("town", "load-demo"))
