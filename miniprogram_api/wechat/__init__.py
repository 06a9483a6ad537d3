"""WeChat, from our side: the only package that imports wechatpy.

What WeChat tells by itself is read by ``push`` into ``events``. Routes and the worker speak to ``WeChatGateway`` and hear the house's
own refusals and outcomes. A call may take as long as the timeouts allow: make it before a database transaction begins, never inside
one.
"""

from __future__ import annotations

from miniprogram_api.wechat.content import ImageCheck, Scene, Suggest, TextVerdict
from miniprogram_api.wechat.events import (
    AuthorizationCancelled,
    AuthorizationRevoked,
    MediaChecked,
    MessageSettled,
    PopupAnswered,
    ProfileModified,
    PushEvent,
    TemplateRefused,
    Unknown,
)
from miniprogram_api.wechat.gateway import SendOutcome, SendResult, WeChatGateway, WeChatLogin
from miniprogram_api.wechat.push import PushRefused, read_push, verify_url
from miniprogram_api.wechat.templates import AccountTemplate, LibraryKeyword, LibraryTitle
from miniprogram_api.wechat.tokens import FetchedToken, ProcessTokenShelf, TokenShelf

__all__ = [
    "AccountTemplate",
    "AuthorizationCancelled",
    "AuthorizationRevoked",
    "FetchedToken",
    "ImageCheck",
    "LibraryKeyword",
    "LibraryTitle",
    "MediaChecked",
    "MessageSettled",
    "PopupAnswered",
    "ProcessTokenShelf",
    "ProfileModified",
    "PushEvent",
    "PushRefused",
    "Scene",
    "SendOutcome",
    "SendResult",
    "Suggest",
    "TemplateRefused",
    "TextVerdict",
    "TokenShelf",
    "Unknown",
    "WeChatGateway",
    "WeChatLogin",
    "read_push",
    "verify_url",
]
