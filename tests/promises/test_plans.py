"""What is looked up of rooms goes by an index from the first moment asked about on, so that years behind it cost nothing; so do the wall of wishes and
their figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert
from sqlalchemy.orm import Session

from models import clock
from models.availability import Stretch, alternatives, availability, is_free
from models.base import db, new_key, reading, transaction, writer
from models.bulk import insert_rows
from models.coordination.calendar import calendar_of_rooms
from models.coordination.closures.seeing import what_holds
from models.coordination.utilisation import utilisation
from models.occupancy import Occupancy, Purpose, holders_between
from models.partners import Partner
from models.regions import Region
from models.sites import Venue, add_venue
from models.wishes import WallOrder, Wish, WishKind, WishSource, WishState, mark_of, wall
from models.wishes.claims import Claim, ClaimState, Level, Rating, SettledBy
from models.wishes.figures import figures_of_place, figures_of_unit
from tests.people import FIRST_EVENING, Town, a_partner_member, a_site

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


@contextmanager
def counted(*tables: str) -> Iterator[None]:
    """The database's own count of these tables while inside.

    A connection of SQLite reads the counts when it opens and at no other time, so every one is opened anew, before and after.
    """
    is_sqlite = db.engine.dialect.name == "sqlite"
    with writer(db.engine).begin() as connection:
        for table in tables:
            connection.exec_driver_sql(f"ANALYZE {table}")
    if is_sqlite:
        db.engine.dispose()
    yield
    if is_sqlite:
        with writer(db.engine).begin() as connection:
            connection.exec_driver_sql("DELETE FROM sqlite_stat1")
        db.engine.dispose()


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
    with counted("occupancies"):
        yield rooms[0].id


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


WISHES = 3_000
WALLS = {
    WallOrder.PRIORITY: "ix_wishes_wall",
    WallOrder.NEWEST: "ix_wishes_wall_newest",
    WallOrder.ENDING: "ix_wishes_wall_ending",
}


@pytest.fixture
def full_wall(town: Town) -> Iterator[Town]:
    """Thousands of wishes on the wall of one community, a few in another, and the database's own count of them."""
    now = clock.now()
    with transaction() as session:
        elsewhere = town.outsider.resident(session).home_region_id
        session.execute(
            insert(Wish),
            [
                {
                    "key": new_key(),
                    "region_id": elsewhere if number % 100 == 0 else town.wutong.id,
                    "number": number + 1,
                    "source": WishSource.ONLINE,
                    "state": WishState.PUBLISHED,
                    "kind": WishKind.SERVICE,
                    "submitted_at": now,
                    "published_at": now - timedelta(minutes=number),
                    "due_at": now + timedelta(minutes=number),
                    "priority": number % 3,
                }
                for number in range(WISHES)
            ],
        )
    with counted("wishes"):
        yield town


@pytest.mark.parametrize("order", WallOrder)
@pytest.mark.parametrize("where", ["everywhere", "a community", "a street", "two communities"])
@pytest.mark.parametrize("is_deep", [False, True])
def test_a_page_of_the_wall_reads_an_index_in_its_order(
    full_wall: Town, order: WallOrder, where: str, is_deep: bool
) -> None:
    asked: list[tuple[str, Any]] = []

    def keep(*executed: Any) -> None:
        if "FROM wishes" in executed[2] and "LIMIT" in executed[2]:
            asked.append((executed[2], executed[3]))

    with reading() as session:
        here = session.get_one(Region, full_wall.wutong.id)
        there = session.get_one(Region, full_wall.outsider.resident(session).home_region_id)
        street = session.get_one(Region, full_wall.east_street.id)
        region, among = {
            "everywhere": (None, None),
            "a community": (here, None),
            "a street": (street, None),
            "two communities": (None, [here, there]),
        }[where]
        after = mark_of(wall(session, region, among=among, order=order, most=1500)[-1], order)
        event.listen(db.engine, "before_cursor_execute", keep)
        try:
            assert (
                len(
                    wall(session, region, among=among, order=order, after=after if is_deep else None, most=21)
                )
                == 21
            )
        finally:
            event.remove(db.engine, "before_cursor_execute", keep)
    ((statement, values),) = asked
    # of a community that has nearly all of them, the index of everywhere does as well
    indexes = {WALLS[order]} if where == "everywhere" else {WALLS[order], f"{WALLS[order]}_of_region"}
    explain = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN (COSTS OFF)"
    with db.engine.connect() as connection:
        if db.engine.dialect.name == "postgresql":
            # of so few rows it guesses now this, now that: what is held is that the index gives them in order
            for way in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
                connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        plan = "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", values))
    assert indexes & set(plan.replace("(", " ").split()), plan
    assert "Seq Scan on wishes" not in plan, plan
    if where in ("everywhere", "a community"):  # several communities are sorted, a page of each
        assert "Sort" not in plan, plan
        assert "ORDER BY" not in plan, plan


