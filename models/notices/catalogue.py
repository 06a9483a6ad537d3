"""The catalogue of moments (domain.md §6): what is told to whom, with which template, in which words, how urgently.

One entry a moment, readable as a table: adding a moment is adding an entry here. A template is named by us; its id at WeChat is a
setting (``WECHAT_TEMPLATES``), because every account has its own. The keyword keys below must be the keys of that template
(``thing1`` …); the values are fitted to WeChat's limits in ``keywords``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class TemplateName(StrEnum):
    """The message templates this product asks people to accept."""

    REGISTRATION_RESULT = "registration_result"  # 报名结果通知
    CLASS_REMINDER = "class_reminder"  # 开课提醒
    CLASS_CHANGE = "class_change"  # 课程变更
    STAFF_DESK = "staff_desk"  # 待办事项，给工作人员
    ACCOUNT_NOTICE = "account_notice"  # 账号与隐私
    REVIEW_RESULT = "review_result"  # 内容审核结果
    ACTED_FOR_YOU = "acted_for_you"  # 代办确认


TEMPLATE_TITLES: Mapping[TemplateName, str] = {
    TemplateName.REGISTRATION_RESULT: "报名结果通知",
    TemplateName.CLASS_REMINDER: "开课提醒",
    TemplateName.CLASS_CHANGE: "课程变更通知",
    TemplateName.STAFF_DESK: "待办事项提醒",
    TemplateName.ACCOUNT_NOTICE: "账号与隐私通知",
    TemplateName.REVIEW_RESULT: "内容审核结果通知",
    TemplateName.ACTED_FOR_YOU: "代办确认通知",
}


class ShortMessageName(StrEnum):
    """The short messages (短信) filed with the provider; their texts stand in ``miniprogram_api.sms.templates``."""

    CLASS_CHANGED = "class_changed"  # 课程变更
    CLASS_CANCELLED = "class_cancelled"  # 课程取消
    PROMOTED = "promoted"  # 候补转正
    ACTED_FOR_YOU = "acted_for_you"  # 代办告知
    PLEASE_CALL = "please_call"  # 请回电


class NoticeKind(StrEnum):
    """The moments worth a message."""

    REGISTRATION_CONFIRMED = "registration_confirmed"  # M1 报名成功
    REGISTRATION_PROMOTED = "registration_promoted"  # M1 候补转正
    CLASS_TOMORROW = "class_tomorrow"  # M3 前一天的开课提醒
    CLASS_SOON = "class_soon"  # M3 两小时前的开课提醒
    CLASS_MOVED = "class_moved"  # M4 一次课改期、换教室
    CLASS_CALLED_OFF = "class_called_off"  # M4 停课一次
    RUN_CANCELLED = "run_cancelled"  # M4 整个班取消
    STAFF_DESK = "staff_desk"  # M23 待审核提醒
    POLICY_CHANGED = "policy_changed"  # M30 隐私政策更新
    CONTENT_REFUSED = "content_refused"  # 填写的内容没有通过审核
    ACTED_FOR_YOU = "acted_for_you"  # M29 代办告知


class About(StrEnum):
    """What a notice is about: the noun that is asked, before it is sent, whether it is still so (``models.truth``)."""

    REGISTRATION = "registration"  # 报名
    DESK = "desk"  # 工作人员的待办
    CONSENT = "consent"  # 同意
    CONTENT_CHECK = "content_check"  # 内容审核


@dataclass(frozen=True)
class Moment:
    """One moment: the inbox title and words, the template, and which fact fills which keyword.

    ``to`` says who hears of it. ``worth`` is how long its news is worth sending, ``until`` the fact that may end it sooner; past that
    it stays in the inbox and is not sent. ``constants`` are facts that are the same every time. ``waits_for_morning`` holds the
    message back in the quiet hours; answers to one's own tap do not wait. ``urgent`` ones do not count towards a day's most.

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
            NoticeKind.CLASS_TOMORROW,
            title="明天有课",
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
            to="有名额和候补的人，以及替他报名的人",
            about=About.REGISTRATION,
            says="很抱歉，{course}（{when}开课）已取消。原因：{reason}。",
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
    )
}

_OF_A_CLASS = (
    NoticeKind.CLASS_TOMORROW,
    NoticeKind.CLASS_SOON,
    NoticeKind.CLASS_MOVED,
    NoticeKind.CLASS_CALLED_OFF,
    NoticeKind.RUN_CANCELLED,
)
# what one hears of after which tap; WeChat shows the prompts of at most three templates safely (domain.md §6, wechat.md §4.4)
HEARD_AFTER: Mapping[str, tuple[NoticeKind, ...]] = {
    "registration": (NoticeKind.REGISTRATION_CONFIRMED, *_OF_A_CLASS),
    "waitlist": (NoticeKind.REGISTRATION_PROMOTED, *_OF_A_CLASS),
    "consent": (NoticeKind.POLICY_CHANGED,),
    "staff_desk": (NoticeKind.STAFF_DESK,),
    "profile": (NoticeKind.CONTENT_REFUSED,),
    "helpers": (NoticeKind.ACTED_FOR_YOU,),  # where one looks at who may act for oneself
}
PROMPTS: Mapping[str, tuple[TemplateName, ...]] = {
    tap: tuple(dict.fromkeys(MOMENTS[kind].template for kind in kinds)) for tap, kinds in HEARD_AFTER.items()
}
