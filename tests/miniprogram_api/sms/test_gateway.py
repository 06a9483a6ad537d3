"""Short messages: their words, who gets them, and the demo's people, who never do."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from miniprogram_api.sms import SMS_TEMPLATES, ConsoleSms, SmsGateway, SmsOutcome
from miniprogram_api.sms.console import MOST_KEPT
from miniprogram_api.sms.templates import LONGEST_SIGN, LONGEST_SMS
from miniprogram_api.wechat import SendResult
from models.notices import ShortMessageName

PHONE, DEMO_PHONE = "13800138000", "19900000001"
CANCELLED = {"course": "书法入门班", "starts": "12月3日18:30"}


class Postman:
    """A provider that remembers whom it went to."""

    def __init__(self) -> None:
        self.carried: list[tuple[str, ShortMessageName, Mapping[str, str]]] = []

    def send(self, phone: str, template: ShortMessageName, params: Mapping[str, str]) -> SmsOutcome:
        """Carry it."""
        self.carried.append((phone, template, params))
        return SmsOutcome(SendResult.ACCEPTED, "Ok")


@pytest.fixture
def postman() -> Postman:
    """Somebody who really carries messages."""
    return Postman()


@pytest.fixture
def gateway(postman: Postman) -> SmsGateway:
    """The house's gateway, with a real provider behind it."""
    return SmsGateway(postman, written=ConsoleSms())


# --- the words ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ShortMessageName)
def test_every_text_filled_to_the_brim_is_one_message(name: ShortMessageName) -> None:
    template = SMS_TEMPLATES[name]
    text = re.sub(
        r"\{([0-9])\}", lambda place: "满" * list(template.slots.values())[int(place[1]) - 1], template.text
    )
    assert LONGEST_SIGN + len("【】") + len(text) <= LONGEST_SMS


@pytest.mark.parametrize("name", ShortMessageName)
def test_every_text_uses_each_of_its_slots_in_order(name: ShortMessageName) -> None:
    template = SMS_TEMPLATES[name]
    places = re.findall(r"\{([0-9])\}", template.text)
    assert places == [str(n + 1) for n in range(len(template.slots))]


def test_what_is_too_long_for_its_slot_is_cut(gateway: SmsGateway, postman: Postman) -> None:
    gateway.send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED | {"course": "很" * 40})
    assert postman.carried[0][2]["course"] == "很" * 15 + "…"


def test_a_value_stays_on_one_line_and_signs_nothing(gateway: SmsGateway, postman: Postman) -> None:
    gateway.send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED | {"course": " 书法\r\n【银行】\x00 "})
    assert postman.carried[0][2]["course"] == "书法 〔银行〕"


@pytest.mark.parametrize(
    "params", [{}, {"course": "书法"}, CANCELLED | {"surprise": "x"}, CANCELLED | {"course": " \n"}]
)
def test_values_that_do_not_fill_the_text_are_refused_and_raise_nothing(
    gateway: SmsGateway, postman: Postman, params: dict[str, str]
) -> None:
    outcome = gateway.send(PHONE, ShortMessageName.CLASS_CANCELLED, params)
    assert outcome.result is SendResult.REFUSED
    assert outcome.reason
    assert postman.carried == []


# --- who gets them ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "phone", ["057188888888", "+85261234567", "", "1380013800", "138001380001", "12000000000"]
)
def test_only_a_mobile_of_the_mainland_gets_a_short_message(
    gateway: SmsGateway, postman: Postman, phone: str
) -> None:
    assert gateway.send(phone, ShortMessageName.CLASS_CANCELLED, CANCELLED).result is SendResult.REFUSED
    assert postman.carried == []
    assert not gateway.written.sent


def test_a_resident_gets_it_from_the_provider(gateway: SmsGateway, postman: Postman) -> None:
    assert gateway.send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED) == SmsOutcome(
        SendResult.ACCEPTED, "Ok"
    )
    assert postman.carried == [(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED)]
    assert not gateway.written.sent


@pytest.mark.parametrize("phone", ["19900000000", "19900000001", "19900009999"])
def test_a_demo_phone_is_only_ever_written_to(gateway: SmsGateway, postman: Postman, phone: str) -> None:
    assert gateway.send(phone, ShortMessageName.CLASS_CANCELLED, CANCELLED).result is SendResult.ACCEPTED
    assert postman.carried == []
    assert [sms.phone for sms in gateway.written.sent] == [phone]


def test_the_number_beside_the_demos_range_is_somebodys(gateway: SmsGateway, postman: Postman) -> None:
    gateway.send("19900010000", ShortMessageName.CLASS_CANCELLED, CANCELLED)
    assert len(postman.carried) == 1


# --- the console --------------------------------------------------------------------------------------------------


def test_the_console_writes_what_a_phone_would_show() -> None:
    console = ConsoleSms()
    link = "http://127.0.0.1:8001/links/x"  # the sandbox's links are shown whole
    console.send(
        PHONE, ShortMessageName.CLASS_CHANGED, {"course": "书法", "starts": "12月3日18:30", "link": link}
    )
    console.send(PHONE, ShortMessageName.PLEASE_CALL, {"community": "梧桐里社区", "phone": "0571-88888888"})
    assert [sms.text for sms in console.sent] == [
        f"书法改到12月3日18:30，详情 {link}",
        "梧桐里社区有事想告诉您，一直没联系上，方便时请回电0571-88888888。",
    ]


def test_the_consoles_line_masks_the_number_and_keeps_the_words_to_itself() -> None:
    with capture_logs() as lines:
        ConsoleSms().send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED)
    assert lines == [
        {"event": "sms_written", "to": "138******00", "template": "class_cancelled", "log_level": "info"}
    ]


def test_a_demos_line_shows_the_words() -> None:
    with capture_logs() as lines:
        ConsoleSms(shows_words=True).send(DEMO_PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED)
    assert lines[0]["text"] == "很抱歉，您报名的书法入门班（12月3日18:30）已取消，请不要跑空。"


def test_a_written_message_does_not_print_its_number_or_words() -> None:
    console = ConsoleSms()
    console.send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED)
    assert PHONE not in repr(console.sent)
    assert "书法" not in repr(console.sent)


def test_the_console_remembers_the_newest_alone() -> None:
    console = ConsoleSms()
    outcomes = [
        console.send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED) for _ in range(MOST_KEPT + 1)
    ]
    assert len(console.sent) == MOST_KEPT
    assert len({outcome.serial for outcome in outcomes}) == MOST_KEPT + 1
