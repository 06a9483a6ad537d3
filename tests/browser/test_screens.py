"""What people see of what exists so far: the sandbox phone's service notifications, and the API's document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect

from models import clock
from models.notices import TemplateName
from server.app import create_app
from server.jobs.delivery import deliver_due
from server.wechat_sandbox import templates
from tests.conftest import House, settings_for
from tests.people import Town
from tests.sandbox import SandboxTown, sandbox
from tests.serving import listening, server_of

__all__ = ["sandbox"]

OPENID = "grandma-zhang"


@dataclass
class Street:
    """The product and the sandbox, both served, with one resident who allowed a message."""

    app: Flask
    api: str
    wechat: SandboxTown


@pytest.fixture(params=["sqlite"])
def engine_name(request: pytest.FixtureRequest) -> str:
    """Screens do not depend on the database."""
    return str(request.param)


@pytest.fixture
def street(house: House, town: Town, sandbox: SandboxTown) -> Iterator[Street]:
    """Grandma Zhang's phone, the product beside it."""
    ids = {name: getattr(templates, name).id for name in TemplateName}
    app = create_app(
        settings_for(house.url, wechat_base_url=sandbox.base_url, wechat_templates=ids), fresh_seconds=0
    )
    with listening(server_of(app)) as address:
        yield Street(app, address, sandbox)


def test_the_phone_shows_the_confirmation_as_a_person_would_see_it(
    street: Street, town: Town, phone: Page
) -> None:
    """Seconds after the tap the resident's WeChat shows 报名成功, with course, time and place."""
    run = town.a_run()
    login = street.wechat.login_code(OPENID)
    api = f"{street.api}/api/v1"
    http = street.wechat.http
    token = http.post(f"{api}/login", json={"code": login}, timeout=10).json()["token"]
    me = {"Authorization": f"Bearer {token}"}
    home = next(
        r["key"]
        for r in http.get(f"{api}/regions", timeout=10).json()["items"]
        if r["name"].startswith("梧桐里")
    )
    about = {
        "name": "张奶奶",
        "phone": "19900000001",
        "home_community": home,
        "birth_year": 1950,
        "consent": {"version": "2026-11"},
    }
    assert http.put(f"{api}/me", json=about, headers=me, timeout=10).status_code == 200
    template = templates.registration_result.id
    street.wechat.accept(OPENID, template)
    http.post(
        f"{api}/me/message-grants", json={"answers": {template: "accept"}}, headers=me, timeout=10
    ).raise_for_status()
    answer = http.put(f"{api}/course-runs/{run.key}/registration", headers=me, timeout=10)
    assert answer.json()["state"] == "confirmed", answer.text
    with street.app.app_context():
        assert deliver_due(clock.now()) == 1

    phone.goto(f"{street.wechat.base_url}/phones/{OPENID}")
    expect(phone.get_by_text("报名成功").first).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for width in (375, 430):
        phone.set_viewport_size({"width": width, "height": 812})
        assert lines_of(phone.get_by_text("进入小程序查看")) == 1
    expect(phone.get_by_text("还可收 0 条").first).to_be_visible()
    expect(phone.locator("input:checked")).to_have_count(0)


def lines_of(words: Locator) -> int:
    """On how many lines the screen shows them."""
    return int(
        words.evaluate(
            """element => {
                const range = document.createRange();
                range.selectNodeContents(element);
                return range.getClientRects().length;
            }"""
        )
    )


def test_the_document_can_be_read_in_a_browser_without_the_network(street: Street, phone: Page) -> None:
    """Every asset of /api/docs is served by the product itself."""
    asked: list[str] = []
    phone.on("request", lambda request: asked.append(request.url))
    phone.goto(f"{street.api}/api/docs")
    phone.get_by_role("link", name="课程与报名").click()
    expect(phone.get_by_role("heading", name="一键报名").first).to_be_visible(timeout=20_000)
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert all(url.startswith((street.api, "data:", "blob:")) for url in asked), asked
