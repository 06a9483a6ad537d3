"""News (消息内容): what is told, in the words of its moment, whatever carries it to the person.

A notice, a short message and a call may tell the same news one after the other; each is a row of its own, and what it says is made
from the facts in the same way.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from models import clock
from models.base import Base, Keyed, PlainText, chosen_from
from models.notices.catalogue import MOMENTS, Moment, NoticeKind
from models.notices.keywords import fit, say_briefly, say_time


class News(Keyed, Base):
    """What every row that tells something has. ``facts`` are what it says; ``dedupe_key`` is said once.

    ``created_at`` is when the news came about, also where it was told in another way before.
    """

    __abstract__ = True

    kind: Mapped[NoticeKind] = mapped_column(chosen_from(NoticeKind))
    subject_key: Mapped[str] = mapped_column(PlainText(16))
    dedupe_key: Mapped[str] = mapped_column(PlainText(120), unique=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def moment(self) -> Moment:
        """Its entry in the catalogue."""
        return MOMENTS[self.kind]

    @property
    def title(self) -> str:
        """What the inbox shows in bold."""
        return (self.facts.get("activity") and self.moment.title_of_activity) or self.moment.title

    @property
    def body(self) -> str:
        """What the inbox shows below, and what a caller says: who, what, when, where, what to do."""
        facts = {**self.moment.constants, **self.facts}
        when = say_time(datetime.fromisoformat(facts["starts_at"])) if "starts_at" in facts else ""
        who = f"{facts['learner']}：" if facts.get("learner") else ""
        says = (facts.get("activity") and self.moment.says_of_activity) or self.moment.says
        return who + says.format(**{**facts, "when": when})

    @property
    def page(self) -> str:
        """Where a tap on the message leads."""
        return self.moment.page.format(subject=self.facts["page_subject"])

    @property
    def worth_until(self) -> datetime:
        """Until when its news is worth sending."""
        end = self.created_at + self.moment.worth
        sooner = self.facts.get(self.moment.until)
        return min(end, datetime.fromisoformat(sooner)) if sooner else end

    def keyword_values(self) -> dict[str, str]:
        """The template's keywords, every value fitted to its type."""
        facts = {**self.moment.constants, **self.facts}
        return {keyword: fit(keyword, str(facts[fact])) for keyword, fact in self.moment.keywords.items()}

    def slot_values(self) -> dict[str, str]:
        """The slots of the short message: times as briefly as a short message has room for, the rest as it is."""
        facts = {**self.moment.constants, **self.facts}
        return {slot: _briefly(fact, str(facts[fact])) for slot, fact in self.moment.slots.items()}


def _briefly(fact: str, value: str) -> str:
    return say_briefly(datetime.fromisoformat(value)) if fact.endswith("_at") else value
