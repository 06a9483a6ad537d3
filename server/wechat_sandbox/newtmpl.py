"""The account's templates and the library they come from (``/wxaapi/newtmpl/*``, wechat.md §4.6).

A wrong method answers errcode 404.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from server.wechat_sandbox.answers import Refused
from server.wechat_sandbox.calls import Call
from server.wechat_sandbox.library import CATEGORIES, EXAMPLES, LIBRARY, PublicKeyword, PublicTemplate
from server.wechat_sandbox.templates import Template

if TYPE_CHECKING:
    from server.wechat_sandbox.account import Account

_FEWEST_KEYWORDS, _MOST_KEYWORDS = 2, 5
_LONGEST_SCENE = 15
_PAGE_LIMIT = 30


def list_categories(account: Account, call: Call) -> dict[str, object]:
    """``GET /wxaapi/newtmpl/getcategory``."""
    _enter(account, call, "GET")
    return _fine(data=[{"id": number, "name": name} for number, name in CATEGORIES.items()])


def list_library(account: Account, call: Call) -> dict[str, object]:
    """``GET /wxaapi/newtmpl/getpubtemplatetitles``: of the categories ``ids``, at most 30 at a time."""
    _enter(account, call, "GET")
    asked = call.query.get("ids")
    if not asked:
        raise Refused(200018)
    ids = [int(each) for each in asked.split(",") if each.isdecimal()]
    if len(ids) != len(asked.split(",")) or not set(ids) <= set(CATEGORIES):
        raise Refused(200019)
    start, limit = _number(call, "start", 200016), _number(call, "limit", 200017)
    if not 0 < limit <= _PAGE_LIMIT:
        raise Refused(200017)
    found = [each for each in LIBRARY.values() if each.category in ids]
    return _fine(count=len(found), data=[_title(each) for each in found[start : start + limit]])


def list_keywords(account: Account, call: Call) -> dict[str, object]:
    """``GET /wxaapi/newtmpl/getpubtemplatekeywords``. ``count`` is left out, as WeChat may."""
    _enter(account, call, "GET")
    tid = call.query.get("tid")
    if not tid:
        raise Refused(200002)
    found = LIBRARY.get(tid)
    if found is None:
        raise Refused(200014)
    return _fine(data=[_keyword(each) for each in found.keywords])


def list_templates(account: Account, call: Call) -> dict[str, object]:
    """``GET /wxaapi/newtmpl/gettemplate``."""
    _enter(account, call, "GET")
    return _fine(data=[_card(template) for template in account.templates.values()])


def add_template(account: Account, call: Call) -> dict[str, object]:
    """``POST /wxaapi/newtmpl/addtemplate``: two to five keywords of a title, in any order."""
    _enter(account, call, "POST")
    tid, kids, scene = call.json.get("tid"), call.json.get("kidList"), call.json.get("sceneDesc", "")
    public = LIBRARY.get(tid) if isinstance(tid, str) else None
    if public is None:
        raise Refused(200014)
    if public.banned:
        raise Refused(200013)
    keywords = _chosen(public, kids)
    if not isinstance(scene, str) or len(scene) > _LONGEST_SCENE:
        raise Refused(200021)
    if len(account.templates) >= account.options.templates_kept:
        raise Refused(200012)
    content = "".join(keyword.line for keyword in keywords)
    if any((each.title, each.content) == (public.title, content) for each in account.templates.values()):
        raise Refused(200022)
    template = Template(secrets.token_urlsafe(32), public.title, content, public.kind)
    account.templates[template.id] = template
    account.on_change()
    return _fine(priTmplId=template.id)


def delete_template(account: Account, call: Call) -> dict[str, object]:
    """``POST /wxaapi/newtmpl/deltemplate``. Which errcode an unknown id gets is not documented: 200014 here."""
    _enter(account, call, "POST")
    template_id = call.text("priTmplId")
    if not template_id:
        raise Refused(200002)
    if account.templates.pop(template_id, None) is None:
        raise Refused(200014)
    account.deleted_templates.add(template_id)
    account.on_change()
    return _fine()


def _enter(account: Account, call: Call, method: str) -> None:
    if call.method != method:
        raise Refused(404)
    account.tokens.check(call.query.get("access_token"))


def _fine(**more: object) -> dict[str, object]:
    return {"errcode": 0, "errmsg": "ok", **more}


def _number(call: Call, name: str, errcode: int) -> int:
    text = call.query.get(name, "")
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise Refused(errcode)
    return int(text)


def _chosen(public: PublicTemplate, kids: object) -> tuple[PublicKeyword, ...]:
    fine = isinstance(kids, list) and all(isinstance(kid, int) and not isinstance(kid, bool) for kid in kids)
    if not isinstance(kids, list) or not fine or len(set(kids)) != len(kids):
        raise Refused(200020)
    keywords = public.chosen(kids) if _FEWEST_KEYWORDS <= len(kids) <= _MOST_KEYWORDS else None
    if keywords is None:
        raise Refused(200020)
    return keywords


def _title(public: PublicTemplate) -> dict[str, object]:
    tid = int(public.tid)
    return {"tid": tid, "title": public.title, "type": public.kind, "categoryId": str(public.category)}


def _keyword(keyword: PublicKeyword) -> dict[str, object]:
    example = EXAMPLES[keyword.rule]
    return {"kid": keyword.kid, "name": keyword.name, "example": example, "rule": keyword.rule}


def _card(template: Template) -> dict[str, object]:
    example = "".join(
        f"{keyword.label}:{EXAMPLES.get(keyword.kind) or template.choices[keyword.key][0]}\n"
        for keyword in template.keywords
    )
    card: dict[str, object] = {
        "priTmplId": template.id,
        "title": template.title,
        "content": template.content,
        "example": example,
        "type": template.kind,
    }
    if template.choices:
        card["keywordEnumValueList"] = [
            {"keywordCode": f"{key}.DATA", "enumValueList": list(values)}
            for key, values in template.choices.items()
        ]
    return card
