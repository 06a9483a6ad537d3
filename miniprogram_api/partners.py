"""Partner units (共建单位 · 合伙人): written down by the offices of the places they serve."""

from __future__ import annotations

from typing import Any

from flask import Response

from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, named_in, staff_hat
from miniprogram_api.office import hat, office_places
from miniprogram_api.rates import RateName
from miniprogram_api.rosters import answered_with
from miniprogram_api.schemas.partners import (
    PARTNER_KIND_LABELS,
    PARTNER_STATE_LABELS,
    HoursServedOut,
    HoursServedQuery,
    MemberInvitationOut,
    PartnerCardOut,
    PartnerIn,
    PartnerMembersOut,
    PartnerOut,
    PartnerReasonIn,
    PartnerSheetIn,
    PartnersOut,
    PartnersQuery,
    PartnerSuspendedOut,
)
from miniprogram_api.sheets import MIME, Number, Table, named, workbook_of
from miniprogram_api.units import card_of, hours_shown
from models.base import db
from models.coordination.parting import remove
from models.coordination.suspending import suspend
from models.coordination.unit_sheets import UnitLine, UnitSheet, take_unit_sheet
from models.errors import NotFound
from models.journal import enter
from models.partners import (
    Partner,
    UnitCard,
    approve_unit,
    correct_unit,
    enlist_unit,
    invite_member,
    known_members,
    lift_suspension,
    member_within,
    members_of,
    partner_on_card,
    partner_within,
    partners_within,
    reject_unit,
    renew,
    take_back_invitation,
)
from models.regions import is_within

door = Door("partners", description="共建单位与合伙人")

_FILE = {"type": "string", "format": "binary"}


