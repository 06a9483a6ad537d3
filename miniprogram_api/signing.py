"""Signing (临时地址): addresses that whoever holds them may open for an hour or two, and nobody afterwards.

A phone shows pictures by their address alone, without its login. So the address says until when it is good, and is signed; it is the same for
everybody within the hour, so that what is kept stays the same bytes.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from models import clock
from models.errors import NotFound
from models.vault import vault

AN_HOUR = timedelta(hours=1)
_SIGNED = 32


def signed_query(name: str, *, good_for: timedelta = AN_HOUR) -> dict[str, str]:
    """What to add to the address of ``name``, good for at least so long and at most an hour more."""
    until = f"{_whole_hour_after(clock.now() + good_for):.0f}"
    return {"until": until, "signature": _signature(name, until)}


def must_be_signed(name: str, *, until: str, signature: str) -> None:
    """Raise NotFound for an address that was never given out, or is no longer good."""
    is_ours = hmac.compare_digest(signature.encode(), _signature(name, until).encode())
    if not is_ours or datetime.fromtimestamp(int(until), UTC) <= clock.now():
        raise NotFound("这个地址已失效，请刷新后再打开")


def _whole_hour_after(moment: datetime) -> float:
    seconds, hour = moment.timestamp(), AN_HOUR.total_seconds()
    return (seconds // hour + 1) * hour


def _signature(name: str, until: str) -> str:
    return vault.fingerprint(f"address:{name}:{until}")[:_SIGNED]


def address_of_photo(key: str, *, small: bool = False, good_for: timedelta = AN_HOUR) -> str:
    """Where a picture of a wish is, from the root of this server."""
    name = f"wish-photos/{key}/thumbnail" if small else f"wish-photos/{key}"
    return f"/api/v1/{name}?{urlencode(signed_query(name, good_for=good_for))}"
