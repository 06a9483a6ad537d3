"""Names (叫法): what a clerk may write for a place that is known, on file or in the same file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Generic, TypeVar

from server.timetable.faults import shown
from server.timetable.naming import Unknown, folded, suggest

Thing = TypeVar("Thing")


class Names(Generic[Thing]):
    """Places of one sort by every name that means them. ``what`` is the sort: 区域, 站点."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._things: dict[str, list[Thing]] = defaultdict(list)
        self._plain: dict[str, None] = {}
        self._full: dict[str, list[str]] = defaultdict(list)
        self._spoilt: set[str] = set()

    def add(self, thing: Thing, name: str, *, others: Iterable[str], full: str) -> None:
        """Know a place by its name and by others; ``full`` is what to write where two share a name."""
        self._plain[name] = None
        for called in dict.fromkeys(folded(one) for one in (name, *others)):
            self._things[called].append(thing)
            self._full[called].append(full)

    def spoil(self, name: str) -> None:
        """Remember the name of a row that has faults: who refers to it is not told a second time."""
        self._spoilt.add(folded(name))

    def named(self, written: str) -> Thing | None:
        """The one place of this name, None when its own row has faults. Raises Unknown with the nearest, or when there are several."""
        called = folded(written)
        found = self._things.get(called, [])
        if len(found) == 1:
            return found[0]
        if found:
            raise Unknown(
                f"叫“{shown(written)}”的{self._what}有 {len(found)} 个",
                f"请写成{'或'.join(f'“{full}”' for full in self._full[called])}",
            )
        if called in self._spoilt:
            return None
        raise Unknown(
            f"没有叫“{shown(written)}”的{self._what}",
            suggest(written, list(self._plain)) or f"请先写在“{self._what}”表里",
        )
