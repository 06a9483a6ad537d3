"""Issue orders (街道清单 · 联席会议): what the street does about wishes nobody took on, and about those that are public works.

An item is assigned to a unit or a department with a day, goes back to the community, or is answered in writing; its wish, its clocks and its
thread go on meanwhile. The committee meets about what waits; no item waits for a meeting.
"""

from __future__ import annotations

from models.issue_orders.agenda import agenda_of, put_on_agenda
from models.issue_orders.assigning import (
    assign_order,
    assigned_claim,
    recall_order,
    unit_to_assign,
    units_to_assign,
)
from models.issue_orders.attending import claims_on_agendas, count_on_agendas, meeting_of, meetings_of
from models.issue_orders.calling import owe_meeting_notices
from models.issue_orders.converting import convert_wish
from models.issue_orders.deciding import LEAST_ANSWER, say_cannot, send_back_order
from models.issue_orders.finding import (
    count_orders_overdue,
    count_orders_waiting,
    count_quarters_without_meeting,
    order_within,
    orders_by_keys,
    orders_within,
    wish_to_read,
)
from models.issue_orders.meetings import (
    MeetingPlan,
    call_off_meeting,
    change_meeting,
    meeting_within,
    meetings_within,
    plan_meeting,
)
from models.issue_orders.truth import meetings_still_true
from models.wishes.street import (
    LONGEST_PLACE,
    IssueOrder,
    IssueSource,
    JointMeeting,
    OrderState,
)

__all__ = [
    "LEAST_ANSWER",
    "LONGEST_PLACE",
    "IssueOrder",
    "IssueSource",
    "JointMeeting",
    "MeetingPlan",
    "OrderState",
    "agenda_of",
    "assign_order",
    "assigned_claim",
    "call_off_meeting",
    "change_meeting",
    "claims_on_agendas",
    "convert_wish",
    "count_on_agendas",
    "count_orders_overdue",
    "count_orders_waiting",
    "count_quarters_without_meeting",
    "meeting_of",
    "meeting_within",
    "meetings_of",
    "meetings_still_true",
    "meetings_within",
    "order_within",
    "orders_by_keys",
    "orders_within",
    "owe_meeting_notices",
    "plan_meeting",
    "put_on_agenda",
    "recall_order",
    "say_cannot",
    "send_back_order",
    "unit_to_assign",
    "units_to_assign",
    "wish_to_read",
]