@door.get("/staff/partners")
@door.takes(PartnersQuery, location="query")
@door.gives(PartnersOut, refuses=(422,))
def list_partners(wanted: dict[str, Any]) -> dict[str, Any]:
    """单位列表（工作人员）

    Units that serve the places one works for, and those that ask to, in the order they were added. Numbers are masked.
    """
    limit = wanted["limit"]
    found = partners_within(
        db.session(),
        office_places(),
        state=wanted.get("state"),
        after_id=after_id(wanted.get("cursor")),
        most=limit + 1,
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


@door.get("/staff/partners/<key:key>/card", looks=True)
@door.gives(PartnerCardOut)
def show_partner_card(key: str) -> dict[str, Any]:
    """单位名片（工作人员）

    For every office of a place the unit is paired with, or asks to be: whom to call, and how many act for it; its papers are for its own
    community. 404 once the pairing has ended. Every look is journalled.
    """
    partner = partner_on_card(db.session(), key, within=office_places())
    enter(db.session(), "partner.looked_at", partner, **hat())
    return {"partner": partner, "members": len(members_of(db.session(), [partner.id]).get(partner.id, ()))}


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


@door.put("/staff/partners/<key:key>/approval")
@door.gives(PartnerOut, refuses=(409,))
def approve_partner(key: str) -> Partner:
    """通过入驻申请（工作人员）

    Who asked for it acts for it from now on, and it is paired with the place it asked for. Twice is fine. 409 ``partner_settled`` when a
    colleague decided otherwise; 403 ``own_content`` for one's own.
    """
    partner = _of_office(key)
    approve_unit(db.session(), partner, by=staff_hat())
    return partner


@door.put("/staff/partners/<key:key>/rejection")
@door.takes(PartnerReasonIn)
@door.gives(PartnerOut, refuses=(409, 422))
def reject_partner(sent: dict[str, Any], key: str) -> Partner:
    """不通过入驻申请（工作人员）

    Who asked reads why, and may ask again. Twice is fine; 409 ``partner_settled`` when a colleague decided otherwise.
    """
    partner = _of_office(key)
    reject_unit(db.session(), partner, sent["because"], by=staff_hat())
    return partner


@door.put("/staff/partners/<key:key>/suspension")
@door.takes(PartnerReasonIn)
@door.gives(PartnerSuspendedOut, refuses=(409, 422))
def suspend_partner(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """暂停单位（工作人员）

    For a reason its members read: they may look, and change nothing. Sent again, the new reason holds. What it has claimed and not done yet is
    free for others; ``claims_released`` says how many.
    """
    partner = _of_office(key)
    released = suspend(db.session(), partner, sent["because"], **hat())
    return {"partner": partner, "claims_released": released}


@door.delete("/staff/partners/<key:key>/suspension")
@door.gives(PartnerOut, refuses=(409,))
def resume_partner(key: str) -> Partner:
    """恢复单位（工作人员）

    At once; its members are told. Twice is fine.
    """
    partner = _of_office(key)
    lift_suspension(db.session(), partner, **hat())
    return partner


@door.put("/staff/partners/<key:key>/renewal")
@door.gives(PartnerOut, refuses=(409,))
def renew_partner(key: str) -> Partner:
    """续期（工作人员）

    Another year for a unit whose year is over or ends soon, asked for or not. For any other nothing changes, so twice is fine.
    """
    partner = _of_office(key)
    renew(db.session(), partner, **hat())
    return partner


@door.get("/staff/partners/<key:key>/members", looks=True)
@door.gives(PartnerMembersOut)
def list_members(key: str) -> dict[str, Any]:
    """单位成员（工作人员）

    Masked, managers first. Every look is journalled.
    """
    partner = _of_office(key)
    enter(db.session(), "partner.members_looked_at", partner, **hat())
    return {"items": known_members(db.session(), partner)}


@door.delete("/staff/partner-members/<key:key>")
@door.gives(None, 204)
def remove_a_member(key: str) -> None:
    """移出单位成员（工作人员）

    Where no manager stays, whoever has been there the longest is one; what the member led of its claims a manager leads. Twice is fine.
    """
    remove(db.session(), member_within(db.session(), key, within=office_places()), **hat())


@door.post("/staff/partners/<key:key>/invitations", rate=RateName.COUNTER)
@door.gives(MemberInvitationOut, 201)
def invite_a_member(key: str) -> dict[str, Any]:
    """邀请单位成员（工作人员）

    A code of eight digits, good for a day and once; who is the first to come manages the unit. A new code takes the place of the one before.
    """
    partner = _of_office(key)
    code = invite_member(db.session(), partner, **hat())
    return {"code": code, "until": partner.invited_until}


@door.delete("/staff/partners/<key:key>/invitations")
@door.gives(None, 204)
def take_back_an_invitation(key: str) -> None:
    """收回单位邀请码（工作人员）

    The code that was handed out is worth nothing any more. Twice is fine.
    """
    take_back_invitation(db.session(), _of_office(key), **hat())


@door.get("/staff/partners/<key:key>/hours")
@door.takes(HoursServedQuery, location="query")
@door.gives(HoursServedOut, refuses=(422,))
def show_hours(wanted: dict[str, Any], key: str) -> dict[str, Any]:
    """单位的服务时长（工作人员）

    Of some days: in all, by whom, and line by line, the newest first.
    """
    return hours_shown(_of_office(key), wanted)


@door.post("/staff/partner-sheets", rate=RateName.FILES)
@door.takes(PartnerSheetIn)
@door.response(200, _FILE, content_type=MIME)
@door.gives(None, refuses=(409, 422))
def export_partners(sent: dict[str, Any]) -> Response:
    """导出单位名单（工作人员）

    An Excel file of the units of the places one works for, ready to print on A4, without the numbers of whom to call. Who took it, when, and
    for what stands in the journal and on every page.
    """
    sheet = take_unit_sheet(
        db.session(), office_places(), state=sent["state"], purpose=sent["purpose"], by=staff_hat()
    )
    return answered_with(workbook_of(_table(sheet)), MIME, named(f"共建单位{sheet.taken_at:%Y%m%d}", "xlsx"))


def _table(sheet: UnitSheet) -> Table:
    return Table(
        tab="共建单位",
        title="共建单位名单",
        about=f"共 {len(sheet.lines)} 个单位",
        columns=[
            ("名称", 24),
            ("类型", 12),
            ("统一社会信用代码", 22),
            ("服务地点", 16),
            ("状态", 9),
            ("有效期至", 13),
            ("结对", 26),
            ("联系人", 10),
            ("成员", 7),
            (f"{sheet.year}年服务小时", 12),
        ],
        lines=[_line(line) for line in sheet.lines],
        watermark=sheet.watermark,
    )


def _line(line: UnitLine) -> list[str | Number]:
    unit = line.partner
    return [
        unit.name,
        PARTNER_KIND_LABELS[unit.kind],
        unit.credit_code or "",
        unit.region.name if unit.region is not None else "",
        PARTNER_STATE_LABELS[unit.standing],
        f"{unit.renewed_until:%Y-%m-%d}" if unit.renewed_until is not None else "",
        "、".join(line.paired_with),
        unit.contact_name or "",
        Number(line.members),
        Number(round(line.minutes / 60, 1), "0.0"),
    ]


def _of_office(key: str) -> Partner:
    return partner_within(db.session(), key, within=office_places())


def _card(sent: dict[str, Any]) -> UnitCard:
    places = office_places()
    with named_in("region"):
        card = card_of(sent)
        if not is_within(card.region, places):
            raise NotFound("没有找到这个地点")
    return card
