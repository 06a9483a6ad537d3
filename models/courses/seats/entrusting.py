"""Who acts for others without a bond, and who is too young to act for themselves: read once for a batch, where it concerns anybody in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.engine import Connection

from models import clock
from models.accounts import Account
from models.consents import PRIVACY_POLICY, Consent, has_withdrawn
from models.counter import ConsentGiver, ResidentConsent, agreed_on_paper
from models.courses.registrations import AtCounter, Tap, Taps
from models.courses.seats.asking import PERSON_COLUMNS, Asker, Person, person_of
from models.errors import NotFound, Refusal
from models.residents import Bond, BondKind, Resident, is_minor


@dataclass(frozen=True, slots=True)
class _Entrusted:
    """Somebody whom staff look after, and what stands of their agreement."""

    person: Person
    has_agreed: bool
    withdrew: bool


def look_after(
    connection: Connection, taps: Taps, askers: Sequence[Asker | Refusal]
) -> Sequence[Asker | Refusal]:
    """Who asks with each tap, now also where staff do for somebody (whom the caller found to be theirs), or somebody under age.

    Nothing is read where no tap of the batch is of that kind.
    """
    at_counter = [tap for tap in taps if tap.at_counter is not None]
    people = _entrusted(connection, {key for tap in at_counter for key in (tap.for_key, tap.with_key) if key})
    minors = {each.person.id for each in people.values() if is_minor(each.person.birth_year)}
    guardians = _guardians_of(connection, minors)
    known = [
        asker if tap.at_counter is None else _at_counter(tap, tap.at_counter, people, guardians)
        for tap, asker in zip(taps, askers, strict=True)
    ]
    alone = [asker for asker in known if isinstance(asker, Asker) and _is_a_minor_alone(asker)]
    agreed = _agreed_for(connection, {asker.learner.id for asker in alone if asker.learner})
    for asker in alone:
        asker.guardian_agreed = asker.learner is not None and asker.learner.id in agreed
    return known


def _at_counter(
    tap: Tap, counter: AtCounter, people: Mapping[str, _Entrusted], guardians: Mapping[int, tuple[int, ...]]
) -> Asker | Refusal:
    whom = people.get(tap.for_key or "")
    adult = people.get(tap.with_key or "")
    if whom is None or (tap.with_key is not None and adult is None):
        return NotFound("没有找到这位居民")
    return Asker(
        counter.account_id,
        whom.has_agreed,
        None,
        whom.person,
        identity=counter.identity,
        ward_withdrew=whom.withdrew and not whom.has_agreed,
        counter=counter,
        adult=adult.person if adult else None,
        guardians=guardians.get(whom.person.id, ()),
    )


def _entrusted(connection: Connection, keys: Collection[str]) -> dict[str, _Entrusted]:
    if not keys:
        return {}
    # who takes their word back in the app holds their account, and was waited for when the batch was recognised
    in_the_app = exists().where(
        and_(
            Consent.account_id == Resident.account_id,
            Consent.kind == PRIVACY_POLICY.kind,
            Consent.version == PRIVACY_POLICY.version,
            Consent.withdrawn_at.is_(None),
        )
    )
    rows = connection.execute(
        select(
            *PERSON_COLUMNS,
            or_(in_the_app, agreed_on_paper()).label("has_agreed"),
            has_withdrawn(Resident.account_id).label("withdrew"),
        ).where(Resident.key.in_(keys))
    )
    return {row.key: _Entrusted(person_of(row), row.has_agreed, row.withdrew) for row in rows}


def _guardians_of(connection: Connection, minors: Collection[int]) -> dict[int, tuple[int, ...]]:
    """By child: the accounts of those who guard it today, the oldest bond first."""
    if not minors:
        return {}
    found: dict[int, list[int]] = defaultdict(list)
    rows = connection.execute(
        select(Bond.ward_id, Account.id.label("account_id"))
        .join(Resident, Resident.id == Bond.helper_id)
        .join(Account, Account.id == Resident.account_id)
        .where(
            Bond.ward_id.in_(minors),
            Bond.kind == BondKind.GUARDIAN,
            Bond.is_live_on(clock.today()),
            Account.closed_at.is_(None),
        )
        .order_by(Bond.id)
    )
    for row in rows:
        found[row.ward_id].append(row.account_id)
    return {child: tuple(dict.fromkeys(accounts)) for child, accounts in found.items()}


def _is_a_minor_alone(asker: Asker) -> bool:
    """Whether nobody acts for somebody under age but themselves, or staff."""
    learner = asker.learner
    if learner is None or not is_minor(learner.birth_year):
        return False
    return asker.counter is not None or learner is asker.oneself


def _agreed_for(connection: Connection, minors: Collection[int]) -> set[int]:
    """For whom of these a guardian agreed: who guards them today, or signed for them at the counter."""
    if not minors:
        return set()
    guarded = connection.execute(
        select(Bond.ward_id).where(
            Bond.ward_id.in_(minors), Bond.kind == BondKind.GUARDIAN, Bond.is_live_on(clock.today())
        )
    )
    signed = connection.execute(
        select(ResidentConsent.resident_id).where(
            ResidentConsent.resident_id.in_(minors),
            ResidentConsent.given_by == ConsentGiver.GUARDIAN,
            ResidentConsent.withdrawn_at.is_(None),
        )
    )
    return {*guarded.scalars(), *signed.scalars()}
