"""The street's list at one moment: one unit has an item, one item is of a wish, one office decides; and nobody waits for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType

import pytest
from flask import Flask
from sqlalchemy import select

from models.base import Base, db, reading, transaction
from models.errors import Refusal
from models.issue_orders import assigning, converting, order_within, recall_order, say_cannot, send_back_order
from models.journal import JournalEntry
from models.partners import Partner, suspend_unit
from models.wishes import Wish, WishState, approve_wish, reject_wish, withdraw_wish
from models.wishes.claims import LIVE, Claim, WishPart, give_back
from models.wishes.street import IssueOrder, OrderState
from tests.claims import by_unit, claim_now, does
from tests.people import Person, Town, UnitMember
from tests.races.controls import without_index
from tests.races.rush import all_look_first, rush
from tests.streets import (
    ANSWER,
    LIGHT,
    a_department,
    assigns,
    converted,
    converts,
    decides,
    order_now,
    wish_of,
)
from tests.wishes import CARD, by_resident, by_staff, say, somebody, state_of, wishes

ON_POSTGRESQL = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # SQLite takes turns


@pytest.fixture
def wisher(town: Town) -> Person:
    """Somebody who wishes."""
    return somebody(town)


def codes(answers: Sequence[object]) -> Counter[str]:
    """How often each answer was given; whatever is neither done nor refused fails."""
    loud = [answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, Refusal)]
    assert not loud
    return Counter(answer.code if isinstance(answer, Refusal) else "done" for answer in answers)


def live_claims(order: IssueOrder) -> list[Claim]:
    with reading() as session:
        live = select(Claim).where(Claim.wish_id == order.wish_id, Claim.state.in_(LIVE))
        return list(session.scalars(live).all())


def orders_of(wish: Wish) -> list[IssueOrder]:
    with reading() as session:
        return list(session.scalars(select(IssueOrder).where(IssueOrder.wish_id == wish.id)).all())


def acts(wish_id: int) -> Counter[str]:
    with reading() as session:
        return Counter(
            session.scalars(
                select(JournalEntry.act).where(
                    JournalEntry.subject_kind == Wish.__tablename__, JournalEntry.subject_id == wish_id
                )
            )
        )


def unlocked(
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    deeds: Sequence[Callable[[], object]],
    where: ModuleType,
    step: str,
) -> list[object]:
    """These deeds at once, without any lock: each saw the wish before anybody wrote."""
    with (
        monkeypatch.context() as patch,
        all_look_first(monkeypatch, where, step, many=len(deeds)),
    ):
        patch.setattr(Base, "lock", lambda self: self)
        return list(rush(app, deeds))


def suspends(who: UnitMember) -> None:
    with transaction() as session:
        unit = session.get_one(Partner, who.partner_id)
        suspend_unit(session, unit, "年检", by_account_id=None, identity="town")


# --- one item, one unit -------------------------------------------------------------------------------------------


def test_of_two_officers_at_once_one_assigns(town: Town, app: Flask, wisher: Person) -> None:
    order = converted(town, wisher)
    units = [a_department(town.east_street) for _ in range(2)]
    answers = rush(app, [partial(assigns, town, order, unit) for unit in units] * 3)
    assert codes(answers) == {"done": 3, "order_decided": 3}  # the same officer again hears the same
    (claim,) = live_claims(order)
    assert (order_now(order).state, claim_now(claim).order_id) == (OrderState.ASSIGNED, order.id)
    assert acts(order.wish_id)["wish.taken"] == 1


def test_the_same_assignment_at_once_is_one_claim(town: Town, app: Flask, wisher: Person) -> None:
    order, unit = converted(town, wisher), a_department(town.east_street)
    assert codes(rush(app, [partial(assigns, town, order, unit)] * 6)) == {"done": 6}
    assert len(live_claims(order)) == 1


@ON_POSTGRESQL
def test_without_the_lock_a_second_assignment_is_guarded_loudly(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch, wisher: Person
) -> None:
    order = converted(town, wisher)
    units = [a_department(town.east_street) for _ in range(2)]
    answers = unlocked(
        app,
        monkeypatch,
        [partial(assigns, town, order, unit) for unit in units],
        assigning,
        "_must_be_in_time",
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Claim", "IntegrityError"]
    assert len(live_claims(order)) == 1


@ON_POSTGRESQL
def test_without_lock_and_index_an_item_is_in_two_hands(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch, wisher: Person
) -> None:
    order = converted(town, wisher)
    units = [a_department(town.east_street) for _ in range(2)]
    with without_index(db.engine, WishPart, "uq_wish_parts_held"):
        answers = unlocked(
            app,
            monkeypatch,
            [partial(assigns, town, order, unit) for unit in units],
            assigning,
            "_must_be_in_time",
        )
        assert [type(answer).__name__ for answer in answers] == ["Claim", "Claim"]
        assert len(live_claims(order)) == 2


# --- a wish that is handed on -------------------------------------------------------------------------------------


def test_of_two_clerks_at_once_one_hands_it_on(town: Town, app: Flask, wisher: Person) -> None:
    made = wishes(wisher, LIGHT)
    handing = partial(converts, made, by=by_staff(town.clerk))
    assert codes(rush(app, [handing] * 6)) == {"done": 6}
    assert len(orders_of(made)) == 1
    assert acts(made.id)["wish.converted"] == 1


@ON_POSTGRESQL
def test_without_the_lock_a_second_item_is_guarded_loudly(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch, wisher: Person
) -> None:
    made = wishes(wisher, LIGHT)
    handing = partial(converts, made, by=by_staff(town.clerk))
    answers = unlocked(app, monkeypatch, [handing] * 2, converting, "must_tell_nothing_private")
    assert sorted(type(answer).__name__ for answer in answers) == ["IntegrityError", "IssueOrder"]
    assert len(orders_of(made)) == 1


def test_a_wish_that_is_approved_while_it_is_handed_on_goes_one_way(
    town: Town, app: Flask, wisher: Person
) -> None:
    """Approved first it may be handed on from the wall; handed on first it is not approved any more."""
    made = wishes(wisher, LIGHT)
    handing = partial(converts, made, by=by_staff(town.clerk))
    approving = partial(say, approve_wish, made, CARD, by=by_staff(town.admin))
    answers = rush(app, [handing, approving] * 3)
    assert set(codes(answers)) <= {"done", "wish_decided"}
    assert state_of(made) is WishState.CONVERTED
    assert len(orders_of(made)) == 1
    assert acts(made.id)["wish.converted"] == 1
    assert acts(made.id)["wish.approved"] <= 1


# --- a wish that is over ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["withdrawn", "taken off"])
def test_a_wish_that_ends_while_it_is_assigned_is_in_nobodys_hands(
    town: Town, app: Flask, wisher: Person, how: str
) -> None:
    order, wish = converted(town, wisher), None
    wish = wish_of(order)
    units = [a_department(town.east_street) for _ in range(2)]
    end: Callable[[], object] = (
        partial(say, withdraw_wish, wish, by=by_resident(wisher))
        if how == "withdrawn"
        else partial(say, reject_wish, wish, "物业已经修好", by=by_staff(town.clerk))
    )
    taps: list[Callable[[], object]] = [partial(assigns, town, order, unit) for unit in units]
    answers = rush(app, [taps[0], end, taps[1]])
    assert set(codes(answers)) <= {"done", "order_decided"}
    assert state_of(wish) in (WishState.WITHDRAWN, WishState.REJECTED)
    assert order_now(order).state is OrderState.CLOSED
    assert not live_claims(order)
    assert wish_of(order).parts_taken == 0


def test_a_department_that_is_suspended_while_it_is_given_something_is_given_nothing_more(
    town: Town, app: Flask
) -> None:
    """E19."""
    unit = a_department(town.east_street)
    orders = [converted(town, somebody(town)) for _ in range(3)]
    deeds: list[Callable[[], object]] = [partial(assigns, town, order, unit) for order in orders]
    deeds.insert(2, partial(suspends, unit))
    assert set(codes(rush(app, deeds))) <= {"done", "partner_suspended"}


# --- two words about one item -------------------------------------------------------------------------------------


def test_of_two_officers_one_decides(town: Town, app: Flask, wisher: Person) -> None:
    order = converted(town, wisher)
    officer = by_staff(town.street_officer)
    deeds: list[Callable[[], object]] = [
        partial(assigns, town, order, a_department(town.east_street)),
        partial(decides, send_back_order, order, "请社区再看", by=officer),
        partial(decides, say_cannot, order, ANSWER, by=officer),
    ]
    answers = rush(app, deeds * 2)
    assert codes(answers) == {"done": 2, "order_decided": 4}  # the one that came first, twice
    done = acts(order.wish_id)
    assert done["wish.taken"] + done["wish.sent_back"] + done["wish.cannot_be_fulfilled"] == 1


def test_what_is_given_back_while_it_is_recalled_ends_once(town: Town, app: Flask, wisher: Person) -> None:
    order, unit = converted(town, wisher), a_department(town.east_street)
    claim = assigns(town, order, unit)
    answers = rush(
        app,
        [
            partial(does, give_back, claim, "不归我们管", by=by_unit(unit)),
            partial(decides, recall_order, order, "换一家", by=by_staff(town.street_officer)),
        ]
        * 2,
    )
    assert set(codes(answers)) <= {"done", "claim_decided", "order_decided"}
    waits = order_now(order)
    assert waits.state is OrderState.WAITING
    assert waits.returns == (1 if any(answers[at] is None for at in (0, 2)) else 0)
    assert not live_claims(order)
    assert acts(order.wish_id)["wish.with_the_street"] == 1


def test_whatever_is_done_at_once_nobody_waits_for_ever(town: Town, app: Flask) -> None:
    units = [a_department(town.east_street) for _ in range(2)]
    orders = [converted(town, somebody(town)) for _ in range(3)]
    officer = by_staff(town.street_officer)
    deeds: list[Callable[[], object]] = []
    for order in orders:
        deeds += [
            *(partial(assigns, town, order, unit) for unit in units),
            partial(decides, recall_order, order, "换一家", by=officer),
            partial(decides, send_back_order, order, "请社区再看", by=officer),
            partial(converts, wish_of(order), by=by_staff(town.clerk)),
        ]
    deeds.append(partial(converted, town, somebody(town)))
    codes(rush(app, deeds))
    with reading() as session:
        for order in orders:
            stands = session.get_one(IssueOrder, order.id)
            order_within(session, stands.key, streets=[session.merge(town.east_street, load=False)])
