"""The other scarce things: a room, the last message grant, a notice to send, an invitation. Each with its controls."""

from __future__ import annotations

import threading
from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from models.accounts import Account, welcome
from models.base import db, reading, transaction, writer
from models.consents import PRIVACY_POLICY, Consent, ConsentChannel, agree
from models.courses import plan_run
from models.errors import Busy, Conflict
from models.grants import Answer, MessageGrant, record_answers, spend_all
from models.kept_answers import keep
from models.notices import Delivery, Notice
from models.notices.sending import claim_due
from models.occupancy import Occupancy, Purpose, holders_between, occupy
from models.residents import Profile, Resident, introduce
from models.sites import Venue
from models.staff import StaffMember, accept_invitation, hire, invite
from tests.people import FIRST_EVENING, Town, a_course, a_plan, a_site, a_venue, an_account
from tests.races.controls import is_loud, without_check, without_the_rooms_guard
from tests.races.rush import rush, until_somebody_waits_for_a_lock

HOUR = timedelta(hours=1)

# --- a room -------------------------------------------------------------------------------------------------------


@pytest.fixture
def hall(town: Town) -> Venue:
    """One room of 梧桐里."""
    with transaction() as session:
        return a_venue(session, town.wutong, name="舞蹈室")


def take(hall: Venue, holder_key: str) -> str:
    """Hold the room for an hour, by the verb, and commit when another wants it too."""
    with transaction() as session:
        occupy(
            session,
            session.get_one(Venue, hall.id),
            starts_at=FIRST_EVENING,
            ends_at=FIRST_EVENING + HOUR,
            purpose=Purpose.COURSE_SESSION,
            holder_key=holder_key,
        )
        if db.engine.dialect.name == "postgresql":  # on SQLite only one at a time gets this far
            until_somebody_waits_for_a_lock()
    return holder_key


def forgetful_take(hall: Venue, looked: threading.Barrier, holder_key: str) -> str:
    """A path that forgot the lock: look, wait until both have looked, then write."""
    with reading() as session:
        venue = session.get_one(Venue, hall.id)
        space = venue.spaces[0].id
        taken = holders_between(session, venue, starts_at=FIRST_EVENING, ends_at=FIRST_EVENING + HOUR)
    looked.wait(30)
    assert not taken
    with writer(db.engine).begin() as connection:
        connection.execute(
            insert(Occupancy),
            {
                "space_id": space,
                "starts_at": FIRST_EVENING,
                "ends_at": FIRST_EVENING + HOUR,
                "purpose": Purpose.COURSE_SESSION,
                "holder_key": holder_key,
            },
        )
    return holder_key


def test_one_room_has_one_holder(hall: Venue, app: Flask) -> None:
    # fewer than the pool has connections: whoever has the room looks on one of its own
    holders = [f"holder{n}" for n in range(6)]
    answers = rush(app, [partial(take, hall, holder) for holder in holders])
    (holder,) = [answer for answer in answers if isinstance(answer, str)]
    losers = [answer for answer in answers if answer != holder]
    assert [getattr(loser, "code", loser) for loser in losers] == ["room_taken"] * 5


def test_without_the_lock_the_rooms_guard_is_loud(hall: Venue, app: Flask) -> None:
    looked = threading.Barrier(2)
    answers = rush(app, [partial(forgetful_take, hall, looked, name) for name in ("one", "two")])
    (loud,) = [answer for answer in answers if not isinstance(answer, str)]
    assert is_loud(loud)


def test_without_lock_and_guard_a_room_is_held_twice(hall: Venue, app: Flask) -> None:
    looked = threading.Barrier(2)
    with without_the_rooms_guard(db.engine):
        answers = rush(app, [partial(forgetful_take, hall, looked, name) for name in ("one", "two")])
        assert sorted(answers, key=str) == ["one", "two"]


def test_two_plans_that_share_two_rooms_do_not_stop_each_other(town: Town, app: Flask) -> None:
    """One plan goes from room to room, the other the other way round: both wait in one order of locks."""
    with transaction() as session:
        course = a_course(session, town.wutong)
        rooms = [a_venue(session, town.wutong), a_venue(session, town.wutong)]
        room_ids = [room.id for room in rooms]
    meet = threading.Barrier(2)

    def plan(order: list[int], week: int) -> str:
        with transaction() as session:
            from_one, to_other = (session.get_one(Venue, room_id) for room_id in order)
            starts_at = FIRST_EVENING + timedelta(weeks=week)
            whole = a_plan(session, town.wutong, venue=from_one, starts_at=starts_at, evenings=2)
            whole.evenings[1].__dict__["venue"] = to_other
            if db.engine.dialect.name == "postgresql":  # on SQLite only one at a time gets this far
                meet.wait(30)
            return plan_run(session, session.get_one(type(course), course.id), whole).key

    answers = rush(app, [partial(plan, room_ids, 0), partial(plan, room_ids[::-1], 10)])
    assert [type(answer) for answer in answers] == [str, str]


