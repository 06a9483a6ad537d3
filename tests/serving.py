"""A server on a free loopback port for the length of a block: the application, the sandbox, and every stand-in are served like this."""

from __future__ import annotations

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
    """Keep-alive, and no line on the terminal per request."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the base names it so
        """Say nothing."""


def server_of(app: WSGIApplication) -> BaseWSGIServer:
    """A server of this application, bound to a free port and not answering yet."""
    return make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)


@contextmanager
def listening(server: HTTPServer) -> Iterator[str]:
    """Let a server that is bound answer until the block ends; its address."""
    if isinstance(server, ThreadingMixIn):
        server.daemon_threads = True  # idle keep-alive connections are not waited for
        server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.002}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
