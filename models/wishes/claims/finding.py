"""Finding (查找): the claims of a unit, of a wish and of a place, and how many wait for whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.orm import Session, joinedload, selectinload

from models.errors import NotFound
from models.partners import Partner, is_paired
from models.regions import Region, is_within, regions_within
from models.wishes.claims.rows import LIVE, Claim, ClaimHelper, ClaimState, Rating
from models.wishes.rows import Wish


def claims_of(
    session: Session,
    partner: Partner,
    *,
    states: Collection[ClaimState],
    before_id: int | None,
    most: int,
) -> Sequence[Claim]:
    """Up to ``most`` claims of a unit in these states, the newest first."""
    query = (
        _whole()
        .where(Claim.partner_id == partner.id, Claim.state.in_(states))
        .order_by(Claim.id.desc())
        .limit(most)
    )
    return session.scalars(query if before_id is None else query.where(Claim.id < before_id)).all()


def claim_of(session: Session, key: str, partner: Partner) -> Claim:
    """The claim with this key of a unit. Raises NotFound for any other's."""
    claim = session.scalar(_whole().where(Claim.key == key, Claim.partner_id == partner.id))
    if claim is None:
        raise NotFound("没有找到这个认领")
    return claim


def claim_of_people(session: Session, key: str, people: Collection[int]) -> Claim:
    """The claim with this key on a wish of one of these people. Raises NotFound."""
    claim = session.scalar(
        _whole().join(Wish, Wish.id == Claim.wish_id).where(Claim.key == key, Wish.resident_id.in_(people))
    )
    if claim is None or claim.agreed_at is None:
        raise NotFound("没有找到这个认领")
    return claim


def claims_on(session: Session, wishes: Collection[int]) -> Mapping[int, list[Claim]]:
    """What became of each of these wishes' claims, oldest first, by the wish's id, with as many statements for one as for many."""
    rows = session.scalars(_whole().where(Claim.wish_id.in_(wishes)).order_by(Claim.id)).all()
    found: dict[int, list[Claim]] = {wish_id: [] for wish_id in wishes}
    for claim in rows:
        found[claim.wish_id].append(claim)
    return found


def live_claims_on(session: Session, wish: Wish) -> Sequence[Claim]:
    """The claims of a wish something may still come of."""
    return session.scalars(
        select(Claim).where(Claim.wish_id == wish.id, Claim.state.in_(LIVE)).order_by(Claim.id)
    ).all()


def claims_within(
    session: Session,
    places: Sequence[Region],
    *,
    state: ClaimState,
    overdue_at: datetime | None = None,
    after_id: int | None,
    most: int,
) -> Sequence[Claim]:
    """Up to ``most`` claims in a state on wishes of these places, oldest first.

    ``overdue_at``: only those whose time for what comes next is over at a moment.
    """
    if not places:
        return []
    query = (
        _whole()
        .join(Wish, Wish.id == Claim.wish_id)
        .where(Claim.state == state, Wish.region_id.in_(regions_within(*places)))
        .order_by(Claim.id)
        .limit(most)
    )
    if overdue_at is not None:
        query = query.where(Claim.due_at <= overdue_at)
    return session.scalars(query if after_id is None else query.where(Claim.id > after_id)).all()


def claims_rated_badly(
    session: Session,
    places: Sequence[Region],
    *,
    overdue_at: datetime | None = None,
    after: tuple[datetime, int] | None,
    most: int,
) -> Sequence[tuple[Claim, datetime]]:
    """Up to ``most`` claims on wishes of these places of which somebody said that they are unhappy, and by when that is cared for, what is due first first.

    ``after``: behind the one with this time and id. ``overdue_at``: only those whose time is over at a moment.
    """
    if not places:
        return []
    query = (
        _whole()
        .add_columns(Rating.care_due_at)
        .join(Wish, Wish.id == Claim.wish_id)
        .join(Rating, Rating.claim_id == Claim.id)
        .where(Rating.care_due_at.is_not(None), Wish.region_id.in_(regions_within(*places)))
        .order_by(Rating.care_due_at, Claim.id)
        .limit(most)
    )
    if overdue_at is not None:
        query = query.where(Rating.care_due_at <= overdue_at)
    if after is not None:
        query = query.where(tuple_(Rating.care_due_at, Claim.id) > tuple_(*after))
    return [(claim, due_at) for claim, due_at in session.execute(query)]


