"""Photos of what was brought (圆梦照片): of the thing, never of people (domain.md §0, 6); seen by who wished, the unit and the community alone.

They are pictures of the wish with the claim they show, and go the way of all its pictures: painted anew, looked at, under addresses that are good for an
hour or two, and forgotten with it.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.errors import Forbidden, NotFound
from models.journal import enter
from models.partners import Partner
from models.wishes.claims.claiming import hold_claim, must_stand
from models.wishes.claims.rows import UNDER_WAY, Claim, ClaimState
from models.wishes.parties import By
from models.wishes.photos import must_be_few, must_be_no_childs, take_away
from models.wishes.rows import Wish, WishPhoto


def may_show(claim: Claim, *, by: By) -> None:
    """Raises Forbidden ``lead_alone``, Conflict ``claim_decided`` for a claim not under way, ``child_photo``, ``too_many_photos``."""
    if claim.lead_account_id is None or claim.lead_account_id != by.account_id:
        raise Forbidden("lead_alone", "只有这个心愿的牵头人可以办理")
    must_stand(claim, *UNDER_WAY)
    must_be_no_childs(claim.wish)
    must_be_few(claim.photos)


def show_what_was_brought(
    session: Session, claim: Claim, *, file: str, thumbnail: str, width: int, height: int, by: By
) -> WishPhoto:
    """Add one more picture of what is brought. Raises as ``may_show``."""
    hold_claim(session, claim)
    session.refresh(claim, ["photos"])  # two that are sent at once are counted one after the other
    may_show(claim, by=by)
    photo = WishPhoto(
        wish_id=claim.wish_id, claim_id=claim.id, file=file, thumbnail=thumbnail, width=width, height=height
    )
    session.add(photo)
    session.flush()
    enter(session, "wish_photo.added", photo, **by.of(claim.wish))
    session.refresh(claim, ["photos"])
    return photo


def show_no_more(session: Session, photo: WishPhoto, claim: Claim, *, by: By) -> tuple[str, str]:
    """It does not show it after all; the names of its files, which may go once this is committed.

    Raises Forbidden ``lead_alone``, and Conflict ``claim_decided`` once the unit said that it is done: then it is what they showed.
    """
    hold_claim(session, claim)
    if claim.lead_account_id is None or claim.lead_account_id != by.account_id:
        raise Forbidden("lead_alone", "只有这个心愿的牵头人可以办理")
    must_stand(claim, ClaimState.IN_PROGRESS)
    files = take_away(session, photo, by=by)
    session.refresh(claim, ["photos"])
    return files


def photo_of_unit(session: Session, key: str, partner: Partner) -> tuple[WishPhoto, Claim]:
    """The picture with this key of what a unit brought, and its claim. Raises NotFound for any other."""
    found = session.execute(
        select(WishPhoto, Claim)
        .join(Claim, Claim.id == WishPhoto.claim_id)
        .options(
            joinedload(WishPhoto.wish).joinedload(Wish.resident),
            joinedload(Claim.wish).joinedload(Wish.resident),
        )
        .where(WishPhoto.key == key, Claim.partner_id == partner.id)
    ).first()
    if found is None:
        raise NotFound("没有找到这张照片")
    return found[0], found[1]
