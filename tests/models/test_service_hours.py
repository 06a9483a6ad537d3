"""Hours of service: a ledger of what units and their members gave, which only ever grows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import clock
from models.agreements import (
    Block,
    Record,
    Terms,
    confirm_delivery,
    decline_delivery,
    draft_agreement,
    put_in_force,
    record_delivery,
)
from models.base import reading, transaction
from models.errors import Conflict, Forbidden
from models.partners import (
    HourEntry,
    HourSubject,
    Partner,
    PartnerMember,
    Served,
    entries_of,
    hours_of,
    reverse_hours,
    suspend_unit,
    write_hours,
)
from tests.people import Town, a_venue

TOWN: dict[str, Any] = {"by_account_id": None, "identity": "town"}
A_WISH = Served(HourSubject.CLAIM, "a" * 16, 90, "陪同就医", date(2026, 11, 17))
TERMS = Terms(date(2026, 11, 1), date(2026, 12, 31), [Block(1, 14 * 60, 17 * 60)], "心理咨询", 40)


def minutes(town: Town, first: date = date(2026, 11, 1), last: date = date(2026, 11, 30)) -> list[int]:
    with reading() as session:
        unit = session.get_one(Partner, town.partner_member.partner_id)
        return [share.minutes for share in hours_of(session, unit, first_day=first, last_day=last)]


def test_one_service_of_one_member_is_one_entry(town: Town) -> None:
    with transaction() as session:
        unit = session.get_one(Partner, town.partner_member.partner_id)
        member = session.scalars(select(PartnerMember)).one()
        first = write_hours(session, unit, A_WISH, member=member, **TOWN)
        again = write_hours(session, unit, replace(A_WISH, minutes=30), member=member, **TOWN)
        assert again is first
        write_hours(session, unit, A_WISH, **TOWN)  # of the unit as a whole
        write_hours(session, unit, replace(A_WISH, subject_key="b" * 16), member=member, **TOWN)
    assert minutes(town) == [90, 180]


def test_what_was_not_so_is_counted_back_once_on_its_own_day(town: Town) -> None:
    with transaction() as session:
        unit = session.get_one(Partner, town.partner_member.partner_id)
        entry = write_hours(session, unit, A_WISH, **TOWN)
        reversal = reverse_hours(session, entry, "没有去", **TOWN)
        assert reverse_hours(session, entry, "别的", **TOWN) is reversal
        assert (entry.minutes, reversal.minutes, reversal.done_on) == (90, -90, entry.done_on)
        month: dict[str, Any] = {"first_day": date(2026, 11, 1), "last_day": date(2026, 11, 30)}
        lines = entries_of(session, unit, **month, before_id=None, most=9)
        assert [line.because for line in lines] == ["没有去", ""]
        assert entries_of(session, unit, **month, before_id=lines[0].id, most=9) == [entry]
    assert minutes(town) == []


def test_hours_are_summed_by_the_days_of_a_period(town: Town) -> None:
    with transaction() as session:
        unit = session.get_one(Partner, town.partner_member.partner_id)
        write_hours(session, unit, A_WISH, **TOWN)
    assert minutes(town, A_WISH.done_on, A_WISH.done_on) == [90]
    assert minutes(town, A_WISH.done_on + timedelta(days=1)) == []
    assert minutes(town, last=A_WISH.done_on - timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"minutes": 0}, "minutes"),
        ({"minutes": 1441}, "minutes"),
        ({"done_on": date(2026, 12, 31)}, "done_on"),
    ],
)
def test_hours_that_cannot_be_are_named(town: Town, wrong: dict[str, Any], field: str) -> None:
    with transaction() as session:
        unit = session.get_one(Partner, town.partner_member.partner_id)
        with pytest.raises(Conflict) as no:
            write_hours(session, unit, replace(A_WISH, **wrong), **TOWN)
    assert (no.value.code, [fault.field for fault in no.value.faults]) == ("service_hours_unfit", [field])


def test_service_under_an_agreement_counts_once_the_community_confirms_it(town: Town) -> None:
    with transaction() as session:
        unit = session.get_one(Partner, town.partner_member.partner_id)
        agreement = draft_agreement(session, unit, a_venue(session, town.wutong), TERMS, **TOWN)
        put_in_force(session, agreement, **TOWN)
        given = Record(date(2026, 11, 17), 90, "一对一咨询", 3)
        record_delivery(session, agreement, given, **TOWN)  # by staff: at once
        theirs = record_delivery(session, agreement, given, by_account_id=None, identity="partner:x")
        count: dict[str, Any] = {"first_day": date(2026, 11, 1), "last_day": clock.today()}
        assert [share.minutes for share in hours_of(session, unit, **count)] == [90]
        confirm_delivery(session, theirs, **TOWN)
        confirm_delivery(session, theirs, **TOWN)
        assert [share.minutes for share in hours_of(session, unit, **count)] == [180]
        decline_delivery(session, theirs, "重复了", **TOWN)
        decline_delivery(session, theirs, "重复了", **TOWN)
        assert [share.minutes for share in hours_of(session, unit, **count)] == [90]
        assert len(session.scalars(select(HourEntry)).all()) == 3


def test_nobody_says_of_their_own_unit_that_it_served(town: Town) -> None:
    """Four eyes: what somebody of the unit wrote down, somebody else of the community confirms."""
    member = town.partner_member
    both: dict[str, Any] = {"by_account_id": member.account_id, "identity": town.clerk.identity}
    with transaction() as session:
        unit = session.get_one(Partner, member.partner_id)
        agreement = draft_agreement(session, unit, a_venue(session, town.wutong), TERMS, **TOWN)
        put_in_force(session, agreement, **TOWN)
        given = Record(date(2026, 11, 17), 90, "一对一咨询", 3)
        theirs = record_delivery(
            session, agreement, given, by_account_id=member.account_id, identity=member.identity
        )
        for deed in (
            lambda: confirm_delivery(session, theirs, **both),
            lambda: record_delivery(session, agreement, given, **both),
        ):
            with pytest.raises(Forbidden) as no:
                deed()
            assert no.value.code == "own_content"
        assert theirs.confirmed_at is None
        confirm_delivery(session, theirs, **TOWN)
    assert minutes(town) == [90]


def test_nobody_signs_an_agreement_with_a_suspended_unit(town: Town) -> None:
    with transaction() as session:
        unit = session.get_one(Partner, town.partner_member.partner_id)
        suspend_unit(session, unit, "失联", **TOWN)
        room = a_venue(session, town.wutong)
        with pytest.raises(Forbidden) as no:
            draft_agreement(session, unit, room, TERMS, **TOWN)
    assert no.value.code == "partner_suspended"
