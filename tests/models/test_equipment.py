"""Equipment: at no moment more pieces are out than there are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.base import db, reading, transaction, writer
from models.clock import StoppedClock
from models.equipment import (
    Equipment,
    EquipmentLoan,
    add_equipment,
    change_equipment,
    equipment_of,
    give_back,
    left_between,
    lend,
    loans_of,
    retire_equipment,
    shorten,
)
from models.errors import Conflict, NotFound
from models.journal import JournalEntry
from models.sites import Venue, add_venue
from tests.people import FIRST_EVENING, Town, a_venue

HOUR = timedelta(hours=1)


@pytest.fixture
def room(town: Town) -> Venue:
    """A room of a site in the first community."""
    with transaction() as session:
        return a_venue(session, town.wutong)


@pytest.fixture
def chairs(room: Venue) -> Equipment:
    """Ten folding chairs that go with any room of the site."""
    return add(room, name="折叠椅", stock=10)


def add(room: Venue, *, name: str, stock: int) -> Equipment:
    with transaction() as session:
        return add_equipment(session, session.get_one(Venue, room.id).site, name=name, stock=stock)


def at(hours: float) -> datetime:
    """So many hours after the first evening begins."""
    return FIRST_EVENING + hours * HOUR


def take(room: Venue, wanted: dict[Equipment, int], starts: float, ends: float, who: str = "group") -> None:
    with transaction() as session:
        lend(
            session,
            {one.key: pieces for one, pieces in wanted.items()},
            session.get_one(Venue, room.id),
            starts_at=at(starts),
            ends_at=at(ends),
            holder_key=who,
        )


def left(one: Equipment, starts: float, ends: float) -> int:
    with reading() as session:
        now = session.get_one(Equipment, one.id)
        return left_between(session, [now], starts_at=at(starts), ends_at=at(ends))[one.key]


def change(session: Session, one: Equipment, **wanted: Any) -> None:
    row = session.get_one(Equipment, one.id)
    said: dict[str, Any] = {"name": row.name, "stock": row.stock, "venue": row.venue, **wanted}
    change_equipment(session, row, **said)


def test_what_is_lent_is_missing_just_then(room: Venue, chairs: Equipment) -> None:
    take(room, {chairs: 6}, 0, 2)
    assert [left(chairs, -1, 0), left(chairs, 0, 1), left(chairs, 1, 3), left(chairs, 2, 3)] == [10, 4, 4, 10]


def test_only_what_is_out_at_one_moment_adds_up(room: Venue, chairs: Equipment) -> None:
    """Two who follow each other use the same chairs."""
    take(room, {chairs: 6}, 0, 2, "choir")
    take(room, {chairs: 6}, 2, 4, "tai chi")
    take(room, {chairs: 4}, 0, 4, "readers")
    assert left(chairs, 0, 4) == 0
    with pytest.raises(Conflict) as caught:
        take(room, {chairs: 1}, 3, 5)
    assert caught.value.code == "equipment_short"


def test_whoever_wants_too_much_hears_of_what_and_how_many_are_left(room: Venue, chairs: Equipment) -> None:
    microphones = add(room, name="话筒", stock=2)
    screens = add(room, name="幕布", stock=1)
    take(room, {chairs: 7, screens: 1}, 0, 2)
    with pytest.raises(Conflict) as caught:
        take(room, {chairs: 4, microphones: 2, screens: 1}, 1, 3, "choir")
    assert caught.value.details["short"] == [
        {"equipment": chairs.key, "name": "折叠椅", "left": 3, "wanted": 4},
        {"equipment": screens.key, "name": "幕布", "left": 0, "wanted": 1},
    ]
    assert "“折叠椅”还剩 3 件、“幕布”还剩 0 件" in caught.value.message
    assert left(microphones, 1, 3) == 2  # nothing is held


def test_what_is_given_back_is_free(room: Venue, chairs: Equipment) -> None:
    take(room, {chairs: 10}, 0, 2, "choir")
    take(room, {chairs: 10}, 2, 4, "tai chi")
    with transaction() as session:
        give_back(session, ["choir"])
    assert (left(chairs, 0, 2), left(chairs, 2, 4)) == (10, 0)


def test_who_ends_early_gives_the_rest_back(room: Venue, chairs: Equipment) -> None:
    take(room, {chairs: 10}, 0, 4)
    with transaction() as session:
        shorten(session, "group", at(1))
        shorten(session, "group", at(3))  # later than it ends now
    assert (left(chairs, 0, 1), left(chairs, 1, 4)) == (0, 10)
    with transaction() as session:
        shorten(session, "group", at(0))  # it never began
    assert left(chairs, 0, 1) == 10


def test_what_is_lent_for_days_is_lent_day_by_day(room: Venue, chairs: Equipment) -> None:
    take(room, {chairs: 10}, 0, 60)
    with reading() as session:
        rows = session.scalars(select(EquipmentLoan).order_by(EquipmentLoan.starts_at)).all()
    assert [(row.ends_at - row.starts_at) / HOUR for row in rows] == [24, 24, 12]
    assert (left(chairs, 50, 51), left(chairs, 60, 61)) == (0, 10)
    with transaction() as session:
        shorten(session, "group", at(30))
    assert (left(chairs, 29, 30), left(chairs, 30, 60)) == (0, 10)
    with reading() as session:
        assert loans_of(session, ["group", "nobody"]) == {"group": {chairs.key: 10}}


def test_a_thing_goes_with_its_site_or_with_its_room(town: Town, room: Venue, chairs: Equipment) -> None:
    with transaction() as session:
        site = session.get_one(Venue, room.id).site
        other = add_venue(session, site, name="书画室", capacity=20)
        easels = add_equipment(session, site, name="画架", stock=5, venue=other)
        elsewhere = a_venue(session, town.wangjiang)
    with reading() as session:
        rooms = [session.get_one(Venue, one.id) for one in (room, other, elsewhere)]
        goes = {key: [one.name for one in found] for key, found in equipment_of(session, rooms).items()}
    assert goes == {room.id: ["折叠椅"], other.id: ["折叠椅", "画架"], elsewhere.id: []}
    take(other, {easels: 1, chairs: 1}, 0, 1)
    for strange, somewhere in ((easels, room), (chairs, elsewhere)):
        with pytest.raises(Conflict) as caught:
            take(somewhere, {strange: 1}, 5, 6)
        assert (caught.value.code, caught.value.details["equipment"]) == ("equipment_not_here", [strange.key])


def test_what_is_retired_is_lent_no_more_and_its_name_is_free(room: Venue, chairs: Equipment) -> None:
    with transaction() as session:
        retire_equipment(session, session.get_one(Equipment, chairs.id))
    with pytest.raises(Conflict) as caught:
        take(room, {chairs: 1}, 0, 1)
    assert caught.value.code == "equipment_not_here"
    with pytest.raises(NotFound), transaction() as session:
        retire_equipment(session, session.get_one(Equipment, chairs.id))
    with pytest.raises(NotFound), transaction() as session:
        change(session, chairs, stock=3)
    assert add(room, name="折叠椅", stock=4).key != chairs.key


def test_what_is_promised_stays(room: Venue, chairs: Equipment, clock: StoppedClock) -> None:
    take(room, {chairs: 4}, 0, 2, "choir")
    take(room, {chairs: 4}, 1, 3, "tai chi")
    take(room, {chairs: 2}, 48, 49, "readers")
    with transaction() as session:
        change(session, chairs, stock=8)
    for field, wrong in (("stock", 7), ("venue", room)):
        with pytest.raises(Conflict) as caught, transaction() as session:
            change(session, chairs, **{field: wrong})
        assert (caught.value.code, caught.value.details["pieces"]) == ("equipment_promised", 8)
        assert [fault.field for fault in caught.value.faults] == [field]
    with pytest.raises(Conflict) as caught, transaction() as session:
        retire_equipment(session, session.get_one(Equipment, chairs.id))
    assert caught.value.code == "equipment_promised"
    clock.move_to(at(3))
    with transaction() as session:
        change(session, chairs, stock=2)
    clock.move_to(at(49))
    with transaction() as session:
        retire_equipment(session, session.get_one(Equipment, chairs.id))


def test_a_name_stands_once_at_a_site_and_a_room_is_of_the_site(
    town: Town, room: Venue, chairs: Equipment
) -> None:
    with pytest.raises(Conflict) as caught:
        add(room, name="折叠椅", stock=1)
    assert caught.value.code == "equipment_exists"
    tables = add(room, name="长桌", stock=1)
    with pytest.raises(Conflict) as caught, transaction() as session:
        change(session, tables, name="折叠椅")
    assert [fault.field for fault in caught.value.faults] == ["name"]
    with pytest.raises(Conflict) as caught, transaction() as session:
        change(session, tables, venue=a_venue(session, town.wangjiang))
    assert caught.value.code == "equipment_elsewhere"


def test_every_change_is_journalled_and_the_same_again_is_nothing_new(room: Venue, chairs: Equipment) -> None:
    for _ in range(2):
        with transaction() as session:
            change(session, chairs, stock=12, venue=session.get_one(Venue, room.id))
    with reading() as session:
        query = select(JournalEntry.act, JournalEntry.details).order_by(JournalEntry.id)
        entries = [tuple(row) for row in session.execute(query.where(JournalEntry.act.startswith("equip")))]
    assert entries == [
        ("equipment.added", {"name": "折叠椅", "stock": 10}),
        ("equipment.changed", {"changed": ["stock", "venue"], "stock": 12}),
    ]


# --- the database itself ------------------------------------------------------------------------------------------


def write(one: Equipment, starts: float, ends: float, pieces: int) -> None:
    """A loan past every verb."""
    row = {"holder_key": "x", "starts_at": at(starts), "ends_at": at(ends), "pieces": pieces}
    with writer(db.engine).begin() as connection:
        connection.execute(insert(EquipmentLoan), {"equipment_id": one.id, **row})


@pytest.mark.parametrize(
    ("starts", "ends", "pieces"),
    [
        (0, 1, 7),
        (-1, 1, 7),
        (-1, 5, 6),
        (2.5, 3, 6),
        (0, 24.01, 1),
        (1, 1, 1),
        (0, 1, 0),
        (0, 1, 11),
        (4, 5, 11),
    ],
)
def test_the_database_lends_no_more_than_there_is(
    chairs: Equipment, starts: float, ends: float, pieces: int
) -> None:
    write(chairs, 0, 2, 4)
    write(chairs, 2, 4, 5)
    with pytest.raises(IntegrityError):
        write(chairs, starts, ends, pieces)
    write(chairs, -2, 0, 10)
    write(chairs, 0, 4, 5)


def test_a_loan_cannot_be_made_larger_or_moved_onto_another(chairs: Equipment) -> None:
    write(chairs, 0, 2, 6)
    write(chairs, 2, 4, 6)
    later = update(EquipmentLoan).where(EquipmentLoan.starts_at > FIRST_EVENING)
    for field, wrong in (("starts_at", at(1.5)), ("pieces", 11)):
        with pytest.raises(IntegrityError), writer(db.engine).begin() as connection:
            connection.execute(later.values({field: wrong}))
    with writer(db.engine).begin() as connection:
        connection.execute(later.values(pieces=10, ends_at=at(3)))


def test_two_loans_in_one_statement_are_looked_at_too(chairs: Equipment) -> None:
    row = {
        "equipment_id": chairs.id,
        "holder_key": "x",
        "starts_at": at(0),
        "ends_at": at(1),
        "pieces": 6,
    }
    with pytest.raises(IntegrityError), writer(db.engine).begin() as connection:
        connection.execute(insert(EquipmentLoan).values([row, row]))
