"""Room questions (改约询问): what each person is asked whose room or class was moved by a closure, and what they say."""

from __future__ import annotations

from typing import Any

from miniprogram_api.acting import by, oneself_and_wards
from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, account, caller
from miniprogram_api.office import office_places
from miniprogram_api.schemas.closures import (
    MoveAnswerIn,
    MoveQuestionOut,
    MoveQuestionsOut,
    MoveQuestionsQuery,
    StaffMoveAnswerIn,
    StaffMoveQuestionsOut,
    StaffMoveQuestionsQuery,
)
from miniprogram_api.schemas.fields import masked_name
from models.base import db
from models.coordination.closures import (
    MoveQuestion,
    answer,
    closure_within,
    question_of,
    question_within,
    questions_about,
    questions_open_to,
    resident_asked,
)
from models.journal import enter_each

door = Door("room_questions", description="改约询问")


@door.get("/me/room-questions")
@door.takes(MoveQuestionsQuery, location="query")
@door.gives(MoveQuestionsOut, refuses=(422,))
def list_my_questions(wanted: dict[str, Any]) -> dict[str, Any]:
    """等我答复的改约

    What the community moved of one's own, of the people one may act for and of groups one leads, as long as it can be answered.
    """
    limit = wanted["limit"]
    found = questions_open_to(
        db.session(), oneself_and_wards(), after_id=after_id(wanted.get("cursor")), most=limit + 1
    )
    shown = page(found, limit, lambda one: [one.id])
    return {**shown, "items": [_asked(one) for one in shown["items"]]}


@door.get("/room-questions/<key:key>")
@door.gives(MoveQuestionOut)
def show_question(key: str) -> dict[str, Any]:
    """一个改约的问题"""
    return _asked(_mine(key))


@door.put("/room-questions/<key:key>/answer")
@door.takes(MoveAnswerIn)
@door.gives(MoveQuestionOut, refuses=(409, 422))
def answer_question(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """答复改约

    Yes keeps it where it is now; no lets it go, and costs nothing. The same word twice is fine; 409 ``question_over`` once the time is over.
    """
    return _asked(answer(db.session(), _mine(key), accepts=sent["accepts"], by=by()))


@door.get("/staff/closures/<key:key>/questions", looks=True)
@door.takes(StaffMoveQuestionsQuery, location="query")
@door.gives(StaffMoveQuestionsOut, refuses=(422,))
def list_questions_of_closure(wanted: dict[str, Any], key: str) -> dict[str, Any]:
    """停用后问了谁（工作人员）

    Each person asked because of this closure, with a masked name and what they said; ``open`` leaves those to call. Every look is journalled.
    """
    session, limit = db.session(), wanted["limit"]
    found = questions_about(
        session,
        closure_within(session, key, within=office_places()),
        only_open=wanted["open"],
        after_id=after_id(wanted.get("cursor")),
        most=limit + 1,
    )
    shown = page(found, limit, lambda one: [one.id])
    whose = [(one, resident_asked(one)) for one in shown["items"]]
    enter_each(
        session,
        "move_question.looked_at",
        [(one, resident.id) for one, resident in whose if resident is not None],
        by_account_id=account().id,
        identity=caller().identity,
    )
    return {
        **shown,
        "items": [
            {**_asked(one), "name": masked_name(resident.name) if resident is not None else None}
            for one, resident in whose
        ],
    }


@door.put("/staff/room-questions/<key:key>/answer")
@door.takes(StaffMoveAnswerIn)
@door.gives(MoveQuestionOut, refuses=(409, 422))
def answer_question_for_somebody(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """替居民答复改约（工作人员）

    For whoever phoned, or came to the counter; one's own is 403 ``own_content``.
    """
    question = question_within(db.session(), key, within=office_places())
    return _asked(answer(db.session(), question, accepts=sent["accepts"], by=by(), because=sent["because"]))


def _asked(question: MoveQuestion) -> dict[str, Any]:
    effect, registration = question.effect, question.registration
    resident = resident_asked(question)
    return {
        "key": question.key,
        "because": effect.closure.because,
        "title": effect.title,
        "reservation": question.reservation.key if question.reservation else None,
        "registration": registration.key if registration else None,
        "run": registration.run.key if registration else None,
        "resident": resident.key if resident is not None else None,
        "was": {"venue": effect.venue, "starts_at": effect.starts_at, "ends_at": effect.ends_at},
        "to": {"venue": effect.to_venue, "starts_at": effect.to_starts_at, "ends_at": effect.to_ends_at},
        "answer_by": question.answer_by,
        "answer": question.answer,
        "kept_by_silence": registration is not None or effect.keeps_its_hour,
    }


def _mine(key: str) -> MoveQuestion:
    # staff and partners have none of their own: what is one's own is seen without a hat
    return question_of(
        db.session(), key, residents=oneself_and_wards() if caller().identity == "resident" else ()
    )
