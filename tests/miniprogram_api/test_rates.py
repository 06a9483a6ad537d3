"""Rates: whoever asks too often waits, nobody else does, and no person ever notices."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from miniprogram_api import rates
from miniprogram_api.document import PREFIX
from miniprogram_api.rates import (
    RATES,
    MemoryTally,
    Rate,
    RateName,
    Rates,
    RedisTally,
    Tally,
    address_of,
    rate_of,
)
from models.errors import TooOften
from tests.people import Town
from tests.phones import Door, Phone, the_problem, told

ONE_A_MINUTE = Rate(1, 60)
REDIS = shutil.which("redis-server")


class Hand:
    """A clock hand the test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@contextmanager
def limited(door: Door, limits: Mapping[RateName, Rate], *, trusted_proxies: int = 0) -> Iterator[Hand]:
    """The application with these rates and no others."""
    hand, before = Hand(), door.app.extensions["settings"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rates, "MemoryTally", lambda: MemoryTally(monotonic=hand))
        door.app.extensions["rates"] = Rates(limits)
    door.app.extensions["settings"] = replace(before, trusted_proxies=trusted_proxies)
    yield hand
    door.app.extensions["rates"] = Rates({})
    door.app.extensions["settings"] = before


# --- at the door --------------------------------------------------------------------------------------------------


def test_whoever_taps_without_end_waits_and_the_neighbour_does_not(door: Door, town: Town) -> None:
    run = town.a_run()
    path = f"/course-runs/{run.key}/registration"
    mine, theirs = door.phone(town.resident), door.phone(town.neighbour)
    with limited(door, {RateName.TAPS: Rate(4, 60)}) as hand:
        first = told(mine.put(path))
        assert told(mine.put(path)) == first
        assert mine.delete(path).status_code == 204
        told(mine.put(path))
        hand.at += 20.5
        answer = mine.put(path)
        the_problem(answer, 429, "too_many_requests")
        assert answer.headers["Retry-After"] == "40"
        the_problem(mine.delete(path), 429, "too_many_requests")
        told(theirs.put(path))
        hand.at += 39.5
        told(mine.put(path))
    assert town.states(run) == ["cancelled", "confirmed", "confirmed"]


def test_two_phones_of_one_person_are_counted_apart_and_a_forged_token_not_at_all(
    door: Door, town: Town
) -> None:
    path = f"/course-runs/{town.a_run().key}/registration"
    with limited(door, {RateName.TAPS: ONE_A_MINUTE}):
        told(door.phone(town.resident).put(path))
        forged = Phone(door.app.test_client(), f"{town.resident.login_key}.{'A' * 43}")
        the_problem(forged.put(path), 401, "token_invalid")
        told(door.phone(town.neighbour).put(path))


