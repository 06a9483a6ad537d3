"""Lists of staff that cost the same among many runs, in one place and in one state

Revision: 0028
After: 0027
"""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_course_runs_all_starts", ["starts_at", "id"]),
    ("ix_course_runs_all_region_starts", ["region_id", "starts_at", "id"]),
    ("ix_course_runs_state_starts", ["state", "starts_at", "id"]),
)


def upgrade() -> None:
    for name, columns in INDEXES:
        op.create_index(name, "course_runs", columns)


def downgrade() -> None:
    for name, _ in reversed(INDEXES):
        op.drop_index(name, "course_runs")