# --- the last message grant ---------------------------------------------------------------------------------------


@pytest.fixture
def account_id(town: Town) -> int:
    """Somebody who allowed one message."""
    with transaction() as session:
        account = town.resident.account(session)
        record_answers(session, account, {"registration_result": Answer.ACCEPT})
        return account.id


def spend_one(account_id: int) -> bool:
    """Take one message off the ledger, by the verb."""
    with transaction() as session:
        return bool(spend_all(session, template="registration_result", account_ids=[account_id]))


def forgetful_spend(account_id: int, looked: threading.Barrier) -> bool:
    """A path that looks first, and writes without looking again."""
    with reading() as session:
        remaining = session.scalar(
            select(MessageGrant.remaining).where(MessageGrant.account_id == account_id)
        )
    looked.wait(30)
    assert remaining
    with writer(db.engine).begin() as connection:
        connection.execute(
            update(MessageGrant)
            .where(MessageGrant.account_id == account_id)
            .values(remaining=MessageGrant.remaining - 1)
        )
    return True


def test_the_last_message_is_spent_once(account_id: int, app: Flask) -> None:
    answers = rush(app, [partial(spend_one, account_id)] * 12)
    assert answers.count(True) == 1
    assert answers.count(False) == 11


def test_without_the_condition_the_ledgers_check_is_loud(account_id: int, app: Flask) -> None:
    looked = threading.Barrier(2)
    answers = rush(app, [partial(forgetful_spend, account_id, looked)] * 2)
    assert sorted(type(answer).__name__ for answer in answers) == ["IntegrityError", "bool"]


def test_without_condition_and_check_the_last_message_is_spent_twice(account_id: int, app: Flask) -> None:
    looked = threading.Barrier(2)
    with without_check(db.engine, MessageGrant, "not_below_nothing", remaining=0):
        assert rush(app, [partial(forgetful_spend, account_id, looked)] * 2) == [True, True]


def test_two_reports_at_once_meet_in_one_ledger(town: Town, app: Flask) -> None:
    def report() -> None:
        with transaction() as session:
            account = town.neighbour.account(session)
            answers = {"class_change": Answer.ACCEPT, "class_reminder": Answer.ACCEPT}
            record_answers(session, account, answers)

    assert rush(app, [report] * 8) == [None] * 8
    with reading() as session:
        rows = session.scalars(
            select(MessageGrant).where(MessageGrant.account_id == town.neighbour.account_id)
        ).all()
    assert [(row.remaining, row.accepted) for row in rows] == [(8, 8), (8, 8)]


# --- a notice to send ---------------------------------------------------------------------------------------------


def claim(worker: str, most: int = 5) -> list[int]:
    """What this worker may send."""
    with transaction() as session:
        return [claimed.notice.id for claimed in claim_due(session, worker=worker, most=most)]


def forgetful_claim(looked: threading.Barrier, worker: str, *, compares: bool) -> int:
    """A worker that read what is owed, and claims it later: with the comparison, or without."""
    with reading() as session:
        notice_id = session.scalars(select(Notice.id).where(Notice.delivery == Delivery.OWED)).one()
    looked.wait(30)
    claiming = update(Notice).where(Notice.id == notice_id)
    if compares:
        claiming = claiming.where(Notice.delivery == Delivery.OWED)
    with writer(db.engine).begin() as connection:
        return connection.execute(claiming.values(delivery=Delivery.SENDING, claimed_by=worker)).rowcount


def test_no_notice_is_claimed_by_two_workers(big_town: Town, app: Flask) -> None:
    run = big_town.a_run(capacity=60)
    for person in big_town.crowd[:40]:
        person.tap(run)
    answers = rush(app, [partial(claim, f"worker{n}") for n in range(12)])
    claimed = [notice_id for answer in answers if isinstance(answer, list) for notice_id in answer]
    while more := claim("the last one"):  # what another worker looked at is passed over until its next round
        claimed += more
    assert len(claimed) == len(set(claimed)) == 40


def test_comparing_alone_keeps_two_workers_apart(town: Town, app: Flask) -> None:
    """Control 1: with the row lock out, the compare-and-set still lets one have it."""
    town.resident.tap(town.a_run())
    looked = threading.Barrier(2)
    claims = [partial(forgetful_claim, looked, name, compares=True) for name in ("one", "two")]
    assert sorted(rush(app, claims), key=str) == [0, 1]


