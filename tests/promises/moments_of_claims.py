"""The moments of claims, as a story: a unit takes a wish on and brings it; another it was sent it lets lie; and one is taken from it again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from models.base import transaction
from models.notices import NoticeKind
from models.partners import Partner, pair
from models.regions import Region
from models.wishes import Wish, WishState
from models.wishes.claims import (
    Claim,
    ClaimState,
    Done,
    Evidence,
    SettledBy,
    agree_to_claim,
    confirm_done,
    deliver,
    dispatch_wish,
    extend_claim,
    note_contact,
    take_back,
)
from tests.claims import PROMISE, by_unit, claims, does
from tests.people import Person
from tests.promises.moments import Deed, Heard, Week, at
from tests.wishes import by_resident, by_staff, hung


def a_neighbour_wishes(week: Week) -> None:
    hung(week.town, week.town.neighbour)


def it_is_sent_to_a_unit(week: Week) -> None:
    """The unit, paired with the community, has two working days to accept; the Saturday is worked."""
    unit, clerk = week.town.partner_member, week.town.clerk
    wish = the_wish_of(week.town.neighbour)
    with transaction() as session:
        partner = session.get_one(Partner, unit.partner_id)
        place = session.get_one(Region, week.town.wutong.id)
        pair(session, partner, place, by_account_id=None, identity="town")
        dispatch_wish(session, session.get_one(Wish, wish.id), partner, 1, by=by_staff(clerk))


def a_unit_takes_a_wish_on(week: Week) -> None:
    claims(week.town.partner_member, the_wish_of(week.town.resident), PROMISE, promised_on=date(2026, 11, 22))


def the_community_agrees(week: Week) -> None:
    does(agree_to_claim, the_claim(week, ClaimState.APPLIED), by=by_staff(week.town.clerk))


def the_unit_calls_and_needs_a_day_more(week: Week) -> None:
    unit = week.town.partner_member
    claim = the_claim(week, ClaimState.IN_PROGRESS)
    does(note_contact, claim, by=by_unit(unit))
    does(extend_claim, claim, date(2026, 11, 23), "缺一个垫圈", by=by_unit(unit))


def the_unit_brings_it(week: Week) -> None:
    claim = the_claim(week, ClaimState.IN_PROGRESS)
    does(deliver, claim, Done(Evidence.TAP), by=by_unit(week.town.partner_member))


def who_wished_says_so_too(week: Week) -> None:
    claim = the_claim(week, ClaimState.DELIVERED)
    does(confirm_done, claim, SettledBy.RESIDENT, by=by_resident(week.town.resident))


def it_takes_on_what_it_let_lie(week: Week) -> None:
    claims(week.town.partner_member, the_wish_of(week.town.neighbour))


def the_community_takes_it_back(week: Week) -> None:
    does(
        take_back,
        the_claim(week, ClaimState.APPLIED),
        "请先和社区联系",
        by=by_staff(week.town.clerk),
    )


def the_wish_of(who: Person) -> Wish:
    """What somebody wishes and nobody has taken on."""
    with transaction() as session:
        return session.scalars(
            select(Wish).where(Wish.resident_id == who.resident_id, Wish.state == WishState.PUBLISHED)
        ).one()


def the_claim(week: Week, state: ClaimState) -> Claim:
    """What the unit has that stands there, the only one."""
    with transaction() as session:
        return session.scalars(
            select(Claim).where(Claim.partner_id == week.town.partner_member.partner_id, Claim.state == state)
        ).one()


CLAIM_STORY: Sequence[Deed] = (
    Deed(
        at(20, 12, 30),
        a_neighbour_wishes,
        [Heard(at(20, 12, 30), "neighbour", NoticeKind.WISH_REVIEWED)],
    ),
    Deed(
        at(20, 13),
        it_is_sent_to_a_unit,
        [
            Heard(at(20, 13), "partner_member", NoticeKind.CLAIM_TO_DO),
            # nobody accepts: a day before it is over they hear of it, hours before once more, and then it is free for others
            Heard(at(22, 13), "partner_member", NoticeKind.CLAIM_DUE_SOON),
            Heard(at(23, 9), "partner_member", NoticeKind.CLAIM_DUE_SOON),
            Heard(at(23, 13), "partner_member", NoticeKind.CLAIM_ENDED),
        ],
    ),
    Deed(at(21, 9), a_unit_takes_a_wish_on, []),
    Deed(
        at(21, 10),
        the_community_agrees,
        [
            Heard(at(21, 10), "resident", NoticeKind.WISH_CLAIMED),
            Heard(at(21, 10), "partner_member", NoticeKind.CLAIM_TO_DO),
        ],
    ),
    Deed(
        at(21, 11),
        the_unit_calls_and_needs_a_day_more,
        [
            Heard(at(21, 11), "resident", NoticeKind.WISH_PROGRESS),
            # a day before the end of Monday is midnight: they hear of it in the morning
            Heard(at(23, 8), "partner_member", NoticeKind.CLAIM_DUE_SOON),
        ],
    ),
    Deed(
        at(23, 12),
        the_unit_brings_it,
        [Heard(at(23, 12), "resident", NoticeKind.WISH_DELIVERED)],
    ),
    Deed(
        at(23, 14),
        who_wished_says_so_too,
        [Heard(at(23, 14), "partner_member", NoticeKind.CLAIM_ANSWERED)],
    ),
    Deed(at(23, 15), it_takes_on_what_it_let_lie, []),
    Deed(
        at(23, 16),
        the_community_takes_it_back,
        [Heard(at(23, 16), "partner_member", NoticeKind.CLAIM_ENDED)],
    ),
)
