"""When a run was handed in for review, and when staff said it goes on with few

Revision: 0022
After: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

IN_REVIEW = sa.text("state = 'in_review'")


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("course_runs", sa.Column("submitted_at", moment, nullable=True))
    op.add_column("course_runs", sa.Column("opening_decided_at", moment, nullable=True))
    op.execute("UPDATE course_runs SET submitted_at = opens_at WHERE state = 'in_review'")
    op.create_index(
        "ix_course_runs_in_review",
        "course_runs",
        ["region_id"],
        postgresql_where=IN_REVIEW,
        sqlite_where=IN_REVIEW,
    )


def downgrade() -> None:
    op.drop_index("ix_course_runs_in_review", "course_runs")
    op.drop_column("course_runs", "opening_decided_at")
    op.drop_column("course_runs", "submitted_at")
