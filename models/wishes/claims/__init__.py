"""Claims (认领): a unit takes a wish on, promises a day, brings it, and the one who wished says whether it is done and how it was.

One piece of a wish is in one unit's hands at a time. The community agrees, or sends it to a unit; who lets time go by loses it, and the wish hangs
before the others.
"""

from __future__ import annotations

from models.wishes.claims.claiming import claim_wish, must_hang_still
from models.wishes.claims.deciding import (
    accept_dispatch,
    agree_to_claim,
    decline_claim,
    dispatch_wish,
    refuse_dispatch,
)
from models.wishes.claims.delivering import Done, deliver
from models.wishes.claims.ending import (
    claims_that_ring,
    give_back,
    release_claims_of,
    release_if_due,
    take_back,
    transfer_claim,
)
from models.wishes.claims.finding import (
    claim_by_key,
    claim_of,
    claim_of_people,
    claim_to_help,
    claim_within,
    claims_of,
    claims_on,
    claims_within,
    count_late,
    count_to_agree,
    count_to_visit,
    count_unhappy,
    helpers_of,
)
from models.wishes.claims.forgetting import (
    claims_kept_of,
    strike_claims_on,
    strike_extension_reason,
    strike_note,
    strike_plan,
    strike_reason,
)
from models.wishes.claims.parting import part_with
from models.wishes.claims.photos import may_show, photo_of_unit, show_no_more, show_what_was_brought
from models.wishes.claims.promises import WISH_PROMISE
from models.wishes.claims.rating import (
    LEVEL_WORDS,
    note_care_call,
    note_mended,
    rate_claim,
)
from models.wishes.claims.reminding import claims_to_remind_of, remind_of
from models.wishes.claims.rows import (
    CODE_LENGTH,
    LIVE,
    LONGEST_NOTE,
    LONGEST_PLAN,
    LONGEST_REASON,
    MOST_MINUTES,
    UNDER_WAY,
    Claim,
    ClaimHelper,
    ClaimState,
    EndedBecause,
    Evidence,
    Fulfilment,
    Level,
    Promise,
    Rating,
    SettledBy,
    WishPart,
)
from models.wishes.claims.settling import confirm_done, dispute
from models.wishes.claims.truth import claims_still_true
from models.wishes.claims.units import member_by_key
from models.wishes.claims.working import (
    Contacts,
    contacts_of,
    extend_claim,
    hand_lead_on,
    help_no_more,
    help_with,
    must_lead,
    note_contact,
    whom_to_visit,
)

__all__ = [
    "CODE_LENGTH",
    "LEVEL_WORDS",
    "LIVE",
    "LONGEST_NOTE",
    "LONGEST_PLAN",
    "LONGEST_REASON",
    "MOST_MINUTES",
    "UNDER_WAY",
    "WISH_PROMISE",
    "Claim",
    "ClaimHelper",
    "ClaimState",
    "Contacts",
    "Done",
    "EndedBecause",
    "Evidence",
    "Fulfilment",
    "Level",
    "Promise",
    "Rating",
    "SettledBy",
    "WishPart",
    "accept_dispatch",
    "agree_to_claim",
    "claim_by_key",
    "claim_of",
    "claim_of_people",
    "claim_to_help",
    "claim_wish",
    "claim_within",
    "claims_kept_of",
    "claims_of",
    "claims_on",
    "claims_still_true",
    "claims_that_ring",
    "claims_to_remind_of",
    "claims_within",
    "confirm_done",
    "contacts_of",
    "count_late",
    "count_to_agree",
    "count_to_visit",
    "count_unhappy",
    "decline_claim",
    "deliver",
    "dispatch_wish",
    "dispute",
    "extend_claim",
    "give_back",
    "hand_lead_on",
    "help_no_more",
    "help_with",
    "helpers_of",
    "may_show",
    "member_by_key",
    "must_hang_still",
    "must_lead",
    "note_care_call",
    "note_contact",
    "note_mended",
    "part_with",
    "photo_of_unit",
    "rate_claim",
    "refuse_dispatch",
    "release_claims_of",
    "release_if_due",
    "remind_of",
    "show_no_more",
    "show_what_was_brought",
    "strike_claims_on",
    "strike_extension_reason",
    "strike_note",
    "strike_plan",
    "strike_reason",
    "take_back",
    "transfer_claim",
    "whom_to_visit",
]
