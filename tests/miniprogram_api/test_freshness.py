"""Kept lists: the same bytes for everyone, never older than two seconds, made once while many wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from flask import Flask, Response
from sqlalchemy import event

from miniprogram_api.freshness import FRESH_SECONDS, MOST_BYTES, MOST_KEPT, OLDEST_SECONDS, Freshness, Lately
from models.base import db
from models.errors import NotFound
from server.app import create_app
from tests.conftest import House, settings_for
from tests.people import Town
from tests.phones import TEMPLATES, Phone, the_problem, told


@pytest.fixture
def keeping(house: House, town: Town) -> Iterator[Flask]:
    """An application that keeps its lists, as in production."""
    app = create_app(settings_for(house.url, wechat_templates=TEMPLATES))
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def phone(keeping: Flask) -> Phone:
    """Nobody's phone."""
    return Phone(keeping.test_client())


class Kitchen:
    """Makes bodies, one numbered dish after another, and can be told to take its time or to burn them."""

    def __init__(self) -> None:
        self.made = 0
        self.takes = 0.0
        self.burns = False

    def make(self) -> Response:
        self.made += 1
        number = self.made
        time.sleep(self.takes)
        if self.burns:
            raise NotFound
        return Response(str(number))


def serve(freshness: Freshness, kitchen: Kitchen, address: str = "/list") -> str:
    with Flask("kitchen").test_request_context(address):
        return freshness.serve(kitchen.make).get_data(as_text=True)


def test_the_list_is_kept_for_a_moment_and_then_made_anew(phone: Phone, town: Town) -> None:
    assert told(phone.get("/course-runs"))["items"] == []
    run = town.a_run()
    assert told(phone.get("/course-runs"))["items"] == []
    time.sleep(FRESH_SECONDS)
    assert [item["key"] for item in told(phone.get("/course-runs"))["items"]] == [run.key]


def test_a_kept_list_costs_the_database_nothing(keeping: Flask, phone: Phone) -> None:
    asked: list[str] = []
    with keeping.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    phone.get("/course-runs")
    first = len(asked)
    assert first
    for _ in range(5):
        phone.get("/course-runs")
    assert len(asked) == first


def test_who_has_the_list_already_is_told_so_without_a_body(phone: Phone, town: Town) -> None:
    run = town.a_run()
    for path in ("/course-runs", f"/course-runs/{run.key}", "/regions", "/privacy-policy"):
        whole = phone.get(path)
        etag = whole.headers["ETag"]
        assert whole.headers["Cache-Control"] == "public, max-age=1"
        for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
            answer = phone.get(path, headers={"If-None-Match": known})
            assert (answer.status_code, answer.data) == (304, b"")
            assert answer.headers["ETag"] == etag
        assert phone.get(path, headers={"If-None-Match": '"other"'}).data == whole.data


def test_the_same_list_has_the_same_mark_in_every_process(house: House, phone: Phone, town: Town) -> None:
    town.a_run()
    other = create_app(settings_for(house.url, wechat_templates=TEMPLATES))
    first = phone.get("/course-runs").headers["ETag"]
    assert Phone(other.test_client()).get("/course-runs").headers["ETag"] == first
    with other.app_context():
        db.engine.dispose()


def test_each_question_has_its_own_kept_answer(phone: Phone, town: Town) -> None:
    town.a_run(title="书法")
    town.a_run(title="太极", category="运动")
    assert len(told(phone.get("/course-runs"))["items"]) == 2
    assert len(told(phone.get("/course-runs?category=运动"))["items"]) == 1


def test_a_refusal_is_not_kept(phone: Phone, town: Town) -> None:
    run = town.a_run(published=False)
    the_problem(phone.get(f"/course-runs/{run.key}"), 404, "not_found")
    the_problem(phone.get("/course-runs?cursor=nonsense"), 422, "invalid")
    the_problem(phone.get("/course-runs?limit=0"), 422, "invalid")


