"""``flask town``: the demo town (server.demo)."""

from __future__ import annotations

from flask.cli import AppGroup

from models import clock
from models.base import reading, transaction
from models.errors import Conflict
from server.commands.speaking import say, speaks
from server.demo import demo_people, is_loaded, load_demo_town
from server.settings import Mode, settings_in_force

town = AppGroup("town", help="演示小城")


@town.command("load-demo")
@speaks
def load_demo() -> None:
    """装入演示小城：社区、场地、人物和课程。已经有了就什么都不变。正式环境不能用。"""
    settings = settings_in_force()
    if settings.mode is not Mode.DEMO:
        raise Conflict(
            "demo_only", "演示小城只能装在演示环境里，正式环境请用 flask places import 登记真实的社区"
        )
    with transaction() as session:
        is_new = load_demo_town(session, clock.now(), settings.data_dir)
    say("演示小城已装好，flask town people 可以看到人物" if is_new else "演示小城早已装好，什么都没有变")


@town.command("people")
@speaks
def people() -> None:
    """列出演示人物：身份、姓名、openid、key 和 X-Identity。"""
    with reading() as session:
        stands = is_loaded(session)
    if not stands:
        raise Conflict("demo_not_loaded", "还没有演示小城，请先运行 flask town load-demo")
    for person in demo_people():
        say(person.line)
