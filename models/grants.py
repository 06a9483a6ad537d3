"""Message grants (订阅授权): what each person still allows us to send. WeChat tells nobody, so we keep the ledger.

One accepted prompt buys one message of one template; "always keep" only hides the prompt (wechat.md §4.3). The ledger goes up on
an accept, down when a message is about to be sent, and to nothing when WeChat answers 43101 or the person turns the template off.

Of one answer there are two reports, the phone's and WeChat's own (``subscribe_msg_popup_event``), in any order, each perhaps missing.
Reports are rows: one of each source with the same answer to the same template within ``SAME_ANSWER`` are one answer, and what has no
partner is an answer of its own. A report counts when it makes the number of answers grow.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Select,
    UniqueConstraint,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.accounts import Account
from models.base import Base, PlainText, chosen_from, insert_for

SAME_ANSWER = timedelta(minutes=10)  # how far apart two reports of one answer may be
REPORTS_KEPT = timedelta(
    days=2
)  # a push is refused when it is an hour old, so nothing is matched later than that
ASKED_AGAIN_AFTER = timedelta(days=30)  # a template that was banned or turned off is not asked for meanwhile


class Answer(StrEnum):
    """What ``wx.requestSubscribeMessage`` reports for one template."""

    ACCEPT = "accept"  # 允许
    REJECT = "reject"  # 拒绝
    BAN = "ban"  # 已被后台封禁
    FILTER = "filter"  # 因标题重复被过滤


class ReportSource(StrEnum):
    """Who told us of an answer."""

    PHONE = "phone"  # 小程序上报
    WECHAT = "wechat"  # 微信推送


class MessageGrant(Base):
    """How many messages of one template one account still allows."""

    __tablename__ = "message_grants"
    __table_args__ = (
        UniqueConstraint("account_id", "template"),
        CheckConstraint("remaining >= 0", name="not_below_nothing"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    template: Mapped[str] = mapped_column(PlainText(40))
    remaining: Mapped[int] = mapped_column(default=0)
    accepted: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    last_answer: Mapped[Answer | None] = mapped_column(chosen_from(Answer))
    answered_at: Mapped[datetime | None]
    emptied_at: Mapped[datetime | None]  # WeChat last said 43101, or that the person turned it off
    turned_off_at: Mapped[datetime | None]  # 在服务通知里拒收


class GrantReport(Base):
    """One report of one answer to the prompt. ``matched`` ones told of an answer that was counted already."""

    __tablename__ = "grant_reports"
    __table_args__ = (Index("ix_grant_reports_answer", "account_id", "template", "at"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    template: Mapped[str] = mapped_column(PlainText(40))
    source: Mapped[ReportSource] = mapped_column(chosen_from(ReportSource))
    answer: Mapped[Answer] = mapped_column(chosen_from(Answer))
    at: Mapped[datetime] = mapped_column(index=True)
    matched: Mapped[bool]


def record_answers(
    session: Session,
    account: Account,
    answers: Mapping[str, Answer],
    *,
    source: ReportSource = ReportSource.PHONE,
    at: datetime | None = None,
) -> list[MessageGrant]:
    """Write down what a person answered, template by template (names of the catalogue, not WeChat's ids).

    ``at`` is when they answered as far as the source knows, now unless told. The same report twice is two reports: who may hear
    one twice keeps it from coming here (``Idempotency-Key``, a push's ``dedupe_key``).
    """
    return [
        _record(session, account, template, answer, source, at or clock.now())
        for template, answer in sorted(answers.items())
    ]


def _record(
    session: Session, account: Account, template: str, answer: Answer, source: ReportSource, at: datetime
) -> MessageGrant:
    grant = _ledger_of(session, account, template).lock()
    reports = _reports_around(session, account.id, template, answer, at)
    report = GrantReport(
        account_id=account.id, template=template, source=source, answer=answer, at=at, matched=False
    )
    report.matched = len(moments_of([*reports, report])) == len(moments_of(reports))
    session.add(report)
    if grant.answered_at is None or at >= grant.answered_at:
        grant.last_answer, grant.answered_at = answer, at
    if answer is Answer.ACCEPT and grant.turned_off_at is not None and at > grant.turned_off_at:
        grant.turned_off_at = None
    if not report.matched and answer is Answer.ACCEPT:
        grant.accepted += 1
        grant.remaining += not _was_before(at, grant.emptied_at) or source is ReportSource.PHONE
    elif not report.matched and answer is Answer.REJECT:
        grant.refused += 1
    session.flush()
    return grant


def moments_of(reports: Collection[GrantReport]) -> list[datetime]:
    """When each of the answers was given that these reports of one answer to one template tell of: as few as they can be.

    Taken in the order of time, because windows of one width never cross: whatever came first, the pairs are as many as there can be.
    """
    phone = sorted(report.at for report in reports if report.source is ReportSource.PHONE)
    wechat = sorted(report.at for report in reports if report.source is ReportSource.WECHAT)
    moments: list[datetime] = []
    while phone and wechat:
        if abs(phone[0] - wechat[0]) <= SAME_ANSWER:
            phone.pop(0)
            moments.append(wechat.pop(0))  # WeChat says when it was, the phone only when it got through to us
        else:
            moments.append(min(phone, wechat).pop(0))
    return [*moments, *phone, *wechat]


def turn_off(session: Session, account: Account, template: str, *, at: datetime) -> MessageGrant:
    """The person refused the template in WeChat's own settings: what they had allowed by then is gone, what they allowed since stays."""
    grant = _ledger_of(session, account, template).lock()
    since = [
        moment
        for moment in moments_of(_reports_around(session, account.id, template, Answer.ACCEPT, at))
        if moment > at
    ]
    grant.remaining = min(grant.remaining, len(since))
    grant.emptied_at = max(grant.emptied_at or at, at)
    if not since:
        grant.turned_off_at = max(grant.turned_off_at or at, at)
    if grant.answered_at is None or at >= grant.answered_at:
        grant.last_answer, grant.answered_at = Answer.REJECT, at
    session.flush()
    return grant


def left_of(session: Session, account_ids: Collection[int]) -> dict[tuple[int, str], int]:
    """How many messages these accounts still allow, by account and template; only where there is one at least."""
    rows = session.execute(
        select(MessageGrant.account_id, MessageGrant.template, MessageGrant.remaining).where(
            MessageGrant.account_id.in_(account_ids), MessageGrant.remaining > 0
        )
    )
    return {(row.account_id, row.template): row.remaining for row in rows}


def accounts_allowing(template: str) -> Select[int]:
    """The accounts that still allow a message of this template, as a query to look among."""
    return select(MessageGrant.account_id).where(
        MessageGrant.template == template, MessageGrant.remaining > 0
    )


def not_to_be_asked(session: Session, account: Account) -> set[str]:
    """The templates this person turned off, or WeChat banned, less than ``ASKED_AGAIN_AFTER`` ago."""
    since = clock.now() - ASKED_AGAIN_AFTER
    return set(
        session.scalars(
            select(MessageGrant.template).where(
                MessageGrant.account_id == account.id,
                or_(
                    MessageGrant.turned_off_at > since,
                    (MessageGrant.last_answer == Answer.BAN) & (MessageGrant.answered_at > since),
                ),
            )
        )
    )


def forget_old_reports(session: Session) -> int:
    """Drop reports nothing can be matched with any more; how many."""
    gone = session.execute(delete(GrantReport).where(GrantReport.at < clock.now() - REPORTS_KEPT))
    return int(gone.rowcount)  # type: ignore[attr-defined,unused-ignore]  # a DELETE's result always counts rows


def spend_all(session: Session, *, template: str, account_ids: Collection[int]) -> set[int]:
    """Take one message off the ledger of each of these accounts; whose had one left. Two spenders of the last one: one gets it."""
    if not account_ids:
        return set()
    spent = session.execute(
        update(MessageGrant)
        .where(
            MessageGrant.template == template,
            MessageGrant.account_id.in_(account_ids),
            MessageGrant.remaining > 0,
        )
        .values(remaining=MessageGrant.remaining - 1)
        .returning(MessageGrant.account_id)
        .execution_options(synchronize_session=False)
    )
    return set(spent.scalars())


def give_back_all(session: Session, *, template: str, account_ids: Collection[int]) -> None:
    """Put one message back for each of these accounts: surely not sent."""
    session.execute(
        update(MessageGrant)
        .where(MessageGrant.template == template, MessageGrant.account_id.in_(account_ids))
        .values(remaining=MessageGrant.remaining + 1)
        .execution_options(synchronize_session=False)
    )


def empty(session: Session, *, account_id: int, template: str) -> None:
    """WeChat says nothing is left (43101): believe it."""
    session.execute(
        update(MessageGrant)
        .where(MessageGrant.account_id == account_id, MessageGrant.template == template)
        .values(remaining=0, emptied_at=clock.now())
    )


def _reports_around(
    session: Session, account_id: int, template: str, answer: Answer, at: datetime
) -> list[GrantReport]:
    return list(
        session.scalars(
            select(GrantReport).where(
                GrantReport.account_id == account_id,
                GrantReport.template == template,
                GrantReport.answer == answer,
                GrantReport.at >= at - REPORTS_KEPT / 2,
            )
        )
    )


def _was_before(at: datetime, emptied_at: datetime | None) -> bool:
    """Whether an answer is older than the emptying of the ledger. WeChat tells whole seconds: in the same one it counts."""
    return emptied_at is not None and at < emptied_at.replace(microsecond=0)


def _ledger_of(session: Session, account: Account, template: str) -> MessageGrant:
    session.execute(
        insert_for(session, MessageGrant)
        .values(account_id=account.id, template=template, remaining=0, accepted=0, refused=0)
        .on_conflict_do_nothing()  # two reports at once meet in one row
    )
    return session.scalars(
        select(MessageGrant).where(MessageGrant.account_id == account.id, MessageGrant.template == template)
    ).one()
