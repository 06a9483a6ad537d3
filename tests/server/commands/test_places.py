"""The places of a town as its clerk registers them: three tabs of a spreadsheet, and with them a real installation is founded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from openpyxl import Workbook
from sqlalchemy import func, select

from models import clock as town_clock
from models.base import db, reading, transaction
from models.courses import CourseRun
from models.journal import JournalEntry
from models.regions import Region
from models.sites import Site, Venue, VenueUse
from models.staff import accept_invitation, staff_members_of
from server.app import create_app
from server.demo.places import REGIONS, SITES
from server.places import REGION_KINDS, SITE_KINDS
from server.settings import Mode
from tests.conftest import NOON, settings_for
from tests.data.make_timetable import COMMITTED
from tests.people import an_account

Runs = Callable[..., Result]
Rows = Sequence[Sequence[object]]

REGION_HEADER = ("编码", "类型", "名称", "上级")
SITE_HEADER = ("所在区域", "类型", "名称", "地址", "电话")
ROOM_HEADER = ("站点", "名称", "容纳人数", "由哪几间合成")

STREET = (990101001, "街道", "书香街道", None)
COMMUNITY = ("990101001001", "社区", "梧桐里社区", "书香街道")
CENTRE = ("梧桐里", "党群服务中心", "梧桐里社区党群服务中心", "梧桐路8号", 19900009003)
ROOM = ("梧桐里社区党群服务中心", "书画室", 20, None)
HALL = (
    ("梧桐里社区党群服务中心", "多功能厅", 80, "多功能厅A、多功能厅B"),
    ("梧桐里社区党群服务中心", "多功能厅A", 40, None),
    ("梧桐里社区党群服务中心", "多功能厅B", "40人", None),
)


@pytest.fixture
def production(database_url: str) -> Iterator[Flask]:
    """A real installation on its first day: migrated, and nothing in it."""
    app = create_app(settings_for(database_url, mode=Mode.PRODUCTION, wechat_appid="wx1234567890abcdef"))
    with town_clock.stopped_at(NOON):
        yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def flask(production: Flask) -> Runs:
    """``flask …`` there."""
    return lambda *args: production.test_cli_runner().invoke(args=[str(arg) for arg in args])


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a places file: rows of regions, of sites, of rooms; a tab without rows is left out."""

    def write(regions: Rows = (), sites: Rows = (), rooms: Rows = ()) -> Path:
        return written(
            tmp_path / "places.xlsx",
            {
                "区域": [REGION_HEADER, *regions] if regions else [],
                "站点": [SITE_HEADER, *sites] if sites else [],
                "场地": [ROOM_HEADER, *rooms] if rooms else [],
            },
        )

    return write


def written(path: Path, tabs: Mapping[str, Rows]) -> Path:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in tabs.items():
        if rows:
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(list(row))
    book.save(path)
    return path


def everywhere() -> tuple[int, ...]:
    """How many regions, sites and rooms stand."""
    with reading() as session:
        return tuple(
            session.scalar(select(func.count()).select_from(table)) or 0 for table in (Region, Site, Venue)
        )


def refused(result: Result) -> list[str]:
    """What a file that is not taken is told, without the summary."""
    assert result.exit_code == 1, result.output
    *faults, summary = result.stdout.splitlines()
    assert summary == f"有 {len(faults)} 处要改，这个文件没有导入，什么都没有变"
    return faults


