"""Residents (居民) and who may act for them (监护 · 亲情代办 · 网格代办).

A resident is any person of a community, with or without a WeChat account: a child, an elder who uses the counter. An account
has at most one resident as itself. A bond says who may act for whom, from when to when, and how the person agreed.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, bindparam, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.accounts import Account
from models.base import Base, EncryptedText, Keyed, PlainText, chosen_from
from models.errors import Conflict, Fault, Invalid, NotFound
from models.journal import enter
from models.policies import policies_at
from models.regions import Region, RegionKind
from models.vault import vault

EARLIEST_BIRTH_YEAR = 1900
AGE_OF_OWN_CONSENT = 14  # 个保法 art. 31: below it, the guardian's consent is all there is
OF_AGE = 18  # 民法典 art. 17: below it, a guardian agrees
_MOBILE = re.compile(r"1[3-9][0-9]{9}")


def is_mobile(phone: str) -> bool:
    """Whether a short message can go to this number: a mobile of the mainland; a landline can only be called."""
    return _MOBILE.fullmatch(phone) is not None


class Resident(Keyed, Base):
    """A person of a community. The phone number is ciphertext at rest and found by its keyed hash."""

    __tablename__ = "residents"
    __table_args__ = (
        Index("uq_residents_invitation_fingerprint", "invitation_fingerprint", unique=True),
        Index("uq_residents_joining_fingerprint", "joining_fingerprint", unique=True),
    )

    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), unique=True)
    name: Mapped[str | None] = mapped_column(PlainText(40))
    phone: Mapped[str | None] = mapped_column(EncryptedText)
    phone_fingerprint: Mapped[str | None] = mapped_column(PlainText(64), index=True)
    phone_verified_at: Mapped[datetime | None]
    home_region_id: Mapped[int | None] = mapped_column(ForeignKey("regions.id"), index=True)
    home_since: Mapped[datetime | None]  # when they last moved; none: they live where they lived when we met
    birth_year: Mapped[int | None]
    elder_mode: Mapped[bool] = mapped_column(default=False)  # 长辈版
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    invitation_fingerprint: Mapped[str | None] = mapped_column(
        PlainText(64)
    )  # of the code with which they offer help
    invited_until: Mapped[datetime | None]
    joining_fingerprint: Mapped[str | None] = mapped_column(
        PlainText(64)
    )  # of the code with which a WeChat becomes theirs
    joining_until: Mapped[datetime | None]
    left_at: Mapped[datetime | None]  # 已注销: nobody any more, only what numbers are counted from

    home_region: Mapped[Region | None] = relationship()

    @property
    def has_phone(self) -> bool:
        """Whether they can be called; asks for no decryption."""
        return self.phone_fingerprint is not None

    @property
    def has_home(self) -> bool:
        """Whether it is known where home is."""
        return self.home_region_id is not None

    def take_phone(self, phone: str, *, verified: bool) -> None:
        """Keep a phone number; one that WeChat vouches for is marked verified, a hand-entered one is not."""
        if verified or phone != self.phone:
            self.phone_verified_at = clock.now() if verified else None
        self.phone, self.phone_fingerprint = phone, vault.fingerprint(phone)

    def forget_phone(self) -> None:
        """Keep no phone number."""
        self.phone = self.phone_fingerprint = self.phone_verified_at = None

    def tell_birth_year(self, year: int) -> None:
        """Say in which year they were born. Raises Invalid for a year that cannot be."""
        if not EARLIEST_BIRTH_YEAR <= year <= clock.today().year:
            raise Invalid([Fault("birth_year", "请填写四位出生年份，例如 1958")])
        self.birth_year = year

    def move_home(self, region: Region) -> None:
        """Say where home is. Raises Invalid unless the place is a community."""
        if region.kind is not RegionKind.COMMUNITY:
            raise Invalid([Fault("home_community", "请选择所在的社区")])
        self.home_region = region


class BondKind(StrEnum):
    """Why one person may act for another."""

    GUARDIAN = "guardian"  # 监护
    FAMILY_HELPER = "family_helper"  # 亲情代办
    GRID_HELPER = "grid_helper"  # 网格代办


def guards_a_child(kind: BondKind, birth_year: int | None) -> bool:
    """Whether this is the guardian of somebody who may be too young to decide. Only the year of birth is known, if that."""
    if kind is not BondKind.GUARDIAN:
        return False
    return birth_year is None or clock.today().year - birth_year <= AGE_OF_OWN_CONSENT


def is_minor(birth_year: int | None) -> bool:
    """Whether a guardian agrees for them. Who turns eighteen this year is taken for grown up; of unknown age, too."""
    return birth_year is not None and clock.today().year - birth_year < OF_AGE


class Bond(Keyed, Base):
    """``helper`` may act for ``ward`` from one day to another; ``agreed_how`` says how consent was given.

    ``ended_at`` is set when it ended at once, whatever its last day was to be.
    """

    __tablename__ = "bonds"
    __table_args__ = (
        CheckConstraint("helper_id <> ward_id", name="not_oneself"),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="from_to"),
        Index("ix_bonds_helper_ward", "helper_id", "ward_id"),
    )

    helper_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    ward_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), index=True)
    kind: Mapped[BondKind] = mapped_column(chosen_from(BondKind))
    agreed_how: Mapped[str] = mapped_column(PlainText(100))
    agreed_at: Mapped[datetime] = mapped_column(default=clock.now)
    starts_on: Mapped[date] = mapped_column(default=clock.today)
    ends_on: Mapped[date | None]
    ended_at: Mapped[datetime | None]

    helper: Mapped[Resident] = relationship(foreign_keys=helper_id)
    ward: Mapped[Resident] = relationship(foreign_keys=ward_id)

    @staticmethod
    def is_live_on(day: date) -> ColumnElement[bool]:
        """The condition that a bond holds on a day, its last day included, unless it was ended before."""
        return (
            (Bond.starts_on <= day)
            & or_(Bond.ends_on.is_(None), Bond.ends_on >= day)
            & Bond.ended_at.is_(None)
        )


@dataclass(frozen=True)
class Profile:
    """What a person fills in about themselves; ``None`` leaves a field as it is."""

    name: str | None = None
    home_community: Region | None = None
    birth_year: int | None = None
    phone: str | None = None
    elder_mode: bool | None = None


def resident_of(session: Session, account: Account) -> Resident | None:
    """The person this account is, once they have told us anything about themselves."""
    return session.scalar(_OF_ACCOUNT, {"account": account.id})


_OF_ACCOUNT = select(Resident).where(Resident.account_id == bindparam("account"))


def introduce(session: Session, account: Account, profile: Profile) -> Resident:
    """Keep what a person says of themselves; the first time, this makes the resident.

    A hand-entered phone number is kept unverified. Two first introductions at once make one resident. Raises Invalid for a
    birth year that cannot be, Conflict ``birth_year_kept`` for a child that makes itself older than its guardian said, ``home_kept``
    for somebody who moved too short a time ago, and Unauthenticated when the account was closed meanwhile.
    """
    account.must_stand()
    resident = resident_of(session, account)
    if resident is None:
        try:
            with session.begin_nested():
                resident = Resident(account_id=account.id)
                session.add(resident)
        except IntegrityError:  # the other first introduction won
            resident = session.scalars(select(Resident).where(Resident.account_id == account.id)).one()
    if profile.name is not None:
        resident.name = profile.name
    if profile.home_community is not None:
        _move(session, resident, profile.home_community)
    if profile.birth_year is not None:
        _must_not_outgrow_a_guardian(session, resident, profile.birth_year)
        resident.tell_birth_year(profile.birth_year)
    if profile.phone is not None:
        resident.take_phone(profile.phone, verified=False)
    if profile.elder_mode is not None:
        resident.elder_mode = profile.elder_mode
    session.flush()
    return resident


def _move(session: Session, resident: Resident, home: Region) -> None:
    """Take up a home. Moving to another one is journalled, may be done again only some days later, and takes no seat away (E9)."""
    was = resident.home_region
    if was is None or was is home:
        resident.move_home(home)
        return
    kept = timedelta(days=policies_at(session, was.id).home_kept_days)
    if resident.home_since is not None and clock.now() < resident.home_since + kept:
        until = clock.in_town(resident.home_since + kept)
        raise Conflict(
            "home_kept",
            f"您刚换过居住社区，{until.month}月{until.day}日以后才能再换；搬错了请联系社区",
            details={"until": until.isoformat()},
        )
    move_to(session, resident, home, by_account_id=resident.account_id, identity="resident")


def move_to(
    session: Session, resident: Resident, home: Region, *, by_account_id: int | None, identity: str
) -> None:
    """Somebody lives in another community from now on. What they hold stays theirs; the journal keeps where they lived before."""
    was = resident.home_region
    resident.move_home(home)
    resident.home_since = clock.now()
    enter(
        session,
        "resident.moved",
        resident,
        by_account_id=by_account_id,
        identity=identity,
        for_resident_id=resident.id if identity != "resident" else None,
        details={"from": was.key if was else None, "to": home.key},
    )


def _must_not_outgrow_a_guardian(session: Session, resident: Resident, birth_year: int) -> None:
    if not is_minor(resident.birth_year) or birth_year == resident.birth_year:
        return
    if any(bond.kind is BondKind.GUARDIAN for bond in bonds_over(session, resident)):
        raise Conflict("birth_year_kept", "出生年份已经由监护人确认，需要更改请监护人到社区办理")


def bind(session: Session, *, helper: Resident, ward: Resident, kind: BondKind, agreed_how: str) -> Bond:
    """Let one person act for another from today on, with how the other (or the law) agreed.

    A child's guardian does so until the child is of age, which ends by itself: only the year of birth is known, so with the last day of
    the year (E8).
    """
    bond = Bond(
        helper=helper,
        ward=ward,
        kind=kind,
        agreed_how=agreed_how,
        ends_on=_last_day_of(kind, ward.birth_year),
    )
    session.add(bond)
    session.flush()
    return bond


def _last_day_of(kind: BondKind, birth_year: int | None) -> date | None:
    if kind is not BondKind.GUARDIAN or birth_year is None or not is_minor(birth_year):
        return None
    return date(birth_year + OF_AGE, 12, 31)


def end_bond(session: Session, bond: Bond, *, by_account_id: int | None, identity: str = "resident") -> None:
    """From this moment on the helper acts for the ward no longer. Ending what has ended changes nothing."""
    if bond.ended_at is not None:
        return
    bond.ended_at = clock.now()
    enter(
        session,
        "bond.ended",
        bond,
        by_account_id=by_account_id,
        identity=identity,
        for_resident_id=bond.ward_id,
        details={"kind": bond.kind},
    )
    session.flush()


def renew_guardianships(
    session: Session, ward: Resident, *, by_account_id: int | None, identity: str
) -> None:
    """The ward's year of birth is another one: who guards them does so until that of age, and no longer when they are."""
    for bond in bonds_over(session, ward):
        if bond.kind is BondKind.GUARDIAN and is_minor(ward.birth_year):
            bond.ends_on = _last_day_of(bond.kind, ward.birth_year)
        elif bond.kind is BondKind.GUARDIAN:
            end_bond(session, bond, by_account_id=by_account_id, identity=identity)


