"""The privacy policy has a new version: whoever agreed to an older one hears of it, once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.consents import PRIVACY_POLICY, Consent, withdraw
from models.departures import close_account, what_closing_means
from models.notices import Notice, NoticeKind
from models.notices.announcing import announce_policy, not_yet_told
from models.truth import still_true
from tests.people import Town


def all_agreed_to_an_older_one() -> int:
    """The text has changed since everybody agreed; how many they are."""
    with transaction() as session:
        session.execute(update(Consent).values(version="2025-01"))
        return len(set(session.scalars(select(Consent.account_id)).all()))


def tell(*, most: int = 100) -> int:
    with reading() as session:
        to_be_told = not_yet_told(session, most=most)
    with transaction() as session:
        return announce_policy(session, to_be_told)


def told() -> list[Notice]:
    with reading() as session:
        return list(session.scalars(select(Notice).where(Notice.kind == NoticeKind.POLICY_CHANGED)))


def truths() -> dict[int, bool]:
    notices = told()
    with reading() as session:
        true = still_true(session, notices)
    return {notice.account_id: notice.id in true for notice in notices}


def test_who_agreed_to_the_version_in_force_hears_nothing(town: Town) -> None:
    assert tell() == 0


def test_everybody_who_agreed_to_an_older_one_hears_of_it_once_in_batches(town: Town) -> None:
    everybody = all_agreed_to_an_older_one()
    assert everybody > 3
    assert [tell(most=3), tell(most=100), tell()] == [3, everybody - 3, 0]
    word = told()[0]
    assert word.body == (
        f"隐私政策有了新版本（{PRIVACY_POLICY.version}）。同意新版本后才能报名新的课程；已经报名的课程不受影响。"
    )
    assert word.page == f"pages/privacy/policy?version={PRIVACY_POLICY.version}"
    assert word.keyword_values() == {
        "thing1": "隐私政策更新",
        "time2": "2026年11月20日 12:00",
        "phrase3": "请您查看",
        "thing4": "同意新版本后才能报名新的课程",
    }


def test_the_next_version_is_told_of_again(town: Town) -> None:
    everybody = all_agreed_to_an_older_one()
    tell()
    with transaction() as session:  # as if what they were told of had been the version before
        for notice in session.scalars(select(Notice)):
            notice.subject_key, notice.dedupe_key = "2026-01", f"earlier:{notice.account_id}"
    assert truths() == dict.fromkeys(truths(), False)
    assert tell() == everybody


def test_who_agreed_anew_took_it_back_or_left_is_not_told(town: Town) -> None:
    everybody = all_agreed_to_an_older_one()
    town.resident.agrees()
    with transaction() as session:
        withdraw(session, town.neighbour.account(session))
        leaver = town.outsider.account(session)
        close_account(session, leaver, seen=what_closing_means(session, leaver).fingerprint)
    assert tell() == everybody - 3


def test_the_word_is_true_until_one_agrees_or_takes_it_back(town: Town) -> None:
    all_agreed_to_an_older_one()
    tell()
    town.resident.agrees()
    with transaction() as session:
        withdraw(session, town.neighbour.account(session))
    true = truths()
    assert [true.pop(person.account_id or 0) for person in (town.resident, town.neighbour)] == [False, False]
    assert set(true.values()) == {True}


def test_nobody_is_woken_by_it(town: Town, clock: StoppedClock) -> None:
    all_agreed_to_an_older_one()
    clock.move_to(datetime(2026, 11, 21, 3, 0, tzinfo=town_clock.TOWN_ZONE))
    tell()
    assert {town_clock.in_town(notice.due_at).hour for notice in told()} == {8}


def test_two_workers_at_once_tell_nobody_twice(town: Town) -> None:
    everybody = all_agreed_to_an_older_one()
    with reading() as session:
        to_be_told = not_yet_told(session, most=100)
    for new in (everybody, 0):
        with transaction() as session:
            assert announce_policy(session, to_be_told) == new
