"""What people are told when WeChat cannot or will not (微信的拒绝, in the house's own words)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NoReturn

import structlog

from miniprogram_api.wechat import errcodes
from miniprogram_api.wechat.client import NoToken, WeChatRefused, WeChatTrouble
from models.errors import Busy, Conflict, Forbidden, Refusal, Unavailable

log = structlog.get_logger()

Refusals = Mapping[int, Callable[[], Refusal]]

_quoted_ip = re.compile(r"invalid ip ([0-9A-Fa-f.:]{3,45})")


def _too_frequent() -> Refusal:
    return Busy("wechat_too_frequent", "操作有点频繁，请过一分钟再试", retry_after=60)


def _login_code_invalid() -> Refusal:
    return Conflict("wechat_code_invalid", "微信登录凭证已失效，请重新打开小程序再试一次")


def _page_not_released() -> Refusal:
    return Conflict("wechat_page_not_released", "小程序还没有发布这个页面，请等新版本上线后再生成")


def _out_of_calls() -> Refusal:
    return Busy("wechat_quota_used_up", "今天向微信申请的次数已经用完，请明天再试", retry_after=3600)


def _wrong_choice() -> Refusal:
    return Conflict("wechat_template_invalid", "模板标题、关键词或场景说明不符合微信的要求，请核对后再添加")


LOGIN: Refusals = {
    errcodes.INVALID_CODE: _login_code_invalid,
    errcodes.CODE_MISSING: _login_code_invalid,
    errcodes.CODE_USED: lambda: Conflict("wechat_code_used", "这次登录凭证已经用过，请返回再点一次登录"),
    errcodes.CODE_BLOCKED: lambda: Forbidden(
        "wechat_login_blocked",
        "微信提示这个账号有安全风险，暂时不能登录；需要办理可到社区服务台，工作人员会帮您",
    ),
    errcodes.TOO_FREQUENT: _too_frequent,
}
PHONE: Refusals = {
    errcodes.INVALID_CODE: lambda: Conflict("wechat_code_invalid", "手机号授权已失效，请再点一次获取手机号"),
    # WeChat does not document the errcode for somebody else's code (§5); an openid that does not fit is the likely one.
    errcodes.INVALID_OPENID: lambda: Conflict(
        "wechat_phone_not_yours", "这个手机号授权不是当前微信账号的，请用本人微信再点一次获取手机号"
    ),
    errcodes.TOO_FREQUENT: _too_frequent,
}
TEMPLATES: Refusals = {
    errcodes.TEMPLATES_FULL: lambda: Conflict(
        "wechat_templates_full", "公众平台上的订阅消息模板已达上限，请先删除不用的模板"
    ),
    errcodes.TEMPLATE_BANNED: lambda: Conflict(
        "wechat_template_banned", "这个模板已被微信封禁，请换一个模板"
    ),
    errcodes.TEMPLATE_EXISTS: lambda: Conflict("wechat_template_exists", "同样的模板已经添加过了"),
    errcodes.WRONG_TEMPLATE_TITLE: _wrong_choice,
    errcodes.WRONG_KEYWORDS: _wrong_choice,
    errcodes.WRONG_SCENE_TEXT: _wrong_choice,
    errcodes.DAILY_QUOTA: _out_of_calls,
    errcodes.TOO_FREQUENT: _too_frequent,
}
LINKS: Refusals = {
    errcodes.INVALID_PAGE: _page_not_released,
    errcodes.INVALID_LINK_PATH: _page_not_released,
    errcodes.APP_NOT_RELEASED: _page_not_released,
    errcodes.SECOND_LIMIT: _too_frequent,
    errcodes.MINUTE_LIMIT: _too_frequent,
    errcodes.TOO_FREQUENT: _too_frequent,
    errcodes.DAY_LIMIT: _out_of_calls,
    errcodes.DAILY_QUOTA: _out_of_calls,
}


def refuse(refusals: Refusals, trouble: WeChatTrouble) -> NoReturn:
    """Say it in the house's own words; what WeChat and the network said stays in the log."""
    if isinstance(trouble, WeChatRefused) and trouble.errcode in refusals:
        said = refusals[trouble.errcode]()
        raise said from None
    root = trouble.cause if isinstance(trouble, NoToken) else trouble
    if isinstance(root, WeChatRefused) and root.errcode in errcodes.MISCONFIGURED:
        report_misconfiguration(root)
        raise Unavailable(
            "wechat_misconfigured",
            "微信服务正在维护，请稍后再试；着急的话可以联系社区工作人员",
            retry_after=60,
        ) from None
    log.warning("wechat_unusable", trouble=str(trouble))
    raise Unavailable("wechat_unavailable", "微信服务暂时没有响应，请稍后再试一次") from None


def report_misconfiguration(refused: WeChatRefused) -> None:
    """For the people who run the house: which errcode, and the IP WeChat does not know (§10.2). Nothing else of it."""
    if refused.errcode not in errcodes.MISCONFIGURED:
        return
    quoted = _quoted_ip.search(refused.errmsg)
    to_whitelist = {"ip_to_whitelist": quoted[1]} if quoted else {}
    log.error("wechat_misconfigured", errcode=refused.errcode, **to_whitelist)
