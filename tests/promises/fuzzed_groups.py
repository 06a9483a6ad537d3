"""What a fuzzer needs to know of groups: some in every state, whose keys fit which operation, and codes that are good once."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from models.base import reading, transaction
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
from tests.people import Person, Town

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
    if "/staff/" not in path:
        state = GroupState.APPLIED if label.startswith("PUT") else GroupState.APPROVED
        leader = who.resident_id if isinstance(who, Person) else None
        query = select(Group.key).where(Group.leader_id == leader, Group.state == state)
    else:
        waits = path.endswith(("/approval", "/rejection"))
        query = select(Group.key).where(Group.state == (GroupState.APPLIED if waits else GroupState.APPROVED))
    with reading() as session:
        keys = session.scalars(query.order_by(Group.id.desc())).all()
    return chance.choice(keys[:6]) if keys else NOBODYS


def fill_group(body: dict[str, Any], label: str, town: Town) -> None:
    """A leader the clerk knows, a day that is yet to come, a code somebody has just handed out."""
    if label in {"POST /api/v1/staff/groups", "PUT /api/v1/staff/groups/{key}/leader"}:
        body["leader"] = town.neighbour.key
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
