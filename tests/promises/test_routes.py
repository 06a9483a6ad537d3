"""Every route: closed unless it stands on a short list, documented, and blind towards outsiders."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from server.wechat_sandbox import create_sandbox
from tests.people import Town
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
NOT_SAID = {"X-Request-Id", "X-Server-Time", "Content-Length", "Date"}


def operations(app: Flask) -> dict[str, Rule]:
    """``GET /path`` of everything the application answers, HEAD and OPTIONS left out."""
    return {
        f"{method} {rule.rule}": rule
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    }


def ask(phone: Phone, operation: str, key: str = "a" * 16) -> TestResponse:
    method, _, rule = operation.partition(" ")
    path = re.sub(r"<(?:\w+:)?\w+>", key, rule)
    more: dict[str, Any] = {"json": {}} if method in {"POST", "PUT"} else {}
    return phone.ask(method, path, buffered=True, **more)


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
    real, invented = ask(phone, operation, run.key), ask(phone, operation, "a" * 16)
    assert real.status_code in {401, 403, 404}
    assert real.status_code == invented.status_code
    if "/staff/" in operation:

        def bare(answer: TestResponse) -> dict[str, Any]:
            return {k: v for k, v in (answer.json or {}).items() if k != "request_id"}

        assert bare(real) == bare(invented)
        for name, value in real.headers.items():
            assert name in NOT_SAID or invented.headers[name] == value


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
