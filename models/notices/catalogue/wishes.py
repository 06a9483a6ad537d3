"""Moments of wishes (M11, M29): what the community said of one. A message names its number, never what is wished."""

from __future__ import annotations

from datetime import timedelta

from models.notices.kinds import About, NoticeKind, ShortMessageName, TemplateName
from models.notices.moment import Moment

_WISH = "pages/me/wish"

WISHES = (
    Moment(
        NoticeKind.WISH_REVIEWED,
        title="心愿有了结果",
        to="许愿的人和替他许愿的人",
        about=About.WISH,
        says="{community}{number}号心愿{result}：{word}。",
        template=TemplateName.WISH_RESULT,
        keywords={"character_string1": "number", "phrase2": "result", "thing3": "word"},
        page=_WISH,
        worth=timedelta(days=14),
        urgent=True,
        short_message=ShortMessageName.WISH_REVIEWED,
        slots={"number": "number", "result": "result"},
    ),
    Moment(
        NoticeKind.WISHED_FOR_YOU,
        title="有人替您办了事",
        to="别人替他许愿的人",
        about=About.WISH,
        says="{helper}已替您{deed}。{remark}",
        template=TemplateName.ACTED_FOR_YOU,
        keywords={"thing1": "matter", "time2": "acted_at", "thing3": "helper"},
        constants={"remark": "如果不是您的意思，请告诉社区工作人员"},
        page=_WISH,
        worth=timedelta(days=7),
        urgent=True,
        short_message=ShortMessageName.ACTED_FOR_YOU,
        slots={"helper": "helper", "deed": "deed"},
    ),
)
