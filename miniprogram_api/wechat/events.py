"""What WeChat tells us by itself (事件, wechat.md §4.5, §6.2, §8.5), in the house's own words.

Every event carries a ``dedupe_key``: the same event pushed twice has the same key (§8.3). It is a digest, so it may be stored
and logged; the openid stays out of every ``repr``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from miniprogram_api.wechat.content import Suggest


@dataclass(frozen=True, kw_only=True)
class PushEvent:
    """One thing WeChat told. ``openid`` is whom it is about, ``at`` when it happened."""

    openid: str = field(repr=False)
    at: datetime
    dedupe_key: str


@dataclass(frozen=True, kw_only=True)
class PopupAnswered(PushEvent):
    """A person answered the subscribe popup. The client reports the same answer: do not count it twice."""

    template_id: str
    accepted: bool


@dataclass(frozen=True, kw_only=True)
class TemplateRefused(PushEvent):
    """A person refused a template in the service-notification manager: what they had allowed is gone."""

    template_id: str


@dataclass(frozen=True, kw_only=True)
class MessageSettled(PushEvent):
    """What finally became of a message WeChat had accepted; with an ``error_code`` other than 0 it did not arrive."""

    template_id: str
    msgid: str
    error_code: int
    error_status: str


@dataclass(frozen=True, kw_only=True)
class MediaChecked(PushEvent):
    """The verdict on a picture. With an ``errcode`` other than 0 there is none, and ``suggest`` is review."""

    trace_id: str
    suggest: Suggest
    label: int
    errcode: int


@dataclass(frozen=True, kw_only=True)
class AuthorizationRevoked(PushEvent):
    """A person withdrew one permission: delete what it gave us. ``code`` is WeChat's own number."""

    code: int


@dataclass(frozen=True, kw_only=True)
class AuthorizationCancelled(PushEvent):
    """A person closed their account with us at WeChat: the duties of erasure begin."""


@dataclass(frozen=True, kw_only=True)
class ProfileModified(PushEvent):
    """WeChat cleaned a risky nickname or avatar: ours has to go, too."""


@dataclass(frozen=True, kw_only=True)
class Unknown(PushEvent):
    """Something we have no use for: answer success and leave it."""

    name: str


def dedupe_key(*parts: object) -> str:
    """The digest under which an event is seen once."""
    return hashlib.sha256("\n".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()[:40]
