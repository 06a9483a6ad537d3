"""The four weeks: rooms are used, left early, left empty, given up late, damaged; and what follows from it."""

from __future__ import annotations

from tests.month.opening import (
    CHOIR,
    COUNCIL,
    DANCE,
    HALL,
    LEFT,
    MEETING,
    PAINTING,
    RIGHT,
    TABLE,
    decided,
)
from tests.month.playing import Month
from tests.phones import the_problem, told
from tests.playing import at

# --- the first week --------------------------------------------------------------------------------------------------


def the_second_in_line_accepts(month: Month) -> None:
    """The first let it pass; the third waits for something else still."""
    assert month.state("晨会候补一") == "cancelled"
    late = month.phone(month.town.neighbour).put(f"{month.path('晨会候补一')}/acceptance")
    the_problem(late, 409, "no_offer")
    for _ in range(2):
        assert month.accepts("晨会候补二", month.town.guardian) == "approved"


def the_unit_serves(month: Month) -> None:
    """It writes down what it gave, and staff confirm it."""
    sent = {"done_on": "2026-09-15", "minutes": 180, "what": "一对一咨询", "people_served": 4}
    served(month, sent)


def served(month: Month, sent: dict[str, object]) -> None:
    """One delivery, written down and confirmed."""
    path = f"/partner/service-agreements/{month.known['agreement']}/deliveries"
    key = told(month.of_unit.post(path, json=sent), 201)["key"]
    told(month.clerk.put(f"/staff/service-deliveries/{key}/confirmation"))


def nobody_comes_to_the_table(month: Month) -> None:
    """A quarter of an hour after the start whoever waits has the rest of it."""
    assert month.state("球一") == "no_show"
    assert month.credit(month.cast["careless"]) == (85, False)
    assert month.row("球候补").starts_at == at(9, 15, 19, 30)
    assert month.accepts("球候补", month.town.resident) == "approved"


def who_waited_plays(month: Month) -> None:
    """With the digits on the door."""
    wrong = month.phone(month.town.resident).put(
        f"{month.path('球候补')}/check-in", json={"door_code": month.door_codes[MEETING]}
    )
    the_problem(wrong, 409, "door_code_wrong")
    month.checks_in("球候补", month.town.resident)


def who_waited_has_played(month: Month) -> None:
    """Half an hour early: it is free at once."""
    month.signs_out("球候补", month.town.resident)
    assert free_at(month, TABLE, "2026-09-15")[-1] == ("20:30", "21:00")


def free_at(month: Month, room: str, on: str) -> list[tuple[str, str]]:
    """What is free of a room on a day, as everybody sees it."""
    (day,) = told(month.anybody.get(f"/venues/{month.rooms[room]}/availability?first={on}&days=1"))["days"]
    return [(one["starts_at"][11:16], one["ends_at"][11:16]) for one in day["free"]]


def the_meeting_begins(month: Month) -> None:
    month.checks_in("晨会候补二", month.town.guardian)


def the_meeting_ends_early(month: Month) -> None:
    month.signs_out("晨会候补二", month.town.guardian)
    assert month.state("读报") == "offered"


def who_waited_for_later_hours_has_them(month: Month) -> None:
    assert month.accepts("读报", month.cast["deputy"]) == "approved"


def the_readers_are_there(month: Month) -> None:
    month.checks_in("读报", month.cast["deputy"])


def the_readers_leave(month: Month) -> None:
    month.signs_out("读报", month.cast["deputy"])


def the_choir_sings(month: Month) -> None:
    """In a half of the hall: the other half is free, the whole of it is not."""
    month.checks_in("合唱第一周", month.cast["leader"])
    own = month.wish(at(9, 16, 14), headcount=40, wanted_for="public_event", about="消防演练")
    late = month.clerk.post(f"/staff/venues/{month.rooms[HALL]}/reservations", json=own)
    the_problem(late, 409, "room_taken")
    made = told(month.clerk.post(f"/staff/venues/{month.rooms[LEFT]}/reservations", json=own), 201)
    month.known["演练"] = made["key"]


