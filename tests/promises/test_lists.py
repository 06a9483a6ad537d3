"""Lists kept by hand: whoever adds a door, a table, an act or a file is told which list it is still missing from."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Collection, Iterator

import pytest
from sqlalchemy import event

import miniprogram_api
from miniprogram_api import DOORS
from miniprogram_api.edge import Door
from miniprogram_api.schemas.acts import ACT_LABELS
from models.base import db, reading
from models.copies import copy_for
from models.courses import LIVE
from models.departures.leaving import POINTS_AT_A_PERSON
from models.ladder import CallOutcome
from tests.people import Town
from tests.promises.test_repository import ROOT, modules, named, tracked

# tables that point at a person and are no part of their copy, and why
NOT_IN_THE_COPY: dict[str, str] = {}
# the verbs of the journal
ENTERING = {"enter", "enter_each", "journal_each"}
# acts whose end is the state something came to
ENDINGS: dict[str, Collection[str]] = {"registration.": LIVE, "call.": list(CallOutcome)}
GUIDES = (
    "README.md",
    "CONTRIBUTING.md",
    "deploy/README.md",
    "docs/hot-path.md",
    "docs/messages.md",
    "docs/refusals.md",
)
TEXTS = {".md", ".py", ".toml", ".example", ""}


# --- doors --------------------------------------------------------------------------------------------------------


def test_every_door_is_hung_where_phones_find_it() -> None:
    found = {
        f"{module.name}.{name}": value
        for module in pkgutil.walk_packages(miniprogram_api.__path__, "miniprogram_api.")
        for name, value in vars(importlib.import_module(module.name)).items()
        if isinstance(value, Door)
    }
    assert found
    missing = sorted(name for name, door in found.items() if door not in DOORS)
    assert not missing, f"add to DOORS in miniprogram_api/__init__.py, or nobody gets in: {missing}"


# --- tables -------------------------------------------------------------------------------------------------------


def tables_in_source() -> dict[str, str]:
    """Every ``__tablename__`` of the product, and the file it stands in."""
    return {
        node.value.value: named(path)
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        and any(isinstance(target, ast.Name) and target.id == "__tablename__" for target in node.targets)
    }


def test_every_table_is_known_to_the_registry() -> None:
    """In a process of its own: here the tests have imported everything already."""
    listing = "import models.registry; from models.base import Base; print(*Base.metadata.tables)"
    answer = subprocess.run(
        [sys.executable, "-c", listing], cwd=ROOT, capture_output=True, text=True, check=True
    )
    known = set(answer.stdout.split())
    assert known
    missing = {table: file for table, file in tables_in_source().items() if table not in known}
    assert not missing, f"import these modules in models/registry.py, or migrations never see them: {missing}"


# --- what is kept about people ------------------------------------------------------------------------------------


def test_whatever_points_at_a_person_is_in_their_copy(town: Town) -> None:
    asked: list[str] = []

    def note(*args: object) -> None:
        asked.append(str(args[2]))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        with reading() as session:
            copy_for(session, town.helper.account(session))
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    read = set(re.findall(r"\w+", " ".join(asked)))
    tables = {column.class_.__tablename__ for column in POINTS_AT_A_PERSON}
    missing = sorted(tables - read - set(NOT_IN_THE_COPY))
    assert not missing, (
        f"show {missing} in models/copies.py and schemas/rights.py, or say in NOT_IN_THE_COPY why not"
    )
    assert set(NOT_IN_THE_COPY) <= tables - read, (
        "NOT_IN_THE_COPY names what is in the copy, or points at nobody"
    )


def acts() -> Iterator[tuple[str, str]]:
    """Every act the journal is given, and where."""
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ENTERING:
                said = [*said_by(node.args[1])] or [f"{ast.unparse(node.args[1])}…"]
                yield from ((act, f"{named(path)}:{node.lineno}") for act in said)
            elif "seats" in path.parts and isinstance(node, ast.Tuple) and node.elts:
                # the hot path writes its entries by the handful
                yield from ((act, f"{named(path)}:{node.lineno}") for act in said_by(node.elts[0]))
            elif "seats" in path.parts and isinstance(node, ast.Dict):
                written = dict(zip(map(ast.unparse, filter(None, node.keys)), node.values, strict=False))
                yield from (
                    (act, f"{named(path)}:{node.lineno}")
                    for act in said_by(written.get("'act'", ast.Constant(None)))
                )


def said_by(act: ast.expr) -> Iterator[str]:
    """The acts an expression may be: one that is written out, one of two, or one with an end that ``ENDINGS`` knows."""
    if isinstance(act, ast.JoinedStr) and isinstance(act.values[0], ast.Constant):
        start = str(act.values[0].value)
        yield from (f"{start}{end}" for end in ENDINGS.get(start, ["…"]))
    elif isinstance(act, ast.IfExp):
        yield from (*said_by(act.body), *said_by(act.orelse))
    elif isinstance(act, ast.Constant) and re.fullmatch(r"[a-z_]+\.[a-z_]+", str(act.value)):
        yield str(act.value)


def test_every_act_of_the_journal_has_a_label() -> None:
    found = dict(acts())
    unknown = {act: where for act, where in found.items() if act.endswith("…")}
    assert not unknown, f"write these acts out, or say in ENDINGS what they may end in: {unknown}"
    unlabelled = {act: where for act, where in found.items() if act not in ACT_LABELS}
    assert not unlabelled, f"say in ACT_LABELS of schemas/acts.py what these are called: {unlabelled}"
    stale = sorted(set(ACT_LABELS) - set(found))
    assert not stale, f"nobody enters these any more, take them out of ACT_LABELS: {stale}"


def test_every_label_is_chinese_and_no_two_acts_are_called_alike() -> None:
    for act, label in ACT_LABELS.items():
        assert re.fullmatch("[\u4e00-\u9fff]+", label), act
    assert len(set(ACT_LABELS.values())) == len(ACT_LABELS)


# --- what the guides point at -------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["models", "miniprogram_api", "server"])
def test_every_module_is_on_the_map(package: str) -> None:
    """A noun stands there once, for it has the same name on every floor."""
    drawn = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Map")[2].partition("\n## ")[0]
    words = set(re.findall(r"\w+", drawn))
    rooms = {
        path.relative_to(ROOT / package).parts[0].removesuffix(".py")
        for path in tracked()
        if path.is_relative_to(ROOT / package)
    }
    missing = sorted(rooms - words - {"__init__", "py"})
    assert not missing, f"put these on the map in README.md: {missing}"


@pytest.mark.parametrize("guide", GUIDES)
def test_every_link_of_a_guide_leads_somewhere(guide: str) -> None:
    text = (ROOT / guide).read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    broken = [
        link
        for link in links
        if link and "://" not in link and not (ROOT / guide).parent.joinpath(link).exists()
    ]
    assert not broken, f"{guide} links to what is not there: {broken}"


def test_every_path_into_docs_and_deploy_is_there() -> None:
    """Wherever it is named: in a guide, a docstring, a configuration."""
    wrong = [
        f"{named(path)}: {name}"
        for path in tracked()
        if path.suffix in TEXTS
        for name in re.findall(
            r"(?<![\w/.])(?:docs|deploy)/[\w./-]*\w\.(?:md|py|example)\b", path.read_text(encoding="utf-8")
        )
        if not (ROOT / name).exists()
    ]
    assert not wrong, f"named, and not there: {wrong}"
