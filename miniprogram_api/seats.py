"""Seats beyond the one tap: offers that are accepted, draws anybody can repeat, applications staff decide, and why."""

from __future__ import annotations

from typing import Any

from miniprogram_api.acting import learner_for, oneself_and_wards
from miniprogram_api.courses import seats
from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, Needs, account, caller, staff_hat
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.courses import ForWhom, RegistrationOut
from miniprogram_api.schemas.seats import (
    AdmittedOut,
    DrawOut,
    HeldSeatsIn,
    LotsOut,
    LotsQuery,
    ReceiptsOut,
    ReceiptsQuery,
    TurnDownIn,
)
from miniprogram_api.schemas.timetabling import StaffRunOut
from models.base import db
from models.courses import (
    RULE,
    CourseRun,
    Standing,
    Tap,
    Wanting,
    admit,
    draw,
    draw_of,
    hold_seats,
    lots_of,
    published_run,
    receipts_of,
    run_for_staff,
    seat_directly,
    turn_down,
)
from models.staff import OFFICE, places_of

door = Door("seats", description="名额")


@door.put("/course-runs/<key:key>/registration/acceptance", needs=Needs.SIGNATURE, rate=RateName.TAPS)
@door.takes(ForWhom, location="query")
@door.gives(RegistrationOut, refuses=(409, 422))
def accept_offer(whom: dict[str, Any], key: str) -> Standing:
    """确认名额

    Take the seat that is offered, while the offer stands (``offer_expires_at``); accepting twice is fine. 409 ``offer_expired`` when it is
    too late, 409 ``no_offer`` while one still waits. Who does not want it gives up the registration, and it goes to the next.
    """
    standing = seats().ask(Tap(key, caller().login_key, Wanting.TO_ACCEPT, whom.get("for_key")))
    if standing is None:
        raise AssertionError("an acceptance is answered by a standing or a refusal")
    return standing


@door.put("/course-runs/<key:key>/registration/direct-seat")
@door.takes(ForWhom, location="query")
@door.gives(None, 204, refuses=(409, 422))
def want_direct_seat(whom: dict[str, Any], key: str) -> None:
    """直接转正

    Whoever waits need not be asked: a freed seat is theirs at once. Twice is fine; 404 ``not_registered`` without a place.
    """
    session = db.session()
    run = published_run(session, key)
    seat_directly(session, run, learner_for(whom.get("for_key")), True, by_account_id=account().id)


@door.delete("/course-runs/<key:key>/registration/direct-seat")
@door.takes(ForWhom, location="query")
@door.gives(None, 204, refuses=(409, 422))
def want_to_be_asked(whom: dict[str, Any], key: str) -> None:
    """有名额先问我"""
    session = db.session()
    run = published_run(session, key)
    seat_directly(session, run, learner_for(whom.get("for_key")), False, by_account_id=account().id)


@door.get("/course-runs/<key:key>/draw", needs=Needs.NOTHING)
@door.gives(DrawOut, refuses=(404,))
def show_draw(key: str) -> dict[str, Any]:
    """抽签

    What was promised beforehand, and once it is drawn the seed: with the tickets of ``/draw/tickets`` anybody can repeat the draw.
    """
    return show_draw_of(published_run(db.session(), key))


@door.get("/course-runs/<key:key>/draw/tickets", needs=Needs.NOTHING)
@door.takes(LotsQuery, location="query")
@door.gives(LotsOut, refuses=(404, 422))
def list_lots(wanted: dict[str, Any], key: str) -> dict[str, Any]:
    """抽签结果

    Every ticket that took part, in the order it was drawn, without names; empty before the draw. One's own ticket stands in one's
    registration.
    """
    session = db.session()
    run = published_run(session, key)
    limit = wanted["limit"]
    found = lots_of(session, run, after_rank=after_id(wanted.get("cursor")), most=limit + 1)
    return page(found, limit, lambda lot: [lot.rank])


@door.get("/me/receipts")
@door.takes(ReceiptsQuery, location="query")
@door.gives(ReceiptsOut, refuses=(422,))
def list_my_receipts(wanted: dict[str, Any]) -> dict[str, Any]:
    """为什么

    Why one got a seat or did not, oneself and the people one may act for, newest first; of one ``run`` when it is named.
    """
    session = db.session()
    people = oneself_and_wards()
    limit = wanted["limit"]
    found = receipts_of(
        session, people, run_key=wanted.get("run"), before_id=after_id(wanted.get("cursor")), most=limit + 1
    )
    return page(found, limit, lambda receipt: [receipt.id])


@door.put("/staff/course-runs/<key:key>/draw")
@door.gives(DrawOut, refuses=(409,))
def draw_run(key: str) -> dict[str, Any]:
    """抽签（工作人员）

    Draw now what is due, instead of waiting a minute for the town to do it. Twice is fine: what is drawn stays as it was drawn.
    """
    run = _run(key)
    draw(db.session(), run, by_account_id=account().id, identity=caller().identity)
    return show_draw_of(run)


@door.put("/staff/course-runs/<key:key>/held-seats")
@door.takes(HeldSeatsIn)
@door.gives(StaffRunOut, refuses=(409, 422))
def hold_run_seats(sent: dict[str, Any], key: str) -> CourseRun:
    """预留名额（工作人员）

    Hold so many seats for the counter and the phone; what is let go goes to who waits first. 409 ``not_enough_seats``.
    """
    run = _run(key)
    hold_seats(db.session(), run, sent["seats"], by_account_id=account().id, identity=caller().identity)
    return run


@door.put("/staff/course-runs/<key:key>/registrations/<key:registration>/admission")
@door.gives(AdmittedOut, refuses=(409,))
def admit_applicant(key: str, registration: str) -> dict[str, Any]:
    """审核通过（工作人员）

    A seat if one is free, else a place in the queue; the applicant is told. Twice is fine. 409 ``review_too_late`` once the class began.
    """
    state = admit(
        db.session(), _run(key), registration, by_account_id=account().id, identity=caller().identity
    )
    return {"state": state}


@door.put("/staff/course-runs/<key:key>/registrations/<key:registration>/rejection")
@door.takes(TurnDownIn)
@door.gives(None, 204, refuses=(409, 422))
def turn_down_applicant(sent: dict[str, Any], key: str, registration: str) -> None:
    """审核不通过（工作人员）"""
    turn_down(
        db.session(),
        _run(key),
        registration,
        because=sent["because"],
        by_account_id=account().id,
        identity=caller().identity,
    )


def show_draw_of(run: CourseRun) -> dict[str, Any]:
    """The draw of a run as everybody may see it."""
    drawn = draw_of(db.session(), run)
    return {
        "rule": RULE,
        "promised": drawn.promised,
        "draws_at": run.draws_at,
        "drawn_at": drawn.drawn_at,
        "seed": drawn.seed if drawn.drawn_at is not None else None,
        "tickets": drawn.tickets,
        "seats": drawn.seats,
    }


def _run(key: str) -> CourseRun:
    return run_for_staff(db.session(), key, within=places_of(db.session(), staff_hat(), *OFFICE))
