"""Groups (居民团队): a chorus, a dance team, mutual help, led by a resident of the community (domain.md §3).

A resident applies and leads; staff approve, or say why not. Who belongs to it is nobody's business here: its leader says how many they
are. A name is taken by one live group of a community. An approved group may use what is lent to groups, and its leader answers for it;
the leadership is handed over with a code, or staff name another leader. A group whose leader left the town stays, and waits on the desk.
"""

from __future__ import annotations

from models.groups.deciding import (
    approve,
    disband_by_staff,
    enter_group,
    lift_suspension,
    name_leader,
    reject,
    suspend,
)
from models.groups.leading import (
    CODE_DIGITS,
    INVITATION_HOURS,
    MOST_WAITING,
    apply_for_group,
    correct_group,
    disband,
    leader_to_be,
    offer_leadership,
    take_over,
)
from models.groups.leaving import (
    clear_about,
    clear_name,
    hold_groups_of,
    leave_groups,
    refuse_about,
    refuse_name,
)
from models.groups.rows import (
    LIVE,
    LONGEST_ABOUT,
    LONGEST_NAME,
    MOST_MEMBERS,
    Group,
    GroupKind,
    GroupState,
    GroupWords,
    count_applied,
    count_without_leader,
    group_led_by,
    group_of,
    group_within,
    groups_led_by,
    groups_within,
    live_groups_led_by,
    still_true,
)

__all__ = [
    "CODE_DIGITS",
    "INVITATION_HOURS",
    "LIVE",
    "LONGEST_ABOUT",
    "LONGEST_NAME",
    "MOST_MEMBERS",
    "MOST_WAITING",
    "Group",
    "GroupKind",
    "GroupState",
    "GroupWords",
    "apply_for_group",
    "approve",
    "clear_about",
    "clear_name",
    "correct_group",
    "count_applied",
    "count_without_leader",
    "disband",
    "disband_by_staff",
    "enter_group",
    "group_led_by",
    "group_of",
    "group_within",
    "groups_led_by",
    "groups_within",
    "hold_groups_of",
    "leader_to_be",
    "leave_groups",
    "lift_suspension",
    "live_groups_led_by",
    "name_leader",
    "offer_leadership",
    "refuse_about",
    "refuse_name",
    "reject",
    "still_true",
    "suspend",
    "take_over",
]
