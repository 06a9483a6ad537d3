"""Wishes: what people of a community wish, the pictures of it, who needs the same, and the rounds they are collected in

Revision: 0042
After: 0041
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wish_rounds",
        sa.Column("region_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.String(20), nullable=False),
        sa.Column("about", sa.String(200), server_default="", nullable=False),
        sa.Column("collects_from", sa.Date(), nullable=False),
        sa.Column("collects_until", sa.Date(), nullable=False),
        sa.Column("shown_on", sa.Date(), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("collects_until >= collects_from", name=op.f("ck_wish_rounds_from_to")),
        sa.CheckConstraint("shown_on >= collects_from", name=op.f("ck_wish_rounds_shown_after_it_begins")),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_wish_rounds_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wish_rounds")),
        sa.UniqueConstraint("key", name=op.f("uq_wish_rounds_key")),
        sa.UniqueConstraint("region_id", "title", name=op.f("uq_wish_rounds_region_id_title")),
    )
    op.create_table(
        "wishes",
        sa.Column("region_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("resident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("by_account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("round_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("source", sa.String(24), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("words_are_sure", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("quantity", sa.Integer(), server_default="1", nullable=False),
        sa.Column("piece", sa.String(4), server_default="件", nullable=False),
        sa.Column("value_yuan", sa.Integer(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("address_fingerprint", sa.String(64), nullable=True),
        sa.Column("hardship", sa.Text(), nullable=True),
        sa.Column("nickname", sa.String(10), server_default="", nullable=False),
        sa.Column("hand_over", sa.String(24), nullable=False),
        sa.Column("may_share", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("may_share_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("review_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("because", sa.String(100), server_default="", nullable=False),
        sa.Column("title", sa.String(20), server_default="", nullable=False),
        sa.Column("public_words", sa.String(200), server_default="", nullable=False),
        sa.Column("age_band", sa.String(24), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("supporters", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "(state = 'published') <= (published_at IS NOT NULL)",
            name=op.f("ck_wishes_published_at_a_moment"),
        ),
        sa.CheckConstraint("1 <= quantity AND quantity <= 20", name=op.f("ck_wishes_some_pieces")),
        sa.CheckConstraint("supporters >= 0", name=op.f("ck_wishes_supporters_not_below_nothing")),
        sa.ForeignKeyConstraint(["by_account_id"], ["accounts.id"], name=op.f("fk_wishes_by_account_id")),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_wishes_region_id")),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_wishes_resident_id")),
        sa.ForeignKeyConstraint(["round_id"], ["wish_rounds.id"], name=op.f("fk_wishes_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wishes")),
        sa.UniqueConstraint("key", name=op.f("uq_wishes_key")),
        sa.UniqueConstraint("region_id", "number", name=op.f("uq_wishes_region_id_number")),
    )
    with op.batch_alter_table("wishes", schema=None) as batch_op:
        batch_op.create_index("ix_wishes_address", ["region_id", "address_fingerprint"], unique=False)
        batch_op.create_index("ix_wishes_ended", ["ended_at"], unique=False)
        batch_op.create_index(
            "ix_wishes_open",
            ["region_id", "id"],
            unique=False,
            postgresql_where=sa.text("state IN ('submitted', 'need_info', 'approved', 'published')"),
            sqlite_where=sa.text("state IN ('submitted', 'need_info', 'approved', 'published')"),
        )
        batch_op.create_index("ix_wishes_resident", ["resident_id"], unique=False)
        batch_op.create_index(
            "ix_wishes_review",
            ["submitted_at"],
            unique=False,
            postgresql_where=sa.text("state = 'submitted'"),
            sqlite_where=sa.text("state = 'submitted'"),
        )
        batch_op.create_index(
            "ix_wishes_to_show",
            ["round_id"],
            unique=False,
            postgresql_where=sa.text("state = 'approved'"),
            sqlite_where=sa.text("state = 'approved'"),
        )
        batch_op.create_index(
            "ix_wishes_wall",
            ["priority", "published_at", "id"],
            unique=False,
            postgresql_where=sa.text("state = 'published'"),
            sqlite_where=sa.text("state = 'published'"),
        )
        batch_op.create_index(
            "ix_wishes_wall_of_region",
            ["region_id", "priority", "published_at", "id"],
            unique=False,
            postgresql_where=sa.text("state = 'published'"),
            sqlite_where=sa.text("state = 'published'"),
        )

    op.create_table(
        "wish_photos",
        sa.Column("wish_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("file", sa.String(16), nullable=False),
        sa.Column("thumbnail", sa.String(16), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("is_sure", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_public", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["wish_id"], ["wishes.id"], name=op.f("fk_wish_photos_wish_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wish_photos")),
        sa.UniqueConstraint("key", name=op.f("uq_wish_photos_key")),
    )
    with op.batch_alter_table("wish_photos", schema=None) as batch_op:
        batch_op.create_index("ix_wish_photos_wish", ["wish_id"], unique=False)

    op.create_table(
        "wish_supports",
        sa.Column("wish_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("resident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_wish_supports_resident_id")),
        sa.ForeignKeyConstraint(["wish_id"], ["wishes.id"], name=op.f("fk_wish_supports_wish_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wish_supports")),
        sa.UniqueConstraint("wish_id", "resident_id", name=op.f("uq_wish_supports_wish_id_resident_id")),
    )
    with op.batch_alter_table("wish_supports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_wish_supports_resident_id"), ["resident_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("wish_supports", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_wish_supports_resident_id"))

    op.drop_table("wish_supports")
    with op.batch_alter_table("wish_photos", schema=None) as batch_op:
        batch_op.drop_index("ix_wish_photos_wish")

    op.drop_table("wish_photos")
    with op.batch_alter_table("wishes", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_wishes_wall_of_region",
            postgresql_where=sa.text("state = 'published'"),
            sqlite_where=sa.text("state = 'published'"),
        )
        batch_op.drop_index(
            "ix_wishes_wall",
            postgresql_where=sa.text("state = 'published'"),
            sqlite_where=sa.text("state = 'published'"),
        )
        batch_op.drop_index(
            "ix_wishes_to_show",
            postgresql_where=sa.text("state = 'approved'"),
            sqlite_where=sa.text("state = 'approved'"),
        )
        batch_op.drop_index(
            "ix_wishes_review",
            postgresql_where=sa.text("state = 'submitted'"),
            sqlite_where=sa.text("state = 'submitted'"),
        )
        batch_op.drop_index("ix_wishes_resident")
        batch_op.drop_index(
            "ix_wishes_open",
            postgresql_where=sa.text("state IN ('submitted', 'need_info', 'approved', 'published')"),
            sqlite_where=sa.text("state IN ('submitted', 'need_info', 'approved', 'published')"),
        )
        batch_op.drop_index("ix_wishes_ended")
        batch_op.drop_index("ix_wishes_address")

    op.drop_table("wishes")
    op.drop_table("wish_rounds")
