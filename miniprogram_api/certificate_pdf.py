"""The certificate on paper (结业证书): one A4 page across, drawn by hand, with its characters inside.

Whoever holds it checks it by a QR code, which opens the public page about it, or by the code in letters beside it.

The face is the one of ``fonts``, of which reportlab embeds what the page has: the paper looks the same on a machine without any fonts.
"""

from __future__ import annotations

import threading
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import segno
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from models import clock
from models.courses import Certificate, CourseRun

MIME = "application/pdf"
CHINESE, LATIN = "Jiamenkou", "Vera"
FACE = Path(__file__).parent / "fonts" / "DroidSansFallbackFull.ttf"
MISSING = "〓"  # in the place of a character the face does not have
RED, INK, GREY = HexColor("#a8322a"), HexColor("#222222"), HexColor("#777777")
WIDTH, HEIGHT = landscape(A4)
LONGEST_LINE = WIDTH - 200
CODE_LEFT, CODE_FOOT, CODE_SIDE = 70, 62, 92  # where the QR code stands, and how large: three centimetres

_registering = threading.Lock()


def pdf_of(certificate: Certificate, *, checked_at: str) -> bytes:
    """The certificate as a PDF; ``checked_at`` is the address that says whether it stands. One that was taken back says so across the page."""
    _know_faces()
    kept = BytesIO()
    page = Canvas(kept, pagesize=(WIDTH, HEIGHT), pageCompression=1, initialFontName=LATIN)  # type: ignore[arg-type]  # the stub takes a name for a number
    run = certificate.registration.run
    page.setTitle(f"结业证书 {run.course.title}")
    page.setAuthor(run.region.name)
    _frame(page)
    page.setFillColor(RED)
    _centred(page, "结 业 证 书", HEIGHT - 140, 44)
    page.setFillColor(INK)
    _centred(page, certificate.name or "（姓名不再保留）", HEIGHT - 215, 28)
    lines = (
        f"于{said_days(run)}参加{run.region.name}举办的",
        f"“{run.course.title}”课程学习，",
        f"共 {certificate.evenings_held} 次课，到课 {certificate.evenings} 次，累计 {certificate.hours:g} 小时，",
        "完成学习，准予结业。",
    )
    for number, line in enumerate(lines):
        _centred(page, line, HEIGHT - 270 - 34 * number, 18)
    _right(page, run.region.name, 160, 16)
    _right(page, said_day(certificate.issued_at), 134, 14)
    _draw_code(page, checked_at)
    beside = CODE_LEFT + CODE_SIDE + 14
    _write(page, f"证书编号 {certificate.printed_code}", beside, CODE_FOOT + 52, 12)
    page.setFillColor(GREY)
    _write(page, "扫左边的二维码，或在小程序“证书查验”中输入编号，", beside, CODE_FOOT + 30, 10)
    _write(page, "可以核对这张证书的真伪", beside, CODE_FOOT + 14, 10)
    if not certificate.is_valid:
        page.saveState()
        page.translate(WIDTH / 2, HEIGHT / 2)
        page.rotate(24)
        page.setFillColor(RED, alpha=0.35)
        text = "已撤销"
        _write(page, text, -_width(text, 120) / 2, -40, 120)
        page.restoreState()
    page.showPage()
    page.save()
    return kept.getvalue()


def said_days(run: CourseRun) -> str:
    """From when to when a class was, as it stands on the paper."""
    first, last = said_day(run.starts_at), said_day(run.ends_at)
    return first if first == last else f"{first}至{last}"


def said_day(moment: datetime) -> str:
    """A day of the town with its year."""
    at = clock.in_town(moment)
    return f"{at:%Y}年{at.month}月{at.day}日"


def _draw_code(page: Canvas, text: str) -> None:
    """A QR code, square by square, in ink on the bare paper around it."""
    rows = segno.make(text, error="m", micro=False).matrix
    side = CODE_SIDE / len(rows)
    page.setFillColor(INK)
    for down, row in enumerate(rows, start=1):
        for across, is_dark in enumerate(row):
            if is_dark:
                x, y = CODE_LEFT + across * side, CODE_FOOT + CODE_SIDE - down * side
                page.rect(x, y, side, side, stroke=0, fill=1)


def _frame(page: Canvas) -> None:
    page.setStrokeColor(RED)
    for inset, width in ((24, 3), (32, 1)):
        page.setLineWidth(width)
        page.rect(inset, inset, WIDTH - 2 * inset, HEIGHT - 2 * inset)


def _centred(page: Canvas, text: str, y: float, size: float) -> None:
    """A line in the middle, made smaller when it is too long."""
    size = min(size, size * LONGEST_LINE / max(_width(text, size), 1))
    _write(page, text, (WIDTH - _width(text, size)) / 2, y, size)


def _right(page: Canvas, text: str, y: float, size: float) -> None:
    _write(page, text, WIDTH - 110 - _width(text, size), y, size)


def _write(page: Canvas, text: str, x: float, y: float, size: float) -> None:
    """A line of Chinese and Latin, each in its face."""
    for face, piece in _pieces(text):
        page.setFont(face, size)
        page.drawString(x, y, piece)
        x += pdfmetrics.stringWidth(piece, face, size)


def _width(text: str, size: float) -> float:
    _know_faces()
    return sum(pdfmetrics.stringWidth(piece, face, size) for face, piece in _pieces(text))


def _pieces(text: str) -> list[tuple[str, str]]:
    pieces: list[tuple[str, str]] = []
    for sign in text:
        # Latin signs, and the quotation marks the Chinese face leaves out
        face = (
            LATIN
            if ord(sign) in _known(LATIN) and (sign.isascii() or ord(sign) not in _known(CHINESE))
            else CHINESE
        )
        drawn = sign if ord(sign) in _known(face) else MISSING
        if pieces and pieces[-1][0] is face:
            pieces[-1] = (face, pieces[-1][1] + drawn)
        else:
            pieces.append((face, drawn))
    return pieces


@cache
def _known(name: str) -> frozenset[int]:
    """The characters a face has."""
    _know_faces()
    face: Any = pdfmetrics.getFont(name)
    return frozenset(face.face.charToGlyph)


def _know_faces() -> None:
    """Read the faces once a process."""
    with _registering:
        if CHINESE not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(LATIN, "Vera.ttf"))
            pdfmetrics.registerFont(TTFont(CHINESE, str(FACE)))
