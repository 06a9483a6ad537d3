"""No two uses of one space at one time: refused by the database itself, on both engines

PostgreSQL has an exclusion constraint. Space ids stand in it as one-element ranges, because plain equality in a gist index
would need an extension. SQLite has no such constraint, so triggers on INSERT and UPDATE look for an overlap.

Revision: 0002
After: 0001
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

EXCLUSION = """
ALTER TABLE occupancies ADD CONSTRAINT ex_occupancies_no_overlap EXCLUDE USING gist (
    int8range(space_id, space_id, '[]') WITH &&,
    tstzrange(starts_at, ends_at) WITH &&
)
"""

TRIGGER = """
CREATE TRIGGER tr_occupancies_no_overlap_{event} BEFORE {event} ON occupancies
WHEN EXISTS (
    SELECT 1 FROM occupancies AS other
    WHERE other.space_id = NEW.space_id AND other.id IS NOT NEW.id
      AND other.starts_at < NEW.ends_at AND other.ends_at > NEW.starts_at
)
BEGIN
    SELECT RAISE(ABORT, 'occupancies overlap');
END
"""

EVENTS = ("insert", "update")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(EXCLUSION)
        return
    for event in EVENTS:
        op.execute(TRIGGER.format(event=event))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE occupancies DROP CONSTRAINT ex_occupancies_no_overlap")
        return
    for event in EVENTS:
        op.execute(f"DROP TRIGGER tr_occupancies_no_overlap_{event}")
