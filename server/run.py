"""``make run``: the whole town on one machine. Web server, worker and WeChat sandbox, started together and stopped together.

First it says what is wrong with the settings or the ports, if anything is; then it brings the database up to date and loads the
demo town into an empty one; then it prints where everything is and who lives there.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.request import Request, urlopen

import honcho.manager
from flask_migrate import upgrade
from honcho.printer import Printer

from models import clock
from models.base import reading, transaction
from models.errors import Refusal
from server.app import create_app
from server.demo import DemoPerson, demo_people, load_demo_town, must_not_be_a_real_town
from server.lifeline import RUNNER, hold_on_to_parent
from server.settings import Misconfigured, Mode, Settings, from_environment

KILL_AFTER_SECONDS = 4
READY_WITHIN_SECONDS = 60
STOPPED_BY_HAND = (128 + signal.SIGINT, 128 + signal.SIGTERM)  # honcho's code for it


def main() -> int:
    """Run the town until it is stopped; the exit code."""
    try:
        settings = from_environment()
    except Misconfigured as wrong:
        return _say("设置有误：", *(f"  - {fault}" for fault in wrong.faults))
    busy = [
        f"  - {name}={port}" for name, port in _ports(settings).items() if not _is_free(settings.bind, port)
    ]
    if busy:
        return _say(
            "端口已被占用，可能已经在运行。请先停掉，或换一个端口（例如 PORT=8010 SANDBOX_PORT=8011 make run）：",
            *busy,
        )
    try:
        people = prepare(settings)
    except Refusal as refusal:
        return _say(refusal.message)
    return _run_together(settings, people)


def prepare(settings: Settings) -> list[DemoPerson]:
    """Bring the database up to date; in demo mode load the demo town and name its people. Quick when there is nothing to do.

    Raises Conflict ``town_is_real`` before anything is changed: run as a demo, a real town would tell its people into the sandbox.
    """
    app = create_app(settings)
    with app.app_context():
        if settings.mode is Mode.DEMO:
            with reading() as session:
                must_not_be_a_real_town(session)
        upgrade()
        if settings.mode is Mode.DEMO:
            with transaction() as session:
                load_demo_town(session, clock.now(), settings.data_dir)
        return demo_people() if settings.mode is Mode.DEMO else []


def _introduce_when_ready(settings: Settings, people: Sequence[DemoPerson]) -> None:
    """Tell the newcomer where everything is, once it is really there."""
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        with (
            contextlib.suppress(OSError),
            urlopen(f"http://{settings.bind}:{settings.port}/readyz") as answer,
        ):
            if answer.status == HTTPStatus.OK:
                _introduce(settings, people)
                break
        time.sleep(0.1)
    while settings.uses_sandbox and time.monotonic() < deadline:
        with contextlib.suppress(OSError):  # the sandbox may still be on its way
            _agree_on_pushes(settings)
            return
        time.sleep(0.1)


def _agree_on_pushes(settings: Settings) -> None:
    """Tell the sandbox where to push to, as an operator tells WeChat's console. Raises OSError while it cannot be reached."""
    agreed = {
        "url": f"http://127.0.0.1:{settings.port}/wechat/push",
        "token": settings.wechat_push_token,
        "aes_key": settings.wechat_push_aes_key,
        "mode": "secure",
    }
    asked = Request(
        f"http://127.0.0.1:{settings.sandbox_port}/_sandbox/push-target",
        json.dumps(agreed).encode(),
        {"Content-Type": "application/json"},
    )
    urlopen(asked).close()  # noqa: S310 - our own sandbox, on this machine


def _introduce(settings: Settings, people: Sequence[DemoPerson]) -> None:
    here = f"http://127.0.0.1:{settings.port}"
    lines = [
        "",
        "家门口 Jiamenkou 已就绪",
        f"  接口     {here}/api/v1/course-runs",
        f"  文档     {here}/api/docs",
        f"  健康     {here}/healthz  {here}/readyz",
    ]
    if settings.uses_sandbox:
        lines.append(f"  微信沙箱 http://127.0.0.1:{settings.sandbox_port}/  （每个人的手机和服务通知）")
    if people:
        lines += ["", "  演示人物（沙箱 openid）：", *(f"    {person.line}" for person in people)]
    print("\n".join([*lines, ""]), flush=True)  # noqa: T201 - this is what the newcomer reads


def _run_together(settings: Settings, people: Sequence[DemoPerson]) -> int:
    hold_on_to_parent()
    env = {**os.environ, RUNNER: str(os.getpid()), "PYTHONUNBUFFERED": "1"}
    honcho.manager.KILL_WAIT = KILL_AFTER_SECONDS
    manager = honcho.manager.Manager(Printer(sys.stdout))
    for name, command in _commands(settings).items():
        manager.add_process(name, f"exec {command}", env=env)
    threading.Thread(target=_introduce_when_ready, args=(settings, people), daemon=True).start()
    manager.loop()
    code = int(manager.returncode or 0)
    return 0 if code in STOPPED_BY_HAND else code


def _commands(settings: Settings) -> Mapping[str, str]:
    python = sys.executable
    commands = {
        "web": f"{python} -m gunicorn -c deploy/gunicorn.conf.py 'server.wsgi:create()'",
        "worker": f"{python} -m server.worker",
    }
    if settings.uses_sandbox:
        commands["wechat"] = (
            f"{python} -m gunicorn -c deploy/sandbox.conf.py 'server.wechat_sandbox.wsgi:app()'"
        )
    return commands


def _ports(settings: Settings) -> Mapping[str, int]:
    return {"PORT": settings.port} | (
        {"SANDBOX_PORT": settings.sandbox_port} if settings.uses_sandbox else {}
    )


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _say(*lines: str) -> int:
    print("\n".join(lines), file=sys.stderr)  # noqa: T201 - this is what the operator reads
    return 1


if __name__ == "__main__":
    sys.exit(main())
