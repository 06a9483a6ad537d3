"""The storm on one room (P18): everybody wants one Saturday slot; one has it, and everybody else is told what else there is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import delete, select

from models import clock
from models.availability import stretch_of_day
from models.base import transaction
from models.hours import Hours, OpenOn, write_hours
from models.occupancy import Occupancy
from models.policies import set_policy
from models.regions import Region
from models.reservations import ROOM_PLEDGE, Reservation, ReservedFor
from models.sites import Site, Venue
from tests.bench import storm
from tests.bench.phones import Outcome
from tests.bench.town import BenchTown

SLOT = (16 * 60, 18 * 60)  # an hour after everybody has gone
SATURDAY = 6  # as ISO counts
A_DAY = timedelta(days=1)


class WantedRoom:
    """One room of a centre, and the slot of it everybody wants."""

    def __init__(self, town: BenchTown, site_id: int) -> None:
        self.town = town
        with town.app.app_context(), transaction() as session:
            # open on any day the bench may be run before
            site = session.get_one(Site, site_id)
            write_hours(session, site, [Hours(on, 510, 1260) for on in OpenOn])
            for limit in ("reservations_a_day", "reservations_a_week", "reserved_minutes_a_week"):
                set_policy(session, session.get_one(Region, town.community_id), limit, "0")
            self.venue_id, self.key = site.venues[0].id, site.venues[0].key
        today = clock.today()
        on = today + A_DAY * (
            (SATURDAY - today.isoweekday()) % 7 or 6
        )  # on a Saturday, the day before the next
        self.slot = stretch_of_day(on, *SLOT)
        self._storms = count(1)

    def requests(self, order: Sequence[int]) -> list[bytes]:
        """The tap of each, with the key a phone gives its attempt: whoever taps twice says so."""
        body = {
            "starts_at": self._said(self.slot.starts_at),
            "ends_at": self._said(self.slot.ends_at),
            "headcount": 10,
            "wanted_for": ReservedFor.REHEARSAL.value,
            "pledge": ROOM_PLEDGE.version,
        }
        storm_number = next(self._storms)  # what was answered in the last one is kept for a day
        path, sent = f"/api/v1/venues/{self.key}/reservations", json.dumps(body).encode()
        return [
            storm.request(
                "POST", path, self.town.tokens[who], body=sent, attempt=f"room-{storm_number}-{who}"
            )
            for who in order
        ]

    def faults_after(self, order: Sequence[int], outcome: Outcome) -> list[str]:
        """What is not as it must be: one winner who hears it as often as they asked, and a way out for everybody else."""
        faults: list[str] = []
        with self.town.app.app_context(), transaction() as session:
            rows = session.scalars(select(Reservation).where(Reservation.venue_id == self.venue_id)).all()
            wanted = [row for row in rows if row.starts_at == self.slot.starts_at]
            venue = session.get_one(Venue, self.venue_id)
            held = session.scalars(
                select(Occupancy).where(
                    Occupancy.space_id.in_([space.id for space in venue.spaces]),
                    Occupancy.starts_at < self.slot.ends_at,
                    Occupancy.ends_at > self.slot.starts_at,
                )
            ).all()
        if len(wanted) != 1 or [one.holder_key for one in held] != [row.key for row in wanted]:
            faults.append(f"{len(wanted)} reservations, {len(held)} holds")
        winners = {who for who, answer in zip(order, outcome.answers, strict=True) if answer.status == 201}
        if len(winners) != 1:
            faults.append(f"{len(winners)} people were told they have it")
        said = Counter(
            self._heard(answer.status, answer.body, who in winners)
            for who, answer in zip(order, outcome.answers, strict=True)
        )
        faults += [f"{times} heard: {what}" for what, times in said.items() if what]
        return faults

    def let_go(self) -> None:
        """The slot is free again, as if nobody had come."""
        engine = self.town.engine
        with engine.execution_options(writes=True).begin() as connection:
            keys = select(Reservation.key).where(Reservation.venue_id == self.venue_id)
            connection.execute(delete(Occupancy).where(Occupancy.holder_key.in_(keys)))
            connection.execute(delete(Reservation).where(Reservation.venue_id == self.venue_id))

    @staticmethod
    def _heard(status: int, body: bytes, has_it: bool) -> str:
        """What is wrong with an answer; nothing where it is right."""
        if has_it:
            return "" if status == 201 else f"the one who has it was answered {status}"
        if status != 409:
            return f"{status}: {body[:120]!r}"
        told = json.loads(body)
        kinds = {one["kind"] for one in told.get("details", {}).get("alternatives", [])}
        if told["code"] != "room_taken" or not {"other_time", "other_room"} <= kinds:
            return f"{told['code']} with {sorted(kinds)}"
        return ""

    @staticmethod
    def _said(moment: datetime) -> str:
        return clock.in_town(moment).isoformat()
