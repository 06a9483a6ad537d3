"""Members (成员): who acts for a unit. A unit somebody acts for has a manager, who says who else does; the first one to come is it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.accounts import Account
from models.consents import must_have_agreed
from models.errors import Conflict, Forbidden, NotFound
from models.journal import enter
from models.partners.rows import Partner, PartnerMember
from models.partners.telling import tell_unit
from models.regions import Region, is_within
from models.residents import Resident
from models.vault import vault

INVITATION_HOURS = 24
CODE_DIGITS = 8
FOLLOWS = "原管理人已退出，由您接任"


@dataclass(frozen=True)
class Known:
    """A member, and who they are as far as they told us."""

    member: PartnerMember
    name: str | None
    phone: str | None


def admit(session: Session, partner: Partner, account: Account) -> PartnerMember:
    """Let an account act for a unit, again if it had left; who comes to a unit without a manager is its manager."""
    partner.lock()
    member = session.scalar(
        select(PartnerMember).where(
            PartnerMember.partner_id == partner.id, PartnerMember.account_id == account.id
        )
    )
    if member is None:
        member = PartnerMember(partner=partner, account_id=account.id)
        session.add(member)
    elif member.left_at is not None:
        member.left_at, member.is_manager, member.joined_at = None, False, clock.now()
    session.flush()
    member.is_manager = member.is_manager or not _managers(session, partner)
    session.flush()
    return member


def invite_member(session: Session, partner: Partner, *, by_account_id: int | None, identity: str) -> str:
    """A code, good for ``INVITATION_HOURS`` and once, with which somebody's WeChat may act for a unit.

    A new one takes the place of the one before; only its hash stays. Raises Conflict ``partner_not_approved`` and Forbidden
    ``partner_suspended``.
    """
    partner.lock().must_have_been_approved()
    partner.must_not_be_suspended()
    while True:
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        fingerprint = vault.fingerprint(code)
        if session.scalar(select(Partner.id).where(Partner.invitation_fingerprint == fingerprint)) is None:
            break
    partner.invitation_fingerprint = fingerprint
    partner.invited_until = clock.now() + timedelta(hours=INVITATION_HOURS)
    enter(session, "partner.invited", partner, by_account_id=by_account_id, identity=identity)
    session.flush()
    return code


def take_back_invitation(
    session: Session, partner: Partner, *, by_account_id: int | None, identity: str
) -> None:
    """The code that was handed out is worth nothing any more. Where there is none, nothing is done."""
    if partner.lock().invitation_fingerprint is None:
        return
    partner.invitation_fingerprint = partner.invited_until = None
    enter(session, "partner.invitation_taken_back", partner, by_account_id=by_account_id, identity=identity)
    session.flush()


def join_unit(session: Session, account: Account, code: str) -> PartnerMember:
    """Act for the unit that handed out this code from now on.

    Raises Conflict ``invitation_invalid`` for a code that is unknown, used or too old, ``consent_needed``, ``already_member``, which
    leaves the code to somebody else, Forbidden ``partner_suspended``, and Unauthenticated when the account was closed meanwhile.
    """
    account.lock().must_stand()
    must_have_agreed(session, account)
    fingerprint = vault.fingerprint(code)
    partner = session.scalar(select(Partner).where(Partner.invitation_fingerprint == fingerprint))
    if partner is not None:
        partner.lock()  # somebody else, or a newer code, may have come first
    if (
        partner is None
        or partner.invitation_fingerprint != fingerprint
        or (partner.invited_until or clock.now()) <= clock.now()
    ):
        raise Conflict("invitation_invalid", "邀请码无效或已过期，请向单位或社区重新要一个")
    partner.must_not_be_suspended()
    if _member(session, partner, account) is not None:
        raise Conflict("already_member", f"您已经是“{partner.name}”的成员，邀请码可以给别的同事用")
    partner.invitation_fingerprint = partner.invited_until = None
    member = admit(session, partner, account)
    enter(session, "partner_member.joined", member, by_account_id=account.id, identity="resident")
    session.flush()
    return member


def name_manager(
    session: Session, member: PartnerMember, *, by_account_id: int | None, identity: str
) -> None:
    """A member also says who else acts for the unit. Twice is fine. Raises NotFound for somebody who left."""
    member.partner.lock()
    if member.lock().left_at is not None:
        raise _gone()
    if member.is_manager:
        return
    member.is_manager = True
    enter(session, "partner_member.named_manager", member, by_account_id=by_account_id, identity=identity)
    session.flush()


def remove_member(
    session: Session,
    member: PartnerMember,
    *,
    by_account_id: int | None,
    identity: str,
    successor: str | None = None,
) -> None:
    """A member acts for the unit no longer: a manager says so, staff do, or the member. Twice is fine.

    Where no manager would stay, whoever has been there the longest is one then, and hears it; unless staff say so, the key of that ``successor``
    shows that it was read before. Raises Conflict ``last_manager`` where it does not, naming them, or where nobody else is left.
    """
    member.partner.lock()
    if member.lock().left_at is not None:
        return
    if not identity.startswith("staff:") and _managers(session, member.partner) == [member.id]:
        _must_have_read_who_follows(session, member, successor)
    _leave(session, member)
    enter(session, "partner_member.left", member, by_account_id=by_account_id, identity=identity)
    session.flush()


def leave_unit(session: Session, account: Account, partner: Partner, *, successor: str | None = None) -> None:
    """Act for a unit no longer, of one's own accord. Raises as ``remove_member``; who is no member has left."""
    member = _member(session, partner.lock(), account)
    if member is not None:
        remove_member(session, member, by_account_id=account.id, identity="resident", successor=successor)


