"""Several at one moment about one group, or one name: one leader, one decision, one group of a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from models.base import Base, db, reading, transaction
from models.departures import close_account, what_closing_means
from models.errors import Conflict, Refusal
from models.groups import (
    Group,
    GroupKind,
    GroupState,
    GroupWords,
    apply_for_group,
    approve,
    group_of,
    leading,
    name_leader,
    offer_leadership,
    reject,
    take_over,
)
from models.journal import JournalEntry
from models.notices import Notice
from tests.people import Person, Town, Worker
from tests.races.controls import without_index
from tests.races.rush import all_look_first, rush

SINGING = GroupWords("合唱团", GroupKind.CHORUS, 18)


def asks(who: Person) -> str:
    with transaction() as session:
        return apply_for_group(session, who.account(session), SINGING).key


def says(key: str, decision: Callable[..., None], by: Worker, *because: str) -> None:
    with transaction() as session:
        group = session.scalars(select(Group).where(Group.key == key)).one()
        decision(session, group, *because, by=by.member(session))


def takes_over(who: Person, code: str) -> None:
    with transaction() as session:
        take_over(session, who.account(session), code)


def code_of(leader: Person, key: str) -> str:
    with transaction() as session:
        group = group_of(session, leader.resident(session), key)
        return offer_leadership(session, leader.account(session), group)


def names(key: str, who: Person, by: Worker) -> None:
    with transaction() as session:
        group = session.scalars(select(Group).where(Group.key == key)).one()
        name_leader(session, group, who.resident(session), by=by.member(session))


def closes(who: Person) -> None:
    with reading() as session:
        seen = what_closing_means(session, who.account(session)).fingerprint
    with transaction() as session:
        close_account(session, who.account(session), seen=seen)


def the_group() -> Group:
    with reading() as session:
        return session.scalars(select(Group)).one()


def acts() -> Counter[str]:
    with reading() as session:
        query = select(JournalEntry.act).where(JournalEntry.act.startswith("group."))
        return Counter(session.scalars(query))


def codes(answers: Sequence[object]) -> Counter[str]:
    return Counter(answer.code if isinstance(answer, Refusal) else "done" for answer in answers)


def test_a_name_wanted_by_many_at_once_is_one_groups(town: Town, app: Flask) -> None:
    answers = rush(app, [partial(asks, who) for who in town.people(8)])
    refused = [answer for answer in answers if isinstance(answer, Conflict)]
    assert [no.code for no in refused] == ["group_name_taken"] * 7
    assert acts() == {"group.applied": 1}


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # writers take turns on SQLite anyway
def test_without_the_lock_a_name_is_still_one_groups(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = town.people(8)
    with (
        monkeypatch.context() as patch,
        all_look_first(monkeypatch, leading, "_must_be_free", many=len(people)),
    ):
        patch.setattr(Base, "lock", lambda self: self)
        answers = rush(app, [partial(asks, who) for who in people])
    assert any(isinstance(answer, IntegrityError) for answer in answers)
    assert the_group().name == SINGING.name


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # the same
def test_without_lock_and_index_a_name_would_be_several_groups(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = town.people(8)
    with without_index(db.engine, Group, "uq_groups_live_name"):
        with (
            monkeypatch.context() as patch,
            all_look_first(monkeypatch, leading, "_must_be_free", many=len(people)),
        ):
            patch.setattr(Base, "lock", lambda self: self)
            rush(app, [partial(asks, who) for who in people])
        with reading() as session:
            assert (session.scalar(select(func.count()).select_from(Group)) or 0) > 1


def test_two_who_take_over_at_once_are_one_leader(town: Town, app: Flask) -> None:
    code = code_of(town.resident, asks(town.resident))
    answers = rush(app, [partial(takes_over, who, code) for who in town.people(6)])
    assert codes(answers) == {"done": 1, "invitation_invalid": 5}
    assert acts()["group.leader_changed"] == 1


def test_two_decisions_at_once_are_the_first_and_one_message(town: Town, app: Flask) -> None:
    key = asks(town.resident)
    deeds = [partial(says, key, approve, town.clerk), partial(says, key, reject, town.admin, "重复")] * 4
    answers = codes(rush(app, deeds))
    assert answers == {"done": 4, "group_settled": 4}
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Notice)) == 1
    decided = the_group().state
    assert acts()[f"group.{decided}"] == 1
    assert decided in {GroupState.APPROVED, GroupState.REJECTED}


def test_a_leader_leaves_while_the_group_is_handed_over_and_decided_about(town: Town, app: Flask) -> None:
    """Whoever comes first: nobody who has left leads, and staff know of a group without a leader."""
    key = asks(town.resident)
    says(key, approve, town.clerk)
    code = code_of(town.resident, key)
    answers = rush(
        app,
        [
            partial(closes, town.resident),
            partial(takes_over, town.neighbour, code),
            partial(says, key, reject, town.admin, "重复"),
            partial(names, key, town.guardian, town.clerk),
        ],
    )
    assert not [
        answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, Refusal)
    ]
    group = the_group()
    assert group.leader_id in {town.neighbour.resident_id, town.guardian.resident_id}
    assert group.leaderless_at is None


def test_who_is_named_leader_while_they_leave_leads_nothing_or_stays_and_is_told(
    town: Town, app: Flask
) -> None:
    key = asks(town.resident)
    says(key, approve, town.clerk)
    answers = rush(app, [partial(closes, town.neighbour), partial(names, key, town.neighbour, town.clerk)])
    assert not [
        answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, Refusal)
    ]
    leads = the_group().leader_id
    if leads is None:  # they were named before they looked at what closing means, and were told
        assert codes(answers) == {"done": 2}
        return
    assert codes(answers) == (
        {"done": 1, "not_found": 1}
        if leads == town.resident.resident_id
        else {"done": 1, "closure_outdated": 1}
    )
    assert leads in {town.resident.resident_id, town.neighbour.resident_id}
