"""Registering (登记): regions, sites and rooms of a file become those of the town.

What stands is found again by its code, or by its name where it stands, and only what differs is written: the same file twice
changes nothing. What people count on is never moved by a file: a region's kind and parent, and the floor under a room.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from models.base import Base, transaction
from models.journal import enter
from models.regions import Region, RegionKind, plant
from models.sites import Site, SiteKind, Space, Venue, VenueUse, add_venue, open_site
from server.places.names import Names
from server.places.tables import (
    REGION_KINDS,
    REGIONS,
    ROOMS,
    SITE_KINDS,
    SITES,
    VENUE_USES,
    Row,
    Tables,
    kind_of,
    read_code,
    read_people,
    read_tables,
    text_of,
)
from server.timetable.faults import Fault, listed, shown
from server.timetable.naming import Unknown, folded
from server.timetable.workbook import open_workbook

Thing = TypeVar("Thing")

DEPTH = {kind: depth for depth, kind in enumerate(RegionKind)}
_PARTS = re.compile("[、，,;；+＋/]")
_LABELS = {
    "kind": "类型",
    "address": "地址",
    "phone": "电话",
    "name": "名称",
    "capacity": "容纳人数",
    "floor": "楼层",
    "use": "使用方式",
    "access_note": "进门说明",
}


@dataclass
class Report:
    """What became of a file. With ``faults`` nothing of it was kept."""

    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    registered: list[str] = field(default_factory=list)
    revised: list[str] = field(default_factory=list)
    unchanged: int = 0
    is_rehearsal: bool = False

    @property
    def lines(self) -> list[str]:
        """Everything a clerk should read, the summary last."""
        warnings = [f"提醒 {warning.line}" for warning in self.warnings]
        if self.faults:
            summary = f"有 {len(self.faults)} 处要改，这个文件没有导入，什么都没有变"
            return [*(fault.line for fault in self.faults), *warnings, summary]
        counts = f"新增 {len(self.registered)} 处，修改 {len(self.revised)} 处，没有变化 {self.unchanged} 处"
        summary = f"试导入，没有写入。正式导入会{counts}" if self.is_rehearsal else f"导入完成：{counts}"
        done = [f"新增 {line}" for line in self.registered] + [f"修改 {line}" for line in self.revised]
        return [*done, *warnings, summary]


def import_places(path: Path | str, *, dry_run: bool = False) -> Report:
    """Read a clerk's file and register its places in a transaction of its own; needs an application context.

    Raises Invalid ``timetable_unreadable`` when the file cannot be opened as a workbook.
    """
    tables = read_tables(open_workbook(path))
    with transaction() as session:
        return register_places(session, tables, dry_run=dry_run)


def register_places(session: Session, tables: Tables, *, dry_run: bool = False) -> Report:
    """Register what a file says inside the caller's writing transaction: all or nothing, and nothing in a dry run."""
    attempt = session.begin_nested()
    try:
        report = _Registering(session).carry_out(tables)
        report.faults = listed([findings.faults for findings in tables.found])
        report.warnings = listed([findings.warnings for findings in tables.found])
        report.is_rehearsal = dry_run
    except BaseException:
        attempt.rollback()
        raise
    if report.faults or dry_run:
        attempt.rollback()
    else:
        attempt.commit()
    return report


@dataclass(frozen=True)
class _RegionAsked:
    """A row of 区域 that could be read."""

    row: Row
    code: str
    kind: RegionKind
    name: str


