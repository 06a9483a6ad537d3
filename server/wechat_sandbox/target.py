"""Where pushes go (消息推送配置): what the console keeps, and how it checks the address on saving (wechat.md §8.1, §8.2)."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Literal

from models import clock
from server.wechat_sandbox import envelope, events, posting
from server.wechat_sandbox.events import Event, Numbers

Mode = Literal["plain", "secure"]
Format = Literal["json", "xml"]


class NotVerified(Exception):
    """The address did not prove itself. ``field`` is what has to be mended."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass(frozen=True)
class PushTarget:
    """The address of the pushes and how they are signed. ``aes_key`` is needed in secure mode."""

    url: str
    token: str
    aes_key: str = ""
    mode: Mode = "plain"
    format: Format = "json"

    @property
    def content_type(self) -> str:
        """What the body is announced as."""
        return "application/json" if self.format == "json" else "text/xml"

    def sign(self) -> dict[str, str]:
        """``signature, timestamp, nonce``, fresh."""
        timestamp, nonce = str(int(clock.now().timestamp())), str(secrets.randbelow(9 * 10**8) + 10**8)
        return {
            "signature": envelope.signature(self.token, timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
        }

    def address(self, body: str, *, openid: str, appid: str) -> tuple[dict[str, str], str]:
        """The query and the body as they travel: in secure mode sealed, with ``msg_signature`` over the seal."""
        query = self.sign()
        if self.mode == "plain":
            return query, body
        sealed = envelope.seal(body, aes_key=self.aes_key, appid=appid)
        signed = envelope.signature(self.token, query["timestamp"], query["nonce"], sealed)
        query |= {"openid": openid, "encrypt_type": "aes", "msg_signature": signed}
        outer = {"ToUserName": events.original_id(appid), "Encrypt": sealed}
        return query, json.dumps(outer) if self.format == "json" else events.envelope_xml(outer)

    def body_of(self, event: Event, *, appid: str, numbers: Numbers) -> str:
        """The event in the format of this target."""
        if self.format == "xml":
            return events.as_xml(event, appid=appid)
        return events.as_json(event, appid=appid, numbers=numbers)


def verify(target: PushTarget) -> None:
    """The GET with ``echostr`` the console sends on saving. Raises NotVerified naming what failed."""
    try:
        posting.local_address(target.url)
    except ValueError as foreign:
        raise NotVerified("url", str(foreign)) from foreign
    if target.mode == "secure":
        try:
            envelope.key_bytes(target.aes_key)
        except ValueError as odd:
            raise NotVerified("aes_key", str(odd)) from odd
    echo = str(secrets.randbelow(9 * 10**18) + 10**18)
    try:
        heard = posting.call("GET", target.url, query={**target.sign(), "echostr": echo})
    except posting.CannotReach as unreachable:
        raise NotVerified("url", str(unreachable)) from unreachable
    if heard.status in (401, 403):
        raise NotVerified("token", f"the address refuses our signature (HTTP {heard.status})")
    if heard.status != 200:
        raise NotVerified("url", f"the address answers HTTP {heard.status}")
    if heard.body != echo.encode():
        raise NotVerified("url", "the address does not return echostr as it is")
