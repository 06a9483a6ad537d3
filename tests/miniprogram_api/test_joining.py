"""Joining over the wire: a code from the counter, entered on a phone of one's own."""

from __future__ import annotations

import pytest

from models.base import transaction
from models.consents import PRIVACY_POLICY
from tests.people import Town, an_account
from tests.phones import Door, Phone, the_problem, told

CONSENT = {"version": PRIVACY_POLICY.version}


@pytest.fixture
def newcomer(door: Door, town: Town) -> Phone:
    """A phone that was never here."""
    with transaction() as session:
        _, login_key = an_account(session)
    return Phone(door.app.test_client(), door.token_of(login_key))


def test_an_elder_enters_her_code_and_is_herself(door: Door, town: Town, newcomer: Phone) -> None:
    path = f"/staff/residents/{town.elder.key}"
    handed = told(door.phone(town.grid_worker).post(f"{path}/joining-codes"), 201)
    assert handed["until"].startswith("2026-11-20T12:30")
    sent = {"code": handed["code"]}
    the_problem(newcomer.post("/me/joining", json=sent), 409, "consent_needed")
    told(newcomer.put("/me/consent", json=CONSENT))
    assert newcomer.post("/me/joining", json=sent).status_code == 204
    me = told(newcomer.get("/me"))
    assert (me["key"], me["name"]) == (town.elder.key, "王奶奶")
    (helper,) = told(newcomer.get("/me/helpers"))["items"]
    assert helper["name"] == "*芳"
    assert told(door.phone(town.clerk).get(path))["has_wechat"]
    labels = [line["act_label"] for line in told(newcomer.get("/me/copy"))["oneself"]["journal"]]
    assert {"工作人员发放绑定码", "绑定微信"} <= set(labels)


def test_sent_again_the_same_code_says_the_same(door: Door, town: Town, newcomer: Phone) -> None:
    code = told(door.phone(town.clerk).post(f"/staff/residents/{town.elder.key}/joining-codes"), 201)["code"]
    told(newcomer.put("/me/consent", json=CONSENT))
    for _ in range(2):
        answer = newcomer.post("/me/joining", json={"code": code}, headers={"Idempotency-Key": "join-1"})
        assert answer.status_code == 204
    the_problem(newcomer.post("/me/joining", json={"code": code}), 409, "invitation_invalid")


@pytest.mark.parametrize(
    "code", ["", "123", "１２３４５６７８９０", "12345678901", "1234567 890", "12345\x0067890"]
)
def test_what_is_no_code_is_named(newcomer: Phone, code: str) -> None:
    body = the_problem(newcomer.post("/me/joining", json={"code": code}), 422, "invalid")
    assert [fault["field"] for fault in body["errors"]] == ["code"]


def test_nobody_hands_out_codes_for_people_they_do_not_look_after(door: Door, town: Town) -> None:
    path = f"/staff/residents/{town.outsider.key}/joining-codes"
    for who in (town.clerk, town.admin, town.grid_worker, town.street_officer):
        the_problem(door.phone(who).post(path), 404, "not_found")
    path = f"/staff/residents/{town.elder.key}/joining-codes"
    for somebody in (town.helper, town.partner_member):
        the_problem(door.phone(somebody).post(path), 403, "identity_unfit")
    the_problem(
        door.phone(town.clerk).post(f"/staff/residents/{town.resident.key}/joining-codes"), 409, "has_wechat"
    )
