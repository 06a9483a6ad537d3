"""The standing cast (常住演员) of the tests, in two communities of one district, and factories for everything they touch.

Everything here is built with the verbs of ``models``, nothing else: what the verbs do not allow does not happen in these tests
either. People are plain values with keys (safe to hand to threads and to keep between tests); what they do, they do in
transactions of their own.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, selectinload

from models import clock
from models.accounts import Account, open_login, welcome
from models.base import reading, transaction
from models.consents import PRIVACY_POLICY, ConsentChannel, agree
from models.courses import (
    Audience,
    Course,
    CourseRun,
    Evening,
    Registration,
    RunPlan,
    RunState,
    Seating,
    Standing,
    Tap,
    Wanting,
    open_course,
    plan_run,
    promote,
    publish,
    receipts_of,
    register,
)
from models.credit_codes import check_sign
from models.grants import Answer, record_answers
from models.notices import TemplateName
from models.partners import Partner, PartnerKind, UnitCard, admit, enlist, enlist_unit
from models.policies import Policy, set_policy
from models.regions import Region, RegionKind, plant
from models.residents import Bond, BondKind, Profile, Resident, bind, introduce
from models.scenes import Scene, SceneKind, SceneLooks, make_scene
from models.sites import Site, SiteKind, Venue, add_venue, open_site
from models.staff import Role, StaffMember, accept_invitation, grant, hire, invite

OPENS_AT = datetime(2026, 11, 20, 10, 0, tzinfo=clock.TOWN_ZONE)
FIRST_EVENING = datetime(2026, 12, 3, 18, 0, tzinfo=clock.TOWN_ZONE)
GENEROUS = ("runs_a_term", "waits_at_once")  # a town without these limits, but in the tests of them
AN_EVENING = timedelta(hours=2)
BY_POLICY = -1  # the waiting list as long as the community's policy says

_counter = itertools.count(1)


# --- people -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """Somebody of the town. Without an account they have no login, and others tap for them."""

    name: str
    resident_id: int
    key: str
    account_id: int | None = None
    login_key: str = ""

    def wants(
        self,
        run: CourseRun,
        *,
        for_whom: Person | None = None,
        companions: int = 0,
        directly: bool = False,
    ) -> Tap:
        """The tap on 报名, as the phone sends it."""
        ward = for_whom.key if for_whom else None
        return Tap(run.key, self.login_key, Wanting.A_SEAT, ward, companions, directly)

    def accepting(self, run: CourseRun, *, for_whom: Person | None = None) -> Tap:
        """The tap on 确认名额."""
        return Tap(run.key, self.login_key, Wanting.TO_ACCEPT, for_whom.key if for_whom else None)

    def leaves(self, run: CourseRun, *, for_whom: Person | None = None) -> Tap:
        """The tap on 取消报名."""
        return Tap(run.key, self.login_key, Wanting.TO_GIVE_UP, for_whom.key if for_whom else None)

    def tap(
        self,
        run: CourseRun,
        *,
        for_whom: Person | None = None,
        companions: int = 0,
        directly: bool = False,
    ) -> Standing:
        """Register, in a transaction of one's own. Raises the refusal."""
        wish = self.wants(run, for_whom=for_whom, companions=companions, directly=directly)
        with transaction() as session:
            standing = register(session, wish)
        assert standing is not None
        return standing

    def accept(self, run: CourseRun, *, for_whom: Person | None = None) -> Standing:
        """Accept the seat that is offered, in a transaction of one's own. Raises the refusal."""
        with transaction() as session:
            standing = register(session, self.accepting(run, for_whom=for_whom))
        assert standing is not None
        return standing

    def give_up(self, run: CourseRun, *, for_whom: Person | None = None) -> None:
        """Give the place up, in a transaction of one's own. Raises the refusal."""
        with transaction() as session:
            register(session, self.leaves(run, for_whom=for_whom))

    def account(self, session: Session) -> Account:
        """Their WeChat, in this session."""
        return session.get_one(Account, self.account_id)

    @property
    def openid(self) -> str:
        """What WeChat calls them."""
        with reading() as session:
            return self.account(session).openid

    def resident(self, session: Session) -> Resident:
        """Themselves, in this session."""
        return session.get_one(Resident, self.resident_id)

    def agrees(self) -> None:
        """Agree to the privacy policy in force."""
        with transaction() as session:
            agree(
                session,
                self.account(session),
                version=PRIVACY_POLICY.version,
                channel=ConsentChannel.MINI_PROGRAM,
            )

    def allows(self, template: TemplateName, *, times: int = 1) -> None:
        """Report that so many messages of a template were accepted; see ``Door.allow`` for what WeChat knows of it."""
        for _ in range(times):
            with transaction() as session:
                record_answers(session, self.account(session), {template: Answer.ACCEPT})


