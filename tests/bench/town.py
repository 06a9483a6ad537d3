"""The town under the bench: ten thousand residents with logins, runs to storm, and years of history, made by set-based SQL."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import flask_migrate
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import Connection, Engine, func, insert, select, text, update

from models import clock
from models.accounts import Account, Login, TokenMint
from models.base import db, new_key, transaction
from models.consents import PRIVACY_POLICY, Consent, ConsentChannel
from models.courses import (
    Course,
    CourseRun,
    Evening,
    Registration,
    RegistrationState,
    RunPlan,
    RunState,
    open_course,
    plan_run,
    publish,
)
from models.policies import set_policy
from models.regions import Region, RegionKind, plant
from models.residents import Resident
from models.sites import SiteKind, add_venue, open_site
from server.app import create_app
from server.settings import from_environment
from tests.bench.wsgi import BenchBase, BenchRun

CAPACITY = 20
HISTORY_OF_ONE_RUN = 500

# the past: run r (from 0) had HISTORY_OF_ONE_RUN people in it, the first CAPACITY of them with a seat
_REGISTRATIONS = """
INSERT INTO registrations
  (key, run_id, resident_id, by_account_id, state, number, registered_at, confirmed_at, cancelled_late)
SELECT {key}, :first_run + n / :each, :first_resident + n % :residents, :first_account + n % :residents,
  CASE WHEN n % :each < :capacity THEN 'confirmed' ELSE 'waitlisted' END, n % :each + 1, {at},
  CASE WHEN n % :each < :capacity THEN {at} END, {no}
FROM {numbers}
"""
_ON_SQLITE = {
    "key": "lower(hex(randomblob(8)))",
    "at": ":at",
    "no": "0",
    "numbers": "(WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n + 1 < :how_many) SELECT n FROM c)",
}
_ON_POSTGRESQL = {
    "key": "substr(md5(random()::text || n), 1, 16)",
    "at": "CAST(:at AS timestamptz)",
    "no": "false",
    "numbers": "generate_series(0, CAST(:how_many AS int) - 1) AS n",
}
_JOURNAL = """
INSERT INTO journal_entries (at, act, subject_kind, subject_id, by_account_id, identity)
SELECT registered_at, 'registration.' || state, 'registrations', id, by_account_id, 'resident' FROM registrations
"""
_NOTICES = """
INSERT INTO notices
  (key, account_id, kind, subject_key, dedupe_key, facts, created_at, due_at, delivery, attempts)
SELECT key, by_account_id, 'registration_confirmed', key, 'registration_confirmed:' || key, '{}',
  registered_at, registered_at, 'sent', 1
