"""What one account follows, and what it does not want to hear of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, delete, func, select
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.accounts import Account
from models.base import Base
from models.courses import Course, CourseRun
from models.courses.runs import UNSEEN
from models.errors import Conflict, NotFound
from models.regions import Region, RegionKind

MOST_FOLLOWS = 50


class Follow(Base):
    """One account's wish about one community or one course: to hear of it, or (``muted``) not to."""

    __tablename__ = "follows"
    __table_args__ = (
        UniqueConstraint("account_id", "region_id"),
        UniqueConstraint("account_id", "course_id"),
        CheckConstraint("(region_id IS NULL) <> (course_id IS NULL)", name="of_one_thing"),
        Index("ix_follows_region", "region_id", "account_id"),
        Index("ix_follows_course", "course_id", "account_id"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    region_id: Mapped[int | None] = mapped_column(ForeignKey("regions.id"))
    course_id: Mapped[int | None] = mapped_column(ForeignKey("courses.id"))
    muted: Mapped[bool] = mapped_column(default=False)
    followed_at: Mapped[datetime] = mapped_column(default=clock.now)

    region: Mapped[Region | None] = relationship()
    course: Mapped[Course | None] = relationship()


def follow_community(session: Session, account: Account, region: Region, *, muted: bool = False) -> Follow:
    """Hear of a community's new classes, or (``muted``) not, though one lives there. Saying it again is fine.

    Raises NotFound for what is no community, Conflict ``too_many_follows``.
    """
    if region.kind is not RegionKind.COMMUNITY:
        raise NotFound("没有找到这个社区")
    return _follow(session, account, Follow(region=region, region_id=region.id), muted=muted)


def follow_course(session: Session, account: Account, course: Course) -> Follow:
    """Hear when a course runs again (再开班告诉我). Saying it again is fine. Raises Conflict ``too_many_follows``."""
    return _follow(session, account, Follow(course=course, course_id=course.id), muted=False)


def unfollow_community(session: Session, account: Account, region: Region) -> None:
    """Take back whatever was said of a community: who lives there hears of it, others do not. Twice is fine."""
    session.execute(delete(Follow).where(Follow.account_id == account.id, Follow.region_id == region.id))


def unfollow_course(session: Session, account: Account, course: Course) -> None:
    """Hear of a course no more. Twice is fine."""
    session.execute(delete(Follow).where(Follow.account_id == account.id, Follow.course_id == course.id))


def follows_of(session: Session, account: Account) -> Sequence[Follow]:
    """Everything an account said of what it wants to hear of, in the order it was said."""
    return session.scalars(
        select(Follow)
        .options(joinedload(Follow.region), joinedload(Follow.course).joinedload(Course.region))
        .where(Follow.account_id == account.id)
        .order_by(Follow.id)
    ).all()


def followed_course(session: Session, key: str) -> Course:
    """A course everybody may follow: one that has, or had, a run everybody sees. Raises NotFound."""
    course = session.scalar(
        select(Course)
        .options(joinedload(Course.region))
        .where(
            Course.key == key,
            select(CourseRun.id)
            .where(
                CourseRun.course_id == Course.id,
                CourseRun.state.not_in(UNSEEN),
                CourseRun.is_shown_at(clock.now()),
            )
            .exists(),
        )
    )
    if course is None:
        raise NotFound("没有找到这门课程")
    return course


def _follow(session: Session, account: Account, wish: Follow, *, muted: bool) -> Follow:
    account.lock().must_stand()  # two phones of one person that say the same at once
    same = (
        Follow.region_id == wish.region_id
        if wish.region_id is not None
        else Follow.course_id == wish.course_id
    )
    standing = session.scalar(
        select(Follow)
        .options(joinedload(Follow.region), joinedload(Follow.course))
        .where(Follow.account_id == account.id, same)
    )
    if standing is not None:
        standing.muted = muted
        session.flush()
        return standing
    many = session.scalar(select(func.count()).where(Follow.account_id == account.id)) or 0
    if many >= MOST_FOLLOWS:
        raise Conflict("too_many_follows", f"最多关注 {MOST_FOLLOWS} 个，请先取消一些")
    wish.account_id, wish.muted = account.id, muted
    session.add(wish)
    session.flush()
    return wish
