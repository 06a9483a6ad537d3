"""What becomes of the rooms of somebody who leaves: told before, given to who waits, and no word of theirs kept; and their copy."""

from __future__ import annotations

from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.groups import Group
from models.reservations import CreditEntry, Reservation, ReservationState, note_damage
from models.residents import Resident
from server.jobs import rooms as jobs
from tests.people import Town
from tests.phones import Door, Phone, the_problem, told
from tests.rooms import (
    MONDAY,
    SUNDAY,
    Centre,
    a_group,
    again,
    at,
    by_phone,
    by_staff,
    checks_in,
    held_times,
    now_of,
    state_of,
    takes,
)
from tests.rooms import told as inbox


def say_goodbye(phone: Phone) -> None:
    """Read what it means, then close."""
    shown = told(phone.get("/me/closure"))
    assert phone.delete(f"/me?closure={shown['closure']}").status_code == 204


def test_who_leaves_is_told_of_their_rooms_and_what_changes_since_closes_nothing(
    door: Door, town: Town, centre: Centre
) -> None:
    phone = door.phone(town.resident)
    before = told(phone.get("/me/closure"))
    assert before["rooms"] == []
    made = takes(town.resident, centre.dance_room, at(9, on=SUNDAY))
    pending = told(phone.get("/me/closure"))
    assert [(one["key"], one["state"], one["starts_at"]) for one in pending["rooms"]] == [
        (made.key, "pending", "2026-11-22T09:00:00+08:00")
    ]
    told(door.phone(town.clerk).put(f"/staff/reservations/{made.key}/approval"))
    approved = told(phone.get("/me/closure"))
    assert len({shown["closure"] for shown in (before, pending, approved)}) == 3
    for outdated in (before, pending):
        the_problem(phone.delete(f"/me?closure={outdated['closure']}"), 409, "closure_outdated")
    assert phone.delete(f"/me?closure={approved['closure']}").status_code == 204
    assert state_of(made) is ReservationState.CANCELLED


def test_the_rooms_of_who_leaves_go_to_who_waits_and_cost_nobody_anything(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    held = takes(town.resident, centre.reading_room, at(9))
    later = takes(town.resident, centre.left, at(9, on=MONDAY))
    waits = takes(town.neighbour, centre.reading_room, at(9), waits=True)
    own_wait = takes(town.guardian, centre.hall, at(9, on=MONDAY), waits=True)
    clock.move_to(at(8))  # too late to give it up for nothing
    say_goodbye(door.phone(town.resident))
    assert [state_of(one).value for one in (held, later, waits, own_wait)] == [
        *("cancelled", "cancelled", "offered", "offered")
    ]
    assert inbox(town.neighbour) == ["room_offered"]
    with reading() as session:
        assert session.scalars(select(CreditEntry)).all() == []


def test_who_waits_and_leaves_stands_in_nobodys_way(door: Door, town: Town, centre: Centre) -> None:
    takes(town.neighbour, centre.reading_room, at(9))
    waits = takes(town.resident, centre.reading_room, at(9), waits=True)
    phone = door.phone(town.resident)
    assert [one["state"] for one in told(phone.get("/me/closure"))["rooms"]] == ["waitlisted"]
    say_goodbye(phone)
    assert state_of(waits) is ReservationState.CANCELLED


def test_who_leaves_in_the_middle_frees_the_rest(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.reading_room, at(9))
    clock.move_to(at(9))
    checks_in(town.resident, made)
    clock.move_to(at(10))
    say_goodbye(door.phone(town.resident))
    assert state_of(made) is ReservationState.FINISHED
    assert held_times(centre.reading_room) == [("09:00", "10:10")]


def test_a_guardian_takes_the_rooms_of_the_child_along(door: Door, town: Town, centre: Centre) -> None:
    made = takes(town.child, centre.reading_room, at(9), by=by_phone(town.guardian), acted_for=True)
    phone = door.phone(town.guardian)
    assert [one["key"] for one in told(phone.get("/me/closure"))["rooms"]] == [made.key]
    say_goodbye(phone)
    assert state_of(made) is ReservationState.CANCELLED


def test_an_elder_keeps_the_room_when_the_helper_leaves(door: Door, town: Town, centre: Centre) -> None:
    made = takes(town.elder, centre.reading_room, at(9), by=by_phone(town.helper), acted_for=True)
    phone = door.phone(town.helper)
    assert told(phone.get("/me/closure"))["rooms"] == []
    say_goodbye(phone)
    assert state_of(made) is ReservationState.APPROVED


def test_what_a_group_reserved_stays_the_groups_for_whoever_leads_it_next(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    choir = a_group(town, town.resident)
    made = takes(town.resident, centre.left, at(9, on=MONDAY), group=choir)
    phone = door.phone(town.resident)
    assert told(phone.get("/me/closure"))["rooms"] == []
    say_goodbye(phone)
    assert state_of(made) is ReservationState.APPROVED
    with transaction() as session:
        session.get_one(Group, choir.id).leader = session.get_one(Resident, town.neighbour.resident_id)
    leads_now = door.phone(town.neighbour)
    assert told(leads_now.get(f"/reservations/{made.key}"))["group"]["key"] == choir.key
    clock.move_to(at(9, 15, on=MONDAY))
    assert jobs.release_no_shows(town_clock.now()) == 1
    assert told(leads_now.get(f"/me/credit?group={choir.key}"))["points"] == 85


def test_no_word_of_who_left_and_none_about_them_is_kept(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.reading_room, at(9), about="陈静的读书会")
    clock.move_to(at(9))
    checks_in(town.resident, made)
    with transaction() as session:
        note_damage(session, again(session, made), "陈静打破了杯子", by=by_staff(town.clerk))
    door.sandbox.login_code(town.resident.openid)
    phone = door.phone(town.resident)
    (entry,) = told(phone.get("/me/credit"))["items"]
    told(phone.put(f"/me/credit-entries/{entry['key']}/appeal", json={"words": "陈静赔了"}))
    told(
        door.phone(town.clerk).put(
            f"/staff/credit-entries/{entry['key']}/decision",
            json={"granted": False, "because": "陈静确认过"},
        )
    )
    say_goodbye(phone)
    left = now_of(made)
    assert (left.about, left.condition_note, left.decided_because) == ("", "", "")
    assert left.resident_id != town.resident.resident_id
    with reading() as session:
        kept = session.scalars(select(CreditEntry)).one()
        assert (kept.appeal_words, kept.answer, kept.note) == (None, "", "")
        assert kept.resident_id == session.get_one(Reservation, made.id).resident_id


def test_ones_copy_holds_rooms_and_credit_with_what_became_of_them(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.reading_room, at(9), about="读书会", loudspeaker=True)
    takes(town.neighbour, centre.left, at(9))
    clock.move_to(at(9, 15))
    jobs.release_no_shows(town_clock.now())
    copy = told(door.phone(town.resident).get("/me/copy"))["oneself"]
    (room,) = copy["rooms"]
    assert (room["key"], room["state"], room["about"], room["loudspeaker"]) == (
        *(made.key, "no_show", "读书会"),
        True,
    )
    assert len(room["history"]) == 3
    assert room["history"][0]["by"] == "oneself"
    assert all(line["act_label"] for line in room["history"])
    assert [(one["why"], one["points"]) for one in copy["credit"]] == [("no_show", -15)]
