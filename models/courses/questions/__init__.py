"""Questions of a run (报名问题): what a class must know of whoever comes, asked before the tap, so that the tap stays one tap.

Staff write them down on a draft. Once people can see the run they may only add ones nobody has to answer: a question somebody answered
stays what it was. Answers belong to one person and one run. They are ciphertext at rest and seen by nobody but the person, who acts for
them, and the staff of that very run, as long as there is a registration; they go when the person leaves or says so, and
``answers_kept_days`` after the run at the latest.

A required question that is not answered stops the tap (``answers_needed``); ``unanswered_by`` tells a whole batch with one statement.
"""

from __future__ import annotations

from models.courses.questions.answering import (
    answer_questions,
    answers_of,
    answers_on,
    answers_to_runs,
    fit_answers,
    take_answers_back,
)
from models.courses.questions.asking import ask_questions, copy_questions, questions_of
from models.courses.questions.forgetting import forget_answers_of, forget_run_answers
from models.courses.questions.needing import OpenOnes, must_have_answered, unanswered_by
from models.courses.questions.rows import (
    LARGEST_NUMBER,
    LONGEST_ANSWER,
    LONGEST_CHOICE,
    LONGEST_TITLE,
    MOST_CHOICES,
    MOST_QUESTIONS,
    QuestionKind,
    QuestionPlan,
    RunAnswer,
    RunQuestion,
    Said,
    Unanswered,
)

__all__ = [
    "LARGEST_NUMBER",
    "LONGEST_ANSWER",
    "LONGEST_CHOICE",
    "LONGEST_TITLE",
    "MOST_CHOICES",
    "MOST_QUESTIONS",
    "OpenOnes",
    "QuestionKind",
    "QuestionPlan",
    "RunAnswer",
    "RunQuestion",
    "Said",
    "Unanswered",
    "answer_questions",
    "answers_of",
    "answers_on",
    "answers_to_runs",
    "ask_questions",
    "copy_questions",
    "fit_answers",
    "forget_answers_of",
    "forget_run_answers",
    "must_have_answered",
    "questions_of",
    "take_answers_back",
    "unanswered_by",
]
