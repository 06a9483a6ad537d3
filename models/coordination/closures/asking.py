"""Asking (社区请您改到……，可以吗): each person whose room or class was moved is asked one question, and what they say is done.

Yes, and it stays. No, and a reservation is let go like any that was overridden; somebody who learns has missed nothing, or gives back their
seat where the class has but one evening. Who says nothing keeps the same hour in another room, and their seat; but a reservation at
another hour is let go when the time to answer is over, for nobody promised to come then.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.orm import Session, joinedload

from models import clock
from models.coordination.closures.rows import ClosureEffect, MoveAnswer, MoveQuestion, RoomClosure
from models.coordination.closures.standing import is_still_so, still_so
from models.courses import (
    CourseRun,
    CourseSession,
    Registration,
    RegistrationState,
    cannot_come,
)
from models.courses.attendance import Recorder
from models.errors import Conflict, Forbidden, NotFound
from models.groups import Group
from models.journal import enter
from models.notices.keywords import say_briefly
from models.policies import Policies
from models.regions import Region, is_within
from models.reservations import (
    By,
    Reservation,
    agree_to_move,
    hold_rooms,
    offer_what_is_free,
    override,
    party_of,
    tell_moved,
)
from models.residents import Resident
from models.sites import Site, Venue
from models.venue_policies import policies_of

AT_LEAST = timedelta(hours=1)  # to answer in, where the new time leaves as much


def ask(session: Session, effect: ClosureEffect, thing: object) -> list[MoveQuestion]:
    """Ask everybody whose reservation or class this is whether it may be where it is now; of the community's own nobody is asked."""
    if isinstance(thing, Reservation) and thing.resident_id is not None:
        until = _answer_by(policies_of(session, thing.venue), thing.starts_at)
        question = MoveQuestion(effect=effect, reservation=thing, answer_by=until)
        session.add(question)
        session.flush()
        was = f"{say_briefly(effect.starts_at)}的{effect.venue.name}"
        tell_moved(session, thing, was=was, because=effect.closure.because, until=until, asks=question.key)
        return [question]
    if not isinstance(thing, CourseSession):
        return []
    until = _answer_by(policies_of(session, thing.venue), thing.starts_at)
    seated = session.scalars(
        select(Registration.id)
        .where(Registration.run_id == thing.run_id, Registration.state == RegistrationState.CONFIRMED)
        .order_by(Registration.id)
    )
    questions = [
        MoveQuestion(effect=effect, registration_id=one, session_id=thing.id, answer_by=until)
        for one in seated
    ]
    session.add_all(questions)
    session.flush()
    return questions


def ask_no_longer(session: Session, things: Sequence[object]) -> None:
    """What was asked about these before is asked no longer: they are moved anew, or gone."""
    rooms = [one.id for one in things if isinstance(one, Reservation)]
    classes = [one.id for one in things if isinstance(one, CourseSession)]
    session.execute(
        update(MoveQuestion)
        .where(
            MoveQuestion.answer.is_(None),
            or_(MoveQuestion.reservation_id.in_(rooms), MoveQuestion.session_id.in_(classes)),
        )
        .values(answer=MoveAnswer.MOOT, answered_at=clock.now())
    )


def answer(
    session: Session, question: MoveQuestion, *, accepts: bool, by: By, because: str = ""
) -> MoveQuestion:
    """Say yes or no. The same word twice is fine.

    Raises Conflict ``question_answered`` where another word was said before, ``question_over`` once the time is over or it was moved again;
    Forbidden ``own_content`` for staff who answer for themselves.
    """
    _hold(session, question)
    said = MoveAnswer.ACCEPTED if accepts else MoveAnswer.DECLINED
    if question.answer is said:
        return question
    if question.answer in (MoveAnswer.ACCEPTED, MoveAnswer.DECLINED):
        raise Conflict("question_answered", "已经答复过了；来不了的话，可以在预约或报名里取消")
    if not question.is_open or not is_still_so(question):
        raise Conflict("question_over", "答复的时间已过，或安排又有变化，请看最新的预约；有疑问请联系社区")
    if by.is_staff:
        _must_be_somebody_elses(question, by)
    _settle(session, question, said, by)
    enter(
        session,
        "move_question.answered",
        question,
        by_account_id=by.account_id,
        identity=by.identity,
        for_resident_id=_whose(question) if by.is_staff or by.account_id != _own_account(question) else None,
        details={"accepts": accepts} | ({"because": because} if because else {}),
    )
    session.flush()
    return question


