"""Too little equipment is left at the hour somebody wants: they hear at which other hours of the day they could have room and equipment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from models import clock as town_clock
from models.base import reading, transaction
from models.equipment import add_equipment
from models.errors import Conflict
from models.occupancy import Occupancy
from models.reservations import Reservation
from models.sites import Venue
from tests.people import Person, Town
from tests.rooms import MONDAY, Centre, a_centre, at, takes


@pytest.fixture
def centre(town: Town) -> Centre:
    """The centre of the first community, open from 08:30 to 21:00."""
    with transaction() as session:
        return a_centre(session, town.wutong)


@pytest.fixture
def projector(centre: Centre) -> str:
    """The one projector of the centre, by its key."""
    with transaction() as session:
        site = session.get_one(Venue, centre.reading_room.id).site
        return add_equipment(session, site, name="投影仪", stock=1).key


def instead(person: Person, room: Venue, starts_at: datetime, pieces: dict[str, int]) -> list[Any]:
    """The hours of Monday somebody is offered who is told that too little is left."""
    with pytest.raises(Conflict) as caught:
        takes(person, room, starts_at, pieces=pieces)
    assert caught.value.code == "equipment_short"
    found = caught.value.details["alternatives"]
    assert {(one["kind"], one["venue"]) for one in found} <= {("other_time", room.key)}
    moments = [town_clock.in_town(datetime.fromisoformat(one["starts_at"])) for one in found]
    assert {moment.date() for moment in moments} <= {MONDAY}
    return [f"{moment:%H:%M}" for moment in moments]


def test_another_hour_of_the_day_is_offered_at_which_the_equipment_is_there_and_can_be_had(
    town: Town, centre: Centre, projector: str
) -> None:
    takes(town.resident, centre.left, at(9, on=MONDAY), heads=30, pieces={projector: 1})
    takes(town.guardian, centre.reading_room, at(14, on=MONDAY))  # the room itself is taken then
    hours = instead(town.neighbour, centre.reading_room, at(9, on=MONDAY), {projector: 1})
    assert hours
    assert not {"09:00", "14:00"} & set(hours)
    with reading() as session:
        assert session.scalar(select(func.count(Reservation.id))) == 2  # nothing of it was kept
        assert session.scalar(select(func.count(Occupancy.id))) == 2
    hour = int(hours[0][:2])
    takes(town.neighbour, centre.reading_room, at(hour, int(hours[0][3:]), on=MONDAY), pieces={projector: 1})


def test_hours_at_which_somebody_else_has_the_equipment_are_not_offered(
    town: Town, centre: Centre, projector: str
) -> None:
    takes(None, centre.left, at(8, 30, on=MONDAY), minutes=540, heads=30, pieces={projector: 1})
    hours = instead(town.neighbour, centre.reading_room, at(9, 30, on=MONDAY), {projector: 1})
    assert hours == ["18:00"]  # it is out until twenty to six, cleaning up included; at nine they close


def test_where_there_never_are_so_many_no_hour_is_offered(town: Town, centre: Centre, projector: str) -> None:
    assert instead(town.neighbour, centre.reading_room, at(9, on=MONDAY), {projector: 2}) == []
