"""Short messages (短信): for what must arrive where WeChat cannot tell it.

The worker speaks to ``SmsGateway`` and hears the same truthful outcomes as from WeChat's. A provider is another house
outside: ``tencent`` speaks to it with the manners of ``miniprogram_api.outside``.
"""

from __future__ import annotations

from miniprogram_api.sms.console import ConsoleSms, WrittenSms
from miniprogram_api.sms.gateway import SmsGateway
from miniprogram_api.sms.provider import SmsOutcome, SmsProvider
from miniprogram_api.sms.templates import SMS_TEMPLATES, SmsTemplate
from miniprogram_api.sms.tencent import TencentSms

__all__ = [
    "SMS_TEMPLATES",
    "ConsoleSms",
    "SmsGateway",
    "SmsOutcome",
    "SmsProvider",
    "SmsTemplate",
    "TencentSms",
    "WrittenSms",
]
