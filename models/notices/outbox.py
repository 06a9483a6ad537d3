"""The outbox: every notice with the state of its delivery. ``sending`` has the verbs of the worker that empties it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, insert, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.base import PlainText, chosen_from, insert_for, new_key
from models.notices.catalogue import MOMENTS, NoticeKind
from models.notices.news import News
from models.policies import Policies, policies_at


class Delivery(StrEnum):
    """What became of a notice at WeChat. It is in the inbox, whatever happens here."""

    OWED = "owed"  # 待发送
    SENDING = "sending"  # 发送中
    SENT = "sent"  # 已发送
    NOT_GRANTED = "not_granted"  # 未订阅，仅站内
    CAPPED = "capped"  # 当日条数已满，仅站内
    MERGED = "merged"  # 夜间攒下的，并入另一条
    STALE = "stale"  # 已过时，不再发送
    REFUSED = "refused"  # 微信拒收
    FAILED = "failed"  # 多次未送达，不再尝试
    UNKNOWN = "unknown"  # 结果不明，不重发


NOT_ALLOWED = "43101"  # WeChat's errcode where a person allows no such message, or none any more

# a text, because only so do both databases see that the index fits a query that says the same
TO_PASS_ON = text(
    "must_arrive AND passed_on_at IS NULL AND read_at IS NULL"
    " AND delivery IN ('not_granted', 'capped', 'refused', 'failed')"
)


class Notice(News):
    """One message to one account about one thing.

    One that ``must_arrive`` and did not is passed on to the next rung, once (``models.ladder``).
    """

    __tablename__ = "notices"
    __table_args__ = (
        Index("ix_notices_inbox", "account_id", "id"),
        Index(
            "ix_notices_unread",
            "account_id",
            postgresql_where=text("read_at IS NULL"),
            sqlite_where=text("read_at IS NULL"),
        ),
        Index(
            "ix_notices_unallowed",
            "settled_at",
            postgresql_where=text("delivery IN ('not_granted', 'refused')"),
            sqlite_where=text("delivery IN ('not_granted', 'refused')"),
        ),
        Index(
            "ix_notices_dead",
            "settled_at",
            "id",
            postgresql_where=text("delivery IN ('refused', 'failed', 'unknown', 'capped')"),
            sqlite_where=text("delivery IN ('refused', 'failed', 'unknown', 'capped')"),
        ),
        Index(
            "ix_notices_to_pass_on",
            "settled_at",
            "id",
            postgresql_where=TO_PASS_ON,
            sqlite_where=TO_PASS_ON,
        ),
        Index(
            "ix_notices_owed",
            "due_at",
            "id",
            postgresql_where=text("delivery = 'owed'"),
            sqlite_where=text("delivery = 'owed'"),
        ),
        Index(
            "ix_notices_sending",
            "claimed_at",
            postgresql_where=text("delivery = 'sending'"),
            sqlite_where=text("delivery = 'sending'"),
        ),
        Index(
            "ix_notices_in_hand",
            "account_id",
            postgresql_where=text("delivery = 'sending'"),
            sqlite_where=text("delivery = 'sending'"),
        ),
        Index(
            "ix_notices_owed_to",
            "account_id",
            postgresql_where=text("delivery = 'owed'"),
            sqlite_where=text("delivery = 'owed'"),
        ),
        Index(
            "ix_notices_sent",
            "account_id",
            "settled_at",
            postgresql_where=text("delivery = 'sent'"),
            sqlite_where=text("delivery = 'sent'"),
        ),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    due_at: Mapped[datetime] = mapped_column(default=clock.now)
    read_at: Mapped[datetime | None]

    delivery: Mapped[Delivery] = mapped_column(chosen_from(Delivery), default=Delivery.OWED)
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_at: Mapped[datetime | None]  # when it was last taken in hand
    claimed_by: Mapped[str | None] = mapped_column(PlainText(40))
    settled_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(PlainText(80))  # WeChat's errcode, or why it was not sent
    arrived_at: Mapped[datetime | None]  # WeChat's last word: it is in the person's hand
    must_arrive: Mapped[bool] = mapped_column(default=False)
    passed_on_at: Mapped[datetime | None]  # when the next rung took it over


@dataclass(frozen=True, slots=True)
class Debt:
    """What is owed about one thing: which moment, to which accounts (perhaps none), from when on.

    One event is told to one account once; ``version`` tells the events of one thing apart (a class on another day is another one).
    """

    kind: NoticeKind
    subject_key: str
    page_subject: str
    account_ids: Sequence[int]
    facts: Mapping[str, Any]
    due_at: datetime
    version: str = ""

    def dedupe_key(self, to: int | str) -> str:
        """What is never said twice, ``to`` being the account."""
        return ":".join(filter(None, (self.kind, self.subject_key, self.version, str(to))))


def owe(connection: Connection, debts: Iterable[Debt]) -> None:
    """Owe one notice to each account of each debt, in the transaction of the deed, with one statement."""
    rows = _rows_of(debts)
    if rows:
        # RETURNING makes it one statement for the whole batch
        connection.execute(insert(Notice).returning(Notice.id), rows)


def owe_once(connection: Connection, debts: Iterable[Debt]) -> int:
    """The same for what may have been owed before, by this job or another worker's; how many are new."""
    rows = _rows_of(debts)
    if not rows:
        return 0
    added = connection.execute(
        insert_for(connection, Notice).on_conflict_do_nothing().returning(Notice.id), rows
    )
    return len(added.all())


