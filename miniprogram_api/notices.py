"""The inbox: every notice, also those WeChat could not carry."""

from __future__ import annotations

from typing import Any

from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, account
from miniprogram_api.schemas.notices import (
    InboxOut,
    NoticeOut,
    NoticesOut,
    NoticesQuery,
    ReadThroughIn,
)
from models.base import db
from models.notices import Notice, count_unread, inbox_of, read_notice, read_through

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
