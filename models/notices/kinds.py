"""The kinds (种类) of what is told: moments, the templates and short messages they are told with, and what they are about.

A template is named by us; its id at WeChat is a setting (``WECHAT_TEMPLATES``), because every account has its own.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    ATTENDANCE = "attendance"  # 出勤情况
    SEATS_OPENING = "seats_opening"  # 名额开放
    SEAT_OFFER = "seat_offer"  # 候补名额待确认
    ROOM_RESULT = "room_result"  # 场地预约结果
    ROOM_REMINDER = "room_reminder"  # 场地预约开始提醒
    ROOM_CHANGE = "room_change"  # 场地预约变更
    ROOM_CREDIT = "room_credit"  # 预约信用
    SERVICE_PROMISE = "service_promise"  # 场地换服务履约
    WISH_RESULT = "wish_result"  # 心愿审核结果
    WISH_CLAIMED = "wish_claimed"  # 心愿被认领
    WISH_PROGRESS = "wish_progress"  # 心愿进展
    WISH_DELIVERED = "wish_delivered"  # 心愿待确认
    CLAIM_TO_DO = "claim_to_do"  # 认领事项
    CLAIM_DUE = "claim_due"  # 即将到期
    CLAIM_ANSWERED = "claim_answered"  # 居民的答复
    MEETING = "meeting"  # 会议通知


TEMPLATE_TITLES: Mapping[TemplateName, str] = {
    TemplateName.REGISTRATION_RESULT: "报名结果通知",
    TemplateName.CLASS_REMINDER: "开课提醒",
    TemplateName.CLASS_CHANGE: "课程变更通知",
    TemplateName.STAFF_DESK: "待办事项提醒",
    TemplateName.ACCOUNT_NOTICE: "账号与隐私通知",
    TemplateName.REVIEW_RESULT: "内容审核结果通知",
    TemplateName.ACTED_FOR_YOU: "代办确认通知",
    TemplateName.ATTENDANCE: "出勤情况通知",
    TemplateName.SEATS_OPENING: "名额开放提醒",
    TemplateName.SEAT_OFFER: "候补转正通知",
    TemplateName.ROOM_RESULT: "场地预约结果通知",
    TemplateName.ROOM_REMINDER: "预约开始提醒",
    TemplateName.ROOM_CHANGE: "预约变更通知",
    TemplateName.ROOM_CREDIT: "预约信用通知",
    TemplateName.SERVICE_PROMISE: "协议履约提醒",
    TemplateName.WISH_RESULT: "心愿审核结果通知",
    TemplateName.WISH_CLAIMED: "心愿认领通知",
    TemplateName.WISH_PROGRESS: "心愿进度通知",
    TemplateName.WISH_DELIVERED: "心愿确认提醒",
    TemplateName.CLAIM_TO_DO: "任务派单提醒",
    TemplateName.CLAIM_DUE: "任务超期提醒",
    TemplateName.CLAIM_ANSWERED: "心愿评价通知",
    TemplateName.MEETING: "会议通知",
}


class ShortMessageName(StrEnum):
    """The short messages (短信) filed with the provider; their texts stand in ``miniprogram_api.sms.templates``."""

    CLASS_CHANGED = "class_changed"  # 课程变更
    CLASS_CANCELLED = "class_cancelled"  # 课程取消
    PROMOTED = "promoted"  # 候补转正
    OFFERED = "offered"  # 有名额，等本人确认
    SELECTED = "selected"  # 中签、审核通过
    ACTED_FOR_YOU = "acted_for_you"  # 代办告知
    PLEASE_CALL = "please_call"  # 请回电
    ROOM_CANCELLED = "room_cancelled"  # 场地预约取消
    ROOM_OFFERED = "room_offered"  # 场地候补到了，等本人确认
    ROOM_MOVED = "room_moved"  # 场地预约改了，请答复
    ROOM_WAIT_OVER = "room_wait_over"  # 场地候补没有约上
    WISH_REVIEWED = "wish_reviewed"  # 心愿审核结果
    WISH_CLAIMED = "wish_claimed"  # 心愿被认领
    WISH_DELIVERED = "wish_delivered"  # 心愿待确认
    WISH_CANNOT = "wish_cannot"  # 心愿没能实现


class NoticeKind(StrEnum):
    """The moments worth a message."""

    REGISTRATION_CONFIRMED = "registration_confirmed"  # M1 报名成功
    REGISTRATION_PROMOTED = "registration_promoted"  # M1 候补转正
    SELECTED = "selected"  # M1 中签、审核通过
    NOT_SELECTED = "not_selected"  # M1 未中签、未通过
    SEAT_OFFERED = "seat_offered"  # M2 有名额，请确认
    OFFER_ENDING = "offer_ending"  # M2 确认时间过半
    CLASS_TOMORROW = "class_tomorrow"  # M3 前一天的开课提醒
    CLASS_SOON = "class_soon"  # M3 两小时前的开课提醒
    CLASS_MOVED = "class_moved"  # M4 一次课改期、换教室
    CLASS_CALLED_OFF = "class_called_off"  # M4 停课一次
    RUN_MERGED = "run_merged"  # M4 并班
    RUN_CANCELLED = "run_cancelled"  # M4 整个班取消
    ABSENCE_NOTED = "absence_noted"  # M5 缺课记录
    REGISTERING_PAUSED = "registering_paused"  # M5 暂停报名
    PAUSE_LIFTED = "pause_lifted"  # M5 恢复报名
    APPEAL_DECIDED = "appeal_decided"  # M5 缺课申诉的结果
    CHILD_FETCHED = "child_fetched"  # 孩子已接走
    STAFF_DESK = "staff_desk"  # M23 待审核提醒
    POLICY_CHANGED = "policy_changed"  # M30 隐私政策更新
    CONTENT_REFUSED = "content_refused"  # 填写的内容没有通过审核
    ACTED_FOR_YOU = "acted_for_you"  # M29 代办告知
    NEW_CLASSES = "new_classes"  # M6 每日新课
    OPENING_SOON = "opening_soon"  # M6 马上开始报名
    ROOM_RESERVED = "room_reserved"  # M7 预约成功、审核通过
    ROOM_REFUSED = "room_refused"  # M7 未通过、没有来得及审核
    ROOM_OFFERED = "room_offered"  # M7 候补到了，请确认
    ROOM_WAIT_OVER = "room_wait_over"  # M7 候补没有轮到
    ROOM_SOON = "room_soon"  # M8 两小时前的提醒和签到码
    ROOM_CALLED_OFF = "room_called_off"  # M9 社区取消
    ROOM_MOVED = "room_moved"  # M9 社区改到别的场地、时间，请答复
    ROOM_CUT_SHORT = "room_cut_short"  # M9 正在用的要提前结束
    ROOM_RELEASED = "room_released"  # M10 没有来，已放开
    CREDIT_TAKEN = "credit_taken"  # M10 扣了信用分
    CREDIT_APPEAL_DECIDED = "credit_appeal_decided"  # M10 申诉的结果
    RESERVING_RESUMED = "reserving_resumed"  # M10 恢复预约
    RESERVED_FOR_YOU = "reserved_for_you"  # M29 代办告知
    GROUP_DECIDED = "group_decided"  # 团队审核结果
    SERVICE_CALLED_OFF = "service_called_off"  # M9 单位的一个时段停用
    SERVICE_MOVED = "service_moved"  # M9 单位的一个时段改到别处
    SERVICE_CUT_SHORT = "service_cut_short"  # M9 单位正在用的要提前结束
    SERVICE_BEHIND = "service_behind"  # M32 场地换服务履约不足
    SERVICE_DECLINED = "service_declined"  # 服务记录没有计入
    PARTNER_DECIDED = "partner_decided"  # 单位入驻、结对、暂停、续期的结果
    PARTNER_RENEWAL = "partner_renewal"  # 单位快到期，请续期
    WISH_REVIEWED = "wish_reviewed"  # M11 心愿审核结果、补充材料
    WISHED_FOR_YOU = "wished_for_you"  # M29 代办告知
    WISH_CLAIMED = "wish_claimed"  # M12 心愿被认领
    WISH_PROGRESS = "wish_progress"  # M13 心愿进展、延期
    WISH_DELIVERED = "wish_delivered"  # M14 心愿已送达，待确认
    CLAIM_ANSWERED = "claim_answered"  # M15 心愿已确认、评价结果
    CLAIM_TO_DO = "claim_to_do"  # M17 认领通过、派单
    CLAIM_ENDED = "claim_ended"  # 认领没有通过、被收回、已释放
    CLAIM_DUE_SOON = "claim_due_soon"  # M18 即将超期
    WISH_TURNED = "wish_turned"  # M16 没有人认领，进入下一轮、已上报街道
    WISH_TURNED_HERE = "wish_turned_here"  # M16 同一件事，告诉社区
    WISH_REVIEW_DUE = "wish_review_due"  # M18 心愿快到审核时限，告诉社区
    WISH_DECISION_OVERDUE = "wish_decision_overdue"  # M19 街道没有按时研究交办
    CLAIM_OVERDUE = "claim_overdue"  # M19 超期催办
    CLAIM_OVERDUE_HERE = "claim_overdue_here"  # M19 同一件事，告诉社区，再告诉街道
    CLAIM_UNHAPPY = "claim_unhappy"  # 许愿人给了差评，告诉社区
    CLAIM_CARE_OVERDUE = "claim_care_overdue"  # M19 差评没有按时回访、整改，告诉社区，再告诉街道
    WISH_URGED = "wish_urged"  # 许愿人催办，告诉社区、街道
    CLAIM_URGED = "claim_urged"  # 许愿人催办，告诉单位
    WISH_WITH_STREET = "wish_with_street"  # M16 已转街道、街道退回
    WISH_CANNOT = "wish_cannot"  # M16 没能实现，书面说明
    MEETING_AHEAD = "meeting_ahead"  # M24 联席会议通知


class About(StrEnum):
    """What a notice is about: the noun that is asked, before it is sent, whether it is still so (``models.truth``)."""

    REGISTRATION = "registration"  # 报名
    ATTENDANCE = "attendance"  # 出勤
    PAUSE = "pause"  # 暂停报名
    DESK = "desk"  # 工作人员的待办
    CONSENT = "consent"  # 同意
    CONTENT_CHECK = "content_check"  # 内容审核
    NEW_CLASS = "new_class"  # 新课
    RESERVATION = "reservation"  # 预约
    GROUP = "group"  # 居民团队
    AGREEMENT = "agreement"  # 场地换服务协议
    PARTNER = "partner"  # 共建单位
    WISH = "wish"  # 心愿
    CLAIM = "claim"  # 认领
    MEETING = "meeting"  # 联席会议
