"""Reservations of rooms, the series they are part of, and what they do to somebody's credit

Revision: 0035
After: 0034
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

PARTIAL = {
    "ix_reservations_waiting": (["starts_at"], "state = 'waitlisted'"),
    "ix_reservations_offered": (["offer_expires_at"], "state = 'offered'"),
    "ix_reservations_pending": (["starts_at"], "state = 'pending'"),
    "ix_reservations_due": (["starts_at"], "state IN ('approved', 'checked_in')"),
}
WHOLE = {
    "ix_reservations_venue_starts": ["venue_id", "starts_at"],
    "ix_reservations_resident_starts": ["resident_id", "starts_at"],
    "ix_reservations_group_starts": ["group_id", "starts_at"],
    "ix_reservations_series": ["series_id"],
}
LIVE = "state IN ('waitlisted', 'offered', 'pending', 'approved', 'checked_in')"


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = sa.DateTime(timezone=True)
    op.add_column("venues", sa.Column("door_code", sa.String(6), nullable=False, server_default=""))
    op.create_table(
        "reservation_series",
        sa.Column("id", big, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("venue_id", big, nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_reservation_series_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation_series")),
        sa.UniqueConstraint("key", name=op.f("uq_reservation_series_key")),
    )
    op.create_table(
        "reservations",
        sa.Column("id", big, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("venue_id", big, nullable=False),
        sa.Column("series_id", big, nullable=True),
        sa.Column("resident_id", big, nullable=True),
        sa.Column("group_id", big, nullable=True),
        sa.Column("by_account_id", big, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("starts_at", moment, nullable=False),
        sa.Column("ends_at", moment, nullable=False),
        sa.Column("buffer_minutes", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("wanted_for", sa.String(24), nullable=False),
        sa.Column("about", sa.String(60), nullable=False, server_default=""),
        sa.Column("headcount", sa.Integer(), nullable=False),
        sa.Column("loudspeaker", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("with_children", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("pledge_version", sa.String(20), nullable=False, server_default=""),
        sa.Column("code", sa.String(6), nullable=False, server_default=""),
        sa.Column("reserved_at", moment, nullable=False),
        sa.Column("offered_at", moment, nullable=True),
        sa.Column("offer_expires_at", moment, nullable=True),
        sa.Column("reviewed_at", moment, nullable=True),
        sa.Column("decided_because", sa.String(200), nullable=False, server_default=""),
        sa.Column("cancelled_by", sa.String(24), nullable=True),
        sa.Column("cancelled_late", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("checked_in_at", moment, nullable=True),
        sa.Column("signed_out_at", moment, nullable=True),
        sa.Column("condition", sa.String(24), nullable=True),
        sa.Column("condition_note", sa.String(200), nullable=False, server_default=""),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_reservations_ends_after_start")),
        sa.CheckConstraint("headcount >= 1", name=op.f("ck_reservations_somebody_comes")),
        sa.CheckConstraint(
            "(state = 'offered') = (offer_expires_at IS NOT NULL)",
            name=op.f("ck_reservations_offer_has_an_end"),
        ),
        sa.CheckConstraint(
            "(state = 'cancelled') = (cancelled_by IS NOT NULL)",
            name=op.f("ck_reservations_cancelled_by_somebody"),
        ),
        sa.CheckConstraint(
            "group_id IS NULL OR resident_id IS NOT NULL", name=op.f("ck_reservations_group_has_a_person")
        ),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_reservations_venue_id")),
        sa.ForeignKeyConstraint(
            ["series_id"], ["reservation_series.id"], name=op.f("fk_reservations_series_id")
        ),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_reservations_resident_id")),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_reservations_group_id")),
        sa.ForeignKeyConstraint(["by_account_id"], ["accounts.id"], name=op.f("fk_reservations_by_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
        sa.UniqueConstraint("key", name=op.f("uq_reservations_key")),
    )
    for name, columns in WHOLE.items():
        op.create_index(name, "reservations", columns)
    for name, (columns, where) in PARTIAL.items():
        op.create_index(
            name, "reservations", columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where)
        )
    op.create_index(
        "uq_reservations_live",
        "reservations",
        ["resident_id", "venue_id", "starts_at", "ends_at"],
        unique=True,
        postgresql_where=sa.text(LIVE),
        sqlite_where=sa.text(LIVE),
    )
    op.create_table(
        "credit_entries",
        sa.Column("id", big, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("reservation_id", big, nullable=False),
        sa.Column("resident_id", big, nullable=True),
        sa.Column("group_id", big, nullable=True),
        sa.Column("why", sa.String(24), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("note", sa.String(200), nullable=False, server_default=""),
        sa.Column("pauses_until", moment, nullable=True),
        sa.Column("excused_at", moment, nullable=True),
        sa.Column("appeal_state", sa.String(24), nullable=True),
        sa.Column("appeal_words", sa.Text(), nullable=True),
        sa.Column("appealed_at", moment, nullable=True),
        sa.Column("appealed_by_account_id", big, nullable=True),
        sa.Column("answer", sa.String(200), nullable=False, server_default=""),
        sa.Column("answered_at", moment, nullable=True),
        sa.CheckConstraint(
            "(resident_id IS NULL) <> (group_id IS NULL)",
            name=op.f("ck_credit_entries_of_a_person_or_a_group"),
        ),
        sa.CheckConstraint(
            "(appeal_state IS NULL) = (appealed_at IS NULL)",
            name=op.f("ck_credit_entries_appeal_has_a_time"),
        ),
        sa.ForeignKeyConstraint(
            ["reservation_id"], ["reservations.id"], name=op.f("fk_credit_entries_reservation_id")
        ),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_credit_entries_resident_id")),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_credit_entries_group_id")),
        sa.ForeignKeyConstraint(
            ["appealed_by_account_id"],
            ["accounts.id"],
            name=op.f("fk_credit_entries_appealed_by_account_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_entries")),
        sa.UniqueConstraint("key", name=op.f("uq_credit_entries_key")),
        sa.UniqueConstraint("reservation_id", "why", name=op.f("uq_credit_entries_reservation_id_why")),
    )
    op.create_index("ix_credit_entries_resident_at", "credit_entries", ["resident_id", "at"])
    op.create_index("ix_credit_entries_group_at", "credit_entries", ["group_id", "at"])
    op.create_index(
        "ix_credit_entries_appeals",
        "credit_entries",
        ["appealed_at"],
        postgresql_where=sa.text("appeal_state = 'waiting'"),
        sqlite_where=sa.text("appeal_state = 'waiting'"),
    )
    op.create_index(
        "ix_credit_entries_pauses",
        "credit_entries",
        ["pauses_until"],
        postgresql_where=sa.text("pauses_until IS NOT NULL"),
        sqlite_where=sa.text("pauses_until IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("credit_entries")
    op.drop_table("reservations")
    op.drop_table("reservation_series")
    op.drop_column("venues", "door_code")
