"""Wishes: who may wish what, what the community says of it, what hangs on the wall, and what nobody reads (domain.md §2.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from models import clock as town_clock
from models.base import reading, transaction
from models.clock import StoppedClock
from models.desk import desk_of
from models.errors import NotFound, Refusal
from models.journal import JournalEntry
from models.ladder import ShortMessage
from models.notices import Notice, NoticeKind
from models.policies import DEFAULTS
from models.residents import BondKind, Profile, introduce
from models.truth import still_true
from models.wishes import (
    AgeBand,
    Card,
    HandOver,
    Mark,
    RoundPlan,
    Wish,
    WishKind,
    WishPhoto,
    WishRound,
    WishSource,
    WishState,
    WishSupport,
    add_photo,
    alike,
    approve_wish,
    ask_for_more,
    change_round,
    clear_photo,
    clear_words,
    correct_wish,
    due_to_show,
    forget_old_wishes,
    hanging_wish,
    is_shown_now,
    leave_wishes,
    publish,
    refuse_photo,
    refuse_words,
    reject_wish,
    remove_photo,
    share_contacts,
    support,
    support_no_more,
    wall,
    warnings_about,
    wish_within,
    withdraw_wish,
)
from tests.people import Person, Town, Worker, a_bond, a_person_without_phone, a_resident
from tests.rooms import set_number
from tests.wishes import (
    CARD,
    COOKER,
    TAP,
    a_round,
    by_resident,
    by_staff,
    hung,
    now,
    say,
    somebody,
    state_of,
    told,
    wishes,
)

GOODS_AT_ONCE = replace(COOKER, words="想要一床棉被，冬天冷")


def refused(deed: Callable[..., object], *given: Any, **more: Any) -> Refusal:
    """What somebody is told who may not."""
    with pytest.raises(Refusal) as caught:
        deed(*given, **more)
    return caught.value


def faults(refusal: Refusal) -> list[str]:
    return [fault.field for fault in refusal.faults]


def waiting(by: Worker, pile: str) -> int:
    with reading() as session:
        (number,) = [one.number for one in desk_of(session, by.member(session)) if one.pile.name == pile]
        return number


# --- wishing ------------------------------------------------------------------------------------------------------


def test_a_wish_waits_for_the_community_and_has_a_number(town: Town) -> None:
    one, other = somebody(town, "张大爷"), somebody(town, "李阿姨")
    first, second = wishes(one), wishes(other, COOKER)
    assert (first.state, first.number, second.number) == (WishState.SUBMITTED, 1, 2)
    assert first.source is WishSource.ONLINE
    assert waiting(town.clerk, "wishes") == 2
    assert told(one) == []


def test_what_was_said_is_ciphertext_at_rest(town: Town) -> None:
    made = wishes(somebody(town), replace(TAP, address="3栋501室", hardship="独居", hand_over=HandOver.HOME))
    with reading() as session:
        kept = session.execute(
            text("SELECT words, address, hardship FROM wishes WHERE id = :id"), {"id": made.id}
        ).one()
    assert not any(word in f"{kept}" for word in ("水龙头", "501", "独居"))


def test_a_second_tap_is_the_same_wish(town: Town) -> None:
    who = somebody(town)
    assert wishes(who).id == wishes(who).id


def test_the_review_is_due_in_working_time(town: Town, clock: StoppedClock) -> None:
    clock.move_to(datetime(2026, 11, 20, 15, 0, tzinfo=town_clock.TOWN_ZONE))  # a Friday
    made = wishes(somebody(town))
    assert made.due_at == datetime(2026, 11, 24, 15, 0, tzinfo=town_clock.TOWN_ZONE)
    clock.move_to(datetime(2026, 11, 24, 14, 59, tzinfo=town_clock.TOWN_ZONE))
    assert waiting(town.clerk, "wishes_overdue") == 0
    clock.move_to(datetime(2026, 11, 24, 15, 1, tzinfo=town_clock.TOWN_ZONE))
    assert waiting(town.clerk, "wishes_overdue") == 1


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (replace(TAP, words="想要一点现金过年"), "words"),
        (replace(TAP, words="请把钱打到我的支付宝"), "words"),
        (replace(COOKER, words="想要两瓶白酒"), "words"),
        (replace(TAP, hardship="借钱看病"), "hardship"),
        (replace(TAP, nickname="打19900000001"), "nickname"),
        (replace(TAP, nickname="许愿人"), "nickname"),
        (replace(TAP, nickname="我是许 愿 人"), "nickname"),
        (replace(COOKER, piece="现金"), "piece"),
        (replace(COOKER, piece="3号楼"), "piece"),
        (replace(TAP, quantity=2), "quantity"),
        (replace(COOKER, quantity=0), "quantity"),
        (replace(COOKER, quantity=21), "quantity"),
        (replace(COOKER, value_yuan=501), "value_yuan"),
        (replace(TAP, hand_over=HandOver.HOME), "address"),
    ],
)
def test_what_cannot_be_wished_names_its_field_and_keeps_nothing(town: Town, words: Any, field: str) -> None:
    no = refused(wishes, somebody(town), words)
    assert (no.code, faults(no)) == ("wish_unfit", [field])
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Wish)) == 0


def test_phone_and_address_may_stand_there_and_whoever_wishes_is_told_nobody_else_reads_them() -> None:
    """E22"""
    words = replace(TAP, words="修水龙头，3栋501室，电话19900000001")
    assert warnings_about(words, DEFAULTS) == ["写了门牌地址、电话号码，公布时会遮住，只有社区工作人员看得到"]
    assert warnings_about(replace(COOKER, value_yuan=301), DEFAULTS) == [
        "超过 300 元的心愿不容易被认领，可以写便宜一点的"
    ]
    assert warnings_about(COOKER, DEFAULTS) == []


def test_a_child_wishes_through_its_guardian(town: Town) -> None:
    child = somebody(town, "小朋友", birth_year=2015)
    assert refused(wishes, child).code == "adult_needed"
    assert wishes(child, acted_for=True).state is WishState.SUBMITTED


def test_who_is_wished_for_is_told_who_did_it(town: Town) -> None:
    elder = somebody(town, "王奶奶", birth_year=1940)
    wishes(elder, by=by_staff(town.clerk, WishSource.VISIT))
    assert told(elder) == [
        ("wished_for_you", "小（社区工作人员）已替您提交了0001号微心愿。如果不是您的意思，请告诉社区工作人员")
    ]


# --- one household ------------------------------------------------------------------------------------------------


def test_a_household_wishes_for_goods_once_at_a_time(town: Town) -> None:
    who = somebody(town)
    made = wishes(who, COOKER)
    assert refused(wishes, who, GOODS_AT_ONCE).code == "wish_limit"
    wishes(who, TAP)  # a service is another matter
    say(withdraw_wish, made, by=by_resident(who))
    assert wishes(who, GOODS_AT_ONCE).state is WishState.SUBMITTED


def test_family_the_same_phone_and_the_same_address_are_one_household(town: Town) -> None:
    helper, elder = somebody(town, "女儿"), somebody(town, "妈妈", birth_year=1940)
    with transaction() as session:
        a_bond(session, helper, elder)
        same_phone = a_resident(session, town.wutong, name="老伴", phone=elder.resident(session).phone)
    there = replace(COOKER, address="梧桐苑3栋 501室", hand_over=HandOver.HOME)
    wishes(elder, there)
    for other in (helper, same_phone):
        assert refused(wishes, other, GOODS_AT_ONCE).code == "wish_limit"
    lodger = somebody(town, "房客")
    no = refused(wishes, lodger, replace(there, words="想要一双运动鞋", address="梧桐苑 3栋501室"))
    assert no.code == "wish_limit"
    assert wishes(somebody(town, "邻居"), replace(there, address="梧桐苑3栋502室")).number == 2


def test_parents_of_one_child_and_all_their_children_are_one_household(town: Town) -> None:
    mother, father = somebody(town, "妈妈", birth_year=1985), somebody(town, "爸爸", birth_year=1984)
    with transaction() as session:
        older, younger = (
            a_person_without_phone(session, town.wutong, name=name, birth_year=2016)
            for name in ("大宝", "小宝")
        )
        for parent, child in ((mother, older), (father, older), (mother, younger)):
            a_bond(session, parent, child, kind=BondKind.GUARDIAN)
    wishes(older, COOKER, by=by_resident(mother), acted_for=True)
    for other in (younger, father):
        assert (
            refused(wishes, other, GOODS_AT_ONCE, by=by_resident(mother), acted_for=True).code == "wish_limit"
        )


def test_who_helps_from_the_grid_is_no_family(town: Town) -> None:
    worker, elder = somebody(town, "网格员"), somebody(town, "独居老人", birth_year=1940)
    with transaction() as session:
        a_bond(session, worker, elder, kind=BondKind.GRID_HELPER)
    wishes(elder, COOKER)
    assert wishes(worker, COOKER).state is WishState.SUBMITTED


def test_two_wishes_for_goods_a_year_and_no_more(town: Town, clock: StoppedClock) -> None:
    who = somebody(town)
    for words in (COOKER, GOODS_AT_ONCE):
        made = wishes(who, words)
        with transaction() as session:  # as if it had been fulfilled
            session.get_one(Wish, made.id).state = WishState.PUBLISHED
            session.get_one(Wish, made.id).published_at = town_clock.now()
        set_number(town.wutong, "goods_wishes_at_once", "9")
    assert refused(wishes, who, replace(COOKER, words="想要一个收音机")).code == "wish_limit"
    clock.move_to(town_clock.now() + timedelta(days=366))
    assert wishes(who, replace(COOKER, words="想要一个收音机")).state is WishState.SUBMITTED


def test_a_town_may_want_more_or_fewer_at_once(town: Town) -> None:
    who = somebody(town)
    set_number(town.wutong, "wishes_at_once", "1")
    wishes(who)
    assert refused(wishes, who, replace(TAP, words="想学用手机")).code == "wish_limit"
    set_number(town.wutong, "wishes_at_once", "0")
    assert wishes(who, replace(TAP, words="想学用手机")).number == 2


def test_staff_may_leave_the_limits_aside_and_that_is_written_down(town: Town) -> None:
    """Elders without a phone of their own share the grid worker's number."""
    who = somebody(town)
    wishes(who, COOKER)
    clerk = by_staff(town.clerk)
    assert refused(wishes, who, GOODS_AT_ONCE, by=clerk).code == "wish_limit"
    assert wishes(who, GOODS_AT_ONCE, by=clerk, even_so=True).number == 2
    assert refused(wishes, who, replace(COOKER, words="想要一双鞋"), even_so=True).code == "wish_limit"
    with reading() as session:
        details = session.scalars(
            select(JournalEntry.details).where(JournalEntry.act == "wish.made").order_by(JournalEntry.id)
        ).all()
    assert details == [None, {"beyond_limits": True}]


