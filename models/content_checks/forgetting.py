"""What is not kept: nothing of a person who left, nothing of a name that was taken back, and no check for ever."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account
from models.content_checks.checks import OPEN, ContentCheck
from models.content_checks.fields import CheckedField
from models.content_checks.verdicts import drop
from models.residents import Resident

KEPT_FOR = timedelta(days=365)  # logs are kept a year by default (domain.md §4)


def checks_of(session: Session, account: Account, residents: Collection[int]) -> Sequence[ContentCheck]:
    """Every check an account caused or that is about one of these people, oldest first."""
    return session.scalars(
        select(ContentCheck)
        .where(or_(ContentCheck.account_id == account.id, ContentCheck.resident_id.in_(residents)))
        .order_by(ContentCheck.id)
    ).all()


def strike_checks_of_people(session: Session, residents: Collection[int]) -> None:
    """These people leave: nobody has to look any more, and no check says what they wrote, or whose it was."""
    _strike(session, ContentCheck.resident_id.in_(residents))


def strike_checks_of_account(session: Session, account: Account) -> None:
    """An account closes: the same for what it handed in before it was anybody."""
    _strike(session, (ContentCheck.account_id == account.id) & ContentCheck.resident_id.is_(None))


def strike_checks_of_field(session: Session, resident: Resident, field: CheckedField) -> None:
    """A person takes one field back: nothing of what stood there is known any more."""
    _strike(session, (ContentCheck.resident_id == resident.id) & (ContentCheck.field == field.name))


def forget_old_checks(session: Session) -> int:
    """Drop checks older than ``KEPT_FOR`` that wait for nobody; how many."""
    gone = session.execute(
        delete(ContentCheck).where(
            ContentCheck.created_at < clock.now() - KEPT_FOR, ContentCheck.state.not_in(OPEN)
        )
    )
    return int(gone.rowcount)  # type: ignore[attr-defined,unused-ignore]  # a DELETE's result always counts rows


def _strike(session: Session, which: ColumnElement[bool]) -> None:
    for check in session.scalars(select(ContentCheck).where(which)).all():
        if check.state in OPEN:
            drop(session, check)
        # the row's key may be the person's own; the reason was typed by hand, and may name somebody
        check.subject_key = check.fingerprint = check.reason = None
    session.flush()
