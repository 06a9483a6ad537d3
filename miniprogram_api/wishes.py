"""Wishes (微心愿): what residents wish for themselves and their family, and the wall everybody may read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypedDict

from flask import Response, after_this_request
from sqlalchemy.orm import Session

from miniprogram_api.acting import asking, learner_to_write_about, oneself_and_wards
from miniprogram_api.content import Opinion, begin_writing, checked, shown
from miniprogram_api.cursors import after_id, page
from miniprogram_api.developing import MEDIA_TYPE, develop
from miniprogram_api.edge import Door, Needs, account, between_transactions
from miniprogram_api.freshness import etag_of, unless_known
from miniprogram_api.installed import terms, wish_files
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.photos import PhotoIn
from miniprogram_api.schemas.standing import DESK_LABELS, next_step_of
from miniprogram_api.schemas.wish_photos import WishPhotoOut
from miniprogram_api.schemas.wishes import (
    ForWhomWishQuery,
    MakeWishIn,
    MyWishesOut,
    MyWishesQuery,
    MyWishOut,
    MyWishWithStepsOut,
    RoundsOut,
    SharingIn,
    SignedQuery,
    SupportOut,
    WallOut,
    WallQuery,
    WishCardOut,
    WishIn,
    WishLookOut,
    words_from,
)
from miniprogram_api.signing import address_of_photo, must_be_signed
from miniprogram_api.walls import page_of_wall
from miniprogram_api.wechat import Scene
from models.base import db
from models.content_checks import WISH_PHOTO, WISH_WORDS, CheckedField
from models.policies import policies_at
from models.regions import region_by_key
from models.screening import masked
from models.sites import office_phone
from models.wishes import (
    Standing,
    Wish,
    WishPhoto,
    WishState,
    WishWords,
    add_photo,
    alike,
    correct_wish,
    hanging_wish,
    make_wish,
    may_add_photo,
    photo_of,
    remove_photo,
    round_by_key,
    rounds_at,
    share_contacts,
    standing_of,
    support,
    support_no_more,
    urge_from,
    warnings_about,
    wish_of,
    wish_photo_by_key,
    wishes_of,
    withdraw_wish,
    words_of,
)
from models.wishes.claims import claims_on
from models.wishes.clocks import Desk
from models.wishes.street import street_over
from models.wishes.thread import thread_of

# of others, or of nobody's interest
UNSEEN = frozenset({"wish.looked_at", "wish.supported", "wish.supported_no_more", "claim.unhappy_called"})

door = Door("wishes", description="微心愿")

LOOKED_AT_WITHIN = timedelta(days=3)  # WeChat takes half an hour; a clerk may look after a weekend
_PICTURE = {"type": "string", "format": "binary"}


class Files(TypedDict):
    """The names of a picture's two files, and how large it is."""

    file: str
    thumbnail: str
    width: int
    height: int


@door.get("/wishes", needs=Needs.NOTHING, kept=True)
@door.takes(WallQuery, location="query")
@door.gives(WallOut, refuses=(404, 409, 422))
def read_wall(wanted: dict[str, Any]) -> dict[str, Any]:
    """心愿墙

    What hangs on the wall of a place and what lies under it, or of everywhere: what nobody took in time first, then the newest, or
    in another ``order``. Nobody's name stands there, and no address.
    """
    return page_of_wall(wanted, region_by_key(db.session(), wanted["region"]) if "region" in wanted else None)


@door.get("/wishes/<key:key>", needs=Needs.NOTHING, kept=True)
@door.gives(WishCardOut, refuses=(404,))
def show_wish(key: str) -> Wish:
    """一个心愿"""
    return hanging_wish(db.session(), key)


@door.put("/wishes/<key:key>/support")
@door.takes(ForWhomWishQuery, location="query")
@door.gives(SupportOut, refuses=(409, 422))
def need_the_same(whom: dict[str, Any], key: str) -> dict[str, int]:
    """我也需要

    Somebody else needs the same; the community sees how many. Twice is fine. 409 ``own_wish`` for one of the own household.
    """
    person = learner_to_write_about(whom.get("for_key"))
    return {"supporters": support(db.session(), hanging_wish(db.session(), key), person, by=asking())}


@door.delete("/wishes/<key:key>/support")
@door.takes(ForWhomWishQuery, location="query")
@door.gives(SupportOut, 200, refuses=(409, 422))
def need_the_same_no_more(whom: dict[str, Any], key: str) -> dict[str, int]:
    """不再需要"""
    person = learner_to_write_about(whom.get("for_key"))
    return {"supporters": support_no_more(db.session(), hanging_wish(db.session(), key), person, by=asking())}


@door.get("/regions/<key:key>/wish-rounds", needs=Needs.NOTHING, kept=True)
@door.gives(RoundsOut, refuses=(404,))
def list_rounds(key: str) -> dict[str, Any]:
    """正在征集的主题

    The rounds that collect today from people of a place: its own, and those of the street and the district.
    """
    return {"items": rounds_at(db.session(), region_by_key(db.session(), key))}


