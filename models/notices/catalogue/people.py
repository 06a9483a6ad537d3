"""Moments of people and of those who work here (M23, M30): the desk, consent, what was written and not let through, groups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from models.notices.kinds import About, NoticeKind, TemplateName
from models.notices.moment import Moment

PEOPLE: Sequence[Moment] = (
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
        NoticeKind.GROUP_DECIDED,
        title="团队审核结果",
        to="团队负责人",
        about=About.GROUP,
        says="您的团队“{group}”：{result}。{remark}。",
        template=TemplateName.REVIEW_RESULT,
        keywords={"thing1": "group", "phrase2": "result", "time3": "decided_at", "thing4": "remark"},
        page="pages/me/groups?key={subject}",
        worth=timedelta(days=7),
    ),
    Moment(
        NoticeKind.PARTNER_DECIDED,
        title="单位办理结果",
        to="申请人或单位的成员",
        about=About.PARTNER,
        says="“{unit}”：{result}。{remark}。",
        template=TemplateName.REVIEW_RESULT,
        keywords={"thing1": "unit", "phrase2": "result", "time3": "decided_at", "thing4": "remark"},
        page="pages/me/partners?key={subject}",
        worth=timedelta(days=7),
    ),
    Moment(
        NoticeKind.PARTNER_RENEWAL,
        title="单位入驻快到期",
        to="单位的成员和社区工作人员，到期前一个月，每年一次",
        about=About.PARTNER,
        says="“{unit}”的入驻到{last_day}为止。{remark}；到期以后不能认领新的心愿，已认领的照常办。",
        template=TemplateName.REVIEW_RESULT,
        keywords={"thing1": "unit", "phrase2": "result", "time3": "ends_at", "thing4": "remark"},
        constants={"result": "即将到期", "remark": "请单位申请续期，社区点一下就办好"},
        page="pages/me/partners?key={subject}",
        worth=timedelta(days=30),
        until="ends_at",
    ),
    Moment(
        NoticeKind.SERVICE_BEHIND,
        title="服务还没有跟上",
        to="单位的成员和社区工作人员，每月最多一次",
        about=About.AGREEMENT,
        says="“{agreement}”承诺的服务还差{hours}小时。{remark}。",
        template=TemplateName.SERVICE_PROMISE,
        keywords={"thing1": "agreement", "number2": "hours", "thing4": "remark"},
        constants={"remark": "请约定时间补上，并登记服务"},
        page="pages/agreements/show?key={subject}",
        worth=timedelta(days=7),
    ),
    Moment(
        NoticeKind.SERVICE_DECLINED,
        title="服务记录没有计入",
        to="单位的成员",
        about=About.AGREEMENT,
        says="“{agreement}”{given}的服务记录没有计入：{reason}。有出入请联系社区，或重新登记。",
        template=TemplateName.REVIEW_RESULT,
        keywords={"thing1": "agreement", "phrase2": "result", "time3": "decided_at", "thing4": "reason"},
        constants={"result": "没有计入"},
        page="pages/agreements/show?key={subject}",
        worth=timedelta(days=7),
    ),
    Moment(
        NoticeKind.SERVICE_CALLED_OFF,
        title="约定的场地停用一次",
        to="单位的成员，社区停用或征用场地时",
        about=About.AGREEMENT,
        says="很抱歉，{place}，{when}到{ends}的使用取消了。原因：{reason}。{remark}。",
        template=TemplateName.ROOM_CHANGE,
        keywords={"thing1": "room", "time2": "starts_at", "thing3": "reason", "thing4": "remark"},
        constants={"remark": "承诺的服务不变，想补时段请联系社区"},
        page="pages/agreements/show?key={subject}",
        worth=timedelta(days=60),
        until="starts_at",
        waits_for_morning=False,  # whoever plans a day by it must know (domain.md §6, M9)
        urgent=True,
    ),
    Moment(
        NoticeKind.SERVICE_MOVED,
        title="约定的场地改一次",
        to="单位的成员，社区停用或征用场地时",
        about=About.AGREEMENT,
        says="很抱歉，{place}，{when}到{ends}的使用改到{to}。原因：{reason}。不方便请联系社区。",
        template=TemplateName.ROOM_CHANGE,
        keywords={"thing1": "room", "time2": "starts_at", "thing3": "reason", "thing4": "remark"},
        page="pages/agreements/show?key={subject}",
        worth=timedelta(days=60),
        until="starts_at",
        waits_for_morning=False,  # whoever plans a day by it must know (domain.md §6, M9)
        urgent=True,
    ),
)
