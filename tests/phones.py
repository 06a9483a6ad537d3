"""Phones (手机): people of the town holding the mini-program, speaking to the whole application as WeChat's clients do.

``door`` is the application on this test's database, its gateway speaking to a sandbox over real HTTP, nothing kept between
requests. ``door.phone(person)`` is a phone that is logged in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from miniprogram_api.wechat import WeChatGateway
from models.accounts import Login
from models.base import db
from models.notices import TemplateName
from models.wechat_tokens import StoredTokenShelf
from server.app import create_app
from server.wechat_sandbox import templates
from tests.conftest import House, let_stand, settings_for
from tests.databases import spare_the_disk
from tests.people import Person, UnitMember, Worker
from tests.sandbox import SandboxTown, sandbox

__all__ = ["Door", "Phone", "door", "doors", "impatient", "sandbox", "the_problem", "told"]

API = "/api/v1"
TEMPLATES: Mapping[TemplateName, str] = {name: getattr(templates, name).id for name in TemplateName}
LONG_PATIENCE = (20, 20)  # the sandbox answers at once, but for a machine that is busy with other tests
SHORT_PATIENCE = (0.5, 0.5)


@dataclass(frozen=True)
class Phone:
    """One phone. Paths are below ``/api/v1``; a leading ``/api`` is taken as it is."""

    client: FlaskClient
    token: str | None = None
    identity: str | None = None

    def wearing(self, identity: str) -> Phone:
        """The same phone, acting in a hat."""
        return replace(self, identity=identity)

    def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> TestResponse:
        """One request."""
        sent = dict(headers or {})
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if self.identity is not None:
            sent.setdefault("X-Identity", self.identity)
        address = path if path.startswith("/api") else f"{API}{path}"
        return self.client.open(address, method=method, headers=sent, **more)

    def get(self, path: str, **more: Any) -> TestResponse:
        """GET."""
        return self.ask("GET", path, **more)

    def put(self, path: str, **more: Any) -> TestResponse:
        """PUT."""
        return self.ask("PUT", path, **more)

    def post(self, path: str, **more: Any) -> TestResponse:
        """POST."""
        return self.ask("POST", path, **more)

    def delete(self, path: str, **more: Any) -> TestResponse:
        """DELETE."""
        return self.ask("DELETE", path, **more)


@dataclass(frozen=True)
class Door:
    """The application, and the phones that speak to it."""

    app: Flask
    sandbox: SandboxTown

    def phone(self, who: Person | Worker | UnitMember | None = None) -> Phone:
        """A phone: logged in as somebody, in the hat they work in, or nobody's."""
        client = self.app.test_client()
        if who is None:
            return Phone(client)
        return Phone(client, self.token_of(who.login_key), None if isinstance(who, Person) else who.identity)

    def token_of(self, login_key: str) -> str:
        """The token of a login that is open."""
        mint = self.app.extensions["token_mint"]
        token: str = mint.token_for(Login(key=login_key))
        return token

    def allow(
        self, person: Person, template: TemplateName = TemplateName.REGISTRATION_RESULT, *, times: int = 1
    ) -> None:
        """The person accepts messages of a template, here and at WeChat."""
        person.allows(template, times=times)
        for _ in range(times):
            self.sandbox.accept(person.openid, TEMPLATES[template])

    def log_in(self, openid: str) -> Phone:
        """Log in as WeChat's clients do."""
        answer = self.phone().post("/login", json={"code": self.sandbox.login_code(openid)})
        return Phone(self.app.test_client(), told(answer)["token"])


@pytest.fixture(scope="session")
def doors(houses: Callable[[str], House]) -> Iterator[Callable[[str], Flask]]:
    """One application a database of this worker, besides the house's own, so that requests have a context of their own."""
    made: list[Flask] = []

    @cache
    def app_on(url: str) -> Flask:
        app = create_app(settings_for(url, wechat_templates=TEMPLATES), fresh_seconds=0)
        made.append(app)
        with app.app_context():
            spare_the_disk(db.engine)
        let_stand()
        return app

    yield app_on
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def door(house: House, doors: Callable[[str], Flask], sandbox: SandboxTown) -> Iterator[Door]:
    """The application on this test's database, with a sandbox of its own behind the gateway."""
    app = doors(house.url)
    door = Door(app, sandbox)
    with _asking_wechat(door, LONG_PATIENCE):
        yield door


@pytest.fixture
def impatient(door: Door) -> Iterator[None]:
    """The application hangs up on WeChat after half a second."""
    with _asking_wechat(door, SHORT_PATIENCE):
        yield


@contextmanager
def _asking_wechat(door: Door, patience: tuple[float, float]) -> Iterator[None]:
    """The application asks the door's own sandbox, and waits so long for it."""
    with door.app.app_context():
        engine = db.engine
    before = door.app.extensions["wechat"]
    door.app.extensions["wechat"] = gateway = WeChatGateway(
        appid=door.sandbox.appid,
        secret=door.sandbox.secret,
        base_url=door.sandbox.base_url,
        tokens=StoredTokenShelf(appid=door.sandbox.appid, engine=engine, patience_seconds=1),
        timeout=patience,
    )
    yield
    gateway.close()
    door.app.extensions["wechat"] = before


def told(answer: TestResponse, status: int = 200) -> Any:
    """What an answer says, once it is the expected one."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.mimetype == "application/json"
    return answer.json


def the_problem(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The refusal an answer carries: right status, right code, whole shape, a Chinese sentence. Gives its body."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.mimetype == "application/problem+json"
    body: dict[str, Any] = answer.json  # type: ignore[assignment]  # a JSON object, as the next lines hold
    assert body["code"] == code, body
    assert body["status"] == status
    assert body["type"] == f"urn:jiamenkou:problem:{code}"
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert any("\u4e00" <= sign <= "\u9fff" for sign in body["detail"]), body
    assert set(body) <= {"type", "title", "status", "code", "detail", "errors", "details", "request_id"}
    return body
