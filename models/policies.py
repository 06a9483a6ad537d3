"""Policies (规则参数): the numbers of a community, as rows with defaults from above, never literals in a rule.

A number set for a community wins over its street's, over its district's, over the default here. Every rule that can be set is
one line of ``RULES``: the table is the documentation and the check at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from typing import Any, cast

from sqlalchemy import ForeignKey, UniqueConstraint, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, PlainText
from models.errors import Fault, Invalid
from models.regions import Region, paths_down_to

_AN_HOUR = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True)
class Rule:
    """One number a community may set: what it means, its default, and the range that makes sense."""

    name: str
    meaning: str
    default: float | str
    least: float = 0
    most: float = 0

    def read(self, text: str) -> float | str:
        """The value written in a row. Raises Invalid naming the rule."""
        try:
            if isinstance(self.default, str):
                if not _AN_HOUR.fullmatch(text):  # time.fromisoformat would read 21.30 as nine o'clock
                    raise ValueError(text)
                return text
            number = float(text)
        except ValueError:
            raise self._fault(text) from None
        if not self.least <= number <= self.most:
            raise self._fault(text)
        return number

    def _fault(self, text: str) -> Invalid:
        wanted = (
            "一个时刻，例如 21:30"
            if isinstance(self.default, str)
            else f"{self.least:g} 到 {self.most:g} 之间的数"
        )
        return Invalid(
            [Fault(self.name, f"“{self.meaning}”不能是“{text}”，请填{wanted}")], code="policy_invalid"
        )


# domain.md §2.1 and §6; every default is a recommendation there, marked [R]
RULES = {
    rule.name: rule
    for rule in (
        Rule("waitlist_share", "候补人数上限，按名额的倍数", 1.0, 0, 1000),
        Rule("free_cancel_hours", "开课前多少小时以内取消算临时取消", 24, 0, 720),
        Rule("courses_reviewed", "课程发布前是否要管理员审核（1 要，0 不要）", 0, 0, 1),
        Rule("publishing_hour", "每天几点统一发布新课", "09:00"),
        Rule("quiet_from", "夜间免打扰开始", "21:30"),
        Rule("quiet_until", "夜间免打扰结束", "08:00"),
        Rule("messages_a_day", "每人每天最多收几条普通消息", 5, 1, 100),
        Rule("desk_morning", "工作日上午提醒工作人员待办事项的时刻", "08:30"),
        Rule("desk_afternoon", "工作日下午提醒工作人员待办事项的时刻", "17:00"),
        Rule("short_messages_a_day", "每个手机号每天最多收几条短信", 3, 1, 20),
        Rule("call_again_hours", "电话没打通，过几小时再打", 2, 0, 72),
    )
}


class Policy(Base):
    """One number set for one region and everything under it."""

    __tablename__ = "policies"
    __table_args__ = (UniqueConstraint("region_id", "name"),)

    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    name: Mapped[str] = mapped_column(PlainText(40))
    value: Mapped[str] = mapped_column(PlainText(40))


@dataclass(frozen=True)
class Policies:
    """The numbers in force at one place."""

    waitlist_share: float
    free_cancel_hours: float
    quiet_from: time
    quiet_until: time
    messages_a_day: int
    desk_morning: time
    desk_afternoon: time
    short_messages_a_day: int
    call_again_hours: float
    courses_reviewed: bool
    publishing_hour: time


def policies_at(session: Session | Connection, region_id: int | None) -> Policies:
    """The numbers in force at a place: the nearest row wins, then the default; nowhere in particular, the defaults."""
    numbers: dict[str, Any] = {name: rule.default for name, rule in RULES.items()}
    if region_id is not None:
        path = session.execute(select(Region.path).where(Region.id == region_id)).scalar_one()
        rows = session.execute(
            select(Policy.name, Policy.value)
            .join(Region, Policy.region_id == Region.id)
            .where(Region.path.in_(paths_down_to(path)))
            .order_by(func.length(Region.path))  # the nearest is read last
        )
        numbers |= {name: RULES[name].read(value) for name, value in rows if name in RULES}
    return Policies(
        waitlist_share=float(numbers["waitlist_share"]),
        free_cancel_hours=float(numbers["free_cancel_hours"]),
        courses_reviewed=bool(numbers["courses_reviewed"]),
        publishing_hour=time.fromisoformat(cast("str", numbers["publishing_hour"])),
        quiet_from=time.fromisoformat(cast("str", numbers["quiet_from"])),
        quiet_until=time.fromisoformat(cast("str", numbers["quiet_until"])),
        messages_a_day=int(numbers["messages_a_day"]),
        desk_morning=time.fromisoformat(cast("str", numbers["desk_morning"])),
        desk_afternoon=time.fromisoformat(cast("str", numbers["desk_afternoon"])),
        short_messages_a_day=int(numbers["short_messages_a_day"]),
        call_again_hours=float(numbers["call_again_hours"]),
    )


def set_policy(session: Session, region: Region, name: str, value: str) -> Policy:
    """Set a number for a region and everything under it. Raises Invalid for an unknown rule or a senseless value."""
    if name not in RULES:
        raise Invalid(
            [Fault("name", f"没有“{name}”这条规则，可选：{'、'.join(RULES)}")], code="policy_unknown"
        )
    number = RULES[name].read(value)
    row = session.scalar(select(Policy).where(Policy.region_id == region.id, Policy.name == name))
    if row is None:
        row = Policy(region_id=region.id, name=name)
        session.add(row)
    row.value = number if isinstance(number, str) else f"{number:.10g}"
    return row
