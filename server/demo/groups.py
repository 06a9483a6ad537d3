"""The demo town's groups: a chorus that may reserve rooms, and a reading circle the clerk has still to look at."""

from __future__ import annotations

from sqlalchemy.orm import Session

from models.accounts import Account, welcome
from models.groups import GroupKind, GroupWords, apply_for_group, approve
from models.staff import staff_members_of


def found_groups(session: Session, leader: Account, reader: Account) -> None:
    """Two neighbours ask, and the clerk approves of the first."""
    chorus = apply_for_group(
        session, leader, GroupWords("梧桐合唱团", GroupKind.CHORUS, 24, "每周三下午排练，欢迎来听")
    )
    (clerk,) = staff_members_of(session, welcome(session, openid="demo-clerk"))
    approve(session, chorus, by=clerk)
    apply_for_group(session, reader, GroupWords("晨读会", GroupKind.STUDY, 8, "每天早上一起读书"))
