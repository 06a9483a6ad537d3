"""Shapes of groups: what their leader says of them, what becomes of it, and what staff see and decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import (
    Cursor,
    Day,
    Key,
    Limit,
    Matching,
    Shape,
    TownTime,
    Whole,
    Words,
    masked_phone,
)
from miniprogram_api.schemas.regions import RegionBrief
from models.groups import CODE_DIGITS, LONGEST_ABOUT, LONGEST_NAME, MOST_MEMBERS, GroupKind, GroupState

LONGEST_REASON = 100
KIND_LABELS: Mapping[GroupKind, str] = {
    GroupKind.CHORUS: "合唱团",
    GroupKind.DANCE: "舞蹈队",
    GroupKind.MUTUAL_AID: "互助队",
    GroupKind.SPORT: "运动队",
    GroupKind.CRAFT: "手工",
    GroupKind.STUDY: "读书学习",
    GroupKind.OTHER: "其他",
}
GROUP_STATE_LABELS: Mapping[GroupState, str] = {
    GroupState.APPLIED: "待审核",
    GroupState.APPROVED: "已通过",
    GroupState.REJECTED: "未通过",
    GroupState.SUSPENDED: "已暂停",
    GroupState.DISBANDED: "已解散",
}


class GroupIn(Shape):
    """What a leader says of a group. Members are a number; who they are is not asked."""

    name = Words(LONGEST_NAME, required=True)
    kind = fields.Enum(GroupKind, by_value=True, required=True)
    members = Whole(
        required=True, validate=validate.Range(1, MOST_MEMBERS, error=f"请填写 1 到 {MOST_MEMBERS} 人")
    )
    about = Words(LONGEST_ABOUT, allow_none=True, load_default=None)


class EnterGroupIn(GroupIn):
    """A group that is written down at the counter, and who leads it."""

    leader = Key(required=True)


class HandoverCode(Matching):
    """The code a leader hands to the next one."""

    def __init__(self, **more: Any) -> None:
        super().__init__(f"[0-9]{{{CODE_DIGITS}}}", error=f"移交码是 {CODE_DIGITS} 位数字", **more)


class HandoverOut(Shape):
    """A code for whoever leads the group from now on, good once."""

    code = fields.String(required=True)
    until = TownTime(required=True)


class TakeOverIn(Shape):
    """The code one was told."""

    code = HandoverCode(required=True)


class GroupReasonIn(Shape):
    """Why, in words the leader reads."""

    because = Words(LONGEST_REASON, required=True)


class SuspensionIn(GroupReasonIn):
    """Why, and until which day, which is the last of it."""

    until = Day(required=True)


class NewLeaderIn(Shape):
    """Who leads the group from now on."""

    leader = Key(required=True)


class GroupOut(Shape):
    """A group as its leader sees it."""

    key = Key(required=True)
    name = fields.String(required=True)
    kind = fields.Enum(GroupKind, by_value=True, required=True)
    kind_label = fields.Function(
        lambda group: KIND_LABELS[group.kind], metadata={"type": "string"}, required=True
    )
    members = fields.Integer(attribute="members_count", required=True)
    about = fields.String(required=True)
    community = fields.Nested(RegionBrief, attribute="region", required=True)
    state = fields.Enum(GroupState, by_value=True, attribute="state_today", required=True)
    state_label = fields.Function(
        lambda group: GROUP_STATE_LABELS[group.state_today], metadata={"type": "string"}, required=True
    )
    reason = fields.String(required=True, allow_none=True)
    suspended_until = Day(required=True, allow_none=True)
    words_in_review = fields.Function(
        lambda group: not (group.name_is_sure and group.about_is_sure),
        metadata={"type": "boolean", "description": "名称或介绍还在内容审核，只有本人看得到"},
        required=True,
    )
    applied_at = TownTime(required=True)
    decided_at = TownTime(required=True, allow_none=True)


class GroupsOut(Shape):
    """Every group somebody leads or asked for, oldest first."""

    items = fields.List(fields.Nested(GroupOut), required=True)


class LeaderOut(Shape):
    """Who leads a group, as staff see them; the number is masked, the counter finds the person by ``key``."""

    key = Key(required=True)
    name = fields.String(required=True, allow_none=True)
    masked_phone = fields.Function(
        lambda leader: masked_phone(leader.phone), metadata={"type": ["string", "null"]}, required=True
    )


class StaffGroupOut(GroupOut):
    """A group as those who decide about it see it; one whose leader left the town has none."""

    leader = fields.Nested(LeaderOut, required=True, allow_none=True)
    leaderless_at = TownTime(required=True, allow_none=True)


class GroupEndedOut(Shape):
    """A group that may use nothing any more, and how many rooms it had reserved that were let go."""

    group = fields.Nested(StaffGroupOut, required=True)
    rooms_let_go = fields.Integer(required=True)


class StaffGroupsQuery(Shape):
    """Which groups to list."""

    state = fields.Enum(GroupState, by_value=True, load_default=GroupState.APPLIED)
    cursor = Cursor()
    limit = Limit()


class StaffGroupsOut(Shape):
    """One page of groups, oldest first."""

    items = fields.List(fields.Nested(StaffGroupOut), required=True)
    next = fields.String(required=True, allow_none=True)


class CopiedGroupOut(Shape):
    """A group one leads, led to its end, or asked for."""

    name = fields.String(required=True)
    kind = fields.Enum(GroupKind, by_value=True, required=True)
    members = fields.Integer(attribute="members_count", required=True)
    about = fields.String(required=True)
    community = fields.String(attribute="region.name", required=True)
    state = fields.Enum(GroupState, by_value=True, attribute="state_today", required=True)
    reason = fields.String(required=True, allow_none=True)
    applied_at = TownTime(required=True)
    decided_at = TownTime(required=True, allow_none=True)


class GroupLeftOut(Shape):
    """A group that loses its leader, or is not asked for any more."""

    key = Key(required=True)
    name = fields.String(required=True)
    becomes_label = fields.Function(
        lambda group: (
            "撤回申请"
            if group.state is GroupState.APPLIED
            else "团队保留，由社区另找负责人；要交给谁，请先移交"
        ),
        metadata={"type": "string"},
        required=True,
    )
