"""Feedback: how a class was, by whoever was there

Revision: 0021
After: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "feedbacks",
        sa.Column("id", big, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("registration_id", big, nullable=False),
        sa.Column("by_account_id", big, nullable=True),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_feedbacks_one_to_five")),
        sa.ForeignKeyConstraint(["by_account_id"], ["accounts.id"], name=op.f("fk_feedbacks_by_account_id")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_feedbacks_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedbacks")),
        sa.UniqueConstraint("key", name=op.f("uq_feedbacks_key")),
        sa.UniqueConstraint("registration_id", name=op.f("uq_feedbacks_registration_id")),
    )


def downgrade() -> None:
    op.drop_table("feedbacks")
