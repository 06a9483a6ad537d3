"""Pushes: what WeChat tells by itself; both reports of one answer; what was read, and what arrived

Revision: 0007
After: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OWED = sa.text("state = 'owed'")
UNREAD = sa.text("read_at IS NULL")
UNALLOWED = sa.text("delivery IN ('not_granted', 'refused')")


def upgrade() -> None:
    op.create_table(
        "pushes",
        sa.Column("dedupe_key", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("openid", sa.String(256), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trace_id", sa.String(256), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.String(80), nullable=True),
        sa.Column("outcome", sa.String(40), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pushes")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_pushes_dedupe_key")),
    )
    op.create_index("ix_pushes_owed", "pushes", ["due_at", "id"], postgresql_where=OWED, sqlite_where=OWED)
    op.create_index(op.f("ix_pushes_trace_id"), "pushes", ["trace_id"])
    op.create_index(op.f("ix_pushes_received_at"), "pushes", ["received_at"])
    op.create_table(
        "push_stamps",
        sa.Column("stamp", sa.String(40), nullable=False),
        sa.Column("told", sa.String(40), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_stamps")),
        sa.UniqueConstraint("stamp", name=op.f("uq_push_stamps_stamp")),
    )
    op.create_index(op.f("ix_push_stamps_seen_at"), "push_stamps", ["seen_at"])
    op.create_table(
        "grant_reports",
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("template", sa.String(40), nullable=False),
        sa.Column("source", sa.String(24), nullable=False),
        sa.Column("answer", sa.String(24), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("matched", sa.Boolean(), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_grant_reports_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant_reports")),
    )
    op.create_index("ix_grant_reports_answer", "grant_reports", ["account_id", "template", "at"])
    op.create_index(op.f("ix_grant_reports_at"), "grant_reports", ["at"])
    op.add_column("message_grants", sa.Column("turned_off_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("notices", sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_notices_unread", "notices", ["account_id"], postgresql_where=UNREAD, sqlite_where=UNREAD
    )
    op.create_index(
        "ix_notices_unallowed", "notices", ["settled_at"], postgresql_where=UNALLOWED, sqlite_where=UNALLOWED
    )


def downgrade() -> None:
    op.drop_index("ix_notices_unallowed", "notices")
    op.drop_index("ix_notices_unread", "notices")
    op.drop_column("notices", "arrived_at")
    op.drop_column("message_grants", "turned_off_at")
    op.drop_table("grant_reports")
    op.drop_table("push_stamps")
    op.drop_table("pushes")
