"""Completing a class: the certificate, its check by anybody, and the learner's record."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for

from miniprogram_api.acting import oneself_and_wards, oneself_or_ward
from miniprogram_api.certificate_pdf import MIME, pdf_of, said_day, said_days
from miniprogram_api.edge import Door, Needs, account, asking_address, caller, staff_hat
from miniprogram_api.installed import rates, terms
from miniprogram_api.rates import RateName
from miniprogram_api.rosters import answered_with
from miniprogram_api.schemas.certificates import (
    CertificateOut,
    CertificatesOut,
    CheckedCertificateOut,
    CompletionOut,
    RecordOut,
    StaffCertificateOut,
    StaffCertificatesOut,
)
from miniprogram_api.schemas.courses import ForWhom
from miniprogram_api.schemas.fields import masked_name
from miniprogram_api.schemas.timetabling import BecauseIn
from miniprogram_api.sheets import named
from miniprogram_api.webpages import page_of, page_of_nothing, pages
from models.base import db
from models.courses import (
    Certificate,
    CourseRun,
    Record,
    certificate_for_staff,
    certificate_of,
    certificate_with,
    certificates_of,
    certificates_to,
    complete_run,
    published_run,
    record_of,
    revoke_certificate,
    run_for_staff,
)
from models.errors import NotFound
from models.journal import enter
from models.regions import Region
from models.staff import OFFICE, places_of

door = Door("certificates", description="结业与学习记录")

_FILE = {"type": "string", "format": "binary"}


@door.get("/certificates/<code>", needs=Needs.NOTHING, rate=RateName.CERTIFICATES)
@door.gives(CheckedCertificateOut, refuses=(404,))
def check_certificate(code: str) -> Certificate:
    """证书查验

    Whether a certificate is real, by the code on it, with or without its dashes: course, days and hours, and the name masked. One that was
    taken back is found, and says so.
    """
    return certificate_with(db.session(), code)


@pages.get("/certificates/<code>")
def show_page_of_certificate(code: str) -> Response:
    """The same as a page, where the QR code on the paper leads."""
    rates().count(RateName.CERTIFICATES, asking_address())
    try:
        certificate = certificate_with(db.session(), code)
    except NotFound as missing:
        return page_of_nothing(missing.message)
    run = certificate.registration.run
    shown = page_of(
        "certificate.html",
        certificate=certificate,
        name=masked_name(certificate.name),
        run=run,
        days=said_days(run),
        said_day=said_day,
    )
    shown.headers["X-Robots-Tag"] = "noindex"
    return shown


@door.get("/me/certificates")
@door.gives(CertificatesOut)
def list_my_certificates() -> dict[str, Any]:
    """我的结业证书

    One's own and those of the people one may act for, newest first, also those taken back.
    """
    session = db.session()
    people = oneself_and_wards()
    return {"items": certificates_of(session, people)}


@door.get("/course-runs/<key:key>/certificate")
@door.takes(ForWhom, location="query")
@door.gives(CertificateOut, refuses=(422,))
def show_certificate(whom: dict[str, Any], key: str) -> Certificate:
    """班次的结业证书

    One's own, or somebody's one acts for; 404 ``no_certificate`` without one.
    """
    session = db.session()
    return certificate_of(session, published_run(session, key), oneself_or_ward(whom.get("for_key")))


@door.get("/course-runs/<key:key>/certificate/file", rate=RateName.FILES)
@door.takes(ForWhom, location="query")
@door.response(200, _FILE, content_type=MIME)
@door.gives(None, refuses=(422,))
def show_certificate_file(whom: dict[str, Any], key: str) -> Response:
    """下载结业证书

    The certificate as a PDF, to print, with a QR code that opens the page for checking it. One that was taken back says so across it.
    """
    session = db.session()
    certificate = certificate_of(session, published_run(session, key), oneself_or_ward(whom.get("for_key")))
    title = certificate.registration.run.course.title
    page = url_for("pages.show_page_of_certificate", code=certificate.printed_code)
    body = pdf_of(certificate, checked_at=f"{terms().public_url}{page}")
    return answered_with(body, MIME, named(f"{title}结业证书", "pdf"))


@door.get("/me/record")
@door.takes(ForWhom, location="query")
@door.gives(RecordOut, refuses=(422,))
def show_record(whom: dict[str, Any]) -> Record:
    """学习记录

    Every course one had a seat in and that has begun, or somebody one acts for: how often they came, how many hours, and what they
    completed, newest first.
    """
    return record_of(db.session(), oneself_or_ward(whom.get("for_key")))


@door.put("/staff/course-runs/<key:key>/completion")
@door.gives(CompletionOut, refuses=(409,))
def complete(key: str) -> dict[str, Any]:
    """办理结业（工作人员）

    A class that is over: whoever came often enough has completed it; where no evening was recorded, everybody who had a seat. The town does
    the first by itself half a day after the last evening; staff do it after a correction, or by their word. Twice is fine.
    """
    session = db.session()
    run = _run(key)
    completed = complete_run(
        session, run, by_account_id=account().id, identity=caller().identity, by_their_word=True
    )
    return {"run": run, "completed": completed}


@door.get("/staff/course-runs/<key:key>/certificates", looks=True)
@door.gives(StaffCertificatesOut)
def list_certificates(key: str) -> dict[str, Any]:
    """班级的结业证书（工作人员）

    Every certificate of a run. Every look is journalled.
    """
    session, run = db.session(), _run(key)
    certificates = certificates_to(session, run)
    enter(
        session,
        "certificates.looked_at",
        run,
        by_account_id=account().id,
        identity=caller().identity,
        details={"lines": len(certificates)},
    )
    return {"items": certificates}


@door.put("/staff/certificates/<key:key>/revocation")
@door.takes(BecauseIn)
@door.gives(StaffCertificateOut, refuses=(409, 422))
def revoke(sent: dict[str, Any], key: str) -> Certificate:
    """撤销结业证书（工作人员）

    Take a certificate back, with the reason: whoever checks its code hears that it no longer stands. Twice is fine.
    """
    session = db.session()
    certificate = certificate_for_staff(session, key, within=_places())
    revoke_certificate(
        session,
        certificate,
        because=sent["because"],
        by_account_id=account().id,
        identity=caller().identity,
    )
    return certificate


def _places() -> list[Region]:
    return places_of(db.session(), staff_hat(), *OFFICE)


def _run(key: str) -> CourseRun:
    return run_for_staff(db.session(), key, within=_places())
