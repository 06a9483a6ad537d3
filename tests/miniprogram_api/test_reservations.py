"""Rooms over the wire, as residents have them: the tap, the queue, the day itself, for family and for the group one leads."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from models.base import transaction
from models.clock import StoppedClock
from models.equipment import add_equipment
from models.groups import Group, GroupState
from models.reservations import ROOM_PLEDGE
from models.sites import Venue
from tests.people import Town, a_bond, a_resident
from tests.phones import Door, Phone, the_problem, told
from tests.rooms import DOOR, SATURDAY, SUNDAY, Centre, a_group, at
from tests.rooms import told as inbox


def asked(hour: int, *, on: date = SATURDAY, minutes: int = 120, **more: Any) -> dict[str, Any]:
    """What the phone sends of a wish."""
    starts_at = at(hour, on=on)
    return {
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(minutes=minutes)).isoformat(),
        "headcount": 5,
        "wanted_for": "reading",
        "pledge": ROOM_PLEDGE.version,
        **more,
    }


def reserves(
    phone: Phone, room: Venue, hour: int = 9, *, attempt: str | None = None, whom: str = "", **more: Any
) -> dict[str, Any]:
    """Take a room, as the phone does it; the reservation."""
    made: dict[str, Any] = told(
        phone.post(
            f"/venues/{room.key}/reservations{whom}",
            json=asked(hour, **more),
            headers={"Idempotency-Key": attempt} if attempt else {},
        ),
        201,
    )
    return made


def listed(phone: Phone, query: str = "") -> list[str]:
    """The keys of one's reservations, the newest first."""
    return [one["key"] for one in told(phone.get(f"/me/reservations{query}"))["items"]]


# --- one's own classes --------------------------------------------------------------------------------------------


def test_a_class_is_had_beside_a_room_and_the_room_is_given_up_in_one_tap(
    door: Door, town: Town, centre: Centre
) -> None:
    phone, run = door.phone(town.resident), town.a_run(title="太极", starts_at=at(9))
    room = reserves(phone, centre.reading_room, 10)
    assert told(phone.put(f"/course-runs/{run.key}/registration"))["state"] == "confirmed"
    (mine,) = told(phone.get(f"/me/registrations?run={run.key}"))["items"]
    (also,) = mine["rooms_then"]
    assert also == {
        "reservation": room["key"],
        "venue": "阅览室",
        "starts_at": "2026-11-21T10:00:00+08:00",
        "ends_at": "2026-11-21T12:00:00+08:00",
    }
    assert phone.delete(f"/reservations/{also['reservation']}").status_code == 204
    (mine,) = told(phone.get(f"/me/registrations?run={run.key}"))["items"]
    assert mine["rooms_then"] == []
    again = phone.post(f"/venues/{centre.reading_room.key}/reservations", json=asked(10))
    refusal = the_problem(again, 409, "own_clash")
    assert "太极" in refusal["detail"]
    assert refusal["details"] == {"run": run.key}


# --- the tap ------------------------------------------------------------------------------------------------------


def test_one_reads_the_pledge_promises_and_has_the_room(door: Door, town: Town, centre: Centre) -> None:
    phone, address = door.phone(town.resident), f"/venues/{centre.reading_room.key}/reservations"
    pledge = told(door.phone().get("/room-pledge"))
    assert "安全" in pledge["text"]
    silent = asked(9)
    del silent["pledge"]
    for words in (silent, asked(9, pledge="2001-01")):
        problem = the_problem(phone.post(address, json=words), 409, "pledge_needed")
        assert problem["details"]["version"] == pledge["version"]
    made = reserves(phone, centre.reading_room, pledge=pledge["version"])
    assert (made["state"], made["state_label"], made["resident"]) == ("approved", "已预约", town.resident.key)
    assert made["venue"]["name"] == "阅览室"
    assert made["starts_at"] == "2026-11-21T09:00:00+08:00"
    assert len(made["code"]) == 6
    assert told(phone.get(f"/reservations/{made['key']}")) == made


def test_a_retried_tap_is_one_reservation_and_so_is_a_second_one(
    door: Door, town: Town, centre: Centre
) -> None:
    phone = door.phone(town.resident)
    made = reserves(phone, centre.reading_room, attempt="1")
    assert reserves(phone, centre.reading_room, attempt="1") == made
    assert reserves(phone, centre.reading_room, attempt="2") == made
    assert listed(phone) == [made["key"]]
    other = phone.post(
        f"/venues/{centre.reading_room.key}/reservations", json=asked(14), headers={"Idempotency-Key": "1"}
    )
    the_problem(other, 409, "idempotency_key_reused")


