"""Rooms are closed, taken for a public need, and closed in an emergency; everybody concerned is asked, and says yes, no, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tests.month.opening import HALL, LEFT, MEETING, PAINTING, RIGHT, SALON, TABLE, decided
from tests.month.playing import Month
from tests.people import Person
from tests.phones import Phone, the_problem, told
from tests.playing import at

BURST, FLOOD, LEAK = "水管检修", "防汛演练", "屋顶漏水"


def _wanted(
    month: Month, kind: str, rooms: Sequence[str], ends_at: datetime, starts_at: datetime | None = None
) -> dict[str, Any]:
    return {
        "kind": kind,
        "site": month.known["site"],
        "venues": [month.rooms[room] for room in rooms],
        "ends_at": ends_at.isoformat(),
        **({"starts_at": starts_at.isoformat()} if starts_at else {}),
    }


def _closes(month: Month, phone: Phone, wanted: dict[str, Any], because: str, **more: Any) -> dict[str, Any]:
    """As the plan says that is looked at now."""
    plan = told(phone.post("/staff/closures/look", json=wanted))
    sent = {**wanted, "because": because, "fingerprint": plan["fingerprint"], **more}
    closure: dict[str, Any] = told(phone.post("/staff/closures", json=sent), 201)
    return closure


def _question(month: Month, who: Person) -> str:
    """The only question somebody is asked now."""
    (asked,) = told(month.phone(who).get("/me/room-questions"))["items"]
    return str(asked["key"])


def _answers(month: Month, who: Person, *, accepts: bool) -> None:
    path = f"/room-questions/{_question(month, who)}/answer"
    told(month.phone(who).put(path, json={"accepts": accepts}))


# --- a repair -----------------------------------------------------------------------------------------------------


def four_plan_for_tuesday(month: Month) -> None:
    """In the room that will be closed."""
    town = month.town
    for called, who, hour in (
        ("晨读", town.helper, 9),
        ("下午会", town.resident, 14),
        ("夜谈", town.guardian, 16),
        ("茶话", town.neighbour, 19),
    ):
        assert month.takes(called, who, MEETING, at(9, 29, hour)) == "approved"


def two_rooms_are_closed_for_a_day(month: Month) -> None:
    """Each is proposed another room at the same hour; one of them the clerk puts at another hour, and calls the unit's hours off."""
    wanted = _wanted(month, "closure", [MEETING, SALON], at(9, 29, 21), at(9, 29, 8, 30))
    plan = told(month.clerk.post("/staff/closures/look", json=wanted))
    proposed = {
        one["thing"]: (one["remedy"], one["to_venue"] and one["to_venue"]["name"]) for one in plan["items"]
    }
    assert [proposed.pop(month.known[called]) for called in ("晨读", "下午会", "夜谈", "茶话")] == [
        ("move", TABLE)
    ] * 4
    ((hours_of_the_unit, (remedy, _)),) = proposed.items()
    assert remedy == "move"
    stale = {**wanted, "because": BURST, "fingerprint": "0" * 16}
    changed = the_problem(month.clerk.post("/staff/closures", json=stale), 409, "plan_changed")
    assert changed["details"]["plan"]["fingerprint"] == plan["fingerprint"]
    later = {
        "thing": month.known["下午会"],
        "remedy": "move",
        "venue": month.rooms[PAINTING],
        "starts_at": at(9, 29, 11).isoformat(),
        "ends_at": at(9, 29, 13).isoformat(),
    }
    let_go = {"thing": hours_of_the_unit, "remedy": "call_off"}
    month.known["检修"] = _closes(month, month.clerk, wanted, BURST, choices=[later, let_go])["key"]
    (public,) = told(month.anybody.get(f"/sites/{month.known['site']}/closures"))["items"]
    assert (public["because"], {room["name"] for room in public["venues"]}) == (BURST, {MEETING, SALON})


def one_says_yes_and_one_says_no(month: Month) -> None:
    """And two say nothing."""
    _answers(month, month.town.helper, accepts=True)
    _answers(month, month.town.guardian, accepts=False)
    assert month.state("夜谈") == "overridden"
    (closure,) = told(month.clerk.get(f"/staff/closures?site={month.known['site']}"))["items"]
    assert closure["answers"] == {"asked": 4, "accepted": 1, "declined": 1, "silent": 0, "open": 2}


def silence_keeps_the_hour_and_nothing_else(month: Month) -> None:
    """A day later: the same hour in another room is kept, another hour is nobody's promise."""
    assert (month.state("下午会"), month.state("茶话")) == ("overridden", "approved")
    closure = told(month.clerk.get(f"/staff/closures/{month.known['检修']}"))
    assert closure["answers"] == {"asked": 4, "accepted": 1, "declined": 1, "silent": 2, "open": 0}
    assert month.credit(month.town.resident) == (100, False)


def readers_read_at_the_table(month: Month) -> None:
    month.checks_in("晨读", month.town.helper)


def readers_have_read(month: Month) -> None:
    month.signs_out("晨读", month.town.helper)


def tea_is_had_at_the_table(month: Month) -> None:
    month.checks_in("茶话", month.town.neighbour)


def tea_is_over(month: Month) -> None:
    month.signs_out("茶话", month.town.neighbour)


