"""The WeChat sandbox (微信沙箱): a faithful local stand-in for WeChat's HTTP API.

It serves development, the demo and the tests over real HTTP, so the house has one fake and no mocks. Every rule follows
the facts gathered from WeChat's documentation ("wechat.md", section numbers in the modules); where WeChat is silent the
sandbox is the stricter of the two readings and says so. Nothing of the product is imported except ``models.clock``.

    /sns/…, /cgi-bin/…, /wxa/…, /wxaapi/…   what WeChat answers                    wire.py and the modules it routes to
    /_sandbox/…                             what people and tests do to it         control.py, push_control.py, orders.py
    /, /phones/{openid}, /links/{ticket}    a phone's service notifications        pages.py
    → the product's push address            what WeChat tells by itself            pushing.py
"""

from __future__ import annotations

import atexit
from collections.abc import Iterable
from pathlib import Path

from flask import Flask

from server.wechat_sandbox.account import Account, Options
from server.wechat_sandbox.asked import BadField, say_which_field
from server.wechat_sandbox.control import control
from server.wechat_sandbox.keeping import Keeper
from server.wechat_sandbox.orders import orders
from server.wechat_sandbox.pages import pages
from server.wechat_sandbox.push_control import push_control
from server.wechat_sandbox.templates import Template
from server.wechat_sandbox.wire import Wire

__all__ = ["Options", "create_sandbox", "create_screens"]


def create_sandbox(
    *,
    appid: str,
    secret: str,
    templates: Iterable[Template],
    state_file: Path | None = None,
    options: Options | None = None,
) -> Flask:
    """One sandbox account behind one WSGI application; run it in exactly one process, any number of threads.

    ``state_file`` keeps phones, messages, quotas, templates, tokens, links and waiting pushes between starts (written about a second
    after a change and at exit, private to its owner). Without it everything is forgotten at the end.
    ``app.extensions["wechat_sandbox"]`` is the ``Account``, for those who stand in the same process.
    """
    account = Account(appid=appid, secret=secret, templates=templates, options=options or Options())
    if state_file is not None:
        keeper = Keeper(account, state_file)
        keeper.load()
        account.on_change = keeper.soon
        atexit.register(keeper.save)
    app = create_screens()
    app.extensions["wechat_sandbox"] = account
    app.wsgi_app = Wire(account, app.wsgi_app)  # type: ignore[method-assign]
    return app


def create_screens() -> Flask:
    """Everything but WeChat's own paths, for the account in ``app.extensions["wechat_sandbox"]``."""
    app = Flask(__name__, template_folder="screens", static_folder=None)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # the default provider has it
    for door in (control, push_control, orders, pages):
        app.register_blueprint(door)
    app.register_error_handler(BadField, say_which_field)
    return app
