"""Partners (共建单位 · 近邻合伙人 · 公益合伙人): units that give to the community, and their members.

Who they are, where they serve, whom to call, and which accounts act for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.accounts import Account
from models.base import Base, EncryptedText, Keyed, PlainText, chosen_from
from models.credit_codes import LENGTH, as_written, fault_in
from models.errors import Conflict, Fault, NotFound
from models.journal import enter
from models.regions import Region, is_within, regions_within


class PartnerKind(StrEnum):
    """What sort of unit it is."""

    UNIT = "unit"  # 共建单位
    NEIGHBOUR = "neighbour"  # 近邻合伙人
    PUBLIC_GOOD = "public_good"  # 公益合伙人


class Partner(Keyed, Base):
    """One unit. The phone number of whom to call is ciphertext at rest."""

    __tablename__ = "partners"

    name: Mapped[str] = mapped_column(PlainText(60), unique=True)
    kind: Mapped[PartnerKind] = mapped_column(chosen_from(PartnerKind))
    credit_code: Mapped[str | None] = mapped_column(PlainText(LENGTH), unique=True)  # 统一社会信用代码
    region_id: Mapped[int | None] = mapped_column(ForeignKey("regions.id"), index=True)  # where it serves
    contact_name: Mapped[str | None] = mapped_column(PlainText(40))
    contact_phone: Mapped[str | None] = mapped_column(EncryptedText)

    region: Mapped[Region | None] = relationship()


class PartnerMember(Base):
    """One account that acts for a unit, as ``partner:{key}``, until it leaves."""

    __tablename__ = "partner_members"
    __table_args__ = (UniqueConstraint("partner_id", "account_id"),)

    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    joined_at: Mapped[datetime] = mapped_column(default=clock.now)
    left_at: Mapped[datetime | None]

    partner: Mapped[Partner] = relationship()


@dataclass(frozen=True)
class UnitCard:
    """What staff write down of a unit: the code as its papers show it or people type it, where it serves, and whom to call."""

    name: str
    kind: PartnerKind
    credit_code: str
    region: Region
    contact_name: str
    contact_phone: str


def enlist(session: Session, name: str, kind: PartnerKind) -> Partner:
    """Add a unit that gives to the community, without any members yet, of which nothing more is known."""
    partner = Partner(name=name, kind=kind)
    session.add(partner)
    session.flush()
    return partner


def enlist_unit(session: Session, card: UnitCard, *, by_account_id: int | None, identity: str) -> Partner:
    """Add a unit with its papers, without any members yet.

    Raises Conflict ``credit_code_wrong`` saying which sign is wrong where one can tell, and ``partner_exists`` naming the field in which
    it is the same as another.
    """
    partner = Partner()
    _write(session, partner, card)
    enter(session, "partner.enlisted", partner, by_account_id=by_account_id, identity=identity)
    session.flush()
    return partner


def correct_unit(
    session: Session, partner: Partner, card: UnitCard, *, by_account_id: int | None, identity: str
) -> None:
    """Write anew what is known of a unit; the same again changes nothing. Raises as ``enlist_unit``."""
    partner.lock()
    changed = _write(session, partner, card)
    if changed:
        enter(
            session,
            "partner.corrected",
            partner,
            by_account_id=by_account_id,
            identity=identity,
            details={"changed": changed},
        )
        session.flush()


def _write(session: Session, partner: Partner, card: UnitCard) -> list[str]:
    code = as_written(card.credit_code)
    wrong = fault_in(code)
    if wrong is not None:
        raise Conflict("credit_code_wrong", wrong, faults=[Fault("credit_code", wrong)])
    wanted = {
        "name": card.name,
        "kind": card.kind,
        "credit_code": code,
        "region": card.region,
        "contact_name": card.contact_name,
        "contact_phone": card.contact_phone,
    }
    changed = [name for name, value in wanted.items() if getattr(partner, name) != value]
    _must_be_the_only_one(session, partner, card.name, code)
    try:
        with session.begin_nested():
            for name in changed:
                setattr(partner, name, wanted[name])
            session.add(partner)
    except IntegrityError:  # another unit of this name or code came first, a moment ago
        _must_be_the_only_one(session, partner, card.name, code)
        raise
    return changed


def _must_be_the_only_one(session: Session, partner: Partner, name: str, code: str) -> None:
    others = session.execute(
        select(Partner.name, Partner.credit_code).where(
            (Partner.name == name) | (Partner.credit_code == code),
            Partner.id.is_distinct_from(partner.id),
        )
    ).all()
    for other_name, other_code in others:
        field, what = ("credit_code", "代码") if other_code == code else ("name", "名称")
        message = f"已有单位用这个{what}（{other_name}），请核对"
        raise Conflict("partner_exists", message, faults=[Fault(field, message)])


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


def partners_within(
    session: Session, places: Sequence[Region], *, after_id: int | None, most: int
) -> Sequence[Partner]:
    """Up to ``most`` units that serve these places or what lies under them, in the order they were added."""
    if not places:
        return []
    query = (
        select(Partner)
        .options(joinedload(Partner.region))
        .where(Partner.region_id.in_(regions_within(*places)))
        .order_by(Partner.id)
        .limit(most)
    )
    return session.scalars(query if after_id is None else query.where(Partner.id > after_id)).all()


def partner_within(session: Session, key: str, *, within: Sequence[Region]) -> Partner:
    """The unit with this key that serves these places. Raises NotFound outside of them."""
    partner = session.scalar(select(Partner).options(joinedload(Partner.region)).where(Partner.key == key))
    if partner is None or partner.region is None or not is_within(partner.region, within):
        raise NotFound("没有找到这个单位")
    return partner
