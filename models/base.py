"""The ground every table stands on: the database, its two engines, transactions, locks, and the column types.

Two databases, one behaviour. PostgreSQL is production; SQLite (a file, WAL) is the embedded default. What keeps them
alike is all in this module:

* A transaction says beforehand whether it will write (``declare_writes``). One that did not say so *cannot* write: it is
  read-only in the database itself, on both engines, so a forgotten declaration fails loudly the first time.
* On SQLite a writing transaction begins with ``BEGIN IMMEDIATE``, because a reader that turns writer fails at once there,
  and writers take turns (``models.sqlite``), because SQLite's own waiters sleep and poll, unfairly, for seconds.
* Rows are locked through ``Base.lock`` alone: ``select().with_for_update()`` on a row already loaded returns stale values.
* Times are aware and stored in UTC; text refuses control characters (NUL passes SQLite and breaks PostgreSQL).
"""

from __future__ import annotations

import base64
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Self, cast

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from psycopg import Connection as DriverConnection
from psycopg import Error as DriverError
from psycopg.pq import TransactionStatus
from sqlalchemy import BigInteger, DateTime, Dialect, Engine, Enum, Integer, MetaData, String, Text, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.engine.url import make_url
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, object_session, registry
from sqlalchemy.types import TypeDecorator, TypeEngine

from models.errors import NotFound
from models.sqlite import SqliteConnection, Turn
from models.vault import vault

# --- column types -------------------------------------------------------------------------------------------------


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, stored in UTC. A naive value is a programming error and is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime refused: every moment carries its zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class PlainText(TypeDecorator[str]):
    """Text of people: no control characters but line feed and tab, so that both databases take it."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is not None and not value.isprintable() and has_control_characters(value):
            raise ValueError("control characters refused in text")
        return value


class PublicKey(TypeDecorator[str]):
    """The public name of a row. What is not shaped like one (a NUL, half a surrogate) names nothing, instead of failing."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value if value is None or (value.isascii() and value.isalnum()) else ""


class EncryptedText(TypeDecorator[str]):
    """Text that is ciphertext at rest (个人信息保护法 art. 51); the key comes from the environment."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else vault.seal(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else vault.open(value)


def has_control_characters(text: str) -> bool:
    """Whether text holds a control character other than line feed and tab (NUL, escape, DEL, C1 …) or a lone surrogate."""
    return any(
        (c < " " and c not in "\n\t") or "\x7f" <= c <= "\x9f" or "\ud800" <= c <= "\udfff" for c in text
    )


def chosen_from(kinds: type[StrEnum]) -> Enum:
    """A column that holds one of an enum's values as text."""
    return Enum(kinds, native_enum=False, values_callable=lambda k: [m.value for m in k], length=24)


BigKey = BigInteger().with_variant(Integer, "sqlite")


def new_key() -> str:
    """A name for the outside: 16 characters, random (80 bits), not countable, fit for URLs, QR scenes and spreadsheets."""
    return base64.b32encode(os.urandom(10)).decode().lower()


class Base(DeclarativeBase):
    """Every table: integer ``id`` inside; what goes on the wire is a ``key`` (see ``Keyed``)."""

    registry: ClassVar[registry] = registry(
        type_annotation_map=cast(
            "dict[Any, TypeEngine[Any]]", {datetime: UtcDateTime(), str: PlainText(), int: Integer()}
        )
    )
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)

    def lock(self) -> Self:
        """Hold this row until the transaction ends, with the values the previous holder committed.

        Raises NotFound when the previous holder took it away.
        """
        session = object_session(self)
        if session is None:
            raise RuntimeError("only a row of a session can be locked")
        session.flush()  # a refresh drops what was changed and not yet written
        # of this table alone: a row loaded with its neighbours is read again with them, and they are not to be locked
        try:
            session.refresh(self, with_for_update={"key_share": True, "of": type(self)})
        except InvalidRequestError:
            raise NotFound from None
        return self


class Keyed:
    """Mixin: a random public name. Finders take it; ``id`` never leaves the house."""

    key: Mapped[str] = mapped_column(PublicKey(16), unique=True, default=new_key)


# --- the database -------------------------------------------------------------------------------------------------


