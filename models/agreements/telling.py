"""Telling (告知单位): who acts for a unit hears what became of something it wrote down."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.agreements.rows import ServiceAgreement, ServiceDelivery
from models.notices import Debt, Notice, NoticeKind, goes_out_at, owe_once
from models.partners import PartnerMember, members_of


def tell_declined(session: Session, delivery: ServiceDelivery) -> None:
    """Owe the word that a record was declined, and why, to everybody who acts for the unit."""
    agreement, now = delivery.agreement, clock.now()
    owe_once(
        session.connection(),
        [
            Debt(
                NoticeKind.SERVICE_DECLINED,
                subject_key=agreement.key,
                page_subject=agreement.key,
                account_ids=members_of(session, {agreement.partner_id}).get(agreement.partner_id, []),
                facts={
                    "agreement": agreement.title,
                    "delivery": delivery.key,
                    "given": f"{delivery.done_on.month}月{delivery.done_on.day}日{delivery.minutes}分钟",
                    "decided_at": now.isoformat(),
                    "reason": delivery.declined_because,
                },
                due_at=goes_out_at(session, NoticeKind.SERVICE_DECLINED, agreement.venue.site.region_id, now),
                version=delivery.key,
            )
        ],
    )


def those_still_declined(session: Session, notices: Sequence[Notice]) -> set[int]:
    """The ids of those of these notices whose record is still declined, and whose readers still act for the unit."""
    acting = session.execute(
        select(ServiceDelivery.key, PartnerMember.account_id)
        .join(ServiceAgreement, ServiceAgreement.id == ServiceDelivery.agreement_id)
        .join(PartnerMember, PartnerMember.partner_id == ServiceAgreement.partner_id)
        .where(
            ServiceDelivery.key.in_({notice.facts["delivery"] for notice in notices}),
            ServiceDelivery.declined_at.is_not(None),
            PartnerMember.left_at.is_(None),
        )
    )
    concerned = {(key, account_id) for key, account_id in acting}
    return {one.id for one in notices if (one.facts["delivery"], one.account_id) in concerned}
