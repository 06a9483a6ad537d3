"""What the street gives away in parts (街道清单): each unit has its part from the street, and each part is given back or taken back by itself."""

from __future__ import annotations

import pytest

from models.base import reading, transaction
from models.errors import Conflict, Forbidden, NotFound
from models.issue_orders import assigned_claim, recall_order, send_back_order
from models.wishes import Card, WishKind, WishWords
from models.wishes.claims import Claim, ClaimState, EndedBecause, give_back, take_back
from models.wishes.street import IssueOrder, OrderState
from tests.claims import a_claimer, by_unit, claim_now, claims, does
from tests.people import Person, Town, UnitMember
from tests.streets import (
    a_department,
    assigns,
    brought_before_the_street,
    converted,
    decides,
    order_now,
    wish_of,
)
from tests.wishes import by_staff, hung, somebody


@pytest.fixture
def wisher(town: Town) -> Person:
    """Somebody who wishes."""
    return somebody(town)


@pytest.fixture
def department(town: Town) -> UnitMember:
    """Somebody of a department of the street."""
    return a_department(town.east_street, name="东街街道市政所")


def recalls(town: Town, order: IssueOrder, claim: Claim | None = None) -> None:
    """The street takes an item back, from the unit it names or from the last."""
    with transaction() as session:
        row = session.get_one(IssueOrder, order.id)
        named = None if claim is None else assigned_claim(row, claim.key)
        recall_order(session, row, "请区里来办", by=by_staff(town.street_officer), claim=named)


@pytest.fixture
def shared(town: Town, wisher: Person, department: UnitMember) -> tuple[IssueOrder, Claim, Claim, UnitMember]:
    """Five coats: three with a department, and two, which a unit of the wall gave back, with another; both by the street."""
    coats = WishWords("想要五件棉衣", WishKind.GOODS, quantity=5)
    unit, other = a_claimer(town.wutong), a_department(town.east_street)
    made = hung(town, wisher, coats, Card("五件棉衣", "想要棉衣过冬"))
    theirs = claims(unit, made, pieces=2)
    order = brought_before_the_street(made)
    first = assigns(town, order, department)
    does(give_back, theirs, "做不了", by=by_unit(unit))
    return order, first, assigns(town, order, other), other


def test_what_the_street_assigned_stays_so_when_the_rest_goes_to_a_second_unit(
    town: Town, shared: tuple[IssueOrder, Claim, Claim, UnitMember], department: UnitMember
) -> None:
    order, first, second, other = shared
    for claim in (first, second):
        assert claim_now(claim).is_assigned
        with pytest.raises(Forbidden) as not_theirs:
            does(take_back, claim, "换一家", by=by_staff(town.clerk))
        assert not_theirs.value.code == "street_decides"
    assert assigns(town, order, department).id == first.id  # the same again is the same claim
    does(give_back, first, "没有这么多", by=by_unit(department))
    assert (order_now(order).state, order_now(order).returns) == (OrderState.WAITING, 1)
    with pytest.raises(Conflict) as no:  # once for an item, whoever has a part of it
        does(give_back, second, "也没有", by=by_unit(other))
    assert no.value.code == "order_returned"


@pytest.mark.parametrize("whose", ["the first", "the last", "whichever was last"])
def test_the_street_takes_back_from_the_one_it_names_and_the_other_goes_on(
    town: Town, shared: tuple[IssueOrder, Claim, Claim, UnitMember], whose: str
) -> None:
    order, first, second, _ = shared
    taken, stays = (first, second) if whose == "the first" else (second, first)
    named = None if whose == "whichever was last" else taken

    for _ in range(2):  # twice is fine, and takes nothing from the other
        recalls(town, order, named)
    assert claim_now(taken).ended_because is EndedBecause.TAKEN_BACK
    assert claim_now(stays).state is ClaimState.IN_PROGRESS
    assert (order_now(order).state, order_now(order).returns) == (OrderState.WAITING, 0)


def test_the_street_takes_back_also_while_other_pieces_wait(
    town: Town, shared: tuple[IssueOrder, Claim, Claim, UnitMember]
) -> None:
    order, first, second, other = shared
    does(give_back, second, "没有", by=by_unit(other))
    with pytest.raises(Conflict) as no:  # the last has it no more, and nobody is named
        recalls(town, order)
    assert no.value.code == "order_decided"
    recalls(town, order, first)
    assert claim_now(first).ended_because is EndedBecause.TAKEN_BACK
    assert wish_of(order).parts_taken == 0


def test_only_what_was_assigned_with_an_item_is_taken_back_with_it(
    town: Town, shared: tuple[IssueOrder, Claim, Claim, UnitMember]
) -> None:
    _, first, _, _ = shared
    another = converted(town, somebody(town))
    with reading() as session, pytest.raises(NotFound):
        assigned_claim(session.get_one(IssueOrder, another.id), first.key)


def test_what_the_street_sent_back_is_the_communitys_to_take_back(
    town: Town, shared: tuple[IssueOrder, Claim, Claim, UnitMember], department: UnitMember
) -> None:
    order, first, second, other = shared
    does(give_back, second, "没有", by=by_unit(other))
    decides(send_back_order, order, "请社区再公布一次", by=by_staff(town.street_officer))
    with pytest.raises(Conflict) as no:
        recalls(town, order, first)
    assert no.value.code == "order_decided"
    does(take_back, first, "换一家", by=by_staff(town.clerk))
    assert claim_now(first).ended_because is EndedBecause.TAKEN_BACK
