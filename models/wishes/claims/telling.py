"""Telling (告知): what is owed about a claim, in the transaction of the deed: to who wished, and to the unit (domain.md §6, M12–M15, M17, M18).

A message names the number of a wish and the unit, never what is wished or whose it is. Of a unit the lead hears, or everybody who acts for it
where nobody leads yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from models import clock
from models.base import new_key
from models.notices import Debt, NoticeKind, goes_out_at, owe_once
from models.partners import members_of
from models.staff import OFFICE, Role, offices, over
from models.wishes.claims.rows import Claim, EndedBecause
from models.wishes.clocks import Awaited, Clock, end_of
from models.wishes.reminding import days_late
from models.wishes.rows import WITH_THE_STREET
from models.wishes.telling import owe_to_staff, owe_to_wisher

_FREED = "已释放"
_PROGRESS = {
    "已延期": "新的日子和原因请点开查看",
    _FREED: "已经重新挂上心愿墙，优先认领",
    "已转交": "社区已请另一家单位办理",
    "已整改": "请您再评价一次",
    "待评价": "办得怎么样，请您评价一下",
}
_BACK_WITH_THE_STREET = "已经回到街道，会另外交办"
_ENDED = {
    EndedBecause.DECLINED: "未通过",
    EndedBecause.NOT_ACCEPTED: "已释放",
    EndedBecause.NOT_CONTACTED: "已释放",
    EndedBecause.TAKEN_BACK: "已收回",
    EndedBecause.TRANSFERRED: "已转交",
    EndedBecause.SUSPENDED: "已释放",
    EndedBecause.WISH_OVER: "心愿已结束",
}
A_MINUTE = timedelta(minutes=1)
HOW_TO_CONFIRM = "收到了请点确认，没有请告诉社区"


def tell_claimed(session: Session, claim: Claim) -> None:
    """Owe the word who will come, and by when, to who wished (M12)."""
    until = claim.finishes_on
    if until is None:
        raise AssertionError("whoever may begin has promised a day")
    _owe_wisher(
        session,
        NoticeKind.WISH_CLAIMED,
        claim,
        {
            "unit": claim.partner.name,
            "until": f"{until.month}月{until.day}日",
            "finishes_at": _moment(until).isoformat(),
        },
    )


def tell_progress(session: Session, claim: Claim, result: str, until: date | None) -> None:
    """Owe what changed to who wished (M13): one of the words of a phrase, and the day it speaks of, today if none."""
    now = clock.now()
    is_back = result == _FREED and claim.wish.state in WITH_THE_STREET
    _owe_wisher(
        session,
        NoticeKind.WISH_PROGRESS,
        claim,
        {
            "result": result,
            "word": _BACK_WITH_THE_STREET if is_back else _PROGRESS[result],
            "when_at": (_moment(until) if until else now).isoformat(),
            "state": claim.state.value,
        },
    )


def tell_delivered(session: Session, claim: Claim, *, again: str = "") -> None:
    """Owe the question whether it is done to who wished (M14); ``again`` tells which of the reminders this is."""
    if claim.delivered_at is None:
        raise AssertionError("what is delivered was delivered at a moment")
    _owe_wisher(
        session,
        NoticeKind.WISH_DELIVERED,
        claim,
        {
            "unit": claim.partner.name,
            "delivered_at": claim.delivered_at.isoformat(),
            "how": HOW_TO_CONFIRM,
        },
        version=f"{claim.delivered_at.isoformat()}{again}",
    )


def tell_unit(session: Session, claim: Claim, matter: str) -> None:
    """Owe what there is to do, and by when, to the unit (M17)."""
    if claim.due_at is None:
        raise AssertionError("what is to be done is due at a moment")
    _owe_unit(
        session,
        NoticeKind.CLAIM_TO_DO,
        claim,
        {"matter": matter, "due_at": claim.due_at.isoformat(), "state": claim.state.value},
    )


def tell_ended(session: Session, claim: Claim) -> None:
    """Owe the word that nothing comes of a claim, and why, to the unit."""
    if claim.ended_because is None or claim.ended_because not in _ENDED:
        raise AssertionError("a unit is not told of what it said itself")
    _owe_unit(
        session,
        NoticeKind.CLAIM_ENDED,
        claim,
        {
            "result": _ENDED[claim.ended_because],
            "reason": claim.because,
            "ended_at": clock.now().isoformat(),
        },
    )


def tell_thanks(session: Session, claim: Claim, result: str) -> None:
    """Owe what who wished said of it to the unit (M15)."""
    _owe_unit(session, NoticeKind.CLAIM_ANSWERED, claim, {"result": result})


def tell_due_soon(session: Session, claim: Claim, hours: int) -> None:
    """Owe the word that little time is left to the unit (M18); once for each number of hours and each deadline."""
    if claim.due_at is None:
        raise AssertionError("only what is due is due soon")
    _owe_unit(
        session,
        NoticeKind.CLAIM_DUE_SOON,
        claim,
        {"hours": hours, "due_at": claim.due_at.isoformat()},
        version=f"{claim.due_at.isoformat()}-{hours}",
    )


def tell_urged(session: Session, claim: Claim, result: str, *, version: str) -> None:
    """Owe the word that who wished asks how it goes to the unit (催办); once for each version."""
    facts = {"result": result, "when_at": clock.now().isoformat()}
    _owe_unit(session, NoticeKind.CLAIM_URGED, claim, facts, version=version)


def tell_overdue(session: Session, claim: Claim, times: int, *, is_last: bool) -> None:
    """Press a unit whose promised day is over, and tell its community; the last time the street hears instead (M19)."""
    if claim.due_at is None:
        raise AssertionError("only what was due is overdue")
    due = claim.due_at.isoformat()
    facts: dict[str, Any] = {"late": days_late(claim.due_at, clock.now()), "due_at": due}
    version = f"{due}-last" if is_last else f"{due}-{times}"
    if not is_last:
        _owe_unit(session, NoticeKind.CLAIM_OVERDUE, claim, facts, version=version)
    above = [Role.STREET_OFFICER] if is_last else OFFICE
    wanted = "社区催办后仍没有办好，请督办" if is_last else "请催办或另外派单"
    facts |= {"unit": claim.partner.name, "wanted": wanted}
    _owe_above(session, NoticeKind.CLAIM_OVERDUE_HERE, claim, facts, above, version=version)


def tell_unhappy(session: Session, claim: Claim, call_by: datetime) -> None:
    """Owe the word that who wished is unhappy, and by when to call them, to the community."""
    facts = {"matter": "居民给了差评，请回访", "due_at": call_by.isoformat()}
    _owe_above(session, NoticeKind.CLAIM_UNHAPPY, claim, facts, OFFICE, version=new_key())


def tell_care_overdue(session: Session, claim: Claim, running: Clock, times: int) -> None:
    """Press the community that does not care in time for who was unhappy; the last time the street hears instead (M19)."""
    if running.due_at is None:
        raise AssertionError("only what was due is overdue")
    due = running.due_at.isoformat()
    missing = "还没有回访" if running.awaited is Awaited.CARE else "还没有整改好"
    is_last = times == len(running.press_at)
    _owe_above(
        session,
        NoticeKind.CLAIM_CARE_OVERDUE,
        claim,
        {
            "late": days_late(running.due_at, clock.now()),
            "due_at": due,
            "wanted": f"社区催办后{missing}，请督办" if is_last else f"{missing}，请尽快办理",
        },
        [Role.STREET_OFFICER] if is_last else OFFICE,
        version=f"{due}-last" if is_last else f"{due}-{times}",
    )


def _owe_above(
    session: Session,
    kind: NoticeKind,
    claim: Claim,
    facts: dict[str, Any],
    roles: Sequence[Role],
    *,
    version: str,
) -> None:
    """Owe something about a claim to people who work for the community or the street of its wish."""
    above = over(offices(session, *roles), claim.wish.region.path)
    owe_to_staff(session, kind, claim.wish, facts, above, subject_key=claim.key, version=version)


def _owe_wisher(
    session: Session, kind: NoticeKind, claim: Claim, facts: dict[str, Any], *, version: str = ""
) -> None:
    owe_to_wisher(session, kind, claim.wish, facts, subject_key=claim.key, version=version or new_key())


def _owe_unit(
    session: Session, kind: NoticeKind, claim: Claim, facts: dict[str, Any], *, version: str = ""
) -> None:
    wish, now = claim.wish, clock.now()
    members = members_of(session, {claim.partner_id}).get(claim.partner_id, [])
    lead = [account_id for account_id in members if account_id == claim.lead_account_id]
    owe_once(
        session.connection(),
        [
            Debt(
                kind,
                subject_key=claim.key,
                page_subject=claim.key,
                account_ids=lead or members,
                facts={"number": f"{wish.number:04}", "community": wish.region.name, **facts},
                due_at=goes_out_at(session, kind, wish.region_id, now),
                version=version or new_key(),
            )
        ],
    )


def _moment(day: date) -> datetime:
    """A day as a message shows it: its last minute."""
    return end_of(day) - A_MINUTE
