"""Agreements as rows: what was agreed on, what it holds, what was delivered, and how one is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Select, select
from sqlalchemy.orm import (
    Mapped,
    Session,
    contains_eager,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
)

from models import clock
from models.base import Base, Keyed, PlainText, chosen_from
from models.errors import NotFound
from models.partners import Partner
from models.regions import Region, is_within, regions_within
from models.sites import Site, Venue

MINUTES_OF_A_DAY = 24 * 60


class AgreementState(StrEnum):
    """Where an agreement stands."""

    DRAFT = "draft"  # 草稿
    IN_FORCE = "in_force"  # 履行中
    ENDED = "ended"  # 已结束


@dataclass(frozen=True, order=True)
class Block:
    """The same hours of every week: a day of it (0 is Monday, 6 is Sunday), from one minute of the day to another."""

    weekday: int
    from_minute: int
    to_minute: int


@dataclass(frozen=True)
class Terms:
    """What is agreed on. The last day is the period's last; ``promised_hours`` are for the whole period."""

    starts_on: date
    ends_on: date
    blocks: Sequence[Block]
    service: str
    promised_hours: int
    on_holidays: bool = False  # whether the unit has the room on public holidays too


class ServiceAgreement(Keyed, Base):
    """One agreement with one unit about one room."""

    __tablename__ = "service_agreements"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="ends_after_start"),
        CheckConstraint("promised_hours > 0", name="promises_something"),
    )

    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"), index=True)
    venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"), index=True)
    service: Mapped[str] = mapped_column(PlainText(100))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    on_holidays: Mapped[bool] = mapped_column(default=False)
    promised_hours: Mapped[int]
    state: Mapped[AgreementState] = mapped_column(chosen_from(AgreementState), default=AgreementState.DRAFT)
    drafted_at: Mapped[datetime] = mapped_column(default=clock.now)
    in_force_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(PlainText(100))

    partner: Mapped[Partner] = relationship()
    venue: Mapped[Venue] = relationship()
    blocks: Mapped[list[ServiceBlock]] = relationship(order_by="ServiceBlock.id")

    @property
    def title(self) -> str:
        """How people call it."""
        return f"{self.partner.name}·{self.venue.name}"

    @property
    def terms(self) -> Terms:
        """What was agreed on."""
        return Terms(
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            blocks=[block.block for block in self.blocks],
            service=self.service,
            promised_hours=self.promised_hours,
            on_holidays=self.on_holidays,
        )


class ServiceBlock(Base):
    """Hours of every week in which the unit has the room."""

    __tablename__ = "service_blocks"
    __table_args__ = (
        CheckConstraint("0 <= weekday AND weekday <= 6", name="of_the_week"),
        CheckConstraint(
            f"0 <= from_minute AND from_minute < to_minute AND to_minute <= {MINUTES_OF_A_DAY}",
            name="within_a_day",
        ),
    )

    agreement_id: Mapped[int] = mapped_column(ForeignKey("service_agreements.id"), index=True)
    weekday: Mapped[int]
    from_minute: Mapped[int]
    to_minute: Mapped[int]

    @property
    def block(self) -> Block:
        """What it says."""
        return Block(self.weekday, self.from_minute, self.to_minute)


class ServiceHold(Keyed, Base):
    """One block of one day that an agreement in force holds; its key is the holder's in the calendar. What is let go of is no row.

    ``elsewhere``: the room it was moved to, where that is not the agreement's.
    """

    __tablename__ = "service_holds"
    __table_args__ = (Index("ix_service_holds_agreement_starts", "agreement_id", "starts_at"),)

    agreement_id: Mapped[int] = mapped_column(ForeignKey("service_agreements.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]

    elsewhere_id: Mapped[int | None] = mapped_column(ForeignKey("venues.id"))

    agreement: Mapped[ServiceAgreement] = relationship()
    elsewhere: Mapped[Venue | None] = relationship()

    @property
    def venue(self) -> Venue:
        """The room it holds."""
        return self.elsewhere or self.agreement.venue


class ServiceDelivery(Keyed, Base):
    """Service that was given on a day, written down by staff or by the unit; ``confirmed_at`` is when it counts from.

    What was declined stays as it was written, with the reason, and counts for nothing.
    """

    __tablename__ = "service_deliveries"
    __table_args__ = (
        CheckConstraint(f"0 < minutes AND minutes <= {MINUTES_OF_A_DAY}", name="within_a_day"),
        CheckConstraint("people_served >= 0", name="served_nobody_or_some"),
        CheckConstraint("confirmed_at IS NULL OR declined_at IS NULL", name="confirmed_or_declined"),
        Index("ix_service_deliveries_agreement", "agreement_id", "id"),
    )

    agreement_id: Mapped[int] = mapped_column(ForeignKey("service_agreements.id"))
    done_on: Mapped[date]
    minutes: Mapped[int]
    what: Mapped[str] = mapped_column(PlainText(100))
    people_served: Mapped[int]
    recorded_at: Mapped[datetime] = mapped_column(default=clock.now)
    by_partner: Mapped[bool]
    confirmed_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]
    declined_because: Mapped[str] = mapped_column(PlainText(100), default="", server_default="")

    agreement: Mapped[ServiceAgreement] = relationship()


def agreements_within(
    session: Session,
    places: Sequence[Region],
    *,
    state: AgreementState | None,
    after_id: int | None,
    most: int,
) -> Sequence[ServiceAgreement]:
    """Up to ``most`` agreements about rooms of these places, in any state unless one is named, oldest first."""
    if not places:
        return []
    query = (
        _whole().where(Site.region_id.in_(regions_within(*places))).order_by(ServiceAgreement.id).limit(most)
    )
    if state is not None:
        query = query.where(ServiceAgreement.state == state)
    return session.scalars(query if after_id is None else query.where(ServiceAgreement.id > after_id)).all()


def agreement_within(session: Session, key: str, *, within: Sequence[Region]) -> ServiceAgreement:
    """The agreement with this key about a room of these places. Raises NotFound outside of them."""
    agreement = session.scalar(_whole().where(ServiceAgreement.key == key))
    if agreement is None or not is_within(agreement.venue.site.region, within):
        raise NotFound("没有找到这份协议")
    return agreement


def agreements_of_partner(session: Session, partner: Partner) -> Sequence[ServiceAgreement]:
    """A unit's agreements that are more than a draft, oldest first."""
    return session.scalars(
        _whole()
        .where(ServiceAgreement.partner_id == partner.id, ServiceAgreement.state != AgreementState.DRAFT)
        .order_by(ServiceAgreement.id)
    ).all()


def agreement_of_partner(session: Session, key: str, partner: Partner) -> ServiceAgreement:
    """A unit's agreement with this key that is more than a draft. Raises NotFound for any other."""
    agreement = session.scalar(
        _whole().where(
            ServiceAgreement.key == key,
            ServiceAgreement.partner_id == partner.id,
            ServiceAgreement.state != AgreementState.DRAFT,
        )
    )
    if agreement is None:
        raise NotFound("没有找到这份协议")
    return agreement


def _whole() -> Select[ServiceAgreement]:
    return (
        select(ServiceAgreement)
        .join(ServiceAgreement.venue)
        .join(Venue.site)
        .options(
            contains_eager(ServiceAgreement.venue).contains_eager(Venue.site).joinedload(Site.region),
            joinedload(ServiceAgreement.partner),
            selectinload(ServiceAgreement.blocks),
        )
    )
