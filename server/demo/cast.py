"""The demo town's people (domain.md §5): nobody real, phones 199-0000-xxxx, openids that only the WeChat sandbox knows.

The whole cast is in the two tables below. Everybody consented to the privacy policy; the newcomer has never been here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.accounts import Account, welcome
from models.base import reading
from models.consents import PRIVACY_POLICY, ConsentChannel, agree
from models.counter import Card, ConsentGiver, enter_resident, people_scope, take_consent
from models.partners import PartnerKind, admit, enlist, partners_of
from models.regions import Region
from models.residents import BondKind, Profile, Resident, bind, introduce, is_minor, resident_of
from models.staff import Role, accept_invitation, grant, hire, invite, staff_members_of
from server.demo.places import HONGFENG, SHUXIANG, TONGXIN, WANGJIANG, WUTONG


@dataclass(frozen=True)
class Part:
    """One resident of the cast. Without an openid they have no phone, and others act for them."""

    says: str  # the part, as the list of people names it
    name: str
    community: str
    birth_year: int
    openid: str | None = None
    phone: str | None = None
    elder_mode: bool = False
    acts_for: str | None = None
    bond: BondKind | None = None
    agreed_how: str = ""
    at_counter: bool = False  # never here by phone: the clerk writes them down


@dataclass(frozen=True)
class Hat:
    """One working identity of the cast: staff with a role in a place, or a member of a partner unit."""

    says: str
    name: str
    openid: str
    role: Role | None = None
    region: str = ""


@dataclass(frozen=True)
class DemoPerson:
    """Somebody to try the town as: who they are, and how to become them."""

    role: str
    name: str
    openid: str  # empty: has no WeChat of their own
    key: str  # of the resident, the staff member or the partner; empty: not known here yet
    identity: str  # what X-Identity says; empty: acts only through others

    @property
    def line(self) -> str:
        """The person on one line, for a terminal."""
        parts = [
            f"{self.role}：{self.name}",
            f"openid {self.openid}" if self.openid else "没有微信",
            f"key {self.key}" if self.key else "",
            f"X-Identity: {self.identity}" if self.identity not in ("", "resident") else "",
        ]
        return "  ".join(part for part in parts if part)


NEWCOMER = "demo-newcomer"
PARTNER = "安澜影像工作室"
DEPARTMENT = "书香街道综合执法队"

PARTS: Sequence[Part] = (
    Part("居民", "居民A01", WUTONG, 1990, "demo-resident", "19900000001"),
    Part("长辈（长辈版）", "居民A02", WUTONG, 1948, "demo-elder", "19900000002", elder_mode=True),
    Part(
        *("长辈的亲情代办人", "居民A03", WUTONG, 1975, "demo-helper", "19900000003"),
        acts_for="居民A02",
        bond=BondKind.FAMILY_HELPER,
        agreed_how="长辈本人到社区当面同意",
    ),
    Part("孩子", "居民A05", WUTONG, 2016),
    Part(
        *("监护人", "居民A04", WUTONG, 1986, "demo-guardian", "19900000004"),
        acts_for="居民A05",
        bond=BondKind.GUARDIAN,
        agreed_how="监护人出示户口簿",
    ),
    Part("没有手机的长辈", "居民A06", WUTONG, 1942),
    Part(
        *("网格员（居民身份）", "网格员·梧一", WUTONG, 1983, "demo-grid-worker", "19900000007"),
        acts_for="居民A06",
        bond=BondKind.GRID_HELPER,
        agreed_how="入户时长辈本人签字同意",
    ),
    Part("在柜台登记的长辈", "居民A07", WUTONG, 1944, phone="19900000008", at_counter=True),
)

NEIGHBOURS: Sequence[Part] = tuple(
    Part("邻居", f"居民B{n:02}", community, 1955 + 3 * n, f"demo-neighbour-{n:02}", f"19900000{100 + n}")
    for n, community in enumerate([WUTONG] * 6 + [TONGXIN] * 3 + [WANGJIANG] * 3 + [HONGFENG] * 3, start=1)
)

HATS: Sequence[Hat] = (
    Hat("网格员", "网格员·梧一", "demo-grid-worker", Role.GRID_WORKER, "WT-01"),
    Hat("社区工作人员", "工作人员·梧桐里", "demo-clerk", Role.CLERK, WUTONG),
    Hat("社区工作人员（同心）", "工作人员·同心", "demo-clerk-tongxin", Role.CLERK, TONGXIN),
    Hat("社区工作人员（望江）", "工作人员·望江", "demo-clerk-wangjiang", Role.CLERK, WANGJIANG),
    Hat("社区工作人员（红枫）", "工作人员·红枫", "demo-clerk-hongfeng", Role.CLERK, HONGFENG),
    Hat("社区管理员", "管理员·梧桐里", "demo-admin", Role.ADMIN, WUTONG),
    Hat("街道干部", "街道干部·书香", "demo-street-officer", Role.STREET_OFFICER, SHUXIANG),
    Hat("共建单位成员", PARTNER, "demo-partner"),
    Hat("职能部门经办人", DEPARTMENT, "demo-department"),
)


def bring_in_people(session: Session, regions: Mapping[str, Region]) -> list[Account]:
    """Let the whole cast move in, with bonds, hats and consents; the neighbours' accounts."""
    by_name: dict[str, Resident] = {}
    for part in (*(part for part in PARTS if not part.at_counter), *NEIGHBOURS):
        by_name[part.name] = _move_in(session, part, regions[part.community])
    for part in PARTS:
        if part.acts_for and part.bond:
            bind(
                session,
                helper=by_name[part.name],
                ward=by_name[part.acts_for],
                kind=part.bond,
                agreed_how=part.agreed_how,
            )
    for hat in HATS:
        if hat.name == DEPARTMENT:
            continue  # written down by the street, later on
        account = welcome(session, openid=hat.openid)
        if hat.role is None:
            admit(session, enlist(session, hat.name, PartnerKind.PUBLIC_GOOD), account)
        else:
            member = hire(session, hat.name)
            grant(session, member, hat.role, regions[hat.region])
            accept_invitation(session, account, invite(session, member))
    _meet_at_the_counter(session, by_name, regions)
    return [welcome(session, openid=part.openid) for part in NEIGHBOURS if part.openid]


