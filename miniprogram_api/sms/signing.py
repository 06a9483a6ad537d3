"""Tencent Cloud's signature v3 (TC3-HMAC-SHA256): who sends, and that nobody changed a byte on the way."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

ALGORITHM = "TC3-HMAC-SHA256"
SIGNED_HEADERS = "content-type;host"


def authorization(
    *,
    secret_id: str,
    secret_key: str,
    service: str,
    host: str,
    content_type: str,
    body: bytes,
    moment: datetime,
) -> str:
    """The ``Authorization`` header of a POST to ``/``; ``moment`` is also what ``X-TC-Timestamp`` says.

    The service answers only within five minutes of the moment.
    """
    on = moment.astimezone(UTC).strftime("%Y-%m-%d")
    scope = f"{on}/{service}/tc3_request"
    request = "\n".join(
        (
            "POST",
            "/",
            "",  # no query
            f"content-type:{content_type.lower()}\nhost:{host.lower()}\n",
            SIGNED_HEADERS,
            hashlib.sha256(body).hexdigest(),
        )
    )
    to_sign = "\n".join(
        (ALGORITHM, str(int(moment.timestamp())), scope, hashlib.sha256(request.encode()).hexdigest())
    )
    key = f"TC3{secret_key}".encode()
    for part in (on, service, "tc3_request"):
        key = _mac(key, part)
    signature = _mac(key, to_sign).hex()
    return (
        f"{ALGORITHM} Credential={secret_id}/{scope}, SignedHeaders={SIGNED_HEADERS}, Signature={signature}"
    )


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
