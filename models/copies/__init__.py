"""Copies (个人信息副本): everything the town keeps about a person, for that person (个保法 art. 45).

Collected anew each time with a fixed number of queries, and kept nowhere. For a guardian the children's part is included. What is
here are rows; the shape decides what of them is shown, and of other people never more than a masked name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from models.accounts import Account, Login
from models.consents import Consent, consents_of
from models.content_checks import ContentCheck, checks_of
from models.coordination.closures import MoveQuestion, questions_kept_of, resident_asked
from models.coordination.feeds import CalendarFeed, feed_of
from models.copies.lines import Journal, Line
from models.counter import ResidentConsent, consents_kept_of
from models.courses import (
    Attendance,
    Certificate,
    CourseRun,
    Feedback,
    Receipt,
    Registration,
    RunAnswer,
    answers_to_runs,
    certificates_of,
    feedback_to,
    receipts_of,
)
from models.courses.attendance import Fetching, evenings_of, fetching_of
from models.courses.pauses import Pause, pauses_of
from models.follows import Follow, follows_of
from models.grants import MessageGrant
from models.groups import Group, groups_led_by
from models.inductions import Induction, inductions_kept_of
from models.ladder import Call, ShortMessage
from models.notices import Notice
from models.partners import Partner, PartnerMember, applications_of
from models.reservations import CreditEntry, Reservation, entries_kept_of, reservations_kept_of
from models.residents import Bond, BondKind, Resident, bonds_around, bonds_of, resident_of
from models.staff import RoleGrant, StaffMember
from models.wishes import Wish, WishSupport, supports_kept_of, wishes_kept_of
from models.wishes.claims import Claim, claims_kept_of, claims_on


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
class HeldWish:
    """One wish with what units promised and did about it."""

    wish: Wish
    claims: Sequence[Claim]


@dataclass(frozen=True)
class HeldRoom:
    """One reservation with what happened to it."""

    reservation: Reservation
    history: Sequence[Line]


@dataclass(frozen=True)
class Asked:
    """One question because something was moved, with who answered it."""

    question: MoveQuestion
    history: Sequence[Line]


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
    inductions: Sequence[Induction]
    groups: Sequence[Group]
    rooms: Sequence[HeldRoom]
    questions: Sequence[Asked]
    credit: Sequence[CreditEntry]
    wishes: Sequence[HeldWish]
    supports: Sequence[WishSupport]
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
    applications: Sequence[Partner]
    claims: Sequence[Claim]


def copy_for(session: Session, account: Account) -> Copy:
    """Everything the town keeps about this account and its people. The caller journals the look."""
    oneself = resident_of(session, account)
    wards = bonds_of(session, oneself) if oneself else []
    children = dict.fromkeys(bond.ward for bond in wards if bond.kind is BondKind.GUARDIAN)
    people = [*([oneself] if oneself else []), *children]
    bonds = bonds_around(session, [one.id for one in people])
    registrations = _registrations_of(session, [one.id for one in people])
    rooms = reservations_kept_of(session, [one.id for one in people])
    credit = entries_kept_of(session, [one.id for one in people])
    consents = consents_of(session, account)
    questions = questions_kept_of(session, [one.id for one in people])
    journal = Journal(session, account, people, registrations, rooms, bonds, consents, questions)
    evenings = evenings_of(session, [held.id for held in registrations])
    said = feedback_to(session, [held.id for held in registrations])
    papers = {one.registration_id: one for one in certificates_of(session, [one.id for one in people])}
    rungs = _rungs_of(session, [one.id for one in people])
    signed = consents_kept_of(session, [one.id for one in people])
    answers = answers_to_runs(session, [one.id for one in people])
    fetching = fetching_of(session, [held.id for held in registrations])
    paused = pauses_of(session, [one.id for one in people])
    receipts = receipts_of(session, [one.id for one in people], run_key=None, before_id=None, most=None)
    shown = inductions_kept_of(session, [one.id for one in people])
    led = groups_led_by(session, [one.id for one in people])
    wished = wishes_kept_of(session, [one.id for one in people])
    kept = _Kept(
        registrations,
        evenings,
        said,
        papers,
        fetching,
        bonds,
        rungs,
        signed,
        answers,
        paused,
        receipts,
        shown,
        led,
        rooms,
        questions,
        credit,
        wished,
        claims_on(session, [wish.id for wish in wished]),
        supports_kept_of(session, [one.id for one in people]),
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
        applications=applications_of(session, account),
        claims=claims_kept_of(session, account),
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
    shown: Sequence[Induction]
    led: Sequence[Group]
    rooms: Sequence[Reservation]
    questions: Sequence[MoveQuestion]
    credit: Sequence[CreditEntry]
    wishes: Sequence[Wish]
    claims: Mapping[int, Sequence[Claim]]
    supports: Sequence[WishSupport]


def _pages_of(
    one: Resident,
    kept: _Kept,
    journal: Journal,
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
    reserved = [HeldRoom(room, journal.about(room)) for room in kept.rooms if room.resident_id == one.id]
    asked = [Asked(each, journal.about(each)) for each in kept.questions if resident_asked(each) is one]
    stories = [
        *(held.history for held in history),
        *(room.history for room in reserved),
        *(each.history for each in asked),
    ]
    told = {line.entry.id for story in stories for line in story}
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
        inductions=[shown for shown in kept.shown if shown.resident_id == one.id],
        groups=[group for group in kept.led if group.leader_id == one.id],
        rooms=reserved,
        questions=asked,
        credit=[entry for entry in kept.credit if entry.resident_id == one.id],
        wishes=[HeldWish(wish, kept.claims[wish.id]) for wish in kept.wishes if wish.resident_id == one.id],
        supports=[given for given in kept.supports if given.resident_id == one.id],
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
