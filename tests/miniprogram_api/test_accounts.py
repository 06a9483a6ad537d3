"""Logging in with WeChat, and out again: who gets in, and every way of being turned away."""

from __future__ import annotations

import json
import threading

import pytest
from sqlalchemy import func, select

from miniprogram_api.wechat import ProcessTokenShelf, WeChatGateway
from models import clock
from models.accounts import LOGIN_DAYS, Account, Login, TokenMint
from models.base import reading, transaction
from models.clock import StoppedClock
from tests.people import Town
from tests.phones import Door, the_problem, told
from tests.sandbox import JSCODE2SESSION, STABLE_TOKEN

OPENID = "o-newcomer"


def accounts() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Account)) or 0


def test_a_newcomer_logs_in_and_is_known(door: Door, town: Town) -> None:
    before = accounts()
    me = door.log_in(OPENID)
    assert accounts() == before + 1
    assert told(me.get("/me"))["missing"] == ["name", "phone", "home_community", "consent"]


def test_the_answer_to_a_login_holds_the_token_and_its_end_and_nothing_of_wechat(
    door: Door, town: Town
) -> None:
    door.sandbox.user(OPENID, unionid="union-of-newcomer")
    answer = door.phone().post("/login", json={"code": door.sandbox.login_code(OPENID)})
    assert set(told(answer)) == {"token", "expires_at"}
    assert told(answer)["expires_at"].endswith("+08:00")
    assert OPENID not in answer.text
    assert "union" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_logging_in_again_is_the_same_account_with_another_login(door: Door, town: Town) -> None:
    first = door.log_in(OPENID)
    before = accounts()
    second = door.log_in(OPENID)
    assert accounts() == before
    assert first.token != second.token
    assert first.get("/me").status_code == second.get("/me").status_code == 200


def test_a_union_id_that_appears_later_is_kept(door: Door, town: Town) -> None:
    door.log_in(OPENID)
    door.sandbox.user(OPENID, unionid="union-of-newcomer")
    door.log_in(OPENID)
    with reading() as session:
        assert session.scalars(select(Account.unionid).where(Account.openid == OPENID)).one() == (
            "union-of-newcomer"
        )


def test_a_code_wechat_does_not_know_is_refused(door: Door, town: Town) -> None:
    answer = door.phone().post("/login", json={"code": "never-given-out"})
    the_problem(answer, 409, "wechat_code_invalid")


def test_a_code_is_good_once(door: Door, town: Town) -> None:
    code = door.sandbox.login_code(OPENID)
    assert door.phone().post("/login", json={"code": code}).status_code == 200
    the_problem(door.phone().post("/login", json={"code": code}), 409, "wechat_code_used")


def test_a_code_of_another_mini_program_is_refused(door: Door, town: Town) -> None:
    code = door.sandbox.login_code(OPENID, appid="wxsomebodyelse001")
    the_problem(door.phone().post("/login", json={"code": code}), 409, "wechat_code_invalid")


def test_somebody_wechat_calls_risky_is_sent_to_the_counter(door: Door, town: Town) -> None:
    door.sandbox.user(OPENID, flagged=True)
    answer = door.phone().post("/login", json={"code": door.sandbox.login_code(OPENID)})
    the_problem(answer, 403, "wechat_login_blocked")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"errcode": 45011}, "wechat_too_frequent"),
        ({"errcode": -1}, "wechat_unavailable"),
        ({"errcode": 40013}, "wechat_misconfigured"),
        ({"errcode": 40125}, "wechat_misconfigured"),
        ({"http_status": 502}, "wechat_unavailable"),
        ({"reset_before": True}, "wechat_unavailable"),
        ({"reset_after_processing": True}, "wechat_unavailable"),
        ({"latency_ms": 900}, "wechat_unavailable"),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_on_wechats_bad_day_one_is_told_so_and_nothing_is_written(
    door: Door, town: Town, fault: dict[str, int], code: str
) -> None:
    before, called = accounts(), door.sandbox.calls(JSCODE2SESSION)
    door.sandbox.fault(JSCODE2SESSION, **fault)
    answer = door.phone().post("/login", json={"code": door.sandbox.login_code(OPENID)})
    the_problem(answer, 503, code)
    assert int(answer.headers["Retry-After"]) >= 1
    assert accounts() == before
    # the code may be burnt: asking again with it would be a storm, and in vain
    assert door.sandbox.calls(JSCODE2SESSION) == called + 1


