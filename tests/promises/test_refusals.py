"""Every no of the town is listed in docs/refusals.md with its status and sentence, and the list names none that is not."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from miniprogram_api.problems import MALFORMED, SORRY, STATUSES
from miniprogram_api.wechat import PushRefused
from models import errors
from models.errors import Refusal

ROOT = Path(__file__).resolve().parents[2]
LINE = re.compile(r"\| `(?P<code>[a-z_]+)` \| (?P<status>\d{3}) \| (?P<when>.+?) \| (?P<sentence>.+?) \|")
KINDS = {kind.__name__: kind for kind in (*STATUSES, PushRefused)}
DIFFERS = "…"


class Said(NamedTuple):
    """One refusal as the code says it; no sentence where it is put together."""

    code: str
    status: int
    sentence: str | None


def listed() -> list[re.Match[str]]:
    text = (ROOT / "docs" / "refusals.md").read_text(encoding="utf-8")
    return [found for line in text.splitlines() if (found := LINE.fullmatch(line))]


def defaults(kind: type[Refusal]) -> dict[str, str]:
    """What a kind of refusal says when nothing else is said."""
    return {
        name: parameter.default
        for name, parameter in inspect.signature(kind).parameters.items()
        if isinstance(parameter.default, str)
    }


def said_in(source: str) -> Iterator[Said]:
    """Every refusal made in a source file: ``Conflict("code", "sentence")``, ``NotFound("sentence", code="…")``, ``raise Busy``."""
    tree = ast.parse(source)
    named = {
        target.id: each.value
        for each in tree.body
        if isinstance(each, ast.Assign)
        for target in each.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name) and node.exc.id in KINDS:
            kind, given = KINDS[node.exc.id], {}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
            kind = KINDS[node.func.id]
            names = list(inspect.signature(kind).parameters)
            given = dict(zip(names, node.args, strict=False)) | {
                k.arg: k.value for k in node.keywords if k.arg
            }
        else:
            continue
        fallback = defaults(kind)
        code = given.get("code")
        if code is not None:
            assert isinstance(code, ast.Constant), f"a code that is not a plain text: {ast.unparse(node)}"
        sentence = given.get("message")
        if isinstance(sentence, ast.Name):  # a sentence with a name of its own
            sentence = named.get(sentence.id, sentence)
        if sentence is None:
            text: str | None = fallback["message"]
        else:
            text = str(sentence.value) if isinstance(sentence, ast.Constant) else None
        yield Said(
            str(code.value) if code is not None else fallback["code"],
            next(status for known, status in STATUSES.items() if issubclass(kind, known)),
            text,
        )


def said() -> set[Said]:
    found = {Said(code, status, sentence) for status, (code, sentence) in MALFORMED.items()}
    found.add(Said("unexpected", 500, SORRY))
    for package in ("models", "miniprogram_api", "server"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if path != Path(errors.__file__):
                found |= set(said_in(path.read_text(encoding="utf-8")))
    return found


def test_every_refusal_is_listed_and_every_listed_one_exists() -> None:
    in_code = {(refusal.code, refusal.status) for refusal in said()}
    in_table = [(line["code"], int(line["status"])) for line in listed()]
    assert len(in_table) == len(set(in_table))
    unlisted = sorted(in_code - set(in_table))
    assert not unlisted, (
        f"add a line to docs/refusals.md, `| code | status | when | sentence |` ({DIFFERS} for one that varies): {unlisted}"
    )
    stale = sorted(set(in_table) - in_code)
    assert not stale, f"docs/refusals.md lists what nobody says, take it out: {stale}"


def test_one_code_has_one_status() -> None:
    codes = [line["code"] for line in listed()]
    assert len(codes) == len(set(codes))


def test_every_listed_sentence_is_the_one_people_read() -> None:
    sentences: dict[str, set[str | None]] = {}
    for refusal in said():
        sentences.setdefault(refusal.code, set()).add(refusal.sentence)
    for line in listed():
        known = sentences[line["code"]]
        assert line["sentence"] in known or (line["sentence"] == DIFFERS and None in known), (
            f"docs/refusals.md has another sentence for {line['code']} than the code: {known}"
        )


def test_every_sentence_is_chinese_and_speaks_to_a_person() -> None:
    for refusal in said():
        if refusal.sentence is not None:
            assert re.search("[\u4e00-\u9fff]", refusal.sentence), refusal
            assert not re.search("(?i)error|exception|null|none|sql", refusal.sentence), refusal


def test_the_reader_of_this_test_sees_each_way_of_refusing() -> None:
    source = 'raise Busy\nraise Conflict("full", "满了")\nNotFound("没有", code="gone")\nConflict("n", f"{x}")\nInvalid([])'
    source += '\nLATE = "晚了"\nConflict("late", LATE)\nConflict("o", other)'
    assert set(said_in(source)) == {
        Said("busy", 503, "人太多啦，请稍等几秒再试"),
        Said("full", 409, "满了"),
        Said("gone", 404, "没有"),
        Said("n", 409, None),
        Said("late", 409, "晚了"),
        Said("o", 409, None),
        Said("invalid", 422, "填写的内容有误，请检查后重试"),
    }


def test_every_kind_of_refusal_has_a_status() -> None:
    kinds = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Refusal)}
    assert kinds - {Refusal} == set(STATUSES)
