"""Session keys (检验登录态): asked about with a signature only their holder can make (wechat.md §2.2).

The HMAC's key is the session key as the base64 text it is, not the bytes it stands for.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from server.wechat_sandbox.answers import Refused
from server.wechat_sandbox.calls import Call

if TYPE_CHECKING:
    from server.wechat_sandbox.account import Account, Phone


def session_signature(session_key: str, message: bytes = b"") -> str:
    """The hex HMAC-SHA256 that proves the session key."""
    return hmac.new(session_key.encode(), message, hashlib.sha256).hexdigest()


def check_session(account: Account, call: Call) -> dict[str, object]:
    """``GET /wxa/checksession``."""
    _proven(account, call)
    return {"errcode": 0, "errmsg": "ok"}


def reset_session(account: Account, call: Call) -> dict[str, object]:
    """``GET /wxa/resetusersessionkey``: a new key that lives no longer than the old one would have."""
    phone = _proven(account, call)
    phone.session_key = base64.b64encode(secrets.token_bytes(16)).decode()
    account.on_change()
    return {"errcode": 0, "errmsg": "ok", "openid": phone.openid, "session_key": phone.session_key}


def _proven(account: Account, call: Call) -> Phone:
    call.require("GET")
    account.tokens.check(call.query.get("access_token"))
    openid, signature = call.query.get("openid"), call.query.get("signature")
    if not openid or not signature or "sig_method" not in call.query:
        raise Refused(40097)
    if call.query["sig_method"] != "hmac_sha256":
        raise Refused(87008)
    phone = account.phones.get(openid)
    if phone is None:
        raise Refused(40003)
    if not phone.session_key:
        raise Refused(87007)
    if not hmac.compare_digest(signature.encode(), session_signature(phone.session_key).encode()):
        raise Refused(87009)
    return phone
