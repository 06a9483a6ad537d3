"""Joining: the code with which somebody entered at the counter makes the entry their own

Revision: 0030
After: 0029
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

INDEX = "uq_residents_joining_fingerprint"


def upgrade() -> None:
    op.add_column("residents", sa.Column("joining_fingerprint", sa.String(64), nullable=True))
    op.add_column("residents", sa.Column("joining_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(INDEX, "residents", ["joining_fingerprint"], unique=True)


def downgrade() -> None:
    op.drop_index(INDEX, table_name="residents")
    op.drop_column("residents", "joining_until")
    op.drop_column("residents", "joining_fingerprint")
