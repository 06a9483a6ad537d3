"""Telling (告知): what is owed to whom about a wish, in the transaction of the deed (domain.md §6, M11, M29).

Whose it is hears, and whoever wished for them and may still act for them. A message names the number of a wish and never what is wished.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.accounts import Account
from models.base import new_key
from models.hearing import hearers, hears, said_actor
from models.ladder import ToTell, owe_to_people
from models.notices import MOMENTS, Debt, NoticeKind, goes_out_at, owe_once
from models.residents import Resident
from models.wishes.parties import By
from models.wishes.rows import Wish, WishState

_RESULTS = {
    WishState.APPROVED: ("已通过", "到了公布的日子会挂上心愿墙"),
    WishState.PUBLISHED: ("已通过", "已经挂上心愿墙，等人认领"),
    WishState.NEED_INFO: ("待补充", ""),
    WishState.REJECTED: ("未通过", ""),
}


def tell_review(session: Session, wish: Wish) -> None:
    """Owe what the community said of a wish to whoever it concerns (M11)."""
    result, word = _RESULTS[wish.state]
    whose = wish.resident
    if whose is None:
        return
    by = session.scalar(
        select(Account.id)
        .select_from(Account)
        .join(Resident, Resident.id == whose.id)
        .where(Account.id == wish.by_account_id, hears())
    )
    told = hearers(
        own=whose.account_id, registered_by=by if by != whose.account_id else None, name=whose.name
    )
    now = clock.now()
    _owe(
        session,
        Debt(
            NoticeKind.WISH_REVIEWED,
            subject_key=wish.key,
            page_subject=wish.key,
            account_ids=told.accounts,
            facts={
                **_facts(wish),
                "learner": told.learner,
                "result": result,
                "word": wish.because or word,
                "state": wish.state.value,
            },
            due_at=goes_out_at(session, NoticeKind.WISH_REVIEWED, wish.region_id, now),
            version=new_key(),  # every word of the community is told, also two within one second
        ),
        whose,
        wish,
    )


def tell_acted_for(session: Session, wish: Wish, by: By) -> None:
    """Owe the word who wished for somebody to that somebody (M29 代办告知)."""
    whose = wish.resident
    if whose is None:
        return
    now = clock.now()
    _owe(
        session,
        Debt(
            NoticeKind.WISHED_FOR_YOU,
            subject_key=wish.key,
            page_subject=wish.key,
            account_ids=[] if whose.account_id is None else [whose.account_id],
            facts={
                **_facts(wish),
                "helper": said_actor(session, whose, by_account_id=by.account_id, identity=by.identity),
                "matter": "提交微心愿",
                "deed": f"提交了{wish.number:04}号微心愿",
                "acted_at": now.isoformat(),
            },
            due_at=goes_out_at(session, NoticeKind.WISHED_FOR_YOU, wish.region_id, now),
        ),
        whose,
        wish,
    )


def _facts(wish: Wish) -> dict[str, Any]:
    return {
        "number": f"{wish.number:04}",
        "community": wish.region.name,
        "submitted_at": wish.submitted_at.isoformat(),
    }


def _owe(session: Session, debt: Debt, whose: Resident, wish: Wish) -> None:
    connection = session.connection()
    owe_once(connection, [debt])
    if not debt.account_ids and MOMENTS[debt.kind].must_arrive:
        owe_to_people(connection, [ToTell(debt, whose.id, whose.home_region_id or wish.region_id)])
