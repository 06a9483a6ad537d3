"""Partners as rows: what a unit is and where it stands, who acts for it, and how one is found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    UniqueConstraint,
    and_,
    false,
    func,
    select,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.accounts import Account
from models.base import Base, EncryptedText, Keyed, PlainText, chosen_from
from models.credit_codes import LENGTH
from models.errors import Conflict, Forbidden, NotFound
from models.regions import Region, is_within, regions_within


class PartnerKind(StrEnum):
    """What sort of unit it is."""

    UNIT = "unit"  # 共建单位
    NEIGHBOUR = "neighbour"  # 近邻合伙人
    PUBLIC_GOOD = "public_good"  # 公益合伙人
    BRANCH = "branch"  # 党支部 (在职党员双报到)
    DEPARTMENT = "department"  # 职能部门 (街道交办)


class PartnerState(StrEnum):
    """Where a unit stands. ``LAPSED`` is never stored: it is what an active unit is whose year is over."""

    APPLIED = "applied"  # 待审核
    ACTIVE = "active"  # 已入驻
    REJECTED = "rejected"  # 未通过
    SUSPENDED = "suspended"  # 已暂停
    LAPSED = "lapsed"  # 已到期


APPROVED = (PartnerState.ACTIVE, PartnerState.SUSPENDED)  # as stored; only these have members
_NOT_REJECTED = sql("state <> 'rejected'")
_STANDING = sql("left_at IS NULL")


class Partner(Keyed, Base):
    """One unit. The phone number of whom to call is ciphertext at rest.

    Names and credit codes are those of one unit alone; an application that was rejected keeps neither for itself.
    """

    __tablename__ = "partners"
    __table_args__ = (
        CheckConstraint("state <> 'lapsed'", name="lapsed_is_never_stored"),
        CheckConstraint(
            "state IN ('applied', 'rejected') OR renewed_until IS NOT NULL", name="renewed_until_a_day"
        ),
        Index(
            "uq_partners_live_name",
            "name",
            unique=True,
            postgresql_where=_NOT_REJECTED,
            sqlite_where=_NOT_REJECTED,
        ),
        Index(
            "uq_partners_live_credit_code",
            "credit_code",
            unique=True,
            postgresql_where=_NOT_REJECTED,
            sqlite_where=_NOT_REJECTED,
        ),
        Index("uq_partners_invitation_fingerprint", "invitation_fingerprint", unique=True),
    )

    name: Mapped[str] = mapped_column(PlainText(60))
    kind: Mapped[PartnerKind] = mapped_column(chosen_from(PartnerKind))
    credit_code: Mapped[str | None] = mapped_column(PlainText(LENGTH))  # 统一社会信用代码; a branch has none
    region_id: Mapped[int | None] = mapped_column(ForeignKey("regions.id"), index=True)  # where it serves
    contact_name: Mapped[str | None] = mapped_column(PlainText(40))
    contact_phone: Mapped[str | None] = mapped_column(EncryptedText)
    state: Mapped[PartnerState] = mapped_column(chosen_from(PartnerState))
    reason: Mapped[str] = mapped_column(
        PlainText(100), default="", server_default=""
    )  # why it was rejected or suspended
    applied_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    applied_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    renewed_until: Mapped[date | None]  # the last day it may claim, unless it is renewed
    renewal_asked_at: Mapped[datetime | None]
    invitation_fingerprint: Mapped[str | None] = mapped_column(
        PlainText(64)
    )  # of the code for its next member
    invited_until: Mapped[datetime | None]

    region: Mapped[Region | None] = relationship()

    @property
    def standing(self) -> PartnerState:
        """Where it stands today: one whose year is over and was not renewed has lapsed."""
        if (
            self.state is PartnerState.ACTIVE
            and self.renewed_until is not None
            and self.renewed_until < clock.today()
        ):
            return PartnerState.LAPSED
        return self.state

    @property
    def good_until(self) -> date:
        """The last day of its year. Raises as ``must_have_been_approved``: nobody else has one."""
        if self.renewed_until is None:
            raise self._not_approved()
        return self.renewed_until

    def must_not_be_suspended(self) -> None:
        """Raise Forbidden ``partner_suspended`` with the reason while staff suspend this unit: it may look, and change nothing."""
        if self.state is PartnerState.SUSPENDED:
            raise Forbidden(
                "partner_suspended",
                f"“{self.name}”已被暂停：{self.reason}；恢复以前不能办理，有疑问请联系社区",
                details={"reason": self.reason},
            )

    def must_have_been_approved(self) -> None:
        """Raise Conflict ``partner_not_approved`` for an application that waits or was rejected."""
        if self.state not in APPROVED:
            raise self._not_approved()

    def _not_approved(self) -> Conflict:
        return Conflict("partner_not_approved", f"“{self.name}”还没有通过社区审核")

    @staticmethod
    def stands(state: PartnerState) -> ColumnElement[bool]:
        """The condition that this is where a unit stands today."""
        if state is PartnerState.ACTIVE:
            return and_(Partner.state == state, Partner.renewed_until >= clock.today())
        if state is PartnerState.LAPSED:
            return and_(Partner.state == PartnerState.ACTIVE, Partner.renewed_until < clock.today())
        return Partner.state == state


class PartnerMember(Keyed, Base):
    """One account that acts for a unit, as ``partner:{key}``, until it leaves. A manager also says who else does."""

    __tablename__ = "partner_members"
    __table_args__ = (
        UniqueConstraint("partner_id", "account_id"),
        Index(
            "ix_partner_members_standing", "partner_id", postgresql_where=_STANDING, sqlite_where=_STANDING
        ),
    )

    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    is_manager: Mapped[bool] = mapped_column(default=False, server_default=false())
    joined_at: Mapped[datetime] = mapped_column(default=clock.now)
    left_at: Mapped[datetime | None]

    partner: Mapped[Partner] = relationship()


@dataclass(frozen=True)
class UnitCard:
    """What is written down of a unit: the code as its papers show it or people type it, where it serves, and whom to call.

    Every unit has a credit code but a party branch, which has none.
    """

    name: str
    kind: PartnerKind
    credit_code: str | None
    region: Region
    contact_name: str
    contact_phone: str


def must_be_able_to_claim(partner: Partner) -> None:
    """Raise unless a unit may take on something new today. Whoever writes holds the unit.

    Forbidden ``partner_suspended`` with the reason (E19), Conflict ``partner_lapsed`` for one that was not renewed in time, and
    ``partner_not_approved``. What it has taken on already goes on.
    """
    partner.must_have_been_approved()
    partner.must_not_be_suspended()
    if partner.standing is PartnerState.LAPSED:
        raise Conflict("partner_lapsed", f"“{partner.name}”的入驻已经到期，请先申请续期，再认领新的事项")


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


def acts_for(session: Session, partner: Partner, account_id: int) -> bool:
    """Whether an account is a member of a unit today."""
    return account_id in members_of(session, [partner.id]).get(partner.id, ())


def must_not_act_for(session: Session, partner: Partner, account_id: int | None) -> None:
    """Raise Forbidden ``own_content`` for somebody who works here and decides about a unit they act for themselves."""
    if account_id is not None and acts_for(session, partner, account_id):
        raise Forbidden("own_content", "这是您自己的单位，请由其他工作人员办理")


def members_of(
    session: Session, partners: Collection[int], *, managers: bool = False
) -> Mapping[int, list[int]]:
    """The accounts that act for each of these units (its managers alone), by the unit's id."""
    query = (
        select(PartnerMember.partner_id, PartnerMember.account_id)
        .where(PartnerMember.partner_id.in_(partners), PartnerMember.left_at.is_(None))
        .order_by(PartnerMember.account_id)
    )
    found: dict[int, list[int]] = {}
    for partner_id, account_id in session.execute(
        query.where(PartnerMember.is_manager) if managers else query
    ):
        found.setdefault(partner_id, []).append(account_id)
    return found


