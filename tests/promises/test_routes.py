"""Every route: closed unless it stands on a short list, documented, and blind towards outsiders."""

from __future__ import annotations

import re
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from sqlalchemy import ColumnElement, select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from models import clock as town_clock
from models.agreements import Block, Record, Terms, draft_agreement, put_in_force, record_delivery
from models.base import db, reading, transaction
from models.consents import PRIVACY_POLICY
from models.content_checks import RESIDENT_NAME, Finding, HeldBecause, Subject, hold_text
from models.courses import (
    Certificate,
    CourseRun,
    Feedback,
    QuestionKind,
    QuestionPlan,
    Registration,
    answer_questions,
    ask_questions,
    questions_of,
)
from models.courses.attendance import AbsenceAppeal, Attendance, AttendanceState, RecordedHow
from models.courses.pauses import Pause
from models.equipment import add_equipment
from models.groups import GroupKind, GroupWords, apply_for_group
from models.issue_orders import MeetingPlan, plan_meeting
from models.ladder import Call
from models.notices import Notice
from models.partners import Partner, known_members, pairings_of
from models.photos import hang_photo
from models.regions import Region
from models.reservations import CreditWhy
from models.reservations.charging import charge
from models.staff import Role
from models.wishes import Wish, add_photo, approve_wish
from models.wishes.claims import WISH_PROMISE, agree_to_claim, show_what_was_brought
from server.jobs.ladder import send_short_messages
from server.wechat_sandbox import create_sandbox
from tests.claims import a_claimer, by_unit, claims, does
from tests.closing import closes, question_about
from tests.databases import Rows, photograph
from tests.people import (
    Person,
    Town,
    UnitMember,
    Worker,
    a_bond,
    a_member_of,
    a_partner_member,
    a_person_without_phone,
    a_staff_member,
    a_unit,
    a_venue,
)
from tests.phones import Door, Phone, told
from tests.rooms import a_centre, again, at, takes
from tests.streets import LIGHT, a_department, an_officer, converts
from tests.wishes import CARD, a_round, by_resident, by_staff, say, wishes

