"""The last piece of equipment: one of many has it, and what happens without lock, and without lock and guard."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import Engine, insert, text

from models.base import db, reading, transaction, writer
from models.equipment import Equipment, EquipmentLoan, add_equipment, left_between, lend
from models.sites import Venue
from tests.people import FIRST_EVENING, Town, a_venue
from tests.races.rush import rush, until_somebody_waits_for_a_lock

HOUR = timedelta(hours=1)
GUARD = "equipment_loans_not_more_than_there_is"


@pytest.fixture
def room(town: Town) -> Venue:
    """One room of 梧桐里."""
    with transaction() as session:
        return a_venue(session, town.wutong, name="多功能厅")


@pytest.fixture
def projector(room: Venue) -> Equipment:
    """The only projector of the house."""
    return lendable(room, "投影仪")


def lendable(room: Venue, name: str) -> Equipment:
    with transaction() as session:
        return add_equipment(session, session.get_one(Venue, room.id).site, name=name, stock=1)


def take(room: Venue, keys: tuple[str, ...], holder_key: str, *, waits: bool = True) -> str:
    """Have one of each for an hour, by the verb, and commit when another wants it too."""
    with transaction() as session:
        lend(
            session,
            dict.fromkeys(keys, 1),
            session.get_one(Venue, room.id),
            starts_at=FIRST_EVENING,
            ends_at=FIRST_EVENING + HOUR,
            holder_key=holder_key,
        )
        if waits and db.engine.dialect.name == "postgresql":  # on SQLite only one at a time gets this far
            until_somebody_waits_for_a_lock()
    return holder_key


def forgetful_take(projector: Equipment, looked: threading.Barrier, holder_key: str) -> str:
    """A path that forgot the lock: look, wait until both have looked, then write."""
    ends_at = FIRST_EVENING + HOUR
    with reading() as session:
        row = session.get_one(Equipment, projector.id)
        left = left_between(session, [row], starts_at=FIRST_EVENING, ends_at=ends_at)
    looked.wait(30)
    assert left[projector.key] == 1
    loan = {"equipment_id": projector.id, "holder_key": holder_key, "pieces": 1}
    with writer(db.engine).begin() as connection:
        connection.execute(insert(EquipmentLoan), {**loan, "starts_at": FIRST_EVENING, "ends_at": ends_at})
    return holder_key


def test_the_only_projector_goes_to_one(room: Venue, projector: Equipment, app: Flask) -> None:
    holders = [f"holder{n}" for n in range(6)]
    answers = rush(app, [partial(take, room, (projector.key,), holder) for holder in holders])
    (holder,) = [answer for answer in answers if isinstance(answer, str)]
    losers = [answer for answer in answers if answer != holder]
    assert [getattr(loser, "code", loser) for loser in losers] == ["equipment_short"] * 5


def test_two_who_want_the_same_things_in_another_order_do_not_stop_each_other(
    room: Venue, projector: Equipment, app: Flask
) -> None:
    keys = (projector.key, lendable(room, "幕布").key)
    answers = rush(
        app,
        [
            partial(take, room, order, f"holder{n}", waits=False)
            for n, order in enumerate((keys, keys[::-1]) * 4)
        ],
    )
    assert sorted(getattr(answer, "code", "lent") for answer in answers) == ["equipment_short"] * 7 + ["lent"]


def test_without_the_lock_the_guard_of_the_projector_is_loud(projector: Equipment, app: Flask) -> None:
    looked = threading.Barrier(2)
    answers = rush(app, [partial(forgetful_take, projector, looked, name) for name in ("one", "two")])
    assert sorted(type(answer).__name__ for answer in answers) == ["IntegrityError", "str"]


def test_without_lock_and_guard_the_projector_goes_to_two(projector: Equipment, app: Flask) -> None:
    looked = threading.Barrier(2)
    with without_the_guard(db.engine):
        answers = rush(app, [partial(forgetful_take, projector, looked, name) for name in ("one", "two")])
        assert sorted(answers, key=str) == ["one", "two"]


@contextmanager
def without_the_guard(engine: Engine) -> Iterator[None]:
    """This database without the triggers that count; restored as the database itself wrote them down."""
    on_sqlite = engine.dialect.name == "sqlite"
    with writer(engine).begin() as connection:
        if on_sqlite:
            look = text(f"SELECT name, sql FROM sqlite_master WHERE name LIKE 'tr_{GUARD}%'")
            triggers = connection.execute(look).all()
            assert len(triggers) == 2
            for name, _ in triggers:
                connection.execute(text(f"DROP TRIGGER {name}"))
            restore = [sql for _, sql in triggers]
        else:
            connection.execute(text(f"ALTER TABLE equipment_loans DISABLE TRIGGER tr_{GUARD}"))
            restore = [f"ALTER TABLE equipment_loans ENABLE TRIGGER tr_{GUARD}"]
    try:
        yield
    finally:
        with writer(engine).begin() as connection:
            connection.execute(text("DELETE FROM equipment_loans"))
            for sql in restore:
                connection.exec_driver_sql(sql)
