"""The moments of who is unhappy, as a story: a unit brought it, badly; the community does not call, and in the end the street hears."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from models.base import transaction
from models.notices import NoticeKind
from models.partners import Partner, pair
from models.regions import Region
from models.wishes.claims import ClaimState, Level, SettledBy, agree_to_claim, note_contact, rate_claim
from tests.claims import PROMISE, by_unit, claims, does
from tests.promises.moments import Deed, Heard, Week, at
from tests.promises.moments_of_claims import (
    the_claim,
    the_unit_brings_it,
    the_wish_of,
    who_wished_says_so_too,
)
from tests.promises.moments_of_turns import OFFICE, sets
from tests.wishes import by_resident, by_staff, hung


def the_community_should_call_soon(week: Week) -> None:
    """Within half a working day; who does not is pressed once."""
    sets(week, wish_care_call_days="0.5", wish_press_days="1")
    hung(week.town, week.town.resident)


def a_unit_takes_it_on_and_calls(week: Week) -> None:
    unit = week.town.partner_member
    with transaction() as session:
        place = session.get_one(Region, week.town.wutong.id)
        partner = session.get_one(Partner, unit.partner_id)
        pair(session, partner, place, by_account_id=None, identity="town")
    claim = claims(unit, the_wish_of(week.town.resident), PROMISE, promised_on=date(2026, 11, 22))
    does(agree_to_claim, claim, by=by_staff(week.town.clerk))
    does(note_contact, claim, by=by_unit(unit))


def who_wished_is_unhappy(week: Week) -> None:
    whose = week.town.resident
    claim = the_claim(week, ClaimState.FULFILLED)
    does(rate_claim, claim, Level.UNHAPPY, "迟到两次", SettledBy.RESIDENT, by=by_resident(whose))


UNHAPPY_STORY: Sequence[Deed] = (
    Deed(
        at(20, 12),
        the_community_should_call_soon,
        [Heard(at(20, 12), "resident", NoticeKind.WISH_REVIEWED)],
    ),
    Deed(
        at(20, 12, 30),
        a_unit_takes_it_on_and_calls,
        [
            Heard(at(20, 12, 30), "resident", NoticeKind.WISH_CLAIMED),
            Heard(at(20, 12, 30), "partner_member", NoticeKind.CLAIM_TO_DO),
        ],
    ),
    Deed(at(20, 13), the_unit_brings_it, [Heard(at(20, 13), "resident", NoticeKind.WISH_DELIVERED)]),
    Deed(
        at(20, 13, 30),
        who_wished_says_so_too,
        [Heard(at(20, 13, 30), "partner_member", NoticeKind.CLAIM_ANSWERED)],
    ),
    Deed(
        at(20, 14),
        who_wished_is_unhappy,
        [
            Heard(at(20, 14), "partner_member", NoticeKind.CLAIM_ANSWERED),
            *(Heard(at(20, 14), who, NoticeKind.CLAIM_UNHAPPY) for who in OFFICE),
            # the Saturday is worked, and on Sunday nobody is pressed
            *(Heard(at(21, 9), who, NoticeKind.CLAIM_CARE_OVERDUE) for who in OFFICE),
            Heard(at(23, 9), "street_officer", NoticeKind.CLAIM_CARE_OVERDUE),
            *(
                Heard(when, who, NoticeKind.STAFF_DESK)
                for when in (at(20, 17), at(21, 8, 30), at(21, 17), at(23, 8, 30), at(23, 17))
                for who in (*OFFICE, "street_officer")
                if who in OFFICE or when > at(21, 0)  # what is over the street's desk shows too
            ),
        ],
    ),
)
