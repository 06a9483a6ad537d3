"""Entering (登记): somebody new without WeChat, whom nobody entered before, and where they live."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, false, or_, select
from sqlalchemy.orm import Session

from models.counter.agreeing import ConsentGiver, take_consent
from models.counter.looking_after import PeopleScope
from models.errors import Conflict, NotFound
from models.journal import enter
from models.regions import Region
from models.residents import Resident, move_to
from models.staff import StaffMember
from models.vault import vault


@dataclass(frozen=True)
class Card:
    """What is written down of somebody at the counter."""

    name: str
    birth_year: int
    home: Region
    phone: str | None = None


def enter_resident(
    session: Session,
    card: Card,
    *,
    scope: PeopleScope,
    consent_version: str,
    given_by: ConsentGiver,
    by: StaffMember,
    even_so: bool = False,
) -> Resident:
    """Enter somebody who has no WeChat, with what they signed; two who enter the same person at once enter them once.

    Raises NotFound for a home that is not looked after, Invalid for what cannot be, Conflict ``resident_exists`` with the key of the
    same person (name and phone; where either has no phone name and year of birth, unless ``even_so``), ``consent_outdated``,
    and ``guardian_consent_needed`` for somebody under age who signed for themselves.
    """
    if not scope.has(card.home):
        raise NotFound("这个社区不在您负责的范围内")
    resident = Resident(name=card.name)
    resident.move_home(card.home)
    resident.tell_birth_year(card.birth_year)
    if card.phone is not None:
        resident.take_phone(card.phone, verified=False)
    card.home.lock()  # whoever enters the same person at this moment is waited for
    _must_be_new(session, card, even_so=even_so)
    session.add(resident)
    session.flush()
    enter(
        session,
        "resident.entered",
        resident,
        by_account_id=by.account_id,
        identity=by.identity,
        for_resident_id=resident.id,
    )
    take_consent(session, resident, version=consent_version, given_by=given_by, by=by)
    return resident


def move_at_counter(session: Session, resident: Resident, home: Region, *, by: StaffMember) -> None:
    """Somebody without WeChat has moved, as whoever looked after them until now writes down. Where they live already is no move.

    Raises Conflict ``moves_themselves`` for somebody who has a WeChat, Invalid for what is no community.
    """
    resident.lock()
    if resident.account_id is not None:
        raise Conflict("moves_themselves", "这位居民有自己的微信账号，请由本人在小程序“我的”页面更换社区")
    if resident.home_region_id != home.id:
        move_to(session, resident, home, by_account_id=by.account_id, identity=by.identity)
    session.flush()


def _must_be_new(session: Session, card: Card, *, even_so: bool) -> None:
    like_them = [] if even_so else [Resident.birth_year == card.birth_year]
    if card.phone is not None:
        # two phones tell two people apart; where one has none, name and year suggest who it is
        like_them = [and_(Resident.phone_fingerprint.is_(None), same_year) for same_year in like_them]
        like_them.append(Resident.phone_fingerprint == vault.fingerprint(card.phone))
    known = session.scalar(
        select(Resident)
        .where(
            Resident.home_region_id == card.home.id,
            Resident.name == card.name,
            or_(false(), *like_them),
            Resident.left_at.is_(None),
        )
        .order_by(Resident.phone_fingerprint.is_(None), Resident.id)
        .limit(1)
    )
    if known is not None:
        by_phone = card.phone is not None and known.has_phone
        raise Conflict(
            "resident_exists",
            "这位居民已经登记过了，请直接使用原来的登记",
            details={"resident": known.key, "by": "phone" if by_phone else "birth_year"},
        )
