"""Numbers of one room (场地规则): what a room goes by when it differs from its community (domain.md §2.2).

A number set for a room wins over its community's, over its street's, over its district's, over the default of the house.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, PlainText
from models.errors import Conflict, Fault, Invalid
from models.journal import enter
from models.policies import RULES, Policies, Rule, as_kept, policies_at, said_at
from models.sites import Venue

OF_A_ROOM = frozenset(
    {
        "reserve_days",
        "group_reserve_days",
        "reserve_opens",
        "reserve_slots",
        "reserve_least_minutes",
        "reserve_most_minutes",
        "group_most_minutes",
        "buffer_minutes",
        "series_weeks",
        "others_may_reserve",
        "room_review_days",
        "unreviewed_until_hours",
        "cancel_room_hours",
        "room_check_in_before_minutes",
        "no_show_minutes",
        "sign_out_minutes",
        "room_offer_minutes",
        "made_good_days",
        "move_answer_hours",
        "move_answer_before_hours",
        "override_notice_hours",
    }
)  # the rest is counted over all rooms of a community


class VenuePolicy(Base):
    """One number set for one room."""

    __tablename__ = "venue_policies"
    __table_args__ = (UniqueConstraint("venue_id", "name"),)

    venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"))
    name: Mapped[str] = mapped_column(PlainText(40))
    value: Mapped[str] = mapped_column(PlainText(80))


@dataclass(frozen=True)
class RoomRule:
    """One rule as it stands for one room: what it goes by, and what it would go by without a number of its own."""

    rule: Rule
    own: str | None
    usual: str

    @property
    def value(self) -> str:
        """What is in force."""
        return self.usual if self.own is None else self.own

    @property
    def its_own(self) -> bool:
        """Whether the room has a number of its own."""
        return self.own is not None

    @property
    def least(self) -> float | None:
        """The smallest number that makes sense, where it is a number."""
        return None if isinstance(self.rule.default, str) else self.rule.least

    @property
    def most(self) -> float | None:
        """The largest number that makes sense, where it is a number."""
        return None if isinstance(self.rule.default, str) else self.rule.most


def policies_of(session: Session, venue: Venue) -> Policies:
    """The numbers one room goes by."""
    return policies_of_each(session, [venue])[venue.id]


def policies_of_each(session: Session, venues: Sequence[Venue]) -> dict[int, Policies]:
    """The numbers each of these rooms goes by, by the room's id: two questions for the rooms of one community, however many they are."""
    own: dict[int, dict[str, str]] = defaultdict(dict)
    rows = session.execute(
        select(VenuePolicy.venue_id, VenuePolicy.name, VenuePolicy.value).where(
            VenuePolicy.venue_id.in_([venue.id for venue in venues])
        )
    )
    for venue_id, name, value in rows:
        own[venue_id][name] = value
    of_community = {
        region_id: policies_at(session, region_id) for region_id in {venue.site.region_id for venue in venues}
    }
    return {
        venue.id: policies_at(session, venue.site.region_id, own[venue.id])
        if venue.id in own
        else of_community[venue.site.region_id]
        for venue in venues
    }


def rules_of(session: Session, venue: Venue) -> list[RoomRule]:
    """Every rule of a room, in the order of ``RULES``."""
    own = _own_numbers(session, venue)
    usual = said_at(session, venue.site.region_id)
    return [RoomRule(rule, own.get(name), usual[name]) for name, rule in RULES.items() if name in OF_A_ROOM]


def set_venue_policies(
    session: Session,
    venue: Venue,
    wanted: Sequence[tuple[str, str | None]],
    *,
    by_account_id: int | None = None,
    identity: str = "town",
) -> None:
    """Set several numbers of one room at once, or let it go by its community again (``None``): all of them, or nothing.

    Raises Conflict ``venue_policies_unfit`` naming each that makes no sense (``items.2.value``): by itself, said twice, or because the
    room's shortest reservation would be longer than its longest.
    """
    venue.lock()  # two who set them at once: the second sees what the first set
    faults = list(_faults(wanted)) or list(_lengths_that_cannot_be(session, venue, wanted))
    if faults:
        raise Conflict("venue_policies_unfit", "有的规则填得不对，请按提示改好再保存", faults=faults)
    for name, value in wanted:
        set_venue_policy(session, venue, name, value, by_account_id=by_account_id, identity=identity)


def _own_numbers(session: Session, venue: Venue) -> dict[str, str]:
    own = select(VenuePolicy.name, VenuePolicy.value).where(VenuePolicy.venue_id == venue.id)
    return dict(session.execute(own).all())


def _faults(wanted: Sequence[tuple[str, str | None]]) -> Iterator[Fault]:
    names = [name for name, _ in wanted]
    for place, (name, value) in enumerate(wanted):
        if name in names[:place]:
            yield Fault(f"items.{place}.name", f"“{RULES[name].meaning}”写了两次，请只留一个")
        elif value is not None:
            try:
                RULES[name].read(value)
            except Invalid as unfit:
                yield from (Fault(f"items.{place}.value", fault.message) for fault in unfit.faults)


def _lengths_that_cannot_be(
    session: Session, venue: Venue, wanted: Sequence[tuple[str, str | None]]
) -> Iterator[Fault]:
    would_be = {**_own_numbers(session, venue), **dict(wanted)}
    own = {name: value for name, value in would_be.items() if value is not None}
    policies = policies_at(session, venue.site.region_id, own)
    changed = [name for name, _ in wanted]
    for name, most in (
        ("reserve_most_minutes", policies.reserve_most_minutes),
        ("group_most_minutes", policies.group_most_minutes),
    ):
        told = next((one for one in (name, "reserve_least_minutes") if one in changed), None)
        if most < policies.reserve_least_minutes and told is not None:
            yield Fault(
                f"items.{changed.index(told)}.value",
                f"“{RULES[name].meaning}”会比“{RULES['reserve_least_minutes'].meaning}”还短",
            )


def set_venue_policy(
    session: Session,
    venue: Venue,
    name: str,
    value: str | None,
    *,
    by_account_id: int | None = None,
    identity: str = "town",
) -> None:
    """Set a number for one room, or let it go by its community again (``None``).

    Raises Invalid for a rule that is none of a room's, or a senseless value.
    """
    if name not in OF_A_ROOM:
        raise Invalid(
            [Fault("name", f"“{name}”不是单个场地的规则，可选：{'、'.join(sorted(OF_A_ROOM))}")],
            code="policy_unknown",
        )
    said = None if value is None else as_kept(name, value)
    venue.lock()  # two who set it at once: the second replaces what the first set
    row = session.scalar(
        select(VenuePolicy).where(VenuePolicy.venue_id == venue.id, VenuePolicy.name == name)
    )
    was = row.value if row else None
    if was == said:
        return
    if said is None:
        session.delete(row)
    elif row is None:
        session.add(VenuePolicy(venue_id=venue.id, name=name, value=said))
    else:
        row.value = said
    enter(
        session,
        "venue.policy_set",
        venue,
        by_account_id=by_account_id,
        identity=identity,
        details={"name": name, "was": was, "is": said},
    )
    session.flush()