def _meet_at_the_counter(
    session: Session, by_name: Mapping[str, Resident], regions: Mapping[str, Region]
) -> None:
    """Who has no WeChat signs on paper with the clerk, the guardian for a child; who comes for the first time is written down."""
    account = welcome(session, openid="demo-clerk")
    (clerk,) = staff_members_of(session, account)
    for part in PARTS:
        if part.openid is not None:
            continue
        signs = ConsentGiver.GUARDIAN if is_minor(part.birth_year) else ConsentGiver.ONESELF
        if part.at_counter:
            enter_resident(
                session,
                Card(part.name, part.birth_year, regions[part.community], part.phone),
                scope=people_scope(session, clerk),
                consent_version=PRIVACY_POLICY.version,
                given_by=signs,
                by=clerk,
            )
        else:
            take_consent(
                session, by_name[part.name], version=PRIVACY_POLICY.version, given_by=signs, by=clerk
            )


def demo_people() -> list[DemoPerson]:
    """Everybody to try the town as, in the order of the tables; needs an application context and a loaded demo town."""
    with reading() as session:
        newcomer = DemoPerson("新用户（还没有登记）", "第一次来", NEWCOMER, "", "resident")
        return [
            newcomer,
            *(_resident(session, part) for part in PARTS),
            *(_hat(session, hat) for hat in HATS),
            *(_resident(session, part) for part in NEIGHBOURS[:3]),
        ]


def _move_in(session: Session, part: Part, home: Region) -> Resident:
    if part.openid is None:
        resident = Resident(name=part.name, birth_year=part.birth_year)
        session.add(resident)
        resident.move_home(home)
        session.flush()
        return resident
    account = welcome(session, openid=part.openid)
    agree(session, account, version=PRIVACY_POLICY.version, channel=ConsentChannel.MINI_PROGRAM)
    profile = Profile(
        name=part.name,
        home_community=home,
        birth_year=part.birth_year,
        phone=part.phone,
        elder_mode=part.elder_mode,
    )
    return introduce(session, account, profile)


def _resident(session: Session, part: Part) -> DemoPerson:
    if part.openid is None:
        resident = session.scalar(
            select(Resident).where(Resident.name == part.name, Resident.account_id.is_(None))
        )
        return DemoPerson(part.says, part.name, "", resident.key if resident else "", "")
    account = session.scalar(select(Account).where(Account.openid == part.openid))
    resident = resident_of(session, account) if account else None
    return DemoPerson(part.says, part.name, part.openid, resident.key if resident else "", "resident")


def _hat(session: Session, hat: Hat) -> DemoPerson:
    account = session.scalar(select(Account).where(Account.openid == hat.openid))
    key = identity = ""
    if account is not None and hat.role is None:
        for partner in partners_of(session, account):
            key, identity = partner.key, f"partner:{partner.key}"
    elif account is not None:
        for member in staff_members_of(session, account):
            key, identity = member.key, member.identity
    return DemoPerson(hat.says, hat.name, hat.openid, key, identity)
