"""What is on today, for everybody: over the wire, as a page, and on the screen in the hall. Never who."""

from __future__ import annotations

import re

from models.base import transaction
from models.clock import StoppedClock
from models.reservations import ReservedFor
from models.sites import Site, Venue, add_venue
from tests.people import Town
from tests.phones import Door, told
from tests.rooms import Centre, a_group, at, takes


def site_of(room: Venue) -> str:
    with transaction() as session:
        return session.get_one(Site, room.site_id).key


def page(door: Door, path: str) -> str:
    answer = door.phone().client.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "no-referrer" in answer.headers["Referrer-Policy"]
    return answer.text


def rows(text: str) -> list[str]:
    """The rooms of a screen, each as one line of words."""
    bare = [re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", row)) for row in re.findall("<tr.*?</tr>", text, re.S)]
    return [row.strip() for row in bare[1:]]


def test_everybody_sees_what_is_on_and_what_is_free(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    takes(town.resident, centre.hall, at(9), heads=30, wanted_for=ReservedFor.GATHERING)
    town.a_run(title="书法", venue=centre.left, starts_at=at(18))
    clock.move_to(at(10))
    shown = told(door.phone().get(f"/sites/{site_of(centre.left)}/today"))
    assert (shown["on"], shown["at"], shown["kind"]) == ("2026-11-21", "2026-11-21T10:00:00+08:00", "weekend")
    says = {room["venue"]["name"]: (room["now"], room["says"]) for room in shown["rooms"]}
    assert says == {
        "阅览室": ("free", "空闲，到 21:00，可以预约"),
        "舞蹈室": ("free", "空闲，到 21:00，可以预约"),
        "多功能厅": ("in_use", "使用中，到 11:00"),
        "多功能厅左": ("in_use", "使用中，到 11:00"),
        "多功能厅右": ("in_use", "使用中，到 11:00"),
        "厨房": ("free", "空闲，到 21:00"),
        "连廊": ("free", "空闲，到 21:00，随到随用"),
    }
    left = shown["rooms"][3]
    assert left["use"] == {
        "purpose": "reservation",
        "word": "预约",
        "title": "邻里聚会",
        "venue": centre.hall.key,
        "starts_at": "2026-11-21T09:00:00+08:00",
        "ends_at": "2026-11-21T11:00:00+08:00",
    }
    assert [one["title"] for one in left["ahead"]] == ["书法"]
    assert town.resident.name not in str(shown)


def test_the_page_and_the_screen_say_the_same_and_name_nobody(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    group = a_group(town, town.resident)
    takes(town.resident, centre.left, at(9), group=group, wanted_for=ReservedFor.REHEARSAL)
    takes(town.neighbour, centre.reading_room, at(14))
    clock.move_to(at(10))
    shown = told(door.phone().get(f"/sites/{site_of(centre.left)}/today"))
    for path in (shown["page"], shown["screen"]):
        text = page(door, path)
        assert "夕阳红合唱团·排练" in text
        assert "14:00–16:00" in text
        assert "在多功能厅左" in text  # the hall it is a half of
        assert town.resident.name not in text
        assert town.neighbour.name not in text


def test_the_screen_turns_its_pages_and_begins_anew(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    with transaction() as session:
        site = session.get_one(Site, centre.left.site_id)
        for n in range(3):
            add_venue(session, site, name=f"活动室{n}", capacity=10)
        screen = f"/sites/{site.key}/screen"
    clock.move_to(at(10))
    first, second = page(door, screen), page(door, f"{screen}?turn=2")
    assert (len(rows(first)), len(rows(second))) == (6, 4)
    assert rows(second)[1].startswith("活动室0 空闲 到 21:00，可以预约")
    assert f'content="15; url={screen}?turn=2"' in first
    assert f'content="15; url={screen}?turn=1"' in second
    for astray in ("0", "9", "-1", "x", "１", "99999999999999999999"):
        assert len(rows(page(door, f"{screen}?turn={astray}"))) in (6, 4)
    alone = page(door, told(door.phone().get(f"/sites/{site.key}/today"))["page"])
    assert alone.count("<article>") == 10


def test_whoever_has_the_page_already_is_not_sent_it_again(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    screen = f"/sites/{site_of(centre.left)}/screen"
    client = door.phone().client
    etag = client.get(screen).headers["ETag"]
    assert client.get(screen, headers={"If-None-Match": etag}).status_code == 304
    clock.advance(minutes=1)
    assert client.get(screen, headers={"If-None-Match": etag}).status_code == 200


def test_what_staff_typed_is_text_on_the_page(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    takes(None, centre.left, at(9), about="<script>alert(1)</script>")
    clock.move_to(at(10))
    key = site_of(centre.left)
    for path in (f"/sites/{key}/today", f"/sites/{key}/screen"):
        text = page(door, path)
        assert "&lt;script&gt;alert" in text
        assert "<script>alert" not in text


def test_a_service_point_that_is_not_there_says_so_on_a_page(door: Door, town: Town) -> None:
    for path in ("today", "screen"):
        answer = door.phone().client.get(f"/sites/{'a' * 16}/{path}")
        assert (answer.status_code, "没有找到" in answer.text) == (404, True)
    assert door.phone().get(f"/sites/{'a' * 16}/today").status_code == 404


def test_the_screens_parts_are_served_from_here(door: Door) -> None:
    client = door.phone().client
    for name, kind in (("hall.css", "text/css"), ("hall.js", "text/javascript")):
        answer = client.get(f"/screens/{name}", buffered=True)
        assert (answer.status_code, answer.mimetype) == (200, kind)
