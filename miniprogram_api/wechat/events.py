"""What WeChat tells us by itself (事件, wechat.md §4.5, §6.2, §8.5), in the house's own words.

Every event carries a ``dedupe_key``: the same event pushed twice has the same key (§8.3). It is a digest, so it may be stored
and logged; the openid stays out of every ``repr``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from miniprogram_api.wechat.content import Suggest


class Withdrawn(IntEnum):
    """What a person took back (RevokeInfo)."""

    OTHER = 0  # 微信新增的、我们还不认识的
    PLATE = 1  # 车牌号
    ADDRESS = 2  # 地址
    INVOICE = 3  # 发票信息
    BLUETOOTH = 4  # 蓝牙
    MICROPHONE = 5  # 麦克风
    PROFILE = 6  # 昵称和头像
    CAMERA = 7  # 摄像头
    PHONE = 8  # 手机号
    STEPS = 12  # 微信运动步数
    LOCATION = 13  # 位置信息
    PICTURES = 14  # 选中的图片或视频
    FILES = 15  # 选中的文件
    EMAIL = 16  # 邮箱地址
    CHOSEN_LOCATION = 18  # 选择的位置信息
    NICKNAME = 19  # 昵称输入键盘
    AVATAR = 20  # 用户头像

    @classmethod
    def _missing_(cls, value: object) -> Withdrawn:
        return cls.OTHER


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
    popup_scene: int


@dataclass(frozen=True, kw_only=True)
class TemplateRefused(PushEvent):
    """A person refused a template in the service-notification manager: what they had allowed is gone."""

    template_id: str


@dataclass(frozen=True, kw_only=True)
class MessageSettled(PushEvent):
    """What finally became of a message WeChat had accepted."""

    template_id: str
    msgid: str
    error_code: int
    error_status: str

    @property
    def arrived(self) -> bool:
        """Whether the message is in the person's hand."""
        return self.error_code == 0


@dataclass(frozen=True, kw_only=True)
class MediaChecked(PushEvent):
    """The verdict on a picture. With an ``errcode`` other than 0 there is none, and ``suggest`` is review."""

    trace_id: str
    suggest: Suggest
    label: int
    errcode: int

    @property
    def could_not_be_fetched(self) -> bool:
        """Whether WeChat failed to download the picture."""
        return self.errcode == -1008


@dataclass(frozen=True, kw_only=True)
class AuthorizationRevoked(PushEvent):
    """A person withdrew one permission: delete what it gave us. ``code`` is WeChat's own number."""

    what: Withdrawn
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
