"""A gateway that speaks to a sandbox over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from miniprogram_api.wechat import ProcessTokenShelf, WeChatGateway
from tests.sandbox import SandboxTown, listener, sandbox

__all__ = ["gateway", "listener", "sandbox", "shelf"]


@pytest.fixture
def shelf() -> ProcessTokenShelf:
    """An empty shelf."""
    return ProcessTokenShelf()


@pytest.fixture
def gateway(sandbox: SandboxTown, shelf: ProcessTokenShelf) -> Iterator[WeChatGateway]:
    """A gateway with short patience, so that slow WeChat is a short test."""
    made = WeChatGateway(
        appid=sandbox.appid,
        secret=sandbox.secret,
        base_url=sandbox.base_url,
        tokens=shelf,
        timeout=(0.5, 0.5),
    )
    yield made
    made.close()
