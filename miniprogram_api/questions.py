"""What a run asks before the tap: staff set the form, residents answer it, the run's staff read the answers."""

from __future__ import annotations

from typing import Any, NamedTuple

from miniprogram_api.acting import learner_to_write_about, oneself_or_ward
from miniprogram_api.content import Opinion, begin_writing, checked
from miniprogram_api.counter import resident_at_the_counter
from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, Needs, account, caller, staff_hat
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.courses import ForWhom
from miniprogram_api.schemas.questions import (
    AnswersIn,
    AnswersOut,
    QuestionsIn,
    QuestionsOut,
    StaffAnswersOut,
    StaffAnswersQuery,
)
from miniprogram_api.wechat import Scene
from models.base import db
from models.content_checks import RUN_ANSWER
from models.counter import agreed_among
from models.courses import (
    CourseRun,
    QuestionKind,
    QuestionPlan,
    Registration,
    RunAnswer,
    Said,
    answer_questions,
    answers_of,
    answers_on,
    ask_questions,
    fit_answers,
    published_run,
    questions_of,
    roster_of,
    run_for_staff,
    take_answers_back,
)
from models.errors import Conflict, Fault
from models.journal import enter
from models.residents import Resident
from models.staff import OFFICE, places_of

door = Door("questions", description="报名问题")


class Line(NamedTuple):
    """One learner with what they answered."""

    registration: Registration
    answers: list[RunAnswer]


@door.get("/course-runs/<key:key>/questions", needs=Needs.NOTHING, kept=True)
@door.gives(QuestionsOut, refuses=(404,))
def list_questions(key: str) -> dict[str, Any]:
    """班次的报名问题

    What the run asks of whoever registers, in the order of the form; nothing of most runs.
    """
    session = db.session()
    return {"items": questions_of(session, published_run(session, key))}


@door.get("/course-runs/<key:key>/answers")
@door.takes(ForWhom, location="query")
@door.gives(AnswersOut, refuses=(422,))
def show_answers(whom: dict[str, Any], key: str) -> dict[str, Any]:
    """我的回答

    What one answered to this run, or somebody one acts for; 404 ``not_answered`` when it is nothing.
    """
    session = db.session()
    run, learner = published_run(session, key), oneself_or_ward(whom.get("for_key"))
    return _told(run, learner, answers_of(session, run, learner))


@door.put("/course-runs/<key:key>/answers", asks_wechat=True, rate=RateName.PROFILE)
@door.takes(ForWhom, location="query")
@door.takes(AnswersIn)
@door.gives(AnswersOut, refuses=(409, 422))
def answer(whom: dict[str, Any], sent: dict[str, Any], key: str) -> dict[str, Any]:
    """回答报名问题

    All one answers, before the tap or after it, until the first class begins; what is left out is no longer answered. A tap on a run
    with a required question open is 409 ``answers_needed``. Text is checked first: 422 ``content_risky`` asks for other words. Only the
    staff of this run see it.
    """
    run, said = published_run(db.session(), key), _said(sent["answers"])
    learner = learner_to_write_about(whom.get("for_key"))
    opinions = _opinions(run, learner, said)
    session = db.session()
    account().lock().must_stand()
    run, learner = published_run(session, key), learner_to_write_about(whom.get("for_key"))
    answers = answer_questions(session, run, learner, said, by_account_id=account().id)
    for written in answers:
        if written.question.key in opinions:
            opinions[written.question.key].write_down(
                key=written.key, account_id=account().id, resident_id=learner.id
            )
    return _told(run, learner, answers)


@door.delete("/course-runs/<key:key>/answers")
@door.takes(ForWhom, location="query")
@door.gives(None, 204, refuses=(409, 422))
def take_back(whom: dict[str, Any], key: str) -> None:
    """清空回答

    Keep nothing of what one answered; while one has a place in the class, 409 ``answers_in_use``. Twice is fine.
    """
    session = db.session()
    run, learner = published_run(session, key), oneself_or_ward(whom.get("for_key"))
    take_answers_back(session, run, learner, by_account_id=account().id)


