"""One process of a rush: told on stdin what to do, ready, go, then what came of it, on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import Session

from models import clock
from models.base import engine_options, prepare, writer
from models.committer import Committer
from models.courses import CourseRun, Standing, Tap, decide, revise_run
from models.errors import Refusal
from models.vault import vault
from tests.people import plan_as_it_stands


def main() -> None:
    """Register these logins for a run through a committer, or give it one number of seats after the other."""
    order = json.loads(sys.stdin.readline())
    data_key, lookup_key = order["keys"]
    vault.unlock([data_key], lookup_key)
    engine = prepare(create_engine(order["url"], **engine_options(order["url"])))
    deed: Callable[[Engine, dict[str, Any]], list[str]] = tap_all if "logins" in order else change_seats
    with clock.stopped_at(datetime.fromisoformat(order["now"])):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        told = deed(engine, order)
    sys.stdout.write(json.dumps(told) + "\n")


def tap_all(engine: Engine, order: dict[str, Any]) -> list[str]:
    """Everybody taps, many at once; the state each was told, or the code of the refusal."""
    committer: Committer[Tap, Standing | None] = Committer(engine, decide)

    def tap(login: str) -> str:
        standing = committer.ask(Tap(order["run"], login))
        assert standing is not None
        return standing.state.value

    with ThreadPoolExecutor(32) as pool:
        return list(pool.map(lambda login: answer_to(partial(tap, login)), order["logins"]))


def change_seats(engine: Engine, order: dict[str, Any]) -> list[str]:
    """Staff correct the number of seats, again and again; what each correction came to."""
    return [answer_to(partial(correct, engine, order["run"], seats)) for seats in order["seats"]]


def correct(engine: Engine, run_key: str, seats: int) -> str:
    """One correction, in a transaction of its own."""
    with Session(writer(engine)) as session, session.begin():
        run = session.scalars(select(CourseRun).where(CourseRun.key == run_key)).one()
        revise_run(session, run, replace(plan_as_it_stands(run), capacity=seats))
    return "done"


def answer_to(deed: Callable[[], str]) -> str:
    """What came of a deed, or the code of the refusal."""
    try:
        return deed()
    except Refusal as refusal:
        return refusal.code


if __name__ == "__main__":
    main()
