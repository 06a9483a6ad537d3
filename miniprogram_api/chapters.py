"""Chapters (章节) of the document: the operations of one door with what they speak of, so that a page of it is read at once however many there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_COMPONENTS = "#/components/"


def chapter_of(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The part of a whole OpenAPI document that is tagged with this name, as a document of its own: its operations, and what they refer to."""
    paths = {
        path: chosen
        for path, operations in document["paths"].items()
        if (chosen := _tagged(operations, name))
    }
    kept: dict[str, dict[str, Any]] = {"securitySchemes": document["components"]["securitySchemes"]}
    to_follow = list(_references(paths))
    while to_follow:
        kind, title = to_follow.pop().removeprefix(_COMPONENTS).split("/")
        if title not in kept.setdefault(kind, {}):
            kept[kind][title] = document["components"][kind][title]
            to_follow.extend(_references(kept[kind][title]))
    return {
        **document,
        "tags": [tag for tag in document["tags"] if tag["name"] == name],
        "paths": paths,
        "components": kept,
    }


def _tagged(operations: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The operations of an address with this tag, and what holds for each of them; nothing where there are none."""
    chosen = {
        method: told
        for method, told in operations.items()
        if not (isinstance(told, dict) and "responses" in told) or name in told.get("tags", ())
    }
    return chosen if any("responses" in told for told in chosen.values() if isinstance(told, dict)) else {}


def _references(told: object) -> Iterator[str]:
    """Every component something refers to, at whatever depth."""
    if isinstance(told, Mapping):
        for field, value in told.items():
            if field == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(told, list):
        for value in told:
            yield from _references(value)
