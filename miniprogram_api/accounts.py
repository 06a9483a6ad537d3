"""Logging in with WeChat, and out again."""

from __future__ import annotations

from typing import Any

from miniprogram_api.edge import Door, Needs, caller
from miniprogram_api.installed import token_mint, wechat_gateway
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.accounts import LoginIn, LoginOut
from models.accounts import open_login, revoke_login, welcome
from models.base import db

door = Door("accounts", description="登录")


@door.post("/login", needs=Needs.NOTHING, rate=RateName.LOGIN)
@door.takes(LoginIn)
@door.gives(LoginOut, refuses=(403, 409, 422))
def log_in(sent: dict[str, Any]) -> dict[str, Any]:
    """微信登录

    Exchange the code of ``wx.login`` for a token of ours. The code is good once: after any refusal call ``wx.login`` again.
    WeChat is asked before anything is read or written, so its slowness holds nothing.
    """
    person = wechat_gateway().login(sent["code"])
    account = welcome(db.session(), openid=person.openid, unionid=person.unionid)
    login = open_login(db.session(), account)
    return {"token": token_mint().token_for(login), "expires_at": login.expires_at}


@door.delete("/login")
@door.gives(None, 204)
def log_out() -> None:
    """退出登录

    End this login; its token is worth nothing from now on.
    """
    revoke_login(db.session(), caller().login_key)
