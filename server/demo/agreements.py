"""Space for service in the demo town: a unit that serves every week, and one that is behind, with a record the clerk has still to look at.

Both began eight weeks before the first start, on a clock put back to then. Where somebody else has the room, that day is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.accounts import welcome
from models.agreements import (
    Block,
    BlockDay,
    Record,
    ServiceAgreement,
    ServiceDelivery,
    Terms,
    confirm_delivery,
    draft_agreement,
    look,
    put_in_force,
    record_delivery,
)
from models.credit_codes import check_sign
from models.partners import Partner, PartnerKind, UnitCard, correct_unit, enlist_unit
from models.regions import Region
from models.sites import Venue, venues_within
from models.staff import staff_members_of
from server.demo.cast import PARTNER

WEEKS_BEFORE, WEEKS_AFTER = 8, 8
TUESDAY, WEDNESDAY = 1, 2


@dataclass(frozen=True)
class _Agreed:
    """What a unit has, promised, and gave: each time, or only the first ``gave`` of them and the last, which nobody confirmed yet."""

    unit: str
    number: int
    contact: str
    phone: str
    room: str
    block: Block
    service: str
    promised_hours: int
    gave: int | None = None


AGREED: Sequence[_Agreed] = (
    _Agreed(
        *("安心心理服务中心", 1, "安心·负责人", "19900000201"),
        *("心理咨询室", Block(WEDNESDAY, 14 * 60, 17 * 60), "免费心理咨询", 36),
    ),
    _Agreed(
        *(PARTNER, 2, "影像·负责人", "19900000202"),
        *("书画室", Block(TUESDAY, 14 * 60, 17 * 60), "教长辈用手机拍照", 48),
        gave=2,
    ),
)


def lend_rooms_for_service(session: Session, community: Region, *, now: datetime) -> None:
    """Let two units have a room of the community, and serve it as well as they do."""
    (clerk,) = staff_members_of(session, welcome(session, openid="demo-clerk"))
    rooms = {venue.name: venue for venue in venues_within(session, community)}
    for agreed in AGREED:
        _serve(session, agreed, _unit(session, agreed, community), rooms[agreed.room], clerk.identity, now)


def _unit(session: Session, agreed: _Agreed, community: Region) -> Partner:
    """The unit with its papers; the one somebody acts for has been in the town's list for long."""
    seventeen = f"91990100MA{agreed.number:07}"
    card = UnitCard(
        name=agreed.unit,
        kind=PartnerKind.PUBLIC_GOOD,
        credit_code=seventeen + check_sign(seventeen),
        region=community,
        contact_name=agreed.contact,
        contact_phone=agreed.phone,
    )
    known = session.scalar(select(Partner).where(Partner.name == agreed.unit))
    if known is None:
        return enlist_unit(session, card, by_account_id=None, identity="town")
    correct_unit(session, known, card, by_account_id=None, identity="town")
    return known


def _serve(session: Session, agreed: _Agreed, unit: Partner, room: Venue, clerk: str, now: datetime) -> None:
    began_at = now - timedelta(weeks=WEEKS_BEFORE)
    terms = Terms(
        starts_on=clock.in_town(began_at).date(),
        ends_on=clock.in_town(now + timedelta(weeks=WEEKS_AFTER)).date(),
        blocks=[agreed.block],
        service=agreed.service,
        promised_hours=agreed.promised_hours,
    )
    with clock.stopped_at(began_at) as hand:
        agreement = draft_agreement(session, unit, room, terms, by_account_id=None, identity=clerk)
        days = look(session, room, terms)
        taken = {day.on for day in days if day.is_taken}
        put_in_force(session, agreement, leave_out=taken, by_account_id=None, identity=clerk)
        over = [day for day in days if day.can_be_held and day.ends_at < now]
        given = over if agreed.gave is None else over[: agreed.gave]
        for day in given:
            hand.move_to(day.ends_at)
            delivery = _written_down(session, agreement, day)
            confirm_delivery(session, delivery, by_account_id=None, identity=clerk)
        if agreed.gave is not None and len(over) > agreed.gave:
            hand.move_to(over[-1].ends_at)
            _written_down(session, agreement, over[-1])


def _written_down(session: Session, agreement: ServiceAgreement, day: BlockDay) -> ServiceDelivery:
    minutes = int((day.ends_at - day.starts_at).total_seconds()) // 60
    record = Record(day.on, minutes, agreement.service, people_served=6)
    identity = f"partner:{agreement.partner.key}"
    return record_delivery(session, agreement, record, by_account_id=None, identity=identity)