def test_refused_addresses_leave_nothing_behind(keeping: Flask, phone: Phone) -> None:
    freshness: Freshness = keeping.extensions["freshness"]
    for n in range(50):
        phone.get(f"/course-runs?cursor=nonsense{n}")
        phone.get(f"/course-runs?unknown={n}")
    assert not freshness._kept
    assert not freshness._making


def test_somebody_who_invents_addresses_does_not_fill_the_memory() -> None:
    freshness, kitchen = Freshness(), Kitchen()
    for n in range(MOST_KEPT * 2 + 5):
        serve(freshness, kitchen, f"/list?{n}")
    assert len(freshness._kept) <= MOST_KEPT


def test_large_answers_do_not_fill_it_either() -> None:
    freshness, a_mebibyte = Freshness(), b"0" * 1024 * 1024
    for n in range(MOST_BYTES // len(a_mebibyte) + 3):
        with Flask("kitchen").test_request_context(f"/list?{n}"):
            assert freshness.serve(lambda: Response(a_mebibyte)).get_data() == a_mebibyte
        assert sum(len(each.body) for each in freshness._kept.values()) <= MOST_BYTES
    assert len(freshness._kept) == 3


def test_while_one_makes_it_anew_the_others_get_the_last_one() -> None:
    freshness, kitchen = Freshness(0.1), Kitchen()
    assert serve(freshness, kitchen) == "1"
    time.sleep(0.15)
    kitchen.takes = 0.3
    maker = threading.Thread(target=serve, args=(freshness, kitchen))
    maker.start()
    time.sleep(0.1)
    began = time.monotonic()
    assert serve(freshness, kitchen) == "1"
    assert time.monotonic() - began < 0.1
    maker.join()
    kitchen.takes = 0
    assert serve(freshness, kitchen) == "3"  # the second was as old as its look when it was ready


def test_nobody_gets_a_list_older_than_two_seconds() -> None:
    freshness, kitchen = Freshness(1), Kitchen()  # as long as five readers may need to come in
    serve(freshness, kitchen)
    time.sleep(OLDEST_SECONDS)
    kitchen.takes = 0.2
    answers: list[str] = []
    readers = [threading.Thread(target=lambda: answers.append(serve(freshness, kitchen))) for _ in range(5)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert answers == ["2"] * 5  # and it was made once for all five


def test_when_making_fails_the_next_reader_tries_again() -> None:
    freshness, kitchen = Freshness(0.05), Kitchen()
    serve(freshness, kitchen)
    time.sleep(0.1)
    kitchen.burns = True
    with pytest.raises(NotFound):
        serve(freshness, kitchen)
    kitchen.burns = False
    assert serve(freshness, kitchen) == "3"


def test_what_is_kept_for_no_time_is_made_every_time() -> None:
    freshness, kitchen = Freshness(0), Kitchen()
    assert [serve(freshness, kitchen) for _ in range(3)] == ["1", "2", "3"]


def test_what_was_read_a_moment_ago_is_read_again_after_that_moment() -> None:
    read = iter(range(9))
    lately = Lately[str, int](fresh_seconds=0.05)
    assert [lately.of("a", lambda: next(read)) for _ in range(3)] == [0, 0, 0]
    assert lately.of("b", lambda: next(read)) == 1
    time.sleep(0.06)
    assert lately.of("a", lambda: next(read)) == 2
    nothing = Lately[str, int](fresh_seconds=0)
    assert [nothing.of("a", lambda: next(read)) for _ in range(2)] == [3, 4]


def test_whoever_invents_questions_fills_no_memory() -> None:
    lately = Lately[int, int]()
    for what in range(MOST_KEPT + 5):
        lately.of(what, lambda: 0)
    assert lately.of(MOST_KEPT + 4, lambda: 1) == 0  # kept, though what came before it is gone
    assert lately.of(0, lambda: 1) == 1
