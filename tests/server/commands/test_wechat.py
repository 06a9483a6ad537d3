"""The catalogue of messages against the account's templates, as the operator checks and installs them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from cryptography.fernet import Fernet

from miniprogram_api.wechat import WeChatGateway
from models.notices import TEMPLATE_TITLES, TemplateName
from server.settings import from_environment
from tests.phones import TEMPLATES, Door, door, doors, sandbox

__all__ = ["door", "doors", "sandbox"]

Runs = Callable[..., Result]
HOME = Path(__file__).parents[3]


@pytest.fixture
def flask(door: Door) -> Runs:
    """``flask …`` on an application that speaks to the sandbox."""
    return lambda *args: door.app.test_cli_runner().invoke(args=list(args))


def delete(door: Door, name: TemplateName) -> None:
    """Somebody deletes a template on WeChat's own pages."""
    sent = {"priTmplId": TEMPLATES[name]}
    answer = door.sandbox.post("/wxaapi/newtmpl/deltemplate", sent, access_token=door.sandbox.token())
    assert answer["errcode"] == 0


def test_an_account_whose_templates_fit_is_told_so(flask: Runs) -> None:
    checked = flask("wechat", "templates", "check")
    assert checked.exit_code == 0, checked.output
    assert checked.output.strip() == f"{len(TemplateName)} 个消息模板都对得上"


def test_a_template_that_is_gone_or_of_other_keywords_is_named(flask: Runs, door: Door) -> None:
    door.sandbox.control(
        "POST",
        "templates",
        {
            "id": TEMPLATES[TemplateName.CLASS_REMINDER],
            "title": "开课提醒",
            "content": "课程名称:{{thing1.DATA}}\n备注:{{thing9.DATA}}",
        },
    )
    delete(door, TemplateName.REGISTRATION_RESULT)
    checked = flask("wechat", "templates", "check")
    assert checked.exit_code == 1
    assert "“报名结果通知”（registration_result）：账号里没有" in checked.output
    assert "“开课提醒”（class_reminder）：模板缺少关键词 thing3、thing4、time2" in checked.output
    assert "模板多出关键词 thing9" in checked.output


def test_a_template_of_the_right_name_with_other_keywords_is_not_taken_for_ours(
    flask: Runs, door: Door
) -> None:
    unfit = {
        "id": TEMPLATES[TemplateName.CLASS_REMINDER],
        "title": "开课提醒",
        "content": "课程名称:{{thing1.DATA}}\n备注:{{thing9.DATA}}",
    }
    door.sandbox.control("POST", "templates", unfit)
    installed = flask("wechat", "templates", "install")
    assert installed.exit_code == 0, installed.output
    assert "“开课提醒”已添加" in installed.output
    assert f"class_reminder={unfit['id']}" not in installed.output


def test_what_is_missing_is_added_from_the_library_and_what_is_there_is_not_added_twice(
    flask: Runs, door: Door
) -> None:
    gateway: WeChatGateway = door.app.extensions["wechat"]
    delete(door, TemplateName.REGISTRATION_RESULT)
    installed = flask("wechat", "templates", "install")
    assert installed.exit_code == 0, installed.output
    assert "“报名结果通知”已添加" in installed.output
    assert "“开课提醒”账号里已有" in installed.output
    again = flask("wechat", "templates", "install")
    assert "已添加" not in again.output
    with door.app.app_context():
        titles = [template.title for template in gateway.templates()]
    assert titles.count(TEMPLATE_TITLES[TemplateName.REGISTRATION_RESULT]) == 1
    line = again.output.strip().splitlines()[-1]
    assert line.startswith("WECHAT_TEMPLATES=")
    assert TEMPLATES[TemplateName.REGISTRATION_RESULT] not in line  # the new one has an id of its own


# --- before there are any templates -------------------------------------------------------------------------------


@pytest.fixture
def first_day(tmp_path: Path) -> dict[str, str]:
    """A production environment in which only the templates are missing still."""
    return {
        "PATH": os.environ["PATH"],
        "JIAMENKOU_MODE": "production",
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/town.sqlite3",
        "SECRET_KEY": "s" * 32,
        "DATA_KEY": Fernet.generate_key().decode(),
        "LOOKUP_KEY": "l" * 32,
        "WECHAT_APPID": "wx1234567890abcdef",
        "WECHAT_SECRET": "a-secret",
        "WECHAT_BASE_URL": "http://127.0.0.1:9",  # nobody there
        "WECHAT_PUSH_TOKEN": "atoken123",
        "WECHAT_PUSH_AES_KEY": "k" * 43,
        "PUBLIC_URL": "https://town.example",
    }


def run(first_day: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        env=first_day,
        cwd=HOME,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_commands_run_before_the_templates_are_known(first_day: dict[str, str]) -> None:
    assert run(first_day, "-m", "flask", "db", "upgrade").returncode == 0
    asked = run(first_day, "-m", "flask", "wechat", "templates", "install")
    assert asked.stderr.strip().splitlines()[-1] == "微信服务暂时没有响应，请稍后再试一次"


def test_web_and_worker_do_not_start_without_them_and_say_which(first_day: dict[str, str]) -> None:
    del first_day["WECHAT_SECRET"]
    for command in (("-c", "from server.wsgi import create; create()"), ("-m", "server.worker")):
        ended = run(first_day, *command)
        assert ended.returncode == 3  # whoever ends otherwise is started again by gunicorn, and again
        title, *faults = ended.stderr.splitlines()
        assert title == "设置有误，共 2 处："
        assert faults[0] == "  - WECHAT_SECRET is not set"
        assert "WECHAT_TEMPLATES has no id for: registration_result, class_reminder," in faults[1]


def test_what_install_prints_is_what_the_town_starts_with(
    flask: Runs, door: Door, first_day: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in TemplateName:
        delete(door, name)
    monkeypatch.setitem(
        door.app.extensions, "settings", replace(door.app.extensions["settings"], wechat_templates={})
    )
    installed = flask("wechat", "templates", "install")
    assert installed.exit_code == 0, installed.output
    setting, _, line = installed.stdout.splitlines()[-1].partition("=")
    ids = from_environment(first_day | {setting: line}).wechat_templates
    assert set(ids) == set(TemplateName)
    monkeypatch.setitem(
        door.app.extensions, "settings", replace(door.app.extensions["settings"], wechat_templates=ids)
    )
    checked = flask("wechat", "templates", "check")
    assert checked.exit_code == 0, checked.output
