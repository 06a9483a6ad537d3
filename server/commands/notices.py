"""``flask notices``: how delivery stands, and the catalogue of moments as a table (通知)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask.cli import AppGroup

from models import clock
from models.base import reading
from models.notices import MOMENTS, PROMPTS, TEMPLATE_TITLES, Delivery, Moment
from models.notices.keywords import say_time
from models.notices.overview import Group, overview
from server.commands.speaking import say, speaks

DELIVERIES = {
    Delivery.OWED: "待发送",
    Delivery.SENDING: "发送中",
    Delivery.SENT: "已发送",
    Delivery.NOT_GRANTED: "没有订阅，仅站内",
    Delivery.CAPPED: "当日条数已满，仅站内",
    Delivery.MERGED: "并入另一条",
    Delivery.STALE: "已过时，没有发送",
    Delivery.REFUSED: "微信拒收",
    Delivery.FAILED: "多次没有发出去",
    Delivery.UNKNOWN: "结果不明，不重发",
}
COLUMNS = ("时刻", "告诉谁", "模板", "字段", "何时发", "急", "有效期", "微信送不到时")

notices = AppGroup("notices", help="通知")


@notices.command("status")
@speaks
def status() -> None:
    """各种状态的通知各有多少，最早该发还没发的是什么，有没有卡住的。"""
    with reading() as session:
        found = overview(session)
    for delivery, number in found.numbers.items():
        say(f"{delivery} {DELIVERIES[delivery]}：{number}")
    _say_groups(found.overdue, "该发还没发", "没有该发还没发的")
    _say_groups(found.held_too_long, "发送中断，等待标为结果不明", "没有卡住的")


@notices.command("catalogue")
@speaks
def catalogue() -> None:
    """列出每个时刻：告诉谁、用什么模板和字段、何时发、急不急、多久之后不再发；以及点按时征求哪些模板。"""
    rows = [COLUMNS, tuple("---" for _ in COLUMNS), *(_row(moment) for moment in MOMENTS.values())]
    for row in rows:
        say(f"| {' | '.join(row)} |")
    say()
    for prompt, names in PROMPTS.items():
        say(f"{prompt}：{'、'.join(f'{TEMPLATE_TITLES[name]}（{name}）' for name in names)}")


def _row(moment: Moment) -> tuple[str, ...]:
    template = f"{TEMPLATE_TITLES[moment.template]}（{moment.template}）"
    fields = "，".join(f"{keyword}={fact}" for keyword, fact in moment.keywords.items())
    return (
        f"{moment.title}（{moment.kind}）",
        moment.to,
        template,
        fields,
        "夜间不发，早上再发" if moment.waits_for_morning else "马上",
        "急，不计入每日条数" if moment.urgent else "",
        _span(moment.worth) + (f"，最晚到 {moment.until}" if moment.until else ""),
        f"短信（{moment.short_message}），再不行打电话" if moment.must_arrive else "只在站内",
    )


def _span(span: timedelta) -> str:
    return f"{span.days} 天" if span.days else f"{span.seconds // 3600} 小时"


def _say_groups(groups: Sequence[Group], what: str, none: str) -> None:
    if not groups:
        say(none)
    for group in groups:
        last = f"，上次结果 {group.outcome}" if group.outcome else ""
        say(
            f"{what}：{MOMENTS[group.kind].title}（{group.kind}）{group.number} 条，"
            f"最早的从 {say_time(group.since)} 起，已 {_minutes_since(group.since)} 分钟{last}"
        )


def _minutes_since(moment: datetime) -> int:
    return (clock.now() - moment) // timedelta(minutes=1)
