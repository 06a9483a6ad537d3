"""However the two reports of each answer come in, doubled, late, in any order, one side lost: each answer counts once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models import clock as town_clock
from models.base import db, reading, transaction
from models.grants import SAME_ANSWER, GrantReport, MessageGrant
from models.notices import TemplateName
from models.pushes import PushKind, Told, take_down
from server.jobs.pushes import settle_pushes
from tests.conftest import NOON, House
from tests.databases import wipe
from tests.people import Town, build_town
from tests.phones import TEMPLATES, Door, Phone, door, doors, sandbox, told

__all__ = ["door", "doors", "sandbox"]

RESULT = TEMPLATES[TemplateName.REGISTRATION_RESULT]


@dataclass(frozen=True)
class Given:
    """One answer of the person: when, which, and how each side tells of it (how late in seconds, how often)."""

    minute: int
    accepted: bool
    phone_late: int
    phone_times: int
    wechat_late: int
    wechat_times: int


answers = st.builds(
    Given,
    minute=st.integers(0, 60),
    accepted=st.booleans(),
    phone_late=st.integers(0, int(SAME_ANSWER.total_seconds())),
    phone_times=st.integers(1, 3),
    wechat_late=st.integers(0, 3000),
    wechat_times=st.integers(1, 3),
)


@given(
    given_answers=st.lists(answers, min_size=1, max_size=6, unique_by=lambda one: one.minute),
    lost=st.sampled_from(["nothing", "phone", "wechat", "some of the phone's", "some of wechat's"]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def each_answer_counts_once(
    app: Flask, fresh_town: Callable[[], tuple[Town, Phone]], given_answers: list[Given], lost: str
) -> None:
    with town_clock.stopped_at(NOON) as hand:
        town, phone = fresh_town()
        steps: list[tuple[float, int, str, Given]] = []
        for number, one in enumerate(given_answers):
            some = number % 2 == 0
            if lost not in ("phone",) and not (lost == "some of the phone's" and some):
                steps += [(one.minute * 60 + one.phone_late, number, "phone", one)] * one.phone_times
            if lost not in ("wechat",) and not (lost == "some of wechat's" and some):
                steps += [(one.minute * 60 + one.wechat_late, number, "wechat", one)] * one.wechat_times
        for second, number, source, one in sorted(steps, key=lambda step: step[0]):
            hand.move_to(NOON + timedelta(seconds=second))
            if source == "phone":
                answer = "accept" if one.accepted else "reject"
                told(
                    phone.post(
                        "/me/message-grants",
                        json={"answers": {RESULT: answer}},
                        headers={"Idempotency-Key": f"answer-{number}"},
                    ),
                    201,
                )
            else:
                tell(town, number, one)
                with app.app_context():
                    settle_pushes(town_clock.now())
        with reading() as session:
            grant = session.scalars(
                select(MessageGrant).where(MessageGrant.account_id == town.resident.account_id)
            ).one()
            counted = session.scalars(select(GrantReport).where(GrantReport.matched.is_(False))).all()
    accepted = sum(one.accepted for one in given_answers)
    assert (grant.remaining, grant.accepted) == (accepted, accepted)
    assert grant.refused == len(given_answers) - accepted
    assert len(counted) == len(given_answers)


def tell(town: Town, number: int, one: Given) -> None:
    """WeChat tells of an answer, with the moment it was given at."""
    with reading() as session:
        openid = town.resident.account(session).openid
    with transaction() as session:
        take_down(
            session,
            [
                Told(
                    kind=PushKind.POPUP_ANSWERED,
                    openid=openid,
                    at=NOON + timedelta(minutes=one.minute),
                    dedupe_key=f"event-{number}",
                    facts={"template_id": RESULT, "accepted": one.accepted},
                )
            ],
        )


def test_each_answer_counts_once(house: House, door: Door) -> None:
    def fresh() -> tuple[Town, Phone]:
        wipe(db.engine)
        town = house.town("town", build_town)
        return town, door.phone(town.resident)

    with house.app.app_context():  # the phones' requests and the job have contexts of their own
        each_answer_counts_once(door.app, fresh)