def the_choir_has_sung(month: Month) -> None:
    """Ten minutes early; the room is cleaned, and free afterwards."""
    month.signs_out("合唱第一周", month.cast["leader"])
    assert free_at(month, RIGHT, "2026-09-16") == [("08:30", "14:00"), ("16:00", "21:00")]


def two_projectors_are_lent(month: Month) -> None:
    """There are two of them, and a third is for nobody."""
    lent = told(month.anybody.get(f"/venues/{month.rooms[MEETING]}"))["equipment"]
    projector = next(one["key"] for one in lent if one["name"] == "投影仪")
    month.known["projector"] = projector
    equipment = [{"equipment": projector, "pieces": 2}]
    assert (
        month.takes("放映", month.town.neighbour, MEETING, at(9, 18, 14), equipment=equipment) == "approved"
    )
    own = month.wish(at(9, 18, 14), about="党员大会", equipment=[{"equipment": projector, "pieces": 1}])
    path = f"/staff/venues/{month.rooms[COUNCIL]}/reservations"
    short = the_problem(month.clerk.post(path, json=own), 409, "equipment_short")
    assert [one["name"] for one in short["details"]["short"]] == ["投影仪"]
    month.known["党员大会"] = told(month.clerk.post(path, json={**own, "equipment": []}), 201)["key"]
    month.takes("球二", month.cast["careless"], TABLE, at(9, 18, 19), wanted_for="games")


def the_elder_is_let_in_by_staff(month: Month) -> None:
    there = told(month.clerk.put(f"/staff{month.path('练字')}/check-in"))
    assert (there["state"], there["name"]) == ("checked_in", "王*奶")


def the_elder_leaves(month: Month) -> None:
    told(month.clerk.put(f"/staff{month.path('练字')}/sign-out", json={"condition": "good"}))
    month.was_used("练字")


def a_showing_is_given_up_late(month: Month) -> None:
    """An hour before: it costs, and the room and its projectors are a neighbour's."""
    month.gives_up("放映", month.town.neighbour)
    assert month.row("放映").cancelled_late
    assert month.credit(month.town.neighbour) == (95, False)
    equipment = [{"equipment": month.known["projector"], "pieces": 2}]
    assert month.takes("补映", month.town.guardian, MEETING, at(9, 18, 14), equipment=equipment) == "approved"


def the_showing_begins(month: Month) -> None:
    month.checks_in("补映", month.town.guardian)


def the_showing_is_over(month: Month) -> None:
    month.signs_out("补映", month.town.guardian)


def three_ask_for_a_review(month: Month) -> None:
    """Staff say yes to one, no to another, and see the third too late."""
    cast, town = month.cast, month.town
    assert month.takes("议事", cast["deputy"], COUNCIL, at(9, 21, 19), wanted_for="deliberation") == "pending"
    assert month.takes("独舞", town.resident, DANCE, at(9, 23, 14), wanted_for="rehearsal") == "pending"
    assert month.takes("晨舞", town.helper, DANCE, at(9, 22, 9), wanted_for="rehearsal") == "pending"
    desk = told(month.clerk.get("/staff/reservations?state=pending"))["items"]
    assert {one["key"] for one in desk} == {month.known[name] for name in ("议事", "独舞", "晨舞")}
    answer = decided(month, {month.known["议事"]: "", month.known["独舞"]: "地板在保养"})
    assert [row["state"] for row in answer["items"]] == ["approved", "rejected"]


def what_the_community_had_itself_is_over(month: Month) -> None:
    """By itself, when its time is over."""
    for called in ("演练", "党员大会"):
        assert month.state(called) == "finished"
        month.was_used(called)


