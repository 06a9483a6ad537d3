"""Groups as rows: what one is, and how one is found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, and_, func, or_, select, text
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.base import Base, Keyed, PlainText, chosen_from
from models.errors import Conflict, NotFound
from models.notices import Notice
from models.regions import Region, is_within, regions_within
from models.residents import Resident

LONGEST_NAME = 20  # as much as a message has room for
LONGEST_ABOUT = 200
MOST_MEMBERS = 1000


class GroupKind(StrEnum):
    """What a group comes together for."""

    CHORUS = "chorus"  # 合唱团
    DANCE = "dance"  # 舞蹈队
    MUTUAL_AID = "mutual_aid"  # 互助队
    SPORT = "sport"  # 运动队
    CRAFT = "craft"  # 手工
    STUDY = "study"  # 读书学习
    OTHER = "other"  # 其他


class GroupState(StrEnum):
    """Where a group stands."""

    APPLIED = "applied"  # 待审核
    APPROVED = "approved"  # 已通过
    REJECTED = "rejected"  # 未通过
    SUSPENDED = "suspended"  # 已暂停
    DISBANDED = "disbanded"  # 已解散


LIVE = (GroupState.APPLIED, GroupState.APPROVED, GroupState.SUSPENDED)
_LIVE = text("state IN ('applied', 'approved', 'suspended')")


@dataclass(frozen=True)
class GroupWords:
    """What is said of a group: by its leader, or at the counter."""

    name: str
    kind: GroupKind
    members: int
    about: str = ""


class Group(Keyed, Base):
    """One group of a community. ``leader`` is nobody once its leader left the town, since ``leaderless_at``.

    ``name_is_sure`` and ``about_is_sure``: nobody has to look at these words any more before others may read them.
    """

    __tablename__ = "groups"
    __table_args__ = (
        CheckConstraint("members_count > 0", name="has_members"),
        CheckConstraint(
            "(state = 'suspended') = (suspended_until IS NOT NULL)", name="suspended_until_a_day"
        ),
        Index(
            "uq_groups_live_name",
            "region_id",
            "name",
            unique=True,
            postgresql_where=_LIVE,
            sqlite_where=_LIVE,
        ),
        Index("uq_groups_handover_fingerprint", "handover_fingerprint", unique=True),
    )

    region_id: Mapped[int] = mapped_column(ForeignKey("regions.id"))
    leader_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"), index=True)
    leaderless_at: Mapped[datetime | None]
    name: Mapped[str] = mapped_column(PlainText(LONGEST_NAME))
    kind: Mapped[GroupKind] = mapped_column(chosen_from(GroupKind))
    members_count: Mapped[int]  # as its leader says; who they are is not kept
    about: Mapped[str] = mapped_column(PlainText(LONGEST_ABOUT), default="")
    name_is_sure: Mapped[bool] = mapped_column(default=True)
    about_is_sure: Mapped[bool] = mapped_column(default=True)
    state: Mapped[GroupState] = mapped_column(chosen_from(GroupState), default=GroupState.APPLIED)
    reason: Mapped[str | None] = mapped_column(PlainText(100))  # why it was rejected, suspended or disbanded
    suspended_until: Mapped[date | None]  # the last day of it
    applied_at: Mapped[datetime] = mapped_column(default=clock.now)
    decided_at: Mapped[datetime | None]
    handover_fingerprint: Mapped[str | None] = mapped_column(PlainText(64))  # of the code for the next leader
    handover_until: Mapped[datetime | None]

    region: Mapped[Region] = relationship()
    leader: Mapped[Resident | None] = relationship()

    @property
    def state_today(self) -> GroupState:
        """Its state: a suspension is over after its last day."""
        if self.suspended_until is not None and self.suspended_until < clock.today():
            return GroupState.APPROVED
        return self.state

    @property
    def stands(self) -> bool:
        """Whether it may use today what is lent to groups."""
        return self.state_today is GroupState.APPROVED

    @property
    def words(self) -> GroupWords:
        """What is said of it."""
        return GroupWords(self.name, self.kind, self.members_count, self.about)

    @staticmethod
    def is_today(state: GroupState) -> ColumnElement[bool]:
        """The condition that this is a group's state today."""
        is_over = Group.suspended_until < clock.today()
        if state is GroupState.APPROVED:
            return or_(Group.state == state, and_(Group.state == GroupState.SUSPENDED, is_over))
        if state is GroupState.SUSPENDED:
            return and_(Group.state == state, ~is_over)
        return Group.state == state


