"""``flask reservations``: what an operator may have to do for reservations (预约)."""

from __future__ import annotations

from flask.cli import AppGroup

from server.commands.speaking import say, speaks
from server.jobs.clocks import rewind_reviews_within

reservations = AppGroup("reservations", help="场地预约")


@reservations.command("rewind-clocks")
@speaks
def rewind_clocks() -> None:
    """按现在的日历和规则重新计算所有待审核预约的审核期限；改日历和规则的命令、每天夜里都会自动做一次。"""
    changed = rewind_reviews_within(None)
    say_reviews_rewound(changed)
    if not changed:
        say("期限都没有变")


def say_reviews_rewound(changed: int) -> None:
    """Say how many reservations are to be looked at by another moment now, if any are."""
    if changed:
        say(f"{changed} 个场地预约的审核期限已按新规定重新计算")
