"""Forgetting: one field of a person, a person's letters, and what was kept after somebody left, when its time is over."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account
from models.consents import forget_consents_of_closed_accounts
from models.content_checks import RESIDENT_NAME, strike_checks_of_field
from models.counter import forget_consents_of_people_who_left
from models.courses import Registration
from models.hearing import WHO_ACTS, said_helper
from models.journal import enter
from models.kept_answers import KeptAnswer
from models.ladder import Call, ShortMessage
from models.notices import Delivery, Notice, NoticeKind
from models.residents import Bond, Resident, bonds_around, resident_of
from models.staff import StaffMember

SOMEBODY = "居民"
SOMEBODY_WHO_WORKED_HERE = "已离职人员"
STAFF_NAMES_KEPT_DAYS = 365  # logs are kept a year by default (domain.md §4), and must say who it was
SHORTEST_NAME_TO_LOOK_FOR = 2
LEARNER = Notice.facts["learner"].as_string()


class RevokedField(StrEnum):
    """What a person may take back in WeChat's own settings, as far as it concerns us (wechat.md §8.5)."""

    NAME = "name"  # 昵称、头像
    PHONE = "phone"  # 手机号
    LOCATION = "location"  # 位置
    IMAGES = "images"  # 图片、视频


REVOKE_INFO: Mapping[str, RevokedField] = {
    "6": RevokedField.NAME,
    "8": RevokedField.PHONE,
    "13": RevokedField.LOCATION,
    "14": RevokedField.IMAGES,
    "18": RevokedField.LOCATION,
    "19": RevokedField.NAME,
    "20": RevokedField.NAME,
    "profile": RevokedField.NAME,  # 微信清理了违规的头像昵称 (user_info_modified)
}


def forget_field(session: Session, account: Account | None, what: int | str) -> None:
    """A person took a permission back in WeChat (``RevokeInfo``): keep that field no longer, and write down that it went.

    Places and images are not kept at all, so nothing goes. A number that concerns nothing of ours is written down too. Nobody,
    or somebody who left, is nothing to do. Telling twice is fine.
    """
    if account is None:
        return
    account.lock()
    if account.closed_at is not None:
        return
    field = REVOKE_INFO.get(str(what))
    resident = resident_of(session, account)
    if resident is not None and field is RevokedField.PHONE:
        resident.forget_phone()
    if resident is not None and field is RevokedField.NAME:
        strike_from_letters(session, [resident], bonds_around(session, [resident.id]))
        strike_checks_of_field(session, resident, RESIDENT_NAME)
        resident.name = None
    enter(
        session,
        "account.permission_revoked",
        account,
        by_account_id=account.id,
        identity="wechat",
        details={"revoke_info": str(what)[:20], "field": field},
    )
    session.flush()


def forget_inbox(session: Session, account: Account) -> None:
    """What was still owed to somebody who leaves is not sent, and their inbox names nobody they acted for."""
    session.execute(
        update(Notice)
        .where(Notice.account_id == account.id, Notice.delivery == Delivery.OWED)
        .values(delivery=Delivery.STALE, outcome="account_closed", settled_at=clock.now())
    )
    for notice in session.scalars(select(Notice).where(Notice.account_id == account.id, LEARNER != "")).all():
        notice.facts = {**notice.facts, "learner": SOMEBODY}
    session.flush()


def strike_from_letters(session: Session, people: Sequence[Resident], bonds: Sequence[Bond]) -> None:
    """Take these people's names and numbers out of every letter and kept answer: their own, and their helpers'."""
    helpers = [(bond.ward_id, bond.helper.account_id) for bond in bonds]
    for person in people:
        registered = session.execute(
            select(Registration.key, Registration.by_account_id).where(Registration.resident_id == person.id)
        ).all()
        keys = {row.key for row in registered}
        readers = {row.by_account_id for row in registered} | {person.account_id}
        readers = {one for one in readers | {who for ward, who in helpers if ward == person.id} if one}
        words = [word for word in (person.name, person.phone) if word]
        about_them = or_(
            Notice.account_id == person.account_id, Notice.subject_key.in_(keys), person.name == LEARNER
        )
        for notice in session.scalars(select(Notice).where(Notice.account_id.in_(readers), about_them)).all():
            facts = {name: _without(value, words) for name, value in notice.facts.items()}
            if notice.subject_key in keys and facts.get("learner"):
                facts["learner"] = SOMEBODY  # the name it was written with may be an older one
            notice.facts = facts
        for table in (ShortMessage, Call):
            rungs = select(table).where(or_(table.resident_id == person.id, table.subject_key.in_(keys)))
            for rung in session.scalars(rungs).all():
                facts = {name: _without(value, words) for name, value in rung.facts.items()}
                if rung.subject_key in keys and facts.get("learner"):
                    facts["learner"] = SOMEBODY
                rung.facts = facts
        _strike_as_helper(session, person, [bond for bond in bonds if bond.helper_id == person.id])
        as_json = [json.dumps(word, ensure_ascii=False)[1:-1] for word in words]
        for answer in session.scalars(select(KeptAnswer).where(KeptAnswer.account_id.in_(readers))).all():
            answer.body = _without(answer.body, as_json)
    session.flush()


def _strike_as_helper(session: Session, helper: Resident, bonds: Sequence[Bond]) -> None:
    """Those they acted for were told the surname of who did: what stays says only by what right."""
    for bond in bonds:
        said, nameless = said_helper(helper.name, WHO_ACTS[bond.kind]), WHO_ACTS[bond.kind]
        theirs = (
            (Notice, Notice.account_id == bond.ward.account_id),
            (ShortMessage, ShortMessage.resident_id == bond.ward_id),
            (Call, Call.resident_id == bond.ward_id),
        )
        for table, to_them in theirs:
            for news in session.scalars(
                select(table).where(to_them, table.kind == NoticeKind.ACTED_FOR_YOU)
            ).all():
                if news.facts["helper"] == said:
                    news.facts = {**news.facts, "helper": nameless}


def forget_what_was_kept_long_enough(session: Session) -> int:
    """Drop what was kept after people left, once its time is over; how many rows.

    Consents three years after the account was closed; names of staff who left and whose WeChat is no longer here, a year after.
    """
    unnamed = session.execute(
        update(StaffMember)
        .where(
            StaffMember.account_id.is_(None),
            StaffMember.left_at < clock.now() - timedelta(days=STAFF_NAMES_KEPT_DAYS),
            StaffMember.name != SOMEBODY_WHO_WORKED_HERE,
        )
        .values(name=SOMEBODY_WHO_WORKED_HERE)
    )
    consents = forget_consents_of_closed_accounts(session) + forget_consents_of_people_who_left(session)
    return consents + int(
        unnamed.rowcount  # type: ignore[attr-defined,unused-ignore]  # an UPDATE's result always counts rows
    )


def _without(value: Any, words: Sequence[str]) -> Any:
    if not isinstance(value, str):
        return value
    for word in words:
        if value == word:
            return SOMEBODY
        if len(word) >= SHORTEST_NAME_TO_LOOK_FOR:
            value = value.replace(word, SOMEBODY)
    return value
