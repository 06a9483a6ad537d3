"""Leaving town: what it would mean, what happens, what stays without a name, and what WeChat may ask for (个保法 art. 47, E20, E32)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models import clock as town_clock
from models.accounts import Account, Login, account_behind, account_of_openid, welcome
from models.base import db, reading, transaction
from models.consents import PRIVACY_POLICY, Consent, ConsentChannel, agree, consent_in_force, withdraw
from models.courses import Registration
from models.departures import (
    WardBecomes,
    begin_closure,
    close_account,
    forget_field,
    forget_what_was_kept_long_enough,
    see_off,
    what_closing_means,
)
from models.departures.leaving import POINTS_AT_A_PERSON
from models.errors import Conflict, Refusal, Unauthenticated
from models.grants import Answer, MessageGrant, record_answers
from models.journal import JournalEntry, enter
from models.kept_answers import KeptAnswer, keep
from models.notices import Delivery, Notice
from models.partners import partners_of
from models.residents import Bond, BondKind, Profile, Resident, bonds_of, introduce, resident_of
from models.vault import vault
from tests.people import (
    Person,
    Town,
    UnitMember,
    Worker,
    a_bond,
    a_person_without_phone,
    a_resident,
)
from tests.races.rush import must_be_whole

Somebody = Person | Worker | UnitMember


def account_in(session: Session, who: Somebody) -> Account:
    return session.get_one(Account, who.account_id)


def shown(who: Somebody) -> str:
    """The fingerprint of what this person was told."""
    with reading() as session:
        return what_closing_means(session, account_in(session, who)).fingerprint


def close(who: Somebody, *, seen: str | None = None) -> None:
    """Close their account as it was shown."""
    fingerprint = seen or shown(who)
    with transaction() as session:
        close_account(session, account_in(session, who), seen=fingerprint)


def refusal_of(deed: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        deed()
    return caught.value


def acts(kind: str | None = None) -> list[str]:
    """What the journal says happened, oldest first; about rows of one table when it is named."""
    with reading() as session:
        rows = session.scalars(select(JournalEntry).order_by(JournalEntry.id)).all()
    return [row.act for row in rows if kind is None or row.subject_kind == kind]


def everything() -> Iterator[tuple[str, str]]:
    """Every value of every column of every table, as text: as it is stored, and opened where it is sealed."""
    with db.engine.connect() as connection:
        for table in db.metadata.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                for column, value in row.items():
                    words = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
                    yield f"{table.name}.{column}", words
            for row in connection.execute(text(f"SELECT * FROM {table.name}")).mappings():
                for column, value in row.items():
                    yield f"{table.name}.{column}", str(value)


def where_is(*values: str) -> set[str]:
    """The columns in which any of these values stands."""
    return {place for place, words in everything() if any(value in words for value in values)}


# --- what it would mean -------------------------------------------------------------------------------------------


def test_closing_is_told_before_it_is_done(town: Town) -> None:
    run, full = town.a_run(), town.a_run(capacity=1)
    town.neighbour.tap(full)
    town.resident.tap(run)
    town.resident.tap(full)
    with reading() as session:
        closure = what_closing_means(session, town.resident.account(session))
        states = [(held.run_id, held.state.value) for held in closure.registrations]
    assert states == [(run.id, "confirmed"), (full.id, "waitlisted")]
    assert (closure.obstacles, closure.wards) == ([], [])
    assert acts("accounts") == [], "looking changes nothing"


def test_a_class_that_is_over_is_not_given_up(town: Town, clock: town_clock.StoppedClock) -> None:
    run = town.a_run()
    town.resident.tap(run)
    clock.move_to(run.ends_at)
    with reading() as session:
        assert what_closing_means(session, town.resident.account(session)).registrations == []
    close(town.resident)
    assert town.states(run) == ["confirmed"], "who came, came: the numbers stay right"


@pytest.mark.parametrize("other", [None, BondKind.FAMILY_HELPER, BondKind.GUARDIAN])
def test_what_becomes_of_a_child(town: Town, other: BondKind | None) -> None:
    if other is not None:
        with transaction() as session:
            a_bond(session, town.neighbour, town.child, kind=other)
    with reading() as session:
        (left,) = what_closing_means(session, town.guardian.account(session)).wards
    stays = other is BondKind.GUARDIAN
    assert left.becomes is (WardBecomes.KEEPS_A_HELPER if stays else WardBecomes.LEAVES_TOO)


@pytest.mark.parametrize(("birth_year", "leaves"), [(None, True), (2012, True), (2011, False), (1950, False)])
def test_only_a_child_under_fourteen_leaves_with_its_guardian(
    town: Town, birth_year: int | None, leaves: bool
) -> None:
    with transaction() as session:
        ward = a_person_without_phone(session, town.wutong, birth_year=birth_year)
        a_bond(session, town.resident, ward, kind=BondKind.GUARDIAN)
    with reading() as session:
        (left,) = what_closing_means(session, town.resident.account(session)).wards
    assert (left.becomes is WardBecomes.LEAVES_TOO) is leaves


def test_a_child_with_a_phone_of_its_own_stays(town: Town) -> None:
    with transaction() as session:
        child = a_resident(session, town.wutong, birth_year=2015)
        a_bond(session, town.resident, child, kind=BondKind.GUARDIAN)
    with reading() as session:
        (left,) = what_closing_means(session, town.resident.account(session)).wards
    assert left.becomes is WardBecomes.LOSES_THEIR_HELPER


def test_who_helps_and_guards_one_person_has_one_ward(town: Town) -> None:
    with transaction() as session:
        a_bond(session, town.guardian, town.child)
    with reading() as session:
        (left,) = what_closing_means(session, town.guardian.account(session)).wards
    assert (left.kind, left.becomes) == (BondKind.GUARDIAN, WardBecomes.LEAVES_TOO)


def test_what_was_shown_no_longer_counts_when_anything_changed(town: Town) -> None:
    run = town.a_run(capacity=1)
    town.neighbour.tap(run)
    town.resident.tap(run)
    seen = shown(town.resident)
    assert shown(town.resident) == seen
    town.neighbour.give_up(run)  # the resident moved up: now it is a seat that would go
    assert shown(town.resident) != seen
    assert refusal_of(lambda: close(town.resident, seen=seen)).code == "closure_outdated"
    assert town.states(run) == ["cancelled", "confirmed"]


def test_a_fingerprint_of_somebody_else_closes_nothing(town: Town) -> None:
    assert shown(town.resident) != shown(town.neighbour)
    seen = shown(town.neighbour)
    assert refusal_of(lambda: close(town.resident, seen=seen)).code == "closure_outdated"


@pytest.mark.parametrize("who", ["clerk", "partner_member"])
def test_a_hat_must_be_handed_over_first(town: Town, who: str) -> None:
    somebody: Worker | UnitMember = getattr(town, who)
    refusal = refusal_of(lambda: close(somebody))
    assert isinstance(refusal, Conflict)
    assert refusal.code == "closure_blocked"
    (obstacle,) = refusal.details["obstacles"]
    assert obstacle["code"] == ("staff_identity" if who == "clerk" else "partner_identity")
    assert obstacle["identity"] == somebody.identity
    with reading() as session:
        assert account_behind(session, somebody.login_key).id == somebody.account_id


# --- what happens -------------------------------------------------------------------------------------------------


def test_seats_go_to_the_first_in_line_who_is_told(town: Town) -> None:
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    town.neighbour.tap(run)
    close(town.resident)
    assert town.states(run) == ["cancelled", "confirmed"]
    must_be_whole(run)
    with reading() as session:
        told = session.scalars(select(Notice).where(Notice.account_id == town.neighbour.account_id)).all()
    assert [notice.kind.value for notice in told] == ["registration_promoted"]


def test_who_waits_leaves_the_queue(town: Town) -> None:
    run = town.a_run(capacity=1, waitlist_limit=None)
    for person in (town.neighbour, town.resident, town.outsider):
        person.tap(run)
    close(town.resident)
    assert town.states(run) == ["confirmed", "cancelled", "waitlisted"]
    must_be_whole(run)


def test_a_guardian_and_the_child_leave_one_run_together(town: Town) -> None:
    """Nobody who leaves is called to a seat that another one of them leaves."""
    run = town.a_run(capacity=1, waitlist_limit=None)
    town.guardian.tap(run)
    town.guardian.tap(run, for_whom=town.child)
    town.neighbour.tap(run)
    close(town.guardian)
    assert town.states(run) == ["cancelled", "cancelled", "confirmed"]
    must_be_whole(run)
    assert acts("registrations")[-3:] == [
        "registration.cancelled",
        "registration.cancelled",
        "registration.promoted",
    ]


def test_a_ward_keeps_their_seat_and_loses_their_helper(town: Town) -> None:
    run = town.a_run()
    town.helper.tap(run, for_whom=town.elder)
    close(town.helper)
    assert town.states(run) == ["confirmed"]
    with reading() as session:
        elder = town.elder.resident(session)
        (bond,) = session.scalars(select(Bond).where(Bond.ward_id == elder.id))
        assert elder.name == "王奶奶"
        assert bond.ended_at == town_clock.now()
        assert bonds_of(session, bond.helper) == []


def test_whom_somebody_else_helped_leaves_their_list(town: Town) -> None:
    with transaction() as session:
        a_bond(session, town.neighbour, town.resident)
    close(town.resident)
    with reading() as session:
        assert bonds_of(session, town.neighbour.resident(session)) == []


def test_every_phone_is_signed_out(town: Town) -> None:
    with transaction() as session:
        tablet = Login(
            account_id=town.resident.account_id or 0, expires_at=town_clock.now() + timedelta(days=1)
        )
        session.add(tablet)
    close(town.resident)
    for login_key in (town.resident.login_key, tablet.key):
        with reading() as session:
            assert refusal_of(lambda key=login_key: account_behind(session, key)).code == "token_revoked"  # type: ignore[misc]  # one look a key
    run = town.a_run()
    assert refusal_of(lambda: town.resident.tap(run)).code == "token_revoked"


def test_closing_twice_is_being_signed_out(town: Town) -> None:
    seen = shown(town.resident)
    close(town.resident, seen=seen)
    refusal = refusal_of(lambda: close(town.resident, seen=seen))
    assert isinstance(refusal, Unauthenticated)


def test_a_login_opened_while_the_account_closed_opens_nothing(town: Town) -> None:
    close(town.resident)
    with transaction() as session:
        late = Login(
            account_id=town.resident.account_id or 0, expires_at=town_clock.now() + timedelta(days=1)
        )
        session.add(late)
    with reading() as session:
        assert refusal_of(lambda: account_behind(session, late.key)).code == "token_revoked"
    run = town.a_run()
    ghost = replace(town.resident, login_key=late.key)
    assert refusal_of(lambda: ghost.tap(run)).code == "profile_needed"


def test_nothing_is_told_to_a_closed_account(town: Town) -> None:
    close(town.resident)
    with transaction() as session:
        account = town.resident.account(session)
        late = (
            lambda: introduce(session, account, Profile(name="陈静")),
            lambda: agree(
                session, account, version=PRIVACY_POLICY.version, channel=ConsentChannel.MINI_PROGRAM
            ),
        )
        for deed in late:
            assert refusal_of(deed).code == "token_revoked"


def test_what_was_owed_is_not_sent(town: Town) -> None:
    town.resident.tap(town.a_run())
    with transaction() as session:
        record_answers(session, town.resident.account(session), {"registration_result": Answer.ACCEPT})
    close(town.resident)
    with reading() as session:
        (notice,) = session.scalars(select(Notice))
        assert (notice.delivery, notice.outcome) == (Delivery.STALE, "account_closed")
        assert session.scalars(select(MessageGrant)).all() == []


def test_the_same_wechat_that_returns_is_a_stranger(town: Town) -> None:
    """E32: a new account that sees nothing of the old."""
    with reading() as session:
        openid = town.resident.account(session).openid
    town.resident.tap(town.a_run())
    close(town.resident)
    with transaction() as session:
        assert account_of_openid(session, openid) is None
        again = welcome(session, openid=openid)
        session.flush()
        assert again.id != town.resident.account_id
        assert resident_of(session, again) is None
        assert consent_in_force(session, again) is None
        tombstone = town.resident.account(session)
        assert tombstone.openid.startswith("closed-")
        assert openid not in tombstone.openid


def test_a_unionid_that_arrives_late_does_not_find_a_tombstone(town: Town) -> None:
    with reading() as session:
        openid = town.resident.account(session).openid
    close(town.resident)
    with transaction() as session:
        assert welcome(session, openid=openid, unionid="u-1").id != town.resident.account_id
    with reading() as session:
        assert town.resident.account(session).unionid is None


def test_numbers_stay_right_and_name_nobody(town: Town) -> None:
    run = town.a_run()
    standing = town.resident.tap(run)
    close(town.resident)
    with reading() as session:
        (registration,) = session.scalars(select(Registration).where(Registration.key == standing.key))
        nobody = registration.resident
        assert registration.number == 1
        assert nobody.id != town.resident.resident_id
        assert nobody.left_at == town_clock.now()
        assert {nobody.name, nobody.phone, nobody.phone_fingerprint, nobody.birth_year} == {None}
        assert {nobody.home_region_id, nobody.account_id} == {None}
        assert session.get(Resident, town.resident.resident_id) is None


def test_the_log_of_consents_stays_three_years(town: Town, clock: town_clock.StoppedClock) -> None:
    def rows() -> int:
        with transaction() as session:
            forget_what_was_kept_long_enough(session)
            query = select(Consent).where(Consent.account_id == town.resident.account_id)
            return len(session.scalars(query).all())

    close(town.resident)
    with reading() as session:
        account = town.resident.account(session)
        assert consent_in_force(session, account) is None
    clock.advance(days=3 * 365)
    assert rows() == 1
    clock.advance(days=1)
    assert rows() == 0
    with reading() as session:
        query = select(Consent).where(Consent.account_id == town.neighbour.account_id)
        assert len(session.scalars(query).all()) == 1, "nobody else's"


def test_closing_is_written_down(town: Town) -> None:
    town.resident.tap(town.a_run())
    with transaction() as session:
        enter(session, "resident.introduced", town.resident.resident(session))
    close(town.resident)
    with reading() as session:
        (closed,) = session.scalars(select(JournalEntry).where(JournalEntry.act == "account.closed"))
        (left,) = session.scalars(select(JournalEntry).where(JournalEntry.act == "resident.left"))
        (told,) = session.scalars(select(JournalEntry).where(JournalEntry.act == "resident.introduced"))
        assert session.get_one(Resident, left.subject_id).left_at is not None
    assert (closed.subject_id, closed.by_account_id) == (town.resident.account_id,) * 2
    assert closed.details == {"given_up": 1, "left": 1}
    assert left.subject_kind == told.subject_kind == "residents"
    assert told.subject_id == left.subject_id, "what was written of them before is about nobody now"
    assert {"consent.withdrawn", "registration.cancelled"} <= set(acts())


def test_an_account_that_never_said_who_it_was_closes_too(town: Town) -> None:
    with transaction() as session:
        account = welcome(session, openid="o-shy")
        session.flush()
    shy = Person("", 0, "", account.id)
    close(shy)
    with reading() as session:
        assert shy.account(session).closed_at is not None


# --- after that nobody finds them ---------------------------------------------------------------------------------


def leave_traces(town: Town, who: Person, child: Person | None = None) -> list[str]:
    """Somebody who used everything there is; the values that must be gone afterwards."""
    run, other = town.a_run(), town.a_run(capacity=1)
    with transaction() as session:
        account = who.account(session)
        account.unionid = "u-very-private"
        resident = who.resident(session)
        resident.take_phone("13712345678", verified=True)
        introduce(session, account, Profile(name="欧阳小溪", birth_year=1967))
        a_bond(session, town.neighbour, who).agreed_how = "欧阳小溪当面同意"
        record_answers(session, account, {"registration_result": Answer.ACCEPT})
        enter(session, "resident.introduced", resident, by_account_id=account.id)
    who.tap(run)
    town.neighbour.tap(run, for_whom=who)
    town.neighbour.tap(other, for_whom=who)
    town.neighbour.give_up(other, for_whom=who)
    if child is not None:
        who.tap(run, for_whom=child)
    with transaction() as session:
        for somebody in (who, town.neighbour):
            body = json.dumps({"name": "欧阳小溪", "phone": "13712345678"}, ensure_ascii=False)
            keep(session, somebody.account(session), "attempt", asked="h", status=201, body=body)
        first = session.scalars(select(Notice).order_by(Notice.id).limit(1)).one()
        first.delivery = Delivery.SENDING  # a worker has it in hand
    with reading() as session:
        openid = who.account(session).openid
    return ["欧阳小溪", "13712345678", vault.fingerprint("13712345678"), openid, "u-very-private", who.key]


def test_after_closing_no_table_holds_the_person(town: Town) -> None:
    """The promise of 个保法 art. 47: every column of every table is looked through."""
    traces = leave_traces(town, town.resident)
    assert {"residents.name", "notices.facts", "kept_answers.body", "accounts.openid"} <= where_is(*traces)
    close(town.resident)
    assert where_is(*traces) == set()


def test_the_child_who_leaves_too_is_nowhere_either(town: Town) -> None:
    traces = leave_traces(town, town.guardian, town.child)
    traces += ["李小雨", town.child.key]
    assert where_is("李小雨")
    close(town.guardian)
    assert where_is(*traces) == set()


def test_a_phone_is_not_found_by_its_number_any_more(town: Town) -> None:
    close(town.resident)
    with reading() as session:
        fingerprint = vault.fingerprint("13900000001")
        assert session.scalars(select(Resident).where(Resident.phone_fingerprint == fingerprint)).all() == []


def test_the_neighbours_letters_stay_readable(town: Town) -> None:
    leave_traces(town, town.resident)
    close(town.resident)
    with reading() as session:
        letters = session.scalars(select(Notice).where(Notice.account_id == town.neighbour.account_id)).all()
        assert letters
        assert all(letter.body for letter in letters)
        assert {letter.body.split("：")[0] for letter in letters} == {"居民"}
        (kept,) = session.scalars(select(KeptAnswer))
        assert json.loads(kept.body) == {"name": "居民", "phone": "居民"}


def test_every_column_that_points_at_a_person_is_decided() -> None:
    """Whoever adds one decides what becomes of it when the person leaves, in ``models.departures.leaving``."""
    pointing = {
        str(column)
        for table in db.metadata.tables.values()
        for column in table.columns
        for key in column.foreign_keys
        if key.column.table.name == "residents"
    }
    decided = {f"{c.class_.__tablename__}.{c.key}" for c in POINTS_AT_A_PERSON}
    missing = sorted(pointing - decided)
    assert not missing, f"add to POINTS_AT_A_PERSON in models/departures/leaving.py: {missing}"
    assert decided <= pointing, "POINTS_AT_A_PERSON names a column that points at nobody"


# --- staff --------------------------------------------------------------------------------------------------------


def test_who_worked_here_may_go_and_the_name_goes_a_year_later(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    with transaction() as session:
        town.clerk.member(session).left_at = town_clock.now()
    with reading() as session:
        assert what_closing_means(session, account_in(session, town.clerk)).has_worked_here
    close(town.clerk)
    for days, name in ((365, "小吴"), (1, "已离职人员")):
        clock.advance(days=days)
        with transaction() as session:
            forget_what_was_kept_long_enough(session)
            member = town.clerk.member(session)
            assert (member.account_id, member.name) == (None, name)
    with transaction() as session:
        assert forget_what_was_kept_long_enough(session) == 0, "twice is harmless"
        assert town.admin.member(session).name == "周主任"


# --- without an account -------------------------------------------------------------------------------------------


def see_off_elder(town: Town) -> None:
    with transaction() as session:
        see_off(
            session,
            session.get_one(Resident, town.elder.resident_id),
            by_account_id=town.clerk.account_id,
            identity=town.clerk.identity,
        )


def test_an_elder_without_an_account_is_seen_off_at_the_counter(town: Town) -> None:
    """E20: the seats go on, the helper's bond ends, and the clerk's hat stands in the journal."""
    run = town.a_run(capacity=1)
    town.helper.tap(run, for_whom=town.elder)
    town.neighbour.tap(run)
    see_off_elder(town)
    assert town.states(run) == ["cancelled", "confirmed"]
    must_be_whole(run)
    assert where_is("王奶奶", town.elder.key) == set()
    with reading() as session:
        entries = session.scalars(
            select(JournalEntry).where(JournalEntry.identity == town.clerk.identity).order_by(JournalEntry.id)
        ).all()
        assert bonds_of(session, town.helper.resident(session)) == []
    assert [entry.act for entry in entries if entry.act != "staff_member.joined"] == [
        "registration.cancelled",
        "bond.ended",
        "resident.left",
    ]


def test_nobody_is_seen_off_who_can_go_themselves(town: Town) -> None:
    def push_out() -> None:
        with transaction() as session:
            see_off(session, town.resident.resident(session), by_account_id=1, identity="staff:x")

    assert refusal_of(push_out).code == "closes_themselves"


def test_who_was_seen_off_is_not_seen_off_again(town: Town) -> None:
    see_off_elder(town)
    with transaction() as session:
        (nobody,) = session.scalars(select(Resident).where(Resident.left_at.is_not(None)))
        see_off(session, nobody, by_account_id=town.clerk.account_id, identity=town.clerk.identity)
    assert acts("residents").count("resident.left") == 1


# --- WeChat asks --------------------------------------------------------------------------------------------------


def wechat_cancels(who: Somebody) -> None:
    with transaction() as session:
        begin_closure(session, account_in(session, who))


def test_who_closes_their_wechat_leaves_without_being_asked(town: Town) -> None:
    run = town.a_run(capacity=1)
    town.resident.tap(run)
    town.neighbour.tap(run)
    wechat_cancels(town.resident)
    wechat_cancels(town.resident)
    assert town.states(run) == ["cancelled", "confirmed"]
    with reading() as session:
        (closed,) = session.scalars(select(JournalEntry).where(JournalEntry.act == "account.closed"))
    assert closed.identity == "wechat"


def test_a_clerk_who_closes_their_wechat_stays_a_clerk_and_can_be_invited_anew(town: Town) -> None:
    wechat_cancels(town.clerk)
    with reading() as session:
        member = town.clerk.member(session)
        assert (member.account_id, member.left_at, member.name) == (None, None, "小吴")
    assert "staff_member.unbound" in acts("staff_members")
    wechat_cancels(town.partner_member)
    with reading() as session:
        assert account_in(session, town.partner_member).closed_at is not None
        assert partners_of(session, account_in(session, town.partner_member)) == []


@pytest.mark.parametrize("what", [8, "8"])
def test_a_revoked_phone_number_is_forgotten(town: Town, what: int | str) -> None:
    with transaction() as session:
        forget_field(session, town.resident.account(session), what)
    assert where_is("13900000001", vault.fingerprint("13900000001")) == set()
    run = town.a_run()
    refusal = refusal_of(lambda: town.resident.tap(run))
    assert (refusal.code, refusal.details["fields"]) == ("profile_needed", ["phone"])


@pytest.mark.parametrize("what", ["6", "19", "20"])
def test_a_revoked_name_is_forgotten_everywhere(town: Town, what: str) -> None:
    with transaction() as session:
        a_bond(session, town.neighbour, town.resident)
    run = town.a_run()
    town.neighbour.tap(run, for_whom=town.resident)
    with transaction() as session:
        forget_field(session, town.resident.account(session), what)
        forget_field(session, town.resident.account(session), what)
    assert where_is("陈静") == set()
    assert town.states(run) == ["confirmed"], "the seat stays"


def test_a_revoked_name_leaves_the_wards_names_alone(town: Town) -> None:
    town.helper.tap(town.a_run(), for_whom=town.elder)
    with transaction() as session:
        forget_field(session, town.helper.account(session), 6)
    with reading() as session:
        (notice,) = session.scalars(select(Notice))
    assert notice.facts["learner"] == "王奶奶"


@pytest.mark.parametrize(
    ("what", "field"), [("13", "location"), ("18", "location"), ("14", "images"), ("99", None)]
)
def test_what_is_not_kept_is_written_down_all_the_same(town: Town, what: str, field: str | None) -> None:
    with transaction() as session:
        forget_field(session, town.resident.account(session), what)
    with reading() as session:
        (entry,) = session.scalars(
            select(JournalEntry).where(JournalEntry.act == "account.permission_revoked")
        )
        assert town.resident.resident(session).name == "陈静"
    assert (entry.identity, entry.details) == ("wechat", {"revoke_info": what, "field": field})


def test_wechat_may_speak_of_nobody_we_know(town: Town) -> None:
    before = acts()
    with transaction() as session:
        forget_field(session, account_of_openid(session, "o-nobody"), 8)
        begin_closure(session, account_of_openid(session, "o-nobody"))
    assert acts() == before
    close(town.resident)
    before = acts()
    with transaction() as session:
        forget_field(session, town.resident.account(session), 8)
    assert acts() == before


def test_revoking_before_one_said_anything_is_fine(town: Town) -> None:
    with transaction() as session:
        account = welcome(session, openid="o-shy")
        session.flush()
        for what in ("6", "8"):
            forget_field(session, account, what)
    assert acts("accounts") == ["account.permission_revoked"] * 2


# --- consent ------------------------------------------------------------------------------------------------------


def test_withdrawing_keeps_seats_and_stops_new_ones(town: Town) -> None:
    held, wanted = town.a_run(), town.a_run()
    town.resident.tap(held)
    with transaction() as session:
        withdraw(session, town.resident.account(session))
    assert town.states(held) == ["confirmed"]
    refusal = refusal_of(lambda: town.resident.tap(wanted))
    assert (refusal.code, refusal.details["fields"]) == ("profile_needed", ["consent"])
    town.resident.give_up(held)
    assert town.states(held) == ["cancelled"]
