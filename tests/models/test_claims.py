"""Claims: who may take a wish on, what the community and the unit say to it, and what becomes of a wish nobody brings (domain.md §2.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.errors import Refusal
from models.notices import NoticeKind
from models.partners import Partner
from models.residents import Resident
from models.wishes import (
    By,
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
    share_contacts,
    wall,
    withdraw_wish,
)
from models.wishes.claims import (
    WISH_PROMISE,
    Claim,
    ClaimState,
    Contacts,
    EndedBecause,
    Promise,
    WishPart,
    accept_dispatch,
    agree_to_claim,
    claim_wish,
    claims_that_ring,
    contacts_of,
    decline_claim,
    dispatch_wish,
    extend_claim,
    give_back,
    hand_lead_on,
    help_no_more,
    help_with,
    helpers_of,
    note_contact,
    refuse_dispatch,
    release_claims_of,
    release_if_due,
    take_back,
    transfer_claim,
)
from models.wishes.clocks import end_of
from models.wishes.thread import thread_of
from tests.claims import (
    PROMISE,
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
from tests.people import Person, Town, UnitMember
from tests.wishes import (
    CARD,
    by_resident,
    by_staff,
    hung,
    now,
    say,
    somebody,
    state_of,
    told,
    wishes,
)

COATS = WishWords("想要五件棉衣给合唱队的老人", WishKind.GOODS, quantity=5, value_yuan=100)
AT_HOME = WishWords(
    "厨房水龙头滴水", WishKind.SERVICE, address="梧桐苑5栋302室", hand_over=HandOver.HOME, may_share=True
)
PARTS_CARD = Card("五件棉衣", "五位长者想要棉衣过冬")


@pytest.fixture
def wisher(town: Town) -> Person:
    """Somebody who wishes."""
    return somebody(town)


@pytest.fixture
def unit(town: Town) -> UnitMember:
    """Somebody of a unit that is paired with the community."""
    return a_claimer(town.wutong)


def refused(code: str, deed: Callable[[], object]) -> Refusal:
    """The no of a deed, which must be this one."""
    with pytest.raises(Refusal) as refusal:
        deed()
    assert refusal.value.code == code
    return refusal.value


def held(wish: Wish) -> list[int]:
    """The pieces of a wish that are in somebody's hands."""
    with reading() as session:
        return sorted(
            session.scalars(select(WishPart.number).where(WishPart.wish_id == wish.id, WishPart.is_held))
        )


def what_happened_to(wish: Wish) -> list[str]:
    """What whoever wished can follow of it."""
    with reading() as session:
        return [event.act for event in thread_of(session, now(wish))]


def dispatched(wish: Wish, to: UnitMember, by: By, pieces: int = 1) -> Claim:
    """A wish the community sends to a unit."""
    with transaction() as session:
        return dispatch_wish(
            session,
            session.get_one(Wish, wish.id),
            session.get_one(Partner, to.partner_id),
            pieces,
            by=by,
        )


def accepted(claim: Claim, who: UnitMember, promise: Promise = PROMISE) -> Claim:
    """A unit accepts what it was sent."""
    with transaction() as session:
        return accept_dispatch(
            session,
            session.get_one(Claim, claim.id),
            promise,
            promise_version=WISH_PROMISE.version,
            by=by_unit(who),
        )


# --- taking it on ------------------------------------------------------------------------------------------------


def test_a_unit_takes_a_wish_on_and_it_hangs_no_longer(town: Town, wisher: Person, unit: UnitMember) -> None:
    wish = hung(town, wisher)
    claim = claims(unit, wish)
    assert claim.state is ClaimState.APPLIED
    assert claim.lead_account_id == unit.account_id
    assert state_of(wish) is WishState.CLAIMED
    assert held(wish) == [1]
    with reading() as session:
        assert not wall(session, None, most=10)
    assert [kind for kind, _ in told(wisher)] == ["wish_reviewed"]  # nobody comes before the community agrees


def test_the_same_tap_twice_is_one_claim(town: Town, wisher: Person, unit: UnitMember) -> None:
    wish = hung(town, wisher)
    assert claims(unit, wish).id == claims(unit, wish).id
    refused("claim_exists", lambda: claims(unit, wish, plan="另一个办法"))


