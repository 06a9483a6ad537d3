"""The stage (台前): who takes part in the demo town's wishes, and its days, which go by from the first wish to the first start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import clock
from models.accounts import welcome
from models.calendars import Calendar
from models.coordination.suspending import suspend
from models.credit_codes import check_sign
from models.issue_orders import MeetingPlan, plan_meeting
from models.partners import Partner, PartnerKind, UnitCard, admit, enlist_unit
from models.regions import Region
from models.residents import Resident
from models.staff import staff_members_of
from models.wishes import (
    By,
    RoundPlan,
    Wish,
    WishRound,
    WishSource,
    due_to_show,
    is_shown_now,
    plan_round,
    publish,
    remind_of_wish,
    turn_if_due,
    wishes_that_ring,
    wishes_to_remind_of,
)
from models.wishes.claims import (
    Claim,
    claims_that_ring,
    claims_to_remind_of,
    release_if_due,
    remind_of,
)
from models.wishes.street import IssueOrder, open_order_on
from server.demo.cast import DEPARTMENT, NEIGHBOURS, PARTNER, PARTS, Part
from server.demo.places import HONGFENG, SHUXIANG, TONGXIN, WANGJIANG, WUTONG
from server.demo.units import SUPERMARKET, SUSPENDED
from server.demo.wishes.book import MEETING, SIXTY, THEMES, Theme, Wished

MORNING, FORENOON = time(9), time(10)  # when what happens by itself happens; when people do something
CLERKS = {
    WUTONG: "demo-clerk",
    TONGXIN: "demo-clerk-tongxin",
    WANGJIANG: "demo-clerk-wangjiang",
    HONGFENG: "demo-clerk-hongfeng",
}
LEADS = {PARTNER: "demo-partner", SUPERMARKET: "demo-shopkeeper", DEPARTMENT: "demo-department"}
WAS_SUSPENDED = 5  # days ago
_MOST = 100
_PARTS: Mapping[str, Part] = {part.name: part for part in (*PARTS, *NEIGHBOURS)}


@dataclass
class Stage:
    """Who takes part."""

    session: Session
    regions: Mapping[str, Region]
    now: datetime
    data_dir: Path
    rounds: dict[str, WishRound] = field(default_factory=dict)

    def on(self, days_ago: int) -> datetime:
        """When people do something on a day so long ago; today it is now."""
        if days_ago <= 0:
            return self.now
        day = clock.in_town(self.now).date() - timedelta(days=days_ago)
        return datetime.combine(day, FORENOON, clock.TOWN_ZONE)

    def resident(self, name: str) -> Resident:
        """Somebody of the cast."""
        return self.session.scalars(select(Resident).where(Resident.name == name)).one()

    def clerk(self, community: str, *, source: WishSource = WishSource.ONLINE) -> By:
        """Who works for a community."""
        return self._staff(CLERKS[community], source)

    def officer(self) -> By:
        """Who works for the street."""
        return self._staff("demo-street-officer")

    def visitor(self) -> By:
        """The grid worker who comes by."""
        return self._staff("demo-grid-worker", WishSource.VISIT)

    def unit(self, name: str) -> Partner:
        """One of the town's units."""
        return self.session.scalars(select(Partner).where(Partner.name == name)).one()

    def lead(self, name: str) -> By:
        """Who acts for a unit; the first who does comes when they are needed."""
        unit = self.unit(name)
        account = welcome(self.session, openid=LEADS.get(name, f"demo-unit-{unit.id}"))
        admit(self.session, unit, account)
        return By(account.id, f"partner:{unit.key}")

    def _staff(self, openid: str, source: WishSource = WishSource.ONLINE) -> By:
        account = welcome(self.session, openid=openid)
        member = next(iter(staff_members_of(self.session, account)))
        return By(account.id, member.identity, source)


@dataclass
class Tale:
    """One wish in play, and the claim on it that is spoken of."""

    stage: Stage
    wished: Wished
    _wish: Wish | None = None
    _claim: Claim | None = None

    @property
    def session(self) -> Session:
        """Where it is written."""
        return self.stage.session

    @property
    def wish(self) -> Wish:
        """The wish, once it is made."""
        if self._wish is None:
            raise AssertionError("a wish is made before anything becomes of it")
        return self._wish

    @wish.setter
    def wish(self, made: Wish) -> None:
        self._wish = made

    @property
    def claim(self) -> Claim:
        """The claim on it that came last."""
        if self._claim is None:
            raise AssertionError("a claim is made before anything becomes of it")
        return self._claim

    @claim.setter
    def claim(self, made: Claim) -> None:
        self._claim = made

    @property
    def order(self) -> IssueOrder:
        """What of it lies with the street."""
        order = open_order_on(self.session, self.wish)
        if order is None:
            raise AssertionError("it lies with the street before the street does anything about it")
        return order

    @property
    def part(self) -> Part:
        """Whose wish it is, as the cast has them."""
        return _PARTS[self.wished.who]

    @property
    def whose(self) -> Resident:
        """Whose wish it is."""
        return self.stage.resident(self.wished.who)

    @property
    def clerk(self) -> By:
        """Who works for the community."""
        return self.stage.clerk(self.part.community)

    @property
    def own(self) -> By:
        """Who wished, on a phone; of who has none, whoever acts for them."""
        if self.part.openid is not None:
            return By(self.whose.account_id, "resident")
        helper = next((part for part in PARTS if part.acts_for == self.part.name), None)
        if helper is None:
            return self.stage.clerk(self.part.community, source=WishSource.COUNTER)
        if helper.openid == "demo-grid-worker":
            return self.stage.visitor()
        return By(self.stage.resident(helper.name).account_id, "resident")

    @property
    def lead(self) -> By:
        """Who leads the claim."""
        return self.stage.lead(self.claim.partner.name)


