"""The short messages we send (短信模板): their words as filed with the provider, and how much goes into each slot.

A provider sends only texts that were filed and approved beforehand, under an id of its own (``SMS_TEMPLATES``). Every text here,
filled to the brim and signed with the longest signature, is at most ``LONGEST_SMS`` characters: one message, not two billed as
one. Links in a slot are forbidden by the provider, so a text with a link is filed with its beginning and only the tail is a slot.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from models.notices import ShortMessageName

LONGEST_SMS = 70
LONGEST_SIGN = 12
LINK_BEGINS = "https://wxaurl.cn/"  # WeChat's URL Links (wechat.md §7)
LINK = "link"


class Unfit(ValueError):
    """The values do not fill the template; the text names what is wrong, not the values."""


@dataclass(frozen=True)
class SmsTemplate:
    """One text: ``{1} {2}`` are its slots in order, ``slots`` their names with the most characters each may hold."""

    name: ShortMessageName
    text: str
    slots: Mapping[str, int]

    def fitted(self, params: Mapping[str, str]) -> dict[str, str]:
        """The values in the slots' order, on one line each, cut to what the slot holds; a link stays whole.

        Raises Unfit when a slot is missing, unknown or empty.
        """
        if set(params) != set(self.slots):
            raise Unfit(f"{self.name} takes {', '.join(self.slots)}; got {', '.join(sorted(params))}")
        values = {slot: _on_one_line(params[slot]) for slot in self.slots}
        empty = [slot for slot, value in values.items() if not value]
        if empty:
            raise Unfit(f"{self.name} has nothing for {', '.join(empty)}")
        return {
            slot: value if slot == LINK else _cut(value, self.slots[slot]) for slot, value in values.items()
        }

    def as_filed(self, fitted: Mapping[str, str]) -> list[str]:
        """The values as the provider wants them: of a link only what follows the filed beginning.

        Raises Unfit for a link that begins otherwise or is longer than the slot.
        """
        return [self._tail_of(value) if slot == LINK else value for slot, value in fitted.items()]

    def written_out(self, fitted: Mapping[str, str]) -> str:
        """The text as a phone shows it, without the signature."""
        values = list(fitted.values())

        def value_at(place: re.Match[str]) -> str:
            return values[int(place[1]) - 1]

        # on our own machines a link leads to the sandbox, so it is shown whole
        return re.sub(rf"(?:{re.escape(LINK_BEGINS)})?\{{([0-9])\}}", value_at, self.text)

    def _tail_of(self, link: str) -> str:
        tail = link.removeprefix(LINK_BEGINS)
        if tail == link:
            raise Unfit(f"{self.name} was filed with a link that begins {LINK_BEGINS}")
        if not 0 < len(tail) <= self.slots[LINK]:
            raise Unfit(f"{self.name} holds a link of {self.slots[LINK]} characters after {LINK_BEGINS}")
        return tail


SMS_TEMPLATES: Mapping[ShortMessageName, SmsTemplate] = {
    template.name: template
    for template in (
        SmsTemplate(
            ShortMessageName.CLASS_CHANGED,
            "{1}改到{2}，详情 " + LINK_BEGINS + "{3}",
            {"course": 8, "starts": 11, LINK: 12},
        ),
        SmsTemplate(
            ShortMessageName.CLASS_CANCELLED,
            "很抱歉，您报名的{1}（{2}）已取消，请不要跑空。",
            {"course": 16, "starts": 11},
        ),
        SmsTemplate(
            ShortMessageName.PROMOTED,
            "有名额了，您候补的{1}（{2}）已转正。不能来请提前取消，让给邻居。",
            {"course": 14, "starts": 11},
        ),
        SmsTemplate(
            ShortMessageName.OFFERED,
            "您候补的{1}有名额了，请在{2}前在小程序确认，或打电话给社区。",
            {"course": 12, "until": 11},
        ),
        SmsTemplate(
            ShortMessageName.SELECTED,
            "报名有结果了：{1}（{2}）有您的名额。不能来请提前取消，让给邻居。",
            {"course": 14, "starts": 11},
        ),
        SmsTemplate(
            ShortMessageName.ACTED_FOR_YOU,
            "{1}已替您{2}。如果不是您的意思，请告诉社区工作人员。",
            {"helper": 8, "deed": 24},
        ),
        SmsTemplate(
            ShortMessageName.ROOM_CANCELLED,
            "很抱歉，您约的{1}（{2}）已取消，请不要跑空，可以打电话给社区改约。",
            {"room": 12, "starts": 11},
        ),
        SmsTemplate(
            ShortMessageName.ROOM_OFFERED,
            "您候补的{1}有空了，请在{2}前在小程序确认，或打电话给社区。",
            {"room": 12, "until": 11},
        ),
        SmsTemplate(
            ShortMessageName.ROOM_MOVED,
            "您约的场地改到{1}（{2}），可以吗？请在小程序答复或打电话给社区。",
            {"room": 12, "starts": 11},
        ),
        SmsTemplate(
            ShortMessageName.ROOM_WAIT_OVER,
            "您候补的{1}（{2}）没有约上。想用可以换个时间，或打电话给社区。",
            {"room": 12, "starts": 11},
        ),
        SmsTemplate(
            ShortMessageName.WISH_REVIEWED,
            "您的{1}号微心愿{2}，详情请看小程序，或打电话给社区。",
            {"number": 6, "result": 5},
        ),
        SmsTemplate(
            ShortMessageName.WISH_CLAIMED,
            "您的{1}号微心愿由{2}认领，会先联系您，不收任何费用。有疑问找社区。",
            {"number": 6, "unit": 20},
        ),
        SmsTemplate(
            ShortMessageName.WISH_DELIVERED,
            "{1}说您的{2}号微心愿已办好。请在小程序确认，或告诉社区。",
            {"unit": 20, "number": 6},
        ),
        SmsTemplate(
            ShortMessageName.WISH_CANNOT,
            "很抱歉，您的{1}号微心愿没能实现，原因请看小程序，或打电话给社区。",
            {"number": 6},
        ),
        SmsTemplate(
            ShortMessageName.PLEASE_CALL,
            "{1}有事想告诉您，一直没联系上，方便时请回电{2}。",
            {"community": 16, "phone": 13},
        ),
    )
}


def _on_one_line(text: str) -> str:
    # the brackets of the signature are the provider's own
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(shown.replace("【", "〔").replace("】", "〕").split())


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
