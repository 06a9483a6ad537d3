"""Rosters and sign-in sheets as files, for the people who run a class.

A POST although it changes nothing but the journal: what for somebody takes a list of people does not belong into an address, which
every proxy on the way may write down. Nothing of the file is kept: asked again with the same ``Idempotency-Key``, it is made anew.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import Response, send_file

from miniprogram_api.edge import Door, staff_hat
from miniprogram_api.rates import RateName
from miniprogram_api.roster_sheets import file_name_of, table_of
from miniprogram_api.schemas.rosters import SheetIn
from miniprogram_api.sheets import MIME, workbook_of
from models.base import db
from models.courses import run_for_staff, take_sheet
from models.staff import OFFICE, places_of

door = Door("rosters", description="名单与签到表")

_FILE = {"type": "string", "format": "binary"}


@door.post("/staff/course-runs/<key:key>/sheets", rate=RateName.FILES)
@door.takes(SheetIn)
@door.response(200, _FILE, content_type=MIME)
@door.gives(None, refuses=(409, 422))
def export_sheet(sent: dict[str, Any], key: str) -> Response:
    """导出名单、签到表（工作人员）

    An Excel file, ready to print on A4: ``roster`` has everybody with a place and their phone numbers, ``sign_in`` whoever has a seat
    and a box for each evening. For administrators and clerks of the run's community or above, at this very moment; who took it, when,
    and for what stands in the journal and on every page.
    """
    session, member = db.session(), staff_hat()
    run = run_for_staff(session, key, within=places_of(session, member, *OFFICE))
    sheet = take_sheet(session, run, sent["kind"], purpose=sent["purpose"], by=member)
    return answered_with(workbook_of(table_of(sheet)), MIME, file_name_of(sheet))


def answered_with(body: bytes, kind: str, name: str) -> Response:
    """A file to keep under a Chinese name (RFC 5987); no cache on the way keeps it."""
    answer = send_file(BytesIO(body), mimetype=kind, as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer
