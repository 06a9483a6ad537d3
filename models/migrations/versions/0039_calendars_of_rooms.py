"""The calendar feed of a room

Revision: 0039
After: 0038
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "venue_feeds",
        sa.Column("venue_id", BIG, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_venue_feeds_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_venue_feeds")),
        sa.UniqueConstraint("key", name=op.f("uq_venue_feeds_key")),
        sa.UniqueConstraint("venue_id", name=op.f("uq_venue_feeds_venue_id")),
    )


def downgrade() -> None:
    op.drop_table("venue_feeds")
