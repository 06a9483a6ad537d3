"""One's rights at the door: taking consent back, a copy of everything, and leaving for good."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from models import clock as town_clock
from models.base import db, reading, transaction
from models.consents import PRIVACY_POLICY
from models.departures import WardBecomes
from models.grants import Answer, record_answers
from models.journal import JournalEntry
from models.partners import apply_for_unit, approve_unit
from models.residents import BondKind
from tests.people import FIRST_EVENING, Person, Town, a_bond, a_card, a_resident
from tests.phones import Door, Phone, the_problem, told

CONSENT = {"version": PRIVACY_POLICY.version}


def gone(answer: Any) -> None:
    """204, and nothing to read."""
    assert (answer.status_code, answer.text) == (204, "")


def say_goodbye(phone: Phone) -> None:
    """Read what it means, then close."""
    shown = told(phone.get("/me/closure"))
    gone(phone.delete(f"/me?closure={shown['closure']}"))


# --- consent ------------------------------------------------------------------------------------------------------


def test_consent_is_shown_taken_back_and_given_again(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    assert told(phone.get("/me/consent"))["version"] == PRIVACY_POLICY.version
    gone(phone.delete("/me/consent"))
    gone(phone.delete("/me/consent"))
    the_problem(phone.get("/me/consent"), 404, "not_agreed")
    assert told(phone.get("/me"))["missing"] == ["consent"]
    again = told(phone.put("/me/consent", json=CONSENT))
    assert again == told(phone.put("/me/consent", json=CONSENT)) == told(phone.get("/me/consent"))


def test_without_consent_a_tap_says_so_and_a_seat_stays(door: Door, town: Town) -> None:
    held, wanted = town.a_run(), town.a_run()
    phone = door.phone(town.resident)
    told(phone.put(f"/course-runs/{held.key}/registration"))
    gone(phone.delete("/me/consent"))
    problem = the_problem(phone.put(f"/course-runs/{wanted.key}/registration"), 409, "profile_needed")
    assert problem["details"]["fields"] == ["consent"]
    assert told(phone.get(f"/course-runs/{held.key}/registration"))["state"] == "confirmed"
    gone(phone.delete(f"/course-runs/{held.key}/registration"))


def test_only_the_text_in_force_is_agreed_to(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    the_problem(phone.put("/me/consent", json={"version": "2020-01"}), 409, "consent_outdated")
    the_problem(phone.put("/me/consent", json={}), 422, "invalid")


# --- who acts for me ----------------------------------------------------------------------------------------------


def test_a_helper_is_told_that_the_one_acted_for_took_their_consent_back(door: Door, town: Town) -> None:
    with transaction() as session:
        a_bond(session, town.neighbour, town.resident)
    held, wanted = town.a_run(), town.a_run()
    helper, elder = door.phone(town.neighbour), door.phone(town.resident)
    told(helper.put(f"/course-runs/{held.key}/registration?for={town.resident.key}"))
    gone(elder.delete("/me/consent"))
    path = f"/course-runs/{wanted.key}/registration?for={town.resident.key}"
    problem = the_problem(helper.put(path), 409, "ward_withdrew")
    assert "陈静" not in json.dumps(problem, ensure_ascii=False)
    gone(helper.delete(f"/course-runs/{held.key}/registration?for={town.resident.key}"))
    told(elder.put("/me/consent", json=CONSENT))
    told(helper.put(path))


def test_one_sees_who_may_act_and_ends_it(door: Door, town: Town) -> None:
    with transaction() as session:
        bond = a_bond(session, town.neighbour, town.resident)
    phone = door.phone(town.resident)
    assert told(phone.get("/me/helpers"))["items"] == [
        {
            "key": bond.key,
            "name": "*洋",
            "kind": "family_helper",
            "since": "2026-11-20",
            "can_be_ended": True,
        }
    ]
    gone(phone.delete(f"/me/helpers/{bond.key}"))
    gone(phone.delete(f"/me/helpers/{bond.key}"))
    assert told(phone.get("/me/helpers")) == {"items": []}
    helper = door.phone(town.neighbour)
    assert told(helper.get("/me"))["wards"] == []
    path = f"/course-runs/{town.a_run().key}/registration?for={town.resident.key}"
    the_problem(helper.put(path), 404, "no_bond")


def test_a_bond_is_ended_by_nobody_but_the_one_acted_for(door: Door, town: Town) -> None:
    with transaction() as session:
        bond = a_bond(session, town.neighbour, town.resident)
    for somebody in (town.neighbour, town.outsider, town.helper):
        the_problem(door.phone(somebody).delete(f"/me/helpers/{bond.key}"), 404, "not_found")
    newcomer = door.log_in("o-newcomer")
    assert told(newcomer.get("/me/helpers")) == {"items": []}
    the_problem(newcomer.delete(f"/me/helpers/{bond.key}"), 404, "not_found")


def test_a_child_with_a_phone_sees_the_guardian_and_keeps_them(door: Door, town: Town) -> None:
    with transaction() as session:
        child = a_resident(session, town.wutong, name="李小雨", birth_year=2016)
        bond = a_bond(session, town.guardian, child, kind=BondKind.GUARDIAN)
    phone = door.phone(child)
    assert [helper["can_be_ended"] for helper in told(phone.get("/me/helpers"))["items"]] == [False]
    the_problem(phone.delete(f"/me/helpers/{bond.key}"), 409, "guardian_stays")
    gone(phone.delete("/me/consent"))
    told(door.phone(town.guardian).put(f"/course-runs/{town.a_run().key}/registration?for={child.key}"))


# --- the copy -----------------------------------------------------------------------------------------------------


def test_the_copy_holds_everything_the_town_keeps(door: Door, town: Town) -> None:
    run = town.a_run(title="太极")
    town.resident.tap(run)
    town.resident.give_up(run)
    with transaction() as session:
        a_bond(session, town.neighbour, town.resident)
        record_answers(session, town.resident.account(session), {"registration_result": Answer.ACCEPT})
    town.neighbour.tap(run, for_whom=town.resident)
    copy = told(door.phone(town.resident).get("/me/copy"))
    assert copy["made_at"] == town_clock.in_town(town_clock.now()).isoformat()
    profile = copy["oneself"]["profile"]
    assert (profile["name"], profile["phone"]) == ("陈静", "13900000001")
    assert profile["home_community"]["name"] == "梧桐里社区"
    (bond,) = copy["oneself"]["bonds"]
    assert (bond["role"], bond["other_name"], bond["kind"]) == ("ward", "*洋", "family_helper")
    first, second = copy["oneself"]["registrations"]
    assert (first["title"], first["state"], second["state"]) == ("太极", "cancelled", "confirmed")
    assert [(line["act_label"], line["by"]) for line in first["history"]] == [
        ("报名成功", "oneself"),
        ("取消报名", "oneself"),
    ]
    assert [(line["by"], line["by_name"]) for line in second["history"]] == [("helper", "*洋")]
    assert [consent["version"] for consent in copy["consents"]] == [PRIVACY_POLICY.version]
    assert [notice["title"] for notice in copy["notices"]] == ["报名成功", "有人替您办了事"]
    assert [grant["remaining"] for grant in copy["message_grants"]] == [1]
    assert len(copy["logins"]) == 1
    assert copy["children"] == copy["staff"] == copy["partners"] == []


def test_the_copy_says_who_looked_in_which_role_and_when(door: Door, town: Town) -> None:
    run = town.a_run()
    town.resident.tap(run)
    door.phone(town.clerk).get(f"/staff/course-runs/{run.key}/registrations")
    (look,) = told(door.phone(town.resident).get("/me/copy"))["oneself"]["journal"]
    assert (look["act_label"], look["by"], look["by_name"]) == ("查看班级名单", "staff", "*吴")
    assert look["by_roles"] == [{"role": "clerk", "region": {"key": town.wutong.key, "name": "梧桐里社区"}}]
    assert look["at"] == town_clock.in_town(town_clock.now()).isoformat()


def test_a_look_at_a_roster_one_was_not_on_is_not_ones_own(
    door: Door, town: Town, clock: town_clock.StoppedClock
) -> None:
    run = town.a_run()
    clerk = door.phone(town.clerk)
    clerk.get(f"/staff/course-runs/{run.key}/registrations")
    clock.advance(minutes=1)
    town.resident.tap(run)
    clock.advance(minutes=1)
    town.resident.give_up(run)
    clerk.get(f"/staff/course-runs/{run.key}/registrations")
    assert told(door.phone(town.resident).get("/me/copy"))["oneself"]["journal"] == []


def test_a_guardian_gets_the_childs_part_and_a_helper_does_not_get_the_elders(door: Door, town: Town) -> None:
    run = town.a_run()
    town.guardian.tap(run, for_whom=town.child)
    town.helper.tap(run, for_whom=town.elder)
    (child,) = told(door.phone(town.guardian).get("/me/copy"))["children"]
    assert child["profile"]["name"] == "李小雨"
    assert [held["state"] for held in child["registrations"]] == ["confirmed"]
    assert [line["by"] for line in child["registrations"][0]["history"]] == ["oneself"]
    copy = told(door.phone(town.helper).get("/me/copy"))
    assert copy["children"] == []
    assert [bond["other_name"] for bond in copy["oneself"]["bonds"]] == ["王*奶"]


def test_a_guardian_whose_bond_ended_gets_nothing_of_the_child(
    door: Door, town: Town, clock: town_clock.StoppedClock
) -> None:
    """E8."""
    with transaction() as session:
        bond = a_bond(session, town.resident, town.child, kind=BondKind.GUARDIAN)
        bond.ends_on = town_clock.today()
    phone = door.phone(town.resident)
    assert len(told(phone.get("/me/copy"))["children"]) == 1
    clock.advance(days=1)
    assert told(phone.get("/me/copy"))["children"] == []


def test_the_copy_is_of_oneself_and_names_nobody_else(door: Door, town: Town) -> None:
    run = town.a_run()
    for person in (town.resident, town.neighbour, town.outsider):
        person.tap(run)
    answer = door.phone(town.resident).get("/me/copy")
    text = answer.text
    with reading() as session:
        secrets = [town.resident.account(session).openid, town.resident.login_key]
    for hidden in ("刘洋", "赵敏", "13900000002", "13900000003", town.neighbour.key, *secrets):
        assert hidden not in text
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_look_at_the_copy_is_in_the_journal_and_in_the_next_copy(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    assert told(phone.get("/me/copy"))["account_journal"] == []
    (line,) = told(phone.get("/me/copy"))["account_journal"]
    assert (line["act"], line["by"]) == ("account.copied", "oneself")


def test_staff_find_their_hats_in_the_copy(door: Door, town: Town) -> None:
    copy = told(door.phone(town.clerk).get("/me/copy"))
    assert copy["oneself"] is None
    ((role,),) = (hat["roles"] for hat in copy["staff"])
    assert (role["role"], role["region"]["name"]) == ("clerk", "梧桐里社区")
    copy = told(door.phone(town.partner_member).get("/me/copy"))
    assert [unit["name"] for unit in copy["partners"]] == ["老张裁缝铺"]


def test_the_copy_holds_the_units_one_asked_for_as_one_wrote_them_while_they_wait(
    door: Door, town: Town
) -> None:
    with transaction() as session:
        card = replace(a_card(session, town.wutong), contact_name="秦老师", contact_phone="13900000010")
        waits = apply_for_unit(session, town.resident.account(session), card)
        approved = apply_for_unit(
            session,
            town.resident.account(session),
            replace(a_card(session, town.wutong), contact_name="王老师", contact_phone="13900000011"),
        )
        approve_unit(session, approved, by=town.clerk.member(session))
        names = [waits.name, approved.name]
    first, second = told(door.phone(town.resident).get("/me/copy"))["partner_applications"]
    assert [first["name"], second["name"]] == names
    assert (first["state"], first["contact_name"], first["contact_phone"]) == (
        "applied",
        "秦老师",
        "13900000010",
    )
    assert (second["state"], second["contact_name"], second["contact_phone"]) == (
        "active",
        "王*师",
        "139******11",
    )
    assert told(door.phone(town.neighbour).get("/me/copy"))["partner_applications"] == []


def test_the_copy_costs_the_same_for_one_class_and_for_twenty(door: Door, town: Town) -> None:
    with door.app.app_context():
        engine = db.engine

    def cost() -> int:
        seen: list[str] = []

        def keep(*executed: Any) -> None:
            seen.append(executed[2])

        event.listen(engine, "before_cursor_execute", keep)
        told(door.phone(town.guardian).get("/me/copy"))
        event.remove(engine, "before_cursor_execute", keep)
        return len(seen)

    def a_class(n: int) -> None:
        run = town.a_run(starts_at=FIRST_EVENING + timedelta(hours=2 * n))
        town.guardian.tap(run)
        town.guardian.tap(run, for_whom=town.child)

    a_class(0)
    for_one = cost()
    for n in range(1, 21):
        a_class(n)
    assert cost() == for_one < 42


# --- what closing would mean --------------------------------------------------------------------------------------


def test_closing_is_explained_to_this_very_person(door: Door, town: Town) -> None:
    run = town.a_run(title="太极")
    town.guardian.tap(run)
    town.guardian.tap(run, for_whom=town.child)
    shown = told(door.phone(town.guardian).get("/me/closure"))
    assert shown["can_be_closed"] is True
    assert shown["obstacles"] == []
    assert [(held["title"], held["name"], held["state"]) for held in shown["registrations"]] == [
        ("太极", "李强", "confirmed"),
        ("太极", "李小雨", "confirmed"),
    ]
    (ward,) = shown["wards"]
    assert (ward["name"], ward["becomes"]) == ("李小雨", WardBecomes.LEAVES_TOO)
    assert {kept["what"]: kept["days"] for kept in shown["kept"]}["同意和撤回隐私政策的时间"] == 1095
    assert "不能恢复" in shown["final"]
    assert "候补" in shown["seats_go_to"]
    assert shown == told(door.phone(town.guardian).get("/me/closure"))


def test_a_clerk_is_told_what_stands_in_the_way(door: Door, town: Town) -> None:
    phone = door.phone(town.clerk)
    shown = told(phone.get("/me/closure"))
    assert shown["can_be_closed"] is False
    (obstacle,) = shown["obstacles"]
    assert (obstacle["code"], obstacle["identity"]) == ("staff_identity", town.clerk.identity)
    assert "工作人员姓名" in {kept["what"] for kept in shown["kept"]}
    problem = the_problem(phone.delete(f"/me?closure={shown['closure']}"), 409, "closure_blocked")
    assert problem["details"]["obstacles"][0]["identity"] == town.clerk.identity


# --- closing ------------------------------------------------------------------------------------------------------


def test_nobody_closes_blindly(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    problem = the_problem(phone.delete("/me"), 422, "invalid")
    assert problem["errors"][0]["field"] == "closure"
    the_problem(phone.delete("/me?closure=yes"), 422, "invalid")
    the_problem(phone.delete(f"/me?closure={'0' * 16}"), 409, "closure_outdated")
    assert told(phone.get("/me"))["name"] == "陈静"


def test_what_was_shown_before_a_tap_closes_nothing(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    shown = told(phone.get("/me/closure"))
    told(phone.put(f"/course-runs/{town.a_run().key}/registration"))
    the_problem(phone.delete(f"/me?closure={shown['closure']}"), 409, "closure_outdated")
    say_goodbye(phone)


def test_after_closing_every_door_is_shut(door: Door, town: Town) -> None:
    run = town.a_run(capacity=1)
    phone = door.phone(town.resident)
    told(phone.put(f"/course-runs/{run.key}/registration"))
    town.neighbour.tap(run)
    shown = told(phone.get("/me/closure"))
    gone(phone.delete(f"/me?closure={shown['closure']}"))
    for method, path in (
        ("DELETE", f"/me?closure={shown['closure']}"),
        ("GET", "/me"),
        ("GET", "/me/copy"),
        ("GET", "/me/closure"),
        ("PUT", f"/course-runs/{run.key}/registration"),
    ):
        the_problem(phone.ask(method, path), 401, "token_revoked")
    assert town.states(run) == ["cancelled", "confirmed"]


def test_who_comes_back_is_a_newcomer(door: Door, town: Town) -> None:
    """E32."""
    phone = door.log_in("o-back-again")
    sent = {"name": "归来", "phone": "13612345678", "home_community": town.wutong.key, "consent": CONSENT}
    told(phone.put("/me", json=sent))
    told(phone.put(f"/course-runs/{town.a_run().key}/registration"))
    say_goodbye(phone)
    again = door.log_in("o-back-again")
    me = told(again.get("/me"))
    assert (me["key"], me["name"], me["phone"], me["consent"]) == (None, None, None, None)
    for path in ("/me/registrations", "/me/notices"):
        assert told(again.get(path))["items"] == []
    copy = told(again.get("/me/copy"))
    assert copy["oneself"] is None
    assert "归来" not in json.dumps(copy, ensure_ascii=False)


def test_a_neighbour_who_was_helped_is_not_found_any_more(door: Door, town: Town) -> None:
    with transaction() as session:
        a_bond(session, town.neighbour, town.resident)
    run = town.a_run()
    phone = door.phone(town.neighbour)
    path = f"/course-runs/{run.key}/registration?for={town.resident.key}"
    told(phone.put(path))
    say_goodbye(door.phone(town.resident))
    the_problem(phone.put(path), 404, "no_bond")
    assert told(phone.get("/me"))["wards"] == []
    with reading() as session:
        names = session.scalars(select(JournalEntry.act)).all()
    assert "resident.left" in names


@pytest.mark.parametrize("who", ["neighbour", "outsider", "helper"])
def test_one_can_only_close_ones_own_account(door: Door, town: Town, who: str) -> None:
    """There is no key of somebody else to name: what was shown to another closes nothing."""
    somebody: Person = getattr(town, who)
    shown = told(door.phone(somebody).get("/me/closure"))
    phone = door.phone(town.resident)
    the_problem(phone.delete(f"/me?closure={shown['closure']}"), 409, "closure_outdated")
    assert told(door.phone(somebody).get("/me"))["name"] == somebody.name
