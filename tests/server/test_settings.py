"""Settings: what is wrong is told at once and by name; a demo makes up what it lacks, production nothing."""

from __future__ import annotations

import os
import re
import runpy
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from miniprogram_api.rates import RATES, Rate, RateName
from models.notices import ShortMessageName, TemplateName
from server.settings import (
    SANDBOX_APPID,
    SANDBOX_PUSH_AES_KEY,
    SANDBOX_PUSH_TOKEN,
    WECHAT_API,
    Misconfigured,
    Mode,
    Settings,
    from_environment,
)

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
EXAMPLE = DEPLOY / "env.example"
TEMPLATES = ",".join(f"{name}=template-{n}" for n, name in enumerate(TemplateName))
NEEDED = {
    "DATABASE_URL", "SECRET_KEY", "DATA_KEY", "LOOKUP_KEY", "WECHAT_APPID", "WECHAT_SECRET", "WECHAT_TEMPLATES",
    "WECHAT_PUSH_TOKEN", "WECHAT_PUSH_AES_KEY", "PUBLIC_URL",
}  # fmt: skip
SMS = {
    "SMS_PROVIDER": "tencent",
    "SMS_SECRET_ID": "AKID-of-the-town",
    "SMS_SECRET_KEY": "sms-hunter6",
    "SMS_APP_ID": "1400006666",
    "SMS_SIGN": "家门口",
    "SMS_TEMPLATES": ",".join(f"{name}=11{n}" for n, name in enumerate(ShortMessageName)),
}


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    """A whole production environment."""
    return {
        "JIAMENKOU_MODE": "production",
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": "postgresql+psycopg://u:hunter2@db/town",
        "SECRET_KEY": "s" * 32,
        "DATA_KEY": Fernet.generate_key().decode(),
        "LOOKUP_KEY": "l" * 32,
        "WECHAT_APPID": "wx1234567890abcdef",
        "WECHAT_SECRET": "a-secret",
        "WECHAT_TEMPLATES": TEMPLATES,
        "WECHAT_PUSH_TOKEN": "atoken123",
        "WECHAT_PUSH_AES_KEY": "k" * 43,
        "PUBLIC_URL": "https://town.example/",
    }


def faults_of(env: Mapping[str, str]) -> list[str]:
    with pytest.raises(Misconfigured) as wrong:
        from_environment(env)
    return wrong.value.faults


