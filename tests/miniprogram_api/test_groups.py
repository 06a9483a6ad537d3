"""Groups over the wire: what a resident asks for and hands over, and what staff see and decide."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from models.base import reading, transaction
from models.groups import Group, GroupState
from models.journal import JournalEntry
from tests.people import Person, Town, a_resident
from tests.phones import Door, Phone, the_problem, told
from tests.sandbox import CHECK_TEXT

SINGING = {"name": "梧桐合唱团", "kind": "chorus", "members": 18, "about": "每周三下午排练"}
UNTIL = "2026-11-30"


def asks(phone: Phone, words: dict[str, Any] = SINGING, *, attempt: str = "1") -> dict[str, Any]:
    answer = phone.post("/me/groups", json=words, headers={"Idempotency-Key": attempt})
    group: dict[str, Any] = told(answer, 201)
    return group


def just_opened(door: Door, who: Person) -> Phone:
    """The phone of somebody who opened the mini-program a moment ago, so that WeChat looks at what they write."""
    door.sandbox.login_code(who.openid)
    return door.phone(who)


def test_somebody_founds_a_group_and_a_retried_tap_is_the_same_group(door: Door, town: Town) -> None:
    phone = just_opened(door, town.resident)
    group = asks(phone)
    assert asks(phone) == group
    assert (group["state_label"], group["members"], group["words_in_review"]) == ("待审核", 18, False)
    assert group["community"]["name"] == town.wutong.name
    (listed,) = told(phone.get("/me/groups"))["items"]
    assert listed["key"] == group["key"]
    assert told(door.phone(town.neighbour).get("/me/groups"))["items"] == []


def test_staff_decide_and_see_who_leads_without_the_whole_number(door: Door, town: Town) -> None:
    key, clerk = asks(just_opened(door, town.resident))["key"], door.phone(town.clerk)
    (listed,) = told(clerk.get("/staff/groups"))["items"]
    assert listed["leader"] == {"key": town.resident.key, "name": "陈静", "masked_phone": "139******01"}
    assert told(clerk.put(f"/staff/groups/{key}/approval"))["state"] == "approved"
    said = {"because": "损坏了音响", "until": UNTIL}
    suspended = told(clerk.put(f"/staff/groups/{key}/suspension", json=said))["group"]
    assert (suspended["state_label"], suspended["suspended_until"]) == ("已暂停", UNTIL)
    assert told(clerk.delete(f"/staff/groups/{key}/suspension"))["state"] == "approved"
    over = told(clerk.put(f"/staff/groups/{key}/disbanding", json={"because": "不活动了"}))["group"]
    assert (over["state"], over["reason"]) == ("disbanded", "不活动了")
    assert told(clerk.get("/staff/groups?state=disbanded"))["items"][0]["key"] == key
    the_problem(clerk.put(f"/staff/groups/{key}/rejection", json={"because": "晚了"}), 409, "group_settled")


def test_every_look_at_who_leads_is_journalled_for_them(door: Door, town: Town) -> None:
    asks(door.phone(town.resident))
    told(door.phone(town.clerk).get("/staff/groups"))
    with reading() as session:
        looked = session.scalars(select(JournalEntry).where(JournalEntry.act == "group.looked_at")).one()
        assert (looked.for_resident_id, looked.identity) == (town.resident.resident_id, town.clerk.identity)


def test_groups_are_listed_page_by_page_and_each_office_sees_its_own(door: Door, town: Town) -> None:
    for n in range(3):
        asks(door.phone(town.resident), SINGING | {"name": f"{n}队"}, attempt=str(n))
    asks(door.phone(town.outsider))
    clerk = door.phone(town.clerk)
    first = told(clerk.get("/staff/groups?limit=2"))
    second = told(clerk.get(f"/staff/groups?limit=2&cursor={first['next']}"))
    assert [group["name"] for group in first["items"] + second["items"]] == ["0队", "1队", "2队"]
    assert second["next"] is None


def test_what_was_said_is_corrected_and_taken_back(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    key = asks(phone)["key"]
    bare = told(phone.put(f"/me/groups/{key}", json=SINGING | {"about": None, "members": 20}))
    assert (bare["about"], bare["members"]) == ("", 20)
    for _ in range(2):
        assert phone.delete(f"/me/groups/{key}").status_code == 204
    the_problem(phone.put(f"/me/groups/{key}", json=SINGING), 409, "group_decided")
    the_problem(door.phone(town.neighbour).delete(f"/me/groups/{key}"), 404, "no_group")


def test_a_leader_hands_over_with_a_code(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    key = asks(phone)["key"]
    offered = told(phone.post(f"/me/groups/{key}/handover-codes"), 201)
    taken = door.phone(town.neighbour).post("/me/group-leaderships", json={"code": offered["code"]})
    assert told(taken, 201)["key"] == key
    the_problem(phone.post(f"/me/groups/{key}/handover-codes"), 404, "no_group")
    again = door.phone(town.guardian).post("/me/group-leaderships", json={"code": offered["code"]})
    the_problem(again, 409, "invitation_invalid")


def test_risky_words_are_refused_at_their_field_and_doubtful_ones_wait_for_a_clerk(
    door: Door, town: Town
) -> None:
    phone = just_opened(door, town.resident)
    problem = the_problem(
        phone.post("/me/groups", json=SINGING | {"about": "赌博平台"}), 422, "content_risky"
    )
    assert [error["field"] for error in problem["errors"]] == ["about"]
    door.sandbox.fault(CHECK_TEXT, http_status=502, times=9)
    group = asks(phone)
    assert group["words_in_review"]
    clerk = door.phone(town.clerk)
    the_problem(clerk.put(f"/staff/groups/{group['key']}/approval"), 409, "group_words_wait")
    for check in told(clerk.get("/staff/content-checks"))["items"]:
        told(clerk.put(f"/staff/content-checks/{check['key']}/decision", json={"decision": "approve"}))
    assert told(clerk.put(f"/staff/groups/{group['key']}/approval"))["state"] == "approved"


def test_who_may_lead_no_group_is_told_before_wechat_is_asked(door: Door, town: Town) -> None:
    with transaction() as session:
        child = a_resident(session, town.wutong, birth_year=2012)
    asked = door.sandbox.calls(CHECK_TEXT)
    the_problem(door.phone(child).post("/me/groups", json=SINGING), 409, "group_leader_unfit")
    assert door.sandbox.calls(CHECK_TEXT) == asked


def test_the_counter_enters_a_group_and_names_another_leader(door: Door, town: Town) -> None:
    clerk = door.phone(town.clerk)
    entered = clerk.post("/staff/groups", json=SINGING | {"leader": town.resident.key})
    key = told(entered, 201)["key"]
    led = told(clerk.put(f"/staff/groups/{key}/leader", json={"leader": town.neighbour.key}))
    assert led["leader"]["key"] == town.neighbour.key
    for whom in (town.outsider.key, "a" * 16):
        problem = the_problem(
            clerk.post("/staff/groups", json=SINGING | {"leader": whom, "name": "二队"}), 409, "not_there"
        )
        assert [error["field"] for error in problem["errors"]] == ["leader"]
    grid = door.phone(town.grid_worker)  # who looks after people, and runs no office
    the_problem(grid.post("/staff/groups", json=SINGING | {"leader": town.guardian.key}), 409, "not_there")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "很" * 21}, "name"),
        ({"name": " "}, "name"),
        ({"kind": "choir"}, "kind"),
        ({"members": 0}, "members"),
        ({"members": 1001}, "members"),
        ({"members": "12"}, "members"),
        ({"about": "很" * 201}, "about"),
        ({"leader": "a" * 16}, "leader"),
    ],
)
def test_what_cannot_be_a_group_is_named_at_its_field(
    door: Door, town: Town, wrong: dict[str, Any], field: str
) -> None:
    problem = the_problem(door.phone(town.resident).post("/me/groups", json=SINGING | wrong), 422, "invalid")
    assert [error["field"] for error in problem["errors"]] == [field]


def test_closing_tells_what_becomes_of_a_group_and_the_copy_holds_it(door: Door, town: Town) -> None:
    phone = just_opened(door, town.resident)
    key = asks(phone)["key"]
    (shown,) = told(phone.get("/me/closure"))["groups"]
    assert (shown["key"], shown["becomes_label"]) == (key, "撤回申请")
    told(door.phone(town.clerk).put(f"/staff/groups/{key}/approval"))
    (shown,) = told(phone.get("/me/closure"))["groups"]
    assert shown["becomes_label"].startswith("团队保留")
    (copied,) = told(phone.get("/me/copy"))["oneself"]["groups"]
    assert (copied["name"], copied["state"]) == ("梧桐合唱团", "approved")
    with reading() as session:
        assert session.scalars(select(Group.state)).all() == [GroupState.APPROVED]
