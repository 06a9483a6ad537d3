"""Delivery (发送): notices that are due go to WeChat, and what became of each is written down.

Claim and spend, commit; send on several connections at once; settle in groups, commit. Nothing is sent inside a transaction, and a
worker that dies between sending and settling leaves rows that are marked unknown, never sent again (see ``models.notices``). A message
that WeChat refuses is recorded and never loops; one that surely did not arrive goes back with a growing delay, and its grant goes
back to the ledger.
"""

from __future__ import annotations

import os
import secrets
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, cast

import structlog
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from miniprogram_api.wechat import SendOutcome, SendResult, WeChatGateway
from models import clock
from models.accounts import Account
from models.base import transaction
from models.courses import owe_reminders
from models.grants import empty, give_back, spend_all
from models.notices import Delivery, TemplateName
from models.notices.keywords import fit
from models.notices.sending import (
    LEASE,
    Claimed,
    claim_due,
    give_up_on_the_dead,
    put_back,
    settle,
    settle_owed,
)
from models.truth import still_true
from server.settings import Settings

log = structlog.get_logger()

MOST_AT_ONCE = 200
CONNECTIONS = 16
SETTLED_TOGETHER = 50
MOST_ATTEMPTS = (
    32  # with the delays below about a day: longer than an outage, or a daily quota that is used up
)
MOST_IN_VAIN = 3  # so many in a row that did not get through, and the rest of the batch does not try
FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(hours=1)
WORKER = f"{os.uname().nodename[:20]}-{secrets.token_hex(4)}"


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


@dataclass
class _Weather:
    """How WeChat's day is going. On a bad one it is not stormed, and a slow one must not outlast the lease."""

    patience_until: datetime
    in_vain: int = field(default=0)

    def says_no(self) -> str | None:
        """Why not to try now; what is not tried surely did not arrive."""
        if self.in_vain >= MOST_IN_VAIN:
            return "bad_day"
        return "too_slow" if clock.now() >= self.patience_until else None

    def learns(self, outcome: SendOutcome) -> None:
        """Another outcome."""
        self.in_vain = self.in_vain + 1 if outcome.result is SendResult.TRY_LATER else 0


def deliver_due(now: datetime) -> int:
    """Send what is due, a bounded number; how many notices were settled."""
    with transaction() as session:
        claimed = claim_due(session, worker=WORKER, most=MOST_AT_ONCE)
        letters = _write_letters(session, claimed)
    put_back_again = 0
    for sent in _send_all(letters):
        with transaction() as session:
            for letter, outcome in sent:
                _write_down(session, letter, outcome)
        put_back_again += sum(outcome.result is SendResult.TRY_LATER for _, outcome in sent)
    return len(claimed) - put_back_again


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


def _send_all(letters: Sequence[Letter]) -> Iterator[list[tuple[Letter, SendOutcome]]]:
    """Send on ``CONNECTIONS`` at once; what became of them, in groups as they come in."""
    gateway: WeChatGateway = current_app.extensions["wechat"]
    settings: Settings = current_app.extensions["settings"]
    weather = _Weather(clock.now() + LEASE / 2)

    def send(letter: Letter) -> tuple[Letter, SendOutcome]:
        no = weather.says_no()
        if no is not None:
            return letter, SendOutcome(SendResult.TRY_LATER, reason=no)
        outcome = gateway.send(
            letter.openid,
            settings.wechat_templates[letter.template],
            letter.values,
            page=letter.page,
            state=cast("Literal['formal', 'trial', 'developer']", settings.wechat_state),
        )
        weather.learns(outcome)
        return letter, outcome

    if not letters:
        return
    with ThreadPoolExecutor(min(CONNECTIONS, len(letters)), thread_name_prefix="delivery") as pool:
        under_way: set[Future[tuple[Letter, SendOutcome]]] = {pool.submit(send, letter) for letter in letters}
        ready: list[tuple[Letter, SendOutcome]] = []
        while under_way:
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            ready += [future.result() for future in done]
            if len(ready) >= SETTLED_TOGETHER or not under_way:
                yield ready
                ready = []


def _write_down(session: Session, letter: Letter, outcome: SendOutcome) -> None:
    said = str(outcome.errcode or outcome.reason or "")
    match outcome.result:
        case SendResult.ACCEPTED:
            settle(session, letter.notice_id, Delivery.SENT, outcome=outcome.msgid or "")
        case SendResult.UNKNOWN:
            settle(session, letter.notice_id, Delivery.UNKNOWN, outcome=said)
        case SendResult.REFUSED:
            settle(session, letter.notice_id, Delivery.REFUSED, outcome=said)
            if outcome.permission_is_gone:
                empty(session, account_id=letter.account_id, template=letter.template)
        case SendResult.TRY_LATER:
            give_back(session, account_id=letter.account_id, template=letter.template)
            if letter.attempts >= MOST_ATTEMPTS:
                settle(session, letter.notice_id, Delivery.FAILED, outcome=said)
            else:
                delay = min(FIRST_DELAY * 2 ** (letter.attempts - 1), LONGEST_DELAY)
                put_back(session, letter.notice_id, due_at=clock.now() + delay, outcome=said)
    if outcome.result is not SendResult.ACCEPTED:
        log.warning("notice_not_sent", notice_id=letter.notice_id, result=outcome.result, said=said)
