"""Pick-up (接送): who may fetch a child from a class, and who did.

The guardian names up to three grown-ups for one run of a child's; the guardians themselves always may. At the end staff sign the child out
to one of them, and to nobody else; the guardian hears who came and when. Names and numbers are kept sealed, and go a month after the class.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, delete, select, union
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from models import clock
from models.accounts import Account
from models.base import Base, EncryptedText, Keyed, chosen_from
from models.courses.attendance.records import Attendance, Recorder
from models.courses.attendance.windows import must_be_held, must_have_opened, window_of
from models.courses.attendance.writing import ATTENDING, attendance_of, hold
from models.courses.hearing import registered_and_hears
from models.courses.registrations import Registration
from models.courses.runs import Audience, CourseRun, CourseSession
from models.errors import Conflict, NotFound
from models.hearing import hearers, said_helper
from models.journal import enter
from models.notices import Debt, NoticeKind, goes_out_at, owe_once
from models.residents import Bond, BondKind, Resident

MOST_ADULTS = 3
KEPT_FOR = timedelta(days=30)  # after the last evening
MOST_FORGOTTEN = 500


class Relation(StrEnum):
    """What somebody who fetches a child is to it."""

    PARENT = "parent"  # 父母
    GRANDPARENT = "grandparent"  # 祖父母、外祖父母
    RELATIVE = "relative"  # 亲戚
    NANNY = "nanny"  # 保姆
    NEIGHBOUR = "neighbour"  # 邻居、朋友


RELATION_WORDS = {
    Relation.PARENT: "父母",
    Relation.GRANDPARENT: "老人",
    Relation.RELATIVE: "亲戚",
    Relation.NANNY: "保姆",
    Relation.NEIGHBOUR: "邻居朋友",
}
GUARDIAN = "监护人"


class PickUpAdult(Keyed, Base):
    """Somebody who may fetch one child from one run, as the guardian named them."""

    __tablename__ = "pick_up_adults"
    __table_args__ = (Index("ix_pick_up_adults_registration", "registration_id"),)

    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    name: Mapped[str] = mapped_column(EncryptedText)
    phone: Mapped[str] = mapped_column(EncryptedText)
    relation: Mapped[Relation] = mapped_column(chosen_from(Relation))
    named_at: Mapped[datetime] = mapped_column(default=clock.now)
    removed_at: Mapped[datetime | None]

    registration: Mapped[Registration] = relationship()


class PickUp(Base):
    """Who fetched a child from one evening, and when."""

    __tablename__ = "pick_ups"
    __table_args__ = (
        UniqueConstraint("session_id", "registration_id"),
        CheckConstraint("(adult_id IS NULL) <> (guardian_id IS NULL)", name="by_one_of_them"),
        Index("ix_pick_ups_registration", "registration_id"),
    )

    session_id: Mapped[int] = mapped_column(ForeignKey("course_sessions.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    adult_id: Mapped[int | None] = mapped_column(ForeignKey("pick_up_adults.id"))
    guardian_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"))
    at: Mapped[datetime] = mapped_column(default=clock.now)

    meeting: Mapped[CourseSession] = relationship()
    adult: Mapped[PickUpAdult | None] = relationship()
    guardian: Mapped[Resident | None] = relationship()


@dataclass(frozen=True)
class NamedAdult:
    """Somebody as the guardian names them."""

    name: str
    phone: str
    relation: Relation


@dataclass(frozen=True)
class Fetcher:
    """Somebody who may fetch a child now: a named adult, or a guardian."""

    key: str
    name: str | None
    phone: str | None
    relation: Relation | None  # none: a guardian


@dataclass(frozen=True)
class ChildLine:
    """One child at an evening: who may fetch it, and who did."""

    registration: Registration
    attendance: Attendance | None
    fetchers: Sequence[Fetcher]
    pick_up: PickUp | None

    @property
    def waits(self) -> bool:
        """Whether the child is here and nobody has fetched it yet."""
        return self.attendance is not None and self.attendance.came and self.pick_up is None


def must_be_for_children(run: CourseRun) -> None:
    """Raises Conflict ``no_pick_up`` for a run to which people come and go by themselves."""
    if run.audience is not Audience.CHILD:
        raise Conflict("no_pick_up", "这个班不是儿童班，不用登记接送人")


def place_of(session: Session, run: CourseRun, child: Resident) -> Registration:
    """The child's confirmed place in a run. Raises NotFound ``not_registered``."""
    found = session.scalar(
        select(Registration)
        .options(joinedload(Registration.resident))
        .where(
            Registration.run_id == run.id,
            Registration.resident_id == child.id,
            Registration.state.in_(ATTENDING),
        )
    )
    if found is None:
        raise NotFound("还没有报名", code="not_registered")
    return found