YEARS, A_WEEK = timedelta(days=730), 7
BY_ITS_DAYS = {  # what a statement of the figures counts by, and the index that knows these days
    "wishes.first_published_at >=": "ix_wishes_first_published",
    "claims.promised_on BETWEEN": "ix_claims_promised",
    "claims.agreed_at >=": "ix_claims_agreed",
    "ratings.rated_at >=": "ix_ratings_rated",
}
OF_A_UNIT = "ix_claims_partner"


@pytest.fixture
def old_wishes(town: Town) -> Iterator[tuple[Town, int]]:
    """Two years of wishes that were fulfilled, by a hundred units, and the database's own count of them; one of the units."""
    now = clock.now()
    with transaction() as session:
        units = [a_partner_member(session, name=f"单位{number}").partner_id for number in range(100)]
        when = [now - YEARS * number / WISHES for number in range(WISHES)]
        wishes: list[dict[str, Any]] = [
            {
                "id": number + 1,
                "key": new_key(),
                "region_id": town.wutong.id,
                "number": number + 1,
                "source": WishSource.ONLINE,
                "state": WishState.FULFILLED,
                "kind": WishKind.SERVICE,
                "submitted_at": at,
                "published_at": at,
                "first_published_at": at,
                "turn": 1,
                "parts_taken": 1,
            }
            for number, at in enumerate(when)
        ]
        session.execute(insert(Wish), wishes)
        claims: list[dict[str, Any]] = [
            {
                "id": number + 1,
                "key": new_key(),
                "wish_id": number + 1,
                "partner_id": units[number % len(units)],
                "state": ClaimState.FULFILLED,
                "claimed_at": at,
                "agreed_at": at,
                "contacted_at": at,
                "delivered_at": at,
                "promised_on": clock.in_town(at).date(),
            }
            for number, at in enumerate(when)
        ]
        session.execute(insert(Claim), claims)
        ratings: list[dict[str, Any]] = [
            {
                "claim_id": number + 1,
                "level": Level.HAPPY,
                "rated_at": at,
                "rated_by": SettledBy.RESIDENT,
            }
            for number, at in enumerate(when)
        ]
        session.execute(insert(Rating), ratings)
    with counted("wishes", "claims", "ratings"):
        yield town, units[0]


@pytest.mark.parametrize("whose", ["a community", "a district", "a unit"])
def test_figures_read_the_days_they_are_about_and_not_the_years_behind(
    old_wishes: tuple[Town, int], whose: str
) -> None:
    """But for what was promised: as many days more as a promise may have been put off."""
    town, unit_id = old_wishes
    asked: list[tuple[str, Any]] = []

    def keep(*executed: Any) -> None:
        if "FROM wishes" in executed[2]:
            asked.append((executed[2], executed[3]))

    last = clock.today() - timedelta(days=300)
    first = last - timedelta(days=A_WEEK - 1)
    with reading() as session:
        place = session.get_one(Region, (town.wutong if whose == "a community" else town.district).id)
        unit = session.get_one(Partner, unit_id)
        event.listen(db.engine, "before_cursor_execute", keep)
        try:
            if whose == "a unit":
                figures_of_unit(session, unit, first=first, last=last)
            else:
                figures_of_place(session, place, first=first, last=last)
        finally:
            event.remove(db.engine, "before_cursor_execute", keep)
    assert len(asked) == (3 if whose == "a unit" else 4)
    explain = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN (COSTS OFF)"
    with db.engine.connect() as connection:
        if db.engine.dialect.name == "postgresql":
            # of so few rows it reads all and throws most away: what is held is that an index knows the days
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for statement, values in asked:
            where = statement.partition("WHERE")[2]
            (index,) = {index for days, index in BY_ITS_DAYS.items() if days in where}
            plan = "\n".join(
                str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {statement}", values)
            )
            used = set(plan.replace("(", " ").split())
            assert used & ({index, OF_A_UNIT} if whose == "a unit" else {index}), plan
            for table in ("wishes", "claims", "ratings"):
                assert f"Seq Scan on {table}" not in plan, plan
                assert f"SCAN {table}" not in plan.splitlines(), plan
