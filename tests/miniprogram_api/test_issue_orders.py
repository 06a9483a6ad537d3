"""The street over the wire: a wish handed on, given to a department, done or answered; meetings; and who reads nothing of it."""

from __future__ import annotations

import pytest

from models.base import transaction
from models.partners import Partner
from models.regions import Region
from models.staff import Role, grant
from models.wishes import approve_wish
from tests.claims import a_claimer, claims
from tests.people import Town, a_card, a_staff_member
from tests.phones import Door, the_problem, told
from tests.streets import (
    ANSWER,
    LIGHT,
    LIGHT_CARD,
    a_department,
    an_officer,
    assigns,
    converted,
    escalated,
    meets,
    wish_of,
)
from tests.wishes import CARD, by_staff, hung, say, somebody, wishes

CARD_SENT = {"title": LIGHT_CARD.title, "words": LIGHT_CARD.words}
MEETING = {"title": "四季度联席会议", "starts_at": "2026-12-10T09:00:00+08:00", "place": "街道三楼"}


def test_from_the_clerks_desk_over_the_street_to_a_department_and_done(door: Door, town: Town) -> None:
    wisher, department = somebody(town, "张大爷"), a_department(town.east_street, name="东街街道市政所")
    made = wishes(wisher, LIGHT)
    clerk, officer, phone = door.phone(town.clerk), door.phone(town.street_officer), door.phone(wisher)
    handed = told(clerk.put(f"/staff/wishes/{made.key}/conversion", json=CARD_SENT))
    again = told(clerk.put(f"/staff/wishes/{made.key}/conversion", json=CARD_SENT))
    assert (handed["key"], handed["state_label"], handed["source_label"]) == (
        again["key"],
        "待研究交办",
        "公共事项",
    )
    (waits,) = told(officer.get("/staff/issue-orders"))["items"]
    assert (waits["key"], waits["number"], waits["title"]) == (handed["key"], 1, LIGHT_CARD.title)
    assert "张" not in str(waits)
    whole = told(officer.get(f"/staff/issue-orders/{handed['key']}"))
    assert (whole["wish"]["name"], whole["wish"]["words"]) == ("张大爷", LIGHT.words)
    units = told(officer.get(f"/staff/departments?region={town.east_street.key}"))["items"]
    assert [one["name"] for one in units] == ["东街街道市政所"]
    assert units[0]["kind_label"] == "职能部门"
    given = told(
        officer.put(
            f"/staff/issue-orders/{handed['key']}/assignment",
            json={"partner": department.partner_key, "until": "2026-12-10"},
        )
    )
    assert (given["state_label"], given["claim"]["unit"], given["claim"]["until"]) == (
        "已交办",
        "东街街道市政所",
        "2026-12-10",
    )
    unit = door.phone(department)
    (claim,) = told(unit.get("/partner/claims"))["items"]
    assert (claim["wish"]["title"], claim["promised_on"]) == (LIGHT_CARD.title, "2026-12-10")
    told(unit.put(f"/partner/claims/{claim['key']}/lead", json={}))
    told(unit.put(f"/partner/claims/{claim['key']}/contact"))
    told(unit.put(f"/partner/claims/{claim['key']}/delivery", json={"evidence": "tap", "note": "换了灯"}))
    told(phone.put(f"/me/claims/{claim['key']}/confirmation"))
    (done,) = told(clerk.get("/staff/issue-orders?state=done"))["items"]
    assert done["state_label"] == "已办结"
    steps = [step["label"] for step in told(phone.get(f"/me/wishes/{made.key}"))["steps"]]
    assert {"转街道清单", "街道交办"} <= set(steps)


def test_the_journal_tells_who_wished_that_the_street_looked(door: Door, town: Town) -> None:
    wisher = somebody(town)
    order = converted(town, wisher)
    told(door.phone(town.street_officer).get(f"/staff/issue-orders/{order.key}"))
    journal = told(door.phone(wisher).get("/me/copy"))["oneself"]["journal"]
    assert "查看街道清单里的心愿" in {entry["act_label"] for entry in journal}


