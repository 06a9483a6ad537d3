"""Short messages (短信) that are owed: the rung below WeChat, with the state of each. ``sending`` has the worker's verbs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import clock
from models.base import PlainText, chosen_from, insert_for, new_key
from models.notices import Debt, News, Notice
from models.residents import Resident


class ShortMessageState(StrEnum):
    """What became of a short message."""

    OWED = "owed"  # 待发送
    SENDING = "sending"  # 发送中
    SENT = "sent"  # 已发送
    STALE = "stale"  # 已过时，不再发送
    NO_PHONE = "no_phone"  # 没有可用的手机号
    CAPPED = "capped"  # 当日短信已满
    REFUSED = "refused"  # 服务商拒收
    FAILED = "failed"  # 多次未发出，不再尝试
    UNKNOWN = "unknown"  # 结果不明，不重发


# ends after which somebody has to call
NOT_TOLD = frozenset(
    {
        ShortMessageState.NO_PHONE,
        ShortMessageState.CAPPED,
        ShortMessageState.REFUSED,
        ShortMessageState.FAILED,
        ShortMessageState.UNKNOWN,
    }
)


class ShortMessage(News):
    """One piece of news for one person by short message. ``notice_id`` is what WeChat could not tell, if it was asked to.

    ``region_id`` is the community whose numbers hold and whose people call when this does not work either. The phone number is the
    resident's at the moment of sending.
    """

    __tablename__ = "short_messages"
    __table_args__ = (
        Index("ix_short_messages_resident", "resident_id", "id"),
        Index(
            "ix_short_messages_owed",
            "due_at",
            "id",
            postgresql_where=text("state = 'owed'"),
            sqlite_where=text("state = 'owed'"),
        ),
        Index(
            "ix_short_messages_sending",
            "resident_id",
            "claimed_at",
            postgresql_where=text("state = 'sending'"),
            sqlite_where=text("state = 'sending'"),
        ),
        Index(
            "ix_short_messages_sent",
            "resident_id",
            "settled_at",
            postgresql_where=text("state = 'sent'"),
            sqlite_where=text("state = 'sent'"),
        ),
    )

    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notices.id"))
    due_at: Mapped[datetime] = mapped_column(default=clock.now)

    state: Mapped[ShortMessageState] = mapped_column(
        chosen_from(ShortMessageState), default=ShortMessageState.OWED
    )
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None] = mapped_column(PlainText(40))
    settled_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(PlainText(80))  # the provider's code, or why it was not sent
    serial: Mapped[str | None] = mapped_column(PlainText(64))  # the provider's number of it

    resident: Mapped[Resident] = relationship()
    notice: Mapped[Notice | None] = relationship()


@dataclass(frozen=True, slots=True)
class ToTell:
    """News for a person who has no WeChat here: ``debt`` is owed to ``resident_id``, looked after by ``region_id``."""

    debt: Debt
    resident_id: int
    region_id: int


def owe_to_people(connection: Connection, telling: Iterable[ToTell]) -> None:
    """Owe one short message to each of these people, in the transaction of the deed, with one statement.

    Nothing is looked up: whether there is a phone, whether it is night and whether it is still true is asked when it is sent.
    """
    now = clock.now()
    rows = [
        {
            "kind": each.debt.kind,
            "subject_key": each.debt.subject_key,
            "dedupe_key": each.debt.dedupe_key(f"resident-{each.resident_id}"),
            "facts": {**each.debt.facts, "page_subject": each.debt.page_subject},
            "created_at": now,
            "due_at": each.debt.due_at,
            "resident_id": each.resident_id,
            "region_id": each.region_id,
        }
        for each in telling
    ]
    insert_owed(connection, rows)


def insert_owed(connection: Connection, rows: Sequence[dict[str, Any]]) -> int:
    """Insert these owed messages but for those that stand already; how many are new."""
    if not rows:
        return 0
    whole = [
        {"key": new_key(), "notice_id": None, "state": ShortMessageState.OWED, "attempts": 0, **row}
        for row in rows
    ]
    return len(
        connection.execute(
            insert_for(connection, ShortMessage).on_conflict_do_nothing().returning(ShortMessage.id), whole
        ).all()
    )
