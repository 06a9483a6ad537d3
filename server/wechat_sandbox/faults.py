"""Bad days on order: what goes wrong, on which path, how many times, for whom (wechat.md §12, fault injection)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

EVERYWHERE = "*"

# What comes instead of the answer, after all was done: half of it, a page of something in between, or somebody else's JSON.
GARBLED = {
    "cut": b'{"errcode":0,"errm',
    "page": b"<html><title>It works!</title></html>",
    "foreign": b'{"status": "ok"}',
}


@dataclass
class OrderedFault:
    """One thing to go wrong on ``path`` (``*`` is every WeChat path), ``left`` more times (``None``: until cleared).

    At most one of ``errcode``, ``http_status``, ``reset_before``, ``reset_after_processing`` and ``garbled`` (a name of
    ``GARBLED``); ``latency_ms`` stands alone or joins any of them. With ``openid`` it strikes only calls about that person.
    """

    id: int
    path: str
    left: int | None = 1
    openid: str | None = None
    errcode: int | None = None
    http_status: int | None = None
    latency_ms: int = 0
    reset_before: bool = False
    reset_after_processing: bool = False
    garbled: str | None = None


class Faults:
    """The faults on order, first come first struck."""

    def __init__(self) -> None:
        self.ordered: list[OrderedFault] = []
        self._ids = count(1)

    def order(
        self,
        *,
        path: str,
        times: int | None = 1,
        openid: str | None = None,
        errcode: int | None = None,
        http_status: int | None = None,
        latency_ms: int = 0,
        reset_before: bool = False,
        reset_after_processing: bool = False,
        garbled: str | None = None,
    ) -> OrderedFault:
        """Put a fault in line."""
        fault = OrderedFault(
            next(self._ids),
            path,
            times,
            openid,
            errcode,
            http_status,
            latency_ms,
            reset_before,
            reset_after_processing,
            garbled,
        )
        self.ordered.append(fault)
        return fault

    def clear(self) -> None:
        """Good weather again."""
        self.ordered.clear()

    def strike(self, path: str, whose: Callable[[], str | None]) -> OrderedFault | None:
        """The fault that befalls this call, counted down. ``whose`` is asked only when a fault is about one person."""
        for fault in self.ordered:
            if fault.path not in (path, EVERYWHERE):
                continue
            if fault.openid is not None and fault.openid != whose():
                continue
            if fault.left is not None:
                fault.left -= 1
                if fault.left == 0:
                    self.ordered.remove(fault)
            return fault
        return None
