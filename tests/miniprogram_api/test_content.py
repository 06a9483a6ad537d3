"""A name is checked while its owner waits: risky ones are refused, doubtful ones taken and looked at, and WeChat's bad days stop nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from miniprogram_api.content import (
    MOST_AN_HOUR,
    MOST_PIECES,
    OVERLAP,
    PIECE,
    Opinion,
    as_read,
    checked,
    pieces_of,
)
from miniprogram_api.wechat import Scene
from models import clock as town_clock
from models.base import db, reading, transaction
from models.clock import StoppedClock
from models.consents import PRIVACY_POLICY
from models.content_checks import (
    RESIDENT_NAME,
    CheckState,
    ContentCheck,
    Decision,
    Finding,
    HeldBecause,
    Subject,
    decide,
    note_pass,
)
from models.departures import begin_closure
from models.errors import Invalid
from models.residents import Resident
from tests.people import Person, Town
from tests.phones import Door, Phone, the_problem, told
from tests.sandbox import CHECK_TEXT, STABLE_TOKEN

OPENID = "o-newcomer"
CONSENT = {"version": PRIVACY_POLICY.version}


@pytest.fixture
def newcomer(door: Door, town: Town) -> Phone:
    """A phone that has just logged in for the first time."""
    return door.log_in(OPENID)


@pytest.fixture
def phone(door: Door, town: Town) -> Phone:
    """The resident's own, just opened."""
    door.sandbox.login_code(town.resident.openid)
    return door.phone(town.resident)


def checks() -> list[ContentCheck]:
    with reading() as session:
        return list(session.scalars(select(ContentCheck).order_by(ContentCheck.id)))


def asked(door: Door) -> int:
    return door.sandbox.calls(CHECK_TEXT)


# --- what becomes of a name ---------------------------------------------------------------------------------------


def test_a_name_nobody_minds_is_taken_and_asked_about_once(door: Door, newcomer: Phone) -> None:
    me = told(newcomer.put("/me", json={"consent": CONSENT, "name": "新邻居"}))
    assert (me["name"], me["name_review"]) == ("新邻居", None)
    told(newcomer.put("/me", json={"name": "新邻居", "birth_year": 1960}))
    told(newcomer.put("/me", json={"elder_mode": True}))
    assert asked(door) == 1
    (check,) = checks()
    assert (check.state, check.written, check.found) == (CheckState.PASSED, None, "未发现问题")
    assert check.trace_id
    assert check.subject_key == me["key"]


def test_a_risky_name_is_refused_naming_the_field_and_nothing_is_kept(door: Door, newcomer: Phone) -> None:
    sent = {"consent": CONSENT, "name": "赌博平台", "birth_year": 1960}
    problem = the_problem(newcomer.put("/me", json=sent), 422, "content_risky")
    assert [(fault["field"], fault["code"]) for fault in problem["errors"]] == [("name", "content_risky")]
    assert "换一种说法" in problem["detail"]
    me = told(newcomer.get("/me"))
    assert (me["key"], me["name"], me["consent"]) == (None, None, None)
    (check,) = checks()
    assert (check.state, check.written, check.found, check.subject_key) == (
        CheckState.RISKY,
        None,
        "违法犯罪",
        None,
    )
    assert me["name_review"] is None
    assert told(newcomer.put("/me", json={**sent, "name": "新邻居"}))["name"] == "新邻居"


def test_the_same_risky_name_again_is_refused_without_asking(door: Door, phone: Phone) -> None:
    for _ in range(3):
        the_problem(phone.put("/me", json={"name": "赌博平台"}), 422, "content_risky")
    assert asked(door) == 1
    assert told(phone.get("/me"))["name"] == "陈静"


def test_a_doubtful_name_is_taken_and_a_clerk_looks_at_it(phone: Phone) -> None:
    me = told(phone.put("/me", json={"name": "加我微信"}))
    assert (me["name"], me["name_review"]) == ("加我微信", {"state": "waiting", "reason": None})
    assert told(phone.get("/me")) == me
    (check,) = checks()
    assert (check.state, check.held_because, check.written, check.found) == (
        CheckState.WAITING,
        HeldBecause.DOUBTFUL,
        "加我微信",
        "广告",
    )
    assert told(phone.put("/me", json={"name": "陈静"}))["name_review"] is None
    assert [check.state for check in checks()] == [CheckState.DROPPED, CheckState.PASSED]


