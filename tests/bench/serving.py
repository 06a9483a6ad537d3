"""The running server (运行中的服务): real gunicorn, as in production, on a free port; its processes, their memory and CPU."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
READY_WITHIN_SECONDS = 30.0
TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(done: Callable[[], bool], *, within: float, what: str) -> None:
    """Look again and again until it is so; TimeoutError after ``within`` seconds."""
    deadline = time.monotonic() + within
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within:g} s: {what}")
        time.sleep(0.01)


def answers(port: int, path: str) -> bool:
    """Whether a GET there is answered with 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def is_there(pid: int) -> bool:
    """Whether a process lives; one that only waits to be buried does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def children_of(pid: int) -> list[int]:
    """The processes a process started, directly, oldest first."""
    try:
        return [
            int(child)
            for task in sorted(Path(f"/proc/{pid}/task").iterdir())
            for child in (task / "children").read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return []


def family_of(pid: int) -> list[int]:
    """A process and everything under it."""
    return [pid, *(member for child in children_of(pid) for member in family_of(child))]


@dataclass(frozen=True)
class Memory:
    """What one process holds, MiB: resident, and its share of what is shared."""

    rss: float
    pss: float


def memory_of(pid: int) -> Memory:
    """Read from the kernel's own account."""
    found = {
        line.split(":")[0]: int(line.split()[1]) / 1024
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        if line.startswith(("Rss:", "Pss:"))
    }
    return Memory(found["Rss"], found["Pss"])


def cpu_seconds_of(pids: list[int]) -> float:
    """CPU these processes have used so far, with those they started that have ended since."""
    used = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        used += sum(int(ticks) for ticks in fields[11:15])
    return used / TICKS


def busy_seconds() -> float:
    """CPU everybody on this machine has used so far."""
    fields = [int(number) for number in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    idle, waiting_for_disk = fields[3], fields[4]
    return (sum(fields) - idle - waiting_for_disk) / TICKS


@dataclass
class Server(AbstractContextManager["Server"]):
    """gunicorn with ``deploy/gunicorn.conf.py`` on a database that is at head."""

    environment: Mapping[str, str]
    log: Path
    application: str = "server.wsgi:create()"
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The master."""
        assert self._process is not None
        return self._process.pid

    @property
    def workers(self) -> list[int]:
        """The web workers, oldest first."""
        return children_of(self.pid)

    def start(self) -> None:
        """Start, and wait until it is ready and has all its workers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    *("-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"),
                    *("--log-level", "warning", self.application),
                ],
                cwd=ROOT,
                env={**os.environ, **self.environment, "PORT": str(self.port)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.until_ready()

    def until_ready(self) -> None:
        """Wait until it answers ``/readyz`` with every worker up."""
        until(self._is_ready, within=READY_WITHIN_SECONDS, what=f"the server answers, see {self.log}")

    def _is_ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(
                f"the server ended with {self._process.returncode}:\n{self.log.read_text()[-2000:]}"
            )
        return len(self.workers) >= 2 and answers(self.port, "/readyz")

    def kill_a_worker(self) -> int:
        """kill -9 one web worker; its process id."""
        victim = self.workers[0]
        os.kill(victim, signal.SIGKILL)
        return victim

    def kill_the_master(self) -> list[int]:
        """kill -9 the master; the workers it leaves behind."""
        assert self._process is not None
        orphans = self.workers
        self._process.kill()
        self._process.wait()
        return orphans

    def kill_everything(self) -> None:
        """kill -9 of all its processes, as when the machine loses its power."""
        everybody = family_of(self.pid)
        for pid in everybody:
            os.kill(pid, signal.SIGKILL)
        assert self._process is not None
        self._process.wait()
        until(lambda: not any(map(is_there, everybody)), within=10, what="all processes are gone")

    def stop(self) -> int:
        """SIGTERM, as an init system would; the exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                for pid in reversed(family_of(self.pid)):
                    os.kill(pid, signal.SIGKILL)
                self._process.wait()
        return self._process.returncode

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
