"""What becomes of one's own wishes (我的心愿进展): who wished asks how it goes, says whether it is done, and how it was."""

from __future__ import annotations

from typing import Any

from miniprogram_api.acting import asking, oneself_and_wards
from miniprogram_api.edge import Door, account
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.claims import ClaimReasonIn, MyClaimOut, RatingIn, said
from miniprogram_api.schemas.standing import UrgedOut, said_of_urging
from models.base import db
from models.wishes import urge, wish_of
from models.wishes.claims import (
    Claim,
    Level,
    SettledBy,
    claim_of_people,
    confirm_done,
    dispute,
    rate_claim,
)

door = Door("my_claims", description="心愿办好了吗")


@door.put("/me/claims/<key:key>/confirmation")
@door.gives(MyClaimOut, refuses=(409,))
def confirm_my_claim(key: str) -> Claim:
    """已收到、已办好

    For oneself or whom one may act for, once the unit says so too. Twice is fine.
    """
    claim = _mine(key)
    confirm_done(db.session(), claim, _how(claim), by=asking())
    return claim


@door.put("/me/claims/<key:key>/dispute")
@door.takes(ClaimReasonIn)
@door.gives(MyClaimOut, refuses=(409, 422))
def dispute_my_claim(sent: dict[str, Any], key: str) -> Claim:
    """没收到、没办好

    What is missing, in words the unit reads; it goes on. Twice is fine.
    """
    claim = _mine(key)
    dispute(db.session(), claim, _how(claim), sent["because"], by=asking())
    return claim


@door.put("/me/claims/<key:key>/rating")
@door.takes(RatingIn)
@door.gives(MyClaimOut, refuses=(409, 422))
def rate_my_claim(sent: dict[str, Any], key: str) -> Claim:
    """评价圆梦

    Five levels, and a few words only the community reads. Who is unhappy is called, it is put right, and they may rate once more.
    """
    claim = _mine(key)
    rate_claim(db.session(), claim, Level(sent["level"]), said(sent, "words"), _how(claim), by=asking())
    return claim


@door.post("/me/wishes/<key:key>/urge", rate=RateName.URGES)
@door.gives(UrgedOut, 200, refuses=(409,))
def urge_my_wish(key: str) -> dict[str, Any]:
    """催办

    Whoever's desk it is on is asked how it goes, once in some days however often one taps; the answer says from when on one may ask again. Twice
    is fine. 409 ``waits_for_you`` where oneself is waited for, ``wish_decided`` once it is over.
    """
    session = db.session()
    urged = urge(session, wish_of(session, key, oneself_and_wards()), by=asking())
    return {"said": said_of_urging(urged), "at": urged.at, "again_at": urged.again_at}


def _mine(key: str) -> Claim:
    return claim_of_people(db.session(), key, oneself_and_wards())


def _how(claim: Claim) -> SettledBy:
    whose = claim.wish.resident
    own = whose is not None and whose.account_id == account().id
    return SettledBy.RESIDENT if own else SettledBy.HELPER