class Watched(Mapping[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self.env[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.env)

    def __len__(self) -> int:
        return len(self.env)


def asked_for(env: Mapping[str, str]) -> set[str]:
    watched = Watched(env)
    from_environment(watched)
    return watched.asked


# --- production ---------------------------------------------------------------------------------------------------


def test_a_whole_environment_is_a_town(production: dict[str, str], tmp_path: Path) -> None:
    settings = from_environment(production)
    assert settings.mode is Mode.PRODUCTION
    assert not settings.uses_sandbox
    assert settings.wechat_base_url == WECHAT_API
    assert settings.public_url == "https://town.example"
    assert settings.wechat_templates[TemplateName.REGISTRATION_RESULT] == "template-0"
    assert list(tmp_path.iterdir()) == []  # production makes nothing up


def test_everything_that_is_missing_is_listed_at_once(tmp_path: Path) -> None:
    faults = faults_of({"JIAMENKOU_MODE": "production", "DATA_DIR": str(tmp_path)})
    assert {fault.split()[0] for fault in faults} == NEEDED
    assert len(faults) == len(NEEDED)


@pytest.mark.parametrize(
    "process",
    ["server.run", "server.worker", "gunicorn -c deploy/gunicorn.conf.py server.wsgi:create()"],
)
def test_a_process_with_wrong_settings_ends_naming_all_of_them(tmp_path: Path, process: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", *process.split()],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "JIAMENKOU_MODE": "production",
            "DATA_DIR": str(tmp_path),
            "PORT": "0",
            "WEB_WORKERS": "1",
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode != 0
    for name in (*NEEDED, "PORT"):
        assert f"- {name} " in ended.stderr
    assert "Traceback" not in ended.stderr


def test_everything_that_is_senseless_is_listed_with_what_is_missing(production: dict[str, str]) -> None:
    production |= {
        "PORT": "x",
        "WEB_WORKERS": "many",
        "LOG_LEVEL": "LOUD",
        "WECHAT_STATE": "beta",
        "SECRET_KEY": "",
    }
    named = {fault.split()[0] for fault in faults_of(production)}
    assert named == {"PORT", "WEB_WORKERS", "LOG_LEVEL", "WECHAT_STATE", "SECRET_KEY"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JIAMENKOU_MODE", "prod"),
        ("DATABASE_URL", "not a url"),
        ("DATABASE_URL", "mysql://u@h/db"),
        ("DATABASE_URL", "postgresql://u@h/db"),
        ("DATABASE_URL", "postgresql+psycopg://u:hunter2@h:port/db"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", ","),
        ("SECRET_KEY", f"{'s' * 32},short"),
        ("DATA_KEY", "not-a-fernet-key"),
        ("DATA_KEY", " , "),
        ("LOOKUP_KEY", "short"),
        ("WECHAT_APPID", SANDBOX_APPID),
        ("WECHAT_BASE_URL", "http://api.weixin.qq.com"),
        ("WECHAT_BASE_URL", "ftp://127.0.0.1/"),
        ("WECHAT_STATE", "release"),
        ("WECHAT_TEMPLATES", "registration_result=x"),
        ("WECHAT_TEMPLATES", TEMPLATES + ",surprise=x"),
        ("WECHAT_TEMPLATES", TEMPLATES + ",registration_result=other"),
        ("WECHAT_TEMPLATES", TEMPLATES.replace("template-1", "template-0")),
        ("WECHAT_TEMPLATES", TEMPLATES.replace("=template-1", "=")),
        ("WECHAT_TEMPLATES", "nonsense"),
        ("WECHAT_PUSH_TOKEN", "ab"),
        ("WECHAT_PUSH_TOKEN", "a-b-c"),
        ("WECHAT_PUSH_AES_KEY", "k" * 42),
        ("WECHAT_PUSH_AES_KEY", "k" * 42 + "="),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "８０００"),
        ("PORT", "9" * 5000),
        ("PORT", "80.0"),
        ("SANDBOX_PORT", "http"),
        ("WEB_WORKERS", "0"),
        ("WEB_WORKERS", "65"),
        ("WEB_WORKERS", "two"),
        ("LOG_LEVEL", "verbose"),
    ],
)
def test_a_senseless_value_is_named(production: dict[str, str], name: str, value: str) -> None:
    faults = faults_of(production | {name: value})
    assert {fault.split()[0] for fault in faults} == {name}


def test_no_fault_tells_a_secret(production: dict[str, str]) -> None:
    secrets = {
        "SECRET_KEY": "hunter3",
        "DATA_KEY": "hunter4",
        "LOOKUP_KEY": "hunter5",
        "DATABASE_URL": "x://hunter2",
    }
    assert "hunter" not in "\n".join(faults_of(production | secrets))


def test_settings_can_be_printed_without_telling_a_secret(production: dict[str, str]) -> None:
    printed = repr(from_environment(production))
    for secret in ("hunter2", "s" * 32, "l" * 32, production["DATA_KEY"], "a-secret", "atoken123", "k" * 43):
        assert secret not in printed


def test_keys_may_be_replaced_newest_first(production: dict[str, str]) -> None:
    production |= {"SECRET_KEY": f"{'n' * 32}, {'o' * 32}"}
    assert from_environment(production).secret_keys == ("n" * 32, "o" * 32)


def test_templates_may_be_written_with_spaces_around(production: dict[str, str]) -> None:
    production |= {"WECHAT_TEMPLATES": TEMPLATES.replace("=", " = ").replace(",", " , ")}
    assert from_environment(production).wechat_templates[TemplateName.CLASS_CHANGE] == "template-2"


# --- short messages -----------------------------------------------------------------------------------------------


def test_short_messages_are_only_written_until_somebody_carries_them(production: dict[str, str]) -> None:
    assert from_environment(production).sms_account is None
    assert from_environment(production | SMS | {"SMS_PROVIDER": "console"}).sms_account is None


def test_a_carrier_of_short_messages_is_read_whole(production: dict[str, str]) -> None:
    account = from_environment(production | SMS).sms_account
    assert account is not None
    assert account.base_url == "https://sms.tencentcloudapi.com"
    assert account.region == "ap-guangzhou"
    assert account.sign == "家门口"
    assert account.templates[ShortMessageName.CLASS_CANCELLED] == "111"


def test_everything_a_carrier_lacks_is_told_at_once(production: dict[str, str]) -> None:
    faults = faults_of(production | {"SMS_PROVIDER": "tencent"})
    assert {fault.split()[0] for fault in faults} == set(SMS) - {"SMS_PROVIDER"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMS_PROVIDER", "pigeon"),
        ("SMS_BASE_URL", "http://sms.tencentcloudapi.com"),
        ("SMS_APP_ID", "app"),
        ("SMS_SIGN", "门"),
        ("SMS_SIGN", "门" * 13),
        ("SMS_TEMPLATES", "class_changed=1"),
        ("SMS_TEMPLATES", SMS["SMS_TEMPLATES"] + ",surprise=9"),
        ("SMS_TEMPLATES", SMS["SMS_TEMPLATES"].replace("=111", "=110")),
    ],
)
def test_a_senseless_carrier_is_named(production: dict[str, str], name: str, value: str) -> None:
    faults = faults_of(production | SMS | {name: value})
    assert {fault.split()[0] for fault in faults} == {name}


def test_a_carriers_keys_are_not_printed(production: dict[str, str]) -> None:
    printed = repr(from_environment(production | SMS))
    assert SMS["SMS_SECRET_ID"] not in printed
    assert SMS["SMS_SECRET_KEY"] not in printed


# --- a demo -------------------------------------------------------------------------------------------------------


def demo(tmp_path: Path, **more: str) -> Settings:
    return from_environment({"DATA_DIR": str(tmp_path), **more})


def test_a_demo_needs_nothing(tmp_path: Path) -> None:
    settings = demo(tmp_path)
    assert settings.mode is Mode.DEMO
    assert settings.uses_sandbox
    assert settings.database_url == f"sqlite:///{tmp_path}/jiamenkou.sqlite3"
    assert settings.wechat_base_url == "http://127.0.0.1:8001"
    assert set(settings.wechat_templates) == set(TemplateName)


def test_the_keys_of_a_demo_are_made_once_for_their_owner_alone(tmp_path: Path) -> None:
    house = tmp_path / "var"
    first, second = demo(house), demo(house)
    assert first == second
    (kept,) = house.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert demo(tmp_path / "other").secret_keys != first.secret_keys


def test_several_processes_starting_at_once_agree_on_the_keys(tmp_path: Path) -> None:
    found: list[Settings] = []
    together = threading.Barrier(8)

    def start() -> None:
        together.wait()
        found.append(demo(tmp_path))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(settings == found[0] for settings in found)
    assert [path.name for path in tmp_path.iterdir()] == ["demo-keys.env"]


@pytest.mark.parametrize("place", ["a-file", "a-file/below", "/proc/town"])
def test_a_place_that_cannot_be_used_is_named(production: dict[str, str], tmp_path: Path, place: str) -> None:
    (tmp_path / "a-file").write_text("")
    cannot = {"DATA_DIR": str(tmp_path / place)}
    for env in (cannot, production | cannot):  # production keeps its code pictures there
        (fault,) = faults_of(env)
        assert fault.startswith(f"DATA_DIR {tmp_path / place} cannot be used: ")


def test_a_place_nobody_may_write_in_is_named(
    production: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # who runs as root may write everywhere
    (fault,) = faults_of(production)
    assert fault.startswith("DATA_DIR ")


def test_a_key_from_the_environment_wins_over_the_made_one(tmp_path: Path) -> None:
    assert demo(tmp_path, SECRET_KEY="k" * 32).secret_keys == ("k" * 32,)


def test_a_demo_with_a_real_mini_program_needs_its_secret_and_templates(tmp_path: Path) -> None:
    faults = faults_of({"DATA_DIR": str(tmp_path), "WECHAT_APPID": "wx1234567890abcdef"})
    assert {fault.split()[0] for fault in faults} == {"WECHAT_SECRET", "WECHAT_TEMPLATES"}


def test_a_demo_and_its_sandbox_agree_on_the_keys_of_pushes(tmp_path: Path) -> None:
    settings = demo(tmp_path)
    assert (settings.wechat_push_token, settings.wechat_push_aes_key) == (
        SANDBOX_PUSH_TOKEN,
        SANDBOX_PUSH_AES_KEY,
    )


def test_a_demo_with_a_real_mini_program_may_go_without_pushes_or_have_them_unsealed(tmp_path: Path) -> None:
    real = {"WECHAT_APPID": "wx1234567890abcdef", "WECHAT_SECRET": "s", "WECHAT_TEMPLATES": TEMPLATES}
    without = demo(tmp_path, **real)
    assert (without.wechat_push_token, without.wechat_push_aes_key) == (None, None)
    unsealed = demo(tmp_path, **real, WECHAT_PUSH_TOKEN="abc")
    assert (unsealed.wechat_push_token, unsealed.wechat_push_aes_key) == ("abc", None)
    (fault,) = faults_of({"DATA_DIR": str(tmp_path), **real, "WECHAT_PUSH_AES_KEY": "k" * 43})
    assert fault.startswith("WECHAT_PUSH_TOKEN ")


def test_the_town_and_its_sandbox_cannot_share_a_port(tmp_path: Path) -> None:
    (fault,) = faults_of({"DATA_DIR": str(tmp_path), "PORT": "8001"})
    assert "8001" in fault


def test_blank_is_the_same_as_missing(tmp_path: Path) -> None:
    settings = demo(tmp_path, PORT="  ", DATABASE_URL="", WECHAT_TEMPLATES=" ")
    assert settings.port == 8000


# --- what gunicorn reads itself -----------------------------------------------------------------------------------


def conf(monkeypatch: pytest.MonkeyPatch, name: str, **env: str) -> dict[str, Any]:
    for setting in ("BIND", "PORT", "WEB_WORKERS", "SANDBOX_PORT", "DATA_DIR"):
        monkeypatch.delenv(setting, raising=False)
    for setting, value in env.items():
        monkeypatch.setenv(setting, value)
    return runpy.run_path(str(DEPLOY / name))


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"BIND": "", "PORT": " ", "WEB_WORKERS": "", "SANDBOX_PORT": " ", "DATA_DIR": ""},
        {
            "PORT": "http",
            "WEB_WORKERS": "two",
            "SANDBOX_PORT": "70000",
        },  # its workers refuse to start, and say why
    ],
)
def test_gunicorn_takes_blank_as_missing_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, env: dict[str, str]
) -> None:
    web, sandbox = conf(monkeypatch, "gunicorn.conf.py", **env), conf(monkeypatch, "sandbox.conf.py", **env)
    settings = demo(tmp_path)
    assert web["bind"] == f"{settings.bind}:{settings.port}" == "127.0.0.1:8000"
    assert web["workers"] == 2
    assert sandbox["bind"] == f"127.0.0.1:{settings.sandbox_port}" == "127.0.0.1:8001"
    assert sandbox["raw_env"] == ["SANDBOX_STATE=./var/wechat-sandbox.json"]