def test_who_told_us_nothing_yet_is_asked_for_it(door: Door, town: Town, centre: Centre) -> None:
    with transaction() as session:
        newcomer = a_resident(session, None, name=None, phone=None, birth_year=None, consents=False)
    answer = door.phone(newcomer).post(f"/venues/{centre.reading_room.key}/reservations", json=asked(9))
    problem = the_problem(answer, 409, "profile_needed")
    assert {"name", "consent"} <= set(problem["details"]["fields"])


def test_who_comes_too_late_takes_any_of_what_is_offered_instead(
    door: Door, town: Town, centre: Centre
) -> None:
    reserves(door.phone(town.resident), centre.reading_room)
    phone = door.phone(town.neighbour)
    answer = phone.post(f"/venues/{centre.reading_room.key}/reservations", json=asked(9))
    problem = the_problem(answer, 409, "room_taken")
    assert problem["errors"][0]["field"] == "starts_at"
    assert problem["details"]["may_wait"]
    instead = problem["details"]["alternatives"]
    assert {one["kind"] for one in instead} >= {"other_time", "other_room"}
    for one in instead:  # each can really be had
        words = asked(9) | {"starts_at": one["starts_at"], "ends_at": one["ends_at"]}
        made = told(phone.post(f"/venues/{one['venue']}/reservations", json=words), 201)
        assert phone.delete(f"/reservations/{made['key']}").status_code == 204


def test_what_is_given_up_is_offered_to_who_waits_and_taken_by_a_tap(
    door: Door, town: Town, centre: Centre
) -> None:
    first, phone = door.phone(town.resident), door.phone(town.neighbour)
    held = reserves(first, centre.reading_room)
    waiting = reserves(phone, centre.reading_room, waits=True)
    assert (waiting["state"], waiting["state_label"]) == ("waitlisted", "候补中")
    the_problem(phone.put(f"/reservations/{waiting['key']}/acceptance"), 409, "no_offer")
    for _ in range(2):
        assert first.delete(f"/reservations/{held['key']}").status_code == 204
    offered = told(phone.get(f"/reservations/{waiting['key']}"))
    assert offered["state"] == "offered"
    assert offered["offer_expires_at"] is not None
    for _ in range(2):
        assert told(phone.put(f"/reservations/{waiting['key']}/acceptance"))["state"] == "approved"
    gone = told(first.get(f"/reservations/{held['key']}"))
    assert (gone["state"], gone["cancelled_by"], gone["cancelled_late"]) == ("cancelled", "resident", False)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"starts_at": "2026-11-21T09:00:00"}, "starts_at"),
        ({"starts_at": "明天"}, "starts_at"),
        ({"ends_at": None}, "ends_at"),
        ({"headcount": 0}, "headcount"),
        ({"headcount": 1.5}, "headcount"),
        ({"headcount": "5"}, "headcount"),
        ({"wanted_for": "sleeping"}, "wanted_for"),
        ({"group": "梧桐合唱团"}, "group"),
        ({"waits": "yes"}, "waits"),
        ({"equipment": [{"equipment": "a" * 16, "pieces": 0}]}, "equipment.0.pieces"),
        ({"equipment": "投影仪"}, "equipment"),
        ({"equipment": [{"equipment": "a" * 16, "pieces": 1}] * 21}, "equipment"),
        ({"resident": "a" * 16}, "resident"),
        ({"about": "跳舞"}, "about"),
    ],
)
def test_what_cannot_be_read_is_named_at_its_field(
    door: Door, town: Town, centre: Centre, wrong: dict[str, Any], field: str
) -> None:
    answer = door.phone(town.resident).post(
        f"/venues/{centre.reading_room.key}/reservations", json=asked(9) | wrong
    )
    assert [error["field"] for error in the_problem(answer, 422, "invalid")["errors"]] == [field]


