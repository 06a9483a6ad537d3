"""Series (固定预约): the same hours of some weeks for a group, looked at week by week before it is taken: all of it, or the weeks that were named."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import clock
from models.errors import Conflict, Fault, Refusal
from models.journal import enter
from models.notices import NoticeKind
from models.occupancy import SHUT
from models.reservations.asking import Wanted, new_reservation
from models.reservations.holding import borrow, hold_rooms, keep_room, what_is_in_its_way
from models.reservations.judging import Judge
from models.reservations.parties import By, Party
from models.reservations.pledges import must_have_pledged
from models.reservations.reviewing import begin_review
from models.reservations.rows import LIVE, Reservation, ReservationSeries, ReservationState
from models.reservations.telling import tell
from models.reservations.waiting import offer_what_is_free
from models.sites import Venue
from models.venue_policies import policies_of

MOST_WEEKS = 4  # then it is asked for anew, so that nobody owns a room for good (domain.md §2.2)


@dataclass(frozen=True)
class SeriesDay:
    """One week of a series: the day, and why it cannot be had, if it cannot."""

    on: date
    wanted: Wanted
    refusal: Refusal | None


def look_at_series(
    session: Session, venue: Venue, wanted: Wanted, weeks: int, *, whose: Party, by: By
) -> list[SeriesDay]:
    """What would become of each week, the first being ``wanted`` itself; nothing is taken.

    Raises Conflict ``series_for_groups`` and ``series_limit`` for whoever cannot have one at all.
    """
    _must_be_entitled(session, venue, weeks, whose)
    days = [
        replace(
            wanted,
            starts_at=wanted.starts_at + timedelta(weeks=week),
            ends_at=wanted.ends_at + timedelta(weeks=week),
        )
        for week in range(weeks)
    ]
    first, last = (clock.in_town(each.starts_at).date() for each in (days[0], days[-1]))
    judge = Judge(session, whose, [venue], first=first, last=last, by_staff=by.is_staff)
    return [
        SeriesDay(
            clock.in_town(one.starts_at).date(),
            one,
            _why_not(session, venue, one, whose, by, judge, is_first=one is days[0]),
        )
        for one in days
    ]


def reserve_series(
    session: Session,
    venue: Venue,
    wanted: Wanted,
    weeks: int,
    *,
    only: Collection[date] | None = None,
    whose: Party,
    by: By,
) -> Sequence[Reservation]:
    """Take every week, or ``only`` the days that are named; all that is asked for, or nothing.

    Raises as ``look_at_series``, Conflict ``pledge_needed``, ``not_open_yet`` where the first week is not open yet, also where it is left out,
    and ``series_unfit`` naming each day that cannot be had and why; whatever stands against a group that was suspended or handed over meanwhile.
    """
    pledge = "" if whose.is_community or by.is_staff else must_have_pledged(wanted.pledge_version)
    whose.hold()
    whose.must_still_stand(session)
    rooms = hold_rooms(session, venue)
    offer_what_is_free(session, rooms)
    days = look_at_series(session, venue, wanted, weeks, whose=whose, by=by)
    _must_have_opened(days[0])
    _must_fit(days, only)
    asked_for = [day for day in days if only is None or day.on in only]
    series = ReservationSeries(venue_id=venue.id)
    session.add(series)
    session.flush()
    first, last = asked_for[0].on, asked_for[-1].on
    judge = Judge(session, whose, [venue], first=first, last=last, by_staff=by.is_staff)
    made: list[Reservation] = []
    for day in asked_for:
        row = new_reservation(
            session, venue, day.wanted, whose, by=by, judge=judge, pledge=pledge, series=series
        )
        if not made:  # the later weeks count for themselves
            row.makes_good_id = judge.spends(venue, day.wanted.stretch)
        session.add(row)
        session.flush()
        keep_room(session, row)
        borrow(session, row, dict(wanted.pieces))
        enter(
            session,
            "reservation.made",
            row,
            by_account_id=by.account_id,
            identity=by.identity,
            for_resident_id=row.resident_id if by.is_staff else None,
            details={"series": series.key},
        )
        made.append(row)
    begin_review(session, made, judge.numbers(venue))
    session.flush()
    if made[0].state is ReservationState.APPROVED:
        tell(session, NoticeKind.ROOM_RESERVED, made[0], {"reason": f"固定预约共{len(made)}次，每周同一时间"})
    return made


def _must_be_entitled(session: Session, venue: Venue, weeks: int, whose: Party) -> None:
    if whose.is_community:
        return
    if whose.group is None:
        raise Conflict("series_for_groups", "固定预约只给登记过的团队，请以团队名义预约，或一次一次预约")
    numbers = policies_of(session, venue)
    if weeks > numbers.series_weeks:
        says = (
            f"最多连续 {numbers.series_weeks} 周，到期可以再约"
            if numbers.series_weeks
            else "这个场地不能固定预约"
        )
        raise Conflict(
            "series_limit", f"固定预约{says}" if numbers.series_weeks else says, faults=[Fault("weeks", says)]
        )
    standing = session.scalar(
        select(func.count(func.distinct(Reservation.series_id))).where(
            Reservation.group_id == whose.group.id,
            Reservation.series_id.is_not(None),
            Reservation.state.in_(LIVE),
            Reservation.starts_at > clock.now(),
        )
    )
    if (standing or 0) >= numbers.series_at_once:
        raise Conflict(
            "series_limit",
            f"每个团队同时最多 {numbers.series_at_once} 个固定预约，用完这一个再约下一个",
        )


def _why_not(
    session: Session, venue: Venue, wanted: Wanted, whose: Party, by: By, judge: Judge, *, is_first: bool
) -> Refusal | None:
    refusal = judge.why_not(
        venue, wanted.stretch, headcount=wanted.headcount, is_later_in_series=not is_first
    )
    if refusal is not None:
        return refusal
    row = new_reservation(session, venue, wanted, whose, by=by, judge=judge)
    held = what_is_in_its_way(session, row)
    if not held:
        return None
    return Conflict("room_taken", "这一天已被约走" if SHUT.isdisjoint(held) else "这一天停用")


def _must_have_opened(first: SeriesDay) -> None:
    """The later weeks lie beyond the days one may reserve ahead because the first does not, whether it is taken or left out."""
    if first.refusal is not None and first.refusal.code == "not_open_yet":
        raise first.refusal


def _must_fit(days: Sequence[SeriesDay], only: Collection[date] | None) -> None:
    known = {day.on for day in days}
    strange = sorted(set(only or ()) - known)
    wanted = [day for day in days if only is None or day.on in only]
    faults = [Fault("days", f"{on.isoformat()} 不在这个固定预约里") for on in strange]
    faults += [
        Fault(
            "days" if only is not None else "weeks",
            f"{day.on.isoformat()}：{day.refusal.message}",
            day.refusal.code,
        )
        for day in wanted
        if day.refusal is not None
    ]
    if not wanted and not faults:
        faults = [Fault("days", "请至少选一天")]
    if faults:
        raise Conflict(
            "series_unfit",
            "有几天约不了，请只选约得上的日子，或换一个时间",
            details={"fit": [day.on.isoformat() for day in days if day.refusal is None]},
            faults=faults,
        )
