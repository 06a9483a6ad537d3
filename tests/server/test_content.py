"""A picture on its way: handed to WeChat, judged by push in any order and weather, by a clerk where no verdict comes; and the news of a no."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from miniprogram_api.content import Shown, shown
from miniprogram_api.wechat import Scene
from models import clock as town_clock
from models.base import db, reading, transaction
from models.clock import StoppedClock
from models.content_checks import (
    KEPT_FOR,
    RESIDENT_NAME,
    VERDICT_WITHIN,
    CheckedField,
    CheckState,
    ContentCheck,
    Decision,
    Finding,
    HeldBecause,
    Subject,
    decide,
    hold_text,
    note_pass,
)
from models.notices import Delivery, Notice, TemplateName
from models.pushes import Push, PushState
from server.jobs.content import forget_checks, hold_overdue_pictures
from server.jobs.delivery import deliver_due
from server.jobs.pushes import WAITS_FOR
from tests.miniprogram_api.test_pushes import Line, line
from tests.people import Person, Town
from tests.phones import TEMPLATES, told
from tests.sandbox import CHECK_MEDIA
from tests.server.wechat_sandbox.test_content import PICTURE, open_shelf

__all__ = ["line"]

# a noun whose people add photos would enter it beside the name
PHOTO = CheckedField("wishes", "photo", "照片", "pages/wishes/wish")


@pytest.fixture
def shelf() -> Iterator[str]:
    """A public address under which pictures lie."""
    with open_shelf(PICTURE) as address:
        yield address


def hand_in(line: Line, town: Town, url: str) -> Shown:
    """The resident shows a picture, as a route finds it: let in, nothing written yet."""
    headers = {"Authorization": f"Bearer {line.door.token_of(town.resident.login_key)}"}
    with line.door.app.test_request_context("/api/v1/me", headers=headers):
        line.door.app.preprocess_request()
        return shown(url, PHOTO, scene=Scene.FORUM)


def write_down(line: Line, town: Town, picture: Shown, *, key: str = "a" * 16) -> int:
    """The noun's own row is written, and the check with it."""
    with line.door.app.app_context():
        with transaction():
            check = picture.write_down(
                key=key, account_id=town.resident.account_id or 0, resident_id=town.resident.resident_id
            )
        return check.id


def the_check() -> ContentCheck:
    with reading() as session:
        return session.scalars(select(ContentCheck)).one()


def the_push() -> Push:
    with reading() as session:
        return session.scalars(select(Push)).one()


def sweep(line: Line) -> int:
    with line.door.app.app_context():
        return hold_overdue_pictures(town_clock.now())


@pytest.fixture
def ready(line: Line, town: Town) -> Line:
    """WeChat knows the resident, who has the mini-program open, and where to push."""
    line.agree()
    line.door.sandbox.login_code(town.resident.openid)
    return line


# --- judged -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ordered", "state"),
    [
        (None, CheckState.PASSED),
        ({"suggest": "risky", "label": 20002}, CheckState.RISKY),
        ({"suggest": "review", "label": 20001}, CheckState.WAITING),
    ],
)
@pytest.mark.parametrize("weather", [{}, {"duplicate": True}, {"drop_first_answer": True, "retry_ms": 10}])
def test_wechats_verdict_comes_by_push_and_counts_once(
    ready: Line,
    town: Town,
    shelf: str,
    ordered: dict[str, Any] | None,
    state: CheckState,
    weather: dict[str, Any],
) -> None:
    ready.door.sandbox.weather(**weather)
    ready.door.sandbox.control("POST", "media-delay", {"delay_ms": 60_000})
    if ordered is not None:
        mark = {"mark": hashlib.sha256(PICTURE).hexdigest(), **ordered}
        ready.door.sandbox.control("POST", "media-verdicts", mark)
    picture = hand_in(ready, town, f"{shelf}/one.png")
    write_down(ready, town, picture)
    assert the_check().state is CheckState.PENDING
    ready.door.sandbox.control("POST", "pushes/release")
    ready.door.sandbox.pushes()
    assert ready.settle() == 1
    assert the_check().state is state
    assert (the_push().state, the_push().outcome) == (PushState.SETTLED, state.value)
    assert ready.settle() == 0


def test_a_verdict_that_is_pushed_before_the_row_is_there_waits_for_it(
    ready: Line, town: Town, shelf: str, clock: StoppedClock
) -> None:
    picture = hand_in(ready, town, f"{shelf}/one.png")
    ready.door.sandbox.pushes()
    assert ready.settle() == 0
    assert (the_push().state, the_push().attempts) == (PushState.OWED, 0)
    write_down(ready, town, picture)
    assert the_check().state is CheckState.PASSED, "the row looks whether its verdict came already"
    clock.advance(seconds=6)
    assert ready.settle() == 1
    assert the_push().outcome == "passed"


def test_a_verdict_on_nothing_of_ours_is_done_with_after_a_while(
    ready: Line, town: Town, shelf: str, clock: StoppedClock
) -> None:
    picture = hand_in(ready, town, f"{shelf}/one.png")
    ready.door.sandbox.pushes()
    clock.advance(seconds=WAITS_FOR.total_seconds())
    assert ready.settle() == 1
    assert the_push().outcome == "not_ours"
    write_down(ready, town, picture)
    assert the_check().state is CheckState.PASSED, "late as it is, it is not lost"