def test_a_real_installation_is_founded(flask: Runs, production: Flask, file: Callable[..., Path]) -> None:
    names = {code: name for code, _, name, _ in REGIONS}
    town = file(
        [
            (code, REGION_KINDS[kind].split("/")[0], name, names.get(above or ""))
            for code, kind, name, above in REGIONS
        ],
        [(names[s.region], SITE_KINDS[s.kind].split("/")[0], s.name, s.address, None) for s in SITES],
        [
            *((s.name, name, room.capacity, None) for s in SITES for name, room in s.rooms.items()),
            *(
                (s.name, name, hall.capacity, f"{name}A，{name}B")
                for s in SITES
                for name, hall in s.halls.items()
            ),
            *(
                (s.name, name + half, hall.capacity // 2, None)
                for s in SITES
                for name, hall in s.halls.items()
                for half in "AB"
            ),
        ],
    )
    assert "还没有登记任何地方" in flask("places", "list").output
    assert "请先用 flask places import 登记" in flask("timetable", "import", COMMITTED).stdout
    assert flask("staff", "add", "王主任").exit_code == 0
    assert "请先用 flask places import 登记" in flask("staff", "grant", "王主任", "admin", "梧桐里").stderr
    founded = flask("places", "import", town)
    assert founded.exit_code == 0, founded.output

    assert flask("staff", "grant", "王主任", "admin", "梧桐里").exit_code == 0
    code = flask("staff", "invite", "王主任").stdout.partition("邀请码：")[2].partition("（")[0]
    with production.app_context(), transaction() as session:
        account, _ = an_account(session)
        assert accept_invitation(session, account, code) in staff_members_of(session, account)
    imported = flask("timetable", "import", COMMITTED)
    assert imported.exit_code == 0, imported.output
    with production.app_context(), reading() as session:
        assert session.scalar(select(func.count()).select_from(CourseRun)) == 22


def test_the_same_file_twice_changes_nothing(
    flask: Runs, production: Flask, file: Callable[..., Path]
) -> None:
    town = file([COMMUNITY, STREET], [CENTRE], [*HALL, ROOM])
    assert flask("places", "import", town).stdout.splitlines() == [
        "新增 街道/镇/乡 书香街道（990101001）",
        "新增 社区/村 梧桐里社区（990101001001）",
        "新增 站点 梧桐里社区“梧桐里社区党群服务中心”",
        "新增 场地 梧桐里社区党群服务中心“多功能厅A”，40 人",
        "新增 场地 梧桐里社区党群服务中心“多功能厅B”，40 人",
        "新增 场地 梧桐里社区党群服务中心“书画室”，20 人",
        "新增 场地 梧桐里社区党群服务中心“多功能厅”，80 人",
        "导入完成：新增 7 处，修改 0 处，没有变化 0 处",
    ]
    with production.app_context(), reading() as session:
        acts = session.scalars(select(JournalEntry.act)).all()
    assert acts == ["place.registered"] * 7
    assert flask("places", "import", town).stdout == "导入完成：新增 0 处，修改 0 处，没有变化 7 处\n"
    with production.app_context(), reading() as session:
        assert session.scalars(select(JournalEntry.act)).all() == acts


def test_the_list_is_the_tree_with_its_sites_and_rooms(flask: Runs, file: Callable[..., Path]) -> None:
    flask("places", "import", file([STREET, COMMUNITY], [CENTRE], [ROOM, *HALL]))
    assert flask("places", "list").stdout.splitlines() == [
        "书香街道  街道/镇/乡  990101001",
        "  梧桐里社区  社区/村  990101001001",
        "    · 梧桐里社区党群服务中心  党群服务中心  梧桐路8号  19900009003",
        "        书画室  20 人",
        "        多功能厅A  40 人",
        "        多功能厅B  40 人",
        "        多功能厅  80 人（由多功能厅A、多功能厅B合成）",
    ]


def test_whoever_uses_the_hall_uses_both_halves(
    flask: Runs, production: Flask, file: Callable[..., Path]
) -> None:
    flask("places", "import", file([STREET, COMMUNITY], [CENTRE], HALL))
    with production.app_context(), reading() as session:
        floor = {venue.name: {space.id for space in venue.spaces} for venue in session.scalars(select(Venue))}
    assert floor["多功能厅"] == floor["多功能厅A"] | floor["多功能厅B"]
    assert len(floor["多功能厅"]) == 2


def test_a_rehearsal_says_what_would_be_and_writes_nothing(
    flask: Runs, production: Flask, file: Callable[..., Path]
) -> None:
    town = file([STREET, COMMUNITY], [CENTRE], [ROOM])
    said = flask("places", "import", town, "--dry-run").stdout.splitlines()
    assert said[-1] == "试导入，没有写入。正式导入会新增 4 处，修改 0 处，没有变化 0 处"
    with production.app_context():
        assert everywhere() == (0, 0, 0)


def test_a_later_file_may_bring_one_tab_and_change_what_stands(
    flask: Runs, file: Callable[..., Path]
) -> None:
    flask("places", "import", file([STREET, COMMUNITY], [CENTRE], [ROOM]))
    moved = (*CENTRE[:3], "梧桐路10号", None)
    said = flask(
        "places", "import", file([], [moved], [(*ROOM[:2], 24, None), (*ROOM[:1], "舞蹈室", 25, None)])
    )
    assert said.stdout.splitlines() == [
        "新增 场地 梧桐里社区党群服务中心“舞蹈室”，25 人",
        "修改 站点 梧桐里社区“梧桐里社区党群服务中心”：地址由“梧桐路8号”改为“梧桐路10号”",
        "修改 场地 梧桐里社区党群服务中心“书画室”，24 人：容纳人数由“20”改为“24”",
        "导入完成：新增 1 处，修改 2 处，没有变化 0 处",
    ]
    renamed = file([(*STREET[:2], "书香里街道", None)])
    assert "名称由“书香街道”改为“书香里街道”" in flask("places", "import", renamed).stdout
    assert "梧桐路10号  19900009003" in flask("places", "list").stdout  # a blank cell leaves the number


DESCRIBED = ("站点", "场地名称", "人数", "楼层", "使用方式", "进门说明")


def test_a_file_may_say_where_a_room_is_and_who_may_use_it(
    flask: Runs, production: Flask, file: Callable[..., Path], tmp_path: Path
) -> None:
    flask("places", "import", file([STREET, COMMUNITY], [CENTRE], [ROOM]))
    said = (*ROOM[:3], "2楼", "自动通过", "钥匙在服务台")
    described = written(tmp_path / "rooms.xlsx", {"场地": [DESCRIBED, said]})
    first, summary = flask("places", "import", described).stdout.splitlines()
    assert first.endswith(
        "20 人：楼层由“”改为“2楼”，使用方式由“预约审核”改为“预约即可”，进门说明由“”改为“钥匙在服务台”"
    )
    assert summary == "导入完成：新增 0 处，修改 1 处，没有变化 0 处"
    blank = written(tmp_path / "rooms.xlsx", {"场地": [DESCRIBED, (*ROOM[:3], None, None, None)]})
    assert "没有变化 1 处" in flask("places", "import", blank).stdout
    with production.app_context(), reading() as session:
        room = session.scalars(select(Venue)).one()
        assert (room.floor, room.use, room.access_note) == ("2楼", VenueUse.AT_ONCE, "钥匙在服务台")


@pytest.mark.parametrize(
    ("cells", "at"),
    [
        (("二" * 21, None, None), "D列“楼层”"),
        ((None, "随便用", None), "E列“使用方式”：没有“随便用”这种使用方式。可以写：随到随用/不用预约"),
        ((None, None, "门" * 201), "F列“进门说明”"),
    ],
)
def test_what_a_room_cannot_be_is_named_at_its_cell(
    flask: Runs, file: Callable[..., Path], tmp_path: Path, cells: tuple[str | None, ...], at: str
) -> None:
    flask("places", "import", file([STREET, COMMUNITY], [CENTRE]))
    wrong = written(tmp_path / "rooms.xlsx", {"场地": [DESCRIBED, (*ROOM[:3], *cells)]})
    (line,) = refused(flask("places", "import", wrong))
    assert at in line


def test_everything_wrong_is_named_at_its_cell_once_and_nothing_is_kept(
    flask: Runs, production: Flask, file: Callable[..., Path]
) -> None:
    town = file(
        [
            STREET,
            ("99/01", "社区", "梧桐里社区", "书香街道"),
            ("WT-01", "格子", "第一网格", "梧桐里"),
            ("T", "社区", "同心社区", "书香街"),
            ("U", "社区", "望江社区", None),
        ],
        [CENTRE, ("书香街道", "图书馆", "书香街道党群服务中心", None, None)],
        [ROOM, ("书香街道党群服务中心", "会议室", "许多", None), ("火星站", "会议室", 12, None)],
    )
    first, *rest = refused(flask("places", "import", town))
    assert (
        first
        == "「区域」第3行 A列“编码”：编码“99/01”不能用。请只写数字、字母和短横，例如 990101001001 或 WT-01"
    )
    assert [line.partition("：")[0] for line in rest] == [
        "「区域」第4行 B列“类型”",
        "「区域」第5行 D列“上级”",
        "「区域」第6行 D列“上级”",
        "「站点」第3行 B列“类型”",
        "「场地」第3行 C列“容纳人数”",
        "「场地」第4行 A列“站点”",
    ]
    assert "没有叫“书香街”的区域。是不是“书香街道”？" in rest[1]
    assert "只有最上面一级可以不填" in rest[2]
    with production.app_context():
        assert everywhere() == (0, 0, 0)


@pytest.mark.parametrize(
    ("regions", "sites", "rooms", "said"),
    [
        ([(*STREET[:1], "区", "书香街道", None)], [], [], "B列“类型”：编码 990101001 登记的是街道/镇/乡“书香街道”，类型不能改"),
        ([("X", "街道", "滨河街道", "梧桐里")], [], [], "街道/镇/乡不能放在社区/村下面"),
        ([("B", "街道", "滨河街道", None), (*COMMUNITY[:3], "滨河街道")], [], [], "“梧桐里社区”已经登记在“书香街道”下面，不能搬"),
        ([("X", "社区", "甲社区", "书香街道"), ("X", "社区", "乙社区", "书香街道")], [], [], "和第2行是同一个编码"),
        ([("X", "网格", "网格", "同心"), ("Y", "社区", "同心社区", "书香街道"), ("Z", "社区", "同心社区", "书香街道")], [], [], "叫“同心”的区域有 2 个。请写成“Y”或“Z”"),
        ([], [CENTRE, CENTRE], [], "「站点」第3行 C列“名称”：和第2行是同一个站点"),
        ([], [], [ROOM, ROOM], "「场地」第3行 B列“名称”：和第2行是同一个场地"),
        ([], [], [(*ROOM[:3], "多功能厅A、多功能厅B")], "“书画室”已经登记过，不是由这几间合成的"),
        ([], [], [(ROOM[0], "大厅", 80, "多功能厅")], "只写了一间"),
        ([], [], [(ROOM[0], "大厅", 80, "多功能厅、书画室")], "没有叫“多功能厅”的单独一间"),
        ([], [], [(ROOM[0], "大厅", 80, "东厅、西厅")], "没有叫“东厅”的单独一间。可以写的有：书画室"),
        ([], [], [(ROOM[0], "书" * 41, 80, None)], "有 41 个字，太长了"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_town_is_told_in_one_line(
    flask: Runs, file: Callable[..., Path], regions: Rows, sites: Rows, rooms: Rows, said: str
) -> None:
    flask("places", "import", file([STREET, COMMUNITY], [CENTRE], [ROOM, *HALL]))
    before = flask("places", "list").stdout
    (line,) = refused(flask("places", "import", file(regions, sites, rooms)))
    assert said in line
    assert flask("places", "list").stdout == before


def test_two_sites_of_one_name_are_told_apart_by_their_place(flask: Runs, file: Callable[..., Path]) -> None:
    other = ("T", "社区", "同心社区", "书香街道")
    sites = [("梧桐里", "驿站", "驿站", None, None), ("同心", "驿站", "驿站", None, None)]
    (line,) = refused(
        flask("places", "import", file([STREET, COMMUNITY, other], sites, [("驿站", "休息室", 6, None)]))
    )
    assert line.endswith("叫“驿站”的站点有 2 个。请写成“梧桐里社区驿站”或“同心社区驿站”")
    town = file([STREET, COMMUNITY, other], sites, [("同心社区驿站", "休息室", 6, None)])
    assert flask("places", "import", town).exit_code == 0


def test_a_file_laid_out_by_hand_is_read(flask: Runs, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "区域"
    for row in (["安澜市区域登记表"], ["级别*", "上级区域", "区域名称", "备注", "代码（12位）"], ["街道", None, "书香街道", None, 990101001],
                ["社区", "书香街道", "梧桐里社区", None, 990101001001], [None, None, None, "同上", None], ["社区", None, "同心社区", None, 990101001002]):  # fmt: skip
        sheet.append(row)
    sheet.merge_cells("B4:B6")
    book.create_sheet("填写说明").append(["请按实际填写"])
    book.save(tmp_path / "by-hand.xlsx")
    result = flask("places", "import", tmp_path / "by-hand.xlsx")
    assert result.exit_code == 0, result.output
    assert "新增 3 处" in result.stdout
    assert "提醒 「填写说明」：不认识这张表，跳过了" in result.stdout


@pytest.mark.parametrize(
    ("tabs", "said"),
    [
        ({"地方": [("名称",)]}, "没有找到“区域”、“站点”、“场地”中的任何一张表"),
        ({"区域": [("编码", "名称"), ("X", "书香街道")]}, "第1行：表头缺少“类型”、“上级”"),
        ({"区域": [("书香街道",)]}, "找不到表头。请加一行表头，写上“编码”、“类型”、“名称”、“上级”"),
        ({"区域": [REGION_HEADER]}, "一个地方也没有写"),
        ({"区域": [(*REGION_HEADER, "区域名称"), STREET]}, "E列“区域名称”：有两列是同一个意思"),
    ],
)
def test_a_file_that_is_no_list_of_places_says_what_to_write(
    flask: Runs, tmp_path: Path, tabs: Mapping[str, Rows], said: str
) -> None:
    result = flask("places", "import", written(tmp_path / "odd.xlsx", tabs))
    assert result.exit_code == 1
    assert said in result.stdout
    assert "打不开这个文件" in flask("places", "import", tmp_path / "nothing.xlsx").stderr
