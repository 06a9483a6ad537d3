"""Reservations (预约场地): one tap takes a room for a time, for oneself, one's family, or the group one leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from miniprogram_api.acting import by, learner_to_write_about, oneself_and_wards
from miniprogram_api.content import begin_writing
from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, Needs, account, caller
from miniprogram_api.installed import house_rules
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.reservations import (
    BorrowIn,
    CancelQuery,
    DoorIn,
    ForWhomQuery,
    MyReservationsQuery,
    PledgeOut,
    ReservationOut,
    ReservationsOut,
    ReserveIn,
    RoomSeriesIn,
    RoomSeriesOut,
    SeriesLookIn,
    SeriesLookOut,
    SignOutIn,
)
from models import clock
from models.base import db
from models.errors import Forbidden
from models.groups import group_led_by
from models.reservations import (
    ROOM_PLEDGE,
    HouseRules,
    Party,
    Reservation,
    SeriesDay,
    Wanted,
    accept,
    borrowed_by,
    cancel,
    change_equipment,
    check_in,
    house_rules_of,
    look_at_series,
    look_first,
    reservation_of,
    reservations_of,
    reserve,
    reserve_series,
    sign_out,
)
from models.sites import Venue, venue_by_key

door = Door("reservations", description="预约场地")


@door.get("/room-pledge", needs=Needs.NOTHING)
@door.gives(PledgeOut)
def show_room_pledge() -> dict[str, str]:
    """场地使用安全承诺

    What whoever reserves a room promises; its version is sent with the reservation.
    """
    return {"version": ROOM_PLEDGE.version, "text": ROOM_PLEDGE.text}


# "asks_wechat": it looks before it writes, though it asks nobody; most who want what everybody wants hear no from the look
@door.post("/venues/<key:key>/reservations", asks_wechat=True, rate=RateName.RESERVING)
@door.takes(ForWhomQuery, location="query")
@door.takes(ReserveIn)
@door.gives(ReservationOut, 201, refuses=(409, 422))
def reserve_room(whom: dict[str, Any], sent: dict[str, Any], key: str) -> dict[str, Any]:
    """预约场地

    One tap takes it, or asks for it where staff review. Send an ``Idempotency-Key``; the same room and time asked for again is the same
    reservation anyhow. 409 ``room_taken`` says what else there is in ``details.alternatives``, and ``equipment_short`` at which other hours of
    the day there is enough; with ``waits`` one queues up instead of the first. 409 ``pledge_needed`` and ``profile_needed`` say what is missing,
    every other 409 why not and what to do.
    """
    session, wanted = db.session(), wanted_of(sent)
    if not sent["waits"]:
        asking, acted_for = _asking(whom.get("for_key"), sent.get("group"))
        look_first(
            session,
            _venue(key),
            wanted,
            whose=asking,
            by=by(),
            acted_for=acted_for,
            rules=_rules_of_a_moment_ago,
        )
    begin_writing()
    party, acted_for = _party(whom.get("for_key"), sent.get("group"))
    made = reserve(
        session,
        _venue(key),
        wanted,
        whose=party,
        by=by(),
        acted_for=acted_for,
        waits=sent["waits"],
    )
    return shown(made)


@door.post("/venues/<key:key>/reservation-series/look", rate=RateName.RESERVING)
@door.takes(SeriesLookIn)
@door.gives(SeriesLookOut, refuses=(409, 422))
def look_at_room_series(sent: dict[str, Any], key: str) -> dict[str, Sequence[SeriesDay]]:
    """看看固定预约

    Each week of it, and why it cannot be had if it cannot; nothing is taken.
    """
    party, _ = _party(None, sent["group"])
    return {
        "items": look_at_series(
            db.session(), _venue(key), wanted_of(sent), sent["weeks"], whose=party, by=by()
        )
    }


@door.post("/venues/<key:key>/reservation-series", rate=RateName.RESERVING)
@door.takes(RoomSeriesIn)
@door.gives(RoomSeriesOut, 201, refuses=(409, 422))
def reserve_room_series(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """固定预约

    The same hours of some weeks for a group: all of them, or only the ``days`` that are named. All that is asked for, or nothing: 409
    ``series_unfit`` names each day that cannot be had, and those that can in ``details.fit``; 409 ``not_open_yet`` where the first week is
    not open yet, also where it is left out.
    """
    party, _ = _party(None, sent["group"])
    made = reserve_series(
        db.session(),
        _venue(key),
        wanted_of(sent),
        sent["weeks"],
        only=set(sent["days"]) if "days" in sent else None,
        whose=party,
        by=by(),
    )
    return {"items": all_shown(made)}


@door.get("/me/reservations")
@door.takes(MyReservationsQuery, location="query")
@door.gives(ReservationsOut, refuses=(422,))
def list_my_reservations(wanted: dict[str, Any]) -> dict[str, Any]:
    """我的预约

    One's own, those of the people one may act for, and those of groups one leads, the newest first.
    """
    limit = wanted["limit"]
    rows = reservations_of(
        db.session(),
        oneself_and_wards(),
        ends_after=clock.now() if wanted["ahead"] else None,
        before_id=after_id(wanted.get("cursor")),
        most=limit + 1,
    )
    answer = page(rows, limit, lambda one: [one.id])
    return {**answer, "items": all_shown(answer["items"])}


@door.get("/reservations/<key:key>")
@door.gives(ReservationOut)
def show_reservation(key: str) -> dict[str, Any]:
    """一个预约"""
    return shown(_mine(key))


@door.delete("/reservations/<key:key>")
@door.takes(CancelQuery, location="query")
@door.gives(None, 204, refuses=(409, 422))
def cancel_reservation(wanted: dict[str, Any], key: str) -> None:
    """取消预约

    Of a series ``scope`` says how much: 本次 ``this``, 本次及以后 ``this_and_later``, 全部 ``all``. Too shortly before it begins costs credit. Twice is
    fine. 409 ``already_in_use`` once one is there: sign out instead.
    """
    mine = _mine(key)
    cancel(db.session(), mine, by=by(), scope=wanted["scope"], acted_for=_is_acted_for(mine))


@door.put("/reservations/<key:key>/acceptance")
@door.gives(ReservationOut, refuses=(409,))
def accept_room(key: str) -> dict[str, Any]:
    """确认候补到的场地

    While the offer stands (``offer_expires_at``); twice is fine. Who does not want it cancels, and it goes to the next.
    """
    mine = _mine(key)
    return shown(accept(db.session(), mine, by=by(), acted_for=_is_acted_for(mine)))


@door.put("/reservations/<key:key>/check-in", rate=RateName.DOOR_CODES)
@door.takes(DoorIn)
@door.gives(ReservationOut, refuses=(409, 422))
def check_in_at_the_door(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """签到

    With the six digits on the door, or the ``scene`` of the code that hangs there, from half an hour before on; a quarter of an hour after the start an empty room is released. Twice is
    fine.
    """
    mine, at_the_door = _mine(key), {"door_code": sent.get("door_code"), "sign": sent.get("scene")}
    return shown(check_in(db.session(), mine, by=by(), **at_the_door))


@door.put("/reservations/<key:key>/sign-out")
@door.takes(SignOutIn)
@door.gives(ReservationOut, refuses=(409, 422))
def sign_out_of_room(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """签退

    What is left of the time goes to who waits. Twice is fine, the first word stays.
    """
    return shown(sign_out(db.session(), _mine(key), by=by(), condition=sent["condition"]))


@door.put("/reservations/<key:key>/equipment")
@door.takes(BorrowIn)
@door.gives(ReservationOut, refuses=(409, 422))
def change_my_equipment(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """改借用的设备

    Just these pieces go with it from now on, until it begins. 409 ``equipment_short`` says how many are left.
    """
    mine = _mine(key)
    change_equipment(db.session(), mine, pieces_of(sent), by=by())
    return shown(mine)


# --- what the staff's routes share --------------------------------------------------------------------------------


def wanted_of(sent: Mapping[str, Any]) -> Wanted:
    """What was asked for."""
    return Wanted(
        starts_at=sent["starts_at"],
        ends_at=sent["ends_at"],
        headcount=sent["headcount"],
        wanted_for=sent["wanted_for"],
        about=sent.get("about", ""),
        loudspeaker=sent["loudspeaker"],
        with_children=sent["with_children"],
        pledge_version=sent.get("pledge"),
        pieces=pieces_of(sent),
    )


def pieces_of(sent: Mapping[str, Any]) -> dict[str, int]:
    """How many pieces of which equipment; what is named twice is meant together."""
    found: dict[str, int] = {}
    for one in sent["equipment"]:
        found[one["equipment"]] = found.get(one["equipment"], 0) + one["pieces"]
    return found


def shown(reservation: Reservation) -> dict[str, Any]:
    """One reservation as its shapes take it."""
    return all_shown([reservation])[0]


def all_shown(reservations: Sequence[Reservation]) -> list[dict[str, Any]]:
    """Each with the equipment that goes with it, read once for all of them."""
    lent = borrowed_by(db.session(), reservations)
    return [
        {
            **{name: getattr(one, name) for name in _SHOWN},
            "equipment": [
                {"equipment": key, "pieces": pieces} for key, pieces in sorted(lent.get(one.key, {}).items())
            ],
        }
        for one in reservations
    ]


_SHOWN = (
    "key",
    "venue",
    "state",
    "resident",
    "group",
    "series",
    "starts_at",
    "ends_at",
    "headcount",
    "wanted_for",
    "about",
    "loudspeaker",
    "with_children",
    "code",
    "reserved_at",
    "offer_expires_at",
    "review_due_at",
    "review_overdue",
    "reviewed_at",
    "decided_because",
    "cancelled_by",
    "cancelled_late",
    "moved_from",
    "made_good_until",
    "checked_in_at",
    "signed_out_at",
    "condition",
    "condition_note",
)


# --- who asks -----------------------------------------------------------------------------------------------------


def _party(for_key: str | None, group_key: str | None) -> tuple[Party, bool]:
    """Whose it is to be, and whether a grown-up asks for somebody else; the account is held."""
    must_be_resident()
    account().lock().must_stand()
    return _asking(for_key, group_key)


def _asking(for_key: str | None, group_key: str | None) -> tuple[Party, bool]:
    must_be_resident()
    resident = learner_to_write_about(for_key)
    group = group_led_by(db.session(), resident, group_key) if group_key is not None else None
    return Party(resident, group), resident.account_id != account().id


def _mine(key: str) -> Reservation:
    # staff and partners have none of their own: what is one's own is seen without a hat
    return reservation_of(
        db.session(), key, residents=oneself_and_wards() if caller().identity == "resident" else ()
    )


def must_be_resident() -> None:
    """Raise Forbidden in any hat but one's own."""
    if caller().identity != "resident":
        raise Forbidden("identity_unfit", "请切换到居民身份再操作")


def _is_acted_for(reservation: Reservation) -> bool:
    return reservation.resident is not None and reservation.resident.account_id != account().id


def _rules_of_a_moment_ago(session: Session, rooms: Sequence[Venue]) -> HouseRules:
    return house_rules().of(frozenset(room.id for room in rooms), lambda: house_rules_of(session, rooms))


def _venue(key: str) -> Venue:
    return venue_by_key(db.session(), key)
