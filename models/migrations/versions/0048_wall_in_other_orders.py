"""The wall of wishes in other orders: the newest first, and what hangs for the shortest time to come

Revision: 0048
After: 0047
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

_IS_PUBLISHED = sa.text("state = 'published'")
_ORDERS = {
    "ix_wishes_wall_newest": ["published_at", "id"],
    "ix_wishes_wall_newest_of_region": ["region_id", "published_at", "id"],
    "ix_wishes_wall_ending": ["due_at", "id"],
    "ix_wishes_wall_ending_of_region": ["region_id", "due_at", "id"],
}


def upgrade() -> None:
    with op.batch_alter_table("wishes", schema=None) as batch_op:
        for name, columns in _ORDERS.items():
            batch_op.create_index(
                name, columns, unique=False, postgresql_where=_IS_PUBLISHED, sqlite_where=_IS_PUBLISHED
            )


def downgrade() -> None:
    with op.batch_alter_table("wishes", schema=None) as batch_op:
        for name in reversed(_ORDERS):
            batch_op.drop_index(name, postgresql_where=_IS_PUBLISHED, sqlite_where=_IS_PUBLISHED)
