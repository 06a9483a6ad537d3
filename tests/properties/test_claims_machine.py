"""Whatever units, communities and people do with wishes, in whatever order: a piece is in one pair of hands, and every clock runs as its thread says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from models import clock as town_clock
from models.base import db, reading, transaction
from models.calendars import Calendar
from models.coordination.suspending import suspend
from models.errors import Refusal
from models.notices import Notice, NoticeKind
from models.partners import HourEntry, HourSubject, Partner, lift_suspension
from models.policies import policies_at, set_policy
from models.regions import Region
from models.wishes import (
    Card,
    HandOver,
    Wish,
    WishKind,
    WishState,
    WishWords,
    approve_wish,
    correct_wish,
    leave_wishes,
    reject_wish,
    urge,
    withdraw_wish,
)
from models.wishes.claims import (
    LIVE,
    UNDER_WAY,
    WISH_PROMISE,
    Claim,
    ClaimState,
    Done,
    EndedBecause,
    Evidence,
    Level,
    Promise,
    SettledBy,
    WishPart,
    accept_dispatch,
    agree_to_claim,
    claim_wish,
    confirm_done,
    contacts_of,
    decline_claim,
    deliver,
    dispatch_wish,
    dispute,
    extend_claim,
    give_back,
    help_with,
    note_contact,
    note_mended,
    rate_claim,
    refuse_dispatch,
    take_back,
    transfer_claim,
)
from models.wishes.clocks import clock_of_claim, clock_of_wish, end_of
from models.wishes.street import IssueOrder
from models.wishes.thread import threads_of, times_of
from server.jobs.wishes import release_idle_claims, remind_of_claims, remind_of_wishes, turn_wishes
from tests.claims import a_claimer, by_unit
from tests.conftest import NOON, House
from tests.databases import wipe
from tests.people import Person, Town, UnitMember, build_town
from tests.properties.with_the_street import (
    ENDED,
    TheStreet,
    it_lies_with_the_street_as_the_journal_tells,
)
from tests.streets import a_department
from tests.wishes import by_resident, by_staff, hung, somebody

AT_HOME = WishWords(
    "厨房水龙头滴水", WishKind.SERVICE, address="梧桐苑5栋302室", hand_over=HandOver.HOME, may_share=True
)
COATS = WishWords("想要五件棉衣给合唱队的老人", WishKind.GOODS, quantity=5, value_yuan=100)
WISHES = (AT_HOME, COATS, replace(COATS, words="想要三双棉鞋", quantity=3))
CARD = Card("一个心愿", "一位居民的心愿")
UNITS = 3
TURNS = 2  # as the house has it
WALL_DAYS = 3

# what may follow what, as the journal tells it: one entry for every change of state, and none without
FOLLOWS: Mapping[str | None, set[str]] = {
    None: {"claim.made", "claim.dispatched", "claim.assigned"},
    "claim.made": {"claim.agreed", "claim.ended"},
    "claim.dispatched": {"claim.accepted", "claim.ended"},
    "claim.agreed": {"claim.delivered", "claim.ended"},
    "claim.assigned": {"claim.delivered", "claim.ended"},
    "claim.accepted": {"claim.delivered", "claim.ended"},
    "claim.delivered": {"claim.disputed", "claim.fulfilled", "claim.ended"},
    "claim.disputed": {"claim.delivered", "claim.ended"},
    "claim.fulfilled": set(),
    "claim.ended": set(),
}
STANDS: Mapping[str, set[ClaimState]] = {
    "claim.made": {ClaimState.APPLIED},
    "claim.dispatched": {ClaimState.DISPATCHED},
    "claim.agreed": {ClaimState.IN_PROGRESS},
    "claim.assigned": {ClaimState.IN_PROGRESS},
    "claim.accepted": {ClaimState.IN_PROGRESS},
    "claim.delivered": {ClaimState.DELIVERED},
    "claim.disputed": {ClaimState.IN_PROGRESS},
    "claim.fulfilled": {ClaimState.FULFILLED},
    "claim.ended": {ClaimState.DECLINED, ClaimState.REFUSED, ClaimState.RELEASED},
}

units = st.integers(0, UNITS - 1)
which = st.integers(0, 11)
places = st.integers(0, len(WISHES) - 1)
pieces = st.sampled_from([1, 1, 2, 3])
days = st.integers(0, 31)


@dataclass(frozen=True)
class Stage:
    """The town, three people who wish, their wishes, three units, the last of which is trusted, and a department."""

    town: Town
    wishers: Sequence[Person]
    wishes: Sequence[Wish]
    units: Sequence[UnitMember]


def a_stage() -> Stage:
    town = build_town()
    with transaction() as session:  # so that many an example sees the end of the wall
        set_policy(session, session.get_one(Region, town.wutong.id), "wish_wall_days", str(WALL_DAYS))
    wishers = [somebody(town) for _ in WISHES]
    return Stage(
        town,
        wishers,
        [hung(town, who, words, CARD) for who, words in zip(wishers, WISHES, strict=True)],
        [
            *(a_claimer(town.wutong, trusted=number == UNITS - 1) for number in range(UNITS)),
            a_department(town.east_street),
        ],
    )


class Claiming(TheStreet, RuleBasedStateMachine):
    """Three wishes, of one piece, of three and of five; three units; a community that looks after them, its street, and the town's own work."""

    house: House

    @initialize(where=st.sampled_from(["on the wall", "with the street", "with two units"]))
    def open_the_town(self, where: str) -> None:
        self.context = self.house.app.app_context()
        self.context.push()
        self.stopped = town_clock.stopped_at(NOON)
        self.hand = self.stopped.__enter__()
        wipe(db.engine)
        self.stage: Stage = self.house.town("claiming", a_stage)
        self.staff, self.officer = by_staff(self.stage.town.clerk), by_staff(self.stage.town.street_officer)

        if where != "on the wall":
            self.everything_comes_before_the_street()
        if where == "with two units":
            self.the_street_gives_one_wish_to_two_units()

    def everything_comes_before_the_street(self) -> None:
        """Handed on, never taken, and taken in part: two of five pieces are with the unit that is trusted."""
        self.the_community_hands_it_on_or_hangs_it(place=0, is_public=True)
        self.a_unit_claims(unit=UNITS - 1, place=1, some=2, day=20)
        for _ in range(TURNS):
            self.nobody_takes_anything_on_for_days()

    def the_street_gives_one_wish_to_two_units(self) -> None:
        """Three pieces to the department, and the two the unit gives back to another."""
        wish = self.stage.wishes[1]
        for unit in (UNITS, 0):
            with transaction() as session:
                order = session.scalars(select(IssueOrder).where(IssueOrder.wish_id == wish.id)).one()
                self.assign(session, order, unit=unit, day=20, leads=True)
            if unit:
                self.it_is_let_go(0, "given back")

    # --- who does what ---------------------------------------------------------------------------------------------

    def one_of(self, session: Session, number: int, *states: ClaimState) -> Claim | None:
        """Some claim that stands so; some other if none does, so that what must not be is tried as well."""
        rows = session.scalars(select(Claim).order_by(Claim.id)).all()
        found = [claim for claim in rows if claim.state in states] or rows
        return found[number % len(found)] if found else None

    def about(self, number: int, deed: Callable[[Session, Claim], object], *states: ClaimState) -> None:
        with suppress(Refusal), transaction() as session:
            claim = self.one_of(session, number, *states)
            if claim is not None:
                deed(session, claim)

    def of_unit(self, claim: Claim) -> UnitMember:
        return next(one for one in self.stage.units if one.partner_id == claim.partner_id)

    def of_wish(self, claim: Claim) -> Person:
        place = [one.id for one in self.stage.wishes].index(claim.wish_id)
        return self.stage.wishers[place]

    def found(self, session: Session, unit: int, place: int) -> tuple[Wish, Partner]:
        return (
            session.get_one(Wish, self.stage.wishes[place].id),
            session.get_one(Partner, self.stage.units[unit].partner_id),
        )

    @rule(unit=units, place=places, some=pieces, day=days)
    def a_unit_claims(self, unit: int, place: int, some: int, day: int) -> None:
        with suppress(Refusal), transaction() as session:
            wish, partner = self.found(session, unit, place)
            promise = Promise("周末去", town_clock.today() + timedelta(days=day), some)
            by = by_unit(self.stage.units[unit])
            claim_wish(session, wish, partner, promise, promise_version=WISH_PROMISE.version, by=by)

    @rule(unit=units, place=places, some=pieces)
    def the_community_dispatches(self, unit: int, place: int, some: int) -> None:
        with suppress(Refusal), transaction() as session:
            dispatch_wish(session, *self.found(session, unit, place), some, by=self.staff)

    @rule(number=which, accepts=st.booleans(), day=days)
    def a_unit_answers(self, number: int, accepts: bool, day: int) -> None:
        def answer(session: Session, claim: Claim) -> None:
            by = by_unit(self.of_unit(claim))
            if not accepts:
                refuse_dispatch(session, claim, "没有电工", by=by)
                return
            promise = Promise("下周去", town_clock.today() + timedelta(days=day))
            accept_dispatch(session, claim, promise, promise_version=WISH_PROMISE.version, by=by)

        self.about(number, answer, ClaimState.DISPATCHED)

    @rule(number=which, agrees=st.sampled_from([True, True, False]))
    def the_community_decides(self, number: int, agrees: bool) -> None:
        def decide(session: Session, claim: Claim) -> None:
            if agrees:
                agree_to_claim(session, claim, by=self.staff)
            else:
                decline_claim(session, claim, "请先联系社区", by=self.staff)

        self.about(number, decide, ClaimState.APPLIED)

    @rule(number=which)
    def the_lead_calls(self, number: int) -> None:
        self.about(
            number,
            lambda session, claim: note_contact(session, claim, by=by_unit(self.of_unit(claim))),
            *UNDER_WAY,
        )

    @rule(number=which, more=st.integers(0, 20))
    def the_lead_takes_longer(self, number: int, more: int) -> None:
        def extend(session: Session, claim: Claim) -> None:
            to = (claim.promised_on or town_clock.today()) + timedelta(days=more)
            extend_claim(session, claim, to, "缺配件", by=by_unit(self.of_unit(claim)))

        self.about(number, extend, ClaimState.IN_PROGRESS)

    @rule(number=which, unit=units)
    def somebody_asks_whom_to_call(self, number: int, unit: int) -> None:
        """Only the lead of a claim under way is told, and only where who wished agreed."""
        who, told = self.stage.units[unit], False
        with transaction() as session:
            claim = self.one_of(session, number, *UNDER_WAY)
            if claim is None:
                return
            may = (
                claim.state in UNDER_WAY and claim.lead_account_id == who.account_id and claim.wish.may_share
            )
            with suppress(Refusal):
                told = bool(contacts_of(session, claim, by=by_unit(who)).phone)
            assert told is may

    @rule(number=which, unit=units)
    def somebody_helps(self, number: int, unit: int) -> None:
        who = self.stage.units[unit]
        self.about(
            number,
            lambda session, claim: help_with(
                session,
                claim,
                session.get_one(Partner, who.partner_id),
                who.account_id,
                by=by_unit(who),
            ),
            *UNDER_WAY,
        )

    @rule(
        number=which,
        unit=units,
        place=places,
        how=st.sampled_from(
            ["given back", "taken back", "transferred", "suspended", "withdrawn", "taken off", "left"]
        ),
    )
    def something_ends(self, number: int, unit: int, place: int, how: str) -> None:
        """One rule for all that ends what was begun, so that most of it goes on."""
        match how:
            case "given back" | "taken back":
                self.it_is_let_go(number, how)
            case "transferred":
                self.it_goes_to_another_unit(number, unit)
            case "suspended":
                self.a_unit_is_suspended(unit, lifted=number % 2 == 0)
            case _:
                self.a_wish_ends(place, how)

    def it_is_let_go(self, number: int, how: str) -> None:
        def let_go(session: Session, claim: Claim) -> None:
            if how == "given back":
                give_back(session, claim, "做不了", by=by_unit(self.of_unit(claim)))
            else:
                take_back(session, claim, "一直没有进展", by=self.staff)

        self.about(number, let_go, *LIVE)

    def it_goes_to_another_unit(self, number: int, unit: int) -> None:
        to = self.stage.units[unit].partner_id
        self.about(
            number,
            lambda session, claim: transfer_claim(
                session, claim, session.get_one(Partner, to), "换一家", by=self.staff
            ),
            *LIVE,
        )

    @rule(
        number=which,
        evidence=st.sampled_from([Evidence.TAP, Evidence.SLIP, Evidence.CODE]),
        minutes=st.sampled_from([0, 30]),
    )
    def it_is_brought(self, number: int, evidence: Evidence, minutes: int) -> None:
        def bring(session: Session, claim: Claim) -> None:
            code = (claim.code or "") if evidence is Evidence.CODE else ""
            done = Done(evidence, "女儿签收", minutes, code)
            deliver(session, claim, done, by=by_unit(self.of_unit(claim)))

        self.about(number, bring, ClaimState.IN_PROGRESS)

    @rule(number=which, is_done=st.booleans())
    def who_wished_says_whether_it_is_done(self, number: int, is_done: bool) -> None:
        def say(session: Session, claim: Claim) -> None:
            by = by_resident(self.of_wish(claim))
            if is_done:
                confirm_done(session, claim, SettledBy.RESIDENT, by=by)
            else:
                dispute(session, claim, SettledBy.RESIDENT, "还在滴水", by=by)

        self.about(number, say, ClaimState.DELIVERED)

    @rule(number=which, level=st.sampled_from(list(Level)))
    def who_wished_rates_it(self, number: int, level: Level) -> None:
        def rate(session: Session, claim: Claim) -> None:
            by = by_resident(self.of_wish(claim))
            rate_claim(session, claim, level, "", SettledBy.RESIDENT, by=by)
            if level <= Level.UNHAPPY:
                note_mended(session, claim, "重新修好", by=self.staff)

        self.about(number, rate, ClaimState.FULFILLED)

    def a_unit_is_suspended(self, unit: int, lifted: bool) -> None:
        with transaction() as session:
            partner = session.get_one(Partner, self.stage.units[unit].partner_id)
            suspend(session, partner, "年检没有通过", by_account_id=None, identity="town")
        with reading() as session:
            assert not session.scalars(
                select(Claim).where(
                    Claim.partner_id == partner.id,
                    Claim.state.in_((ClaimState.APPLIED, ClaimState.DISPATCHED, ClaimState.IN_PROGRESS)),
                )
            ).all()
        if lifted:
            with transaction() as session:
                partner = session.get_one(Partner, self.stage.units[unit].partner_id)
                lift_suspension(session, partner, by_account_id=None, identity="town")

    def a_wish_ends(self, place: int, how: str) -> None:
        who = self.stage.wishers[place]
        with suppress(Refusal), transaction() as session:
            wish = session.get_one(Wish, self.stage.wishes[place].id)
            if how == "withdrawn":
                withdraw_wish(session, wish, by=by_resident(who))
            elif how == "taken off":
                reject_wish(session, wish, "物业已经修好", by=self.staff)
            elif wish.state is WishState.REJECTED:  # seldom, for nothing comes after it
                leave_wishes(session, [who.resident_id], by_account_id=who.account_id, identity="resident")

    @rule(place=places, number=st.integers(1, 5))
    def it_is_wished_anew(self, place: int, number: int) -> None:
        """After a no somebody says it again, of fewer pieces perhaps, and it hangs again."""
        words = WISHES[place] if place == 0 else replace(COATS, quantity=number)
        with suppress(Refusal), transaction() as session:
            wish = session.get_one(Wish, self.stage.wishes[place].id)
            correct_wish(session, wish, words, by=by_resident(self.stage.wishers[place]))
            approve_wish(session, wish, CARD, by=self.staff)

    @rule(place=places)
    def who_wished_asks_how_it_goes(self, place: int) -> None:
        """Whoever is asked, no clock hears of it; and nobody is asked twice in three days."""
        with suppress(Refusal), transaction() as session:
            wish = session.get_one(Wish, self.stage.wishes[place].id)
            last, clocks = wish.urged_at, (wish.due_at, wish.remind_at)
            urged = urge(session, wish, by=by_resident(self.stage.wishers[place]))
            assert (wish.due_at, wish.remind_at) == clocks
            assert urged.is_new is (last is None or town_clock.now() - last >= timedelta(days=urged.days))

    @rule()
    def nobody_takes_anything_on_for_days(self) -> None:
        self.time_passes(24 * WALL_DAYS)

    @rule(hours=st.sampled_from([1, 5, 24, 24, 72, 24 * 7, 24 * 15]))
    def time_passes_and_the_town_works(self, hours: int) -> None:
        self.time_passes(hours)

    def time_passes(self, hours: int) -> None:
        self.hand.advance(hours=hours)
        now = town_clock.now()
        for work in (turn_wishes, release_idle_claims, remind_of_claims, remind_of_wishes):
            work(now)
            assert work(now) == 0, "the same work twice finds nothing more"

    # --- what is always so -----------------------------------------------------------------------------------------

    @invariant()
    def the_town_is_whole(self) -> None:
        """Every look at once: what each says stands beside it."""
        with reading() as session:
            wishes = session.scalars(select(Wish).options(joinedload(Wish.region))).all()
            claims = session.scalars(
                select(Claim).options(joinedload(Claim.wish), selectinload(Claim.fulfilments))
            ).all()
            held = session.scalars(select(WishPart).where(WishPart.is_held)).all()
            orders = session.scalars(select(IssueOrder)).all()
            threads = threads_of(session, Claim, [claim.id for claim in claims])
            of_wishes = threads_of(session, Wish, [wish.id for wish in wishes])
            calendar, policy = (
                Calendar.in_force(session),
                policies_at(session, self.stage.town.wutong.id),
            )
            for wish in wishes:
                its_pieces_are_in_one_pair_of_hands(wish, claims, held)
                it_stands_as_its_claims_do(wish, claims)
                it_went_round_as_the_journal_tells(wish, claims, [event.act for event in of_wishes[wish.id]])
                it_lies_with_the_street_as_the_journal_tells(
                    wish, orders, claims, [event.act for event in of_wishes[wish.id]]
                )
                running_for_it = clock_of_wish(of_wishes[wish.id], calendar, policy)
                assert (wish.due_at, wish.remind_at) == times_of(running_for_it, town_clock.now())
            assert sorted(order.number for order in orders) == list(range(1, len(orders) + 1))
            for claim in claims:
                it_stands_as_the_journal_tells(claim, [event.act for event in threads[claim.id]])
                running = clock_of_claim(threads[claim.id], calendar, policy)
                assert (claim.due_at, claim.remind_at) == times_of(running, town_clock.now())
                assert (claim.code is not None) is (claim.state in UNDER_WAY)
                if claim.state is ClaimState.IN_PROGRESS and claim.contacted_at and claim.finishes_on:
                    assert claim.due_at is not None
                    assert claim.due_at >= end_of(claim.finishes_on)  # later, where something is to be mended
            hours_are_written_once(session, claims)
            nobody_is_told_twice(session)

    def teardown(self) -> None:
        if hasattr(self, "stopped"):
            db.session.remove()
            self.stopped.__exit__(None, None, None)
            self.context.pop()


