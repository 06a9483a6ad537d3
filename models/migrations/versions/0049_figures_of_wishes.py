"""Figures of wishes: what was published, agreed to, promised and rated on some days is found by its day

Revision: 0049
After: 0048
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

_DAYS = (
    ("wishes", "ix_wishes_published", "published_at"),
    ("claims", "ix_claims_agreed", "agreed_at"),
    ("claims", "ix_claims_promised", "promised_on"),
    ("ratings", "ix_ratings_rated", "rated_at"),
)


def upgrade() -> None:
    for table, name, column in _DAYS:
        which = sa.text("turn > 0") if table == "wishes" else None
        op.create_index(
            name, table, [column], unique=False, postgresql_where=which, sqlite_where=which
        )


def downgrade() -> None:
    for table, name, _ in reversed(_DAYS):
        op.drop_index(name, table_name=table)
