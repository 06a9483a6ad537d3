"""Standing (状态): a unit is suspended for a reason and let go on, renewed every year, and reminded before its year is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.errors import Conflict
from models.journal import enter
from models.notices import Debt, Notice, NoticeKind, goes_out_at, owe_once
from models.partners.enlisting import begin_a_year
from models.partners.rows import APPROVED, Partner, PartnerState, count_by_place, members_of
from models.partners.telling import tell_unit
from models.policies import DEFAULTS, RULES, policies_at, policies_at_each
from models.staff import offices, over

LONGEST_NOTICE = timedelta(days=RULES["partner_renewal_notice_days"].most)


def suspend_unit(
    session: Session, partner: Partner, because: str, *, by_account_id: int | None, identity: str
) -> None:
    """A unit may take on nothing and change nothing until staff lift it, for a reason its members read. Again, with another reason.

    Raises Conflict ``partner_not_approved``. What becomes of what it has taken on is said above (``models.coordination.suspending``).
    """
    partner.lock().must_have_been_approved()
    if (partner.state, partner.reason) == (PartnerState.SUSPENDED, because):
        return
    partner.state, partner.reason = PartnerState.SUSPENDED, because
    partner.invitation_fingerprint = partner.invited_until = None
    enter(
        session,
        "partner.suspended",
        partner,
        by_account_id=by_account_id,
        identity=identity,
        details={"because": because},
    )
    tell_unit(session, partner, "已暂停", because)


def lift_suspension(session: Session, partner: Partner, *, by_account_id: int | None, identity: str) -> None:
    """A unit may go on. One that is not suspended is left as it is. Raises Conflict ``partner_not_approved``."""
    partner.lock().must_have_been_approved()
    if partner.state is PartnerState.ACTIVE:
        return
    partner.state, partner.reason = PartnerState.ACTIVE, ""
    enter(session, "partner.resumed", partner, by_account_id=by_account_id, identity=identity)
    tell_unit(session, partner, "已恢复", "可以继续认领心愿了")


def ask_renewal(session: Session, partner: Partner, *, by_account_id: int | None, identity: str) -> None:
    """A unit asks to go on for another year; staff say so with one tap. Twice is fine.

    Raises Forbidden ``partner_suspended`` and Conflict ``renewal_early``, which says from when it may ask.
    """
    partner.lock().must_not_be_suspended()
    begins = renewable_from(session, partner)
    if begins > clock.today():
        raise Conflict(
            "renewal_early",
            f"现在的有效期还长，{begins.month}月{begins.day}日起可以申请续期",
            details={"from": begins.isoformat()},
        )
    if partner.renewal_asked_at is None:
        partner.renewal_asked_at = clock.now()
        enter(session, "partner.renewal_asked", partner, by_account_id=by_account_id, identity=identity)
        session.flush()


def renew(session: Session, partner: Partner, *, by_account_id: int | None, identity: str) -> None:
    """Another year for a unit whose year is over or ends soon, asked for or not; for any other nothing changes, so twice is fine.

    Raises Conflict ``partner_not_approved``.
    """
    partner.lock().must_have_been_approved()
    if renewable_from(session, partner) > clock.today():
        return
    begin_a_year(session, partner)
    until = partner.good_until
    enter(
        session,
        "partner.renewed",
        partner,
        by_account_id=by_account_id,
        identity=identity,
        details={"until": until.isoformat()},
    )
    tell_unit(session, partner, "已续期", f"有效期到{_said(until)}")


def renewable_from(session: Session, partner: Partner) -> date:
    """From which day on an approved unit may be renewed. Raises Conflict ``partner_not_approved``."""
    days = policies_at(session, partner.region_id).partner_renewal_notice_days
    return partner.good_until - timedelta(days=days)


def owe_renewal_reminders(session: Session, now: datetime) -> int:
    """Owe the members of every unit whose year ends soon, and staff of the place it serves, the word of it, once a year; how many are new."""
    ending = _ending(session, now)
    if not ending:
        return 0
    members, running = members_of(session, [partner.id for partner in ending]), offices(session)
    return owe_once(
        session.connection(),
        [
            Debt(
                NoticeKind.PARTNER_RENEWAL,
                subject_key=partner.key,
                page_subject=partner.key,
                account_ids=sorted(_concerned(partner, members.get(partner.id, ()), running)),
                facts={
                    "unit": partner.name,
                    "last_day": _said(partner.good_until),
                    "ends_at": datetime.combine(
                        partner.good_until, time(23, 59), clock.TOWN_ZONE
                    ).isoformat(),
                },
                due_at=goes_out_at(session, NoticeKind.PARTNER_RENEWAL, partner.region_id, now),
                version=f"{partner.good_until:%Y%m%d}",
            )
            for partner in ending
        ],
    )


def those_still_ending(session: Session, notices: Sequence[Notice]) -> set[int]:
    """The ids of those of these notices whose unit was not renewed meanwhile, and whose readers still have to do with it."""
    keys = {notice.subject_key for notice in notices}
    units = session.scalars(
        select(Partner).options(joinedload(Partner.region)).where(Partner.key.in_(keys))
    ).all()
    members, running = members_of(session, [unit.id for unit in units]), offices(session)
    concerned = {
        unit.key: (_said(unit.good_until), _concerned(unit, members.get(unit.id, ()), running))
        for unit in units
        if unit.state is PartnerState.ACTIVE
    }
    return {
        notice.id
        for notice in notices
        if (known := concerned.get(notice.subject_key)) is not None
        and known[0] == notice.facts["last_day"]
        and notice.account_id in known[1]
    }


def count_renewals(session: Session, as_of: datetime) -> dict[str, int]:
    """How many units that asked to go on waited for it at a moment, by the path of the place."""
    return count_by_place(session, Partner.state.in_(APPROVED), Partner.renewal_asked_at <= as_of)


def _ending(session: Session, now: datetime) -> list[Partner]:
    """The active units whose last day is near, by what each place calls near."""
    today = clock.in_town(now).date()
    units = session.scalars(
        select(Partner)
        .options(joinedload(Partner.region))
        .where(
            Partner.state == PartnerState.ACTIVE,
            Partner.renewed_until.between(today, today + LONGEST_NOTICE),
        )
        .order_by(Partner.id)
    ).all()
    set_there = policies_at_each(session, {unit.region_id for unit in units if unit.region_id is not None})
    return [
        unit
        for unit in units
        if unit.good_until - today
        <= timedelta(days=set_there.get(unit.region_id or 0, DEFAULTS).partner_renewal_notice_days)
    ]


def _concerned(partner: Partner, members: Sequence[int], running: Sequence[tuple[str, int]]) -> set[int]:
    return {*members, *(over(running, partner.region.path) if partner.region is not None else ())}


def _said(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日"