def leave_helper(session: Session, bond: Bond, *, by_account_id: int) -> None:
    """The ward ends the bond from their side, at once. Ending what has ended changes nothing.

    Raises Conflict ``guardian_stays`` for a child whose guardian decides. The caller holds the ward's account, for which a tap of the
    helper's waits: none comes afterwards.
    """
    if bond.ended_at is None and guards_a_child(bond.kind, bond.ward.birth_year):
        raise Conflict("guardian_stays", "监护关系不能在这里结束，需要变更请监护人到社区办理")
    end_bond(session, bond, by_account_id=by_account_id)


def bonds_around(session: Session, residents: Collection[int]) -> list[Bond]:
    """Every bond these people ever had, on either side, with both people, oldest first."""
    return list(
        session.scalars(
            select(Bond)
            .options(joinedload(Bond.helper), joinedload(Bond.ward))
            .where(or_(Bond.helper_id.in_(residents), Bond.ward_id.in_(residents)))
            .order_by(Bond.id)
        )
    )


def bonds_of(session: Session, helper: Resident) -> list[Bond]:
    """Every bond that lets this person act for somebody today, oldest first."""
    return list(
        session.scalars(
            select(Bond)
            .options(joinedload(Bond.ward))
            .where(Bond.helper_id == helper.id, Bond.is_live_on(clock.today()))
            .order_by(Bond.id)
        )
    )