def test_gunicorn_listens_where_the_settings_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = {"BIND": "0.0.0.0", "PORT": " 8010 ", "WEB_WORKERS": "4", "SANDBOX_PORT": "8011"}
    web, sandbox = conf(monkeypatch, "gunicorn.conf.py", **said), conf(monkeypatch, "sandbox.conf.py", **said)
    settings = demo(tmp_path, **said)
    assert web["bind"] == f"{settings.bind}:{settings.port}" == "0.0.0.0:8010"
    assert web["workers"] == 4
    assert sandbox["bind"] == f"127.0.0.1:{settings.sandbox_port}" == "127.0.0.1:8011"


# --- the example --------------------------------------------------------------------------------------------------


def in_the_example() -> dict[str, str]:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_example_names_every_setting_and_none_that_is_not(
    production: dict[str, str], tmp_path: Path
) -> None:
    asked = asked_for(production | SMS) | asked_for({"DATA_DIR": str(tmp_path)})
    assert set(in_the_example()) == asked


def test_every_setting_of_the_example_has_a_reason() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line and not line.startswith("#"):
            above = list(reversed(lines[:number]))
            reason = next(before for before in above if before.startswith("#") or not before)
            assert reason.startswith("# "), f"{line} stands without a reason"


def test_the_example_filled_in_is_a_town(production: dict[str, str]) -> None:
    example = in_the_example()
    known = production | SMS
    filled: dict[str, Any] = {name: value or known[name] for name, value in example.items()}
    for templates in ("WECHAT_TEMPLATES", "SMS_TEMPLATES"):
        filled[templates] = re.sub(r"(\w+)=", r"\1=id-of-\1", example[templates])
    settings = from_environment(filled)
    assert settings.port == 8000
    assert settings.wechat_templates[TemplateName.CLASS_CHANGE] == "id-of-class_change"
    with_sms = from_environment(filled | {"SMS_PROVIDER": "tencent"}).sms_account
    assert with_sms is not None
    assert with_sms.templates[ShortMessageName.PLEASE_CALL] == "id-of-please_call"


