"""Delivering (履约): service that was given, what of it is confirmed, and how far a unit is behind its promise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.agreements.rows import MINUTES_OF_A_DAY, AgreementState, ServiceAgreement, ServiceDelivery
from models.agreements.telling import tell_declined
from models.errors import Conflict, Fault, NotFound
from models.journal import enter
from models.partners import HourSubject, Served, entry_about, must_not_act_for, reverse_hours, write_hours
from models.regions import Region, is_within
from models.sites import Site, Venue

MOST_SERVED = 10_000
GRACE = timedelta(
    days=7
)  # a service of every week, and the time it takes to write it down, is no reason for a word
WORTH_A_WORD = 1  # hour: who is less behind than that is not


@dataclass(frozen=True)
class Record:
    """What is said of service that was given."""

    done_on: date
    minutes: int
    what: str
    people_served: int


@dataclass(frozen=True)
class Delivered:
    """How many minutes of service are written down of an agreement and not declined, and how many of them are confirmed."""

    minutes: int = 0
    confirmed_minutes: int = 0


@dataclass(frozen=True)
class Figures:
    """How an agreement stands on a day, in hours; ``due`` is what the time gone by would want."""

    promised: int
    due: float
    delivered: float
    confirmed: float
    behind: float


def due_by(agreement: ServiceAgreement, on: date) -> float:
    """How many hours should have been given by the beginning of a day: of the promise as much as of the period is over.

    For an agreement that has ended the time stands still since.
    """
    if agreement.ended_at is not None:
        on = min(on, clock.in_town(agreement.ended_at).date())
    days = (agreement.ends_on - agreement.starts_on).days + 1
    over = min(max((on - agreement.starts_on).days, 0), days)
    return agreement.promised_hours * over / days


def behind_by(agreement: ServiceAgreement, confirmed_minutes: int, on: date) -> float:
    """How many hours a unit is behind on a day; none for a draft, and never less than none."""
    if agreement.state is AgreementState.DRAFT:
        return 0.0
    return max(due_by(agreement, on) - confirmed_minutes / 60, 0.0)


def figures_of(session: Session, agreements: Collection[ServiceAgreement], on: date) -> dict[int, Figures]:
    """How these agreements stand, by their id, with one statement."""
    given = delivered_of(session, [agreement.id for agreement in agreements])
    return {
        one.id: Figures(
            promised=one.promised_hours,
            due=round(due_by(one, on), 1) if one.state is not AgreementState.DRAFT else 0.0,
            delivered=round(given[one.id].minutes / 60, 1),
            confirmed=round(given[one.id].confirmed_minutes / 60, 1),
            behind=round(behind_by(one, given[one.id].confirmed_minutes, on), 1),
        )
        for one in agreements
    }


def delivered_of(session: Session, agreements: Collection[int]) -> Mapping[int, Delivered]:
    """What was delivered under each of these agreements, by their id."""
    confirmed = func.sum(ServiceDelivery.minutes).filter(ServiceDelivery.confirmed_at.is_not(None))
    rows = session.execute(
        select(ServiceDelivery.agreement_id, func.sum(ServiceDelivery.minutes), confirmed)
        .where(ServiceDelivery.agreement_id.in_(agreements), ServiceDelivery.declined_at.is_(None))
        .group_by(ServiceDelivery.agreement_id)
    )
    found = {agreement_id: Delivered(int(all_), int(some or 0)) for agreement_id, all_, some in rows}
    return {agreement_id: found.get(agreement_id, Delivered()) for agreement_id in agreements}


def record_delivery(
    session: Session,
    agreement: ServiceAgreement,
    record: Record,
    *,
    by_account_id: int | None,
    identity: str,
) -> ServiceDelivery:
    """Write down service that was given; what staff write counts at once, what the unit writes when the community has confirmed it.

    Raises Conflict ``agreement_not_in_force``, ``delivery_unfit`` naming a field that cannot be, and Forbidden ``own_content`` for staff who write
    down what their own unit gave.
    """
    by_partner = identity.startswith("partner:")
    agreement.lock()
    if not by_partner:
        must_not_act_for(session, agreement.partner, by_account_id)
    if agreement.state is not AgreementState.IN_FORCE:
        raise Conflict("agreement_not_in_force", "这份协议不在履行中，不能登记服务，有疑问请联系社区")
    _must_be_possible(agreement, record)
    delivery = ServiceDelivery(
        agreement=agreement,
        done_on=record.done_on,
        minutes=record.minutes,
        what=record.what,
        people_served=record.people_served,
        by_partner=by_partner,
        confirmed_at=None if by_partner else clock.now(),
    )
    session.add(delivery)
    session.flush()
    enter(
        session,
        "service_delivery.recorded",
        delivery,
        by_account_id=by_account_id,
        identity=identity,
        details={"minutes": record.minutes},
    )
    session.flush()
    if not by_partner:
        _write_hours(session, delivery, by_account_id=by_account_id, identity=identity)
    return delivery


def confirm_delivery(
    session: Session, delivery: ServiceDelivery, *, by_account_id: int | None, identity: str
) -> None:
    """The community was there: what the unit wrote down counts, also as its hours of service. Twice is fine, also once the agreement has ended.

    Raises Conflict ``delivery_declined`` for what was declined, and Forbidden ``own_content`` for one's own unit.
    """
    must_not_act_for(session, delivery.agreement.partner, by_account_id)
    delivery.lock()
    if delivery.confirmed_at is not None:
        return
    if delivery.declined_at is not None:
        raise Conflict("delivery_declined", "这条服务记录已经退回，请单位重新登记")
    delivery.confirmed_at = clock.now()
    enter(session, "service_delivery.confirmed", delivery, by_account_id=by_account_id, identity=identity)
    session.flush()
    _write_hours(session, delivery, by_account_id=by_account_id, identity=identity)


def decline_delivery(
    session: Session, delivery: ServiceDelivery, because: str, *, by_account_id: int | None, identity: str
) -> None:
    """It was not so: what was written down counts for nothing, also where it was confirmed before, and the unit is told why.

    Twice is fine, the first reason stays; so is an agreement that has ended.
    """
    delivery.lock()
    if delivery.declined_at is not None:
        return
    delivery.declined_at, delivery.declined_because, delivery.confirmed_at = clock.now(), because, None
    enter(
        session,
        "service_delivery.declined",
        delivery,
        by_account_id=by_account_id,
        identity=identity,
        details={"because": because},
    )
    session.flush()
    written = entry_about(session, delivery.agreement.partner, HourSubject.DELIVERY, delivery.key)
    if written is not None:
        reverse_hours(session, written, because, by_account_id=by_account_id, identity=identity)
    tell_declined(session, delivery)


def deliveries_of(
    session: Session, agreement: ServiceAgreement, *, after_id: int | None, most: int
) -> Sequence[ServiceDelivery]:
    """Up to ``most`` of what was written down of an agreement, in the order it was."""
    query = (
        select(ServiceDelivery)
        .where(ServiceDelivery.agreement_id == agreement.id)
        .order_by(ServiceDelivery.id)
        .limit(most)
    )
    return session.scalars(query if after_id is None else query.where(ServiceDelivery.id > after_id)).all()


def delivery_within(session: Session, key: str, *, within: Sequence[Region]) -> ServiceDelivery:
    """What was written down under this key of an agreement about a room of these places. Raises NotFound outside of them."""
    delivery = session.scalar(
        select(ServiceDelivery)
        .options(
            joinedload(ServiceDelivery.agreement)
            .joinedload(ServiceAgreement.venue)
            .joinedload(Venue.site)
            .joinedload(Site.region)
        )
        .where(ServiceDelivery.key == key)
    )
    if delivery is None or not is_within(delivery.agreement.venue.site.region, within):
        raise NotFound("没有找到这条服务记录")
    return delivery


def count_unconfirmed(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many records of units waited to be confirmed at a moment, by the path of the place."""
    rows = session.execute(
        select(Region.path, func.count())
        .select_from(ServiceDelivery)
        .join(ServiceAgreement, ServiceAgreement.id == ServiceDelivery.agreement_id)
        .join(Venue, Venue.id == ServiceAgreement.venue_id)
        .join(Site, Site.id == Venue.site_id)
        .join(Region, Region.id == Site.region_id)
        .where(
            ServiceDelivery.confirmed_at.is_(None),
            ServiceDelivery.declined_at.is_(None),
            ServiceDelivery.recorded_at <= as_of,
        )
        .group_by(Region.path)
    )
    return dict(rows.all())


