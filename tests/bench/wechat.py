"""The WeChat of the bench: the sandbox, with as many phones as there are residents, all of whom have allowed everything."""

from __future__ import annotations

import os

from flask import Flask

from server.wechat_sandbox import Options, create_sandbox
from server.wechat_sandbox.account import Account
from server.wechat_sandbox.templates import DEFAULT_TEMPLATES
from server.wechat_sandbox.wsgi import DEFAULT_APPID, DEFAULT_SECRET
from tests.bench.town import openid_of
from tests.sandbox import SEND

PHONES = "BENCH_PHONES"
ANSWER_MS = "BENCH_ANSWER_MS"
ALLOWED = 1_000_000


def create() -> Flask:
    """As the environment says: ``BENCH_PHONES`` people, and ``BENCH_ANSWER_MS`` for every message."""
    app = create_sandbox(
        appid=DEFAULT_APPID,
        secret=DEFAULT_SECRET,
        templates=DEFAULT_TEMPLATES,
        options=Options(answer_ms_of={SEND: int(os.environ[ANSWER_MS])}, messages_kept=8),
    )
    account: Account = app.extensions["wechat_sandbox"]
    for number in range(int(os.environ[PHONES])):
        phone = account.phone(openid_of(number))
        phone.quota.update(dict.fromkeys(account.templates, ALLOWED))
    return app
