"""Agreeing (线下同意): what somebody agreed to without an account of their own, on paper at the counter or by a child's guardian."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, ForeignKey, Index, and_, delete, exists, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import clock
from models.base import Base, PlainText, chosen_from
from models.consents import KEPT_AFTER_CLOSING_DAYS, PRIVACY_POLICY, Consent, ConsentChannel, ConsentKind
from models.errors import Conflict
from models.journal import enter
from models.residents import Resident, is_minor
from models.staff import StaffMember

_IS_STANDING = text("withdrawn_at IS NULL")


class ConsentGiver(StrEnum):
    """Whose word an agreement is."""

    ONESELF = "oneself"  # 本人
    GUARDIAN = "guardian"  # 监护人


class ResidentConsent(Base):
    """A person's agreement to one version of the privacy policy that no account of theirs gave, and which of the staff took it."""

    __tablename__ = "resident_consents"
    __table_args__ = (
        Index(
            "uq_resident_consents_standing",
            "resident_id",
            "kind",
            "version",
            unique=True,
            postgresql_where=_IS_STANDING,
            sqlite_where=_IS_STANDING,
        ),
        Index("ix_resident_consents_resident", "resident_id"),
    )

    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    kind: Mapped[ConsentKind] = mapped_column(chosen_from(ConsentKind), default=ConsentKind.PRIVACY)
    version: Mapped[str] = mapped_column(PlainText(16))
    text_sha256: Mapped[str] = mapped_column(PlainText(64))
    channel: Mapped[ConsentChannel] = mapped_column(chosen_from(ConsentChannel))
    given_by: Mapped[ConsentGiver] = mapped_column(chosen_from(ConsentGiver))
    taken_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("staff_members.id")
    )  # none: not at the counter
    given_at: Mapped[datetime] = mapped_column(default=clock.now)
    withdrawn_at: Mapped[datetime | None]


def take_consent(
    session: Session, resident: Resident, *, version: str, given_by: ConsentGiver, by: StaffMember
) -> ResidentConsent:
    """Write down that somebody signed the privacy policy at the counter. Signing twice keeps the first time.

    Raises Conflict ``consent_outdated`` for another version than the one in force, and ``guardian_consent_needed``.
    """
    must_be_in_force(version)
    if given_by is ConsentGiver.ONESELF and is_minor(resident.birth_year):
        raise Conflict("guardian_consent_needed", "未满18周岁，请由监护人签字同意")
    resident.lock()
    return keep_consent(
        session,
        resident,
        channel=ConsentChannel.COUNTER,
        given_by=given_by,
        taken_by=by,
        by_account_id=by.account_id,
        identity=by.identity,
    )


def keep_consent(
    session: Session,
    resident: Resident,
    *,
    channel: ConsentChannel,
    given_by: ConsentGiver,
    taken_by: StaffMember | None = None,
    by_account_id: int | None,
    identity: str,
) -> ResidentConsent:
    """The agreement to the policy in force, made if there is none. The caller holds the resident."""
    standing = session.scalar(
        select(ResidentConsent).where(ResidentConsent.resident_id == resident.id, *_in_force())
    )
    if standing is not None:
        return standing
    consent = ResidentConsent(
        resident_id=resident.id,
        kind=PRIVACY_POLICY.kind,
        version=PRIVACY_POLICY.version,
        text_sha256=PRIVACY_POLICY.sha256,
        channel=channel,
        given_by=given_by,
        taken_by_id=taken_by.id if taken_by else None,
        given_at=clock.now(),
    )
    session.add(consent)
    session.flush()
    enter(
        session,
        "resident_consent.given",
        consent,
        by_account_id=by_account_id,
        identity=identity,
        for_resident_id=resident.id,
        details={"version": consent.version, "given_by": given_by},
    )
    return consent


def take_consent_back(session: Session, resident: Resident, *, by: StaffMember) -> None:
    """Write down that somebody takes back at the counter what was signed. Nothing new is registered for them. Twice is fine."""
    resident.lock()
    for consent in session.scalars(
        select(ResidentConsent).where(
            ResidentConsent.resident_id == resident.id, ResidentConsent.withdrawn_at.is_(None)
        )
    ):
        consent.withdrawn_at = clock.now()
        enter(
            session,
            "resident_consent.withdrawn",
            consent,
            by_account_id=by.account_id,
            identity=by.identity,
            for_resident_id=resident.id,
        )
    session.flush()


