"""The public template library (公共模板库, wechat.md §4.6) as far as a community needs it.

The titles, ids and keywords are the sandbox's own; at WeChat every category has its list, to be read there. A template made
from keywords 1 and 4 has the keys ``thing1`` and ``phrase4``: the keyword's rule and its number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from server.wechat_sandbox.templates import LONG_TERM, ONE_TIME

CATEGORIES = {616: "政务民生-街道居委", 612: "工具-预约/报名"}

EXAMPLES = {
    "thing": "八段锦入门",
    "time": "2026年12月3日 19:00",
    "date": "2026年12月3日",
    "phrase": "报名成功",
    "number": "20",
    "letter": "ABC",
    "symbol": "※",
    "character_string": "A-102",
    "amount": "￥12.5",
    "phone_number": "021-12345678",
    "car_number": "沪A12345",
    "name": "王阿姨",
}


@dataclass(frozen=True)
class PublicKeyword:
    """A keyword one may choose. ``rule`` is its type."""

    kid: int
    name: str
    rule: str

    @property
    def line(self) -> str:
        """Its line in a template's content."""
        return f"{self.name}:{{{{{self.rule}{self.kid}.DATA}}}}\n"


@dataclass(frozen=True)
class PublicTemplate:
    """A title of the library. A ``banned`` one cannot be chosen (200013)."""

    tid: str
    title: str
    category: int
    keywords: tuple[PublicKeyword, ...]
    kind: int = ONE_TIME
    banned: bool = False

    def chosen(self, kids: Iterable[int]) -> tuple[PublicKeyword, ...] | None:
        """The keywords of these numbers in this order, or ``None`` if one is unknown."""
        known = {keyword.kid: keyword for keyword in self.keywords}
        kids = list(kids)
        return tuple(known[kid] for kid in kids) if all(kid in known for kid in kids) else None


# tid, title, category, keywords as 名称=rule in the order of their numbers
_ROWS: tuple[tuple[str, str, int, str], ...] = (
    (
        "1001",
        "报名结果通知",
        612,
        "课程名称=thing 开课时间=time 上课地点=thing 报名结果=phrase 备注=thing 报名人=name",
    ),
    ("1002", "候补转正通知", 612, "课程=thing 确认截止=time 提示=thing 候补状态=phrase 候补顺序=number"),
    ("1003", "开课提醒", 612, "课程名称=thing 开课时间=time 上课地点=thing 携带物=thing 温馨提示=thing"),
    ("1004", "课程变更通知", 612, "课程名称=thing 变更类型=phrase 上课时间=time 说明=thing 上课地点=thing"),
    ("1005", "出勤情况通知", 612, "课程名称=thing 出勤情况=phrase 上课时间=time 申诉方式=thing 备注=thing"),
    ("1006", "名额开放提醒", 612, "课程名称=thing 开放时间=time 剩余名额=number 备注=thing"),
    (
        "1007",
        "场地预约结果通知",
        612,
        "场地名称=thing 使用时间=time 审核结果=phrase 说明=thing 预约编号=character_string",
    ),
    (
        "1008",
        "预约开始提醒",
        612,
        "场地名称=thing 开始时间=time 签到码=character_string 地点=thing 温馨提示=thing",
    ),
    (
        "1009",
        "预约变更通知",
        612,
        "场地名称=thing 使用时间=time 变更原因=thing 补偿办法=thing 变更类型=phrase",
    ),
    ("1010", "预约信用通知", 612, "变动类型=phrase 当前信用=number 说明=thing 场地名称=thing"),
    ("2001", "心愿审核结果通知", 616, "心愿编号=character_string 审核结果=phrase 说明=thing 审核时间=time"),
    ("2002", "心愿认领通知", 616, "心愿编号=character_string 认领方=thing 预计完成=time 联系社区=thing"),
    ("2003", "心愿进度通知", 616, "心愿编号=character_string 当前进度=phrase 更新时间=time 说明=thing"),
    ("2004", "心愿确认提醒", 616, "心愿编号=character_string 送达时间=time 确认方式=thing 温馨提示=thing"),
    ("2005", "心愿评价通知", 616, "心愿编号=character_string 评价结果=phrase 评价时间=time 感谢语=thing"),
    (
        "2006",
        "任务派单提醒",
        616,
        "任务编号=character_string 事项=thing 办理时限=time 联系社区=thing 派单人=name",
    ),
    (
        "2007",
        "任务超期提醒",
        616,
        "任务编号=character_string 截止时间=time 剩余小时=number 超期天数=number 要求=thing",
    ),
    ("2008", "诉求受理通知", 616, "诉求编号=character_string 承办单位=thing 办理时限=time 受理状态=phrase"),
    ("2009", "诉求办结通知", 616, "诉求编号=character_string 办理结果=phrase 办结时间=time 说明=thing"),
    ("2010", "待办事项提醒", 616, "待办数量=number 事项类别=thing 提醒时间=time 备注=thing"),
    ("2011", "会议通知", 616, "会议名称=thing 会议时间=time 会议地点=thing 待认领数=number 备注=thing"),
    ("2012", "志愿活动通知", 616, "活动名称=thing 活动时间=time 活动地点=thing 状态=phrase 备注=thing"),
    ("2013", "积分变动提醒", 616, "变动数量=number 变动原因=thing 变动时间=time 当前余额=number"),
    ("2014", "议事公示通知", 616, "议题=thing 时间=time 地点=thing 状态=phrase"),
    ("2015", "物品归还提醒", 616, "物品名称=thing 归还时间=time 状态=phrase 备注=thing"),
    ("2016", "代办确认通知", 616, "代办事项=thing 办理时间=time 代办人=thing 备注=thing"),
    ("2017", "账号与隐私通知", 616, "事项=thing 时间=time 状态=phrase 说明=thing"),
    ("2018", "走访提醒", 616, "户数=number 走访时间=time 备注=thing"),
    ("2019", "协议履约提醒", 616, "协议名称=thing 剩余小时=number 截止时间=time 备注=thing"),
    (
        "2020",
        "内容审核结果通知",
        616,
        "审核内容=thing 审核结果=phrase 审核时间=time 说明=thing 提交时间=time",
    ),
)


def _keywords(text: str) -> tuple[PublicKeyword, ...]:
    pairs = (pair.split("=") for pair in text.split())
    return tuple(PublicKeyword(kid, name, rule) for kid, (name, rule) in enumerate(pairs, start=1))


LIBRARY: dict[str, PublicTemplate] = {
    tid: PublicTemplate(tid, title, category, _keywords(keywords)) for tid, title, category, keywords in _ROWS
} | {
    "2101": PublicTemplate(
        "2101", "办事进度通知", 616, _keywords("事项=thing 进度=phrase 时间=time 说明=thing"), LONG_TERM
    ),
    "2199": PublicTemplate(
        "2199", "红包领取通知", 616, _keywords("金额=amount 时间=time 说明=thing"), banned=True
    ),
}