def test_the_second_unit_is_told_what_else_hangs_there(town: Town, wisher: Person, unit: UnitMember) -> None:
    wish = hung(town, wisher)
    other = hung(town, somebody(town), card=Card("想学一首歌", "一位长者想学歌"))
    claims(unit, wish)
    no = refused("wish_taken", lambda: claims(a_claimer(town.wutong), wish))  # E17
    assert no.details["others"] == [{"key": other.key, "title": "想学一首歌"}]


def test_three_of_five_coats_leave_two_for_others(town: Town, wisher: Person, unit: UnitMember) -> None:
    wish = hung(town, wisher, COATS, PARTS_CARD)
    claims(unit, wish, pieces=3)  # E18
    assert (now(wish).parts_left, state_of(wish)) == (2, WishState.PUBLISHED)
    second = a_claimer(town.wutong)
    no = refused("wish_pieces", lambda: claims(second, wish, pieces=3))
    assert no.details == {"left": 2}
    assert [fault.field for fault in no.faults] == ["pieces"]
    claims(second, wish, pieces=2)
    assert held(wish) == [1, 2, 3, 4, 5]
    assert state_of(wish) is WishState.CLAIMED


def test_pieces_that_were_given_back_are_the_next_ones_to_go(
    town: Town, wisher: Person, unit: UnitMember
) -> None:
    wish = hung(town, wisher, COATS, PARTS_CARD)
    first = claims(unit, wish, pieces=2)
    claims(a_claimer(town.wutong), wish, pieces=2)
    does(give_back, first, "做不了", by=by_unit(unit))
    assert held(wish) == [3, 4]
    claims(a_claimer(town.wutong), wish, pieces=3)
    assert held(wish) == [1, 2, 3, 4, 5]


def test_nobody_takes_on_a_wish_of_their_own_household(town: Town, unit: UnitMember) -> None:
    member = somebody(town)
    with transaction() as session:
        session.get_one(Resident, member.resident_id).account_id = unit.account_id
    wish = hung(town, member)
    refused("own_household", lambda: claims(unit, wish))


def test_nobody_is_credited_for_helping_with_a_wish_of_their_own(
    town: Town, wisher: Person, unit: UnitMember
) -> None:
    mine = a_claimer(town.wutong)
    with transaction() as session:
        session.get_one(Resident, wisher.resident_id).account_id = mine.account_id
    claim = under_way(town, unit, hung(town, wisher))

    def helps() -> None:
        with transaction() as session:
            partner = session.get_one(Partner, mine.partner_id)
            own = session.get_one(Claim, claim.id)
            help_with(session, own, partner, mine.account_id, by=by_unit(mine))

    refused("own_household", helps)


def test_a_unit_of_another_community_is_told_to_pair_first(town: Town, wisher: Person) -> None:
    wish = hung(town, wisher)
    refused("not_paired", lambda: claims(a_claimer(town.wangjiang), wish))
    assert state_of(wish) is WishState.PUBLISHED


def test_a_unit_paired_with_the_street_claims_in_each_of_its_communities(town: Town, wisher: Person) -> None:
    assert claims(a_claimer(town.district), hung(town, wisher)).state is ClaimState.APPLIED


def test_nobody_claims_without_the_promise_in_force(town: Town, wisher: Person, unit: UnitMember) -> None:
    wish = hung(town, wisher)

    def without() -> None:
        with transaction() as session:
            claim_wish(
                session,
                session.get_one(Wish, wish.id),
                session.get_one(Partner, unit.partner_id),
                PROMISE,
                promise_version="2020-01",
                by=by_unit(unit),
            )

    assert refused("promise_needed", without).details == {"version": WISH_PROMISE.version}


@pytest.mark.parametrize("day", [date(2026, 11, 19), date(2026, 12, 21)], ids=["over", "too late"])
def test_the_promised_day_is_neither_over_nor_too_far(
    town: Town, wisher: Person, unit: UnitMember, day: date
) -> None:
    wish = hung(town, wisher)
    no = refused("promise_unfit", lambda: claims(unit, wish, promised_on=day))
    assert [fault.field for fault in no.faults] == ["promised_on"]


# --- the community's word ------------------------------------------------------------------------------------------


def test_the_community_agrees_and_the_wisher_hears_who_comes(
    town: Town, wisher: Person, unit: UnitMember
) -> None:
    wish = hung(town, wisher)
    claim = under_way(town, unit, wish)
    does(agree_to_claim, claim, by=by_staff(town.admin))  # twice is fine
    kind, words = told(wisher)[-1]
    assert kind == NoticeKind.WISH_CLAIMED.value
    assert "共建单位" in words
    assert "11月30日" in words
    assert "不收任何费用" in words
    assert claim_now(claim).state is ClaimState.IN_PROGRESS


