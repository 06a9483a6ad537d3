"""Units from their application on: who decides, who acts for them, how they are renewed, reminded and suspended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account
from models.base import reading, transaction
from models.departures import begin_closure, close_account, what_closing_means
from models.errors import Conflict, Forbidden, NotFound, Refusal
from models.journal import JournalEntry
from models.notices import Notice, NoticeKind
from models.partners import (
    Pairing,
    PairingState,
    Partner,
    PartnerKind,
    PartnerMember,
    PartnerState,
    agree_to,
    apply_for_unit,
    approve_unit,
    ask_renewal,
    ask_to_be_paired,
    correct_unit,
    end_pairing,
    invite_member,
    is_trusted,
    join_unit,
    leave_unit,
    lift_suspension,
    members_of,
    must_be_manager,
    name_manager,
    owe_renewal_reminders,
    pair,
    paired_places,
    partners_of,
    partners_within,
    reject_unit,
    remove_member,
    renew,
    suspend_unit,
    take_back_invitation,
    trust,
)
from models.policies import set_policy
from models.regions import Region
from models.truth import still_true
from tests.people import Person, Town, UnitMember, Worker, a_card, a_member_of, a_unit

TOWN: dict[str, Any] = {"by_account_id": None, "identity": "town"}


def asks(who: Person, town: Town, **other: Any) -> str:
    with transaction() as session:
        card = replace(a_card(session, town.wutong), **other)
        return apply_for_unit(session, who.account(session), card).key


def says(key: str, decision: Callable[..., None], by: Worker, *because: str) -> None:
    with transaction() as session:
        decision(session, the(session, key), *because, by=by.member(session))


def the(session: Session, key: str) -> Partner:
    return session.scalars(select(Partner).where(Partner.key == key)).one()


def code_of(deed: Callable[[], object], kind: type[Refusal] = Conflict) -> str:
    with pytest.raises(kind) as no:
        deed()
    return no.value.code


def told(kind: NoticeKind) -> list[tuple[int | None, str]]:
    with reading() as session:
        rows = session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id)).all()
        return [(row.account_id, row.body) for row in rows]


def acts(beginning: str) -> list[str]:
    with reading() as session:
        query = select(JournalEntry.act).where(JournalEntry.act.startswith(beginning))
        return list(session.scalars(query.order_by(JournalEntry.id)))


# --- on board -----------------------------------------------------------------------------------------------------


def test_an_approved_applicant_acts_for_the_unit_and_it_is_paired_with_their_community(town: Town) -> None:
    key = asks(town.resident, town)
    with reading() as session:
        assert partners_of(session, town.resident.account(session)) == []
    says(key, approve_unit, town.clerk)
    with reading() as session:
        unit = the(session, key)
        assert [one.key for one in partners_of(session, town.resident.account(session))] == [key]
        assert unit.standing is PartnerState.ACTIVE
        assert unit.renewed_until == clock.today() + timedelta(days=365)
        assert [place.id for place in paired_places(session, unit)] == [town.wutong.id]
        must = session.scalars(select(PartnerMember)).all()[-1]
        assert must.is_manager
    ((account_id, said),) = told(NoticeKind.PARTNER_DECIDED)
    assert account_id == town.resident.account_id
    assert "已通过" in said
    says(key, approve_unit, town.admin)  # twice is fine
    assert acts("partner.a") == ["partner.applied", "partner.approved"]
    assert code_of(lambda: says(key, reject_unit, town.admin, "重复")) == "partner_settled"


def test_a_rejected_application_says_why_and_keeps_neither_name_nor_code(town: Town) -> None:
    with reading() as session:
        card = a_card(session, town.wutong)
    same = {"name": card.name, "credit_code": card.credit_code}
    key = asks(town.resident, town, **same)
    assert code_of(lambda: asks(town.neighbour, town, **same)) == "unit_known"
    says(key, reject_unit, town.clerk, "请补营业执照")
    says(key, reject_unit, town.clerk, "别的原因")  # twice is fine, the first reason stays
    ((_, said),) = told(NoticeKind.PARTNER_DECIDED)
    assert "请补营业执照" in said
    again = asks(town.resident, town, **same)
    with reading() as session:
        assert the(session, key).reason == "请补营业执照"
        ended = session.scalars(select(Pairing).where(Pairing.partner_id == the(session, key).id)).one()
        assert ended.state is PairingState.ENDED
        assert the(session, again).state is PartnerState.APPLIED


def test_whoever_applies_with_the_code_of_a_unit_is_told_to_join_it_and_nothing_of_it(town: Town) -> None:
    with transaction() as session:
        unit = a_unit(session, town.wutong)
        name, code = unit.name, unit.credit_code
    with pytest.raises(Conflict) as no:
        asks(town.resident, town, credit_code=code)
    assert (no.value.code, [fault.field for fault in no.value.faults]) == ("unit_known", ["credit_code"])
    assert name not in no.value.message
    with pytest.raises(Conflict) as no:
        asks(town.resident, town, name=name)
    assert (no.value.code, [fault.field for fault in no.value.faults]) == ("unit_known", ["name"])


@pytest.mark.parametrize(
    ("kind", "code", "refused"),
    [
        (PartnerKind.BRANCH, None, None),
        (PartnerKind.BRANCH, "91350100M000100Y43", "credit_code_unneeded"),
        (PartnerKind.UNIT, None, "credit_code_needed"),
        (PartnerKind.NEIGHBOUR, "", "credit_code_needed"),
        (PartnerKind.PUBLIC_GOOD, "91350100M000100Y44", "credit_code_wrong"),
        (PartnerKind.PUBLIC_GOOD, "91350100M000100Y43", None),
    ],
)
def test_every_unit_has_its_code_and_a_party_branch_has_none(
    town: Town, kind: PartnerKind, code: str | None, refused: str | None
) -> None:
    if refused is None:
        asks(town.resident, town, kind=kind, credit_code=code)
        return
    with pytest.raises(Conflict) as no:
        asks(town.resident, town, kind=kind, credit_code=code)
    assert (no.value.code, [fault.field for fault in no.value.faults]) == (refused, ["credit_code"])


def test_nobody_applies_for_a_department_which_the_street_writes_down(town: Town) -> None:
    with pytest.raises(Conflict) as no:
        asks(town.resident, town, kind=PartnerKind.DEPARTMENT)
    assert (no.value.code, [fault.field for fault in no.value.faults]) == ("unit_kind_unfit", ["kind"])


def test_two_branches_without_a_code_are_two_units(town: Town) -> None:
    keys = {asks(town.resident, town, kind=PartnerKind.BRANCH, credit_code=None) for _ in range(2)}
    assert len(keys) == 2


def test_nobody_applies_for_more_than_three_units_at_once(town: Town) -> None:
    keys = [asks(town.resident, town) for _ in range(3)]
    assert code_of(lambda: asks(town.resident, town)) == "partner_applications_wait"
    says(keys[0], reject_unit, town.clerk, "不在本社区")
    asks(town.resident, town)


def test_nobody_applies_for_a_grid_or_before_agreeing_to_what_is_kept(town: Town) -> None:
    with reading() as session:
        grid = session.scalars(select(Region).where(Region.code == "wutong-1")).one()
    assert code_of(lambda: asks(town.resident, town, region=grid)) == "pairing_unfit"
    with transaction() as session:
        stranger = town.partner_member.account_id
        account, card = session.get_one(Account, stranger), a_card(session, town.wutong)
        with pytest.raises(Conflict) as no:
            apply_for_unit(session, account, card)
    assert no.value.code == "consent_needed"


def test_a_clerk_decides_about_no_unit_of_their_own(town: Town) -> None:
    key = asks(town.resident, town)
    with transaction() as session:
        the(session, key).applied_by_id = town.clerk.account_id
    assert code_of(lambda: says(key, approve_unit, town.clerk), Forbidden) == "own_content"
    says(key, approve_unit, town.admin)


def test_units_are_listed_by_where_they_stand_today(town: Town) -> None:
    waits = asks(town.resident, town)
    with transaction() as session:
        active, lapsed, suspended = (a_unit(session, town.wutong) for _ in range(3))
        lapsed.renewed_until = clock.today() - timedelta(days=1)
        suspend_unit(session, suspended, "失联", **TOWN)
        wanted = {
            PartnerState.APPLIED: [waits],
            PartnerState.ACTIVE: [active.key],
            PartnerState.LAPSED: [lapsed.key],
            PartnerState.SUSPENDED: [suspended.key],
            PartnerState.REJECTED: [],
        }
    with reading() as session:
        for state, keys in wanted.items():
            found = partners_within(session, [town.wutong], state=state, after_id=None, most=9)
            assert [unit.key for unit in found] == keys, state


# --- members ------------------------------------------------------------------------------------------------------


@pytest.fixture
def unit(town: Town) -> UnitMember:
    """A unit of the first community and its manager."""
    with transaction() as session:
        return a_member_of(session, a_unit(session, town.wutong))


def an_invitation(unit: UnitMember) -> str:
    with transaction() as session:
        return invite_member(session, session.get_one(Partner, unit.partner_id), **TOWN)


def joins(who: Person, code: str) -> None:
    with transaction() as session:
        join_unit(session, who.account(session), code)


def test_a_code_is_good_once_for_a_day_and_until_the_next(town: Town, unit: UnitMember) -> None:
    first = an_invitation(unit)
    code = an_invitation(unit)
    assert code_of(lambda: joins(town.resident, first)) == "invitation_invalid"
    joins(town.resident, code)
    assert code_of(lambda: joins(town.neighbour, code)) == "invitation_invalid"
    with reading() as session:
        assert [one.key for one in partners_of(session, town.resident.account(session))] == [unit.partner_key]
        kept = session.get_one(Partner, unit.partner_id).invitation_fingerprint
        assert kept is None
    taken_back = an_invitation(unit)
    with transaction() as session:
        partner = session.get_one(Partner, unit.partner_id)
        assert partner.invitation_fingerprint != taken_back
        take_back_invitation(session, partner, **TOWN)
        take_back_invitation(session, partner, **TOWN)
    assert code_of(lambda: joins(town.neighbour, taken_back)) == "invitation_invalid"
    assert acts("partner.invitation") == ["partner.invitation_taken_back"]


def test_a_code_that_is_a_day_old_is_worth_nothing(town: Town, unit: UnitMember) -> None:
    code = an_invitation(unit)
    with transaction() as session:
        session.get_one(Partner, unit.partner_id).invited_until = clock.now()
    assert code_of(lambda: joins(town.resident, code)) == "invitation_invalid"


def test_who_is_in_a_unit_leaves_the_code_to_a_colleague(town: Town, unit: UnitMember) -> None:
    joins(town.resident, an_invitation(unit))
    code = an_invitation(unit)
    assert code_of(lambda: joins(town.resident, code)) == "already_member"
    joins(town.neighbour, code)


def test_a_manager_goes_when_another_is_named_and_whoever_comes_back_is_none(
    town: Town, unit: UnitMember
) -> None:
    joins(town.resident, an_invitation(unit))

    def leaves(account_id: int) -> None:
        with transaction() as session:
            leave_unit(
                session, session.get_one(Account, account_id), session.get_one(Partner, unit.partner_id)
            )

    assert code_of(lambda: leaves(unit.account_id)) == "last_manager"
    with transaction() as session:
        mine = session.scalars(
            select(PartnerMember).where(PartnerMember.account_id == town.resident.account_id)
        ).one()
        name_manager(session, mine, **TOWN)
        name_manager(session, mine, **TOWN)
    leaves(unit.account_id)
    leaves(unit.account_id)
    assert acts("partner_member") == [
        "partner_member.joined",
        "partner_member.named_manager",
        "partner_member.left",
    ]
    with transaction() as session:
        partner = session.get_one(Partner, unit.partner_id)
        must_be_manager(session, partner, town.resident.account(session))
        with pytest.raises(Forbidden) as no:
            must_be_manager(session, partner, session.get_one(Account, unit.account_id))
        assert no.value.code == "manager_needed"
        gone = session.scalars(select(PartnerMember).where(PartnerMember.account_id == unit.account_id)).one()
        with pytest.raises(NotFound):
            name_manager(session, gone, **TOWN)
        assert members_of(session, [partner.id]) == {partner.id: [town.resident.account_id]}
        assert members_of(session, [partner.id], managers=True) == {partner.id: [town.resident.account_id]}


def test_staff_remove_the_last_manager_and_the_eldest_member_takes_over(town: Town, unit: UnitMember) -> None:
    for who in (town.resident, town.neighbour):
        joins(who, an_invitation(unit))
    with transaction() as session:
        member = session.scalars(
            select(PartnerMember).where(PartnerMember.account_id == unit.account_id)
        ).one()
        with pytest.raises(Conflict):
            remove_member(session, member, by_account_id=unit.account_id, identity=unit.identity)
        by = town.clerk.member(session)
        remove_member(session, member, by_account_id=by.account_id, identity=by.identity)
        managers = members_of(session, [unit.partner_id], managers=True)
        assert managers == {unit.partner_id: [town.resident.account_id]}


def test_who_closes_their_wechat_hands_the_unit_to_the_eldest_and_takes_applications_back(
    town: Town, unit: UnitMember
) -> None:
    joins(town.resident, an_invitation(unit))
    joins(town.neighbour, an_invitation(unit))
    key = asks(town.resident, town)
    with transaction() as session:
        mine = session.scalars(
            select(PartnerMember).where(PartnerMember.account_id == town.resident.account_id)
        ).one()
        name_manager(session, mine, **TOWN)
        leave_unit(
            session, session.get_one(Account, unit.account_id), session.get_one(Partner, unit.partner_id)
        )
    with transaction() as session:
        begin_closure(session, town.resident.account(session))
    with reading() as session:
        managers = members_of(session, [unit.partner_id], managers=True)
        assert managers == {unit.partner_id: [town.neighbour.account_id]}
        asked = the(session, key)
        assert (asked.state, asked.contact_name, asked.contact_phone) == (PartnerState.REJECTED, None, None)
    assert code_of(lambda: says(key, approve_unit, town.clerk)) == "partner_settled"


def test_nobody_pairs_or_trusts_a_unit_they_act_for_themselves(town: Town, unit: UnitMember) -> None:
    """Four eyes: what it claims would need nobody's word but their own."""
    both: dict[str, Any] = {"by_account_id": unit.account_id, "identity": town.clerk.identity}
    deeds: list[Callable[[Session, Pairing], object]] = [
        lambda session, pairing: agree_to(session, pairing, **both),
        lambda session, pairing: pair(session, pairing.partner, pairing.region, **both),
        lambda session, pairing: trust(session, pairing, is_trusted=True, **both),
    ]
    with transaction() as session:
        partner, there = (
            session.get_one(Partner, unit.partner_id),
            session.get_one(Region, town.wangjiang.id),
        )
        pairing = ask_to_be_paired(session, partner, there, by_account_id=None, identity=unit.identity)
        for asked in (True, False):
            for deed in deeds:
                with pytest.raises(Forbidden) as no:
                    deed(session, pairing)
                assert no.value.code == "own_content"
            if asked:
                assert pairing.state is PairingState.ASKED
                agree_to(session, pairing, **TOWN)
        assert not pairing.is_trusted
        trust(session, pairing, is_trusted=True, **TOWN)
        trust(session, pairing, is_trusted=False, **both)  # less is no favour
        assert not pairing.is_trusted


def test_whoever_acts_for_a_unit_hands_it_over_before_closing_their_account(
    town: Town, unit: UnitMember
) -> None:
    joins(town.resident, an_invitation(unit))

    def closes() -> None:
        with reading() as session:
            seen = what_closing_means(session, town.resident.account(session)).fingerprint
        with transaction() as session:
            close_account(session, town.resident.account(session), seen=seen)

    assert code_of(closes) == "closure_blocked"
    with transaction() as session:
        leave_unit(session, town.resident.account(session), session.get_one(Partner, unit.partner_id))
    closes()


# --- pairing ------------------------------------------------------------------------------------------------------


def test_a_pairing_is_asked_for_agreed_to_trusted_and_ended(town: Town, unit: UnitMember) -> None:
    by: dict[str, Any] = {"by_account_id": unit.account_id, "identity": unit.identity}
    with transaction() as session:
        partner, there = (
            session.get_one(Partner, unit.partner_id),
            session.get_one(Region, town.wangjiang.id),
        )
        pairing = ask_to_be_paired(session, partner, there, **by)
        assert ask_to_be_paired(session, partner, there, **by) is pairing
        with pytest.raises(Conflict):
            trust(session, pairing, is_trusted=True, **TOWN)
        agree_to(session, pairing, **TOWN)
        agree_to(session, pairing, **TOWN)
        trust(session, pairing, is_trusted=True, **TOWN)
        trust(session, pairing, is_trusted=True, **TOWN)
        assert is_trusted(session, partner, town.wangjiang)
        end_pairing(session, pairing, "换了联系人", **TOWN)
        end_pairing(session, pairing, "别的", **TOWN)
        assert (pairing.reason, pairing.is_trusted) == ("换了联系人", False)
        assert [place.id for place in paired_places(session, partner)] == [town.wutong.id]
        with pytest.raises(Conflict) as no:
            agree_to(session, pairing, **TOWN)
        assert no.value.code == "pairing_over"
        assert ask_to_be_paired(session, partner, there, **by) is not pairing
    assert acts("pairing") == [
        "pairing.agreed",
        "pairing.asked",
        "pairing.agreed",
        "pairing.trusted",
        "pairing.ended",
        "pairing.asked",
    ]
    agreed, ended = told(NoticeKind.PARTNER_DECIDED)
    assert "结对成功" in agreed[1]
    assert "换了联系人" in ended[1]


