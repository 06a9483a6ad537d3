"""Accounts (微信账号): one WeChat login, and the sessions it has open on our side.

A login is opaque to the client, revocable and long-lived, because WeChat limits how often ``wx.login`` may run (wechat.md
§2.3). The token is ``<login key>.<signature>``: the signature refuses forgeries without asking the database, the row behind it
says whether the login still stands, so a copy of the database is not a bunch of keys.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from itsdangerous import BadSignature, Signer
from sqlalchemy import ForeignKey, bindparam, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.base import Base, Keyed, PlainText
from models.errors import Unauthenticated

SIGNED_OUT = "您已退出登录，请重新登录"
LOGIN_DAYS = 90
KEPT_AFTER_END_DAYS = 30
_TOKEN = re.compile(r"[a-z2-7]{16}\.[A-Za-z0-9_-]{43}")  # a key, and a SHA-256 as base64


class Account(Keyed, Base):
    """One person's WeChat in this mini-program. The openid never leaves the house; after closing it is not here either."""

    __tablename__ = "accounts"

    openid: Mapped[str] = mapped_column(PlainText(64), unique=True)
    unionid: Mapped[str | None] = mapped_column(PlainText(64), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    closed_at: Mapped[datetime | None]  # 已注销: a tombstone, kept for what points at it

    def must_stand(self) -> None:
        """Raise Unauthenticated when this account was closed: whoever waited for its lock came too late."""
        if self.closed_at is not None:
            raise Unauthenticated("token_revoked", SIGNED_OUT)


class Login(Keyed, Base):
    """One open login of an account, on one phone."""

    __tablename__ = "logins"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class TokenMint:
    """Signs login keys and checks them. ``secrets`` newest first: old tokens stay good while their secret is listed."""

    def __init__(self, secrets: Sequence[str]) -> None:
        # itsdangerous signs with the last key of its list
        self._signer = Signer(list(reversed(secrets)), salt="login", digest_method=hashlib.sha256)
        self.login_key = lru_cache(maxsize=65536)(self._login_key)

    def token_for(self, login: Login) -> str:
        """What the phone keeps and sends back."""
        return self._signer.sign(login.key).decode()

    def _login_key(self, token: str) -> str:
        """The login key a token carries. Raises Unauthenticated for anything we did not sign."""
        if _TOKEN.fullmatch(token) is None:
            # itsdangerous skips what base64 does not know, so a good token with rubbish in it would be good, and be remembered
            raise Unauthenticated("token_invalid", "登录信息无效，请重新登录")
        try:
            return self._signer.unsign(token).decode()
        except (BadSignature, UnicodeDecodeError, UnicodeEncodeError):
            raise Unauthenticated("token_invalid", "登录信息无效，请重新登录") from None


def welcome(session: Session, *, openid: str, unionid: str | None = None) -> Account:
    """The account of this WeChat user, made on the first visit. Two first visits at once make one account."""
    account = session.scalar(select(Account).where(Account.openid == openid))
    if account is None:
        try:
            with session.begin_nested():
                account = Account(openid=openid, unionid=unionid)
                session.add(account)
        except IntegrityError:  # the other first visit won
            account = session.scalars(select(Account).where(Account.openid == openid)).one()
    if unionid and account.unionid != unionid:  # it can appear later (wechat.md §2.4)
        account.lock()
        if account.closed_at is not None:  # closed a moment ago: this visit is a first one again (E32)
            return welcome(session, openid=openid, unionid=unionid)
        account.unionid = unionid
    return account


def account_of_openid(session: Session, openid: str) -> Account | None:
    """The account of this WeChat user, if there is one: for what WeChat itself tells us about people."""
    return session.scalar(select(Account).where(Account.openid == openid))


def open_login(session: Session, account: Account) -> Login:
    """A new login for an account, good for ``LOGIN_DAYS`` unless revoked."""
    now = clock.now()
    login = Login(account_id=account.id, created_at=now, expires_at=now + timedelta(days=LOGIN_DAYS))
    session.add(login)
    session.flush()
    return login


def account_behind(session: Session, login_key: str) -> Account:
    """The account a login stands for. Raises Unauthenticated when it was revoked, has expired, or never was."""
    row = session.execute(_BEHIND, {"login": login_key}).first()
    if row is None or row.Login.revoked_at is not None:
        raise Unauthenticated("token_revoked", SIGNED_OUT)
    if row.Login.expires_at <= clock.now():
        raise Unauthenticated("token_expired", "登录已过期，请重新登录")
    account: Account = row.Account
    account.must_stand()  # a login that was opened while the account was being closed
    return account


# made once: every request asks it (docs/hot-path.md)
_BEHIND = (
    select(Account, Login).join(Login, Login.account_id == Account.id).where(Login.key == bindparam("login"))
)


def revoke_login(session: Session, login_key: str) -> None:
    """End one login. Ending it twice is fine."""
    session.execute(
        update(Login).where(Login.key == login_key, Login.revoked_at.is_(None)).values(revoked_at=clock.now())
    )


def close(session: Session, account: Account) -> None:
    """Turn an account into a tombstone: every login ends, and nothing in it says whose it was.

    The openid becomes a text nobody can guess, so the same WeChat user who comes back is a first visitor (E32).
    """
    session.execute(
        update(Login)
        .where(Login.account_id == account.id, Login.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )
    account.openid, account.unionid = f"closed-{secrets.token_urlsafe(24)}", None
    account.closed_at = clock.now()
    session.flush()


def forget_ended_logins(session: Session, *, before: datetime) -> int:
    """Drop logins that were revoked or had expired a month before this moment; how many."""
    ended = before - timedelta(days=KEPT_AFTER_END_DAYS)
    gone = session.execute(delete(Login).where(or_(Login.revoked_at < ended, Login.expires_at < ended)))
    return int(gone.rowcount)  # type: ignore[attr-defined,unused-ignore]  # a DELETE's result always counts rows
