"""Codes and links (wechat.md §7), quotas (§1.2), latency."""

from __future__ import annotations

import json
import struct
import time
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from models import clock
from server.wechat_sandbox import Options
from server.wechat_sandbox.painting import draw_code
from tests.sandbox import CODE_IMAGE, QUOTA, SCHEME, TEMPLATES, URL_LINK, SandboxTown, open_sandbox
from tests.server.wechat_sandbox.test_pushing import refused

RELEASED = Options(pages=frozenset({"pages/runs/run"}))
DAY = 86_400


def code(town: SandboxTown, **body: Any) -> requests.Response:
    url = f"{town.base_url}{CODE_IMAGE}?access_token={town.token()}"
    return town.http.post(url, json={"scene": "k=7fQ", **body}, timeout=5)


def link(town: SandboxTown, **body: Any) -> dict[str, Any]:
    return town.post(URL_LINK, body, access_token=town.token())


def test_a_code_is_a_picture_that_says_where_it_leads(sandbox: SandboxTown) -> None:
    answer = code(sandbox, page="pages/runs/run", env_version="trial", width=300)
    assert answer.headers["Content-Type"] == "image/png"
    chunks = chunks_of(answer.content)
    width, height, depth, colours = struct.unpack(">IIBB", chunks[b"IHDR"][0][:10])
    assert (width, height, depth, colours) == (300, 300, 8, 3)
    pixels = zlib.decompress(chunks[b"IDAT"][0])
    assert len(pixels) == 300 * 301
    assert 0.05 < pixels.count(b"\x01") / len(pixels) < 0.6, "neither blank nor black"
    told = [text.decode() for text in chunks[b"tEXt"]]
    assert told == ["scene\0k=7fQ", "page\0pages/runs/run", "env_version\0trial"]


def test_the_same_code_is_the_same_picture_and_another_is_another(sandbox: SandboxTown) -> None:
    assert code(sandbox).content == code(sandbox).content
    assert code(sandbox).content != code(sandbox, scene="k=8").content
    assert chunks_of(code(sandbox, is_hyaline=True).content)[b"tRNS"]
    red = code(sandbox, line_color={"r": 200, "g": "0", "b": 0}).content
    assert chunks_of(red)[b"PLTE"][0][3:] == bytes((200, 0, 0))


@pytest.mark.parametrize("width", [280, 281, 430, 1280])
def test_a_picture_is_as_wide_as_asked(width: int) -> None:
    chunks = chunks_of(draw_code({"scene": "x"}, width=width))
    assert struct.unpack(">II", chunks[b"IHDR"][0][:8]) == (width, width)
    assert len(zlib.decompress(chunks[b"IDAT"][0])) == width * (width + 1)


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"scene": "x" * 33}, 40169),
        ({"scene": ""}, 40169),
        ({"scene": None}, 40129),
        ({"scene": "课程"}, 40129),
        ({"scene": "a%20b"}, 40129),
        ({"scene": "scancode_time=1"}, 85096),
        ({"page": "/pages/runs/run"}, 41030),
        ({"page": "pages/runs/run?id=1"}, 41030),
        ({"page": "pages/gone/gone"}, 41030),
        ({"page": "pages/gone/gone", "check_path": "no"}, 40097),
        ({"env_version": "beta"}, 40097),
        ({"width": 279}, 40097),
        ({"width": "430"}, 40097),
        ({"line_color": {"r": 1}}, 40097),
        ({"is_hyaline": 1}, 40097),
    ],
)
def test_a_code_that_cannot_be_is_refused_in_json(body: dict[str, Any], errcode: int) -> None:
    with open_sandbox(options=RELEASED) as town:
        answer = code(town, **body)
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.json()["errcode"] == errcode


def test_a_page_not_yet_released_may_have_a_code_when_the_check_is_waived() -> None:
    with open_sandbox(options=RELEASED) as town:
        assert code(town, page="pages/new/new", check_path=False).content.startswith(b"\x89PNG")
        assert code(town, page="pages/runs/run").content.startswith(b"\x89PNG")
        bare = town.http.post(
            f"{town.base_url}{CODE_IMAGE}?access_token={town.token()}", data=b"{", timeout=5
        )
        assert bare.json()["errcode"] == 40169


def test_a_link_opens_a_page_that_shows_where_it_leads(sandbox: SandboxTown) -> None:
    made = link(sandbox, path="/pages/runs/run", query="key=7f&from=sms", env_version="trial")
    assert made["errcode"] == 0
    opened = sandbox.http.get(made["url_link"], params={"cq": "x=<b>"}, timeout=5)
    assert opened.status_code == 200
    for seen in ("/pages/runs/run?key=7f&amp;from=sms&amp;x=&lt;b&gt;", "体验版"):
        assert seen in opened.text
    assert sandbox.http.get(f"{sandbox.base_url}/links/unknown", timeout=5).status_code == 404


def test_a_scheme_has_wechats_shape(sandbox: SandboxTown) -> None:
    body = {
        "jump_wxa": {"path": "/pages/runs/run", "query": "key=7f"},
        "expire_type": 1,
        "expire_interval": 1,
    }
    made = sandbox.post(SCHEME, body, access_token=sandbox.token())
    ticket = made["openlink"].removeprefix("weixin://dl/business/?t=")
    assert sandbox.http.get(f"{sandbox.base_url}/links/{ticket}", timeout=5).status_code == 200


