"""Acts (动作): what somebody does on a wish of the demo town, each by the verb that people use for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeAlias

from models import clock
from models.issue_orders import assign_order, convert_wish, say_cannot, send_back_order
from models.wishes import (
    By,
    Card,
    approve_wish,
    ask_for_more,
    correct_wish,
    make_wish,
    reject_wish,
    support,
    withdraw_wish,
)
from models.wishes.claims import (
    WISH_PROMISE,
    Done,
    Evidence,
    Level,
    Promise,
    SettledBy,
    accept_dispatch,
    agree_to_claim,
    claim_wish,
    confirm_done,
    decline_claim,
    deliver,
    dispatch_wish,
    dispute,
    extend_claim,
    give_back,
    hand_lead_on,
    help_with,
    note_care_call,
    note_contact,
    note_mended,
    rate_claim,
    refuse_dispatch,
    show_what_was_brought,
    take_back,
    transfer_claim,
)
from server.demo.wishes.picture import two_pairs_of_glasses

if TYPE_CHECKING:
    from server.demo.wishes.stage import Tale

Act: TypeAlias = "Callable[[Tale], object]"


def made(tale: Tale) -> None:
    """They say what they wish, by phone, through who acts for them, or to who works here."""
    by, whose, wished = tale.own, tale.whose, tale.wished
    tale.wish = make_wish(
        tale.session,
        whose,
        wished.words,
        by=by,
        acted_for=by.account_id != whose.account_id and not by.is_staff,
        in_round=tale.stage.rounds[wished.theme] if wished.theme else None,
    )


def approved(tale: Tale) -> None:
    """The community lets it hang on the wall."""
    approve_wish(tale.session, tale.wish, _card(tale), by=tale.clerk)


def more_asked(what: str) -> Act:
    """The community asks for what is missing."""
    return lambda tale: ask_for_more(tale.session, tale.wish, what, by=tale.clerk)


def said_anew(more: str) -> Act:
    """They say it again, with what was missing."""

    def act(tale: Tale) -> None:
        words = replace(tale.wished.words, words=f"{tale.wished.words.words}，{more}")
        correct_wish(tale.session, tale.wish, words, by=tale.own)

    return act


def rejected(because: str) -> Act:
    """The community says no, or takes it off the wall."""
    return lambda tale: reject_wish(tale.session, tale.wish, because, by=tale.clerk)


def withdrawn(tale: Tale) -> None:
    """They wish it no longer."""
    withdraw_wish(tale.session, tale.wish, by=tale.own)


def needed_too(who: str) -> Act:
    """A neighbour wishes the same."""

    def act(tale: Tale) -> None:
        neighbour = tale.stage.resident(who)
        support(tale.session, tale.wish, neighbour, by=By(neighbour.account_id, "resident"))

    return act


def taken(unit: str, plan: str, *, days: int, pieces: int = 1) -> Act:
    """A unit takes it on, or some pieces of it, and promises a day."""

    def act(tale: Tale) -> None:
        tale.claim = claim_wish(
            tale.session,
            tale.wish,
            tale.stage.unit(unit),
            Promise(plan, _in(days), pieces),
            promise_version=WISH_PROMISE.version,
            by=tale.stage.lead(unit),
        )

    return act


def agreed(tale: Tale) -> None:
    """The community agrees to the claim."""
    agree_to_claim(tale.session, tale.claim, by=tale.clerk)


def declined(because: str) -> Act:
    """The community does not agree to the claim."""
    return lambda tale: decline_claim(tale.session, tale.claim, because, by=tale.clerk)


def sent_to(unit: str) -> Act:
    """The community sends it to a unit."""

    def act(tale: Tale) -> None:
        tale.claim = dispatch_wish(tale.session, tale.wish, tale.stage.unit(unit), 1, by=tale.clerk)

    return act


def accepted(plan: str, *, days: int) -> Act:
    """The unit accepts what it was sent, and promises a day."""
    return lambda tale: accept_dispatch(
        tale.session,
        tale.claim,
        Promise(plan, _in(days)),
        promise_version=WISH_PROMISE.version,
        by=tale.lead,
    )


def refused(because: str) -> Act:
    """The unit does not accept what it was sent."""
    return lambda tale: refuse_dispatch(tale.session, tale.claim, because, by=tale.lead)


def contacted(tale: Tale) -> None:
    """The lead has spoken with who wished."""
    note_contact(tale.session, tale.claim, by=tale.lead)


def taken_in_hand(tale: Tale) -> None:
    """Somebody of the unit the street gave it to leads from now on."""
    lead = tale.lead
    if lead.account_id is None:
        raise AssertionError("who acts for a unit has an account")
    hand_lead_on(tale.session, tale.claim, lead.account_id, by=lead)


def extended(because: str, *, days: int) -> Act:
    """The unit takes so many days longer."""

    def act(tale: Tale) -> None:
        promised = tale.claim.promised_on or clock.today()
        extend_claim(tale.session, tale.claim, promised + timedelta(days=days), because, by=tale.lead)

    return act


def helped_by(unit: str) -> Act:
    """Somebody of another unit helps."""

    def act(tale: Tale) -> None:
        helper = tale.stage.lead(unit)
        if helper.account_id is None:
            raise AssertionError("who acts for a unit has an account")
        help_with(tale.session, tale.claim, tale.stage.unit(unit), helper.account_id, by=helper)

    return act


def given_back(because: str) -> Act:
    """The unit cannot do it after all."""
    return lambda tale: give_back(tale.session, tale.claim, because, by=tale.lead)


def taken_back(because: str) -> Act:
    """The community takes it from the unit."""
    return lambda tale: take_back(tale.session, tale.claim, because, by=tale.clerk)


def handed_to(unit: str, because: str) -> Act:
    """The community takes it from one unit and sends it to another."""

    def act(tale: Tale) -> None:
        tale.claim = transfer_claim(tale.session, tale.claim, tale.stage.unit(unit), because, by=tale.clerk)

    return act


def brought(evidence: Evidence, note: str = "", *, minutes: int = 0) -> Act:
    """The unit says that it is done, and how that shows."""

    def act(tale: Tale) -> None:
        code = (tale.claim.code or "") if evidence is Evidence.CODE else ""
        deliver(tale.session, tale.claim, Done(evidence, note, minutes, code), by=tale.lead)

    return act


def shown(tale: Tale) -> None:
    """The lead shows what is brought."""
    files = two_pairs_of_glasses(tale.stage.data_dir)
    show_what_was_brought(tale.session, tale.claim, **files, by=tale.lead)


def confirmed(how: SettledBy, note: str = "") -> Act:
    """Who wished says that it is done, or says so to who works here."""
    return lambda tale: confirm_done(tale.session, tale.claim, how, note, by=_hearing(tale, how))


def disputed(because: str) -> Act:
    """Who wished says that it is not done."""
    return lambda tale: dispute(tale.session, tale.claim, SettledBy.RESIDENT, because, by=tale.own)


def rated(level: Level, words: str = "", *, how: SettledBy = SettledBy.RESIDENT) -> Act:
    """Who wished says how it was."""
    return lambda tale: rate_claim(tale.session, tale.claim, level, words, how, by=_hearing(tale, how))


def called(note: str) -> Act:
    """The community calls who was unhappy."""
    return lambda tale: note_care_call(tale.session, tale.claim, note, by=tale.clerk)


def mended(note: str) -> Act:
    """It is put right."""
    return lambda tale: note_mended(tale.session, tale.claim, note, by=tale.clerk)


def converted(tale: Tale) -> None:
    """The community hands it to the street as public works."""
    convert_wish(tale.session, tale.wish, _card(tale), by=tale.clerk)


def assigned(unit: str, *, days: int) -> Act:
    """The street gives it to a unit or a department, with a day."""

    def act(tale: Tale) -> None:
        tale.claim = assign_order(
            tale.session, tale.order, tale.stage.unit(unit), _in(days), by=tale.stage.officer()
        )

    return act


def sent_back(because: str) -> Act:
    """The street sends it back to the community."""
    return lambda tale: send_back_order(tale.session, tale.order, because, by=tale.stage.officer())


def cannot_be(because: str) -> Act:
    """The street says in writing that it cannot be done."""
    return lambda tale: say_cannot(tale.session, tale.order, because, by=tale.stage.officer())


def _card(tale: Tale) -> Card:
    return Card(tale.wished.title, tale.wished.shown)


def _in(days: int) -> date:
    return clock.today() + timedelta(days=days)


def _hearing(tale: Tale, how: SettledBy) -> By:
    """Who writes down what was said: the clerk of a visit or a call, else whoever wished."""
    return tale.clerk if how in (SettledBy.VISIT, SettledBy.CALL) else tale.own
