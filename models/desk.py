"""The desk (待办): what waits for the people who work here, and the word they get of it twice a working day (domain.md §6, M23).

Whatever may wait is one pile: whose work it is, and how many there were at a moment, counted by place with one statement for the whole
town. A noun whose things wait for staff adds its pile to ``PILES``, and nothing else. Staff are told once for each of their hats,
at the hours their place has set, and not at all when nothing waits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.agreements import count_behind, count_unconfirmed
from models.calendars import Calendar
from models.content_checks import count_waiting as count_content_checks
from models.coordination.closures import count_outside_hours
from models.courses import count_in_review, count_too_few
from models.courses.attendance import count_appeals, count_unrecorded
from models.groups import count_applied, count_without_leader
from models.issue_orders import (
    count_orders_overdue,
    count_orders_waiting,
    count_quarters_without_meeting,
)
from models.ladder import count_waiting as count_calls
from models.notices import Debt, Notice, NoticeKind, goes_out_at, owe_once
from models.notices.dead_letters import count_waiting as count_dead_letters
from models.partners import count_pairings_asked, count_renewals, count_units_applied
from models.policies import policies_at
from models.regions import Region
from models.reservations import count_credit_appeals, count_damaged, count_pending, count_review_overdue
from models.staff import OFFICE, Role, RoleGrant, StaffMember, grants_of
from models.wishes import count_in_review as count_wishes
from models.wishes import count_overdue as count_wishes_overdue
from models.wishes.claims import (
    count_care_overdue,
    count_late,
    count_to_agree,
    count_to_visit,
    count_unhappy,
)

TOLD_WITHIN = timedelta(
    minutes=30
)  # a worker that comes later than that waits for the next of the day's hours

ByPlace = Mapping[str, int]


@dataclass(frozen=True)
class Pile:
    """One kind of thing that waits. ``count`` says how many did at a moment, by the path of the place they belong to."""

    name: str
    title: str
    roles: frozenset[Role]
    count: Callable[[Session, datetime], ByPlace]


PILES = (
    Pile("dead_letters", "消息没送达", frozenset(OFFICE), count_dead_letters),
    Pile("calls", "电话任务", frozenset({*OFFICE, Role.GRID_WORKER}), count_calls),
    Pile("too_few", "人数不够的班", frozenset(OFFICE), count_too_few),
    Pile("runs_in_review", "待审核的班次", frozenset({Role.ADMIN}), count_in_review),
    Pile("sheets", "没登记签到的课", frozenset(OFFICE), count_unrecorded),
    Pile("absence_appeals", "缺课申诉", frozenset(OFFICE), count_appeals),
    Pile("reservations", "待审核的场地预约", frozenset(OFFICE), count_pending),
    Pile(
        "reservations_overdue",
        "超时没审的预约",
        frozenset({*OFFICE, Role.STREET_OFFICER}),
        count_review_overdue,
    ),
    Pile("outside_hours", "不在开放时间的", frozenset(OFFICE), count_outside_hours),
    Pile("damage", "场地损坏待核实", frozenset(OFFICE), count_damaged),
    Pile("credit_appeals", "信用申诉", frozenset(OFFICE), count_credit_appeals),
    Pile("service_deliveries", "待确认的服务", frozenset(OFFICE), count_unconfirmed),
    Pile("agreements_behind", "履约不足的协议", frozenset(OFFICE), count_behind),
    Pile("groups", "待审核的团队", frozenset(OFFICE), count_applied),
    Pile("groups_without_leader", "没有负责人的团队", frozenset(OFFICE), count_without_leader),
    Pile("partners", "待审核的单位", frozenset(OFFICE), count_units_applied),
    Pile("pairings", "待同意的结对", frozenset(OFFICE), count_pairings_asked),
    Pile("partner_renewals", "待续期的单位", frozenset(OFFICE), count_renewals),
    Pile("wishes", "待审核的心愿", frozenset(OFFICE), count_wishes),
    Pile("wishes_overdue", "超时没审的心愿", frozenset({*OFFICE, Role.STREET_OFFICER}), count_wishes_overdue),
    Pile("claims", "待确认的认领", frozenset(OFFICE), count_to_agree),
    Pile("claims_late", "超期的认领", frozenset({*OFFICE, Role.STREET_OFFICER}), count_late),
    Pile("wishes_to_visit", "送达待核实", frozenset({*OFFICE, Role.GRID_WORKER}), count_to_visit),
    Pile("unhappy", "差评待整改", frozenset(OFFICE), count_unhappy),
    Pile("unhappy_overdue", "超期的差评", frozenset({*OFFICE, Role.STREET_OFFICER}), count_care_overdue),
    Pile("issue_orders", "待街道交办的", frozenset({Role.STREET_OFFICER}), count_orders_waiting),
    Pile("issue_orders_overdue", "超时没交办的", frozenset({Role.STREET_OFFICER}), count_orders_overdue),
    Pile(
        "quarters_without_meeting",
        "本季没有联席会",
        frozenset({Role.STREET_OFFICER}),
        count_quarters_without_meeting,
    ),
    Pile("content_checks", "内容审核", frozenset(OFFICE), count_content_checks),
)


@dataclass(frozen=True)
class Waiting:
    """How many of one pile wait for one hat."""

    pile: Pile
    number: int


@dataclass
class _Hat:
    """A staff member with an account, and where they hold which role now."""

    key: str
    account_id: int
    places: list[tuple[Role, Region]] = field(default_factory=list)


def desk_of(session: Session, member: StaffMember) -> list[Waiting]:
    """What waits for this hat at this moment, pile by pile; also the empty ones that are its work."""
    places = [(grant.role, grant.region) for grant in grants_of(session, member)]
    theirs = [pile for pile in PILES if any(role in pile.roles for role, _ in places)]
    counted = _count(session, theirs, clock.now())
    return [Waiting(pile, _within(counted[pile], pile, places)) for pile in theirs]


def owe_digests(session: Session, now: datetime) -> int:
    """Owe every hat the word of what waits on its desk, if its hour has come on this working day; how many are new.

    What is counted is what waited at the hour itself: a worker that comes a little later says the same.
    """
    today = clock.in_town(now).date()
    if not Calendar.in_force(session).kind_of(today).is_work:
        return 0
    hours = cache(lambda region_id: policies_at(session, region_id))
    due: dict[datetime, list[_Hat]] = defaultdict(list)
    for hat in _hats(session):
        set_there = hours(hat.places[0][1].id)
        for hour in {set_there.desk_morning, set_there.desk_afternoon}:
            slot = datetime.combine(today, hour, clock.TOWN_ZONE)
            if slot <= now < slot + TOLD_WITHIN:
                due[slot].append(hat)
    debts = [debt for slot, hats in due.items() for debt in _debts(session, slot, hats, now)]
    return owe_once(session.connection(), debts)


def still_true(session: Session, notices: Sequence[Notice]) -> set[int]:
    """The ids of those of these notices whose hat is still worn by the same person, and still has something on its desk."""
    hats = {hat.key: hat for hat in _hats(session, {notice.subject_key for notice in notices})}
    counted = _count(session, PILES, clock.now())
    return {
        notice.id
        for notice in notices
        if (hat := hats.get(notice.subject_key)) is not None
        and hat.account_id == notice.account_id
        and any(_within(by_place, pile, hat.places) for pile, by_place in counted.items())
    }


def _debts(session: Session, slot: datetime, hats: Sequence[_Hat], now: datetime) -> list[Debt]:
    counted = _count(session, PILES, slot)
    debts = []
    for hat in hats:
        waiting = {pile.title: _within(by_place, pile, hat.places) for pile, by_place in counted.items()}
        number = sum(waiting.values())
        if number:
            debts.append(
                Debt(
                    NoticeKind.STAFF_DESK,
                    subject_key=hat.key,
                    page_subject=hat.key,
                    account_ids=[hat.account_id],
                    facts={
                        "number": number,
                        "kinds": "、".join(f"{title}{many}件" for title, many in waiting.items() if many),
                        "as_of": slot.isoformat(),
                    },
                    due_at=goes_out_at(session, NoticeKind.STAFF_DESK, hat.places[0][1].id, now),
                    version=f"{slot:%Y%m%d%H%M}",
                )
            )
    return debts


def _hats(session: Session, keys: Collection[str] | None = None) -> list[_Hat]:
    """Every hat somebody wears with an account (those of these keys), with its live roles from the highest place down."""
    rows = session.execute(
        select(StaffMember.key, StaffMember.account_id, RoleGrant.role, Region)
        .join(RoleGrant, RoleGrant.staff_member_id == StaffMember.id)
        .join(Region, Region.id == RoleGrant.region_id)
        .where(
            StaffMember.left_at.is_(None),
            RoleGrant.is_live_at(clock.now()),
            *([] if keys is None else [StaffMember.key.in_(keys)]),
        )
        .order_by(StaffMember.id, Region.path)
    )
    hats: dict[str, _Hat] = {}
    for key, account_id, role, region in rows:
        if account_id is not None:
            hats.setdefault(key, _Hat(key, account_id)).places.append((role, region))
    return list(hats.values())


def _count(session: Session, piles: Sequence[Pile], as_of: datetime) -> dict[Pile, ByPlace]:
    return {pile: pile.count(session, as_of) for pile in piles}


def _within(by_place: ByPlace, pile: Pile, places: Sequence[tuple[Role, Region]]) -> int:
    """How many of a pile lie where somebody holds a role it waits for; a place inside another counts once.

    What belongs to a community as a whole waits for the workers of each of its grids.
    """
    roles = [(role, region.path) for role, region in places if role in pile.roles]
    roots = tuple(path for _, path in roles)
    grids = [path for role, path in roles if role is Role.GRID_WORKER]
    return sum(
        number
        for path, number in by_place.items()
        if path.startswith(roots) or any(grid.startswith(path) for grid in grids)
    )
