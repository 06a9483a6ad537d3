"""What is loaded from outside: ``create()`` by a WSGI server and the worker, ``command()`` by the ``flask`` command."""

from __future__ import annotations

import sys

from flask import Flask

from server.app import create_app
from server.settings import Misconfigured, from_environment

CANNOT_BOOT = 3  # gunicorn starts a worker that ends with any other code again, and again


def create() -> Flask:
    """The product with the settings of the environment; ends the process naming every setting that is wrong."""
    try:
        return create_app(from_environment())
    except Misconfigured as wrong:
        print(_said(wrong), file=sys.stderr)  # noqa: T201 - this is what the operator reads
        sys.exit(CANNOT_BOOT)


def command() -> Flask:
    """The product to be commanded: the same, but the ids of message templates may still be missing."""
    try:
        return create_app(from_environment(for_commands=True))
    except Misconfigured as wrong:
        sys.exit(_said(wrong))


def _said(wrong: Misconfigured) -> str:
    return "\n".join([f"设置有误，共 {len(wrong.faults)} 处：", *(f"  - {fault}" for fault in wrong.faults)])
