"""What people write and show: passed, refused, held for a clerk, decided once; kept no longer than somebody has to look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import clock as town_clock
from models.base import db, reading, transaction, writer
from models.clock import StoppedClock
from models.content_checks import (
    KEPT_FOR,
    RESIDENT_NAME,
    VERDICT_WITHIN,
    CheckedField,
    CheckState,
    ContentCheck,
    Decision,
    Finding,
    HeldBecause,
    Subject,
    Verdict,
    await_verdict,
    check_within,
    checks_within,
    count_waiting,
    decide,
    field_of,
    forget_old_checks,
    hold_image,
    hold_overdue,
    hold_text,
    note_look,
    note_pass,
    note_refusal,
    overdue,
    said_before,
    settle_verdict,
)
from models.copies import copy_for
from models.departures import close_account, forget_field, see_off, what_closing_means
from models.errors import Conflict, Forbidden, NotFound, Refusal
from models.journal import JournalEntry
from models.notices import Notice, NoticeKind
from models.pushes import PushKind, Told, take_down
from models.residents import Resident
from models.truth import still_true
from tests.people import Person, Town, Worker

PHOTO = CheckedField("wishes", "photo", "照片", "pages/wishes/wish")
DOUBT = Finding(label=10001, trace_id="t-doubt")
PICTURE = "https://example.test/photo.jpg"


def about(person: Person, field: CheckedField = RESIDENT_NAME, *, key: str | None = None) -> Subject:
    return Subject(
        field=field,
        key=key or person.key,
        account_id=person.account_id or 0,
        resident_id=person.resident_id,
    )


def rename(person: Person, name: str, *, trace_id: str = "t-doubt") -> ContentCheck:
    """A person takes a name WeChat is unsure about."""
    with transaction() as session:
        person.resident(session).name = name
        finding = Finding(label=10001, trace_id=trace_id)
        return hold_text(session, about(person), name, finding, HeldBecause.DOUBTFUL)


def show(person: Person, trace_id: str, *, key: str = "a" * 16) -> ContentCheck:
    """A person shows a picture WeChat takes to look at."""
    with transaction() as session:
        return await_verdict(session, about(person, PHOTO, key=key), PICTURE, trace_id=trace_id)


def now(check: ContentCheck) -> ContentCheck:
    with reading() as session:
        return session.scalars(select(ContentCheck).where(ContentCheck.id == check.id)).one()


def say(check: ContentCheck, decision: Decision, *, by: Worker, reason: str | None = None) -> ContentCheck:
    with transaction() as session:
        mine = session.get_one(ContentCheck, check.id)
        return decide(session, mine, decision, by=by.member(session), reason=reason)


def acts(check: ContentCheck) -> list[str]:
    with reading() as session:
        entries = session.scalars(
            select(JournalEntry)
            .where(JournalEntry.subject_kind == "content_checks", JournalEntry.subject_id == check.id)
            .order_by(JournalEntry.id)
        )
        return [entry.act.partition(".")[2] for entry in entries]


def told(person: Person) -> list[Notice]:
    with reading() as session:
        return list(session.scalars(select(Notice).where(Notice.account_id == person.account_id)))


def name_of(person: Person) -> str | None:
    with reading() as session:
        return session.scalars(select(Resident.name).where(Resident.id == person.resident_id)).one()


def refusal_of(deed: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        deed()
    return caught.value


# --- text ---------------------------------------------------------------------------------------------------------


def test_of_a_text_that_passed_nothing_is_kept_but_that_it_did(town: Town) -> None:
    with transaction() as session:
        check = note_pass(session, about(town.resident), "陈静静", Finding(label=100, trace_id="t-1"))
    assert (check.state, check.written, check.trace_id, check.found) == (
        CheckState.PASSED,
        None,
        "t-1",
        "未发现问题",
    )


def test_what_waits_for_a_clerk_is_sealed_in_the_database(town: Town) -> None:
    check = rename(town.resident, "加我微信")
    assert (now(check).state, now(check).written, now(check).found) == (
        CheckState.WAITING,
        "加我微信",
        "广告",
    )
    with db.engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM content_checks")).mappings().one()
    assert "加我微信" not in str(dict(row))
    assert acts(check) == ["held"]


def test_a_text_written_anew_leaves_the_clerk_nothing_to_look_at(town: Town) -> None:
    first = rename(town.resident, "加我微信")
    second = rename(town.resident, "低价转让", trace_id="t-2")
    assert (now(first).state, now(first).written) == (CheckState.DROPPED, None)
    with transaction() as session:
        note_pass(session, about(town.resident), "陈静", Finding(label=100))
    assert (now(second).state, now(second).written) == (CheckState.DROPPED, None)
    assert acts(first) == ["held", "dropped"]


def test_a_refused_text_leaves_what_stood_there_waiting(town: Town) -> None:
    waiting = rename(town.resident, "加我微信")
    with transaction() as session:
        refused = note_refusal(session, about(town.resident), "赌博平台", Finding(label=20006))
    assert now(waiting).state is CheckState.WAITING
    assert (refused.written, refused.found) == (None, "违法犯罪")


@pytest.mark.parametrize(
    ("again", "known"), [("赌博平台", CheckState.RISKY), ("ＡＢＣ赌博", None), ("赌博", None)]
)
def test_the_very_same_text_is_known_again_for_a_day(
    town: Town, clock: StoppedClock, again: str, known: CheckState | None
) -> None:
    with transaction() as session:
        note_refusal(session, about(town.resident), "赌博平台", Finding())

    def said(who: Person) -> CheckState | None:
        with reading() as session:
            return said_before(session, who.account_id or 0, RESIDENT_NAME, again)

    assert said(town.resident) is known
    assert said(town.neighbour) is None, "what one person wrote is nothing against another"
    clock.advance(days=1)
    assert said(town.resident) is None


def test_what_a_clerk_said_of_a_text_stands_however_it_is_spelt(town: Town, clock: StoppedClock) -> None:
    say(rename(town.resident, "ABC 微信"), Decision.REJECT, by=town.clerk, reason="请用真名")
    say(rename(town.resident, "小陈", trace_id="t-2"), Decision.APPROVE, by=town.clerk)
    clock.advance(days=30)
    with transaction() as session:
        account_id = town.resident.account_id or 0
        note_pass(session, about(town.resident), "小陈", Finding())
        assert said_before(session, account_id, RESIDENT_NAME, "ａｂｃ 微信") is CheckState.REJECTED
        assert said_before(session, account_id, RESIDENT_NAME, "小陈") is CheckState.APPROVED
        assert said_before(session, account_id, PHOTO, "小陈") is None


# --- pictures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "label", "errcode", "state", "because"),
    [
        (Verdict.PASS, 100, 0, CheckState.PASSED, None),
        (Verdict.RISKY, 20002, 0, CheckState.RISKY, None),
        (Verdict.REVIEW, 20001, 0, CheckState.WAITING, HeldBecause.DOUBTFUL),
        (Verdict.REVIEW, 100, -1008, CheckState.WAITING, HeldBecause.NOT_FETCHED),
        (Verdict.PASS, 100, -1008, CheckState.WAITING, HeldBecause.NOT_FETCHED),
    ],
)
@pytest.mark.parametrize("when", ["after", "before"])
def test_a_verdict_settles_a_picture_whichever_comes_first(
    town: Town,
    verdict: Verdict,
    label: int,
    errcode: int,
    state: CheckState,
    because: HeldBecause | None,
    when: str,
) -> None:
    if when == "before":
        with transaction() as session:
            assert settle_verdict(session, "t-1", verdict, label=label, errcode=errcode) is None
            one = Told(
                kind=PushKind.MEDIA_CHECKED,
                openid="o",
                at=town_clock.now(),
                dedupe_key="k",
                facts={"suggest": verdict.value, "label": label, "errcode": errcode},
                trace_id="t-1",
            )
            take_down(session, [one])
        check = show(town.resident, "t-1")
    else:
        check = show(town.resident, "t-1")
        assert now(check).state is CheckState.PENDING
        for _ in range(2):
            with transaction() as session:
                assert settle_verdict(session, "t-1", verdict, label=label, errcode=errcode) is state
    found = now(check)
    assert (found.state, found.held_because) == (state, because)
    assert (found.image_url is None) is (state is not CheckState.WAITING)
    assert len(told(town.resident)) == (state is CheckState.RISKY)
    assert len(acts(check)) == 1, "told twice is done once"


@pytest.mark.parametrize("home", ["known", "unknown"])
def test_a_refusal_at_night_wakes_nobody_wherever_they_live(
    town: Town, clock: StoppedClock, home: str
) -> None:
    clock.move_to(datetime(2026, 11, 21, 3, 0, tzinfo=town_clock.TOWN_ZONE))
    if home == "unknown":
        with transaction() as session:
            town.resident.resident(session).home_region = None
    show(town.resident, "t-1")
    with transaction() as session:
        settle_verdict(session, "t-1", Verdict.RISKY, label=20002, errcode=0)
    (notice,) = told(town.resident)
    assert notice.due_at == datetime(2026, 11, 21, 8, 0, tzinfo=town_clock.TOWN_ZONE)


def test_a_picture_without_a_word_waits_for_a_clerk_after_half_an_hour(
    town: Town, clock: StoppedClock
) -> None:
    """WeChat answers within 30 minutes (wechat.md §6.2)."""
    check = show(town.resident, "t-1")

    def late() -> list[int]:
        with reading() as session:
            return overdue(session, most=10)

    clock.advance(minutes=29, seconds=59)
    assert late() == []
    clock.advance(seconds=1)
    assert late() == [check.id]
    with transaction() as session:
        assert [hold_overdue(session, check.id) for _ in range(2)] == [True, False]
    assert (now(check).state, now(check).held_because) == (CheckState.WAITING, HeldBecause.TIMED_OUT)
    assert late() == []


@pytest.mark.parametrize(
    ("verdict", "state"),
    [
        (Verdict.PASS, CheckState.PASSED),
        (Verdict.RISKY, CheckState.RISKY),
        (Verdict.REVIEW, CheckState.WAITING),
    ],
)
def test_a_verdict_that_comes_too_late_still_spares_the_clerk_the_look(
    town: Town, clock: StoppedClock, verdict: Verdict, state: CheckState
) -> None:
    check = show(town.resident, "t-1")
    clock.advance(seconds=VERDICT_WITHIN.total_seconds())
    with transaction() as session:
        hold_overdue(session, check.id)
        settle_verdict(session, "t-1", verdict, label=20001, errcode=0)
    assert (now(check).state, now(check).found) == (state, "时政")


def test_after_a_clerk_has_looked_a_verdict_changes_nothing(town: Town, clock: StoppedClock) -> None:
    check = show(town.resident, "t-1")
    clock.advance(seconds=VERDICT_WITHIN.total_seconds())
    with transaction() as session:
        hold_overdue(session, check.id)
    say(check, Decision.APPROVE, by=town.clerk)
    with transaction() as session:
        settled = settle_verdict(session, "t-1", Verdict.RISKY, label=20002, errcode=0)
    assert settled is CheckState.APPROVED
    assert told(town.resident) == []


def test_a_picture_wechat_did_not_take_waits_at_once(town: Town) -> None:
    with transaction() as session:
        check = hold_image(session, about(town.resident, PHOTO), PICTURE, HeldBecause.AWAY)
    assert (now(check).state, now(check).image_url) == (CheckState.WAITING, PICTURE)
    assert field_of(check).label == "提交的内容", "a field nobody has entered yet has a plain name"


# --- clerks -------------------------------------------------------------------------------------------------------


def test_a_clerk_sees_what_waits_in_their_community_oldest_first(town: Town, clock: StoppedClock) -> None:
    checks = [rename(town.resident, "加我微信"), rename(town.neighbour, "低价转让", trace_id="t-2")]
    elsewhere = rename(town.outsider, "代购", trace_id="t-3")

    def seen(*places: object) -> list[int]:
        with reading() as session:
            found = checks_within(session, places, state=CheckState.WAITING, after_id=None, most=10)  # type: ignore[arg-type]  # regions of the town
            return [check.id for check in found]

    assert seen(town.wutong) == [check.id for check in checks]
    assert seen(town.wangjiang) == [elsewhere.id]
    assert seen(town.district) == [*(check.id for check in checks), elsewhere.id]
    assert seen() == []
    with reading() as session:
        after = checks_within(
            session, [town.wutong], state=CheckState.WAITING, after_id=checks[0].id, most=10
        )
        assert [check.id for check in after] == [checks[1].id]
        assert check_within(session, checks[0].key, [town.wutong]).id == checks[0].id
        for places in ([town.wangjiang], []):
            with pytest.raises(NotFound):
                check_within(session, checks[0].key, places)


def test_an_approved_name_stays_and_its_text_is_struck(town: Town) -> None:
    check = rename(town.resident, "加我微信")
    say(check, Decision.APPROVE, by=town.clerk)
    found = now(check)
    assert (found.state, found.written, found.decided_at) == (CheckState.APPROVED, None, town_clock.now())
    assert name_of(town.resident) == "加我微信"
    assert told(town.resident) == []
    assert acts(check) == ["held", "approved"]


def test_a_rejected_name_is_taken_away_and_its_owner_is_told(town: Town) -> None:
    run = town.a_run()
    town.resident.tap(run)
    check = rename(town.resident, "加我微信")
    say(check, Decision.REJECT, by=town.clerk, reason="请填写平时大家怎么称呼您")
    assert (now(check).state, now(check).reason, now(check).written) == (
        CheckState.REJECTED,
        "请填写平时大家怎么称呼您",
        None,
    )
    assert name_of(town.resident) is None
    assert town.states(run) == ["confirmed"], "the seat stays"
    (notice,) = [one for one in told(town.resident) if one.kind is NoticeKind.CONTENT_REFUSED]
    assert notice.body == "您填写的姓名没有通过审核，请点开查看原因，重新填写。有疑问可以联系社区。"
    assert notice.page == "pages/me/profile"
    assert notice.keyword_values() == {
        "thing1": "姓名",
        "phrase2": "未通过",
        "time3": "2026年11月20日 12:00",
        "thing4": "请点开查看原因，重新填写",
    }
    refusal = refusal_of(lambda: town.resident.tap(town.a_run()))
    assert (refusal.code, refusal.details["fields"]) == ("profile_needed", ["name"])


def test_a_name_changed_meanwhile_is_not_taken_away(town: Town) -> None:
    check = rename(town.resident, "加我微信")
    with transaction() as session:
        town.resident.resident(session).name = "陈静"
    say(check, Decision.REJECT, by=town.clerk, reason="请用真名")
    assert name_of(town.resident) == "陈静"


@pytest.mark.parametrize("rewritten", [False, True])
def test_the_news_of_a_rejection_is_true_until_something_new_is_written(town: Town, rewritten: bool) -> None:
    say(rename(town.resident, "加我微信"), Decision.REJECT, by=town.clerk, reason="请用真名")
    with transaction() as session:
        note_refusal(session, about(town.resident), "赌博平台", Finding())
        if rewritten:
            note_pass(session, about(town.resident), "陈静", Finding())
    notices = told(town.resident)
    with reading() as session:
        assert len(still_true(session, notices)) == (not rewritten)


def test_the_first_decision_counts_and_the_same_again_changes_nothing(
    town: Town, clock: StoppedClock
) -> None:
    check = rename(town.resident, "加我微信")
    say(check, Decision.REJECT, by=town.clerk, reason="请用真名")
    clock.advance(minutes=1)
    again = say(check, Decision.REJECT, by=town.admin, reason="别的理由")
    assert (again.reason, again.decided_by_id) == ("请用真名", town.clerk.staff_id)
    refusal = refusal_of(lambda: say(check, Decision.APPROVE, by=town.admin))
    assert isinstance(refusal, Conflict)
    assert (refusal.code, refusal.details) == ("check_decided", {"state": "rejected"})
    assert len(told(town.resident)) == 1
    assert acts(check) == ["held", "rejected"]


@pytest.mark.parametrize("which", ["pending", "passed", "dropped"])
def test_what_waits_for_nobody_is_not_decided(town: Town, which: str) -> None:
    with transaction() as session:
        if which == "pending":
            check = await_verdict(session, about(town.resident, PHOTO), PICTURE, trace_id="t-1")
        else:
            check = note_pass(session, about(town.resident), "陈静", Finding())
    if which == "dropped":
        check = rename(town.resident, "加我微信")
        rename(town.resident, "低价转让", trace_id="t-2")
    refusal = refusal_of(lambda: say(check, Decision.APPROVE, by=town.clerk))
    assert (refusal.code, refusal.details) == ("check_not_waiting", {"state": which})


def test_nobody_decides_about_what_they_wrote_themselves(town: Town) -> None:
    check = rename(town.resident, "加我微信")
    with transaction() as session:
        session.execute(
            update(ContentCheck).where(ContentCheck.id == check.id).values(account_id=town.clerk.account_id)
        )
    refusal = refusal_of(lambda: say(check, Decision.APPROVE, by=town.clerk))
    assert isinstance(refusal, Forbidden)
    assert refusal.code == "own_content"
    assert say(check, Decision.APPROVE, by=town.admin).state is CheckState.APPROVED


def test_a_look_is_written_down_where_there_was_something_to_see(town: Town) -> None:
    waiting, done = rename(town.resident, "加我微信"), rename(town.neighbour, "小刘", trace_id="t-2")
    say(done, Decision.APPROVE, by=town.clerk)
    with transaction() as session:
        both = [session.get_one(ContentCheck, check.id) for check in (waiting, done)]
        note_look(session, both, by=town.clerk.member(session))
    assert acts(waiting) == ["held", "looked_at"]
    assert acts(done) == ["held", "approved"]


def test_what_waits_is_counted_by_community_as_of_a_moment(town: Town, clock: StoppedClock) -> None:
    rename(town.resident, "加我微信")
    rename(town.outsider, "代购", trace_id="t-2")
    show(town.neighbour, "t-3")
    nine = town_clock.now()
    clock.advance(seconds=VERDICT_WITHIN.total_seconds())
    with transaction() as session:
        (late,) = overdue(session, most=10)
        hold_overdue(session, late)
        east, west = town.wutong.path, town.wangjiang.path
        assert count_waiting(session, nine) == {east: 1, west: 1}
        assert count_waiting(session, town_clock.now()) == {east: 2, west: 1}


# --- what is not kept ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "passed"},
        {"state": "approved", "written": None},
        {"decided_at": town_clock.now()},
    ],
)
def test_a_forgotten_striking_fails_loudly(town: Town, wrong: dict[str, object]) -> None:
    check = rename(town.resident, "加我微信")
    with pytest.raises(IntegrityError), writer(db.engine).begin() as connection:
        connection.execute(update(ContentCheck).where(ContentCheck.id == check.id).values(**wrong))


def test_no_field_has_two_open_checks_and_no_trace_id_two_rows(town: Town) -> None:
    rename(town.resident, "加我微信")
    row = {
        "key": "b" * 16,
        "kind": "text",
        "subject_kind": "residents",
        "subject_key": town.resident.key,
        "field": "name",
        "account_id": town.resident.account_id,
        "state": "waiting",
        "created_at": town_clock.now(),
    }
    for wrong in (row, {**row, "state": "passed", "trace_id": "t-doubt"}):
        with pytest.raises(IntegrityError), writer(db.engine).begin() as connection:
            connection.execute(insert(ContentCheck), wrong)


def test_checks_are_forgotten_after_a_year_unless_somebody_still_has_to_look(
    town: Town, clock: StoppedClock
) -> None:
    waiting = rename(town.resident, "加我微信")
    with transaction() as session:
        note_pass(session, about(town.neighbour), "刘洋洋", Finding())

    def forget() -> int:
        with transaction() as session:
            return forget_old_checks(session)

    clock.advance(seconds=KEPT_FOR.total_seconds())
    assert forget() == 0
    clock.advance(seconds=1)
    assert [forget(), forget()] == [1, 0]
    assert now(waiting).state is CheckState.WAITING


def everything(session: Session) -> str:
    rows = session.execute(text("SELECT * FROM content_checks")).mappings().all()
    opened = [vars(check) for check in session.scalars(select(ContentCheck))]
    return f"{[dict(row) for row in rows]}{opened}"


def test_who_leaves_is_in_no_check_and_nobody_has_to_look_any_more(town: Town) -> None:
    rejected = rename(town.resident, "欧阳小溪")
    say(rejected, Decision.REJECT, by=town.clerk, reason="欧阳小溪请用真名")
    waiting = rename(town.resident, "欧阳大溪", trace_id="t-2")
    with transaction() as session:
        nobody_yet = Subject(
            field=RESIDENT_NAME, key=None, account_id=town.resident.account_id or 0, resident_id=None
        )
        note_refusal(session, nobody_yet, "赌博平台", Finding())
        prints = set(session.scalars(select(ContentCheck.fingerprint)))
    assert len(prints - {None}) == 3
    with reading() as session:
        seen = what_closing_means(session, town.resident.account(session)).fingerprint
    with transaction() as session:
        close_account(session, town.resident.account(session), seen=seen)
    with reading() as session:
        left = everything(session)
        assert count_waiting(session, town_clock.now()) == {}
    for trace in ("欧阳", town.resident.key, *prints):
        assert str(trace) not in left
    assert now(waiting).state is CheckState.DROPPED
    assert refusal_of(lambda: say(waiting, Decision.APPROVE, by=town.clerk)).code == "check_not_waiting"


def test_a_ward_who_is_seen_off_takes_along_what_a_helper_wrote_for_them(town: Town) -> None:
    with transaction() as session:
        subject = Subject(
            field=RESIDENT_NAME,
            key=town.elder.key,
            account_id=town.helper.account_id or 0,
            resident_id=town.elder.resident_id,
        )
        check = hold_text(session, subject, "王奶奶", DOUBT, HeldBecause.DOUBTFUL)
    with transaction() as session:
        elder = session.get_one(Resident, town.elder.resident_id)
        see_off(session, elder, by_account_id=town.clerk.account_id, identity=town.clerk.identity)
    with reading() as session:
        assert town.elder.key not in everything(session)
    assert (now(check).state, now(check).written) == (CheckState.DROPPED, None)


def test_a_name_wechat_takes_back_is_in_no_check_either(town: Town) -> None:
    check = rename(town.resident, "加我微信")
    shown = show(town.resident, "t-1")
    with transaction() as session:
        forget_field(session, town.resident.account(session), "6")
    assert (now(check).state, now(check).written, now(check).fingerprint) == (CheckState.DROPPED, None, None)
    assert now(shown).state is CheckState.PENDING


def test_the_copy_holds_every_check_of_a_person(town: Town) -> None:
    rename(town.resident, "加我微信")
    rename(town.neighbour, "低价转让", trace_id="t-2")
    with reading() as session:
        copy = copy_for(session, town.resident.account(session))
        assert [check.written for check in copy.checks] == ["加我微信"]
        assert copy.oneself is not None
        assert [line.entry.act for line in copy.oneself.journal] == ["content_check.held"]
