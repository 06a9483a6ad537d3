"""The call list of those whom no message could tell, and who could be told of a change before it goes live: for staff."""

from __future__ import annotations

from typing import Any

from miniprogram_api.cursors import after_moment, micros, page
from miniprogram_api.edge import Door, account, caller, staff_hat
from miniprogram_api.installed import sms_gateway
from miniprogram_api.schemas.ladder import CallOut, CallOutcomeIn, CallsOut, CallsQuery, ReachOut, ReachQuery
from models.base import db
from models.courses import people_to_tell, run_for_staff
from models.journal import enter, enter_each
from models.ladder import Call, CallScope, Rung, call_within, calls_within, reach_of, write_outcome
from models.ladder.calls import TO_DO
from models.staff import OFFICE, Role, places_of

door = Door("ladder", description="电话任务与通知到位情况")


@door.get("/staff/calls", looks=True)
@door.takes(CallsQuery, location="query")
@door.gives(CallsOut, refuses=(422,))
def list_calls(wanted: dict[str, Any]) -> dict[str, Any]:
    """电话任务（工作人员）

    Whom somebody of the community is to call because neither WeChat nor a short message could tell them, with what to say; the one
    due first in front. Without ``state``, those that are still to be made. For administrators, clerks and grid workers of the
    person's community. Every look is journalled, person by person.
    """
    session = db.session()
    states = [wanted["state"]] if "state" in wanted else TO_DO
    limit = wanted["limit"]
    calls = calls_within(
        session, _scope(), states=states, after=after_moment(wanted.get("cursor")), most=limit + 1
    )
    enter_each(
        session,
        "call.looked_at",
        [(call, call.resident_id) for call in calls[:limit]],
        by_account_id=account().id,
        identity=caller().identity,
    )
    return page(calls, limit, lambda call: [micros(call.due_at), call.id])


@door.put("/staff/calls/<key:key>/outcome")
@door.takes(CallOutcomeIn)
@door.gives(CallOut, refuses=(409, 422))
def write_call_outcome(sent: dict[str, Any], key: str) -> Call:
    """记录电话结果（工作人员）

    What came of one try. ``not_reached`` brings the call back to the list some hours later; a ``wrong_number`` is not used for this
    person again. ``attempt`` is which try this was: told twice it counts once, and 409 ``call_moved_on`` says that somebody else tried
    meanwhile.
    """
    session = db.session()
    return write_outcome(
        session,
        call_within(session, _scope(), key),
        sent["outcome"],
        attempt=sent["attempt"],
        by=staff_hat(),
        by_account_id=account().id,
        note=sent["note"],
    )


@door.get("/staff/course-runs/<key:key>/reach", looks=True)
@door.takes(ReachQuery, location="query")
@door.gives(ReachOut, refuses=(422,))
def show_reach(wanted: dict[str, Any], key: str) -> dict[str, Any]:
    """通知到位情况（工作人员）

    Of everybody with a place in the run or its queue: how many WeChat could tell now, how many a short message, how many only a call,
    how many nothing at all, and who the last two are. To be looked at before a change goes live. For administrators and clerks of the
    run's community or above; every look is journalled.
    """
    session = db.session()
    run = run_for_staff(session, key, within=places_of(session, staff_hat(), *OFFICE))
    people = people_to_tell(session, run)
    reach = reach_of(session, people, wanted["moment"], sends_short_messages=sms_gateway().carries)
    enter(
        session,
        "reach.looked_at",
        run,
        by_account_id=account().id,
        identity=caller().identity,
        details={"lines": len(reach.unreachable)},
    )
    return {
        "moment": wanted["moment"],
        "people": len(people),
        "by_wechat": reach.by(Rung.WECHAT),
        "by_short_message": reach.by(Rung.SHORT_MESSAGE),
        "by_call": reach.by(Rung.CALL),
        "not_at_all": reach.by(Rung.NONE),
        "summary": _summary(len(people), len(reach.unreachable)),
        "unreachable": reach.unreachable,
    }


def _summary(people: int, unreachable: int) -> str:
    if not people:
        return "还没有人报名"
    if not unreachable:
        return f"{people} 人都能收到消息"
    return f"{people} 人中有 {unreachable} 人收不到消息，需要打电话或上门"


def _scope() -> CallScope:
    session, member = db.session(), staff_hat()
    return CallScope(
        places=places_of(session, member, *OFFICE),
        grids=places_of(session, member, Role.GRID_WORKER),
    )
