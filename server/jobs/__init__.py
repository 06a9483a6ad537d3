"""The town's own work (定时工作): what happens without anybody tapping. One table says what, how often, and why.

Each job is a function ``run(now)`` that does a bounded amount of work in transactions of its own and is harmless when run twice or
stopped half-way; tests drive the clock by calling it. The worker process runs the table with APScheduler.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.jobs import (
    attendance,
    clocks,
    content,
    delivery,
    ladder,
    publishing,
    pushes,
    rooms,
    seats,
    telling,
    tidying,
    wishes,
)


@dataclass(frozen=True)
class Job:
    """One line of the schedule."""

    name: str
    every: timedelta
    run: Callable[[datetime], int]
    why: str
    batch: int | None = None  # how many a full run settles; a full run is followed by another at once


SCHEDULE = (
    Job(
        "deliver_notices",
        timedelta(seconds=1),
        delivery.deliver_due,
        "报名成功后几秒内微信收到消息",
        delivery.MOST_A_RUN,
    ),
    Job(
        "remind_of_classes",
        timedelta(minutes=1),
        delivery.remind,
        "前一天 18:00 与课前两小时提醒，各一次",
    ),
    Job(
        "note_absences",
        timedelta(minutes=5),
        attendance.note_absences,
        "课后一小时记下没来也没请假的人，告诉本人；没有登记过签到的课不算任何人缺课",
        attendance.EVENINGS_AT_ONCE,
    ),
    Job(
        "lift_pauses",
        timedelta(minutes=5),
        attendance.lift_pauses,
        "暂停报名到期，告诉本人可以报名了",
    ),
    Job(
        "forget_check_ins",
        timedelta(hours=24),
        tidying.forget_check_ins,
        "离线签到的编号留 90 天，申诉的文字处理后留 180 天，接送人结课后留 30 天",
    ),
    Job(
        "hang_up_rounds",
        timedelta(minutes=1),
        wishes.hang_up_rounds,
        "到了公布的日子和社区统一发布的时间，把这个主题的心愿一起挂上心愿墙",
        wishes.MOST_AT_ONCE,
    ),
    Job(
        "turn_wishes",
        timedelta(minutes=5),
        wishes.turn_wishes,
        "到期没人认领的心愿进入下一轮、排到前面；最后一轮还没人认领的上报街道",
        wishes.MOST_AT_ONCE,
    ),
    Job(
        "remind_of_wishes",
        timedelta(minutes=5),
        wishes.remind_of_wishes,
        "审核时限过半提醒社区；街道到期没有交办的，工作日 9:00 催办，最多五次",
        wishes.MOST_AT_ONCE,
    ),
    Job(
        "release_idle_claims",
        timedelta(minutes=5),
        wishes.release_idle_claims,
        "到期没有接单、七天没有联系许愿人的认领自动释放，心愿重新挂上墙、排在前面",
        wishes.MOST_AT_ONCE,
    ),
    Job(
        "remind_of_claims",
        timedelta(minutes=5),
        wishes.remind_of_claims,
        "到期前 24 小时和 4 小时提醒单位，超期的工作日 9:00 催办；送达后没有确认、确认后没有评价的，提醒许愿人",
        wishes.MOST_AT_ONCE,
    ),
    Job(
        "press_for_care_of_the_unhappy",
        timedelta(minutes=5),
        wishes.press_for_care_of_the_unhappy,
        "差评到期没有回访或整改的，工作日 9:00 催办社区，满次数以后告诉街道",
        wishes.MOST_AT_ONCE,
    ),
    Job(
        "rewind_clocks",
        timedelta(hours=24),
        clocks.rewind_clocks,
        "每年的放假安排随软件更新，心愿、认领和场地预约审核的期限每天按现在的日历和规则重新算一遍",
    ),
    Job(
        "forget_wishes",
        timedelta(hours=1),
        wishes.forget_wishes,
        "没有办成的心愿，原话、地址和困难说明留 90 天",
        wishes.MOST_AT_ONCE,
    ),
    Job(
        "tell_staff",
        timedelta(minutes=1),
        telling.tell_staff,
        "工作日 08:30 和 17:00 提醒工作人员还有哪些待办",
    ),
    Job(
        "tell_of_promises",
        timedelta(hours=1),
        telling.tell_of_promises,
        "场地换服务履约不足，提醒单位和社区，每月最多一次",
    ),
    Job(
        "tell_of_renewals",
        timedelta(hours=1),
        telling.tell_of_renewals,
        "单位入驻到期前一个月，提醒单位和社区续期，每年一次",
    ),
    Job(
        "tell_of_meetings",
        timedelta(minutes=10),
        telling.tell_of_meetings,
        "街道联席会议前七天和前一天，通知结对单位还有几件待认领；改期重新通知，取消不再通知",
    ),
    Job(
        "tell_of_policy",
        timedelta(hours=1),
        telling.tell_of_policy,
        "隐私政策更新后，告诉同意旧版本的人，每个版本一次",
        telling.MOST_AT_ONCE,
    ),
    Job(
        "tell_of_new_classes",
        timedelta(minutes=1),
        publishing.tell_of_new_classes,
        "到社区统一发布的时间，把新课告诉居民和关注的人，每人每天最多一条",
        publishing.MOST_AT_ONCE,
    ),
    Job(
        "tell_of_openings",
        timedelta(minutes=1),
        publishing.tell_of_openings,
        "开放报名前一小时提醒关注这门课程的人，一次",
        publishing.MOST_AT_ONCE,
    ),
    Job(
        "settle_lost_notices",
        timedelta(minutes=1),
        delivery.settle_lost,
        "发送途中断掉的消息标为结果不明，不重发",
    ),
    Job(
        "pass_on_notices",
        timedelta(minutes=1),
        ladder.pass_on,
        "必须送到、微信没送到的消息，等十一分钟后改发短信",
        ladder.PASSED_ON_AT_ONCE,
    ),
    Job(
        "send_short_messages",
        timedelta(seconds=5),
        ladder.send_short_messages,
        "短信在免打扰时间以外发送，等到早上就晚了的当晚发送；发不到的转为电话任务",
        ladder.MOST_AT_ONCE,
    ),
    Job(
        "settle_lost_short_messages",
        timedelta(minutes=1),
        ladder.settle_lost,
        "发送途中断掉的短信标为结果不明，不重发，转为电话任务",
    ),
    Job(
        "cancel_stale_calls",
        timedelta(minutes=1),
        ladder.cancel_stale_calls,
        "内容过时或本人已读的电话任务自动取消",
    ),
    Job(
        "settle_pushes",
        timedelta(seconds=1),
        pushes.settle_pushes,
        "微信推送先应答、后办理：订阅、送达结果、撤回授权",
        pushes.MOST_AT_ONCE,
    ),
    Job(
        "owe_what_was_allowed",
        timedelta(seconds=2),
        pushes.owe_what_was_allowed,
        "先办事、后点允许的，十分钟内补发消息",
    ),
    Job(
        "forget_old_pushes",
        timedelta(hours=24),
        pushes.forget_pushes,
        "微信推送记录留 30 天，订阅回执留 2 天",
    ),
    Job(
        "hold_overdue_pictures",
        timedelta(minutes=1),
        content.hold_overdue_pictures,
        "图片三十分钟没有检查结果的，转人工审核",
        content.MOST_AT_ONCE,
    ),
    Job(
        "forget_old_checks",
        timedelta(hours=24),
        content.forget_checks,
        "内容审核记录留一年，原文审核完就不留",
    ),
    Job(
        "complete_runs",
        timedelta(minutes=10),
        tidying.complete_runs,
        "结课半天后，到课够数的学员自动结业，发结业证书",
        tidying.COMPLETED_AT_ONCE,
    ),
    Job(
        "end_offers",
        timedelta(seconds=30),
        seats.end_offers,
        "到时没有确认的名额转给下一位",
    ),
    Job(
        "remind_of_offers",
        timedelta(minutes=1),
        seats.remind_of_offers,
        "确认时间过半还没有确认的，提醒一次",
    ),
    Job(
        "draw_lots",
        timedelta(minutes=1),
        seats.draw_lots,
        "到抽签时间的班次抽签，并通知每个人结果",
    ),
    Job(
        "release_seats",
        timedelta(minutes=1),
        seats.release_seats,
        "预留给柜台和电话的名额到时放开，先给候补",
    ),
    Job(
        "settle_unreviewed",
        timedelta(minutes=5),
        seats.settle_unreviewed,
        "开课前没有审核完的申请，告诉本人",
    ),
    Job(
        "expire_unreviewed",
        timedelta(minutes=1),
        rooms.expire_unreviewed,
        "开始前十二小时还没审核的场地预约自动放开，并说明原因",
        rooms.MOST_AT_ONCE,
    ),
    Job(
        "release_no_shows",
        timedelta(seconds=30),
        rooms.release_no_shows,
        "开始十五分钟没有签到的场地放开，先给候补",
        rooms.MOST_AT_ONCE,
    ),
    Job(
        "finish_unsigned",
        timedelta(minutes=1),
        rooms.finish_unsigned,
        "用完半小时没有签退的预约自动结束",
        rooms.MOST_AT_ONCE,
    ),
    Job(
        "end_room_offers",
        timedelta(seconds=30),
        rooms.end_room_offers,
        "到时没有确认的场地转给下一位，轮不到的候补说一声",
    ),
    Job(
        "settle_room_questions",
        timedelta(minutes=1),
        rooms.settle_room_questions,
        "改了场地或时间、到时没有答复的：同一时间换场地的保留，换了时间的放开",
        rooms.MOST_AT_ONCE,
    ),
    Job(
        "count_outside_hours",
        timedelta(hours=24),
        rooms.count_outside_hours,
        "开放时间或调休变了，今后两周不在开放时间的课和预约每天数一次，列入工作人员待办",
    ),
    Job(
        "offer_rooms",
        timedelta(seconds=30),
        rooms.offer_rooms,
        "课改期、停用取消让出来的场地，先给候补",
    ),
    Job(
        "remind_of_rooms",
        timedelta(minutes=1),
        rooms.remind_of_rooms,
        "开始前两小时提醒并给签到码；暂停预约到期，告诉本人",
    ),
    Job(
        "forget_credit_appeals",
        timedelta(hours=24),
        rooms.forget_credit_appeals,
        "信用申诉的文字处理后留 180 天",
    ),
    Job(
        "archive_runs",
        timedelta(hours=1),
        tidying.archive_runs,
        "结课一个月的班次归档，列表里不再出现",
        tidying.ARCHIVED_AT_ONCE,
    ),
    Job("forget_old_answers", timedelta(hours=1), tidying.forget_answers, "幂等答复只留 24 小时"),
    Job(
        "forget_run_answers",
        timedelta(hours=24),
        tidying.forget_run_answers,
        "报名问题的回答结课后只留社区规定的天数",
    ),
    Job(
        "forget_departed",
        timedelta(hours=24),
        tidying.forget_departed,
        "注销满三年的同意记录、离岗满一年的工作人员姓名到期删除",
    ),
    Job("forget_ended_logins", timedelta(hours=24), tidying.forget_logins, "过期或退出的登录不再保留"),
    Job(
        "forget_code_pictures",
        timedelta(hours=24),
        tidying.forget_code_pictures,
        "课程结束满三十天或已收回的小程序码，图片从本机删除",
    ),
    Job(
        "forget_photo_files",
        timedelta(hours=24),
        tidying.forget_photo_files,
        "上传中断留下的、没有用上的照片文件，满一天删除",
    ),
)
