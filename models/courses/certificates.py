"""Certificates (结业证书): that somebody completed a class, on paper, for anybody to check.

One for each completed registration. Its ``code`` stands on the paper: whoever has it may ask whether it is real, and hears course, days
and hours, and the name masked. It cannot be guessed (80 bits) and says so when the certificate was taken back. Days and hours are as they
were when it was issued; the name is the person's own at that time, sealed, and goes with them.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, Select, case, select, update
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.base import Base, EncryptedText, Keyed, PlainText
from models.courses.registrations import Registration
from models.courses.runs import CourseRun
from models.errors import NotFound
from models.journal import enter
from models.regions import Region, is_within
from models.residents import Resident

MINUTES_AN_HOUR = 60
NO_LONGER_KEPT = "当事人已注销，不再保留"  # typed by hand: it may have named somebody


class Certificate(Keyed, Base):
    """That somebody completed a class."""

    __tablename__ = "certificates"
    __table_args__ = (
        CheckConstraint("(revoked_at IS NULL) = (revoked_because = '')", name="revoked_says_why"),
    )

    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), unique=True)
    code: Mapped[str] = mapped_column(PlainText(16), unique=True)
    name: Mapped[str | None] = mapped_column(EncryptedText)
    evenings: Mapped[int]  # they came to
    evenings_held: Mapped[int]
    minutes: Mapped[int]  # of the evenings they came to, by the timetable
    issued_at: Mapped[datetime] = mapped_column(default=clock.now)
    revoked_at: Mapped[datetime | None]
    revoked_because: Mapped[str] = mapped_column(PlainText(200), default="", server_default="")

    registration: Mapped[Registration] = relationship()

    @property
    def hours(self) -> float:
        """Hours of study, to one decimal."""
        return round(self.minutes / MINUTES_AN_HOUR, 1)

    @property
    def is_valid(self) -> bool:
        """Whether it stands."""
        return self.revoked_at is None

    @property
    def printed_code(self) -> str:
        """The code in groups of four, as it is read aloud."""
        return "-".join(self.code[n : n + 4] for n in range(0, len(self.code), 4))


def new_code() -> str:
    """Sixteen capital letters and digits nobody mistakes for one another: neither 0 nor 1 nor 8 nor 9."""
    return base64.b32encode(os.urandom(10)).decode()


def issue(
    session: Session, registration: Registration, *, evenings: int, held: int, time_there: timedelta
) -> Certificate:
    """Write out the certificate of a completed registration. One that has one already keeps it."""
    standing = session.scalar(select(Certificate).where(Certificate.registration_id == registration.id))
    if standing is not None:
        return standing
    certificate = Certificate(
        registration_id=registration.id,
        code=new_code(),
        name=registration.resident.name,
        evenings=evenings,
        evenings_held=held,
        minutes=round(time_there.total_seconds() / 60),
        issued_at=clock.now(),
    )
    session.add(certificate)
    session.flush()
    return certificate


def certificate_with(session: Session, code: str) -> Certificate:
    """The certificate with this code, however it was typed. Raises NotFound ``certificate_unknown``."""
    plain = "".join(sign for sign in code.upper() if sign.isalnum())
    found = session.scalar(_shown().where(Certificate.code == plain)) if plain.isascii() else None
    if found is None:
        raise NotFound("没有找到这张证书，请核对编号", code="certificate_unknown")
    return found


def certificate_of(session: Session, run: CourseRun, resident: Resident) -> Certificate:
    """Somebody's certificate of a run, also one taken back. Raises NotFound ``no_certificate``."""
    found = session.scalar(
        _shown()
        .where(Registration.run_id == run.id, Registration.resident_id == resident.id)
        .order_by(Certificate.id.desc())
        .limit(1)
    )
    if found is None:
        raise NotFound("这个班还没有结业证书", code="no_certificate")
    return found


def certificates_of(session: Session, residents: Collection[int]) -> Sequence[Certificate]:
    """The certificates of these people, newest first."""
    return session.scalars(
        _shown().where(Registration.resident_id.in_(residents)).order_by(Certificate.id.desc())
    ).all()


def certificates_to(session: Session, run: CourseRun) -> Sequence[Certificate]:
    """The certificates of a run, in the order of registration."""
    return session.scalars(_shown().where(Registration.run_id == run.id).order_by(Registration.number)).all()


def certificate_for_staff(session: Session, key: str, *, within: Sequence[Region]) -> Certificate:
    """A certificate of a run in the places a staff member looks after. Raises NotFound outside of them."""
    found = session.scalar(_shown().where(Certificate.key == key))
    if found is None or not is_within(found.registration.run.region, within):
        raise NotFound("没有找到这张证书，请核对编号", code="certificate_unknown")
    return found


def revoke_certificate(
    session: Session,
    certificate: Certificate,
    *,
    because: str,
    by_account_id: int | None = None,
    identity: str = "town",
) -> None:
    """Take a certificate back, with the reason; whoever checks it hears that it no longer stands. Twice is fine."""
    certificate.lock()
    if not certificate.is_valid:
        return
    certificate.revoked_at, certificate.revoked_because = clock.now(), because
    enter(
        session,
        "certificate.revoked",
        certificate.registration,
        by_account_id=by_account_id,
        identity=identity,
        for_resident_id=certificate.registration.resident_id,
        details={"because": because},
    )
    session.flush()


def forget_names_on_certificates(session: Session, residents: Collection[int]) -> None:
    """These people leave: what was completed stays a number, without a name."""
    theirs = select(Registration.id).where(Registration.resident_id.in_(residents))
    session.execute(
        update(Certificate)
        .where(Certificate.registration_id.in_(theirs))
        .values(
            name=None, revoked_because=case((Certificate.revoked_at.is_(None), ""), else_=NO_LONGER_KEPT)
        ),
        execution_options={"synchronize_session": False},
    )


def _shown() -> Select[Certificate]:
    """With all that stands on it."""
    return (
        select(Certificate)
        .join(Certificate.registration)
        .options(
            joinedload(Certificate.registration).joinedload(Registration.resident),
            joinedload(Certificate.registration)
            .joinedload(Registration.run)
            .options(joinedload(CourseRun.course), joinedload(CourseRun.region)),
        )
    )
