"""Several at one moment about one unit: one decision, one member to a code, one unit to a credit code, one entry to a service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from models import clock
from models.accounts import Account
from models.base import Base, db, reading, transaction
from models.errors import Refusal
from models.journal import JournalEntry
from models.notices import Notice
from models.partners import (
    HourEntry,
    HourSubject,
    Pairing,
    Partner,
    PartnerMember,
    PartnerState,
    Served,
    UnitCard,
    apply_for_unit,
    applying,
    approve_unit,
    enlisting,
    hours,
    invite_member,
    join_unit,
    leave_unit,
    members,
    members_of,
    reject_unit,
    renew,
    write_hours,
)
from tests.people import Person, Town, Worker, a_card, a_member_of, a_unit
from tests.races.controls import without_index
from tests.races.rush import all_look_first, rush

A_WISH = Served(HourSubject.CLAIM, "a" * 16, 90, "陪同就医", date(2026, 11, 17))


@pytest.fixture
def cards(town: Town) -> list[UnitCard]:
    """What eight people write down of one unit, each under another name."""
    with transaction() as session:
        card = a_card(session, town.wutong)
    return [replace(card, name=f"{n}号工作室") for n in range(8)]


def asks(who: Person, card: UnitCard) -> str:
    with transaction() as session:
        here = replace(card, region=session.merge(card.region))
        return apply_for_unit(session, who.account(session), here).key


def says(key: str, decision: Callable[..., None], by: Worker, *because: str) -> None:
    with transaction() as session:
        unit = session.scalars(select(Partner).where(Partner.key == key)).one()
        decision(session, unit, *because, by=by.member(session))


def joins(who: Person, code: str) -> None:
    with transaction() as session:
        join_unit(session, who.account(session), code)


def writes(unit: int) -> None:
    with transaction() as session:
        write_hours(session, session.get_one(Partner, unit), A_WISH, by_account_id=None, identity="town")


def an_invitation(town: Town) -> str:
    with transaction() as session:
        return invite_member(session, a_unit(session, town.wutong), by_account_id=None, identity="town")


def codes(answers: Sequence[object]) -> Counter[str]:
    return Counter(
        answer.code
        if isinstance(answer, Refusal)
        else type(answer).__name__
        if isinstance(answer, Exception)
        else "done"
        for answer in answers
    )


def count(noun: type[Base]) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(noun)) or 0


# --- one unit to a code -------------------------------------------------------------------------------------------


def test_a_credit_code_many_apply_with_at_once_is_one_units(
    town: Town, app: Flask, cards: list[UnitCard]
) -> None:
    people = town.people(8)
    answers = rush(app, [partial(asks, who, card) for who, card in zip(people, cards, strict=True)])
    assert codes(answers) == {"done": 1, "unit_known": 7}


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # writers take turns on SQLite anyway
def test_when_all_look_before_anybody_writes_the_index_keeps_it_one(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch, cards: list[UnitCard]
) -> None:
    people = town.people(8)
    with all_look_first(monkeypatch, enlisting, "_must_be_the_only_one", many=8):
        answers = rush(app, [partial(asks, who, card) for who, card in zip(people, cards, strict=True)])
    assert codes(answers) == {"done": 1, "unit_known": 7}


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # the same
def test_the_control_without_the_index_a_credit_code_would_be_several_units(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch, cards: list[UnitCard]
) -> None:
    people = town.people(8)
    with without_index(db.engine, Partner, "uq_partners_live_credit_code"):
        with all_look_first(monkeypatch, enlisting, "_must_be_the_only_one", many=8):
            answers = rush(app, [partial(asks, who, card) for who, card in zip(people, cards, strict=True)])
        assert codes(answers) == {"done": 8}
        with transaction() as session:  # what points at them goes first
            session.execute(delete(Pairing))
            session.execute(delete(PartnerMember))


# --- one decision -------------------------------------------------------------------------------------------------


def test_two_clerks_who_decide_at_once_are_the_first_and_one_message(
    town: Town, app: Flask, cards: list[UnitCard]
) -> None:
    key = asks(town.resident, cards[0])
    deeds = [
        partial(says, key, approve_unit, town.clerk),
        partial(says, key, reject_unit, town.admin, "重复"),
    ] * 4
    assert codes(rush(app, deeds)) == {"done": 4, "partner_settled": 4}
    assert count(Notice) == 1
    with reading() as session:
        unit = session.scalars(select(Partner).where(Partner.key == key)).one()
        decided = select(JournalEntry.act).where(
            JournalEntry.act.in_(["partner.approved", "partner.rejected"])
        )
        assert session.scalars(decided).all() == [
            "partner.approved" if unit.state is PartnerState.ACTIVE else "partner.rejected"
        ]


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # writers take turns on SQLite anyway
def test_the_control_without_the_lock_two_clerks_both_decide(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch, cards: list[UnitCard]
) -> None:
    key = asks(town.resident, cards[0])
    with (
        monkeypatch.context() as patch,
        all_look_first(monkeypatch, applying, "_is_to_be_decided", many=2),
    ):
        patch.setattr(Base, "lock", lambda self: self)
        answers = rush(
            app,
            [
                partial(says, key, reject_unit, town.clerk, "缺材料"),
                partial(says, key, reject_unit, town.admin, "重复"),
            ],
        )
    assert codes(answers) == {"done": 2}
    assert count(Notice) == 2


def test_two_clerks_who_renew_at_once_give_one_year(town: Town, app: Flask) -> None:
    with transaction() as session:
        unit = a_unit(session, town.wutong)
        unit.renewed_until = clock.today()
        unit_id = unit.id

    def renews() -> None:
        with transaction() as session:
            renew(session, session.get_one(Partner, unit_id), by_account_id=None, identity="town")

    assert codes(rush(app, [renews] * 6)) == {"done": 6}
    with reading() as session:
        assert session.get_one(Partner, unit_id).renewed_until == clock.today() + timedelta(days=365)


# --- one member to a code -----------------------------------------------------------------------------------------


def test_two_who_redeem_one_invitation_are_one_member(town: Town, app: Flask) -> None:
    code, before = an_invitation(town), count(PartnerMember)
    answers = rush(app, [partial(joins, who, code) for who in town.people(6)])
    assert codes(answers) == {"done": 1, "invitation_invalid": 5}
    assert count(PartnerMember) == before + 1


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # writers take turns on SQLite anyway
def test_the_control_without_the_lock_one_invitation_lets_two_in(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, people = an_invitation(town), town.people(2)
    with monkeypatch.context() as patch, all_look_first(monkeypatch, members, "_member", many=2):
        patch.setattr(Base, "lock", lambda self: self)
        answers = rush(app, [partial(joins, who, code) for who in people])
    assert codes(answers) == {"done": 2}


def test_two_managers_who_leave_at_once_leave_one(town: Town, app: Flask) -> None:
    with transaction() as session:
        unit = a_unit(session, town.wutong)
        both = [a_member_of(session, unit), a_member_of(session, unit)]
        session.execute(update(PartnerMember).values(is_manager=True))

    def leaves(account_id: int) -> None:
        with transaction() as session:
            leave_unit(
                session, session.get_one(Account, account_id), session.get_one(Partner, both[0].partner_id)
            )

    answers = rush(app, [partial(leaves, one.account_id) for one in both])
    assert codes(answers) == {"done": 1, "last_manager": 1}  # the other is alone
    with reading() as session:
        managers = members_of(session, [both[0].partner_id], managers=True)
        assert len(managers[both[0].partner_id]) == 1


# --- one entry to a service ---------------------------------------------------------------------------------------


def test_service_that_many_confirm_at_once_is_one_entry(town: Town, app: Flask) -> None:
    answers = rush(app, [partial(writes, town.partner_member.partner_id)] * 6)
    assert codes(answers) == {"done": 6}
    assert count(HourEntry) == 1


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # writers take turns on SQLite anyway
def test_without_the_lock_the_index_keeps_service_one_entry(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, all_look_first(monkeypatch, hours, "entry_about", many=2):
        patch.setattr(Base, "lock", lambda self: self)
        answers = rush(app, [partial(writes, town.partner_member.partner_id)] * 2)
    assert codes(answers) == {"done": 1, "IntegrityError": 1}
    assert count(HourEntry) == 1


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # the same
def test_without_lock_and_index_service_would_be_two_entries(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with without_index(db.engine, HourEntry, "uq_hour_entries_subject_unit"):
        with monkeypatch.context() as patch, all_look_first(monkeypatch, hours, "entry_about", many=2):
            patch.setattr(Base, "lock", lambda self: self)
            rush(app, [partial(writes, town.partner_member.partner_id)] * 2)
        assert count(HourEntry) == 2
