"""Sheets of wishes (心愿统计表): the figures of a place as they leave the house on paper.

A file cannot be taken back, so it is taken for a purpose, which the journal keeps, and every page says who took it, when, and for what. There is nobody
on it: groups of fewer than five are not told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from models.courses import say_taken
from models.journal import enter
from models.regions import Region
from models.staff import StaffMember
from models.wishes.figures import WishFigures, figures_of_place


@dataclass(frozen=True)
class WishSheet:
    """One sheet as it leaves the house."""

    place: Region
    figures: WishFigures
    taken_by: str
    purpose: str

    @property
    def watermark(self) -> str:
        """Who took it, when, and for what: on every page."""
        return say_taken(self.taken_by, self.figures.counted_at, self.purpose)


def take_wish_sheet(
    session: Session, place: Region, *, first: date, last: date, purpose: str, by: StaffMember
) -> WishSheet:
    """Take the figures of a place over some days out of the house; the journal keeps it."""
    found = figures_of_place(session, place, first=first, last=last)
    enter(
        session,
        "region.wish_figures_exported",
        place,
        by_account_id=by.account_id,
        identity=by.identity,
        details={"purpose": purpose},
    )
    session.flush()
    return WishSheet(place, found, by.name, purpose)
