"""Photos of rooms over the wire: staff hang, arrange and take them down; everybody sees them, and keeps them for good."""

from __future__ import annotations

import secrets
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from miniprogram_api.photos import forget_files_of_nothing
from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.photos import MOST_PHOTOS, Photo, files_that_hang, hang_photo
from models.sites import Venue
from tests.people import Town, a_venue
from tests.phones import Door, Phone, the_problem, told


@pytest.fixture
def room(town: Town) -> Venue:
    """A room of a site in the first community."""
    with transaction() as session:
        return a_venue(session, town.wutong, name="舞蹈室")


def a_photo(size: tuple[int, int] = (640, 480), kind: str = "JPEG") -> bytes:
    written = BytesIO()
    Image.new("RGB", size, "teal").save(written, kind)
    return written.getvalue()


def send(phone: Phone, room: Venue, body: bytes, *, part: str = "photo", **headers: str) -> TestResponse:
    """Upload as ``wx.uploadFile`` does; the line between the parts is another one each time."""
    line = secrets.token_hex(8).encode()
    head = b'Content-Disposition: form-data; name="%s"; filename="IMG_1.jpg"' % part.encode()
    return phone.post(
        f"/staff/venues/{room.key}/photos",
        data=b"--%s\r\n%s\r\nContent-Type: image/jpeg\r\n\r\n%s\r\n--%s--\r\n" % (line, head, body, line),
        content_type=f"multipart/form-data; boundary={line.decode()}",
        headers=headers,
    )


def shown(door: Door, room: Venue) -> list[dict[str, Any]]:
    """What everybody sees by the room."""
    photos: list[dict[str, Any]] = told(door.phone().get(f"/venues/{room.key}"))["photos"]
    return photos


def files(door: Door) -> list[str]:
    """The files that are kept."""
    with door.app.app_context():
        return list(door.app.extensions["photo_files"].names())


def rows() -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Photo)) or 0


@pytest.fixture(autouse=True)
def nothing_is_kept_yet(door: Door) -> None:
    """Files outlive a test's rows."""
    door.app.extensions["photo_files"].delete(*files(door))


def test_a_photo_is_hung_and_everybody_sees_it(door: Door, town: Town, room: Venue) -> None:
    hung = told(send(door.phone(town.clerk), room, a_photo((3200, 2400), "PNG")), 201)
    assert (hung["width"], hung["height"], hung["caption"]) == (1600, 1200, "")
    assert shown(door, room) == [hung]
    for path, side in ((f"/photos/{hung['key']}", 1600), (f"/photos/{hung['key']}/thumbnail", 400)):
        answer = door.phone().get(path)
        assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
        assert Image.open(BytesIO(answer.data)).width == side
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        again = door.phone().get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


def test_photos_are_arranged_and_named(door: Door, town: Town, room: Venue) -> None:
    phone = door.phone(town.clerk)
    one, other = (told(send(phone, room, a_photo()), 201)["key"] for _ in range(2))
    items = [{"key": other, "caption": "镜子墙"}, {"key": one, "caption": None}]
    arranged = told(phone.put(f"/staff/venues/{room.key}/photos", json={"items": items}))["items"]
    assert [(each["key"], each["caption"]) for each in arranged] == [(other, "镜子墙"), (one, "")]
    assert shown(door, room) == arranged
    third = told(send(phone, room, a_photo()), 201)["key"]
    assert [each["key"] for each in shown(door, room)] == [other, one, third]
    for wrong in (items, [*items, items[0]], [*items, {"key": "a" * 16, "caption": None}], []):
        answer = phone.put(f"/staff/venues/{room.key}/photos", json={"items": wrong})
        the_problem(answer, 409, "photos_differ")
    assert [each["key"] for each in shown(door, room)] == [other, one, third]


def test_what_is_taken_down_is_gone_with_its_files(door: Door, town: Town, room: Venue) -> None:
    phone = door.phone(town.clerk)
    key = told(send(phone, room, a_photo()), 201)["key"]
    assert len(files(door)) == 2
    assert phone.delete(f"/staff/photos/{key}").status_code == 204
    assert (shown(door, room), files(door)) == ([], [])
    the_problem(phone.delete(f"/staff/photos/{key}"), 404, "not_found")
    for path in (f"/photos/{key}", f"/photos/{key}/thumbnail"):
        the_problem(door.phone().get(path), 404, "not_found")


