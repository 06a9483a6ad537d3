"""Consents (同意): who agreed to which version of what, when, and through which door (个人信息保护法 arts. 13–17).

Consent is a row, never a flag: a new version of the text asks again, a withdrawal is written beside the giving, and who agrees
again after it has a row more. The log outlives the account by ``KEPT_AFTER_CLOSING_DAYS``, without anything that names a person.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from sqlalchemy import ColumnElement, ForeignKey, Index, and_, bindparam, delete, exists, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from models import clock
from models.accounts import Account
from models.base import Base, PlainText, chosen_from
from models.errors import Conflict
from models.journal import enter

KEPT_AFTER_CLOSING_DAYS = 3 * 365  # domain.md §4
_IS_STANDING = text("withdrawn_at IS NULL")


class ConsentKind(StrEnum):
    """What was agreed to."""

    PRIVACY = "privacy"  # 隐私政策


class ConsentChannel(StrEnum):
    """Through which door."""

    MINI_PROGRAM = "mini_program"  # 小程序
    COUNTER = "counter"  # 柜台


@dataclass(frozen=True)
class PolicyText:
    """One version of a text people agree to, as it is stored beside this module."""

    kind: str
    version: str

    @cached_property
    def text(self) -> str:
        """The whole text, Markdown, Chinese."""
        return (Path(__file__).parent / "texts" / f"{self.kind}-{self.version}.md").read_text(
            encoding="utf-8"
        )

    @cached_property
    def sha256(self) -> str:
        """What exactly was agreed to, provable later."""
        return hashlib.sha256(self.text.encode()).hexdigest()


PRIVACY_POLICY = PolicyText(ConsentKind.PRIVACY, "2026-11")


class Consent(Base):
    """One account's agreement to one version of one text."""

    __tablename__ = "consents"
    __table_args__ = (
        Index(
            "uq_consents_standing",
            "account_id",
            "kind",
            "version",
            unique=True,
            postgresql_where=_IS_STANDING,
            sqlite_where=_IS_STANDING,
        ),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    kind: Mapped[ConsentKind] = mapped_column(chosen_from(ConsentKind))
    version: Mapped[str] = mapped_column(PlainText(16))
    text_sha256: Mapped[str] = mapped_column(PlainText(64))
    channel: Mapped[ConsentChannel] = mapped_column(chosen_from(ConsentChannel))
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


def agree(session: Session, account: Account, *, version: str, channel: ConsentChannel) -> Consent:
    """Write down that an account agrees to the privacy policy. Agreeing twice keeps the first time.

    Raises Conflict ``consent_outdated`` when the version is not the one in force: the person must see the new text; and
    Unauthenticated when the account was closed meanwhile.
    """
    account.must_stand()
    if version != PRIVACY_POLICY.version:
        raise Conflict(
            "consent_outdated",
            "隐私政策已更新，请阅读新版本后再同意",
            details={"version": PRIVACY_POLICY.version},
        )
    consent = consent_in_force(session, account)
    if consent is None:
        try:
            with session.begin_nested():
                consent = _consent(account, channel=channel, given_at=clock.now())
                session.add(consent)
        except IntegrityError:  # the same agreement, sent twice at once
            consent = session.scalars(
                _IN_FORCE, {"account": account.id, "version": PRIVACY_POLICY.version}
            ).one()
    return consent


def withdraw(
    session: Session,
    account: Account,
    *,
    identity: str = "resident",
    agreed_on_paper_at: datetime | None = None,
) -> None:
    """Take every standing agreement back, from now on. Withdrawing what was withdrawn changes nothing.

    Nothing new is registered for this account until it agrees again, by itself or by who acts for it; what it holds already stays.
    Whoever never agreed here but did on paper (``agreed_on_paper_at``) takes that back: it is written down with its withdrawal.
    The caller holds the account.
    """
    given = consents_of(session, account)
    standing = [consent for consent in given if consent.withdrawn_at is None]
    if not given and agreed_on_paper_at is not None:
        standing = [_consent(account, channel=ConsentChannel.COUNTER, given_at=agreed_on_paper_at)]
        session.add_all(standing)
        session.flush()
    for consent in standing:
        consent.withdrawn_at = clock.now()
        enter(session, "consent.withdrawn", consent, by_account_id=account.id, identity=identity)
    session.flush()


def has_withdrawn(
    account_id: InstrumentedAttribute[int] | InstrumentedAttribute[int | None],
) -> ColumnElement[bool]:
    """The condition that this account's last word on the privacy policy, whichever version, was taking its agreement back."""
    theirs = and_(Consent.account_id == account_id, Consent.kind == ConsentKind.PRIVACY)
    return exists().where(theirs, Consent.withdrawn_at.is_not(None)) & ~exists().where(
        theirs, Consent.withdrawn_at.is_(None)
    )


def must_have_agreed(session: Session, account: Account) -> None:
    """Raise Conflict ``consent_needed`` unless the account agrees to the privacy policy in force."""
    if consent_in_force(session, account) is None:
        raise Conflict(
            "consent_needed",
            "请先阅读并同意隐私政策",
            details={"consent_version": PRIVACY_POLICY.version},
        )


def consent_in_force(session: Session, account: Account) -> Consent | None:
    """The account's standing agreement to the privacy policy in force, if it gave one."""
    return session.scalar(_IN_FORCE, {"account": account.id, "version": PRIVACY_POLICY.version})


def consents_of(session: Session, account: Account) -> list[Consent]:
    """Everything this account ever agreed to, and when it took it back, oldest first."""
    return list(session.scalars(select(Consent).where(Consent.account_id == account.id).order_by(Consent.id)))


def forget_consents_of_closed_accounts(session: Session) -> int:
    """Drop the consents of accounts that were closed longer than ``KEPT_AFTER_CLOSING_DAYS`` ago; how many."""
    closed = select(Account.id).where(
        Account.closed_at < clock.now() - timedelta(days=KEPT_AFTER_CLOSING_DAYS)
    )
    gone = session.execute(delete(Consent).where(Consent.account_id.in_(closed)))
    return int(gone.rowcount)  # type: ignore[attr-defined,unused-ignore]  # a DELETE's result always counts rows


def _consent(account: Account, *, channel: ConsentChannel, given_at: datetime) -> Consent:
    return Consent(
        account_id=account.id,
        kind=ConsentKind.PRIVACY,
        version=PRIVACY_POLICY.version,
        text_sha256=PRIVACY_POLICY.sha256,
        channel=channel,
        given_at=given_at,
    )


# made once: whoever writes anything down is asked it (docs/hot-path.md)
_IN_FORCE = select(Consent).where(
    Consent.account_id == bindparam("account"),
    Consent.kind == ConsentKind.PRIVACY,
    Consent.version == bindparam("version"),
    Consent.withdrawn_at.is_(None),
)
