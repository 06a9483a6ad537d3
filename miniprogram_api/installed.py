"""What is installed (装配): one typed door to each thing that ``server.app`` hung on the application for the routes and the jobs.

Each needs an application context.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, cast

from flask import current_app

from miniprogram_api.freshness import Freshness, Lately
from miniprogram_api.pictures import PictureShelf
from miniprogram_api.rates import Rates
from miniprogram_api.sms import SmsGateway
from miniprogram_api.storage import Storage
from miniprogram_api.wechat import WeChatGateway
from models.accounts import TokenMint
from models.notices import TemplateName
from models.reservations import HouseRules


class Terms(Protocol):
    """What the routes need to know of the settings."""

    @property
    def public_url(self) -> str: ...
    @property
    def trusted_proxies(self) -> int: ...
    @property
    def photo_megabytes(self) -> int: ...
    @property
    def wechat_state(self) -> str: ...
    @property
    def wechat_templates(self) -> Mapping[TemplateName, str]: ...


def terms() -> Terms:
    """The settings, as far as they concern the routes."""
    return cast("Terms", current_app.extensions["settings"])


def wechat_gateway() -> WeChatGateway:
    """The way to WeChat. Ask with no transaction open."""
    return cast("WeChatGateway", current_app.extensions["wechat"])


def sms_gateway() -> SmsGateway:
    """The way short messages leave the house. Ask with no transaction open."""
    return cast("SmsGateway", current_app.extensions["sms"])


def token_mint() -> TokenMint:
    """Where tokens are signed, and read."""
    return cast("TokenMint", current_app.extensions["token_mint"])


def rates() -> Rates:
    """How often who may ask."""
    return cast("Rates", current_app.extensions["rates"])


def freshness() -> Freshness:
    """The kept bodies of lists."""
    return cast("Freshness", current_app.extensions["freshness"])


def house_rules() -> Lately[frozenset[int], HouseRules]:
    """What rooms went by a moment ago, by the ids of the rooms."""
    return cast("Lately[frozenset[int], HouseRules]", current_app.extensions["house_rules"])


def code_images() -> PictureShelf:
    """The kept pictures of codes."""
    return cast("PictureShelf", current_app.extensions["code_images"])


def photo_files() -> Storage:
    """The files of photos of rooms."""
    return cast("Storage", current_app.extensions["photo_files"])


def wish_files() -> Storage:
    """The files of pictures of wishes."""
    return cast("Storage", current_app.extensions["wish_files"])


def template_called(template_id: str) -> TemplateName | None:
    """Our name of a template of WeChat's, if it is one of ours."""
    ours = terms().wechat_templates.items()
    return next((name for name, known in ours if known == template_id), None)
