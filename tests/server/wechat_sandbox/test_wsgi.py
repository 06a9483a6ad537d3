"""Starting the sandbox from the environment."""

from __future__ import annotations

import pytest

from server.wechat_sandbox.account import Account
from server.wechat_sandbox.wsgi import app


def test_the_environment_names_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WECHAT_APPID", "WECHAT_SECRET", "SANDBOX_STATE"):
        monkeypatch.delenv(name, raising=False)
    account: Account = app().extensions["wechat_sandbox"]
    assert (account.appid, account.secret) == ("wxsandbox000000001", "sandbox-secret")
    monkeypatch.setenv("WECHAT_APPID", "wxsandbox000000002")
    assert app().extensions["wechat_sandbox"].appid == "wxsandbox000000002"


def test_the_sandbox_does_not_start_beside_a_real_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECHAT_APPID", "wxba5fad812f8e6fb9")
    with pytest.raises(RuntimeError, match="a real one"):
        app()
