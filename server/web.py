"""The web worker (网页服务进程): gunicorn's gevent worker, which here lets in everybody who stands at the door, and does not count the bricks.

gunicorn has each of several gevent workers accept one connection per turn of its loop. At ten o'clock a turn is long: a whole batch of
taps is decided and told in it. Who came last then stood in the backlog until the rush was over, thirteen times as long
as the others (``docs/hot-path.md``).

Python's collector of cycles looks through everything that is alive, again and again. Most of it is the application itself, which never
goes: a third of what a refused tap cost.
"""

from __future__ import annotations

import gc

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


def let_the_house_stand() -> None:
    """Take what is alive now out of the collector's sight, for good. To be called once the application is made."""
    gc.collect()
    gc.freeze()
