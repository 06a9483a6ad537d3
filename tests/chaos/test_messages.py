"""Messages on a bad day: real workers, a WeChat that fails in every way it can, a worker killed and started again, two at once throughout.

What is compared is everything: the state of every notice with what lies in every phone (``what_is_wrong``). The control shows that the
comparison sees it when a worker sends again what may have arrived.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import exists, select, text
from sqlalchemy.orm import aliased

from models import clock
from models.base import reading, transaction
from models.grants import Answer, MessageGrant, record_answers
from models.notices import Delivery, Notice, TemplateName
from models.notices.sending import LEASE
from server.jobs.delivery import settle_lost
from server.wechat_sandbox.templates import registration_result
from tests.bench.posting import WORKER, Wechat, Worker
from tests.bench.serving import until
from tests.conftest import DATA_KEY, LOOKUP_KEY, SECRET_KEY, House
from tests.people import Person, a_crowd, build_town
from tests.sandbox import SEND, SandboxHands

TEMPLATE = TemplateName.REGISTRATION_RESULT
SEED = 20261121
PEOPLE = 90
CLASSES = 4
CONNECTIONS = 8  # a worker
ANSWER_MS = 250  # so that something is always under way
SETTLES_WITHIN_SECONDS = 60.0
LONGEST_CALL = timedelta(seconds=12)  # time limits of a connection and an answer, with a token before
STALL_MS = 10_000

RECEIVED = {Delivery.SENT: (1,), Delivery.UNKNOWN: (0, 1)}  # what else there is was not received

# a worker that takes "nobody knows" for "surely not"
pytestmark = pytest.mark.long

HASTY = """
from models.notices import Delivery
from server import worker
from server.jobs import delivery
ending = delivery._ending
def hasty(letter, outcome):
    return ending(letter, delivery.SendOutcome(delivery.SendResult.TRY_LATER, outcome.errcode, reason=outcome.reason)
        if outcome.result is delivery.SendResult.UNKNOWN else outcome)
