"""Settings (设置): everything that differs between one installation and another, read once from the environment.

Everything missing or senseless is told at once, not one fault a start. In demo mode (the default of ``make run``) what is missing
is made up: keys are generated into ``DATA_DIR``, WeChat is the sandbox beside us. Production makes nothing up.
``deploy/env.example`` lists every setting; a promise test keeps it complete.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from errno import EACCES
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from flask import current_app
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from miniprogram_api.rates import RATES, Rate, RateName, rate_of
from miniprogram_api.sms.templates import LONGEST_SIGN
from miniprogram_api.sms.tencent import TENCENT_API
from models.notices import ShortMessageName, TemplateName
from server.listening import DEFAULTS, MOST, whole_number

SANDBOX_APPID = "wxsandbox000000001"
WECHAT_API = "https://api.weixin.qq.com"
# what a demo and its sandbox agree on; nobody outside reaches either
SANDBOX_PUSH_TOKEN = "sandboxpushtoken"  # noqa: S105 - guards a sandbox
SANDBOX_PUSH_AES_KEY = "sandboxsandboxsandboxsandboxsandboxsandboxs"
WECHAT_CONNECTIONS = 16
MOST_CONNECTIONS = 256
MOST_PROXIES = 8
MOST_MEGABYTES = 50
IN_MEMORY = "memory://"

Name = TypeVar("Name", bound=StrEnum)


class Mode(StrEnum):
    """How serious it is."""

    DEMO = "demo"
    PRODUCTION = "production"


class SmsCarrier(StrEnum):
    """Who carries short messages."""

    CONSOLE = "console"  # 只写日志，不发送
    TENCENT = "tencent"  # 腾讯云短信


class Misconfigured(Exception):
    """The environment does not say enough; ``faults`` lists everything, one line each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class SmsAccount:
    """An application at a provider of short messages, with the ids of our texts there."""

    base_url: str
    secret_id: str = field(repr=False)
    secret_key: str = field(repr=False)
    app_id: str
    sign: str
    region: str
    templates: Mapping[ShortMessageName, str]


@dataclass(frozen=True)
class Settings:
    """One installation's settings. Built by ``from_environment``; tests build it by hand."""

    mode: Mode
    data_dir: Path
    database_url: str = field(repr=False)  # may hold a password; the keys below must not reach a log either
    secret_keys: tuple[str, ...] = field(repr=False)
    data_keys: tuple[str, ...] = field(repr=False)
    lookup_key: str = field(repr=False)
    wechat_appid: str
    wechat_secret: str = field(repr=False)
    wechat_base_url: str
    wechat_templates: Mapping[TemplateName, str]
    wechat_push_token: str | None = field(default=None, repr=False)  # none: WeChat tells us nothing
    wechat_push_aes_key: str | None = field(default=None, repr=False)  # none: pushes come unsealed
    wechat_state: str = "formal"
    wechat_connections: int = WECHAT_CONNECTIONS
    sms_account: SmsAccount | None = None  # none: short messages are written to the log, not sent
    rates: Mapping[RateName, Rate] = field(default_factory=lambda: RATES)
    rate_limit_storage: str | None = field(
        default=None, repr=False
    )  # may hold a password; none: each process counts
    public_url: str = "http://127.0.0.1:8000"
    trusted_proxies: int = 0
    photo_megabytes: int = 8
    port: int = 8000
    sandbox_port: int = 8001
    bind: str = "127.0.0.1"
    log_level: str = "INFO"

    @property
    def uses_sandbox(self) -> bool:
        """Whether WeChat is the stand-in beside us; never with a real AppID."""
        return self.wechat_appid == SANDBOX_APPID


