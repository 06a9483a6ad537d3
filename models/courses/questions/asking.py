"""Staff write down what a run asks, and may change it as long as nobody relied on it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.courses.questions.rows import MOST_CHOICES, QuestionKind, QuestionPlan, RunAnswer, RunQuestion
from models.courses.runs import CourseRun, RunState
from models.errors import Conflict, Fault
from models.journal import enter


def questions_of(session: Session, run: CourseRun) -> Sequence[RunQuestion]:
    """What a run asks, in the order of the form."""
    return session.scalars(
        select(RunQuestion).where(RunQuestion.run_id == run.id).order_by(RunQuestion.ordinal)
    ).all()


def ask_questions(
    session: Session,
    run: CourseRun,
    plans: Sequence[QuestionPlan],
    *,
    by_account_id: int | None = None,
    identity: str = "town",
) -> None:
    """Have a run ask just these, in this order. The same again changes nothing.

    Raises Conflict ``questions_unfit`` naming what cannot be asked so, and ``questions_fixed`` for a change that comes too late: when
    residents can see the run only questions nobody has to answer may be added, at the end; what somebody answered stays as it was;
    of a run that is over or called off nothing changes.
    """
    run.lock()
    _must_make_sense(plans)
    standing = questions_of(session, run)
    by_key = {question.key: question for question in standing}
    unknown = [n for n, plan in enumerate(plans) if plan.key is not None and plan.key not in by_key]
    if unknown:
        raise _unfit([Fault(f"questions.{n}.key", "这个班没有这个问题") for n in unknown])
    kept = [by_key[plan.key] if plan.key else None for plan in plans]
    if len(kept) == len(standing) and all(
        old is stands and stands.says_as(plan)
        for old, stands, plan in zip(kept, standing, plans, strict=True)
    ):
        return
    _must_not_be_too_late(session, run, standing, kept, plans)
    for question in standing:
        question.ordinal = -question.ordinal  # two that change places must not meet
    session.flush()
    for question in standing:
        if question not in kept:
            session.delete(question)
    for ordinal, (old, plan) in enumerate(zip(kept, plans, strict=True), start=1):
        question = old or RunQuestion(run_id=run.id)
        question.ordinal, question.kind, question.title = ordinal, plan.kind, plan.title
        question.choices, question.is_required = list(plan.choices), plan.is_required
        question.least, question.most = plan.least, plan.most
        session.add(question)
    run.asks_questions = bool(plans)
    enter(
        session,
        "course_run.questions_set",
        run,
        by_account_id=by_account_id,
        identity=identity,
        details={"questions": len(plans), "required": sum(plan.is_required for plan in plans)},
    )
    session.flush()


def _must_not_be_too_late(
    session: Session,
    run: CourseRun,
    standing: Sequence[RunQuestion],
    kept: Sequence[RunQuestion | None],
    plans: Sequence[QuestionPlan],
) -> None:
    if run.state in (RunState.CANCELLED, RunState.ARCHIVED) or run.ends_at <= clock.now():
        raise Conflict("questions_fixed", "这个班已经结束或取消，报名问题不能再改")
    stay = {old.id for old, plan in zip(kept, plans, strict=True) if old is not None and old.says_as(plan)}
    if run.state is not RunState.DRAFT:
        in_place = [old for old in kept[: len(standing)] if old is not None and old.id in stay]
        added = plans[len(standing) :]
        if in_place != list(standing) or any(plan.is_required for plan in added):
            raise Conflict(
                "questions_fixed", "居民已经能看到这个班，只能在最后增加选填的问题；要改别的请先下架"
            )
    touched = [question.id for question in standing if question.id not in stay]
    answered = session.scalar(select(RunAnswer.id).where(RunAnswer.question_id.in_(touched)).limit(1))
    if answered is not None:
        raise Conflict("questions_fixed", "已经有人回答过的问题不能修改或删除，可以在后面增加新的问题")


def _must_make_sense(plans: Sequence[QuestionPlan]) -> None:
    faults: list[Fault] = []
    keys = [plan.key for plan in plans if plan.key is not None]
    if len(set(keys)) != len(keys):
        faults.append(Fault("questions", "同一个问题列了两次"))
    for n, plan in enumerate(plans):
        where = f"questions.{n}"
        if plan.kind is QuestionKind.CHOICE:
            if not 2 <= len(plan.choices) <= MOST_CHOICES:
                faults.append(Fault(f"{where}.choices", f"单选题要有 2 到 {MOST_CHOICES} 个选项"))
            if len(set(plan.choices)) != len(plan.choices):
                faults.append(Fault(f"{where}.choices", "有两个选项是一样的"))
        elif plan.choices:
            faults.append(Fault(f"{where}.choices", "只有单选题才有选项"))
        if plan.kind is not QuestionKind.NUMBER and not plan.least is plan.most is None:
            faults.append(Fault(f"{where}.least", "只有数字题才有范围"))
        if plan.least is not None and plan.most is not None and plan.least > plan.most:
            faults.append(Fault(f"{where}.least", "最小值不能大于最大值"))
    if faults:
        raise _unfit(faults)


def _unfit(faults: list[Fault]) -> Conflict:
    return Conflict("questions_unfit", "报名问题设置有误，请检查后重试", faults=faults)


def copy_questions(session: Session, run: CourseRun, into: CourseRun) -> None:
    """Have another run ask the same; nobody's answers go along."""
    for question in questions_of(session, run):
        session.add(
            RunQuestion(
                run_id=into.id,
                ordinal=question.ordinal,
                kind=question.kind,
                title=question.title,
                choices=list(question.choices),
                least=question.least,
                most=question.most,
                is_required=question.is_required,
            )
        )
    into.asks_questions = run.asks_questions
    session.flush()
