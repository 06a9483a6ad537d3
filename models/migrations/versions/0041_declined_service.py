"""A record of service that was declined, and why

Revision: 0041
After: 0040
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

GUARD = "confirmed_at IS NULL OR declined_at IS NULL"


def upgrade() -> None:
    with op.batch_alter_table("service_deliveries") as deliveries:
        deliveries.add_column(sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True))
        deliveries.add_column(
            sa.Column("declined_because", sa.String(100), nullable=False, server_default="")
        )
        deliveries.create_check_constraint(op.f("ck_service_deliveries_confirmed_or_declined"), GUARD)


def downgrade() -> None:
    with op.batch_alter_table("service_deliveries") as deliveries:
        deliveries.drop_constraint(op.f("ck_service_deliveries_confirmed_or_declined"), type_="check")
        for name in ("declined_because", "declined_at"):
            deliveries.drop_column(name)
