"""``make run`` before anything is started: which database it fills, and which it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from models.base import reading, transaction
from models.regions import Region, RegionKind, plant
from server.run import main
from tests.bench.serving import free_port
from tests.conftest import DATA_KEY, LOOKUP_KEY, SECRET_KEY


@pytest.fixture
def started(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who types ``make run`` has this DATABASE_URL in the shell. Nothing is started really; the people of each start are listed."""
    shell = {
        "JIAMENKOU_MODE": "",
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": database_url,
        "PORT": str(free_port()),
        "SANDBOX_PORT": str(free_port()),
        "SECRET_KEY": SECRET_KEY,
        "DATA_KEY": DATA_KEY,
        "LOOKUP_KEY": LOOKUP_KEY,
    }
    for name, value in shell.items():
        monkeypatch.setenv(name, value)
    starts: list[str] = []

    def start(_: object, people: list[object]) -> int:
        starts.append(f"{len(people)} people")
        return 0

    monkeypatch.setattr("server.run._run_together", start)
    return starts


def regions(app: Flask) -> set[str]:
    with app.app_context(), reading() as session:
        return set(session.scalars(select(Region.name)))


def test_an_empty_database_becomes_the_demo_town_and_stays_it(started: list[str], app: Flask) -> None:
    assert main() == 0
    shown = regions(app)
    assert "安澜市" in shown
    assert main() == 0
    assert regions(app) == shown
    assert len(started) == 2
    assert started[0] == started[1]


def test_a_real_town_is_left_alone_and_not_run_as_a_demo(
    started: list[str], app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    with app.app_context(), transaction() as session:
        plant(session, kind=RegionKind.CITY, code="3301", name="真实市")
    assert main() == 1
    assert started == []
    assert regions(app) == {"真实市"}
    said = capsys.readouterr().err
    assert "已经有自己的区域（真实市）" in said
    assert "DATABASE_URL" in said
