"""The room desk over the wire: what staff see, decide and do with rooms, and what they are not shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.consents import PRIVACY_POLICY
from models.journal import JournalEntry
from models.regions import Region
from models.reservations import CreditEntry, ReservationState
from models.sites import Venue
from models.staff import Role, grant, grants_of
from tests.people import Person, Town
from tests.phones import Door, Phone, the_problem, told
from tests.rooms import (
    DOOR,
    MONDAY,
    SATURDAY,
    SUNDAY,
    Centre,
    a_centre,
    a_group,
    at,
    cancels,
    state_of,
    takes,
)
from tests.rooms import told as inbox

BECAUSE = {"because": "当天有社区活动"}


def asked(hour: int, **more: Any) -> dict[str, Any]:
    """What a clerk's page sends of a wish for Saturday."""
    starts_at = at(hour)
    return {
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=2)).isoformat(),
        "headcount": 5,
        "wanted_for": "reading",
        **more,
    }


def listed(phone: Phone, query: str = "") -> list[str]:
    """The keys of what staff see, in the order they begin."""
    return [one["key"] for one in told(phone.get(f"/staff/reservations{query}"))["items"]]


def works_here(door: Door, town: Town, who: Person) -> Phone:
    """The phone of somebody who lives here and is the clerk, in that hat."""
    with transaction() as session:
        town.clerk.member(session).account_id = who.account_id
    return door.phone(who).wearing(town.clerk.identity)


# --- what staff see -----------------------------------------------------------------------------------------------


def test_staff_see_what_begins_when_without_whole_names_or_codes(
    door: Door, town: Town, centre: Centre
) -> None:
    later = takes(town.resident, centre.dance_room, at(9, on=SUNDAY))
    sooner = takes(town.neighbour, centre.reading_room, at(9))
    first, second = told(door.phone(town.clerk).get("/staff/reservations"))["items"]
    assert [first["key"], second["key"]] == [sooner.key, later.key]
    assert (first["name"], first["resident"]) == ("*洋", town.neighbour.key)
    one = told(door.phone(town.clerk).get(f"/staff/reservations/{sooner.key}"))
    assert one == first
    assert "code" not in one  # it proves that its owner stands there


def test_a_list_is_filtered_and_read_page_by_page(door: Door, town: Town, centre: Centre) -> None:
    clerk = door.phone(town.clerk)
    one = takes(town.resident, centre.reading_room, at(9))
    two = takes(town.neighbour, centre.left, at(9))
    three = takes(town.guardian, centre.dance_room, at(9, on=MONDAY))
    first = told(clerk.get("/staff/reservations?limit=2"))
    second = told(clerk.get(f"/staff/reservations?limit=2&cursor={first['next']}"))
    assert [row["key"] for row in first["items"]] == [one.key, two.key]
    assert ([row["key"] for row in second["items"]], second["next"]) == ([three.key], None)
    assert listed(clerk, "?state=pending") == [three.key]
    assert listed(clerk, f"?venue={centre.left.key}") == [two.key]
    assert listed(clerk, f"?first={SATURDAY}&days=2") == [one.key, two.key]
    assert listed(clerk, f"?first={MONDAY}&days=1") == [three.key]
    for query in ("state=open", "days=0", "days=93", "first=soon", "cursor=x", "limit=201"):
        the_problem(clerk.get(f"/staff/reservations?{query}"), 422, "invalid")
    elsewhere = clerk.get(f"/staff/reservations?venue={'a' * 16}")
    assert the_problem(elsewhere, 409, "not_there")["errors"][0]["field"] == "venue"


def test_every_look_is_journalled_for_whom_it_is_about(door: Door, town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.reading_room, at(9))
    takes(None, centre.left, at(9), about="志愿者培训")
    clerk = door.phone(town.clerk)
    told(clerk.get("/staff/reservations"))
    told(clerk.get(f"/staff/reservations/{made.key}"))
    with reading() as session:
        looks = session.scalars(
            select(JournalEntry).where(JournalEntry.act == "reservation.looked_at").order_by(JournalEntry.id)
        ).all()
        assert [(one.for_resident_id, one.identity) for one in looks] == [
            (town.resident.resident_id, town.clerk.identity)
        ] * 2


