"""Pick-ups: who may fetch a child from a class, and who did

Revision: 0025
After: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def points(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "pick_up_adults",
        sa.Column("registration_id", BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("relation", sa.String(24), nullable=False),
        sa.Column("named_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        points("pick_up_adults", "registration_id", "registrations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pick_up_adults")),
        sa.UniqueConstraint("key", name=op.f("uq_pick_up_adults_key")),
    )
    op.create_index("ix_pick_up_adults_registration", "pick_up_adults", ["registration_id"])
    op.create_table(
        "pick_ups",
        sa.Column("session_id", BIG, nullable=False),
        sa.Column("registration_id", BIG, nullable=False),
        sa.Column("adult_id", BIG, nullable=True),
        sa.Column("guardian_id", BIG, nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("id", BIG, nullable=False),
        points("pick_ups", "session_id", "course_sessions"),
        points("pick_ups", "registration_id", "registrations"),
        points("pick_ups", "adult_id", "pick_up_adults"),
        points("pick_ups", "guardian_id", "residents"),
        sa.CheckConstraint(
            "(adult_id IS NULL) <> (guardian_id IS NULL)", name=op.f("ck_pick_ups_by_one_of_them")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pick_ups")),
        sa.UniqueConstraint("session_id", "registration_id", name=op.f("uq_pick_ups_session_id_registration_id")),
    )
    op.create_index("ix_pick_ups_registration", "pick_ups", ["registration_id"])


def downgrade() -> None:
    op.drop_table("pick_ups")
    op.drop_table("pick_up_adults")
