"""The tree of places: what contains what, and what a name means."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.base import reading, transaction
from models.errors import NotFound
from models.regions import (
    Region,
    RegionKind,
    is_within,
    lies_within,
    paths_down_to,
    plant,
    region_by_key,
    regions_within,
)
from tests.people import Town


def test_a_street_contains_its_communities_and_not_the_next_streets(town: Town) -> None:
    assert town.east_street.contains(town.wutong)
    assert town.east_street.contains(town.east_street)
    assert not town.east_street.contains(town.wangjiang)
    assert not town.wutong.contains(town.east_street)


def test_a_code_that_begins_like_another_is_not_inside_it(town: Town) -> None:
    with transaction() as session:
        east = session.get_one(Region, town.east_street.id)
        plant(session, kind=RegionKind.COMMUNITY, code="wutong-2", name="梧桐二社区", parent=east)
        within = session.scalars(
            select(Region.code).where(Region.id.in_(regions_within(session.get_one(Region, town.wutong.id))))
        ).all()
    assert sorted(within) == ["wutong", "wutong-1"]


def test_codes_with_wildcards_in_them_are_taken_as_they_are(town: Town) -> None:
    with transaction() as session:
        odd = plant(session, kind=RegionKind.CITY, code="a_c", name="甲")
        plant(session, kind=RegionKind.CITY, code="abc", name="乙")
        within = session.scalars(select(Region.code).where(Region.id.in_(regions_within(odd)))).all()
    assert within == ["a_c"]


def test_a_code_in_capitals_is_another_place(town: Town) -> None:
    with transaction() as session:
        small = plant(session, kind=RegionKind.CITY, code="ab", name="甲")
        plant(session, kind=RegionKind.CITY, code="AB", name="乙")
        assert session.scalars(select(Region.code).where(lies_within([small]))).all() == ["ab"]


def test_within_several_places_means_within_any_of_them_and_within_none_nobody_is(town: Town) -> None:
    with reading() as session:
        everywhere = session.scalars(select(Region)).all()
        for places in ([], [town.wutong], [town.wutong, town.west_street], [town.east_street, town.wutong]):
            inside = set(session.scalars(select(Region.code).where(lies_within(places))))
            assert inside == {place.code for place in everywhere if is_within(place, places)}
            assert bool(inside) is bool(places)


def test_planting_again_renames(town: Town) -> None:
    with transaction() as session:
        again = plant(session, kind=RegionKind.COMMUNITY, code="wutong", name="梧桐里新社区")
        assert again.id == town.wutong.id
    with reading() as session:
        assert region_by_key(session, town.wutong.key).name == "梧桐里新社区"


def test_an_unknown_key_is_not_found(town: Town) -> None:
    with reading() as session:
        for key in ("nothing", "\x00"):
            with pytest.raises(NotFound):
                region_by_key(session, key)


def test_the_way_down_names_every_place_above() -> None:
    assert paths_down_to("city/district/street/") == ["city/", "city/district/", "city/district/street/"]