def test_what_cannot_be_done_is_read_by_who_wished(door: Door, town: Town) -> None:
    wisher = somebody(town)
    order = converted(town, wisher)
    officer = door.phone(town.street_officer)
    too_short = officer.put(f"/staff/issue-orders/{order.key}/answer", json={"because": "办不了"})
    assert the_problem(too_short, 409, "answer_unfit")["errors"][0]["field"] == "because"
    answered = told(officer.put(f"/staff/issue-orders/{order.key}/answer", json={"because": ANSWER}))
    assert (answered["state_label"], answered["because"]) == ("办不成，已书面说明", ANSWER)
    (mine,) = told(door.phone(wisher).get("/me/wishes"))["items"]
    assert (mine["state_label"], mine["because"]) == ("没能实现", ANSWER)


def test_an_item_goes_back_to_the_community_and_its_clerk_reads_why(door: Door, town: Town) -> None:
    order = converted(town, somebody(town))
    officer, clerk = door.phone(town.street_officer), door.phone(town.clerk)
    back = told(
        officer.put(f"/staff/issue-orders/{order.key}/sending-back", json={"because": "是住户自己的灯"})
    )
    assert (back["state_label"], back["due_at"]) == ("已退回社区", None)
    (mine,) = told(clerk.get("/staff/issue-orders?state=sent_back"))["items"]
    assert mine["because"] == "是住户自己的灯"
    assert len(told(clerk.get("/staff/wishes"))["items"]) == 1


def test_the_street_takes_an_assignment_back(door: Door, town: Town) -> None:
    order = converted(town, somebody(town))
    assigns(town, order, a_department(town.east_street))
    officer = door.phone(town.street_officer)
    back = told(officer.put(f"/staff/issue-orders/{order.key}/recall", json={"because": "请区里来办"}))
    assert (back["state"], back["claim"]["state"], back["claim"]["because"]) == (
        "waiting",
        "released",
        "请区里来办",
    )


def test_the_street_names_from_whom_it_takes_an_assignment_back(door: Door, town: Town) -> None:
    order, another = (converted(town, somebody(town)) for _ in range(2))
    claim, other = (assigns(town, one, a_department(town.east_street)) for one in (order, another))
    officer = door.phone(town.street_officer)
    recall = f"/staff/issue-orders/{order.key}/recall"
    foreign = officer.put(recall, json={"because": "请区里来办", "claim": other.key})
    assert the_problem(foreign, 409, "not_there")["errors"][0]["field"] == "claim"
    back = told(officer.put(recall, json={"because": "请区里来办", "claim": claim.key}))
    assert [(one["key"], one["state"]) for one in back["claims"]] == [(claim.key, "released")]


def test_a_unit_reads_that_it_was_the_street_that_gave_it_something(door: Door, town: Town) -> None:
    unit = a_claimer(town.wutong)
    assigns(town, escalated(town, somebody(town)), unit)
    claims(unit, hung(town, somebody(town)))
    listed = told(door.phone(unit).get("/partner/claims"))["items"]
    assert [one["is_assigned"] for one in listed] == [False, True]


@pytest.mark.parametrize("who", ["another unit", "nobody"])
def test_an_item_is_given_to_those_of_the_street_alone(door: Door, town: Town, who: str) -> None:
    order = converted(town, somebody(town))
    key = a_department(town.west_street).partner_key if who == "another unit" else "a" * 16
    answer = door.phone(town.street_officer).put(
        f"/staff/issue-orders/{order.key}/assignment", json={"partner": key, "until": "2026-12-10"}
    )
    assert the_problem(answer, 409, "not_there")["errors"][0]["field"] == "partner"


# --- who reads what -----------------------------------------------------------------------------------------------


