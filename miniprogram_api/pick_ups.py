"""Pick-up (接送): guardians name who may fetch a child, staff sign it out to one of them."""

from __future__ import annotations

from typing import Any

from miniprogram_api.acting import learner_to_write_about, oneself_or_ward
from miniprogram_api.content import Opinion, begin_writing, checked
from miniprogram_api.edge import Door, account, caller, staff_hat
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.courses import ForWhom
from miniprogram_api.schemas.pick_ups import AdultsIn, AdultsOut, ChildLineOut, ChildrenOut, FetchedIn
from miniprogram_api.wechat import Scene
from models.base import db
from models.content_checks import PICK_UP_NAME
from models.courses import CourseSession, published_run, session_for_staff
from models.courses.attendance import (
    ChildLine,
    NamedAdult,
    Recorder,
    adults_of,
    children_at,
    must_be_for_children,
    name_adults,
    place_of,
    sign_out,
)
from models.journal import enter
from models.staff import OFFICE, places_of

door = Door("pick_ups", description="接送")


@door.get("/course-runs/<key:key>/pick-up-adults")
@door.takes(ForWhom, location="query")
@door.gives(AdultsOut, refuses=(409, 422))
def list_pick_up_adults(whom: dict[str, Any], key: str) -> dict[str, Any]:
    """孩子的接送人

    Who may fetch a child from this run besides its guardians.
    """
    session = db.session()
    run, child = published_run(session, key), oneself_or_ward(whom.get("for_key"))
    place = place_of(session, run, child)
    return {"run": run.key, "items": adults_of(session, [place.id]).get(place.id, [])}


@door.put("/course-runs/<key:key>/pick-up-adults", asks_wechat=True, rate=RateName.PROFILE)
@door.takes(ForWhom, location="query")
@door.takes(AdultsIn)
@door.gives(AdultsOut, refuses=(409, 422))
def name_pick_up_adults(whom: dict[str, Any], sent: dict[str, Any], key: str) -> dict[str, Any]:
    """指定孩子的接送人

    Up to three, besides the guardians, who always may; whoever is left out may no longer. For a guardian alone: 409 ``guardian_only``.
    Names are checked first: 422 ``content_risky`` asks for others. Names and numbers go a month after the run.
    """
    named = [NamedAdult(one["name"], one["phone"], one["relation"]) for one in sent["adults"]]
    opinions = _opinions(key, whom.get("for_key"), named)
    session = db.session()
    account().lock().must_stand()
    run, child = published_run(session, key), learner_to_write_about(whom.get("for_key"))
    adults = name_adults(session, run, child, named, by=_recorder())
    for adult in adults:
        opinion = opinions.pop(adult.name, None)
        if opinion is not None:
            opinion.write_down(key=adult.key, account_id=account().id, resident_id=child.id)
    return {"run": run.key, "items": adults}


@door.get("/staff/course-sessions/<key:key>/pick-ups", looks=True)
@door.gives(ChildrenOut, refuses=(409,))
def list_children(key: str) -> dict[str, Any]:
    """等待接走的孩子（工作人员）

    Every child of this evening, who may fetch it with the number to call, who did, and who still waits. Every look is journalled.
    """
    session, meeting = db.session(), _meeting(key)
    lines = children_at(session, meeting)
    enter(
        session,
        "pick_ups.looked_at",
        meeting.run,
        by_account_id=account().id,
        identity=caller().identity,
        details={"evening": meeting.key, "lines": len(lines)},
    )
    return {"items": [_line(one) for one in lines], "waiting": sum(one.waits for one in lines)}


@door.put("/staff/course-sessions/<key:key>/pick-ups")
@door.takes(FetchedIn)
@door.gives(ChildLineOut, refuses=(409, 422))
def sign_child_out(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """登记接走（工作人员）

    A child goes home with a guardian, or with somebody a guardian named; anybody else is 409 ``adult_not_named``. The guardians hear who
    came and when. The same again is fine, another one corrects it.
    """
    session, meeting = db.session(), _meeting(key)
    must_be_for_children(meeting.run)
    return _line(sign_out(session, meeting, sent["registration"], sent["adult"], by=_recorder()))


def _line(line: ChildLine) -> dict[str, Any]:
    pick_up = line.pick_up
    by = (pick_up.adult or pick_up.guardian) if pick_up else None
    return {
        "registration": line.registration,
        "waits": line.waits,
        "fetchers": line.fetchers,
        "fetched_at": pick_up.at if pick_up else None,
        "fetched_by": by.name if by else None,
    }


def _opinions(key: str, for_key: str | None, named: list[NamedAdult]) -> dict[str, Opinion]:
    """WeChat's word on every name that is new."""
    session = db.session()
    run, child = published_run(session, key), oneself_or_ward(for_key)
    must_be_for_children(run)
    place = place_of(session, run, child)
    before = {one.name for one in adults_of(session, [place.id]).get(place.id, ())}
    new = {one.name for one in named} - before
    if not new:
        begin_writing()
    return {name: checked(name, PICK_UP_NAME, scene=Scene.PROFILE) for name in sorted(new)}


def _meeting(key: str) -> CourseSession:
    session = db.session()
    return session_for_staff(session, key, within=places_of(session, staff_hat(), *OFFICE))


def _recorder() -> Recorder:
    return Recorder(account().id, caller().identity)