# what anybody may ask without a login, and why
OPEN = {
    "POST /api/v1/login": "this is how one gets a token",
    "GET /api/v1/sites": "where one can go, and when, is for everybody",
    "GET /api/v1/sites/<key:key>": "the same",
    "GET /api/v1/wishes": "the wall is for everybody, and says nobody's name",
    "GET /api/v1/wishes/<key:key>": "the same",
    "GET /api/v1/wish-promise": "what units promise is for everybody to read",
    "GET /api/v1/regions/<key:key>/wish-rounds": "what is collected is for everybody",
    "GET /api/v1/wish-photos/<key:key>": "the address is signed, and good for an hour or two",
    "GET /api/v1/wish-photos/<key:key>/thumbnail": "the same",
    "GET /api/v1/photos/<key:key>": "how a room looks is for everybody",
    "GET /api/v1/photos/<key:key>/thumbnail": "the same",
    "GET /api/v1/venues/<key:key>": "the same",
    "GET /api/v1/sites/<key:key>/availability": "one sees what is free before one logs in, and never who holds what",
    "GET /api/v1/venues/<key:key>/availability": "the same",
    "GET /api/v1/sites/<key:key>/today": "what is on in the house is for everybody, and never who",
    "GET /api/v1/sites/<key:key>/closures": "why one cannot have a room is for everybody",
    "GET /api/v1/regions": "one chooses a home before being known",
    "GET /api/v1/course-runs": "browsing needs no login",
    "GET /api/v1/course-runs/<key:key>": "browsing needs no login",
    "GET /api/v1/course-runs/<key:key>/draw": "anybody may repeat a draw",
    "GET /api/v1/course-runs/<key:key>/draw/tickets": "anybody may repeat a draw",
    "GET /api/v1/course-runs/<key:key>/questions": "one sees what is asked before one logs in",
    "GET /api/v1/certificates/<code>": "whoever is shown one may check it",
    "GET /api/v1/course-runs/<key:key>/rating": "browsing needs no login",
    "GET /api/v1/course-runs/<key:key>/calendar": "browsing needs no login",
    "GET /api/v1/calendars/<token>.ics": "a phone's calendar has no login: its signed address is the key",
    "GET /api/v1/room-calendars/<token>.ics": "the same of a room",
    "GET /api/v1/regions/<key:key>/days/<day:day>": "browsing needs no login",
    "GET /days/<key:key>/<day:day>": "a link people pass on, also outside WeChat",
    "GET /certificates/<code>": "where the QR code on the paper leads",
    "GET /days/<path:rest>": "such a link, cut short on its way",
    "GET /api/v1/privacy-policy": "one reads it before agreeing",
    "GET /api/v1/room-pledge": "one reads it before promising",
    "GET /api/v1/message-grants/prompts": "the same for everybody",
    "GET /api/v1/scenes/<key:key>": "whoever scans a printed code is nobody yet",
    "GET /api/v1/course-runs/<key:key>/code": "the picture on a poster",
    "GET /screens/<string(length=48):token>": "the screen in the room has no login: its signed link is the key",
    "GET /screens/<any('screen.css', 'screen.js', 'hall.css', 'hall.js'):name>": "what such pages are made of",
    "GET /sites/<key:key>/today": "what is on is for everybody, also outside WeChat",
    "GET /sites/<key:key>/screen": "the screen in the hall has no login, and names nobody",
    "GET /api/v1/course-sessions/<key:key>/code": "the picture on the door of the room",
    "GET /api/v1/sites/<key:key>/code": "the picture at the entrance",
    "GET /": "it leads to the document",
    "GET /api/openapi.json": "the document",
    "GET /api/docs": "the document, to read",
    "GET /api/docs/<name>": "what the page is made of",
    "GET /wechat/push": "WeChat has no login here: its signature is checked",
    "POST /wechat/push": "WeChat has no login here: its signature is checked",
    "GET /healthz": "probes know nobody",
    "GET /readyz": "probes know nobody",
}
# what stands behind a key that is private to somebody
PRIVATE = {
    "GET /api/v1/staff/course-runs/<key:key>/registrations",
    "GET /api/v1/staff/course-runs/<key:key>",
    "GET /api/v1/staff/course-runs/<key:key>/reach",
    "GET /api/v1/staff/residents/<key:key>",
    "GET /api/v1/staff/partners/<key:key>",
    "GET /api/v1/staff/partners/<key:key>/card",
    "GET /api/v1/staff/partners/<key:key>/hours",
    "GET /api/v1/staff/partners/<key:key>/members",
    "GET /api/v1/staff/service-agreements/<key:key>",
    "GET /api/v1/staff/service-agreements/<key:key>/deliveries",
    "GET /api/v1/partner/service-agreements/<key:key>/deliveries",
    "GET /api/v1/course-runs/<key:key>/registration",
    "GET /api/v1/course-sessions/<key:key>/check-in",
    "GET /api/v1/course-runs/<key:key>/pick-up-adults",
    "GET /api/v1/staff/course-sessions/<key:key>/pick-ups",
    "GET /api/v1/staff/course-sessions/<key:key>/attendance",
    "GET /api/v1/course-runs/<key:key>/answers",
    "GET /api/v1/course-runs/<key:key>/feedback",
    "GET /api/v1/course-runs/<key:key>/certificate",
    "GET /api/v1/course-runs/<key:key>/certificate/file",
    "GET /api/v1/staff/course-runs/<key:key>/certificates",
    "GET /api/v1/staff/course-runs/<key:key>/feedback",
    "GET /api/v1/staff/course-runs/<key:key>/questions",
    "GET /api/v1/staff/course-runs/<key:key>/answers",
    "GET /api/v1/staff/venues/<key:key>/policies",
    "GET /api/v1/staff/venues/<key:key>/code",
    "GET /api/v1/staff/venues/<key:key>/calendar",
    "GET /api/v1/staff/venues/<key:key>/inductions",
    "GET /api/v1/reservations/<key:key>",
    "GET /api/v1/staff/reservations/<key:key>",
    "GET /api/v1/room-questions/<key:key>",
    "GET /api/v1/staff/closures/<key:key>",
    "GET /api/v1/staff/closures/<key:key>/questions",
    "GET /api/v1/me/wishes/<key:key>",
    "GET /api/v1/staff/wishes/<key:key>",
    "GET /api/v1/staff/claims/<key:key>",
    "GET /api/v1/staff/claims/<key:key>/contacts",
    "GET /api/v1/staff/issue-orders/<key:key>",
    "GET /api/v1/staff/joint-meetings/<key:key>",
    "GET /api/v1/partner/joint-meetings/<key:key>",
    "GET /api/v1/partner/claims/<key:key>",
    "GET /api/v1/partner/claims/<key:key>/contacts",
    "GET /api/v1/partner/claims/<key:key>/helpers",
}
INVENTED = "a" * 16
SATURDAY_AT_NINE = {
    "starts_at": "2026-11-21T09:00:00+08:00",
    "ends_at": "2026-11-21T11:00:00+08:00",
    "headcount": 5,
    "wanted_for": "reading",
}
BECAUSE = {"because": "老师出差"}
A_PROMISE = {"plan": "周末上门", "promised_on": "2026-11-30", "promise": WISH_PROMISE.version}
HEARD = {"how": "visit", "note": "老人说好了"}
A_MEETING = {"title": "联席会议", "starts_at": "2026-12-10T09:00:00+08:00", "place": "三楼"}
A_SERVICE = {"done_on": "2026-11-17", "minutes": 90, "what": "理发", "people_served": 3}
# what changes something behind a key that is private to somebody, with what a sound request says
CHANGING: dict[str, dict[str, Any]] = {
    "PUT /api/v1/staff/course-runs/<key:key>": {
        "teacher": "周老师",
        "capacity": 20,
        "opens_at": "2026-11-20T10:00:00+08:00",
        "evenings": [
            {
                "starts_at": "2026-12-04T18:00:00+08:00",
                "ends_at": "2026-12-04T19:30:00+08:00",
                "venue": "a" * 16,
            }
        ],
    },
    "PUT /api/v1/staff/course-runs/<key:key>/opening-decision": {"decision": "run", **BECAUSE},
    "POST /api/v1/staff/course-runs/<key:key>/copy": {"first_on": "2027-03-04"},
    "PUT /api/v1/staff/course-runs/<key:key>/draw": {},
    "PUT /api/v1/staff/course-runs/<key:key>/held-seats": {"seats": 2},
    "PUT /api/v1/staff/course-runs/<key:key>/registrations/<key:registration>/admission": {},
    "PUT /api/v1/staff/course-runs/<key:key>/registrations/<key:registration>/rejection": BECAUSE,
    "PUT /api/v1/staff/course-runs/<key:key>/submission": {},
    "PUT /api/v1/staff/sites/<key:key>/hours": {"items": []},
    "PUT /api/v1/staff/venues/<key:key>": {"floor": "2楼", "use": "walk_in", "access_note": None},
    "PUT /api/v1/staff/venues/<key:key>/hours": {"items": []},
    "PUT /api/v1/staff/venues/<key:key>/calendar": {},
    "DELETE /api/v1/staff/venues/<key:key>/calendar": {},
    "PUT /api/v1/staff/venues/<key:key>/inductions/<key:resident>": {"done_on": None},
    "DELETE /api/v1/staff/venues/<key:key>/inductions/<key:resident>": {},
    "POST /api/v1/staff/sites/<key:key>/sheets": {
        "kind": "calendar",
        "first": "2026-11-21",
        "days": 7,
        "purpose": "贴在大厅",
    },
    "POST /api/v1/staff/sites/<key:key>/equipment": {"name": "投影仪", "stock": 2, "venue": None},
    "POST /api/v1/staff/venues/<key:key>/photos": {"photo": b"no picture"},
    "PUT /api/v1/staff/venues/<key:key>/photos": {"items": []},
    "DELETE /api/v1/staff/photos/<key:key>": {},
    "PUT /api/v1/staff/equipment/<key:key>": {"name": "幕布", "stock": 1, "venue": None},
    "DELETE /api/v1/staff/equipment/<key:key>": {},
    "PUT /api/v1/staff/venues/<key:key>/policies": {"items": [{"name": "reserve_days", "value": "3"}]},
    "PUT /api/v1/staff/course-runs/<key:key>/objection": BECAUSE,
    "PUT /api/v1/staff/course-runs/<key:key>/publication": {},
    "DELETE /api/v1/staff/course-runs/<key:key>/publication": {},
    "PUT /api/v1/staff/course-runs/<key:key>/cancellation": BECAUSE,
    "PUT /api/v1/staff/course-runs/<key:key>/completion": {},
    "PUT /api/v1/staff/course-runs/<key:key>/answers/<key:resident>": {"answers": []},
    "PUT /api/v1/staff/certificates/<key:key>/revocation": BECAUSE,
    "PUT /api/v1/staff/course-runs/<key:key>/questions": {
        "questions": [{"kind": "text", "title": "想学什么"}]
    },
    "PUT /api/v1/staff/course-sessions/<key:key>/time": {
        "starts_at": "2026-12-04T18:00:00+08:00",
        "ends_at": "2026-12-04T19:30:00+08:00",
        **BECAUSE,
    },
    "PUT /api/v1/staff/course-sessions/<key:key>/cancellation": BECAUSE,
    "POST /api/v1/staff/course-runs/<key:key>/sheets": {"kind": "roster", "purpose": "核对名单"},
    "PUT /api/v1/staff/course-sessions/<key:key>/screen": {},
    "DELETE /api/v1/staff/course-sessions/<key:key>/screen": {},
    "POST /api/v1/staff/course-sessions/<key:key>/check-ins": {"code": f"{'a' * 16}.0000000000.{'0' * 20}"},
    "POST /api/v1/staff/course-sessions/<key:key>/check-ins/batch": {
        "items": [{"event": "1", "seen_at": "2026-12-03T18:00:00+08:00", "registration": "a" * 16}]
    },
    "PUT /api/v1/staff/course-sessions/<key:key>/attendance": {
        "rows": [{"registration": "a" * 16, "state": "present"}]
    },
    "PUT /api/v1/staff/absence-appeals/<key:key>/decision": {"decision": "granted", **BECAUSE},
    "PUT /api/v1/staff/pauses/<key:key>/lifting": BECAUSE,
    "PUT /api/v1/staff/course-sessions/<key:key>/pick-ups": {"registration": "a" * 16, "adult": "b" * 16},
    "DELETE /api/v1/staff/scenes/<key:key>": {},
    "POST /api/v1/staff/notices/<key:key>/sending": {},
    "PUT /api/v1/staff/calls/<key:key>/outcome": {"outcome": "reached", "attempt": 1},
    "PUT /api/v1/staff/content-checks/<key:key>/decision": {"decision": "approve"},
    "PUT /api/v1/me/notices/<key:key>/reading": {},
    "DELETE /api/v1/me/helpers/<key:key>": {},
    "PUT /api/v1/staff/residents/<key:key>/consent": {
        "version": PRIVACY_POLICY.version,
        "given_by": "oneself",
    },
    "DELETE /api/v1/staff/residents/<key:key>/consent": {},
    "POST /api/v1/staff/residents/<key:key>/bonds": {
        "code": "00000000",
        "kind": "family_helper",
        "agreed_how": "本人当面同意",
    },
    "POST /api/v1/staff/residents/<key:key>/joining-codes": {},
    "PUT /api/v1/staff/residents/<key:key>": {"name": "孙奶奶"},
    "DELETE /api/v1/staff/residents/<key:key>": {},
    "DELETE /api/v1/staff/bonds/<key:key>": {},
    "PUT /api/v1/staff/course-runs/<key:key>/registrations/<key:resident>": {},
    "DELETE /api/v1/staff/course-runs/<key:key>/registrations/<key:resident>": {},
    "POST /api/v1/staff/course-runs/<key:key>/registrations": {"residents": [INVENTED]},
    "PUT /api/v1/staff/residents/<key:key>/home": {"home_community": INVENTED},
    "DELETE /api/v1/reservations/<key:key>": {},
    "PUT /api/v1/reservations/<key:key>/acceptance": {},
    "PUT /api/v1/reservations/<key:key>/check-in": {"door_code": "000000"},
    "PUT /api/v1/reservations/<key:key>/sign-out": {},
    "PUT /api/v1/reservations/<key:key>/equipment": {"equipment": []},
    "PUT /api/v1/me/credit-entries/<key:key>/appeal": {"words": "家里有急事"},
    "POST /api/v1/staff/venues/<key:key>/reservations": SATURDAY_AT_NINE,
    "POST /api/v1/staff/venues/<key:key>/check-ins": {"code": "000000"},
    "PUT /api/v1/staff/venues/<key:key>/door-code": {},
    "PUT /api/v1/staff/reservations/<key:key>/approval": {},
    "PUT /api/v1/staff/reservations/<key:key>/rejection": BECAUSE,
    "PUT /api/v1/staff/reservations/<key:key>/acceptance": {},
    "PUT /api/v1/staff/reservations/<key:key>/cancellation": BECAUSE,
    "PUT /api/v1/staff/reservations/<key:key>/check-in": {},
    "PUT /api/v1/staff/reservations/<key:key>/sign-out": {},
    "PUT /api/v1/staff/reservations/<key:key>/damage": {"note": "白板裂了"},
    "PUT /api/v1/staff/credit-entries/<key:key>/decision": {"granted": True, **BECAUSE},
    "PUT /api/v1/staff/credit-entries/<key:key>/excuse": BECAUSE,
    "PUT /api/v1/me/wishes/<key:key>": {"words": "想学用手机", "kind": "service"},
    "DELETE /api/v1/me/wishes/<key:key>": {},
    "PUT /api/v1/me/wishes/<key:key>/sharing": {"may_share": True},
    "POST /api/v1/me/wishes/<key:key>/urge": {},
    "POST /api/v1/me/wishes/<key:key>/photos": {"photo": b"no picture"},
    "DELETE /api/v1/me/wish-photos/<key:key>": {},
    "PUT /api/v1/staff/wishes/<key:key>/card": {"title": "想学用手机", "words": "想请人教用手机"},
    "PUT /api/v1/staff/wishes/<key:key>/question": BECAUSE,
    "PUT /api/v1/staff/wishes/<key:key>/rejection": BECAUSE,
    "DELETE /api/v1/staff/wish-photos/<key:key>": {},
    "PUT /api/v1/staff/wishes/<key:key>/dispatch": {"partner": INVENTED},
    "PUT /api/v1/me/claims/<key:key>/confirmation": {},
    "PUT /api/v1/me/claims/<key:key>/dispute": BECAUSE,
    "PUT /api/v1/me/claims/<key:key>/rating": {"level": 5},
    "PUT /api/v1/partner/wishes/<key:key>/claim": A_PROMISE,
    "PUT /api/v1/partner/claims/<key:key>/acceptance": A_PROMISE,
    "PUT /api/v1/partner/claims/<key:key>/refusal": BECAUSE,
    "PUT /api/v1/partner/claims/<key:key>/contact": {},
    "PUT /api/v1/partner/claims/<key:key>/extension": BECAUSE | {"to": "2026-12-05"},
    "PUT /api/v1/partner/claims/<key:key>/return": BECAUSE,
    "PUT /api/v1/partner/claims/<key:key>/delivery": {"evidence": "tap"},
    "POST /api/v1/partner/claims/<key:key>/photos": {"photo": b"no picture"},
    "DELETE /api/v1/partner/claim-photos/<key:key>": {},
    "PUT /api/v1/partner/claims/<key:key>/lead": {},
    "PUT /api/v1/partner/claims/<key:key>/help": {},
    "DELETE /api/v1/partner/claims/<key:key>/help": {},
    "PUT /api/v1/staff/claims/<key:key>/agreement": {},
    "PUT /api/v1/staff/claims/<key:key>/refusal": BECAUSE,
    "PUT /api/v1/staff/claims/<key:key>/contact": {},
    "PUT /api/v1/staff/claims/<key:key>/delivery": {"evidence": "tap"},
    "PUT /api/v1/staff/claims/<key:key>/end": BECAUSE,
    "PUT /api/v1/staff/claims/<key:key>/transfer": BECAUSE | {"partner": INVENTED},
    "PUT /api/v1/staff/claims/<key:key>/lead": {"member": INVENTED},
    "PUT /api/v1/staff/claims/<key:key>/confirmation": HEARD,
    "PUT /api/v1/staff/claims/<key:key>/dispute": HEARD,
    "PUT /api/v1/staff/claims/<key:key>/rating": {"level": 5, "how": "visit"},
    "PUT /api/v1/staff/claims/<key:key>/care-call": {"note": "已道歉"},
    "PUT /api/v1/staff/claims/<key:key>/mending": {"note": "已修好"},
    "PUT /api/v1/staff/wishes/<key:key>/conversion": {"title": "路灯不亮", "words": "小区门口的路灯不亮"},
    "PUT /api/v1/staff/issue-orders/<key:key>/assignment": {"partner": INVENTED, "until": "2026-12-01"},
    "PUT /api/v1/staff/issue-orders/<key:key>/recall": BECAUSE,
    "PUT /api/v1/staff/issue-orders/<key:key>/sending-back": BECAUSE,
    "PUT /api/v1/staff/issue-orders/<key:key>/answer": {"because": "这段路归开发商管，街道没有经费更换"},
    "PUT /api/v1/staff/joint-meetings/<key:key>": A_MEETING,
    "PUT /api/v1/staff/joint-meetings/<key:key>/cancellation": BECAUSE,
    "POST /api/v1/staff/departments/<key:key>/invitations": {},
    "PUT /api/v1/staff/wish-rounds/<key:key>": {
        "title": "春节",
        "collects_from": "2026-12-01",
        "collects_until": "2026-12-20",
        "shown_on": "2026-12-25",
    },
    "PUT /api/v1/me/groups/<key:key>": {"name": "望江合唱团", "kind": "chorus", "members": 12},
    "DELETE /api/v1/me/groups/<key:key>": {},
    "POST /api/v1/me/groups/<key:key>/handover-codes": {},
    "PUT /api/v1/staff/groups/<key:key>/approval": {},
    "PUT /api/v1/staff/service-agreements/<key:key>/commencement": {"leave_out": []},
    "PUT /api/v1/staff/service-agreements/<key:key>/ending": BECAUSE,
    "POST /api/v1/staff/service-agreements/<key:key>/deliveries": A_SERVICE,
    "POST /api/v1/partner/service-agreements/<key:key>/deliveries": A_SERVICE,
    "PUT /api/v1/staff/service-deliveries/<key:key>/confirmation": {},
    "PUT /api/v1/staff/service-deliveries/<key:key>/declining": BECAUSE,
    "PUT /api/v1/staff/partners/<key:key>": {
        "name": "望江茶馆",
        "kind": "neighbour",
        "credit_code": "91350100M000100Y43",
        "region": INVENTED,
        "contact_name": "老赵",
        "contact_phone": "13900000009",
    },
    "PUT /api/v1/staff/partners/<key:key>/approval": {},
    "PUT /api/v1/staff/partners/<key:key>/rejection": BECAUSE,
    "PUT /api/v1/staff/partners/<key:key>/suspension": BECAUSE,
    "DELETE /api/v1/staff/partners/<key:key>/suspension": {},
    "PUT /api/v1/staff/partners/<key:key>/renewal": {},
    "POST /api/v1/staff/partners/<key:key>/invitations": {},
    "DELETE /api/v1/staff/partners/<key:key>/invitations": {},
    "DELETE /api/v1/staff/partner-members/<key:key>": {},
    "PUT /api/v1/staff/pairings/<key:key>/agreement": {},
    "PUT /api/v1/staff/pairings/<key:key>/ending": BECAUSE,
    "PUT /api/v1/staff/pairings/<key:key>/trust": {},
    "DELETE /api/v1/staff/pairings/<key:key>/trust": {},
    "PUT /api/v1/partner/pairings/<key:key>/ending": BECAUSE,
    "PUT /api/v1/partner/members/<key:key>/management": {},
    "DELETE /api/v1/partner/members/<key:key>": {},
    "DELETE /api/v1/me/partner-memberships/<key:key>": {},
    "PUT /api/v1/room-questions/<key:key>/answer": {"accepts": True},
    "PUT /api/v1/staff/room-questions/<key:key>/answer": {"accepts": True, **BECAUSE},
    "PUT /api/v1/staff/closures/<key:key>/lifting": BECAUSE,
    "PUT /api/v1/staff/groups/<key:key>/rejection": BECAUSE,
    "PUT /api/v1/staff/groups/<key:key>/suspension": {"until": "2026-12-31", **BECAUSE},
    "DELETE /api/v1/staff/groups/<key:key>/suspension": {},
    "PUT /api/v1/staff/groups/<key:key>/leader": {"leader": INVENTED},
    "PUT /api/v1/staff/groups/<key:key>/disbanding": BECAUSE,
}
# whose key is no secret, and why
FOR_EVERYBODY = {
    "PUT /api/v1/me/follows/communities/<key:key>": "everybody may follow what everybody sees",
    "DELETE /api/v1/me/follows/communities/<key:key>": "everybody may follow what everybody sees",
    "PUT /api/v1/me/follows/courses/<key:key>": "everybody may follow what everybody sees",
    "DELETE /api/v1/me/follows/courses/<key:key>": "everybody may follow what everybody sees",
    "PUT /api/v1/course-runs/<key:key>/registration": "everybody may tap on what everybody sees",
    "PUT /api/v1/course-runs/<key:key>/registration/acceptance": "who is offered nothing is told so",
    "PUT /api/v1/course-runs/<key:key>/registration/direct-seat": "who has no place is told so",
    "DELETE /api/v1/course-runs/<key:key>/registration/direct-seat": "who has no place is told so",
    "PUT /api/v1/course-sessions/<key:key>/leave": "every evening is public; who has no seat in it is told so",
    "DELETE /api/v1/course-sessions/<key:key>/leave": "every evening is public; who has no seat in it is told so",
    "PUT /api/v1/course-sessions/<key:key>/appeal": "every evening is public; who missed none is told so",
    "PUT /api/v1/course-runs/<key:key>/pick-up-adults": "everybody sees the run; whose child has no seat in it is told so",
    "PUT /api/v1/course-sessions/<key:key>/check-in": "every evening is public; who has no seat in it is told so",
    "DELETE /api/v1/course-runs/<key:key>/registration": "everybody may tap on what everybody sees",
    "PUT /api/v1/course-runs/<key:key>/feedback": "everybody may ask to, of what everybody sees",
    "DELETE /api/v1/course-runs/<key:key>/feedback": "everybody may take back what is their own",
    "PUT /api/v1/course-runs/<key:key>/answers": "everybody may answer what everybody is asked",
    "DELETE /api/v1/course-runs/<key:key>/answers": "everybody may take back what is their own",
    "PUT /api/v1/wishes/<key:key>/support": "everybody may need what hangs on the wall",
    "DELETE /api/v1/wishes/<key:key>/support": "everybody may take back what is their own",
    "POST /api/v1/venues/<key:key>/reservations": "every room is public; who may not have it is told why",
    "POST /api/v1/venues/<key:key>/reservation-series": "every room is public; who may not have it is told why",
    "POST /api/v1/venues/<key:key>/reservation-series/look": "every room is public; who may not have it is told why",
}
STANDS_IN_A_PLACE = {
    "staff/residents",
    "staff/bonds",
    "staff/venues",
    "staff/sites",
    "staff/equipment",
    "staff/photos",
}
ASKED_FOR = ("reservations", "credit", "closures", "room-questions", "wish")
OF_A_STREET = ("/issue-orders/", "/joint-meetings/", "/departments/")
OF_A_UNIT = ("/pairings/", "/partner-members", "/partner/members/")
NOT_SAID = {"X-Request-Id", "X-Server-Time", "Content-Length", "Date"}


