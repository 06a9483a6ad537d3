"""What delivers messages, as processes of their own: the worker (``python -m server.worker``) and the WeChat it speaks to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.bench.serving import ROOT, answers, family_of, free_port, is_there, until

READY_WITHIN_SECONDS = 60.0
ENDS_WITHIN_SECONDS = 15.0
WORKER = ("-m", "server.worker")


@dataclass
class Wechat(AbstractContextManager["Wechat"]):
    """The sandbox with ``deploy/sandbox.conf.py``, on gevent: as many answers at once as are asked for, and nothing kept."""

    log: Path
    application: str = "server.wechat_sandbox.wsgi:app()"
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The master."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    *("-m", "gunicorn", "-c", "deploy/sandbox.conf.py", "-k", "gevent"),
                    *("-e", "SANDBOX_STATE=", "--log-level", "warning", self.application),
                ],
                cwd=ROOT,
                env={**os.environ, **self.environment, "SANDBOX_PORT": str(self.port)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(
            lambda: answers(self.port, "/_sandbox/calls"),
            within=READY_WITHIN_SECONDS,
            what=f"the sandbox answers, see {self.log}",
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        everybody = family_of(self.pid)
        self._process.terminate()
        try:
            self._process.wait(timeout=ENDS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            for pid in reversed(everybody):
                if is_there(pid):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()


@dataclass
class Worker(AbstractContextManager["Worker"]):
    """A worker process, up and running its schedule."""

    environment: Mapping[str, str]
    log: Path
    command: Sequence[str] = WORKER
    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> Self:
        """Start, without waiting."""
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self.command],
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def until_working(self) -> Self:
        """Wait until it has begun."""
        until(self._works, within=READY_WITHIN_SECONDS, what=f"the worker begins, see {self.log}")
        return self

    def _works(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"the worker ended with {self._process.returncode}:\n{self.said()[-2000:]}")
        return "worker_started" in self.said()

    def said(self) -> str:
        """Its log."""
        return self.log.read_text(encoding="utf-8")

    def stop(self) -> int:
        """SIGTERM, as an init system would; the exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
        return self._process.wait(timeout=ENDS_WITHIN_SECONDS)

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self.start().until_working()

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self.kill()