class _Reader:
    """Reads settings one by one and remembers everything that was wrong."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.faults: list[str] = []

    def text(
        self, name: str, default: str | None = None, *, check: Callable[[str], str | None] | None = None
    ) -> str:
        value = self.env.get(name, "").strip() or default
        if value is None:
            self.faults.append(f"{name} is not set")
            return ""
        wrong = check(value) if check else None
        if wrong:
            self.faults.append(f"{name} {wrong}")
        return value

    def number(self, name: str, default: int, *, most: int, least: int = 1) -> int:
        value = self.text(name, str(default))
        number = whole_number(value, most=most, least=least)
        if number is not None:
            return number
        self.faults.append(f"{name} is {value!r}; it may be {least} to {most}")
        return default

    def listening(self, name: str) -> int:
        return self.number(name, int(DEFAULTS[name]), most=MOST[name])


def from_environment(env: Mapping[str, str] | None = None, *, for_commands: bool = False) -> Settings:
    """The settings of this process. Raises Misconfigured with everything that is wrong, all at once.

    ``for_commands`` does without the ids of message templates: one of the commands is what finds them.
    """
    read = _Reader(os.environ if env is None else env)
    mode_text = read.text("JIAMENKOU_MODE", Mode.DEMO, check=_must_be_one_of(*Mode))
    mode = Mode(mode_text) if mode_text in list(Mode) else Mode.PRODUCTION
    data_dir = _usable(Path(read.text("DATA_DIR", DEFAULTS["DATA_DIR"])).resolve(), read)
    demo_keys = _demo_keys(data_dir, read) if mode is Mode.DEMO else {}
    port, sandbox_port = read.listening("PORT"), read.listening("SANDBOX_PORT")
    read.listening("WEB_WORKERS")  # judged here with the rest, used by deploy/gunicorn.conf.py
    is_demo, demo_url = mode is Mode.DEMO, f"http://127.0.0.1:{port}"
    appid = read.text("WECHAT_APPID", SANDBOX_APPID if is_demo else None)
    sandboxed = appid == SANDBOX_APPID
    if sandboxed and not is_demo:
        read.faults.append("WECHAT_APPID is the sandbox's: production needs the AppID of a real mini-program")
    if sandboxed and port == sandbox_port:
        read.faults.append(f"PORT and SANDBOX_PORT are both {port}: the sandbox needs a port of its own")
    settings = Settings(
        mode=mode,
        data_dir=data_dir,
        database_url=read.text(
            "DATABASE_URL",
            f"sqlite:///{data_dir / 'jiamenkou.sqlite3'}" if is_demo else None,
            check=_must_be_database,
        ),
        secret_keys=_listed(read.text("SECRET_KEY", demo_keys.get("SECRET_KEY"), check=_must_be_secret)),
        data_keys=_listed(read.text("DATA_KEY", demo_keys.get("DATA_KEY"), check=_must_be_fernet)),
        lookup_key=read.text("LOOKUP_KEY", demo_keys.get("LOOKUP_KEY"), check=_must_be_secret),
        wechat_appid=appid,
        wechat_secret=read.text("WECHAT_SECRET", "sandbox-secret" if sandboxed and is_demo else None),
        wechat_base_url=read.text(
            "WECHAT_BASE_URL",
            f"http://127.0.0.1:{sandbox_port}" if sandboxed else WECHAT_API,
            check=_must_be_url,
        ),
        wechat_templates=_templates(read, sandboxed=sandboxed and is_demo, needed=not for_commands),
        **_push_keys(read, sandboxed=sandboxed and is_demo, needed=not is_demo),
        wechat_state=read.text(
            "WECHAT_STATE", "formal", check=_must_be_one_of("formal", "trial", "developer")
        ),
        wechat_connections=read.number("WECHAT_CONNECTIONS", WECHAT_CONNECTIONS, most=MOST_CONNECTIONS),
        sms_account=_sms_account(read),
        rates=_rates(read),
        rate_limit_storage=_redis(read),
        public_url=read.text("PUBLIC_URL", demo_url if is_demo else None, check=_must_be_url).rstrip("/"),
        trusted_proxies=read.number("TRUSTED_PROXIES", 0 if is_demo else 1, most=MOST_PROXIES, least=0),
        photo_megabytes=read.number("PHOTO_MEGABYTES", Settings.photo_megabytes, most=MOST_MEGABYTES),
        port=port,
        sandbox_port=sandbox_port,
        bind=read.text("BIND", DEFAULTS["BIND"]),
        log_level=read.text("LOG_LEVEL", "INFO", check=_must_be_one_of("DEBUG", "INFO", "WARNING", "ERROR")),
    )
    if read.faults:
        raise Misconfigured(read.faults)
    return settings


def settings_in_force() -> Settings:
    """The settings of the application whose context is open."""
    settings: Settings = current_app.extensions["settings"]
    return settings


def _templates(read: _Reader, *, sandboxed: bool, needed: bool) -> dict[TemplateName, str]:
    """``WECHAT_TEMPLATES``: ``name=id`` pairs with commas between, one for every template of the catalogue."""
    text = read.env.get("WECHAT_TEMPLATES", "").strip()
    if sandboxed and not text:
        from server.wechat_sandbox import templates  # noqa: PLC0415 - production never loads the sandbox

        return {name: getattr(templates, name).id for name in TemplateName}
    return _ids_by_name(read, "WECHAT_TEMPLATES", TemplateName, needed=needed)


def _push_keys(read: _Reader, *, sandboxed: bool, needed: bool) -> dict[str, str | None]:
    """What pushes are signed and sealed with. A demo with a real mini-program may go without, or unsealed."""

    def key(name: str, in_sandbox: str, check: Callable[[str], str | None]) -> str | None:
        default = in_sandbox if sandboxed else None if needed else ""
        return read.text(name, default, check=lambda value: check(value) if value else None) or None

    token = key("WECHAT_PUSH_TOKEN", SANDBOX_PUSH_TOKEN, _must_be_push_token)
    aes_key = key("WECHAT_PUSH_AES_KEY", SANDBOX_PUSH_AES_KEY, _must_be_push_aes_key)
    if aes_key and not token and not needed:
        read.faults.append("WECHAT_PUSH_TOKEN is not set, but WECHAT_PUSH_AES_KEY is")
    return {"wechat_push_token": token, "wechat_push_aes_key": aes_key}


def _sms_account(read: _Reader) -> SmsAccount | None:
    """The provider's account when one is chosen. What stands there beside the console is left alone, for another day."""
    carrier = read.text("SMS_PROVIDER", SmsCarrier.CONSOLE, check=_must_be_one_of(*SmsCarrier))
    if carrier != SmsCarrier.TENCENT:
        return None
    return SmsAccount(
        base_url=read.text("SMS_BASE_URL", TENCENT_API, check=_must_be_url),
        secret_id=read.text("SMS_SECRET_ID"),
        secret_key=read.text("SMS_SECRET_KEY"),
        app_id=read.text("SMS_APP_ID", check=_must_be_digits),
        sign=read.text("SMS_SIGN", check=_must_be_sign),
        region=read.text("SMS_REGION", "ap-guangzhou"),
        templates=_ids_by_name(read, "SMS_TEMPLATES", ShortMessageName, needed=True),
    )


