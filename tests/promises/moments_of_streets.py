"""The moments of the street, as a story: a wish is handed to it and answered in writing, and it calls a meeting."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from models.base import reading
from models.issue_orders import say_cannot
from models.notices import NoticeKind
from models.wishes.street import IssueOrder
from tests.promises.moments import Deed, Heard, Week, at
from tests.streets import ANSWER, converted, decides, meets
from tests.wishes import by_staff


def a_wish_is_handed_to_the_street(week: Week) -> None:
    converted(week.town, week.town.helper)


def the_street_says_that_it_cannot_be_done(week: Week) -> None:
    with reading() as session:
        order = session.scalars(select(IssueOrder)).one()
    decides(say_cannot, order, ANSWER, by=by_staff(week.town.street_officer))


def the_street_calls_a_meeting(week: Week) -> None:
    meets(week.town, at(28, 12))


STREET_STORY: Sequence[Deed] = (
    Deed(
        at(20, 14, 30),
        a_wish_is_handed_to_the_street,
        [Heard(at(20, 14, 30), "helper", NoticeKind.WISH_WITH_STREET)],
    ),
    Deed(
        at(20, 15),
        the_street_says_that_it_cannot_be_done,
        [Heard(at(20, 15), "helper", NoticeKind.WISH_CANNOT)],
    ),
    Deed(
        at(21, 12),
        the_street_calls_a_meeting,  # in a week, so units hear of it with the next turn of the worker
        [Heard(at(21, 12, 30), "partner_member", NoticeKind.MEETING_AHEAD)],
    ),
)
