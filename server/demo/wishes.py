"""Wishes of the demo town: on the wall, waiting to be read, waiting for an answer, refused, and kept for a theme's day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account, welcome
from models.regions import Region
from models.staff import staff_members_of
from models.wishes import (
    By,
    Card,
    HandOver,
    RoundPlan,
    Wish,
    WishKind,
    WishRound,
    WishWords,
    approve_wish,
    ask_for_more,
    make_wish,
    plan_round,
    reject_wish,
    support,
)
from server.demo.rooms import known

A_COOKER = WishWords(
    "家里的电饭煲坏了，想要一个小一点的，3栋501室，电话19900000001",
    WishKind.GOODS,
    value_yuan=200,
    address="梧桐苑3栋501室",
    nickname="爱做饭的老张",
    may_share=True,
)
A_SONG = WishWords("想学一首年轻时候的歌，没有人教", WishKind.SPIRIT)
A_TAP = WishWords(
    "厨房水龙头一直滴水，想请人来修", WishKind.SERVICE, address="梧桐苑5栋302室", hand_over=HandOver.HOME
)
A_PHONE = WishWords("想学用手机挂号，眼睛不好，慢一点教", WishKind.SERVICE)
A_LIGHT = WishWords("楼道的灯不亮了，晚上回家看不见", WishKind.PUBLIC)
A_PHOTO = WishWords("想和老伴拍一张金婚照", WishKind.SPIRIT)


def wish_for_things(session: Session, community: Region, neighbours: Sequence[Account]) -> None:
    """Six neighbours of the community wish something, and the clerk has looked at four of it."""
    account = welcome(session, openid="demo-clerk")
    (member,) = staff_members_of(session, account)
    clerk = By(account.id, member.identity)
    theme = _a_theme(session, community, clerk)
    cooker, song, tap, phone, light, photo = neighbours
    hangs = _wish(session, cooker, A_COOKER)
    approve_wish(
        session, hangs, Card("想要一个电饭煲", "一位居民家里的电饭煲坏了，想要一个小一点的"), by=clerk
    )
    learns = _wish(session, song, A_SONG)
    approve_wish(session, learns, Card("想学一首老歌", "想请人教一首年轻时候的歌"), by=clerk)
    support(session, learns, known(session, tap), by=By(tap.id, "resident"))
    _wish(session, tap, A_TAP)
    ask_for_more(session, _wish(session, phone, A_PHONE), "请写一下哪天方便学", by=clerk)
    reject_wish(session, _wish(session, light, A_LIGHT), "楼道灯已经报给物业，三天内修好", by=clerk)
    kept = _wish(session, photo, A_PHOTO, theme)
    approve_wish(session, kept, Card("想拍一张金婚照", "一对老人想拍一张金婚照"), by=clerk)


def _a_theme(session: Session, community: Region, by: By) -> WishRound:
    today = clock.today()
    plan = RoundPlan(
        "暖冬",
        "给家里的老人许个愿",
        today,
        today + timedelta(days=10),
        today + timedelta(days=14),
    )
    return plan_round(session, community, plan, by_account_id=by.account_id, identity=by.identity)


def _wish(session: Session, who: Account, words: WishWords, theme: WishRound | None = None) -> Wish:
    return make_wish(session, known(session, who), words, by=By(who.id, "resident"), in_round=theme)