delivery._ending = hasty
worker.main()
"""


@dataclass
class BadDay:
    """People who hold seats in some classes and are owed a message for each, and the processes that see to it."""

    house: House
    wechat: SandboxHands
    people: list[Person]
    openids: dict[int, str]
    directory: Path
    workers: list[Worker] = field(default_factory=list)

    def start_worker(self, command: Collection[str] = WORKER) -> Worker:
        """One more."""
        environment = {
            "JIAMENKOU_MODE": "demo",
            "DATABASE_URL": self.house.url,
            "DATA_DIR": str(self.directory),
            "SECRET_KEY": SECRET_KEY,
            "DATA_KEY": DATA_KEY,
            "LOOKUP_KEY": LOOKUP_KEY,
            "WECHAT_BASE_URL": self.wechat.base_url,
            "WECHAT_CONNECTIONS": str(CONNECTIONS),
        }
        worker = Worker(environment, self.directory / f"worker-{len(self.workers)}.log", tuple(command))
        self.workers.append(worker)
        return worker.start()

    def until_called(self, times: int) -> None:
        """Wait until WeChat has been asked so often to send something."""
        until(
            lambda: self.wechat.calls(SEND) >= times,
            within=SETTLES_WITHIN_SECONDS,
            what=f"{times} messages are on their way",
        )

    def until_settled(self) -> None:
        """Wait until nothing happens any more: what a dead worker holds, and what waits behind it, stays as it is."""
        until(self._rests, within=SETTLES_WITHIN_SECONDS, what="every message that can go out has gone out")

    def _rests(self) -> bool:
        time.sleep(0.3)
        in_hand = aliased(Notice)
        behind = exists().where(in_hand.account_id == Notice.account_id, in_hand.delivery == Delivery.SENDING)
        waits = (Notice.delivery == Delivery.OWED) & ~behind
        is_sent = (Notice.delivery == Delivery.SENDING) & (Notice.claimed_at > clock.now() - LONGEST_CALL)
        with reading() as session:
            # one statement, one moment: between two, what was behind may have got its turn
            return session.scalar(select(Notice.id).where(waits | is_sent).limit(1)) is None

    def let_the_lease_lapse(self) -> int:
        """Two minutes later the next worker finds what a dead one held; how many."""
        with clock.stopped_at(clock.now() + LEASE + timedelta(seconds=1)):
            return settle_lost(clock.now())

    def cut_the_workers_off(self) -> None:
        """The database hangs up on everybody but us (PostgreSQL alone has such connections)."""
        with transaction() as session:
            if session.get_bind().dialect.name == "postgresql":
                session.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )


def what_is_wrong(day: BadDay, *, stalled: Collection[str] = ()) -> list[str]:
    """Everything that is not as it should be, in words. ``stalled`` are those to whom WeChat took longer than we wait."""
    wrong: list[str] = []
    with reading() as session:
        notices = session.scalars(select(Notice).order_by(Notice.id)).all()
        ledger = {
            grant.account_id: grant
            for grant in session.scalars(select(MessageGrant).where(MessageGrant.template == TEMPLATE))
        }
    for account_id, openid in day.openids.items():
        theirs = [notice for notice in notices if notice.account_id == account_id]
        titles = [str(notice.facts["course"]) for notice in theirs]
        received = [message["values"]["thing1"] for message in day.wechat.messages(openid)]
        times = Counter(received)
        for notice, title in zip(theirs, titles, strict=True):
            if times[title] not in RECEIVED.get(notice.delivery, (0,)):
                wrong.append(f"{openid}: {title} is {notice.delivery} and was received {times[title]} times")
            if notice.delivery in (Delivery.OWED, Delivery.SENDING):
                wrong.append(f"{openid}: {title} is still {notice.delivery}")
        if sorted(received, key=titles.index) != received:
            wrong.append(f"{openid}: received in the order {received}, owed in the order {titles}")
        grant = ledger[account_id]
        used = sum(notice.delivery in RECEIVED for notice in theirs)
        left = 0 if any(notice.outcome == "43101" for notice in theirs) else grant.accepted - used
        if grant.remaining != left:
            wrong.append(f"{openid}: {grant.remaining} left of {grant.accepted} with {used} used")
    wrong += [
        f"{openid}: two messages under way at once, {times} times"
        for openid, times in day.wechat.overlaps().items()
        if openid not in stalled
    ]
    return wrong


@pytest.fixture
def day(house: House, tmp_path: Path) -> Iterator[BadDay]:
    """Everybody has registered for every class and allowed every message; no worker is up yet."""
    with (
        Wechat(tmp_path / "sandbox.log") as sandbox,
        house.app.app_context(),
        a_town(house, SandboxHands(sandbox.base_url), tmp_path) as day,
    ):
        yield day


@contextmanager
def a_town(house: House, wechat: SandboxHands, directory: Path) -> Iterator[BadDay]:
    now = clock.now()
    town = build_town()
    with transaction() as session:
        people = a_crowd(session, town.wutong, PEOPLE)
        openids = {person.account_id or 0: person.account(session).openid for person in people}
    day = BadDay(house, wechat, people, openids, directory)
    for openid in openids.values():
        for _ in range(CLASSES):
            wechat.accept(openid, registration_result.id)
    with transaction() as session:
        for person in people:
            answers: dict[str, Answer] = {TEMPLATE: Answer.ACCEPT}
            for _ in range(CLASSES):
                record_answers(session, person.account(session), answers)
    for number in range(CLASSES):
        run = town.a_run(
            title=f"第{number + 1}门课",
            capacity=PEOPLE,
            opens_at=now - timedelta(hours=1),
            starts_at=now + timedelta(days=14, hours=2 * number),
        )
        for person in people:
            person.tap(run)
    wechat.control("POST", "latency", {"path": SEND, "answer_ms": ANSWER_MS})
    try:
        yield day
    finally:
        for worker in day.workers:
            worker.__exit__()
        wechat.close()


def order_troubles(day: BadDay) -> set[str]:
    """Something of everything, of each kind to people of its own and some to anybody; whose answers stall."""
    chance = random.Random(SEED)
    openids = chance.sample(sorted(day.openids.values()), PEOPLE)
    troubles: list[tuple[str, object]] = [
        *(("errcode", code) for code in (-1, 45009, 43101, 43108, 47003)),
        *(("http_status", status) for status in (412, 502)),
        *(("garbled", kind) for kind in ("cut", "page", "foreign")),
        ("reset_before", True),
        *[("reset_after_processing", True)] * 3,
    ]
    for trouble, which in troubles:
        for openid in (openids.pop(), openids.pop(), chance.choice(sorted(day.openids.values()))):
            day.wechat.fault(SEND, **{"openid": openid, trouble: which})
    stalled = {openids.pop() for _ in range(4)}
    for openid in stalled:
        day.wechat.fault(SEND, openid=openid, latency_ms=STALL_MS)
    return stalled


def test_every_message_ends_in_a_truthful_state_and_none_is_received_twice(day: BadDay) -> None:
    few = list(day.openids)[:2]  # allowed fewer messages than they are owed
    with transaction() as session:
        for grant in session.scalars(select(MessageGrant).where(MessageGrant.account_id.in_(few))):
            grant.remaining = grant.accepted = 2
    stalled = order_troubles(day)

    victim = day.start_worker()
    survivor = day.start_worker()
    day.until_called(60)
    victim.kill()
    day.start_worker()
    day.until_called(120)
    day.wechat.token(force_refresh=True)  # the token everybody holds is no good any more
    day.wechat.fault(SEND, errcode=-1, times=25)  # and for a while WeChat is out of order for everybody
    day.until_called(150)
    day.cut_the_workers_off()
    day.until_settled()
    assert survivor.stop() == 0
    assert day.workers[-1].stop() == 0

    assert day.let_the_lease_lapse() > 0
    day.start_worker()
    day.start_worker()
    day.until_settled()
    assert what_is_wrong(day, stalled=stalled) == []
    must_have_happened(day)


def must_have_happened(day: BadDay) -> None:
    """What the day was for did happen."""
    with reading() as session:
        notices = session.scalars(select(Notice)).all()
    ended = Counter(notice.delivery for notice in notices)
    assert ended.total() == PEOPLE * CLASSES
    assert set(ended) == {Delivery.SENT, Delivery.UNKNOWN, Delivery.REFUSED, Delivery.NOT_GRANTED}
    assert ended[Delivery.SENT] > PEOPLE * CLASSES * 0.7
    said = {notice.outcome for notice in notices}
    assert {"43101", "47003", "worker_lost", "ReadTimeout", "ConnectionError", "HTTP 502"} <= said
    assert "OperationalError" not in said  # without a token, which a database keeps, nothing was sent
    assert any(notice.attempts > 1 for notice in notices if notice.delivery is Delivery.SENT)
    printed = "".join(worker.said() for worker in day.workers)
    for openid in day.openids.values():
        assert openid not in printed
    broken = [json.loads(line) for line in printed.splitlines() if '"job_failed"' in line]
    assert {each["kind"] for each in broken} <= {"OperationalError"}  # the database had hung up


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_worker_that_sends_again_what_nobody_knows_is_found_out(day: BadDay) -> None:
    """Control."""
    for openid in sorted(day.openids.values())[:5]:
        day.wechat.fault(SEND, openid=openid, reset_after_processing=True)
    day.start_worker(["-c", HASTY])
    day.until_settled()
    wrong = what_is_wrong(day)
    assert sum("was received 2 times" in each for each in wrong) == 5, wrong
