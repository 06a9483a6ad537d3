"""The storm (抢课): residents, repeats, and the order they come in; played by the phones in a process of their own."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self

from tests.bench.phones import Job, Outcome

ROOT = Path(__file__).parents[2]
REPEATS = 0.15  # so many residents tap twice
SOON = 0.7  # so many of the repeats come within a few places of the first tap
SOON_PLACES = 60


def with_repeats(how_many: int, *, seed: int) -> list[int]:
    """The order of tapping: everybody once, in order; some twice, most of those soon after their first tap."""
    chance = random.Random(seed)
    places: list[tuple[float, int]] = [(float(who), who) for who in range(how_many)]
    for who in chance.sample(range(how_many), int(how_many * REPEATS)):
        soon = chance.random() < SOON
        places.append((who + (chance.uniform(0, SOON_PLACES) if soon else chance.uniform(0, how_many)), who))
    return [who for _, who in sorted(places)]


def request(
    method: str, path: str, token: str = "", *, body: bytes = b"", attempt: str = "", identity: str = ""
) -> bytes:
    """One request as it goes over the wire, as short as a client's may be; ``body`` is JSON, ``attempt`` its ``Idempotency-Key``, ``identity`` the hat."""
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    length = f"Content-Length: {len(body)}\r\n" if method in ("POST", "PUT") else ""
    kind = "Content-Type: application/json\r\n" if body else ""
    key = f"Idempotency-Key: {attempt}\r\n" if attempt else ""
    hat = f"X-Identity: {identity}\r\n" if identity else ""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{bearer}{hat}{length}{kind}{key}\r\n".encode() + body
    )


class Storm(AbstractContextManager["Storm"]):
    """One job under way. ``wait_for`` a milestone, do something to the server, then ``outcome``."""

    def __init__(self, job: Job) -> None:
        self._file = tempfile.NamedTemporaryFile(prefix="storm-", suffix=".pickle")  # noqa: SIM115 - closed in __exit__
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from tests.bench.phones import main; main()", self._file.name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(pickle.dumps(job))
        self._process.stdin.close()

    def wait_for(self, answered: int) -> None:
        """Back when so many answers have come; the number must be one of the job's milestones."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if int(line) >= answered:
                return
        raise RuntimeError("the storm ended early")

    def outcome(self) -> Outcome:
        """All that came back, at the end of the storm."""
        if self._process.wait(timeout=300):
            raise RuntimeError("the phones broke")
        found = pickle.loads(Path(self._file.name).read_bytes())
        assert isinstance(found, Outcome)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._file.close()


def play(
    port: int,
    requests: Sequence[bytes],
    *,
    connections: int,
    strike: Callable[[], None] | None = None,
    strike_at: int = 0,
    patience_seconds: float = 60.0,
) -> Outcome:
    """Send everything; with ``strike``, do that when so many answers have come."""
    job = Job(port, requests, connections, (strike_at,) if strike else (), patience_seconds)
    with Storm(job) as storm:
        if strike is not None:
            storm.wait_for(strike_at)
            strike()
        return storm.outcome()
