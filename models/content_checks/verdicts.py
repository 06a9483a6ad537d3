"""What WeChat said, and what it did not say: how a check begins, and how it ends without a person.

Text is judged before it is written down; a picture is judged later by a push, which may come before the picture's own row, twice, or
never. Whoever changes a check holds its account first, as whoever leaves does, and then the check.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account
from models.content_checks.checks import (
    BY_A_PERSON,
    OPEN,
    CheckKind,
    CheckState,
    ContentCheck,
    Finding,
    HeldBecause,
    Verdict,
)
from models.content_checks.fields import CheckedField, field_of
from models.journal import enter
from models.notices import Debt, NoticeKind, goes_out_at, owe
from models.pushes import media_verdict
from models.vault import vault

VERDICT_WITHIN = timedelta(minutes=30)  # wechat.md §6.2
RISKY_REMEMBERED = timedelta(days=1)  # WeChat may think otherwise tomorrow; what a clerk said stands


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What was written or shown: the field, the row's key where there is one, by whose account, and whom it is about."""

    field: CheckedField
    key: str | None
    account_id: int
    resident_id: int | None


# --- text ---------------------------------------------------------------------------------------------------------


def note_pass(session: Session, subject: Subject, text: str, finding: Finding) -> ContentCheck:
    """Nobody has anything against a text: it takes the place of what stood there, whatever that still waited for."""
    drop_open(session, subject.field, subject.key)
    return _begin(session, subject, CheckState.PASSED, finding, fingerprint=_fingerprint(text))


def note_refusal(session: Session, subject: Subject, text: str, finding: Finding) -> ContentCheck:
    """WeChat calls a text risky: it was not taken, and what stood there stays as it was."""
    return _begin(session, subject, CheckState.RISKY, finding, fingerprint=_fingerprint(text))


def hold_text(
    session: Session, subject: Subject, text: str, finding: Finding, because: HeldBecause
) -> ContentCheck:
    """A person has to look at a text: it is kept, sealed, until somebody has."""
    drop_open(session, subject.field, subject.key)
    check = _begin(
        session,
        subject,
        CheckState.WAITING,
        finding,
        written=text,
        fingerprint=_fingerprint(text),
        held_because=because,
    )
    _note_held(session, check)
    return check


def said_before(session: Session, account_id: int, field: CheckedField, text: str) -> CheckState | None:
    """What is known already of this very text by this account in this field: ``REJECTED`` or ``APPROVED`` by a person, or ``RISKY``
    within ``RISKY_REMEMBERED``; nothing otherwise. Nobody is asked twice, and no clerk sees the same again."""
    last = session.scalar(
        select(ContentCheck)
        .where(
            ContentCheck.account_id == account_id,
            ContentCheck.subject_kind == field.subject_kind,
            ContentCheck.field == field.name,
            ContentCheck.fingerprint == _fingerprint(text),
            ContentCheck.state.in_((*BY_A_PERSON, CheckState.RISKY)),
        )
        .order_by(ContentCheck.id.desc())
        .limit(1)
    )
    if last is None:
        return None
    if last.state is CheckState.RISKY and last.created_at <= clock.now() - RISKY_REMEMBERED:
        return None
    return last.state


def count_lately(session: Session, account_id: int, *, since: datetime) -> int:
    """How many checks this account caused since a moment."""
    return session.scalars(
        select(func.count(literal_column("1")))
        .select_from(ContentCheck)
        .where(ContentCheck.account_id == account_id, ContentCheck.created_at > since)
    ).one()


# --- pictures -----------------------------------------------------------------------------------------------------


def await_verdict(session: Session, subject: Subject, image_url: str, *, trace_id: str) -> ContentCheck:
    """WeChat took a picture to look at: its verdict will be pushed under the trace id, unless it came already."""
    drop_open(session, subject.field, subject.key)
    finding = Finding(trace_id=trace_id)
    check = _begin(session, subject, CheckState.PENDING, finding, kind=CheckKind.IMAGE, image_url=image_url)
    told = media_verdict(session, trace_id)
    if told is not None:
        facts = told.facts
        _take_in(session, check, Verdict(facts["suggest"]), label=facts["label"], errcode=facts["errcode"])
    return check


def hold_image(session: Session, subject: Subject, image_url: str, because: HeldBecause) -> ContentCheck:
    """WeChat did not take a picture: a person has to look."""
    drop_open(session, subject.field, subject.key)
    check = _begin(
        session,
        subject,
        CheckState.WAITING,
        Finding(),
        kind=CheckKind.IMAGE,
        image_url=image_url,
        held_because=because,
    )
    _note_held(session, check)
    return check


def settle_verdict(
    session: Session, trace_id: str, verdict: Verdict, *, label: int, errcode: int
) -> CheckState | None:
    """WeChat pushed its verdict on a picture: the state that came of it, or nothing while there is no such picture.

    With an ``errcode`` there is no verdict, and a person has to look. One that comes after the time is over still spares a person
    the look; after a person has looked it changes nothing.
    """
    check = session.scalar(select(ContentCheck).where(ContentCheck.trace_id == trace_id))
    if check is None or check.kind is not CheckKind.IMAGE:
        return None
    hold_check(session, check)
    _take_in(session, check, verdict, label=label, errcode=errcode)
    return check.state