def test_a_picture_wechat_cannot_fetch_is_looked_at_by_a_person(ready: Line, town: Town, shelf: str) -> None:
    write_down(ready, town, hand_in(ready, town, f"{shelf}/gone.png"))
    ready.door.sandbox.pushes()
    assert ready.settle() == 1
    assert (the_check().state, the_check().held_because) == (CheckState.WAITING, HeldBecause.NOT_FETCHED)


@pytest.mark.parametrize(
    ("day", "because"),
    [
        ({"errcode": -1}, HeldBecause.UNANSWERED),
        ({"latency_ms": 900}, HeldBecause.UNANSWERED),
        ({"errcode": 61010}, HeldBecause.AWAY),
        ({"errcode": 45009}, HeldBecause.USED_UP),
        ({"reset_before": True}, HeldBecause.UNANSWERED),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_a_picture_wechat_does_not_take_waits_for_a_clerk_at_once(
    ready: Line, town: Town, shelf: str, day: dict[str, Any], because: HeldBecause
) -> None:
    ready.door.sandbox.fault(CHECK_MEDIA, **day)
    write_down(ready, town, hand_in(ready, town, f"{shelf}/one.png"))
    assert (the_check().state, the_check().held_because) == (CheckState.WAITING, because)
    (item,) = told(ready.door.phone(town.clerk).get("/staff/content-checks"))["items"]
    assert (item["kind"], item["image_url"]) == ("image", f"{shelf}/one.png")


# --- not judged ---------------------------------------------------------------------------------------------------


def test_after_half_an_hour_without_a_word_a_clerk_looks_and_a_late_word_spares_it(
    ready: Line, town: Town, shelf: str, clock: StoppedClock
) -> None:
    ready.door.sandbox.control("POST", "media-delay", {"delay_ms": 1_800_000})
    write_down(ready, town, hand_in(ready, town, f"{shelf}/one.png"))
    clock.advance(seconds=VERDICT_WITHIN.total_seconds() - 1)
    assert sweep(ready) == 0
    clock.advance(seconds=1)
    assert [sweep(ready) for _ in range(2)] == [1, 0]
    assert (the_check().state, the_check().held_because) == (CheckState.WAITING, HeldBecause.TIMED_OUT)
    ready.door.sandbox.control("POST", "pushes/release")
    ready.door.sandbox.pushes()
    assert ready.settle() == 1
    assert the_check().state is CheckState.PASSED


def test_a_check_is_forgotten_after_a_year(ready: Line, town: Town, clock: StoppedClock) -> None:
    with ready.door.app.app_context():
        with transaction() as session:
            note_pass(session, subject_of(town.resident), "陈静", Finding())
        clock.advance(seconds=(KEPT_FOR + timedelta(seconds=1)).total_seconds())
        assert [forget_checks(town_clock.now()) for _ in range(2)] == [1, 0]


# --- the news -----------------------------------------------------------------------------------------------------


def subject_of(person: Person) -> Subject:
    return Subject(
        field=RESIDENT_NAME,
        key=person.key,
        account_id=person.account_id or 0,
        resident_id=person.resident_id,
    )


def reject(line: Line, town: Town) -> None:
    with line.door.app.app_context(), transaction() as session:
        town.resident.resident(session).name = "加我微信"
        check = hold_text(
            session, subject_of(town.resident), "加我微信", Finding(label=10001), HeldBecause.DOUBTFUL
        )
        decide(session, check, Decision.REJECT, by=town.clerk.member(session), reason="请用真名")


def deliver(line: Line) -> Notice:
    with line.door.app.app_context():
        deliver_due(town_clock.now())
        db.session.remove()
    with reading() as session:
        return session.scalars(select(Notice)).one()


def test_whoever_allowed_it_hears_of_a_rejection_on_wechat(ready: Line, town: Town) -> None:
    template = TEMPLATES[TemplateName.REVIEW_RESULT]
    asked = told(ready.door.phone(town.resident).get("/message-grants/prompts?moment=profile"))
    assert [item["template_id"] for item in asked["items"]] == [template]
    ready.door.sandbox.accept(town.resident.openid, template)
    answers = {"answers": {template: "accept"}}
    told(ready.door.phone(town.resident).post("/me/message-grants", json=answers), 201)
    reject(ready, town)
    assert deliver(ready).delivery is Delivery.SENT
    (message,) = ready.door.sandbox.messages(town.resident.openid)
    assert message["values"] == {
        "thing1": "姓名",
        "phrase2": "未通过",
        "time3": "2026年11月20日 12:00",
        "thing4": "请点开查看原因，重新填写",
    }
    assert message["page"] == "pages/me/profile"
    assert "加我微信" not in str(message)


def test_who_has_told_another_name_meanwhile_is_not_written_to(ready: Line, town: Town) -> None:
    reject(ready, town)
    told(ready.door.phone(town.resident).put("/me", json={"name": "陈静"}))
    assert deliver(ready).delivery is Delivery.STALE
