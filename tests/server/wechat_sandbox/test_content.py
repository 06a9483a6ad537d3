"""Content security (wechat.md §6): verdicts at once for text, by push for pictures, and who may ask."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from models import clock
from server.wechat_sandbox import Options
from server.wechat_sandbox.painting import draw_code
from tests.sandbox import CHECK_MEDIA, CHECK_TEXT, Listener, SandboxTown, open_sandbox
from tests.server.wechat_sandbox.test_messages import WANG
from tests.server.wechat_sandbox.test_pushing import refused
from tests.serving import listening

PICTURE = draw_code({"scene": "a picture"}, width=280)


def check(town: SandboxTown, content: object = "邻居您好", **changed: Any) -> dict[str, Any]:
    body = {"content": content, "version": 2, "scene": 2, "openid": WANG, **changed}
    wanted = {name: value for name, value in body.items() if value is not None}
    return town.post(CHECK_TEXT, wanted, access_token=town.token())


def check_media(town: SandboxTown, url: str, **changed: Any) -> dict[str, Any]:
    body = {"media_url": url, "media_type": 2, "version": 2, "scene": 2, "openid": WANG, **changed}
    return town.post(CHECK_MEDIA, body, access_token=town.token())


@contextmanager
def open_shelf(content: bytes) -> Iterator[str]:
    """An address under which any path gives this content."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404 if "gone" in self.path else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base names it so
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    with listening(server) as address:
        yield address


def test_the_verdict_stands_in_the_result_and_the_errcode_is_0_even_for_risky_text(
    sandbox: SandboxTown,
) -> None:
    sandbox.login_code(WANG)
    expected = {
        "邻居您好": ("pass", 100),
        "加我微信细聊": ("review", 10001),
        "赌博平台加我微信": ("risky", 20006),
    }
    for content, (suggest, label) in expected.items():
        answer = check(sandbox, content)
        assert (answer["errcode"], answer["result"]) == (0, {"suggest": suggest, "label": label})
        assert answer["trace_id"]
        assert all(part["errcode"] == 0 for part in answer["detail"])


def test_nickname_and_title_are_looked_at_too(sandbox: SandboxTown) -> None:
    sandbox.login_code(WANG)
    assert check(sandbox, nickname="代开发票小王")["result"]["suggest"] == "risky"
    assert check(sandbox, title="加我微信")["result"]["suggest"] == "review"


def test_a_word_can_be_given_a_verdict(sandbox: SandboxTown) -> None:
    sandbox.login_code(WANG)
    sandbox.control("POST", "content-words", {"word": "旧手机", "suggest": "review", "label": 10001})
    assert check(sandbox, "收旧手机")["result"] == {"suggest": "review", "label": 10001}


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"content": None}, 47001),
        ({"content": ""}, 47001),
        ({"content": "长" * 2501}, 47001),
        ({"content": 7}, 47001),
        ({"version": None}, 47001),
        ({"version": 1}, 47001),
        ({"scene": None}, 40129),
        ({"scene": 5}, 40129),
        ({"openid": None}, 47001),
        ({"openid": "openid-nobody"}, 40003),
        ({"nickname": 7}, 47001),
    ],
)
def test_a_text_check_asks_for_every_field(
    sandbox: SandboxTown, changed: dict[str, Any], errcode: int
) -> None:
    sandbox.login_code(WANG)
    assert check(sandbox, **changed)["errcode"] == errcode


def test_2500_characters_are_still_checked(sandbox: SandboxTown) -> None:
    sandbox.login_code(WANG)
    assert check(sandbox, "长" * 2500)["errcode"] == 0


def test_only_who_visited_within_two_hours_can_be_checked(sandbox: SandboxTown) -> None:
    with clock.stopped_at(datetime(2026, 12, 1, 2, 0, tzinfo=UTC)) as hand:
        sandbox.accept(WANG, next(iter(sandbox.account.templates)))
        assert check(sandbox)["errcode"] == 61010, "an answered popup is no visit"
        sandbox.login_code(WANG)
        hand.advance(hours=2)
        assert check(sandbox)["errcode"] == 0
        hand.advance(seconds=1)
        assert check(sandbox)["errcode"] == 61010
        sandbox.control("POST", "visits", {"openid": WANG})
        assert check(sandbox)["errcode"] == 0


def test_a_fault_can_strike_one_persons_checks_only(sandbox: SandboxTown) -> None:
    for openid in (WANG, "openid-li"):
        sandbox.login_code(openid)
    sandbox.fault(CHECK_TEXT, errcode=-1, openid=WANG)
    assert check(sandbox, openid="openid-li")["errcode"] == 0
    assert check(sandbox)["errcode"] == -1


