"""From the first evening on: checking in, leave, who did not come, and what a class leaves behind."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import openpyxl
from icalendar import Calendar

from models import clock as town_clock
from tests.phones import the_problem, told
from tests.playing import at
from tests.term.playing import Term

# --- on the day ---------------------------------------------------------------------------------------------------


def staff_copy_a_paper_list(term: Term) -> None:
    """Everybody drawn came to 书法."""
    lines = told(term.clerk.get(f"{term.staff_run('书法')}/registrations"))["items"]
    rows = [
        {"registration": line["key"], "state": "present"} for line in lines if line["state"] == "confirmed"
    ]
    answer = told(term.clerk.put(f"/staff{term.evening('书法')}/attendance", json={"rows": rows}))
    assert [line["verdict_label"] for line in answer["items"]] == ["已登记"] * 2


def a_guardian_names_who_fetches_the_child(term: Term) -> None:
    grandmother = {"name": "李奶奶", "phone": "13900000010", "relation": "grandparent"}
    path = f"{term.run('小小画家')}/pick-up-adults?for={_child(term)}"
    told(term.speaking(term.town.guardian).put(path, json={"adults": [grandmother]}))


def the_child_comes_and_is_fetched(term: Term) -> None:
    """By somebody who was named; who was not takes no child home."""
    meeting = term.evening("小小画家")
    phone = term.phone(term.town.guardian)
    code = {"code": _digits(term, meeting)}
    assert told(phone.put(f"{meeting}/check-in?for={_child(term)}", json=code))["state"] == "present"
    (line,) = told(term.clerk.get(f"/staff{meeting}/pick-ups"))["items"]
    fetchers = {one["name"]: one["key"] for one in line["fetchers"]}
    assert (line["waits"], set(fetchers)) == (True, {"李强", "李奶奶"})
    path, mine = f"/staff{meeting}/pick-ups", {"registration": line["registration"]}
    stranger = term.clerk.put(path, json={**mine, "adult": term.town.outsider.key})
    the_problem(stranger, 409, "adult_not_named")
    gone = told(term.clerk.put(path, json={**mine, "adult": fetchers["李奶奶"]}))
    assert (gone["waits"], gone["fetched_by"]) == (False, "李奶奶")


def _child(term: Term) -> str:
    wards = told(term.phone(term.town.guardian).get("/me"))["wards"]
    return next(str(ward["key"]) for ward in wards if ward["name"] == "李小明")


def dancers_check_in(term: Term) -> None:
    """One with the digits on the screen, one by the code on the phone; a third does not come."""
    meeting = term.evening("民族舞")
    digits = _digits(term, meeting)
    there = told(term.phone(term.town.resident).put(f"{meeting}/check-in", json={"code": digits}))
    assert there["state_label"] == "到课"
    elsewhere = term.phone(term.town.resident).put(
        f"{term.evening('口才与表达')}/check-in", json={"code": digits}
    )
    assert elsewhere.status_code == 409, "a code of one class checks nobody into another"
    code = told(term.phone(term.town.guardian).get("/me/check-in-code"))["code"]
    scanned = told(term.clerk.post(f"/staff{meeting}/check-ins", json={"code": code}))
    assert (scanned["name"], scanned["state"]) == ("李强", "present")


def _digits(term: Term, meeting: str) -> str:
    """What somebody in the room reads from the screen."""
    screen = told(term.clerk.put(f"/staff{meeting}/screen"))["path"]
    found = re.search(r'class="digits"[^>]*>(\d{3}) (\d{3})<', term.anybody.client.get(screen).text)
    assert found is not None
    return found[1] + found[2]


def the_elders_helper_asks_for_leave(term: Term) -> None:
    path = f"{term.evening('口才与表达')}/leave?for={term.senior.key}"
    assert told(term.phone(term.town.helper).put(path, json={"reason": "unwell"}))["state_label"] == "请假"


def speakers_are_on_the_paper_list(term: Term) -> None:
    rows = [
        {"registration": term.line_of("口才与表达", name), "state": "present"} for name in ("陈静", "王奶奶")
    ]
    told(term.clerk.put(f"/staff{term.evening('口才与表达')}/attendance", json={"rows": rows}))
    sheet = told(term.clerk.get(f"/staff{term.evening('口才与表达')}/attendance"))["items"]
    assert {line["name"]: line["state"] for line in sheet} == {
        "陈静": "present",
        "刘洋": None,
        "孙奶奶": "leave",
        "王奶奶": "present",
    }


def painters_were_seen_without_a_network(term: Term) -> None:
    """What the device saw is sent when it is online again, twice, and counts once."""
    items = [
        {
            "event": f"pad-{number}",
            "seen_at": at(12, 3, 17, 50).isoformat(),
            "registration": term.line_of("团扇绘画", name),
        }
        for number, name in enumerate(("陈静", "赵敏", "李强"))
    ]
    stranger = {**items[0], "event": "pad-9", "registration": term.line_of("民族舞", "陈静")}
    path = f"/staff{term.evening('团扇绘画')}/check-ins/batch"
    first = told(term.clerk.post(path, json={"items": [*items, stranger]}))
    assert [item["verdict"] for item in first["items"]] == ["accepted"] * 3 + ["not_of_this_session"]
    assert told(term.clerk.post(path, json={"items": [*items, stranger]})) == first


# --- who did not come ---------------------------------------------------------------------------------------------


def three_absences_pause_registering(term: Term) -> None:
    phone = term.phone(term.town.neighbour)
    mine = told(phone.get("/me/attendance"))
    assert [item["title"] for item in mine["items"] if item["state"] == "absent"] == [
        "团扇绘画",
        "口才与表达",
        "民族舞",
    ]
    assert mine["misses"] == 3
    assert mine["paused_until"] is not None
    the_problem(phone.put(f"{term.run('咖啡拉花')}/registration"), 409, "paused")
    assert [one["name"] for one in told(term.clerk.get("/staff/pauses"))["items"]] == ["刘洋"]


def the_absent_one_appeals(term: Term) -> None:
    path = f"{term.evening('团扇绘画')}/appeal"
    told(term.speaking(term.town.neighbour).put(path, json={"words": "那天孩子发烧"}))


def staff_grant_the_appeal(term: Term) -> None:
    (waiting,) = told(term.clerk.get("/staff/absence-appeals"))["items"]
    decision = {"decision": "granted", "because": "情况属实"}
    told(term.clerk.put(f"/staff/absence-appeals/{waiting['key']}/decision", json=decision))
    mine = told(term.phone(term.town.neighbour).get("/me/attendance"))
    assert (mine["misses"], mine["paused_until"]) == (2, None)
    assert term.taps(term.town.neighbour, "咖啡拉花")["state"] == "waitlisted"


# --- what a class leaves behind -----------------------------------------------------------------------------------


def painters_have_certificates(term: Term) -> None:
    """The town completed the class by itself, half a day after its last evening."""
    listed = told(term.clerk.get(f"{term.staff_run('团扇绘画')}/certificates"))["items"]
    assert {one["name"] for one in listed} == {"陈静", "赵敏", "李强"}
    phone = term.phone(term.town.resident)
    mine = told(phone.get(f"{term.run('团扇绘画')}/certificate"))
    checked = told(term.anybody.get(f"/certificates/{mine['code']}"))
    assert (checked["is_valid"], checked["name"], checked["title"]) == (True, "*静", "团扇绘画")
    printed = phone.get(f"{term.run('团扇绘画')}/certificate/file")
    assert printed.data.startswith(b"%PDF")
    none = term.phone(term.town.neighbour).get(f"{term.run('团扇绘画')}/certificate")
    the_problem(none, 404, "no_certificate")
    record = told(phone.get("/me/record"))
    assert "团扇绘画" in [taken["title"] for taken in record["items"] if taken["state_label"] == "已结业"]


def painters_say_how_it_was(term: Term) -> None:
    sent = {"stars": 5, "text": "老师很耐心"}
    told(term.speaking(term.town.resident).put(f"{term.run('团扇绘画')}/feedback", json=sent))
    never_there = term.speaking(term.town.neighbour).put(f"{term.run('团扇绘画')}/feedback", json=sent)
    the_problem(never_there, 409, "not_attended")
    heard = told(term.clerk.get(f"{term.staff_run('团扇绘画')}/feedback"))
    assert [(line["stars"], line["text"]) for line in heard["items"]] == [(5, "老师很耐心")]


def classes_stand_in_the_calendar(term: Term) -> None:
    path = told(term.phone(term.town.helper).put("/me/calendar"))["path"]
    answer = term.anybody.get(path)
    assert answer.mimetype == "text/calendar"
    events = Calendar.from_ical(answer.data).walk("VEVENT")
    assert any("咖啡拉花" in str(event["SUMMARY"]) for event in events)


def lists_are_printed(term: Term) -> None:
    for kind in ("roster", "sign_in"):
        sent = {"kind": kind, "purpose": "归档"}
        answer = term.clerk.post(f"{term.staff_run('团扇绘画')}/sheets", json=sent)
        assert answer.status_code == 200, answer.text
        (page,) = openpyxl.load_workbook(BytesIO(answer.data)).worksheets
        written = " ".join(str(cell) for row in page.iter_rows(values_only=True) for cell in row)
        assert "陈静" in written
        assert "归档" in written


def the_course_runs_again_next_term(term: Term) -> None:
    course = told(term.anybody.get(term.run("团扇绘画")))["course"]
    told(term.phone(term.town.outsider).put(f"/me/follows/courses/{course}"))
    copy: dict[str, Any] = told(
        term.clerk.post(f"{term.staff_run('团扇绘画')}/copy", json={"first_on": "2027-03-04"}), 201
    )
    assert (copy["decided"], copy["seats_taken"], copy["title"]) == ("draft", 0, "团扇绘画")
    term.classes["团扇绘画再开班"] = copy["key"]
    told(term.clerk.put(f"{term.staff_run('团扇绘画再开班')}/publication", json={"at_the_hour": True}))


def nobody_is_asked_after_what_is_over(term: Term) -> None:
    """Whoever still waits when a class begins is offered nothing any more."""
    mine = told(term.phone(term.town.outsider).get("/me/registrations?limit=50"))["items"]
    waits = [one["run"]["title"] for one in mine if one["state"] == "waitlisted"]
    assert waits == ["手机课堂", "咖啡拉花"]
    assert town_clock.now() > at(12, 5, 14)
