"""What people say: the list a clerk works through, and the decision, which counts once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, case, func, literal_column, select
from sqlalchemy.orm import Session, aliased, joinedload

from models import clock
from models.content_checks.checks import BY_A_PERSON, CheckState, ContentCheck
from models.content_checks.fields import PLACE_OF_SUBJECT, CheckedField
from models.content_checks.verdicts import end, hold_check
from models.errors import Conflict, Forbidden, NotFound
from models.journal import enter, enter_each
from models.notices import Notice
from models.regions import Region, regions_within
from models.residents import Resident
from models.staff import StaffMember


class Decision(StrEnum):
    """What a clerk may say."""

    APPROVE = "approve"  # 通过
    REJECT = "reject"  # 驳回


_BECOMES = {Decision.APPROVE: CheckState.APPROVED, Decision.REJECT: CheckState.REJECTED}
_PLACE = case(  # whose work a check is: of who looks after the person, or after the place where a unit wrote
    (ContentCheck.resident_id.is_not(None), Resident.home_region_id),
    *(
        (ContentCheck.subject_kind == kind, place.correlate(ContentCheck).scalar_subquery())
        for kind, place in PLACE_OF_SUBJECT.items()
    ),
)


def checks_within(
    session: Session, places: Sequence[Region], *, state: CheckState, after_id: int | None, most: int
) -> list[ContentCheck]:
    """The checks in this state about people who live in these places, and of what units wrote there, oldest first; none without places."""
    query = _within(places).where(ContentCheck.state == state).order_by(ContentCheck.id).limit(most)
    if after_id is not None:
        query = query.where(ContentCheck.id > after_id)
    return list(session.scalars(query))


def count_waiting(session: Session, as_of: datetime) -> dict[str, int]:
    """How many checks have waited for a person since before a moment, by the path of the community whose work they are."""
    rows = session.execute(
        select(Region.path, func.count())
        .select_from(ContentCheck)
        .outerjoin(Resident, Resident.id == ContentCheck.resident_id)
        .join(Region, Region.id == _PLACE)
        .where(ContentCheck.state == literal_column("'waiting'"), ContentCheck.held_at <= as_of)
        .group_by(Region.path)
    )
    return dict(rows.all())


def check_within(session: Session, key: str, places: Sequence[Region]) -> ContentCheck:
    """One check about somebody of these places, or of what a unit wrote there. Raises NotFound outside of them."""
    check = session.scalar(_within(places).where(ContentCheck.key == key))
    if check is None:
        raise NotFound("没有找到这条审核")
    return check


def places_of_checks(session: Session, checks: Sequence[ContentCheck]) -> Mapping[int, Region]:
    """Where each of these checks is looked at, by its id."""
    rows = session.execute(
        select(ContentCheck.id, Region)
        .outerjoin(Resident, Resident.id == ContentCheck.resident_id)
        .join(Region, Region.id == _PLACE)
        .where(ContentCheck.id.in_([check.id for check in checks]))
    )
    return dict(rows.all())


def note_look(session: Session, checks: Sequence[ContentCheck], *, by: StaffMember) -> None:
    """Write down who saw what people had written; where nothing is kept any more there was nothing to see."""
    seen = [check for check in checks if check.written is not None or check.image_url is not None]
    enter_each(
        session,
        "content_check.looked_at",
        ((check, check.resident_id) for check in seen),
        by_account_id=by.account_id,
        identity=by.identity,
    )


def decide(
    session: Session, check: ContentCheck, decision: Decision, *, by: StaffMember, reason: str | None = None
) -> ContentCheck:
    """A clerk approves, or rejects with a reason for the person. The first decision counts; saying the same again changes nothing.

    Raises Conflict ``check_decided`` when somebody decided otherwise before, ``check_not_waiting`` when nobody is asked, and
    Forbidden ``own_content`` for what one wrote oneself.
    """
    hold_check(session, check)
    if check.account_id == by.account_id:
        raise Forbidden("own_content", "这是您自己提交的内容，请由其他工作人员审核")
    becomes = _BECOMES[decision]
    if check.state is becomes:
        return check
    if check.state in BY_A_PERSON:
        raise Conflict(
            "check_decided", "已有同事作出了不同的决定，请刷新后查看", details={"state": check.state.value}
        )
    if check.state is not CheckState.WAITING:
        raise Conflict(
            "check_not_waiting",
            "这条内容现在不需要人工审核，请刷新后查看",
            details={"state": check.state.value},
        )
    check.decided_at, check.decided_by, check.reason = clock.now(), by, reason
    end(session, check, becomes)
    enter(
        session,
        "content_check.approved" if decision is Decision.APPROVE else "content_check.rejected",
        check,
        by_account_id=by.account_id,
        identity=by.identity,
        for_resident_id=check.resident_id,
    )
    session.flush()
    return check


def review_of(session: Session, field: CheckedField, key: str) -> ContentCheck | None:
    """The last check of what stands in this field, as far as it was taken at all; none if nothing ever was checked."""
    return session.scalar(
        select(ContentCheck)
        .where(
            ContentCheck.subject_kind == field.subject_kind,
            ContentCheck.subject_key == key,
            ContentCheck.field == field.name,
            ContentCheck.state != CheckState.DROPPED,
        )
        .order_by(ContentCheck.id.desc())
        .limit(1)
    )


def still_true(session: Session, notices: Sequence[Notice]) -> set[int]:
    """The ids of those notices whose content may still not stay, and was not written anew since."""
    newer = aliased(ContentCheck)
    keys = set(
        session.scalars(
            select(ContentCheck.key).where(
                ContentCheck.key.in_({notice.subject_key for notice in notices}),
                ContentCheck.state.in_((CheckState.RISKY, CheckState.REJECTED)),
                ~select(newer.id)
                .where(
                    newer.subject_kind == ContentCheck.subject_kind,
                    newer.subject_key == ContentCheck.subject_key,
                    newer.field == ContentCheck.field,
                    newer.id > ContentCheck.id,
                    newer.state != CheckState.RISKY,
                )
                .exists(),
            )
        )
    )
    return {notice.id for notice in notices if notice.subject_key in keys}


def _within(places: Sequence[Region]) -> Select[ContentCheck]:
    return (
        select(ContentCheck)
        .outerjoin(Resident, Resident.id == ContentCheck.resident_id)
        .options(joinedload(ContentCheck.resident), joinedload(ContentCheck.decided_by))
        .where(_PLACE.in_(regions_within(*places)))
    )
