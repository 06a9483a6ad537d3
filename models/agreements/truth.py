"""Whether a notice about an agreement still says the truth, and is still for who reads it."""

from __future__ import annotations

from models.agreements.calling_off import those_still_called_off, those_still_cut_short, those_still_moved
from models.agreements.telling import those_still_declined
from models.agreements.warning import those_still_behind
from models.notices import NoticeKind
from models.notices.witnesses import by_kind

still_true = by_kind(
    {
        NoticeKind.SERVICE_BEHIND: those_still_behind,
        NoticeKind.SERVICE_DECLINED: those_still_declined,
        NoticeKind.SERVICE_CALLED_OFF: those_still_called_off,
        NoticeKind.SERVICE_MOVED: those_still_moved,
        NoticeKind.SERVICE_CUT_SHORT: those_still_cut_short,
    }
)
