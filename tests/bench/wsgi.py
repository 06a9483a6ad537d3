"""What the bench serves: the product, and beside it the baselines its bars are ratios of.

* ``POST /bench/nothing``: behind the product's own door, the token verified as for a tap, and nothing done.
* ``GET /bench/nothing``: public, and nothing done.
* ``PUT /bench/orm-runs/{id}/registration``: registering as it is usually written, on tables of its own: the login looked up, the
  run locked, the seats counted, a row added, the answer shaped by marshmallow.
"""

# mypy: disallow-untyped-decorators=False
# the door's decorators come from flask-smorest's Blueprint, which ships no types

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

from flask import Flask
from marshmallow import Schema, fields
from sqlalchemy import ForeignKey, MetaData, UniqueConstraint, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from miniprogram_api.edge import Door, Needs, account
from models import clock
from models.base import UtcDateTime, db
from models.errors import NotFound
from models.residents import resident_of
from server.app import create_app
from server.settings import from_environment

FRESH_SECONDS = "BENCH_FRESH_SECONDS"  # 0 in the environment: lists are made anew for every reader

door = Door("bench", description="基准")


class BenchBase(DeclarativeBase):
    """Tables of the bench, apart from the product's."""

    metadata = MetaData()


class BenchRun(BenchBase):
    """A class as a first version would store it."""

    __tablename__ = "bench_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    capacity: Mapped[int]
    seats_taken: Mapped[int] = mapped_column(default=0)
    last_number: Mapped[int] = mapped_column(default=0)


class BenchRegistration(BenchBase):
    """A place in it."""

    __tablename__ = "bench_registrations"
    __table_args__ = (UniqueConstraint("run_id", "resident_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("bench_runs.id"), index=True)
    resident_id: Mapped[int]
    state: Mapped[str]
    number: Mapped[int]
    registered_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now)


class BenchRegistrationOut(Schema):
    """What the usual route answers."""

    state = fields.String(required=True)
    number = fields.Integer(required=True)
    registered_at = fields.AwareDateTime(required=True)


@door.post("/nothing", needs=Needs.SIGNATURE)
def do_nothing() -> dict[str, bool]:
    """The token is verified, nothing is done."""
    return {"ok": True}


@door.get("/nothing", needs=Needs.NOTHING)
def show_nothing() -> dict[str, bool]:
    """Nothing is done."""
    return {"ok": True}


@door.put("/orm-runs/<int:run_id>/registration")
@door.gives(BenchRegistrationOut)
def register_as_usual(run_id: int) -> Any:
    """Lock the run, look, count, add."""
    session = db.session()
    resident = resident_of(session, account())
    run = session.get(BenchRun, run_id, with_for_update=True)
    if run is None or resident is None:
        raise NotFound("没有找到")
    found = session.scalar(
        select(BenchRegistration).where(
            BenchRegistration.run_id == run.id, BenchRegistration.resident_id == resident.id
        )
    )
    if found is not None:
        return found
    before = session.scalar(select(func.count()).where(BenchRegistration.run_id == run.id)) or 0
    made = BenchRegistration(
        run_id=run.id,
        resident_id=resident.id,
        number=before + 1,
        state="confirmed" if before < run.capacity else "waitlisted",
    )
    session.add(made)
    return made


def create() -> Flask:
    """The product with the settings of the environment, and the baselines beside it."""
    fresh = os.environ.get(FRESH_SECONDS)
    settings = from_environment()
    app = create_app(settings) if fresh is None else create_app(settings, fresh_seconds=float(fresh))
    app.register_blueprint(door, url_prefix="/bench")
    return app
