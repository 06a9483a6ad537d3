"""Telling (告知): what is owed to whom about a wish, in the transaction of the deed (domain.md §6, M11, M29).

Whose it is hears, and whoever wished for them and may still act for them. A message names the number of a wish and never what is wished.
"""

from __future__ import annotations

from collections.abc import Collection
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
from models.staff import offices, over
from models.wishes.parties import By
from models.wishes.rows import Wish, WishState

_RESULTS = {
    WishState.APPROVED: ("已通过", "到了公布的日子会挂上心愿墙"),
    WishState.PUBLISHED: ("已通过", "已经挂上心愿墙，等人认领"),
    WishState.NEED_INFO: ("待补充", ""),
    WishState.REJECTED: ("未通过", ""),
}
_TURNED = {
    WishState.PUBLISHED: ("进入下一轮", "还没有人认领，已排到前面，继续等人认领"),
    WishState.ESCALATED: ("已上报街道", "到期没有人认领，由街道研究交办"),
}


def tell_review(session: Session, wish: Wish) -> None:
    """Owe what the community said of a wish to whoever it concerns (M11)."""
    result, word = _RESULTS[wish.state]
    owe_to_wisher(
        session,
        NoticeKind.WISH_REVIEWED,
        wish,
        {"result": result, "word": wish.because or word, "state": wish.state.value},
        subject_key=wish.key,
        version=new_key(),  # every word of the community is told, also two within one second
    )


def tell_turned(session: Session, wish: Wish) -> None:
    """Owe the word that nobody took it on in time, and what becomes of it now, to who wished and to the community (M16)."""
    result, word = _TURNED[wish.state]
    facts = {
        "result": result,
        "word": word,
        "when_at": clock.now().isoformat(),
        "state": wish.state.value,
    }
    version = new_key()  # told once for each time it turns: the caller holds the wish
    owe_to_wisher(session, NoticeKind.WISH_TURNED, wish, facts, subject_key=wish.key, version=version)
    kind = NoticeKind.WISH_TURNED_HERE
    owe_to_staff(session, kind, wish, facts, over(offices(session), wish.region.path), version=version)


def owe_to_staff(
    session: Session,
    kind: NoticeKind,
    wish: Wish,
    facts: dict[str, Any],
    account_ids: Collection[int],
    *,
    version: str,
    subject_key: str = "",
) -> None:
    """Owe something about a wish to people who work for its community or its street, to each account once."""
    owe_once(
        session.connection(),
        [
            Debt(
                kind,
                subject_key=subject_key or wish.key,
                page_subject=wish.key,
                account_ids=sorted(account_ids),
                facts={**_facts(wish), **facts},
                due_at=goes_out_at(session, kind, wish.region_id, clock.now()),
                version=version,
            )
        ],
    )


def owe_to_wisher(
    session: Session,
    kind: NoticeKind,
    wish: Wish,
    facts: dict[str, Any],
    *,
    subject_key: str,
    version: str,
) -> None:
    """Owe something about a wish to who wished it, and to who wished it for them and may still act for them."""
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
    _owe(
        session,
        Debt(
            kind,
            subject_key=subject_key,
            page_subject=wish.key,
            account_ids=told.accounts,
            facts={**_facts(wish), "learner": told.learner, **facts},
            due_at=goes_out_at(session, kind, wish.region_id, clock.now()),
            version=version,
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