def test_a_trusted_unit_begins_at_once(town: Town, wisher: Person) -> None:
    claim = claims(a_claimer(town.wutong, trusted=True), hung(town, wisher))
    assert claim.state is ClaimState.IN_PROGRESS
    assert [kind for kind, _ in told(wisher)][-1] == "wish_claimed"


def test_a_claim_is_to_be_agreed_to_within_a_working_day(
    town: Town, wisher: Person, unit: UnitMember
) -> None:
    """E26: asked on a Friday, it is due on Monday."""
    wish = hung(town, wisher)
    begins = town_clock.now()
    claim = claims(unit, wish)
    assert begins.date() == date(2026, 11, 20)
    assert claim.due_at == begins + timedelta(days=3)


def test_a_declined_claim_frees_the_wish_before_the_others(
    town: Town, wisher: Person, unit: UnitMember
) -> None:
    wish = hung(town, wisher)
    hung(town, somebody(town), card=Card("想学一首歌", "一位长者想学歌"))
    claim = claims(unit, wish)
    does(decline_claim, claim, "请先和社区联系", by=by_staff(town.clerk))
    does(decline_claim, claim, "请先和社区联系", by=by_staff(town.clerk))
    with reading() as session:
        assert [one.id for one in wall(session, None, most=1)] == [wish.id]
    assert now(wish).priority == 1
    assert not held(wish)
    with reading() as session:
        assert claim_now(claim).ended_because is EndedBecause.DECLINED


def test_nobody_decides_about_a_claim_of_their_own_unit(town: Town, wisher: Person, unit: UnitMember) -> None:
    claim = claims(unit, hung(town, wisher))
    both = By(unit.account_id, town.clerk.identity)
    refused("own_content", lambda: does(agree_to_claim, claim, by=both))
    refused("own_content", lambda: does(take_back, claim, "换一家", by=both))


def test_nobody_gives_a_wish_to_their_own_unit(town: Town, wisher: Person, unit: UnitMember) -> None:
    wish, mine = hung(town, wisher), a_claimer(town.wutong)
    both = By(mine.account_id, town.clerk.identity)
    refused("own_content", lambda: dispatched(wish, mine, both))
    claim = under_way(town, unit, wish)

    def transferred() -> None:
        with transaction() as session:
            to = session.get_one(Partner, mine.partner_id)
            transfer_claim(session, session.get_one(Claim, claim.id), to, "离得近", by=both)

    refused("own_content", transferred)
    assert claim_now(claim).state is ClaimState.IN_PROGRESS


@pytest.mark.parametrize(
    ("promised_on", "agreed_on", "is_due"), [("11-21", "11-23", "11-24"), ("11-23", "11-23", "11-23")]
)
def test_a_unit_has_as_many_days_as_it_asked_for_where_the_promised_one_went_by_before_the_community_agreed(
    town: Town,
    wisher: Person,
    unit: UnitMember,
    clock: StoppedClock,
    promised_on: str,
    agreed_on: str,
    is_due: str,
) -> None:
    """Claimed on Friday the 20th, and agreed to on Monday."""
    claim = claims(unit, hung(town, wisher), promised_on=date.fromisoformat(f"2026-{promised_on}"))
    clock.move_to(datetime.fromisoformat(f"2026-{agreed_on}T10:00:00+08:00"))
    does(agree_to_claim, claim, by=by_staff(town.clerk))
    month, day = map(int, is_due.split("-"))
    assert claim_now(claim).promised_on == date(2026, month, day)
    assert f"{month}月{day}日" in told(wisher)[-1][1]


def test_what_a_unit_took_on_stays_as_it_read_it(town: Town, wisher: Person, unit: UnitMember) -> None:
    wish = hung(town, wisher, COATS, PARTS_CARD)
    claims(unit, wish, pieces=1)
    staff = by_staff(town.clerk)
    say(approve_wish, wish, PARTS_CARD, by=staff)  # the same card is fine
    refused("wish_frozen", lambda: say(approve_wish, wish, Card("六件棉衣", "要六件"), by=staff))


# --- dispatching ---------------------------------------------------------------------------------------------------


