"""Applying (导入课程表): a checked plan becomes runs of the town, the whole file or nothing of it.

In order: which community each sheet is, which room each cell names, which run of the file stands already; then, with every
community and run locked, what is gone is withdrawn, what moves leaves its old room, and only then what is new or changed
takes its place, so that two runs of one file may swap rooms. Whatever is wrong is collected and named at its cell.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from models.base import reading, transaction
from models.calendars import Calendar
from models.courses import changes_of
from models.regions import Region
from server.timetable.asking import TownSheet, ask
from server.timetable.faults import Fault, Findings, listed, shown
from server.timetable.naming import Communities, Unknown, bare_name
from server.timetable.placing import Placing
from server.timetable.plan import SheetPlan, TimetablePlan
from server.timetable.reader import read_timetable
from server.timetable.report import Report
from server.timetable.runs import DAY_OFF, PAST_RUN


def import_timetable(path: Path | str, *, only_community: str | None = None, dry_run: bool = False) -> Report:
    """Read a clerk's file and apply it in a transaction of its own; needs an application context.

    Raises Invalid ``timetable_unreadable`` when the file cannot be opened as a workbook.
    """
    with reading() as session:
        calendar = Calendar.in_force(session)
    timetable = read_timetable(path, day_kind=calendar.kind_of)
    with transaction() as session:
        return apply_timetable(session, timetable, only_community=only_community, dry_run=dry_run)


def apply_timetable(
    session: Session,
    timetable: TimetablePlan,
    *,
    only_community: str | None = None,
    dry_run: bool = False,
) -> Report:
    """Bring the town's runs into line with a timetable, inside the caller's writing transaction.

    All or nothing: with any fault, or in a dry run, the session is as it was before. The same file twice changes nothing, and
    warnings about a run are not repeated while it stands as the file has it, except those that hang on the calendar.
    ``only_community`` takes that community's sheets and lets the others be. A run the file no longer has is withdrawn if it
    came from a timetable of the same name (社区夜校) and month and is not over; a sheet without a single class withdraws
    nothing. Two imports of one community wait for each other.
    """
    attempt = session.begin_nested()
    try:
        report = _Import(session, timetable, dry_run=dry_run).carry_out(only_community)
    except BaseException:
        attempt.rollback()
        raise
    if report.faults or dry_run:
        attempt.rollback()
    else:
        attempt.commit()
    return report


class _Import:
    """One file on its way into the town."""

    def __init__(self, session: Session, timetable: TimetablePlan, *, dry_run: bool) -> None:
        self._session = session
        self._timetable = timetable
        self._dry_run = dry_run
        self._found = Findings()  # about the file as a whole, and about sheets of no known community
        self._only: Region | None = None
        self._at_rest: set[tuple[str, int]] = set()

    def carry_out(self, only_community: str | None) -> Report:
        sheets = self._sheets(only_community)
        if sheets is None:
            return self._report([], faults=self._found.faults)
        for region in sorted((sheet.region for sheet in sheets), key=lambda region: region.id):
            region.lock()  # two imports of one community: the second sees what the first did
        for sheet in sheets:
            ask(self._session, sheet)
        self._at_rest = _rows_at_rest(sheets)
        faults = [*self._faults_of_the_file(sheets), *self._found.faults]
        if faults or any(sheet.faults for sheet in sheets):
            return self._report(sheets, faults=faults)
        placing = Placing(self._session, sheets)
        placing.carry_out()
        return self._report(sheets, faults=[], placing=placing)

    def _sheets(self, only_community: str | None) -> list[TownSheet] | None:
        """The sheets to take, each with its community; None when the one that is asked for is not there."""
        communities = Communities(self._session)
        try:
            self._only = communities.named(only_community) if only_community is not None else None
        except Unknown as unknown:
            self._found.fault(unknown.message, unknown.advice)
            return None
        sheets = []
        for plan in self._timetable.sheets:
            try:
                region = communities.named(plan.community)
            except Unknown as unknown:
                if self._only is None:
                    self._found.faults.append(
                        Fault(plan.sheet, 0, "", "", "", unknown.message, unknown.advice)
                    )
            else:
                if self._only is None or region is self._only:
                    sheets.append(TownSheet(plan, region))
        _name_twins(sheets)
        if self._only is not None and not sheets and not self._is_about(self._only):
            tabs = "、".join(f"「{shown(plan.sheet)}」" for plan in self._timetable.sheets)
            self._found.fault(
                f"文件里没有“{self._only.name}”的课程表",
                f"能读的有：{tabs}" if tabs else "请检查是不是选错了文件",
            )
            return None
        return sheets

    def _is_about(self, community: Region) -> bool:
        """Whether the reader has faults on a tab of this community, which then is there but could not be read."""
        return any(bare_name(fault.sheet) == bare_name(community.name) for fault in self._timetable.faults)

    def _is_taken(self, fault: Fault, sheets: list[TownSheet]) -> bool:
        """Whether a finding of the reader concerns what is being imported."""
        if self._only is None or not fault.sheet:
            return True
        tabs = {sheet.sheet.sheet for sheet in sheets}
        return fault.sheet in tabs or bare_name(fault.sheet) == bare_name(self._only.name)

    def _faults_of_the_file(self, sheets: list[TownSheet]) -> list[Fault]:
        """The reader's faults, without those about runs that are over and stand here just so: they are history."""
        return [
            fault
            for fault in self._timetable.faults
            if self._is_taken(fault, sheets) and not (fault.code == PAST_RUN and self._is_at_rest(fault))
        ]

    def _is_at_rest(self, fault: Fault) -> bool:
        """Whether it is about a run that stands already just as the file has it."""
        return (fault.sheet, fault.row) in self._at_rest

    def _report(
        self, sheets: list[TownSheet], *, faults: list[Fault], placing: Placing | None = None
    ) -> Report:
        all_faults = self._in_order([*faults, *(fault for sheet in sheets for fault in sheet.faults)])
        warnings = [fault for fault in self._timetable.warnings if self._is_taken(fault, sheets)]
        warnings += [fault for sheet in sheets for fault in sheet.warnings]
        # told when the run came; only the calendar may have changed since
        all_warnings = self._in_order(
            [fault for fault in warnings if fault.code == DAY_OFF or not self._is_at_rest(fault)]
        )
        if all_faults or placing is None:
            return Report(faults=all_faults, warnings=all_warnings, is_rehearsal=self._dry_run)
        return Report(
            warnings=all_warnings,
            created=tuple(placing.created),
            revised=tuple(placing.revised),
            withdrawn=tuple(placing.withdrawn),
            unchanged=tuple(placing.unchanged),
            is_rehearsal=self._dry_run,
        )

    def _in_order(self, faults: list[Fault]) -> tuple[Fault, ...]:
        """By sheet in the order of the file, then by row and column; what concerns the whole file comes first."""
        tabs = dict.fromkeys(
            ["", *(plan.sheet for plan in self._timetable.sheets), *(f.sheet for f in faults)]
        )
        return listed([[fault for fault in faults if fault.sheet == tab] for tab in tabs])


def _rows_at_rest(sheets: list[TownSheet]) -> set[tuple[str, int]]:
    """The rows, each with its tab, of the runs that stand already just as the file has them."""
    return {
        (sheet.sheet.sheet, row)
        for sheet in sheets
        for asked, pair in sheet.pairs
        if pair.stands and not changes_of(pair.stands, pair.plan)
        for row in asked.run.rows
    }


def _name_twins(sheets: list[TownSheet]) -> None:
    """Two sheets for one community and month: nobody could say which holds."""
    first: dict[tuple[int, str, str], SheetPlan] = {}
    for sheet in sheets:
        key = (sheet.region.id, sheet.sheet.month, sheet.sheet.timetable)
        twin = first.setdefault(key, sheet.sheet)
        if twin is not sheet.sheet:
            sheet.fault_of_sheet(f"和「{shown(twin.sheet)}」是同一个社区同一个月的课程表", "请合成一张表")
