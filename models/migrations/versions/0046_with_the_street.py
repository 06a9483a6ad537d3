"""With the street: clocks of wishes, turns on the wall, issue orders and joint meetings

Revision: 0046
After: 0045
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

_WAS_OPEN = "state IN ('submitted', 'need_info', 'approved', 'published', 'claimed')"
_IS_OPEN = "state IN ('submitted', 'need_info', 'approved', 'published', 'claimed', 'escalated', 'converted')"


def upgrade() -> None:
    op.create_table(
        "joint_meetings",
        sa.Column("region_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.String(20), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.String(20), nullable=False),
        sa.Column("called_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("called_off_because", sa.String(100), server_default="", nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_joint_meetings_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_joint_meetings")),
        sa.UniqueConstraint("key", name=op.f("uq_joint_meetings_key")),
    )
    with op.batch_alter_table("joint_meetings", schema=None) as batch_op:
        batch_op.create_index("ix_joint_meetings_region", ["region_id", "starts_at"], unique=False)

    op.create_table(
        "issue_orders",
        sa.Column("region_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("wish_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.String(24), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("title", sa.String(20), nullable=False),
        sa.Column("words", sa.String(200), server_default="", nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("meeting_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("claim_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("because", sa.String(200), server_default="", nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_issue_orders_claim_id")),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["joint_meetings.id"], name=op.f("fk_issue_orders_meeting_id")
        ),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_issue_orders_region_id")),
        sa.ForeignKeyConstraint(["wish_id"], ["wishes.id"], name=op.f("fk_issue_orders_wish_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue_orders")),
        sa.UniqueConstraint("key", name=op.f("uq_issue_orders_key")),
        sa.UniqueConstraint("region_id", "number", name=op.f("uq_issue_orders_region_id_number")),
    )
    with op.batch_alter_table("issue_orders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_issue_orders_meeting_id"), ["meeting_id"], unique=False)
        batch_op.create_index("ix_issue_orders_state", ["region_id", "state", "id"], unique=False)
        batch_op.create_index("ix_issue_orders_wish", ["wish_id"], unique=False)
        batch_op.create_index(
            "uq_issue_orders_open",
            ["wish_id"],
            unique=True,
            postgresql_where=sa.text("state IN ('waiting', 'assigned')"),
            sqlite_where=sa.text("state IN ('waiting', 'assigned')"),
        )

    with op.batch_alter_table("wishes", schema=None) as batch_op:
        batch_op.alter_column("review_due_at", new_column_name="due_at")

    with op.batch_alter_table("wishes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("urged_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("turn", sa.Integer(), server_default="0", nullable=False))
        batch_op.create_index(
            "ix_wishes_due",
            ["due_at"],
            unique=False,
            postgresql_where=sa.text("due_at IS NOT NULL"),
            sqlite_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_wishes_remind",
            ["remind_at"],
            unique=False,
            postgresql_where=sa.text("remind_at IS NOT NULL"),
            sqlite_where=sa.text("remind_at IS NOT NULL"),
        )
        batch_op.create_check_constraint(op.f("ck_wishes_turn_not_below_nothing"), "turn >= 0")
        batch_op.drop_index("ix_wishes_open")
        batch_op.create_index(
            "ix_wishes_open",
            ["region_id", "id"],
            unique=False,
            postgresql_where=sa.text(_IS_OPEN),
            sqlite_where=sa.text(_IS_OPEN),
        )

    # what hung already had its first turn, and what hangs has days of its own from today on
    wishes = sa.table(
        "wishes",
        sa.column("state", sa.String),
        sa.column("turn", sa.Integer),
        sa.column("published_at", sa.DateTime(timezone=True)),
        sa.column("due_at", sa.DateTime(timezone=True)),
    )
    op.execute(wishes.update().where(wishes.c.published_at.is_not(None)).values(turn=1))
    op.execute(
        wishes.update()
        .where(wishes.c.state == "published")
        .values(due_at=datetime.now(UTC) + timedelta(days=15))
    )


def downgrade() -> None:
    with op.batch_alter_table("wishes", schema=None) as batch_op:
        batch_op.drop_index("ix_wishes_open")
        batch_op.create_index(
            "ix_wishes_open",
            ["region_id", "id"],
            unique=False,
            postgresql_where=sa.text(_WAS_OPEN),
            sqlite_where=sa.text(_WAS_OPEN),
        )
        batch_op.drop_index(
            "ix_wishes_remind",
            postgresql_where=sa.text("remind_at IS NOT NULL"),
            sqlite_where=sa.text("remind_at IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_wishes_due",
            postgresql_where=sa.text("due_at IS NOT NULL"),
            sqlite_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.drop_constraint(op.f("ck_wishes_turn_not_below_nothing"), type_="check")
        batch_op.drop_column("turn")
        batch_op.drop_column("urged_at")
        batch_op.drop_column("remind_at")

    with op.batch_alter_table("wishes", schema=None) as batch_op:
        batch_op.alter_column("due_at", new_column_name="review_due_at")

    with op.batch_alter_table("issue_orders", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_issue_orders_open",
            postgresql_where=sa.text("state IN ('waiting', 'assigned')"),
            sqlite_where=sa.text("state IN ('waiting', 'assigned')"),
        )
        batch_op.drop_index("ix_issue_orders_wish")
        batch_op.drop_index("ix_issue_orders_state")
        batch_op.drop_index(batch_op.f("ix_issue_orders_meeting_id"))

    op.drop_table("issue_orders")
    with op.batch_alter_table("joint_meetings", schema=None) as batch_op:
        batch_op.drop_index("ix_joint_meetings_region")

    op.drop_table("joint_meetings")
