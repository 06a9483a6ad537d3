"""Since when somebody lives where they moved to

Revision: 0018
After: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("residents", sa.Column("home_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("residents", "home_since")
