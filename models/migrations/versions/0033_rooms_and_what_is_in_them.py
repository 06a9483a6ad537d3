"""Equipment and who has it, never more of it than there is; who was shown how to use a room; photos of rooms

At no moment more pieces are out than there are. Neither engine has a constraint that adds up rows, so triggers look at every moment at
which something of a new loan's stretch begins. On PostgreSQL the trigger takes the equipment's row first: of two who forgot to, the second
sees what the first wrote.

Revision: 0033
After: 0032
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

EVENTS = ("insert", "update")

NOT_MORE_THAN_THERE_IS = """
CREATE TRIGGER tr_equipment_loans_not_more_than_there_is_{event} BEFORE {event} ON equipment_loans
WHEN EXISTS (
    SELECT 1 FROM (
        SELECT NEW.starts_at AS at
        UNION ALL
        SELECT begun.starts_at FROM equipment_loans AS begun
        WHERE begun.equipment_id = NEW.equipment_id AND begun.id IS NOT NEW.id
          AND begun.starts_at > NEW.starts_at AND begun.starts_at < NEW.ends_at
    ) AS moment
    WHERE NEW.pieces + (
        SELECT coalesce(sum(other.pieces), 0) FROM equipment_loans AS other
        WHERE other.equipment_id = NEW.equipment_id AND other.id IS NOT NEW.id
          AND other.starts_at >= datetime(moment.at, '-1 day') AND other.starts_at <= moment.at
          AND other.ends_at > moment.at
    ) > (SELECT stock FROM equipment WHERE equipment.id = NEW.equipment_id)
)
BEGIN
    SELECT RAISE(ABORT, 'more equipment lent than there is');
END
"""

WITHIN_A_DAY = """
CREATE TRIGGER tr_equipment_loans_within_a_day_{event} BEFORE {event} ON equipment_loans
WHEN NEW.ends_at > strftime('%Y-%m-%d %H:%M:%f', NEW.starts_at, '+1 day') || '999'
BEGIN
    SELECT RAISE(ABORT, 'equipment lent for longer than a day');
END
"""

FUNCTION = """
CREATE FUNCTION equipment_loans_not_more_than_there_is() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    there_are integer;
BEGIN
    SELECT stock INTO there_are FROM equipment WHERE id = NEW.equipment_id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT 1 FROM equipment_loans AS begun
        WHERE begun.equipment_id = NEW.equipment_id
          AND begun.starts_at >= NEW.starts_at AND begun.starts_at < NEW.ends_at
          AND (
              SELECT sum(other.pieces) FROM equipment_loans AS other
              WHERE other.equipment_id = NEW.equipment_id
                AND other.starts_at >= begun.starts_at - interval '24 hours' AND other.starts_at <= begun.starts_at
                AND other.ends_at > begun.starts_at
          ) > there_are
    ) THEN
        RAISE EXCEPTION 'more equipment lent than there is' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$
"""

TRIGGER = """
CREATE TRIGGER tr_equipment_loans_not_more_than_there_is AFTER INSERT OR UPDATE ON equipment_loans
FOR EACH ROW EXECUTE FUNCTION equipment_loans_not_more_than_there_is()
"""


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "equipment",
        sa.Column("id", big, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("site_id", big, nullable=False),
        sa.Column("venue_id", big, nullable=True),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("stock > 0", name=op.f("ck_equipment_some_of_it")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_equipment_site_id")),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_equipment_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_equipment")),
        sa.UniqueConstraint("key", name=op.f("uq_equipment_key")),
    )
    stands = sa.text("retired_at IS NULL")
    op.create_index(
        "uq_equipment_standing",
        "equipment",
        ["site_id", "name"],
        unique=True,
        postgresql_where=stands,
        sqlite_where=stands,
    )
    op.create_table(
        "equipment_loans",
        sa.Column("id", big, nullable=False),
        sa.Column("equipment_id", big, nullable=False),
        sa.Column("holder_key", sa.String(16), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_equipment_loans_ends_after_start")),
        sa.CheckConstraint("pieces > 0", name=op.f("ck_equipment_loans_some_of_it")),
        sa.ForeignKeyConstraint(["equipment_id"], ["equipment.id"], name=op.f("fk_equipment_loans_equipment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_equipment_loans")),
    )
    op.create_index("ix_equipment_loans_equipment_starts", "equipment_loans", ["equipment_id", "starts_at"])
    op.create_index(op.f("ix_equipment_loans_holder_key"), "equipment_loans", ["holder_key"])
    op.create_table(
        "inductions",
        sa.Column("id", big, nullable=False),
        sa.Column("venue_id", big, nullable=False),
        sa.Column("resident_id", big, nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("by_account_id", big, nullable=True),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_inductions_venue_id")),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_inductions_resident_id")),
        sa.ForeignKeyConstraint(["by_account_id"], ["accounts.id"], name=op.f("fk_inductions_by_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inductions")),
    )
    stands = sa.text("taken_back_at IS NULL")
    op.create_index(
        "uq_inductions_standing",
        "inductions",
        ["venue_id", "resident_id"],
        unique=True,
        postgresql_where=stands,
        sqlite_where=stands,
    )
    op.create_index("ix_inductions_resident", "inductions", ["resident_id"])
    op.create_table(
        "photos",
        sa.Column("id", big, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("venue_id", big, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("caption", sa.String(60), nullable=False, server_default=""),
        sa.Column("file", sa.String(16), nullable=False),
        sa.Column("thumbnail", sa.String(16), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("hung_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_photos_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photos")),
        sa.UniqueConstraint("key", name=op.f("uq_photos_key")),
    )
    op.create_index("ix_photos_venue", "photos", ["venue_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE equipment_loans ADD CONSTRAINT ck_equipment_loans_within_a_day "
            "CHECK (ends_at - starts_at <= interval '24 hours')"
        )
        op.execute(FUNCTION)
        op.execute(TRIGGER)
        return
    for event in EVENTS:
        op.execute(NOT_MORE_THAN_THERE_IS.format(event=event))
        op.execute(WITHIN_A_DAY.format(event=event))


def downgrade() -> None:
    op.drop_index("ix_photos_venue", "photos")
    op.drop_table("photos")
    op.drop_index("ix_inductions_resident", "inductions")
    op.drop_index("uq_inductions_standing", "inductions")
    op.drop_table("inductions")
    op.drop_index(op.f("ix_equipment_loans_holder_key"), "equipment_loans")
    op.drop_index("ix_equipment_loans_equipment_starts", "equipment_loans")
    op.drop_table("equipment_loans")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION equipment_loans_not_more_than_there_is()")
    op.drop_index("uq_equipment_standing", "equipment")
    op.drop_table("equipment")
