"""Naming (地名对照): which community a sheet means and which room a cell names; the nearest known when none does."""

from __future__ import annotations

import difflib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.regions import Region, RegionKind
from models.sites import Venue, venues_within
from server.timetable.faults import shown

NEAR_ENOUGH = 0.34
MOST_LISTED = 30


class Unknown(Exception):
    """Nothing is called so, or several things are. ``message`` says which, ``advice`` what to write instead."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message, advice)
        self.message = message
        self.advice = advice


def folded(name: str) -> str:
    """A name made easy to compare: half-width, no white space, no case."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


class Communities:
    """The town's communities by name: 梧桐里, 梧桐里社区, and 书香街道梧桐里社区 where two are called alike."""

    def __init__(self, session: Session) -> None:
        self._known = session.scalars(
            select(Region)
            .options(joinedload(Region.parent))
            .where(Region.kind == RegionKind.COMMUNITY)
            .order_by(Region.path)
        ).all()
        self._by_name: dict[str, list[Region]] = defaultdict(list)
        for region in self._known:
            above = region.parent.name if region.parent else ""
            for name in {bare_name(region.name), bare_name(above + region.name)}:
                self._by_name[name].append(region)

    def named(self, name: str) -> Region:
        """The community of this name. Raises Unknown with the nearest one, or when two are called so."""
        found = self._by_name.get(bare_name(name), [])
        if len(found) == 1:
            return found[0]
        if found:
            full = [f"{region.parent.name if region.parent else ''}{region.name}" for region in found]
            raise Unknown(f"叫“{shown(name)}”的社区有 {len(found)} 个", f"请写成{_or(full)}")
        names = [region.name for region in self._known]
        raise Unknown(
            f"没有登记过叫“{shown(name)}”的社区",
            suggest(name, names) or "系统里还没有登记任何社区，请先用 flask places import 登记",
        )


class Rooms:
    """The rooms of one community by name: 书画室, or with its site in front where two are called alike."""

    def __init__(self, session: Session, community: Region) -> None:
        self._community = community.name
        self._known: Sequence[Venue] = venues_within(session, community)
        self._by_name: dict[str, list[Venue]] = defaultdict(list)
        for venue in self._known:
            for name in {folded(venue.name), folded(venue.site.name + venue.name)}:
                self._by_name[name].append(venue)

    def named(self, name: str) -> Venue:
        """The room of this name. Raises Unknown with the nearest one and all there are, or when two are called so."""
        found = self._by_name.get(folded(name), [])
        if len(found) == 1:
            return found[0]
        if found:
            full = [f"{venue.site.name}{venue.name}" for venue in found]
            raise Unknown(f"{self._community}有 {len(found)} 个“{shown(name)}”", f"请写成{_or(full)}")
        names = list(dict.fromkeys(venue.name for venue in self._known))
        raise Unknown(
            f"{self._community}没有叫“{shown(name)}”的场地",
            suggest(name, names) or f"{self._community}还没有登记场地，请先用 flask places import 登记",
        )


def bare_name(community: str) -> str:
    """A community's name to compare by, with or without the ending 社区."""
    return folded(community).removesuffix("社区")


def suggest(name: str, known: Sequence[str]) -> str:
    """The nearest of the known names and the list of them; nothing when none is known."""
    if not known:
        return ""
    by_name = {folded(one): one for one in known}
    near = difflib.get_close_matches(folded(name), by_name, n=1, cutoff=NEAR_ENOUGH)
    nearest = f"是不是“{by_name[near[0]]}”？" if near else ""
    more = f"等 {len(known)} 个" if len(known) > MOST_LISTED else ""
    return f"{nearest}可以写的有：{'、'.join(known[:MOST_LISTED])}{more}"


def _or(names: Iterable[str]) -> str:
    return "或".join(f"“{shown(name)}”" for name in names)
