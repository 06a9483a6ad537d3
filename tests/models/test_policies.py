"""Numbers of a community, with defaults from its district, and from the house."""

from __future__ import annotations

from datetime import time

import pytest
from sqlalchemy import select

from models.base import reading, transaction
from models.errors import Invalid
from models.policies import DEFAULTS, RULES, Policies, Policy, policies_at, set_policy
from models.regions import Region
from tests.people import Town


def in_force(place: Region) -> Policies:
    """The numbers in force at a place."""
    with reading() as session:
        return policies_at(session, place.id)


def put(place: Region, name: str, value: str) -> None:
    """Set a number for a place."""
    with transaction() as session:
        set_policy(session, session.get_one(Region, place.id), name, value)


def test_without_a_row_the_default_of_the_house_holds(town: Town) -> None:
    town.is_as_strict_as_others()
    numbers = in_force(town.wutong)
    assert numbers == DEFAULTS
    assert (numbers.waitlist_share, numbers.free_cancel_hours, numbers.runs_a_term) == (1, 24, 2)
    assert (numbers.quiet_from, numbers.quiet_until) == (time(21, 30), time(8))


def test_the_nearest_number_wins(town: Town) -> None:
    put(town.wutong, "free_cancel_hours", "6")
    put(town.district, "free_cancel_hours", "48")
    put(town.east_street, "free_cancel_hours", "12")
    put(town.district, "quiet_from", "22:00")
    assert in_force(town.wutong).free_cancel_hours == 6
    assert in_force(town.east_street).free_cancel_hours == 12
    assert in_force(town.wangjiang).free_cancel_hours == 48
    assert in_force(town.wutong).quiet_from == time(22, 0)


def test_setting_again_replaces(town: Town) -> None:
    town.is_as_strict_as_others()
    put(town.wutong, "waitlist_share", "2")
    put(town.wutong, "waitlist_share", "0.5")
    assert in_force(town.wutong).waitlist_share == 0.5
    with reading() as session:
        assert len(session.scalars(select(Policy)).all()) == 1


@pytest.mark.parametrize("value", ["", "很多", "-1", "1001", "nan", "inf", "1" + "0" * 400])
def test_a_senseless_number_is_refused_with_the_range(town: Town, value: str) -> None:
    with pytest.raises(Invalid) as caught:
        put(town.wutong, "waitlist_share", value)
    assert caught.value.code == "policy_invalid"
    assert "0 到 1000" in caught.value.faults[0].message


@pytest.mark.parametrize("value", ["", "24:00", "half past nine", "21.30", "9:30", "21:30:00", "21:30+08:00"])
def test_a_senseless_hour_is_refused_with_an_example(town: Town, value: str) -> None:
    with pytest.raises(Invalid) as caught:
        put(town.wutong, "quiet_from", value)
    assert "21:30" in caught.value.faults[0].message


def test_a_number_is_kept_short_however_it_was_written(town: Town) -> None:
    town.is_as_strict_as_others()
    put(town.wutong, "waitlist_share", "1.5" + "0" * 100)
    put(town.wutong, "quiet_from", "21:45")
    with reading() as session:
        kept = dict(session.execute(select(Policy.name, Policy.value)).all())
    assert kept == {"waitlist_share": "1.5", "quiet_from": "21:45"}


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.is_whole])
def test_a_fraction_of_what_is_counted_whole_is_refused_and_says_so(name: str) -> None:
    rule = RULES[name]
    half = (rule.least + rule.most) // 2 + 0.5
    with pytest.raises(Invalid) as caught:
        rule.read(f"{half}")
    assert f"{rule.least:g} 到 {rule.most:g} 之间的整数" in caught.value.faults[0].message
    assert rule.read(f"{rule.most:.1f}") == rule.most


def test_a_fraction_that_was_kept_before_counts_as_it_always_did(town: Town) -> None:
    with transaction() as session:
        session.add(Policy(region_id=town.wutong.id, name="reserve_days", value="2.5"))
    with reading() as session:
        assert policies_at(session, town.wutong.id).reserve_days == 2


def test_an_unknown_rule_is_refused_with_those_there_are(town: Town) -> None:
    with pytest.raises(Invalid) as caught:
        put(town.wutong, "free_lunch", "1")
    assert caught.value.code == "policy_unknown"
    assert all(name in caught.value.faults[0].message for name in RULES)


def test_every_rule_accepts_its_own_default() -> None:
    for rule in RULES.values():
        assert rule.read(str(rule.default)) == rule.default
