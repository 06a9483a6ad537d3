"""Equipment (设备): what a site lends with its rooms, so many pieces of each, and who has how many of them when.

A piece belongs to a site and goes with any of its rooms, or is fixed to one room. At no moment more pieces are out than there are: by
the verb ``lend``, under the lock of the equipment's row, and by triggers in the database on both engines (written in the migrations; a
promise test tries them). Whoever uses a room as well holds its spaces first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate

from sqlalchemy import CheckConstraint, ForeignKey, Index, delete, select, text, update
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.base import Base, Keyed, PlainText
from models.errors import Conflict, Fault, NotFound
from models.journal import enter
from models.occupancy import LONGEST, day_by_day
from models.regions import Region, is_within
from models.sites import Site, Venue

_STANDS = text("retired_at IS NULL")


class Equipment(Keyed, Base):
    """One kind of thing a site has so many pieces of."""

    __tablename__ = "equipment"
    __table_args__ = (
        Index(
            "uq_equipment_standing",
            "site_id",
            "name",
            unique=True,
            postgresql_where=_STANDS,
            sqlite_where=_STANDS,
        ),
        CheckConstraint("stock > 0", name="some_of_it"),
    )

    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    venue_id: Mapped[int | None] = mapped_column(
        ForeignKey("venues.id")
    )  # none: goes with any room of the site
    name: Mapped[str] = mapped_column(PlainText(40))
    stock: Mapped[int]
    retired_at: Mapped[datetime | None]

    site: Mapped[Site] = relationship()
    venue: Mapped[Venue | None] = relationship()


class EquipmentLoan(Base):
    """So many pieces out from one moment to another (the end not included), with the thing that has ``holder_key``."""

    __tablename__ = "equipment_loans"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("pieces > 0", name="some_of_it"),
        Index("ix_equipment_loans_equipment_starts", "equipment_id", "starts_at"),
    )

    equipment_id: Mapped[int] = mapped_column(ForeignKey("equipment.id"))
    holder_key: Mapped[str] = mapped_column(PlainText(16), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    pieces: Mapped[int]


# --- what there is ------------------------------------------------------------------------------------------------


def add_equipment(
    session: Session,
    site: Site,
    *,
    name: str,
    stock: int,
    venue: Venue | None = None,
    by_account_id: int | None = None,
    identity: str = "town",
) -> Equipment:
    """Write down what a site has, for any of its rooms or for one. Raises Conflict ``equipment_exists``, or ``equipment_elsewhere``."""
    site.lock()  # two who add the same: the second is told
    _must_fit(session, site, name=name, venue=venue)
    equipment = Equipment(site=site, venue=venue, name=name, stock=stock)
    session.add(equipment)
    session.flush()
    enter(
        session,
        "equipment.added",
        equipment,
        by_account_id=by_account_id,
        identity=identity,
        details={"name": name, "stock": stock},
    )
    return equipment


def change_equipment(
    session: Session,
    equipment: Equipment,
    *,
    name: str,
    stock: int,
    venue: Venue | None,
    by_account_id: int | None = None,
    identity: str = "town",
) -> None:
    """Write down what it is called, how many there are and which room it goes with; the same twice changes nothing.

    Raises Conflict ``equipment_promised`` where fewer would be left than are promised, or where what is promised would go with another
    room; ``equipment_exists``; ``equipment_elsewhere``; NotFound for what is retired.
    """
    equipment.site.lock()
    _hold(equipment)
    _must_fit(session, equipment.site, name=name, venue=venue, besides=equipment)
    venue_id = None if venue is None else venue.id
    promised = _promised(session, equipment)
    if stock < promised:
        raise _is_promised(equipment, promised, "stock")
    if promised and venue_id not in (None, equipment.venue_id):
        raise _is_promised(equipment, promised, "venue")
    was = {"name": equipment.name, "stock": equipment.stock, "venue": equipment.venue_id}
    now = {"name": name, "stock": stock, "venue": venue_id}
    changed = [field for field in was if was[field] != now[field]]
    if not changed:
        return
    equipment.name, equipment.stock, equipment.venue = name, stock, venue
    enter(
        session,
        "equipment.changed",
        equipment,
        by_account_id=by_account_id,
        identity=identity,
        details={"changed": changed, "stock": stock},
    )
    session.flush()


def retire_equipment(
    session: Session, equipment: Equipment, *, by_account_id: int | None = None, identity: str = "town"
) -> None:
    """It is no longer there. Raises Conflict ``equipment_promised`` while some of it is promised; NotFound the second time."""
    _hold(equipment)
    promised = _promised(session, equipment)
    if promised:
        raise _is_promised(equipment, promised)
    equipment.retired_at = clock.now()
    enter(session, "equipment.retired", equipment, by_account_id=by_account_id, identity=identity)
    session.flush()


def equipment_in(session: Session, key: str, *, within: Sequence[Region]) -> Equipment:
    """What has this key, of a site in one of these places. Raises NotFound outside of them, and for what is retired."""
    equipment = session.scalar(
        select(Equipment)
        .options(joinedload(Equipment.site).joinedload(Site.region))
        .where(Equipment.key == key, Equipment.retired_at.is_(None))
    )
    if equipment is None or not is_within(equipment.site.region, within):
        raise NotFound("没有找到这个设备")
    return equipment


def equipment_of(session: Session, venues: Collection[Venue]) -> dict[int, list[Equipment]]:
    """What goes with each of these rooms, by the room's id, in the order it was added: one question for all of them."""
    rows = session.scalars(
        select(Equipment)
        .where(Equipment.site_id.in_({venue.site_id for venue in venues}), Equipment.retired_at.is_(None))
        .order_by(Equipment.id)
    ).all()
    return {venue.id: [one for one in rows if _goes_with(one, venue)] for venue in venues}


