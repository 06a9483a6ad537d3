"""Dead letters (未送达的消息): notices that ended without surely reaching WeChat's side of the phone, for staff to look at.

They are in the person's inbox all the same. Staff see those of the people who live where they work. What surely did not arrive can be
sent again; what may have arrived cannot, because nothing is told twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select, tuple_
from sqlalchemy.orm import Session

from models import clock
from models.errors import Conflict, NotFound
from models.journal import enter, enter_each
from models.notices.catalogue import MOMENTS
from models.notices.outbox import NOT_ALLOWED, Delivery, Notice, goes_out_at
from models.regions import Region, lies_within
from models.residents import Resident
from models.staff import StaffMember

DEAD = (Delivery.REFUSED, Delivery.FAILED, Delivery.UNKNOWN, Delivery.CAPPED)
UNWRITABLE = "unwritable"

# literals, not parameters: only so can PostgreSQL see that a partial index fits
_DEAD: list[ColumnElement[Any]] = [literal_column(f"'{delivery}'") for delivery in DEAD]

_REFUSED: Mapping[str, str] = {
    NOT_ALLOWED: "对方没有允许这类消息，或允许的次数已经用完",
    "40003": "对方的微信账号已经失效",
    "45168": "微信认为内容含有敏感词",
    "47003": "内容不符合微信的格式要求，请告诉技术人员",
    "40037": "消息模板设置有误，请告诉技术人员",
    "43107": "消息模板已被微信封禁，请告诉技术人员",
    "41030": "消息打开的页面还没有发布，请告诉技术人员",
}
_FAILED: Mapping[str, str] = {
    UNWRITABLE: "内容填不进消息模板，请告诉技术人员",
    "sent_event": "微信收下了，但没能送到对方手机上",
}
_OTHERWISE: Mapping[Delivery, str] = {
    Delivery.CAPPED: "当天已经收到很多消息，这条只放在站内",
    Delivery.UNKNOWN: "发送时断了线，不知道对方有没有收到；为了不重复打扰，没有再发",
}


@dataclass(frozen=True)
class DeadLetter:
    """One of them, and whom it was for."""

    notice: Notice
    resident: Resident

    @property
    def ended_at(self) -> datetime:
        """When it ended."""
        return self.notice.settled_at or self.notice.created_at

    @property
    def can_be_sent_again(self) -> bool:
        """Whether it surely did not arrive, can be written, and is still worth sending."""
        return (
            self.notice.delivery is Delivery.FAILED
            and self.notice.outcome != UNWRITABLE
            and self.notice.passed_on_at is None
            and self.notice.worth_until > clock.now()
        )

    @property
    def why(self) -> str:
        """What became of it, for a clerk to read."""
        outcome = self.notice.outcome or ""
        if self.notice.delivery is Delivery.REFUSED:
            return _REFUSED.get(outcome, f"微信拒绝发送（代码 {outcome}），请告诉技术人员")
        if self.notice.delivery is Delivery.FAILED:
            return _FAILED.get(outcome.partition(" ")[0], "试了很多次都没有发出去，可能是网络或微信繁忙")
        return _OTHERWISE.get(self.notice.delivery, "正在重新发送")


def dead_letters(
    session: Session,
    *,
    within: Sequence[Region],
    delivery: Delivery | None = None,
    after: tuple[datetime, int] | None = None,
    most: int,
) -> list[DeadLetter]:
    """Up to ``most`` of the people who live in these places, the latest to end first; ``after`` is (settled_at, id) of the last one seen."""
    query = (
        select(Notice, Resident)
        .join(Resident, Resident.account_id == Notice.account_id)
        .join(Region, Region.id == Resident.home_region_id)
        .where(Notice.delivery.in_(_DEAD), lies_within(within))
        .order_by(Notice.settled_at.desc(), Notice.id.desc())
        .limit(most)
    )
    if delivery is not None:
        query = query.where(Notice.delivery == delivery)
    if after is not None:
        query = query.where(tuple_(Notice.settled_at, Notice.id) < after)
    return [DeadLetter(row.Notice, row.Resident) for row in session.execute(query)]


def look_at(
    session: Session, letters: Sequence[DeadLetter], *, by_account_id: int | None, identity: str
) -> None:
    """Journal that somebody saw whom these were for and what they were about."""
    about = [(letter.notice, letter.resident.id) for letter in letters]
    enter_each(session, "notice.looked_at", about, by_account_id=by_account_id, identity=identity)


def send_again(session: Session, key: str, *, within: Sequence[Region], by: StaffMember) -> DeadLetter:
    """Owe a notice once more that surely did not arrive; in the quiet hours what waits for the morning waits again.

    Raises NotFound outside of these places, and Conflict: ``may_have_arrived`` for one that is under way, sent, or nobody knows;
    ``not_worth_sending`` when its news is old; ``passed_on`` when it is told in another way; ``not_to_be_sent_again`` for what ended
    otherwise: sending it again would end the same.
    """
    letter = _letter(session, key, within)
    notice = letter.notice.lock()
    if notice.delivery in (Delivery.UNKNOWN, Delivery.SENT, Delivery.SENDING, Delivery.OWED):
        raise Conflict("may_have_arrived", "这条消息可能已经送达，再发会重复；需要确认的话请打电话")
    if notice.delivery is not Delivery.FAILED or notice.outcome == UNWRITABLE:
        raise Conflict("not_to_be_sent_again", "这条消息再发也会是同样的结果，需要的话请打电话告知")
    if notice.passed_on_at is not None:
        raise Conflict("passed_on", "这条消息已经改用短信或电话告知，不用再发")
    if notice.worth_until <= clock.now():
        raise Conflict("not_worth_sending", "这条消息的内容已经过时，不再发送")
    notice.due_at = goes_out_at(session, notice.kind, letter.resident.home_region_id, clock.now())
    notice.delivery, notice.attempts, notice.outcome = Delivery.OWED, 0, None
    notice.claimed_at = notice.claimed_by = notice.settled_at = None
    enter(
        session,
        "notice.sent_again",
        notice,
        by_account_id=by.account_id,
        identity=by.identity,
        for_resident_id=letter.resident.id,
    )
    session.flush()
    return letter


def count_waiting(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many had died by this moment and still ask for a person, by the path of where their people live.

    Not those the person has read in the inbox meanwhile, those that are no longer worth telling, nor what the person did not allow or
    has enough of: about those nobody needs to do anything.
    """
    fresh = or_(
        *(
            and_(Notice.kind == kind, Notice.created_at > as_of - moment.worth)
            for kind, moment in MOMENTS.items()
        )
    )
    longest = max(moment.worth for moment in MOMENTS.values())
    rows = session.execute(
        select(Region.path, func.count())
        .select_from(Notice)
        .join(Resident, Resident.account_id == Notice.account_id)
        .join(Region, Region.id == Resident.home_region_id)
        .where(
            Notice.delivery.in_(_DEAD),
            Notice.delivery != Delivery.CAPPED,
            or_(Notice.outcome.is_(None), Notice.outcome != NOT_ALLOWED),
            Notice.read_at.is_(None),
            Notice.passed_on_at.is_(None),
            Notice.settled_at > as_of - longest,
            Notice.settled_at <= as_of,
            fresh,
        )
        .group_by(Region.path)
    )
    return dict(rows.all())


def _letter(session: Session, key: str, within: Sequence[Region]) -> DeadLetter:
    row = session.execute(
        select(Notice, Resident)
        .join(Resident, Resident.account_id == Notice.account_id)
        .join(Region, Region.id == Resident.home_region_id)
        .where(Notice.key == key, lies_within(within))
    ).first()
    if row is None:
        raise NotFound("没有找到这条消息")
    return DeadLetter(row.Notice, row.Resident)
