"""A unit is suspended: what it took on and has not done is free for others, and nothing new becomes its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select

from models.base import reading, transaction
from models.coordination.suspending import suspend
from models.errors import Forbidden, Refusal
from models.partners import Partner, PartnerState, lift_suspension
from models.wishes import WishState
from models.wishes.claims import LIVE, Claim, ClaimState, EndedBecause
from tests.claims import a_claimer, claim_now, claims, delivered, under_way
from tests.people import Town, UnitMember
from tests.races.rush import rush
from tests.wishes import hung, somebody, state_of


@pytest.fixture
def unit(town: Town) -> UnitMember:
    """Somebody of a unit that is paired with the community."""
    return a_claimer(town.wutong)


def suspended(unit: UnitMember, town: Town) -> int:
    with transaction() as session:
        return suspend(
            session,
            session.get_one(Partner, unit.partner_id),
            "两次没有送到",
            by_account_id=town.admin.account_id,
            identity=town.admin.identity,
        )


def test_what_a_suspended_unit_has_not_done_is_free_for_others(town: Town, unit: UnitMember) -> None:
    """E19."""
    begun, waiting, brought = (hung(town, somebody(town)) for _ in range(3))
    running, done = under_way(town, unit, begun), delivered(town, unit, brought)
    claims(unit, waiting)
    assert suspended(unit, town) == 2
    assert suspended(unit, town) == 0  # twice is fine
    assert (claim_now(running).state, claim_now(running).ended_because) == (
        ClaimState.RELEASED,
        EndedBecause.SUSPENDED,
    )
    assert claim_now(done).state is ClaimState.DELIVERED
    assert [state_of(wish) for wish in (begun, waiting)] == [WishState.PUBLISHED] * 2
    with pytest.raises(Forbidden) as no:
        claims(unit, waiting)
    assert no.value.code == "partner_suspended"
    with transaction() as session:
        partner = session.get_one(Partner, unit.partner_id)
        lift_suspension(session, partner, by_account_id=None, identity="town")
    claims(unit, waiting)


def test_whoever_claims_while_they_are_suspended_is_found_or_too_late(
    town: Town, app: Flask, unit: UnitMember
) -> None:
    """E19: whichever comes first, a suspended unit holds nothing it has not brought."""
    hanging = [hung(town, somebody(town)) for _ in range(5)]
    deeds: list[Callable[[], object]] = [partial(suspended, unit, town)]
    deeds += [partial(claims, unit, wish) for wish in hanging]
    answers = rush(app, deeds)
    broken = [one for one in answers if isinstance(one, Exception) and not isinstance(one, Refusal)]
    assert not broken
    assert {one.code for one in answers if isinstance(one, Refusal)} <= {"partner_suspended"}
    with reading() as session:
        assert session.get_one(Partner, unit.partner_id).state is PartnerState.SUSPENDED
        live = select(func.count()).where(Claim.partner_id == unit.partner_id, Claim.state.in_(LIVE))
        assert session.scalar(live) == 0
    assert {state_of(wish) for wish in hanging} == {WishState.PUBLISHED}
