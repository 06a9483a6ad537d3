"""Urging and pressing (催办): who wished asks how it goes, and the town presses who is late; whoever's desk it is on hears, and nobody else."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.errors import Conflict
from models.journal import JournalEntry
from models.notices import Notice, NoticeKind
from models.policies import set_policy
from models.regions import Region
from models.truth import still_true
from models.wishes import Urged, Wish, WishState, ask_for_more, standing_of, urge, withdraw_wish
from models.wishes.claims import (
    Done,
    Evidence,
    Level,
    Rating,
    SettledBy,
    agree_to_claim,
    claims_on,
    confirm_done,
    deliver,
    note_care_call,
    note_contact,
    note_mended,
    rate_claim,
)
from models.wishes.clocks import Awaited, Desk
from server.jobs.clocks import rewind_clocks_within
from server.jobs.wishes import (
    press_for_care_of_the_unhappy,
    remind_of_claims,
    remind_of_wishes,
    turn_wishes,
)
from tests.claims import a_claimer, by_unit, claim_now, claims, delivered, does, fulfilled, under_way
from tests.people import Person, Town, UnitMember
from tests.wishes import by_resident, by_staff, hung, now, say, somebody, told, wishes


@pytest.fixture
def wisher(town: Town) -> Person:
    """Somebody who wishes."""
    return somebody(town)


@pytest.fixture
def unit(town: Town) -> UnitMember:
    """Somebody of a unit that is paired with the community."""
    return a_claimer(town.wutong)


def urges(who: Person, wish: Wish) -> Urged:
    """Who wished asks how it goes."""
    urged: Urged = say(urge, wish, by=by_resident(who))
    return urged


def heard(kind: NoticeKind) -> dict[int, int]:
    """How often each account was told something of this kind."""
    with reading() as session:
        rows = session.execute(
            select(Notice.account_id, func.count()).where(Notice.kind == kind).group_by(Notice.account_id)
        )
        return dict(rows.all())


def is_true_now(kind: NoticeKind) -> bool:
    """Whether what was told of this kind last still says the truth."""
    with reading() as session:
        last = session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id.desc())).first()
        assert last is not None
        return last.id in still_true(session, [last])


def desk_of(wish: Wish) -> tuple[Desk, Awaited] | None:
    """Whose desk it is on, and what is waited for."""
    with reading() as session:
        standing = standing_of(session.get_one(Wish, wish.id), claims_on(session, [wish.id])[wish.id])
    return (standing.desk, standing.awaited) if standing else None


# --- who wished asks -----------------------------------------------------------------------------------------------


def test_who_wished_asks_once_in_three_days_however_often_they_tap(
    town: Town, wisher: Person, clock: StoppedClock
) -> None:
    """E27."""
    wish = hung(town, wisher)
    first = urges(wisher, wish)
    assert (first.is_new, first.days, first.again_at) == (True, 3, town_clock.now() + timedelta(days=3))
    for _ in range(49):
        clock.advance(minutes=1)
        again = urges(wisher, wish)
        assert (again.is_new, again.at, again.again_at) == (False, first.at, first.again_at)
    office = {town.clerk.account_id: 1, town.admin.account_id: 1}
    assert heard(NoticeKind.WISH_URGED) == office
    clock.advance(days=3)
    assert urges(wisher, wish).is_new
    assert heard(NoticeKind.WISH_URGED) == dict.fromkeys(office, 2)
    with reading() as session:
        entries = session.scalars(select(JournalEntry).where(JournalEntry.act == "wish.urged")).all()
    assert [entry.by_account_id for entry in entries] == [wisher.account_id] * 2


def test_what_is_asked_changes_no_clock(town: Town, wisher: Person) -> None:
    wish = hung(town, wisher)
    before = now(wish)
    urges(wisher, wish)
    assert (now(wish).due_at, now(wish).remind_at, now(wish).state) == (
        before.due_at,
        before.remind_at,
        before.state,
    )


def test_whoevers_desk_it_is_on_hears_and_nobody_else(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    wish = hung(town, wisher)
    claim = claims(unit, wish)
    assert desk_of(wish) == (Desk.COMMUNITY, Awaited.AGREEMENT)
    urges(wisher, wish)
    assert set(heard(NoticeKind.WISH_URGED)) == {town.clerk.account_id, town.admin.account_id}
    assert not heard(NoticeKind.CLAIM_URGED)
    does(agree_to_claim, claim, by=by_staff(town.clerk))
    assert desk_of(wish) == (Desk.UNIT, Awaited.CONTACT)
    clock.advance(days=3)
    urges(wisher, wish)
    assert heard(NoticeKind.CLAIM_URGED) == {unit.account_id: 1}
    assert heard(NoticeKind.WISH_URGED) == {town.clerk.account_id: 1, town.admin.account_id: 1}
    assert is_true_now(NoticeKind.CLAIM_URGED)


def test_what_waits_for_who_wished_is_not_asked_about(town: Town, wisher: Person, unit: UnitMember) -> None:
    wish = hung(town, wisher)
    claim = delivered(town, unit, wish)
    with pytest.raises(Conflict) as refused:
        urges(wisher, wish)
    assert refused.value.code == "waits_for_you"
    does(confirm_done, claim, SettledBy.RESIDENT, by=by_resident(wisher))
    with pytest.raises(Conflict) as refused:
        urges(wisher, wish)
    assert refused.value.code == "wish_decided"


def test_what_was_asked_for_is_for_who_wished_to_bring(town: Town, wisher: Person) -> None:
    wish = wishes(wisher)
    say(ask_for_more, wish, "请写清楚哪里漏水", by=by_staff(town.clerk))
    with pytest.raises(Conflict) as refused:
        urges(wisher, wish)
    assert refused.value.code == "waits_for_you"


def test_nobody_asks_about_what_is_over(town: Town, wisher: Person) -> None:
    wish = hung(town, wisher)
    say(withdraw_wish, wish, by=by_resident(wisher))
    with pytest.raises(Conflict) as refused:
        urges(wisher, wish)
    assert refused.value.code == "wish_decided"


def test_with_the_street_the_street_hears(town: Town, wisher: Person, clock: StoppedClock) -> None:
    wish = hung(town, wisher)
    for _ in range(2):
        clock.advance(days=15)
        assert turn_wishes(town_clock.now()) == 1
    urges(wisher, wish)
    assert heard(NoticeKind.WISH_URGED) == {town.street_officer.account_id: 1}
    assert is_true_now(NoticeKind.WISH_URGED)


# --- the town presses ----------------------------------------------------------------------------------------------


def mornings(clock: StoppedClock, first: date, days: int) -> None:
    """The worker comes by every third hour of these days, at nine among them."""
    clock.move_to(datetime.combine(first, datetime.min.time(), town_clock.TOWN_ZONE))
    for _ in range(8 * days):
        for work in (remind_of_claims, remind_of_wishes, press_for_care_of_the_unhappy):
            work(town_clock.now())
            assert work(town_clock.now()) == 0
        clock.advance(hours=3)


def test_a_unit_that_is_late_is_pressed_five_mornings_and_then_the_street_hears(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    """M19."""
    claim = under_way(town, unit, hung(town, wisher), promised_on=date(2026, 11, 23))
    does(note_contact, claim, by=by_unit(unit))
    mornings(clock, date(2026, 11, 24), 14)
    office = {town.clerk.account_id: 5, town.admin.account_id: 5}
    assert heard(NoticeKind.CLAIM_OVERDUE) == {unit.account_id: 5}
    assert heard(NoticeKind.CLAIM_OVERDUE_HERE) == office | {town.street_officer.account_id: 1}
    first, *_, last = [words for kind, words in told(unit) if kind == "claim_overdue"]
    assert "已超过承诺的日子1天" in first
    assert "已超过承诺的日子7天" in last  # over a weekend, on which nobody was pressed
    assert is_true_now(NoticeKind.CLAIM_OVERDUE)
    does(deliver, claim, Done(Evidence.TAP), by=by_unit(unit))
    assert not is_true_now(NoticeKind.CLAIM_OVERDUE)
    assert not is_true_now(NoticeKind.CLAIM_OVERDUE_HERE)


def test_whoever_was_late_and_has_brought_it_is_left_alone(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    claim = under_way(town, unit, hung(town, wisher), promised_on=date(2026, 11, 23))
    does(note_contact, claim, by=by_unit(unit))
    mornings(clock, date(2026, 11, 24), 1)
    does(deliver, claim, Done(Evidence.TAP), by=by_unit(unit))
    mornings(clock, date(2026, 11, 25), 3)
    assert heard(NoticeKind.CLAIM_OVERDUE) == {unit.account_id: 1}
    assert claim_now(claim).remind_at is not None  # of who wished, who has not said yet


def test_a_worker_that_was_away_presses_once_for_all_it_missed(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    claim = under_way(town, unit, hung(town, wisher), promised_on=date(2026, 11, 23))
    does(note_contact, claim, by=by_unit(unit))
    remind_of_claims(town_clock.now())
    clock.move_to(datetime(2026, 11, 24, 8, tzinfo=town_clock.TOWN_ZONE))
    while remind_of_claims(town_clock.now()):
        pass
    clock.move_to(datetime(2026, 11, 27, 15, tzinfo=town_clock.TOWN_ZONE))
    assert remind_of_claims(town_clock.now()) == 1
    assert remind_of_claims(town_clock.now()) == 0
    assert heard(NoticeKind.CLAIM_OVERDUE) == {unit.account_id: 1}
    assert [words for kind, words in told(unit) if kind == "claim_overdue"][-1].count("4天") == 1


def test_a_worker_that_was_away_for_all_the_mornings_still_tells_the_street(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    claim = under_way(town, unit, hung(town, wisher), promised_on=date(2026, 11, 23))
    does(note_contact, claim, by=by_unit(unit))
    mornings(clock, date(2026, 11, 24), 1)
    clock.move_to(datetime(2026, 12, 20, 15, tzinfo=town_clock.TOWN_ZONE))
    assert remind_of_claims(town_clock.now()) == 1
    assert remind_of_claims(town_clock.now()) == 0
    assert heard(NoticeKind.CLAIM_OVERDUE) == {unit.account_id: 1}
    assert heard(NoticeKind.CLAIM_OVERDUE_HERE)[town.street_officer.account_id] == 1


@pytest.mark.parametrize("is_asleep", [False, True])
def test_the_street_hears_also_where_the_community_presses_fewer_mornings_from_now_on(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock, is_asleep: bool
) -> None:
    claim = under_way(town, unit, hung(town, wisher), promised_on=date(2026, 11, 23))
    does(note_contact, claim, by=by_unit(unit))
    mornings(clock, date(2026, 11, 24), 4)
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "wish_press_days", "2")
    if not is_asleep:
        rewind_clocks_within(town.wutong)
        assert rewind_clocks_within(town.wutong) == 0
    mornings(clock, date(2026, 11, 28), 7)
    rewind_clocks_within(town.wutong)
    mornings(clock, date(2026, 12, 5), 7)
    assert heard(NoticeKind.CLAIM_OVERDUE) == {unit.account_id: 4}
    assert heard(NoticeKind.CLAIM_OVERDUE_HERE)[town.street_officer.account_id] == 1


def test_the_street_is_not_pressed_for_what_is_not_due_any_more(
    town: Town, wisher: Person, clock: StoppedClock
) -> None:
    """The community gives it longer in the very hour in which it is pressed, and no clock is wound anew yet."""
    wish = hung(town, wisher)
    for _ in range(2):
        clock.advance(days=15)
        turn_wishes(town_clock.now())
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "wish_street_days", "30")
    pressed = now(wish).remind_at
    assert pressed is not None
    clock.move_to(pressed)
    assert remind_of_wishes(town_clock.now()) == 0
    assert heard(NoticeKind.WISH_DECISION_OVERDUE) == {}


def test_a_community_that_does_not_call_who_was_unhappy_is_pressed_and_then_the_street_hears(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    """M19: unhappy on Friday at noon, so they are to be called until Monday at noon."""
    claim = fulfilled(town, unit, hung(town, wisher), wisher)
    does(rate_claim, claim, Level.UNHAPPY, "迟到", SettledBy.RESIDENT, by=by_resident(wisher))
    office = {town.clerk.account_id: 1, town.admin.account_id: 1}
    assert heard(NoticeKind.CLAIM_UNHAPPY) == office
    assert is_true_now(NoticeKind.CLAIM_UNHAPPY)
    mornings(clock, date(2026, 11, 21), 14)
    pressed = dict.fromkeys(office, 5) | {town.street_officer.account_id: 1}
    assert heard(NoticeKind.CLAIM_CARE_OVERDUE) == pressed
    first, *_ = [words for kind, words in told(town.clerk) if kind == "claim_care_overdue"]
    assert first.endswith("的差评已超期1天：还没有回访，请尽快办理。")
    assert told(town.street_officer)[-1][1].endswith("天：社区催办后还没有回访，请督办。")
    assert is_true_now(NoticeKind.CLAIM_CARE_OVERDUE)
    does(note_care_call, claim, "已道歉", by=by_staff(town.clerk))
    assert not is_true_now(NoticeKind.CLAIM_CARE_OVERDUE)
    assert not is_true_now(NoticeKind.CLAIM_UNHAPPY)


def test_a_community_that_does_not_put_it_right_is_pressed_too(
    town: Town, wisher: Person, unit: UnitMember, clock: StoppedClock
) -> None:
    """Within fifteen days of the rating, which is Saturday the fifth of December."""
    claim = fulfilled(town, unit, hung(town, wisher), wisher)
    does(rate_claim, claim, Level.VERY_UNHAPPY, "", SettledBy.RESIDENT, by=by_resident(wisher))
    does(note_care_call, claim, "再去一次", by=by_staff(town.clerk))
    mornings(clock, date(2026, 11, 21), 16)
    assert heard(NoticeKind.CLAIM_CARE_OVERDUE) == {}
    mornings(clock, date(2026, 12, 7), 2)
    assert heard(NoticeKind.CLAIM_CARE_OVERDUE) == {town.clerk.account_id: 2, town.admin.account_id: 2}
    assert told(town.clerk)[-1][1].endswith("的差评已超期3天：还没有整改好，请尽快办理。")
    does(note_mended, claim, "重新修好", by=by_staff(town.clerk))
    mornings(clock, date(2026, 12, 9), 7)
    assert heard(NoticeKind.CLAIM_CARE_OVERDUE) == {town.clerk.account_id: 2, town.admin.account_id: 2}
    with reading() as session:
        cared = session.scalars(select(Rating)).one()
        assert (cared.care_due_at, cared.care_remind_at) == (None, None)


def test_of_who_is_content_the_office_hears_nothing(town: Town, wisher: Person, unit: UnitMember) -> None:
    claim = fulfilled(town, unit, hung(town, wisher), wisher)
    does(rate_claim, claim, Level.FAIR, "", SettledBy.RESIDENT, by=by_resident(wisher))
    assert heard(NoticeKind.CLAIM_UNHAPPY) == {}


def test_the_community_is_reminded_of_a_review_once_and_only_while_it_is_in_time(
    town: Town, wisher: Person, clock: StoppedClock
) -> None:
    """A working day after Friday noon is Monday noon; on Tuesday noon it is overdue, and the desk says so."""
    wish = wishes(wisher)
    mornings(clock, date(2026, 11, 20), 7)
    assert heard(NoticeKind.WISH_REVIEW_DUE) == {town.clerk.account_id: 1, town.admin.account_id: 1}
    assert is_true_now(NoticeKind.WISH_REVIEW_DUE)
    assert now(wish).remind_at is None
    say(ask_for_more, wish, "请写清楚", by=by_staff(town.clerk))
    assert not is_true_now(NoticeKind.WISH_REVIEW_DUE)


def test_a_street_that_does_not_decide_is_pressed_five_mornings(
    town: Town, wisher: Person, clock: StoppedClock
) -> None:
    wish = hung(town, wisher)
    for _ in range(2):
        clock.advance(days=15)
        turn_wishes(town_clock.now())
    due = now(wish).due_at
    assert due is not None
    mornings(clock, town_clock.in_town(due).date(), 12)
    assert heard(NoticeKind.WISH_DECISION_OVERDUE) == {town.street_officer.account_id: 5}
    assert now(wish).state is WishState.ESCALATED
    assert is_true_now(NoticeKind.WISH_DECISION_OVERDUE)


def test_whoever_works_there_no_longer_is_told_nothing(
    town: Town, wisher: Person, clock: StoppedClock
) -> None:
    hung(town, wisher)
    clock.advance(days=15)
    turn_wishes(town_clock.now())
    assert is_true_now(NoticeKind.WISH_TURNED_HERE)
    with transaction() as session:
        for worker in (town.clerk, town.admin):
            worker.member(session).left_at = town_clock.now()
    assert not is_true_now(NoticeKind.WISH_TURNED_HERE)
    assert is_true_now(NoticeKind.WISH_TURNED)
