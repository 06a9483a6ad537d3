"""Partners (共建单位 · 近邻合伙人 · 公益合伙人): units that give to the community, and their members.

Small for now: who they are and which accounts act for them. On-boarding, pairing and renewal come with wishes.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import clock
from models.accounts import Account
from models.base import Base, Keyed, PlainText, chosen_from
from models.errors import NotFound


class PartnerKind(StrEnum):
    """What sort of unit it is."""

    UNIT = "unit"  # 共建单位
    NEIGHBOUR = "neighbour"  # 近邻合伙人
    PUBLIC_GOOD = "public_good"  # 公益合伙人


class Partner(Keyed, Base):
    """One unit."""

    __tablename__ = "partners"

    name: Mapped[str] = mapped_column(PlainText(60), unique=True)
    kind: Mapped[PartnerKind] = mapped_column(chosen_from(PartnerKind))


class PartnerMember(Base):
    """One account that acts for a unit, as ``partner:{key}``, until it leaves."""

    __tablename__ = "partner_members"
    __table_args__ = (UniqueConstraint("partner_id", "account_id"),)

    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    joined_at: Mapped[datetime] = mapped_column(default=clock.now)
    left_at: Mapped[datetime | None]

    partner: Mapped[Partner] = relationship()


def enlist(session: Session, name: str, kind: PartnerKind) -> Partner:
    """Add a unit that gives to the community, without any members yet."""
    partner = Partner(name=name, kind=kind)
    session.add(partner)
    session.flush()
    return partner


def admit(session: Session, partner: Partner, account: Account) -> PartnerMember:
    """Let an account act for a unit, again if it had left."""
    member = session.scalar(
        select(PartnerMember).where(
            PartnerMember.partner_id == partner.id, PartnerMember.account_id == account.id
        )
    )
    if member is None:
        member = PartnerMember(partner=partner, account_id=account.id)
        session.add(member)
    member.left_at = None
    session.flush()
    return member


def partners_of(session: Session, account: Account) -> list[Partner]:
    """Every unit this account may act for."""
    return list(
        session.scalars(
            select(Partner)
            .join(PartnerMember, PartnerMember.partner_id == Partner.id)
            .where(PartnerMember.account_id == account.id, PartnerMember.left_at.is_(None))
            .order_by(Partner.id)
        )
    )


def partner_by_key(session: Session, account: Account, key: str) -> Partner:
    """The unit with this key, if this account is its member. Raises NotFound."""
    for partner in partners_of(session, account):
        if partner.key == key:
            return partner
    raise NotFound("没有这个单位身份", code="identity_unknown")