def test_a_time_that_cannot_be_is_a_conflict_naming_the_field(door: Door, town: Town, centre: Centre) -> None:
    phone, address = door.phone(town.resident), f"/venues/{centre.reading_room.key}/reservations"
    backwards = the_problem(phone.post(address, json=asked(9, minutes=-60)), 409, "time_unfit")
    assert [error["field"] for error in backwards["errors"]] == ["ends_at"]
    crowd = the_problem(phone.post(address, json=asked(9, headcount=21)), 409, "too_many_heads")
    assert crowd["details"]["capacity"] == 20
    the_problem(phone.post(f"/venues/{'a' * 16}/reservations", json=asked(9)), 404, "not_found")


# --- whose it is --------------------------------------------------------------------------------------------------


def test_in_another_hat_one_reserves_nothing_and_has_nothing(door: Door, town: Town, centre: Centre) -> None:
    words = asked(9) | {"group": "a" * 16, "weeks": 2}
    for who in (town.clerk, town.partner_member):
        phone = door.phone(who)
        address = f"/venues/{centre.reading_room.key}"
        the_problem(phone.post(f"{address}/reservations", json=asked(9)), 403, "identity_unfit")
        the_problem(phone.post(f"{address}/reservation-series", json=words), 403, "identity_unfit")
        del words["pledge"]
        the_problem(phone.post(f"{address}/reservation-series/look", json=words), 403, "identity_unfit")
        words["pledge"] = ROOM_PLEDGE.version
        assert listed(phone) == []


def test_nobody_touches_what_is_somebody_elses(door: Door, town: Town, centre: Centre) -> None:
    key = reserves(door.phone(town.resident), centre.reading_room)["key"]
    for who in (town.neighbour, town.outsider, town.clerk, town.partner_member):
        phone = door.phone(who)
        for method, path, words in (
            ("GET", "", None),
            ("DELETE", "", None),
            ("PUT", "/acceptance", None),
            ("PUT", "/check-in", {"door_code": DOOR}),
            ("PUT", "/sign-out", {}),
            ("PUT", "/equipment", {"equipment": []}),
        ):
            answer = phone.ask(method, f"/reservations/{key}{path}", json=words)
            the_problem(answer, 404, "not_found")
        assert listed(phone) == []


def test_a_helper_reserves_for_an_elder_and_gives_it_up(door: Door, town: Town, centre: Centre) -> None:
    phone = door.phone(town.helper)
    made = reserves(phone, centre.reading_room, whom=f"?for={town.elder.key}")
    assert made["resident"] == town.elder.key
    assert listed(phone) == [made["key"]]
    own = reserves(phone, centre.left)  # the helper's own day is not used up by it
    assert own["resident"] == town.helper.key
    assert phone.delete(f"/reservations/{made['key']}?scope=this").status_code == 204
    assert told(phone.get(f"/reservations/{made['key']}"))["state"] == "cancelled"
    refused = door.phone(town.neighbour).post(
        f"/venues/{centre.reading_room.key}/reservations?for={town.elder.key}", json=asked(9)
    )
    the_problem(refused, 404, "no_bond")


def test_who_has_a_phone_hears_what_was_reserved_and_given_up_for_them(
    door: Door, town: Town, centre: Centre
) -> None:
    with transaction() as session:
        a_bond(session, town.helper, town.neighbour)
    phone, own = door.phone(town.helper), door.phone(town.neighbour)
    made = reserves(phone, centre.reading_room, whom=f"?for={town.neighbour.key}")
    assert listed(own) == listed(phone) == [made["key"]]
    assert phone.delete(f"/reservations/{made['key']}").status_code == 204
    assert inbox(town.neighbour) == ["reserved_for_you", "reserved_for_you"]
    assert inbox(town.helper) == []


def test_a_guardian_reserves_for_a_child_and_a_child_not_alone(
    door: Door, town: Town, centre: Centre
) -> None:
    made = reserves(door.phone(town.guardian), centre.reading_room, whom=f"?for={town.child.key}")
    assert (made["state"], made["resident"]) == ("approved", town.child.key)
    with transaction() as session:
        youth = a_resident(session, town.wutong, birth_year=2010)
    answer = door.phone(youth).post(f"/venues/{centre.reading_room.key}/reservations", json=asked(14))
    the_problem(answer, 409, "adult_needed")


