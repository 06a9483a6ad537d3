"""Settling pushes (处理推送): what WeChat told by itself becomes true here, after it was answered.

One push, one transaction: one that fails is noted and tried again later, the others go on. Which verb an event needs stands in
``_ACTS``; each returns what came of it in a word, or nothing when what it is about is not there yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from miniprogram_api.installed import template_called
from models import clock
from models.accounts import Account, account_of_openid
from models.base import reading, transaction
from models.content_checks import Verdict, settle_verdict
from models.departures import begin_closure, forget_field
from models.grants import (
    Answer,
    ReportSource,
    accounts_allowing,
    forget_old_reports,
    left_of,
    record_answers,
    turn_off,
)
from models.notices.outcomes import LastWord, owe_again, unallowed_lately, write_last_word
from models.pushes import (
    Push,
    PushKind,
    PushState,
    due_pushes,
    forget_old_pushes,
    hold_push,
    note_failure,
    settle_push,
    wait_with,
)

log = structlog.get_logger()

MOST_AT_ONCE = 100
MOST_OWED_AGAIN = 1000
WAITS_FOR = timedelta(minutes=10)  # how long a last word waits for its notice, and a verdict for its picture

NOBODY = "nobody"  # whom it is about never came here, or left
NOT_OURS = "not_ours"  # no template or notice of ours is meant
KEPT = "kept"  # nothing to do but to keep it


def settle_pushes(now: datetime) -> int:
    """Settle what WeChat told, a bounded number; how many are done with."""
    with reading() as session:
        due = due_pushes(session, most=MOST_AT_ONCE)
    return sum(_settle(push_id) for push_id in due)


def owe_what_was_allowed(now: datetime) -> int:
    """Owe again what was not sent for want of a grant that has come since, no more than it allows; how many.

    The phone reports after the tap, and WeChat when it likes: a message may be due a moment before it is allowed.
    """
    with transaction() as session:
        waiting = unallowed_lately(session, allowed_by=accounts_allowing, most=MOST_OWED_AGAIN)
        left = Counter(left_of(session, {notice.account_id for notice in waiting})) if waiting else Counter()
        again: list[int] = []
        for notice in waiting:
            allowed = (notice.account_id, notice.moment.template.value)
            if left[allowed] > 0:
                left[allowed] -= 1
                again.append(notice.id)
        return owe_again(session, again) if again else 0


def forget_pushes(now: datetime) -> int:
    """Drop pushes, stamps and reports whose time is over; how many rows."""
    with transaction() as session:
        return forget_old_pushes(session) + forget_old_reports(session)


def _settle(push_id: int) -> bool:
    try:
        with transaction() as session:
            push = hold_push(session, push_id)
            if push is None:
                return False
            outcome = _ACTS[push.kind](session, push)
            if outcome is None:
                wait_with(push)
                return False
            settle_push(push, outcome)
            return True
    except Exception as error:
        _note_failure(push_id, type(error).__name__)
        return False


def _note_failure(push_id: int, trouble: str) -> None:
    with transaction() as session:
        push = hold_push(session, push_id)
        if push is None:
            return
        note_failure(push, trouble)
        stuck = push.state is PushState.STUCK
        said = log.error if stuck else log.warning
        said("push_stuck" if stuck else "push_not_settled", push_id=push_id, kind=push.kind, trouble=trouble)


# --- what each of them does ---------------------------------------------------------------------------------------


def _hear_answer(session: Session, push: Push) -> str | None:
    account, template = _whose(session, push), _template(push)
    if account is None:
        return NOBODY
    if template is None:
        return NOT_OURS
    answer = Answer.ACCEPT if push.facts["accepted"] else Answer.REJECT
    record_answers(session, account, {template: answer}, source=ReportSource.WECHAT, at=push.at)
    return answer.value


def _turn_off(session: Session, push: Push) -> str | None:
    account, template = _whose(session, push), _template(push)
    if account is None:
        return NOBODY
    if template is None:
        return NOT_OURS
    turn_off(session, account, template, at=push.at)
    return "turned_off"


def _write_last_word(session: Session, push: Push) -> str | None:
    account, template = _whose(session, push), _template(push)
    if account is None:
        return NOBODY
    if template is None:
        return NOT_OURS
    word = write_last_word(
        session,
        account.id,
        template=template,
        msgid=push.facts["msgid"],
        at=push.at,
        error_code=push.facts["error_code"],
    )
    if word is LastWord.NOT_YET and clock.now() < push.received_at + WAITS_FOR:
        return None
    return word.value


def _settle_verdict(session: Session, push: Push) -> str | None:
    settled = settle_verdict(
        session,
        push.trace_id or "",
        Verdict(push.facts["suggest"]),
        label=push.facts["label"],
        errcode=push.facts["errcode"],
    )
    if settled is None and clock.now() < push.received_at + WAITS_FOR:
        return None
    return settled.value if settled is not None else NOT_OURS


def _keep(session: Session, push: Push) -> str | None:
    return KEPT


def _forget_field(session: Session, push: Push) -> str | None:
    account = _whose(session, push)
    forget_field(session, account, push.facts["code"])
    return "forgotten" if account else NOBODY


def _forget_name(session: Session, push: Push) -> str | None:
    account = _whose(session, push)
    forget_field(session, account, "profile")
    return "forgotten" if account else NOBODY


def _close(session: Session, push: Push) -> str | None:
    account = _whose(session, push)
    begin_closure(session, account)
    return "closed" if account else NOBODY


_ACTS: Mapping[PushKind, Callable[[Session, Push], str | None]] = {
    PushKind.POPUP_ANSWERED: _hear_answer,
    PushKind.TEMPLATE_REFUSED: _turn_off,
    PushKind.MESSAGE_SETTLED: _write_last_word,
    PushKind.MEDIA_CHECKED: _settle_verdict,
    PushKind.AUTHORIZATION_REVOKED: _forget_field,
    PushKind.AUTHORIZATION_CANCELLED: _close,
    PushKind.PROFILE_MODIFIED: _forget_name,
    PushKind.UNKNOWN: _keep,
}


def _whose(session: Session, push: Push) -> Account | None:
    """Whom it is about, held; nobody when they never came here, or left."""
    account = account_of_openid(session, push.openid) if push.openid else None
    return account if account is not None and account.lock().closed_at is None else None


def _template(push: Push) -> str | None:
    """Our name of the template, if it is one of ours."""
    return template_called(push.facts["template_id"])
