"""Notices (通知): the message that is owed is a row in the same transaction as the deed.

The row is the in-app inbox entry at once; a worker later sends it through WeChat and writes down what became of it. Nothing is
sent before the commit, and a deed that rolled back owes nothing.
"""

from __future__ import annotations

from models.notices.catalogue import (
    MOMENTS,
    TEMPLATE_TITLES,
    About,
    Moment,
    NoticeKind,
    ShortMessageName,
    TemplateName,
)
from models.notices.inbox import count_unread, inbox_of, read_notice, read_through
from models.notices.news import News
from models.notices.outbox import (
    Debt,
    Delivery,
    Notice,
    goes_out_at,
    morning_in_time,
    owe,
    owe_once,
)
from models.notices.prompts import HEARD_AFTER, PROMPTS

__all__ = [
    "HEARD_AFTER",
    "MOMENTS",
    "PROMPTS",
    "TEMPLATE_TITLES",
    "About",
    "Debt",
    "Delivery",
    "Moment",
    "News",
    "Notice",
    "NoticeKind",
    "ShortMessageName",
    "TemplateName",
    "count_unread",
    "goes_out_at",
    "inbox_of",
    "morning_in_time",
    "owe",
    "owe_once",
    "read_notice",
    "read_through",
]
