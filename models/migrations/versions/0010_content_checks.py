"""Content checks: what WeChat and staff said of what people wrote and showed

Revision: 0010
After: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("state IN ('pending', 'waiting')")
PENDING = sa.text("state = 'pending'")
WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    op.create_table(
        "content_checks",
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("subject_kind", sa.String(40), nullable=False),
        sa.Column("subject_key", sa.String(16), nullable=True),
        sa.Column("field", sa.String(40), nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("resident_id", BIG, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("held_because", sa.String(24), nullable=True),
        sa.Column("label", sa.Integer(), nullable=True),
        sa.Column("trace_id", sa.String(256), nullable=True),
        sa.Column("written", sa.Text(), nullable=True),
        sa.Column("image_url", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.String(64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", BIG, nullable=True),
        sa.Column("reason", sa.String(80), nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'waiting') OR (written IS NULL AND image_url IS NULL)",
            name=op.f("ck_content_checks_kept_only_while_open"),
        ),
        sa.CheckConstraint(
            "state <> 'waiting' OR held_at IS NOT NULL", name=op.f("ck_content_checks_waits_since")
        ),
        sa.CheckConstraint(
            "(state IN ('approved', 'rejected')) = (decided_at IS NOT NULL)",
            name=op.f("ck_content_checks_decided"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_content_checks_account_id")),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["residents.id"], name=op.f("fk_content_checks_resident_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["staff_members.id"], name=op.f("fk_content_checks_decided_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_checks")),
        sa.UniqueConstraint("key", name=op.f("uq_content_checks_key")),
        sa.UniqueConstraint("trace_id", name=op.f("uq_content_checks_trace_id")),
    )
    op.create_index(
        "uq_content_checks_open",
        "content_checks",
        ["subject_kind", "subject_key", "field"],
        unique=True,
        postgresql_where=OPEN,
        sqlite_where=OPEN,
    )
    op.create_index("ix_content_checks_subject", "content_checks", ["subject_kind", "subject_key", "field"])
    op.create_index(
        "ix_content_checks_pending",
        "content_checks",
        ["created_at"],
        postgresql_where=PENDING,
        sqlite_where=PENDING,
    )
    op.create_index(
        "ix_content_checks_waiting", "content_checks", ["id"], postgresql_where=WAITING, sqlite_where=WAITING
    )
    op.create_index("ix_content_checks_account", "content_checks", ["account_id", "created_at"])
    op.create_index(op.f("ix_content_checks_resident_id"), "content_checks", ["resident_id"])
    op.create_index(op.f("ix_content_checks_created_at"), "content_checks", ["created_at"])


def downgrade() -> None:
    op.drop_table("content_checks")
