"""Departures (注销): a person closes their account, and the town keeps its numbers without keeping the person (个保法 arts. 15, 47).

What it would mean is said first (``what_closing_means``) and named by a fingerprint; ``close_account`` takes that fingerprint, so
nobody closes blindly. Then, in one transaction:

* every seat and every place in a queue is given up by the rules of ``models.courses``: the first in line moves up and is told;
* groups they lead stay without a leader until staff name another, and applications for one are taken back;
* children under fourteen without another guardian leave with the one who agreed for them; every other ward keeps their seats;
* bonds end, consents are withdrawn, logins end, message grants go, what was still owed is not sent;
* the account becomes a tombstone whose openid nobody can guess, so the same WeChat user who returns starts anew (E32);
* the resident's row is **deleted**, and what must stay points at a nameless one made in its place.

That the row goes is also the protection: a tap that was under way when the person left meets a foreign key, not a seat. The order
of locks is the account, the runs by id, the groups by id, the people by id; a tap locks runs and then, through its foreign keys, people.
"""

from __future__ import annotations

from models.departures.forgetting import (
    STAFF_NAMES_KEPT_DAYS,
    RevokedField,
    forget_field,
    forget_what_was_kept_long_enough,
)
from models.departures.leaving import (
    POINTS_AT_A_PERSON,
    begin_closure,
    close_account,
    put_in_place_of,
    retire,
    see_off,
)
from models.departures.meaning import Closure, Obstacle, WardBecomes, WardLeft, what_closing_means

__all__ = [
    "POINTS_AT_A_PERSON",
    "STAFF_NAMES_KEPT_DAYS",
    "Closure",
    "Obstacle",
    "RevokedField",
    "WardBecomes",
    "WardLeft",
    "begin_closure",
    "close_account",
    "forget_field",
    "forget_what_was_kept_long_enough",
    "put_in_place_of",
    "retire",
    "see_off",
    "what_closing_means",
]
