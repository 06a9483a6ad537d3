"""Until everybody knows where they sit: the timetable, the day's news, taps, queues, a draw, a review, offers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from models.base import transaction
from models.consents import PRIVACY_POLICY
from models.sites import SiteKind, add_venue, open_site
from tests.data.make_timetable import COMMITTED
from tests.phones import the_problem, told
from tests.playing import at
from tests.term.playing import Term

ROOMS = ("多功能厅A", "百姓议事厅", "书画室", "手工教室", "心理沙龙室", "舞蹈室", "茶室")
OPENS = at(11, 21, 10)
TO_ALL_AT_ONCE: Mapping[str, object] = {"home_first_hours": 0, "street_first_hours": 0, "seats_held": 0}
SIGNED = {"version": PRIVACY_POLICY.version, "given_by": "oneself"}


# --- Friday: what will be held ------------------------------------------------------------------------------------


def the_clerk_imports_the_timetable(term: Term) -> None:
    with transaction() as session:
        community = session.merge(term.town.wutong, load=True)
        site = open_site(session, community, kind=SiteKind.CENTRE, name="梧桐里社区党群服务中心")
        for room in ROOMS:
            add_venue(session, site, name=room, capacity=40)
    written = _commanded(term, "timetable", "import", str(COMMITTED), "--community", "梧桐里社区")
    assert "新增 7 个班" in written
    again = _commanded(term, "timetable", "import", str(COMMITTED), "--community", "梧桐里社区")
    assert "新增 0 个班，修改 0 个，撤下 0 个，没有变化 7 个" in again
    for run in told(term.clerk.get("/staff/course-runs?limit=50"))["items"]:
        term.classes[run["title"]] = run["key"]


def three_times_as_many_may_wait(term: Term) -> None:
    _commanded(term, "policy", "set", "梧桐里社区", "waitlist_share", "3")


def _commanded(term: Term, *command: str) -> str:
    done = term.door.app.test_cli_runner().invoke(args=command)
    assert done.exit_code == 0, done.output
    return done.output


def the_clerk_writes_more_classes_down(term: Term) -> None:
    """All of them to be published together, at the community's hour."""
    rooms = {room["name"]: room["key"] for room in told(term.clerk.get("/staff/venues"))["items"]}
    written: Sequence[tuple[str, Sequence[datetime], Mapping[str, object]]] = (
        ("咖啡拉花", [at(12, 5, 14)], {"capacity": 1, "promotion": "offer"}),
        (
            "书法",
            [at(11, 28, 10)],
            {"capacity": 2, "admission": "draw", "draws_at": at(11, 22, 12).isoformat()},
        ),
        ("合唱", [at(11, 29, 10)], {"capacity": 2, "admission": "review"}),
        ("剪纸", [at(11, 25, 19)], {"capacity": 1, "promotion": "automatic"}),
        ("太极", [at(11, 24, 19), at(11, 26, 19)], {"home_first_hours": 24}),
        ("亲子绘本", [at(11, 28, 15)], {"audience": "pair"}),
        ("小小画家", [at(11, 29, 15)], {"audience": "child"}),
        ("八段锦", [at(11, 25, 14)], {}),
        ("八段锦二班", [at(11, 30, 14)], {}),
        ("书评会", [at(11, 27, 14)], {}),
        ("手机课堂", [at(12, 3, 14)], {"capacity": 2, "seats_held": 1}),
    )
    for title, evenings, how in written:
        term.classes[title] = _written_down(term, title.removesuffix("二班"), rooms["茶室"], evenings, how)
    keys = [term.classes[title] for title, _, _ in written]
    answer = told(
        term.clerk.post("/staff/course-runs/bulk", json={"act": "publish", "keys": keys, "at_the_hour": True})
    )
    assert (answer["done"], answer["refused"]) == (len(written), 0)
    the_problem(term.anybody.get(term.run("书法")), 404, "not_found")


def _written_down(
    term: Term, title: str, room: str, evenings: Sequence[datetime], how: Mapping[str, object]
) -> str:
    course: dict[str, Any] = {"community": term.town.wutong.key, "title": title, "category": "文化艺术"}
    opened = told(term.clerk.post("/staff/courses", json=course), 201)
    run = {
        "course": opened["key"],
        "teacher": f"{title}老师",
        "capacity": 20,
        "opens_at": OPENS.isoformat(),
        "evenings": [
            {
                "starts_at": one.isoformat(),
                "ends_at": (one + timedelta(minutes=90)).isoformat(),
                "venue": room,
            }
            for one in evenings
        ],
        **TO_ALL_AT_ONCE,
        **how,
    }
    return str(told(term.clerk.post("/staff/course-runs", json=run), 201)["key"])


# --- Saturday: published, and opened an hour later ----------------------------------------------------------------


