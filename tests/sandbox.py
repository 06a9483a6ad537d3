"""The WeChat sandbox over real HTTP, for tests: ``open_sandbox()`` or the ``sandbox`` fixture gives a ``SandboxTown``.

A test module or ``conftest.py`` takes the fixture with ``from tests.sandbox import sandbox``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from flask import Flask

from server.wechat_sandbox import Options, create_sandbox, create_screens
from server.wechat_sandbox.account import Account
from server.wechat_sandbox.templates import DEFAULT_TEMPLATES
from server.wechat_sandbox.wire import Wire
from tests.serving import listening, server_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

APPID = "wxsandbox000000001"
SECRET = "sandbox-secret"

JSCODE2SESSION = "/sns/jscode2session"
STABLE_TOKEN = "/cgi-bin/stable_token"
PLAIN_TOKEN = "/cgi-bin/token"
SEND = "/cgi-bin/message/subscribe/send"
PHONE_NUMBER = "/wxa/business/getuserphonenumber"
TEMPLATES = "/wxaapi/newtmpl/gettemplate"
CHECK_TEXT = "/wxa/msg_sec_check"
CHECK_MEDIA = "/wxa/media_check_async"
CODE_IMAGE = "/wxa/getwxacodeunlimit"
SCHEME = "/wxa/generatescheme"
URL_LINK = "/wxa/generate_urllink"
QUOTA = "/cgi-bin/openapi/quota/get"

PUSH_TOKEN = "pushtoken1"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


@dataclass(frozen=True)
class Delivered:
    """One push as the listener got it."""

    query: dict[str, str]
    body: bytes
    content_type: str

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of a JSON body."""
        found: dict[str, Any] = json.loads(self.body)
        return found


class Listener:
    """The product's push address, played by a small HTTP server: returns ``echostr``, answers ``success``, remembers.

    ``answers`` are given first, one a push, as (status, seconds to wait); ``echoes`` spoils the verification when false.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.delivered: list[Delivered] = []
        self.answers: list[tuple[int, float]] = []
        self.echoes = True
        self.verified: list[dict[str, str]] = []


@contextmanager
def open_listener() -> Iterator[Listener]:
    """A push address on a free loopback port for the length of the block."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = dict(parse_qsl(urlsplit(self.path).query))
            heard.verified.append(query)
            self._answer(200, query.get("echostr", "") if heard.echoes else "hello")

        def do_POST(self) -> None:
            query = dict(parse_qsl(urlsplit(self.path).query))
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.delivered.append(Delivered(query, body, self.headers["Content-Type"]))
            status, seconds = heard.answers.pop(0) if heard.answers else (200, 0.0)
            time.sleep(seconds)
            self._answer(status, "success")

        def _answer(self, status: int, text: str) -> None:
            with suppress(ConnectionError):  # whoever lost patience has hung up
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base names it so
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    heard = Listener(f"http://127.0.0.1:{server.server_port}/wechat/push")
    with listening(server):
        yield heard


