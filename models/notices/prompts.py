"""Prompts (订阅提示): which templates are asked for after which tap, by what one hears of afterwards."""

from __future__ import annotations

from collections.abc import Mapping

from models.notices.catalogue import MOMENTS, NoticeKind, TemplateName

_OF_A_CLASS = (
    NoticeKind.CLASS_TOMORROW,
    NoticeKind.CLASS_SOON,
    NoticeKind.CLASS_MOVED,
    NoticeKind.CLASS_CALLED_OFF,
    NoticeKind.RUN_MERGED,
    NoticeKind.RUN_CANCELLED,
)
# what one hears of after which tap; WeChat shows the prompts of at most three templates safely (domain.md §6, wechat.md §4.4)
HEARD_AFTER: Mapping[str, tuple[NoticeKind, ...]] = {
    "registration": (NoticeKind.REGISTRATION_CONFIRMED, *_OF_A_CLASS),
    "waitlist": (NoticeKind.REGISTRATION_PROMOTED, *_OF_A_CLASS),
    "application": (NoticeKind.SELECTED, NoticeKind.NOT_SELECTED, *_OF_A_CLASS),
    "offers": (NoticeKind.SEAT_OFFERED, NoticeKind.OFFER_ENDING, *_OF_A_CLASS),
    "pick_up": (NoticeKind.CHILD_FETCHED,),
    "attendance": (
        NoticeKind.ABSENCE_NOTED,
        NoticeKind.REGISTERING_PAUSED,
        NoticeKind.PAUSE_LIFTED,
        NoticeKind.APPEAL_DECIDED,
    ),
    "consent": (NoticeKind.POLICY_CHANGED,),
    "staff_desk": (NoticeKind.STAFF_DESK,),
    "profile": (NoticeKind.CONTENT_REFUSED,),
    "follow": (NoticeKind.NEW_CLASSES, NoticeKind.OPENING_SOON),
    "reservation": (
        NoticeKind.ROOM_RESERVED,
        NoticeKind.ROOM_SOON,
        NoticeKind.ROOM_CALLED_OFF,
        NoticeKind.ROOM_MOVED,
        NoticeKind.ROOM_CUT_SHORT,
    ),
    "room_waiting": (NoticeKind.ROOM_OFFERED, NoticeKind.ROOM_WAIT_OVER, NoticeKind.ROOM_CALLED_OFF),
    "credit": (
        NoticeKind.CREDIT_TAKEN,
        NoticeKind.CREDIT_APPEAL_DECIDED,
        NoticeKind.RESERVING_RESUMED,
        NoticeKind.ROOM_RELEASED,
        NoticeKind.ROOM_REFUSED,
    ),
    "helpers": (
        NoticeKind.ACTED_FOR_YOU,
        NoticeKind.RESERVED_FOR_YOU,
        NoticeKind.WISHED_FOR_YOU,
    ),  # where one looks at who may act for oneself
    "group": (NoticeKind.GROUP_DECIDED, NoticeKind.CONTENT_REFUSED),
    "agreement": (
        NoticeKind.SERVICE_BEHIND,
        NoticeKind.SERVICE_DECLINED,
        NoticeKind.SERVICE_CALLED_OFF,
        NoticeKind.SERVICE_MOVED,
        NoticeKind.SERVICE_CUT_SHORT,
    ),
    "wish": (NoticeKind.WISH_REVIEWED, NoticeKind.WISH_CLAIMED, NoticeKind.WISH_DELIVERED),
    "my_wish": (
        NoticeKind.WISH_PROGRESS,
        NoticeKind.WISH_TURNED,
        NoticeKind.WISH_WITH_STREET,
        NoticeKind.WISH_CANNOT,
    ),
    "claim": (
        NoticeKind.CLAIM_TO_DO,
        NoticeKind.CLAIM_DUE_SOON,
        NoticeKind.CLAIM_OVERDUE,
        NoticeKind.CLAIM_ANSWERED,
    ),
    "wish_desk": (
        NoticeKind.WISH_TURNED_HERE,
        NoticeKind.WISH_URGED,
        NoticeKind.WISH_REVIEW_DUE,
        NoticeKind.WISH_DECISION_OVERDUE,
        NoticeKind.CLAIM_OVERDUE_HERE,
        NoticeKind.CLAIM_UNHAPPY,
        NoticeKind.CLAIM_CARE_OVERDUE,
    ),
    "my_claim": (NoticeKind.CLAIM_ENDED, NoticeKind.CLAIM_URGED, NoticeKind.MEETING_AHEAD),
    "partner": (NoticeKind.PARTNER_DECIDED, NoticeKind.PARTNER_RENEWAL),
}
PROMPTS: Mapping[str, tuple[TemplateName, ...]] = {
    tap: tuple(dict.fromkeys(MOMENTS[kind].template for kind in kinds)) for tap, kinds in HEARD_AFTER.items()
}
