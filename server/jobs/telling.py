"""Telling (告知): what people are told of because its time has come, not because somebody did something."""

from __future__ import annotations

from datetime import datetime

from models.agreements import owe_warnings
from models.base import reading, transaction
from models.desk import owe_digests
from models.issue_orders import owe_meeting_notices
from models.notices.announcing import announce_policy, not_yet_told
from models.partners import owe_renewal_reminders

MOST_AT_ONCE = 500


def tell_staff(now: datetime) -> int:
    """Owe staff the word of what waits on their desks, at their hours; how many are new."""
    with transaction() as session:
        return owe_digests(session, now)


def tell_of_promises(now: datetime) -> int:
    """Owe units and staff the word of service that is behind, once a month; how many are new."""
    with transaction() as session:
        return owe_warnings(session, now)


def tell_of_renewals(now: datetime) -> int:
    """Owe units whose year ends soon, and staff, the word of it, once a year; how many are new."""
    with transaction() as session:
        return owe_renewal_reminders(session, now)


def tell_of_meetings(now: datetime) -> int:
    """Owe the units of a street the word of its joint meeting, a week and a day before; how many are new."""
    with transaction() as session:
        return owe_meeting_notices(session, now)


def tell_of_policy(now: datetime) -> int:
    """Owe those who agreed to an older privacy policy the word of the new one, a bounded number; how many are new.

    Everybody is looked through, so it is done without holding up whoever writes.
    """
    with reading() as session:
        to_be_told = not_yet_told(session, most=MOST_AT_ONCE)
    if not to_be_told:
        return 0
    with transaction() as session:
        return announce_policy(session, to_be_told)
