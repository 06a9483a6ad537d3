"""Space for service: what an agreement would hold, what it holds, what was delivered, and who hears that it is behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock as town_clock
from models.agreements import (
    AgreementState,
    Block,
    Record,
    ServiceAgreement,
    ServiceDelivery,
    ServiceHold,
    Terms,
    Verdict,
    agreement_of_partner,
    agreement_within,
    agreements_of_partner,
    agreements_within,
    behind_by,
    confirm_delivery,
    decline_delivery,
    draft_agreement,
    end_agreement,
    figures_of,
    lay_out,
    let_go_of,
    look,
    owe_warnings,
    put_in_force,
    record_delivery,
    still_true,
)
from models.base import reading, transaction
from models.calendars import Calendar
from models.clock import StoppedClock
from models.desk import desk_of
from models.errors import Conflict, NotFound, Refusal
from models.journal import JournalEntry
from models.notices import Notice, NoticeKind
from models.occupancy import Occupancy, Purpose, occupy
from models.partners import Partner, PartnerMember
from models.sites import Venue
from tests.people import Town, Worker, a_venue

TUESDAY, SATURDAY = 1, 5
AFTERNOON = Block(TUESDAY, 14 * 60, 17 * 60)
TODAY = date(2026, 11, 20)
TERMS = Terms(date(2026, 11, 1), date(2027, 1, 31), [AFTERNOON], "周二下午心理咨询", 46)


@pytest.fixture
def room(town: Town) -> Venue:
    """A room of the first community."""
    with transaction() as session:
        return a_venue(session, town.wutong, name="心理咨询室", capacity=3)


def refused(deed: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as no:
        deed()
    return no.value.code


def draft(town: Town, room: Venue, terms: Terms = TERMS) -> str:
    """The clerk drafts an agreement with the unit of the cast; its key."""
    with transaction() as session:
        unit = session.get_one(Partner, town.partner_member.partner_id)
        here = session.get_one(Venue, room.id)
        return draft_agreement(session, unit, here, terms, by_account_id=None, identity="town").key


def in_force(town: Town, room: Venue, terms: Terms = TERMS, *, leave_out: Sequence[date] = ()) -> str:
    key = draft(town, room, terms)
    begin(key, leave_out=leave_out)
    return key


def begin(key: str, *, leave_out: Sequence[date] = ()) -> None:
    with transaction() as session:
        put_in_force(session, found(session, key), leave_out=leave_out, by_account_id=None, identity="town")


def end(key: str) -> None:
    with transaction() as session:
        end_agreement(session, found(session, key), "场地另有用途", by_account_id=None, identity="town")


def records(key: str, record: Record, *, identity: str = "staff:x") -> str:
    with transaction() as session:
        return record_delivery(
            session, found(session, key), record, by_account_id=None, identity=identity
        ).key


def declines(key: str, because: str) -> None:
    with transaction() as session:
        delivery = session.scalars(select(ServiceDelivery).where(ServiceDelivery.key == key)).one()
        decline_delivery(session, delivery, because, by_account_id=None, identity="staff:x")


def confirm(key: str) -> None:
    with transaction() as session:
        delivery = session.scalars(select(ServiceDelivery).where(ServiceDelivery.key == key)).one()
        confirm_delivery(session, delivery, by_account_id=None, identity="staff:x")


def found(session: Session, key: str) -> ServiceAgreement:
    return session.scalars(select(ServiceAgreement).where(ServiceAgreement.key == key)).one()


def held(room: Venue) -> list[datetime]:
    """When somebody has the room, in the town's time."""
    with reading() as session:
        rows = session.scalars(
            select(Occupancy)
            .where(Occupancy.space_id.in_([space.id for space in session.get_one(Venue, room.id).spaces]))
            .order_by(Occupancy.starts_at)
        ).all()
        assert {row.purpose for row in rows} <= {Purpose.SERVICE, Purpose.CLOSURE}
        return [town_clock.in_town(row.starts_at) for row in rows]


def days_held(room: Venue) -> list[date]:
    return [at.date() for at in held(room)]


def somebody_has(room: Venue, on: date) -> None:
    with transaction() as session:
        occupy(
            session,
            session.get_one(Venue, room.id),
            starts_at=datetime(on.year, on.month, on.day, 16, tzinfo=town_clock.TOWN_ZONE),
            ends_at=datetime(on.year, on.month, on.day, 18, tzinfo=town_clock.TOWN_ZONE),
            purpose=Purpose.CLOSURE,
            holder_key="a" * 16,
        )


