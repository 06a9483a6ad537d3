"""Joining (绑定登记): somebody entered at the counter opens WeChat, and the entry there becomes their own.

Who works at the counter hands the person in front of them a code. Entered in the mini-program it makes the account that very resident:
what they hold, who may act for them and what they signed on paper stay as they are. An account that has told us something of itself gives
that up for what the counter knows; one that has been in a class, or acts for somebody, is a person of its own and does not join.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account
from models.consents import must_have_agreed
from models.content_checks import ContentCheck, strike_checks_of_people
from models.courses import Receipt, RunAnswer, forget_answers_of
from models.departures import POINTS_AT_A_PERSON, put_in_place_of, retire
from models.errors import Conflict
from models.inductions import Induction, hand_over_inductions
from models.journal import JournalEntry, enter
from models.residents import BondKind, Resident, guards_a_child, resident_of
from models.staff import StaffMember
from models.vault import vault

JOINING_MINUTES = 30
CODE_DIGITS = 10  # two more than for help: whoever guesses one is somebody else

# what somebody leaves behind by looking around, or what both entries may have; whatever else points at a person makes them one of their own
SAYS_LITTLE = frozenset({Receipt, RunAnswer, ContentCheck, Induction, JournalEntry})


def invite_to_join(session: Session, resident: Resident, *, by: StaffMember) -> str:
    """A code, good for ``JOINING_MINUTES`` and once, with which this person's own WeChat becomes theirs here.

    A new one takes the place of the one before; only its hash stays. Raises Conflict ``has_wechat`` for somebody who has one, and
    ``guardian_acts`` for a child below fourteen.
    """
    resident.lock()
    if resident.account_id is not None:
        raise Conflict("has_wechat", "这位居民已经绑定了自己的微信，不用再绑定")
    if resident.birth_year is not None and guards_a_child(BondKind.GUARDIAN, resident.birth_year):
        raise Conflict("guardian_acts", "未满14周岁，请由监护人在自己的手机上替孩子办理，不用绑定微信")
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    resident.joining_fingerprint = vault.fingerprint(code)
    resident.joining_until = clock.now() + timedelta(minutes=JOINING_MINUTES)
    enter(
        session,
        "resident.invited",
        resident,
        by_account_id=by.account_id,
        identity=by.identity,
        for_resident_id=resident.id,
    )
    session.flush()
    return code


def join(session: Session, account: Account, code: str) -> Resident:
    """Make this account the resident who was handed the code.

    Name, home and year of birth are as the counter wrote them; a phone number that WeChat vouched for is kept, and letters stay large.
    Raises Conflict ``invitation_invalid`` for a code that is unknown, used or too old, ``consent_needed``, ``already_somebody`` for an
    account with registrations or bonds of its own, and Unauthenticated when it was closed meanwhile.
    """
    account.lock().must_stand()
    must_have_agreed(session, account)
    resident = _invited_with(session, code)
    oneself = resident_of(session, account)
    if oneself is not None:
        _give_oneself_up_for(session, oneself, resident)
    resident.account_id = account.id
    resident.joining_fingerprint = resident.joining_until = None
    enter(session, "resident.joined", resident, by_account_id=account.id, identity="resident")
    session.flush()
    return resident


def _invited_with(session: Session, code: str) -> Resident:
    fingerprint = vault.fingerprint(code)
    resident = session.scalar(select(Resident).where(Resident.joining_fingerprint == fingerprint))
    if resident is not None:
        resident.lock()  # another phone, or a newer code, may have come first
    if (
        resident is None
        or resident.joining_fingerprint != fingerprint
        or (resident.joining_until or clock.now()) <= clock.now()
    ):
        raise Conflict("invitation_invalid", "绑定码无效或已过期，请工作人员重新给一个")
    return resident


def _give_oneself_up_for(session: Session, oneself: Resident, resident: Resident) -> None:
    retire([oneself.lock()])
    session.flush()  # a tap that is under way has come by now, or comes too late
    if _is_somebody(session, oneself):
        raise Conflict(
            "already_somebody",
            "您的微信里已经有自己的报名或代办关系，不能再绑定柜台的登记；请先注销账号，重新登录后再输入绑定码",
        )
    if oneself.phone is not None and (oneself.phone_verified_at is not None or not resident.has_phone):
        resident.take_phone(oneself.phone, verified=oneself.phone_verified_at is not None)
    resident.elder_mode = resident.elder_mode or oneself.elder_mode
    strike_checks_of_people(session, [oneself.id])
    forget_answers_of(session, [oneself.id])
    hand_over_inductions(session, oneself, resident)
    put_in_place_of(session, oneself, resident)


def _is_somebody(session: Session, oneself: Resident) -> bool:
    weighty = [column for column in POINTS_AT_A_PERSON if column.class_ not in SAYS_LITTLE]
    return any(
        session.scalar(select(column).where(column == oneself.id).limit(1)) is not None for column in weighty
    )
