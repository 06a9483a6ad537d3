"""What waits for a clerk: texts and pictures WeChat could not judge, and the decision about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, staff_hat
from miniprogram_api.schemas.content_checks import CheckOut, ChecksOut, ChecksQuery, DecisionIn
from models.base import db
from models.content_checks import (
    ContentCheck,
    check_within,
    checks_within,
    decide,
    note_look,
    places_of_checks,
)
from models.regions import Region
from models.staff import OFFICE, StaffMember, places_of

door = Door("content_checks", description="内容审核")


@dataclass(frozen=True)
class Placed:
    """A check, and where it is looked at."""

    check: ContentCheck
    community: Region

    def __getattr__(self, name: str) -> Any:
        return getattr(self.check, name)


@door.get("/staff/content-checks", looks=True)
@door.takes(ChecksQuery, location="query")
@door.gives(ChecksOut, refuses=(422,))
def list_checks(wanted: dict[str, Any]) -> dict[str, Any]:
    """内容审核列表（工作人员）

    What people of one's communities wrote or showed, and what units wrote there, in one state (those that wait unless said otherwise), oldest first. What was
    written is shown only while it waits; every look at it is journalled.
    """
    session = db.session()
    member, places = _reviewer()
    limit = wanted["limit"]
    checks = checks_within(
        session,
        places,
        state=wanted["state"],
        after_id=after_id(wanted.get("cursor")),
        most=limit + 1,
    )
    note_look(session, checks[:limit], by=member)
    return page(_placed(checks), limit, lambda check: [check.id])


@door.put("/staff/content-checks/<key:key>/decision")
@door.takes(DecisionIn)
@door.gives(CheckOut, refuses=(409, 422))
def decide_check(sent: dict[str, Any], key: str) -> Placed:
    """通过或驳回（工作人员）

    The first decision counts: the same one again gets the same answer, another one 409 ``check_decided``. A rejected name is taken
    away, and its owner is told and asked for another. For administrators and clerks of the person's community, of the place a unit wrote for, or
    above; anybody else does not find it, and nobody decides about what they wrote themselves.
    """
    member, places = _reviewer()
    check = check_within(db.session(), key, places)
    (placed,) = _placed([check])  # before: what may not stay may take its place with it
    decide(db.session(), check, sent["decision"], by=member, reason=sent.get("reason"))
    return placed


def _placed(checks: Sequence[ContentCheck]) -> list[Placed]:
    places = places_of_checks(db.session(), checks)
    return [Placed(check, places[check.id]) for check in checks]


def _reviewer() -> tuple[StaffMember, list[Region]]:
    member = staff_hat()
    return member, places_of(db.session(), member, *OFFICE)
