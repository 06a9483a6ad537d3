"""What the town must know of a person before it gives them anything, whatever it is."""

from __future__ import annotations

import pytest

from models.base import reading, transaction
from models.consents import PRIVACY_POLICY
from models.errors import Conflict
from models.profiles import must_be_known
from models.residents import Resident
from tests.people import Town, a_person_without_phone


def missing(
    oneself: Resident | None, for_whom: Resident | None, *, has_agreed: bool = True, at_what_age: bool = False
) -> list[str]:
    """What the refusal names."""
    with pytest.raises(Conflict) as caught:
        must_be_known(oneself, for_whom, has_agreed=has_agreed, at_what_age=at_what_age)
    assert caught.value.code == "profile_needed"
    assert caught.value.details["consent_version"] == PRIVACY_POLICY.version
    fields: list[str] = caught.value.details["fields"]
    return fields


def test_a_resident_with_a_whole_profile_is_known(town: Town) -> None:
    with reading() as session:
        resident = town.resident.resident(session)
        assert must_be_known(resident, resident, has_agreed=True, at_what_age=True) is resident


def test_nobody_in_particular_is_asked_for_everything_at_once() -> None:
    assert missing(None, None, has_agreed=False, at_what_age=True) == [
        "name",
        "phone",
        "home_community",
        "consent",
        "birth_year",
    ]


def test_what_was_forgotten_is_missing_again(town: Town) -> None:
    with transaction() as session:
        resident = town.resident.resident(session)
        resident.forget_phone()
        assert missing(resident, resident) == ["phone"]
        assert missing(resident, resident, has_agreed=False) == ["phone", "consent"]


def test_the_one_acted_for_needs_a_name_and_a_home_and_no_phone(town: Town) -> None:
    with transaction() as session:
        helper, elder = town.helper.resident(session), town.elder.resident(session)
        assert must_be_known(helper, elder, has_agreed=True) is elder
        baby = a_person_without_phone(session, None, name=None, birth_year=None).resident(session)
        assert missing(helper, baby, at_what_age=True) == [
            "for.name",
            "for.home_community",
            "for.birth_year",
        ]
