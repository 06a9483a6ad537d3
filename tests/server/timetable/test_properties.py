"""Whatever stands in the cells, the reader answers; however it is spelt, it means the same."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from models import clock
from server.timetable import TimetablePlan, read_timetable
from server.timetable.cells import Uncalculated
from server.timetable.reader import plan_of
from server.timetable.workbook import Block, Grid
from tests.data.make_timetable import HEADERS, Row, lesson, one_sheet, write_workbook
from tests.server.timetable.conftest import NOVEMBER_20

PIECES = st.sampled_from(
    [
        *"0123456789２十年月日号点时分半班:：-—~至/.，；（） \n=",
        *("周四", "星期", "下午", "晚", "PM", "次课为一个班次", "周岁", "以上", "不限", "留20%名额"),
        *("监护人报名", "合计", "_x0000_", "\u200b", "#N/A"),
    ]
)
CLERKS_TEXT = st.lists(PIECES, max_size=12).map("".join)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=40),
    CLERKS_TEXT,
    st.datetimes(),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.text(max_size=10).map(Uncalculated),
)
SOUND = list(lesson().values())


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """A sheet with our header, sound rows, and anything at all in some of the cells, above, below and beside."""
    cells: dict[tuple[int, int], object] = {(2, column): name for column, name in enumerate(HEADERS, start=1)}
    for row in range(3, 3 + draw(st.integers(0, 6))):
        cells |= {(row, column): value for column, value in enumerate(SOUND, start=2)}
    places = st.tuples(st.integers(1, 10), st.integers(1, 16))
    cells |= draw(st.dictionaries(places, VALUES | st.sampled_from(SOUND), max_size=30))
    blocks = st.builds(
        lambda top, left, tall, wide: Block(top, top + tall, left, left + wide),
        *(st.integers(1, 10), st.integers(1, 14), st.integers(0, 3), st.integers(0, 3)),
    )
    return Grid(
        name=draw(st.sampled_from(["梧桐里社区", "Sheet1", "同心社区 (2)", ""]) | st.text(max_size=31)),
        cells={place: value for place, value in cells.items() if value is not None},
        merged=tuple(draw(st.lists(blocks, max_size=3))),
        hidden=draw(st.booleans()),
    )


@settings(deadline=None, max_examples=300)
@given(st.lists(grids(), max_size=3, unique_by=lambda grid: grid.name))
def test_arbitrary_cells_never_crash_the_reader(sheets: list[Grid]) -> None:
    with clock.stopped_at(NOVEMBER_20):
        plan = plan_of(sheets)
    for fault in (*plan.faults, *plan.warnings):
        assert fault.line
        assert "\n" not in fault.line
    assert len(set(plan.faults)) == len(plan.faults)
    for _, run in plan.runs():
        assert run.sessions
        assert all(session.ends_at > session.starts_at for session in run.sessions)
        assert 1 <= run.capacity <= 2000


DAYS = st.lists(st.dates(date(2026, 12, 1), date(2027, 1, 31)), min_size=1, max_size=4, unique=True)
WEEKDAYS = "一二三四五六日"
FULL_WIDTH = str.maketrans("0123456789:-/", "０１２３４５６７８９：－／")
DATE_SPELLINGS = (
    lambda d: datetime.combine(d, time()),
    lambda d: datetime.combine(d, time(18, 30)),
    lambda d: (d - date(1899, 12, 30)).days,
    lambda d: f"{d.month}月{d.day}日（周{WEEKDAYS[d.weekday()]}）",
    lambda d: f"{d.month}月{d.day}日 (星期{WEEKDAYS[d.weekday()]})",
    lambda d: f"{d.year}/{d.month}/{d.day}",
    lambda d: f"{d.year}.{d.month}.{d.day}",
    lambda d: d.isoformat(),
    lambda d: f"{d:%Y%m%d}",
    lambda d: int(f"{d:%Y%m%d}"),
    lambda d: f"{d.month}月{d.day}日".translate(FULL_WIDTH),
)
TIME_SPELLINGS = (
    lambda t: t,
    lambda t: (t.hour * 60 + t.minute) / 1440,
    lambda t: f"{t:%H:%M}",
    lambda t: f"{t:%H：%M}",
    lambda t: f"{t.hour}点{t.minute}分",
    lambda t: f"下午{t.hour - 12}:{t.minute:02d}",
    lambda t: f"晚{t.hour - 12}点{t.minute:02d}分",
    lambda t: f"{t.hour - 12}:{t.minute:02d} PM",
    lambda t: f"{t:%H:%M}".translate(FULL_WIDTH),
)
SEAT_SPELLINGS = (lambda n: n, float, str, lambda n: f"{n}人", lambda n: str(n).translate(FULL_WIDTH))
AUDIENCE_SPELLINGS = ("18-60周岁", "18—60岁", "18周岁至60周岁", "１８～６０周岁", " 18 - 60 周岁 ")
OPENING_SPELLINGS = (
    datetime.combine(date(2026, 11, 25), time(10, 0)),
    46351 + 10 / 24,
    "11月25日 10:00",
    "11月25日上午10点",
    "2026/11/25 10:00",
)


@st.composite
def spelt_twice(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """The same rows plainly and in the clerk's own way."""
    plainly, freely = [], []
    for day in draw(DAYS):
        start = time(draw(st.integers(13, 20)), draw(st.sampled_from([0, 5, 30, 59])))
        end = (datetime.combine(day, start) + timedelta(minutes=draw(st.integers(1, 180)))).time()
        seats = draw(st.integers(1, 2000))
        plainly.append(lesson("合唱", day, 开始时间=start, 结束时间=end, 名额=seats, 报名对象="18-60周岁"))
        as_range = draw(st.booleans())
        spelt_start = draw(st.sampled_from(TIME_SPELLINGS))(start)
        dash = draw(st.sampled_from("-—~至"))
        freely.append(
            lesson(
                "  合唱 ",
                draw(st.sampled_from(DATE_SPELLINGS))(day),
                开始时间=f"{start:%H:%M}{dash}{end:%H:%M}" if as_range else spelt_start,
                结束时间=None if as_range else draw(st.sampled_from(TIME_SPELLINGS))(end),
                名额=draw(st.sampled_from(SEAT_SPELLINGS))(seats),
                报名对象=draw(st.sampled_from(AUDIENCE_SPELLINGS)),
                报名开始时间=draw(st.sampled_from(OPENING_SPELLINGS)),
            )
        )
    return plainly, freely


@settings(deadline=None, max_examples=60)
@given(spelt_twice())
def test_any_accepted_spelling_reads_back_to_the_same_plan(spelt: tuple[list[Row], list[Row]]) -> None:
    plainly, freely = (_through_a_file(rows) for rows in spelt)
    assert [fault.line for fault in freely.faults] == []
    assert freely.sheets == plainly.sheets


def _through_a_file(rows: list[Row]) -> TimetablePlan:
    with TemporaryDirectory() as folder, clock.stopped_at(NOVEMBER_20):
        return read_timetable(write_workbook(Path(folder) / "timetable.xlsx", [one_sheet(*rows)]))