def test_who_may_not_take_it_down_leaves_its_files(door: Door, town: Town, room: Venue) -> None:
    key = told(send(door.phone(town.clerk), room, a_photo()), 201)["key"]
    with transaction() as session:
        elsewhere = hang_photo(
            session, a_venue(session, town.wangjiang), file="a", thumbnail="b", width=1, height=1
        ).key
    the_problem(door.phone(town.clerk).delete(f"/staff/photos/{elsewhere}"), 404, "not_found")
    the_problem(door.phone(town.resident).delete(f"/staff/photos/{key}"), 403, "identity_unfit")
    assert (rows(), len(files(door))) == (2, 2)


@pytest.mark.parametrize("body", [b"", b"%PDF-1.7 a plan of the room", b"\xff\xd8\xff\xe0 half"])
def test_what_is_no_photo_is_refused_with_its_field(door: Door, town: Town, room: Venue, body: bytes) -> None:
    answer = send(door.phone(town.clerk), room, body)
    the_problem(answer, 409, "picture_unfit")
    assert [error["field"] for error in (answer.json or {})["errors"]] == ["photo"]
    assert (rows(), files(door)) == (0, [])


def test_what_was_sent_otherwise_is_refused(door: Door, town: Town, room: Venue) -> None:
    phone, address = door.phone(town.clerk), f"/staff/venues/{room.key}/photos"
    the_problem(phone.post(address, json={}), 415, "unsupported_media_type")
    the_problem(phone.post(address, data=a_photo(), content_type="image/jpeg"), 415, "unsupported_media_type")
    for answer in (
        phone.post(address, data={"photo": "words"}, content_type="multipart/form-data"),
        phone.post(address, data=b"broken", content_type="multipart/form-data"),
        send(phone, room, a_photo(), part="picture"),
    ):
        the_problem(answer, 422, "invalid")
        assert "photo" in [error["field"] for error in (answer.json or {})["errors"]]
    assert (rows(), files(door)) == (0, [])


def test_a_file_may_be_as_large_as_a_photo_and_no_larger(door: Door, town: Town, room: Venue) -> None:
    most = door.app.extensions["settings"].photo_megabytes << 20
    phone, photo = door.phone(town.clerk), a_photo()
    told(send(phone, room, photo + b"\0" * (most - len(photo))), 201)
    the_problem(send(phone, room, photo + b"\0" * (most + (1 << 15))), 413, "too_large")
    other = phone.put(
        f"/staff/venues/{room.key}/photos", data=b" " * (2 << 20), content_type="application/json"
    )
    the_problem(other, 413, "too_large")
    assert rows() == 1


def test_a_room_has_so_many_photos_and_no_more(door: Door, town: Town, room: Venue) -> None:
    with transaction() as session:
        for _ in range(MOST_PHOTOS):
            hang_photo(session, session.get_one(Venue, room.id), file="a", thumbnail="b", width=1, height=1)
    the_problem(send(door.phone(town.clerk), room, a_photo()), 409, "too_many_photos")
    assert rows() == MOST_PHOTOS


def test_the_same_attempt_hangs_one_photo(door: Door, town: Town, room: Venue) -> None:
    """Each time a form is sent the lines between its parts are drawn anew."""
    phone, photo = door.phone(town.clerk), a_photo()
    first = told(send(phone, room, photo, **{"Idempotency-Key": "1"}), 201)
    assert told(send(phone, room, photo, **{"Idempotency-Key": "1"}), 201) == first
    other = send(phone, room, a_photo((10, 10)), **{"Idempotency-Key": "1"})
    assert other.status_code in {409, 422}
    assert (rows(), len(files(door))) == (1, 2)


def test_a_file_whose_row_never_came_is_swept_a_day_later(
    door: Door, town: Town, room: Venue, clock: StoppedClock
) -> None:
    told(send(door.phone(town.clerk), room, a_photo()), 201)
    hanging = files(door)
    storage = door.app.extensions["photo_files"]
    lost = storage.put(b"lost")
    clock.advance(minutes=1)
    with door.app.app_context():
        assert forget_files_of_nothing(storage, files_that_hang, since=town_clock.now()) == 1
        assert forget_files_of_nothing(storage, files_that_hang, since=town_clock.now()) == 0
    assert files(door) == hanging
    assert lost not in hanging
