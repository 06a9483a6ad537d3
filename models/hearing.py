"""Hearing (告知谁): who is told of something that is a person's, whatever noun it is of.

The person's own account hears, and whoever did it for them, as long as they may still act for them: who closed their account can be told
nothing, and who lost the bond has no business to know. Where nobody is left to hear, the message is owed to the person by the next rung
(``models.ladder``). Who acted for an adult is told to that adult with as much of a name as they need.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, aliased

from models import clock
from models.accounts import Account
from models.residents import Bond, BondKind, Resident, resident_of
from models.staff import StaffMember

WHO_ACTS = {
    BondKind.GUARDIAN: "监护人",
    BondKind.FAMILY_HELPER: "家人代办",
    BondKind.GRID_HELPER: "网格代办",
}
SURNAMES_OF_TWO = frozenset(
    [
        "欧阳",
        "上官",
        "司马",
        "诸葛",
        "司徒",
        "东方",
        "皇甫",
        "尉迟",
        "公孙",
        "令狐",
        "慕容",
        "夏侯",
        "长孙",
        "宇文",
        "端木",
        "百里",
        "南宫",
        "呼延",
    ]
)


def hears() -> ColumnElement[bool]:
    """The condition that an account is told of what is somebody's (``Resident``, joined) today: their own, or of who may act for them."""
    helper = aliased(Resident)
    may_act = (
        select(Bond.id)
        .join(helper, helper.id == Bond.helper_id)
        .where(
            helper.account_id == Account.id,
            Bond.ward_id == Resident.id,
            Bond.is_live_on(clock.today()),
        )
        .exists()
    )
    return and_(Account.closed_at.is_(None), or_(Account.id == Resident.account_id, may_act))


@dataclass(frozen=True, slots=True)
class Hearers:
    """The accounts that are told of one thing, and the name of whose it is where they must be told."""

    accounts: list[int]
    learner: str


def hearers(
    *, own: int | None, registered_by: int | None, name: str | None, adult: str | None = None
) -> Hearers:
    """Who hears: the person's own account and who asked for it, either perhaps nobody. Of a pair both are named."""
    accounts = sorted({account for account in (own, registered_by) if account is not None})
    is_for_another = own is None or len(accounts) > 1
    if adult is not None:
        return Hearers(accounts, f"{name or '孩子'}、{adult}")
    return Hearers(accounts, (name or "") if is_for_another else "")


def surname_of(name: str) -> str:
    """The surname of a Chinese name, of two characters where it has two."""
    return name[:2] if name[:2] in SURNAMES_OF_TWO and len(name) > 2 else name[0]


def said_helper(name: str | None, says: str) -> str:
    """Who acted, as much as the one acted for needs: the surname, and by what right."""
    return f"{surname_of(name)}（{says}）" if name else says


def said_actor(session: Session, whose: Resident, *, by_account_id: int | None, identity: str) -> str:
    """Who acted for somebody, as that somebody is told: a colleague of the community's, or who may act for them today and why."""
    if identity.startswith("staff:"):
        member = session.scalar(select(StaffMember).where(StaffMember.key == identity.partition(":")[2]))
        return said_helper(member.name if member else None, "社区工作人员")
    account = session.get(Account, by_account_id) if by_account_id is not None else None
    helper = resident_of(session, account) if account is not None else None
    if helper is None:
        return "社区工作人员"
    kind = session.scalars(
        select(Bond.kind)
        .where(Bond.helper_id == helper.id, Bond.ward_id == whose.id, Bond.is_live_on(clock.today()))
        .order_by(Bond.id)
    ).first()
    return said_helper(helper.name, WHO_ACTS[kind] if kind is not None else "代办人")
