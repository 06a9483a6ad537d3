"""Planning an agreement (排期): the days it would hold a room on, by the town's calendar, looked at before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session

from models import clock
from models.agreements.rows import MINUTES_OF_A_DAY, Block, Terms
from models.availability import stretch_of_day
from models.calendars import Calendar, DayKind
from models.errors import Conflict, Fault
from models.occupancy import Hold, taken_of
from models.sites import Venue

LONGEST_DAYS = 366
MOST_BLOCKS = 14
MOST_BLOCK_DAYS = 400
MOST_HOURS = 5000


class Verdict(StrEnum):
    """What is to be said of one block of one day."""

    OK = "ok"  # 可以使用
    HOLIDAY_SKIPPED = "holiday_skipped"  # 放假，跳过
    HOLIDAY_KEPT = "holiday_kept"  # 放假，照常使用
    ROOM_TAKEN = "room_taken"  # 场地已占用
    OVER = "over"  # 时间已过
    YEAR_NOT_ANNOUNCED = "year_not_announced"  # 放假安排还没有公布


_OBSTACLES = {Verdict.HOLIDAY_SKIPPED, Verdict.ROOM_TAKEN, Verdict.OVER}


@dataclass(frozen=True)
class BlockDay:
    """One block of one day, also one that is skipped."""

    on: date
    starts_at: datetime
    ends_at: datetime
    verdicts: tuple[Verdict, ...]

    @property
    def can_be_held(self) -> bool:
        """Whether nothing stands in its way."""
        return not _OBSTACLES & set(self.verdicts)

    @property
    def is_taken(self) -> bool:
        """Whether somebody else has the room, and nothing else stands in its way."""
        return _OBSTACLES & set(self.verdicts) == {Verdict.ROOM_TAKEN}


def lay_out(calendar: Calendar, terms: Terms, *, now: datetime, taken: Sequence[Hold] = ()) -> list[BlockDay]:
    """Every block of every day of the period with what is to be said of it, in order of time; nothing is read or written.

    ``taken`` is what holds the room already.
    """
    days: list[BlockDay] = []
    on = terms.starts_on
    while on <= terms.ends_on:
        days += [
            _on(calendar, terms, on, block, now=now, taken=taken)
            for block in sorted(terms.blocks)
            if block.weekday == on.weekday()
        ]
        on += timedelta(days=1)
    return days


def look(session: Session, venue: Venue, terms: Terms) -> list[BlockDay]:
    """The same by the calendar in force, with who has the room already. Raises Conflict ``agreement_unfit`` naming what cannot be."""
    must_make_sense(terms)
    whole = stretch_of_day(terms.starts_on).starts_at, stretch_of_day(terms.ends_on).ends_at
    taken = taken_of(session, venue, starts_at=whole[0], ends_at=whole[1])
    days = lay_out(Calendar.in_force(session), terms, now=clock.now(), taken=taken)
    if len(days) > MOST_BLOCK_DAYS:
        message = f"一份协议最多 {MOST_BLOCK_DAYS} 个时段，现在有 {len(days)} 个，请缩短期限或减少时段"
        raise Conflict("agreement_unfit", message, faults=[Fault("blocks", message)])
    return days


def must_make_sense(terms: Terms) -> None:
    """Raise Conflict ``agreement_unfit`` naming every field that cannot be (``blocks.2.to``)."""
    faults = []
    if terms.ends_on < terms.starts_on:
        faults.append(Fault("ends_on", "最后一天不能早于第一天"))
    elif (terms.ends_on - terms.starts_on).days >= LONGEST_DAYS:
        faults.append(Fault("ends_on", "一份协议最长一年，到期可以另签一份"))
    if not 1 <= terms.promised_hours <= MOST_HOURS:
        faults.append(Fault("promised_hours", f"承诺的服务为 1 到 {MOST_HOURS} 小时"))
    if not 1 <= len(terms.blocks) <= MOST_BLOCKS:
        faults.append(Fault("blocks", f"请填写 1 到 {MOST_BLOCKS} 个时段"))
    faults += _faults_of(terms.blocks)
    if faults:
        raise Conflict("agreement_unfit", "协议的日期或时段有误，请改好再保存", faults=faults)


def _faults_of(blocks: Sequence[Block]) -> list[Fault]:
    faults = []
    sound: list[Block] = []
    for place, block in enumerate(blocks):
        if not 0 <= block.weekday <= 6:
            faults.append(Fault(f"blocks.{place}.weekday", "请填写 0（周一）到 6（周日）"))
        elif not 0 <= block.from_minute < block.to_minute <= MINUTES_OF_A_DAY:
            faults.append(Fault(f"blocks.{place}.to", "结束要晚于开始；过半夜的请分成两段写"))
        elif any(_overlap(block, other) for other in sound):
            faults.append(Fault(f"blocks.{place}.from", "和前面写的时段重叠了"))
        else:
            sound.append(block)
    return faults


def _overlap(one: Block, other: Block) -> bool:
    return (
        one.weekday == other.weekday
        and one.from_minute < other.to_minute
        and other.from_minute < one.to_minute
    )


def _on(
    calendar: Calendar, terms: Terms, on: date, block: Block, *, now: datetime, taken: Sequence[Hold]
) -> BlockDay:
    stretch = stretch_of_day(on, block.from_minute, block.to_minute)
    wanted = Hold(stretch.starts_at, stretch.ends_at)
    is_holiday = calendar.kind_of(on) is DayKind.HOLIDAY
    said = {
        Verdict.HOLIDAY_SKIPPED: is_holiday and not terms.on_holidays,
        Verdict.HOLIDAY_KEPT: is_holiday and terms.on_holidays,
        Verdict.OVER: stretch.starts_at <= now,
        Verdict.YEAR_NOT_ANNOUNCED: not calendar.is_announced(on.year),
        Verdict.ROOM_TAKEN: any(wanted.overlaps(one) for one in taken),
    }
    verdicts = tuple(verdict for verdict, is_so in said.items() if is_so)
    return BlockDay(on, stretch.starts_at, stretch.ends_at, verdicts or (Verdict.OK,))
