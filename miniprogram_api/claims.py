"""Claims (认领): what units see on the wall of their communities, take on, and do; as ``partner:{key}``."""

from __future__ import annotations

from typing import Any

from miniprogram_api.acting import asking
from miniprogram_api.content import begin_writing, checked
from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, Needs, account, named_in, partner_hat
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.claims import (
    ClaimHelpersOut,
    ClaimIn,
    ClaimOut,
    ClaimReasonIn,
    ClaimsOut,
    ContactsOut,
    DoneIn,
    ExtensionIn,
    LeadIn,
    PromiseIn,
    PromiseTextOut,
    UnitsQuery,
    said,
)
from miniprogram_api.schemas.wishes import PartnersWallOut, WallQuery
from miniprogram_api.walls import page_of_wall
from miniprogram_api.wechat import Scene
from models.base import db
from models.content_checks import CLAIM_EXTENSION, CLAIM_PLAN, CLAIM_REASON, DELIVERY_NOTE
from models.errors import NotFound
from models.partners import Partner, member_of, must_be_able_to_claim, paired_places
from models.regions import is_within, region_by_key
from models.wishes import Wish, wish_by_key
from models.wishes.claims import (
    WISH_PROMISE,
    Claim,
    ClaimHelper,
    ClaimState,
    Contacts,
    Done,
    Promise,
    accept_dispatch,
    claim_of,
    claim_to_help,
    claim_wish,
    claims_of,
    contacts_of,
    deliver,
    extend_claim,
    give_back,
    hand_lead_on,
    help_no_more,
    help_with,
    helpers_of,
    must_hang_still,
    must_lead,
    note_contact,
    refuse_dispatch,
)

door = Door("claims", description="认领心愿（单位）")


@door.get("/wish-promise", needs=Needs.NOTHING)
@door.gives(PromiseTextOut)
def show_wish_promise() -> dict[str, str]:
    """圆梦承诺

    What whoever takes a wish on promises; its version is sent with the claim.
    """
    return {"version": WISH_PROMISE.version, "text": WISH_PROMISE.text}


@door.get("/partner/wishes")
@door.takes(WallQuery, location="query")
@door.gives(PartnersWallOut, refuses=(404, 409, 422))
def read_units_wall(wanted: dict[str, Any]) -> dict[str, Any]:
    """结对社区的心愿墙（单位）

    What hangs in the communities one's unit is paired with, what nobody took in time first or in another
    ``order``, with how many pieces are left. 404 for a place elsewhere.
    """
    session, places = db.session(), paired_places(db.session(), partner_hat())
    region = region_by_key(session, wanted["region"]) if "region" in wanted else None
    if region is not None and not is_within(region, places):
        raise NotFound("没有找到这个地方，或者还没有结对")
    return page_of_wall(wanted, region, among=places)


@door.put("/partner/wishes/<key:key>/claim", asks_wechat=True, rate=RateName.CLAIMS)
@door.takes(ClaimIn)
@door.gives(ClaimOut, refuses=(409, 422))
def claim_this_wish(sent: dict[str, Any], key: str) -> Claim:
    """认领心愿（单位）

    So many pieces of it, how, and by which day. The community agrees within a working day, at once where it trusts the unit. The same twice is one
    claim. 409 ``wish_taken`` says what else hangs there, ``promise_needed`` which text to agree to first; 403 ``not_paired``.
    """
    must_be_able_to_claim(partner_hat())
    # whoever may not, or comes too late, is told before anybody is asked
    must_hang_still(db.session(), _hangs_for_us(key), partner_hat())
    opinion = checked(sent["plan"], CLAIM_PLAN, scene=Scene.SOCIAL_LOG)
    claim = claim_wish(
        db.session(),
        _hangs_for_us(key),
        partner_hat(),
        Promise(sent["plan"], sent["promised_on"], sent["pieces"]),
        promise_version=sent["promise"],
        by=asking(),
    )
    opinion.write_down(key=claim.key, account_id=account().id, resident_id=None)
    return claim