def test_a_unit_that_ends_a_pairing_itself_is_not_told_so(town: Town, unit: UnitMember) -> None:
    with transaction() as session:
        pairing = session.scalars(select(Pairing).where(Pairing.partner_id == unit.partner_id)).one()
        end_pairing(session, pairing, "太远", by_account_id=unit.account_id, identity=unit.identity)
    assert told(NoticeKind.PARTNER_DECIDED) == []


# --- the year -----------------------------------------------------------------------------------------------------


def ends_in(unit: UnitMember, days: int) -> None:
    with transaction() as session:
        session.get_one(Partner, unit.partner_id).renewed_until = clock.today() + timedelta(days=days)


@pytest.mark.parametrize(("days", "until"), [(30, 395), (0, 365), (-40, 365), (31, 31)])
def test_a_year_goes_on_from_where_it_ends_and_two_clerks_give_one_year(
    town: Town, unit: UnitMember, days: int, until: int
) -> None:
    ends_in(unit, days)
    for _ in range(2):
        with transaction() as session:
            renew(session, session.get_one(Partner, unit.partner_id), **TOWN)
    with reading() as session:
        assert session.get_one(Partner, unit.partner_id).renewed_until == clock.today() + timedelta(
            days=until
        )
    assert acts("partner.renew") == ([] if until == days else ["partner.renewed"])


