"""Becoming staff by invitation."""

from __future__ import annotations

import pytest

from models.base import transaction
from models.clock import StoppedClock
from models.staff import INVITATION_DAYS, Role, StaffMember, grant, hire, invite
from tests.people import Town
from tests.phones import Door, the_problem, told


def invited(town: Town, name: str = "新来的小李") -> str:
    with transaction() as session:
        member = hire(session, name)
        grant(session, member, Role.CLERK, town.wutong)
        return invite(session, member)


def test_an_invitation_turns_a_wechat_into_a_clerk(door: Door, town: Town) -> None:
    phone = door.phone(town.resident)
    hat = told(phone.post("/me/staff-memberships", json={"code": invited(town)}), 201)
    assert hat["name"] == "新来的小李"
    assert [role["role"] for role in hat["roles"]] == ["clerk"]
    assert phone.wearing(hat["identity"]).get("/me").status_code == 200
    assert told(phone.get("/me"))["identities"] == [hat]


def test_an_invitation_is_good_once(door: Door, town: Town) -> None:
    code = invited(town)
    told(door.phone(town.resident).post("/me/staff-memberships", json={"code": code}), 201)
    for who in (town.resident, town.neighbour):
        answer = door.phone(who).post("/me/staff-memberships", json={"code": code})
        the_problem(answer, 409, "invitation_invalid")


def test_an_invitation_that_is_too_old_is_refused(door: Door, town: Town, clock: StoppedClock) -> None:
    code = invited(town)
    clock.advance(days=INVITATION_DAYS)
    answer = door.phone(town.resident).post("/me/staff-memberships", json={"code": code})
    the_problem(answer, 409, "invitation_invalid")


def test_a_newer_invitation_replaces_the_older(door: Door, town: Town) -> None:
    first = invited(town)
    with transaction() as session:
        member = session.query(StaffMember).filter_by(name="新来的小李").one()
        second = invite(session, member)
    phone = door.phone(town.resident)
    the_problem(phone.post("/me/staff-memberships", json={"code": first}), 409, "invitation_invalid")
    told(phone.post("/me/staff-memberships", json={"code": second}), 201)


@pytest.mark.parametrize("code", ["nobody-was-given-this", "邀请码", "' OR 1=1 --"])
def test_an_invented_code_is_refused(door: Door, town: Town, code: str) -> None:
    answer = door.phone(town.resident).post("/me/staff-memberships", json={"code": code})
    the_problem(answer, 409, "invitation_invalid")


def test_the_answer_to_an_attempt_is_told_again_although_the_code_is_used_up(door: Door, town: Town) -> None:
    phone, sent = door.phone(town.resident), {"code": invited(town)}
    first = phone.post("/me/staff-memberships", json=sent, headers={"Idempotency-Key": "join"})
    again = phone.post("/me/staff-memberships", json=sent, headers={"Idempotency-Key": "join"})
    assert told(first, 201) == told(again, 201)
