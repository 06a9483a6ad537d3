"""The inbox (站内消息): every notice of an account, whatever became of it at WeChat, and which of them were read."""

from __future__ import annotations

from sqlalchemy import Select, func, literal_column, select, update
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account
from models.errors import NotFound
from models.notices.outbox import Notice


def inbox_of(account: Account, *, unread: bool = False) -> Select[Notice]:
    """Every notice of an account, newest first; only those that were not read when ``unread``."""
    query = select(Notice).where(Notice.account_id == account.id).order_by(Notice.id.desc())
    return query.where(Notice.read_at.is_(None)) if unread else query


def count_unread(session: Session, account: Account) -> int:
    """How many notices of an account were not read yet."""
    return session.scalars(
        select(func.count(literal_column("1")))
        .select_from(Notice)
        .where(Notice.account_id == account.id, Notice.read_at.is_(None))
    ).one()


def read_notice(session: Session, account: Account, key: str) -> Notice:
    """Mark one notice as read, the first time. Raises NotFound for one that is not in this account's inbox."""
    notice = _in_inbox(session, account, key).lock()
    notice.read_at = notice.read_at or clock.now()
    session.flush()
    return notice


def read_through(session: Session, account: Account, key: str) -> None:
    """Mark this notice and every older one as read. Raises NotFound for one that is not in this account's inbox."""
    newest = _in_inbox(session, account, key)
    session.execute(
        update(Notice)
        .where(Notice.account_id == account.id, Notice.id <= newest.id, Notice.read_at.is_(None))
        .values(read_at=clock.now())
        .execution_options(synchronize_session=False)
    )


def _in_inbox(session: Session, account: Account, key: str) -> Notice:
    notice = session.scalar(select(Notice).where(Notice.account_id == account.id, Notice.key == key))
    if notice is None:
        raise NotFound
    return notice
