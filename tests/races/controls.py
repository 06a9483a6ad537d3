"""Controls: the database without one of its guards for the length of a block, so that a race shows what the guard is there for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import CheckConstraint, Engine, UniqueConstraint, event, text, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.schema import AddConstraint, DropConstraint

from models.base import Base, writer


@contextmanager
def without_check(engine: Engine, noun: type[Base], name: str, **clean: Any) -> Iterator[None]:
    """A table without one of its checks; afterwards every row gets the values of ``clean``, and the check stands again."""
    table = noun.metadata.tables[noun.__tablename__]
    (check,) = [
        each
        for each in table.constraints
        if isinstance(each, CheckConstraint) and str(each.name).endswith(name)
    ]
    if engine.dialect.name == "sqlite":

        def look_away(driver: sqlite3.Connection, record: object) -> None:
            driver.execute("PRAGMA ignore_check_constraints=ON")

        engine.dispose()
        event.listen(engine, "connect", look_away)
        try:
            yield
        finally:
            event.remove(engine, "connect", look_away)
            engine.dispose()
        return
    with writer(engine).begin() as connection:
        connection.execute(DropConstraint(check))
    try:
        yield
    finally:
        with writer(engine).begin() as connection:
            connection.execute(update(table).values(clean))
            connection.execute(AddConstraint(check))


@contextmanager
def without_index(engine: Engine, noun: type[Base], name: str) -> Iterator[None]:
    """A table without one of its indexes; afterwards it is empty and the index stands again."""
    table = noun.metadata.tables[noun.__tablename__]
    (guard,) = [index for index in table.indexes if index.name == name]
    with writer(engine).begin() as connection:
        guard.drop(connection)
    try:
        yield
    finally:
        with writer(engine).begin() as connection:
            connection.execute(table.delete())
            guard.create(connection)


@contextmanager
def without_unique(engine: Engine, noun: type[Base], *columns: str) -> Iterator[None]:
    """A table of PostgreSQL in which these columns need not differ; afterwards it is empty and they must again."""
    table = noun.metadata.tables[noun.__tablename__]
    (guard,) = [
        each
        for each in table.constraints
        if isinstance(each, UniqueConstraint) and [column.name for column in each.columns] == list(columns)
    ]
    with writer(engine).begin() as connection:
        connection.execute(DropConstraint(guard))
    try:
        yield
    finally:
        with writer(engine).begin() as connection:
            connection.execute(table.delete())
            connection.execute(AddConstraint(guard))


@contextmanager
def without_the_rooms_guard(engine: Engine) -> Iterator[None]:
    """This database without exclusion constraint or triggers; restored, as the database itself wrote them down."""
    if engine.dialect.name == "sqlite":
        with writer(engine).begin() as connection:
            triggers = connection.execute(
                text(
                    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'occupancies'"
                )
            ).all()
            for name, _ in triggers:
                connection.execute(text(f"DROP TRIGGER {name}"))
        restore = [sql for _, sql in triggers]
    else:
        with writer(engine).begin() as connection:
            definition = connection.execute(
                text(
                    "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
                    "WHERE conname = 'ex_occupancies_no_overlap'"
                )
            ).scalar_one()
            connection.execute(text("ALTER TABLE occupancies DROP CONSTRAINT ex_occupancies_no_overlap"))
        restore = [f"ALTER TABLE occupancies ADD CONSTRAINT ex_occupancies_no_overlap {definition}"]
    assert restore
    try:
        yield
    finally:
        with writer(engine).begin() as connection:
            connection.execute(text("DELETE FROM occupancies"))
            for sql in restore:
                connection.exec_driver_sql(sql)


def is_loud(answer: object) -> bool:
    """Whether the rooms' guard refused: as a violation, or, on PostgreSQL, where each of two waited for the other's row, by ending one."""
    return isinstance(answer, IntegrityError | OperationalError)