def leave_units(session: Session, account: Account, *, identity: str) -> list[Partner]:
    """Somebody leaves the town, held by the caller: no unit keeps them, whoever has been there the longest is manager then.

    The units they were in, each held from here on.
    """
    left: list[Partner] = []
    standing = select(PartnerMember).where(
        PartnerMember.account_id == account.id, PartnerMember.left_at.is_(None)
    )
    for member in session.scalars(standing.order_by(PartnerMember.partner_id)).all():
        left.append(member.partner.lock())
        if member.lock().left_at is None:
            _leave(session, member)
            enter(session, "partner_member.left", member, by_account_id=account.id, identity=identity)
    session.flush()
    return left


def must_be_manager(session: Session, partner: Partner, account: Account) -> None:
    """Raise Forbidden ``manager_needed`` for anybody who does not say who acts for this unit. The unit is held from here on."""
    member = _member(session, partner.lock(), account)
    if member is None or not member.is_manager:
        raise Forbidden("manager_needed", "请由单位的管理人办理")


def known_members(session: Session, partner: Partner) -> list[Known]:
    """Everybody who acts for a unit, managers first, with what they told us of themselves."""
    rows = session.execute(
        select(PartnerMember, Resident)
        .outerjoin(Resident, Resident.account_id == PartnerMember.account_id)
        .where(PartnerMember.partner_id == partner.id, PartnerMember.left_at.is_(None))
        .order_by(PartnerMember.is_manager.desc(), PartnerMember.id)
    )
    return [
        Known(member, oneself.name if oneself else None, oneself.phone if oneself else None)
        for member, oneself in rows
    ]


def members_by_standing(session: Session, partner: Partner) -> Sequence[PartnerMember]:
    """Everybody who acts for a unit: managers first, of each who has been there the longest."""
    return session.scalars(
        select(PartnerMember)
        .where(PartnerMember.partner_id == partner.id, PartnerMember.left_at.is_(None))
        .order_by(PartnerMember.is_manager.desc(), PartnerMember.joined_at, PartnerMember.id)
    ).all()


def member_of(session: Session, partner: Partner, key: str) -> PartnerMember:
    """The member of a unit with this key, also one who left. Raises NotFound."""
    member = session.scalar(
        select(PartnerMember)
        .options(joinedload(PartnerMember.partner))
        .where(PartnerMember.key == key, PartnerMember.partner_id == partner.id)
    )
    if member is None:
        raise _gone()
    return member


def member_within(session: Session, key: str, *, within: Sequence[Region]) -> PartnerMember:
    """The member with this key of a unit that serves these places, also one who left. Raises NotFound outside of them."""
    member = session.scalar(
        select(PartnerMember)
        .options(joinedload(PartnerMember.partner).joinedload(Partner.region))
        .where(PartnerMember.key == key)
    )
    place = member.partner.region if member is not None else None
    if member is None or place is None or not is_within(place, within):
        raise _gone()
    return member


def _must_have_read_who_follows(session: Session, member: PartnerMember, successor: str | None) -> None:
    unit = member.partner
    others = [one for one in members_by_standing(session, unit) if one.id != member.id]
    if not others:
        raise Conflict(
            "last_manager",
            f"您是“{unit.name}”唯一的成员，请先邀请一位同事加入再退出，或联系社区办理退出",
            details={"successor": None},
        )
    if others[0].key != successor:
        raise Conflict(
            "last_manager",
            f"您是“{unit.name}”唯一的管理人，退出以后由加入最久的成员接任；请确认以后再退出，或先让别的成员当管理人",
            details={"successor": others[0].key},
        )


def _leave(session: Session, member: PartnerMember) -> None:
    member.left_at, member.is_manager = clock.now(), False
    session.flush()
    if not _managers(session, member.partner):
        for eldest in members_by_standing(session, member.partner)[:1]:
            eldest.is_manager = True
            tell_unit(session, member.partner, "管理人变更", FOLLOWS, accounts=[eldest.account_id])
    session.flush()


def _managers(session: Session, partner: Partner) -> Sequence[int]:
    return session.scalars(
        select(PartnerMember.id).where(
            PartnerMember.partner_id == partner.id, PartnerMember.left_at.is_(None), PartnerMember.is_manager
        )
    ).all()


def _member(session: Session, partner: Partner, account: Account) -> PartnerMember | None:
    return session.scalar(
        select(PartnerMember).where(
            PartnerMember.partner_id == partner.id,
            PartnerMember.account_id == account.id,
            PartnerMember.left_at.is_(None),
        )
    )


def _gone() -> NotFound:
    return NotFound("没有找到这位成员，可能已经退出")
