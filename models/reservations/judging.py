"""Judging (能不能约): whether somebody may take a room at a time, and if not, why: one judgement for the tap and for every list.

What it looks at is read once, for one person or group and all the rooms that are asked about, in a fixed number of statements. The order of the
rules is the order in which a person meets them (domain.md §2.2). Whether the room is free then is not judged here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from types import EllipsisType

from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.orm import Session

from models import clock
from models.availability import GRID_MINUTES, Stretch, fits_grid, stretch_of_day
from models.commitments import Commitment, Takes, commitments_of
from models.errors import Conflict, Fault, Refusal
from models.hours import said_minute
from models.inductions import inductions_of
from models.policies import Policies
from models.regions import is_within
from models.reservations.credit import Credit, CreditEntry, credit_of, entries_of, must_not_be_paused
from models.reservations.house_rules import HouseRules, house_rules_of
from models.reservations.making_good import makes_good
from models.reservations.parties import Party
from models.reservations.rows import LIVE, USED_UP, Reservation
from models.residents import is_minor
from models.sites import Venue, VenueUse

FARTHEST = timedelta(days=366)  # the community's own plans reach no farther either


class Judge:
    """Judges what one person or group wants of some rooms, from one day to another (both included)."""

    def __init__(
        self,
        session: Session,
        party: Party,
        venues: Sequence[Venue],
        *,
        first: date,
        last: date,
        by_staff: bool = False,
        acted_for: bool = False,
        besides: Reservation | None = None,
        rules: HouseRules | None = None,
    ) -> None:
        """``by_staff``: they are at the counter; ``acted_for``: a grown-up asks for them; ``besides``: a reservation that does not count;
        ``rules``: what the rooms go by, where that was read before."""
        self._party, self._by_staff, self._acted_for = party, by_staff, acted_for
        self._now = clock.now()
        rules = rules or house_rules_of(session, venues)
        self.times, self.numbers_of_each = rules.times, rules.numbers
        self._theirs = [] if party.is_community else _theirs(session, party, first, last, besides)
        self._classes = _classes(session, party, first, last)
        self._session = session
        self._made_good: int | EllipsisType | None = ...
        self._inducted: set[int] = set()
        self._entries: Sequence[CreditEntry] = ()
        if party.resident is not None:
            if any(venue.use is VenueUse.AFTER_INDUCTION for venue in venues):
                self._inducted = {one.venue_id for one in inductions_of(session, [party.resident.id])}
            self._entries = entries_of(
                session,
                resident_id=party.resident.id,
                group_id=party.group.id if party.group else None,
                since=self._now
                - max(timedelta(days=each.credit_days) for each in self.numbers_of_each.values()),
            )

    def numbers(self, venue: Venue) -> Policies:
        """What a room goes by."""
        return self.numbers_of_each[venue.id]

    def needs_review(self, venue: Venue) -> bool:
        """Whether staff decide before it is theirs."""
        return venue.use is VenueUse.REVIEWED and not self._by_staff and not self._party.is_community

    def why_not(
        self, venue: Venue, wanted: Stretch, *, headcount: int = 1, is_later_in_series: bool = False
    ) -> Refusal | None:
        """The first reason against it, or nothing. Every reason is a Conflict with a code and what to do instead."""
        try:
            self.must_be_allowed(venue, wanted, headcount=headcount, is_later_in_series=is_later_in_series)
        except Conflict as refusal:
            return refusal
        return None

    def must_be_allowed(
        self, venue: Venue, wanted: Stretch, *, headcount: int = 1, is_later_in_series: bool = False
    ) -> None:
        """Raises the first reason against it. The later weeks of a series lie beyond the days one may reserve ahead, and count for themselves.

        Conflict ``no_need_to_reserve``, ``staff_only``, ``induction_needed``, ``others_not_admitted``, ``adult_needed``; ``time_unfit`` and
        ``too_many_heads`` naming the field; ``not_open_yet``, ``closed_then``, ``too_late_for_review``; ``reserving_paused``;
        ``reservation_limit`` and ``own_clash``.
        """
        self._must_admit(venue)
        self._must_be_a_time(venue, wanted)
        if headcount > venue.capacity:
            raise Conflict(
                "too_many_heads",
                f"“{venue.name}”最多 {venue.capacity} 人，请换大一点的场地，或分开来",
                details={"capacity": venue.capacity},
                faults=[Fault("headcount", f"最多 {venue.capacity} 人")],
            )
        if self._party.is_community:
            return
        if not is_later_in_series:
            self._must_be_in_the_window(venue, wanted)
        self._must_be_open(venue, wanted)
        self._must_leave_time_for_review(venue, wanted)
        must_not_be_paused(self.credit(venue))
        if not is_later_in_series:
            self._must_be_within_limits(venue, wanted)
        self._must_not_clash(wanted)

    def must_still_be_allowed(self, venue: Venue, wanted: Stretch, *, within_limits: bool = False) -> None:
        """Raises what stands against it now, for one who waited for it and was offered it: what they hold elsewhere, and their credit.

        ``within_limits``: it makes a lost one good, and counts for none.
        """
        if self._party.is_community:
            return
        must_not_be_paused(self.credit(venue))
        if not within_limits:
            self._must_be_within_limits(venue, wanted)
        self._must_not_clash(wanted)

    def spends(self, venue: Venue, wanted: Stretch) -> int | None:
        """The id of a reservation they lost that this one would make good; none where it is within the limits anyhow."""
        within = self._party.is_community or self._beyond_limits(venue, wanted) is None
        return None if within else self._made_good_by_one()

    def have_just_this(self, venue: Venue, wanted: Stretch) -> bool:
        """Whether they hold this room for just this time, or wait for it."""
        return any(
            one.state in LIVE and one.venue_id == venue.id and Stretch(one.starts_at, one.ends_at) == wanted
            for one in self._theirs
        )

    def credit(self, venue: Venue) -> Credit:
        """How they stand, by the numbers of the room's community."""
        return credit_of(self._entries, self.numbers(venue), self._now)

    def opens_at(self, venue: Venue, on: date) -> datetime:
        """From when on a day of a room may be reserved by them."""
        numbers = self.numbers(venue)
        days = numbers.group_reserve_days if self._party.group else numbers.reserve_days
        return datetime.combine(on - timedelta(days=days), numbers.reserve_opens, clock.TOWN_ZONE).astimezone(
            UTC
        )

    def _must_admit(self, venue: Venue) -> None:
        resident = self._party.resident
        if venue.use is VenueUse.WALK_IN:
            raise Conflict("no_need_to_reserve", f"“{venue.name}”随到随用，开放时间直接来就行")
        if resident is None:
            return
        if venue.use is VenueUse.STAFF_ONLY and not self._by_staff:
            raise Conflict("staff_only", f"“{venue.name}”由社区统一安排，想用请联系社区工作人员")
        if is_minor(resident.birth_year) and not (self._acted_for or self._by_staff):
            raise Conflict("adult_needed", "未满十八周岁的，请监护人替您预约")
        if venue.use is VenueUse.AFTER_INDUCTION and venue.id not in self._inducted:
            raise Conflict(
                "induction_needed", f"第一次用“{venue.name}”要先请工作人员教一遍，约好时间到社区来就行"
            )
        home, place = resident.home_region, venue.site.region
        is_from_here = home is not None and (is_within(home, [place]) or is_within(place, [home]))
        of_group = self._party.group is not None and is_within(self._party.group.region, [place])
        if not is_from_here and not of_group and not self.numbers(venue).others_may_reserve:
            raise Conflict(
                "others_not_admitted", f"“{venue.name}”只给{place.name}的居民预约，可以看看您社区的场地"
            )

    def _must_be_a_time(self, venue: Venue, wanted: Stretch) -> None:
        faults = _faults_of(wanted, self._now, is_slot=self._is_slot(venue, wanted))
        if not faults and not self._party.is_community:
            faults = self._faults_of_length(venue, wanted)
        if faults:
            raise Conflict("time_unfit", faults[0].message, faults=faults)

    def _is_slot(self, venue: Venue, wanted: Stretch) -> bool:
        """Whether it is one of the fixed slots of the room, which need not lie on the grid."""
        on = clock.in_town(wanted.starts_at).date()
        return any(stretch_of_day(on, *slot) == wanted for slot in self.numbers(venue).reserve_slots)

    def _faults_of_length(self, venue: Venue, wanted: Stretch) -> list[Fault]:
        numbers = self.numbers(venue)
        most = numbers.group_most_minutes if self._party.group else numbers.reserve_most_minutes
        if wanted.minutes > most:
            return [Fault("ends_at", f"一次最多 {most} 分钟")]
        if wanted.minutes < numbers.reserve_least_minutes:
            return [Fault("ends_at", f"一次至少 {numbers.reserve_least_minutes} 分钟")]
        return []

    def _must_be_in_the_window(self, venue: Venue, wanted: Stretch) -> None:
        opens_at = self.opens_at(venue, clock.in_town(wanted.starts_at).date())
        if self._now < opens_at:
            at = clock.in_town(opens_at)
            raise Conflict(
                "not_open_yet",
                f"这一天从 {at.month}月{at.day}日 {at:%H:%M} 开始预约",
                details={"opens_at": at.isoformat()},
                faults=[Fault("starts_at", "还没到可以预约的时候")],
            )

    def _must_be_open(self, venue: Venue, wanted: Stretch) -> None:
        on = clock.in_town(wanted.starts_at).date()
        hours = self.times.on_day(self.times.of_venue(venue), on)
        if any(stretch_of_day(on, one.opens_minute, one.closes_minute).contains(wanted) for one in hours):
            return
        said = "、".join(f"{said_minute(one.opens_minute)}-{said_minute(one.closes_minute)}" for one in hours)
        raise Conflict(
            "closed_then",
            f"“{venue.name}”{on.month}月{on.day}日" + (f"开放时间是 {said}" if said else "不开放"),
            faults=[Fault("starts_at", "不在开放时间里")],
        )

    def _must_leave_time_for_review(self, venue: Venue, wanted: Stretch) -> None:
        hours = self.numbers(venue).unreviewed_until_hours
        if self.needs_review(venue) and wanted.starts_at <= self._now + timedelta(hours=hours):
            raise Conflict(
                "too_late_for_review",
                f"“{venue.name}”要工作人员审核，请至少提前 {hours:g} 小时预约；着急用请打电话给社区",
            )

    def _must_be_within_limits(self, venue: Venue, wanted: Stretch) -> None:
        refusal = self._beyond_limits(venue, wanted)
        if refusal is not None and self._made_good_by_one() is None:
            raise refusal

    def _made_good_by_one(self) -> int | None:
        if self._made_good is ...:  # few reach the limits, and fewer have lost a room: read when it matters
            self._made_good = makes_good(self._session, self._party, self._now)
        return self._made_good

    def _beyond_limits(self, venue: Venue, wanted: Stretch) -> Conflict | None:
        """Why it would be more than one may have. What makes a lost reservation good is beyond the limits, and counts for none."""
        numbers, group = self.numbers(venue), self._party.group
        on = clock.in_town(wanted.starts_at).date()
        counted = [
            one
            for one in self._theirs
            if one.state in USED_UP and one.series_id is None and one.makes_good_id is None
        ]
        same_week = [one for one in counted if _week_of(one.starts_at) == on.isocalendar()[:2]]
        same_day = [one for one in same_week if clock.in_town(one.starts_at).date() == on]
        a_week = numbers.group_reservations_a_week if group else numbers.reservations_a_week
        minutes = numbers.group_minutes_a_week if group else numbers.reserved_minutes_a_week
        who = "每个团队" if group else "每人"
        if not group and numbers.reservations_a_day and len(same_day) >= numbers.reservations_a_day:
            return Conflict(
                "reservation_limit", f"每人每天最多预约 {numbers.reservations_a_day} 次，请换一天"
            )
        if a_week and len(same_week) >= a_week:
            return Conflict("reservation_limit", f"{who}每周最多预约 {a_week} 次，请换一周")
        if minutes and sum(one.minutes for one in same_week) + wanted.minutes > minutes:
            return Conflict("reservation_limit", f"{who}每周最多预约 {minutes} 分钟，请约短一点或换一周")
        return None

    def _must_not_clash(self, wanted: Stretch) -> None:
        for one in self._theirs:
            if one.state in LIVE and Stretch(one.starts_at, one.ends_at).overlaps(wanted):
                raise Conflict(
                    "own_clash",
                    f"这个时间您已经约了“{one.venue.name}”，请换一个时间，或先取消那一个",
                    details={"reservation": one.key},
                )
        for evening in self._classes:
            if evening.overlaps(wanted.starts_at, wanted.ends_at):
                raise Conflict(
                    "own_clash",
                    f"这个时间您要参加“{evening.title}”，请换一个时间；那天不去的，请先请假或取消报名",
                    details={"run": evening.key},
                )


