"""Numbers (规则参数): every number a community may set, what it means, its default, and the range that makes sense.

Each is one line of ``RULES``: the table is the documentation and the check at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import time
from itertools import pairwise
from typing import Any

from models.errors import Fault, Invalid

_AN_HOUR = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_SLOTS = re.compile(rf"({_AN_HOUR.pattern})-({_AN_HOUR.pattern}|24:00)(?: |$)")


Slots = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Rule:
    """One number a community may set: what it means, its default, and the range that makes sense."""

    name: str
    meaning: str
    default: float | str
    least: float = 0
    most: float = 0

    def read(self, text: str) -> float | str:
        """The value somebody wants to have in a row. Raises Invalid naming the rule, also for a fraction of what is counted in whole numbers."""
        try:
            if isinstance(self.default, str):
                if not self._is_fit(text):
                    raise ValueError(text)
                return text
            number = float(text)
        except ValueError:
            raise self._fault(text) from None
        if not self.least <= number <= self.most or (self.is_whole and number != int(number)):
            raise self._fault(text)
        return number

    def kept(self, text: str) -> float | str:
        """What a row says, which was read when it was written: a rule that has become stricter since shuts no place down."""
        return text if isinstance(self.default, str) else float(text)

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers make sense."""
        return self.name in _WHOLE

    @property
    def is_slots(self) -> bool:
        """Whether it says stretches of a day instead of one number or moment."""
        return isinstance(self.default, str) and "-" in self.default

    def _is_fit(self, text: str) -> bool:
        if not self.is_slots:
            return _AN_HOUR.fullmatch(text) is not None  # time.fromisoformat would read 21.30 as nine o'clock
        slots = read_slots(text)
        return _SLOTS.sub("", text) == "" and (
            all(opens < closes for opens, closes in slots)
            and all(one[1] <= after[0] for one, after in pairwise(slots))
        )

    def _fault(self, text: str) -> Invalid:
        if self.is_slots:
            wanted = "先后不重叠的时段，例如 09:00-11:00 14:00-16:00"
        elif isinstance(self.default, str):
            wanted = "一个时刻，例如 21:30"
        else:
            wanted = f"{self.least:g} 到 {self.most:g} 之间的{'整数' if self.is_whole else '数'}"
        return Invalid(
            [Fault(self.name, f"“{self.meaning}”不能是“{text}”，请填{wanted}")], code="policy_invalid"
        )


def read_slots(text: str) -> Slots:
    """Stretches of a day, each from one minute of it to another, as ``09:00-11:00 14:00-16:00`` writes them."""
    return tuple((_minute(found[1]), _minute(found[3])) for found in _SLOTS.finditer(text))


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