def test_a_leader_reserves_for_the_group_and_nobody_else_does(door: Door, town: Town, centre: Centre) -> None:
    choir = a_group(town, town.resident)
    phone = door.phone(town.resident)
    made = reserves(phone, centre.left, group=choir.key)
    assert made["group"] == {"key": choir.key, "name": "夕阳红合唱团"}
    own = reserves(phone, centre.reading_room)  # and the leader has a day of their own
    assert listed(phone) == [own["key"], made["key"]]
    address = f"/venues/{centre.left.key}/reservations"
    for key in (choir.key, "a" * 16):
        the_problem(door.phone(town.neighbour).post(address, json=asked(14, group=key)), 404, "no_group")
    with transaction() as session:
        session.get_one(Group, choir.id).state = GroupState.APPLIED
    the_problem(phone.post(address, json=asked(14, group=choir.key)), 409, "group_not_approved")


def test_who_takes_the_group_over_has_its_rooms_and_who_led_it_no_more(
    door: Door, town: Town, centre: Centre
) -> None:
    choir, phone = a_group(town, town.resident), door.phone(town.resident)
    made = reserves(phone, centre.left, group=choir.key)
    code = told(phone.post(f"/me/groups/{choir.key}/handover-codes"), 201)["code"]
    leads_now = door.phone(town.neighbour)
    told(leads_now.post("/me/group-leaderships", json={"code": code}), 201)
    assert listed(leads_now) == [made["key"]]
    assert leads_now.delete(f"/reservations/{made['key']}").status_code == 204


