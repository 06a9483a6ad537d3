"""Attendance: who came to which evening, the screen in the room, and what devices saw without a network

Revision: 0015
After: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
OPEN = sa.text("closed_at IS NULL")


def points(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "attendances",
        sa.Column("session_id", BIG, nullable=False),
        sa.Column("registration_id", BIG, nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("how", sa.String(24), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("reason", sa.String(24), nullable=True),
        sa.Column("because", sa.String(200), nullable=False, server_default=""),
        sa.Column("by_account_id", BIG, nullable=True),
        sa.Column("identity", sa.String(40), nullable=False, server_default="town"),
        sa.Column("id", BIG, nullable=False),
        points("attendances", "session_id", "course_sessions"),
        points("attendances", "registration_id", "registrations"),
        points("attendances", "by_account_id", "accounts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendances")),
        sa.UniqueConstraint("session_id", "registration_id", name=op.f("uq_attendances_session_id_registration_id")),
    )
    op.create_index("ix_attendances_registration", "attendances", ["registration_id"])
    op.create_table(
        "room_screens",
        sa.Column("session_id", BIG, nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        points("room_screens", "session_id", "course_sessions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room_screens")),
        sa.UniqueConstraint("key", name=op.f("uq_room_screens_key")),
    )
    op.create_index(
        "uq_room_screens_open",
        "room_screens",
        ["session_id"],
        unique=True,
        postgresql_where=OPEN,
        sqlite_where=OPEN,
    )
    op.create_table(
        "check_in_events",
        sa.Column("session_id", BIG, nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("registration_id", BIG, nullable=True),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("verdict", sa.String(24), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("id", BIG, nullable=False),
        points("check_in_events", "session_id", "course_sessions"),
        points("check_in_events", "registration_id", "registrations"),
        sa.CheckConstraint("event <> ''", name=op.f("ck_check_in_events_event_has_a_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_in_events")),
        sa.UniqueConstraint("session_id", "event", name=op.f("uq_check_in_events_session_id_event")),
    )
    op.create_index("ix_check_in_events_registration", "check_in_events", ["registration_id"])
    op.create_index("ix_check_in_events_received", "check_in_events", ["received_at"])


def downgrade() -> None:
    op.drop_table("check_in_events")
    op.drop_table("room_screens")
    op.drop_table("attendances")