def everybody_sees_what_is_new(term: Term) -> None:
    day = told(term.anybody.get(f"/regions/{term.town.wutong.key}/days/2026-11-21"))
    assert day["number"] == 11
    assert term.anybody.get(f"/api/v1{term.run('书法')}").status_code == 200
    page = term.anybody.client.get(day["share"]["page"])
    assert "咖啡拉花" in page.text
    promised = told(term.anybody.get(f"{term.run('书法')}/draw"))
    assert (promised["seed"], len(promised["promised"])) == (None, 64)


def everybody_taps(term: Term) -> None:
    town = term.town
    coffee = [
        term.taps(who, "咖啡拉花") for who in (town.resident, town.neighbour, town.helper, town.outsider)
    ]
    assert [(one["state"], one["position"]) for one in coffee] == [
        ("confirmed", None),
        ("waitlisted", 1),
        ("waitlisted", 2),
        ("waitlisted", 3),
    ]
    full = told(term.anybody.get(term.run("咖啡拉花")))
    assert (full["state_label"], full["seats_left"], full["waiting"]) == ("已报满", 0, 3)
    for who in (town.resident, town.neighbour, town.guardian):
        assert term.taps(who, "书法")["state"] == "applied"
    for who in (town.helper, town.outsider):
        assert term.taps(who, "合唱")["state"] == "applied"
    term.taps(town.guardian, "剪纸")
    assert term.taps(town.outsider, "剪纸")["position"] == 1
    term.taps(town.neighbour, "太极")
    the_problem(term.phone(town.outsider).put(f"{term.run('太极')}/registration"), 409, "neighbours_first")
    term.taps(town.helper, "八段锦")
    term.taps(town.resident, "书评会")


def a_guardian_brings_a_child(term: Term) -> None:
    phone = term.speaking(term.town.guardian)
    card = {"name": "李小明", "birth_year": 2018, "consent": {"version": PRIVACY_POLICY.version}}
    child = told(phone.post("/me/children", json=card), 201)["key"]
    the_problem(phone.put(f"{term.run('小小画家')}/registration"), 409, "guardian_needed")
    assert term.taps(term.town.guardian, "小小画家", whom=child)["resident"] == child
    the_problem(phone.put(f"{term.run('亲子绘本')}/registration"), 409, "pair_needed")
    assert term.taps(term.town.guardian, "亲子绘本", whom=child)["state"] == "confirmed"
    (line,) = told(term.clerk.get(f"{term.staff_run('亲子绘本')}/registrations"))["items"]
    assert (line["name"], line["paired_with"]) == ("李小明", "李强")


def a_seat_is_given_up_and_the_next_has_it(term: Term) -> None:
    term.gives_up(term.town.guardian, "剪纸")
    mine = told(term.phone(term.town.outsider).get(f"{term.run('剪纸')}/registration"))
    assert mine["state"] == "confirmed"
    (why,) = told(term.phone(term.town.outsider).get(f"/me/receipts?run={term.classes['剪纸']}"))["items"]
    assert why["why_label"] == "候补转正"


# --- Sunday: by lot, and by review --------------------------------------------------------------------------------


def anybody_repeats_the_draw(term: Term) -> None:
    """From what is published alone; whose ticket is whose only they know."""
    drawn = told(term.anybody.get(f"{term.run('书法')}/draw"))
    assert hashlib.sha256(drawn["seed"].encode()).hexdigest() == drawn["promised"]
    lots = told(term.anybody.get(f"{term.run('书法')}/draw/tickets"))["items"]
    again = sorted(
        (lot["ticket"] for lot in lots),
        key=lambda ticket: hashlib.sha256(f"{drawn['seed']}:{ticket}".encode()).hexdigest(),
    )
    assert [lot["ticket"] for lot in lots] == again
    assert (drawn["tickets"], drawn["seats"]) == (3, 2)
    for who in ("resident", "neighbour", "guardian"):
        mine = told(term.phone(term.cast[who]).get(f"{term.run('书法')}/registration"))
        won = mine["ticket"] in again[:2]
        assert mine["state"] == ("confirmed" if won else "waitlisted")
        (term.winners if won else term.losers).append(who)
    assert told(term.clerk.put(f"{term.staff_run('书法')}/draw")) == drawn


def staff_look_at_the_applicants(term: Term) -> None:
    helper, outsider = (
        f"{term.staff_run('合唱')}/registrations/{term.line_of('合唱', name)}" for name in ("王芳", "赵敏")
    )
    assert told(term.clerk.put(f"{helper}/admission"))["state"] == "confirmed"
    no = term.clerk.put(f"{outsider}/rejection", json={"because": "本期面向有基础的居民"})
    assert no.status_code == 204


# --- the days after: what is changed, and what is freed -----------------------------------------------------------


