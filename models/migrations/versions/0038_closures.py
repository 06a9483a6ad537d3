"""Closures, what was in their way, and what each person was asked; what a reservation is worth that gave way

Revision: 0038
After: 0037
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
MAKES_GOOD = sa.text(
    "makes_good_id IS NOT NULL AND state IN "
    "('waitlisted', 'offered', 'pending', 'approved', 'checked_in', 'finished', 'no_show')"
)
IS_MADE_GOOD = sa.text("made_good_until IS NOT NULL")
IS_OPEN = sa.text("answer IS NULL")


def points(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))


def own(table: str) -> list[sa.PrimaryKeyConstraint]:
    return [sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))]


def keyed(table: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint("key", name=op.f(f"uq_{table}_key"))


def upgrade() -> None:
    with op.batch_alter_table("reservations") as batch:
        batch.add_column(sa.Column("moved_from", MOMENT, nullable=True))
        batch.add_column(sa.Column("move_agreed_at", MOMENT, nullable=True))
        batch.add_column(sa.Column("made_good_until", MOMENT, nullable=True))
        batch.add_column(sa.Column("makes_good_id", BIG, nullable=True))
        batch.create_foreign_key(
            op.f("fk_reservations_makes_good_id"), "reservations", ["makes_good_id"], ["id"]
        )
        batch.create_index(
            "ix_reservations_made_good",
            ["made_good_until"],
            postgresql_where=IS_MADE_GOOD,
            sqlite_where=IS_MADE_GOOD,
        )
        batch.create_index(
            "uq_reservations_makes_good",
            ["makes_good_id"],
            unique=True,
            postgresql_where=MAKES_GOOD,
            sqlite_where=MAKES_GOOD,
        )
    op.create_table(
        "room_closures",
        sa.Column("site_id", BIG, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("because", sa.String(100), nullable=False),
        sa.Column("emergency_because", sa.String(100), nullable=False),
        sa.Column("offers", sa.String(60), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.Column("lifted_at", MOMENT, nullable=True),
        sa.Column("lifted_because", sa.String(100), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_room_closures_ends_after_start")),
        points("room_closures", "site_id", "sites"),
        *own("room_closures"),
        keyed("room_closures"),
    )
    op.create_index("ix_room_closures_site_ends", "room_closures", ["site_id", "ends_at"])
    op.create_table(
        "room_closure_venues",
        sa.Column("closure_id", BIG, nullable=False),
        sa.Column("venue_id", BIG, nullable=False),
        points("room_closure_venues", "closure_id", "room_closures"),
        points("room_closure_venues", "venue_id", "venues"),
        sa.PrimaryKeyConstraint("closure_id", "venue_id", name=op.f("pk_room_closure_venues")),
    )
    op.create_index(op.f("ix_room_closure_venues_venue_id"), "room_closure_venues", ["venue_id"])
    op.create_table(
        "closure_effects",
        sa.Column("closure_id", BIG, nullable=False),
        sa.Column("noun", sa.String(24), nullable=False),
        sa.Column("thing", sa.String(16), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("venue_id", BIG, nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("remedy", sa.String(24), nullable=False),
        sa.Column("to_venue_id", BIG, nullable=True),
        sa.Column("to_starts_at", MOMENT, nullable=True),
        sa.Column("to_ends_at", MOMENT, nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.UniqueConstraint("closure_id", "thing", name=op.f("uq_closure_effects_closure_id_thing")),
        points("closure_effects", "closure_id", "room_closures"),
        points("closure_effects", "venue_id", "venues"),
        points("closure_effects", "to_venue_id", "venues"),
        *own("closure_effects"),
    )
    op.create_index("ix_closure_effects_thing", "closure_effects", ["thing"])
    op.create_table(
        "move_questions",
        sa.Column("effect_id", BIG, nullable=False),
        sa.Column("reservation_id", BIG, nullable=True),
        sa.Column("registration_id", BIG, nullable=True),
        sa.Column("session_id", BIG, nullable=True),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("answer_by", MOMENT, nullable=False),
        sa.Column("answer", sa.String(24), nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.CheckConstraint(
            "(reservation_id IS NULL) <> (registration_id IS NULL)",
            name=op.f("ck_move_questions_about_one_thing"),
        ),
        sa.CheckConstraint(
            "(answer IS NULL) = (answered_at IS NULL)", name=op.f("ck_move_questions_answer_has_a_time")
        ),
        sa.UniqueConstraint(
            "effect_id",
            "reservation_id",
            "registration_id",
            name=op.f("uq_move_questions_effect_id_reservation_id_registration_id"),
        ),
        points("move_questions", "effect_id", "closure_effects"),
        points("move_questions", "reservation_id", "reservations"),
        points("move_questions", "registration_id", "registrations"),
        points("move_questions", "session_id", "course_sessions"),
        *own("move_questions"),
        keyed("move_questions"),
    )
    op.create_index("ix_move_questions_reservation", "move_questions", ["reservation_id"])
    op.create_index("ix_move_questions_registration", "move_questions", ["registration_id"])
    op.create_index(
        "ix_move_questions_open",
        "move_questions",
        ["answer_by"],
        postgresql_where=IS_OPEN,
        sqlite_where=IS_OPEN,
    )


def downgrade() -> None:
    for table in ("move_questions", "closure_effects", "room_closure_venues", "room_closures"):
        op.drop_table(table)
    with op.batch_alter_table("reservations") as batch:
        batch.drop_index("uq_reservations_makes_good")
        batch.drop_index("ix_reservations_made_good")
        batch.drop_constraint(op.f("fk_reservations_makes_good_id"), type_="foreignkey")
        for column in ("makes_good_id", "made_good_until", "move_agreed_at", "moved_from"):
            batch.drop_column(column)
