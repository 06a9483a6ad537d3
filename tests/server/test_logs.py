"""The log: one JSON line an event, whoever speaks, and nothing of what people typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEAKS = r"""
import logging

import structlog

from server.logs import set_up_logs

set_up_logs("INFO")
structlog.get_logger().info("worker_started", jobs=["delivery"], phone="13900000001")
logging.getLogger("urllib3.connectionpool").warning("Retrying after %s:\n%r", "a break", {"word": "家"})
logging.getLogger("urllib3.connectionpool").info("not worth a line")
try:
    raise RuntimeError("陈静 13900000001")
except RuntimeError:
    logging.getLogger("apscheduler.executors").exception("a job broke")
"""


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    """What a process writes that says three things, itself and through libraries."""
    spoken = subprocess.run(
        [sys.executable, "-c", SPEAKS], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    assert "13900000001" not in spoken.stderr
    assert spoken.stdout == ""
    said = [json.loads(line) for line in spoken.stderr.splitlines()]
    assert all(line.pop("timestamp").endswith("Z") for line in said)
    return said


def test_our_lines_are_json(lines: list[dict[str, Any]]) -> None:
    assert lines[0] == {"event": "worker_started", "jobs": ["delivery"], "level": "info", "phone": "***"}


def test_a_librarys_lines_are_json_too(lines: list[dict[str, Any]]) -> None:
    assert lines[1] == {
        "event": "Retrying after a break:\n{'word': '家'}",
        "level": "warning",
        "logger": "urllib3.connectionpool",
    }


def test_what_a_library_raised_is_told_by_its_place_alone(lines: list[dict[str, Any]]) -> None:
    assert lines[2:] == [
        {
            "event": "a job broke",
            "level": "error",
            "logger": "apscheduler.executors",
            "kind": "RuntimeError",
            "frames": ["<string>:13 <module>"],
        }
    ]