_Deed = tuple[datetime, Callable[[], object]]


def play_wishes(session: Session, regions: Mapping[str, Region], *, now: datetime, data_dir: Path) -> None:
    """Play every wish of the book up to ``now``, in the caller's writing transaction; pictures are kept under ``data_dir``."""
    stage = Stage(session, regions, now, data_dir)
    deeds = sorted(
        [*_framework(stage), *(deed for wished in SIXTY for deed in _deeds_of(Tale(stage, wished)))],
        key=lambda deed: deed[0],
    )
    with clock.stopped_at(deeds[0][0]) as hand:
        for moment, deed in deeds:
            _let_pass(session, hand, moment)
            deed()
            session.flush()
        _plan_a_meeting(stage)


def _deeds_of(tale: Tale) -> Sequence[_Deed]:
    made = tale.wished.days_ago
    return [
        (tale.stage.on(made - day), lambda act=act: act(tale))  # type: ignore[misc]  # bound at once
        for day, act in tale.wished.life
    ]


def _framework(stage: Stage) -> Sequence[_Deed]:
    """What the wishes need around them: themes, the street's department, and the unit that let people down."""
    themes = [(stage.on(theme.days_ago), lambda theme=theme: _theme(stage, theme)) for theme in THEMES]
    return [
        (stage.on(60), lambda: _bring_in_the_department(stage)),
        (stage.on(WAS_SUSPENDED), lambda: _suspend(stage)),
        *themes,
    ]


def _theme(stage: Stage, theme: Theme) -> None:
    clerk, today = stage.clerk(WUTONG), clock.today()
    plan = RoundPlan(
        theme.title,
        theme.about,
        today,
        today + timedelta(days=theme.collects_days),
        today + timedelta(days=theme.shown_after_days),
    )
    stage.rounds[theme.title] = plan_round(
        stage.session,
        stage.regions[WUTONG],
        plan,
        by_account_id=clerk.account_id,
        identity=clerk.identity,
    )


def _bring_in_the_department(stage: Stage) -> None:
    officer, seventeen = stage.officer(), "11990101MA0000050"
    card = UnitCard(
        name=DEPARTMENT,
        kind=PartnerKind.DEPARTMENT,
        credit_code=seventeen + check_sign(seventeen),
        region=stage.regions[SHUXIANG],
        contact_name="联系人50",
        contact_phone="19900000250",
    )
    enlist_unit(stage.session, card, by_account_id=officer.account_id, identity=officer.identity)
    stage.lead(DEPARTMENT)


def _suspend(stage: Stage) -> None:
    clerk = stage.clerk(WUTONG)
    suspend(
        stage.session,
        stage.unit(SUSPENDED),
        "约好的服务两次没有来",
        by_account_id=clerk.account_id,
        identity=clerk.identity,
    )


def _plan_a_meeting(stage: Stage) -> None:
    """The street meets a week from now, on a working day, about the first thing that waits."""
    calendar, day = (
        Calendar.in_force(stage.session),
        clock.in_town(stage.now).date() + timedelta(days=7),
    )
    while not calendar.kind_of(day).is_work:
        day += timedelta(days=1)
    waits = stage.session.scalars(
        select(IssueOrder).where(IssueOrder.title == MEETING.about).order_by(IssueOrder.id)
    ).all()
    officer = stage.officer()
    plan_meeting(
        stage.session,
        stage.regions[SHUXIANG],
        MeetingPlan(MEETING.title, datetime.combine(day, MORNING, clock.TOWN_ZONE), MEETING.place),
        waits,
        by_account_id=officer.account_id,
        identity=officer.identity,
    )


def _let_pass(session: Session, hand: clock.StoppedClock, until: datetime) -> None:
    """Let the days go by, and on each morning whatever happens by itself happen."""
    while (morning := _next_morning()) <= until:
        hand.move_to(morning)
        _what_is_due(session)
    hand.move_to(until)


def _next_morning() -> datetime:
    today = datetime.combine(clock.today(), MORNING, clock.TOWN_ZONE)
    return today if today > clock.now() else today + timedelta(days=1)


def _what_is_due(session: Session) -> None:
    """What ``server.jobs.wishes`` does with what is due, within one transaction."""
    now = clock.now()
    for wish in due_to_show(session, now, most=_MOST):
        if is_shown_now(session, wish):
            publish(session, wish)
    rings: Sequence[tuple[Callable[..., Sequence[Any]], Callable[[Session, Any, datetime], bool]]] = (
        (wishes_that_ring, turn_if_due),
        (claims_that_ring, release_if_due),
        (wishes_to_remind_of, remind_of_wish),
        (claims_to_remind_of, remind_of),
    )
    for find, deed in rings:
        for one in find(session, now, most=_MOST):
            deed(session, one, now)
