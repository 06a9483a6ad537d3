"""The inbox: every notice, also those WeChat could not carry."""

from __future__ import annotations

from typing import Any

from miniprogram_api.cursors import after_id, after_moment, micros, page
from miniprogram_api.edge import Door, account, caller, staff_hat
from miniprogram_api.schemas.notices import (
    DeadLetterOut,
    DeadLettersOut,
    DeadLettersQuery,
    InboxOut,
    NoticeOut,
    NoticesOut,
    NoticesQuery,
    ReadThroughIn,
)
from models.base import db
from models.notices import Delivery, Notice, count_unread, inbox_of, read_notice, read_through
from models.notices.dead_letters import DeadLetter, dead_letters, look_at, send_again
from models.staff import OFFICE, places_of

door = Door("notices", description="消息")


@door.get("/me/notices")
@door.takes(NoticesQuery, location="query")
@door.gives(NoticesOut, refuses=(422,))
def list_my_notices(wanted: dict[str, Any]) -> dict[str, Any]:
    """我的消息

    Newest first, with how many of all were not read yet. ``unread=true`` lists only those.
    """
    limit = wanted["limit"]
    before = after_id(wanted.get("cursor"))
    query = inbox_of(account(), unread=wanted["unread"]).limit(limit + 1)
    if before is not None:
        query = query.where(Notice.id < before)
    found = page(db.session.scalars(query).all(), limit, lambda notice: [notice.id])
    return {**found, "unread": count_unread(db.session(), account())}


@door.put("/me/notices/<key:key>/reading")
@door.gives(NoticeOut)
def read_my_notice(key: str) -> Notice:
    """读一条消息

    The first time counts; reading it again changes nothing.
    """
    return read_notice(db.session(), account(), key)


@door.put("/me/notices/reading")
@door.takes(ReadThroughIn)
@door.gives(InboxOut, refuses=(422,))
def read_my_notices(sent: dict[str, Any]) -> dict[str, Any]:
    """全部已读

    This message and every older one are read; what came since is not, so nothing is marked that was never on the screen.
    """
    read_through(db.session(), account(), sent["through"])
    return {"unread": count_unread(db.session(), account())}


@door.get("/staff/notices", looks=True)
@door.takes(DeadLettersQuery, location="query")
@door.gives(DeadLettersOut, refuses=(422,))
def list_dead_letters(wanted: dict[str, Any]) -> dict[str, Any]:
    """没有送达的消息（工作人员）

    What WeChat refused, what could not be sent, what nobody knows and what was over the day's most, of the people who live where
    this administrator or clerk works; the latest to end first. Each of them is in the person's inbox. Every look is journalled.
    """
    session = db.session()
    limit = wanted["limit"]
    letters = dead_letters(
        session,
        within=places_of(session, staff_hat(), *OFFICE),
        delivery=Delivery(wanted["delivery"]) if "delivery" in wanted else None,
        after=after_moment(wanted.get("cursor")),
        most=limit + 1,
    )
    look_at(session, letters[:limit], by_account_id=account().id, identity=caller().identity)
    return page(letters, limit, lambda letter: [micros(letter.ended_at), letter.notice.id])


@door.post("/staff/notices/<key:key>/sending")
@door.gives(DeadLetterOut, 201, refuses=(409,))
def send_dead_letter_again(key: str) -> DeadLetter:
    """重新发送（工作人员）

    Send a message again that surely did not arrive (``failed``). 409 ``may_have_arrived`` when it may have, 409
    ``not_worth_sending`` when its news is old, 409 ``not_to_be_sent_again`` when it would end the same.
    """
    session = db.session()
    member = staff_hat()
    return send_again(session, key, within=places_of(session, member, *OFFICE), by=member)
