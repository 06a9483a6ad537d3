"""Coordination: what spans nouns that are strangers to each other (architecture.md §1): what holds a room, closures and their impact, one's own clashes."""

from __future__ import annotations

from models.coordination import closures

__all__ = ["closures"]
