"""The clerk's timetable (课程表): from a spreadsheet to a checked plan, and from the plan to runs of the town.

Reading touches no table of ours:

workbook  opens the file, trusting nothing      sheet, columns  where title, header and rows are
cells, moments, remarks, teachers  what a cell means      lessons  one row, one lesson
runs      lessons that belong together          clashes   two classes in one room or with one person
reader    all of it in order                    plan, faults    what comes out

Applying is one transaction, the whole file or nothing:
naming    communities and rooms by name         matching  which run of the file stands already
asking    a sheet in the town's own terms       placing   the deeds, and what stands in their way
applying  all of it in order                    report    what a clerk reads of it
"""

from __future__ import annotations

from models.calendars import DayKind
from server.timetable.applying import apply_timetable, import_timetable
from server.timetable.columns import Column, Field
from server.timetable.faults import Fault
from server.timetable.plan import RunKey, RunPlan, SessionPlan, SheetPlan, TimetablePlan
from server.timetable.reader import read_timetable
from server.timetable.remarks import Audience
from server.timetable.report import Report
from server.timetable.runs import PAST_RUN

__all__ = [
    "PAST_RUN",
    "Audience",
    "Column",
    "DayKind",
    "Fault",
    "Field",
    "Report",
    "RunKey",
    "RunPlan",
    "SessionPlan",
    "SheetPlan",
    "TimetablePlan",
    "apply_timetable",
    "import_timetable",
    "read_timetable",
]
