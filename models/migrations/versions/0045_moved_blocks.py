"""Blocks of agreements that were moved: the room a block of one day has, where it is not the agreement's

Revision: 0045
After: 0044
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("service_holds") as batch:
        batch.add_column(
            sa.Column("elsewhere_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch.create_foreign_key(
            batch.f("fk_service_holds_elsewhere_id"), "venues", ["elsewhere_id"], ["id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("service_holds") as batch:
        batch.drop_constraint(batch.f("fk_service_holds_elsewhere_id"), type_="foreignkey")
        batch.drop_column("elsewhere_id")
