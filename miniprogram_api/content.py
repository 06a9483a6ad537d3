"""Asking about content (内容安全): what a route does with a text or a picture before others may see it.

    opinion = checked(sent["text"], FIELD, scene=Scene.FORUM)   # in a route with ``asks_wechat``, before it writes
    …                                                           # the noun's own verb makes or changes the row
    opinion.write_down(key=row.key, …)                          # in the same transaction

What WeChat calls risky is refused, naming the field. Whatever WeChat is unsure about, or cannot be asked about (it is down or slow, its
quota is used up, the person was away for two hours), is taken and waits for a clerk: ``opinion.is_sure`` says whether it may be public
already. WeChat is asked once, for a bounded time, with no transaction open. Pictures go the same way through ``shown``, which the nouns
that let people add photos will call (wishes, feedback); their verdict comes by push, so a picture is never public at once.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from miniprogram_api.edge import account, between_transactions, caller
from miniprogram_api.installed import wechat_gateway
from miniprogram_api.wechat import Scene, Suggest, TextVerdict, errcodes
from miniprogram_api.wechat.content import TEXT_LIMIT
from models import clock
from models.base import db
from models.content_checks import (
    CheckedField,
    CheckState,
    ContentCheck,
    Finding,
    HeldBecause,
    Subject,
    await_verdict,
    count_lately,
    hold_image,
    hold_text,
    note_pass,
    note_refusal,
    said_before,
)
from models.errors import Fault, Invalid, TooOften

PIECE = TEXT_LIMIT  # characters WeChat looks at in one question
OVERLAP = 50  # what stands across two pieces is read whole in one of them
MOST_PIECES = 4
PATIENCE_SECONDS = 10.0  # for all pieces together; one may be under way when it runs out
MOST_AN_HOUR = 60  # questions of one person; all of WeChat's are for everybody together
RISKY = "这里的文字不太合适，请换一种说法再提交；有疑问可以联系社区"

_HELD_BECAUSE: Mapping[int | None, HeldBecause] = {
    errcodes.NOT_VISITED: HeldBecause.AWAY,
    errcodes.DAILY_QUOTA: HeldBecause.USED_UP,
    errcodes.MINUTE_LIMIT: HeldBecause.USED_UP,
}

# what takes no room, beside the formatting characters Unicode names so: fillers, and the marks that choose a variant
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# single letters with anything else between them: 赌 博 平 台, 赌*博*平*台
_SPACED_OUT = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]+[^\W_](?![^\W_]))+")


@dataclass(frozen=True)
class Opinion:
    """What came of asking about a text. Nothing is written down yet."""

    field: CheckedField
    text: str
    finding: Finding
    held_because: HeldBecause | None = None

    @property
    def is_sure(self) -> bool:
        """Whether nobody has to look before others may read it."""
        return self.held_because is None

    def write_down(self, *, key: str, account_id: int, resident_id: int | None) -> None:
        """Write down what came of it, in the transaction of the deed; ``key`` is the row's, ``resident_id`` whom it is about.

        The caller holds the account.
        """
        session = db.session()
        subject = Subject(field=self.field, key=key, account_id=account_id, resident_id=resident_id)
        if self.held_because is not None:
            hold_text(session, subject, self.text, self.finding, self.held_because)
        else:
            note_pass(session, subject, self.text, self.finding)


@dataclass(frozen=True)
class Shown:
    """A picture WeChat took to look at, or did not. Nothing is written down yet."""

    field: CheckedField
    image_url: str
    trace_id: str | None
    held_because: HeldBecause

    def write_down(self, *, key: str, account_id: int, resident_id: int | None) -> ContentCheck:
        """As ``Opinion.write_down``; whether the verdict was pushed before this makes no difference."""
        session = db.session()
        subject = Subject(field=self.field, key=key, account_id=account_id, resident_id=resident_id)
        if self.trace_id is None:
            return hold_image(session, subject, self.image_url, self.held_because)
        return await_verdict(session, subject, self.image_url, trace_id=self.trace_id)


def checked(text: str, field: CheckedField, *, scene: Scene) -> Opinion:
    """Ask WeChat about a text of the person who asks; afterwards the transaction is a new one that may write.

    Raises Invalid ``content_risky`` naming the field, TooOften ``content_too_often`` for somebody who tries without end, and
    Unauthenticated for a risky text of somebody who left meanwhile. What was refused is written down; what a clerk approved or rejected before is not asked about again.
    """
    session = db.session()
    account_id, openid = account().id, caller().openid
    known = said_before(session, account_id, field, text)
    if known is CheckState.APPROVED:
        begin_writing()
        return Opinion(field, text, Finding())
    if known is not None:
        raise _risky(field)
    _must_not_be_too_often(account_id)
    with between_transactions():
        verdict, because = _ask(text, openid=openid, scene=scene)
    finding = Finding(label=verdict.label, trace_id=verdict.trace_id or None)
    if verdict.suggest is Suggest.RISKY:
        account().lock().must_stand()  # nothing is written about somebody who left meanwhile
        subject = Subject(field=field, key=None, account_id=account_id, resident_id=None)
        note_refusal(session, subject, text, finding)
        session.commit()
        raise _risky(field)
    return Opinion(field, text, finding, because)


def shown(image_url: str, field: CheckedField, *, scene: Scene) -> Shown:
    """Hand WeChat a picture of the person who asks, at a public address; afterwards the transaction is a new one that may write."""
    account_id, openid = account().id, caller().openid
    _must_not_be_too_often(account_id)
    with between_transactions():
        taken = wechat_gateway().check_image(image_url, openid=openid, scene=scene)
    because = _HELD_BECAUSE.get(taken.errcode, HeldBecause.UNANSWERED)
    return Shown(field, image_url, taken.trace_id, because)


def begin_writing() -> None:
    """Let go of what was read; what follows may write. For a route that reads unless it is asked for more, or that looks first."""
    with between_transactions():
        pass


# --- what is asked ------------------------------------------------------------------------------------------------


def as_read(text: str) -> str:
    """The text as eyes read it: full-width letters as plain ones, without what takes no room, and 赌 博 as 赌博."""
    plain = unicodedata.normalize("NFKC", _UNSEEN.sub("", text))
    seen = "".join(sign for sign in plain if sign in "\n\t" or unicodedata.category(sign) not in ("Cf", "Cc"))
    return _SPACED_OUT.sub(lambda run: re.sub(r"[\W_]+", "", run[0]), seen)


def pieces_of(text: str) -> Iterator[str]:
    """A text in pieces of at most ``PIECE`` characters, each beginning with the last ``OVERLAP`` of the one before."""
    yield text[:PIECE]
    for start in range(PIECE - OVERLAP, len(text) - OVERLAP, PIECE - OVERLAP):
        yield text[start : start + PIECE]


def _ask(text: str, *, openid: str, scene: Scene) -> tuple[TextVerdict, HeldBecause | None]:
    """The gravest word on any piece, and why a person has to look if somebody has."""
    pieces = list(pieces_of(as_read(text)))
    if len(pieces) > MOST_PIECES:
        return TextVerdict(Suggest.REVIEW), HeldBecause.TOO_LONG
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    gravest: tuple[TextVerdict, HeldBecause | None] | None = None
    for piece in pieces:
        if time.monotonic() >= give_up_at:
            return TextVerdict(Suggest.REVIEW), HeldBecause.UNANSWERED
        verdict = wechat_gateway().check_text(piece, openid=openid, scene=scene)
        if verdict.suggest is Suggest.RISKY:
            return verdict, None
        if verdict.needs_a_person and verdict.reason:
            return verdict, _HELD_BECAUSE.get(verdict.errcode, HeldBecause.UNANSWERED)
        if gravest is None or (verdict.needs_a_person and gravest[1] is None):
            gravest = verdict, HeldBecause.DOUBTFUL if verdict.needs_a_person else None
    if gravest is None:
        raise AssertionError("a text has one piece at least")
    return gravest


def _must_not_be_too_often(account_id: int) -> None:
    since = clock.now() - timedelta(hours=1)
    if count_lately(db.session(), account_id, since=since) >= MOST_AN_HOUR:
        raise TooOften("content_too_often", "修改得有点频繁，请过一会儿再试", retry_after=600)


def _risky(field: CheckedField) -> Invalid:
    return Invalid(
        [Fault(field.sent_as or field.name, RISKY, code="content_risky")], code="content_risky", message=RISKY
    )
