"""What the ``flask`` command finds by itself, so that ``flask timetable import FILE`` works from this folder."""

from __future__ import annotations

from server.wsgi import command as create_app

__all__ = ["create_app"]
