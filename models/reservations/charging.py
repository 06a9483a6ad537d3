"""Charging (计分): an entry of credit is written with the deed it is for, and whoever it concerns is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.errors import Conflict
from models.groups import Group
from models.journal import enter
from models.notices import NoticeKind
from models.policies import policies_at
from models.regions import Region, regions_within
from models.reservations.credit import (
    POINTS,
    Credit,
    CreditAppealState,
    CreditEntry,
    CreditWhy,
    credit_of,
    entries_of,
)
from models.reservations.finding import rooms_of
from models.reservations.parties import By, must_not_be_own
from models.reservations.rows import Reservation
from models.reservations.telling import tell_credit
from models.residents import Resident
from models.sites import Site, Venue
from models.venue_policies import policies_of

_FOR_NOT_COMING = (CreditWhy.LATE, CreditWhy.NO_SHOW)
TOLD_WITHIN = timedelta(days=1)
WORDS_KEPT_FOR = timedelta(days=180)  # after it was answered


def charge(
    session: Session, reservation: Reservation, why: CreditWhy, *, note: str = ""
) -> CreditEntry | None:
    """Write down what a reservation gave or took, once for each reason, and tell them what was taken. The community's own costs nothing."""
    if reservation.resident_id is None:
        return None
    if why in _FOR_NOT_COMING and not reservation.was_agreed_to:
        return None  # nobody promised to come then
    standing = session.scalar(
        select(CreditEntry).where(CreditEntry.reservation_id == reservation.id, CreditEntry.why == why)
    )
    if standing is not None:
        return standing
    points = POINTS[why](policies_of(session, reservation.venue))
    entry = CreditEntry(
        reservation=reservation,
        resident_id=None if reservation.group_id is not None else reservation.resident_id,
        group_id=reservation.group_id,
        why=why,
        points=points,
        note=note,
    )
    if points == 0:
        return None
    session.add(entry)
    session.flush()
    enter(
        session,
        "credit.taken" if points < 0 else "credit.given",
        reservation,
        for_resident_id=reservation.resident_id,
        details={"points": points, "why": why.value},
    )
    if points < 0:
        credit = credit_behind(session, entry)
        entry.pauses_until = credit.paused_until
        tell_credit(session, NoticeKind.CREDIT_TAKEN, entry, credit)
        session.flush()
    return entry


def owe_resumed(session: Session, now: datetime) -> int:
    """Owe the word that they may reserve again to whoever's pause ended within the last day, once; how many."""
    ended = session.scalars(
        select(CreditEntry)
        .options(joinedload(CreditEntry.reservation).options(*rooms_of()))
        .where(
            CreditEntry.pauses_until.is_not(None),
            CreditEntry.pauses_until <= now,
            CreditEntry.pauses_until > now - TOLD_WITHIN,
            CreditEntry.excused_at.is_(None),
        )
        .order_by(CreditEntry.pauses_until, CreditEntry.id)
    ).all()
    last_of = {(entry.resident_id, entry.group_id): entry for entry in ended}  # one pause, one word
    return sum(
        tell_credit(session, NoticeKind.RESERVING_RESUMED, entry, credit)
        for entry in last_of.values()
        if (credit := credit_behind(session, entry)).paused_until is None
    )


def credit_behind(session: Session, entry: CreditEntry) -> Credit:
    """How whoever an entry is of stands now."""
    policy, now = policies_of(session, entry.reservation.venue), clock.now()
    since = now - timedelta(days=policy.credit_days)
    entries = entries_of(session, resident_id=entry.resident_id, group_id=entry.group_id, since=since)
    return credit_of(entries, policy, now)


def credit_standing(
    session: Session, resident: Resident, group: Group | None = None
) -> tuple[Credit, Sequence[CreditEntry]]:
    """How a person, or a group they lead, stands now where they live, and the entries that count, oldest first."""
    policy, now = policies_at(session, group.region_id if group else resident.home_region_id), clock.now()
    entries = entries_of(
        session,
        resident_id=resident.id,
        group_id=group.id if group else None,
        since=now - timedelta(days=policy.credit_days),
    )
    return credit_of(entries, policy, now), entries


def appeal_credit(session: Session, entry: CreditEntry, words: str, *, by: By) -> CreditEntry:
    """Say why points should not have been taken; again, with other words, until somebody decided.

    Raises Conflict ``nothing_to_appeal`` for what was given, ``appeal_decided`` and ``appeal_too_late``.
    """
    entry.lock()
    must_be_appealable(session, entry)
    if entry.appeal_words != words:
        entry.appeal_state, entry.appeal_words = CreditAppealState.WAITING, words
        entry.appealed_at, entry.appealed_by_account_id = clock.now(), by.account_id
        session.flush()
        enter(session, "credit.appealed", entry.reservation, **_who(entry, by))
    return entry