def test_who_fulfils_it_may_know_them_only_while_they_agree(town: Town) -> None:
    who = somebody(town)
    made = hung(town, who, replace(TAP, may_share=True))
    assert now(made).may_share_since is not None
    for _ in range(2):
        say(share_contacts, made, may_share=False, by=by_resident(who))
    assert (now(made).may_share, now(made).may_share_since) == (False, None)
    say(share_contacts, made, may_share=True, by=by_resident(who))
    assert now(made).may_share


# --- review -------------------------------------------------------------------------------------------------------


def test_approved_it_hangs_on_the_wall_in_the_reviewers_words(town: Town) -> None:
    who = somebody(town, "张大爷")
    made = hung(town, who, COOKER)
    hanging = now(made)
    assert (hanging.state, hanging.title, hanging.public_words) == (
        WishState.PUBLISHED,
        CARD.title,
        CARD.words,
    )
    assert (hanging.shows_as, hanging.age_band) == ("0001号", AgeBand.ELDER)
    assert told(who) == [("wish_reviewed", f"{town.wutong.name}0001号心愿已通过：已经挂上心愿墙，等人认领。")]
    assert waiting(town.clerk, "wishes") == 0


def test_a_name_of_their_own_choice_may_hang_there_but_no_childs(town: Town) -> None:
    nicknamed = replace(TAP, nickname="爱唱歌的人")
    assert now(hung(town, somebody(town), nicknamed)).shows_as == "爱唱歌的人"
    child = somebody(town, "小朋友", birth_year=2015)
    made = wishes(child, nicknamed, acted_for=True)
    say(approve_wish, made, CARD, by=by_staff(town.clerk))
    assert (now(made).shows_as, now(made).age_band) == ("0002号", AgeBand.CHILD)


