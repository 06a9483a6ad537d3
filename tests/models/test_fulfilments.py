"""Fulfilments: the unit says that it is done, who wished says so too, and how it was (domain.md §2.3)."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.desk import desk_of
from models.notices import Notice
from models.partners import HourEntry, Partner, PartnerState
from models.staff import StaffMember
from models.truth import still_true
from models.wishes import By, Wish, WishKind, WishState, WishWords, forget_old_wishes
from models.wishes.claims import (
    Claim,
    ClaimState,
    Done,
    EndedBecause,
    Evidence,
    Level,
    Rating,
    SettledBy,
    claims_that_ring,
    claims_to_remind_of,
    confirm_done,
    deliver,
    dispute,
    give_back,
    help_with,
    note_care_call,
    note_contact,
    note_mended,
    rate_claim,
    remind_of,
)
from tests.claims import (
    a_claimer,
    a_member,
    by_unit,
    claim_now,
    claims,
    delivered,
    does,
    fulfilled,
    under_way,
)
from tests.models.test_claims import PARTS_CARD, refused
from tests.people import Person, Town, UnitMember
from tests.wishes import by_resident, by_staff, hung, now, somebody, state_of, told

SHOES = WishWords("想要三双运动鞋", WishKind.GOODS, quantity=3, value_yuan=100)


@pytest.fixture
def wisher(town: Town) -> Person:
    """Somebody who wishes."""
    return somebody(town)


@pytest.fixture
def unit(town: Town) -> UnitMember:
    """Somebody of a unit that is paired with the community."""
    return a_claimer(town.wutong)


def piles(town: Town) -> dict[str, int]:
    """What waits on the clerk's desk."""
    with reading() as session:
        clerk = session.scalars(select(StaffMember).where(StaffMember.key == town.clerk.key)).one()
        return {one.pile.name: one.number for one in desk_of(session, clerk)}


def reminded(moment: datetime) -> int:
    """Whom the worker reminds at a moment."""
    with transaction() as session:
        due = claims_to_remind_of(session, moment, most=10)
        return sum(remind_of(session, claim, moment) for claim in due)


def untrue() -> set[str]:
    """The kinds of what was owed and is no longer so."""
    with reading() as session:
        owed = session.scalars(select(Notice)).all()
        true = still_true(session, owed)
        return {one.kind.value for one in owed if one.id not in true}


def rating_of(claim: Claim) -> Rating:
    """How it was rated."""
    with reading() as session:
        return session.scalars(select(Rating).where(Rating.claim_id == claim.id)).one()


def hours() -> list[tuple[int, int]]:
    """Every line of the ledger: whose unit, and how many minutes."""
    with reading() as session:
        rows = session.execute(select(HourEntry.partner_id, HourEntry.minutes).order_by(HourEntry.id))
        return [(partner_id, minutes) for partner_id, minutes in rows]


# --- 双确认 -------------------------------------------------------------------------------------------------------


def test_it_is_done_when_both_say_so(town: Town, wisher: Person, unit: UnitMember) -> None:
    wish = hung(town, wisher)
    claim = delivered(town, unit, wish)
    assert state_of(wish) is WishState.CLAIMED
    assert told(wisher)[-1][0] == "wish_delivered"
    does(confirm_done, claim, SettledBy.RESIDENT, by=by_resident(wisher))
    does(confirm_done, claim, SettledBy.RESIDENT, by=by_resident(wisher))
    assert claim_now(claim).state is ClaimState.FULFILLED
    assert state_of(wish) is WishState.FULFILLED
    assert [kind for kind, _ in told(unit)].count("claim_answered") == 1


def test_who_wished_cannot_say_so_before_the_unit(town: Town, wisher: Person, unit: UnitMember) -> None:
    claim = under_way(town, unit, hung(town, wisher))
    refused("claim_decided", lambda: does(confirm_done, claim, SettledBy.RESIDENT, by=by_resident(wisher)))


def test_the_code_told_at_the_door_is_both_words_at_once(
    town: Town, wisher: Person, unit: UnitMember
) -> None:
    wish = hung(town, wisher)
    claim = under_way(town, unit, wish)
    code = claim_now(claim).code or ""
    assert len(code) == 6
    wrong = "000000" if code != "000000" else "111111"
    no = refused(
        "wish_code_wrong", lambda: does(deliver, claim, Done(Evidence.CODE, code=wrong), by=by_unit(unit))
    )
    assert [fault.field for fault in no.faults] == ["code"]
    does(deliver, claim, Done(Evidence.CODE, code=code), by=by_unit(unit))
    assert state_of(wish) is WishState.FULFILLED
    assert claim_now(claim).code is None