def a_sunday_is_worked(month: Month) -> None:
    """20 September is a working day for National Day, and so is the room that is open on working days alone."""
    week = told(month.anybody.get(f"/sites/{month.known['site']}/availability?first=2026-09-19&days=2"))
    counsel = month.rooms["心理咨询室"]
    opened = {
        day["on"]: [bool(room["open"]) for room in day["rooms"] if room["venue"] == counsel]
        for day in week["days"]
    }
    assert opened == {"2026-09-19": [False], "2026-09-20": [True]}


# --- the second week -------------------------------------------------------------------------------------------------


def the_choir_has_another_leader(month: Month) -> None:
    path = f"/me/groups/{month.known['choir']}/handover-codes"
    code = told(month.phone(month.cast["leader"]).post(path), 201)["code"]
    taken = told(month.phone(month.cast["deputy"]).post("/me/group-leaderships", json={"code": code}), 201)
    assert taken["name"] == CHOIR
    gone = month.phone(month.cast["leader"]).get(month.path("合唱第三周"))
    the_problem(gone, 404, "not_found")
    assert told(month.phone(month.cast["deputy"]).get(month.path("合唱第三周")))["state"] == "approved"


def the_table_is_taken_a_third_time(month: Month) -> None:
    month.takes("球三", month.cast["careless"], TABLE, at(9, 22, 19), wanted_for="games")


def the_council_meets(month: Month) -> None:
    """And nobody signs out afterwards."""
    month.checks_in("议事", month.cast["deputy"])


def the_council_was_not_signed_out_of(month: Month) -> None:
    assert month.state("议事") == "finished"
    month.was_used("议事")
    assert month.credit(month.cast["deputy"]) == (98, False)
    assert month.state("晨舞") == "expired"


def three_empty_rooms_pause_reserving(month: Month) -> None:
    """One appeal comes too late, another is heard."""
    careless = month.cast["careless"]
    assert month.credit(careless) == (55, True)
    the_problem(month.asks(careless, TABLE, at(9, 24, 9)), 409, "reserving_paused")
    entries = told(month.phone(careless).get("/me/credit"))["items"]
    assert [entry["why"] for entry in entries] == ["no_show"] * 3
    phone, words = month.speaking(careless), {"words": "那天老人住院"}
    late = phone.put(f"/me/credit-entries/{entries[2]['key']}/appeal", json=words)
    the_problem(late, 409, "appeal_too_late")
    told(phone.put(f"/me/credit-entries/{entries[1]['key']}/appeal", json=words))


def the_appeal_is_granted(month: Month) -> None:
    (waiting,) = told(month.clerk.get("/staff/credit-appeals"))["items"]
    decision = {"granted": True, "because": "情况属实"}
    told(month.clerk.put(f"/staff/credit-entries/{waiting['key']}/decision", json=decision))
    careless = month.cast["careless"]
    assert month.credit(careless) == (70, False)
    month.takes("球四", careless, TABLE, at(9, 24, 9), wanted_for="games")


def somebody_plans_for_the_end_of_the_month(month: Month) -> None:
    """The day opens at eight, seven days before; who comes second waits."""
    assert month.takes("月末", month.cast["leaver"], MEETING, at(9, 30, 9)) == "approved"
    assert month.takes("月末候补", month.town.neighbour, MEETING, at(9, 30, 9), waits=True) == "waitlisted"
    the_problem(month.asks(month.town.neighbour, MEETING, at(10, 1, 9)), 409, "not_open_yet")


def the_table_is_used(month: Month) -> None:
    month.checks_in("球四", month.cast["careless"])


def the_net_is_torn(month: Month) -> None:
    """It was used as reserved, and damaged: that pauses reserving for ten days."""
    careless = month.cast["careless"]
    month.signs_out("球四", careless)
    assert month.credit(careless) == (75, False)
    told(month.clerk.put(f"/staff{month.path('球四')}/damage", json={"note": "球网扯破了"}))
    assert month.credit(careless) == (45, True)


