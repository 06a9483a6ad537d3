"""Attending (参会): which meetings a unit reads of, from when to when, and what of their agendas."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.errors import NotFound
from models.issue_orders import (
    call_off_meeting,
    claims_on_agendas,
    count_on_agendas,
    meeting_of,
    meetings_of,
    owe_meeting_notices,
    recall_order,
)
from models.notices import Notice, NoticeKind
from models.partners import Pairing, Partner, end_pairing, lift_suspension, suspend_unit
from models.wishes.claims import Claim, Done, Evidence, SettledBy, confirm_done, deliver, hand_lead_on
from models.wishes.street import JointMeeting
from tests.claims import a_claimer, by_unit, does
from tests.people import Town, UnitMember
from tests.streets import a_department, about, assigns, converted, decides, escalated, meets
from tests.wishes import by_resident, by_staff, somebody

BY_THE_TOWN = {"by_account_id": None, "identity": "town"}


def reads(who: UnitMember, *, before: JointMeeting | None = None, most: int = 10) -> list[int]:
    """The meetings a unit reads of; each of them also by its key."""
    with reading() as session:
        unit = session.get_one(Partner, who.partner_id)
        found = meetings_of(session, unit, before_id=before.id if before else None, most=most)
        assert all(meeting_of(session, one.key, unit).id == one.id for one in found)
        return [one.id for one in found]


def has(who: UnitMember, meeting: JointMeeting) -> list[int]:
    """The claims a unit has of the agenda of a meeting."""
    with reading() as session:
        unit = session.get_one(Partner, who.partner_id)
        return [claim.id for claim in claims_on_agendas(session, unit, [meeting.id])[meeting.id]]


def unpaired(who: UnitMember) -> UnitMember:
    """A unit that has nothing to do with any place."""
    with transaction() as session:
        session.execute(delete(Pairing).where(Pairing.partner_id == who.partner_id))
    return who


def test_whoever_is_called_reads_the_meeting_and_nobody_else(town: Town, clock: StoppedClock) -> None:
    """Those who are told of it (M24), to the last one."""
    everybody = [
        a_claimer(town.wutong),
        a_claimer(town.district),
        a_department(town.east_street),
        a_claimer(town.wangjiang),
        a_department(town.west_street),
        unpaired(a_claimer(town.wutong)),
    ]
    meeting = meets(town)
    clock.advance(days=3)
    with transaction() as session:
        owe_meeting_notices(session, town_clock.now())
    with reading() as session:
        told = set(
            session.scalars(select(Notice.account_id).where(Notice.kind == NoticeKind.MEETING_AHEAD)).all()
        )
    assert len(told) == 3
    for who in everybody:
        assert reads(who) == ([meeting.id] if who.account_id in told else [])
    with reading() as session, pytest.raises(NotFound):
        meeting_of(session, meeting.key, session.get_one(Partner, everybody[-1].partner_id))


def test_a_unit_reads_of_no_meeting_before_it_came_nor_after_it_went(town: Town, clock: StoppedClock) -> None:
    meets(town, town_clock.now() + timedelta(hours=1), title="以前的会")
    clock.advance(days=1)
    unit = a_claimer(town.wutong)
    assert reads(unit) == []
    meeting = meets(town)
    assert reads(unit) == [meeting.id]
    with transaction() as session:
        for pairing in session.scalars(select(Pairing).where(Pairing.partner_id == unit.partner_id)):
            end_pairing(session, pairing, "搬走了", **BY_THE_TOWN)  # type: ignore[arg-type]
    assert reads(unit) == []


def test_who_is_suspended_is_not_called(town: Town) -> None:
    """E19."""
    unit, meeting = a_claimer(town.wutong), meets(town)
    with transaction() as session:
        suspend_unit(session, session.get_one(Partner, unit.partner_id), "年检", **BY_THE_TOWN)  # type: ignore[arg-type]
    assert reads(unit) == []
    with transaction() as session:
        lift_suspension(session, session.get_one(Partner, unit.partner_id), **BY_THE_TOWN)  # type: ignore[arg-type]
    assert reads(unit) == [meeting.id]


def test_a_unit_whose_year_is_over_is_not_called(town: Town, clock: StoppedClock) -> None:
    unit = a_claimer(town.wutong)
    clock.advance(days=500)
    meets(town)
    assert reads(unit) == []


def test_a_unit_reads_of_the_meeting_about_what_it_has_while_it_has_it(town: Town) -> None:
    department, other = (unpaired(a_department(town.east_street)) for _ in range(2))
    first, second = (converted(town, somebody(town)) for _ in range(2))
    meeting = meets(town)
    assert reads(department) == []
    claim = assigns(town, first, department)
    assigns(town, second, other)
    assert (reads(department), has(department, meeting)) == ([meeting.id], [claim.id])
    decides(recall_order, first, "请区里来办", by=by_staff(town.street_officer))
    assert (reads(department), has(department, meeting)) == ([], [])
    assert reads(other) == [meeting.id]


def test_what_is_done_is_on_nobodys_agenda_any_more(town: Town) -> None:
    unit, wisher = unpaired(a_department(town.east_street)), somebody(town)
    order = converted(town, wisher)
    meets(town)
    claim: Claim = assigns(town, order, unit)
    does(hand_lead_on, claim, unit.account_id, by=by_unit(unit))
    does(deliver, claim, Done(Evidence.TAP), by=by_unit(unit))
    assert len(reads(unit)) == 1
    does(confirm_done, claim, SettledBy.RESIDENT, by=by_resident(wisher))
    assert reads(unit) == []


def test_what_waits_on_an_agenda_is_counted(town: Town) -> None:
    first, *_ = [escalated(town, somebody(town)) for _ in range(3)]
    meeting, empty = meets(town), meets(town, orders=[], title="另一次会")
    assigns(town, first, a_claimer(town.wutong))
    with reading() as session:
        assert count_on_agendas(session, [meeting.id, empty.id]) == {meeting.id: 2, empty.id: 0}


def test_a_meeting_that_is_called_off_is_read_with_the_others_the_last_planned_first(town: Town) -> None:
    unit = a_claimer(town.wutong)
    first, second, third = (meets(town, orders=[], title=f"第{n}次会") for n in (1, 2, 3))
    about(second, call_off_meeting, "领导出差", by=town.street_officer)
    assert reads(unit) == [third.id, second.id, first.id]
    assert reads(unit, before=third, most=1) == [second.id]
