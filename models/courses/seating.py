"""Seating (录取方式): how the seats of one run are given, as staff decide it before anybody taps (domain.md §2.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from models.courses.runs import Admission, Audience, Course, CourseRun, Promotion
from models.errors import Fault
from models.policies import policies_at

DRAWN_IN_TIME = "抽签时间要晚于报名开始、早于第一次课"


@dataclass(frozen=True)
class Seating:
    """How seats are given. ``seats_held`` are for the counter and the phone until ``held_until``."""

    admission: Admission = Admission.FIRST_COME
    promotion: Promotion = Promotion.AUTOMATIC
    draws_at: datetime | None = None
    home_first_hours: int = 0
    street_first_hours: int = 0
    seats_held: int = 0
    held_until: datetime | None = None
    most_companions: int = 0
    after_course: Course | None = None
    min_to_open: int | None = None

    def faults(
        self, *, capacity: int, opens_at: datetime, starts_at: datetime, audience: Audience
    ) -> list[Fault]:
        """Everything about it that cannot be, by field."""
        is_drawn, has_moment = self.admission is Admission.DRAW, self.draws_at is not None
        in_time = self.draws_at is None or opens_at < self.draws_at < starts_at
        cannot_be = (
            (is_drawn and not has_moment, "draws_at", "抽签的班请填写抽签时间"),
            (has_moment and not is_drawn, "draws_at", "只有抽签的班才有抽签时间"),
            (is_drawn and not in_time, "draws_at", DRAWN_IN_TIME),
            (not 0 <= self.seats_held <= capacity, "seats_held", f"预留名额不能超过总名额 {capacity}"),
            (
                self.held_until is not None and self.held_until > starts_at,
                "held_until",
                "预留名额最晚到第一次课开始时放开",
            ),
            (
                self.min_to_open is not None and not 1 <= self.min_to_open <= capacity,
                "min_to_open",
                f"最少开班人数应在 1 到 {capacity} 之间",
            ),
            (
                self.most_companions > 0 and is_drawn,
                "most_companions",
                "抽签的班每人抽一个名额，不能带同行人",
            ),
            (
                self.most_companions > 0 and audience is not Audience.EVERYONE,
                "most_companions",
                "替孩子报名或成对报名的班不能带同行人",
            ),
            (self.home_first_hours < 0, "home_first_hours", "优先开放的小时数不能是负数"),
            (self.street_first_hours < 0, "street_first_hours", "优先开放的小时数不能是负数"),
        )
        return [Fault(field, message) for is_so, field, message in cannot_be if is_so]

    def later_by(self, span: timedelta) -> Seating:
        """The same with every moment so much later."""
        return replace(
            self,
            draws_at=self.draws_at and self.draws_at + span,
            held_until=self.held_until and self.held_until + span,
        )


def seating_of(run: CourseRun) -> Seating:
    """How the seats of a run are given now."""
    return Seating(
        admission=run.admission,
        promotion=run.promotion,
        draws_at=run.draws_at,
        home_first_hours=run.home_first_hours,
        street_first_hours=run.street_first_hours,
        seats_held=run.seats_held,
        held_until=run.held_until,
        most_companions=run.most_companions,
        after_course=run.after_course,
        min_to_open=run.min_to_open,
    )


def write_seating(session: Session, run: CourseRun, seating: Seating) -> None:
    """Write down how the seats of a run are given. ``seats_held`` is a counter: of a run people have seats in ``hold_seats`` changes it."""
    run.admission, run.promotion, run.draws_at = seating.admission, seating.promotion, seating.draws_at
    run.home_first_hours, run.street_first_hours = seating.home_first_hours, seating.street_first_hours
    run.most_companions, run.after_course = seating.most_companions, seating.after_course
    run.min_to_open = seating.min_to_open
    run.held_until = None
    if seating.seats_held:
        run.held_until = seating.held_until or usually_held_until(session, run)


def usually_held_until(session: Session, run: CourseRun) -> datetime:
    """Until when seats of a run are held where nobody says anything else, by its community's policy."""
    return run.starts_at - timedelta(hours=policies_at(session, run.region_id).held_until_hours)


def usual_seating(session: Session, region_id: int, capacity: int) -> Seating:
    """How a community gives seats when nobody says anything else, by its policy."""
    policy = policies_at(session, region_id)
    return Seating(
        promotion=Promotion.OFFER if policy.promotes_by_offer else Promotion.AUTOMATIC,
        seats_held=int(round(capacity * policy.held_share, 6)),
        home_first_hours=policy.home_first_hours,
        street_first_hours=policy.street_first_hours,
    )
