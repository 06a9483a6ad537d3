"""Admission: who gets a seat, by coming first, by lot, or by review; offers, seats held for the counter, and why

Revision: 0026
After: 0025
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
WAS_LIVE = sa.text("state IN ('confirmed', 'waitlisted')")
LIVE = sa.text("state IN ('applied', 'confirmed', 'waitlisted', 'offered')")
OFFERED = sa.text("state = 'offered'")


def upgrade() -> None:
    op.add_column("courses", sa.Column("kind", sa.String(24), nullable=False, server_default="course"))
    for name, kind in (("admission", "first_come"), ("promotion", "automatic")):
        op.add_column("course_runs", sa.Column(name, sa.String(24), nullable=False, server_default=kind))
    for name in ("home_first_hours", "street_first_hours", "most_companions"):
        op.add_column("course_runs", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    for name in ("held_until", "draws_at", "drawn_at"):
        op.add_column("course_runs", sa.Column(name, MOMENT, nullable=True))
    op.add_column("course_runs", sa.Column("min_to_open", sa.Integer(), nullable=True))
    _add_guarded(
        "course_runs",
        "seats_held INTEGER DEFAULT 0 NOT NULL",
        "held_within_capacity",
        "seats_held >= 0 AND seats_taken + seats_held <= capacity",
    )
    _add_pointer("course_runs", "after_course_id", "courses")
    _add_guarded("registrations", "seats INTEGER DEFAULT 1 NOT NULL", "at_least_one_seat", "seats >= 1")
    op.add_column(
        "registrations", sa.Column("seats_directly", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    _add_pointer("registrations", "paired_with_id", "residents")
    op.add_column("registrations", sa.Column("ticket", sa.Integer(), nullable=True))
    op.add_column("registrations", sa.Column("rank", sa.Integer(), nullable=True))
    op.add_column("registrations", sa.Column("offered_at", MOMENT, nullable=True))
    op.add_column("registrations", sa.Column("reminded_at", MOMENT, nullable=True))
    moment = "TIMESTAMP WITH TIME ZONE" if op.get_bind().dialect.name == "postgresql" else "DATETIME"
    _add_guarded(
        "registrations",
        f"offer_expires_at {moment}",
        "offer_has_an_end",
        "(state = 'offered') = (offer_expires_at IS NOT NULL)",
    )
    op.add_column(
        "registrations", sa.Column("decided_because", sa.String(200), nullable=False, server_default="")
    )
    _index_the_live(LIVE)
    op.create_index(
        "ix_registrations_offered",
        "registrations",
        ["offer_expires_at", "run_id"],
        postgresql_where=OFFERED,
        sqlite_where=OFFERED,
    )
    op.create_table(
        "draws",
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("seed", sa.String(64), nullable=False),
        sa.Column("promised", sa.String(64), nullable=False),
        sa.Column("drawn_at", MOMENT, nullable=True),
        sa.Column("tickets", sa.Integer(), nullable=True),
        sa.Column("seats", sa.Integer(), nullable=True),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["course_runs.id"], name=op.f("fk_draws_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draws")),
        sa.UniqueConstraint("run_id", name=op.f("uq_draws_run_id")),
    )
    op.create_table(
        "receipts",
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("resident_id", KEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("why", sa.String(24), nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("says", sa.String(300), nullable=False),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["course_runs.id"], name=op.f("fk_receipts_run_id")),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_receipts_resident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint(
            "run_id", "resident_id", "why", "code", name=op.f("uq_receipts_run_id_resident_id_why_code")
        ),
    )
    op.create_index("ix_receipts_resident", "receipts", ["resident_id", "id"])


def downgrade() -> None:
    op.drop_table("receipts")
    op.drop_table("draws")
    op.drop_index("ix_registrations_offered", "registrations")
    op.execute("UPDATE registrations SET offer_expires_at = NULL, state = 'confirmed' WHERE state = 'offered'")
    op.execute("UPDATE registrations SET state = 'waitlisted' WHERE state = 'applied'")
    _index_the_live(WAS_LIVE)
    for name in (
        "decided_because",
        "offer_expires_at",
        "reminded_at",
        "offered_at",
        "rank",
        "ticket",
        "paired_with_id",
        "seats_directly",
        "seats",
    ):
        op.drop_column("registrations", name)
    for name in (
        "after_course_id",
        "seats_held",
        "min_to_open",
        "drawn_at",
        "draws_at",
        "held_until",
        "most_companions",
        "street_first_hours",
        "home_first_hours",
        "promotion",
        "admission",
    ):
        op.drop_column("course_runs", name)
    op.drop_column("courses", "kind")


def _add_guarded(table: str, column: str, name: str, check: str) -> None:
    """A column with its guard in one statement: SQLite adds a check in no other way without making the table anew."""
    op.execute(f"ALTER TABLE {table} ADD COLUMN {column} CONSTRAINT ck_{table}_{name} CHECK ({check})")


def _add_pointer(table: str, column: str, to: str) -> None:
    kind = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(
        f"ALTER TABLE {table} ADD COLUMN {column} {kind} CONSTRAINT fk_{table}_{column} REFERENCES {to} (id)"
    )


def _index_the_live(live: sa.TextClause) -> None:
    op.drop_index("uq_registrations_live", "registrations")
    op.create_index(
        "uq_registrations_live",
        "registrations",
        ["resident_id", "run_id"],
        unique=True,
        postgresql_where=live,
        sqlite_where=live,
    )
