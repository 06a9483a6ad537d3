"""How Alembic runs here: on the application's own engine, in one writing transaction, batch mode on SQLite."""

from __future__ import annotations

from alembic import context
from flask import current_app

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
    return False


def run() -> None:
    """Bring the database to the asked revision."""
    migrate = current_app.extensions["migrate"]
    with writer(db.engine).connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_item=_plain,
            **migrate.configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
