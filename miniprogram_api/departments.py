"""Departments (职能部门): the street writes them down, hands out the code with which somebody joins, and sees to whom items may be assigned."""

from __future__ import annotations

from typing import Any

from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, named_in
from miniprogram_api.office import hat
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.issue_orders import AssignableUnitsOut, AssignableUnitsQuery, DepartmentIn
from miniprogram_api.schemas.partners import MemberInvitationOut, PartnerLineOut
from miniprogram_api.street import street_named, street_places
from models.base import db
from models.errors import NotFound
from models.issue_orders import units_to_assign
from models.partners import Partner, PartnerKind, UnitCard, enlist_unit, invite_member, partner_within

door = Door("departments", description="职能部门")


@door.get("/staff/departments")
@door.takes(AssignableUnitsQuery, location="query")
@door.gives(AssignableUnitsOut, refuses=(409, 422))
def list_departments(wanted: dict[str, Any]) -> dict[str, Any]:
    """可以交办的部门和单位（街道干部）

    Departments that serve a street and units paired there, in the order they were added. Numbers are masked.
    """
    limit = wanted["limit"]
    with named_in("region"):
        street = street_named(wanted["region"])
    found = units_to_assign(db.session(), street, after_id=after_id(wanted.get("cursor")), most=limit + 1)
    return page(found, limit, lambda unit: [unit.id])


@door.post("/staff/departments", rate=RateName.COUNTER)
@door.takes(DepartmentIn)
@door.gives(PartnerLineOut, 201, refuses=(409, 422))
def add_department(sent: dict[str, Any]) -> Partner:
    """登记职能部门（街道干部）

    A department that serves one's street, with its code. Send an ``Idempotency-Key``. 409 ``credit_code_wrong``, ``partner_exists`` as for units.
    """
    with named_in("region"):
        street = street_named(sent["region"])
    card = UnitCard(**{**sent, "region": street, "kind": PartnerKind.DEPARTMENT})
    return enlist_unit(db.session(), card, **hat())


@door.post("/staff/departments/<key:key>/invitations", rate=RateName.COUNTER)
@door.gives(MemberInvitationOut, 201, refuses=(409,))
def invite_to_department(key: str) -> dict[str, Any]:
    """邀请部门经办人（街道干部）

    A code of eight digits, good for a day and once; who is the first to come manages it. A new code takes the place of the one before.
    """
    partner = partner_within(db.session(), key, within=street_places())
    if partner.kind is not PartnerKind.DEPARTMENT:
        raise NotFound("没有找到这个部门")
    code = invite_member(db.session(), partner, **hat())
    return {"code": code, "until": partner.invited_until}
