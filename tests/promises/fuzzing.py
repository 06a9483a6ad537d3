"""What a fuzzer needs to know of the town: who asks, real keys, codes that are good once, and how to count what it reached."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any

import schemathesis
from hypothesis.strategies import binary, just
from PIL import Image
from schemathesis import Case, GenerationMode, HookContext
from schemathesis.config import (
    ChecksConfig,
    GenerationConfig,
    HealthCheck,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.engine import events, from_schema
from schemathesis.hooks import unregister
from schemathesis.transport.serialization import Binary
from sqlalchemy import select, true, update

from models import clock
from models.accounts import Account, Login
from models.base import db, reading, transaction
from models.consents import PRIVACY_POLICY, ConsentChannel, agree
from models.coordination.feeds import CalendarFeed, feed_token
from models.coordination.room_feeds import VenueFeed, venue_feed_token
from models.courses import (
    Admission,
    Audience,
    Certificate,
    CourseRun,
    CourseSession,
    Registration,
    RegistrationState,
    RunState,
    answer_questions,
    questions_of,
)
from models.courses.attendance import Recorder, code_now, open_screen, own_code_of
from models.families import offer_help
from models.joining import invite_to_join
from models.notices import Delivery, Notice
from models.residents import Resident
from models.staff import StaffMember, invite
from tests.people import FIRST_EVENING, OPENS_AT, Person, Town, UnitMember, Worker, a_person_without_phone
from tests.phones import TEMPLATES, Door, Phone, told
from tests.promises.fuzzed_claims import a_claims_key, fill_claim, is_about_claims
from tests.promises.fuzzed_closures import a_closures_key, fill_closure, is_about_closures
from tests.promises.fuzzed_groups import a_groups_key, fill_group
from tests.promises.fuzzed_partners import (
    a_deliverys_key,
    a_units_key,
    an_agreements_key,
    fill_agreement,
    fill_code,
    fill_unit,
    is_about_units,
)
from tests.promises.fuzzed_rooms import a_rooms_key, fill_room, is_about_rooms
from tests.promises.fuzzed_streets import (
    a_streets_key,
    fill_street,
    fill_streets_query,
    is_about_the_street,
)
from tests.promises.fuzzed_wishes import a_wishs_key, fill_wish, is_about_wishes, sign_query
from tests.serving import answering, listening, server_of

# whose keys stand in an address; a new keyed address needs its line here
TABLES = {
    "/api/v1/course-runs": "course_runs",
    "/api/v1/staff/course-runs": "course_runs",
    "/api/v1/course-sessions": "course_sessions",
    "/api/v1/staff/absence-appeals": "absence_appeals",
    "/api/v1/staff/pauses": "pauses",
    "/api/v1/staff/course-sessions": "course_sessions",
    "/api/v1/me/notices": "notices",
    "/api/v1/me/helpers": "bonds",
    "/api/v1/me/follows/communities": "regions",
    "/api/v1/me/follows/courses": "courses",
    "/api/v1/staff/notices": "notices",
    "/api/v1/staff/content-checks": "content_checks",
    "/api/v1/staff/calls": "calls",
    "/api/v1/regions": "regions",
    "/api/v1/scenes": "scenes",
    "/api/v1/staff/scenes": "scenes",
    "/api/v1/staff/certificates": "certificates",
    "/api/v1/staff/residents": "residents",
    "/api/v1/sites": "sites",
    "/api/v1/venues": "venues",
    "/api/v1/staff/sites": "sites",
    "/api/v1/staff/venues": "venues",
    "/api/v1/staff/equipment": "equipment",
    "/api/v1/staff/photos": "photos",
    "/api/v1/photos": "photos",
    "/api/v1/staff/bonds": "bonds",
    "/api/v1/wishes": "wishes",
    "/api/v1/me/wishes": "wishes",
    "/api/v1/staff/wishes": "wishes",
    "/api/v1/me/wish-photos": "wish_photos",
    "/api/v1/wish-photos": "wish_photos",
    "/api/v1/staff/wish-photos": "wish_photos",
    "/api/v1/staff/wish-rounds": "wish_rounds",
    "/api/v1/staff/issue-orders": "issue_orders",
    "/api/v1/staff/joint-meetings": "joint_meetings",
    "/api/v1/partner/joint-meetings": "joint_meetings",
    "/api/v1/staff/departments": "partners",
    "/api/v1/me/claims": "claims",
    "/api/v1/partner/claims": "claims",
    "/api/v1/partner/claim-photos": "wish_photos",
    "/api/v1/staff/claims": "claims",
    "/api/v1/partner/wishes": "wishes",
    "/api/v1/me/groups": "groups",
    "/api/v1/staff/groups": "groups",
    "/api/v1/staff/partners": "partners",
    "/api/v1/me/partner-memberships": "partners",
    "/api/v1/staff/partner-members": "partner_members",
    "/api/v1/partner/members": "partner_members",
    "/api/v1/partner/pairings": "partner_pairings",
    "/api/v1/staff/pairings": "partner_pairings",
    "/api/v1/staff/service-agreements": "service_agreements",
    "/api/v1/partner/service-agreements": "service_agreements",
    "/api/v1/staff/service-deliveries": "service_deliveries",
    "/api/v1/staff/closures": "room_closures",
    "/api/v1/room-questions": "move_questions",
    "/api/v1/staff/room-questions": "move_questions",
    "/api/v1/reservations": "reservations",
    "/api/v1/staff/reservations": "reservations",
    "/api/v1/me/credit-entries": "credit_entries",
    "/api/v1/staff/credit-entries": "credit_entries",
}

_drawn = BytesIO()
Image.new("RGB", (8, 6), "teal").save(_drawn, "JPEG")
A_PHOTO = _drawn.getvalue()
# a file that is put into a request afterwards would make it one that is meant to be malformed
schemathesis.openapi.format("binary", (just(A_PHOTO) | binary(max_size=100)).map(Binary))

# what is asked of a class that is over
OF_WHAT_IS_OVER = ("{key}/feedback", "{key}/certificate", "{key}/certificate/file", "{key}/completion")


@dataclass
class Persona:
    """Somebody who uses the API, with what is theirs."""

    name: str
    who: Person | Worker | UnitMember | None
    wards: tuple[str, ...] = ()
    leaves: bool = False  # closes the account for good, as soon as it comes to that


@dataclass
class Findings:
    """What a run found, and which operations it got through to."""

    faults: dict[str, str] = field(default_factory=dict)  # what kind: the first example of it
    answered: Counter[str] = field(default_factory=Counter)
    reached: set[str] = field(default_factory=set)
    asked: int = 0


def concerns(persona: Persona, path: str, security: object) -> bool:
    """Whether somebody asks this by default: what is open answers everybody alike, what staff do is asked by staff.

    That whatever wants a login refuses who has none is one of the checks, and that staff's routes refuse others a promise of its own
    (``test_routes``).
    """
    if persona.who is None or not security:
        return persona.who is None and not security
    return isinstance(persona.who, Worker) or "/staff/" not in path


@dataclass
class Fuzzer:
    """Runs every phase of schemathesis against the application as one persona, with real keys where a key is wanted."""

    door: Door
    town: Town
    open_runs: list[CourseRun]
    clerks_to_be: list[StaffMember]
    spare_runs: list[CourseRun]  # to be moved and called off without harm to the others
    submitted_runs: list[CourseRun]
    examples: int
    seed: int
    everybody_asks_everything: bool = False
    over_the_wire: bool = False
    kinds: Sequence[GenerationMode] = tuple(GenerationMode)  # of requests: well-formed, malformed on purpose
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def run(self, persona: Persona, *, only: Collection[str] = ()) -> Findings:
        """Every phase, every check, of what concerns who asks; of these operations (``GET /api/v1/…``) alone, if any are named."""
        phone = self.door.phone(persona.who)
        headers = {"Authorization": f"Bearer {phone.token}"} if phone.token else {}
        if phone.identity:
            headers["X-Identity"] = phone.identity
        config = SchemathesisConfig(
            seed=self.seed,
            suppress_health_check=[
                HealthCheck.filter_too_much
            ],  # how many it draws for one is its own affair
            projects=ProjectsConfig(
                default=ProjectConfig(
                    headers=headers,
                    workers=1,
                    continue_on_failure=True,
                    checks=ChecksConfig(),
                    generation=GenerationConfig(
                        modes=list(self.kinds),
                        max_examples=self.examples,
                        database="none",
                        deterministic=True,
                    ),
                )
            ),
        )
        hooks = (self.before_call(persona, phone), self.after_call(persona))
        for hook in hooks:
            schemathesis.hook(hook)
        try:
            with self.spoken_to() as address:
                schema: Any = schemathesis.openapi.from_url(f"{address}/api/openapi.json", config=config)
                schema = schema.include(
                    lambda asked: (
                        (not only or asked.operation.label in only)
                        and (
                            self.everybody_asks_everything
                            or concerns(
                                persona,
                                asked.operation.path,
                                asked.operation.definition.raw.get("security"),
                            )
                        )
                    )
                )
                return self.watch(from_schema(schema).execute())
        finally:
            for hook in hooks:
                unregister(hook)

    def spoken_to(self) -> AbstractContextManager[str]:
        """Where the application answers: in place, or behind a socket, which takes half as long again."""
        return listening(server_of(self.door.app)) if self.over_the_wire else answering(self.door.app)

    def watch(self, stream: Any) -> Findings:
        """Read the engine's events."""
        found = Findings()
        for event in stream:
            if isinstance(event, events.NonFatalError | events.FatalError):
                found.faults.setdefault(type(event).__name__, repr(event))
            if not isinstance(event, events.ScenarioFinished):
                continue
            recorder = event.recorder
            for case_id, interaction in recorder.interactions.items():
                found.asked += 1
                response = interaction.response
                case = recorder.cases[case_id].value
                if response is not None:
                    label = f"{case.method} {case.path}"
                    found.answered[f"{label} {response.status_code}"] += 1
                    if 200 <= response.status_code < 300:
                        found.reached.add(label)
            for case_id, checks in recorder.checks.items():
                for check in checks:
                    if check.failure_info is not None:
                        failure = check.failure_info.failure
                        label = recorder.cases[case_id].value.operation.label
                        found.faults.setdefault(
                            f"{label}: {check.name}: {failure.title}",
                            f"{event.phase.value}: {failure.message}\n{check.failure_info.code_sample}",
                        )
        return found

    # --- real things ----------------------------------------------------------------------------------------------

    def before_call(self, persona: Persona, phone: Phone) -> Callable[..., None]:
        """Put what only the town can know into a well-formed request; what is malformed on purpose stays so."""
        openid = self.openid_of(persona)
        pages = Pages(phone)

        def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
            label = f"{case.method} {case.path}"
            if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
                return
            if isinstance(case.path_parameters, dict) and (wants_one_thing(label) or self.mostly()):
                self.fill_address(case.path_parameters, label, persona)
            if label.endswith("/pick-up-adults") and persona.wards:
                case.query = {**(case.query or {}), "for": self.somebody_in(self.children_tonight()[0])}
            elif isinstance(case.query, dict):
                self.fill_query(case.query, persona, pages, label, case.path_parameters)
                if label == "DELETE /api/v1/me" and persona.leaves:
                    shown = phone.get("/me/closure")
                    case.query["closure"] = told(shown)["closure"] if shown.status_code == 200 else "0" * 16
            if isinstance(case.body, dict) and not (persona.leaves and "staff" in case.path):
                self.fill_body(case.body, label, openid, persona)  # whoever joins the staff cannot leave
                with self.door.app.app_context():
                    fill_code(case.body, label, leaves=persona.leaves)
                    fill_room(case.body, label, persona.who, case.path_parameters)

        return before_call

    def fill_address(self, address: dict[str, Any], label: str, persona: Persona) -> None:
        """Names of real things, and a day on which there is something."""
        if "key" in address:
            with self.door.app.app_context():
                address["key"] = self.key_of_its_own(label, persona) or self.key_in_address(label, persona)
        if "registration" in address:  # somebody whose application staff decide
            address["key"], address["registration"] = self.an_applicant()
        if "code" in address:
            address["code"] = self.a_certificates_code()
        if "token" in address:
            address["token"] = self.a_token(label.partition(" ")[2])
        if "day" in address:
            address["day"] = FIRST_EVENING.date().isoformat()
        if "resident" in address:  # whom staff act for, beside the run or the room
            address["resident"] = self.somebody_in(self.open_runs[2].key)
            if "/course-runs/" in label:
                address["key"] = self.open_runs[2].key

    def key_of_its_own(self, label: str, persona: Persona) -> str | None:
        """The key of something a noun has for just this operation, or made for it."""
        who = persona.who
        ways: Sequence[tuple[bool, Callable[[], str | None]]] = (
            (is_about_closures(label), lambda: a_closures_key(label, who, self.town)),
            (is_about_rooms(label), lambda: a_rooms_key(label, who, self.town)),
            (is_about_the_street(label), lambda: a_streets_key(label, self.town, self.chance)),
            (is_about_claims(label), lambda: a_claims_key(label, who, self.town)),
            (is_about_wishes(label), lambda: a_wishs_key(label, who, self.chance)),
            ("/groups/" in label, lambda: a_groups_key(label, who, self.chance)),
            (is_about_units(label), lambda: a_units_key(label, who, self.town, self.chance)),
            ("/service-agreements/{key}" in label, lambda: an_agreements_key(label, self.chance)),
            ("/service-deliveries/{key}" in label, lambda: a_deliverys_key(label, self.chance)),
        )
        return next((key_of_it() for is_about_it, key_of_it in ways if is_about_it), None)

    def key_in_address(self, label: str, persona: Persona) -> str:
        """A key that stands for something real where this operation wants one."""
        path = label.partition(" ")[2]
        table = TABLES[path.partition("/{")[0]]
        particular = self.key_of_something_particular(label)
        if particular is not None:
            return particular
        if label == "GET /api/v1/course-runs/{key}/answers" and persona.name == "resident":
            return self.a_form_filled_in()
        if label.endswith(("/direct-seat", "/leave")):
            return self.of_ones_own(label, persona)
        if changes_a_class(label):
            spare = self.chance.choice(
                self.submitted_runs if label.endswith("/objection") else self.spare_runs
            )
            return (spare if table == "course_runs" else spare.sessions[0]).key
        if table == "course_runs" and self.mostly():  # most of what is asked of a run needs an open one
            return self.chance.choice(self.open_runs).key
        return self.a_key(table, None if "/staff/" in path else persona)

    def key_of_something_particular(self, label: str) -> str | None:
        """The key of the one thing an operation is about, if it is about one."""
        if is_of_the_day(label) or "/pick-up" in label:
            return self.of_tonight(label)
        if "/draw" in label:
            return self.drawn_run()
        if label.endswith(OF_WHAT_IS_OVER):
            return self.a_finished_run()
        if label.endswith("/sending"):
            return self.an_undelivered_notice()
        if "/staff/" in label and label.endswith(
            ("/answers", "/submission", "/home", "/joining-codes", "/residents/{key}")
        ):
            return self.of_the_office(label)
        return None

    def of_tonight(self, label: str) -> str:
        """The key of what somebody comes to tonight, or fetches a child from."""
        if "/pick-up" in label:
            return self.children_tonight()[0 if "/course-runs/" in label else 1]
        return self.tonight()

    def after_call(self, persona: Persona) -> Callable[..., None]:
        """Whoever logs out gets the same login back, or every later question would only hear that it is over."""

        def after_call(context: HookContext, case: Case[Any], response: Any) -> None:
            if (
                f"{case.method} {case.path}" == "DELETE /api/v1/login"
                and response.status_code == 204
                and persona.who
            ):
                with self.door.app.app_context(), transaction() as session:
                    session.execute(
                        update(Login).where(Login.key == persona.who.login_key).values(revoked_at=None)
                    )

        return after_call

    def fill_query(
        self, query: dict[str, Any], persona: Persona, pages: Pages, label: str, path: Any
    ) -> None:
        """Cursors are opaque, so only the town can make them; keys are real half of the time."""
        if "cursor" in query:
            following = pages.next_of(label, path)
            if following is None:
                del query["cursor"]
            else:
                query["cursor"] = following
        if self.mostly():
            query.pop("with", None)  # an adult comes along to few classes
        if "region" in query and self.mostly():
            query["region"] = self.chance.choice([self.town.wutong.key, self.town.district.key])
        if "run" in query and self.mostly():
            query["run"] = self.a_key("course_runs", persona)
        self.fill_room(query)
        fill_streets_query(query, label, self.town)
        with self.door.app.app_context():
            sign_query(query, label, path)
        if "for" in query:
            if persona.wards:
                query["for"] = self.chance.choice(persona.wards)
            else:
                del query["for"]

    def fill_room(self, query: dict[str, Any]) -> None:
        """Rooms and sites there are; few lead a group, and few of all days can be looked at."""
        for name, table in (("venue", "venues"), ("site", "sites")):
            if name in query and self.mostly():
                query[name] = self.a_key(table, None)
        for name in ("group", "first"):
            if self.mostly():
                query.pop(name, None)

    def fill_body(self, body: dict[str, Any], label: str, openid: str, persona: Persona) -> None:
        """Codes that are good once, template ids, the version in force."""
        if label == "POST /api/v1/login" and self.mostly():
            body["code"] = self.door.sandbox.login_code(openid)
        if label == "POST /api/v1/me/phone" and "code" in body and self.mostly():
            body["code"] = self.door.sandbox.phone_code(openid, "13812345678")
        if label == "POST /api/v1/me/staff-memberships" and self.mostly():
            body["code"] = self.an_invitation()
        if label == "POST /api/v1/me/message-grants" and isinstance(body.get("answers"), dict):
            ids = self.chance.sample(sorted(TEMPLATES.values()), k=len(TEMPLATES))
            body["answers"] = dict(zip(ids, body["answers"].values(), strict=False))
        if label == "PUT /api/v1/me/notices/reading" and self.mostly():
            body["through"] = self.a_key("notices", persona)
        if label == "PUT /api/v1/staff/calls/{key}/outcome" and self.mostly():
            body["attempt"] = 1
        self.fill_decision(body, label)
        self.fill_the_day(body, label, persona)
        self.fill_plan(body, label)
        self.fill_card(body, label, persona)
        if label == "PUT /api/v1/me":
            if isinstance(body.get("consent"), dict) and self.mostly():
                body["consent"]["version"] = PRIVACY_POLICY.version
            if "home_community" in body and self.mostly():
                body["home_community"] = self.town.wutong.key

    def fill_decision(self, body: dict[str, Any], label: str) -> None:
        """A moment that is yet to come, for what staff decide about a class; a leader, for what they decide about a group."""
        if "group" in label and self.mostly():
            with self.door.app.app_context():
                fill_group(body, label, self.town)
        if self.mostly():
            with self.door.app.app_context():
                fill_wish(body, label, self.town)
                fill_claim(body, label, self.town)
                fill_unit(body, label, self.town, self.chance)
                fill_agreement(body, label, self.chance)
                fill_closure(body, label, self.town)
                fill_street(body, label, self.town, self.chance)
        if label == "PUT /api/v1/staff/course-runs/{key}/answers/{resident}":
            body["answers"] = []
        if label == "PUT /api/v1/staff/course-sessions/{key}/time":
            starts = FIRST_EVENING + timedelta(
                days=self.chance.randint(40, 400), hours=self.chance.randint(0, 5)
            )
            body |= {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
            body.pop("venue", None)

    def fill_plan(self, body: dict[str, Any], label: str) -> None:
        """Evenings that are yet to come, in a room of the clerk's, for what staff plan."""
        if label in {"POST /api/v1/staff/course-runs", "PUT /api/v1/staff/course-runs/{key}"}:
            starts = FIRST_EVENING + timedelta(days=self.chance.randint(40, 600))
            body |= {
                "opens_at": OPENS_AT.isoformat(),
                "evenings": [
                    {
                        "starts_at": starts.isoformat(),
                        "ends_at": (starts + timedelta(hours=1)).isoformat(),
                        "venue": self.a_key("venues", None),
                    }
                ],
                "min_age": None,
                "max_age": None,
            }
            for said_of_seats in (
                *("admission", "promotion", "draws_at", "home_first_hours", "street_first_hours"),
                *("seats_held", "held_until", "most_companions", "after_course", "min_to_open"),
            ):
                body.pop(said_of_seats, None)
        self.fill_series(body, label)

    def fill_series(self, body: dict[str, Any], label: str) -> None:
        """Days that are yet to come, for a series, for copies, and for many runs at once."""
        if label == "POST /api/v1/staff/course-runs":
            body["course"] = self.a_key("courses", None)
        if label == "POST /api/v1/staff/courses" and self.mostly():
            body["community"] = self.town.wutong.key
        if label == "POST /api/v1/staff/course-series/preview":
            body |= {"first_on": FIRST_EVENING.date().isoformat(), "starts": "18:00", "ends": "19:00"}
            body |= {"times": self.chance.randint(1, 20), "venue": self.a_key("venues", None)}
            body.pop("until", None)
        if label == "POST /api/v1/staff/course-runs/{key}/copy":
            body["first_on"] = (
                (FIRST_EVENING + timedelta(weeks=self.chance.randint(20, 90))).date().isoformat()
            )
        if label.endswith("/opening-decision"):
            body["decision"] = self.chance.choice(["run", "cancel"])
        if label == "POST /api/v1/staff/course-runs/copies" and isinstance(body.get("items"), list):
            for row in body["items"]:
                row["first_on"] = FIRST_EVENING.date().isoformat()
        if label == "POST /api/v1/staff/course-runs/bulk":
            body["keys"] = [run.key for run in self.chance.sample(self.spare_runs, k=2)]

    def fill_card(self, body: dict[str, Any], label: str, persona: Persona) -> None:
        """A home of the clerk's, an age that signs for itself, and the version in force, for what is written down at the counter."""
        if label == "POST /api/v1/staff/residents" and self.mostly():
            body |= {"home_community": self.town.wutong.key, "birth_year": 1950, "even_so": True}
            body["consent"] = {"version": PRIVACY_POLICY.version, "given_by": "oneself"}
        if label == "PUT /api/v1/staff/residents/{key}" and "birth_year" in body:
            body["birth_year"] = 1950  # a schema knows no year that is yet to come
        if label == "PUT /api/v1/staff/residents/{key}/consent" and self.mostly():
            body |= {"version": PRIVACY_POLICY.version, "given_by": "guardian"}
        if label == "PUT /api/v1/staff/residents/{key}/home" and self.mostly():
            body["home_community"] = self.town.wutong.key
        if label == "POST /api/v1/me/children" and self.mostly():
            body |= {"birth_year": 2018, "consent": {"version": PRIVACY_POLICY.version}}
        if label == "POST /api/v1/me/helpers" and self.mostly():
            with self.door.app.app_context(), transaction() as session:
                body["code"] = offer_help(session, self.town.guardian.account(session))
        if label == "POST /api/v1/me/joining" and isinstance(persona.who, Worker) and self.mostly():
            body["code"] = self.a_joining_code(persona.who)
        if label == "POST /api/v1/staff/residents/{key}/bonds" and self.mostly():
            body.pop("code", None)
            body |= {"helper": self.town.guardian.key, "kind": "family_helper"}

    def a_joining_code(self, worker: Worker) -> str:
        """A code with which somebody who works here, and is no resident yet, becomes an elder the counter knows."""
        with self.door.app.app_context(), transaction() as session:
            account = worker.account(session)
            agree(session, account, version=PRIVACY_POLICY.version, channel=ConsentChannel.MINI_PROGRAM)
            elder = Resident(name="孙奶奶", home_region_id=self.town.wutong.id)
            session.add(elder)
            session.flush()
            return invite_to_join(session, elder, by=worker.member(session))

    def fill_the_day(self, body: dict[str, Any], label: str, persona: Persona) -> None:
        """What the screen in tonight's room shows, and the code on somebody's phone."""
        if label == "PUT /api/v1/course-sessions/{key}/check-in" and self.mostly():
            with self.door.app.app_context(), transaction() as session:
                meeting = session.scalars(select(CourseSession).where(CourseSession.key == self.tonight()))
                body["code"] = code_now(open_screen(session, meeting.one(), by=Recorder())).digits
        if label == "PUT /api/v1/staff/course-sessions/{key}/pick-ups" and self.mostly():
            body |= {"registration": self.children_tonight()[2], "adult": self.town.helper.key}
        if label == "POST /api/v1/staff/course-sessions/{key}/check-ins" and self.mostly():
            with self.door.app.app_context(), reading() as session:
                body["code"] = own_code_of(self.town.elder.resident(session)).code

    def children_tonight(self) -> tuple[str, str, str]:
        """The keys of a class for children, of its evening, and of a child's place in it."""
        with self.door.app.app_context(), reading() as session:
            query = select(CourseRun).where(CourseRun.audience == Audience.CHILD).order_by(CourseRun.id)
            run = session.scalars(query).first()
            if run is None:
                return ("a" * 16,) * 3
            place = session.scalars(select(Registration.key).where(Registration.run_id == run.id)).first()
            return run.key, run.sessions[0].key, place or "a" * 16

    def tonight(self) -> str:
        """The key of the evening that begins in a few minutes."""
        with self.door.app.app_context(), reading() as session:
            query = select(CourseSession.key).where(
                CourseSession.starts_at < clock.now() + timedelta(hours=1)
            )
            return session.scalars(query.order_by(CourseSession.id)).first() or "a" * 16

    def a_key(self, name: str, persona: Persona | None) -> str:
        """The public key of some row, one of this person's own if rows belong to people; of none while there is no row."""
        table = db.metadata.tables[name]
        query = select(table.c.key).order_by(table.c.id)
        if "account_id" in table.c and persona is not None and persona.who is not None:
            query = query.where(table.c.account_id == persona.who.account_id)
        if name == "bonds" and persona is not None and isinstance(persona.who, Person):
            query = query.where(table.c.ward_id == persona.who.resident_id)
        with self.door.app.app_context(), reading() as session:
            keys = session.scalars(query).all()
        return str(self.chance.choice(keys)) if keys else "a" * 16

    def a_finished_run(self) -> str:
        """A class that is over, with people in it who may say how it was."""
        with self.door.app.app_context(), reading() as session:
            over = select(CourseRun.key).where(CourseRun.ends_at <= clock.now(), CourseRun.seats_taken > 0)
            return str(session.scalars(over.order_by(CourseRun.id)).first())

    def of_ones_own(self, label: str, persona: Persona) -> str:
        """An evening one has a seat at; a run in whose queue one stands, if there is one."""
        if label.endswith("/leave"):
            return self.chance.choice(self.open_runs[:2]).sessions[0].key
        who = persona.who.resident_id if isinstance(persona.who, Person) else None
        with self.door.app.app_context(), reading() as session:
            queue = session.scalar(
                select(CourseRun.key)
                .join(Registration, Registration.run_id == CourseRun.id)
                .where(
                    Registration.state == RegistrationState.WAITLISTED,
                    (Registration.resident_id == who) if who is not None else true(),
                )
                .order_by(CourseRun.id)
                .limit(1)
            )
        return queue or self.open_runs[0].key

    def drawn_run(self) -> str:
        """A class whose seats are drawn."""
        with self.door.app.app_context(), reading() as session:
            return session.scalars(select(CourseRun.key).where(CourseRun.admission == Admission.DRAW)).one()

    def of_the_office(self, label: str) -> str:
        """The key of what a clerk writes down: a class with people in it, a draft, somebody without a phone, or who only came to leave."""
        if label == "DELETE /api/v1/staff/residents/{key}":
            with self.door.app.app_context(), transaction() as session:
                return a_person_without_phone(session, self.town.wutong).key
        with self.door.app.app_context(), reading() as session:
            if label.endswith("/submission"):
                drafts = select(CourseRun.key).where(CourseRun.state == RunState.DRAFT)
                return session.scalars(drafts.order_by(CourseRun.id)).first() or "a" * 16
            if "/staff/residents/" in label:
                return self.town.elder.resident(session).key
        return self.open_runs[2].key

    def a_form_filled_in(self) -> str:
        """The key of a class that asked the resident something; they answer anew, for they may have emptied the form meanwhile."""
        with self.door.app.app_context(), transaction() as session:
            run, resident = session.get_one(CourseRun, self.open_runs[0].id), self.town.resident
            said = {questions_of(session, run)[0].key: "包子"}
            answer_questions(
                session, run, resident.resident(session), said, by_account_id=resident.account_id
            )
        return run.key

    def an_undelivered_notice(self) -> str:
        """The key of a message that staff may send again."""
        with self.door.app.app_context(), reading() as session:
            failed = select(Notice.key).where(Notice.delivery == Delivery.FAILED).order_by(Notice.id.desc())
            return session.scalars(failed).first() or "a" * 16

    def somebody_in(self, run: str) -> str:
        """The key of the last one who has a place in a class: somebody with a name, and nobody of the cast, who come and go."""
        cast = [who.resident_id for who in vars(self.town).values() if isinstance(who, Person)]
        with self.door.app.app_context(), reading() as session:
            inside = (
                select(Resident.key)
                .join(Registration, Registration.resident_id == Resident.id)
                .join(CourseRun, CourseRun.id == Registration.run_id)
                .where(
                    CourseRun.key == run,
                    Registration.state == RegistrationState.CONFIRMED,
                    Resident.name.is_not(None),  # a clerk may have said no to it
                )
                .order_by(Resident.id.in_(cast), Registration.id.desc())
            )
            return session.scalars(inside).first() or "a" * 16

    def an_applicant(self) -> tuple[str, str]:
        """The keys of a class whose staff look at applications, and of one of them."""
        with self.door.app.app_context(), reading() as session:
            applied = (
                select(CourseRun.key, Registration.key)
                .join(Registration, Registration.run_id == CourseRun.id)
                .where(CourseRun.admission == Admission.REVIEW)
                .order_by(Registration.state != RegistrationState.APPLIED, Registration.id)
            )
            run, registration = session.execute(applied).first() or ("a" * 16, "a" * 16)
            return run, registration

    def a_certificates_code(self) -> str:
        """What stands on some certificate."""
        with self.door.app.app_context(), reading() as session:
            return session.scalars(select(Certificate.code).limit(1)).first() or "none"

    def a_token(self, path: str) -> str:
        """A signed name that is itself the key to something."""
        if path == "/api/v1/room-calendars/{token}.ics":
            return self.a_rooms_token()
        if path != "/api/v1/calendars/{token}.ics":
            raise KeyError(f"say here what stands in the address {path}")
        with self.door.app.app_context(), reading() as session:
            feed = session.scalars(select(CalendarFeed).order_by(CalendarFeed.id.desc()).limit(1)).first()
        return "none" if feed is None else feed_token(feed)

    def a_rooms_token(self) -> str:
        """What stands in the address of some room's calendar."""
        with self.door.app.app_context(), reading() as session:
            feed = session.scalars(select(VenueFeed).order_by(VenueFeed.id.desc()).limit(1)).first()
            return "none" if feed is None else venue_feed_token(feed)

    def mostly(self) -> bool:
        """Three times out of four."""
        return self.chance.random() < 0.75

    def openid_of(self, persona: Persona) -> str:
        if persona.who is None:
            return "o-newcomer"
        with self.door.app.app_context(), reading() as session:
            return session.scalars(select(Account.openid).where(Account.id == persona.who.account_id)).one()

    def an_invitation(self) -> str:
        with self.door.app.app_context(), transaction() as session:
            return invite(session, session.get_one(StaffMember, self.chance.choice(self.clerks_to_be).id))


@dataclass
class Pages:
    """Where each list goes on for this phone."""

    phone: Phone
    known: dict[str, str | None] = field(default_factory=dict)

    def next_of(self, label: str, path: Any) -> str | None:
        """A real cursor of a list, if it has a second page."""
        address = label.partition(" ")[2].replace("{key}", str((path or {}).get("key", "")))
        if address not in self.known:
            answer = self.phone.get(f"{address}?limit=1")
            self.known[address] = told(answer)["next"] if answer.status_code == 200 else None
        return self.known[address]


def wants_one_thing(label: str) -> bool:
    """Whether an operation succeeds with few of the things there are, so that every well-formed request is about one of them."""
    return "{resident}" in label or "{registration}" in label or label.endswith("/sending")


def is_of_the_day(label: str) -> bool:
    """Whether an operation is about who comes to an evening."""
    path = label.partition(" ")[2]
    return path.startswith(
        ("/api/v1/course-sessions/{key}/", "/api/v1/staff/course-sessions/{key}/")
    ) and any(part in path for part in ("/check-in", "/screen", "/attendance", "/appeal", "/pick-ups"))


def changes_a_class(label: str) -> bool:
    """Whether an operation decides about a class, so that who has a place in it would be in the way, or sent home."""
    method, _, path = label.partition(" ")
    about = ("/api/v1/staff/course-runs/{key}/", "/api/v1/staff/course-sessions/{key}/")
    is_about_people = "/registrations/" in path
    return method in {"PUT", "DELETE"} and f"{path}/".startswith(about) and not is_about_people


def unknown_addresses(document: dict[str, Any]) -> list[str]:
    """The keyed addresses of a document of which ``TABLES`` does not say whose keys they take, and those it says too much of."""
    keyed = {path.partition("/{key}")[0] for path in document["paths"] if "/{key}" in path}
    return sorted(keyed ^ set(TABLES))


def labels(document: dict[str, Any]) -> Iterator[str]:
    """``GET /path`` of every operation of a document."""
    for path, operations in document["paths"].items():
        for method in operations:
            if method in {"get", "put", "post", "delete"}:
                yield f"{method.upper()} {path}"
