"""Lists of what goes on now and of what was called off cost the same among many runs

Revision: 0029
After: 0028
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

LISTED = sa.text("state IN ('published', 'cancelled')")
CANCELLED = sa.text("cancelled_at IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_course_runs_ends", "course_runs", ["ends_at"], sqlite_where=LISTED, postgresql_where=LISTED
    )
    op.create_index(
        "ix_course_runs_cancelled",
        "course_runs",
        ["starts_at", "id"],
        sqlite_where=CANCELLED,
        postgresql_where=CANCELLED,
    )


def downgrade() -> None:
    op.drop_index("ix_course_runs_cancelled", "course_runs")
    op.drop_index("ix_course_runs_ends", "course_runs")
