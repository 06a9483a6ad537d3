"""Rooms of groups (团队的场地): a group that may use nothing any more, for some days or for good, has no rooms ahead either.

Groups know nothing of rooms; so what spans the two is here: the group is decided about first, and held from then on, and what it had
reserved goes to who waits, in the same transaction.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from models import groups
from models.accounts import Account
from models.availability import stretch_of_day
from models.groups import Group
from models.reservations import By, let_go_of_group_rooms
from models.staff import StaffMember

SUSPENDED, DISBANDED = "团队暂停使用", "团队已解散"


def suspend(session: Session, group: Group, because: str, *, until: date, by: StaffMember) -> int:
    """A group may use nothing until a day, which is the last; how many of its rooms were let go. Raises as ``groups.suspend``."""
    groups.suspend(session, group, because, until=until, by=by)
    ends_at = stretch_of_day(until).ends_at
    return let_go_of_group_rooms(session, group, SUSPENDED, by=By(by.account_id, by.identity), until=ends_at)


def disband_by_staff(session: Session, group: Group, because: str, *, by: StaffMember) -> int:
    """Staff end a group; how many of its rooms were let go. Raises as ``groups.disband_by_staff``."""
    groups.disband_by_staff(session, group, because, by=by)
    return let_go_of_group_rooms(session, group, DISBANDED, by=By(by.account_id, by.identity))


def disband(session: Session, account: Account, group: Group) -> int:
    """Its leader ends a group; how many of its rooms were let go. Raises as ``groups.disband``."""
    groups.disband(session, account, group)
    return let_go_of_group_rooms(session, group, DISBANDED, by=By(account.id, "resident"))
