"""Notices: one a person under way, and how many of a day were sent, found without walking through history

Revision: 0006
After: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_notices_in_hand", ["account_id"], sa.text("delivery = 'sending'")),
    ("ix_notices_sent", ["account_id", "settled_at"], sa.text("delivery = 'sent'")),
)


def upgrade() -> None:
    for name, columns, where in INDEXES:
        op.create_index(name, "notices", columns, postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    for name, _, _ in reversed(INDEXES):
        op.drop_index(name, "notices")
