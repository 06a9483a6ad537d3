"""The places people can belong to."""

from __future__ import annotations

from tests.people import Town
from tests.phones import Door, told


def test_everybody_sees_the_places_parents_first_down_to_communities(door: Door, town: Town) -> None:
    items = told(door.phone().get("/regions"))["items"]
    assert [(item["kind"], item["name"]) for item in items] == [
        ("district", "清河区"),
        ("street", "东街街道"),
        ("community", "梧桐里社区"),
        ("street", "西街街道"),
        ("community", "望江社区"),
    ]
    assert items[0]["parent"] is None
    seen: set[str] = set()
    for item in items:
        assert item["parent"] is None or item["parent"]["key"] in seen
        seen.add(item["key"])
