"""Families (家人): how it comes about that somebody may act for somebody else, and how it ends.

A guardian adds a child from the phone. A grown-up child offers to help an elder with a short code, which the elder accepts on their own
phone, or says at the counter. Those who work for a community write a bond down there, with how the other agreed. Whatever way, it is
one ``Bond``, an entry in the journal, and it can be ended from the side of the one acted for.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.accounts import Account
from models.consents import ConsentChannel, consent_in_force
from models.counter import ConsentGiver, PeopleScope, keep_consent, must_be_in_force
from models.errors import Conflict, NotFound
from models.journal import enter
from models.policies import policies_at
from models.profiles import must_be_known
from models.regions import Region
from models.residents import Bond, BondKind, Resident, bind, bonds_of, end_bond, is_minor, resident_of
from models.staff import StaffMember
from models.vault import vault

INVITATION_HOURS = 24
CODE_DIGITS = 8
KINDS_AT_THE_COUNTER = (BondKind.GUARDIAN, BondKind.FAMILY_HELPER)
ADDED_BY_GUARDIAN = "监护人在小程序里添加，并同意隐私政策"
ACCEPTED_IN_THE_APP = "本人在小程序里输入邀请码同意"


@dataclass(frozen=True)
class Child:
    """What a guardian says of a child."""

    name: str
    birth_year: int


def add_child(session: Session, account: Account, child: Child, *, consent_version: str) -> Bond:
    """A guardian adds a child who has no WeChat, and agrees for it to the privacy policy; the child lives where the guardian does.

    Raises Conflict ``profile_needed`` for a guardian the town does not know yet, ``consent_outdated``, ``bond_unfit`` for somebody of
    age, ``child_exists`` with the key of a child of this name and year, ``too_many_children``; Invalid for a year that cannot be.
    """
    guardian = _known(session, account)
    must_be_in_force(consent_version)
    resident = Resident(name=child.name, home_region=guardian.home_region)
    resident.tell_birth_year(child.birth_year)
    children = [bond for bond in bonds_of(session, guardian) if bond.kind is BondKind.GUARDIAN]
    for bond in children:
        if (bond.ward.name, bond.ward.birth_year) == (child.name, child.birth_year):
            raise Conflict("child_exists", "这个孩子已经添加过了", details={"resident": bond.ward.key})
    most = policies_at(session, guardian.home_region_id).children_a_guardian
    if len(children) >= most:
        raise Conflict(
            "too_many_children", f"手机上最多添加 {most} 个孩子，需要更多请到社区办理", details={"most": most}
        )
    _must_fit(guardian, resident, BondKind.GUARDIAN)
    session.add(resident)
    session.flush()
    keep_consent(
        session,
        resident,
        channel=ConsentChannel.MINI_PROGRAM,
        given_by=ConsentGiver.GUARDIAN,
        by_account_id=account.id,
        identity="resident",
    )
    return _bind(
        session,
        helper=guardian,
        ward=resident,
        kind=BondKind.GUARDIAN,
        agreed_how=ADDED_BY_GUARDIAN,
        by_account_id=account.id,
        identity="resident",
    )


def offer_help(session: Session, account: Account) -> str:
    """A code, good for ``INVITATION_HOURS`` and one acceptance, with which somebody of the family lets this person act for them.

    A new one takes the place of the one before; only its hash stays. Raises Conflict ``profile_needed``, ``bond_unfit`` for a child,
    and ``too_many_wards``.
    """
    helper = _known(session, account)
    if is_minor(helper.birth_year):
        raise Conflict("bond_unfit", "未满18周岁，不能替别人代办")
    _must_have_room(session, helper)
    while True:
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        fingerprint = vault.fingerprint(code)
        if session.scalar(select(Resident.id).where(Resident.invitation_fingerprint == fingerprint)) is None:
            break
    helper.invitation_fingerprint = fingerprint
    helper.invited_until = clock.now() + timedelta(hours=INVITATION_HOURS)
    enter(session, "resident.offered_help", helper, by_account_id=account.id, identity="resident")
    session.flush()
    return code


def accept_help(session: Session, account: Account, code: str) -> Bond:
    """Let whoever has offered help with this code act for the person of this account, from today on.

    Raises Conflict ``invitation_invalid`` for a code that is unknown, used or too old, ``profile_needed``, ``bond_unfit`` for oneself
    or a child, and ``too_many_wards``.
    """
    ward = _known(session, account)
    helper = helper_with(session, code)
    return _bind(
        session,
        helper=helper,
        ward=ward,
        kind=BondKind.FAMILY_HELPER,
        agreed_how=ACCEPTED_IN_THE_APP,
        by_account_id=account.id,
        identity="resident",
    )


def helper_with(session: Session, code: str) -> Resident:
    """Who has offered help with this code, which is used up now. Raises Conflict ``invitation_invalid``."""
    fingerprint = vault.fingerprint(code)
    helper = session.scalar(select(Resident).where(Resident.invitation_fingerprint == fingerprint))
    if helper is not None:
        helper.lock()  # another acceptance, or a newer code, may have come first
    if (
        helper is None
        or helper.invitation_fingerprint != fingerprint
        or (helper.invited_until or clock.now()) <= clock.now()
    ):
        raise Conflict("invitation_invalid", "邀请码无效或已过期，请让家人重新生成一个")
    helper.invitation_fingerprint = helper.invited_until = None
    return helper


def bind_at_counter(
    session: Session, *, helper: Resident, ward: Resident, kind: BondKind, agreed_how: str, by: StaffMember
) -> Bond:
    """Write down at the counter who may act for whom, and how the other agreed. The same bond twice is the one there is.

    Raises Conflict ``bond_unfit`` where it cannot be.
    """
    return _bind(
        session,
        helper=helper,
        ward=ward,
        kind=kind,
        agreed_how=agreed_how,
        by_account_id=by.account_id,
        identity=by.identity,
    )


def end_at_counter(session: Session, bond: Bond, *, by: StaffMember) -> None:
    """Write down at the counter that a bond is over, at once. Ending what has ended changes nothing."""
    end_bond(session, bond.lock(), by_account_id=by.account_id, identity=by.identity)


def bond_within(session: Session, scope: PeopleScope, key: str) -> Bond:
    """The bond with this key over somebody who is looked after. Raises NotFound."""
    bond = session.scalar(
        select(Bond)
        .options(joinedload(Bond.ward))
        .join(Resident, Resident.id == Bond.ward_id)
        .join(Region, Region.id == Resident.home_region_id)
        .where(Bond.key == key, scope.regions())
    )
    if bond is None:
        raise NotFound("没有找到这个代办关系")
    return bond


def bonds_today(session: Session, resident: Resident) -> Sequence[Bond]:
    """Every bond of this person that holds today, on either side, with both people, oldest first."""
    return session.scalars(
        select(Bond)
        .options(joinedload(Bond.helper), joinedload(Bond.ward))
        .where(
            or_(Bond.helper_id == resident.id, Bond.ward_id == resident.id), Bond.is_live_on(clock.today())
        )
        .order_by(Bond.id)
    ).all()


def _known(session: Session, account: Account) -> Resident:
    """Who this account is, held, once everything is told that must be known of somebody who acts in the town."""
    account.lock().must_stand()
    oneself = resident_of(session, account)
    has_agreed = consent_in_force(session, account) is not None
    return must_be_known(oneself, oneself, has_agreed=has_agreed)


def _bind(
    session: Session,
    *,
    helper: Resident,
    ward: Resident,
    kind: BondKind,
    agreed_how: str,
    by_account_id: int | None,
    identity: str,
) -> Bond:
    _must_fit(helper, ward, kind)
    ward.lock()  # the same bond written down twice at once is one
    standing = session.scalar(
        select(Bond).where(
            Bond.helper_id == helper.id,
            Bond.ward_id == ward.id,
            Bond.kind == kind,
            Bond.is_live_on(clock.today()),
        )
    )
    if standing is not None:
        return standing
    if kind is BondKind.FAMILY_HELPER and identity == "resident":
        _must_have_room(session, helper)
    bond = bind(session, helper=helper, ward=ward, kind=kind, agreed_how=agreed_how)
    enter(
        session,
        "bond.made",
        bond,
        by_account_id=by_account_id,
        identity=identity,
        for_resident_id=ward.id,
        details={"kind": kind},
    )
    session.flush()
    return bond


def _must_fit(helper: Resident, ward: Resident, kind: BondKind) -> None:
    if helper is ward:
        raise Conflict("bond_unfit", "不能给自己登记代办人")
    if helper.account_id is None:
        raise Conflict("bond_unfit", "代办人要有自己的微信账号")
    if is_minor(helper.birth_year):
        raise Conflict("bond_unfit", "未满18周岁，不能替别人代办")
    if kind is BondKind.GUARDIAN and ward.birth_year is None:
        raise Conflict("bond_unfit", "请先登记孩子的出生年份")
    if kind is BondKind.GUARDIAN and not is_minor(ward.birth_year):
        raise Conflict("bond_unfit", "已满18周岁，不用监护人；需要家人帮忙请登记亲情代办")
    if kind is not BondKind.GUARDIAN and is_minor(ward.birth_year):
        raise Conflict("bond_unfit", "未满18周岁的孩子，请登记监护人")


def _must_have_room(session: Session, helper: Resident) -> None:
    wards = [bond for bond in bonds_of(session, helper) if bond.kind is BondKind.FAMILY_HELPER]
    most = policies_at(session, helper.home_region_id).elders_a_helper
    if len(wards) >= most:
        raise Conflict(
            "too_many_wards", f"手机上最多替 {most} 位家人代办，需要更多请到社区办理", details={"most": most}
        )
