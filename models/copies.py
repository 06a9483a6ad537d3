"""Copies (个人信息副本): everything the town keeps about a person, for that person (个保法 art. 45).

Collected anew each time with a fixed number of queries, and kept nowhere. For a guardian the children's part is included. What is
here are rows; the shape decides what of them is shown, and of other people never more than a masked name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from models.accounts import Account, Login
from models.base import Base
from models.consents import Consent, consents_of
from models.content_checks import ContentCheck, checks_of
from models.counter import ResidentConsent, consents_kept_of
from models.courses import (
    Attendance,
    CalendarFeed,
    Certificate,
    CourseRun,
    Feedback,
    Receipt,
    Registration,
    RunAnswer,
    answers_to_runs,
    certificates_of,
    feed_of,
    feedback_to,
    receipts_of,
)
from models.courses.attendance import Fetching, evenings_of, fetching_of
from models.courses.pauses import Pause, pauses_of
from models.follows import Follow, follows_of
from models.grants import MessageGrant
from models.journal import JournalEntry
from models.ladder import Call, ShortMessage
from models.notices import Notice
from models.partners import PartnerMember
from models.residents import Bond, BondKind, Resident, bonds_around, bonds_of, resident_of
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


@dataclass(frozen=True)
class Held:
    """One registration with what happened to it."""

    registration: Registration
    history: Sequence[Line]
    evenings: Sequence[Attendance]
    feedback: Feedback | None
    certificate: Certificate | None
    fetching: Fetching


@dataclass(frozen=True)
class Tie:
    """One bond, seen from one of its two people."""

    bond: Bond
    is_helper: bool

    @property
    def other(self) -> Resident:
        """The one at the other end."""
        return self.bond.ward if self.is_helper else self.bond.helper


@dataclass(frozen=True)
class Pages:
    """What is kept about one person."""

    resident: Resident
    bonds: Sequence[Tie]
    registrations: Sequence[Held]
    short_messages: Sequence[ShortMessage]
    calls: Sequence[Call]
    consents: Sequence[ResidentConsent]
    answers: Sequence[RunAnswer]
    pauses: Sequence[Pause]
    receipts: Sequence[Receipt]
    journal: Sequence[Line]


@dataclass(frozen=True)
class Copy:
    """Everything kept about an account, the person it is, and the children they guard."""

    account: Account
    oneself: Pages | None
    children: Sequence[Pages]
    account_journal: Sequence[Line]
    consents: Sequence[Consent]
    checks: Sequence[ContentCheck]
    logins: Sequence[Login]
    notices: Sequence[Notice]
    grants: Sequence[MessageGrant]
    feed: CalendarFeed | None
    follows: Sequence[Follow]
    staff: Sequence[StaffMember]
    partners: Sequence[PartnerMember]


def copy_for(session: Session, account: Account) -> Copy:
    """Everything the town keeps about this account and its people. The caller journals the look."""
    oneself = resident_of(session, account)
    wards = bonds_of(session, oneself) if oneself else []
    children = dict.fromkeys(bond.ward for bond in wards if bond.kind is BondKind.GUARDIAN)
    people = [*([oneself] if oneself else []), *children]
    bonds = bonds_around(session, [one.id for one in people])
    registrations = _registrations_of(session, [one.id for one in people])
    consents = consents_of(session, account)
    journal = _Journal(session, account, people, registrations, bonds, consents)
    evenings = evenings_of(session, [held.id for held in registrations])
    said = feedback_to(session, [held.id for held in registrations])
    papers = {one.registration_id: one for one in certificates_of(session, [one.id for one in people])}
    rungs = _rungs_of(session, [one.id for one in people])
    signed = consents_kept_of(session, [one.id for one in people])
    answers = answers_to_runs(session, [one.id for one in people])
    fetching = fetching_of(session, [held.id for held in registrations])
    paused = pauses_of(session, [one.id for one in people])
    receipts = receipts_of(session, [one.id for one in people], run_key=None, before_id=None, most=None)
    kept = _Kept(
        registrations, evenings, said, papers, fetching, bonds, rungs, signed, answers, paused, receipts
    )
    pages = [_pages_of(one, kept, journal) for one in people]
    return Copy(
        account=account,
        oneself=pages[0] if pages else None,
        children=pages[1:],
        account_journal=journal.about(account, *consents),
        consents=consents,
        checks=checks_of(session, account, [one.id for one in people]),
        logins=session.scalars(select(Login).where(Login.account_id == account.id).order_by(Login.id)).all(),
        notices=session.scalars(
            select(Notice).where(Notice.account_id == account.id).order_by(Notice.id)
        ).all(),
        grants=session.scalars(
            select(MessageGrant).where(MessageGrant.account_id == account.id).order_by(MessageGrant.id)
        ).all(),
        feed=feed_of(session, account),
        follows=follows_of(session, account),
        staff=session.scalars(
            select(StaffMember)
            .options(selectinload(StaffMember.grants).joinedload(RoleGrant.region))
            .where(StaffMember.account_id == account.id)
            .order_by(StaffMember.id)
        ).all(),
        partners=session.scalars(
            select(PartnerMember)
            .options(joinedload(PartnerMember.partner))
            .where(PartnerMember.account_id == account.id)
            .order_by(PartnerMember.id)
        ).all(),
    )


@dataclass(frozen=True)
class _Kept:
    """Everything kept about these people together."""

    registrations: Sequence[Registration]
    evenings: Mapping[int, Sequence[Attendance]]
    said: Mapping[int, Feedback]
    papers: Mapping[int, Certificate]
    fetching: Mapping[int, Fetching]
    bonds: Sequence[Bond]
    rungs: tuple[Sequence[ShortMessage], Sequence[Call]]
    signed: Sequence[ResidentConsent]
    answers: Sequence[RunAnswer]
    paused: Sequence[Pause]
    receipts: Sequence[Receipt]


def _pages_of(
    one: Resident,
    kept: _Kept,
    journal: _Journal,
) -> Pages:
    theirs = [held for held in kept.registrations if held.resident_id == one.id]
    ties = [
        Tie(bond, bond.helper_id == one.id) for bond in kept.bonds if one.id in (bond.helper_id, bond.ward_id)
    ]
    history = [
        Held(
            held,
            journal.about(held),
            kept.evenings.get(held.id, ()),
            kept.said.get(held.id),
            kept.papers.get(held.id),
            kept.fetching.get(held.id, Fetching()),
        )
        for held in theirs
    ]
    told = {line.entry.id for held in history for line in held.history}
    rest = [
        *journal.about(one, *(tie.bond for tie in ties)),
        *journal.looks_at(theirs),
        *journal.done_for(one),
    ]
    lines = {line.entry.id: line for line in rest if line.entry.id not in told}
    messages = [message for message in kept.rungs[0] if message.resident_id == one.id]
    calls = [call for call in kept.rungs[1] if call.resident_id == one.id]
    consents = [consent for consent in kept.signed if consent.resident_id == one.id]
    return Pages(
        one,
        ties,
        history,
        messages,
        calls,
        consents,
        answers=[answer for answer in kept.answers if answer.resident_id == one.id],
        pauses=[pause for pause in kept.paused if pause.resident_id == one.id],
        receipts=[receipt for receipt in kept.receipts if receipt.resident_id == one.id],
        journal=[lines[entry_id] for entry_id in sorted(lines)],
    )


def _rungs_of(session: Session, residents: Collection[int]) -> tuple[Sequence[ShortMessage], Sequence[Call]]:
    return (
        session.scalars(
            select(ShortMessage).where(ShortMessage.resident_id.in_(residents)).order_by(ShortMessage.id)
        ).all(),
        session.scalars(select(Call).where(Call.resident_id.in_(residents)).order_by(Call.id)).all(),
    )


def _registrations_of(session: Session, residents: Collection[int]) -> Sequence[Registration]:
    return session.scalars(
        select(Registration)
        .options(joinedload(Registration.run).joinedload(CourseRun.course))
        .where(Registration.resident_id.in_(residents))
        .order_by(Registration.id)
    ).all()


class _Journal:
    """Every entry about an account and its people, with who acted: read with three queries."""

    def __init__(
        self,
        session: Session,
        account: Account,
        people: Sequence[Resident],
        registrations: Sequence[Registration],
        bonds: Sequence[Bond],
        consents: Sequence[Consent],
    ) -> None:
        subjects: Mapping[str, list[int]] = {
            Account.__tablename__: [account.id],
            Resident.__tablename__: [one.id for one in people],
            Registration.__tablename__: [held.id for held in registrations],
            Bond.__tablename__: [bond.id for bond in bonds],
            Consent.__tablename__: [consent.id for consent in consents],
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