def _faults_of(wanted: Stretch, now: datetime, *, is_slot: bool) -> list[Fault]:
    faults = []
    begins, ends = clock.in_town(wanted.starts_at), clock.in_town(wanted.ends_at)
    if wanted.ends_at <= wanted.starts_at:
        faults.append(Fault("ends_at", "结束时间要晚于开始时间"))
    elif (ends - timedelta(microseconds=1)).date() != begins.date():
        faults.append(Fault("ends_at", "一次预约不能跨过半夜，请分成两次"))
    for field, moment in (("starts_at", wanted.starts_at), ("ends_at", wanted.ends_at)):
        if not is_slot and not fits_grid(moment):
            faults.append(Fault(field, f"请选整点或半点（每 {GRID_MINUTES} 分钟一格）"))
    if wanted.starts_at < now:
        faults.append(Fault("starts_at", "这个时间已经过了，请选以后的时间"))
    if wanted.starts_at > now + FARTHEST:
        faults.append(Fault("starts_at", "请选一年以内的时间"))
    return faults


def week_around(first: date, last: date) -> Stretch:
    """Every week (Monday to Sunday) these days lie in."""
    monday = first - timedelta(days=first.isocalendar()[2] - 1)
    sunday = last + timedelta(days=7 - last.isocalendar()[2])
    return Stretch(stretch_of_day(monday).starts_at, stretch_of_day(sunday).ends_at)


