"""What a community published on a day is a list in the mini-program, and a page anybody can be sent."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from models.base import transaction
from models.clock import StoppedClock
from models.courses import (
    Admission,
    Audience,
    CourseKind,
    CourseRun,
    Seating,
    day_of,
    open_course,
    publish,
    unpublish,
)
from models.regions import Region
from tests.people import OPENS_AT, Town
from tests.phones import Door, the_problem, told

NOON = OPENS_AT + timedelta(hours=2)
TODAY = "2026-11-20"


def days(town: Town, region: Region | None = None, on: str = TODAY) -> str:
    return f"/regions/{(region or town.wutong).key}/days/{on}"


def page(door: Door, town: Town, on: str = TODAY) -> str:
    answer = door.app.test_client().get(f"/days/{town.wutong.key}/{on}")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    return answer.text


def test_the_day_lists_what_was_published_then_and_leads_to_its_neighbours(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    town.a_run(title="书法")
    town.a_run(community=town.wangjiang, title="合唱")
    scheduled = town.a_run(published=False, title="插花")
    with transaction() as session:
        publish(session, session.get_one(CourseRun, scheduled.id), at=NOON + timedelta(days=2))
    shown = told(door.phone().get(days(town)))
    assert [run["title"] for run in shown["items"]] == ["书法"]
    assert (shown["number"], shown["says"], shown["before"], shown["after"]) == (
        1,
        "新发布1门课：书法",
        None,
        None,
    )
    assert shown["share"] == {
        "title": "梧桐里社区 11月20日新课",
        "path": f"/pages/courses/day?region={town.wutong.key}&date={TODAY}",
        "page": f"/days/{town.wutong.key}/{TODAY}",
    }
    clock.move_to(NOON + timedelta(days=2))
    assert told(door.phone().get(days(town)))["after"] == "2026-11-22"
    after = told(door.phone().get(days(town, on="2026-11-22")))
    assert ([run["title"] for run in after["items"]], after["before"]) == (["插花"], TODAY)


def test_an_empty_day_says_so_and_still_leads_on(door: Door, town: Town, clock: StoppedClock) -> None:
    town.a_run()
    clock.move_to(NOON + timedelta(days=3))
    shown = told(door.phone().get(days(town, on="2026-11-22")))
    assert (shown["items"], shown["number"], shown["says"], shown["before"]) == (
        [],
        0,
        "这一天没有发布新课",
        TODAY,
    )
    assert "这一天没有发布新课" in page(door, town, on="2026-11-22")


def test_a_district_shows_what_all_its_communities_published(door: Door, town: Town) -> None:
    town.a_run()
    town.a_run(community=town.wangjiang)
    assert told(door.phone().get(days(town, town.district)))["number"] == 2


def test_what_was_taken_down_stands_on_no_day(door: Door, town: Town) -> None:
    run = town.a_run()
    with transaction() as session:
        unpublish(session, session.get_one(CourseRun, run.id))
    assert told(door.phone().get(days(town)))["items"] == []


@pytest.mark.parametrize("on", ["2026-02-30", "2026-2-3", "today", "0000-00-00"])
def test_what_is_no_day_has_no_list(door: Door, town: Town, on: str) -> None:
    the_problem(door.phone().get(days(town, on=on)), 404, "not_found")


@pytest.mark.parametrize("on", ["0001-01-01", "9999-12-31"])
def test_days_far_away_are_empty(door: Door, town: Town, on: str) -> None:
    assert told(door.phone().get(days(town, on=on)))["items"] == []
    assert "没有发布新课" in page(door, town, on=on)


def test_whoever_has_the_list_already_is_told_so(door: Door, town: Town) -> None:
    town.a_run()
    first = door.phone().get(days(town))
    again = door.phone().get(days(town), headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    client = door.app.test_client()
    seen = client.get(f"/days/{town.wutong.key}/{TODAY}")
    kept = client.get(f"/days/{town.wutong.key}/{TODAY}", headers={"If-None-Match": seen.headers["ETag"]})
    assert kept.status_code == 304


def test_the_page_names_what_is_new_and_nobody_who_is_registered(door: Door, town: Town) -> None:
    run = town.a_run(title="书法", teacher="周老师")
    town.resident.tap(run)
    shown = page(door, town)
    assert '<meta property="og:title" content="梧桐里社区 11月20日新课">' in shown
    for said in ("书法", "周老师", "12月3日 星期四 18:00", "报名中"):
        assert said in shown
    assert "陈静" not in shown
    assert town.resident.key not in shown


def test_the_page_says_who_may_come_and_how_the_seats_are_given(door: Door, town: Town) -> None:
    draws_at = OPENS_AT + timedelta(days=2)
    by_lot = Seating(admission=Admission.DRAW, draws_at=draws_at, home_first_hours=24)
    town.a_run(title="书法", seating=by_lot, audience=Audience.CHILD, min_age=7, max_age=15)
    shown = page(door, town)
    for said in (
        "7-15周岁，监护人替孩子报名",
        "抽签，11月22日 星期日 10:00 抽",
        "前 24 小时先由本社区居民报名",
    ):
        assert said in shown


def test_activities_are_counted_as_activities(door: Door, town: Town) -> None:
    with transaction() as session:
        place = session.get_one(Region, town.wutong.id)
        open_course(session, place, title="登高", category="节日", kind=CourseKind.ACTIVITY)
    for title in ("书法", "登高", "摄影"):
        town.a_run(title=title)
    assert told(door.phone().get(days(town)))["says"] == "新发布2门课、1项活动：书法、登高、摄影"


@pytest.mark.parametrize("rest", ["2026-11-20。", "2026-11", ""])
def test_a_link_that_lost_or_grew_a_letter_leads_to_a_page_that_says_so(
    door: Door, town: Town, rest: str
) -> None:
    answer = door.app.test_client().get(f"/days/{town.wutong.key}/{rest}")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "没有找到这一天" in answer.text
    assert "社区服务台" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_what_staff_typed_is_text_on_the_page_and_nothing_runs_there(door: Door, town: Town) -> None:
    town.a_run(title="<script>alert(1)</script>", teacher='"><img src=x>')
    shown = page(door, town)
    assert "<script>" not in shown
    assert "<img" not in shown
    answer = door.app.test_client().get(f"/days/{town.wutong.key}/{TODAY}")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_page_of_no_place_says_so(door: Door, town: Town) -> None:
    answer = door.app.test_client().get(f"/days/{'a' * 16}/{TODAY}")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "没有找到" in answer.text


def test_a_day_costs_the_same_for_one_run_and_for_many(door: Door, town: Town, statements: list[str]) -> None:
    def cost() -> int:
        statements.clear()
        with door.app.app_context(), transaction() as session:
            day = day_of(session, session.get_one(Region, town.wutong.id), date(2026, 11, 20))
            assert [run.sessions[0].venue.site.name for run in day.runs]
        return len(statements)

    town.a_run()
    one = cost()
    for _ in range(5):
        town.a_run()
    assert cost() == one


def test_a_day_is_the_towns_own_wherever_the_server_stands(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    """E14: half past eleven at night and half past midnight are one day in UTC and two in the town."""
    clock.move_to(NOON + timedelta(hours=11, minutes=30))
    town.a_run(title="书法")
    clock.move_to(NOON + timedelta(hours=12, minutes=30))
    town.a_run(title="合唱")
    assert [run["title"] for run in told(door.phone().get(days(town)))["items"]] == ["书法"]
    next_day = told(door.phone().get(days(town, on="2026-11-21")))
    assert [run["title"] for run in next_day["items"]] == ["合唱"]
