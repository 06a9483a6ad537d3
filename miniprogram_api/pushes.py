"""Where WeChat tells us things (消息推送): ``/wechat/push``, outside the API, for WeChat alone.

What is signed for us is written down in one transaction and answered ``success``; ``server.jobs.pushes`` acts afterwards, so an answer
takes milliseconds of the five seconds there are. What is forged, stale, too large or makes no sense is refused, and nothing is
written. A push that is sent again is answered ``success`` again and changes nothing: WeChat itself repeats what it did not hear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import structlog
from flask import Blueprint, Response, current_app, request

from miniprogram_api.wechat import (
    AuthorizationCancelled,
    AuthorizationRevoked,
    MediaChecked,
    MessageSettled,
    PopupAnswered,
    ProfileModified,
    PushEvent,
    PushRefused,
    TemplateRefused,
    Unknown,
    read_push,
    verify_url,
)
from miniprogram_api.wechat.events import dedupe_key
from models.base import transaction
from models.errors import NotFound
from models.pushes import PushKind, Told, take_down, use_stamp

log = structlog.get_logger()

blueprint = Blueprint("pushes", __name__)


@dataclass(frozen=True)
class PushSecrets:
    """What we and WeChat agreed on. With an ``aes_key`` only sealed pushes are believed."""

    token: str = field(repr=False)
    aes_key: str | None = field(repr=False)
    appid: str


@blueprint.get("/wechat/push")
def prove_address() -> Response:
    """WeChat checks the address: its ``echostr`` back, as it is."""
    try:
        echo = verify_url(request.args, token=_secrets().token)
    except PushRefused as refused:
        _note(refused)
        raise
    return Response(echo, mimetype="text/plain")


@blueprint.post("/wechat/push")
def take_push() -> Response:
    """WeChat tells something: written down, and ``success``."""
    secrets = _secrets()
    try:
        events = read_push(
            request.args,
            request.get_data(),
            request.content_type or "",
            token=secrets.token,
            aes_key=secrets.aes_key,
            appid=secrets.appid,
        )
        with transaction() as session:
            if secrets.aes_key is None and not use_stamp(session, _stamp(), told=_digest(events)):
                raise PushRefused("push_replayed", "签名已经用于另一条推送")
            new = take_down(session, [_told(event) for event in events])
    except PushRefused as refused:
        _note(refused)
        raise
    log.info("push_taken", kinds=sorted({_KEPT[type(event)][0] for event in events}), new=new)
    return Response("success", mimetype="text/plain")


def _secrets() -> PushSecrets:
    secrets = cast("PushSecrets | None", current_app.extensions["push_secrets"])
    if secrets is None:
        raise NotFound
    return secrets


def _note(refused: PushRefused) -> None:
    log.warning("push_refused", code=refused.code)


def _stamp() -> str:
    return dedupe_key(request.args.get("timestamp"), request.args.get("nonce"))


def _digest(events: Sequence[PushEvent]) -> str:
    return dedupe_key(*(event.dedupe_key for event in events))


def _told(event: PushEvent) -> Told:
    """The event as it is kept."""
    kind, facts = _KEPT[type(event)]
    return Told(
        kind=kind,
        openid=event.openid,
        at=event.at,
        dedupe_key=event.dedupe_key,
        facts={name: getattr(event, name) for name in facts},
        trace_id=event.trace_id if isinstance(event, MediaChecked) else None,
    )


# as what each event is kept, and which of its facts
_KEPT: Mapping[type[PushEvent], tuple[PushKind, tuple[str, ...]]] = {
    PopupAnswered: (PushKind.POPUP_ANSWERED, ("template_id", "accepted")),
    TemplateRefused: (PushKind.TEMPLATE_REFUSED, ("template_id",)),
    MessageSettled: (PushKind.MESSAGE_SETTLED, ("template_id", "msgid", "error_code", "error_status")),
    MediaChecked: (PushKind.MEDIA_CHECKED, ("suggest", "label", "errcode")),
    AuthorizationRevoked: (PushKind.AUTHORIZATION_REVOKED, ("code",)),
    AuthorizationCancelled: (PushKind.AUTHORIZATION_CANCELLED, ()),
    ProfileModified: (PushKind.PROFILE_MODIFIED, ()),
    Unknown: (PushKind.UNKNOWN, ("name",)),
}
