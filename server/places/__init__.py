"""The places of a town (登记地方): from a clerk's file to regions, sites and rooms, the whole file or nothing of it.

tables       the tabs of the file and what a cell of them may say
names        what a clerk may write for a place that is known
registering  all of it in order, and what a clerk reads of it
"""

from __future__ import annotations

from server.places.registering import Report, import_places, register_places
from server.places.tables import REGION_KINDS, SITE_KINDS, read_tables

__all__ = ["REGION_KINDS", "SITE_KINDS", "Report", "import_places", "read_tables", "register_places"]
