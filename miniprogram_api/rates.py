"""Rates (频率): how often one address, or one login, may ask for the same; whoever asks more often is told to wait.

Limits keep a broken or a hostile client from costing others their turn. They are far above what people do: old people tap twice, a
phone asks again where the net is bad, and two thousand phones of one community may share one address of their carrier. So what is public is
counted by address and allowed in the hundreds a minute; what needs a login is counted by login, and more sharply.

Windows are fixed: so many in so many seconds, and the count begins anew. They are counted in this process's memory, or in a Redis that
several processes share. Taps are always counted in memory: a way to Redis and back costs more than deciding one.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import structlog
from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from models import clock
from models.errors import TooOften
from models.vault import vault

log = structlog.get_logger()

MOST_NAMES = 65_536  # counted in one window; a few megabytes
REDIS_SECONDS = 0.5  # how long one waits for it
REDIS_RESTS_SECONDS = 30.0  # after it did not answer; meanwhile each process counts for itself
UNITS = {"second": 1, "minute": 60, "hour": 3600}
MOST_TIMES = 1_000_000
_IPV6_NET = 64  # of the smallest net a house gets; every address in it is the same house's


class RateName(StrEnum):
    """What is counted."""

    LOGIN = "login"  # 登录，按网络地址
    TAPS = "taps"  # 报名与取消
    PROFILE = "profile"  # 填写资料
    PHONE = "phone"  # 绑定手机号
    COPY = "copy"  # 个人信息副本
    ANSWERS = "answers"  # 上报订阅授权
    INVITATIONS = "invitations"  # 输入邀请码
    CHECK_INS = "check_ins"  # 输入教室签到码
    OWN_CODES = "own_codes"  # 查看自己的签到码
    FILES = "files"  # 导出文件
    CERTIFICATES = "certificates"  # 查验证书，按网络地址
    COUNTER = "counter"  # 工作人员登记和查找居民
    RESERVING = "reserving"  # 预约场地
    DOOR_CODES = "door_codes"  # 输入门口签到码
    PHOTOS = "photos"  # 上传照片
    WISHES = "wishes"  # 许愿
    URGES = "urges"  # 催办
    CLAIMS = "claims"  # 认领心愿
    WISH_CODES = "wish_codes"  # 单位说办好了，可能带着居民报的圆梦码


@dataclass(frozen=True, slots=True)
class Rate:
    """So many times in so many seconds."""

    times: int
    seconds: int


RATES: Mapping[RateName, Rate] = {
    RateName.LOGIN: Rate(600, 60),
    RateName.TAPS: Rate(60, 60),
    RateName.PROFILE: Rate(30, 60),
    RateName.PHONE: Rate(10, 60),
    RateName.COPY: Rate(10, 60),
    RateName.ANSWERS: Rate(60, 60),
    RateName.CHECK_INS: Rate(20, 60),
    RateName.OWN_CODES: Rate(60, 60),
    RateName.INVITATIONS: Rate(10, 60),
    RateName.FILES: Rate(20, 60),
    RateName.CERTIFICATES: Rate(120, 60),
    RateName.COUNTER: Rate(60, 60),
    RateName.RESERVING: Rate(60, 60),
    RateName.DOOR_CODES: Rate(20, 60),
    RateName.PHOTOS: Rate(30, 60),
    RateName.WISHES: Rate(30, 60),
    RateName.URGES: Rate(60, 60),
    RateName.CLAIMS: Rate(60, 60),
    RateName.WISH_CODES: Rate(10, 3600),  # a code has a million numbers: nobody guesses it
}


def rate_of(text: str) -> Rate | None:
    """What ``60/minute`` says. Raises ValueError; ``off`` is no rate at all."""
    if text == "off":
        return None
    times, _, unit = text.partition("/")
    if not (times.isascii() and times.isdigit() and len(times) < 8 and 1 <= int(times) <= MOST_TIMES):
        raise ValueError(text)
    if unit not in UNITS:
        raise ValueError(text)
    return Rate(int(times), UNITS[unit])


class Tally(Protocol):
    """Where it is counted."""

    def seconds_to_wait(self, name: RateName, who: str, rate: Rate) -> int:
        """Count one more; 0 when that is still within the rate, else after how many seconds to ask again."""
        ...


class _Window:
    __slots__ = ("counts", "ends_at")

    def __init__(self, ends_at: float) -> None:
        self.ends_at = ends_at
        self.counts: dict[str, int] = {}


class MemoryTally:
    """Counts in this process. A window is forgotten as a whole when it ends, or when ``most_names`` were counted in it.

    Threads that count one name at the same moment may count it once: a limit is no ledger.
    """

    def __init__(
        self, *, most_names: int = MOST_NAMES, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._most_names = most_names
        self._monotonic = monotonic
        self._windows: dict[RateName, _Window] = {}

    def seconds_to_wait(self, name: RateName, who: str, rate: Rate) -> int:
        """See ``Tally``."""
        now = self._monotonic()
        window = self._windows.get(name)
        if window is None or now >= window.ends_at:
            window = self._windows[name] = _Window(now + rate.seconds)
        counts = window.counts
        count = counts.get(who, 0) + 1
        if count == 1 and len(counts) >= self._most_names:
            counts.clear()  # whoever fills it with names of their own gains one more window, and costs no memory
        counts[who] = count
        return 0 if count <= rate.times else math.ceil(window.ends_at - now)


class RedisTally:
    """Counts in a Redis that several processes share. While it does not answer, each process counts for itself, and says so once.

    What stands there is a keyed hash of the address or login, for the length of a window.
    """

    def __init__(self, url: str) -> None:
        self._storage = storage_from_string(
            url,
            wrap_exceptions=True,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
        )
        self._limiter = FixedWindowRateLimiter(self._storage)
        self._meanwhile = MemoryTally()
        self._rests_until = float("-inf")

    def seconds_to_wait(self, name: RateName, who: str, rate: Rate) -> int:
        """See ``Tally``."""
        if time.monotonic() < self._rests_until:
            return self._meanwhile.seconds_to_wait(name, who, rate)
        item = RateLimitItemPerSecond(rate.times, rate.seconds, namespace="jiamenkou")
        counted = (name.value, vault.fingerprint(who))
        try:
            if self._limiter.hit(item, *counted):
                return 0
            ends_at = self._limiter.get_window_stats(item, *counted).reset_time
        except StorageError as error:
            self._rests_until = time.monotonic() + REDIS_RESTS_SECONDS
            log.warning("rates_counted_alone", kind=type(error.storage_error).__name__)
            return self._meanwhile.seconds_to_wait(name, who, rate)
        return min(max(math.ceil(ends_at - clock.now().timestamp()), 1), rate.seconds)


class Rates:
    """The limits of one installation. What has no rate is not counted."""

    def __init__(self, rates: Mapping[RateName, Rate], *, redis_url: str | None = None) -> None:
        in_memory = MemoryTally()
        shared: Tally = RedisTally(redis_url) if redis_url is not None else in_memory
        self._rates = {
            name: (rate, in_memory if name is RateName.TAPS else shared) for name, rate in rates.items()
        }

    def count(self, name: RateName, who: str) -> None:
        """Somebody asks once more. Raises TooOften with the seconds to wait."""
        found = self._rates.get(name)
        if found is None:
            return
        rate, tally = found
        seconds = tally.seconds_to_wait(name, who, rate)
        if seconds:
            raise TooOften(retry_after=seconds)


def address_of(peer: str, forwarded: str, *, trusted_proxies: int) -> str:
    """Whose address a request came from: what the outermost of our own proxies wrote down (``X-Forwarded-For``), else the peer's.

    What a visitor wrote into the header themselves stands to the left of it and is not believed.
    """
    hops = [hop.strip() for hop in forwarded.split(",")] if forwarded else []
    text = hops[-trusted_proxies] if 0 < trusted_proxies <= len(hops) else peer
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text[:64]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_NET), strict=False))