def test_a_street_officer_reads_no_wish_that_does_not_lie_with_the_street(door: Door, town: Town) -> None:
    """domain.md §3: never the detail of what was not escalated."""
    waits, hangs = wishes(somebody(town), LIGHT), hung(town, somebody(town))
    back = converted(town, somebody(town))
    officer = door.phone(town.street_officer)
    assert told(officer.get("/staff/wishes"))["items"] == []
    for wish in (waits, hangs):
        the_problem(officer.get(f"/staff/wishes/{wish.key}"), 404, "not_found")
        the_problem(officer.put(f"/staff/wishes/{wish.key}/conversion", json=CARD_SENT), 404, "not_found")
    assert [one["key"] for one in told(officer.get("/staff/issue-orders"))["items"]] == [back.key]
    for path in ("/staff/claims", "/staff/residents"):
        answer = officer.get(path)
        assert not (answer.json or {}).get("items")


@pytest.mark.parametrize("how", ["sent back", "answered", "withdrawn"])
def test_the_street_reads_of_who_wished_nothing_more_once_the_item_lies_with_it_no_longer(
    door: Door, town: Town, how: str
) -> None:
    """domain.md §3: escalated items in full, nobody's detail otherwise; the item itself it may read on."""
    wisher = somebody(town, "张大爷")
    order = converted(town, wisher)
    officer, address = door.phone(town.street_officer), f"/staff/issue-orders/{order.key}"
    assert told(officer.get(address))["wish"]["name"] == "张大爷"
    said = {"sent back": ("sending-back", "是住户自己的灯"), "answered": ("answer", ANSWER)}.get(how)
    if said is None:
        assert door.phone(wisher).delete(f"/me/wishes/{wish_of(order).key}").status_code == 204
        ended = told(officer.get(address))
    else:
        ended = told(officer.put(f"{address}/{said[0]}", json={"because": said[1]}))
        assert told(officer.put(f"{address}/{said[0]}", json={"because": said[1]})) == ended
    for read in (ended, told(officer.get(address))):
        assert (read["wish"], read["title"]) == (None, LIGHT_CARD.title)
        assert "张大爷" not in str(read)
    looks = told(door.phone(wisher).get("/me/copy"))["oneself"]["journal"]
    assert [entry["act_label"] for entry in looks].count("查看街道清单里的心愿") == 1
    assert told(door.phone(town.clerk).get(address))["wish"]["name"] == "张大爷"


def test_who_also_runs_the_office_of_the_community_reads_on(door: Door, town: Town) -> None:
    order = converted(town, somebody(town, "张大爷"))
    with transaction() as session:
        officer = town.street_officer.member(session)
        grant(session, officer, Role.CLERK, session.get_one(Region, town.wutong.id))
    phone, address = door.phone(town.street_officer), f"/staff/issue-orders/{order.key}"
    told(phone.put(f"{address}/sending-back", json={"because": "是住户自己的灯"}))
    assert told(phone.get(address))["wish"]["name"] == "张大爷"


@pytest.mark.parametrize("who", ["officer next door", "clerk next door", "grid worker"])
def test_others_see_nothing_of_a_streets_list(door: Door, town: Town, who: str) -> None:
    order = converted(town, somebody(town))
    escalated(town, somebody(town))
    with transaction() as session:
        foreign = a_staff_member(session, Role.ADMIN, town.wangjiang)
    phone = door.phone(
        {
            "officer next door": an_officer(town.west_street),
            "clerk next door": foreign,
            "grid worker": town.grid_worker,
        }[who]
    )
    assert told(phone.get("/staff/issue-orders"))["items"] == []
    the_problem(phone.get(f"/staff/issue-orders/{order.key}"), 404, "not_found")
    for verb, said in {
        "recall": {"because": "换一家"},
        "sending-back": {"because": "换一家"},
        "answer": {"because": ANSWER},
        "assignment": {"partner": "a" * 16, "until": "2026-12-10"},
    }.items():
        the_problem(phone.put(f"/staff/issue-orders/{order.key}/{verb}", json=said), 404, "not_found")


