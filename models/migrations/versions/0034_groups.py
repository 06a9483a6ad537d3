"""Groups, led by residents

Revision: 0034
After: 0033
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
LIVE = sa.text("state IN ('applied', 'approved', 'suspended')")


def upgrade() -> None:
    op.create_table(
        "groups",
        sa.Column("region_id", BIG, nullable=False),
        sa.Column("leader_id", BIG, nullable=True),
        sa.Column("leaderless_at", MOMENT, nullable=True),
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("members_count", sa.Integer(), nullable=False),
        sa.Column("about", sa.String(200), nullable=False),
        sa.Column("name_is_sure", sa.Boolean(), nullable=False),
        sa.Column("about_is_sure", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("reason", sa.String(100), nullable=True),
        sa.Column("suspended_until", sa.Date(), nullable=True),
        sa.Column("applied_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("handover_fingerprint", sa.String(64), nullable=True),
        sa.Column("handover_until", MOMENT, nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.CheckConstraint("members_count > 0", name=op.f("ck_groups_has_members")),
        sa.CheckConstraint(
            "(state = 'suspended') = (suspended_until IS NOT NULL)", name=op.f("ck_groups_suspended_until_a_day")
        ),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_groups_region_id")),
        sa.ForeignKeyConstraint(["leader_id"], ["residents.id"], name=op.f("fk_groups_leader_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("key", name=op.f("uq_groups_key")),
    )
    op.create_index(op.f("ix_groups_leader_id"), "groups", ["leader_id"])
    op.create_index(
        "uq_groups_live_name",
        "groups",
        ["region_id", "name"],
        unique=True,
        postgresql_where=LIVE,
        sqlite_where=LIVE,
    )
    op.create_index("uq_groups_handover_fingerprint", "groups", ["handover_fingerprint"], unique=True)


def downgrade() -> None:
    op.drop_table("groups")
