"""Content checks (内容安全): what residents write and show is looked at before, or just after, others can read it.

WeChat judges first (wechat.md §6): what it passes is taken, what it calls risky is not, and whatever it is unsure about, or cannot be
asked about, is taken and waits for a clerk of the person's community: an outage stops nobody. Text is judged while the person waits,
a picture later, by push, within thirty minutes. A clerk approves or rejects; the first decision counts, and what has to follow from
it stands beside the field (``fields``).

What was written is kept, sealed, only while somebody may have to look. The rest of the row is kept for a year.
"""

from __future__ import annotations

from models.content_checks.checks import (
    CheckKind,
    CheckState,
    ContentCheck,
    Finding,
    HeldBecause,
    Verdict,
)
from models.content_checks.deciding import (
    Decision,
    check_within,
    checks_within,
    count_waiting,
    decide,
    note_look,
    review_of,
    still_true,
)
from models.content_checks.fields import (
    ABSENCE_APPEAL,
    CREDIT_APPEAL,
    FEEDBACK_WORDS,
    FIELDS,
    GROUP_ABOUT,
    GROUP_NAME,
    PICK_UP_NAME,
    RESIDENT_NAME,
    RUN_ANSWER,
    WISH_PHOTO,
    WISH_WORDS,
    CheckedField,
    field_of,
)
from models.content_checks.forgetting import (
    KEPT_FOR,
    checks_of,
    forget_old_checks,
    strike_checks_of_account,
    strike_checks_of_field,
    strike_checks_of_people,
)
from models.content_checks.verdicts import (
    VERDICT_WITHIN,
    Subject,
    await_verdict,
    count_lately,
    drop_open,
    hold_image,
    hold_overdue,
    hold_text,
    note_pass,
    note_refusal,
    overdue,
    said_before,
    settle_verdict,
)

__all__ = [
    "ABSENCE_APPEAL",
    "CREDIT_APPEAL",
    "FEEDBACK_WORDS",
    "FIELDS",
    "GROUP_ABOUT",
    "GROUP_NAME",
    "KEPT_FOR",
    "PICK_UP_NAME",
    "RESIDENT_NAME",
    "RUN_ANSWER",
    "VERDICT_WITHIN",
    "WISH_PHOTO",
    "WISH_WORDS",
    "CheckKind",
    "CheckState",
    "CheckedField",
    "ContentCheck",
    "Decision",
    "Finding",
    "HeldBecause",
    "Subject",
    "Verdict",
    "await_verdict",
    "check_within",
    "checks_of",
    "checks_within",
    "count_lately",
    "count_waiting",
    "decide",
    "drop_open",
    "field_of",
    "forget_old_checks",
    "hold_image",
    "hold_overdue",
    "hold_text",
    "note_look",
    "note_pass",
    "note_refusal",
    "overdue",
    "review_of",
    "said_before",
    "settle_verdict",
    "still_true",
    "strike_checks_of_account",
    "strike_checks_of_field",
    "strike_checks_of_people",
]