def test_a_name_told_after_it_was_taken_for_a_nickname_hangs_on_no_wall(town: Town) -> None:
    """Whoever wished has another name in the town since; a child's nickname stands nowhere."""
    nicknamed = replace(TAP, nickname="老李头")
    who, child = somebody(town), somebody(town, "小朋友", birth_year=2015)
    theirs, its = wishes(who, nicknamed), wishes(child, nicknamed, acted_for=True)
    with transaction() as session:
        for person in (who, child):
            person.resident(session).name = "老李头"
    no = refused(say, approve_wish, theirs, CARD, by=by_staff(town.clerk))
    assert (no.code, faults(no)) == ("wish_card_unfit", ["nickname"])
    say(approve_wish, its, CARD, by=by_staff(town.clerk))


@pytest.mark.parametrize(
    ("card", "fields"),
    [
        (replace(CARD, words="请打19900000001"), ["words"]),
        (replace(CARD, words="住在3栋501室"), ["words"]),
        (replace(CARD, title="张大爷的电饭煲"), ["title"]),
        (replace(CARD, title="想要现金"), ["title"]),
        (replace(CARD, words="就在老粮站宿舍东头第二家"), ["words"]),
        (replace(CARD, photos=frozenset({"nosuchphoto00000"})), ["photos"]),
    ],
)
def test_what_would_tell_too_much_does_not_hang_there(town: Town, card: Card, fields: list[str]) -> None:
    words = replace(COOKER, address="老粮站宿舍东头第二家", hand_over=HandOver.HOME)
    made = wishes(somebody(town, "张大爷"), words)
    no = refused(say, approve_wish, made, card, by=by_staff(town.clerk))
    assert (no.code, faults(no)) == ("wish_card_unfit", fields)
    assert state_of(made) is WishState.SUBMITTED