def test_staff_see_by_when_to_decide_and_find_what_is_overdue(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    tuesday = MONDAY + timedelta(days=1)
    at_once = takes(town.neighbour, centre.reading_room, at(9, on=tuesday))
    waits = takes(town.resident, centre.dance_room, at(9, on=tuesday))
    clerk = door.phone(town.clerk)
    rows = {one["key"]: one for one in told(clerk.get("/staff/reservations"))["items"]}
    assert (rows[at_once.key]["review_by"], rows[at_once.key]["review_overdue"]) == (None, False)
    assert (rows[waits.key]["review_by"], rows[waits.key]["review_overdue"]) == (
        "2026-11-23T12:00:00+08:00",  # E26: asked on Friday at noon
        False,
    )
    mine = told(door.phone(town.resident).get(f"/reservations/{waits.key}"))
    assert mine["review_by"] == "2026-11-23T12:00:00+08:00"
    assert "review_overdue" not in mine  # how the office fares is not theirs to count
    assert listed(clerk, "?overdue=true") == []
    clock.move_to(at(12, on=MONDAY))
    assert listed(clerk, "?overdue=true") == [waits.key]
    assert told(clerk.get(f"/staff/reservations/{waits.key}"))["review_overdue"] is True
    piles = told(clerk.get("/staff/desk"))["items"]
    assert {"name": "reservations_overdue", "title": "超时没审的预约", "number": 1} in piles
    officer = door.phone(town.street_officer)  # sees what nobody looked at in time, and nothing else
    assert (listed(officer, "?overdue=true"), listed(officer, "")) == ([waits.key], [])
    assert officer.get(f"/staff/reservations/{waits.key}").status_code == 404
    told(clerk.put(f"/staff/reservations/{waits.key}/approval"))
    assert listed(clerk, "?overdue=true") == []


def test_only_an_office_sees_its_own_rooms(door: Door, town: Town, centre: Centre) -> None:
    key = takes(town.resident, centre.reading_room, at(9)).key
    for who in (town.resident, town.partner_member):
        phone = door.phone(who)
        the_problem(phone.get("/staff/reservations"), 403, "identity_unfit")
        the_problem(phone.put(f"/staff/reservations/{key}/approval"), 403, "identity_unfit")
    grid = door.phone(town.grid_worker)  # looks after people, and runs no office
    assert listed(grid) == []
    for path, words in (
        ("approval", None),
        ("acceptance", None),
        ("rejection", BECAUSE),
        ("cancellation", BECAUSE),
        ("check-in", None),
        ("sign-out", {}),
        ("damage", {"note": "白板裂了"}),
    ):
        the_problem(grid.put(f"/staff/reservations/{key}/{path}", json=words), 404, "not_found")
    the_problem(grid.get(f"/staff/reservations/{key}"), 404, "not_found")


# --- yes and no ---------------------------------------------------------------------------------------------------


def test_staff_say_yes_twice_and_then_it_is_not_refused(door: Door, town: Town, centre: Centre) -> None:
    path = f"/staff/reservations/{takes(town.resident, centre.dance_room, at(9, on=SUNDAY)).key}"
    clerk = door.phone(town.clerk)
    for _ in range(2):
        assert told(clerk.put(f"{path}/approval"))["state"] == "approved"
    the_problem(clerk.put(f"{path}/rejection", json=BECAUSE), 409, "review_over")
    assert inbox(town.resident) == ["room_reserved"]


def test_a_clerk_accepts_for_whom_they_put_in_the_queue(door: Door, town: Town, centre: Centre) -> None:
    held = takes(town.resident, centre.reading_room, at(9))
    clerk = door.phone(town.clerk)
    sent = asked(9, resident=town.neighbour.key, waits=True)
    key = told(clerk.post(f"/staff/venues/{centre.reading_room.key}/reservations", json=sent), 201)["key"]
    the_problem(clerk.put(f"/staff/reservations/{key}/acceptance"), 409, "no_offer")
    cancels(town.resident, held)
    for _ in range(2):
        assert told(clerk.put(f"/staff/reservations/{key}/acceptance"))["state"] == "approved"
    assert inbox(town.neighbour) == ["reserved_for_you", "room_offered", "reserved_for_you"]


def test_a_clerk_whose_place_changed_since_they_looked_decides_nothing(
    door: Door, town: Town, centre: Centre
) -> None:
    """E31: what one may do is asked when it is done, not when the page was opened."""
    key = takes(town.resident, centre.dance_room, at(9, on=SUNDAY)).key
    clerk = door.phone(town.clerk)
    assert listed(clerk, "?state=pending") == [key]
    with transaction() as session:
        for one in grants_of(session, town.clerk.member(session)):
            one.ends_at = clock.now()
        grant(session, town.clerk.member(session), Role.CLERK, session.get_one(Region, town.wangjiang.id))
    for path, words in (("approval", None), ("rejection", BECAUSE), ("cancellation", BECAUSE)):
        the_problem(clerk.put(f"/staff/reservations/{key}/{path}", json=words), 404, "not_found")
    assert listed(clerk) == []
    assert told(door.phone(town.admin).put(f"/staff/reservations/{key}/approval"))["state"] == "approved"


def test_a_no_says_why_and_they_read_it(door: Door, town: Town, centre: Centre) -> None:
    key = takes(town.resident, centre.dance_room, at(9, on=SUNDAY)).key
    clerk = door.phone(town.clerk)
    the_problem(clerk.put(f"/staff/reservations/{key}/rejection", json={}), 422, "invalid")
    for _ in range(2):
        assert told(clerk.put(f"/staff/reservations/{key}/rejection", json=BECAUSE))["state"] == "rejected"
    assert told(door.phone(town.resident).get(f"/reservations/{key}"))["because"] == BECAUSE["because"]
    the_problem(clerk.put(f"/staff/reservations/{key}/approval"), 409, "review_over")


def test_many_are_decided_at_once_and_one_that_cannot_be_stops_no_other(
    door: Door, town: Town, centre: Centre
) -> None:
    yes = takes(town.resident, centre.dance_room, at(9, on=SUNDAY))
    no = takes(town.neighbour, centre.dance_room, at(14, on=SUNDAY))
    over = takes(town.guardian, centre.reading_room, at(9))
    own = takes(town.helper, centre.dance_room, at(16, minute=30, on=SUNDAY))
    clerk = works_here(door, town, town.helper)
    items = [
        {"reservation": over.key, "approve": False} | BECAUSE,
        {"reservation": "a" * 16, "approve": True},
        {"reservation": yes.key, "approve": True},
        {"reservation": own.key, "approve": True},
        {"reservation": no.key, "approve": False} | BECAUSE,
        {"reservation": yes.key, "approve": True},
    ]
    answer = told(clerk.post("/staff/reservations/decisions", json={"items": items}))
    assert (answer["done"], answer["refused"]) == (2, 3)
    assert [one["key"] for one in answer["items"]] == [over.key, "a" * 16, yes.key, own.key, no.key]
    assert [one["refusal"] and one["refusal"]["code"] for one in answer["items"]] == [
        *("review_over", "not_found", None, "own_content", None)
    ]
    assert [one["state"] for one in answer["items"]] == [None, None, "approved", None, "rejected"]
    assert [state_of(one).value for one in (yes, own, no, over)] == [
        *("approved", "pending", "rejected", "approved")
    ]


def test_a_no_without_a_reason_is_named_and_nothing_is_decided(
    door: Door, town: Town, centre: Centre
) -> None:
    made = takes(town.resident, centre.dance_room, at(9, on=SUNDAY))
    items = [{"reservation": made.key, "approve": True}, {"reservation": made.key, "approve": False}]
    clerk = door.phone(town.clerk)
    answer = clerk.post("/staff/reservations/decisions", json={"items": items})
    problem = the_problem(answer, 409, "because_needed")
    assert [error["field"] for error in problem["errors"]] == ["items.1.because"]
    assert state_of(made) is ReservationState.PENDING
    for wrong in ([], items * 51):
        the_problem(clerk.post("/staff/reservations/decisions", json={"items": wrong}), 422, "invalid")


def test_staff_call_off_what_was_promised_and_say_why(door: Door, town: Town, centre: Centre) -> None:
    made = takes(town.resident, centre.reading_room, at(9))
    waits = takes(town.neighbour, centre.reading_room, at(9), waits=True)
    clerk = door.phone(town.clerk)
    for _ in range(2):
        answer = told(clerk.put(f"/staff/reservations/{made.key}/cancellation", json=BECAUSE))
        assert (answer["state"], answer["cancelled_by"], answer["because"]) == (
            *("cancelled", "staff"),
            BECAUSE["because"],
        )
    assert state_of(waits) is ReservationState.OFFERED
    assert inbox(town.resident) == ["room_reserved", "room_called_off"]
    the_problem(
        clerk.put(f"/staff/reservations/{made.key}/cancellation", json=BECAUSE | {"scope": "some"}),
        *(422, "invalid"),
    )


# --- for somebody, and for the community itself -------------------------------------------------------------------


def test_staff_reserve_for_an_elder_and_a_retried_click_is_one(
    door: Door, town: Town, centre: Centre
) -> None:
    clerk, address = door.phone(town.clerk), f"/staff/venues/{centre.dance_room.key}/reservations"
    paper = f"/staff/residents/{town.elder.key}/consent"
    told(clerk.put(paper, json={"version": PRIVACY_POLICY.version, "given_by": "oneself"}))
    words = asked(9, resident=town.elder.key)
    made = [
        told(clerk.post(address, json=words, headers={"Idempotency-Key": key}), 201)
        for key in ("1", "1", "2")
    ]
    assert [one["key"] for one in made] == [made[0]["key"]] * 3
    assert (made[0]["state"], made[0]["name"]) == ("approved", "王*奶")
    the_problem(clerk.post(address, json=asked(9, resident=town.neighbour.key)), 409, "room_taken")


def test_the_counter_is_refused_what_it_may_not_and_the_field_is_named(
    door: Door, town: Town, centre: Centre
) -> None:
    clerk, address = door.phone(town.clerk), f"/staff/venues/{centre.left.key}/reservations"
    for whom in (town.outsider.key, "a" * 16):
        problem = the_problem(clerk.post(address, json=asked(9, resident=whom)), 409, "not_there")
        assert [error["field"] for error in problem["errors"]] == ["resident"]
    choir = a_group(town, town.resident)
    stranger = asked(9, resident=town.neighbour.key, group=choir.key)
    assert the_problem(clerk.post(address, json=stranger), 409, "not_there")["errors"][0]["field"] == "group"
    nobody = the_problem(clerk.post(address, json=asked(9, group=choir.key)), 409, "leader_needed")
    assert [error["field"] for error in nobody["errors"]] == ["resident"]
    led = told(clerk.post(address, json=asked(9, resident=town.resident.key, group=choir.key)), 201)
    assert led["group"]["name"] == choir.name
    the_problem(clerk.post(address, json=asked(14, pledge="2026-11")), 422, "invalid")


def test_staff_do_for_themselves_nothing_that_others_may_not(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    own = takes(town.helper, centre.reading_room, at(14))
    clerk, address = (
        works_here(door, town, town.helper),
        f"/staff/venues/{centre.dance_room.key}/reservations",
    )
    the_problem(clerk.post(address, json=asked(9, resident=town.helper.key)), 403, "own_content")
    clock.move_to(at(13, 45))
    for path, words in (("cancellation", BECAUSE), ("check-in", None)):
        answer = clerk.put(f"/staff/reservations/{own.key}/{path}", json=words)
        the_problem(answer, 403, "own_content")
    code = clerk.post(f"/staff/venues/{centre.reading_room.key}/check-ins", json={"code": own.code})
    the_problem(code, 403, "own_content")


def test_the_community_uses_its_rooms_itself(door: Door, town: Town, centre: Centre) -> None:
    clerk = door.phone(town.clerk)
    made = told(
        clerk.post(f"/staff/venues/{centre.kitchen.key}/reservations", json=asked(8, about="重阳节包饺子")),
        201,
    )
    assert (made["state"], made["about"], made["resident"], made["name"]) == (
        *("approved", "重阳节包饺子"),
        *(None, None),
    )
    with transaction() as session:
        elsewhere = a_centre(session, town.wangjiang).reading_room.key
    the_problem(clerk.post(f"/staff/venues/{elsewhere}/reservations", json=asked(9)), 404, "not_found")


# --- the day itself -----------------------------------------------------------------------------------------------


def test_a_code_is_shown_at_the_desk_and_lets_them_in(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.reading_room, at(9))
    clerk, address = door.phone(town.clerk), f"/staff/venues/{centre.reading_room.key}/check-ins"
    clock.move_to(at(8, 50))
    wrong = f"{(int(made.code) + 1) % 10**6:06}"
    problem = the_problem(clerk.post(address, json={"code": wrong}), 409, "not_there")
    assert [error["field"] for error in problem["errors"]] == ["code"]
    the_problem(clerk.post(address, json={"code": "12345"}), 422, "invalid")
    for _ in range(2):
        assert told(clerk.post(address, json={"code": made.code}))["state"] == "checked_in"
    clock.move_to(at(10))
    path = f"/staff/reservations/{made.key}"
    left = told(clerk.put(f"{path}/sign-out", json={"condition": "untidy", "note": "椅子没摆好"}))
    assert (left["state"], left["condition"], left["condition_note"]) == (
        *("finished", "untidy"),
        "椅子没摆好",
    )
    for _ in range(2):
        assert told(clerk.put(f"{path}/damage", json={"note": "白板裂了"}))["condition"] == "damaged"
    with reading() as session:
        (entry,) = session.scalars(select(CreditEntry).order_by(CreditEntry.id)).all()
        assert (entry.why.value, entry.points) == ("damage", -30)


def test_staff_let_somebody_in_without_a_code(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    path = f"/staff/reservations/{takes(town.resident, centre.reading_room, at(9)).key}"
    clerk = door.phone(town.clerk)
    the_problem(clerk.put(f"{path}/check-in"), 409, "room_not_ready")
    the_problem(clerk.put(f"{path}/damage", json={"note": "白板裂了"}), 409, "not_used")
    clock.move_to(at(9))
    assert told(clerk.put(f"{path}/check-in"))["state"] == "checked_in"


def test_a_new_code_for_the_door_is_told_to_who_hangs_it_up(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    made = takes(town.resident, centre.reading_room, at(9))
    code = told(door.phone(town.clerk).put(f"/staff/venues/{centre.reading_room.key}/door-code"))["door_code"]
    clock.move_to(at(8, 50))
    phone, path = door.phone(town.resident), f"/reservations/{made.key}/check-in"
    assert code != DOOR
    the_problem(phone.put(path, json={"door_code": DOOR}), 409, "door_code_wrong")
    assert told(phone.put(path, json={"door_code": code}))["state"] == "checked_in"
    with reading() as session:
        assert session.get_one(Venue, centre.reading_room.id).door_code == code
    the_problem(
        door.phone(town.grid_worker).put(f"/staff/venues/{centre.reading_room.key}/door-code"),
        *(404, "not_found"),
    )


@pytest.mark.parametrize(
    ("path", "words", "field"),
    [
        ("rejection", {"because": "很" * 101}, "because"),
        ("cancellation", {"because": " "}, "because"),
        ("sign-out", {"condition": "fine"}, "condition"),
        ("sign-out", {"note": "很" * 201}, "note"),
        ("damage", {}, "note"),
    ],
)
def test_what_cannot_be_read_is_named_at_its_field(
    door: Door, town: Town, centre: Centre, path: str, words: dict[str, Any], field: str
) -> None:
    key = takes(town.resident, centre.reading_room, at(9)).key
    problem = the_problem(
        door.phone(town.clerk).put(f"/staff/reservations/{key}/{path}", json=words), 422, "invalid"
    )
    assert [error["field"] for error in problem["errors"]] == [field]
