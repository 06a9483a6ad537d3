"""The moments of rooms, as a story: somebody gives a room up, somebody waits in vain, somebody does not come, and staff have a say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import date, timedelta

from sqlalchemy import select

from models.agreements import Block, ServiceHold, Terms, draft_agreement, put_in_force
from models.base import reading, transaction
from models.coordination.closures import Choice, Remedy
from models.notices import NoticeKind
from models.partners import Partner
from models.reservations import (
    CreditEntry,
    Reservation,
    ReservationState,
    appeal_credit,
    call_off,
    decide_credit_appeal,
    reject,
)
from models.sites import Venue
from tests.closing import closes
from tests.people import Person, Town, a_venue
from tests.promises.moments import Deed, Heard, Week, at
from tests.rooms import (
    Centre,
    a_centre,
    accepts,
    again,
    by_phone,
    by_staff,
    cancels,
    checks_in,
    set_number,
    takes,
)


def centre_of(week: Week) -> Centre:
    """The rooms of the story, built by its first deed."""
    with transaction() as session:
        named = {room.name: room for room in session.scalars(select(Venue).order_by(Venue.id))}
        if not named:
            return a_centre(session, week.town.wutong)
    return Centre(*list(named.values())[: len(fields(Centre))])


def the_one(town: Town, state: ReservationState) -> Reservation:
    """The only reservation that stands so."""
    with transaction() as session:
        return session.scalars(select(Reservation).where(Reservation.state == state)).one()


def a_room_is_taken_and_two_wait_for_it(week: Week) -> None:
    for number, value in (("credit_no_show", "45"), ("credit_pause_days", "1")):
        set_number(week.town.wutong, number, value)
    room = centre_of(week).reading_room
    takes(week.town.resident, room, at(21, 14))
    takes(week.town.neighbour, room, at(21, 14), waits=True)
    takes(week.town.guardian, room, at(21, 14), waits=True)


def it_is_given_up(week: Week) -> None:
    cancels(week.town.resident, the_one(week.town, ReservationState.APPROVED))


def the_second_accepts(week: Week) -> None:
    accepts(week.town.guardian, the_one(week.town, ReservationState.OFFERED))


def staff_say_no_to_a_dance(week: Week) -> None:
    made = takes(week.town.helper, centre_of(week).dance_room, at(22, 9))
    with transaction() as session:
        reject(session, again(session, made), "地板在保养", by=by_staff(week.town.clerk))


def somebody_takes_the_hall(week: Week) -> None:
    takes(week.town.helper, centre_of(week).hall, at(21, 9))


def a_pipe_bursts_in_the_hall(week: Week) -> None:
    with transaction() as session:
        made = session.scalars(
            select(Reservation).where(
                Reservation.resident_id == week.town.helper.resident_id,
                Reservation.state == ReservationState.APPROVED,
            )
        ).one()
        call_off(session, made, "水管爆了", by=by_staff(week.town.clerk))


def staff_reserve_for_somebody(week: Week) -> None:
    takes(week.town.resident, centre_of(week).hall, at(22, 14), by=by_staff(week.town.clerk))


def the_community_takes_no_points_any_more(week: Week) -> None:
    set_number(week.town.wutong, "credit_no_show", "0")


def an_appeal_does_not_convince(week: Week) -> None:
    with transaction() as session:
        entry = session.scalars(select(CreditEntry)).one()
        appeal_credit(session, entry, "睡过头了", by=by_phone(week.town.guardian))
        decide_credit_appeal(
            session, entry, granted=False, answer="下次请提前取消", by=by_staff(week.town.clerk)
        )


def somebody_takes_a_half(week: Week) -> None:
    takes(week.town.neighbour, centre_of(week).left, at(23, 14), heads=30)


def that_half_is_closed_for_the_afternoon(week: Week) -> None:
    closes(week.town, [centre_of(week).left], at(23, 13), at(23, 18))


def they_come_to_the_other_half(week: Week) -> None:
    checks_in(week.town.neighbour, the_one_of(week.town.neighbour))


def water_comes_through_the_ceiling(week: Week) -> None:
    closes(week.town, [centre_of(week).right], None, at(23, 20), emergency_because="天花板漏水")


def a_room_of_the_unit(week: Week, block: Block) -> Venue:
    """A room that the unit of the cast has every week."""
    terms = Terms(date(2026, 11, 23), date(2026, 12, 31), [block], "心理咨询", 10)
    with transaction() as session:
        unit = session.get_one(Partner, week.town.partner_member.partner_id)
        room = a_venue(session, week.town.wutong)
        agreement = draft_agreement(session, unit, room, terms, by_account_id=None, identity="town")
        put_in_force(session, agreement, by_account_id=None, identity="town")
        return room


def the_room_of_a_unit_is_closed(week: Week) -> None:
    closes(week.town, [a_room_of_the_unit(week, Block(1, 14 * 60, 17 * 60))], at(24, 13), at(24, 18))


def a_week_later_it_is_closed_again_and_staff_call_it_off(week: Week) -> None:
    a_week_later = timedelta(days=7)
    with reading() as session:
        (block,) = session.scalars(
            select(ServiceHold).where(ServiceHold.starts_at == at(24, 14) + a_week_later)
        ).all()
        room = block.venue
    closes(
        week.town,
        [room],
        at(24, 13) + a_week_later,
        at(24, 18) + a_week_later,
        choices={block.key: Choice(Remedy.CALL_OFF)},
    )


def a_unit_has_a_room_in_the_afternoon(week: Week) -> None:
    a_room_of_the_unit(week, Block(0, 14 * 60, 17 * 60))


def water_comes_while_they_are_there(week: Week) -> None:
    with reading() as session:
        room = session.scalars(select(ServiceHold).where(ServiceHold.starts_at == at(23, 14))).one().venue
    closes(week.town, [room], None, at(23, 20), emergency_because="天花板漏水")


def the_one_of(who: Person) -> Reservation:
    """What somebody has of rooms for sure, the only one."""
    with transaction() as session:
        return session.scalars(
            select(Reservation).where(
                Reservation.resident_id == who.resident_id, Reservation.state == ReservationState.APPROVED
            )
        ).one()


ROOM_STORY: Sequence[Deed] = (
    Deed(
        at(20, 13),
        a_room_is_taken_and_two_wait_for_it,
        [Heard(at(20, 13), "resident", NoticeKind.ROOM_RESERVED)],
    ),
    Deed(
        at(20, 14),
        it_is_given_up,
        [
            Heard(at(20, 14), "neighbour", NoticeKind.ROOM_OFFERED),
            # two hours later it goes on to the next
            Heard(at(20, 16), "neighbour", NoticeKind.ROOM_WAIT_OVER),
            Heard(at(20, 16), "guardian", NoticeKind.ROOM_OFFERED),
        ],
    ),
    Deed(
        at(20, 15),
        staff_say_no_to_a_dance,
        [Heard(at(20, 15), "helper", NoticeKind.ROOM_REFUSED)],
    ),
    Deed(
        at(20, 17),
        the_second_accepts,
        [
            Heard(at(20, 17), "guardian", NoticeKind.ROOM_RESERVED),
            Heard(at(21, 12), "guardian", NoticeKind.ROOM_SOON),
            # nobody comes: a quarter of an hour after the start it is let go
            Heard(at(21, 14, 30), "guardian", NoticeKind.CREDIT_TAKEN),
            Heard(at(22, 14, 30), "guardian", NoticeKind.RESERVING_RESUMED),
        ],
    ),
    Deed(
        at(20, 18),
        somebody_takes_the_hall,
        [
            Heard(at(20, 18), "helper", NoticeKind.ROOM_RESERVED),
            Heard(at(21, 7), "helper", NoticeKind.ROOM_SOON),
        ],
    ),
    Deed(
        at(21, 8),
        a_pipe_bursts_in_the_hall,
        [Heard(at(21, 8), "helper", NoticeKind.ROOM_CALLED_OFF)],
    ),
    Deed(
        at(21, 11),
        staff_reserve_for_somebody,
        [
            Heard(at(21, 11), "resident", NoticeKind.RESERVED_FOR_YOU),
            Heard(at(22, 12), "resident", NoticeKind.ROOM_SOON),
            Heard(at(22, 14, 30), "resident", NoticeKind.ROOM_RELEASED),
        ],
    ),
    Deed(at(22, 13), the_community_takes_no_points_any_more, []),
    Deed(
        at(22, 18),
        somebody_takes_a_half,
        [Heard(at(22, 18), "neighbour", NoticeKind.ROOM_RESERVED)],
    ),
    Deed(
        at(22, 19),
        that_half_is_closed_for_the_afternoon,
        [
            Heard(at(22, 19), "neighbour", NoticeKind.ROOM_MOVED),
            # nobody answered till noon: it is the same hour, so it stays
            Heard(at(23, 12), "neighbour", NoticeKind.ROOM_SOON),
        ],
    ),
    Deed(
        at(23, 11),
        the_room_of_a_unit_is_closed,
        [Heard(at(23, 11), "partner_member", NoticeKind.SERVICE_MOVED)],
    ),
    Deed(
        at(23, 11, 30),
        a_week_later_it_is_closed_again_and_staff_call_it_off,
        [Heard(at(23, 11, 30), "partner_member", NoticeKind.SERVICE_CALLED_OFF)],
    ),
    Deed(at(23, 12, 30), a_unit_has_a_room_in_the_afternoon, []),
    Deed(at(23, 14), they_come_to_the_other_half, []),
    Deed(
        at(23, 15, 30),
        water_comes_while_they_are_there,
        [Heard(at(23, 15, 30), "partner_member", NoticeKind.SERVICE_CUT_SHORT)],
    ),
    Deed(
        at(23, 15),
        water_comes_through_the_ceiling,
        [Heard(at(23, 15), "neighbour", NoticeKind.ROOM_CUT_SHORT)],
    ),
    Deed(
        at(23, 10),
        an_appeal_does_not_convince,
        [Heard(at(23, 10), "guardian", NoticeKind.CREDIT_APPEAL_DECIDED)],
    ),
)
