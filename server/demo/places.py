"""The demo town's places (domain.md §5): city, district, two streets, four communities, twelve grids, and every room.

Area codes begin with the fictional prefix 99, so they never collide with real ones. The rooms the December timetable names
stand in the communities that use them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.regions import Region, RegionKind, plant
from models.sites import Site, SiteKind, add_space, add_venue, open_site

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


@dataclass(frozen=True)
class SitePlan:
    """One service point and its rooms with their capacities. ``halls`` split into an A and a B half."""

    region: str
    kind: SiteKind
    name: str
    address: str
    rooms: Mapping[str, int]
    halls: Mapping[str, int]


def _centre(region: str, name: str, address: str, rooms: Mapping[str, int], **halls: int) -> SitePlan:
    return SitePlan(region, SiteKind.CENTRE, f"{name}党群服务中心", address, rooms, halls)


def _station(region: str, name: str, address: str, rooms: Mapping[str, int]) -> SitePlan:
    return SitePlan(region, SiteKind.STATION, f"{name}党群服务站", address, rooms, {})


def _rest(region: str, name: str, address: str) -> SitePlan:
    return SitePlan(region, SiteKind.REST_STATION, f"{name}驿站", address, {}, {})


SITES: Sequence[SitePlan] = (
    _centre(SHUXIANG, "书香街道", "书香路100号", {"街道会议室": 40, "党员活动室": 30}),
    _centre(BINHE, "滨河街道", "滨河路200号", {"街道会议室": 40, "党员活动室": 30}),
    _centre(
        WUTONG,
        "梧桐里社区",
        "梧桐路8号",
        {
            "百姓议事厅": 24,
            "舞蹈室": 25,
            "书画室": 20,
            "手工教室": 20,
            "心理沙龙室": 12,
            "心理咨询室": 3,
            "图书阅览室": 40,
            "会议室": 12,
        },
        多功能厅=80,
    ),
    _centre(
        TONGXIN,
        "同心社区",
        "同心路16号",
        {
            "长者学堂": 30,
            "书画室": 20,
            "手工教室": 20,
            "面点教室": 12,
            "棋牌室": 16,
            "党员活动室": 30,
            "会议室": 12,
        },
    ),
    _centre(
        WANGJIANG,
        "望江社区",
        "望江路32号",
        {
            "电脑教室": 24,
            "自媒体工作室": 6,
            "舞蹈室": 25,
            "共享厨房": 8,
            "会议室": 12,
            "乒乓球台1": 4,
            "乒乓球台2": 4,
        },
        多功能厅=80,
    ),
    _centre(
        HONGFENG,
        "红枫社区",
        "红枫路64号",
        {
            "多功能教室": 40,
            "音乐室": 12,
            "健身房": 15,
            "图书阅览室": 40,
            "青少年活动室": 30,
            "儿童之家": 20,
            "会议室": 12,
        },
    ),
    _station("WT-01", "梧桐里第一网格", "梧桐苑3幢底层", {"议事小屋": 15}),
    _station("WT-03", "梧桐里第三网格", "书香红墙里2幢底层", {"邻里客厅": 20}),
    _station("TX-01", "同心第一网格", "同心家园5幢底层", {"邻里客厅": 20}),
    _station("TX-03", "同心第三网格", "电机厂宿舍传达室旁", {"议事小屋": 15}),
    _station("WJ-03", "望江第三网格", "渔港新村1幢底层", {"邻里客厅": 20}),
    _station("HF-02", "红枫第二网格", "红枫苑南区7幢底层", {"邻里客厅": 20}),
    _rest(WUTONG, "书香路", "书香路与梧桐路口"),
    _rest(WANGJIANG, "望江码头", "望江码头候船厅旁"),
    _rest(HONGFENG, "银杏花园", "银杏花园东门"),
)


def plant_places(session: Session) -> dict[str, Region]:
    """Plant every region and open every site with its rooms; the regions by code."""
    regions: dict[str, Region] = {}
    for code, kind, name, parent in REGIONS:
        regions[code] = plant(
            session, kind=kind, code=code, name=name, parent=regions[parent] if parent else None
        )
    for number, plan in enumerate(SITES, start=1):
        _open(session, regions[plan.region], plan, phone=f"1990000{9000 + number}")
    return regions


def _open(session: Session, region: Region, plan: SitePlan, *, phone: str) -> Site:
    site = open_site(session, region, kind=plan.kind, name=plan.name)
    site.address, site.phone = plan.address, phone
    for name, capacity in plan.halls.items():
        halves = [add_space(session, site, f"{name}{half}") for half in "AB"]
        add_venue(session, site, name=name, capacity=capacity, spaces=halves)
        for half, space in zip("AB", halves, strict=True):
            add_venue(session, site, name=f"{name}{half}", capacity=capacity // 2, spaces=[space])
    for name, capacity in plan.rooms.items():
        add_venue(session, site, name=name, capacity=capacity)
    return site