def partners_within(
    session: Session,
    places: Sequence[Region],
    *,
    state: PartnerState | None = None,
    after_id: int | None,
    most: int,
) -> Sequence[Partner]:
    """Up to ``most`` units that serve these places or what lies under them, in any state unless one is named, in the order they were added."""
    if not places:
        return []
    query = _whole().where(Partner.region_id.in_(regions_within(*places))).order_by(Partner.id).limit(most)
    if state is not None:
        query = query.where(Partner.stands(state))
    return session.scalars(query if after_id is None else query.where(Partner.id > after_id)).all()


def partner_within(session: Session, key: str, *, within: Sequence[Region]) -> Partner:
    """The unit with this key that serves these places. Raises NotFound outside of them."""
    partner = session.scalar(_whole().where(Partner.key == key))
    if partner is None or partner.region is None or not is_within(partner.region, within):
        raise NotFound("没有找到这个单位")
    return partner


def count_by_place(session: Session, *which: ColumnElement[bool]) -> dict[str, int]:
    """How many units meet these conditions, by the path of the place they serve."""
    rows = session.execute(
        select(Region.path, func.count())
        .select_from(Partner)
        .join(Region, Region.id == Partner.region_id)
        .where(*which)
        .group_by(Region.path)
    )
    return dict(rows.all())


def _whole() -> Select[Partner]:
    return select(Partner).options(joinedload(Partner.region))
