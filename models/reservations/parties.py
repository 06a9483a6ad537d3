"""Whose (预约方): a person's, a group's in the name of its leader, or the community's own; and who acts."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from models.errors import Forbidden
from models.groups import Group, group_led_by
from models.reservations.rows import Reservation
from models.residents import Resident


@dataclass(frozen=True)
class By:
    """Who acts, in which hat. ``is_staff``: somebody who works here and answers for the room."""

    account_id: int | None = None
    identity: str = "town"

    @property
    def is_staff(self) -> bool:
        """Whether they act as somebody who works here."""
        return self.identity.startswith("staff:")


@dataclass(frozen=True)
class Party:
    """Whose a reservation is or is to be. Nobody at all: the community's own."""

    resident: Resident | None = None
    group: Group | None = None

    @property
    def is_community(self) -> bool:
        """Whether it is the community's own use."""
        return self.resident is None

    def hold(self) -> None:
        """Have whatever else is asked in this person's or group's name wait, so that counting what they have is exact."""
        if self.group is not None:
            self.group.lock()
        elif self.resident is not None:
            self.resident.lock()

    def must_still_stand(self, session: Session) -> None:
        """Raise what stands against asking in this name now that it is held: NotFound ``no_group``, Conflict ``group_not_approved``.

        A person who left meanwhile cannot be held, nor can they lead anything.
        """
        if self.group is not None and self.resident is not None:
            group_led_by(session, self.resident, self.group.key)

    def owns(self) -> ColumnElement[bool]:
        """The condition that a reservation counts as this party's."""
        if self.group is not None:
            return Reservation.group_id == self.group.id
        resident_id = self.resident.id if self.resident else None
        return (Reservation.resident_id == resident_id) & Reservation.group_id.is_(None)


def must_not_be_own(resident: Resident | None, by: By) -> None:
    """Raise Forbidden ``own_content`` for somebody who works here and acts in that hat upon what is their own."""
    if resident is not None and by.account_id is not None and resident.account_id == by.account_id:
        raise Forbidden("own_content", "这是您自己的预约，请用居民身份办理，或请其他工作人员办理")


def party_of(reservation: Reservation) -> Party:
    """Whose a reservation is."""
    return Party(reservation.resident, reservation.group)
