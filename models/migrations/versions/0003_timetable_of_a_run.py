"""A run remembers which of the community's timetables it came from

A community may have several in one month (社区夜校, 日间课堂). A corrected file withdraws what it no longer has of its own
timetable, and leaves the others alone.

Revision: 0003
After: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("course_runs", sa.Column("timetable", sa.String(40), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("course_runs", "timetable")