def test_a_card_is_corrected_on_the_wall_and_nobody_is_told_twice(town: Town) -> None:
    who = somebody(town)
    made = hung(town, who)
    say(approve_wish, made, CARD, by=by_staff(town.clerk))
    say(approve_wish, made, replace(CARD, title="换一个电饭煲"), by=by_staff(town.admin))
    assert now(made).title == "换一个电饭煲"
    assert len(told(who)) == 1


def test_while_more_is_asked_for_the_clock_stands_still(town: Town, clock: StoppedClock) -> None:
    who = somebody(town)
    made = wishes(who)
    say(ask_for_more, made, "请写清楚要修哪一个水龙头", by=by_staff(town.clerk))
    assert (now(made).state, now(made).due_at) == (WishState.NEED_INFO, None)
    assert told(who)[-1][1].endswith("待补充：请写清楚要修哪一个水龙头。")
    clock.move_to(town_clock.now() + timedelta(days=9))
    assert waiting(town.clerk, "wishes_overdue") == 0
    say(correct_wish, made, replace(TAP, words="修厨房的水龙头"), by=by_resident(who))
    again = now(made)
    assert (again.state, again.words, again.because) == (WishState.SUBMITTED, "修厨房的水龙头", "")
    assert again.due_at is not None
    assert again.due_at > town_clock.now()