@pytest.mark.parametrize("evidence", [Evidence.CALL, Evidence.SLIP])
def test_a_call_or_a_slip_says_what_was_said(
    town: Town, wisher: Person, unit: UnitMember, evidence: Evidence
) -> None:
    claim = under_way(town, unit, hung(town, wisher))
    no = refused("evidence_unfit", lambda: does(deliver, claim, Done(evidence), by=by_unit(unit)))
    assert [fault.field for fault in no.faults] == ["note"]
    does(deliver, claim, Done(evidence, "女儿签收"), by=by_unit(unit))
    assert claim_now(claim).state is ClaimState.DELIVERED


def test_the_lead_alone_says_that_it_is_done(town: Town, wisher: Person, unit: UnitMember) -> None:
    claim = under_way(town, unit, hung(town, wisher))
    colleague = a_member(unit)
    refused("lead_alone", lambda: does(deliver, claim, Done(Evidence.TAP), by=by_unit(colleague)))
    does(
        deliver, claim, Done(Evidence.SLIP, "社区代交"), by=by_staff(town.clerk)
    )  # handed over at the centre
    assert claim_now(claim).state is ClaimState.DELIVERED


def test_what_was_not_done_goes_on_and_the_unit_reads_why(
    town: Town, wisher: Person, unit: UnitMember
) -> None:
    wish = hung(town, wisher)
    claim = delivered(town, unit, wish)
    for _ in range(2):
        does(dispute, claim, SettledBy.RESIDENT, "还在滴水", by=by_resident(wisher))
    assert claim_now(claim).state is ClaimState.IN_PROGRESS
    assert claim_now(claim).due_at is not None
    assert told(unit)[-1][0] == "claim_to_do"
    does(deliver, claim, Done(Evidence.TAP, "换了新龙头"), by=by_unit(unit))
    does(confirm_done, claim, SettledBy.RESIDENT, by=by_resident(wisher))
    assert state_of(wish) is WishState.FULFILLED
    with reading() as session:
        said = session.get_one(Claim, claim.id).fulfilments
        assert [(one.is_done, one.verdict) for one in said] == [(False, "还在滴水"), (True, "")]


