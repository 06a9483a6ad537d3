"""Becoming staff by invitation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from werkzeug.test import TestResponse

from models.base import transaction
from models.clock import StoppedClock
from models.staff import INVITATION_DAYS, Role, StaffMember, grant, hire, invite
from tests.people import Town
from tests.phones import Door, Phone, the_problem, told


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


def test_two_taps_at_once_with_one_code_are_told_the_same(door: Door, town: Town) -> None:
    """The slower one finds the code used up, by the quicker one: not a reason to say no to somebody who tapped twice."""
    phone, sent, together = door.phone(town.resident), {"code": invited(town)}, Barrier(4)

    def tap() -> TestResponse:
        mine = Phone(door.app.test_client(), phone.token)
        together.wait(30)
        return mine.post("/me/staff-memberships", json=sent, headers={"Idempotency-Key": "join"})

    with ThreadPoolExecutor(4) as taps:
        answers = [one.result() for one in [taps.submit(tap) for _ in range(4)]]
    first = told(answers[0], 201)
    assert [told(answer, 201) for answer in answers] == [first] * 4
