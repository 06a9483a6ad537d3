"""The moments of wishes, as a story: staff wish for somebody, say no to one, and yes to another."""

from __future__ import annotations

from collections.abc import Sequence

from models.notices import NoticeKind
from models.wishes import approve_wish, reject_wish
from tests.promises.moments import Deed, Heard, Week, at
from tests.wishes import CARD, COOKER, TAP, by_staff, say, wishes


def staff_wish_for_somebody(week: Week) -> None:
    wishes(week.town.resident, TAP, by=by_staff(week.town.clerk))


def somebody_wishes_and_hears_no(week: Week) -> None:
    made = wishes(week.town.outsider, COOKER)
    say(reject_wish, made, "请找物业报修", by=by_staff(week.town.clerk))


def another_wish_hangs_on_the_wall(week: Week) -> None:
    made = wishes(week.town.resident, TAP)  # the one that waits
    say(approve_wish, made, CARD, by=by_staff(week.town.admin))


WISH_STORY: Sequence[Deed] = (
    Deed(
        at(20, 13),
        staff_wish_for_somebody,
        [
            Heard(at(20, 13), "resident", NoticeKind.WISHED_FOR_YOU),
            *(Heard(at(20, 17), who, NoticeKind.STAFF_DESK) for who in ("clerk", "admin")),  # it waits
        ],
    ),
    Deed(
        at(20, 14),
        somebody_wishes_and_hears_no,
        [Heard(at(20, 14), "outsider", NoticeKind.WISH_REVIEWED)],
    ),
    Deed(
        at(20, 22),
        another_wish_hangs_on_the_wall,
        [Heard(at(21, 8), "resident", NoticeKind.WISH_REVIEWED)],
    ),
)
