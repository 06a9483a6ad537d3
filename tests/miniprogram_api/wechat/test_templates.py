"""The account's templates, codes, links and quotas through the gateway."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from miniprogram_api.wechat import (
    AccountTemplate,
    FetchedToken,
    LibraryKeyword,
    ProcessTokenShelf,
    WeChatGateway,
)
from models.errors import Busy, Conflict, Refusal, Unavailable
from server.wechat_sandbox import Options
from server.wechat_sandbox.library import LIBRARY
from server.wechat_sandbox.templates import registration_result
from tests.sandbox import CODE_IMAGE, TEMPLATES, URL_LINK, SandboxTown, open_sandbox

ADD = "/wxaapi/newtmpl/addtemplate"


def refusal(ask: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as raised:
        ask()
    return raised.value


def test_templates_come_with_their_content_parsed(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    first = gateway.templates()[0]
    assert first == AccountTemplate(
        id=registration_result.id,
        title="报名结果通知",
        keywords=(
            ("课程名称", "thing1", "thing"),
            ("开课时间", "time2", "time"),
            ("上课地点", "thing3", "thing"),
            ("报名结果", "phrase4", "phrase"),
            ("备注", "thing5", "thing"),
        ),
        kind=2,
    )


def test_a_choice_of_values_is_read_too(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    made = {"id": "E" * 43, "title": "方式通知", "content": "方式:{{enum_string1.DATA}}"}
    sandbox.control("POST", "templates", {**made, "choices": {"enum_string1": ["线下", "线上"]}})
    template = gateway.templates()[-1]
    assert template.keywords == (("方式", "enum_string1", "enum_string"),)
    assert template.choices == {"enum_string1": ("线下", "线上")}


def test_the_library_is_read_to_its_last_page(gateway: WeChatGateway) -> None:
    titles = gateway.library_titles()
    assert {each.tid for each in titles} == set(LIBRARY)
    assert len(titles) == len(LIBRARY)
    assert {each.title for each in gateway.library_titles(categories=[612])} < {each.title for each in titles}
    assert gateway.library_titles(categories=[]) == []


def test_a_template_is_added_from_the_library(gateway: WeChatGateway) -> None:
    title = next(each for each in gateway.library_titles() if each.title == "会议通知")
    keywords = gateway.library_keywords(title.tid)
    assert keywords[1] == LibraryKeyword(2, "会议时间", "time", "2026年12月3日 19:00")
    assert keywords[1].key == "time2"
    made = gateway.add_template(title.tid, [1, 2, 3], scene="联席会议")
    added = next(each for each in gateway.templates() if each.id == made)
    assert [key for _, key, _ in added.keywords] == ["thing1", "time2", "thing3"]


def test_what_cannot_be_added_is_said_in_our_own_words(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    expected = {
        "wechat_template_invalid": lambda: gateway.add_template("7", [1, 2], scene="x"),
        "wechat_template_banned": lambda: gateway.add_template("2199", [1, 2], scene="x"),
        "wechat_template_exists": lambda: gateway.add_template("1001", [1, 2, 3, 4, 5], scene="x"),
    }
    for code, ask in expected.items():
        said = refusal(ask)
        assert isinstance(said, Conflict)
        assert said.code == code
    assert refusal(lambda: gateway.library_keywords("7")).code == "wechat_template_invalid"
    sandbox.fault(ADD, errcode=200012)
    assert refusal(lambda: gateway.add_template("2001", [1, 2], scene="x")).code == "wechat_templates_full"


@pytest.mark.parametrize(
    ("day", "kind", "code"),
    [
        ({"errcode": -1}, Unavailable, "wechat_unavailable"),
        ({"errcode": 200100}, Unavailable, "wechat_misconfigured"),
        ({"errcode": 45009}, Busy, "wechat_quota_used_up"),
        ({"http_status": 502}, Unavailable, "wechat_unavailable"),
        ({"latency_ms": 900}, Unavailable, "wechat_unavailable"),
    ],
)
def test_a_bad_day_is_a_clear_refusal(
    sandbox: SandboxTown, gateway: WeChatGateway, day: dict[str, Any], kind: type[Refusal], code: str
) -> None:
    sandbox.fault(TEMPLATES, **day)
    sandbox.fault(URL_LINK, **day)
    sandbox.fault(CODE_IMAGE, **day)
    asks: list[Callable[[], object]] = [
        gateway.templates,
        lambda: gateway.url_link("/pages/runs/run", "key=7f"),
        lambda: gateway.code_image("k=7f", "pages/runs/run"),
    ]
    for ask in asks:
        said = refusal(ask)
        assert isinstance(said, kind)
        assert said.code == code


def test_a_code_is_a_picture(gateway: WeChatGateway) -> None:
    drawn = gateway.code_image("k=7fQ", "pages/runs/run", build="trial", width=300, transparent=True)
    assert drawn.startswith(b"\x89PNG")
    assert b"scene\0k=7fQ" in drawn
    assert b"env_version\0trial" in drawn


def test_a_picture_too_is_asked_for_again_with_a_renewed_token(
    sandbox: SandboxTown, gateway: WeChatGateway
) -> None:
    gateway.code_image("k=1", "pages/runs/run")
    sandbox.token(force_refresh=True)
    assert gateway.code_image("k=1", "pages/runs/run").startswith(b"\x89PNG")
    assert sandbox.calls(CODE_IMAGE) == 3


def test_a_page_not_released_has_neither_code_nor_link() -> None:
    with open_sandbox(options=Options(pages=frozenset({"pages/runs/run"}))) as town:
        gateway = WeChatGateway(
            appid=town.appid, secret=town.secret, base_url=town.base_url, tokens=ProcessTokenShelf()
        )
        for page in ("pages/new/new", "pages/runs/run?id=1"):
            for ask in (partial(gateway.code_image, "k", page), partial(gateway.url_link, page, "")):
                assert refusal(ask).code == "wechat_page_not_released"
        assert gateway.code_image("k", "pages/new/new", check_path=False)
        assert refusal(lambda: gateway.code_image("课", "pages/runs/run")).code == "wechat_unavailable"
        gateway.close()


def test_a_link_opens_where_it_should(sandbox: SandboxTown, gateway: WeChatGateway) -> None:
    link = gateway.url_link("/pages/runs/run", "key=7f", days=7)
    assert "/pages/runs/run?key=7f" in sandbox.http.get(link, timeout=5).text


def test_an_answer_that_is_no_picture_is_unavailable(sandbox: SandboxTown) -> None:
    lost = WeChatGateway(
        appid=sandbox.appid,
        secret=sandbox.secret,
        base_url=sandbox.base_url,
        tokens=ProcessTokenShelf(),
    )
    lost._client.API_BASE_URL = f"{sandbox.base_url}/?"
    lost._client._tokens.renew(lambda: FetchedToken("any-token", 7200), not_the_one=None)
    assert refusal(lambda: lost.code_image("k", "p")).code == "wechat_unavailable"
    lost.close()
