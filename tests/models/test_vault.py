"""The vault: ciphertext at rest, keys that change, and no reading without them."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from models.base import has_control_characters, new_key
from models.vault import Vault, VaultLocked

LOOKUP = "a-lookup-key-for-tests-and-nothing-else"


def a_vault(*keys: str, lookup: str = LOOKUP) -> Vault:
    """A vault that was given these keys, newest first."""
    vault = Vault()
    vault.unlock(keys, lookup)
    return vault


def test_what_is_sealed_opens_and_looks_different_every_time() -> None:
    vault = a_vault(Fernet.generate_key().decode())
    first, second = vault.seal("13800138000"), vault.seal("13800138000")
    assert first != second
    assert "138" not in first[:3]
    assert vault.open(first) == vault.open(second) == "13800138000"


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    sealed_before = a_vault(old).seal("陈静")
    both = a_vault(new, old)
    assert both.open(sealed_before) == "陈静"
    assert a_vault(new).open(both.seal("陈静")) == "陈静"


def test_a_key_removed_too_early_says_so() -> None:
    sealed = a_vault(Fernet.generate_key().decode()).seal("陈静")
    with pytest.raises(VaultLocked, match="removed too early"):
        a_vault(Fernet.generate_key().decode()).open(sealed)


def test_without_keys_nothing_is_sealed_or_looked_up() -> None:
    with pytest.raises(VaultLocked):
        Vault().seal("陈静")
    with pytest.raises(VaultLocked):
        Vault().fingerprint("陈静")


@pytest.mark.parametrize("keys", [[], ["too short"]])
def test_a_malformed_key_is_refused_at_once(keys: list[str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        a_vault(*keys)


def test_equal_texts_meet_under_one_lookup_key_only() -> None:
    key = Fernet.generate_key().decode()
    assert a_vault(key).fingerprint("陈静") == a_vault(key).fingerprint("陈静")
    assert a_vault(key).fingerprint("陈静") != a_vault(key).fingerprint("陈净")
    assert a_vault(key).fingerprint("陈静") != a_vault(key, lookup="another").fingerprint("陈静")


def test_a_key_for_the_outside_is_sixteen_plain_characters() -> None:
    keys = {new_key() for _ in range(1000)}
    assert len(keys) == 1000
    assert all(len(key) == 16 and key.isalnum() and key.isascii() for key in keys)


@pytest.mark.parametrize(("text", "has"), [("王芳\n\t", False), ("", False), ("a\x00", True), ("\x9f", True)])
def test_line_feed_and_tab_are_no_control_characters_here(text: str, *, has: bool) -> None:
    assert has_control_characters(text) is has
