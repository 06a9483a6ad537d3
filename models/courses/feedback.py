"""Feedback (课后评价): how a class was, in one to five stars and a few words, by whoever was there.

After the last evening, from a seat, and where anybody was recorded at all, from somebody who came at least once. One for each
registration; it may be changed for ``CHANGED_WITHIN`` and taken back at any time. No name ever stands beside it: the public hears
nothing but the average, and that only of ``LEAST_RATINGS`` or more; the words are read by the staff of the run.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, Select, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models import clock
from models.base import Base, EncryptedText, Keyed
from models.courses.attendance import tally_of
from models.courses.registrations import IN_CLASS, Registration
from models.courses.runs import CourseRun
from models.errors import Conflict, NotFound
from models.journal import enter
from models.residents import Resident

CHANGED_WITHIN = timedelta(days=14)
LEAST_RATINGS = 5
MOST_STARS = 5
LONGEST_WORDS = 300


class Feedback(Keyed, Base):
    """What one learner says of one class."""

    __tablename__ = "feedbacks"
    __table_args__ = (CheckConstraint("stars BETWEEN 1 AND 5", name="one_to_five"),)

    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), unique=True)
    by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    stars: Mapped[int]
    words: Mapped[str | None] = mapped_column(EncryptedText)
    given_at: Mapped[datetime] = mapped_column(default=clock.now)
    changed_at: Mapped[datetime | None]

    registration: Mapped[Registration] = relationship()

    @property
    def changes_until(self) -> datetime:
        """Until when it may be changed."""
        return self.given_at + CHANGED_WITHIN


@dataclass(frozen=True)
class Rating:
    """How a run was found by so many; ``average`` to one decimal."""

    ratings: int
    average: float


def must_have_been_there(session: Session, run: CourseRun, resident: Resident) -> Registration:
    """The registration somebody may say something from. The run is over.

    Raises NotFound ``not_registered`` without a seat, Conflict ``feedback_too_early`` before the last evening is over, and
    ``not_attended`` for whoever came to none of the evenings, where anybody was recorded.
    """
    registration = session.scalar(
        select(Registration)
        .where(
            Registration.run_id == run.id,
            Registration.resident_id == resident.id,
            Registration.state.in_(IN_CLASS),
        )
        .order_by(Registration.id.desc())
        .limit(1)
    )
    if registration is None:
        raise NotFound("还没有报名", code="not_registered")
    if run.ends_at > clock.now():
        raise Conflict("feedback_too_early", "课程还没有结束，上完最后一次课再来评价")
    tally = tally_of(session, run)
    if tally.recorded and not tally.of(registration.id).came:
        raise Conflict("not_attended", "没有到课记录，不能评价；如果记录有误，请联系社区更正")
    return registration


def give_feedback(
    session: Session,
    run: CourseRun,
    resident: Resident,
    *,
    stars: int,
    words: str | None,
    by_account_id: int | None,
    identity: str = "resident",
) -> Feedback:
    """Say how a class was, or say it differently. The same again changes nothing; the caller holds the account.

    Raises as ``must_have_been_there``, and Conflict ``feedback_closed`` when it was said too long ago to be changed.
    """
    registration = must_have_been_there(session, run, resident).lock()
    feedback = session.scalar(select(Feedback).where(Feedback.registration_id == registration.id))
    if feedback is None:
        feedback = Feedback(registration_id=registration.id)
        session.add(feedback)
        feedback.given_at = clock.now()
    elif (feedback.stars, feedback.words) == (stars, words):
        return feedback
    elif feedback.changes_until <= clock.now():
        raise Conflict("feedback_closed", "评价超过十四天，不能再修改；可以收回评价")
    else:
        feedback.changed_at = clock.now()
    feedback.stars, feedback.words, feedback.by_account_id = stars, words, by_account_id
    session.flush()
    enter(
        session,
        "feedback.given",
        registration,
        by_account_id=by_account_id,
        identity=identity,
        for_resident_id=resident.id,
    )
    return feedback


def take_feedback_back(
    session: Session,
    run: CourseRun,
    resident: Resident,
    *,
    by_account_id: int | None,
    identity: str = "resident",
) -> None:
    """Keep nothing of what somebody said of a class. Twice is fine."""
    for feedback in session.scalars(_said_by(run, resident)).all():
        session.delete(feedback)
        enter(
            session,
            "feedback.taken_back",
            feedback.registration,
            by_account_id=by_account_id,
            identity=identity,
            for_resident_id=resident.id,
        )
    session.flush()


def feedback_of(session: Session, run: CourseRun, resident: Resident) -> Feedback:
    """What somebody said of a class. Raises NotFound ``not_rated`` when it is nothing."""
    feedback = session.scalar(_said_by(run, resident))
    if feedback is None:
        raise NotFound("还没有评价", code="not_rated")
    return feedback


def feedback_on(session: Session, run: CourseRun, *, after_id: int | None, most: int) -> Sequence[Feedback]:
    """What was said of a run, oldest first, for its own staff."""
    query = (
        select(Feedback)
        .join(Registration, Registration.id == Feedback.registration_id)
        .where(Registration.run_id == run.id)
        .order_by(Feedback.id)
        .limit(most)
    )
    return session.scalars(query if after_id is None else query.where(Feedback.id > after_id)).all()


def rating_of(session: Session, run: CourseRun, *, least: int = LEAST_RATINGS) -> Rating | None:
    """How a run was found on the average; nothing while fewer than ``least`` said so."""
    ratings, stars = session.execute(
        select(func.count(), func.sum(Feedback.stars))
        .select_from(Feedback)
        .join(Registration, Registration.id == Feedback.registration_id)
        .where(Registration.run_id == run.id)
    ).one()
    if ratings < max(least, 1):
        return None
    return Rating(ratings, round(int(stars) / ratings, 1))


def feedback_to(session: Session, registrations: Collection[int]) -> dict[int, Feedback]:
    """What was said from these registrations, by registration id."""
    rows = session.scalars(select(Feedback).where(Feedback.registration_id.in_(registrations)))
    return {row.registration_id: row for row in rows}


def forget_feedback_words(session: Session, residents: Collection[int]) -> None:
    """These people leave: their stars stay a number, their words go."""
    theirs = select(Registration.id).where(Registration.resident_id.in_(residents))
    session.execute(
        update(Feedback).where(Feedback.registration_id.in_(theirs)).values(words=None),
        execution_options={"synchronize_session": False},
    )


def _said_by(run: CourseRun, resident: Resident) -> Select[Feedback]:
    return (
        select(Feedback)
        .join(Feedback.registration)
        .where(Registration.run_id == run.id, Registration.resident_id == resident.id)
        .order_by(Feedback.id.desc())
    )
