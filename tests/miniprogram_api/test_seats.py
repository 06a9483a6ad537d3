"""Seats over the wire: offers, draws anybody can repeat, applications, held seats, and why."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from sqlalchemy import update

from models import clock as town_clock
from models.base import transaction
from models.courses import Admission, CourseRun, Promotion, Seating
from models.staff import Role, RoleGrant
from server.jobs import seats as town_work
from tests.people import FIRST_EVENING, Person, Town, a_staff_member
from tests.phones import Door, the_problem, told

DRAWS_AT = FIRST_EVENING - timedelta(days=3)
BY_LOT = Seating(admission=Admission.DRAW, draws_at=DRAWS_AT)
REVIEWED = Seating(admission=Admission.REVIEW)
OFFER = Seating(promotion=Promotion.OFFER)


# --- draws --------------------------------------------------------------------------------------------------------


def test_anybody_can_repeat_the_draw_from_what_is_published(
    town: Town, door: Door, clock: town_clock.StoppedClock
) -> None:
    """From the two public pages alone, without a login: the promise, the seed, the tickets, and who has a seat."""
    run = town.a_run(capacity=3, waitlist_limit=None, seating=BY_LOT)
    people = town.people(7)
    standings = [person.tap(run) for person in people]
    phone = door.phone()
    path = f"/course-runs/{run.key}/draw"
    promise = told(phone.get(path))
    assert (promise["seed"], promise["drawn_at"], promise["tickets"], promise["seats"]) == (None,) * 4
    assert told(phone.get(f"{path}/tickets")) == {"items": [], "next": None}
    clock.move_to(DRAWS_AT)
    assert town_work.draw_lots(town_clock.now()) == 1
    public = told(phone.get(path))
    assert public["promised"] == promise["promised"]
    assert hashlib.sha256(public["seed"].encode()).hexdigest() == public["promised"]
    lots: list[dict[str, object]] = []
    page = told(phone.get(f"{path}/tickets?limit=3"))
    while True:
        lots += page["items"]
        if page["next"] is None:
            break
        page = told(phone.get(f"{path}/tickets?limit=3&cursor={page['next']}"))
    tickets = [standing.ticket for standing in standings]
    again = sorted(
        tickets, key=lambda ticket: hashlib.sha256(f"{public['seed']}:{ticket}".encode()).hexdigest()
    )
    assert [lot["ticket"] for lot in lots] == again
    assert [lot["rank"] for lot in lots] == list(range(1, 8))
    assert [lot["has_seat"] for lot in lots] == [True] * 3 + [False] * 4
    assert {key for lot in lots for key in lot} == {"ticket", "rank", "lot", "has_seat"}, "nobody's name"
    person_of = dict(zip(tickets, people, strict=True))
    by_state = {
        state: [row.resident_id for row in town.registrations(run) if row.state.value == state]
        for state in ("confirmed", "waitlisted")
    }
    assert by_state["confirmed"] == [person_of[ticket].resident_id for ticket in again[:3]]
    assert by_state["waitlisted"] == [person_of[ticket].resident_id for ticket in again[3:]]


# --- applications -------------------------------------------------------------------------------------------------


def test_who_lost_their_hat_decides_about_nobody_and_a_colleague_does(town: Town, door: Door) -> None:
    """E10: from the moment the role is revoked; what is open stays open for the others."""
    run = town.a_run(seating=REVIEWED)
    keys = [person.tap(run).key for person in (town.resident, town.neighbour)]
    with transaction() as session:
        colleague = a_staff_member(
            session, Role.CLERK, town.wutong, name="小郑", by=town.admin.member(session)
        )
    path = f"/staff/course-runs/{run.key}/registrations"
    clerk = door.phone(town.clerk)
    assert told(clerk.put(f"{path}/{keys[0]}/admission")) == {"state": "confirmed"}
    with transaction() as session:
        session.execute(
            update(RoleGrant)
            .where(RoleGrant.staff_member_id == town.clerk.staff_id)
            .values(ends_at=town_clock.now())
        )
    the_problem(clerk.put(f"{path}/{keys[1]}/admission"), 404, "not_found")
    the_problem(clerk.put(f"{path}/{keys[1]}/rejection", json={"because": "名额已满"}), 404, "not_found")
    assert town.states(run).count("applied") == 1
    assert told(door.phone(colleague).put(f"{path}/{keys[1]}/admission")) == {"state": "confirmed"}


def test_an_applicant_is_admitted_or_turned_down_with_a_reason(town: Town, door: Door) -> None:
    run = town.a_run(seating=REVIEWED)
    one, other = (person.tap(run).key for person in (town.resident, town.neighbour))
    path, clerk = f"/staff/course-runs/{run.key}/registrations", door.phone(town.clerk)
    for _ in range(2):
        assert told(clerk.put(f"{path}/{one}/admission")) == {"state": "confirmed"}
        assert clerk.put(f"{path}/{other}/rejection", json={"because": "只收初学者"}).status_code == 204
    the_problem(clerk.put(f"{path}/{other}/admission"), 409, "not_applied")
    for because in ("", "长" * 101, None):
        body = the_problem(clerk.put(f"{path}/{other}/rejection", json={"because": because}), 422, "invalid")
        assert [fault["field"] for fault in body["errors"]] == ["because"]
    the_problem(clerk.put(f"{path}/{town.resident.key}/admission"), 409, "not_applied")
    for stranger in (town.partner_member, town.resident):
        the_problem(door.phone(stranger).put(f"{path}/{one}/admission"), 403, "identity_unfit")
    far = town.a_run(community=town.wangjiang, seating=REVIEWED)
    theirs = town.outsider.tap(far).key
    the_problem(clerk.put(f"/staff/course-runs/{far.key}/registrations/{theirs}/admission"), 404, "not_found")


def test_a_class_that_has_begun_is_reviewed_no_more(
    town: Town, door: Door, clock: town_clock.StoppedClock
) -> None:
    """E11."""
    run = town.a_run(seating=REVIEWED)
    key = town.resident.tap(run).key
    clock.move_to(run.starts_at)
    path = f"/staff/course-runs/{run.key}/registrations/{key}/admission"
    the_problem(door.phone(town.clerk).put(path), 409, "review_too_late")


def test_a_clerk_draws_when_it_is_time_and_not_before(
    town: Town, door: Door, clock: town_clock.StoppedClock
) -> None:
    run, plain = town.a_run(seating=BY_LOT), town.a_run()
    town.resident.tap(run)
    path, clerk = f"/staff/course-runs/{run.key}/draw", door.phone(town.clerk)
    the_problem(clerk.put(path), 409, "draw_too_early")
    the_problem(clerk.put(f"/staff/course-runs/{plain.key}/draw"), 409, "not_by_lot")
    the_problem(door.phone().get(f"/course-runs/{plain.key}/draw"), 404, "no_draw")
    the_problem(door.phone().get(f"/course-runs/{run.key}/draw/tickets?limit=0"), 422, "invalid")
    clock.move_to(DRAWS_AT)
    the_problem(door.phone(town.resident).put(path), 403, "identity_unfit")
    drawn = told(clerk.put(path))
    assert (drawn["tickets"], len(drawn["seed"])) == (1, 32)
    assert told(clerk.put(path)) == drawn


# --- offers -------------------------------------------------------------------------------------------------------


def an_offer(town: Town) -> CourseRun:
    """A run in which the neighbour is offered a seat."""
    run = town.a_run(capacity=1, seating=OFFER)
    town.resident.tap(run)
    town.neighbour.tap(run)
    town.resident.give_up(run)
    return run


def test_an_offer_is_seen_and_accepted(town: Town, door: Door) -> None:
    run, phone = an_offer(town), door.phone(town.neighbour)
    path = f"/course-runs/{run.key}/registration"
    seen = told(phone.put(path))
    assert (seen["state"], seen["offer_expires_at"]) == ("offered", "2026-11-21T10:30:00+08:00")
    accepted = told(phone.put(f"{path}/acceptance"))
    assert (accepted["state"], accepted["offer_expires_at"]) == ("confirmed", None)
    assert told(phone.put(f"{path}/acceptance")) == accepted
    the_problem(door.phone(town.helper).put(f"{path}/acceptance"), 404, "not_registered")
    the_problem(phone.put("/course-runs/nosuchrun/registration/acceptance"), 404, "not_found")
    the_problem(door.phone().put(f"{path}/acceptance"), 401, "login_needed")


def test_too_late_is_too_late_and_the_reason_can_be_read(
    town: Town, door: Door, clock: town_clock.StoppedClock
) -> None:
    """E4."""
    run, phone = an_offer(town), door.phone(town.neighbour)
    clock.advance(hours=24)
    the_problem(phone.put(f"/course-runs/{run.key}/registration/acceptance"), 409, "offer_expired")
    items = told(phone.get(f"/me/receipts?run={run.key}"))["items"]
    assert [(item["why"], item["code"]) for item in items] == [
        ("refused", "offer_expired"),
        ("offered", "given_up"),
    ]
    assert all(item["resident"] == town.neighbour.key and item["says"] for item in items)


def test_an_offer_is_declined_by_giving_up(town: Town, door: Door) -> None:
    run, phone = an_offer(town), door.phone(town.neighbour)
    town.resident.tap(run)
    assert phone.delete(f"/course-runs/{run.key}/registration").status_code == 204
    assert town.states(run) == ["cancelled", "cancelled", "offered"]


def test_nobody_accepts_for_somebody_they_do_not_act_for(town: Town, door: Door) -> None:
    run = an_offer(town)
    path = f"/course-runs/{run.key}/registration/acceptance?for={town.neighbour.key}"
    the_problem(door.phone(town.outsider).put(path), 404, "no_bond")
    assert town.states(run) == ["cancelled", "offered"]


def test_whoever_waits_says_whether_to_be_asked(town: Town, door: Door) -> None:
    run = town.a_run(capacity=1, seating=OFFER)
    town.resident.tap(run)
    path = f"/course-runs/{run.key}/registration/direct-seat"
    phone = door.phone(town.neighbour)
    the_problem(phone.put(path), 404, "not_registered")
    town.neighbour.tap(run)
    for _ in range(2):
        assert phone.put(path).status_code == 204
    assert phone.delete(path).status_code == 204
    assert phone.put(path).status_code == 204
    the_problem(phone.put(f"{path}?for={town.outsider.key}"), 404, "no_bond")
    town.resident.give_up(run)
    assert town.states(run) == ["cancelled", "confirmed"]


# --- held seats ---------------------------------------------------------------------------------------------------


def test_a_clerk_holds_seats_and_lets_them_go(town: Town, door: Door) -> None:
    run = town.a_run(capacity=3)
    path, clerk = f"/staff/course-runs/{run.key}/held-seats", door.phone(town.clerk)
    told(clerk.put(path, json={"seats": 2}))
    town.resident.tap(run)
    town.neighbour.tap(run)
    assert town.states(run) == ["confirmed", "waitlisted"]
    body = the_problem(clerk.put(path, json={"seats": 3}), 409, "not_enough_seats")
    assert body["details"] == {"free": 2}
    for wrong in (-1, 2001, "两个", None, 1.5):
        faults = the_problem(clerk.put(path, json={"seats": wrong}), 422, "invalid")["errors"]
        assert [fault["field"] for fault in faults] == ["seats"]
    told(clerk.put(path, json={"seats": 0}))
    assert town.states(run) == ["confirmed", "confirmed"]
    the_problem(door.phone(town.resident).put(path, json={"seats": 1}), 403, "identity_unfit")
    far = town.a_run(community=town.wangjiang)
    the_problem(clerk.put(f"/staff/course-runs/{far.key}/held-seats", json={"seats": 1}), 404, "not_found")


# --- why ----------------------------------------------------------------------------------------------------------


def test_one_reads_ones_own_reasons_and_ones_wards_and_nobody_elses(town: Town, door: Door) -> None:
    run = town.a_run(community=town.wangjiang, seating=Seating(home_first_hours=24))
    path = f"/course-runs/{run.key}/registration"
    the_problem(door.phone(town.resident).put(path), 409, "neighbours_first")
    the_problem(door.phone(town.helper).put(f"{path}?for={town.elder.key}"), 409, "neighbours_first")

    def whose(person: Person, query: str = "") -> list[str]:
        return [item["resident"] for item in told(door.phone(person).get(f"/me/receipts{query}"))["items"]]

    assert whose(town.resident) == [town.resident.key]
    assert whose(town.helper) == [town.elder.key]
    assert whose(town.neighbour) == []
    assert whose(town.resident, f"?run={town.resident.key}") == []
    the_problem(door.phone(town.resident).get("/me/receipts?limit=0"), 422, "invalid")
