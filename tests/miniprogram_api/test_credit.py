"""Credit over the wire: how one stands, what one says against it, and who decides."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.journal import JournalEntry
from server.jobs import rooms as jobs
from tests.people import Person, Town
from tests.phones import Door, Phone, the_problem, told
from tests.rooms import SATURDAY, SUNDAY, Centre, a_group, at, by_phone, set_number, takes
from tests.rooms import told as inbox
from tests.sandbox import CHECK_TEXT

FEVER = {"words": "那天孩子发烧"}


def stays_away(who: Person, centre: Centre, clock: StoppedClock, *, on: date = SATURDAY, **more: Any) -> None:
    """Somebody takes a room and does not come."""
    takes(who, centre.reading_room, at(14, on=on), **more)
    clock.move_to(at(14, 15, on=on))
    assert jobs.release_no_shows(town_clock.now()) == 1


def the_entry(phone: Phone, query: str = "") -> dict[str, Any]:
    """The only thing one's credit comes from."""
    (entry,) = told(phone.get(f"/me/credit{query}"))["items"]
    found: dict[str, Any] = entry
    return found


def appeals(phone: Phone, words: dict[str, str] = FEVER) -> str:
    """Say something against the only entry; its key."""
    key: str = the_entry(phone)["key"]
    told(phone.put(f"/me/credit-entries/{key}/appeal", json=words))
    return key


def waiting(clerk: Phone) -> list[dict[str, Any]]:
    """The appeals that wait for staff."""
    items: list[dict[str, Any]] = told(clerk.get("/staff/credit-appeals"))["items"]
    return items


