"""Signing and sealing a push (消息签名与加密, wechat.md §8.1, §8.2): WeChat's half of it.

Written from the documentation and not with the library the product reads pushes with, so that one checks the other.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK = 32
_SALT_BYTES = 16
_key_shape = re.compile(r"[A-Za-z0-9]{43}")


def signature(token: str, *parts: str) -> str:
    """``signature`` over timestamp and nonce, or ``msg_signature`` over timestamp, nonce and ``Encrypt``."""
    return hashlib.sha1("".join(sorted((token, *parts))).encode()).hexdigest()  # noqa: S324 - WeChat's choice


def key_bytes(aes_key: str) -> bytes:
    """The 32 bytes of an EncodingAESKey. ValueError unless it is 43 letters and digits."""
    if _key_shape.fullmatch(aes_key) is None:
        raise ValueError("an EncodingAESKey is 43 letters and digits")
    return base64.b64decode(aes_key + "=")


def seal(message: str, *, aes_key: str, appid: str, salt: bytes | None = None) -> str:
    """``Encrypt``: 16 random bytes, the length, the message and the appid, in AES-256-CBC with the key's first half as IV."""
    key = key_bytes(aes_key)
    said = message.encode()
    plain = (salt or secrets.token_bytes(_SALT_BYTES)) + len(said).to_bytes(4, "big") + said + appid.encode()
    padding = _BLOCK - len(plain) % _BLOCK
    plain += bytes([padding]) * padding
    sealing = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(sealing.update(plain) + sealing.finalize()).decode()
