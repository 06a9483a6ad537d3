"""What a fuzzer needs to know of the town: who asks, real keys, codes that are good once, and how to count what it reached."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import schemathesis
from schemathesis import Case, GenerationMode, HookContext
from schemathesis.config import (
    ChecksConfig,
    GenerationConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.engine import events, from_schema
from schemathesis.hooks import unregister
from sqlalchemy import select, update

from models.accounts import Account, Login
from models.base import db, reading, transaction
from models.consents import PRIVACY_POLICY
from models.courses import CourseRun
from models.staff import StaffMember, invite
from tests.people import FIRST_EVENING, Person, Town, UnitMember, Worker
from tests.phones import TEMPLATES, Door, Phone, told
from tests.serving import listening, server_of

# whose keys stand in an address; a new keyed address needs its line here
TABLES = {
    "/api/v1/course-runs": "course_runs",
    "/api/v1/staff/course-runs": "course_runs",
    "/api/v1/staff/course-sessions": "course_sessions",
    "/api/v1/me/notices": "notices",
    "/api/v1/me/helpers": "bonds",
    "/api/v1/staff/notices": "notices",
    "/api/v1/staff/content-checks": "content_checks",
    "/api/v1/staff/calls": "calls",
    "/api/v1/scenes": "scenes",
    "/api/v1/staff/scenes": "scenes",
}


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
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def run(self, persona: Persona) -> Findings:
        """Every phase, every check."""
        phone = self.door.phone(persona.who)
        headers = {"Authorization": f"Bearer {phone.token}"} if phone.token else {}
        if phone.identity:
            headers["X-Identity"] = phone.identity
        config = SchemathesisConfig(
            seed=self.seed,
            projects=ProjectsConfig(
                default=ProjectConfig(
                    headers=headers,
                    workers=1,
                    continue_on_failure=True,
                    checks=ChecksConfig(),
                    generation=GenerationConfig(
                        max_examples=self.examples, database="none", deterministic=True
                    ),
                )
            ),
        )
        hooks = (self.before_call(persona, phone), self.after_call(persona))
        for hook in hooks:
            schemathesis.hook(hook)
        try:
            with listening(server_of(self.door.app)) as address:
                schema: Any = schemathesis.openapi.from_url(f"{address}/api/openapi.json", config=config)
                if persona.who is not None and not self.everybody_asks_everything:
                    # what is open answers everybody alike: by default only nobody in particular asks it
                    schema = schema.include(lambda asked: asked.operation.definition.raw.get("security"))
                return self.watch(from_schema(schema).execute())
        finally:
            for hook in hooks:
                unregister(hook)

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
            if isinstance(case.path_parameters, dict) and "key" in case.path_parameters and self.mostly():
                table = TABLES[case.path.partition("/{")[0]]
                if changes_a_class(label):
                    spare = self.chance.choice(
                        self.submitted_runs if label.endswith("/objection") else self.spare_runs
                    )
                    case.path_parameters["key"] = (spare if table == "course_runs" else spare.sessions[0]).key
                elif (
                    table == "course_runs" and self.mostly()
                ):  # most of what is asked of a run needs an open one
                    case.path_parameters["key"] = self.chance.choice(self.open_runs).key
                else:
                    case.path_parameters["key"] = self.a_key(
                        table, None if "/staff/" in case.path else persona
                    )
            if isinstance(case.query, dict):
                self.fill_query(case.query, persona, pages, label, case.path_parameters)
                if label == "DELETE /api/v1/me" and persona.leaves:
                    shown = phone.get("/me/closure")
                    case.query["closure"] = told(shown)["closure"] if shown.status_code == 200 else "0" * 16
            if isinstance(case.body, dict) and not (persona.leaves and "staff" in case.path):
                self.fill_body(case.body, label, openid, persona)  # whoever joins the staff cannot leave

        return before_call

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
        if "region" in query and self.mostly():
            query["region"] = self.chance.choice([self.town.wutong.key, self.town.district.key])
        if "run" in query and self.mostly():
            query["run"] = self.a_key("course_runs", persona)
        if "for" in query:
            if persona.wards:
                query["for"] = self.chance.choice(persona.wards)
            else:
                del query["for"]

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
        if label == "PUT /api/v1/me":
            if isinstance(body.get("consent"), dict) and self.mostly():
                body["consent"]["version"] = PRIVACY_POLICY.version
            if "home_community" in body and self.mostly():
                body["home_community"] = self.town.wutong.key

    def fill_decision(self, body: dict[str, Any], label: str) -> None:
        """A moment that is yet to come, for what staff decide about a class."""
        if label == "PUT /api/v1/staff/course-sessions/{key}/time":
            starts = FIRST_EVENING + timedelta(
                days=self.chance.randint(40, 400), hours=self.chance.randint(0, 5)
            )
            body |= {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=1)).isoformat()}
            body.pop("venue", None)

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


def changes_a_class(label: str) -> bool:
    """Whether an operation decides about a class, so that who has a place in it would be in the way, or sent home."""
    method, _, path = label.partition(" ")
    about = ("/api/v1/staff/course-runs/{key}/", "/api/v1/staff/course-sessions/{key}/")
    return method in {"PUT", "DELETE"} and path.startswith(about)


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
