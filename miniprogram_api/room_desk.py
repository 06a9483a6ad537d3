"""The room desk (场地办公): what staff do with reservations of the places they work for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from miniprogram_api.acting import by
from miniprogram_api.counter import resident_at_the_counter
from miniprogram_api.cursors import after_moment, micros, page
from miniprogram_api.edge import Door, account, caller, named_in
from miniprogram_api.office import office_places, overseen_places
from miniprogram_api.rates import RateName
from miniprogram_api.reservations import all_shown, shown, wanted_of
from miniprogram_api.schemas.reservations import (
    CallOffIn,
    CodeIn,
    DamageIn,
    DecisionsIn,
    DecisionsOut,
    DoorCodeOut,
    ReasonIn,
    StaffReservationOut,
    StaffReservationsOut,
    StaffReservationsQuery,
    StaffReserveIn,
    StaffSignOutIn,
)
from models import clock
from models.availability import stretch_of_day
from models.base import db
from models.counter import agreed_among, took_back
from models.errors import Conflict, Fault, Refusal
from models.groups import group_led_by
from models.journal import enter_each
from models.profiles import must_be_known_at_counter
from models.reservations import (
    Party,
    Reservation,
    accept,
    approve,
    call_off,
    check_in,
    check_in_by_code,
    hold_rooms,
    note_damage,
    reject,
    renew_door_code,
    reservation_within,
    reservations_within,
    reserve,
    sign_out,
)
from models.sites import Venue, venue_in

door = Door("room_desk", description="场地办公")


@door.get("/staff/reservations", looks=True)
@door.takes(StaffReservationsQuery, location="query")
@door.gives(StaffReservationsOut, refuses=(409, 422))
def list_reservations(wanted: dict[str, Any]) -> dict[str, Any]:
    """场地预约列表（工作人员）

    Of the rooms of the places one works for, in the order they begin, from ``first`` (today) for so many days. What waits for review says
    by when (``review_by``); ``overdue`` asks for those that were not looked at in time, which the street may list
    too. Every look is journalled.
    """
    session, limit = db.session(), wanted["limit"]
    first = wanted.get("first", clock.today())
    with named_in("venue"):
        venue = _venue(wanted["venue"]) if "venue" in wanted else None
    rows = reservations_within(
        session,
        overseen_places() if wanted["overdue"] else office_places(),
        states=[wanted["state"]] if "state" in wanted else (),
        venue=venue,
        starts_after=stretch_of_day(first).starts_at,
        overdue_at=clock.now() if wanted["overdue"] else None,
        starts_before=stretch_of_day(first + timedelta(days=wanted["days"])).starts_at,
        after=after_moment(wanted.get("cursor")),
        most=limit + 1,
    )
    answer = page(rows, limit, lambda one: [micros(one.starts_at), one.id])
    _looked_at(answer["items"])
    return {**answer, "items": all_shown(answer["items"])}


@door.get("/staff/reservations/<key:key>", looks=True)
@door.gives(StaffReservationOut)
def show_staff_reservation(key: str) -> dict[str, Any]:
    """一个预约（工作人员）"""
    found = _reservation(key)
    _looked_at([found])
    return shown(found)


@door.post("/staff/venues/<key:key>/reservations", rate=RateName.COUNTER)
@door.takes(StaffReserveIn)
@door.gives(StaffReservationOut, 201, refuses=(409, 422))
def reserve_for_somebody(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """替居民预约、社区自用（工作人员）

    For a ``resident`` one looks after, by the same rules as the phone but without a review; they are told who did it. Without a resident it is
    the community's own use: no limits, and ``about`` says what for. 409 ``room_taken`` says what else there is; for oneself it is 403
    ``own_content``.
    """
    venue = _venue(key)
    made = reserve(db.session(), venue, wanted_of(sent), whose=_party(sent), by=by(), waits=sent["waits"])
    return shown(made)


@door.put("/staff/reservations/<key:key>/approval")
@door.gives(StaffReservationOut, refuses=(409,))
def approve_reservation(key: str) -> dict[str, Any]:
    """通过预约（工作人员）

    They are told. Of one in the queue: it is theirs once it is their turn. Twice is fine; one's own is 403 ``own_content``.
    """
    return shown(approve(db.session(), _reservation(key), by=by()))


@door.put("/staff/reservations/<key:key>/rejection")
@door.takes(ReasonIn)
@door.gives(StaffReservationOut, refuses=(409, 422))
def reject_reservation(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """驳回预约（工作人员）

    They are told why, and the room goes to who waits. Twice is fine.
    """
    return shown(reject(db.session(), _reservation(key), sent["because"], by=by()))


@door.put("/staff/reservations/<key:key>/acceptance")
@door.gives(StaffReservationOut, refuses=(409,))
def accept_for_somebody(key: str) -> dict[str, Any]:
    """替居民确认候补到的场地（工作人员）

    For who cannot on a phone: while the offer stands (``offer_expires_at``), and without a review. They are told who did it; twice is fine, one's own is
    403 ``own_content``. What the community waits for itself is its own as soon as it is free.
    """
    return shown(accept(db.session(), _reservation(key), by=by()))


@door.post("/staff/reservations/decisions")
@door.takes(DecisionsIn)
@door.gives(DecisionsOut, refuses=(409, 422))
def decide_on_many(sent: dict[str, Any]) -> dict[str, Any]:
    """批量审核预约（工作人员）

    Each by itself, so one that is refused says why and stops no other. A no says why.
    """
    _must_say_why(sent["items"])
    rows: dict[str, dict[str, Any]] = {}
    found: list[tuple[Reservation, dict[str, Any]]] = []
    for item in sent["items"]:
        row: dict[str, Any] = {"key": item["reservation"], "state": None, "refusal": None}
        if item["reservation"] in rows:
            continue
        rows[item["reservation"]] = row
        try:
            found.append((_reservation(item["reservation"]), {**item, "row": row}))
        except Refusal as refusal:
            row["refusal"] = refusal
    hold_rooms(db.session(), *{reservation.venue for reservation, _ in found})
    for reservation, item in found:
        _decide(reservation, item)
    refused = sum(row["refusal"] is not None for row in rows.values())
    return {"items": list(rows.values()), "done": len(rows) - refused, "refused": refused}


@door.put("/staff/reservations/<key:key>/cancellation")
@door.takes(CallOffIn)
@door.gives(StaffReservationOut, refuses=(409, 422))
def call_reservation_off(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """取消预约（工作人员）

    With the reason they are told; it costs them nothing. Of a series ``scope`` says how much. Twice is fine; one's own is 403
    ``own_content``, and costs what it costs everybody.
    """
    found = _reservation(key)
    call_off(db.session(), found, sent["because"], by=by(), scope=sent["scope"])
    return shown(found)


@door.put("/staff/reservations/<key:key>/check-in")
@door.gives(StaffReservationOut, refuses=(409,))
def check_somebody_in(key: str) -> dict[str, Any]:
    """替预约人签到（工作人员）

    Whom one sees there; oneself is 403 ``own_content``, for there is the code on the door.
    """
    return shown(check_in(db.session(), _reservation(key), by=by()))


@door.post("/staff/venues/<key:key>/check-ins", rate=RateName.COUNTER)
@door.takes(CodeIn)
@door.gives(StaffReservationOut, refuses=(409, 422))
def check_in_with_code(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """用签到码签到（工作人员）

    The six digits of a reservation, as its phone shows them. 409 ``not_there`` names ``code`` where there is none of that kind today.
    """
    venue = _venue(key)
    with named_in("code"):
        found = check_in_by_code(db.session(), venue, sent["code"], by=by())
    return shown(found)


@door.put("/staff/reservations/<key:key>/sign-out")
@door.takes(StaffSignOutIn)
@door.gives(StaffReservationOut, refuses=(409, 422))
def sign_somebody_out(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """替预约人签退（工作人员）

    What is left of the time goes to who waits; damage costs credit.
    """
    found = sign_out(
        db.session(),
        _reservation(key),
        by=by(),
        condition=sent.get("condition"),
        note=sent.get("note", ""),
    )
    return shown(found)


@door.put("/staff/reservations/<key:key>/damage")
@door.takes(DamageIn)
@door.gives(StaffReservationOut, refuses=(409, 422))
def note_damage_of_room(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """登记损坏（工作人员）

    It costs credit, once. 409 ``not_used`` for a room nobody was in.
    """
    return shown(note_damage(db.session(), _reservation(key), sent["note"], by=by()))


@door.put("/staff/venues/<key:key>/door-code")
@door.gives(DoorCodeOut)
def renew_code_of_door(key: str) -> dict[str, str]:
    """换门口签到码（工作人员）

    Six new digits for the paper on the door; the old ones are good for nothing any more, and neither is the code that hung there.
    """
    return {"door_code": renew_door_code(db.session(), _venue(key), by=by())}


def _decide(reservation: Reservation, item: dict[str, Any]) -> None:
    session, row = db.session(), item["row"]
    attempt = session.begin_nested()
    try:
        if item["approve"]:
            approve(session, reservation, by=by())
        else:
            reject(session, reservation, item["because"], by=by())
        session.flush()
        attempt.commit()
        row["state"] = reservation.state
    except Refusal as refusal:
        attempt.rollback()
        row["refusal"] = refusal
    except BaseException:
        attempt.rollback()
        raise


def _must_say_why(items: Sequence[dict[str, Any]]) -> None:
    faults = [
        Fault(f"items.{place}.because", "不通过的请写原因，居民会看到")
        for place, item in enumerate(items)
        if not item["approve"] and not item.get("because")
    ]
    if faults:
        raise Conflict("because_needed", "不通过的请写原因", faults=faults)


def _party(sent: dict[str, Any]) -> Party:
    session = db.session()
    if "resident" not in sent:
        if "group" in sent:
            raise Conflict(
                "leader_needed", "以团队名义预约，请同时选负责人", faults=[Fault("resident", "请选负责人")]
            )
        return Party()
    with named_in("resident"):
        resident = resident_at_the_counter(sent["resident"])
    must_be_known_at_counter(
        resident,
        has_agreed=resident.id in agreed_among(session, [resident]),
        withdrew=took_back(session, resident),
    )
    with named_in("group"):
        group = group_led_by(session, resident, sent["group"]) if "group" in sent else None
    return Party(resident, group)


def _looked_at(rows: Sequence[Reservation]) -> None:
    enter_each(
        db.session(),
        "reservation.looked_at",
        [(one, one.resident_id) for one in rows if one.resident_id is not None],
        by_account_id=account().id,
        identity=caller().identity,
    )


def _reservation(key: str) -> Reservation:
    return reservation_within(db.session(), key, within=office_places())


def _venue(key: str) -> Venue:
    return venue_in(db.session(), key, within=office_places())
