"""Shapes of what is free of rooms, day by day."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from miniprogram_api.schemas.fields import Day, Key, QueryWhole, Shape, TownTime
from miniprogram_api.schemas.reservations import MOST_HEADS
from miniprogram_api.schemas.sites import RoomBrief
from models.coordination.holders import WORDS
from models.hours import OpenOn
from models.occupancy import Purpose

MOST_DAYS = 14


class AvailabilityQuery(Shape):
    """Which days: so many from the first on, today when none is named."""

    first = Day(metadata={"description": "从哪一天看起，不填为今天"})
    days = QueryWhole(
        load_default=7,
        validate=validate.Range(1, MOST_DAYS, error=f"一次看 1 到 {MOST_DAYS} 天"),
        metadata={"description": "看几天"},
    )


class ChoicesQuery(AvailabilityQuery):
    """The same for somebody: oneself, somebody one acts for, or the group one leads; with so many people."""

    for_key = Key(data_key="for")
    group = Key(metadata={"description": "以哪个团队的名义"})
    headcount = QueryWhole(
        load_default=1,
        validate=validate.Range(1, MOST_HEADS, error=f"1 到 {MOST_HEADS} 人"),
        metadata={"description": "多少人"},
    )


class VenueChoicesQuery(ChoicesQuery):
    """Of which room."""

    venue = Key(required=True)


class SiteChoicesQuery(ChoicesQuery):
    """Of all rooms of which service point."""

    site = Key(required=True)


class StretchOut(Shape):
    """From one moment to another."""

    starts_at = TownTime(required=True)
    ends_at = TownTime(required=True)


class SlotOut(StretchOut):
    """One fixed slot, and whether anybody could still take it."""

    free = fields.Boolean(required=True)


class HeldStretchOut(StretchOut):
    """When a room is held, the cleaning included, and for what."""

    purpose = fields.Enum(Purpose, by_value=True, required=True)
    word = fields.Method("_word", required=True)
    because = fields.String(metadata={"description": "停用、征用的原因"})

    def _word(self, held: Any) -> str:
        return WORDS[held.purpose]


class StretchesOfDay(Shape):
    """When a room is open on a day, its fixed slots, what is free and what is held."""

    open = fields.List(fields.Nested(StretchOut), required=True)
    slots = fields.List(fields.Nested(SlotOut), required=True)
    free = fields.List(fields.Nested(StretchOut), required=True)
    held = fields.List(fields.Nested(HeldStretchOut), required=True)


class RoomDayOut(StretchesOfDay):
    """One day of a room, and what it is by the calendar."""

    on = Day(required=True)
    kind = fields.Enum(OpenOn, by_value=True, required=True)


class VenueAvailabilityOut(Shape):
    """Some days of one room."""

    venue = fields.Nested(RoomBrief, required=True)
    days = fields.List(fields.Nested(RoomDayOut), required=True)


class RoomOfDayOut(StretchesOfDay):
    """One room on a day, by its key."""

    venue = Key(required=True)


class SiteDayOut(Shape):
    """One day of every room of a service point."""

    on = Day(required=True)
    kind = fields.Enum(OpenOn, by_value=True, required=True)
    rooms = fields.List(fields.Nested(RoomOfDayOut), required=True)


class SiteAvailabilityOut(Shape):
    """Some days of all rooms of a service point: the rooms once, and then day by day, room by room."""

    venues = fields.List(fields.Nested(RoomBrief), required=True)
    days = fields.List(fields.Nested(SiteDayOut), required=True)


class WhyNotOut(Shape):
    """Why a tap would not give it: a code, and what to do instead."""

    code = fields.String(required=True)
    says = fields.String(attribute="message", required=True)


class ChoiceOut(StretchOut):
    """A time, whether a tap would give it to this person, else why not, and whether they could wait for it."""

    free = fields.Boolean(required=True)
    may_take = fields.Boolean(required=True)
    may_wait = fields.Boolean(required=True)
    why_not = fields.Nested(WhyNotOut, required=True, allow_none=True)


class DayOfChoicesOut(Shape):
    """One day of a room: its fixed slots, and what else of it is free on the grid."""

    on = Day(required=True)
    slots = fields.List(fields.Nested(ChoiceOut), required=True)
    free = fields.List(fields.Nested(ChoiceOut), required=True)


class VenueChoicesOut(Shape):
    """Some days of one room, for one person."""

    venue = fields.Nested(RoomBrief, required=True)
    days = fields.List(fields.Nested(DayOfChoicesOut), required=True)


class RoomChoicesOut(Shape):
    """The fixed slots of one room on a day."""

    venue = Key(required=True)
    slots = fields.List(fields.Nested(ChoiceOut), required=True)


class SiteDayOfChoicesOut(Shape):
    """One day of every room of a service point."""

    on = Day(required=True)
    rooms = fields.List(fields.Nested(RoomChoicesOut), required=True)


class SiteChoicesOut(Shape):
    """Some days of all rooms of a service point, for one person: the rooms once, and then day by day, room by room."""

    venues = fields.List(fields.Nested(RoomBrief), required=True)
    days = fields.List(fields.Nested(SiteDayOfChoicesOut), required=True)
