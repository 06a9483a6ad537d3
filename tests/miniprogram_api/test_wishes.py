"""Wishes over the wire: from the phone or the counter to the wall, and what nobody reads on the way."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.consents import ConsentChannel
from models.copies import copy_for
from models.counter import ConsentGiver, keep_consent
from models.journal import JournalEntry
from models.notices import Notice, NoticeKind
from models.regions import Region
from models.sites import Site, SiteKind
from models.staff import Role
from models.wishes import WishPhoto
from server.jobs.wishes import turn_wishes
from tests.people import Person, Town, a_person_without_phone, a_staff_member
from tests.phones import Door, Phone, the_problem, told
from tests.sandbox import CHECK_TEXT
from tests.wishes import somebody

TAP = {
    "words": "厨房水龙头一直滴水，想请人修，3栋501室，电话19900000001",
    "kind": "service",
    "may_show": True,
}
CARD = {"title": "修水龙头", "words": "一位长者家的水龙头滴水，想请人修一修"}


def just_opened(door: Door, who: Person) -> Phone:
    """The phone of somebody who opened the mini-program a moment ago, so that WeChat looks at what they write."""
    door.sandbox.login_code(who.openid)
    return door.phone(who)


def wishes(phone: Phone, said: dict[str, Any] = TAP, *, attempt: str = "1") -> dict[str, Any]:
    answer = phone.post("/me/wishes", json=said, headers={"Idempotency-Key": attempt})
    wish: dict[str, Any] = told(answer, 201)
    return wish


def a_picture(size: tuple[int, int] = (40, 30)) -> bytes:
    drawn = BytesIO()
    picture = Image.new("RGB", size, "teal")
    exif = picture.getexif()
    exif[0x010E] = "somewhere"
    picture.save(drawn, "JPEG", exif=exif)
    return drawn.getvalue()


def sends(phone: Phone, key: str, body: bytes) -> TestResponse:
    return phone.ask(
        "POST", f"/me/wishes/{key}/photos", data={"photo": (BytesIO(body), "p.jpg")}, buffered=True
    )


def test_from_the_phone_to_the_wall_and_back_to_the_phone(door: Door, town: Town) -> None:
    who = somebody(town, "张大爷")
    phone, clerk, anybody = just_opened(door, who), door.phone(town.clerk), door.phone()
    look = told(phone.post("/me/wishes/look", json={k: v for k, v in TAP.items() if k != "may_show"}))
    assert look["warnings"] == ["写了门牌地址、电话号码，公布时会遮住，只有社区工作人员看得到"]
    assert "199" not in look["masked"]
    made = wishes(phone)
    assert wishes(phone)["key"] == made["key"]
    assert (made["number"], made["state_label"], made["next_step"]) == (
        "0001",
        "待审核",
        "社区正在看，看完会通知您",
    )
    assert made["expected_by"] is not None

    (listed,) = told(clerk.get("/staff/wishes"))["items"]
    assert listed["name"] == "张*爷"
    assert "words" not in listed
    read = told(clerk.get(f"/staff/wishes/{made['key']}"))["wish"]
    assert (read["name"], read["phone"], read["words"]) == ("张大爷", who_phone(who), TAP["words"])
    assert [one["label"] for one in read["passages"]] == ["门牌地址", "电话号码"]
    too_much = clerk.put(f"/staff/wishes/{made['key']}/card", json=CARD | {"title": "张大爷的水龙头"})
    assert the_problem(too_much, 409, "wish_card_unfit")["errors"][0]["field"] == "title"
    assert told(clerk.put(f"/staff/wishes/{made['key']}/card", json=CARD))["state_label"] == "待认领"

    answer = anybody.get(f"/wishes?region={town.wutong.key}")
    (hanging,) = told(answer)["items"]
    assert (hanging["shows_as"], hanging["title"], hanging["age_label"]) == ("0001号", "修水龙头", "长者")
    everything = json.dumps(told(answer), ensure_ascii=False)
    for private in ("张大爷", "199", "501", who.key, who_phone(who)):
        assert private not in everything
    agreed = told(phone.put(f"/me/wishes/{made['key']}/sharing", json={"may_share": True}))
    assert agreed["may_share"]
    mine = told(phone.get(f"/me/wishes/{made['key']}"))["wish"]
    assert (mine["title"], mine["next_step"]) == ("修水龙头", "在心愿墙上等人认领")
    assert phone.delete(f"/me/wishes/{made['key']}").status_code == 204
    assert told(door.phone().get(f"/wishes?region={town.wutong.key}&limit=9"))["items"] == []


def who_phone(who: Person) -> str:
    with reading() as session:
        return who.resident(session).phone or ""


def test_every_look_at_a_wish_is_in_the_journal_of_whose_it_is(door: Door, town: Town) -> None:
    who = somebody(town)
    key = wishes(door.phone(who))["key"]
    told(door.phone(town.clerk).get(f"/staff/wishes/{key}"))
    with reading() as session:
        looked = session.scalars(select(JournalEntry).where(JournalEntry.act == "wish.looked_at")).one()
        assert (looked.for_resident_id, looked.identity) == (who.resident_id, town.clerk.identity)


def test_a_wish_is_not_sent_without_agreeing_that_it_hangs_on_the_wall(door: Door, town: Town) -> None:
    answer = door.phone(somebody(town)).post("/me/wishes", json=TAP | {"may_show": False})
    assert the_problem(answer, 422, "invalid")["errors"][0]["field"] == "may_show"


def test_money_is_refused_at_its_field(door: Door, town: Town) -> None:
    answer = door.phone(somebody(town)).post("/me/wishes", json=TAP | {"words": "请给我一点现金"})
    assert [error["field"] for error in the_problem(answer, 409, "wish_unfit")["errors"]] == ["words"]


def test_who_pressed_enter_is_told_that_and_not_of_signs_they_cannot_see(door: Door, town: Town) -> None:
    sent = {"words": "想学用手机\n周末有空", "kind": "service", "may_show": True}
    problem = the_problem(door.phone(somebody(town)).post("/me/wishes", json=sent), 422, "invalid")
    assert problem["errors"] == [{"field": "words", "message": "请写成一段，不要换行", "code": "invalid"}]


def test_risky_words_are_refused_and_doubtful_ones_do_not_stop_who_reads_them_anyway(
    door: Door, town: Town
) -> None:
    phone = just_opened(door, somebody(town))
    answer = phone.post("/me/wishes", json=TAP | {"words": "赌博平台"})
    assert the_problem(answer, 422, "content_risky")["errors"][0]["field"] == "words"
    door.sandbox.fault(CHECK_TEXT, http_status=502, times=9)
    made, clerk = wishes(phone), door.phone(town.clerk)
    assert len(told(clerk.get("/staff/content-checks"))["items"]) == 1
    told(clerk.put(f"/staff/wishes/{made['key']}/card", json=CARD))
    assert told(clerk.get("/staff/content-checks"))["items"] == []


@pytest.mark.parametrize("said", [{"nickname": "赌博平台"}, {"kind": "goods", "piece": "枪支弹药"}])
def test_what_hangs_beside_the_words_is_looked_at_with_them(
    door: Door, town: Town, said: dict[str, str]
) -> None:
    phone = just_opened(door, somebody(town))
    the_problem(phone.post("/me/wishes", json=TAP | said), 422, "content_risky")
    key = wishes(phone)["key"]
    corrected = {name: value for name, value in (TAP | said).items() if name not in ("may_show", "round")}
    the_problem(phone.put(f"/me/wishes/{key}", json=corrected), 422, "content_risky")


def test_what_a_clerk_would_not_let_stay_is_not_sent_anew(door: Door, town: Town) -> None:
    """Neither the same words, which nobody would be asked about, nor words nobody has looked at yet pass for sure."""
    phone, clerk = just_opened(door, somebody(town)), door.phone(town.clerk)
    said = {"words": "想学用手机，加我微信", "kind": "service"}
    made = told(phone.post("/me/wishes", json=said | {"may_show": True}), 201)
    told(phone.put(f"/me/wishes/{made['key']}", json=said | {"hardship": "眼睛不好"}))
    assert told(clerk.get(f"/staff/wishes/{made['key']}"))["wish"]["words_are_sure"] is False
    (check,) = told(clerk.get("/staff/content-checks"))["items"]
    told(
        clerk.put(
            f"/staff/content-checks/{check['key']}/decision",
            json={"decision": "reject", "reason": "请文明用语"},
        )
    )
    assert told(phone.get(f"/me/wishes/{made['key']}"))["wish"]["state"] == "rejected"
    again = said | {"hardship": "眼睛不太好"}
    the_problem(phone.put(f"/me/wishes/{made['key']}", json=again), 422, "content_risky")


def test_more_is_asked_for_and_said(door: Door, town: Town) -> None:
    phone, clerk = just_opened(door, somebody(town)), door.phone(town.clerk)
    key = wishes(phone)["key"]
    told(clerk.put(f"/staff/wishes/{key}/question", json={"because": "请写清楚哪一个水龙头"}))
    asked = told(phone.get(f"/me/wishes/{key}"))["wish"]
    assert (asked["state_label"], asked["because"], asked["expected_by"]) == (
        "待补充",
        "请写清楚哪一个水龙头",
        None,
    )
    said = {"words": "修厨房的水龙头", "kind": "service"}
    assert told(phone.put(f"/me/wishes/{key}", json=said))["state_label"] == "待审核"
    told(clerk.put(f"/staff/wishes/{key}/rejection", json={"because": "请找物业报修"}))
    the_problem(clerk.put(f"/staff/wishes/{key}/card", json=CARD), 409, "wish_decided")


def test_a_grid_worker_writes_down_what_an_elder_says_on_a_visit(door: Door, town: Town) -> None:
    with transaction() as session:
        elder = a_person_without_phone(session, town.wutong, name="孙大爷")
        keep_consent(
            session,
            elder.resident(session),
            channel=ConsentChannel.COUNTER,
            given_by=ConsentGiver.ONESELF,
            by_account_id=town.clerk.account_id,
            identity=town.clerk.identity,
        )
    said = TAP | {"resident": elder.key, "source": "visit"}
    made = told(door.phone(town.clerk).post("/staff/wishes", json=said), 201)
    assert (made["source"], made["state"]) == ("visit", "submitted")
    the_problem(door.phone(town.street_officer).get(f"/staff/wishes/{made['key']}"), 404, "not_found")


def test_a_helper_wishes_for_an_elder_and_both_see_it(door: Door, town: Town) -> None:
    made = told(door.phone(town.helper).post(f"/me/wishes?for={town.elder.key}", json=TAP), 201)
    assert made["whose"]["key"] == town.elder.key
    (listed,) = told(door.phone(town.helper).get("/me/wishes"))["items"]
    assert listed["key"] == made["key"]
    assert told(door.phone(town.neighbour).get("/me/wishes"))["items"] == []


def test_somebody_else_needs_the_same(door: Door, town: Town) -> None:
    who, other = somebody(town), somebody(town)
    key = wishes(door.phone(who))["key"]
    phone = door.phone(other)
    the_problem(phone.put(f"/wishes/{key}/support"), 404, "not_found")
    told(door.phone(town.clerk).put(f"/staff/wishes/{key}/card", json=CARD))
    assert told(phone.put(f"/wishes/{key}/support")) == {"supporters": 1}
    assert told(phone.delete(f"/wishes/{key}/support")) == {"supporters": 0}
    the_problem(door.phone(who).put(f"/wishes/{key}/support"), 409, "own_wish")


# --- photos -------------------------------------------------------------------------------------------------------


def test_a_picture_is_seen_by_whoever_holds_its_address_for_an_hour_or_two(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    phone, clerk = just_opened(door, somebody(town)), door.phone(town.clerk)
    key = wishes(phone)["key"]
    photo = told(sends(phone, key, a_picture()), 201)
    assert (photo["width"], photo["height"]) == (40, 30)
    seen = door.phone().get(photo["url"].removeprefix("/api/v1"))
    assert (seen.status_code, seen.mimetype) == (200, "image/jpeg")
    assert b"somewhere" not in seen.data
    small = door.phone().get(photo["thumbnail_url"].removeprefix("/api/v1"))
    assert small.status_code == 200
    bare = photo["url"].removeprefix("/api/v1")
    for bad in (
        bare.partition("?")[0],
        bare.replace("signature=", "signature=0"),
        bare.replace("until=", "until=9"),
        bare.replace(f"/{photo['key']}?", f"/{photo['key']}/thumbnail?"),
    ):
        assert door.phone().get(bad).status_code in {404, 422}
    clock.advance(hours=3)
    assert door.phone().get(bare).status_code == 404
    (again,) = told(clerk.get(f"/staff/wishes/{key}"))["wish"]["photos"]
    assert door.phone().get(again["url"].removeprefix("/api/v1")).status_code == 200


def test_a_picture_hangs_only_after_wechat_or_a_clerk_let_it(door: Door, town: Town) -> None:
    phone, clerk = just_opened(door, somebody(town)), door.phone(town.clerk)
    key = wishes(phone)["key"]
    photo = told(sends(phone, key, a_picture()), 201)
    shows = CARD | {"photos": [photo["key"]]}
    problem = the_problem(clerk.put(f"/staff/wishes/{key}/card", json=shows), 409, "wish_card_unfit")
    assert [error["field"] for error in problem["errors"]] == ["photos"]
    with transaction() as session:
        session.scalars(select(WishPhoto)).one().is_sure = True
    told(clerk.put(f"/staff/wishes/{key}/card", json=shows))
    (hanging,) = told(door.phone().get("/wishes"))["items"]
    assert [one["key"] for one in hanging["photos"]] == [photo["key"]]


@pytest.mark.parametrize("body", [b"%PDF-1.7 no picture", b"", a_picture()[:200]])
def test_what_is_no_picture_is_refused_and_leaves_nothing(door: Door, town: Town, body: bytes) -> None:
    phone = just_opened(door, somebody(town))
    key = wishes(phone)["key"]
    answer = sends(phone, key, body)
    assert answer.status_code in {409, 422}
    assert told(phone.get(f"/me/wishes/{key}"))["wish"]["photos"] == []


def test_a_picture_goes_with_its_files(door: Door, town: Town) -> None:
    phone = just_opened(door, somebody(town))
    key = wishes(phone)["key"]
    before = set(door.app.extensions["wish_files"].names())
    photo = told(sends(phone, key, a_picture()), 201)
    assert len(set(door.app.extensions["wish_files"].names()) - before) == 2
    assert phone.delete(f"/me/wish-photos/{photo['key']}").status_code == 204
    assert set(door.app.extensions["wish_files"].names()) == before
    the_problem(phone.delete(f"/me/wish-photos/{photo['key']}"), 404, "not_found")


def test_other_peoples_wishes_and_pictures_are_not_there(door: Door, town: Town) -> None:
    phone, other = just_opened(door, somebody(town)), door.phone(somebody(town))
    key = wishes(phone)["key"]
    photo = told(sends(phone, key, a_picture()), 201)
    for answer in (
        other.get(f"/me/wishes/{key}"),
        other.put(f"/me/wishes/{key}", json={"words": "别人的", "kind": "service"}),
        other.delete(f"/me/wishes/{key}"),
        sends(other, key, a_picture()),
        other.delete(f"/me/wish-photos/{photo['key']}"),
        other.get(f"/wishes/{key}"),
    ):
        assert answer.status_code == 404


# --- rounds, leaving, the copy ------------------------------------------------------------------------------------


def test_a_round_collects_and_hangs_up_together(door: Door, town: Town) -> None:
    today = town_clock.today()
    plan = {
        "region": town.wutong.key,
        "title": "重阳",
        "collects_from": today.isoformat(),
        "collects_until": (today + timedelta(days=5)).isoformat(),
        "shown_on": (today + timedelta(days=7)).isoformat(),
    }
    clerk = door.phone(town.clerk)
    planned = told(clerk.post("/staff/wish-rounds", json=plan), 201)
    (collecting,) = told(door.phone().get(f"/regions/{town.wutong.key}/wish-rounds"))["items"]
    assert collecting["key"] == planned["key"]
    made = wishes(door.phone(somebody(town)), TAP | {"round": planned["key"]})
    assert told(clerk.put(f"/staff/wishes/{made['key']}/card", json=CARD))["state"] == "approved"
    assert told(door.phone().get("/wishes"))["items"] == []
    (listed,) = told(clerk.get("/staff/wish-rounds"))["items"]
    change = {k: v for k, v in plan.items() if k != "region"} | {"about": "给长者的"}
    assert told(clerk.put(f"/staff/wish-rounds/{listed['key']}", json=change))["about"] == "给长者的"


def test_who_leaves_is_told_of_their_wishes_and_has_them_in_the_copy(door: Door, town: Town) -> None:
    who = somebody(town)
    phone = door.phone(who)
    made = wishes(phone)
    assert [wish["key"] for wish in told(phone.get("/me/closure"))["wishes"]] == [made["key"]]
    with reading() as session:
        copy = copy_for(session, who.account(session))
        assert copy.oneself is not None
        assert [wish.wish.words for wish in copy.oneself.wishes] == [TAP["words"]]
    closure = told(phone.get("/me/closure"))["closure"]
    assert phone.delete(f"/me?closure={closure}").status_code == 204


def test_the_wall_is_read_page_by_page(door: Door, town: Town) -> None:
    clerk = door.phone(town.clerk)
    for _ in range(3):
        key = wishes(door.phone(somebody(town)))["key"]
        told(clerk.put(f"/staff/wishes/{key}/card", json=CARD))
    first = told(door.phone().get("/wishes?limit=2"))
    second = told(door.phone().get(f"/wishes?limit=2&cursor={first['next']}"))
    assert [one["shows_as"] for one in first["items"] + second["items"]] == ["0003号", "0002号", "0001号"]
    assert second["next"] is None


def test_who_wished_reads_whose_desk_it_is_on_and_asks_how_it_goes(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    """E27: fifty taps from three devices are one message to the office; all of them are answered."""
    who = somebody(town, "张大爷")
    with transaction() as session:
        session.add(
            Site(
                region=session.get_one(Region, town.wutong.id),
                kind=SiteKind.CENTRE,
                name="中心",
                phone="0453-1",
            )
        )
        session.add(
            Site(
                region=session.get_one(Region, town.east_street.id),
                kind=SiteKind.CENTRE,
                name="街道中心",
                phone="0453-2",
            )
        )
    phones = [just_opened(door, who) for _ in range(3)]
    phone, clerk = phones[0], door.phone(town.clerk)
    key = wishes(phone)["key"]

    def now() -> dict[str, Any]:
        standing: dict[str, Any] = told(phone.get(f"/me/wishes/{key}"))["now"]
        return standing

    reviewed = now()
    assert (reviewed["desk"], reviewed["desk_label"], reviewed["phone"]) == ("community", "社区", "0453-1")
    assert reviewed["next_step"] == "社区正在审核，看完会通知您"
    assert reviewed["expected_by"] is not None
    assert reviewed["urge_from"] is not None
    told(clerk.put(f"/staff/wishes/{key}/card", json=CARD))
    hanging = now()
    assert (hanging["desk"], hanging["desk_label"]) == ("wall", "心愿墙")
    assert hanging["next_step"] == "第1轮，在心愿墙上等人认领，到期没有人认领的进入下一轮，排到前面"

    answers = [told(phones[n % 3].post(f"/me/wishes/{key}/urge")) for n in range(50)]
    assert answers[0]["said"] == "已催办，3天内会有回音"
    assert {one["said"] for one in answers[1:]} == {"已经催办过了，正在处理；11月23日以后可以再催"}
    assert {one["again_at"] for one in answers} == {answers[0]["again_at"]}
    assert now()["urge_from"] == answers[0]["again_at"]
    steps = [step["label"] for step in told(phone.get(f"/me/wishes/{key}"))["steps"]]
    assert steps.count("许愿人催办") == 1
    with reading() as session:
        asked = session.scalars(select(Notice).where(Notice.kind == NoticeKind.WISH_URGED)).all()
    assert sorted(one.account_id for one in asked) == sorted([town.clerk.account_id, town.admin.account_id])

    clock.advance(days=15)
    turn_wishes(town_clock.now())
    assert now()["next_step"].startswith("第2轮，在心愿墙上等人认领，到期没有人认领的由街道研究交办")
    clock.advance(days=15)
    turn_wishes(town_clock.now())
    street = now()
    assert (street["desk"], street["desk_label"], street["phone"]) == ("street", "街道", "0453-2")
    assert street["next_step"] == "街道正在研究交给谁办"
    assert street["expected_by"] is not None
    steps = [step["label"] for step in told(phone.get(f"/me/wishes/{key}"))["steps"]]
    assert steps[-2:] == ["没有人认领而进入下一轮", "没有人认领而上报街道"]
    assert phone.delete(f"/me/wishes/{key}").status_code == 204
    over = now()
    assert (over["desk"], over["desk_label"], over["urge_from"]) == (None, "", None)
    the_problem(phone.post(f"/me/wishes/{key}/urge"), 409, "wish_decided")


def test_the_street_lists_what_was_not_reviewed_in_time_and_reads_no_more_of_it(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    key = wishes(door.phone(somebody(town, "张大爷")))["key"]
    clerk, officer = door.phone(town.clerk), door.phone(town.street_officer)
    assert told(clerk.get("/staff/wishes?overdue=true"))["items"] == []
    clock.advance(days=7)
    for phone in (clerk, officer):
        assert [one["key"] for one in told(phone.get("/staff/wishes?overdue=true"))["items"]] == [key]
        piles = told(phone.get("/staff/desk"))["items"]
        assert {"name": "wishes_overdue", "title": "超时没审的心愿", "number": 1} in piles
    assert told(officer.get("/staff/wishes"))["items"] == []
    assert officer.get(f"/staff/wishes/{key}").status_code == 404
    with transaction() as session:
        elsewhere = a_staff_member(session, Role.STREET_OFFICER, session.get_one(Region, town.wangjiang.id))
    assert told(door.phone(elsewhere).get("/staff/wishes?overdue=true"))["items"] == []