@door.get("/partner/claims")
@door.takes(UnitsQuery, location="query")
@door.gives(ClaimsOut, refuses=(422,))
def list_units_claims(wanted: dict[str, Any]) -> dict[str, Any]:
    """本单位的认领（单位）

    Whatever became of them, the newest first; with ``state``, those alone.
    """
    limit = wanted["limit"]
    rows = claims_of(
        db.session(),
        partner_hat(),
        states=[wanted["state"]] if "state" in wanted else list(ClaimState),
        before_id=after_id(wanted.get("cursor")),
        most=limit + 1,
    )
    return page(rows, limit, lambda claim: [claim.id])


@door.get("/partner/claims/<key:key>")
@door.gives(ClaimOut)
def show_units_claim(key: str) -> Claim:
    """一个认领（单位）"""
    return _ours(key)


@door.put("/partner/claims/<key:key>/acceptance", asks_wechat=True, rate=RateName.CLAIMS)
@door.takes(PromiseIn)
@door.gives(ClaimOut, refuses=(409, 422))
def accept_claim(sent: dict[str, Any], key: str) -> Claim:
    """接单（单位）

    What the community sent is taken on, with a plan and a day. Twice is fine.
    """
    _ours(key)
    opinion = checked(sent["plan"], CLAIM_PLAN, scene=Scene.SOCIAL_LOG)
    claim = accept_dispatch(
        db.session(),
        _ours(key),
        Promise(sent["plan"], sent["promised_on"]),
        promise_version=sent["promise"],
        by=asking(),
    )
    opinion.write_down(key=claim.key, account_id=account().id, resident_id=None)
    return claim


@door.put("/partner/claims/<key:key>/refusal", asks_wechat=True, rate=RateName.CLAIMS)
@door.takes(ClaimReasonIn)
@door.gives(ClaimOut, refuses=(409, 422))
def refuse_claim(sent: dict[str, Any], key: str) -> Claim:
    """不接单（单位）

    With the reason the community reads; the wish hangs again. Twice is fine.
    """
    _ours(key)
    opinion = checked(sent["because"], CLAIM_REASON, scene=Scene.SOCIAL_LOG)
    claim = refuse_dispatch(db.session(), _ours(key), sent["because"], by=asking())
    opinion.write_down(key=claim.key, account_id=account().id, resident_id=None)
    return claim


@door.get("/partner/claims/<key:key>/contacts", looks=True)
@door.gives(ContactsOut, refuses=(409,))
def read_contacts(key: str) -> Contacts:
    """许愿人的联系方式（牵头人）

    For the lead of a claim under way alone, if who wished agreed to it; every look is written down, and they see it. 409
    ``contacts_not_shared``: the community arranges it.
    """
    return contacts_of(db.session(), _ours(key), by=asking())


@door.put("/partner/claims/<key:key>/contact")
@door.gives(ClaimOut, refuses=(409,))
def note_units_contact(key: str) -> Claim:
    """已联系许愿人（牵头人）

    Within seven days of the community's yes, else the wish hangs again. Twice is fine.
    """
    claim = _ours(key)
    note_contact(db.session(), claim, by=asking())
    return claim


@door.put("/partner/claims/<key:key>/extension", asks_wechat=True, rate=RateName.CLAIMS)
@door.takes(ExtensionIn)
@door.gives(ClaimOut, refuses=(409, 422))
def extend_units_claim(sent: dict[str, Any], key: str) -> Claim:
    """延期（牵头人）

    Once, before the day is over, and why; who wished is told.
    """
    must_lead(_ours(key), asking())  # whoever may not is told before anybody is asked
    opinion = checked(sent["because"], CLAIM_EXTENSION, scene=Scene.SOCIAL_LOG)
    claim = _ours(key)
    extend_claim(db.session(), claim, sent["to"], sent["because"], by=asking())
    opinion.write_down(key=claim.key, account_id=account().id, resident_id=None)
    return claim


