"""``flask calendar``: days that differ from the published list (日历)."""

from __future__ import annotations

from datetime import date

import click
from flask.cli import AppGroup

from models.base import transaction
from models.calendars import DayKind, set_day
from models.errors import Fault, Invalid
from models.journal import enter
from server.commands.outside_hours import say_outside_hours
from server.commands.reservations import say_reviews_rewound
from server.commands.speaking import must_be_a_name, say, speaks
from server.commands.wishes import say_rewound
from server.jobs.clocks import rewind_clocks_within, rewind_reviews_within

KINDS = {
    DayKind.WORKDAY: "工作日",
    DayKind.WEEKEND: "周末",
    DayKind.HOLIDAY: "法定节假日",
    DayKind.ADJUSTED_WORKDAY: "调休上班",
}

calendar = AppGroup("calendar", help="日历")


@calendar.command("add")
@click.argument("day", metavar="日期")
@click.argument("kind", metavar="种类")
@click.argument("name", metavar="[名称]", default="")
@speaks
def add(day: str, kind: str, name: str) -> None:
    """说明某一天是什么日子，例如：flask calendar add 2027-02-06 holiday 春节。再写一次就改成新的。"""
    on, wanted = _day(day), _kind(kind)
    called = must_be_a_name(name, "名称", most=40) if name.strip() else ""
    with transaction() as session:
        row = set_day(session, on, wanted, name=called)
        enter(session, "calendar_day.set", row, details={"on": on.isoformat(), "kind": wanted.value})
    say(f"{on.isoformat()} 是{KINDS[wanted]}{f'（{called}）' if called else ''}")
    say_rewound(rewind_clocks_within(None))
    say_reviews_rewound(rewind_reviews_within(None))
    say_outside_hours(on)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid([Fault("day", f"看不懂日期“{text.strip()}”，请写成 2027-02-06")]) from None


def _kind(text: str) -> DayKind:
    wanted = text.strip()
    for kind, word in KINDS.items():
        if wanted in (kind.value, word):
            return kind
    choices = "、".join(f"{kind.value}（{word}）" for kind, word in KINDS.items())
    raise Invalid([Fault("kind", f"没有“{wanted}”这种日子，可以写：{choices}")])
