"""The demo town (安澜市): what a newcomer finds after the first start. Fictional from end to end (domain.md §5).

places  regions, sites, rooms      cast  people and their hats      classes  the timetable that is imported    finished  a class that is over
activity  what one comes to once    groups  residents who come together    rooms  who uses which room when    agreements  rooms for units that serve
units  who gives to the community, in every state    closures  a room that is closed ahead    wishes  sixty wishes, played from the first day to this
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from models.accounts import Account, open_login, revoke_login, welcome
from models.courses import Course, CourseRun, Tap, next_publishing_hour, publish, register, unpublish
from models.errors import Conflict
from models.notices import Notice
from models.policies import set_policy
from models.regions import Region
from server.demo.activity import hold_an_activity
from server.demo.agreements import lend_rooms_for_service
from server.demo.cast import DemoPerson, bring_in_people, demo_people
from server.demo.classes import CLASSES, FILE_NAME, write_timetable
from server.demo.closures import close_a_room
from server.demo.finished import SAID, hold_a_class
from server.demo.groups import found_groups
from server.demo.places import CITY, WUTONG, plant_places
from server.demo.rooms import reserve_rooms
from server.demo.units import bring_in_units
from server.demo.wishes import play_wishes
from server.timetable import apply_timetable, read_timetable

__all__ = ["DemoPerson", "demo_people", "is_loaded", "load_demo_town", "must_not_be_a_real_town"]


def is_loaded(session: Session) -> bool:
    """Whether the demo town stands in this database."""
    return session.scalar(select(Region.id).where(Region.code == CITY)) is not None


def must_not_be_a_real_town(session: Session) -> None:
    """Raise Conflict ``town_is_real`` when this database holds the places of another town than the demo's."""
    if not inspect(session.connection()).has_table(Region.__tablename__):
        return
    somewhere = session.scalar(select(Region.name).order_by(Region.path).limit(1))
    if somewhere is not None and not is_loaded(session):
        raise Conflict(
            "town_is_real",
            f"这个数据库里已经有自己的区域（{somewhere}），不是演示小城，什么都没有变。"
            "演示请换一个 DATABASE_URL；正式运行请写 JIAMENKOU_MODE=production",
        )


def load_demo_town(session: Session, now: datetime, data_dir: Path) -> bool:
    """Build the demo town in the caller's writing transaction, once; whether there was anything to do.

    ``now`` is the moment its classes are counted from, the clock's own. The timetable they come from is left in
    ``data_dir`` as an .xlsx file. A town that stands already is left exactly as it is, with all that people did in it.
    Raises Conflict ``town_is_real`` where another town stands.
    """
    must_not_be_a_real_town(session)
    if is_loaded(session):
        return False
    regions = plant_places(session)
    # the neighbours take whatever shall have people in it
    set_policy(session, regions[CITY], "runs_a_term", "0")
    neighbours = bring_in_people(session, regions)
    bring_in_units(session, regions, now=now, applicants=neighbours[6:8])
    play_wishes(session, regions, now=now, data_dir=data_dir)  # before all that is younger
    timetable = read_timetable(write_timetable(data_dir / FILE_NAME, now=now))
    report = apply_timetable(session, timetable)
    if report.faults:
        raise RuntimeError("\n".join(fault.line for fault in report.faults))
    _register_neighbours(session, neighbours)
    _schedule(session)
    hold_an_activity(session, regions[WUTONG], now)
    learners = [welcome(session, openid="demo-resident"), *neighbours]
    hold_a_class(session, regions[WUTONG], learners[: len(SAID)], now=now)
    found_groups(session, learners[0], learners[1])
    reserve_rooms(session, regions[WUTONG], learners[0], neighbours[:6], now=now)
    lend_rooms_for_service(session, regions[WUTONG], now=now)
    close_a_room(session, regions[WUTONG], now=now)
    _let_everybody_read(session, now)
    return True


def _let_everybody_read(session: Session, now: datetime) -> None:
    """Whoever was told something before yesterday has read it since, and nobody is called about it."""
    for notice in session.scalars(select(Notice).where(Notice.due_at < now - timedelta(days=1))):
        notice.read_at = notice.read_at or notice.due_at


def _schedule(session: Session) -> None:
    """What is to be seen from the next hour of publishing on is taken down until then."""
    for community, classes in CLASSES.items():
        for title in (one.course for one in classes if one.scheduled):
            run = session.scalars(
                select(CourseRun)
                .join(Course, Course.id == CourseRun.course_id)
                .join(Region, Region.id == CourseRun.region_id)
                .where(Region.name == community, Course.title == title)
            ).one()
            unpublish(session, run)
            publish(session, run, at=next_publishing_hour(session, run.region))


def _register_neighbours(session: Session, neighbours: list[Account]) -> None:
    """Neighbours tap on the classes that shall have people in them, in turn, as they would on their phones."""
    keys = {
        (row.name, row.title): row.key
        for row in session.execute(
            select(Region.name, Course.title, CourseRun.key)
            .join(CourseRun, CourseRun.course_id == Course.id)
            .join(Region, Region.id == Course.region_id)
        )
    }
    logins = [open_login(session, account).key for account in neighbours]
    for community, classes in CLASSES.items():
        for one in classes:
            for login_key in logins[: one.registered]:
                register(session, Tap(keys[community, one.course], login_key))
    for login_key in logins:
        revoke_login(session, login_key)
