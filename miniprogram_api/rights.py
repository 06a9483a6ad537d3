"""A person's rights over what we keep (个保法 arts. 15, 44–47): agreeing and taking it back, who acts for them, a copy of everything,
closing the account."""

from __future__ import annotations

from typing import Any

from miniprogram_api.edge import Door, account, caller
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.copies import CopyOut
from miniprogram_api.schemas.residents import ConsentIn, ConsentOut
from miniprogram_api.schemas.rights import (
    FINAL,
    KEPT,
    KEPT_OF_STAFF,
    SEATS_GO_TO,
    ClosureOut,
    ClosureSeen,
    HelpersOut,
)
from models import clock
from models.base import db
from models.consents import Consent, ConsentChannel, agree, consent_in_force
from models.copies import copy_for
from models.departures import close_account, what_closing_means
from models.errors import NotFound
from models.journal import enter
from models.profiles import withdraw_from_all
from models.residents import bond_over, bonds_over, leave_helper, resident_of

door = Door("rights", description="个人信息权利")


@door.get("/me/consent")
@door.gives(ConsentOut)
def show_my_consent() -> Consent:
    """我的同意

    The standing agreement to the privacy policy in force; 404 ``not_agreed`` without one.
    """
    consent = consent_in_force(db.session(), account())
    if consent is None:
        raise NotFound("您还没有同意现行的隐私政策", code="not_agreed")
    return consent


@door.put("/me/consent")
@door.takes(ConsentIn)
@door.gives(ConsentOut, refuses=(409, 422))
def agree_to_policy(sent: dict[str, Any]) -> Consent:
    """同意隐私政策

    Agree to the version that was shown. Agreeing twice keeps the first time; after a withdrawal it is a new agreement.
    """
    account().lock()  # who closes the account at this moment comes first or last
    return agree(db.session(), account(), version=sent["version"], channel=ConsentChannel.MINI_PROGRAM)


@door.delete("/me/consent")
@door.gives(None, 204)
def withdraw_consent() -> None:
    """撤回同意

    From now on nothing new is registered for this account, nor kept of its profile: a tap answers 409 ``profile_needed`` with
    ``consent`` until it agrees again, and one of somebody who acts for them 409 ``ward_withdrew``. Seats and places in queues stay;
    whoever wants to give them up does so as always. Twice is fine.
    """
    account().lock()
    withdraw_from_all(db.session(), account(), identity=caller().identity)


@door.get("/me/helpers")
@door.gives(HelpersOut)
def list_my_helpers() -> dict[str, Any]:
    """谁可以替我办事

    Everybody who may act for the person who asks today, oldest first, with masked names.
    """
    session = db.session()
    oneself = resident_of(session, account())
    return {"items": bonds_over(session, oneself) if oneself else []}


@door.delete("/me/helpers/<key:key>")
@door.gives(None, 204, refuses=(409,))
def end_help(key: str) -> None:
    """不再由他人代办

    From this moment on this helper acts for the person who asks no longer; what they registered stays. A child's guardian stays: 409
    ``guardian_stays``. Twice is fine.
    """
    session = db.session()
    account().lock().must_stand()
    leave_helper(
        session, bond_over(session, resident_of(session, account()), key), by_account_id=account().id
    )


@door.get("/me/copy", looks=True, rate=RateName.COPY)
@door.gives(CopyOut)
def show_my_copy() -> dict[str, Any]:
    """个人信息副本

    Everything kept about the person who asks and the children they guard, whole phone number included. Made anew each time, kept
    nowhere; the look is journalled. Other people appear with masked names.
    """
    session = db.session()
    copy = copy_for(session, account())
    enter(session, "account.copied", account(), by_account_id=account().id, identity=caller().identity)
    return {**vars(copy), "made_at": clock.now()}


@door.get("/me/closure")
@door.gives(ClosureOut)
def show_my_closure() -> dict[str, Any]:
    """注销说明

    What closing the account would mean for this very person now: what stands in the way, which seats will be given up, what becomes
    of the people they act for, what is kept without a name and for how long. Changes nothing. Send its ``closure`` back to close.
    """
    closure = what_closing_means(db.session(), account())
    return {
        "closure": closure.fingerprint,
        "can_be_closed": not closure.obstacles,
        "obstacles": closure.obstacles,
        "registrations": closure.registrations,
        "seats_go_to": SEATS_GO_TO,
        "wards": closure.wards,
        "groups": closure.groups,
        "rooms": closure.rooms,
        "wishes": closure.wishes,
        "kept": [*KEPT, *([KEPT_OF_STAFF] if closure.has_worked_here else [])],
        "final": FINAL,
    }


@door.delete("/me")
@door.takes(ClosureSeen, location="query")
@door.gives(None, 204, refuses=(409, 422))
def close_my_account(confirmed: dict[str, Any]) -> None:
    """注销账号

    Close the account as ``GET /me/closure`` said, at once and for good. 409 ``closure_outdated`` when anything it said has changed,
    409 ``closure_blocked`` while a staff or partner identity is theirs. Afterwards every token of theirs answers 401.
    """
    close_account(db.session(), account(), seen=confirmed["closure"])
