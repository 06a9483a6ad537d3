"""Families: the code with which somebody offers help; a child's guardian until the child is of age

Revision: 0017
After: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

INDEX = "uq_residents_invitation_fingerprint"


def upgrade() -> None:
    op.add_column("residents", sa.Column("invitation_fingerprint", sa.String(64), nullable=True))
    op.add_column("residents", sa.Column("invited_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(INDEX, "residents", ["invitation_fingerprint"], unique=True)
    born = "(SELECT birth_year FROM residents WHERE residents.id = bonds.ward_id)"
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    last_day = f"({born} + 18) || '-12-31'" if on_sqlite else f"make_date({born} + 18, 12, 31)"
    op.execute(
        f"UPDATE bonds SET ends_on = {last_day} WHERE kind = 'guardian' AND ends_on IS NULL"
        f" AND {born} IS NOT NULL AND {last_day} >= starts_on"
    )


def downgrade() -> None:
    op.execute("UPDATE bonds SET ends_on = NULL WHERE kind = 'guardian' AND ended_at IS NULL")
    op.drop_index(INDEX, table_name="residents")
    op.drop_column("residents", "invited_until")
    op.drop_column("residents", "invitation_fingerprint")