# --- rates --------------------------------------------------------------------------------------------------------


def test_rates_are_generous_unless_said_otherwise(production: dict[str, str], tmp_path: Path) -> None:
    assert from_environment(production).rates == RATES
    assert from_environment({"DATA_DIR": str(tmp_path)}).rates == RATES


def test_a_rate_takes_the_place_of_its_default_and_off_switches_off(production: dict[str, str]) -> None:
    rates = from_environment(production | {"RATE_LIMITS": "taps=5/second, copy=off"}).rates
    assert rates[RateName.TAPS] == Rate(5, 1)
    assert RateName.COPY not in rates
    assert rates[RateName.LOGIN] == RATES[RateName.LOGIN]
    assert from_environment(production | {"RATE_LIMITS": "off"}).rates == {}


@pytest.mark.parametrize("wrong", ["taps", "taps=60", "naps=60/minute", "=60/minute", "taps=0/minute"])
def test_a_rate_that_makes_no_sense_is_told(production: dict[str, str], wrong: str) -> None:
    (fault,) = faults_of(production | {"RATE_LIMITS": wrong})
    assert fault.startswith(f"RATE_LIMITS has {wrong!r}")


def test_the_example_says_the_rates_there_are(production: dict[str, str]) -> None:
    (line,) = [line for line in EXAMPLE.read_text().splitlines() if line.startswith("RATE_LIMITS=")]
    assert from_environment(production | {"RATE_LIMITS": line.partition("=")[2]}).rates == RATES
    assert all(f"{name}=" in line for name in RateName)


