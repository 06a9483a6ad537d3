"""Groups (居民团队): asked for and led by residents, decided about by those who work for their community."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from miniprogram_api.content import Opinion, begin_writing, checked
from miniprogram_api.counter import resident_at_the_counter
from miniprogram_api.cursors import after_id, page
from miniprogram_api.edge import Door, account, caller, named_in, staff_hat
from miniprogram_api.office import office_places
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.groups import (
    EnterGroupIn,
    GroupEndedOut,
    GroupIn,
    GroupOut,
    GroupReasonIn,
    GroupsOut,
    HandoverOut,
    NewLeaderIn,
    StaffGroupOut,
    StaffGroupsOut,
    StaffGroupsQuery,
    SuspensionIn,
    TakeOverIn,
)
from miniprogram_api.wechat import Scene
from models.base import db
from models.content_checks import GROUP_ABOUT, GROUP_NAME, CheckedField, drop_open
from models.coordination.rooms_of_groups import disband, disband_by_staff, suspend
from models.errors import NotFound
from models.groups import (
    Group,
    GroupWords,
    apply_for_group,
    approve,
    correct_group,
    enter_group,
    group_of,
    group_within,
    groups_led_by,
    groups_within,
    leader_to_be,
    lift_suspension,
    name_leader,
    offer_leadership,
    reject,
    take_over,
)
from models.journal import enter_each
from models.regions import is_within
from models.residents import Resident, resident_of

door = Door("groups", description="居民团队")


@door.get("/me/groups")
@door.gives(GroupsOut)
def list_my_groups() -> dict[str, Any]:
    """我的团队

    Every group the person who asks leads, asked for, or led to its end, oldest first.
    """
    session = db.session()
    oneself = resident_of(session, account())
    return {"items": groups_led_by(session, [oneself.id]) if oneself else []}


@door.post("/me/groups", asks_wechat=True, rate=RateName.PROFILE)
@door.takes(GroupIn)
@door.gives(GroupOut, 201)
def apply_for_my_group(sent: dict[str, Any]) -> Group:
    """申请成立团队

    In one's own community, with oneself as the leader, who must be of age. Send an ``Idempotency-Key``. Name and description are checked
    first: 422 ``content_risky`` asks for other words. 409 ``group_name_taken`` names the field. Staff decide; the answer is told.
    """
    leader_to_be(db.session(), account())  # whoever may not is told before anybody is asked
    opinions = _opinions(_words(sent), None)
    group = apply_for_group(db.session(), account(), _words(sent), **_sure(opinions))
    _write_down(opinions, group)
    return group


@door.put("/me/groups/<key:key>", asks_wechat=True, rate=RateName.PROFILE)
@door.takes(GroupIn)
@door.gives(GroupOut, refuses=(409, 422))
def correct_my_group(sent: dict[str, Any], key: str) -> Group:
    """修改团队资料

    What was said of a group, while it still waits to be looked at: 409 ``group_decided`` afterwards. Checked as at first.
    """
    opinions = _opinions(_words(sent), _mine(key))
    group = _mine(key)
    correct_group(db.session(), account(), group, _words(sent), **_sure(opinions))
    _write_down(opinions, group)
    if not group.about:
        drop_open(db.session(), GROUP_ABOUT, group.key)
    return group


@door.delete("/me/groups/<key:key>")
@door.gives(None, 204, refuses=(409,))
def disband_my_group(key: str) -> None:
    """解散团队或撤回申请

    The group is one no longer, and its name is free. Twice is fine.
    """
    disband(db.session(), account(), _mine(key))


@door.post("/me/groups/<key:key>/handover-codes", rate=RateName.INVITATIONS)
@door.gives(HandoverOut, 201)
def offer_my_leadership(key: str) -> dict[str, Any]:
    """移交团队

    A code of eight digits, good for a day and once: who enters it leads the group instead. A new code takes the place of the one before.
    """
    group = _mine(key)
    code = offer_leadership(db.session(), account(), group)
    return {"code": code, "until": group.handover_until}


@door.post("/me/group-leaderships", rate=RateName.INVITATIONS)
@door.takes(TakeOverIn)
@door.gives(GroupOut, 201)
def take_over_group(sent: dict[str, Any]) -> Group:
    """接手团队

    Lead the group whose leader handed out this code. 409 ``invitation_invalid`` for a code that is unknown, used or too old,
    ``group_leader_unfit`` for a child and for somebody of another community.
    """
    return take_over(db.session(), account(), sent["code"])


# --- staff --------------------------------------------------------------------------------------------------------


@door.get("/staff/groups", looks=True)
@door.takes(StaffGroupsQuery, location="query")
@door.gives(StaffGroupsOut, refuses=(422,))
def list_groups(wanted: dict[str, Any]) -> dict[str, Any]:
    """团队列表（工作人员）

    Groups of the places one works for that are in a state, oldest first. Every look at whom they are led by is journalled.
    """
    session, limit = db.session(), wanted["limit"]
    found = groups_within(
        session,
        office_places(),
        state=wanted["state"],
        after_id=after_id(wanted.get("cursor")),
        most=limit + 1,
    )
    enter_each(
        session,
        "group.looked_at",
        [(group, group.leader_id) for group in found[:limit]],
        by_account_id=account().id,
        identity=caller().identity,
    )
    return page(found, limit, lambda group: [group.id])


@door.post("/staff/groups", rate=RateName.COUNTER)
@door.takes(EnterGroupIn)
@door.gives(StaffGroupOut, 201)
def enter_group_at_the_counter(sent: dict[str, Any]) -> Group:
    """登记团队（工作人员）

    Write a group down for somebody of the community, who leads it; it is approved with that. Send an ``Idempotency-Key``.
    """
    with named_in("leader"):
        leader = _resident_of_office(sent["leader"])
        return enter_group(db.session(), leader, _words(sent), by=staff_hat())


@door.put("/staff/groups/<key:key>/approval")
@door.gives(StaffGroupOut, refuses=(409,))
def approve_group(key: str) -> Group:
    """通过团队申请（工作人员）

    Its leader is told, and may use what is lent to groups. Twice is fine. 409 ``group_settled`` when a colleague decided otherwise,
    ``group_words_wait`` while its words wait in the content checks; 403 ``own_content`` for one's own.
    """
    group = _of_office(key)
    approve(db.session(), group, by=staff_hat())
    return group


@door.put("/staff/groups/<key:key>/rejection")
@door.takes(GroupReasonIn)
@door.gives(StaffGroupOut, refuses=(409, 422))
def reject_group(sent: dict[str, Any], key: str) -> Group:
    """不通过团队申请（工作人员）

    Its leader reads why, and may ask again. Twice is fine; 409 ``group_settled`` when a colleague decided otherwise.
    """
    group = _of_office(key)
    reject(db.session(), group, sent["because"], by=staff_hat())
    return group


@door.put("/staff/groups/<key:key>/suspension")
@door.takes(SuspensionIn)
@door.gives(GroupEndedOut, refuses=(409, 422))
def suspend_group(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """暂停团队使用（工作人员）

    Until a day, which is the last of it, for a reason its leader reads. Sent again, the new day and reason hold. What it had reserved until
    then is let go, and its leader told; ``rooms_let_go`` says how many.
    """
    group = _of_office(key)
    let_go = suspend(db.session(), group, sent["because"], until=sent["until"], by=staff_hat())
    return {"group": group, "rooms_let_go": let_go}


@door.delete("/staff/groups/<key:key>/suspension")
@door.gives(StaffGroupOut, refuses=(409,))
def resume_group(key: str) -> Group:
    """恢复团队使用（工作人员）

    At once; its leader is told. Twice is fine.
    """
    group = _of_office(key)
    lift_suspension(db.session(), group, by=staff_hat())
    return group


@door.put("/staff/groups/<key:key>/leader")
@door.takes(NewLeaderIn)
@door.gives(StaffGroupOut, refuses=(409, 422))
def name_another_leader(sent: dict[str, Any], key: str) -> Group:
    """更换团队负责人（工作人员）

    Somebody of the same community, of age, leads it from now on, and is told. The same twice is fine.
    """
    group = _of_office(key)
    with named_in("leader"):
        name_leader(db.session(), group, _resident_of_office(sent["leader"]), by=staff_hat())
    return group


@door.put("/staff/groups/<key:key>/disbanding")
@door.takes(GroupReasonIn)
@door.gives(GroupEndedOut, refuses=(409, 422))
def disband_group(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """解散团队（工作人员）

    For a reason its leader reads. Twice is fine. What it had reserved is let go; ``rooms_let_go`` says how many.
    """
    group = _of_office(key)
    let_go = disband_by_staff(db.session(), group, sent["because"], by=staff_hat())
    return {"group": group, "rooms_let_go": let_go}


def _mine(key: str) -> Group:
    session = db.session()
    return group_of(session, resident_of(session, account()), key)


def _of_office(key: str) -> Group:
    return group_within(db.session(), key, within=office_places())


def _resident_of_office(key: str) -> Resident:
    """Somebody who lives where the hat has its office: a grid worker looks after people, and founds no group for them."""
    resident, places = resident_at_the_counter(key), office_places()
    if resident.home_region is None or not is_within(resident.home_region, places):
        raise NotFound("没有找到这位居民")
    return resident


def _words(sent: dict[str, Any]) -> GroupWords:
    return GroupWords(sent["name"], sent["kind"], sent["members"], sent["about"] or "")


def _opinions(words: GroupWords, before: Group | None) -> Sequence[Opinion]:
    """WeChat's word on what is new; afterwards the transaction is one that may write."""
    new: list[tuple[str, CheckedField]] = []
    if before is None or words.name != before.name:
        new.append((words.name, GROUP_NAME))
    if words.about and (before is None or words.about != before.about):
        new.append((words.about, GROUP_ABOUT))
    if not new:
        begin_writing()
    return [checked(text, field, scene=Scene.PROFILE) for text, field in new]


def _sure(opinions: Sequence[Opinion]) -> dict[str, bool]:
    unsure = {opinion.field for opinion in opinions if not opinion.is_sure}
    return {"name_is_sure": GROUP_NAME not in unsure, "about_is_sure": GROUP_ABOUT not in unsure}


def _write_down(opinions: Sequence[Opinion], group: Group) -> None:
    for opinion in opinions:
        opinion.write_down(key=group.key, account_id=account().id, resident_id=group.leader_id)
