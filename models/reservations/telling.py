"""Telling (告知): what is owed to whom about a reservation, in the transaction of the deed (domain.md §6, M7 to M10).

Whose it is hears, and whoever reserved for them and may still act for them. Of a group its leader hears. For whom nobody can hear, what must
arrive is owed to the person by the next rung (``models.ladder``). Of the community's own nobody is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account
from models.hearing import Hearers, hearers, hears, said_actor
from models.ladder import ToTell, owe_to_people
from models.notices import MOMENTS, Debt, NoticeKind, goes_out_at, owe_once
from models.notices.keywords import say_briefly
from models.reservations.credit import CREDIT_WORDS, Credit, CreditAppealState, CreditEntry
from models.reservations.parties import By
from models.reservations.rows import Reservation, ReservationState
from models.residents import Resident

_RESULTS = {
    ReservationState.REJECTED: "未通过",
    ReservationState.EXPIRED: "未审核",
}

# what was done for somebody, and the same where there is less room for it
_GAVE_UP = ("取消场地预约", "取消场地预约")
_RESERVED = ("预约场地", "预约场地")
_DID = {
    ReservationState.WAITLISTED: ("排队候补场地", "排队候补"),
    ReservationState.PENDING: ("申请场地（待审核）", "申请（待审核）"),
}


def tell(
    session: Session,
    kind: NoticeKind,
    reservation: Reservation,
    more: Mapping[str, Any] | None = None,
    *,
    version: str = "",
    page_subject: str = "",
) -> int:
    """Owe one moment about a reservation to everybody concerned, once; how many notices are new."""
    debt = debt_of(session, kind, reservation, more, version=version, page_subject=page_subject)
    return 0 if debt is None else _owe(session, debt, reservation)


def debt_of(
    session: Session,
    kind: NoticeKind,
    reservation: Reservation,
    more: Mapping[str, Any] | None = None,
    *,
    version: str = "",
    page_subject: str = "",
) -> Debt | None:
    """What ``tell`` owes; of the community's own, nothing."""
    told = _who_hears(session, reservation)
    if told is None:
        return None
    return Debt(
        kind,
        subject_key=reservation.key,
        page_subject=page_subject or reservation.key,
        account_ids=told.accounts,
        facts={**_facts(reservation), "learner": told.learner, **(more or {})},
        due_at=goes_out_at(session, kind, reservation.venue.site.region_id, clock.now()),
        version=version,
    )


def tell_moved(
    session: Session, reservation: Reservation, *, was: str, because: str, until: datetime, asks: str
) -> None:
    """Owe the question whether they want what they reserved where the community moved it, on the page (``asks``) where one answers."""
    tell(
        session,
        NoticeKind.ROOM_MOVED,
        reservation,
        {
            "was": was,
            "reason": because,
            "until": say_briefly(until),
            "remark": "来不了可以不同意，不扣信用分",
        },
        version=asks,
        page_subject=asks,
    )


def tell_offer(session: Session, reservation: Reservation) -> None:
    """Owe the word that a room is free for who waited, and until when it is theirs to accept."""
    until = reservation.offer_expires_at
    if until is None:
        raise AssertionError("what is offered has an end")
    tell(
        session,
        NoticeKind.ROOM_OFFERED,
        reservation,
        {"expires_at": until.isoformat(), "until": say_briefly(until)},
        version=until.isoformat(),
    )


def tell_acted_for(session: Session, reservation: Reservation, by: By, *, gave_up: bool = False) -> None:
    """Owe the word who reserved, queued up, accepted or cancelled for somebody, to that somebody (代办告知); a child's helper hears the result itself."""
    resident = reservation.resident
    if resident is None:
        return
    done, said = _GAVE_UP if gave_up else _DID.get(reservation.state, _RESERVED)
    now, venue = clock.now(), reservation.venue
    debt = Debt(
        NoticeKind.RESERVED_FOR_YOU,
        subject_key=reservation.key,
        page_subject=reservation.key,
        account_ids=[] if resident.account_id is None else [resident.account_id],
        facts={
            **_facts(reservation),
            "helper": said_actor(session, resident, by_account_id=by.account_id, identity=by.identity),
            "done": done,
            "gave_up": gave_up,
            "matter": f"{done}{venue.name}",
            "deed": f"{said}{say_briefly(reservation.starts_at)}的{venue.name}",
            "acted_at": now.isoformat(),
        },
        due_at=goes_out_at(session, NoticeKind.RESERVED_FOR_YOU, venue.site.region_id, now),
        version="gave_up" if gave_up else "" if reservation.offered_at is None else "accepted",
    )
    _owe(session, debt, reservation)


def tell_credit(session: Session, kind: NoticeKind, entry: CreditEntry, credit: Credit) -> int:
    """Owe the word that points were taken, what came of an appeal, or that a pause is over; how many notices are new."""
    paused = credit.paused_until
    if kind is NoticeKind.RESERVING_RESUMED:
        result, follows = "恢复预约", "按约使用会把信用分加回来"
    elif kind is NoticeKind.CREDIT_APPEAL_DECIDED:
        granted = entry.appeal_state is not CreditAppealState.DECLINED
        result, follows = ("已免扣", "这次不扣分") if granted else ("维持原记录", "请点开查看答复")
    else:
        result = CREDIT_WORDS[entry.why]
        follows = "有误可以在七天内申诉" if paused is None else f"{say_briefly(paused)}前暂停预约，有误可申诉"
    return tell(
        session,
        kind,
        entry.reservation,
        {
            "result": result,
            "points": credit.points,
            "taken": abs(entry.points),
            "follows": follows,
            "entry": entry.key,
        },
        version=entry.key,
    )


def _facts(reservation: Reservation) -> dict[str, Any]:
    venue = reservation.venue
    return {
        "room": venue.name,
        "place": venue.full_name,
        "venue": venue.key,
        "starts_at": reservation.starts_at.isoformat(),
        "ends": f"{clock.in_town(reservation.ends_at):%H:%M}",
        "result": _RESULTS.get(reservation.state, "已预约"),
        "reason": reservation.decided_because or "请按时签到，用完签退",
        "code": reservation.code,
        "group": reservation.group.name if reservation.group else "",
    }


def _who_hears(session: Session, reservation: Reservation) -> Hearers | None:
    whose = reservation.group.leader if reservation.group is not None else reservation.resident
    if whose is None:
        return None
    by = session.scalar(
        select(Account.id)
        .select_from(Account)
        .join(Resident, Resident.id == whose.id)
        .where(Account.id == reservation.by_account_id, hears())
    )
    own = whose.account_id
    is_told_as_helper = by is not None and by != own
    return hearers(own=own, registered_by=by if is_told_as_helper else None, name=whose.name)


def _owe(session: Session, debt: Debt, reservation: Reservation) -> int:
    connection, whose = session.connection(), reservation.resident
    owed = owe_once(connection, [debt])
    if not debt.account_ids and whose is not None and MOMENTS[debt.kind].must_arrive:
        region_id = whose.home_region_id or reservation.venue.site.region_id
        owe_to_people(connection, [ToTell(debt, whose.id, region_id)])
    return owed