# domain.md §2.1, §2.2 and §6; every default is a recommendation there, marked [R]
RULES = {
    rule.name: rule
    for rule in (
        Rule("waitlist_share", "候补人数上限，按名额的倍数", 1.0, 0, 1000),
        Rule("free_cancel_hours", "开课前多少小时以内取消算临时取消", 24, 0, 720),
        Rule("children_a_guardian", "一位监护人在手机上最多添加几个孩子", 5, 1, 20),
        Rule("elders_a_helper", "一个人在手机上最多替几位家人代办", 5, 1, 20),
        Rule("home_kept_days", "换了居住社区，多少天以后才能再换", 30, 0, 365),
        Rule("runs_a_term", "每人每学期最多同时上几门课（0 不限）", 2, 0, 100),
        Rule("waits_at_once", "每人最多同时候补几门课（0 不限）", 3, 0, 100),
        Rule("promotes_by_offer", "候补递补要不要本人确认（1 要，0 直接转正）", 0, 0, 1),
        Rule("held_share", "留给柜台和电话的名额，按总名额的比例", 0.2, 0, 1),
        Rule("held_until_hours", "预留名额在开课前多少小时放开", 24, 0, 720),
        Rule("home_first_hours", "报名开始后先对本社区开放几小时", 24, 0, 720),
        Rule("street_first_hours", "再对本街道开放几小时", 24, 0, 720),
        Rule("courses_reviewed", "课程发布前是否要管理员审核（1 要，0 不要）", 0, 0, 1),
        Rule("min_to_open", "开班最少要几个人，不够的在开课前一天请工作人员决定", 8, 0, 1000),
        Rule("opens", "没有写明开放时间的场所几点开门", "08:30"),
        Rule("closes", "没有写明开放时间的场所几点关门", "21:00"),
        Rule("publishing_hour", "每天几点统一发布新课", "09:00"),
        Rule("quiet_from", "夜间免打扰开始", "21:30"),
        Rule("quiet_until", "夜间免打扰结束", "08:00"),
        Rule("messages_a_day", "每人每天最多收几条普通消息", 5, 1, 100),
        Rule("desk_morning", "工作日上午提醒工作人员待办事项的时刻", "08:30"),
        Rule("desk_afternoon", "工作日下午提醒工作人员待办事项的时刻", "17:00"),
        Rule("short_messages_a_day", "每个手机号每天最多收几条短信", 3, 1, 20),
        Rule("check_in_before_minutes", "上课前多少分钟开始签到", 30, 0, 240),
        Rule("check_in_after_minutes", "上课后多少分钟内可以自己签到", 15, 0, 240),
        Rule("absence_days", "缺课在多少天内累计", 90, 1, 730),
        Rule("absences_to_pause", "累计缺课几次暂停报名（临时取消算半次）", 3, 1, 100),
        Rule("pause_days", "暂停报名多少天（0 不暂停）", 30, 0, 365),
        Rule("absences_to_lose_seat", "同一个班缺课几次名额让给候补（0 不让）", 2, 0, 100),
        Rule("appeal_days", "缺课后多少天内可以申诉", 7, 1, 90),
        Rule("leave_before_hours", "上课前多少小时以前可以网上请假", 2, 0, 720),
        Rule("late_after_minutes", "上课后多少分钟才算迟到", 5, 0, 240),
        Rule("call_again_hours", "电话没打通，过几小时再打", 2, 0, 72),
        Rule("completion_percent", "到课达到有签到记录的课的百分之几算结业", 66.6, 0, 100),
        Rule("answers_kept_days", "报名问题的回答在结课后保留几天", 180, 0, 3650),
        Rule("export_lines", "名单和签到表一次导出最多多少人", 300, 1, 5000),
        Rule("reserve_days", "场地提前几天可以预约", 7, 0, 365),
        Rule("group_reserve_days", "团队提前几天可以预约场地", 14, 0, 365),
        Rule("reserve_opens", "可预约的新一天几点放出来", "08:00"),
        Rule(
            "reserve_slots",
            "场地的固定时段（空着就没有固定时段）",
            "09:00-11:00 14:00-16:00 16:00-18:00 19:00-21:00",
        ),
        Rule("reserve_least_minutes", "场地一次至少预约多少分钟", 30, 30, 1440),
        Rule("reserve_most_minutes", "个人一次最多预约多少分钟", 120, 30, 1440),
        Rule("group_most_minutes", "团队一次最多预约多少分钟", 240, 30, 1440),
        # none unless a room wants it: the fixed slots touch, and who has one would else have the next as well
        Rule("buffer_minutes", "预约结束后留多少分钟打扫", 0, 0, 240),
        Rule("reservations_a_day", "每人每天最多预约几次场地（0 不限）", 1, 0, 100),
        Rule("reservations_a_week", "每人每周最多预约几次场地（0 不限）", 2, 0, 100),
        Rule("reserved_minutes_a_week", "每人每周最多预约多少分钟场地（0 不限）", 240, 0, 10080),
        Rule("group_reservations_a_week", "每个团队每周最多预约几次场地（0 不限）", 2, 0, 100),
        Rule("group_minutes_a_week", "每个团队每周最多预约多少分钟场地（0 不限）", 480, 0, 10080),
        Rule("series_weeks", "团队固定预约最多连续几周（0 不能固定预约）", 4, 0, 4),
        Rule("series_at_once", "每个团队同时最多有几个固定预约", 1, 1, 20),
        Rule("others_may_reserve", "其他社区的居民能不能预约（1 能，0 不能）", 0, 0, 1),
        Rule("room_review_days", "场地预约几个工作日内审核", 1, 0.5, 30),
        Rule("unreviewed_until_hours", "开始前多少小时还没审核的预约自动放开", 12, 0, 168),
        Rule("cancel_room_hours", "开始前多少小时以内取消预约算临时取消", 2, 0, 168),
        Rule("room_check_in_before_minutes", "场地开始前多少分钟可以签到", 30, 0, 240),
        Rule("no_show_minutes", "开始后多少分钟没有签到就放开场地", 15, 5, 240),
        Rule("sign_out_minutes", "结束后多少分钟以内要签退", 30, 0, 240),
        Rule("room_offer_minutes", "候补到的场地保留多少分钟等人确认", 120, 5, 1440),
        Rule("credit_late", "临时取消预约扣多少信用分", 5, 0, 100),
        Rule("credit_no_show", "预约没来扣多少信用分", 15, 0, 100),
        Rule("credit_no_sign_out", "用完没有签退扣多少信用分", 2, 0, 100),
        Rule("credit_damage", "损坏场地或设施扣多少信用分", 30, 0, 100),
        Rule("credit_kept", "按约使用加多少信用分（最多加到 100）", 5, 0, 100),
        Rule("credit_needed", "信用分低于多少暂停预约", 60, 0, 100),
        Rule("credit_pause_days", "信用分过低暂停预约多少天（0 不暂停）", 30, 0, 365),
        Rule("credit_days", "信用分按最近多少天计算", 180, 1, 730),
        Rule("credit_appeal_days", "扣分后多少天内可以申诉", 7, 1, 90),
        Rule("made_good_days", "场地被征用、停用后几天内可以多约一次（0 不补）", 30, 0, 365),
        Rule("move_answer_hours", "改了场地或时间，等本人答复几小时", 24, 1, 168),
        Rule("move_answer_before_hours", "改约最晚在新的时间前几小时答复", 2, 0, 72),
        Rule("wish_review_days", "心愿几个工作日内审核", 2, 0.5, 30),
        Rule("wish_review_remind_days", "心愿几个工作日还没审核提醒社区", 1, 0.5, 30),
        Rule("wish_wall_days", "心愿公布几天没人认领进入下一轮", 15, 1, 180),
        Rule("wish_turns", "几轮没人认领上报街道", 2, 1, 10),
        Rule("wish_street_days", "上报街道后几个工作日内研究交办", 10, 0.5, 60),
        Rule("wish_urge_days", "许愿人几天可以催办一次", 3, 1, 30),
        Rule("wish_press_hour", "超期以后，工作日几点催办", "09:00"),
        Rule("wish_press_days", "超期催办几个工作日，再没有办好告诉街道", 5, 1, 30),
        Rule("wish_value_warns", "物质类心愿一件超过多少元提醒", 300, 1, 10000),
        Rule("wish_value_most", "物质类心愿一件最多多少元", 500, 1, 10000),
        Rule("wishes_at_once", "每户同时最多几个在办的心愿（0 不限）", 3, 0, 100),
        Rule("goods_wishes_at_once", "每户同时最多几个物质类心愿", 1, 1, 100),
        Rule("goods_wishes_a_year", "每户一年最多几个物质类心愿", 2, 1, 100),
        Rule("partner_renewal_days", "共建单位入驻一次有效多少天", 365, 30, 3650),
        Rule("partner_renewal_notice_days", "到期前多少天提醒续期", 30, 1, 365),
        Rule("wish_claim_days", "单位认领后，社区几个工作日内确认", 1, 0.5, 30),
        Rule("wish_accept_days", "派单后，单位几个工作日内接单", 2, 0.5, 30),
        Rule("wish_contact_days", "认领确认后几天内要联系许愿人，否则释放", 7, 1, 30),
        Rule("wish_fulfil_days", "认领时最多承诺几天内完成", 30, 1, 180),
        Rule("wish_extension_days", "可以延期一次，最多几天（0 不可延期）", 15, 0, 90),
        Rule("wish_remind_days", "送达或完成后几天没有回音提醒许愿人", 3, 1, 30),
        Rule("wish_confirm_days", "送达后几天没有确认再提醒许愿人", 7, 1, 60),
        Rule("wish_visit_days", "送达后几天没有确认由社区上门或电话核实", 14, 1, 90),
        Rule("wish_care_call_days", "差评后几个工作日内联系居民", 1, 0.5, 15),
        Rule("wish_care_mend_days", "差评后几天内整改", 15, 1, 90),
        Rule("override_notice_hours", "征用已约的场地至少提前多少小时告知", 24, 0, 720),
    )
}


