"""The time to review: by when staff are to look at a reservation that waits for them

Revision: 0047
After: 0046
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("reservations") as batch:
        batch.add_column(sa.Column("review_due_at", sa.DateTime(timezone=True), nullable=True))

    # what waits already is to be looked at within a day from now: its own clock never began
    reservations = sa.table(
        "reservations",
        sa.column("state", sa.String),
        sa.column("review_due_at", sa.DateTime(timezone=True)),
    )
    op.execute(
        reservations.update()
        .where(reservations.c.state == "pending")
        .values(review_due_at=datetime.now(UTC) + timedelta(days=1))
    )


def downgrade() -> None:
    with op.batch_alter_table("reservations") as batch:
        batch.drop_column("review_due_at")
