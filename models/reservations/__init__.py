"""Reservations (预约): who uses which room when, from the tap to the key that is handed back. The second noun; it reads like courses.

``asking`` reserves, ``judging`` says who may, ``choosing`` what of a week they could take, ``waiting`` lets those who wait have what is free, ``queueing`` finds them, ``deciding`` reviews, ``reviewing`` says by when and ``rewinding`` says it anew, ``cancelling`` gives up,
``visiting`` is the day itself, ``overriding`` what is needed otherwise, ``credit`` and ``charging`` what follows from it, ``series`` the same hours of some weeks.
"""

from __future__ import annotations

from models.reservations.agenda import NOT_SURE, STANDS, changes_of_reservations, reservations_on_calendars
from models.reservations.asking import DIGITS_OF_A_CODE, RoomTaken, Wanted, look_first, reserve
from models.reservations.cancelling import Scope, call_off, cancel, let_go_of_group_rooms, let_go_of_rooms
from models.reservations.charging import (
    appeal_credit,
    appeal_until,
    credit_appeals_within,
    credit_standing,
    decide_credit_appeal,
    excuse,
    must_be_appealable,
    owe_resumed,
)
from models.reservations.choosing import Choice, DayOfChoices, choices
from models.reservations.counting import (
    count_credit_appeals,
    count_damaged,
    count_pending,
    count_review_overdue,
)
from models.reservations.credit import (
    CREDIT_WORDS,
    Credit,
    CreditAppealState,
    CreditEntry,
    CreditWhy,
    credit_of,
    entries_kept_of,
    entries_of,
)
from models.reservations.deciding import approve, expire, reject, unreviewed
from models.reservations.engaging import rooms_had_by
from models.reservations.finding import (
    entry_of,
    entry_within,
    held_for,
    reservation_of,
    reservation_within,
    reservations_kept_of,
    reservations_of,
    reservations_within,
    rooms_of,
)
from models.reservations.forgetting import forget_words_of_credit_appeals, strike_words_of
from models.reservations.holding import hold_rooms, neighbours_of
from models.reservations.house_rules import HouseRules, house_rules_of
from models.reservations.judging import Judge
from models.reservations.lending import borrowed_by, change_equipment
from models.reservations.overriding import agree_to_move, cut_short, move, override
from models.reservations.parties import By, Party, party_of
from models.reservations.pledges import ROOM_PLEDGE
from models.reservations.reminding import owe_room_reminders
from models.reservations.rewinding import (
    NUMBERS_OF_REVIEWS,
    rewind_review,
    rewind_reviews_of,
    to_be_rewound,
    waiting_for_review,
)
from models.reservations.rows import (
    HOLDING,
    LIVE,
    Condition,
    Reservation,
    ReservationEnd,
    ReservationSeries,
    ReservationState,
    ReservedFor,
)
from models.reservations.series import MOST_WEEKS, SeriesDay, look_at_series, reserve_series
from models.reservations.sweeping import ended_offers, hopeless_waits, offer_rooms, rooms_waited_for
from models.reservations.telling import tell_moved
from models.reservations.truth import still_true
from models.reservations.visiting import (
    check_in,
    check_in_by_code,
    finish,
    no_shows,
    not_signed_out,
    note_damage,
    release,
    renew_door_code,
    sign_out,
)
from models.reservations.waiting import accept, end_offer, end_waiting, offer_what_is_free

__all__ = [
    "CREDIT_WORDS",
    "DIGITS_OF_A_CODE",
    "HOLDING",
    "LIVE",
    "MOST_WEEKS",
    "NOT_SURE",
    "NUMBERS_OF_REVIEWS",
    "ROOM_PLEDGE",
    "STANDS",
    "By",
    "Choice",
    "Condition",
    "Credit",
    "CreditAppealState",
    "CreditEntry",
    "CreditWhy",
    "DayOfChoices",
    "HouseRules",
    "Judge",
    "Party",
    "Reservation",
    "ReservationEnd",
    "ReservationSeries",
    "ReservationState",
    "ReservedFor",
    "RoomTaken",
    "Scope",
    "SeriesDay",
    "Wanted",
    "accept",
    "agree_to_move",
    "appeal_credit",
    "appeal_until",
    "approve",
    "borrowed_by",
    "call_off",
    "cancel",
    "change_equipment",
    "changes_of_reservations",
    "check_in",
    "check_in_by_code",
    "choices",
    "count_credit_appeals",
    "count_damaged",
    "count_pending",
    "count_review_overdue",
    "credit_appeals_within",
    "credit_of",
    "credit_standing",
    "cut_short",
    "decide_credit_appeal",
    "end_offer",
    "end_waiting",
    "ended_offers",
    "entries_kept_of",
    "entries_of",
    "entry_of",
    "entry_within",
    "excuse",
    "expire",
    "finish",
    "forget_words_of_credit_appeals",
    "held_for",
    "hold_rooms",
    "hopeless_waits",
    "house_rules_of",
    "let_go_of_group_rooms",
    "let_go_of_rooms",
    "look_at_series",
    "look_first",
    "move",
    "must_be_appealable",
    "neighbours_of",
    "no_shows",
    "not_signed_out",
    "note_damage",
    "offer_rooms",
    "offer_what_is_free",
    "override",
    "owe_resumed",
    "owe_room_reminders",
    "party_of",
    "reject",
    "release",
    "renew_door_code",
    "reservation_of",
    "reservation_within",
    "reservations_kept_of",
    "reservations_of",
    "reservations_on_calendars",
    "reservations_within",
    "reserve",
    "reserve_series",
    "rewind_review",
    "rewind_reviews_of",
    "rooms_had_by",
    "rooms_of",
    "rooms_waited_for",
    "sign_out",
    "still_true",
    "strike_words_of",
    "tell_moved",
    "to_be_rewound",
    "unreviewed",
    "waiting_for_review",
]
