"""Delivery (发送): notices that are due go to WeChat, and what became of each is written down.

Claim and spend, commit; send on several connections at once; settle in groups, commit; claim the next while these are still going
out. Nothing is sent inside a transaction, and a worker that dies between sending and settling leaves rows that are marked unknown,
never sent again (see ``models.notices``). A message that WeChat refuses is recorded and never loops; one that surely did not arrive
goes back with a growing delay. What did not arrive costs no grant.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, cast

import structlog
from flask import g
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from miniprogram_api.installed import wechat_gateway
from miniprogram_api.wechat import SendOutcome, SendResult
from models import clock
from models.accounts import Account
from models.base import transaction
from models.courses import owe_reminders
from models.errors import Busy
from models.grants import empty, give_back_all, spend_all
from models.notices import Delivery, TemplateName
from models.notices.keywords import fit
from models.notices.sending import (
    LEASE,
    Claimed,
    Ending,
    claim_due,
    give_up_on_the_dead,
    settle,
    settle_all,
    settle_owed,
)
from models.truth import still_true
from server.jobs.lines import Lines
from server.jobs.outcomes import WORKER, delay_after, write_down
from server.settings import settings_in_force

log = structlog.get_logger()

MOST_A_RUN = 5_000
AHEAD = 2  # letters a line claimed at once; what a worker has claimed when it dies is unknown, so it claims no more than it needs
MOST_ATTEMPTS = (
    32  # with the delays below about a day: longer than an outage, or a daily quota that is used up
)
MOST_IN_VAIN = 3  # so many in a row that did not get through, and the rest of the batch does not try
FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(hours=1)
STOPPING = "worker_stops"


@dataclass(frozen=True)
class Letter:
    """Everything needed to send one notice, read before the transaction ended."""

    notice_id: int
    account_id: int
    openid: str
    template: TemplateName
    values: Mapping[str, str]
    page: str
    attempts: int
    patience_until: datetime


Sent = tuple[Letter, SendOutcome]


@dataclass
class _Weather:
    """How WeChat's day is going. On a bad one it is not stormed, and a slow one must not outlast the lease."""

    is_told_to_stop: Callable[[], bool]
    in_vain: int = field(default=0)

    @property
    def is_fair(self) -> bool:
        """Whether more may go out."""
        return self.in_vain < MOST_IN_VAIN and not self.is_told_to_stop()

    def says_no(self, letter: Letter) -> str | None:
        """Why not to try now; what is not tried surely did not arrive."""
        if self.is_told_to_stop():
            return STOPPING
        if self.in_vain >= MOST_IN_VAIN:
            return "bad_day"
        return "too_slow" if clock.now() >= letter.patience_until else None

    def learns(self, outcome: SendOutcome) -> None:
        """Another outcome. That one person is busy says nothing of the others."""
        if not outcome.person_is_busy:
            self.in_vain = self.in_vain + 1 if outcome.result is SendResult.TRY_LATER else 0


def deliver_due(now: datetime) -> int:
    """Send what is due, a bounded number; how many notices were settled.

    A worker that is told to stop claims no more, waits for what is under way, and puts the rest back.
    """
    weather = _Weather(_told_to_stop())
    connections = settings_in_force().wechat_connections
    ahead = connections * AHEAD
    claimed = put_back = 0
    may_be_more = True
    with Lines(_sender(weather), most=connections) as lines:
        while True:
            if may_be_more and lines.need_more and claimed < MOST_A_RUN and weather.is_fair:
                taken, letters = _claim(ahead, out=lines.out)
                claimed += taken
                may_be_more = taken > 0
                lines.give(letters)
            else:
                sent = lines.bring_back()
                if not sent:
                    return claimed - put_back
                put_back += _write_down(sent)
                may_be_more = True  # whoever had one under way may get the next


def settle_lost(now: datetime) -> int:
    """Mark what a dead worker left behind; how many. Staff see them: nobody knows whether they arrived."""
    with transaction() as session:
        lost = give_up_on_the_dead(session)
    if lost:
        log.warning("notices_unknown", lost=lost)
    return lost


def remind(now: datetime) -> int:
    """Owe the reminders of classes that are near; how many are new."""
    with transaction() as session:
        return owe_reminders(session, now)


def _claim(most: int, *, out: int) -> tuple[int, list[Letter]]:
    """How many notices were claimed, and the letters to send. What is out already is written down, whatever happens here."""
    try:
        with transaction() as session:
            claimed = claim_due(session, worker=WORKER, most=most)
            return len(claimed), _write_letters(session, claimed)
    except (DBAPIError, Busy) as error:
        if not out:
            raise
        log.warning("nothing_claimed", kind=type(error).__name__)
        return 0, []


