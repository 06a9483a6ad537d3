"""Returned once: how often an item of the street was given back, how often a meeting was changed, and room for a written answer

Revision: 0050
After: 0049
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("issue_orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("returns", sa.Integer(), server_default="0", nullable=False))
        batch_op.create_check_constraint(
            op.f("ck_issue_orders_returned_once_at_most"), "0 <= returns AND returns <= 1"
        )
    with op.batch_alter_table("joint_meetings", schema=None) as batch_op:
        batch_op.add_column(sa.Column("changes", sa.Integer(), server_default="0", nullable=False))
    with op.batch_alter_table("wishes", schema=None) as batch_op:
        batch_op.alter_column(
            "because",
            existing_type=sa.String(100),
            type_=sa.String(200),
            existing_nullable=False,
            existing_server_default="",
        )


def downgrade() -> None:
    op.execute("UPDATE wishes SET because = substr(because, 1, 100)")
    with op.batch_alter_table("wishes", schema=None) as batch_op:
        batch_op.alter_column(
            "because",
            existing_type=sa.String(200),
            type_=sa.String(100),
            existing_nullable=False,
            existing_server_default="",
        )
    with op.batch_alter_table("joint_meetings", schema=None) as batch_op:
        batch_op.drop_column("changes")
    with op.batch_alter_table("issue_orders", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_issue_orders_returned_once_at_most"), type_="check")
        batch_op.drop_column("returns")
