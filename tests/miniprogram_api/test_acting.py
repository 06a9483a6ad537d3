"""Acting for somebody over the wire: what is written down for them needs their word, through whichever door it was given."""

from __future__ import annotations

from models.base import transaction
from models.consents import PRIVACY_POLICY
from models.counter import ConsentGiver
from models.profiles import withdraw_from_all
from models.residents import BondKind
from tests.people import Town, a_bond, a_resident
from tests.phones import Door, the_problem, told

SIGNED = {"version": PRIVACY_POLICY.version, "given_by": ConsentGiver.ONESELF}


def test_nothing_is_written_down_for_somebody_who_took_back_what_they_signed(door: Door, town: Town) -> None:
    clerk, paper = door.phone(town.clerk), f"/staff/residents/{town.elder.key}/consent"
    answers = f"/course-runs/{town.a_run().key}/answers?for={town.elder.key}"
    told(clerk.put(paper, json=SIGNED))
    told(clerk.delete(paper))
    the_problem(door.phone(town.helper).put(answers, json={"answers": []}), 409, "ward_withdrew")
    told(clerk.put(paper, json=SIGNED))
    told(door.phone(town.helper).put(answers, json={"answers": []}))


def test_a_guardian_writes_down_for_a_child_whatever_the_childs_own_phone_says(
    door: Door, town: Town
) -> None:
    with transaction() as session:
        child = a_resident(session, town.wutong, name="小周", birth_year=2016)
        a_bond(session, town.guardian, child, kind=BondKind.GUARDIAN)
        withdraw_from_all(session, child.account(session).lock())
    answers = f"/course-runs/{town.a_run().key}/answers?for={child.key}"
    told(door.phone(town.guardian).put(answers, json={"answers": []}))


def test_nobody_writes_down_for_another_before_they_agreed_themselves(door: Door, town: Town) -> None:
    answers = f"/course-runs/{town.a_run().key}/answers?for={town.elder.key}"
    phone = door.phone(town.helper)
    assert phone.delete("/me/consent").status_code == 204
    body = the_problem(phone.put(answers, json={"answers": []}), 409, "profile_needed")
    assert body["details"]["fields"] == ["consent"]
