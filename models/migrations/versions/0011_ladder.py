"""The ladder: short messages and calls for what must arrive and WeChat could not tell

Revision: 0011
After: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TO_PASS_ON = sa.text(
    "must_arrive AND passed_on_at IS NULL AND read_at IS NULL"
    " AND delivery IN ('not_granted', 'capped', 'refused', 'failed')"
)
TO_DO = sa.text("state IN ('open', 'not_reached')")


def news(table: str) -> list[sa.schema.SchemaItem]:
    """What every row that tells something has."""
    return [
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("subject_key", sa.String(16), nullable=False),
        sa.Column("dedupe_key", sa.String(120), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("resident_id", BIG, nullable=False),
        sa.Column("region_id", BIG, nullable=False),
        sa.Column("notice_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f(f"fk_{table}_resident_id")),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f(f"fk_{table}_region_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name=op.f(f"fk_{table}_notice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("dedupe_key", name=op.f(f"uq_{table}_dedupe_key")),
        sa.UniqueConstraint("key", name=op.f(f"uq_{table}_key")),
    ]


def upgrade() -> None:
    op.add_column(
        "notices", sa.Column("must_arrive", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("notices", sa.Column("passed_on_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_notices_to_pass_on",
        "notices",
        ["settled_at", "id"],
        postgresql_where=TO_PASS_ON,
        sqlite_where=TO_PASS_ON,
    )
    op.create_table(
        "short_messages",
        *news("short_messages"),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_by", sa.String(40), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(80), nullable=True),
        sa.Column("serial", sa.String(64), nullable=True),
    )
    for state, columns in (
        ("owed", ["due_at", "id"]),
        ("sending", ["resident_id", "claimed_at"]),
        ("sent", ["resident_id", "settled_at"]),
    ):
        where = sa.text(f"state = '{state}'")
        op.create_index(
            f"ix_short_messages_{state}",
            "short_messages",
            columns,
            postgresql_where=where,
            sqlite_where=where,
        )
    op.create_index("ix_short_messages_resident", "short_messages", ["resident_id", "id"])
    op.create_table(
        "calls",
        *news("calls"),
        sa.Column("reason", sa.String(24), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by_staff_id", BIG, nullable=True),
        sa.Column("note", sa.String(80), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wrong_phone", sa.String(64), nullable=True),
        sa.ForeignKeyConstraint(["by_staff_id"], ["staff_members.id"], name=op.f("fk_calls_by_staff_id")),
        sa.CheckConstraint(
            "(state IN ('open', 'not_reached')) = (settled_at IS NULL)",
            name=op.f("ck_calls_settled_has_a_time"),
        ),
    )
    op.create_index("ix_calls_resident", "calls", ["resident_id"])
    op.create_index("ix_calls_list", "calls", ["region_id", "state", "due_at", "id"])
    op.create_index("ix_calls_to_do", "calls", ["id"], postgresql_where=TO_DO, sqlite_where=TO_DO)


def downgrade() -> None:
    op.drop_table("calls")
    op.drop_table("short_messages")
    op.drop_index("ix_notices_to_pass_on", "notices")
    op.drop_column("notices", "passed_on_at")
    op.drop_column("notices", "must_arrive")
