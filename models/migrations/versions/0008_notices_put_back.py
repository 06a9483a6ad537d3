"""Notices: what waits for its next try is found by person, because it goes before what came after it

Revision: 0008
After: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PUT_BACK = sa.text("delivery = 'owed' AND attempts > 0")


def upgrade() -> None:
    op.create_index(
        "ix_notices_put_back", "notices", ["account_id"], postgresql_where=PUT_BACK, sqlite_where=PUT_BACK
    )


def downgrade() -> None:
    op.drop_index("ix_notices_put_back", "notices")
