"""Notices: those that ended without surely arriving are found without walking through the others

Revision: 0009
After: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

DEAD = sa.text("delivery IN ('refused', 'failed', 'unknown', 'capped')")


def upgrade() -> None:
    op.create_index(
        "ix_notices_dead", "notices", ["settled_at", "id"], postgresql_where=DEAD, sqlite_where=DEAD
    )


def downgrade() -> None:
    op.drop_index("ix_notices_dead", "notices")