def operations(app: Flask) -> dict[str, Rule]:
    """``GET /path`` of everything the application answers, HEAD and OPTIONS left out."""
    return {
        f"{method} {rule.rule}": rule
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    }


def ask(phone: Phone, operation: str, key: str = INVENTED) -> TestResponse:
    method, _, rule = operation.partition(" ")
    keys = iter(key.split("/"))  # an address may take several, one after the other
    path = re.sub(r"<(?:\w+:)?\w+>", lambda _: next(keys, INVENTED), rule)
    said = CHANGING.get(operation, {})
    files = {name: (BytesIO(body), name) for name, body in said.items() if isinstance(body, bytes)}
    more: dict[str, Any] = {"json": said} if method in {"POST", "PUT"} else {}
    return phone.ask(method, path, buffered=True, **({"data": files} if files else more))


def must_be_alike(real: TestResponse, invented: TestResponse) -> None:
    """Nobody can tell these two answers apart."""

    def bare(answer: TestResponse) -> dict[str, Any]:
        return {k: v for k, v in (answer.json or {}).items() if k != "request_id"}

    assert real.status_code == invented.status_code
    assert bare(real) == bare(invented)
    for name, value in real.headers.items():
        assert name in NOT_SAID or invented.headers[name] == value


def test_every_route_asks_who_is_there_or_stands_on_the_list(door: Door, town: Town) -> None:
    open_ones = {
        operation
        for operation in operations(door.app)
        if not operation.endswith(("/healthz", "/readyz")) and ask(door.phone(), operation).status_code != 401
    }
    found = open_ones | {"GET /healthz", "GET /readyz"}
    unexplained = sorted(found - set(OPEN))
    assert not unexplained, f"close these routes, or say in OPEN why they ask nobody's name: {unexplained}"
    stale = sorted(set(OPEN) - found)
    assert not stale, f"OPEN names what is not there or is closed, take it out: {stale}"