def test_the_community_sends_a_wish_to_a_unit_which_accepts(
    town: Town, wisher: Person, unit: UnitMember
) -> None:
    wish = hung(town, wisher)
    claim = dispatched(wish, unit, by_staff(town.clerk))
    assert dispatched(wish, unit, by_staff(town.clerk)).id == claim.id
    assert state_of(wish) is WishState.CLAIMED
    accepted(claim, unit)
    accepted(claim, unit)
    assert (claim_now(claim).state, claim_now(claim).lead_account_id) == (
        ClaimState.IN_PROGRESS,
        unit.account_id,
    )
    assert [kind for kind, _ in told(wisher)][-1] == "wish_claimed"


def test_a_unit_that_does_not_accept_says_why(town: Town, wisher: Person, unit: UnitMember) -> None:
    wish = hung(town, wisher)
    claim = dispatched(wish, unit, by_staff(town.clerk))
    does(refuse_dispatch, claim, "没有电工", by=by_unit(unit))
    assert (claim_now(claim).state, state_of(wish)) == (ClaimState.REFUSED, WishState.PUBLISHED)
    refused("claim_decided", lambda: accepted(claim, unit))


def test_who_does_not_accept_in_time_loses_it(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    wish = hung(town, wisher)
    claim = dispatched(wish, unit, by_staff(town.clerk))
    clock.advance(days=4, minutes=1)
    assert ring(town_clock.now()) == 1
    assert claim_now(claim).ended_because is EndedBecause.NOT_ACCEPTED
    assert state_of(wish) is WishState.PUBLISHED


def ring(moment: datetime) -> int:
    """What the worker frees at a moment."""
    with transaction() as session:
        due = claims_that_ring(session, moment, most=10)
        return sum(release_if_due(session, claim, moment) for claim in due)


# --- working on it -------------------------------------------------------------------------------------------------


def test_the_lead_reads_whom_to_call_and_nobody_else(town: Town, unit: UnitMember) -> None:
    wisher = somebody(town)
    wish = hung(town, wisher, AT_HOME)
    claim = claims(unit, wish)
    lead = by_unit(unit)
    refused("claim_decided", lambda: does(contacts_of, claim, by=lead))  # not before the community agreed
    does(agree_to_claim, claim, by=by_staff(town.clerk))
    read = does(contacts_of, claim, by=lead)
    assert read == Contacts("许愿人", read.phone, "梧桐苑5栋302室")
    assert read.phone
    colleague = a_member(unit)
    refused("lead_alone", lambda: does(contacts_of, claim, by=by_unit(colleague)))


def test_whoever_agrees_no_longer_is_not_called(town: Town, unit: UnitMember) -> None:
    wisher = somebody(town)
    wish = hung(town, wisher, AT_HOME)
    claim = under_way(town, unit, wish)
    say(share_contacts, wish, may_share=False, by=by_resident(wisher))
    refused("contacts_not_shared", lambda: does(contacts_of, claim, by=by_unit(unit)))


def test_the_address_stays_with_the_community_where_it_is_handed_over_there(
    town: Town, unit: UnitMember
) -> None:
    words = WishWords("想要收音机", WishKind.GOODS, address="梧桐苑5栋302室", may_share=True)
    claim = under_way(town, unit, hung(town, somebody(town), words))
    assert does(contacts_of, claim, by=by_unit(unit)).address == ""


def test_a_child_is_called_by_nobody(town: Town, unit: UnitMember) -> None:
    child = somebody(town, birth_year=2016)
    wish = wishes(child, AT_HOME, acted_for=True)
    say(approve_wish, wish, CARD, by=by_staff(town.clerk))
    claim = under_way(town, unit, wish)
    refused("contacts_not_shared", lambda: does(contacts_of, claim, by=by_unit(unit)))


def test_contacts_are_gone_with_the_claim(town: Town, unit: UnitMember) -> None:
    wish = hung(town, somebody(town), AT_HOME)
    claim = under_way(town, unit, wish)
    does(contacts_of, claim, by=by_unit(unit))
    does(give_back, claim, "临时有事", by=by_unit(unit))
    refused("claim_decided", lambda: does(contacts_of, claim, by=by_unit(unit)))


def test_who_does_not_call_within_seven_days_loses_it(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    wish = hung(town, wisher)
    claim = under_way(town, unit, wish)
    clock.advance(days=7, minutes=-1)
    assert ring(town_clock.now()) == 0
    clock.advance(minutes=1)
    assert ring(town_clock.now()) == 1
    assert ring(town_clock.now()) == 0
    assert claim_now(claim).ended_because is EndedBecause.NOT_CONTACTED
    assert (state_of(wish), now(wish).priority) == (WishState.PUBLISHED, 1)
    assert [kind for kind, _ in told(wisher)][-1] == "wish_progress"


def test_who_called_keeps_it_past_the_seven_days(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    claim = under_way(town, unit, hung(town, wisher))
    does(note_contact, claim, by=by_unit(unit))
    does(note_contact, claim, by=by_unit(unit))
    clock.advance(days=20)
    assert ring(town_clock.now()) == 0
    assert claim_now(claim).is_live


def test_who_calls_while_the_worker_comes_to_free_it_keeps_it_though_the_promised_day_is_over(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    claim = under_way(town, unit, hung(town, wisher), promised_on=date(2026, 11, 22))
    clock.advance(days=7)
    does(note_contact, claim, by=by_unit(unit))  # after the worker had found it, before it holds it
    moment = town_clock.now()
    with transaction() as session:
        assert not release_if_due(session, session.get_one(Claim, claim.id), moment)
    assert claim_now(claim).state is ClaimState.IN_PROGRESS
    assert claim_now(claim).due_at == end_of(date(2026, 11, 22))  # late, on the desk of the community


def test_a_unit_takes_longer_once_and_says_why(town: Town, wisher: Person, unit: UnitMember) -> None:
    claim = under_way(town, unit, hung(town, wisher))
    lead = by_unit(unit)
    refused("contact_first", lambda: does(extend_claim, claim, date(2026, 12, 5), "缺配件", by=lead))
    does(note_contact, claim, by=lead)
    no = refused("extension_unfit", lambda: does(extend_claim, claim, date(2026, 12, 16), "缺配件", by=lead))
    assert [fault.field for fault in no.faults] == ["to"]
    does(extend_claim, claim, date(2026, 12, 15), "缺配件", by=lead)
    does(extend_claim, claim, date(2026, 12, 15), "缺配件", by=lead)
    refused("claim_extended", lambda: does(extend_claim, claim, date(2026, 12, 12), "还缺", by=lead))
    assert claim_now(claim).finishes_on == date(2026, 12, 15)
    assert claim_now(claim).due_at == end_of(date(2026, 12, 15))
    assert "已延期" in told(wisher)[-1][1]


def test_nobody_takes_longer_once_it_is_late(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    claim = under_way(town, unit, hung(town, wisher))
    does(note_contact, claim, by=by_unit(unit))
    clock.advance(days=11)
    refused(
        "claim_overdue", lambda: does(extend_claim, claim, date(2026, 12, 10), "缺配件", by=by_unit(unit))
    )


def test_colleagues_and_other_units_help_the_lead(town: Town, wisher: Person, unit: UnitMember) -> None:
    claim = under_way(town, unit, hung(town, wisher))
    colleague, other = a_member(unit), a_claimer(town.wutong)
    for one in (colleague, other, other):
        with transaction() as session:
            help_with(
                session,
                session.get_one(Claim, claim.id),
                session.get_one(Partner, one.partner_id),
                one.account_id,
                by=by_unit(one),
            )
    with reading() as session:
        assert [one.account_id for one in helpers_of(session, claim_now(claim))] == [
            colleague.account_id,
            other.account_id,
        ]
    does(help_no_more, claim, other.account_id, by=by_unit(other))
    with reading() as session:
        assert [one.account_id for one in helpers_of(session, claim_now(claim))] == [colleague.account_id]


def test_the_lead_is_handed_on_within_the_unit(town: Town, unit: UnitMember) -> None:
    claim = under_way(town, unit, hung(town, somebody(town), AT_HOME))
    colleague, stranger = a_member(unit), a_claimer(town.wutong)
    refused("not_of_the_unit", lambda: does(hand_lead_on, claim, stranger.account_id, by=by_unit(unit)))
    does(hand_lead_on, claim, colleague.account_id, by=by_unit(unit))
    assert does(contacts_of, claim, by=by_unit(colleague)).name == "许愿人"
    refused("lead_alone", lambda: does(contacts_of, claim, by=by_unit(unit)))


# --- what ends it --------------------------------------------------------------------------------------------------


def test_the_community_takes_it_back_and_says_why(town: Town, wisher: Person, unit: UnitMember) -> None:
    wish = hung(town, wisher)
    claim = under_way(town, unit, wish)
    does(take_back, claim, "一直联系不上", by=by_staff(town.clerk))
    assert claim_now(claim).state is ClaimState.RELEASED
    assert state_of(wish) is WishState.PUBLISHED
    assert [kind for kind, _ in told(unit)][-1] == "claim_ended"


def test_a_transfer_leaves_no_moment_for_a_third(town: Town, wisher: Person, unit: UnitMember) -> None:
    wish, other = hung(town, wisher), a_claimer(town.wutong)
    claim = under_way(town, unit, wish)

    def transferred() -> Claim:
        with transaction() as session:
            return transfer_claim(
                session,
                session.get_one(Claim, claim.id),
                session.get_one(Partner, other.partner_id),
                "换一家离得近的",
                by=by_staff(town.clerk),
            )

    sent = transferred()
    assert transferred().id == sent.id
    assert (claim_now(claim).ended_because, sent.state) == (EndedBecause.TRANSFERRED, ClaimState.DISPATCHED)
    assert state_of(wish) is WishState.CLAIMED
    assert held(wish) == [1]
    accepted(sent, other)
    refused("claim_decided", lambda: does(contacts_of, claim, by=by_unit(unit)))
    assert "wish.freed" not in what_happened_to(wish)  # nobody could take it


def test_a_suspended_unit_holds_nothing_it_has_not_brought(town: Town, unit: UnitMember) -> None:
    """E19."""
    open_one, brought = hung(town, somebody(town)), hung(town, somebody(town))
    waiting = hung(town, somebody(town))
    done = delivered(town, unit, brought)
    under_way(town, unit, open_one)
    claims(unit, waiting)
    with transaction() as session:
        partner = session.get_one(Partner, unit.partner_id).lock()
        assert release_claims_of(session, partner, "暂停入驻", by=by_staff(town.admin)) == 2
    assert [state_of(wish) for wish in (open_one, waiting, brought)] == [
        WishState.PUBLISHED,
        WishState.PUBLISHED,
        WishState.CLAIMED,
    ]
    assert claim_now(done).state is ClaimState.DELIVERED


@pytest.mark.parametrize("how", ["withdrawn", "taken off", "left"])
def test_a_wish_nobody_wants_ends_its_claims(town: Town, wisher: Person, unit: UnitMember, how: str) -> None:
    wish = hung(town, wisher)
    claim = under_way(town, unit, wish)
    match how:
        case "withdrawn":
            say(withdraw_wish, wish, by=by_resident(wisher))
        case "taken off":
            say(reject_wish, wish, "物业已经修好", by=by_staff(town.clerk))
        case _:
            with transaction() as session:
                leave_wishes(
                    session, [wisher.resident_id], by_account_id=wisher.account_id, identity="resident"
                )
    assert claim_now(claim).ended_because is EndedBecause.WISH_OVER
    assert not held(wish)
    assert now(wish).parts_taken == 0
    kind, words = told(unit)[-1]
    assert (kind, "物业已经修好" in words) == ("claim_ended", False)  # that is for who wished alone
    assert "wish.freed" not in what_happened_to(wish)  # it never hung again


def test_what_came_before_a_wish_was_taken_off_the_wall_still_counts_when_it_is_said_anew(
    town: Town, wisher: Person, unit: UnitMember
) -> None:
    wish, staff = hung(town, wisher, COATS, PARTS_CARD), by_staff(town.clerk)
    fulfilled(town, unit, wish, wisher, pieces=2)
    say(reject_wish, wish, "请分开许愿", by=staff)
    mine = by_resident(wisher)
    no = refused("wish_unfit", lambda: say(correct_wish, wish, replace(COATS, quantity=2), by=mine))
    assert [fault.field for fault in no.faults] == ["quantity"]
    say(correct_wish, wish, replace(COATS, quantity=3), by=mine)
    say(approve_wish, wish, PARTS_CARD, by=staff)
    claims(unit, wish, pieces=1)
    assert state_of(wish) is WishState.CLAIMED
    assert held(wish) == [1, 2, 3]


def test_the_counter_is_what_the_rows_say(town: Town, wisher: Person) -> None:
    wish = hung(town, wisher, COATS, PARTS_CARD)
    units = [a_claimer(town.wutong) for _ in range(3)]
    made = [claims(who, wish, pieces=pieces) for who, pieces in zip(units, (1, 2, 2), strict=True)]
    does(give_back, made[1], "不行", by=by_unit(units[1]))
    with reading() as session:
        counted = session.scalar(
            select(func.count()).select_from(WishPart).where(WishPart.wish_id == wish.id, WishPart.is_held)
        )
    assert counted == now(wish).parts_taken == 3
