"""The WeChat side of the sandbox as plain WSGI: transport facts of wechat.md §1, faults, and the table of paths.

It stands in front of Flask rather than inside it because it must reset connections, refuse a POST without a length
before reading it, and keep a benchmark's pace.
"""

from __future__ import annotations

import errno
import json
import socket
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from server.wechat_sandbox import newtmpl
from server.wechat_sandbox.account import Account
from server.wechat_sandbox.answers import Picture, Refused, RidShape
from server.wechat_sandbox.calls import Call, openid_in_body, openid_in_query
from server.wechat_sandbox.codes import exchange_login, give_phone_number, whose_login, whose_phone_number
from server.wechat_sandbox.content import check_media, check_text
from server.wechat_sandbox.faults import GARBLED
from server.wechat_sandbox.links import give_scheme, give_url_link
from server.wechat_sandbox.messages import send, whose_message
from server.wechat_sandbox.quotas import tell_quota
from server.wechat_sandbox.sessions import check_session, reset_session
from server.wechat_sandbox.tokens import give_stable_token, give_token
from server.wechat_sandbox.wxacode import give_code

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_BODY_LIMIT = 1024 * 1024
_CGI_CONTENT_TYPE = "application/json; encoding=utf-8"
_SNS_CONTENT_TYPE = "text/plain"

Answer = dict[str, object] | Picture


def _nobody(_account: Account, _call: Call) -> str | None:
    return None


@dataclass(frozen=True)
class Route:
    """One WeChat path. ``whose`` tells about whom a call is; ``dwells`` says the answer itself spends the latency."""

    answer: Callable[[Account, Call], Answer]
    whose: Callable[[Account, Call], str | None] = _nobody
    rid: RidShape = RidShape.PLAIN
    dwells: bool = False


ROUTES: dict[str, Route] = {
    "/sns/jscode2session": Route(exchange_login, whose_login, RidShape.SNS),
    "/cgi-bin/token": Route(give_token),
    "/cgi-bin/stable_token": Route(give_stable_token),
    "/cgi-bin/message/subscribe/send": Route(send, whose_message, dwells=True),
    "/wxa/business/getuserphonenumber": Route(give_phone_number, whose_phone_number, RidShape.HINTED),
    "/wxa/checksession": Route(check_session, openid_in_query),
    "/wxa/resetusersessionkey": Route(reset_session, openid_in_query),
    "/wxa/msg_sec_check": Route(check_text, openid_in_body),
    "/wxa/media_check_async": Route(check_media, openid_in_body),
    "/wxa/getwxacodeunlimit": Route(give_code),
    "/wxa/generatescheme": Route(give_scheme),
    "/wxa/generate_urllink": Route(give_url_link),
    "/wxaapi/newtmpl/getcategory": Route(newtmpl.list_categories),
    "/wxaapi/newtmpl/getpubtemplatetitles": Route(newtmpl.list_library),
    "/wxaapi/newtmpl/getpubtemplatekeywords": Route(newtmpl.list_keywords),
    "/wxaapi/newtmpl/gettemplate": Route(newtmpl.list_templates),
    "/wxaapi/newtmpl/addtemplate": Route(newtmpl.add_template),
    "/wxaapi/newtmpl/deltemplate": Route(newtmpl.delete_template),
    "/cgi-bin/openapi/quota/get": Route(tell_quota),
}


# The limits of the tokens are kept by the tokens.
_COUNT_THEMSELVES = frozenset({"/cgi-bin/token", "/cgi-bin/stable_token", "/sns/jscode2session"})


