"""What is checked: the fields residents fill and others read, each with its Chinese name and what follows when it may not stay.

A noun that lets people write or show something brings one entry here: what is done to its row when WeChat or a clerk says no, and
when a doubt is cleared. Nothing of this module asks anybody; ``verdicts`` and ``deciding`` say when.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from models import clock
from models.content_checks.checks import CheckState, ContentCheck
from models.courses import Feedback, RunAnswer
from models.courses.attendance import AbsenceAppeal, PickUpAdult
from models.groups import Group, clear_about, clear_name, refuse_about, refuse_name
from models.partners import Pairing, Partner, refuse_contact_name, strike_pairing_reason
from models.partners import refuse_name as refuse_unit_name
from models.reservations import CreditEntry
from models.residents import Resident
from models.wishes import Wish, WishPhoto, clear_photo, clear_words, refuse_photo, refuse_words
from models.wishes.claims import (
    Claim,
    Fulfilment,
    strike_extension_reason,
    strike_note,
    strike_plan,
    strike_reason,
)

Follow = Callable[[Session, ContentCheck, str | None], None]


def _nothing(session: Session, check: ContentCheck, written: str | None) -> None:
    """Nothing follows: what is written down of the check is all."""


@dataclass(frozen=True)
class CheckedField:
    """One field that is checked. ``label`` is its name for people, ``page`` where it is filled in anew, ``sent_as`` its name in what is sent.

    ``follow`` is called in the transaction in which an open check ends, with the text, of which the check says nothing any more.
    """

    subject_kind: str
    name: str
    label: str
    page: str
    follow: Follow = _nothing
    sent_as: str = ""


def _take_the_name_away(session: Session, check: ContentCheck, written: str | None) -> None:
    """A name that may not stay is a name still to be told: the person is asked for it as if they never had been.

    Seats they hold stay. One they have changed meanwhile is another name.
    """
    if check.state not in (CheckState.REJECTED, CheckState.RISKY):
        return
    session.execute(
        update(Resident).where(Resident.id == check.resident_id, Resident.name == written).values(name=None)
    )


RESIDENT_NAME = CheckedField(
    Resident.__tablename__, "name", "姓名", "pages/me/profile", follow=_take_the_name_away
)


def _take_the_answer_away(session: Session, check: ContentCheck, written: str | None) -> None:
    """An answer that may not stay is none; the place in the class stays. One that was changed meanwhile is another answer."""
    if check.state not in (CheckState.REJECTED, CheckState.RISKY):
        return
    answer = session.scalar(select(RunAnswer).where(RunAnswer.key == (check.subject_key or "")))
    if answer is not None and answer.written == written:
        session.delete(answer)
        session.flush()


RUN_ANSWER = CheckedField(
    RunAnswer.__tablename__,
    "answer",
    "报名问题的回答",
    "pages/me/registrations",
    follow=_take_the_answer_away,
)


def _take_the_words_away(session: Session, check: ContentCheck, written: str | None) -> None:
    """Words that may not stay go; the stars were not looked at."""
    if check.state not in (CheckState.REJECTED, CheckState.RISKY):
        return
    feedback = session.scalar(select(Feedback).where(Feedback.key == (check.subject_key or "")))
    if feedback is not None and feedback.words == written:
        feedback.words = None
        session.flush()


FEEDBACK_WORDS = CheckedField(
    Feedback.__tablename__,
    "text",
    "课后评价",
    "pages/me/registrations",
    follow=_take_the_words_away,
)


def _take_the_appeal_away(session: Session, check: ContentCheck, written: str | None) -> None:
    """Words of an appeal that may not stay go; the appeal waits on, for those who decide know the class."""
    if check.state not in (CheckState.REJECTED, CheckState.RISKY):
        return
    made = session.scalar(select(AbsenceAppeal).where(AbsenceAppeal.key == (check.subject_key or "")))
    if made is not None and made.words == written:
        made.words = None
        session.flush()


ABSENCE_APPEAL = CheckedField(
    AbsenceAppeal.__tablename__, "words", "缺课申诉", "pages/me/attendance", follow=_take_the_appeal_away
)


def _take_the_adult_away(session: Session, check: ContentCheck, written: str | None) -> None:
    """Somebody whose name may not stay may fetch no child until the guardian names them anew."""
    if check.state not in (CheckState.REJECTED, CheckState.RISKY):
        return
    adult = session.scalar(select(PickUpAdult).where(PickUpAdult.key == (check.subject_key or "")))
    if adult is not None and adult.name == written and adult.removed_at is None:
        adult.removed_at = clock.now()
        session.flush()


def _take_the_credit_appeal_away(session: Session, check: ContentCheck, written: str | None) -> None:
    """Words of an appeal that may not stay go; the appeal waits on, for those who decide know the reservation."""
    if check.state not in (CheckState.REJECTED, CheckState.RISKY):
        return
    entry = session.scalar(select(CreditEntry).where(CreditEntry.key == (check.subject_key or "")))
    if entry is not None and entry.appeal_words == written:
        entry.appeal_words = None
        session.flush()


CREDIT_APPEAL = CheckedField(
    CreditEntry.__tablename__,
    "words",
    "信用申诉",
    "pages/me/credit",
    follow=_take_the_credit_appeal_away,
)

PICK_UP_NAME = CheckedField(
    PickUpAdult.__tablename__, "name", "接送人姓名", "pages/me/registrations", follow=_take_the_adult_away
)


def _judge_the_name(session: Session, check: ContentCheck, written: str | None) -> None:
    """A group whose name may not stay is none; staff approve one whose name nobody has to look at any more."""
    judged = refuse_name if check.state in (CheckState.REJECTED, CheckState.RISKY) else clear_name
    judged(session, check.subject_key or "", written)


GROUP_NAME = CheckedField(Group.__tablename__, "name", "团队名称", "pages/me/groups", follow=_judge_the_name)


def _judge_what_it_says(session: Session, check: ContentCheck, written: str | None) -> None:
    """A group says nothing of itself where its words may not stay."""
    judged = refuse_about if check.state in (CheckState.REJECTED, CheckState.RISKY) else clear_about
    judged(session, check.subject_key or "", written)


GROUP_ABOUT = CheckedField(
    Group.__tablename__, "about", "团队介绍", "pages/me/groups", follow=_judge_what_it_says
)


def _judge_the_wish(session: Session, check: ContentCheck, written: str | None) -> None:
    """A wish whose words may not stay waits no longer; it may be said anew."""
    judged = refuse_words if check.state in (CheckState.REJECTED, CheckState.RISKY) else clear_words
    judged(session, check.subject_key or "", written)


WISH_WORDS = CheckedField(Wish.__tablename__, "words", "心愿内容", "pages/me/wish", follow=_judge_the_wish)


def _judge_the_photo(session: Session, check: ContentCheck, written: str | None) -> None:
    """A wish keeps no picture that may not stay."""
    judged = refuse_photo if check.state in (CheckState.REJECTED, CheckState.RISKY) else clear_photo
    judged(session, check.subject_key or "")


WISH_PHOTO = CheckedField(
    WishPhoto.__tablename__, "photo", "心愿照片", "pages/me/wish", follow=_judge_the_photo
)

CLAIM_PHOTO = CheckedField(
    WishPhoto.__tablename__, "evidence", "圆梦照片", "pages/partner/claim", follow=_judge_the_photo
)


def _refused_by(strike: Callable[[Session, str, str | None], None]) -> Follow:
    """What may not stay is struck, and what was done stays; nothing follows of what may."""

    def follow(session: Session, check: ContentCheck, written: str | None) -> None:
        if check.state in (CheckState.REJECTED, CheckState.RISKY):
            strike(session, check.subject_key or "", written)

    return follow


_CLAIM = "pages/partner/claim"
_UNIT = "pages/me/partners"

CLAIM_PLAN = CheckedField(Claim.__tablename__, "plan", "圆梦计划", _CLAIM, follow=_refused_by(strike_plan))
CLAIM_REASON = CheckedField(
    Claim.__tablename__, "because", "退回或不接单的原因", _CLAIM, follow=_refused_by(strike_reason)
)
CLAIM_EXTENSION = CheckedField(
    Claim.__tablename__,
    "extended_because",
    "延期的原因",
    _CLAIM,
    follow=_refused_by(strike_extension_reason),
    sent_as="because",
)
DELIVERY_NOTE = CheckedField(
    Fulfilment.__tablename__, "note", "送达说明", _CLAIM, follow=_refused_by(strike_note)
)
UNIT_NAME = CheckedField(
    Partner.__tablename__, "name", "单位名称", _UNIT, follow=_refused_by(refuse_unit_name)
)
UNIT_CONTACT = CheckedField(
    Partner.__tablename__, "contact_name", "单位联系人", _UNIT, follow=_refused_by(refuse_contact_name)
)
PAIRING_REASON = CheckedField(
    Pairing.__tablename__, "because", "结束结对的原因", _UNIT, follow=_refused_by(strike_pairing_reason)
)

FIELDS: Mapping[tuple[str, str], CheckedField] = {
    (field.subject_kind, field.name): field
    for field in (
        RESIDENT_NAME,
        RUN_ANSWER,
        FEEDBACK_WORDS,
        ABSENCE_APPEAL,
        CREDIT_APPEAL,
        PICK_UP_NAME,
        GROUP_NAME,
        GROUP_ABOUT,
        WISH_WORDS,
        WISH_PHOTO,
        CLAIM_PHOTO,
        CLAIM_PLAN,
        CLAIM_REASON,
        CLAIM_EXTENSION,
        DELIVERY_NOTE,
        UNIT_NAME,
        UNIT_CONTACT,
        PAIRING_REASON,
    )
}

# where what a unit wrote is looked at, for it is about nobody: where it serves, where it is paired, or where the wish hangs
PLACE_OF_SUBJECT: Mapping[str, Select[int | None]] = {
    Partner.__tablename__: select(Partner.region_id).where(Partner.key == ContentCheck.subject_key),
    Pairing.__tablename__: select(Pairing.region_id).where(Pairing.key == ContentCheck.subject_key),
    Claim.__tablename__: select(Wish.region_id)
    .join(Claim, Claim.wish_id == Wish.id)
    .where(Claim.key == ContentCheck.subject_key),
    Fulfilment.__tablename__: select(Wish.region_id)
    .join(Claim, Claim.wish_id == Wish.id)
    .join(Fulfilment, Fulfilment.claim_id == Claim.id)
    .where(Fulfilment.key == ContentCheck.subject_key),
}


def field_of(check: ContentCheck) -> CheckedField:
    """The entry a check belongs to; for one that is no longer checked, a plain one."""
    known = FIELDS.get((check.subject_kind, check.field))
    return known or CheckedField(check.subject_kind, check.field, "提交的内容", "pages/me/index")