def test_the_community_reads_its_own_items_and_decides_nothing_about_them(door: Door, town: Town) -> None:
    order = converted(town, somebody(town))
    clerk = door.phone(town.clerk)
    assert [one["key"] for one in told(clerk.get("/staff/issue-orders"))["items"]] == [order.key]
    assert told(clerk.get(f"/staff/issue-orders/{order.key}"))["state"] == "waiting"
    department = a_department(town.east_street)
    said = {"partner": department.partner_key, "until": "2026-12-10"}
    the_problem(clerk.put(f"/staff/issue-orders/{order.key}/assignment", json=said), 404, "not_found")
    the_problem(
        clerk.put(f"/staff/issue-orders/{order.key}/answer", json={"because": ANSWER}), 404, "not_found"
    )
    claim = assigns(town, order, department)
    the_problem(
        clerk.put(f"/staff/claims/{claim.key}/end", json={"because": "换一家"}), 403, "street_decides"
    )


def test_what_lies_with_the_street_hangs_on_no_wall(door: Door, town: Town) -> None:
    order = escalated(town, somebody(town))
    assert told(door.phone().get("/wishes"))["items"] == []
    with transaction() as session:
        key = session.get_one(type(order), order.id).wish.key
    the_problem(door.phone().get(f"/wishes/{key}"), 404, "not_found")


def test_a_card_that_tells_too_much_names_the_field(door: Door, town: Town) -> None:
    made = wishes(somebody(town), LIGHT)
    answer = door.phone(town.clerk).put(
        f"/staff/wishes/{made.key}/conversion", json={"title": "楼道灯", "words": "请打13812345678"}
    )
    assert {fault["field"] for fault in the_problem(answer, 409, "wish_card_unfit")["errors"]} == {"words"}


def test_what_hangs_may_be_handed_on_too(door: Door, town: Town) -> None:
    made = wishes(somebody(town), LIGHT)
    say(approve_wish, made, CARD, by=by_staff(town.clerk))
    handed = told(door.phone(town.clerk).put(f"/staff/wishes/{made.key}/conversion", json=CARD_SENT))
    assert handed["wish"]["state"] == "converted"
    assert handed["wish"]["kind"] == "public"


# --- meetings -----------------------------------------------------------------------------------------------------


def test_a_meeting_is_planned_changed_and_called_off(door: Door, town: Town) -> None:
    first, second = (converted(town, somebody(town)) for _ in range(2))
    officer = door.phone(town.street_officer)
    planned = told(
        officer.post("/staff/joint-meetings", json=MEETING | {"region": town.east_street.key}), 201
    )
    assert [one["number"] for one in planned["agenda"]] == [1, 2]
    key = planned["meeting"]["key"]
    changed = told(
        officer.put(f"/staff/joint-meetings/{key}", json=MEETING | {"place": "二楼", "orders": [second.key]})
    )
    assert (changed["meeting"]["place"], [one["key"] for one in changed["agenda"]]) == ("二楼", [second.key])
    (waits, _) = told(officer.get("/staff/issue-orders"))["items"]
    assert (waits["key"], waits["meeting"]) == (first.key, None)
    assert told(officer.get(f"/staff/joint-meetings/{key}")) == changed
    assert [one["key"] for one in told(officer.get("/staff/joint-meetings"))["items"]] == [key]
    off = told(officer.put(f"/staff/joint-meetings/{key}/cancellation", json={"because": "领导出差"}))
    assert (off["meeting"]["called_off_because"], off["agenda"]) == ("领导出差", [])
    the_problem(officer.put(f"/staff/joint-meetings/{key}", json=MEETING), 409, "meeting_over")


