"""Whether a notice about a unit still says the truth, and is still for who reads it."""

from __future__ import annotations

from models.notices import NoticeKind
from models.notices.witnesses import by_kind
from models.partners.standing import those_still_ending
from models.partners.telling import those_still_decided

still_true = by_kind(
    {
        NoticeKind.PARTNER_DECIDED: those_still_decided,
        NoticeKind.PARTNER_RENEWAL: those_still_ending,
    }
)
