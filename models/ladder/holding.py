"""Holding (锁定当事人): whoever changes a rung holds the person first, then the rung, as one who leaves does.

A call or a journal entry points at its person: writing it waits for whoever is just leaving, who in turn waits for the rungs. With one
order nobody waits for each other.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.residents import Resident


def hold_people(session: Session, residents: Collection[int]) -> None:
    """Hold these people, by id, until the transaction ends. One who left while this waited is held by nobody, and is nobody.

    Read the rung anew afterwards: it may point at the nameless one who stays in their place.
    """
    session.execute(
        select(Resident.id)
        .where(Resident.id.in_(residents))
        .order_by(Resident.id)
        .with_for_update(key_share=True)
    )
