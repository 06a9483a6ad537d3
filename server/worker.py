"""The worker process (后台): runs the schedule of ``server.jobs`` until told to stop. ``python -m server.worker``."""

from __future__ import annotations

import logging
import os
import signal
import threading
from datetime import UTC

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask, g

from miniprogram_api.problems import frames_of
from models import clock
from server.jobs import SCHEDULE, Job
from server.lifeline import hold_on_to_runner
from server.wsgi import create

log = structlog.get_logger()
# a run that takes longer than its interval is followed by the next one, and no news every second
logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)

GRACE_SECONDS = 3.0


def run_job(app: Flask, job: Job, stop: threading.Event | None = None) -> int:
    """One run of a job, and another as long as it finds a full batch; what goes wrong is logged and left to the next time.

    A job that may take long looks at ``g.stop``.
    """
    done = 0
    try:
        with app.app_context():
            g.stop = stop
            while True:
                settled = job.run(clock.now())
                done += settled
                if job.batch is None or settled < job.batch or (stop is not None and stop.is_set()):
                    break
    except Exception as error:
        log.error("job_failed", job=job.name, kind=type(error).__name__, frames=frames_of(error))  # noqa: TRY400 - a traceback may quote people
    return done


def work(app: Flask, stop: threading.Event) -> bool:
    """Run the schedule until ``stop``; whether everything under way ended in time."""
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(len(SCHEDULE))},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for job in SCHEDULE:
        scheduler.add_job(
            run_job,
            "interval",
            (app, job, stop),
            id=job.name,
            seconds=job.every.total_seconds(),
            next_run_time=clock.now(),
        )
    scheduler.start()
    log.info("worker_started", jobs=[job.name for job in SCHEDULE])
    stop.wait()
    ended = threading.Thread(target=scheduler.shutdown, kwargs={"wait": True}, daemon=True)
    ended.start()
    ended.join(GRACE_SECONDS)
    return not ended.is_alive()


def main() -> None:
    """The process: SIGTERM and SIGINT end it within ``GRACE_SECONDS``."""
    stop = _told_to_stop()
    hold_on_to_runner()
    in_time = work(create(), stop)
    os._exit(0 if in_time else 1)  # a send that hangs is settled as unknown by the next worker


def _told_to_stop() -> threading.Event:
    """Set at the first SIGTERM or SIGINT.

    A thread waits for them, and no handler: one that interrupts ``stop.wait()`` while it holds its lock would wait for itself.
    """
    stop, signs = threading.Event(), {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(
        signal.SIG_BLOCK, signs
    )  # threads inherit this, so the signal reaches the one that waits

    def wait() -> None:
        signal.sigwait(signs)
        stop.set()

    threading.Thread(target=wait, name="told-to-stop", daemon=True).start()
    return stop


if __name__ == "__main__":
    main()
