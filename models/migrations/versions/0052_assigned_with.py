"""Assigned with: a claim knows with which item of the street's list it was assigned, so that several may be

Revision: 0052
After: 0051
"""

from __future__ import annotations

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

# the item that was the wish's when the street assigned the claim
_WITH = """
UPDATE claims SET order_id = (
    SELECT max(issue_orders.id) FROM issue_orders
    WHERE issue_orders.wish_id = claims.wish_id AND issue_orders.opened_at <= claims.claimed_at
)
WHERE id IN (SELECT subject_id FROM journal_entries WHERE subject_kind = 'claims' AND act = 'claim.assigned')
"""
_LAST = """
UPDATE issue_orders SET claim_id = (SELECT max(claims.id) FROM claims WHERE claims.order_id = issue_orders.id)
"""


def upgrade() -> None:
    with op.batch_alter_table("issue_orders", schema=None) as batch_op:  # while nothing points at an item yet
        batch_op.drop_column("claim_id")
    _point("claims", "order_id", "issue_orders")
    op.create_index(op.f("ix_claims_order_id"), "claims", ["order_id"], unique=False)
    op.execute(_WITH)


def downgrade() -> None:
    _point("issue_orders", "claim_id", "claims")
    op.execute(_LAST)
    op.drop_index(op.f("ix_claims_order_id"), table_name="claims")
    op.execute("ALTER TABLE claims DROP COLUMN order_id")


def _point(table: str, column: str, at: str) -> None:
    """Add a column that points at another table, and leave the table where it is: SQLite does not let one be written anew at which rows point."""
    kind = "INTEGER" if op.get_context().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE {table} ADD COLUMN {column} {kind} CONSTRAINT fk_{table}_{column} REFERENCES {at} (id)"
    )
