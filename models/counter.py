"""The counter (柜台): people without WeChat, entered by those who work for their community, with consent on paper (国办发〔2020〕45号).

Who works at a counter or walks a grid sees the people of their own communities, finds them by what they say of themselves, and enters
whoever is new. The same person is not entered twice. What somebody agreed to without an account of their own is a row of its own: on
paper at the counter, or by a child's guardian.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, ForeignKey, Index, and_, delete, exists, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column

from models import clock
from models.base import Base, PlainText, chosen_from
from models.consents import KEPT_AFTER_CLOSING_DAYS, PRIVACY_POLICY, Consent, ConsentChannel, ConsentKind
from models.errors import Conflict, NotFound
from models.journal import enter
from models.regions import Region, RegionKind, lies_within, paths_down_to
from models.residents import Resident, is_minor, move_to
from models.staff import OFFICE, Role, StaffMember, places_of
from models.vault import vault

MOST_FOUND = 20
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


@dataclass(frozen=True)
class PeopleScope:
    """Whose people somebody looks after: all of ``places`` and what lies under them, and of the communities ``grids`` lie in.

    A resident's home is a community, not a grid of it, so the workers of all its grids look after the same people.
    """

    places: Sequence[Region]
    grids: Sequence[Region] = ()

    def regions(self) -> ColumnElement[bool]:
        """The condition that a region is among them."""
        around = and_(Region.kind == RegionKind.COMMUNITY, Region.path.in_(self._above_grids()))
        return or_(lies_within([*self.places, *self.grids]), around)

    def has(self, region: Region) -> bool:
        """The same as a question."""
        return region.path in self._above_grids() or any(place.contains(region) for place in self.places)

    def _above_grids(self) -> set[str]:
        return {path for grid in self.grids for path in paths_down_to(grid.path)}


def people_scope(session: Session, member: StaffMember) -> PeopleScope:
    """Whose people this staff member looks after now: the office's of its places, a grid worker those of the grid's community."""
    return PeopleScope(places_of(session, member, *OFFICE), places_of(session, member, Role.GRID_WORKER))


@dataclass(frozen=True)
class Card:
    """What is written down of somebody at the counter."""

    name: str
    birth_year: int
    home: Region
    phone: str | None = None


def enter_resident(
    session: Session,
    card: Card,
    *,
    scope: PeopleScope,
    consent_version: str,
    given_by: ConsentGiver,
    by: StaffMember,
    even_so: bool = False,
) -> Resident:
    """Enter somebody who has no WeChat, with what they signed; two who enter the same person at once enter them once.

    Raises NotFound for a home that is not looked after, Invalid for what cannot be, Conflict ``resident_exists`` with the key of the
    same person (name and phone; without a phone name and year of birth, unless ``even_so``), ``consent_outdated``,
    and ``guardian_consent_needed`` for somebody under age who signed for themselves.
    """
    if not scope.has(card.home):
        raise NotFound("这个社区不在您负责的范围内")
    resident = Resident(name=card.name)
    resident.move_home(card.home)
    resident.tell_birth_year(card.birth_year)
    if card.phone is not None:
        resident.take_phone(card.phone, verified=False)
    card.home.lock()  # whoever enters the same person at this moment is waited for
    _must_be_new(session, card, even_so=even_so)
    session.add(resident)
    session.flush()
    enter(
        session,
        "resident.entered",
        resident,
        by_account_id=by.account_id,
        identity=by.identity,
        for_resident_id=resident.id,
    )
    take_consent(session, resident, version=consent_version, given_by=given_by, by=by)
    return resident


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


def move_at_counter(session: Session, resident: Resident, home: Region, *, by: StaffMember) -> None:
    """Somebody without WeChat has moved, as whoever looked after them until now writes down. Where they live already is no move.

    Raises Conflict ``moves_themselves`` for somebody who has a WeChat, Invalid for what is no community.
    """
    resident.lock()
    if resident.account_id is not None:
        raise Conflict("moves_themselves", "这位居民有自己的微信账号，请由本人在小程序“我的”页面更换社区")
    if resident.home_region_id != home.id:
        move_to(session, resident, home, by_account_id=by.account_id, identity=by.identity)
    session.flush()


@dataclass(frozen=True)
class Clues:
    """What somebody says of the person they look for; all of it together."""

    phone: str | None = None
    name: str | None = None
    birth_year: int | None = None


def look_for(
    session: Session, clues: Clues, *, scope: PeopleScope, purpose: str, by: StaffMember
) -> list[Resident]:
    """The people of whom just this is true, ``MOST_FOUND`` at most, oldest entry first. Each of them is told in the journal, and why.

    Without any clue it is nobody.
    """
    said = [
        *([Resident.phone_fingerprint == vault.fingerprint(clues.phone)] if clues.phone else []),
        *([Resident.name == clues.name] if clues.name else []),
    ]
    if not said:
        return []
    if clues.birth_year is not None:
        said.append(Resident.birth_year == clues.birth_year)
    found = list(
        session.scalars(
            select(Resident)
            .options(joinedload(Resident.home_region))
            .join(Region, Region.id == Resident.home_region_id)
            .where(*said, scope.regions(), Resident.left_at.is_(None))
            .order_by(Resident.id)
            .limit(MOST_FOUND)
        )
    )
    for resident in found:
        enter(
            session,
            "resident.looked_for",
            resident,
            by_account_id=by.account_id,
            identity=by.identity,
            for_resident_id=resident.id,
            details={"purpose": purpose},
        )
    return found


def resident_within(session: Session, scope: PeopleScope, key: str) -> Resident:
    """The person with this key, if they are looked after. Raises NotFound: an outsider learns nothing."""
    resident = session.scalar(
        select(Resident)
        .options(joinedload(Resident.home_region))
        .join(Region, Region.id == Resident.home_region_id)
        .where(Resident.key == key, scope.regions(), Resident.left_at.is_(None))
    )
    if resident is None:
        raise NotFound("没有找到这位居民")
    return resident


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


def withdrew_on_paper() -> ColumnElement[bool]:
    """The condition that the last word on what somebody (``Resident``) signed, whichever version, was taking it back."""
    theirs = ResidentConsent.resident_id == Resident.id
    return exists().where(theirs, ResidentConsent.withdrawn_at.is_not(None)) & ~exists().where(
        theirs, ResidentConsent.withdrawn_at.is_(None)
    )


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


def _must_be_new(session: Session, card: Card, *, even_so: bool) -> None:
    if card.phone is not None:
        like_them = Resident.phone_fingerprint == vault.fingerprint(card.phone)
    elif even_so:
        return
    else:
        like_them = Resident.birth_year == card.birth_year
    known = session.scalar(
        select(Resident)
        .where(
            Resident.home_region_id == card.home.id,
            Resident.name == card.name,
            like_them,
            Resident.left_at.is_(None),
        )
        .order_by(Resident.id)
        .limit(1)
    )
    if known is not None:
        raise Conflict(
            "resident_exists",
            "这位居民已经登记过了，请直接使用原来的登记",
            details={"resident": known.key, "by": "phone" if card.phone is not None else "birth_year"},
        )


def _in_force() -> tuple[ColumnElement[bool], ...]:
    return (
        ResidentConsent.kind == PRIVACY_POLICY.kind,
        ResidentConsent.version == PRIVACY_POLICY.version,
        ResidentConsent.withdrawn_at.is_(None),
    )
