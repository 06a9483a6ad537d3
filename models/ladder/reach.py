"""Reach (通知到位情况): before a change goes live, who can be told of it, and how: the honest list.

Asked with any people and those who are told for them; answered from what is true now in a fixed number of statements.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.grants import left_of
from models.ladder.calls import wrong_phones
from models.notices import TemplateName
from models.residents import Resident, is_mobile


class Rung(StrEnum):
    """The first rung of the ladder that would tell a person, if all goes well."""

    WECHAT = "wechat"  # 微信
    SHORT_MESSAGE = "short_message"  # 短信
    CALL = "call"  # 只能打电话
    NONE = "none"  # 联系不上


@dataclass(frozen=True)
class Reached:
    """One person, and how they would be told."""

    resident: Resident
    rung: Rung


@dataclass(frozen=True)
class Reach:
    """How everybody would be told, in the order they were asked about."""

    people: Collection[Reached]

    def by(self, rung: Rung) -> int:
        """How many are told on this rung."""
        return sum(each.rung is rung for each in self.people)

    @property
    def unreachable(self) -> list[Reached]:
        """Whom no message can tell: somebody has to call, or to go."""
        return [each for each in self.people if each.rung in (Rung.CALL, Rung.NONE)]


def reach_of(
    session: Session,
    people: Mapping[int, Collection[int]],
    template: TemplateName,
    *,
    sends_short_messages: bool,
) -> Reach:
    """How each of these people (by id) would hear a message of this template now.

    With each come the accounts that are told for them besides their own (a guardian's, a helper's): who is told through somebody is
    told. ``sends_short_messages``: whether anybody carries them for this house. The inbox counts for nothing: nobody knows when it is
    opened. Three statements, however many people.
    """
    accounts = {account for told in people.values() for account in told}
    residents = session.scalars(
        select(Resident).where(or_(Resident.id.in_(people), Resident.account_id.in_(accounts)))
    ).all()
    by_id = {resident.id: resident for resident in residents}
    by_account = {resident.account_id: resident for resident in residents if resident.account_id is not None}
    allowed = {account for account, of in left_of(session, accounts | set(by_account)) if of == template}
    wrong = wrong_phones(session, by_id)

    def rung_of(resident_id: int) -> Rung:
        own = by_id[resident_id].account_id
        told = {*people[resident_id], *([own] if own is not None else [])}
        if told & allowed:
            return Rung.WECHAT
        phones = [
            each.phone
            for each in {by_id[resident_id], *(by_account[one] for one in told if one in by_account)}
            if each.phone and (each.id, each.phone_fingerprint) not in wrong
        ]
        if sends_short_messages and any(is_mobile(phone) for phone in phones):
            return Rung.SHORT_MESSAGE
        return Rung.CALL if phones else Rung.NONE

    return Reach(
        [Reached(by_id[resident_id], rung_of(resident_id)) for resident_id in people if resident_id in by_id]
    )