@pytest.mark.parametrize(
    ("said", "url"),
    [("memory://", None), ("redis://10.0.0.5:6379/0", "redis://10.0.0.5:6379/0"), ("", None)],
)
def test_rates_are_counted_in_memory_or_in_redis(
    production: dict[str, str], said: str, url: str | None
) -> None:
    assert from_environment(production | {"RATE_LIMIT_STORAGE": said}).rate_limit_storage == url


def test_another_place_to_count_is_refused_and_a_password_is_not_shown(production: dict[str, str]) -> None:
    for wrong in ("mongodb://db", "redis://", "10.0.0.5:6379"):
        (fault,) = faults_of(production | {"RATE_LIMIT_STORAGE": wrong})
        assert fault.startswith("RATE_LIMIT_STORAGE")
    kept = from_environment(production | {"RATE_LIMIT_STORAGE": "redis://:hunter7@db/0"})
    assert "hunter7" not in repr(kept)


def test_production_stands_behind_one_proxy_and_a_demo_behind_none(
    production: dict[str, str], tmp_path: Path
) -> None:
    assert from_environment(production).trusted_proxies == 1
    assert from_environment({"DATA_DIR": str(tmp_path)}).trusted_proxies == 0
    assert from_environment(production | {"TRUSTED_PROXIES": "0"}).trusted_proxies == 0
    assert faults_of(production | {"TRUSTED_PROXIES": "-1"}) == ["TRUSTED_PROXIES is '-1'; it may be 0 to 8"]
