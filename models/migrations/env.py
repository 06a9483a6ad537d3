"""How Alembic runs here: on the application's own engine, in one writing transaction, batch mode on SQLite."""

from __future__ import annotations

from contextlib import contextmanager

from alembic import context
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import Enum

from models.base import EncryptedText, PlainText, PublicKey, UtcDateTime, db, writer


def _plain(kind, item, autogen_context):
    """Migrations are history: they name the database's own types, not ours, which may change."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, PlainText):
        return f"sa.String({item.impl.length or ''})"
    if kind == "type" and isinstance(item, PublicKey):
        return f"sa.String(length={item.impl.length})"
    if kind == "type" and isinstance(item, EncryptedText):
        return "sa.Text()"
    if kind == "type" and isinstance(item, Enum):
        return f"sa.String({item.length})"
    return False


def _number(migration_context, revision, directives):
    """A migration's name is the number after the last one, so that a listing is the history."""
    last = ScriptDirectory.from_config(context.config).get_current_head()
    directives[0].rev_id = f"{int(last) + 1:04}"


def run() -> None:
    """Bring the database to the asked revision."""
    migrate = current_app.extensions["migrate"]
    with writer(db.engine).connect() as connection, _tables_may_be_rebuilt(connection):
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_item=_plain,
            process_revision_directives=_number,
            **migrate.configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()
        _must_point_at_something(connection)
        connection.commit()


@contextmanager
def _tables_may_be_rebuilt(connection):
    """SQLite changes a table by making a new one in its place, and would not let go of one that others point at."""
    if connection.dialect.name != "sqlite":
        yield
        return
    own = (
        connection.connection.dbapi_connection
    )  # before a transaction begins: within one the switch does nothing
    own.execute("PRAGMA foreign_keys=OFF").close()
    try:
        yield
    finally:
        connection.rollback()
        own.execute("PRAGMA foreign_keys=ON").close()


def _must_point_at_something(connection):
    """Nothing is committed that points at a row which is not there."""
    if connection.dialect.name != "sqlite":
        return
    lost = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if lost is not None:
        raise RuntimeError(f"row {lost[1]} of {lost[0]} points at no row of {lost[2]}; nothing was changed")


run()
