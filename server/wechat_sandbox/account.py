"""The sandbox's one WeChat account: its phones, templates, codes, tokens, faults, behind one lock."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from models import clock
from server.wechat_sandbox import events
from server.wechat_sandbox.answers import Refused
from server.wechat_sandbox.codes import Codes
from server.wechat_sandbox.content import Checks
from server.wechat_sandbox.faults import Faults
from server.wechat_sandbox.links import Link
from server.wechat_sandbox.pushing import Pushes
from server.wechat_sandbox.quotas import Quotas
from server.wechat_sandbox.templates import LONG_TERM, Template
from server.wechat_sandbox.tokens import Tokens, TokenTerms

_openid_shape = re.compile(r"[A-Za-z0-9_-]{6,64}")

Answer = Literal["accept", "reject"]


@dataclass(frozen=True)
class Options:
    """What WeChat leaves open or sets per account; the defaults are the documented figures.

    ``answer_ms`` delays every WeChat answer (a benchmark's distance to Shenzhen), ``answer_ms_of`` those of one path.
    ``calls_a_day`` lowers or raises the daily limit of a path; ``templates_kept`` is the account's cap on templates, 25 in
    older documentation (§4.6). ``media_delay_seconds`` is how long a picture is examined, up to 30 minutes at WeChat
    (§6.2). Pushes travel on ``push_lines`` lines at once, and the last ``pushes_kept`` are remembered. ``msgid`` is whether a send answers
    with one: WeChat does so only sometimes (§4.1). ``pages`` lists the released pages; ``None`` accepts any.
    ``openid_mismatch`` is the errcode for a phone code of somebody else, which WeChat does not document (§5).
    """

    tokens: TokenTerms = field(default_factory=TokenTerms)
    code_seconds: int = 300
    logins_a_minute: int = 100
    phone_numbers_a_minute: int = 100
    session_key_seconds: int = 300
    unionid: bool = False
    msgid: Literal["always", "never", "sometimes"] = "sometimes"
    answer_ms: int = 0
    messages_kept: int = 500
    sensitive_words: tuple[str, ...] = ("代开发票", "赌博平台", "枪支弹药")
    pages: frozenset[str] | None = None
    openid_mismatch: int = 40003
    answer_ms_of: Mapping[str, int] = field(default_factory=dict)
    calls_a_day: Mapping[str, int] = field(default_factory=dict)
    templates_kept: int = 25
    media_delay_seconds: float = 0.0
    push_lines: int = 4
    pushes_kept: int = 2000


@dataclass(frozen=True)
class Message:
    """A service notification as it lies in a phone. ``values`` are in the template's order."""

    msgid: int
    template_id: str
    title: str
    values: tuple[tuple[str, str, str], ...]
    page: str
    state: str
    lang: str
    sent_at: datetime


@dataclass
class SentResult:
    """What is to become of accepted messages: ``error_code`` 0 arrives, anything else does not (§4.5). ``left`` times."""

    openid: str | None
    error_code: int
    error_status: str
    left: int


@dataclass
class Phone:
    """One person's WeChat. ``quota`` counts accepted one-time sends; ``subscribed`` holds long-term templates."""

    openid: str
    messages: deque[Message]
    unionid: str | None = None
    flagged: bool = False
    quota: Counter[str] = field(default_factory=Counter)
    subscribed: set[str] = field(default_factory=set)
    answers: dict[str, Answer] = field(default_factory=dict)
    session_key: str = ""
    session_key_at: datetime | None = None
    visited_at: datetime | None = None
    recent_calls: dict[str, deque[datetime]] = field(default_factory=dict)


_ARRIVES = SentResult(None, 0, "success", 0)


def _nothing() -> None:
    """What a change leads to when no state is kept."""


class Account:
    """Everything the sandbox knows. Whoever reads or changes it holds ``lock``; nobody sleeps under it."""

    def __init__(self, *, appid: str, secret: str, templates: Iterable[Template], options: Options) -> None:
        self.appid = appid
        self.secret = secret
        self.options = options
        self.lock = threading.RLock()
        self.templates: dict[str, Template] = {template.id: template for template in templates}
        self.phones: dict[str, Phone] = {}
        self.codes = Codes(code_seconds=options.code_seconds)
        self.tokens = Tokens(options.tokens)
        self.faults = Faults()
        self.calls: Counter[str] = Counter()
        self.quotas = Quotas(options.calls_a_day)
        self.checks = Checks(media_delay_seconds=options.media_delay_seconds)
        self.links: dict[str, Link] = {}
        self.pushes = Pushes(self, lines=options.push_lines, kept=options.pushes_kept)
        self.latency_ms: dict[str, int] = dict(options.answer_ms_of)
        self.sent_results: list[SentResult] = []
        self.deleted_templates: set[str] = set()
        self.paths: frozenset[str] = frozenset()
        self.last_msgid = 0
        self.on_change: Callable[[], None] = _nothing
        self.overlaps: Counter[str] = Counter()  # who was being sent a message when the next one came
        self._being_sent_to: set[str] = set()

    def phone(self, openid: str) -> Phone:
        """The phone of this openid, made on the fly. The openid must be 6 to 64 of ``A-Za-z0-9_-``: ValueError."""
        known = self.phones.get(openid)
        if known is not None:
            return known
        if _openid_shape.fullmatch(openid) is None:
            raise ValueError("an openid is 6 to 64 characters of A-Z a-z 0-9 _ -")
        made = Phone(openid, deque(maxlen=self.options.messages_kept))
        if self.options.unionid:
            made.unionid = "u" + hashlib.sha256(openid.encode()).hexdigest()[:27]
        self.phones[openid] = made
        return made

    def answer_popup(self, phone: Phone, *, accept: Sequence[str], reject: Sequence[str]) -> None:
        """The person answers the subscribe popup (§4.3): an accept earns one more send, a refusal takes none back."""
        for template_id in accept:
            phone.answers[template_id] = "accept"
            if self.templates[template_id].kind == LONG_TERM:
                phone.subscribed.add(template_id)
            else:
                phone.quota[template_id] += 1
        for template_id in reject:
            phone.answers[template_id] = "reject"
            phone.subscribed.discard(template_id)
        shown = {each: phone.answers[each] for each in (*accept, *reject)}
        self.pushes.tell(events.popup_answered(phone.openid, shown))
        self.on_change()

    def refuse_templates(self, phone: Phone, template_ids: Sequence[str]) -> None:
        """The person refuses templates in the service-notification manager (§4.5): what was allowed is gone."""
        for template_id in template_ids:
            phone.answers[template_id] = "reject"
            phone.subscribed.discard(template_id)
            phone.quota.pop(template_id, None)
        self.pushes.tell(events.templates_refused(phone.openid, template_ids))
        self.on_change()

    def change_authorization(self, phone: Phone, event: str, *, revoke_info: int | None = None) -> None:
        """A permission is withdrawn, an account closed, a risky profile cleaned: WeChat tells (§8.5)."""
        self.pushes.tell(
            events.authorization_changed(event, phone.openid, appid=self.appid, revoke_info=revoke_info)
        )
        self.on_change()

    def visit(self, phone: Phone) -> None:
        """The person is in the mini-program now; content checks ask for that within two hours (§6.1)."""
        phone.visited_at = clock.now()
        self.on_change()

    def login_code(self, phone: Phone, *, appid: str) -> str:
        """What wx.login gives on this phone, which is a visit, too."""
        self.visit(phone)
        return self.codes.issue_login(phone.openid, appid=appid)

    def settle(self, openid: str) -> SentResult:
        """What becomes of a message that was accepted: it arrives, unless a failure is on order."""
        for ordered in self.sent_results:
            if ordered.openid in (None, openid):
                ordered.left -= 1
                if ordered.left == 0:
                    self.sent_results.remove(ordered)
                return ordered
        return _ARRIVES

    def answer_seconds(self, path: str) -> float:
        """How long an answer on this path is to take."""
        return self.latency_ms.get(path, self.options.answer_ms) / 1000

    def session_key_for(self, phone: Phone) -> str:
        """The one valid session key; a login rotates it once it has some age, not in quick succession (§2.1)."""
        now = clock.now()
        kept = timedelta(seconds=self.options.session_key_seconds)
        if phone.session_key_at is None or now - phone.session_key_at >= kept:
            phone.session_key = base64.b64encode(secrets.token_bytes(16)).decode()
            phone.session_key_at = now
        return phone.session_key

    def note_call(self, phone: Phone, api: str, *, a_minute: int) -> None:
        """Count one person's calls of one API; beyond ``a_minute`` answers 45011."""
        now = clock.now()
        recent = phone.recent_calls.setdefault(api, deque())
        while recent and now - recent[0] >= timedelta(minutes=1):
            recent.popleft()
        if len(recent) >= a_minute:
            raise Refused(45011)
        recent.append(now)

    @contextmanager
    def sending_to(self, openid: str) -> Iterator[None]:
        """WeChat takes one send to a person at a time: a second one meanwhile answers 43108."""
        with self.lock:
            if openid in self._being_sent_to:
                self.overlaps[openid] += 1
                raise Refused(43108)
            self._being_sent_to.add(openid)
        try:
            yield
        finally:
            with self.lock:
                self._being_sent_to.discard(openid)