def _rates(read: _Reader) -> dict[RateName, Rate]:
    """``RATE_LIMITS``: ``name=60/minute`` pairs with commas between, each in place of the default; ``off`` alone switches all off."""
    text = read.env.get("RATE_LIMITS", "").strip()
    if text == "off":
        return {}
    rates: dict[RateName, Rate | None] = {**RATES}
    for pair in _listed(text):
        name, _, said = (part.strip() for part in pair.partition("="))
        try:
            rates[RateName(name)] = rate_of(said)
        except ValueError:
            read.faults.append(
                f"RATE_LIMITS has {pair!r}; it may be name=60/minute (or second, hour, off) "
                f"for: {', '.join(RateName)}"
            )
    return {name: rate for name, rate in rates.items() if rate is not None}


def _redis(read: _Reader) -> str | None:
    url = read.text("RATE_LIMIT_STORAGE", IN_MEMORY, check=_must_be_redis)
    return None if url == IN_MEMORY else url


def _ids_by_name(read: _Reader, setting: str, names: type[Name], *, needed: bool) -> dict[Name, str]:
    """``name=id`` pairs with commas between: no id twice, and one for every name if they are ``needed``."""
    pairs: dict[str, str] = {}
    for pair in _listed(read.env.get(setting, "")):
        name, _, template_id = (part.strip() for part in pair.partition("="))
        if name in pairs:
            read.faults.append(f"{setting} names {name} twice")
        elif template_id and template_id in pairs.values():
            read.faults.append(f"{setting} gives {name} the id of another template")
        pairs[name] = template_id
    missing = [name for name in names if not pairs.get(name)]
    if needed and missing:
        read.faults.append(f"{setting} has no id for: {', '.join(missing)}")
    unknown = sorted(set(pairs) - set(names))
    if unknown:
        read.faults.append(f"{setting} names templates we do not know: {', '.join(unknown)}")
    return {name: pairs[name] for name in names if pairs.get(name)}


