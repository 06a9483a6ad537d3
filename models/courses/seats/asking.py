"""Who asks, for whom, of which run: everything a batch of taps needs to know, read once, the runs locked."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, select
from sqlalchemy.engine import Connection

from models import clock
from models.accounts import Account, Login
from models.bulk import among
from models.consents import PRIVACY_POLICY, Consent
from models.counter import has_taken_back
from models.courses.registrations import AtCounter, Tap, Taps
from models.courses.runs import UNSEEN, Admission, Audience, CourseRun, Promotion, RunState
from models.errors import NotFound, Refusal, Unauthenticated
from models.residents import Bond, BondKind, Resident, guards_a_child


@dataclass(slots=True)
class Person:
    """What the rules need to know of a resident."""

    id: int
    key: str
    account_id: int | None
    name: str | None
    has_phone: bool
    home_region_id: int | None
    birth_year: int | None

    @property
    def has_home(self) -> bool:
        """Whether it is known where home is."""
        return self.home_region_id is not None


@dataclass(slots=True)
class Asker:
    """The account behind a tap, the person it is, and the person the seat is for; by which bond, when that is somebody else."""

    account_id: int | None
    consented: bool
    oneself: Person | None
    learner: Person | None
    identity: str = "resident"
    bond: BondKind | None = None
    ward_withdrew: bool = False  # whoever is acted for took back what they had agreed to
    counter: AtCounter | None = None  # who of the staff acts; then nobody is oneself
    adult: Person | None = None  # who comes along with the child, at the counter
    guardians: tuple[int, ...] = ()  # the accounts of a child's guardians, where staff act for it
    guardian_agreed: bool = True  # for somebody under age who taps for themselves, or whom staff act for

    @property
    def adult_along(self) -> Person | None:
        """Who comes along with a child: who taps for it, or whom staff name."""
        if self.counter is not None:
            return self.adult
        return self.oneself if self.learner is not self.oneself else None

    @property
    def registered_by(self) -> int | None:
        """Whose registration it is besides the learner's, and who hears of it: who tapped; a child's guardian where staff did."""
        return self.guardians[0] if self.guardians else self.account_id


Wards = Mapping[tuple[int, str], tuple[Person, BondKind, bool]]


@dataclass(slots=True)
class LockedRun:
    """A locked run; its counters are written back once, at the end."""

    id: int
    key: str
    course_id: int
    region_id: int
    state: RunState
    capacity: int
    waitlist_limit: int | None
    opens_at: datetime
    closes_at: datetime
    starts_at: datetime
    ends_at: datetime
    published_at: datetime | None
    changed_at: datetime | None
    audience: Audience
    min_age: int | None
    max_age: int | None
    seats_taken: int
    waiting: int
    last_number: int
    asks_questions: bool
    seats_held: int
    held_until: datetime | None
    admission: Admission
    promotion: Promotion
    draws_at: datetime | None
    drawn_at: datetime | None
    home_first_hours: int
    street_first_hours: int
    most_companions: int
    after_course_id: int | None
    touched: bool = False

    @property
    def free(self) -> int:
        """Seats nobody has and that are not held for the counter."""
        return self.capacity - self.seats_taken - self.seats_held

    @property
    def takes_applications(self) -> bool:
        """Whether a tap applies now, and who gets a seat is said later."""
        is_to_be_drawn = self.admission is Admission.DRAW and self.drawn_at is None
        return is_to_be_drawn or self.admission is Admission.REVIEW

    def has_room_for(self, heads: int) -> bool:
        """Whether so many sit at once. Where people bring companions, whoever waits is more than fits: ``move_up`` saw to it."""
        return heads <= self.free and (not self.waiting or self.most_companions > 0)

    def is_seen_at(self, now: datetime) -> bool:
        """Whether residents may know of it."""
        return self.state not in UNSEEN and self.published_at is not None and self.published_at <= now


@dataclass(slots=True)
class Ask:
    """A tap that has been understood: who wants what of which run."""

    place: int
    tap: Tap
    asker: Asker
    run: LockedRun

    @property
    def adult(self) -> Person | None:
        """The adult of a pair, where pairs come (成对报名)."""
        return self.asker.adult_along if self.run.audience is Audience.PAIR else None


PERSON_COLUMNS = (
    Resident.id,
    Resident.key,
    Resident.account_id,
    Resident.name,
    Resident.phone_fingerprint,
    Resident.home_region_id,
    Resident.birth_year,
)

_LOGINS = (
    select(
        Login.key.label("login_key"),
        Login.account_id.label("login_account_id"),
        Login.expires_at,
        Login.revoked_at,
        Consent.id.label("consent_id"),
        *PERSON_COLUMNS,
    )
    .outerjoin(Resident, Resident.account_id == Login.account_id)
    .outerjoin(
        Consent,
        and_(
            Consent.account_id == Login.account_id,
            Consent.kind == PRIVACY_POLICY.kind,
            Consent.version == PRIVACY_POLICY.version,
            Consent.withdrawn_at.is_(None),
        ),
    )
    .where(among(Login.key, "logins"))
)


def recognise(connection: Connection, taps: Taps, now: datetime) -> list[Asker | Refusal]:
    rows = connection.execute(_LOGINS, {"logins": {tap.login_key for tap in taps}})
    logins = {row.login_key: row for row in rows}
    wards = _wards(connection, {tap.for_key for tap in taps if tap.for_key})
    return [_asker_of(tap, logins.get(tap.login_key), wards, now) for tap in taps]


def person_of(row: Row[*tuple[Any, ...]]) -> Person:
    return Person(
        id=row.id,
        key=row.key,
        account_id=row.account_id,
        name=row.name,
        has_phone=row.phone_fingerprint is not None,
        home_region_id=row.home_region_id,
        birth_year=row.birth_year,
    )


def _wards(connection: Connection, keys: set[str]) -> Wards:
    """By (helper's id, ward's key): everybody whom somebody may act for today, by which bond (the oldest), and whether they withdrew."""
    if not keys:
        return {}
    # Their word is theirs: who takes it back, or ends the bond, holds their account, and is waited for here, before it is read.
    connection.execute(
        select(Account.id)
        .join(Resident, Resident.account_id == Account.id)
        .where(Resident.key.in_(keys))
        .order_by(Account.id)
        .with_for_update(read=True, of=Account)
    )
    rows = connection.execute(
        select(
            Bond.helper_id,
            Bond.kind,
            has_taken_back().label("withdrew"),
            *PERSON_COLUMNS,
        )
        .join(Bond, Bond.ward_id == Resident.id)
        .where(Resident.key.in_(keys), Bond.is_live_on(clock.today()))
        .order_by(Bond.id.desc())
    )
    return {(row.helper_id, row.key): _ward_of(row) for row in rows}


def _ward_of(row: Row[*tuple[Any, ...]]) -> tuple[Person, BondKind, bool]:
    # for a child below fourteen the guardian agrees, whatever the child's own phone says
    return person_of(row), row.kind, row.withdrew and not guards_a_child(row.kind, row.birth_year)


def _asker_of(
    tap: Tap,
    login: Row[*tuple[Any, ...]] | None,
    wards: Wards,
    now: datetime,
) -> Asker | Refusal:
    if login is None or login.revoked_at is not None:
        return Unauthenticated("token_revoked", "您已退出登录，请重新登录")
    if login.expires_at <= now:
        return Unauthenticated("token_expired", "登录已过期，请重新登录")
    oneself = person_of(login) if login.id is not None else None
    asker = Asker(login.login_account_id, login.consent_id is not None, oneself, oneself)
    if tap.for_key is not None and (oneself is None or tap.for_key != oneself.key):
        ward = wards.get((oneself.id, tap.for_key)) if oneself else None
        if ward is None:
            return NotFound("没有找到您要代办的人，请先到社区登记代办关系", code="no_bond")
        asker.learner, asker.bond, asker.ward_withdrew = ward
    return asker


_RUNS = (
    select(
        *(
            getattr(CourseRun, field.name)
            for field in dataclasses.fields(LockedRun)
            if field.name != "touched"
        )
    )
    .where(among(CourseRun.key, "keys"))
    .order_by(CourseRun.id)  # one order of locking for every process
    .with_for_update(key_share=True)
)


def lock_runs(connection: Connection, keys: Iterable[str]) -> dict[str, LockedRun]:
    return {row.key: LockedRun(*row) for row in connection.execute(_RUNS, {"keys": keys})}


_PEOPLE = (
    select(Resident.id)
    .where(among(Resident.id, "people"))
    .order_by(Resident.id)  # one order of locking for every process
    .with_for_update(key_share=True)
)


def hold_people(connection: Connection, residents: Collection[int]) -> None:
    """Hold these people until the transaction ends, after their runs: what somebody has elsewhere cannot change meanwhile (E5).

    SQLite has one writer and nothing to hold.
    """
    if residents and connection.dialect.name != "sqlite":
        connection.execute(_PEOPLE, {"people": residents})