def its_pieces_are_in_one_pair_of_hands(
    wish: Wish, claims: Sequence[Claim], held: Sequence[WishPart]
) -> None:
    parts = [part for part in held if part.wish_id == wish.id]
    numbers = {part.number for part in parts}
    assert len(numbers) == len(parts) == wish.parts_taken <= wish.quantity
    holders = {
        claim.id: claim.pieces
        for claim in claims
        if claim.wish_id == wish.id and claim.state in (*LIVE, ClaimState.FULFILLED)
    }
    assert Counter(part.claim_id for part in parts) == holders
    live = [claim.partner_id for claim in claims if claim.wish_id == wish.id and claim.is_live]
    assert len(set(live)) == len(live)


def it_stands_as_its_claims_do(wish: Wish, claims: Sequence[Claim]) -> None:
    """Pieces that are left hang on the wall, or wait for the street; it is fulfilled with the last; and one that is over is in nobody's hands."""
    theirs = [claim for claim in claims if claim.wish_id == wish.id]
    is_live = any(claim.is_live for claim in theirs)
    match wish.state:
        case WishState.PUBLISHED | WishState.ESCALATED:
            assert wish.parts_left
        case WishState.CLAIMED:
            assert is_live
            assert not wish.parts_left
        case WishState.FULFILLED:
            assert not is_live
            assert not wish.parts_left
        case _:
            assert not is_live


