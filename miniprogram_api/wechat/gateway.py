"""The WeChat gateway (微信网关): everything the house asks of WeChat, and the truth about what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from miniprogram_api.wechat import content, errcodes, links, refusals, templates
from miniprogram_api.wechat.client import (
    NoAnswer,
    NoToken,
    NotSent,
    WeChatClient,
    WeChatRefused,
    WeChatTrouble,
)
from miniprogram_api.wechat.content import ImageCheck, Scene, TextVerdict
from miniprogram_api.wechat.links import Build
from miniprogram_api.wechat.pause import Pause
from miniprogram_api.wechat.refusals import refuse, report_misconfiguration
from miniprogram_api.wechat.templates import AccountTemplate, LibraryKeyword, LibraryTitle
from miniprogram_api.wechat.tokens import TokenShelf
from miniprogram_api.wechat.words import LONGEST_MSGID, LONGEST_OPENID, word_in
from models.errors import Refusal

_phone_shape = re.compile(r"[0-9]{5,15}")
_country_shape = re.compile(r"[0-9]{1,4}")


@dataclass(frozen=True)
class WeChatLogin:
    """Who logged in. ``unionid`` only where the mini-program is bound to an Open Platform account."""

    openid: str
    unionid: str | None

    def __repr__(self) -> str:
        return "WeChatLogin(…)"


class SendResult(StrEnum):
    """What is known after a send."""

    ACCEPTED = "accepted"  # 微信已受理
    REFUSED = "refused"  # 微信拒绝，再发也没用
    TRY_LATER = "try_later"  # 肯定没有送到，可以稍后再发
    UNKNOWN = "unknown"  # 不知道有没有送到，绝不能再发


@dataclass(frozen=True)
class SendOutcome:
    """How a send ended. ``errcode`` is WeChat's, where it gave one; ``reason`` is for staff and free of personal data."""

    result: SendResult
    errcode: int | None = None
    msgid: str | None = None
    reason: str = ""

    @property
    def permission_is_gone(self) -> bool:
        """WeChat says the person's permission is used up or withdrawn: the ledger stands at zero (§4.3)."""
        return self.errcode == errcodes.PERMISSION_GONE

    @property
    def person_is_busy(self) -> bool:
        """Another message to this person is just being sent (§4.1): nothing is wrong with WeChat."""
        return self.errcode == errcodes.SENDING_ALREADY

    @property
    def did_not_arrive(self) -> bool:
        """Surely not: a permission was not used up (§4.3)."""
        return self.result in (SendResult.REFUSED, SendResult.TRY_LATER)


