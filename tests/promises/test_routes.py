"""Every route: closed unless it stands on a short list, documented, and blind towards outsiders."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from sqlalchemy import ColumnElement, select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from models import clock as town_clock
from models.base import db, reading, transaction
from models.content_checks import RESIDENT_NAME, Finding, HeldBecause, Subject, hold_text
from models.ladder import Call
from models.notices import Notice
from models.staff import Role
from server.jobs.ladder import send_short_messages
from server.wechat_sandbox import create_sandbox
from tests.databases import Rows, photograph
from tests.people import Person, Town, Worker, a_bond, a_person_without_phone, a_staff_member
from tests.phones import Door, Phone, told

# what anybody may ask without a login, and why
OPEN = {
    "POST /api/v1/login": "this is how one gets a token",
    "GET /api/v1/regions": "one chooses a home before being known",
    "GET /api/v1/course-runs": "browsing needs no login",
    "GET /api/v1/course-runs/<key:key>": "browsing needs no login",
    "GET /api/v1/privacy-policy": "one reads it before agreeing",
    "GET /api/v1/message-grants/prompts": "the same for everybody",
    "GET /api/v1/scenes/<key:key>": "whoever scans a printed code is nobody yet",
    "GET /api/v1/course-runs/<key:key>/code": "the picture on a poster",
    "GET /": "it leads to the document",
    "GET /api/openapi.json": "the document",
    "GET /api/docs": "the document, to read",
    "GET /api/docs/<name>": "what the page is made of",
    "GET /wechat/push": "WeChat has no login here: its signature is checked",
    "POST /wechat/push": "WeChat has no login here: its signature is checked",
    "GET /healthz": "probes know nobody",
    "GET /readyz": "probes know nobody",
}
# what stands behind a key that is private to somebody
PRIVATE = {
    "GET /api/v1/staff/course-runs/<key:key>/registrations",
    "GET /api/v1/staff/course-runs/<key:key>",
    "GET /api/v1/staff/course-runs/<key:key>/reach",
    "GET /api/v1/course-runs/<key:key>/registration",
}
BECAUSE = {"because": "老师出差"}
# what changes something behind a key that is private to somebody, with what a sound request says
CHANGING: dict[str, dict[str, Any]] = {
    "PUT /api/v1/staff/course-runs/<key:key>/submission": {},
    "PUT /api/v1/staff/course-runs/<key:key>/objection": BECAUSE,
    "PUT /api/v1/staff/course-runs/<key:key>/publication": {},
    "DELETE /api/v1/staff/course-runs/<key:key>/publication": {},
    "PUT /api/v1/staff/course-runs/<key:key>/cancellation": BECAUSE,
    "PUT /api/v1/staff/course-sessions/<key:key>/time": {
        "starts_at": "2026-12-04T18:00:00+08:00",
        "ends_at": "2026-12-04T19:30:00+08:00",
        **BECAUSE,
    },
    "PUT /api/v1/staff/course-sessions/<key:key>/cancellation": BECAUSE,
    "DELETE /api/v1/staff/scenes/<key:key>": {},
    "POST /api/v1/staff/notices/<key:key>/sending": {},
    "PUT /api/v1/staff/calls/<key:key>/outcome": {"outcome": "reached", "attempt": 1},
    "PUT /api/v1/staff/content-checks/<key:key>/decision": {"decision": "approve"},
    "PUT /api/v1/me/notices/<key:key>/reading": {},
    "DELETE /api/v1/me/helpers/<key:key>": {},
}
# whose key is no secret, and why
FOR_EVERYBODY = {
    "PUT /api/v1/course-runs/<key:key>/registration": "everybody may tap on what everybody sees",
    "DELETE /api/v1/course-runs/<key:key>/registration": "everybody may tap on what everybody sees",
}
NOT_SAID = {"X-Request-Id", "X-Server-Time", "Content-Length", "Date"}
INVENTED = "a" * 16


def operations(app: Flask) -> dict[str, Rule]:
    """``GET /path`` of everything the application answers, HEAD and OPTIONS left out."""
    return {
        f"{method} {rule.rule}": rule
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    }


def ask(phone: Phone, operation: str, key: str = INVENTED) -> TestResponse:
    method, _, rule = operation.partition(" ")
    path = re.sub(r"<(?:\w+:)?\w+>", key, rule)
    more: dict[str, Any] = {"json": CHANGING.get(operation, {})} if method in {"POST", "PUT"} else {}
    return phone.ask(method, path, buffered=True, **more)


def must_be_alike(real: TestResponse, invented: TestResponse) -> None:
    """Nobody can tell these two answers apart."""

    def bare(answer: TestResponse) -> dict[str, Any]:
        return {k: v for k, v in (answer.json or {}).items() if k != "request_id"}

    assert real.status_code == invented.status_code
    assert bare(real) == bare(invented)
    for name, value in real.headers.items():
        assert name in NOT_SAID or invented.headers[name] == value


def test_every_route_asks_who_is_there_or_stands_on_the_list(door: Door, town: Town) -> None:
    open_ones = {
        operation
        for operation in operations(door.app)
        if not operation.endswith(("/healthz", "/readyz")) and ask(door.phone(), operation).status_code != 401
    }
    found = open_ones | {"GET /healthz", "GET /readyz"}
    unexplained = sorted(found - set(OPEN))
    assert not unexplained, f"close these routes, or say in OPEN why they ask nobody's name: {unexplained}"
    stale = sorted(set(OPEN) - found)
    assert not stale, f"OPEN names what is not there or is closed, take it out: {stale}"


def test_every_closed_route_refuses_a_forged_token(door: Door, town: Town) -> None:
    forged = Phone(door.app.test_client(), "aaaaaaaaaaaaaaaa.forged")
    for operation in set(operations(door.app)) - set(OPEN):
        assert ask(forged, operation).status_code == 401, operation


def test_every_closed_route_refuses_somebody_elses_hat(door: Door, town: Town) -> None:
    stranger = door.phone(town.resident).wearing(town.clerk.identity)
    for operation in set(operations(door.app)) - set(OPEN):
        answer = ask(stranger, operation)
        assert answer.status_code in {403, 404}, operation
        assert (answer.json or {})["code"] in {"identity_unknown", "identity_unfit"}


def test_every_keyed_route_that_is_private_is_tried_on_outsiders(door: Door) -> None:
    keyed = {o for o in operations(door.app) if "<key:" in o and o not in OPEN and o.startswith("GET")}
    untried = sorted(keyed - PRIVATE)
    assert not untried, f"add to PRIVATE, so that outsiders are tried on them: {untried}"
    stale = sorted(PRIVATE - keyed)
    assert not stale, f"PRIVATE names what is not there, take it out: {stale}"


@pytest.mark.parametrize("operation", sorted(PRIVATE))
@pytest.mark.parametrize(
    "who",
    ["anonymous", "resident", "neighbour", "outsider", "grid_worker", "partner_member", "foreign_clerk"],
)
def test_an_outsider_cannot_tell_a_real_key_from_an_invented_one(
    door: Door, town: Town, operation: str, who: str
) -> None:
    run = town.a_run(community=town.wangjiang, published="/staff/" not in operation)
    town.outsider.tap(run) if run.published_at else None
    if who == "anonymous":
        phone = door.phone()
    elif who == "foreign_clerk":
        phone = door.phone(town.clerk)
    else:
        phone = door.phone(getattr(town, who))
    if who == "outsider" and "/staff/" not in operation:
        assert (
            told(ask(phone, operation, run.key))["run"] == run.key
        )  # it is theirs: the others' no means something
        return
    real, invented = ask(phone, operation, run.key), ask(phone, operation)
    assert real.status_code in {401, 403, 404}
    assert real.status_code == invented.status_code
    if "/staff/" in operation:
        must_be_alike(real, invented)


def test_every_keyed_route_that_changes_something_is_tried_on_outsiders(door: Door) -> None:
    keyed = {o for o in operations(door.app) if "<key:" in o and o not in OPEN and not o.startswith("GET")}
    untried = sorted(keyed - set(CHANGING) - set(FOR_EVERYBODY))
    assert not untried, f"add to CHANGING with a sound body, so that outsiders are tried on them: {untried}"
    stale = sorted({*CHANGING, *FOR_EVERYBODY} - keyed)
    assert not stale, f"CHANGING or FOR_EVERYBODY names what is not there, take it out: {stale}"


@pytest.mark.parametrize("operation", sorted(CHANGING))
def test_an_outsider_changes_nothing_and_cannot_tell_it_from_what_never_was(
    door: Door, town: Town, operation: str
) -> None:
    owner, key = something_of_wangjiang(door, town, operation)
    before = every_row()
    for who in (
        town.clerk,
        town.admin,
        town.grid_worker,
        town.street_officer,
        town.resident,
        town.partner_member,
    ):
        phone = door.phone(who)
        real = ask(phone, operation, key)
        assert real.status_code in ({404} if isinstance(who, Worker) else {403, 404}), who
        must_be_alike(real, ask(phone, operation))
    assert every_row() == before
    theirs = ask(door.phone(owner), operation, key)
    assert theirs.status_code in {200, 201, 204, 409}, f"the others' no means nothing: {theirs.text}"


def something_of_wangjiang(door: Door, town: Town, operation: str) -> tuple[Person | Worker, str]:
    """Something of the other community that this changes: whose it is, and its key."""
    is_draft = operation.startswith("PUT") and operation.endswith(("/submission", "/publication"))
    run = town.a_run(community=town.wangjiang, published=not is_draft, evenings=2)
    noun = operation.partition("/api/v1/")[2].partition("/<key:")[0]
    match noun:
        case "staff/course-runs":
            key = run.key
        case "staff/course-sessions":
            key = run.sessions[0].key
        case "staff/scenes":
            key = town.a_scene(run).key
        case "staff/notices" | "me/notices":
            town.outsider.tap(run)
            key = key_of(Notice, Notice.account_id == town.outsider.account_id)
        case "staff/calls":
            with transaction() as session:
                elder = a_person_without_phone(session, town.wangjiang)
                a_bond(session, town.outsider, elder)
            town.outsider.tap(run, for_whom=elder)
            with door.app.app_context():
                send_short_messages(town_clock.now())
            key = key_of(Call, Call.resident_id == elder.resident_id)
        case "staff/content-checks":
            with transaction() as session:
                key = hold_text(
                    session, name_of(town.outsider), "加我微信", Finding(), HeldBecause.DOUBTFUL
                ).key
        case "me/helpers":
            with transaction() as session:
                key = a_bond(session, town.neighbour, town.outsider).key
        case _:
            pytest.fail(f"say here how something of the other community comes about: {noun}")
    if noun.startswith("me/"):
        return town.outsider, key
    with transaction() as session:
        return a_staff_member(session, Role.ADMIN, town.wangjiang), key


def name_of(person: Person) -> Subject:
    return Subject(
        field=RESIDENT_NAME, key=person.key, account_id=person.account_id or 0, resident_id=person.resident_id
    )


def key_of(kind: type[Notice | Call], whose: ColumnElement[bool]) -> str:
    with reading() as session:
        return session.scalars(select(kind).where(whose)).one().key


def every_row() -> Rows:
    """Every row of every table."""
    with db.engine.connect() as connection:
        return photograph(connection)


# --- the document -------------------------------------------------------------------------------------------------


@pytest.fixture
def document(door: Door) -> dict[str, Any]:
    """What the application says of itself."""
    found: dict[str, Any] = door.app.test_client().get("/api/openapi.json").get_json()
    return found


def described(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, operations_of_path in document["paths"].items()
        for method, operation in operations_of_path.items()
        if method in {"get", "put", "post", "delete"}
    }


def test_the_document_describes_every_route_of_the_api(door: Door, document: dict[str, Any]) -> None:
    routes = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", o) for o in operations(door.app) if " /api/v1/" in o}
    assert set(described(document)) == routes
    assert document["openapi"].startswith("3.1")


def test_the_bare_address_leads_to_the_document(door: Door) -> None:
    answer = door.app.test_client().get("/")
    assert (answer.status_code, answer.location) == (302, "/api/docs")


def test_every_operation_has_a_chinese_summary_and_a_tag(document: dict[str, Any]) -> None:
    for name, operation in described(document).items():
        assert re.search("[\u4e00-\u9fff]", operation["summary"]), name
        assert operation["tags"], name


def test_every_operation_documents_its_refusals_as_problems_and_has_no_default(
    document: dict[str, Any],
) -> None:
    components = document["components"]["responses"]
    for name, operation in described(document).items():
        answers = operation["responses"]
        assert "default" not in answers, name
        assert "503" in answers, name
        if operation.get("security"):
            assert {"401", "403", "404"} <= set(answers), name
        for status, answer in answers.items():
            if int(status) >= 400:
                found = components[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
                (media_type,) = found["content"]
                assert media_type == "application/problem+json", (name, status)


def test_every_closed_operation_says_so_in_the_document(document: dict[str, Any]) -> None:
    for name, operation in described(document).items():
        is_open = re.sub(r"\{key\}", "<key:key>", name) in OPEN
        assert bool(operation.get("security")) is not is_open, name
    assert document["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}


def test_every_description_refers_to_something_that_is_there(document: dict[str, Any]) -> None:
    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            here = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return here + [found for value in node.values() for found in references(value)]
        if isinstance(node, list):
            return [found for value in node for found in references(value)]
        return []

    for reference in references(document):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert found


def test_every_pattern_of_the_document_is_understood_by_others(document: dict[str, Any]) -> None:
    def patterns(node: Any) -> list[str]:
        if isinstance(node, dict):
            here = [node["pattern"]] if isinstance(node.get("pattern"), str) else []
            return here + [found for value in node.values() for found in patterns(value)]
        if isinstance(node, list):
            return [found for value in node for found in patterns(value)]
        return []

    found = set(patterns(document))
    assert len(found) > 5
    for pattern in found:
        assert re.compile(pattern)
        assert jsonschema_rs.validator_for(
            {"type": "string", "pattern": pattern}
        )  # ECMA 262, as clients read it


def test_every_input_shape_refuses_unknown_fields(document: dict[str, Any]) -> None:
    shapes = document["components"]["schemas"]
    inputs = {name for name in shapes if name.endswith("In")}
    assert {"LoginIn", "MeIn", "PhoneIn", "GrantsIn", "InvitationIn", "ConsentIn"} <= inputs
    for name in inputs:
        assert shapes[name]["additionalProperties"] is False, name


def test_the_sandbox_is_no_part_of_the_product(door: Door) -> None:
    ours = {rule.rule for rule in door.app.url_map.iter_rules()}
    theirs = {
        rule.rule
        for rule in create_sandbox(appid="wxsandbox000000001", secret="s", templates=()).url_map.iter_rules()
    }
    assert not {rule for rule in ours if "_sandbox" in rule or "cgi-bin" in rule}
    assert theirs