def test_a_no_has_a_reason_and_may_be_said_anew(town: Town) -> None:
    who = somebody(town)
    made = wishes(who)
    say(reject_wish, made, "请找物业报修", by=by_staff(town.clerk))
    say(reject_wish, made, "另一个原因", by=by_staff(town.admin))
    assert (state_of(made), now(made).because) == (WishState.REJECTED, "请找物业报修")
    assert len(told(who)) == 1
    assert refused(say, approve_wish, made, CARD, by=by_staff(town.clerk)).code == "wish_decided"
    say(correct_wish, made, replace(TAP, words="物业说修不了，请帮忙"), by=by_resident(who))
    assert (state_of(made), now(made).ended_at) == (WishState.SUBMITTED, None)


def test_what_was_let_through_beyond_the_limits_can_be_put_right_when_more_is_asked(town: Town) -> None:
    who, clerk = somebody(town), by_staff(town.clerk)
    wishes(who, COOKER)
    made = wishes(who, GOODS_AT_ONCE, by=clerk, even_so=True)
    say(ask_for_more, made, "请写尺码", by=clerk)
    whole = replace(GOODS_AT_ONCE, words="想要一双运动鞋，39码")
    say(correct_wish, made, whole, by=by_resident(who))
    assert state_of(made) is WishState.SUBMITTED
    say(reject_wish, made, "请先等电饭煲", by=clerk)
    assert refused(say, correct_wish, made, whole, by=by_resident(who)).code == "wish_limit"


def test_nobody_decides_about_their_own_household(town: Town) -> None:
    """Four eyes: a clerk who lives here, and the clerk's mother."""
    mother = somebody(town, "妈妈", birth_year=1945)
    with transaction() as session:
        account = town.clerk.account(session)
        resident = introduce(
            session, account, Profile(name="小陈", home_community=town.wutong, phone="19900007777")
        )
        clerk = Person("小陈", resident.id, resident.key, account.id)
        a_bond(session, clerk, mother)
    made, own = wishes(mother), wishes(clerk, replace(TAP, words="想学书法"))
    for wish in (made, own):
        for deed, said in ((approve_wish, CARD), (ask_for_more, "缺什么"), (reject_wish, "不行")):
            assert refused(say, deed, wish, said, by=by_staff(town.clerk)).code == "own_content"
    say(approve_wish, made, CARD, by=by_staff(town.admin))
    assert state_of(made) is WishState.PUBLISHED


def test_what_hangs_is_not_changed_by_who_wished_but_taken_back(town: Town) -> None:
    who = somebody(town)
    made = hung(town, who)
    no = refused(say, correct_wish, made, COOKER, by=by_resident(who))
    assert no.code == "wish_decided"
    say(withdraw_wish, made, by=by_resident(who))
    say(withdraw_wish, made, by=by_resident(who))
    assert state_of(made) is WishState.WITHDRAWN
    with reading() as session, pytest.raises(NotFound):
        hanging_wish(session, made.key)


def test_staff_of_elsewhere_find_nothing(town: Town) -> None:
    made = wishes(somebody(town))
    with reading() as session, pytest.raises(NotFound):
        wish_within(session, made.key, within=[town.wangjiang])


# --- rounds -------------------------------------------------------------------------------------------------------


def test_a_round_hangs_its_wishes_up_together_on_its_day(town: Town, clock: StoppedClock) -> None:
    theme = a_round(town.wutong)
    who = somebody(town)
    made = wishes(who, in_round=theme)
    say(approve_wish, made, CARD, by=by_staff(town.clerk))
    assert state_of(made) is WishState.APPROVED
    assert told(who)[-1][1].endswith("已通过：到了公布的日子会挂上心愿墙。")
    clock.move_to(datetime(2026, 11, 27, 8, 59, tzinfo=town_clock.TOWN_ZONE))
    with transaction() as session:
        assert [is_shown_now(session, one) for one in due_to_show(session, town_clock.now(), most=9)] == [
            False
        ]
    clock.move_to(datetime(2026, 11, 27, 9, 0, tzinfo=town_clock.TOWN_ZONE))
    with transaction() as session:
        (due,) = due_to_show(session, town_clock.now(), most=9)
        assert is_shown_now(session, due)
        assert publish(session, due)
        assert not publish(session, due)
    assert state_of(made) is WishState.PUBLISHED