@dataclass(frozen=True)
class Worker:
    """Somebody who works for the town, with the WeChat they joined with."""

    name: str
    staff_id: int
    key: str
    account_id: int
    login_key: str

    @property
    def identity(self) -> str:
        """The hat, as ``X-Identity`` names it."""
        return f"staff:{self.key}"

    def member(self, session: Session) -> StaffMember:
        """Their row, in this session."""
        return session.get_one(StaffMember, self.staff_id)

    def account(self, session: Session) -> Account:
        """Their WeChat, in this session."""
        return session.get_one(Account, self.account_id)


@dataclass(frozen=True)
class UnitMember:
    """Somebody who acts for a partner unit."""

    partner_id: int
    partner_key: str
    account_id: int
    login_key: str

    @property
    def identity(self) -> str:
        """The hat, as ``X-Identity`` names it."""
        return f"partner:{self.partner_key}"


def an_account(session: Session, *, openid: str | None = None) -> tuple[Account, str]:
    """A WeChat user who logged in: the account and the key of the open login."""
    account = welcome(session, openid=openid or f"o-{next(_counter):06}")
    return account, open_login(session, account).key


def a_resident(
    session: Session,
    community: Region | None,
    *,
    name: str | None = "居民",
    phone: str | None = "13800138000",
    birth_year: int | None = 1980,
    consents: bool = True,
    openid: str | None = None,
) -> Person:
    """A person with a phone: account, open login, complete profile and consent, unless told otherwise."""
    account, login_key = an_account(session, openid=openid)
    home = session.get_one(Region, community.id) if community is not None else None
    resident = introduce(
        session, account, Profile(name=name, home_community=home, birth_year=birth_year, phone=phone)
    )
    if consents:
        agree(session, account, version=PRIVACY_POLICY.version, channel=ConsentChannel.MINI_PROGRAM)
    return Person(name or "", resident.id, resident.key, account.id, login_key)


def a_person_without_phone(
    session: Session,
    community: Region | None,
    *,
    name: str | None = "邻居",
    birth_year: int | None = 1948,
) -> Person:
    """A resident without an account: an elder who uses the counter, a child."""
    resident = Resident(name=name, birth_year=birth_year)
    session.add(resident)
    if community is not None:
        resident.move_home(session.get_one(Region, community.id))
    session.flush()
    return Person(name or "", resident.id, resident.key)


def a_crowd(session: Session, community: Region, how_many: int) -> list[Person]:
    """Many residents, all ready to tap."""
    return [a_resident(session, community, name=f"居民{n + 1}") for n in range(how_many)]


def a_bond(
    session: Session, helper: Person, ward: Person, *, kind: BondKind = BondKind.FAMILY_HELPER
) -> Bond:
    """One person may act for another from today on."""
    return bind(
        session,
        helper=helper.resident(session),
        ward=ward.resident(session),
        kind=kind,
        agreed_how="本人到社区当面同意",
    )


def a_staff_member(
    session: Session, role: Role, region: Region, *, name: str = "工作人员", by: StaffMember | None = None
) -> Worker:
    """Somebody hired, granted a role, invited, and joined."""
    member = hire(session, name)
    grant(session, member, role, session.get_one(Region, region.id), by=by)
    account, login_key = an_account(session)
    accept_invitation(session, account, invite(session, member))
    return Worker(name, member.id, member.key, account.id, login_key)