class _Registering:
    """One file on its way into the town."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._report = Report()
        self._regions = {
            region.code: region for region in session.scalars(select(Region).order_by(Region.path))
        }
        self._kinds = {code: region.kind for code, region in self._regions.items()}
        self._codes: Names[str] = Names("区域")
        self._sites: Names[Site] = Names("站点")
        self._rooms: dict[tuple[int, str], Venue] = {}
        self._spoilt_rooms: set[str] = set()

    def carry_out(self, tables: Tables) -> Report:
        self._register_regions(tables.of(REGIONS))
        self._register_sites(tables.of(SITES))
        self._register_rooms(tables.of(ROOMS))
        return self._report

    # --- regions ----------------------------------------------------------------------------------------------------

    def _register_regions(self, rows: Sequence[Row]) -> None:
        asked: dict[str, _RegionAsked] = {}
        for row in rows:
            code = row.read("编码", read_code)
            kind = row.read("类型", kind_of(REGION_KINDS))
            name = row.read("名称", text_of(60))
            if code in asked:
                row.fault("编码", f"和第{asked[code].row.number}行是同一个编码", "每个区域要有自己的编码")
            elif code is not None and kind is not None and name is not None:
                asked[code] = _RegionAsked(row, code, kind, name)
                continue
            for spoilt in (row.says("名称"), row.says("名称").removesuffix("社区"), row.says("编码")):
                self._codes.spoil(spoilt)
        standing = {code: region for code, region in self._regions.items() if code not in asked}
        known_by_code: dict[str, Region | _RegionAsked] = {**standing, **asked}
        for known in known_by_code.values():
            self._kinds[known.code] = known.kind
            self._codes.add(
                known.code,
                known.name,
                others=[known.code, known.name.removesuffix("社区")],
                full=known.code,
            )
        for one in sorted(asked.values(), key=lambda one: DEPTH[one.kind]):  # who is above comes first
            self._register_region(one)

    def _register_region(self, asked: _RegionAsked) -> None:
        standing = self._regions.get(asked.code)
        if standing is not None and standing.kind is not asked.kind:
            asked.row.fault(
                "类型",
                f"编码 {asked.code} 登记的是{REGION_KINDS[standing.kind]}“{standing.name}”，类型不能改",
                "请改用另一个编码",
            )
            return
        fits, parent = self._parent(asked, standing)
        if not fits:
            return
        before = standing.name if standing is not None else None
        region = plant(self._session, kind=asked.kind, code=asked.code, name=asked.name, parent=parent)
        self._regions[asked.code] = region
        self._note(
            region,
            f"{REGION_KINDS[asked.kind]} {asked.name}（{asked.code}）",
            is_new=before is None,
            changes=[f"名称由“{before}”改为“{asked.name}”"] if before not in (None, asked.name) else [],
        )

    def _parent(self, asked: _RegionAsked, standing: Region | None) -> tuple[bool, Region | None]:
        """Whether the place above could be settled, and which it is. What stands stays where it is."""
        above = standing.parent if standing is not None else None
        if not asked.row.says("上级"):
            if standing is None and any(DEPTH[kind] < DEPTH[asked.kind] for kind in self._kinds.values()):
                asked.row.fault("上级", "没有填", "只有最上面一级可以不填，请写它上一级的名称或编码")
                return False, None
            return True, above
        code = self._refer(asked.row, "上级", self._codes)
        if code is None:
            return False, None
        if DEPTH[self._kinds[code]] >= DEPTH[asked.kind]:
            said = f"{REGION_KINDS[asked.kind]}不能放在{REGION_KINDS[self._kinds[code]]}下面"
            asked.row.fault("上级", said, "请写它上一级的名称或编码")
            return False, None
        if standing is not None and (above is None or above.code != code):
            where = f"在“{above.name}”下面" if above is not None else "为最上面一级"
            asked.row.fault(
                "上级", f"“{standing.name}”已经登记{where}，不能搬", "请照原来的写，或改用另一个编码"
            )
            return False, None
        parent = self._regions.get(code)  # none: the row above has faults of its own
        return parent is not None, parent

    # --- sites ------------------------------------------------------------------------------------------------------

    def _register_sites(self, rows: Sequence[Row]) -> None:
        sites = self._session.scalars(select(Site).options(joinedload(Site.region)).order_by(Site.id))
        standing = {(site.region_id, folded(site.name)): site for site in sites}
        for site in standing.values():
            self._know(site)
        first: dict[tuple[int, str], Row] = {}
        for row in rows:
            region = self._refer_region(row)
            kind = row.read("类型", kind_of(SITE_KINDS))
            name = row.read("名称", text_of(60))
            address = row.read("地址", text_of(120)) if row.says("地址") else ""
            phone = row.read("电话", text_of(20)) if row.says("电话") else ""
            if region is None or kind is None or name is None or address is None or phone is None:
                self._sites.spoil(row.says("名称"))
                continue
            place = (region.id, folded(name))
            if first.setdefault(place, row) is not row:
                row.fault("名称", f"和第{first[place].number}行是同一个站点", "请删掉其中一行")
                continue
            self._register_site(standing.get(place), region, kind, name, address=address, phone=phone)

    def _register_site(
        self, site: Site | None, region: Region, kind: SiteKind, name: str, *, address: str, phone: str
    ) -> None:
        is_new = site is None
        if site is None:
            site = open_site(self._session, region, kind=kind, name=name)
            self._know(site)
        # a blank cell leaves what stands: another file may have said it
        changes = _revise(
            site, {"kind": kind, "address": address or site.address, "phone": phone or site.phone}
        )
        self._note(site, f"站点 {region.name}“{name}”", is_new=is_new, changes=changes)

    def _refer_region(self, row: Row) -> Region | None:
        code = self._refer(row, "所在区域", self._codes)
        return self._regions.get(code) if code is not None else None

    def _know(self, site: Site) -> None:
        full = site.region.name + site.name
        self._sites.add(site, site.name, others=[full], full=full)

    # --- rooms ------------------------------------------------------------------------------------------------------

    def _register_rooms(self, rows: Sequence[Row]) -> None:
        venues = self._session.scalars(select(Venue).options(selectinload(Venue.spaces)).order_by(Venue.id))
        self._rooms = {(venue.site_id, folded(venue.name)): venue for venue in venues}
        first: dict[tuple[int, str], Row] = {}
        for row in sorted(rows, key=lambda row: bool(row.says("由哪几间合成"))):  # a hall after its parts
            site = self._refer(row, "站点", self._sites)
            name = row.read("名称", text_of(40))
            capacity = row.read("容纳人数", read_people)
            said = _described(row)
            if site is None or name is None or capacity is None or said is None:
                self._spoilt_rooms.add(folded(row.says("名称")))
                continue
            place = (site.id, folded(name))
            if first.setdefault(place, row) is not row:
                row.fault("名称", f"和第{first[place].number}行是同一个场地", "请删掉其中一行")
                continue
            self._register_room(row, site, name, {"capacity": capacity, **said})

    def _register_room(self, row: Row, site: Site, name: str, says: dict[str, Any]) -> None:
        fits, spaces = self._floor(row, site, name)
        if not fits:
            return
        venue = self._rooms.get((site.id, folded(name)))
        is_new = venue is None
        if venue is None:
            venue = add_venue(self._session, site, name=name, capacity=says["capacity"], spaces=spaces)
            self._rooms[site.id, folded(name)] = venue
        elif spaces and {space.id for space in spaces} != {space.id for space in venue.spaces}:
            row.fault(
                "由哪几间合成", f"“{shown(name)}”已经登记过，不是由这几间合成的", "请换一个名称，或照原来的写"
            )
            return
        changes = _revise(venue, says)
        self._note(venue, f"场地 {site.name}“{name}”，{venue.capacity} 人", is_new=is_new, changes=changes)

    def _floor(self, row: Row, site: Site, name: str) -> tuple[bool, list[Space]]:
        """Whether the parts of a hall could be found, and the floor of all of them; none for a room of its own."""
        written = [part.strip() for part in _PARTS.split(row.says("由哪几间合成")) if part.strip()]
        if not written:
            return True, []
        if len({folded(part) for part in written}) == 1:
            row.fault("由哪几间合成", "只写了一间", "请写上合成它的每一间，例如 多功能厅A、多功能厅B")
            return False, []
        spaces: list[Space] = []
        for part in written:
            venue = self._rooms.get((site.id, folded(part)))
            if venue is None and folded(part) in self._spoilt_rooms:
                return False, []  # told at its own row
            if venue is None or len(venue.spaces) != 1 or folded(part) == folded(name):
                here = [
                    one.name for (of, _), one in self._rooms.items() if of == site.id and len(one.spaces) == 1
                ]
                row.fault(
                    "由哪几间合成",
                    f"“{site.name}”没有叫“{shown(part)}”的单独一间",
                    f"可以写的有：{'、'.join(here)}" if here else "请先把合成它的每一间写成单独的一行",
                )
                return False, []
            spaces += [space for space in venue.spaces if space not in spaces]
        return True, spaces

    # --- all of them ------------------------------------------------------------------------------------------------

    def _refer(self, row: Row, column: str, names: Names[Thing]) -> Thing | None:
        """What the cell names, or None: the fault is noted here, or was at the row it names."""
        written = row.read(column, text_of(120))
        if written is None:
            return None
        try:
            return names.named(written)
        except Unknown as unknown:
            row.fault(column, unknown.message, unknown.advice)
            return None

    def _note(self, place: Base, line: str, *, is_new: bool, changes: Sequence[str]) -> None:
        """Write down what was done, for the clerk and in the journal."""
        if is_new:
            enter(self._session, "place.registered", place)
            self._report.registered.append(line)
        elif changes:
            enter(self._session, "place.revised", place)
            self._report.revised.append(f"{line}：{'，'.join(changes)}")
        else:
            self._report.unchanged += 1


def _described(row: Row) -> dict[str, Any] | None:
    """What a row says of a room besides its name and size; a blank cell leaves what stands. None when a cell has a fault."""
    meanings: dict[str, tuple[str, Callable[[object], Any]]] = {
        "floor": ("楼层", text_of(20)),
        "use": ("使用方式", kind_of(VENUE_USES, "使用方式")),
        "access_note": ("进门说明", text_of(200)),
    }
    said = {
        attribute: row.read(column, meaning)
        for attribute, (column, meaning) in meanings.items()
        if row.says(column)
    }
    return None if None in said.values() else said


def _revise(place: Site | Venue, wanted: dict[str, object]) -> list[str]:
    """Give a place what differs; what changed, in words."""
    changes = []
    for attribute, value in wanted.items():
        before = getattr(place, attribute)
        if before != value:
            setattr(place, attribute, value)
            changes.append(f"{_LABELS[attribute]}由“{_said(before)}”改为“{_said(value)}”")
    return changes


def _said(value: object) -> str:
    if isinstance(value, VenueUse):
        return VENUE_USES[value].partition("/")[0]
    return SITE_KINDS[value].partition("/")[0] if isinstance(value, SiteKind) else f"{value or ''}"
