"""A server on a free loopback port for the length of a block: the application, the sandbox, and every stand-in are served like this.

Who asks thousands of times with ``requests`` may be answered in place instead (``answering``).
"""

from __future__ import annotations

import selectors
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import HTTPServer
from io import BytesIO
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import unquote_to_bytes, urlsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.test import run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class _Quiet(WSGIRequestHandler):
    """HTTP/1.1, and no line on the terminal per request."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the base names it so
        """Say nothing."""


def server_of(app: WSGIApplication) -> BaseWSGIServer:
    """A server of this application, bound to a free port and not answering yet."""
    return make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)


@contextmanager
def listening(server: HTTPServer) -> Iterator[str]:
    """Let a server that is bound answer until the block ends; its address.

    It sleeps until somebody calls or the block ends; ``serve_forever`` would look again and again whether it is to end.
    """
    if isinstance(server, ThreadingMixIn):
        server.daemon_threads = True  # connections nobody hung up are not waited for
        server.block_on_close = False
    stop, told_to_stop = socket.socketpair()
    thread = threading.Thread(target=_answer, args=(server, told_to_stop), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        stop.close()
        thread.join()
        told_to_stop.close()
        server.server_close()


@contextmanager
def answering(app: WSGIApplication, host: str = "jiamenkou.test") -> Iterator[str]:
    """Let an application answer whoever asks this host with ``requests``, until the block ends; its address.

    It is asked for just what would go over the wire. The socket, the thread and reading HTTP twice cost as much as most answers.
    """
    over_the_wire = HTTPAdapter.send

    def send(adapter: HTTPAdapter, request: PreparedRequest, *args: Any, **more: Any) -> Response:
        if urlsplit(request.url or "").hostname != host:
            return over_the_wire(adapter, request, *args, **more)
        return adapter.build_response(request, _answer_in_place(app, request))

    with patch.object(HTTPAdapter, "send", send):
        yield f"http://{host}"


def _answer_in_place(app: WSGIApplication, request: PreparedRequest) -> HTTPResponse:
    pieces, status, headers = run_wsgi_app(app, _as_a_server_reads(request), buffered=True)
    code, _, reason = status.partition(" ")
    return HTTPResponse(
        body=BytesIO(b"".join(pieces)),
        headers=HTTPHeaderDict(list(headers)),
        status=int(code),
        reason=reason,
        preload_content=False,
    )


def _as_a_server_reads(request: PreparedRequest) -> WSGIEnvironment:
    """A request as ``WSGIRequestHandler.make_environ`` would find it on the wire."""
    address, body = urlsplit(request.url or ""), request.body or b""
    read: WSGIEnvironment = {
        "REQUEST_METHOD": request.method or "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(address.path).decode("latin-1"),
        "QUERY_STRING": address.query,
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": address.hostname or "",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": address.netloc,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body.encode() if isinstance(body, str) else body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    headers: Mapping[str, str | bytes] = request.headers
    for name, value in headers.items():
        if "_" not in name:
            said = name.upper().replace("-", "_")
            heard = value.decode("latin-1") if isinstance(value, bytes) else value
            read[said if said in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{said}"] = heard
    return read


def _answer(server: HTTPServer, told_to_stop: socket.socket) -> None:
    server.timeout = 0  # who hung up meanwhile is not waited for either
    with selectors.DefaultSelector() as waiting:
        for one in (server, told_to_stop):
            waiting.register(one, selectors.EVENT_READ)
        while told_to_stop not in [key.fileobj for key, _ in waiting.select()]:
            server.handle_request()
