"""Short messages in a whole application: written by default, carried once somebody is chosen, never to a demo phone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from miniprogram_api.sms import SmsGateway
from miniprogram_api.wechat import SendResult
from models.base import db
from models.notices import ShortMessageName
from server.app import create_app
from server.settings import SmsAccount
from tests.conftest import settings_for
from tests.miniprogram_api.sms.carrier import APP_ID, REGION, SECRET_ID, SECRET_KEY, SIGN, open_carrier

PHONE, DEMO_PHONE = "13800138000", "19900000001"
CANCELLED = {"course": "书法入门班", "starts": "12月3日18:30"}


@contextmanager
def a_gateway(database_url: str, **changes: Any) -> Iterator[SmsGateway]:
    """The gateway of an application with these settings."""
    app = create_app(settings_for(database_url, **changes))
    yield app.extensions["sms"]
    with app.app_context():
        db.engine.dispose()


def test_an_application_without_a_carrier_writes_its_messages(database_url: str) -> None:
    with a_gateway(database_url) as sms:
        outcome = sms.send(PHONE, ShortMessageName.CLASS_CANCELLED, CANCELLED)
    assert outcome.result is SendResult.ACCEPTED
    assert [written.phone for written in sms.written.sent] == [PHONE]


def test_an_application_with_a_carrier_sends_to_everybody_but_the_demos_people(database_url: str) -> None:
    with open_carrier() as carrier:
        account = SmsAccount(
            base_url=carrier.base_url,
            secret_id=SECRET_ID,
            secret_key=SECRET_KEY,
            app_id=APP_ID,
            sign=SIGN,
            region=REGION,
            templates={name: f"11{n}" for n, name in enumerate(ShortMessageName)},
        )
        with a_gateway(database_url, sms_account=account) as sms:
            outcomes = [
                sms.send(phone, ShortMessageName.CLASS_CANCELLED, CANCELLED) for phone in (PHONE, DEMO_PHONE)
            ]
    assert [outcome.result for outcome in outcomes] == [SendResult.ACCEPTED] * 2
    assert [asked["PhoneNumberSet"] for asked in carrier.asked] == [[f"+86{PHONE}"]]
    assert [written.phone for written in sms.written.sent] == [DEMO_PHONE]