def name_adults(
    session: Session, run: CourseRun, child: Resident, named: Sequence[NamedAdult], *, by: Recorder
) -> list[PickUpAdult]:
    """All who may fetch a child from a run, besides its guardians: whoever is left out may no longer.

    Raises Conflict ``no_pick_up`` and ``guardian_only``, NotFound ``not_registered``.
    """
    run.lock()
    must_be_for_children(run)
    registration = place_of(session, run, child)
    if by.account_id not in {one.account_id for one in _guardians(session, [child.id])[child.id]}:
        raise Conflict("guardian_only", "接送人由孩子的监护人指定")
    standing = {
        NamedAdult(one.name, one.phone, one.relation): one
        for one in adults_of(session, [registration.id]).get(registration.id, ())
    }
    for known, adult in standing.items():
        if known not in named:
            adult.removed_at = clock.now()
    for one in named:
        if one not in standing:
            standing[one] = PickUpAdult(
                registration=registration, name=one.name, phone=one.phone, relation=one.relation
            )
            session.add(standing[one])
    session.flush()
    enter(
        session,
        "pick_up_adults.named",
        registration,
        by_account_id=by.account_id,
        identity=by.identity,
        for_resident_id=child.id,
        details={"number": len(named)},
    )
    session.flush()
    return [standing[one] for one in named]


def adults_of(session: Session, registrations: Collection[int]) -> dict[int, list[PickUpAdult]]:
    """Who may fetch these children, besides their guardians, by registration id."""
    rows = session.scalars(
        select(PickUpAdult)
        .where(PickUpAdult.registration_id.in_(registrations), PickUpAdult.removed_at.is_(None))
        .order_by(PickUpAdult.id)
    )
    found: dict[int, list[PickUpAdult]] = {}
    for row in rows:
        found.setdefault(row.registration_id, []).append(row)
    return found


@dataclass
class Fetching:
    """Who was named to fetch one child from one run, and who fetched it when."""

    adults: list[PickUpAdult] = field(default_factory=list)
    pick_ups: list[PickUp] = field(default_factory=list)


def fetching_of(session: Session, registrations: Collection[int]) -> dict[int, Fetching]:
    """Everything kept of fetching, by registration id; those who may no longer too."""
    found: dict[int, Fetching] = {}
    for adult in session.scalars(
        select(PickUpAdult).where(PickUpAdult.registration_id.in_(registrations)).order_by(PickUpAdult.id)
    ):
        found.setdefault(adult.registration_id, Fetching()).adults.append(adult)
    for pick_up in session.scalars(
        select(PickUp)
        .options(joinedload(PickUp.adult))
        .where(PickUp.registration_id.in_(registrations))
        .order_by(PickUp.id)
    ):
        found.setdefault(pick_up.registration_id, Fetching()).pick_ups.append(pick_up)
    return found


def children_at(session: Session, meeting: CourseSession) -> list[ChildLine]:
    """Every child with a seat at an evening, who may fetch it and who did, in the order of registration."""
    must_be_for_children(meeting.run)
    registrations = session.scalars(
        select(Registration)
        .options(joinedload(Registration.resident))
        .where(Registration.run_id == meeting.run_id, Registration.state.in_(ATTENDING))
        .order_by(Registration.number)
    ).all()
    ids = [one.id for one in registrations]
    named, written = adults_of(session, ids), attendance_of(session, meeting, ids)
    guardians = _guardians(session, [one.resident_id for one in registrations])
    fetched = session.scalars(
        select(PickUp)
        .options(joinedload(PickUp.adult), joinedload(PickUp.guardian))
        .where(PickUp.session_id == meeting.id)
    )
    by_registration = {one.registration_id: one for one in fetched}
    return [
        ChildLine(
            one,
            written.get(one.id),
            [
                *(Fetcher(g.key, g.name, g.phone, None) for g in guardians[one.resident_id]),
                *(Fetcher(a.key, a.name, a.phone, a.relation) for a in named.get(one.id, ())),
            ],
            by_registration.get(one.id),
        )
        for one in registrations
    ]


