"""Many rows, or many values to look for, in one statement whose text never changes.

SQLAlchemy writes a batch as one ``INSERT … VALUES`` and a list to look for as one ``IN (…)``, with a placeholder for every value:
another text for every size of batch. psycopg takes each apart anew and PostgreSQL plans it anew, together a third of what a tap cost;
SQLite's driver keeps a hundred of them prepared for every connection, tens of megabytes (``docs/hot-path.md``). So rows travel as one
JSON document, and values to look for as one array, or as one JSON document where there are no arrays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    JSON,
    Boolean,
    Column,
    ColumnElement,
    CursorResult,
    Dialect,
    Select,
    String,
    Table,
    bindparam,
    column,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from models.base import Base


class _Many(TypeDecorator[Any]):
    """Values of one type as one parameter."""

    impl = String
    cache_ok = True

    def __init__(self, each: TypeEngine[Any]) -> None:
        super().__init__()
        self.each = each

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return String()
        each = self.each.impl_instance if isinstance(self.each, TypeDecorator) else self.each
        # a text without a length: PostgreSQL cuts what is cast to a shorter one
        return ARRAY(String() if isinstance(each, String) else each)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        written = self.each.dialect_impl(dialect).bind_processor(dialect)
        values = [written(each) for each in value] if written else list(value)
        return values if dialect.name == "postgresql" else json.dumps(values)


class _Among(FunctionElement[bool]):
    inherit_cache = True
    type = Boolean()

    def self_group(self, against: object = None) -> _Among:
        return self  # a condition as it stands, also where there is no boolean type


@compiles(_Among)
def _among_an_array(element: _Among, compiler: SQLCompiler, **more: Any) -> str:
    column_, values = (compiler.process(clause, **more) for clause in element.clauses)
    return f"{column_} = ANY ({values})"


@compiles(_Among, "sqlite")
def _among_a_document(element: _Among, compiler: SQLCompiler, **more: Any) -> str:
    column_, values = (compiler.process(clause, **more) for clause in element.clauses)
    return f"{column_} IN (SELECT value FROM json_each({values}))"  # noqa: S608  # both were compiled just now


def among(of: InstrumentedAttribute[Any] | ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether a column is one of the values given, as a collection, for the parameter of this name."""
    return _Among(of, bindparam(name, type_=_Many(of.type)))


def insert_rows(
    connection: Connection, noun: type[Base], rows: Sequence[dict[str, Any]], *returning: str
) -> CursorResult[Any]:
    """Insert these rows (all with the same columns) with one statement, and give these columns of them back.

    Values are what JSON knows, and aware moments; a column's own checks of people's text do not run here.
    """
    on_sqlite = connection.dialect.name == "sqlite"
    statement = _from_one_document(cast("Table", noun.__table__), tuple(rows[0]), returning, on_sqlite)
    return connection.execute(statement, {"rows": _document(rows, on_sqlite)})


def upsert_rows(
    connection: Connection, noun: type[Base], rows: Sequence[dict[str, Any]], *, known_by: tuple[str, ...]
) -> None:
    """The same, but a row that is there already, known by these columns, becomes as the new one says; no two rows are the same one."""
    on_sqlite = connection.dialect.name == "sqlite"
    statement = _over_what_is_there(cast("Table", noun.__table__), tuple(rows[0]), known_by, on_sqlite)
    connection.execute(statement, {"rows": _document(rows, on_sqlite)})


def _document(rows: Sequence[dict[str, Any]], on_sqlite: bool) -> str:
    return json.dumps(rows, default=_as_sqlite_keeps_it if on_sqlite else _as_text)


@lru_cache(maxsize=64)
def _over_what_is_there(
    table: Table, names: tuple[str, ...], known_by: tuple[str, ...], on_sqlite: bool
) -> postgresql.Insert | sqlite.Insert:
    columns = [table.c[name] for name in names]
    statement: postgresql.Insert | sqlite.Insert
    if on_sqlite:  # without a WHERE its parser takes ON CONFLICT for the ON of a join
        statement = sqlite.insert(table).from_select(
            list(names), _read_by_sqlite(columns).where(literal_column("true")), include_defaults=False
        )
    else:
        statement = postgresql.insert(table).from_select(
            list(names), _read_by_postgresql(columns), include_defaults=False
        )
    return statement.on_conflict_do_update(
        index_elements=list(known_by),
        set_={name: statement.excluded[name] for name in names if name not in known_by},
    )


@lru_cache(maxsize=64)
def _from_one_document(
    table: Table, names: tuple[str, ...], returning: tuple[str, ...], on_sqlite: bool
) -> ReturningInsert[Any]:
    read: Callable[[Sequence[Column[Any]]], Select[Any]] = (
        _read_by_sqlite if on_sqlite else _read_by_postgresql
    )
    return (
        insert(table)
        .from_select(list(names), read([table.c[name] for name in names]), include_defaults=False)
        .returning(*(table.c[name] for name in returning))
    )


def _read_by_sqlite(columns: Sequence[Column[Any]]) -> Select[Any]:
    rows = func.json_each(bindparam("rows", type_=String())).table_valued("value")
    return select(*(func.json_extract(rows.c.value, f"$.{c.name}") for c in columns))


def _read_by_postgresql(columns: Sequence[Column[Any]]) -> Select[Any]:
    rows = (
        func.json_to_recordset(sql_cast(bindparam("rows", type_=String()), JSON))
        .table_valued(*(column(c.name, c.type) for c in columns))
        .render_derived(with_types=True)
    )
    return select(*(rows.c[c.name] for c in columns))


def _as_text(value: object) -> str:
    return _moment(value).isoformat()


def _as_sqlite_keeps_it(value: object) -> str:
    """SQLAlchemy's own way of writing a moment, in UTC, so that what is stored reads and sorts alike."""
    return _moment(value).astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _moment(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    raise TypeError(f"{type(value).__name__} does not travel")
