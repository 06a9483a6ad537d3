"""What a run asks before the tap, and what people answered

Revision: 0016
After: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("course_runs", sa.Column("asks_questions", sa.Boolean(), nullable=False, server_default=sa.false()))
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "run_questions",
        sa.Column("id", key, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("run_id", key, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("least", sa.Integer(), nullable=True),
        sa.Column("most", sa.Integer(), nullable=True),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["course_runs.id"], name=op.f("fk_run_questions_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_questions")),
        sa.UniqueConstraint("key", name=op.f("uq_run_questions_key")),
        sa.UniqueConstraint("run_id", "ordinal", name=op.f("uq_run_questions_run_id_ordinal")),
    )
    op.create_table(
        "run_answers",
        sa.Column("id", key, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("question_id", key, nullable=False),
        sa.Column("resident_id", key, nullable=False),
        sa.Column("by_account_id", key, nullable=True),
        sa.Column("written", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["by_account_id"], ["accounts.id"], name=op.f("fk_run_answers_by_account_id")),
        sa.ForeignKeyConstraint(
            ["question_id"], ["run_questions.id"], name=op.f("fk_run_answers_question_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_run_answers_resident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_answers")),
        sa.UniqueConstraint("key", name=op.f("uq_run_answers_key")),
        sa.UniqueConstraint("question_id", "resident_id", name=op.f("uq_run_answers_question_id_resident_id")),
    )
    op.create_index("ix_run_answers_resident", "run_answers", ["resident_id"])


def downgrade() -> None:
    op.drop_table("run_answers")
    op.drop_table("run_questions")
    op.drop_column("course_runs", "asks_questions")
