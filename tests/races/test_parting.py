"""Somebody leaves a unit at the moment they do something for it: no claim is led by who acts for nobody, and nothing is done in their name after."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models.base import reading, transaction
from models.coordination.parting import remove
from models.errors import Refusal
from models.partners import Partner, PartnerMember, members_of
from models.wishes.claims import (
    Claim,
    ClaimState,
    Done,
    Evidence,
    contacts_of,
    deliver,
    hand_lead_on,
    help_with,
    helpers_of,
    working,
)
from tests.claims import a_claimer, a_member, by_unit, claim_now, claims, does, under_way
from tests.people import Person, Town, UnitMember
from tests.races.rush import LONGEST_SECONDS, meanwhile, rush
from tests.wishes import hung, somebody

ON_POSTGRESQL = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # SQLite takes turns
DONE = Done(Evidence.TAP, minutes=30)


@pytest.fixture
def unit(town: Town) -> UnitMember:
    """The manager of a unit that is paired with the community."""
    return a_claimer(town.wutong)


@pytest.fixture
def wisher(town: Town) -> Person:
    """Somebody who wishes."""
    return somebody(town)


def removes(who: UnitMember) -> None:
    with transaction() as session:
        member = session.scalars(
            select(PartnerMember).where(
                PartnerMember.partner_id == who.partner_id, PartnerMember.account_id == who.account_id
            )
        ).one()
        remove(session, member, by_account_id=None, identity="staff:town")


def helps(who: UnitMember, claim: Claim) -> None:
    with transaction() as session:
        partner = session.get_one(Partner, who.partner_id)
        help_with(session, session.get_one(Claim, claim.id), partner, who.account_id, by=by_unit(who))


def codes(answers: Sequence[object]) -> Counter[str]:
    loud = [answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, Refusal)]
    assert not loud
    return Counter(answer.code if isinstance(answer, Refusal) else "done" for answer in answers)


def must_act_for_it(unit: UnitMember, *led: Claim) -> None:
    """Whoever leads or helps with these claims acts for the unit."""
    with reading() as session:
        acting = members_of(session, [unit.partner_id])[unit.partner_id]
        for claim in led:
            now = session.get_one(Claim, claim.id)
            assert now.lead_account_id in acting
            assert {one.account_id for one in helpers_of(session, now)} <= set(acting)


def test_a_lead_who_is_removed_while_they_deliver_has_delivered_or_may_no_longer(
    town: Town, app: Flask, unit: UnitMember
) -> None:
    led = [(a_member(unit), hung(town, somebody(town))) for _ in range(4)]
    under = [(lead, under_way(town, lead, wish)) for lead, wish in led]
    deeds: list[Callable[[], object]] = []
    for lead, claim in under:
        deeds += [partial(does, deliver, claim, DONE, by=by_unit(lead)), partial(removes, lead)]
    answers = rush(app, deeds)
    assert set(codes(answers)) <= {"done", "lead_alone"}
    assert codes(answers[1::2]) == {"done": 4}
    must_act_for_it(unit, *(claim for _, claim in under))
    for answer, (lead, claim) in zip(answers[::2], under, strict=True):
        was_said = not isinstance(answer, Refusal)
        assert (claim_now(claim).state is ClaimState.DELIVERED) is was_said
        assert claim_now(claim).lead_account_id == unit.account_id
        with pytest.raises(Refusal):
            does(contacts_of, claim, by=by_unit(lead))


def test_who_is_removed_while_they_claim_leads_nothing(
    town: Town, app: Flask, unit: UnitMember, wisher: Person
) -> None:
    gone, wish = a_member(unit), hung(town, wisher)
    deeds: list[Callable[[], object]] = [partial(claims, gone, wish), partial(removes, gone)]
    answers = rush(app, deeds)
    assert codes(answers[1:]) == {"done": 1}
    assert set(codes(answers[:1])) <= {"done", "identity_unknown"}
    with reading() as session:
        made = session.scalars(select(Claim).where(Claim.wish_id == wish.id)).all()
    must_act_for_it(unit, *made)


def test_who_is_removed_while_they_are_to_lead_or_help_does_neither(
    town: Town, app: Flask, unit: UnitMember, wisher: Person
) -> None:
    claim, other = (
        under_way(town, unit, hung(town, wisher)),
        under_way(town, unit, hung(town, somebody(town))),
    )
    gone = a_member(unit)
    answers = rush(
        app,
        [
            partial(does, hand_lead_on, claim, gone.account_id, by=by_unit(unit)),
            partial(removes, gone),
            partial(helps, gone, other),
        ],
    )
    assert set(codes(answers)) <= {"done", "not_of_the_unit"}
    must_act_for_it(unit, claim, other)


@ON_POSTGRESQL
def test_the_control_without_the_units_lock_who_left_would_lead(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch, unit: UnitMember, wisher: Person
) -> None:
    claim, gone = under_way(town, unit, hung(town, wisher)), a_member(unit)
    looked, may_go_on = threading.Event(), threading.Event()
    look = working._must_be_of

    def looking(*given: Any) -> None:
        look(*given)
        looked.set()
        assert may_go_on.wait(LONGEST_SECONDS)

    with monkeypatch.context() as patch:
        patch.setattr(Partner, "lock", lambda self: self)
        patch.setattr(working, "_must_be_of", looking)
        thread, ended = meanwhile(app, partial(does, hand_lead_on, claim, gone.account_id, by=by_unit(unit)))
        assert looked.wait(LONGEST_SECONDS)
        removes(gone)
        may_go_on.set()
        thread.join(LONGEST_SECONDS)
    assert ended == [None]
    assert claim_now(claim).lead_account_id == gone.account_id