def what_was_lost_is_made_good(month: Month) -> None:
    """Whoever lost a room has one beyond the two of a week, once."""
    guardian = month.town.guardian
    for called, day in (("补一", 8), ("补二", 9), ("补三", 10)):
        assert month.takes(called, guardian, MEETING, at(10, day, 9)) == "approved"
    the_problem(month.asks(guardian, MEETING, at(10, 11, 9)), 409, "reservation_limit")
    leader = month.cast["leader"]
    assert month.takes("排练", leader, RIGHT, at(10, 10, 14), wanted_for="rehearsal") == "pending"
    assert decided(month, {month.known["排练"]: ""})["done"] == 1


def made_good_begins(month: Month) -> None:
    month.checks_in("补一", month.town.guardian)


def made_good_is_over(month: Month) -> None:
    month.signs_out("补一", month.town.guardian)


# --- a public need --------------------------------------------------------------------------------------------------


def the_hall_is_taken_for_a_public_need(month: Month) -> None:
    """By who answers for the community, for a class is moved; a day's notice is the least."""
    tomorrow = _wanted(month, "public_need", [MEETING], at(10, 9, 12), at(10, 9, 8, 30))
    plan = told(month.admin.post("/staff/closures/look", json=tomorrow))
    sent = {**tomorrow, "because": FLOOD, "fingerprint": plan["fingerprint"]}
    the_problem(month.admin.post("/staff/closures", json=sent), 409, "notice_too_short")
    wanted = _wanted(month, "public_need", [HALL, LEFT, RIGHT], at(10, 10, 18), at(10, 10, 8, 30))
    plan = told(month.clerk.post("/staff/closures/look", json=wanted))
    assert [(one["noun"], one["to_venue"]["name"]) for one in plan["items"]] == [
        ("course_session", PAINTING),
        ("reservation", TABLE),
    ]
    sent = {**wanted, "because": FLOOD, "fingerprint": plan["fingerprint"]}
    the_problem(month.clerk.post("/staff/closures", json=sent), 403, "admin_needed")
    closure = _closes(month, month.admin, wanted, FLOOD, offers="可优先改约一次")
    assert closure["answers"]["asked"] == 3


def two_who_learn_answer(month: Month) -> None:
    """Who cannot come has missed nothing."""
    _answers(month, month.town.resident, accepts=True)
    _answers(month, month.town.neighbour, accepts=False)


def the_rest_of_what_was_made_good_is_given_up(month: Month) -> None:
    for called in ("补二", "补三"):
        month.gives_up(called, month.town.guardian)


def the_leader_rehearses_at_the_table(month: Month) -> None:
    month.checks_in("排练", month.cast["leader"])


def the_leader_has_rehearsed(month: Month) -> None:
    month.signs_out("排练", month.cast["leader"])


# --- an emergency ---------------------------------------------------------------------------------------------------


def two_plan_for_sunday(month: Month) -> None:
    assert (
        month.takes("球五", month.cast["deputy"], TABLE, at(10, 11, 9, 30), wanted_for="games") == "approved"
    )
    assert month.takes("球六", month.town.resident, TABLE, at(10, 11, 14), wanted_for="games") == "approved"


def sunday_begins(month: Month) -> None:
    month.checks_in("球五", month.cast["deputy"])


def it_rains_in(month: Month) -> None:
    """Nobody is sent away but in an emergency, and then nobody is charged for it."""
    wanted = _wanted(month, "closure", [TABLE], at(10, 11, 21))
    plan = told(month.clerk.post("/staff/closures/look", json=wanted))
    sent = {**wanted, "because": LEAK, "fingerprint": plan["fingerprint"]}
    the_problem(month.clerk.post("/staff/closures", json=sent), 409, "room_in_use")
    closed = _closes(month, month.clerk, wanted, LEAK, emergency_because="天花板往下滴水")
    month.known["漏水"] = closed["key"]
    assert {one["remedy"] for one in closed["items"]} == {"end_now", "move"}
    assert month.state("球五") == "finished"
    month.was_used("球五")
    assert month.used[TABLE] % 60 == 30, "half an hour of it"
    assert month.row("球六").venue.name == SALON


def staff_answer_for_who_phoned(month: Month) -> None:
    """And somebody waits for the table itself."""
    said = {"accepts": True, "because": "本人来电"}
    path = f"/staff/room-questions/{_question(month, month.town.resident)}/answer"
    told(month.clerk.put(path, json=said))
    helper = month.town.helper
    the_problem(month.asks(helper, TABLE, at(10, 11, 19)), 409, "room_taken")
    assert month.takes("球七", helper, TABLE, at(10, 11, 19), waits=True, wanted_for="games") == "waitlisted"


def the_roof_is_mended(month: Month) -> None:
    """What is open again is offered to who waits for it; what was moved stays where it is."""
    path = f"/staff/closures/{month.known['漏水']}/lifting"
    told(month.clerk.put(path, json={"because": "修好了"}))
    assert month.state("球七") == "offered"
    assert month.row("球六").venue.name == SALON


def who_waited_for_the_table_accepts(month: Month) -> None:
    assert month.accepts("球七", month.town.helper) == "approved"


def sunday_afternoon_begins(month: Month) -> None:
    month.checks_in("球六", month.town.resident)


def sunday_afternoon_is_over(month: Month) -> None:
    month.signs_out("球六", month.town.resident)


def sunday_evening_begins(month: Month) -> None:
    month.checks_in("球七", month.town.helper)


def sunday_evening_is_over(month: Month) -> None:
    month.signs_out("球七", month.town.helper)
