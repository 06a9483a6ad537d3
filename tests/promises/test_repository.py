"""The repository itself: small rooms, one place that speaks to WeChat, one word per table, nothing of anybody's machine."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

import models.registry
from models.base import Base

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("models", "server", "miniprogram_api")
MOST_LINES = 400
WECHAT = ROOT / "miniprogram_api" / "wechat"
SMS = ROOT / "miniprogram_api" / "sms"
MANNERS = ROOT / "miniprogram_api" / "outside.py"  # what both gateways have in common
# every house outside has one gateway, and only gateways speak to the outside
GATEWAYS = {
    "wechatpy": {WECHAT},
    "requests": {WECHAT, SMS, MANNERS},
    "urllib3": {MANNERS},
    "httpx": set(),
    "http": {ROOT / "server" / "wechat_sandbox"},  # WeChat's own side, which pushes to us
    "socket": {ROOT / "server"},  # the runner looks whether a port is free
}
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
# written in pieces, so that this file does not hold what it looks for
ELSEWHERE = re.compile(
    "|".join(
        [
            "/" + "home/[a-z]",
            "/" + "Users/[A-Za-z]",
            "/" + "root/",
            "/" + "work/",
            "/" + "mnt/",
            "[A-Z]:" + r"\\Users",
            "pypi" + r"\.(?:org|tuna|doubanio)",
            "files" + r"\.pythonhosted",
            "mirrors" + r"?\.(?:aliyun|tuna|ustc|cloud|bfsu)",
            "regis" + r"try\.npm",
            "index" + "-url",
            "extra-index" + "-url",
            "trusted" + "-host",
            "arti" + "factory",
        ]
    )
)


def modules() -> list[Path]:
    """Every module of the product; migrations are history, written by Alembic."""
    found = {path for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    return sorted(path for path in found if "versions" not in path.parts)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tracked() -> list[Path]:
    """What git keeps, or what it would keep."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout: nothing says which files belong to the repository")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("path", modules(), ids=named)
def test_no_module_outgrows_its_room(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def libraries_of(path: Path) -> set[str]:
    """What a module imports, by top names; ``http.HTTPStatus`` is a table of numbers and no way out."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= (
                set()
                if node.module == "http" and {a.name for a in node.names} == {"HTTPStatus"}
                else {node.module}
            )
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("library", sorted(GATEWAYS))
def test_only_gateways_speak_to_the_outside(library: str) -> None:
    speakers = [path for path in modules() if library in libraries_of(path)]
    strangers = [named(path) for path in speakers if not GATEWAYS[library] & {path, *path.parents}]
    assert not strangers
    assert bool(speakers) is bool(GATEWAYS[library])


def test_nothing_in_the_product_imports_the_tests() -> None:
    assert not [path for path in modules() if "tests" in libraries_of(path)]


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [path for path in modules() if path.stem in VAGUE or path.parent.name in VAGUE]


def test_every_module_says_what_it_is() -> None:
    silent = [
        named(path)
        for path in modules()
        if path.stem != "__init__" and path.name != "env.py"
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not silent


def test_every_table_is_in_the_glossary() -> None:
    assert models.registry
    glossary = (
        (ROOT / "README.md")
        .read_text(encoding="utf-8")
        .partition("## 词表 Glossary")[2]
        .partition("\n## ")[0]
    )
    words = set(re.findall(r"`(\w+)`", glossary))
    tables = {mapper.class_.__name__ for mapper in Base.registry.mappers}
    assert tables
    assert tables <= words, f"missing from README's glossary: {sorted(tables - words)}"


def test_every_edge_case_of_taking_a_class_is_cited_by_a_test() -> None:
    """domain.md §7: whoever takes a test out that was the last to try one of these is told."""
    of_classes = {*range(1, 12), *range(14, 17), *range(30, 33), 36}
    cited: set[int] = set()
    for path in tracked():
        if path.is_relative_to(ROOT / "tests") and path.suffix == ".py" and path != Path(__file__):
            text = path.read_text(encoding="utf-8")
            cited |= {int(number) for number in re.findall(r"\bE(\d{1,2})\b", text)}
            cited |= {n for a, b in re.findall(r"\bE(\d+)–E(\d+)\b", text) for n in range(int(a), int(b) + 1)}
    untried = sorted(of_classes - cited)
    assert not untried, f"cite these in the docstrings of the tests that try them: {untried}"


def test_nothing_names_the_paths_of_a_machine_or_the_hosts_of_a_registry() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a workbook, a picture
        found += [f"{named(path)}: {match[0]}" for match in ELSEWHERE.finditer(text)]
    assert not found


def test_nothing_is_left_for_later() -> None:
    left = re.compile(r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]) + r")\b")
    assert not [named(path) for path in modules() if left.search(path.read_text(encoding="utf-8"))]
