"""Who leaves a unit: what they led is led by who stays, they read nobody's number any more, and the unit is never without a manager by chance."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.accounts import Account
from models.base import reading, transaction
from models.coordination.parting import leave, remove
from models.departures import begin_closure
from models.journal import JournalEntry
from models.notices import Notice, NoticeKind
from models.partners import HourEntry, Partner, PartnerMember, admit, members_of
from models.truth import still_true
from models.wishes import HandOver, WishKind, WishWords
from models.wishes.claims import (
    Claim,
    ClaimHelper,
    ClaimState,
    Done,
    Evidence,
    SettledBy,
    confirm_done,
    contacts_of,
    deliver,
    give_back,
    hand_lead_on,
    help_with,
    note_contact,
)
from tests.claims import a_claimer, a_member, by_unit, claim_now, claims, does, under_way
from tests.models.test_claims import accepted, dispatched, refused
from tests.people import Person, Town, UnitMember
from tests.wishes import by_resident, by_staff, hung, somebody, told

LEADS_NOW = "原牵头人已退出，由您牵头"
AT_HOME = WishWords(
    "想请人教用手机", WishKind.SERVICE, address="梧桐苑3栋501", hand_over=HandOver.HOME, may_share=True
)


@pytest.fixture
def unit(town: Town) -> UnitMember:
    """The manager of a unit that is paired with the community."""
    return a_claimer(town.wutong)


@pytest.fixture
def wisher(town: Town) -> Person:
    """Somebody who wishes, and may be called."""
    return somebody(town)


def removed(who: UnitMember, by: UnitMember | None = None) -> None:
    """A manager of the unit, or else staff, take somebody out of it."""
    hat = (by.account_id, by.identity) if by is not None else (None, "staff:town")
    with transaction() as session:
        remove(session, the_member(session, who), by_account_id=hat[0], identity=hat[1])


def the_member(session: Session, who: UnitMember) -> PartnerMember:
    return session.scalars(
        select(PartnerMember).where(
            PartnerMember.partner_id == who.partner_id, PartnerMember.account_id == who.account_id
        )
    ).one()


def member_key(who: UnitMember) -> str:
    with reading() as session:
        return the_member(session, who).key


def leaves(who: UnitMember, successor: str | None = None) -> None:
    """Somebody leaves of their own accord."""
    with transaction() as session:
        account, partner = session.get_one(Account, who.account_id), session.get_one(Partner, who.partner_id)
        leave(session, account, partner, successor=successor)


def helps(who: UnitMember, claim: Claim) -> None:
    with transaction() as session:
        partner = session.get_one(Partner, who.partner_id)
        help_with(session, session.get_one(Claim, claim.id), partner, who.account_id, by=by_unit(who))


def helpers(claim: Claim) -> list[int]:
    with reading() as session:
        query = select(ClaimHelper.account_id).where(ClaimHelper.claim_id == claim.id)
        return list(session.scalars(query.order_by(ClaimHelper.id)))


def managers(unit: UnitMember) -> list[int]:
    with reading() as session:
        return list(members_of(session, [unit.partner_id], managers=True).get(unit.partner_id, ()))


def acts(claim: Claim) -> list[str]:
    with reading() as session:
        query = select(JournalEntry.act).where(
            JournalEntry.subject_kind == "claims", JournalEntry.subject_id == claim.id
        )
        return list(session.scalars(query.order_by(JournalEntry.id)))


# --- who leads then -----------------------------------------------------------------------------------------------


def test_what_a_removed_member_led_is_led_by_the_manager_who_alone_reads_whom_to_call(
    town: Town, unit: UnitMember, wisher: Person
) -> None:
    other, lead = a_member(unit), a_member(unit)
    claim = under_way(town, lead, hung(town, wisher, AT_HOME))
    removed(lead, by=unit)
    removed(lead, by=unit)  # twice is fine
    assert claim_now(claim).lead_account_id == unit.account_id
    assert acts(claim).count("claim.lead_handed_on") == 1
    assert does(contacts_of, claim, by=by_unit(unit)).name == "许愿人"
    for one in (lead, other):
        refused("lead_alone", partial(does, contacts_of, claim, by=by_unit(one)))
    refused("lead_alone", lambda: does(deliver, claim, Done(Evidence.TAP), by=by_unit(lead)))
    does(note_contact, claim, by=by_unit(unit))
    does(deliver, claim, Done(Evidence.TAP), by=by_unit(unit))


def test_the_new_lead_hears_it_once_and_that_is_so_while_it_stands(
    town: Town, unit: UnitMember, wisher: Person
) -> None:
    lead = a_member(unit)
    claim = under_way(town, lead, hung(town, wisher))
    removed(lead, by=unit)
    ((kind, body),) = told(unit)
    assert (kind, LEADS_NOW in body) == (NoticeKind.CLAIM_TO_DO.value, True)
    with reading() as session:
        theirs = select(Notice).where(Notice.account_id == unit.account_id)
        (notice,) = session.scalars(theirs).all()
        assert still_true(session, [notice]) == {notice.id}
        of_who_left = session.scalars(select(Notice).where(Notice.account_id == lead.account_id)).all()
        assert not still_true(session, of_who_left)
    does(give_back, claim, "来不了", by=by_unit(unit))
    with reading() as session:
        assert not still_true(session, [notice])


def test_whoever_has_been_there_the_longest_leads_when_the_only_manager_leaves(
    town: Town, unit: UnitMember, wisher: Person
) -> None:
    eldest, _ = a_member(unit), a_member(unit)
    waits = claims(unit, hung(town, wisher))
    leaves(unit, successor=member_key(eldest))
    assert managers(unit) == [eldest.account_id]
    assert claim_now(waits).lead_account_id == eldest.account_id
    assert [kind for kind, _ in told(eldest)] == [
        NoticeKind.PARTNER_DECIDED.value,
        NoticeKind.CLAIM_TO_DO.value,
    ]


def test_nobody_comes_to_lead_what_their_own_household_wishes(
    town: Town, unit: UnitMember, wisher: Person
) -> None:
    lead = a_member(unit)
    with transaction() as session:
        admit(session, session.get_one(Partner, unit.partner_id), wisher.account(session))
    claim = under_way(town, lead, hung(town, wisher))
    other = under_way(town, lead, hung(town, somebody(town)))
    removed(unit)  # staff do: the eldest who stays is manager, and leads nothing of theirs
    assert managers(unit) == [lead.account_id]
    removed(lead)
    assert managers(unit) == [wisher.account_id]
    assert claim_now(claim).lead_account_id is None
    assert claim_now(other).lead_account_id == wisher.account_id


def test_where_nobody_stays_nobody_leads_until_somebody_comes(
    town: Town, unit: UnitMember, wisher: Person
) -> None:
    claim = under_way(town, unit, hung(town, wisher, AT_HOME))
    removed(unit)
    assert claim_now(claim).lead_account_id is None
    refused("lead_alone", lambda: does(contacts_of, claim, by=by_unit(unit)))
    new = a_member(unit)
    assert managers(unit) == [new.account_id]
    does(hand_lead_on, claim, new.account_id, by=by_unit(new))
    assert does(contacts_of, claim, by=by_unit(new)).name == "许愿人"


def test_whoever_comes_back_leads_nothing_they_led_before(
    town: Town, unit: UnitMember, wisher: Person
) -> None:
    lead = a_member(unit)
    claim = under_way(town, lead, hung(town, wisher, AT_HOME))
    removed(lead, by=unit)
    with transaction() as session:
        partner, account = (
            session.get_one(Partner, unit.partner_id),
            session.get_one(Account, lead.account_id),
        )
        admit(session, partner, account)
    refused("lead_alone", lambda: does(contacts_of, claim, by=by_unit(lead)))


def test_who_closes_their_wechat_leaves_no_claim_without_a_lead(
    town: Town, unit: UnitMember, wisher: Person
) -> None:
    with transaction() as session:
        account = town.resident.account(session)
        admit(session, session.get_one(Partner, unit.partner_id), account)
        mine = UnitMember(unit.partner_id, unit.partner_key, account.id, "")
    claim = under_way(town, mine, hung(town, wisher))
    with transaction() as session:
        begin_closure(session, town.resident.account(session))
    assert claim_now(claim).lead_account_id == unit.account_id


def test_who_left_a_moment_ago_takes_nothing_on(town: Town, unit: UnitMember, wisher: Person) -> None:
    gone = a_member(unit)
    sent = dispatched(hung(town, somebody(town)), unit, by_staff(town.clerk))
    removed(gone, by=unit)
    refused("identity_unknown", lambda: claims(gone, hung(town, wisher)))
    refused("identity_unknown", lambda: accepted(sent, gone))
    assert accepted(sent, unit).lead_account_id == unit.account_id


# --- helpers, and what is over ------------------------------------------------------------------------------------


def test_who_leaves_helps_with_nothing_that_lives_but_for_their_other_unit(
    town: Town, unit: UnitMember, wisher: Person
) -> None:
    helper, there = a_member(unit), a_claimer(town.wutong)
    with transaction() as session:
        account = session.get_one(Account, helper.account_id)
        admit(session, session.get_one(Partner, there.partner_id), account)
    also = UnitMember(there.partner_id, there.partner_key, helper.account_id, "")
    lives, for_others, over = (under_way(town, unit, hung(town, somebody(town))) for _ in range(3))
    helps(helper, lives)
    helps(also, for_others)
    helps(helper, over)
    does(give_back, over, "来不了", by=by_unit(unit))
    removed(helper, by=unit)
    assert helpers(lives) == []
    assert helpers(for_others) == helpers(over) == [helper.account_id]
    assert acts(lives)[-1] == "claim.helper_left"


def test_who_helped_and_leads_now_helps_no_longer(town: Town, unit: UnitMember, wisher: Person) -> None:
    lead = a_member(unit)
    claim = under_way(town, lead, hung(town, wisher))
    helps(unit, claim)
    removed(lead, by=unit)
    assert (claim_now(claim).lead_account_id, helpers(claim)) == (unit.account_id, [])


def test_what_is_over_stays_with_who_led_it(town: Town, unit: UnitMember, wisher: Person) -> None:
    lead = a_member(unit)
    claim = under_way(town, lead, hung(town, wisher))
    does(give_back, claim, "来不了", by=by_unit(lead))
    removed(lead, by=unit)
    assert claim_now(claim).lead_account_id == lead.account_id
    assert told(unit) == []


def test_hours_of_who_delivered_and_left_are_the_units_and_not_the_new_leads(
    town: Town, unit: UnitMember, wisher: Person
) -> None:
    lead = a_member(unit)
    claim = under_way(town, lead, hung(town, wisher))
    does(deliver, claim, Done(Evidence.TAP, minutes=90), by=by_unit(lead))
    removed(lead, by=unit)
    assert claim_now(claim).lead_account_id == unit.account_id
    does(confirm_done, claim, SettledBy.RESIDENT, by=by_resident(wisher))
    assert claim_now(claim).state is ClaimState.FULFILLED
    with reading() as session:
        (entry,) = session.scalars(select(HourEntry)).all()
        assert (entry.partner_id, entry.member_id, entry.minutes) == (unit.partner_id, None, 90)


# --- the only manager ---------------------------------------------------------------------------------------------


def test_the_only_manager_reads_who_follows_before_they_leave(town: Town, unit: UnitMember) -> None:
    eldest, second = a_member(unit), a_member(unit)
    no = refused("last_manager", lambda: leaves(unit))
    assert no.details == {"successor": member_key(eldest)}
    refused("last_manager", lambda: leaves(unit, successor=member_key(second)))
    removed(eldest, by=unit)  # who would follow is gone: it is read anew
    refused("last_manager", lambda: leaves(unit, successor=member_key(eldest)))
    assert managers(unit) == [unit.account_id]
    leaves(unit, successor=member_key(second))
    leaves(unit)  # twice is fine
    assert managers(unit) == [second.account_id]
    ((kind, body),) = told(second)
    assert (kind, "由您接任" in body) == (NoticeKind.PARTNER_DECIDED.value, True)


def test_who_is_alone_in_a_unit_is_told_what_to_do(town: Town, unit: UnitMember) -> None:
    no = refused("last_manager", lambda: leaves(unit, successor=member_key(unit)))
    assert no.details == {"successor": None}
    assert "联系社区" in no.message
    removed(unit)  # as the office does for them
    assert managers(unit) == []


def test_one_of_two_managers_leaves_without_a_word(town: Town, unit: UnitMember) -> None:
    other = a_member(unit)
    with transaction() as session:
        the_member(session, other).is_manager = True
    leaves(unit)
    assert managers(unit) == [other.account_id]
    assert told(other) == []