def waiting(by: Worker, pile: str) -> int:
    with reading() as session:
        (number,) = [one.number for one in desk_of(session, by.member(session)) if one.pile.name == pile]
        return number


# --- the plan -----------------------------------------------------------------------------------------------------


def test_a_plan_shows_every_block_and_what_stands_in_its_way(town: Town, room: Venue) -> None:
    somebody_has(room, date(2026, 12, 1))
    with reading() as session:
        days = look(session, session.get_one(Venue, room.id), TERMS)
    assert [(day.on.isoformat()[5:], [verdict.value for verdict in day.verdicts]) for day in days[:6]] == [
        ("11-03", ["over"]),
        ("11-10", ["over"]),
        ("11-17", ["over"]),
        ("11-24", ["ok"]),
        ("12-01", ["room_taken"]),
        ("12-08", ["ok"]),
    ]
    assert [day.on for day in days if day.is_taken] == [date(2026, 12, 1)]
    assert len(days) == 13
    assert days[-1].verdicts == (Verdict.YEAR_NOT_ANNOUNCED,)  # of the year after nothing is published yet
    assert days[-1].can_be_held


@pytest.mark.parametrize(("kept", "verdict"), [(False, "holiday_skipped"), (True, "holiday_kept")])
def test_a_holiday_is_skipped_unless_said_and_a_worked_saturday_is_a_saturday(
    kept: bool, verdict: str
) -> None:
    """National Day 2026 is a Thursday; 10 October is a Saturday on which people work (E15)."""
    terms = Terms(
        date(2026, 10, 1),
        date(2026, 10, 11),
        [Block(3, 600, 660), Block(SATURDAY, 600, 660)],
        "修鞋",
        10,
        on_holidays=kept,
    )
    days = lay_out(Calendar(), terms, now=datetime(2026, 9, 1, tzinfo=town_clock.TOWN_ZONE))
    assert [(day.on.day, day.verdicts[0].value) for day in days] == [
        (1, verdict),
        (3, verdict),
        (8, "ok"),
        (10, "ok"),
    ]


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"ends_on": date(2026, 10, 31)}, ["ends_on"]),
        ({"ends_on": date(2027, 11, 2)}, ["ends_on"]),
        ({"promised_hours": 0}, ["promised_hours"]),
        ({"promised_hours": 5001}, ["promised_hours"]),
        ({"blocks": []}, ["blocks"]),
        ({"blocks": [AFTERNOON] * 15}, ["blocks", *(f"blocks.{n}.from" for n in range(1, 15))]),
        ({"blocks": [Block(7, 0, 60)]}, ["blocks.0.weekday"]),
        ({"blocks": [Block(0, 60, 60)]}, ["blocks.0.to"]),
        ({"blocks": [Block(0, 0, 1441)]}, ["blocks.0.to"]),
        ({"blocks": [AFTERNOON, Block(TUESDAY, 16 * 60, 18 * 60)]}, ["blocks.1.from"]),
        (
            {
                "blocks": [Block(day, 600, 660) for day in range(7)]
                + [Block(day, 720, 780) for day in range(7)]
            },
            ["blocks"],
        ),
    ],
)
def test_terms_that_cannot_be_are_named_at_their_fields(
    town: Town, room: Venue, wrong: dict[str, object], fields: list[str]
) -> None:
    terms = replace(TERMS, **wrong)  # type: ignore[arg-type]
    if len(terms.blocks) == 14:
        terms = replace(terms, ends_on=date(2027, 10, 31))
    with reading() as session, pytest.raises(Conflict) as no:
        look(session, session.get_one(Venue, room.id), terms)
    assert (no.value.code, [fault.field for fault in no.value.faults]) == ("agreement_unfit", fields)


# --- in force -----------------------------------------------------------------------------------------------------


def test_an_agreement_in_force_holds_what_is_yet_to_come_block_by_block(town: Town, room: Venue) -> None:
    key = draft(town, room)
    assert held(room) == []
    for _ in range(2):
        begin(key)
    assert days_held(room)[0] == date(2026, 11, 24)
    assert len(held(room)) == 10
    with reading() as session:
        assert found(session, key).state is AgreementState.IN_FORCE
        keys = session.scalars(select(Occupancy.holder_key)).all()
        assert len(set(keys)) == 10
        assert set(keys) == set(session.scalars(select(ServiceHold.key)))


