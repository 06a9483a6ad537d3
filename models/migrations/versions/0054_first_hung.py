"""First hung: when a wish hung on the wall for the first time, by which it is counted; and when somebody is pressed to care for who was unhappy

Revision: 0054
After: 0053
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

# what was hung again after a no hung for the first time when the journal says so
_FIRST = """
UPDATE wishes SET first_published_at = coalesce((
    SELECT min(journal_entries.at) FROM journal_entries
    WHERE journal_entries.subject_kind = 'wishes' AND journal_entries.subject_id = wishes.id
    AND journal_entries.act = 'wish.published'
), published_at)
WHERE turn > 0
"""
# the worker looks at each when its time is over, and finds the next morning to press on by itself
_PRESS = "UPDATE ratings SET care_remind_at = care_due_at WHERE care_due_at IS NOT NULL"


def upgrade() -> None:
    op.drop_index("ix_wishes_published", table_name="wishes")
    op.add_column("wishes", sa.Column("first_published_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_FIRST)
    op.create_index("ix_wishes_first_published", "wishes", ["first_published_at"])
    op.add_column("ratings", sa.Column("care_remind_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_PRESS)
    op.create_index("ix_ratings_care_remind", "ratings", ["care_remind_at"])


def downgrade() -> None:
    op.drop_index("ix_ratings_care_remind", table_name="ratings")
    op.drop_column("ratings", "care_remind_at")
    op.drop_index("ix_wishes_first_published", table_name="wishes")
    op.drop_column("wishes", "first_published_at")
    which = sa.text("turn > 0")
    op.create_index(
        "ix_wishes_published", "wishes", ["published_at"], postgresql_where=which, sqlite_where=which
    )
