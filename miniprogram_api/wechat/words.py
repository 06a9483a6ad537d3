"""What is taken over from WeChat's answers into our rows: one word of visible ASCII, no longer than its column.

Everything WeChat names things with is such a word. What is none came from somebody in between, and would fail only later, in the
database, where it costs a whole batch.
"""

from __future__ import annotations

import re

LONGEST_OPENID = 64  # an openid or a unionid: accounts
LONGEST_MSGID = 80  # notices.outcome
LONGEST_TRACE_ID = 256  # content_checks.trace_id, pushes.trace_id
LONGEST_LINK = 200  # scenes.link
LONGEST_TOKEN = 2048  # WeChat asks us to keep 512 at least (wechat.md §3)
LARGEST_NUMBER = 2**31 - 1  # errcodes and labels stand in columns of four bytes

_word = re.compile("[!-~]+")


def word_in(value: object, *, most: int) -> str | None:
    """``value``, if it is one word of at most so many characters; a number of WeChat's is one too."""
    text = str(value) if type(value) is int and abs(value) <= 10**most else value
    if not isinstance(text, str) or len(text) > most or _word.fullmatch(text) is None:
        return None
    return text


def number_in(value: object) -> int | None:
    """``value``, if it is a whole number a column takes; WeChat writes numbers now as numbers, now as strings."""
    text = word_in(value, most=10)
    if text is None or re.fullmatch("-?[0-9]{1,10}", text) is None or abs(int(text)) > LARGEST_NUMBER:
        return None
    return int(text)
