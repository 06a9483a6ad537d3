"""How many things of a site lie outside its hours, for the desk

Revision: 0040
After: 0039
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sites_outside_hours",
        sa.Column("site_id", BIG, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_sites_outside_hours_some")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_sites_outside_hours_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites_outside_hours")),
        sa.UniqueConstraint("site_id", name=op.f("uq_sites_outside_hours_site_id")),
    )


def downgrade() -> None:
    op.drop_table("sites_outside_hours")
