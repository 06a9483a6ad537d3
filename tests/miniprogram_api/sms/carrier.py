"""A stand-in for Tencent Cloud SMS over real HTTP: it checks who signed, writes down what came, and has bad days when told."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.serving import listening

SECRET_ID, SECRET_KEY = "AKID-of-the-town", "a-secret-key-for-tests-alone"
APP_ID, SIGN, REGION = "1400006666", "家门口", "ap-guangzhou"
_AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/]+)/([0-9-]+)/sms/tc3_request, "
    r"SignedHeaders=content-type;host, Signature=([0-9a-f]{64})"
)


@dataclass
class Carrier:
    """What was asked of the stand-in, and how it answers next."""

    base_url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    status: dict[str, Any] = field(default_factory=lambda: {"Code": "Ok", "Message": "send success"})
    error: dict[str, Any] | None = None
    http_status: int = 200
    body: bytes | None = None
    stalls_seconds: float = 0
    drips_seconds: float = 0
    resets: bool = False


class _Counter(BaseHTTPRequestHandler):
    carrier: Carrier

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        carrier = self.carrier
        carrier.headers.append(dict(self.headers))
        carrier.asked.append(json.loads(sent))
        if carrier.stalls_seconds:
            time.sleep(carrier.stalls_seconds)
            return  # nobody waits for the answer any more
        if carrier.resets:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.connection.close()
            return
        body = carrier.body if carrier.body is not None else json.dumps(self._answer(sent)).encode()
        self.send_response(carrier.http_status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not carrier.drips_seconds:
            self.wfile.write(body)
            return
        with suppress(OSError):  # nobody may wait for the end
            for byte in body:
                self.wfile.write(bytes([byte]))
                time.sleep(carrier.drips_seconds)

    def _answer(self, sent: bytes) -> dict[str, Any]:
        error = self.carrier.error or self._what_is_wrong(sent)
        if error is not None:
            return {"Response": {"Error": error, "RequestId": "r"}}
        phone = json.loads(sent)["PhoneNumberSet"][0]
        status = {"SerialNo": "2640:1", "PhoneNumber": phone, "Fee": 1, "IsoCode": "CN"}
        return {"Response": {"SendStatusSet": [status | self.carrier.status], "RequestId": "r"}}

    def _what_is_wrong(self, sent: bytes) -> dict[str, Any] | None:
        """The signature made again from what arrived, written here a second time on purpose."""
        if self.headers["X-TC-Action"] != "SendSms" or self.headers["X-TC-Version"] != "2021-01-11":
            return {"Code": "InvalidAction", "Message": "no such action"}
        found = _AUTHORIZATION.fullmatch(self.headers["Authorization"] or "")
        stamp = self.headers["X-TC-Timestamp"]
        on = datetime.fromtimestamp(int(stamp), UTC).date().isoformat()
        if found is None or found[1] != SECRET_ID or found[2] != on:
            return {"Code": "AuthFailure.InvalidAuthorization", "Message": "malformed"}
        canonical = (
            f"POST\n/\n\ncontent-type:{self.headers['Content-Type']}\nhost:{self.headers['Host']}\n\n"
            f"content-type;host\n{hashlib.sha256(sent).hexdigest()}"
        )
        text = f"TC3-HMAC-SHA256\n{stamp}\n{on}/sms/tc3_request\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = ("TC3" + SECRET_KEY).encode()
        for part in (on, "sms", "tc3_request", text):
            key = hmac.digest(key, part.encode(), "sha256")
        if key.hex() != found[3]:
            return {"Code": "AuthFailure.SignatureFailure", "Message": "the signature is not right"}
        return None

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base names it so
        """Say nothing."""


@contextmanager
def open_carrier() -> Iterator[Carrier]:
    """A stand-in on a free loopback port for the length of the block."""
    carrier = Carrier()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Counter", (_Counter,), {"carrier": carrier}))
    with listening(server) as carrier.base_url:
        yield carrier
