"""Photos of what was brought: the lead shows the thing, who wished and the community see it, and nobody else does."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select
from werkzeug.test import TestResponse

from models.base import reading
from models.wishes import WishKind, WishPhoto, WishWords, approve_wish
from models.wishes.claims import Claim
from tests.claims import a_claimer, a_member, under_way
from tests.people import Person, Town, UnitMember
from tests.phones import Door, Phone, the_problem, told
from tests.wishes import CARD, by_staff, hung, say, somebody, wishes

CALLS = WishWords("想请人教用手机", WishKind.SERVICE, may_share=True)


def a_picture() -> bytes:
    """A photo that knows where it was taken."""
    drawn, picture = BytesIO(), Image.new("RGB", (40, 30), "teal")
    exif = picture.getexif()
    exif[0x010E] = "somewhere"
    picture.save(drawn, "JPEG", exif=exif)
    return drawn.getvalue()


def shows(phone: Phone, claim: str, body: bytes | None = None) -> TestResponse:
    """The lead sends one picture."""
    sent = {"photo": (BytesIO(a_picture() if body is None else body), "p.jpg")}
    return phone.ask("POST", f"/partner/claims/{claim}/photos", data=sent, buffered=True)


@pytest.fixture
def unit(town: Town) -> UnitMember:
    """Somebody of a unit that is paired with the community."""
    return a_claimer(town.wutong)


@pytest.fixture
def wisher(town: Town) -> Person:
    """Whose wish it is."""
    return somebody(town, "张大爷")


@pytest.fixture
def claim(town: Town, unit: UnitMember, wisher: Person) -> Claim:
    """What the unit is about."""
    return under_way(town, unit, hung(town, wisher, CALLS))


def picture_of(answer: dict[str, Any]) -> str:
    """The address of the only picture."""
    (photo,) = answer["photos"]
    url: str = photo["url"]
    return url


def test_who_wished_and_the_community_see_what_was_brought(
    door: Door, town: Town, unit: UnitMember, wisher: Person, claim: Claim
) -> None:
    lead, clerk, phone = door.phone(unit), door.phone(town.clerk), door.phone(wisher)
    delivery = f"/partner/claims/{claim.key}/delivery"
    problem = the_problem(lead.put(delivery, json={"evidence": "photo"}), 409, "evidence_unfit")
    assert [error["field"] for error in problem["errors"]] == ["evidence"]

    told(shows(lead, claim.key), 201)
    done = told(lead.put(delivery, json={"evidence": "photo", "minutes": 30}))
    (mine,) = told(phone.get(f"/me/wishes/{claim.wish.key}"))["claims"]
    (theirs,) = told(clerk.get("/staff/claims?state=delivered"))["items"]
    for address in (picture_of(done), picture_of(mine), picture_of(theirs)):
        seen = door.phone().get(address)
        assert (seen.status_code, seen.mimetype) == (200, "image/jpeg")
        assert b"somewhere" not in seen.data
    assert told(phone.get(f"/me/wishes/{claim.wish.key}"))["wish"]["photos"] == []
    told(phone.put(f"/me/claims/{claim.key}/confirmation"))
    assert picture_of(told(lead.get(f"/partner/claims/{claim.key}")))


def test_nobody_else_shows_anything_or_takes_it_away(
    door: Door, town: Town, unit: UnitMember, wisher: Person, claim: Claim
) -> None:
    colleague, stranger = door.phone(a_member(unit)), door.phone(a_claimer(town.wutong))
    the_problem(shows(colleague, claim.key), 403, "lead_alone")
    the_problem(shows(stranger, claim.key), 404, "not_found")
    photo = told(shows(door.phone(unit), claim.key), 201)["key"]
    the_problem(colleague.delete(f"/partner/claim-photos/{photo}"), 403, "lead_alone")
    the_problem(stranger.delete(f"/partner/claim-photos/{photo}"), 404, "not_found")
    the_problem(door.phone(wisher).delete(f"/me/wish-photos/{photo}"), 404, "not_found")
    assert door.phone().get(f"/wish-photos/{photo}").status_code == 422  # without a signature


def test_three_are_enough_and_one_may_go_until_it_is_done(door: Door, unit: UnitMember, claim: Claim) -> None:
    lead, files = door.phone(unit), door.app.extensions["wish_files"]
    before = set(files.names())
    keys = [told(shows(lead, claim.key), 201)["key"] for _ in range(3)]
    the_problem(shows(lead, claim.key), 409, "too_many_photos")
    assert lead.delete(f"/partner/claim-photos/{keys[0]}").status_code == 204
    assert len(set(files.names()) - before) == 4
    assert lead.get(f"/partner/claims/{claim.key}").get_json()["photos"][0]["key"] == keys[1]
    told(lead.put(f"/partner/claims/{claim.key}/delivery", json={"evidence": "photo"}))
    the_problem(lead.delete(f"/partner/claim-photos/{keys[1]}"), 409, "claim_decided")


@pytest.mark.parametrize("body", [b"%PDF-1.7 no picture", b"", a_picture()[:200]])
def test_what_is_no_picture_is_refused_and_leaves_nothing(
    door: Door, unit: UnitMember, claim: Claim, body: bytes
) -> None:
    files = door.app.extensions["wish_files"]
    before = set(files.names())
    assert shows(door.phone(unit), claim.key, body).status_code in {409, 422}
    assert set(files.names()) == before


def test_of_a_childs_wish_there_are_no_pictures(door: Door, town: Town, unit: UnitMember) -> None:
    """E21."""
    child = somebody(town, "小明", birth_year=2016)
    wish = wishes(child, CALLS, by=by_staff(town.clerk))
    say(approve_wish, wish, CARD, by=by_staff(town.clerk))
    made = under_way(town, unit, wish)
    the_problem(shows(door.phone(unit), made.key), 409, "child_photo")


def test_a_picture_that_may_not_stay_goes(door: Door, town: Town, unit: UnitMember, claim: Claim) -> None:
    lead = door.phone(unit)
    told(shows(lead, claim.key), 201)
    clerk = door.phone(town.clerk)
    (check,) = told(clerk.get("/staff/content-checks"))["items"]
    told(
        clerk.put(
            f"/staff/content-checks/{check['key']}/decision",
            json={"decision": "reject", "reason": "拍到了人"},
        )
    )
    with reading() as session:
        assert session.scalars(select(WishPhoto)).all() == []
    assert told(lead.get(f"/partner/claims/{claim.key}"))["photos"] == []