def test_days_that_are_taken_are_named_and_held_by_nobody_unless_they_are_left_out(
    town: Town, room: Venue
) -> None:
    somebody_has(room, date(2026, 12, 1))
    key = draft(town, room)
    with pytest.raises(Conflict) as no:
        begin(key)
    assert (no.value.code, no.value.details["days"]) == ("room_taken", ["2026-12-01"])
    assert days_held(room) == [date(2026, 12, 1)]  # of somebody else
    begin(key, leave_out=[date(2026, 12, 1)])
    assert len(held(room)) == 10
    assert days_held(room).count(date(2026, 12, 1)) == 1


def test_an_agreement_that_would_hold_nothing_is_not_put_in_force(town: Town, room: Venue) -> None:
    over = replace(TERMS, ends_on=date(2026, 11, 18))
    assert refused(lambda: in_force(town, room, over)) == "agreement_empty"


def test_two_agreements_share_a_room_at_different_hours_only(town: Town, room: Venue) -> None:
    in_force(town, room)
    assert refused(lambda: in_force(town, room)) == "room_taken"
    in_force(town, room, replace(TERMS, blocks=[Block(TUESDAY, 17 * 60, 18 * 60)]))
    assert len(held(room)) == 20


def test_one_day_is_let_go_and_no_other(town: Town, room: Venue) -> None:
    in_force(town, room)
    with transaction() as session:
        hold = session.scalars(select(ServiceHold).order_by(ServiceHold.starts_at)).first()
        assert hold is not None
        let_go_of(session, hold, by_account_id=None, identity="town")
    assert days_held(room)[0] == date(2026, 12, 1)
    assert len(held(room)) == 9


def test_hours_that_have_begun_are_not_let_go(town: Town, room: Venue, clock: StoppedClock) -> None:
    in_force(town, room)
    clock.move_to(datetime(2026, 11, 24, 14, 0, tzinfo=town_clock.TOWN_ZONE))
    with transaction() as session:
        hold = session.scalars(select(ServiceHold).order_by(ServiceHold.starts_at)).first()
        assert hold is not None
        begun = hold
        assert refused(lambda: let_go_of(session, begun, by_account_id=None, identity="town")) == "hold_begun"


def test_ending_frees_what_is_to_come_and_nothing_of_what_was(
    town: Town, room: Venue, clock: StoppedClock
) -> None:
    key = in_force(town, room)
    clock.move_to(datetime(2026, 12, 1, 15, 0, tzinfo=town_clock.TOWN_ZONE))  # in the middle of the second
    for _ in range(2):
        end(key)
    assert days_held(room) == [date(2026, 11, 24), date(2026, 12, 1)]
    assert refused(lambda: begin(key)) == "agreement_settled"
    with reading() as session:
        ended = select(JournalEntry.details).where(JournalEntry.act == "service_agreement.ended")
        assert session.scalars(ended).all() == [{"let_go": 8}]


# --- what is delivered --------------------------------------------------------------------------------------------

GIVEN = Record(date(2026, 11, 17), 90, "一对一咨询", 3)


def test_what_staff_write_counts_at_once_and_what_the_unit_writes_when_it_is_confirmed(
    town: Town, room: Venue
) -> None:
    key = in_force(town, room)
    records(key, GIVEN)
    theirs = records(key, GIVEN, identity=town.partner_member.identity)
    assert waiting(town.clerk, "service_deliveries") == 1
    for _ in range(2):
        confirm(theirs)
    assert waiting(town.clerk, "service_deliveries") == 0
    with reading() as session:
        agreement = found(session, key)
        figures = figures_of(session, [agreement], TODAY)[agreement.id]
    assert (figures.promised, figures.delivered, figures.confirmed) == (46, 3.0, 3.0)


def test_unconfirmed_service_is_delivered_and_does_not_count(town: Town, room: Venue) -> None:
    key = in_force(town, room)
    records(key, GIVEN, identity=town.partner_member.identity)
    with reading() as session:
        agreement = found(session, key)
        figures = figures_of(session, [agreement], TODAY)[agreement.id]
    # 19 of 92 days of November to January are over, of 46 hours
    assert (figures.due, figures.delivered, figures.confirmed, figures.behind) == (9.5, 1.5, 0.0, 9.5)