def sign_out(
    session: Session, meeting: CourseSession, registration_key: str, fetcher_key: str, *, by: Recorder
) -> ChildLine:
    """A child goes home with somebody; the same again is fine, another one corrects it.

    Raises NotFound ``not_registered``; Conflict ``no_pick_up``, ``session_not_held``, ``check_in_not_open``, ``child_not_here`` for one that
    was not checked in, and ``adult_not_named`` for anybody the guardian did not name.
    """
    hold(session, meeting)
    must_be_held(meeting)
    must_have_opened(window_of(session, meeting))
    line = next(
        (one for one in children_at(session, meeting) if one.registration.key == registration_key), None
    )
    if line is None:
        raise NotFound("还没有报名", code="not_registered")
    if line.attendance is None or not line.attendance.came:
        raise Conflict("child_not_here", "这个孩子今天没有签到，请先核对")
    fetcher = next((one for one in line.fetchers if one.key == fetcher_key), None)
    if fetcher is None:
        raise Conflict("adult_not_named", "这位不在监护人指定的接送人里，不能接走孩子。请先联系监护人")
    adult_id, guardian_id = _ids(session, line.registration, fetcher)
    row = line.pick_up
    if row is not None and (row.adult_id, row.guardian_id) == (adult_id, guardian_id):
        return line
    if row is None:
        row = PickUp(meeting=meeting, registration_id=line.registration.id)
        session.add(row)
    row.adult_id, row.guardian_id, row.at = adult_id, guardian_id, clock.now()
    session.flush()
    session.refresh(row)
    enter(
        session,
        "child.fetched",
        line.registration,
        by_account_id=by.account_id,
        identity=by.identity,
        for_resident_id=line.registration.resident_id,
        details={"evening": meeting.key, "fetcher": fetcher.key},
    )
    _tell(session, meeting, line.registration, fetcher, row)
    session.flush()
    return ChildLine(line.registration, line.attendance, line.fetchers, row)


def forget_pick_ups(session: Session, now: datetime) -> int:
    """Drop who fetched and who might have, a month after the run; how many registrations, some hundreds at once."""
    kept = union(select(PickUpAdult.registration_id), select(PickUp.registration_id)).subquery()
    over = session.scalars(
        select(kept.c.registration_id)
        .join(Registration, Registration.id == kept.c.registration_id)
        .join(CourseRun, CourseRun.id == Registration.run_id)
        .where(CourseRun.ends_at < now - KEPT_FOR)
        .limit(MOST_FORGOTTEN)
    ).all()
    _drop(session, over)
    return len(over)


def forget_pick_ups_of(session: Session, residents: Collection[int]) -> None:
    """These people leave: who fetched them, and whom they fetched as guardians, is kept no longer."""
    theirs = session.scalars(select(Registration.id).where(Registration.resident_id.in_(residents))).all()
    _drop(session, theirs)
    session.execute(delete(PickUp).where(PickUp.guardian_id.in_(residents)))


def _drop(session: Session, registrations: Collection[int]) -> None:
    session.execute(delete(PickUp).where(PickUp.registration_id.in_(registrations)))
    session.execute(delete(PickUpAdult).where(PickUpAdult.registration_id.in_(registrations)))


def _guardians(session: Session, children: Collection[int]) -> dict[int, list[Resident]]:
    found: dict[int, list[Resident]] = {child: [] for child in children}
    rows = session.scalars(
        select(Bond)
        .options(joinedload(Bond.helper))
        .where(
            Bond.ward_id.in_(children),
            Bond.kind == BondKind.GUARDIAN,
            Bond.is_live_on(clock.today()),
        )
        .order_by(Bond.id)
    )
    for bond in rows:
        if bond.helper not in found[bond.ward_id]:
            found[bond.ward_id].append(bond.helper)
    return found


def _ids(session: Session, registration: Registration, fetcher: Fetcher) -> tuple[int | None, int | None]:
    if fetcher.relation is None:
        guardians = _guardians(session, [registration.resident_id])[registration.resident_id]
        return None, next(one.id for one in guardians if one.key == fetcher.key)
    adults = adults_of(session, [registration.id])[registration.id]
    return next(one.id for one in adults if one.key == fetcher.key), None


def _tell(
    session: Session, meeting: CourseSession, registration: Registration, fetcher: Fetcher, row: PickUp
) -> None:
    """The guardian who registered the child, and every other, hears who came and when."""
    child, kind = registration.resident, NoticeKind.CHILD_FETCHED
    registered_by = session.scalar(
        select(Account.id)
        .select_from(Registration)
        .join(Resident, Resident.id == Registration.resident_id)
        .join(Account, registered_and_hears())
        .where(Registration.id == registration.id)
    )
    guardians = {one.account_id for one in _guardians(session, [child.id])[child.id] if one.account_id}
    told = hearers(own=None, registered_by=registered_by, name=child.name)
    said = GUARDIAN if fetcher.relation is None else RELATION_WORDS[fetcher.relation]
    debt = Debt(
        kind,
        subject_key=registration.key,
        page_subject=meeting.run.key,
        account_ids=sorted({*told.accounts, *guardians}),
        facts={
            "course": meeting.run.course.title,
            "matter": f"孩子已接走：{meeting.run.course.title}",
            "fetched_at": row.at.isoformat(),
            "says_at": f"{clock.in_town(row.at):%H:%M}",
            "fetcher": said_helper(fetcher.name, said),
            "learner": told.learner,
        },
        due_at=goes_out_at(session, kind, meeting.run.region_id, clock.now()),
        version=f"{meeting.key}:{fetcher.key}:{row.at.timestamp():.0f}",  # after a correction the last word is the true one
    )
    owe_once(session.connection(), [debt])
