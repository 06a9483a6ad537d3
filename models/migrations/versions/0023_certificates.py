"""Completing a class, and the certificate of it

Revision: 0023
After: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("course_runs", sa.Column("completed_at", moment, nullable=True))
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "certificates",
        sa.Column("id", big, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("registration_id", big, nullable=False),
        sa.Column("code", sa.String(16), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("evenings", sa.Integer(), nullable=False),
        sa.Column("evenings_held", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("issued_at", moment, nullable=False),
        sa.Column("revoked_at", moment, nullable=True),
        sa.Column("revoked_because", sa.String(200), nullable=False, server_default=""),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_because = '')", name=op.f("ck_certificates_revoked_says_why")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_certificates_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.UniqueConstraint("code", name=op.f("uq_certificates_code")),
        sa.UniqueConstraint("key", name=op.f("uq_certificates_key")),
        sa.UniqueConstraint("registration_id", name=op.f("uq_certificates_registration_id")),
    )


def downgrade() -> None:
    op.execute("UPDATE registrations SET state = 'confirmed' WHERE state = 'completed'")
    op.drop_table("certificates")
    op.drop_column("course_runs", "completed_at")
