"""A town and its worker some days long: what is done when, and what lies on whose phone afterwards. The stage of the stories of moments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from sqlalchemy import select

from models import clock as town_clock
from models.accounts import Account
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import (
    CourseRun,
)
from models.grants import Answer, record_answers
from models.notices import Delivery, Notice, NoticeKind, TemplateName
from server.jobs import SCHEDULE, Job
from tests.people import Town
from tests.phones import TEMPLATES, Door

STEP = timedelta(minutes=30)
QUICK = timedelta(minutes=1)  # jobs that run as often find whatever the others left within a step
ALLOWED = 12  # messages of each template everybody allows: more than the story has


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026 on the town's wall; the 20th is a Friday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=town_clock.TOWN_ZONE)


BEGINS, ENDS = at(20, 12), at(24, 0)


class Heard(NamedTuple):
    """One message on one phone."""

    when: datetime
    who: str
    kind: NoticeKind


@dataclass
class Week:
    """The town in these days, its worker, and everybody's phone."""

    door: Door
    town: Town
    clock: StoppedClock
    offered: CourseRun = field(init=False)
    last_run: dict[str, datetime] = field(default_factory=dict)
    afternoon: CourseRun = field(init=False)
    afternoon_of_children: CourseRun = field(init=False)

    @cached_property
    def run(self) -> CourseRun:
        """A class with one seat on Monday evening."""
        return self.town.a_run(capacity=1, starts_at=at(23, 18, 50))

    @cached_property
    def singing(self) -> CourseRun:
        """A class of three evenings in the week after, in which the outsider has a seat."""
        run = self.town.a_run(evenings=3, starts_at=at(26, 19))
        self.town.outsider.tap(run)
        return run

    @cached_property
    def sparse(self) -> CourseRun:
        """A class in the week after that few people want."""
        return self.town.a_run(title="剪纸", starts_at=at(29, 19))

    @cached_property
    def openids(self) -> Mapping[str, str]:
        """Everybody with a phone, by the part they play."""
        with reading() as session:
            openids = dict(session.execute(select(Account.id, Account.openid)).all())
        parts = {name: getattr(who, "account_id", None) for name, who in vars(self.town).items()}
        return {name: openids[account_id] for name, account_id in parts.items() if account_id is not None}

    def everybody_allows_everything(self) -> None:
        accepted: dict[str, Answer] = dict.fromkeys(TemplateName, Answer.ACCEPT)
        for openid in self.openids.values():
            for _ in range(ALLOWED):
                with transaction() as session:
                    account = session.scalars(select(Account).where(Account.openid == openid)).one()
                    record_answers(session, account, accepted)
                self.door.sandbox.accept(openid, *TEMPLATES.values())

    def pass_until(self, moment: datetime) -> None:
        """Let time pass, the worker working through its schedule at every step."""
        while town_clock.now() < moment:
            self.clock.move_to(min(town_clock.now() + STEP, moment))
            self.work()

    def work(self) -> None:
        """Everything that is due now; what runs every few seconds does so until it finds nothing more."""
        now = town_clock.now()
        quick = [job for job in SCHEDULE if job.every <= QUICK]
        slow = [job for job in SCHEDULE if job not in quick and self.is_due(job, now)]
        self.last_run |= {job.name: now for job in slow}
        while sum([job.run(now) for job in [*slow, *quick]]):
            slow = []

    def is_due(self, job: Job, now: datetime) -> bool:
        return job.name not in self.last_run or now - self.last_run[job.name] >= job.every

    def heard(self) -> list[Heard]:
        """What lies on the phones; each message is some notice's, in its template, with its page and of its moment."""
        with reading() as session:
            sent = session.execute(
                select(Notice, Account.openid)
                .join(Account, Account.id == Notice.account_id)
                .where(Notice.delivery == Delivery.SENT)
            ).all()
        kinds = {
            (openid, TEMPLATES[notice.moment.template], notice.page, notice.settled_at): notice.kind
            for notice, openid in sent
        }
        return sorted(
            Heard(letter.sent_at, who, kinds[openid, letter.template_id, letter.page, letter.sent_at])
            for who, openid in self.openids.items()
            for letter in self.door.sandbox.account.phones[openid].messages
        )


@dataclass(frozen=True)
class Deed:
    """Something that happens in the town, and who hears what of it when."""

    when: datetime
    do: Callable[[Week], object]
    heard: Sequence[Heard]