def test_too_many_checks_a_minute_and_a_day_are_refused() -> None:
    with open_sandbox(options=Options(calls_a_day={CHECK_TEXT: 2})) as town:
        town.login_code(WANG)
        assert [check(town)["errcode"] for _ in range(3)] == [0, 0, 45009]


def test_a_pictures_verdict_comes_by_push(sandbox: SandboxTown, listener: Listener) -> None:
    sandbox.login_code(WANG)
    sandbox.push_to(listener)
    ordered = {"mark": hashlib.sha256(PICTURE).hexdigest(), "suggest": "risky", "label": 20002}
    with open_shelf(PICTURE) as shelf:
        fine = check_media(sandbox, f"{shelf}/one.png")
        sandbox.pushes()
        sandbox.control("POST", "media-verdicts", ordered)
        sandbox.control("POST", "media-verdicts", {"mark": "blurred", "suggest": "review"})
        risky = check_media(sandbox, f"{shelf}/two.png")
        sandbox.pushes()
    first, second = (each.fields for each in listener.delivered)
    assert (first["Event"], first["trace_id"], first["errcode"]) == ("wxa_media_check", fine["trace_id"], 0)
    assert (first["version"], first["appid"], first["result"]) == (
        2,
        sandbox.appid,
        {"suggest": "pass", "label": 100},
    )
    assert (second["trace_id"], second["result"]) == (risky["trace_id"], {"suggest": "risky", "label": 20002})


@pytest.mark.parametrize("path", ["gone.png", "text.png"])
def test_what_cannot_be_fetched_has_no_verdict(sandbox: SandboxTown, listener: Listener, path: str) -> None:
    sandbox.login_code(WANG)
    sandbox.push_to(listener)
    with open_shelf(b"no picture" if path == "text.png" else PICTURE) as shelf:
        assert check_media(sandbox, f"{shelf}/{path}")["errcode"] == 0
        sandbox.pushes()
    assert listener.delivered[0].fields["errcode"] == -1008


def test_the_sandbox_fetches_nothing_from_other_machines(sandbox: SandboxTown, listener: Listener) -> None:
    sandbox.login_code(WANG)
    sandbox.push_to(listener)
    check_media(sandbox, "http://192.0.2.7/picture.png")
    sandbox.pushes()
    assert listener.delivered[0].fields["errcode"] == -1008


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"media_type": 3}, 40004),
        ({"media_url": "pic.png"}, 47001),
        ({"scene": 9}, 40129),
        ({"version": 1}, 47001),
    ],
)
def test_a_media_check_asks_for_every_field(
    sandbox: SandboxTown, changed: dict[str, Any], errcode: int
) -> None:
    sandbox.login_code(WANG)
    assert check_media(sandbox, "http://127.0.0.1:9/x.png", **changed)["errcode"] == errcode


def test_an_examination_takes_its_time_and_is_not_begun_twice(
    sandbox: SandboxTown, listener: Listener
) -> None:
    sandbox.login_code(WANG)
    sandbox.push_to(listener)
    sandbox.control("POST", "media-delay", {"delay_ms": 1_800_000})
    with open_shelf(PICTURE) as shelf:
        assert check_media(sandbox, f"{shelf}/one.png")["errcode"] == 0
        assert check_media(sandbox, f"{shelf}/one.png")["errcode"] == 87020
        assert listener.delivered == []
        sandbox.control("POST", "pushes/release")
        assert len(sandbox.pushes()) == 1


def test_a_picture_under_examination_outlives_the_sandbox(tmp_path: Path, listener: Listener) -> None:
    kept = tmp_path / "sandbox.json"
    slow = Options(media_delay_seconds=600)
    with open_shelf(PICTURE) as shelf:
        with open_sandbox(state_file=kept, options=slow) as town:
            town.login_code(WANG)
            town.push_to(listener)
            trace_id = check_media(town, f"{shelf}/one.png")["trace_id"]
            _until_kept(kept, trace_id)
        with open_sandbox(state_file=kept) as again:
            assert [push["said"]["trace_id"] for push in again.pushes(WANG)] == [trace_id]


def test_an_order_names_its_field(sandbox: SandboxTown) -> None:
    assert refused(sandbox, "content-words", {"word": "x", "suggest": "maybe"})[:2] == (400, "suggest")
    assert refused(sandbox, "content-words", {"word": "x", "suggest": "risky", "label": 101})[:2] == (
        400,
        "label",
    )
    assert refused(sandbox, "media-verdicts", {"suggest": "risky"})[:2] == (400, "mark")
    assert refused(sandbox, "media-delay", {"delay_ms": 1_800_001})[:2] == (400, "delay_ms")
    assert refused(sandbox, "visits", {})[:2] == (400, "openid")


def _until_kept(kept: Path, word: str) -> None:
    waiting = threading.Event()
    for _ in range(200):
        if kept.exists() and word in kept.read_text():
            return
        waiting.wait(0.05)
    pytest.fail("the state was never written")
