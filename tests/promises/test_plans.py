"""What is looked up of rooms goes by an index from the first moment asked about on, so that years behind it cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from models import clock
from models.availability import Stretch, alternatives, availability, is_free
from models.base import db, reading, transaction, writer
from models.bulk import insert_rows
from models.coordination.calendar import calendar_of_rooms
from models.coordination.closures.seeing import what_holds
from models.coordination.utilisation import utilisation
from models.occupancy import Occupancy, Purpose, holders_between
from models.sites import Venue, add_venue
from tests.people import FIRST_EVENING, Town, a_site

ROOMS, PAST = 4, 1_500
AN_HOUR = timedelta(hours=1)
INDEX = "ix_occupancies_space_starts"

LOOKS: dict[str, Callable[[Session, Venue], object]] = {
    "a week of a centre": lambda session, venue: availability(
        session, venue.site.venues, first=clock.today(), days=7
    ),
    "is it free": lambda session, venue: is_free(
        session, venue, starts_at=FIRST_EVENING, ends_at=FIRST_EVENING + AN_HOUR, buffer=AN_HOUR
    ),
    "alternatives": lambda session, venue: alternatives(
        session, venue, starts_at=FIRST_EVENING, ends_at=FIRST_EVENING + AN_HOUR, headcount=1
    ),
    "the calendar of a centre": lambda session, venue: calendar_of_rooms(
        session, [venue.site], first=clock.today(), days=7
    ),
    "how much a centre was used": lambda session, venue: utilisation(
        session, [venue.site], first=clock.today(), days=1
    ),
    "what is in the way of a closure": lambda session, venue: what_holds(
        session, venue.site.venues, Stretch(FIRST_EVENING, FIRST_EVENING + AN_HOUR)
    ),
    "who holds it": lambda session, venue: holders_between(
        session, venue, starts_at=FIRST_EVENING, ends_at=FIRST_EVENING + AN_HOUR
    ),
}


@pytest.fixture
def old_room(town: Town) -> Iterator[int]:
    """A room of a centre with months behind it in every room, and the database's own count of them."""
    with transaction() as session:
        site = a_site(session, town.wutong)
        rooms = [add_venue(session, site, name=f"教室{n}", capacity=20) for n in range(ROOMS)]
        spaces = [room.spaces[0].id for room in rooms]
    past = [
        {
            "space_id": space_id,
            "starts_at": clock.now() - AN_HOUR * (n + 2),
            "ends_at": clock.now() - AN_HOUR * (n + 1),
            "purpose": Purpose.RESERVATION,
            "holder_key": "somebody",
        }
        for space_id in spaces
        for n in range(PAST)
    ]
    with writer(db.engine).begin() as connection:
        insert_rows(connection, Occupancy, past, "id")
    with writer(db.engine).begin() as connection:
        connection.exec_driver_sql("ANALYZE occupancies")
    yield rooms[0].id
    if db.engine.dialect.name == "sqlite":
        with writer(db.engine).begin() as connection:
            connection.exec_driver_sql("DELETE FROM sqlite_stat1")


@pytest.mark.parametrize("look", LOOKS)
def test_what_is_over_is_not_looked_at(old_room: int, look: str) -> None:
    asked: list[tuple[str, Any]] = []

    def keep(*executed: Any) -> None:
        if "FROM occupancies" in executed[2] or "JOIN occupancies" in executed[2]:
            asked.append((executed[2], executed[3]))

    event.listen(db.engine, "before_cursor_execute", keep)
    try:
        with reading() as session:
            LOOKS[look](session, session.get_one(Venue, old_room))
    finally:
        event.remove(db.engine, "before_cursor_execute", keep)
    assert asked
    explain = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN (COSTS OFF)"
    with db.engine.connect() as connection:
        for statement, values in asked:
            plan = "\n".join(
                str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", values)
            )
            assert INDEX in plan, plan
            assert "starts_at >" in plan or "starts_at>" in plan, plan
            assert "Seq Scan on occupancies" not in plan, plan
            assert "SCAN occupancies" not in plan, plan
