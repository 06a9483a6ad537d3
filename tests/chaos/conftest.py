"""A town for the storm on each database, and the real server on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bench import storm, town
from tests.bench.exactness import faults_after
from tests.bench.phones import Answer, Job, Outcome
from tests.bench.serving import Server
from tests.bench.town import BenchTown
from tests.conftest import DATA_KEY, LOOKUP_KEY, SECRET_KEY

RESIDENTS = 500
CONNECTIONS = RESIDENTS  # everybody at once
PATIENCE_SECONDS = 40.0
MOST_BLOWS = 5


@dataclass
class Place:
    """Five hundred residents, a run of twenty seats without a waiting limit, and the server they storm."""

    town: BenchTown
    server: Server

    def storm(
        self, *, strike: Callable[[], None] | None = None, at: float = 0.3
    ) -> tuple[list[str], Outcome]:
        """Everybody taps at once, some twice; ``strike`` comes when that share has been answered. What is wrong, and the answers."""
        run = self.town.open_runs(1)[0]
        order = storm.with_repeats(RESIDENTS, seed=len(run))
        path = f"/api/v1/course-runs/{run}/registration"
        requests = [storm.request("PUT", path, self.town.tokens[who]) for who in order]
        strike_at = int(len(requests) * at)
        job = Job(self.server.port, requests, CONNECTIONS, (strike_at,), PATIENCE_SECONDS)
        with storm.Storm(job) as under_way:
            if strike is not None:
                under_way.wait_for(strike_at)
                strike()
            outcome = under_way.outcome()
        return faults_after(self.town.engine, run, order, self.town.resident_keys, outcome), outcome

    def storm_and(self, strike: Callable[[], None], *, at: float = 0.3) -> None:
        """Storm until the blow meets somebody on the line: a storm is over in a second, perhaps before it falls. Exact after each."""
        for _ in range(MOST_BLOWS):
            self.server.until_ready()
            faults, outcome = self.storm(strike=strike, at=at)
            assert faults == []
            if outcome.broken > 0:
                return
        raise AssertionError("nobody was ever on the line")


def state_of(answer: Answer) -> str:
    """What an answer says, in a word."""
    return "confirmed" if b'"state":"confirmed"' in answer.body else "waitlisted"


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def storm_town(
    request: pytest.FixtureRequest,
    own_database: Callable[[str, str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[BenchTown]:
    """The residents, on a database of their own."""
    url = own_database(request.param, "storm")
    keys = {"SECRET_KEY": SECRET_KEY, "DATA_KEY": DATA_KEY, "LOOKUP_KEY": LOOKUP_KEY}
    built = town.build(url, tmp_path_factory.mktemp("storm"), RESIDENTS, keys)
    yield built
    built.close()


@pytest.fixture(scope="session")
def storm_server(storm_town: BenchTown, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """gunicorn as in production, two gevent workers."""
    log: Path = tmp_path_factory.mktemp("server") / "server.log"
    with Server(storm_town.environment, log) as server:
        yield server


@pytest.fixture
def place(storm_town: BenchTown, storm_server: Server) -> Place:
    """The town and its server, whole again after what the last test did to it."""
    storm_server.until_ready()
    return Place(storm_town, storm_server)
