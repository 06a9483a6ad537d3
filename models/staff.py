"""Staff (工作人员) and what they may do where (角色授予).

Rights are rows read at every request, never part of a token: a role on a node of the region tree, from–to. Nobody grants
beyond their own scope (peers.md §5), and a revoked grant ends at once. The first administrator is made by command.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, ForeignKey, Index, or_, select
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.accounts import Account
from models.base import Base, Keyed, PlainText, chosen_from
from models.errors import Conflict, Forbidden, NotFound
from models.journal import enter
from models.regions import Region, is_within
from models.vault import vault

INVITATION_DAYS = 7


class Role(StrEnum):
    """What a staff member may do in a place (domain.md §3)."""

    ADMIN = "admin"  # 社区管理员
    CLERK = "clerk"  # 社区工作人员
    GRID_WORKER = "grid_worker"  # 网格员
    STREET_OFFICER = "street_officer"  # 街道干部


# 社区办公室: whose work every pile of the desk is, and the routes that lead to it
OFFICE = (Role.ADMIN, Role.CLERK)


class StaffMember(Keyed, Base):
    """A person who works here. Bound to a WeChat account once they accept their invitation."""

    __tablename__ = "staff_members"

    name: Mapped[str] = mapped_column(PlainText(40))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    invitation_fingerprint: Mapped[str | None] = mapped_column(PlainText(64), unique=True)
    invited_until: Mapped[datetime | None]
    left_at: Mapped[datetime | None]

    grants: Mapped[list[RoleGrant]] = relationship(
        back_populates="staff_member", foreign_keys="RoleGrant.staff_member_id"
    )

    @property
    def identity(self) -> str:
        """How this person names the hat in ``X-Identity``."""
        return f"staff:{self.key}"


class RoleGrant(Base):
    """One role of one staff member in one place, from–to."""

    __tablename__ = "role_grants"
    __table_args__ = (Index("ix_role_grants_staff_member", "staff_member_id"),)

    staff_member_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"))
    role: Mapped[Role] = mapped_column(chosen_from(Role))
    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))  # none: by command
    starts_at: Mapped[datetime] = mapped_column(default=clock.now)
    ends_at: Mapped[datetime | None]

    staff_member: Mapped[StaffMember] = relationship(back_populates="grants", foreign_keys=staff_member_id)
    region: Mapped[Region] = relationship()

    @staticmethod
    def is_live_at(moment: datetime) -> ColumnElement[bool]:
        """The condition that a grant stands at a moment."""
        return (RoleGrant.starts_at <= moment) & or_(RoleGrant.ends_at.is_(None), RoleGrant.ends_at > moment)


def hire(session: Session, name: str) -> StaffMember:
    """Add a staff member, without any rights yet."""
    member = StaffMember(name=name)
    session.add(member)
    session.flush()
    enter(session, "staff_member.hired", member)
    return member


def grant(
    session: Session, member: StaffMember, role: Role, region: Region, *, by: StaffMember | None = None
) -> RoleGrant:
    """Give a role in a place. ``by`` is the granting administrator, or nobody when the operator does it by command.

    Raises Forbidden ``grant_beyond_scope`` when the granter is no administrator of that place. Granting what is already
    granted changes nothing.
    """
    if by is not None and not is_within(region, places_of(session, by, Role.ADMIN)):
        raise Forbidden("grant_beyond_scope", "您只能在自己管理的范围内授权")
    member.lock()  # two equal grants at once meet here
    standing = session.scalar(
        select(RoleGrant).where(
            RoleGrant.staff_member_id == member.id,
            RoleGrant.role == role,
            RoleGrant.region_id == region.id,
            RoleGrant.is_live_at(clock.now()),
        )
    )
    if standing is not None:
        return standing
    given = RoleGrant(staff_member=member, role=role, region=region, granted_by_id=by.id if by else None)
    session.add(given)
    session.flush()
    enter(
        session,
        "role_grant.given",
        given,
        by_account_id=by.account_id if by else None,
        identity=by.identity if by else "town",
        details={"role": role},
    )
    return given


def invite(session: Session, member: StaffMember) -> str:
    """A code, good for ``INVITATION_DAYS`` and one acceptance, with which the person binds their WeChat. Only its hash stays."""
    code = secrets.token_urlsafe(9)
    member.invitation_fingerprint = vault.fingerprint(code)
    member.invited_until = clock.now() + timedelta(days=INVITATION_DAYS)
    enter(session, "staff_member.invited", member)
    session.flush()
    return code


def accept_invitation(session: Session, account: Account, code: str) -> StaffMember:
    """Bind an account to the staff member who was given this code.

    Raises Conflict ``invitation_invalid`` for a code that is unknown, used or too old: the three look the same; Unauthenticated
    when the account was closed meanwhile.
    """
    account.lock().must_stand()
    fingerprint = vault.fingerprint(code)
    member = session.scalar(select(StaffMember).where(StaffMember.invitation_fingerprint == fingerprint))
    if member is not None:
        member.lock()  # another acceptance, or a newer invitation, may have come first
    if (
        member is None
        or member.invitation_fingerprint != fingerprint
        or member.left_at is not None
        or (member.invited_until or clock.now()) <= clock.now()
    ):
        raise Conflict("invitation_invalid", "邀请码无效或已过期，请联系社区重新获取")
    member.account_id, member.invitation_fingerprint, member.invited_until = account.id, None, None
    enter(session, "staff_member.joined", member, by_account_id=account.id, identity=member.identity)
    session.flush()
    return member


def staff_members_of(session: Session, account: Account) -> list[StaffMember]:
    """Every staff hat this account may put on."""
    return list(
        session.scalars(
            select(StaffMember)
            .where(StaffMember.account_id == account.id, StaffMember.left_at.is_(None))
            .order_by(StaffMember.id)
        )
    )


def staff_member_by_key(session: Session, account: Account, key: str) -> StaffMember:
    """The hat with this key, if it is this account's. Raises NotFound."""
    for member in staff_members_of(session, account):
        if member.key == key:
            return member
    raise NotFound("没有这个工作身份", code="identity_unknown")