def settle_silence(session: Session, question: MoveQuestion) -> bool:
    """Do what is done where nobody answered in time; whether it was so."""
    _hold(session, question)
    if question.answer is not None or question.answer_by > clock.now():
        return False
    if not is_still_so(question):
        came = question.reservation is not None and question.reservation.checked_in_at is not None
        _write(question, MoveAnswer.ACCEPTED if came else MoveAnswer.MOOT)
    else:
        _settle(session, question, MoveAnswer.SILENT, By())
    session.flush()
    return True


def unanswered(session: Session, now: datetime, *, most: int) -> Sequence[int]:
    """The ids of up to ``most`` questions nobody answered in time, those whose time was over first."""
    return session.scalars(
        select(MoveQuestion.id)
        .where(MoveQuestion.answer.is_(None), MoveQuestion.answer_by <= now)
        .order_by(MoveQuestion.answer_by, MoveQuestion.id)
        .limit(most)
    ).all()


def questions_open_to(
    session: Session, residents: Collection[int], *, after_id: int | None = None, most: int
) -> Sequence[MoveQuestion]:
    """Up to ``most`` questions these people, or groups they lead, can answer now, in the order they were asked."""
    query = _whole().where(
        MoveQuestion.answer.is_(None),
        MoveQuestion.answer_by > clock.now(),
        _concerns(residents),
        still_so(),
    )
    if after_id is not None:
        query = query.where(MoveQuestion.id > after_id)
    return session.scalars(query.order_by(MoveQuestion.id).limit(most)).all()


def questions_about(
    session: Session,
    closure: RoomClosure,
    *,
    only_open: bool = False,
    after_id: int | None = None,
    most: int,
) -> Sequence[MoveQuestion]:
    """Up to ``most`` questions a closure led to, in the order they were asked; those alone that wait for an answer, if one wants."""
    query = _whole().where(
        MoveQuestion.effect_id.in_(select(ClosureEffect.id).where(ClosureEffect.closure_id == closure.id))
    )
    if only_open:
        query = query.where(MoveQuestion.answer.is_(None), still_so())
    if after_id is not None:
        query = query.where(MoveQuestion.id > after_id)
    return session.scalars(query.order_by(MoveQuestion.id).limit(most)).all()


def questions_kept_of(session: Session, residents: Collection[int]) -> Sequence[MoveQuestion]:
    """Everything these people were ever asked, of their own or for groups they led, in the order they were asked."""
    rooms = select(Reservation.id).where(Reservation.resident_id.in_(residents))
    seats = select(Registration.id).where(Registration.resident_id.in_(residents))
    return session.scalars(
        _whole()
        .where(or_(MoveQuestion.reservation_id.in_(rooms), MoveQuestion.registration_id.in_(seats)))
        .order_by(MoveQuestion.id)
    ).all()


def question_of(session: Session, key: str, *, residents: Collection[int]) -> MoveQuestion:
    """A question to one of these people, or to a group one of them leads. Raises NotFound for any other."""
    found = session.scalar(_whole().where(MoveQuestion.key == key, _concerns(residents)))
    if found is None:
        raise NotFound("没有找到这个问题")
    return found


def question_within(session: Session, key: str, *, within: Sequence[Region]) -> MoveQuestion:
    """A question about a room in these places. Raises NotFound outside of them."""
    found = session.scalar(_whole().where(MoveQuestion.key == key))
    if found is None or not is_within(found.effect.closure.site.region, within):
        raise NotFound("没有找到这个问题")
    return found


