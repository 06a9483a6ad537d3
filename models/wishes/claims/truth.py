"""Whether a notice about a claim still says the truth. What has become untrue since it was owed is not sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.notices import News, NoticeKind
from models.partners import PartnerMember
from models.staff import OFFICE, Role, offices, over
from models.wishes.claims.rows import LIVE, UNDER_WAY, Claim, ClaimState
from models.wishes.rows import Wish

_TO_WISHERS = (NoticeKind.WISH_CLAIMED, NoticeKind.WISH_PROGRESS, NoticeKind.WISH_DELIVERED)

_AS_SAID = (NoticeKind.WISH_PROGRESS, NoticeKind.CLAIM_TO_DO)  # these name the state themselves
_TO_STAFF = (NoticeKind.CLAIM_OVERDUE_HERE, NoticeKind.CLAIM_UNHAPPY, NoticeKind.CLAIM_CARE_OVERDUE)
_OF_A_DAY = (NoticeKind.CLAIM_DUE_SOON, NoticeKind.CLAIM_OVERDUE, NoticeKind.CLAIM_OVERDUE_HERE)
_WHERE: Mapping[NoticeKind, Collection[ClaimState]] = {
    NoticeKind.WISH_CLAIMED: (*UNDER_WAY, ClaimState.FULFILLED),
    NoticeKind.WISH_DELIVERED: (ClaimState.DELIVERED,),
    NoticeKind.CLAIM_URGED: LIVE,
    NoticeKind.CLAIM_DUE_SOON: LIVE,
    NoticeKind.CLAIM_OVERDUE: (ClaimState.IN_PROGRESS,),
    NoticeKind.CLAIM_OVERDUE_HERE: (ClaimState.IN_PROGRESS,),
}


def claims_still_true(session: Session, news: Sequence[News]) -> set[int]:
    """The ids of those whose claim stands as they say, and, of those to a unit, whose reader acts for it still; as many statements for one as for many."""
    claims = {
        claim.key: claim
        for claim in session.scalars(
            select(Claim)
            .options(joinedload(Claim.wish).joinedload(Wish.region), joinedload(Claim.rating))
            .where(Claim.key.in_({each.subject_key for each in news}))
        )
    }
    rows = session.execute(
        select(PartnerMember.partner_id, PartnerMember.account_id).where(
            PartnerMember.partner_id.in_({claim.partner_id for claim in claims.values()}),
            PartnerMember.left_at.is_(None),
        )
    )
    acting = {(partner_id, account_id) for partner_id, account_id in rows}
    heard_here = any(each.kind in _TO_STAFF for each in news)
    staff = offices(session, *OFFICE, Role.STREET_OFFICER) if heard_here else []
    return {
        each.id
        for each in news
        if (claim := claims.get(each.subject_key)) is not None
        and _holds(claim, each)
        and (each.kind in _TO_WISHERS or _is_theirs(claim, each, acting, staff))
    }


def _is_theirs(
    claim: Claim, news: News, acting: Collection[tuple[int, int]], staff: Sequence[tuple[str, int]]
) -> bool:
    """Whether whoever reads it acts for the unit still, or works for the place; only notices go to either."""
    reader = getattr(news, "account_id", None)
    if news.kind in _TO_STAFF:
        return reader in over(staff, claim.wish.region.path)
    return (claim.partner_id, reader) in acting


def _holds(claim: Claim, news: News) -> bool:
    if news.kind in _AS_SAID:
        return bool(claim.state.value == news.facts["state"])
    if news.kind is NoticeKind.CLAIM_UNHAPPY:
        return claim.rating is not None and claim.rating.called_at is None
    if news.kind is NoticeKind.CLAIM_CARE_OVERDUE:
        due_at = claim.rating.care_due_at if claim.rating else None
        return due_at is not None and due_at == datetime.fromisoformat(news.facts["due_at"])
    stands = _WHERE.get(news.kind)
    is_of_that_day = news.kind not in _OF_A_DAY or (
        claim.due_at is not None and claim.due_at == datetime.fromisoformat(news.facts["due_at"])
    )
    return stands is None or (claim.state in stands and is_of_that_day)
