"""The first day: the centre opens, classes, a group and a unit have their rooms, and neighbours tap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from models.accounts import Account
from models.base import transaction
from models.consents import PRIVACY_POLICY
from models.partners import Partner, admit
from models.regions import Region
from models.sites import SiteKind
from server.demo.places import SITES, WUTONG, open_as_planned
from tests.month.playing import PLEDGED, Month
from tests.phones import the_problem, told
from tests.playing import at

HALL, LEFT, RIGHT = "多功能厅", "多功能厅A", "多功能厅B"
MEETING, TABLE, PAINTING, SALON, DANCE, COUNCIL = (
    *("会议室", "乒乓球室", "书画室"),
    *("心理沙龙室", "舞蹈室", "百姓议事厅"),
)
CHOIR, UNIT, SERVED = "和声合唱团", "安心心理服务中心", "安心心理服务中心·心理沙龙室"
CLEANING = "10"
SIGNED = {"version": PRIVACY_POLICY.version, "given_by": "oneself"}


# --- what stands -----------------------------------------------------------------------------------------------------


def the_centre_opens(month: Month) -> None:
    """The rooms of the demo centre; in the hall and its halves there are ten minutes to clean up, and doors have their digits."""
    (plan,) = (one for one in SITES if one.region == WUTONG and one.kind is SiteKind.CENTRE)
    with transaction() as session:
        region = session.get_one(Region, month.town.wutong.id)
        site = open_as_planned(session, region, plan, phone="19900009003")
        month.known["site"] = site.key
        month.rooms.update({venue.name: venue.key for venue in site.venues})
    cleaned = {"items": [{"name": "buffer_minutes", "value": CLEANING}]}
    for room in (HALL, LEFT, RIGHT):
        told(month.clerk.put(f"/staff/venues/{month.rooms[room]}/policies", json=cleaned))
    for room in (HALL, LEFT, RIGHT, MEETING, TABLE, PAINTING, SALON, COUNCIL):
        path = f"/staff/venues/{month.rooms[room]}/door-code"
        month.door_codes[room] = told(month.clerk.put(path))["door_code"]
    told(month.clerk.put(f"/staff/residents/{month.town.elder.key}/consent", json=SIGNED))


def classes_have_their_rooms(month: Month) -> None:
    """Written down, published and held: nobody reserves what a class has."""
    written: Sequence[tuple[str, str, Sequence[datetime]]] = (
        ("书法", PAINTING, [at(9, 17, 19), at(9, 24, 19), at(10, 8, 19)]),
        ("太极", LEFT, [at(9, 19, 10), at(10, 10, 10)]),
        ("反诈讲座", HALL, [at(9, 23, 14)]),
    )
    for title, room, evenings in written:
        key = _written_down(month, title, month.rooms[room], evenings)
        month.known[title] = key
        told(month.clerk.put(f"/staff/course-runs/{key}/publication", json={}))
    late = the_problem(month.asks(month.town.neighbour, PAINTING, at(9, 17, 19)), 409, "room_taken")
    assert late["details"]["alternatives"], "there is something else"


def _written_down(month: Month, title: str, room: str, evenings: Sequence[datetime]) -> str:
    course: dict[str, Any] = {
        "community": month.town.wutong.key,
        "title": title,
        "category": "文化艺术",
    }
    opened = told(month.clerk.post("/staff/courses", json=course), 201)
    run = {
        "course": opened["key"],
        "teacher": f"{title}老师",
        "capacity": 20,
        "opens_at": at(9, 14, 10).isoformat(),
        "home_first_hours": 0,
        "street_first_hours": 0,
        "seats_held": 0,
        "evenings": [
            {
                "starts_at": one.isoformat(),
                "ends_at": (one + timedelta(minutes=90)).isoformat(),
                "venue": room,
            }
            for one in evenings
        ],
    }
    return str(told(month.clerk.post("/staff/course-runs", json=run), 201)["key"])


def learners_register(month: Month) -> None:
    """For the classes that are held in the centre."""
    for who, title in (
        ("resident", "太极"),
        ("neighbour", "太极"),
        ("leader", "书法"),
        ("helper", "反诈讲座"),
    ):
        path = f"/course-runs/{month.known[title]}/registration"
        assert told(month.phone(month.cast[who]).put(path))["state"] == "confirmed"


def the_choir_is_a_group(month: Month) -> None:
    """Its leader asks, and staff say yes."""
    card = {"name": CHOIR, "kind": "chorus", "members": 24}
    asked = told(month.speaking(month.cast["leader"]).post("/me/groups", json=card), 201)
    month.known["choir"] = asked["key"]
    told(month.clerk.put(f"/staff/groups/{asked['key']}/approval"))


def the_choir_sings_every_week(month: Month) -> None:
    """Four Wednesdays are looked at, three of them can be had, and those are asked for; staff approve of them in one go."""
    phone = month.phone(month.cast["leader"])
    path = f"/venues/{month.rooms[RIGHT]}/reservation-series"
    wanted = month.wish(
        at(9, 16, 14), headcount=24, wanted_for="rehearsal", group=month.known["choir"], weeks=4
    )
    days = told(phone.post(f"{path}/look", json=wanted))["items"]
    refused = {day["on"]: day["refusal"] and day["refusal"]["code"] for day in days}
    assert refused == {
        "2026-09-16": None,
        "2026-09-23": "room_taken",
        "2026-09-30": None,
        "2026-10-07": None,
    }
    unfit = the_problem(phone.post(path, json={**wanted, **PLEDGED}), 409, "series_unfit")
    assert unfit["details"]["fit"] == ["2026-09-16", "2026-09-30", "2026-10-07"]
    made = told(phone.post(path, json={**wanted, **PLEDGED, "days": unfit["details"]["fit"]}), 201)["items"]
    for week, one in zip(("第一周", "第三周", "第四周"), made, strict=True):
        month.known[f"合唱{week}"] = one["key"]
        assert one["state"] == "pending"
    answer = decided(month, {one["key"]: "" for one in made})
    assert (answer["done"], answer["refused"]) == (3, 0)


def decided(month: Month, noes: Mapping[str, str]) -> dict[str, Any]:
    """Yes to each, or no where there is a reason."""
    items = [
        {"reservation": key, "approve": not because, **({"because": because} if because else {})}
        for key, because in noes.items()
    ]
    answer: dict[str, Any] = told(month.clerk.post("/staff/reservations/decisions", json={"items": items}))
    return answer


def a_unit_has_a_room_for_service(month: Month) -> None:
    """Tuesday afternoons, but on the holiday, for twenty hours of service in four weeks."""
    card = {
        "name": UNIT,
        "kind": "public_good",
        "credit_code": "91350100M000100Y43",
        "region": month.town.wutong.key,
        "contact_name": "老周",
        "contact_phone": "13900000077",
    }
    key = told(month.clerk.post("/staff/partners", json=card), 201)["key"]
    month.known["unit"] = key
    with transaction() as session:
        partner = session.scalars(select(Partner).where(Partner.key == key)).one()
        admit(session, partner, session.get_one(Account, month.unit_account))
    terms = {
        "venue": month.rooms[SALON],
        "starts_on": "2026-09-14",
        "ends_on": "2026-10-11",
        "blocks": [{"weekday": 1, "from": "14:00", "to": "17:00"}],
        "service": "心理咨询",
        "promised_hours": 20,
    }
    days = told(month.clerk.post("/staff/service-agreements/preview", json=terms))["items"]
    assert [(day["on"], day["can_be_held"]) for day in days] == [
        ("2026-09-15", True),
        ("2026-09-22", True),
        ("2026-09-29", True),
        ("2026-10-06", False),
    ]
    agreed = told(month.clerk.post("/staff/service-agreements", json={**terms, "partner": key}), 201)
    month.known["agreement"] = agreed["key"]
    path = f"/staff/service-agreements/{agreed['key']}/commencement"
    assert told(month.clerk.put(path, json={}))["state"] == "in_force"


# --- the first taps --------------------------------------------------------------------------------------------------


def neighbours_tap(month: Month) -> None:
    """Two taps are one reservation; who comes second may wait; who lives elsewhere is told so."""
    town, cast = month.town, month.cast
    assert month.takes("晨会", town.resident, MEETING, at(9, 16, 9)) == "approved"
    again = told(month.asks(town.resident, MEETING, at(9, 16, 9)), 201)
    assert again["key"] == month.known["晨会"]
    late = the_problem(month.asks(town.neighbour, MEETING, at(9, 16, 9)), 409, "room_taken")
    assert late["details"]["may_wait"]
    assert month.takes("晨会候补一", town.neighbour, MEETING, at(9, 16, 9), waits=True) == "waitlisted"
    assert month.takes("晨会候补二", town.guardian, MEETING, at(9, 16, 9), waits=True) == "waitlisted"
    assert month.takes("读报", cast["deputy"], MEETING, at(9, 16, 10), waits=True) == "waitlisted"
    the_problem(month.asks(town.outsider, TABLE, at(9, 16, 9)), 409, "others_not_admitted")
    assert month.takes("球一", cast["careless"], TABLE, at(9, 15, 19), wanted_for="games") == "approved"
    assert month.takes("球候补", town.resident, TABLE, at(9, 15, 19), waits=True) == "waitlisted"
    the_problem(month.asks(cast["careless"], MEETING, at(9, 15, 14)), 409, "reservation_limit")
    the_problem(month.asks(town.helper, HALL, at(9, 19, 9, 30)), 409, "room_taken")
    the_problem(month.asks(town.resident, MEETING, at(9, 19, 9, 30)), 409, "own_clash")  # 太极 is then


def a_helper_takes_a_room_for_an_elder(month: Month) -> None:
    """In the elder's name."""
    assert month.takes("练字", month.town.helper, PAINTING, at(9, 18, 9), whom=month.town.elder) == "approved"


def the_elder_is_called(month: Month) -> None:
    """For there is no phone a message could reach."""
    calls = told(month.clerk.get("/staff/calls"))["items"]
    assert [(call["kind"], call["name"]) for call in calls] == [("reserved_for_you", "王奶奶")]
    assert "书画室" in calls[0]["body"]


def the_meeting_is_given_up_in_the_evening(month: Month) -> None:
    """Whoever waited longest has two waking hours: one tonight, one tomorrow morning."""
    month.gives_up("晨会", month.town.resident)
    assert month.row("晨会候补一").offer_expires_at == at(9, 15, 9)
    assert month.state("读报") == "waitlisted"
