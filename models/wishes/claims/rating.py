"""Rating (好差评): five levels; who is unhappy is called within working time, it is put right within days, and they are asked once more (domain.md §2.3)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models import clock
from models.calendars import Calendar
from models.errors import Conflict
from models.journal import enter
from models.policies import policies_at
from models.wishes.claims.claiming import hold_claim, must_stand
from models.wishes.claims.rows import Claim, ClaimState, Level, Rating, SettledBy
from models.wishes.claims.telling import tell_progress, tell_thanks, tell_unhappy
from models.wishes.claims.units import must_be_impartial
from models.wishes.clocks import Clock, clock_of_care
from models.wishes.parties import By
from models.wishes.thread import times_of, wind

LEVEL_WORDS = {
    Level.VERY_UNHAPPY: "很不满意",
    Level.UNHAPPY: "不满意",
    Level.FAIR: "基本满意",
    Level.HAPPY: "满意",
    Level.VERY_HAPPY: "非常满意",
}  # as much of 非常不满意 as a phrase of a message has room for


def rate_claim(session: Session, claim: Claim, level: Level, words: str, how: SettledBy, *, by: By) -> Rating:
    """Who wished says how it was; their words are read by the community alone. After a bad rating was mended, once more. The same twice is fine.

    Raises Conflict ``claim_decided`` before it is done, ``rated_already``, and for staff Forbidden ``own_content``.
    """
    if by.is_staff:
        must_be_impartial(session, claim, by)
    hold_claim(session, claim)
    must_stand(claim, ClaimState.FULFILLED)
    rating = claim.rating
    if rating is None:
        return _rate(session, claim, level, words, how, by=by)
    if rating.mended_at is None or rating.again_level is not None:
        if level == (rating.again_level or rating.level):
            return rating
        raise Conflict("rated_already", "已经评价过了，有话要说请联系社区")
    rating.again_level, rating.again_at = level, clock.now()
    if words:
        rating.words = words
    enter(session, "claim.rated_again", claim, **by.of(claim.wish), details={"level": int(level)})
    session.flush()
    tell_thanks(session, claim, LEVEL_WORDS[level])
    return rating


def note_care_call(session: Session, claim: Claim, note: str, *, by: By) -> None:
    """The community has called who was unhappy, and what they said. Twice is fine. Raises Conflict ``nothing_to_mend``, Forbidden ``own_content``."""
    rating = _unhappy(session, claim, by)
    if rating.called_at is not None:
        return
    rating.called_at, rating.care_note = clock.now(), note
    wind_care(session, rating)
    enter(session, "claim.unhappy_called", claim, **by.of(claim.wish))
    session.flush()


def note_mended(session: Session, claim: Claim, note: str, *, by: By) -> None:
    """It was put right, and how; who was unhappy is told and asked once more. Twice is fine. Raises as ``note_care_call``."""
    rating = _unhappy(session, claim, by)
    if rating.mended_at is not None:
        return
    now = clock.now()
    rating.called_at = rating.called_at or now
    rating.mended_at, rating.care_note = now, note
    rating.care_due_at = rating.care_remind_at = None
    enter(session, "claim.mended", claim, **by.of(claim.wish))
    session.flush()
    tell_progress(session, claim, "已整改", None)


def wind_care(session: Session, rating: Rating) -> Clock:
    """Wind the clock of a bad rating (held by the caller, with its claim) up, after something happened to it or somebody was pressed; as it runs."""
    numbers = policies_at(session, rating.claim.wish.region_id)
    running = clock_of_care(rating.rated_at, rating.called_at, Calendar.in_force(session), numbers)
    rating.care_due_at, rating.care_remind_at = times_of(running, clock.now())
    session.flush()
    return running


def _rate(session: Session, claim: Claim, level: Level, words: str, how: SettledBy, *, by: By) -> Rating:
    rating = Rating(claim=claim, level=level, words=words or None, rated_at=clock.now(), rated_by=how)
    session.add(rating)
    if level <= Level.UNHAPPY:
        wind_care(session, rating)
    enter(session, "claim.rated", claim, **by.of(claim.wish), details={"level": int(level)})
    wind(session, claim)
    tell_thanks(session, claim, LEVEL_WORDS[level])
    if rating.care_due_at is not None:
        tell_unhappy(session, claim, rating.care_due_at)
    return rating


def _unhappy(session: Session, claim: Claim, by: By) -> Rating:
    must_be_impartial(session, claim, by)
    hold_claim(session, claim)
    rating = claim.rating
    if rating is None or rating.level > Level.UNHAPPY:
        raise Conflict("nothing_to_mend", "这个心愿没有需要整改的评价")
    return rating
