"""The vault (保密柜): personal data is ciphertext at rest, and searchable only through a keyed hash.

Keys come from the environment (``DATA_KEY``, ``LOOKUP_KEY``); the first data key seals, all of them open, so a key can be
replaced while old rows are still readable. The lookup key cannot be replaced without hashing every row again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class VaultLocked(RuntimeError):
    """No key was given, or none of the given keys opens what is stored."""


class Vault:
    """Seals and opens text. Unlocked once, when the application is made."""

    def __init__(self) -> None:
        self._fernet: MultiFernet | None = None
        self._lookup_key = b""

    def unlock(self, data_keys: Sequence[str], lookup_key: str) -> None:
        """Take the keys: Fernet keys (url-safe base64 of 32 bytes), newest first, and any secret for lookups.

        Raises ValueError when a data key is malformed.
        """
        self._fernet = MultiFernet([Fernet(key) for key in data_keys])
        self._lookup_key = lookup_key.encode()

    def seal(self, text: str) -> str:
        """Ciphertext of a text; different every time."""
        return self._keys().encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text of a ciphertext. Raises VaultLocked when no key fits."""
        try:
            return self._keys().decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise VaultLocked("no DATA_KEY opens this row: was a key removed too early?") from error

    def fingerprint(self, text: str) -> str:
        """A keyed hash (hex, 64 characters): equal texts meet, nobody reads them back."""
        if not self._lookup_key:
            raise VaultLocked("LOOKUP_KEY is not set")
        return hmac.new(self._lookup_key, text.encode(), hashlib.sha256).hexdigest()

    def _keys(self) -> MultiFernet:
        if self._fernet is None:
            raise VaultLocked("DATA_KEY is not set")
        return self._fernet


vault = Vault()
