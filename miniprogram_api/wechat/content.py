"""Content security (内容安全, wechat.md §6): a verdict, or the word that a person has to look.

No outage, limit or quirk of WeChat stops a resident from handing something in: what cannot be judged waits for a person. After several
questions in a row without an answer none is asked for a while (``Pause``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

import structlog

from miniprogram_api.wechat import errcodes
from miniprogram_api.wechat.client import NoToken, WeChatClient, WeChatRefused, WeChatTrouble
from miniprogram_api.wechat.pause import Pause
from miniprogram_api.wechat.refusals import report_misconfiguration
from miniprogram_api.wechat.words import LONGEST_TRACE_ID, number_in, word_in
from models.errors import Refusal

log = structlog.get_logger()

TEXT_LIMIT = 2500
NEEDS_A_PERSON = "needs a person"
_IMAGE = 2


class Scene(IntEnum):
    """Where people will read it."""

    PROFILE = 1  # 资料
    COMMENT = 2  # 评论
    FORUM = 3  # 论坛
    SOCIAL_LOG = 4  # 社交日志


class Suggest(StrEnum):
    """What WeChat suggests to do. Sample-check what passes; never rely on it alone (§6.3)."""

    PASS = "pass"  # noqa: S105 - WeChat's word, 通过
    REVIEW = "review"  # 需要人工看一眼
    RISKY = "risky"  # 不予发布


@dataclass(frozen=True)
class TextVerdict:
    """WeChat's word on a text. ``label`` is what it found (100 nothing); ``reason`` says why there is none, for staff.

    ``errcode`` is WeChat's, where it refused to judge.
    """

    suggest: Suggest
    label: int | None = None
    trace_id: str = ""
    reason: str = ""
    errcode: int | None = None

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody has to look before others see it."""
        return self.suggest is Suggest.REVIEW


@dataclass(frozen=True)
class ImageCheck:
    """A picture handed to WeChat: its ``trace_id``, under which the verdict is pushed; or the ``reason`` there will be none."""

    trace_id: str | None
    reason: str = ""
    errcode: int | None = None

    @property
    def needs_a_person(self) -> bool:
        """Whether no verdict will come, so somebody has to look."""
        return self.trace_id is None


def check_text(
    client: WeChatClient, pause: Pause, content: str, *, openid: str, scene: Scene, title: str, nickname: str
) -> TextVerdict:
    """``msg_sec_check``, version 2. Never raises."""
    if not content.strip():
        return TextVerdict(Suggest.PASS, reason="nothing was written")
    if len(content) > TEXT_LIMIT:
        return _by_hand("longer than WeChat checks")
    body: dict[str, object] = {"content": content, "version": 2, "scene": int(scene), "openid": openid}
    body |= {name: value for name, value in (("title", title), ("nickname", nickname)) if value}
    if pause.is_on:
        return _by_hand(_PAUSED)
    try:
        answer = client.ask_with_token("POST", "wxa/msg_sec_check", body=body)
    except (WeChatTrouble, Refusal) as trouble:
        return _by_hand(_why(trouble, pause), _errcode_of(trouble))
    pause.learn(answered=True)
    return _verdict(answer)


def check_image(client: WeChatClient, pause: Pause, url: str, *, openid: str, scene: Scene) -> ImageCheck:
    """``media_check_async``, version 2. Never raises. The verdict comes as ``MediaChecked`` within 30 minutes, or never."""
    body = {"media_url": url, "media_type": _IMAGE, "version": 2, "scene": int(scene), "openid": openid}
    if pause.is_on:
        return ImageCheck(None, f"{NEEDS_A_PERSON}: {_PAUSED}")
    try:
        answer = client.ask_with_token("POST", "wxa/media_check_async", body=body)
    except (WeChatTrouble, Refusal) as trouble:
        return ImageCheck(None, f"{NEEDS_A_PERSON}: {_why(trouble, pause)}", _errcode_of(trouble))
    pause.learn(answered=True)
    trace_id = word_in(answer.get("trace_id"), most=LONGEST_TRACE_ID)
    if trace_id is None:
        return ImageCheck(None, f"{NEEDS_A_PERSON}: an answer without a trace id")
    return ImageCheck(trace_id)


def suggested(word: object) -> Suggest:
    """WeChat's word as ours; what we do not know is for a person."""
    try:
        return Suggest(str(word))
    except ValueError:
        return Suggest.REVIEW


def _verdict(answer: Mapping[str, Any]) -> TextVerdict:
    result = answer.get("result")
    if not isinstance(result, Mapping):
        return _by_hand("an answer without a result")
    trace_id = word_in(answer.get("trace_id"), most=LONGEST_TRACE_ID)
    return TextVerdict(suggested(result.get("suggest")), number_in(result.get("label")), trace_id or "")


def _by_hand(why: str, errcode: int | None = None) -> TextVerdict:
    return TextVerdict(Suggest.REVIEW, reason=f"{NEEDS_A_PERSON}: {why}", errcode=errcode)


def _errcode_of(trouble: WeChatTrouble | Refusal) -> int | None:
    """What WeChat said of the question itself; of a token that was not to be had it says nothing."""
    return trouble.errcode if isinstance(trouble, WeChatRefused) else None


def _why(trouble: WeChatTrouble | Refusal, pause: Pause) -> str:
    """The reason for staff, free of personal data; what only we can mend is reported to those who run the house."""
    pause.learn(answered=_errcode_of(trouble) in _ABOUT_THIS_ONE)
    if isinstance(trouble, Refusal):
        return f"no access token: {trouble.code}"
    root = trouble.cause if isinstance(trouble, NoToken) else trouble
    if not isinstance(root, WeChatRefused):
        log.warning("content_check_not_had", trouble=str(trouble))
        return str(trouble)
    report_misconfiguration(root)
    return _REASONS.get(root.errcode, f"errcode {root.errcode}")


_PAUSED = "WeChat did not answer the last questions"
# a no to this person or picture: others are answered
_ABOUT_THIS_ONE = frozenset({errcodes.INVALID_OPENID, errcodes.NOT_VISITED, errcodes.REPEATED})

_REASONS = {
    errcodes.NOT_VISITED: "not in the mini-program for two hours",
    errcodes.REPEATED: "the same picture is being checked",
    errcodes.MINUTE_LIMIT: "too many checks this minute",
    errcodes.DAILY_QUOTA: "no checks left today",
}
