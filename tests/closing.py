"""Closures as plain calls: staff look, close, and lift, people answer; the stage of the tests about what is closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import reading, transaction
from models.coordination.closures import (
    Choice,
    ClosureEffect,
    ClosureKind,
    Decision,
    MoveAnswer,
    MoveQuestion,
    Plan,
    Remedy,
    RoomClosure,
    Wanted,
    answer,
    close,
    lift,
    look,
)
from models.reservations import Reservation
from models.sites import Site, Venue
from tests.people import Person, Town, Worker
from tests.rooms import by_phone, by_staff

PIPE = "水管爆裂"


def wanted(
    session: Session,
    rooms: Sequence[Venue],
    starts_at: datetime | None,
    ends_at: datetime,
    kind: ClosureKind = ClosureKind.CLOSURE,
) -> Wanted:
    """These rooms of one site, in this session."""
    here = [session.get_one(Venue, room.id) for room in rooms]
    return Wanted(kind, session.get_one(Site, here[0].site_id), here, starts_at, ends_at)


def plan_of(
    rooms: Sequence[Venue],
    starts_at: datetime | None,
    ends_at: datetime,
    kind: ClosureKind = ClosureKind.CLOSURE,
) -> Plan:
    """What staff see before they close something."""
    with reading() as session:
        return look(session, wanted(session, rooms, starts_at, ends_at, kind))


def remedies(plan: Plan) -> list[tuple[str, str, str | None, datetime | None]]:
    """What is proposed for what: its title, the remedy, the room and the hour it goes to."""
    return [
        (
            one.affected.title,
            one.remedy.value,
            one.venue.name if one.venue else None,
            one.stretch.starts_at if one.stretch else None,
        )
        for one in plan.items
    ]


def closes(
    town: Town,
    rooms: Sequence[Venue],
    starts_at: datetime | None,
    ends_at: datetime,
    *,
    kind: ClosureKind = ClosureKind.CLOSURE,
    by: Worker | None = None,
    fingerprint: str | None = None,
    choices: Mapping[str, Choice] | None = None,
    emergency_because: str = "",
    offers: str = "",
    may_override_classes: bool = True,
) -> RoomClosure:
    """Staff look and close, in a transaction of their own. Raises the refusal."""
    if fingerprint is None:
        fingerprint = plan_of(rooms, starts_at, ends_at, kind).fingerprint
    with transaction() as session:
        here = {
            key: replace(one, venue=one.venue and session.get_one(Venue, one.venue.id))
            for key, one in (choices or {}).items()
        }
        return close(
            session,
            wanted(session, rooms, starts_at, ends_at, kind),
            Decision(PIPE, fingerprint, emergency_because, offers, here),
            by=by_staff(by or town.clerk),
            may_override_classes=may_override_classes,
        )


def lifts(town: Town, closure: RoomClosure, because: str = "修好了") -> None:
    """Staff open the rooms again, in a transaction of their own."""
    with transaction() as session:
        lift(session, session.get_one(RoomClosure, closure.id), because, by=by_staff(town.clerk))


def says(who: Person, question: MoveQuestion, *, yes: bool) -> MoveAnswer | None:
    """Somebody answers at their own phone; what is written down."""
    with transaction() as session:
        found = session.get_one(MoveQuestion, question.id)
        return answer(session, found, accepts=yes, by=by_phone(who)).answer


def question_about(reservation: Reservation) -> MoveQuestion:
    """The last question that was asked about a reservation."""
    with reading() as session:
        return session.scalars(
            select(MoveQuestion)
            .where(MoveQuestion.reservation_id == reservation.id)
            .order_by(MoveQuestion.id.desc())
            .limit(1)
        ).one()


def answer_about(reservation: Reservation) -> MoveAnswer | None:
    """What was said to it."""
    return question_about(reservation).answer


def effects(closure: RoomClosure) -> list[tuple[str, Remedy]]:
    """What became of what was in the way, in order of time."""
    with reading() as session:
        rows = session.scalars(
            select(ClosureEffect)
            .where(ClosureEffect.closure_id == closure.id)
            .order_by(ClosureEffect.starts_at, ClosureEffect.id)
        )
        return [(one.title, one.remedy) for one in rows]
