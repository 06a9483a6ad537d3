"""Grants, kept answers, consents, the journal: what is written down of what people said and did."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.consents import PRIVACY_POLICY, Consent, ConsentChannel, agree, consent_in_force, withdraw
from models.errors import Busy, Conflict
from models.grants import Answer, MessageGrant, empty, give_back_all, record_answers, spend_all
from models.journal import JournalEntry, enter
from models.kept_answers import KEPT_FOR, KeptAnswer, forget_old_answers, keep, recall
from tests.people import Town

TEMPLATE = "registration_result"


def ledger(town: Town) -> MessageGrant:
    """The resident's ledger of one template."""
    with reading() as session:
        return session.scalars(
            select(MessageGrant).where(
                MessageGrant.account_id == town.resident.account_id, MessageGrant.template == TEMPLATE
            )
        ).one()


def answer(town: Town, *answers: Answer) -> None:
    """Answer the prompt so many times."""
    for one in answers:
        with transaction() as session:
            record_answers(session, town.resident.account(session), {TEMPLATE: one})


def spend_one(town: Town) -> bool:
    """Take one message off the resident's ledger."""
    with transaction() as session:
        mine = town.resident.account_id or 0
        return spend_all(session, template=TEMPLATE, account_ids=[mine]) == {mine}


def test_an_accept_buys_one_message_and_nothing_else_does(town: Town) -> None:
    answer(town, Answer.ACCEPT, Answer.REJECT, Answer.ACCEPT, Answer.BAN, Answer.FILTER)
    row = ledger(town)
    assert (row.remaining, row.accepted, row.refused, row.last_answer) == (2, 2, 1, Answer.FILTER)
    assert [spend_one(town) for _ in range(3)] == [True, True, False]


def test_nothing_is_spent_where_nothing_was_granted(town: Town) -> None:
    """E34: the quota is gone, and nothing breaks."""
    assert not spend_one(town)
    answer(town, Answer.REJECT)
    assert not spend_one(town)


def test_what_was_not_sent_is_given_back(town: Town) -> None:
    answer(town, Answer.ACCEPT)
    assert spend_one(town)
    with transaction() as session:
        give_back_all(session, template=TEMPLATE, account_ids=[town.resident.account_id or 0])
    assert spend_one(town)


def test_wechat_is_believed_when_it_says_nothing_is_left(town: Town) -> None:
    """E34."""
    answer(town, Answer.ACCEPT, Answer.ACCEPT)
    with transaction() as session:
        empty(session, account_id=town.resident.account_id or 0, template=TEMPLATE)
    assert (ledger(town).remaining, ledger(town).emptied_at) == (0, town_clock.now())
    assert not spend_one(town)


def test_several_templates_are_answered_at_once(town: Town) -> None:
    with transaction() as session:
        rows = record_answers(
            session,
            town.resident.account(session),
            {"class_reminder": Answer.ACCEPT, "class_change": Answer.REJECT},
        )
    assert [(row.template, row.remaining) for row in rows] == [("class_change", 0), ("class_reminder", 1)]


# --- kept answers -------------------------------------------------------------------------------------------------


