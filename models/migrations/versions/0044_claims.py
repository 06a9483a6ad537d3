"""Claims: which unit has which pieces of a wish, what it promised and did, and how who wished rates it

Revision: 0044
After: 0043
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "claims",
        sa.Column("wish_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lead_account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("plan", sa.String(200), server_default="", nullable=False),
        sa.Column("promise_version", sa.String(20), server_default="", nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=True),
        sa.Column("extended_to", sa.Date(), nullable=True),
        sa.Column("extended_because", sa.String(100), server_default="", nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.String(24), nullable=True),
        sa.Column("because", sa.String(100), server_default="", nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("1 <= pieces AND pieces <= 20", name=op.f("ck_claims_some_pieces")),
        sa.ForeignKeyConstraint(["lead_account_id"], ["accounts.id"], name=op.f("fk_claims_lead_account_id")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_claims_partner_id")),
        sa.ForeignKeyConstraint(["wish_id"], ["wishes.id"], name=op.f("fk_claims_wish_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
        sa.UniqueConstraint("key", name=op.f("uq_claims_key")),
    )
    with op.batch_alter_table("claims", schema=None) as batch_op:
        batch_op.create_index(
            "ix_claims_due",
            ["due_at"],
            unique=False,
            postgresql_where=sa.text("state IN ('applied', 'dispatched', 'in_progress', 'delivered')"),
            sqlite_where=sa.text("state IN ('applied', 'dispatched', 'in_progress', 'delivered')"),
        )
        batch_op.create_index("ix_claims_partner", ["partner_id", "id"], unique=False)
        batch_op.create_index("ix_claims_remind", ["remind_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_claims_wish_id"), ["wish_id"], unique=False)
        batch_op.create_index(
            "uq_claims_live",
            ["wish_id", "partner_id"],
            unique=True,
            postgresql_where=sa.text("state IN ('applied', 'dispatched', 'in_progress', 'delivered')"),
            sqlite_where=sa.text("state IN ('applied', 'dispatched', 'in_progress', 'delivered')"),
        )

    op.create_table(
        "claim_helpers",
        sa.Column("claim_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_claim_helpers_account_id")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_claim_helpers_claim_id")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_claim_helpers_partner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_helpers")),
        sa.UniqueConstraint("claim_id", "account_id", name=op.f("uq_claim_helpers_claim_id_account_id")),
    )
    with op.batch_alter_table("claim_helpers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_claim_helpers_account_id"), ["account_id"], unique=False)

    op.create_table(
        "fulfilments",
        sa.Column("claim_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("evidence", sa.String(24), nullable=False),
        sa.Column("note", sa.String(200), server_default="", nullable=False),
        sa.Column("minutes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(24), nullable=True),
        sa.Column(
            "settled_by_account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("is_done", sa.Boolean(), nullable=True),
        sa.Column("verdict", sa.String(200), server_default="", nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("0 <= minutes AND minutes <= 1440", name=op.f("ck_fulfilments_minutes_of_a_day")),
        sa.ForeignKeyConstraint(
            ["by_account_id"], ["accounts.id"], name=op.f("fk_fulfilments_by_account_id")
        ),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_fulfilments_claim_id")),
        sa.ForeignKeyConstraint(
            ["settled_by_account_id"], ["accounts.id"], name=op.f("fk_fulfilments_settled_by_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fulfilments")),
        sa.UniqueConstraint("key", name=op.f("uq_fulfilments_key")),
    )
    with op.batch_alter_table("fulfilments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fulfilments_claim_id"), ["claim_id"], unique=False)
        batch_op.create_index(
            "uq_fulfilments_unsettled",
            ["claim_id"],
            unique=True,
            postgresql_where=sa.text("settled_at IS NULL"),
            sqlite_where=sa.text("settled_at IS NULL"),
        )

    op.create_table(
        "ratings",
        sa.Column("claim_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rated_by", sa.String(24), nullable=False),
        sa.Column("care_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("care_note", sa.String(200), server_default="", nullable=False),
        sa.Column("again_level", sa.SmallInteger(), nullable=True),
        sa.Column("again_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("1 <= level AND level <= 5", name=op.f("ck_ratings_one_of_five")),
        sa.CheckConstraint(
            "again_level IS NULL OR (1 <= again_level AND again_level <= 5)",
            name=op.f("ck_ratings_again_of_five"),
        ),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_ratings_claim_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ratings")),
        sa.UniqueConstraint("claim_id", name=op.f("uq_ratings_claim_id")),
    )
    with op.batch_alter_table("ratings", schema=None) as batch_op:
        batch_op.create_index(
            "ix_ratings_care",
            ["care_due_at"],
            unique=False,
            postgresql_where=sa.text("care_due_at IS NOT NULL"),
            sqlite_where=sa.text("care_due_at IS NOT NULL"),
        )

    op.create_table(
        "wish_parts",
        sa.Column("wish_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_held", sa.Boolean(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("1 <= number AND number <= 20", name=op.f("ck_wish_parts_one_of_the_pieces")),
        sa.ForeignKeyConstraint(["claim_id"], ["claims.id"], name=op.f("fk_wish_parts_claim_id")),
        sa.ForeignKeyConstraint(["wish_id"], ["wishes.id"], name=op.f("fk_wish_parts_wish_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wish_parts")),
    )
    with op.batch_alter_table("wish_parts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_wish_parts_claim_id"), ["claim_id"], unique=False)
        batch_op.create_index(
            "uq_wish_parts_held",
            ["wish_id", "number"],
            unique=True,
            postgresql_where=sa.text("is_held"),
            sqlite_where=sa.text("is_held"),
        )

    with op.batch_alter_table("wishes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("parts_taken", sa.Integer(), server_default="0", nullable=False))
        batch_op.create_check_constraint(
            op.f("ck_wishes_parts_taken_within"), "0 <= parts_taken AND parts_taken <= quantity"
        )
    _open_means("'submitted', 'need_info', 'approved', 'published', 'claimed'")


def downgrade() -> None:
    _open_means("'submitted', 'need_info', 'approved', 'published'")
    with op.batch_alter_table("wishes", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_wishes_parts_taken_within"), type_="check")
        batch_op.drop_column("parts_taken")

    with op.batch_alter_table("wish_parts", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_wish_parts_held", postgresql_where=sa.text("is_held"), sqlite_where=sa.text("is_held")
        )
        batch_op.drop_index(batch_op.f("ix_wish_parts_claim_id"))

    op.drop_table("wish_parts")
    with op.batch_alter_table("ratings", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_ratings_care",
            postgresql_where=sa.text("care_due_at IS NOT NULL"),
            sqlite_where=sa.text("care_due_at IS NOT NULL"),
        )

    op.drop_table("ratings")
    with op.batch_alter_table("fulfilments", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_fulfilments_unsettled",
            postgresql_where=sa.text("settled_at IS NULL"),
            sqlite_where=sa.text("settled_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_fulfilments_claim_id"))

    op.drop_table("fulfilments")
    with op.batch_alter_table("claim_helpers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_claim_helpers_account_id"))

    op.drop_table("claim_helpers")
    with op.batch_alter_table("claims", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_claims_live",
            postgresql_where=sa.text("state IN ('applied', 'dispatched', 'in_progress', 'delivered')"),
            sqlite_where=sa.text("state IN ('applied', 'dispatched', 'in_progress', 'delivered')"),
        )
        batch_op.drop_index(batch_op.f("ix_claims_wish_id"))
        batch_op.drop_index("ix_claims_remind")
        batch_op.drop_index("ix_claims_partner")
        batch_op.drop_index(
            "ix_claims_due",
            postgresql_where=sa.text("state IN ('applied', 'dispatched', 'in_progress', 'delivered')"),
            sqlite_where=sa.text("state IN ('applied', 'dispatched', 'in_progress', 'delivered')"),
        )

    op.drop_table("claims")


def _open_means(states: str) -> None:
    """The states of a wish something may still come of."""
    is_open = sa.text(f"state IN ({states})")
    op.drop_index("ix_wishes_open", "wishes")
    op.create_index(
        "ix_wishes_open", "wishes", ["region_id", "id"], postgresql_where=is_open, sqlite_where=is_open
    )
