"""Commands (命令): what the operator of an installation does from a terminal.

places  timetable  staff  policies  calendars  town  wechat  notices  pushes  wishes  reservations      one module a noun, one group each
speaking   how they answer                       finding   whom they mean
"""

from __future__ import annotations

from flask import Flask

from server.commands.calendars import calendar
from server.commands.notices import notices
from server.commands.places import places
from server.commands.policies import policy
from server.commands.pushes import pushes
from server.commands.reservations import reservations
from server.commands.staff import staff
from server.commands.timetable import timetable
from server.commands.town import town
from server.commands.wechat import wechat
from server.commands.wishes import wishes

GROUPS = (
    places,
    timetable,
    staff,
    policy,
    calendar,
    town,
    wechat,
    notices,
    pushes,
    wishes,
    reservations,
)


def register_commands(app: Flask) -> None:
    """Give the application its ``flask`` commands."""
    for group in GROUPS:
        app.cli.add_command(group)