def _goes_with(equipment: Equipment, venue: Venue) -> bool:
    return equipment.site_id == venue.site_id and equipment.venue_id in (None, venue.id)


def _must_fit(
    session: Session, site: Site, *, name: str, venue: Venue | None, besides: Equipment | None = None
) -> None:
    if venue is not None and venue.site_id != site.id:
        raise Conflict(
            "equipment_elsewhere",
            "这个场地在别的服务点，请选本服务点的场地",
            faults=[Fault("venue", "不是这个服务点的场地")],
        )
    same = select(Equipment.id).where(
        Equipment.site_id == site.id, Equipment.name == name, Equipment.retired_at.is_(None)
    )
    if session.scalar(same if besides is None else same.where(Equipment.id != besides.id)) is not None:
        told = f"这个服务点已经登记过“{name}”，请直接修改它的数量"
        raise Conflict("equipment_exists", told, faults=[Fault("name", told)])


def _hold(equipment: Equipment) -> None:
    if equipment.lock().retired_at is not None:
        raise NotFound("没有找到这个设备")


def _promised(session: Session, equipment: Equipment) -> int:
    """How many pieces are out at the worst moment from now on."""
    now = clock.now()
    loans = session.scalars(
        select(EquipmentLoan).where(
            EquipmentLoan.equipment_id == equipment.id,
            EquipmentLoan.starts_at > now - LONGEST,
            EquipmentLoan.ends_at > now,
        )
    )
    return _most_out(loans)


def _is_promised(equipment: Equipment, promised: int, field: str | None = None) -> Conflict:
    told = f"“{equipment.name}”已经约出去 {promised} 件，请先处理这些预约，再来修改"
    return Conflict(
        "equipment_promised",
        told,
        details={"equipment": equipment.key, "pieces": promised},
        faults=[Fault(field, told)] if field else (),
    )


# --- who has it ---------------------------------------------------------------------------------------------------


def lend(
    session: Session,
    wanted: Mapping[str, int],
    venue: Venue,
    *,
    starts_at: datetime,
    ends_at: datetime,
    holder_key: str,
) -> None:
    """Hold so many pieces of each of these (by key) with a room, for a stretch of time.

    Locks the equipment in id order, so that two who want the same wait for each other. Raises Conflict ``equipment_not_here`` for what
    does not go with this room, and ``equipment_short`` naming everything of which fewer are left, and how many; nothing is held then.
    """
    found = session.scalars(
        select(Equipment).where(Equipment.key.in_(list(wanted))).order_by(Equipment.id)
    ).all()
    for one in found:
        one.lock()
    _must_go_with(venue, wanted, found)
    left = left_between(session, found, starts_at=starts_at, ends_at=ends_at)
    short = [one for one in found if left[one.key] < wanted[one.key]]
    if short:
        said = "、".join(f"“{one.name}”还剩 {left[one.key]} 件" for one in short)
        raise Conflict(
            "equipment_short",
            f"这个时间{said}，请减少数量或换一个时间",
            details={
                "short": [
                    {
                        "equipment": one.key,
                        "name": one.name,
                        "left": left[one.key],
                        "wanted": wanted[one.key],
                    }
                    for one in short
                ]
            },
            faults=[Fault("equipment", f"“{one.name}”这个时间还剩 {left[one.key]} 件") for one in short],
        )
    session.add_all(
        EquipmentLoan(
            equipment_id=one.id,
            holder_key=holder_key,
            starts_at=begins,
            ends_at=ends,
            pieces=wanted[one.key],
        )
        for one in found
        for begins, ends in day_by_day(starts_at, ends_at)
    )
    session.flush()