class TownSession(FlaskSession):
    """A session that knows, before its first query, whether it will write."""

    def declare_writes(self) -> None:
        """Say that this transaction will write. Must come before its first query."""
        if self.in_transaction():
            raise RuntimeError("a transaction declares its writes before its first query")
        self.info["writes"] = True

    def declare_reads(self) -> None:
        """Back to reading only, for the next transaction."""
        if self.in_transaction():
            raise RuntimeError("a transaction is still open")
        self.info.pop("writes", None)

    def get_bind(self, *args: Any, **kwargs: Any) -> Engine | Connection:
        """The writing or the reading face of the engine, by what was declared."""
        bind = super().get_bind(*args, **kwargs)
        if isinstance(bind, Connection):
            return bind
        return writer(bind) if self.info.get("writes") else reader(bind)


db = SQLAlchemy(
    model_class=Base,
    disable_autonaming=True,
    session_options={"class_": TownSession, "expire_on_commit": False},
)

_readers: weakref.WeakKeyDictionary[Engine, Engine] = weakref.WeakKeyDictionary()
_writers: weakref.WeakKeyDictionary[Engine, Engine] = weakref.WeakKeyDictionary()


def reader(engine: Engine) -> Engine:
    """The face of an engine whose transactions cannot write."""
    if engine not in _readers:
        _readers[engine] = engine.execution_options(postgresql_readonly=True)
    return _readers[engine]


def writer(engine: Engine) -> Engine:
    """The face of an engine whose transactions mean to write."""
    if engine not in _writers:
        _writers[engine] = engine.execution_options(writes=True)
    return _writers[engine]


def engine_options(url: str, *, pool_size: int = 8) -> dict[str, Any]:
    """How to open an engine for this database: the SQLite connection of this house, or a pool for PostgreSQL."""
    if make_url(url).get_backend_name() == "sqlite":
        return {
            "connect_args": {"factory": SqliteConnection, "isolation_level": None, "timeout": 5.0},
            "pool_size": pool_size,
            "max_overflow": 0,
            "pool_timeout": 30,
        }
    return {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": 30, "pool_pre_ping": True}


def prepare(engine: Engine) -> Engine:
    """Teach an engine this house's manners: no connection survives a fork, PostgreSQL's looks keep what they prepared, SQLite's begin as ours do."""
    _prepared.add(engine)
    if engine.dialect.name != "sqlite":
        event.listen(engine, "rollback", _end_a_look)
        return engine
    turn = Turn.at(engine.url.database or ":memory:")

    def connected(connection: SqliteConnection, record: object) -> None:
        connection.settle_in(turn)

    def begun(connection: Connection) -> None:
        driver = cast("SqliteConnection", connection.connection.dbapi_connection)
        driver.begin(writing=bool(connection.get_execution_options().get("writes")))

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
    return engine


def _end_a_look(connection: Connection) -> None:
    """A transaction that could not write ends with a commit: psycopg drops every prepared statement of a connection that rolls back.

    Each look would have every statement taken apart and planned anew (``docs/hot-path.md``). The rollback that follows finds nothing to do,
    or finds out that the database has hung up.
    """
    if connection.invalidated:
        return
    driver = cast("DriverConnection[Any]", connection.connection.dbapi_connection)
    if (
        connection.get_execution_options().get("postgresql_readonly")
        and driver.info.transaction_status is TransactionStatus.INTRANS
    ):
        with suppress(DriverError):
            driver.commit()


def _drop_inherited_connections() -> None:
    """A child must not speak on its parent's connections: it lets go of them without closing, and opens its own."""
    for engine in list(_prepared):
        engine.dispose(close=False)


_prepared: weakref.WeakSet[Engine] = weakref.WeakSet()
os.register_at_fork(after_in_child=_drop_inherited_connections)


def insert_for(bind: Session | Connection, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT as the database in use speaks it: only that one knows what to do with a row that is there already."""
    dialect = (bind.get_bind() if isinstance(bind, Session) else bind).dialect
    return sqlite.insert(table) if dialect.name == "sqlite" else postgresql.insert(table)


# --- transactions outside a request -------------------------------------------------------------------------------


@contextmanager
def transaction() -> Iterator[Session]:
    """One deed outside a request (a job's step, a command): committed at the end, or rolled back as if it never was.

    Needs an application context. Does not nest: rules never commit, so they compose inside one of these.
    """
    session = cast("TownSession", db.session())
    session.declare_writes()
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.close()
        session.declare_reads()


@contextmanager
def reading() -> Iterator[Session]:
    """One look outside a request; it cannot write."""
    session = cast("TownSession", db.session())
    session.declare_reads()
    try:
        yield session
    finally:
        session.close()
