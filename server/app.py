"""The application: settings in, a Flask app out. Everything it needs is an argument; importing it does nothing."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import Migrate
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

import models.registry
from miniprogram_api import open_doors
from miniprogram_api.freshness import FRESH_SECONDS, Freshness, Lately
from miniprogram_api.pictures import PictureShelf
from miniprogram_api.pushes import PushSecrets
from miniprogram_api.rates import Rates
from miniprogram_api.scenes import LOOKS_SECONDS, LookTally
from miniprogram_api.sms import ConsoleSms, SmsGateway, TencentSms
from miniprogram_api.storage import Storage
from miniprogram_api.wechat import WeChatGateway
from models.accounts import TokenMint
from models.base import db, engine_options, prepare, reading
from models.committer import Committer
from models.courses import decide
from models.errors import Unavailable
from models.reservations import HouseRules
from models.vault import vault
from models.wechat_tokens import StoredTokenShelf
from server.commands import register_commands
from server.logs import set_up_logs
from server.settings import Mode, Settings

MIGRATIONS = Path(models.registry.__file__).parent / "migrations"
LARGEST_BODY = 1 << 20
SPARE_CONNECTIONS = 16  # to WeChat, for whatever is asked beside the messages


def create_app(settings: Settings, *, fresh_seconds: float = FRESH_SECONDS) -> Flask:
    """The product, ready to be served, migrated, or commanded.

    ``fresh_seconds`` is how long bodies of public lists are kept; tests with a stopped clock keep none.
    """
    set_up_logs(settings.log_level)
    vault.unlock(settings.data_keys, settings.lookup_key)
    app = Flask("jiamenkou", static_folder=None)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database_url),
        MAX_CONTENT_LENGTH=LARGEST_BODY,
    )
    db.init_app(app)
    Migrate(app, db, directory=str(MIGRATIONS), render_as_batch=True, compare_type=True)
    with app.app_context():
        engine = prepare(db.engine)
    app.extensions |= {
        "settings": settings,
        "wechat": WeChatGateway(
            appid=settings.wechat_appid,
            secret=settings.wechat_secret,
            base_url=settings.wechat_base_url,
            tokens=StoredTokenShelf(appid=settings.wechat_appid, engine=engine),
            connections=settings.wechat_connections + SPARE_CONNECTIONS,
        ),
        "push_secrets": _push_secrets(settings),
        "sms": _sms(settings),
        "token_mint": TokenMint(settings.secret_keys),
        "seats": Committer(engine, decide),
        "freshness": Freshness(fresh_seconds),
        "house_rules": Lately[frozenset[int], HouseRules](fresh_seconds),
        "rates": Rates(settings.rates, redis_url=settings.rate_limit_storage),
        "code_images": PictureShelf(settings.data_dir / "codes"),
        "photo_files": Storage(settings.data_dir / "photos", kind="jpg"),
        "wish_files": Storage(settings.data_dir / "wish-photos", kind="jpg"),
        "scene_looks": LookTally(LOOKS_SECONDS if fresh_seconds else 0),
    }
    open_doors(app)
    register_commands(app)
    app.add_url_rule("/healthz", view_func=_healthz)
    app.add_url_rule("/readyz", view_func=_readyz)
    return app


def _push_secrets(settings: Settings) -> PushSecrets | None:
    if settings.wechat_push_token is None:
        return None
    return PushSecrets(settings.wechat_push_token, settings.wechat_push_aes_key, settings.wechat_appid)


def _sms(settings: Settings) -> SmsGateway:
    written = ConsoleSms(shows_words=settings.mode is Mode.DEMO)
    account = settings.sms_account
    if account is None:
        # a message that was only written down would pass for one that arrived, where people are real
        return SmsGateway(written if settings.mode is Mode.DEMO else None, written=written)
    provider = TencentSms(
        base_url=account.base_url,
        secret_id=account.secret_id,
        secret_key=account.secret_key,
        app_id=account.app_id,
        sign=account.sign,
        region=account.region,
        templates=account.templates,
    )
    return SmsGateway(provider, written=written)


def _healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


def _readyz() -> dict[str, str]:
    """The process can do its work: the database answers and has every migration. Raises Unavailable otherwise."""
    try:
        with reading() as session:
            at = session.scalar(text("SELECT version_num FROM alembic_version"))
    except DBAPIError:
        at = None
    if at != _head():
        raise Unavailable("not_ready", "数据库还没有准备好")
    return {"status": "ready"}


@cache
def _head() -> str | None:
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()
