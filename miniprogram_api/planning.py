"""Planning (开课) for staff: what is taught, runs made and corrected one by one, and a series looked at before it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from miniprogram_api.bulk import row_by_row
from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, named_in, staff_hat
from miniprogram_api.office import hat, must_run_an_office, office_places, run_of_office, venue_of_office
from miniprogram_api.schemas.planning import (
    BulkAct,
    BulkIn,
    CopiesIn,
    CopyIn,
    CourseIn,
    CourseOut,
    CoursesOut,
    CoursesQuery,
    NewRunIn,
    Opening,
    OpeningIn,
    RowsOut,
    RunIn,
    SeriesIn,
    SeriesOut,
    TooFewRunsOut,
)
from miniprogram_api.schemas.timetabling import CalledOffOut, StaffRunOut
from models import clock
from models.base import db
from models.courses import (
    By,
    Course,
    CourseRun,
    Evening,
    RunPlan,
    Seating,
    Series,
    cancel_run,
    change_run,
    copy_run,
    course_for_staff,
    courses_within,
    make_run,
    merge_run,
    must_be_publisher,
    next_publishing_hour,
    open_anyway,
    open_course,
    preview_series,
    publish,
    seating_of,
    submit,
    too_few,
    unpublish,
    usual_seating,
)
from models.courses.opening import MOST_LISTED
from models.errors import Conflict, Fault, NotFound
from models.regions import Region, RegionKind, is_within, region_by_key
from models.sites import Venue

door = Door("planning", description="开课")


@door.get("/staff/courses")
@door.takes(CoursesQuery, location="query")
@door.gives(CoursesOut, refuses=(422,))
def list_courses(wanted: dict[str, Any]) -> dict[str, Any]:
    """课程目录（工作人员）

    What is taught in the places one works for, also what has no run now.
    """
    limit = wanted["limit"]
    courses = courses_within(
        db.session(), office_places(), after_id=after_id(wanted.get("cursor")), most=limit + 1
    )
    return page(courses, limit, lambda course: [course.id])


@door.post("/staff/courses")
@door.takes(CourseIn)
@door.gives(CourseOut, 201, refuses=(409, 422))
def open_staff_course(sent: dict[str, Any]) -> Course:
    """新开课程（工作人员）

    The community's course of this title; one that is there already stays the same course and takes the category;
    what it is (``kind``) is said once, 409 ``kind_differs`` where it is something else already. An activity (活动) is held once a run.
    """
    with named_in("community"):
        community = _community(sent["community"])
    return open_course(
        db.session(),
        community,
        title=sent["title"],
        category=sent["category"],
        kind=sent.get("kind"),
        **hat(),
    )


@door.post("/staff/course-series/preview")
@door.takes(SeriesIn)
@door.gives(SeriesOut)
def look_at_series(sent: dict[str, Any]) -> dict[str, Any]:
    """系列排课预览（工作人员）

    Every evening of a weekly class by the calendar (holidays, 调休) before it is saved: which are skipped or moved, and where the room
    or the teacher is taken. Nothing is written; what is then sent to ``POST /staff/course-runs`` is what stands here.
    """
    must_run_an_office()
    evenings = preview_series(
        db.session(),
        Series(
            first_on=sent["first_on"],
            starts=sent["starts"],
            ends=sent["ends"],
            weekdays=frozenset(sent["weekdays"]),
            times=sent.get("times"),
            until=sent.get("until"),
            holidays=sent["holidays"],
            every_weeks=sent["every_weeks"],
        ),
        venue=venue_of_office(sent["venue"]) if "venue" in sent else None,
        teacher=sent.get("teacher", "") if sent["teacher_is_person"] else "",
    )
    return {"items": evenings, "evenings": sum(evening.can_be_held for evening in evenings)}


@door.post("/staff/course-runs")
@door.takes(NewRunIn)
@door.gives(StaffRunOut, 201)
def make_staff_run(sent: dict[str, Any]) -> CourseRun:
    """新建班次（工作人员）

    A draft with all its evenings, whose rooms are held from now on, or nothing: 409 ``room_taken`` or ``teacher_taken`` names the evening
    (``evenings.2``, counted from 0).
    """
    with named_in("course"):
        course = course_for_staff(db.session(), sent["course"], within=office_places())
    usual = usual_seating(db.session(), course.region_id, sent["capacity"])
    return make_run(db.session(), course, _plan(sent, usual), **hat())


@door.put("/staff/course-runs/<key:key>")
@door.takes(RunIn)
@door.gives(StaffRunOut, refuses=(409, 422))
def change_staff_run(sent: dict[str, Any], key: str) -> CourseRun:
    """修改班次（工作人员）

    What staff write of the whole run now; the same twice changes nothing. What would hurt somebody who has a place is 409
    ``run_has_learners`` and says what to do instead.
    """
    run = run_of_office(
        key
    ).lock()  # what is left out stays as it is, not as it was before somebody else's deed
    stands = replace(seating_of(run), held_until=None)  # said by nobody, it goes along with the first evening
    change_run(db.session(), run, _plan(sent, stands), **hat())
    return run


@door.post("/staff/course-runs/<key:key>/copy")
@door.takes(CopyIn)
@door.gives(StaffRunOut, 201)
def copy_staff_run(sent: dict[str, Any], key: str) -> CourseRun:
    """复制班次（工作人员）

    A draft like this run from another first day on: the same course, teacher, rooms, hours and rules, as many evenings by the calendar,
    and nobody registered.
    """
    return _copy(run_of_office(key), sent)


@door.post("/staff/course-runs/copies")
@door.takes(CopiesIn)
@door.gives(RowsOut)
def copy_staff_runs(sent: dict[str, Any]) -> Mapping[str, object]:
    """批量复制班次（工作人员）

    Each row by itself: one that is refused says why and stops no other.
    """
    return row_by_row([(row["run"], row) for row in sent["items"]], _copy)


@door.post("/staff/course-runs/bulk")
@door.takes(BulkIn)
@door.gives(RowsOut)
def change_staff_runs(sent: dict[str, Any]) -> Mapping[str, object]:
    """批量送审、发布、下架、取消（工作人员）

    The same for every run of a list, each by itself: one that is refused says why and stops no other. ``cancel`` needs ``because``; when
    ``publish`` is for is said as for one run.
    """
    if sent["at_the_hour"] and "at" in sent:
        raise Conflict("two_moments", "统一发布和定时发布只能选一个")
    if sent["act"] is BulkAct.CANCEL and "because" not in sent:
        raise Conflict(
            "reason_needed",
            "取消要写明原因，系统会告诉大家",
            faults=[Fault("because", "请写明原因")],
        )
    return row_by_row([(key, sent) for key in dict.fromkeys(sent["keys"])], _change)


@door.get("/staff/opening-decisions")
@door.gives(TooFewRunsOut)
def list_opening_decisions() -> dict[str, Any]:
    """人数不够的班（工作人员）

    The classes of the places one works for that start within a day with fewer people than they need, and nobody decided about yet.
    """
    return {"items": too_few(db.session(), clock.now(), within=office_places())[:MOST_LISTED]}


@door.put("/staff/course-runs/<key:key>/opening-decision")
@door.takes(OpeningIn)
@door.gives(CalledOffOut, refuses=(409, 422))
def decide_opening(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """决定开不开班（工作人员）

    A class too few registered for goes on all the same (``run``), is called off (``cancel``), or its people all move to another run of
    its course (``merge``, ``into``): seats stay seats while that one has any, the rest queue there, and everybody is told. Nothing is
    decided by itself.
    """
    session, run = db.session(), run_of_office(key)
    by = By(sent["because"], **hat("account_id"))
    match sent["decision"]:
        case Opening.RUN:
            open_anyway(session, run, by=by)
            told = 0
        case Opening.CANCEL:
            told = cancel_run(session, run, by=by)
        case _:
            if "into" not in sent:
                faults = [Fault("into", "请选要并入哪个班")]
                raise Conflict("merge_into_needed", "请选要并入哪个班", faults=faults)
            with named_in("into"):
                into = run_of_office(sent["into"])
            told = merge_run(session, run, into, by=by, even_so=sent["even_so"])
    return {"run": run, "told": told}


def _copy(run: CourseRun, sent: dict[str, Any]) -> CourseRun:
    return copy_run(db.session(), run, first_on=sent["first_on"], holidays=sent["holidays"], **hat())


def _change(run: CourseRun, sent: dict[str, Any]) -> CourseRun:
    session = db.session()
    match sent["act"]:
        case BulkAct.SUBMIT:
            submit(session, run, **hat())
        case BulkAct.PUBLISH:
            must_be_publisher(session, staff_hat(), run)
            moment = next_publishing_hour(session, run.region) if sent["at_the_hour"] else sent.get("at")
            publish(session, run, at=moment, **hat())
        case BulkAct.UNPUBLISH:
            unpublish(session, run, **hat())
        case BulkAct.CANCEL:
            cancel_run(session, run, by=By(sent["because"], **hat("account_id")))
    return run


def _seating(sent: dict[str, Any], base: Seating) -> Seating:
    said = {field.name: sent[field.name] for field in fields(Seating) if field.name in sent}
    if said.get("after_course") is not None:
        with named_in("after_course"):
            said["after_course"] = course_for_staff(
                db.session(), said["after_course"], within=office_places()
            )
    return replace(base, **said)


def _plan(sent: dict[str, Any], usually: Seating) -> RunPlan:
    rooms: dict[str, Venue] = {}
    evenings = []
    for place, evening in enumerate(sent["evenings"]):
        key = evening["venue"]
        if key not in rooms:
            rooms[key] = venue_of_office(key, field=f"evenings.{place}.venue")
        evenings.append(Evening(evening["starts_at"], evening["ends_at"], rooms[key]))
    return RunPlan(
        month="",
        ordinal=0,
        teacher=sent["teacher"],
        teacher_is_person=sent["teacher_is_person"],
        capacity=sent["capacity"],
        opens_at=sent["opens_at"],
        evenings=evenings,
        audience=sent["audience"],
        min_age=sent["min_age"],
        max_age=sent["max_age"],
        materials=sent["materials"],
        note=sent["note"],
        seating=_seating(sent, usually),
    )


def _community(key: str) -> Region:
    region = region_by_key(db.session(), key)
    if region.kind is not RegionKind.COMMUNITY or not is_within(region, office_places()):
        raise NotFound("没有找到这个社区")
    return region
