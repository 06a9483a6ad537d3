"""One process of a rush: told on stdin what to do, ready, go, then the states it was told, on stdout."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlalchemy import create_engine

from models import clock
from models.base import engine_options, prepare
from models.committer import Committer
from models.courses import Standing, Tap, decide
from models.vault import vault


def main() -> None:
    """Register these logins for this run through a committer."""
    order = json.loads(sys.stdin.readline())
    data_key, lookup_key = order["keys"]
    vault.unlock([data_key], lookup_key)
    engine = prepare(create_engine(order["url"], **engine_options(order["url"])))
    committer: Committer[Tap, Standing | None] = Committer(engine, decide)
    with clock.stopped_at(datetime.fromisoformat(order["now"])), ThreadPoolExecutor(32) as pool:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        taps = [Tap(order["run"], login) for login in order["logins"]]
        standings = list(pool.map(committer.ask, taps))
    sys.stdout.write(json.dumps([standing.state for standing in standings if standing]) + "\n")


if __name__ == "__main__":
    main()
