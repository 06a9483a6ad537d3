"""Equipment (设备): what staff write down of what a site lends with its rooms."""

from __future__ import annotations

from typing import Any

from miniprogram_api.edge import Door
from miniprogram_api.office import hat, office_places, venue_of_office
from miniprogram_api.schemas.equipment import EquipmentIn, EquipmentOut
from models.base import db
from models.equipment import Equipment, add_equipment, change_equipment, equipment_in, retire_equipment
from models.sites import Venue, site_in

door = Door("equipment", description="设备")


@door.post("/staff/sites/<key:key>/equipment")
@door.takes(EquipmentIn)
@door.gives(EquipmentOut, 201)
def add_staff_equipment(sent: dict[str, Any], key: str) -> Equipment:
    """登记设备（工作人员）

    What the site has and how many pieces, for any of its rooms, or for one alone. Send an ``Idempotency-Key``. 409 ``equipment_exists``
    where it is there already.
    """
    site = site_in(db.session(), key, within=office_places())
    return add_equipment(
        db.session(), site, name=sent["name"], stock=sent["stock"], venue=_room(sent), **hat()
    )


@door.put("/staff/equipment/<key:key>")
@door.takes(EquipmentIn)
@door.gives(EquipmentOut, refuses=(409, 422))
def change_staff_equipment(sent: dict[str, Any], key: str) -> Equipment:
    """修改设备（工作人员）

    Its name, how many there are, and the room it goes with (null: any). 409 ``equipment_promised`` where fewer would be left than are
    promised to somebody already; ``details.pieces`` says how many that are.
    """
    equipment = equipment_in(db.session(), key, within=office_places())
    change_equipment(
        db.session(), equipment, name=sent["name"], stock=sent["stock"], venue=_room(sent), **hat()
    )
    return equipment


@door.delete("/staff/equipment/<key:key>")
@door.gives(None, 204, refuses=(409,))
def retire_staff_equipment(key: str) -> None:
    """停用设备（工作人员）

    It is not lent any more. 409 ``equipment_promised`` while somebody was promised some of it.
    """
    retire_equipment(db.session(), equipment_in(db.session(), key, within=office_places()), **hat())


def _room(sent: dict[str, Any]) -> Venue | None:
    return None if sent["venue"] is None else venue_of_office(sent["venue"])