def a_partner_member(session: Session, *, name: str = "老张裁缝铺") -> UnitMember:
    """A unit and the account that acts for it."""
    partner: Partner = enlist(session, name, PartnerKind.NEIGHBOUR)
    account, login_key = an_account(session)
    admit(session, partner, account)
    return UnitMember(partner.id, partner.key, account.id, login_key)


def a_member_of(session: Session, partner: Partner) -> UnitMember:
    """Somebody who acts for a unit; the first to come is its manager."""
    account, login_key = an_account(session)
    admit(session, partner, account)
    return UnitMember(partner.id, partner.key, account.id, login_key)


def a_unit(session: Session, region: Region, *, name: str | None = None) -> Partner:
    """A unit with its papers that serves a place, without members yet."""
    return enlist_unit(session, a_card(session, region, name=name), by_account_id=None, identity="town")


def a_card(session: Session, region: Region, *, name: str | None = None) -> UnitCard:
    """What somebody writes down of a unit that nobody knows yet."""
    number = next(_counter)
    seventeen = f"91350100M{number:08}"
    return UnitCard(
        name=name or f"共建单位{number}",
        kind=PartnerKind.UNIT,
        credit_code=seventeen + check_sign(seventeen),
        region=session.get_one(Region, region.id),
        contact_name="老赵",
        contact_phone="13900000009",
    )


# --- places and courses -------------------------------------------------------------------------------------------


def a_site(session: Session, region: Region, *, name: str | None = None) -> Site:
    """A 党群服务站 without rooms yet."""
    return open_site(
        session,
        session.get_one(Region, region.id),
        kind=SiteKind.STATION,
        name=name or f"服务站{next(_counter)}",
    )


def a_venue(session: Session, region: Region, *, name: str | None = None, capacity: int = 30) -> Venue:
    """A room of one space, in the community's first site (made if there is none)."""
    site = session.scalar(select(Site).where(Site.region_id == region.id).order_by(Site.id).limit(1))
    return add_venue(
        session,
        site or a_site(session, region),
        name=name or f"教室{next(_counter)}",
        capacity=capacity,
    )


def a_course(
    session: Session, community: Region, *, title: str | None = None, category: str = "艺术"
) -> Course:
    """A course of the community; a new one unless its title is given."""
    return open_course(
        session,
        session.get_one(Region, community.id),
        title=title or f"摄影入门{next(_counter)}",
        category=category,
    )


def a_plan(
    session: Session,
    community: Region,
    *,
    venue: Venue | None = None,
    starts_at: datetime = FIRST_EVENING,
    evenings: int = 1,
    capacity: int = 20,
    opens_at: datetime = OPENS_AT,
    teacher: str | None = None,
    teacher_is_person: bool = True,
    audience: Audience = Audience.EVERYONE,
    min_age: int | None = None,
    max_age: int | None = None,
    seating: Seating | None = None,
    month: str = "2026-12",
) -> RunPlan:
    """What staff write down of a run: weekly evenings of 90 minutes, in a room and with a teacher of its own."""
    room = session.get_one(Venue, venue.id) if venue is not None else a_venue(session, community)
    starts = [starts_at + timedelta(weeks=week) for week in range(evenings)]
    return RunPlan(
        month=month,
        ordinal=next(_counter),
        teacher=teacher or f"老师{next(_counter)}",
        teacher_is_person=teacher_is_person,
        capacity=capacity,
        opens_at=opens_at,
        evenings=[Evening(start, start + timedelta(minutes=90), room) for start in starts],
        audience=audience,
        min_age=min_age,
        max_age=max_age,
        seating=seating,
    )


def plan_as_it_stands(run: CourseRun) -> RunPlan:
    """The plan that changes nothing about a run."""
    return RunPlan(
        month=run.month,
        ordinal=run.ordinal,
        teacher=run.teacher,
        teacher_is_person=run.teacher_is_person,
        capacity=run.capacity,
        opens_at=run.opens_at,
        evenings=[Evening(one.starts_at, one.ends_at, one.venue) for one in run.sessions],
        audience=run.audience,
        min_age=run.min_age,
        max_age=run.max_age,
        materials=run.materials,
        note=run.note,
        timetable=run.timetable,
    )


