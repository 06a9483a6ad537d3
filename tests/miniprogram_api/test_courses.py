"""This week's classes and the one tap, through the door: what is shown, what is taken, and every no."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.consents import PRIVACY_POLICY
from models.courses import Audience, CourseRun, Seating
from models.journal import JournalEntry
from tests.people import FIRST_EVENING, OPENS_AT, Town, a_bond, a_person_without_phone, raise_capacity
from tests.phones import Door, Phone, the_problem, told

PARTS = {
    "key",
    "run",
    "resident",
    "state",
    "state_label",
    "position",
    "registered_at",
    "seats",
    "ticket",
    "offer_expires_at",
}


def tap(run: CourseRun) -> str:
    return f"/course-runs/{run.key}/registration"


def titles(phone: Phone, query: str = "") -> list[str]:
    return [item["title"] for item in told(phone.get(f"/course-runs{query}"))["items"]]


# --- the list -----------------------------------------------------------------------------------------------------


def test_everybody_sees_the_published_classes_by_first_evening(door: Door, town: Town) -> None:
    later = FIRST_EVENING + timedelta(days=1)
    town.a_run(title="国画", starts_at=later)
    town.a_run(title="书法")
    town.a_run(title="草稿", published=False)
    listed = told(door.phone().get("/course-runs"))
    assert [item["title"] for item in listed["items"]] == ["书法", "国画"]
    assert listed["next"] is None


def test_a_class_tells_everything_a_person_needs_to_decide(door: Door, town: Town) -> None:
    run = town.a_run(title="书法", evenings=2, min_age=18, max_age=60, teacher="王老师")
    shown = told(door.phone().get(f"/course-runs/{run.key}"))
    assert shown == told(door.phone().get("/course-runs"))["items"][0]
    assert (shown["title"], shown["teacher"], shown["category"]) == ("书法", "王老师", "艺术")
    assert (shown["capacity"], shown["seats_left"], shown["waiting"]) == (20, 20, 0)
    assert (shown["state"], shown["state_label"]) == ("enrolling", "报名中")
    assert (shown["audience"], shown["min_age"], shown["max_age"]) == ("everyone", 18, 60)
    assert shown["starts_at"] == "2026-12-03T18:00:00+08:00"
    assert shown["community"]["name"] == "梧桐里社区"
    assert len(shown["sessions"]) == 2
    assert set(shown["sessions"][0]["place"]) == {"venue", "site", "address", "phone"}


@pytest.mark.parametrize("key", ["a" * 16, "A" * 16, "short", "%00", "..%2f..%2fetc", "%ff%fe", "a" * 17])
def test_a_class_that_is_not_there_is_not_found(door: Door, town: Town, key: str) -> None:
    the_problem(door.phone().get(f"/course-runs/{key}"), 404, "not_found")


def test_a_draft_is_not_there_for_anybody(door: Door, town: Town) -> None:
    run = town.a_run(published=False)
    the_problem(door.phone().get(f"/course-runs/{run.key}"), 404, "not_found")
    phone = door.phone(town.resident)
    the_problem(phone.put(tap(run)), 404, "not_found")
    the_problem(phone.delete(tap(run)), 404, "not_found")
    the_problem(phone.get(tap(run)), 404, "not_found")


def test_a_place_is_everything_under_it(door: Door, town: Town) -> None:
    town.a_run(title="梧桐里的课")
    town.a_run(title="望江的课", community=town.wangjiang)
    phone = door.phone()
    assert titles(phone, f"?region={town.wutong.key}") == ["梧桐里的课"]
    assert titles(phone, f"?region={town.west_street.key}") == ["望江的课"]
    assert set(titles(phone, f"?region={town.district.key}")) == {"梧桐里的课", "望江的课"}
    the_problem(phone.get(f"/course-runs?region={'a' * 16}"), 404, "not_found")


def test_a_day_shows_what_meets_on_that_day_by_the_towns_clock(door: Door, town: Town) -> None:
    town.a_run(title="两周的课", evenings=2)
    near_midnight = FIRST_EVENING.replace(hour=23, minute=0)
    town.a_run(title="深夜的课", starts_at=near_midnight)
    phone = door.phone()
    assert set(titles(phone, "?day=2026-12-03")) == {"两周的课", "深夜的课"}
    assert titles(phone, "?day=2026-12-10") == ["两周的课"]
    assert titles(phone, "?day=2026-12-04") == []


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "1900-01-01"])
def test_a_day_far_away_has_no_classes(door: Door, town: Town, day: str) -> None:
    town.a_run()
    assert titles(door.phone(), f"?day={day}") == []


def test_a_category_is_the_clerks_own_word(door: Door, town: Town) -> None:
    town.a_run(title="太极", category="运动")
    town.a_run(title="书法")
    assert titles(door.phone(), "?category=运动") == ["太极"]
    assert titles(door.phone(), "?category=没有这类") == []


def test_each_state_lists_exactly_the_classes_that_stand_so(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    town.a_run(title="报名中")
    town.a_run(title="预告", opens_at=OPENS_AT + timedelta(days=3))
    town.resident.tap(town.a_run(title="已满", capacity=1))
    cancelled = town.a_run(title="已取消")
    town.call_off(cancelled)
    phone = door.phone()

    def by_state() -> dict[str, list[str]]:
        states = ("upcoming", "enrolling", "full", "closed", "running", "finished", "cancelled")
        return {state: found for state in states if (found := titles(phone, f"?state={state}"))}

    assert by_state() == {
        "upcoming": ["预告"],
        "enrolling": ["报名中"],
        "full": ["已满"],
        "cancelled": ["已取消"],
    }
    for moment in (FIRST_EVENING - timedelta(minutes=1), FIRST_EVENING, FIRST_EVENING + timedelta(days=1)):
        clock.move_to(moment)
        for state, found in by_state().items():
            shown = {i["title"]: i["state"] for i in told(phone.get("/course-runs"))["items"]}
            assert {shown[title] for title in found} == {state}


def test_walking_through_the_pages_sees_every_class_once(door: Door, town: Town) -> None:
    made = {
        town.a_run(title=f"课{n}", starts_at=FIRST_EVENING + timedelta(days=n // 3)).key for n in range(7)
    }
    seen: list[str] = []
    query = "?limit=2"
    for _ in range(10):
        page = told(door.phone().get(f"/course-runs{query}"))
        seen += [item["key"] for item in page["items"]]
        if page["next"] is None:
            break
        query = f"?limit=2&cursor={page['next']}"
    assert len(seen) == len(set(seen)) == 7
    assert set(seen) == made


def test_a_class_that_appears_while_one_walks_is_seen_at_most_once(door: Door, town: Town) -> None:
    for n in range(4):
        town.a_run(title=f"课{n}", starts_at=FIRST_EVENING + timedelta(days=n))
    first = told(door.phone().get("/course-runs?limit=2"))
    town.a_run(title="插进来的课")
    second = told(door.phone().get(f"/course-runs?limit=50&cursor={first['next']}"))
    keys = [item["key"] for item in first["items"] + second["items"]]
    assert len(keys) == len(set(keys)) == 4


def test_a_query_that_makes_no_sense_names_the_field(door: Door, town: Town) -> None:
    town.a_run()
    for query in (
        "cursor=nonsense",
        "cursor=W10",  # []
        "cursor=W3RydWUsMV0",  # [true,1]
        "cursor=WzEsMSwxXQ",  # [1,1,1]
        "cursor=Wy0xLC0xXQ",  # [-1,-1]
        "cursor=WzFlOTksMV0",  # [1e99,1]
        "cursor=WzEsMWUzMDBd",
        "cursor=Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OSwxXQ",
        "cursor=WzE3MDAwMDAwMDAwMDAwMDAsOTk5OTk5OTk5OTk5OTk5OTk5OTk5OV0",
        "cursor=" + "a" * 121,
        "cursor=",
        "cursor=%00",
        "cursor=%ff%fe",
        "limit=0",
        "limit=51",
        "limit=-1",
        "limit=1.5",
        "limit=abc",
        "limit=１",
        "limit=1_0",
        "limit=%201",
        "limit=1e1",
        "limit=99999999999999999999",
        "limit=",
        "state=open",
        "state=",
        "day=2026-13-01",
        "day=20261203",
        "day=2026-W49-4",
        "day=2026-12-3",
        "day=２０２６-12-03",
        "day=tomorrow",
        "region=梧桐里",
        "region=' OR 1=1",
        "category=",
        "category=%00",
        "category=" + "x" * 21,
        "category=%0a",
        "unknown=1",
        "openid=x",
        "limit=1&limit=2",
        "state=full&state=closed",
    ):
        found = the_problem(door.phone().get(f"/course-runs?{query}"), 422, "invalid")
        assert {fault["field"] for fault in found["errors"]} == {query.partition("=")[0]}, query


def test_a_huge_query_is_refused_or_answered_but_never_a_fault(door: Door, town: Town) -> None:
    answer = door.phone().get("/course-runs?" + "&".join(f"x{n}=1" for n in range(5000)))
    assert len(the_problem(answer, 422, "invalid")["errors"]) <= 50


def test_seats_on_the_list_count_down_and_the_queue_counts_up(door: Door, town: Town) -> None:
    run = town.a_run(capacity=2)
    for n, person in enumerate(town.people(4), start=1):
        person.tap(run)
        shown = told(door.phone().get(f"/course-runs/{run.key}"))
        assert (shown["seats_left"], shown["waiting"]) == (max(2 - n, 0), max(n - 2, 0))


# --- the tap ------------------------------------------------------------------------------------------------------


def test_one_tap_takes_a_seat_and_says_so_again_on_every_repeat(door: Door, town: Town) -> None:
    run = town.a_run()
    phone = door.phone(town.resident)
    first = told(phone.put(tap(run)))
    assert set(first) == PARTS
    assert (first["state"], first["state_label"], first["position"]) == ("confirmed", "报名成功", None)
    assert (first["run"], first["resident"]) == (run.key, town.resident.key)
    assert first["registered_at"] == "2026-11-20T12:00:00+08:00"
    for _ in range(3):
        assert told(phone.put(tap(run))) == first
    assert told(phone.get(tap(run))) == first
    assert town.states(run) == ["confirmed"]


def test_the_queue_has_places_and_a_seat_given_up_moves_everybody_up(door: Door, town: Town) -> None:
    run = town.a_run(capacity=1, waitlist_limit=None)
    first, second, third = (door.phone(person) for person in town.people(3))
    assert told(first.put(tap(run)))["state"] == "confirmed"
    assert [told(phone.put(tap(run)))["position"] for phone in (second, third)] == [1, 2]
    assert [told(phone.get(tap(run)))["position"] for phone in (second, third)] == [1, 2]
    answer = first.delete(tap(run))
    assert (answer.status_code, answer.data) == (204, b"")
    assert told(second.get(tap(run)))["state"] == "confirmed"
    assert told(third.get(tap(run)))["position"] == 1
    assert told(third.put(tap(run)))["position"] == 1


def test_who_gave_up_and_taps_again_goes_to_the_end(door: Door, town: Town) -> None:
    run = town.a_run(capacity=1, waitlist_limit=None)
    first, second, third = (door.phone(person) for person in town.people(3))
    for phone in (first, second, third):
        told(phone.put(tap(run)))
    first.delete(tap(run))
    assert told(first.put(tap(run)))["position"] == 2


def test_giving_up_twice_or_what_one_never_had_is_fine(door: Door, town: Town) -> None:
    run = town.a_run()
    phone = door.phone(town.resident)
    for _ in range(2):
        assert phone.delete(tap(run)).status_code == 204
    told(phone.put(tap(run)))
    for _ in range(2):
        assert phone.delete(tap(run)).status_code == 204
    the_problem(phone.get(tap(run)), 404, "not_registered")
    assert town.states(run) == ["cancelled"]


def test_more_chairs_are_seen_at_once_by_who_waited(door: Door, town: Town) -> None:
    run = town.a_run(capacity=1)
    first, second = (door.phone(person) for person in town.people(2))
    told(first.put(tap(run)))
    told(second.put(tap(run)))
    with transaction() as session:
        raise_capacity(session, session.get_one(CourseRun, run.id), 2)
    assert told(second.put(tap(run)))["state"] == "confirmed"


def test_twenty_phones_at_once_fill_five_chairs_and_stand_in_one_line(door: Door, town: Town) -> None:
    run = town.a_run(capacity=5, waitlist_limit=None)
    phones = [door.phone(person) for person in town.people(20)]
    answers: list[Any] = []

    def press(phone: Phone) -> None:
        answers.append(told(phone.put(tap(run))))

    threads = [threading.Thread(target=press, args=(phone,)) for phone in phones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [a["state"] for a in answers].count("confirmed") == 5
    assert sorted(a["position"] for a in answers if a["position"]) == list(range(1, 16))


def test_a_body_sent_with_a_tap_changes_nothing(door: Door, town: Town) -> None:
    run = town.a_run()
    phone = door.phone(town.resident)
    answer = told(phone.put(tap(run), json={"state": "confirmed", "resident": town.neighbour.key}))
    assert answer["resident"] == town.resident.key
    assert told(phone.put(tap(run), data=b"\xff\xfe", content_type="text/xml")) == answer


# --- being refused ------------------------------------------------------------------------------------------------


def test_a_newcomers_tap_names_what_is_missing_and_takes_no_seat(door: Door, town: Town) -> None:
    run = town.a_run(min_age=18)
    phone = door.log_in("o-newcomer")
    found = the_problem(phone.put(tap(run)), 409, "profile_needed")
    assert found["details"] == {
        "fields": ["name", "phone", "home_community", "consent", "birth_year"],
        "consent_version": PRIVACY_POLICY.version,
    }
    sent = {"name": "新邻居", "phone": "13812345678", "home_community": town.wutong.key}
    told(phone.put("/me", json={**sent, "consent": {"version": PRIVACY_POLICY.version}}))
    found = the_problem(phone.put(tap(run)), 409, "profile_needed")
    assert found["details"]["fields"] == ["birth_year"]
    told(phone.put("/me", json={"birth_year": 1960}))
    assert told(phone.put(tap(run)))["state"] == "confirmed"
    assert told(phone.put(tap(town.a_run())))["state"] == "confirmed"


def test_a_class_without_an_age_rule_asks_for_no_birth_year(door: Door, town: Town) -> None:
    found = the_problem(door.log_in("o-newcomer").put(tap(town.a_run())), 409, "profile_needed")
    assert "birth_year" not in found["details"]["fields"]


def a_run_opening_later(town: Town) -> CourseRun:
    return town.a_run(opens_at=datetime(2026, 11, 21, 10, 0, tzinfo=town_clock.TOWN_ZONE))


def a_cancelled_run(town: Town) -> CourseRun:
    run = town.a_run()
    town.call_off(run)
    return run


def a_pair_run(town: Town) -> CourseRun:
    run = town.a_run()
    with transaction() as session:
        session.get_one(CourseRun, run.id).audience = Audience.PAIR
    return run


def a_full_run(town: Town) -> CourseRun:
    run = town.a_run(capacity=1, waitlist_limit=1)
    for person in town.people(2):
        person.tap(run)
    return run


@pytest.mark.parametrize(
    ("a_run", "code"),
    [
        (a_run_opening_later, "not_open_yet"),
        (a_cancelled_run, "run_cancelled"),
        (a_full_run, "waitlist_full"),
        (lambda town: town.a_run(min_age=60), "out_of_age"),
        (lambda town: town.a_run(max_age=12), "out_of_age"),
        (lambda town: town.a_run(audience=Audience.CHILD, max_age=12), "guardian_needed"),
        (a_pair_run, "pair_needed"),
    ],
)
def test_what_the_class_does_not_allow_is_refused_in_its_own_words(
    door: Door, town: Town, a_run: Callable[[Town], CourseRun], code: str
) -> None:
    run = a_run(town)
    before = town.states(run)
    the_problem(door.phone(town.resident).put(tap(run)), 409, code)
    assert town.states(run) == before


def test_a_refused_tap_tells_when_to_come_back(door: Door, town: Town) -> None:
    found = the_problem(door.phone(town.resident).put(tap(a_run_opening_later(town))), 409, "not_open_yet")
    assert found["details"] == {"opens_at": "2026-11-21T10:00:00+08:00"}
    assert "11月21日 10:00" in found["detail"]


def test_registration_ends_when_it_closes_but_who_has_a_seat_keeps_the_answer(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    run = town.a_run()
    phone = door.phone(town.resident)
    mine = told(phone.put(tap(run)))
    clock.move_to(run.closes_at)
    the_problem(door.phone(town.neighbour).put(tap(run)), 409, "registration_closed")
    assert told(phone.put(tap(run))) == mine


def test_a_class_that_is_over_cannot_be_given_up(door: Door, town: Town, clock: StoppedClock) -> None:
    run = town.a_run()
    phone = door.phone(town.resident)
    told(phone.put(tap(run)))
    clock.move_to(run.ends_at)
    the_problem(phone.delete(tap(run)), 409, "run_finished")


# --- for somebody else --------------------------------------------------------------------------------------------


def test_a_helper_takes_a_seat_for_the_elder_and_gives_it_up(door: Door, town: Town) -> None:
    run = town.a_run()
    phone, whom = door.phone(town.helper), f"?for={town.elder.key}"
    standing = told(phone.put(tap(run) + whom))
    assert standing["resident"] == town.elder.key
    assert told(phone.get(tap(run) + whom)) == standing
    the_problem(phone.get(tap(run)), 404, "not_registered")
    assert phone.delete(tap(run) + whom).status_code == 204
    the_problem(phone.get(tap(run) + whom), 404, "not_registered")


def test_a_guardian_takes_a_childs_seat(door: Door, town: Town) -> None:
    run = town.a_run(audience=Audience.CHILD, min_age=6, max_age=12)
    assert told(door.phone(town.guardian).put(f"{tap(run)}?for={town.child.key}"))["state"] == "confirmed"


def test_naming_oneself_is_the_same_as_naming_nobody(door: Door, town: Town) -> None:
    run = town.a_run()
    phone = door.phone(town.resident)
    assert told(phone.put(f"{tap(run)}?for={town.resident.key}")) == told(phone.put(tap(run)))


@pytest.mark.parametrize("method", ["PUT", "DELETE", "GET"])
def test_without_a_bond_the_other_person_is_not_there(door: Door, town: Town, method: str) -> None:
    run = town.a_run()
    town.neighbour.tap(run)
    for key in (town.neighbour.key, town.elder.key, "a" * 16):
        answer = door.phone(town.resident).ask(method, f"{tap(run)}?for={key}")
        the_problem(answer, 404, "no_bond")
    assert town.states(run) == ["confirmed"]


@pytest.mark.parametrize("whom", ["x", "", "%00", "' OR 1=1", "A" * 16, "a" * 16 + "&for=" + "b" * 16])
def test_a_person_who_cannot_be_named_so_is_refused(door: Door, town: Town, whom: str) -> None:
    answer = door.phone(town.resident).put(f"{tap(town.a_run())}?for={whom}")
    found = the_problem(answer, 422, "invalid")
    assert [fault["field"] for fault in found["errors"]] == ["for"]


def test_what_is_missing_of_a_ward_is_named_as_theirs(door: Door, town: Town) -> None:
    with transaction() as session:
        nameless = a_person_without_phone(session, None, name=None, birth_year=None)
        a_bond(session, town.resident, nameless)
    run = town.a_run(min_age=18)
    found = the_problem(
        door.phone(town.resident).put(f"{tap(run)}?for={nameless.key}"), 409, "profile_needed"
    )
    assert found["details"]["fields"] == ["for.name", "for.home_community", "for.birth_year"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_nobody_taps_in_a_working_hat(door: Door, town: Town, method: str) -> None:
    run = town.a_run()
    for who in (town.clerk, town.partner_member):
        the_problem(door.phone(who).ask(method, tap(run)), 403, "identity_unfit")
    assert town.states(run) == []


# --- one's own registrations --------------------------------------------------------------------------------------


def test_ones_own_list_holds_those_of_ones_wards_newest_first_and_cancelled_ones(
    door: Door, town: Town
) -> None:
    mine, hers = town.a_run(title="我的课"), town.a_run(title="奶奶的课")
    phone = door.phone(town.helper)
    told(phone.put(tap(mine)))
    told(phone.put(f"{tap(hers)}?for={town.elder.key}"))
    phone.delete(tap(mine))
    items = told(phone.get("/me/registrations"))["items"]
    assert [(i["run"]["title"], i["resident"]["name"], i["state"]) for i in items] == [
        ("奶奶的课", "王奶奶", "confirmed"),
        ("我的课", "王芳", "cancelled"),
    ]
    assert items[1]["cancelled_at"] is not None
    assert items[0]["cancelled_at"] is None
    shown = items[0]["run"]
    assert (shown["kind"], shown["state_label"], shown["words"]["starts"]) == ("course", "报名中", "开课时间")


def test_nobody_sees_anybody_elses_registrations(door: Door, town: Town) -> None:
    run = town.a_run()
    town.neighbour.tap(run)
    phone = door.phone(town.resident)
    assert told(phone.get("/me/registrations"))["items"] == []
    assert told(phone.get(f"/me/registrations?run={run.key}"))["items"] == []
    assert told(door.log_in("o-newcomer").get("/me/registrations")) == {"items": [], "next": None}


def test_ones_own_list_can_be_asked_for_one_class_and_page_by_page(door: Door, town: Town) -> None:
    runs = [town.a_run() for _ in range(5)]
    for run in runs:
        town.resident.tap(run)
    phone = door.phone(town.resident)
    (only,) = told(phone.get(f"/me/registrations?run={runs[2].key}"))["items"]
    assert only["run"]["key"] == runs[2].key
    seen: list[str] = []
    query = "?limit=2"
    for _ in range(5):
        page = told(phone.get(f"/me/registrations{query}"))
        seen += [item["run"]["key"] for item in page["items"]]
        if page["next"] is None:
            break
        query = f"?limit=2&cursor={page['next']}"
    assert seen == [run.key for run in reversed(runs)]


@pytest.mark.parametrize("query", ["cursor=W3RydWVd", "cursor=Wy0xXQ", "limit=0", "run=x", "who=me"])
def test_a_senseless_question_about_ones_list_names_the_field(door: Door, town: Town, query: str) -> None:
    answer = door.phone(town.resident).get(f"/me/registrations?{query}")
    found = the_problem(answer, 422, "invalid")
    assert [fault["field"] for fault in found["errors"]] == [query.partition("=")[0]]


# --- the roster ---------------------------------------------------------------------------------------------------


def roster(run: CourseRun, query: str = "") -> str:
    return f"/staff/course-runs/{run.key}/registrations{query}"


def test_the_clerk_sees_who_has_a_seat_and_who_waits_with_numbers_to_call(door: Door, town: Town) -> None:
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    town.neighbour.tap(run)
    items = told(door.phone(town.clerk).get(roster(run)))["items"]
    assert [(i["name"], i["phone"], i["state"]) for i in items] == [
        ("陈静", "13900000001", "confirmed"),
        ("刘洋", "13900000002", "waitlisted"),
    ]
    assert set(items[0]) == {
        *("key", "resident", "name", "phone", "state", "state_label", "number", "seats"),
        *("offer_expires_at", "paired_with", "registered_at"),
    }


def test_the_roster_says_who_brings_how_many_and_names_them_as_the_counter_does(
    door: Door, town: Town
) -> None:
    run, phone = town.a_run(seating=Seating(most_companions=2)), door.phone(town.clerk)
    town.resident.tap(run, companions=2)
    (line,) = told(phone.get(roster(run)))["items"]
    assert (line["state_label"], line["seats"], line["offer_expires_at"]) == ("报名成功", 3, None)
    assert phone.delete(f"{roster(run)}/{line['resident']}").status_code == 204
    assert told(phone.get(roster(run)))["items"] == []


def test_every_look_at_a_roster_is_journalled_with_the_hat(door: Door, town: Town) -> None:
    run = town.a_run()
    town.resident.tap(run)
    for _ in range(2):
        told(door.phone(town.clerk).get(roster(run)))
    door.phone(town.admin).ask("HEAD", roster(run))
    with reading() as session:
        looks = session.scalars(
            select(JournalEntry).where(JournalEntry.act == "roster.looked_at").order_by(JournalEntry.id)
        ).all()
    assert [look.identity for look in looks] == [town.clerk.identity] * 2 + [town.admin.identity]
    assert {(look.subject_kind, look.subject_id) for look in looks} == {("course_runs", run.id)}
    assert looks[0].details == {"lines": 1}


def test_a_draft_has_a_roster_for_its_keepers(door: Door, town: Town) -> None:
    assert told(door.phone(town.admin).get(roster(town.a_run(published=False))))["items"] == []


def test_a_clerk_of_another_community_finds_no_such_class(door: Door, town: Town) -> None:
    run = town.a_run(community=town.wangjiang)
    the_problem(door.phone(town.clerk).get(roster(run)), 404, "not_found")


@pytest.mark.parametrize("who", ["grid_worker", "street_officer"])
def test_whose_duty_it_is_not_finds_no_such_class(door: Door, town: Town, who: str) -> None:
    the_problem(door.phone(getattr(town, who)).get(roster(town.a_run())), 404, "not_found")


def test_without_a_working_hat_there_is_no_roster_whether_or_not_there_is_a_class(
    door: Door, town: Town
) -> None:
    run = town.a_run()
    phones = [
        door.phone(town.resident),
        door.phone(town.partner_member),
        door.phone(town.clerk).wearing("resident"),
    ]
    for phone in phones:
        for path in (roster(run), roster(run).replace(run.key, "a" * 16)):
            the_problem(phone.get(path), 403, "identity_unfit")


def test_a_roster_is_walked_page_by_page(door: Door, town: Town) -> None:
    run = town.a_run()
    for person in town.people(5):
        person.tap(run)
    phone = door.phone(town.clerk)
    first = told(phone.get(roster(run, "?limit=3")))
    second = told(phone.get(roster(run, f"?limit=3&cursor={first['next']}")))
    assert [i["number"] for i in first["items"] + second["items"]] == [1, 2, 3, 4, 5]
    assert second["next"] is None
    the_problem(phone.get(roster(run, "?limit=201")), 422, "invalid")
