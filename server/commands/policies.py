"""``flask policy``: the numbers of a community (规则参数)."""

from __future__ import annotations

import click
from flask.cli import AppGroup
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import reading, transaction
from models.hours import NUMBERS_OF_HOURS
from models.journal import enter
from models.policies import RULES, Policy, set_policy
from models.regions import Region, paths_down_to
from models.reservations import NUMBERS_OF_REVIEWS
from models.wishes.rewinding import NUMBERS_OF_CLOCKS
from server.commands.finding import place_called
from server.commands.outside_hours import say_outside_hours
from server.commands.reservations import say_reviews_rewound
from server.commands.speaking import say, speaks
from server.commands.wishes import say_rewound
from server.jobs.clocks import rewind_clocks_within, rewind_reviews_within

policy = AppGroup("policy", help="规则参数")


@policy.command("set")
@click.argument("region", metavar="区域")
@click.argument("name", metavar="规则")
@click.argument("value", metavar="值")
@speaks
def set_number(region: str, name: str, value: str) -> None:
    """给一个区域和它下面的所有地方定一个规则，例如：flask policy set 梧桐里社区 waitlist_share 0.5。"""
    with transaction() as session:
        place = place_called(session, region)
        row = set_policy(session, place, name.strip(), value.strip())
        session.flush()
        enter(session, "policy.set", row, details={"name": row.name, "value": row.value})
        say(f"{place.name}：{RULES[row.name].meaning} = {row.value}")
    if row.name.startswith(NUMBERS_OF_CLOCKS):
        say_rewound(rewind_clocks_within(place))
    elif row.name in NUMBERS_OF_REVIEWS:
        say_reviews_rewound(rewind_reviews_within(place))
    elif row.name in NUMBERS_OF_HOURS:
        say_outside_hours()


@policy.command("list")
@click.argument("region", metavar="[区域]", required=False)
@speaks
def in_force(region: str | None) -> None:
    """列出所有规则；写了区域的话，是在那里生效的值。"""
    with reading() as session:
        place = place_called(session, region) if region is not None else None
        values = _values_at(session, place)
        for name, rule in RULES.items():
            value, where = values.get(name, (f"{rule.default}", "默认"))
            say(f"{name} = {value}（{where}）  {rule.meaning}")
        if place is None:
            for row, of in _rows(session):
                say(f"{of.name}：{row.name} = {row.value}")


def _rows(session: Session) -> list[tuple[Policy, Region]]:
    rows = session.execute(
        select(Policy, Region).join(Region, Region.id == Policy.region_id).order_by(Region.path, Policy.name)
    )
    return [(row.Policy, row.Region) for row in rows]


def _values_at(session: Session, place: Region | None) -> dict[str, tuple[str, str]]:
    """The value set for each rule and where; a nearer place wins because its path sorts later."""
    above = paths_down_to(place.path) if place is not None else []
    return {row.name: (row.value, of.name) for row, of in _rows(session) if of.path in above}
