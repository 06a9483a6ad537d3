"""The demo town as it stands after its first start, on the morning of 20 November 2026."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask

from models import clock as town_clock
from models.base import transaction
from server.demo import load_demo_town
from tests.conftest import House

NOVEMBER_20 = datetime(2026, 11, 20, 9, 0, tzinfo=town_clock.TOWN_ZONE)


@pytest.fixture
def hand() -> Iterator[town_clock.StoppedClock]:
    """The morning of 20 November 2026."""
    with town_clock.stopped_at(NOVEMBER_20) as hand:
        yield hand


@pytest.fixture
def demo(
    house: House,
    context: Flask,
    hand: town_clock.StoppedClock,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A freshly loaded demo town; where its files are."""

    def build() -> Path:
        kept = tmp_path_factory.mktemp("demo")
        load(kept)
        return kept

    shutil.copytree(house.town("demo", build), tmp_path, dirs_exist_ok=True)
    return tmp_path


def load(folder: Path) -> bool:
    """Load the demo town in a transaction of its own; whether there was anything to do."""
    with transaction() as session:
        return load_demo_town(session, town_clock.now(), folder)