def an_evening_moves(term: Term) -> None:
    meeting = term.evening("太极")
    sent = {
        "starts_at": at(11, 24, 20).isoformat(),
        "ends_at": at(11, 24, 21).isoformat(),
        "because": "老师有事",
    }
    assert told(term.clerk.put(f"/staff{meeting}/time", json=sent))["told"] == 1


def an_evening_is_called_off(term: Term) -> None:
    meeting = term.evening("太极", 1)
    assert told(term.clerk.put(f"/staff{meeting}/cancellation", json={"because": "停电检修"}))["told"] == 1
    the_problem(
        term.clerk.put(f"/staff{term.evening('太极')}/cancellation", json={"because": "停电"}),
        409,
        "last_session",
    )


def a_seat_is_freed_and_offered(term: Term) -> None:
    term.gives_up(term.town.resident, "咖啡拉花")
    mine = told(term.phone(term.town.neighbour).get(f"{term.run('咖啡拉花')}/registration"))
    assert (mine["state"], mine["offer_expires_at"]) == ("offered", at(11, 24, 20, 30).isoformat())


def the_next_accepts(term: Term) -> None:
    late = term.phone(term.town.neighbour).put(f"{term.run('咖啡拉花')}/registration/acceptance")
    the_problem(late, 409, "offer_expired")
    early = term.phone(term.town.outsider).put(f"{term.run('咖啡拉花')}/registration/acceptance")
    the_problem(early, 409, "no_offer")
    for _ in range(2):
        mine = told(term.phone(term.town.helper).put(f"{term.run('咖啡拉花')}/registration/acceptance"))
        assert mine["state"] == "confirmed"


def a_class_with_few_joins_another(term: Term) -> None:
    too_few = told(term.clerk.get("/staff/opening-decisions"))["items"]
    assert term.classes["八段锦"] in [one["run"]["key"] for one in too_few]
    sent = {"decision": "merge", "into": term.classes["八段锦二班"], "because": "人数不够"}
    assert told(term.clerk.put(f"{term.staff_run('八段锦')}/opening-decision", json=sent))["told"] == 1


def a_class_is_called_off(term: Term) -> None:
    sent = {"because": "老师出差"}
    assert told(term.clerk.put(f"{term.staff_run('书评会')}/cancellation", json=sent))["told"] == 1


# --- the imported classes open ------------------------------------------------------------------------------------


def the_dancers_register(term: Term) -> None:
    for who in (term.town.resident, term.town.neighbour, term.town.guardian):
        assert term.taps(who, "民族舞")["state"] == "confirmed"


def families_and_staff_register_elders(term: Term) -> None:
    """The helper for an elder who accepted her by code; the grid worker for one without WeChat, who signed on paper."""
    town = term.town
    term.taps(town.resident, "口才与表达")
    term.taps(town.neighbour, "口才与表达")
    code = told(term.phone(town.helper).post("/me/help-offers"), 201)["code"]
    told(term.phone(term.senior).post("/me/helpers", json={"code": code}), 201)
    term.taps(town.helper, "口才与表达", whom=term.senior.key)
    told(term.clerk.put(f"/staff/residents/{town.elder.key}/consent", json=SIGNED))
    grid = term.phone(town.grid_worker)
    mine = told(grid.put(f"{term.staff_run('口才与表达')}/registrations/{town.elder.key}"))
    assert mine["state"] == "confirmed"


def the_elder_without_wechat_is_called(term: Term) -> None:
    calls = told(term.clerk.get("/staff/calls"))["items"]
    assert [(call["kind"], call["name"]) for call in calls] == [("acted_for_you", "王奶奶")]
    assert "已替您报名：口才与表达" in calls[0]["body"]


def the_counter_has_a_seat_of_its_own(term: Term) -> None:
    """Held for whoever comes without a phone, while people wait who have one."""
    assert term.taps(term.town.neighbour, "手机课堂")["state"] == "confirmed"
    assert term.taps(term.town.outsider, "手机课堂")["state"] == "waitlisted"
    path = f"{term.staff_run('手机课堂')}/registrations/{term.town.elder.key}"
    assert told(term.clerk.put(path))["state"] == "confirmed"


def the_painters_register(term: Term) -> None:
    """One of them at the counter."""
    town = term.town
    for who in (town.resident, town.neighbour, town.outsider):
        term.taps(who, "团扇绘画")
    path = f"{term.staff_run('团扇绘画')}/registrations/{town.guardian.key}"
    assert told(term.clerk.put(path))["state"] == "confirmed"


def somebody_follows_a_course(term: Term) -> None:
    course = told(term.anybody.get(term.run("日常美妆")))["course"]
    told(term.phone(term.town.outsider).put(f"/me/follows/courses/{course}"))