class SandboxHands:
    """What people's hands do to a running sandbox, wherever it runs."""

    def __init__(self, base_url: str, *, appid: str = APPID, secret: str = SECRET) -> None:
        self.base_url = base_url
        self.appid = appid
        self.secret = secret
        self.http = requests.Session()
        self.http.trust_env = False

    def close(self) -> None:
        """Hang up."""
        self.http.close()

    # What a phone does

    def login_code(self, openid: str, **more: Any) -> str:
        """What wx.login gives on this phone."""
        return str(self.control("POST", "login-codes", {"openid": openid, **more})["code"])

    def phone_code(self, openid: str, phone: str, **more: Any) -> str:
        """What the phone-number button gives on this phone."""
        return str(self.control("POST", "phone-codes", {"openid": openid, "phone": phone, **more})["code"])

    def accept(self, openid: str, *template_ids: str) -> None:
        """The person allows one more message of each template; popups hold at most five."""
        for first in range(0, len(template_ids), 5):
            shown = list(template_ids[first : first + 5])
            self.control("POST", "subscriptions", {"openid": openid, "accept": shown})

    def reject(self, openid: str, *template_ids: str) -> None:
        """The person refuses the templates."""
        self.control("POST", "subscriptions", {"openid": openid, "reject": list(template_ids)})

    def messages(self, openid: str) -> list[dict[str, Any]]:
        """The phone's service notifications, oldest first."""
        found: list[dict[str, Any]] = self.control("GET", f"messages?openid={openid}")["messages"]
        return found

    # What befalls the town

    def user(self, openid: str, **described: Any) -> None:
        """Describe a person: ``flagged=True``, ``unionid="…"``."""
        self.control("POST", "users", {"openid": openid, **described})

    def fault(self, path: str, **what: Any) -> None:
        """Order a bad day; see ``POST /_sandbox/faults``."""
        self.control("POST", "faults", {"path": path, **what})

    def clear_faults(self) -> None:
        """Good weather again."""
        self.control("DELETE", "faults")

    def calls(self, path: str) -> int:
        """How often a WeChat path was called since the start."""
        return int(self.control("GET", "calls")["calls"].get(path, 0))

    def overlaps(self) -> dict[str, int]:
        """Who was being sent a message when the next one came, and how often."""
        return dict(self.control("GET", "calls")["overlaps"])

    def push_to(self, heard: Listener, **more: Any) -> None:
        """Have pushes sent to this heard; ``mode="secure"``, ``format="xml"``."""
        body = {"url": heard.url, "token": PUSH_TOKEN, **more}
        if more.get("mode") == "secure":
            body["aes_key"] = AES_KEY
        self.control("POST", "push-target", body)

    def weather(self, **what: Any) -> None:
        """How pushes travel; see ``POST /_sandbox/push-weather``."""
        self.control("POST", "push-weather", what)

    def pushes(self, openid: str | None = None) -> list[dict[str, Any]]:
        """What was pushed, once nothing is under way any more."""
        asked = "pushes" if openid is None else f"pushes?openid={openid}"
        deadline = time.monotonic() + 20
        while True:
            told = self.control("GET", asked)
            if not told["waiting"]:
                found: list[dict[str, Any]] = told["pushes"]
                return found
            assert time.monotonic() < deadline, "pushes are still under way"
            time.sleep(0.01)

    # WeChat's own API, bare

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """A GET to the WeChat side; its JSON."""
        return _json(self.http.get(self.base_url + path, params=query, timeout=10))

    def post(self, path: str, body: Mapping[str, Any], **query: str) -> dict[str, Any]:
        """A JSON POST to the WeChat side; its JSON."""
        return _json(self.http.post(self.base_url + path, params=query, json=dict(body), timeout=10))

    def token(self, *, force_refresh: bool = False) -> str:
        """A stable access token; forcing kills the earlier one."""
        body = {"grant_type": "client_credential", "appid": self.appid, "secret": self.secret}
        return str(self.post(STABLE_TOKEN, {**body, "force_refresh": force_refresh})["access_token"])

    def control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A control call that must succeed."""
        answer = self.http.request(method, f"{self.base_url}/_sandbox/{path}", json=body, timeout=10)
        assert answer.ok, (answer.status_code, answer.text)
        return _json(answer) if answer.content else {}


class SandboxTown(SandboxHands):
    """A sandbox in this process. ``account`` is its inside, for looking."""

    def __init__(self, base_url: str, account: Account) -> None:
        super().__init__(base_url, appid=account.appid, secret=account.secret)
        self.account = account


@contextmanager
def open_sandbox(*, options: Options | None = None, state_file: Path | None = None) -> Iterator[SandboxTown]:
    """A sandbox on a free loopback port for the length of the block."""
    app = create_sandbox(
        appid=APPID, secret=SECRET, templates=DEFAULT_TEMPLATES, options=options, state_file=state_file
    )
    with _served(app, app.extensions["wechat_sandbox"]) as town:
        yield town


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A push address that answers success."""
    with open_listener() as opened:
        yield opened


@pytest.fixture
def sandbox() -> Iterator[SandboxTown]:
    """A fresh sandbox with the default templates."""
    account = Account(appid=APPID, secret=SECRET, templates=DEFAULT_TEMPLATES, options=Options())
    screens = _screens()
    screens.extensions["wechat_sandbox"] = account
    with _served(Wire(account, screens.wsgi_app), account) as town:
        yield town


@contextmanager
def _served(app: WSGIApplication, account: Account) -> Iterator[SandboxTown]:
    with listening(server_of(app)) as address:
        town = SandboxTown(address, account)
        try:
            yield town
        finally:
            town.close()
            account.pushes.close()


@cache
def _screens() -> Flask:
    """The screens of every test's sandbox: to compile their addresses anew for each takes longer than most tests."""
    return create_screens()


def _json(answer: requests.Response) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()
    return found
