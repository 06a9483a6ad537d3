"""The demo town's places (domain.md §5): city, district, two streets, four communities, twelve grids, and every room.

Area codes begin with the fictional prefix 99, so they never collide with real ones. The rooms the December timetable names
stand in the communities that use them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy.orm import Session

from models.equipment import add_equipment
from models.hours import Hours, OpenOn, write_hours
from models.regions import Region, RegionKind, plant
from models.sites import (
    Site,
    SiteKind,
    Space,
    Venue,
    VenueUse,
    add_space,
    add_venue,
    describe_venue,
    open_site,
)

CITY, DISTRICT = "9901", "990101"
SHUXIANG, BINHE = "990101001", "990101002"
WUTONG, TONGXIN = "990101001001", "990101001002"
WANGJIANG, HONGFENG = "990101002001", "990101002002"

_K = RegionKind
REGIONS: Sequence[tuple[str, RegionKind, str, str | None]] = (
    (CITY, _K.CITY, "安澜市", None),
    (DISTRICT, _K.DISTRICT, "澄湖区", CITY),
    (SHUXIANG, _K.STREET, "书香街道", DISTRICT),
    (BINHE, _K.STREET, "滨河街道", DISTRICT),
    (WUTONG, _K.COMMUNITY, "梧桐里社区", SHUXIANG),
    (TONGXIN, _K.COMMUNITY, "同心社区", SHUXIANG),
    (WANGJIANG, _K.COMMUNITY, "望江社区", BINHE),
    (HONGFENG, _K.COMMUNITY, "红枫社区", BINHE),
    ("WT-01", _K.GRID, "梧桐里社区第一网格", WUTONG),
    ("WT-02", _K.GRID, "梧桐里社区第二网格", WUTONG),
    ("WT-03", _K.GRID, "梧桐里社区第三网格", WUTONG),
    ("TX-01", _K.GRID, "同心社区第一网格", TONGXIN),
    ("TX-02", _K.GRID, "同心社区第二网格", TONGXIN),
    ("TX-03", _K.GRID, "同心社区第三网格", TONGXIN),
    ("WJ-01", _K.GRID, "望江社区第一网格", WANGJIANG),
    ("WJ-02", _K.GRID, "望江社区第二网格", WANGJIANG),
    ("WJ-03", _K.GRID, "望江社区第三网格", WANGJIANG),
    ("HF-01", _K.GRID, "红枫社区第一网格", HONGFENG),
    ("HF-02", _K.GRID, "红枫社区第二网格", HONGFENG),
    ("HF-03", _K.GRID, "红枫社区第三网格", HONGFENG),
)


_U = VenueUse
ASK_AT_THE_DESK = "请在一楼服务台登记后领钥匙"


class Room(NamedTuple):
    """One room: how many people it takes, where it is, who may use it and how."""

    capacity: int
    floor: str = "1楼"
    use: VenueUse = _U.REVIEWED
    access_note: str = ""


class Lent(NamedTuple):
    """What a site lends: how many pieces, and the room they are fixed to, if to one."""

    name: str
    stock: int
    room: str | None = None


@dataclass(frozen=True)
class SitePlan:
    """One service point, its rooms and what it lends. ``halls`` split into an A and a B half."""

    region: str
    kind: SiteKind
    name: str
    address: str
    rooms: Mapping[str, Room]
    halls: Mapping[str, Room] = field(default_factory=dict)
    lends: Sequence[Lent] = ()


def _centre(
    region: str,
    name: str,
    address: str,
    rooms: Mapping[str, Room],
    *,
    halls: Mapping[str, Room] | None = None,
    lends: Sequence[Lent] = (),
) -> SitePlan:
    return SitePlan(region, SiteKind.CENTRE, f"{name}党群服务中心", address, rooms, halls or {}, lends)


def _station(region: str, name: str, address: str, rooms: Mapping[str, Room]) -> SitePlan:
    return SitePlan(region, SiteKind.STATION, f"{name}党群服务站", address, rooms)


def _rest(region: str, name: str, address: str) -> SitePlan:
    return SitePlan(region, SiteKind.REST_STATION, f"{name}驿站", address, {})


_HALL = {"多功能厅": Room(80, "3楼", access_note=ASK_AT_THE_DESK)}
_STREET_ROOMS = {"街道会议室": Room(40, "2楼"), "党员活动室": Room(30, "2楼")}
_STREET_LENDS = (Lent("投影仪", 1), Lent("话筒", 2))

SITES: Sequence[SitePlan] = (
    _centre(SHUXIANG, "书香街道", "书香路100号", _STREET_ROOMS, lends=_STREET_LENDS),
    _centre(BINHE, "滨河街道", "滨河路200号", _STREET_ROOMS, lends=_STREET_LENDS),
    _centre(
        WUTONG,
        "梧桐里社区",
        "梧桐路8号",
        {
            "百姓议事厅": Room(24, "2楼"),
            "舞蹈室": Room(25, "3楼", access_note="木地板，请换软底鞋；钥匙在一楼服务台"),
            "书画室": Room(20, "2楼", _U.AT_ONCE, ASK_AT_THE_DESK),
            "手工教室": Room(20, "2楼", access_note=ASK_AT_THE_DESK),
            "心理沙龙室": Room(12, "2楼"),
            "心理咨询室": Room(3, "2楼", _U.STAFF_ONLY),
            "图书阅览室": Room(40, "1楼", _U.WALK_IN),
            "乒乓球室": Room(8, "4楼", _U.AT_ONCE, "自带球拍，钥匙在一楼服务台"),
            "会议室": Room(12, "2楼", _U.AT_ONCE, ASK_AT_THE_DESK),
        },
        halls=_HALL,
        lends=(
            Lent("折叠椅", 80),
            Lent("长桌", 12),
            Lent("投影仪", 2),
            Lent("无线话筒", 4),
            Lent("音响", 1, "舞蹈室"),
            Lent("画毡", 20, "书画室"),
            Lent("白板", 1, "会议室"),
        ),
    ),
    _centre(
        TONGXIN,
        "同心社区",
        "同心路16号",
        {
            "长者学堂": Room(30),
            "书画室": Room(20, "2楼", _U.AT_ONCE),
            "手工教室": Room(20, "2楼"),
            "面点教室": Room(12, "1楼", _U.AFTER_INDUCTION, "使用烤箱前请参加一次使用培训"),
            "棋牌室": Room(16, "1楼", _U.WALK_IN),
            "党员活动室": Room(30, "2楼"),
            "会议室": Room(12, "2楼", _U.AT_ONCE),
        },
        lends=(Lent("折叠椅", 40), Lent("投影仪", 1), Lent("烤箱", 2, "面点教室")),
    ),
    _centre(
        WANGJIANG,
        "望江社区",
        "望江路32号",
        {
            "电脑教室": Room(24, "2楼"),
            "自媒体工作室": Room(6, "4楼", _U.AFTER_INDUCTION, "第一次使用前请参加设备培训"),
            "舞蹈室": Room(25, "3楼", access_note="木地板，请换软底鞋"),
            "共享厨房": Room(8, "1楼", _U.AFTER_INDUCTION, "使用燃气前请参加一次安全培训"),
            "会议室": Room(12, "2楼", _U.AT_ONCE),
            "乒乓球台1": Room(4, "4楼", _U.AT_ONCE),
            "乒乓球台2": Room(4, "4楼", _U.AT_ONCE),
        },
        halls=_HALL,
        lends=(
            Lent("折叠椅", 80),
            Lent("投影仪", 2),
            Lent("无线话筒", 4),
            Lent("补光灯", 2, "自媒体工作室"),
        ),
    ),
    _centre(
        HONGFENG,
        "红枫社区",
        "红枫路64号",
        {
            "多功能教室": Room(40, "2楼"),
            "音乐室": Room(12, "3楼"),
            "健身房": Room(15, "4楼", _U.WALK_IN, "年满18周岁，刷门禁码进入"),
            "图书阅览室": Room(40, "1楼", _U.WALK_IN),
            "青少年活动室": Room(30, "2楼"),
            "儿童之家": Room(20, "1楼", _U.WALK_IN, "孩子由监护人陪同"),
            "会议室": Room(12, "2楼", _U.AT_ONCE),
        },
        lends=(Lent("折叠椅", 40), Lent("投影仪", 1), Lent("电子琴", 2, "音乐室")),
    ),
    _station("WT-01", "梧桐里第一网格", "梧桐苑3幢底层", {"议事小屋": Room(15)}),
    _station("WT-03", "梧桐里第三网格", "书香红墙里2幢底层", {"邻里客厅": Room(20)}),
    _station("TX-01", "同心第一网格", "同心家园5幢底层", {"邻里客厅": Room(20)}),
    _station("TX-03", "同心第三网格", "电机厂宿舍传达室旁", {"议事小屋": Room(15)}),
    _station("WJ-03", "望江第三网格", "渔港新村1幢底层", {"邻里客厅": Room(20)}),
    _station("HF-02", "红枫第二网格", "红枫苑南区7幢底层", {"邻里客厅": Room(20)}),
    _rest(WUTONG, "书香路", "书香路与梧桐路口"),
    _rest(WANGJIANG, "望江码头", "望江码头候船厅旁"),
    _rest(HONGFENG, "银杏花园", "银杏花园东门"),
)

# the floors where people meet are open every day, on holidays shorter; who only reads may come a little later
OPEN_DAILY = [Hours(on, 8 * 60 + 30, 21 * 60) for on in (OpenOn.WORKDAY, OpenOn.WEEKEND)]
OPEN_ON_HOLIDAYS = Hours(OpenOn.HOLIDAY, 9 * 60, 17 * 60)
OF_ONE_ROOM = {
    "图书阅览室": [Hours(on, 9 * 60, 21 * 60) for on in OpenOn],
    "健身房": [Hours(on, 0, 24 * 60) for on in OpenOn],
    "心理咨询室": [Hours(OpenOn.WORKDAY, 9 * 60, 12 * 60), Hours(OpenOn.WORKDAY, 14 * 60, 17 * 60)],
}


def plant_places(session: Session) -> dict[str, Region]:
    """Plant every region and open every site with its rooms; the regions by code."""
    regions: dict[str, Region] = {}
    for code, kind, name, parent in REGIONS:
        regions[code] = plant(
            session, kind=kind, code=code, name=name, parent=regions[parent] if parent else None
        )
    for number, plan in enumerate(SITES, start=1):
        open_as_planned(session, regions[plan.region], plan, phone=f"1990000{9000 + number}")
    return regions


def open_as_planned(session: Session, region: Region, plan: SitePlan, *, phone: str) -> Site:
    """Open a service point in a place with its rooms, what it lends and its hours."""
    site = open_site(session, region, kind=plan.kind, name=plan.name)
    site.address, site.phone = plan.address, phone
    rooms: dict[str, Venue] = {}
    for name, room in plan.halls.items():
        halves = [add_space(session, site, f"{name}{half}") for half in "AB"]
        rooms[name] = _add(session, site, name, room, halves)
        for half, space in zip("AB", halves, strict=True):
            _add(session, site, f"{name}{half}", room._replace(capacity=room.capacity // 2), [space])
    for name, room in plan.rooms.items():
        rooms[name] = _add(session, site, name, room)
    for lent in plan.lends:
        venue = None if lent.room is None else rooms[lent.room]
        add_equipment(session, site, name=lent.name, stock=lent.stock, venue=venue)
    if plan.kind is SiteKind.CENTRE:
        write_hours(session, site, [*OPEN_DAILY, OPEN_ON_HOLIDAYS])
    return site


def _add(session: Session, site: Site, name: str, room: Room, spaces: Sequence[Space] = ()) -> Venue:
    venue = add_venue(session, site, name=name, capacity=room.capacity, spaces=spaces)
    describe_venue(session, venue, floor=room.floor, use=room.use, access_note=room.access_note)
    if name in OF_ONE_ROOM:
        write_hours(session, venue, OF_ONE_ROOM[name])
    return venue