def _theirs(
    session: Session, party: Party, first: date, last: date, besides: Reservation | None
) -> list[Reservation]:
    weeks = week_around(first, last)
    query, whose = (_OF_A_GROUP, party.group) if party.group is not None else (_OF_A_PERSON, party.resident)
    asked = {"whose": whose.id if whose else None, "first": weeks.starts_at, "end": weeks.ends_at}
    return [one for one in session.scalars(query, asked) if one is not besides]


def _between(whose: ColumnElement[bool]) -> Select[Reservation]:
    return (
        select(Reservation)
        .where(whose, Reservation.starts_at >= bindparam("first"), Reservation.starts_at < bindparam("end"))
        .order_by(Reservation.id)
        .execution_options(populate_existing=True)
    )


# made once: everybody who taps is asked it
_OF_A_GROUP = _between(Reservation.group_id == bindparam("whose"))
_OF_A_PERSON = _between((Reservation.resident_id == bindparam("whose")) & Reservation.group_id.is_(None))


def _classes(session: Session, party: Party, first: date, last: date) -> list[Commitment]:
    """The evenings the person has to be at; none for a group, whose leader may be elsewhere, and none for the community."""
    if party.resident is None or party.group is not None:
        return []
    return commitments_of(
        session,
        [party.resident.id],
        Takes.A_CLASS,
        starts_at=stretch_of_day(first).starts_at,
        ends_at=stretch_of_day(last).ends_at,
    )


def _week_of(moment: datetime) -> tuple[int, int]:
    return clock.in_town(moment).date().isocalendar()[:2]