def test_service_that_was_declined_stays_with_its_reason_and_counts_for_nothing(
    town: Town, room: Venue
) -> None:
    key = in_force(town, room)
    wrong = records(key, GIVEN, identity=town.partner_member.identity)
    confirm(records(key, GIVEN, identity=town.partner_member.identity))
    confirm(wrong)  # nobody had looked closely
    for because in ("那天没有来", "别的理由"):
        declines(wrong, because)
    assert waiting(town.clerk, "service_deliveries") == 0
    with reading() as session:
        agreement = found(session, key)
        figures = figures_of(session, [agreement], TODAY)[agreement.id]
        kept = session.scalars(select(ServiceDelivery).where(ServiceDelivery.key == wrong)).one()
        assert (kept.minutes, kept.declined_because, kept.confirmed_at) == (90, "那天没有来", None)
        told = session.scalars(select(Notice).where(Notice.kind == NoticeKind.SERVICE_DECLINED)).all()
        assert [(one.account_id, one.facts["reason"]) for one in told] == [
            (town.partner_member.account_id, "那天没有来")
        ]
        assert still_true(session, told) == {one.id for one in told}
    assert (figures.delivered, figures.confirmed) == (1.5, 1.5)
    assert refused(lambda: confirm(wrong)) == "delivery_declined"


def test_who_left_the_unit_hears_no_more_of_what_was_declined(town: Town, room: Venue) -> None:
    key = in_force(town, room)
    declines(records(key, GIVEN, identity=town.partner_member.identity), "那天没有来")
    with transaction() as session:
        session.scalars(select(PartnerMember)).one().left_at = town_clock.now()
    with reading() as session:
        assert still_true(session, session.scalars(select(Notice)).all()) == set()


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"done_on": TODAY + timedelta(days=1)}, ["done_on"]),
        ({"done_on": date(2026, 10, 31)}, ["done_on"]),
        ({"minutes": 0}, ["minutes"]),
        ({"minutes": 1441}, ["minutes"]),
        ({"people_served": -1}, ["people_served"]),
    ],
)
def test_service_that_cannot_be_is_named_at_its_field(
    town: Town, room: Venue, wrong: dict[str, object], fields: list[str]
) -> None:
    key = in_force(town, room)
    with pytest.raises(Conflict) as no:
        records(key, replace(GIVEN, **wrong))  # type: ignore[arg-type]
    assert (no.value.code, [fault.field for fault in no.value.faults]) == ("delivery_unfit", fields)


def test_service_is_written_down_while_the_agreement_is_in_force(town: Town, room: Venue) -> None:
    key = draft(town, room)
    assert refused(lambda: records(key, GIVEN)) == "agreement_not_in_force"
    begin(key)
    theirs = records(key, GIVEN, identity=town.partner_member.identity)
    end(key)
    assert refused(lambda: records(key, GIVEN)) == "agreement_not_in_force"
    confirm(theirs)  # the community was there


# --- behind -------------------------------------------------------------------------------------------------------


def an_agreement(**more: object) -> ServiceAgreement:
    """One that stands on no database."""
    facts: dict[str, object] = {
        "starts_on": date(2026, 1, 1),
        "ends_on": date(2026, 1, 10),
        "promised_hours": 10,
        "state": AgreementState.IN_FORCE,
        "ended_at": None,
    }
    return ServiceAgreement(**(facts | more))


@pytest.mark.parametrize(
    ("on", "hours"),
    [
        (date(2025, 12, 1), 0),
        (date(2026, 1, 1), 0),
        (date(2026, 1, 2), 1),
        (date(2026, 1, 10), 9),
        (date(2026, 1, 11), 10),
        (date(2027, 1, 1), 10),
    ],
)
def test_who_gave_nothing_is_behind_by_as_much_as_of_the_period_is_over(on: date, hours: int) -> None:
    assert behind_by(an_agreement(), 0, on) == hours


def test_nobody_is_behind_a_draft_and_the_time_stands_still_after_an_end() -> None:
    late = date(2026, 6, 1)
    assert behind_by(an_agreement(state=AgreementState.DRAFT), 0, late) == 0
    ended = an_agreement(
        state=AgreementState.ENDED, ended_at=datetime(2026, 1, 6, 9, tzinfo=town_clock.TOWN_ZONE)
    )
    assert behind_by(ended, 0, late) == 5


