"""What becomes of a group when its leader goes, or its name may not stay."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.groups.leading import end
from models.groups.rows import LIVE, Group, GroupState
from models.journal import enter

NAME_REFUSED = "团队名称没有通过内容审核，请换一个名称重新申请"


def hold_groups_of(session: Session, residents: Collection[int]) -> None:
    """Hold every group these people lead, by id: whoever decides about one waits, or is waited for."""
    led = select(Group).where(Group.leader_id.in_(residents)).order_by(Group.id)
    for group in session.scalars(led).all():
        group.lock()


def leave_groups(
    session: Session, residents: Collection[int], *, by_account_id: int | None, identity: str
) -> int:
    """These people (held by the caller) leave: groups stay without a leader for staff to find one, applications are taken back.

    What they wrote of any of their groups goes, for it may name them; how many groups had to be let go of.
    """
    let_go = 0
    for group in session.scalars(
        select(Group).where(Group.leader_id.in_(residents)).order_by(Group.id)
    ).all():
        group.about, group.about_is_sure = "", True
        group.handover_fingerprint = group.handover_until = None
        if group.state not in LIVE:
            group.reason = None  # written to them
            continue
        let_go += 1
        if group.state is GroupState.APPLIED:
            end(session, group, None, by_account_id=by_account_id, identity=identity)
            continue
        group.leader, group.leaderless_at = None, clock.now()
        enter(session, "group.left_without_leader", group, by_account_id=by_account_id, identity=identity)
    session.flush()
    return let_go


def refuse_name(session: Session, key: str, name: str | None) -> None:
    """A name may not stay: the application is over, for there is no group without one. One that was changed meanwhile is another."""
    group = _still_called(session, key, name)
    if group is not None and group.state is GroupState.APPLIED:
        group.state, group.reason, group.decided_at = GroupState.REJECTED, NAME_REFUSED, clock.now()
        group.handover_fingerprint = group.handover_until = None
        enter(session, "group.rejected", group, for_resident_id=group.leader_id)
        session.flush()


def clear_name(session: Session, key: str, name: str | None) -> None:
    """Nobody has to look at a name any more. One that was changed meanwhile is another."""
    group = _still_called(session, key, name)
    if group is not None:
        group.name_is_sure = True
        session.flush()


def refuse_about(session: Session, key: str, about: str | None) -> None:
    """What a group says of itself may not stay: it says nothing. Words that were changed meanwhile are others."""
    group = _still_saying(session, key, about)
    if group is not None:
        group.about, group.about_is_sure = "", True
        session.flush()


def clear_about(session: Session, key: str, about: str | None) -> None:
    """Nobody has to look at what a group says of itself any more. Words that were changed meanwhile are others."""
    group = _still_saying(session, key, about)
    if group is not None:
        group.about_is_sure = True
        session.flush()


def _still_saying(session: Session, key: str, about: str | None) -> Group | None:
    group = session.scalar(select(Group).where(Group.key == key))
    return group if group is not None and group.lock().about == about else None


def _still_called(session: Session, key: str, name: str | None) -> Group | None:
    group = session.scalar(select(Group).where(Group.key == key))
    return group if group is not None and group.lock().name == name else None
