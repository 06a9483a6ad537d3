"""What a fuzzer needs to know of wishes: some in every state, whose keys fit which operation, and what cannot be invented."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select

from miniprogram_api.signing import signed_query
from models import clock
from models.base import reading, transaction
from models.wishes import (
    Wish,
    WishPhoto,
    WishRound,
    WishState,
    WishWords,
    add_photo,
    approve_wish,
    make_wish,
)
from tests.people import Person, Town, a_resident
from tests.rooms import set_number
from tests.wishes import CARD, TAP, a_round, by_resident, by_staff

NOBODYS = "a" * 16
_LIMITS = ("wishes_at_once", "goods_wishes_at_once", "goods_wishes_a_year")


def some_wishes(app: Flask, town: Town, a_photo: bytes) -> None:
    """Wishes of whoever asks and of somebody else: on the wall, and waiting, with pictures; rounds."""
    for name, value in zip(_LIMITS, ("0", "100", "100"), strict=True):
        set_number(town.wutong, name, value)
    with transaction() as session:
        other = a_resident(session, town.wutong, name="许愿人", phone="19900001234")
    files = [app.extensions["wish_files"].put(a_photo) for _ in range(2)]
    for n in range(8):
        a_round(town.wutong, title=f"主题{n}")
        for who in (town.resident, town.helper, other):
            for state in (WishState.SUBMITTED, WishState.PUBLISHED):
                _a_wish(town, who, f"想修{state}{n}号灯", files, hangs=state is WishState.PUBLISHED)


def _a_wish(town: Town, who: Person, words: str, files: list[str], *, hangs: bool) -> None:
    with transaction() as session:
        by = by_resident(who)
        wish = make_wish(session, who.resident(session), WishWords(words, TAP.kind), by=by)
        add_photo(session, wish, file=files[0], thumbnail=files[1], width=8, height=6, by=by)
        if hangs:
            approve_wish(session, wish, CARD, by=by_staff(town.clerk))


def is_about_wishes(label: str) -> bool:
    """Whether an operation's address holds the key of a wish, of a picture of one, or of a round."""
    return any(noun in label for noun in ("/wishes/{key}", "/wish-photos/{key}", "/wish-rounds/{key}"))


def a_wishs_key(label: str, who: object, chance: random.Random) -> str:
    """Something of the sort an operation is about, and in a state in which it can be done."""
    mine = who.resident_id if isinstance(who, Person) else None
    if "/wish-rounds/" in label:
        query = select(WishRound.key).order_by(WishRound.id)
    elif "/wish-photos/" in label:
        query = select(WishPhoto.key).join(WishPhoto.wish).order_by(WishPhoto.id)
        if "/me/" in label:
            query = query.where(Wish.resident_id == mine, Wish.state == WishState.SUBMITTED)
    else:
        waits = WishState.SUBMITTED if "/me/" in label or "/staff/" in label else WishState.PUBLISHED
        query = select(Wish.key).where(Wish.state == waits).order_by(Wish.id)
        if "/me/" in label:
            query = query.where(Wish.resident_id == mine)
        elif mine is not None:
            query = query.where(Wish.resident_id != mine)
    with reading() as session:
        keys = session.scalars(query).all()
    return chance.choice(keys[-6:]) if keys else NOBODYS


def sign_query(query: dict[str, Any], label: str, path: Any) -> None:
    """What makes the address of a picture good."""
    if "/api/v1/wish-photos/{key}" in label and isinstance(path, dict):
        name = label.partition("/api/v1/")[2].replace("{key}", f"{path.get('key')}")
        query |= signed_query(name)
    if label == "GET /api/v1/wishes":
        query.pop("round", None)


def fill_wish(body: dict[str, Any], label: str, town: Town) -> None:
    """What may be wished at all, for whom the clerk knows; days in their order."""
    if label.endswith(("/me/wishes", "/me/wishes/look", "/me/wishes/{key}", "/staff/wishes")):
        body |= {"kind": "service", "quantity": 1, "hand_over": "centre"}
        for said in ("value_yuan", "round", "address", "hardship", "nickname"):
            body.pop(said, None)
    if label == "POST /api/v1/staff/wishes":
        body["resident"] = town.neighbour.key
    if label.endswith("/card"):
        body["photos"] = []
    if "/wish-rounds" in label:
        today = clock.today()
        body |= {
            "collects_from": today.isoformat(),
            "collects_until": (today + timedelta(days=9)).isoformat(),
            "shown_on": (today + timedelta(days=12)).isoformat(),
        }
        if "region" in body:
            body["region"] = town.wutong.key