def _write_letters(session: Session, claimed: Sequence[Claimed]) -> list[Letter]:
    """A letter for each claimed notice; none where it went stale, cannot be written, or nobody allowed it (all written down)."""
    if not claimed:
        return []
    true = still_true(session, [taken.notice for taken in claimed])
    settle_owed(session, [taken.notice for taken in claimed if taken.notice.id not in true], Delivery.STALE)
    written: dict[int, dict[str, str]] = {}
    by_template: dict[TemplateName, list[Claimed]] = defaultdict(list)
    for taken in claimed:
        if taken.notice.id in true:
            try:
                written[taken.notice.id] = _values(taken)
            except (
                KeyError,
                ValueError,
            ):  # facts that do not fill the template: such a row must not hold up the others
                settle(session, taken.notice.id, Delivery.FAILED, outcome="unwritable")
            else:
                by_template[taken.notice.moment.template].append(taken)
    letters: list[Letter] = []
    for template, taken_of_it in by_template.items():
        allowed = spend_all(
            session, template=template, account_ids=[taken.notice.account_id for taken in taken_of_it]
        )
        unasked = [taken.notice for taken in taken_of_it if taken.notice.account_id not in allowed]
        settle_owed(session, unasked, Delivery.NOT_GRANTED)
        openids = dict(
            session.execute(select(Account.id, Account.openid).where(Account.id.in_(allowed))).all()
        )
        letters += [
            Letter(
                taken.notice.id,
                taken.notice.account_id,
                openids[taken.notice.account_id],
                template,
                written[taken.notice.id],
                taken.notice.page,
                taken.notice.attempts,
                (taken.notice.claimed_at or clock.now()) + LEASE / 2,
            )
            for taken in taken_of_it
            if taken.notice.account_id in allowed
        ]
    return letters


def _values(taken: Claimed) -> dict[str, str]:
    values = taken.notice.keyword_values()
    remark = taken.notice.moment.keyword_of("remark")
    if taken.others and remark is not None:
        values[remark] = fit(remark, f"另有{taken.others}条同类消息，请点开查看")
    return values


def _sender(weather: _Weather) -> Callable[[Letter], Sent]:
    """What a line does with a letter."""
    gateway, settings = wechat_gateway(), settings_in_force()

    def send(letter: Letter) -> Sent:
        no = weather.says_no(letter)
        if no is not None:
            return letter, SendOutcome(SendResult.TRY_LATER, reason=no)
        try:
            outcome = gateway.send(
                letter.openid,
                settings.wechat_templates[letter.template],
                letter.values,
                page=letter.page,
                state=cast("Literal['formal', 'trial', 'developer']", settings.wechat_state),
            )
        except Exception as error:
            outcome = SendOutcome(SendResult.UNKNOWN, reason=type(error).__name__)
        weather.learns(outcome)
        return letter, outcome

    return send


def _write_down(sent: Sequence[Sent]) -> int:
    """Write down what came of these letters; how many go out again."""
    write_down(lambda session: _settle(session, sent), outcomes=len(sent))
    for letter, outcome in sent:
        if outcome.result is not SendResult.ACCEPTED:
            log.warning(
                "notice_not_sent", notice_id=letter.notice_id, result=outcome.result, said=_said(outcome)
            )
    return sum(outcome.result is SendResult.TRY_LATER for _, outcome in sent)


def _settle(session: Session, sent: Sequence[Sent]) -> None:
    """The states of the notices, and the grants of those that did not arrive: WeChat takes none for them (wechat.md §4.3)."""
    held = settle_all(session, [_ending(letter, outcome) for letter, outcome in sent])
    unspent: dict[TemplateName, list[int]] = defaultdict(list)
    for letter, outcome in sent:
        if outcome.permission_is_gone:
            empty(session, account_id=letter.account_id, template=letter.template)
        elif outcome.did_not_arrive and letter.notice_id in held:
            unspent[letter.template].append(letter.account_id)
    for template, account_ids in unspent.items():
        give_back_all(session, template=template, account_ids=account_ids)


def _ending(letter: Letter, outcome: SendOutcome) -> Ending:
    match outcome.result:
        case SendResult.ACCEPTED:
            return Ending(letter.notice_id, Delivery.SENT, outcome.msgid or "")
        case SendResult.UNKNOWN:
            return Ending(letter.notice_id, Delivery.UNKNOWN, _said(outcome))
        case SendResult.REFUSED:
            return Ending(letter.notice_id, Delivery.REFUSED, _said(outcome))
    if letter.attempts >= MOST_ATTEMPTS:
        return Ending(letter.notice_id, Delivery.FAILED, _said(outcome))
    delay = delay_after(letter.attempts, first=FIRST_DELAY, longest=LONGEST_DELAY)
    due_at = clock.now() + (timedelta() if outcome.reason == STOPPING else delay)
    return Ending(letter.notice_id, Delivery.OWED, _said(outcome), due_at)


def _said(outcome: SendOutcome) -> str:
    return str(outcome.errcode or outcome.reason or "")


def _told_to_stop() -> Callable[[], bool]:
    stop: threading.Event | None = g.get("stop")
    return stop.is_set if stop is not None else lambda: False
