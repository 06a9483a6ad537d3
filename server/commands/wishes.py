"""``flask wishes``: what an operator may have to do for wishes (心愿)."""

from __future__ import annotations

from flask.cli import AppGroup

from server.commands.speaking import say, speaks
from server.jobs.clocks import rewind_clocks_within

wishes = AppGroup("wishes", help="心愿")


@wishes.command("rewind-clocks")
@speaks
def rewind_clocks() -> None:
    """按现在的日历和规则重新计算所有心愿和认领的期限；改日历和规则的命令、每天夜里都会自动做一次。"""
    changed = rewind_clocks_within(None)
    say_rewound(changed)
    if not changed:
        say("期限都没有变")


def say_rewound(changed: int) -> None:
    """Say how many clocks ring at another time now, if any do."""
    if changed:
        say(f"{changed} 个心愿、认领的期限已按新规定重新计算")
