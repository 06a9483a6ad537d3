"""The catalogue of moments (domain.md §6): what is told to whom, with which template, in which words, how urgently.

One entry a moment, readable as a table: adding a moment is adding an entry here. A template is named by us; its id at WeChat is a
setting (``WECHAT_TEMPLATES``), because every account has its own. The keyword keys below must be the keys of that template
(``thing1`` …); the values are fitted to WeChat's limits in ``keywords``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from models.notices.kinds import TEMPLATE_TITLES, About, NoticeKind, ShortMessageName, TemplateName

__all__ = [
    "MOMENTS",
    "TEMPLATE_TITLES",
    "About",
    "Moment",
    "NoticeKind",
    "ShortMessageName",
    "TemplateName",
]


@dataclass(frozen=True)
class Moment:
    """One moment: the inbox title and words, the template, and which fact fills which keyword.

    ``to`` says who hears of it. ``worth`` is how long its news is worth sending, ``until`` the fact that may end it sooner; past that
    it stays in the inbox and is not sent. ``constants`` are facts that are the same every time. ``waits_for_morning`` holds the
    message back in the quiet hours; answers to one's own tap do not wait. ``urgent`` ones do not count towards a day's most.

    Where it is told of an activity (活动) in other words than of a class, they stand in ``title_of_activity`` and ``says_of_activity``.

    A moment with a ``short_message`` must arrive: where WeChat cannot tell it, ``models.ladder`` does; ``slots`` says which fact fills
    which slot of that message's text.
    """

    kind: NoticeKind
    title: str
    to: str
    about: About
    says: str
    template: TemplateName
    keywords: Mapping[str, str]
    page: str
    worth: timedelta
    until: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)
    waits_for_morning: bool = True
    urgent: bool = False
    short_message: ShortMessageName | None = None
    slots: Mapping[str, str] = field(default_factory=dict)
    title_of_activity: str = ""
    says_of_activity: str = ""

    @property
    def must_arrive(self) -> bool:
        """Whether it is told in another way where WeChat cannot."""
        return self.short_message is not None

    def keyword_of(self, fact: str) -> str | None:
        """The template's keyword that this fact fills, if there is one."""
        return next((keyword for keyword, filled in self.keywords.items() if filled == fact), None)


_RUN = "pages/courses/run?key={subject}"
_REGISTRATION = {
    "thing1": "course",
    "time2": "starts_at",
    "thing3": "place",
    "phrase4": "result",
    "thing5": "remark",
}
_REMINDER = {"thing1": "course", "time2": "starts_at", "thing3": "place", "thing4": "remark"}

_ATTENDANCE = {"thing1": "course", "phrase2": "result", "time3": "starts_at", "thing4": "appeal"}

_CHANGE = {"thing1": "course", "phrase2": "change", "time3": "starts_at", "thing4": "reason"}