class WeChatGateway:
    """One WeChat account. Safe for several threads; ``close()`` when done.

    ``base_url`` is ``https://api.weixin.qq.com`` or the sandbox's; ``timeout`` is (connect, read) in seconds, for every
    request; ``connections`` are kept open at most.
    """

    def __init__(
        self,
        *,
        appid: str,
        secret: str,
        base_url: str,
        tokens: TokenShelf,
        timeout: tuple[float, float] = (3, 5),
        connections: int = 32,
    ) -> None:
        self.appid = appid
        self._client = WeChatClient(
            appid=appid,
            secret=secret,
            base_url=base_url,
            tokens=tokens,
            timeout=timeout,
            connections=connections,
        )
        self._checks = Pause()

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def login(self, code: str) -> WeChatLogin:
        """Whose wx.login code this is (code2Session, §2). Needs no access token; the session key is dropped at once.

        A code is asked about once: after any failure the phone needs a new one. Raises Conflict
        ``wechat_code_invalid`` or ``wechat_code_used``, Forbidden ``wechat_login_blocked``, Busy
        ``wechat_too_frequent``, Unavailable ``wechat_unavailable`` or ``wechat_misconfigured``.
        """
        try:
            answer = self._client.exchange_login_code(code)
        except WeChatTrouble as trouble:
            refuse(refusals.LOGIN, trouble)
        openid, unionid = (word_in(answer.get(name), most=LONGEST_OPENID) for name in ("openid", "unionid"))
        if openid is None:
            refuse(refusals.LOGIN, NoAnswer("a login without an openid"))
        if unionid is None and answer.get("unionid"):
            refuse(refusals.LOGIN, NoAnswer("a login with a unionid that is none"))
        return WeChatLogin(openid=openid, unionid=unionid)

    def phone_number(self, code: str, *, openid: str) -> str:
        """The number this person allowed us to read (getuserphonenumber, §5): ``13800138000``, abroad ``+85261234567``.

        ``openid`` makes WeChat refuse somebody else's code. Raises Conflict ``wechat_code_invalid`` or
        ``wechat_phone_not_yours``, Busy ``wechat_too_frequent``, Unavailable as ``login``.
        """
        body = {"code": code, "openid": openid}
        try:
            answer = self._client.ask_with_token("POST", "wxa/business/getuserphonenumber", body=body)
        except WeChatTrouble as trouble:
            refuse(refusals.PHONE, trouble)
        card = answer.get("phone_info")
        number = _number_on(card) if isinstance(card, Mapping) and self._is_ours(card) else None
        if number is None:
            refuse(refusals.PHONE, NoAnswer("a phone answer without a number of ours"))
        return number

    def send(
        self,
        openid: str,
        template_id: str,
        values: Mapping[str, str],
        *,
        page: str,
        state: Literal["formal", "trial", "developer"],
    ) -> SendOutcome:
        """Send one subscribe message (§4.1), once. Never raises for WeChat's troubles: the outcome tells.

        ``values`` are by template key (``thing1``); ``page`` with its query, empty for a card that cannot be tapped.
        """
        body: dict[str, object] = {
            "touser": openid,
            "template_id": template_id,
            "data": {key: {"value": value} for key, value in values.items()},
            "miniprogram_state": state,
            "lang": "zh_CN",
        }
        if page:
            body["page"] = page
        try:
            answer = self._client.ask_with_token("POST", "cgi-bin/message/subscribe/send", body=body)
        except WeChatTrouble as trouble:
            return _outcome_of(trouble, openid=openid)
        except Refusal as no_shelf:
            # The shelf refuses (another process renews in vain, the database is busy) before anything was sent.
            return SendOutcome(SendResult.TRY_LATER, reason=f"no access token: {no_shelf.code}")
        if answer.get("errcode") != 0:  # somebody in between answered, who has not heard of errcodes
            return SendOutcome(SendResult.UNKNOWN, reason="no answer of WeChat's")
        # sent is sent, whatever it is called: the push about it finds it without a name, too
        return SendOutcome(SendResult.ACCEPTED, msgid=word_in(answer.get("msgid"), most=LONGEST_MSGID))

    # --- templates (§4.6) ---------------------------------------------------------------------------------------------

    def templates(self) -> list[AccountTemplate]:
        """The account's own templates, their content parsed. Raises Unavailable and Busy like every call below."""
        try:
            return templates.templates_of(self._client)
        except WeChatTrouble as trouble:
            refuse(refusals.TEMPLATES, trouble)

    def library_titles(self, *, categories: Sequence[int] | None = None) -> list[LibraryTitle]:
        """The titles of the public library in the account's own categories, or in those named."""
        try:
            return templates.titles_of(self._client, categories=categories)
        except WeChatTrouble as trouble:
            refuse(refusals.TEMPLATES, trouble)

    def library_keywords(self, tid: str) -> list[LibraryKeyword]:
        """The keywords to choose from for a title. Raises Conflict ``wechat_template_invalid`` for an unknown title."""
        try:
            return templates.keywords_of(self._client, tid)
        except WeChatTrouble as trouble:
            refuse(refusals.TEMPLATES, trouble)

    def add_template(self, tid: str, kid_list: Iterable[int], *, scene: str) -> str:
        """Add a title with two to five keywords; the new id. ``scene`` says what for, in at most 15 characters.

        Raises Conflict ``wechat_templates_full``, ``wechat_template_banned``, ``wechat_template_exists`` or
        ``wechat_template_invalid``.
        """
        try:
            return templates.add_template(self._client, tid, kid_list, scene=scene)
        except WeChatTrouble as trouble:
            refuse(refusals.TEMPLATES, trouble)

    # --- content security (§6) ----------------------------------------------------------------------------------------

    def check_text(
        self, text: str, *, openid: str, scene: Scene, title: str = "", nickname: str = ""
    ) -> TextVerdict:
        """WeChat's word on what this person wrote. Never raises: what cannot be judged is ``review``, with the reason.

        Ask while the person is online: WeChat judges only for who was in the mini-program within two hours.
        """
        return content.check_text(
            self._client,
            self._checks,
            text,
            openid=openid,
            scene=scene,
            title=title,
            nickname=nickname,
        )

    def check_image(self, url: str, *, openid: str, scene: Scene) -> ImageCheck:
        """Hand a picture at a public address to WeChat; never raises. Hold the picture back until ``MediaChecked``."""
        return content.check_image(self._client, self._checks, url, openid=openid, scene=scene)

    # --- codes and links (§7) --------------------------------------------------------------------------

    def code_image(
        self,
        scene: str,
        page: str,
        *,
        build: Build = "release",
        check_path: bool = True,
        width: int = 430,
        transparent: bool = False,
    ) -> bytes:
        """A mini-program code, a JPEG or a PNG. ``scene`` is at most 32 characters, ``page`` has no leading ``/``.

        Codes last for ever: let ``scene`` be opaque, and resolve and revoke it on our side. Raises Conflict
        ``wechat_page_not_released``, Busy ``wechat_too_frequent`` or ``wechat_quota_used_up``.
        """
        try:
            return links.code_image(
                self._client,
                scene,
                page,
                build=build,
                check_path=check_path,
                width=width,
                transparent=transparent,
            )
        except WeChatTrouble as trouble:
            refuse(refusals.LINKS, trouble)

    def url_link(self, path: str, query: str, *, build: Build = "release", days: int = 30) -> str:
        """A link for SMS that opens the mini-program, for 1 to 30 days. Raises as ``code_image``."""
        try:
            return links.url_link(self._client, path, query, build=build, days=days)
        except WeChatTrouble as trouble:
            refuse(refusals.LINKS, trouble)

    def _is_ours(self, card: Mapping[str, object]) -> bool:
        """Whether the watermark, where there is one, names our own AppID (§2.1)."""
        watermark = card.get("watermark")
        return not isinstance(watermark, Mapping) or watermark.get("appid") in (None, self.appid)


def _number_on(card: Mapping[str, object]) -> str | None:
    pure, country = card.get("purePhoneNumber"), str(card.get("countryCode") or "86").lstrip("+")
    if not isinstance(pure, str) or _phone_shape.fullmatch(pure) is None:
        return None
    if _country_shape.fullmatch(country) is None:
        return None
    return pure if country == "86" else f"+{country}{pure}"


def _outcome_of(trouble: WeChatTrouble, *, openid: str) -> SendOutcome:
    match trouble:
        case NoToken(cause=cause):
            if not isinstance(cause, WeChatRefused):
                return SendOutcome(SendResult.TRY_LATER, reason=str(trouble))
            report_misconfiguration(cause)
            return SendOutcome(SendResult.TRY_LATER, cause.errcode, reason=str(trouble))
        case NotSent():
            return SendOutcome(SendResult.TRY_LATER, reason=str(trouble))
        case WeChatRefused(errcode=errcode, errmsg=errmsg):
            result = SendResult.TRY_LATER if errcode in errcodes.TRY_LATER else SendResult.REFUSED
            return SendOutcome(result, errcode, reason=errmsg.replace(openid, "…"))
        case _:
            return SendOutcome(SendResult.UNKNOWN, reason=str(trouble))
