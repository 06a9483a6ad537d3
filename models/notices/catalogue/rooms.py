"""Moments of rooms (M7–M10, M29): what becomes of a reservation, and of somebody's credit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from models.notices.kinds import About, NoticeKind, ShortMessageName, TemplateName
from models.notices.moment import Moment

_ROOM = "pages/reservations/reservation?key={subject}"
_ROOM_RESULT = {"thing1": "room", "time2": "starts_at", "phrase3": "result", "thing4": "reason"}
_ROOM_CHANGE = {"thing1": "room", "time2": "starts_at", "thing3": "reason", "thing4": "remark"}
_ROOM_CREDIT = {"phrase1": "result", "number2": "points", "thing3": "follows"}

ROOMS: Sequence[Moment] = (
    Moment(
        NoticeKind.ROOM_RESERVED,
        title="场地已约好",
        to="预约的人和替他预约的人；团队是负责人",
        about=About.RESERVATION,
        says="{place}，{when}到{ends}，已约好。{reason}。",
        template=TemplateName.ROOM_RESULT,
        keywords=_ROOM_RESULT,
        page=_ROOM,
        worth=timedelta(days=2),
        until="starts_at",
        waits_for_morning=False,
        urgent=True,  # the answer to one's own tap, or to a wait for it
    ),
    Moment(
        NoticeKind.ROOM_REFUSED,
        title="场地没有约上",
        to="预约的人和替他预约的人，没有通过或者没有来得及审核时",
        about=About.RESERVATION,
        says="{place}，{when}到{ends}，{result}：{reason}。可以换个时间或场地再约。",
        template=TemplateName.ROOM_RESULT,
        keywords=_ROOM_RESULT,
        page=_ROOM,
        worth=timedelta(days=7),
        until="starts_at",
        urgent=True,
    ),
    Moment(
        NoticeKind.ROOM_OFFERED,
        title="场地有空了，请确认",
        to="轮到的候补和替他预约的人",
        about=About.RESERVATION,
        says="{place}，{when}到{ends}有空了，请在{until}前确认。{remark}",
        template=TemplateName.SEAT_OFFER,
        keywords={"thing1": "room", "time2": "expires_at", "thing3": "remark"},
        constants={"remark": "逾期未确认将转给下一位"},
        page=_ROOM,
        worth=timedelta(days=1),
        until="expires_at",
        waits_for_morning=False,  # the offer counts waking hours, or the room is free this minute
        urgent=True,
        short_message=ShortMessageName.ROOM_OFFERED,
        slots={"room": "room", "until": "expires_at"},
    ),
    Moment(
        NoticeKind.ROOM_WAIT_OVER,
        title="候补没有轮到",
        to="候补没有轮到或者没有确认的人",
        about=About.RESERVATION,
        says="{place}，{when}到{ends}的候补已结束。{remark}。",
        template=TemplateName.ROOM_RESULT,
        keywords=_ROOM_RESULT | {"thing4": "remark"},
        constants={"result": "候补结束", "remark": "想用可以换个时间或场地再约"},
        page=_ROOM,
        worth=timedelta(days=1),
    ),
    Moment(
        NoticeKind.ROOM_SOON,
        title="预约的场地快到时间了",
        to="已约好的人和替他预约的人，开始前两小时",
        about=About.RESERVATION,
        says="{place}，{when}到{ends}。签到码 {code}，到场请签到，用完请签退。",
        template=TemplateName.ROOM_REMINDER,
        keywords={"thing1": "room", "time2": "starts_at", "character_string3": "code"},
        page=_ROOM,
        worth=timedelta(hours=2),
        until="starts_at",
        waits_for_morning=False,  # it begins in less than three hours (domain.md §6)
        urgent=True,
    ),
    Moment(
        NoticeKind.ROOM_CALLED_OFF,
        title="预约的场地被取消了",
        to="预约的人和替他预约的人，社区取消时",
        about=About.RESERVATION,
        says="很抱歉，{place}，{when}到{ends}的预约取消了。原因：{reason}。{remark}。",
        template=TemplateName.ROOM_CHANGE,
        keywords=_ROOM_CHANGE,
        constants={"remark": "不扣信用分，可以优先改约"},
        page=_ROOM,
        worth=timedelta(days=60),
        until="starts_at",
        waits_for_morning=False,  # whoever plans their day by it must know (domain.md §6, M9)
        urgent=True,
        short_message=ShortMessageName.ROOM_CANCELLED,
        slots={"room": "room", "starts": "starts_at"},
    ),
    Moment(
        NoticeKind.ROOM_RELEASED,
        title="没有签到，场地已放开",
        to="约了没有来的人，不扣信用分的社区",
        about=About.RESERVATION,
        says="{place}，{when}到{ends}，开始后没有签到，场地让给了邻居。来不了请提前取消。",
        template=TemplateName.ROOM_RESULT,
        keywords=_ROOM_RESULT | {"thing4": "remark"},
        constants={"result": "已放开", "remark": "来不了请提前取消，让给邻居"},
        page=_ROOM,
        worth=timedelta(days=2),
    ),
    Moment(
        NoticeKind.CREDIT_TAKEN,
        title="预约信用有变化",
        to="被扣了信用分的人，团队是负责人",
        about=About.RESERVATION,
        says="{place}，{when}到{ends}：{result}，扣 {taken} 分，现在 {points} 分。{follows}。",
        template=TemplateName.ROOM_CREDIT,
        keywords=_ROOM_CREDIT,
        page=_ROOM,
        worth=timedelta(days=7),
    ),
    Moment(
        NoticeKind.CREDIT_APPEAL_DECIDED,
        title="信用申诉有结果了",
        to="申诉的人，以及被免扣的人",
        about=About.RESERVATION,
        says="{place}，{when}到{ends}：{result}，现在 {points} 分。{follows}。",
        template=TemplateName.ROOM_CREDIT,
        keywords=_ROOM_CREDIT,
        page=_ROOM,
        worth=timedelta(days=7),
    ),
    Moment(
        NoticeKind.RESERVING_RESUMED,
        title="可以预约场地了",
        to="暂停预约到期的人",
        about=About.RESERVATION,
        says="暂停预约已到期，现在可以预约场地了。{follows}。",
        template=TemplateName.ROOM_CREDIT,
        keywords=_ROOM_CREDIT,
        page=_ROOM,
        worth=timedelta(days=7),
    ),
    Moment(
        NoticeKind.RESERVED_FOR_YOU,
        title="有人替您办了事",
        to="别人替他预约或取消场地的人",
        about=About.RESERVATION,
        says="{helper}已替您{done}：{place}，{when}到{ends}。{remark}",
        template=TemplateName.ACTED_FOR_YOU,
        keywords={"thing1": "matter", "time2": "acted_at", "thing3": "helper"},
        constants={"remark": "如果不是您的意思，请告诉社区工作人员"},
        page=_ROOM,
        worth=timedelta(days=7),
        urgent=True,
        short_message=ShortMessageName.ACTED_FOR_YOU,
        slots={"helper": "helper", "deed": "deed"},
    ),
)