def test_a_list_is_read_page_by_page_and_ahead(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    phone = door.phone(town.resident)
    made = [
        reserves(phone, room, on=on)["key"]
        for room, on in ((centre.reading_room, SATURDAY), (centre.left, SUNDAY))
    ]
    first = told(phone.get("/me/reservations?limit=1"))
    second = told(phone.get(f"/me/reservations?limit=1&cursor={first['next']}"))
    assert [one["key"] for one in first["items"] + second["items"]] == made[::-1]
    assert second["next"] is None
    clock.move_to(at(9, on=SUNDAY))
    assert listed(phone, "?ahead=true") == [made[1]]
    the_problem(phone.get("/me/reservations?ahead=soon"), 422, "invalid")


# --- the day itself -----------------------------------------------------------------------------------------------


def test_one_comes_in_with_the_code_on_the_door_and_signs_out(
    door: Door, town: Town, centre: Centre, clock: StoppedClock
) -> None:
    phone = door.phone(town.resident)
    address = f"/reservations/{reserves(phone, centre.reading_room)['key']}"
    the_problem(phone.put(f"{address}/check-in", json={"door_code": DOOR}), 409, "room_not_ready")
    clock.move_to(at(8, 50))
    the_problem(phone.put(f"{address}/sign-out", json={}), 409, "not_checked_in")
    the_problem(phone.put(f"{address}/check-in", json={"door_code": "000000"}), 409, "door_code_wrong")
    the_problem(phone.put(f"{address}/check-in", json={"door_code": "12345"}), 422, "invalid")
    for _ in range(2):
        assert told(phone.put(f"{address}/check-in", json={"door_code": DOOR}))["state"] == "checked_in"
    the_problem(phone.delete(address), 409, "already_in_use")
    clock.move_to(at(10))
    left = told(phone.put(f"{address}/sign-out", json={"condition": "good"}))
    assert (left["state"], left["signed_out_at"]) == ("finished", "2026-11-21T10:00:00+08:00")
    assert told(phone.put(f"{address}/sign-out", json={"condition": "damaged"})) == left
    the_problem(phone.delete(address), 409, "reservation_over")


def test_equipment_goes_with_it_until_there_is_no_more(door: Door, town: Town, centre: Centre) -> None:
    with transaction() as session:
        site = session.get_one(Venue, centre.reading_room.id).site
        chairs = add_equipment(session, site, name="折叠椅", stock=10).key
    phone = door.phone(town.resident)
    lent = [{"equipment": chairs, "pieces": 6}]
    made = reserves(phone, centre.reading_room, equipment=lent)
    assert made["equipment"] == lent
    address = f"/venues/{centre.left.key}/reservations"
    answer = door.phone(town.neighbour).post(address, json=asked(9, equipment=lent))
    problem = the_problem(answer, 409, "equipment_short")
    assert [error["field"] for error in problem["errors"]] == ["equipment"]
    assert {one["venue"] for one in problem["details"]["alternatives"]} == {centre.left.key}
    assert listed(door.phone(town.neighbour)) == []  # all that was asked for, or nothing
    assert "4" in problem["detail"]
    fewer = {"equipment": [{"equipment": chairs, "pieces": 3}, {"equipment": chairs, "pieces": 1}]}
    changed = told(phone.put(f"/reservations/{made['key']}/equipment", json=fewer))
    assert changed["equipment"] == [{"equipment": chairs, "pieces": 4}]
    told(door.phone(town.neighbour).post(address, json=asked(9, equipment=lent)), 201)
    for key in ("a" * 16, chairs):
        more = {"equipment": [{"equipment": key, "pieces": 11}]}
        refused = phone.put(f"/reservations/{made['key']}/equipment", json=more)
        assert refused.status_code == 409, refused.text
    assert told(phone.get(f"/reservations/{made['key']}"))["equipment"] == changed["equipment"]


# --- the same hours of some weeks ---------------------------------------------------------------------------------


def test_a_series_is_looked_at_taken_where_it_fits_and_given_up_in_part(
    door: Door, town: Town, centre: Centre
) -> None:
    choir, phone = a_group(town, town.resident), door.phone(town.resident)
    second, third = SATURDAY + timedelta(weeks=1), SATURDAY + timedelta(weeks=2)
    other = a_group(town, town.neighbour, name="太极队")
    reserves(door.phone(town.neighbour), centre.left, on=second, group=other.key)
    weeks = asked(9) | {"group": choir.key, "weeks": 3}
    look = {name: said for name, said in weeks.items() if name != "pledge"}
    seen = told(phone.post(f"/venues/{centre.left.key}/reservation-series/look", json=look))["items"]
    assert [one["refusal"] and one["refusal"]["code"] for one in seen] == [None, "room_taken", None]
    assert listed(phone) == []
    address = f"/venues/{centre.left.key}/reservation-series"
    problem = the_problem(phone.post(address, json=weeks), 409, "series_unfit")
    assert problem["details"]["fit"] == [SATURDAY.isoformat(), third.isoformat()]
    days = {"days": problem["details"]["fit"]}
    made = told(phone.post(address, json=weeks | days, headers={"Idempotency-Key": "1"}), 201)["items"]
    again = told(phone.post(address, json=weeks | days, headers={"Idempotency-Key": "1"}), 201)["items"]
    assert again == made
    assert len({one["series"] for one in made}) == 1
    answer = phone.delete(f"/reservations/{made[1]['key']}?scope=this_and_later")
    assert answer.status_code == 204
    states = {one["key"]: one["state"] for one in told(phone.get("/me/reservations"))["items"]}
    assert [states[one["key"]] for one in made] == ["approved", "cancelled"]
    the_problem(phone.delete(f"/reservations/{made[0]['key']}?scope=some"), 422, "invalid")


def test_a_series_is_for_a_group_one_leads(door: Door, town: Town, centre: Centre) -> None:
    choir = a_group(town, town.resident)
    weeks = asked(9) | {"group": choir.key, "weeks": 2}
    address = f"/venues/{centre.left.key}/reservation-series"
    the_problem(door.phone(town.neighbour).post(address, json=weeks), 404, "no_group")
    phone = door.phone(town.resident)
    for wrong, field in (({"weeks": 1}, "weeks"), ({"weeks": 5}, "weeks"), ({"days": []}, "days")):
        problem = the_problem(phone.post(address, json=weeks | wrong), 422, "invalid")
        assert [error["field"] for error in problem["errors"]] == [field]


def test_a_room_of_review_waits_for_staff(door: Door, town: Town, centre: Centre) -> None:
    made = reserves(door.phone(town.resident), centre.dance_room, on=SUNDAY)
    assert (made["state"], made["state_label"], made["because"]) == ("pending", "待审核", "")
    answer = door.phone(town.neighbour).post(
        f"/venues/{centre.dance_room.key}/reservations", json=asked(10, on=SUNDAY)
    )
    assert the_problem(answer, 409, "room_taken")["details"]["may_wait"]


def test_phones_of_others_never_show_the_code(door: Door, town: Town, centre: Centre) -> None:
    made = reserves(door.phone(town.resident), centre.reading_room)
    answer = door.phone(town.neighbour).post(f"/venues/{centre.reading_room.key}/reservations", json=asked(9))
    assert the_problem(answer, 409, "room_taken")
    for seen in (
        answer,
        door.phone().get(f"/venues/{centre.reading_room.key}/availability"),
        door.phone(town.neighbour).get(f"/venues/{centre.reading_room.key}/availability"),
    ):
        for secret in (made["code"], made["key"], town.resident.key, "陈静"):
            assert secret not in seen.text
