"""Hours of service (服务时长): the ledger of what units and their members gave, by what it was for.

Nothing in it is changed or taken away: what was not so is reversed by an entry of its own, on the same day, so that the sums of every
period come out even.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, select
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.base import Base, Keyed, PlainText, chosen_from
from models.errors import Conflict, Fault
from models.journal import enter
from models.partners.rows import Partner, PartnerMember
from models.residents import Resident

MINUTES_OF_A_DAY = 24 * 60
_OF_A_MEMBER = sql("reverses_id IS NULL AND member_id IS NOT NULL")
_OF_THE_UNIT = sql("reverses_id IS NULL AND member_id IS NULL")


class HourSubject(StrEnum):
    """What service was for; its key is kept beside it."""

    CLAIM = "claim"  # 认领的心愿
    DELIVERY = "delivery"  # 场地换服务的一次服务


class HourEntry(Keyed, Base):
    """One line: minutes somebody gave on a day, of one member or of the unit as a whole; a reversal counts them back.

    ``by_account`` is who confirmed or reversed it; none is the town itself.
    """

    __tablename__ = "hour_entries"
    __table_args__ = (
        CheckConstraint(
            f"-{MINUTES_OF_A_DAY} <= minutes AND minutes <= {MINUTES_OF_A_DAY} AND minutes <> 0",
            name="within_a_day",
        ),
        CheckConstraint("(reverses_id IS NULL) = (minutes > 0)", name="given_or_counted_back"),
        Index(
            "uq_hour_entries_subject_member",
            "subject",
            "subject_key",
            "partner_id",
            "member_id",
            unique=True,
            postgresql_where=_OF_A_MEMBER,
            sqlite_where=_OF_A_MEMBER,
        ),
        Index(
            "uq_hour_entries_subject_unit",
            "subject",
            "subject_key",
            "partner_id",
            unique=True,
            postgresql_where=_OF_THE_UNIT,
            sqlite_where=_OF_THE_UNIT,
        ),
        Index("uq_hour_entries_reverses", "reverses_id", unique=True),
        Index("ix_hour_entries_partner_day", "partner_id", "done_on"),
    )

    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("partner_members.id"), index=True)
    subject: Mapped[HourSubject] = mapped_column(chosen_from(HourSubject))
    subject_key: Mapped[str] = mapped_column(PlainText(16))
    minutes: Mapped[int]
    what: Mapped[str] = mapped_column(PlainText(100))
    done_on: Mapped[date]
    written_at: Mapped[datetime] = mapped_column(default=clock.now)
    by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("hour_entries.id"))
    because: Mapped[str] = mapped_column(PlainText(100), default="")

    partner: Mapped[Partner] = relationship()
    member: Mapped[PartnerMember | None] = relationship()


@dataclass(frozen=True)
class Served:
    """Service that is confirmed: for what, how long, on which day."""

    subject: HourSubject
    subject_key: str
    minutes: int
    what: str
    done_on: date


@dataclass(frozen=True)
class Share:
    """How many minutes one member (nobody: the unit as a whole) gave in a period; the name as far as they told us one."""

    member: PartnerMember | None
    name: str | None
    minutes: int


def write_hours(
    session: Session,
    partner: Partner,
    served: Served,
    *,
    member: PartnerMember | None = None,
    by_account_id: int | None,
    identity: str,
) -> HourEntry:
    """Write down confirmed service of a unit, or of one of its members. The same subject and member twice is one entry, the first.

    Raises Conflict ``service_hours_unfit`` naming what cannot be.
    """
    partner.lock()
    written = entry_about(session, partner, served.subject, served.subject_key, member=member)
    if written is not None:
        return written
    _must_be_possible(served)
    entry = HourEntry(
        partner=partner,
        member=member,
        subject=served.subject,
        subject_key=served.subject_key,
        minutes=served.minutes,
        what=served.what,
        done_on=served.done_on,
        by_account_id=by_account_id,
    )
    session.add(entry)
    session.flush()
    enter(
        session,
        "hours.written",
        entry,
        by_account_id=by_account_id,
        identity=identity,
        details={"minutes": served.minutes},
    )
    session.flush()
    return entry


def reverse_hours(
    session: Session, entry: HourEntry, because: str, *, by_account_id: int | None, identity: str
) -> HourEntry:
    """Count an entry back, which stays with its reversal beside it. Twice is fine, the first reason stays."""
    entry.partner.lock()
    reversal = session.scalar(select(HourEntry).where(HourEntry.reverses_id == entry.id))
    if reversal is not None:
        return reversal
    reversal = HourEntry(
        partner=entry.partner,
        member=entry.member,
        subject=entry.subject,
        subject_key=entry.subject_key,
        minutes=-entry.minutes,
        what=entry.what,
        done_on=entry.done_on,
        by_account_id=by_account_id,
        reverses_id=entry.id,
        because=because,
    )
    session.add(reversal)
    session.flush()
    enter(
        session,
        "hours.reversed",
        entry,
        by_account_id=by_account_id,
        identity=identity,
        details={"because": because},
    )
    session.flush()
    return reversal


def entry_about(
    session: Session,
    partner: Partner,
    subject: HourSubject,
    subject_key: str,
    *,
    member: PartnerMember | None = None,
) -> HourEntry | None:
    """What was written down of a unit (of one of its members) about a subject, reversed or not, if anything was."""
    return session.scalar(
        select(HourEntry).where(
            HourEntry.partner_id == partner.id,
            HourEntry.subject == subject,
            HourEntry.subject_key == subject_key,
            HourEntry.member_id == member.id if member is not None else HourEntry.member_id.is_(None),
            HourEntry.reverses_id.is_(None),
        )
    )


def hours_of(session: Session, partner: Partner, *, first_day: date, last_day: date) -> Sequence[Share]:
    """How many minutes each member of a unit gave in a period, and the unit as a whole; whoever comes out at none is left out."""
    rows = session.execute(
        select(HourEntry.member_id, func.sum(HourEntry.minutes))
        .where(HourEntry.partner_id == partner.id, HourEntry.done_on.between(first_day, last_day))
        .group_by(HourEntry.member_id)
        .having(func.sum(HourEntry.minutes) > 0)
    )
    minutes = {member_id: int(many) for member_id, many in rows}
    members = session.execute(
        select(PartnerMember, Resident.name)
        .outerjoin(Resident, Resident.account_id == PartnerMember.account_id)
        .where(PartnerMember.id.in_(minutes))
        .order_by(PartnerMember.id)
    )
    of_the_unit = [Share(None, None, minutes[None])] if None in minutes else []
    return of_the_unit + [Share(member, name, minutes[member.id]) for member, name in members]


def entries_of(
    session: Session,
    partner: Partner,
    *,
    first_day: date,
    last_day: date,
    before_id: int | None,
    most: int,
) -> Sequence[HourEntry]:
    """Up to ``most`` lines of a unit's ledger about days of a period, the newest first."""
    query = (
        select(HourEntry)
        .options(joinedload(HourEntry.member))
        .where(HourEntry.partner_id == partner.id, HourEntry.done_on.between(first_day, last_day))
        .order_by(HourEntry.id.desc())
        .limit(most)
    )
    return session.scalars(query if before_id is None else query.where(HourEntry.id < before_id)).all()


def _must_be_possible(served: Served) -> None:
    faults = []
    if not 0 < served.minutes <= MINUTES_OF_A_DAY:
        faults.append(Fault("minutes", f"请填写 1 到 {MINUTES_OF_A_DAY} 分钟"))
    if served.done_on > clock.today():
        faults.append(Fault("done_on", "请填写今天或以前的日期"))
    if faults:
        raise Conflict("service_hours_unfit", "服务时长有误，请改好再提交", faults=faults)
