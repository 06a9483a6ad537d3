"""Absences: when an evening's were noted, pauses of registering, appeals

What was over before is taken for settled: nobody is told of an absence nobody knew to avoid.

Revision: 0024
After: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
TO_NOTE = sa.text("absences_noted_at IS NULL")
STANDS = sa.text("lifted_at IS NULL")
WAITS = sa.text("state = 'waiting'")


def points(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.add_column("course_sessions", sa.Column("absences_noted_at", MOMENT, nullable=True))
    op.execute("UPDATE course_sessions SET absences_noted_at = ends_at WHERE ends_at < CURRENT_TIMESTAMP")
    op.create_index(
        "ix_course_sessions_to_note",
        "course_sessions",
        ["ends_at", "id"],
        postgresql_where=TO_NOTE,
        sqlite_where=TO_NOTE,
    )
    op.create_table(
        "pauses",
        sa.Column("resident_id", BIG, nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("lifted_at", MOMENT, nullable=True),
        sa.Column("lifted_how", sa.String(24), nullable=True),
        sa.Column("lifted_because", sa.String(200), nullable=False, server_default=""),
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        points("pauses", "resident_id", "residents"),
        sa.CheckConstraint("until > starts_at", name=op.f("ck_pauses_ends_after_start")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pauses")),
        sa.UniqueConstraint("key", name=op.f("uq_pauses_key")),
    )
    op.create_index("ix_pauses_resident", "pauses", ["resident_id"])
    op.create_index("ix_pauses_until", "pauses", ["until"], postgresql_where=STANDS, sqlite_where=STANDS)
    op.create_index(
        "uq_pauses_standing",
        "pauses",
        ["resident_id"],
        unique=True,
        postgresql_where=STANDS,
        sqlite_where=STANDS,
    )
    op.create_table(
        "absence_appeals",
        sa.Column("attendance_id", BIG, nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("by_account_id", BIG, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("answer", sa.String(200), nullable=False, server_default=""),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        points("absence_appeals", "attendance_id", "attendances"),
        points("absence_appeals", "by_account_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence_appeals")),
        sa.UniqueConstraint("attendance_id", name=op.f("uq_absence_appeals_attendance_id")),
        sa.UniqueConstraint("key", name=op.f("uq_absence_appeals_key")),
    )
    op.create_index(
        "ix_absence_appeals_waiting", "absence_appeals", ["id"], postgresql_where=WAITS, sqlite_where=WAITS
    )


def downgrade() -> None:
    op.drop_table("absence_appeals")
    op.drop_table("pauses")
    op.drop_index("ix_course_sessions_to_note", "course_sessions")
    op.drop_column("course_sessions", "absences_noted_at")