def test_every_closed_route_refuses_a_forged_token(door: Door, town: Town) -> None:
    forged = Phone(door.app.test_client(), "aaaaaaaaaaaaaaaa.forged")
    for operation in set(operations(door.app)) - set(OPEN):
        assert ask(forged, operation).status_code == 401, operation


def test_every_closed_route_refuses_somebody_elses_hat(door: Door, town: Town) -> None:
    stranger = door.phone(town.resident).wearing(town.clerk.identity)
    for operation in set(operations(door.app)) - set(OPEN):
        answer = ask(stranger, operation)
        assert answer.status_code in {403, 404}, operation
        assert (answer.json or {})["code"] in {"identity_unknown", "identity_unfit"}


@pytest.mark.parametrize("who", ["resident", "partner_member"])
def test_every_route_of_staff_refuses_who_is_none(door: Door, town: Town, who: str) -> None:
    phone = door.phone(getattr(town, who))
    of_staff = {o for o in set(operations(door.app)) - set(OPEN) if "/staff/" in o}
    assert len(of_staff) > 50
    for operation in of_staff:
        answer = ask(phone, operation)
        told = (answer.status_code, (answer.json or {}).get("code"))
        assert told in {(403, "identity_unfit"), (422, "invalid")}, operation  # the shape is looked at first


