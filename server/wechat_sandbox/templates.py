"""The message templates of the sandbox account (订阅消息模板, wechat.md §4.6).

The ids are fixed, so settings and a kept state mean the same after every start.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from server.wechat_sandbox.keywords import is_known

ONE_TIME = 2
LONG_TERM = 3

_line = re.compile(r"(?P<label>[^:：{}]+)[:：]\{\{(?P<key>(?P<kind>[a-z_]+)[0-9]{1,3})\.DATA\}\}")


@dataclass(frozen=True)
class Keyword:
    """One line of a template: the label a person reads, the key a sender fills, the type its value must have."""

    label: str
    key: str
    kind: str


@dataclass(frozen=True)
class Template:
    """A template of the account. ``content`` holds one ``标签:{{key.DATA}}`` a line; malformed lines are a ValueError.

    ``kind`` is WeChat's ``type``: 2 one-time (一次性订阅), 3 long-term (长期订阅). ``choices`` lists the values an
    enum keyword may take. A ``banned`` template answers 43107.
    """

    id: str
    title: str
    content: str
    kind: int = ONE_TIME
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    banned: bool = False

    def __post_init__(self) -> None:
        if self.kind not in (ONE_TIME, LONG_TERM):
            raise ValueError("kind is 2 (one-time) or 3 (long-term)")
        keys = [keyword.key for keyword in self.keywords]
        if not keys or len(set(keys)) != len(keys):
            raise ValueError("content needs at least one keyword, and each keyword once")

    @cached_property
    def keywords(self) -> tuple[Keyword, ...]:
        """The lines of ``content``, in order."""
        return tuple(_keyword(line) for line in self.content.splitlines() if line.strip())


def _keyword(line: str) -> Keyword:
    found = _line.fullmatch(line.strip())
    if found is None or not is_known(found["kind"]):
        raise ValueError(f"not a keyword line of a known type: {line!r}")
    return Keyword(label=found["label"], key=found["key"], kind=found["kind"])


registration_result = Template(
    id="kPz3Wn0vQe8LrYt6BmXc1JdHs5UaGf7NiOo2TqVx9wE",
    title="报名结果通知",
    content=(
        "课程名称:{{thing1.DATA}}\n开课时间:{{time2.DATA}}\n上课地点:{{thing3.DATA}}\n"
        "报名结果:{{phrase4.DATA}}\n备注:{{thing5.DATA}}\n"
    ),
)
seat_offer = Template(
    id="7RuGx2hDbM9sVw4KfTj0ZyQnEa6PcLi8Xo1mBk5Ht3U",
    title="候补转正通知",
    content="课程:{{thing1.DATA}}\n确认截止:{{time2.DATA}}\n提示:{{thing3.DATA}}\n",
)
class_reminder = Template(
    id="Hq5cYv8NzA1tJw3Ro7SgLk0PbDx4UmFe9iTn2VhC6sM",
    title="开课提醒",
    content="课程名称:{{thing1.DATA}}\n开课时间:{{time2.DATA}}\n上课地点:{{thing3.DATA}}\n携带物:{{thing4.DATA}}\n",
)
class_change = Template(
    id="e3XoBs6KjR0yWf9GdLc2TzNv8QmUp5HaYi7tEk1Jw4A",
    title="课程变更通知",
    content="课程名称:{{thing1.DATA}}\n变更类型:{{phrase2.DATA}}\n上课时间:{{time3.DATA}}\n说明:{{thing4.DATA}}\n",
)
acted_for_you = Template(
    id="Zc8RtY1mVh6XqB3nGw0KsJd9PfLu4EaTo7iNx2Uv5Mk",
    title="代办确认通知",
    content="代办事项:{{thing1.DATA}}\n办理时间:{{time2.DATA}}\n代办人:{{thing3.DATA}}\n",
)
attendance = Template(
    id="Ln4VxQ9sTc2KpYb7JmWd0RgHz5EuFa8Oi3Nt6Xw1Ck_",
    title="出勤情况通知",
    content="课程名称:{{thing1.DATA}}\n出勤情况:{{phrase2.DATA}}\n上课时间:{{time3.DATA}}\n申诉方式:{{thing4.DATA}}\n",
)

staff_desk = Template(
    id="Qm2ZtVb8Lx5NcKw1RyFd7GhPs3UaJe9Ti0Ou6Cv4XnE",
    title="待办事项提醒",
    content="待办数量:{{number1.DATA}}\n事项类别:{{thing2.DATA}}\n提醒时间:{{time3.DATA}}\n备注:{{thing4.DATA}}\n",
)
account_notice = Template(
    id="Bw6JsYp3Dn9HqTe4MzLc0VfRx8KgUi1Oa5Nt7Wh2SbQ",
    title="账号与隐私通知",
    content="事项:{{thing1.DATA}}\n时间:{{time2.DATA}}\n状态:{{phrase3.DATA}}\n说明:{{thing4.DATA}}\n",
)
review_result = Template(
    id="Yd4RkW7uPz0nQc2VbLs9FxJm6TgEh3Oa8Ki1Xt5Ce_B",
    title="内容审核结果通知",
    content="审核内容:{{thing1.DATA}}\n审核结果:{{phrase2.DATA}}\n审核时间:{{time3.DATA}}\n说明:{{thing4.DATA}}\n",
)
seats_opening = Template(
    id="Tn5LpXw2Cy8GkRb0VzMd7QfHs4UaJe1Oi9Ku6Bt3ExY",
    title="名额开放提醒",
    content="课程名称:{{thing1.DATA}}\n开放时间:{{time2.DATA}}\n备注:{{thing4.DATA}}\n",
)
room_result = Template(
    id="Vk3NqTz6Lc9XhRb1WmJd5PsFg0UaYe7Oi4Ku8Bt2CxM",
    title="场地预约结果通知",
    content="场地名称:{{thing1.DATA}}\n使用时间:{{time2.DATA}}\n审核结果:{{phrase3.DATA}}\n说明:{{thing4.DATA}}\n",
)
room_reminder = Template(
    id="Hs8PwLx1Ty4GnKc7VbZd0QfRm3UaJe6Oi9Nu5Bt2EkW",
    title="预约开始提醒",
    content="场地名称:{{thing1.DATA}}\n开始时间:{{time2.DATA}}\n签到码:{{character_string3.DATA}}\n",
)
room_change = Template(
    id="Jd2MtVy5Nx8CkQw3RbFz6GhPs9UaLe1Ti4Ou7Kv0XnE",
    title="预约变更通知",
    content="场地名称:{{thing1.DATA}}\n使用时间:{{time2.DATA}}\n变更原因:{{thing3.DATA}}\n补偿办法:{{thing4.DATA}}\n",
)
room_credit = Template(
    id="Rf7BsYw4Dn1HqTe8MzLc2VpGx5KgUi9Oa0Nt3Jh6SbQ",
    title="预约信用通知",
    content="变动类型:{{phrase1.DATA}}\n当前信用:{{number2.DATA}}\n说明:{{thing3.DATA}}\n",
)
service_promise = Template(
    id="Jq8VtLm3Xr6ZbKf0YnWc4PsHd9GuEa2Oi7Ke1Bx5TwM",
    title="协议履约提醒",
    content="协议名称:{{thing1.DATA}}\n剩余小时:{{number2.DATA}}\n备注:{{thing4.DATA}}\n",
)
wish_result = Template(
    id="Wn3KcTz7Pq5XvRd9YhLb2JsGm8EuFa4Ui1Oe6Bt0MxQ",
    title="心愿审核结果通知",
    content="心愿编号:{{character_string1.DATA}}\n审核结果:{{phrase2.DATA}}\n说明:{{thing3.DATA}}\n",
)

wish_claimed = Template(
    id="Cw4HdTy8Rm6XpSf1ZkJb3VqGn9LuEa7Oi2Mt5Bx0WcK",
    title="心愿认领通知",
    content="心愿编号:{{character_string1.DATA}}\n认领方:{{thing2.DATA}}\n预计完成:{{time3.DATA}}\n",
)
wish_progress = Template(
    id="Pg9WkVu3Ln7YtQd2XsHf6CzBj1MrEa5Oi8Nb4Gx0TvD",
    title="心愿进度通知",
    content="心愿编号:{{character_string1.DATA}}\n当前进度:{{phrase2.DATA}}\n更新时间:{{time3.DATA}}\n",
)
wish_delivered = Template(
    id="Dv6JqRx2Tz9KmWc4YpLb8HsGn3FuEa1Oi7Ue5Bt0XkM",
    title="心愿确认提醒",
    content="心愿编号:{{character_string1.DATA}}\n送达时间:{{time2.DATA}}\n确认方式:{{thing3.DATA}}\n",
)
claim_to_do = Template(
    id="Tk1NfXs5Wq8ZbPd7YhVc2JmGr6LuEa4Oi9Ke3Bx0TzQ",
    title="任务派单提醒",
    content="任务编号:{{character_string1.DATA}}\n事项:{{thing2.DATA}}\n办理时限:{{time3.DATA}}\n联系社区:{{thing4.DATA}}\n",
)
claim_due = Template(
    id="Ue8GtZm4Vx1RkQd6YsHb9WcJn2LfEa5Oi7Pu3Bx0TvK",
    title="任务超期提醒",
    content="任务编号:{{character_string1.DATA}}\n截止时间:{{time2.DATA}}\n剩余小时:{{number3.DATA}}\n"
    "超期天数:{{number4.DATA}}\n要求:{{thing5.DATA}}\n",
)
claim_answered = Template(
    id="Ra5KpYw9Tn3XvSd1ZhMc6VqGm8JuFb2Ei4Oe7Bt0LxH",
    title="心愿评价通知",
    content="心愿编号:{{character_string1.DATA}}\n评价结果:{{phrase2.DATA}}\n",
)
meeting = Template(
    id="Mk6TnRx2Vw8QzLd4YhPc9BsGf1JuEa7Oi3Xe5Kt0WmN",
    title="会议通知",
    content="会议名称:{{thing1.DATA}}\n会议时间:{{time2.DATA}}\n会议地点:{{thing3.DATA}}\n"
    "待认领数:{{number4.DATA}}\n备注:{{thing5.DATA}}\n",
)

DEFAULT_TEMPLATES = (
    registration_result,
    seat_offer,
    class_reminder,
    class_change,
    acted_for_you,
    attendance,
    staff_desk,
    account_notice,
    review_result,
    seats_opening,
    room_result,
    room_reminder,
    room_change,
    room_credit,
    service_promise,
    wish_result,
    wish_claimed,
    wish_progress,
    wish_delivered,
    claim_to_do,
    claim_due,
    claim_answered,
    meeting,
)