def _rows_of(debts: Iterable[Debt]) -> list[dict[str, Any]]:
    now = clock.now()
    return [
        {
            "key": new_key(),
            "account_id": account_id,
            "kind": debt.kind,
            "subject_key": debt.subject_key,
            "dedupe_key": debt.dedupe_key(account_id),
            "facts": {**debt.facts, "page_subject": debt.page_subject},
            "created_at": now,
            "due_at": debt.due_at,
            "delivery": Delivery.OWED,
            "attempts": 0,
            "must_arrive": MOMENTS[debt.kind].must_arrive,
        }
        for debt in debts
        for account_id in debt.account_ids
    ]


def goes_out_at(
    session: Session | Connection, kind: NoticeKind, region_id: int | None, now: datetime
) -> datetime:
    """When a notice of this kind, raised now, goes out to people of this place (of none known): what the catalogue says.

    Reads the quiet hours of the place only for what waits for the morning.
    """
    if not MOMENTS[kind].waits_for_morning:
        return now
    return morning_after(policies_at(session, region_id), now)


def morning_after(policies: Policies, moment: datetime) -> datetime:
    """When a notice raised at this moment may go out: at once by day, at the end of the quiet hours by night."""
    local = clock.in_town(moment)
    starts, ends = policies.quiet_from, policies.quiet_until
    time = local.time()
    overnight = starts > ends
    is_quiet = (time >= starts or time < ends) if overnight else (starts <= time < ends)
    if not is_quiet:
        return moment
    morning = local.replace(hour=ends.hour, minute=ends.minute, second=0, microsecond=0)
    return morning if morning > local else morning + timedelta(days=1)


def awake_after(policy: Policies, moment: datetime, span: timedelta) -> datetime:
    """When so much time has gone by, the quiet hours not counted."""
    if policy.quiet_from == policy.quiet_until:
        return moment + span
    while True:
        moment = clock.in_town(morning_after(policy, moment))
        night = datetime.combine(moment.date(), policy.quiet_from, clock.TOWN_ZONE)
        night += timedelta(days=night <= moment)
        if moment + span <= night:
            return moment + span
        span -= night - moment
        moment = night


def morning_in_time(policies: Policies, news: News, moment: datetime) -> datetime:
    """When news that must arrive may be told: as ``morning_after``, but at once where it is worth nothing by the morning.

    Whoever would set out before the quiet hours end is woken rather than sent to a closed door (domain.md §6).
    """
    morning = morning_after(policies, moment)
    return morning if morning < news.worth_until else moment