def overdue(session: Session, *, most: int) -> list[int]:
    """The ids of the pictures WeChat has said nothing of for ``VERDICT_WITHIN``, oldest first."""
    return list(
        session.scalars(
            select(ContentCheck.id)
            .where(
                ContentCheck.state == literal_column("'pending'"),  # a literal, for the index
                ContentCheck.created_at <= clock.now() - VERDICT_WITHIN,
            )
            .order_by(ContentCheck.created_at, ContentCheck.id)
            .limit(most)
        )
    )


def hold_overdue(session: Session, check_id: int) -> bool:
    """Have a person look at a picture whose time is over; not when its verdict came meanwhile."""
    check = session.get(ContentCheck, check_id)
    if check is None or hold_check(session, check).state is not CheckState.PENDING:
        return False
    _hold(session, check, HeldBecause.TIMED_OUT)
    return True


def _take_in(session: Session, check: ContentCheck, verdict: Verdict, *, label: int, errcode: int) -> None:
    if check.state not in OPEN or check.held_because is HeldBecause.DOUBTFUL:
        return
    if errcode != 0:
        _hold(session, check, HeldBecause.NOT_FETCHED)
        return
    check.label = label or None
    match verdict:
        case Verdict.PASS:
            end(session, check, CheckState.PASSED)
            enter(
                session, "content_check.passed", check, identity="wechat", for_resident_id=check.resident_id
            )
        case Verdict.RISKY:
            end(session, check, CheckState.RISKY)
            enter(
                session, "content_check.refused", check, identity="wechat", for_resident_id=check.resident_id
            )
        case Verdict.REVIEW:
            _hold(session, check, HeldBecause.DOUBTFUL)
    session.flush()


def _hold(session: Session, check: ContentCheck, because: HeldBecause) -> None:
    waited_already = check.state is CheckState.WAITING
    check.state, check.held_because = CheckState.WAITING, because
    check.held_at = check.held_at or clock.now()
    session.flush()
    if not waited_already:
        _note_held(session, check)


# --- both ---------------------------------------------------------------------------------------------------------


def hold_check(session: Session, check: ContentCheck) -> ContentCheck:
    """Hold a check, its account first, so that nobody leaves meanwhile."""
    session.get_one(Account, check.account_id).lock()
    return check.lock()


def end(session: Session, check: ContentCheck, state: CheckState) -> None:
    """An open check ends in this state: what has to follow is done, whoever handed it in is told if it may not stay, and what was
    written is kept no longer."""
    field, written = field_of(check), check.written
    check.state, check.written, check.image_url = state, None, None
    field.follow(session, check, written)
    session.flush()
    if state in (CheckState.RISKY, CheckState.REJECTED):
        _tell(session, check, field)


def drop_open(session: Session, field: CheckedField, key: str | None) -> None:
    """What was still open about this field of this row is about nothing any more: it was written anew, or is gone."""
    if key is None:
        return
    still_open = select(ContentCheck).where(
        ContentCheck.subject_kind == field.subject_kind,
        ContentCheck.subject_key == key,
        ContentCheck.field == field.name,
        ContentCheck.state.in_(OPEN),
    )
    for check in session.scalars(still_open).all():
        drop(session, check)
    session.flush()


def drop(session: Session, check: ContentCheck) -> None:
    """An open check ends without a result, and what was written is kept no longer."""
    check.state = CheckState.DROPPED
    check.written = check.image_url = None
    enter(session, "content_check.dropped", check, for_resident_id=check.resident_id)


def _begin(
    session: Session,
    subject: Subject,
    state: CheckState,
    finding: Finding,
    *,
    kind: CheckKind = CheckKind.TEXT,
    written: str | None = None,
    image_url: str | None = None,
    fingerprint: str | None = None,
    held_because: HeldBecause | None = None,
) -> ContentCheck:
    check = ContentCheck(
        kind=kind,
        subject_kind=subject.field.subject_kind,
        subject_key=subject.key,
        field=subject.field.name,
        account_id=subject.account_id,
        resident_id=subject.resident_id,
        state=state,
        held_because=held_because,
        held_at=clock.now() if held_because is not None else None,
        label=finding.label,
        trace_id=finding.trace_id,
        written=written,
        image_url=image_url,
        fingerprint=fingerprint,
        created_at=clock.now(),
    )
    session.add(check)
    session.flush()
    return check


def _note_held(session: Session, check: ContentCheck) -> None:
    enter(
        session,
        "content_check.held",
        check,
        for_resident_id=check.resident_id,
        details={"because": check.held_because},
    )
    session.flush()


def _tell(session: Session, check: ContentCheck, field: CheckedField) -> None:
    """The reason is not in the letter: it is typed by hand, and stands where it can be struck, in the check itself."""
    now = clock.now()
    home = check.resident.home_region_id if check.resident is not None else None
    debt = Debt(
        NoticeKind.CONTENT_REFUSED,
        subject_key=check.key,
        page_subject=field.page,
        account_ids=[check.account_id],
        facts={"what": field.label, "decided_at": now.isoformat()},
        due_at=goes_out_at(session, NoticeKind.CONTENT_REFUSED, home, now),
    )
    owe(session.connection(), [debt])


def _fingerprint(text: str) -> str:
    return vault.fingerprint(unicodedata.normalize("NFKC", text).casefold())