MOMENTS: Mapping[NoticeKind, Moment] = {
    moment.kind: moment
    for moment in (
        Moment(
            NoticeKind.REGISTRATION_CONFIRMED,
            title="报名成功",
            to="报名的人；监护人替孩子报名时，也告诉有账号的孩子",
            about=About.REGISTRATION,
            says="{course}，{when}，{place}。{remark}",
            template=TemplateName.REGISTRATION_RESULT,
            keywords=_REGISTRATION,
            constants={"result": "报名成功", "remark": "请提前10分钟到场签到"},
            page=_RUN,
            worth=timedelta(days=2),
            waits_for_morning=False,
            urgent=True,  # the answer to one's own tap
        ),
        Moment(
            NoticeKind.REGISTRATION_PROMOTED,
            title="候补已转正",
            to="转正的人和替他报名的人",
            about=About.REGISTRATION,
            says="{course}，{when}，{place}。{remark}",
            template=TemplateName.REGISTRATION_RESULT,
            keywords=_REGISTRATION,
            constants={"result": "已转正", "remark": "不能来请提前取消，让给邻居"},
            page=_RUN,
            worth=timedelta(days=7),
            short_message=ShortMessageName.PROMOTED,
            slots={"course": "course", "starts": "starts_at"},
        ),
        Moment(
            NoticeKind.SELECTED,
            title="报名有结果了",
            to="中签或审核通过的人和替他报名的人",
            about=About.REGISTRATION,
            says="{course}，{when}，{place}。{outcome}，{remark}。",
            template=TemplateName.REGISTRATION_RESULT,
            keywords=_REGISTRATION | {"phrase4": "outcome"},
            constants={"remark": "不能来请提前取消，让给邻居"},
            page=_RUN,
            worth=timedelta(days=7),
            until="starts_at",
            short_message=ShortMessageName.SELECTED,
            slots={"course": "course", "starts": "starts_at"},
        ),
        Moment(
            NoticeKind.NOT_SELECTED,
            title="报名有结果了",
            to="没有中签或审核没有通过的人和替他报名的人",
            about=About.REGISTRATION,
            says="{course}，{when}开课。{outcome}。{remark}",
            template=TemplateName.REGISTRATION_RESULT,
            keywords=_REGISTRATION | {"phrase4": "outcome"},
            page=_RUN,
            worth=timedelta(days=7),
            until="starts_at",
        ),
        Moment(
            NoticeKind.SEAT_OFFERED,
            title="有名额了，请确认",
            to="轮到的候补和替他报名的人",
            about=About.REGISTRATION,
            says="{course}有名额了，请在{until}前确认。{remark}",
            template=TemplateName.SEAT_OFFER,
            keywords={"thing1": "course", "time2": "expires_at", "thing3": "remark"},
            constants={"remark": "逾期未确认将转给下一位"},
            page=_RUN,
            worth=timedelta(days=2),
            until="expires_at",
            short_message=ShortMessageName.OFFERED,
            slots={"course": "course", "until": "expires_at"},
        ),
        Moment(
            NoticeKind.OFFER_ENDING,
            title="名额还等您确认",
            to="还没有确认的人，时间过半时",
            about=About.REGISTRATION,
            says="{course}的名额还没有确认，请在{until}前确认。{remark}",
            template=TemplateName.SEAT_OFFER,
            keywords={"thing1": "course", "time2": "expires_at", "thing3": "remark"},
            constants={"remark": "逾期未确认将转给下一位"},
            page=_RUN,
            worth=timedelta(days=1),
            until="expires_at",
            urgent=True,
        ),
        Moment(
            NoticeKind.CLASS_TOMORROW,
            title="明天有课",
            title_of_activity="明天有活动",
            to="已报名的人和替他报名的人，前一天 18:00",
            about=About.REGISTRATION,
            says="{course}，{when}，{place}。{remark}",
            template=TemplateName.CLASS_REMINDER,
            keywords=_REMINDER,
            page=_RUN,
            worth=timedelta(days=1),
            until="starts_at",
        ),
        Moment(
            NoticeKind.CLASS_SOON,
            title="马上要上课了",
            title_of_activity="活动马上开始",
            to="已报名的人和替他报名的人，课前两小时",
            about=About.REGISTRATION,
            says="{course}，{when}，{place}。{remark}",
            template=TemplateName.CLASS_REMINDER,
            keywords=_REMINDER,
            page=_RUN,
            worth=timedelta(hours=2),
            until="starts_at",
            waits_for_morning=False,  # it starts in less than three hours (domain.md §6)
            urgent=True,
        ),
        Moment(
            NoticeKind.CLASS_MOVED,
            title="上课时间地点有变动",
            title_of_activity="活动时间地点有变动",
            to="有名额和候补的人，以及替他报名的人",
            about=About.REGISTRATION,
            says="{course}改为{when}，{place}。原因：{reason}。",
            template=TemplateName.CLASS_CHANGE,
            keywords=_CHANGE,
            page=_RUN,
            worth=timedelta(days=60),
            until="starts_at",
            waits_for_morning=False,  # whoever plans their day by it must know (domain.md §6, M4)
            urgent=True,
            short_message=ShortMessageName.CLASS_CHANGED,
            slots={"course": "course", "starts": "starts_at"},
        ),
        Moment(
            NoticeKind.CLASS_CALLED_OFF,
            title="停课通知",
            to="有名额和候补的人，以及替他报名的人",
            about=About.REGISTRATION,
            says="{course}，{when}的课停一次。原因：{reason}。",
            template=TemplateName.CLASS_CHANGE,
            keywords=_CHANGE,
            page=_RUN,
            worth=timedelta(days=60),
            until="starts_at",
            waits_for_morning=False,
            urgent=True,
            short_message=ShortMessageName.CLASS_CANCELLED,
            slots={"course": "course", "starts": "starts_at"},
        ),
        Moment(
            NoticeKind.RUN_CANCELLED,
            title="课程已取消",
            title_of_activity="活动已取消",
            to="有名额和候补的人，以及替他报名的人",
            about=About.REGISTRATION,
            says="很抱歉，{course}（{when}开课）已取消。原因：{reason}。",
            says_of_activity="很抱歉，{course}（{when}）已取消。原因：{reason}。",
            template=TemplateName.CLASS_CHANGE,
            keywords=_CHANGE,
            page=_RUN,
            worth=timedelta(days=60),
            until="starts_at",
            waits_for_morning=False,
            urgent=True,
            short_message=ShortMessageName.CLASS_CANCELLED,
            slots={"course": "course", "starts": "starts_at"},
        ),
        Moment(
            NoticeKind.RUN_MERGED,
            title="课程已并班",
            title_of_activity="活动已合并",
            to="跟着并到另一个班的人，以及替他报名的人",
            about=About.REGISTRATION,
            says="{course}并到另一个班：{when}，{place}。{kept}。原因：{reason}。",
            says_of_activity="{course}并到另一场：{when}，{place}。{kept}。原因：{reason}。",
            template=TemplateName.CLASS_CHANGE,
            keywords=_CHANGE,
            page=_RUN,
            worth=timedelta(days=60),
            until="starts_at",
            waits_for_morning=False,
            urgent=True,
            short_message=ShortMessageName.CLASS_CHANGED,
            slots={"course": "course", "starts": "starts_at"},
        ),
        Moment(
            NoticeKind.ACTED_FOR_YOU,
            title="有人替您办了事",
            to="别人替他报名或取消的成年人本人",
            about=About.REGISTRATION,
            says="{helper}已替您{done}：{course}，{when}，{place}。{remark}",
            template=TemplateName.ACTED_FOR_YOU,
            keywords={"thing1": "matter", "time2": "acted_at", "thing3": "helper"},
            constants={"remark": "如果不是您的意思，请告诉社区工作人员"},
            page=_RUN,
            worth=timedelta(days=7),
            urgent=True,  # a person's own affairs, however many they are
            short_message=ShortMessageName.ACTED_FOR_YOU,
            slots={"helper": "helper", "deed": "deed"},
        ),
        Moment(
            NoticeKind.ABSENCE_NOTED,
            title="缺课记录",
            to="没来也没请假的人和替他报名的人，课后一小时",
            about=About.ATTENDANCE,
            says="{course}，{when}的课没有您的签到记录。{follows}。有误请在七天内申诉。",
            template=TemplateName.ATTENDANCE,
            keywords=_ATTENDANCE,
            page="pages/me/attendance?key={subject}",
            worth=timedelta(days=7),
        ),
        Moment(
            NoticeKind.REGISTERING_PAUSED,
            title="暂停报名",
            to="多次缺课没有请假的本人",
            about=About.PAUSE,
            says="因为多次缺课没有请假，{says_when}前暂停报名新课，已报的课照常上。{appeal}，也可以联系社区。",
            template=TemplateName.ATTENDANCE,
            keywords={**_ATTENDANCE, "time3": "when_at"},
            page="pages/me/attendance?pause={subject}",
            worth=timedelta(days=7),
        ),
        Moment(
            NoticeKind.PAUSE_LIFTED,
            title="恢复报名",
            to="暂停报名到期或被解除的本人",
            about=About.PAUSE,
            says="暂停报名已解除，{appeal}。",
            template=TemplateName.ATTENDANCE,
            keywords={**_ATTENDANCE, "time3": "when_at"},
            page="pages/me/attendance?pause={subject}",
            worth=timedelta(days=7),
        ),
        Moment(
            NoticeKind.APPEAL_DECIDED,
            title="缺课申诉有结果了",
            to="申诉的人、缺课的本人和替他报名的人",
            about=About.ATTENDANCE,
            says="{course}，{when}的缺课申诉：{outcome}。{remark}。",
            template=TemplateName.ATTENDANCE,
            keywords={**_ATTENDANCE, "phrase2": "outcome", "thing4": "remark"},
            page="pages/me/attendance?key={subject}",
            worth=timedelta(days=7),
        ),
        Moment(
            NoticeKind.CHILD_FETCHED,
            title="孩子已接走",
            to="孩子的监护人",
            about=About.REGISTRATION,
            says="{course}下课，{says_at} 由{fetcher}接走。如果不是您安排的，请马上联系社区。",
            template=TemplateName.ACTED_FOR_YOU,
            keywords={"thing1": "matter", "time2": "fetched_at", "thing3": "fetcher"},
            page=_RUN,
            worth=timedelta(hours=12),
            waits_for_morning=False,  # whoever waits at home must know at once
            urgent=True,
        ),
        Moment(
            NoticeKind.STAFF_DESK,
            title="待办事项",
            to="有待办的工作人员，每个身份各一条，工作日 08:30 和 17:00",
            about=About.DESK,
            says="{number}件待办：{kinds}。{remark}",
            template=TemplateName.STAFF_DESK,
            keywords={"number1": "number", "thing2": "kinds", "time3": "as_of", "thing4": "remark"},
            constants={"remark": "请点开办理"},
            page="pages/staff/desk?identity=staff:{subject}",
            worth=timedelta(hours=4),
            waits_for_morning=False,  # its hours are the community's own
        ),
        # A copy of one's data and the closing of an account are given at once, on the screen of whoever asks: M30 has nothing to
        # tell of them afterwards, and who closed an account can be told nothing any more.
        Moment(
            NoticeKind.POLICY_CHANGED,
            title="隐私政策更新",
            to="同意的还是旧版本的人，每个版本一次",
            about=About.CONSENT,
            says="隐私政策有了新版本（{version}）。{remark}；已经报名的课程不受影响。",
            template=TemplateName.ACCOUNT_NOTICE,
            keywords={"thing1": "matter", "time2": "told_at", "phrase3": "result", "thing4": "remark"},
            constants={
                "matter": "隐私政策更新",
                "result": "请您查看",
                "remark": "同意新版本后才能报名新的课程",
            },
            page="pages/privacy/policy?version={subject}",
            worth=timedelta(days=30),
        ),
        Moment(
            NoticeKind.CONTENT_REFUSED,
            title="内容没有通过审核",
            to="填写的人",
            about=About.CONTENT_CHECK,
            says="您填写的{what}没有通过审核，请点开查看原因，重新填写。有疑问可以联系社区。",
            template=TemplateName.REVIEW_RESULT,
            keywords={"thing1": "what", "phrase2": "result", "time3": "decided_at", "thing4": "remark"},
            constants={"result": "未通过", "remark": "请点开查看原因，重新填写"},
            page="{subject}",
            worth=timedelta(days=7),
        ),
        Moment(
            NoticeKind.NEW_CLASSES,
            title="今天的新课",
            to="社区的居民（没有静音的）和关注的人，每天最多一条，在社区统一发布的时间",
            about=About.NEW_CLASS,
            says="新开{what}：{names}。{opening}，{remark}。",
            template=TemplateName.SEATS_OPENING,
            keywords={"thing1": "matter", "time2": "opens_at", "thing4": "remark"},
            constants={"remark": "点开查看，一键报名"},
            page="pages/courses/day?{subject}",
            worth=timedelta(hours=12),
        ),
        Moment(
            NoticeKind.OPENING_SOON,
            title="马上开始报名",
            to="关注这门课程的人，开放报名前一小时",
            about=About.NEW_CLASS,
            says="您关注的{course}一小时内开始报名，{remark}。",
            template=TemplateName.SEATS_OPENING,
            keywords={"thing1": "course", "time2": "opens_at", "thing4": "remark"},
            constants={"remark": "到时间点开就能报名"},
            page=_RUN,
            worth=timedelta(hours=1),
            until="opens_at",
        ),
    )
}