def test_every_keyed_route_that_is_private_is_tried_on_outsiders(door: Door) -> None:
    keyed = {o for o in operations(door.app) if "<key:" in o and o not in OPEN and o.startswith("GET")}
    untried = sorted(keyed - PRIVATE)
    assert not untried, f"add to PRIVATE, so that outsiders are tried on them: {untried}"
    stale = sorted(PRIVATE - keyed)
    assert not stale, f"PRIVATE names what is not there, take it out: {stale}"


@pytest.mark.parametrize("operation", sorted(PRIVATE))
def test_an_outsider_cannot_tell_a_real_key_from_an_invented_one(
    door: Door, town: Town, operation: str
) -> None:
    run = town.a_run(community=town.wangjiang, published="/staff/" not in operation)
    key = what_is_looked_at(town, run, operation)
    town.outsider.tap(run) if run.published_at else None
    if operation.endswith("/answers"):
        the_outsider_answers(town, run)
    if operation.endswith("/feedback") and run.published_at:
        the_outsider_rated(town, run)
    if "/certificate" in operation and run.published_at:
        the_outsider_completed(town, run)
    phones = {
        "anonymous": door.phone(),
        "resident": door.phone(town.resident),
        "neighbour": door.phone(town.neighbour),
        "grid_worker": door.phone(town.grid_worker),
        "partner_member": door.phone(town.partner_member),
        "foreign_clerk": door.phone(town.clerk),
    }
    if "/staff/" in operation or "/partner/" in operation:
        phones["outsider"] = door.phone(town.outsider)
    else:
        answer = ask(door.phone(town.outsider), operation, key)
        theirs = (told(answer) if answer.is_json else {}) or {}
        theirs = {**theirs, **(theirs.get("wish") or {})}  # what is shown with everything about it
        if not operation.endswith("/file"):  # it is theirs: the others' no means something
            assert {run.key, key} & {theirs.get(each) for each in ("run", "key")}
        assert answer.status_code == 200
    for who, phone in phones.items():
        real, invented = ask(phone, operation, key), ask(phone, operation)
        assert real.status_code in {401, 403, 404}, who
        assert real.status_code == invented.status_code, who
        if "/staff/" in operation:
            must_be_alike(real, invented)


