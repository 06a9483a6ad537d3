"""Asking (征集): somebody wishes something, on the phone, at the counter or when a grid worker comes by; and changes it until it is decided.

No money in any form, and a household wishes for goods once at a time (domain.md §2.3). What was said stays as it was said, sealed; who reviews it
writes what hangs on the wall.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import clock
from models.errors import Conflict, Fault
from models.journal import enter
from models.policies import Policies, policies_at
from models.regions import Region, is_within
from models.residents import Resident, is_minor
from models.screening import PRIVATE, names, passages, said
from models.wishes.claims.ending import end_claims_on
from models.wishes.households import fingerprint_of, household_of, of_household
from models.wishes.parties import By
from models.wishes.rows import (
    CLOSED,
    IN_REVIEW,
    MOST_PIECES,
    OPEN,
    HandOver,
    Wish,
    WishKind,
    WishRound,
    WishState,
    WishWords,
)
from models.wishes.street import close_order_on
from models.wishes.telling import tell_acted_for
from models.wishes.thread import wind_wish

A_YEAR = timedelta(days=365)
_CHANGEABLE = (*IN_REVIEW, WishState.REJECTED)


def make_wish(
    session: Session,
    whose: Resident,
    words: WishWords,
    *,
    by: By,
    acted_for: bool = False,
    words_are_sure: bool = True,
    in_round: WishRound | None = None,
    even_so: bool = False,
) -> Wish:
    """Write down what somebody wishes; the community looks at it within working days.

    ``even_so``: staff know that the household is none, or in need, and that the limits of one do not hold. The caller knows whose it is: name, phone and home. The same words sent again while they wait are the same wish. Raises Conflict ``adult_needed``
    for a child who asks alone, ``wish_unfit`` naming every field that cannot be, ``wish_limit`` for a household that wishes enough already, and
    ``round_over`` for a round that does not collect, or not there.
    """
    home = _home_of(whose)
    if is_minor(whose.birth_year) and not (acted_for or by.is_staff):
        raise Conflict("adult_needed", "未满十八周岁的，请监护人替您许愿")
    policy = policies_at(session, home.id)
    _must_be_possible(words, policy, whose)
    _must_collect(in_round, home)
    whose.lock()  # who leaves at this moment comes first, and wishes nothing
    home.lock()  # whoever of the household asks at this moment is waited for, and gets the next number
    standing = _same_as(session, whose, words)
    if standing is not None:
        return standing
    address = fingerprint_of(words.address)
    beyond_limits = even_so and by.is_staff
    if not beyond_limits:
        _must_be_within_limits(session, whose, words.kind, address, policy)
    number = session.scalar(select(func.max(Wish.number)).where(Wish.region_id == home.id)) or 0
    wish = Wish(
        region=home,
        number=number + 1,
        resident=whose,
        by_account_id=by.account_id,
        round=in_round,
        source=by.source,
        state=WishState.SUBMITTED,
        words_are_sure=words_are_sure,
    )
    _say(wish, words)
    wish.submitted_at = clock.now()
    session.add(wish)
    session.flush()
    enter(
        session, "wish.made", wish, **by.of(wish), details={"beyond_limits": True} if beyond_limits else None
    )
    wind_wish(session, wish)
    if acted_for or by.is_staff:
        tell_acted_for(session, wish, by)
    return wish


def correct_wish(
    session: Session, wish: Wish, words: WishWords, *, by: By, words_are_sure: bool | None = True
) -> Wish:
    """Say anew what one wishes, before it is decided, after more was asked for, or after a no; it is looked at again. The same twice is fine.

    ``words_are_sure``: none where nobody was asked about the words, for they are to be the same; then they are as sure as they were.

    Raises as ``make_wish``, and Conflict ``wish_decided`` for one that hangs on the wall, or is over, ``wish_unfit`` for no more pieces than came.
    """
    wish.region.lock()
    wish.lock()
    if wish.state is WishState.SUBMITTED and words_of(wish) == words:
        return wish
    if wish.state not in _CHANGEABLE:
        raise Conflict(
            "wish_decided", "这个心愿已经审核过了，要改请联系社区", details={"state": wish.state.value}
        )
    policy = policies_at(session, wish.region_id)
    if wish.resident is None:
        raise AssertionError("who left the town has no open wish")
    _must_be_possible(words, policy, wish.resident)
    _must_be_more_than_came(wish, words)
    if not wish.is_open or words.kind is not wish.kind:  # else it is one of those that were let through
        _must_be_within_limits(
            session, wish.resident, words.kind, fingerprint_of(words.address), policy, besides=wish
        )
    if words_are_sure is None:
        words_are_sure = wish.words_are_sure and words_of(wish).to_check == words.to_check
    _say(wish, words)
    wish.state, wish.words_are_sure, wish.ended_at, wish.because = (
        WishState.SUBMITTED,
        words_are_sure,
        None,
        "",
    )
    wish.submitted_at = clock.now()
    enter(session, "wish.corrected", wish, **by.of(wish))
    wind_wish(session, wish)
    return wish


def share_contacts(session: Session, wish: Wish, *, may_share: bool, by: By) -> None:
    """Agree that whoever fulfils the wish is told name, phone and address, or take that back, at any time. Twice is fine."""
    wish.lock()
    if wish.may_share is may_share:
        return
    wish.may_share, wish.may_share_since = may_share, clock.now() if may_share else None
    enter(session, "wish.sharing_agreed" if may_share else "wish.sharing_withdrawn", wish, **by.of(wish))
    session.flush()


def withdraw_wish(session: Session, wish: Wish, *, by: By) -> None:
    """Wish it no longer. Twice is fine. Raises Conflict ``wish_decided`` for one that was refused."""
    wish.lock()
    if wish.state is WishState.WITHDRAWN:
        return
    if not wish.is_open:
        raise Conflict("wish_decided", "这个心愿已经结束，不用撤回", details={"state": wish.state.value})
    end_claims_on(session, wish, "许愿人不需要了", by=by)
    end_wish(session, wish, WishState.WITHDRAWN)
    enter(session, "wish.withdrawn", wish, **by.of(wish))
    session.flush()


def end_wish(session: Session, wish: Wish, state: WishState) -> None:
    """Nothing comes of a wish (held by the caller) any more, until it is said anew; what of it lies with the street is over too."""
    wish.state, wish.ended_at, wish.due_at, wish.remind_at = state, clock.now(), None, None
    close_order_on(session, wish)


def words_of(wish: Wish) -> WishWords:
    """What somebody said of a wish, as long as it is kept."""
    return WishWords(
        words=wish.words or "",
        kind=wish.kind,
        quantity=wish.quantity,
        piece=wish.piece,
        value_yuan=wish.value_yuan,
        address=wish.address or "",
        hardship=wish.hardship or "",
        nickname=wish.nickname,
        hand_over=wish.hand_over,
        may_share=wish.may_share,
    )


def warnings_about(words: WishWords, policy: Policies) -> list[str]:
    """What whoever wishes should know before sending: what of the words nobody else will read, and that a value is high."""
    told = [
        f"写了{said(private)}，公布时会遮住，只有社区工作人员看得到"
        for private in [[one for one in passages(words.words) if one.pattern in PRIVATE]]
        if private
    ]
    if words.value_yuan is not None and words.value_yuan > policy.wish_value_warns:
        told.append(f"超过 {policy.wish_value_warns} 元的心愿不容易被认领，可以写便宜一点的")
    return told


def _home_of(whose: Resident) -> Region:
    if whose.home_region is None:
        raise AssertionError("whoever is known has a home")
    return whose.home_region


def _must_be_possible(words: WishWords, policy: Policies, whose: Resident) -> None:
    faults = [
        Fault(field, f"心愿里不能要{said(found)}，请改一改再提交")
        for field, text in (
            ("words", words.words),
            ("hardship", words.hardship),
            ("nickname", words.nickname),
            ("piece", words.piece),
        )
        if (found := [one for one in passages(text) if one.pattern not in PRIVATE])
    ]
    faults += [
        Fault(field, f"{what}是公开的，请不要写电话、证件号或地址")
        for field, what, text in (("nickname", "称呼", words.nickname), ("piece", "单位", words.piece))
        if [one for one in passages(text) if one.pattern in PRIVATE]
    ]
    if names(words.nickname, whose.name):
        faults.append(Fault("nickname", "称呼是公开的，请不要写许愿人的姓名"))
    if words.kind is not WishKind.GOODS and (words.quantity != 1 or words.value_yuan is not None):
        faults.append(Fault("quantity", "只有物质类心愿填写数量和价格"))
    if not 1 <= words.quantity <= MOST_PIECES:
        faults.append(Fault("quantity", f"请填写 1 到 {MOST_PIECES}"))
    if words.value_yuan is not None and not 0 < words.value_yuan <= policy.wish_value_most:
        faults.append(Fault("value_yuan", f"一件不超过 {policy.wish_value_most} 元"))
    if words.hand_over is HandOver.HOME and not words.address.strip():
        faults.append(Fault("address", "上门的请写清楚地址"))
    if faults:
        raise Conflict("wish_unfit", faults[0].message, faults=faults)


def _must_be_more_than_came(wish: Wish, words: WishWords) -> None:
    """Of a wish some pieces of which were brought before it was taken off the wall, some are still to come."""
    if words.quantity <= wish.parts_taken:
        message = f"已经送到 {wish.parts_taken} {wish.piece}，总数要比它多；不再需要的不用再提交"
        raise Conflict("wish_unfit", message, faults=[Fault("quantity", message)])


def _must_collect(in_round: WishRound | None, home: Region) -> None:
    if in_round is None:
        return
    is_open = in_round.collects_from <= clock.today() <= in_round.collects_until
    if not is_open or not is_within(home, [in_round.region]):
        raise Conflict(
            "round_over",
            f"“{in_round.title}”现在不征集心愿，可以不选主题直接提交",
            faults=[Fault("round", "不在征集时间或范围里")],
        )


def _must_be_within_limits(
    session: Session,
    whose: Resident,
    kind: WishKind,
    address: str | None,
    policy: Policies,
    *,
    besides: Wish | None = None,
) -> None:
    household = household_of(session, whose)
    rows = session.execute(
        select(Wish.id, Wish.kind, Wish.state, Wish.submitted_at).where(
            of_household(household, _home_of(whose).id, address),
            Wish.submitted_at > clock.now() - A_YEAR,
        )
    ).all()
    others = [row for row in rows if besides is None or row.id != besides.id]
    open_ones = [row for row in others if row.state in OPEN]
    if policy.wishes_at_once and len(open_ones) >= policy.wishes_at_once:
        raise Conflict(
            "wish_limit",
            f"您家已有 {len(open_ones)} 个心愿在办，有结果以后再许新的",
            details={"open": len(open_ones)},
        )
    if kind is not WishKind.GOODS:
        return
    goods = [row for row in others if row.kind is WishKind.GOODS and row.state not in CLOSED]
    if len([row for row in goods if row.state in OPEN]) >= policy.goods_wishes_at_once:
        raise Conflict(
            "wish_limit", f"每户同时最多 {policy.goods_wishes_at_once} 个物质类心愿，等这一个有结果再许"
        )
    if len(goods) >= policy.goods_wishes_a_year:
        raise Conflict(
            "wish_limit", f"每户一年最多 {policy.goods_wishes_a_year} 个物质类心愿，可以许服务类的心愿"
        )


def _same_as(session: Session, whose: Resident, words: WishWords) -> Wish | None:
    """Just this wish, where it waits already: a second tap is no second wish."""
    waiting = session.scalars(
        select(Wish)
        .where(Wish.resident_id == whose.id, Wish.state == WishState.SUBMITTED)
        .order_by(Wish.id)
        .execution_options(populate_existing=True)
    ).all()
    return next((wish for wish in waiting if words_of(wish) == words), None)


def _say(wish: Wish, words: WishWords) -> None:
    if words.may_share is not wish.may_share:
        wish.may_share_since = clock.now() if words.may_share else None
    wish.words, wish.kind, wish.quantity, wish.piece = words.words, words.kind, words.quantity, words.piece
    wish.value_yuan, wish.hand_over, wish.may_share = words.value_yuan, words.hand_over, words.may_share
    wish.address, wish.address_fingerprint = words.address or None, fingerprint_of(words.address)
    wish.hardship, wish.nickname = words.hardship or None, words.nickname
