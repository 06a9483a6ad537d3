"""What a fuzzer needs to know of claims: for each operation one that stands where it can be done, of whoever asks, and whom to send it to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import NoResultFound

from models import clock
from models.base import reading, transaction
from models.errors import Refusal
from models.partners import Partner, PartnerMember, PartnerState, pair
from models.regions import Region
from models.wishes import Wish, WishKind, WishState, WishWords, approve_wish, make_wish
from models.wishes.claims import (
    WISH_PROMISE,
    Claim,
    Done,
    Evidence,
    Level,
    Promise,
    SettledBy,
    agree_to_claim,
    claim_wish,
    confirm_done,
    deliver,
    dispatch_wish,
    note_contact,
    rate_claim,
    show_what_was_brought,
)
from tests.claims import a_claimer, by_unit
from tests.people import Person, Town, UnitMember, Worker
from tests.wishes import CARD, by_resident, by_staff

NOBODYS = "a" * 16
WANTED = WishWords("想请人教用手机", WishKind.SERVICE, may_share=True)
_ASKS_FOR = {  # how far a claim has come before an operation can do something about it
    "/acceptance": "dispatched",
    "/agreement": "applied",
    "/care-call": "unhappy",
    "/confirmation": "delivered",
    "/dispute": "delivered",
    "/extension": "contacted",
    "/mending": "unhappy",
    "/rating": "fulfilled",
}


def some_claims(town: Town) -> None:
    """The unit that asks is paired with the community, and there is another to which a wish may be sent."""
    with transaction() as session:
        unit = session.get_one(Partner, town.partner_member.partner_id)
        unit.region_id = town.wutong.id
        pair(session, unit, session.get_one(Region, town.wutong.id), by_account_id=None, identity="town")
    a_claimer(town.wutong)


def is_about_claims(label: str) -> bool:
    """Whether an operation's address holds the key of a claim, of what shows it, or of a wish that is to be taken on."""
    return (
        "/claims/{key}" in label
        or "/claim-photos/{key}" in label
        or label.endswith(("/wishes/{key}/claim", "/wishes/{key}/dispatch"))
    )


def a_claims_key(label: str, who: object, town: Town) -> str:
    """Something of the sort an operation is about, made for whoever may do it, and in a state in which it can be done."""
    if not isinstance(who, Person if "/me/" in label else UnitMember if "/partner/" in label else Worker):
        return _any_key()
    wisher = who if isinstance(who, Person) else town.neighbour
    try:
        return _made_for(label, wisher, town)
    except (Refusal, NoResultFound):  # who asks has left on the way, or their unit may claim nothing now
        return _any_key()


def _made_for(label: str, wisher: Person, town: Town) -> str:
    helps = label.startswith("PUT") and label.endswith("/help")
    another = (
        a_claimer(town.wutong) if helps else _another(town)
    )  # whose claims are helped with may claim yet
    with transaction() as session:
        for one in (town.partner_member, another):
            unit = session.get_one(Partner, one.partner_id)
            unit.state = PartnerState.ACTIVE  # whatever became of it on the way
            pair(session, unit, session.get_one(Region, town.wutong.id), by_account_id=None, identity="town")
        words = replace(WANTED, words=f"想请人教用手机{clock.now().isoformat()}")
        wish = make_wish(session, wisher.resident(session), words, by=by_resident(wisher))
        approve_wish(session, wish, CARD, by=by_staff(town.clerk))
    if "/wishes/{key}/" in label:
        return wish.key
    claim = _a_claim(town, wish.id, another if helps else town.partner_member, _how_far(label))
    return _a_photo(claim, town.partner_member) if "/claim-photos/" in label else claim