@door.put("/partner/claims/<key:key>/return", asks_wechat=True, rate=RateName.CLAIMS)
@door.takes(ClaimReasonIn)
@door.gives(ClaimOut, refuses=(409, 422))
def return_claim(sent: dict[str, Any], key: str) -> Claim:
    """退回认领（单位）

    It cannot be done after all; the wish hangs before the others. Twice is fine.
    """
    _ours(key)
    opinion = checked(sent["because"], CLAIM_REASON, scene=Scene.SOCIAL_LOG)
    claim = _ours(key)
    give_back(db.session(), claim, sent["because"], by=asking())
    opinion.write_down(key=claim.key, account_id=account().id, resident_id=None)
    return claim


@door.put("/partner/claims/<key:key>/delivery", asks_wechat=True, rate=RateName.WISH_CODES)
@door.takes(DoneIn)
@door.gives(ClaimOut, refuses=(409, 422))
def say_it_is_done(sent: dict[str, Any], key: str) -> Claim:
    """已送达、已办好（牵头人）

    And how that shows: a photo may, and need not. With the code the resident told, they have confirmed it too; else they are asked.
    """
    must_lead(_ours(key), asking())
    done = done_from(sent)
    opinion = checked(done.note, DELIVERY_NOTE, scene=Scene.SOCIAL_LOG) if done.note else None
    if opinion is None:
        begin_writing()
    claim = _ours(key)
    said = deliver(db.session(), claim, done, by=asking())
    if opinion is not None:
        opinion.write_down(key=said.key, account_id=account().id, resident_id=None)
    return claim


@door.put("/partner/claims/<key:key>/lead")
@door.takes(LeadIn)
@door.gives(ClaimOut, refuses=(409, 422))
def change_lead(sent: dict[str, Any], key: str) -> Claim:
    """更换牵头人（单位）

    Somebody else of the unit, oneself where nobody is named. Only the lead is told whom to call.
    """
    claim, account_id = _ours(key), account().id
    if sent["member"] is not None:
        with named_in("member"):
            account_id = member_of(db.session(), claim.partner, sent["member"]).account_id
    hand_lead_on(db.session(), claim, account_id, by=asking())
    return claim


@door.get("/partner/claims/<key:key>/helpers")
@door.gives(ClaimHelpersOut)
def list_helpers(key: str) -> dict[str, Any]:
    """协办单位（单位）"""
    return {"items": helpers_of(db.session(), _ours(key))}


@door.put("/partner/claims/<key:key>/help")
@door.gives(ClaimHelpersOut, refuses=(409,))
def help_claim(key: str) -> dict[str, Any]:
    """我来协办（单位）

    With a claim of one's own unit, or of another in a community one's unit is paired with. Twice is fine.
    """
    unit = partner_hat()
    claim = claim_to_help(db.session(), key, unit)
    help_with(db.session(), claim, unit, account().id, by=asking())
    return {"items": _own_help(claim, unit)}


@door.delete("/partner/claims/<key:key>/help")
@door.gives(None, 204, refuses=(409,))
def help_claim_no_more(key: str) -> None:
    """不再协办（单位）"""
    unit = partner_hat()
    help_no_more(db.session(), claim_to_help(db.session(), key, unit), account().id, by=asking())


def done_from(sent: dict[str, Any]) -> Done:
    """What was sent of a delivery, as the verb takes it."""
    return Done(sent["evidence"], said(sent, "note"), sent["minutes"], said(sent, "code"))


def _own_help(claim: Claim, unit: Partner) -> list[ClaimHelper]:
    return [one for one in helpers_of(db.session(), claim) if one.partner_id == unit.id]


def _hangs_for_us(key: str) -> Wish:
    return wish_by_key(db.session(), key, among=paired_places(db.session(), partner_hat()))


def _ours(key: str) -> Claim:
    return claim_of(db.session(), key, partner_hat())