def a_run(
    session: Session,
    community: Region,
    *,
    title: str | None = None,
    category: str = "艺术",
    published: bool = True,
    waitlist_limit: int | None = BY_POLICY,
    venue: Venue | None = None,
    starts_at: datetime | None = None,
    evenings: int = 1,
    capacity: int = 20,
    opens_at: datetime = OPENS_AT,
    teacher: str | None = None,
    audience: Audience = Audience.EVERYONE,
    min_age: int | None = None,
    max_age: int | None = None,
    seating: Seating | None = None,
) -> CourseRun:
    """A published run that is open for registration, with a new course unless its title is given.

    The first starts on ``FIRST_EVENING``, each later one when the one before is over: nobody's classes clash unless a test wants it.
    """
    if starts_at is None:
        starts_at = FIRST_EVENING + AN_EVENING * (session.scalar(select(func.count(CourseRun.id))) or 0)
    course = a_course(session, community, title=title, category=category)
    plan = a_plan(
        session,
        community,
        venue=venue,
        starts_at=starts_at,
        evenings=evenings,
        capacity=capacity,
        opens_at=opens_at,
        teacher=teacher,
        audience=audience,
        min_age=min_age,
        max_age=max_age,
        seating=seating,
    )
    run = plan_run(session, course, plan)
    if waitlist_limit != BY_POLICY:
        run.waitlist_limit = waitlist_limit
    if published:
        publish(session, run)
    session.flush()
    return run


def raise_capacity(session: Session, run: CourseRun, capacity: int) -> None:
    """More chairs: the first in line move up in the same transaction."""
    locked = session.get_one(CourseRun, run.id).lock()
    locked.capacity = capacity
    promote(session, locked)


# --- the town -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Town:
    """Two communities in two streets of one district, and everybody in them. Rows are detached: look, don't touch."""

    district: Region
    east_street: Region
    west_street: Region
    wutong: Region  # 梧桐里
    wangjiang: Region  # 望江
    resident: Person
    neighbour: Person
    outsider: Person  # of 望江
    helper: Person
    elder: Person  # no account; the helper may act for her
    guardian: Person
    child: Person  # no account
    grid_worker: Worker
    clerk: Worker
    admin: Worker
    street_officer: Worker
    partner_member: UnitMember
    crowd: tuple[Person, ...] = field(default=(), repr=False)

    def a_run(
        self,
        *,
        community: Region | None = None,
        title: str | None = None,
        category: str = "艺术",
        published: bool = True,
        waitlist_limit: int | None = BY_POLICY,
        venue: Venue | None = None,
        starts_at: datetime | None = None,
        evenings: int = 1,
        capacity: int = 20,
        opens_at: datetime = OPENS_AT,
        teacher: str | None = None,
        audience: Audience = Audience.EVERYONE,
        min_age: int | None = None,
        max_age: int | None = None,
        seating: Seating | None = None,
    ) -> CourseRun:
        """``a_run`` in a transaction of its own, in 梧桐里 unless told otherwise."""
        with transaction() as session:
            run = a_run(
                session,
                community or self.wutong,
                title=title,
                category=category,
                published=published,
                waitlist_limit=waitlist_limit,
                venue=venue,
                starts_at=starts_at,
                evenings=evenings,
                capacity=capacity,
                opens_at=opens_at,
                teacher=teacher,
                audience=audience,
                min_age=min_age,
                max_age=max_age,
                seating=seating,
            )
        return self.now(run)

    def is_as_strict_as_others(self) -> None:
        """So many courses a term and so many queues, as anywhere else."""
        with transaction() as session:
            session.execute(delete(Policy).where(Policy.name.in_(GENEROUS)))

    def call_off(self, run: CourseRun) -> None:
        """It stands cancelled from here on, and nobody was told."""
        with transaction() as session:
            row = session.get_one(CourseRun, run.id)
            row.state, row.cancelled_at = RunState.CANCELLED, clock.now()

    def now(self, run: CourseRun) -> CourseRun:
        """The run as it stands in the database."""
        with reading() as session:
            return session.scalars(
                select(CourseRun)
                .options(selectinload(CourseRun.sessions), selectinload(CourseRun.course))
                .where(CourseRun.id == run.id)
            ).one()

    def a_scene(self, run: CourseRun, *, lasts: timedelta | None = None) -> Scene:
        """A code that leads to a run."""
        with transaction() as session:
            return make_scene(
                session,
                SceneKind.COURSE_RUN,
                subject_key=run.key,
                region=session.get_one(Region, run.region_id),
                expires_at=clock.now() + lasts if lasts else None,
            )

    def looks_at(self, scene: Scene) -> int:
        """How often a code was looked at, as far as it is written down."""
        with reading() as session:
            return sum(session.scalars(select(SceneLooks.looks).where(SceneLooks.scene_id == scene.id)))

    def registrations(self, run: CourseRun) -> Sequence[Registration]:
        """Every registration of a run, in the order of decision."""
        with reading() as session:
            return session.scalars(
                select(Registration).where(Registration.run_id == run.id).order_by(Registration.number)
            ).all()

    def states(self, run: CourseRun) -> list[str]:
        """The states of a run's registrations, in the order of decision."""
        return [registration.state.value for registration in self.registrations(run)]

    def why(self, person: Person, run: CourseRun) -> list[tuple[str, str]]:
        """What somebody was told of a run and keeps: each receipt's kind and code, oldest first."""
        with reading() as session:
            kept = receipts_of(session, [person.resident_id], run_key=run.key, before_id=None, most=None)
            return [(receipt.why.value, receipt.code) for receipt in reversed(kept)]

    def people(self, how_many: int, *, community: Region | None = None) -> list[Person]:
        """That many more residents."""
        with transaction() as session:
            return a_crowd(session, community or self.wutong, how_many)


