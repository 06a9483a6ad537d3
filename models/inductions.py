"""Inductions (使用培训): who was shown how to use a room that nobody may reserve before (domain.md §5, 自媒体工作室).

Who works for the room's community writes it down, and takes it back where somebody has to be shown again. It is between the person and
them, and goes when the person leaves.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, Select, delete, select, text
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.base import Base
from models.counter import agreed_among, took_back
from models.errors import Conflict, Fault
from models.journal import enter
from models.profiles import must_be_known_at_counter
from models.residents import Resident
from models.sites import Venue

_STANDS = text("taken_back_at IS NULL")


class Induction(Base):
    """One person was shown one room on a day."""

    __tablename__ = "inductions"
    __table_args__ = (
        Index(
            "uq_inductions_standing",
            "venue_id",
            "resident_id",
            unique=True,
            postgresql_where=_STANDS,
            sqlite_where=_STANDS,
        ),
        Index("ix_inductions_resident", "resident_id"),
    )

    venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"))
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    done_on: Mapped[date]
    by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    taken_back_at: Mapped[datetime | None]

    venue: Mapped[Venue] = relationship()
    resident: Mapped[Resident] = relationship()


def record_induction(
    session: Session,
    venue: Venue,
    resident: Resident,
    *,
    done_on: date,
    by_account_id: int | None = None,
    identity: str = "town",
) -> Induction:
    """Write down that somebody was shown a room; told again, the day is the one told last.

    Raises Conflict ``induction_ahead`` for a day that is yet to come, and as ``must_be_known_at_counter``.
    """
    if done_on > clock.today():
        raise Conflict(
            "induction_ahead", "这一天还没到，请在培训之后登记", faults=[Fault("done_on", "不能晚于今天")]
        )
    resident.lock()  # two clerks who write at once: the second finds what the first wrote
    agreed = resident.id in agreed_among(session, [resident])
    must_be_known_at_counter(resident, has_agreed=agreed, withdrew=took_back(session, resident))
    standing = _standing(session, venue, resident)
    if standing is not None and standing.done_on == done_on:
        return standing
    if standing is None:
        standing = Induction(venue=venue, resident=resident)
        session.add(standing)
    standing.done_on, standing.by_account_id = done_on, by_account_id
    session.flush()
    enter(
        session,
        "induction.recorded",
        standing,
        by_account_id=by_account_id,
        identity=identity,
        for_resident_id=resident.id,
        details={"done_on": done_on.isoformat()},
    )
    return standing


def take_induction_back(
    session: Session,
    venue: Venue,
    resident: Resident,
    *,
    by_account_id: int | None = None,
    identity: str = "town",
) -> None:
    """Somebody has to be shown the room again. Having nothing to take back is fine."""
    resident.lock()
    standing = _standing(session, venue, resident)
    if standing is None:
        return
    standing.taken_back_at = clock.now()
    enter(
        session,
        "induction.taken_back",
        standing,
        by_account_id=by_account_id,
        identity=identity,
        for_resident_id=resident.id,
    )
    session.flush()


def is_inducted(session: Session, venue: Venue, resident: Resident) -> bool:
    """Whether somebody was shown a room."""
    return _standing(session, venue, resident) is not None


def inductions_of(session: Session, residents: Collection[int]) -> Sequence[Induction]:
    """Every room these people were shown, oldest first; what was taken back counts no longer, and is not among them."""
    return session.scalars(_ever(residents).where(Induction.taken_back_at.is_(None))).all()


def inductions_kept_of(session: Session, residents: Collection[int]) -> Sequence[Induction]:
    """Everything that is written of these people, what was taken back too, oldest first."""
    return session.scalars(_ever(residents)).all()


def _ever(residents: Collection[int]) -> Select[Induction]:
    return (
        select(Induction)
        .options(joinedload(Induction.venue).joinedload(Venue.site))
        .where(Induction.resident_id.in_(residents))
        .order_by(Induction.id)
    )


def inductions_in(session: Session, venue: Venue, *, after_id: int | None, most: int) -> Sequence[Induction]:
    """Up to ``most`` of those who were shown a room, in the order it was written down. The caller journals the look."""
    query = (
        select(Induction)
        .options(joinedload(Induction.resident))
        .where(Induction.venue_id == venue.id, Induction.taken_back_at.is_(None))
        .order_by(Induction.id)
        .limit(most)
    )
    return session.scalars(query if after_id is None else query.where(Induction.id > after_id)).all()


def shown_once(session: Session, venue: Venue, key: str) -> Resident | None:
    """The person with this key, if they were ever shown this room, wherever they live now."""
    return session.scalar(
        select(Resident)
        .join(Induction, Induction.resident_id == Resident.id)
        .where(Induction.venue_id == venue.id, Resident.key == key)
    )


def forget_inductions_of(session: Session, residents: Collection[int]) -> None:
    """Nothing of what these people were shown is kept: they leave."""
    session.execute(delete(Induction).where(Induction.resident_id.in_(residents)))


def hand_over_inductions(session: Session, of: Resident, to: Resident) -> None:
    """Two entries become one person, who was shown each room once. The caller lets the rest point at the one who stays."""
    theirs = select(Induction.venue_id).where(
        Induction.resident_id == to.id, Induction.taken_back_at.is_(None)
    )
    session.execute(
        delete(Induction).where(
            Induction.resident_id == of.id,
            Induction.taken_back_at.is_(None),
            Induction.venue_id.in_(theirs),
        )
    )


def _standing(session: Session, venue: Venue, resident: Resident) -> Induction | None:
    return session.scalar(
        select(Induction).where(
            Induction.venue_id == venue.id,
            Induction.resident_id == resident.id,
            Induction.taken_back_at.is_(None),
        )
    )
