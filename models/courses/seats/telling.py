"""Who is told of a seat, and what is owed to them, in the transaction of the deed.

One deed is told to one person once. Who taps hears of their own tap. An adult for whom somebody else tapped hears who did what for them
(代办告知) instead of 报名成功: it names class, time and place as well, and who it was. A child hears what its guardian hears. Where nobody
who would be told has a WeChat here, what must arrive is owed to the person by the next rung (``models.ladder``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.engine import Connection

from models.bulk import among
from models.courses.hearing import adults_of
from models.courses.registrations import RegistrationState
from models.courses.runs import Audience, Course, CourseKind, CourseRun, CourseSession, SessionState
from models.courses.seats.asking import Ask, Asker, LockedRun
from models.courses.seats.writing import Held
from models.hearing import WHO_ACTS, hearers, said_helper
from models.ladder import ToTell, owe_to_people
from models.notices import MOMENTS, Debt, NoticeKind, goes_out_at, owe
from models.notices.keywords import say_briefly
from models.residents import BondKind, is_minor
from models.sites import Site, Venue

Facts = dict[int, dict[str, Any]]

# what somebody was registered to, and what was given up for them, as they are told of it
GOT = {
    RegistrationState.CONFIRMED: "报名",
    RegistrationState.WAITLISTED: "登记候补",
    RegistrationState.APPLIED: "提交申请",
}
GAVE_UP = {
    RegistrationState.CONFIRMED: "取消报名",
    RegistrationState.WAITLISTED: "取消候补",
    RegistrationState.OFFERED: "放弃名额",
    RegistrationState.APPLIED: "取消申请",
}


@dataclass(frozen=True, slots=True)
class _Told:
    """A debt, and the seat it is about."""

    debt: Debt
    run: LockedRun
    mine: Held


def tell_of_seats(connection: Connection, fresh: Sequence[tuple[Ask, Held]], now: datetime) -> None:
    """What was registered just now: who got a seat, and the adults who were acted for."""
    seated = [
        (ask, mine)
        for ask, mine in fresh
        # whom staff act for hears of it as of what was done for them, whatever their age
        if mine.standing.state is RegistrationState.CONFIRMED and ask.asker.counter is None
    ]
    acted = [(ask, mine) for ask, mine in fresh if _hears_who_acted(ask.asker)]
    facts = facts_of(connection, {ask.run.id for ask, _ in (*seated, *acted)})
    kind = NoticeKind.REGISTRATION_CONFIRMED
    told = [
        _about_seat(
            kind,
            ask.run,
            mine,
            facts,
            due_at=goes_out_at(connection, kind, ask.run.region_id, now),
            asker=ask.asker,
            adult=ask.adult.name if ask.adult else None,
        )
        for ask, mine in seated
    ]
    for ask, mine in acted:
        told.append(_acted_for(connection, ask, mine, facts, now, done=GOT[mine.standing.state]))
    _owe(connection, told)


def tell_of_leaving(connection: Connection, ask: Ask, mine: Held, now: datetime) -> None:
    """What was given up just now: an adult who was acted for is told; who tapped knows."""
    if _hears_who_acted(ask.asker):
        facts = facts_of(connection, {ask.run.id})
        done = GAVE_UP[mine.standing.state]
        _owe(connection, [_acted_for(connection, ask, mine, facts, now, done=done, gave_up=True)])


def tell_of_rising(connection: Connection, run: LockedRun, risen: Sequence[Held], now: datetime) -> None:
    """Who moved up just now, and who registered them."""
    facts = facts_of(connection, {run.id})
    kind = NoticeKind.REGISTRATION_PROMOTED
    due_at = goes_out_at(connection, kind, run.region_id, now)
    ids = [mine.id for mine in risen if mine.id is not None]
    adults = adults_of(connection, ids) if run.audience is Audience.PAIR else {}
    _owe(
        connection,
        [
            _about_seat(kind, run, mine, facts, due_at=due_at, adult=adults.get(mine.id or 0))
            for mine in risen
        ],
    )


def tell_of_offers(connection: Connection, run: LockedRun, offered: Sequence[Held], now: datetime) -> None:
    """Who is offered a seat just now, and who registered them: until when it is theirs to accept."""
    facts = facts_of(connection, {run.id})
    due_at = goes_out_at(connection, NoticeKind.SEAT_OFFERED, run.region_id, now)
    _owe(
        connection,
        [about_offer(NoticeKind.SEAT_OFFERED, run, mine, facts, due_at=due_at) for mine in offered],
    )


def tell_of_ending_offers(
    connection: Connection, run: LockedRun, offered: Sequence[Held], now: datetime
) -> None:
    """Who has not accepted when half of the time is over."""
    facts = facts_of(connection, {run.id})
    due_at = goes_out_at(connection, NoticeKind.OFFER_ENDING, run.region_id, now)
    _owe(
        connection,
        [about_offer(NoticeKind.OFFER_ENDING, run, mine, facts, due_at=due_at) for mine in offered],
    )


def tell_of_outcomes(
    connection: Connection, run: LockedRun, outcomes: Sequence[tuple[Held, str, str]], now: datetime
) -> None:
    """What came of applications: each with its outcome in a phrase, and what else there is to say."""
    facts = facts_of(connection, {run.id})
    due_at = {
        kind: goes_out_at(connection, kind, run.region_id, now)
        for kind in (NoticeKind.SELECTED, NoticeKind.NOT_SELECTED)
    }
    told = []
    for mine, outcome, remark in outcomes:
        has_seat = mine.standing.state is RegistrationState.CONFIRMED
        kind = NoticeKind.SELECTED if has_seat else NoticeKind.NOT_SELECTED
        about = _about_seat(kind, run, mine, facts, due_at=due_at[kind])
        extra = {"outcome": outcome} | ({} if has_seat else {"remark": remark})
        told.append(replace(about, debt=replace(about.debt, facts={**about.debt.facts, **extra})))
    _owe(connection, told)


def about_offer(kind: NoticeKind, run: LockedRun, mine: Held, facts: Facts, *, due_at: datetime) -> _Told:
    """An offer of a seat, with its end."""
    until = mine.standing.offer_expires_at
    if until is None:
        raise AssertionError("an offer has an end")
    about = _about_seat(kind, run, mine, facts, due_at=due_at)
    ends = {"expires_at": until.isoformat(), "until": say_briefly(until)}
    return replace(
        about, debt=replace(about.debt, facts={**about.debt.facts, **ends}, version=until.isoformat())
    )


_FACTS = (
    select(
        CourseRun.id,
        Course.title,
        Course.kind,
        CourseRun.starts_at,
        Site.name.label("site"),
        Venue.name.label("venue"),
    )
    .join(Course, Course.id == CourseRun.course_id)
    .outerjoin(
        CourseSession,
        and_(
            CourseSession.run_id == CourseRun.id,
            CourseSession.starts_at == CourseRun.starts_at,
            # one that was called off may have been at the same hour
            CourseSession.state == SessionState.PLANNED,
        ),
    )
    .outerjoin(Venue, Venue.id == CourseSession.venue_id)
    .outerjoin(Site, Site.id == Venue.site_id)
    .where(among(CourseRun.id, "runs"))
)


def facts_of(connection: Connection, run_ids: set[int]) -> Facts:
    """What a notice says of a run: the course, its first evening, and where."""
    if not run_ids:
        return {}
    rows = connection.execute(_FACTS, {"runs": run_ids})
    return {
        row.id: {
            "course": row.title,
            "starts_at": row.starts_at.isoformat(),
            "place": f"{row.venue}（{row.site}）" if row.venue else "地点待定",
            "activity": row.kind is CourseKind.ACTIVITY,
        }
        for row in rows
    }


def _said_actor(asker: Asker) -> str:
    if asker.counter is not None:
        return said_helper(asker.counter.name, asker.counter.says)
    if asker.bond is None:
        raise AssertionError("who acts for somebody does so by a bond, or works for the town")
    return said_helper(asker.oneself.name if asker.oneself else None, WHO_ACTS[asker.bond])


def _about_seat(
    kind: NoticeKind,
    run: LockedRun,
    mine: Held,
    facts: Facts,
    *,
    due_at: datetime,
    asker: Asker | None = None,
    adult: str | None = None,
) -> _Told:
    """Tell who tapped, and the learner themselves when that is another account and they do not hear it otherwise."""
    own = mine.learner.account_id
    told = hearers(own=own, registered_by=mine.by_account_id, name=mine.learner.name, adult=adult)
    hears_otherwise = own if asker is not None and _hears_who_acted(asker) else None
    debt = Debt(
        kind,
        subject_key=mine.standing.key,
        page_subject=run.key,
        account_ids=[account for account in told.accounts if account != hears_otherwise],
        facts={**facts[run.id], "learner": told.learner},
        due_at=due_at,
    )
    return _Told(debt, run, mine)


def _acted_for(
    connection: Connection,
    ask: Ask,
    mine: Held,
    facts: Facts,
    now: datetime,
    *,
    done: str,
    gave_up: bool = False,
) -> _Told:
    about, asker, own = facts[ask.run.id], ask.asker, mine.learner.account_id
    debt = Debt(
        NoticeKind.ACTED_FOR_YOU,
        subject_key=mine.standing.key,
        page_subject=ask.run.key,
        account_ids=list(dict.fromkeys([*([] if own is None else [own]), *asker.guardians])),
        facts={
            **about,
            "learner": _said_learner(ask, mine),
            "helper": _said_actor(asker),
            "done": done,
            "gave_up": gave_up,
            "matter": f"{done}{about['course']}",
            "deed": f"{done}{say_briefly(datetime.fromisoformat(about['starts_at']))}的{about['course']}",
            "acted_at": now.isoformat(),
        },
        due_at=goes_out_at(connection, NoticeKind.ACTED_FOR_YOU, ask.run.region_id, now),
        version="gave_up" if gave_up else mine.standing.state,  # who waited and got a seat is told of both
    )
    return _Told(debt, ask.run, mine)


def _said_learner(ask: Ask, mine: Held) -> str:
    """Whose it is, where it is told to others too: a child's name, and of a pair both."""
    if ask.adult is not None:
        return f"{mine.learner.name}、{ask.adult.name}"
    return (mine.learner.name or "") if ask.asker.guardians else ""


def _hears_who_acted(asker: Asker) -> bool:
    """Whether somebody is told who acted for them: whom staff act for, and an adult for whom somebody else tapped.

    Where the age is not known, a guardian's ward is taken for a child.
    """
    learner = asker.learner
    if asker.counter is not None:
        return True
    if asker.bond is None or learner is None:
        return False
    if learner.birth_year is None:
        return asker.bond is not BondKind.GUARDIAN
    return not is_minor(learner.birth_year)


def _owe(connection: Connection, told: Sequence[_Told]) -> None:
    """Owe all of it with one statement, and another only where somebody has no WeChat to be told by."""
    owe(connection, [each.debt for each in told])
    owe_to_people(
        connection,
        [
            ToTell(each.debt, each.mine.learner.id, each.mine.learner.home_region_id or each.run.region_id)
            for each in told
            if not each.debt.account_ids and MOMENTS[each.debt.kind].must_arrive
        ],
    )
