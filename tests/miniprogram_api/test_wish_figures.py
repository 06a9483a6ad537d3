"""Figures of wishes over the wire: who reads which, as numbers and on paper."""

from __future__ import annotations

from io import BytesIO

from openpyxl import load_workbook
from sqlalchemy import select

from miniprogram_api.wish_figures import HIDDEN
from models.base import reading
from models.journal import JournalEntry
from tests.claims import a_claimer
from tests.people import Town
from tests.phones import Door, the_problem, told
from tests.wishes import hung, somebody


def test_a_street_reads_its_communities_in_figures_alone(door: Door, town: Town) -> None:
    for _ in range(6):
        hung(town, somebody(town, "张大爷"))
    street = door.phone(town.street_officer)
    found = told(street.get("/staff/wish-figures?first=2026-11-20&days=10"))
    assert found["region"]["key"] == town.east_street.key
    assert [one["region"]["key"] for one in found["communities"]] == [town.wutong.key]
    claimed = found["communities"][0]["figures"][0]
    assert claimed == {
        "name": "claimed",
        "label": "认领率",
        "counted": 0,
        "of": 6,
        "rate": 0.0,
        "is_hidden": False,
    }
    assert found["figures"][-1]["rate"] is None  # nobody has rated anything
    assert "张" not in str(found)
    the_problem(street.get(f"/staff/wish-figures?region={town.wutong.key}"), 404, "not_found")
    the_problem(street.get(f"/staff/wish-figures?region={town.wangjiang.key}"), 404, "not_found")


def test_a_clerk_reads_their_community_and_nobody_else_anything(door: Door, town: Town) -> None:
    hung(town, somebody(town))
    clerk = door.phone(town.clerk)
    found = told(clerk.get(f"/staff/wish-figures?region={town.wutong.key}"))
    assert found["communities"] == []
    assert found["figures"][0] == {
        "name": "claimed",
        "label": "认领率",
        "counted": None,
        "of": None,
        "rate": None,
        "is_hidden": True,
    }
    the_problem(clerk.get(f"/staff/wish-figures?region={town.east_street.key}"), 404, "not_found")
    the_problem(door.phone(town.resident).get("/staff/wish-figures"), 403, "identity_unfit")
    the_problem(door.phone(town.grid_worker).get("/staff/wish-figures"), 403, "identity_unfit")


def test_days_ahead_and_too_many_are_refused(door: Door, town: Town) -> None:
    clerk = door.phone(town.clerk)
    problem = the_problem(clerk.get("/staff/wish-figures?first=2026-11-21"), 409, "day_out_of_sight")
    assert [error["field"] for error in problem["errors"]] == ["first"]
    the_problem(clerk.get("/staff/wish-figures?first=2026-11-01&days=401"), 422, "invalid")
    the_problem(clerk.get("/staff/wish-figures?first=0001-01-01"), 409, "day_out_of_sight")


def test_a_unit_reads_its_own(door: Door, town: Town) -> None:
    found = told(door.phone(a_claimer(town.wutong)).get("/partner/wish-figures"))
    assert {one["name"] for one in found["figures"]}.isdisjoint({"claimed", "fulfilled"})
    assert all(one["of"] == 0 for one in found["figures"])
    the_problem(door.phone(town.clerk).get("/partner/wish-figures"), 403, "identity_unfit")


def test_the_sheet_says_the_same_and_who_took_it(door: Door, town: Town) -> None:
    for _ in range(5):
        hung(town, somebody(town))
    clerk = door.phone(town.clerk)
    sent = {"region": town.wutong.key, "first": "2026-11-20", "days": 7, "purpose": "季度通报"}
    answer = clerk.post("/staff/wish-sheets", json=sent)
    assert answer.status_code == 200
    page = load_workbook(BytesIO(answer.data)).worksheets[0]
    lines = [[cell.value for cell in row] for row in page.iter_rows()]
    (total,) = (line for line in lines if line[0] == "合计")
    assert total[1:4] == [0, 0, 5]
    assert any("季度通报" in str(line[0]) for line in lines)
    assert HIDDEN not in str(total)
    with reading() as session:
        (entry,) = session.scalars(
            select(JournalEntry).where(JournalEntry.act == "region.wish_figures_exported")
        )
        assert (entry.details, entry.identity) == ({"purpose": "季度通报"}, town.clerk.identity)
    elsewhere = sent | {"region": town.wangjiang.key}
    the_problem(clerk.post("/staff/wish-sheets", json=elsewhere), 409, "not_there")