def test_one_sees_how_one_stands_and_what_it_comes_from(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    phone = door.phone(town.resident)
    assert told(phone.get("/me/credit")) == {"points": 100, "paused_until": None, "items": []}
    stays_away(town.resident, centre, clock)
    standing = told(phone.get("/me/credit"))
    assert (standing["points"], standing["paused_until"]) == (85, None)
    (entry,) = standing["items"]
    assert (entry["why"], entry["why_label"], entry["points"], entry["counts"]) == (
        *("no_show", "没有来", -15),
        True,
    )
    assert entry["venue"]["name"] == "阅览室"
    assert (entry["appeal_state"], entry["appeal_words"], entry["answer"]) == (None, None, "")


def test_who_is_paused_reads_until_when(door: Door, town: Town, centre: Centre, clock: StoppedClock) -> None:
    set_number(town.wutong, "credit_no_show", "45")
    stays_away(town.resident, centre, clock)
    standing = told(door.phone(town.resident).get("/me/credit"))
    assert (standing["points"], standing["paused_until"]) == (55, "2026-12-21T14:15:00+08:00")


def test_an_appeal_is_read_decided_and_answered(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    stays_away(town.resident, centre, clock)
    door.sandbox.login_code(town.resident.openid)  # WeChat looks at what those write who are there
    phone, clerk = door.phone(town.resident), door.phone(town.clerk)
    key = appeals(phone)
    assert appeals(phone) == key  # a second tap is the same appeal
    (seen,) = waiting(clerk)
    assert (seen["key"], seen["name"], seen["appeal_words"]) == (key, "*静", FEVER["words"])
    decision = f"/staff/credit-entries/{key}/decision"
    for _ in range(2):
        answer = told(clerk.put(decision, json={"granted": True, "because": "情况属实"}))
        assert (answer["appeal_state"], answer["answer"], answer["counts"]) == (
            *("granted", "情况属实"),
            False,
        )
    the_problem(clerk.put(decision, json={"granted": False, "because": "不行"}), 409, "appeal_settled")
    standing = told(phone.get("/me/credit"))
    assert (standing["points"], standing["items"][0]["answer"]) == (100, "情况属实")
    assert waiting(clerk) == []
    assert inbox(town.resident)[-1] == "credit_appeal_decided"
    the_problem(phone.put(f"/me/credit-entries/{key}/appeal", json=FEVER), 409, "nothing_to_appeal")


def test_staff_excuse_what_nobody_appealed_against_and_decide_no_appeal_there_is_not(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    stays_away(town.resident, centre, clock)
    phone, clerk = door.phone(town.resident), door.phone(town.clerk)
    key = the_entry(phone)["key"]
    decision = clerk.put(f"/staff/credit-entries/{key}/decision", json={"granted": True, "because": "好"})
    the_problem(decision, 409, "no_appeal")
    for _ in range(2):
        assert not told(clerk.put(f"/staff/credit-entries/{key}/excuse", json={"because": "停电"}))["counts"]
    standing = told(phone.get("/me/credit"))
    assert (standing["points"], standing["items"][0]["answer"]) == (100, "停电")


def test_nobody_decides_about_their_own_credit(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    stays_away(town.resident, centre, clock)
    phone = door.phone(town.resident)
    key = appeals(phone)
    with transaction() as session:
        town.clerk.member(session).account_id = town.resident.account_id
    clerk = phone.wearing(town.clerk.identity)
    said = {"granted": True, "because": "情况属实"}
    the_problem(clerk.put(f"/staff/credit-entries/{key}/decision", json=said), 403, "own_content")
    the_problem(
        clerk.put(f"/staff/credit-entries/{key}/excuse", json={"because": "停电"}), 403, "own_content"
    )


def test_risky_words_are_no_appeal(door: Door, town: Town, centre: Centre, clock: StoppedClock) -> None:
    stays_away(town.resident, centre, clock)
    phone = door.log_in(town.resident.openid)
    address = f"/me/credit-entries/{the_entry(phone)['key']}/appeal"
    problem = the_problem(phone.put(address, json={"words": "赌博平台加微信"}), 422, "content_risky")
    assert [error["field"] for error in problem["errors"]] == ["words"]
    assert waiting(door.phone(town.clerk)) == []
    assert the_entry(phone)["appeal_state"] is None


def test_doubtful_words_a_clerk_rejects_are_struck_and_the_appeal_waits_on(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    stays_away(town.resident, centre, clock)
    phone, clerk = door.log_in(town.resident.openid), door.phone(town.clerk)
    door.sandbox.fault(CHECK_TEXT, http_status=502, times=9)
    key = appeals(phone)
    (check,) = told(clerk.get("/staff/content-checks"))["items"]
    said = {"decision": "reject", "reason": "请文明用语"}
    told(clerk.put(f"/staff/content-checks/{check['key']}/decision", json=said))
    (seen,) = waiting(clerk)
    assert (seen["key"], seen["appeal_words"]) == (key, None)
    again = phone.put(f"/me/credit-entries/{key}/appeal", json=FEVER)
    the_problem(again, 422, "content_risky")
    other = told(phone.put(f"/me/credit-entries/{key}/appeal", json={"words": "孩子病了"}))
    assert (other["appeal_state"], other["appeal_words"]) == ("waiting", "孩子病了")


def test_what_cannot_be_appealed_against_is_told_before_wechat_is_asked(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    stays_away(town.resident, centre, clock)
    phone = door.log_in(town.resident.openid)
    address = f"/me/credit-entries/{the_entry(phone)['key']}/appeal"
    asked = door.sandbox.calls(CHECK_TEXT)
    clock.advance(days=7)
    the_problem(phone.put(address, json=FEVER), 409, "appeal_too_late")
    for words, field in (({"words": " "}, "words"), ({"words": "很" * 201}, "words"), ({}, "words")):
        problem = the_problem(phone.put(address, json=words), 422, "invalid")
        assert [error["field"] for error in problem["errors"]] == [field]
    assert door.sandbox.calls(CHECK_TEXT) == asked


def test_family_appeals_for_an_elder_and_nobody_else_sees_it(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    stays_away(town.elder, centre, clock, by=by_phone(town.helper), acted_for=True)
    phone, query = door.phone(town.helper), f"?for={town.elder.key}"
    assert told(phone.get("/me/credit"))["points"] == 100
    assert told(phone.get(f"/me/credit{query}"))["points"] == 85
    key = the_entry(phone, query)["key"]
    address = f"/me/credit-entries/{key}/appeal"
    for who in (town.neighbour, town.outsider, town.clerk, town.partner_member):
        the_problem(door.phone(who).put(address, json=FEVER), 404, "not_found")
    for who in (town.neighbour, town.outsider):
        the_problem(door.phone(who).get(f"/me/credit{query}"), 404, "no_bond")
    for hat in (town.clerk, town.partner_member):
        the_problem(door.phone(hat).get("/me/credit"), 403, "identity_unfit")
    assert told(phone.put(address, json=FEVER))["appeal_state"] == "waiting"


def test_a_groups_credit_is_for_its_leader_to_see_and_to_appeal(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    choir = a_group(town, town.resident)
    stays_away(town.resident, centre, clock, group=choir)
    phone, query = door.phone(town.resident), f"?group={choir.key}"
    assert told(phone.get("/me/credit"))["points"] == 100
    entry = the_entry(phone, query)
    assert (entry["group"]["name"], entry["points"]) == (choir.name, -15)
    the_problem(door.phone(town.neighbour).get(f"/me/credit{query}"), 404, "no_group")
    told(phone.put(f"/me/credit-entries/{entry['key']}/appeal", json=FEVER))
    (seen,) = waiting(door.phone(town.clerk))
    assert seen["group"]["name"] == choir.name


def test_appeals_are_read_page_by_page_and_every_look_is_journalled(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    for who, on in ((town.resident, SATURDAY), (town.neighbour, SUNDAY)):
        stays_away(who, centre, clock, on=on)
    keys = [appeals(door.phone(who)) for who in (town.resident, town.neighbour)]
    clerk = door.phone(town.clerk)
    first = told(clerk.get("/staff/credit-appeals?limit=1"))
    second = told(clerk.get(f"/staff/credit-appeals?limit=1&cursor={first['next']}"))
    assert [one["key"] for one in first["items"] + second["items"]] == keys
    assert second["next"] is None
    with reading() as session:
        looks = session.scalars(
            select(JournalEntry.for_resident_id)
            .where(JournalEntry.act == "credit.appeal_looked_at")
            .order_by(JournalEntry.id)
        ).all()
        assert looks == [town.resident.resident_id, town.neighbour.resident_id]


@pytest.mark.parametrize("path", ["decision", "excuse"])
def test_only_the_office_of_the_place_decides(
    door: Door, town: Town, centre: Centre, clock: StoppedClock, path: str
) -> None:
    stays_away(town.resident, centre, clock)
    key = appeals(door.phone(town.resident))
    said = {"because": "情况属实"} | ({"granted": True} if path == "decision" else {})
    grid = door.phone(town.grid_worker)
    assert waiting(grid) == []
    the_problem(grid.put(f"/staff/credit-entries/{key}/{path}", json=said), 404, "not_found")
    for who in (town.resident, town.partner_member):
        refused = door.phone(who).put(f"/staff/credit-entries/{key}/{path}", json=said)
        the_problem(refused, 403, "identity_unfit")
    the_problem(door.phone(town.resident).get("/staff/credit-appeals"), 403, "identity_unfit")
    clerk = door.phone(town.clerk)
    for wrong in ({}, said | {"because": " "}, said | {"because": "很" * 101}):
        the_problem(clerk.put(f"/staff/credit-entries/{key}/{path}", json=wrong), 422, "invalid")
