"""Whatever comes back from where WeChat should be: it is told in our own words, and soon."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from miniprogram_api.wechat import (
    FetchedToken,
    ProcessTokenShelf,
    Scene,
    SendResult,
    Suggest,
    TokenShelf,
    WeChatGateway,
)
from models.errors import Unavailable

Says = Callable[[socket.socket], None]


def _in_full(body: bytes, *more: str) -> Says:
    head = "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *more, "", ""])
    return lambda caller: caller.sendall(head.encode() + body)


def _a_byte_now_and_then(caller: socket.socket) -> None:
    caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        time.sleep(0.1)
        caller.sendall(b" ")


def _without_end(caller: socket.socket) -> None:
    caller.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(100):
        caller.sendall(b" " * (1 << 20))


def _hear_out(caller: socket.socket) -> None:
    """Read the whole request: hanging up on what is unread resets the connection, and the answer with it."""
    with caller.makefile("rb") as request:
        length = 0
        while (line := request.readline()).strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        request.read(length)


@contextmanager
def _somebody_else(says: Says, tokens: TokenShelf | None = None) -> Iterator[WeChatGateway]:
    """A gateway whose WeChat answers everything so."""

    def answer(caller: socket.socket) -> None:
        with caller, suppress(OSError):
            _hear_out(caller)
            says(caller)
            caller.shutdown(socket.SHUT_WR)

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(door.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=serve, daemon=True).start()
        gateway = WeChatGateway(
            appid="wx0000000000000000",
            secret="s" * 32,
            base_url=f"http://127.0.0.1:{door.getsockname()[1]}",
            tokens=tokens or ProcessTokenShelf(),
            timeout=(0.3, 0.3),
        )
        yield gateway
        gateway.close()
        door.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "says",
    [
        _in_full(b""),
        _in_full(b"<html>502</html>"),
        _in_full(b"[" * 100_000),
        _in_full(b'{"errcode":{}}'),
        _in_full(b'{"errcode":1e999,"errmsg":"infinite"}'),
        _in_full(b'{"errcode":99999999999,"errmsg":"larger than any column"}'),
        *(
            _in_full(json.dumps({"access_token": "t", "expires_in": seconds}).encode())
            for seconds in (10**14, 0, -5, True, "7200")
        ),
        _in_full(gzip.compress(b" " * (64 << 20)), "Content-Encoding: gzip"),
        _in_full(b"no gzip", "Content-Encoding: gzip"),
        lambda caller: caller.sendall(b"not HTTP at all\r\n\r\n"),
        lambda caller: caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
        _a_byte_now_and_then,
        _without_end,
    ],
)
def test_an_answer_that_makes_no_sense_is_no_answer_and_soon(says: Says) -> None:
    with _somebody_else(says) as gateway:
        began = time.monotonic()
        with pytest.raises(Unavailable) as refused:
            gateway.login("code")
        assert refused.value.code == "wechat_unavailable"
        assert gateway.send("o", "t", {}, page="", state="formal").result is SendResult.TRY_LATER
        assert time.monotonic() - began < 6  # a byte now and then would go on for ten seconds each


@contextmanager
def _answering(**answer: object) -> Iterator[WeChatGateway]:
    """A gateway with a good token, whose WeChat answers everything with this JSON."""
    shelf = ProcessTokenShelf()
    shelf.renew(lambda: FetchedToken("token", 7200), not_the_one=None)
    with _somebody_else(_in_full(json.dumps({"errcode": 0, **answer}).encode()), shelf) as gateway:
        yield gateway


@pytest.mark.parametrize(
    "answer",
    [
        {"openid": "o" * 65},
        {"openid": "o\0o"},
        {"openid": "o\ud800"},
        {"openid": "两个字"},
        {"openid": ["o"]},
        {"openid": "o", "unionid": "u" * 65},
        {"openid": "o", "unionid": "u\nu"},
        {"openid": "o", "unionid": {"u": 1}},
    ],
)
def test_a_name_of_a_person_that_no_account_could_keep_is_no_answer(answer: dict[str, object]) -> None:
    with _answering(**answer) as gateway, pytest.raises(Unavailable) as refused:
        gateway.login("code")
    assert refused.value.code == "wechat_unavailable"


def test_the_longest_names_there_can_be_are_taken() -> None:
    with _answering(openid="o" * 64, unionid="u" * 64) as gateway:
        login = gateway.login("code")
    assert (login.openid, login.unionid) == ("o" * 64, "u" * 64)


@pytest.mark.parametrize(
    ("msgid", "kept"),
    [(2**63, str(2**63)), ("m" * 80, "m" * 80), ("m" * 81, None), ("m\0", None), (10**90, None), ([], None)],
)
def test_a_message_is_sent_whatever_wechat_calls_it(msgid: object, kept: str | None) -> None:
    with _answering(msgid=msgid) as gateway:
        outcome = gateway.send("o", "t", {}, page="", state="formal")
    assert (outcome.result, outcome.msgid) == (SendResult.ACCEPTED, kept)


def test_what_wechat_says_of_a_refusal_is_cut() -> None:
    with _answering(errcode=43101, errmsg="不" * 100_000) as gateway:
        outcome = gateway.send("o", "t", {}, page="", state="formal")
    assert (outcome.errcode, len(outcome.reason)) == (43101, 200)


def test_labels_and_trace_ids_that_no_row_could_keep_are_left_out() -> None:
    with _answering(result={"suggest": "pass", "label": 10**12}, trace_id="t" * 257) as gateway:
        verdict = gateway.check_text("你好", openid="o", scene=Scene.PROFILE)
        picture = gateway.check_image("https://a.example/b.png", openid="o", scene=Scene.PROFILE)
    assert (verdict.suggest, verdict.label, verdict.trace_id) == (Suggest.PASS, None, "")
    assert picture.needs_a_person


def test_a_link_longer_than_its_column_is_none() -> None:
    with _answering(url_link=f"https://wxaurl.cn/{'a' * 200}") as gateway, pytest.raises(Unavailable):
        gateway.url_link("pages/courses/run", "scene=a")


def test_a_number_from_a_country_that_is_none_is_none() -> None:
    card = {"purePhoneNumber": "13800138000", "countryCode": "8" * 5000}
    with _answering(phone_info=card) as gateway, pytest.raises(Unavailable):
        gateway.phone_number("code", openid="o")
