"""The tables: what a run asks, and what one person answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models import clock
from models.base import Base, EncryptedText, Keyed, PlainText, chosen_from

MOST_QUESTIONS = 10
MOST_CHOICES = 20
LONGEST_TITLE = 100
LONGEST_CHOICE = 40
LONGEST_ANSWER = 200
LARGEST_NUMBER = 999_999_999

Said = str | int | bool
YES, NO = "yes", "no"


class QuestionKind(StrEnum):
    """What an answer is."""

    TEXT = "text"  # 填空
    CHOICE = "choice"  # 单选
    NUMBER = "number"  # 数字
    CONSENT = "consent"  # 同意事项


class RunQuestion(Keyed, Base):
    """One thing a run asks of whoever registers."""

    __tablename__ = "run_questions"
    __table_args__ = (UniqueConstraint("run_id", "ordinal"),)

    run_id: Mapped[int] = mapped_column(ForeignKey("course_runs.id", ondelete="CASCADE"))
    ordinal: Mapped[int]  # its place in the form, from 1
    kind: Mapped[QuestionKind] = mapped_column(chosen_from(QuestionKind))
    title: Mapped[str] = mapped_column(PlainText(LONGEST_TITLE))
    choices: Mapped[list[str]] = mapped_column(JSON, default=list)
    least: Mapped[int | None]  # of a number
    most: Mapped[int | None]
    is_required: Mapped[bool] = mapped_column(default=False)

    def says_as(self, plan: QuestionPlan) -> bool:
        """Whether it is what the plan says."""
        return (
            self.kind,
            self.title,
            tuple(self.choices),
            self.least,
            self.most,
            self.is_required,
        ) == (plan.kind, plan.title, tuple(plan.choices), plan.least, plan.most, plan.is_required)


class RunAnswer(Keyed, Base):
    """What one person answered to one question."""

    __tablename__ = "run_answers"
    __table_args__ = (
        UniqueConstraint("question_id", "resident_id"),
        Index("ix_run_answers_resident", "resident_id"),
    )

    question_id: Mapped[int] = mapped_column(ForeignKey("run_questions.id", ondelete="CASCADE"))
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    by_account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    written: Mapped[str] = mapped_column(EncryptedText)
    answered_at: Mapped[datetime] = mapped_column(default=clock.now)

    question: Mapped[RunQuestion] = relationship()

    @property
    def said(self) -> Said:
        """The answer as it was given: text, a number, or yes and no."""
        match self.question.kind:
            case QuestionKind.NUMBER:
                return int(self.written)
            case QuestionKind.CONSENT:
                return self.written == YES
            case _:
                return self.written

    @property
    def as_read(self) -> str:
        """The answer as a clerk reads it."""
        if self.question.kind is QuestionKind.CONSENT:
            return "同意" if self.said else "不同意"
        return self.written


@dataclass(frozen=True)
class QuestionPlan:
    """A question as staff write it down; ``key`` names one that stands already."""

    kind: QuestionKind
    title: str
    choices: Sequence[str] = ()
    least: int | None = None
    most: int | None = None
    is_required: bool = False
    key: str | None = None


@dataclass(frozen=True)
class Unanswered:
    """A required question somebody has not answered."""

    key: str
    title: str
