"""Playing (排演): a stretch of the town's life as people live it: over the API, by the clock, with the worker at work and a phone in every hand.

A story is a list of deeds. Each stands with who hears of it, on which day; in the end exactly that lies on the phones, and nothing else of
the moments the story is about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import cached_property
from itertools import cycle
from typing import Generic, NamedTuple, Self, TypeVar

from sqlalchemy import select

from models import clock as town_clock
from models.accounts import Account
from models.base import reading, transaction
from models.clock import StoppedClock
from models.grants import Answer, record_answers
from models.notices import Delivery, Notice, NoticeKind, TemplateName
from models.notices.dead_letters import DEAD
from server.jobs import SCHEDULE, Job
from tests.people import Person, Town, Worker
from tests.phones import TEMPLATES, Door, Phone

STEP = timedelta(
    minutes=90
)  # within the two hours before a class, and within the hour before one opens at ten
QUICK = timedelta(minutes=1)  # jobs that run as often find whatever the others left within a step
MORNING, NIGHT = time(8), time(22)
ALLOWED = 25  # messages of each template everybody allows: more than a story has


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of 2026 on the town's wall; 20 November is a Friday."""
    return datetime(2026, month, day, hour, minute, tzinfo=town_clock.TOWN_ZONE)


class Heard(NamedTuple):
    """One message on one phone: on which day, whose, what, and of which class, room or agreement."""

    day: str
    who: str
    kind: NoticeKind
    about: str


def hear(day: str, kind: NoticeKind, about: str, *who: str) -> list[Heard]:
    """These people hear the same."""
    return [Heard(day, one, kind, about) for one in who]


@dataclass
class Play:
    """Everything that plays. ``guests``: people of this story alone, besides the town's standing cast."""

    door: Door
    town: Town
    clock: StoppedClock
    guests: Mapping[str, Person]
    step: timedelta = STEP
    last_run: dict[str, datetime] = field(default_factory=dict)

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
        """Every resident with a WeChat, by the part they play."""
        people = {name: who for name, who in vars(self.town).items() if isinstance(who, Person)}
        return {name: who for name, who in {**people, **self.guests}.items() if who.account_id}

    @cached_property
    def readers(self) -> Mapping[str, int]:
        """Whose messages the story is about: their accounts, by the part they play."""
        return {name: who.account_id for name, who in self.cast.items() if who.account_id is not None}

    def everybody_allows_everything(self) -> None:
        """All readers accept all messages, many times."""
        accepted: dict[str, Answer] = dict.fromkeys(TemplateName, Answer.ACCEPT)
        for openid, account_id in zip(self._openids().values(), self.readers.values(), strict=True):
            with transaction() as session:
                for grant in record_answers(session, session.get_one(Account, account_id), accepted):
                    grant.accepted = grant.remaining = ALLOWED
            for _ in range(ALLOWED):
                self.door.sandbox.accept(openid, *TEMPLATES.values())

    def _openids(self) -> Mapping[str, str]:
        with reading() as session:
            return {
                name: session.get_one(Account, account_id).openid for name, account_id in self.readers.items()
            }

    # --- time -----------------------------------------------------------------------------------------------------

    def pass_until(self, moment: datetime) -> None:
        """Let time pass, the worker working through its schedule step by step by day, and once a night."""
        while town_clock.now() < moment:
            self.clock.move_to(min(self.next_stop(), moment))
            self.work()

    def next_stop(self) -> datetime:
        """When the worker works next."""
        later = town_clock.in_town(town_clock.now()) + self.step
        if later.time() >= NIGHT or later.time() < MORNING:
            later = datetime.combine(later.date(), MORNING, town_clock.TOWN_ZONE)
            later += timedelta(days=later <= town_clock.now())
        return later

    def work(self) -> None:
        """Everything that is due now; what runs every few seconds does so in turn until none of it finds anything more."""
        now = town_clock.now()
        quick = [job for job in SCHEDULE if job.every <= QUICK]
        slow = [job for job in SCHEDULE if job not in quick and self._is_due(job, now)]
        self.last_run |= {job.name: now for job in slow}
        with self.door.app.app_context():
            for job in slow:
                job.run(now)
            found_nothing = 0
            for job in cycle(quick):
                found_nothing = 0 if job.run(now) else found_nothing + 1
                if found_nothing == len(quick):
                    return

    def _is_due(self, job: Job, now: datetime) -> bool:
        return job.name not in self.last_run or now - self.last_run[job.name] >= job.every

    def play(self, story: Sequence[Deed[Self]]) -> None:
        """Do every deed when its time has come, and what follows from it at once."""
        for deed in story:
            self.pass_until(deed.when)
            deed.do(self)
            self.work()

    # --- what was heard -------------------------------------------------------------------------------------------

    def heard(self, kinds: frozenset[NoticeKind]) -> list[Heard]:
        """What lies on the phones; each message is some notice's, in its template, with its page and of its moment."""
        with reading() as session:
            rows = session.execute(
                select(Notice, Account.openid).join(Account, Account.id == Notice.account_id)
            ).all()
        untold = [
            (notice.kind, notice.delivery, notice.outcome, notice.facts)
            for notice, _ in rows
            if notice.kind in kinds and notice.delivery is not Delivery.SENT
        ]
        assert not untold, f"what is owed to somebody who allows it is sent: {untold}"
        sent = {
            (openid, TEMPLATES[notice.moment.template], notice.page, notice.settled_at): notice
            for notice, openid in rows
        }
        letters = [
            (who, sent[openid, letter.template_id, letter.page, letter.sent_at])
            for who, openid in self._openids().items()
            for letter in self.door.sandbox.account.phones[openid].messages
        ]
        return sorted(
            Heard(
                f"{town_clock.in_town(notice.settled_at or notice.created_at):%m-%d}",
                who,
                notice.kind,
                next((str(notice.facts[name]) for name in ABOUT if name in notice.facts), ""),
            )
            for who, notice in letters
            if notice.kind in kinds
        )

    def nothing_is_owed_twice_or_dead(self) -> None:
        """Every notice was owed once, and none ended without arriving."""
        with reading() as session:
            told = Counter(session.scalars(select(Notice.dedupe_key)).all())
            dead = session.scalars(select(Notice).where(Notice.delivery.in_(DEAD))).all()
        assert set(told.values()) == {1}
        assert not dead


ABOUT = (
    "course",
    "room",
    "agreement",
    "group",
)  # the fact that says what a message is about, the first there is

Stage = TypeVar("Stage", bound=Play)


@dataclass(frozen=True)
class Deed(Generic[Stage]):
    """Something that happens, and who hears what of it on which day."""

    when: datetime
    do: Callable[[Stage], object]
    heard: Sequence[Heard] = ()
