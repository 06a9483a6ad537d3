"""One's own unit over the wire: applied for, approved, joined, renewed, suspended, and what its members see of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import clock
from models.base import reading, transaction
from models.journal import JournalEntry
from models.partners import HourSubject, Partner, PartnerKind, PartnerMember, Served, enlist_unit, write_hours
from models.staff import Role
from tests.claims import a_member
from tests.people import Town, UnitMember, Worker, a_card, a_member_of, a_staff_member, a_unit
from tests.phones import Door, Phone, the_problem, told

STUDIO = "91350100M000100Y43"
BECAUSE = {"because": "两次没有送到"}


@pytest.fixture
def card(town: Town) -> dict[str, Any]:
    """What somebody copies from the papers of their studio."""
    return {
        "name": "光影工作室",
        "kind": "public_good",
        "credit_code": STUDIO,
        "region": town.wutong.key,
        "contact_name": "老秦",
        "contact_phone": "13900000010",
    }


@pytest.fixture
def unit(town: Town) -> UnitMember:
    """A unit of the first community and its manager."""
    with transaction() as session:
        return a_member_of(session, a_unit(session, town.wutong))


def gone(answer: TestResponse) -> None:
    assert answer.status_code == 204, answer.text


def unit_member_key(who: UnitMember) -> str:
    """The key under which colleagues list somebody."""
    with reading() as session:
        return session.scalars(
            select(PartnerMember.key).where(
                PartnerMember.partner_id == who.partner_id, PartnerMember.account_id == who.account_id
            )
        ).one()


def applies(phone: Phone, card: dict[str, Any], *, attempt: str = "1") -> dict[str, Any]:
    answer = phone.post("/me/partner-applications", json=card, headers={"Idempotency-Key": attempt})
    asked: dict[str, Any] = told(answer, 201)
    return asked


def test_an_applicant_is_approved_and_acts_for_the_unit(door: Door, town: Town, card: dict[str, Any]) -> None:
    phone, clerk = door.phone(town.resident), door.phone(town.clerk)
    asked = applies(phone, card)
    assert applies(phone, card) == asked
    assert (asked["state"], asked["state_label"], asked["masked_phone"]) == (
        "applied",
        "待审核",
        "139******10",
    )
    assert told(phone.get("/me"))["identities"] == []
    (waits,) = told(clerk.get("/staff/partners?state=applied"))["items"]
    (pile,) = [one for one in told(clerk.get("/staff/desk"))["items"] if one["name"] == "partners"]
    assert (waits["key"], pile["number"]) == (asked["key"], 1)
    approved = told(clerk.put(f"/staff/partners/{asked['key']}/approval"))
    assert (approved["state"], approved["renewed_until"]) == ("active", "2027-11-20")
    (identity,) = told(phone.get("/me"))["identities"]
    assert (identity["identity"], identity["state"]) == (f"partner:{asked['key']}", "active")
    own = phone.wearing(identity["identity"])
    assert told(own.get("/partner"))["contact_phone"] == "13900000010"
    (pairing,) = told(own.get("/partner/pairings"))["items"]
    assert (pairing["region"]["key"], pairing["state"]) == (town.wutong.key, "active")
    (oneself,) = told(own.get("/partner/members"))["items"]
    assert (oneself["masked_name"], oneself["is_manager"]) == ("*静", True)
    (mine,) = told(phone.get("/me/partner-applications"))["items"]
    assert mine["state"] == "active"


def test_a_rejected_applicant_reads_why_and_applies_again(
    door: Door, town: Town, card: dict[str, Any]
) -> None:
    phone, clerk = door.phone(town.resident), door.phone(town.clerk)
    key = applies(phone, card)["key"]
    the_problem(door.phone(town.neighbour).post("/me/partner-applications", json=card), 409, "unit_known")
    told(clerk.put(f"/staff/partners/{key}/rejection", json={"because": "请补营业执照"}))
    the_problem(clerk.put(f"/staff/partners/{key}/approval"), 409, "partner_settled")
    (mine,) = told(phone.get("/me/partner-applications"))["items"]
    assert (mine["state_label"], mine["reason"]) == ("未通过", "请补营业执照")
    assert applies(phone, card, attempt="2")["key"] != key


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"credit_code": STUDIO[:-1] + "4"}, "credit_code_wrong", "credit_code"),
        ({"credit_code": None}, "credit_code_needed", "credit_code"),
        ({"kind": "branch"}, "credit_code_unneeded", "credit_code"),
        ({"region": "a" * 16}, "not_there", "region"),
        ({"contact_phone": "12345"}, "invalid", "contact_phone"),
        ({"name": ""}, "invalid", "name"),
        ({"kind": "department"}, "invalid", "kind"),
    ],
)
def test_what_cannot_be_of_a_unit_is_named_at_its_field(
    door: Door, town: Town, card: dict[str, Any], wrong: dict[str, Any], code: str, field: str
) -> None:
    answer = door.phone(town.resident).post("/me/partner-applications", json=card | wrong)
    problem = the_problem(answer, 422 if code == "invalid" else 409, code)
    assert [error["field"] for error in problem["errors"]] == [field]


def test_an_application_is_offered_every_kind_but_a_department_and_a_correction_keeps_one(
    door: Door, town: Town, card: dict[str, Any]
) -> None:
    shapes = door.app.test_client().get("/api/openapi.json").get_json()["components"]["schemas"]
    offered = {
        name: shapes[name]["properties"]["kind"]["enum"] for name in ("PartnerApplicationIn", "PartnerIn")
    }
    assert offered["PartnerApplicationIn"] == ["unit", "neighbour", "public_good", "branch"]
    assert "department" in offered["PartnerIn"]
    with transaction() as session:
        department = enlist_unit(
            session,
            replace(a_card(session, town.wutong), kind=PartnerKind.DEPARTMENT),
            by_account_id=None,
            identity="town",
        ).key
    corrected = card | {"kind": "department"}
    clerk = door.phone(town.clerk)
    assert told(clerk.put(f"/staff/partners/{department}", json=corrected))["kind"] == "department"


def test_a_party_branch_comes_on_board_without_a_code(door: Door, town: Town, card: dict[str, Any]) -> None:
    branch = card | {"kind": "branch", "name": "区税务局党支部"}
    del branch["credit_code"]
    asked = applies(door.phone(town.resident), branch)
    assert (asked["kind_label"], asked["credit_code"]) == ("党支部", None)
    told(door.phone(town.clerk).post("/staff/partners", json=branch | {"name": "区医院党支部"}), 201)


def test_a_colleague_joins_with_a_code_manages_and_the_first_one_leaves(
    door: Door, town: Town, unit: UnitMember
) -> None:
    manager, phone = door.phone(unit), door.phone(town.resident)
    invitation = told(manager.post("/partner/invitations"), 201)
    assert len(invitation["code"]) == 8
    joined = told(phone.post("/me/partner-memberships", json={"code": invitation["code"]}), 201)
    assert joined["key"] == unit.partner_key
    colleague = phone.wearing(unit.identity)
    the_problem(colleague.post("/partner/invitations"), 403, "manager_needed")
    the_problem(colleague.delete("/partner/invitations"), 403, "manager_needed")
    first, second = told(colleague.get("/partner/members"))["items"]
    the_problem(colleague.delete(f"/partner/members/{first['key']}"), 403, "manager_needed")
    the_problem(manager.delete(f"/me/partner-memberships/{unit.partner_key}"), 409, "last_manager")
    named = told(manager.put(f"/partner/members/{second['key']}/management"))["items"]
    assert [one["is_manager"] for one in named] == [True, True]
    gone(manager.delete(f"/me/partner-memberships/{unit.partner_key}"))
    the_problem(manager.get("/partner"), 404, "identity_unknown")
    (left,) = told(colleague.get("/partner/members"))["items"]
    assert (left["masked_name"], left["masked_phone"]) == ("*静", "139******01")


def test_the_only_manager_reads_who_follows_and_goes(door: Door, town: Town, unit: UnitMember) -> None:
    manager, mine = door.phone(unit), f"/me/partner-memberships/{unit.partner_key}"
    alone = the_problem(manager.delete(mine), 409, "last_manager")
    assert (alone["details"], "联系社区" in alone["detail"]) == ({"successor": None}, True)
    colleague = door.phone(a_member(unit))
    _, second = told(manager.get("/partner/members"))["items"]
    asked = the_problem(manager.delete(mine), 409, "last_manager")
    assert asked["details"] == {"successor": second["key"]}
    the_problem(manager.delete(f"/partner/members/{unit_member_key(unit)}"), 409, "last_manager")
    the_problem(manager.delete(f"{mine}?successor={'a' * 16}"), 409, "last_manager")
    gone(manager.delete(f"{mine}?successor={second['key']}"))
    the_problem(manager.delete(f"{mine}?successor={second['key']}"), 404, "identity_unknown")
    (left,) = told(colleague.get("/partner/members"))["items"]
    assert (left["key"], left["is_manager"]) == (second["key"], True)


def test_a_code_that_was_taken_back_is_worth_nothing(door: Door, town: Town, unit: UnitMember) -> None:
    code = told(door.phone(unit).post("/partner/invitations"), 201)["code"]
    gone(door.phone(unit).delete("/partner/invitations"))
    answer = door.phone(town.resident).post("/me/partner-memberships", json={"code": code})
    the_problem(answer, 409, "invitation_invalid")
    answer = door.phone(town.resident).post("/me/partner-memberships", json={"code": "1234"})
    the_problem(answer, 422, "invalid")


def test_staff_invite_look_at_and_remove_members(door: Door, town: Town, unit: UnitMember) -> None:
    clerk, there = door.phone(town.clerk), f"/staff/partners/{unit.partner_key}"
    code = told(clerk.post(f"{there}/invitations"), 201)["code"]
    told(door.phone(town.resident).post("/me/partner-memberships", json={"code": code}), 201)
    first, _ = told(clerk.get(f"{there}/members"))["items"]
    gone(clerk.delete(f"/staff/partner-members/{first['key']}"))
    (left,) = told(clerk.get(f"{there}/members"))["items"]
    assert (left["masked_name"], left["is_manager"]) == ("*静", True)
    told(clerk.post(f"{there}/invitations"), 201)
    gone(clerk.delete(f"{there}/invitations"))
    with reading() as session:
        looked = select(JournalEntry).where(JournalEntry.act == "partner.members_looked_at")
        assert {one.identity for one in session.scalars(looked)} == {town.clerk.identity}


def test_the_identity_of_a_suspended_unit_looks_and_changes_nothing(
    door: Door, town: Town, unit: UnitMember
) -> None:
    """E19, its first half."""
    clerk, phone = door.phone(town.clerk), door.phone(unit)
    suspension = f"/staff/partners/{unit.partner_key}/suspension"
    suspended = told(clerk.put(suspension, json=BECAUSE))
    assert (suspended["partner"]["state_label"], suspended["claims_released"]) == ("已暂停", 0)
    assert told(phone.get("/partner"))["reason"] == BECAUSE["because"]
    assert told(phone.get("/me"))["identities"][0]["state"] == "suspended"
    for answer in (
        phone.post("/partner/invitations"),
        phone.post("/partner/pairings", json={"region": town.wangjiang.key}),
        phone.put("/partner/renewal-request"),
        phone.delete("/partner/members/aaaaaaaaaaaaaaaa"),
    ):
        assert BECAUSE["because"] in the_problem(answer, 403, "partner_suspended")["detail"]
    told(clerk.delete(suspension))
    told(phone.post("/partner/invitations"), 201)


def test_a_unit_asks_for_another_year_and_staff_renew_it_with_one_tap(
    door: Door, town: Town, unit: UnitMember
) -> None:
    clerk, phone = door.phone(town.clerk), door.phone(unit)
    the_problem(phone.put("/partner/renewal-request"), 409, "renewal_early")
    with transaction() as session:
        session.get_one(Partner, unit.partner_id).renewed_until = clock.today() - timedelta(days=1)
    assert told(phone.get("/partner"))["state_label"] == "已到期"
    assert told(phone.put("/partner/renewal-request"))["renewal_asked_at"] is not None
    (pile,) = [one for one in told(clerk.get("/staff/desk"))["items"] if one["name"] == "partner_renewals"]
    assert pile["number"] == 1
    for _ in range(2):
        renewed = told(clerk.put(f"/staff/partners/{unit.partner_key}/renewal"))
        assert (renewed["state"], renewed["renewed_until"]) == ("active", "2027-11-20")


def test_a_pairing_over_the_wire(door: Door, town: Town, unit: UnitMember, wangjiang: Worker) -> None:
    phone, there, clerk = door.phone(unit), door.phone(wangjiang), door.phone(town.clerk)
    asked = told(phone.post("/partner/pairings", json={"region": town.wangjiang.key}), 201)
    assert told(phone.post("/partner/pairings", json={"region": town.wangjiang.key}), 201) == asked
    the_problem(phone.post("/partner/pairings", json={"region": "a" * 16}), 409, "not_there")
    (waits,) = told(there.get("/staff/pairings"))["items"]
    assert (waits["key"], waits["partner"]["key"]) == (asked["key"], unit.partner_key)
    the_problem(clerk.put(f"/staff/pairings/{asked['key']}/agreement"), 404, "not_found")
    the_problem(there.put(f"/staff/pairings/{asked['key']}/trust"), 409, "pairing_over")
    told(there.put(f"/staff/pairings/{asked['key']}/agreement"))
    assert told(there.put(f"/staff/pairings/{asked['key']}/trust"))["is_trusted"] is True
    assert told(there.delete(f"/staff/pairings/{asked['key']}/trust"))["is_trusted"] is False
    over = told(phone.put(f"/partner/pairings/{asked['key']}/ending", json={"because": "太远"}))
    assert (over["state_label"], over["reason"]) == ("已结束", "太远")
    the_problem(there.put(f"/staff/pairings/{asked['key']}/agreement"), 409, "pairing_over")
    assert told(there.get("/staff/pairings"))["items"] == []
    (ended,) = told(there.get("/staff/pairings?state=ended"))["items"]
    assert ended["key"] == asked["key"]
    assert told(there.put(f"/staff/pairings/{asked['key']}/ending", json=BECAUSE))["reason"] == "太远"


@pytest.fixture
def wangjiang(town: Town) -> Worker:
    """A clerk of the other community."""
    with transaction() as session:
        return a_staff_member(session, Role.CLERK, town.wangjiang)


def test_staff_pair_a_unit_of_theirs_with_a_place_of_theirs(door: Door, town: Town, unit: UnitMember) -> None:
    clerk = door.phone(town.clerk)
    wanted = {"partner": unit.partner_key, "region": town.wutong.key}
    assert told(clerk.post("/staff/pairings", json=wanted), 201)["state"] == "active"
    for field, value in (("region", town.wangjiang.key), ("partner", town.partner_member.partner_key)):
        problem = the_problem(clerk.post("/staff/pairings", json=wanted | {field: value}), 409, "not_there")
        assert [error["field"] for error in problem["errors"]] == [field]


def test_hours_are_seen_by_the_unit_and_by_the_office(door: Door, town: Town, unit: UnitMember) -> None:
    with transaction() as session:
        partner = session.get_one(Partner, unit.partner_id)
        for n, minutes in enumerate((90, 30)):
            served = Served(HourSubject.CLAIM, f"{n}" * 16, minutes, "陪同就医", clock.today())
            write_hours(session, partner, served, by_account_id=None, identity="town")
    for phone, path in (
        (door.phone(unit), "/partner/hours"),
        (door.phone(town.clerk), f"/staff/partners/{unit.partner_key}/hours"),
    ):
        shown = told(phone.get(f"{path}?limit=1"))
        assert (shown["minutes"], [share["minutes"] for share in shown["shares"]]) == (120, [120])
        rest = told(phone.get(f"{path}?limit=1&cursor={shown['next']}"))
        assert [line["minutes"] for line in shown["items"] + rest["items"]] == [30, 90]
        assert told(phone.get(f"{path}?first=2026-01-01&days=31"))["minutes"] == 0
        assert told(phone.get(f"{path}?first=9999-12-31&days=366"))["minutes"] == 0


def test_the_list_of_units_leaves_the_house_for_a_purpose(door: Door, town: Town, unit: UnitMember) -> None:
    clerk = door.phone(town.clerk)
    answer = clerk.post("/staff/partner-sheets", json={"purpose": "联席会议"})
    assert answer.status_code == 200, answer.text
    page = load_workbook(BytesIO(answer.data)).worksheets[0]
    lines = [[cell.value for cell in row] for row in page.iter_rows()]
    (line,) = [line for line in lines if line[1] == "共建单位" and line[4] == "已入驻"]
    assert (line[3], line[6], line[8]) == (town.wutong.name, town.wutong.name, 1)
    assert not any("13900000009" in str(cell) for row in lines for cell in row)
    with reading() as session:
        entry = session.scalars(select(JournalEntry).where(JournalEntry.act == "partner.exported")).one()
        assert entry.details == {"purpose": "联席会议"}
    empty = clerk.post("/staff/partner-sheets", json={"purpose": "核对", "state": "lapsed"})
    assert empty.status_code == 200
