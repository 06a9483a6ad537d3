"""What a person sees: the phones the sandbox knows, and one phone's service notifications (微信 · 服务通知)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from models import clock
from server.wechat_sandbox import events
from server.wechat_sandbox.account import Account, Message, Phone
from server.wechat_sandbox.asked import account
from server.wechat_sandbox.templates import LONG_TERM

pages = Blueprint("pages", __name__)


@dataclass(frozen=True)
class PhoneLine:
    """A phone in the list: who, the newest notification, when."""

    openid: str
    newest: str
    when: str
    count: int


@dataclass(frozen=True)
class TemplateLine:
    """A template in the subscribe popup, with the sends left."""

    id: str
    title: str
    long_term: bool
    left: int
    chosen: str


@dataclass(frozen=True)
class NoticeCard:
    """A notification as the phone shows it."""

    title: str
    lines: tuple[tuple[str, str], ...]
    page: str
    when: str
    build: str


_BUILDS_OF_LINKS = {"release": "正式版", "trial": "体验版", "develop": "开发版"}
_LONGEST_ADDED = 256
_BUILDS = {"formal": "", "trial": "体验版", "developer": "开发版"}


@pages.get("/")
def list_phones() -> Response:
    """The phones, the one with the newest notification first."""
    sandbox = account()
    with sandbox.lock:
        phones = sorted(sandbox.phones.values(), key=_newest_at, reverse=True)[:500]
        lines = [_line_of(phone) for phone in phones]
    return _page("phones.html", phones=lines, appid=sandbox.appid)


@pages.get("/phones/<openid>")
def show_phone(openid: str) -> Response:
    """One phone's service notifications, newest at the bottom as in WeChat; refreshed by itself."""
    sandbox = account()
    with sandbox.lock:
        phone = _known(sandbox, openid)
        cards = [_card(message) for message in phone.messages]
        templates = [_template_line(sandbox, phone, template_id) for template_id in sandbox.templates]
    return _page(
        "phone.html",
        openid=openid,
        cards=cards,
        templates=templates,
        flagged=phone.flagged,
        pushes=bool(sandbox.pushes.target),
    )


@pages.get("/phones/<openid>/cards")
def show_cards(openid: str) -> Response:
    """The notifications alone, for the page's own refreshing."""
    sandbox = account()
    with sandbox.lock:
        cards = [_card(message) for message in _known(sandbox, openid).messages]
    return _page("cards.html", cards=cards)


@pages.post("/phones/<openid>/subscriptions")
def answer_popup(openid: str) -> AnyResponse:
    """The subscribe popup's 允许 or 拒绝 for the ticked templates."""
    sandbox = account()
    with sandbox.lock:
        phone = _known(sandbox, openid)
        ticked = _ticked(sandbox, request.form.getlist("template_id"))
        if request.form.get("answer") == "reject":
            sandbox.answer_popup(phone, accept=[], reject=ticked)
        else:
            sandbox.answer_popup(phone, accept=ticked, reject=[])
    return redirect(url_for("pages.show_phone", openid=openid), HTTPStatus.SEE_OTHER)


@pages.post("/phones/<openid>/login-code")
def show_login_code(openid: str) -> Response:
    """A fresh wx.login code, to be pasted into ``POST /api/v1/login``."""
    sandbox = account()
    with sandbox.lock:
        code = sandbox.login_code(_known(sandbox, openid), appid=sandbox.appid)
    return _page("login_code.html", openid=openid, code=code)


@pages.post("/phones/<openid>/settings")
def refuse_in_settings(openid: str) -> AnyResponse:
    """The service-notification manager (通知管理): 不再接收 for the ticked templates."""
    sandbox = account()
    with sandbox.lock:
        phone = _known(sandbox, openid)
        if ticked := _ticked(sandbox, request.form.getlist("template_id")):
            sandbox.refuse_templates(phone, ticked)
    return redirect(url_for("pages.show_phone", openid=openid), HTTPStatus.SEE_OTHER)


@pages.post("/phones/<openid>/authorization")
def change_authorization(openid: str) -> AnyResponse:
    """What WeChat lets a person take back: the phone number alone, or everything with the account (注销)."""
    change = request.form.get("change")
    if change not in ("revoke_phone", "cancel"):
        abort(HTTPStatus.BAD_REQUEST)
    sandbox = account()
    with sandbox.lock:
        phone = _known(sandbox, openid)
        if change == "cancel":
            sandbox.change_authorization(phone, events.CANCELLATION)
        else:
            sandbox.change_authorization(phone, events.REVOKE, revoke_info=events.REVOKE_PHONE)
    return redirect(url_for("pages.show_phone", openid=openid), HTTPStatus.SEE_OTHER)


@pages.get("/links/<ticket>")
def open_link(ticket: str) -> tuple[Response, int]:
    """Where a URL Link leads; what stands in ``cq`` is added, as WeChat does (§7). 410 when it has expired."""
    sandbox = account()
    with sandbox.lock:
        link = sandbox.links.get(ticket)
    if link is None:
        abort(HTTPStatus.NOT_FOUND)
    added = request.args.get("cq", "")[:_LONGEST_ADDED]
    query = "&".join(part for part in (link.query, added) if part)
    until = clock.in_town(link.expires_at).strftime("%Y-%m-%d %H:%M")
    shown = _page("link.html", link=link, query=query, until=until, build=_BUILDS_OF_LINKS[link.build])
    return shown, HTTPStatus.OK if link.is_open else HTTPStatus.GONE


def _known(sandbox: Account, openid: str) -> Phone:
    phone = sandbox.phones.get(openid)
    if phone is None:
        abort(HTTPStatus.NOT_FOUND)
    return phone


def _ticked(sandbox: Account, ids: Iterable[str]) -> list[str]:
    known = [template_id for template_id in dict.fromkeys(ids) if template_id in sandbox.templates]
    return known[:5]


def _newest_at(phone: Phone) -> float:
    return phone.messages[-1].sent_at.timestamp() if phone.messages else 0.0


def _line_of(phone: Phone) -> PhoneLine:
    if not phone.messages:
        return PhoneLine(phone.openid, "还没有服务通知", "", 0)
    newest = phone.messages[-1]
    return PhoneLine(phone.openid, newest.title, _when(newest.sent_at), len(phone.messages))


def _card(message: Message) -> NoticeCard:
    lines = tuple((label, value) for label, _, value in message.values)
    build = _BUILDS[message.state]
    return NoticeCard(message.title, lines, message.page, _when(message.sent_at), build)


def _template_line(sandbox: Account, phone: Phone, template_id: str) -> TemplateLine:
    template = sandbox.templates[template_id]
    long_term = template.kind == LONG_TERM
    left = int(template_id in phone.subscribed) if long_term else phone.quota[template_id]
    chosen = {"accept": "上次：允许", "reject": "上次：拒绝"}.get(phone.answers.get(template_id, ""), "")
    return TemplateLine(template_id, template.title, long_term, left, chosen)


def _when(moment: datetime) -> str:
    """As the town's clock shows it; today's without the date."""
    there = clock.in_town(moment)
    if there.date() == clock.today():
        return there.strftime("%H:%M")
    return f"{there.month}月{there.day}日 {there:%H:%M}"


def _page(template: str, **shown: object) -> Response:
    """A page that may run its own script and nothing else."""
    nonce = secrets.token_urlsafe(12)
    response = make_response(render_template(template, nonce=nonce, **shown))
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; connect-src 'self'; form-action 'self'; img-src data:; "
        f"script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
