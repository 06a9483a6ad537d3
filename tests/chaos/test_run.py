"""What ``make run`` promises: it starts, it says when the ports are busy, it stops whole, it leaves nobody behind, it forgets nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.demo.cast import HATS, NEWCOMER, PARTS, Hat, Part
from tests.bench.serving import answers, family_of, free_port, is_there, until

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
STARTS_WITHIN_SECONDS = 120.0  # the first start plays the demo town, day by day
STOPS_WITHIN_SECONDS = 5.0
FORGOTTEN_WITHIN_SECONDS = 8.0


class Town:
    """``python -m server.run`` on ports and in a directory of its own."""

    def __init__(self, data_dir: Path) -> None:
        self.port, self.sandbox_port = free_port(), free_port()
        self._log = data_dir.with_suffix(".log")
        # only what a newcomer's shell has: nothing of this test run's own settings
        self._environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ},
            "DATA_DIR": str(data_dir),
            "PORT": str(self.port),
            "SANDBOX_PORT": str(self.sandbox_port),
        }

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """The runner, once the whole town answers; whatever still lives at the end is killed."""
        with self._log.open("ab") as log:
            runner = subprocess.Popen(
                [sys.executable, "-m", "server.run"],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a terminal's Ctrl-C reaches a whole group
            )
        family = [runner.pid]
        try:
            until(
                lambda: self._is_up(runner), within=STARTS_WITHIN_SECONDS, what=f"it is up, see {self._log}"
            )
            family = family_of(runner.pid)
            yield runner
        finally:
            for pid in {*family, *family_of(runner.pid)}:
                if is_there(pid):
                    os.kill(pid, signal.SIGKILL)
            runner.wait()

    def _is_up(self, runner: subprocess.Popen[bytes]) -> bool:
        if runner.poll() is not None:
            raise RuntimeError(f"it ended with {runner.returncode}:\n{self._log.read_text()[-2000:]}")
        return (
            answers(self.port, "/readyz") and answers(self.sandbox_port, "/") and self._has_a_worker(runner)
        )

    @staticmethod
    def _has_a_worker(runner: subprocess.Popen[bytes]) -> bool:
        return any(b"server.worker" in _command_of(pid) for pid in family_of(runner.pid))

    def run_again(self) -> subprocess.CompletedProcess[str]:
        """A second run on the same ports."""
        return subprocess.run(
            [sys.executable, "-m", "server.run"],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=STARTS_WITHIN_SECONDS,
            check=False,
        )

    def said(self) -> str:
        """Everything it has told the terminal so far, in every run."""
        return self._log.read_text(encoding="utf-8")

    def runs(self) -> list[str]:
        """The keys of the runs it shows."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/course-runs?limit=50") as answer:
            return [run["key"] for run in json.load(answer)["items"]]


def _command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _nobody_is_left(family: list[int]) -> bool:
    return not any(is_there(pid) for pid in family)


@pytest.fixture
def fresh_town(tmp_path: Path) -> Town:
    """A clone nobody has run yet."""
    return Town(tmp_path / "var")


def must_tell_the_newcomer(town: Town) -> None:
    """Where everything is, and who lives there."""
    cast: list[Part | Hat] = [*PARTS, *HATS]
    lines = [f"{one.says}：{one.name}  openid {one.openid}  " for one in cast if one.openid]
    everybody = [*lines, f"openid {NEWCOMER}\n"]
    until(
        lambda: all(line in town.said() for line in everybody),
        within=10,
        what="the newcomer is told who lives here",
    )
    assert "已就绪" in town.said()
    assert f"http://127.0.0.1:{town.port}/api/docs" in town.said()


def test_run_tells_the_newcomer_stops_whole_on_ctrl_c_refuses_busy_ports_and_keeps_its_data(
    fresh_town: Town,
) -> None:
    """One story: each start is a whole town in processes of its own, and takes its seconds."""
    with fresh_town.running() as runner:
        assert answers(fresh_town.port, "/healthz")
        shown = fresh_town.runs()
        assert shown
        must_tell_the_newcomer(fresh_town)

        second = fresh_town.run_again()
        assert second.returncode == 1
        assert f"PORT={fresh_town.port}" in second.stderr
        assert f"SANDBOX_PORT={fresh_town.sandbox_port}" in second.stderr

        family = family_of(runner.pid)
        began = time.monotonic()
        os.killpg(runner.pid, signal.SIGINT)
        assert runner.wait(timeout=STOPS_WITHIN_SECONDS * 2) == 0
        assert time.monotonic() - began < STOPS_WITHIN_SECONDS
        assert _nobody_is_left(family)
    assert "Traceback" not in fresh_town.said(), fresh_town.said()

    with fresh_town.running():
        assert fresh_town.runs() == shown


def test_a_killed_runner_leaves_no_orphan(fresh_town: Town) -> None:
    with fresh_town.running() as runner:
        family = family_of(runner.pid)
        commands = b" ".join(_command_of(pid) for pid in family)
        for part in (b"deploy/gunicorn.conf.py", b"server.worker", b"deploy/sandbox.conf.py"):
            assert part in commands
        runner.kill()
        runner.wait()
        until(
            lambda: _nobody_is_left(family),
            within=FORGOTTEN_WITHIN_SECONDS,
            what="web server, worker and sandbox follow their runner",
        )
