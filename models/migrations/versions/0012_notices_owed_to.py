"""Notices: everything a person is owed is found by person, not only what was tried before

Revision: 0012
After: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

PUT_BACK = sa.text("delivery = 'owed' AND attempts > 0")
OWED = sa.text("delivery = 'owed'")


def upgrade() -> None:
    op.drop_index("ix_notices_put_back", "notices")
    op.create_index(
        "ix_notices_owed_to", "notices", ["account_id"], postgresql_where=OWED, sqlite_where=OWED
    )


def downgrade() -> None:
    op.drop_index("ix_notices_owed_to", "notices")
    op.create_index(
        "ix_notices_put_back", "notices", ["account_id"], postgresql_where=PUT_BACK, sqlite_where=PUT_BACK
    )
