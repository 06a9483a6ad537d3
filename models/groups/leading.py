"""Leading a group (负责人): what a resident asks for, corrects, hands over and ends."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account
from models.consents import consent_in_force
from models.errors import Conflict, Fault
from models.groups.rows import LIVE, MOST_MEMBERS, Group, GroupState, GroupWords
from models.journal import enter
from models.profiles import must_be_known
from models.regions import Region
from models.residents import Resident, is_minor, resident_of
from models.vault import vault

INVITATION_HOURS = 24
CODE_DIGITS = 8
MOST_WAITING = 3  # applications of one person at the same time


def leader_to_be(session: Session, account: Account) -> Resident:
    """Who this account is, if they may lead a group. Whoever writes holds the account.

    Raises Conflict ``profile_needed``, ``group_leader_unfit`` for a child, and Unauthenticated when it was closed meanwhile.
    """
    account.must_stand()
    oneself = resident_of(session, account)
    has_agreed = consent_in_force(session, account) is not None
    return must_be_of_age(must_be_known(oneself, oneself, has_agreed=has_agreed, at_what_age=True))


def apply_for_group(
    session: Session,
    account: Account,
    words: GroupWords,
    *,
    name_is_sure: bool = True,
    about_is_sure: bool = True,
) -> Group:
    """Ask for a group of one's own community, led by oneself; staff look at it.

    Raises as ``leader_to_be``; Conflict ``groups_wait`` for somebody who asked for ``MOST_WAITING`` already, ``group_name_taken`` and
    ``group_unfit``.
    """
    leader = leader_to_be(session, account.lock())
    waiting = session.scalar(
        select(func.count())
        .select_from(Group)
        .where(Group.leader_id == leader.id, Group.state == GroupState.APPLIED)
    )
    if (waiting or 0) >= MOST_WAITING:
        raise Conflict(
            "groups_wait",
            f"您已有 {MOST_WAITING} 个团队在等社区审核，有结果以后再申请",
            details={"most": MOST_WAITING},
        )
    return found(
        session,
        leader,
        words,
        GroupState.APPLIED,
        by_account_id=account.id,
        identity="resident",
        name_is_sure=name_is_sure,
        about_is_sure=about_is_sure,
    )


def correct_group(
    session: Session,
    account: Account,
    group: Group,
    words: GroupWords,
    *,
    name_is_sure: bool = True,
    about_is_sure: bool = True,
) -> None:
    """Say anew what one said of a group, while it waits to be looked at; the same again changes nothing.

    Raises as ``apply_for_group``, Conflict ``group_decided`` once staff decided.
    """
    leader = leader_to_be(session, account.lock())
    _must_be_led_by(group.lock(), leader)
    if group.state is not GroupState.APPLIED:
        raise Conflict("group_decided", "社区已经审核过这个团队，需要更改请联系社区")
    if group.words == words:
        return
    _must_be_possible(words)
    if words.name != group.name:
        _must_be_free(session, group.region.lock(), words.name)
        group.name_is_sure = name_is_sure
    if words.about != group.about:
        group.about_is_sure = about_is_sure
    _say(group, words)
    enter(session, "group.corrected", group, by_account_id=account.id, identity="resident")
    session.flush()


def offer_leadership(session: Session, account: Account, group: Group) -> str:
    """A code, good for ``INVITATION_HOURS`` and once, with which somebody of the community becomes the leader instead.

    A new one takes the place of the one before; only its hash stays. Raises Conflict ``group_over`` for one that has ended.
    """
    account.lock().must_stand()
    _must_be_led_by(group.lock(), resident_of(session, account))
    _must_be_live(group)
    while True:
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        fingerprint = vault.fingerprint(code)
        if session.scalar(select(Group.id).where(Group.handover_fingerprint == fingerprint)) is None:
            break
    group.handover_fingerprint = fingerprint
    group.handover_until = clock.now() + timedelta(hours=INVITATION_HOURS)
    enter(session, "group.handover_offered", group, by_account_id=account.id, identity="resident")
    session.flush()
    return code


def take_over(session: Session, account: Account, code: str) -> Group:
    """Become the leader of the group whose leader handed out this code.

    Raises Conflict ``invitation_invalid`` for a code that is unknown, used or too old, ``profile_needed``, and ``group_leader_unfit``
    for a child, for somebody of another community and for who leads it already.
    """
    leader = leader_to_be(session, account.lock())
    fingerprint = vault.fingerprint(code)
    group = session.scalar(select(Group).where(Group.handover_fingerprint == fingerprint))
    if group is not None:
        group.lock()  # another taking over, or a newer code, may have come first
    if (
        group is None
        or group.handover_fingerprint != fingerprint
        or group.state not in LIVE
        or (group.handover_until or clock.now()) <= clock.now()
    ):
        raise Conflict("invitation_invalid", "移交码无效或已过期，请团队负责人重新生成一个")
    must_live_there(group, leader)
    if group.leader_id == leader.id:
        raise Conflict("group_leader_unfit", "您已经是这个团队的负责人，请把移交码交给接手的人")
    let_lead(session, group, leader, by_account_id=account.id, identity="resident")
    return group


def disband(session: Session, account: Account, group: Group) -> None:
    """Its leader ends a group, or takes the application back. Twice is fine; so is what was rejected."""
    account.lock().must_stand()
    _must_be_led_by(group.lock(), resident_of(session, account))
    if group.state in LIVE:
        end(session, group, None, by_account_id=account.id, identity="resident")


# --- what leaders and staff do alike ----------------------------------------------------------------------------------


def found(
    session: Session,
    leader: Resident,
    words: GroupWords,
    state: GroupState,
    *,
    by_account_id: int | None,
    identity: str,
    name_is_sure: bool = True,
    about_is_sure: bool = True,
) -> Group:
    """Write a group down in the community its leader lives in. Raises Conflict ``group_name_taken`` and ``group_unfit``."""
    _must_be_possible(words)
    home = leader.home_region
    if home is None:
        raise AssertionError("whoever is known has a home")
    _must_be_free(session, home.lock(), words.name)
    group = Group(
        region=home,
        leader=leader,
        state=state,
        decided_at=None if state is GroupState.APPLIED else clock.now(),
        name_is_sure=name_is_sure,
        about_is_sure=about_is_sure,
    )
    _say(group, words)
    session.add(group)
    session.flush()
    enter(
        session,
        "group.applied" if state is GroupState.APPLIED else "group.entered",
        group,
        by_account_id=by_account_id,
        identity=identity,
        for_resident_id=leader.id if identity != "resident" else None,
    )
    session.flush()
    return group


def let_lead(
    session: Session, group: Group, leader: Resident, *, by_account_id: int | None, identity: str
) -> None:
    """Somebody leads a group (held by the caller) from now on; no code of whoever led it before is good any more."""
    group.leader, group.leaderless_at = leader, None
    group.handover_fingerprint = group.handover_until = None
    enter(
        session,
        "group.leader_changed",
        group,
        by_account_id=by_account_id,
        identity=identity,
        for_resident_id=leader.id if identity != "resident" else None,
    )
    session.flush()


def end(
    session: Session, group: Group, because: str | None, *, by_account_id: int | None, identity: str
) -> None:
    """A live group (held by the caller) is one no longer; its name is free."""
    group.state, group.suspended_until, group.reason = GroupState.DISBANDED, None, because
    group.leaderless_at = group.handover_fingerprint = group.handover_until = None
    enter(
        session,
        "group.disbanded",
        group,
        by_account_id=by_account_id,
        identity=identity,
        for_resident_id=group.leader_id if identity != "resident" else None,
    )
    session.flush()


def must_be_of_age(leader: Resident) -> Resident:
    """Raise Conflict ``group_leader_unfit`` for somebody under eighteen."""
    if is_minor(leader.birth_year):
        raise Conflict("group_leader_unfit", "未满18周岁，不能当团队负责人，请由家长或其他成年人负责")
    return leader


def must_live_there(group: Group, leader: Resident) -> None:
    """Raise Conflict ``group_leader_unfit`` for somebody of another community."""
    if leader.home_region_id != group.region_id:
        raise Conflict(
            "group_leader_unfit", f"“{group.name}”是{group.region.name}的团队，负责人要是本社区的居民"
        )


def _must_be_led_by(group: Group, leader: Resident | None) -> None:
    if leader is None or group.leader_id != leader.id:
        raise Conflict("group_handed_over", "这个团队已经移交给别人，请刷新后查看")


def _must_be_live(group: Group) -> None:
    if group.state not in LIVE:
        raise Conflict("group_over", "这个团队已经结束，请重新申请")


def _must_be_possible(words: GroupWords) -> None:
    if not 0 < words.members <= MOST_MEMBERS:
        message = f"请填写 1 到 {MOST_MEMBERS} 人"
        raise Conflict("group_unfit", message, faults=[Fault("members", message)])


def _must_be_free(session: Session, home: Region, name: str) -> None:
    """``home`` is held by the caller: whoever wants the same name at this moment is waited for."""
    taken = select(Group.id).where(Group.region_id == home.id, Group.name == name, Group.state.in_(LIVE))
    if session.scalar(taken) is not None:
        message = f"{home.name}已有团队叫“{name}”，请换一个名称"
        raise Conflict("group_name_taken", message, faults=[Fault("name", message)])


def _say(group: Group, words: GroupWords) -> None:
    group.name, group.kind, group.members_count, group.about = (
        words.name,
        words.kind,
        words.members,
        words.about,
    )
