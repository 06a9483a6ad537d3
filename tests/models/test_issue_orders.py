"""The street's list (街道清单): what a community hands on, whom the street gives it to and by when, what comes back, and what cannot be done."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import delete, select, update

from models import clock as town_clock
from models.base import reading, transaction
from models.calendars import Calendar
from models.clock import StoppedClock
from models.errors import Conflict, Forbidden, NotFound
from models.issue_orders import (
    assign_order,
    count_orders_overdue,
    count_orders_waiting,
    order_within,
    orders_within,
    recall_order,
    say_cannot,
    send_back_order,
    units_to_assign,
)
from models.journal import JournalEntry
from models.ladder import ShortMessage
from models.partners import Pairing, Partner, suspend_unit
from models.regions import Region
from models.wishes import (
    By,
    Card,
    HandOver,
    Wish,
    WishKind,
    WishState,
    WishWords,
    approve_wish,
    ask_for_more,
    leave_wishes,
    reject_wish,
    withdraw_wish,
)
from models.wishes.claims import (
    Claim,
    ClaimState,
    Done,
    EndedBecause,
    Evidence,
    SettledBy,
    claims_that_ring,
    confirm_done,
    contacts_of,
    deliver,
    extend_claim,
    give_back,
    hand_lead_on,
    note_contact,
    release_claims_of,
    release_if_due,
    take_back,
    transfer_claim,
)
from models.wishes.street import IssueOrder, IssueSource, OrderState
from models.working_time import due_after
from tests.claims import a_claimer, by_unit, claim_now, claims, does, under_way
from tests.people import Person, Town, UnitMember
from tests.streets import (
    ANSWER,
    LIGHT,
    LIGHT_CARD,
    UNTIL,
    a_department,
    assigns,
    brought_before_the_street,
    converted,
    converts,
    decides,
    escalated,
    order_now,
    wish_of,
)
from tests.wishes import CARD, by_resident, by_staff, hung, say, somebody, state_of, told, wishes


@pytest.fixture
def wisher(town: Town) -> Person:
    """Somebody who wishes."""
    return somebody(town)


@pytest.fixture
def department(town: Town) -> UnitMember:
    """Somebody of a department of the street."""
    return a_department(town.east_street, name="东街街道市政所")


def officer_of(town: Town) -> By:
    return by_staff(town.street_officer)


def hands_on(claim: Claim, to: UnitMember, *, by: By) -> None:
    with transaction() as session:
        unit = session.get_one(Partner, to.partner_id)
        transfer_claim(session, session.get_one(Claim, claim.id), unit, "换一家", by=by)


def acts_of(wish: Wish | int) -> list[str]:
    with reading() as session:
        return list(
            session.scalars(
                select(JournalEntry.act)
                .where(
                    JournalEntry.subject_kind == Wish.__tablename__,
                    JournalEntry.subject_id == (wish if isinstance(wish, int) else wish.id),
                )
                .order_by(JournalEntry.id)
            )
        )


def street_days(town: Town, days: float = 10) -> object:
    with reading() as session:
        return due_after(Calendar.in_force(session), town_clock.now(), days)


# --- handing on ---------------------------------------------------------------------------------------------------


def test_a_wish_that_is_public_works_lies_with_the_street(town: Town, wisher: Person) -> None:
    order = converted(town, wisher)
    wish = wish_of(order)
    assert (wish.state, wish.kind) == (WishState.CONVERTED, WishKind.PUBLIC)
    assert (order.source, order.state, order.number) == (IssueSource.PUBLIC_WISH, OrderState.WAITING, 1)
    assert (order.region_id, order.title, order.words) == (
        town.east_street.id,
        LIGHT_CARD.title,
        LIGHT_CARD.words,
    )
    assert wish.due_at == street_days(town)
    number = f"梧桐里社区{wish.number:04}号心愿"
    assert ("wish_with_street", f"{number}已转街道：是公共事项，由街道交给部门办。") in told(wisher)
    assert acts_of(wish)[-1] == "wish.converted"


def test_what_turned_out_to_be_public_works_is_so_whatever_it_was_called(town: Town, wisher: Person) -> None:
    made = wishes(wisher, WishWords("想要两盏灯装在楼道里", WishKind.GOODS, quantity=2, value_yuan=50))
    order = converts(made, by=by_staff(town.clerk))
    wish = wish_of(order)
    assert (wish.kind, wish.quantity, wish.value_yuan) == (WishKind.PUBLIC, 1, None)


@pytest.mark.parametrize("where", ["in review", "asked for more", "on the wall"])
def test_a_wish_is_handed_on_from_wherever_the_community_has_it(
    town: Town, wisher: Person, where: str
) -> None:
    made = wishes(wisher, LIGHT)
    if where == "asked for more":
        say(ask_for_more, made, "哪一栋？", by=by_staff(town.clerk))
    if where == "on the wall":
        say(approve_wish, made, CARD, by=by_staff(town.clerk))
    converts(made, by=by_staff(town.clerk))
    assert state_of(made) is WishState.CONVERTED


def test_handing_on_twice_is_one_item(town: Town, wisher: Person) -> None:
    order = converted(town, wisher)
    again = converts(wish_of(order), by=by_staff(town.clerk))
    assert again.id == order.id
    assert acts_of(order.wish_id).count("wish.converted") == 1
    assert [kind for kind, _ in told(wisher)].count("wish_with_street") == 1


def test_another_card_for_what_lies_with_the_street_already_is_refused(town: Town, wisher: Person) -> None:
    order = converted(town, wisher)
    with pytest.raises(Conflict) as no:
        converts(wish_of(order), Card("另一个题目", "另外的话"), by=by_staff(town.clerk))
    assert no.value.code == "wish_decided"


def test_the_title_of_an_item_tells_nothing_private(town: Town, wisher: Person) -> None:
    made = wishes(wisher, LIGHT)
    with pytest.raises(Conflict) as no:
        converts(made, Card("楼道灯", "请打13812345678"), by=by_staff(town.clerk))
    assert (no.value.code, [fault.field for fault in no.value.faults]) == ("wish_card_unfit", ["words"])
    with pytest.raises(Conflict) as no:
        converts(made, Card("许愿人家楼道的灯", "灯不亮"), by=by_staff(town.clerk))
    assert [fault.field for fault in no.value.faults] == ["title"]
    assert state_of(made) is WishState.SUBMITTED


def test_what_a_unit_took_on_is_not_handed_to_the_street(town: Town, wisher: Person) -> None:
    coats = WishWords("想要三件棉衣", WishKind.GOODS, quantity=3)
    made = hung(town, wisher, coats, Card("三件棉衣", "想要棉衣过冬"))
    claims(a_claimer(town.wutong), made, pieces=1)
    with pytest.raises(Conflict) as no:
        converts(made, by=by_staff(town.clerk))
    assert no.value.code == "wish_frozen"


def test_nobody_hands_on_a_wish_of_their_own_household(town: Town, wisher: Person) -> None:
    made = wishes(wisher, LIGHT)
    with pytest.raises(Forbidden) as no:
        converts(made, by=By(wisher.account_id, town.clerk.identity))
    assert no.value.code == "own_content"


# --- assigning ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["converted", "escalated"])
def test_the_street_gives_it_to_a_department_with_a_day(
    town: Town, wisher: Person, department: UnitMember, how: str
) -> None:
    order = converted(town, wisher) if how == "converted" else escalated(town, wisher)
    claim = assigns(town, order, department)
    stands = claim_now(claim)
    assert (stands.state, stands.promised_on, stands.pieces) == (ClaimState.IN_PROGRESS, UNTIL, 1)
    assert stands.due_at == town_clock.now() + timedelta(days=7)  # the first word
    assert (order_now(order).state, claim_now(claim).order_id) == (OrderState.ASSIGNED, order.id)
    assert wish_of(order).state is WishState.CLAIMED
    assert wish_of(order).due_at is None
    number = f"梧桐里社区{wish_of(order).number:04}号心愿"
    assert ("claim_to_do", f"{number}：街道交办，请12月10日前办好。") in told(department)
    assert (
        "wish_claimed",
        f"{number}由东街街道市政所认领，预计12月10日前办好，会先联系您。不收任何费用。",
    ) in told(wisher)


def test_a_department_needs_no_pairing_to_be_given_something(
    town: Town, wisher: Person, department: UnitMember
) -> None:
    with transaction() as session:
        session.execute(delete(Pairing).where(Pairing.partner_id == department.partner_id))
    assert assigns(town, converted(town, wisher), department).state is ClaimState.IN_PROGRESS


def test_a_department_of_the_district_serves_its_streets(town: Town, wisher: Person) -> None:
    bureau = a_department(town.district, name="清河区住建局")
    assert assigns(town, converted(town, wisher), bureau).state is ClaimState.IN_PROGRESS


def test_a_unit_paired_with_the_community_may_be_given_something_too(town: Town, wisher: Person) -> None:
    unit = a_claimer(town.wutong)
    assert assigns(town, escalated(town, wisher), unit).state is ClaimState.IN_PROGRESS


@pytest.mark.parametrize("whose", ["department of the next street", "unit of the next community"])
def test_what_serves_another_street_is_not_found_to_be_given_something(
    town: Town, wisher: Person, whose: str
) -> None:
    order = converted(town, wisher)
    other = a_department(town.west_street) if "department" in whose else a_claimer(town.wangjiang)
    with pytest.raises(NotFound):
        assigns(town, order, other)


def test_those_who_may_be_given_something_are_listed_by_street(town: Town, department: UnitMember) -> None:
    bureau, unit = a_department(town.district), a_claimer(town.wutong)
    a_department(town.west_street)
    a_claimer(town.wangjiang)
    gone = a_department(town.east_street)
    with transaction() as session:
        suspend_unit(
            session, session.get_one(Partner, gone.partner_id), "年检", by_account_id=None, identity="town"
        )
    with reading() as session:
        found = units_to_assign(session, session.get_one(Region, town.east_street.id), after_id=None, most=50)
        assert [one.id for one in found] == [department.partner_id, bureau.partner_id, unit.partner_id]
        after = units_to_assign(
            session, session.get_one(Region, town.east_street.id), after_id=department.partner_id, most=1
        )
        assert [one.id for one in after] == [bureau.partner_id]


def test_a_suspended_department_is_given_nothing(town: Town, wisher: Person, department: UnitMember) -> None:
    """E19."""
    order = converted(town, wisher)
    with transaction() as session:
        row = session.get_one(Partner, department.partner_id)
        suspend_unit(session, row, "人手不够", by_account_id=None, identity="town")
    with pytest.raises(Forbidden) as no:
        assigns(town, order, department)
    assert no.value.code == "partner_suspended"


def test_assigning_twice_is_one_claim(town: Town, wisher: Person, department: UnitMember) -> None:
    order = converted(town, wisher)
    claim = assigns(town, order, department)
    assert assigns(town, order, department).id == claim.id
    assert [kind for kind, _ in told(department)] == ["claim_to_do"]


def test_what_is_assigned_is_not_assigned_to_another(
    town: Town, wisher: Person, department: UnitMember
) -> None:
    order = converted(town, wisher)
    assigns(town, order, department)
    with pytest.raises(Conflict) as no:
        assigns(town, order, a_department(town.east_street))
    assert (no.value.code, no.value.details["state"]) == ("order_decided", "assigned")


@pytest.mark.parametrize("until", [date(2026, 11, 19), date(2026, 12, 21)])
def test_a_day_that_is_over_or_too_far_is_no_deadline(
    town: Town, wisher: Person, department: UnitMember, until: date
) -> None:
    with pytest.raises(Conflict) as no:
        assigns(town, converted(town, wisher), department, until)
    assert (no.value.code, no.value.faults[0].field) == ("assignment_unfit", "until")


def test_nobody_gives_a_wish_of_their_own_household_away_nor_anything_to_their_own_unit(
    town: Town, wisher: Person, department: UnitMember
) -> None:
    order = converted(town, wisher)
    for account_id in (wisher.account_id, department.account_id):
        with pytest.raises(Forbidden) as no, transaction() as session:
            assign_order(
                session,
                session.get_one(IssueOrder, order.id),
                session.get_one(Partner, department.partner_id),
                UNTIL,
                by=By(account_id, town.street_officer.identity),
            )
        assert no.value.code == "own_content"


def test_of_several_pieces_the_free_ones_are_assigned_and_the_others_go_on(
    town: Town, wisher: Person, department: UnitMember
) -> None:
    coats = WishWords("想要五件棉衣", WishKind.GOODS, quantity=5)
    unit = a_claimer(town.wutong)
    made = hung(town, wisher, coats, Card("五件棉衣", "想要棉衣过冬"))
    theirs = claims(unit, made, pieces=2)
    order = brought_before_the_street(made)
    claim = assigns(town, order, department)
    assert (claim_now(claim).pieces, claim_now(theirs).pieces) == (3, 2)
    does(give_back, theirs, "做不了", by=by_unit(unit))
    assert (order_now(order).state, wish_of(order).state) == (OrderState.WAITING, WishState.ESCALATED)
    with pytest.raises(Conflict) as no:
        assigns(town, order, department)  # takes part already
    assert no.value.code == "claim_exists"
    another = assigns(town, order, a_department(town.east_street))
    assert claim_now(another).pieces == 2


# --- the work of the department -----------------------------------------------------------------------------------


def test_a_department_does_it_and_the_item_is_done(
    town: Town, wisher: Person, department: UnitMember
) -> None:
    order = converted(town, wisher)
    claim = assigns(town, order, department)
    own = by_unit(department)
    does(hand_lead_on, claim, department.account_id, by=own)
    does(note_contact, claim, by=own)
    assert claim_now(claim).due_at is not None
    does(extend_claim, claim, date(2026, 12, 20), "等配件", by=own)
    does(deliver, claim, Done(Evidence.TAP), by=own)
    assert order_now(order).state is OrderState.ASSIGNED
    does(confirm_done, claim, SettledBy.RESIDENT, by=by_resident(wisher))
    done = order_now(order)
    assert (done.state, done.closed_at) == (OrderState.DONE, town_clock.now())
    assert wish_of(order).state is WishState.FULFILLED


def test_whom_to_call_is_told_by_the_wishers_own_yes_alone_and_never_the_address_of_what_is_public(
    town: Town, wisher: Person, department: UnitMember
) -> None:
    shared = WishWords(
        "楼道灯坏了", WishKind.PUBLIC, address="梧桐苑3栋501", hand_over=HandOver.HOME, may_share=True
    )
    claim = assigns(town, converted(town, wisher, shared), department)
    own = by_unit(department)
    does(hand_lead_on, claim, department.account_id, by=own)
    contacts = does(contacts_of, claim, by=own)
    assert (contacts.name, contacts.address) == ("许愿人", "")
    silent = assigns(town, converted(town, somebody(town)), a_department(town.east_street))
    lead = by_unit(department)
    with pytest.raises(Forbidden):
        does(contacts_of, silent, by=lead)


def test_who_keeps_it_to_themselves_is_called_by_the_community(
    town: Town, wisher: Person, department: UnitMember
) -> None:
    claim = assigns(town, converted(town, wisher), department)
    does(hand_lead_on, claim, department.account_id, by=by_unit(department))
    with pytest.raises(Conflict) as no:
        does(contacts_of, claim, by=by_unit(department))
    assert no.value.code == "contacts_not_shared"


def test_a_department_gives_it_back_once_with_a_reason(
    town: Town, wisher: Person, department: UnitMember
) -> None:
    order = converted(town, wisher)
    first = assigns(town, order, department)
    does(give_back, first, "归电力公司管", by=by_unit(department))
    waits = order_now(order)
    assert (waits.state, waits.returns) == (OrderState.WAITING, 1)
    assert wish_of(order).state is WishState.CONVERTED
    assert wish_of(order).due_at == street_days(town)
    assert claim_now(first).because == "归电力公司管"
    assert (
        "wish_progress",
        f"梧桐里社区{wish_of(order).number:04}号心愿已释放：已经回到街道，会另外交办。",
    ) in told(wisher)
    does(give_back, first, "归电力公司管", by=by_unit(department))  # twice is fine
    other = a_department(town.east_street)
    second = assigns(town, order, other)
    with pytest.raises(Conflict) as no:
        does(give_back, second, "也不归我们", by=by_unit(other))
    assert no.value.code == "order_returned"
    assert claim_now(second).state is ClaimState.IN_PROGRESS


def test_a_department_that_lets_it_lie_loses_it_to_the_street(
    town: Town, wisher: Person, department: UnitMember, clock: StoppedClock
) -> None:
    order = converted(town, wisher)
    claim = assigns(town, order, department)
    clock.advance(days=7)
    with transaction() as session:
        (rings,) = claims_that_ring(session, town_clock.now(), most=10)
        assert release_if_due(session, rings, town_clock.now())
    assert claim_now(claim).ended_because is EndedBecause.NOT_CONTACTED
    assert (order_now(order).state, order_now(order).returns) == (OrderState.WAITING, 0)


def test_a_department_that_is_suspended_gives_it_up(
    town: Town, wisher: Person, department: UnitMember
) -> None:
    """E19."""
    order = escalated(town, wisher)
    assigns(town, order, department)
    with transaction() as session:
        row = session.get_one(Partner, department.partner_id)
        row.lock()
        assert release_claims_of(session, row, "年检", by=By()) == 1
    assert order_now(order).state is OrderState.WAITING
    assert wish_of(order).state is WishState.ESCALATED


def test_the_street_takes_it_back_and_gives_it_to_another(
    town: Town, wisher: Person, department: UnitMember
) -> None:
    order = converted(town, wisher)
    claim = assigns(town, order, department)
    decides(recall_order, order, "请区里来办", by=officer_of(town))
    assert claim_now(claim).ended_because is EndedBecause.TAKEN_BACK
    assert ("claim_ended", f"梧桐里社区{wish_of(order).number:04}号心愿的认领已收回：请区里来办。") in told(
        department
    )
    decides(recall_order, order, "请区里来办", by=officer_of(town))  # twice is fine
    bureau = a_department(town.district)
    assert claim_now(assigns(town, order, bureau)).state is ClaimState.IN_PROGRESS
    assert order_now(order).returns == 0  # the street took it, nobody gave it back


def test_what_is_with_nobody_cannot_be_taken_back(town: Town, wisher: Person) -> None:
    with pytest.raises(Conflict) as no:
        decides(recall_order, converted(town, wisher), "换一家", by=officer_of(town))
    assert no.value.code == "order_decided"


def test_the_community_neither_takes_back_nor_hands_on_what_the_street_assigned(
    town: Town, wisher: Person, department: UnitMember
) -> None:
    order = converted(town, wisher)
    claim = assigns(town, order, department)
    with pytest.raises(Forbidden) as no:
        does(take_back, claim, "换一家", by=by_staff(town.clerk))
    assert no.value.code == "street_decides"
    other = a_claimer(town.wutong)
    with pytest.raises(Forbidden) as no:
        hands_on(claim, other, by=by_staff(town.clerk))
    assert no.value.code == "street_decides"
    assert claim_now(claim).state is ClaimState.IN_PROGRESS


def test_no_unit_claims_from_the_wall_what_lies_with_the_street(town: Town, wisher: Person) -> None:
    order = escalated(town, wisher)
    with pytest.raises(Conflict) as no:
        claims(a_claimer(town.wutong), wish_of(order))
    assert no.value.code == "wish_taken"


# --- back to the community, and what cannot be done ---------------------------------------------------------------


def test_what_the_street_sends_back_is_reviewed_anew_and_may_come_again(
    town: Town, wisher: Person, clock: StoppedClock
) -> None:
    """E23: a wish, an item, a wish, and an item again: one thread."""
    order = converted(town, wisher)
    clock.advance(days=3)
    decides(send_back_order, order, "这是住户自己的灯，请社区再看", by=officer_of(town))
    wish = wish_of(order)
    assert (wish.state, wish.because) == (WishState.SUBMITTED, "这是住户自己的灯，请社区再看")
    assert wish.due_at == street_days(town, 2)
    closed = order_now(order)
    assert (closed.state, closed.because) == (OrderState.SENT_BACK, "这是住户自己的灯，请社区再看")
    decides(send_back_order, order, "这是住户自己的灯，请社区再看", by=officer_of(town))  # twice is fine
    say(approve_wish, wish, CARD, by=by_staff(town.clerk))
    assert state_of(wish) is WishState.PUBLISHED
    again = converts(wish, by=by_staff(town.clerk))
    assert (again.id != order.id, again.number, again.state) == (True, 2, OrderState.WAITING)
    assert acts_of(wish) == [
        "wish.made",
        "wish.converted",
        "wish.sent_back",
        "wish.approved",
        "wish.published",
        "wish.converted",
    ]


def test_what_nobody_took_on_hangs_again_for_a_first_turn_and_before_the_others(
    town: Town, wisher: Person
) -> None:
    order = escalated(town, wisher)
    before = wish_of(order)
    with transaction() as session:
        session.execute(update(Wish).where(Wish.id == before.id).values(priority=3, turn=2))
    decides(send_back_order, order, "换个说法再公布一次", by=officer_of(town))
    wish = wish_of(order)
    assert (wish.state, wish.turn, wish.priority) == (WishState.PUBLISHED, 1, 3)
    assert wish.due_at == town_clock.now() + timedelta(days=15)
    assert acts_of(wish)[-1] == "wish.hung_again"
    assert [words.split("号心愿")[1] for kind, words in told(wisher) if kind == "wish_with_street"] == [
        "重新公布：街道请社区再公布一次，优先认领。"
    ]
    assert claims(a_claimer(town.wutong), wish).state is ClaimState.APPLIED


def test_what_is_assigned_is_taken_back_before_it_is_sent_back(
    town: Town, wisher: Person, department: UnitMember
) -> None:
    order = converted(town, wisher)
    assigns(town, order, department)
    for deed, words in ((send_back_order, "请社区再看"), (say_cannot, ANSWER)):
        with pytest.raises(Conflict) as no:
            decides(deed, order, words, by=officer_of(town))
        assert no.value.code == "order_decided"


def test_what_cannot_be_done_is_said_in_writing_and_must_arrive(town: Town, wisher: Person) -> None:
    order = converted(town, wisher)
    decides(say_cannot, order, ANSWER, by=officer_of(town))
    wish = wish_of(order)
    assert (wish.state, wish.because, wish.due_at) == (WishState.CANNOT_FULFIL, ANSWER, None)
    answered = order_now(order)
    assert (answered.state, answered.because, answered.closed_at) == (
        OrderState.CANNOT,
        ANSWER,
        town_clock.now(),
    )
    number = f"梧桐里社区{wish.number:04}号心愿"
    said = f"很抱歉，{number}未能实现：原因请点开查看，有疑问请联系社区。"
    assert [words for kind, words in told(wisher) if kind == "wish_cannot"] == [said]
    decides(say_cannot, order, ANSWER, by=officer_of(town))  # twice is fine
    assert [kind for kind, _ in told(wisher)].count("wish_cannot") == 1
    with pytest.raises(Conflict) as no:
        decides(say_cannot, order, ANSWER + "，抱歉", by=officer_of(town))
    assert no.value.code == "order_decided"


def test_who_has_no_wechat_is_told_by_a_short_message_what_cannot_be_done(town: Town) -> None:
    with transaction() as session:
        elder = session.get_one(type(town.elder.resident(session)), town.elder.resident_id)
        elder.phone = "13900000077"
    made = wishes(town.elder, LIGHT, by=By(town.clerk.account_id, town.clerk.identity))
    order = converts(made, by=by_staff(town.clerk))
    decides(say_cannot, order, ANSWER, by=officer_of(town))
    with reading() as session:
        kinds = session.scalars(
            select(ShortMessage.kind).where(ShortMessage.resident_id == town.elder.resident_id)
        ).all()
    assert "wish_cannot" in {kind.value for kind in kinds}


def test_a_word_is_no_answer(town: Town, wisher: Person) -> None:
    order = converted(town, wisher)
    with pytest.raises(Conflict) as no:
        decides(say_cannot, order, "办不了", by=officer_of(town))
    assert (no.value.code, no.value.faults[0].field) == ("answer_unfit", "because")
    assert wish_of(order).state is WishState.CONVERTED


def test_while_a_unit_has_some_of_it_nobody_says_that_it_cannot_be_done(town: Town, wisher: Person) -> None:
    coats = WishWords("想要五件棉衣", WishKind.GOODS, quantity=5)
    made = hung(town, wisher, coats, Card("五件棉衣", "想要棉衣过冬"))
    under_way(town, a_claimer(town.wutong), made, pieces=2)
    order = brought_before_the_street(made)
    with pytest.raises(Conflict) as no:
        decides(say_cannot, order, ANSWER, by=officer_of(town))
    assert no.value.code == "order_under_way"


def test_nobody_of_the_street_decides_about_their_own_household(town: Town, wisher: Person) -> None:
    order = converted(town, wisher)
    kin = By(wisher.account_id, town.street_officer.identity)
    for deed, words in ((send_back_order, "请社区再看"), (say_cannot, ANSWER)):
        with pytest.raises(Forbidden) as no:
            decides(deed, order, words, by=kin)
        assert no.value.code == "own_content"


# --- a wish that is over ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("assigned", [False, True])
@pytest.mark.parametrize("how", ["withdrawn", "rejected", "left"])
def test_the_item_of_a_wish_that_is_over_is_closed(
    town: Town, wisher: Person, department: UnitMember, how: str, assigned: bool
) -> None:
    """E20 for who leaves: nobody is told, and nothing of theirs stays on the list."""
    order = converted(town, wisher)
    claim = assigns(town, order, department) if assigned else None
    wish = wish_of(order)
    if how == "withdrawn":
        say(withdraw_wish, wish, by=by_resident(wisher))
    elif how == "rejected":
        say(reject_wish, wish, "物业已经修好", by=by_staff(town.clerk))
    else:
        with transaction() as session:
            leave_wishes(session, [wisher.resident_id], by_account_id=None, identity="town")
    closed = order_now(order)
    assert (closed.state, closed.closed_at) == (OrderState.CLOSED, town_clock.now())
    assert (closed.title == "") is (how == "left")
    if claim is not None:
        assert claim_now(claim).ended_because is EndedBecause.WISH_OVER


# --- who sees what ------------------------------------------------------------------------------------------------


def test_the_street_sees_its_list_the_community_its_own_and_the_next_street_nothing(
    town: Town, wisher: Person
) -> None:
    order = converted(town, wisher)
    with reading() as session:
        east, west = (session.get_one(Region, one.id) for one in (town.east_street, town.west_street))
        wutong, wangjiang = (session.get_one(Region, one.id) for one in (town.wutong, town.wangjiang))
        state, more = OrderState.WAITING, {"after_id": None, "most": 10}

        def seen(streets: list[Region], communities: list[Region]) -> list[int]:
            return [one.id for one in orders_within(session, streets, communities, state=state, **more)]  # type: ignore[arg-type]

        assert seen([east], []) == seen([], [wutong]) == [order.id]
        assert seen([west], [wangjiang]) == seen([], []) == []
        assert order_within(session, order.key, streets=[east]).id == order.id
        assert order_within(session, order.key, streets=[], communities=[wutong]).id == order.id
        for streets, communities in (([west], []), ([], [wangjiang]), ([], [])):
            with pytest.raises(NotFound):
                order_within(session, order.key, streets=streets, communities=communities)


def test_the_street_counts_what_waits_and_what_waited_too_long(
    town: Town, wisher: Person, clock: StoppedClock
) -> None:
    """E25: due by working days, whether or not anybody meets."""
    order = converted(town, wisher)
    path = town.east_street.path
    due = wish_of(order).due_at
    assert due is not None
    with reading() as session:
        assert count_orders_waiting(session, town_clock.now()) == {path: 1}
        assert count_orders_overdue(session, due - timedelta(seconds=1)) == {}
        assert count_orders_overdue(session, due) == {path: 1}
    assigns(town, order, a_department(town.east_street))
    with reading() as session:
        assert count_orders_waiting(session, due) == count_orders_overdue(session, due) == {}
