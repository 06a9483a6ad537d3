"""The committer under bad luck: one bad ask, a failing database, a full queue, a fork."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, OperationalError

from models import committer as committing
from models.base import db
from models.committer import Committer
from models.courses import Standing, Tap, decide
from models.errors import Busy, Conflict, Refusal
from tests.people import Town
from tests.races.rush import rush


def doubled(connection: Connection, asks: Sequence[int]) -> list[int | Refusal]:
    """Twice the number, asked of the database; 13 is refused, a negative number breaks the transaction."""
    answers: list[int | Refusal] = []
    for ask in asks:
        if ask < 0:
            raise ValueError("a bad ask")
        row = connection.execute(text("SELECT :n * 2"), {"n": ask}).scalar_one()
        answers.append(Conflict("unlucky", "十三不行") if ask == 13 else row)
    return answers


def test_everybody_gets_their_own_answer(context: Flask) -> None:
    committer: Committer[int, int] = Committer(db.engine, doubled)
    assert rush(context, [partial(committer.ask, n) for n in range(100, 200)]) == list(range(200, 400, 2))


def test_a_refusal_is_for_the_one_who_asked(context: Flask) -> None:
    committer: Committer[int, int] = Committer(db.engine, doubled)
    answers = rush(context, [partial(committer.ask, n) for n in (12, 13, 14)])
    assert answers[0] == 24
    assert answers[2] == 28
    assert isinstance(answers[1], Conflict)


def test_one_bad_ask_does_not_spoil_its_neighbours(context: Flask) -> None:
    """All in one batch: the first ask holds the committer until the others stand in line."""
    inside, go_on = threading.Event(), threading.Event()

    def slow_first(connection: Connection, asks: Sequence[int]) -> list[int | Refusal]:
        if 0 in asks:
            inside.set()
            assert go_on.wait(30)
        return doubled(connection, asks)

    committer: Committer[int, int] = Committer(db.engine, slow_first)
    told: dict[int, object] = {}

    def ask(n: int) -> None:
        try:
            told[n] = committer.ask(n)
        except ValueError as error:
            told[n] = error

    threads = [threading.Thread(target=ask, args=(0,))]
    threads[0].start()
    assert inside.wait(30)
    for n in (1, -1, 2):
        threads.append(threading.Thread(target=ask, args=(n,)))
        threads[-1].start()
    while committer._queue.qsize() < 3:
        assert threads[-1].is_alive()
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert (told[0], told[1], told[2]) == (0, 2, 4)
    assert isinstance(told[-1], ValueError)


def test_a_database_error_is_tried_again(context: Flask) -> None:
    tries: list[int] = []

    def fails_once(connection: Connection, asks: Sequence[int]) -> list[int | Refusal]:
        tries.append(len(asks))
        if len(tries) == 1:
            raise OperationalError("COMMIT", {}, Exception("the line went dead"))
        return doubled(connection, asks)

    committer: Committer[int, int] = Committer(db.engine, fails_once)
    assert committer.ask(4) == 8
    assert tries == [1, 1]


def test_a_database_that_does_not_answer_is_busy_not_an_hour_of_tries(context: Flask) -> None:
    tries: list[int] = []

    def never(connection: Connection, asks: Sequence[int]) -> list[int | Refusal]:
        tries.append(len(asks))
        raise OperationalError("SELECT", {}, Exception("no route"))

    committer: Committer[int, int] = Committer(db.engine, never)
    with pytest.raises(Busy) as caught:
        committer.ask(4)
    assert isinstance(caught.value.__cause__, OperationalError)
    assert tries == [1, 1]


def test_a_broken_promise_of_the_database_is_told_to_its_ask(context: Flask) -> None:
    def breaks(connection: Connection, asks: Sequence[int]) -> list[int | Refusal]:
        raise IntegrityError("INSERT", {}, Exception("unique"))

    committer: Committer[int, int] = Committer(db.engine, breaks)
    with pytest.raises(IntegrityError):
        committer.ask(4)


def test_a_full_queue_is_busy_at_once(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committing, "LONGEST_QUEUE", 1)
    inside, go_on = threading.Event(), threading.Event()

    def slow(connection: Connection, asks: Sequence[int]) -> list[int | Refusal]:
        inside.set()
        assert go_on.wait(30)
        return doubled(connection, asks)

    committer: Committer[int, int] = Committer(db.engine, slow)
    first = threading.Thread(target=committer.ask, args=(1,))
    first.start()
    assert inside.wait(30)
    second = threading.Thread(target=committer.ask, args=(2,))
    second.start()
    while committer._queue.qsize() < 1:
        assert second.is_alive()
    with pytest.raises(Busy):
        committer.ask(3)
    go_on.set()
    first.join(30)
    second.join(30)


def test_who_waits_too_long_is_told_busy(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committing, "PATIENCE_SECONDS", 0.01)
    go_on = threading.Event()

    def slow(connection: Connection, asks: Sequence[int]) -> list[int | Refusal]:
        assert go_on.wait(30)
        return doubled(connection, asks)

    committer: Committer[int, int] = Committer(db.engine, slow)
    with pytest.raises(Busy):
        committer.ask(1)
    go_on.set()


def test_a_tap_with_a_nul_in_it_harms_nobody(town: Town, app: Flask) -> None:
    run = town.a_run()
    committer: Committer[Tap, Standing | None] = Committer(db.engine, decide)
    taps = [town.resident.wants(run), Tap("\x00", town.helper.login_key), Tap(run.key, "\ud800")]
    seated, nowhere, nobody = rush(app, [partial(committer.ask, tap) for tap in taps])
    assert isinstance(seated, Standing)
    assert isinstance(nowhere, Refusal)
    assert isinstance(nobody, Refusal)
    assert (nowhere.code, nobody.code) == ("not_found", "token_revoked")


def test_it_works_anew_after_a_fork(context: Flask) -> None:
    """Web workers are forked: the child has no committing thread and must not speak on its parent's connection."""
    committer: Committer[int, int] = Committer(db.engine, doubled)
    assert committer.ask(1) == 2
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writes, str(committer.ask(21)).encode())
        finally:
            os._exit(0)
    os.close(writes)
    with os.fdopen(reads, "rb") as answer:
        assert answer.read() == b"42"
    os.waitpid(child, 0)
    assert committer.ask(2) == 4
