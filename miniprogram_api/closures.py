"""Closures (停用 · 征用): what it would mean to close rooms, closing them, opening them again; and the question each person is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from miniprogram_api.acting import by
from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, Needs, named_in, staff_hat
from miniprogram_api.office import office_places, venue_of_office
from miniprogram_api.schemas.closures import (
    CloseIn,
    ClosurePlanOut,
    ClosuresQuery,
    LiftClosureIn,
    LookAtClosureIn,
    PublicClosuresOut,
    RoomClosureOut,
    RoomClosuresOut,
)
from models.base import db
from models.coordination.closures import (
    PURPOSES,
    Answers,
    Choice,
    ClosureEffect,
    Decision,
    Plan,
    RoomClosure,
    Wanted,
    answers_about,
    close,
    closure_within,
    closures_ahead,
    closures_beside,
    closures_within,
    effects_of,
    lift,
    look,
    state_of,
    together,
)
from models.errors import Conflict, Fault
from models.regions import is_within
from models.sites import Site, Venue, site_by_key, site_in
from models.staff import Role, places_of

door = Door("closures", description="停用与征用")


@door.post("/staff/closures/look")
@door.takes(LookAtClosureIn)
@door.gives(ClosurePlanOut, refuses=(409, 422))
def look_at_closure(sent: dict[str, Any]) -> dict[str, Any]:
    """停用、征用的影响方案

    Everything that is in the way: classes, reservations (also who waits), blocks of units, the community's own uses; each with a remedy of the
    same day, no two of which take the same hour. Nothing is written. ``hours``: what of a time lies outside the opening hours since they or
    the calendar changed. What other closures hold already (``closed_already``) stays, and the rest is closed; 409 ``closed_already`` where
    nothing is left to close.
    """
    return _planned(look(db.session(), _wanted(sent)))


@door.post("/staff/closures")
@door.takes(CloseIn)
@door.gives(RoomClosureOut, 201)
def close_rooms(sent: dict[str, Any]) -> dict[str, Any]:
    """停用、征用场地

    As the plan that was looked at says, but for the ``choices``; all of it or nothing. Everybody concerned is told at once, and asked where
    something was moved. 409 ``learners_clash`` where a chosen hour is one at which some who come have another class, unless the choice says ``even_so``;
    ``plan_changed`` has the new plan in ``details.plan``; ``room_in_use`` and ``notice_too_short`` name what is
    concerned, unless it is an emergency; 403 ``admin_needed`` for a clerk who would take a room from a class. Send an ``Idempotency-Key``.
    """
    wanted = _wanted(sent)
    decision = Decision(
        because=sent["because"],
        fingerprint=sent["fingerprint"],
        emergency_because=sent.get("emergency_because", ""),
        offers=sent.get("offers", ""),
        choices=_choices(sent["choices"]),
    )
    admins = places_of(db.session(), staff_hat(), Role.ADMIN)
    try:
        closure = close(
            db.session(),
            wanted,
            decision,
            by=by(),
            may_override_classes=is_within(wanted.site.region, admins),
        )
    except Conflict as refusal:
        if refusal.code == "plan_changed":
            refusal.details["plan"] = ClosurePlanOut().dump(_planned(look(db.session(), wanted)))
        raise
    return _whole(closure)


@door.get("/staff/closures")
@door.takes(ClosuresQuery, location="query")
@door.gives(RoomClosuresOut, refuses=(409, 422))
def list_closures(wanted: dict[str, Any]) -> dict[str, Any]:
    """停用与征用列表（工作人员）

    Of the sites of the places one works for, the newest first, each with what was answered.
    """
    session, limit = db.session(), wanted["limit"]
    with named_in("site"):
        site = site_in(session, wanted["site"], within=office_places()) if "site" in wanted else None
    found = closures_within(
        session,
        office_places(),
        site=site,
        state=wanted.get("state"),
        before_id=after_id(wanted.get("cursor")),
        most=limit + 1,
    )
    shown = page(found, limit, lambda one: [one.id])
    return {**shown, "items": _briefly(shown["items"])}


@door.get("/staff/closures/<key:key>")
@door.gives(RoomClosureOut)
def show_closure(key: str) -> dict[str, Any]:
    """一次停用或征用（工作人员）

    With everything that was in its way, what became of it, and how many said yes, no or nothing.
    """
    return _whole(_closure(key))


@door.put("/staff/closures/<key:key>/lifting")
@door.takes(LiftClosureIn)
@door.gives(RoomClosureOut, refuses=(409, 422))
def lift_closure(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """恢复开放（工作人员）

    From now on, or before it begins; who waits for what is free again is offered it. What was moved stays where it is, and what another closure
    wants of the rooms (``also_closed_by``) stays closed. Twice is fine.
    """
    closure = _closure(key)
    lift(db.session(), closure, sent["because"], by=by())
    return _whole(closure)


@door.get("/sites/<key:key>/closures", needs=Needs.NOTHING)
@door.gives(PublicClosuresOut, refuses=(404,))
def list_closures_ahead(key: str) -> dict[str, Any]:
    """服务点的停用公告

    What of it is closed now or will be, when and why; the nearest first.
    """
    session = db.session()
    return {"items": closures_ahead(session, site_by_key(session, key))}


def _wanted(sent: dict[str, Any]) -> Wanted:
    session = db.session()
    with named_in("site"):
        site = site_in(session, sent["site"], within=office_places())
    return Wanted(sent["kind"], site, _rooms(site, sent["venues"]), sent.get("starts_at"), sent["ends_at"])


def _rooms(site: Site, keys: Sequence[str]) -> list[Venue]:
    of_site = {room.key: room for room in site.venues}
    faults = [
        Fault(f"venues.{place}", "不是这个服务点的场地")
        for place, key in enumerate(keys)
        if key not in of_site
    ]
    if faults:
        raise Conflict("not_there", "有的场地不在这个服务点，请重新选", faults=faults)
    return [of_site[key] for key in dict.fromkeys(keys)] if keys else list(site.venues)


def _choices(sent: Sequence[dict[str, Any]]) -> dict[str, Choice]:
    faults = [
        Fault(f"choices.{place}.thing", "写了两次，请只留一个")
        for place, one in enumerate(sent)
        if any(one["thing"] == other["thing"] for other in sent[:place])
    ]
    if faults:
        raise Conflict("choices_unfit", "有的安排不能这样处理，请按提示改", faults=faults)
    return {
        one["thing"]: Choice(
            one["remedy"],
            venue_of_office(one["venue"], field=f"choices.{place}.venue") if "venue" in one else None,
            one.get("starts_at"),
            one.get("ends_at"),
            even_so=one["even_so"],
        )
        for place, one in enumerate(sent)
    }


def _planned(plan: Plan) -> dict[str, Any]:
    return {
        "fingerprint": plan.fingerprint,
        "starts_at": plan.during.starts_at,
        "ends_at": plan.during.ends_at,
        "items": [
            {
                "thing": one.affected.key,
                "noun": one.affected.noun,
                "title": one.affected.title,
                "state": one.affected.state,
                "in_use": one.affected.in_use,
                "venue": one.affected.venue,
                "starts_at": one.affected.stretch.starts_at,
                "ends_at": one.affected.stretch.ends_at,
                "people": one.affected.people,
                "remedy": one.remedy,
                "to_venue": one.venue,
                "to_starts_at": one.stretch and one.stretch.starts_at,
                "to_ends_at": one.stretch and one.stretch.ends_at,
                "clashing": one.clashing,
            }
            for one in plan.items
        ],
        "closed_already": plan.closed_already,
    }


def _briefly(closures: Sequence[RoomClosure]) -> list[dict[str, Any]]:
    answered = answers_about(db.session(), closures)
    return [_brief(one, together(answered.get(one.id, {}).values())) for one in closures]


def _brief(closure: RoomClosure, answers: Answers) -> dict[str, Any]:
    names = (
        "key",
        "kind",
        "because",
        "starts_at",
        "ends_at",
        "venues",
        "site",
        "emergency_because",
        "offers",
        "decided_at",
        "lifted_at",
        "lifted_because",
    )
    return {
        **{name: getattr(closure, name) for name in names},
        "state": state_of(closure),
        "answers": answers,
    }


def _whole(closure: RoomClosure) -> dict[str, Any]:
    session = db.session()
    answered = answers_about(session, [closure]).get(closure.id, {})
    return {
        **_brief(closure, together(answered.values())),
        "items": [_effect(one, answered.get(one.id, Answers())) for one in effects_of(session, closure)],
        "also_closed_by": closures_beside(session, closure) if closure.kind in PURPOSES else (),
    }


def _effect(effect: ClosureEffect, answers: Answers) -> dict[str, Any]:
    names = (
        "thing",
        "noun",
        "title",
        "venue",
        "starts_at",
        "ends_at",
        "people",
        "remedy",
        "to_venue",
        "to_starts_at",
        "to_ends_at",
    )
    return {**{name: getattr(effect, name) for name in names}, "answers": answers}


def _closure(key: str) -> RoomClosure:
    return closure_within(db.session(), key, within=office_places())