def test_a_meeting_is_about_items_of_its_own_street(door: Door, town: Town) -> None:
    answer = door.phone(town.street_officer).post(
        "/staff/joint-meetings", json=MEETING | {"region": town.east_street.key, "orders": ["a" * 16]}
    )
    assert the_problem(answer, 409, "not_there")["errors"][0]["field"] == "orders"


@pytest.mark.parametrize("where", ["west_street", "wutong", "district"])
def test_a_meeting_is_planned_for_a_street_of_ones_own(door: Door, town: Town, where: str) -> None:
    answer = door.phone(town.street_officer).post(
        "/staff/joint-meetings", json=MEETING | {"region": getattr(town, where).key}
    )
    assert the_problem(answer, 409, "not_there")["errors"][0]["field"] == "region"


def test_a_clerk_plans_no_meeting_of_the_street(door: Door, town: Town) -> None:
    clerk = door.phone(town.clerk)
    assert told(clerk.get("/staff/joint-meetings"))["items"] == []
    answer = clerk.post("/staff/joint-meetings", json=MEETING | {"region": town.east_street.key})
    the_problem(answer, 409, "not_there")


def test_a_unit_reads_the_meeting_its_message_leads_to(door: Door, town: Town) -> None:
    unit, other = a_claimer(town.wutong), a_claimer(town.wutong)
    first, second, waits = (escalated(town, somebody(town)) for _ in range(3))
    meeting = meets(town, orders=[first, second, waits])
    claim = assigns(town, first, unit)
    assigns(town, second, other)
    shown = told(door.phone(unit).get(f"/partner/joint-meetings/{meeting.key}"))
    assert (shown["meeting"]["title"], shown["meeting"]["place"]) == (meeting.title, meeting.place)
    assert shown["ours"] == [
        {
            "number": 1,
            "title": first.title,
            "state_label": "已交办",
            "claim": claim.key,
            "until": "2026-12-10",
        }
    ]
    assert shown["waiting"] == 1
    assert told(door.phone(unit).get("/partner/joint-meetings"))["items"] == [shown]
    page = told(door.phone(other).get("/partner/joint-meetings?limit=1"))
    assert [one["number"] for one in page["items"][0]["ours"]] == [2]
    elsewhere = door.phone(a_claimer(town.wangjiang))
    the_problem(elsewhere.get(f"/partner/joint-meetings/{meeting.key}"), 404, "not_found")
    the_problem(door.phone(town.clerk).get("/partner/joint-meetings"), 403, "identity_unfit")


# --- departments --------------------------------------------------------------------------------------------------


def test_a_department_is_written_down_by_the_street_and_somebody_joins_it(door: Door, town: Town) -> None:
    with transaction() as session:
        papers = a_card(session, town.east_street)
    said = {
        "name": "东街街道城管办",
        "credit_code": papers.credit_code,
        "region": town.east_street.key,
        "contact_name": "老李",
        "contact_phone": "13900000008",
    }
    officer = door.phone(town.street_officer)
    written = told(officer.post("/staff/departments", json=said), 201)
    assert (written["kind"], written["state"]) == ("department", "active")
    the_problem(
        officer.post("/staff/departments", json=said | {"credit_code": "1"}), 409, "credit_code_wrong"
    )
    the_problem(officer.post("/staff/departments", json=said | {"credit_code": ""}), 422, "invalid")
    code = told(officer.post(f"/staff/departments/{written['key']}/invitations"), 201)["code"]
    joined = told(door.phone(town.resident).post("/me/partner-memberships", json={"code": code}), 201)
    assert joined["key"] == written["key"]


def test_a_street_invites_to_its_own_departments_alone(door: Door, town: Town) -> None:
    with transaction() as session:
        key = session.get_one(Partner, a_department(town.west_street).partner_id).key
    officer = door.phone(town.street_officer)
    the_problem(officer.post(f"/staff/departments/{key}/invitations"), 404, "not_found")
    the_problem(
        officer.post(f"/staff/departments/{town.partner_member.partner_key}/invitations"), 404, "not_found"
    )