def holidays_have_hours_of_their_own(month: Month) -> None:
    closed = the_problem(month.asks(month.town.resident, MEETING, at(9, 26, 18)), 409, "closed_then")
    assert "09:00-17:00" in closed["detail"]


def staff_reserve_for_the_elder(month: Month) -> None:
    """At the counter, by the same rules; nobody but a call can tell the elder."""
    sent = {**month.wish(at(9, 28, 10)), "resident": month.town.elder.key}
    made = told(month.clerk.post(f"/staff/venues/{month.rooms[PAINTING]}/reservations", json=sent), 201)
    month.known["写春联"] = made["key"]
    assert made["state"] == "approved"


def somebody_leaves_the_town(month: Month) -> None:
    """What they had reserved is offered to who waits for it."""
    leaver = month.phone(month.cast["leaver"])
    closure = told(leaver.get("/me/closure"))
    assert [room["key"] for room in closure["rooms"]] == [month.known["月末"]]
    month.leaves("leaver")
    assert leaver.delete(f"/me?closure={closure['closure']}").status_code == 204
    assert month.state("月末候补") == "offered"


def who_waited_for_the_leaver_accepts(month: Month) -> None:
    assert month.accepts("月末候补", month.town.neighbour) == "approved"


# --- the third and the fourth ----------------------------------------------------------------------------------------


def the_unit_makes_good(month: Month) -> None:
    """It was a week behind, and everybody concerned heard of it."""
    figures = told(month.of_unit.get("/partner/service-agreements"))["items"][0]["figures"]
    assert (figures["promised"], figures["confirmed"]) == (20, 3.0)
    served(month, {"done_on": "2026-09-22", "minutes": 360, "what": "家庭讲座", "people_served": 30})


def the_unit_serves_again(month: Month) -> None:
    """And writes it down twice: the second is declined, with a reason."""
    sent = {"done_on": "2026-09-29", "minutes": 180, "what": "一对一咨询", "people_served": 5}
    served(month, sent)
    path = f"/partner/service-agreements/{month.known['agreement']}/deliveries"
    twice = told(month.of_unit.post(path, json=sent), 201)
    because = {"because": "和上一条重复了"}
    told(month.clerk.put(f"/staff/service-deliveries/{twice['key']}/declining", json=because))
    figures = told(month.of_unit.get("/partner/service-agreements"))["items"][0]["figures"]
    assert (figures["delivered"], figures["confirmed"]) == (12.0, 12.0)


def the_elder_writes(month: Month) -> None:
    told(month.clerk.put(f"/staff{month.path('写春联')}/check-in"))


def the_elder_has_written(month: Month) -> None:
    told(month.clerk.put(f"/staff{month.path('写春联')}/sign-out", json={"condition": "good"}))
    month.was_used("写春联")


def the_end_of_the_month_is_planned(month: Month) -> None:
    month.checks_in("月末候补", month.town.neighbour)


def the_end_of_the_month_was_planned(month: Month) -> None:
    month.signs_out("月末候补", month.town.neighbour)
    assert month.credit(month.town.neighbour) == (100, False)


def the_choir_shows_its_code(month: Month) -> None:
    """Staff type it in at the room."""
    code = told(month.phone(month.cast["deputy"]).get(month.path("合唱第三周")))["code"]
    there = told(month.clerk.post(f"/staff/venues/{month.rooms[RIGHT]}/check-ins", json={"code": code}))
    assert there["key"] == month.known["合唱第三周"]


def the_choir_goes_home(month: Month) -> None:
    month.signs_out("合唱第三周", month.cast["deputy"])


def the_choir_stays_away(month: Month) -> None:
    """On the holiday nobody sings; that is the choir's credit, not its leader's."""
    assert month.state("合唱第四周") == "no_show"
    deputy = month.cast["deputy"]
    assert month.credit(deputy, group=month.known["choir"]) == (85, False)
    assert month.credit(deputy) == (98, False)
