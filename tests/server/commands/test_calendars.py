"""What ``flask calendar`` and ``flask policy`` make of rooms: by when reservations are reviewed, and what lies outside the hours then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import pytest
from flask import Flask

from models.base import reading, transaction
from models.coordination.closures import ClosureKind
from models.desk import desk_of
from models.sites import Venue, VenueUse
from tests.closing import plan_of, remedies
from tests.people import Town, a_run, a_venue
from tests.rooms import MONDAY, NEXT_FRIDAY, SUNDAY, at, now_of, takes

Says = Callable[..., Sequence[str]]
FAR = date(2026, 12, 18)  # a Friday four weeks ahead


@pytest.fixture
def flask(app: Flask, town: Town) -> Says:
    """``flask …``, and the lines it says."""

    def says(*args: str) -> Sequence[str]:
        result = app.test_cli_runner().invoke(args=list(args))
        assert result.exit_code == 0, result.output
        return result.stdout.splitlines()

    return says


@pytest.fixture
def room(town: Town) -> Venue:
    """A room that is anybody's at once, of a site nobody has written hours for."""
    with transaction() as session:
        return a_venue(session, town.wutong)


@pytest.fixture
def reviewed(town: Town) -> Venue:
    """A room staff review who has."""
    with transaction() as session:
        room = a_venue(session, town.wutong)
        room.use = VenueUse.REVIEWED
        return room


def on_the_desk(town: Town) -> int:
    """How many things outside the hours lie on the clerk's desk."""
    with reading() as session:
        piles = desk_of(session, town.clerk.member(session))
        return next(one.number for one in piles if one.pile.name == "outside_hours")


def test_a_day_moves_by_when_a_reservation_is_reviewed_and_says_so(
    flask: Says, town: Town, reviewed: Venue
) -> None:
    made = takes(town.resident, reviewed, at(9, on=NEXT_FRIDAY))
    assert flask("calendar", "add", "2026-11-21", "调休上班") == [
        "2026-11-21 是调休上班",
        "1 个场地预约的审核期限已按新规定重新计算",
    ]
    assert now_of(made).review_due_at == at(12, on=date(2026, 11, 21))
    assert flask("calendar", "add", "2026-11-21", "调休上班") == ["2026-11-21 是调休上班"]
    assert flask("reservations", "rewind-clocks") == ["期限都没有变"]


def test_a_number_of_a_place_moves_it_too(flask: Says, town: Town, reviewed: Venue) -> None:
    made = takes(town.resident, reviewed, at(9, on=NEXT_FRIDAY))
    said = "1 个场地预约的审核期限已按新规定重新计算"
    assert said not in flask("policy", "set", "望江社区", "room_review_days", "2")
    assert said in flask("policy", "set", "梧桐里社区", "room_review_days", "2")
    assert now_of(made).review_due_at == at(12, on=MONDAY + timedelta(days=1))
    assert said in flask("policy", "set", "梧桐里社区", "unreviewed_until_hours", "96")
    assert now_of(made).review_due_at == at(9, on=MONDAY)
    assert said not in flask("policy", "set", "梧桐里社区", "reserve_days", "8")


def test_a_day_off_says_how_many_classes_and_reservations_it_shuts_out_and_they_are_listed(
    flask: Says, town: Town, room: Venue
) -> None:
    takes(town.resident, room, at(14, on=MONDAY))
    takes(town.neighbour, room, at(16, on=MONDAY))
    with transaction() as session:
        a_run(session, town.wutong, venue=session.get_one(Venue, room.id), starts_at=at(9, on=MONDAY))
    site = f"{town.wutong.name} {room.site.name}"
    _, *said = flask("calendar", "add", "2026-11-23", "holiday")
    assert said == [
        f"2026-11-23 不在开放时间：{site} 1 节课、2 个预约",
        "今后两周共有 3 项不在开放时间，已列入工作人员待办",
    ]
    assert on_the_desk(town) == 3
    plan = plan_of([room], at(8, on=SUNDAY), at(22, on=MONDAY), ClosureKind.HOURS)
    assert len(remedies(plan)) == 3
    _, *said = flask("calendar", "add", "2026-11-23", "workday")
    assert said == ["今后两周没有不在开放时间的课和预约了"]
    assert on_the_desk(town) == 0


def test_a_day_far_ahead_says_so_though_the_desk_hears_of_it_later(
    flask: Says, town: Town, room: Venue
) -> None:
    with transaction() as session:
        a_run(session, town.wutong, venue=session.get_one(Venue, room.id), starts_at=at(9, on=FAR))
    _, *said = flask("calendar", "add", FAR.isoformat(), "holiday")
    assert said == [
        f"{FAR.isoformat()} 不在开放时间：{town.wutong.name} {room.site.name} 1 节课",
        "离这一天还有两周时，会列入工作人员待办",
    ]
    assert on_the_desk(town) == 0


def test_the_usual_hours_of_a_place_say_what_they_shut_out(flask: Says, town: Town, room: Venue) -> None:
    takes(town.resident, room, at(14, on=MONDAY))
    assert flask("policy", "set", "望江社区", "closes", "12:00")[1:] == []
    (said,) = flask("policy", "set", "梧桐里社区", "closes", "12:00")[1:]
    assert said == "今后两周共有 1 项不在开放时间，已列入工作人员待办"
    assert on_the_desk(town) == 1
