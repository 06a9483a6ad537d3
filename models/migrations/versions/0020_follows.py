"""Follows, the day's digest of new classes, and indexes for what is published and what opens when

Revision: 0020
After: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNTOLD = sa.text("told_at IS NULL")
PUBLISHED = sa.text("state = 'published'")


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "follows",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("region_id", BIG, nullable=True),
        sa.Column("course_id", BIG, nullable=True),
        sa.Column("muted", sa.Boolean(), nullable=False),
        sa.Column("followed_at", moment, nullable=False),
        sa.CheckConstraint("(region_id IS NULL) <> (course_id IS NULL)", name=op.f("ck_follows_of_one_thing")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_follows_account_id")),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_follows_region_id")),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_follows_course_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follows")),
        sa.UniqueConstraint("account_id", "region_id", name=op.f("uq_follows_account_id_region_id")),
        sa.UniqueConstraint("account_id", "course_id", name=op.f("uq_follows_account_id_course_id")),
    )
    op.create_index("ix_follows_region", "follows", ["region_id", "account_id"])
    op.create_index("ix_follows_course", "follows", ["course_id", "account_id"])
    op.create_table(
        "digests",
        sa.Column("id", BIG, nullable=False),
        sa.Column("region_id", BIG, nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("covers_from", moment, nullable=False),
        sa.Column("covers_until", moment, nullable=False),
        sa.Column("told_through", BIG, nullable=False),
        sa.Column("told_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_digests_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digests")),
        sa.UniqueConstraint("region_id", "on", name=op.f("uq_digests_region_id_on")),
    )
    op.create_index("ix_digests_untold", "digests", ["id"], postgresql_where=UNTOLD, sqlite_where=UNTOLD)
    for name, columns in (
        ("ix_course_runs_published", ["published_at"]),
        ("ix_course_runs_opens", ["opens_at"]),
    ):
        op.create_index(name, "course_runs", columns, postgresql_where=PUBLISHED, sqlite_where=PUBLISHED)


def downgrade() -> None:
    op.drop_index("ix_course_runs_opens", "course_runs")
    op.drop_index("ix_course_runs_published", "course_runs")
    op.drop_table("digests")
    op.drop_table("follows")
