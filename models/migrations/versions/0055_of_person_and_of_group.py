"""Of a person and of a group: a leader may have, or wait for, what the group has or waits for too

Revision: 0055
After: 0054
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

LIVE = "state IN ('waitlisted', 'offered', 'pending', 'approved', 'checked_in')"
OF_WHOM = {
    "uq_reservations_live_of_person": ("resident_id", f"{LIVE} AND group_id IS NULL"),
    "uq_reservations_live_of_group": ("group_id", f"{LIVE} AND group_id IS NOT NULL"),
}


def upgrade() -> None:
    op.drop_index("uq_reservations_live", table_name="reservations")
    for name, (whose, where) in OF_WHOM.items():
        guard(name, whose, where)


def downgrade() -> None:
    for name in OF_WHOM:
        op.drop_index(name, table_name="reservations")
    # the older guard knows one of what a leader and a group of theirs want alike: of those that only wait, the later is over
    op.execute(
        "UPDATE reservations SET state = 'cancelled', cancelled_by = 'too_late' WHERE state = 'waitlisted' "
        "AND EXISTS (SELECT 1 FROM reservations AS other WHERE other.id <> reservations.id "
        "AND other.resident_id = reservations.resident_id AND other.venue_id = reservations.venue_id "
        "AND other.starts_at = reservations.starts_at AND other.ends_at = reservations.ends_at "
        "AND other.state IN ('waitlisted', 'offered', 'pending', 'approved', 'checked_in') "
        "AND (other.state <> 'waitlisted' OR other.id < reservations.id))"
    )
    guard("uq_reservations_live", "resident_id", LIVE)


def guard(name: str, whose: str, where: str) -> None:
    """One live reservation of one room at one time."""
    op.create_index(
        name,
        "reservations",
        [whose, "venue_id", "starts_at", "ends_at"],
        unique=True,
        postgresql_where=sa.text(where),
        sqlite_where=sa.text(where),
    )
