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

from miniprogram_api.wechat import ProcessTokenShelf, SendResult, WeChatGateway
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


@contextmanager
def _somebody_else(says: Says) -> Iterator[WeChatGateway]:
    """A gateway whose WeChat answers everything so."""

    def answer(caller: socket.socket) -> None:
        with caller, suppress(OSError):
            caller.recv(65536)
            says(caller)

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
            tokens=ProcessTokenShelf(),
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
