"""The counter (柜台): people without WeChat, entered by those who work for their community, with consent on paper (国办发〔2020〕45号).

Who works at a counter or walks a grid sees the people of their own communities, finds them by what they say of themselves, and enters
whoever is new. The same person is not entered twice. What somebody agreed to without an account of their own is a row of its own: on
paper at the counter, or by a child's guardian.
"""

from __future__ import annotations

from models.counter.agreeing import (
    ConsentGiver,
    ResidentConsent,
    agreed_among,
    agreed_on_paper,
    consents_kept_of,
    forget_consents_of_people_who_left,
    has_taken_back,
    keep_consent,
    must_be_in_force,
    take_consent,
    take_consent_back,
    took_back,
    withdraw_those_kept_of,
)
from models.counter.correcting import Correction, correct_resident
from models.counter.entering import Card, enter_resident, move_at_counter
from models.counter.looking_after import (
    Clues,
    PeopleScope,
    look_for,
    people_scope,
    resident_within,
)

__all__ = [
    "Card",
    "Clues",
    "ConsentGiver",
    "Correction",
    "PeopleScope",
    "ResidentConsent",
    "agreed_among",
    "agreed_on_paper",
    "consents_kept_of",
    "correct_resident",
    "enter_resident",
    "forget_consents_of_people_who_left",
    "has_taken_back",
    "keep_consent",
    "look_for",
    "move_at_counter",
    "must_be_in_force",
    "people_scope",
    "resident_within",
    "take_consent",
    "take_consent_back",
    "took_back",
    "withdraw_those_kept_of",
]
