"""Pages (网页) for whoever has no mini-program at hand: large letters, nothing that loads, nothing that runs."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Blueprint, Response
from jinja2 import Environment, PackageLoader

pages = Blueprint("pages", __name__)

MANNERS = {
    # nothing of elsewhere, nothing that runs
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
}


def written(template: str, **shown: Any) -> str:
    """A page as text; what people typed is text on it."""
    return _templates().get_template(template).render(**shown)


def page_of(template: str, status: int = 200, **shown: Any) -> Response:
    """A page as an answer."""
    return Response(written(template, **shown), status, MANNERS, mimetype="text/html")


def page_of_nothing(message: str) -> Response:
    """What somebody reads where there is nothing to show."""
    return page_of("page.html", 404, missing=message)


@cache
def _templates() -> Environment:
    return Environment(loader=PackageLoader("miniprogram_api"), autoescape=True)
