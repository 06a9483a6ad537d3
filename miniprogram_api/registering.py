"""Registering people at the counter (柜台报名): who works for a community takes seats for the people they look after, and gives them up."""

from __future__ import annotations

from typing import Any

from miniprogram_api.counter import resident_at_the_counter, scope_of_hat
from miniprogram_api.edge import Door, account, caller, named_in, staff_hat
from miniprogram_api.rates import RateName
from miniprogram_api.schemas.courses import RegistrationOut
from miniprogram_api.schemas.registering import CounterListIn, CounterRowsOut, WithWhom
from models.base import db
from models.courses import (
    AtCounter,
    CourseRun,
    Standing,
    Tap,
    Wanting,
    published_run,
    register,
    register_each,
    run_for_staff,
)
from models.errors import Refusal
from models.staff import OFFICE, places_of

door = Door("registering", description="柜台报名")

OF_THE_OFFICE = "社区工作人员"
OF_A_GRID = "网格员"


@door.put("/staff/course-runs/<key:key>/registrations/<key:resident>", rate=RateName.COUNTER)
@door.takes(WithWhom, location="query")
@door.gives(RegistrationOut, refuses=(409, 422))
def take_seat_for_somebody(whom: dict[str, Any], key: str, resident: str) -> Standing:
    """替居民报名（工作人员）

    The tap of the phone, for somebody of the communities one works for: the same rules and the same answer every time. A seat held for the
    counter goes first. The person is told who registered them, by WeChat or else by short message or call; of a child, the guardian.
    409 ``profile_needed`` names what is still to be written down of them. In a run for pairs ``with`` is the adult who comes along with
    the child.
    """
    learner = resident_at_the_counter(resident)
    adult = _adult(whom.get("with_key"))
    run = published_run(db.session(), key)
    tap = Tap(run.key, "", for_key=learner.key, at_counter=_at_counter(run), with_key=adult)
    standing = register(db.session(), tap)
    if standing is None:
        raise AssertionError("wanting a seat is answered by a standing or a refusal")
    return standing


@door.delete("/staff/course-runs/<key:key>/registrations/<key:resident>", rate=RateName.COUNTER)
@door.gives(None, 204, refuses=(409,))
def give_seat_up_for_somebody(key: str, resident: str) -> None:
    """替居民取消报名（工作人员）

    The person is told who gave their place up. Having nothing to give up is fine.
    """
    whom = resident_at_the_counter(resident)
    run = published_run(db.session(), key)
    register(
        db.session(), Tap(run.key, "", Wanting.TO_GIVE_UP, for_key=whom.key, at_counter=_at_counter(run))
    )


@door.post("/staff/course-runs/<key:key>/registrations", rate=RateName.COUNTER)
@door.takes(CounterListIn)
@door.gives(CounterRowsOut)
def take_seats_for_many(sent: dict[str, Any], key: str) -> dict[str, Any]:
    """批量替居民报名（工作人员）

    For a list of people, in its order, in a run of the places one works for as an administrator or clerk: each by itself, so one that is
    refused says why and stops no other. Sent again, it answers the same.
    """
    session = db.session()
    run = run_for_staff(session, key, within=places_of(session, staff_hat(), *OFFICE))
    published_run(session, key)
    at_counter = _at_counter(run)
    rows: list[dict[str, Any]] = []
    taps: list[Tap] = []
    for wanted in dict.fromkeys(sent["residents"]):
        row: dict[str, Any] = {"resident": wanted, "registration": None, "refusal": None}
        rows.append(row)
        try:
            taps.append(Tap(run.key, "", for_key=resident_at_the_counter(wanted).key, at_counter=at_counter))
        except Refusal as refusal:
            row["refusal"] = refusal
    answers = iter(register_each(session, taps))
    for row in rows:
        if row["refusal"] is None:
            answer = next(answers)
            row["refusal" if isinstance(answer, Refusal) else "registration"] = answer
    refused = sum(row["refusal"] is not None for row in rows)
    return {"items": rows, "done": len(rows) - refused, "refused": refused}


def _adult(key: str | None) -> str | None:
    if key is None:
        return None
    with named_in("with"):
        return resident_at_the_counter(key).key


def _at_counter(run: CourseRun) -> AtCounter:
    scope, member = scope_of_hat(), staff_hat()
    return AtCounter(
        account_id=account().id,
        identity=caller().identity,
        name=member.name,
        says=OF_THE_OFFICE if scope.places else OF_A_GRID,
        gives_held_seats=scope.has(run.region),
    )