def test_a_round_collects_on_its_days_in_its_place(town: Town, clock: StoppedClock) -> None:
    theme = a_round(town.wutong)
    with transaction() as session:
        stranger = a_resident(session, town.wangjiang, name="外来", phone="19900008888")
    assert refused(wishes, stranger, in_round=theme).code == "round_over"
    clock.move_to(datetime(2026, 11, 26, 0, 1, tzinfo=town_clock.TOWN_ZONE))
    assert refused(wishes, somebody(town), in_round=theme).code == "round_over"


def test_a_round_that_cannot_be_names_its_field(town: Town) -> None:
    no = refused(a_round, town.wutong, shown_on=date(2026, 11, 1), collects_until=date(2026, 11, 2))
    assert (no.code, faults(no)) == ("round_unfit", ["collects_until", "shown_on"])
    first, other = a_round(town.wutong), a_round(town.wutong, title="暖冬")
    assert refused(a_round, town.wutong).code == "round_exists"

    def call(title: str) -> None:
        plan = RoundPlan(title, "", other.collects_from, other.collects_until, other.shown_on)
        with transaction() as session:
            mine = session.get_one(WishRound, other.id)
            change_round(session, mine, plan, by_account_id=None, identity="town")

    assert refused(call, first.title).code == "round_exists"
    call("春节")
    call("春节")
    with reading() as session:
        assert session.get_one(WishRound, other.id).title == "春节"


# --- the wall -----------------------------------------------------------------------------------------------------


def read_wall(town: Town, **more: Any) -> list[int]:
    with reading() as session:
        return [wish.number for wish in wall(session, town.wutong, most=50, **more)]


def test_the_wall_shows_what_hangs_and_nothing_else_what_waited_longest_first(
    town: Town, clock: StoppedClock
) -> None:
    made = []
    for kind in (WishKind.SERVICE, WishKind.SPIRIT, WishKind.SERVICE):
        clock.move_to(town_clock.now() + timedelta(minutes=1))
        made.append(hung(town, somebody(town), replace(TAP, kind=kind)))
    wishes(somebody(town))
    with transaction() as session:
        session.get_one(Wish, made[0].id).priority = 1
    assert read_wall(town) == [1, 3, 2]
    assert read_wall(town, kind=WishKind.SERVICE) == [1, 3]
    assert read_wall(town, age_band=AgeBand.CHILD) == []
    third = now(made[2])
    assert third.published_at is not None
    assert read_wall(town, after=Mark(0, third.published_at, third.id)) == [2]


def test_somebody_else_needs_the_same_once(town: Town) -> None:
    who, other = somebody(town), somebody(town)
    made = hung(town, who)

    def me_too(deed: Any, person: Person) -> int:
        with transaction() as session:
            return int(
                deed(
                    session,
                    session.get_one(Wish, made.id),
                    person.resident(session),
                    by=by_resident(person),
                )
            )

    assert [me_too(support, other), me_too(support, other)] == [1, 1]
    assert refused(me_too, support, who).code == "own_wish"
    assert [me_too(support_no_more, other), me_too(support_no_more, other)] == [0, 0]
    say(withdraw_wish, made, by=by_resident(who))
    assert isinstance(refused(me_too, support, other), NotFound)


def test_what_hangs_there_already_is_shown_beside_a_new_wish(town: Town) -> None:
    hung(town, somebody(town), COOKER)
    hung(town, somebody(town), TAP, Card("想学一首歌", "想请人教一首老歌"))
    with reading() as session:
        assert [wish.number for wish in alike(session, town.wutong, "想要一个新的电饭煲")] == [1]
        assert alike(session, town.wutong, "想去看一次江景") == []


