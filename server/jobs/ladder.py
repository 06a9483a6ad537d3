"""The ladder (兜底): what must arrive and WeChat could not tell goes out by short message, and to the call list after that.

The same order as in ``delivery``: claim, commit; send outside of every transaction; write down what came of it, commit. A message that
surely did not go out is tried again with a growing delay for about an hour, because a person can be called meanwhile; what may have
gone out is not sent again but called about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from miniprogram_api.installed import sms_gateway
from miniprogram_api.scenes import url_link_for
from miniprogram_api.sms import SMS_TEMPLATES, SmsOutcome
from miniprogram_api.sms.templates import LINK
from miniprogram_api.wechat import SendResult
from models import clock, ladder
from models.base import transaction
from models.errors import Refusal
from models.ladder.sending import LEASE, claim_due, give_up_on_the_dead, put_back, settle
from models.ladder.short_messages import ShortMessage, ShortMessageState
from models.notices import ShortMessageName
from models.truth import still_true
from server.jobs.outcomes import WORKER, delay_after, write_down

log = structlog.get_logger()

PASSED_ON_AT_ONCE = 200
# few, and on few connections: most are through within half the lease, and whatever was begun by then is back before its end
MOST_AT_ONCE = 20
CONNECTIONS = 4
CALLS_AT_ONCE = 200
MOST_ATTEMPTS = 8
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(minutes=15)


@dataclass(frozen=True)
class Letter:
    """Everything needed to send one short message, read before the transaction ended."""

    message_id: int
    phone: str = field(repr=False)
    name: ShortMessageName
    values: Mapping[str, str] = field(repr=False)
    attempts: int
    run_key: str  # where the link leads, if the text has one
    patience_until: datetime  # what begins later may not be back before the lease is over

    @property
    def needs_link(self) -> bool:
        """Whether the text leads to the run's page."""
        return LINK in SMS_TEMPLATES[self.name].slots


def pass_on(now: datetime) -> int:
    """Owe short messages for what must arrive and ended at WeChat without arriving; how many notices went one rung down."""
    with transaction() as session:
        return ladder.pass_on(session, most=PASSED_ON_AT_ONCE)


def send_short_messages(now: datetime) -> int:
    """Send what is due, a bounded number; how many were settled."""
    with transaction() as session:
        claimed = claim_due(session, worker=WORKER, most=MOST_AT_ONCE, still_true=still_true)
        letters = [letter for message in claimed if (letter := _write_letter(session, message)) is not None]
    put_back_again = sum(not _write_down(letter, outcome) for letter, outcome in _send_all(letters))
    return len(claimed) - put_back_again


def settle_lost(now: datetime) -> int:
    """Mark what a dead worker left behind, and have somebody call; how many."""
    with transaction() as session:
        lost = give_up_on_the_dead(session)
    if lost:
        log.warning("short_messages_unknown", lost=lost)
    return lost


def cancel_stale_calls(now: datetime) -> int:
    """Take calls off the list whose news went stale or was read in the inbox meanwhile; how many."""
    cancelled, last_id = 0, 0
    while True:
        with transaction() as session:
            calls = ladder.calls_to_make(session, after_id=last_id, most=CALLS_AT_ONCE)
            true = still_true(session, calls)
            cancelled += ladder.cancel_calls(
                session,
                [
                    call
                    for call in calls
                    if call.id not in true
                    or call.worth_until <= now
                    or (call.notice is not None and call.notice.read_at is not None)
                ],
            )
            if len(calls) < CALLS_AT_ONCE:
                return cancelled
            last_id = calls[-1].id


def _write_letter(session: Session, message: ShortMessage) -> Letter | None:
    """The letter of a claimed message; none where its facts do not fill the text, which must not hold up the others."""
    name, phone = message.moment.short_message, message.resident.phone
    try:
        values = message.slot_values()
    except (KeyError, ValueError):
        values = {}
    if name is None or phone is None or not values:
        settle(session, message.id, ShortMessageState.FAILED, outcome="unwritable")
        return None
    return Letter(
        message.id,
        phone,
        name,
        values,
        message.attempts,
        message.facts["page_subject"],
        (message.claimed_at or clock.now()) + LEASE / 2,
    )


def _send_all(letters: Sequence[Letter]) -> Iterator[tuple[Letter, SmsOutcome]]:
    gateway = sms_gateway()
    links = _links(letters)

    def send(letter: Letter) -> tuple[Letter, SmsOutcome]:
        values = dict(letter.values)
        if letter.needs_link:
            if letter.run_key not in links:
                return letter, SmsOutcome(SendResult.TRY_LATER, reason="no_link")
            values[LINK] = links[letter.run_key]
        if clock.now() >= letter.patience_until:
            return letter, SmsOutcome(SendResult.TRY_LATER, reason="too_slow")
        try:
            return letter, gateway.send(letter.phone, letter.name, values)
        except Exception as error:
            return letter, SmsOutcome(SendResult.UNKNOWN, reason=type(error).__name__)

    if letters:
        with ThreadPoolExecutor(min(CONNECTIONS, len(letters)), thread_name_prefix="short-messages") as pool:
            yield from pool.map(send, letters)


def _links(letters: Sequence[Letter]) -> dict[str, str]:
    """WeChat's link to each run that a text leads to; none where none can be had now."""
    links = {}
    wanted = {each.run_key: each.patience_until for each in letters if each.needs_link}
    for run_key, patience_until in wanted.items():
        if clock.now() >= patience_until:
            break
        try:
            links[run_key] = url_link_for(run_key)
        except Exception as error:
            log.warning("no_link", why=error.code if isinstance(error, Refusal) else type(error).__name__)
    return links


def _write_down(letter: Letter, outcome: SmsOutcome) -> bool:
    """Write down what came of a message; whether it is settled."""
    if outcome.result is not SendResult.ACCEPTED:
        log.warning(
            "short_message_not_sent", message_id=letter.message_id, result=outcome.result, said=_said(outcome)
        )
    return write_down(lambda session: _settle(session, letter, outcome), outcomes=1)


def _settle(session: Session, letter: Letter, outcome: SmsOutcome) -> bool:
    said = _said(outcome)
    if outcome.result is SendResult.TRY_LATER and letter.attempts < MOST_ATTEMPTS:
        delay = delay_after(letter.attempts, first=FIRST_DELAY, longest=LONGEST_DELAY)
        put_back(session, letter.message_id, due_at=clock.now() + delay, outcome=said)
        return False
    settle(session, letter.message_id, _ENDS[outcome.result], outcome=said, serial=outcome.serial)
    return True


def _said(outcome: SmsOutcome) -> str:
    return outcome.code or outcome.reason


_ENDS: Mapping[SendResult, ShortMessageState] = {
    SendResult.ACCEPTED: ShortMessageState.SENT,
    SendResult.REFUSED: ShortMessageState.REFUSED,
    SendResult.UNKNOWN: ShortMessageState.UNKNOWN,
    SendResult.TRY_LATER: ShortMessageState.FAILED,
}
