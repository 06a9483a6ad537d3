"""What is loaded from outside: ``create()`` by a WSGI server and the worker, ``command()`` by the ``flask`` command."""

from __future__ import annotations

import sys

from flask import Flask

from server.app import create_app
from server.settings import Misconfigured, Settings, from_environment


def create() -> Flask:
    """The product with the settings of the environment; ends the process naming every setting that is wrong."""
    return create_app(_settings(for_commands=False))


def command() -> Flask:
    """The product to be commanded: the same, but the ids of message templates may still be missing."""
    return create_app(_settings(for_commands=True))


def _settings(*, for_commands: bool) -> Settings:
    try:
        return from_environment(for_commands=for_commands)
    except Misconfigured as wrong:
        sys.exit(
            "\n".join(
                [
                    f"设置有误，共 {len(wrong.faults)} 处：",
                    *(f"  - {fault}" for fault in wrong.faults),
                ]
            )
        )