def bonds_over(session: Session, ward: Resident) -> list[Bond]:
    """Every bond that lets somebody act for this person today, with who that is, oldest first."""
    return list(
        session.scalars(
            select(Bond)
            .options(joinedload(Bond.helper), joinedload(Bond.ward))
            .where(Bond.ward_id == ward.id, Bond.is_live_on(clock.today()))
            .order_by(Bond.id)
        )
    )


def bond_over(session: Session, ward: Resident | None, key: str) -> Bond:
    """The bond over this person with this key, also one that is over. Raises NotFound for anybody else's."""
    bond = session.scalar(
        select(Bond)
        .options(joinedload(Bond.ward))
        .where(Bond.key == key, Bond.ward_id == (ward.id if ward else None))
    )
    if bond is None:
        raise NotFound("没有找到这位代办人")
    return bond


def ward_by_key(session: Session, helper: Resident, key: str) -> Resident:
    """The person with this key whom the helper may act for today. Raises NotFound: an outsider learns nothing."""
    ward = session.scalar(
        select(Resident)
        .join(Bond, Bond.ward_id == Resident.id)
        .where(Resident.key == key, Bond.helper_id == helper.id, Bond.is_live_on(clock.today()))
        .limit(1)
    )
    if ward is None:
        raise NotFound("没有找到您要代办的人，请先到社区登记代办关系", code="no_bond")
    return ward
