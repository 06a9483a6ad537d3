"""How a class was: said by whoever was there, heard by its staff, and by the public as an average."""

from __future__ import annotations

from typing import Any

from miniprogram_api.acting import learner_to_write_about, oneself_or_ward
from miniprogram_api.content import Opinion, begin_writing, checked
from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, Needs, account, staff_hat
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.courses import ForWhom
from miniprogram_api.schemas.feedback import (
    FeedbackIn,
    FeedbackOut,
    RatingOut,
    StaffFeedbackOut,
    StaffFeedbackQuery,
)
from miniprogram_api.wechat import Scene
from models.base import db
from models.content_checks import FEEDBACK_WORDS, drop_open
from models.courses import (
    CourseRun,
    Feedback,
    feedback_of,
    feedback_on,
    feedback_to,
    give_feedback,
    must_have_been_there,
    published_run,
    rating_of,
    run_for_staff,
    take_feedback_back,
)
from models.residents import Resident
from models.staff import OFFICE, places_of

door = Door("feedback", description="课后评价")


@door.get("/course-runs/<key:key>/rating", needs=Needs.NOTHING, kept=True)
@door.gives(RatingOut, refuses=(404,))
def show_rating(key: str) -> dict[str, Any]:
    """班次的评分

    The average of one to five stars, to one decimal, from five ratings on; before that both numbers are null.
    """
    run = published_run(db.session(), key)
    rating = rating_of(db.session(), run)
    return {
        "run": run.key,
        "ratings": rating.ratings if rating else None,
        "average": rating.average if rating else None,
    }


@door.get("/course-runs/<key:key>/feedback")
@door.takes(ForWhom, location="query")
@door.gives(FeedbackOut, refuses=(422,))
def show_feedback(whom: dict[str, Any], key: str) -> Feedback:
    """我的评价

    What one said of this run, or for somebody one acts for; 404 ``not_rated`` when it is nothing.
    """
    session = db.session()
    return feedback_of(session, published_run(session, key), oneself_or_ward(whom.get("for_key")))


@door.put("/course-runs/<key:key>/feedback", asks_wechat=True, rate=RateName.PROFILE)
@door.takes(ForWhom, location="query")
@door.takes(FeedbackIn)
@door.gives(FeedbackOut, refuses=(409, 422))
def rate_run(whom: dict[str, Any], sent: dict[str, Any], key: str) -> Feedback:
    """评价课程

    After the last evening, from a seat, by somebody who was there: 409 ``feedback_too_early`` or ``not_attended`` otherwise. May be changed
    for fourteen days. Text is checked first: 422 ``content_risky`` asks for other words. Only the staff of the run read it, without a name.
    """
    words, session = sent.get("text"), db.session()
    run, learner = published_run(session, key), learner_to_write_about(whom.get("for_key"))
    opinion = _opinion(run, learner, words)
    session = db.session()
    account().lock().must_stand()
    run, learner = published_run(session, key), learner_to_write_about(whom.get("for_key"))
    feedback = give_feedback(
        session, run, learner, stars=sent["stars"], words=words, by_account_id=account().id
    )
    if opinion is not None:
        opinion.write_down(key=feedback.key, account_id=account().id, resident_id=learner.id)
    elif words is None:
        drop_open(session, FEEDBACK_WORDS, feedback.key)
    return feedback


@door.delete("/course-runs/<key:key>/feedback")
@door.takes(ForWhom, location="query")
@door.gives(None, 204, refuses=(422,))
def take_back(whom: dict[str, Any], key: str) -> None:
    """收回评价

    Keep nothing of what one said of this run. Twice is fine.
    """
    session = db.session()
    run, learner = published_run(session, key), oneself_or_ward(whom.get("for_key"))
    take_feedback_back(session, run, learner, by_account_id=account().id)


@door.get("/staff/course-runs/<key:key>/feedback")
@door.takes(StaffFeedbackQuery, location="query")
@door.gives(StaffFeedbackOut, refuses=(422,))
def list_feedback(wanted: dict[str, Any], key: str) -> dict[str, Any]:
    """课后评价（工作人员）

    What was said of a run, oldest first, without names.
    """
    session, limit = db.session(), wanted["limit"]
    run = run_for_staff(session, key, within=places_of(session, staff_hat(), *OFFICE))
    said = feedback_on(session, run, after_id=after_id(wanted.get("cursor")), most=limit + 1)
    rating = rating_of(session, run, least=1)
    return {
        **page(said, limit, lambda feedback: [feedback.id]),
        "ratings": rating.ratings if rating else 0,
        "average": rating.average if rating else None,
    }


def _opinion(run: CourseRun, learner: Resident, words: str | None) -> Opinion | None:
    """WeChat's word on the text, if it is a new one; who may not say anything is refused before anybody is asked."""
    session = db.session()
    registration = must_have_been_there(session, run, learner)
    before = feedback_to(session, [registration.id]).get(registration.id)
    if words is None or (before is not None and before.words == words):
        begin_writing()
        return None
    return checked(words, FEEDBACK_WORDS, scene=Scene.COMMENT)