def resident_asked(question: MoveQuestion) -> Resident | None:
    """Whose room or seat it is about; nobody's where they left."""
    about = question.reservation or question.registration
    return about.resident if about is not None else None


def _settle(session: Session, question: MoveQuestion, said: MoveAnswer, by: By) -> None:
    _write(question, said)
    reservation, registration = question.reservation, question.registration
    stays = said is MoveAnswer.ACCEPTED or (said is MoveAnswer.SILENT and question.effect.keeps_its_hour)
    if reservation is not None:
        if said is MoveAnswer.ACCEPTED:
            agree_to_move(session, reservation)
        elif not stays:
            closure = question.effect.closure
            override(session, reservation, closure.because, by=by, offers=closure.offers)
            offer_what_is_free(session, hold_rooms(session, reservation.venue))
    elif registration is not None and question.meeting is not None and said is MoveAnswer.DECLINED:
        cannot_come(session, question.meeting, registration, by=Recorder(by.account_id, by.identity))


def _write(question: MoveQuestion, said: MoveAnswer) -> None:
    question.answer, question.answered_at = said, clock.now()


def _hold(session: Session, question: MoveQuestion) -> None:
    """Hold whose it is and what it is about, and the question itself last."""
    if question.reservation is not None:
        party_of(question.reservation).hold()
        hold_rooms(session, question.reservation.venue)
        question.reservation.lock()
    elif question.registration is not None:
        question.registration.run.lock()
        session.refresh(question.registration)
        if question.meeting is not None:
            session.refresh(question.meeting)
    question.lock()


def _answer_by(policy: Policies, starts_at: datetime) -> datetime:
    """Until when to answer: so many hours, never later than some before it begins, but an hour where there is as much."""
    now = clock.now()
    latest = starts_at - timedelta(hours=policy.move_answer_before_hours)
    wanted = min(now + timedelta(hours=policy.move_answer_hours), latest)
    return max(wanted, min(now + AT_LEAST, starts_at))


def _whose(question: MoveQuestion) -> int | None:
    if question.reservation is not None:
        return question.reservation.resident_id
    return question.registration.resident_id if question.registration is not None else None


def _own_account(question: MoveQuestion) -> int | None:
    resident = resident_asked(question)
    return resident.account_id if resident is not None else None


def _must_be_somebody_elses(question: MoveQuestion, by: By) -> None:
    if by.account_id is not None and _own_account(question) == by.account_id:
        raise Forbidden("own_content", "这是您自己的事，请用居民身份答复，或请其他工作人员办理")


def _concerns(residents: Collection[int]) -> ColumnElement[bool]:
    led = select(Group.id).where(Group.leader_id.in_(residents))
    rooms = select(Reservation.id).where(
        or_(
            Reservation.resident_id.in_(residents) & Reservation.group_id.is_(None),
            Reservation.group_id.in_(led),
        )
    )
    seats = select(Registration.id).where(Registration.resident_id.in_(residents))
    return or_(MoveQuestion.reservation_id.in_(rooms), MoveQuestion.registration_id.in_(seats))


def _whole() -> Select[MoveQuestion]:
    effect, about = joinedload(MoveQuestion.effect), joinedload(MoveQuestion.reservation)
    return select(MoveQuestion).options(
        effect.joinedload(ClosureEffect.closure).joinedload(RoomClosure.site).joinedload(Site.region),
        effect.joinedload(ClosureEffect.venue),
        effect.joinedload(ClosureEffect.to_venue),
        about.joinedload(Reservation.venue).joinedload(Venue.site).joinedload(Site.region),
        about.joinedload(Reservation.resident),
        about.joinedload(Reservation.group),
        joinedload(MoveQuestion.registration).joinedload(Registration.resident),
        joinedload(MoveQuestion.registration).joinedload(Registration.run).joinedload(CourseRun.course),
        joinedload(MoveQuestion.meeting),
    )