@pytest.mark.parametrize(
    ("path", "day", "because"),
    [
        (CHECK_TEXT, {"errcode": -1}, HeldBecause.UNANSWERED),
        (CHECK_TEXT, {"latency_ms": 900}, HeldBecause.UNANSWERED),
        (CHECK_TEXT, {"errcode": 61010}, HeldBecause.AWAY),
        (CHECK_TEXT, {"errcode": 45009}, HeldBecause.USED_UP),
        (CHECK_TEXT, {"errcode": 44991}, HeldBecause.USED_UP),
        (CHECK_TEXT, {"reset_after_processing": True}, HeldBecause.UNANSWERED),
        (STABLE_TOKEN, {"http_status": 500}, HeldBecause.UNANSWERED),
        (STABLE_TOKEN, {"errcode": 45009}, HeldBecause.UNANSWERED),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_a_newcomer_registers_on_wechats_bad_days_too(
    door: Door, newcomer: Phone, town: Town, path: str, day: dict[str, Any], because: HeldBecause
) -> None:
    """E35."""
    door.sandbox.fault(path, times=None, **day)
    sent = {
        "name": "新邻居",
        "phone": "13912345678",
        "home_community": town.wutong.key,
        "birth_year": 1960,
        "consent": CONSENT,
    }
    me = told(newcomer.put("/me", json=sent))
    assert (me["missing"], me["name_review"]) == ([], {"state": "waiting", "reason": None})
    assert told(newcomer.put(f"/course-runs/{town.a_run().key}/registration"))["state"] == "confirmed"
    (check,) = checks()
    assert (check.state, check.held_because, check.written) == (CheckState.WAITING, because, "新邻居")
    assert asked(door) <= 1


def test_who_has_not_opened_the_mini_program_for_two_hours_is_looked_at_by_a_person(
    door: Door, town: Town
) -> None:
    door.sandbox.user(town.resident.openid)
    told(door.phone(town.resident).put("/me", json={"name": "小陈"}))
    (check,) = checks()
    assert check.held_because is HeldBecause.AWAY


def test_what_nobody_agreed_to_is_not_told_to_wechat_either(door: Door, newcomer: Phone) -> None:
    the_problem(newcomer.put("/me", json={"name": "新邻居"}), 409, "consent_needed")
    old = {"consent": {"version": "2020-01"}, "name": "新邻居"}
    the_problem(newcomer.put("/me", json=old), 409, "consent_outdated")
    assert asked(door) == 0


def test_a_rejected_name_is_asked_for_anew_and_not_taken_again(door: Door, phone: Phone, town: Town) -> None:
    told(phone.put("/me", json={"name": "加我微信"}))
    with transaction() as session:
        check = session.scalars(select(ContentCheck)).one()
        decide(session, check, Decision.REJECT, by=town.clerk.member(session), reason="请写平时的称呼")
    me = told(phone.get("/me"))
    assert (me["name"], me["missing"]) == (None, ["name"])
    assert me["name_review"] == {"state": "rejected", "reason": "请写平时的称呼"}
    (message,) = told(phone.get("/me/notices"))["items"]
    assert (message["title"], message["page"]) == ("内容没有通过审核", "pages/me/profile")
    the_problem(phone.put("/me", json={"name": "加我微信"}), 422, "content_risky")
    assert asked(door) == 1
    me = told(phone.put("/me", json={"name": "陈静"}))
    assert (me["missing"], me["name_review"]) == ([], None)


def test_an_approved_name_is_not_asked_about_again(door: Door, phone: Phone, town: Town) -> None:
    told(phone.put("/me", json={"name": "加我微信"}))
    with transaction() as session:
        check = session.scalars(select(ContentCheck)).one()
        decide(session, check, Decision.APPROVE, by=town.clerk.member(session))
    told(phone.put("/me", json={"name": "低价转让"}))
    assert told(phone.put("/me", json={"name": "加我微信"}))["name_review"] is None
    assert asked(door) == 2
    assert [check.state for check in checks()] == [
        CheckState.APPROVED,
        CheckState.DROPPED,
        CheckState.PASSED,
    ]


def test_somebody_who_tries_without_end_is_asked_to_wait(
    door: Door, phone: Phone, town: Town, clock: StoppedClock
) -> None:
    with transaction() as session:
        subject = Subject(
            field=RESIDENT_NAME,
            key=town.resident.key,
            account_id=town.resident.account_id or 0,
            resident_id=town.resident.resident_id,
        )
        for n in range(MOST_AN_HOUR):
            note_pass(session, subject, f"陈{n}", Finding())
    refused = phone.put("/me", json={"name": "小陈"})
    the_problem(refused, 429, "content_too_often")
    assert refused.headers["Retry-After"] == "600"
    assert asked(door) == 0
    told(phone.put("/me", json={"elder_mode": True}))
    clock.advance(hours=1)
    told(phone.put("/me", json={"name": "小陈"}))


def test_two_forms_at_once_leave_one_name_and_no_more_than_one_open_check(door: Door, phone: Phone) -> None:
    names = ["加我微信", "低价转让", "加我微信一", "低价转让一"]
    together = threading.Barrier(len(names))
    statuses: list[int] = []

    def send(name: str) -> None:
        mine = Phone(door.app.test_client(), phone.token)
        together.wait()
        statuses.append(mine.put("/me", json={"name": name}).status_code)

    threads = [threading.Thread(target=send, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 4
    (waiting,) = [check for check in checks() if check.state is CheckState.WAITING]
    assert waiting.written == told(phone.get("/me"))["name"]


def test_nobody_waits_for_a_transaction_while_wechat_thinks(door: Door, phone: Phone, town: Town) -> None:
    door.sandbox.token()
    told(phone.put("/me", json={"name": "小陈"}))
    door.sandbox.fault(CHECK_TEXT, latency_ms=450)
    run = town.a_run()
    answers: list[int] = []

    def tell() -> None:
        answers.append(
            Phone(door.app.test_client(), phone.token).put("/me", json={"name": "陈静"}).status_code
        )

    telling = threading.Thread(target=tell)
    telling.start()
    while asked(door) < 2:
        time.sleep(0.005)
    town.resident.tap(run)
    if db.engine.dialect.name == "postgresql":
        open_ones = text(
            "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()"
        )
        with db.engine.connect() as connection:
            assert connection.execute(open_ones).scalar_one() == 0
    assert telling.is_alive(), "the tap did not wait for WeChat's answer about the name"
    telling.join()
    assert answers == [200]


@pytest.mark.parametrize("name", ["赌博平台", "加我微信", "小陈"])
def test_of_somebody_who_leaves_while_wechat_thinks_nothing_is_written(
    door: Door, phone: Phone, town: Town, name: str
) -> None:
    door.sandbox.token()
    door.sandbox.fault(CHECK_TEXT, latency_ms=450)
    answers: list[Any] = []

    def tell() -> None:
        answers.append(Phone(door.app.test_client(), phone.token).put("/me", json={"name": name}))

    telling = threading.Thread(target=tell)
    telling.start()
    while asked(door) < 1:
        time.sleep(0.005)
    with transaction() as session:
        begin_closure(session, town.resident.account(session))
    telling.join()
    assert answers[0].status_code in {401, 409}
    assert checks() == []


def test_no_name_and_nobody_stands_in_the_log(door: Door, phone: Phone, town: Town) -> None:
    openid = town.resident.openid
    with structlog.testing.capture_logs() as logged:
        told(phone.put("/me", json={"name": "加我微信"}))
        the_problem(phone.put("/me", json={"name": "赌博平台"}), 422, "content_risky")
        door.sandbox.fault(CHECK_TEXT, errcode=-1)
        told(phone.put("/me", json={"name": "欧阳小溪"}))
    for word in ("加我微信", "赌博平台", "欧阳小溪", openid):
        assert word not in repr(logged)


# --- tricks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "赌\u200b博\u200d平\ufeff台",
        "赌 博 平 台",
        "赌*博_平·台",
        "赌\ufe0f博\u3164平\u034f台",
        "赌\u0337博\u0337平\u0337台",
        "我是赌\u00ad博平台",
    ],
)
def test_what_eyes_read_is_what_is_checked(phone: Phone, name: str) -> None:
    the_problem(phone.put("/me", json={"name": name}), 422, "content_risky")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("王 芳", "王芳"),
        ("王芳 李强", "王芳 李强"),
        ("打赌。博物馆见", "打赌。博物馆见"),
        ("ＡＢＣ ①", "ABC 1"),
        ("第一行\n第二行", "第一行\n第二行"),
        ("Zoë", "Zoë"),
        ("👨‍👩‍👧 一家", "👨👩👧 一家"),
        ("", ""),
    ],
)
def test_plain_words_stay_what_they_are(written: str, read: str) -> None:
    assert as_read(written) == read


@given(st.text(max_size=300))
def test_reading_ends_and_leaves_nothing_that_takes_no_room(written: str) -> None:
    assert not set(as_read(written)) & set("\u200b\u200d\ufeff\u00ad\ufe0f\u034f")


@given(st.integers(1, PIECE * 5), st.integers(0, OVERLAP))
def test_pieces_are_short_enough_and_cut_no_word_in_two(length: int, word: int) -> None:
    written = "".join(chr(0x4E00 + place % 20000) for place in range(length))
    pieces = list(pieces_of(written))
    assert all(0 < len(piece) <= PIECE for piece in pieces)
    assert pieces[0] + "".join(piece[OVERLAP:] for piece in pieces[1:]) == written
    for place in range(0, max(length - word, 1), 97):
        assert any(written[place : place + word] in piece for piece in pieces)


# --- longer texts, as the nouns to come will ask about them -------------------------------------------------------


@contextmanager
def asking(door: Door, person: Person) -> Iterator[None]:
    """A request of this person's that has been let in, as a route finds it."""
    headers = {"Authorization": f"Bearer {door.token_of(person.login_key)}"}
    with door.app.test_request_context("/api/v1/me", headers=headers):
        door.app.preprocess_request()
        yield


@pytest.fixture
def ask(door: Door, phone: Phone, town: Town) -> Callable[[str], Opinion]:
    """Ask about a text of the resident's."""

    def ask_about(words: str) -> Opinion:
        with asking(door, town.resident):
            return checked(words, RESIDENT_NAME, scene=Scene.FORUM)

    return ask_about


