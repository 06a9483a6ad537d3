"""Space for service over the wire: the office plans and agrees, the unit sees its own and writes down what it gave."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from models import clock as town_clock
from models.base import transaction
from models.occupancy import Purpose, occupy
from models.partners import Partner
from models.sites import Venue
from tests.people import Town, a_partner_member, a_venue
from tests.phones import Door, Phone, the_problem, told

GIVEN = {"done_on": "2026-11-17", "minutes": 90, "what": "一对一咨询", "people_served": 3}


@pytest.fixture
def room(town: Town) -> Venue:
    """A room of the first community, whose office works with the unit of the cast."""
    with transaction() as session:
        session.get_one(Partner, town.partner_member.partner_id).region_id = town.wutong.id
        return a_venue(session, town.wutong, name="心理咨询室", capacity=3)


@pytest.fixture
def terms(town: Town, room: Venue) -> dict[str, Any]:
    """What the office and the unit agree on."""
    return {
        "venue": room.key,
        "starts_on": "2026-11-01",
        "ends_on": "2027-01-31",
        "blocks": [{"weekday": 1, "from": "14:00", "to": "17:00"}],
        "service": "周二下午心理咨询",
        "promised_hours": 46,
    }


def somebody_has(room: Venue, day: int) -> None:
    with transaction() as session:
        occupy(
            session,
            session.get_one(Venue, room.id),
            starts_at=datetime(2026, 12, day, 16, tzinfo=town_clock.TOWN_ZONE),
            ends_at=datetime(2026, 12, day, 18, tzinfo=town_clock.TOWN_ZONE),
            purpose=Purpose.CLOSURE,
            holder_key="a" * 16,
        )


def drafted(clerk: Phone, town: Town, terms: dict[str, Any]) -> dict[str, Any]:
    sent = terms | {"partner": town.partner_member.partner_key}
    answer = clerk.post("/staff/service-agreements", json=sent, headers={"Idempotency-Key": "1"})
    agreement: dict[str, Any] = told(answer, 201)
    return agreement


def test_an_agreement_is_looked_at_drafted_and_put_in_force_without_the_days_that_are_taken(
    door: Door, town: Town, room: Venue, terms: dict[str, Any]
) -> None:
    clerk = door.phone(town.clerk)
    somebody_has(room, 1)
    plan = told(clerk.post("/staff/service-agreements/preview", json=terms))
    assert (plan["hours"], plan["days_taken"], len(plan["items"])) == (27.0, ["2026-12-01"], 13)
    assert plan["items"][4]["labels"] == ["场地已占用"]
    agreement = drafted(clerk, town, terms)
    assert drafted(clerk, town, terms) == agreement
    assert (agreement["state_label"], agreement["blocks"]) == ("草稿", terms["blocks"])
    begin = f"/staff/service-agreements/{agreement['key']}/commencement"
    problem = the_problem(clerk.put(begin, json={}), 409, "room_taken")
    assert problem["details"]["days"] == ["2026-12-01"]
    for _ in range(2):
        begun = told(clerk.put(begin, json={"leave_out": ["2026-12-01"]}))
    assert begun["state"] == "in_force"
    assert begun["figures"] == {
        "promised": 46, "due": 9.5, "delivered": 0.0, "confirmed": 0.0, "behind": 9.5,
    }  # fmt: skip


def test_a_unit_sees_its_own_and_what_it_wrote_counts_once_the_community_confirmed_it(
    door: Door, town: Town, terms: dict[str, Any]
) -> None:
    clerk, unit = door.phone(town.clerk), door.phone(town.partner_member)
    key = drafted(clerk, town, terms)["key"]
    assert told(unit.get("/partner/service-agreements"))["items"] == []  # a draft is the office's
    told(clerk.put(f"/staff/service-agreements/{key}/commencement", json={}))
    wrote = told(
        unit.post(
            f"/partner/service-agreements/{key}/deliveries", json=GIVEN, headers={"Idempotency-Key": "1"}
        ),
        201,
    )
    assert (wrote["by_partner"], wrote["confirmed_at"]) == (True, None)
    (mine,) = told(unit.get("/partner/service-agreements"))["items"]
    assert (mine["figures"]["delivered"], mine["figures"]["confirmed"]) == (1.5, 0.0)
    for _ in range(2):
        confirmed = told(clerk.put(f"/staff/service-deliveries/{wrote['key']}/confirmation"))
    assert confirmed["confirmed_at"] is not None
    told(clerk.post(f"/staff/service-agreements/{key}/deliveries", json=GIVEN), 201)
    for phone, side in ((clerk, "staff"), (unit, "partner")):
        listed = told(phone.get(f"/{side}/service-agreements/{key}/deliveries?limit=1"))
        rest = told(phone.get(f"/{side}/service-agreements/{key}/deliveries?cursor={listed['next']}&limit=1"))
        assert [one["by_partner"] for one in listed["items"] + rest["items"]] == [True, False]
    shown = told(clerk.get(f"/staff/service-agreements/{key}"))
    assert shown["figures"]["confirmed"] == 3.0
    ended = told(clerk.put(f"/staff/service-agreements/{key}/ending", json={"because": "场地另有用途"}))
    assert (ended["state_label"], ended["end_reason"]) == ("已结束", "场地另有用途")
    late = unit.post(f"/partner/service-agreements/{key}/deliveries", json=GIVEN)
    the_problem(late, 409, "agreement_not_in_force")


def test_a_record_that_was_not_so_is_declined_and_the_unit_reads_why(
    door: Door, town: Town, terms: dict[str, Any]
) -> None:
    clerk, unit = door.phone(town.clerk), door.phone(town.partner_member)
    key = drafted(clerk, town, terms)["key"]
    told(clerk.put(f"/staff/service-agreements/{key}/commencement", json={}))
    wrote = told(unit.post(f"/partner/service-agreements/{key}/deliveries", json=GIVEN), 201)
    path = f"/staff/service-deliveries/{wrote['key']}"
    the_problem(unit.put(f"{path}/declining", json={"because": "写错了"}), 403, "identity_unfit")
    for because in ("那天没有开门", "别的"):
        declined = told(clerk.put(f"{path}/declining", json={"because": because}))
    assert (declined["declined_because"], declined["confirmed_at"]) == ("那天没有开门", None)
    the_problem(clerk.put(f"{path}/confirmation"), 409, "delivery_declined")
    (mine,) = told(unit.get(f"/partner/service-agreements/{key}/deliveries"))["items"]
    assert (mine["declined_at"] is not None, mine["declined_because"]) == (True, "那天没有开门")
    (stands,) = told(unit.get("/partner/service-agreements"))["items"]
    assert stands["figures"]["delivered"] == 0.0
    (notice,) = told(unit.wearing("resident").get("/me/notices"))["items"]
    assert "那天没有开门" in notice["body"]


def test_another_unit_and_no_unit_see_and_write_nothing(
    door: Door, town: Town, terms: dict[str, Any]
) -> None:
    clerk = door.phone(town.clerk)
    key = drafted(clerk, town, terms)["key"]
    told(clerk.put(f"/staff/service-agreements/{key}/commencement", json={}))
    with transaction() as session:
        other = a_partner_member(session, name="别的单位")
    path = f"/partner/service-agreements/{key}/deliveries"
    the_problem(door.phone(other).post(path, json=GIVEN), 404, "not_found")
    assert told(door.phone(other).get("/partner/service-agreements"))["items"] == []
    for nobody in (town.clerk, town.resident):
        the_problem(door.phone(nobody).post(path, json=GIVEN), 403, "identity_unfit")


def test_agreements_are_listed_by_state_and_page_by_page(
    door: Door, town: Town, terms: dict[str, Any]
) -> None:
    clerk = door.phone(town.clerk)
    sent = terms | {"partner": town.partner_member.partner_key}
    keys = [told(clerk.post("/staff/service-agreements", json=sent), 201)["key"] for _ in range(3)]
    told(clerk.put(f"/staff/service-agreements/{keys[1]}/commencement", json={}))
    first = told(clerk.get("/staff/service-agreements?limit=2"))
    second = told(clerk.get(f"/staff/service-agreements?limit=2&cursor={first['next']}"))
    assert [one["key"] for one in first["items"] + second["items"]] == keys
    drafts = told(clerk.get("/staff/service-agreements?state=draft"))["items"]
    assert [one["key"] for one in drafts] == [keys[0], keys[2]]


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        ({"ends_on": "2026-10-01"}, 409, "ends_on"),
        ({"ends_on": "2028-10-01"}, 409, "ends_on"),
        ({"blocks": []}, 422, "blocks"),
        ({"blocks": [{"weekday": 7, "from": "14:00", "to": "15:00"}]}, 422, "blocks.0.weekday"),
        ({"blocks": [{"weekday": 0, "from": "14:00", "to": "14:00"}]}, 409, "blocks.0.to"),
        ({"blocks": [{"weekday": 0, "from": "24:00", "to": "08:00"}]}, 409, "blocks.0.to"),
        ({"promised_hours": 0}, 422, "promised_hours"),
        ({"venue": "a" * 16}, 409, "venue"),
        ({"partner": "a" * 16}, 409, "partner"),
    ],
)
def test_terms_that_cannot_be_are_named_at_their_fields(
    door: Door, town: Town, terms: dict[str, Any], wrong: dict[str, Any], status: int, field: str
) -> None:
    sent = terms | {"partner": town.partner_member.partner_key} | wrong
    answer = door.phone(town.clerk).post("/staff/service-agreements", json=sent)
    assert answer.status_code == status
    assert [error["field"] for error in (answer.json or {})["errors"]] == [field]


def test_a_room_or_a_unit_of_another_community_is_not_there(
    door: Door, town: Town, terms: dict[str, Any]
) -> None:
    with transaction() as session:
        elsewhere = a_venue(session, town.wangjiang)
        session.get_one(Partner, town.partner_member.partner_id).region_id = town.wangjiang.id
    clerk = door.phone(town.clerk)
    sent = terms | {"partner": town.partner_member.partner_key}
    for wrong in (sent, sent | {"venue": elsewhere.key}):
        the_problem(clerk.post("/staff/service-agreements", json=wrong), 409, "not_there")
