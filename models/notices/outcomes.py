"""Outcomes (结果): what became of a message after the worker was done with it.

WeChat tells later whether a message it had accepted arrived (``subscribe_msg_sent_event``), and a person may allow a message a moment
after it was due: the phone reports after the tap. Neither is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, literal_column, or_, select, update
from sqlalchemy.orm import Session

from models import clock
from models.notices.catalogue import MOMENTS, TemplateName
from models.notices.outbox import NOT_ALLOWED, Delivery, Notice

STILL_WANTED = timedelta(minutes=10)  # how long after it was due a message may still be allowed
TOLD_WITHIN = timedelta(minutes=10)  # between taking a notice in hand and WeChat's last word on it
CLOCKS_DIFFER = timedelta(minutes=1)

# literals, not parameters: only so can PostgreSQL see that a partial index fits
_UNALLOWED: list[ColumnElement[Any]] = [literal_column("'not_granted'"), literal_column("'refused'")]


class LastWord(Enum):
    """What WeChat's last word on a message did."""

    WRITTEN = "written"
    NOT_YET = "not_yet"  # the worker is not done with it
    NOT_OURS = "not_ours"  # no notice is known to be meant


def write_last_word(
    session: Session, account_id: int, *, template: str, msgid: str, at: datetime, error_code: int
) -> LastWord:
    """Write down whether a message arrived in the end: ``error_code`` 0 confirms its notice, any other marks it as failed.

    WeChat need not have told the ``msgid`` before, or the answer was lost: then it is the one notice of the template that was sent to
    this person about then. Where several may be meant, none is marked.
    """
    theirs = (Notice.account_id == account_id, Notice.kind.in_(_kinds_of(template)))
    notice = session.scalar(
        select(Notice).where(*theirs, Notice.delivery == Delivery.SENT, Notice.outcome == msgid)
    )
    if notice is None:
        about_then = Notice.claimed_at.between(at - TOLD_WITHIN, at + CLOCKS_DIFFER)
        if session.scalar(
            select(Notice.id).where(*theirs, Notice.delivery == Delivery.SENDING, about_then).limit(1)
        ):
            return LastWord.NOT_YET
        nameless = or_(
            Notice.delivery == Delivery.UNKNOWN,
            and_(Notice.delivery == Delivery.SENT, Notice.outcome.is_(None)),
        )
        meant = session.scalars(select(Notice).where(*theirs, nameless, about_then).limit(2)).all()
        if len(meant) != 1:
            return LastWord.NOT_OURS
        (notice,) = meant
    notice.lock()
    if error_code == 0:
        notice.delivery, notice.outcome, notice.arrived_at = Delivery.SENT, msgid[:80], at
    else:
        notice.delivery, notice.outcome = Delivery.FAILED, f"sent_event {error_code}"
    session.flush()
    return LastWord.WRITTEN


def unallowed_lately(
    session: Session, *, allowed_by: Callable[[str], Select[int]], most: int
) -> list[Notice]:
    """Notices that were not sent for want of a grant less than ``STILL_WANTED`` ago, oldest first, of those who allow them now.

    ``allowed_by`` gives the accounts that allow a message of a template. They are looked for here, not afterwards: after ten o'clock
    thousands are waiting who never will, and whoever allows theirs must not stand behind them.
    """
    return list(
        session.scalars(
            select(Notice)
            .where(
                Notice.delivery.in_(_UNALLOWED),
                or_(Notice.delivery == Delivery.NOT_GRANTED, Notice.outcome == NOT_ALLOWED),
                Notice.settled_at >= clock.now() - STILL_WANTED,
                or_(
                    *(
                        Notice.kind.in_(_kinds_of(template)) & Notice.account_id.in_(allowed_by(template))
                        for template in TemplateName
                    )
                ),
            )
            .order_by(Notice.id)
            .limit(most)
        )
    )


def owe_again(session: Session, notice_ids: Collection[int]) -> int:
    """Owe these once more, at once: their people have just said so. How many; what was owed again or passed on meanwhile is left alone.

    Whether they are still true is looked at when they are sent, as always.
    """
    owed = session.execute(
        update(Notice)
        .where(
            Notice.id.in_(notice_ids),
            Notice.delivery.in_([Delivery.NOT_GRANTED, Delivery.REFUSED]),
            Notice.passed_on_at.is_(None),
        )
        .values(
            delivery=Delivery.OWED,
            due_at=clock.now(),
            outcome=None,
            settled_at=None,
            claimed_at=None,
            claimed_by=None,
        )
        .execution_options(synchronize_session=False)
    )
    return int(owed.rowcount)  # type: ignore[attr-defined,unused-ignore]  # an UPDATE's result always counts rows


def _kinds_of(template: str) -> list[str]:
    return [kind for kind, moment in MOMENTS.items() if moment.template == template]
