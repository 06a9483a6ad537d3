"""An outbox for the bench: residents who hold seats and have allowed every message, notices that are due, and years of old ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, insert, select, text, update

from models import clock
from models.base import new_key, transaction
from models.courses import CourseRun, Registration, RegistrationState
from models.grants import MessageGrant
from models.notices import MOMENTS, Debt, Delivery, Notice, NoticeKind, owe
from models.residents import Resident
from tests.bench.town import BenchTown, take_statistics
from tests.bench.wechat import ALLOWED

KIND = NoticeKind.REGISTRATION_CONFIRMED

# the past: a hundred days of notices that were settled, most of them sent
_OLD_NOTICES = """
INSERT INTO notices (key, account_id, kind, subject_key, dedupe_key, facts, created_at, due_at, delivery, attempts,
  claimed_at, claimed_by, settled_at, outcome, must_arrive)
SELECT {key}, :first_account + n % :accounts, 'registration_confirmed', 'old', 'old:' || n, '{{"page_subject": "old"}}',
  {at}, {at}, CASE n % 20 WHEN 0 THEN 'not_granted' WHEN 1 THEN 'refused' WHEN 2 THEN 'stale' ELSE 'sent' END, 1,
  {at}, 'old', {at}, '', {no}
FROM {numbers}
"""
_ON_SQLITE = {
    "key": "lower(hex(randomblob(8)))",
    "at": "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || (1 + n % 100) || ' days')",
    "no": "0",
    "numbers": "(WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n + 1 < :how_many) SELECT n FROM c)",
}
_ON_POSTGRESQL = {
    "key": "substr(md5(random()::text || n), 1, 16)",
    "at": "now() - (1 + n % 100) * interval '1 day'",
    "no": "false",
    "numbers": "generate_series(0, CAST(:how_many AS int) - 1) AS n",
}


@dataclass(frozen=True)
class Seat:
    """A registration that holds, and whose it is."""

    key: str
    account_id: int


class Outbox:
    """The outbox of a town: everybody has a seat in one class and has allowed all messages."""

    def __init__(self, town: BenchTown) -> None:
        self.town = town
        self._round = 0
        self.seats = self._take_seats()

    def _take_seats(self) -> Sequence[Seat]:
        run_key = self.town.open_runs(1)[0]
        now = clock.now()
        with self.town.engine.execution_options(writes=True).begin() as connection:
            people = connection.execute(select(Resident.id, Resident.account_id).order_by(Resident.id)).all()
            run_id = connection.scalar(select(CourseRun.id).where(CourseRun.key == run_key))
            everybody = {"capacity": len(people), "seats_taken": len(people), "last_number": len(people)}
            connection.execute(update(CourseRun).where(CourseRun.id == run_id).values(**everybody))
            keys = [new_key() for _ in people]
            connection.execute(
                insert(Registration),
                [
                    {
                        "key": key,
                        "run_id": run_id,
                        "resident_id": resident_id,
                        "by_account_id": account_id,
                        "state": RegistrationState.CONFIRMED,
                        "number": number,
                        "registered_at": now,
                        "confirmed_at": now,
                        "cancelled_late": False,
                    }
                    for number, (key, (resident_id, account_id)) in enumerate(
                        zip(keys, people, strict=True), start=1
                    )
                ],
            )
            connection.execute(
                insert(MessageGrant),
                [
                    {
                        "account_id": account_id,
                        "template": MOMENTS[KIND].template,
                        "remaining": ALLOWED,
                        "accepted": ALLOWED,
                        "refused": 0,
                    }
                    for _, account_id in people
                ],
            )
        take_statistics(self.town.engine)
        return [
            Seat(key, account_id)
            for key, account_id in zip(keys, (each.account_id for each in people), strict=True)
        ]

    def add_old(self, how_many: int) -> None:
        """So many notices of the past, spread over everybody."""
        on_sqlite = self.town.engine.dialect.name == "sqlite"
        with self.town.engine.execution_options(writes=True).begin() as connection:
            connection.execute(
                text(_OLD_NOTICES.format(**(_ON_SQLITE if on_sqlite else _ON_POSTGRESQL))),
                {
                    "first_account": min(seat.account_id for seat in self.seats),
                    "accounts": len(self.seats),
                    "how_many": how_many,
                },
            )
        take_statistics(self.town.engine)

    def owe(self, how_many: int) -> int:
        """So many notices due now, everybody's first before anybody's second; the id of the last one before them."""
        rounds = []
        for first in range(0, how_many, len(self.seats)):
            self._round += 1
            rounds.append((self._round, self.seats[: how_many - first]))
        now = clock.now()
        facts = {
            "course": "摄影入门",
            "starts_at": (now + timedelta(days=14)).isoformat(),
            "place": "书画室（第一服务站）",
            "learner": "",
        }
        with self.town.app.app_context(), transaction() as session:
            before = session.scalar(select(func.max(Notice.id))) or 0
            for number, seats in rounds:
                debts = [
                    Debt(KIND, seat.key, "run", [seat.account_id], facts, now, version=str(number))
                    for seat in seats
                ]
                owe(session.connection(), debts)
        return int(before)

    def is_empty(self) -> bool:
        """Whether nothing is owed or under way."""
        busy = text(
            "SELECT 1 FROM notices WHERE delivery = 'owed' UNION ALL SELECT 1 FROM notices WHERE delivery = 'sending' LIMIT 1"
        )
        with self.town.engine.connect() as connection:
            return connection.execute(busy).first() is None

    def not_sent_since(self, before: int) -> int:
        """How many notices after this id are not sent."""
        with self.town.engine.connect() as connection:
            return int(
                connection.scalar(
                    select(func.count()).where(Notice.id > before, Notice.delivery != Delivery.SENT)
                )
                or 0
            )