def claim_within(session: Session, key: str, *, within: Sequence[Region]) -> Claim:
    """The claim with this key on a wish of one of these places. Raises NotFound outside of them."""
    claim = session.scalar(_whole().where(Claim.key == key))
    if claim is None or not is_within(claim.wish.region, within):
        raise NotFound("没有找到这个认领")
    return claim


def claim_by_key(session: Session, key: str) -> Claim:
    """The claim with this key, wherever it is: the caller says whether it is theirs. Raises NotFound."""
    claim = session.scalar(_whole().where(Claim.key == key))
    if claim is None:
        raise NotFound("没有找到这个认领")
    return claim


def claim_to_help(session: Session, key: str, partner: Partner) -> Claim:
    """The claim with this key of a unit, or of another in a place the unit is paired with. Raises NotFound for any other."""
    claim = claim_by_key(session, key)
    if claim.partner_id != partner.id and not is_paired(session, partner, claim.wish.region):
        raise NotFound("没有找到这个认领")
    return claim


def helpers_of(session: Session, claim: Claim) -> Sequence[ClaimHelper]:
    """Who helps the lead of a claim, in the order they came."""
    return session.scalars(
        select(ClaimHelper)
        .options(joinedload(ClaimHelper.partner))
        .where(ClaimHelper.claim_id == claim.id)
        .order_by(ClaimHelper.id)
    ).all()


def count_to_agree(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many claims waited for the community's yes at a moment, by the path of the community."""
    return _by_place(session, Claim.state == ClaimState.APPLIED, Claim.claimed_at <= as_of)


def count_late(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many units had not done by then what they promised, by the path of the community."""
    return _by_place(session, Claim.state == ClaimState.IN_PROGRESS, Claim.due_at <= as_of)


def count_to_visit(session: Session, as_of: datetime) -> Mapping[str, int]:
    """To how many people nobody had spoken whose wish is said to be done, by the path of the community."""
    return _by_place(session, Claim.state == ClaimState.DELIVERED, Claim.due_at <= as_of)


def count_unhappy(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many bad ratings were to be cared for, by the path of the community."""
    return _count_ratings(session, Rating.care_due_at.is_not(None), Rating.rated_at <= as_of)


def count_care_overdue(session: Session, as_of: datetime) -> Mapping[str, int]:
    """Of how many bad ratings the time to care for them was over by then, by the path of the community."""
    return _count_ratings(session, Rating.care_due_at <= as_of)


def _count_ratings(session: Session, *which: ColumnElement[bool]) -> Mapping[str, int]:
    rows = session.execute(
        select(Region.path, func.count())
        .select_from(Rating)
        .join(Claim, Claim.id == Rating.claim_id)
        .join(Wish, Wish.id == Claim.wish_id)
        .join(Region, Region.id == Wish.region_id)
        .where(*which)
        .group_by(Region.path)
    )
    return dict(rows.all())


def _by_place(session: Session, *which: ColumnElement[bool]) -> Mapping[str, int]:
    rows = session.execute(
        select(Region.path, func.count())
        .select_from(Claim)
        .join(Wish, Wish.id == Claim.wish_id)
        .join(Region, Region.id == Wish.region_id)
        .where(*which)
        .group_by(Region.path)
    )
    return dict(rows.all())


def _whole() -> Select[Claim]:
    return select(Claim).options(
        joinedload(Claim.wish).joinedload(Wish.region),
        joinedload(Claim.wish).joinedload(Wish.resident),
        joinedload(Claim.partner),
        joinedload(Claim.rating),
        selectinload(Claim.fulfilments),
        selectinload(Claim.photos),
    )
