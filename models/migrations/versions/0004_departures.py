"""People can leave: accounts close, a resident becomes nameless, a bond ends at a moment, and every consent stays in the log

* An account that was closed stays as a tombstone, and what a person left behind points at a resident without a name.
* A bond may be ended before its last day, from one moment to the next.
* Who agrees again after a withdrawal gets a row of their own beside the old one: only the standing consent is unique.
* Entries of the journal are found by the person they were done for.

Revision: 0004
After: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STANDING = sa.text("withdrawn_at IS NULL")
FOR_SOMEBODY = sa.text("for_resident_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("residents", sa.Column("left_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("bonds", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_constraint("uq_consents_account_id_kind_version", type_="unique")
    op.create_index(
        "uq_consents_standing",
        "consents",
        ["account_id", "kind", "version"],
        unique=True,
        postgresql_where=STANDING,
        sqlite_where=STANDING,
    )
    op.create_index("ix_consents_account_id", "consents", ["account_id"])
    op.create_index(
        "ix_journal_entries_for_resident",
        "journal_entries",
        ["for_resident_id"],
        postgresql_where=FOR_SOMEBODY,
        sqlite_where=FOR_SOMEBODY,
    )


def downgrade() -> None:
    op.drop_index("ix_journal_entries_for_resident", table_name="journal_entries")
    op.drop_index("ix_consents_account_id", table_name="consents")
    op.drop_index("uq_consents_standing", table_name="consents")
    # one row a version is all the older table can hold: the last one given
    op.execute(
        "DELETE FROM consents WHERE id NOT IN "
        "(SELECT max(id) FROM consents GROUP BY account_id, kind, version)"
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_unique_constraint(
            "uq_consents_account_id_kind_version", ["account_id", "kind", "version"]
        )
    op.drop_column("bonds", "ended_at")
    op.drop_column("residents", "left_at")
    op.drop_column("accounts", "closed_at")