def fill_claim(body: dict[str, Any], label: str, town: Town) -> None:
    """A day that is to come, the promise in force, a unit to send it to, and evidence that needs no code."""
    if not is_about_claims(label):
        return
    soon = (clock.today() + timedelta(days=9)).isoformat()
    if label.endswith(("/claim", "/acceptance")):
        body |= {"promised_on": soon, "promise": WISH_PROMISE.version}
    if "pieces" in body:
        body["pieces"] = 1
    if label.endswith("/extension"):
        body["to"] = (clock.today() + timedelta(days=12)).isoformat()
    if label.endswith("/delivery"):
        body |= {"evidence": "slip", "note": "本人签收", "code": None}
    if label.endswith(("/dispatch", "/transfer")):
        body["partner"] = _another(town).partner_key
    if label.endswith("/lead"):
        body["member"] = _members_key(town.partner_member) if "/staff/" in label else None
    if "/staff/" in label and "how" in body:
        body["how"] = "visit"


def _how_far(label: str) -> str:
    if label.endswith("/refusal"):
        return "dispatched" if "/partner/" in label else "applied"
    if label.endswith("/contacts"):
        return "delivered" if "/staff/" in label else "agreed"
    return next((far for end, far in _ASKS_FOR.items() if label.endswith(end)), "agreed")


def _a_claim(town: Town, wish_id: int, unit: UnitMember, far: str) -> str:
    """The key of a claim of a unit that has come so far."""
    staff, own = by_staff(town.clerk), by_unit(unit)
    promise = Promise("周末上门", clock.today() + timedelta(days=9))
    with transaction() as session:
        wish, partner = session.get_one(Wish, wish_id), session.get_one(Partner, unit.partner_id)
        if far == "dispatched":
            return dispatch_wish(session, wish, partner, 1, by=staff).key
        claim = claim_wish(session, wish, partner, promise, promise_version=WISH_PROMISE.version, by=own)
        if far == "applied":
            return claim.key
        agree_to_claim(session, claim, by=staff)
        if far == "agreed":
            return claim.key
        note_contact(session, claim, by=own)
        if far == "contacted":
            return claim.key
        deliver(session, claim, Done(Evidence.TAP), by=own)
        if far == "delivered":
            return claim.key
        session.flush()
        confirm_done(session, claim, SettledBy.VISIT, "说好了", by=staff)
        if far == "unhappy":
            rate_claim(session, claim, Level.UNHAPPY, "", SettledBy.VISIT, by=staff)
        return claim.key


def _a_photo(key: str, lead: UnitMember) -> str:
    """The key of a picture of what is brought with a claim."""
    with transaction() as session:
        claim = session.scalars(select(Claim).where(Claim.key == key)).one()
        sizes = {"width": 8, "height": 6}
        photo = show_what_was_brought(
            session, claim, file="a" * 16, thumbnail="b" * 16, **sizes, by=by_unit(lead)
        )
        return photo.key


def _another(town: Town) -> UnitMember:
    """Somebody of another unit than the one that asks, and than those the clerk joined on the way; somebody new where the clerk let all go."""
    of_the_clerk = select(PartnerMember.partner_id).where(PartnerMember.account_id == town.clerk.account_id)
    with reading() as session:
        member = session.scalars(
            select(PartnerMember)
            .where(
                PartnerMember.partner_id != town.partner_member.partner_id,
                PartnerMember.partner_id.not_in(of_the_clerk),
                PartnerMember.left_at.is_(None),
            )
            .order_by(PartnerMember.id)
        ).first()
        if member is not None:
            return UnitMember(member.partner_id, member.partner.key, member.account_id, "")
    return a_claimer(town.wutong)


def _members_key(unit: UnitMember) -> str:
    with reading() as session:
        return session.scalars(
            select(PartnerMember.key).where(
                PartnerMember.partner_id == unit.partner_id, PartnerMember.account_id == unit.account_id
            )
        ).one()


def _any_key() -> str:
    with reading() as session:
        hangs = select(Wish.key).where(Wish.state == WishState.PUBLISHED)
        return session.scalars(select(Claim.key)).first() or session.scalars(hangs).first() or NOBODYS
