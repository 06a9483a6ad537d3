"""The harness: real databases made by the migrations and wiped between tests, a stopped clock, and a town full of people.

Ask for ``town`` (an application context is open, the cast stands there), ``app`` (only the application) or ``database_url``
(only a migrated, empty database); each of them runs the test on SQLite and on PostgreSQL. Sockets reach loopback and Unix
sockets, nothing else.
"""

from __future__ import annotations

import atexit
import gc
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import flask_migrate
import pytest
from flask import Flask
from pytest_socket import socket_allow_hosts
from sqlalchemy import event
from sqlalchemy.engine.url import URL

from models import clock as town_clock
from models.base import db, transaction
from models.notices import TemplateName
from server.app import create_app
from server.settings import SANDBOX_APPID, Mode, Settings
from tests.databases import (
    ENGINES,
    Print,
    hang,
    postgresql_database,
    postgresql_server,
    print_of,
    spare_the_disk,
    wipe,
)
from tests.people import Town, a_crowd, build_town
from tests.rooms import Centre, a_centre

T = TypeVar("T")

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=town_clock.TOWN_ZONE)
CROWD = 500

# fixed keys, for tests alone
SECRET_KEY = "a-secret-for-tests-and-nothing-else"
DATA_KEY = "dGVzdC1kYXRhLWtleS1vZi0zMi1ieXRlcy1sb25nISE="
LOOKUP_KEY = "a-lookup-key-for-tests-and-nothing-else"


def pytest_runtest_setup() -> None:
    """No test reaches past this machine."""
    socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


@pytest.hookimpl(trylast=True)  # after the shuffle
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole files of long tests first, an engine at a time: no worker ends alone with one of them, or builds its town over and over."""

    def place(item: pytest.Item) -> tuple[bool, str, bool]:
        if item.get_closest_marker("long") is None:
            return True, "", False
        return False, item.path.name, "postgresql" in item.name

    items.sort(key=place)  # in the order of the shuffle otherwise


def pytest_collection_finish() -> None:
    """Whatever was imported and collected stands until the end, and whatever a test makes mostly until its own."""
    gc.set_threshold(700, 10, 100)  # a tenth of the full collections: the fuzzer keeps every answer it had
    let_stand()


def let_stand() -> None:
    """What is in memory now stays there: the collector looks through it no more, as in a web worker (``server.web``).

    With thousands of tests in memory a full collection takes a quarter of a second, and there is one every twenty tests.
    """
    gc.collect()
    gc.freeze()


def settings_for(url: str, **changes: Any) -> Settings:
    """Settings for this database, with fixed keys and every template; ``changes`` replace any of them."""
    settings = Settings(
        mode=Mode.DEMO,
        data_dir=_scratch(),
        database_url=url,
        secret_keys=(SECRET_KEY,),
        data_keys=(DATA_KEY,),
        lookup_key=LOOKUP_KEY,
        wechat_appid=SANDBOX_APPID,
        wechat_secret="sandbox-secret",
        wechat_base_url="http://127.0.0.1:1",
        wechat_templates={name: f"template-of-{name}" for name in TemplateName},
        rates={},  # tests ask faster than people; who tests limits sets them
    )
    return replace(settings, **changes)


@cache
def _scratch() -> Path:
    directory = tempfile.mkdtemp(prefix="jiamenkou-data-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return Path(directory)


# --- databases ----------------------------------------------------------------------------------------------------


@dataclass
class House:
    """One migrated database of this worker, the application on it, and prints of the towns built in it before."""

    app: Flask
    url: str
    album: dict[str, tuple[Any, Print]] = field(default_factory=dict)

    def town(self, name: str, build: Callable[[], T]) -> T:
        """The town of this name, or whatever else its builder gives: built by the verbs the first time, put back row by row afterwards."""
        if name not in self.album:
            built = build()
            with db.engine.connect() as connection:
                self.album[name] = (built, print_of(connection))
            return built
        town: T
        town, rows = self.album[name]
        with db.engine.execution_options(writes=True).begin() as connection:
            hang(connection, rows)
        return town


@contextmanager
def open_house(url: str) -> Iterator[House]:
    """An application on a database brought to head, and everything of it closed at the end."""
    app = create_app(settings_for(url))
    with app.app_context():
        spare_the_disk(db.engine)
        flask_migrate.upgrade()
    let_stand()
    try:
        yield House(app, url)
    finally:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture(scope="session")
def start_postgresql(testrun_uid: str) -> Iterator[Callable[[], URL]]:
    """Starts this run's PostgreSQL server when first called, so that a run without such a test needs none."""
    with ExitStack() as stack:

        @cache
        def server() -> URL:
            return stack.enter_context(postgresql_server(testrun_uid))

        yield server