def places_of(session: Session, member: StaffMember, *roles: Role) -> list[Region]:
    """Where a staff member holds any of these roles now (all roles when none is named); nowhere after leaving."""
    if member.left_at is not None:
        return []
    rows = session.scalars(
        select(Region)
        .join(RoleGrant, RoleGrant.region_id == Region.id)
        .where(
            RoleGrant.staff_member_id == member.id,
            RoleGrant.is_live_at(clock.now()),
            RoleGrant.role.in_(roles or Role),
        )
        .order_by(Region.path)
    )
    return list(rows.unique())


def grants_of(session: Session, member: StaffMember) -> list[RoleGrant]:
    """Every role this staff member holds now, with its place."""
    return list(
        session.scalars(
            select(RoleGrant)
            .options(joinedload(RoleGrant.region))
            .where(RoleGrant.staff_member_id == member.id, RoleGrant.is_live_at(clock.now()))
            .order_by(RoleGrant.id)
        )
    )


def offices(session: Session, *roles: Role) -> list[tuple[str, int]]:
    """Where somebody runs an office now (the path of the place), or has one of these roles instead, and with which account."""
    rows = session.execute(
        select(Region.path, StaffMember.account_id)
        .join(RoleGrant, RoleGrant.region_id == Region.id)
        .join(StaffMember, StaffMember.id == RoleGrant.staff_member_id)
        .where(
            StaffMember.left_at.is_(None),
            StaffMember.account_id.is_not(None),
            RoleGrant.role.in_(roles or OFFICE),
            RoleGrant.is_live_at(clock.now()),
        )
    )
    return [(path, account_id) for path, account_id in rows if account_id is not None]


def over(running: Sequence[tuple[str, int]], path: str) -> set[int]:
    """The accounts of those of these offices whose place this is, or lies above it."""
    return {account_id for office, account_id in running if path.startswith(office)}
