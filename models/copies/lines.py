"""Lines (操作记录): the journal about a person, with who acted as far as it is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, selectinload

from models.accounts import Account
from models.base import Base
from models.consents import Consent
from models.coordination.closures import MoveQuestion
from models.courses import (
    CourseRun,
    Registration,
)
from models.journal import JournalEntry
from models.reservations import Reservation
from models.residents import Bond, Resident
from models.staff import RoleGrant, StaffMember

LOOKED_AT_THE_RUN = (
    "roster.looked_at",
    "attendance.looked_at",
    "pick_ups.looked_at",
    "roster.exported",
    "run_answers.looked_at",
    "certificates.looked_at",
    "reach.looked_at",
)


class Actor(StrEnum):
    """Who did something, as seen by the person it is about."""

    ONESELF = "oneself"  # 本人
    HELPER = "helper"  # 代办人
    STAFF = "staff"  # 工作人员
    WECHAT = "wechat"  # 微信平台
    TOWN = "town"  # 系统


@dataclass(frozen=True)
class Line:
    """One line of the journal about a person: what was done, and by whom as far as it is known."""

    entry: JournalEntry
    by: Actor
    name: str | None  # of who acted, when they are somebody else; shown masked
    roles: Sequence[RoleGrant]  # those a staff member held at that moment


class Journal:
    """Every entry about an account and its people, with who acted: read with three queries."""

    def __init__(
        self,
        session: Session,
        account: Account,
        people: Sequence[Resident],
        registrations: Sequence[Registration],
        rooms: Sequence[Reservation],
        bonds: Sequence[Bond],
        consents: Sequence[Consent],
        questions: Sequence[MoveQuestion],
    ) -> None:
        subjects: Mapping[str, list[int]] = {
            Account.__tablename__: [account.id],
            Resident.__tablename__: [one.id for one in people],
            Registration.__tablename__: [held.id for held in registrations],
            Reservation.__tablename__: [room.id for room in rooms],
            Bond.__tablename__: [bond.id for bond in bonds],
            Consent.__tablename__: [consent.id for consent in consents],
            MoveQuestion.__tablename__: [question.id for question in questions],
        }
        runs = {held.run_id for held in registrations}
        entries = session.scalars(
            select(JournalEntry)
            .where(
                or_(
                    *(
                        and_(JournalEntry.subject_kind == kind, JournalEntry.subject_id.in_(ids))
                        for kind, ids in subjects.items()
                    ),
                    and_(
                        JournalEntry.subject_kind == CourseRun.__tablename__,
                        JournalEntry.subject_id.in_(runs),
                        JournalEntry.act.in_(LOOKED_AT_THE_RUN),
                    ),
                    JournalEntry.for_resident_id.in_(subjects[Resident.__tablename__]),
                )
            )
            .order_by(JournalEntry.id)
        ).all()
        actors = {entry.by_account_id for entry in entries} - {None, account.id}
        self._people = {
            person.account_id: person
            for person in session.scalars(select(Resident).where(Resident.account_id.in_(actors)))
        }
        hats = {entry.identity.removeprefix("staff:") for entry in entries if ":" in entry.identity}
        self._staff = {
            member.identity: member
            for member in session.scalars(
                select(StaffMember)
                .options(selectinload(StaffMember.grants).joinedload(RoleGrant.region))
                .where(StaffMember.key.in_(hats))
            )
        }
        self._account = account
        self._lines = [self._line(entry) for entry in entries]

    def about(self, *subjects: Base) -> list[Line]:
        """The lines about these rows."""
        wanted = {(subject.__tablename__, subject.id) for subject in subjects}
        return [line for line in self._lines if (line.entry.subject_kind, line.entry.subject_id) in wanted]

    def done_for(self, person: Resident) -> list[Line]:
        """The lines of what somebody else did for this person."""
        return [line for line in self._lines if line.entry.for_resident_id == person.id]

    def looks_at(self, registrations: Sequence[Registration]) -> list[Line]:
        """The lines of looks at a run's people while one of these was among them."""
        return [
            line
            for line in self._lines
            if line.entry.act in LOOKED_AT_THE_RUN
            and any(
                held.run_id == line.entry.subject_id
                and held.registered_at <= line.entry.at
                and (held.cancelled_at is None or line.entry.at < held.cancelled_at)
                for held in registrations
            )
        ]

    def _line(self, entry: JournalEntry) -> Line:
        member = self._staff.get(entry.identity)
        roles = (
            [
                grant
                for grant in member.grants
                if grant.starts_at <= entry.at and (grant.ends_at is None or grant.ends_at > entry.at)
            ]
            if member
            else []
        )
        if entry.identity.startswith("staff:"):
            return Line(entry, Actor.STAFF, member.name if member else None, roles)
        if entry.identity == Actor.WECHAT:
            return Line(entry, Actor.WECHAT, None, ())
        if entry.by_account_id == self._account.id:
            return Line(entry, Actor.ONESELF, None, ())
        if entry.by_account_id is None:
            return Line(entry, Actor.TOWN, None, ())
        helper = self._people.get(entry.by_account_id)
        return Line(entry, Actor.HELPER, helper.name if helper else None, ())
