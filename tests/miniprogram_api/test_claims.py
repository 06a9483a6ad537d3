"""Claims over the wire: from the wall to a rated fulfilment, and what nobody else reads on the way."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from miniprogram_api.rates import Rate, RateName
from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.journal import JournalEntry
from models.partners import Partner, PartnerState, pair
from models.regions import Region
from models.wishes import Wish, WishKind, WishWords, approve_wish
from models.wishes.claims import WISH_PROMISE, Level, SettledBy, rate_claim
from server.jobs.wishes import turn_wishes
from tests.claims import a_claimer, a_member, does, fulfilled
from tests.miniprogram_api.test_rates import limited
from tests.people import Person, Town, UnitMember
from tests.phones import Door, Phone, the_problem, told
from tests.sandbox import CHECK_TEXT
from tests.wishes import CARD, by_resident, by_staff, hung, say, somebody, wishes

COATS = WishWords("想要五件棉衣", WishKind.GOODS, quantity=5, value_yuan=100, may_share=True)
CALLS = WishWords("想请人教用手机", WishKind.SERVICE, may_share=True)


def promise(**more: Any) -> dict[str, Any]:
    """What a unit sends to take a wish on."""
    said: dict[str, Any] = told_promise() | {"plan": "周末两个人上门", "promised_on": "2026-11-30"}
    return said | more


def told_promise() -> dict[str, str]:
    """The version of the text a unit agrees to."""
    return {"promise": WISH_PROMISE.version}


def claims(phone: Phone, key: str, **more: Any) -> dict[str, Any]:
    """A unit takes a wish on."""
    claim: dict[str, Any] = told(phone.put(f"/partner/wishes/{key}/claim", json=promise(**more)))
    return claim


@pytest.fixture
def unit(town: Town) -> UnitMember:
    """Somebody of a unit that is paired with the community."""
    return a_claimer(town.wutong)


def test_from_the_wall_to_a_rated_fulfilment(door: Door, town: Town, unit: UnitMember) -> None:
    wisher = somebody(town, "张大爷")
    wish = hung(town, wisher, CALLS)
    lead, clerk, phone = door.phone(unit), door.phone(town.clerk), door.phone(wisher)
    (seen,) = told(lead.get("/partner/wishes"))["items"]
    assert (seen["key"], seen["parts_left"]) == (wish.key, 1)
    assert "张" not in str(seen)
    assert told(door.phone().get("/wish-promise"))["version"] == WISH_PROMISE.version

    made = claims(lead, wish.key)
    assert claims(lead, wish.key)["key"] == made["key"]
    assert (made["state_label"], made["next_step"]) == ("待社区确认", "社区正在看，一个工作日内答复")
    assert told(lead.get("/partner/wishes"))["items"] == []
    assert (
        told(phone.get(f"/me/wishes/{wish.key}"))["claims"] == []
    )  # nobody comes before the community agrees
    (waits,) = told(clerk.get("/staff/claims"))["items"]
    assert (waits["key"], waits["name"]) == (made["key"], "张*爷")
    told(clerk.put(f"/staff/claims/{made['key']}/agreement"))

    mine = told(phone.get(f"/me/wishes/{wish.key}"))
    (coming,) = mine["claims"]
    assert coming["unit"].startswith("共建单位")
    assert len(coming["code"]) == 6
    assert [step["label"] for step in mine["steps"][-3:]] == [
        "单位认领心愿",
        "每一份都有人认领",
        "社区同意认领",
    ]
    contacts = told(lead.get(f"/partner/claims/{made['key']}/contacts"))
    assert contacts["name"] == "张大爷"
    assert contacts["address"] == ""
    promised = told(lead.put(f"/partner/claims/{made['key']}/contact"))["promised_on"]
    expected = told(phone.get(f"/me/wishes/{wish.key}"))["now"]["expected_by"]
    assert (promised, expected) == ("2026-11-30", "2026-11-30T23:59:59+08:00")  # that day, not the next
    told(lead.put(f"/partner/claims/{made['key']}/extension", json={"to": "2026-12-03", "because": "缺人手"}))
    done = {"evidence": "tap", "note": "教会了挂号", "minutes": 90}
    assert told(lead.put(f"/partner/claims/{made['key']}/delivery", json=done))["state"] == "delivered"
    confirmed = told(phone.put(f"/me/claims/{made['key']}/confirmation"))
    assert (confirmed["state"], confirmed["next_step"]) == ("fulfilled", "办得怎么样，请您评价")
    rated = told(phone.put(f"/me/claims/{made['key']}/rating", json={"level": 5, "words": "很耐心"}))
    assert (rated["level"], rated["may_rate"]) == (5, False)
    assert rated["next_step"] == "已经评价了，谢谢您"  # nobody is asked for what they may not give

    assert told(lead.get(f"/partner/claims/{made['key']}"))["rating"] == "非常满意"
    assert told(phone.get(f"/me/wishes/{wish.key}"))["wish"]["state_label"] == "已圆梦"
    the_problem(lead.get(f"/partner/claims/{made['key']}/contacts"), 409, "claim_decided")
    looks = [step["label"] for step in told(phone.get(f"/me/wishes/{wish.key}"))["steps"]]
    assert "认领单位查看联系方式" in looks  # who wished sees that somebody looked


def test_the_code_the_resident_tells_is_their_word(door: Door, town: Town, unit: UnitMember) -> None:
    wisher = somebody(town)
    wish = hung(town, wisher)
    lead, phone = door.phone(unit), door.phone(wisher)
    made = claims(lead, wish.key)
    told(door.phone(town.clerk).put(f"/staff/claims/{made['key']}/agreement"))
    code = told(phone.get(f"/me/wishes/{wish.key}"))["claims"][0]["code"]
    assert "code" not in told(lead.get(f"/partner/claims/{made['key']}"))
    wrong = {"evidence": "code", "code": "000000" if code != "000000" else "111111"}
    problem = the_problem(
        lead.put(f"/partner/claims/{made['key']}/delivery", json=wrong), 409, "wish_code_wrong"
    )
    assert problem["errors"][0]["field"] == "code"
    right = {"evidence": "code", "code": code}
    assert told(lead.put(f"/partner/claims/{made['key']}/delivery", json=right))["state"] == "fulfilled"


def test_nobody_at_the_desk_guesses_the_code_and_what_needs_none_is_not_counted(
    door: Door, town: Town, unit: UnitMember
) -> None:
    made = claims(door.phone(unit), hung(town, somebody(town)).key)
    clerk, path = door.phone(town.clerk), f"/staff/claims/{made['key']}/delivery"
    told(clerk.put(f"/staff/claims/{made['key']}/agreement"))
    guess = {"evidence": "code", "code": "000000"}
    with limited(door, {RateName.WISH_CODES: Rate(2, 3600)}):
        for _ in range(2):
            clerk.put(path, json=guess)
        the_problem(clerk.put(path, json=guess), 429, "too_many_requests")
        the_problem(door.phone(town.admin).put(path, json=guess), 429, "too_many_requests")
        told(clerk.put(path, json={"evidence": "slip", "note": "本人签收"}))


def test_a_unit_reads_the_walls_of_its_own_communities_alone(door: Door, town: Town) -> None:
    wish = hung(town, somebody(town))
    stranger = door.phone(a_claimer(town.wangjiang))
    assert told(stranger.get("/partner/wishes"))["items"] == []
    the_problem(stranger.get(f"/partner/wishes?region={town.wutong.key}"), 404, "not_found")
    the_problem(stranger.put(f"/partner/wishes/{wish.key}/claim", json=promise()), 404, "not_found")


def test_a_wish_nobody_has_looked_at_is_nobodys_to_claim(door: Door, town: Town, unit: UnitMember) -> None:
    key = wishes(somebody(town)).key
    answer = door.phone(unit).put(f"/partner/wishes/{key}/claim", json=promise())
    the_problem(answer, 404, "not_found")


def test_who_comes_second_is_told_what_else_hangs_there(door: Door, town: Town, unit: UnitMember) -> None:
    wish, other = hung(town, somebody(town)), hung(town, somebody(town))
    claims(door.phone(unit), wish.key)
    second = door.phone(a_claimer(town.wutong))
    asked = door.sandbox.calls(CHECK_TEXT)
    problem = the_problem(second.put(f"/partner/wishes/{wish.key}/claim", json=promise()), 409, "wish_taken")
    assert door.sandbox.calls(CHECK_TEXT) == asked > 0  # nobody's words are looked at for a wish that is gone
    assert [one["key"] for one in problem["details"]["others"]] == [other.key]


def test_pieces_are_taken_by_several(door: Door, town: Town, unit: UnitMember) -> None:
    wish = hung(town, somebody(town), COATS)
    claims(door.phone(unit), wish.key, pieces=3)
    second = door.phone(a_claimer(town.wutong))
    (seen,) = told(second.get("/partner/wishes"))["items"]
    assert (seen["quantity"], seen["parts_left"]) == (5, 2)
    problem = the_problem(
        second.put(f"/partner/wishes/{wish.key}/claim", json=promise(pieces=3)), 409, "wish_pieces"
    )
    assert problem["details"]["left"] == 2


def test_the_promise_is_read_first(door: Door, town: Town, unit: UnitMember) -> None:
    wish = hung(town, somebody(town))
    said = promise()
    del said["promise"]
    problem = the_problem(
        door.phone(unit).put(f"/partner/wishes/{wish.key}/claim", json=said), 409, "promise_needed"
    )
    assert problem["details"]["version"] == WISH_PROMISE.version


def test_a_claimer_reads_no_contacts_after_release(door: Door, town: Town, unit: UnitMember) -> None:
    wish = hung(town, somebody(town), CALLS)
    lead, clerk = door.phone(unit), door.phone(town.clerk)
    made = claims(lead, wish.key)
    told(clerk.put(f"/staff/claims/{made['key']}/agreement"))
    told(lead.get(f"/partner/claims/{made['key']}/contacts"))
    told(clerk.put(f"/staff/claims/{made['key']}/end", json={"because": "换一家"}))
    the_problem(lead.get(f"/partner/claims/{made['key']}/contacts"), 409, "claim_decided")


def test_a_colleague_takes_the_lead_over_and_helps(door: Door, town: Town, unit: UnitMember) -> None:
    wish = hung(town, somebody(town), CALLS)
    lead, clerk, colleague = door.phone(unit), door.phone(town.clerk), door.phone(a_member(unit))
    made = claims(lead, wish.key)
    told(clerk.put(f"/staff/claims/{made['key']}/agreement"))
    the_problem(colleague.get(f"/partner/claims/{made['key']}/contacts"), 403, "lead_alone")
    told(colleague.put(f"/partner/claims/{made['key']}/lead", json={}))
    told(colleague.get(f"/partner/claims/{made['key']}/contacts"))
    other = door.phone(a_claimer(town.wutong))
    assert len(told(other.put(f"/partner/claims/{made['key']}/help"))["items"]) == 1
    assert len(told(lead.get(f"/partner/claims/{made['key']}/helpers"))["items"]) == 1
    assert other.delete(f"/partner/claims/{made['key']}/help").status_code == 204


def test_who_was_removed_reads_no_contacts_and_the_manager_does(
    door: Door, town: Town, unit: UnitMember
) -> None:
    manager, lead, clerk = door.phone(unit), door.phone(a_member(unit)), door.phone(town.clerk)
    key = claims(lead, hung(town, somebody(town, "张大爷"), CALLS).key)["key"]
    told(clerk.put(f"/staff/claims/{key}/agreement"))
    assert told(lead.get(f"/partner/claims/{key}/contacts"))["name"] == "张大爷"
    the_problem(manager.get(f"/partner/claims/{key}/contacts"), 403, "lead_alone")
    _, member = told(manager.get("/partner/members"))["items"]
    removed = manager.delete(f"/partner/members/{member['key']}")
    assert removed.status_code == 204, removed.text
    the_problem(lead.get(f"/partner/claims/{key}/contacts"), 404, "identity_unknown")
    assert told(manager.get(f"/partner/claims/{key}/contacts"))["name"] == "张大爷"


def test_who_leaves_or_is_removed_by_the_office_hands_on_what_they_led(
    door: Door, town: Town, unit: UnitMember
) -> None:
    clerk, there = door.phone(town.clerk), f"/staff/partners/{unit.partner_key}/members"
    eldest, phones = a_member(unit), [door.phone(unit), door.phone(a_member(unit))]
    led = []
    for phone in phones:
        key = claims(phone, hung(town, somebody(town), CALLS).key)["key"]
        told(clerk.put(f"/staff/claims/{key}/agreement"))
        led.append(key)
    left = phones[1].delete(f"/me/partner-memberships/{unit.partner_key}")
    assert left.status_code == 204, left.text
    assert told(phones[0].get(f"/partner/claims/{led[1]}/contacts"))
    first, _ = told(clerk.get(there))["items"]
    removed = clerk.delete(f"/staff/partner-members/{first['key']}")
    assert removed.status_code == 204, removed.text
    for key in led:
        assert told(door.phone(eldest).get(f"/partner/claims/{key}/contacts"))


def test_the_community_sends_a_wish_and_hands_it_on(door: Door, town: Town, unit: UnitMember) -> None:
    wish = hung(town, somebody(town))
    other = a_claimer(town.wutong)
    clerk, lead, second = door.phone(town.clerk), door.phone(unit), door.phone(other)
    sent = told(clerk.put(f"/staff/wishes/{wish.key}/dispatch", json={"partner": unit.partner_key}))
    assert sent["state_label"] == "待单位接单"
    told(lead.put(f"/partner/claims/{sent['key']}/acceptance", json=promise()))
    handed = told(
        clerk.put(
            f"/staff/claims/{sent['key']}/transfer",
            json={"partner": other.partner_key, "because": "离得近"},
        )
    )
    assert told(lead.get(f"/partner/claims/{sent['key']}"))["ended_because"] == "transferred"
    told(second.put(f"/partner/claims/{handed['key']}/refusal", json={"because": "没有人手"}))
    assert told(lead.get("/partner/wishes"))["items"][0]["key"] == wish.key
    problem = the_problem(
        clerk.put(f"/staff/wishes/{wish.key}/dispatch", json={"partner": town.clerk.key}), 409, "not_there"
    )
    assert problem["errors"][0]["field"] == "partner"


def test_a_wish_is_sent_to_a_unit_of_another_community_that_is_paired_with_this_one(
    door: Door, town: Town
) -> None:
    wish, unit, stranger = hung(town, somebody(town)), a_claimer(town.wangjiang), a_claimer(town.wangjiang)
    with transaction() as session:
        theirs = session.get_one(Partner, unit.partner_id)
        here = session.get_one(Region, town.wutong.id)
        pair(session, theirs, here, by_account_id=None, identity="town")
    clerk, dispatch = door.phone(town.clerk), f"/staff/wishes/{wish.key}/dispatch"
    the_problem(clerk.put(dispatch, json={"partner": stranger.partner_key}), 409, "not_there")
    sent = told(clerk.put(dispatch, json={"partner": unit.partner_key}))
    taken = told(door.phone(unit).put(f"/partner/claims/{sent['key']}/acceptance", json=promise()))
    assert taken["state"] == "in_progress"


def test_a_grid_worker_hears_it_on_a_visit(door: Door, town: Town, unit: UnitMember) -> None:
    wisher = town.resident
    wish = wishes(wisher)
    say(approve_wish, wish, CARD, by=by_staff(town.clerk))
    lead, clerk, visitor = door.phone(unit), door.phone(town.clerk), door.phone(town.grid_worker)
    made = claims(lead, wish.key)
    told(clerk.put(f"/staff/claims/{made['key']}/agreement"))
    told(clerk.put(f"/staff/claims/{made['key']}/contact"))
    told(clerk.put(f"/staff/claims/{made['key']}/delivery", json={"evidence": "slip", "note": "本人签收"}))
    said = {"how": "visit", "note": "还差一个配件"}
    assert told(visitor.put(f"/staff/claims/{made['key']}/dispute", json=said))["state"] == "in_progress"
    told(lead.put(f"/partner/claims/{made['key']}/delivery", json={"evidence": "tap"}))
    told(visitor.put(f"/staff/claims/{made['key']}/confirmation", json=said | {"note": "好了"}))
    told(visitor.put(f"/staff/claims/{made['key']}/rating", json={"level": 2, "how": "visit"}))
    told(clerk.put(f"/staff/claims/{made['key']}/care-call", json={"note": "已道歉"}))
    mended = told(clerk.put(f"/staff/claims/{made['key']}/mending", json={"note": "换了新的"}))
    assert mended["care"]["mended_at"] is not None
    assert told(door.phone(wisher).put(f"/me/claims/{made['key']}/rating", json={"level": 4}))["level"] == 4


def test_who_visits_finds_whom_to_ask_whether_it_is_done(
    door: Door, town: Town, unit: UnitMember, clock: StoppedClock
) -> None:
    claim = claims(door.phone(unit), hung(town, somebody(town, "张大爷"), CALLS).key)
    lead, clerk, visitor = door.phone(unit), door.phone(town.clerk), door.phone(town.grid_worker)
    told(clerk.put(f"/staff/claims/{claim['key']}/agreement"))
    told(lead.put(f"/partner/claims/{claim['key']}/contact"))
    there, whom = "/staff/claims?state=delivered&overdue=true", f"/staff/claims/{claim['key']}/contacts"
    the_problem(clerk.get(whom), 409, "claim_decided")
    told(lead.put(f"/partner/claims/{claim['key']}/delivery", json={"evidence": "tap"}))
    assert told(visitor.get(there))["items"] == []
    clock.advance(days=15)
    piles = told(visitor.get("/staff/desk"))["items"]
    assert {"name": "wishes_to_visit", "title": "送达待核实", "number": 1} in piles
    assert [one["key"] for one in told(visitor.get(there))["items"]] == [claim["key"]]
    assert told(visitor.get(f"/staff/claims/{claim['key']}"))["name"] == "张*爷"
    assert told(visitor.get(whom))["name"] == "张大爷"
    with reading() as session:
        looks = select(JournalEntry.identity).where(JournalEntry.act == "claim.visit_looked_at")
        assert session.scalars(looks).all() == [town.grid_worker.identity]
    told(visitor.put(f"/staff/claims/{claim['key']}/confirmation", json={"how": "visit", "note": "好了"}))
    assert visitor.get(f"/staff/claims/{claim['key']}").status_code == 404  # done: it is the office's again
    assert told(visitor.get("/staff/claims"))["items"] == []


def test_who_moved_away_is_asked_by_the_community_that_looked_after_the_wish(
    door: Door, town: Town, unit: UnitMember
) -> None:
    """E9."""
    wisher = somebody(town)
    claim = claims(door.phone(unit), hung(town, wisher, CALLS).key)
    lead, clerk = door.phone(unit), door.phone(town.clerk)
    told(clerk.put(f"/staff/claims/{claim['key']}/agreement"))
    told(lead.put(f"/partner/claims/{claim['key']}/contact"))
    told(lead.put(f"/partner/claims/{claim['key']}/delivery", json={"evidence": "tap"}))
    with transaction() as session:
        wisher.resident(session).move_home(session.get_one(Region, town.wangjiang.id))
    heard = {"how": "call", "note": "电话里说办好了"}
    assert told(clerk.put(f"/staff/claims/{claim['key']}/confirmation", json=heard))["state"] == "fulfilled"


def test_a_suspended_unit_claims_nothing(door: Door, town: Town, unit: UnitMember) -> None:
    """E19."""
    wish = hung(town, somebody(town))
    with transaction() as session:
        session.get_one(Partner, unit.partner_id).state = PartnerState.SUSPENDED
    the_problem(
        door.phone(unit).put(f"/partner/wishes/{wish.key}/claim", json=promise()), 403, "partner_suspended"
    )


def test_somebody_elses_claim_is_nobodys_to_confirm(door: Door, town: Town, unit: UnitMember) -> None:
    wish = hung(town, somebody(town))
    made = claims(door.phone(unit), wish.key)
    stranger: Person = town.neighbour
    for deed in ("confirmation", "dispute", "rating"):
        body = {"because": "没有"} if deed == "dispute" else {"level": 5} if deed == "rating" else {}
        the_problem(door.phone(stranger).put(f"/me/claims/{made['key']}/{deed}", json=body), 404, "not_found")


def test_who_wished_reads_at_every_step_who_has_it(door: Door, town: Town, unit: UnitMember) -> None:
    wisher = somebody(town)
    wish = hung(town, wisher, CALLS)
    lead, clerk, phone = door.phone(unit), door.phone(town.clerk), door.phone(wisher)

    def now() -> tuple[str, str]:
        standing = told(phone.get(f"/me/wishes/{wish.key}"))["now"]
        return standing["desk_label"], standing["next_step"]

    made = claims(lead, wish.key)
    assert now() == ("社区", "有单位认领了，等社区确认")  # who, is told once the community agrees
    told(clerk.put(f"/staff/claims/{made['key']}/agreement"))
    name = told(phone.get(f"/me/wishes/{wish.key}"))["claims"][0]["unit"]
    assert now() == ("认领单位", f"等{name}联系您")
    told(lead.put(f"/partner/claims/{made['key']}/contact"))
    assert now() == ("认领单位", f"{name}正在办")
    told(lead.put(f"/partner/claims/{made['key']}/delivery", json={"evidence": "tap", "minutes": 10}))
    assert now() == ("您", f"{name}说办好了，请您确认")
    the_problem(phone.post(f"/me/wishes/{wish.key}/urge"), 409, "waits_for_you")
    told(phone.put(f"/me/claims/{made['key']}/confirmation"))
    assert now() == ("您", "办得怎么样，请您评价")
    told(phone.put(f"/me/claims/{made['key']}/rating", json={"level": 5}))
    assert now() == ("", "已经圆梦，谢谢您")


def test_what_went_to_the_street_is_no_units_to_claim(
    door: Door, town: Town, unit: UnitMember, clock: StoppedClock
) -> None:
    wish = hung(town, somebody(town))
    for _ in range(2):
        clock.advance(days=15)
        turn_wishes(town_clock.now())
    later = promise(promised_on=(town_clock.today() + timedelta(days=5)).isoformat())
    problem = the_problem(
        door.phone(unit).put(f"/partner/wishes/{wish.key}/claim", json=later), 409, "wish_taken"
    )
    assert problem["detail"] == "这个心愿由街道交办了，谢谢您"


def test_units_look_through_the_wall_in_the_order_they_want(
    door: Door, town: Town, unit: UnitMember, clock: StoppedClock
) -> None:
    old = hung(town, somebody(town))
    clock.advance(hours=1)
    new = hung(town, somebody(town))
    with transaction() as session:
        session.get_one(Wish, old.id).priority = 1
    for phone, wall in ((door.phone(unit), "/partner/wishes"), (door.phone(), "/wishes")):
        for order, wanted in (("", [old, new]), ("newest", [new, old]), ("ending", [old, new])):
            said = f"&order={order}" if order else ""
            first = told(phone.get(f"{wall}?limit=1{said}"))
            second = told(phone.get(f"{wall}?limit=1{said}&cursor={first['next']}"))
            assert [page["items"][0]["key"] for page in (first, second)] == [wish.key for wish in wanted]
            assert second["next"] is None
        other = told(phone.get(f"{wall}?limit=1&order=newest"))["next"]
        problem = the_problem(phone.get(f"{wall}?order=ending&cursor={other}"), 409, "sorted_otherwise")
        assert [error["field"] for error in problem["errors"]] == ["cursor"]
        the_problem(phone.get(f"{wall}?order=cheapest"), 422, "invalid")


def test_the_office_lists_who_is_unhappy_and_the_street_who_was_not_called_in_time(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    """What is due first first, a page at a time; what they said is read in none of the lists."""
    unhappy = []
    for _ in range(3):
        whose = somebody(town)
        claim = fulfilled(town, a_claimer(town.wutong), hung(town, whose), whose)
        does(rate_claim, claim, Level.UNHAPPY, "迟到两次", SettledBy.RESIDENT, by=by_resident(whose))
        unhappy.append(claim.key)
        clock.advance(hours=1)
    content = fulfilled(town, a_claimer(town.wutong), hung(town, whose := somebody(town)), whose)
    does(rate_claim, content, Level.HAPPY, "", SettledBy.RESIDENT, by=by_resident(whose))
    clerk, officer = door.phone(town.clerk), door.phone(town.street_officer)
    told(
        clerk.put(f"/staff/claims/{unhappy[0]}/care-call", json={"note": "再去一次"})
    )  # fifteen days from now on

    def listed(phone: Phone, query: str = "") -> list[str]:
        found, cursor = [], ""
        while True:
            page = told(phone.get(f"/staff/claims?unhappy=true&limit=2{query}{cursor}"))
            assert "迟到两次" not in json.dumps(page, ensure_ascii=False)
            found += [one["key"] for one in page["items"]]
            if page["next"] is None:
                return found
            cursor = f"&cursor={page['next']}"

    assert listed(clerk) == [unhappy[1], unhappy[2], unhappy[0]]
    assert (listed(officer), listed(clerk, "&overdue=true")) == ([], [])
    clock.advance(days=4)
    for phone in (clerk, officer):
        assert listed(phone, "&overdue=true") == unhappy[1:]
        piles = told(phone.get("/staff/desk"))["items"]
        assert {"name": "unhappy_overdue", "title": "超期的差评", "number": 2} in piles
    assert listed(officer) == []
    assert told(clerk.get(f"/staff/claims/{unhappy[1]}"))["care"]["words"] == "迟到两次"
    other = told(clerk.get("/staff/claims?state=fulfilled&limit=1"))["next"]
    the_problem(clerk.get(f"/staff/claims?unhappy=true&cursor={other}"), 422, "invalid")


def test_the_street_lists_what_a_unit_did_not_bring_in_time_and_reads_no_more_of_it(
    door: Door, town: Town, unit: UnitMember, clock: StoppedClock
) -> None:
    claim = claims(door.phone(unit), hung(town, somebody(town), CALLS).key)
    clerk, officer = door.phone(town.clerk), door.phone(town.street_officer)
    told(clerk.put(f"/staff/claims/{claim['key']}/agreement"))
    late = "/staff/claims?state=in_progress&overdue=true"
    assert told(clerk.get(late))["items"] == []
    told(door.phone(unit).put(f"/partner/claims/{claim['key']}/contact"))
    clock.advance(days=12)  # it was promised for the tenth day
    for phone in (clerk, officer):
        assert [one["key"] for one in told(phone.get(late))["items"]] == [claim["key"]]
        piles = told(phone.get("/staff/desk"))["items"]
        assert {"name": "claims_late", "title": "超期的认领", "number": 1} in piles
    assert told(officer.get("/staff/claims?state=in_progress"))["items"] == []
    assert officer.get(f"/staff/claims/{claim['key']}").status_code == 404
