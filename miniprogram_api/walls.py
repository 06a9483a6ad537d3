"""Pages of the wall (心愿墙), as everybody and as units look through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from miniprogram_api.cursors import after_rank, micros, page
from models.base import db
from models.regions import Region
from models.wishes import Mark, WallOrder, Wish, mark_of, round_by_key, wall


def page_of_wall(
    wanted: dict[str, Any], region: Region | None, *, among: Sequence[Region] | None = None
) -> dict[str, Any]:
    """A page of the wall of a place, or of everywhere, as a ``WallQuery`` asks for it."""
    session, limit, order = db.session(), wanted["limit"], wanted["order"]
    number = list(WallOrder).index(order)
    mark = after_rank(wanted.get("cursor"), number)
    rows = wall(
        session,
        region,
        among=among,
        kind=wanted.get("kind"),
        age_band=wanted.get("age_band"),
        in_round=round_by_key(session, wanted["round"]).id if "round" in wanted else None,
        order=order,
        after=Mark(*mark) if mark else None,
        most=limit + 1,
    )

    def written(wish: Wish) -> list[int]:
        ended = mark_of(wish, order)
        return [number, ended.priority, micros(ended.moment), ended.id]

    return page(rows, limit, written)
