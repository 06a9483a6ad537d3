"""The worker: it runs the schedule, survives what goes wrong, and stops when told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog

from models.base import db
from server import worker
from server.jobs import Job
from server.worker import run_job, work
from tests.people import Town
from tests.phones import Door

ROOT = Path(__file__).resolve().parents[2]


def a_job(run: object, *, batch: int | None = None) -> Job:
    return Job("trial", timedelta(seconds=1), run, "为了试一试", batch)  # type: ignore[arg-type]


def test_a_full_batch_is_followed_by_another_at_once(door: Door, town: Town) -> None:
    left = [3, 3, 1]

    def run(now: datetime) -> int:
        return left.pop(0)

    assert run_job(door.app, a_job(run, batch=3)) == 7
    assert left == []


def test_a_job_without_a_batch_runs_once(door: Door, town: Town) -> None:
    runs: list[datetime] = []

    def run(now: datetime) -> int:
        runs.append(now)
        return 100

    assert run_job(door.app, a_job(run)) == 100
    assert len(runs) == 1


def test_what_goes_wrong_is_logged_without_a_word_of_it_and_left_to_the_next_time(
    door: Door, town: Town
) -> None:
    def run(now: datetime) -> int:
        raise RuntimeError("陈静 13900000001")

    with structlog.testing.capture_logs() as events:
        assert run_job(door.app, a_job(run)) == 0
    (event,) = events
    frames = event.pop("frames")
    assert event == {"event": "job_failed", "job": "trial", "kind": "RuntimeError", "log_level": "error"}
    assert frames[0].startswith("server/worker.py:")
    assert "test_worker.py:" in frames[-1]
    assert frames[-1].endswith(" run")
    assert "13900000001" not in str(frames)


def test_after_a_job_that_broke_off_in_a_transaction_the_next_one_works(door: Door, town: Town) -> None:
    def run(now: datetime) -> int:
        db.session().declare_writes()  # type: ignore[attr-defined]
        db.session.connection()
        raise RuntimeError

    run_job(door.app, a_job(run))
    town.resident.tap(town.a_run())


@pytest.fixture
def schedule(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """A schedule of one quick job that writes down when it ran."""
    runs: list[datetime] = []

    def run(now: datetime) -> int:
        runs.append(now)
        return 0

    monkeypatch.setattr(worker, "SCHEDULE", (Job("trial", timedelta(milliseconds=50), run, "为了试一试"),))
    return runs


def test_the_schedule_runs_until_it_is_told_to_stop(door: Door, schedule: list[datetime]) -> None:
    stop = threading.Event()
    in_time: list[bool] = []
    working = threading.Thread(target=lambda: in_time.append(work(door.app, stop)))
    working.start()
    deadline = time.monotonic() + 10
    while len(schedule) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    stop.set()
    working.join(10)
    assert in_time == [True]
    ran = len(schedule)
    assert ran >= 3
    time.sleep(0.2)
    assert len(schedule) == ran


def test_a_job_that_hangs_does_not_keep_the_worker(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, let_go = threading.Event(), threading.Event()

    def hang(now: datetime) -> int:
        begun.set()
        let_go.wait(30)
        return 0

    monkeypatch.setattr(worker, "SCHEDULE", (a_job(hang),))
    monkeypatch.setattr(worker, "GRACE_SECONDS", 0.2)
    stop = threading.Event()
    in_time: list[bool] = []
    working = threading.Thread(target=lambda: in_time.append(work(door.app, stop)))
    working.start()
    assert begun.wait(10)
    stop.set()
    working.join(10)
    let_go.set()
    assert in_time == [False]


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_the_process_ends_within_its_grace_when_told_to(house_ready: dict[str, str], sign: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "server.worker"],
        cwd=ROOT,
        env={**os.environ, **house_ready},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "worker_started" in line:
                break
        process.send_signal(sign)
        assert process.wait(timeout=5) == 0
    finally:
        process.kill()
        process.stderr.close()
        process.wait()


@pytest.fixture
def house_ready(database_url: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a process on this test's database."""
    return {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(tmp_path),
        "JIAMENKOU_MODE": "demo",
        "WECHAT_BASE_URL": "http://127.0.0.1:9",
    }
