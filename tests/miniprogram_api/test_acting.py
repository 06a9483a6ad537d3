"""Acting for somebody over the wire: what is written down for them needs their word, through whichever door it was given."""

from __future__ import annotations

from models.consents import PRIVACY_POLICY
from models.counter import ConsentGiver
from tests.people import Town
from tests.phones import Door, the_problem, told

SIGNED = {"version": PRIVACY_POLICY.version, "given_by": ConsentGiver.ONESELF}


def test_nothing_is_written_down_for_somebody_who_took_back_what_they_signed(door: Door, town: Town) -> None:
    clerk, paper = door.phone(town.clerk), f"/staff/residents/{town.elder.key}/consent"
    answers = f"/course-runs/{town.a_run().key}/answers?for={town.elder.key}"
    told(clerk.put(paper, json=SIGNED))
    told(clerk.delete(paper))
    the_problem(door.phone(town.helper).put(answers, json={"answers": []}), 409, "ward_withdrew")
    told(clerk.put(paper, json=SIGNED))
    told(door.phone(town.helper).put(answers, json={"answers": []}))