def test_a_unit_asks_for_another_year_when_this_one_is_nearly_over(town: Town, unit: UnitMember) -> None:
    def asks_to_go_on() -> None:
        with transaction() as session:
            ask_renewal(session, session.get_one(Partner, unit.partner_id), **TOWN)

    with pytest.raises(Conflict) as no:
        asks_to_go_on()
    assert no.value.code == "renewal_early"
    assert no.value.details["from"] == (clock.today() + timedelta(days=335)).isoformat()
    ends_in(unit, 30)
    asks_to_go_on()
    asks_to_go_on()
    assert acts("partner.renewal") == ["partner.renewal_asked"]
    with transaction() as session:
        partner = session.get_one(Partner, unit.partner_id)
        renew(session, partner, **TOWN)
        assert partner.renewal_asked_at is None


def test_the_unit_and_the_office_hear_once_a_year_that_it_is_nearly_over(
    town: Town, unit: UnitMember
) -> None:
    ends_in(unit, 31)
    with transaction() as session:
        assert owe_renewal_reminders(session, clock.now()) == 0
    ends_in(unit, 30)
    for new in (3, 0):  # its manager, the clerk and the administrator
        with transaction() as session:
            assert owe_renewal_reminders(session, clock.now()) == new
    heard = {account_id for account_id, _ in told(NoticeKind.PARTNER_RENEWAL)}
    assert heard == {unit.account_id, town.clerk.account_id, town.admin.account_id}
    with reading() as session:
        notices = session.scalars(select(Notice).where(Notice.kind == NoticeKind.PARTNER_RENEWAL)).all()
        assert len(still_true(session, notices)) == 3
    with transaction() as session:
        renew(session, session.get_one(Partner, unit.partner_id), **TOWN)
    with reading() as session:
        assert still_true(session, notices) == set()