@pytest.fixture(scope="session")
def postgresql(start_postgresql: Callable[[], URL]) -> URL:
    """A PostgreSQL server for this run."""
    return start_postgresql()


@pytest.fixture(scope="session")
def own_database(
    start_postgresql: Callable[[], URL],
    tmp_path_factory: pytest.TempPathFactory,
    worker_id: str,
    testrun_uid: str,
) -> Iterator[Callable[[str, str], str]]:
    """Makes empty databases of this worker's own: ``own_database(engine, name)`` gives the URL."""
    with ExitStack() as stack:

        def make(engine: str, name: str) -> str:
            if engine == "sqlite":
                return f"sqlite:///{tmp_path_factory.mktemp('sqlite') / name}.sqlite3"
            return stack.enter_context(
                postgresql_database(start_postgresql(), f"test_{testrun_uid[:8]}_{worker_id}_{name}")
            )

        yield make


@pytest.fixture(scope="session")
def houses(own_database: Callable[[str, str], str]) -> Iterator[Callable[[str], House]]:
    """This worker's databases at head, one an engine, made when first asked for."""
    with ExitStack() as stack:

        @cache
        def house_on(engine: str) -> House:
            return stack.enter_context(open_house(own_database(engine, "town")))

        yield house_on


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """The database under the test: every rule is tried on both."""
    return str(request.param)


@pytest.fixture
def house(engine_name: str, houses: Callable[[str], House]) -> Iterator[House]:
    """A migrated, empty database with its application; wiped afterwards."""
    house = houses(engine_name)
    yield house
    with house.app.app_context():
        db.session.remove()
        wipe(db.engine)


@pytest.fixture
def database_url(house: House) -> str:
    """A migrated, empty database for an application of one's own (``create_app(settings_for(url, …))``)."""
    return house.url


@pytest.fixture
def app(house: House) -> Flask:
    """The application on an empty database; no context is open."""
    return house.app


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """The application on an empty database, with its context open."""
    with app.app_context():
        yield app


# --- time and people ----------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> Iterator[town_clock.StoppedClock]:
    """The clock, stopped on Friday 20 November 2026 at noon."""
    with town_clock.stopped_at(NOON) as hand:
        yield hand


@pytest.fixture
def town(house: House, clock: town_clock.StoppedClock) -> Iterator[Town]:
    """The standing cast in two communities, in an open application context."""
    with house.app.app_context():
        yield house.town("town", build_town)


@pytest.fixture
def centre(town: Town) -> Centre:
    """The centre of the first community, with rooms of every kind."""
    with transaction() as session:
        return a_centre(session, town.wutong)


@pytest.fixture
def big_town(house: House, clock: town_clock.StoppedClock) -> Iterator[Town]:
    """The same with ``CROWD`` more residents, for rushes."""

    def build() -> Town:
        town = build_town()
        with transaction() as session:
            crowd = a_crowd(session, town.wutong, CROWD)
        return replace(town, crowd=tuple(crowd))

    with house.app.app_context():
        yield house.town("big town", build)


@pytest.fixture
def statements(house: House) -> Iterator[list[str]]:
    """Every SQL statement that runs from here on, without the transaction's own."""
    seen: list[str] = []

    def keep(*executed: Any) -> None:
        seen.append(executed[2])

    with house.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", keep)
    yield seen
    event.remove(engine, "before_cursor_execute", keep)