# --- photos -------------------------------------------------------------------------------------------------------


def photographs(wish: Wish, who: Person, file: str = "afile") -> WishPhoto:
    with transaction() as session:
        return add_photo(
            session,
            session.get_one(Wish, wish.id),
            file=file,
            thumbnail=f"{file}small",
            width=4,
            height=3,
            by=by_resident(who),
        )


def test_a_photo_is_public_only_once_it_was_looked_at_and_the_reviewer_says_so(town: Town) -> None:
    who = somebody(town)
    made = wishes(who)
    photo = photographs(made, who)
    card = replace(CARD, photos=frozenset({photo.key}))
    assert faults(refused(say, approve_wish, made, card, by=by_staff(town.clerk))) == ["photos"]
    with transaction() as session:
        clear_photo(session, photo.key)
    say(approve_wish, made, card, by=by_staff(town.clerk))
    with reading() as session:
        assert session.get_one(WishPhoto, photo.id).is_public


def test_a_wish_has_three_photos_a_childs_none(town: Town) -> None:
    """E21"""
    who = somebody(town)
    made = wishes(who)
    for number in range(3):
        photographs(made, who, f"file{number}")
    assert refused(photographs, made, who).code == "too_many_photos"
    child = somebody(town, "小朋友", birth_year=2015)
    assert refused(photographs, wishes(child, acted_for=True), child).code == "child_photo"
    other = hung(town, somebody(town))
    assert refused(photographs, other, who).code == "wish_decided"


def test_a_photo_that_may_not_stay_goes_and_the_wish_stays(town: Town) -> None:
    who = somebody(town)
    made = wishes(who)
    kept, gone = photographs(made, who, "kept"), photographs(made, who, "gone")
    with transaction() as session:
        refuse_photo(session, gone.key)
    with transaction() as session:
        assert [one.key for one in session.get_one(Wish, made.id).photos] == [kept.key]
        assert remove_photo(session, session.get_one(WishPhoto, kept.id), by=by_resident(who)) == (
            "kept",
            "keptsmall",
        )
    assert state_of(made) is WishState.SUBMITTED


# --- words that may not stay, people who leave, what is forgotten ---------------------------------------------------


def test_words_that_may_not_stay_refuse_what_waits_and_nothing_else(town: Town) -> None:
    who, other = somebody(town), somebody(town)
    waits, hangs = wishes(who, words_are_sure=False), hung(town, other)
    with transaction() as session:
        refuse_words(session, waits.key, "别的话")
        refuse_words(session, hangs.key, TAP.words)
    assert (state_of(waits), state_of(hangs)) == (WishState.SUBMITTED, WishState.PUBLISHED)
    with transaction() as session:
        refuse_words(session, waits.key, TAP.words)
    assert state_of(waits) is WishState.REJECTED
    assert told(who)[-1][1].endswith("未通过：文字没有通过内容审核，请换一种说法再提交。")


def test_a_nickname_that_may_not_stay_refuses_the_wish(town: Town) -> None:
    waits = wishes(somebody(town), replace(COOKER, nickname="好人一生平安", piece="口"), words_are_sure=False)
    with transaction() as session:
        refuse_words(session, waits.key, COOKER.words)  # of other words: these stood there before
    assert state_of(waits) is WishState.SUBMITTED
    with transaction() as session:
        refuse_words(session, waits.key, f"{COOKER.words}\n好人一生平安\n口")
    assert state_of(waits) is WishState.REJECTED


def test_words_nobody_was_asked_about_are_as_sure_as_they_were(town: Town) -> None:
    who = somebody(town)
    made = wishes(who, words_are_sure=False)
    said = replace(TAP, address="幸福路1号")
    say(correct_wish, made, said, by=by_resident(who), words_are_sure=None)
    assert not now(made).words_are_sure
    with transaction() as session:
        clear_words(session, made.key, said.to_check)
    say(correct_wish, made, replace(said, hardship="腿脚不便"), by=by_resident(who), words_are_sure=None)
    assert now(made).words_are_sure
    say(correct_wish, made, replace(said, nickname="热心人"), by=by_resident(who), words_are_sure=None)
    assert not now(made).words_are_sure  # somebody was quicker: nobody has looked at this nickname


