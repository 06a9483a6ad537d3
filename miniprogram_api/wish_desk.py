"""The desk of wishes (心愿审核): staff write wishes down for people, and say which hang on the wall and how."""

from __future__ import annotations

from typing import Any

from miniprogram_api.acting import asking
from miniprogram_api.counter import resident_at_the_counter
from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, named_in
from miniprogram_api.office import hat, office_places, overseen_places
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.wish_desk import (
    CardIn,
    PlanRoundIn,
    RoundIn,
    RoundsPageOut,
    StaffMakeWishIn,
    StaffWishesOut,
    StaffWishesQuery,
    StaffWishOut,
    WishInReviewOut,
    WishReasonIn,
)
from miniprogram_api.schemas.wishes import MyWishesQuery as PageQuery
from miniprogram_api.schemas.wishes import RoundOut, words_from
from miniprogram_api.wishes import forget_files
from models import clock
from models.base import db
from models.content_checks import WISH_WORDS, drop_open
from models.counter import agreed_among, took_back
from models.errors import NotFound
from models.journal import enter
from models.profiles import must_be_known_at_counter
from models.regions import Region, is_within, region_by_key
from models.wishes import (
    By,
    Card,
    RoundPlan,
    Wish,
    WishRound,
    WishSource,
    WishWords,
    alike,
    approve_wish,
    ask_for_more,
    change_round,
    make_wish,
    plan_round,
    reject_wish,
    remove_photo,
    round_by_key,
    round_within,
    rounds_within,
    wish_photo_within,
    wish_within,
    wishes_within,
)

door = Door("wish_desk", description="心愿审核")


@door.get("/staff/wishes")
@door.takes(StaffWishesQuery, location="query")
@door.gives(StaffWishesOut, refuses=(422,))
def list_wishes(wanted: dict[str, Any]) -> dict[str, Any]:
    """心愿列表（工作人员）

    Wishes of the places one works for that are in a state, oldest first; names are masked, and what was said is not shown. What is
    ``overdue`` the street may list too.
    """
    limit = wanted["limit"]
    rows = wishes_within(
        db.session(),
        overseen_places() if wanted["overdue"] else office_places(),
        state=wanted["state"],
        overdue_at=clock.now() if wanted["overdue"] else None,
        after_id=after_id(wanted.get("cursor")),
        most=limit + 1,
    )
    return page(rows, limit, lambda wish: [wish.id])


@door.get("/staff/wishes/<key:key>", looks=True)
@door.gives(WishInReviewOut)
def show_wish_in_review(key: str) -> dict[str, Any]:
    """心愿详情（工作人员）

    Everything who reviews it must read: the words, what in them nobody else should read and how they read without it, phone, address and why it
    is hard for them; and what hangs already that says nearly the same. That somebody looked is in the journal.
    """
    session, wish = db.session(), _of_office(key)
    enter(session, "wish.looked_at", wish, **hat(), for_resident_id=wish.resident_id)
    return {"wish": wish, "alike": alike(session, wish.region, wish.words or "", besides=wish)}


@door.post("/staff/wishes", rate=RateName.COUNTER)
@door.takes(StaffMakeWishIn)
@door.gives(StaffWishOut, 201, refuses=(409, 422))
def write_wish_down(sent: dict[str, Any]) -> Wish:
    """替居民许愿（工作人员、网格员）

    At the counter, or on a visit (``source``), for somebody one looks after, who is told who did it. It is reviewed like any other.
    Send an ``Idempotency-Key``. ``even_so`` leaves the limits of a household aside.
    """
    session = db.session()
    with named_in("resident"):
        resident = resident_at_the_counter(sent["resident"])
    must_be_known_at_counter(
        resident,
        has_agreed=resident.id in agreed_among(session, [resident]),
        withdrew=took_back(session, resident),
    )
    with named_in("round"):
        in_round = round_by_key(session, sent["round"]) if sent["round"] else None
    words = WishWords(**words_from(sent))
    return make_wish(
        session, resident, words, by=_by(sent["source"]), in_round=in_round, even_so=sent["even_so"]
    )