def it_went_round_as_the_journal_tells(wish: Wish, claims: Sequence[Claim], acts: Sequence[str]) -> None:
    """It hangs before the others once for each unit that let it lie and each turn it hung again; and goes to the street after its last turn alone,
    which may have it hang again for a first one."""
    let_lie = [
        claim
        for claim in claims
        if claim.wish_id == wish.id and claim.ended_because not in (None, EndedBecause.WISH_OVER)
    ]
    turn, turned, is_with_the_street = 0, 0, False
    for act in acts:
        if act == "wish.published":
            turn = 1
        elif act == "wish.hung_again" and is_with_the_street:
            turn, is_with_the_street = 1, False
        elif act == "wish.hung_again":
            turn, turned = turn + 1, turned + 1
            assert turn <= TURNS
        elif act == "wish.escalated":
            assert turn == TURNS
            is_with_the_street = True
        elif act in ENDED:
            is_with_the_street = False
    assert wish.priority == len(let_lie) + turned
    assert wish.turn == turn
    if wish.state is WishState.PUBLISHED:
        assert wish.due_at is not None
        assert wish.due_at > town_clock.now(), "nothing is left on the wall"


def it_stands_as_the_journal_tells(claim: Claim, acts: Sequence[str]) -> None:
    """One entry for each change of state, none without, and none of them impossible."""
    before = None
    for act in acts:
        if act in STANDS:
            assert act in FOLLOWS[before], f"{act} after {before}"
            before = act
    assert before is not None
    assert claim.state in STANDS[before]
    assert (claim.ended_because is not None) is (before == "claim.ended")
    if claim.fulfilments and claim.fulfilments[-1].settled_at is None:  # what the unit says is done stays
        assert claim.ended_because in (None, EndedBecause.TAKEN_BACK, EndedBecause.WISH_OVER)


