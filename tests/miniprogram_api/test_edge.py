"""The edge: malformed requests, odd methods, odd bytes, bad days of our own, and nothing that leaks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from miniprogram_api.wechat import WeChatGateway
from models.accounts import Login
from models.base import db, transaction
from models.consents import PRIVACY_POLICY
from models.notices import TemplateName
from server.app import create_app
from tests.conftest import House, settings_for
from tests.people import Town
from tests.phones import API, TEMPLATES, Door, Phone, the_problem, told

JSON = {"Content-Type": "application/json"}


# --- requests that are not well formed ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"{", b"{'code': 1}", b"\xff\xfe\x00", b'{"code": "\xff"}', b"[" * 100_000, b'{"a":' * 50_000, b"nul",
     b'{"code": ' + b"9" * 5000 + b"}", b"\x00", "﻿{}".encode()],
)  # fmt: skip
def test_what_is_no_json_is_a_bad_request(door: Door, town: Town, body: bytes) -> None:
    answer = door.phone().post("/login", data=body, headers=JSON)
    the_problem(answer, 400, "bad_request")


@pytest.mark.parametrize(
    "media_type", [None, "text/plain", "application/xml", "multipart/form-data", "json", ""]
)
def test_what_does_not_say_it_is_json_is_refused(door: Door, town: Town, media_type: str | None) -> None:
    answer = door.phone().post("/login", data=b'{"code": "x"}', content_type=media_type)
    the_problem(answer, 415, "unsupported_media_type")


def test_a_form_is_refused(door: Door, town: Town) -> None:
    the_problem(door.phone().post("/login", data={"code": "x"}), 415, "unsupported_media_type")


def test_json_with_a_charset_is_json(door: Door, town: Town) -> None:
    sent = {"code": door.sandbox.login_code("o-newcomer")}
    answer = door.phone().post(
        "/login", data=json.dumps(sent), content_type="application/json; charset=utf-8"
    )
    assert answer.status_code == 200


def test_a_body_that_is_too_large_is_refused(door: Door, town: Town) -> None:
    answer = door.phone().post("/login", data=b" " * ((1 << 20) + 1), headers=JSON)
    the_problem(answer, 413, "too_large")
    again = {**JSON, "Idempotency-Key": "a"}
    answer = door.phone(town.resident).post("/me/phone", data=b" " * ((1 << 20) + 1), headers=again)
    the_problem(answer, 413, "too_large")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/me/registrations", {"GET", "HEAD", "OPTIONS"}),
        ("PATCH", "/me/registrations", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/login", {"POST", "DELETE", "OPTIONS"}),
        ("DELETE", "/course-runs", {"GET", "HEAD", "OPTIONS"}),
        ("POST", f"/course-runs/{'a' * 16}/registration", {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}),
        ("TRACE", "/me/registrations", {"GET", "HEAD", "OPTIONS"}),
        ("BREW", "/me/registrations", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_method_that_is_not_there_is_told_which_are(
    door: Door, town: Town, method: str, path: str, allowed: set[str]
) -> None:
    answer = door.phone(town.resident).ask(method, path)
    the_problem(answer, 405, "method_not_allowed")
    assert set(re.split(r",\s*", answer.headers["Allow"])) == allowed


@pytest.mark.parametrize(
    "path",
    ["/api/v1/", "/api/v2/me", "/api/v1/me/", "/api/v1/ME", "/nothing", "/api/v1/course-runs/", "/api/v1/%2e%2e/me",
     "/api/v1/%ff%fe", "/api/v1/me%00", "/api/v1/me%0a", "/api/docs/../openapi.json", "/api/docs/..%2f..%2fapp.py"],
)  # fmt: skip
def test_an_address_that_is_not_ours_is_not_found(door: Door, town: Town, path: str) -> None:
    the_problem(door.phone(town.resident).get(path), 404, "not_found")


def test_a_header_cannot_change_the_method(door: Door, town: Town) -> None:
    run = town.a_run()
    town.resident.tap(run)
    for header in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        door.phone(town.resident).get(f"/course-runs/{run.key}/registration", headers={header: "DELETE"})
        door.phone(town.resident).get(f"/course-runs/{run.key}/registration?_method=DELETE")
    assert town.states(run) == ["confirmed"]


def test_a_look_at_the_head_is_a_look_without_a_body(door: Door, town: Town) -> None:
    run = town.a_run()
    for path in ("/course-runs", f"/course-runs/{run.key}", "/regions", "/privacy-policy"):
        whole, head = door.phone().get(path), door.phone().ask("HEAD", path)
        assert (head.status_code, head.data) == (200, b"")
        assert head.headers["ETag"] == whole.headers["ETag"]
        assert head.headers["Content-Length"] == str(len(whole.data))


def test_asking_for_options_of_an_open_address_tells_them(door: Door, town: Town) -> None:
    answer = door.phone().ask("OPTIONS", "/course-runs")
    assert answer.status_code == 200
    assert {"GET", "HEAD", "OPTIONS"} == set(re.split(r",\s*", answer.headers["Allow"]))
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_no_header_of_an_answer_can_be_written_from_outside(door: Door, town: Town) -> None:
    for path in ("/course-runs?category=%0d%0aSet-Cookie:%20a=b", "/%0d%0aSet-Cookie:%20a=b"):
        answer = door.phone().get(path)
        assert "Set-Cookie" not in answer.headers
        assert answer.status_code in {404, 422}


def test_no_answer_sets_a_cookie(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    for path in ("/me", "/course-runs", "/me/notices"):
        assert "Set-Cookie" not in phone.get(path).headers


# --- every answer -------------------------------------------------------------------------------------------------


def test_every_answer_tells_the_towns_time_and_its_own_name(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    answers = [phone.get("/me"), phone.get("/course-runs"), phone.get("/nothing"), door.phone().get("/me")]
    for answer in answers:
        assert answer.headers["X-Server-Time"] == "2026-11-20T12:00:00.000+08:00"
        assert re.fullmatch("[a-z2-7]{16}", answer.headers["X-Request-Id"])
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == len(answers)


def test_private_answers_are_kept_by_nobody(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    for path in ("/me", "/me/registrations", "/me/notices", "/nothing"):
        assert phone.get(path).headers["Cache-Control"] == "no-store"


def test_chinese_is_sent_as_chinese(door: Door, town: Town) -> None:
    assert "陈静" in door.phone(town.resident).get("/me").text


# --- our own bad days ---------------------------------------------------------------------------------------------


@pytest.fixture
def fragile(house: House, town: Town) -> Iterator[Flask]:
    """An application of this test's own, with addresses that break."""
    app = create_app(settings_for(house.url, wechat_templates=TEMPLATES), fresh_seconds=0)

    def break_down(how: str) -> str:
        match how:
            case "unexpected":
                raise RuntimeError("陈静 13900000001 o-secret-openid")
            case "integrity":
                raise IntegrityError("INSERT 13900000001", {"phone": "13900000001"}, Exception("13900000001"))
            case "read_only":
                db.session.execute(text("DELETE FROM logins"))
            case _:
                db.session.execute(text("SELECT nothing FROM nowhere"))
        return "done"

    app.add_url_rule("/break/<how>", view_func=break_down)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("how", ["unexpected", "integrity", "read_only", "sql"])
def test_what_nobody_expected_leaks_nothing(fragile: Flask, how: str) -> None:
    with structlog.testing.capture_logs() as events:
        answer = fragile.test_client().get(f"/break/{how}")
    assert answer.status_code in {500, 503}
    assert answer.mimetype == "application/problem+json"
    assert set(answer.get_json()) == {"type", "title", "status", "code", "detail", "request_id"}
    assert {event["event"] for event in events} == {"request", "unexpected"} or how in {
        "integrity",
        "sql",
        "read_only",
    }
    # what the person was given finds every line about it, and the line finds the place
    assert {event["request_id"] for event in events} == {answer.get_json()["request_id"]}
    (trouble,) = [event for event in events if event["event"] != "request"]
    assert any("test_edge.py:" in frame and frame.endswith(" break_down") for frame in trouble["frames"])
    said = answer.text + json.dumps(events, ensure_ascii=False, default=str)
    for secret in ("13900000001", "陈静", "o-secret-openid", "Traceback", "nowhere", "INSERT"):
        assert secret not in said


def test_a_transaction_that_did_not_say_it_writes_cannot_write(fragile: Flask) -> None:
    assert fragile.test_client().get("/break/read_only").status_code >= 500
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM logins"))


def test_after_a_breakdown_the_next_request_is_fine(fragile: Flask, town: Town) -> None:
    client = fragile.test_client()
    for how in ("unexpected", "integrity", "read_only", "sql"):
        client.get(f"/break/{how}")
    assert client.get(f"{API}/course-runs").status_code == 200


def test_with_the_database_away_one_is_asked_to_come_back(
    town: Town, engine_name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    nowhere = tmp_path_factory.mktemp("away") / "no-such-directory" / "town.sqlite3"
    url = {
        "sqlite": f"sqlite:///{nowhere}",
        "postgresql": "postgresql+psycopg://nobody@127.0.0.1:9/nowhere?connect_timeout=1",
    }[engine_name]
    app = create_app(settings_for(url), fresh_seconds=0)
    token = app.extensions["token_mint"].token_for
    phone = Phone(app.test_client(), token(Login(key="a" * 16)))
    for answer in (
        phone.get("/course-runs"),
        phone.get("/me"),
        phone.put(f"/course-runs/{'a' * 16}/registration"),
        phone.put("/me", json={}),
        phone.get("/regions"),
    ):
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.mimetype == "application/problem+json"
    assert app.test_client().get("/healthz").status_code == 200
    assert app.test_client().get("/readyz").status_code == 503
    with app.app_context():
        db.engine.dispose()


def test_the_process_says_that_it_lives_and_that_it_is_ready(door: Door, town: Town) -> None:
    client = door.app.test_client()
    assert client.get("/healthz").get_json() == {"status": "ok"}
    assert client.get("/readyz").get_json() == {"status": "ready"}


def test_a_database_that_is_behind_is_not_ready(door: Door, town: Town) -> None:
    with transaction() as session:
        head = session.scalar(text("SELECT version_num FROM alembic_version"))
        session.execute(text("UPDATE alembic_version SET version_num = 'long_ago'"))
    try:
        the_problem(door.app.test_client().get("/readyz"), 503, "not_ready")
    finally:
        with transaction() as session:
            session.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head})


# --- logs ---------------------------------------------------------------------------------------------------------


def test_a_whole_journey_leaves_no_person_in_the_logs(
    door: Door, town: Town, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    openid, number = "o-very-private-openid", "13812345678"
    caplog.set_level("DEBUG")
    run = town.a_run()
    with structlog.testing.capture_logs() as events:
        code = door.sandbox.login_code(openid)
        phone = Phone(door.app.test_client(), told(door.phone().post("/login", json={"code": code}))["token"])
        phone_code = door.sandbox.phone_code(openid, number)
        sent = {"name": "慕容非常隐私", "home_community": town.wutong.key, "birth_year": 1960}
        told(phone.put("/me", json={**sent, "consent": {"version": PRIVACY_POLICY.version}}))
        told(phone.post("/me/phone", json={"code": phone_code}))
        told(phone.put(f"/course-runs/{run.key}/registration"))
        phone.put("/me", json={"phone": number + "x", "name": "慕容非常隐私\u0000"})
        phone.get(f"/course-runs?category={number}")
        door.sandbox.fault("/sns/jscode2session", errcode=-1)
        second_code = door.sandbox.login_code(openid)
        phone.post("/login", json={"code": second_code})
        door.sandbox.fault("/wxa/business/getuserphonenumber", errcode=40003)
        phone.post("/me/phone", json={"code": phone_code})
        told(door.phone(town.clerk).get(f"/staff/course-runs/{run.key}/registrations"))
        phone.delete("/login")
        phone.get("/me")
    captured = capfd.readouterr()
    logged = json.dumps(events, ensure_ascii=False, default=str) + caplog.text + captured.out + captured.err
    assert next(event["path"] for event in events if event["event"] == "request") == f"{API}/login"
    assert phone.token is not None
    for private in (
        openid,
        number,
        "慕容",
        phone.token,
        phone.token.split(".")[1],
        code,
        second_code,
        phone_code,
    ):
        assert private not in logged
    assert door.sandbox.secret not in logged


def test_the_log_hides_what_is_named_like_something_private(door: Door) -> None:
    said: Any = {"openid": "o-1", "phone": "138", "token": "t", "code": "c", "secret": "s", "kind": "x"}
    for processor in structlog.get_config()["processors"]:
        said = processor(None, "error", said)
    line = json.loads(said)
    assert {line[name] for name in ("openid", "phone", "token", "code", "secret")} == {"***"}
    assert line["kind"] == "x"


# --- the document -------------------------------------------------------------------------------------------------


def test_the_document_is_the_same_however_often_it_is_read(door: Door) -> None:
    client = door.app.test_client()
    first = client.get("/api/openapi.json")
    assert first.get_json() == client.get("/api/openapi.json").get_json()
    parameters = first.get_json()["paths"]["/api/v1/me"]["put"]["parameters"]
    assert [parameter["name"] for parameter in parameters] == ["X-Identity"]


def test_a_chapter_of_the_document_is_whole_and_holds_nothing_else(door: Door) -> None:
    client = door.app.test_client()
    whole = client.get("/api/openapi.json").get_json()
    told = []
    for tag in whole["tags"]:
        chapter = client.get("/api/openapi.json", query_string={"chapter": tag["name"]}).get_json()
        assert chapter["tags"] == [tag]
        for path, operations in chapter["paths"].items():
            for method, operation in operations.items():
                assert operation == whole["paths"][path][method]
                if "responses" in operation:
                    told.append((path, method))
        text = json.dumps(chapter)
        for kind, title in re.findall(r'"#/components/(\w+)/([^"]+)"', text):
            assert chapter["components"][kind][title] == whole["components"][kind][title]
    assert sorted(told) == sorted(
        (path, method)
        for path, operations in whole["paths"].items()
        for method, operation in operations.items()
        if "responses" in operation
    )


@pytest.mark.parametrize("address", ["/api/openapi.json", "/api/docs"])
def test_there_is_no_chapter_nobody_wrote(door: Door, address: str) -> None:
    the_problem(door.app.test_client().get(address, query_string={"chapter": "<b>"}), 404, "not_found")


def test_the_document_can_be_read_by_people_wherever_the_server_was_started(
    door: Door, tmp_path: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    client = door.app.test_client()
    page = client.get("/api/docs")
    assert page.status_code == 200
    assert "openapi.json" in page.text
    asset = client.get("/api/docs/rapidoc-min.js")
    assert asset.status_code == 200
    assert "max-age" in asset.headers["Cache-Control"]
    page.close()
    asset.close()


def test_every_template_the_document_speaks_of_has_an_id(door: Door) -> None:
    assert set(door.app.extensions["settings"].wechat_templates) == set(TemplateName)
    assert isinstance(door.app.extensions["wechat"], WeChatGateway)
