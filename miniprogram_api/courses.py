"""This week's classes, and the one tap that takes a seat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from flask import current_app

from miniprogram_api.acting import learner_for, oneself_and_wards
from miniprogram_api.cursors import after_id, after_moment, micros, page
from miniprogram_api.edge import Door, Needs, account, caller, staff_hat
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.courses import (
    ForWhom,
    MyRegistrationsOut,
    MyRegistrationsQuery,
    RegistrationOut,
    RosterOut,
    RosterQuery,
    RunOut,
    RunsOut,
    RunsQuery,
    TapQuery,
)
from models.base import db
from models.commitments import Commitment
from models.committer import Committer
from models.coordination.clashes import rooms_at_ones_classes
from models.courses import (
    CourseRun,
    Registration,
    RunFilter,
    Standing,
    Tap,
    Wanting,
    live_registration,
    positions_of,
    published_run,
    published_runs,
    registrations_of,
    roster_of,
    run_for_staff,
)
from models.journal import enter
from models.regions import region_by_key
from models.staff import OFFICE, places_of

door = Door("courses", description="课程与报名")


class Mine(NamedTuple):
    """A registration with its place in the queue, if it waits, and the rooms they have for themselves at its time."""

    registration: Registration
    position: int | None
    rooms_then: Sequence[Commitment]


@door.get("/course-runs", needs=Needs.NOTHING, kept=True)
@door.takes(RunsQuery, location="query")
@door.gives(RunsOut, refuses=(404, 422))
def list_runs(wanted: dict[str, Any]) -> dict[str, Any]:
    """课程列表

    Published runs by first evening. The same bytes for everyone, at most two seconds old, with an ``ETag``; what one holds
    oneself is at ``/me/registrations``.
    """
    session = db.session()
    region = region_by_key(session, wanted["region"]) if "region" in wanted else None
    limit = wanted["limit"]
    runs = published_runs(
        session,
        RunFilter(region, wanted.get("category"), wanted.get("day"), wanted.get("state"), wanted.get("kind")),
        after=after_moment(wanted.get("cursor")),
        most=limit + 1,
    )
    return page(runs, limit, lambda run: [micros(run.starts_at), run.id])


@door.get("/course-runs/<key:key>", needs=Needs.NOTHING, kept=True)
@door.gives(RunOut, refuses=(404,))
def show_run(key: str) -> CourseRun:
    """课程详情"""
    return published_run(db.session(), key)


@door.put("/course-runs/<key:key>/registration", needs=Needs.SIGNATURE, rate=RateName.TAPS)
@door.takes(TapQuery, location="query")
@door.gives(RegistrationOut, refuses=(409, 422))
def take_seat(whom: dict[str, Any], key: str) -> Standing:
    """一键报名

    Take a seat, or a place in the queue. The body is empty; the answer is the same the first time and every time. What is
    missing of the profile is named in a 409 ``profile_needed``. Decided together with everybody else's tap of this moment, in
    the order of arrival.
    """
    standing = seats().ask(Tap(key, caller().login_key, Wanting.A_SEAT, **whom))
    if standing is None:
        raise AssertionError("wanting a seat is answered by a standing or a refusal")
    return standing


@door.delete("/course-runs/<key:key>/registration", needs=Needs.SIGNATURE, rate=RateName.TAPS)
@door.takes(ForWhom, location="query")
@door.gives(None, 204, refuses=(409, 422))
def give_up_seat(whom: dict[str, Any], key: str) -> None:
    """取消报名

    Give up a seat or a place in the queue; the first in line moves up at once. Having nothing to give up is fine.
    """
    seats().ask(Tap(key, caller().login_key, Wanting.TO_GIVE_UP, whom.get("for_key")))


@door.get("/course-runs/<key:key>/registration")
@door.takes(ForWhom, location="query")
@door.gives(RegistrationOut, refuses=(422,))
def show_registration(whom: dict[str, Any], key: str) -> Standing:
    """我的报名

    What one holds in this run now; 404 ``not_registered`` when it is nothing.
    """
    session = db.session()
    run = published_run(session, key)
    learner = learner_for(whom.get("for_key"))
    held = live_registration(session, run, learner)
    position = positions_of(session, [held]).get(held.id)
    return Standing(
        held.key,
        run.key,
        learner.key,
        held.state,
        position,
        held.registered_at,
        held.seats,
        held.ticket,
        held.offer_expires_at,
    )


@door.get("/me/registrations")
@door.takes(MyRegistrationsQuery, location="query")
@door.gives(MyRegistrationsOut, refuses=(422,))
def list_my_registrations(wanted: dict[str, Any]) -> dict[str, Any]:
    """我的报名列表

    One's own registrations and those of the people one may act for, newest first, cancelled ones too. A class is given to who has a room
    for themselves then: ``rooms_then`` names it, and ``DELETE /reservations/{key}`` gives it up.
    """
    session = db.session()
    people = oneself_and_wards()
    limit = wanted["limit"]
    found = registrations_of(
        session, people, run_key=wanted.get("run"), before_id=after_id(wanted.get("cursor")), most=limit + 1
    )
    positions = positions_of(session, found)
    answer = page(found, limit, lambda registration: [registration.id])
    rooms = rooms_at_ones_classes(session, answer["items"], of=people)
    answer["items"] = [
        Mine(registration, positions.get(registration.id), rooms.get(registration.id, ()))
        for registration in answer["items"]
    ]
    return answer


@door.get("/staff/course-runs/<key:key>/registrations", looks=True)
@door.takes(RosterQuery, location="query")
@door.gives(RosterOut, refuses=(422,))
def show_roster(wanted: dict[str, Any], key: str) -> dict[str, Any]:
    """班级名单（工作人员）

    Who has a seat and who waits, in order of registration, with phone numbers. For administrators and clerks of the run's
    community or above; anybody else does not find it. Every look is journalled.
    """
    session = db.session()
    member = staff_hat()
    run = run_for_staff(session, key, within=places_of(session, member, *OFFICE))
    limit = wanted["limit"]
    lines = roster_of(session, run, after_id=after_id(wanted.get("cursor")), most=limit + 1)
    enter(
        session,
        "roster.looked_at",
        run,
        by_account_id=account().id,
        identity=caller().identity,
        details={"lines": min(len(lines), limit)},
    )
    return page(lines, limit, lambda registration: [registration.id])


def seats() -> Committer[Tap, Standing | None]:
    """Where taps are decided together."""
    committer: Committer[Tap, Standing | None] = current_app.extensions["seats"]
    return committer
