"""Units and the places they are paired with: who may claim where, and whose claims need no confirmation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models import clock
from models.base import reading, transaction
from models.errors import Conflict, Forbidden, NotFound
from models.partners import (
    Pairing,
    Partner,
    PartnerState,
    agree_to,
    ask_to_be_paired,
    end_pairing,
    is_paired,
    is_trusted,
    must_be_able_to_claim,
    pair,
    paired_places,
    partner_on_card,
)
from models.regions import Region, RegionKind, plant
from tests.people import Town, a_unit

BY: dict[str, Any] = {"by_account_id": None, "identity": "town"}


def one_of(town: Town, place: Region) -> int:
    with transaction() as session:
        return a_unit(session, place).id


def test_a_unit_staff_wrote_down_is_paired_with_the_place_it_serves(town: Town) -> None:
    unit = one_of(town, town.wutong)
    with reading() as session:
        partner = session.get_one(Partner, unit)
        assert [place.id for place in paired_places(session, partner)] == [town.wutong.id]
        assert is_paired(session, partner, town.wutong)
        assert not is_paired(session, partner, town.wangjiang)


def test_a_pairing_holds_for_what_lies_under_the_place(town: Town) -> None:
    unit = one_of(town, town.east_street)
    with reading() as session:
        partner = session.get_one(Partner, unit)
        assert is_paired(session, partner, town.wutong)
        assert not is_paired(session, partner, town.district)


def test_pairing_twice_is_one_pairing(town: Town) -> None:
    unit = one_of(town, town.wutong)
    with transaction() as session:
        partner, place = session.get_one(Partner, unit), session.get_one(Region, town.wangjiang.id)
        first = pair(session, partner, place, by_account_id=None, identity="town")
        assert pair(session, partner, place, by_account_id=None, identity="town") is first
        assert len(paired_places(session, partner)) == 2


def test_nobody_is_paired_with_a_grid(town: Town) -> None:
    unit = one_of(town, town.wutong)
    with transaction() as session:
        partner = session.get_one(Partner, unit)
        grid = plant(session, kind=RegionKind.GRID, code="wutong-9", name="第九网格", parent=partner.region)
        with pytest.raises(Conflict) as no:
            pair(session, partner, grid, by_account_id=None, identity="town")
    assert (no.value.code, [fault.field for fault in no.value.faults]) == ("pairing_unfit", ["region"])


def card_for(key: str, *places: Region) -> str | None:
    """The name of a unit as those who work for these places may read it; none where they may not."""
    with reading() as session:
        try:
            return partner_on_card(session, key, within=list(places)).name
        except NotFound:
            return None


def test_a_place_reads_the_card_of_every_unit_it_has_to_do_with_and_of_no_other(town: Town) -> None:
    with transaction() as session:
        unit = a_unit(session, session.get_one(Region, town.wutong.id))
        key, name = unit.key, unit.name
    assert card_for(key, town.wutong) == card_for(key, town.east_street) == name
    assert card_for(key, town.wangjiang) is card_for(key) is None
    with transaction() as session:
        asked = ask_to_be_paired(
            session, session.get_one(Partner, unit.id), session.get_one(Region, town.wangjiang.id), **BY
        ).id
    assert card_for(key, town.wangjiang) == name  # whoever decides reads whom they decide about
    with transaction() as session:
        end_pairing(session, session.get_one(Pairing, asked), "太远", **BY)
    assert card_for(key, town.wangjiang) is None


def test_a_community_reads_the_card_of_a_unit_its_street_is_paired_with_but_not_of_one_that_asks(
    town: Town,
) -> None:
    with transaction() as session:
        key = (unit := a_unit(session, session.get_one(Region, town.wangjiang.id))).key
        asked = ask_to_be_paired(session, unit, session.get_one(Region, town.east_street.id), **BY).id
    assert card_for(key, town.wutong) is None
    with transaction() as session:
        agree_to(session, session.get_one(Pairing, asked), **BY)
    assert card_for(key, town.wutong) is not None


def test_trust_is_said_of_a_place_and_what_lies_under_it(town: Town) -> None:
    unit = one_of(town, town.east_street)
    with transaction() as session:
        partner = session.get_one(Partner, unit)
        assert not is_trusted(session, partner, town.wutong)
        session.query(Pairing).filter_by(partner_id=unit).one().is_trusted = True
        session.flush()
        assert is_trusted(session, partner, town.wutong)
        assert not is_trusted(session, partner, town.district)


def test_a_suspended_unit_claims_nothing_and_is_told_why(town: Town) -> None:
    """E19, its first half."""
    unit = one_of(town, town.wutong)
    with transaction() as session:
        partner = session.get_one(Partner, unit)
        must_be_able_to_claim(partner)
        partner.state, partner.reason = PartnerState.SUSPENDED, "两次没有送到"
        with pytest.raises(Forbidden, match="两次没有送到") as no:
            must_be_able_to_claim(partner)
        assert no.value.code == "partner_suspended"
        assert not is_paired(session, partner, town.wutong)


def test_a_unit_may_claim_on_the_last_day_of_its_year_and_not_on_the_next(town: Town) -> None:
    unit = one_of(town, town.wutong)
    with transaction() as session:
        partner = session.get_one(Partner, unit)
        partner.renewed_until = clock.today()
        must_be_able_to_claim(partner)
        partner.renewed_until = clock.today() - timedelta(days=1)
        assert partner.standing is PartnerState.LAPSED
        with pytest.raises(Conflict) as no:
            must_be_able_to_claim(partner)
        assert no.value.code == "partner_lapsed"


def test_an_application_claims_nothing(town: Town) -> None:
    unit = one_of(town, town.wutong)
    with transaction() as session:
        partner = session.get_one(Partner, unit)
        partner.state = PartnerState.APPLIED
        with pytest.raises(Conflict) as no:
            must_be_able_to_claim(partner)
        assert no.value.code == "partner_not_approved"
        assert paired_places(session, partner) == []
