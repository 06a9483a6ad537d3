"""Joining (绑定登记): a code from the counter, with which somebody entered there makes the entry their own."""

from __future__ import annotations

from typing import Any

from miniprogram_api.counter import resident_at_the_counter
from miniprogram_api.edge import Door, account, staff_hat
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.joining import JoinIn, JoiningCodeOut
from models.base import db
from models.joining import invite_to_join, join

door = Door("joining", description="绑定登记")


@door.post("/staff/residents/<key:key>/joining-codes", rate=RateName.COUNTER)
@door.gives(JoiningCodeOut, 201)
def hand_out_joining_code(key: str) -> dict[str, Any]:
    """发放绑定码（工作人员）

    A code of ten digits for somebody who was entered without WeChat and has one now, good for half an hour and once: for the person in
    front of the counter, to be entered on their own phone. A new code takes the place of the one before. 409 ``has_wechat`` for somebody
    who has one here, 409 ``guardian_acts`` for a child below fourteen.
    """
    resident = resident_at_the_counter(key)
    return {"code": invite_to_join(db.session(), resident, by=staff_hat()), "until": resident.joining_until}


@door.post("/me/joining", rate=RateName.INVITATIONS)
@door.takes(JoinIn)
@door.gives(None, 204)
def join_my_entry(sent: dict[str, Any]) -> None:
    """绑定柜台登记

    From now on one is the resident who was handed this code: ``GET /me`` shows them, with what they hold and who acts for them. Needs a
    standing consent. 409 ``invitation_invalid`` for a code that is unknown, used or too old, 409 ``already_somebody`` for who has
    registrations or bonds of their own.
    """
    join(db.session(), account(), sent["code"])
