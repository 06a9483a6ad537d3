"""Pairs: what somebody comes along to with a child is found by who they are

Revision: 0027
After: 0026
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

IS_PAIR = sa.text("paired_with_id IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_registrations_paired",
        "registrations",
        ["paired_with_id"],
        postgresql_where=IS_PAIR,
        sqlite_where=IS_PAIR,
    )


def downgrade() -> None:
    op.drop_index("ix_registrations_paired", table_name="registrations")
