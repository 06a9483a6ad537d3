"""What a community and its street do about wishes, in whatever order, and what is always so of the street's list; played by the machine of claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock as town_clock
from models.base import transaction
from models.errors import Refusal
from models.issue_orders import (
    assign_order,
    convert_wish,
    recall_order,
    say_cannot,
    send_back_order,
    unit_to_assign,
)
from models.wishes import By, Card, Wish, WishState, approve_wish
from models.wishes.claims import Claim, EndedBecause, give_back, hand_lead_on
from models.wishes.street import OPEN_ORDERS, IssueOrder, IssueSource, OrderState
from tests.claims import by_unit

CARD = Card("一件公共事项", "一位居民提出的公共事项")
ANSWER = "这件事归开发商管，街道已经发函，目前没有经费"
LIES_THERE = {
    WishState.ESCALATED: IssueSource.UNCLAIMED_WISH,
    WishState.CONVERTED: IssueSource.PUBLIC_WISH,
}
# what became of the item when this happened to its wish
BECAME: Mapping[str, OrderState] = {
    "wish.taken": OrderState.ASSIGNED,
    "wish.with_the_street": OrderState.WAITING,
    "wish.sent_back": OrderState.SENT_BACK,
    "wish.hung_again": OrderState.SENT_BACK,
    "wish.cannot_be_fulfilled": OrderState.CANNOT,
    "wish.fulfilled": OrderState.DONE,
    "wish.rejected": OrderState.CLOSED,
    "wish.withdrawn": OrderState.CLOSED,
}
ENDED = {act for act, state in BECAME.items() if state not in OPEN_ORDERS}

which = st.integers(0, 11)
whom = st.integers(0, 3)  # the units, and then the department
places = st.integers(0, 2)
days = st.integers(0, 31)


class TheStreet:
    """Rules of a machine that has a stage, and who works for the community and for the street."""

    stage: Any
    staff: By
    officer: By

    @rule(place=places, is_public=st.booleans())
    def the_community_hands_it_on_or_hangs_it(self, place: int, is_public: bool) -> None:
        with suppress(Refusal), transaction() as session:
            wish = session.get_one(Wish, self.stage.wishes[place].id)
            if is_public:
                convert_wish(session, wish, CARD, by=self.staff)
            else:
                approve_wish(session, wish, CARD, by=self.staff)

    @rule(
        number=which,
        one=which,
        unit=whom,
        day=days,
        how=st.sampled_from(
            ["assigned", "assigned", "assigned", "given back", "recalled", "recalled", "sent back", "cannot"]
        ),
    )
    def the_street_decides(self, number: int, one: int, unit: int, day: int, how: str) -> None:
        """One rule for all that is done about an item, so that an example that has it plays all of it."""
        deed, state = {
            "assigned": (partial(self.assign, unit=unit, day=day, leads=bool(one % 2)), OrderState.WAITING),
            "given back": (partial(self.return_it, one=one), OrderState.ASSIGNED),
            "recalled": (partial(self.recall, one=one), OrderState.ASSIGNED),
            "sent back": (
                partial(send_back_order, because="请社区再看", by=self.officer),
                OrderState.WAITING,
            ),
            "cannot": (partial(say_cannot, because=ANSWER, by=self.officer), OrderState.WAITING),
        }[how]
        with suppress(Refusal), transaction() as session:
            rows = session.scalars(select(IssueOrder).order_by(IssueOrder.id)).all()
            found = [
                order for order in rows if order.state is state
            ] or rows  # what must not be is tried as well
            if found:
                deed(session, found[number % len(found)])

    def assign(self, session: Session, order: IssueOrder, *, unit: int, day: int, leads: bool) -> None:
        who = self.stage.units[unit]
        partner = unit_to_assign(session, who.partner_key, order)
        until = town_clock.today() + timedelta(days=day)
        claim = assign_order(session, order, partner, until, by=self.officer)
        if leads:
            hand_lead_on(session, claim, who.account_id, by=by_unit(who))

    def return_it(self, session: Session, order: IssueOrder, *, one: int) -> None:
        given = [claim for claim in order.claims if claim.is_live] or order.claims
        if given:
            claim = given[one % len(given)]
            who = next(each for each in self.stage.units if each.partner_id == claim.partner_id)
            give_back(session, claim, "归别的部门管", by=by_unit(who))

    def recall(self, session: Session, order: IssueOrder, *, one: int) -> None:
        live = [claim for claim in order.claims if claim.is_live]
        named = live[one % len(live)] if live and one % 3 else None
        recall_order(session, order, "换一家办", by=self.officer, claim=named)


def it_lies_with_the_street_as_the_journal_tells(
    wish: Wish, orders: Sequence[IssueOrder], claims: Sequence[Claim], acts: Sequence[str]
) -> None:
    """One open item where the wish lies with the street or was assigned, and none elsewhere; one is closed when its wish ended or was sent back, and
    then alone; what is assigned is in the hands of a unit; and whatever was assigned is of the item's own wish."""
    theirs = sorted((order for order in orders if order.wish_id == wish.id), key=lambda order: order.id)
    assert [order.state for order in theirs] == told_by(acts)
    assert all((order.closed_at is None) is (order.state in OPEN_ORDERS) for order in theirs)
    standing = [order for order in theirs if order.state in OPEN_ORDERS]
    if wish.state in LIES_THERE:
        assert [(order.state, order.source) for order in standing] == [
            (OrderState.WAITING, LIES_THERE[wish.state])
        ]
    elif wish.state is WishState.CLAIMED:
        assert [order.state for order in standing] in ([], [OrderState.ASSIGNED])
        assert not standing or any(claim.is_live and claim.wish_id == wish.id for claim in claims)
    else:
        assert not standing
    for order in theirs:
        given = [claim for claim in claims if claim.order_id == order.id]
        assert all(claim.wish_id == wish.id for claim in given)
        assert given or order.state is not OrderState.ASSIGNED
        returned = [claim for claim in given if claim.ended_because is EndedBecause.GIVEN_BACK]
        assert order.returns <= min(1, len(returned))


def told_by(acts: Sequence[str]) -> list[OrderState]:
    """Where every item about a wish stands, after all this happened to the wish."""
    states: list[OrderState] = []
    for act in acts:
        if act in ("wish.escalated", "wish.converted"):
            assert not states or states[-1] not in OPEN_ORDERS
            states.append(OrderState.WAITING)
        elif act in BECAME and states and states[-1] in OPEN_ORDERS:
            states[-1] = BECAME[act]
    return states
