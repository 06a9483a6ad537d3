"""What closing would mean for this very person, today: said before it is done, and named by a fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from sqlalchemy import or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from models import clock
from models.accounts import Account
from models.courses import LIVE, CourseRun, Registration
from models.groups import Group, live_groups_led_by
from models.partners import partners_of
from models.reservations import Reservation, held_for
from models.residents import Bond, BondKind, Resident, guards_a_child, resident_of
from models.staff import StaffMember, staff_members_of
from models.wishes import Wish, open_wishes_of


class WardBecomes(StrEnum):
    """What becomes of somebody this person acts for."""

    LEAVES_TOO = "leaves_too"  # 不满十四周岁且没有其他监护人，一并注销
    KEEPS_A_HELPER = "keeps_a_helper"  # 还有其他人可以代办
    LOSES_THEIR_HELPER = "loses_their_helper"  # 报名保留，没有人代办


@dataclass(frozen=True)
class Obstacle:
    """Why an account cannot be closed yet: a hat that must be handed over first."""

    code: str
    identity: str
    name: str
    message: str


@dataclass(frozen=True)
class WardLeft:
    """Somebody this person acts for, and what becomes of them."""

    ward: Resident
    kind: BondKind
    becomes: WardBecomes


@dataclass(frozen=True)
class Closure:
    """What closing an account means now. ``registrations`` are those that will be given up, the children's included."""

    account: Account
    oneself: Resident | None
    obstacles: Sequence[Obstacle]
    registrations: Sequence[Registration]
    wards: Sequence[WardLeft]
    groups: Sequence[Group] = ()  # that lose their leader, or are not asked for any more
    rooms: Sequence[Reservation] = ()  # that go to who waits, the children's included
    wishes: Sequence[Wish] = ()  # that nothing comes of any more, the children's included
    has_worked_here: bool = False  # a staff member's name outlives the account, for the journal's sake

    @property
    def leaving(self) -> list[Resident]:
        """Everybody who leaves, by id: oneself, and the children who cannot stay without."""
        children = [left.ward for left in self.wards if left.becomes is WardBecomes.LEAVES_TOO]
        return sorted([*children, *([self.oneself] if self.oneself else [])], key=lambda one: one.id)

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen signs that change whenever any of this changes."""
        facts = [
            self.account.id,
            self.oneself and self.oneself.id,
            [[obstacle.code, obstacle.identity] for obstacle in self.obstacles],
            [[held.id, held.state] for held in self.registrations],
            [[left.ward.id, left.kind, left.becomes] for left in self.wards],
            [[group.id, group.state] for group in self.groups],
            [[room.id, room.state] for room in self.rooms],
            [[wish.id, wish.state] for wish in self.wishes],
        ]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def what_closing_means(session: Session, account: Account) -> Closure:
    """What closing this account would mean today, in a fixed number of queries."""
    oneself = resident_of(session, account)
    wards = _wards_left(session, oneself) if oneself else []
    closure = Closure(account, oneself, _obstacles(session, account), (), wards)
    leaving = [one.id for one in closure.leaving]
    held, led = places_of(session, leaving), live_groups_led_by(session, leaving)
    rooms = held_for(session, leaving, after=clock.now())
    worked = session.scalar(select(StaffMember.id).where(StaffMember.account_id == account.id).limit(1))
    return Closure(
        account,
        oneself,
        closure.obstacles,
        held,
        wards,
        groups=led,
        rooms=rooms,
        wishes=open_wishes_of(session, leaving),
        has_worked_here=worked is not None,
    )


def places_of(session: Session, residents: Collection[int]) -> Sequence[Registration]:
    """The seats and places in queues of these people in classes that are not over, oldest first."""
    return session.scalars(
        select(Registration)
        .join(Registration.run)
        .options(joinedload(Registration.run).joinedload(CourseRun.course), joinedload(Registration.resident))
        .where(
            Registration.resident_id.in_(residents),
            Registration.state.in_(LIVE),
            CourseRun.ends_at > clock.now(),
        )
        .order_by(Registration.id)
        .execution_options(populate_existing=True)
    ).all()


def children_of(session: Session, guardian: Resident) -> list[Resident]:
    """Everybody who may have to leave with this guardian, whoever else looks after them, by id."""
    wards = {bond.ward for bond in _standing(session, [guardian.id], Bond.helper_id) if _is_for_a_child(bond)}
    return sorted(wards, key=lambda ward: ward.id)


def _obstacles(session: Session, account: Account) -> list[Obstacle]:
    staff = [
        Obstacle(
            "staff_identity",
            member.identity,
            member.name,
            f"您还是工作人员“{member.name}”，请先联系社区管理员办理工作交接，再来注销",
        )
        for member in staff_members_of(session, account)
    ]
    units = [
        Obstacle(
            "partner_identity",
            f"partner:{unit.key}",
            unit.name,
            f"您还代表单位“{unit.name}”，请先在“我的单位”里退出，只有您一位成员时请联系社区，再来注销",
        )
        for unit in partners_of(session, account)
    ]
    return staff + units


def _wards_left(session: Session, helper: Resident) -> list[WardLeft]:
    bonds = _standing(session, [helper.id], Bond.helper_id)
    others = [
        bond
        for bond in _standing(session, {bond.ward_id for bond in bonds}, Bond.ward_id)
        if bond.helper_id != helper.id
    ]
    return [WardLeft(bond.ward, bond.kind, _what_becomes(bond, others)) for bond in _the_closest(bonds)]


def _what_becomes(bond: Bond, others: Iterable[Bond]) -> WardBecomes:
    with_them = [other for other in others if other.ward_id == bond.ward_id]
    if _is_for_a_child(bond):
        guarded = any(other.kind is BondKind.GUARDIAN for other in with_them)
        return WardBecomes.KEEPS_A_HELPER if guarded else WardBecomes.LEAVES_TOO
    return WardBecomes.KEEPS_A_HELPER if with_them else WardBecomes.LOSES_THEIR_HELPER


def _is_for_a_child(bond: Bond) -> bool:
    """Whether all that allows the town to know this ward is the guardian's word."""
    return bond.ward.account_id is None and guards_a_child(bond.kind, bond.ward.birth_year)


def _the_closest(bonds: Iterable[Bond]) -> list[Bond]:
    """One bond a ward: guardianship before any other."""
    by_ward: dict[int, Bond] = {}
    for bond in sorted(bonds, key=lambda bond: (bond.kind is not BondKind.GUARDIAN, bond.id)):
        by_ward.setdefault(bond.ward_id, bond)
    return sorted(by_ward.values(), key=lambda bond: bond.id)


def _standing(session: Session, residents: Collection[int], side: InstrumentedAttribute[int]) -> list[Bond]:
    """Bonds of these people on one side that are not over; one that begins later counts."""
    return list(
        session.scalars(
            select(Bond)
            .options(joinedload(Bond.ward))
            .where(
                side.in_(residents),
                Bond.ended_at.is_(None),
                or_(Bond.ends_on.is_(None), Bond.ends_on >= clock.today()),
            )
            .order_by(Bond.id)
        )
    )
