"""Codes and links into the mini-program (小程序码与链接, wechat.md §7)."""

from __future__ import annotations

from typing import Literal

from miniprogram_api.wechat.client import NoAnswer, WeChatClient
from miniprogram_api.wechat.words import LONGEST_LINK, word_in

Build = Literal["release", "trial", "develop"]

_PICTURE_SIGNS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_AFTER_DAYS = 1


def code_image(
    client: WeChatClient,
    scene: str,
    page: str,
    *,
    build: Build,
    check_path: bool,
    width: int,
    transparent: bool,
) -> bytes:
    """``getwxacodeunlimit``: a JPEG or a PNG."""
    body = {
        "scene": scene,
        "page": page,
        "check_path": check_path,
        "env_version": build,
        "width": width,
        "is_hyaline": transparent,
    }
    drawn = client.ask_for_bytes("wxa/getwxacodeunlimit", body=body)
    if not drawn.startswith(_PICTURE_SIGNS):
        raise NoAnswer("a code that is no picture")
    return drawn


def url_link(client: WeChatClient, path: str, query: str, *, build: Build, days: int) -> str:
    """``generate_urllink``."""
    body = {
        "path": path,
        "query": query,
        "env_version": build,
        "expire_type": _AFTER_DAYS,
        "expire_interval": days,
    }
    answer = client.ask_with_token("POST", "wxa/generate_urllink", body=body)
    link = word_in(answer.get("url_link"), most=LONGEST_LINK)
    if link is None or not link.startswith(("https://", "http://")):
        raise NoAnswer("a link that is none")
    return link