@door.get("/staff/course-runs/<key:key>/questions")
@door.gives(QuestionsOut)
def list_staff_questions(key: str) -> dict[str, Any]:
    """班次的报名问题（工作人员）

    What a run of any state asks.
    """
    session = db.session()
    return {"items": questions_of(session, _run(key))}


@door.put("/staff/course-runs/<key:key>/questions")
@door.takes(QuestionsIn)
@door.gives(QuestionsOut, refuses=(409, 422))
def set_questions(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """设置报名问题（工作人员）

    All the run asks, in this order; a question that stays is named by its ``key``. Once residents can see the run, only questions nobody
    has to answer may be added, at the end, and what somebody answered stays: 409 ``questions_fixed``.
    """
    session, run = db.session(), _run(key)
    plans = [QuestionPlan(**question) for question in sent["questions"]]
    ask_questions(session, run, plans, by_account_id=account().id, identity=caller().identity)
    return {"items": questions_of(session, run)}


@door.put("/staff/course-runs/<key:key>/answers/<key:resident>", rate=RateName.COUNTER)
@door.takes(AnswersIn)
@door.gives(AnswersOut, refuses=(409, 422))
def answer_at_the_counter(sent: dict[str, Any], key: str, resident: str) -> dict[str, Any]:
    """代填报名问题（工作人员）

    Write down what somebody one looks after answers, at the counter or at their door, before they are registered there. They have agreed
    to what is kept of them, on their phone or on paper: 409 ``consent_needed`` otherwise.
    """
    session, learner = db.session(), resident_at_the_counter(resident)
    run = published_run(session, key)
    if learner.id not in agreed_among(session, [learner]):
        raise Conflict("consent_needed", "请先阅读并同意隐私政策")
    answers = answer_questions(
        session,
        run,
        learner,
        _said(sent["answers"]),
        by_account_id=account().id,
        identity=caller().identity,
    )
    return _told(run, learner, answers)


@door.get("/staff/course-runs/<key:key>/answers", looks=True)
@door.takes(StaffAnswersQuery, location="query")
@door.gives(StaffAnswersOut, refuses=(422,))
def list_answers(wanted: dict[str, Any], key: str) -> dict[str, Any]:
    """报名问题的回答（工作人员）

    What everybody with a place in the run answered, in order of registration. Every look is journalled.
    """
    session, run, limit = db.session(), _run(key), wanted["limit"]
    lines = roster_of(session, run, after_id=after_id(wanted.get("cursor")), most=limit + 1)
    answers = answers_on(session, run, [line.resident_id for line in lines])
    enter(
        session,
        "run_answers.looked_at",
        run,
        by_account_id=account().id,
        identity=caller().identity,
        details={"lines": min(len(lines), limit)},
    )
    answer = page(lines, limit, lambda registration: [registration.id])
    answer["items"] = [Line(line, answers[line.resident_id]) for line in answer["items"]]
    return answer


def _run(key: str) -> CourseRun:
    session = db.session()
    return run_for_staff(session, key, within=places_of(session, staff_hat(), *OFFICE))


def _told(run: CourseRun, learner: Resident, answers: Any) -> dict[str, Any]:
    return {"run": run.key, "resident": learner.key, "answers": answers}


def _said(sent: list[dict[str, Any]]) -> dict[str, Said]:
    said: dict[str, Said] = {}
    for one in sent:
        if one["question"] in said:
            fault = Fault(f"answers.{one['question']}", "同一个问题回答了两次")
            raise Conflict("answers_unfit", "有的回答不合要求，请检查后重试", faults=[fault])
        said[one["question"]] = one["answer"]
    return said


def _opinions(run: CourseRun, learner: Resident, said: dict[str, Said]) -> dict[str, Opinion]:
    """WeChat's word on every text that is new, by the question's key; what is no answer is refused before anybody is asked."""
    session = db.session()
    questions = questions_of(session, run)
    fit_answers(questions, said)
    before = {one.question.key: one.written for one in answers_on(session, run, [learner.id])[learner.id]}
    texts = {one.key: said[one.key] for one in questions if one.kind is QuestionKind.TEXT and one.key in said}
    new = {key: str(text) for key, text in texts.items() if before.get(key) != text}
    if not new:
        begin_writing()
    return {key: checked(text, RUN_ANSWER, scene=Scene.PROFILE) for key, text in new.items()}
