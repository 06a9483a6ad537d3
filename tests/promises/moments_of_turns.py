"""The moments of what is late, as a story: wishes nobody takes on go round and to the street; a unit, a street and a community let time go by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from models.base import transaction
from models.notices import NoticeKind
from models.partners import Partner, pair
from models.policies import set_policy
from models.regions import Region
from models.wishes import Wish, reject_wish, urge
from models.wishes.claims import agree_to_claim, note_contact
from tests.claims import PROMISE, by_unit, claims, does
from tests.people import Person
from tests.promises.moments import Deed, Heard, Week, at
from tests.wishes import TAP, by_resident, by_staff, hung, say, wishes

OFFICE = ("clerk", "admin")


def the_community_is_in_a_hurry(week: Week) -> None:
    """A day on the wall, twice; the street has half a working day, and who is late is pressed at ten."""
    sets(week, wish_wall_days="1", wish_turns="2", wish_street_days="0.5", wish_press_hour="10:00")


def somebody_wishes_what_nobody_takes_on(week: Week) -> None:
    the_community_is_in_a_hurry(week)
    hung(week.town, week.town.guardian)


def two_more_wish_and_one_is_lucky(week: Week) -> None:
    hung(week.town, week.town.neighbour)
    hung(week.town, week.town.resident)


def a_unit_takes_a_wish_on_and_calls(week: Week) -> None:
    unit, wish = week.town.partner_member, the_wish_of(week.town.resident)
    with transaction() as session:
        place = session.get_one(Region, week.town.wutong.id)
        pair(
            session,
            session.get_one(Partner, unit.partner_id),
            place,
            by_account_id=None,
            identity="town",
        )
    claim = claims(unit, wish, PROMISE, promised_on=date(2026, 11, 21))
    does(agree_to_claim, claim, by=by_staff(week.town.clerk))
    does(note_contact, claim, by=by_unit(unit))


def a_wish_nobody_looks_at(week: Week) -> None:
    wishes(week.town.helper, TAP)


def one_turn_is_enough_from_now_on(week: Week) -> None:
    sets(week, wish_turns="1")


def who_wished_asks_the_community(week: Week) -> None:
    asks(week.town.guardian)


def who_wished_asks_the_unit(week: Week) -> None:
    asks(week.town.resident)


def somebody_looks_at_it_at_last(week: Week) -> None:
    say(reject_wish, the_wish_of(week.town.helper), "请找物业报修", by=by_staff(week.town.clerk))


def asks(who: Person) -> None:
    say(urge, the_wish_of(who), by=by_resident(who))


def the_wish_of(who: Person) -> Wish:
    with transaction() as session:
        return session.scalars(select(Wish).where(Wish.resident_id == who.resident_id)).one()


def sets(week: Week, **numbers: str) -> None:
    with transaction() as session:
        for name, number in numbers.items():
            set_policy(session, session.get_one(Region, week.town.wutong.id), name, number)


TURN_STORY: Sequence[Deed] = (
    Deed(
        at(20, 12),
        somebody_wishes_what_nobody_takes_on,
        [
            Heard(at(20, 12), "guardian", NoticeKind.WISH_REVIEWED),
            # it hangs again on Saturday, and goes to the street on Sunday
            *(Heard(at(day, 12), "guardian", NoticeKind.WISH_TURNED) for day in (21, 22)),
            *(Heard(at(day, 12), who, NoticeKind.WISH_TURNED_HERE) for day in (21, 22) for who in OFFICE),
        ],
    ),
    Deed(
        at(20, 13),
        two_more_wish_and_one_is_lucky,
        [
            *(Heard(at(20, 13), who, NoticeKind.WISH_REVIEWED) for who in ("neighbour", "resident")),
            # it goes to the street at once, and the street has the rest of the Saturday that is worked
            Heard(at(21, 13), "neighbour", NoticeKind.WISH_TURNED),
            *(Heard(at(21, 13), who, NoticeKind.WISH_TURNED_HERE) for who in OFFICE),
            Heard(at(21, 17), "street_officer", NoticeKind.STAFF_DESK),
            Heard(at(23, 10), "street_officer", NoticeKind.WISH_DECISION_OVERDUE),
        ],
    ),
    Deed(
        at(20, 13, 30),
        a_unit_takes_a_wish_on_and_calls,
        [
            Heard(at(20, 13, 30), "resident", NoticeKind.WISH_CLAIMED),
            Heard(at(20, 13, 30), "partner_member", NoticeKind.CLAIM_TO_DO),
            Heard(at(21, 8), "partner_member", NoticeKind.CLAIM_DUE_SOON),
            Heard(at(21, 20), "partner_member", NoticeKind.CLAIM_DUE_SOON),
            # on Sunday nobody is pressed
            Heard(at(23, 10), "partner_member", NoticeKind.CLAIM_OVERDUE),
            *(Heard(at(23, 10), who, NoticeKind.CLAIM_OVERDUE_HERE) for who in OFFICE),
            *(
                Heard(at(23, hour, minute), who, NoticeKind.STAFF_DESK)
                for hour, minute in ((8, 30), (17, 0))
                for who in (*OFFICE, "street_officer")
            ),
        ],
    ),
    Deed(
        at(20, 14),
        a_wish_nobody_looks_at,
        [
            *(Heard(at(20, 17), who, NoticeKind.STAFF_DESK) for who in OFFICE),
            *(Heard(at(21, 8, 30), who, NoticeKind.STAFF_DESK) for who in OFFICE),
            *(Heard(at(21, 14), who, NoticeKind.WISH_REVIEW_DUE) for who in OFFICE),
        ],
    ),
    Deed(at(21, 12, 30), one_turn_is_enough_from_now_on, []),
    Deed(
        at(21, 13, 30),
        who_wished_asks_the_community,
        [Heard(at(21, 13, 30), who, NoticeKind.WISH_URGED) for who in OFFICE],
    ),
    Deed(
        at(21, 14, 30),
        who_wished_asks_the_unit,
        [Heard(at(21, 14, 30), "partner_member", NoticeKind.CLAIM_URGED)],
    ),
    Deed(
        at(21, 15),
        somebody_looks_at_it_at_last,
        [Heard(at(21, 15), "helper", NoticeKind.WISH_REVIEWED)],
    ),
)