def test_a_long_text_is_asked_about_in_pieces(door: Door, ask: Callable[[str], Opinion]) -> None:
    assert ask("好" * PIECE).is_sure
    assert asked(door) == 1
    assert ask("好" * (PIECE + 1)).is_sure
    assert asked(door) == 3


@pytest.mark.parametrize("place", [0, PIECE - 3, PIECE - OVERLAP, PIECE * 2])
def test_one_bad_word_anywhere_is_enough(ask: Callable[[str], Opinion], place: int) -> None:
    with pytest.raises(Invalid) as refused:
        ask("好" * place + "赌博平台" + "好" * PIECE)
    assert refused.value.code == "content_risky"


def test_a_doubt_about_one_piece_is_a_doubt_about_all(ask: Callable[[str], Opinion]) -> None:
    opinion = ask("加我微信" + "好" * PIECE)
    assert (opinion.held_because, opinion.finding.label) == (HeldBecause.DOUBTFUL, 10001)


def test_after_the_first_piece_without_an_answer_no_more_are_asked_about(
    door: Door, ask: Callable[[str], Opinion]
) -> None:
    door.sandbox.fault(CHECK_TEXT, errcode=-1)
    assert ask("好" * PIECE * 3).held_because is HeldBecause.UNANSWERED
    assert asked(door) == 1


def test_whoever_has_waited_ten_seconds_for_all_pieces_waits_no_longer(
    door: Door, ask: Callable[[str], Opinion], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter([0.0, 0.0, 9.9, 10.0])  # when it begins, and before each piece
    monkeypatch.setattr("miniprogram_api.content.time", SimpleNamespace(monotonic=lambda: next(seconds)))
    assert ask("好" * PIECE * 3).held_because is HeldBecause.UNANSWERED
    assert asked(door) == 2


def test_a_text_too_long_for_wechat_is_a_persons(door: Door, ask: Callable[[str], Opinion]) -> None:
    assert ask("好" * PIECE * MOST_PIECES).held_because is HeldBecause.TOO_LONG
    assert asked(door) == 0


def test_what_is_risky_is_written_down_although_it_is_refused(
    door: Door, ask: Callable[[str], Opinion], clock: StoppedClock
) -> None:
    with pytest.raises(Invalid):
        ask("赌博平台")
    (check,) = checks()
    assert (check.state, check.created_at) == (CheckState.RISKY, town_clock.now())
    clock.advance(seconds=timedelta(days=1).total_seconds())
    door.sandbox.login_code(openid_of_account(check.account_id))
    with pytest.raises(Invalid):
        ask("赌博平台")
    assert asked(door) == 2, "a day later WeChat may think otherwise"


def openid_of_account(account_id: int) -> str:
    with reading() as session:
        resident = session.scalars(select(Resident).where(Resident.account_id == account_id)).one()
        return Person("", resident.id, resident.key, account_id).account(session).openid
