"""Pairings (结对) as rows: which units and which places have to do with each other, from when to when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Select, func, select
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.base import Base, Keyed, PlainText, chosen_from
from models.errors import NotFound
from models.partners.rows import APPROVED, Partner, PartnerState
from models.regions import Region, RegionKind, is_within, regions_within

CAN_BE_PAIRED = frozenset({RegionKind.CITY, RegionKind.DISTRICT, RegionKind.STREET, RegionKind.COMMUNITY})
_NOT_ENDED = sql("state <> 'ended'")


class PairingState(StrEnum):
    """Where a pairing stands."""

    ASKED = "asked"  # 待社区同意
    ACTIVE = "active"  # 结对中
    ENDED = "ended"  # 已结束


class Pairing(Keyed, Base):
    """One unit and one place, a community or what is above it. ``is_trusted``: what the unit claims there needs no confirmation (免审)."""

    __tablename__ = "partner_pairings"
    __table_args__ = (
        CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name="ended_at_a_moment"),
        CheckConstraint("state <> 'active' OR since IS NOT NULL", name="active_since_a_moment"),
        CheckConstraint("state = 'active' OR NOT is_trusted", name="trusted_while_active"),
        Index(
            "uq_partner_pairings_standing",
            "partner_id",
            "region_id",
            unique=True,
            postgresql_where=_NOT_ENDED,
            sqlite_where=_NOT_ENDED,
        ),
        Index("ix_partner_pairings_region", "region_id", "state"),
    )

    partner_id: Mapped[int] = mapped_column(ForeignKey("partners.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    state: Mapped[PairingState] = mapped_column(chosen_from(PairingState))
    is_trusted: Mapped[bool] = mapped_column(default=False)
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    since: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(PlainText(100), default="")  # why it ended, or was not agreed to

    partner: Mapped[Partner] = relationship()
    region: Mapped[Region] = relationship()


def paired_places(session: Session, partner: Partner) -> Sequence[Region]:
    """The places a unit that is active (or has lapsed) is paired with now, from the highest down; none while it is suspended."""
    if partner.state is not PartnerState.ACTIVE:
        return []
    return session.scalars(
        select(Region)
        .join(Pairing, Pairing.region_id == Region.id)
        .where(Pairing.partner_id == partner.id, Pairing.state == PairingState.ACTIVE)
        .order_by(Region.path)
    ).all()


def is_paired(session: Session, partner: Partner, region: Region) -> bool:
    """Whether a unit has to do with a place now: it is paired with it, or with what it lies under."""
    return is_within(region, paired_places(session, partner))


def is_trusted(session: Session, partner: Partner, region: Region) -> bool:
    """Whether what a unit claims in a place needs no confirmation: staff of the place, or of what it lies under, said so."""
    if partner.state is not PartnerState.ACTIVE:
        return False
    places = session.scalars(
        select(Region)
        .join(Pairing, Pairing.region_id == Region.id)
        .where(Pairing.partner_id == partner.id, Pairing.state == PairingState.ACTIVE, Pairing.is_trusted)
    ).all()
    return is_within(region, places)


def pairing_within(session: Session, key: str, *, within: Sequence[Region]) -> Pairing:
    """The pairing with this key with one of these places. Raises NotFound outside of them."""
    pairing = session.scalar(_whole().where(Pairing.key == key))
    if pairing is None or not is_within(pairing.region, within):
        raise NotFound("没有找到这个结对")
    return pairing


def pairings_within(
    session: Session, places: Sequence[Region], *, state: PairingState, after_id: int | None, most: int
) -> Sequence[Pairing]:
    """Up to ``most`` pairings with these places or what lies under them that are in a state, oldest first."""
    if not places:
        return []
    query = (
        _whole()
        .where(Pairing.region_id.in_(regions_within(*places)), Pairing.state == state)
        .order_by(Pairing.id)
        .limit(most)
    )
    return session.scalars(query if after_id is None else query.where(Pairing.id > after_id)).all()


def partner_on_card(session: Session, key: str, *, within: Sequence[Region]) -> Partner:
    """The unit with this key that has to do with one of these places, for what may be known of it there.

    It serves the place or one under it, is paired with one or asks to be, or is paired with what lies above. Raises NotFound for any other, also
    once the pairing has ended.
    """
    partner = session.scalar(select(Partner).options(joinedload(Partner.region)).where(Partner.key == key))
    if partner is None or not _has_to_do_with(session, partner, within):
        raise NotFound("没有找到这个单位")
    return partner


def pairings_of(session: Session, partner: Partner) -> Sequence[Pairing]:
    """Every pairing of a unit, also those that ended, oldest first."""
    return session.scalars(_whole().where(Pairing.partner_id == partner.id).order_by(Pairing.id)).all()


def pairing_of(session: Session, partner: Partner, key: str) -> Pairing:
    """The pairing with this key, if it is this unit's. Raises NotFound."""
    pairing = session.scalar(_whole().where(Pairing.key == key, Pairing.partner_id == partner.id))
    if pairing is None:
        raise NotFound("没有找到这个结对")
    return pairing


def count_pairings_asked(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many pairings that units asked for waited at a moment, by the path of the place."""
    rows = session.execute(
        select(Region.path, func.count())
        .select_from(Pairing)
        .join(Region, Region.id == Pairing.region_id)
        .join(Partner, Partner.id == Pairing.partner_id)
        .where(
            Pairing.state == PairingState.ASKED,
            Pairing.asked_at <= as_of,
            Partner.state.in_(APPROVED),  # that of an application is decided with it
        )
        .group_by(Region.path)
    )
    return dict(rows.all())


def _has_to_do_with(session: Session, partner: Partner, places: Sequence[Region]) -> bool:
    if partner.region is not None and is_within(partner.region, places):
        return True
    pairings = session.scalars(
        select(Pairing)
        .options(joinedload(Pairing.region))
        .where(Pairing.partner_id == partner.id, Pairing.state != PairingState.ENDED)
    ).all()
    above = [pairing.region for pairing in pairings if pairing.state is PairingState.ACTIVE]
    return any(is_within(pairing.region, places) for pairing in pairings) or any(
        is_within(place, above) for place in places
    )


def _whole() -> Select[Pairing]:
    return select(Pairing).options(joinedload(Pairing.partner), joinedload(Pairing.region))