@dataclass(frozen=True)
class Policies:
    """The numbers in force at one place, by the names of ``RULES``."""

    waitlist_share: float
    free_cancel_hours: float
    quiet_from: time
    quiet_until: time
    messages_a_day: int
    desk_morning: time
    desk_afternoon: time
    short_messages_a_day: int
    call_again_hours: float
    courses_reviewed: bool
    opens: time
    closes: time
    publishing_hour: time
    completion_percent: float
    runs_a_term: int
    waits_at_once: int
    promotes_by_offer: bool
    held_share: float
    held_until_hours: float
    home_first_hours: int
    street_first_hours: int
    min_to_open: int
    answers_kept_days: int
    home_kept_days: float
    children_a_guardian: int
    elders_a_helper: int
    export_lines: int
    check_in_before_minutes: float
    check_in_after_minutes: float
    absence_days: float
    absences_to_pause: float
    pause_days: float
    absences_to_lose_seat: float
    appeal_days: float
    leave_before_hours: float
    late_after_minutes: float
    reserve_days: int
    group_reserve_days: int
    reserve_opens: time
    reserve_slots: Slots
    reserve_least_minutes: int
    reserve_most_minutes: int
    group_most_minutes: int
    buffer_minutes: int
    reservations_a_day: int
    reservations_a_week: int
    reserved_minutes_a_week: int
    group_reservations_a_week: int
    group_minutes_a_week: int
    series_weeks: int
    series_at_once: int
    others_may_reserve: bool
    room_review_days: float
    unreviewed_until_hours: float
    cancel_room_hours: float
    room_check_in_before_minutes: int
    no_show_minutes: int
    sign_out_minutes: int
    room_offer_minutes: int
    credit_late: int
    credit_no_show: int
    credit_no_sign_out: int
    credit_damage: int
    credit_kept: int
    credit_needed: int
    credit_pause_days: int
    credit_days: int
    credit_appeal_days: int
    made_good_days: int
    move_answer_hours: float
    move_answer_before_hours: float
    wish_review_days: float
    wish_review_remind_days: float
    wish_wall_days: int
    wish_turns: int
    wish_street_days: float
    wish_urge_days: int
    wish_press_hour: time
    wish_press_days: int
    wish_value_warns: int
    wish_value_most: int
    wishes_at_once: int
    goods_wishes_at_once: int
    goods_wishes_a_year: int
    wish_claim_days: float
    wish_accept_days: float
    wish_contact_days: int
    wish_fulfil_days: int
    wish_extension_days: int
    wish_remind_days: int
    wish_confirm_days: int
    wish_visit_days: int
    wish_care_call_days: float
    wish_care_mend_days: int
    partner_renewal_days: int
    partner_renewal_notice_days: int
    override_notice_hours: float


_AS: Mapping[str, Callable[[Any], Any]] = {
    "float": float,
    "int": int,
    "bool": bool,
    "time": time.fromisoformat,
    "Slots": read_slots,
}


def read_numbers(numbers: Mapping[str, float | str]) -> Policies:
    """These numbers, and the default of every other."""
    return Policies(
        **{
            each.name: _AS[str(each.type)](numbers.get(each.name, RULES[each.name].default))
            for each in fields(Policies)
        }
    )


_WHOLE = {each.name for each in fields(Policies) if str(each.type) in ("int", "bool")}
DEFAULTS = read_numbers({})  # the numbers of the house