def test_a_call_noted_after_it_was_brought_asks_who_wished_all_the_same(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    claim = under_way(town, unit, hung(town, wisher))
    does(deliver, claim, Done(Evidence.TAP), by=by_unit(unit))
    does(note_contact, claim, by=by_unit(unit))
    asked = [kind for kind, _ in told(wisher)].count("wish_delivered")
    clock.advance(days=3)
    assert reminded(town_clock.now()) == 1
    assert [kind for kind, _ in told(wisher)].count("wish_delivered") == asked + 1


def test_who_brought_it_without_a_call_keeps_it_when_it_was_not_right(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    claim = under_way(town, unit, hung(town, wisher))
    does(deliver, claim, Done(Evidence.TAP), by=by_unit(unit))
    does(dispute, claim, SettledBy.RESIDENT, "还在滴水", by=by_resident(wisher))
    clock.advance(days=30)
    with transaction() as session:
        assert not claims_that_ring(session, town_clock.now(), most=10)
    assert claim_now(claim).state is ClaimState.IN_PROGRESS
    assert piles(town)["claims_late"] == 1


def test_what_was_given_back_is_not_said_to_be_done_by_a_second_tap(
    town: Town, wisher: Person, unit: UnitMember
) -> None:
    claim = delivered(town, unit, hung(town, wisher))
    does(dispute, claim, SettledBy.RESIDENT, "还在滴水", by=by_resident(wisher))
    does(give_back, claim, "修不好", by=by_unit(unit))
    refused("claim_decided", lambda: does(deliver, claim, Done(Evidence.TAP), by=by_unit(unit)))


def test_what_a_suspended_unit_did_not_do_is_free_for_others(
    town: Town, wisher: Person, unit: UnitMember
) -> None:
    """E19."""
    wish = hung(town, wisher)
    claim = delivered(town, unit, wish)
    with transaction() as session:
        partner = session.get_one(Partner, unit.partner_id)
        partner.state, partner.reason = PartnerState.SUSPENDED, "多次失约"
    does(dispute, claim, SettledBy.RESIDENT, "还在滴水", by=by_resident(wisher))
    assert claim_now(claim).ended_because is EndedBecause.SUSPENDED
    assert state_of(wish) is WishState.PUBLISHED


def test_what_was_said_to_be_done_is_not_given_back(town: Town, wisher: Person, unit: UnitMember) -> None:
    claim = delivered(town, unit, hung(town, wisher))
    refused("claim_decided", lambda: does(give_back, claim, "算了", by=by_unit(unit)))


def test_a_wish_of_many_pieces_is_fulfilled_with_the_last(town: Town, wisher: Person) -> None:
    wish = hung(town, wisher, SHOES, PARTS_CARD)
    one, two = a_claimer(town.wutong), a_claimer(town.wutong)
    first = delivered(town, one, wish, pieces=1)
    does(confirm_done, first, SettledBy.RESIDENT, by=by_resident(wisher))
    assert state_of(wish) is WishState.PUBLISHED
    second = delivered(town, two, wish, pieces=2)
    assert state_of(wish) is WishState.CLAIMED
    does(confirm_done, second, SettledBy.RESIDENT, by=by_resident(wisher))
    assert state_of(wish) is WishState.FULFILLED
    assert now(wish).parts_taken == 3


def test_pieces_that_came_are_not_claimed_a_second_time(town: Town, wisher: Person, unit: UnitMember) -> None:
    wish = hung(town, wisher, SHOES, PARTS_CARD)
    fulfilled(town, unit, wish, wisher, pieces=2)
    no = refused("wish_pieces", lambda: claims(unit, wish, pieces=2))
    assert no.details == {"left": 1}
    claims(unit, wish, pieces=1)
    assert state_of(wish) is WishState.CLAIMED


# --- silence -------------------------------------------------------------------------------------------------------


def test_silence_is_asked_twice_and_then_visited_and_never_says_yes(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    claim = delivered(town, unit, hung(town, wisher))
    asked = [kind for kind, _ in told(wisher)].count("wish_delivered")
    begins = town_clock.now()
    for days, reminds in ((2, 0), (3, 1), (4, 0), (7, 1), (8, 0), (14, 0), (60, 0)):
        clock.move_to(begins)
        clock.advance(days=days, minutes=1)
        assert reminded(town_clock.now()) == reminds, days
        assert (piles(town)["wishes_to_visit"] == 1) is (days >= 14)
    assert [kind for kind, _ in told(wisher)].count("wish_delivered") == asked + 2
    assert claim_now(claim).state is ClaimState.DELIVERED


@pytest.mark.parametrize("how", [SettledBy.VISIT, SettledBy.CALL])
def test_a_visit_or_a_call_writes_down_what_was_said(
    town: Town, wisher: Person, unit: UnitMember, how: SettledBy
) -> None:
    claim = delivered(town, unit, hung(town, wisher))
    staff = by_staff(town.grid_worker)
    no = refused("evidence_unfit", lambda: does(confirm_done, claim, how, by=staff))
    assert [fault.field for fault in no.faults] == ["note"]
    does(confirm_done, claim, how, "老人说修好了", by=staff)
    with reading() as session:
        said = session.get_one(Claim, claim.id).fulfilments[-1]
        assert (said.settled_by, said.settled_by_account_id) == (how, town.grid_worker.account_id)


def test_a_unit_hears_a_day_and_hours_before_its_time_is_over(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    claim = under_way(town, unit, hung(town, wisher))
    does(note_contact, claim, by=by_unit(unit))
    clock.move_to(datetime(2026, 11, 29, 23, 59, tzinfo=town_clock.TOWN_ZONE))
    assert reminded(town_clock.now()) == 0
    for minutes, reminds in ((1, 1), (60, 0), (19 * 60, 1), (4 * 60, 0)):
        clock.advance(minutes=minutes)
        assert reminded(town_clock.now()) == reminds
        assert untrue() <= {"wish_reviewed", "claim_to_do"}  # it hangs no longer, and they called
    assert [kind for kind, _ in told(unit)].count("claim_due_soon") == 2
    assert piles(town)["claims_late"] == 1


# --- 好差评 -------------------------------------------------------------------------------------------------------


def test_who_is_happy_rates_once(town: Town, wisher: Person, unit: UnitMember) -> None:
    claim = fulfilled(town, unit, hung(town, wisher), wisher)
    does(rate_claim, claim, Level.HAPPY, "", SettledBy.RESIDENT, by=by_resident(wisher))
    does(rate_claim, claim, Level.HAPPY, "", SettledBy.RESIDENT, by=by_resident(wisher))
    refused(
        "rated_already",
        lambda: does(rate_claim, claim, Level.FAIR, "", SettledBy.RESIDENT, by=by_resident(wisher)),
    )
    assert told(unit)[-1] == ("claim_answered", told(unit)[-1][1])
    assert "满意" in told(unit)[-1][1]
    assert piles(town)["unhappy"] == 0


def test_nobody_rates_what_is_not_done(town: Town, wisher: Person, unit: UnitMember) -> None:
    claim = delivered(town, unit, hung(town, wisher))
    refused(
        "claim_decided",
        lambda: does(rate_claim, claim, Level.HAPPY, "", SettledBy.RESIDENT, by=by_resident(wisher)),
    )


@pytest.mark.parametrize("level", [Level.VERY_UNHAPPY, Level.UNHAPPY])
def test_who_is_unhappy_is_called_and_it_is_mended_and_they_are_asked_once_more(
    town: Town, wisher: Person, unit: UnitMember, level: Level
) -> None:
    claim = fulfilled(town, unit, hung(town, wisher), wisher)
    staff = by_staff(town.clerk)
    does(rate_claim, claim, level, "迟到两次", SettledBy.RESIDENT, by=by_resident(wisher))
    asked = rating_of(claim).rated_at
    assert rating_of(claim).care_due_at == datetime(2026, 11, 23, *_hour(asked), tzinfo=asked.tzinfo)
    assert piles(town)["unhappy"] == 1
    does(note_care_call, claim, "已道歉，再去一次", by=staff)
    assert (rating_of(claim).care_due_at or asked).date() == date(2026, 12, 5)
    does(note_mended, claim, "重新修好", by=staff)
    assert piles(town)["unhappy"] == 0
    assert told(wisher)[-1][0] == "wish_progress"
    does(rate_claim, claim, Level.HAPPY, "", SettledBy.RESIDENT, by=by_resident(wisher))
    assert (rating_of(claim).level, rating_of(claim).again_level) == (level, Level.HAPPY)
    refused(
        "rated_already",
        lambda: does(rate_claim, claim, Level.FAIR, "", SettledBy.RESIDENT, by=by_resident(wisher)),
    )


def _hour(moment: datetime) -> tuple[int, int, int, int]:
    return moment.hour, moment.minute, moment.second, moment.microsecond


def test_there_is_nothing_to_mend_where_nobody_is_unhappy(
    town: Town, wisher: Person, unit: UnitMember
) -> None:
    claim = fulfilled(town, unit, hung(town, wisher), wisher)
    refused("nothing_to_mend", lambda: does(note_mended, claim, "重修", by=by_staff(town.clerk)))


def test_nobody_writes_down_how_their_own_unit_was_nor_that_it_put_it_right(
    town: Town, wisher: Person, unit: UnitMember
) -> None:
    claim = fulfilled(town, unit, hung(town, wisher), wisher)
    both = By(unit.account_id, town.clerk.identity)
    refused("own_content", lambda: does(rate_claim, claim, Level.VERY_HAPPY, "", SettledBy.CALL, by=both))
    does(rate_claim, claim, Level.UNHAPPY, "", SettledBy.CALL, by=by_staff(town.clerk))  # nothing stood there
    refused("own_content", lambda: does(note_care_call, claim, "没事了", by=both))
    refused("own_content", lambda: does(note_mended, claim, "没事了", by=both))


def test_who_does_not_rate_is_asked_once(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    fulfilled(town, unit, hung(town, wisher), wisher)
    clock.advance(days=3)
    assert reminded(town_clock.now()) == 1
    clock.advance(days=3)
    assert reminded(town_clock.now()) == 0


# --- hours, and what stays -----------------------------------------------------------------------------------------


def test_hours_count_when_it_is_confirmed_for_the_lead_and_each_who_helped(
    town: Town, wisher: Person, unit: UnitMember
) -> None:
    claim = under_way(town, unit, hung(town, wisher))
    other = a_claimer(town.wutong)
    with transaction() as session:
        help_with(
            session,
            session.get_one(Claim, claim.id),
            session.get_one(Partner, other.partner_id),
            other.account_id,
            by=by_unit(other),
        )
    does(deliver, claim, Done(Evidence.TAP, minutes=90), by=by_unit(unit))
    assert hours() == []
    does(confirm_done, claim, SettledBy.RESIDENT, by=by_resident(wisher))
    does(confirm_done, claim, SettledBy.RESIDENT, by=by_resident(wisher))
    assert hours() == [(unit.partner_id, 90), (other.partner_id, 90)]


def test_what_was_said_of_a_fulfilled_wish_is_forgotten_after_ninety_days(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    wish = hung(town, wisher)
    fulfilled(town, unit, wish, wisher)
    clock.advance(days=91)
    with transaction() as session:
        assert forget_old_wishes(session, town_clock.now(), most=10) == 1
        assert session.get_one(Wish, wish.id).words is None


def test_nobody_is_told_what_is_no_longer_so(town: Town, wisher: Person, unit: UnitMember) -> None:
    claim = delivered(town, unit, hung(town, wisher))
    does(dispute, claim, SettledBy.RESIDENT, "还在滴水", by=by_resident(wisher))
    with reading() as session:
        owed = session.scalars(select(Notice).order_by(Notice.id)).all()
        true = still_true(session, owed)
        kinds = {one.kind.value: one.id in true for one in owed}
    assert kinds["wish_delivered"] is False
    assert kinds["wish_claimed"] is True
