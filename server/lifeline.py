"""The lifeline (生命线): whoever was started by ``make run`` ends with it, also when it was killed without a word."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable

RUNNER = "JIAMENKOU_RUNNER"  # the process id of the runner, in the environment of what it starts
LOOK_AGAIN_SECONDS = 0.5
GRACE_SECONDS = 3.0


def hold_on_to_runner() -> None:
    """End this process when the runner named in the environment is gone; without one, do nothing."""
    runner = os.environ.get(RUNNER, "")
    if runner.isdigit():
        _watch(lambda: _wait_for_end_of(int(runner)))


def hold_on_to_parent() -> None:
    """End this process when the process that started it is gone."""
    parent = os.getppid()

    def wait() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_AGAIN_SECONDS)

    _watch(wait)


def _watch(wait: Callable[[], None]) -> None:
    def end_with_it() -> None:
        wait()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_SECONDS)
        os._exit(1)

    threading.Thread(target=end_with_it, name="lifeline", daemon=True).start()


def _wait_for_end_of(pid: int) -> None:
    try:
        # Linux tells the very end, also of a process nobody has buried yet
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):
        while _is_there(pid):
            time.sleep(LOOK_AGAIN_SECONDS)
        return
    select.select([fd], [], [])
    os.close(fd)


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
