"""Credit (预约信用): how one stands with the rooms, why, and what one says against it. Nobody else sees it but those who work there."""

from __future__ import annotations

from typing import Any

from miniprogram_api.acting import by, oneself_and_wards, oneself_or_ward
from miniprogram_api.content import Opinion, begin_writing, checked
from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, account, caller
from miniprogram_api.office import office_places
from miniprogram_api.rates import RateName
from miniprogram_api.reservations import must_be_resident
from miniprogram_api.schemas.credit import (
    CreditAppealIn,
    CreditAppealsOut,
    CreditAppealsQuery,
    CreditDecisionIn,
    CreditEntryOut,
    CreditOut,
    CreditQuery,
    StaffCreditEntryOut,
)
from miniprogram_api.schemas.reservations import ReasonIn
from miniprogram_api.wechat import Scene
from models.base import db
from models.content_checks import CREDIT_APPEAL
from models.groups import group_of
from models.journal import enter_each
from models.reservations import (
    CreditEntry,
    appeal_credit,
    credit_appeals_within,
    credit_standing,
    decide_credit_appeal,
    entry_of,
    entry_within,
    excuse,
    must_be_appealable,
)

door = Door("credit", description="预约信用")


@door.get("/me/credit")
@door.takes(CreditQuery, location="query")
@door.gives(CreditOut, refuses=(422,))
def show_my_credit(whom: dict[str, Any]) -> dict[str, Any]:
    """我的信用

    Points of a hundred, until when reserving is paused if it is, and what it comes from within the days that count, newest first.
    """
    must_be_resident()
    session, resident = db.session(), oneself_or_ward(whom.get("for_key"))
    group = group_of(session, resident, whom["group"]) if "group" in whom else None
    credit, entries = credit_standing(session, resident, group)
    return {"points": credit.points, "paused_until": credit.paused_until, "items": list(reversed(entries))}


@door.put("/me/credit-entries/<key:key>/appeal", asks_wechat=True, rate=RateName.PROFILE)
@door.takes(CreditAppealIn)
@door.gives(CreditEntryOut, refuses=(409, 422))
def appeal_against_credit(sent: dict[str, Any], key: str) -> CreditEntry:
    """信用申诉

    Say why points should not have been taken, within seven days; other words may be sent until somebody decided. The words are checked
    first: 422 ``content_risky`` asks for others.
    """
    opinion = _opinion_of(sent["words"], key)
    session = db.session()
    account().lock().must_stand()
    entry = appeal_credit(session, _mine(key), sent["words"], by=by())
    if opinion is not None:
        opinion.write_down(key=entry.key, account_id=account().id, resident_id=entry.reservation.resident_id)
    return entry


@door.get("/staff/credit-appeals", looks=True)
@door.takes(CreditAppealsQuery, location="query")
@door.gives(CreditAppealsOut, refuses=(422,))
def list_credit_appeals(wanted: dict[str, Any]) -> dict[str, Any]:
    """信用申诉列表（工作人员）

    Appeals that wait, about rooms of the places one works for, oldest first. Every look is journalled.
    """
    session, limit = db.session(), wanted["limit"]
    found = credit_appeals_within(
        session, office_places(), after_id=after_id(wanted.get("cursor")), most=limit + 1
    )
    enter_each(
        session,
        "credit.appeal_looked_at",
        [(one.reservation, one.reservation.resident_id) for one in found[:limit]],
        by_account_id=account().id,
        identity=caller().identity,
    )
    return page(found, limit, lambda one: [one.id])


@door.put("/staff/credit-entries/<key:key>/decision")
@door.takes(CreditDecisionIn)
@door.gives(StaffCreditEntryOut, refuses=(409, 422))
def decide_on_credit_appeal(sent: dict[str, Any], key: str) -> CreditEntry:
    """处理信用申诉（工作人员）

    Granted, the points were never taken, and a pause that rested on them is over. The same twice is fine; one's own is 403 ``own_content``.
    """
    session = db.session()
    entry = entry_within(session, key, within=office_places())
    return decide_credit_appeal(session, entry, granted=sent["granted"], answer=sent["because"], by=by())


@door.put("/staff/credit-entries/<key:key>/excuse")
@door.takes(ReasonIn)
@door.gives(StaffCreditEntryOut, refuses=(409, 422))
def excuse_credit_entry(sent: dict[str, Any], key: str) -> CreditEntry:
    """免扣（工作人员）

    The entry counts for nothing any more, whether anybody appealed or not. Twice is fine.
    """
    session = db.session()
    return excuse(session, entry_within(session, key, within=office_places()), sent["because"], by=by())


def _opinion_of(words: str, key: str) -> Opinion | None:
    """WeChat's word on what is new; what is not there, or is past appealing, is refused before anybody is asked."""
    entry = _mine(key)
    must_be_appealable(db.session(), entry)
    if entry.appeal_words == words:
        begin_writing()
        return None
    return checked(words, CREDIT_APPEAL, scene=Scene.COMMENT)


def _mine(key: str) -> CreditEntry:
    people = oneself_and_wards() if caller().identity == "resident" else []
    return entry_of(db.session(), key, residents=people)
