"""Deciding (退回社区 · 书面说明): an item the street does not assign: the community sees to it after all, or nobody can, and who wished reads why."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models import clock
from models.errors import Conflict, Fault
from models.issue_orders.telling import tell_cannot, tell_wisher
from models.journal import enter
from models.wishes import By, WishState
from models.wishes.asking import end_wish
from models.wishes.claims.finding import live_claims_on
from models.wishes.parties import must_not_be_of_the_household
from models.wishes.street import IssueOrder, IssueSource, OrderState
from models.wishes.thread import wind_wish

LEAST_ANSWER = 10  # characters: whoever wished is owed a reason, not a word


def send_back_order(session: Session, order: IssueOrder, because: str, *, by: By) -> None:
    """Send an item back to its community, which reads why. Twice is fine (E23).

    A wish that was converted is reviewed anew, with the whole time for it; one nobody took on hangs on the wall for a first turn, before the others.
    Raises Forbidden ``own_content``, Conflict ``order_decided`` for an item that does not wait.
    """
    _hold(session, order, by)
    if order.state is OrderState.SENT_BACK:
        return
    must_wait(order)
    wish = order.wish
    order.state, order.closed_at, order.because = OrderState.SENT_BACK, clock.now(), because
    wish.because = because
    if order.source is IssueSource.PUBLIC_WISH:
        wish.state = WishState.SUBMITTED
        enter(session, "wish.sent_back", wish, **by.of(wish))
        wind_wish(session, wish)
        tell_wisher(session, wish, "已退社区", "街道请社区重新研究，有结果会告诉您")
        return
    wish.state, wish.turn, wish.published_at = WishState.PUBLISHED, 1, clock.now()
    enter(session, "wish.hung_again", wish, **by.of(wish), details={"turn": wish.turn})
    wind_wish(session, wish)
    tell_wisher(session, wish, "重新公布", "街道请社区再公布一次，优先认领")


def say_cannot(session: Session, order: IssueOrder, because: str, *, by: By) -> None:
    """Answer in writing that it cannot be done (办不成), and why: whoever wished reads it, and is told by all means. The same twice is fine.

    Raises Forbidden ``own_content``, Conflict ``order_decided`` for an item that does not wait, ``order_under_way`` while a unit has some of it,
    and ``answer_unfit`` for less than ``LEAST_ANSWER`` characters.
    """
    _hold(session, order, by)
    if order.state is OrderState.CANNOT and order.because == because:
        return
    must_wait(order)
    if live_claims_on(session, order.wish):
        raise Conflict("order_under_way", "还有单位在办其中的一部分，等办完或释放以后再说明")
    if len(because) < LEAST_ANSWER:
        message = f"请把原因写清楚，至少 {LEAST_ANSWER} 个字，许愿人会看到"
        raise Conflict("answer_unfit", message, faults=[Fault("because", message)])
    wish = order.wish
    end_wish(session, wish, WishState.CANNOT_FULFIL)
    wish.because = order.because = because
    enter(session, "wish.cannot_be_fulfilled", wish, **by.of(wish))
    session.flush()
    tell_cannot(session, wish)


def must_wait(order: IssueOrder) -> None:
    """Raises Conflict ``order_decided`` for an item (held by the caller) that is not waiting for the street."""
    if order.state is not OrderState.WAITING:
        raise Conflict(
            "order_decided", "这件事的状态已经变了，请刷新后查看", details={"state": order.state.value}
        )


def _hold(session: Session, order: IssueOrder, by: By) -> None:
    must_not_be_of_the_household(session, order.wish, by)
    order.wish.lock()
    order.lock()
