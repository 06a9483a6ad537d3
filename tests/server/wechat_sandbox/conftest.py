"""Every test here talks to a sandbox of its own."""

from tests.sandbox import listener, sandbox

__all__ = ["listener", "sandbox"]
