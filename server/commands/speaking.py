"""Speaking (说话): how a command answers: plain Chinese on stdout, a refusal as one line on stderr with exit code 1."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import NoReturn, ParamSpec, TypeVar

import click
from sqlalchemy.exc import OperationalError, ProgrammingError

from models.base import has_control_characters
from models.errors import Fault, Invalid, Refusal

P = ParamSpec("P")
R = TypeVar("R")


def speaks(command: Callable[P, R]) -> Callable[P, R]:
    """A command whose refusals are told in one line, and whose Chinese reaches any pipe or terminal."""

    @functools.wraps(command)
    def spoken(*args: P.args, **kwargs: P.kwargs) -> R:
        _settle_encoding()
        try:
            return command(*args, **kwargs)
        except Invalid as refusal:
            _refuse("；".join(fault.message for fault in refusal.faults) or refusal.message)
        except Refusal as refusal:
            _refuse(refusal.message)
        except (OperationalError, ProgrammingError) as error:
            _refuse(f"数据库连不上，或者还没有升级到最新（db upgrade）：{str(error.orig).splitlines()[0]}")

    return spoken


def say(line: str = "") -> None:
    """One line for the person at the terminal."""
    click.echo(line)


def must_be_a_name(text: str, what: str, *, most: int) -> str:
    """The text, trimmed. Raises Invalid when it is blank, too long, or holds control characters."""
    name = text.strip()
    if not name or len(name) > most or has_control_characters(name) or "\n" in name:
        raise Invalid([Fault(what, f"{what}要有 1 到 {most} 个字，不能有换行和控制字符")])
    return name


def _refuse(line: str) -> NoReturn:
    click.echo(" ".join(line.split()), err=True)
    raise SystemExit(1)


def _settle_encoding() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            "家门口".encode(stream.encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(encoding="utf-8")