def test_an_attempt_sent_again_gets_its_first_answer_for_a_day(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    with transaction() as session:
        account = town.resident.account(session)
        assert recall(session, account, "attempt", asked="a") is None
        keep(session, account, "attempt", asked="a", status=201, body="{}")
    clock.advance(seconds=KEPT_FOR.total_seconds() - 1)
    with transaction() as session:
        account = town.resident.account(session)
        kept = recall(session, account, "attempt", asked="a")
        assert kept is not None
        assert (kept.status, kept.body) == (201, "{}")
        assert recall(session, town.neighbour.account(session), "attempt", asked="a") is None
    clock.advance(seconds=1)
    with transaction() as session:
        account = town.resident.account(session)
        assert recall(session, account, "attempt", asked="other") is None
        keep(session, account, "attempt", asked="other", status=200, body="")


def test_one_key_is_for_one_thing(town: Town) -> None:
    with transaction() as session:
        account = town.resident.account(session)
        keep(session, account, "attempt", asked="a", status=201, body="{}")
        with pytest.raises(Conflict) as caught:
            recall(session, account, "attempt", asked="b")
        assert caught.value.code == "idempotency_key_reused"
        with pytest.raises(Busy):
            keep(session, account, "attempt", asked="a", status=201, body="{}")


def test_old_answers_are_forgotten(town: Town, clock: town_clock.StoppedClock) -> None:
    with transaction() as session:
        keep(session, town.resident.account(session), "old", asked="a", status=201, body="")
    clock.advance(seconds=KEPT_FOR.total_seconds())
    with transaction() as session:
        keep(session, town.resident.account(session), "new", asked="a", status=201, body="")
    for gone in (1, 0):
        with transaction() as session:
            assert forget_old_answers(session) == gone
    with reading() as session:
        assert session.scalars(select(KeptAnswer.attempt_key)).all() == ["new"]


# --- consents -----------------------------------------------------------------------------------------------------


def test_agreeing_keeps_what_exactly_was_agreed_to_and_when(
    town: Town, clock: town_clock.StoppedClock
) -> None:
    with reading() as session:
        consent = consent_in_force(session, town.resident.account(session))
    assert consent is not None
    assert consent.text_sha256 == hashlib.sha256(PRIVACY_POLICY.text.encode()).hexdigest()
    assert (consent.version, consent.channel) == (PRIVACY_POLICY.version, ConsentChannel.MINI_PROGRAM)
    clock.advance(days=1)
    with transaction() as session:
        again = agree(
            session,
            town.resident.account(session),
            version=PRIVACY_POLICY.version,
            channel=ConsentChannel.COUNTER,
        )
    assert (again.id, again.given_at, again.channel) == (
        consent.id,
        consent.given_at,
        ConsentChannel.MINI_PROGRAM,
    )


def test_an_old_text_cannot_be_agreed_to(town: Town) -> None:
    with transaction() as session:
        account = town.resident.account(session)
        with pytest.raises(Conflict) as caught:
            agree(session, account, version="2020-01", channel=ConsentChannel.COUNTER)
    assert (caught.value.code, caught.value.details) == (
        "consent_outdated",
        {"version": PRIVACY_POLICY.version},
    )


def test_consent_can_be_withdrawn_and_given_again(town: Town, clock: town_clock.StoppedClock) -> None:
    with transaction() as session:
        account = town.resident.account(session)
        withdraw(session, account)
        withdraw(session, account)
        assert consent_in_force(session, account) is None
    clock.advance(hours=1)
    with transaction() as session:
        account = town.resident.account(session)
        agree(session, account, version=PRIVACY_POLICY.version, channel=ConsentChannel.COUNTER)
        standing = consent_in_force(session, account)
        rows = session.scalars(
            select(Consent).where(Consent.account_id == account.id).order_by(Consent.id)
        ).all()
    assert standing is not None
    assert (standing.given_at, standing.channel) == (town_clock.now(), ConsentChannel.COUNTER)
    assert [row.withdrawn_at is None for row in rows] == [False, True], "the log keeps the withdrawal"


def test_a_text_of_another_version_does_not_count(town: Town) -> None:
    with transaction() as session:
        account = town.resident.account(session)
        consent = session.scalars(select(Consent).where(Consent.account_id == account.id)).one()
        consent.version = "2020-01"
        assert consent_in_force(session, account) is None


# --- the journal --------------------------------------------------------------------------------------------------


def test_an_entry_says_who_did_what_to_what_for_whom(town: Town) -> None:
    with transaction() as session:
        elder = town.elder.resident(session)
        enter(
            session,
            "resident.looked_at",
            elder,
            by_account_id=town.clerk.account_id,
            identity=town.clerk.identity,
            for_resident_id=elder.id,
            details={"why": "电话核实"},
        )
    with reading() as session:
        entry = session.scalars(select(JournalEntry).where(JournalEntry.act == "resident.looked_at")).one()
    assert (entry.subject_kind, entry.subject_id) == ("residents", town.elder.resident_id)
    assert (entry.by_account_id, entry.identity) == (town.clerk.account_id, town.clerk.identity)
    assert (entry.at, entry.details) == (town_clock.now(), {"why": "电话核实"})


def test_an_entry_may_be_about_the_four_billionth_row(town: Town) -> None:
    with transaction() as session:
        session.add(JournalEntry(act="x.done", subject_kind="x", subject_id=2**33))
    with reading() as session:
        assert (
            session.scalars(select(JournalEntry.subject_id).where(JournalEntry.act == "x.done")).one() > 2**32
        )


def test_a_day_is_long_enough_to_retry() -> None:
    assert timedelta(hours=24) == KEPT_FOR
