"""Follows (关注): which communities' new classes one hears of, and which courses to be told of when they run again."""

from __future__ import annotations

from typing import Any

from miniprogram_api.edge import Door, account
from miniprogram_api.schemas.follows import FollowIn, FollowOut, FollowsOut
from models.base import db
from models.follows import (
    Follow,
    follow_community,
    follow_course,
    followed_course,
    follows_of,
    unfollow_community,
    unfollow_course,
)
from models.regions import region_by_key

door = Door("follows", description="关注")


@door.get("/me/follows")
@door.gives(FollowsOut)
def list_follows() -> dict[str, Any]:
    """我的关注

    Whoever lives in a community hears of its new classes without following it; it stands here only when it was followed or muted.
    """
    return {"items": follows_of(db.session(), account())}


@door.put("/me/follows/communities/<key:key>")
@door.takes(FollowIn)
@door.gives(FollowOut, refuses=(409, 422))
def follow_a_community(sent: dict[str, Any], key: str) -> Follow:
    """关注社区

    Hear of its new classes, at most one message a day; ``muted`` does not hear of them, though one lives there.
    """
    session = db.session()
    return follow_community(session, account(), region_by_key(session, key), muted=sent["muted"])


@door.delete("/me/follows/communities/<key:key>")
@door.gives(None, 204)
def unfollow_a_community(key: str) -> None:
    """取消关注社区

    Take back whatever was said of it. Twice is fine.
    """
    session = db.session()
    unfollow_community(session, account(), region_by_key(session, key))


@door.put("/me/follows/courses/<key:key>")
@door.gives(FollowOut, refuses=(409,))
def follow_a_course(key: str) -> Follow:
    """再开班告诉我

    Hear when this course runs again, and an hour before it opens.
    """
    session = db.session()
    return follow_course(session, account(), followed_course(session, key))


@door.delete("/me/follows/courses/<key:key>")
@door.gives(None, 204)
def unfollow_a_course(key: str) -> None:
    """不再关注课程

    Twice is fine.
    """
    session = db.session()
    unfollow_course(session, account(), followed_course(session, key))