def groups_led_by(session: Session, residents: Collection[int]) -> Sequence[Group]:
    """Every group these people lead or led to its end, or asked for, oldest first."""
    return session.scalars(
        select(Group)
        .options(joinedload(Group.region))
        .where(Group.leader_id.in_(residents))
        .order_by(Group.id)
    ).all()


def live_groups_led_by(session: Session, residents: Collection[int]) -> Sequence[Group]:
    """Those of them that were neither rejected nor disbanded."""
    return [group for group in groups_led_by(session, residents) if group.state in LIVE]


def group_of(session: Session, leader: Resident | None, key: str) -> Group:
    """The group with this key, if this person leads it, in whatever state. Raises NotFound ``no_group``."""
    group = session.scalar(
        select(Group)
        .options(joinedload(Group.region))
        .where(Group.key == key, Group.leader_id == (leader.id if leader else None))
    )
    if group is None:
        raise NotFound("没有找到您负责的这个团队", code="no_group")
    return group


def group_led_by(session: Session, resident: Resident, key: str) -> Group:
    """The group with this key, for whose name its leader wants to act.

    Raises NotFound ``no_group`` for one of somebody else, and Conflict ``group_not_approved`` for one that may not act today.
    """
    group = group_of(session, resident, key)
    if not group.stands:
        until = group.suspended_until
        raise Conflict(
            "group_not_approved",
            f"“{group.name}”已暂停使用到{until.month}月{until.day}日，有疑问请联系社区"
            if until is not None
            else f"“{group.name}”还没有通过社区审核，通过以后才能以团队名义办理",
            details={"state": group.state_today.value},
        )
    return group


def groups_within(
    session: Session, places: Sequence[Region], *, state: GroupState, after_id: int | None, most: int
) -> Sequence[Group]:
    """Up to ``most`` groups of these places that are in a state today, oldest first."""
    if not places:
        return []
    query = (
        select(Group)
        .options(joinedload(Group.region), joinedload(Group.leader))
        .where(Group.region_id.in_(regions_within(*places)), Group.is_today(state))
        .order_by(Group.id)
        .limit(most)
    )
    return session.scalars(query if after_id is None else query.where(Group.id > after_id)).all()


def group_within(session: Session, key: str, *, within: Sequence[Region]) -> Group:
    """The group with this key of these places. Raises NotFound outside of them."""
    group = session.scalar(
        select(Group).options(joinedload(Group.region), joinedload(Group.leader)).where(Group.key == key)
    )
    if group is None or not is_within(group.region, within):
        raise NotFound("没有找到这个团队")
    return group


def count_applied(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many groups waited for a decision at a moment, by the path of the community."""
    return _by_place(session, Group.state == GroupState.APPLIED, Group.applied_at <= as_of)


def count_without_leader(session: Session, as_of: datetime) -> Mapping[str, int]:
    """How many groups waited for another leader at a moment, by the path of the community."""
    return _by_place(session, Group.state.in_(LIVE), Group.leaderless_at <= as_of)


def _by_place(session: Session, *which: ColumnElement[bool]) -> Mapping[str, int]:
    rows = session.execute(
        select(Region.path, func.count())
        .select_from(Group)
        .join(Region, Region.id == Group.region_id)
        .where(*which)
        .group_by(Region.path)
    )
    return dict(rows.all())


def still_true(session: Session, notices: Sequence[Notice]) -> set[int]:
    """The ids of those of these notices whose group is still led by whom they are for, and stands as they say."""
    rows = session.execute(
        select(Group.key, Group.state, Resident.account_id)
        .join(Resident, Resident.id == Group.leader_id)
        .where(Group.key.in_({notice.subject_key for notice in notices}))
    )
    now = {key: (state, account_id) for key, state, account_id in rows}
    return {
        notice.id
        for notice in notices
        if now.get(notice.subject_key) == (notice.facts["state"], notice.account_id)
    }