def test_words_nobody_has_to_look_at_any_more_are_sure(town: Town) -> None:
    made = wishes(somebody(town), words_are_sure=False)
    with transaction() as session:
        clear_words(session, made.key, TAP.words)
    assert now(made).words_are_sure


def test_who_leaves_takes_every_word_along(town: Town) -> None:
    """E20"""
    who, other = somebody(town), somebody(town)
    made, theirs = hung(town, who, replace(COOKER, nickname="老张")), hung(town, other)
    photographs(wishes(who), who)
    with transaction() as session:
        support(session, session.get_one(Wish, theirs.id), who.resident(session), by=by_resident(who))
    with transaction() as session:
        assert leave_wishes(session, [who.resident_id], by_account_id=None, identity="town") == 2
    with reading() as session:
        left = session.get_one(Wish, made.id)
        assert (left.state, left.words, left.nickname, left.title, left.public_words) == (
            WishState.WITHDRAWN,
            None,
            "",
            "",
            "",
        )
        assert session.scalar(select(func.count()).select_from(WishPhoto)) == 0
        assert session.scalar(select(func.count()).select_from(WishSupport)) == 0
        assert session.get_one(Wish, theirs.id).supporters == 0


def test_what_was_said_is_forgotten_three_months_after_nothing_came_of_it(
    town: Town, clock: StoppedClock
) -> None:
    who, other = somebody(town), somebody(town)
    over, hangs = wishes(who, replace(TAP, hardship="独居")), hung(town, other)
    say(withdraw_wish, over, by=by_resident(who))
    clock.move_to(town_clock.now() + timedelta(days=89))
    with transaction() as session:
        assert forget_old_wishes(session, town_clock.now(), most=9) == 0
    clock.move_to(town_clock.now() + timedelta(days=2))
    with transaction() as session:
        assert forget_old_wishes(session, town_clock.now(), most=9) == 1
        assert forget_old_wishes(session, town_clock.now(), most=9) == 0
    assert (now(over).words, now(over).hardship) == (None, None)
    assert now(hangs).words == TAP.words


def test_a_message_is_not_sent_once_it_is_no_longer_so(town: Town) -> None:
    who = somebody(town)
    made = wishes(who)
    say(reject_wish, made, "请找物业报修", by=by_staff(town.clerk))
    with reading() as session:
        news = session.scalars(select(Notice).where(Notice.kind == NoticeKind.WISH_REVIEWED)).all()
        assert still_true(session, news) == {one.id for one in news}
    say(correct_wish, made, replace(TAP, words="物业说修不了"), by=by_resident(who))
    with reading() as session:
        assert still_true(session, news) == set()


def test_every_deed_is_in_the_journal(town: Town) -> None:
    who = somebody(town)
    made = hung(town, who)
    say(withdraw_wish, made, by=by_resident(who))
    with reading() as session:
        acts = session.scalars(
            select(JournalEntry.act).where(JournalEntry.subject_kind == "wishes").order_by(JournalEntry.id)
        ).all()
    assert acts == ["wish.made", "wish.approved", "wish.published", "wish.withdrawn"]


def test_who_has_no_wechat_is_told_by_the_next_rung(town: Town) -> None:
    with transaction() as session:
        elder = a_person_without_phone(session, town.wutong)
    made = wishes(elder, by=by_staff(town.clerk))
    say(reject_wish, made, "请找物业报修", by=by_staff(town.admin))
    with reading() as session:
        owed = session.scalars(select(ShortMessage).order_by(ShortMessage.id)).all()
        assert [(one.kind, one.resident_id) for one in owed] == [
            (NoticeKind.WISHED_FOR_YOU, elder.resident_id),
            (NoticeKind.WISH_REVIEWED, elder.resident_id),
        ]
