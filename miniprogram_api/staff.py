"""Becoming staff: the invitation a person was given turns their WeChat into a staff identity."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from miniprogram_api.edge import Door, account
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.residents import IdentityOut, InvitationIn
from models.base import db
from models.staff import StaffMember, accept_invitation, grants_of

door = Door("staff", description="工作人员")


@door.post("/me/staff-memberships", rate=RateName.INVITATIONS)
@door.takes(InvitationIn)
@door.gives(IdentityOut, 201)
def join_staff(sent: dict[str, Any]) -> dict[str, Any]:
    """接受工作邀请

    Bind this WeChat to the staff member the code was made for. The code is good once.
    """
    session = db.session()
    return staff_identity(session, accept_invitation(session, account(), sent["code"]))


def staff_identity(session: Session, member: StaffMember) -> dict[str, Any]:
    """The hat of a staff member, with what they may do where."""
    return {"identity": member.identity, "name": member.name, "roles": grants_of(session, member)}