@door.put("/staff/wishes/<key:key>/card")
@door.takes(CardIn)
@door.gives(StaffWishOut, refuses=(409, 422))
def hang_wish_up(sent: dict[str, Any], key: str) -> Wish:
    """通过心愿、改公开文字（工作人员）

    With what is to hang on the wall, in one's own words: 409 ``wish_card_unfit`` names what of it tells too much. Whoever wished is told the first
    time. Sent again, the new card hangs. 403 ``own_content`` for one's own household.
    """
    card = Card(sent["title"], sent["words"], frozenset(sent["photos"]))
    return _decided(approve_wish(db.session(), _of_office(key), card, by=_by()))


@door.put("/staff/wishes/<key:key>/question")
@door.takes(WishReasonIn)
@door.gives(StaffWishOut, refuses=(409, 422))
def ask_for_more_of_wish(sent: dict[str, Any], key: str) -> Wish:
    """请居民补充（工作人员）

    What is missing, in words they read; while it is asked for no clock runs.
    """
    return ask_for_more(db.session(), _of_office(key), sent["because"], by=_by())


@door.put("/staff/wishes/<key:key>/rejection")
@door.takes(WishReasonIn)
@door.gives(StaffWishOut, refuses=(409, 422))
def reject_staff_wish(sent: dict[str, Any], key: str) -> Wish:
    """不通过心愿、从墙上取下（工作人员）

    With the reason only they read; they may say it anew. Twice is fine.
    """
    return _decided(reject_wish(db.session(), _of_office(key), sent["because"], by=_by()))


@door.delete("/staff/wish-photos/<key:key>")
@door.gives(None, 204)
def remove_staff_wish_photo(key: str) -> None:
    """删除心愿照片（工作人员）"""
    photo = wish_photo_within(db.session(), key, within=office_places())
    forget_files(remove_photo(db.session(), photo, by=_by()))


@door.get("/staff/wish-rounds")
@door.takes(PageQuery, location="query")
@door.gives(RoundsPageOut, refuses=(422,))
def list_staff_rounds(wanted: dict[str, Any]) -> dict[str, Any]:
    """征集主题（工作人员）

    Every round of the places one works for, in the order they were planned.
    """
    limit = wanted["limit"]
    rows = rounds_within(
        db.session(), office_places(), after_id=after_id(wanted.get("cursor")), most=limit + 1
    )
    return page(rows, limit, lambda one: [one.id])


@door.post("/staff/wish-rounds", rate=RateName.COUNTER)
@door.takes(PlanRoundIn)
@door.gives(RoundOut, 201, refuses=(409, 422))
def plan_staff_round(sent: dict[str, Any]) -> WishRound:
    """安排一个主题（工作人员）

    What is collected when, and on which day it hangs on the wall together, at the hour the community publishes.
    """
    with named_in("region"):
        region = _place_of_office(sent["region"])
    return plan_round(db.session(), region, _plan(sent), **hat())


@door.put("/staff/wish-rounds/<key:key>")
@door.takes(RoundIn)
@door.gives(RoundOut, refuses=(409, 422))
def change_staff_round(sent: dict[str, Any], key: str) -> WishRound:
    """修改主题（工作人员）

    What hangs already stays there.
    """
    planned = round_within(db.session(), key, within=office_places())
    change_round(db.session(), planned, _plan(sent), **hat())
    return planned


def _place_of_office(key: str) -> Region:
    region = region_by_key(db.session(), key)
    if not is_within(region, office_places()):
        raise NotFound("没有找到这个地方")
    return region


def _plan(sent: dict[str, Any]) -> RoundPlan:
    return RoundPlan(
        sent["title"],
        sent["about"] or "",
        sent["collects_from"],
        sent["collects_until"],
        sent["shown_on"],
    )


def _of_office(key: str) -> Wish:
    return wish_within(db.session(), key, within=office_places())


def _decided(wish: Wish) -> Wish:
    """Somebody read the words: nobody has to look at them a second time."""
    drop_open(db.session(), WISH_WORDS, wish.key)
    return wish


def _by(source: WishSource = WishSource.COUNTER) -> By:
    return asking(source)
