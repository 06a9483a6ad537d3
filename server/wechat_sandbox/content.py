"""Content security (内容安全): text at once, pictures and recordings later by push (wechat.md §6.1, §6.2).

The errcode is 0 for risky content too: the verdict is in ``result``. Words and pictures get their verdict from tables that
tests and people may add to.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from models import clock
from server.wechat_sandbox import events, posting
from server.wechat_sandbox.answers import Refused
from server.wechat_sandbox.calls import Call

if TYPE_CHECKING:
    from server.wechat_sandbox.account import Account, Phone

Suggest = Literal["pass", "review", "risky"]

LABELS = frozenset({100, 10001, 20001, 20002, 20003, 20006, 20008, 20012, 20013, 21000})
TEXT_LIMIT = 2500
_MEDIA_BYTES = 10 * 1024 * 1024
_NORMAL = 100
_DOWNLOAD_FAILED = -1008
_AUDIO, _IMAGE = 1, 2
_VISIT_LASTS = timedelta(hours=2)
_GRAVITY = {"pass": 0, "review": 1, "risky": 2}

_IMAGE_SIGNS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF87a", b"GIF89a")
_AUDIO_SIGNS = (
    b"ID3",
    b"\xff\xfb",
    b"\xff\xf3",
    b"\xff\xf1",
    b"\xff\xf9",
    b"\x0bw",
    b"0&\xb2u",
    b"fLaC",
    b"OggS",
    b"RIFF",
)


@dataclass(frozen=True)
class Verdict:
    """What WeChat says about something: ``suggest`` and the ``label`` of what was found."""

    suggest: Suggest = "pass"
    label: int = _NORMAL


_WORDS = {
    "赌博平台": Verdict("risky", 20006),
    "枪支弹药": Verdict("risky", 20006),
    "代开发票": Verdict("risky", 20006),
    "刷单返利": Verdict("risky", 20008),
    "色情视频": Verdict("risky", 20002),
    "加我微信": Verdict("review", 10001),
    "低价转让": Verdict("review", 10001),
    "你这个混蛋": Verdict("review", 20003),
}


@dataclass(frozen=True)
class MediaCheck:
    """A picture or recording under examination. ``kind`` is WeChat's ``media_type``."""

    trace_id: str
    openid: str
    url: str
    kind: int


@dataclass
class Checks:
    """Verdicts on order, and what is being examined. ``marks`` are parts of a URL, or SHA-256 sums of the content."""

    words: dict[str, Verdict] = field(default_factory=lambda: dict(_WORDS))
    marks: dict[str, Verdict] = field(default_factory=dict)
    media_delay_seconds: float = 0.0
    pending: dict[str, MediaCheck] = field(default_factory=dict)

    def of_text(self, text: str) -> tuple[Verdict, str]:
        """The gravest verdict any known word brings, and the word."""
        found = [(verdict, word) for word, verdict in self.words.items() if word in text]
        return max(found, key=lambda each: _GRAVITY[each[0].suggest], default=(Verdict(), ""))

    def of_media(self, url: str, content: bytes) -> Verdict:
        """The verdict ordered for this content or for a part of its address; pictures pass otherwise."""
        by_sum = self.marks.get(hashlib.sha256(content).hexdigest())
        by_mark = next((verdict for mark, verdict in self.marks.items() if mark in url), None)
        return by_sum or by_mark or Verdict()


def check_text(account: Account, call: Call) -> dict[str, object]:
    """``POST /wxa/msg_sec_check``, version 2."""
    call.require("POST")
    account.tokens.check(call.query.get("access_token"))
    content = call.text("content")
    # WeChat does not say how it refuses what is too long; a body it cannot read is the likely answer.
    if not content or len(content) > TEXT_LIMIT:
        raise Refused(47001)
    _version_and_visit(account, call)
    more = [_optional_text(call, name) for name in ("title", "nickname", "signature")]
    verdict, word = account.checks.of_text("\n".join([content, *more]))
    result = {"suggest": verdict.suggest, "label": verdict.label}
    detail: list[dict[str, Any]] = [{"strategy": "content_model", "errcode": 0, **result, "prob": 90}]
    if word:
        detail.append({"strategy": "keyword", "errcode": 0, **result, "keyword": word, "level": 90})
    return {"errcode": 0, "errmsg": "ok", "result": result, "detail": detail, "trace_id": _trace_id()}


def check_media(account: Account, call: Call) -> dict[str, object]:
    """``POST /wxa/media_check_async``: a trace id now, the verdict by push within 30 minutes.

    WeChat does not define a "repeat request": here, the same address for the same person while its check is under way.
    """
    call.require("POST")
    account.tokens.check(call.query.get("access_token"))
    kind = call.json.get("media_type")
    if kind not in (_AUDIO, _IMAGE):
        raise Refused(40004)
    url = call.text("media_url")
    if not url.startswith(("http://", "https://")):
        raise Refused(47001)
    phone = _version_and_visit(account, call)
    if any(each.url == url and each.openid == phone.openid for each in account.checks.pending.values()):
        raise Refused(87020)
    check = MediaCheck(_trace_id(), phone.openid, url, kind)
    examine(account, check)
    account.on_change()
    return {"errcode": 0, "errmsg": "ok", "trace_id": check.trace_id}


def examine(account: Account, check: MediaCheck) -> None:
    """Fetch what the address holds and push the verdict, as late as ordered."""
    account.checks.pending[check.trace_id] = check
    delay = account.checks.media_delay_seconds
    account.pushes.run_soon(check.openid, lambda: _conclude(account, check), after_seconds=delay)


def _conclude(account: Account, check: MediaCheck) -> None:
    content = _fetched(check)
    with account.lock:
        verdict = account.checks.of_media(check.url, content) if content is not None else Verdict("review")
        account.checks.pending.pop(check.trace_id, None)
        event = events.media_checked(
            check.openid,
            appid=account.appid,
            trace_id=check.trace_id,
            errcode=0 if content is not None else _DOWNLOAD_FAILED,
            suggest=verdict.suggest,
            label=verdict.label,
        )
        account.pushes.tell(event)
        account.on_change()


def _fetched(check: MediaCheck) -> bytes | None:
    """What lies at the address, or ``None``: unreachable, too large, or no picture or recording WeChat knows."""
    try:
        heard = posting.call("GET", check.url, limit=_MEDIA_BYTES)
    except (posting.CannotReach, ValueError):
        return None
    signs = _IMAGE_SIGNS if check.kind == _IMAGE else _AUDIO_SIGNS
    fine = heard.status == 200 and heard.complete and heard.body.startswith(signs)
    return heard.body if fine else None


def _version_and_visit(account: Account, call: Call) -> Phone:
    """The fields both checks share (47001, 40129, 40003), and the visit within two hours (61010)."""
    if call.json.get("version") not in (2, "2"):
        raise Refused(47001)
    if call.json.get("scene") not in (1, 2, 3, 4):
        raise Refused(40129)
    if "openid" not in call.json:
        raise Refused(47001)
    phone = account.phones.get(call.text("openid"))
    if phone is None:
        raise Refused(40003)
    if phone.visited_at is None or clock.now() - phone.visited_at > _VISIT_LASTS:
        raise Refused(61010)
    return phone


def _optional_text(call: Call, name: str) -> str:
    value = call.json.get(name, "")
    if not isinstance(value, str):
        raise Refused(47001)
    return value


def _trace_id() -> str:
    return f"{secrets.token_hex(4)}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
