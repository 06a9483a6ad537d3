"""What is known of a partner unit: its credit code, where it serves, and whom to call

Revision: 0036
After: 0035
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    with op.batch_alter_table("partners") as partners:
        partners.add_column(sa.Column("credit_code", sa.String(18), nullable=True))
        partners.add_column(sa.Column("region_id", big, nullable=True))
        partners.add_column(sa.Column("contact_name", sa.String(40), nullable=True))
        partners.add_column(sa.Column("contact_phone", sa.Text(), nullable=True))
        partners.create_unique_constraint(op.f("uq_partners_credit_code"), ["credit_code"])
        partners.create_foreign_key(op.f("fk_partners_region_id"), "regions", ["region_id"], ["id"])
        partners.create_index(op.f("ix_partners_region_id"), ["region_id"])


def downgrade() -> None:
    with op.batch_alter_table("partners") as partners:
        partners.drop_index(op.f("ix_partners_region_id"))
        partners.drop_constraint(op.f("fk_partners_region_id"), type_="foreignkey")
        partners.drop_constraint(op.f("uq_partners_credit_code"), type_="unique")
        for name in ("contact_phone", "contact_name", "region_id", "credit_code"):
            partners.drop_column(name)
