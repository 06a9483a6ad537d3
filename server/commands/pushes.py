"""``flask pushes``: what WeChat told by itself and could not be settled (微信推送)."""

from __future__ import annotations

from collections import Counter

from flask.cli import AppGroup

from models.base import reading, transaction
from models.notices.keywords import say_time
from models.pushes import stuck_pushes, try_again
from server.commands.speaking import say, speaks

pushes = AppGroup("pushes", help="微信推送")


@pushes.command("stuck")
@speaks
def stuck() -> None:
    """列出多次办不成的推送：是什么、哪一天来的、卡在哪里。"""
    with reading() as session:
        found = stuck_pushes(session)
    for push in found:
        say(
            f"{push.id} {push.kind} {say_time(push.received_at)} 收到，试了 {push.attempts} 次：{push.trouble}"
        )
    kinds = "、".join(
        f"{kind} {number} 条" for kind, number in sorted(Counter(p.kind for p in found).items())
    )
    say(f"共 {len(found)} 条：{kinds}" if found else "没有办不成的推送")


@pushes.command("again")
@speaks
def again() -> None:
    """修好原因之后，把办不成的推送全部再办一次；没有后台进程时只是排好队。"""
    with transaction() as session:
        number = try_again(session)
    say(f"{number} 条推送会马上再办" if number else "没有办不成的推送")
