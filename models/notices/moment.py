"""What a moment (时刻) is: one entry of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from models.notices.kinds import About, NoticeKind, ShortMessageName, TemplateName


@dataclass(frozen=True)
class Moment:
    """One moment: the inbox title and words, the template, and which fact fills which keyword.

    ``to`` says who hears of it. ``worth`` is how long its news is worth sending, ``until`` the fact that may end it sooner; past that
    it stays in the inbox and is not sent. ``constants`` are facts that are the same every time. ``waits_for_morning`` holds the
    message back in the quiet hours; answers to one's own tap do not wait. ``urgent`` ones do not count towards a day's most.

    An activity (活动) is no class: what may be told of either is said in words that suit both; where there are none, an activity has its
    own in ``title_of_activity`` and ``says_of_activity``.

    A moment with a ``short_message`` must arrive: where WeChat cannot tell it, ``models.ladder`` does; ``slots`` says which fact fills
    which slot of that message's text.
    """

    kind: NoticeKind
    title: str
    to: str
    about: About
    says: str
    template: TemplateName
    keywords: Mapping[str, str]
    page: str
    worth: timedelta
    until: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)
    waits_for_morning: bool = True
    urgent: bool = False
    short_message: ShortMessageName | None = None
    slots: Mapping[str, str] = field(default_factory=dict)
    title_of_activity: str = ""
    says_of_activity: str = ""

    @property
    def must_arrive(self) -> bool:
        """Whether it is told in another way where WeChat cannot."""
        return self.short_message is not None

    def keyword_of(self, fact: str) -> str | None:
        """The template's keyword that this fact fills, if there is one."""
        return next((keyword for keyword, filled in self.keywords.items() if filled == fact), None)
