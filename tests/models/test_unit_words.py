"""What units write and others read: words that may not stay are struck, what was done stays, and words changed meanwhile are others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from models import clock
from models.base import reading, transaction
from models.content_checks import (
    CLAIM_EXTENSION,
    CLAIM_REASON,
    DELIVERY_NOTE,
    PAIRING_REASON,
    UNIT_CONTACT,
    UNIT_NAME,
    CheckedField,
    CheckState,
    Decision,
    Finding,
    HeldBecause,
    Subject,
    checks_within,
    count_waiting,
    decide,
    hold_text,
    places_of_checks,
)
from models.content_checks import ContentCheck as Check
from models.journal import JournalEntry
from models.partners import (
    Pairing,
    PairingState,
    Partner,
    PartnerState,
    apply_for_unit,
    approve_unit,
    end_pairing,
    pair,
)
from models.regions import Region
from models.wishes.claims import (
    Claim,
    ClaimState,
    Done,
    Evidence,
    Fulfilment,
    deliver,
    extend_claim,
    give_back,
    note_contact,
    refuse_dispatch,
)
from tests.claims import a_claimer, by_unit, does, under_way
from tests.models.test_claims import dispatched
from tests.people import Town, UnitMember, a_card
from tests.wishes import by_staff, hung, somebody

WRITTEN = "加我微信"
NOBODY: dict[str, Any] = {"by_account_id": None, "identity": "town"}


@dataclass
class Written:
    """Words in a field of a row, and how they and what was done with them read now."""

    field: CheckedField
    key: str
    words: Callable[[], str | None]
    stands: Callable[[], bool]


def claim_of(key: str) -> Claim:
    with reading() as session:
        return session.scalars(select(Claim).where(Claim.key == key)).one()


def the_note(key: str) -> Fulfilment:
    with reading() as session:
        return session.scalars(select(Fulfilment).where(Fulfilment.key == key)).one()


def a_reason(town: Town, unit: UnitMember) -> Written:
    claim = under_way(town, unit, hung(town, somebody(town)))
    does(give_back, claim, WRITTEN, by=by_unit(unit))
    key = claim.key
    return Written(
        CLAIM_REASON,
        key,
        lambda: claim_of(key).because,
        lambda: claim_of(key).state is ClaimState.RELEASED,
    )


def a_refusal(town: Town, unit: UnitMember) -> Written:
    claim = dispatched(hung(town, somebody(town)), unit, by_staff(town.clerk))
    does(refuse_dispatch, claim, WRITTEN, by=by_unit(unit))
    key = claim.key
    return Written(
        CLAIM_REASON,
        key,
        lambda: claim_of(key).because,
        lambda: claim_of(key).state is ClaimState.REFUSED,
    )


def an_extension(town: Town, unit: UnitMember) -> Written:
    claim = under_way(town, unit, hung(town, somebody(town)))
    does(note_contact, claim, by=by_unit(unit))
    does(extend_claim, claim, date(2026, 12, 4), WRITTEN, by=by_unit(unit))
    key = claim.key
    return Written(
        CLAIM_EXTENSION,
        key,
        lambda: claim_of(key).extended_because,
        lambda: claim_of(key).extended_to == date(2026, 12, 4),
    )


def a_note(town: Town, unit: UnitMember) -> Written:
    claim = under_way(town, unit, hung(town, somebody(town)))
    said = does(deliver, claim, Done(Evidence.SLIP, note=WRITTEN), by=by_unit(unit))
    return Written(
        DELIVERY_NOTE,
        said.key,
        lambda: the_note(said.key).note,
        lambda: claim_of(claim.key).state is ClaimState.DELIVERED,
    )


CLAIMS = [a_reason, a_refusal, an_extension, a_note]


@pytest.fixture
def unit(town: Town) -> UnitMember:
    """Somebody of a unit that is paired with the community."""
    return a_claimer(town.wutong)


def is_decided(town: Town, written: Written, decision: Decision, said: str = WRITTEN) -> None:
    """WeChat is unsure of words, and a clerk says what becomes of them."""
    with transaction() as session:
        subject = Subject(
            field=written.field,
            key=written.key,
            account_id=town.resident.account_id or 0,
            resident_id=town.resident.resident_id,
        )
        check = hold_text(session, subject, said, Finding(), HeldBecause.DOUBTFUL).id
    with transaction() as session:
        reason = "请换一种说法" if decision is Decision.REJECT else None
        by = town.clerk.member(session)
        decide(session, session.get_one(Check, check), decision, by=by, reason=reason)


def struck() -> list[str]:
    with reading() as session:
        query = select(JournalEntry.act).where(JournalEntry.act.endswith("_struck"))
        return list(session.scalars(query))


@pytest.mark.parametrize("writes", CLAIMS)
def test_words_that_may_not_stay_are_struck_and_the_deed_stands(
    town: Town, unit: UnitMember, writes: Callable[[Town, UnitMember], Written]
) -> None:
    written = writes(town, unit)
    assert (written.words(), written.stands()) == (WRITTEN, True)
    is_decided(town, written, Decision.REJECT)
    assert (written.words(), written.stands()) == ("", True)
    assert struck() == ["claim.words_struck"]


@pytest.mark.parametrize("writes", CLAIMS)
def test_words_that_may_stay_or_were_others_are_left(
    town: Town, unit: UnitMember, writes: Callable[[Town, UnitMember], Written]
) -> None:
    written = writes(town, unit)
    is_decided(town, written, Decision.APPROVE)
    is_decided(town, written, Decision.REJECT, "写过的别的话")
    assert (written.words(), written.stands()) == (WRITTEN, True)
    assert struck() == []


def waits(field: CheckedField, key: str, unit: UnitMember) -> None:
    """WeChat is unsure of what a unit wrote."""
    subject = Subject(field=field, key=key, account_id=unit.account_id, resident_id=None)
    with transaction() as session:
        hold_text(session, subject, WRITTEN, Finding(), HeldBecause.DOUBTFUL)


def test_what_a_unit_wrote_waits_for_whoever_looks_after_the_place(town: Town, unit: UnitMember) -> None:
    """Of a wish where it hangs, of a pairing where it was, of the unit where it serves."""
    guest = a_claimer(town.wangjiang)  # serves another community, and is paired with this one too
    with transaction() as session:
        place = session.get_one(Region, town.wutong.id)
        ended = pair(session, session.get_one(Partner, guest.partner_id), place, **NOBODY).key
    reason, note = a_reason(town, unit), a_note(town, guest)
    about = {CLAIM_REASON: reason.key, DELIVERY_NOTE: note.key, PAIRING_REASON: ended}
    for field, key in about.items():
        waits(field, key, guest)
    waits(UNIT_NAME, guest.partner_key, guest)

    def seen(*places: Region) -> list[str | None]:
        with reading() as session:
            found = checks_within(session, places, state=CheckState.WAITING, after_id=None, most=10)
            assert places_of_checks(session, found).keys() == {one.id for one in found}
            return [one.subject_key for one in found]

    assert seen(town.wutong) == list(about.values())
    assert seen(town.wangjiang) == [guest.partner_key]
    assert seen(town.district) == [*about.values(), guest.partner_key]
    assert seen() == []
    with reading() as session:
        counted = count_waiting(session, clock.now())
    assert counted == {town.wutong.path: 3, town.wangjiang.path: 1}


def an_application(town: Town) -> tuple[str, str]:
    with transaction() as session:
        asked = apply_for_unit(session, town.resident.account(session), a_card(session, town.wutong))
        return asked.key, asked.name


def the_unit(key: str) -> Partner:
    with reading() as session:
        return session.scalars(select(Partner).where(Partner.key == key)).one()


def test_an_application_whose_name_may_not_stay_is_over_and_says_why(town: Town) -> None:
    key, name = an_application(town)
    is_decided(town, Written(UNIT_NAME, key, str, bool), Decision.REJECT, "写过的别的名称")
    assert the_unit(key).state is PartnerState.APPLIED
    is_decided(town, Written(UNIT_NAME, key, str, bool), Decision.REJECT, name)
    assert (the_unit(key).state, "内容审核" in the_unit(key).reason) == (PartnerState.REJECTED, True)


def test_a_unit_staff_approved_under_its_name_keeps_it(town: Town) -> None:
    key, name = an_application(town)
    with transaction() as session:
        asked = session.scalars(select(Partner).where(Partner.key == key)).one()
        approve_unit(session, asked, by=town.admin.member(session))
    is_decided(town, Written(UNIT_NAME, key, str, bool), Decision.REJECT, name)
    assert (the_unit(key).state, the_unit(key).name) == (PartnerState.ACTIVE, name)


def test_why_a_unit_ended_a_pairing_is_struck_and_it_stays_ended(town: Town, unit: UnitMember) -> None:
    with transaction() as session:
        pairing = session.scalars(select(Pairing).where(Pairing.partner_id == unit.partner_id)).one()
        end_pairing(session, pairing, WRITTEN, by_account_id=unit.account_id, identity=unit.identity)
    is_decided(town, Written(PAIRING_REASON, pairing.key, str, bool), Decision.REJECT)
    with reading() as session:
        now = session.get_one(Pairing, pairing.id)
        assert (now.reason, now.state) == ("", PairingState.ENDED)
    assert struck() == ["pairing.reason_struck"]


def test_whom_to_call_loses_a_name_that_may_not_stay_and_keeps_the_number(town: Town) -> None:
    key, _ = an_application(town)
    contact = the_unit(key).contact_name
    assert contact
    is_decided(town, Written(UNIT_CONTACT, key, str, bool), Decision.REJECT, contact)
    now = the_unit(key)
    assert (now.contact_name, bool(now.contact_phone), now.state) == (None, True, PartnerState.APPLIED)
    assert struck() == ["partner.contact_struck"]