def test_with_wechat_gone_one_is_told_so(door: Door, town: Town) -> None:
    door.app.extensions["wechat"].close()
    nobody = WeChatGateway(
        appid="wx",
        secret="s",
        base_url="http://127.0.0.1:9",
        tokens=ProcessTokenShelf(),
        timeout=(0.5, 0.5),
    )
    door.app.extensions["wechat"] = nobody
    the_problem(door.phone().post("/login", json={"code": "any"}), 503, "wechat_unavailable")
    nobody.close()


def test_a_token_outage_does_not_break_login(door: Door, town: Town) -> None:
    door.sandbox.fault(STABLE_TOKEN, errcode=-1, times=None)
    assert door.log_in(OPENID).get("/me").status_code == 200
    assert door.sandbox.calls(STABLE_TOKEN) == 0


def test_two_first_logins_at_once_make_one_account(door: Door, town: Town) -> None:
    before = accounts()
    codes = [door.sandbox.login_code(OPENID) for _ in range(4)]
    together = threading.Barrier(len(codes))
    statuses: list[int] = []

    def log_in(code: str) -> None:
        together.wait()
        statuses.append(door.phone().post("/login", json={"code": code}).status_code)

    threads = [threading.Thread(target=log_in, args=(code,)) for code in codes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * len(codes)
    assert accounts() == before + 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "code"),
        ({"code": None}, "code"),
        ({"code": 7}, "code"),
        ({"code": ["a"]}, "code"),
        ({"code": ""}, "code"),
        ({"code": "   "}, "code"),
        ({"code": "x" * 129}, "code"),
        ({"code": "a\u0000b"}, "code"),
        ({"code": "a\nb"}, "code"),
        ({"code": "\ud800"}, "code"),
        ({"code": "x", "openid": "o-somebody"}, "openid"),
        ({"code": "x", "\ud800": 1}, "?"),
        ([], "body"),
        ("x", "body"),
    ],
)
def test_a_malformed_login_names_the_field(door: Door, town: Town, body: object, field: str) -> None:
    answer = door.phone().post("/login", data=json.dumps(body), content_type="application/json")
    found = the_problem(answer, 422, "invalid")
    assert [fault["field"] for fault in found["errors"]] == [field]
    assert door.sandbox.calls(JSCODE2SESSION) == 0


# --- tokens -------------------------------------------------------------------------------------------------------


def test_without_a_token_there_is_no_way_in(door: Door, town: Town) -> None:
    answer = door.phone().get("/me")
    the_problem(answer, 401, "login_needed")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Token abc", "Bearer\tabc"],
)
def test_what_is_no_bearer_token_is_no_login(door: Door, town: Town, authorization: str) -> None:
    answer = door.phone().get("/me", headers={"Authorization": authorization})
    assert answer.status_code == 401
    assert (answer.json or {})["code"] in {"login_needed", "token_invalid"}


@pytest.mark.parametrize("token", ["abc", "abc.def", "." * 300, "é.ü", "aaaaaaaaaaaaaaaa.", "x" * 5000])
def test_a_forged_token_is_refused(door: Door, town: Town, token: str) -> None:
    answer = door.phone().get("/me", headers={"Authorization": f"Bearer {token}"})
    the_problem(answer, 401, "token_invalid")


def test_a_token_with_one_letter_changed_is_refused(door: Door, town: Town) -> None:
    token = door.token_of(town.resident.login_key)
    changed = ("b" if token[0] == "a" else "a") + token[1:]
    answer = door.phone().get("/me", headers={"Authorization": f"Bearer {changed}"})
    the_problem(answer, 401, "token_invalid")


