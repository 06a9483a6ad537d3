"""Several workers on one ladder, and somebody who leaves while they are at it: nothing twice, nothing lost, nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from miniprogram_api.sms import ConsoleSms, SmsGateway, SmsOutcome
from miniprogram_api.wechat import SendResult
from models import clock as town_clock
from models.base import new_key, reading, transaction
from models.clock import StoppedClock
from models.departures import close_account, what_closing_means
from models.errors import Refusal
from models.ladder import Call, ShortMessage, ShortMessageState, end_rungs
from models.ladder.falling import WAITS_FOR
from models.ladder.holding import hold_people
from models.ladder.sending import LEASE, settle
from models.notices import Delivery, Notice, NoticeKind
from server.jobs import ladder
from tests.carriers import Postman
from tests.people import Person, Town
from tests.phones import Door, door, doors, sandbox
from tests.races.rush import rush

__all__ = ["door", "doors", "sandbox"]

PEOPLE = 24


@pytest.fixture
def postman(door: Door) -> Iterator[Postman]:
    postman, before = Postman(), door.app.extensions["sms"]
    door.app.extensions["sms"] = SmsGateway(postman, written=ConsoleSms())
    yield postman
    door.app.extensions["sms"] = before


def fallen(town: Town, clock: StoppedClock) -> list[Person]:
    """People who moved up and whom WeChat could not tell."""
    run, before = town.a_run(capacity=PEOPLE), town.people(PEOPLE)
    people = town.people(PEOPLE)
    with transaction() as session:
        for n, person in enumerate(people):
            person.resident(session).take_phone(f"137{n:08}", verified=False)
    for person in (*before, *people):
        person.tap(run)
    for person in before:
        person.give_up(run)
    with transaction() as session:
        session.execute(update(Notice).values(delivery=Delivery.NOT_GRANTED, settled_at=town_clock.now()))
    clock.advance(seconds=WAITS_FOR.total_seconds() + 1)
    return people


def counted(table: type[ShortMessage | Call]) -> int:
    with reading() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


def drained(door: Door) -> None:
    with door.app.app_context():
        while ladder.send_short_messages(town_clock.now()):
            pass


def test_what_fell_is_passed_on_once_however_many_workers_look(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    fallen(town, clock)
    answers = rush(door.app, [lambda: ladder.pass_on(town_clock.now())] * 8, threads=8)
    assert sum(answer for answer in answers if isinstance(answer, int)) == PEOPLE
    assert counted(ShortMessage) == PEOPLE


def test_the_constraint_refuses_the_same_news_on_one_rung_twice(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    """With the locks out, this is what is left."""
    fallen(town, clock)
    ladder.pass_on(town_clock.now())
    with reading() as session:
        first = session.scalars(select(ShortMessage).limit(1)).one()
    again = {
        column.key: getattr(first, column.key)
        for column in ShortMessage.__table__.columns
        if column.key not in {"id", "key"}
    }
    with pytest.raises(IntegrityError), transaction() as session:
        session.add(ShortMessage(**again))


def test_no_phone_gets_one_message_twice_however_many_workers_send(
    door: Door, town: Town, clock: StoppedClock, postman: Postman
) -> None:
    people = fallen(town, clock)
    ladder.pass_on(town_clock.now())
    rush(door.app, [lambda: ladder.send_short_messages(town_clock.now())] * 12, threads=4)
    drained(door)
    assert len(postman.phones) == len(set(postman.phones)) == len(people)
    with reading() as session:
        assert set(session.scalars(select(ShortMessage.state))) == {ShortMessageState.SENT}


def test_several_messages_to_one_phone_go_one_after_the_other(
    door: Door, town: Town, clock: StoppedClock, postman: Postman
) -> None:
    people = fallen(town, clock)
    with transaction() as session:
        for person in people:
            person.resident(session).take_phone("13712345678", verified=False)
    ladder.pass_on(town_clock.now())
    rush(door.app, [lambda: ladder.send_short_messages(town_clock.now())] * 8, threads=4)
    drained(door)
    assert counted(Call) == PEOPLE - len(postman.phones)
    assert 3 <= len(postman.phones) <= 3 + 4, "at most one more a worker that claimed at the same moment"


def test_an_outcome_and_a_departure_never_wait_for_each_other(
    door: Door, town: Town, clock: StoppedClock, postman: Postman
) -> None:
    """The call that an outcome leads to points at the person, whom the departure holds; the departure changes the message."""
    (person, *_) = fallen(town, clock)
    ladder.pass_on(town_clock.now())
    with transaction() as session:
        message = session.scalars(
            select(ShortMessage).where(ShortMessage.resident_id == person.resident_id)
        ).one()
        message.state, message.facts = ShortMessageState.SENDING, {**message.facts, "learner": "王奶奶"}
    broken: list[Exception] = []

    def write_down() -> None:
        try:
            with door.app.app_context(), transaction() as session:
                settle(session, message.id, ShortMessageState.REFUSED)
        except DBAPIError as error:
            broken.append(error)

    with transaction() as session:
        leaving = person.resident(session).lock()
        leaving.key = new_key()
        session.flush()
        outcome = threading.Thread(target=write_down)
        outcome.start()
        outcome.join(0.5)
        assert outcome.is_alive(), "it waits until it is known whether there is somebody to call"
        end_rungs(session, [person.resident_id])
    outcome.join(10)
    assert not outcome.is_alive()
    assert broken == []


def test_giving_up_on_lost_messages_holds_people_in_the_order_everybody_does(
    door: Door, town: Town, clock: StoppedClock
) -> None:
    """Whoever cancels calls holds several people too: in two orders they would wait for each other."""
    fallen(town, clock)
    ladder.pass_on(town_clock.now())
    with transaction() as session:  # the message owed first is for whom came last
        first, second, *_ = session.scalars(select(ShortMessage).order_by(ShortMessage.id)).all()
        earlier, later = sorted([first.resident_id, second.resident_id])
        for message, resident_id in ((first, later), (second, earlier)):
            message.resident_id, message.state = resident_id, ShortMessageState.SENDING
            message.claimed_at = town_clock.now() - LEASE * 2
    broken: list[Exception] = []
    lost: list[int] = []

    def give_up() -> None:
        try:
            with door.app.app_context():
                lost.append(ladder.settle_lost(town_clock.now()))
        except DBAPIError as error:
            broken.append(error)

    with transaction() as session:
        hold_people(session, [earlier])
        giving_up = threading.Thread(target=give_up)
        giving_up.start()
        giving_up.join(0.5)
        assert giving_up.is_alive()
        hold_people(session, [later])
    giving_up.join(10)
    assert broken == []
    assert lost == [2]


def test_who_leaves_while_the_ladder_works_is_neither_called_nor_in_the_way(
    door: Door, town: Town, clock: StoppedClock, postman: Postman
) -> None:
    people = fallen(town, clock)
    postman.answers = [SmsOutcome(SendResult.REFUSED, "FailedOperation")] * PEOPLE * 2

    def leave(person: Person) -> str:
        try:
            with transaction() as session:
                account = person.account(session)
                close_account(session, account, seen=what_closing_means(session, account).fingerprint)
        except Refusal as refusal:  # somebody before them left, and the seat was another one
            return refusal.code
        return "left"

    leaving = people[: PEOPLE // 2]
    deeds = [
        deed
        for person in leaving
        for deed in (
            lambda: str(ladder.pass_on(town_clock.now())),
            lambda person=person: leave(person),
            lambda: str(ladder.send_short_messages(town_clock.now())),
            lambda: str(ladder.cancel_stale_calls(town_clock.now())),
        )
    ]
    answers = rush(door.app, deeds, threads=6)
    assert [answer for answer in answers if not isinstance(answer, str)] == []
    assert answers.count("left") == len(leaving)
    ladder.pass_on(town_clock.now())
    drained(door)
    ladder.cancel_stale_calls(town_clock.now())
    with reading() as session:
        to_call = set(
            session.scalars(
                select(Call.resident_id).where(
                    Call.kind == NoticeKind.REGISTRATION_PROMOTED, Call.settled_at.is_(None)
                )
            )
        )
    assert to_call == {person.resident_id for person in people} - {person.resident_id for person in leaving}
