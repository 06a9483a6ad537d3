"""The desk of claims (认领办理): the community agrees, sends, hands on, and hears from residents whether it is done and how it was."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from miniprogram_api.acting import asking
from miniprogram_api.claims import done_from
from miniprogram_api.counter import scope_of_hat
from miniprogram_api.cursors import after_id, after_moment, micros, page
from miniprogram_api.edge import Door, named_in
from miniprogram_api.installed import rates
from miniprogram_api.office import office_places, overseen_places, visited_places
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.claim_desk import (
    CareNoteIn,
    DispatchIn,
    StaffClaimOut,
    StaffClaimsOut,
    StaffClaimsQuery,
    StaffRatingIn,
    TransferIn,
    VerdictIn,
)
from miniprogram_api.schemas.claims import ClaimReasonIn, ContactsOut, DoneIn, LeadIn, said
from models import clock
from models.base import db
from models.counter import resident_within
from models.errors import NotFound
from models.partners import Partner, member_of, partner_on_card
from models.regions import Region, is_within
from models.wishes import wish_within
from models.wishes.claims import (
    Claim,
    ClaimState,
    Contacts,
    Level,
    SettledBy,
    agree_to_claim,
    claim_by_key,
    claim_within,
    claims_rated_badly,
    claims_within,
    confirm_done,
    decline_claim,
    deliver,
    dispatch_wish,
    dispute,
    hand_lead_on,
    note_care_call,
    note_contact,
    note_mended,
    rate_claim,
    take_back,
    transfer_claim,
    whom_to_visit,
)

door = Door("claim_desk", description="认领办理")


@door.get("/staff/claims")
@door.takes(StaffClaimsQuery, location="query")
@door.gives(StaffClaimsOut, refuses=(422,))
def list_claims(wanted: dict[str, Any]) -> dict[str, Any]:
    """认领列表（工作人员）

    Claims on wishes of the places one works for that are in a state, oldest first; or those somebody is ``unhappy`` about, what is to be cared for first
    first. What is ``overdue`` the street may list too, and what is said to be done the grid workers who ask whether it is. What was said of them is
    not shown.
    """
    limit = wanted["limit"]
    overdue_at = clock.now() if wanted["overdue"] else None
    if wanted["unhappy"]:
        return _rated_badly(overdue_at, limit, after_moment(wanted.get("cursor")))
    rows = claims_within(
        db.session(),
        _listed_places(wanted),
        state=wanted["state"],
        overdue_at=overdue_at,
        after_id=after_id(wanted.get("cursor")),
        most=limit + 1,
    )
    return page(rows, limit, lambda claim: [claim.id])


@door.get("/staff/claims/<key:key>")
@door.gives(StaffClaimOut)
def show_claim(key: str) -> Claim:
    """一个认领（工作人员）"""
    claim = claim_within(db.session(), key, within=visited_places())
    if claim.state is not ClaimState.DELIVERED and not is_within(claim.wish.region, office_places()):
        raise NotFound("没有找到这个认领")
    return claim


@door.get("/staff/claims/<key:key>/contacts", looks=True)
@door.gives(ContactsOut, refuses=(409,))
def read_whom_to_visit(key: str) -> Contacts:
    """上门核实找谁（工作人员、网格员）

    Whose wish the unit says is done, to be visited or called and asked. Every look is written down, and they see it.
    """
    return whom_to_visit(db.session(), _looked_after(key), by=asking())


@door.put("/staff/wishes/<key:key>/dispatch")
@door.takes(DispatchIn)
@door.gives(StaffClaimOut, refuses=(409, 422))
def dispatch_this_wish(sent: dict[str, Any], key: str) -> Claim:
    """派单（工作人员）

    Send a wish that hangs on the wall, or some pieces of it, to a unit of one's places, which has two working days to accept. The same twice is fine.
    """
    wish = wish_within(db.session(), key, within=office_places())
    return dispatch_wish(db.session(), wish, _unit(sent["partner"]), sent["pieces"], by=asking())


@door.put("/staff/claims/<key:key>/agreement")
@door.gives(StaffClaimOut, refuses=(409,))
def agree_to_this_claim(key: str) -> Claim:
    """同意认领（工作人员）

    Who wished hears who will come. Twice is fine. 403 ``own_content`` for one's own unit or household.
    """
    return agree_to_claim(db.session(), _of_office(key), by=asking())


@door.put("/staff/claims/<key:key>/refusal")
@door.takes(ClaimReasonIn)
@door.gives(StaffClaimOut, refuses=(409, 422))
def decline_this_claim(sent: dict[str, Any], key: str) -> Claim:
    """不同意认领（工作人员）

    With the reason the unit reads; the wish hangs again.
    """
    return decline_claim(db.session(), _of_office(key), sent["because"], by=asking())


@door.put("/staff/claims/<key:key>/contact")
@door.gives(StaffClaimOut, refuses=(409,))
def note_contact_for_unit(key: str) -> Claim:
    """单位已通过社区联系（工作人员）

    Where who wished is called by the community, and not by the unit.
    """
    claim = _of_office(key)
    note_contact(db.session(), claim, by=asking())
    return claim


@door.put("/staff/claims/<key:key>/delivery")
@door.takes(DoneIn)
@door.gives(StaffClaimOut, refuses=(409, 422, 429))
def hand_over_for_unit(sent: dict[str, Any], key: str) -> Claim:
    """社区已转交（工作人员）

    Handed over at the centre for the unit; who wished says whether it is done. The code they tell is tried a few times an hour, whoever tries.
    """
    claim = _of_office(key)
    if sent["code"] is not None:
        rates().count(RateName.WISH_CODES, claim.key)
    deliver(db.session(), claim, done_from(sent), by=asking())
    return claim


@door.put("/staff/claims/<key:key>/end")
@door.takes(ClaimReasonIn)
@door.gives(StaffClaimOut, refuses=(409, 422))
def take_claim_back(sent: dict[str, Any], key: str) -> Claim:
    """收回认领（工作人员）

    With the reason the unit reads; the wish hangs before the others.
    """
    claim = _of_office(key)
    take_back(db.session(), claim, sent["because"], by=asking())
    return claim


@door.put("/staff/claims/<key:key>/transfer")
@door.takes(TransferIn)
@door.gives(StaffClaimOut, refuses=(409, 422))
def transfer_this_claim(sent: dict[str, Any], key: str) -> Claim:
    """转交给其他单位（工作人员）

    The claim of the other unit, which has two working days to accept; nobody can come between.
    """
    claim = _of_office(key)
    return transfer_claim(db.session(), claim, _unit(sent["partner"]), sent["because"], by=asking())


@door.put("/staff/claims/<key:key>/lead")
@door.takes(LeadIn)
@door.gives(StaffClaimOut, refuses=(409, 422))
def name_lead(sent: dict[str, Any], key: str) -> Claim:
    """指定牵头人（工作人员）

    Somebody of the unit, by its list of members.
    """
    claim = _of_office(key)
    with named_in("member"):
        if sent["member"] is None:
            raise NotFound("请选择单位的一位成员")
        account_id = member_of(db.session(), claim.partner, sent["member"]).account_id
    hand_lead_on(db.session(), claim, account_id, by=asking())
    return claim


@door.put("/staff/claims/<key:key>/confirmation")
@door.takes(VerdictIn)
@door.gives(StaffClaimOut, refuses=(409, 422))
def write_confirmation_down(sent: dict[str, Any], key: str) -> Claim:
    """居民说办好了（工作人员、网格员）

    On a visit or by phone, with what they said. Also for the grid worker who looks after them.
    """
    claim = _looked_after(key)
    confirm_done(db.session(), claim, SettledBy(sent["how"].value), sent["note"], by=asking())
    return claim


@door.put("/staff/claims/<key:key>/dispute")
@door.takes(VerdictIn)
@door.gives(StaffClaimOut, refuses=(409, 422))
def write_dispute_down(sent: dict[str, Any], key: str) -> Claim:
    """居民说没办好（工作人员、网格员）

    On a visit or by phone, with what they said; the unit goes on.
    """
    claim = _looked_after(key)
    dispute(db.session(), claim, SettledBy(sent["how"].value), sent["note"], by=asking())
    return claim


@door.put("/staff/claims/<key:key>/rating")
@door.takes(StaffRatingIn)
@door.gives(StaffClaimOut, refuses=(409, 422))
def write_rating_down(sent: dict[str, Any], key: str) -> Claim:
    """记下居民的评价（工作人员、网格员）

    As they said it on a visit or by phone; how it was heard is kept.
    """
    claim = _looked_after(key)
    rate_claim(
        db.session(),
        claim,
        Level(sent["level"]),
        said(sent, "words"),
        SettledBy(sent["how"].value),
        by=asking(),
    )
    return claim


@door.put("/staff/claims/<key:key>/care-call")
@door.takes(CareNoteIn)
@door.gives(StaffClaimOut, refuses=(409, 422))
def note_call_of_care(sent: dict[str, Any], key: str) -> Claim:
    """差评已回访（工作人员）

    Within a working day; it is put right within fifteen days.
    """
    claim = _of_office(key)
    note_care_call(db.session(), claim, sent["note"], by=asking())
    return claim


@door.put("/staff/claims/<key:key>/mending")
@door.takes(CareNoteIn)
@door.gives(StaffClaimOut, refuses=(409, 422))
def note_mending(sent: dict[str, Any], key: str) -> Claim:
    """差评已整改（工作人员）

    And how; who was unhappy is asked once more.
    """
    claim = _of_office(key)
    note_mended(db.session(), claim, sent["note"], by=asking())
    return claim


def _rated_badly(
    overdue_at: datetime | None, limit: int, after: tuple[datetime, int] | None
) -> dict[str, Any]:
    places = overseen_places() if overdue_at else office_places()
    rows = claims_rated_badly(db.session(), places, overdue_at=overdue_at, after=after, most=limit + 1)
    found = page(rows, limit, lambda row: [micros(row[1]), row[0].id])
    return found | {"items": [claim for claim, _ in found["items"]]}


def _unit(key: str) -> Partner:
    with named_in("partner"):
        return partner_on_card(db.session(), key, within=office_places())


def _listed_places(wanted: dict[str, Any]) -> list[Region]:
    if wanted["state"] is ClaimState.DELIVERED:
        return visited_places()
    return overseen_places() if wanted["overdue"] else office_places()


def _of_office(key: str) -> Claim:
    return claim_within(db.session(), key, within=office_places())


def _looked_after(key: str) -> Claim:
    """A claim on a wish of one's office, or of somebody one looks after, who may live elsewhere by now (E9). Raises NotFound."""
    scope = scope_of_hat()
    try:
        claim = claim_by_key(db.session(), key)
        if is_within(claim.wish.region, office_places()):
            return claim
        whose = claim.wish.resident
        resident_within(db.session(), scope, whose.key if whose else "")
    except NotFound:  # whose it is, or that it is there at all, is told to nobody else
        raise NotFound("没有找到这个认领") from None
    return claim
