"""The document (接口文档): OpenAPI 3.1 written from the routes themselves, and a page to read it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import Any

from flask import Flask, Response, redirect, request, send_from_directory, url_for
from flask_smorest import Api
from werkzeug.routing import BaseConverter
from werkzeug.routing import ValidationError as RoutingError
from werkzeug.wrappers import Response as AnyResponse

from miniprogram_api.attempts import ATTEMPT_KEY
from miniprogram_api.chapters import chapter_of
from miniprogram_api.edge import Door
from miniprogram_api.schemas.problems import ProblemOut
from miniprogram_api.webpages import written as written_page
from models import clock
from models.errors import NotFound

PREFIX = "/api/v1"
STATIC = Path(__file__).parent / "static"
DOCUMENTED = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503)
ASK_AGAIN = (429, 503)


# what a shape checks as a whole, and no field of it says
RULES_OF_WHOLE_SHAPES: dict[str, dict[str, Any]] = {
    "PhoneIn": {"minProperties": 1, "maxProperties": 1},
    "LookForIn": {"anyOf": [{"required": ["phone"]}, {"required": ["name"]}]},
    "BondIn": {"oneOf": [{"required": ["helper"]}, {"required": ["code"]}]},
    "SeenIn": {"oneOf": [{"required": ["code"]}, {"required": ["registration"]}]},
    "DecisionIn": {
        "anyOf": [{"properties": {"decision": {"const": "approve"}}}, {"required": ["reason"]}],
    },
}


class KeyConverter(BaseConverter):
    """A public key in an address; anything else is no address of ours (404)."""

    regex = "[a-z2-7]{16}"


class DayConverter(BaseConverter):
    """A date in an address, ``2026-12-03``; anything else is no address of ours (404)."""

    regex = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> date:
        """The date. Raises ValidationError for one no calendar has."""
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise RoutingError from None

    def to_url(self, value: date) -> str:
        """As it stands in an address."""
        return value.isoformat()


class _Api(Api):  # type: ignore[misc]  # flask-smorest ships no types
    """flask-smorest's document with this house's errors: one problem shape, its own media type, no ``default`` answer."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Ours are registered already; see ``problems``."""

    def _register_responses(self) -> None:
        self.spec.components.schema("Problem", schema=ProblemOut)
        for status in DOCUMENTED:
            phrase = HTTPStatus(status).phrase
            answer: dict[str, Any] = {
                "description": phrase,
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
            if status in ASK_AGAIN:
                answer["headers"] = {
                    "Retry-After": {"description": "几秒后再试", "schema": {"type": "integer"}}
                }
            self.spec.components.response(f"Problem{status}", answer, lazy=True)
            # flask-smorest itself refers to a refused argument by the status's name
            self.spec.components.response(HTTPStatus(status).name, answer, lazy=True)


# what a client does with every address, said once
HOW_TO_CALL = """\
- **登录** `POST /login` 用 wx.login 的 code 换 token，以后每次带上 `Authorization: Bearer {token}`。浏览课程不用登录。
- **身份** 一个微信可以有几个身份（`GET /me` 的 `identities`）；以工作人员等身份操作时带上 `X-Identity`，不带就是居民本人。
- **报名** `PUT` 没有请求体，重复多少次结果都一样；缺什么资料，409 的 `details` 会说明。
- **重复提交** 其他 `POST` 带上自己编的 `Idempotency-Key`：断线重发，得到同一个答复，不会办两次。
- **列表** `{items, next}`：`next` 就是下一页的 `cursor`，`null` 表示没有了。
- **时间** 带时区的 ISO 8601；现在几点看答复里的 `X-Server-Time`，不看手机。
- **出错** `application/problem+json`：程序看 `code`，给人看 `detail`，`errors` 指出是哪一项；报障时请附上 `request_id`。
"""
IDENTITY = {
    "in": "header",
    "name": "X-Identity",
    "description": "以什么身份操作：resident（默认）、staff:{key} 或 partner:{key}",
    "schema": {"type": "string", "default": "resident"},
}
ATTEMPT = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "同一编号 24 小时内得到同一答复",
    "schema": {"type": "string", "pattern": f"^{ATTEMPT_KEY}$"},
}


def document(app: Flask, doors: Iterable[Door]) -> None:
    """Register the doors and serve their document, to which the bare address leads.

    It is written when first asked for: that takes longer than everything else of an application, and most never are.
    """
    app.config.update(
        API_TITLE="家门口 Jiamenkou",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
    )
    app.url_map.converters |= {"key": KeyConverter, "day": DayConverter}
    api = _Api(
        app,
        spec_kwargs={
            "info": {"description": HOW_TO_CALL},
            "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        },
    )
    api.register_converter(KeyConverter, lambda _: {"type": "string", "pattern": f"^{KeyConverter.regex}$"})
    api.register_converter(
        DayConverter, lambda _: {"type": "string", "format": "date", "pattern": f"^{DayConverter.regex}$"}
    )
    hung = list(doors)
    for door in hung:
        app.register_blueprint(door, url_prefix=PREFIX)
    one_writes = Lock()

    @cache
    def written() -> dict[str, Any]:
        for door in hung:
            door.register_views_in_doc(api, app, api.spec, name=door.name, parameters=None)
            api.spec.tag({"name": door.name, "description": door.description})
        spec: dict[str, Any] = api.spec.to_dict()
        for name, rules in RULES_OF_WHOLE_SHAPES.items():
            spec["components"]["schemas"][name] |= rules
        for path in spec["paths"].values():
            for method, operation in path.items():
                if isinstance(operation, dict) and operation.get("security"):
                    operation.setdefault("parameters", []).extend(
                        [IDENTITY, ATTEMPT] if method == "post" else [IDENTITY]
                    )
        return spec

    def show_document() -> dict[str, Any]:
        with one_writes:
            spec = written()
        # the one limit that moves: nobody is born after this year
        spec["components"]["schemas"]["MeIn"]["properties"]["birth_year"]["maximum"] = clock.today().year
        chapter = _chapter_asked_for(hung)
        return spec if chapter is None else chapter_of(spec, chapter.name)

    def show_page() -> str:
        chapter = _chapter_asked_for(hung) or hung[0]
        return written_page("docs.html", doors=hung, chapter=chapter.name, about=chapter.description)

    app.add_url_rule("/", view_func=_show_the_way)
    app.add_url_rule("/api/openapi.json", view_func=show_document)
    app.add_url_rule("/api/docs", view_func=show_page)
    app.add_url_rule("/api/docs/<name>", view_func=_show_asset)


def _show_the_way() -> AnyResponse:
    return redirect(url_for("show_page"))


def _chapter_asked_for(doors: Iterable[Door]) -> Door | None:
    """The door whose chapter alone is to be shown; none where the address names none. Raises NotFound for one there is not."""
    name = request.args.get("chapter")
    if name is None:
        return None
    for door in doors:
        if door.name == name:
            return door
    raise NotFound("没有这一章")


def _show_asset(name: str) -> Response:
    return send_from_directory(STATIC, name, max_age=86400)
