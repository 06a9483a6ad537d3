"""The desk: what waits for the staff member who is asking, where the twice-daily word of it leads."""

from __future__ import annotations

from typing import Any

from miniprogram_api.edge import Door, staff_hat
from miniprogram_api.schemas.desk import DeskOut
from models.base import db
from models.desk import desk_of

door = Door("desk", description="待办")


@door.get("/staff/desk")
@door.gives(DeskOut)
def show_desk() -> dict[str, Any]:
    """待办事项（工作人员）

    How many things of each kind wait for this hat, in the places where it has the role for them. What a staff member has no role for
    is not listed.
    """
    return {"items": desk_of(db.session(), staff_hat())}
