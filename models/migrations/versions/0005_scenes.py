"""Scenes: what stands in mini-program codes and links, and how often it was looked at

Revision: 0005
After: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LIVE = sa.text("revoked_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "scenes",
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("subject_key", sa.String(16), nullable=False),
        sa.Column("page", sa.String(128), nullable=False),
        sa.Column("region_id", BIG, nullable=False),
        sa.Column("created_by_id", BIG, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("link", sa.String(200), nullable=True),
        sa.Column("link_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.CheckConstraint(
            "expires_at IS NULL OR expires_at > created_at", name=op.f("ck_scenes_expires_after_made")
        ),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_scenes_region_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["accounts.id"], name=op.f("fk_scenes_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scenes")),
        sa.UniqueConstraint("key", name=op.f("uq_scenes_key")),
    )
    op.create_index(
        "uq_scenes_live",
        "scenes",
        ["kind", "subject_key"],
        unique=True,
        postgresql_where=LIVE,
        sqlite_where=LIVE,
    )
    op.create_table(
        "scene_looks",
        sa.Column("scene_id", BIG, nullable=False),
        sa.Column("looked_on", sa.Date(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["scene_id"], ["scenes.id"], name=op.f("fk_scene_looks_scene_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scene_looks")),
        sa.UniqueConstraint("scene_id", "looked_on", name=op.f("uq_scene_looks_scene_id_looked_on")),
    )


def downgrade() -> None:
    op.drop_table("scene_looks")
    op.drop_table("scenes")
