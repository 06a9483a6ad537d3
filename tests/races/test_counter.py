"""Two counters at once: the same person is entered once, whoever's hand was quicker."""

from __future__ import annotations

from sqlalchemy import select

from models.base import reading, transaction
from models.consents import PRIVACY_POLICY
from models.counter import Card, ConsentGiver, enter_resident, people_scope
from models.errors import Conflict
from models.regions import Region
from models.residents import Resident
from tests.conftest import House
from tests.people import Town, Worker
from tests.races.rush import rush


def test_two_who_enter_the_same_person_at_once_enter_them_once(town: Town, house: House) -> None:
    def enters(worker: Worker) -> str:
        with transaction() as session:
            member = worker.member(session)
            home = session.get_one(Region, town.wutong.id)
            return enter_resident(
                session,
                Card("孙奶奶", 1941, home, "13911112222"),
                scope=people_scope(session, member),
                consent_version=PRIVACY_POLICY.version,
                given_by=ConsentGiver.ONESELF,
                by=member,
            ).key

    workers = [town.clerk, town.admin, town.grid_worker] * 4
    answers = rush(house.app, [lambda worker=worker: enters(worker) for worker in workers])  # type: ignore[misc]
    with reading() as session:
        (elder,) = session.scalars(select(Resident).where(Resident.name == "孙奶奶"))
    assert answers.count(elder.key) == 1
    refusals = [answer for answer in answers if isinstance(answer, Conflict)]
    assert len(refusals) == len(workers) - 1
    assert {refusal.details["resident"] for refusal in refusals} == {elder.key}
