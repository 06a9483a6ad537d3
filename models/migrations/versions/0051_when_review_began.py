"""When review began: since when a reservation waits for staff, so that the time to review can be wound anew

Revision: 0051
After: 0050
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("reservations") as batch:
        batch.add_column(sa.Column("review_began_at", sa.DateTime(timezone=True), nullable=True))

    # what waits now has waited since it was reserved, or since its person accepted what was offered
    op.execute(
        "UPDATE reservations SET review_began_at = coalesce("
        "(SELECT max(journal_entries.at) FROM journal_entries"
        " WHERE journal_entries.subject_kind = 'reservations'"
        " AND journal_entries.subject_id = reservations.id"
        " AND journal_entries.act = 'reservation.accepted'), reserved_at) "
        "WHERE state = 'pending'"
    )


def downgrade() -> None:
    with op.batch_alter_table("reservations") as batch:
        batch.drop_column("review_began_at")
