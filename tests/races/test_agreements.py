"""Two agreements for one room at one moment, and one that ends while service is written down: nobody has the room twice, and books close once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from models import clock as town_clock
from models import occupancy
from models.agreements import (
    AgreementState,
    Block,
    Record,
    ServiceAgreement,
    ServiceDelivery,
    ServiceHold,
    Terms,
    confirm_delivery,
    decline_delivery,
    draft_agreement,
    end_agreement,
    put_in_force,
    record_delivery,
)
from models.base import Base, db, reading, transaction
from models.errors import Refusal
from models.occupancy import Occupancy
from models.partners import Partner
from models.sites import Venue
from tests.people import Town, a_venue
from tests.races.controls import without_the_rooms_guard
from tests.races.rush import all_look_first, rush

TERMS = Terms(date(2026, 11, 1), date(2026, 12, 31), [Block(1, 14 * 60, 17 * 60)], "心理咨询", 40)
GIVEN = Record(date(2026, 11, 17), 90, "一对一咨询", 3)


@pytest.fixture
def drafts(town: Town) -> list[int]:
    """Six drafts about the same hours of one room."""
    with transaction() as session:
        unit = session.get_one(Partner, town.partner_member.partner_id)
        room = a_venue(session, town.wutong)
        return [
            draft_agreement(session, unit, room, TERMS, by_account_id=None, identity="town").id
            for _ in range(6)
        ]


def begins(agreement_id: int) -> None:
    with transaction() as session:
        agreement = session.get_one(ServiceAgreement, agreement_id)
        put_in_force(session, agreement, by_account_id=None, identity="town")


def ends(agreement_id: int) -> None:
    with transaction() as session:
        agreement = session.get_one(ServiceAgreement, agreement_id)
        end_agreement(session, agreement, "场地另有用途", by_account_id=None, identity="town")


def records(agreement_id: int) -> None:
    with transaction() as session:
        agreement = session.get_one(ServiceAgreement, agreement_id)
        record_delivery(session, agreement, GIVEN, by_account_id=None, identity="town")


def confirms() -> None:
    with transaction() as session:
        delivery = session.scalars(select(ServiceDelivery)).one()
        confirm_delivery(session, delivery, by_account_id=None, identity="staff:x")


def declines() -> None:
    with transaction() as session:
        delivery = session.scalars(select(ServiceDelivery)).one()
        decline_delivery(session, delivery, "那天没有来", by_account_id=None, identity="staff:x")


def codes(answers: Sequence[object]) -> Counter[str]:
    return Counter(answer.code if isinstance(answer, Refusal) else "done" for answer in answers)


def must_be_held_once() -> int:
    """Every hold of an agreement in force stands in the calendar, and no hour of the room twice; how many."""
    with reading() as session:
        keys = session.scalars(select(Occupancy.holder_key)).all()
        starts = session.scalars(select(Occupancy.starts_at)).all()
        assert len(starts) == len(set(starts))
        assert sorted(keys) == sorted(session.scalars(select(ServiceHold.key)))
        return len(keys)


def test_many_agreements_for_one_room_at_once_are_one(app: Flask, drafts: list[int]) -> None:
    assert codes(rush(app, [partial(begins, one) for one in drafts])) == {"done": 1, "room_taken": 5}
    assert must_be_held_once() == 6


def test_one_agreement_put_in_force_by_many_at_once_holds_once(app: Flask, drafts: list[int]) -> None:
    assert codes(rush(app, [partial(begins, drafts[0])] * 6)) == {"done": 6}
    assert must_be_held_once() == 6


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # writers take turns on SQLite anyway
def test_without_the_lock_the_calendar_itself_refuses_the_second(
    app: Flask, drafts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        monkeypatch.context() as patch,
        all_look_first(monkeypatch, occupancy, "taken_of", many=len(drafts)),
    ):
        patch.setattr(Base, "lock", lambda self: self)
        answers = rush(app, [partial(begins, one) for one in drafts])
    assert any(isinstance(answer, DBAPIError) for answer in answers)
    assert must_be_held_once() == 6


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_without_lock_and_guard_all_have_the_room(
    app: Flask, drafts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        without_the_rooms_guard(db.engine),
        monkeypatch.context() as patch,
        all_look_first(monkeypatch, occupancy, "taken_of", many=len(drafts)),
    ):
        patch.setattr(Base, "lock", lambda self: self)
        assert codes(rush(app, [partial(begins, one) for one in drafts])) == {"done": len(drafts)}
        with pytest.raises(AssertionError):
            must_be_held_once()


def test_what_is_written_down_while_an_agreement_ends_is_before_or_refused(
    app: Flask, drafts: list[int]
) -> None:
    begins(drafts[0])
    deeds = (
        [partial(records, drafts[0])] * 3 + [partial(ends, drafts[0])] * 2 + [partial(records, drafts[0])] * 3
    )
    told = codes(rush(app, deeds))
    with reading() as session:
        agreement = session.get_one(ServiceAgreement, drafts[0])
        assert agreement.state is AgreementState.ENDED
        written = session.scalar(select(func.count()).select_from(ServiceDelivery)) or 0
        assert session.scalar(select(func.count()).select_from(Occupancy)) == 0
    assert told["agreement_not_in_force"] == 6 - written
    assert told["done"] == 2 + written


def test_what_is_confirmed_and_declined_at_once_is_declined_and_counts_for_nothing(
    app: Flask, drafts: list[int]
) -> None:
    begins(drafts[0])
    records(drafts[0])
    told = codes(rush(app, [confirms, declines, confirms, declines, confirms]))
    assert set(told) <= {"done", "delivery_declined"}
    assert told["done"] >= 2
    with reading() as session:
        delivery = session.scalars(select(ServiceDelivery)).one()
        assert (delivery.confirmed_at, delivery.declined_because) == (None, "那天没有来")


def test_a_room_let_go_by_one_is_another_ones_or_free(app: Flask, drafts: list[int]) -> None:
    begins(drafts[0])
    told = codes(rush(app, [partial(ends, drafts[0]), partial(begins, drafts[1])]))
    assert must_be_held_once() == 6 * (told["done"] - 1)
    with reading() as session:
        rooms = session.scalar(select(func.count()).select_from(Venue))
        assert rooms == 1
    assert town_clock.today() == date(2026, 11, 20)
