"""Groups: asked for by a resident, decided about by staff, handed over, and what becomes of them when their leader goes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.consents import ConsentChannel
from models.content_checks import (
    GROUP_ABOUT,
    GROUP_NAME,
    CheckedField,
    ContentCheck,
    Decision,
    Finding,
    HeldBecause,
    Subject,
    decide,
    hold_text,
)
from models.copies import copy_for
from models.counter import ConsentGiver, keep_consent
from models.departures import close_account, see_off, what_closing_means
from models.desk import desk_of
from models.errors import Conflict, NotFound, Refusal
from models.groups import (
    MOST_WAITING,
    Group,
    GroupKind,
    GroupState,
    GroupWords,
    apply_for_group,
    approve,
    correct_group,
    disband,
    disband_by_staff,
    enter_group,
    group_led_by,
    group_of,
    group_within,
    groups_led_by,
    groups_within,
    lift_suspension,
    name_leader,
    offer_leadership,
    reject,
    suspend,
    take_over,
)
from models.journal import JournalEntry
from models.notices import Notice
from models.truth import still_true
from tests.people import Person, Town, Worker, a_person_without_phone, a_resident

SINGING = GroupWords("梧桐合唱团", GroupKind.CHORUS, 18, "每周三下午排练")
TODAY = date(2026, 11, 20)


def code_of(deed: Callable[[], object]) -> str:
    """The code of the refusal a deed meets."""
    with pytest.raises(Refusal) as no:
        deed()
    return no.value.code


def a_group(leader: Person, words: GroupWords = SINGING, *, sure: bool = True) -> str:
    """A resident asks for a group; its key."""
    with transaction() as session:
        return apply_for_group(session, leader.account(session), words, name_is_sure=sure).key


def staff_say(key: str, decision: Callable[..., object], by: Worker, *said: object, **more: object) -> None:
    with transaction() as session:
        group = session.scalars(select(Group).where(Group.key == key)).one()
        decision(session, group, *said, **more, by=by.member(session))


def an_approved_group(town: Town, leader: Person, words: GroupWords = SINGING) -> str:
    key = a_group(leader, words)
    staff_say(key, approve, town.clerk)
    return key


def code_for(leader: Person, key: str) -> str:
    with transaction() as session:
        group = group_of(session, leader.resident(session), key)
        return offer_leadership(session, leader.account(session), group)


def takes_over(who: Person, code: str) -> None:
    with transaction() as session:
        take_over(session, who.account(session), code)


def now(key: str) -> Group:
    with reading() as session:
        return session.scalars(select(Group).where(Group.key == key)).one()


def acts(for_whom: Person | None = None) -> list[str]:
    """What the journal says of groups, in order."""
    with reading() as session:
        query = select(JournalEntry.act).where(JournalEntry.act.startswith("group."))
        if for_whom is not None:
            query = query.where(JournalEntry.for_resident_id == for_whom.resident_id)
        return list(session.scalars(query.order_by(JournalEntry.id)))


def told(who: Person) -> list[str]:
    with reading() as session:
        return [
            notice.body
            for notice in session.scalars(
                select(Notice).where(Notice.account_id == who.account_id).order_by(Notice.id)
            )
        ]


def waiting(by: Worker, pile: str) -> int:
    with reading() as session:
        (number,) = [one.number for one in desk_of(session, by.member(session)) if one.pile.name == pile]
        return number


def grown_up_without_phone(town: Town, *, birth_year: int | None = 1950) -> Person:
    """Somebody the counter knows, who signed on paper."""
    with transaction() as session:
        person = a_person_without_phone(session, town.wutong, name="孙大爷", birth_year=birth_year)
        keep_consent(
            session,
            person.resident(session),
            channel=ConsentChannel.COUNTER,
            given_by=ConsentGiver.ONESELF,
            by_account_id=town.clerk.account_id,
            identity=town.clerk.identity,
        )
    return person


# --- asking -------------------------------------------------------------------------------------------------------


def test_a_group_waits_on_the_desk_until_it_is_approved_and_its_leader_is_told(town: Town) -> None:
    key = a_group(town.resident)
    assert waiting(town.clerk, "groups") == 1
    assert not now(key).stands
    staff_say(key, approve, town.clerk)
    staff_say(key, approve, town.admin)  # a colleague says the same
    assert now(key).stands
    assert waiting(town.clerk, "groups") == 0
    assert told(town.resident) == ["您的团队“梧桐合唱团”：已通过。可以用团队的名义预约场地了。"]
    assert acts() == ["group.applied", "group.approved"]


def test_a_rejected_group_says_why_and_its_name_is_free(town: Town) -> None:
    key = a_group(town.resident)
    staff_say(key, reject, town.clerk, "和已有的团队重复")
    staff_say(key, reject, town.clerk, "和已有的团队重复")
    assert (now(key).state, now(key).reason) == (GroupState.REJECTED, "和已有的团队重复")
    assert told(town.resident) == ["您的团队“梧桐合唱团”：未通过。和已有的团队重复。"]
    assert code_of(lambda: staff_say(key, approve, town.admin)) == "group_settled"
    a_group(town.neighbour)


@pytest.mark.parametrize("missing", ["phone", "birth_year", "consents"])
def test_who_is_not_known_founds_no_group(town: Town, missing: str) -> None:
    without = {"consents": False} if missing == "consents" else {missing: None}
    with transaction() as session:
        stranger = a_resident(session, town.wutong, **without)
    with pytest.raises(Conflict) as no:
        a_group(stranger)
    assert no.value.code == "profile_needed"
    assert no.value.details["fields"] == ["consent" if missing == "consents" else missing]


def test_a_child_leads_no_group(town: Town) -> None:
    with transaction() as session:
        child = a_resident(session, town.wutong, birth_year=TODAY.year - 17)
    assert code_of(lambda: a_group(child)) == "group_leader_unfit"


def test_a_name_is_taken_by_one_live_group_of_a_community(town: Town) -> None:
    key = a_group(town.resident)
    with pytest.raises(Conflict) as no:
        a_group(town.neighbour)
    assert (no.value.code, [fault.field for fault in no.value.faults]) == ("group_name_taken", ["name"])
    a_group(town.outsider)  # of another community
    with transaction() as session:
        disband(
            session, town.resident.account(session), group_of(session, town.resident.resident(session), key)
        )
    a_group(town.neighbour)


def test_nobody_fills_the_desk_with_applications(town: Town) -> None:
    for n in range(MOST_WAITING):
        a_group(town.resident, GroupWords(f"第{n}队", GroupKind.SPORT, 5))
    assert code_of(lambda: a_group(town.resident)) == "groups_wait"


@pytest.mark.parametrize("members", [0, -1, 1001])
def test_a_number_of_members_that_cannot_be_is_named(town: Town, members: int) -> None:
    with pytest.raises(Conflict) as no:
        a_group(town.resident, GroupWords("合唱团", GroupKind.CHORUS, members))
    assert (no.value.code, [fault.field for fault in no.value.faults]) == ("group_unfit", ["members"])


def test_what_was_said_is_corrected_while_it_waits_and_no_longer(town: Town) -> None:
    key, other = a_group(town.resident), a_group(town.neighbour, GroupWords("读书会", GroupKind.STUDY, 6))

    def corrects(words: GroupWords) -> None:
        with transaction() as session:
            group = group_of(session, town.resident.resident(session), key)
            correct_group(session, town.resident.account(session), group, words)

    corrects(SINGING)  # the same changes nothing
    better = GroupWords("梧桐老年合唱团", GroupKind.CHORUS, 20)
    corrects(better)
    assert now(key).words == better
    assert acts().count("group.corrected") == 1
    assert code_of(lambda: corrects(now(other).words)) == "group_name_taken"
    staff_say(key, approve, town.clerk)
    assert code_of(lambda: corrects(SINGING)) == "group_decided"


# --- what is written is looked at first -------------------------------------------------------------------------------


def hold(key: str, field: CheckedField, whose: Person, text: str) -> None:
    with transaction() as session:
        subject = Subject(
            field=field, key=key, account_id=whose.account_id or 0, resident_id=whose.resident_id
        )
        hold_text(session, subject, text, Finding(), HeldBecause.DOUBTFUL)


def clerk_says(town: Town, decision: Decision) -> None:
    with transaction() as session:
        check = session.scalars(select(ContentCheck)).one()
        decide(session, check, decision, by=town.clerk.member(session))


def test_a_name_that_nobody_has_judged_is_approved_of_by_nobody(town: Town) -> None:
    key = a_group(town.resident, sure=False)
    hold(key, GROUP_NAME, town.resident, SINGING.name)
    assert code_of(lambda: staff_say(key, approve, town.clerk)) == "group_words_wait"
    clerk_says(town, Decision.APPROVE)
    staff_say(key, approve, town.clerk)


def test_a_group_whose_name_may_not_stay_is_none(town: Town) -> None:
    key = a_group(town.resident, sure=False)
    hold(key, GROUP_NAME, town.resident, SINGING.name)
    clerk_says(town, Decision.REJECT)
    assert now(key).state is GroupState.REJECTED
    assert len(told(town.resident)) == 1  # that the name may not stay
    a_group(town.neighbour)


@pytest.mark.parametrize(("decision", "about"), [(Decision.APPROVE, SINGING.about), (Decision.REJECT, "")])
def test_words_about_a_group_that_may_not_stay_go_and_the_group_waits_on(
    town: Town, decision: Decision, about: str
) -> None:
    with transaction() as session:
        key = apply_for_group(session, town.resident.account(session), SINGING, about_is_sure=False).key
    hold(key, GROUP_ABOUT, town.resident, SINGING.about)
    assert code_of(lambda: staff_say(key, approve, town.clerk)) == "group_words_wait"
    clerk_says(town, decision)
    assert (now(key).about, now(key).about_is_sure) == (about, True)
    staff_say(key, approve, town.clerk)


def test_a_verdict_about_words_that_were_changed_meanwhile_changes_nothing(town: Town) -> None:
    key = a_group(town.resident, sure=False)
    hold(key, GROUP_NAME, town.resident, "从前的名字")
    clerk_says(town, Decision.REJECT)
    assert (now(key).state, now(key).name_is_sure) == (GroupState.APPLIED, False)


# --- staff --------------------------------------------------------------------------------------------------------


def test_a_suspended_group_may_use_nothing_until_the_day_after_the_last(
    town: Town, clock: StoppedClock
) -> None:
    key = an_approved_group(town, town.resident)
    staff_say(key, suspend, town.clerk, "损坏了音响", until=TODAY + timedelta(days=3))
    with reading() as session, pytest.raises(Conflict) as no:
        group_led_by(session, town.resident.resident(session), key)
    assert (no.value.code, no.value.message) == (
        "group_not_approved",
        "“梧桐合唱团”已暂停使用到11月23日，有疑问请联系社区",
    )
    clock.advance(days=4)
    with reading() as session:
        assert group_led_by(session, town.resident.resident(session), key).stands
        listed = {
            state: [
                one.key for one in groups_within(session, [town.wutong], state=state, after_id=None, most=9)
            ]
            for state in (GroupState.APPROVED, GroupState.SUSPENDED)
        }
    assert listed == {GroupState.APPROVED: [key], GroupState.SUSPENDED: []}


def test_a_suspension_is_changed_and_lifted_and_its_leader_hears_of_both(town: Town) -> None:
    key = an_approved_group(town, town.resident)
    for _ in range(2):
        staff_say(key, suspend, town.clerk, "损坏了音响", until=TODAY)
    staff_say(key, suspend, town.clerk, "损坏了音响", until=TODAY + timedelta(days=9))
    for _ in range(2):
        staff_say(key, lift_suspension, town.clerk)
    assert now(key).stands
    assert [body.split("：")[1][:3] for body in told(town.resident)] == [
        "已通过",
        "已暂停",
        "已暂停",
        "已恢复",
    ]
    assert acts(town.resident)[1:] == ["group.suspended", "group.suspended", "group.resumed"]


def test_only_a_group_that_stands_is_suspended_and_no_day_that_is_over(town: Town) -> None:
    key = a_group(town.resident)

    def again(until: date) -> None:
        staff_say(key, suspend, town.clerk, "噪音", until=until)

    assert code_of(lambda: again(TODAY)) == "group_settled"
    assert code_of(lambda: staff_say(key, lift_suspension, town.clerk)) == "group_settled"
    staff_say(key, approve, town.clerk)
    assert code_of(lambda: again(TODAY - timedelta(days=1))) == "group_unfit"


def test_nobody_decides_about_a_group_of_their_own(town: Town) -> None:
    key = an_approved_group(town, town.resident)
    with transaction() as session:
        town.clerk.member(session).account_id = town.resident.account_id
    for deed in (
        lambda: staff_say(key, suspend, town.clerk, "噪音", until=TODAY),
        lambda: staff_say(key, lift_suspension, town.clerk),
        lambda: staff_say(key, disband_by_staff, town.clerk, "噪音"),
        lambda: staff_say(
            a_group(town.resident, GroupWords("一队", GroupKind.SPORT, 5)), approve, town.clerk
        ),
    ):
        assert code_of(deed) == "own_content"


def test_the_counter_writes_a_group_down_for_somebody_without_a_phone(town: Town) -> None:
    elder = grown_up_without_phone(town)
    with transaction() as session:
        group = enter_group(session, elder.resident(session), SINGING, by=town.clerk.member(session))
        assert group.stands
    assert acts(elder) == ["group.entered"]


def test_the_counter_founds_no_group_for_whom_it_does_not_know_enough_or_for_a_child(town: Town) -> None:
    def enters(whom: Person) -> None:
        with transaction() as session:
            enter_group(session, whom.resident(session), SINGING, by=town.clerk.member(session))

    assert code_of(lambda: enters(town.elder)) == "profile_needed"  # nothing was signed
    assert code_of(lambda: enters(grown_up_without_phone(town, birth_year=None))) == "profile_needed"
    assert code_of(lambda: enters(grown_up_without_phone(town, birth_year=2012))) == "group_leader_unfit"


def test_staff_name_another_leader_of_the_community(town: Town) -> None:
    key = an_approved_group(town, town.resident)
    code = code_for(town.resident, key)
    for _ in range(2):
        with transaction() as session:
            group = group_within(session, key, within=[town.wutong])
            name_leader(session, group, town.neighbour.resident(session), by=town.clerk.member(session))
    assert told(town.neighbour) == ["您的团队“梧桐合唱团”：负责人变更。您现在是这个团队的负责人。"]
    assert acts(town.neighbour) == ["group.leader_changed"]
    assert code_of(lambda: takes_over(town.guardian, code)) == "invitation_invalid"
    with reading() as session:
        assert code_of(lambda: group_of(session, town.resident.resident(session), key)) == "no_group"
    with transaction() as session:
        group = group_within(session, key, within=[town.wutong])
        stranger = town.outsider.resident(session)
        by = town.clerk.member(session)
        assert code_of(lambda: name_leader(session, group, stranger, by=by)) == "group_leader_unfit"


def test_staff_of_another_community_find_no_group(town: Town) -> None:
    key = an_approved_group(town, town.resident)
    with reading() as session:
        with pytest.raises(NotFound):
            group_within(session, key, within=[town.wangjiang])
        found = groups_within(session, [], state=GroupState.APPROVED, after_id=None, most=9)
        assert list(found) == []


# --- handing over -------------------------------------------------------------------------------------------------


def test_a_leader_hands_the_group_to_a_neighbour_once(town: Town) -> None:
    key = an_approved_group(town, town.resident)
    old, code = code_for(town.resident, key), code_for(town.resident, key)
    assert code_of(lambda: takes_over(town.neighbour, old)) == "invitation_invalid"
    assert code_of(lambda: takes_over(town.resident, code)) == "group_leader_unfit"
    assert code_of(lambda: takes_over(town.outsider, code)) == "group_leader_unfit"
    takes_over(town.neighbour, code)
    assert now(key).leader_id == town.neighbour.resident_id
    assert code_of(lambda: takes_over(town.guardian, code)) == "invitation_invalid"


def test_a_code_is_good_for_a_day_and_for_a_group_that_lives(town: Town, clock: StoppedClock) -> None:
    key = an_approved_group(town, town.resident)
    code = code_for(town.resident, key)
    clock.advance(days=1)
    assert code_of(lambda: takes_over(town.neighbour, code)) == "invitation_invalid"
    code = code_for(town.resident, key)
    staff_say(key, disband_by_staff, town.clerk, "已经不活动了")
    assert code_of(lambda: takes_over(town.neighbour, code)) == "invitation_invalid"
    assert code_of(lambda: code_for(town.resident, key)) == "group_over"


# --- ends ---------------------------------------------------------------------------------------------------------


def test_a_group_is_disbanded_by_its_leader_or_by_staff_and_twice_is_fine(town: Town) -> None:
    mine, theirs = (
        an_approved_group(town, town.resident),
        a_group(town.neighbour, GroupWords("二队", GroupKind.SPORT, 9)),
    )
    for _ in range(2):
        with transaction() as session:
            group = group_of(session, town.resident.resident(session), mine)
            disband(session, town.resident.account(session), group)
    assert code_of(lambda: staff_say(theirs, disband_by_staff, town.clerk, "不活动了")) == "group_settled"
    staff_say(theirs, approve, town.clerk)
    for _ in range(2):
        staff_say(theirs, disband_by_staff, town.clerk, "不活动了")
    assert now(mine).state is now(theirs).state is GroupState.DISBANDED
    assert acts().count("group.disbanded") == 2
    assert told(town.neighbour)[-1] == "您的团队“二队”：已解散。不活动了。"


def test_a_leader_who_leaves_is_told_what_becomes_of_the_group_which_waits_for_another(town: Town) -> None:
    stays = an_approved_group(town, town.resident)
    asked = a_group(town.resident, GroupWords("二队", GroupKind.SPORT, 9, "找陈静"))
    refused = a_group(town.resident, GroupWords("三队", GroupKind.SPORT, 9, "找陈静"))
    staff_say(refused, reject, town.clerk, "陈静已有两个队")
    with reading() as session:
        before = what_closing_means(session, town.resident.account(session))
    assert [group.key for group in before.groups] == [stays, asked]
    with transaction() as session:
        close_account(session, town.resident.account(session), seen=before.fingerprint)
    assert (now(stays).leader_id, now(stays).stands, now(stays).about) == (None, True, "")
    assert (now(asked).state, now(asked).about) == (GroupState.DISBANDED, "")
    assert (now(refused).about, now(refused).reason) == ("", None)
    assert waiting(town.clerk, "groups_without_leader") == 1
    with transaction() as session:
        group = group_within(session, stays, within=[town.wutong])
        name_leader(session, group, town.neighbour.resident(session), by=town.clerk.member(session))
    assert waiting(town.clerk, "groups_without_leader") == 0


def test_what_is_told_before_leaving_counts_the_groups(town: Town) -> None:
    key = a_group(town.resident)
    with reading() as session:
        seen = what_closing_means(session, town.resident.account(session)).fingerprint
    staff_say(key, approve, town.clerk)
    with transaction() as session, pytest.raises(Conflict) as no:
        close_account(session, town.resident.account(session), seen=seen)
    assert no.value.code == "closure_outdated"


def test_who_is_seen_off_at_the_counter_leads_nothing_any_more(town: Town) -> None:
    elder = grown_up_without_phone(town)
    with transaction() as session:
        key = enter_group(session, elder.resident(session), SINGING, by=town.clerk.member(session)).key
    with transaction() as session:
        see_off(
            session,
            elder.resident(session),
            by_account_id=town.clerk.account_id,
            identity=town.clerk.identity,
        )
    assert now(key).leader_id is None
    assert waiting(town.clerk, "groups_without_leader") == 1


def test_a_group_is_in_the_copy_of_its_leader_and_of_nobody_else(town: Town) -> None:
    key = a_group(town.resident)
    with reading() as session:
        copies = [copy_for(session, who.account(session)) for who in (town.resident, town.neighbour)]
    assert [[group.key for group in copy.oneself.groups] for copy in copies if copy.oneself] == [[key], []]


def test_a_result_that_is_none_any_more_is_not_told(town: Town) -> None:
    """Nor to somebody who handed the group over meanwhile."""
    suspended, handed = (
        an_approved_group(town, town.resident),
        an_approved_group(town, town.neighbour, GroupWords("二队", GroupKind.SPORT, 9)),
    )
    with reading() as session:
        notices = session.scalars(select(Notice).order_by(Notice.id)).all()
        assert still_true(session, notices) == {notice.id for notice in notices}
    staff_say(suspended, suspend, town.clerk, "噪音", until=TODAY)
    takes_over(town.guardian, code_for(town.neighbour, handed))
    with reading() as session:
        assert still_true(session, notices) == set()


def test_what_is_listed_of_groups_costs_the_same_for_one_and_for_many(
    town: Town, statements: list[str]
) -> None:
    def cost() -> int:
        with reading() as session:
            statements.clear()
            found = groups_led_by(session, [town.resident.resident_id])
            listed = groups_within(session, [town.wutong], state=GroupState.APPROVED, after_id=None, most=50)
            assert {one.region.name for one in [*found, *listed]} == {town.wutong.name}
            return len(statements)

    an_approved_group(town, town.resident)
    first = cost()
    for n in range(5):
        an_approved_group(town, town.resident, GroupWords(f"第{n}队", GroupKind.SPORT, 5))
    assert cost() == first
    assert town_clock.today() == TODAY
