"""The street's list (街道清单): a community hands on what is public works; the street assigns, sends back or answers in writing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from miniprogram_api.acting import asking
from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, named_in
from miniprogram_api.office import hat, office_places
from miniprogram_api.schemas.issue_orders import (
    AssignmentIn,
    IssueOrderOut,
    IssueOrdersOut,
    IssueOrdersQuery,
    OrderReasonIn,
    RecallIn,
    WrittenAnswerIn,
)
from miniprogram_api.schemas.wish_desk import CardIn
from miniprogram_api.street import street_places
from models.base import db
from models.content_checks import WISH_WORDS, drop_open
from models.issue_orders import (
    IssueOrder,
    assign_order,
    assigned_claim,
    convert_wish,
    order_within,
    orders_within,
    recall_order,
    say_cannot,
    send_back_order,
    unit_to_assign,
    wish_to_read,
)
from models.journal import enter
from models.wishes import Card, Wish, wish_within

door = Door("issue_orders", description="街道清单")


@dataclass(frozen=True)
class Read:
    """An item as whoever asks reads it, with its wish in full where that is theirs to read."""

    order: IssueOrder
    wish_in_full: Wish | None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.order, name)


@door.put("/staff/wishes/<key:key>/conversion")
@door.takes(CardIn)
@door.gives(IssueOrderOut, refuses=(409, 422))
def hand_wish_to_the_street(sent: dict[str, Any], key: str) -> Read:
    """转街道（社区工作人员）

    A wish that is public works, in review or on the wall and in nobody's hands, under a title and in words that tell nothing private: 409
    ``wish_card_unfit`` names what of it tells too much. Whoever wished is told. The same twice is fine. 403 ``own_content`` for one's own household.
    """
    wish = wish_within(db.session(), key, within=office_places())
    card = Card(sent["title"], sent["words"], frozenset(sent["photos"]))
    order = convert_wish(db.session(), wish, card, by=asking())
    drop_open(db.session(), WISH_WORDS, wish.key)  # somebody read the words
    return _read(order)


@door.get("/staff/issue-orders")
@door.takes(IssueOrdersQuery, location="query")
@door.gives(IssueOrdersOut, refuses=(422,))
def list_issue_orders(wanted: dict[str, Any]) -> dict[str, Any]:
    """街道清单（街道干部、社区工作人员）

    Items in a state, oldest first: the street sees its whole list, a community what came from it. Nothing of who wished.
    """
    limit = wanted["limit"]
    rows = orders_within(
        db.session(),
        street_places(),
        office_places(),
        state=wanted["state"],
        after_id=after_id(wanted.get("cursor")),
        most=limit + 1,
    )
    return page(rows, limit, lambda order: [order.id])


@door.get("/staff/issue-orders/<key:key>", looks=True)
@door.gives(IssueOrderOut)
def show_issue_order(key: str) -> Read:
    """清单里的一件（街道干部、社区工作人员）

    With its wish in full, which the street reads only while the item lies there; the office of the community always. That somebody looked is in
    the journal.
    """
    session = db.session()
    read = _read(order_within(session, key, streets=street_places(), communities=office_places()))
    whose = read.wish_in_full.resident_id if read.wish_in_full is not None else None
    enter(session, "issue_order.looked_at", read.order, **hat(), for_resident_id=whose)
    return read


@door.put("/staff/issue-orders/<key:key>/assignment")
@door.takes(AssignmentIn)
@door.gives(IssueOrderOut, refuses=(409, 422))
def assign_issue_order(sent: dict[str, Any], key: str) -> Read:
    """交办（街道干部）

    To a unit or a department, with the day by which it is to be done; they and who wished hear it. The same twice is fine.
    """
    order = _of_street(key)
    with named_in("partner"):
        unit = unit_to_assign(db.session(), sent["partner"], order)
    assign_order(db.session(), order, unit, sent["until"], by=asking())
    return _read(order)


@door.put("/staff/issue-orders/<key:key>/recall")
@door.takes(RecallIn)
@door.gives(IssueOrderOut, refuses=(409, 422))
def recall_issue_order(sent: dict[str, Any], key: str) -> Read:
    """收回交办（街道干部）

    With the reason the unit reads; what it had waits to be assigned again. Where several units have a part of it, ``claim`` names one; left out, it
    is the last one. Twice is fine.
    """
    order, claim = _of_street(key), None
    if sent["claim"] is not None:
        with named_in("claim"):
            claim = assigned_claim(order, sent["claim"])
    recall_order(db.session(), order, sent["because"], by=asking(), claim=claim)
    return _read(order)


@door.put("/staff/issue-orders/<key:key>/sending-back")
@door.takes(OrderReasonIn)
@door.gives(IssueOrderOut, refuses=(409, 422))
def send_issue_order_back(sent: dict[str, Any], key: str) -> Read:
    """退回社区（街道干部）

    With the reason the community reads: what it handed on is reviewed anew, what nobody took on hangs on the wall again. Twice is fine.
    """
    order = _of_street(key)
    send_back_order(db.session(), order, sent["because"], by=asking())
    return _read(order)


@door.put("/staff/issue-orders/<key:key>/answer")
@door.takes(WrittenAnswerIn)
@door.gives(IssueOrderOut, refuses=(409, 422))
def answer_issue_order(sent: dict[str, Any], key: str) -> Read:
    """办不成，书面说明（街道干部）

    Why it cannot be done: whoever wished reads it, and is told by all means. The same twice is fine.
    """
    order = _of_street(key)
    say_cannot(db.session(), order, sent["because"], by=asking())
    return _read(order)


def _of_street(key: str) -> IssueOrder:
    return order_within(db.session(), key, streets=street_places())


def _read(order: IssueOrder) -> Read:
    return Read(order, wish_to_read(order, communities=office_places()))
