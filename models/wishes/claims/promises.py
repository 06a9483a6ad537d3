"""The promise (圆梦承诺): what a unit promises that takes a wish on, as a text with a version; the claim keeps which one it was."""

from __future__ import annotations

from datetime import timedelta

from models import clock
from models.consents import PolicyText
from models.errors import Conflict, Fault
from models.policies import Policies
from models.wishes.claims.rows import Promise

WISH_PROMISE = PolicyText("wish-promise", "2026-11")


def must_have_promised(version: str | None) -> str:
    """The version agreed to. Raises Conflict ``promise_needed`` naming the one in force, unless it is that."""
    if version != WISH_PROMISE.version:
        raise Conflict(
            "promise_needed",
            "请先阅读并同意圆梦承诺，再认领",
            details={"version": WISH_PROMISE.version},
        )
    return WISH_PROMISE.version


def must_be_in_time(promise: Promise, policy: Policies) -> None:
    """Raises Conflict ``promise_unfit`` for a day that is over, or later than a wish should wait."""
    last = clock.today() + timedelta(days=policy.wish_fulfil_days)
    if not clock.today() <= promise.promised_on <= last:
        message = f"完成的日子要在今天到 {last.month}月{last.day}日 之间"
        raise Conflict("promise_unfit", message, faults=[Fault("promised_on", message)])