def must_be_appealable(session: Session, entry: CreditEntry) -> None:
    """Raise what ``appeal_credit`` would, before anybody is asked about the words."""
    if entry.points >= 0 or not entry.counts:
        raise Conflict("nothing_to_appeal", "这条记录没有扣分，不用申诉")
    if entry.appeal_state not in (None, CreditAppealState.WAITING):
        raise Conflict("appeal_decided", "这条记录的申诉已有结果，有疑问请联系社区")
    if clock.now() >= appeal_until(session, entry):
        raise Conflict("appeal_too_late", "申诉的时间已过，有特殊情况请联系社区")


def appeal_until(session: Session, entry: CreditEntry) -> datetime:
    """Until when an entry may be appealed against."""
    return entry.at + timedelta(days=policies_of(session, entry.reservation.venue).credit_appeal_days)


def decide_credit_appeal(
    session: Session, entry: CreditEntry, *, granted: bool, answer: str, by: By
) -> CreditEntry:
    """Answer an appeal; granted, the points were never taken, and a pause that rested on them is over. The same twice is fine.

    Raises Forbidden ``own_content``, Conflict ``no_appeal``, and ``appeal_settled`` for one that was decided otherwise.
    """
    must_not_be_own(entry.reservation.resident, by)
    entry.lock()
    wanted = CreditAppealState.GRANTED if granted else CreditAppealState.DECLINED
    if entry.appeal_state is None:
        raise Conflict("no_appeal", "这条记录没有人申诉；要免扣请用“免扣”")
    if entry.appeal_state is wanted:
        return entry
    if entry.appeal_state is not CreditAppealState.WAITING:
        raise Conflict("appeal_settled", "这条申诉已有结果，请刷新后再看")
    entry.appeal_state, entry.answer, entry.answered_at = wanted, answer, clock.now()
    if granted:
        entry.excused_at = clock.now()
    session.flush()
    enter(
        session,
        "credit.appeal_granted" if granted else "credit.appeal_declined",
        entry.reservation,
        **_who(entry, by),
    )
    tell_credit(session, NoticeKind.CREDIT_APPEAL_DECIDED, entry, credit_behind(session, entry))
    return entry


def excuse(session: Session, entry: CreditEntry, because: str, *, by: By) -> CreditEntry:
    """Let an entry count for nothing, whoever asked or not; an appeal that waits is granted with it. Twice is fine."""
    must_not_be_own(entry.reservation.resident, by)
    entry.lock()
    if not entry.counts:
        return entry
    if entry.appeal_state is CreditAppealState.WAITING:
        return decide_credit_appeal(session, entry, granted=True, answer=because, by=by)
    entry.excused_at, entry.answer = clock.now(), because
    session.flush()
    enter(session, "credit.excused", entry.reservation, **_who(entry, by))
    if entry.points < 0:
        tell_credit(session, NoticeKind.CREDIT_APPEAL_DECIDED, entry, credit_behind(session, entry))
    return entry


def credit_appeals_within(
    session: Session, places: Sequence[Region], *, after_id: int | None, most: int
) -> Sequence[CreditEntry]:
    """Up to ``most`` entries of these places that somebody appealed against and nobody answered, oldest first."""
    if not places:
        return []
    query = (
        select(CreditEntry)
        .options(joinedload(CreditEntry.reservation).options(*rooms_of()))
        .join(Reservation, Reservation.id == CreditEntry.reservation_id)
        .join(Venue, Venue.id == Reservation.venue_id)
        .join(Site, Site.id == Venue.site_id)
        .where(_WAITS, Site.region_id.in_(regions_within(*places)))
        .order_by(CreditEntry.id)
        .limit(most)
    )
    return session.scalars(query if after_id is None else query.where(CreditEntry.id > after_id)).all()


# a text, because only so do both databases see that the index fits
_WAITS = text("credit_entries.appeal_state = 'waiting'")


def _who(entry: CreditEntry, by: By) -> dict[str, Any]:
    """Who acts, as the journal takes it, about whom and which entry."""
    return {
        "by_account_id": by.account_id,
        "identity": by.identity,
        "for_resident_id": entry.reservation.resident_id,
        "details": {"why": entry.why.value},
    }
