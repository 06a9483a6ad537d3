"""Outcomes (结果): what came of something sent is written down even when the database is away for a moment, whatever carried it."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.base import transaction
from models.errors import Busy

log = structlog.get_logger()

WORKER = f"{os.uname().nodename[:20]}-{secrets.token_hex(4)}"
PAUSES = (0.2, 1.0, 3.0, 5.0, 10.0)  # seconds: a database that is away for a moment costs no outcome

Written = TypeVar("Written")


def write_down(write: Callable[[Session], Written], *, outcomes: int) -> Written:
    """Write so many outcomes down in one transaction, waiting for a database that is away: ``write`` may be called again from its start."""
    for pause in PAUSES:
        try:
            with transaction() as session:
                return write(session)
        except (DBAPIError, Busy) as error:
            log.warning("outcomes_wait", outcomes=outcomes, kind=type(error).__name__)
            time.sleep(pause)
    with transaction() as session:
        return write(session)


def delay_after(attempts: int, *, first: timedelta, longest: timedelta) -> timedelta:
    """How long to wait after so many attempts: twice as long each time, up to ``longest``."""
    doubled: timedelta = first * 2 ** (attempts - 1)
    return min(doubled, longest)
