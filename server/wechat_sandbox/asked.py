"""Reading a control call: the account it is about and its JSON body, field by field, naming what cannot be right."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, NoReturn

from flask import Response, current_app, jsonify, request

from server.wechat_sandbox.account import Account, Phone
from server.wechat_sandbox.templates import Template


class BadField(Exception):
    """The control call cannot be right; names the field."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field)
        self.field = field.encode(errors="replace").decode()
        self.message = message


def say_which_field(bad: BadField) -> tuple[Response, int]:
    """400, naming the field."""
    return jsonify(error={"field": bad.field, "message": bad.message}), HTTPStatus.BAD_REQUEST


def account() -> Account:
    """The account behind this application."""
    found: Account = current_app.extensions["wechat_sandbox"]
    return found


class Asked:
    """The JSON object of a control call, read field by field. Unknown fields are refused when it is opened."""

    def __init__(self, *known: str) -> None:
        body = request.get_json(silent=True, force=True)
        if not isinstance(body, dict):
            raise BadField("(body)", "send a JSON object")
        for field in body:
            if field not in known:
                raise BadField(str(field), f"unknown field; known are {', '.join(known)}")
        self.body: dict[str, Any] = body

    def phone(self) -> Phone:
        """The phone ``openid`` names, made on the fly."""
        return _phone_of(self.body.get("openid"))

    def text(self, field: str, shape: re.Pattern[str], *, default: str | None = None) -> str:
        """A text of the given shape."""
        value = self.body.get(field, default)
        if not isinstance(value, str) or shape.fullmatch(value) is None:
            raise BadField(field, f"expected a text like {shape.pattern}")
        return value

    def flag(self, field: str) -> bool:
        """True or false; absent is false."""
        value = self.body.get(field, False)
        if not isinstance(value, bool):
            raise BadField(field, "expected true or false")
        return value

    def number(self, field: str, *, default: int | None, least: int, most: int) -> int | None:
        """A whole number within bounds, or the default."""
        value = self.body.get(field, default)
        if value is None and default is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise BadField(field, f"expected a whole number from {least} to {most}")
        return value

    def templates(self, field: str) -> list[Template]:
        """Known templates by id; absent is none."""
        ids = self.body.get(field, [])
        if not isinstance(ids, list):
            raise BadField(field, "expected a list of template ids")
        known = account().templates
        for place, template_id in enumerate(ids):
            if not isinstance(template_id, str) or template_id not in known:
                raise BadField(
                    f"{field}[{place}]", "no template of this id; GET /_sandbox/templates lists them"
                )
        return [known[template_id] for template_id in ids]


def _phone_of(openid: object) -> Phone:
    if not isinstance(openid, str):
        _bad_openid()
    try:
        return account().phone(openid)
    except ValueError:
        _bad_openid()


def _bad_openid() -> NoReturn:
    raise BadField("openid", "an openid is 6 to 64 characters of A-Z a-z 0-9 _ -")
