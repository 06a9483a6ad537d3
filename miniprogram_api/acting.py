"""Acting (本人或代办): for whom something is asked, and what must be known before anything is written down for them."""

from __future__ import annotations

from miniprogram_api.edge import account, caller
from models import wishes
from models.base import db
from models.consents import consent_in_force
from models.counter import took_back
from models.errors import NotFound
from models.profiles import must_be_known
from models.reservations import By
from models.residents import (
    BondKind,
    Resident,
    bonds_of,
    bonds_over,
    guards_a_child,
    resident_of,
    ward_by_key,
)
from models.wishes import WishSource


def asking(source: WishSource = WishSource.ONLINE) -> wishes.By:
    """Whoever asks, in the hat they wear, as the verbs about wishes and claims take it."""
    return wishes.By(account().id, caller().identity, source)


def by() -> By:
    """Whoever asks, in the hat they wear, as the verbs about rooms take it."""
    return By(account().id, caller().identity)


def oneself_and_wards() -> list[int]:
    """The person who asks and everybody they may act for today, by id; nobody for who told us nothing yet."""
    session = db.session()
    oneself = resident_of(session, account())
    return [oneself.id, *(bond.ward_id for bond in bonds_of(session, oneself))] if oneself else []


def oneself_or_ward(for_key: str | None) -> Resident:
    """The person who asks, or whom they may act for today. Raises NotFound ``no_bond``, or ``not_known`` before they told us anything."""
    return _oneself_or_ward(for_key, NotFound("请先填写个人信息", code="not_known"))


def learner_for(for_key: str | None) -> Resident:
    """The same, where it is asked about a class: who told us nothing yet is in none. Raises NotFound ``not_registered``."""
    return _oneself_or_ward(for_key, NotFound("还没有报名", code="not_registered"))


def _oneself_or_ward(for_key: str | None, unknown: NotFound) -> Resident:
    session = db.session()
    oneself = resident_of(session, account())
    if oneself is None:
        raise unknown
    if for_key is None or for_key == oneself.key:
        return oneself
    return ward_by_key(session, oneself, for_key)


def learner_to_write_about(for_key: str | None) -> Resident:
    """The same, where something is written down for them: both must be known, and have agreed to it.

    Raises as ``must_be_known``. The caller holds the account.
    """
    session = db.session()
    oneself = resident_of(session, account())
    learner = oneself
    if for_key is not None and (oneself is None or for_key != oneself.key):
        if oneself is None:
            raise NotFound("没有找到您要代办的人，请先到社区登记代办关系", code="no_bond")
        learner = ward_by_key(session, oneself, for_key)
    return must_be_known(
        oneself,
        learner,
        has_agreed=consent_in_force(session, account()) is not None,
        ward_withdrew=learner is not None and learner is not oneself and _withdrew(learner),
    )


def _withdrew(ward: Resident) -> bool:
    """Whether somebody took back what they had agreed to; for a child below fourteen the guardian agrees."""
    session = db.session()
    oneself = resident_of(session, account())
    is_child = any(
        bond.helper_id == (oneself.id if oneself else None) and guards_a_child(bond.kind, ward.birth_year)
        for bond in bonds_over(session, ward)
        if bond.kind is BondKind.GUARDIAN
    )
    return not is_child and took_back(session, ward)
