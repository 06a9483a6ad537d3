"""The clock stands at 20 November 2026, when the December sheet is on the clerk's desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from models import clock
from models.base import transaction
from models.sites import SiteKind, add_space, add_venue, open_site
from server.timetable import RunPlan, TimetablePlan, read_timetable
from tests.data.make_timetable import Draft, Row, one_sheet, write_workbook
from tests.people import Town
from tests.server.timetable.desk import ROOMS, Desk

Reads = Callable[..., TimetablePlan]
NOVEMBER_20 = datetime(2026, 11, 20, 9, 0, tzinfo=clock.TOWN_ZONE)


@pytest.fixture(autouse=True)
def november() -> Iterator[clock.StoppedClock]:
    """Stop the clock for every test here."""
    with clock.stopped_at(NOVEMBER_20) as hand:
        yield hand


@pytest.fixture
def reads(tmp_path: Path) -> Reads:
    """Write rows (as one December sheet) or whole drafts to a file and read it back."""

    def write_and_read(*what: Row | Draft, **sheet: object) -> TimetablePlan:
        drafts = [draft for draft in what if isinstance(draft, Draft)]
        rows = [row for row in what if not isinstance(row, Draft)]
        if rows:
            drafts.append(one_sheet(*rows, **sheet))  # type: ignore[arg-type]
        return read_timetable(write_workbook(tmp_path / "timetable.xlsx", drafts))

    return write_and_read


def only_run(plan: TimetablePlan) -> RunPlan:
    """The one run of a plan that must be clean."""
    assert [fault.line for fault in plan.faults] == []
    ((_, run),) = plan.runs()
    return run


def lines(plan: TimetablePlan) -> list[str]:
    """The faults as the clerk reads them."""
    return [fault.line for fault in plan.faults]


def warned(plan: TimetablePlan) -> list[str]:
    """The warnings as the clerk reads them."""
    return [warning.line for warning in plan.warnings]


@pytest.fixture
def desk(town: Town, tmp_path: Path) -> Desk:
    """Four rooms of 梧桐里 and one of 望江."""
    with transaction() as session:
        site = open_site(
            session, session.merge(town.wutong), kind=SiteKind.CENTRE, name="梧桐里社区党群服务中心"
        )
        for name, capacity in ROOMS.items():
            add_venue(session, site, name=name, capacity=capacity)
        halves = [add_space(session, site, "厅A"), add_space(session, site, "厅B")]
        add_venue(session, site, name="多功能厅", capacity=80, spaces=halves)
        add_venue(session, site, name="多功能厅A", capacity=40, spaces=halves[:1])
        there = open_site(
            session, session.merge(town.wangjiang), kind=SiteKind.CENTRE, name="望江社区党群服务中心"
        )
        add_venue(session, there, name="电脑教室", capacity=24)
    return Desk(town, tmp_path)
