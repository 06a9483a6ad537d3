"""Keeping the account between starts: one JSON file, replaced whole, readable by its owner only."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import Counter, deque
from datetime import datetime
from pathlib import Path
from typing import Any

from server.wechat_sandbox.account import Account, Message, Phone
from server.wechat_sandbox.content import MediaCheck, examine
from server.wechat_sandbox.links import Link
from server.wechat_sandbox.templates import Template
from server.wechat_sandbox.tokens import Token

_VERSION = 1
_SOON_SECONDS = 1.0
# A large state is written less often: writing may take a twentieth of the time at most.
_PAUSE_PER_COST = 20.0

log = logging.getLogger(__name__)


class Keeper:
    """Writes the account's state shortly after it changes, and reads it at the start."""

    def __init__(self, account: Account, file: Path) -> None:
        self._account = account
        self._file = file
        self._timer: threading.Timer | None = None
        self._cost = 0.0
        self._writing = threading.Lock()

    def load(self) -> None:
        """Take up what an earlier start left. An unreadable file is set aside as ``*.broken`` with a warning."""
        if not self._file.exists():
            return
        try:
            _restore(self._account, json.loads(self._file.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError) as broken:
            aside = self._file.with_suffix(self._file.suffix + ".broken")
            self._file.replace(aside)
            log.warning("the sandbox state could not be read and was set aside as %s: %r", aside.name, broken)

    def soon(self) -> None:
        """Write in about a second; more changes until then are in the same write. Called under the account's lock."""
        if self._timer is None:
            pause = max(_SOON_SECONDS, self._cost * _PAUSE_PER_COST)
            self._timer = threading.Timer(pause, self.save)
            self._timer.daemon = True
            self._timer.start()

    def save(self) -> None:
        """Write now. The file is complete or untouched, whatever happens meanwhile."""
        with self._writing:
            began = time.monotonic()
            with self._account.lock:
                self._timer = None
                snapshot = _snapshot(self._account)
            text = json.dumps(snapshot, ensure_ascii=False, separators=(",", ":"))
            self._replace(text.encode())
            self._cost = time.monotonic() - began

    def _replace(self, content: bytes) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(self._file)


def _snapshot(account: Account) -> dict[str, Any]:
    tokens = account.tokens
    return {
        "version": _VERSION,
        "last_msgid": account.last_msgid,
        "templates": [_template_row(template) for template in account.templates.values()],
        "tokens": [_token_row(token) for token in tokens.known.values()],
        "stable": tokens.stable.value if tokens.stable else None,
        "plain": tokens.plain.value if tokens.plain else None,
        "phones": [_phone_row(phone) for phone in account.phones.values()],
        "deleted_templates": sorted(account.deleted_templates),
        "links": [_link_row(link) for link in account.links.values()],
        "pushes": account.pushes.as_row(),
        "media": [
            [each.trace_id, each.openid, each.url, each.kind] for each in account.checks.pending.values()
        ],
    }


def _template_row(template: Template) -> dict[str, Any]:
    return {
        "id": template.id,
        "title": template.title,
        "content": template.content,
        "kind": template.kind,
        "choices": {key: list(values) for key, values in template.choices.items()},
        "banned": template.banned,
    }


def _token_row(token: Token) -> dict[str, Any]:
    return {
        "value": token.value,
        "expires_at": token.expires_at.isoformat(),
        "usable_until": token.usable_until.isoformat(),
        "superseded": token.superseded,
    }


def _phone_row(phone: Phone) -> dict[str, Any]:
    return {
        "openid": phone.openid,
        "unionid": phone.unionid,
        "flagged": phone.flagged,
        "quota": dict(phone.quota),
        "subscribed": sorted(phone.subscribed),
        "answers": phone.answers,
        "session_key": phone.session_key,
        "session_key_at": phone.session_key_at.isoformat() if phone.session_key_at else None,
        "visited_at": phone.visited_at.isoformat() if phone.visited_at else None,
        "messages": [_message_row(message) for message in phone.messages],
    }


def _link_row(link: Link) -> list[str]:
    return [link.ticket, link.path, link.query, link.build, link.expires_at.isoformat()]


def _message_row(message: Message) -> list[Any]:
    return [
        message.msgid,
        message.template_id,
        message.title,
        message.values,
        message.page,
        message.state,
        message.lang,
        message.sent_at.isoformat(),
    ]


def _restore(account: Account, kept: dict[str, Any]) -> None:
    if kept["version"] != _VERSION:
        raise ValueError(f"state of version {kept['version']}, expected {_VERSION}")
    # What an earlier sandbox did not keep yet may be missing.
    kept = {
        "deleted_templates": [],
        "links": [],
        "media": [],
        "pushes": {"target": None, "waiting": []},
    } | kept
    phones = [_phone(row, keep=account.options.messages_kept) for row in kept["phones"]]
    known = [_token(row) for row in kept["tokens"]]
    templates = [_template(row) for row in kept["templates"]]
    # Templates given at creation are the newer truth; those added by hand come back.
    account.deleted_templates = set(kept["deleted_templates"])
    together = {template.id: template for template in templates} | account.templates
    account.templates = {each: together[each] for each in together if each not in account.deleted_templates}
    account.links = {row[0]: _link(row) for row in kept["links"]}
    account.phones = {phone.openid: phone for phone in phones}
    account.last_msgid = int(kept["last_msgid"])
    for token in known:
        account.tokens.remember(token)
    account.tokens.stable = account.tokens.known.get(kept["stable"])
    account.tokens.plain = account.tokens.known.get(kept["plain"])
    account.pushes.take_up(kept["pushes"])
    for row in kept["media"]:
        examine(account, MediaCheck(*row))


def _link(row: list[str]) -> Link:
    ticket, path, query, build, expires_at = row
    return Link(ticket, path, query, build, datetime.fromisoformat(expires_at))


def _template(row: dict[str, Any]) -> Template:
    choices = {key: tuple(values) for key, values in row["choices"].items()}
    return Template(row["id"], row["title"], row["content"], row["kind"], choices, row["banned"])


def _token(row: dict[str, Any]) -> Token:
    return Token(
        row["value"],
        datetime.fromisoformat(row["expires_at"]),
        datetime.fromisoformat(row["usable_until"]),
        row["superseded"],
    )


def _phone(row: dict[str, Any], *, keep: int) -> Phone:
    return Phone(
        openid=row["openid"],
        messages=deque((_message(each) for each in row["messages"]), maxlen=keep),
        unionid=row["unionid"],
        flagged=row["flagged"],
        quota=Counter(row["quota"]),
        subscribed=set(row["subscribed"]),
        answers=row["answers"],
        session_key=row["session_key"],
        session_key_at=_moment(row["session_key_at"]),
        visited_at=_moment(row.get("visited_at")),
    )


def _moment(kept: str | None) -> datetime | None:
    return datetime.fromisoformat(kept) if kept else None


def _message(row: list[Any]) -> Message:
    msgid, template_id, title, values, page, state, lang, sent_at = row
    lines = tuple((label, key, value) for label, key, value in values)
    return Message(msgid, template_id, title, lines, page, state, lang, datetime.fromisoformat(sent_at))
