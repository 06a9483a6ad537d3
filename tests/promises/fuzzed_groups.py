"""What a fuzzer needs to know of groups: some in every state, whose keys fit which operation, and codes that are good once."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import joinedload

from models.base import reading, transaction
from models.errors import Refusal
from models.groups import (
    Group,
    GroupKind,
    GroupState,
    GroupWords,
    apply_for_group,
    approve,
    offer_leadership,
)
from models.residents import Resident
from tests.people import Person, Town, a_resident

NOBODYS = "a" * 16


def some_groups(town: Town, people: list[Person]) -> None:
    """Groups that wait, and as many that were approved; two of them led by whoever asks."""
    for n, leader in enumerate([town.resident, town.helper, *people]):
        for state in (GroupState.APPLIED, GroupState.APPROVED):
            with transaction() as session:
                words = GroupWords(f"{state}{n}", GroupKind.DANCE, 12)
                group = apply_for_group(session, leader.account(session), words)
                if state is GroupState.APPROVED:
                    approve(session, group, by=town.clerk.member(session))


def a_groups_key(label: str, who: object, chance: random.Random) -> str:
    """A group that somebody leads, waiting if it is to be corrected; for staff one of others' that is as they need it."""
    path = label.partition(" ")[2]
    if label.startswith("PUT /api/v1/me/groups/") and isinstance(who, Person):
        return _one_that_waits(who, chance)
    if "/staff/" not in path:
        leader = who.resident_id if isinstance(who, Person) else None
        query = select(Group.key).where(Group.leader_id == leader, Group.state == GroupState.APPROVED)
    else:
        waits = path.endswith(("/approval", "/rejection"))
        query = select(Group.key).where(Group.state == (GroupState.APPLIED if waits else GroupState.APPROVED))
    with reading() as session:
        keys = session.scalars(query.order_by(Group.id.desc())).all()
    return chance.choice(keys[:6]) if keys else NOBODYS


def _one_that_waits(leader: Person, chance: random.Random) -> str:
    """One of its own, for staff decide about all others on the way; none of who left or leads as many as one may."""
    words = GroupWords(f"队{chance.randrange(10**9)}", GroupKind.DANCE, 12)  # of twenty characters at most
    try:
        with transaction() as session:
            return apply_for_group(session, leader.account(session), words).key
    except (Refusal, NoResultFound):
        with reading() as session:
            mine = select(Group.key).where(Group.leader_id == leader.resident_id)
            waits = mine.where(Group.state == GroupState.APPLIED)
            return session.scalars(waits.order_by(Group.id.desc())).first() or NOBODYS


def fill_group(body: dict[str, Any], label: str, town: Town) -> None:
    """A leader the clerk knows who leads nothing yet, a day that is yet to come, a code somebody has just handed out."""
    if label in {"POST /api/v1/staff/groups", "PUT /api/v1/staff/groups/{key}/leader"}:
        with transaction() as session:  # nobody leads many groups
            body["leader"] = a_resident(session, town.wutong, name="新队长").key
    if label == "PUT /api/v1/staff/groups/{key}/suspension":
        body["until"] = "2027-01-31"
    if label == "POST /api/v1/me/group-leaderships":
        body["code"] = _a_code(town)


def _a_code(town: Town) -> str:
    with transaction() as session:
        group = session.scalars(
            select(Group)
            .join(Group.leader)
            .options(joinedload(Group.leader))
            .where(
                Group.state == GroupState.APPROVED,
                Group.region_id == town.wutong.id,
                Resident.account_id.is_not(None),
            )
            .order_by(Group.id)
        ).first()
        if group is None or group.leader is None:
            return "0" * 8
        leader = Person("", group.leader.id, group.leader.key, group.leader.account_id)
        return offer_leadership(session, leader.account(session), group)