FROM registrations WHERE state = 'confirmed'
"""


@dataclass
class BenchTown:
    """One migrated database with people in it. ``environment`` is what a server on it needs."""

    app: Flask
    environment: Mapping[str, str]
    url: str
    tokens: Sequence[str]
    resident_keys: Sequence[str]
    community_id: int
    _slots: Iterator[int] = field(default_factory=count)

    @property
    def engine(self) -> Engine:
        """The bench's own way into the database."""
        with self.app.app_context():
            return db.engine

    def open_runs(self, how_many: int, *, waitlist_limit: int | None = None) -> list[str]:
        """Published runs that are open now, by the product's own verbs; their keys."""
        with self.app.app_context(), transaction() as session:
            community = session.get_one(Region, self.community_id)
            site = open_site(session, community, kind=SiteKind.STATION, name=f"服务站{new_key()}")
            now = clock.now()
            keys = []
            for ordinal in range(1, how_many + 1):
                # nobody can be in two places at once: no two runs of this town meet
                starts_at = now + timedelta(days=14, hours=2 * next(self._slots))
                course = open_course(session, community, title=f"摄影入门{new_key()}", category="艺术")
                venue = add_venue(session, site, name=f"教室{ordinal}", capacity=30)
                plan = RunPlan(
                    month="2026-12",
                    ordinal=ordinal,
                    teacher=f"老师{ordinal}",
                    teacher_is_person=False,
                    capacity=CAPACITY,
                    opens_at=now - timedelta(hours=1),
                    evenings=[Evening(starts_at, starts_at + timedelta(minutes=90), venue)],
                )
                run = plan_run(session, course, plan)
                run.waitlist_limit = waitlist_limit
                publish(session, run)
                keys.append(run.key)
        return keys

    def give_everybody_another_place(self) -> None:
        """Everybody has a place elsewhere, as most people have who tap: rules that look at it find something to look at."""
        (key,) = self.open_runs(1)
        with self.engine.execution_options(writes=True).begin() as connection:
            run_id = connection.scalar(select(CourseRun.id).where(CourseRun.key == key))
            people = connection.execute(select(Resident.id, Resident.account_id).order_by(Resident.id)).all()
            now = clock.now()
            connection.execute(
                insert(Registration),
                [
                    {
                        "key": new_key(),
                        "run_id": run_id,
                        "resident_id": resident_id,
                        "by_account_id": account_id,
                        "state": RegistrationState.CONFIRMED,
                        "number": number,
                        "registered_at": now,
                        "confirmed_at": now,
                        "cancelled_late": False,
                    }
                    for number, (resident_id, account_id) in enumerate(people, 1)
                ],
            )
            connection.execute(
                update(CourseRun)
                .where(CourseRun.id == run_id)
                .values(capacity=len(people), seats_taken=len(people), last_number=len(people), closes_at=now)
            )
        take_statistics(self.engine)

    def end(self, run_key: str) -> None:
        """A run is over: what its people had there stands in nobody's way any more."""
        with self.engine.execution_options(writes=True).begin() as connection:
            opens_at = connection.execute(
                select(CourseRun.opens_at).where(CourseRun.key == run_key)
            ).scalar_one()
            connection.execute(
                update(CourseRun)
                .where(CourseRun.key == run_key)
                .values(starts_at=opens_at, closes_at=opens_at, ends_at=opens_at + timedelta(minutes=1))
            )

    def open_bench_run(self) -> int:
        """A run of the plain ORM route; its id."""
        with self.engine.execution_options(writes=True).begin() as connection:
            made = connection.execute(
                insert(BenchRun)
                .values(capacity=CAPACITY, seats_taken=0, last_number=0)
                .returning(BenchRun.id)
            )
            return int(made.scalar_one())

    def add_history(self, registrations: int) -> None:
        """So many registrations of runs that are over, with their journal and their notices."""
        runs = registrations // HISTORY_OF_ONE_RUN
        on_sqlite = self.engine.dialect.name == "sqlite"
        at = clock.now() - timedelta(days=90)
        with self.engine.execution_options(writes=True).begin() as connection:
            first_run = _past_runs(connection, self.community_id, runs, at)
            first_resident, first_account = connection.execute(
                select(func.min(Resident.id), func.min(Resident.account_id))
            ).one()
            connection.execute(
                text(_REGISTRATIONS.format(**(_ON_SQLITE if on_sqlite else _ON_POSTGRESQL))),
                {
                    "first_run": first_run,
                    "first_resident": first_resident,
                    "first_account": first_account,
                    "residents": len(self.tokens),
                    "each": HISTORY_OF_ONE_RUN,
                    "capacity": CAPACITY,
                    "at": at.replace(tzinfo=None).isoformat(" ") if on_sqlite else at,
                    "how_many": runs * HISTORY_OF_ONE_RUN,
                },
            )
            for statement in (_JOURNAL, _NOTICES):
                connection.execute(text(statement))
        take_statistics(self.engine)

    def close(self) -> None:
        """Let go of the database."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()


def openid_of(number: int) -> str:
    """The WeChat of a resident of the bench."""
    return f"o-bench-{number:06}"


def fresh_keys() -> dict[str, str]:
    """Keys nobody else has."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(32),
        "DATA_KEY": Fernet.generate_key().decode(),
        "LOOKUP_KEY": secrets.token_urlsafe(32),
    }