def test_a_place_says_itself_how_early_a_unit_is_reminded(town: Town, unit: UnitMember) -> None:
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "partner_renewal_notice_days", "60")
    ends_in(unit, 60)
    with transaction() as session:
        assert owe_renewal_reminders(session, clock.now()) == 3


# --- suspension ---------------------------------------------------------------------------------------------------


def test_a_suspended_unit_changes_nothing_until_it_is_lifted(town: Town, unit: UnitMember) -> None:
    """E19, its first half."""
    code = an_invitation(unit)
    with transaction() as session:
        partner = session.get_one(Partner, unit.partner_id)
        suspend_unit(session, partner, "两次没有送到", **TOWN)
        suspend_unit(session, partner, "两次没有送到", **TOWN)
        for deed in (invite_member, ask_renewal):
            with pytest.raises(Forbidden, match="两次没有送到") as no:
                deed(session, partner, **TOWN)
            assert no.value.code == "partner_suspended"
        assert paired_places(session, partner) == []
    assert code_of(lambda: joins(town.resident, code)) == "invitation_invalid"
    with transaction() as session:
        lift_suspension(session, session.get_one(Partner, unit.partner_id), **TOWN)
        lift_suspension(session, session.get_one(Partner, unit.partner_id), **TOWN)
    with reading() as session:
        assert len(paired_places(session, session.get_one(Partner, unit.partner_id))) == 1
    assert [said.partition("：")[2][:3] for _, said in told(NoticeKind.PARTNER_DECIDED)] == [
        "已暂停",
        "已恢复",
    ]
    assert acts("partner.s") + acts("partner.res") == ["partner.suspended", "partner.resumed"]


