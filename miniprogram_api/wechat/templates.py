"""The account's message templates (订阅消息模板, wechat.md §4.6): read, and added from the public library."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from miniprogram_api.wechat.client import NoAnswer, WeChatClient

ONE_TIME = 2
LONG_TERM = 3

_BASE = "wxaapi/newtmpl"
_PAGE = 30
_MOST_PAGES = 200

_line = re.compile(r"(?P<label>[^{}]+?)\s*[:：]\s*\{\{(?P<key>(?P<kind>[a-z_]+?)[0-9]+)\.DATA\}\}")


@dataclass(frozen=True)
class AccountTemplate:
    """A template of the account. ``keywords`` are (label, key, kind) as its content has them, ``kind`` is WeChat's type.

    ``choices`` are the values an enum keyword may take, by key.
    """

    id: str
    title: str
    keywords: tuple[tuple[str, str, str], ...]
    kind: int
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class LibraryTitle:
    """A title of the public library; its keywords are asked for by ``tid``."""

    tid: str
    title: str
    kind: int


@dataclass(frozen=True)
class LibraryKeyword:
    """A keyword one may choose for a title. Chosen, its key is ``kind`` followed by ``kid``."""

    kid: int
    name: str
    kind: str
    example: str

    @property
    def key(self) -> str:
        """What a sender fills in: ``thing1``."""
        return f"{self.kind}{self.kid}"


def templates_of(client: WeChatClient) -> list[AccountTemplate]:
    """``gettemplate``, its content parsed into keywords."""
    return [_template(row) for row in _rows(client.ask_with_token("GET", f"{_BASE}/gettemplate"))]


def titles_of(client: WeChatClient, *, categories: Sequence[int] | None) -> list[LibraryTitle]:
    """``getpubtemplatetitles`` of the account's own categories, or those named, page after page."""
    ids = list(categories) if categories is not None else _categories(client)
    if not ids:
        return []
    titles: list[LibraryTitle] = []
    for page in range(_MOST_PAGES):
        query = {"ids": ",".join(map(str, ids)), "start": str(page * _PAGE), "limit": str(_PAGE)}
        answer = client.ask_with_token("GET", f"{_BASE}/getpubtemplatetitles", query=query)
        rows = _rows(answer)
        titles += [
            LibraryTitle(str(row.get("tid", "")), str(row.get("title", "")), _kind(row)) for row in rows
        ]
        if len(rows) < _PAGE:
            return titles
    return titles


def keywords_of(client: WeChatClient, tid: str) -> list[LibraryKeyword]:
    """``getpubtemplatekeywords``."""
    rows = _rows(client.ask_with_token("GET", f"{_BASE}/getpubtemplatekeywords", query={"tid": tid}))
    return [
        LibraryKeyword(
            _number(row.get("kid")),
            str(row.get("name", "")),
            str(row.get("rule", "")),
            str(row.get("example", "")),
        )
        for row in rows
    ]


def add_template(client: WeChatClient, tid: str, kid_list: Iterable[int], *, scene: str) -> str:
    """``addtemplate``; the new template's id."""
    body = {"tid": tid, "kidList": list(kid_list), "sceneDesc": scene}
    added = client.ask_with_token("POST", f"{_BASE}/addtemplate", body=body).get("priTmplId")
    if not isinstance(added, str) or not added:
        raise NoAnswer("an added template without an id")
    return added


def _categories(client: WeChatClient) -> list[int]:
    return [_number(row.get("id")) for row in _rows(client.ask_with_token("GET", f"{_BASE}/getcategory"))]


def _rows(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = answer.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise NoAnswer("a list without rows")
    return rows


def _template(row: Mapping[str, Any]) -> AccountTemplate:
    found = _line.finditer(str(row.get("content", "")))
    keywords = tuple((each["label"].strip(), each["key"], each["kind"]) for each in found)
    choices = {}
    for each in row.get("keywordEnumValueList") or ():
        key = str(each.get("keywordCode", "")).removesuffix(".DATA")
        choices[key] = tuple(str(value) for value in each.get("enumValueList") or ())
    template_id = row.get("priTmplId")
    if not isinstance(template_id, str) or not template_id:
        raise NoAnswer("a template without an id")
    return AccountTemplate(template_id, str(row.get("title", "")), keywords, _kind(row), choices)


def _kind(row: Mapping[str, Any]) -> int:
    return _number(row.get("type", ONE_TIME))


def _number(value: object) -> int:
    """WeChat writes numbers now as numbers, now as strings."""
    try:
        return int(str(value))
    except ValueError:
        raise NoAnswer("a number that is none") from None
