"""Numbers of one room; no hold of a space longer than a day, so that nobody looks further back

Revision: 0032
After: 0031
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

EVENTS = ("insert", "update")

OVERLAP = """
CREATE TRIGGER tr_occupancies_no_overlap_{event} BEFORE {event} ON occupancies
WHEN EXISTS (
    SELECT 1 FROM occupancies AS other
    WHERE other.space_id = NEW.space_id AND other.id IS NOT NEW.id
      AND other.starts_at < NEW.ends_at AND other.ends_at > NEW.starts_at{bound}
)
BEGIN
    SELECT RAISE(ABORT, 'occupancies overlap');
END
"""

# what began more than a day before is over; without this a hold would read the whole past of its space
BOUND = """
      AND other.starts_at >= datetime(NEW.starts_at, '-1 day')"""

WITHIN_A_DAY = """
CREATE TRIGGER tr_occupancies_within_a_day_{event} BEFORE {event} ON occupancies
WHEN NEW.ends_at > strftime('%Y-%m-%d %H:%M:%f', NEW.starts_at, '+1 day') || '999'
BEGIN
    SELECT RAISE(ABORT, 'occupancy longer than a day');
END
"""


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "venue_policies",
        sa.Column("id", big, nullable=False),
        sa.Column("venue_id", big, nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("value", sa.String(80), nullable=False),
        sa.ForeignKeyConstraint(["venue_id"], ["venues.id"], name=op.f("fk_venue_policies_venue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_venue_policies")),
        sa.UniqueConstraint("venue_id", "name", name=op.f("uq_venue_policies_venue_id_name")),
    )
    with op.batch_alter_table("policies") as policies:
        policies.alter_column("value", existing_type=sa.String(40), type_=sa.String(80), existing_nullable=False)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE occupancies ADD CONSTRAINT ck_occupancies_within_a_day "
            "CHECK (ends_at - starts_at <= interval '24 hours')"
        )
        return
    for event in EVENTS:
        op.execute(f"DROP TRIGGER tr_occupancies_no_overlap_{event}")
        op.execute(OVERLAP.format(event=event, bound=BOUND))
        op.execute(WITHIN_A_DAY.format(event=event))


def downgrade() -> None:
    op.drop_table("venue_policies")
    with op.batch_alter_table("policies") as policies:
        policies.alter_column("value", existing_type=sa.String(80), type_=sa.String(40), existing_nullable=False)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE occupancies DROP CONSTRAINT ck_occupancies_within_a_day")
        return
    for event in EVENTS:
        op.execute(f"DROP TRIGGER tr_occupancies_within_a_day_{event}")
        op.execute(f"DROP TRIGGER tr_occupancies_no_overlap_{event}")
        op.execute(OVERLAP.format(event=event, bound=""))