def build_town() -> Town:
    """Plant the places and bring in the cast, in one transaction."""
    with transaction() as session:
        district = plant(session, kind=RegionKind.DISTRICT, code="qinghe", name="清河区")
        east = plant(session, kind=RegionKind.STREET, code="qinghe-east", name="东街街道", parent=district)
        west = plant(session, kind=RegionKind.STREET, code="qinghe-west", name="西街街道", parent=district)
        wutong = plant(session, kind=RegionKind.COMMUNITY, code="wutong", name="梧桐里社区", parent=east)
        wangjiang = plant(session, kind=RegionKind.COMMUNITY, code="wangjiang", name="望江社区", parent=west)
        for limit in GENEROUS:
            set_policy(session, district, limit, "0")
        grid = plant(session, kind=RegionKind.GRID, code="wutong-1", name="第一网格", parent=wutong)
        helper = a_resident(session, wutong, name="王芳", birth_year=1975)
        elder = a_person_without_phone(session, wutong, name="王奶奶", birth_year=1948)
        a_bond(session, helper, elder)
        guardian = a_resident(session, wutong, name="李强", birth_year=1988)
        child = a_person_without_phone(session, wutong, name="李小雨", birth_year=2016)
        a_bond(session, guardian, child, kind=BondKind.GUARDIAN)
        admin = a_staff_member(session, Role.ADMIN, wutong, name="周主任")
        by_admin = admin.member(session)
        return Town(
            district=district,
            east_street=east,
            west_street=west,
            wutong=wutong,
            wangjiang=wangjiang,
            resident=a_resident(session, wutong, name="陈静", birth_year=1990, phone="13900000001"),
            neighbour=a_resident(session, wutong, name="刘洋", birth_year=1985, phone="13900000002"),
            outsider=a_resident(session, wangjiang, name="赵敏", birth_year=1992, phone="13900000003"),
            helper=helper,
            elder=elder,
            guardian=guardian,
            child=child,
            grid_worker=a_staff_member(session, Role.GRID_WORKER, grid, name="网格员小孙", by=by_admin),
            clerk=a_staff_member(session, Role.CLERK, wutong, name="小吴", by=by_admin),
            admin=admin,
            street_officer=a_staff_member(session, Role.STREET_OFFICER, east, name="郑科长"),
            partner_member=a_partner_member(session),
        )