def test_what_was_said_of_a_suspension_is_not_so_once_it_is_lifted(town: Town, unit: UnitMember) -> None:
    with transaction() as session:
        suspend_unit(session, session.get_one(Partner, unit.partner_id), "失联", **TOWN)
    with reading() as session:
        notices = session.scalars(select(Notice)).all()
        assert len(still_true(session, notices)) == 1
    with transaction() as session:
        lift_suspension(session, session.get_one(Partner, unit.partner_id), **TOWN)
    with reading() as session:
        assert still_true(session, notices) == set()


def test_an_application_is_neither_suspended_nor_renewed(town: Town) -> None:
    key = asks(town.resident, town)
    for deed in (lift_suspension, renew, ask_renewal):
        with transaction() as session, pytest.raises(Conflict) as no:
            deed(session, the(session, key), **TOWN)
        assert no.value.code == "partner_not_approved"


def test_a_corrected_unit_stays_where_it_stands(town: Town, unit: UnitMember) -> None:
    with transaction() as session:
        partner = session.get_one(Partner, unit.partner_id)
        suspend_unit(session, partner, "失联", **TOWN)
        card = replace(a_card(session, town.wutong), credit_code=partner.credit_code)
        correct_unit(session, partner, card, **TOWN)
        assert (partner.name, partner.state) == (card.name, PartnerState.SUSPENDED)
