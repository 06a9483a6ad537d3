"""Turns: deeds of one job, each in a transaction of its own, so that none holds up the others and nobody is waited for with two locks in hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from models.base import transaction


def in_turn(deeds: Sequence[Callable[[Session], int]]) -> int:
    """Do them one after another; how much they did. What one of them raises is raised when all had their turn."""
    done, troubles = 0, []
    for deed in deeds:
        try:
            with transaction() as session:
                done += deed(session)
        except Exception as trouble:
            troubles.append(trouble)
    if troubles:
        raise troubles[0]
    return done
