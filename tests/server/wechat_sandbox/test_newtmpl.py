"""The template library and the account's own list (wechat.md §4.6), and session keys (§2.2)."""

from __future__ import annotations

import hashlib
import hmac
import time
from pathlib import Path
from typing import Any

import pytest

from models.notices.catalogue import TEMPLATE_TITLES
from server.wechat_sandbox import Options
from server.wechat_sandbox.library import LIBRARY
from server.wechat_sandbox.sessions import session_signature
from server.wechat_sandbox.templates import DEFAULT_TEMPLATES, registration_result, seat_offer
from tests.sandbox import JSCODE2SESSION, TEMPLATES, SandboxTown, open_sandbox
from tests.server.wechat_sandbox.test_messages import WANG

BASE = "/wxaapi/newtmpl"


def get(town: SandboxTown, name: str, **query: str) -> dict[str, Any]:
    return town.get(f"{BASE}/{name}", access_token=town.token(), **query)


def post(town: SandboxTown, name: str, **body: Any) -> dict[str, Any]:
    return town.post(f"{BASE}/{name}", body, access_token=town.token())


def test_the_library_holds_every_title_the_product_asks_for() -> None:
    titles = {public.title for public in LIBRARY.values()}
    assert set(TEMPLATE_TITLES.values()) <= titles


def test_the_accounts_first_templates_could_have_come_from_the_library() -> None:
    for template in DEFAULT_TEMPLATES:
        public = next(each for each in LIBRARY.values() if each.title == template.title)
        keys = {f"{keyword.rule}{keyword.kid}" for keyword in public.keywords}
        assert {keyword.key for keyword in template.keywords} <= keys


def test_the_library_is_read_by_category_page_after_page(sandbox: SandboxTown) -> None:
    categories = get(sandbox, "getcategory")["data"]
    ids = ",".join(str(each["id"]) for each in categories)
    first = get(sandbox, "getpubtemplatetitles", ids=ids, start="0", limit="30")
    rest = get(sandbox, "getpubtemplatetitles", ids=ids, start="30", limit="30")
    assert (len(first["data"]), first["count"]) == (30, len(LIBRARY))
    assert len(rest["data"]) == len(LIBRARY) - 30
    assert {"tid": 1001, "title": "报名结果通知", "type": 2, "categoryId": "612"} in first["data"]


@pytest.mark.parametrize(
    ("query", "errcode"),
    [
        ({"start": "0", "limit": "30"}, 200018),
        ({"ids": "616,x", "start": "0", "limit": "30"}, 200019),
        ({"ids": "9", "start": "0", "limit": "30"}, 200019),
        ({"ids": "616", "start": "-1", "limit": "30"}, 200016),
        ({"ids": "616", "start": "0", "limit": "31"}, 200017),
        ({"ids": "616", "start": "0"}, 200017),
    ],
)
def test_a_page_of_the_library_is_asked_for_properly(
    sandbox: SandboxTown, query: dict[str, str], errcode: int
) -> None:
    assert get(sandbox, "getpubtemplatetitles", **query)["errcode"] == errcode


def test_keywords_come_with_their_rule(sandbox: SandboxTown) -> None:
    keywords = get(sandbox, "getpubtemplatekeywords", tid="1001")
    assert keywords["data"][3] == {"kid": 4, "name": "报名结果", "example": "报名成功", "rule": "phrase"}
    assert "count" not in keywords
    assert get(sandbox, "getpubtemplatekeywords")["errcode"] == 200002
    assert get(sandbox, "getpubtemplatekeywords", tid="7")["errcode"] == 200014


def test_a_template_made_of_keywords_can_be_sent_at_once(sandbox: SandboxTown) -> None:
    added = post(sandbox, "addtemplate", tid="2002", kidList=[3, 1], sceneDesc="心愿被认领")
    made = added["priTmplId"]
    card = next(each for each in get(sandbox, "gettemplate")["data"] if each["priTmplId"] == made)
    assert card["content"] == "预计完成:{{time3.DATA}}\n心愿编号:{{character_string1.DATA}}\n"
    sandbox.accept(WANG, made)
    body = {
        "touser": WANG,
        "template_id": made,
        "data": {"time3": {"value": "2026年12月3日 19:00"}, "character_string1": {"value": "W-7"}},
    }
    token = sandbox.token()
    assert sandbox.post("/cgi-bin/message/subscribe/send", body, access_token=token)["errcode"] == 0


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({"tid": "7", "kidList": [1, 2]}, 200014),
        ({"tid": 1001, "kidList": [1, 2]}, 200014),
        ({"tid": "2199", "kidList": [1, 2]}, 200013),
        ({"tid": "1001", "kidList": [1]}, 200020),
        ({"tid": "1001", "kidList": [1, 2, 3, 4, 5, 6]}, 200020),
        ({"tid": "1001", "kidList": [1, 1]}, 200020),
        ({"tid": "1001", "kidList": [1, 99]}, 200020),
        ({"tid": "1001", "kidList": ["1", "2"]}, 200020),
        ({"tid": "1001", "kidList": "1,2"}, 200020),
        ({"tid": "1001", "kidList": [[], []]}, 200020),
        ({"tid": "1001", "kidList": [1, 2], "sceneDesc": "长" * 16}, 200021),
        ({"tid": "1001", "kidList": [1, 2, 3, 4, 5], "sceneDesc": "与账号里的第一个模板一样"}, 200022),
    ],
)
def test_a_choice_that_cannot_be_is_refused(sandbox: SandboxTown, body: dict[str, Any], errcode: int) -> None:
    assert post(sandbox, "addtemplate", **body)["errcode"] == errcode


