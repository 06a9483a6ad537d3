"""Claims at one moment: one piece in one pair of hands, one word that counts, and nobody waits for ever for somebody who waits for them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from models import clock as town_clock
from models.accounts import Account
from models.base import Base, db, reading, transaction
from models.clock import StoppedClock
from models.coordination.suspending import suspend
from models.errors import Refusal
from models.journal import JournalEntry
from models.notices import Notice, NoticeKind
from models.partners import HourEntry, Partner, PartnerKind, PartnerMember, PartnerState
from models.partners.pairings import Pairing, PairingState
from models.regions import Region
from models.wishes import (
    By,
    Card,
    Wish,
    WishKind,
    WishState,
    WishWords,
    reject_wish,
    withdraw_wish,
)
from models.wishes.claims import (
    LIVE,
    Claim,
    ClaimState,
    Done,
    EndedBecause,
    Evidence,
    Level,
    SettledBy,
    WishPart,
    agree_to_claim,
    claim_within,
    claiming,
    confirm_done,
    decline_claim,
    deliver,
    dispute,
    give_back,
    help_with,
    note_contact,
    rate_claim,
    take_back,
    transfer_claim,
)
from server.jobs.wishes import release_idle_claims, remind_of_claims
from tests.claims import a_claimer, by_unit, claim_now, claims, delivered, fulfilled, under_way
from tests.people import Person, Town, UnitMember
from tests.races.controls import without_index
from tests.races.rush import LONGEST_SECONDS, all_look_first, meanwhile, rush
from tests.wishes import by_resident, by_staff, hung, now, say, somebody, state_of

COATS = WishWords("想要五件棉衣给合唱队的老人", WishKind.GOODS, quantity=5, value_yuan=100)
COATS_CARD = Card("五件棉衣", "五位长者想要棉衣过冬")
UNITS = 200
ON_POSTGRESQL = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)  # SQLite takes turns


def codes(answers: Sequence[object]) -> Counter[str]:
    """How often each answer was given; whatever is neither done nor refused fails."""
    loud = [answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, Refusal)]
    assert not loud
    return Counter(answer.code if isinstance(answer, Refusal) else "done" for answer in answers)


def does(deed: Any, claim: Claim, *said: Any, by: By, **more: Any) -> Any:
    """Somebody does something about a claim as a door does it: found with all that belongs to it, before anybody holds it."""
    with transaction() as session:
        everywhere = session.scalars(select(Region).where(Region.parent_id.is_(None))).all()
        return deed(session, claim_within(session, claim.key, within=everywhere), *said, by=by, **more)


def many_units(town: Town, number: int) -> list[UnitMember]:
    """Somebody of each of so many units that are paired with the community, written down as the verbs would."""
    today = town_clock.today()
    with transaction() as session:
        units = [
            Partner(
                name=f"{n}号单位",
                kind=PartnerKind.UNIT,
                state=PartnerState.ACTIVE,
                region_id=town.wutong.id,
                renewed_until=today + timedelta(days=365),
            )
            for n in range(number)
        ]
        accounts = [Account(openid=f"o-of-unit-{n:04}") for n in range(number)]
        session.add_all([*units, *accounts])
        session.flush()
        for unit, account in zip(units, accounts, strict=True):
            session.add(
                Pairing(
                    partner_id=unit.id,
                    region_id=town.wutong.id,
                    state=PairingState.ACTIVE,
                    since=town_clock.now(),
                )
            )
            session.add(PartnerMember(partner_id=unit.id, account_id=account.id, is_manager=True))
        session.flush()
        return [
            UnitMember(unit.id, unit.key, account.id, "")
            for unit, account in zip(units, accounts, strict=True)
        ]


def live_claims(wish: Wish) -> list[Claim]:
    with reading() as session:
        return list(
            session.scalars(select(Claim).where(Claim.wish_id == wish.id, Claim.state.in_(LIVE))).all()
        )


def must_be_whole(*wishes: Wish) -> None:
    """What is taken of each wish is what somebody holds, and a piece is held by a claim that lives or came true."""
    for wish in wishes:
        with reading() as session:
            parts = session.scalars(
                select(WishPart).where(WishPart.wish_id == wish.id, WishPart.is_held)
            ).all()
            holders = {
                claim.id: claim.pieces
                for claim in session.scalars(
                    select(Claim).where(
                        Claim.wish_id == wish.id, Claim.state.in_((*LIVE, ClaimState.FULFILLED))
                    )
                )
            }
        assert Counter(part.claim_id for part in parts) == holders
        assert len({part.number for part in parts}) == len(parts) == now(wish).parts_taken
        is_full = now(wish).parts_left == 0
        assert is_full is (state_of(wish) in (WishState.CLAIMED, WishState.FULFILLED))


def acts(claim: Claim) -> Counter[str]:
    with reading() as session:
        return Counter(
            session.scalars(
                select(JournalEntry.act).where(
                    JournalEntry.subject_kind == "claims", JournalEntry.subject_id == claim.id
                )
            )
        )


def notices(kind: NoticeKind) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(Notice).where(Notice.kind == kind)) or 0


def suspends(who: UnitMember) -> int:
    """Staff suspend a unit, and what it has not done is free."""
    with transaction() as session:
        unit = session.get_one(Partner, who.partner_id)
        return suspend(session, unit, "年检没有通过", by_account_id=None, identity="town")


def transfers(claim: Claim, to: UnitMember, by: By) -> Claim:
    with transaction() as session:
        partner = session.get_one(Partner, to.partner_id)
        return transfer_claim(session, session.get_one(Claim, claim.id), partner, "换一家近的", by=by)


def helps(who: UnitMember, claim: Claim) -> None:
    with transaction() as session:
        partner = session.get_one(Partner, who.partner_id)
        help_with(session, session.get_one(Claim, claim.id), partner, who.account_id, by=by_unit(who))


@pytest.fixture
def wisher(town: Town) -> Person:
    """Somebody who wishes."""
    return somebody(town)


@pytest.fixture
def unit(town: Town) -> UnitMember:
    """Somebody of a unit that is paired with the community."""
    return a_claimer(town.wutong)


# --- the last piece ------------------------------------------------------------------------------------------------


def test_of_two_hundred_units_one_takes_a_wish_on_and_the_others_read_why_not(
    town: Town, app: Flask, wisher: Person
) -> None:
    """E17."""
    wish = hung(town, wisher)
    answers = rush(app, [partial(claims, who, wish) for who in many_units(town, UNITS)])
    assert codes(answers) == {"done": 1, "wish_taken": UNITS - 1}
    assert len(live_claims(wish)) == 1
    must_be_whole(wish)


def test_pieces_asked_for_at_once_are_given_out_once_each(town: Town, app: Flask, wisher: Person) -> None:
    """E18."""
    wish = hung(town, wisher, COATS, COATS_CARD)
    answers = rush(app, [partial(claims, who, wish, pieces=2) for who in many_units(town, 6)])
    assert codes(answers) == {"done": 2, "wish_pieces": 4}
    assert now(wish).parts_left == 1
    must_be_whole(wish)


def test_two_of_one_unit_who_tap_at_once_are_one_claim(
    town: Town, app: Flask, wisher: Person, unit: UnitMember
) -> None:
    wish = hung(town, wisher, COATS, COATS_CARD)
    answers = rush(app, [partial(claims, unit, wish)] * 6)
    assert codes(answers) == {"done": 6}
    assert len(live_claims(wish)) == 1
    must_be_whole(wish)


def unlocked(
    app: Flask, monkeypatch: pytest.MonkeyPatch, deeds: Sequence[Callable[[], object]]
) -> list[object]:
    """These claims at once, without any lock: each saw the wish before anybody took it."""
    with (
        monkeypatch.context() as patch,
        all_look_first(monkeypatch, claiming, "must_be_in_time", many=len(deeds)),
    ):
        patch.setattr(Base, "lock", lambda self: self)
        return list(rush(app, deeds))


@ON_POSTGRESQL
def test_without_the_lock_a_piece_is_guarded_loudly(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch, wisher: Person
) -> None:
    wish = hung(town, wisher)
    answers = unlocked(app, monkeypatch, [partial(claims, who, wish) for who in many_units(town, 2)])
    assert sorted(type(answer).__name__ for answer in answers) == ["Claim", "IntegrityError"]
    assert len(live_claims(wish)) == 1


@ON_POSTGRESQL
def test_without_lock_and_index_a_piece_is_in_two_hands(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch, wisher: Person
) -> None:
    wish = hung(town, wisher)
    with without_index(db.engine, WishPart, "uq_wish_parts_held"):
        answers = unlocked(app, monkeypatch, [partial(claims, who, wish) for who in many_units(town, 2)])
        assert [type(answer).__name__ for answer in answers] == ["Claim", "Claim"]
        assert len(live_claims(wish)) == 2


@ON_POSTGRESQL
def test_without_the_lock_a_units_second_claim_is_guarded_loudly(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch, wisher: Person, unit: UnitMember
) -> None:
    wish = hung(town, wisher)
    with without_index(db.engine, WishPart, "uq_wish_parts_held"):  # which would refuse it as well
        answers = unlocked(app, monkeypatch, [partial(claims, unit, wish)] * 2)
        assert sorted(type(answer).__name__ for answer in answers) == ["Claim", "IntegrityError"]


@ON_POSTGRESQL
def test_without_lock_and_indexes_a_unit_would_have_a_wish_twice(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch, wisher: Person, unit: UnitMember
) -> None:
    wish = hung(town, wisher)
    with (
        without_index(db.engine, Claim, "uq_claims_live"),
        without_index(db.engine, WishPart, "uq_wish_parts_held"),
    ):
        answers = unlocked(app, monkeypatch, [partial(claims, unit, wish)] * 2)
        assert [type(answer).__name__ for answer in answers] == ["Claim", "Claim"]
        assert len(live_claims(wish)) == 2


# --- the unit and the wish ----------------------------------------------------------------------------------------


def test_a_unit_that_is_suspended_while_it_claims_holds_nothing(
    town: Town, app: Flask, wisher: Person, unit: UnitMember
) -> None:
    """E19."""
    wishes = [hung(town, somebody(town)) for _ in range(3)]
    deeds: list[Callable[[], object]] = [partial(claims, unit, wish) for wish in wishes]
    deeds.insert(2, partial(suspends, unit))
    answers = rush(app, deeds)
    assert set(codes(answers)) <= {"done", "partner_suspended"}
    assert not [claim for wish in wishes for claim in live_claims(wish)]
    must_be_whole(*wishes)


@ON_POSTGRESQL
def test_without_the_units_lock_a_suspended_unit_would_hold_a_wish(
    town: Town, app: Flask, monkeypatch: pytest.MonkeyPatch, wisher: Person, unit: UnitMember
) -> None:
    wish = hung(town, wisher)
    looked, may_go_on = threading.Event(), threading.Event()
    look = claiming.must_be_no_kin

    def looking(*given: Any) -> None:
        look(*given)
        looked.set()
        assert may_go_on.wait(LONGEST_SECONDS)

    with monkeypatch.context() as patch:
        patch.setattr(Partner, "lock", lambda self: self)
        patch.setattr(claiming, "must_be_no_kin", looking)
        thread, ended = meanwhile(app, partial(claims, unit, wish))
        assert looked.wait(LONGEST_SECONDS)
        assert suspends(unit) == 0
        may_go_on.set()
        thread.join(LONGEST_SECONDS)
    assert [type(one).__name__ for one in ended] == ["Claim"]
    assert len(live_claims(wish)) == 1


@pytest.mark.parametrize("how", ["withdrawn", "taken off"])
def test_a_wish_that_ends_while_it_is_claimed_is_in_nobodys_hands(
    town: Town, app: Flask, wisher: Person, how: str
) -> None:
    wish = hung(town, wisher, COATS, COATS_CARD)
    end: Callable[[], object] = (
        partial(say, withdraw_wish, wish, by=by_resident(wisher))
        if how == "withdrawn"
        else partial(say, reject_wish, wish, "物业已经修好", by=by_staff(town.clerk))
    )
    taps: list[Callable[[], object]] = [partial(claims, who, wish) for who in many_units(town, 4)]
    answers = rush(app, [*taps[:2], end, *taps[2:]])
    assert set(codes(answers)) <= {"done", "wish_taken"}
    assert state_of(wish) in (WishState.WITHDRAWN, WishState.REJECTED)
    assert not live_claims(wish)
    assert now(wish).parts_taken == 0
    must_be_whole(wish)


# --- two words about one claim ------------------------------------------------------------------------------------


def test_of_two_clerks_at_once_one_agrees_or_declines(
    town: Town, app: Flask, wisher: Person, unit: UnitMember
) -> None:
    wish = hung(town, wisher)
    claim = claims(unit, wish)
    yes = partial(does, agree_to_claim, claim, by=by_staff(town.clerk))
    no = partial(does, decline_claim, claim, "请先联系社区", by=by_staff(town.admin))
    answers = rush(app, [yes, no] * 3)
    assert codes(answers) == {"done": 3, "claim_decided": 3}
    done = acts(claim)
    assert done["claim.agreed"] + done["claim.ended"] == 1
    assert notices(NoticeKind.CLAIM_TO_DO) + notices(NoticeKind.CLAIM_ENDED) == 1
    must_be_whole(wish)


def test_what_is_given_back_while_it_is_delivered_is_one_of_both(
    town: Town, app: Flask, wisher: Person, unit: UnitMember
) -> None:
    wish = hung(town, wisher)
    claim = under_way(town, unit, wish)
    lead = by_unit(unit)
    answers = rush(
        app,
        [
            partial(does, give_back, claim, "做不了", by=lead),
            partial(does, deliver, claim, Done(Evidence.TAP, minutes=30), by=lead),
        ]
        * 2,
    )
    assert codes(answers) == {"done": 2, "claim_decided": 2}
    done = acts(claim)
    assert done["claim.delivered"] + done["claim.ended"] == 1
    must_be_whole(wish)


def test_who_calls_in_the_last_minute_keeps_it_or_reads_that_it_is_gone(
    town: Town, app: Flask, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    wish = hung(town, wisher)
    claim = under_way(town, unit, wish)
    clock.advance(days=7)
    moment = town_clock.now()
    call = partial(does, note_contact, claim, by=by_unit(unit))
    work = partial(release_idle_claims, moment)
    answers = rush(app, [call, work, call, work])
    stands = claim_now(claim)
    if stands.state is ClaimState.IN_PROGRESS:
        assert codes(answers) == {"done": 4}
        assert [answers[1], answers[3]] == [0, 0]
        assert stands.contacted_at == moment
    else:
        assert codes(answers) == {"done": 2, "claim_decided": 2}
        assert {answers[1], answers[3]} == {0, 1}
        assert (stands.ended_because, stands.contacted_at) == (EndedBecause.NOT_CONTACTED, None)
    must_be_whole(wish)


def test_two_workers_free_and_remind_of_a_claim_once(
    town: Town, app: Flask, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    wish, other = hung(town, wisher), hung(town, somebody(town))
    idle = under_way(town, unit, wish)
    delivered(town, unit, other)
    asked = notices(NoticeKind.WISH_DELIVERED)
    clock.advance(days=7)
    moment = town_clock.now()
    freed = rush(app, [partial(release_idle_claims, moment)] * 3)
    reminded = rush(app, [partial(remind_of_claims, moment)] * 3)
    assert codes(freed) == codes(reminded) == {"done": 3}
    assert sum(answer for answer in freed if isinstance(answer, int)) == 1
    assert sum(answer for answer in reminded if isinstance(answer, int)) == 1
    assert acts(idle)["claim.ended"] == 1
    assert notices(NoticeKind.WISH_DELIVERED) == asked + 1


def test_a_claim_that_is_transferred_while_it_is_given_back_goes_one_way(
    town: Town, app: Flask, wisher: Person, unit: UnitMember
) -> None:
    wish, other = hung(town, wisher), a_claimer(town.wutong)
    claim = under_way(town, unit, wish)
    answers = rush(
        app,
        [
            partial(transfers, claim, other, by_staff(town.clerk)),
            partial(does, give_back, claim, "做不了", by=by_unit(unit)),
        ]
        * 2,
    )
    assert codes(answers) == {"done": 2, "claim_decided": 2}
    assert acts(claim)["claim.ended"] == 1
    if claim_now(claim).ended_because is EndedBecause.TRANSFERRED:
        assert [one.partner_id for one in live_claims(wish)] == [other.partner_id]
    else:
        assert not live_claims(wish)
    must_be_whole(wish)


def test_it_is_done_or_not_done_and_hours_count_once(
    town: Town, app: Flask, wisher: Person, unit: UnitMember
) -> None:
    wish = hung(town, wisher)
    claim = delivered(town, unit, wish, minutes=60)
    yes = partial(does, confirm_done, claim, SettledBy.RESIDENT, by=by_resident(wisher))
    no = partial(does, dispute, claim, SettledBy.CALL, "还在滴水", by=by_staff(town.clerk))
    answers = rush(app, [yes, no] * 3)
    assert codes(answers) == {"done": 3, "claim_decided": 3}
    done = acts(claim)
    assert done["claim.fulfilled"] + done["claim.disputed"] == 1
    with reading() as session:
        hours = session.scalars(select(HourEntry.minutes)).all()
    assert list(hours) == [60] * done["claim.fulfilled"]
    must_be_whole(wish)


def test_of_two_ratings_at_once_the_first_counts(
    town: Town, app: Flask, wisher: Person, unit: UnitMember
) -> None:
    claim = fulfilled(town, unit, hung(town, wisher), wisher)
    rates = [
        partial(does, rate_claim, claim, level, "", SettledBy.RESIDENT, by=by_resident(wisher))
        for level in (Level.HAPPY, Level.VERY_HAPPY)
    ]
    answers = rush(app, rates * 3)
    assert codes(answers) == {"done": 3, "rated_already": 3}
    assert acts(claim)["claim.rated"] == 1
    assert notices(NoticeKind.CLAIM_ANSWERED) == 2  # that it was confirmed, and how it was


# --- everything at once -------------------------------------------------------------------------------------------


def test_whatever_is_done_at_once_nobody_waits_for_ever(
    town: Town, app: Flask, wisher: Person, clock: StoppedClock
) -> None:
    """Whoever holds a unit and a wish takes the unit first, and of two wishes nobody holds the later one first."""
    units, staff = many_units(town, 4), by_staff(town.clerk)
    wishes = [hung(town, somebody(town)) for _ in range(4)]
    late = hung(town, wisher, COATS, COATS_CARD)
    made = [under_way(town, who, wish) for who, wish in zip(units, reversed(wishes), strict=True)]
    brought = [delivered(town, who, late, minutes=30) for who in units[:2]]
    clock.advance(days=7)
    moment: datetime = town_clock.now() + timedelta(minutes=1)
    deeds: list[Callable[[], object]] = []
    for who, claim, other in zip(units, made, reversed(units), strict=True):
        deeds += [
            partial(transfers, claim, other, staff),
            partial(does, deliver, claim, Done(Evidence.TAP, minutes=20), by=by_unit(who)),
            partial(does, take_back, claim, "换人", by=staff),
            partial(claims, who, late),
            partial(release_idle_claims, moment),
        ]
    for claim, other in zip(brought, units[2:], strict=True):
        deeds += [
            partial(helps, other, claim),
            partial(does, confirm_done, claim, SettledBy.RESIDENT, by=by_resident(wisher)),
        ]
    deeds += [partial(suspends, units[0]), partial(remind_of_claims, moment)]
    codes(rush(app, deeds))
    must_be_whole(late, *wishes)
