"""Oneself: what the town knows of a person, what the person tells, and what the town refuses to believe."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from sqlalchemy import func, select, text

from models.accounts import Account
from models.base import db, reading, transaction
from models.consents import PRIVACY_POLICY, withdraw
from models.journal import JournalEntry
from models.residents import Resident
from tests.people import Town, a_bond
from tests.phones import Door, Phone, the_problem, told
from tests.sandbox import CHECK_TEXT, PHONE_NUMBER, STABLE_TOKEN

OPENID = "o-newcomer"
CONSENT = {"version": PRIVACY_POLICY.version}


@pytest.fixture
def newcomer(door: Door, town: Town) -> Phone:
    """A phone that has just logged in for the first time."""
    return door.log_in(OPENID)


def residents() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Resident)) or 0


def test_a_person_sees_what_the_town_knows_of_them(door: Door, town: Town) -> None:
    me = told(door.phone(town.resident).get("/me"))
    assert me["key"] == town.resident.key
    assert me["name"] == "陈静"
    assert me["home_community"] == {"key": town.wutong.key, "name": "梧桐里社区"}
    assert me["birth_year"] == 1990
    assert me["consent"]["version"] == PRIVACY_POLICY.version
    assert me["missing"] == []
    assert me["wards"] == me["identities"] == []


def test_the_number_is_masked_even_to_its_owner(door: Door, town: Town) -> None:
    answer = door.phone(town.resident).get("/me")
    assert told(answer)["phone"] == "139******01"
    assert "13900000001" not in answer.text


def test_a_helper_sees_whom_they_may_act_for(door: Door, town: Town) -> None:
    wards = told(door.phone(town.helper).get("/me"))["wards"]
    assert [(w["key"], w["name"], w["kind"]) for w in wards] == [(town.elder.key, "王奶奶", "family_helper")]
    assert told(door.phone(town.guardian).get("/me"))["wards"][0]["kind"] == "guardian"


def test_the_hats_of_a_person_are_listed_ready_to_put_on(door: Door, town: Town) -> None:
    phone = door.phone(town.clerk)
    (hat,) = told(phone.get("/me"))["identities"]
    assert hat["identity"] == town.clerk.identity
    assert hat["roles"] == [{"role": "clerk", "region": {"key": town.wutong.key, "name": "梧桐里社区"}}]
    assert phone.wearing(hat["identity"]).get("/me").status_code == 200
    (unit,) = told(door.phone(town.partner_member).get("/me"))["identities"]
    assert unit["identity"] == town.partner_member.identity


# --- telling ------------------------------------------------------------------------------------------------------


def test_everything_told_at_once_leaves_nothing_missing(newcomer: Phone, town: Town) -> None:
    sent = {
        "name": " 新邻居 ",
        "phone": "139 1234-5678",
        "home_community": town.wutong.key,
        "birth_year": 1960,
        "elder_mode": True,
        "consent": CONSENT,
    }
    me = told(newcomer.put("/me", json=sent))
    assert me == told(newcomer.get("/me"))
    assert me["missing"] == []
    assert (me["name"], me["phone"], me["phone_verified"]) == ("新邻居", "139******78", False)
    assert (me["birth_year"], me["elder_mode"]) == (1960, True)


def test_what_is_left_out_stays_as_it_is(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    before = told(phone.get("/me"))
    assert told(phone.put("/me", json={"elder_mode": True})) == {**before, "elder_mode": True}
    assert told(phone.put("/me", json={})) == {**before, "elder_mode": True}


def test_without_consent_nothing_is_kept(newcomer: Phone, town: Town) -> None:
    before = residents()
    found = the_problem(newcomer.put("/me", json={"name": "新邻居"}), 409, "consent_needed")
    assert found["details"] == {"consent_version": PRIVACY_POLICY.version}
    assert residents() == before


def test_who_withdrew_consent_is_asked_again(door: Door, town: Town) -> None:
    with transaction() as session:
        withdraw(session, town.resident.account(session))
    phone = door.phone(town.resident)
    the_problem(phone.put("/me", json={"name": "别名"}), 409, "consent_needed")
    assert told(phone.put("/me", json={"consent": CONSENT}))["missing"] == []


def test_agreeing_to_an_old_text_is_no_agreement(newcomer: Phone) -> None:
    sent = {"name": "新邻居", "consent": {"version": "2020-01"}}
    found = the_problem(newcomer.put("/me", json=sent), 409, "consent_outdated")
    assert found["details"] == {"version": PRIVACY_POLICY.version}
    assert told(newcomer.get("/me"))["name"] is None


def test_a_consent_given_with_a_fault_beside_it_is_not_kept(newcomer: Phone) -> None:
    sent = {"consent": CONSENT, "home_community": "a" * 16}
    found = the_problem(newcomer.put("/me", json=sent), 409, "not_there")
    assert [fault["field"] for fault in found["errors"]] == ["home_community"]
    assert told(newcomer.get("/me"))["consent"] is None


def test_a_community_nobody_knows_costs_no_question_to_wechat(door: Door, newcomer: Phone) -> None:
    sent = {"consent": CONSENT, "name": "新邻居", "home_community": "a" * 16}
    found = the_problem(newcomer.put("/me", json=sent), 409, "not_there")
    assert found["errors"] == [{"field": "home_community", "message": "没有找到这个地方", "code": "invalid"}]
    assert door.sandbox.calls(CHECK_TEXT) == 0


def test_home_is_a_community_and_nothing_larger(newcomer: Phone, town: Town) -> None:
    sent = {"consent": CONSENT, "home_community": town.east_street.key}
    found = the_problem(newcomer.put("/me", json=sent), 422, "invalid")
    assert [fault["field"] for fault in found["errors"]] == ["home_community"]


@pytest.mark.parametrize(
    "year", [1899, 2027, 0, -5, 10**30, "1960", 1960.5, 1e308, True, None, [1960], "１９６０"]
)
def test_a_birth_year_that_cannot_be_is_refused(newcomer: Phone, year: object) -> None:
    found = the_problem(newcomer.put("/me", json={"consent": CONSENT, "birth_year": year}), 422, "invalid")
    assert [fault["field"] for fault in found["errors"]] == ["birth_year"]


@pytest.mark.parametrize(
    "number", [b"1e999", b"-1e999", b"NaN", b"Infinity", b"1" * 5000, b"1" * 400, b"19" + b"60." + b"5" * 400]
)
def test_a_number_out_of_this_world_is_refused(newcomer: Phone, number: bytes) -> None:
    body = b'{"consent": {"version": "2026-11"}, "birth_year": ' + number + b"}"
    answer = newcomer.put("/me", data=body, content_type="application/json")
    assert answer.status_code in {400, 422}, answer.text
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("name", ["王🐱芳", "👨‍👩‍👧 一家", "Ælfrēd", "阿卜杜拉·买买提", "🀄" * 40, "一" * 40])
def test_people_may_be_called_what_they_are_called(newcomer: Phone, name: str) -> None:
    assert told(newcomer.put("/me", json={"consent": CONSENT, "name": name}))["name"] == name
    assert told(newcomer.get("/me"))["name"] == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "\u3000\u200b",
        "一" * 41,
        "王\u0000芳",
        "王\n芳",
        "王\u001b[31m芳",
        "王\u202e芳",
        "王\u2028芳",
        "王\u0085芳",
        "王\ud800芳",
        "王\u007f",
        None,
        7,
        {"a": 1},
        ["王芳"],
        True,
    ],
)
def test_a_name_that_would_spoil_a_roster_is_refused(newcomer: Phone, name: object) -> None:
    body = json.dumps({"consent": CONSENT, "name": name})
    found = the_problem(newcomer.put("/me", data=body, content_type="application/json"), 422, "invalid")
    assert [fault["field"] for fault in found["errors"]] == ["name"]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"nickname": "x"}, "nickname"),
        ({"phone_verified": True}, "phone_verified"),
        ({"openid": "o-1"}, "openid"),
        ({"elder_mode": 1}, "elder_mode"),
        ({"elder_mode": "true"}, "elder_mode"),
        ({"elder_mode": []}, "elder_mode"),
        ({"home_community": "梧桐里"}, "home_community"),
        ({"home_community": "A" * 16}, "home_community"),
        ({"home_community": "a" * 16 + "\n"}, "home_community"),
        ({"consent": "2026-11"}, "consent"),
        ({"consent": None}, "consent"),
        ({"consent": []}, "consent"),
        ({"consent": {}}, "consent.version"),
        ({"consent": {"version": "x", "by": "me"}}, "consent.by"),
    ],
)
def test_a_field_that_is_wrong_or_unknown_is_named(newcomer: Phone, sent: dict[str, Any], field: str) -> None:
    found = the_problem(newcomer.put("/me", json=sent), 422, "invalid")
    assert [fault["field"] for fault in found["errors"]] == [field]


def test_every_wrong_field_is_named_at_once(newcomer: Phone) -> None:
    found = the_problem(newcomer.put("/me", json={"name": "", "phone": "1", "birth_year": 1}), 422, "invalid")
    assert {fault["field"] for fault in found["errors"]} == {"name", "phone", "birth_year"}


def test_a_thousand_unknown_fields_do_not_make_a_thousand_line_answer(newcomer: Phone) -> None:
    answer = newcomer.put("/me", json={f"{n}" + "x" * 500: 1 for n in range(1000)})
    found = the_problem(answer, 422, "invalid")
    assert len(found["errors"]) <= 50
    assert len(answer.data) < 20_000


def test_two_first_introductions_at_once_make_one_resident(door: Door, newcomer: Phone) -> None:
    before = residents()
    together = threading.Barrier(4)
    statuses: list[int] = []

    def introduce(n: int) -> None:
        phone = Phone(door.app.test_client(), newcomer.token)
        together.wait()
        statuses.append(phone.put("/me", json={"consent": CONSENT, "name": f"新邻居{n}"}).status_code)

    threads = [threading.Thread(target=introduce, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 4
    assert residents() == before + 1


def test_what_a_person_tells_is_journalled_as_their_own_doing(newcomer: Phone) -> None:
    told(newcomer.put("/me", json={"consent": CONSENT, "name": "新邻居"}))
    with reading() as session:
        entry = session.scalars(select(JournalEntry).where(JournalEntry.act == "resident.introduced")).one()
        account = session.scalars(select(Account).where(Account.openid == OPENID)).one()
    assert (entry.by_account_id, entry.identity) == (account.id, "resident")
    assert entry.details == {"fields": ["consent", "name"]}


# --- the phone number ---------------------------------------------------------------------------------------------


def test_a_number_wechat_vouches_for_is_verified(door: Door, newcomer: Phone) -> None:
    told(newcomer.put("/me", json={"consent": CONSENT}))
    code = door.sandbox.phone_code(OPENID, "13812345678")
    me = told(newcomer.post("/me/phone", json={"code": code}))
    assert (me["phone"], me["phone_verified"]) == ("138******78", True)


def test_a_number_typed_by_hand_is_not_verified(newcomer: Phone) -> None:
    told(newcomer.put("/me", json={"consent": CONSENT}))
    me = told(newcomer.post("/me/phone", json={"phone": "０１０－８８８８ ６６６６"}))
    assert (me["phone"], me["phone_verified"]) == ("010******66", False)


def test_typing_the_verified_number_again_keeps_it_verified_and_another_does_not(
    door: Door, newcomer: Phone
) -> None:
    told(newcomer.put("/me", json={"consent": CONSENT}))
    told(newcomer.post("/me/phone", json={"code": door.sandbox.phone_code(OPENID, "13812345678")}))
    assert told(newcomer.put("/me", json={"phone": "+86 138-1234-5678"}))["phone_verified"]
    assert not told(newcomer.put("/me", json={"phone": "13812345679"}))["phone_verified"]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("13812345678", "138******78"),
        ("+8613812345678", "138******78"),
        ("86 138 1234 5678", "138******78"),
        ("（010）8888-6666", "010******66"),
        ("0571-88886666", "057*******66"),
        ("１３８１２３４５６７８", "138******78"),
    ],
)
def test_a_number_may_be_written_as_people_write_it(newcomer: Phone, typed: str, shown: str) -> None:
    assert told(newcomer.put("/me", json={"consent": CONSENT, "phone": typed}))["phone"] == shown


@pytest.mark.parametrize(
    "typed",
    ["", "12345", "1381234567", "138123456789", "23812345678", "12812345678", "abcdefghijk", "138١٢٣٤٥٦٧٨",
     "138123\n45678", "13812345678x", "①③⑧①②③④⑤⑥⑦⑧", "-" * 41, " " * 100_000, "+85261234567", None, 13812345678],
)  # fmt: skip
def test_a_number_that_cannot_be_called_is_refused(newcomer: Phone, typed: object) -> None:
    found = the_problem(newcomer.put("/me", json={"consent": CONSENT, "phone": typed}), 422, "invalid")
    assert [fault["field"] for fault in found["errors"]] == ["phone"]


@pytest.mark.parametrize("sent", [{}, {"code": "x", "phone": "13812345678"}])
def test_a_code_or_a_number_but_not_both(newcomer: Phone, sent: dict[str, str]) -> None:
    the_problem(newcomer.post("/me/phone", json=sent), 422, "invalid")


def test_a_number_without_consent_is_not_kept_and_the_code_not_spent(door: Door, newcomer: Phone) -> None:
    code = door.sandbox.phone_code(OPENID, "13812345678")
    the_problem(newcomer.post("/me/phone", json={"code": code}), 409, "consent_needed")
    assert door.sandbox.calls(PHONE_NUMBER) == 0
    told(newcomer.put("/me", json={"consent": CONSENT}))
    assert told(newcomer.post("/me/phone", json={"code": code}))["phone_verified"]


def test_a_phone_code_of_somebody_else_is_refused(door: Door, newcomer: Phone, town: Town) -> None:
    told(newcomer.put("/me", json={"consent": CONSENT}))
    code = door.sandbox.phone_code(town.resident.openid, "13900000001")
    the_problem(newcomer.post("/me/phone", json={"code": code}), 409, "wechat_phone_not_yours")
    assert told(newcomer.get("/me"))["phone"] is None


def test_a_phone_code_is_good_once(door: Door, newcomer: Phone) -> None:
    told(newcomer.put("/me", json={"consent": CONSENT}))
    code = door.sandbox.phone_code(OPENID, "13812345678")
    told(newcomer.post("/me/phone", json={"code": code}))
    the_problem(newcomer.post("/me/phone", json={"code": code}), 409, "wechat_code_invalid")


def test_a_login_code_is_no_phone_code(door: Door, newcomer: Phone) -> None:
    told(newcomer.put("/me", json={"consent": CONSENT}))
    code = door.sandbox.login_code(OPENID)
    the_problem(newcomer.post("/me/phone", json={"code": code}), 409, "wechat_code_invalid")


@pytest.mark.parametrize(
    ("path", "fault", "code"),
    [
        (PHONE_NUMBER, {"errcode": -1}, "wechat_unavailable"),
        (PHONE_NUMBER, {"errcode": 45011}, "wechat_too_frequent"),
        (PHONE_NUMBER, {"latency_ms": 900}, "wechat_unavailable"),
        (PHONE_NUMBER, {"reset_after_processing": True}, "wechat_unavailable"),
        (STABLE_TOKEN, {"errcode": -1}, "wechat_unavailable"),
        (STABLE_TOKEN, {"errcode": 40164}, "wechat_misconfigured"),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_when_wechat_cannot_vouch_nothing_is_half_written(
    door: Door, newcomer: Phone, path: str, fault: dict[str, Any], code: str
) -> None:
    told(newcomer.put("/me", json={"consent": CONSENT}))
    door.sandbox.fault(path, **fault)
    sent = {"code": door.sandbox.phone_code(OPENID, "13812345678")}
    the_problem(newcomer.post("/me/phone", json=sent), 503, code)
    assert told(newcomer.get("/me"))["phone"] is None


def test_the_same_attempt_gets_the_same_answer_without_asking_wechat_again(
    door: Door, newcomer: Phone
) -> None:
    told(newcomer.put("/me", json={"consent": CONSENT}))
    sent = {"code": door.sandbox.phone_code(OPENID, "13812345678")}
    first = newcomer.post("/me/phone", json=sent, headers={"Idempotency-Key": "try-1"})
    again = newcomer.post("/me/phone", json=sent, headers={"Idempotency-Key": "try-1"})
    assert told(first) == told(again)
    assert first.data == again.data
    assert door.sandbox.calls(PHONE_NUMBER) == 1


def test_numbers_are_ciphertext_in_the_database(door: Door, newcomer: Phone) -> None:
    told(newcomer.put("/me", json={"consent": CONSENT, "phone": "13812345678"}))
    with db.engine.connect() as connection:
        rows = connection.execute(text("SELECT phone, phone_fingerprint FROM residents")).all()
    assert not any("13812345678" in str(row) for row in rows)


def test_two_people_may_share_one_number(newcomer: Phone, town: Town) -> None:
    told(newcomer.put("/me", json={"consent": CONSENT, "phone": "13900000001"}))


def test_the_privacy_policy_is_open_to_everyone(door: Door) -> None:
    policy = told(door.phone().get("/privacy-policy"))
    assert policy["version"] == PRIVACY_POLICY.version
    assert len(policy["text"]) > 200
    assert policy["sha256"] == PRIVACY_POLICY.sha256


def test_a_bond_that_ended_is_not_shown(door: Door, town: Town) -> None:
    with transaction() as session:
        bond = a_bond(session, town.resident, town.elder)
        bond.starts_on = bond.ends_on = bond.starts_on.replace(year=2025)
    assert told(door.phone(town.resident).get("/me"))["wards"] == []