def _usable(data_dir: Path, read: _Reader) -> Path:
    """The directory for what this machine keeps, made when it is not there."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not os.access(data_dir, os.W_OK | os.X_OK):
            raise PermissionError(EACCES, os.strerror(EACCES))
    except OSError as error:
        read.faults.append(f"DATA_DIR {data_dir} cannot be used: {error.strerror}")
    return data_dir


def _demo_keys(data_dir: Path, read: _Reader) -> dict[str, str]:
    """The keys of a demo, made at its first start and kept in ``DATA_DIR``, readable by its owner alone."""
    path = data_dir / "demo-keys.env"
    keys = {
        "SECRET_KEY": secrets.token_urlsafe(32),
        "DATA_KEY": Fernet.generate_key().decode(),
        "LOOKUP_KEY": secrets.token_urlsafe(32),
    }
    try:
        if not path.exists():
            _write_once(path, "".join(f"{name}={key}\n" for name, key in keys.items()))
        return dict(line.strip().split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    except OSError as error:
        if not read.faults:  # a directory that cannot be used is told already
            read.faults.append(f"DATA_DIR {data_dir} cannot be used: {error.strerror}")
        return keys


def _write_once(path: Path, text: str) -> None:
    """Make a private file, whole from its first moment: of several processes starting at once, one makes it."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        path.hardlink_to(draft)
    except FileExistsError:
        pass  # another process of the same first start was quicker
    finally:
        draft.unlink(missing_ok=True)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _must_be_one_of(*allowed: str) -> Callable[[str], str | None]:
    return lambda value: None if value in allowed else f"is {value!r}; it may be {' or '.join(allowed)}"


def _must_be_secret(value: str) -> str | None:
    keys = _listed(value)
    return None if keys and all(len(key) >= 32 for key in keys) else "is too short: at least 32 characters"


def _must_be_fernet(value: str) -> str | None:
    wrong = "is not a key: 32 bytes as url-safe base64 (deploy/README.md says how to make one)"
    try:
        made = [Fernet(key) for key in _listed(value)]
    except ValueError:
        return wrong
    return None if made else wrong


def _must_be_database(value: str) -> str | None:
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        return "is not a database URL"
    if url.drivername == "sqlite" and url.database in (None, "", ":memory:"):
        return (
            "names no file: sqlite:///… with the path of one"  # every connection would have a town of its own
        )
    if url.drivername in ("sqlite", "postgresql+psycopg"):
        return None
    return f"starts with {url.drivername}://; it may be postgresql+psycopg:// or sqlite:///"


def _must_be_push_token(value: str) -> str | None:
    return None if re.fullmatch("[A-Za-z0-9]{3,32}", value) else "is not 3 to 32 letters and digits"


def _must_be_push_aes_key(value: str) -> str | None:
    return None if re.fullmatch("[A-Za-z0-9]{43}", value) else "is not 43 letters and digits"


def _must_be_digits(value: str) -> str | None:
    return None if value.isascii() and value.isdigit() else "is not a number"


def _must_be_sign(value: str) -> str | None:
    return (
        None if 2 <= len(value) <= LONGEST_SIGN else f"is not a signature of 2 to {LONGEST_SIGN} characters"
    )


def _must_be_redis(value: str) -> str | None:
    if value == IN_MEMORY or (value.startswith(("redis://", "rediss://")) and urlsplit(value).hostname):
        return None
    return "is not redis://host:port/0, rediss://… or memory://"


def _must_be_url(value: str) -> str | None:
    is_one = value.startswith(("https://", "http://127.0.0.1:", "http://localhost:"))
    return None if is_one else "must be an https:// address"
