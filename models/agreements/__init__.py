"""Service agreements (场地换服务): a room free of charge for a partner unit, which serves the neighbourhood for it.

What is agreed on is a room, a period, the hours of a week the unit has it, and how many hours of service it promises **in all**, over
the whole period. While an agreement is in force it holds the room in the one calendar, block by block, so that one day can be let go.
What the unit delivers is written down, by staff or by itself; the community confirms what the unit wrote, and only what is confirmed
counts. Whoever is behind what the time gone by would want is told once a month. Going on after the end is a new agreement.
"""

from __future__ import annotations

from models.agreements.calling_off import call_off_hold, cut_hold, move_hold
from models.agreements.delivering import (
    Delivered,
    Figures,
    Record,
    behind_by,
    confirm_delivery,
    count_behind,
    count_unconfirmed,
    decline_delivery,
    deliveries_of,
    delivery_within,
    figures_of,
    record_delivery,
)
from models.agreements.planning import (
    LONGEST_DAYS,
    MOST_BLOCK_DAYS,
    MOST_BLOCKS,
    BlockDay,
    Verdict,
    lay_out,
    look,
)
from models.agreements.rows import (
    AgreementState,
    Block,
    ServiceAgreement,
    ServiceBlock,
    ServiceDelivery,
    ServiceHold,
    Terms,
    agreement_of_partner,
    agreement_within,
    agreements_of_partner,
    agreements_within,
)
from models.agreements.standing import draft_agreement, end_agreement, let_go_of, put_in_force
from models.agreements.truth import still_true
from models.agreements.warning import owe_warnings

__all__ = [
    "LONGEST_DAYS",
    "MOST_BLOCKS",
    "MOST_BLOCK_DAYS",
    "AgreementState",
    "Block",
    "BlockDay",
    "Delivered",
    "Figures",
    "Record",
    "ServiceAgreement",
    "ServiceBlock",
    "ServiceDelivery",
    "ServiceHold",
    "Terms",
    "Verdict",
    "agreement_of_partner",
    "agreement_within",
    "agreements_of_partner",
    "agreements_within",
    "behind_by",
    "call_off_hold",
    "confirm_delivery",
    "count_behind",
    "count_unconfirmed",
    "cut_hold",
    "decline_delivery",
    "deliveries_of",
    "delivery_within",
    "draft_agreement",
    "end_agreement",
    "figures_of",
    "lay_out",
    "let_go_of",
    "look",
    "move_hold",
    "owe_warnings",
    "put_in_force",
    "record_delivery",
    "still_true",
]