def what_is_looked_at(town: Town, run: CourseRun, operation: str) -> str:
    """The key of what an operation shows of the other community."""
    if operation.startswith(("GET /api/v1/staff/venues/", "GET /api/v1/staff/sites/")):
        return what_stands_in_wangjiang(town, "/".join(operation.split("/")[3:5]))
    made = {
        "/service-": an_agreement_of_wangjiang,
        "/claims/": a_claim_of_wangjiang,
        **dict.fromkeys(OF_A_STREET, something_of_the_west_street),
    }
    of_its_own = next((make for part, make in made.items() if part in operation), None)
    if of_its_own is not None:
        return of_its_own(town, operation)[1]
    if operation.startswith("GET /api/v1/staff/partners/"):
        return what_the_outsider_has(town, "staff/partners")
    if "/closures/" in operation or "/room-questions/" in operation:
        return what_the_outsider_reserved(town, operation.split("/v1/")[1].partition("/<")[0])
    if "/reservations/<key" in operation or "/wishes/" in operation:
        return what_the_outsider_asked_for(town, "wishes" if "wish" in operation else "reservations")
    return run.sessions[0].key if "/course-sessions/" in operation else run.key


def the_outsider_answers(town: Town, run: CourseRun) -> None:
    with transaction() as session:
        mine = session.get_one(CourseRun, run.id)
        ask_questions(session, mine, [QuestionPlan(QuestionKind.TEXT, "想学什么")])
        (question,) = questions_of(session, mine)
        if run.published_at:
            learner = town.outsider.resident(session)
            answer_questions(session, mine, learner, {question.key: "包子"}, by_account_id=None)


def the_outsider_completed(town: Town, run: CourseRun) -> str:
    """As if the class were over; the certificate's key."""
    (mine,) = town.registrations(run)
    with transaction() as session:
        certificate = Certificate(
            registration_id=mine.id, code="A" * 16, name="居民", evenings=1, evenings_held=1, minutes=90
        )
        session.add(certificate)
    return certificate.key


def the_outsider_rated(town: Town, run: CourseRun) -> None:
    """As if the class were over."""
    (mine,) = town.registrations(run)
    with transaction() as session:
        session.add(Feedback(registration_id=mine.id, stars=5, words="很好"))


def test_every_keyed_route_that_changes_something_is_tried_on_outsiders(door: Door) -> None:
    keyed = {o for o in operations(door.app) if "<key:" in o and o not in OPEN and not o.startswith("GET")}
    untried = sorted(keyed - set(CHANGING) - set(FOR_EVERYBODY))
    assert not untried, f"add to CHANGING with a sound body, so that outsiders are tried on them: {untried}"
    stale = sorted({*CHANGING, *FOR_EVERYBODY} - keyed)
    assert not stale, f"CHANGING or FOR_EVERYBODY names what is not there, take it out: {stale}"


@pytest.mark.parametrize("operation", sorted(CHANGING))
def test_an_outsider_changes_nothing_and_cannot_tell_it_from_what_never_was(
    door: Door, town: Town, operation: str
) -> None:
    owner, key = (
        an_agreement_of_wangjiang(town, operation)
        if "/service-" in operation
        else a_claim_of_wangjiang(town, operation)
        if "/claim" in operation
        else something_of_the_west_street(town, operation)
        if any(part in operation for part in OF_A_STREET)
        else a_unit_of_wangjiang(town, operation)
        if any(part in operation for part in OF_A_UNIT)
        else something_of_wangjiang(door, town, operation)
    )
    before = every_row()
    for who in (
        town.clerk,
        town.admin,
        town.grid_worker,
        town.street_officer,
        town.resident,
        town.partner_member,
    ):
        phone = door.phone(who)
        real = ask(phone, operation, key)
        unfit = set() if isinstance(who, Worker) and "/partner/" not in operation else {403}
        assert real.status_code in {404, *unfit}, who
        must_be_alike(real, ask(phone, operation))
    assert every_row() == before
    theirs = ask(door.phone(owner), operation, key)
    assert theirs.status_code in {200, 201, 204, 409}, f"the others' no means nothing: {theirs.text}"


def something_printed(town: Town, run: CourseRun, noun: str) -> str:
    """A code on a poster, a certificate, or a message."""
    if noun == "staff/scenes":
        return town.a_scene(run).key
    town.outsider.tap(run)
    if noun.endswith("notices"):
        return key_of(Notice, Notice.account_id == town.outsider.account_id)
    return the_outsider_completed(town, run)


def something_of_wangjiang(door: Door, town: Town, operation: str) -> tuple[Person | Worker, str]:
    """Something of the other community that this changes: whose it is, and its key."""
    is_draft = operation.startswith("PUT") and operation.endswith(("/submission", "/publication"))
    run = town.a_run(community=town.wangjiang, published=not is_draft, evenings=2)
    noun = operation.partition("/api/v1/")[2].partition("/<key:")[0]
    match noun:
        case "staff/course-runs":
            key = f"{run.key}/{what_stands_in_wangjiang(town, 'staff/residents')}"
        case "staff/course-sessions":
            key = run.sessions[0].key
        case "staff/scenes" | "staff/certificates" | "staff/notices" | "me/notices":
            key = something_printed(town, run, noun)
        case "staff/calls":
            key = somebody_to_call(door, town, run)
        case "staff/content-checks":
            with transaction() as session:
                key = hold_text(
                    session, name_of(town.outsider), "加我微信", Finding(), HeldBecause.DOUBTFUL
                ).key
        case "staff/groups" | "me/groups" | "me/helpers" | "staff/partners":
            key = what_the_outsider_has(town, noun)
        case _ if noun in STANDS_IN_A_PLACE:
            key = what_stands_in_wangjiang(town, noun)
        case _ if any(part in noun for part in ASKED_FOR):
            key = what_the_outsider_asked_for(town, noun)
        case _:
            key = what_an_absence_led_to(town, run, noun)
    if noun.startswith(("me/", "reservations", "room-questions")):
        return town.outsider, key
    with transaction() as session:
        return a_staff_member(session, Role.ADMIN, town.wangjiang), key


