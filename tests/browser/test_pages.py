"""Pages people open in any browser, as old eyes see them: the day's classes, and the screen in the room."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from models import clock
from models.base import transaction
from models.courses import CourseSession, Seating
from models.courses.attendance import Recorder, link_token, open_screen
from server.app import create_app
from tests.conftest import House, settings_for
from tests.people import Town
from tests.serving import listening, server_of

SIZES = [(320, 568), (390, 844), (1366, 768)]
SMALLEST = 18  # pixels a letter: what the elder mode of phones asks for (domain.md §4)
LETTERS = """
() => [...document.querySelectorAll('body *')]
    .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()))
    .filter(one => one.offsetParent !== null)
    .map(one => [one.textContent.trim(), parseFloat(getComputedStyle(one).fontSize)])
"""


@pytest.fixture(params=["sqlite"])
def engine_name(request: pytest.FixtureRequest) -> str:
    """Pages do not depend on the database."""
    return str(request.param)


@pytest.fixture
def address(house: House, town: Town) -> Iterator[str]:
    """Where the product is served."""
    with listening(server_of(create_app(settings_for(house.url), fresh_seconds=0))) as found:
        yield found


def can_be_read_by_old_eyes(page: Page) -> None:
    """Nothing is cut off at the side, and no letter is small."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    written = page.evaluate(LETTERS)
    assert written
    assert [(text, size) for text, size in written if size < SMALLEST] == []


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]} wide")
def test_the_days_classes_are_read_on_any_phone(
    address: str, town: Town, phone: Page, size: tuple[int, int]
) -> None:
    run = town.a_run(title="书法", seating=Seating(most_companions=2, home_first_hours=24))
    phone.set_viewport_size({"width": size[0], "height": size[1]})
    phone.goto(f"{address}/days/{town.wutong.key}/{clock.in_town(run.published_at or clock.now()):%Y-%m-%d}")
    expect(phone.get_by_role("heading", name="书法")).to_be_visible()
    can_be_read_by_old_eyes(phone)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]} wide")
def test_the_screen_in_the_room_is_read_from_the_last_row(
    address: str, town: Town, phone: Page, size: tuple[int, int]
) -> None:
    run = town.a_run(title="书法", starts_at=clock.now() + timedelta(minutes=10))
    with transaction() as session:
        meeting = session.get_one(CourseSession, run.sessions[0].id)
        link = link_token(open_screen(session, meeting, by=Recorder()))
    phone.set_viewport_size({"width": size[0], "height": size[1]})
    phone.goto(f"{address}/screens/{link}")
    expect(phone.get_by_label("签到码")).to_be_visible()
    can_be_read_by_old_eyes(phone)
    digits = phone.get_by_label("签到码").evaluate("one => parseFloat(getComputedStyle(one).fontSize)")
    assert digits >= min(size) / 8
