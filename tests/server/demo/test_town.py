"""The demo town: everything a newcomer should find, on any day of the year, beside the community's real timetable."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from models import clock as town_clock
from models.accounts import Account, open_login
from models.agreements import (
    AgreementState,
    ServiceAgreement,
    ServiceDelivery,
    agreements_of_partner,
    figures_of,
)
from models.base import db, reading, transaction
from models.coordination.closures import closures_ahead, questions_open_to
from models.counter import agreed_among
from models.courses import (
    Certificate,
    Course,
    CourseKind,
    CourseRun,
    RunFilter,
    RunPhase,
    RunState,
    Tap,
    published_runs,
    rating_of,
    register,
)
from models.equipment import equipment_of
from models.hours import OpeningTimes, OpenOn
from models.partners import (
    Pairing,
    PairingState,
    Partner,
    PartnerState,
    is_paired,
    is_trusted,
    paired_places,
    partners_of,
)
from models.regions import Region, RegionKind
from models.reservations import CreditAppealState, CreditEntry, Reservation
from models.residents import Resident, bonds_of, resident_of
from models.sites import Site, Venue, VenueUse
from models.staff import grants_of, staff_members_of
from server.demo import demo_people
from server.demo.cast import PARTNER
from server.jobs import rooms as jobs
from server.jobs import telling
from server.timetable import import_timetable, read_timetable
from tests.data.make_timetable import COMMITTED
from tests.databases import photograph
from tests.server.demo.conftest import NOVEMBER_20, load


def run_of(title: str) -> CourseRun:
    with reading() as session:
        return session.scalars(select(CourseRun).join(CourseRun.course).where(Course.title == title)).one()


def account_of(openid: str) -> Account:
    with reading() as session:
        return session.scalars(select(Account).where(Account.openid == openid)).one()


def test_the_town_has_its_places(demo: Path) -> None:
    with reading() as session:
        kinds = dict(session.execute(select(Region.kind, func.count()).group_by(Region.kind)).all())
        sites = dict(session.execute(select(Site.kind, func.count()).group_by(Site.kind)).all())
        rooms = set(session.scalars(select(Venue.name)))
    assert kinds == {
        RegionKind.CITY: 1,
        RegionKind.DISTRICT: 1,
        RegionKind.STREET: 2,
        RegionKind.COMMUNITY: 4,
        RegionKind.GRID: 12,
    }
    assert {kind.value: count for kind, count in sites.items()} == {
        "centre": 6,
        "station": 6,
        "rest_station": 3,
    }
    assert rooms >= {
        *(
            "多功能厅",
            "百姓议事厅",
            "舞蹈室",
            "书画室",
            "手工教室",
            "面点教室",
            "电脑教室",
            "自媒体工作室",
            "音乐室",
        ),
        *(
            "心理咨询室",
            "棋牌室",
            "图书阅览室",
            "青少年活动室",
            "儿童之家",
            "健身房",
            "乒乓球台1",
            "乒乓球台2",
        ),
        *("长者学堂", "会议室", "共享厨房", "党员活动室"),
    }


def test_a_centre_says_how_its_rooms_are_used_when_they_are_open_and_what_it_lends(demo: Path) -> None:
    with reading() as session:
        site = session.scalars(select(Site).where(Site.name == "梧桐里社区党群服务中心")).one()
        rooms = {venue.name: venue for venue in site.venues}
        uses = set(session.scalars(select(Venue.use)))
        lent = {room.name: equipment_of(session, [room])[room.id] for room in site.venues}
        times = OpeningTimes(session, [site])
        open_on = {one.on for one in times.of_site(site)}
        assert times.is_written(rooms["图书阅览室"])
    assert uses == set(VenueUse)
    assert all(room.floor for room in site.venues)
    assert open_on == set(OpenOn)
    assert {one.name for one in lent["舞蹈室"]} - {one.name for one in lent["书画室"]} == {"音响"}
    hall, halves = rooms["多功能厅"], [rooms[f"多功能厅{half}"] for half in "AB"]
    assert hall.capacity == sum(half.capacity for half in halves) == 80


def test_a_newcomer_finds_one_open_one_opening_soon_one_full_and_one_of_several_weeks(
    demo: Path, hand: town_clock.StoppedClock
) -> None:
    assert run_of("八段锦晨练").phase is RunPhase.ENROLLING
    full = run_of("水彩小课")
    assert (full.phase, full.seats_taken, full.waiting) == (RunPhase.FULL, full.capacity, 4)
    soon = run_of("家常面点")
    assert soon.phase is RunPhase.UPCOMING
    assert soon.opens_at == town_clock.now() + timedelta(minutes=10)
    hand.advance(minutes=10)
    assert run_of("家常面点").phase is RunPhase.ENROLLING
    with reading() as session:
        runs = published_runs(session, RunFilter(), after=None, most=100)
        assert len(runs) >= 12
        assert max(len(run.sessions) for run in runs) == 3
        assert max(run.ends_at for run in runs) < town_clock.now() + timedelta(weeks=3)
        for run in runs:
            for meeting in run.sessions:
                starts, ends = town_clock.in_town(meeting.starts_at), town_clock.in_town(meeting.ends_at)
                assert f"{ends:%H:%M}" <= "18:00" or f"{starts:%H:%M}" >= "19:00"


def test_a_class_is_over_with_certificates_and_a_rating(demo: Path, hand: town_clock.StoppedClock) -> None:
    run = run_of("中国结编织")
    assert run.phase is RunPhase.FINISHED
    assert run.ends_at < town_clock.now()
    with reading() as session:
        papers = session.scalars(select(Certificate).order_by(Certificate.id)).all()
        assert [paper.evenings for paper in papers] == [3, 3, 2, 3, 2]
        assert {paper.evenings_held for paper in papers} == {3}
        assert papers[0].name == "居民A01"
        rating = rating_of(session, run)
        assert rating is not None
        assert (rating.ratings, rating.average) == (5, 4.6)
    assert town_clock.now() == NOVEMBER_20, "the clock goes on as if nothing had been"


def test_a_class_is_published_at_the_next_hour(demo: Path, hand: town_clock.StoppedClock) -> None:
    assert run_of("剪纸窗花").phase is RunPhase.SCHEDULED
    assert run_of("剪纸窗花").published_at == town_clock.now() + timedelta(days=1)
    hand.advance(days=1)
    assert run_of("剪纸窗花").phase is RunPhase.UPCOMING


def test_there_is_an_activity_one_may_bring_somebody_to(demo: Path) -> None:
    activity = run_of("邻里包饺子")
    assert (activity.phase, activity.most_companions) == (RunPhase.ENROLLING, 1)
    with reading() as session:
        (found,) = published_runs(session, RunFilter(kind=CourseKind.ACTIVITY), after=None, most=5)
        assert found.key == activity.key


def test_rooms_are_reserved_asked_for_waited_for_in_use_and_over(
    demo: Path, hand: town_clock.StoppedClock
) -> None:
    with reading() as session:
        rows = session.scalars(select(Reservation).order_by(Reservation.starts_at, Reservation.id)).all()
        told = [(one.venue.name, one.state.value) for one in rows]
        series = [one for one in rows if one.series_id is not None]
        (own,) = [one for one in rows if one.resident_id is None]
        points = [(entry.points, entry.appeal_state) for entry in session.scalars(select(CreditEntry))]
        assert {one.group.name for one in series if one.group} == {"梧桐合唱团"}
    assert told[:3] == [("会议室", "finished"), ("乒乓球室", "no_show"), ("会议室", "checked_in")]
    assert sorted(told[3:]) == sorted(
        [
            *(("会议室", "approved"), ("会议室", "waitlisted"), ("心理沙龙室", "pending")),
            ("心理沙龙室", "approved"),
            *(("乒乓球室", "cancelled"), ("乒乓球室", "offered"), ("多功能厅", "approved")),
            *[("多功能厅A", "approved")] * 4,
        ]
    )
    assert (own.about, len(series)) == ("邻里议事会", 4)
    assert sorted(points, key=lambda each: each[0]) == [(-15, CreditAppealState.WAITING), (5, None)]
    assert jobs.end_room_offers(town_clock.now()) == 0
    assert jobs.release_no_shows(town_clock.now()) == 0


def test_units_are_found_in_every_state_paired_with_the_four_communities(demo: Path) -> None:
    with reading() as session:
        units = session.scalars(select(Partner)).all()
        told = Counter(unit.standing for unit in units)
        assert told == {
            PartnerState.ACTIVE: 16,
            PartnerState.SUSPENDED: 1,
            PartnerState.LAPSED: 1,
            PartnerState.APPLIED: 1,
            PartnerState.REJECTED: 1,
        }
        for name in ("梧桐里社区", "同心社区", "望江社区", "红枫社区"):
            community = session.scalars(select(Region).where(Region.name == name)).one()
            assert sum(is_paired(session, unit, community) for unit in units) >= 3, name
        assert any(unit.renewal_asked_at for unit in units)
        asked = session.scalars(select(Pairing).where(Pairing.state == PairingState.ASKED)).all()
        assert {pairing.partner.standing for pairing in asked} == {PartnerState.ACTIVE, PartnerState.APPLIED}
        trusted = [
            unit
            for unit in units
            for place in paired_places(session, unit)
            if is_trusted(session, unit, place)
        ]
        assert len(trusted) >= 4


def test_two_units_have_a_room_for_service_and_one_of_them_is_behind(
    demo: Path, hand: town_clock.StoppedClock
) -> None:
    account = account_of("demo-partner")
    with reading() as session:
        found = session.scalars(select(ServiceAgreement).order_by(ServiceAgreement.id)).all()
        figures = figures_of(session, found, town_clock.today())
        told = {one.partner.name: (one.state, figures[one.id].behind) for one in found}
        wrote = session.scalars(select(ServiceDelivery).where(ServiceDelivery.confirmed_at.is_(None))).all()
        (partner,) = partners_of(session, account)
        assert [one.title for one in agreements_of_partner(session, partner)] == [f"{PARTNER}·书画室"]
        assert [one.agreement.partner_id for one in wrote] == [partner.id]
    assert told == {
        "安心心理服务中心": (AgreementState.IN_FORCE, 0.0),
        PARTNER: (AgreementState.IN_FORCE, 17.8),
    }
    assert telling.tell_of_promises(town_clock.now()) == 3  # the unit, the clerk and the administrator


def test_a_room_is_closed_ahead_and_the_resident_is_asked_about_another(
    demo: Path, hand: town_clock.StoppedClock
) -> None:
    account = account_of("demo-resident")
    with reading() as session:
        resident = resident_of(session, account)
        assert resident is not None
        (asked,) = questions_open_to(session, [resident.id], most=10)
        (closed,) = closures_ahead(session, asked.effect.closure.site)
        assert (closed.because, [room.name for room in closed.venues]) == ("地板翻修", ["乒乓球室"])
        assert asked.effect.to_venue is not None
        assert (asked.effect.venue.name, asked.effect.to_venue.name) == ("乒乓球室", "心理沙龙室")
        assert asked.answer_by == town_clock.now() + timedelta(days=1)


def test_loading_it_again_changes_nothing(demo: Path, hand: town_clock.StoppedClock) -> None:
    with db.engine.connect() as connection:
        before = photograph(connection)
    hand.advance(days=3)
    assert load(demo) is False
    with db.engine.connect() as connection:
        assert photograph(connection) == before


def test_the_real_timetable_is_imported_beside_it(demo: Path) -> None:
    demo_runs = len(published())
    report = import_timetable(COMMITTED)
    assert [fault.line for fault in report.faults] == []
    assert (len(report.created), len(report.withdrawn)) == (22, 0)
    assert len(published()) == demo_runs + 22
    again = import_timetable(COMMITTED)
    assert (len(again.unchanged), len(again.created), len(again.revised)) == (22, 0, 0)


def published() -> list[CourseRun]:
    with reading() as session:
        return list(session.scalars(select(CourseRun).where(CourseRun.state == RunState.PUBLISHED)))


@pytest.mark.parametrize("engine_name", ["sqlite"])  # of the clock alone; what is loaded is looked at on both
@pytest.mark.parametrize(
    "moment",
    [
        *("2026-11-20T23:55", "2026-11-20T00:00", "2026-12-31T23:59", "2028-02-29T08:00", "2027-09-30T23:55"),
        *("2026-02-20T12:00", "2026-10-05T12:00"),  # in the middle of the long holidays
    ],
)
def test_it_can_be_started_at_any_moment(
    context: Flask, hand: town_clock.StoppedClock, tmp_path: Path, moment: str
) -> None:
    hand.move_to(datetime.fromisoformat(moment).replace(tzinfo=town_clock.TOWN_ZONE))
    load(tmp_path)
    assert run_of("水彩小课").waiting == 4
    assert run_of("家常面点").phase is RunPhase.UPCOMING
    hand.advance(minutes=10)
    assert run_of("家常面点").phase is RunPhase.ENROLLING


def test_its_timetable_is_a_file_a_clerk_could_import(demo: Path) -> None:
    plan = read_timetable(demo / "demo-timetable.xlsx")
    assert [fault.line for fault in plan.faults] == []
    assert [warning.line for warning in plan.warnings] == []
    report = import_timetable(demo / "demo-timetable.xlsx")
    assert (len(report.unchanged), len(report.created), len(report.revised)) == (15, 0, 0)


def test_who_has_no_wechat_has_signed_at_the_counter(demo: Path) -> None:
    with reading() as session:
        without = session.scalars(select(Resident).where(Resident.account_id.is_(None))).all()
        assert len(without) == 3
        assert agreed_among(session, without) == {resident.id for resident in without}
        assert any(resident.phone == "19900000008" for resident in without)


def test_the_cast_is_who_they_say_they_are(demo: Path) -> None:
    people = {person.role: person for person in demo_people()}
    assert people["居民"].identity == "resident"
    assert people["社区管理员"].identity == f"staff:{people['社区管理员'].key}"
    assert people["共建单位成员"].identity == f"partner:{people['共建单位成员'].key}"
    assert people["孩子"].openid == ""
    assert people["新用户（还没有登记）"].key == ""
    assert all(person.key for role, person in people.items() if not role.startswith("新用户"))
    with reading() as session:
        wards = {}
        for openid in ("demo-helper", "demo-guardian", "demo-grid-worker"):
            account = session.scalars(select(Account).where(Account.openid == openid)).one()
            resident = resident_of(session, account)
            assert resident is not None
            wards[openid] = [(bond.kind.value, bond.ward.name) for bond in bonds_of(session, resident)]
        assert wards == {
            "demo-helper": [("family_helper", "居民A02")],
            "demo-guardian": [("guardian", "居民A05")],
            "demo-grid-worker": [("grid_helper", "居民A06")],
        }
        admin = session.scalars(select(Account).where(Account.openid == "demo-admin")).one()
        (member,) = staff_members_of(session, admin)
        assert [(one.role.value, one.region.name) for one in grants_of(session, member)] == [
            ("admin", "梧桐里社区")
        ]
    assert all("openid demo-" in person.line or "没有微信" in person.line for person in demo_people())


def test_the_resident_can_register_at_once(demo: Path) -> None:
    run = run_of("八段锦晨练")
    with transaction() as session:
        account = session.scalars(select(Account).where(Account.openid == "demo-resident")).one()
        standing = register(session, Tap(run.key, open_login(session, account).key))
    assert standing is not None
    assert standing.state.value == "confirmed"


def test_a_guardian_registers_the_child(demo: Path) -> None:
    run = run_of("四点半课堂")
    child = next(person for person in demo_people() if person.role == "孩子")
    with transaction() as session:
        account = session.scalars(select(Account).where(Account.openid == "demo-guardian")).one()
        standing = register(session, Tap(run.key, open_login(session, account).key, for_key=child.key))
    assert standing is not None
    assert standing.resident_key == child.key


def test_the_street_and_its_department_can_be_tried(demo: Path) -> None:
    people = {person.role: person for person in demo_people()}
    assert people["职能部门经办人"].identity == f"partner:{people['职能部门经办人'].key}"
    assert people["街道干部"].identity.startswith("staff:")