def somebody_to_call(door: Door, town: Town, run: CourseRun) -> str:
    """A call to an elder of the other community, for whom somebody registered."""
    with transaction() as session:
        elder = a_person_without_phone(session, town.wangjiang)
        a_bond(session, town.outsider, elder)
    town.outsider.tap(run, for_whom=elder)
    with door.app.app_context():
        send_short_messages(town_clock.now())
    return key_of(Call, Call.resident_id == elder.resident_id)


def what_the_outsider_has(town: Town, noun: str) -> str:
    """The key of a group the outsider asked for, of the bond with who helps them, or of the unit next door."""
    with transaction() as session:
        if noun == "staff/partners":
            return a_unit(session, town.wangjiang).key
        if noun == "me/helpers":
            return a_bond(session, town.neighbour, town.outsider).key
        words = GroupWords("望江舞蹈队", GroupKind.DANCE, 9)
        return apply_for_group(session, town.outsider.account(session), words).key


def what_the_outsider_asked_for(town: Town, noun: str) -> str:
    """The key of a wish or of a room of theirs, or of what belongs to either."""
    asked = what_the_outsider_wished if "wish" in noun else what_the_outsider_reserved
    return asked(town, noun)


def what_the_outsider_reserved(town: Town, noun: str) -> str:
    """The key of a room the outsider reserved in their community, of what closed it and asked them since, or of what it cost them not to come."""
    with transaction() as session:
        centre = a_centre(session, town.wangjiang)
    if "closures" in noun or "room-questions" in noun:
        made = takes(town.outsider, centre.left, at(9), heads=30)
        closure = closes(town, [centre.left], at(8), at(12))
        return closure.key if noun == "staff/closures" else question_about(made).key
    made = takes(town.outsider, centre.reading_room, at(9))
    if "credit" not in noun:
        return made.key
    with transaction() as session:
        entry = charge(session, again(session, made), CreditWhy.NO_SHOW)
        assert entry is not None
        return entry.key


def what_the_outsider_wished(town: Town, noun: str) -> str:
    """The key of a wish of the outsider's, of its picture, or of a round of their community."""
    if noun.endswith("rounds"):
        return a_round(town.wangjiang).key
    made = wishes(town.outsider)
    with transaction() as session:
        photo = add_photo(
            session,
            session.get_one(Wish, made.id),
            file="a" * 16,
            thumbnail="b" * 16,
            width=4,
            height=3,
            by=by_resident(town.outsider),
        )
        return photo.key if noun.endswith("photos") else made.key


def an_agreement_of_wangjiang(town: Town, operation: str) -> tuple[Worker | UnitMember, str]:
    """The key of an agreement about a room of the other community, or of what the unit wrote of it; who may do this about it."""
    with transaction() as session:
        member = a_partner_member(session, name="望江茶馆")
        agreement = draft_agreement(
            session,
            session.get_one(Partner, member.partner_id),
            a_venue(session, town.wangjiang),
            Terms(date(2026, 11, 1), date(2026, 12, 31), [Block(1, 840, 900)], "理发", 10),
            by_account_id=None,
            identity="town",
        )
        key = agreement.key
        if not operation.endswith("/commencement"):
            put_in_force(session, agreement, by_account_id=None, identity="town")
        if "/service-deliveries/" in operation:
            service = Record(date(2026, 11, 17), 90, "理发", 3)
            key = record_delivery(
                session, agreement, service, by_account_id=None, identity=member.identity
            ).key
        if "/partner/" in operation:
            return member, key
        return a_staff_member(session, Role.ADMIN, town.wangjiang), key


def a_unit_of_wangjiang(town: Town, operation: str) -> tuple[Worker | UnitMember, str]:
    """The key of a unit of the other community, of its pairing with it or of its second member; who may do this about it."""
    with transaction() as session:
        unit = a_unit(session, town.wangjiang)
        first, second = a_member_of(session, unit), a_member_of(session, unit)
        (pairing,) = pairings_of(session, unit)
        keys = {"/pairings/": pairing.key, "/partner-memberships/": unit.key}
        colleague = known_members(session, unit)[-1].member.key
        key = next((each for part, each in keys.items() if part in operation), colleague)
        if "/me/" in operation:
            return second, key
        return first if "/partner/" in operation else a_staff_member(session, Role.ADMIN, town.wangjiang), key


def a_claim_of_wangjiang(town: Town, operation: str) -> tuple[Person | Worker | UnitMember, str]:
    """The key of a claim on a wish of the outsider's, or of a wish nobody took on yet; who may do this about it."""
    with transaction() as session:
        staff = a_staff_member(session, Role.ADMIN, town.wangjiang)
    unit, made = a_claimer(town.wangjiang), wishes(town.outsider)
    say(approve_wish, made, CARD, by=by_staff(staff))
    if "/wishes/" in operation:
        return unit, made.key
    claim = claims(unit, made)
    if "/me/" in operation or "/claim-photos/" in operation:
        does(agree_to_claim, claim, by=by_staff(staff))
    if "/me/" in operation:
        return town.outsider, claim.key
    if "/claim-photos/" in operation:
        names: Any = {"file": "a" * 16, "thumbnail": "b" * 16, "width": 4, "height": 3}
        return unit, does(show_what_was_brought, claim, **names, by=by_unit(unit)).key
    return (unit if "/partner/" in operation else staff), claim.key


def something_of_the_west_street(town: Town, operation: str) -> tuple[Worker | UnitMember, str]:
    """The key of an item, of a meeting or of a department of the other street; its officer, or a unit that is called."""
    with transaction() as session:
        staff = a_staff_member(session, Role.ADMIN, town.wangjiang)
    officer = a_claimer(town.wangjiang) if "/partner/" in operation else an_officer(town.west_street)
    if "/departments/" in operation:
        return officer, a_department(town.west_street).partner_key
    order = converts(wishes(town.outsider, LIGHT), by=by_staff(staff))
    if "/issue-orders/" in operation:
        return officer, order.key
    with transaction() as session:
        plan = MeetingPlan("联席会议", town_clock.now() + timedelta(days=9), "三楼")
        street = session.get_one(Region, town.west_street.id)
        return officer, plan_meeting(session, street, plan, by_account_id=None, identity="town").key


