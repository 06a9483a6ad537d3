"""Figures of wishes (心愿统计): for the office and the street of a place, as numbers and as a sheet; for a unit, of what it did itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from flask import Response

from miniprogram_api.edge import Door, named_in, partner_hat, staff_hat
from miniprogram_api.rates import RateName
from miniprogram_api.rosters import answered_with
from miniprogram_api.schemas.wish_figures import (
    FIGURE_LABELS,
    KIND_LABELS,
    USUAL_DAYS,
    UnitFiguresOut,
    UnitFiguresQuery,
    WishFiguresOut,
    WishFiguresQuery,
    WishSheetIn,
)
from miniprogram_api.sheets import MIME, Number, Table, named, workbook_of
from models import clock
from models.base import db
from models.coordination.wish_sheets import WishSheet, take_wish_sheet
from models.errors import Conflict, Fault, Forbidden, NotFound
from models.regions import Region
from models.staff import OFFICE, Role, places_of
from models.wishes.figures import Figure, WishFigures, figures_of_place, figures_of_unit

door = Door("wish_figures", description="心愿统计")

COUNTED_BACK = timedelta(days=3660)  # ten years: longer than anybody compares
HIDDEN = "少于5，不显示"
_FILE = {"type": "string", "format": "binary"}


@door.get("/staff/wish-figures")
@door.takes(WishFiguresQuery, location="query")
@door.gives(WishFiguresOut, refuses=(404, 409, 422))
def show_wish_figures(wanted: dict[str, Any]) -> WishFigures:
    """心愿统计（社区、街道）

    认领率、圆梦率、办结率 (the same day, within two and three days, in time), 响应率 and 满意率 of the place one works for, over up to 400 days, each
    with its n. For a street by community: aggregates alone. Groups of fewer than five are hidden, and what would give them away in the same answer; two
    answers of overlapping periods tell the difference.
    """
    first, last = _days_of(wanted)
    return figures_of_place(db.session(), _place(wanted.get("region")), first=first, last=last)


@door.post("/staff/wish-sheets", rate=RateName.FILES)
@door.takes(WishSheetIn)
@door.response(200, _FILE, content_type=MIME)
@door.gives(None, refuses=(409, 422))
def export_wish_figures(sent: dict[str, Any]) -> Response:
    """导出心愿统计（社区、街道）

    An Excel file of what ``/staff/wish-figures`` tells, ready to print on A4. Who took it, when, and for what stands in the journal and on every
    page.
    """
    first, last = _days_of(sent)
    with named_in("region"):
        place = _place(sent["region"])
    sheet = take_wish_sheet(
        db.session(), place, first=first, last=last, purpose=sent["purpose"], by=staff_hat()
    )
    return answered_with(
        workbook_of(table_of(sheet)), MIME, named(f"{place.name}心愿统计{first:%Y%m%d}", "xlsx")
    )


@door.get("/partner/wish-figures")
@door.takes(UnitFiguresQuery, location="query")
@door.gives(UnitFiguresOut, refuses=(409, 422))
def show_units_figures(wanted: dict[str, Any]) -> WishFigures:
    """本单位的心愿统计（单位）

    办结率、响应率 and 满意率 of the claims of one's own unit, in all and by kind of wish, each with its n; fewer than five are hidden.
    """
    first, last = _days_of(wanted)
    return figures_of_unit(db.session(), partner_hat(), first=first, last=last)


def table_of(sheet: WishSheet) -> Table:
    """The sheet as a table: a line a community, then a line a kind, then all of them; the share and its n in one box each."""
    found = sheet.figures
    lines: list[tuple[str, Sequence[Figure]]] = [(one.region.name, one.figures) for one in found.communities]
    lines += [(KIND_LABELS[one.kind], one.figures) for one in found.kinds]
    lines.append(("合计", found.figures))
    columns: list[tuple[str, float]] = [("", 16)]
    for label in FIGURE_LABELS.values():
        columns += [(label, 10), ("个数", 9), ("n", 8)]
    return Table(
        tab="心愿统计",
        title=f"{sheet.place.name} 心愿统计",
        about=f"{found.first} 至 {found.last}　算到 {clock.in_town(found.counted_at):%Y-%m-%d %H:%M}",
        columns=columns,
        lines=[[name, *(box for one in figures for box in _boxes(one))] for name, figures in lines],
        watermark=sheet.watermark,
        below=f"n 是算的个数；{HIDDEN}，能从本表推算出来的也不显示。",
    )


def _boxes(figure: Figure) -> list[str | Number]:
    if figure.counted is None or figure.of is None:
        return [HIDDEN, "", ""]
    share = "" if figure.rate is None else Number(figure.rate, "0.0%")
    return [share, Number(figure.counted), Number(figure.of)]


def _days_of(wanted: dict[str, Any]) -> tuple[date, date]:
    """The first and the last day. Raises Conflict ``day_out_of_sight`` for what is ahead, or longer ago than anybody compares."""
    today, days = clock.today(), wanted["days"]
    first: date = wanted.get("first", today - timedelta(days=USUAL_DAYS - 1))
    if not today - COUNTED_BACK <= first <= today:
        message = f"只能算 {today - COUNTED_BACK} 到今天的统计，请换一个日期"
        raise Conflict("day_out_of_sight", message, faults=[Fault("first", message)])
    return first, first + timedelta(days=days - 1)


def _place(key: str | None) -> Region:
    """The place one works for with this key, or the first of them. Raises NotFound for any other, also for one within it: small groups of a street
    could be worked out from its communities one by one; Forbidden ``identity_unfit`` in a hat without an office."""
    places = places_of(db.session(), staff_hat(), *OFFICE, Role.STREET_OFFICER)
    if not places:
        raise Forbidden("identity_unfit", "请切换到社区管理员、工作人员或街道干部身份再操作")
    found = next((place for place in places if key in (None, place.key)), None)
    if found is None:
        raise NotFound("没有找到这个地方，或者不归您管")
    return found
