"""Space for service: agreements, what they hold, and what was delivered

Revision: 0037
After: 0036
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def points(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))


def own(table: str) -> list[sa.PrimaryKeyConstraint]:
    return [sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))]


def keyed(table: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint("key", name=op.f(f"uq_{table}_key"))


def upgrade() -> None:
    op.create_table(
        "service_agreements",
        sa.Column("partner_id", BIG, nullable=False),
        sa.Column("venue_id", BIG, nullable=False),
        sa.Column("service", sa.String(100), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("on_holidays", sa.Boolean(), nullable=False),
        sa.Column("promised_hours", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("drafted_at", MOMENT, nullable=False),
        sa.Column("in_force_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("end_reason", sa.String(100), nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_service_agreements_ends_after_start")),
        sa.CheckConstraint("promised_hours > 0", name=op.f("ck_service_agreements_promises_something")),
        points("service_agreements", "partner_id", "partners"),
        points("service_agreements", "venue_id", "venues"),
        *own("service_agreements"),
        keyed("service_agreements"),
    )
    op.create_index(op.f("ix_service_agreements_partner_id"), "service_agreements", ["partner_id"])
    op.create_index(op.f("ix_service_agreements_venue_id"), "service_agreements", ["venue_id"])
    op.create_table(
        "service_blocks",
        sa.Column("agreement_id", BIG, nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("from_minute", sa.Integer(), nullable=False),
        sa.Column("to_minute", sa.Integer(), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.CheckConstraint("0 <= weekday AND weekday <= 6", name=op.f("ck_service_blocks_of_the_week")),
        sa.CheckConstraint(
            "0 <= from_minute AND from_minute < to_minute AND to_minute <= 1440",
            name=op.f("ck_service_blocks_within_a_day"),
        ),
        points("service_blocks", "agreement_id", "service_agreements"),
        *own("service_blocks"),
    )
    op.create_index(op.f("ix_service_blocks_agreement_id"), "service_blocks", ["agreement_id"])
    op.create_table(
        "service_holds",
        sa.Column("agreement_id", BIG, nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        points("service_holds", "agreement_id", "service_agreements"),
        *own("service_holds"),
        keyed("service_holds"),
    )
    op.create_index("ix_service_holds_agreement_starts", "service_holds", ["agreement_id", "starts_at"])
    op.create_table(
        "service_deliveries",
        sa.Column("agreement_id", BIG, nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(100), nullable=False),
        sa.Column("people_served", sa.Integer(), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("by_partner", sa.Boolean(), nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(16), nullable=False),
        sa.CheckConstraint("0 < minutes AND minutes <= 1440", name=op.f("ck_service_deliveries_within_a_day")),
        sa.CheckConstraint("people_served >= 0", name=op.f("ck_service_deliveries_served_nobody_or_some")),
        points("service_deliveries", "agreement_id", "service_agreements"),
        *own("service_deliveries"),
        keyed("service_deliveries"),
    )
    op.create_index("ix_service_deliveries_agreement", "service_deliveries", ["agreement_id", "id"])


def downgrade() -> None:
    for table in ("service_deliveries", "service_holds", "service_blocks", "service_agreements"):
        op.drop_table(table)
