"""The catalogue of messages against the account's templates, as the operator checks and installs them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result

from miniprogram_api.wechat import WeChatGateway
from models.notices import TEMPLATE_TITLES, TemplateName
from tests.phones import TEMPLATES, Door, door, doors, sandbox

__all__ = ["door", "doors", "sandbox"]

Runs = Callable[..., Result]


@pytest.fixture
def flask(door: Door) -> Runs:
    """``flask …`` on an application that speaks to the sandbox."""
    return lambda *args: door.app.test_cli_runner().invoke(args=list(args))


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
    gateway: WeChatGateway = door.app.extensions["wechat"]
    with door.app.app_context():
        gateway.delete_template(TEMPLATES[TemplateName.REGISTRATION_RESULT])
    checked = flask("wechat", "templates", "check")
    assert checked.exit_code == 1
    assert "“报名结果通知”（registration_result）：账号里没有" in checked.output
    assert "“开课提醒”（class_reminder）：模板缺少关键词 thing3、thing4、time2" in checked.output
    assert "模板多出关键词 thing9" in checked.output


def test_what_is_missing_is_added_from_the_library_and_what_is_there_is_not_added_twice(
    flask: Runs, door: Door
) -> None:
    gateway: WeChatGateway = door.app.extensions["wechat"]
    with door.app.app_context():
        gateway.delete_template(TEMPLATES[TemplateName.REGISTRATION_RESULT])
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