def hours_are_written_once(session: Session, claims: Sequence[Claim]) -> None:
    written = Counter(
        session.execute(
            select(HourEntry.subject_key, HourEntry.partner_id, HourEntry.member_id).where(
                HourEntry.subject == HourSubject.CLAIM
            )
        ).all()
    )
    assert set(written.values()) <= {1}
    served = {
        claim.key for claim in claims if claim.state is ClaimState.FULFILLED and claim.fulfilments[-1].minutes
    }
    assert {key for key, _, _ in written} == served


def nobody_is_told_twice(session: Session) -> None:
    once: dict[NoticeKind, tuple[str, ...]] = {
        NoticeKind.WISH_CLAIMED: (),
        NoticeKind.CLAIM_ENDED: (),
        NoticeKind.CLAIM_DUE_SOON: ("due_at", "hours"),
        NoticeKind.CLAIM_OVERDUE: ("due_at", "late"),
        NoticeKind.CLAIM_OVERDUE_HERE: ("due_at", "late"),
        NoticeKind.WISH_DECISION_OVERDUE: ("due_at", "late"),
        NoticeKind.WISH_REVIEW_DUE: ("due_at",),
        NoticeKind.WISH_TURNED: ("when_at",),
    }
    rows = session.scalars(select(Notice).where(Notice.kind.in_(once))).all()
    told: Counter[tuple[Any, ...]] = Counter(
        (
            one.kind,
            one.account_id,
            one.subject_key,
            *(one.facts[fact] for fact in once[one.kind]),
        )
        for one in rows
    )
    assert set(told.values()) <= {1}


def test_whatever_is_done_with_wishes_a_piece_is_in_one_pair_of_hands(house: House) -> None:
    class InThisHouse(Claiming):
        pass

    InThisHouse.house = house
    run_state_machine_as_test(
        InThisHouse,
        settings=settings(
            max_examples=24,
            stateful_step_count=40,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )
