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
from flask import current_app
from sqlalchemy.orm import Session

from miniprogram_api.scenes import url_link_for
from miniprogram_api.sms import SMS_TEMPLATES, SmsGateway, SmsOutcome
from miniprogram_api.sms.templates import LINK
from miniprogram_api.wechat import SendResult
from models import clock, ladder
from models.base import transaction
from models.errors import Refusal
from models.ladder.sending import claim_due, give_up_on_the_dead, put_back, settle
from models.ladder.short_messages import ShortMessage, ShortMessageState
from models.notices import ShortMessageName
from models.truth import still_true
from server.jobs.delivery import WORKER

log = structlog.get_logger()

PASSED_ON_AT_ONCE = 200
# few, and on few connections: at the provider's longest time-out they are all back before the lease is over
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


def pass_on(now: datetime) -> int:
    """Owe short messages for what must arrive and ended at WeChat without arriving; how many notices went one rung down."""
    with transaction() as session:
        return ladder.pass_on(session, most=PASSED_ON_AT_ONCE)


def send_short_messages(now: datetime) -> int:
    """Send what is due, a bounded number; how many were settled."""
    with transaction() as session:
        claimed = claim_due(session, worker=WORKER, most=MOST_AT_ONCE, still_true=still_true)
        letters = [letter for message in claimed if (letter := _write_letter(session, message)) is not None]
    put_back_again = 0
    for letter, outcome in _send_all(letters):
        with transaction() as session:
            put_back_again += not _write_down(session, letter, outcome)
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
    return Letter(message.id, phone, name, values, message.attempts, message.facts["page_subject"])


def _send_all(letters: Sequence[Letter]) -> Iterator[tuple[Letter, SmsOutcome]]:
    gateway: SmsGateway = current_app.extensions["sms"]

    links = _links(letters)

    def send(letter: Letter) -> tuple[Letter, SmsOutcome]:
        if LINK not in SMS_TEMPLATES[letter.name].slots:
            return letter, gateway.send(letter.phone, letter.name, letter.values)
        link = links.get(letter.run_key)
        if link is None:
            return letter, SmsOutcome(SendResult.TRY_LATER, reason="no_link")
        return letter, gateway.send(letter.phone, letter.name, {**letter.values, LINK: link})

    if letters:
        with ThreadPoolExecutor(min(CONNECTIONS, len(letters)), thread_name_prefix="short-messages") as pool:
            yield from pool.map(send, letters)


def _links(letters: Sequence[Letter]) -> dict[str, str]:
    """WeChat's link to each run that a text leads to; none where WeChat gives none now."""
    links = {}
    for run_key in {each.run_key for each in letters if LINK in SMS_TEMPLATES[each.name].slots}:
        try:
            links[run_key] = url_link_for(run_key)
        except Refusal as refusal:
            log.warning("no_link", code=refusal.code)
    return links


def _write_down(session: Session, letter: Letter, outcome: SmsOutcome) -> bool:
    """Write down what came of a message; whether it is settled."""
    said = outcome.code or outcome.reason
    if outcome.result is not SendResult.ACCEPTED:
        log.warning("short_message_not_sent", message_id=letter.message_id, result=outcome.result, said=said)
    if outcome.result is SendResult.TRY_LATER and letter.attempts < MOST_ATTEMPTS:
        delay = min(FIRST_DELAY * 2 ** (letter.attempts - 1), LONGEST_DELAY)
        put_back(session, letter.message_id, due_at=clock.now() + delay, outcome=said)
        return False
    settle(session, letter.message_id, _ENDS[outcome.result], outcome=said, serial=outcome.serial)
    return True


_ENDS: Mapping[SendResult, ShortMessageState] = {
    SendResult.ACCEPTED: ShortMessageState.SENT,
    SendResult.REFUSED: ShortMessageState.REFUSED,
    SendResult.UNKNOWN: ShortMessageState.UNKNOWN,
    SendResult.TRY_LATER: ShortMessageState.FAILED,
}