def test_a_token_of_another_town_is_refused(door: Door, town: Town) -> None:
    elsewhere = TokenMint(["the-secret-of-another-installation"])
    token = elsewhere.token_for(Login(key=town.resident.login_key))
    answer = door.phone().get("/me", headers={"Authorization": f"Bearer {token}"})
    the_problem(answer, 401, "token_invalid")


def test_a_token_signed_with_a_secret_that_was_replaced_is_still_good(town: Town) -> None:
    old = TokenMint(["the-old-secret"]).token_for(Login(key=town.resident.login_key))
    both = TokenMint(["the-new-secret", "the-old-secret"])
    assert both.login_key(old) == town.resident.login_key
    new = both.token_for(Login(key=town.resident.login_key))
    assert TokenMint(["the-new-secret"]).login_key(new) == town.resident.login_key


def test_a_login_ends_after_its_days(door: Door, town: Town, clock: StoppedClock) -> None:
    phone = door.phone(town.resident)
    clock.advance(days=LOGIN_DAYS, seconds=-1)
    assert phone.get("/me").status_code == 200
    clock.advance(seconds=1)
    the_problem(phone.get("/me"), 401, "token_expired")


def test_a_login_that_never_was_is_refused_although_the_signature_is_right(door: Door, town: Town) -> None:
    token = door.token_of("a" * 16)
    answer = door.phone().get("/me", headers={"Authorization": f"Bearer {token}"})
    the_problem(answer, 401, "token_revoked")


def test_logging_out_ends_this_login_and_no_other(door: Door, town: Town) -> None:
    here, there = door.log_in(OPENID), door.log_in(OPENID)
    answer = here.delete("/login")
    assert (answer.status_code, answer.data) == (204, b"")
    the_problem(here.get("/me"), 401, "token_revoked")
    the_problem(here.delete("/login"), 401, "token_revoked")
    assert there.get("/me").status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_tap_with_a_login_that_ended_is_refused(
    door: Door, town: Town, clock: StoppedClock, method: str
) -> None:
    run = town.a_run()
    path = f"/course-runs/{run.key}/registration"
    gone = door.log_in(OPENID)
    gone.delete("/login")
    the_problem(gone.ask(method, path), 401, "token_revoked")
    clock.advance(days=LOGIN_DAYS)
    the_problem(door.phone(town.resident).ask(method, path), 401, "token_expired")
    assert town.registrations(run) == []


# --- hats ---------------------------------------------------------------------------------------------------------


def test_staff_and_partners_put_on_their_own_hats(door: Door, town: Town) -> None:
    for who in (town.clerk, town.street_officer, town.partner_member):
        assert door.phone(who).get("/me").status_code == 200


def test_somebody_elses_hat_is_not_there(door: Door, town: Town) -> None:
    for hat in (town.clerk.identity, town.partner_member.identity):
        the_problem(door.phone(town.resident).wearing(hat).get("/me"), 404, "identity_unknown")


@pytest.mark.parametrize(
    "hat",
    ["", "Resident", "resident:", "resident:x", "staff", "staff:", "staff:*", "partner:", "root", "staff:é",
     "staff:aaaaaaaaaaaaaaaa", "partner:aaaaaaaaaaaaaaaa", "resident, staff:x", "x" * 4000],
)  # fmt: skip
def test_a_hat_that_makes_no_sense_is_not_there(door: Door, town: Town, hat: str) -> None:
    the_problem(door.phone(town.clerk).wearing(hat).get("/me"), 404, "identity_unknown")


def test_who_left_the_staff_has_no_hat_any_more(door: Door, town: Town) -> None:
    with transaction() as session:
        town.clerk.member(session).left_at = clock.now()
    the_problem(door.phone(town.clerk).get("/me"), 404, "identity_unknown")
