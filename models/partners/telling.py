"""Telling (告知单位): who acts for a unit, or asked for it, hears what became of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.base import new_key
from models.notices import Debt, Notice, NoticeKind, goes_out_at, owe
from models.partners.pairings import Pairing
from models.partners.rows import Partner, PartnerMember, members_of


def tell_unit(
    session: Session,
    partner: Partner,
    result: str,
    remark: str,
    *,
    accounts: Collection[int] | None = None,
    pairing: Pairing | None = None,
) -> None:
    """Owe the word that something was decided about a unit (about a pairing of it) to these accounts, or else to all its members.

    ``result`` is what a message shows in a few signs, ``remark`` says why or what may be done now.
    """
    session.flush()
    told = members_of(session, [partner.id]).get(partner.id, []) if accounts is None else accounts
    now = clock.now()
    owe(
        session.connection(),
        [
            Debt(
                NoticeKind.PARTNER_DECIDED,
                subject_key=partner.key,
                page_subject=partner.key,
                account_ids=sorted(told),
                facts={
                    "unit": partner.name,
                    "result": result,
                    "decided_at": now.isoformat(),
                    "remark": remark,
                    "state": partner.state.value,
                    "pairing": None if pairing is None else pairing.key,
                    "pairing_state": None if pairing is None else pairing.state.value,
                },
                due_at=goes_out_at(session, NoticeKind.PARTNER_DECIDED, partner.region_id, now),
                version=new_key(),  # every decision is told, also two within one second
            )
        ],
    )


def those_still_decided(session: Session, notices: Sequence[Notice]) -> set[int]:
    """The ids of those of these notices whose unit, and pairing, stand as they say, and whose readers still have to do with it."""
    keys = {notice.subject_key for notice in notices}
    units = {unit.key: unit for unit in session.scalars(select(Partner).where(Partner.key.in_(keys)))}
    pairings = dict(
        session.execute(
            select(Pairing.key, Pairing.state).where(
                Pairing.key.in_({notice.facts["pairing"] for notice in notices if notice.facts["pairing"]})
            )
        ).all()
    )
    acting = {
        (partner_id, account_id)
        for partner_id, account_id in session.execute(
            select(PartnerMember.partner_id, PartnerMember.account_id).where(
                PartnerMember.partner_id.in_({unit.id for unit in units.values()}),
                PartnerMember.left_at.is_(None),
            )
        )
    }
    return {
        notice.id
        for notice in notices
        if (unit := units.get(notice.subject_key)) is not None
        and notice.facts["state"] == unit.state
        and pairings.get(notice.facts["pairing"]) == notice.facts["pairing_state"]
        and (notice.account_id == unit.applied_by_id or (unit.id, notice.account_id) in acting)
    }
