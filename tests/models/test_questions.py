"""Questions before the tap: staff ask them in time, people answer them once, and no answer outlives its purpose."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from models.base import db, reading, transaction
from models.clock import StoppedClock
from models.courses import (
    CourseRun,
    QuestionKind,
    QuestionPlan,
    RunAnswer,
    RunQuestion,
    Said,
    answer_questions,
    ask_questions,
    copy_run,
    forget_run_answers,
    publish,
    questions_of,
    take_answers_back,
    unpublish,
    withdraw_run,
)
from models.departures import close_account, what_closing_means
from models.errors import Conflict
from models.policies import set_policy
from models.regions import Region
from tests.people import Person, Town

SIZE = QuestionPlan(QuestionKind.CHOICE, "围裙尺码", ("小号", "大号"), is_required=True)
HEALTH = QuestionPlan(QuestionKind.CONSENT, "我的身体状况适合参加", is_required=True)
WISH = QuestionPlan(QuestionKind.TEXT, "想学什么")
YEARS = QuestionPlan(QuestionKind.NUMBER, "学过几年", least=0, most=80)


def ask(run: CourseRun, *plans: QuestionPlan) -> list[RunQuestion]:
    with transaction() as session:
        mine = session.get_one(CourseRun, run.id)
        ask_questions(session, mine, plans)
        return list(questions_of(session, mine))


def a_run_that_asks(
    town: Town, *plans: QuestionPlan, capacity: int = 20
) -> tuple[CourseRun, list[RunQuestion]]:
    """A published run with these questions."""
    run = town.a_run(published=False, capacity=capacity)
    questions = ask(run, *plans)
    with transaction() as session:
        publish(session, session.get_one(CourseRun, run.id))
    return town.now(run), questions


def answers(run: CourseRun, person: Person, *said: tuple[RunQuestion, Said]) -> None:
    with transaction() as session:
        answer_questions(
            session,
            session.get_one(CourseRun, run.id),
            person.resident(session),
            {question.key: answer for question, answer in said},
            by_account_id=person.account_id,
        )


def what_stands(person: Person) -> list[str]:
    with reading() as session:
        rows = session.scalars(
            select(RunAnswer).where(RunAnswer.resident_id == person.resident_id).order_by(RunAnswer.id)
        )
        return [row.as_read for row in rows]


def refused(code: str) -> pytest.RaisesExc[Conflict]:
    return pytest.RaisesExc(Conflict, check=lambda refusal: refusal.code == code)


def plans_of(questions: list[RunQuestion]) -> list[QuestionPlan]:
    return [
        QuestionPlan(q.kind, q.title, tuple(q.choices), q.least, q.most, q.is_required, key=q.key)
        for q in questions
    ]


# --- asking -------------------------------------------------------------------------------------------------------


def test_a_draft_asks_what_its_staff_write_down(town: Town) -> None:
    run = town.a_run(published=False)
    questions = ask(run, SIZE, WISH)
    assert [(q.ordinal, q.title, q.is_required) for q in questions] == [
        (1, "围裙尺码", True),
        (2, "想学什么", False),
    ]
    assert town.now(run).asks_questions
    size, wish = plans_of(questions)
    changed = ask(run, replace(wish, title="最想学什么"), HEALTH, size)
    assert [(q.title, q.key) for q in changed][::2] == [
        ("最想学什么", questions[1].key),
        ("围裙尺码", questions[0].key),
    ]
    assert ask(run) == []
    assert not town.now(run).asks_questions


def test_what_residents_can_see_is_only_added_to(town: Town) -> None:
    run, questions = a_run_that_asks(town, SIZE)
    (size,) = plans_of(questions)
    assert len(ask(run, size, WISH)) == 2
    for late in ([size, WISH, HEALTH], [replace(size, title="尺码")], [WISH, size], []):
        with refused("questions_fixed"):
            ask(run, *late)


def test_a_question_somebody_answered_stays_what_it_was(town: Town) -> None:
    run, (size, wish) = a_run_that_asks(town, SIZE, WISH)
    answers(run, town.resident, (size, "小号"))
    with transaction() as session:
        unpublish(session, session.get_one(CourseRun, run.id))
    size_plan, wish_plan = plans_of([size, wish])
    with refused("questions_fixed"):
        ask(run, replace(size_plan, choices=("中号", "大号")), wish_plan)
    assert [q.title for q in ask(run, size_plan, HEALTH)] == ["围裙尺码", "我的身体状况适合参加"]


@pytest.mark.parametrize(
    "senseless",
    [
        QuestionPlan(QuestionKind.CHOICE, "尺码", ("小号",)),
        QuestionPlan(QuestionKind.CHOICE, "尺码", ("小号", "小号")),
        QuestionPlan(QuestionKind.TEXT, "尺码", ("小号", "大号")),
        QuestionPlan(QuestionKind.TEXT, "尺码", least=1),
        QuestionPlan(QuestionKind.NUMBER, "几岁", least=9, most=1),
        QuestionPlan(QuestionKind.TEXT, "尺码", key="a" * 16),
    ],
)
def test_a_question_that_cannot_be_asked_is_named(town: Town, senseless: QuestionPlan) -> None:
    with refused("questions_unfit") as refusal:
        ask(town.a_run(published=False), WISH, senseless)
    assert refusal.value.faults[0].field.startswith("questions.1.")


def test_a_draft_nobody_saw_goes_with_its_questions(town: Town) -> None:
    run = town.a_run(published=False)
    ask(run, SIZE)
    with transaction() as session:
        withdraw_run(session, session.get_one(CourseRun, run.id))
    with reading() as session:
        assert session.scalars(select(RunQuestion)).all() == []


def test_next_terms_class_asks_the_same_and_has_nobodys_answers(town: Town) -> None:
    run, (size, _) = a_run_that_asks(town, SIZE, WISH)
    answers(run, town.resident, (size, "小号"))
    with transaction() as session:
        other = copy_run(session, session.get_one(CourseRun, run.id), first_on=date(2027, 3, 4))
    with reading() as session:
        copied = questions_of(session, other)
        assert [(q.title, q.choices, q.is_required) for q in copied] == [
            ("围裙尺码", ["小号", "大号"], True),
            ("想学什么", [], False),
        ]
    assert town.now(other).asks_questions
    assert len(what_stands(town.resident)) == 1


# --- the tap ------------------------------------------------------------------------------------------------------


def test_a_tap_waits_for_the_required_answers_and_names_them(town: Town) -> None:
    run, (size, health, _) = a_run_that_asks(town, SIZE, HEALTH, WISH)
    answers(run, town.resident, (size, "小号"))
    with refused("answers_needed") as refusal:
        town.resident.tap(run)
    assert refusal.value.details["questions"] == [{"key": health.key, "title": health.title}]
    answers(run, town.resident, (size, "小号"), (health, True))
    assert town.resident.tap(run).state == "confirmed"
    with refused("answers_needed") as refusal:
        town.neighbour.tap(run)
    assert len(refusal.value.details["questions"]) == 2, "a neighbour's answers are the neighbour's own"


def test_the_child_is_asked_not_the_guardian(town: Town) -> None:
    run, (size,) = a_run_that_asks(town, SIZE)
    answers(run, town.guardian, (size, "大号"))
    with refused("answers_needed"):
        town.guardian.tap(run, for_whom=town.child)
    answers(run, town.child, (size, "小号"))
    assert town.guardian.tap(run, for_whom=town.child).state == "confirmed"


def test_a_run_that_asks_nothing_costs_a_tap_nothing(town: Town, statements: list[str]) -> None:
    run = town.a_run()
    del statements[:]
    town.resident.tap(run)
    assert not [one for one in statements if "run_questions" in one]


def test_a_run_that_asks_costs_a_tap_one_statement_more(town: Town, statements: list[str]) -> None:
    run, (size, health) = a_run_that_asks(town, SIZE, HEALTH)
    answers(run, town.resident, (size, "小号"), (health, True))
    del statements[:]
    town.resident.tap(run)
    assert len([one for one in statements if "run_questions" in one]) == 1


# --- answering ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "wrong"),
    [
        (SIZE, "中号"),
        (SIZE, True),
        (HEALTH, False),
        (HEALTH, "同意"),
        (WISH, 3),
        (YEARS, -1),
        (YEARS, 81),
        (YEARS, True),
        (YEARS, "三年"),
    ],
)
def test_what_is_no_answer_is_named(town: Town, plan: QuestionPlan, wrong: Said) -> None:
    run, (question,) = a_run_that_asks(town, plan)
    with refused("answers_unfit") as refusal:
        answers(run, town.resident, (question, wrong))
    assert [fault.field for fault in refusal.value.faults] == [f"answers.{question.key}"]


def test_a_place_in_the_class_holds_the_required_answers(town: Town) -> None:
    run, (size, wish) = a_run_that_asks(town, SIZE, WISH)
    answers(run, town.resident, (size, "小号"), (wish, "包子"))
    town.resident.tap(run)
    with refused("answers_needed"):
        answers(run, town.resident, (wish, "包子"))
    with refused("answers_in_use"), transaction() as session:
        take_answers_back(
            session, session.get_one(CourseRun, run.id), town.resident.resident(session), by_account_id=None
        )
    answers(run, town.resident, (size, "大号"))
    assert what_stands(town.resident) == ["大号"]
    town.resident.give_up(run)
    for _ in range(2):
        with transaction() as session:
            take_answers_back(
                session,
                session.get_one(CourseRun, run.id),
                town.resident.resident(session),
                by_account_id=town.resident.account_id,
            )
    assert what_stands(town.resident) == []


def test_once_the_first_class_begins_answers_stay(town: Town, clock: StoppedClock) -> None:
    run, (wish,) = a_run_that_asks(town, WISH)
    clock.move_to(run.starts_at)
    with refused("answers_closed"):
        answers(run, town.resident, (wish, "包子"))


def test_answers_are_ciphertext_at_rest(town: Town) -> None:
    run, (wish,) = a_run_that_asks(town, WISH)
    answers(run, town.resident, (wish, "花生过敏"))
    with db.engine.connect() as connection:
        stored = connection.execute(text("SELECT written FROM run_answers")).scalar_one()
    assert "花生" not in stored


# --- forgetting ---------------------------------------------------------------------------------------------------


def test_answers_go_when_the_community_has_kept_them_long_enough(town: Town, clock: StoppedClock) -> None:
    run, (wish,) = a_run_that_asks(town, WISH)
    answers(run, town.resident, (wish, "包子"))
    with transaction() as session:
        set_policy(session, session.get_one(Region, town.wutong.id), "answers_kept_days", "30")

    def forgotten_at(days: float) -> int:
        clock.move_to(run.ends_at + timedelta(days=days))
        with transaction() as session:
            return forget_run_answers(session)

    assert [forgotten_at(days) for days in (-1, 29.9, 30, 31)] == [0, 0, 1, 0]


def test_answers_go_with_the_person(town: Town) -> None:
    run, (wish,) = a_run_that_asks(town, WISH)
    for person in (town.guardian, town.child, town.resident):
        answers(run, person, (wish, "包子"))
    with transaction() as session:
        account = town.guardian.account(session)
        close_account(session, account, seen=what_closing_means(session, account).fingerprint)
    with reading() as session:
        left = session.scalars(select(RunAnswer)).all()
    assert [one.resident_id for one in left] == [town.resident.resident_id]
