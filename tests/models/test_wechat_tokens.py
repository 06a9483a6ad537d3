"""One access token for all processes: one renews, the others read it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine.url import URL

from models import clock
from models.base import Base, engine_options, prepare, reader, writer
from models.errors import Unavailable
from models.vault import Vault
from models.wechat_tokens import FetchedToken, SingleFlight, StoredTokenShelf, WeChatToken
from tests.databases import postgresql_database

MORNING = datetime(2026, 12, 3, 1, 0, tzinfo=UTC)
APPID = "wxsandbox000000001"


class WeChat:
    """Gives tokens, counted; can be slow, or refuse."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.given: list[str] = []
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.is_down = False

    def fetch(self) -> FetchedToken:
        self.asked.set()
        assert self.may_answer.wait(10)
        if self.is_down:
            raise ConnectionError("WeChat is down")
        self.given.append(f"token-{next(self._numbers)}")
        return FetchedToken(self.given[-1], 7200)


@pytest.fixture
def wechat() -> WeChat:
    return WeChat()


@pytest.fixture(scope="module")
def own_postgresql(postgresql: URL, worker_id: str) -> Iterator[str]:
    """An empty database for this module, so that tables of it can come and go."""
    with postgresql_database(postgresql, f"wechat_tokens_{worker_id}") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """An empty database with this one table, on both engines."""
    opened = Vault()
    opened.unlock([Fernet.generate_key().decode()], "lookup")
    monkeypatch.setattr("models.base.vault", opened)
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/town.db" if sqlite else request.getfixturevalue("own_postgresql")
    made = prepare(create_engine(url, **engine_options(url)))
    tables = [Base.metadata.tables[WeChatToken.__tablename__]]
    Base.metadata.create_all(writer(made), tables=tables)
    yield made
    Base.metadata.drop_all(writer(made), tables=tables)
    made.dispose()


def process(engine: Engine, *, patience_seconds: float = 5) -> StoredTokenShelf:
    """A shelf as another process would hold it."""
    return StoredTokenShelf(appid=APPID, engine=engine, patience_seconds=patience_seconds)


def test_one_process_fetches_and_all_read(engine: Engine, wechat: WeChat) -> None:
    first, second = process(engine), process(engine)
    assert second.fresh(clock.now()) is None
    assert first.renew(wechat.fetch, not_the_one=None) == "token-1"
    assert second.fresh(clock.now()) == "token-1"
    assert second.renew(wechat.fetch, not_the_one=None) == "token-1"
    assert wechat.given == ["token-1"]


def test_the_token_is_ciphertext_at_rest(engine: Engine, wechat: WeChat) -> None:
    process(engine).renew(wechat.fetch, not_the_one=None)
    with reader(engine).connect() as connection:
        stored = connection.execute(text("SELECT token FROM wechat_tokens")).scalar_one()
    assert "token-1" not in stored


def test_a_token_is_not_fresh_in_its_last_four_minutes(engine: Engine, wechat: WeChat) -> None:
    shelf = process(engine)
    with clock.stopped_at(MORNING) as hand:
        shelf.renew(wechat.fetch, not_the_one=None)
        hand.advance(seconds=7200 - 241)
        assert shelf.fresh(clock.now()) == "token-1"
        hand.advance(seconds=1)
        assert shelf.fresh(clock.now()) is None
        assert shelf.renew(wechat.fetch, not_the_one=None) == "token-2"


def test_a_refused_token_is_replaced_by_what_another_process_has_stored(
    engine: Engine, wechat: WeChat
) -> None:
    first, second = process(engine), process(engine)
    first.renew(wechat.fetch, not_the_one=None)
    assert second.fresh(clock.now()) == "token-1"
    assert first.renew(wechat.fetch, not_the_one="token-1") == "token-2"
    assert second.renew(wechat.fetch, not_the_one="token-1") == "token-2"
    assert wechat.given == ["token-1", "token-2"]