def give_back(session: Session, holder_keys: Iterable[str]) -> None:
    """Everything these have is free again."""
    session.execute(delete(EquipmentLoan).where(EquipmentLoan.holder_key.in_(list(holder_keys))))


def shorten(session: Session, holder_key: str, ends_at: datetime) -> None:
    """What this one has is free from a moment on; what it had until then stays written."""
    theirs = EquipmentLoan.holder_key == holder_key
    session.execute(delete(EquipmentLoan).where(theirs, EquipmentLoan.starts_at >= ends_at))
    session.execute(
        update(EquipmentLoan).where(theirs, EquipmentLoan.ends_at > ends_at).values(ends_at=ends_at)
    )


def left_between(
    session: Session, equipment: Sequence[Equipment], *, starts_at: datetime, ends_at: datetime
) -> dict[str, int]:
    """How many pieces of each are free all through a stretch of time, by key: one question, however much was lent before."""
    loans = _loans_between(session, equipment, starts_at, ends_at)
    return {one.key: one.stock - _most_out(loans[one.id]) for one in equipment}


def enough_within(
    session: Session, wanted: Mapping[str, int], *, starts_at: datetime, ends_at: datetime
) -> Callable[[datetime, datetime], bool]:
    """Tells of any part of a stretch of time whether so many pieces of each of these (by key) are free all through it: one question for all of it."""
    equipment = session.scalars(select(Equipment).where(Equipment.key.in_(list(wanted)))).all()
    loans = _loans_between(session, equipment, starts_at, ends_at)

    def is_enough(begins: datetime, ends: datetime) -> bool:
        return all(
            one.stock
            - _most_out(loan for loan in loans[one.id] if loan.starts_at < ends and loan.ends_at > begins)
            >= wanted[one.key]
            for one in equipment
        )

    return is_enough


def loans_of(session: Session, holder_keys: Collection[str]) -> dict[str, dict[str, int]]:
    """What each of these has: how many pieces by the equipment's key."""
    rows = session.execute(
        select(EquipmentLoan.holder_key, Equipment.key, EquipmentLoan.pieces)
        .join(Equipment, Equipment.id == EquipmentLoan.equipment_id)
        .where(EquipmentLoan.holder_key.in_(list(holder_keys)))
        .order_by(Equipment.id)
    )
    held: dict[str, dict[str, int]] = defaultdict(dict)
    for holder_key, key, pieces in rows:
        held[holder_key][key] = pieces
    return held


def _must_go_with(venue: Venue, wanted: Mapping[str, int], found: Iterable[Equipment]) -> None:
    here = {one.key for one in found if one.retired_at is None and _goes_with(one, venue)}
    if strange := sorted(set(wanted) - here):
        told = f"“{venue.name}”没有这样的设备，请刷新后重新选择"
        raise Conflict(
            "equipment_not_here", told, details={"equipment": strange}, faults=[Fault("equipment", told)]
        )


def _loans_between(
    session: Session, equipment: Sequence[Equipment], starts_at: datetime, ends_at: datetime
) -> Mapping[int, list[EquipmentLoan]]:
    """Who has any of these in a stretch of time, by the equipment's id."""
    loans: dict[int, list[EquipmentLoan]] = defaultdict(list)
    for loan in session.scalars(
        select(EquipmentLoan).where(
            EquipmentLoan.equipment_id.in_([one.id for one in equipment]),
            EquipmentLoan.starts_at > starts_at - LONGEST,
            EquipmentLoan.starts_at < ends_at,
            EquipmentLoan.ends_at > starts_at,
        )
    ):
        loans[loan.equipment_id].append(loan)
    return loans


def _most_out(loans: Iterable[EquipmentLoan]) -> int:
    """How many pieces are out at the worst moment; what ends at a moment is back before something begins at it."""
    known = list(loans)
    begun = [(one.starts_at, one.pieces) for one in known]
    ended = [(one.ends_at, -one.pieces) for one in known]
    return max(accumulate((pieces for _, pieces in sorted([*begun, *ended])), initial=0))
