"""The demo town's units (domain.md §5): sixteen and a party branch, in every state, paired with the communities they serve.

One is to be suspended when it lets somebody down, the year of one is over and that of another nearly, one was rejected, a branch waits for the clerk, and a supermarket
asks to be paired with a second community. Each came when it came, on a clock put back to then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account, welcome
from models.credit_codes import check_sign
from models.partners import (
    Partner,
    PartnerKind,
    UnitCard,
    admit,
    apply_for_unit,
    ask_renewal,
    ask_to_be_paired,
    enlist_unit,
    pair,
    reject_unit,
    trust,
)
from models.regions import Region
from models.staff import staff_members_of
from server.demo.cast import PARTNER
from server.demo.places import HONGFENG, SHUXIANG, TONGXIN, WANGJIANG, WUTONG

OFFICE, SCHOOL, COMPANY, SOCIETY = "11", "12", "91", "51"  # who registered a unit: how its credit code begins
_K = PartnerKind


@dataclass(frozen=True)
class _Unit:
    """One unit: the first place is where it serves, the others are paired with it too. ``days``: how long it has been on board."""

    name: str
    kind: PartnerKind
    registered: str
    places: tuple[str, ...]
    days: int = 90
    trusted: bool = False


SUPERMARKET, BANK, HAIRDRESSERS = "安澜惠民超市", "安澜银行书香支行", "书香理发店联盟"
SUSPENDED = "滨河物业服务公司"
UNITS: Sequence[_Unit] = (
    _Unit("澄湖区司法所", _K.UNIT, OFFICE, (WUTONG, TONGXIN, WANGJIANG, HONGFENG), trusted=True),
    _Unit("书香派出所警务室", _K.UNIT, OFFICE, (SHUXIANG,), trusted=True),
    _Unit("书香社区卫生服务中心", _K.UNIT, SCHOOL, (SHUXIANG,), trusted=True),
    _Unit("安澜市第三中学", _K.UNIT, SCHOOL, (WUTONG, TONGXIN)),
    _Unit("梧桐里小学", _K.UNIT, SCHOOL, (WUTONG,)),
    _Unit("同心幼儿园", _K.UNIT, SCHOOL, (TONGXIN,)),
    _Unit("安澜职业学院", _K.UNIT, SCHOOL, (WUTONG, HONGFENG)),
    _Unit("安澜国有资产投资公司", _K.UNIT, COMPANY, (WANGJIANG,)),
    _Unit(BANK, _K.NEIGHBOUR, COMPANY, (WUTONG, TONGXIN), days=350),
    _Unit(SUPERMARKET, _K.NEIGHBOUR, COMPANY, (WUTONG,)),
    _Unit(HAIRDRESSERS, _K.NEIGHBOUR, SOCIETY, (WUTONG,), days=380),
    _Unit("梧桐物业服务公司", _K.NEIGHBOUR, COMPANY, (WUTONG,)),
    _Unit(SUSPENDED, _K.NEIGHBOUR, COMPANY, (WUTONG, WANGJIANG)),
    _Unit("安澜文艺志愿者协会", _K.PUBLIC_GOOD, SOCIETY, (WUTONG, TONGXIN, WANGJIANG, HONGFENG)),
    _Unit("同行社会工作服务中心", _K.PUBLIC_GOOD, SOCIETY, (HONGFENG, WUTONG)),
)


def bring_in_units(
    session: Session, regions: Mapping[str, Region], *, now: datetime, applicants: Sequence[Account]
) -> None:
    """Let the units come on board, and two neighbours ask for theirs; the two that have a room for their service are here already."""
    (clerk,) = staff_members_of(session, welcome(session, openid="demo-clerk"))
    for number, unit in enumerate(UNITS, start=3):
        with clock.stopped_at(now - timedelta(days=unit.days)):
            _come_on_board(session, unit, number, regions)
    known = {unit.name: unit for unit in session.scalars(select(Partner))}
    with clock.stopped_at(now - timedelta(days=90)):
        pairing = pair(session, known[PARTNER], regions[WUTONG], by_account_id=None, identity="town")
        trust(session, pairing, is_trusted=True, by_account_id=None, identity="town")
    shopkeeper = welcome(session, openid="demo-shopkeeper")
    admit(session, known[SUPERMARKET], shopkeeper)
    hat = f"partner:{known[SUPERMARKET].key}"
    ask_to_be_paired(session, known[SUPERMARKET], regions[TONGXIN], by_account_id=shopkeeper.id, identity=hat)
    ask_renewal(session, known[BANK], by_account_id=None, identity="town")
    branch, studio = applicants
    apply_for_unit(session, branch, _card("澄湖区税务局党支部", _K.BRANCH, None, 40, regions[WUTONG]))
    asked = apply_for_unit(session, studio, _card("百灵托管班", _K.NEIGHBOUR, COMPANY, 41, regions[WUTONG]))
    reject_unit(session, asked, "请补营业执照照片，再申请一次", by=clerk)


def _come_on_board(session: Session, unit: _Unit, number: int, regions: Mapping[str, Region]) -> None:
    serves, *others = (regions[code] for code in unit.places)
    card = _card(unit.name, unit.kind, unit.registered, number, serves)
    partner = enlist_unit(session, card, by_account_id=None, identity="town")
    pairings = [
        pair(session, partner, place, by_account_id=None, identity="town") for place in (serves, *others)
    ]
    if unit.trusted:
        trust(session, pairings[0], is_trusted=True, by_account_id=None, identity="town")


def _card(name: str, kind: PartnerKind, registered: str | None, number: int, place: Region) -> UnitCard:
    seventeen = f"{registered}990101MA{number:07}"
    return UnitCard(
        name=name,
        kind=kind,
        credit_code=seventeen + check_sign(seventeen) if registered is not None else None,
        region=place,
        contact_name=f"联系人{number:02}",
        contact_phone=f"19900000{200 + number}",
    )
