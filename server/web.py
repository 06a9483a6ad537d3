"""The web worker (网页服务进程): gunicorn's gevent worker, which here lets in everybody who stands at the door.

gunicorn has each of several gevent workers accept one connection per turn of its loop. At ten o'clock a turn is long: a whole batch of
taps is decided and told in it. Who came last then stood in the backlog until the rush was over, thirteen times as long
as the others (``docs/hot-path.md``).
"""

from __future__ import annotations

from gevent.server import StreamServer
from gunicorn.workers import ggevent

AT_ONCE = 100  # gevent's own default


class _Doorman(StreamServer):  # type: ignore[misc]  # gevent ships no types
    """Accepts up to ``AT_ONCE`` connections a turn, whatever it is told."""

    @property
    def max_accept(self) -> int:
        """How many to accept in one turn of the loop."""
        return AT_ONCE

    @max_accept.setter
    def max_accept(self, _: int) -> None:
        pass


def let_everybody_in() -> None:
    """Have this process's gevent worker accept as many as come. To be called before the worker runs."""
    ggevent.StreamServer = _Doorman