ASKED: Mapping[RateName, Callable[[Phone], Any]] = {
    RateName.PROFILE: lambda phone: phone.put("/me", json={"elder_mode": True}),
    RateName.PHONE: lambda phone: phone.post("/me/phone", json={"phone": "13812345678"}),
    RateName.COPY: lambda phone: phone.get("/me/copy"),
    RateName.ANSWERS: lambda phone: phone.post("/me/message-grants", json={"answers": {}}),
    RateName.INVITATIONS: lambda phone: phone.post("/me/staff-memberships", json={"code": "guessed"}),
    RateName.URGES: lambda phone: phone.post(f"/me/wishes/{'a' * 16}/urge"),
    RateName.COUNTER: lambda phone: phone.post(
        "/staff/residents/search", json={"phone": "13812345678", "purpose": "报名"}
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_everything_that_costs_something_has_a_rate_of_its_own(
    door: Door, town: Town, name: RateName
) -> None:
    ask, phone = ASKED[name], door.phone(town.resident)
    with limited(door, {name: ONE_A_MINUTE}):
        assert ask(phone).status_code != 429
        the_problem(ask(phone), 429, "too_many_requests")
        assert ask(door.phone(town.neighbour)).status_code != 429
        told(phone.get("/me"))
        for other in set(ASKED) - {name}:
            assert ASKED[other](phone).status_code != 429


def test_a_login_is_counted_by_address_and_costs_no_code(door: Door, town: Town) -> None:
    with limited(door, {RateName.LOGIN: ONE_A_MINUTE}, trusted_proxies=1) as hand:
        code = door.sandbox.login_code("o-newcomer")

        def log_in(address: str, code: str) -> Any:
            return door.phone().post("/login", json={"code": code}, headers={"X-Forwarded-For": address})

        the_problem(log_in("198.51.100.1", "unknown-code"), 409, "wechat_code_invalid")
        answer = log_in("198.51.100.1", code)
        the_problem(answer, 429, "too_many_requests")
        assert answer.headers["Retry-After"] == "60"
        the_problem(log_in("203.0.113.9, 198.51.100.1", code), 429, "too_many_requests")
        told(log_in("198.51.100.2", code))
        hand.at += 60
        the_problem(log_in("198.51.100.1", code), 409, "wechat_code_used")


def test_reading_is_never_counted(door: Door, town: Town) -> None:
    run = town.a_run()
    with limited(door, dict.fromkeys(RateName, ONE_A_MINUTE)):
        phone = door.phone(town.resident)
        for _ in range(3):
            for path in (
                "/me",
                "/course-runs",
                f"/course-runs/{run.key}",
                "/me/registrations",
                "/me/notices",
            ):
                told(phone.get(path))


def test_what_is_refused_too_often_asks_the_database_nothing(
    door: Door, town: Town, statements: list[str]
) -> None:
    phone = door.phone(town.resident)
    with limited(door, {RateName.PROFILE: ONE_A_MINUTE}):
        told(phone.put("/me", json={"elder_mode": True}))
        del statements[:]
        the_problem(phone.put("/me", json={"elder_mode": False}), 429, "too_many_requests")
    assert statements == []


def test_the_document_says_where_one_may_ask_too_often(door: Door, town: Town) -> None:
    document = door.app.test_client().get("/api/openapi.json").get_json()
    found = {
        f"{method} {path.removeprefix(PREFIX)}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if isinstance(operation, dict) and "429" in operation.get("responses", {})
    }
    assert found == {
        "post /login",
        "put /course-runs/{key}/registration",
        "delete /course-runs/{key}/registration",
        "put /course-runs/{key}/registration/acceptance",
        "get /course-runs/{key}/certificate/file",
        "put /course-runs/{key}/feedback",
        "get /certificates/{code}",
        "put /course-sessions/{key}/appeal",
        "put /course-runs/{key}/pick-up-adults",
        "put /me",
        "post /me/wishes",
        "post /me/wishes/look",
        "put /me/wishes/{key}",
        "post /me/wishes/{key}/urge",
        "post /me/wishes/{key}/photos",
        "post /partner/claims/{key}/photos",
        "post /staff/wishes",
        "post /staff/wish-rounds",
        "put /partner/wishes/{key}/claim",
        "put /partner/claims/{key}/acceptance",
        "put /partner/claims/{key}/delivery",
        "put /staff/claims/{key}/delivery",
        "post /me/phone",
        "get /me/copy",
        "post /me/message-grants",
        "post /me/staff-memberships",
        "post /staff/course-runs/{key}/sheets",
        "post /staff/sites/{key}/sheets",
        "post /staff/residents",
        "put /course-runs/{key}/answers",
        "put /course-sessions/{key}/check-in",
        "get /me/check-in-code",
        "put /course-sessions/{key}/leave",
        "delete /course-sessions/{key}/leave",
        "post /me/children",
        "put /staff/course-runs/{key}/registrations/{resident}",
        "delete /staff/course-runs/{key}/registrations/{resident}",
        "post /staff/course-runs/{key}/registrations",
        "put /staff/residents/{key}/home",
        "put /staff/residents/{key}",
        "put /staff/course-runs/{key}/answers/{resident}",
        "post /staff/residents/{key}/joining-codes",
        "post /me/joining",
        "post /me/help-offers",
        "post /me/helpers",
        "post /staff/residents/{key}/bonds",
        "delete /staff/bonds/{key}",
        "delete /staff/residents/{key}",
        "post /staff/residents/search",
        "put /staff/residents/{key}/consent",
        "delete /staff/residents/{key}/consent",
        "delete /staff/venues/{key}/inductions/{resident}",
        "post /me/group-leaderships",
        "post /me/groups",
        "post /me/groups/{key}/handover-codes",
        "post /staff/groups",
        "post /staff/partners",
        "post /staff/partners/{key}/invitations",
        "post /staff/partner-sheets",
        "post /staff/wish-sheets",
        "post /staff/departments",
        "post /staff/departments/{key}/invitations",
        "post /staff/joint-meetings",
        "post /staff/pairings",
        "post /me/partner-applications",
        "post /me/partner-memberships",
        "post /partner/invitations",
        "post /partner/pairings",
        "post /staff/venues/{key}/check-ins",
        "post /staff/venues/{key}/photos",
        "post /staff/venues/{key}/reservations",
        "post /venues/{key}/reservation-series",
        "post /venues/{key}/reservation-series/look",
        "post /venues/{key}/reservations",
        "put /me/credit-entries/{key}/appeal",
        "put /partner/claims/{key}/extension",
        "put /partner/claims/{key}/refusal",
        "put /partner/claims/{key}/return",
        "put /partner/pairings/{key}/ending",
        "put /me/groups/{key}",
        "put /reservations/{key}/check-in",
        "put /staff/partners/{key}",
        "put /staff/venues/{key}/inductions/{resident}",
    }
    assert "Retry-After" in document["components"]["responses"]["Problem429"]["headers"]


def test_every_rate_is_used_by_a_route_and_generous_for_people(door: Door) -> None:
    used = {
        manners.rate
        for blueprint in door.app.blueprints.values()
        for manners in getattr(blueprint, "manners", {}).values()
    }
    assert used - {None} == set(RateName) == set(RATES)
    assert RATES[RateName.LOGIN].times >= 500, "a whole community behind one address of its carrier"
    assert RATES[RateName.TAPS].times >= 30, "an old person taps twice, and tries again"


# --- counting -----------------------------------------------------------------------------------------------------


def test_a_window_ends_and_the_count_begins_anew() -> None:
    hand = Hand()
    tally = MemoryTally(monotonic=hand)
    waits = [tally.seconds_to_wait(RateName.COPY, "a", Rate(2, 60)) for _ in range(3)]
    assert waits == [0, 0, 60]
    hand.at += 59.2
    assert tally.seconds_to_wait(RateName.COPY, "a", Rate(2, 60)) == 1
    hand.at += 0.8
    assert tally.seconds_to_wait(RateName.COPY, "a", Rate(2, 60)) == 0


def test_names_without_end_fill_no_memory() -> None:
    tally = MemoryTally(most_names=100)
    for n in range(1000):
        assert tally.seconds_to_wait(RateName.LOGIN, f"address {n}", ONE_A_MINUTE) == 0
    assert len(tally._windows[RateName.LOGIN].counts) <= 100


def test_what_has_no_rate_is_not_counted() -> None:
    nothing = Rates({})
    for _ in range(1000):
        nothing.count(RateName.TAPS, "a")


@pytest.mark.parametrize(
    ("said", "rate"),
    [
        ("60/minute", Rate(60, 60)),
        ("1/second", Rate(1, 1)),
        ("1000000/hour", Rate(1_000_000, 3600)),
        ("off", None),
    ],
)
def test_a_rate_is_written_as_it_is_said(said: str, rate: Rate | None) -> None:
    assert rate_of(said) == rate


@pytest.mark.parametrize(
    "said",
    [
        "?",
        "60",
        "0/minute",
        "-1/minute",
        "60/day",
        "６０/minute",
        "1e3/hour",
        "9999999/hour",
        "60/",
        "/minute",
    ],
)
def test_a_rate_that_makes_no_sense_is_none(said: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        rate_of(said)


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "address"),
    [
        ("10.0.0.1", "", 0, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", 0, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", 1, "198.51.100.1"),
        ("10.0.0.1", "forged, 198.51.100.1", 1, "198.51.100.1"),
        ("10.0.0.1", "forged, 198.51.100.1 , 10.0.0.2", 2, "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1", 2, "10.0.0.1"),
        ("10.0.0.1", "", 1, "10.0.0.1"),
        ("10.0.0.1", "::ffff:198.51.100.1", 1, "198.51.100.1"),
        ("2001:db8:1:2:3:4:5:6", "", 0, "2001:db8:1:2::/64"),
        ("10.0.0.1", "x" * 9000, 1, "x" * 64),
        ("", "", 1, ""),
    ],
)
def test_an_address_is_read_from_our_own_proxies_alone(
    peer: str, forwarded: str, proxies: int, address: str
) -> None:
    assert address_of(peer, forwarded, trusted_proxies=proxies) == address


# --- together -----------------------------------------------------------------------------------------------------


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """A Redis of this test's own, stopped at the end; its address."""
    if REDIS is None:
        pytest.skip("no redis-server on this machine; .ci/run installs one")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [REDIS, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.kill()
        server.wait()


def waits(tally: Tally, who: str = "198.51.100.1", rate: Rate = ONE_A_MINUTE) -> int:
    return tally.seconds_to_wait(RateName.LOGIN, who, rate)


@pytest.mark.usefixtures("context")
def test_two_processes_count_together_in_redis(redis: str) -> None:
    one, other = RedisTally(redis), RedisTally(redis)
    assert waits(one) == 0
    assert 1 <= waits(other) <= 60
    assert waits(other, "198.51.100.2") == 0


@pytest.mark.usefixtures("context")
def test_redis_holds_no_address(redis: str) -> None:
    waits(RedisTally(redis))
    port = int(redis.rpartition(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port), 5) as asked:
        asked.sendall(b"KEYS *\r\n")
        kept = asked.recv(65536)
    assert b"jiamenkou" in kept
    assert b"198.51.100.1" not in kept


@pytest.mark.usefixtures("context")
def test_while_redis_is_away_each_counts_alone_and_says_so_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tally = RedisTally(f"redis://:hunter2@127.0.0.1:{port}/0")
    with structlog.testing.capture_logs() as events:
        assert waits(tally) == 0
        assert 1 <= waits(tally) <= 60
        assert waits(tally, "198.51.100.2") == 0
    assert [event["event"] for event in events] == ["rates_counted_alone"]
    assert "hunter2" not in str(events)


@pytest.mark.usefixtures("context")
def test_taps_never_wait_for_redis() -> None:
    with socket.create_server(("127.0.0.1", 0)) as never_answers:
        url = f"redis://127.0.0.1:{never_answers.getsockname()[1]}/0"
        together = Rates({RateName.TAPS: ONE_A_MINUTE, RateName.LOGIN: ONE_A_MINUTE}, redis_url=url)
        began = time.monotonic()
        together.count(RateName.TAPS, "a")
        with pytest.raises(TooOften):
            together.count(RateName.TAPS, "a")
        assert time.monotonic() - began < 0.1