def test_the_accounts_list_has_an_end_and_can_be_cleared(sandbox: SandboxTown) -> None:
    with open_sandbox(options=Options(templates_kept=len(DEFAULT_TEMPLATES))) as town:
        assert post(town, "addtemplate", tid="2001", kidList=[1, 2])["errcode"] == 200012
        assert post(town, "deltemplate", priTmplId=seat_offer.id)["errcode"] == 0
        assert post(town, "addtemplate", tid="2001", kidList=[1, 2])["errcode"] == 0
    assert post(sandbox, "deltemplate")["errcode"] == 200002
    assert post(sandbox, "deltemplate", priTmplId="x" * 43)["errcode"] == 200014


@pytest.mark.parametrize(
    "name", ["getcategory", "getpubtemplatetitles", "getpubtemplatekeywords", "gettemplate"]
)
def test_a_wrong_method_is_errcode_404(sandbox: SandboxTown, name: str) -> None:
    assert post(sandbox, name)["errcode"] == 404
    assert get(sandbox, "addtemplate")["errcode"] == 404
    assert get(sandbox, "deltemplate")["errcode"] == 404


def test_added_and_deleted_templates_outlive_the_sandbox(tmp_path: Path) -> None:
    kept = tmp_path / "sandbox.json"
    with open_sandbox(state_file=kept) as town:
        made = post(town, "addtemplate", tid="2001", kidList=[1, 2])["priTmplId"]
        post(town, "deltemplate", priTmplId=seat_offer.id)
        deadline = time.monotonic() + 10
        while not (kept.exists() and f'"deleted_templates":["{seat_offer.id}"]' in kept.read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    with open_sandbox(state_file=kept) as again:
        ids = {card["priTmplId"] for card in again.get(TEMPLATES, access_token=again.token())["data"]}
        assert made in ids
        assert registration_result.id in ids
        assert seat_offer.id not in ids


def test_the_signatures_key_is_the_session_key_as_text() -> None:
    key = "o0q0otL8aEzpcZL/FT9WsQ=="
    expected = "654571f79995b2ce1e149e53c0a33dc39c0a74090db514261454e8dbe432aa0b"
    assert session_signature(key, b'{"foo":"bar"}') == expected
    assert session_signature(key) == "46e043c5525c2d817c44be603d30837a808a1d930d038f6fdc3e62a201fed128"


def test_a_session_key_is_checked_and_reset_by_who_holds_it(sandbox: SandboxTown) -> None:
    held = {"access_token": sandbox.token(), "openid": WANG, "sig_method": "hmac_sha256"}
    sandbox.user(WANG)
    unsigned = sandbox.get("/wxa/checksession", **held, signature="00")
    assert unsigned["errcode"] == 87007, "nobody has logged in yet"
    client = {"appid": sandbox.appid, "secret": sandbox.secret, "grant_type": "authorization_code"}
    key = sandbox.get(JSCODE2SESSION, **client, js_code=sandbox.login_code(WANG))["session_key"]
    signed = hmac.new(key.encode(), b"", hashlib.sha256).hexdigest()
    assert sandbox.get("/wxa/checksession", **held, signature=signed)["errcode"] == 0
    assert sandbox.get("/wxa/checksession", **held, signature="00")["errcode"] == 87009
    md5 = {**held, "sig_method": "md5"}
    assert sandbox.get("/wxa/checksession", **md5, signature=signed)["errcode"] == 87008
    assert sandbox.get("/wxa/checksession", access_token=sandbox.token(), openid=WANG)["errcode"] == 40097
    assert (
        sandbox.get("/wxa/checksession", **{**held, "openid": "nobody-1"}, signature="0")["errcode"] == 40003
    )
    fresh = sandbox.get("/wxa/resetusersessionkey", **held, signature=signed)
    assert (fresh["openid"], fresh["session_key"] != key) == (WANG, True)
    assert sandbox.get("/wxa/checksession", **held, signature=signed)["errcode"] == 87009
