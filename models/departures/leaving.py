"""Leaving: everything that happens when a person goes, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from models import clock
from models.accounts import Account, close
from models.base import new_key
from models.consents import withdraw
from models.content_checks import ContentCheck, strike_checks_of_account, strike_checks_of_people
from models.coordination.feeds import CalendarFeed
from models.coordination.parting import leave_all
from models.counter import ResidentConsent, withdraw_those_kept_of
from models.courses import (
    Receipt,
    Registration,
    RunAnswer,
    forget_answers_of,
    forget_feedback_words,
    forget_names_on_certificates,
    give_up_all,
    hold_runs_of,
)
from models.courses.attendance import PickUp, forget_pick_ups_of, forget_words, forget_words_of_appeals
from models.courses.pauses import Pause
from models.departures.forgetting import forget_inbox, strike_from_letters
from models.departures.meaning import Closure, children_of, places_of, what_closing_means
from models.errors import Busy, Conflict
from models.follows import Follow
from models.grants import GrantReport, MessageGrant
from models.groups import Group, hold_groups_of, leave_groups
from models.inductions import Induction, forget_inductions_of
from models.journal import JournalEntry, enter
from models.kept_answers import KeptAnswer
from models.ladder import Call, ShortMessage, end_rungs
from models.partners import leave_applications
from models.reservations import By, CreditEntry, Reservation, let_go_of_rooms, strike_words_of
from models.residents import Bond, Resident, bonds_around, end_bond, resident_of
from models.staff import StaffMember
from models.wishes import Wish, WishSupport, leave_wishes

NO_LONGER_KEPT = "当事人已注销，不再保留"

# every column that points at a resident: what stays behind points at nobody afterwards
POINTS_AT_A_PERSON: tuple[InstrumentedAttribute[int] | InstrumentedAttribute[int | None], ...] = (
    Registration.resident_id,
    Registration.paired_with_id,
    Receipt.resident_id,
    RunAnswer.resident_id,
    Bond.helper_id,
    Bond.ward_id,
    ContentCheck.resident_id,
    ResidentConsent.resident_id,
    ShortMessage.resident_id,
    Call.resident_id,
    Pause.resident_id,
    Reservation.resident_id,
    CreditEntry.resident_id,
    PickUp.guardian_id,
    Induction.resident_id,
    Group.leader_id,
    Wish.resident_id,
    WishSupport.resident_id,
    JournalEntry.for_resident_id,
)


def close_account(session: Session, account: Account, *, seen: str) -> None:
    """Close an account for good, as the person was told under the fingerprint ``seen``.

    Raises Conflict ``closure_outdated`` when anything they were told has changed, ``closure_blocked`` while a staff or partner
    identity is theirs, Unauthenticated when it was closed a moment ago, and Busy when a tap of theirs is under way.
    """
    closure = _hold(session, account)
    if closure.fingerprint != seen:
        raise Conflict("closure_outdated", "情况有了变化，请重新查看注销说明，再确认注销")
    if closure.obstacles:
        raise Conflict(
            "closure_blocked",
            closure.obstacles[0].message,
            details={
                "obstacles": [
                    {"code": obstacle.code, "identity": obstacle.identity, "name": obstacle.name}
                    for obstacle in closure.obstacles
                ]
            },
        )
    _close(session, closure, identity="resident")


def begin_closure(session: Session, account: Account | None) -> None:
    """WeChat tells us that this person closed their WeChat account: do what they would be asked, without asking.

    Staff and partner identities are let go of instead of standing in the way: the staff member stays and can be invited anew.
    Nobody, or somebody who left already, is nothing to do. Raises Busy when a tap of theirs is under way: tell us again.
    """
    if account is None:
        return
    account.lock()
    if account.closed_at is None:
        _close(session, _hold(session, account), identity="wechat")


def see_off(session: Session, resident: Resident, *, by_account_id: int, identity: str) -> None:
    """A person without an account leaves, at the counter: staff (``identity``) do it for them. Twice is fine.

    Raises Conflict ``closes_themselves`` for somebody who has an account.
    """
    hold_runs_of(session, [resident.id])
    hold_groups_of(session, [resident.id])
    resident.lock()
    if resident.left_at is not None:
        return
    if resident.account_id is not None:
        raise Conflict("closes_themselves", "这位居民有自己的微信账号，请由本人在小程序“我的”页面注销")
    before = [held.id for held in places_of(session, [resident.id])]
    retire([resident])
    session.flush()
    if [held.id for held in places_of(session, [resident.id])] != before:
        raise Busy
    _let_go(session, [resident], by_account_id=by_account_id, identity=identity)


def _hold(session: Session, account: Account) -> Closure:
    """Hold the account, its runs and its people, and say what closing means now that nothing of it can change."""
    account.lock().must_stand()
    oneself = resident_of(session, account)
    people = [oneself, *children_of(session, oneself)] if oneself else []
    hold_runs_of(session, [one.id for one in people])
    hold_groups_of(session, [one.id for one in people])
    for one in sorted(people, key=lambda one: one.id):
        one.lock()  # two guardians who leave at once meet here: the second takes the child along
    session.expire_all()
    closure = what_closing_means(session, account)
    retire(closure.leaving)
    session.flush()
    if what_closing_means(session, account).fingerprint != closure.fingerprint:
        raise Busy  # a tap that was under way came first, in a run that is not held
    return closure


def retire(leaving: Sequence[Resident]) -> None:
    """Take a person's public name away.

    A unique column changes, so on PostgreSQL this waits for every tap for them that is not committed yet, and later ones wait.
    """
    for one in leaving:
        one.key = new_key()


def _close(session: Session, closure: Closure, *, identity: str) -> None:
    account, leaving = closure.account, closure.leaving
    _hand_back_hats(
        session, account, identity=identity
    )  # a unit is held before a wish, as everybody does who holds both
    given_up = _let_go(session, leaving, by_account_id=account.id, identity=identity)
    strike_checks_of_account(session, account)
    forget_inbox(session, account)
    for table in (MessageGrant, GrantReport, KeptAnswer, CalendarFeed, Follow):
        session.execute(delete(table).where(table.account_id == account.id))
    withdraw(session, account, identity=identity)
    close(session, account)
    enter(
        session,
        "account.closed",
        account,
        by_account_id=account.id,
        identity=identity,
        details={"given_up": given_up, "left": len(leaving)},
    )
    session.flush()


def _let_go(session: Session, leaving: Sequence[Resident], *, by_account_id: int, identity: str) -> int:
    """These people (held by the caller) leave: how many seats and places they gave up."""
    ids = [one.id for one in leaving]
    given_up = give_up_all(session, ids, by_account_id=by_account_id, identity=identity)
    given_up += let_go_of_rooms(session, ids, by=By(by_account_id, identity))
    strike_words_of(session, ids)
    leave_wishes(session, ids, by_account_id=by_account_id, identity=identity)
    bonds = bonds_around(session, ids)
    strike_from_letters(session, leaving, bonds)
    strike_checks_of_people(session, ids)
    leave_groups(session, ids, by_account_id=by_account_id, identity=identity)
    forget_words(session, ids)
    forget_words_of_appeals(session, ids)
    forget_pick_ups_of(session, ids)
    forget_inductions_of(session, ids)
    withdraw_those_kept_of(session, ids)
    forget_answers_of(session, ids)
    forget_feedback_words(session, ids)
    forget_names_on_certificates(session, ids)
    end_rungs(session, ids)
    for bond in bonds:
        end_bond(session, bond, by_account_id=by_account_id, identity=identity)
        bond.agreed_how = NO_LONGER_KEPT  # typed by hand: it may name somebody
    session.flush()
    for one in leaving:
        nobody = _put_nobody_in_place_of(session, one)
        enter(session, "resident.left", nobody, by_account_id=by_account_id, identity=identity)
    session.flush()
    return given_up


def _put_nobody_in_place_of(session: Session, resident: Resident) -> Resident:
    nobody = Resident(created_at=resident.created_at, left_at=clock.now())
    session.add(nobody)
    session.flush()
    put_in_place_of(session, resident, nobody)
    return nobody


def put_in_place_of(session: Session, resident: Resident, other: Resident) -> None:
    """What points at a person (held and retired by the caller) points at another from now on; their own row is gone."""
    for column in POINTS_AT_A_PERSON:
        session.execute(
            update(column.class_).where(column == resident.id).values({column.key: other.id}),
            execution_options={"synchronize_session": False},
        )
    session.execute(
        update(JournalEntry)
        .where(
            JournalEntry.subject_kind == Resident.__tablename__,
            JournalEntry.subject_id == resident.id,
        )
        .values(subject_id=other.id),
        execution_options={"synchronize_session": False},
    )
    session.delete(resident)
    session.flush()
    session.expire_all()


def _hand_back_hats(session: Session, account: Account, *, identity: str) -> None:
    """No staff member and no unit is this account any longer."""
    for member in session.scalars(select(StaffMember).where(StaffMember.account_id == account.id)).all():
        member.account_id = None
        enter(session, "staff_member.unbound", member, by_account_id=account.id, identity=identity)
    leave_all(session, account, identity=identity)
    leave_applications(session, account, identity=identity)
