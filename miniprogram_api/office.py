"""The office (办公室): where the administrator or clerk who is asking works, what of it they named, and the hat they did it in."""

from __future__ import annotations

from typing import Any

from miniprogram_api.edge import account, caller, named_in, staff_hat
from models.base import db
from models.courses import CourseRun, CourseSession, run_for_staff, session_for_staff
from models.errors import Forbidden
from models.regions import Region, communities_around
from models.sites import Venue, venue_in
from models.staff import OFFICE, Role, places_of


def office_places() -> list[Region]:
    """The places they run the office of. Raises Forbidden in any other hat."""
    return places_of(db.session(), staff_hat(), *OFFICE)


def overseen_places() -> list[Region]:
    """The places they run the office of, or answer for at the street: what is overdue there they may list, and no more."""
    return places_of(db.session(), staff_hat(), *OFFICE, Role.STREET_OFFICER)


def visited_places() -> list[Region]:
    """The places they run the office of, and the communities whose people they visit as grid workers."""
    session, hat = db.session(), staff_hat()
    grids = places_of(session, hat, Role.GRID_WORKER)
    return [*places_of(session, hat, *OFFICE), *communities_around(session, grids)]


def must_run_an_office() -> None:
    """Raise Forbidden where the hat has no office: what is looked at is of no one place."""
    if not office_places():
        raise Forbidden("identity_unfit", "请切换到社区管理员或工作人员身份再操作")


def run_of_office(key: str) -> CourseRun:
    """A run there. Raises NotFound outside."""
    return run_for_staff(db.session(), key, within=office_places())


def session_of_office(key: str) -> CourseSession:
    """An evening there. Raises NotFound outside."""
    return session_for_staff(db.session(), key, within=office_places())


def venue_of_office(key: str, *, field: str = "venue") -> Venue:
    """A room there, named in a field of what was sent. Raises Conflict ``not_there``."""
    with named_in(field):
        return venue_in(db.session(), key, within=office_places())


def hat(account_field: str = "by_account_id") -> dict[str, Any]:
    """Who acts in which hat, as verbs take it."""
    return {account_field: account().id, "identity": caller().identity}
