"""Converting (转街道): a wish that is public works is none for a unit on the wall; it becomes an item of the street's list (居民吹哨 · 社区转哨)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models import clock
from models.errors import Conflict
from models.issue_orders.telling import tell_wisher
from models.journal import enter
from models.wishes import By, Card, Wish, WishKind, WishState
from models.wishes.parties import must_not_be_of_the_household
from models.wishes.reviewing import card_of, decided, hang, must_tell_nothing_private
from models.wishes.rows import IN_REVIEW, ON_THE_WALL
from models.wishes.street import IssueOrder, IssueSource, lay_before_the_street, open_order_on, street_over
from models.wishes.thread import wind_wish


def convert_wish(session: Session, wish: Wish, card: Card, *, by: By) -> IssueOrder:
    """Hand a wish to the street as public works, under a title and in words that tell nothing private; who wished hears it. The same twice is fine.

    Whatever kind it was said to be, it is a public one from now on. Raises Forbidden ``own_content``, Conflict ``wish_decided``,
    ``wish_card_unfit`` naming what of the card tells too much, and ``wish_frozen`` where a unit has taken some of it on.
    """
    must_not_be_of_the_household(session, wish, by)
    street_over(session, wish.region).lock()  # first, as everybody does who holds both
    wish.lock()
    order = open_order_on(session, wish)
    if order is not None and wish.state is WishState.CONVERTED and card_of(wish) == card:
        return order
    if wish.state not in (*IN_REVIEW, *ON_THE_WALL):
        raise decided(wish)
    if wish.parts_taken:
        raise Conflict("wish_frozen", "已经有单位认领了一部分，不能再转街道；请和认领单位商量")
    must_tell_nothing_private(wish, card)
    hang(wish, card)
    wish.kind, wish.quantity, wish.value_yuan = WishKind.PUBLIC, 1, None
    wish.words_are_sure, wish.reviewed_at, wish.because = True, clock.now(), ""
    wish.state = WishState.CONVERTED
    enter(session, "wish.converted", wish, **by.of(wish))
    wind_wish(session, wish)
    order = lay_before_the_street(session, wish, IssueSource.PUBLIC_WISH)
    tell_wisher(session, wish, "已转街道", "是公共事项，由街道交给部门办")
    return order
