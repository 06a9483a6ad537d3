"""Partner units with their papers: written down once, corrected, and found by the offices of the places they serve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from models.base import db, reading, transaction
from models.credit_codes import check_sign
from models.errors import Conflict, NotFound, Refusal
from models.journal import JournalEntry
from models.partners import (
    Partner,
    PartnerKind,
    UnitCard,
    correct_unit,
    enlist_unit,
    partner_within,
    partners_within,
)
from models.regions import Region
from tests.people import Town, a_unit
from tests.races.rush import rush

STUDIO = "91350100M000100Y43"
OTHER = "91350100M00010100" + check_sign("91350100M00010100")


@pytest.fixture
def card(town: Town) -> UnitCard:
    """A photographer's studio that serves the first community."""
    return UnitCard("光影工作室", PartnerKind.PUBLIC_GOOD, STUDIO, town.wutong, "老秦", "13900000010")


def add(card: UnitCard) -> str:
    with transaction() as session:
        here = replace(card, region=session.get_one(Region, card.region.id))
        return enlist_unit(session, here, by_account_id=None, identity="town").key


def refused(deed: Callable[[], object]) -> tuple[str, list[str]]:
    with pytest.raises(Conflict) as no:
        deed()
    return no.value.code, [fault.field for fault in no.value.faults]


def test_a_unit_is_kept_as_its_papers_show_it(card: UnitCard) -> None:
    key = add(replace(card, credit_code=" 91350100 m000100y43 "))
    with reading() as session:
        kept = session.scalars(select(Partner).where(Partner.key == key)).one()
        assert (kept.credit_code, kept.contact_phone) == (STUDIO, "13900000010")
        at_rest = session.execute(text("SELECT contact_phone FROM partners WHERE credit_code IS NOT NULL"))
        assert "13900000010" not in at_rest.scalar_one()


def test_a_wrong_code_is_refused_at_its_field(card: UnitCard) -> None:
    assert refused(lambda: add(replace(card, credit_code=STUDIO[:-1] + "4"))) == (
        "credit_code_wrong",
        ["credit_code"],
    )


def test_no_two_units_have_one_name_or_one_code(card: UnitCard) -> None:
    add(card)
    assert refused(lambda: add(replace(card, credit_code=OTHER))) == ("partner_exists", ["name"])
    assert refused(lambda: add(replace(card, name="别的工作室"))) == ("partner_exists", ["credit_code"])


@pytest.mark.parametrize("same", ["name", "code"])
def test_one_unit_written_down_by_many_at_once_is_one(app: Flask, card: UnitCard, same: str) -> None:
    cards = [
        replace(card, name=f"{n}号工作室") if same == "code" else replace(card, credit_code=a_code(n))
        for n in range(6)
    ]
    answers = rush(app, [partial(add, one) for one in cards])
    told = Counter(
        answer.code if isinstance(answer, Refusal) else type(answer).__name__ for answer in answers
    )
    assert told == {"str": 1, "partner_exists": 5}


def a_code(n: int) -> str:
    seventeen = f"91350100M{n:08}"
    return seventeen + check_sign(seventeen)


def test_what_is_known_is_corrected_and_the_same_again_writes_nothing(card: UnitCard) -> None:
    key = add(card)

    def correct(card: UnitCard) -> None:
        with transaction() as session:
            unit = partner_within(session, key, within=[session.get_one(Region, card.region.id)])
            here = replace(card, region=unit.region or card.region)
            correct_unit(session, unit, here, by_account_id=None, identity="town")

    correct(card)
    correct(replace(card, contact_phone="13900000011"))
    other = replace(card, name="别的工作室", credit_code=OTHER)
    add(other)
    assert refused(lambda: correct(replace(card, name="别的工作室"))) == ("partner_exists", ["name"])
    with reading() as session:
        corrected = select(JournalEntry.details).where(JournalEntry.act == "partner.corrected")
        assert session.scalars(corrected).all() == [{"changed": ["contact_phone"]}]
        kept = session.scalars(select(Partner).where(Partner.key == key)).one()
        assert (kept.name, kept.contact_phone) == ("光影工作室", "13900000011")


def test_an_office_finds_the_units_that_serve_its_places(town: Town) -> None:
    with transaction() as session:
        mine, theirs = a_unit(session, town.wutong).key, a_unit(session, town.wangjiang).key
    with reading() as session:
        found = partners_within(session, [town.wutong], after_id=None, most=9)
        assert [unit.key for unit in found] == [mine]
        assert list(partners_within(session, [], after_id=None, most=9)) == []
        both = partners_within(session, [town.district], after_id=None, most=9)
        assert [unit.key for unit in both] == [mine, theirs]
        with pytest.raises(NotFound):
            partner_within(session, theirs, within=[town.wutong])
        with pytest.raises(NotFound):  # of a unit without papers nobody knows where it serves
            partner_within(session, town.partner_member.partner_key, within=[town.district])
    with db.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Partner)) == 3