def withdraw_those_kept_of(session: Session, residents: Collection[int]) -> None:
    """Nothing these people or their guardians agreed to without an account stands any longer."""
    session.execute(
        update(ResidentConsent)
        .where(ResidentConsent.resident_id.in_(residents), ResidentConsent.withdrawn_at.is_(None))
        .values(withdrawn_at=clock.now())
    )


def must_be_in_force(version: str) -> None:
    """Raise Conflict ``consent_outdated`` unless this is the version of the privacy policy in force."""
    if version != PRIVACY_POLICY.version:
        raise Conflict(
            "consent_outdated",
            "隐私政策已更新，请阅读新版本后再同意",
            details={"version": PRIVACY_POLICY.version},
        )


def agreed_among(session: Session, residents: Collection[Resident]) -> set[int]:
    """The ids of those for whom an agreement to the policy in force stands, by whichever door. Two statements, however many."""
    ids = {resident.id for resident in residents}
    signed = session.scalars(
        select(ResidentConsent.resident_id).where(ResidentConsent.resident_id.in_(ids), *_in_force())
    )
    tapped = session.scalars(
        select(Resident.id)
        .join(Consent, Consent.account_id == Resident.account_id)
        .where(
            Resident.id.in_(ids),
            Consent.kind == PRIVACY_POLICY.kind,
            Consent.version == PRIVACY_POLICY.version,
            Consent.withdrawn_at.is_(None),
        )
    )
    return {*signed, *tapped}


def agreed_on_paper() -> ColumnElement[bool]:
    """The condition that an agreement to the policy in force stands for somebody (``Resident``) that no account of theirs gave."""
    return exists().where(ResidentConsent.resident_id == Resident.id, *_in_force())


def has_taken_back() -> ColumnElement[bool]:
    """The condition that somebody's (``Resident``) last word on the privacy policy, by whichever door and version, was taking it back."""
    tapped = and_(Consent.account_id == Resident.account_id, Consent.kind == ConsentKind.PRIVACY)
    signed = ResidentConsent.resident_id == Resident.id
    took_back = or_(
        exists().where(tapped, Consent.withdrawn_at.is_not(None)),
        exists().where(signed, ResidentConsent.withdrawn_at.is_not(None)),
    )
    stands = or_(
        exists().where(tapped, Consent.withdrawn_at.is_(None)),
        exists().where(signed, ResidentConsent.withdrawn_at.is_(None)),
    )
    return took_back & ~stands


def took_back(session: Session, resident: Resident) -> bool:
    """The same as a question."""
    theirs = select(Resident.id).where(Resident.id == resident.id, has_taken_back())
    return session.scalar(theirs) is not None


def consents_kept_of(session: Session, residents: Collection[int]) -> Sequence[ResidentConsent]:
    """Everything these people, or their guardians, ever agreed to without an account of their own, oldest first."""
    return session.scalars(
        select(ResidentConsent).where(ResidentConsent.resident_id.in_(residents)).order_by(ResidentConsent.id)
    ).all()


def forget_consents_of_people_who_left(session: Session) -> int:
    """Drop the agreements of people who left longer than ``KEPT_AFTER_CLOSING_DAYS`` ago; how many."""
    left = select(Resident.id).where(Resident.left_at < clock.now() - timedelta(days=KEPT_AFTER_CLOSING_DAYS))
    gone = session.execute(delete(ResidentConsent).where(ResidentConsent.resident_id.in_(left)))
    return int(gone.rowcount)  # type: ignore[attr-defined,unused-ignore]  # a DELETE's result always counts rows


def _in_force() -> tuple[ColumnElement[bool], ...]:
    return (
        ResidentConsent.kind == PRIVACY_POLICY.kind,
        ResidentConsent.version == PRIVACY_POLICY.version,
        ResidentConsent.withdrawn_at.is_(None),
    )
