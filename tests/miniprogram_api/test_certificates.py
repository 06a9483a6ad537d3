"""Certificates over the phone: one's own to print, anybody's to check, the record of it all, and staff who decide."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from miniprogram_api import certificate_pdf
from miniprogram_api.certificate_pdf import CHINESE, LATIN, _pieces, pdf_of
from miniprogram_api.rates import Rate, RateName, Rates
from models.base import reading, transaction
from models.clock import StoppedClock
from models.courses import Certificate, CourseRun, complete_run
from models.courses.certificates import certificate_of
from models.journal import JournalEntry
from models.residents import Resident
from tests.people import Town
from tests.phones import Door, the_problem, told


@pytest.fixture
def done(door: Door, town: Town, clock: StoppedClock) -> CourseRun:
    """A class that is over and completed by staff's word: the resident's, and the guardian's child's."""
    run = town.a_run(title="摄影入门", evenings=2)
    town.resident.tap(run)
    town.guardian.tap(run, for_whom=town.child)
    clock.move_to(run.ends_at + timedelta(hours=1))
    answer = told(door.phone(town.clerk).put(f"/staff/course-runs/{run.key}/completion"))
    assert answer["completed"] == 2
    return town.now(run)


def test_ones_own_certificate_is_shown_listed_and_printed(door: Door, town: Town, done: CourseRun) -> None:
    phone = door.phone(town.resident)
    shown = told(phone.get(f"/course-runs/{done.key}/certificate"))
    assert (shown["title"], shown["name"], shown["evenings"], shown["hours"]) == (
        "摄影入门",
        town.resident.name,
        2,
        3.0,
    )
    assert told(phone.get("/me/certificates"))["items"] == [shown]
    file = phone.get(f"/course-runs/{done.key}/certificate/file")
    assert (file.status_code, file.mimetype) == (200, "application/pdf")
    assert file.data.startswith(b"%PDF")
    assert len(file.data) < 100_000
    assert "filename*=UTF-8''" in file.headers["Content-Disposition"]
    the_problem(door.phone(town.neighbour).get(f"/course-runs/{done.key}/certificate"), 404, "no_certificate")


def test_a_guardian_has_the_childs(door: Door, town: Town, done: CourseRun) -> None:
    phone, whom = door.phone(town.guardian), f"?for={town.child.key}"
    shown = told(phone.get(f"/course-runs/{done.key}/certificate{whom}"))
    assert shown["resident"] == town.child.key
    assert phone.get(f"/course-runs/{done.key}/certificate/file{whom}").mimetype == "application/pdf"
    assert [one["resident"] for one in told(phone.get("/me/certificates"))["items"]] == [town.child.key]
    the_problem(
        door.phone(town.neighbour).get(f"/course-runs/{done.key}/certificate/file{whom}"), 404, "no_bond"
    )


def test_anybody_checks_a_code_and_hears_a_masked_name(door: Door, town: Town, done: CourseRun) -> None:
    code = told(door.phone(town.resident).get(f"/course-runs/{done.key}/certificate"))["code"]
    answer = door.phone().get(f"/certificates/{code}")
    checked = told(answer)
    assert (checked["is_valid"], checked["name"], checked["title"]) == (True, "*静", "摄影入门")
    assert town.resident.name not in answer.text
    assert town.resident.key not in answer.text
    the_problem(door.phone().get("/certificates/AAAA-AAAA-AAAA-AAAA"), 404, "certificate_unknown")


def page(door: Door, code: str) -> TestResponse:
    return door.app.test_client().get(f"/certificates/{code}")


def test_the_code_on_the_paper_leads_to_a_page_anybody_can_read(
    door: Door, town: Town, done: CourseRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(certificate_pdf, "_draw_code", lambda sheet, text: drawn.append(text))
    phone = door.phone(town.resident)
    phone.get(f"/course-runs/{done.key}/certificate/file")
    code = told(phone.get(f"/course-runs/{done.key}/certificate"))["code"]
    assert drawn == [f"{door.app.extensions['settings'].public_url}/certificates/{code}"]
    shown = page(door, urlsplit(drawn[0]).path.rpartition("/")[2])
    assert (shown.status_code, shown.mimetype) == (200, "text/html")
    for said in (
        "证书有效",
        "摄影入门",
        "姓名：*静",
        code,
        "共 2 次课，到课 2 次，累计 3 小时",
        "2026年12月3日至",
    ):
        assert said in shown.text
    assert town.resident.name not in shown.text
    assert shown.headers["X-Robots-Tag"] == "noindex"
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]


def test_the_page_of_a_certificate_nobody_issued_says_so(door: Door, town: Town) -> None:
    shown = page(door, "AAAA-AAAA-AAAA-AAAA")
    assert (shown.status_code, shown.mimetype) == (404, "text/html")
    assert "没有找到这张证书" in shown.text


def test_codes_are_not_tried_out_on_the_page_either(door: Door, town: Town) -> None:
    door.app.extensions["rates"] = Rates({RateName.CERTIFICATES: Rate(2, 60)})
    try:
        assert [page(door, "A" * 16).status_code for _ in range(3)] == [404, 404, 429]
    finally:
        door.app.extensions["rates"] = Rates({})


def test_a_certificate_taken_back_says_so_to_everybody(door: Door, town: Town, done: CourseRun) -> None:
    clerk, mine = door.phone(town.clerk), door.phone(town.resident)
    listed = told(clerk.get(f"/staff/course-runs/{done.key}/certificates"))["items"]
    assert [one["name"] for one in listed] == [town.resident.name, town.child.name]
    valid = mine.get(f"/course-runs/{done.key}/certificate/file").data
    path = f"/staff/certificates/{listed[0]['key']}/revocation"
    for _ in range(2):
        assert told(clerk.put(path, json={"because": "代签"}))["revoked_because"] == "代签"
    checked = told(door.phone().get(f"/certificates/{listed[0]['code']}"))
    assert checked["is_valid"] is False
    assert checked["revoked_at"]
    assert "代签" not in str(checked), "why is between the community and the person"
    shown = page(door, listed[0]["code"]).text
    assert "证书已撤销" in shown
    assert "证书有效" not in shown
    assert "代签" not in shown
    assert told(mine.get(f"/course-runs/{done.key}/certificate"))["revoked_because"] == "代签"
    assert [taken["certificate"] for taken in told(mine.get("/me/record"))["items"]] == [None]
    assert len(mine.get(f"/course-runs/{done.key}/certificate/file").data) != len(valid)
    with reading() as session:
        acts = session.scalars(
            select(JournalEntry.act).where(JournalEntry.act.contains("certificate")).order_by(JournalEntry.id)
        ).all()
    assert acts == ["certificates.looked_at", "certificate.revoked"]


def test_the_record_is_ones_own_and_ones_wards(door: Door, town: Town, done: CourseRun) -> None:
    record = told(door.phone(town.resident).get("/me/record"))
    assert (record["courses"], record["completed"], record["hours"]) == (1, 1, 3.0)
    (taken,) = record["items"]
    assert (taken["title"], taken["state_label"], taken["evenings_held"]) == ("摄影入门", "已结业", 2)
    assert taken["certificate"]
    phone = door.phone(town.guardian)
    assert told(phone.get("/me/record"))["items"] == []
    assert told(phone.get(f"/me/record?for={town.child.key}"))["completed"] == 1
    the_problem(door.phone(town.neighbour).get(f"/me/record?for={town.child.key}"), 404, "no_bond")


def test_it_is_in_the_copy_of_ones_data(door: Door, town: Town, done: CourseRun) -> None:
    copy = told(door.phone(town.resident).get("/me/copy"))
    (held,) = copy["oneself"]["registrations"]
    assert held["state"] == "completed"
    assert held["certificate"]["evenings"] == 2
    assert "结业" in [line["act_label"] for line in held["history"]]


def test_who_completed_a_class_is_still_on_its_roster(door: Door, town: Town, done: CourseRun) -> None:
    roster = told(door.phone(town.clerk).get(f"/staff/course-runs/{done.key}/registrations"))["items"]
    assert [line["state"] for line in roster] == ["completed", "completed"]


def test_staff_of_elsewhere_complete_nothing(door: Door, town: Town, clock: StoppedClock) -> None:
    run = town.a_run(community=town.wangjiang)
    clock.move_to(run.ends_at)
    the_problem(door.phone(town.clerk).put(f"/staff/course-runs/{run.key}/completion"), 404, "not_found")


@pytest.mark.parametrize("name", ["欧阳䶮娜", "𬱟", "A" * 40, "很长" * 20, None, "“引号”"])
def test_any_name_is_printed(town: Town, clock: StoppedClock, name: str | None) -> None:
    run = town.a_run()
    town.resident.tap(run)
    with transaction() as session:
        session.execute(update(Resident).where(Resident.id == town.resident.resident_id).values(name=name))
    clock.move_to(run.ends_at)
    with transaction() as session:
        complete_run(session, session.get_one(CourseRun, run.id), by_their_word=True)
    with reading() as session:
        certificate = certificate_of(session, run, town.resident.resident(session))
        assert isinstance(certificate, Certificate)
        assert pdf_of(certificate, checked_at="https://town.example").startswith(b"%PDF")


def test_each_sign_has_a_face_that_has_it() -> None:
    assert _pieces("学AI“课”𬱟") == [
        (CHINESE, "学"),
        (LATIN, "AI“"),
        (CHINESE, "课"),
        (LATIN, "”"),
        (CHINESE, "〓"),
    ]