def test_six_processes_on_a_cold_shelf_fetch_one_token(engine: Engine, wechat: WeChat) -> None:
    wechat.may_answer.clear()
    with ThreadPoolExecutor(6) as pool:
        taps = [pool.submit(process(engine).renew, wechat.fetch, not_the_one=None) for _ in range(6)]
        assert wechat.asked.wait(10)
        wechat.may_answer.set()
        assert {tap.result() for tap in taps} == {"token-1"}
    assert wechat.given == ["token-1"]


def test_a_failed_renewal_is_told_to_those_who_waited_and_not_repeated_by_them(
    engine: Engine, wechat: WeChat
) -> None:
    wechat.may_answer.clear()
    wechat.is_down = True
    others = WeChat()
    waits = threading.Event()
    shelf = process(engine)
    original = shelf._read

    def read_and_tell() -> object:
        found = original()
        waits.set()
        return found

    shelf._read = read_and_tell  # type: ignore[method-assign, assignment]
    with ThreadPoolExecutor(2) as pool:
        renewer = pool.submit(process(engine).renew, wechat.fetch, not_the_one=None)
        assert wechat.asked.wait(10)
        waiter = pool.submit(shelf.renew, others.fetch, not_the_one=None)
        assert waits.wait(10)
        wechat.may_answer.set()
        assert isinstance(renewer.exception(), ConnectionError)
        assert isinstance(waiter.exception(), Unavailable)
    assert others.given == []
    assert process(engine).renew(others.fetch, not_the_one=None) == "token-1", "who comes later tries anew"


def test_a_crashed_renewer_loses_its_lease(engine: Engine, wechat: WeChat) -> None:
    with clock.stopped_at(MORNING) as hand:
        assert process(engine)._take_lease("crashed", None)
        with pytest.raises(Unavailable):
            process(engine, patience_seconds=0.2).renew(wechat.fetch, not_the_one=None)
        hand.advance(seconds=20)
        assert process(engine).renew(wechat.fetch, not_the_one=None) == "token-1"


def test_who_lost_the_lease_does_not_overwrite_the_newer_token(engine: Engine, wechat: WeChat) -> None:
    with clock.stopped_at(MORNING) as hand:
        slow = process(engine)
        assert slow._take_lease("slow", None)
        hand.advance(seconds=20)
        process(engine).renew(wechat.fetch, not_the_one=None)
        slow._release("slow", {"token": "late", "expires_at": clock.now()})
        assert process(engine).fresh(clock.now()) == "token-1"


def test_a_database_that_is_away_is_a_refusal_and_nobody_asks_wechat(tmp_path: Path, wechat: WeChat) -> None:
    nowhere = create_engine(f"sqlite:///{tmp_path}/no/such/place.sqlite3")
    shelf = StoredTokenShelf(appid=APPID, engine=nowhere)
    with pytest.raises(Unavailable):
        shelf.fresh(MORNING)
    with pytest.raises(Unavailable):
        shelf.renew(wechat.fetch, not_the_one=None)
    assert wechat.given == []


def test_two_apps_have_a_token_each(engine: Engine, wechat: WeChat) -> None:
    process(engine).renew(wechat.fetch, not_the_one=None)
    other = StoredTokenShelf(appid="wxother00001", engine=engine)
    assert other.fresh(clock.now()) is None
    assert other.renew(wechat.fetch, not_the_one=None) == "token-2"


def test_a_flight_for_another_reason_is_not_shared_when_it_brings_the_refused_token() -> None:
    flight = SingleFlight()
    begun, may_land = threading.Event(), threading.Event()

    def first() -> str:
        begun.set()
        assert may_land.wait(10)
        return "refused"

    with ThreadPoolExecutor(2) as pool:
        cold = pool.submit(flight.fly, first, not_the_one=None)
        assert begun.wait(10)
        joiner = pool.submit(flight.fly, lambda: "better", not_the_one="refused")
        may_land.set()
        assert (cold.result(10), joiner.result(10)) == ("refused", "better")
