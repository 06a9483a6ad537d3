"""The web worker, as deploy/gunicorn.conf.py sets it up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).parents[2]
A_WORKER = """
import gc, runpy
from server import app
configured = runpy.run_path("deploy/gunicorn.conf.py")
standing = len(gc.get_objects())
configured["post_worker_init"](None)
print(gc.get_freeze_count() > standing * 0.9, len(gc.get_objects()) < standing * 0.1)
"""


def test_once_the_application_stands_the_collector_does_not_look_through_it_again() -> None:
    told = subprocess.run(
        [sys.executable, "-c", A_WORKER], cwd=HOME, capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.split() == ["True", "True"]
