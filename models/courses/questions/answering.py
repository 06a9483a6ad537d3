"""Residents answer, before the tap or after it, until the first class begins."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.courses.questions.asking import questions_of
from models.courses.questions.needing import answers_needed
from models.courses.questions.rows import (
    LARGEST_NUMBER,
    NO,
    YES,
    QuestionKind,
    RunAnswer,
    RunQuestion,
    Said,
    Unanswered,
)
from models.courses.registrations import LIVE, Registration
from models.courses.runs import CourseRun, RunState
from models.errors import Conflict, Fault, NotFound
from models.journal import enter
from models.residents import Resident


def answers_of(session: Session, run: CourseRun, resident: Resident) -> Sequence[RunAnswer]:
    """What one person answered to a run, in the order of the form. Raises NotFound when it is nothing."""
    found = _answers(session, [resident.id], run.id)
    if not found:
        raise NotFound("还没有回答这个班的报名问题", code="not_answered")
    return found


def fit_answers(questions: Sequence[RunQuestion], said: Mapping[str, Said]) -> dict[int, str]:
    """What is written down of these answers (by the question's key), by the question's id.

    Raises Conflict ``answers_unfit`` naming every one that is no answer to its question.
    """
    faults: list[Fault] = []
    written: dict[int, str] = {}
    by_key = {question.key: question for question in questions}
    for key, answer in said.items():
        question = by_key.get(key)
        wrong = "没有这个问题，请刷新后重新填写" if question is None else _what_is_wrong(question, answer)
        if wrong is not None:
            faults.append(Fault(f"answers.{key}", wrong))
        elif question is not None:
            written[question.id] = (YES if answer else NO) if isinstance(answer, bool) else str(answer)
    if faults:
        raise Conflict("answers_unfit", "有的回答不合要求，请检查后重试", faults=faults)
    return written


def _what_is_wrong(question: RunQuestion, answer: Said) -> str | None:
    match question.kind:
        case QuestionKind.TEXT:
            return None if isinstance(answer, str) else "请填写文字"
        case QuestionKind.CHOICE:
            return None if answer in question.choices else "请从选项中选一个"
        case QuestionKind.CONSENT:
            if not isinstance(answer, bool):
                return "请选择同意或不同意"
            return "需要同意才能报名" if question.is_required and not answer else None
        case QuestionKind.NUMBER:
            if isinstance(answer, bool) or not isinstance(answer, int):
                return "请填写整数"
            least = -LARGEST_NUMBER if question.least is None else question.least
            most = LARGEST_NUMBER if question.most is None else question.most
            return None if least <= answer <= most else f"请填写 {least} 到 {most} 之间的整数"


def answer_questions(
    session: Session,
    run: CourseRun,
    resident: Resident,
    said: Mapping[str, Said],
    *,
    by_account_id: int | None,
    identity: str = "resident",
) -> Sequence[RunAnswer]:
    """Write down all that somebody answers to a run; what is left out is no longer answered. The same again changes nothing.

    Raises Conflict ``answers_closed`` once the first class has begun, ``answers_unfit`` for what is no answer, and ``answers_needed``
    when somebody who has a place leaves a required question open.
    """
    resident.lock()  # as their tap does: what it read is not gone when it is decided
    _must_be_open(run)
    questions = questions_of(session, run)
    written = fit_answers(questions, said)
    open_ones = [one for one in questions if one.is_required and one.id not in written]
    if open_ones and _has_a_place(session, run, resident):
        raise answers_needed([Unanswered(one.key, one.title) for one in open_ones])
    before = {answer.question_id: answer for answer in _answers(session, [resident.id], run.id)}
    if {question_id: answer.written for question_id, answer in before.items()} != written:
        for question_id, answer in before.items():
            if question_id not in written:
                session.delete(answer)
        for question_id, text in written.items():
            row = before.get(question_id) or RunAnswer(question_id=question_id, resident_id=resident.id)
            if row.id is None or row.written != text:
                row.written, row.answered_at, row.by_account_id = text, clock.now(), by_account_id
                session.add(row)
        try:
            session.flush()
        except IntegrityError:  # the form changed, or the same was sent twice at once
            raise Conflict("answers_outdated", "报名问题刚刚有变化，请刷新后重新填写") from None
        enter(
            session,
            "run_answers.given",
            run,
            by_account_id=by_account_id,
            identity=identity,
            for_resident_id=resident.id,
        )
    return _answers(session, [resident.id], run.id)


def take_answers_back(
    session: Session,
    run: CourseRun,
    resident: Resident,
    *,
    by_account_id: int | None,
    identity: str = "resident",
) -> None:
    """Keep nothing of what somebody answered. Twice is fine.

    Raises Conflict ``answers_in_use`` while they have a place in a class that is not over.
    """
    resident.lock()  # as their tap does: what it read is not gone when it is decided
    if run.ends_at > clock.now() and _has_a_place(session, run, resident):
        raise Conflict("answers_in_use", "报名还在，回答不能清空；可以修改回答，或者先取消报名")
    before = _answers(session, [resident.id], run.id)
    for answer in before:
        session.delete(answer)
    if before:
        enter(
            session,
            "run_answers.taken_back",
            run,
            by_account_id=by_account_id,
            identity=identity,
            for_resident_id=resident.id,
        )
    session.flush()


def _must_be_open(run: CourseRun) -> None:
    if run.state is RunState.CANCELLED or run.starts_at <= clock.now():
        raise Conflict("answers_closed", "已经开课或取消，回答不能再改；需要更正请联系社区")


def _has_a_place(session: Session, run: CourseRun, resident: Resident) -> bool:
    return (
        session.scalar(
            select(Registration.id).where(
                Registration.run_id == run.id,
                Registration.resident_id == resident.id,
                Registration.state.in_(LIVE),
            )
        )
        is not None
    )


def _answers(session: Session, residents: Collection[int], run_id: int) -> Sequence[RunAnswer]:
    return session.scalars(
        select(RunAnswer)
        .join(RunAnswer.question)
        .options(joinedload(RunAnswer.question))
        .where(RunAnswer.resident_id.in_(residents), RunQuestion.run_id == run_id)
        .order_by(RunQuestion.ordinal)
    ).all()


def answers_on(session: Session, run: CourseRun, residents: Collection[int]) -> dict[int, list[RunAnswer]]:
    """What these people answered to a run, by the person's id; for its own staff."""
    found: dict[int, list[RunAnswer]] = {resident: [] for resident in residents}
    for answer in _answers(session, residents, run.id):
        found[answer.resident_id].append(answer)
    return found


def answers_to_runs(session: Session, residents: Collection[int]) -> Sequence[RunAnswer]:
    """Everything these people answered to any run, oldest first."""
    return session.scalars(
        select(RunAnswer)
        .options(joinedload(RunAnswer.question))
        .where(RunAnswer.resident_id.in_(residents))
        .order_by(RunAnswer.id)
    ).all()
