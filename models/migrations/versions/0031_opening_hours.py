"""Opening hours, and who may use a room and how

Revision: 0031
After: 0030
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "openings",
        sa.Column("id", big, nullable=False),
        sa.Column("site_id", big, nullable=False),
        sa.Column("venue_id", big, nullable=True),
        sa.Column("on", sa.String(24), nullable=False),
        sa.Column("opens_minute", sa.Integer(), nullable=False),
        sa.Column("closes_minute", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "0 <= opens_minute AND opens_minute < closes_minute AND closes_minute <= 1440",
            name=op.f("ck_openings_within_a_day"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_openings_site_id")),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_openings_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_openings")),
    )
    op.create_index("ix_openings_site", "openings", ["site_id"])
    op.create_index("ix_openings_venue", "openings", ["venue_id"])
    op.add_column("venues", sa.Column("floor", sa.String(20), nullable=False, server_default=""))
    op.add_column("venues", sa.Column("use", sa.String(24), nullable=False, server_default="reviewed"))
    op.add_column("venues", sa.Column("access_note", sa.String(200), nullable=False, server_default=""))


def downgrade() -> None:
    for name in ("access_note", "use", "floor"):
        op.drop_column("venues", name)
    op.drop_index("ix_openings_venue", "openings")
    op.drop_index("ix_openings_site", "openings")
    op.drop_table("openings")
