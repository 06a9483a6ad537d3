"""Pairing (结对): units ask for it, the offices of the places agree, trust, and either ends it."""

from __future__ import annotations

from typing import Any

from miniprogram_api.content import checked
from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, account, named_in, partner_hat
from miniprogram_api.office import hat, office_places
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.pairings import (
    MyPairingsOut,
    PairingIn,
    PairingOut,
    PairingsOut,
    PairingsQuery,
    StaffPairingIn,
)
from miniprogram_api.schemas.partners import PartnerReasonIn
from miniprogram_api.wechat import Scene
from models.base import db
from models.content_checks import PAIRING_REASON
from models.errors import NotFound
from models.partners import (
    Pairing,
    agree_to,
    ask_to_be_paired,
    end_pairing,
    pair,
    pairing_of,
    pairing_within,
    pairings_of,
    pairings_within,
    partner_within,
    trust,
)
from models.regions import is_within, region_by_key

door = Door("pairings", description="结对")


@door.get("/partner/pairings")
@door.gives(MyPairingsOut)
def list_my_pairings() -> dict[str, Any]:
    """本单位的结对

    Every pairing of the unit one acts for, also those that ended, oldest first.
    """
    return {"items": pairings_of(db.session(), partner_hat())}


@door.post("/partner/pairings", rate=RateName.PROFILE)
@door.takes(PairingIn)
@door.gives(PairingOut, 201)
def ask_for_a_pairing(sent: dict[str, Any]) -> Pairing:
    """申请结对

    With a community or what is above it; the office there decides, and the unit hears of it. Asking twice is one pairing.
    409 ``pairing_unfit`` for a place smaller than a community.
    """
    partner = partner_hat()
    with named_in("region"):
        region = region_by_key(db.session(), sent["region"])
    return ask_to_be_paired(db.session(), partner, region, **hat())


@door.put("/partner/pairings/<key:key>/ending", asks_wechat=True, rate=RateName.PROFILE)
@door.takes(PartnerReasonIn)
@door.gives(PairingOut, refuses=(409, 422))
def end_my_pairing(sent: dict[str, Any], key: str) -> Pairing:
    """结束本单位的结对

    With a reason the office reads; what was taken on there goes on. Twice is fine, the first reason stays.
    """
    pairing_of(db.session(), partner_hat(), key)  # whoever has none is told before anybody is asked
    opinion = checked(sent["because"], PAIRING_REASON, scene=Scene.SOCIAL_LOG)
    pairing = pairing_of(db.session(), partner_hat(), key)
    end_pairing(db.session(), pairing, sent["because"], **hat())
    opinion.write_down(key=pairing.key, account_id=account().id, resident_id=None)
    return pairing


# --- staff --------------------------------------------------------------------------------------------------------


@door.get("/staff/pairings")
@door.takes(PairingsQuery, location="query")
@door.gives(PairingsOut, refuses=(422,))
def list_pairings(wanted: dict[str, Any]) -> dict[str, Any]:
    """结对列表（工作人员）

    Pairings with the places one works for that are in a state: those to be agreed to, unless another is named.
    """
    limit = wanted["limit"]
    found = pairings_within(
        db.session(),
        office_places(),
        state=wanted["state"],
        after_id=after_id(wanted.get("cursor")),
        most=limit + 1,
    )
    return page(found, limit, lambda pairing: [pairing.id])


@door.post("/staff/pairings", rate=RateName.COUNTER)
@door.takes(StaffPairingIn)
@door.gives(PairingOut, 201)
def pair_a_unit(sent: dict[str, Any]) -> Pairing:
    """与单位结对（工作人员）

    A unit of one's own places, with one of them, at once. Twice is one pairing; a unit one acts for is 403 ``own_content``.
    """
    places = office_places()
    with named_in("partner"):
        partner = partner_within(db.session(), sent["partner"], within=places)
    with named_in("region"):
        region = region_by_key(db.session(), sent["region"])
        if not is_within(region, places):
            raise NotFound("没有找到这个地点")
    return pair(db.session(), partner, region, **hat())


@door.put("/staff/pairings/<key:key>/agreement")
@door.gives(PairingOut, refuses=(409,))
def agree_to_pairing(key: str) -> Pairing:
    """同意结对（工作人员）

    The unit hears of it. Twice is fine; 409 ``pairing_over`` for one that has ended, 403 ``own_content`` for a unit one acts for.
    """
    pairing = _of_office(key)
    agree_to(db.session(), pairing, **hat())
    return pairing


@door.put("/staff/pairings/<key:key>/ending")
@door.takes(PartnerReasonIn)
@door.gives(PairingOut, refuses=(409, 422))
def end_a_pairing(sent: dict[str, Any], key: str) -> Pairing:
    """结束或不同意结对（工作人员）

    For a reason the unit reads; what it has taken on goes on. Twice is fine, the first reason stays.
    """
    pairing = _of_office(key)
    end_pairing(db.session(), pairing, sent["because"], **hat())
    return pairing


@door.put("/staff/pairings/<key:key>/trust")
@door.gives(PairingOut, refuses=(409,))
def trust_a_unit(key: str) -> Pairing:
    """免审（工作人员）

    What this unit claims in this place needs no confirmation any more. Twice is fine; 409 ``pairing_over`` for one that does not stand, 403
    ``own_content`` for a unit one acts for.
    """
    pairing = _of_office(key)
    trust(db.session(), pairing, is_trusted=True, **hat())
    return pairing


@door.delete("/staff/pairings/<key:key>/trust")
@door.gives(PairingOut, refuses=(409,))
def trust_a_unit_no_longer(key: str) -> Pairing:
    """取消免审（工作人员）

    What it claims from now on is confirmed first. Twice is fine.
    """
    pairing = _of_office(key)
    trust(db.session(), pairing, is_trusted=False, **hat())
    return pairing


def _of_office(key: str) -> Pairing:
    return pairing_within(db.session(), key, within=office_places())
