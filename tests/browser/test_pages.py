"""Pages people open in any browser, as old eyes see them: the day's classes, what is on today, and the screens in the room and in the hall."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from models import clock
from models.base import transaction
from models.clock import StoppedClock
from models.courses import CourseSession, Seating
from models.courses.attendance import Recorder, link_token, open_screen
from models.occupancy import Purpose, occupy
from models.reservations import ReservedFor
from models.sites import Site, Venue, add_venue
from server.app import create_app
from tests.conftest import House, settings_for
from tests.people import Town
from tests.rooms import Centre, a_group, at, takes
from tests.serving import listening, server_of

SIZES = [(320, 568), (390, 844), (1366, 768)]
SMALLEST = 18  # pixels a letter: what the elder mode of phones asks for (domain.md §4)
TELEVISION = (1920, 1080)
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


@pytest.fixture
def busy_hall(town: Town, centre: Centre, clock: StoppedClock) -> str:
    """A Saturday morning in the centre: some rooms are used, one is shut, the others are free; the key of the service point."""
    group = a_group(town, town.resident)
    takes(town.resident, centre.hall, at(9), heads=40, group=group, wanted_for=ReservedFor.REHEARSAL)
    takes(None, centre.kitchen, at(9), minutes=180, about="重阳节长者食堂志愿者培训和厨房安全知识讲座")
    takes(town.neighbour, centre.reading_room, at(14))
    for room, hour, title in ((centre.reading_room, 18, "手机摄影入门"), (centre.left, 14, "书法")):
        town.a_run(title=title, venue=room, starts_at=at(hour))
    with transaction() as session:
        site = session.get_one(Site, centre.hall.site_id)
        for name in ("儿童之家", "心理咨询室", "议事厅"):
            add_venue(session, site, name=name, capacity=20).floor = "2楼"
        occupy(
            session,
            session.get_one(Venue, centre.dance_room.id),
            starts_at=at(8),
            ends_at=at(17),
            purpose=Purpose.CLOSURE,
            holder_key="a-closure-of-it",
        )
        key = site.key
    clock.move_to(at(10))
    return key


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]} wide")
def test_what_is_on_today_is_read_on_any_phone(
    address: str, busy_hall: str, phone: Page, size: tuple[int, int]
) -> None:
    phone.set_viewport_size({"width": size[0], "height": size[1]})
    phone.goto(f"{address}/sites/{busy_hall}/today")
    expect(phone.get_by_role("heading", name="多功能厅", exact=True)).to_be_visible()
    can_be_read_by_old_eyes(phone)


@pytest.mark.parametrize("size", [*SIZES, TELEVISION], ids=lambda size: f"{size[0]} wide")
def test_the_screen_in_the_hall_is_read_from_its_other_side(
    address: str, busy_hall: str, phone: Page, size: tuple[int, int]
) -> None:
    phone.set_viewport_size({"width": size[0], "height": size[1]})
    phone.goto(f"{address}/sites/{busy_hall}/screen")
    expect(phone.get_by_text("夕阳红合唱团·排练").first).to_be_visible()
    can_be_read_by_old_eyes(phone)
    if size == TELEVISION:  # nobody scrolls there
        assert phone.evaluate("document.documentElement.scrollHeight <= window.innerHeight")
        assert min(letter for _, letter in phone.evaluate(LETTERS)) >= size[1] / 40


def test_the_screen_in_the_hall_turns_its_page_and_says_when_what_it_hears_is_not_ours(
    address: str, busy_hall: str, phone: Page
) -> None:
    phone.clock.install()
    phone.goto(f"{address}/sites/{busy_hall}/screen")
    expect(phone.get_by_text("第 1 页，共 2 页")).to_be_visible()
    phone.clock.run_for(16_000)
    expect(phone.get_by_text("第 2 页，共 2 页")).to_be_visible()
    expect(phone.get_by_text("议事厅")).to_be_visible()
    phone.route("**/screen?*", lambda asked: asked.fulfill(body="<p>请先登录公共网络</p>"))
    phone.clock.run_for(16_000)
    expect(phone.get_by_text("网络断了")).to_be_visible()
    expect(phone.get_by_text("议事厅")).to_be_visible()
    phone.unroute("**/screen?*")
    phone.clock.run_for(16_000)
    expect(phone.get_by_text("第 1 页，共 2 页")).to_be_visible()
    expect(phone.get_by_text("网络断了")).to_be_hidden()