def test_a_link_expires_when_it_was_told_to(sandbox: SandboxTown) -> None:
    with clock.stopped_at(datetime(2026, 12, 1, 2, 0, tzinfo=UTC)) as hand:
        made = link(sandbox, expire_type=1, expire_interval=2)["url_link"]
        hand.advance(days=2, seconds=-1)
        assert sandbox.http.get(made, timeout=5).status_code == 200
        hand.advance(seconds=1)
        gone = sandbox.http.get(made, timeout=5)
        assert (gone.status_code, "链接已过期" in gone.text) == (410, True)


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"path": "/pages/gone/gone"}, 40165),
        ({"path": "/pages/runs/run?id=1"}, 40165),
        ({"path": 7}, 40165),
        ({"query": "名=王"}, 40212),
        ({"query": "x" * 1025}, 40212),
        ({"env_version": "beta"}, 85402),
        ({"expire_type": 2}, 85401),
        ({"expire_type": 1}, 85401),
        ({"expire_type": 1, "expire_interval": 31}, 85401),
        ({"expire_type": 1, "expire_interval": 0}, 85401),
        ({"expire_time": "tomorrow"}, 85401),
    ],
)
def test_a_link_that_cannot_be_is_refused(body: dict[str, Any], errcode: int) -> None:
    with open_sandbox(options=RELEASED) as town:
        assert link(town, **body)["errcode"] == errcode
        inside = {name: body[name] for name in ("path", "query", "env_version") if name in body}
        asked = {"jump_wxa": inside, **body}
        assert town.post(SCHEME, asked, access_token=town.token())["errcode"] == errcode


def test_a_link_lives_a_minute_at_least_and_thirty_days_at_most(sandbox: SandboxTown) -> None:
    moment = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
    start = int(moment.timestamp())
    with clock.stopped_at(moment):
        ends = {59: 85401, 60: 0, 30 * DAY: 0, 30 * DAY + 1: 85401}
        for seconds, errcode in ends.items():
            assert link(sandbox, expire_time=start + seconds)["errcode"] == errcode


def test_links_outlive_the_sandbox(tmp_path: Path) -> None:
    kept = tmp_path / "sandbox.json"
    with open_sandbox(state_file=kept) as town:
        ticket = link(town, path="pages/runs/run")["url_link"].rpartition("/")[2]
        deadline = time.monotonic() + 10
        while not (kept.exists() and ticket in kept.read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    with open_sandbox(state_file=kept) as again:
        assert again.http.get(f"{again.base_url}/links/{ticket}", timeout=5).status_code == 200


def test_the_quota_tells_what_is_left_today() -> None:
    with open_sandbox(options=Options(calls_a_day={TEMPLATES: 3})) as town:
        token = town.token()
        assert [town.get(TEMPLATES, access_token=token)["errcode"] for _ in range(4)] == [0, 0, 0, 45009]
        told = town.post(QUOTA, {"cgi_path": TEMPLATES}, access_token=token)
        assert told["quota"] == {"daily_limit": 3, "used": 3, "remain": 0}
        limited = town.post(QUOTA, {"cgi_path": URL_LINK}, access_token=token)
        assert limited["rate_limit"] == {"call_count": 100, "refresh_second": 1}
        for path, errcode in (("", 76003), ("/nowhere", 76021), ("/sns/jscode2session", 76022)):
            assert town.post(QUOTA, {"cgi_path": path}, access_token=token)["errcode"] == errcode


def test_the_quota_is_fresh_the_next_day_and_bursts_are_refused() -> None:
    with (
        open_sandbox(options=Options(calls_a_day={TEMPLATES: 1})) as town,
        clock.stopped_at(datetime(2026, 12, 1, 2, 0, tzinfo=UTC)) as hand,
    ):
        token = town.token()
        assert [town.get(TEMPLATES, access_token=token)["errcode"] for _ in range(2)] == [0, 45009]
        burst = [link(town)["errcode"] for _ in range(101)]
        assert (burst[:100].count(0), burst[100]) == (100, 44990)
        hand.advance(seconds=1)
        assert link(town)["errcode"] == 0
        hand.advance(days=1)
        assert town.get(TEMPLATES, access_token=town.token())["errcode"] == 0


def test_one_path_can_be_slow_while_others_are_not(sandbox: SandboxTown) -> None:
    sandbox.control("POST", "latency", {"path": TEMPLATES, "answer_ms": 600})
    token = sandbox.token()
    began = time.monotonic()
    sandbox.get(TEMPLATES, access_token=token)
    slow = time.monotonic() - began
    began = time.monotonic()
    link(sandbox)
    assert slow >= 0.6
    assert time.monotonic() - began < 0.6
    assert refused(sandbox, "latency", {"path": "/nowhere", "answer_ms": 1})[:2] == (400, "path")
    everywhere = sandbox.control("POST", "latency", {"path": "*", "answer_ms": 0})["latency_ms"]
    assert set(everywhere.values()) == {0}


def test_a_fault_can_strike_every_new_path(sandbox: SandboxTown) -> None:
    for path in sandbox.account.paths:
        sandbox.fault(path, errcode=-1)
        answer = sandbox.http.post(sandbox.base_url + path, data=json.dumps({"openid": "x"}), timeout=5)
        assert answer.json()["errcode"] == -1


def chunks_of(png: bytes) -> dict[bytes, list[bytes]]:
    """The chunks of a PNG by kind, their sums checked."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    found: dict[bytes, list[bytes]] = {}
    at = 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + content)
        found.setdefault(kind, []).append(content)
        at += 12 + length
    assert b"IEND" in found
    return found