class Wire:
    """WSGI: answers WeChat's paths itself and leaves every other path to ``pages``."""

    def __init__(self, account: Account, pages: WSGIApplication) -> None:
        self._account = account
        self._pages = pages
        account.paths = frozenset(ROUTES)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        route = ROUTES.get(environ["PATH_INFO"])
        if route is None:
            return self._pages(environ, start_response)
        refused = _refuse_transport(environ)
        if refused is not None:
            return _answer_bare(start_response, refused)
        return self._serve(route, _read_call(environ), environ, start_response)

    def _serve(
        self, route: Route, call: Call, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        account = self._account
        with account.lock:
            account.calls[call.path] += 1
            fault = account.faults.strike(call.path, lambda: _whose(route, account, call))
        call.dwell_seconds = account.answer_seconds(call.path)
        if fault is not None:
            call.dwell_seconds += fault.latency_ms / 1000
            if fault.reset_before:
                _reset(environ)
            if fault.http_status is not None:
                time.sleep(call.dwell_seconds)
                return _answer_bare(start_response, HTTPStatus(fault.http_status))
        ordered = fault.errcode if fault is not None else None
        answer = _answer_of(route, account, call, ordered)
        if fault is not None and fault.reset_after_processing:
            _reset(environ)
        if fault is not None and fault.garbled is not None:
            return _answer_garbled(start_response, GARBLED[fault.garbled])
        if isinstance(answer, Picture):
            return _answer_picture(start_response, answer)
        return _answer_json(start_response, call, answer)


def _answer_of(route: Route, account: Account, call: Call, ordered: int | None) -> Answer:
    try:
        if call.dwell_seconds and (ordered is not None or not route.dwells):
            time.sleep(call.dwell_seconds)
        if ordered is not None:
            raise Refused(ordered)
        if call.path not in _COUNT_THEMSELVES:
            with account.lock:
                account.quotas.spend(call.path)
        if route.dwells:
            return route.answer(account, call)
        with account.lock:
            return route.answer(account, call)
    except Refused as refused:
        return refused.as_answer(route.rid)


def _whose(route: Route, account: Account, call: Call) -> str | None:
    try:
        return route.whose(account, call)
    except Refused:
        return None


def _refuse_transport(environ: WSGIEnvironment) -> HTTPStatus | None:
    """A POST without Content-Length is refused before any business logic; so is a body nobody would send."""
    length = environ.get("CONTENT_LENGTH") or ""
    if environ["REQUEST_METHOD"] == "POST" and not length.isdigit():
        if environ.get("wsgi.input_terminated"):
            environ["wsgi.input"].read(_BODY_LIMIT)
        return HTTPStatus.PRECONDITION_FAILED
    if length.isdigit() and int(length) > _BODY_LIMIT:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return None


def _read_call(environ: WSGIEnvironment) -> Call:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    return Call(
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"],
        query_string=environ.get("QUERY_STRING", ""),
        body=environ["wsgi.input"].read(length) if length else b"",
        origin=f"{environ['wsgi.url_scheme']}://{environ.get('HTTP_HOST', '127.0.0.1')}",
    )


def _answer_json(start_response: StartResponse, call: Call, answer: dict[str, Any]) -> Iterable[bytes]:
    body = json.dumps(answer, ensure_ascii=False).encode()
    errcode = str(answer.get("errcode", 0))
    sns = call.path.startswith("/sns/")
    start_response(
        "200 OK",
        [
            ("Content-Type", _SNS_CONTENT_TYPE if sns else _CGI_CONTENT_TYPE),
            ("Content-Length", str(len(body))),
            ("RetKey", "11"),
            ("LogicRet", errcode),
        ],
    )
    return [body]


def _answer_picture(start_response: StartResponse, picture: Picture) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "image/png"), ("Content-Length", str(len(picture.png)))])
    return [picture.png]


def _answer_garbled(start_response: StartResponse, body: bytes) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", _CGI_CONTENT_TYPE), ("Content-Length", str(len(body)))])
    return [body]


def _answer_bare(start_response: StartResponse, status: HTTPStatus) -> Iterable[bytes]:
    """An HTTP-level failure: a page of the front server, not WeChat's JSON."""
    body = f"<html><title>{status.value} {status.phrase}</title></html>".encode()
    start_response(
        f"{status.value} {status.phrase}",
        [("Content-Type", "text/html"), ("Content-Length", str(len(body))), ("Connection", "close")],
    )
    return [body]


def _reset(environ: WSGIEnvironment) -> None:
    """Break the connection without an answer: no lingering, so the peer sees it at once."""
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError(errno.ECONNRESET, "an ordered fault broke this connection")
