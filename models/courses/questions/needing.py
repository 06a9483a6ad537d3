"""What a tap asks of the questions: which required ones are still open, for a whole batch at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import and_, select
from sqlalchemy.engine import Connection

from models.courses.questions.rows import RunAnswer, RunQuestion, Unanswered
from models.errors import Conflict

OpenOnes = Mapping[tuple[int, int], Sequence[Unanswered]]


def unanswered_by(connection: Connection, runs: Collection[int], residents: Collection[int]) -> OpenOnes:
    """By run and person (ids): the required questions that person has not answered, in the order of the form.

    One statement, and none where no run asks anything: ``runs`` are those that do.
    """
    if not runs or not residents:
        return {}
    rows = connection.execute(
        select(
            RunQuestion.run_id,
            RunQuestion.id,
            RunQuestion.key,
            RunQuestion.title,
            RunAnswer.resident_id,
        )
        .outerjoin(
            RunAnswer,
            and_(RunAnswer.question_id == RunQuestion.id, RunAnswer.resident_id.in_(residents)),
        )
        .where(RunQuestion.run_id.in_(runs), RunQuestion.is_required)
        .order_by(RunQuestion.run_id, RunQuestion.ordinal)
    ).all()
    asked = {row.id: (row.run_id, Unanswered(row.key, row.title)) for row in rows}
    answered = {(row.id, row.resident_id) for row in rows}
    open_ones: dict[tuple[int, int], list[Unanswered]] = defaultdict(list)
    for question_id, (run_id, question) in asked.items():
        for resident_id in residents:
            if (question_id, resident_id) not in answered:
                open_ones[run_id, resident_id].append(question)
    return open_ones


def must_have_answered(open_ones: OpenOnes, run_id: int, resident_id: int) -> None:
    """Raise Conflict ``answers_needed`` naming the questions, while there are any."""
    questions = open_ones.get((run_id, resident_id), ())
    if questions:
        raise answers_needed(questions)


def answers_needed(questions: Sequence[Unanswered]) -> Conflict:
    """The refusal that names what is still to be answered."""
    return Conflict(
        "answers_needed",
        "请先回答这个班的报名问题，再报名",
        details={"questions": [{"key": one.key, "title": one.title} for one in questions]},
    )
