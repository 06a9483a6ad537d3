"""Who is answered in place (``tests.serving``) hears and is heard as over the wire; the fuzzer's thousands of requests rest on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.serving import answering, listening, server_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

OF_THE_PLACE = {"HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "REMOTE_PORT", "SERVER_SOFTWARE"}
OF_THE_SERVER = {"REQUEST_URI", "RAW_URI"}  # as some servers add, and the application looks at none
OF_THE_WIRE = {"Date", "Server", "Connection", "Transfer-Encoding"}


@pytest.mark.parametrize(
    "asked",
    [
        {"method": "GET", "path": "/a%20b/%E4%B8%AD/c?x=1&y=%E4%B8%AD&x=2"},
        {"method": "POST", "path": "/json", "json": {"名": "陈静"}},
        {"method": "PUT", "path": "/nothing"},
        {"method": "POST", "path": "/odd", "data": b"\x00\xff", "headers": {"Content-Type": "multipart/form-data"}},
        {"method": "DELETE", "path": "/d//x;y", "headers": {"X-Identity": "\xe9", "Under_scored": "1"}},
        {"method": "TRACE", "path": "/"},
    ],
    ids=lambda asked: str(asked["method"] + asked["path"]),
)  # fmt: skip
def test_who_is_answered_in_place_hears_what_a_server_would_say(asked: dict[str, Any]) -> None:
    heard: list[object] = []

    def app(environment: WSGIEnvironment, say: StartResponse) -> Iterable[bytes]:
        words = {name: said for name, said in environment.items() if isinstance(said, str)}
        body = environment["wsgi.input"].read(int(environment.get("CONTENT_LENGTH", 0)))
        heard.append(({name: words[name] for name in words.keys() - OF_THE_PLACE - OF_THE_SERVER}, body))
        say("207 Several", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return [b"one ", b"two"]

    def ask(address: str) -> object:
        request = {name: said for name, said in asked.items() if name != "path"}
        answer = requests.request(url=address + asked["path"], timeout=5, **request)
        kept = [line for line in answer.raw.headers.items() if line[0] not in OF_THE_WIRE]
        return answer.status_code, answer.reason, answer.content, kept

    with listening(server_of(app)) as address:
        over_the_wire = ask(address)
    with answering(app) as address:
        assert ask(address) == over_the_wire
    assert heard[0] == heard[1]
