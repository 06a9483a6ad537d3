"""A server on a free loopback port for the length of a block: the application, the sandbox, and every stand-in are served like this."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


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


def _answer(server: HTTPServer, told_to_stop: socket.socket) -> None:
    server.timeout = 0  # who hung up meanwhile is not waited for either
    with selectors.DefaultSelector() as waiting:
        for one in (server, told_to_stop):
            waiting.register(one, selectors.EVENT_READ)
        while told_to_stop not in [key.fileobj for key, _ in waiting.select()]:
            server.handle_request()
