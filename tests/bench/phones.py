"""The phones (手机): a process that plays many phones at once, and is light enough not to become what is measured.

Requests are bytes made beforehand; a fixed number of keep-alive connections take them in order, one under way on each; epoll
waits, nothing is parsed but the status line and the length. A broken connection, a refused one and a 503 are tried again, as a
phone would. Run by ``tests.bench.storm``: the job comes pickled on stdin, milestones go out as lines, the answers into a file.
"""

from __future__ import annotations

import heapq
import pickle
import re
import resource
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

RETRY_AFTER_SECONDS = 0.05
BUSY = 503
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


@dataclass(frozen=True)
class Job:
    """What to send, on how many connections, and at how many answers to say so."""

    port: int
    requests: Sequence[bytes]
    connections: int
    milestones: Sequence[int] = ()
    patience_seconds: float = 60.0


@dataclass(slots=True)
class Answer:
    """What one request got in the end. ``tries`` counts sends; ``seconds`` runs from the first send to the last byte."""

    status: int = 0
    body: bytes = b""
    seconds: float = 0.0
    tries: int = 0


@dataclass
class Outcome:
    """Everything that came back. ``cpu_seconds`` is what the phones themselves took of the machine."""

    answers: list[Answer]
    seconds: float
    cpu_seconds: float
    broken: int = 0
    busy: int = 0


@dataclass(slots=True)
class _Line:
    """One connection and the request it carries."""

    socket: socket.socket
    request: int = -1
    buffer: bytearray = field(default_factory=bytearray)


class Phones:
    """Plays one job."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.answers = [Answer() for _ in job.requests]
        self.first_sent: list[float] = [0.0] * len(job.requests)
        self.waiting: deque[int] = deque(range(len(job.requests)))
        self.later: list[tuple[float, int]] = []
        self.lines: dict[int, _Line] = {}
        self.poll = select.epoll()
        self.left = len(job.requests)
        self.broken = self.busy = 0

    def play(self) -> Outcome:
        """Send everything; back when all is answered or patience ends."""
        milestones = deque(sorted(self.job.milestones))
        idle = [
            line
            for line in (self._dial() for _ in range(min(self.job.connections, self.left)))
            if line is not None
        ]
        cpu, began = _cpu(), time.perf_counter()
        deadline = began + self.job.patience_seconds
        for line in idle:
            self._send_next(line)
        while self.left and time.perf_counter() < deadline:
            for number, _ in self.poll.poll(0.02 if self.later or len(self.lines) == 0 else 1.0):
                self._hear(self.lines[number])
            self._try_again()
            answered = len(self.answers) - self.left
            while milestones and answered >= milestones[0]:
                print(milestones.popleft(), flush=True)
        ended = time.perf_counter()
        return Outcome(self.answers, ended - began, _cpu() - cpu, self.broken, self.busy)

    def _dial(self) -> _Line | None:
        try:
            connection = socket.create_connection(("127.0.0.1", self.job.port), timeout=5)
        except OSError:
            return None
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        line = self.lines[connection.fileno()] = _Line(connection)
        self.poll.register(connection.fileno(), select.EPOLLIN)
        return line

    def _send_next(self, line: _Line) -> None:
        if not self.waiting:
            self._hang_up(line)
            return
        line.request = self.waiting.popleft()
        answer = self.answers[line.request]
        if not answer.tries:
            self.first_sent[line.request] = time.perf_counter()
        answer.tries += 1
        try:
            line.socket.send(self.job.requests[line.request])
        except OSError:
            self._break(line)

    def _hear(self, line: _Line) -> None:
        try:
            heard = line.socket.recv(262_144)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        if not heard:
            self._break(line)
            return
        line.buffer += heard
        head = line.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _LENGTH.search(line.buffer, 0, head)
        ends = head + 4 + (int(length[1]) if length else 0)
        if len(line.buffer) < ends:
            return
        self._answered(line, int(line.buffer[9:12]), bytes(line.buffer[head + 4 : ends]))
        closes = _CLOSES.search(line.buffer, 0, head + 4)
        line.buffer.clear()
        line.request = -1
        if closes:
            self._hang_up(line)
            self._dial_again()
        else:
            self._send_next(line)

    def _answered(self, line: _Line, status: int, body: bytes) -> None:
        if status == BUSY:
            self.busy += 1
            self._later(line.request)
            return
        answer = self.answers[line.request]
        answer.status, answer.body = status, body
        answer.seconds = time.perf_counter() - self.first_sent[line.request]
        self.left -= 1

    def _break(self, line: _Line) -> None:
        self.broken += 1
        if line.request >= 0:
            self._later(line.request)
        self._hang_up(line)

    def _hang_up(self, line: _Line) -> None:
        number = line.socket.fileno()
        self.poll.unregister(number)
        del self.lines[number]
        line.socket.close()

    def _later(self, request: int) -> None:
        heapq.heappush(self.later, (time.perf_counter() + RETRY_AFTER_SECONDS, request))

    def _try_again(self) -> None:
        now = time.perf_counter()
        while self.later and self.later[0][0] <= now:
            self.waiting.appendleft(heapq.heappop(self.later)[1])  # who waits longest goes first
        while self.waiting and len(self.lines) < self.job.connections:
            if not self._dial_again():
                # nobody listens just now: all of it later
                while self.waiting:
                    self._later(self.waiting.popleft())

    def _dial_again(self) -> bool:
        if not self.waiting:
            return True
        line = self._dial()
        if line is None:
            return False
        self._send_next(line)
        return True


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """One job from stdin, the outcome into the file named."""
    job = pickle.load(sys.stdin.buffer)
    outcome = Phones(job).play()
    Path(sys.argv[1]).write_bytes(pickle.dumps(outcome))
