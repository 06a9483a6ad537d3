"""Sites, their rooms, halls that split (E13), and who holds what when."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from models.base import reading, transaction
from models.errors import Conflict
from models.occupancy import Occupancy, Purpose, holders_between, occupy, vacate
from models.partners import PartnerMember, admit, partner_by_key, partners_of
from models.regions import Region
from models.sites import Site, Venue, add_space, add_venue, venues_within
from tests.people import FIRST_EVENING, Town, a_site, a_venue

HOUR = timedelta(hours=1)


def hold(
    venue: Venue, holder_key: str, *, starts_at: datetime = FIRST_EVENING, ends_at: datetime | None = None
) -> None:
    """Hold a room for an hour."""
    with transaction() as session:
        occupy(
            session,
            session.get_one(Venue, venue.id),
            starts_at=starts_at,
            ends_at=ends_at or starts_at + HOUR,
            purpose=Purpose.COURSE_SESSION,
            holder_key=holder_key,
        )


@pytest.fixture
def hall(town: Town) -> tuple[Venue, Venue, Venue]:
    """The hall of two halves: whole, left, right."""
    with transaction() as session:
        site = a_site(session, town.wutong)
        left, right = add_space(session, site, "左半厅"), add_space(session, site, "右半厅")
        return (
            add_venue(session, site, name="多功能厅", capacity=80, spaces=[left, right]),
            add_venue(session, site, name="多功能厅左", capacity=40, spaces=[left]),
            add_venue(session, site, name="多功能厅右", capacity=40, spaces=[right]),
        )


def test_whoever_uses_the_hall_uses_both_halves(hall: tuple[Venue, Venue, Venue]) -> None:
    """E13."""
    whole, left, right = hall
    hold(whole, "chorus")
    for half in (left, right):
        with pytest.raises(Conflict) as caught:
            hold(half, "dance")
        assert (caught.value.code, caught.value.details["holders"]) == ("room_taken", ["chorus"])


def test_what_is_held_longer_than_a_day_is_held_day_by_day(hall: tuple[Venue, Venue, Venue]) -> None:
    whole, left, _ = hall
    until = FIRST_EVENING + timedelta(days=9, hours=2)
    hold(whole, "painters", ends_at=until)
    with reading() as session:
        held = session.scalars(
            select(Occupancy).where(Occupancy.space_id == left.spaces[0].id).order_by(Occupancy.starts_at)
        ).all()
        assert len(held) == 10
        assert (held[0].starts_at, held[-1].ends_at) == (FIRST_EVENING, until)
        assert all(one.ends_at == after.starts_at for one, after in pairwise(held))
    with pytest.raises(Conflict):
        hold(left, "dance", starts_at=until - HOUR)
    hold(left, "dance", starts_at=until)


def test_two_halves_are_two_rooms_and_then_no_hall(hall: tuple[Venue, Venue, Venue]) -> None:
    """E13."""
    whole, left, right = hall
    hold(left, "chorus")
    hold(right, "dance")
    with pytest.raises(Conflict) as caught:
        hold(whole, "fair")
    assert caught.value.details["holders"] == ["chorus", "dance"]


def test_a_refused_hold_holds_nothing(hall: tuple[Venue, Venue, Venue]) -> None:
    whole, left, right = hall
    hold(left, "chorus")
    with pytest.raises(Conflict):
        hold(whole, "fair")
    hold(right, "dance")


def test_what_is_let_go_is_free_again(hall: tuple[Venue, Venue, Venue]) -> None:
    whole, _, _ = hall
    hold(whole, "chorus")
    with transaction() as session:
        vacate(session, ["chorus", "nobody"])
        vacate(session, [])
    hold(whole, "fair")
    with reading() as session:
        assert set(session.scalars(select(Occupancy.holder_key))) == {"fair"}


def test_one_hour_ends_where_the_next_begins(hall: tuple[Venue, Venue, Venue]) -> None:
    whole, _, _ = hall
    hold(whole, "first")
    hold(whole, "second", starts_at=FIRST_EVENING + HOUR)
    with reading() as session:
        room = session.get_one(Venue, whole.id)
        assert holders_between(session, room, starts_at=FIRST_EVENING, ends_at=FIRST_EVENING + HOUR) == {
            "first"
        }


def test_a_room_without_floor_cannot_be_held(town: Town) -> None:
    """Nothing could keep two apart in it."""
    with transaction() as session:
        site = a_site(session, town.wutong)
        room = add_venue(session, site, name="纸上房间", capacity=10)
        room.spaces = []
    with pytest.raises(Conflict) as caught:
        hold(room, "chorus")
    assert caught.value.code == "room_without_space"


def test_rooms_are_listed_by_place(town: Town) -> None:
    with transaction() as session:
        here = a_venue(session, town.wutong, name="甲")
        again = a_venue(session, town.wutong, name="乙")
        there = a_venue(session, town.wangjiang, name="丙")
        district = session.get_one(Region, town.district.id)
        wutong = session.get_one(Region, town.wutong.id)
        assert venues_within(session, district) == [here, again, there]
        assert venues_within(session, wutong) == [here, again]
        assert [venue.name for venue in session.get_one(Site, here.site_id).venues] == ["甲", "乙"]


# --- partners -----------------------------------------------------------------------------------------------------


def test_a_member_acts_for_the_unit_until_leaving(town: Town) -> None:
    member = town.partner_member
    with transaction() as session:
        account = town.resident.account(session)
        (unit,) = session.scalars(select(PartnerMember).where(PartnerMember.account_id == member.account_id))
        assert partners_of(session, account) == []
        admit(session, unit.partner, account)
        assert partner_by_key(session, account, member.partner_key) is unit.partner
        admit(session, unit.partner, account).left_at = unit.joined_at
        session.flush()
        assert partners_of(session, account) == []
        admit(session, unit.partner, account)
        assert partners_of(session, account) == [unit.partner]
