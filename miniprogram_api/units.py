"""One's own unit (本单位): applied for, joined with a code, and what its members see and do of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from miniprogram_api.content import checked
from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, account, named_in, partner_hat
from miniprogram_api.office import hat
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.partners import (
    ApplicationsOut,
    HoursServedOut,
    HoursServedQuery,
    JoinUnitIn,
    LeaveUnitQuery,
    MemberInvitationOut,
    PartnerApplicationIn,
    PartnerLineOut,
    PartnerMembersOut,
    PartnerOut,
)
from miniprogram_api.wechat import Scene
from models import clock
from models.base import db
from models.content_checks import UNIT_CONTACT, UNIT_NAME
from models.coordination.parting import leave, remove
from models.partners import (
    Partner,
    PartnerKind,
    PartnerMember,
    UnitCard,
    applications_of,
    apply_for_unit,
    ask_renewal,
    entries_of,
    hours_of,
    invite_member,
    join_unit,
    known_members,
    member_of,
    must_be_manager,
    name_manager,
    partner_by_key,
    take_back_invitation,
)
from models.regions import region_by_key

door = Door("units", description="本单位")


@door.get("/me/partner-applications")
@door.gives(ApplicationsOut)
def list_my_applications() -> dict[str, Any]:
    """我的入驻申请

    Every unit one asked for, whatever became of it, oldest first; one that was rejected says why.
    """
    return {"items": applications_of(db.session(), account())}


@door.post("/me/partner-applications", asks_wechat=True, rate=RateName.PROFILE)
@door.takes(PartnerApplicationIn)
@door.gives(PartnerLineOut, 201)
def apply_for_my_unit(sent: dict[str, Any]) -> Partner:
    """申请单位入驻

    A unit one acts for, and the community (or what is above it) it wishes to be paired with, whose office decides. Send an
    ``Idempotency-Key``. 409 ``unit_known`` where it is here already: its manager or the community has a code to join it with. Departments do
    not apply: the street writes them down. Its name and whom to call are checked first: 422 ``content_risky`` asks for other words.
    """
    with named_in("region"):
        card_of(sent)  # what is not there is said before anybody is asked
    opinions = [checked(sent[field.name], field, scene=Scene.PROFILE) for field in (UNIT_NAME, UNIT_CONTACT)]
    with named_in("region"):
        card = card_of(sent)
    partner = apply_for_unit(db.session(), account(), card)
    for opinion in opinions:
        opinion.write_down(key=partner.key, account_id=account().id, resident_id=None)
    return partner


@door.post("/me/partner-memberships", rate=RateName.INVITATIONS)
@door.takes(JoinUnitIn)
@door.gives(PartnerLineOut, 201)
def join_a_unit(sent: dict[str, Any]) -> Partner:
    """凭邀请码加入单位

    409 ``invitation_invalid`` for a code that is unknown, used or too old; ``already_member`` leaves it to a colleague.
    """
    return join_unit(db.session(), account(), sent["code"]).partner


@door.delete("/me/partner-memberships/<key:key>")
@door.takes(LeaveUnitQuery, location="query")
@door.gives(None, 204, refuses=(409, 422))
def leave_my_unit(wanted: dict[str, Any], key: str) -> None:
    """退出单位

    Act for this unit no longer; what one led of its claims a manager leads. 409 ``last_manager`` for its only manager: ``details.successor`` is
    the member who will be one, or none where nobody else is left; sent back as ``successor`` it says that this was read.
    """
    unit = partner_by_key(db.session(), account(), key)
    leave(db.session(), account(), unit, successor=wanted.get("successor"))


@door.get("/partner")
@door.gives(PartnerOut)
def show_my_unit() -> Partner:
    """本单位资料

    As it was written down, where it stands, and until when.
    """
    return partner_hat()


@door.get("/partner/members")
@door.gives(PartnerMembersOut)
def list_my_colleagues() -> dict[str, Any]:
    """本单位成员

    Masked, managers first.
    """
    return {"items": known_members(db.session(), partner_hat())}


@door.post("/partner/invitations", rate=RateName.INVITATIONS)
@door.gives(MemberInvitationOut, 201)
def invite_a_colleague() -> dict[str, Any]:
    """邀请同事

    A code of eight digits, good for a day and once, from a manager. A new code takes the place of the one before.
    """
    partner = _led()
    code = invite_member(db.session(), partner, **hat())
    return {"code": code, "until": partner.invited_until}


@door.delete("/partner/invitations")
@door.gives(None, 204)
def take_back_my_invitation() -> None:
    """收回邀请码

    The code that was handed out is worth nothing any more. Twice is fine.
    """
    take_back_invitation(db.session(), _led(), **hat())


@door.delete("/partner/members/<key:key>")
@door.gives(None, 204, refuses=(409,))
def remove_a_colleague(key: str) -> None:
    """移出成员

    By a manager; what the member led of its claims a manager leads. Twice is fine; 409 ``last_manager`` for the last one, who leaves instead.
    """
    remove(db.session(), _colleague(key), **hat())


@door.put("/partner/members/<key:key>/management")
@door.gives(PartnerMembersOut)
def name_another_manager(key: str) -> dict[str, Any]:
    """让成员当管理人

    By a manager, who stays one. Twice is fine.
    """
    member = _colleague(key)
    name_manager(db.session(), member, **hat())
    return {"items": known_members(db.session(), member.partner)}


@door.put("/partner/renewal-request")
@door.gives(PartnerOut, refuses=(409,))
def ask_for_renewal() -> Partner:
    """申请续期

    For another year. Twice is fine; 409 ``renewal_early`` says from when it may be asked.
    """
    partner = partner_hat()
    ask_renewal(db.session(), partner, **hat())
    return partner


@door.get("/partner/hours")
@door.takes(HoursServedQuery, location="query")
@door.gives(HoursServedOut, refuses=(422,))
def show_my_hours(wanted: dict[str, Any]) -> dict[str, Any]:
    """本单位的服务时长

    Of some days: in all, by whom, and line by line, the newest first.
    """
    return hours_shown(partner_hat(), wanted)


def card_of(sent: dict[str, Any]) -> UnitCard:
    """What was sent of a unit. Raises NotFound for a place that is not there."""
    region = region_by_key(db.session(), sent["region"])
    return UnitCard(**{**sent, "region": region, "kind": PartnerKind(sent["kind"])})


def hours_shown(partner: Partner, wanted: dict[str, Any]) -> dict[str, Any]:
    """What a unit gave in the days that were asked for."""
    limit, days = wanted["limit"], timedelta(days=wanted["days"] - 1)
    first = wanted.get("first") or clock.today() - days
    last = min(first, date.max - days) + days
    shares = hours_of(db.session(), partner, first_day=first, last_day=last)
    found = entries_of(
        db.session(),
        partner,
        first_day=first,
        last_day=last,
        before_id=after_id(wanted.get("cursor")),
        most=limit + 1,
    )
    shown = page(found, limit, lambda entry: [entry.id])
    return {**shown, "minutes": sum(share.minutes for share in shares), "shares": shares}


def _led() -> Partner:
    partner = partner_hat()
    must_be_manager(db.session(), partner, account())
    return partner


def _colleague(key: str) -> PartnerMember:
    return member_of(db.session(), _led(), key)