def what_stands_in_wangjiang(town: Town, noun: str) -> str:
    """A room of the other community (and an elder of it), its site or what that lends, an elder or the bond by which somebody may act for her."""
    with transaction() as session:
        elder = a_person_without_phone(session, town.wangjiang)
        if noun in {"staff/venues", "staff/sites", "staff/equipment", "staff/photos"}:
            room = a_venue(session, town.wangjiang)
            photo = hang_photo(session, room, file="a" * 16, thumbnail="b" * 16, width=1, height=1)
            projector = add_equipment(session, room.site, name="投影仪", stock=2)
            return {
                "staff/venues": f"{room.key}/{elder.key}",
                "staff/sites": room.site.key,
                "staff/equipment": projector.key,
                "staff/photos": photo.key,
            }[noun]
        bond = a_bond(session, town.outsider, elder)
        return elder.key if noun == "staff/residents" else bond.key


def what_an_absence_led_to(town: Town, run: CourseRun, noun: str) -> str:
    """The key of an appeal of the outsider's, or of a pause."""
    if noun not in {"staff/absence-appeals", "staff/pauses"}:
        pytest.fail(f"say here how something of the other community comes about: {noun}")
    town.outsider.tap(run)
    with transaction() as session:
        if noun == "staff/pauses":
            pause = Pause(resident_id=town.outsider.resident_id, until=town_clock.now() + timedelta(days=30))
            session.add(pause)
            session.flush()
            return pause.key
        absence = Attendance(
            session_id=run.sessions[0].id,
            registration=session.scalars(select(Registration).where(Registration.run_id == run.id)).one(),
            state=AttendanceState.ABSENT,
            how=RecordedHow.TOWN,
            at=town_clock.now(),
        )
        made = AbsenceAppeal(attendance=absence, words="孩子发烧")
        session.add(made)
        session.flush()
        return made.key


def name_of(person: Person) -> Subject:
    return Subject(
        field=RESIDENT_NAME, key=person.key, account_id=person.account_id or 0, resident_id=person.resident_id
    )


def key_of(kind: type[Notice | Call], whose: ColumnElement[bool]) -> str:
    with reading() as session:
        return session.scalars(select(kind).where(whose)).one().key


def every_row() -> Rows:
    """Every row of every table."""
    with db.engine.connect() as connection:
        return photograph(connection)


# --- the document -------------------------------------------------------------------------------------------------


@pytest.fixture
def document(door: Door) -> dict[str, Any]:
    """What the application says of itself."""
    found: dict[str, Any] = door.app.test_client().get("/api/openapi.json").get_json()
    return found


def described(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, operations_of_path in document["paths"].items()
        for method, operation in operations_of_path.items()
        if method in {"get", "put", "post", "delete"}
    }


def test_the_document_describes_every_route_of_the_api(door: Door, document: dict[str, Any]) -> None:
    routes = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", o) for o in operations(door.app) if " /api/v1/" in o}
    assert set(described(document)) == routes
    assert document["openapi"].startswith("3.1")


def test_the_bare_address_leads_to_the_document(door: Door) -> None:
    answer = door.app.test_client().get("/")
    assert (answer.status_code, answer.location) == (302, "/api/docs")


def test_the_document_begins_with_what_every_call_has_in_common(document: dict[str, Any]) -> None:
    said = document["info"]["description"]
    for word in ("Bearer", "X-Identity", "Idempotency-Key", "cursor", "X-Server-Time", "problem+json"):
        assert word in said, word
    named = set(re.findall(r"`(?:GET|POST|PUT) (/[\w/-]+)`", said))
    assert named
    assert named <= {path.removeprefix("/api/v1") for path in document["paths"]}


def test_every_operation_has_a_chinese_summary_and_a_tag(document: dict[str, Any]) -> None:
    for name, operation in described(document).items():
        assert re.search("[\u4e00-\u9fff]", operation["summary"]), name
        assert operation["tags"], name


def test_every_operation_documents_its_refusals_as_problems_and_has_no_default(
    document: dict[str, Any],
) -> None:
    components = document["components"]["responses"]
    for name, operation in described(document).items():
        answers = operation["responses"]
        assert "default" not in answers, name
        assert "503" in answers, name
        if operation.get("security"):
            assert {"401", "403", "404"} <= set(answers), name
        for status, answer in answers.items():
            if int(status) >= 400:
                found = components[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
                (media_type,) = found["content"]
                assert media_type == "application/problem+json", (name, status)


def test_every_closed_operation_says_so_in_the_document(document: dict[str, Any]) -> None:
    for name, operation in described(document).items():
        is_open = name in {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", one) for one in OPEN}
        assert bool(operation.get("security")) is not is_open, name
    assert document["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}


def test_every_description_refers_to_something_that_is_there(document: dict[str, Any]) -> None:
    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            here = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return here + [found for value in node.values() for found in references(value)]
        if isinstance(node, list):
            return [found for value in node for found in references(value)]
        return []

    for reference in references(document):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert found


def test_every_pattern_of_the_document_is_understood_by_others(document: dict[str, Any]) -> None:
    def patterns(node: Any) -> list[str]:
        if isinstance(node, dict):
            here = [node["pattern"]] if isinstance(node.get("pattern"), str) else []
            return here + [found for value in node.values() for found in patterns(value)]
        if isinstance(node, list):
            return [found for value in node for found in patterns(value)]
        return []

    found = set(patterns(document))
    assert len(found) > 5
    for pattern in found:
        assert re.compile(pattern)
        assert jsonschema_rs.validator_for(
            {"type": "string", "pattern": pattern}
        )  # ECMA 262, as clients read it


def test_every_input_shape_refuses_unknown_fields(document: dict[str, Any]) -> None:
    shapes = document["components"]["schemas"]
    inputs = {name for name in shapes if name.endswith("In")}
    assert {"LoginIn", "MeIn", "PhoneIn", "GrantsIn", "InvitationIn", "ConsentIn"} <= inputs
    for name in inputs:
        assert shapes[name]["additionalProperties"] is False, name


def test_the_sandbox_is_no_part_of_the_product(door: Door) -> None:
    ours = {rule.rule for rule in door.app.url_map.iter_rules()}
    theirs = {
        rule.rule
        for rule in create_sandbox(appid="wxsandbox000000001", secret="s", templates=()).url_map.iter_rules()
    }
    assert not {rule for rule in ours if "_sandbox" in rule or "cgi-bin" in rule}
    assert theirs
