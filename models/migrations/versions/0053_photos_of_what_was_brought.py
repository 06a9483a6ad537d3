"""Photos of what was brought: a picture of a wish may show what a unit did about it

Revision: 0053
After: 0052
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

GUARD = "claim_id IS NULL OR NOT is_public"


def upgrade() -> None:
    with op.batch_alter_table("wish_photos") as batch:
        batch.add_column(
            sa.Column("claim_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch.create_foreign_key(op.f("fk_wish_photos_claim_id"), "claims", ["claim_id"], ["id"])
        batch.create_check_constraint(op.f("ck_wish_photos_evidence_is_not_public"), GUARD)
    op.create_index("ix_wish_photos_claim", "wish_photos", ["claim_id"])


def downgrade() -> None:
    op.drop_index("ix_wish_photos_claim", table_name="wish_photos")
    with op.batch_alter_table("wish_photos") as batch:
        batch.drop_constraint(op.f("ck_wish_photos_evidence_is_not_public"), type_="check")
        batch.drop_constraint(op.f("fk_wish_photos_claim_id"), type_="foreignkey")
        batch.drop_column("claim_id")
