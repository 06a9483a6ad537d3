"""Who works here, with which rights where, and how they join."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from models import clock as town_clock
from models.base import db, reading, transaction
from models.errors import Conflict, Forbidden, NotFound
from models.journal import JournalEntry
from models.regions import Region
from models.staff import (
    INVITATION_DAYS,
    Role,
    RoleGrant,
    accept_invitation,
    grant,
    grants_of,
    hire,
    invite,
    places_of,
    staff_member_by_key,
    staff_members_of,
)
from tests.people import Town, Worker


def codes(town: Town, worker: Worker, *roles: Role) -> list[str]:
    """Where somebody holds these roles."""
    with reading() as session:
        return [place.code for place in places_of(session, worker.member(session), *roles)]


def test_everybody_holds_the_role_they_were_granted(town: Town) -> None:
    assert codes(town, town.clerk) == ["wutong"]
    assert codes(town, town.clerk, Role.CLERK) == ["wutong"]
    assert codes(town, town.clerk, Role.ADMIN) == []
    assert codes(town, town.grid_worker) == ["wutong-1"]
    assert codes(town, town.street_officer) == ["qinghe-east"]


def test_an_administrator_grants_at_home_and_below(town: Town) -> None:
    with transaction() as session:
        admin, clerk = town.admin.member(session), town.clerk.member(session)
        grid = session.scalars(select(Region).where(Region.code == "wutong-1")).one()
        grant(session, clerk, Role.GRID_WORKER, grid, by=admin)
        grant(session, clerk, Role.ADMIN, session.get_one(Region, town.wutong.id), by=admin)
        assert [held.role for held in grants_of(session, clerk)] == [Role.CLERK, Role.GRID_WORKER, Role.ADMIN]


@pytest.mark.parametrize("place", ["wangjiang", "east_street", "district"])
def test_nobody_grants_beyond_their_own_scope(town: Town, place: str) -> None:
    with transaction() as session:
        beyond = session.get_one(Region, getattr(town, place).id)
        admin, clerk = town.admin.member(session), town.clerk.member(session)
        with pytest.raises(Forbidden) as caught:
            grant(session, clerk, Role.CLERK, beyond, by=admin)
    assert caught.value.code == "grant_beyond_scope"


def test_a_clerk_grants_nothing(town: Town) -> None:
    with transaction() as session:
        clerk = town.clerk.member(session)
        with pytest.raises(Forbidden):
            grant(session, clerk, Role.CLERK, session.get_one(Region, town.wutong.id), by=clerk)


def test_granting_what_is_granted_changes_nothing(town: Town) -> None:
    with transaction() as session:
        clerk, wutong = town.clerk.member(session), session.get_one(Region, town.wutong.id)
        standing = grants_of(session, clerk)[0]
        assert grant(session, clerk, Role.CLERK, wutong) is standing


def test_an_ended_grant_is_no_right_from_that_moment(town: Town, clock: town_clock.StoppedClock) -> None:
    """E10: rights are read from the rows, so the end is immediate."""
    with transaction() as session:
        grants_of(session, town.admin.member(session))[0].ends_at = town_clock.now() + timedelta(hours=1)
    assert codes(town, town.admin) == ["wutong"]
    clock.advance(hours=1)
    assert codes(town, town.admin) == []
    with transaction() as session:
        wutong = session.get_one(Region, town.wutong.id)
        admin, clerk = town.admin.member(session), town.clerk.member(session)
        with pytest.raises(Forbidden):
            grant(session, clerk, Role.GRID_WORKER, wutong, by=admin)
        assert isinstance(grant(session, town.admin.member(session), Role.ADMIN, wutong), RoleGrant)


def test_whoever_left_holds_nothing(town: Town) -> None:
    with transaction() as session:
        town.admin.member(session).left_at = town_clock.now()
    assert codes(town, town.admin) == []
    with reading() as session:
        assert staff_members_of(session, town.admin.account(session)) == []
        with pytest.raises(NotFound):
            staff_member_by_key(session, town.admin.account(session), town.admin.key)


def test_a_hat_belongs_to_its_account(town: Town) -> None:
    with reading() as session:
        mine = staff_member_by_key(session, town.clerk.account(session), town.clerk.key)
        assert mine.identity == town.clerk.identity
        with pytest.raises(NotFound):
            staff_member_by_key(session, town.resident.account(session), town.clerk.key)


def test_an_invitation_is_for_one_acceptance_and_one_week(town: Town, clock: town_clock.StoppedClock) -> None:
    with transaction() as session:
        member = hire(session, "小钱")
        code, late = invite(session, member), invite(session, hire(session, "小周"))
    with db.engine.connect() as connection:
        stored = connection.execute(text("SELECT invitation_fingerprint FROM staff_members")).scalars()
        assert code not in list(stored)
    accept_invitation_as(town, town.resident.account_id or 0, late)
    clock.advance(days=INVITATION_DAYS)
    with transaction() as session:
        account = town.resident.account(session)
        for wrong in (code, late, "", "no-such-code"):
            with pytest.raises(Conflict) as caught:
                accept_invitation(session, account, wrong)
            assert caught.value.code == "invitation_invalid"


def accept_invitation_as(town: Town, account_id: int, code: str) -> None:
    """Join, and see that it is written down under the new hat."""
    with transaction() as session:
        member = accept_invitation(session, town.resident.account(session), code)
        assert member.account_id == account_id
        entry = session.scalars(
            select(JournalEntry).where(
                JournalEntry.act == "staff_member.joined", JournalEntry.subject_id == member.id
            )
        ).one()
    assert (entry.by_account_id, entry.identity) == (account_id, member.identity)


def test_a_grant_is_written_down_under_the_granters_hat(town: Town) -> None:
    with reading() as session:
        given = session.scalars(
            select(JournalEntry).where(JournalEntry.act == "role_grant.given").order_by(JournalEntry.id)
        ).all()
    hats = {entry.identity for entry in given}
    assert hats == {"town", town.admin.identity}
