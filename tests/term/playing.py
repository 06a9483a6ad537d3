"""The stage of the term: the town, its clock and its worker, everybody's phone, and the classes by their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import select

from models import clock as town_clock
from models.accounts import Account
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import CourseRun, RegistrationState
from models.courses.registrations import LIVE, SEATED
from models.grants import Answer, record_answers
from models.notices import Delivery, Notice, NoticeKind, TemplateName
from server.jobs import SCHEDULE, Job
from tests.people import Person, Town, Worker
from tests.phones import TEMPLATES, Door, Phone, told

STEP = timedelta(
    minutes=90
)  # within the two hours before a class, and within the hour before one opens at ten
QUICK = timedelta(minutes=1)  # jobs that run as often find whatever the others left within a step
MORNING, NIGHT = time(8), time(22)
ALLOWED = 25  # messages of each template everybody allows: more than the term has


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of 2026 on the town's wall; 20 November is a Friday."""
    return datetime(2026, month, day, hour, minute, tzinfo=town_clock.TOWN_ZONE)


class Heard(NamedTuple):
    """One message on one phone: on which day, whose, what, and of which class."""

    day: str
    who: str
    kind: NoticeKind
    about: str


@dataclass
class Term:
    """Everything that plays."""

    door: Door
    town: Town
    clock: StoppedClock
    senior: Person  # an elder with a WeChat of her own
    classes: dict[str, str] = field(default_factory=dict)  # the keys of runs, by what the story calls them
    last_run: dict[str, datetime] = field(default_factory=dict)
    winners: list[str] = field(default_factory=list)  # of the draw, as anybody works them out
    losers: list[str] = field(default_factory=list)

    # --- whose phone ----------------------------------------------------------------------------------------------

    @property
    def clerk(self) -> Phone:
        """The clerk's phone."""
        return self.door.phone(self.town.clerk)

    @property
    def anybody(self) -> Phone:
        """A phone nobody logged in on."""
        return self.door.phone()

    def phone(self, who: Person | Worker) -> Phone:
        """Somebody's phone."""
        return self.door.phone(who)

    def speaking(self, who: Person) -> Phone:
        """Somebody's phone after a login just now: WeChat judges what somebody writes who is there."""
        return self.door.log_in(who.openid)

    @cached_property
    def cast(self) -> Mapping[str, Person]:
        """Everybody with a WeChat who comes to classes, by the part they play."""
        people = {name: who for name, who in vars(self.town).items() if isinstance(who, Person)}
        return {name: who for name, who in {**people, "senior": self.senior}.items() if who.account_id}

    def everybody_allows_everything(self) -> None:
        """Residents accept all messages, many times; staff look at their desk instead."""
        accepted: dict[str, Answer] = dict.fromkeys(TemplateName, Answer.ACCEPT)
        for who in self.cast.values():
            for _ in range(ALLOWED):
                with transaction() as session:
                    record_answers(session, who.account(session), accepted)
                self.door.sandbox.accept(who.openid, *TEMPLATES.values())

    # --- classes --------------------------------------------------------------------------------------------------

    def run(self, name: str) -> str:
        """The address of a class, for everybody."""
        return f"/course-runs/{self.classes[name]}"

    def staff_run(self, name: str) -> str:
        """The address of a class, for staff."""
        return f"/staff/course-runs/{self.classes[name]}"

    def evening(self, name: str, number: int = 0) -> str:
        """The address of an evening of a class."""
        sessions = told(self.clerk.get(self.staff_run(name)))["sessions"]
        return f"/course-sessions/{sessions[number]['key']}"

    def row(self, name: str) -> CourseRun:
        """The class as it stands in the database."""
        with reading() as session:
            return session.scalars(select(CourseRun).where(CourseRun.key == self.classes[name])).one()

    def taps(self, who: Person, name: str, *, whom: str | None = None) -> dict[str, Any]:
        """报名, and what the phone shows afterwards."""
        query = f"?for={whom}" if whom else ""
        answer: dict[str, Any] = told(self.phone(who).put(f"{self.run(name)}/registration{query}"))
        return answer

    def gives_up(self, who: Person, name: str) -> None:
        """取消报名."""
        assert self.phone(who).delete(f"{self.run(name)}/registration").status_code == 204

    def line_of(self, name: str, who: str) -> str:
        """The key of somebody's line on the roster, by their name."""
        lines = told(self.clerk.get(f"{self.staff_run(name)}/registrations"))["items"]
        return next(str(line["key"]) for line in lines if line["name"] == who)

    # --- time -----------------------------------------------------------------------------------------------------

    def pass_until(self, moment: datetime) -> None:
        """Let time pass, the worker working through its schedule step by step by day, and once a night."""
        while town_clock.now() < moment:
            later = town_clock.in_town(town_clock.now()) + STEP
            if later.time() >= NIGHT or later.time() < MORNING:
                later = datetime.combine(later.date(), MORNING, town_clock.TOWN_ZONE)
                later += timedelta(days=later <= town_clock.now())
            self.clock.move_to(min(later, moment))
            self.work()

    def work(self) -> None:
        """Everything that is due now; what runs every few seconds does so until it finds nothing more."""
        now = town_clock.now()
        quick = [job for job in SCHEDULE if job.every <= QUICK]
        slow = [job for job in SCHEDULE if job not in quick and self._is_due(job, now)]
        self.last_run |= {job.name: now for job in slow}
        with self.door.app.app_context():
            while sum([job.run(now) for job in [*slow, *quick]]):
                slow = []

    def _is_due(self, job: Job, now: datetime) -> bool:
        return job.name not in self.last_run or now - self.last_run[job.name] >= job.every

    # --- what must be true at the end -----------------------------------------------------------------------------

    def every_class_adds_up(self) -> None:
        """Counters are what the rows say; nobody has two places; no seat stands idle beside somebody who waits for it."""
        for name in self.classes:
            run = self.row(name)
            rows = self.town.registrations(run)
            seated = sum(row.seats for row in rows if row.state in SEATED)
            waiting = sum(row.state is RegistrationState.WAITLISTED for row in rows)
            assert (run.seats_taken, run.waiting) == (seated, waiting), name
            assert run.seats_taken + run.seats_held <= run.capacity, name
            assert not waiting or seated == run.capacity, name
            live = [row.resident_id for row in rows if row.state in {*LIVE, *SEATED}]
            assert len(live) == len(set(live)), name
            assert len({row.number for row in rows}) == len(rows), name

    # --- what was heard -------------------------------------------------------------------------------------------

    def heard(self, kinds: frozenset[NoticeKind]) -> list[Heard]:
        """What lies on the phones; each message is some notice's, in its template, with its page and of its moment."""
        with reading() as session:
            rows = session.execute(
                select(Notice, Account.openid).join(Account, Account.id == Notice.account_id)
            ).all()
        untold = [
            notice for notice, _ in rows if notice.kind in kinds and notice.delivery is not Delivery.SENT
        ]
        assert not untold, "what is owed to somebody who allows it is sent"
        sent = {
            (openid, TEMPLATES[notice.moment.template], notice.page, notice.settled_at): notice
            for notice, openid in rows
        }
        letters = [
            (who, sent[person.openid, letter.template_id, letter.page, letter.sent_at])
            for who, person in self.cast.items()
            for letter in self.door.sandbox.account.phones[person.openid].messages
        ]
        return sorted(
            Heard(
                f"{town_clock.in_town(notice.settled_at or notice.created_at):%m-%d}",
                who,
                notice.kind,
                str(notice.facts.get("course", "")),
            )
            for who, notice in letters
            if notice.kind in kinds
        )