@door.post("/me/wishes/look", rate=RateName.WISHES)
@door.takes(ForWhomWishQuery, location="query")
@door.takes(WishIn)
@door.gives(WishLookOut, 200, refuses=(409, 422))
def look_at_wish(whom: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """提交前看一看

    How the words would read with phone numbers, addresses and the like covered, what to know before sending, and what hangs on the wall already
    that says nearly the same: 我也需要 may be enough. Nothing is kept.
    """
    session = db.session()
    person = learner_to_write_about(whom.get("for_key"))
    words = WishWords(**words_from(sent))
    home = person.home_region
    if home is None:
        raise AssertionError("whoever is known has a home")
    return {
        "masked": masked(words.words),
        "warnings": warnings_about(words, policies_at(session, home.id)),
        "alike": alike(session, home, words.words),
    }


@door.post("/me/wishes", asks_wechat=True, rate=RateName.WISHES)
@door.takes(ForWhomWishQuery, location="query")
@door.takes(MakeWishIn)
@door.gives(MyWishOut, 201, refuses=(409, 422))
def make_my_wish(whom: dict[str, Any], sent: dict[str, Any]) -> Wish:
    """许愿

    For oneself or whom one may act for. Send an ``Idempotency-Key``; the same words sent again are the same wish anyhow. The words are checked
    first: 422 ``content_risky`` asks for others. 409 ``wish_unfit`` names every field that cannot be (no money in any form), ``wish_limit`` says that
    the household wishes enough already.
    """
    learner_to_write_about(whom.get("for_key"))  # whoever may not is told before anybody is asked
    words = WishWords(**words_from(sent))
    opinion = checked(words.to_check, WISH_WORDS, scene=Scene.SOCIAL_LOG)
    session = db.session()
    person = learner_to_write_about(whom.get("for_key"))
    made = make_wish(
        session,
        person,
        words,
        by=asking(),
        acted_for=person.account_id != account().id,
        words_are_sure=opinion.is_sure,
        in_round=round_by_key(session, sent["round"]) if sent["round"] else None,
    )
    _write_down(opinion, made)
    return made


@door.get("/me/wishes")
@door.takes(MyWishesQuery, location="query")
@door.gives(MyWishesOut, refuses=(422,))
def list_my_wishes(wanted: dict[str, Any]) -> dict[str, Any]:
    """我的心愿

    One's own and those of the people one may act for, whatever became of them, the newest first.
    """
    limit = wanted["limit"]
    rows = wishes_of(
        db.session(), oneself_and_wards(), before_id=after_id(wanted.get("cursor")), most=limit + 1
    )
    return page(rows, limit, lambda wish: [wish.id])


@door.get("/me/wishes/<key:key>")
@door.gives(MyWishWithStepsOut)
def show_my_wish(key: str) -> dict[str, Any]:
    """我的一个心愿

    Where it stands, whose desk it is on, what comes next, and by when; which unit took it on and what to tell whoever comes; what happened so far, and
    the number of the community.
    """
    session, wish = db.session(), _mine(key)
    claims = claims_on(session, [wish.id])[wish.id]
    return {
        "wish": wish,
        "now": _now(session, wish, standing_of(wish, claims)),
        "claims": [claim for claim in claims if claim.agreed_at and not claim.ended_because],
        "steps": [event for event in thread_of(session, wish) if event.act not in UNSEEN],
        "phone": office_phone(session, wish.region),
    }


@door.put("/me/wishes/<key:key>", asks_wechat=True, rate=RateName.WISHES)
@door.takes(WishIn)
@door.gives(MyWishOut, refuses=(409, 422))
def correct_my_wish(sent: dict[str, Any], key: str) -> Wish:
    """修改心愿、补充材料

    Until it was reviewed, after the community asked for more, and after a no: it is looked at again. 409 ``wish_decided`` once it hangs.
    """
    words = WishWords(**words_from(sent))
    stood = _mine(key)
    if stood.state is not WishState.REJECTED and words_of(stood).to_check == words.to_check:
        begin_writing()
        return correct_wish(db.session(), _mine(key), words, by=asking(), words_are_sure=None)
    opinion = checked(words.to_check, WISH_WORDS, scene=Scene.SOCIAL_LOG)
    wish = correct_wish(db.session(), _mine(key), words, by=asking(), words_are_sure=opinion.is_sure)
    _write_down(opinion, wish)
    return wish


@door.put("/me/wishes/<key:key>/sharing")
@door.takes(SharingIn)
@door.gives(MyWishOut, refuses=(422,))
def change_my_sharing(sent: dict[str, Any], key: str) -> Wish:
    """同意或不同意告知联系方式

    Whether whoever fulfils the wish may be told name, phone and address: agreed to by itself, and taken back at any time.
    """
    wish = _mine(key)
    share_contacts(db.session(), wish, may_share=sent["may_share"], by=asking())
    return wish


@door.delete("/me/wishes/<key:key>")
@door.gives(None, 204, refuses=(409,))
def withdraw_my_wish(key: str) -> None:
    """撤回心愿

    Twice is fine.
    """
    withdraw_wish(db.session(), _mine(key), by=asking())


@door.post("/me/wishes/<key:key>/photos", asks_wechat=True, takes_photo=True, rate=RateName.PHOTOS)
@door.takes(PhotoIn, location="files")
@door.gives(WishPhotoOut, 201)
def add_my_photo(sent: dict[str, Any], key: str) -> WishPhoto:
    """上传心愿照片

    One picture (JPEG, PNG or WebP) as ``multipart/form-data``, in the part ``photo``, as ``wx.uploadFile`` sends it: of the thing, not of people. It
    is painted anew, without where and with what it was taken, and nobody but the community sees it until it hangs on the wall. A child's wish
    has none: 409 ``child_photo``.
    """
    may_add_photo(_mine(key))  # before anything is unpacked
    files = unpacked(sent)
    photo = add_photo(db.session(), _mine(key), **files, by=asking())
    name = photo.key
    let_wechat_look(photo, WISH_PHOTO)
    return photo_of(db.session(), name, oneself_and_wards())


@door.delete("/me/wish-photos/<key:key>")
@door.gives(None, 204, refuses=(409,))
def remove_my_photo(key: str) -> None:
    """删除心愿照片"""
    photo = photo_of(db.session(), key, oneself_and_wards())
    forget_files(remove_photo(db.session(), photo, by=asking()))


@door.get("/wish-photos/<key:key>", needs=Needs.NOTHING)
@door.takes(SignedQuery, location="query")
@door.response(200, _PICTURE, content_type=MEDIA_TYPE)
@door.gives(None, refuses=(404, 422))
def show_wish_photo(signed: dict[str, Any], key: str) -> Response:
    """心愿照片

    Under the address a list gave, which is good for an hour or two.
    """
    must_be_signed(f"wish-photos/{key}", **signed)
    return _picture(wish_photo_by_key(db.session(), key).file)


@door.get("/wish-photos/<key:key>/thumbnail", needs=Needs.NOTHING)
@door.takes(SignedQuery, location="query")
@door.response(200, _PICTURE, content_type=MEDIA_TYPE)
@door.gives(None, refuses=(404, 422))
def show_wish_thumbnail(signed: dict[str, Any], key: str) -> Response:
    """心愿照片的缩略图"""
    must_be_signed(f"wish-photos/{key}/thumbnail", **signed)
    return _picture(wish_photo_by_key(db.session(), key).thumbnail)


def unpacked(sent: dict[str, Any]) -> Files:
    """The picture that was sent, painted anew and kept twice, as the verbs take it; outside of any transaction."""
    with between_transactions():
        developed = develop(sent["photo"], field="photo")
        return Files(
            file=wish_files().put(developed.body),
            thumbnail=wish_files().put(developed.thumbnail),
            width=developed.width,
            height=developed.height,
        )


def let_wechat_look(photo: WishPhoto, field: CheckedField) -> None:
    """Let WeChat see a picture that was written just now; whoever sent it is told if it may not stay."""
    whose, name = photo.wish.resident_id, photo.key
    db.session().commit()  # WeChat comes for it by its address
    public = f"{terms().public_url}{address_of_photo(name, good_for=LOOKED_AT_WITHIN)}"
    opinion = shown(public, field, scene=Scene.SOCIAL_LOG)
    opinion.write_down(key=name, account_id=account().lock().id, resident_id=whose)


def forget_files(files: tuple[str, str]) -> None:
    """Delete these files once the answer of this request is committed."""

    @after_this_request
    def _forget(answer: Response) -> Response:
        if answer.status_code < 400:  # committed; else they still belong to a row
            wish_files().delete(*files)
        return answer


def _now(session: Session, wish: Wish, standing: Standing | None) -> dict[str, Any]:
    """Where a wish stands, and whose number to call about it."""
    community = office_phone(session, wish.region)
    desk = standing.desk if standing else None
    street = office_phone(session, street_over(session, wish.region)) if desk is Desk.STREET else ""
    return {
        "desk": desk,
        "desk_label": DESK_LABELS[desk] if desk else "",
        "next_step": next_step_of(wish, standing, turns=policies_at(session, wish.region_id).wish_turns),
        "expected_by": standing.until if standing else None,
        "phone": street or community,
        "urge_from": urge_from(session, wish, standing),
    }


def _picture(file: str) -> Response:
    picture = wish_files().open(file)
    return unless_known(picture, etag_of(picture), kind=MEDIA_TYPE, fresh_seconds=600)


def _write_down(opinion: Opinion, wish: Wish) -> None:
    opinion.write_down(key=wish.key, account_id=account().id, resident_id=wish.resident_id)


def _mine(key: str) -> Wish:
    return wish_of(db.session(), key, oneself_and_wards())