def test_without_comparing_a_notice_is_sent_twice(town: Town, app: Flask) -> None:
    """Control 2."""
    town.resident.tap(town.a_run())
    looked = threading.Barrier(2)
    claims = [partial(forgetful_claim, looked, name, compares=False) for name in ("one", "two")]
    assert rush(app, claims) == [1, 1]


# --- an invitation ------------------------------------------------------------------------------------------------


@pytest.fixture
def invitation(town: Town) -> tuple[str, list[int]]:
    """An invitation's code, and the accounts of two who got hold of it."""
    with transaction() as session:
        code = invite(session, hire(session, "小钱"))
        return code, [an_account(session)[0].id for _ in range(2)]


def accept(code: str, account_id: int) -> int:
    """Join with the code, by the verb."""
    with transaction() as session:
        return accept_invitation(session, session.get_one(Account, account_id), code).id


def forgetful_accept(looked: threading.Barrier, account_id: int) -> int:
    """A path that looked for an open invitation and takes it without looking again."""
    with reading() as session:
        member_id = session.scalars(
            select(StaffMember.id).where(StaffMember.invitation_fingerprint.is_not(None))
        ).one()
    looked.wait(30)
    with writer(db.engine).begin() as connection:
        connection.execute(
            update(StaffMember)
            .where(StaffMember.id == member_id)
            .values(account_id=account_id, invitation_fingerprint=None)
        )
    return member_id


def test_an_invitation_is_accepted_once(invitation: tuple[str, list[int]], app: Flask) -> None:
    code, accounts = invitation
    answers = rush(app, [partial(accept, code, account_id) for account_id in accounts])
    assert sum(isinstance(answer, int) for answer in answers) == 1
    assert {a.code for a in answers if isinstance(a, Conflict)} == {"invitation_invalid"}


def test_without_the_lock_two_accept_one_invitation(invitation: tuple[str, list[int]], app: Flask) -> None:
    """Control: no constraint can tell the two apart, so the lock in the verb is all there is."""
    looked = threading.Barrier(2)
    answers = rush(app, [partial(forgetful_accept, looked, account_id) for account_id in invitation[1]])
    assert answers[0] == answers[1]
    assert isinstance(answers[0], int)


def test_a_code_read_before_a_newer_invitation_is_worth_nothing(town: Town) -> None:
    with transaction() as session:
        member = hire(session, "小钱")
        old, new = invite(session, member), invite(session, member)
    with transaction() as session, pytest.raises(Conflict) as caught:
        accept_invitation(session, town.resident.account(session), old)
    assert caught.value.code == "invitation_invalid"
    assert accept(new, town.resident.account_id or 0) == member.id


# --- first times, twice at once -----------------------------------------------------------------------------------


def test_two_first_visits_make_one_account(town: Town, app: Flask) -> None:
    def visit() -> int:
        with transaction() as session:
            return welcome(session, openid="o-newcomer").id

    answers = rush(app, [visit] * 8)
    assert len(set(answers)) == 1
    assert isinstance(answers[0], int)


def test_two_first_introductions_make_one_resident(town: Town, app: Flask) -> None:
    with transaction() as session:
        account_id = an_account(session)[0].id

    def tell(name: str) -> int:
        with transaction() as session:
            account = session.get_one(Account, account_id)
            agree(session, account, version=PRIVACY_POLICY.version, channel=ConsentChannel.MINI_PROGRAM)
            return introduce(session, account, Profile(name=name)).id

    answers = rush(app, [partial(tell, f"小{n}") for n in range(8)])
    assert len(set(answers)) == 1
    assert isinstance(answers[0], int)
    with reading() as session:
        for table in (Resident, Consent):
            assert (
                session.scalar(select(func.count()).select_from(table).where(table.account_id == account_id))
                == 1
            )


def test_one_attempt_sent_twice_at_once_is_done_once(town: Town, app: Flask) -> None:
    meet = threading.Barrier(2)

    def create() -> str:
        with transaction() as session:
            account = town.resident.account(session)
            site = a_site(session, town.wutong)
            if db.engine.dialect.name == "postgresql":
                meet.wait(30)
            keep(session, account, "attempt-1", asked="hash", status=201, body=site.key)
            return site.key

    answers = rush(app, [create, create])
    assert sorted(type(answer).__name__ for answer in answers) == ["Busy", "str"]
    assert any(isinstance(answer, Busy) for answer in answers)


def test_a_forgotten_unique_account_is_loud(town: Town) -> None:
    with pytest.raises(IntegrityError), transaction() as session:
        session.add(Resident(account_id=town.resident.account_id))
