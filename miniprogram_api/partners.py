"""Partner units (共建单位 · 合伙人): written down by the offices of the places they serve."""

from __future__ import annotations

from typing import Any

from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, named_in
from miniprogram_api.office import hat, office_places
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.partners import PartnerIn, PartnerOut, PartnersOut, PartnersQuery
from models.base import db
from models.errors import NotFound
from models.journal import enter
from models.partners import (
    Partner,
    UnitCard,
    correct_unit,
    enlist_unit,
    partner_within,
    partners_within,
)
from models.regions import is_within, region_by_key

door = Door("partners", description="共建单位与合伙人")


@door.get("/staff/partners")
@door.takes(PartnersQuery, location="query")
@door.gives(PartnersOut, refuses=(422,))
def list_partners(wanted: dict[str, Any]) -> dict[str, Any]:
    """单位列表（工作人员）

    Units that serve the places one works for, in the order they were added. Numbers are masked.
    """
    limit = wanted["limit"]
    found = partners_within(
        db.session(), office_places(), after_id=after_id(wanted.get("cursor")), most=limit + 1
    )
    return page(found, limit, lambda partner: [partner.id])


@door.get("/staff/partners/<key:key>", looks=True)
@door.gives(PartnerOut)
def show_partner(key: str) -> Partner:
    """单位资料（工作人员）

    With the whole number of whom to call. Every look is journalled.
    """
    partner = partner_within(db.session(), key, within=office_places())
    enter(db.session(), "partner.looked_at", partner, **hat())
    return partner


@door.post("/staff/partners", rate=RateName.COUNTER)
@door.takes(PartnerIn)
@door.gives(PartnerOut, 201)
def add_partner(sent: dict[str, Any]) -> Partner:
    """登记单位（工作人员）

    A unit that serves a place one works for. Send an ``Idempotency-Key``. 409 ``credit_code_wrong`` says which sign is wrong where one
    can tell, ``partner_exists`` names the field in which it is the same as another.
    """
    return enlist_unit(db.session(), _card(sent), **hat())


@door.put("/staff/partners/<key:key>", rate=RateName.COUNTER)
@door.takes(PartnerIn)
@door.gives(PartnerOut, refuses=(409, 422))
def correct_partner(sent: dict[str, Any], key: str) -> Partner:
    """更正单位资料（工作人员）

    Everything anew; the same again changes nothing. Refused as when it was added.
    """
    partner = partner_within(db.session(), key, within=office_places())
    correct_unit(db.session(), partner, _card(sent), **hat())
    return partner


def _card(sent: dict[str, Any]) -> UnitCard:
    places = office_places()
    with named_in("region"):
        region = region_by_key(db.session(), sent["region"])
        if not is_within(region, places):
            raise NotFound("没有找到这个地点")
    return UnitCard(
        name=sent["name"],
        kind=sent["kind"],
        credit_code=sent["credit_code"],
        region=region,
        contact_name=sent["contact_name"],
        contact_phone=sent["contact_phone"],
    )
