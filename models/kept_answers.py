"""Kept answers (幂等): a creation that is sent again within a day gets the answer it got the first time.

The client names its attempt with ``Idempotency-Key``; the answer is a row in the transaction of the deed, so a retry after a
lost answer finds it, and one after a rollback finds nothing and acts.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Text, UniqueConstraint, bindparam, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.accounts import Account
from models.base import Base, PlainText
from models.errors import Busy, Conflict

KEPT_FOR = timedelta(hours=24)


class KeptAnswer(Base):
    """What one account was told when it sent one attempt at one place."""

    __tablename__ = "kept_answers"
    __table_args__ = (UniqueConstraint("account_id", "attempt_key"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    attempt_key: Mapped[str] = mapped_column(PlainText(64))
    asked: Mapped[str] = mapped_column(PlainText(64))  # a hash of method, path and body
    status: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)


def recall(session: Session, account: Account, attempt_key: str, *, asked: str) -> KeptAnswer | None:
    """The answer this attempt got before, if it is younger than ``KEPT_FOR``.

    Raises Conflict ``idempotency_key_reused`` when the same key came with something else.
    """
    kept = session.scalar(_KEPT, {"account": account.id, "attempt": attempt_key})
    if kept is None or kept.created_at <= clock.now() - KEPT_FOR:
        return None
    if kept.asked != asked:
        raise Conflict("idempotency_key_reused", "同一个请求编号不能用于不同的内容，请重新提交")
    return kept


_KEPT = select(KeptAnswer).where(
    KeptAnswer.account_id == bindparam("account"), KeptAnswer.attempt_key == bindparam("attempt")
)


def keep(session: Session, account: Account, attempt_key: str, *, asked: str, status: int, body: str) -> None:
    """Keep the answer to an attempt, in the transaction of the deed; one that was kept too long makes room.

    Raises Busy when the same attempt was sent twice at once and the other was quicker: this deed must be rolled back, and
    whoever asks again gets the other's answer.
    """
    session.execute(
        delete(KeptAnswer).where(
            KeptAnswer.account_id == account.id,
            KeptAnswer.attempt_key == attempt_key,
            KeptAnswer.created_at <= clock.now() - KEPT_FOR,
        )
    )
    try:
        with session.begin_nested():
            session.add(
                KeptAnswer(
                    account_id=account.id, attempt_key=attempt_key, asked=asked, status=status, body=body
                )
            )
    except IntegrityError:
        raise Busy from None


def forget_old_answers(session: Session) -> int:
    """Drop what is older than ``KEPT_FOR``; how many rows went."""
    gone = session.execute(delete(KeptAnswer).where(KeptAnswer.created_at <= clock.now() - KEPT_FOR))
    return int(gone.rowcount)  # type: ignore[attr-defined,unused-ignore]  # a DELETE's result always counts rows