def count_behind(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many agreements in force were behind on the day of a moment, by the path of the place."""
    return Counter(path for _, path, _ in those_behind(session, clock.in_town(as_of).date()))


def those_behind(session: Session, on: date) -> list[tuple[ServiceAgreement, str, float]]:
    """The agreements in force that are behind on a day: each with the path of its place and by how many hours.

    Behind is who had not given by now, by an hour or more, what was due ``GRACE`` ago.
    """
    confirmed = (
        select(
            ServiceDelivery.agreement_id.label("agreement_id"),
            func.sum(ServiceDelivery.minutes).label("minutes"),
        )
        .where(ServiceDelivery.confirmed_at.is_not(None))
        .group_by(ServiceDelivery.agreement_id)
        .subquery()
    )
    rows = session.execute(
        select(ServiceAgreement, Region.path, func.coalesce(confirmed.c.minutes, 0))
        .join(Venue, Venue.id == ServiceAgreement.venue_id)
        .join(Site, Site.id == Venue.site_id)
        .join(Region, Region.id == Site.region_id)
        .outerjoin(confirmed, confirmed.c.agreement_id == ServiceAgreement.id)
        .options(
            joinedload(ServiceAgreement.partner), joinedload(ServiceAgreement.venue).joinedload(Venue.site)
        )
        .where(ServiceAgreement.state == AgreementState.IN_FORCE)
        .order_by(ServiceAgreement.id)
    )
    behind = [
        (agreement, path, behind_by(agreement, int(minutes), on - GRACE)) for agreement, path, minutes in rows
    ]
    return [each for each in behind if each[2] >= WORTH_A_WORD]


def _write_hours(
    session: Session, delivery: ServiceDelivery, *, by_account_id: int | None, identity: str
) -> None:
    """What counts of a promise is service of the unit as a whole: who of its people gave it is not written down."""
    served = Served(HourSubject.DELIVERY, delivery.key, delivery.minutes, delivery.what, delivery.done_on)
    write_hours(session, delivery.agreement.partner, served, by_account_id=by_account_id, identity=identity)


def _must_be_possible(agreement: ServiceAgreement, record: Record) -> None:
    faults = []
    latest = min(clock.today(), agreement.ends_on)
    if not agreement.starts_on <= record.done_on <= latest:
        faults.append(Fault("done_on", "请填写协议期限内、今天或以前的日期"))
    if not 0 < record.minutes <= MINUTES_OF_A_DAY:
        faults.append(Fault("minutes", f"请填写 1 到 {MINUTES_OF_A_DAY} 分钟"))
    if not 0 <= record.people_served <= MOST_SERVED:
        faults.append(Fault("people_served", f"请填写 0 到 {MOST_SERVED} 人"))
    if faults:
        raise Conflict("delivery_unfit", "服务记录有误，请改好再提交", faults=faults)
