"""Partner units that apply, are paired with places, renewed and suspended; their managers; and the ledger of their hours

Revision: 0043
After: 0042
"""

from __future__ import annotations

import base64
import os

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NOT_REJECTED = sa.text("state <> 'rejected'")
NOT_ENDED = sa.text("state <> 'ended'")
STANDING = sa.text("left_at IS NULL")
OF_A_MEMBER = sa.text("reverses_id IS NULL AND member_id IS NOT NULL")
OF_THE_UNIT = sa.text("reverses_id IS NULL AND member_id IS NULL")


def upgrade() -> None:
    _units_have_a_state()
    _members_have_a_key()
    _pairings()
    _hours()


def _units_have_a_state() -> None:
    with op.batch_alter_table("partners") as partners:
        partners.add_column(sa.Column("state", sa.String(24), nullable=False, server_default="active"))
        partners.add_column(sa.Column("reason", sa.String(100), nullable=False, server_default=""))
        partners.add_column(sa.Column("applied_by_id", BIG, nullable=True))
        partners.add_column(sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True))
        partners.add_column(sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
        partners.add_column(sa.Column("renewed_until", sa.Date(), nullable=True))
        partners.add_column(sa.Column("renewal_asked_at", sa.DateTime(timezone=True), nullable=True))
        partners.add_column(sa.Column("invitation_fingerprint", sa.String(64), nullable=True))
        partners.add_column(sa.Column("invited_until", sa.DateTime(timezone=True), nullable=True))
    # who is known already has a whole year from the day the house learnt to ask
    in_a_year = "date('now', '+365 days')" if op.get_bind().dialect.name == "sqlite" else "CURRENT_DATE + 365"
    op.execute(f"UPDATE partners SET renewed_until = {in_a_year}")
    with op.batch_alter_table("partners") as partners:
        partners.alter_column("state", server_default=None, existing_type=sa.String(24), existing_nullable=False)
        partners.drop_constraint(op.f("uq_partners_name"), type_="unique")
        partners.drop_constraint(op.f("uq_partners_credit_code"), type_="unique")
        partners.create_foreign_key(op.f("fk_partners_applied_by_id"), "accounts", ["applied_by_id"], ["id"])
        partners.create_check_constraint(op.f("ck_partners_lapsed_is_never_stored"), "state <> 'lapsed'")
        partners.create_check_constraint(
            op.f("ck_partners_renewed_until_a_day"),
            "state IN ('applied', 'rejected') OR renewed_until IS NOT NULL",
        )
        partners.create_index(op.f("ix_partners_applied_by_id"), ["applied_by_id"])
        partners.create_index("uq_partners_invitation_fingerprint", ["invitation_fingerprint"], unique=True)
        for name in ("name", "credit_code"):
            partners.create_index(
                f"uq_partners_live_{name}",
                [name],
                unique=True,
                postgresql_where=NOT_REJECTED,
                sqlite_where=NOT_REJECTED,
            )


def _members_have_a_key() -> None:
    with op.batch_alter_table("partner_members") as members:
        members.add_column(sa.Column("key", sa.String(length=16), nullable=True))
        members.add_column(sa.Column("is_manager", sa.Boolean(), nullable=False, server_default=sa.false()))
    connection = op.get_bind()
    for (member_id,) in connection.execute(sa.text("SELECT id FROM partner_members")).all():
        key = base64.b32encode(os.urandom(10)).decode().lower()
        connection.execute(
            sa.text("UPDATE partner_members SET key = :key WHERE id = :id"), {"key": key, "id": member_id}
        )
    # whoever has acted for a unit the longest says who else does
    op.execute(
        "UPDATE partner_members SET is_manager = true WHERE id IN"
        " (SELECT min(id) FROM partner_members WHERE left_at IS NULL GROUP BY partner_id)"
    )
    with op.batch_alter_table("partner_members") as members:
        members.alter_column("key", existing_type=sa.String(length=16), nullable=False)
        members.create_unique_constraint(op.f("uq_partner_members_key"), ["key"])
        members.create_index(
            "ix_partner_members_standing", ["partner_id"], postgresql_where=STANDING, sqlite_where=STANDING
        )


def _pairings() -> None:
    op.create_table(
        "partner_pairings",
        sa.Column("partner_id", BIG, nullable=False),
        sa.Column("region_id", BIG, nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("is_trusted", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(100), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.CheckConstraint(
            "(state = 'ended') = (ended_at IS NOT NULL)", name=op.f("ck_partner_pairings_ended_at_a_moment")
        ),
        sa.CheckConstraint(
            "state <> 'active' OR since IS NOT NULL", name=op.f("ck_partner_pairings_active_since_a_moment")
        ),
        sa.CheckConstraint(
            "state = 'active' OR NOT is_trusted", name=op.f("ck_partner_pairings_trusted_while_active")
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_partner_pairings_partner_id")),
        sa.ForeignKeyConstraint(["region_id"], ["regions.id"], name=op.f("fk_partner_pairings_region_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_pairings")),
        sa.UniqueConstraint("key", name=op.f("uq_partner_pairings_key")),
    )
    op.create_index(
        "uq_partner_pairings_standing",
        "partner_pairings",
        ["partner_id", "region_id"],
        unique=True,
        postgresql_where=NOT_ENDED,
        sqlite_where=NOT_ENDED,
    )
    op.create_index("ix_partner_pairings_region", "partner_pairings", ["region_id", "state"])
    # a unit that is known already has to do with the place it was written down for
    connection = op.get_bind()
    known = connection.execute(
        sa.text(
            "SELECT p.id, p.region_id FROM partners p JOIN regions r ON r.id = p.region_id"
            " WHERE r.kind IN ('city', 'district', 'street', 'community')"
        )
    ).all()
    for partner_id, region_id in known:
        key = base64.b32encode(os.urandom(10)).decode().lower()
        connection.execute(
            sa.text(
                "INSERT INTO partner_pairings (partner_id, region_id, state, is_trusted, asked_at, since, reason, key)"
                " VALUES (:partner_id, :region_id, 'active', false, CURRENT_TIMESTAMP, CURRENT_TIMESTAMP, '', :key)"
            ),
            {"partner_id": partner_id, "region_id": region_id, "key": key},
        )


def _hours() -> None:
    op.create_table(
        "hour_entries",
        sa.Column("partner_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=True),
        sa.Column("subject", sa.String(24), nullable=False),
        sa.Column("subject_key", sa.String(16), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(100), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_account_id", BIG, nullable=True),
        sa.Column("reverses_id", BIG, nullable=True),
        sa.Column("because", sa.String(100), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.CheckConstraint(
            "-1440 <= minutes AND minutes <= 1440 AND minutes <> 0", name=op.f("ck_hour_entries_within_a_day")
        ),
        sa.CheckConstraint(
            "(reverses_id IS NULL) = (minutes > 0)", name=op.f("ck_hour_entries_given_or_counted_back")
        ),
        sa.ForeignKeyConstraint(["by_account_id"], ["accounts.id"], name=op.f("fk_hour_entries_by_account_id")),
        sa.ForeignKeyConstraint(["member_id"], ["partner_members.id"], name=op.f("fk_hour_entries_member_id")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_hour_entries_partner_id")),
        sa.ForeignKeyConstraint(["reverses_id"], ["hour_entries.id"], name=op.f("fk_hour_entries_reverses_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hour_entries")),
        sa.UniqueConstraint("key", name=op.f("uq_hour_entries_key")),
    )
    op.create_index(
        "uq_hour_entries_subject_member",
        "hour_entries",
        ["subject", "subject_key", "partner_id", "member_id"],
        unique=True,
        postgresql_where=OF_A_MEMBER,
        sqlite_where=OF_A_MEMBER,
    )
    op.create_index(
        "uq_hour_entries_subject_unit",
        "hour_entries",
        ["subject", "subject_key", "partner_id"],
        unique=True,
        postgresql_where=OF_THE_UNIT,
        sqlite_where=OF_THE_UNIT,
    )
    op.create_index("uq_hour_entries_reverses", "hour_entries", ["reverses_id"], unique=True)
    op.create_index("ix_hour_entries_partner_day", "hour_entries", ["partner_id", "done_on"])
    op.create_index(op.f("ix_hour_entries_member_id"), "hour_entries", ["member_id"])


def downgrade() -> None:
    op.drop_table("hour_entries")
    op.drop_table("partner_pairings")
    with op.batch_alter_table("partner_members") as members:
        members.drop_index("ix_partner_members_standing", postgresql_where=STANDING, sqlite_where=STANDING)
        members.drop_constraint(op.f("uq_partner_members_key"), type_="unique")
        for name in ("is_manager", "key"):
            members.drop_column(name)
    op.execute("DELETE FROM partners WHERE state IN ('applied', 'rejected')")  # nobody acts for those, and names may be taken
    with op.batch_alter_table("partners") as partners:
        for name in ("credit_code", "name"):
            partners.drop_index(
                f"uq_partners_live_{name}", postgresql_where=NOT_REJECTED, sqlite_where=NOT_REJECTED
            )
        partners.drop_index("uq_partners_invitation_fingerprint")
        partners.drop_index(op.f("ix_partners_applied_by_id"))
        partners.drop_constraint(op.f("ck_partners_renewed_until_a_day"), type_="check")
        partners.drop_constraint(op.f("ck_partners_lapsed_is_never_stored"), type_="check")
        partners.drop_constraint(op.f("fk_partners_applied_by_id"), type_="foreignkey")
        partners.create_unique_constraint(op.f("uq_partners_name"), ["name"])
        partners.create_unique_constraint(op.f("uq_partners_credit_code"), ["credit_code"])
        for name in (
            "invited_until",
            "invitation_fingerprint",
            "renewal_asked_at",
            "renewed_until",
            "decided_at",
            "applied_at",
            "applied_by_id",
            "reason",
            "state",
        ):
            partners.drop_column(name)