@given(st.integers(1, 5000), st.integers(0, 365), st.integers(0, 400), st.integers(0, 400_000))
def test_behind_is_between_nothing_and_the_promise_and_grows_with_time_and_shrinks_with_service(
    promised: int, days: int, gone: int, minutes: int
) -> None:
    agreement = an_agreement(ends_on=date(2026, 1, 1) + timedelta(days=days), promised_hours=promised)
    on = date(2026, 1, 1) + timedelta(days=gone)
    behind = behind_by(agreement, minutes, on)
    assert 0 <= behind <= promised
    assert behind <= behind_by(agreement, minutes, on + timedelta(days=1))
    assert behind >= behind_by(agreement, minutes + 60, on)
    assert behind_by(agreement, promised * 60, on) == 0


# --- who hears ----------------------------------------------------------------------------------------------------


def warned(now: datetime | None = None) -> int:
    with transaction() as session:
        return owe_warnings(session, now or town_clock.now())


def test_unit_and_office_hear_once_a_month_of_what_is_behind(
    town: Town, room: Venue, clock: StoppedClock
) -> None:
    in_force(town, room)
    assert waiting(town.clerk, "agreements_behind") == 1
    assert waiting(town.grid_worker, "calls") == 0
    assert (warned(), warned()) == (3, 0)
    with reading() as session:
        notices = session.scalars(select(Notice).order_by(Notice.account_id)).all()
        assert {notice.account_id for notice in notices} == {
            town.clerk.account_id,
            town.admin.account_id,
            town.partner_member.account_id,
        }
        # what was due a week ago: 12 of 92 days, of 46 hours
        assert notices[0].body == "“老张裁缝铺·心理咨询室”承诺的服务还差6小时。请约定时间补上，并登记服务。"
        assert still_true(session, notices) == {notice.id for notice in notices}
    clock.move_to(datetime(2026, 12, 1, 9, 0, tzinfo=town_clock.TOWN_ZONE))
    assert (warned(), warned()) == (3, 0)


def test_who_gave_what_was_due_a_week_ago_hears_nothing(town: Town, room: Venue) -> None:
    key = in_force(town, room)
    records(key, replace(GIVEN, minutes=6 * 60))
    assert warned() == 0
    assert waiting(town.clerk, "agreements_behind") == 0


def test_a_warning_that_is_none_any_more_is_not_told(town: Town, room: Venue) -> None:
    """Nor to a member who left the unit."""
    key = in_force(town, room)
    warned()
    with reading() as session:
        notices = session.scalars(select(Notice).order_by(Notice.account_id)).all()
    records(key, replace(GIVEN, minutes=20 * 60))
    with reading() as session:
        assert still_true(session, notices) == set()


# --- who sees what ------------------------------------------------------------------------------------------------


def test_an_office_sees_agreements_about_its_own_rooms_and_a_unit_its_own(town: Town, room: Venue) -> None:
    drafted, standing = draft(town, room), in_force(town, room)
    with reading() as session:
        every = {"after_id": None, "most": 9}
        mine = agreements_within(session, [town.wutong], state=None, **every)  # type: ignore[arg-type]
        assert [one.key for one in mine] == [drafted, standing]
        one = agreements_within(session, [town.district], state=AgreementState.DRAFT, **every)  # type: ignore[arg-type]
        assert [each.key for each in one] == [drafted]
        assert list(agreements_within(session, [town.wangjiang], state=None, **every)) == []  # type: ignore[arg-type]
        assert list(agreements_within(session, [], state=None, **every)) == []  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            agreement_within(session, standing, within=[town.wangjiang])
        unit = session.get_one(Partner, town.partner_member.partner_id)
        assert [one.key for one in agreements_of_partner(session, unit)] == [standing]
        assert agreement_of_partner(session, standing, unit).title == "老张裁缝铺·心理咨询室"
        with pytest.raises(NotFound):
            agreement_of_partner(session, drafted, unit)


def test_figures_of_many_agreements_cost_the_same(town: Town, room: Venue, statements: list[str]) -> None:
    def cost() -> int:
        with reading() as session:
            statements.clear()
            listed = agreements_within(session, [town.wutong], state=None, after_id=None, most=50)
            figures_of(session, listed, TODAY)
            assert {one.venue.site.region.name for one in listed} == {town.wutong.name}
            return len(statements)

    draft(town, room)
    first = cost()
    for _ in range(5):
        draft(town, room)
    assert cost() == first
