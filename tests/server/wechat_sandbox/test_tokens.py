"""The two families of access tokens and the check of every call (wechat.md §3)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from models import clock
from server.wechat_sandbox import Options
from server.wechat_sandbox.tokens import TokenTerms
from tests.sandbox import PLAIN_TOKEN, STABLE_TOKEN, TEMPLATES, SandboxTown, open_sandbox

MORNING = datetime(2026, 12, 3, 1, 0, tzinfo=UTC)


def stable(town: SandboxTown, **changed: Any) -> dict[str, Any]:
    body = {"grant_type": "client_credential", "appid": town.appid, "secret": town.secret, **changed}
    return town.post(STABLE_TOKEN, body)


def plain(town: SandboxTown, **changed: str) -> dict[str, Any]:
    query = {"grant_type": "client_credential", "appid": town.appid, "secret": town.secret, **changed}
    return town.get(PLAIN_TOKEN, **query)


def verdict(town: SandboxTown, token: str) -> int:
    return int(town.get(TEMPLATES, access_token=token)["errcode"])


def test_asking_again_gives_the_same_token_with_the_seconds_left(sandbox: SandboxTown) -> None:
    with clock.stopped_at(MORNING) as hand:
        first = stable(sandbox)
        assert first["expires_in"] == 7200
        hand.advance(seconds=1000)
        assert stable(sandbox) == {"access_token": first["access_token"], "expires_in": 6200}


def test_five_minutes_before_its_end_a_token_is_replaced_and_both_work(sandbox: SandboxTown) -> None:
    with clock.stopped_at(MORNING) as hand:
        first = stable(sandbox)["access_token"]
        hand.advance(seconds=6899)
        assert stable(sandbox) == {"access_token": first, "expires_in": 301}
        hand.advance(seconds=1)
        second = stable(sandbox)["access_token"]
        assert second != first
        assert (verdict(sandbox, first), verdict(sandbox, second)) == (0, 0)
        hand.advance(seconds=300)
        assert (verdict(sandbox, first), verdict(sandbox, second)) == (42001, 0)


def test_forcing_kills_the_earlier_token_at_once(sandbox: SandboxTown) -> None:
    first = sandbox.token()
    second = sandbox.token(force_refresh=True)
    assert second != first
    assert (verdict(sandbox, first), verdict(sandbox, second)) == (40001, 0)


def test_forcing_again_within_thirty_seconds_changes_nothing(sandbox: SandboxTown) -> None:
    with clock.stopped_at(MORNING) as hand:
        first = sandbox.token(force_refresh=True)
        hand.advance(seconds=29)
        assert sandbox.token(force_refresh=True) == first
        hand.advance(seconds=1)
        assert sandbox.token(force_refresh=True) != first


def test_the_twenty_first_force_of_a_day_is_over_quota(sandbox: SandboxTown) -> None:
    with clock.stopped_at(MORNING) as hand:
        for _ in range(20):
            sandbox.token(force_refresh=True)
            hand.advance(seconds=30)
        assert stable(sandbox, force_refresh=True)["errcode"] == 45009
        assert "access_token" in stable(sandbox), "the normal way stays open"
        hand.advance(days=1)
        assert "access_token" in stable(sandbox, force_refresh=True)


def test_stable_token_limits_are_per_minute_and_per_day() -> None:
    terms = TokenTerms(stable_a_minute=2, stable_a_day=3)
    with open_sandbox(options=Options(tokens=terms)) as town, clock.stopped_at(MORNING) as hand:
        stable(town)
        stable(town)
        assert stable(town)["errcode"] == 45011
        hand.advance(minutes=1)
        stable(town)
        assert stable(town)["errcode"] == 45009


def test_stable_token_is_for_post_with_the_right_client(sandbox: SandboxTown) -> None:
    assert sandbox.get(STABLE_TOKEN)["errcode"] == 43002
    assert stable(sandbox, grant_type="x")["errcode"] == 40002
    assert stable(sandbox, appid="")["errcode"] == 41002
    assert stable(sandbox, appid="wxwrong0001")["errcode"] == 40013
    assert stable(sandbox, secret="")["errcode"] == 41004
    assert stable(sandbox, secret="wrong")["errcode"] == 40125


def test_the_plain_token_is_new_each_time_and_the_earlier_lives_five_minutes(sandbox: SandboxTown) -> None:
    with clock.stopped_at(MORNING) as hand:
        first, second = plain(sandbox)["access_token"], plain(sandbox)["access_token"]
        assert second != first
        hand.advance(seconds=299)
        assert verdict(sandbox, first) == 0
        hand.advance(seconds=1)
        assert (verdict(sandbox, first), verdict(sandbox, second)) == (40001, 0)


def test_the_grace_of_a_plain_token_can_be_nothing() -> None:
    with open_sandbox(options=Options(tokens=TokenTerms(grace_seconds=0))) as town:
        first = plain(town)["access_token"]
        plain(town)
        assert verdict(town, first) == 40001


def test_the_plain_token_has_a_daily_cap() -> None:
    with open_sandbox(options=Options(tokens=TokenTerms(plain_a_day=2))) as town:
        plain(town)
        plain(town)
        assert plain(town)["errcode"] == 45009


def test_the_plain_token_calls_a_wrong_secret_an_invalid_credential(sandbox: SandboxTown) -> None:
    assert plain(sandbox, secret="wrong")["errcode"] == 40001
    assert plain(sandbox, appid="wxwrong0001")["errcode"] == 40013
    assert plain(sandbox, grant_type="x")["errcode"] == 40002


def test_the_two_families_leave_each_other_alone(sandbox: SandboxTown) -> None:
    steady, other = sandbox.token(), plain(sandbox)["access_token"]
    plain(sandbox)
    assert verdict(sandbox, steady) == 0
    sandbox.token(force_refresh=True)
    assert verdict(sandbox, other) == 0


def test_a_token_is_judged_missing_malformed_superseded_or_expired(sandbox: SandboxTown) -> None:
    assert sandbox.get(TEMPLATES)["errcode"] == 41001
    assert verdict(sandbox, "nonsense") == 40014
    assert verdict(sandbox, "42_" + "x" * 128) == 40001
    with clock.stopped_at(MORNING) as hand:
        token = sandbox.token(force_refresh=True)
        hand.advance(seconds=7200)
        assert verdict(sandbox, token) == 42001


def test_switches_of_an_account_are_faults_on_order(sandbox: SandboxTown) -> None:
    for errcode in (40164, 40243):
        sandbox.fault(STABLE_TOKEN, errcode=errcode)
        answer = stable(sandbox)
        assert answer["errcode"] == errcode
        assert " rid: " in answer["errmsg"]
    assert "access_token" in stable(sandbox)
