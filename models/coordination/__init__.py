"""Coordination: what spans nouns that are strangers to each other (architecture.md §1): what holds a room, closures and their impact, one's own clashes."""
