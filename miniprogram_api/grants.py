"""Asking for messages honestly: which templates to ask for at which tap, and what the person answered."""

from __future__ import annotations

from typing import Any

from miniprogram_api.edge import Door, Needs, account, account_if_any
from miniprogram_api.installed import template_called, terms
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.notices import GrantsIn, GrantsOut, PromptsOut, PromptsQuery
from models.base import db
from models.errors import Fault, Invalid
from models.grants import Answer, left_of, not_to_be_asked, record_answers
from models.notices import PROMPTS, TEMPLATE_TITLES

door = Door("grants", description="订阅消息")


@door.get("/message-grants/prompts", needs=Needs.NOTHING)
@door.takes(PromptsQuery, location="query")
@door.gives(PromptsOut, refuses=(422,))
def show_prompts(wanted: dict[str, Any]) -> dict[str, Any]:
    """该问哪些订阅

    What to pass to ``wx.requestSubscribeMessage`` at this tap. Refusing changes nothing about what the tap does. Who sends a login
    along is not asked for what they turned off lately, and is told how many messages they still allow.
    """
    items: list[dict[str, Any]] = [
        {"template": name, "template_id": terms().wechat_templates[name], "title": TEMPLATE_TITLES[name]}
        for name in PROMPTS[wanted["moment"]]
    ]
    who = account_if_any()
    if who is not None:
        unwelcome, left = not_to_be_asked(db.session(), who), left_of(db.session(), [who.id])
        items = [
            {**item, "remaining": left.get((who.id, item["template"]), 0)}
            for item in items
            if item["template"] not in unwelcome
        ]
    return {"moment": wanted["moment"], "items": items}


@door.post("/me/message-grants", rate=RateName.ANSWERS)
@door.takes(GrantsIn)
@door.gives(GrantsOut, 201)
def record_grants(sent: dict[str, Any]) -> dict[str, Any]:
    """记录订阅结果

    Write down what ``wx.requestSubscribeMessage`` answered. Send an ``Idempotency-Key``, so that a retry does not count twice;
    WeChat's own push of the same answer does not either. May be sent after the tap: what was not sent for want of it is sent now.
    """
    names = {template_id: template_called(template_id) for template_id in sent["answers"]}
    unknown = [template_id for template_id, name in names.items() if name is None]
    if unknown:
        raise Invalid([Fault(f"answers.{template_id}", "不是本小程序的消息模板") for template_id in unknown])
    answers: dict[str, Answer] = {
        name: sent["answers"][template_id] for template_id, name in names.items() if name is not None
    }
    account().lock().must_stand()
    return {"items": record_answers(db.session(), account(), answers)}
