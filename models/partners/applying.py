"""Applying (入驻申请): somebody who acts for a unit asks for it, and the community it wishes to be paired with decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.accounts import Account
from models.consents import must_have_agreed
from models.errors import Conflict, Fault, Forbidden
from models.journal import enter
from models.partners.enlisting import begin_a_year, write
from models.partners.members import admit
from models.partners.pairing import begin, end, pair
from models.partners.pairings import Pairing, PairingState
from models.partners.rows import APPROVED, Partner, PartnerKind, PartnerState, UnitCard, count_by_place
from models.partners.telling import tell_unit
from models.staff import StaffMember

MOST_WAITING = 3  # applications of one person at the same time
APPLICANT_LEFT = "申请人已注销账号"
NAME_REFUSED = "单位名称没有通过内容审核，请改好以后再申请"


def apply_for_unit(session: Session, account: Account, card: UnitCard) -> Partner:
    """Ask for a unit one acts for, and for its being paired with the place on the card; staff of that place decide.

    Raises Conflict ``unit_kind_unfit`` for a department, ``consent_needed``, ``partner_applications_wait`` for somebody who asked for
    ``MOST_WAITING`` already, ``unit_known`` naming the field in which it is the same as another, whoever is in that, ``pairing_unfit`` and
    what ``enlist_unit`` says of papers.
    """
    if card.kind is PartnerKind.DEPARTMENT:  # items of the street are assigned to whoever is one
        message = "职能部门由街道登记，不用申请入驻，请联系街道"
        raise Conflict("unit_kind_unfit", message, faults=[Fault("kind", message)])
    account.lock().must_stand()
    must_have_agreed(session, account)
    waiting = session.scalar(
        select(func.count())
        .select_from(Partner)
        .where(Partner.applied_by_id == account.id, Partner.state == PartnerState.APPLIED)
    )
    if (waiting or 0) >= MOST_WAITING:
        raise Conflict(
            "partner_applications_wait",
            f"您已有 {MOST_WAITING} 个单位在等社区审核，有结果以后再申请",
            details={"most": MOST_WAITING},
        )
    partner = Partner(state=PartnerState.APPLIED, applied_by_id=account.id, applied_at=clock.now())
    write(session, partner, card, same_as_another=_is_known)
    enter(session, "partner.applied", partner, by_account_id=account.id, identity="resident")
    begin(session, partner, card.region)
    return partner


def approve_unit(session: Session, partner: Partner, *, by: StaffMember) -> None:
    """A unit may be one: who asked for it acts for it from now on, and it is paired with the place it asked for. Twice is fine.

    Raises Conflict ``partner_settled`` when a colleague rejected it or its applicant left, and Forbidden ``own_content`` for one's own.
    """
    if not _is_to_be_decided(session, partner, by, was=APPROVED):
        return
    begin_a_year(session, partner)
    partner.state, partner.decided_at = PartnerState.ACTIVE, clock.now()
    enter(session, "partner.approved", partner, by_account_id=by.account_id, identity=by.identity)
    applicant = session.get_one(Account, partner.applied_by_id)
    admit(session, partner, applicant)
    for pairing in _asked(session, partner):
        pair(session, partner, pairing.region, by_account_id=by.account_id, identity=by.identity, tells=False)
    tell_unit(session, partner, "已通过", "可以用单位身份认领心愿、邀请同事加入了", accounts=[applicant.id])


def reject_unit(session: Session, partner: Partner, because: str, *, by: StaffMember) -> None:
    """A unit may be none, for a reason who asked for it reads; its name and code are free again. Twice is fine. Raises as ``approve_unit``."""
    if not _is_to_be_decided(session, partner, by, was=(PartnerState.REJECTED,)):
        return
    _reject(session, partner, because)
    enter(session, "partner.rejected", partner, by_account_id=by.account_id, identity=by.identity)
    if partner.applied_by_id is not None:
        tell_unit(session, partner, "未通过", because, accounts=[partner.applied_by_id])


def refuse_name(session: Session, key: str, name: str | None) -> None:
    """The name on an application may not stay: the application is over, for there is no unit without one. One that was changed is another."""
    partner = session.scalar(select(Partner).where(Partner.key == key))
    if (
        partner is None
        or partner.lock().state is not PartnerState.APPLIED
        or name not in (None, partner.name)
    ):
        return
    _reject(session, partner, NAME_REFUSED)
    enter(session, "partner.rejected", partner)
    session.flush()


def refuse_contact_name(session: Session, key: str, name: str | None) -> None:
    """Whom to call may not stay as it was written: the number does. A name that was changed is another."""
    partner = session.scalar(select(Partner).where(Partner.key == key))
    if (
        partner is not None
        and partner.lock().contact_name is not None
        and name in (None, partner.contact_name)
    ):
        partner.contact_name = None
        enter(session, "partner.contact_struck", partner)
        session.flush()


def leave_applications(session: Session, account: Account, *, identity: str) -> None:
    """Somebody leaves the town, held by the caller: what they asked for is over, and whom to call is not kept."""
    for partner in session.scalars(
        select(Partner).where(Partner.applied_by_id == account.id).order_by(Partner.id)
    ).all():
        if partner.lock().state is PartnerState.APPLIED:
            _reject(session, partner, APPLICANT_LEFT)
            enter(session, "partner.rejected", partner, by_account_id=account.id, identity=identity)
        if partner.state is PartnerState.REJECTED:
            partner.contact_name = partner.contact_phone = None
    session.flush()


def applications_of(session: Session, account: Account) -> Sequence[Partner]:
    """Every unit this account asked for, whatever became of it, oldest first."""
    return session.scalars(
        select(Partner)
        .options(joinedload(Partner.region))
        .where(Partner.applied_by_id == account.id)
        .order_by(Partner.id)
    ).all()


def count_units_applied(session: Session, as_of: datetime) -> dict[str, int]:
    """How many applications waited for a decision at a moment, by the path of the place."""
    return count_by_place(session, Partner.state == PartnerState.APPLIED, Partner.applied_at <= as_of)


def _is_to_be_decided(
    session: Session, partner: Partner, by: StaffMember, *, was: Sequence[PartnerState]
) -> bool:
    """Whether an application, held from here on with who made it, still waits; False when just this was decided already."""
    if partner.applied_by_id is not None:
        session.get_one(Account, partner.applied_by_id).lock()  # first, as whoever leaves does
    if partner.lock().state in was:
        return False
    if partner.state is not PartnerState.APPLIED:
        raise Conflict("partner_settled", "这个申请已经处理过，请刷新后查看")
    if by.account_id is not None and by.account_id == partner.applied_by_id:
        raise Forbidden("own_content", "这是您自己提交的申请，请由其他工作人员审核")
    return True


def _reject(session: Session, partner: Partner, because: str) -> None:
    partner.state, partner.decided_at, partner.reason = PartnerState.REJECTED, clock.now(), because
    for pairing in _asked(session, partner):
        end(pairing, because)
    session.flush()


def _asked(session: Session, partner: Partner) -> Sequence[Pairing]:
    return session.scalars(
        select(Pairing).where(Pairing.partner_id == partner.id, Pairing.state == PairingState.ASKED)
    ).all()


def _is_known(field: str, other: str) -> Conflict:
    message = "这个单位已经登记或正在审核，请向单位的管理人或社区要一个邀请码，直接加入"
    return Conflict("unit_known", message, faults=[Fault(field, message)])
