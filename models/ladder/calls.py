"""Calls (电话任务): the last rung. Somebody of the community calls a person whom neither WeChat nor a short message could tell.

A call is open until somebody reached the person, found the number to be another's, or the news went stale. A call that nobody
answered comes back to the list some hours later. Who calls is told what to say in plain words; looking at the list and what came of
a call are journalled by whoever lets staff in.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    and_,
    func,
    literal_column,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.base import PlainText, chosen_from, insert_for, new_key
from models.errors import Conflict, NotFound
from models.journal import enter
from models.ladder.holding import hold_people
from models.ladder.short_messages import ShortMessage, ShortMessageState
from models.notices import News, Notice, morning_in_time
from models.policies import policies_at
from models.regions import Region, RegionKind, lies_within, paths_down_to
from models.residents import Resident
from models.staff import StaffMember

LONGEST_NOTE = 80
_TO_DO = text("state IN ('open', 'not_reached')")
# literals, not parameters: only so can PostgreSQL see that a partial index fits
_STILL_TO_DO: tuple[ColumnElement[str], ...] = (literal_column("'open'"), literal_column("'not_reached'"))


class CallState(StrEnum):
    """Where a call stands."""

    OPEN = "open"  # 待拨打
    NOT_REACHED = "not_reached"  # 没打通，稍后再打
    REACHED = "reached"  # 已告知
    WRONG_NUMBER = "wrong_number"  # 号码不对
    CANCELLED = "cancelled"  # 已过时，不用再打


TO_DO = (CallState.OPEN, CallState.NOT_REACHED)


class CallOutcome(StrEnum):
    """What came of one try."""

    REACHED = "reached"  # 已告知
    NOT_REACHED = "not_reached"  # 没打通
    WRONG_NUMBER = "wrong_number"  # 号码不对


class Call(News):
    """One piece of news that a person of the community tells another. ``reason`` is how the short message ended.

    ``due_at`` is from when on to call, ``tries`` how often somebody did. ``wrong_phone`` is the keyed hash of a number that was found
    to be somebody else's.
    """

    __tablename__ = "calls"
    __table_args__ = (
        Index("ix_calls_resident", "resident_id"),
        Index("ix_calls_list", "region_id", "state", "due_at", "id"),
        Index("ix_calls_to_do", "id", postgresql_where=_TO_DO, sqlite_where=_TO_DO),
        CheckConstraint(
            "(state IN ('open', 'not_reached')) = (settled_at IS NULL)", name="settled_has_a_time"
        ),
    )

    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notices.id"))
    reason: Mapped[ShortMessageState] = mapped_column(chosen_from(ShortMessageState))
    due_at: Mapped[datetime] = mapped_column(default=clock.now)

    state: Mapped[CallState] = mapped_column(chosen_from(CallState), default=CallState.OPEN)
    tries: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[datetime | None]
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))  # who tried last
    note: Mapped[str | None] = mapped_column(PlainText(LONGEST_NOTE))
    settled_at: Mapped[datetime | None]
    wrong_phone: Mapped[str | None] = mapped_column(PlainText(64))

    resident: Mapped[Resident] = relationship()
    region: Mapped[Region] = relationship()
    by_staff: Mapped[StaffMember | None] = relationship()
    notice: Mapped[Notice | None] = relationship()


@dataclass(frozen=True)
class CallScope:
    """Whose calls somebody looks after: all of ``places`` and what lies under them, and those of the communities ``grids`` lie in.

    A resident's home is a community, not a grid of it, so the workers of all its grids share its list.
    """

    places: Sequence[Region]
    grids: Sequence[Region] = ()

    def regions(self) -> ColumnElement[bool]:
        """The condition that a region is among them."""
        above = {path for place in self.grids for path in paths_down_to(place.path)}
        around = and_(Region.kind == RegionKind.COMMUNITY, Region.path.in_(above))
        return or_(lies_within([*self.places, *self.grids]), around)


def owe_call(session: Session, message: ShortMessage) -> None:
    """Owe a call for a short message that did not tell, once: by day, at night only what cannot wait. Nobody calls a person who left."""
    if message.resident.left_at is not None:
        return
    policies = policies_at(session, message.region_id)
    session.execute(
        insert_for(session, Call)
        .values(
            key=new_key(),
            kind=message.kind,
            subject_key=message.subject_key,
            dedupe_key=message.dedupe_key,
            facts=message.facts,
            created_at=message.created_at,
            due_at=morning_in_time(policies, message, clock.now()),
            resident_id=message.resident_id,
            region_id=message.region_id,
            notice_id=message.notice_id,
            reason=message.state,
            state=CallState.OPEN,
            tries=0,
        )
        .on_conflict_do_nothing()
    )


def calls_within(
    session: Session,
    scope: CallScope,
    *,
    states: Collection[CallState],
    after: tuple[datetime, int] | None,
    most: int,
) -> Sequence[Call]:
    """Up to ``most`` calls in these states, the one due first in front, with everything a caller sees.

    ``after`` is (due_at, id) of the last one seen.
    """
    query = (
        select(Call)
        .options(joinedload(Call.resident), joinedload(Call.region), joinedload(Call.by_staff))
        .where(
            Call.region_id.in_(select(Region.id).where(scope.regions())),
            Call.state.in_(states),
        )
        .order_by(Call.due_at, Call.id)
        .limit(most)
    )
    if after is not None:
        query = query.where(tuple_(Call.due_at, Call.id) > after)
    return session.scalars(query).all()


def call_within(session: Session, scope: CallScope, key: str) -> Call:
    """The call with this key, if it is among them. Raises NotFound."""
    call = session.scalar(
        select(Call)
        .options(joinedload(Call.resident), joinedload(Call.region), joinedload(Call.by_staff))
        .join(Region, Region.id == Call.region_id)
        .where(Call.key == key, scope.regions())
    )
    if call is None:
        raise NotFound("没有找到这个电话任务")
    return call


def write_outcome(
    session: Session,
    call: Call,
    outcome: CallOutcome,
    *,
    attempt: int,
    by: StaffMember,
    by_account_id: int,
    note: str | None = None,
) -> Call:
    """Write down what came of the ``attempt``-th try. Told twice by one person, it counts once.

    A number that is somebody else's is not used again for this person. Raises Conflict ``call_settled`` for a call that needs none
    any more, and ``call_moved_on`` when somebody else has tried meanwhile.
    """
    hold_people(session, [call.resident_id])
    call.lock()
    if (call.tries, call.state, call.by_staff_id) == (attempt, CallState(outcome), by.id):
        return call
    if call.state not in TO_DO:
        raise Conflict("call_settled", "这个电话任务已经办结，不用再打")
    if call.tries + 1 != attempt:
        raise Conflict("call_moved_on", "刚刚有同事打过这个电话，请刷新列表后再记录")
    now = clock.now()
    call.tries, call.tried_at, call.by_staff, call.note = attempt, now, by, note
    call.state = CallState(outcome)
    if outcome is CallOutcome.NOT_REACHED:
        policies = policies_at(session, call.region_id)
        again = now + timedelta(hours=policies.call_again_hours)
        call.due_at = morning_in_time(policies, call, again)
    else:
        call.settled_at = now
    if outcome is CallOutcome.WRONG_NUMBER:
        call.wrong_phone = call.resident.phone_fingerprint
    enter(
        session,
        f"call.{outcome}",
        call,
        by_account_id=by_account_id,
        identity=by.identity,
        for_resident_id=call.resident_id,
        details={"attempt": attempt},
    )
    session.flush()
    return call


def calls_to_make(session: Session, *, after_id: int, most: int) -> Sequence[Call]:
    """The next calls somebody would still make, anywhere, by id."""
    return session.scalars(
        select(Call)
        .options(joinedload(Call.notice))
        .where(Call.state.in_(_STILL_TO_DO), Call.id > after_id)
        .order_by(Call.id)
        .limit(most)
    ).all()


def count_waiting(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many calls could be made by this moment and still are to be made, by the path of the community."""
    rows = session.execute(
        select(Region.path, func.count())
        .select_from(Call)
        .join(Region, Region.id == Call.region_id)
        .where(Call.state.in_(_STILL_TO_DO), Call.due_at <= as_of)
        .group_by(Region.path)
    )
    return dict(rows.all())


def cancel_calls(session: Session, calls: Collection[Call]) -> int:
    """End these calls: what they tell went stale, or the person has read it. How many were still to be made."""
    cancelled = 0
    hold_people(session, {call.resident_id for call in calls})
    for call in sorted(calls, key=lambda call: call.id):
        call.lock()
        if call.state in TO_DO:
            call.state, call.settled_at = CallState.CANCELLED, clock.now()
            enter(session, "call.cancelled", call, for_resident_id=call.resident_id)
            cancelled += 1
    session.flush()
    return cancelled


def wrong_phones(session: Session, residents: Collection[int]) -> set[tuple[int, str]]:
    """The numbers (keyed hashes) of these people that were found to be somebody else's, by person."""
    rows = session.execute(
        select(Call.resident_id, Call.wrong_phone).where(
            Call.resident_id.in_(residents), Call.wrong_phone.is_not(None)
        )
    )
    return {(resident_id, phone) for resident_id, phone in rows if phone is not None}
