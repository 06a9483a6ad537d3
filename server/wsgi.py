"""What a WSGI server or the flask command loads: ``server.wsgi:create()``."""

from __future__ import annotations

import sys

from flask import Flask

from server.app import create_app
from server.settings import Misconfigured, from_environment


def create() -> Flask:
    """The product with the settings of the environment; ends the process naming every setting that is wrong."""
    try:
        settings = from_environment()
    except Misconfigured as wrong:
        sys.exit(
            "\n".join(
                [
                    f"设置有误，共 {len(wrong.faults)} 处：",
                    *(f"  - {fault}" for fault in wrong.faults),
                ]
            )
        )
    return create_app(settings)
