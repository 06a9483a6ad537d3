"""What a fuzzer needs to know of closures: a room that is closed at an hour nobody has, the plan it was looked at with, and questions to answer."""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from sqlalchemy.exc import NoResultFound

from models import clock
from models.base import reading, transaction
from models.coordination.closures import ClosureKind
from models.errors import Refusal
from models.sites import Site, Venue, VenueUse, add_venue
from models.venue_policies import set_venue_policy
from tests.closing import closes, plan_of, question_about
from tests.people import Person, Town, a_site
from tests.rooms import at, takes

MADE_ANEW = 3
INVENTED = "a" * 16
_counter = itertools.count()
_rooms: dict[str, list[Venue]] = {}
_asked: dict[tuple[str, str, str], list[str]] = defaultdict(list)


def is_about_closures(label: str) -> bool:
    """Whether an operation is about closures, or about what people are asked since."""
    return "/closures" in label or "/room-questions" in label


def a_closures_key(label: str, who: object, town: Town) -> str:
    """The key of what this operation is about, made for it the first few times; who asks more often asks of the last one again."""
    asked = _asked[town.wutong.key, label, getattr(who, "key", "")]
    if len(asked) < MADE_ANEW:
        asked.append(_made_for(label, who, town))
    return asked[-1]


def fill_closure(body: dict[str, Any], label: str, town: Town) -> None:
    """A room of the clerk's at an hour nobody has, and the plan as it is."""
    if not label.startswith("POST /api/v1/staff/closures"):
        return
    room, starts_at = _rooms_of(town)[0], at(9) + timedelta(days=30, hours=next(_counter))
    ends_at = starts_at + timedelta(minutes=30)
    with reading() as session:
        site = session.get_one(Site, room.site_id).key
    body |= {
        "kind": "closure",
        "site": site,
        "venues": [room.key],
        "starts_at": clock.in_town(starts_at).isoformat(),
        "ends_at": clock.in_town(ends_at).isoformat(),
    }
    if label == "POST /api/v1/staff/closures":
        body["choices"] = []
        body["fingerprint"] = plan_of([room], starts_at, ends_at, ClosureKind.CLOSURE).fingerprint


def _made_for(label: str, who: object, town: Town) -> str:
    room = _rooms_of(town)[1]
    if "/sites/" in label:
        with reading() as session:
            return session.get_one(Site, room.site_id).key
    on = date(2026, 11, 22) + timedelta(days=next(_counter) % 5)
    hour = 9 + next(_counter) % 8
    if "/closures/" in label:
        starts_at = at(9) + timedelta(days=60, hours=next(_counter))
        return closes(town, [room], starts_at, starts_at + timedelta(minutes=30)).key
    with transaction() as session:
        site = a_site(session, town.wutong)
        rooms = [add_venue(session, site, name=name, capacity=20) for name in ("甲", "乙")]
        for one in rooms:
            one.use = VenueUse.AT_ONCE
            set_venue_policy(session, one, "others_may_reserve", "1")
    oneself = who if isinstance(who, Person) and "/staff/" not in label else town.resident
    try:
        made = takes(oneself, rooms[0], at(hour, on=on), minutes=30)
    except (Refusal, NoResultFound):  # they have another room then, or left the town
        return INVENTED
    closes(town, rooms[:1], at(hour, on=on), at(hour + 1, on=on))
    return question_about(made).key


def _rooms_of(town: Town) -> list[Venue]:
    if town.wutong.key not in _rooms:
        with transaction() as session:
            site = a_site(session, town.wutong, name="停用站")
            _rooms[town.wutong.key] = [
                add_venue(session, site, name=name, capacity=20) for name in ("停用一", "停用二")
            ]
    return _rooms[town.wutong.key]
