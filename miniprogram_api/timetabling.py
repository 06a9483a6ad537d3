"""Timetabling (排课) for staff: what is published when, and what changes about a class people count on."""

from __future__ import annotations

from typing import Any

from miniprogram_api.cursors import after_moment, micros, page
from miniprogram_api.edge import Door, staff_hat
from miniprogram_api.office import hat as _hat
from miniprogram_api.office import office_places as _places
from miniprogram_api.office import run_of_office as _run
from miniprogram_api.office import session_of_office as _meeting
from miniprogram_api.office import venue_of_office as _venue
from miniprogram_api.schemas.timetabling import (
    BecauseIn,
    CalledOffOut,
    MoveIn,
    PublicationIn,
    StaffRunOut,
    StaffRunsOut,
    StaffRunsQuery,
    VenuesOut,
)
from models.base import db
from models.courses import (
    By,
    CourseRun,
    cancel_run,
    cancel_session,
    move_session,
    must_be_publisher,
    next_publishing_hour,
    publish,
    runs_for_staff,
    send_back,
    submit,
    unpublish,
)
from models.errors import Conflict
from models.sites import venues_within

door = Door("timetabling", description="排课")


@door.get("/staff/venues")
@door.gives(VenuesOut)
def list_venues() -> dict[str, Any]:
    """场地列表（工作人员）

    Every room of the places one works for, to move a class to.
    """
    rooms = {venue.id: venue for place in _places() for venue in venues_within(db.session(), place)}
    return {"items": list(rooms.values())}


@door.get("/staff/course-runs")
@door.takes(StaffRunsQuery, location="query")
@door.gives(StaffRunsOut, refuses=(422,))
def list_staff_runs(wanted: dict[str, Any]) -> dict[str, Any]:
    """班次列表（工作人员）

    The runs of the places one works for, drafts and archived ones too, by first evening; in one ``state`` when it is named.
    """
    limit = wanted["limit"]
    runs = runs_for_staff(
        db.session(),
        within=_places(),
        state=wanted.get("state"),
        after=after_moment(wanted.get("cursor")),
        most=limit + 1,
    )
    return page(runs, limit, lambda run: [micros(run.starts_at), run.id])


@door.get("/staff/course-runs/<key:key>")
@door.gives(StaffRunOut)
def show_staff_run(key: str) -> CourseRun:
    """班次详情（工作人员）"""
    return _run(key)


@door.put("/staff/course-runs/<key:key>/submission")
@door.gives(StaffRunOut, refuses=(409,))
def submit_run(key: str) -> CourseRun:
    """送审（工作人员）

    Hand a draft to an administrator. Handing in twice is fine.
    """
    run = _run(key)
    submit(db.session(), run, **_hat())
    return run


@door.put("/staff/course-runs/<key:key>/objection")
@door.takes(BecauseIn)
@door.gives(StaffRunOut, refuses=(409, 422))
def send_run_back(sent: dict[str, Any], key: str) -> CourseRun:
    """退回（工作人员）

    Make a submitted run a draft again, with the reason, which stands in ``sent_back_because`` until it is handed in again: an
    administrator sends it back, or the clerk takes it back.
    """
    run = _run(key)
    send_back(db.session(), run, because=sent["because"], **_hat())
    return run


@door.put("/staff/course-runs/<key:key>/publication")
@door.takes(PublicationIn)
@door.gives(StaffRunOut, refuses=(409, 422))
def publish_run(sent: dict[str, Any], key: str) -> CourseRun:
    """发布（工作人员）

    At once; at the community's next hour of publishing (``at_the_hour``); or from the moment ``at`` on, which may be changed until it
    has come; both are 409 ``two_moments``. Where the community has courses reviewed, only an administrator publishes: 403 ``review_needed``.
    """
    if sent["at_the_hour"] and "at" in sent:
        raise Conflict("two_moments", "统一发布和定时发布只能选一个")
    session, run = db.session(), _run(key)
    must_be_publisher(session, staff_hat(), run)
    moment = next_publishing_hour(session, run.region) if sent["at_the_hour"] else sent.get("at")
    publish(session, run, at=moment, **_hat())
    return run


@door.delete("/staff/course-runs/<key:key>/publication")
@door.gives(StaffRunOut, refuses=(409,))
def unpublish_run(key: str) -> CourseRun:
    """下架（工作人员）

    Make a run a draft again, as long as nobody has a place in it. Taking down twice is fine.
    """
    run = _run(key)
    unpublish(db.session(), run, **_hat())
    return run


@door.put("/staff/course-runs/<key:key>/cancellation")
@door.takes(BecauseIn)
@door.gives(CalledOffOut, refuses=(409, 422))
def cancel_staff_run(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """取消班次（工作人员）

    Call a whole run off: every place in it ends, its rooms are free, and everybody is told why. Cancelling twice is fine.
    """
    session, run = db.session(), _run(key)
    told = cancel_run(session, run, by=By(sent["because"], **_hat("account_id")))
    return {"run": run, "told": told}


@door.put("/staff/course-sessions/<key:key>/time")
@door.takes(MoveIn)
@door.gives(CalledOffOut, refuses=(409, 422))
def move_staff_session(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """改期、换教室（工作人员）

    Hold one evening at another time, or in another room when ``venue`` is named; the class, the room and what people are told go together
    or not at all. 409 ``learners_clash`` says how many have another class then; ``even_so`` moves it all the same.
    """
    session, meeting = db.session(), _meeting(key)
    told = move_session(
        session,
        meeting,
        starts_at=sent["starts_at"],
        ends_at=sent["ends_at"],
        venue=_venue(sent["venue"]) if "venue" in sent else meeting.venue,
        by=By(sent["because"], **_hat("account_id")),
        even_so=sent["even_so"],
    )
    return {"run": meeting.run, "told": told}


@door.put("/staff/course-sessions/<key:key>/cancellation")
@door.takes(BecauseIn)
@door.gives(CalledOffOut, refuses=(409, 422))
def cancel_staff_session(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """停课一次（工作人员）

    Call one evening off and tell everybody why. Twice is fine; the only evening left is 409 ``last_session``.
    """
    session, meeting = db.session(), _meeting(key)
    told = cancel_session(session, meeting, by=By(sent["because"], **_hat("account_id")))
    return {"run": meeting.run, "told": told}
