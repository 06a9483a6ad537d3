"""The same deed for many rows (批量): each by itself, so that one row's refusal undoes nothing of the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from miniprogram_api.office import run_of_office
from models.base import db
from models.courses import CourseRun
from models.errors import Refusal

Wanted = TypeVar("Wanted")


@dataclass
class Row(Generic[Wanted]):
    """One row of what was asked, and what became of it."""

    key: str
    wanted: Wanted
    run: CourseRun | None = None
    refusal: Refusal | None = None


def row_by_row(
    wanted: Sequence[tuple[str, Wanted]], deed: Callable[[CourseRun, Wanted], CourseRun]
) -> Mapping[str, object]:
    """Do a deed to each of these runs (by key), in a savepoint of its own; what became of every row, in the order they were sent.

    They are taken in the order of their ids, as locks always are; a run the office does not have is one more refusal.
    """
    session = db.session()
    rows = [Row(key, how) for key, how in wanted]
    found: list[tuple[CourseRun, Row[Wanted]]] = []
    for row in rows:
        try:
            found.append((run_of_office(row.key), row))
        except Refusal as refusal:
            row.refusal = refusal
    for run, row in sorted(found, key=lambda pair: pair[0].id):
        attempt = session.begin_nested()
        try:
            row.run = deed(run, row.wanted)
            session.flush()
            attempt.commit()
        except Refusal as refusal:
            attempt.rollback()
            row.run, row.refusal = None, refusal
        except BaseException:
            attempt.rollback()
            raise
    refused = sum(row.refusal is not None for row in rows)
    return {"items": rows, "done": len(rows) - refused, "refused": refused}
