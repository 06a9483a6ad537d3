"""Deciding about groups (审核): what those who work for the community say, and how its leader hears of it."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from models import clock
from models.base import new_key
from models.counter import agreed_among, took_back
from models.errors import Conflict, Fault, Forbidden
from models.groups.leading import end, found, let_lead, must_be_of_age, must_live_there
from models.groups.rows import LIVE, Group, GroupState, GroupWords
from models.journal import enter
from models.notices import Debt, NoticeKind, goes_out_at, owe
from models.profiles import must_be_known_at_counter
from models.residents import Resident
from models.staff import StaffMember


def enter_group(session: Session, leader: Resident, words: GroupWords, *, by: StaffMember) -> Group:
    """Write a group down at the counter, approved, for somebody of the community.

    Raises NotFound when they left meanwhile; Conflict ``profile_needed`` and ``ward_withdrew``, ``group_leader_unfit``,
    ``group_name_taken`` and ``group_unfit``; Forbidden ``own_content`` for oneself.
    """
    _must_be_somebody_elses(leader, by)
    _must_be_fit(session, leader)
    group = found(
        session, leader, words, GroupState.APPROVED, by_account_id=by.account_id, identity=by.identity
    )
    _tell(session, group, "已通过", "社区已为您登记这个团队")
    return group


def approve(session: Session, group: Group, *, by: StaffMember) -> None:
    """A group may be one. Twice is fine.

    Raises Conflict ``group_settled`` when another decided otherwise or it was taken back, ``group_words_wait`` while its name or
    description waits for the check of its content, and Forbidden ``own_content`` for one's own.
    """
    if not _is_to_be_decided(group, GroupState.APPROVED, by):
        return
    if not (group.name_is_sure and group.about_is_sure):
        raise Conflict("group_words_wait", "团队的名称或介绍还在内容审核，请先在“内容审核”里处理")
    group.state, group.decided_at = GroupState.APPROVED, clock.now()
    enter(session, "group.approved", group, **_for_its_leader(group, by))
    _tell(session, group, "已通过", "可以用团队的名义预约场地了")


def reject(session: Session, group: Group, because: str, *, by: StaffMember) -> None:
    """A group may be none, for a reason its leader reads. Twice is fine. Raises as ``approve``, whatever waits for its content check."""
    if not _is_to_be_decided(group, GroupState.REJECTED, by):
        return
    group.state, group.decided_at, group.reason = GroupState.REJECTED, clock.now(), because
    group.handover_fingerprint = group.handover_until = None
    enter(session, "group.rejected", group, **_for_its_leader(group, by))
    _tell(session, group, "未通过", because)


def suspend(session: Session, group: Group, because: str, *, until: date, by: StaffMember) -> None:
    """A group may use nothing of what is lent to groups until a day, which is the last; again, with another day or reason.

    Raises Conflict ``group_settled`` for one that does not stand, and ``group_unfit`` for a day that is over.
    """
    _must_be_somebody_elses(group.lock().leader, by)
    _must_have_been_approved(group)
    if until < clock.today():
        message = "请填写今天或以后的日期"
        raise Conflict("group_unfit", message, faults=[Fault("until", message)])
    if group.state is GroupState.SUSPENDED and (group.suspended_until, group.reason) == (until, because):
        return
    group.state, group.suspended_until, group.reason = GroupState.SUSPENDED, until, because
    enter(session, "group.suspended", group, **_for_its_leader(group, by))
    _tell(session, group, "已暂停", because)


def lift_suspension(session: Session, group: Group, *, by: StaffMember) -> None:
    """A group may use what is lent to groups again. One that is not suspended is left as it is.

    Raises Conflict ``group_settled`` for one that was never approved or has ended.
    """
    _must_be_somebody_elses(group.lock().leader, by)
    _must_have_been_approved(group)
    if group.state is GroupState.APPROVED:
        return
    was_over = group.stands
    group.state, group.suspended_until, group.reason = GroupState.APPROVED, None, None
    enter(session, "group.resumed", group, **_for_its_leader(group, by))
    session.flush()
    if not was_over:
        _tell(session, group, "已恢复", "可以用团队的名义预约场地了")


def name_leader(session: Session, group: Group, leader: Resident, *, by: StaffMember) -> None:
    """Somebody of the community leads a group from now on, who is told. The same twice changes nothing.

    Raises as ``enter_group``, and Conflict ``group_settled`` for one that was not approved or has ended.
    """
    _must_be_somebody_elses(leader, by)
    _must_have_been_approved(group.lock())
    if group.leader_id == leader.id:
        return
    _must_be_fit(session, leader)
    must_live_there(group, leader)
    let_lead(session, group, leader, by_account_id=by.account_id, identity=by.identity)
    _tell(session, group, "负责人变更", "您现在是这个团队的负责人")


def disband_by_staff(session: Session, group: Group, because: str, *, by: StaffMember) -> None:
    """Staff end a group that was approved, for a reason its leader reads. Twice is fine.

    Raises Conflict ``group_settled`` for one that still waits or was rejected.
    """
    if group.lock().state is GroupState.DISBANDED:
        return
    _must_be_somebody_elses(group.leader, by)
    _must_have_been_approved(group)
    end(session, group, because, by_account_id=by.account_id, identity=by.identity)
    _tell(session, group, "已解散", because)


def _is_to_be_decided(group: Group, wanted: GroupState, by: StaffMember) -> bool:
    """Whether a group, held from here on, still waits; False when just this was decided already."""
    if group.lock().state is wanted:
        return False
    if group.state is not GroupState.APPLIED:
        raise _settled()
    _must_be_somebody_elses(group.leader, by)
    return True


def _must_have_been_approved(group: Group) -> None:
    if group.state not in LIVE or group.state is GroupState.APPLIED:
        raise _settled()


def _settled() -> Conflict:
    return Conflict("group_settled", "这个团队的状态已经变了，请刷新后查看")


def _must_be_somebody_elses(leader: Resident | None, by: StaffMember) -> None:
    if leader is not None and leader.account_id is not None and leader.account_id == by.account_id:
        raise Forbidden("own_content", "这是您自己的团队，请由其他工作人员办理")


def _must_be_fit(session: Session, leader: Resident) -> None:
    leader.lock()  # who leaves at this moment comes first, and leads nothing
    must_be_known_at_counter(
        leader,
        has_agreed=leader.id in agreed_among(session, [leader]),
        withdrew=took_back(session, leader),
        at_what_age=True,
    )
    must_be_of_age(leader)


def _for_its_leader(group: Group, by: StaffMember) -> dict[str, Any]:
    """Who says something of a group, as the journal takes it; its leader reads it there."""
    return {"by_account_id": by.account_id, "identity": by.identity, "for_resident_id": group.leader_id}


def _tell(session: Session, group: Group, result: str, remark: str) -> None:
    session.flush()
    leader, now = group.leader, clock.now()
    if leader is None or leader.account_id is None:
        return
    owe(
        session.connection(),
        [
            Debt(
                NoticeKind.GROUP_DECIDED,
                subject_key=group.key,
                page_subject=group.key,
                account_ids=[leader.account_id],
                facts={
                    "group": group.name,
                    "result": result,
                    "decided_at": now.isoformat(),
                    "remark": remark,
                    "state": group.state,
                },
                due_at=goes_out_at(session, NoticeKind.GROUP_DECIDED, group.region_id, now),
                version=new_key(),  # every decision is told, also two within one second
            )
        ],
    )
