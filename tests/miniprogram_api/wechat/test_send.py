"""Sending a message: what is known afterwards is the truth, and nothing unknown is sent again."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from miniprogram_api.wechat import ProcessTokenShelf, SendOutcome, SendResult, WeChatGateway
from models import clock
from server.wechat_sandbox import Options
from server.wechat_sandbox.templates import registration_result
from tests.miniprogram_api.wechat.test_login import nobody_home
from tests.sandbox import SEND, STABLE_TOKEN, SandboxTown, open_sandbox

WANG = "openid-wang"
VALUES = {
    "thing1": "八段锦入门",
    "time2": "2026年12月3日 19:00",
    "thing3": "幸福里社区二楼",
    "phrase4": "报名成功",
    "thing5": "请提前十分钟到",
}


def send(gateway: WeChatGateway, *, openid: str = WANG, **changed: str) -> SendOutcome:
    return gateway.send(
        openid, registration_result.id, {**VALUES, **changed}, page="pages/runs/run?id=1", state="formal"
    )


def test_an_accepted_message_lies_in_the_phone(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    sandbox.accept(WANG, registration_result.id)
    assert send(gateway).result is SendResult.ACCEPTED
    (message,) = sandbox.messages(WANG)
    assert message["values"] == VALUES
    assert message["page"] == "pages/runs/run?id=1"
    assert message["miniprogram_state"] == "formal"


def test_a_message_id_is_kept_where_wechat_gives_one() -> None:
    with open_sandbox(options=Options(msgid="always")) as town:
        gateway = WeChatGateway(
            appid=town.appid, secret=town.secret, base_url=town.base_url, tokens=ProcessTokenShelf()
        )
        town.accept(WANG, registration_result.id)
        outcome = send(gateway)
        assert outcome.msgid == town.messages(WANG)[0]["msgid"]
        gateway.close()


def test_a_used_up_permission_is_final(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    sandbox.reject(WANG, registration_result.id)
    outcome = send(gateway)
    assert (outcome.result, outcome.errcode) == (SendResult.REFUSED, 43101)
    assert outcome.permission_is_gone


def test_an_unfit_value_is_refused_naming_its_field(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    sandbox.accept(WANG, registration_result.id)
    outcome = send(gateway, phrase4="报名成功啦啦")
    assert (outcome.result, outcome.errcode) == (SendResult.REFUSED, 47003)
    assert "data.phrase4.value" in outcome.reason
    assert not outcome.permission_is_gone


@pytest.mark.parametrize("errcode", [40003, 40037, 41030, 43101, 43107, 45168, 47003, 48001, 99999])
def test_what_wechat_refuses_for_good_is_refused(
    sandbox: SandboxTown, gateway: WeChatGateway, errcode: int
) -> None:
    sandbox.accept(WANG, registration_result.id)
    sandbox.fault(SEND, errcode=errcode)
    outcome = send(gateway)
    assert (outcome.result, outcome.errcode) == (SendResult.REFUSED, errcode)
    assert sandbox.calls(SEND) == 1


@pytest.mark.parametrize("errcode", [-1, 43108, 45009, 45011])
def test_what_surely_did_not_arrive_may_be_sent_later(
    sandbox: SandboxTown, gateway: WeChatGateway, errcode: int
) -> None:
    sandbox.accept(WANG, registration_result.id)
    sandbox.fault(SEND, errcode=errcode)
    outcome = send(gateway)
    assert (outcome.result, outcome.errcode) == (SendResult.TRY_LATER, errcode)
    assert sandbox.calls(SEND) == 1, "the gateway does not try again by itself"


@pytest.mark.parametrize(
    "day", [{"errcode": -1}, {"errcode": 40164}, {"http_status": 500}, {"latency_ms": 900}]
)
def test_without_a_token_the_message_waits(
    sandbox: SandboxTown, gateway: WeChatGateway, day: dict[str, object]
) -> None:
    sandbox.accept(WANG, registration_result.id)
    sandbox.fault(STABLE_TOKEN, **day)
    assert send(gateway).result is SendResult.TRY_LATER
    assert sandbox.calls(SEND) == 0


def test_nobody_at_the_address_means_later(sandbox: SandboxTown) -> None:
    assert send(nobody_home(sandbox)).result is SendResult.TRY_LATER


def test_a_connection_refused_after_the_token_was_had_means_later(
    sandbox: SandboxTown, shelf: ProcessTokenShelf, gateway: WeChatGateway
) -> None:
    sandbox.accept(WANG, registration_result.id)
    send(gateway)
    assert shelf.fresh(clock.now()) is not None
    assert send(nobody_home(sandbox, tokens=shelf)).result is SendResult.TRY_LATER


def test_a_front_server_that_turns_the_post_away_means_later(
    sandbox: SandboxTown, gateway: WeChatGateway
) -> None:
    sandbox.fault(SEND, http_status=412)
    assert send(gateway).result is SendResult.TRY_LATER


@pytest.mark.parametrize(
    ("day", "arrived"),
    [
        ({"reset_after_processing": True}, 1),
        ({"reset_before": True}, 0),
        ({"latency_ms": 900}, 1),
        ({"http_status": 502}, 0),
        ({"garbled": "cut"}, 1),
        ({"garbled": "page"}, 1),
        ({"garbled": "foreign"}, 1),
    ],
)
def test_what_may_have_arrived_is_unknown_and_not_sent_again(
    sandbox: SandboxTown, gateway: WeChatGateway, day: dict[str, object], arrived: int
) -> None:
    sandbox.accept(WANG, registration_result.id)
    sandbox.accept(WANG, registration_result.id)
    sandbox.token()
    sandbox.fault(SEND, **day)
    outcome = send(gateway)
    assert outcome.result is SendResult.UNKNOWN
    assert sandbox.calls(SEND) == 1
    if "latency_ms" not in day:
        assert len(sandbox.messages(WANG)) == arrived


def test_a_superseded_token_is_renewed_once(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    sandbox.accept(WANG, registration_result.id)
    sandbox.accept(WANG, registration_result.id)
    assert send(gateway).result is SendResult.ACCEPTED
    sandbox.token(force_refresh=True)
    calls = sandbox.calls(STABLE_TOKEN)
    assert send(gateway).result is SendResult.ACCEPTED
    assert sandbox.calls(STABLE_TOKEN) == calls + 1
    assert sandbox.calls(SEND) == 3


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
def test_a_token_wechat_keeps_refusing_leads_to_one_renewal(
    sandbox: SandboxTown, gateway: WeChatGateway, errcode: int
) -> None:
    sandbox.accept(WANG, registration_result.id)
    sandbox.fault(SEND, errcode=errcode, times=None)
    with clock.stopped_at(datetime(2026, 12, 3, 1, 0, tzinfo=UTC)) as hand:
        outcome = send(gateway)
        assert (outcome.result, outcome.errcode) == (SendResult.TRY_LATER, errcode)
        assert (sandbox.calls(SEND), sandbox.calls(STABLE_TOKEN)) == (1, 2), "the first fetch and one renewal"
        for _ in range(5):
            send(gateway)
        assert sandbox.calls(STABLE_TOKEN) == 2, "the same token is not asked for again at once"
        hand.advance(seconds=31)
        sandbox.clear_faults()
        assert send(gateway).result is SendResult.ACCEPTED


def test_a_renewed_token_that_is_refused_too_ends_there(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    sandbox.accept(WANG, registration_result.id)
    sandbox.accept(WANG, registration_result.id)
    send(gateway)
    sandbox.token(force_refresh=True)
    sandbox.fault(SEND, errcode=40001, times=None)
    before = sandbox.calls(SEND), sandbox.calls(STABLE_TOKEN)
    assert send(gateway).result is SendResult.TRY_LATER
    assert (sandbox.calls(SEND), sandbox.calls(STABLE_TOKEN)) == (before[0] + 2, before[1] + 1)


def test_a_token_is_renewed_before_it_expires(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    with clock.stopped_at(datetime(2026, 12, 3, 1, 0, tzinfo=UTC)) as hand:
        for seconds, fetched in ((0, 1), (6959, 1), (1, 2)):
            hand.advance(seconds=seconds)
            sandbox.accept(WANG, registration_result.id)
            assert send(gateway).result is SendResult.ACCEPTED
            assert sandbox.calls(STABLE_TOKEN) == fetched
        assert sandbox.calls(SEND) == 3, "no message met a refused token"


def test_six_threads_on_a_cold_shelf_fetch_one_token(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    sandbox.fault(STABLE_TOKEN, latency_ms=200)
    phones = [f"openid-{place}" for place in range(6)]
    for openid in phones:
        sandbox.accept(openid, registration_result.id)
    start = threading.Barrier(6)

    def tap(openid: str) -> SendResult:
        start.wait()
        return send(gateway, openid=openid).result

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(tap, phones)) == {SendResult.ACCEPTED}
    assert sandbox.calls(STABLE_TOKEN) == 1


def test_nothing_private_is_in_outcomes_or_logs(
    sandbox: SandboxTown, gateway: WeChatGateway, shelf: ProcessTokenShelf, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.accept(WANG, registration_result.id)
    told = [repr(send(gateway))]
    token = shelf.fresh(clock.now())
    assert token is not None
    caplog.set_level(logging.DEBUG)
    for day in ({"errcode": 40003}, {"errcode": 40001}, {"reset_before": True}, {"http_status": 502}):
        body = {"path": SEND, "openid": WANG, **day}
        with caplog.at_level(logging.CRITICAL + 1, logger="urllib3"):
            sandbox.control("POST", "faults", body)
        told.append(repr(send(gateway)))
    everything = "".join(told) + caplog.text
    assert "/cgi-bin/message/subscribe/send" in everything, "the log was listening"
    for private in (sandbox.secret, token, WANG):
        assert private not in everything
