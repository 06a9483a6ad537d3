"""Courses (课程): what is taught, its runs and evenings, and who has a seat."""

from __future__ import annotations

from models.courses.listing import (
    RunFilter,
    live_registration,
    people_to_tell,
    positions_of,
    published_run,
    published_runs,
    registrations_of,
    roster_of,
    run_for_staff,
    runs_not_over,
)
from models.courses.planning import Evening, RunPlan, classes_of_teacher, open_course, plan_run, publish
from models.courses.registrations import LIVE, Registration, RegistrationState, Standing, Tap, Wanting
from models.courses.reminding import owe_reminders, still_true
from models.courses.revising import Change, changes_of, hurts_of, leave_rooms, revise_run, withdraw_run
from models.courses.runs import Audience, Course, CourseRun, CourseSession, RunPhase, RunState, SessionState
from models.courses.seats import decide, give_up_all, hold_runs_of, promote, register, said_helper

__all__ = [
    "LIVE",
    "Audience",
    "Change",
    "Course",
    "CourseRun",
    "CourseSession",
    "Evening",
    "Registration",
    "RegistrationState",
    "RunFilter",
    "RunPhase",
    "RunPlan",
    "RunState",
    "SessionState",
    "Standing",
    "Tap",
    "Wanting",
    "changes_of",
    "classes_of_teacher",
    "decide",
    "give_up_all",
    "hold_runs_of",
    "hurts_of",
    "leave_rooms",
    "live_registration",
    "open_course",
    "owe_reminders",
    "people_to_tell",
    "plan_run",
    "positions_of",
    "promote",
    "publish",
    "published_run",
    "published_runs",
    "register",
    "registrations_of",
    "revise_run",
    "roster_of",
    "run_for_staff",
    "runs_not_over",
    "said_helper",
    "still_true",
    "withdraw_run",
]
