"""What waits for staff, and the word they get of it: twice a working day, once a hat, and not when nothing waits."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from models import clock as town_clock
from models.base import reading, transaction
from models.calendars import DayKind, set_day
from models.clock import StoppedClock
from models.desk import PILES, TOLD_WITHIN, desk_of, owe_digests
from models.notices import Delivery, Notice, NoticeKind
from models.policies import set_policy
from models.regions import Region
from models.staff import Role, RoleGrant, StaffMember, grant
from models.truth import still_true
from tests.people import Person, Town, Worker, a_staff_member

MONDAY = 23  # of November 2026


def at(hour: int, minute: int = 0, *, day: int = MONDAY) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=town_clock.TOWN_ZONE)


def lose(town: Town, person: Person, *, letters: int = 1) -> None:
    """So many messages to this person end nobody knows how, now."""
    for _ in range(letters):
        person.tap(town.a_run(opens_at=at(0, day=20)))
    with transaction() as session:
        session.execute(
            update(Notice)
            .where(Notice.account_id == person.account_id, Notice.delivery == Delivery.OWED)
            .values(delivery=Delivery.UNKNOWN, settled_at=town_clock.now())
        )


def tell() -> int:
    with transaction() as session:
        return owe_digests(session, town_clock.now())


def told(who: Worker) -> list[Notice]:
    with reading() as session:
        return list(
            session.scalars(
                select(Notice)
                .where(Notice.account_id == who.account_id, Notice.kind == NoticeKind.STAFF_DESK)
                .order_by(Notice.id)
            )
        )


def truth_of(notice: Notice) -> bool:
    with reading() as session:
        return still_true(session, [notice]) == {notice.id}


def test_staff_hear_at_half_past_eight_and_at_five_what_waits_and_how_much_of_it(
    town: Town, clock: StoppedClock
) -> None:
    clock.move_to(at(8))
    lose(town, town.resident, letters=2)
    clock.move_to(at(8, 29))
    assert tell() == 0
    clock.move_to(at(8, 30))
    assert [tell(), tell()] == [2, 0]
    (word,) = told(town.clerk)
    assert word.body == "2件待办：消息没送达2件。请点开办理"
    assert word.keyword_values() == {
        "number1": "2",
        "thing2": "消息没送达2件",
        "time3": "2026年11月23日 08:30",
        "thing4": "请点开办理",
    }
    assert word.page == f"pages/staff/desk?identity={town.clerk.identity}"
    assert word.due_at == at(8, 30)
    assert len(told(town.admin)) == 1
    clock.move_to(at(17))
    assert [tell(), tell()] == [2, 0]
    assert [notice.facts["as_of"] for notice in told(town.clerk)] == [
        at(8, 30).isoformat(),
        at(17).isoformat(),
    ]


def test_nobody_hears_anything_when_nothing_waits(town: Town, clock: StoppedClock) -> None:
    clock.move_to(at(8, 30))
    assert tell() == 0
    clock.move_to(at(8, 31))
    lose(town, town.resident)  # after the hour: it is told of at five
    assert tell() == 0
    clock.move_to(at(17))
    assert tell() == 2


def test_a_worker_that_comes_a_little_late_says_the_same_and_one_that_comes_too_late_nothing(
    town: Town, clock: StoppedClock
) -> None:
    clock.move_to(at(8))
    lose(town, town.resident)
    clock.move_to(at(8, 30) + TOLD_WITHIN)
    assert tell() == 0
    clock.move_to(at(8, 30) + TOLD_WITHIN - timedelta(seconds=1))
    lose(town, town.neighbour)
    assert tell() == 2
    assert told(town.clerk)[0].facts["number"] == 1


def test_what_waits_elsewhere_or_is_somebody_elses_work_is_not_told(town: Town, clock: StoppedClock) -> None:
    with transaction() as session:
        far = a_staff_member(session, Role.CLERK, town.wangjiang, name="望江小何")
        above = a_staff_member(session, Role.ADMIN, town.district, name="区里老钱")
    clock.move_to(at(8))
    lose(town, town.resident)
    lose(town, town.outsider, letters=2)
    clock.move_to(at(8, 30))
    assert tell() == 4
    assert [notice.facts["number"] for who in (town.clerk, far, above) for notice in told(who)] == [1, 2, 3]
    assert told(town.grid_worker) == told(town.street_officer) == []


def test_two_roles_over_one_place_count_a_thing_once_and_two_hats_are_told_twice(
    town: Town, clock: StoppedClock
) -> None:
    with transaction() as session:
        grant(session, town.clerk.member(session), Role.ADMIN, session.get_one(Region, town.east_street.id))
        second = a_staff_member(session, Role.CLERK, town.wutong, name="小吴")
        second.member(session).account_id = town.clerk.account_id
    clock.move_to(at(8))
    lose(town, town.resident)
    clock.move_to(at(8, 30))
    assert tell() == 3
    assert [(notice.subject_key, notice.facts["number"]) for notice in told(town.clerk)] == [
        (town.clerk.key, 1),
        (second.key, 1),
    ]


@pytest.mark.parametrize(
    ("day", "is_told"),
    [(27, True), (28, False), (29, False), (30, True)],
)
def test_only_working_days_are_disturbed(town: Town, clock: StoppedClock, day: int, is_told: bool) -> None:
    clock.move_to(at(8, day=day))
    lose(town, town.resident)
    clock.move_to(at(8, 30, day=day))
    assert bool(tell()) is is_told


def test_a_saturday_that_is_worked_counts_and_a_monday_that_is_free_does_not(
    town: Town, clock: StoppedClock
) -> None:
    with transaction() as session:
        set_day(session, date(2026, 11, 23), DayKind.HOLIDAY, name="调休放假")
        set_day(session, date(2026, 11, 28), DayKind.ADJUSTED_WORKDAY, name="调休上班")
    clock.move_to(at(8))
    lose(town, town.resident)
    clock.move_to(at(8, 30))
    assert tell() == 0
    clock.move_to(at(8, day=28))
    lose(town, town.resident)
    clock.move_to(at(8, 30, day=28))
    assert tell() == 2


def test_a_community_sets_its_own_hours(town: Town, clock: StoppedClock) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "desk_morning", "09:15")
        set_policy(session, session.get_one(Region, town.wutong.id), "desk_afternoon", "09:15")
    clock.move_to(at(8))
    lose(town, town.resident)
    clock.move_to(at(8, 30))
    assert tell() == 0
    clock.move_to(at(9, 15))
    assert tell() == 2


def test_who_has_no_wechat_here_no_role_any_more_or_left_is_not_told(town: Town, clock: StoppedClock) -> None:
    with transaction() as session:
        town.admin.member(session).account_id = None
        session.execute(
            update(RoleGrant).where(RoleGrant.staff_member_id == town.clerk.staff_id).values(ends_at=at(8))
        )
    clock.move_to(at(8))
    lose(town, town.resident)
    clock.move_to(at(8, 30))
    assert tell() == 0


def test_the_word_is_no_longer_true_when_the_desk_is_empty_or_the_hat_is_off(
    town: Town, clock: StoppedClock
) -> None:
    clock.move_to(at(8))
    lose(town, town.resident)
    clock.move_to(at(8, 30))
    tell()
    (clerks,), (admins,) = told(town.clerk), told(town.admin)
    assert truth_of(clerks)
    with transaction() as session:
        session.get_one(StaffMember, town.clerk.staff_id).left_at = town_clock.now()
    assert (truth_of(clerks), truth_of(admins)) == (False, True)
    with transaction() as session:
        session.execute(update(Notice).values(read_at=town_clock.now()))
    assert not truth_of(admins)


def test_the_desk_costs_one_statement_a_pile_however_many_work_there(
    town: Town, clock: StoppedClock, statements: list[str]
) -> None:
    clock.move_to(at(8))
    lose(town, town.resident)
    clock.move_to(at(8, 30))

    def cost() -> int:
        del statements[:]
        tell()
        counted = ("count(", "sum(")  # of an agreement, what was given for it is added up
        return len([said for said in statements if any(word in said.lower() for word in counted)])

    assert cost() == len(PILES)
    with transaction() as session:
        for n in range(5):
            a_staff_member(session, Role.CLERK, town.wutong, name=f"职员{n}")
    assert cost() == len(PILES)


def test_the_desk_shows_what_is_ones_work_also_when_it_is_empty(town: Town) -> None:
    with reading() as session:
        assert [w.number for w in desk_of(session, town.clerk.member(session)) if w.pile is PILES[0]] == [0]
        street = desk_of(session, town.street_officer.member(session))
        assert [(w.pile.name, w.number) for w in street] == [
            ("reservations_overdue", 0),
            ("wishes_overdue", 0),
            ("claims_late", 0),
            ("unhappy_overdue", 0),
            ("issue_orders", 0),
            ("issue_orders_overdue", 0),
            ("quarters_without_meeting", 0),
        ]
    lose(town, town.resident)
    with reading() as session:
        assert [w.number for w in desk_of(session, town.clerk.member(session)) if w.pile is PILES[0]] == [1]


def test_every_pile_has_a_name_and_a_title_of_its_own_that_fit_the_message() -> None:
    assert len({pile.name for pile in PILES}) == len({pile.title for pile in PILES}) == len(PILES)
    assert all(pile.roles and len(pile.title) <= 8 for pile in PILES)
