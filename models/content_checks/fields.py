"""What is checked: the fields residents fill and others read, each with its Chinese name and what follows when it may not stay.

A noun that lets people write or show something brings one entry here: what is done to its row when WeChat or a clerk says no, and
when a doubt is cleared. Nothing of this module asks anybody; ``verdicts`` and ``deciding`` say when.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.orm import Session

from models.content_checks.checks import CheckState, ContentCheck
from models.residents import Resident

Follow = Callable[[Session, ContentCheck, str | None], None]


def _nothing(session: Session, check: ContentCheck, written: str | None) -> None:
    """Nothing follows: what is written down of the check is all."""


@dataclass(frozen=True)
class CheckedField:
    """One field that is checked. ``label`` is its name for people, ``page`` where it is filled in anew.

    ``follow`` is called in the transaction in which an open check ends, with the text, of which the check says nothing any more.
    """

    subject_kind: str
    name: str
    label: str
    page: str
    follow: Follow = _nothing


def _take_the_name_away(session: Session, check: ContentCheck, written: str | None) -> None:
    """A name that may not stay is a name still to be told: the person is asked for it as if they never had been.

    Seats they hold stay. One they have changed meanwhile is another name.
    """
    if check.state not in (CheckState.REJECTED, CheckState.RISKY):
        return
    session.execute(
        update(Resident).where(Resident.id == check.resident_id, Resident.name == written).values(name=None)
    )


RESIDENT_NAME = CheckedField(
    Resident.__tablename__, "name", "姓名", "pages/me/profile", follow=_take_the_name_away
)

FIELDS: Mapping[tuple[str, str], CheckedField] = {
    (field.subject_kind, field.name): field for field in (RESIDENT_NAME,)
}


def field_of(check: ContentCheck) -> CheckedField:
    """The entry a check belongs to; for one that is no longer checked, a plain one."""
    known = FIELDS.get((check.subject_kind, check.field))
    return known or CheckedField(check.subject_kind, check.field, "提交的内容", "pages/me/index")
