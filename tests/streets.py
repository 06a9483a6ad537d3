"""The street of the tests: what lies with it, to whom it assigns, when it meets; by the verbs, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.issue_orders import (
    IssueOrder,
    JointMeeting,
    MeetingPlan,
    assign_order,
    convert_wish,
    plan_meeting,
    unit_to_assign,
)
from models.partners import Partner, PartnerKind, enlist_unit
from models.regions import Region
from models.staff import Role
from models.wishes import By, Card, Wish, WishKind, WishWords, escalate
from models.wishes.claims import Claim
from models.wishes.street import street_over
from tests.claims import a_member
from tests.people import Person, Town, UnitMember, Worker, a_card, a_staff_member
from tests.wishes import CARD, by_staff, hung, say, wishes

LIGHT = WishWords("楼道的灯坏了，晚上看不见，我家在3栋", WishKind.PUBLIC)
LIGHT_CARD = Card("梧桐苑东门楼道灯不亮", "梧桐苑东门口那栋楼道的灯不亮，老人晚上看不见")
UNTIL = date(2026, 12, 10)
ANSWER = "这段楼道归开发商管，街道已发函三次，目前没有经费更换"


def converted(town: Town, who: Person, words: WishWords = LIGHT, card: Card = LIGHT_CARD) -> IssueOrder:
    """A wish its community handed to the street."""
    made = wishes(who, words)
    return converts(made, card, by=by_staff(town.clerk))


def converts(wish: Wish, card: Card = LIGHT_CARD, *, by: By) -> IssueOrder:
    """A clerk hands a wish to the street."""
    order: IssueOrder = say(convert_wish, wish, card, by=by)
    return order


def escalated(town: Town, who: Person, **more: Any) -> IssueOrder:
    """A wish nobody took on in time."""
    return brought_before_the_street(hung(town, who, card=CARD, **more))


def brought_before_the_street(wish: Wish) -> IssueOrder:
    """A wish after its last turn, some pieces of which may be in somebody's hands."""
    with transaction() as session:
        row = session.get_one(Wish, wish.id)
        street_over(session, row.region).lock()
        row.lock()
        return escalate(session, row, by=By())


def a_department(street: Region, *, name: str | None = None) -> UnitMember:
    """Somebody who acts for a department of a street."""
    with transaction() as session:
        card = replace(a_card(session, street, name=name), kind=PartnerKind.DEPARTMENT)
        department = enlist_unit(session, card, by_account_id=None, identity="town")
    return a_member(department)


def an_officer(street: Region, *, name: str = "科长") -> Worker:
    """Somebody who works for a street."""
    with transaction() as session:
        return a_staff_member(session, Role.STREET_OFFICER, street, name=name)


def assigns(town: Town, order: IssueOrder, unit: UnitMember, until: date = UNTIL) -> Claim:
    """The street gives an item to a unit."""
    with transaction() as session:
        row = session.get_one(IssueOrder, order.id)
        found = unit_to_assign(session, unit.partner_key, row)
        return assign_order(session, row, found, until, by=by_staff(town.street_officer))


def decides(deed: Any, order: IssueOrder, *said: Any, by: By) -> Any:
    """The street does something about an item."""
    with transaction() as session:
        return deed(session, session.get_one(IssueOrder, order.id), *said, by=by)


def order_now(order: IssueOrder) -> IssueOrder:
    """An item as it stands."""
    with reading() as session:
        return session.get_one(IssueOrder, order.id)


def wish_of(order: IssueOrder) -> Wish:
    """The wish of an item, as it stands."""
    with reading() as session:
        return session.get_one(Wish, order.wish_id)


def meets(
    town: Town,
    starts_at: datetime | None = None,
    orders: Sequence[IssueOrder] | None = None,
    *,
    title: str = "四季度联席会议",
) -> JointMeeting:
    """The street plans a meeting, in ten days unless it says when."""
    officer = town.street_officer
    with transaction() as session:
        street = session.get_one(Region, town.east_street.id)
        rows = None if orders is None else [session.get_one(IssueOrder, one.id) for one in orders]
        return plan_meeting(
            session,
            street,
            MeetingPlan(title, starts_at or town_clock.now() + timedelta(days=10), "街道三楼会议室"),
            rows,
            by_account_id=officer.account_id,
            identity=officer.identity,
        )


def about(meeting: JointMeeting, deed: Any, *said: Any, by: Worker) -> None:
    """Somebody does something about a meeting."""
    with transaction() as session:
        row = session.get_one(JointMeeting, meeting.id)
        deed(session, row, *said, by_account_id=by.account_id, identity=by.identity)


def agenda(meeting: JointMeeting) -> list[int]:
    """The numbers of what a meeting is about."""
    with reading() as session:
        return list(
            session.scalars(
                select(IssueOrder.number)
                .where(IssueOrder.meeting_id == meeting.id)
                .order_by(IssueOrder.number)
            )
        )


def unit_of(who: UnitMember) -> Partner:
    """A unit as it stands."""
    with reading() as session:
        return session.get_one(Partner, who.partner_id)
