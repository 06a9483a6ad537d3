"""What units write, looked at before others read it: risky words are refused at their field, doubtful ones are written down to be looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from models.accounts import Account
from models.base import reading, transaction
from models.content_checks import CheckState, ContentCheck
from models.partners import Partner
from models.staff import Role
from tests.claims import a_claimer, a_member, under_way
from tests.miniprogram_api.test_units import card  # noqa: F401 - a fixture
from tests.models.test_claims import dispatched
from tests.people import Town, UnitMember, a_staff_member
from tests.phones import Door, Phone, the_problem, told
from tests.sandbox import CHECK_TEXT
from tests.wishes import by_staff, hung, somebody

RISKY = "赌博平台"
FINE = "老人住院了，等出院再去"


def just_opened(door: Door, who: UnitMember) -> Phone:
    """The phone of somebody who opened the mini-program a moment ago, so that WeChat looks at what they write."""
    with reading() as session:
        door.sandbox.login_code(session.get_one(Account, who.account_id).openid)
    return door.phone(who)


@pytest.fixture
def unit(town: Town) -> UnitMember:
    """Somebody of a unit that is paired with the community."""
    return a_claimer(town.wutong)


def checks() -> list[tuple[str, str, str | None, CheckState]]:
    with reading() as session:
        rows = session.scalars(select(ContentCheck).order_by(ContentCheck.id)).all()
        return [(one.subject_kind, one.field, one.subject_key, one.state) for one in rows]


def refusal(town: Town, unit: UnitMember) -> str:
    return dispatched(hung(town, somebody(town)), unit, by_staff(town.clerk)).key


def under(town: Town, unit: UnitMember) -> str:
    return under_way(town, unit, hung(town, somebody(town))).key


Way = tuple[str, Callable[[Town, UnitMember], str], dict[str, Any], str, tuple[str, str]]
WAYS: list[Way] = [
    ("refusal", refusal, {}, "because", ("claims", "because")),
    ("return", under, {}, "because", ("claims", "because")),
    ("extension", under, {"to": "2026-12-04"}, "because", ("claims", "extended_because")),
    ("delivery", under, {"evidence": "slip"}, "note", ("fulfilments", "note")),
]


@pytest.mark.parametrize("way", WAYS, ids=[way[0] for way in WAYS])
def test_risky_words_of_a_unit_are_refused_at_their_field_and_nothing_is_done(
    door: Door, town: Town, unit: UnitMember, way: Way
) -> None:
    end, make, sent, field, about = way
    phone, key = just_opened(door, unit), make(town, unit)
    there = f"/partner/claims/{key}"
    if end == "extension":
        told(phone.put(f"{there}/contact"))
    before = told(phone.get(there))
    problem = the_problem(phone.put(f"{there}/{end}", json=sent | {field: RISKY}), 422, "content_risky")
    assert [error["field"] for error in problem["errors"]] == [field]
    assert told(phone.get(there)) == before
    assert [check[:2] for check in checks()] == [about]
    assert FINE in str(told(phone.put(f"{there}/{end}", json=sent | {field: FINE})))
    assert checks()[-1][3] is CheckState.PASSED


@pytest.mark.parametrize("way", WAYS, ids=[way[0] for way in WAYS])
def test_words_nobody_could_be_asked_about_are_taken_and_wait(
    door: Door, town: Town, unit: UnitMember, way: Way
) -> None:
    end, make, sent, field, about = way
    phone, key = just_opened(door, unit), make(town, unit)
    there = f"/partner/claims/{key}"
    if end == "extension":
        told(phone.put(f"{there}/contact"))
    door.sandbox.fault(CHECK_TEXT, http_status=502, times=9)
    assert FINE in str(told(phone.put(f"{there}/{end}", json=sent | {field: FINE})))
    ((kind, name, _, state),) = checks()
    assert ((kind, name), state) == (about, CheckState.WAITING)
    clerk, waiting = door.phone(town.clerk), "/staff/content-checks"
    (check,) = told(clerk.get(waiting))["items"]
    assert (check["text"], check["community"]["key"]) == (FINE, town.wutong.key)
    with transaction() as session:
        foreign = door.phone(a_staff_member(session, Role.CLERK, town.wangjiang))
    said = {"decision": "reject", "reason": "请换一种说法"}
    assert told(foreign.get(waiting))["items"] == []
    the_problem(foreign.put(f"{waiting}/{check['key']}/decision", json=said), 404, "not_found")
    decided = told(clerk.put(f"{waiting}/{check['key']}/decision", json=said))
    assert (decided["state"], decided["community"]["key"]) == ("rejected", town.wutong.key)
    assert FINE not in str(told(phone.get(there)))


def test_whoever_does_not_lead_and_who_writes_nothing_ask_nobody(
    door: Door, town: Town, unit: UnitMember
) -> None:
    lead, other = just_opened(door, unit), just_opened(door, a_member(unit))
    there, asked = f"/partner/claims/{under(town, unit)}", door.sandbox.calls(CHECK_TEXT)
    late = {"to": "2026-12-04", "because": FINE}
    the_problem(other.put(f"{there}/extension", json=late), 403, "lead_alone")
    the_problem(other.put(f"{there}/delivery", json={"evidence": "slip", "note": FINE}), 403, "lead_alone")
    told(lead.put(f"{there}/delivery", json={"evidence": "tap"}))
    assert door.sandbox.calls(CHECK_TEXT) == asked


def test_a_pairing_does_not_end_in_risky_words(door: Door, town: Town, unit: UnitMember) -> None:
    phone = just_opened(door, unit)
    (pairing,) = told(phone.get("/partner/pairings"))["items"]
    there = f"/partner/pairings/{pairing['key']}/ending"
    problem = the_problem(phone.put(there, json={"because": RISKY}), 422, "content_risky")
    assert [error["field"] for error in problem["errors"]] == ["because"]
    ended = told(phone.put(there, json={"because": FINE}))
    assert (ended["state"], ended["reason"]) == ("ended", FINE)
    assert checks()[-1] == ("partner_pairings", "because", pairing["key"], CheckState.PASSED)


@pytest.mark.parametrize("field", ["name", "contact_name"])
def test_an_application_in_risky_words_is_none(
    door: Door,
    town: Town,
    card: dict[str, Any],  # noqa: F811 - the fixture
    field: str,
) -> None:
    door.sandbox.login_code(town.resident.openid)
    phone = door.phone(town.resident)
    answer = phone.post("/me/partner-applications", json=card | {field: RISKY})
    problem = the_problem(answer, 422, "content_risky")
    assert [error["field"] for error in problem["errors"]] == [field]
    assert told(phone.get("/me/partner-applications"))["items"] == []
    key = told(phone.post("/me/partner-applications", json=card), 201)["key"]
    with reading() as session:
        assert session.scalars(select(Partner).where(Partner.key == key)).one()
    assert {check[1:] for check in checks()[-2:]} == {
        ("name", key, CheckState.PASSED),
        ("contact_name", key, CheckState.PASSED),
    }
