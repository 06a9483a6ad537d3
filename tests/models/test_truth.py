"""Whether a notice is still true is asked of the noun it is about."""

from __future__ import annotations

from sqlalchemy import select

from models.base import reading
from models.notices import MOMENTS, About, Notice
from models.truth import WITNESSES, still_true
from tests.people import Town


def test_every_noun_that_is_told_of_can_be_asked_and_none_is_asked_in_vain() -> None:
    assert set(WITNESSES) == set(About) == {moment.about for moment in MOMENTS.values()}


def test_nothing_is_asked_about_nothing(town: Town, statements: list[str]) -> None:
    with reading() as session:
        assert still_true(session, []) == set()
    assert statements == []


def test_a_seat_that_is_held_is_true_and_one_that_was_given_up_is_not(town: Town) -> None:
    run, other = town.a_run(), town.a_run()
    town.resident.tap(run)
    town.resident.tap(other)
    town.resident.give_up(other)
    with reading() as session:
        kept, given_up = session.scalars(select(Notice).order_by(Notice.id)).all()
        assert still_true(session, [kept, given_up]) == {kept.id}