def build(url: str, directory: Path, residents: int, keys: dict[str, str] | None = None) -> BenchTown:
    """A migrated database with this many residents, every one ready to tap; ``keys`` as the environment names them, or fresh ones.

    The vault is one a process: it opens with these keys from here on.
    """
    environment = {"DATABASE_URL": url, "DATA_DIR": str(directory), **(keys or fresh_keys())}
    settings = from_environment(environment)
    app = create_app(settings)
    with app.app_context():
        flask_migrate.upgrade()
        BenchBase.metadata.create_all(db.engine.execution_options(writes=True))
        with transaction() as session:
            district = plant(session, kind=RegionKind.DISTRICT, code="bench-d", name="演武区")
            community = plant(
                session, kind=RegionKind.COMMUNITY, code="bench-c", name="梧桐里社区", parent=district
            )
            community_id = community.id
            for limit in ("runs_a_term", "waits_at_once"):  # the same people storm many runs
                set_policy(session, district, limit, "0")
        login_keys, resident_keys = _settle(db.engine, community_id, residents)
        take_statistics(db.engine)
    mint = TokenMint(settings.secret_keys)
    tokens = [mint.token_for(Login(key=key)) for key in login_keys]
    return BenchTown(app, environment, url, tokens, resident_keys, community_id)


def _settle(engine: Engine, community_id: int, how_many: int) -> tuple[list[str], list[str]]:
    """Accounts, logins, residents and consents; the keys of the logins and of the residents, in one order."""
    now = clock.now()
    login_keys, resident_keys = ([new_key() for _ in range(how_many)] for _ in range(2))
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(
            insert(Account),
            [{"key": new_key(), "openid": openid_of(n), "created_at": now} for n in range(how_many)],
        )
        accounts = list(connection.scalars(select(Account.id).order_by(Account.openid)))
        connection.execute(
            insert(Login),
            [
                {"key": key, "account_id": account, "created_at": now, "expires_at": now + timedelta(days=30)}
                for key, account in zip(login_keys, accounts, strict=True)
            ],
        )
        connection.execute(
            insert(Resident),
            [
                {
                    "key": key,
                    "account_id": account,
                    "name": f"居民{n}",
                    "phone_fingerprint": f"{n:064x}",
                    "home_region_id": community_id,
                    "birth_year": 1980,
                    "elder_mode": False,
                    "created_at": now,
                }
                for n, (key, account) in enumerate(zip(resident_keys, accounts, strict=True))
            ],
        )
        connection.execute(
            insert(Consent),
            [
                {
                    "account_id": account,
                    "kind": PRIVACY_POLICY.kind,
                    "version": PRIVACY_POLICY.version,
                    "text_sha256": PRIVACY_POLICY.sha256,
                    "channel": ConsentChannel.MINI_PROGRAM,
                    "given_at": now,
                }
                for account in accounts
            ],
        )
    return login_keys, resident_keys


def take_statistics(engine: Engine) -> None:
    """What the database does by itself in time, done now: the planner knows how many rows there are."""
    with engine.execution_options(writes=True).begin() as connection:
        connection.execute(text("ANALYZE"))


def _past_runs(connection: Connection, community_id: int, how_many: int, at: datetime) -> int:
    """Runs that are over, one an hour, full and with a queue; the id of the first."""
    course_id = connection.execute(
        insert(Course)
        .values(region_id=community_id, title="往期课程", category="艺术", key=new_key())
        .returning(Course.id)
    ).scalar_one()
    connection.execute(
        insert(CourseRun),
        [
            {
                "key": new_key(),
                "course_id": course_id,
                "region_id": community_id,
                "month": "2020-01",
                "ordinal": n,
                "state": RunState.PUBLISHED,
                "published_at": at - timedelta(days=30),
                "teacher": f"老师{n}",
                "capacity": CAPACITY,
                "seats_taken": CAPACITY,
                "waiting": HISTORY_OF_ONE_RUN - CAPACITY,
                "last_number": HISTORY_OF_ONE_RUN,
                "opens_at": at - timedelta(days=30),
                "closes_at": at - timedelta(hours=n),
                "starts_at": at - timedelta(hours=n),
                "ends_at": at - timedelta(hours=n) + timedelta(minutes=90),
            }
            for n in range(1, how_many + 1)
        ],
    )
    return int(
        connection.execute(
            select(func.min(CourseRun.id)).where(CourseRun.course_id == course_id)
        ).scalar_one()
    )
