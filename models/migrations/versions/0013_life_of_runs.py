"""The life of a run: reviewed, published for a later moment, moved, called off, archived

Lists leave out what is archived, so their indexes hold only what is listed.

Revision: 0013
After: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

LISTED = sa.text("state IN ('published', 'cancelled')")
INDEXES = {
    "ix_course_runs_starts": ["starts_at", "id"],
    "ix_course_runs_region_starts": ["region_id", "starts_at", "id"],
}


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("course_runs", sa.Column("sent_back_because", sa.String(200), nullable=False, server_default=""))
    op.add_column("course_runs", sa.Column("changed_at", moment, nullable=True))
    op.add_column("course_runs", sa.Column("cancelled_at", moment, nullable=True))
    op.add_column("course_runs", sa.Column("cancelled_because", sa.String(200), nullable=False, server_default=""))
    op.add_column("course_sessions", sa.Column("moved_from", moment, nullable=True))
    op.add_column("course_sessions", sa.Column("cancelled_because", sa.String(200), nullable=False, server_default=""))
    op.add_column("registrations", sa.Column("cancelled_by", sa.String(24), nullable=True))
    op.execute("UPDATE course_runs SET cancelled_at = starts_at WHERE state = 'cancelled'")
    op.execute("UPDATE course_runs SET published_at = opens_at WHERE state = 'cancelled' AND published_at IS NULL")
    op.execute("UPDATE registrations SET cancelled_by = 'resident' WHERE state = 'cancelled'")
    for name, columns in INDEXES.items():
        op.drop_index(name, "course_runs")
        op.create_index(name, "course_runs", columns, postgresql_where=LISTED, sqlite_where=LISTED)


def downgrade() -> None:
    for name, columns in INDEXES.items():
        op.drop_index(name, "course_runs")
        op.create_index(name, "course_runs", columns)
    op.drop_column("registrations", "cancelled_by")
    op.drop_column("course_sessions", "cancelled_because")
    op.drop_column("course_sessions", "moved_from")
    op.drop_column("course_runs", "cancelled_because")
    op.drop_column("course_runs", "cancelled_at")
    op.drop_column("course_runs", "changed_at")
    op.drop_column("course_runs", "sent_back_because")
